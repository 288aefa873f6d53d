"""Are gradients of functions of straight pieces judged rightly, however near the next kink is?"""

from collections.abc import Iterable

import pytest

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.case import Case
from tests.autograd.testing.foreign.straight_pieces import networks, scalars
from tests.autograd.testing.foreign.verdicts import is_found

BATCHES = (4, 64, 1000)


def found(cases: Iterable[Case]) -> float:
    """The part of the cases that is said to be wrong."""
    verdicts = [is_found(case) for case in cases]
    return sum(verdicts) / len(verdicts)


def shares(batch: int, count: int, seed: int) -> tuple[float, float, float]:
    return tuple(map(found, zip(*networks(batch, count, seed), strict=True)))  # type: ignore[return-value]


@pytest.mark.parametrize("batch", BATCHES)
def test_networks_of_relus(batch: int) -> None:
    alarms, doubled, one_percent = shares(batch, 3, seed=1)
    assert alarms == 0
    assert doubled == 1
    assert one_percent == 1


@pytest.mark.slow
@pytest.mark.parametrize("batch", BATCHES)
def test_many_networks_of_relus(batch: int) -> None:
    alarms, doubled, one_percent = shares(batch, 600, seed=2)
    assert alarms == 0
    assert doubled >= 0.99
    assert one_percent >= 0.95


def test_sums_of_absolute_values() -> None:
    assert found(scalars(200, seed=1)) == 0


@pytest.mark.slow
def test_ten_thousand_sums_of_absolute_values() -> None:
    assert found(scalars(10_000, seed=2)) == 0


def test_a_wrong_sign_between_three_kinks() -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(lambda x: abs(x - 0.1) + abs(x - 0.2) + abs(x - 0.4) + x, lambda x: -2.0, 0.25)
