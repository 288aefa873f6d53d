"""Does a compiled graph give what the eager graph gives, for any number of examples, special ones among them?

`test_against_eager.py` compares operation by operation. Here whole graphs are run as they are laid out and fused, with
several outputs. The bound for an example is how far the eager engine is from itself where it rounds otherwise.
"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

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


class Case:
    """A random graph with some of its results as outputs, some of its leaves as parameters, and a batch of examples."""

    def __init__(self, expression, seed):
        rng = random.Random(seed)
        self.expression, self.leaves = expression, range(len(expression.inputs))
        leaves, results = recorded(expression, expression.inputs)
        self.outputs = [0, *rng.sample(range(len(results)), rng.randint(0, len(results)))]
        self.moved = sorted(rng.sample(self.leaves, rng.randint(0, len(leaves) - 1)))
        self.inputs = [k for k in self.leaves if k not in self.moved]
        self.rows = [[some_number(rng) for _ in self.inputs] for _ in range(rng.choice(LANES))]
        parameters = [leaves[k] for k in self.moved]
        self.program = compile([results[k] for k in self.outputs], [leaves[k] for k in self.inputs], parameters)

    def compiled(self):
        """For each example the outputs, and the first one's derivatives by the inputs; then those by the parameters."""
        _, by_inputs, by_parameters = self.program.value_and_grad(self.rows)
        return [*np.concatenate([self.program(self.rows), by_inputs], axis=1).tolist(), by_parameters.tolist()]

    def eager(self):
        """The same by the eager engine."""
        found, by_parameters = [], []
        for row in self.rows:
            numbers = list(self.expression.inputs)
            for k, x in zip(self.inputs, row, strict=True):
                numbers[k] = x
            leaves, results = recorded(self.expression, numbers)
            results[0].backward()
            found.append([results[k].data for k in self.outputs] + [float(leaves[k].grad) for k in self.inputs])
            by_parameters.append([float(leaves[k].grad) for k in self.moved])
        return [*found, [total(column) for column in zip(*by_parameters, strict=True)]]


def total(numbers):
    """Their sum; nan where it depends on the order whether it is finite."""
    return sum(numbers) if math.isfinite(sum(map(abs, numbers))) else math.nan


def check_graph(expression, seed):
    case = Case(expression, seed)
    computed, expected = case.compiled(), case.eager()
    computed[-1] = [x if y == y else math.nan for x, y in zip(computed[-1], expected[-1], strict=True)]
    spread = [[0.0] * len(row) for row in expected]
    for other in range(REPETITIONS):
        if all(all(map(are_near, *rows)) for rows in zip(computed, expected, spread, strict=True)):
            return
        with other_roundings(other):
            again = case.eager()
        spread = [
            [max(far, apart(x, y)) for far, x, y in zip(*rows, strict=True)]
            for rows in zip(spread, expected, again, strict=True)
        ]
    rows = zip([*case.rows, "the parameters"], computed, expected, spread, strict=True)
    wrong = [row for row in rows if not all(map(are_near, *row[1:]))]
    raise AssertionError(f"{expression!r}\noutputs {case.outputs}, parameters {case.moved}: {wrong}")


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
