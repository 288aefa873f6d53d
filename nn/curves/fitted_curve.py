"""What does `nn.least_squares` give? A curve with all its numbers, to print, to draw, and to compute with."""

from typing import Any

from nn.curves.estimates import Estimates
from nn.curves.picture import picture
from nn.curves.report import number, report


class FittedCurve(Estimates):
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
