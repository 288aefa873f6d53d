"""Is a function recorded so that it holds for all numbers, and is everything that would not hold refused?"""

import copy
import math
import operator
import pickle
from functools import partial

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd
from autograd import RecordingError, Value, compile, dot, exp, no_grad, take, tanh, where
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


def test_derivative_of_any_order_is_not_recorded():
    from autograd import derivative

    with pytest.raises(RecordingError, match=r"derivative\(\) at line .* use grad\(f\)"):
        compile(derivative(lambda x: exp(x) * x))(1.0)
