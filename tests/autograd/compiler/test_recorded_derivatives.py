"""Is a derivative that is taken inside a compiled function right for all numbers, and not only for those of one call?

The eager engine lets each rule decide by the number of the moment. Here every compiled derivative is called at points
where the rules decide otherwise than at the point of the recording.
"""

import math
import random
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

pytest.importorskip("llvmlite")

import autograd
from autograd import (
    Value,
    compile,
    derivative,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    norm,
    operation,
    relu,
    sin,
    softmax,
    sqrt,
    take,
    tanh,
    value_and_grad,
    vjp,
    where,
)
from autograd.operations import operations
from autograd.recorded_operations import RECORDED
from autograd.rules import WITH_INDEX
from autograd.testing import expressions
from autograd.testing.truth.special_points import TABLE
from autograd.value import apply, data_of
from nn import MLP
from tests.autograd.compiler.interpreter import Interpreter
from tests.autograd.compiler.test_against_eager import MOST_ULP, SPECIAL, some_number, ulps

inf, nan = math.inf, math.nan


def rows_for(name: str, count: int, examples: int) -> list[list[float]]:
    """Operands: special ones, random ones, and those of the table of special points."""
    rng = random.Random(name)
    rows = [
        [rng.choice(SPECIAL) if rng.random() < 0.7 else some_number(rng) for _ in range(count)] for _ in range(examples)
    ]
    if name in WITH_INDEX:
        rows = [[*row[:-1], float(rng.randint(1 - count, count - 2))] for row in rows]
    return rows + [list(row.operands) for row in TABLE if row.operation == name and len(row.operands) == count]


def counts_of(name: str) -> tuple[int, ...]:
    """How many operands the operation is tried with."""
    if not operations[name].nary:
        return (len(operations[name].derivatives),)
    return (3, 4) if name in WITH_INDEX else (1, 2, 3) if name != "dot" else (2, 3, 5)


@pytest.mark.parametrize("name", operations)
def test_the_compiled_gradient_of_every_operation_is_the_eager_one(name: str) -> None:
    for count in counts_of(name):
        gradient = grad(partial(apply, operations[name]), argnums=tuple(range(count - (name in WITH_INDEX))))
        compiled = compile(lambda *xs, gradient=gradient: list(gradient(*xs)))
        for row in rows_for(name, count, 100):
            for computed, expected in zip(compiled(*row), gradient(*row), strict=True):
                assert ulps(computed, data_of(expected)) <= MOST_ULP, (row, computed, expected)


@pytest.mark.parametrize("name", operations)
def test_the_compiled_hessian_of_every_operation_is_the_eager_one(name: str) -> None:
    """Where second derivatives cancel, the largest of them is the measure."""
    for count in counts_of(name)[-1:]:
        second = hessian(partial(apply, operations[name]), argnums=tuple(range(count - (name in WITH_INDEX))))
        compiled = compile(lambda *xs, second=second: second(*xs))
        for row in rows_for(name, count, 40):
            rows = second(*map(Value, row))
            expected = [data_of(x) for line in rows for x in line]
            size = max((abs(x) for x in expected if math.isfinite(x)), default=0.0)
            computed = [x for line in compiled(*row) for x in line]
            assert computed == pytest.approx(expected, rel=1e-12, abs=1e-12 * size, nan_ok=True), row


FUNCTIONS: dict[str, Any] = {
    "a power": lambda x: x**3,
    "a quotient": lambda x: 1.0 / x,
    "log": log,
    "tanh": tanh,
    "min": lambda x: autograd.min([x, x * x, 2.0]),
    "relu times x": lambda x: relu(x) * x,
    "where hides a pole": lambda x: where(x > 0, log(x), 0.0),
    "where hides nan": lambda x: where(x > 0, sqrt(x), x * x),
    "the root of a square": lambda x: sqrt(x * x),
    "the power of a power": lambda x: (x**2) ** 0.5,
    "a norm": lambda x: norm([x, 2.0 * x]),
    "take": lambda x: take([x, x * x, x**3], where(x > 0, 1.0, 2.0)),
    "softmax": lambda x: softmax([x, x * x, 1.0])[0],
    "clip": lambda x: autograd.clip(x, -1.0, 1.0) ** 2,
    "composed": lambda x: exp(sin(x)) * x,
}


