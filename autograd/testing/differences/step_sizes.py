"""Which step is right for a finite difference?

All of them are tried. The estimate with the smallest bound that agrees with every smaller step is believed.
`finite_differences.py` explains the idea; here it is carried out.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from autograd.testing.differences.function_values import FunctionValue, FunctionValues
from autograd.testing.differences.rounding_errors import SMALLEST, U

OCTAVES = 50
"""How many halvings lead from the size of x to the smallest step: x has 52 bits after its first."""

# The points of an estimate, in units of the step. Since they are powers of two, neighbouring steps share all but two.
BOTH_SIDES = (1, 2, 4, -1, -2, -4)
RIGHT_SIDE = (1, 2, 4, 8, 16)
LEFT_SIDE = (-1, -2, -4, -8, -16)


class Slope(NamedTuple):
    """A derivative, from one side or from both, and a bound for its error."""

    value: float
    bound: float

    def agrees(self, other: "Slope") -> bool:
        """Whether the two can be the same number."""
        return not abs(self.value - other.value) > self.bound + other.bound

    def __str__(self) -> str:
        return f"{self.value:.10g} +- {self.bound:.1g}"


NO_SLOPE = Slope(math.nan, math.inf)


class Estimate(NamedTuple):
    """The derivative as one step gives it.

    Attributes:
        step: the distance of the nearest points.
        value: the derivative, from all points.
        residual: how much that changes without the outermost points.
        doubt: what the known errors of the function's values can do to it.
        arithmetic: what the rounding of its own arithmetic can do to it.
        weight: what one more unit of error would do to it, times the step.
        wiggle: how far the values lie from a smooth curve.
        flat: whether the function did not move at all.
    """

    step: float
    value: float
    residual: float
    doubt: float
    arithmetic: float
    weight: float
    wiggle: float
    flat: bool

    def doubt_with(self, noise: float) -> float:
        """What the errors of the values can do to the estimate if they exceed the known ones by `noise`."""
        return self.doubt + self.weight * noise / self.step


def steps_for(x: float, unit: float = U) -> list[float]:
    """The steps to try, smallest first: powers of two below max(1, |x|) and below |x| by which x can be moved.

    >>> steps_for(3.0)[0] == 2.0**-49, steps_for(3.0)[-1]
    (True, 2.0)
    """
    octaves = OCTAVES + round(math.log2(U / unit))
    tops = {math.frexp(max(1.0, abs(x)))[1] - 1, math.frexp(x or 1.0)[1] - 1}
    exponents = {top - k for top in tops for k in range(octaves + 1)}
    return [math.ldexp(1.0, e) for e in sorted(exponents) if e >= -1074]


class Estimates:
    """The estimates of one derivative with every step, to the left, to the right, and to both sides."""

    def __init__(
        self, values: FunctionValues, x: float, nearest: Callable[[float], float], steps: Sequence[float]
    ) -> None:
        self.values, self.x, self.nearest, self.steps = values, x, nearest, steps
        self.here = values(x)
        self.left, self.right, self.both = map(self.estimates, (LEFT_SIDE, RIGHT_SIDE, BOTH_SIDES))

    def at(self, distance: float) -> tuple[float, FunctionValue]:
        """How far the nearest possible point to x + distance is from x, and the function there."""
        point = self.nearest(self.x + distance)
        return point - self.x, self.values(point)

    def estimates(self, points: Sequence[int]) -> list[Estimate]:
        """One for each step, from the smallest up to where a point leaves the domain."""
        estimates: list[Estimate] = []
        for step in self.steps:
            found = [self.at(k * step) for k in points]
            distances = [t for t, _ in found]
            if len({0.0, *distances}) <= len(points):  # x cannot be moved by so little
                continue
            if max(distances) - min(distances) > 4.0 * self.steps[-1]:
                break
            if not all(math.isfinite(f.value) for _, f in found):
                break
            try:
                estimate = self.estimate(step, weights(points, step, distances), [f for _, f in found])
            except (OverflowError, ValueError):  # the differences, or the slope, are larger than any double
                break
            if all(map(math.isfinite, estimate)):
                estimates.append(estimate)
        return estimates

    def estimate(self, step: float, weighed: "Weights", found: Sequence[FunctionValue]) -> Estimate:
        """One of them. Differences are divided by the step at the end, since 1 / step may overflow."""
        here = self.here
        moved = [f.value - here.value for f in found]
        value = math.fsum([w * d for w, d in zip(weighed.all, moved, strict=True)])
        residual = value - math.fsum([w * d for w, d in zip(weighed.fewer, moved, strict=True)])
        doubt = math.fsum([abs(w) * (f.error + here.error) for w, f in zip(weighed.all, found, strict=True)])
        # 12 roundings: those of the point, of the weight, of the difference and of the product
        arithmetic = 12.0 * math.fsum([abs(w * d) * U + SMALLEST for w, d in zip(weighed.all, moved, strict=True)])
        wiggle = abs(residual) / weighed.size
        if abs(value) > doubt and math.isinf(value / step):
            raise OverflowError
        per_step = value / step, residual / step, doubt / step, arithmetic / step
        return Estimate(step, *per_step, 2.0 * weighed.sum, wiggle, not any(moved))

    # What the estimates say together

    def verdict(self) -> "Verdict":
        """The slope that is believed, the word for it, and the slopes from either side."""
        left, right, both = map(self.believed, (self.left, self.right, self.both))
        found, word = self.judge(left, right, both)
        if found.noise > NOT_A_CURVE * self.largest() > 0.0:
            found, word = NOTHING, "inconclusive"
        return Verdict(word, found.slope, found.noise, left.slope, right.slope)

    def judge(self, left: "Belief", right: "Belief", both: "Belief") -> tuple["Belief", str]:
        """The slope and the verdict, from what the sides say."""
        if not (self.left or self.right):
            return NOTHING, "inconclusive"
        growths = [growth(self.moves(sign, self.steps)) for sign in (-1, 1)]
        if "jump" in growths:
            return NOTHING, "jump"
        if any(growths):
            if self.left and self.right and growths[0] != growths[1]:
                return NOTHING, "kink"
            return Belief(Slope(growths[0] or growths[1], 0.0), 0.0), "infinite slope"
        through_steps = self.through_steps() if self.values.estimated else None
        if through_steps is not None:
            return through_steps, "quantised" if through_steps is not NOTHING else "inconclusive"
        if self.left and self.right and not left.slope.agrees(right.slope):
            apart = abs(left.slope.value - right.slope.value)
            vague = self.values.estimated and left.slope.bound + right.slope.bound > SHARP * apart
            return NOTHING, "inconclusive" if vague else "kink"
        sides = [side for side, estimates in ((left, self.left), (right, self.right)) if estimates]
        if not all(math.isfinite(side.slope.bound) for side in sides):
            return NOTHING, "inconclusive"  # across a pole or a near kink both sides together may look smooth
        return best_of(both, left, right), "smooth" if self.left and self.right else "edge"

    def moves(self, sign: int, steps: Sequence[float]) -> list[FunctionValue]:
        """How the function moves with each step to one side, smallest first, and the error of that."""
        found = [self.at(sign * step)[1] for step in steps]
        here = self.here
        return [
            FunctionValue(sign * (f.value - here.value), f.error + here.error) for f in found if math.isfinite(f.value)
        ]

    def goes_on(self) -> bool:
        """Whether differences at 0 really grow without end, or only down to a step smaller than those tried."""
        steps = [2.0 ** -(1060 - 80 * k) for k in range(GROWING)]
        near, far = ([growth(self.moves(sign, s), n) for sign in (-1, 1)] for s, n in ((self.steps, 1), (steps, 80)))
        return near == far

    def bounds(self, estimates: Sequence[Estimate], least: float = 0.0) -> list["Belief"]:
        """Each estimate with its bound 2T + R. The first ones have too little to compare with.

        Where the noise of the function is estimated, it is taken to be at least `least`.
        """
        found: list[Belief] = []
        noise, start = 0.0, 0
        noisy = self.values.estimated and not grows([estimate.wiggle for estimate in estimates])
        enough = max(3, min(8, len(estimates) // 4))
        for i, estimate in enumerate(estimates):
            if i and estimate.step > 2.0 * estimates[i - 1].step:  # between distant steps anything may happen
                start = i
            if i < start + 2:
                found.append(Belief(Slope(estimate.value, math.inf), 0.0, False))
                continue
            if noisy:  # three times the largest noise that smaller steps have shown
                noise = max(least, 3.0 * max(r.wiggle for r in estimates[: max(i, enough)]))
            errors = estimate.doubt_with(noise)
            rounding = errors + estimate.arithmetic
            truncation = max(abs(estimate.residual), remainder(estimates[i - 2 : i + 1], noise))
            settled = truncation <= 8.0 * rounding or falls(
                [abs(r.residual) for r in estimates[max(i - 4, start) : i + 1]]
            )
            slope = Slope(estimate.value, 2.0 * truncation + rounding)
            settled = settled or self.settles(estimates[start:i], noise)
            found.append(Belief(slope, max(noise, self.here.error), settled, errors))
        return found

    def settles(self, estimates: Sequence[Estimate], noise: float) -> bool:
        """Whether the residual of some smaller step is that of rounding: then what larger steps show is truncation."""
        return any(abs(r.residual) <= 8.0 * (r.doubt_with(noise) + r.arithmetic) for r in estimates)

    def believed(self, estimates: Sequence[Estimate], least: float = 0.0) -> "Belief":
        """The estimate with the smallest bound that agrees with all smaller steps."""
        best, lowest, highest = NOTHING, math.inf, -math.inf
        for belief in self.bounds(estimates, least):
            value, bound = belief.slope
            agrees = value - bound <= lowest and highest <= value + bound
            if agrees and belief.settled and bound < best.slope.bound:
                best = belief
            lowest, highest = min(lowest, value + bound), max(highest, value - bound)
        return best

    def through_steps(self) -> "Belief | None":
        """The slope of the curve through the steps of a function that moves in visible steps.

        Between two of its steps such a function stands still, or follows another slope. At some step the
        values suddenly lie far from a curve; from there on they behave as if they had noise of that size. A function
        that is really constant up to a kink shows two different slopes there.

        Returns:
            the slope; NOTHING if there are steps and no slope can be read from them; None if there are no steps.
        """
        first = first_leap(self.both, U * abs(self.here.value))
        if first is None or len(self.both) - first < FEWEST_OCTAVES:
            return None
        step = self.both[first].step
        moving = [
            [estimate for estimate in estimates if estimate.step >= step]
            for estimates in (self.left, self.right, self.both)
        ]
        if not moving[0] or not moving[1] or all(r.flat for r in moving[0]) or all(r.flat for r in moving[1]):
            return None
        quantum = 3.0 * max(estimate.wiggle for estimates in moving for estimate in estimates[:5])
        left, right, both = (self.believed(estimates, quantum) for estimates in moving)
        before = self.both[first - 1]
        natural = 8.0 * self.values.unit * abs(self.here.value)  # what the rounding of the result alone may hide
        if abs(both.slope.value - before.value) * before.step <= natural:
            return None
        if not all(math.isfinite(belief.slope.bound) for belief in (left, right, both)):
            return NOTHING
        return best_of(both, left, right) if left.slope.agrees(right.slope) else None

    def scale(self) -> float:
        """The size of the slopes that the function has near x: the median over the larger steps."""
        slopes = [abs(f.value - self.here.value) / step for step in self.steps[-6:] for f in self.near(step)]
        slopes = [slope for slope in slopes if math.isfinite(slope)]
        return median(slopes) if slopes else 0.0

    def near(self, step: float) -> list[FunctionValue]:
        """The values at that distance to the left and to the right."""
        return [self.at(-step)[1], self.at(step)[1]]

    def largest(self) -> float:
        """The largest value of the function that was seen."""
        return max(abs(f.value) for f in self.values.known.values() if math.isfinite(f.value))


class Verdict(NamedTuple):
    """What all estimates say: a word, the slope, the noise of the function's values, the slopes from either side."""

    word: str
    slope: Slope
    noise: float
    left: Slope
    right: Slope


