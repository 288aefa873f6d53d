"""Which step is right for a finite difference?

All of them are tried. A chord from x to x + h has a slope; chords of h, 2h and 4h together give the derivative more
exactly than each alone (Richardson's extrapolation, as in Romberg's rule). That makes an estimate for each step. The
one with the smallest bound that agrees with every smaller step is believed.

`finite_differences.py` explains the idea; here it is carried out. `visible_steps.py` tells functions that move in
visible steps from those with kinks nearby.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median, median_low
from typing import Any, NamedTuple

from autograd.testing.differences.function_values import FunctionValue, FunctionValues
from autograd.testing.differences.rounding_errors import SMALLEST, U
from autograd.testing.differences.visible_steps import unit_of, visible_step

OCTAVES = 50
"""How many halvings lead from the size of x to the smallest step: x has 52 bits after its first."""
BEYOND = 2
"""How many octaves the chords go beyond the largest step."""


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


def steps_for(x: float, unit: float = U) -> list[float]:
    """The steps to try, smallest first: powers of two below max(1, |x|) and below |x| by which x can be moved.

    >>> steps_for(3.0)[0] == 2.0**-49, steps_for(3.0)[-1]
    (True, 2.0)
    """
    octaves = OCTAVES + round(math.log2(U / unit))
    tops = {math.frexp(max(1.0, abs(x)))[1] - 1, math.frexp(x or 1.0)[1] - 1}
    exponents = {top - k for top in tops for k in range(octaves + 1)}
    return [math.ldexp(1.0, e) for e in sorted(exponents) if e >= -1074]


# Chords


class Chord(NamedTuple):
    """The line from x to a point beside it.

    Attributes:
        step: how far that point is meant to be.
        slope: how steep the line is.
        doubt: what the known errors of the two values can do to the slope.
        off: by which part of the step the point is elsewhere: it was rounded.
    """

    step: float
    slope: float
    doubt: float
    off: float


class Estimate(NamedTuple):
    """The derivative as chords of some neighbouring steps give it.

    Attributes:
        step: that of the shortest chord.
        value: the derivative, from all chords.
        residual: how much that changes without the longest chord.
        doubt: what the known errors of the function's values can do to it.
        arithmetic: what the rounding of its own arithmetic can do to it.
        wiggle: how far the values lie from a smooth curve.
        passes: what one more unit of error in each value can do to it.
    """

    step: float
    value: float
    residual: float
    doubt: float
    arithmetic: float
    wiggle: float
    passes: float


def chords_to(
    sign: float, values: FunctionValues, x: float, nearest: Callable[[float], float], steps: Sequence[float]
) -> list[Chord]:
    """The chords from x to one side, from the smallest step up to where the function is not defined."""
    here, error_here = values(x)
    chords: list[Chord] = []
    for step in steps:
        point = nearest(x + sign * step)
        distance = sign * (point - x)
        off = abs(distance - step)
        if off > 0.25 * step:  # x cannot be moved by so little, or not so far
            if chords:
                break
            continue
        value, error = values(point)
        if not abs(value) < math.inf:
            break
        chords.append(Chord(step, sign * (value - here) / distance, (error + error_here) / step, off / step))
    return chords


def from_one_side(chords: Sequence[Chord]) -> list[Estimate]:
    """Estimates from five chords each, whose steps are h, 2h, 4h, 8h and 16h.

    The errors in h, h**2, h**3 and h**4 cancel. The sums are written out: loops over the weights take three times as
    long. All weights are small integers over a power of two, so that the slope of a line comes out exactly.
    """
    found = []
    for a, b, c, d, e in zip(chords, chords[1:], chords[2:], chords[3:], chords[4:], strict=False):
        step = a.step
        if e.step != 16.0 * step:  # there is a gap between
            continue
        s, t, u, v, w = a.slope, b.slope, c.slope, d.slope, e.slope
        value = (s - 0.9375 * t + 0.2734375 * u - 0.029296875 * v + 0.0009765625 * w) * (1024.0 / 315.0)
        residual = (64.0 * s - 120.0 * t + 70.0 * u - 15.0 * v + w) / 315.0
        size = 3.3 * abs(s) + 3.1 * abs(t) + 0.9 * abs(u) + 0.1 * (abs(v) + abs(w))
        doubt = (1024.0 * a.doubt + 960.0 * b.doubt + 280.0 * c.doubt + 30.0 * d.doubt + e.doubt) / 315.0
        off = 3.3 * a.off * abs(t - s) + 3.1 * b.off * abs(u - t) + 0.9 * c.off * abs(v - u)
        arithmetic = 12.0 * U * size + 64.0 * SMALLEST + off
        if not abs(value) < math.inf:  # steeper than any double
            break
        if doubt < math.inf:
            wiggle = abs(residual) * step / 0.2908  # the length of the residual's weights as a vector of values
            found.append(Estimate(step, value, residual, doubt, arithmetic, wiggle, 10.02 / step))
    return found


def from_both_sides(chords: Sequence[Chord]) -> list[Estimate]:
    """Estimates from three chords each, from x - h to x + h, and so with 2h and 4h.

    The errors in h**2 and h**4 cancel.
    """
    found = []
    for a, b, c in zip(chords, chords[1:], chords[2:], strict=False):
        step = a.step
        if c.step != 4.0 * step:
            continue
        s, t, u = a.slope, b.slope, c.slope
        value = (s - 0.3125 * t + 0.015625 * u) * (64.0 / 45.0)
        residual = (4.0 * s - 5.0 * t + u) / 45.0
        doubt = (64.0 * a.doubt + 20.0 * b.doubt + c.doubt) / 45.0
        off = 1.5 * a.off * abs(t - s) + 0.5 * b.off * abs(u - t)
        arithmetic = 12.0 * U * (1.5 * abs(s) + 0.5 * abs(t) + 0.1 * abs(u)) + 64.0 * SMALLEST + off
        if not abs(value) < math.inf:
            break
        if doubt < math.inf:
            wiggle = abs(residual) * step / 0.0742
            found.append(Estimate(step, value, residual, doubt, arithmetic, wiggle, 3.3 / step))
    return found


def middle(left: Sequence[Chord], right: Sequence[Chord]) -> list[Chord]:
    """The chords from x - h to x + h, from those on either side."""
    others = {chord.step: chord for chord in left}
    pairs = [(others[chord.step], chord) for chord in right if chord.step in others]
    return [Chord(b.step, 0.5 * a.slope + 0.5 * b.slope, 0.5 * (a.doubt + b.doubt), a.off + b.off) for a, b in pairs]


class Estimates:
    """The estimates of one derivative with every step, to the left, to the right, and to both sides."""

    def __init__(
        self, values: FunctionValues, x: float, nearest: Callable[[float], float], steps: Sequence[float]
    ) -> None:
        self.values, self.x, self.nearest, self.steps = values, x, nearest, steps
        self.here = values(x)
        longer = [*steps, *(steps[-1] * 2.0**k for k in range(1, BEYOND + 1))] if steps else []
        self.chords = {sign: chords_to(sign, values, x, nearest, longer) for sign in (-1.0, 1.0)}
        self.left, self.right = map(from_one_side, self.chords.values())
        both = middle(*self.chords.values())
        self.both = from_both_sides([chord for chord in both if chord.step <= 2.0 * steps[-1]] if steps else [])

    def at(self, distance: float) -> tuple[float, FunctionValue]:
        """How far the nearest possible point to x + distance is from x, and the function there."""
        point = self.nearest(self.x + distance)
        return point - self.x, self.values(point)

    # What the estimates say together

    def verdict(self) -> "Verdict":
        """The slope that is believed, the word for it, and the slopes from either side."""
        quantum = visible_step(self) if self.values.estimated else 0.0
        noise = max(quantum, self.rounding_of_shorter_floats())
        left, right, both = (self.believed(side, noise) for side in (self.left, self.right, self.both))
        found, word = self.judge(left, right, both)
        if word == "smooth" and quantum > VISIBLE * self.values.unit * abs(self.here.value):
            word = "quantised"
        if found.noise - (self.values.noise or 0.0) > NOT_A_CURVE * self.largest() > 0.0:  # beyond what is known
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

    def believed(self, estimates: Sequence[Estimate], quantum: float = 0.0) -> "Belief":
        """The estimate with the smallest bound 2T + R that agrees with all smaller steps.

        The first ones have too little to compare with. Where the noise of the function is estimated, it is three times
        the largest that smaller steps have shown, and at least `quantum`.
        """
        best, lowest, highest = NOTHING, math.inf, -math.inf
        noisy = self.values.estimated and not grows([estimate.wiggle for estimate in estimates])
        noise = quantum
        enough = max(3, min(8, len(estimates) // 4))
        if noisy:
            noise = max(noise, 3.0 * max((estimate.wiggle for estimate in estimates[:enough]), default=0.0))
        start, falling, rounded = 0, 0, False
        for i, estimate in enumerate(estimates):
            if i and estimate.step > 2.0 * estimates[i - 1].step:  # between distant steps anything may happen
                start, falling, rounded = i, 0, False
            elif i:
                falling = falling + 1 if abs(estimates[i - 1].residual) <= 0.9 * abs(estimate.residual) else 0
            if noisy and i > enough:
                noise = max(noise, 3.0 * estimates[i - 1].wiggle)
            if i < start + 2:
                continue
            errors = estimate.doubt + estimate.passes * noise
            rounding = errors + estimate.arithmetic
            truncation = max(abs(estimate.residual), remainder(estimates[i - 2], estimates[i - 1], estimate, noise))
            bound = 2.0 * truncation + rounding
            # once the residual of some smaller step is that of rounding, what larger ones show is truncation
            rounded = rounded or any(
                abs(r.residual) <= 8.0 * (r.doubt + r.passes * noise + r.arithmetic) for r in estimates[start:i]
            )
            value = estimate.value
            settled = rounded or falling >= 4 or truncation <= 8.0 * rounding
            agrees = value - bound <= lowest and highest <= value + bound
            if settled and agrees and bound < best.slope.bound:
                best = Belief(Slope(value, bound), max(noise, self.here.error), errors)
            lowest, highest = min(lowest, value + bound), max(highest, value - bound)
        return best

    def rounding_of_shorter_floats(self) -> float:
        """What rounds the value of a function of doubles that computes in float32, as its values show."""
        unit = unit_of(f.value for f in self.values.known.values()) if self.values.estimated else U
        return unit * abs(self.here.value) if unit > U else 0.0

    def scale(self) -> float:
        """The size of the slopes that the function has near x: the median of the longest chords."""
        slopes = [abs(chord.slope) for chords in self.chords.values() for chord in chords[-5::2]]
        return median_low(slopes) if slopes else 0.0

    def largest(self) -> float:
        """The largest value of the function that was seen, at x and on the sides of which there are estimates."""
        x, known = self.x, self.values.known.items()
        seen = [abs(f.value) for p, f in known if p == x or (self.left if p < x else self.right)]
        return max(value for value in seen if value < math.inf)


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
        errors: how much of the bound comes from the errors of the values.
    """

    slope: Slope
    noise: float
    errors: float = 0.0


