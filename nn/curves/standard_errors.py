"""How sure are the parameters of a fitted curve?

Near the solution the curve is almost linear in its parameters. So their covariances are those of a linear regression:
s**2 (J'J)**-1, where J has the derivatives of the weighted residuals, and s**2 is their sum of squares by the degrees
of freedom.
"""

import numpy as np
from numpy.typing import NDArray

from nn.curves.levenberg_marquardt import EPSILON, Box, Minimum, triangle_of
from nn.curves.model import assignments

Numbers = NDArray[np.float64]


def root_of(names: list[str], minimum: Minimum, box: Box, absolute_sigma: bool) -> tuple[Numbers, str]:
    """A matrix whose product with its transpose has the covariances of the parameters; and what is wrong, in words.

    (Errors are lengths of its rows. Computed from the covariances, they would lose half of the digits, or all, where
    parameters are almost the same.) Rows of parameters that are held are 0. Where nothing is left to estimate from, or
    the data do not tell parameters apart, the others are nan.
    """
    free, point = minimum.free, minimum.point
    root = np.zeros((len(names), int(np.sum(free))))
    if not free.any():
        return root, ""
    triangle, _ = triangle_of(point, free)
    lengths = np.linalg.norm(triangle, axis=0)
    _, singular, axes = np.linalg.svd(triangle / np.where(lengths > 0.0, lengths, 1.0))
    without_effect = axes[singular <= 100.0 * EPSILON * singular[0]]
    if len(without_effect):
        root[free] = np.nan
        return root, _indistinct(np.array(names)[free], lengths, without_effect, assignments(names, point.parameters))
    root[free] = axes.T / singular / lengths[:, None]
    freedom = len(point.residuals) - box.axes
    if not absolute_sigma:
        root *= np.sqrt(point.sum_of_squares / freedom if freedom else np.nan)
    return root, ""


def _indistinct(free: NDArray[np.str_], lengths: Numbers, without_effect: Numbers, at: str) -> str:
    """Which parameters the data do not tell apart, as a sentence: those that move along directions without effect."""
    idle = [str(name) for name in free[lengths == 0.0]]
    if idle:
        return (
            f"not converged: at {at}, where the search ended, f does not depend on {_listed(idle)}: begin elsewhere, "
            f"or if that is so everywhere, hold {'them' if len(idle) > 1 else 'it'} with fixed="
        )
    mixed = [str(name) for name in free[np.linalg.norm(without_effect, axis=0) > 0.05]]
    return (
        f"not converged: at {at}, where the search ended, the data do not tell {_listed(mixed)} apart (changed "
        f"together, they leave f as it is for every observation): begin elsewhere, or if that is so everywhere, hold "
        f'one of them, such as with fixed="{mixed[-1]}"'
    )


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