class Belief(NamedTuple):
    """A slope that may be believed.

    Attributes:
        slope: the derivative and its bound.
        noise: the noise of the function's values that the bound allows for.
        settled: whether the bound can be trusted.
        errors: how much of the bound comes from the errors of the values.
    """

    slope: Slope
    noise: float
    settled: bool = True
    errors: float = 0.0


NOTHING = Belief(NO_SLOPE, 0.0)
NOT_A_CURVE = 2.0**-10
"""Where the noise is more than this part of the function's values, no slope is read from them."""
HIDDEN = 2.0
"""How many times the errors of values count, for what they hide."""
SHARP = 1e-3
"""How sharp the slopes beside a kink must be, as a part of their distance, where the noise is only estimated."""
FEWEST_OCTAVES = 6
"""Over how many steps a function must be seen to move in visible steps."""
GROWING = 13
"""Over how many steps differences must grow by the same law."""


def best_of(*beliefs: Belief) -> Belief:
    """The belief with the smallest bound, widened by what the errors of values may hide.

    What is smaller than these errors and narrower than the step cannot be seen. At 34 silu joins its asymptote: to the
    right it looks straight, and the difference of its slope from 1 shows only on the left, at smaller steps.
    """
    best = min(beliefs, key=lambda belief: belief.slope.bound)
    hidden = HIDDEN * max(belief.errors for belief in beliefs)
    return best._replace(slope=Slope(best.slope.value, best.slope.bound + hidden))