NOTHING = Belief(NO_SLOPE, 0.0)
NOT_A_CURVE = 2.0**-10
"""Where the noise is more than this part of the function's values, no slope is read from them."""
HIDDEN = 2.0
"""How many times the errors of values count, for what they hide."""
SHARP = 1e-3
"""How sharp the slopes beside a kink must be, as a part of their distance, where the noise is only estimated."""
VISIBLE = 64.0
"""How many times the rounding of its value a step of the function must have to be called visible."""
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


def grows(wiggles: Sequence[float]) -> bool:
    """Whether values lie farther from a curve with each larger step, from the first step on.

    Noise would be the same at all small steps. This is the function's own shape, or a rounding that is proportional to
    the step.
    """
    seen = [wiggle for wiggle in wiggles if wiggle][:16]
    return len(seen) == 16 and median(seen[11:]) > 64.0 * median(seen[:5])


def remainder(first: Estimate, middle: Estimate, last: Estimate, noise: float) -> float:
    """How far estimates still are from their limit if they change by less and less: the sum of a geometric series.

    Where they do not (as for x*log(x) at 0) nothing can be said.
    """
    change = abs(last.value - middle.value)
    change_before = abs(middle.value - first.value)
    rounding = first.doubt + middle.doubt + first.arithmetic + middle.arithmetic
    rounding += (first.passes + middle.passes) * noise
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
