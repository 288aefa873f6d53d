"""How far from the truth are values and local derivatives, over the whole range of doubles?

Every operation is called by its public name on Values, and what the node holds is compared with `oracles.py`. A
derivative may be off by `rule.ulp_bound(number of operands)` ulp, of the largest of its terms where terms cancel.

`pytest -m slow tests/autograd/test_accuracy.py -s` looks at 10,000 points for every operation and prints the worst.
"""

import math
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import mpmath
import pytest

from autograd import Value
from autograd.operations import operations
from autograd.testing.oracles import Operands, Oracle, call, exact, oracles, ulp_error

EVERY_OPERATION = pytest.mark.parametrize("name", oracles)
WITH_INDEX = ("take", "softmax", "log_softmax")

HARD_POINTS: list[tuple[str, Operands]] = [
    # where the straightforward formula overflows, underflows or rounds on the way
    ("div", (1e-310, 3e-5)),
    ("div", (1e-120, 1e-200)),
    ("pow", (2.0**-1070, 1.95)),  # x**y is 0, x**(y/2) subnormal, the derivative 1e-306
    ("pow", (3e-323, 1.9)),
    ("pow", (2.0**-1074, 0.9)),
    ("pow", (5.56e-315, 1e-6)),  # y/x overflows, the derivative does not
    ("pow", (1e300, 1e-320)),
    ("pow", (-1e-200, 2.0)),
    ("pow", (-3.0, -650.0)),
    ("pow", (1.0 + 1e-9, -7.2e11)),
    ("pow", (1.001, -720_000.0)),
    ("pow", (2.0, 1024.0)),
    ("exp2", (-511.7,)),  # x - 1 is rounded
    ("exp2", (1024.3,)),
    ("tanh", (20.0,)),
    ("tanh", (372.5,)),
    ("sigmoid", (700.0,)),
    ("elu", (-740.0, 1e300)),
    ("elu", (-754.0, 4e69)),
    ("silu", (-745.1,)),
    ("silu", (-751.0,)),
    ("erf", (26.5,)),
    ("gelu", (-37.9,)),
    ("gelu_tanh", (-21.23,)),
    ("asin", (1.0 - 1e-12,)),
    ("log1p", (-1.0 + 1.2e-16,)),
    ("atan", (1e160,)),
    ("atan2", (1e-310, 3e-320)),
    ("hypot", (1.7e308, 1.7e308)),
    ("norm", (5e-324, 1e-323, 2e-323)),
    ("prod", (1e200, 1e200, 1e-300, 0.0)),
    ("prod", (5e-324, 1e308, 5e-324, 1e308)),
    ("mean", (1e308, 1e308, 1.5e308)),
    ("sum", (1e308, 1e308, -1e308)),
    ("softmax", (0.1, -700.3, -1.0 / 3.0, 0.0)),
    ("logsumexp", (1e5, 1e5 - 700.0)),
]


class Miss(NamedTuple):
    """One number of one node, and how many ulp it is off. `place` is the operand's, or "value"."""

    ulp: float
    place: int | str
    operands: Operands
    bound: int


def node_of(name: str, operands: Operands) -> tuple[Value, int]:
    """The operation on Values, and how many of its operands are Values (an index is a plain number)."""
    count = len(operands) - (name in WITH_INDEX)
    return call(name, *map(Value, operands[:count]), *operands[count:]), count


def misses_at(name: str, operands: Operands, error: float = 1.0) -> Iterator[Miss]:
    """How far the value and each local derivative, times `error`, are off at one point."""
    oracle, (node, count) = oracles[name], node_of(name, operands)
    scale = None if oracle.value_scale is None else exact(oracle.value_scale, operands)
    yield Miss(ulp_error(node.data, exact(oracle.value, operands), scale), "value", operands, oracle.value_bound)
    partials = exact(lambda *xs: list(oracle.partials(*xs)), operands)
    sizes = [None] * count if oracle.terms is None else exact(oracle.terms, operands)
    bound = operations[name].rule.ulp_bound(len(operands))
    for place, derivative in enumerate(node.local_derivatives):
        yield Miss(ulp_error(derivative * error, partials[place], sizes[place]), place, operands, bound)


def misses(name: str, points: int, seed: int = 1) -> Iterator[Miss]:
    rng = random.Random(f"{name} {seed}")
    for _ in range(points):
        yield from misses_at(name, oracles[name].draw(rng))


def worst(found: Iterator[Miss], nary: bool) -> list[Miss]:
    """The worst miss of the value and of each derivative (of all derivatives of an n-ary operation together)."""
    table: dict[int | str, Miss] = {}
    for miss in found:
        place = "all" if nary and miss.place != "value" else miss.place
        if place not in table or miss.ulp / miss.bound > table[place].ulp / table[place].bound:
            table[place] = miss._replace(place=place)
    return list(table.values())


def test_every_operation_has_an_oracle() -> None:
    assert set(oracles) == set(operations)


@EVERY_OPERATION
def test_values_and_derivatives_are_within_their_bounds(name: str) -> None:
    beyond = [miss for miss in misses(name, 500) if miss.ulp > miss.bound]
    assert not beyond, f"{len(beyond)} of them beyond the bound; the worst: {max(beyond)}"


