"""What does `nn.least_squares` give? A curve with all its numbers, to print, to draw, and to compute with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.curves.levenberg_marquardt import Box
from nn.curves.model import Model
from nn.curves.observations import Observations
from nn.curves.picture import picture
from nn.curves.report import number, report

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FittedCurve:
    """A curve that was fitted to data; `nn.least_squares` makes it.

    A call computes the curve: `fit(x)`. `print(fit)` shows a report, and `fit.plot()` draws curve, data and residuals.
    Fitted curves can be pickled.

    Attributes:
        parameters: the numbers of the parameters, by name.
        errors: their standard errors, by name: 0 for those that are held; nan without degrees of freedom, or where the
            data do not tell parameters apart.
        covariance: the matrix of their covariances, in the order of `parameters`.
        root: a matrix whose product with its transpose is the covariance.
        correlation: the same, as correlations.
        residuals: y - f(x) for each observation.
        sum_of_squares: of the residuals, each divided by its sigma.
        degrees_of_freedom: the number of observations, less that of the parameters that are not fixed.
        standard_deviation: the residual standard deviation: the root of `sum_of_squares / degrees_of_freedom`.
        converged, stopped: whether the search found a minimum, and why it ended, in words.
        evaluations, derivatives: how often f and its derivatives were computed for all observations.
    """

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
        return len(self.data.y) - int(np.sum(self.box.lowest < self.box.highest))

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

    def __str__(self) -> str:
        return report(self)

    def __repr__(self) -> str:
        found = ", ".join(f"{name}={number(x, self.errors[name])}" for name, x in self.parameters.items())
        return f"FittedCurve({found})"

    def plot(self) -> Any:
        """Draws the data, the curve with its standard error, and the residuals, with matplotlib; returns the figure.

        Where x is a row of numbers, what was observed is drawn against what the curve says.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return picture(self)


def _shaped(values: Numbers, shape: tuple[int, ...]) -> Any:
    return values.reshape(shape) if shape else float(values[0])
