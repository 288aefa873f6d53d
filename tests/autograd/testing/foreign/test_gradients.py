"""Does `check_gradient` pass every right gradient of the corpus, and find every wrong one?"""

import pytest

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign import fields, learning
from tests.autograd.testing.foreign.case import Case, right, wrong

PROBLEMS = [*learning.PROBLEMS, *fields.PROBLEMS]


@pytest.mark.parametrize("case", right(PROBLEMS), ids=str)
def test_right_gradients_pass(case: Case) -> None:
    assert not check_gradient(case.f, case.df, case.point).inconclusive


@pytest.mark.parametrize("case", wrong(PROBLEMS), ids=str)
def test_wrong_gradients_are_found(case: Case) -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(case.f, case.df, case.point)
