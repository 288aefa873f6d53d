"""Is a right softmax cross-entropy never called wrong, and a wrong one found?"""

import numpy as np
import pytest

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.softmax import cross_entropies, cross_entropy_gradient

RESOLVABLE = {"float64": 1e-3, "float32": 0.05}
"""Where every entry is smaller, one percent of it is less than the rounding of a loss of 30 does to differences."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("count", [15, pytest.param(5_000, marks=pytest.mark.slow)])
def test_no_alarm(dtype: str, count: int) -> None:
    for case in cross_entropies(count, dtype):
        check_gradient(case.f, case.df, case.point)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_largest_entry_one_percent_off_is_found(dtype: str) -> None:
    def wrong(z: np.ndarray) -> np.ndarray:
        g = case.df(z)
        g[np.argmax(abs(g))] *= 1.01
        return g

    for case in cross_entropies(15, dtype, seed=1):
        if abs(case.df(case.point)).max() < RESOLVABLE[dtype]:
            continue
        with pytest.raises(WrongGradientError):
            check_gradient(case.f, wrong, case.point)


def test_a_loss_that_is_exactly_0_at_every_step() -> None:
    """By its rounding: the numbers that make it are 40 in size, and it is 4e-18."""
    check_gradient(
        lambda z: np.log(np.exp(z).sum()) - z[1],
        lambda z: cross_entropy_gradient(z, 1),
        np.array([0.0, 40.0]),
    )


def test_the_one_whose_small_steps_show_nothing_but_a_plateau() -> None:
    check_gradient(
        lambda z: np.log(np.exp(z).sum()) - z[2],
        lambda z: cross_entropy_gradient(z, 2),
        np.array([0.0, 1.0, 9.0, 5.0]),
    )