def same(x: float, y: float) -> bool:
    """Terms of the size of 1 cancel in some of these derivatives."""
    return (math.isnan(x) and math.isnan(y)) or x == y or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_higher_derivatives_by_every_route(name: str, order: int) -> None:
    f = FUNCTIONS[name]
    nested = f
    for _ in range(order):
        nested = grad(nested)
    routes = [compile(nested), compile(derivative(f, order=order))]
    if order == 2:
        routes += [compile(hessian(f)), compile(lambda x: hvp(f, x, 1.0)), compile(jacobian(jacobian(f)))]
        routes += [compile(lambda x: jvp(grad(f), (x,), (1.0,))[1]), compile(lambda x: vjp(grad(f), (x,))[1](1.0)[0])]
    for x in (0.5, -1.5, 0.0, 3.0, -0.0):
        for route in routes:
            assert same(route(x), nested(x)), (x, route(x), nested(x))


def test_the_derivative_of_a_compiled_derivative_is_right_too() -> None:
    for f in (FUNCTIONS["a power"], FUNCTIONS["tanh"], FUNCTIONS["where hides a pole"]):
        compiled = compile(grad(f))
        for x in (0.5, -1.5, 0.0, 3.0):
            assert same(compiled.value_and_grad(x)[1][0], grad(grad(f))(x))


class TestTheZeroFactorRule:
    """It is decided anew in every run (the numbers below are never those of the recording)."""

    def test_a_factor_of_0_beside_one_that_is_not_finite_gives_0(self) -> None:
        compiled = compile(lambda a, b: grad(lambda t: (t * t) * b)(a))
        assert compiled(1.0, 2.0) == 4.0
        assert (compiled(inf, 0.0), compiled(-inf, -0.0), compiled(nan, 0.0)) == (0.0, 0.0, 0.0)
        assert compiled(inf, 2.0) == inf
        assert math.isnan(compiled(nan, 1.0))

    def test_a_factor_that_is_0_today_keeps_its_history(self) -> None:
        second = compile(hessian(lambda v: v[0] * v[0] * v[1]))
        assert second([1.0, 1.0]) == [[2.0, 2.0], [2.0, 0.0]]
        assert second([3.0, 0.0]) == [[0.0, 6.0], [6.0, 0.0]]

    def test_the_side_of_a_where_that_was_not_chosen_passes_nothing_on(self) -> None:
        second = compile(grad(grad(lambda x: where(x > 0, log(x), x * x))))
        assert [second(x) for x in (2.0, 0.0, -1.0)] == [-0.25, 2.0, 2.0]

    @given(*[st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e-300, 1e300, inf, -inf, nan])] * 2)
    @example(inf, 0.0)
    def test_the_recorded_operations_are_products_but_for_that(self, x: float, y: float) -> None:
        vanishes = (x == 0.0 and not math.isfinite(y)) or (y == 0.0 and not math.isfinite(x))
        a, b = Value(x), Value(y)
        product = apply(RECORDED["strong_product"], a, b)
        assert repr(product.data) == repr(0.0 if vanishes else x * y)
        product.backward()
        if not vanishes:
            assert (repr(a.grad), repr(b.grad)) == (repr(y + 0.0), repr(x + 0.0)) or 0.0 in (x, y)
        else:
            assert (a.grad, b.grad) == (0.0, 0.0)
        assert repr(apply(RECORDED["strong_factor"], x, y)) == repr(0.0 if x == 0.0 and not math.isfinite(y) else y)


