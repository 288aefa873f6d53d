"""Is a function recorded so that it holds for all numbers, and is everything that would not hold refused?"""

import copy
import math
import operator
import pickle
import random
from functools import partial

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd
from autograd import RecordingError, Value, compile, derivative, dot, exp, no_grad, take, tanh, where
from nn import MLP, mse_loss


def test_a_compiled_function_behaves_like_the_function():
    def f(x, y):
        return tanh(x) * y + 2.0

    compiled = compile(f)
    assert repr(compiled) == "<compiled f: not recorded yet>"
    for point in ((0.5, 2.0), (-1.0, 3.0), (0, 1), (np.float64(2.0), 1.0)):
        xs = [Value(x) for x in point]
        y = f(*xs)
        y.backward()
        assert compiled(*point) == y.data
        assert compiled.value_and_grad(*point) == (y.data, tuple(x.grad for x in xs))
    assert repr(compiled) == "<compiled f: Program(2 inputs, 0 parameters, 3 instructions)>"
    assert compiled.__name__ == "f"


def test_it_runs_only_once():
    calls = []
    square = compile(lambda x: calls.append(x) or x * x)
    assert [square(x) for x in (1.0, 2.0, 3.0)] == [1.0, 4.0, 9.0]
    assert len(calls) == 1


def test_with_values_it_is_the_function_itself():
    compiled, x = compile(lambda x: x * x), Value(3.0)
    compiled(x).backward()
    assert x.grad == 6.0


def test_it_returns_as_many_numbers_as_the_function_in_the_same_kind_of_sequence():
    assert compile(lambda x: (x, x * x))(3.0) == (3.0, 9.0)
    assert compile(lambda x: [x * x])(3.0) == [9.0]


def test_values_that_it_reads_are_parameters_read_afresh():
    w = Value(2.0)
    compiled = compile(lambda x: w * x)
    assert compiled(3.0) == 6.0
    w.data = 5.0
    assert compiled(3.0) == 15.0


def test_a_network_is_recorded():
    model = MLP(2, [4, 1], activation="tanh")
    compiled = compile(lambda x0, x1: mse_loss(model([x0, x1]), 0.5))
    x = [Value(0.25), Value(-1.0)]
    error = mse_loss(model(x), 0.5)
    error.backward()
    value, gradient = compiled.value_and_grad(0.25, -1.0)
    assert value == pytest.approx(error.data, rel=1e-14)
    assert gradient == pytest.approx([v.grad for v in x], rel=1e-13)
    assert set(compiled.program.parameters) == set(model.parameters())


def differentiated(y):
    y.backward()
    return 1.0


def swallowing(x):
    try:
        return x if x > 0 else -x
    except TypeError:
        return x


def softmax_by_hand(xs, largest):
    """As people write it: the largest number is taken away first, so that no exponential overflows."""
    exponentials = [exp(x - largest) for x in xs]
    return [e / autograd.sum(exponentials) for e in exponentials]


WHERE, TAKE, OUTSIDE = "use where", "use take", Value(2.0)


@pytest.mark.parametrize(
    ("function", "remedy"),
    [
        (lambda x: x if x > 0 else -x, WHERE),
        (lambda x: x if x * 2.0 > 0 else -x, WHERE),
        (lambda x: max(x, 1.0), WHERE),
        (lambda x: x * 2.0 if x else x, WHERE),
        (lambda x: sorted([x, x * 2.0])[0], WHERE),
        (lambda x: [1.0, 2.0, 3.0][x] * x, TAKE),
        (lambda x: x * x.data, "keep the Value"),
        (lambda x: tanh(x).data * x, "keep the Value"),
        (lambda x: softmax_by_hand([x, x * 2.0], max(y.data for y in (x, x * 2.0))), r"autograd\.max\(values\)"),
        (lambda x: softmax_by_hand([x, x * 2.0], max(x, x * 2.0)), r"autograd\.max\(values\)"),
        (lambda x: x * x.item(), "keep the Value"),
        (lambda x: x * float(x), "use the functions of autograd"),
        (lambda x: x * int(x), "use floor"),
        (lambda x: math.exp(x), "use the functions of autograd"),
        (lambda x: x * x.detach(), "keep the Value"),
        (lambda x: x * copy.deepcopy(x), "keep the Value"),
        (lambda x: copy.copy(x) * x, "keep the Value"),
        (lambda x: x * (2.0 if x == 1 else 1.0), WHERE),
        (lambda x: x if x in (1, 2) else -x, WHERE),
        (lambda x: x * OUTSIDE.data, "keep the Value"),
        (lambda x: x if OUTSIDE > 0 else -x, "keep the Value"),
        (lambda x: x if OUTSIDE else -x, "keep the Value"),
        (lambda x: x * OUTSIDE.detach(), "keep the Value"),
        (lambda x: differentiated(x * x) * x, "value_and_grad"),
        (lambda x: (x * x).grad + x, "value_and_grad"),
        (lambda x: (x * x).local_derivatives[0] * x, "differentiate the program"),
        (lambda x: swallowing(x), WHERE),
        (lambda x: pickle.loads(pickle.dumps(x * x)), "keep the Value"),
        (lambda x: 3.0, "did it use .data or math"),
        (lambda x: None, "did it use .data or math"),
    ],
)
def test_what_would_hold_for_one_number_only_is_refused(function, remedy):
    with pytest.raises(RecordingError, match=remedy) as caught:
        compile(function)(1.0)
    assert "\n" not in str(caught.value)


