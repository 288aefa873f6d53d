"""Is a derivative that somebody claims right beyond doubt after a few steps? Otherwise the whole ladder is climbed.

Some steps of middle size give estimates as in `estimates.py`, some small ones show whether the function goes on in the
same way down to the last bits of x: with the claimed slope and nothing else but rounding. Kinks and jumps nearby, a
value that stands still, and a wrong claim all show in the small steps, where they are the larger beside the rounding.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from autograd.testing.differences.estimates import (
    NO_SLOPE,
    Chord,
    Estimate,
    Slope,
    chords_to,
    from_both_sides,
    from_one_side,
    middle,
)
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.differences.step_sizes import HIDDEN, Verdict

LARGE_STEPS = (9, 15)
"""Down to how many halvings of the size of x the larger steps lead; the second is tried for narrow functions."""
MIDDLE = 7
"""How many larger steps are tried at once; three more would take a fifth longer, and few functions need them."""
SMALL_STEPS = range(22, 47, 4)
"""After how many halvings the function must still have the claimed slope."""
SIDES = (-1.0, 1.0)
CLOSE = 0.05
"""To which part of their bound the differences must agree with the claim: what is farther off is tried on all steps."""
SURE = 1e-8
"""How exact the differences must be, as a part of the derivative: a hundredth of what confirms it after all steps."""


def confirmed(
    values: FunctionValues, x: float, nearest: Callable[[float], float], claimed: float, smallest: float
) -> Verdict | None:
    """What the differences say if they confirm the claimed derivative, or None if that needs all steps.

    For a cheap function this takes a tenth of the time of all steps, and a third of the evaluations.
    """
    top = math.frexp(max(1.0, abs(x)))[1] - 1
    if values.is_short or top > 1000 or math.ldexp(1.0, top - SMALL_STEPS[-1]) < smallest:
        return None

    def chords(halvings: Iterable[int]) -> list[list[Chord]]:
        steps = [math.ldexp(1.0, top - k) for k in halvings]
        found = [chords_to(sign, values, x, nearest, steps) for sign in SIDES]
        return found if min(map(len, found)) >= 5 else []

    small = chords(reversed(SMALL_STEPS))
    for first in LARGE_STEPS if small else ():
        sides = chords(range(first, first - MIDDLE, -1))
        if not sides:
            return None
        noise = 3.0 * unexplained(small, sides, claimed)
        both, left, right = (
            sharpest(estimates, noise) for estimates in (from_both_sides(middle(*sides)), *map(from_one_side, sides))
        )
        agree = all(abs(claimed - slope.value) <= slope.bound for slope in (both, left, right))
        agree = agree and abs(claimed - both.value) <= CLOSE * both.bound
        sure = both.bound <= SURE * abs(claimed) or (claimed == 0.0 and all_flat(*sides, *small))
        if agree and sure:
            return Verdict("smooth", both, noise, left, right, max(abs(left.value), abs(right.value)))
    return None


def all_flat(*sides: Sequence[Chord]) -> bool:
    """Whether the function has the same value at the ends of all these chords."""
    return not any(chord.slope for side in sides for chord in side)


def unexplained(small: Sequence[Sequence[Chord]], sides: Sequence[Sequence[Chord]], claimed: float) -> float:
    """The most that values at small steps are beside the parabola with the claimed slope; it bends as at larger steps.

    What a wrong claim adds to this is less than a hundredth of what it changes at the steps of middle size.
    """
    (left, *_), (right, *_) = sides
    bend = (right.slope - left.slope) / (2.0 * right.step)
    return max(
        abs(chord.slope - claimed - sign * bend * chord.step) * chord.step
        for sign, side in zip(SIDES, small, strict=True)
        for chord in side
    )


def sharpest(estimates: Sequence[Estimate], noise: float) -> Slope:
    """The slope with the smallest bound, if values are off by `noise`."""
    best = NO_SLOPE
    for smaller, estimate in pairwise([*estimates[:1], *estimates]):
        truncation = max(abs(estimate.residual), abs(estimate.value - smaller.value))
        errors = (1.0 + HIDDEN) * (estimate.doubt + estimate.passes * noise)
        bound = 2.0 * truncation + errors + estimate.arithmetic
        if bound < best.bound:
            best = Slope(estimate.value, bound)
    return best
