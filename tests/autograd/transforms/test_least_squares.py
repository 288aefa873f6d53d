"""Does a curve fit with our derivatives reach the certified answer? Levenberg and Marquardt's method over `jacobian`.

`pytest tests/autograd/transforms/test_least_squares.py -s` prints how many digits of each parameter agree.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from autograd import jacobian
from tests.autograd.transforms.regressions import REGRESSIONS, Regression


def levenberg_marquardt(residuals: Callable[[Any], Any], start: Sequence[float], steps: int = 1000) -> list[float]:
    """The parameters with the least sum of squared residuals, found from a starting point.

    Each step solves a linear problem, damped so that the sum of squares falls (Marquardt, 1963). The scales are those
    of Moré (1978): the largest columns of the Jacobian so far.
    """
    slopes = jacobian(residuals)
    b = np.array(start, float)
    damping = 1e-3
    scale = np.zeros(len(start))
    r = np.array(residuals(b.tolist()))
    for _ in range(steps):
        J = np.array(slopes(b.tolist()))
        scale = np.maximum(scale, np.linalg.norm(J, axis=0))
        while damping < 1e20:
            damped = np.vstack([J, np.diag(math.sqrt(damping) * scale)])
            step = np.linalg.lstsq(damped, np.concatenate([-r, np.zeros(len(b))]), rcond=None)[0]
            moved = np.array(residuals((b + step).tolist()))
            if moved @ moved <= (r @ r) * (1 + 1e-13):  # rounding may hide the last digits of progress
                break
            damping *= 4
        else:
            return b.tolist()
        b, r, damping = b + step, moved, damping / 5
        if np.all(abs(step) <= 1e-14 * abs(b)):
            return b.tolist()
    return b.tolist()


def residuals_of(problem: Regression) -> Callable[[Any], list[Any]]:
    return lambda b: [problem.model(b, x) - y for x, y in zip(problem.x, problem.y, strict=True)]


def matching_digits(found: float, certified: float) -> float:
    """The log relative error, as NIST counts it. It is at most 11, the number of certified digits."""
    return 11.0 if found == certified else min(11.0, -math.log10(abs(found - certified) / abs(certified)))


@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_data_have_the_certified_sum_of_squares(name: str) -> None:
    problem = REGRESSIONS[name]
    squares = math.fsum(r * r for r in residuals_of(problem)(problem.certified))
    assert squares == pytest.approx(problem.sum_of_squares, rel=3e-10)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_certified_parameters_are_found_to_eight_digits(name: str, start: int) -> None:
    problem = REGRESSIONS[name]
    found = levenberg_marquardt(residuals_of(problem), problem.starts[start])
    digits = [matching_digits(b, certified) for b, certified in zip(found, problem.certified, strict=True)]
    print(f"\n{name:9} from start {start + 1}: {min(digits):4.1f} digits", end="")
    assert min(digits) >= 8.0
