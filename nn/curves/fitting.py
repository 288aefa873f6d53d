"""How do data and a model become a fitted curve? The residuals are made small, and then the errors are estimated.

Near the solution the curve is almost linear in its parameters. So their covariances are those of a linear regression:
s**2 (J'J)**-1, where J has the derivatives of the weighted residuals, and s**2 is their sum of squares by the degrees
of freedom.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.reals import as_float, real_or_none, shown
from nn.curves.fitted_curve import FittedCurve
from nn.curves.levenberg_marquardt import EPSILON, Box, Minimum, Search
from nn.curves.model import Model, parameter_names
from nn.curves.observations import Observations

Numbers = NDArray[np.float64]


def fitted(
    f: Callable[..., Any],
    data: Observations,
    start: Any,
    bounds: Mapping[str, Any],
    fixed: str | Iterable[str],
    absolute_sigma: bool,
    max_evaluations: int,
) -> FittedCurve:
    """See `least_squares`."""
    start = start if isinstance(start, Mapping | Sequence) or np.ndim(start) else [start]
    names = parameter_names(f, start)
    if not names:
        raise ValueError(f"least_squares fits parameters, and f has none beside x; got {shown(f)}: write f(x, a, b)")
    first = _start(start, names)
    box = _box(names, first, bounds, [fixed] if isinstance(fixed, str) else list(fixed))
    free = int(np.sum(box.lowest < box.highest))
    if len(data.y) < free:
        raise ValueError(
            f"{free} parameters need at least as many observations; got {len(data.y)}: give more data, or hold "
            f"parameters with fixed="
        )
    model = Model(f, names, first, data.first())
    residuals = Weighted(f, model, data)
    _check_start(residuals, first)
    search = Search(residuals, box, max_evaluations)
    minimum = search.minimum(first)
    if not minimum.converged:
        warnings.warn(
            f"least_squares: {minimum.stopped}; begin nearer to the solution, or bound or fix parameters",
            RuntimeWarning,
            stacklevel=3,
        )
    return FittedCurve(
        model=model,
        data=data,
        values=minimum.point.parameters,
        covariance=_covariance(names, minimum, free, absolute_sigma),
        box=box,
        free=minimum.free,
        absolute_sigma=absolute_sigma,
        converged=minimum.converged,
        stopped=minimum.stopped,
        evaluations=search.evaluations,
        derivatives=search.derivatives,
    )


class Weighted:
    """(f(x, ...) - y) / sigma for all observations, by the parameters."""

    def __init__(self, f: Callable[..., Any], model: Model, data: Observations) -> None:
        self._f = f
        self.model = model
        self.data = data

    def values(self, parameters: Numbers) -> Numbers:
        found: Numbers = (self.model.values(self.data.x, parameters) - self.data.y) / self.data.sigma
        return found

    def jacobian(self, parameters: Numbers) -> Numbers:
        found: Numbers = self.model.jacobian(self.data.x, parameters) / self.data.sigma[:, None]
        return found

    def curvature(self, parameters: Numbers, values: Numbers) -> Numbers:
        return self.model.curvature(self._f, self.data.x, parameters, values / self.data.sigma)

    def rounding(self, values: Numbers) -> Numbers:
        """See `levenberg_marquardt.Residuals`: each residual is rounded where f and y are, by some 2 units."""
        return 2.0 * EPSILON * (np.abs(values) + np.abs(self.data.y) / self.data.sigma)


def _start(start: Any, names: list[str]) -> Numbers:
    """The numbers to begin with, in the order of the names."""
    numbers = [start[name] for name in names] if isinstance(start, Mapping) else list(start)
    for name, number in zip(names, numbers, strict=True):
        if real_or_none(number) is None or not np.isfinite(float(number)):
            raise ValueError(f"start takes a finite number for each parameter; got {shown(number)} for {name}")
    return np.array([float(number) for number in numbers])


def _box(names: list[str], start: Numbers, bounds: Mapping[str, Any], fixed: list[str]) -> Box:
    """Where the parameters may be: within their bounds, or where they are."""
    if not isinstance(bounds, Mapping):
        raise TypeError(
            f'bounds takes pairs by the names of parameters, such as {{"{names[0]}": (0.0, None)}}; got {shown(bounds)}'
        )
    for name in [*bounds, *fixed]:
        if name not in names:
            what = "bounds" if name in bounds else "fixed"
            raise ValueError(f"{what} names {shown(name)}; the parameters are {', '.join(names)}: name one of these")
    lowest, highest = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for name, pair in bounds.items():
        i = names.index(name)
        lowest[i], highest[i] = _pair(name, pair)
        if not lowest[i] <= start[i] <= highest[i]:
            raise ValueError(
                f"start is {start[i]:g} for {name}, outside its bounds {lowest[i]:g} and {highest[i]:g}: begin between "
                f"them"
            )
    held = np.array([name in fixed for name in names])
    return Box(np.where(held, start, lowest), np.where(held, start, highest))


def _pair(name: str, pair: Any) -> tuple[float, float]:
    """The lowest and the highest number of a parameter."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"bounds takes a pair for {name}, such as (0.0, None); got {shown(pair)}")
    low, high = (
        default if bound is None else as_float(bound, f"bounds[{name!r}]")
        for bound, default in zip(pair, (-np.inf, np.inf), strict=True)
    )
    if not low < high:
        raise ValueError(
            f"the bounds of {name} are {low:g} and {high:g}; give the lower one first, or hold it with fixed="
        )
    return low, high