class TestWholeGraphs:
    @settings(max_examples=60)
    @given(expressions(), st.integers(0, 2**32))
    def test_hessian_vector_products_of_random_graphs(self, expression: Any, seed: int) -> None:
        rng = random.Random(seed)
        direction = [rng.gauss(0.0, 1.0) for _ in expression.inputs]
        compiled = compile(lambda xs: hvp(lambda xs: expression(*xs), xs, direction))
        for moved in (0.0, 0.5):
            point = [x + rng.gauss(0.0, moved) for x in expression.inputs]
            expected = [x.data for x in hvp(lambda xs: expression(*xs), [Value(x) for x in point], direction)]
            size = max((abs(x) for x in expected if math.isfinite(x)), default=0.0)
            assert compiled(point) == pytest.approx(expected, rel=1e-12, abs=1e-12 * size, nan_ok=True)

    @pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu", "silu", "softplus"])
    def test_a_loss_with_a_gradient_penalty(self, activation: str) -> None:
        """As in WGAN-GP: the slope of the network by its inputs is a part of what is minimised."""
        model = MLP(3, [5, 4, 1], activation=activation, rng=random.Random(0))

        def loss(xs: Any) -> Any:
            value, slope = value_and_grad(model)(xs)
            return value * value + (norm(slope) - 1.0) ** 2

        program = compile(loss, parameters=model.parameters())
        rng = random.Random(1)
        points = [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(20)]
        assert program(points[0]) == pytest.approx(loss([Value(x) for x in points[0]]).data, rel=1e-12)
        values, by_inputs, by_parameters = program.program.value_and_grad(points)
        model.zero_grad()
        for point, value, gradient in zip(points, values, by_inputs, strict=True):
            inputs = [Value(x) for x in point]
            eager = loss(inputs)
            eager.backward()
            assert value == pytest.approx(eager.data, rel=1e-12)
            assert gradient.tolist() == pytest.approx([x.grad for x in inputs], rel=1e-12, abs=1e-12)
        expected = [p.grad for p in model.parameters()]
        assert by_parameters.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12 * max(map(abs, expected)))

    def test_ordinary_gradients_have_no_larger_graph(self) -> None:
        program = compile(lambda w, x: tanh(dot(w, x)))
        program([1.0, 2.0], [3.0, 4.0])
        assert repr(program.program) == "Program(4 inputs, 0 parameters, 2 instructions)"


class TestNumbersThatDependOnNothing:
    """They are constants of the program, and no parameters that an optimiser would move."""

    def test_the_argument_of_an_inner_derivative(self) -> None:
        f = compile(lambda x: x * grad(lambda y: x * y * y)(3.0), parameters=[])
        assert f(2.0) == 24.0
        assert f.program.parameters == []

    def test_a_derivative_that_is_the_same_everywhere(self) -> None:
        f = compile(grad(lambda v: 3.0 * v[0] - v[1]), parameters=[])
        assert (f([1.0, 2.0]), f([5.0, 6.0])) == ([3.0, -1.0], [3.0, -1.0])

    def test_what_the_function_reads_elsewhere_is_a_parameter_still(self) -> None:
        w = Value(2.0)
        f = compile(grad(lambda x: tanh(w * x)))
        for number in (2.0, -1.0, 0.0):
            w.data = number
            assert f(0.5) == pytest.approx(number / math.cosh(0.5 * number) ** 2, rel=1e-14)
        assert f.program.parameters == [w]


@operation
def steep(m: Any) -> Any:
    """One's own, whose derivative branches."""
    return lambda x: m.exp(x) if x > 0 else 1.0 + x, lambda out, x: out if x > 0 else 1.0


@operation
def squares(m: Any) -> Any:
    """One's own, of any number of operands."""
    return lambda *xs: m.sum([x * x for x in xs]), lambda out, *xs: [2.0 * x for x in xs]


class TestOperationsOfOnesOwn:
    def test_their_derivatives_are_recorded(self) -> None:
        f = grad(lambda x: steep(x) * x)
        for _ in range(3):
            compiled = compile(f)
            assert [compiled(x) for x in (1.0, -1.0, 0.0)] == pytest.approx([f(x) for x in (1.0, -1.0, 0.0)], rel=1e-14)
            f = grad(f)
        assert compile(hessian(lambda v: squares(*v)))([1.0, 2.0]) == [[2.0, 0.0], [0.0, 2.0]]

    def test_those_over_floats_have_no_second_derivative(self) -> None:
        halve = operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
        with pytest.raises(
            TypeError, match="halve was given over floats only, so that its derivative has no derivative"
        ):
            compile(grad(lambda x: halve(x) * x))(1.0)


def test_the_interpreter_computes_the_same() -> None:
    f = compile(hessian(lambda v: tanh(v[0]) ** 3 * autograd.max([v[1], v[0]]) / v[1]))
    for point in ([0.5, 2.0], [-1.0, 1.0], [1.0, -1.0]):
        native = [x for row in f(point) for x in row]
        graph = f.program._graph
        interpreted, _ = Interpreter(graph).run(np.array([point]), np.zeros(0), gradient=False)
        assert native == pytest.approx(interpreted[0].tolist(), rel=1e-12)


def test_a_sum_whose_partial_sums_overflow() -> None:
    assert compile(lambda a, b, c: autograd.sum([a, b, c]))(1.7e308, 1.7e308, -1.7e308) == 1.7e308
