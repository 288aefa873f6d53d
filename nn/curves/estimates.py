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
    root: Numbers
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
        return dict(zip(self.model.names, np.linalg.norm(self.root, axis=1).tolist(), strict=True))

    @property
    def covariance(self) -> Numbers:
        return self.root @ self.root.T

    @property
    def correlation(self) -> Numbers:
        errors = np.linalg.norm(self.root, axis=1, keepdims=True)
        shares = self.root / np.where(errors == 0.0, 1.0, errors)
        return shares @ shares.T

    @property
    def residuals(self) -> Numbers:
        return self.data.y - self._at(self.data.x)

    @property
    def sum_of_squares(self) -> float:
        return float(np.sum((self.residuals / self.data.sigma) ** 2))

    @property
    def degrees_of_freedom(self) -> int:
        return len(self.data.y) - self.box.axes

    @property
    def standard_deviation(self) -> float:
        freedom = self.degrees_of_freedom
        return float(np.sqrt(self.sum_of_squares / freedom)) if freedom else float("nan")

    def __call__(self, x: Any) -> Any:
        """The curve at x: a number for one x (or one row), an array for several."""
        rows, shape = self.model.rows(x)
        return _shaped(self._at(rows), shape)

    def error_at(self, x: Any) -> Any:
        """The standard error of the curve at x, which follows from those of the parameters.

        (That of a new observation is larger: it scatters around the curve.)
        """
        rows, shape = self.model.rows(x)
        slopes = self.model.jacobian(self.model.inputs(rows, self.values))
        # Not from the covariance: where parameters are almost the same, its large numbers cancel, and no digit is left.
        return _shaped(np.linalg.norm(slopes[:, self.free] @ self.root[self.free], axis=1), shape)

    def _at(self, rows: Numbers) -> Numbers:
        return self.model.values(self.model.inputs(rows, self.values))


def _shaped(values: Numbers, shape: tuple[int, ...]) -> Any:
    return values.reshape(shape) if shape else float(values[0])
