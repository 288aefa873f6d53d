"""Does compiled code compute what the eager engine computes, operation by operation and for whole graphs?

Every operation of a random graph is compared on the operands that the eager engine had: so errors cannot pile up, and a
few units in the last place are all that the elementary functions of C may differ by.
"""

import math
import random
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd import Value, tanh
from autograd.compiler import compile
from autograd.compiler.flat_graph import flatten
from autograd.ieee754 import Real
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.testing import WrongGradientError, check_gradient, expressions, gradcheck
from autograd.value import apply
from tests.autograd.compiler.interpreter import Interpreter

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 1e-300, 5e-324, 1e308, -1e308, 710.0, -745.0]
SPECIAL += [math.inf, -math.inf, math.nan]
MOST_ULP = 5
"""Each engine is within 4 of the truth. In 4 of 300,000 derivatives of erf they are more than 4 apart."""
U = 2.0**-53


def some_number(rng):
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(SPECIAL)
    return rng.gauss(0.0, 2.0) * (10.0 ** rng.randint(-9, 9) if kind > 0.8 else 1.0)


def ulps(computed, expected, scale=0.0):
    """How far two numbers are apart, in units in the last place of the larger of `expected` and `scale`."""
    if math.isnan(computed) or math.isnan(expected):
        return 0.0 if math.isnan(computed) and math.isnan(expected) else math.inf
    if computed == expected:
        return 0.0
    if math.isinf(computed) or math.isinf(expected):
        return math.inf
    return abs(computed - expected) / math.ulp(max(abs(expected), scale))


def check_operation(operation, rows):
    """The compiled operation at each row of operands against the eager one."""
    leaves = [Value(x) for x in rows[0]]
    program = compile(apply(operation, *leaves), leaves)
    values, gradients, _ = program.value_and_grad(rows)
    for row, value, gradient in zip(rows, values.tolist(), gradients.tolist(), strict=True):
        out = operation.evaluate(row)
        if operation.name == "dot":
            n = len(row) // 2
            size = sum(abs(w * x) for w, x in zip(row[:n], row[n:], strict=False)) + sum(map(abs, row[2 * n :]))
            if math.isfinite(size) and math.isfinite(out):
                assert abs(value - out) <= len(row) * U * size, (operation, row)
            else:
                assert math.isfinite(value) == math.isfinite(out), (operation, row)
        else:  # the largest operand and a logarithm make a logsumexp, and may cancel
            sizes = [abs(x) for x in row if math.isfinite(x)] if operation.name == "logsumexp" else []
            assert ulps(value, out, max(sizes, default=0.0)) <= MOST_ULP, (operation, row, value, out)
        derivatives = operation.differentiate(out, row, range(len(row)))
        scales = [0.0] * len(row)
        if operation.careful.scale is not None:
            scales = [abs(float(x)) for x in operation.careful.scale(Real(out), *map(Real, row))]
        for computed, expected, scale in zip(gradient, derivatives, scales, strict=True):
            assert ulps(computed, expected, scale if math.isfinite(scale) else 0.0) <= MOST_ULP, (operation, row)


def collect(expression, rng, lanes, found):
    """Adds the operands of every operation of the graph, at its own point and at random ones."""

    def computed(name, *operands):
        operation = operations[name]
        numbers = [float(x) for x in operands]
        if name in WITH_INDEX:  # an index out of range is an error, not a number
            count = len(numbers) - 1
            numbers[-1] = float(math.floor(numbers[-1]) % count) if math.isfinite(numbers[-1]) else 0.0
        found[operation, len(numbers)].append(numbers)
        return operation.evaluate(numbers)

    for lane in range(lanes):
        point = expression.inputs if not lane else [some_number(rng) for _ in expression.inputs]
        expression.evaluate(point, computed)


def graphs_against_eager(max_examples, lanes):
    found = defaultdict(list)

    @settings(max_examples=max_examples, database=None)
    @given(expressions(), st.integers(0, 2**32))
    def run(expression, seed):
        collect(expression, random.Random(seed), lanes, found)

    run()
    for (operation, _), rows in found.items():
        check_operation(operation, rows)
    return found


def test_every_operation_of_300_random_graphs_gives_the_same_for_64_examples():
    found = graphs_against_eager(300, 64)
    assert sum(map(len, found.values())) > 50_000


@pytest.mark.slow
def test_every_operation_of_10_000_random_graphs_gives_the_same_for_64_examples():
    graphs_against_eager(10_000, 64)


