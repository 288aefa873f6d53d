"""Is a gradient found out that is wrong at one point only?"""

import pytest

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.case import Case
from tests.autograd.testing.foreign.special_points import special_points

CASES = list(special_points())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_one_is_found(case: Case) -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(case.f, case.df, case.point)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 200