def test_a_softmax_by_hand_compiles_with_the_remedy_that_the_error_names():
    compiled = compile(lambda xs: softmax_by_hand(xs, autograd.max(xs)))
    for xs in ([1.0, 2.0, 3.0], [3.0, -1.0, 3.0], [800.0, -800.0, 799.0]):
        exact = [math.exp(x - max(xs)) for x in xs]
        assert compiled(xs) == pytest.approx([e / math.fsum(exact) for e in exact], rel=1e-14)


def test_rows_of_a_table_are_taken_by_recorded_tokens():
    rng, rows, width = random.Random(0), 200, 4
    table = [[Value(rng.gauss(0.0, 1.0)) for _ in range(width)] for _ in range(rows)]
    compiled = compile(lambda tokens: autograd.sum([x * x for token in tokens for x in take(table, token)]))
    for tokens in ([0, 199, 7], [7, 7, 7], [-1, -200, 199]):
        read = [token % rows for token in tokens]
        squares = [x.data**2 for token in read for x in table[token]]
        assert compiled([float(token) for token in tokens]) == pytest.approx(math.fsum(squares), rel=1e-14)
        _, by_tokens, found = compiled.program.value_and_grad([float(token) for token in tokens])
        gradients = dict(zip(compiled.program.parameters, found, strict=True))
        assert by_tokens.tolist() == [0.0, 0.0, 0.0]
        for number, row in enumerate(table):
            expected = [2.0 * read.count(number) * x.data for x in row]
            assert [gradients[x] for x in row] == pytest.approx(expected, rel=1e-14)
    with pytest.raises(IndexError):
        compiled([0.0, 0.0, 200.0])


def test_the_error_names_the_line():
    def f(x):
        return x if x > 0 else -x

    with pytest.raises(
        RecordingError, match=f"a branch on a recorded number at line {f.__code__.co_firstlineno + 1} of .*test_tracing"
    ):
        compile(f)(1.0)


def test_no_grad_inside_is_refused():
    def f(x):
        with no_grad():
            return x * x

    with pytest.raises(RecordingError, match="inside no_grad"):
        compile(f)(1.0)


def test_where_and_take_decide_anew_for_every_number():
    magnitude = compile(lambda x: where(autograd.sign(x) + 1.0, x, -x))
    assert [magnitude(x) for x in (3.0, -3.0)] == [3.0, 3.0]
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        chosen = compile(lambda x, y, compare=compare: where(compare(x, y), x * x, y))
        swapped = compile(partial(compare, 2.0))
        for x in (1.0, 2.0, 3.0, math.nan, math.inf, -math.inf, 0.0, -0.0):
            for y in (2.0, math.nan, math.inf, 0.0):
                assert repr(chosen(x, y)) == repr(x * x if compare(x, y) else y)
            assert swapped(x) == float(compare(2.0, x))
    program = pickle.loads(pickle.dumps(chosen.program))
    assert program([[3.0, 2.0], [1.0, 2.0]]).tolist() == [[9.0], [2.0]]
    power = compile(lambda x, n: take([1.0, x, x * x], n))
    assert [power(3.0, n) for n in (0, 1, 2, -1)] == [1.0, 3.0, 9.0, 9.0]


def test_a_dot_takes_numbers_beside_recorded_ones():
    f = compile(lambda x: dot([x, x], [2.0, x], x))
    assert f.value_and_grad(3.0) == (18.0, (9.0,))


def test_after_an_error_nothing_is_left_behind():
    compiled = compile(lambda x: x if x > 0 else -x)
    with pytest.raises(RecordingError):
        compiled(1.0)
    x = Value(1.0)
    assert type(x * 2.0) is Value
    assert x > 0.5
    assert compiled.program is None


