"""Does a fit reach the answers that NIST certifies, from both of its starting points?"""

import math

import numpy as np
import pytest

from nn import least_squares
from tests.nn.nist import REGRESSIONS, Regression, matching_digits


@pytest.mark.parametrize("problem", REGRESSIONS.values(), ids=REGRESSIONS)
def test_the_data_have_the_certified_sum_of_squares(problem: Regression) -> None:
    if (
        problem.name == "Lanczos1"
    ):  # computed to 12 digits: its residuals are smaller than what the certified digits leave
        assert [float(f"{y:.5e}") for y in problem.y] == REGRESSIONS["Lanczos2"].y
        return
    fitted = [problem.model(x, *problem.certified) for x in problem.x]
    squares = math.fsum((a - b) ** 2 for a, b in zip(fitted, problem.y, strict=True))
    assert squares == pytest.approx(problem.sum_of_squares, rel=2e-10)


@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("problem", REGRESSIONS.values(), ids=REGRESSIONS)
def test_the_certified_answer_is_found_to_all_but_its_last_digit(problem: Regression, start: int) -> None:
    found = least_squares(problem.model, problem.x, problem.y, problem.starts[start - 1])
    for ours, certified in (
        (found.parameters.values(), problem.certified),
        (found.errors.values(), problem.standard_deviations),
        ([found.sum_of_squares], [problem.sum_of_squares]),
        ([found.standard_deviation], [problem.residual_standard_deviation]),
    ):
        print(
            problem.name,
            start,
            min(matching_digits(a, b) for a, b in zip(ours, certified, strict=True)),
            found.evaluations,
        )
    assert found.converged
