"""How far from the truth are values and local derivatives, over the whole range of doubles?

Every operation is called by its public name on Values, and what the node holds is judged as `check_rule` judges a
rule: by `oracles.py`. A derivative may be off by `rule.ulp_bound(number of operands)` ulp, of the largest of its
terms where terms cancel.

`pytest -m slow tests/autograd/test_accuracy.py -s` looks at 10,000 points for every operation and prints the worst.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

import mpmath
import pytest

from autograd import Value
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.testing.truth.oracles import (
    VANISHING,
    Operands,
    Oracle,
    call,
    exact,
    one_sided_derivatives,
    oracles,
    ulp_error,
)
from autograd.testing.truth.rule_checks import Miss, local_misses, value_misses

EVERY_OPERATION = pytest.mark.parametrize("name", oracles)

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


def node_of(name: str, operands: Operands) -> tuple[Value, int]:
    """The operation on Values, and how many of its operands are Values (an index is a plain number)."""
    count = len(operands) - (name in WITH_INDEX)
    return call(name, *map(Value, operands[:count]), *operands[count:]), count


def misses_at(name: str, operands: Operands, error: float = 1.0) -> Iterator[Miss]:
    """How far the value and each local derivative, times `error`, are off at one point."""
    node, count = node_of(name, operands)
    yield from value_misses(name, operands, node.data)
    derivatives = [derivative * error for derivative in node.local_derivatives]
    yield from local_misses(operations[name], operands, derivatives, range(count))


def misses(name: str, points: int, seed: int = 1) -> Iterator[tuple[Operands, Miss]]:
    rng = random.Random(f"{name} {seed}")
    for _ in range(points):
        operands = oracles[name].draw(rng)
        for miss in misses_at(name, operands):
            yield operands, miss


def worst(found: Iterator[tuple[Operands, Miss]], nary: bool) -> dict[int | str, tuple[Operands, Miss]]:
    """The worst miss of the value and of each derivative (of all derivatives of an n-ary operation together)."""
    table: dict[int | str, tuple[Operands, Miss]] = {}
    for operands, miss in found:
        place = "all" if nary and miss.place != "value" else miss.place
        if place not in table or miss.ulp / miss.bound > table[place][1].ulp / table[place][1].bound:
            table[place] = operands, miss
    return table


def test_every_operation_has_an_oracle() -> None:
    assert set(oracles) == set(operations)


@EVERY_OPERATION
def test_values_and_derivatives_are_within_their_bounds(name: str) -> None:
    beyond = [found for found in misses(name, 200) if found[1].ulp > found[1].bound]
    assert not beyond, f"{len(beyond)} of them beyond the bound; the first: {beyond[0]}"


@pytest.mark.parametrize(("name", "operands"), HARD_POINTS)
def test_hard_points_are_within_their_bounds(name: str, operands: Operands) -> None:
    assert all(miss.ulp <= miss.bound for miss in misses_at(name, operands))


@pytest.mark.slow
@EVERY_OPERATION
def test_ten_thousand_points_are_within_their_bounds(name: str) -> None:
    table = worst(misses(name, 10_000, seed=2), operations[name].nary)
    for place, (operands, miss) in sorted(table.items(), key=str):
        print(f"\n{name:14} {place!s:6} {miss.ulp:8.2f} ulp of {miss.bound:3} at {operands}", end="")
    assert all(miss.ulp <= miss.bound for _, miss in table.values()), table


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
        sizes = _declared_sizes(name, node, operands)
        for miss in misses_at(name, operands, error):
            if miss.place == "value":
                continue
            derivative, size = node.local_derivatives[int(miss.place)], sizes[int(miss.place)]
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
        at_a_step = oracles[name].kink(*operands) or (name == "pow" and operands[0] < 0.0)
        if all(1e-3 < abs(x) < 30.0 for x in operands) and not at_a_step:
            _compare_with_numerical_derivatives(oracles[name], operands)
            checked += 1


def _compare_with_numerical_derivatives(oracle: Oracle, operands: Operands) -> None:
    with mpmath.workdps(60):
        xs: list[Any] = list(map(mpmath.mpf, operands))
        for place, claimed in enumerate(oracle.partials(*xs)):

            def along(x: Any, place: int = place) -> Any:
                return oracle.value(*xs[:place], x, *xs[place + 1 :])

            numerical = mpmath.diff(along, xs[place])
            assert abs(numerical - claimed) <= mpmath.mpf(10) ** -20 * max(1, abs(claimed), abs(oracle.value(*xs)))


@EVERY_OPERATION
def test_the_oracles_derivatives_are_those_from_both_sides_but_for_kinks(name: str) -> None:
    """Over the whole range of doubles; at a kink something differs, or there is no derivative at all."""
    oracle, rng = oracles[name], random.Random(f"{name} sides")
    for operands in (oracle.draw(rng) for _ in range(15)):
        if oracle.kink(*operands) or (name == "pow" and (operands[0] < 0.0 or abs(operands[1]) > 1e6)):
            continue  # (mpmath takes seconds for powers of 1e300 with thousands of digits)
        partials = exact(lambda *xs: list(oracle.partials(*xs)), operands)
        for place in range(len(operands) - (name in WITH_INDEX)):
            if name == "where" and place == 0:
                continue
            for side in one_sided_derivatives(oracle.value, operands, place):
                error = abs(side - partials[place])
                assert error <= abs(partials[place]) * mpmath.mpf(2) ** -70 + VANISHING, (operands, place)


KINKS: list[tuple[str, Operands]] = [
    *((name, (0.0,)) for name in ("relu", "abs", "sqrt", "cbrt", "sign", "floor", "ceil")),
    *(("leaky_relu", (0.0, 0.1)), ("elu", (0.0, 2.0)), ("round", (2.5,)), ("floor", (-3.0,)), ("ceil", (1e300,))),
    *(("asin", (1.0,)), ("asin", (-1.0,)), ("acos", (1.0,)), ("acos", (-1.0,)), ("acosh", (1.0,))),
    *(("maximum", (3.0, 3.0)), ("minimum", (-0.0, 0.0)), ("max", (1.0, 2.0, 2.0)), ("min", (1.0, 2.0, 1.0))),
    *(("clip", (1.0, 1.0, 2.0)), ("clip", (2.0, 1.0, 2.0)), ("clip", (1.0, 2.0, 2.0))),
    *(("floor_divide", (6.0, -3.0)), ("remainder", (1e300, 2.0)), ("remainder", (0.0, 5e-324))),
    *(("norm", (0.0, 0.0)), ("hypot", (0.0, 0.0)), ("atan2", (0.0, 0.0)), ("atan2", (0.0, -2.0))),
    *(("pow", (0.0, 0.5)), ("pow", (0.0, 1.5)), ("pow", (0.0, 0.0))),
]
NO_KINKS: list[tuple[str, Operands]] = [
    *(("elu", (0.0, 1.0)), ("max", (1.0, 1.0, 2.0)), ("min", (1.0, 2.0, 2.0)), ("maximum", (1.0, 2.0))),
    *(
        ("clip", (1.5, 1.0, 2.0)),
        ("clip", (7.0, 2.0, 2.0)),
        ("floor", (0.5,)),
        ("round", (2.0,)),
        ("remainder", (7.0, 2.0)),
    ),
    *(("where", (0.0, 1.0, 1.0)), ("atan2", (0.0, 2.0)), ("norm", (0.0, 5e-324)), ("log", (1.0,)), ("sqrt", (5e-324,))),
    *(("pow", (0.0, 1.0)), ("pow", (0.0, 2.0)), ("asin", (1.0 - 1e-16,))),
]


@pytest.mark.parametrize(("name", "operands"), KINKS)
def test_at_a_kink_the_sides_differ_or_one_is_missing(name: str, operands: Operands) -> None:
    oracle = oracles[name]
    assert oracle.kink(*operands)
    assert oracle.domain(*operands)
    sides = [one_sided_derivatives(oracle.value, operands, place) for place in range(len(operands))]
    assert any(None in pair or pair[0] != pair[1] for pair in sides)


@pytest.mark.parametrize(("name", "operands"), NO_KINKS)
def test_elsewhere_the_sides_agree_with_the_closed_form(name: str, operands: Operands) -> None:
    oracle = oracles[name]
    assert not oracle.kink(*operands)
    partials = exact(lambda *xs: list(oracle.partials(*xs)), operands)
    for place in range(name == "where", len(operands)):
        left, right = one_sided_derivatives(oracle.value, operands, place)
        assert ulp_error(float(left), partials[place]) == pytest.approx(ulp_error(float(right), partials[place]))
        assert ulp_error(float(left), partials[place]) <= 0.5


@pytest.mark.parametrize("name", ["maximum", "minimum", "max", "min", "clip", "floor", "ceil", "round"])
def test_at_kinks_of_choices_the_convention_is_that_of_the_table_of_oracles(name: str) -> None:
    """Ties share equally, `clip` passes 1 at its bounds, roundings have derivative 0 where they jump."""
    rng, checked = random.Random(name), 0
    while checked < 50:
        operands = oracles[name].draw(rng)
        if name == "clip":
            operands = (
                operands[0],
                *rng.choice([operands[1:], (operands[0], operands[2]), (operands[1], operands[0])]),
            )
        if oracles[name].kink(*operands):
            expected = [float(partial) for partial in oracles[name].partials(*map(mpmath.mpf, operands))]
            assert list(node_of(name, operands)[0].local_derivatives) == expected
            checked += 1


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
