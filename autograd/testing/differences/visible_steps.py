"""Does a function move in visible steps, and how large are they?

Digits that were lost inside a function (float32, a large offset, a table) leave it standing still between jumps. There
the slopes of its smallest chords mean nothing: its derivative is that of the curve through the steps, and the size of
the jumps is the noise of its values. A function of straight pieces looks alike from a distance, for it too leaves its
curve suddenly. But there the small chords are right. What tells them apart is whether the function jumps or bends: the
stretch where it leaves the curve is halved until that is clear.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from autograd.testing.differences.rounding_errors import U

if TYPE_CHECKING:
    from autograd.testing.differences.step_sizes import Chord, Estimate, Estimates

HALVINGS = 12
"""How often a stretch is halved: a bend becomes 4,096 times smaller."""
SUDDEN = 4096.0
"""How many times as far from a curve as at smaller steps values must lie for a leap."""
FEWEST_OCTAVES = 6
"""Over how many steps a function must be seen to move in visible steps that are large beside its values."""
LARGE = 2.0**-10
"""Jumps of more than this part of the function's values are the function's own, unless there are many."""


def visible_step(ladder: "Estimates") -> float:
    """The size of the steps in which the function moves near x; 0 if it is continuous but for its rounding."""
    size = 0.0
    for sign, chords in ladder.chords.items():
        far = first_move(chords)
        if far:
            size = max(size, size_of_step(ladder, 0.5 * sign * far, sign * far))
    leap = first_leap(ladder.both, U * abs(ladder.here.value))
    if leap:
        size = max(size, *(size_of_step(ladder, 2.0 * s * leap, 4.0 * s * leap) for s in ladder.chords))
    return size


def first_move(chords: "Sequence[Chord]") -> float:
    """The step with which a function first moves that stands still at smaller ones; 0 if there is none."""
    for i, chord in enumerate(chords):
        if chord.slope:
            return chord.step if i else 0.0
    return 0.0


def first_leap(estimates: "Sequence[Estimate]", rounding: float) -> float:
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


def size_of_step(ladder: "Estimates", near: float, far: float) -> float:
    """The size of the jump between two distances from x, if it is noise and not a feature of the function."""
    moved = abs(ladder.at(far)[1].value - ladder.at(near)[1].value)
    if not 0.0 < moved < math.inf:
        return 0.0
    if moved <= 1024.0 * ladder.values.unit * abs(ladder.here.value):
        return moved
    found = jump(ladder, near, far)
    largest = ladder.largest()
    if found <= LARGE * largest:
        return found
    if abs(far) * 2.0**FEWEST_OCTAVES > ladder.steps[-1]:
        return 0.0
    more = [jump(ladder, far * k, far * 2.0 * k) for k in (1.0, 2.0)]
    return found if min(more) > 0.1 * found else 0.0


def jump(ladder: "Estimates", near: float, far: float) -> float:
    """How far the function jumps between two distances from x; 0 if it only bends there."""
    low, high = ladder.at(near), ladder.at(far)
    changes = [abs(high[1].value - low[1].value)]
    for _ in range(HALVINGS):
        middle = ladder.at(0.5 * (low[0] + high[0]))
        if middle[0] in (low[0], high[0]):
            break
        first, second = abs(middle[1].value - low[1].value), abs(high[1].value - middle[1].value)
        if not (first < math.inf and second < math.inf):
            return 0.0
        low, high = (low, middle) if first > second else (middle, high)
        changes.append(max(first, second))
    return changes[-1] if changes[-1] > 0.125 * max(changes[:3]) else 0.0


def unit_of(values: Iterable[float]) -> float:
    """The unit roundoff of float32, if all the values are numbers of float32; otherwise that of doubles.

    >>> unit_of([1.0, 0.75]) == 2.0**-24, unit_of([1.0, 0.1]) == 2.0**-53
    (True, True)
    """
    for value in values:
        if abs(value) < math.inf and not (math.frexp(value)[0] * 2.0**24).is_integer():
            return U
    return 2.0**-24
