"""Does NumPy compute every operation and its derivatives as the eager engine does, special points included?"""

import math
import random

import numpy as np
import pytest

from autograd import Value
from autograd.compiler.flat_graph import flatten
from autograd.compiler.vectorised import ProgramBackend
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.value import apply

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300, 5e-324, -5e-324]
SPECIAL += [1e-8, 20.0, -20.0, 709.5, 710.5, -745.0, 36.7, -36.7, 1e16]


def number(rng):
    """Any number: a special one, or one of usual or unusual size."""
    if rng.random() < 0.3:
        return rng.choice(SPECIAL)
    return rng.choice(
        [rng.gauss(0.0, 1.0), rng.gauss(0.0, 10.0), math.copysign(math.exp(rng.uniform(-40, 40)), rng.gauss(0.0, 1.0))]
    )


def ulps(found, expected, scale=0.0):
    """How many units in the last place of the expected number, or of a larger scale, lie between two numbers."""
    if found == expected or (math.isnan(found) and math.isnan(expected)):
        return 0.0
    if not (math.isfinite(found) and math.isfinite(expected)):
        return math.inf
    return abs(found - expected) / math.ulp(max(abs(expected), scale))


def check(name, count, examples, seed):
    """Holds an operation of so many operands against the eager one, for many examples side by side."""
    operation, rng = operations[name], random.Random(seed)
    rows = np.array([[number(rng) for _ in range(count)] for _ in range(examples)])
    inputs = [Value(1.0) for _ in range(count)]
    if name in WITH_INDEX:
        inputs[-1] = Value(0.0)
        rows[:, -1] = [rng.randrange(1 - count, count - 1) for _ in rows]
    by_inputs = np.empty(rows.shape)
    backend = ProgramBackend(flatten([apply(operation, *inputs)], inputs))
    values, _ = backend.run(rows, np.zeros(0), by_inputs=by_inputs)
    # Both may err by as much as the contract allows the eager one.
    bound = 2.0 * operation.rule.ulp_bound(count)
    for row, value, derivatives in zip(rows.tolist(), values[:, 0].tolist(), by_inputs.tolist(), strict=True):
        expected = operation.evaluate(row)
        products = [abs(x * y) for x, y in zip(row, row[count // 2 :], strict=False)] if name == "dot" else []
        terms = [*products, abs(max(row)) if name == "logsumexp" else 0.0]  # of a sum that may cancel
        size = max((x for x in terms if x < math.inf), default=0.0)
        assert ulps(value, expected, size) <= bound, (row, value, expected)
        scales = operation.rule.scale(expected, *row) if operation.rule.scale else [0.0] * count
        for k, right in enumerate(operation.differentiate(expected, row, range(count))):
            assert ulps(derivatives[k], right, scales[k]) <= bound, (row, k, derivatives[k], right)


def counts(name):
    if not operations[name].nary:
        return [len(operations[name].derivatives)]
    return [2, 3, 6] if name in WITH_INDEX else [1, 2, 3, 6]


CASES = [(name, count) for name in operations for count in counts(name)]


@pytest.mark.parametrize(("name", "count"), CASES)
def test_an_operation_is_what_it_is_in_python(name, count):
    check(name, count, 60, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), CASES)
def test_an_operation_is_what_it_is_in_python_at_10_000_points(name, count):
    check(name, count, 10_000, seed=1)