@pytest.mark.parametrize("name", operations)
def test_every_operation_at_special_points(name):
    rng, operation = random.Random(name), operations[name]
    counts = (1, 2, 3, 5) if operation.nary else (len(operation.derivatives),)
    for count in counts:
        count += name == "dot"
        rows = [
            [rng.choice(SPECIAL) if rng.random() < 0.7 else some_number(rng) for _ in range(count)] for _ in range(300)
        ]
        if name in WITH_INDEX:
            rows = [[*row, float(rng.randint(-count, count - 1))] for row in rows]
        check_operation(operation, rows)


@settings(max_examples=60)
@given(expressions(smooth=True))
def test_the_gradient_of_a_program_is_what_finite_differences_say(expression):
    leaves = [Value(x) for x in expression.inputs]
    program = compile(expression(*leaves), leaves)
    check_gradient(lambda x: program(x)[0], lambda x: program.value_and_grad(x)[1].tolist(), list(expression.inputs))


@settings(max_examples=40)
@given(expressions())
def test_gradcheck_holds_compiled_code_against_finite_differences(expression):
    gradcheck(compile(expression), expression.inputs)


def test_gradcheck_finds_what_is_wrong_in_compiled_code(monkeypatch):
    f = compile(lambda x, y: tanh(x * y))
    assert "passed" in str(gradcheck(f, (0.5, 1.0)))
    monkeypatch.setattr(type(f), "value_and_grad", lambda self, x, y: (math.tanh(x * y), (0.8, 0.4)))
    with pytest.raises(WrongGradientError, match=r"compiled code gives 0\.8"):
        gradcheck(f, (0.5, 1.0))


EXACT = ["add", "sub", "mul", "neg", "abs", "relu", "maximum", "minimum", "dot", "where", "sum", "max", "clip"]


@settings(max_examples=100)
@given(expressions(operations=EXACT, max_nodes=20), st.integers(0, 2**32))
def test_graphs_of_whole_numbers_give_the_same_bits(expression, seed):
    """No rounding anywhere: every wire of the program must be where it is in the graph."""
    rng, count = random.Random(seed), len(expression.inputs)
    leaves = [Value(x) for x in expression.inputs]
    program = compile(expression(*leaves), leaves)
    rows = [[float(rng.randint(-3, 3)) for _ in range(count)] for _ in range(130)]
    results = []
    for row in rows:
        xs = [Value(x) for x in row]
        y = expression(*xs)
        y.backward()
        results.append((y.data, [x.grad for x in xs]))
    values, gradients, by_parameters = program.value_and_grad(rows)
    assert values.tolist() == [value for value, _ in results]
    if not any(name in {"maximum", "minimum", "max", "dot"} for name in expression.operations):  # ties share 1/3
        assert gradients.tolist() == [gradient for _, gradient in results]
    assert gradients.tolist() == [pytest.approx(gradient, rel=1e-12, abs=1e-12) for _, gradient in results]
    assert by_parameters.tolist() == []
    assert program(rows)[:, 0].tolist() == values.tolist()


@settings(max_examples=100)
@given(expressions(operations=EXACT, max_nodes=20), st.integers(0, 2**32))
def test_parameters_in_any_order_get_the_gradients_of_the_eager_engine(expression, seed):
    rng = random.Random(seed)
    leaves = [Value(float(rng.randint(-3, 3))) for _ in expression.inputs]
    parameters = rng.sample(leaves, rng.randint(0, len(leaves)))
    inputs = [x for x in leaves if x not in parameters]
    parameters.insert(rng.randint(0, len(parameters)), Value(2.0))  # the graph does not use this one
    y = expression(*leaves)
    y.backward()
    program = compile(y, inputs, parameters=parameters)
    assert program.parameters == parameters
    rows = np.array([[x.data for x in inputs]] * 3)
    _, by_inputs, by_parameters = program.value_and_grad(rows)
    expected = pytest.approx([3.0 * p.grad for p in parameters], rel=1e-12, abs=1e-12)
    assert by_inputs.tolist() == [pytest.approx([x.grad for x in inputs], rel=1e-12, abs=1e-12)] * 3
    assert by_parameters.tolist() == expected
    numbers = np.array([p.data for p in parameters])
    assert Interpreter(flatten([y], inputs, parameters)).run(rows, numbers)[1].tolist() == expected
