"""Does a compiled graph give what the eager graph gives, for any number of examples, special ones among them?

`test_against_eager.py` compares operation by operation. Here whole graphs are run as they are laid out and fused, with
several outputs. The bound for an example is how far the eager engine is from itself where it rounds otherwise.
"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba")

from autograd import Value, compile
from autograd.operations import operations
from autograd.testing import expressions
from autograd.value import apply
from tests.autograd.compiler.test_against_eager import MOST_ULP, some_number, ulps
from tests.other_roundings import other_roundings

LANES = (1, 2, 3, 7, 8, 9, 64, 65, 130)
REPETITIONS = 40
MARGIN = 8.0  # how many times farther off than the farthest of the repetitions


def recorded(expression, row):
    """The inputs, and all results of the expression, the last one first."""
    leaves, results = [Value(x) for x in row], []

    def computed(name, *operands):
        results.append(apply(operations[name], *operands))
        return results[-1]

    expression.evaluate(leaves, computed)
    return leaves, [x for x in reversed(results) if isinstance(x, Value)]


def eager(expression, row, outputs):
    """What a program gives for an example: the outputs, then the derivatives of the first."""
    leaves, results = recorded(expression, row)
    results[0].backward()
    return [results[k].data for k in outputs] + [float(x.grad) for x in leaves]


def check_graph(expression, seed):
    rng = random.Random(seed)
    leaves, results = recorded(expression, expression.inputs)
    outputs = [0, *rng.sample(range(len(results)), rng.randint(0, len(results)))]
    program = compile([results[k] for k in outputs], leaves)
    rows = [[some_number(rng) for _ in leaves] for _ in range(rng.choice(LANES))]
    _, gradients, _ = program.value_and_grad(rows)
    for row, computed in zip(rows, np.concatenate([program(rows), gradients], axis=1).tolist(), strict=True):
        check_example(expression, row, outputs, computed)


def check_example(expression, row, outputs, computed):
    expected = eager(expression, row, outputs)
    spread = [0.0] * len(expected)
    for seed in range(REPETITIONS):
        if all(are_near(*numbers) for numbers in zip(computed, expected, spread, strict=True)):
            return
        with other_roundings(seed):
            again = eager(expression, row, outputs)
        spread = [max(far, apart(x, y)) for far, x, y in zip(spread, expected, again, strict=True)]
    raise AssertionError(f"{expression!r}\nat {row} with outputs {outputs}:\n{computed} compiled,\n{expected} eagerly")


def apart(x, y):
    """How far two numbers are apart; infinitely, if only one of them is finite."""
    return 0.0 if x == y or (x != x and y != y) else abs(x - y) if math.isfinite(x - y) else math.inf


def are_near(computed, expected, spread):
    return ulps(computed, expected) <= MOST_ULP or apart(computed, expected) <= MARGIN * spread


@settings(max_examples=60)
@given(expressions(), st.integers(0, 2**32))
def test_60_graphs(expression, seed):
    check_graph(expression, seed)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(expressions(max_nodes=30), st.integers(0, 2**32))
def test_3_000_graphs(expression, seed):
    check_graph(expression, seed)
