"""Are the same weights at several positions of a sequence one matrix product, and is it still what the graph says?"""

import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd import Value, compile, dot, tanh
from autograd.compiler.flat_graph import flatten
from autograd.compiler.interpreter import Interpreter


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
