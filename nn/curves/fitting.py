"""How do data and a model become a fitted curve? The residuals are made small, and then the errors are estimated."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.reals import shown
from nn.curves.arguments import box_of, numbers_of, start_of
from nn.curves.fitted_curve import FittedCurve
from nn.curves.levenberg_marquardt import EPSILON, Box, Minimum, Search
from nn.curves.model import Model, assignments, model_of, parameter_names
from nn.curves.observations import Observations
from nn.curves.standard_errors import root_of

Numbers = NDArray[np.float64]


def fitted(
    f: Callable[..., Any],
    data: Observations,
    start: Any,
    bounds: Mapping[str, Any],
    fixed: Any,
    absolute_sigma: bool,
    max_evaluations: int,
) -> FittedCurve:
    """See `least_squares`."""
    numbers = start_of(start)
    names = parameter_names(f, numbers)
    if not names:
        raise ValueError(f"least_squares fits parameters, and f has none beside x; got {shown(f)}: write f(x, a, b)")
    first = numbers_of(numbers, names)
    box = box_of(names, first, bounds, fixed)
    if len(data.y) < box.axes:
        raise ValueError(
            f"{box.axes} parameters need at least as many observations; got {len(data.y)}: give more data, or hold "
            f"parameters with fixed="
        )
    residuals = Weighted(f, model_of(f, names, first, data.first()), data)
    search = Search(residuals, box, max_evaluations)
    point = search.point(first)
    if point is None:
        raise _not_finite(residuals, first)
    return _curve(residuals, box, search, search.minimum(point), absolute_sigma)


def _curve(residuals: "Weighted", box: Box, search: Search, minimum: Minimum, absolute_sigma: bool) -> FittedCurve:
    """What was found, with its errors; a warning says it if that is no minimum."""
    root, problem = root_of(residuals.model.names, minimum, box, absolute_sigma)
    stopped = problem or minimum.stopped
    if not minimum.converged:
        stopped = _given_up(residuals, minimum)
    if problem or not minimum.converged:
        warnings.warn(f"least_squares: {stopped}", RuntimeWarning, stacklevel=4)
    return FittedCurve(
        model=residuals.model,
        data=residuals.data,
        values=minimum.point.parameters,
        root=root,
        box=box,
        free=minimum.free,
        absolute_sigma=absolute_sigma,
        converged=minimum.converged and not problem,
        stopped=stopped,
        evaluations=search.evaluations,
        derivatives=search.derivatives,
    )


class Weighted:
    """(f(x, ...) - y) / sigma for all observations, by the parameters."""

    def __init__(self, f: Callable[..., Any], model: Model, data: Observations) -> None:
        self._f = f
        self._inputs = model.inputs(data.x, np.zeros(len(model.names)))
        self.model = model
        self.data = data
        self._size_of_y = self._weighted(np.abs(data.y))

    def values(self, parameters: Numbers) -> Numbers:
        return self._weighted(self.model.values(self._at(parameters)) - self.data.y)

    def jacobian(self, parameters: Numbers) -> Numbers:
        return self._weighted(self.model.jacobian(self._at(parameters)).T).T

    def curvature(self, parameters: Numbers, values: Numbers) -> Numbers:
        return self.model.curvature(self._f, self._at(parameters), self._weighted(values))

    def rounding(self, values: Numbers) -> Numbers:
        """See `levenberg_marquardt.Residuals`: each residual is rounded where f and y are, by some 2 units."""
        return 2.0 * EPSILON * (np.abs(values) + self._size_of_y)

    def _at(self, parameters: Numbers) -> Numbers:
        """The inputs of the program. (x is copied into them once, and not 30 times.)"""
        self._inputs[:, -len(parameters) :] = parameters
        return self._inputs

    def _weighted(self, numbers: Numbers) -> Numbers:
        return numbers / self.data.sigma if self.data.weighted else numbers


def _not_finite(residuals: Weighted, start: Numbers) -> ValueError:
    """The error that names the first observation for which f or a derivative is not finite at the start."""
    model, where = residuals.model, residuals.data.where
    at = f"at the start, {assignments(model.names, start)}, for"
    with np.errstate(all="ignore"):
        values, slopes = residuals.values(start), residuals.jacobian(start)
        wrong = ~np.isfinite(values**2)
    if wrong.any():
        i = int(np.argmax(wrong))
        value = model.values(model.inputs(residuals.data.x[i : i + 1], start))[0]
        large = ", too large to be squared," if np.isfinite(value) else ""
        others = int(np.sum(wrong)) - 1
        return ValueError(
            f"f is {value:g}{large} {at} {where(i)}{f' and {others:,} more' if others else ''}; the search needs "
            f"finite numbers: choose another start, or leave out the observation where no start would do"
        )
    if np.all(np.isfinite(slopes)):
        return ValueError(
            f"the sum of squared residuals, or of the derivatives of f, is too large {at[:-5]}: choose another start, "
            f"or measure y in a larger unit"
        )
    i, k = (int(n) for n in np.argwhere(~np.isfinite(slopes))[0])
    return ValueError(
        f"the derivative of f by {model.names[k]} is not finite {at} {where(i)}: choose another start, or leave out "
        f"the observation where no start would do"
    )


def _given_up(residuals: Weighted, minimum: Minimum) -> str:
    """How a search ended that found no minimum, and what may help."""
    if minimum.outside is None:
        return (
            f"{minimum.stopped}; f may have a kink there, or parameters run away: begin nearer to the solution, or "
            f"bound or fix parameters"
        )
    names, data = residuals.model.names, residuals.data
    with np.errstate(all="ignore"):
        values = residuals.model.values(residuals.model.inputs(data.x, minimum.outside))
    i = int(np.argmax(~np.isfinite(values)))
    return (
        f"{minimum.stopped}; f ends there, and is {values[i]:g} at {assignments(names, minimum.outside)} for "
        f"{data.where(i)}: begin elsewhere, or bound the parameters so that f stays finite"
    )