def first_leap(estimates: Sequence[Estimate], rounding: float) -> int | None:
    """The place of the first estimate whose values suddenly lie 4,000 times as far from a curve as at smaller steps.

    From there on they stay about as far away, while truncation would go on growing. What the rounding of the result
    explains is no leap.
    """
    largest = 0.0
    for i, estimate in enumerate(estimates):
        if i and estimate.wiggle > max(4096.0 * largest, 64.0 * rounding):
            after = [r.wiggle for r in estimates[i : i + FEWEST_OCTAVES]]
            return i if median(after) <= 256.0 * estimate.wiggle else None
        largest = max(largest, estimate.wiggle)
    return None


def grows(wiggles: Sequence[float]) -> bool:
    """Whether values lie farther from a curve with each larger step, from the first step on.

    Noise would be the same at all small steps. This is the function's own shape, or a rounding that is proportional to
    the step.
    """
    seen = [wiggle for wiggle in wiggles if wiggle][:16]
    return len(seen) == 16 and median(seen[11:]) > 64.0 * median(seen[:5])


def falls(residuals: Sequence[float]) -> bool:
    """Whether they become smaller with each smaller step, as truncation does."""
    return len(residuals) == 5 and all(a <= 0.9 * b for a, b in pairwise(residuals))


def remainder(estimates: Sequence[Estimate], noise: float) -> float:
    """How far estimates still are from their limit if they change by less and less: the sum of a geometric series.

    Where they do not (as for x*log(x) at 0) nothing can be said.
    """
    first, middle, last = estimates
    change = abs(last.value - middle.value)
    change_before = abs(middle.value - first.value)
    rounding = first.doubt_with(noise) + middle.doubt_with(noise) + first.arithmetic + middle.arithmetic
    if change_before <= 2.0 * rounding or not change:
        return change
    return change / (1.0 - change_before / change) if change_before < 0.95 * change else math.inf


