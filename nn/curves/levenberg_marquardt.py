"""Where is a sum of squares least? Levenberg and Marquardt's method, in the form that Moré gave it.

Near a point the residuals r are almost linear in the parameters: r + J p for a step p, where J has their derivatives.
The step that makes this least is Gauss and Newton's. Far from the solution it goes astray, so it is kept within a
radius: the damped step is the best of those that are no longer. A step that lowers the sum of squares about as much as
the linear model promised makes the radius larger; one that does not makes it smaller.

K. Levenberg (1944), "A method for the solution of certain non-linear problems in least squares"
D. Marquardt (1963), "An algorithm for least-squares estimation of nonlinear parameters"
J. Moré (1978), "The Levenberg-Marquardt algorithm: implementation and theory"
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)

_WHILE = 100
"""After so many evaluations a search looks back. If the sum of squares fell by less than 5 %, it begins afresh from
where it is; if that did not help either, and steps lead to where f is not finite, it gives up."""


class Residuals(Protocol):
    """What is to be made small: a residual for each observation, by the parameters."""

    def values(self, parameters: Numbers) -> Numbers:
        """The residuals; not finite where they cannot be computed."""

    def jacobian(self, parameters: Numbers) -> Numbers:
        """Their derivatives: a row for each residual, a column for each parameter."""

    def curvature(self, parameters: Numbers, values: Numbers) -> Numbers:
        """The sum of the residuals, each times the matrix of its second derivatives."""

    def rounding(self, values: Numbers) -> Numbers:
        """How much of each of these residuals may be rounding."""


class Box(NamedTuple):
    """The lowest and the highest number that each parameter may be. A parameter for which they agree is fixed."""

    lowest: Numbers
    highest: Numbers

    @property
    def axes(self) -> int:
        """How many parameters are not fixed."""
        return int(np.sum(self.lowest < self.highest))

    def nearest(self, parameters: Numbers) -> Numbers:
        """The point in the box that is nearest to this one."""
        return np.clip(parameters, self.lowest, self.highest)

    def free(self, parameters: Numbers, uphill: Numbers) -> NDArray[np.bool_]:
        """Which parameters can move: not those at a bound that would leave the box going downhill."""
        leaving = ((parameters <= self.lowest) & (uphill > 0)) | ((parameters >= self.highest) & (uphill < 0))
        return ~leaving & (self.lowest < self.highest)


class Point(NamedTuple):
    """Parameters, with the residuals and their derivatives there."""

    parameters: Numbers
    residuals: Numbers
    jacobian: Numbers

    @property
    def sum_of_squares(self) -> float:
        return float(self.residuals @ self.residuals)


class Minimum(NamedTuple):
    """Where the search ended.

    Attributes:
        free: which parameters could still move: those that are not fixed, and not held by a bound.
        converged: whether it ended because there is nothing more to gain.
        stopped: why it ended, in words.
        outside: parameters that were tried near the end, where the residuals are not finite; None if there are none.
    """

    point: Point
    free: NDArray[np.bool_]
    converged: bool
    stopped: str
    outside: Numbers | None = None


class Tangent:
    """The residuals near a point as a linear function of the steps, r + J p, and its best steps.

    J = QR, and the singular values of R, each column divided by its scale, give the best step for every radius. (The
    normal equations, J'J p = -J'r, would square the condition of J, and lose half of the digits where it is bad.)

    Attributes:
        reachable: the length of that part of r that a step can remove, as long as r + J p holds.
    """

    def __init__(self, point: Point, scale: Numbers, box: Box) -> None:
        self.free = box.free(point.parameters, point.jacobian.T @ point.residuals)
        self._scale = scale
        if not self.free.any():
            self._along, self._singular, self._axes, self.reachable = np.zeros(0), np.zeros(0), np.zeros((0, 0)), 0.0
        else:
            triangle, along = triangle_of(point, self.free)  # from here on everything is small: n x n
            self.reachable = float(np.linalg.norm(along))
            left, singular, self._axes = np.linalg.svd(triangle / scale[self.free])
            rows, limit = len(point.residuals), EPSILON * len(point.residuals)
            # Columns of length 1 have the best condition, but for a factor of sqrt(n) (van der Sluis, 1969). So where
            # the scale does well, the second decomposition is not needed: it takes 40 us, a quarter of a small step.
            if singular[-1] <= np.sqrt(len(singular)) * limit * singular[0]:
                best, lengths, _ = np.linalg.svd(triangle / _lengths(triangle))
                told = _told(lengths, rows)
                if not told.all():  # columns depend on each other: no step along what is rounding only
                    self.reachable = float(np.linalg.norm(best[:, told].T @ along))
                    told = _told(singular, rows)
                    left, singular = np.where(told, left, 0.0), np.where(told, singular, 1.0)
            self._along, self._singular = left.T @ along, singular

    def step(self, radius: float = np.inf) -> Numbers:
        """The step that makes r + J p least among those that are no longer than the radius (or 10 % more), scaled."""
        s, along = self._singular, self._along
        step, damping, lowest, highest = along / s, 0.0, 0.0, float(np.linalg.norm(s * along)) / radius
        for _ in range(50):  # two or three do, as a rule
            length = float(np.linalg.norm(step))
            if 0.9 * radius <= length <= 1.1 * radius or (length < radius and damping == 0.0):
                break
            lowest, highest = (damping, highest) if length > radius else (lowest, damping)
            falls = np.sum(step**2 / (s**2 + damping)) / length  # how fast the length falls with damping
            damping += (length / radius) * (length - radius) / falls  # Newton's method for 1/length = 1/radius
            if not lowest < damping < highest:
                damping = max(1e-3 * highest, float(np.sqrt(lowest * highest)))
            step = s * along / (s**2 + damping)
        return self._whole(step)

    def newton_step(self, curvature: Numbers) -> Numbers:
        """The step of Newton's method, which knows how J changes: not finite where there is none.

        It solves (J'J + C) p = -J'r, where C is the curvature. Along the axes of the singular values, each stretched so
        that J'J becomes 1, this is (1 + K) u = -U'r: its condition is that of K, not that of J'J.
        """
        stretched = self._axes / self._singular[:, None] / self._scale[self.free]
        matrix = np.eye(len(stretched)) + stretched @ curvature[np.ix_(self.free, self.free)] @ stretched.T
        try:
            return self._whole(np.linalg.solve(matrix, self._along) / self._singular)
        except np.linalg.LinAlgError:
            return np.full(len(self.free), np.nan)

    def _whole(self, step: Numbers) -> Numbers:
        """A step along the axes as one of all parameters."""
        whole = np.zeros(len(self.free))
        whole[self.free] = self._axes.T @ step / self._scale[self.free]
        return whole


class Search:
    """A search for the least sum of squares.

    Attributes:
        evaluations, derivatives: how often the residuals and their derivatives were asked for.
    """

    def __init__(self, residuals: Residuals, box: Box, max_evaluations: int) -> None:
        self._residuals = residuals
        self._box = box
        self._limit = max_evaluations
        self._outside: tuple[int, Numbers] | None = None  # when the residuals were not finite last, and where
        self.evaluations = self.derivatives = 0

    def point(self, parameters: Numbers) -> Point | None:
        """Where the search may begin; None if something is not finite there."""
        with np.errstate(all="ignore"):
            return self._point(parameters, self._values(parameters))

    def minimum(self, start: Point) -> Minimum:
        """The minimum that is found from here."""
        with np.errstate(all="ignore"):  # what is not finite is looked for
            return self._minimum(start)

    def _minimum(self, point: Point) -> Minimum:
        scale, radius = _fresh(point)
        checked, before, crept = self.evaluations, point.sum_of_squares, False
        while True:
            # A scale never falls: a parameter that matters less from here on does not begin to leap.
            scale = np.maximum(scale, _lengths(point.jacobian))
            tangent = Tangent(point, scale, self._box)
            if tangent.reachable**2 <= self._hidden(point):
                return self._polished(point, tangent, scale)
            lower, radius = self._lower(point, tangent, scale, radius)
            if lower is None and self.evaluations < self._limit:
                return self._polished(point, tangent, scale)
            if lower is None:
                return self._given_up(point, tangent, f" after {self.evaluations:,} evaluations")
            point = lower
            if self.evaluations >= checked + _WHILE:
                creeps = point.sum_of_squares > 0.95 * before
                if creeps and crept and self._outside and self._outside[0] > checked:
                    return self._given_up(point, tangent, f" after {self.evaluations:,} evaluations")
                if creeps:  # near an end of f's domain derivatives grow, and the scale would hold the search there
                    scale, radius = _fresh(point)
                checked, before, crept = self.evaluations, point.sum_of_squares, creeps

    def _given_up(self, point: Point, tangent: Tangent, why: str) -> Minimum:
        """Where the search ends without a minimum."""
        recent = self._outside is not None and self._outside[0] > self.evaluations - _WHILE
        outside = self._outside[1] if self._outside and recent else None
        return Minimum(point, tangent.free, False, f"not converged{why}", outside)

    def _lower(self, point: Point, tangent: Tangent, scale: Numbers, radius: float) -> tuple[Point | None, float]:
        """A point with a lower sum of squares, if a step leads there, and the radius for the next step."""
        while self.evaluations < self._limit and radius > EPSILON * np.linalg.norm(scale * point.parameters):
            step = tangent.step(radius)
            length = float(np.linalg.norm(scale * step))
            moved = self._box.nearest(point.parameters + step)
            values = self._values(moved)
            gained = (point.sum_of_squares - _squares(values)) / _promised(point, moved - point.parameters)
            lower = self._point(moved, values) if gained > 1e-4 else None
            if lower is None or gained < 0.25:
                radius = 0.5 * length
            elif gained > 0.75:
                radius = max(radius, 2.0 * length)
            if lower is not None:
                return lower, radius
        return None, radius

    def _polished(self, point: Point, tangent: Tangent, scale: Numbers) -> Minimum:
        """The last digits, where rounding hides whether the sum of squares falls.

        Here a step is good if the part of r that a further one could remove is shorter after it. Where residuals are
        large, Gauss and Newton's steps overshoot or creep; then Newton's are taken, with second derivatives.
        """
        newton = False
        while tangent.reachable > self._noise(point) and self.evaluations < self._limit:
            curvature = self._residuals.curvature(point.parameters, point.residuals) if newton else None
            step = tangent.step() if curvature is None else tangent.newton_step(curvature)
            moved = self._box.nearest(point.parameters + step)
            if np.array_equal(moved, point.parameters):
                break
            found = self._point(moved, self._values(moved))
            after = None if found is None else Tangent(found, scale, self._box)
            shorter = tangent.reachable if after is None else after.reachable
            slow = shorter > 0.5 * tangent.reachable
            if found is not None and after is not None and shorter < tangent.reachable:
                point, tangent = found, after
            if slow and newton:
                break
            newton = newton or slow
        # Bates and Watts (1981) call a fit converged where the part of r that a step could remove is 0.1 % of r.
        noise = 1e-6 * point.sum_of_squares + 1e3 * self._hidden(point)
        if tangent.reachable**2 > noise and self.evaluations < self._limit:
            return self._given_up(point, tangent, ": no step helps any more")
        return Minimum(point, tangent.free, True, "converged: further steps change rounding errors only")

    def _hidden(self, point: Point) -> float:
        """How much of the sum of squares may be rounding."""
        errors = self._residuals.rounding(point.residuals)
        return float(errors @ (2.0 * np.abs(point.residuals) + errors))

    def _noise(self, point: Point) -> float:
        """How long the part of r that a step could remove is by rounding alone."""
        errors = self._residuals.rounding(point.residuals)
        return float(np.linalg.norm(errors) * np.sqrt(len(point.parameters) / len(errors)))

    def _values(self, parameters: Numbers) -> Numbers:
        self.evaluations += 1
        values = self._residuals.values(parameters)
        if not np.isfinite(values).all():
            self._outside = self.evaluations, parameters
        return values

    def _point(self, parameters: Numbers, values: Numbers) -> Point | None:
        """The point with its derivatives; None where something is not finite."""
        if not np.isfinite(_squares(values)):
            return None
        self.derivatives += 1
        jacobian = self._residuals.jacobian(parameters)
        return Point(parameters, values, jacobian) if np.isfinite(np.einsum("ij,ij->", jacobian, jacobian)) else None


def _squares(values: Numbers) -> float:
    """The sum of squares, infinite where it cannot be computed."""
    total = float(values @ values)
    return total if np.isfinite(total) else np.inf


def _promised(point: Point, step: Numbers) -> float:
    """How much r + J p lowers the sum of squares; infinity where it does not, so that no gain is a share of it.

    (At the edge of a box a step may be cut so that it does not.)
    """
    change = point.jacobian @ step
    promised = -float(change @ (2.0 * point.residuals + change))
    return promised if promised > 0.0 else np.inf


def triangle_of(point: Point, free: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """R of the Jacobian J = QR, and -Q'r. (Q is not made: for 10,000 x 12 that takes 24 ms instead of 113.)"""
    count = int(np.sum(free))
    both = np.empty((len(point.residuals), count + 1))
    both[:, :count], both[:, count] = point.jacobian[:, free], point.residuals
    triangle: Numbers = np.asarray(np.linalg.qr(both, mode="r"))
    return triangle[:count, :count], -triangle[:count, count]


def _fresh(point: Point) -> tuple[Numbers, float]:
    """The scale and the radius with which a search begins.

    (Moré's first radius is 100 times as long. With this one, one more of NIST's problems is solved.)
    """
    scale = _lengths(point.jacobian)
    return scale, float(np.linalg.norm(scale * point.parameters)) or 1.0


def _lengths(jacobian: Numbers) -> Numbers:
    """How strongly the residuals depend on each parameter; 1 where they do not."""
    lengths = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))  # a third of the time of np.linalg.norm, which copies
    return np.where(lengths > 0.0, lengths, 1.0)


def _told(singular: Numbers, rows: int) -> NDArray[np.bool_]:
    """Which singular values are more than rounding."""
    told: NDArray[np.bool_] = singular > singular[0] * EPSILON * rows
    return told