def _check_start(residuals: Weighted, start: Numbers) -> None:
    """Raises ValueError, with the observation, if f or a derivative is not finite at the start."""
    at = _assignments(residuals.model.names, start)
    with np.errstate(all="ignore"):
        wrong = ~np.isfinite(residuals.values(start) ** 2)
        slopes = ~np.isfinite(residuals.jacobian(start) ** 2)
    if wrong.any():
        i = int(np.argmax(wrong))
        value = residuals.model.values(residuals.data.x[i : i + 1], start)[0]
        raise ValueError(
            f"f is {value:g} at the start, {at}, for {residuals.data.where(i)}; the search needs finite numbers: "
            f"choose another start"
        )
    if slopes.any():
        i, k = (int(n) for n in np.argwhere(slopes)[0])
        raise ValueError(
            f"the derivative of f by {residuals.model.names[k]} is not finite at the start, {at}, for "
            f"{residuals.data.where(i)}: choose another start"
        )


def _covariance(names: list[str], minimum: Minimum, count: int, absolute_sigma: bool) -> Numbers:
    """The covariances of the parameters; 0 for those that are held; nan where nothing is left to estimate them from."""
    free, point = minimum.free, minimum.point
    covariance = np.zeros((len(names), len(names)))
    if free.any():
        jacobian = point.jacobian[:, free]
        lengths = np.linalg.norm(jacobian, axis=0)
        lengths[lengths == 0.0] = 1.0
        _, singular, axes = np.linalg.svd(jacobian / lengths, full_matrices=False)
        if singular[-1] <= 100.0 * EPSILON * singular[0]:
            raise ValueError(_indistinct(np.array(names)[free], axes[-1], names, point.parameters))
        root = axes.T / singular / lengths[:, None]
        covariance[np.ix_(free, free)] = root @ root.T
    freedom = len(point.residuals) - count
    if absolute_sigma:
        return covariance
    return covariance * (point.sum_of_squares / freedom if freedom else np.nan)


def _indistinct(free: NDArray[np.str_], direction: Numbers, names: list[str], parameters: Numbers) -> str:
    """Which parameters the data do not tell apart, as a sentence: those that move along a direction without effect."""
    found = [str(name) for name, share in zip(free, direction, strict=True) if abs(share) > 0.05]
    at = _assignments(names, parameters)
    if len(found) == 1:
        return (
            f"f does not depend on {found[0]} at {at}, where the search ended: begin elsewhere, hold it with "
            f'fixed="{found[0]}", or leave it out'
        )
    together = f"{', '.join(found[:-1])} and {found[-1]}"
    return (
        f"the data do not tell {together} apart: changed together, they leave f as it is for every observation (at "
        f'{at}): hold one of them, such as with fixed="{found[-1]}", or fit fewer parameters'
    )


def _assignments(names: list[str], numbers: Numbers) -> str:
    """Parameters with their numbers, for error messages."""
    return ", ".join(f"{name} = {number:.6g}" for name, number in zip(names, numbers.tolist(), strict=True))
