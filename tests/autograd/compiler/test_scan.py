"""Does a loop that is recorded as one instruction compute what the loop computes step by step?"""

import pickle
import random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import nn
from autograd import (
    RecordingError,
    Value,
    compile,
    derivative,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    scan,
    sigmoid,
    take,
    tanh,
    value_and_grad,
    where,
)
from autograd.compiler.flat_graph import RESULT, Scan
from autograd.loops import stacked
from autograd.transforms.nesting import leaves_of
from tests.autograd.compiler.interpreter import Interpreter

WEIGHTS = [Value(0.3), Value(-0.7), Value(1.1)]
START = Value(0.4)


class Pair(NamedTuple):
    a: object
    b: object


def total(tree):
    """The sum of all numbers of a nesting, each with another weight."""
    return sum((k + 1) * x for k, x in enumerate(leaves_of(in_one_order(tree))))


def in_one_order(tree):
    """The nesting with the entries of its dicts by name."""
    if isinstance(tree, dict):
        return [in_one_order(tree[key]) for key in sorted(tree)]
    return [in_one_order(x) for x in tree] if isinstance(tree, list | tuple) else tree


# Functions of three numbers, and of the xs of a loop.


def plain(a, b, c, xs):
    def step(s, x):
        s = tanh(s * b + x * c)
        return s, s * x

    return total(scan(step, a, xs))


def swaps(a, b, c, xs):
    def step(pair, x):
        p, q = pair
        return (q, p), p * x

    return total(scan(step, (a, b), xs)) * c


def nested_state(a, b, c, xs):
    def step(s, x):
        (p, q), r = s["pair"], s["r"]
        return {"r": r * x + q, "pair": [tanh(q + x), p * c]}, {"sum": p + r, "two": (q, [r, x])}

    return total(scan(step, {"pair": [a, b], "r": 1.0}, xs))


def closes_over(a, b, c, xs):
    w, inside = WEIGHTS, exp(b * c) + WEIGHTS[1]  # once, before the loop

    def step(s, x):
        return tanh(w[0] * s + w[1] * x + w[2]) * inside + c, s * w[1]

    return total(scan(step, a * START, xs)) + inside


def starts_from_a_parameter(a, b, c, xs):
    return total(scan(lambda s, x: (s * a + x * b, None), START, xs)[0]) * c


def gives_what_it_does_not_compute(a, b, c, xs):
    def step(s, x):
        p, q, _ = s
        return (q * x, c, 0.5), (x, a, WEIGHTS[0], 2.0, exp(b), p)

    return total(scan(step, (a, WEIGHTS[1], 1.0), xs))


def side_by_side(a, b, c, xs):
    def step(s, x):
        number, others = x
        return s * b + number * others["n"][0] + others["m"], s

    pairs = {"n": [(x, 1.0) for x in xs], "m": [c] * len(xs)}
    return total(scan(step, a, (xs, pairs)))


def one_after_the_other(a, b, c, xs):
    def first(s, x):
        return s * 0.5 + x, Pair(s, tanh(x * a))

    s, ys = scan(first, b, xs)
    assert isinstance(ys, Pair)
    return total(scan(lambda t, y: (t * c + y.a, y.b * t), s, ys))


def loop_in_a_loop(a, b, c, xs):
    def step(s, x):
        inner, found = scan(lambda t, _: (tanh(t * b + x), t), s, length=3)
        return inner, total(found)

    return total(scan(step, a, xs)) * c


def loops_in_a_loop_in_a_loop(a, b, c, xs):
    w = WEIGHTS

    def innermost(s, x):
        return tanh(s * w[0] + x * b), (s * x, w[1])

    def inner(pair, x):
        s, found = scan(innermost, pair[0], [x, c, 0.5])
        return (s, pair[1] * w[2] + total(found)), s

    def step(pair, x):
        pair, first = scan(inner, pair, xs)
        (p, q), second = scan(inner, pair, [x, a])
        return (tanh(q), p), total(first[1:]) + second[0]

    return total(scan(step, (a, b), xs)) * c