@pytest.mark.parametrize(("name", "operands"), HARD_POINTS)
def test_hard_points_are_within_their_bounds(name: str, operands: Operands) -> None:
    assert all(miss.ulp <= miss.bound for miss in misses_at(name, operands))


@pytest.mark.slow
@EVERY_OPERATION
def test_ten_thousand_points_are_within_their_bounds(name: str) -> None:
    table = worst(misses(name, 10_000, seed=2), operations[name].nary)
    for miss in sorted(table, key=str):
        print(f"\n{name:14} {miss.place!s:6} {miss.ulp:8.2f} ulp of {miss.bound:3} at {miss.operands}", end="")
    assert all(miss.ulp <= miss.bound for miss in table), max(table)


@EVERY_OPERATION
def test_an_error_of_one_in_1e14_would_be_found(name: str) -> None:
    """The check can fail: it notices derivatives that are wrong in the 14th digit."""
    wrong = _sized_derivatives(name, error=1.0 + 1e-14)
    found = sum(miss.ulp > miss.bound for miss in wrong)
    assert found >= 0.9 * len(wrong)


def _sized_derivatives(name: str, error: float) -> list[Miss]:
    """At 40 points: derivatives that are normal numbers and not small beside the terms they are measured by."""
    found, rng = [], random.Random(name)
    for operands in (oracles[name].draw(rng) for _ in range(40)):
        node, _ = node_of(name, operands)
        _, *derivatives = misses_at(name, operands, error)
        sizes = _declared_sizes(name, node, operands)
        for miss, derivative, size in zip(derivatives, node.local_derivatives, sizes, strict=False):
            if 2.0**-1000 < abs(derivative) < math.inf and abs(derivative) >= size / 2.0:
                found.append(miss)
    return found


def _declared_sizes(name: str, node: Value, operands: Operands) -> list[float]:
    scale = operations[name].rule.scale
    return [0.0] * len(operands) if scale is None else list(scale(node.data, *operands))


@pytest.mark.parametrize("name", [name for name, oracle in oracles.items() if oracle.terms])
def test_the_declared_scale_is_the_largest_term(name: str) -> None:
    """Not a larger one, which would excuse any error."""
    rng = random.Random(name)
    for operands in (oracles[name].draw(rng) for _ in range(200)):
        declared = _declared_sizes(name, node_of(name, operands)[0], operands)
        for scale, size in zip(declared, exact(oracles[name].terms, operands), strict=True):
            assert ulp_error(scale, size) <= 12


def test_only_the_rules_with_cancelling_terms_declare_a_scale() -> None:
    declared = {name for name, operation in operations.items() if operation.rule.scale}
    assert declared == {name for name, oracle in oracles.items() if oracle.terms}


@pytest.mark.parametrize("name", [name for name in oracles if name not in WITH_INDEX])
def test_the_oracles_derivatives_are_those_of_their_values(name: str) -> None:
    """The closed forms of the table against numerical differentiation by mpmath, at moderate points."""
    rng, checked = random.Random(name), 0
    while checked < 15:
        operands = oracles[name].draw(rng)
        if all(1e-3 < abs(x) < 30.0 for x in operands) and not _at_a_step(name, operands):
            _compare_with_numerical_derivatives(oracles[name], operands)
            checked += 1


def _at_a_step(name: str, operands: Operands) -> bool:
    """Whether the operation has no derivative close to the operands, or none that differences can see."""
    if name in ("maximum", "minimum", "max", "min", "clip"):
        return len(set(operands)) < len(operands)
    if name in ("floor", "ceil", "round"):
        return (2.0 * operands[0]).is_integer()
    if name in ("floor_divide", "remainder"):
        return (operands[0] / operands[1]).is_integer()
    return name == "pow" and operands[0] < 0.0


def _compare_with_numerical_derivatives(oracle: Oracle, operands: Operands) -> None:
    with mpmath.workdps(60):
        xs: list[Any] = list(map(mpmath.mpf, operands))
        for place, claimed in enumerate(oracle.partials(*xs)):

            def along(x: Any, place: int = place) -> Any:
                return oracle.value(*xs[:place], x, *xs[place + 1 :])

            numerical = mpmath.diff(along, xs[place])
            assert abs(numerical - claimed) <= mpmath.mpf(10) ** -20 * max(1, abs(claimed), abs(oracle.value(*xs)))


def test_ulp_error_knows_the_edges_of_the_doubles() -> None:
    mpf, largest, smallest = mpmath.mpf, 1.7976931348623157e308, 5e-324
    assert ulp_error(1.0, mpf(1)) == 0.0
    assert ulp_error(1.0 + 2.0**-52, mpf(1)) == 1.0
    assert ulp_error(2.0 * smallest, mpf(smallest)) == 1.0
    assert ulp_error(0.0, mpf(2) ** -2000) < 1e-100
    assert ulp_error(math.inf, mpf(2) ** 2000) == 0.0
    assert ulp_error(math.inf, mpf(largest)) == 1.0
    assert ulp_error(largest, mpf(2) ** 1025) == 1.0
    assert ulp_error(-math.inf, mpf(2) ** 2000) > 1e15
    assert ulp_error(math.nan, mpmath.nan) == 0.0
    assert ulp_error(math.nan, mpf(1)) == math.inf
    assert ulp_error(1.0 + 2.0**-52, mpf(1), size=mpf(8)) == 1.0 / 8.0
