"""Does a function move in visible steps, and how large are they?

Digits that were lost inside a function (float32, a large offset, a table) leave it standing still between jumps. There
the slopes of its smallest chords mean nothing: its derivative is that of the curve through the steps, and the size of
the jumps is the noise of its values. A function of straight pieces looks alike from a distance, for it too leaves its
curve suddenly. But there the small chords are right. What tells them apart is whether the function jumps or bends: the
stretch where it leaves the curve is halved until that is clear.
"""

import math
from collections.abc import Sequence

from autograd.testing.differences.estimates import Chord, Estimate, Ladder
from autograd.testing.differences.function_values import FunctionValue
from autograd.testing.differences.rounding_errors import U

HALVINGS = 12
"""How often a stretch is halved: a bend becomes 4,096 times smaller."""
SUDDEN = 4096.0
"""How many times as far from a curve as at smaller steps values must lie for a leap."""
STEEPER = 64.0
"""How many times as steep a jump must be as the stretch in which it was found."""
SMALL = 2.0**-10
"""Jumps of less than this part of the function's values are noise; where noise is more, no slope is read from them."""
FEWEST_OCTAVES = 6
"""How many octaves there must be beyond a jump that is not small to look for others among the steps."""
FAR = [2.0**k for k in range(3, 9)]
"""How many times the largest step away a function is looked at of which nearby too little can be seen."""


def visible_step(ladder: Ladder) -> float:
    """The size of the steps in which the function moves near x; 0 if it is continuous but for its rounding."""
    size = 0.0
    for sign, chords in ladder.chords.items():
        far = first_move(ladder, sign, chords)
        if far:
            size = max(size, noise_of(ladder, sign * far, onset(ladder, sign * far)))
    leap = first_leap(ladder.both, U * abs(ladder.here.value))
    if leap:
        for far in (4.0 * leap, -4.0 * leap):
            size = max(size, noise_of(ladder, far, jump(ladder, far)))
    return size


def first_move(ladder: Ladder, sign: float, chords: Sequence[Chord]) -> float:
    """The distance at which a function first moves that stands still nearer to x; 0 if there is none."""
    for i, chord in enumerate(chords):
        if chord.slope:
            return chord.step if i else 0.0
    top = ladder.steps[-1]
    beyond = (k * top for k in FAR) if chords else ()
    return next((far for far in beyond if ladder.at(sign * far)[1].value != ladder.here.value), 0.0)


def first_leap(estimates: Sequence[Estimate], rounding: float) -> float:
    """The step of the first estimate whose values suddenly lie far from a curve; 0 if there is none.

    What the rounding of the result explains is no leap.
    """
    largest = 0.0
    for i, estimate in enumerate(estimates):
        if estimate.wiggle > largest:
            if i and estimate.wiggle > SUDDEN * largest and estimate.wiggle > 64.0 * rounding:
                return estimate.step
            largest = estimate.wiggle
    return 0.0


def noise_of(ladder: Ladder, far: float, found: float) -> float:
    """The size of a jump that was found at about that distance if it is noise, 0 if it is the function's own."""
    if found <= SMALL * ladder.largest():
        return found
    top = ladder.steps[-1]
    if abs(far) * 2.0**FEWEST_OCTAVES > top:
        beyond = [ladder.at(math.copysign(k * top, far)) for k in FAR if k * top > abs(far)]
        slopes = sorted(abs(f.value - ladder.here.value) / abs(distance) for distance, f in beyond)
        usual = slopes[min(1, len(slopes) - 1)] if slopes else 0.0  # the smallest may still be that of a plateau
        return found if found <= SMALL * top * usual else 0.0
    octaves = int(math.log2(top / abs(far)))
    others = [jump(ladder, far * 2.0**k) for k in range(1, octaves + 1)]
    return found if sum(other > 0.1 * found for other in others) > 1 else 0.0


def onset(ladder: Ladder, far: float) -> float:
    """How far a function jumps that stands still up to somewhere between far / 2 and far; 0 if it bends there."""
    here = ladder.here.value
    still, moved = 0.5 * far, far
    for _ in range(HALVINGS):
        middle = 0.5 * (still + moved)
        still, moved = (middle, moved) if ladder.at(middle)[1].value == here else (still, middle)
    first = abs(ladder.at(moved)[1].value - here)
    if first <= 1024.0 * ladder.values.unit * abs(here):
        return first
    later = abs(ladder.at(still + 8.0 * (moved - still))[1].value - here)
    return first if later < 4.0 * first else 0.0  # where it bends, it is 8 times as far away by then


def jump(ladder: Ladder, far: float) -> float:
    """How far a function jumps somewhere between far / 2 and far; 0 if it only bends there."""
    low, high = ladder.at(0.5 * far), ladder.at(far)
    slopes = [steepness(low, high)]
    for _ in range(HALVINGS):
        middle = ladder.at(0.5 * (low[0] + high[0]))
        if middle[0] in (low[0], high[0]):
            break
        first, second = steepness(low, middle), steepness(middle, high)
        low, high = (low, middle) if first > second else (middle, high)
        slopes.append(max(first, second))
    steeper = min(STEEPER, 2.0 ** (len(slopes) - 3))  # short floats cannot be halved as often
    found = abs(high[1].value - low[1].value)
    return found if len(slopes) > 4 and steeper * max(slopes[:3]) < slopes[-1] < math.inf else 0.0


def steepness(a: tuple[float, FunctionValue], b: tuple[float, FunctionValue]) -> float:
    """The size of the slope between two points; infinite where the function is not defined."""
    slope = abs((b[1].value - a[1].value) / (b[0] - a[0]))
    return slope if slope < math.inf else math.inf