def derivative_of_a_loop(a, b, c, xs):
    return grad(lambda s: total(scan(lambda s, x: (tanh(s * b + x), s * s), s, xs)))(a) * c


def derivative_in_a_loop(a, b, c, xs):
    return total(scan(lambda s, x: (grad(lambda t: tanh(t * x) * b)(s) + c, s), a, xs))


def branches(a, b, c, xs):
    def step(s, x):
        bigger = where(s > x, s * b, x - s)
        return take([a, bigger, c], where(bigger > 0.5, 1.0, 2.0)), bigger

    return total(scan(step, a, xs))


def nobody_reads_the_last_state(a, b, c, xs):
    return total(scan(lambda s, x: (s * b + x, tanh(s)), a, xs)[1][1:]) + c


def unread(a, b, c, xs):
    scan(lambda s, x: (s * x, s), a, xs)
    return a * b * c + total(xs) * 0.0


def products(a, b, c, xs):
    w, x0 = WEIGHTS, [a, b, c]

    def step(s, x):
        rows = [dot([*w, x], [*s, w[k]], w[0]) for k in range(3)]
        return [sigmoid(y) for y in rows], dot(s, x0)

    return total(scan(step, x0, xs))


FUNCTIONS = [
    plain, swaps, nested_state, closes_over, starts_from_a_parameter, gives_what_it_does_not_compute, side_by_side,
    one_after_the_other, loop_in_a_loop, loops_in_a_loop_in_a_loop, derivative_of_a_loop, derivative_in_a_loop,
    branches, products, nobody_reads_the_last_state, unread,
]  # fmt: skip


def eager(f, row, parameters):
    """The value, and the derivatives by the numbers of a row and by parameters, step by step."""
    for p in parameters:
        p.zero_grad()
    inputs = [Value(x) for x in row]
    result = f(*inputs[:3], inputs[3:])
    result.backward()
    return result.data, [x.grad for x in inputs], [p.grad for p in parameters]


def check(f, rows):
    compiled = compile(f)
    compiled(*rows[0][:3].tolist(), rows[0][3:].tolist())
    program = compiled.program
    values, by_rows, by_parameters = program.value_and_grad(rows)
    expected = [eager(f, row.tolist(), program.parameters) for row in rows]
    sums = np.sum([x for _, _, x in expected], axis=0)
    for found, right in (
        (values, [x for x, _, _ in expected]),
        (by_rows, [x for _, x, _ in expected]),
        (by_parameters, sums),
    ):
        # Sums of many terms cancel: an error is measured against the largest number.
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(right).max(initial=0.0)))
    interpreted, gradients = Interpreter(program._graph).run(rows[:2], program._leaves())
    np.testing.assert_allclose(interpreted[:, 0], values[:2], rtol=1e-12, atol=1e-12)
    assert gradients.shape == by_parameters.shape
    return program


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@settings(max_examples=8)
@given(steps=st.integers(1, 5), count=st.sampled_from([1, 2, 7, 8, 9, 80, 200]), seed=st.integers(0, 9))
@example(steps=1, count=1, seed=0)
@example(steps=4, count=80, seed=0)
def test_a_loop_computes_the_same_step_by_step(f, steps, count, seed):
    steps = max(steps, 2) if f is nobody_reads_the_last_state else steps
    check(f, np.random.default_rng(seed).normal(size=(count, 3 + steps)))


