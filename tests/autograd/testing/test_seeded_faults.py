"""Do random expressions find the bugs that engines have, and shrink them to a few lines?

The bar: each of `FAULTS` is found within 500 examples and shrinks to at most 4 operations. For the numbers, and for
other seeds: `python -m tests.autograd.testing.test_seeded_faults 1 2 3 4 5`.
"""

import math
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis.errors import NoSuchExample

from autograd.ieee754 import floats, ieee
from autograd.operations import Operation
from autograd.rules import rules
from autograd.testing import Expression, expressions, gradcheck
from autograd.value import Value
from tests.sampling import every_second

from .faults import FAULTS

MOST_EXAMPLES, MOST_OPERATIONS = 500, 4
UNIT = Fraction(1, 2**53)
CAREFUL = rules(ieee)
REFERENCE = {name: Operation(rule, CAREFUL[name]) for name, rule in rules(floats).items()}  # faults do not touch these


class Reference:
    """A number of the reference engine: exact chain rule over rounded values and local derivatives."""

    def __init__(self, data: float, parents: list[tuple["Reference", float]]) -> None:
        self.data, self.parents = data, parents
        self.adjoint: Any = Fraction(0)
        self.size: Any = Fraction(0)  # the adjoint, computed with absolute values


def reference_of(expression: Expression) -> tuple[float, list[Reference], int]:
    """The value, the inputs with their exact adjoints, and the number of edges, by a plain loop over the operations."""
    nodes: list[Reference] = []

    def call(name: str, *operands: Any) -> Reference:
        numbers = [x.data if isinstance(x, Reference) else x for x in operands]
        out = REFERENCE[name].evaluate(numbers)
        derivatives = REFERENCE[name].differentiate(out, numbers, range(len(numbers)))
        pairs = zip(operands, derivatives, strict=True)
        nodes.append(Reference(out, [(x, d) for x, d in pairs if isinstance(x, Reference)]))
        return nodes[-1]

    inputs = [Reference(x, []) for x in expression.inputs]
    root = expression.evaluate(inputs, call)
    root.adjoint = root.size = Fraction(1)
    for node in reversed(nodes):
        for parent, derivative in node.parents:
            parent.adjoint += times(derivative, node.adjoint)
            parent.size += times(abs(derivative), node.size)
    return root.data, inputs, sum(len(node.parents) for node in nodes)


def times(derivative: float, adjoint: Any) -> Any:
    """The exact product, in which a factor of 0 makes 0 whatever the other is."""
    if derivative == 0.0 or adjoint == 0:
        return Fraction(0)
    if math.isfinite(derivative) and isinstance(adjoint, Fraction):
        return Fraction(derivative) * adjoint
    return derivative * float(adjoint)


def check_gradients(expression: Expression) -> None:
    """Holds the engine's value and gradients against the reference, after one backward, a second one, and a change of
    the inputs' data between forward and backward."""
    value, references, edges = reference_of(expression)
    xs = [Value(x) for x in expression.inputs]
    y = expression(*xs)
    assert y.data == value, f"the value is {y.data}, not {value}"
    for times_run in (1, 2):
        y.backward()
        compare(xs, references, times_run, edges)
    xs = [Value(x) for x in expression.inputs]
    y = expression(*xs)
    for x in xs:
        x.data = 17.0
    y.backward()
    compare(xs, references, 1, edges)


def compare(xs: list[Value], references: list[Reference], times_run: int, edges: int) -> None:
    """Each edge costs a product and an addition, each rounded once; the local derivatives are the same bit for bit."""
    for x, reference in zip(xs, references, strict=True):
        if not isinstance(reference.size, Fraction):
            continue  # an infinite slope that only a cancellation hides
        expected = times_run * reference.adjoint
        message = f"the gradient is {x.grad}, not {float(expected)}"
        assert math.isfinite(x.grad), message
        assert abs(Fraction(x.grad) - expected) <= 2 * times_run * (edges + 1) * UNIT * reference.size, message


def check_by_gradcheck(expression: Expression) -> None:
    gradcheck(expression, expression.inputs)


def find_fault(name: str, seed: int, check: Callable[[Expression], None] = check_gradients) -> tuple[int, Expression]:
    """The number of the first example that shows the fault, and what it shrinks to.

    Raises:
        NoSuchExample: it is not found within MOST_EXAMPLES.
    """
    tried, first = 0, 0

    def shows_it(expression: Expression) -> bool:
        nonlocal tried, first
        tried += 1
        try:
            check(expression)
        except AssertionError:
            first = first or tried
            return True
        return False

    chosen = settings(max_examples=MOST_EXAMPLES, database=None, deadline=None, phases=[Phase.generate, Phase.shrink])
    with FAULTS[name]():
        smallest = find(expressions(), shows_it, settings=chosen, random=random.Random(seed))
    return first, smallest


@pytest.mark.parametrize("name", every_second(FAULTS))
def test_a_fault_is_found_and_shrinks_to_a_few_operations(name: str) -> None:
    first, smallest = find_fault(name, seed=0)
    assert 1 <= first <= MOST_EXAMPLES
    assert len(smallest) <= MOST_OPERATIONS, smallest


# These compute another function, with its right gradient, or need the inputs' data to be changed on the way.
NOT_OF_ONE_GRAPH = {"derivative_from_current_data", *(name for name in FAULTS if name.startswith("operands_of"))}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS.keys() - NOT_OF_ONE_GRAPH)
def test_gradcheck_finds_the_faults_too(name: str) -> None:
    first, smallest = find_fault(name, seed=0, check=check_by_gradcheck)
    assert 1 <= first <= MOST_EXAMPLES
    assert len(smallest) <= MOST_OPERATIONS, smallest


@pytest.mark.parametrize("name", ["overwrite_instead_of_accumulate", "factor_lost_in_tanh"])
def test_gradcheck_finds_a_fault_and_it_shrinks_to_a_few_operations(name: str) -> None:
    first, smallest = find_fault(name, seed=0, check=check_by_gradcheck)
    assert 1 <= first <= MOST_EXAMPLES
    assert len(smallest) <= 2, smallest


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_the_engine_itself_has_none_of_them(expression: Expression) -> None:
    check_gradients(expression)


def measure(seeds: list[int]) -> None:
    """Prints, for each fault and seed, the number of the first example that shows it, and the shrunk expressions."""
    for name in FAULTS:
        found = []
        for seed in seeds:
            try:
                found.append(find_fault(name, seed))
            except NoSuchExample:
                print(f"{name} is not found with seed {seed}")
        firsts = " ".join(f"{first:4d}" for first, _ in found)
        print(f"{name:36s} {firsts}   {max(len(smallest) for _, smallest in found)} operations")
        print("    " + min((repr(smallest) for _, smallest in found), key=len).replace("\n", "; "))


if __name__ == "__main__":
    measure([int(seed) for seed in sys.argv[1:]] or [0])
