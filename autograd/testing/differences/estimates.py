"""What do chords of neighbouring steps say of a derivative?

A chord from x to x + h has a slope; chords of h, 2h and 4h together give the derivative more exactly than each alone
(Richardson's extrapolation, as in Romberg's rule). That makes an estimate for each step. `step_sizes.py` says which of
them is believed.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import prod
from statistics import median_low
from typing import NamedTuple

from autograd.testing.differences.function_values import FunctionValue, FunctionValues
from autograd.testing.differences.rounding_errors import SMALLEST, U

OCTAVES = 50
"""How many halvings lead from the size of x to the smallest step: x has 52 bits after its first."""
NEIGHBOURS = 6
"""At how many of the nearest short floats on each side the noise of a function is seen."""
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
    if unit > U:  # the few octaves of short floats would leave a gap between the small steps and the large ones
        exponents.update(range(min(exponents), max(exponents)))
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


def of_order(chords: Sequence[Chord], count: int, base: int) -> list[Estimate]:
    """Estimates from so many chords each, where errors grow by powers of `base` as steps double: 2 on one side, else 4.

    Fewer chords leave out more, and stay nearer to x: what counts where values are rough.
    """
    weights = extrapolation(count, base)
    shorter = [*extrapolation(count - 1, base), 0.0]
    passes = 2.0 * sum(abs(w) / 2.0**k for k, w in enumerate(weights))
    found = []
    for k in range(len(chords) - count + 1):
        some = chords[k : k + count]
        step = some[0].step
        if some[-1].step != step * 2.0 ** (count - 1):
            continue
        value = sum(w * chord.slope for w, chord in zip(weights, some, strict=True))
        residual = value - sum(w * chord.slope for w, chord in zip(shorter, some, strict=True))
        doubt = sum(abs(w) * chord.doubt for w, chord in zip(weights, some, strict=True))
        size = sum(abs(w * chord.slope) for w, chord in zip(weights, some, strict=True))
        off = sum(abs(w) * a.off * abs(b.slope - a.slope) for w, a, b in zip(weights, some, some[1:], strict=False))
        if not abs(value) < math.inf:
            break
        if doubt < math.inf:
            found.append(
                Estimate(step, value, residual, doubt, 12.0 * U * size + 64.0 * SMALLEST + off, 0.0, passes / step)
            )
    return found


@lru_cache
def extrapolation(count: int, base: int) -> list[float]:
    """The weights of chords whose errors are multiples of base**j for j from 1 to count - 1, so that these cancel.

    >>> extrapolation(2, 2), extrapolation(2, 4) == [4 / 3, -1 / 3]
    ([2.0, -1.0], True)
    """
    nodes = [Fraction(base) ** k for k in range(count)]
    return [float(prod(b / (b - a) for b in nodes if b != a)) for a in nodes]


def middle(left: Sequence[Chord], right: Sequence[Chord]) -> list[Chord]:
    """The chords from x - h to x + h, from those on either side."""
    others = {chord.step: chord for chord in left}
    pairs = [(others[chord.step], chord) for chord in right if chord.step in others]
    return [Chord(b.step, 0.5 * a.slope + 0.5 * b.slope, 0.5 * (a.doubt + b.doubt), a.off + b.off) for a, b in pairs]


class Ladder:
    """The estimates of one derivative with every step, to the left, to the right, and to both sides."""

    def __init__(
        self, values: FunctionValues, x: float, nearest: Callable[[float], float], steps: Sequence[float]
    ) -> None:
        self.values, self.x, self.nearest, self.steps = values, x, nearest, steps
        self.here = values(x)
        longer = [*steps, *(steps[-1] * 2.0**k for k in range(1, BEYOND + 1))] if steps else []
        self.chords = {sign: chords_to(sign, values, x, nearest, longer) for sign in (-1.0, 1.0)}
        self.left, self.right = map(from_one_side, self.chords.values())
        self.middle = middle(*self.chords.values())
        self.both = from_both_sides([chord for chord in self.middle if chord.step <= 2.0 * steps[-1]] if steps else [])

    def orders(self) -> list[list[list[Estimate]]]:
        """For the left, the right and both sides: the estimates, and for coarse numbers those from fewer chords too."""
        left, right = self.chords.values()
        if not self.values.is_coarse:
            return [[self.left], [self.right], [self.both]]
        return [
            [self.left, *(of_order(left, count, 2) for count in (3, 2))],
            [self.right, *(of_order(right, count, 2) for count in (3, 2))],
            [self.both, of_order(self.middle, 2, 4)],
        ]

    def noise_of_neighbours(self) -> float:
        """How far values at the next few short floats lie from a smooth curve."""
        for size in (abs(self.x), max(1.0, abs(self.x))):
            found = [self.at(4.0 * k * self.values.unit * size)[1].value for k in range(-NEIGHBOURS, NEIGHBOURS + 1)]
            found = [value for value in found if abs(value) < math.inf]
            for _ in range(3):
                found = [b - a for a, b in pairwise(found)]
            most = max(map(abs, found), default=0.0) / 20**0.5
            if most:
                return most
        return 0.0

    def at(self, distance: float) -> tuple[float, FunctionValue]:
        """How far the nearest possible point to x + distance is from x, and the function there."""
        point = self.nearest(self.x + distance)
        return point - self.x, self.values(point)

    def moves(self, sign: int, steps: Sequence[float]) -> list[FunctionValue]:
        """How the function moves with each step to one side, smallest first, and the error of that."""
        found = [self.at(sign * step)[1] for step in steps]
        here = self.here
        return [
            FunctionValue(sign * (f.value - here.value), f.error + here.error) for f in found if math.isfinite(f.value)
        ]

    def scale(self) -> float:
        """The size of the slopes that the function has near x: the median of the longest chords."""
        slopes = [abs(chord.slope) for chords in self.chords.values() for chord in chords[-5::2]]
        return median_low(slopes) if slopes else 0.0

    def largest(self) -> float:
        """The largest value of the function that was seen, at x and on the sides of which there are estimates."""
        x, known = self.x, self.values.known.items()
        seen = [abs(f.value) for p, f in known if p == x or (self.left if p < x else self.right)]
        return max(value for value in seen if value < math.inf)
