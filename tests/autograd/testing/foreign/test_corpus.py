"""Is the corpus true? Each right gradient is the derivative to many digits; each wrong one is not."""

import numpy as np
import pytest

from tests.autograd.testing.foreign import fields, learning
from tests.autograd.testing.foreign.case import Case, right, wrong
from tests.autograd.testing.foreign.precise import claim, truth

PROBLEMS = [*learning.PROBLEMS, *fields.PROBLEMS]
SMALLEST_BUG = 1e-7
"""Every bug changes some entry by more than this part of the largest."""


def distance(case: Case) -> float:
    """How far the gradient is from the truth, as a part of its largest entry."""
    true = truth(case.f, case.point)
    return float(np.abs(claim(case.df, case.point, len(true)) - true).max() / np.abs(true).max())


@pytest.mark.parametrize("case", right(PROBLEMS), ids=str)
def test_right_gradients_are_right(case: Case) -> None:
    assert distance(case) < 1e-13


@pytest.mark.parametrize("case", wrong(PROBLEMS), ids=str)
def test_wrong_gradients_are_wrong(case: Case) -> None:
    assert distance(case) > SMALLEST_BUG


def test_there_are_as_many_as_are_told_of() -> None:
    for problems in (learning.PROBLEMS, fields.PROBLEMS):
        assert len(right(problems)) >= 24
        assert len(wrong(problems)) >= 26
