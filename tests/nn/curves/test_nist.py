"""Does a fit reach the answers that NIST certifies, from both of its starting points?

`python -m tests.benchmarks.curves` prints how many digits, beside SciPy's.
"""

import math

import pytest

from nn import least_squares
from tests.nn.nist import REGRESSIONS, Regression, matching_digits

pytest.importorskip("llvmlite")


@pytest.mark.parametrize("problem", REGRESSIONS.values(), ids=REGRESSIONS)
def test_the_data_have_the_certified_sum_of_squares(problem: Regression) -> None:
    if problem.name == "Lanczos1":  # its residuals are smaller than what the 11 certified digits leave
        assert [float(f"{y:.5e}") for y in problem.y] == REGRESSIONS["Lanczos2"].y
        return
    fitted = [problem.model(x, *problem.certified) for x in problem.x]
    squares = math.fsum((a - b) ** 2 for a, b in zip(fitted, problem.y, strict=True))
    assert squares == pytest.approx(problem.sum_of_squares, rel=2e-10)
    freedom = len(problem.y) - len(problem.certified)
    assert math.sqrt(problem.sum_of_squares / freedom) == pytest.approx(problem.residual_standard_deviation, rel=1e-9)


@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("problem", REGRESSIONS.values(), ids=REGRESSIONS)
def test_the_certified_answer_is_found_to_ten_of_its_eleven_digits(problem: Regression, start: int) -> None:
    found = least_squares(problem.model, problem.x, problem.y, problem.starts[start - 1])
    assert found.converged
    assert digits(found.parameters.values(), problem.certified) > 10.0
    if problem.name == "Lanczos1":  # its residuals of 1e-13 are rounding errors of the model, and the errors with them
        assert found.sum_of_squares < 1e-24
        assert digits(found.errors.values(), problem.standard_deviations) > 2.0
        return
    assert digits(found.errors.values(), problem.standard_deviations) > 10.0
    assert digits([found.sum_of_squares], [problem.sum_of_squares]) > 10.0
    assert digits([found.standard_deviation], [problem.residual_standard_deviation]) > 10.0


@pytest.mark.parametrize("name", ["Misra1a", "Rat42", "MGH09"])
def test_without_llvmlite_the_same_numbers_are_found(name, without_llvmlite):
    problem = REGRESSIONS[name]
    found = least_squares(problem.model, problem.x, problem.y, problem.starts[1])
    assert digits(found.parameters.values(), problem.certified) > 10.0


def test_second_derivatives_find_the_last_digits_in_a_few_steps():
    """Gauss and Newton's steps alone take some 80 evaluations here: each removes less than half of the error."""
    problem = REGRESSIONS["ENSO"]
    assert least_squares(problem.model, problem.x, problem.y, problem.starts[1]).evaluations < 50


def digits(found, certified) -> float:
    """How many digits agree in the worst case."""
    return min(matching_digits(a, b) for a, b in zip(found, certified, strict=True))