def test_numbers_that_do_not_fit():
    compiled = compile(lambda x, y: x * y)
    assert compiled(2.0, 3.0) == 6.0
    with pytest.raises(TypeError, match="was recorded with 2 numbers; got 1"):
        compiled(2.0)
    with pytest.raises(TypeError, match="takes a real number; got 'a'"):
        compiled("a", 1.0)


def test_arrays_give_arrays():

    f = compile(lambda x, y: exp(x) * y)
    xs, ys = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(f(xs, ys), np.exp(xs) * ys, rtol=1e-14)
    np.testing.assert_allclose(f(xs, 2.0), np.exp(xs) * 2.0, rtol=1e-14)
    values, (by_x, by_y) = f.value_and_grad(xs, ys)
    np.testing.assert_allclose(values, np.exp(xs) * ys, rtol=1e-14)
    np.testing.assert_allclose(by_x, np.exp(xs) * ys, rtol=1e-14)
    np.testing.assert_allclose(by_y, np.exp(xs), rtol=1e-14)
    both = compile(lambda x: (exp(x), -x))
    assert [a.shape for a in both(xs)] == [(2, 3)] * 2
    assert f(1.0, np.float64(2.0)) == pytest.approx(2.0 * np.e)
    with pytest.raises(TypeError, match="was recorded with 2 numbers; got 1"):
        f(xs)


def test_derivatives_of_any_order_are_recorded():
    for order in range(6):
        f = derivative(lambda x: exp(x) * x, order=order)
        compiled = compile(f)
        assert [compiled(x) for x in (1.0, -2.0, 0.0)] == pytest.approx([f(x) for x in (1.0, -2.0, 0.0)], rel=1e-13)


