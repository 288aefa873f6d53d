"""What is known of a curve that was fitted to data, in numbers? Its parameters, their errors, and what is left over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.curves.levenberg_marquardt import Box
from nn.curves.model import Model
from nn.curves.observations import Observations

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Estimates:
    """A curve that was fitted to data, without the ways to show it: see `FittedCurve`."""

    model: Model
    data: Observations
    values: Numbers
    covariance: Numbers
    box: Box
    free: NDArray[np.bool_]
    absolute_sigma: bool
    converged: bool
    stopped: str
    evaluations: int
    derivatives: int

    @property
    def parameters(self) -> dict[str, float]:
        return dict(zip(self.model.names, self.values.tolist(), strict=True))

    @property
    def errors(self) -> dict[str, float]:
        return dict(zip(self.model.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @property
    def correlation(self) -> Numbers:
        errors = np.sqrt(np.diag(self.covariance))
        errors[errors == 0.0] = 1.0
        correlation: Numbers = self.covariance / np.outer(errors, errors)
        return correlation

    @property
    def residuals(self) -> Numbers:
        return self.data.y - self.model.values(self.data.x, self.values)

    @property
    def sum_of_squares(self) -> float:
        return float(np.sum((self.residuals / self.data.sigma) ** 2))

    @property
    def degrees_of_freedom(self) -> int:
        return len(self.data.y) - int(np.sum(self.box.lowest < self.box.highest))

    @property
    def standard_deviation(self) -> float:
        freedom = self.degrees_of_freedom
        return float(np.sqrt(self.sum_of_squares / freedom)) if freedom else float("nan")

    def __call__(self, x: Any) -> Any:
        """The curve at x: a number for one x (or one row), an array for several."""
        rows, shape = self.model.rows(x)
        return _shaped(self.model.values(rows, self.values), shape)

    def error_at(self, x: Any) -> Any:
        """The standard error of the curve at x, which follows from those of the parameters.

        (That of a new observation is larger: it scatters around the curve.)
        """
        rows, shape = self.model.rows(x)
        slopes = self.model.jacobian(rows, self.values)
        return _shaped(np.sqrt(np.einsum("mi,ij,mj->m", slopes, self.covariance, slopes)), shape)


def _shaped(values: Numbers, shape: tuple[int, ...]) -> Any:
    return values.reshape(shape) if shape else float(values[0])
