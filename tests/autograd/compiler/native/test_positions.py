"""Are the same weights at several positions of a sequence one matrix product, and is it still what the graph says?"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd import Value, compile, dot, exp, hypot, relu, tanh
from autograd.compiler.flat_graph import flatten
from tests.autograd.compiler.interpreter import Interpreter


def sequence(m, k, positions, step, bias, rng):
    """The same m dots of k weights at some positions, `step` inputs apart; all of it in one sum that tells them apart.

    Returns:
        the sum, all dots, the inputs and the parameters.
    """
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(k + step * (positions - 1))]
    weights = [[Value(rng.gauss(0.0, 1.0)) for _ in range(k)] for _ in range(m)]
    biases = [Value(rng.gauss(0.0, 1.0)) for _ in range(m)] if bias else [None] * m
    numbers = [tanh(x) for x in inputs]  # side by side, so that positions may overlap
    windows = [numbers[p * step : p * step + k] for p in range(positions)]
    dots = [dot(w, x) if b is None else dot(w, x, b) for x in windows for w, b in zip(weights, biases, strict=True)]
    total = tanh(dots[0])
    for y in dots[1:]:
        total = total * 0.75 + tanh(y)
    parameters = [x for row in weights for x in row] + [b for b in biases if b is not None]
    return total, dots, inputs, parameters


def assert_program_is_right(program, output, inputs, examples, rng, rows=None):
    """Holds value and derivatives of a program against those of the interpreter, which goes example by example."""
    rows = rows or [[rng.gauss(0.0, 1.0) for _ in inputs] for _ in range(examples)]
    leaves = np.array([p.data for p in program.parameters])
    expected_by_inputs = np.empty((examples, len(inputs)))
    backend = Interpreter(flatten([output], inputs, program.parameters))
    expected = backend.run(np.array(rows), leaves, by_inputs=expected_by_inputs)
    value, by_inputs, by_parameters = program.value_and_grad(np.array(rows))
    tolerance = {"rtol": 1e-11, "atol": 1e-11}
    np.testing.assert_allclose(value, expected[0][:, 0], **tolerance)
    np.testing.assert_allclose(by_inputs, expected_by_inputs, **tolerance)
    np.testing.assert_allclose(by_parameters, expected[1], **tolerance)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 19), st.integers(1, 19), st.integers(2, 11), st.data(), st.booleans(), st.sampled_from([1, 3, 17])
)
def test_positions_of_every_number_and_distance(m, k, positions, data, bias, examples):
    step, rng = data.draw(st.integers(1, k + 3)), random.Random(data.draw(st.integers(0, 2**32)))
    output, _, inputs, parameters = sequence(m, k, positions, step, bias, rng)
    program = compile(output, inputs, parameters=parameters)
    assert f"weights at {positions} positions run" in str(program)
    assert_program_is_right(program, output, inputs, examples, rng)
    assert_program_is_right(program, output, inputs, 1, rng)  # after many examples: with memory that has served


def attention(positions, width, heads, rng):
    """A causal attention: products of computed rows, and weighted sums of computed rows.

    Weights and numbers are small, so that exponentials stay near 1: with large ones the sums cancel in any order.
    """
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(positions * width)]
    weights = [[Value(rng.gauss(0.0, 1.0 / width)) for _ in range(width)] for _ in range(3 * width)]
    size, mixed = width // heads, []
    rows = [[dot(w, inputs[p * width : (p + 1) * width]) for w in weights] for p in range(positions)]
    for t, row in enumerate(rows):
        for h in range(0, width, size):
            scores = [exp(dot(row[h : h + size], x[width + h : width + h + size]) * 0.25) for x in rows[: t + 1]]
            mixed += [dot(scores, [x[2 * width + h + j] for x in rows[: t + 1]]) for j in range(size)]
    total = tanh(mixed[0])
    for y in mixed[1:]:
        total = total * 0.75 + tanh(y * 0.125)
    return total, inputs, [x for row in weights for x in row]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 11), st.integers(1, 3), st.sampled_from([1, 2, 17]), st.integers(0, 2**32))
def test_products_of_computed_rows(positions, size, heads, examples, seed):
    rng = random.Random(seed)
    output, inputs, parameters = attention(positions, size * heads, heads, rng)
    program = compile(output, inputs, parameters=parameters)
    assert_program_is_right(program, output, inputs, examples, rng)
    assert_program_is_right(program, output, inputs, 1, rng)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 9]), st.integers(0, 2**32))
def test_dots_of_numbers_at_any_distance(data, examples, seed):
    """Runs with steps of any size and sign, that overlap, and that are broken here and there; beside plain numbers."""
    rng = random.Random(seed)
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(24)]
    numbers, dots = [tanh(x) for x in inputs] + [Value(rng.gauss(0.0, 1.0)) for _ in range(6)], []
    place = st.integers(0, len(numbers) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        k, count = data.draw(st.integers(2, 5)), data.draw(st.integers(1, 10))
        starts, steps, nexts = (
            data.draw(st.tuples(some, some)) for some in (place, st.integers(-2, 3), st.integers(-1, 3))
        )
        for r in range(count):
            sides = [[starts[x] + r * nexts[x] + j * steps[x] for j in range(k)] for x in (0, 1)]
            dots.append(dot(*([numbers[i % len(numbers)] for i in side] for side in sides)))
    total = tanh(dots[0])
    for y in dots[1:]:
        total = total * 0.75 + tanh(y)
    program = compile(total, inputs)
    assert_program_is_right(program, total, inputs, examples, rng)
    assert_program_is_right(program, total, inputs, 1, rng)


def test_the_loss_of_each_length_is_computed_by_a_prefix_of_the_positions():
    rng = random.Random(0)
    _, dots, inputs, parameters = sequence(5, 6, 7, 6, True, rng)
    losses = [dot([tanh(y) for y in dots[: 5 * n]], [0.5 + k for k in range(5 * n)]) for n in range(1, 8)]
    program = compile(losses, inputs, parameters=parameters)
    for n, loss in enumerate(losses):
        alone = compile(loss, inputs, parameters=parameters)
        for examples in (1, 9):
            rows = [[rng.gauss(0.0, 1.0) for _ in inputs] for _ in range(examples)]
            for found, expected in zip(program.value_and_grad(rows, output=n), alone.value_and_grad(rows), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("examples", [1, 8])
@pytest.mark.parametrize("special", [math.inf, math.nan])
def test_a_zero_factor_gives_zero_at_every_position_too(special, examples):
    """relu is 0 where a position reads an infinity, so that nothing comes back from there."""
    inputs = [Value(0.5 + k) for k in range(5 * 2)]
    weights = [[Value(-1.0), Value(-1.0)], [Value(-2.0), Value(0.5)]]
    total = sum(tanh(relu(dot(w, inputs[2 * p : 2 * p + 2]))) for p in range(5) for w in weights)
    program = compile(total, inputs, parameters=[w for row in weights for w in row])
    assert "2 dots of 2 weights at 5 positions run" in str(program)
    row = [-0.25 * k for k in range(10)]
    row[4] = special
    assert_program_is_right(program, total, inputs, examples, random.Random(0), [row] * examples)
    if special == math.inf:
        assert np.isfinite(program.value_and_grad([row] * examples)[2]).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.sampled_from("xy"), st.booleans()), min_size=1, max_size=5),
    st.sampled_from([1, 2, 9]),
    st.integers(0, 2**32),
)
def test_rows_that_all_read_the_same_number(rows, examples, seed):
    """As in x / sum(x): the number may be the first operand or the second, one of the rows itself, or a parameter."""
    rng = random.Random(seed)
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(20)]
    numbers, weight, found = [exp(x * 0.5) for x in inputs], Value(rng.random() + 0.5), []
    for k, (count, side, is_own) in enumerate(rows):
        all_read = numbers[k] if is_own else exp(inputs[k] * weight)
        row = numbers[:count]
        found += [x / all_read if side == "x" else all_read / x for x in row]
        found += [hypot(x, all_read) if side == "x" else hypot(all_read, x) for x in row]
    total = tanh(found[0])
    for y in found[1:]:
        total = total * 0.75 + tanh(y)
    program = compile(total, inputs)
    assert_program_is_right(program, total, inputs, examples, rng)
    assert_program_is_right(program, total, inputs, 1, rng)
