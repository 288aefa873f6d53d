"""Does an early end of the search ever pass what all steps would call wrong?"""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, functions as F
from autograd.testing.differences.finite_differences import difference_at, judge
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.truth.oracles import call, exact, oracles
from tests.autograd.testing.differences.test_bends_and_steps import PIECES, cross_entropies, tables
from tests.autograd.testing.differences.test_finite_differences import BLACK_BOXES, HARD, QUANTISED, somewhere

FACTORS = [1.0, 1.01, 0.99, 1.0001, 0.9999, 1.0 + 1e-6, 1.0 - 1e-6, 1.0 + 1e-8, -1.0, 0.0]


def check(f: Callable[[float], Any], x: float, true: float, factors: Any = tuple(FACTORS)) -> None:
    """What all steps call wrong must be wrong with the claim known too; and no right claim becomes wrong by that."""
    whole = difference_at(FunctionValues(f), x)
    for factor in factors:
        claimed = factor * true
        early = judge(claimed, difference_at(FunctionValues(f), x, claimed=claimed))
        late = judge(claimed, whole)
        assert (early == "wrong") == (late == "wrong") or (factor == 1.0 and early != "wrong"), (
            x,
            claimed,
            early,
            late,
        )


@pytest.mark.parametrize("hard", HARD, ids=lambda hard: f"{hard.text} at {hard.x!r}")
def test_hard_points_get_the_same_verdict_early(hard: Any) -> None:
    true = float(hard.true())
    check(lambda x: hard.f(F, x), hard.x, true)
    check(lambda x: hard.f(F, Value(x)), hard.x, true, (1.0, 1.0001, 1.0 + 1e-6))


@pytest.mark.parametrize("name", BLACK_BOXES)
def test_black_boxes_get_the_same_verdict_early(name: str) -> None:
    f, true = BLACK_BOXES[name]
    rng = random.Random(name)
    for x in (somewhere(rng) for _ in range(4)):
        check(f, x, true(x))


def test_bends_plateaus_tables_and_steps_get_the_same_verdict_early() -> None:
    for problem in (*PIECES[::8], *cross_entropies(6), *tables(6)):
        check(problem.f, problem.x, problem.low, FACTORS[::2])
    for f, x, true in QUANTISED:
        check(f, x, true)


@pytest.mark.parametrize("name", oracles)
def test_operations_get_the_same_verdict_early(name: str) -> None:
    rng = random.Random(f"early {name}")
    for _ in range(2):
        check_one_operand(name, rng)


@pytest.mark.slow
@pytest.mark.parametrize("name", oracles)
def test_operations_get_the_same_verdict_early_at_many_points(name: str) -> None:
    rng = random.Random(f"early and late {name}")
    for _ in range(100):
        check_one_operand(name, rng)


def check_one_operand(name: str, rng: random.Random) -> None:
    operands = oracles[name].draw(rng)
    place = rng.randrange(len(operands) - (name in ("take", "softmax", "log_softmax")))
    true = float(exact(lambda *xs: oracles[name].partials(*xs)[place], operands))
    if math.isfinite(true):
        before, after = operands[:place], operands[place + 1 :]
        check(lambda x: call(name, *before, x, *after), operands[place], true, FACTORS[::3])


@pytest.mark.parametrize(("f", "df"), [(math.sin, math.cos), (math.exp, math.exp), (lambda x: x * x, lambda x: 2 * x)])
def test_a_right_claim_needs_a_third_of_the_evaluations(f: Any, df: Any) -> None:
    rng = random.Random(0)
    for x in (rng.uniform(-3.0, 3.0) for _ in range(20)):
        early, late = difference_at(FunctionValues(f), x, claimed=df(x)), difference_at(FunctionValues(f), x)
        assert 2.2 * early.evaluations < late.evaluations
        assert abs(early.value - df(x)) <= early.bound <= 1e-8 * abs(df(x))


def test_a_claim_of_nan_or_infinity_changes_nothing() -> None:
    for claimed in (math.nan, math.inf):
        assert judge(claimed, difference_at(FunctionValues(math.sin), 1.0, claimed=claimed)) == "wrong"


def test_steps_that_are_too_small_are_not_tried() -> None:
    seen: list[float] = []

    def f(x: float) -> float:
        seen.append(x)
        return math.sin(x)

    found = difference_at(FunctionValues(f), 1.0, smallest=1e-4)
    assert min(abs(x - 1.0) for x in seen if x != 1.0) >= 1e-4
    assert abs(found.value - math.cos(1.0)) <= found.bound < 1e-9