def growth(moves: Sequence[FunctionValue], octaves: int = 1) -> Any:
    """Whether differences grow without end as steps shrink: "jump", inf or -inf for an infinite slope, or None.

    Where f moves like h**q, q = 1 is a slope, q = 0 a jump, and in between the slope is infinite. The steps of the
    moves are `octaves` halvings apart.
    """
    clear = [abs(move.value) > 128.0 * move.error for move in moves]
    first = clear.index(True) if True in clear else len(clear)
    seen = [move.value for move in moves[first : first + GROWING]]
    if len(seen) < GROWING or not all(clear[first : first + GROWING]) or len({value > 0.0 for value in seen}) > 1:
        return None
    exponents = [math.log2(b / a) / octaves for a, b in pairwise(seen)]
    if max(exponents) - min(exponents) > 0.04 or max(exponents) > 0.98:
        return None
    if first and abs(seen[0]) / 2.0 ** (max(exponents) * octaves) > 256.0 * moves[first - 1].error:
        return None  # the next smaller step did not move f, though it should have: this begins at a distance
    return "jump" if max(exponents) < 0.02 else math.copysign(math.inf, seen[0])


# Weights


class Weights(NamedTuple):
    """The weights of the differences f(x + t) - f(x), times the step.

    Attributes:
        all, fewer: the weights with all points, and without the outermost ones.
        sum: the sum of the sizes of `all`.
        size: the Euclidean length of the residual's weights: independent errors of one unit add up to that there.
    """

    all: tuple[float, ...]
    fewer: tuple[float, ...]
    sum: float
    size: float


def lagrange(distances: Sequence[Any]) -> list[Any]:
    """The weights of f(x + t) - f(x) for each distance t, whose sum is the derivative of the polynomial through the
    points at x. (The derivative at 0 of Lagrange's basis polynomials.)

    >>> lagrange([Fraction(-1), Fraction(1)])
    [Fraction(-1, 2), Fraction(1, 2)]
    """
    found = []
    for i, t in enumerate(distances):
        weight = 1 / t
        for j, other in enumerate(distances):
            if j != i:
                weight = weight * other / (other - t)
        found.append(weight)
    return found


def _weights(distances: Sequence[Any], most: Sequence[bool]) -> Weights:
    every = lagrange(distances)
    inner = iter(lagrange([t for t, keep in zip(distances, most, strict=True) if keep]))
    fewer = [next(inner) if keep else 0 for keep in most]
    differences = [float(a - b) for a, b in zip(every, fewer, strict=True)]
    size = math.hypot(math.fsum(differences), *differences)
    return Weights(tuple(map(float, every)), tuple(map(float, fewer)), math.fsum(map(abs, map(float, every))), size)


def _inner(points: Sequence[int]) -> list[bool]:
    """Which points are not the outermost."""
    far = max(map(abs, points))
    return [abs(k) < far for k in points]


EXACT_WEIGHTS = {
    points: _weights([Fraction(k) for k in points], _inner(points)) for points in (BOTH_SIDES, RIGHT_SIDE, LEFT_SIDE)
}


def weights(points: Any, step: float, distances: Sequence[float]) -> Weights:
    """The weights for points at these distances, which are `points` times the step but for their rounding."""
    if all(abs(t - k * step) <= 4.0 * U * abs(t) for t, k in zip(distances, points, strict=True)):
        return EXACT_WEIGHTS[points]
    return _weights([Fraction(t) / Fraction(step) for t in distances], _inner(points))