def test_a_long_loop_on_many_examples():
    """Its tape holds eight examples at once, and several threads share them."""
    rows = np.random.default_rng(0).normal(size=(70, 603))
    program = check(nested_state, rows)
    assert np.array_equal(program.value_and_grad(rows[:20])[1], program.value_and_grad(rows[:20])[1])
    np.testing.assert_allclose(program(rows)[3:4], program(rows[3:4]), rtol=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_no_step_at_all(f):
    if f not in (nobody_reads_the_last_state, derivative_of_a_loop, one_after_the_other):
        assert compile(f)(0.5, 0.25, 2.0, []) == pytest.approx(f(*map(Value, (0.5, 0.25, 2.0)), []).data)


def test_the_body_is_called_once_and_the_program_grows_with_the_results_alone():
    calls = []

    def f(a, xs):
        def step(s, x):
            calls.append(0)
            return tanh(s * a + x), None

        return scan(step, 0.0, xs)[0]

    sizes = set()
    for steps in 2, 200:
        calls.clear()
        compiled = compile(f)
        compiled(0.5, [0.1] * steps)
        assert len(calls) == 1
        sizes.add(len(compiled.program._graph.codes))
    assert sizes == {2}  # the loop, and its last state


def test_the_body_of_a_loop_in_a_loop_is_called_once_too():
    calls = []

    def f(a, xs):
        def inner(s, x):
            calls.append(0)
            return tanh(s * a + x), None

        return scan(lambda s, x: (scan(inner, s, [x] * 50)[0], None), 0.0, xs)[0]

    compiled = compile(f)
    compiled(0.5, [0.1] * 20)
    assert len(calls) == 1
    assert "\n        u0' = mul(s0', " in str(compiled.program)


def test_a_loop_over_numbers_runs_for_each_parameter_that_is_given():
    w = Value(0.5)
    compiled = compile(lambda a: scan(lambda s, x: (s * w + x, None), a, [1.0, 2.0])[0])
    assert compiled(1.0) == 2.75
    w.data = 2.0
    assert compiled(1.0) == 8.0


def test_steps_of_an_optimiser_on_a_loop():
    """The parameters of the optimiser come first in the program, also one that no loop reads."""

    def loss_with(w):
        def step(s, x):
            return s * w[1] + x * w[0], None

        return lambda xs: (scan(step, w[1], xs[:-1])[0] - xs[-1]) ** 2

    found = []
    for native in True, False:
        w = [Value(0.3), Value(0.8), Value(-0.2)]
        loss = loss_with(w)
        optimizer, rows = nn.Adam([w[2], w[1], w[0]], lr=0.05), np.random.default_rng(0).normal(size=(20, 4))
        if native:
            compiled = compile(loss)
            compiled([0.0] * 4)
        for _ in range(5):
            if native:
                compiled.program.step(optimizer, rows)
            else:
                optimizer.zero_grad()
                (sum(loss(list(map(Value, row))) for row in rows.tolist()) / len(rows)).backward()
                optimizer.step()
        found.append([p.data for p in w])
    assert found[0] == pytest.approx(found[1], rel=1e-10)


def test_all_derivatives_of_several_outputs():
    def f(a, xs):
        s, ys = scan(lambda s, x: (s * x + a, tanh(s)), a, xs)
        return [s, *ys]

    row = 0.3, [0.5, -1.0, 2.0]
    found = compile(f).jacobian(*row)
    for k in range(4):
        value, (a, xs) = value_and_grad(lambda a, xs, k=k: f(a, xs)[k], argnums=(0, 1))(*row)
        assert found[k][0] == pytest.approx(a, rel=1e-12)
        assert found[k][1] == pytest.approx(xs, rel=1e-12)
        assert compile(f)(*row)[k] == pytest.approx(value, rel=1e-12)


def test_infinities_and_nan_go_through_as_step_by_step():
    def f(a, xs):
        return total(scan(lambda s, x: (s * x, exp(s)), a, xs))

    for xs in [1e200, 1e200, 0.0], [float("inf"), 0.0], [float("nan"), 1.0]:
        value, (by_a, by_xs) = compile(f).value_and_grad(2.0, xs)
        expected, (expected_by_a, expected_by_xs) = value_and_grad(f, argnums=(0, 1))(2.0, xs)
        np.testing.assert_array_equal([value, by_a, *by_xs], [expected, expected_by_a, *expected_by_xs])


def test_an_index_out_of_range_in_a_step():
    def step(s, x):
        return take([s, 3.0], x), None

    once = compile(lambda a, xs: scan(step, a, xs)[0])
    twice = compile(lambda a, xs: scan(lambda s, x: (scan(step, s, [0.0, x])[0], None), a, [0.0, *xs])[0])
    for compiled in once, twice:
        assert compiled(3.0, [0.0, 1.0]) == 3.0
        with pytest.raises(IndexError, match="take got an index that is no whole number from -2 to 1"):
            compiled(3.0, [0.0, 2.0])


def test_a_program_with_a_loop_is_pickled_and_printed():
    compiled = compile(closes_over)
    compiled(0.1, 0.2, 0.3, [1.0, 2.0, 3.0])
    program = compiled.program
    row = [0.1, 0.2, 0.3, 1.0, 2.0, 3.0]
    again = pickle.loads(pickle.dumps(program))
    assert again(row).tolist() == program(row).tolist()
    assert "\n    # 3 steps, with a state of 1 number" in str(program)


def test_loops_are_equal_by_what_they_compute():
    def scans(f):
        compiled = compile(f)
        compiled(0.1, 0.2, 0.3, [1.0, 2.0])
        graph = compiled.program._graph
        assert RESULT in graph.operations
        return [x for x in graph.operations if isinstance(x, Scan)]

    assert scans(plain) == scans(plain) != scans(swaps)
    assert len({*scans(plain), *scans(plain)}) == 1


def test_without_native_code(without_llvmlite):
    compiled = compile(closes_over)
    value = compiled(0.1, 0.2, 0.3, [1.0, 2.0])
    assert value == pytest.approx(eager(closes_over, [0.1, 0.2, 0.3, 1.0, 2.0], [])[0], rel=1e-14)


class RNN(nn.Module):
    """A network of one's own that reads its inputs one by one."""

    def __init__(self, rng, dropout=0.0):
        self.cell = nn.Layer(3, 2, activation="tanh", rng=rng)
        self.dropout = nn.Dropout(dropout, rng=rng)
        self.last = nn.Layer(2, 1, activation="linear", rng=rng)

    def forward(self, xs):
        def step(state, x):
            return list(self.dropout(self.cell([*state, x]))), None

        state, _ = scan(step, [0.0, 0.0], list(xs))
        return self.last(state)


@pytest.mark.parametrize("special", [0.5, float("inf"), float("nan")])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_layer_in_a_loop_is_a_matrix_product(count, special):
    """An infinity counts as in the eager engine too: where the other factor is exactly 0, the product is 0."""
    cell = nn.Layer(4, 3, activation="relu", rng=random.Random(0))
    outside = cell([0.1, 0.2, 0.3, 0.4])  # the same weights once more, for all examples

    def f(a, b, c, xs):
        s, ys = scan(lambda s, x: (cell([*s, x]), s[1]), [a, b, c], xs)
        deeper, _ = scan(lambda s, x: (scan(lambda s, y: (cell([*s, y]), None), s, [x, a])[0], None), s, xs)
        return total(s) + total(ys[1:]) + total(cell([c, a, b, xs[0]])) + total(outside) + total(deeper)

    rows = np.random.default_rng(0).normal(size=(count, 7))
    rows[-1, -1] = special
    compiled = compile(f)
    compiled(*rows[0][:3].tolist(), rows[0][3:].tolist())
    program = compiled.program
    values, by_rows, by_parameters = program.value_and_grad(rows)
    expected = [eager(f, row.tolist(), program.parameters) for row in rows]
    np.testing.assert_allclose(values, [x for x, _, _ in expected], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_rows, [x for _, x, _ in expected], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(by_parameters, np.sum([x for _, _, x in expected], axis=0), rtol=1e-11, atol=1e-12)
    assert "in a loop: 3 dots of 4 weights run as one layer" in str(program)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_network_of_ones_own_learns_the_same_in_native_code(dropout):
    rng = random.Random(0)
    X = [[rng.gauss(0, 1) for _ in range(6)] for _ in range(50)]
    y = [sum(row[-2:]) for row in X]
    found = {}
    for engine in "eager", "compiled":
        model = RNN(random.Random(1), dropout)
        optimizer = nn.Adam(model.parameters(), lr=0.01)
        history = nn.fit(
            model, X, y, loss="mse_loss", optimizer=optimizer, epochs=2, batch_size=16, rng=random.Random(3),
            engine=engine, progress=False,
        )  # fmt: skip
        assert history.engine == engine
        found[engine] = [p.data for p in model.parameters()]
    assert found["compiled"] == pytest.approx(found["eager"], rel=1e-9)


# Without recording


def test_what_comes_out_is_a_plain_loop_and_can_be_differentiated_and_drawn():
    x = Value(0.5)
    s, ys = scan(lambda s, x: (s * x, s), x, [2.0, 3.0])
    s.backward()
    assert (s.data, x.grad, [getattr(y, "data", y) for y in ys]) == (3.0, 6.0, [0.5, 1.0])
    assert s.operation == "mul"


def test_ys_have_the_form_of_xs():
    assert scan(lambda s, x: (s + x[0], x), 0.0, ([1.0, 2.0], [3.0, 4.0])) == (3.0, ([1.0, 2.0], [3.0, 4.0]))
    assert scan(lambda s, x: (s + x["a"], x), 0.0, {"a": [1.0, 2.0]}) == (3.0, {"a": [1.0, 2.0]})
    assert scan(lambda s, x: (s + x[0], x), 0.0, [[1.0, 2.0], [3.0, 4.0]]) == (4.0, [[1.0, 2.0], [3.0, 4.0]])
    assert scan(lambda s, x: (s * 2.0, None), 1.0, length=3) == (8.0, None)
    assert scan(lambda s, x: (s, x), 1.0, np.array([[1.0], [2.0]])) == (1.0, [[1.0], [2.0]])
    assert stacked([Pair(1.0, 2.0)]) == Pair([1.0], [2.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "got neither: give the number of steps"),
        ((0.0, None, -1), "at least 0 as its length; got -1"),
        ((0.0, ([1.0], [1.0, 2.0])), "got lengths 1, 2: cut the longer"),
        ((0.0, [1.0], 2), "got lengths 1, 2"),
        ((0.0, 3.0), "takes a list or an array as xs"),
        ((0.0, "abc"), "takes a list or an array as xs"),
        (([0.0], [1.0]), "returned a number as its carry"),
    ],
)
def test_what_scan_refuses(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        scan(lambda s, x: (1.0, None), *arguments)


def test_a_step_that_returns_no_pair_is_refused():
    with pytest.raises(TypeError, match=r"returns a pair, \(carry, y\); got 1.0"):
        scan(lambda s, x: 1.0, 0.0, [1.0])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: scan(lambda s, x: ([s, s], None), a, [1.0])[0], "returned a list of 2 as its carry"),
        (lambda a: scan(lambda s, x: (s, None), a, [1.0, [2.0]])[0], "reads the same nesting in each step"),
        (lambda a: scan(lambda s, x: (s if s > x else x, None), a, [1.0])[0], "a branch on a recorded number"),
        (lambda a: scan(lambda s, x: ("no", None), a, [1.0])[0], "the carry of scan takes numbers"),
    ],
)
def test_what_is_refused_while_recording(function, message):
    with pytest.raises(TypeError, match=message):
        compile(function)(2.0)


@pytest.mark.parametrize("transform", [hessian, lambda f: derivative(f, order=3), lambda f: lambda x: hvp(f, x, 1.0)])
def test_derivatives_of_loops_inside_a_compiled_function(transform):
    def f(s):
        return scan(lambda s, x: (tanh(s * x) + s * s, None), s, [0.5, 1.5])[0]

    assert compile(transform(f))(0.3) == pytest.approx(transform(f)(0.3), rel=1e-12)


def test_a_graph_with_a_loop_has_no_derivative_as_a_graph():
    def f(a):
        from autograd.transforms.reverse import backward

        s, _ = scan(lambda s, x: (s * x, None), a * 1.0, [1.0, 2.0])
        backward(s, 1.0)
        return s

    with pytest.raises(RecordingError, match="recorded as one instruction, which has no derivative as a graph"):
        compile(f)(1.0)