class TestNestedArguments:
    """As for `grad`: numbers, and lists, tuples and dicts of them."""

    def test_a_list_is_one_argument(self):
        f = compile(lambda w, x: dot(w, x))
        assert f([1.0, 2.0], [3.0, 4.0]) == 11.0
        assert f.value_and_grad([1.0, 2.0], [3.0, 4.0]) == (11.0, ([3.0, 4.0], [1.0, 2.0]))
        assert f.program.inputs == 4

    def test_dicts_and_tuples_and_numbers_side_by_side(self):
        def f(model, x):
            (a, b), c = model["weights"], model["bias"]
            return {"y": a * x[0] + b * x[1] + c, "parts": (a * x[0], [c])}

        compiled = compile(f)
        assert compiled({"weights": (2.0, 3.0), "bias": 1}, [5.0, 7.0]) == {"y": 32.0, "parts": (10.0, [1.0])}
        other = compiled({"bias": 1, "weights": (2.0, 3.0)}, [0.0, 1.0])  # names tell the numbers of a dict apart
        assert other == {"y": 4.0, "parts": (0.0, [1.0])}
        line = compile(lambda model, x: model["a"] * x + model["b"])
        assert line.value_and_grad({"a": 2.0, "b": 1.0}, 3.0) == (7.0, ({"a": 3.0, "b": 1.0}, 2.0))
        assert line.value_and_grad({"b": 1.0, "a": 5.0}, 3.0) == (16.0, ({"a": 3.0, "b": 1.0}, 5.0))

    def test_a_model_takes_its_example_as_a_list(self):
        model = MLP(3, [4, 2], activation="tanh")
        compiled = compile(model)
        assert compiled([0.1, 0.2, 0.3]) == pytest.approx([y.data for y in model([0.1, 0.2, 0.3])], rel=1e-14)

    def test_with_a_value_anywhere_it_is_the_function_itself(self):
        x = Value(2.0)
        compile(lambda w, y: dot(w, y))([1.0, x], [3.0, 4.0]).backward()
        assert x.grad == 4.0

    def test_arrays_are_arrays_of_numbers(self):
        f = compile(lambda p, x: p["a"] * x + p["b"])
        xs = np.array([1.0, 2.0, 3.0])
        assert f({"a": 2.0, "b": 1.0}, xs).tolist() == [3.0, 5.0, 7.0]
        value, (by_p, by_x) = f.value_and_grad({"a": xs, "b": 1.0}, 2.0)
        assert value.tolist() == [3.0, 5.0, 7.0]
        assert by_p["a"].tolist() == [2.0] * 3
        assert by_p["b"].tolist() == [1.0] * 3
        assert by_x.tolist() == [1.0, 2.0, 3.0]

    def test_an_array_of_the_shape_of_a_list_is_that_list(self):
        f = compile(lambda w, x: dot(w, x))
        f([1.0, 2.0], [3.0, 4.0])
        assert f(np.array([1.0, 2.0]), [5.0, 6.0]) == 17.0
        with pytest.raises(TypeError, match="was recorded with a list of 2, a list of 2; got a list of 3, a list of 2"):
            f(np.array([1.0, 2.0, 3.0]), [5.0, 6.0])

    def test_where_the_function_takes_a_list_an_array_is_one(self):
        assert compile(lambda w, x: dot(w, x))(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 11.0
        assert compile(lambda w: [w[1], w[0]])(np.array([1.0, 2.0])).tolist() == [2.0, 1.0]
        matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
        assert compile(lambda rows: dot(rows[0], rows[1]))(matrix) == 11.0
        for times in (np.matmul, np.dot):
            assert compile(lambda x, times=times: times(matrix, x))(np.array([1.0, 10.0])).tolist() == [21.0, 43.0]

    def test_a_function_that_fails_for_numbers_and_for_lists_says_so(self):
        with pytest.raises(TypeError, match="unsupported operand") as caught:
            compile(lambda x: x + {})(np.array([1.0, 2.0]))
        assert "one number for each array; with arrays it fails too" in caught.value.__notes__[0]

    def test_what_a_list_does_not_allow_is_said_of_the_list(self):
        with pytest.raises(RecordingError, match="a branch on a recorded number"):
            compile(lambda x: x[0] if x[0] > 0 else -x[0])(np.array([1.0, 2.0]))

    def test_another_nesting_than_before_is_refused(self):
        f = compile(lambda v, x: dot(v, v) * x)
        assert f([1.0, 2.0], 3.0) == 15.0
        for arguments in (([1.0], 3.0), ([1.0, 2.0, 3.0], 3.0), (1.0, 3.0), ([1.0, 2.0], [3.0]), ((1.0, 2.0), 3.0), ()):
            with pytest.raises(TypeError, match=r"was recorded with a list of 2, a number; got .*: give as many in"):
                f(*arguments)
        with pytest.raises(TypeError, match=r"takes a real number; got 'a' \(str\)"):
            f([1.0, "a"], 3.0)

    def test_what_does_not_depend_on_the_inputs_is_found_in_a_nesting(self):
        with pytest.raises(RecordingError, match=r"returned 1\.0 \(float\) at \['b'\]\[1\], which does not depend"):
            compile(lambda x: {"a": x * x, "b": [x, 1.0]})(2.0)


def test_value_and_grad_of_several_numbers_names_jacobian():
    f = compile(lambda x: [x * x, 3.0 * x])
    with pytest.raises(TypeError, match=r"needs a function that returns one number; .* a list of 2: use jacobian"):
        f.value_and_grad(2.0)
    assert f.jacobian(2.0) == [(4.0,), (3.0,)]


class TestDecidedConditions:
    """A comparison of Values is Python's True or False, and the graph does not record what was compared."""

    @pytest.mark.parametrize("decide", [lambda x: x > 0, lambda x: x.data > 0, bool, lambda x: x > 0 and x < 2])
    def test_a_graph_with_one_is_refused(self, decide):
        x = Value(1.0)
        graph = exp(where(decide(x), x, -x))
        for twin_x, twin in ((x, graph), pickle.loads(pickle.dumps((x, graph))), copy.deepcopy((x, graph))):
            with pytest.raises(
                RecordingError, match=r"True or False when it was recorded.*compile\(lambda x: where\(x > 0"
            ):
                compile(twin, [twin_x])
        with pytest.raises(RecordingError, match="True or False when it was recorded"):
            compile(lambda y: y * graph)(1.0)  # x is a parameter there

    def test_a_function_records_the_comparison(self):
        f = compile(lambda x: where(x > 0, x, -x))
        assert [f(x) for x in (1.0, -3.0)] == [1.0, 3.0]

    @pytest.mark.parametrize("constant", [1.0, 1, np.bool_(True), np.array([True, False])[0]])
    def test_a_constant_is_a_number_or_a_bool_of_numpys(self, constant):
        x = Value(1.0)
        assert compile(where(constant, x * x, -x), [x])([[3.0], [-2.0]]).tolist() == [[9.0], [4.0]]

    def test_inside_a_function_a_constant_may_be_a_bool(self):
        mask = [True, False]
        f = compile(lambda v: [where(keep, x, 0.0) for keep, x in zip(mask, v, strict=True)])
        assert f([2.0, 3.0]) == [2.0, 0.0]

    def test_in_the_eager_engine_nothing_changes(self):
        x = Value(-2.0)
        y = where(x > 0, x, -x)
        y.backward()
        assert (y.operation, y.operands, y.data, x.grad) == ("where", (0.0, x, y.operands[2]), 2.0, -1.0)
