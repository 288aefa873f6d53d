"""Which step is right for a finite difference?

All of them are tried. Chords of some neighbouring steps make an estimate of the derivative (`estimates.py`), one for
each step. The one with the smallest bound that agrees with every smaller step is believed.

`finite_differences.py` explains the idea; here it is carried out. `visible_steps.py` tells functions that move in
visible steps from those with kinks nearby.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from autograd.testing.differences.estimates import NO_SLOPE, Estimate, Ladder, Slope, steps_for
from autograd.testing.differences.function_values import FunctionValue, FunctionValues
from autograd.testing.differences.rounding_errors import U
from autograd.testing.differences.visible_steps import SMALL, visible_step


class Verdict(NamedTuple):
    """What the estimates say together. The fields are those of `Difference`; the word is its verdict."""

    word: str
    slope: Slope
    noise: float
    left: Slope
    right: Slope
    scale: float


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
HIDDEN = 2.0
"""How many times the errors of values count, for what they hide."""
SHARP = 1e-3
"""How sharp the slopes beside a kink must be, as a part of their distance, where the noise is only estimated."""
SLIGHT = 2.0**-6
"""Which part of the slopes a derivative may be off whose sides seem to differ, where noise may explain that."""
SLIGHT_OF_SHORT_FLOATS = 0.5
"""The same where a kink can hardly be seen."""
APART = 4.0
"""How many times smaller than that the sides' distance must be."""
VISIBLE = 64.0
"""How many times the rounding of its value a step of the function must have to be called visible."""
FEW_ROUNDINGS = 2.0
"""How many times a bound counts that rests on the few roundings that short floats show."""
GROWING = 13
"""Over how many steps differences must grow by the same law."""


def with_all_steps(values: FunctionValues, x: float, nearest: Callable[[float], float], smallest: float) -> Verdict:
    """What the whole ladder of steps says of the derivative at x; steps below the smallest are not tried."""
    ladder = Ladder(values, x, nearest, [step for step in steps_for(x, values.unit) if step >= smallest])
    found = verdict(ladder)
    if x == 0.0 and found.word in ("infinite slope", "jump") and not goes_on(ladder):
        to_the_last = verdict(Ladder(values, x, nearest, [2.0**-k for k in range(1074, 0, -1)]))
        return to_the_last._replace(scale=found.scale)
    return found


def verdict(ladder: Ladder) -> Verdict:
    """The slope that is believed, the word for it, and the slopes from either side."""
    values, known = ladder.values, ladder.here.error
    quantum = visible_step(ladder) if values.estimated else 0.0
    noisy, short = values.estimated and not values.is_short, values.estimated and values.is_short
    noise = max(quantum, rounding_of_shorter_floats(ladder))
    if short:
        noise = max(noise if noise > 4.0 * known else 0.0, 2.0 * ladder.noise_of_neighbours() - known)
    left, right, both = (sharpest_order(ladder, side, noise, noisy) for side in ladder.orders())
    found, word = sides_together(ladder, left, right, both)
    if short:
        found = found._replace(slope=Slope(found.slope.value, FEW_ROUNDINGS * found.slope.bound))
    if word == "smooth" and quantum > VISIBLE * values.unit * abs(ladder.here.value):
        word = "quantised"
    limit = max(SMALL, 16.0 * values.unit)
    if found.noise - (values.noise or 0.0) > limit * ladder.largest() > 0.0:  # beyond what is known
        found, word = NOTHING, "inconclusive"
    return Verdict(word, found.slope, found.noise, left.slope, right.slope, ladder.scale())


def sides_together(ladder: Ladder, left: Belief, right: Belief, both: Belief) -> tuple[Belief, str]:
    """The slope and the verdict, from what the sides say."""
    if not (ladder.left or ladder.right):
        return NOTHING, "inconclusive"
    growths = [growth(ladder.moves(sign, ladder.steps)) for sign in (-1, 1)]
    if "jump" in growths:
        return NOTHING, "jump"
    if any(growths):
        if ladder.left and ladder.right and growths[0] != growths[1]:
            return NOTHING, "kink"
        return Belief(Slope(growths[0] or growths[1], 0.0), 0.0), "infinite slope"
    if ladder.left and ladder.right and not left.slope.agrees(right.slope):
        apart = abs(left.slope.value - right.slope.value)
        if not ladder.values.estimated or left.slope.bound + right.slope.bound <= SHARP * apart:
            return NOTHING, "kink"
        value = 0.5 * left.slope.value + 0.5 * right.slope.value
        around = Slope(value, abs(value) * (SLIGHT_OF_SHORT_FLOATS if ladder.values.is_short else SLIGHT))
        is_slight = APART * apart <= around.bound  # then only the first digits, in which both agree, are believed
        return (Belief(around, max(left.noise, right.noise)), "smooth") if is_slight else (NOTHING, "inconclusive")
    sides = [side for side, seen in ((left, ladder.left), (right, ladder.right)) if seen]
    if not all(math.isfinite(side.slope.bound) for side in sides):
        return NOTHING, "inconclusive"  # across a pole or a near kink both sides together may look smooth
    return best_of(ladder, both, left, right), "smooth" if ladder.left and ladder.right else "edge"


def sharpest_order(ladder: Ladder, orders: Sequence[Sequence[Estimate]], noise: float, noisy: bool) -> Belief:
    """What is believed of estimates from many chords, or if those from fewer agree and are sharper, of these."""
    beliefs = [believed(ladder, estimates, noise, noisy) for estimates in orders]
    best = min(beliefs, key=lambda belief: belief.slope.bound)
    return best if all(best.slope.agrees(other.slope) for other in beliefs) else beliefs[0]


def believed(ladder: Ladder, estimates: Sequence[Estimate], least: float, noisy: bool) -> Belief:
    """The estimate with the smallest bound 2T + R that agrees with all smaller steps.

    The first ones have too little to compare with. The noise of the function is at least `least`, and if it is read
    from the values (`noisy`), three times the largest that smaller steps have shown.
    """
    best, lowest, highest = NOTHING, math.inf, -math.inf
    noise = least
    wiggles = [estimate.wiggle for estimate in estimates]
    if noisy and grows(wiggles):
        noisy, noise = False, max(noise, 3.0 * plateau(wiggles, SMALL * ladder.largest()))
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
            best = Belief(Slope(value, bound), max(noise, ladder.here.error), errors)
        lowest, highest = min(lowest, value + bound), max(highest, value - bound)
    return best


def rounding_of_shorter_floats(ladder: Ladder) -> float:
    """How much the value is rounded of a function of doubles that computes in float32, as all its values show."""
    unit = unit_of(f.value for f in ladder.values.known.values()) if ladder.values.estimated else U
    return unit * abs(ladder.here.value) if unit > U else 0.0


def unit_of(values: Iterable[float]) -> float:
    """The unit roundoff of float32, if all the values are numbers of float32; otherwise that of doubles.

    >>> unit_of([1.0, 0.75]) == 2.0**-24, unit_of([1.0, 0.1]) == 2.0**-53
    (True, True)
    """
    for value in values:
        if abs(value) < math.inf and not (math.frexp(value)[0] * 2.0**24).is_integer():
            return U
    return 2.0**-24


def goes_on(ladder: Ladder) -> bool:
    """Whether differences at 0 really grow without end, or only down to a step smaller than those tried."""
    steps = [2.0 ** -(1060 - 80 * k) for k in range(GROWING)]
    near, far = ([growth(ladder.moves(sign, s), n) for sign in (-1, 1)] for s, n in ((ladder.steps, 1), (steps, 80)))
    return near == far


def best_of(ladder: Ladder, *beliefs: Belief) -> Belief:
    """The belief with the smallest bound, widened by what the errors of values may hide.

    What is smaller than these errors and narrower than the step cannot be seen. At 34 silu joins its asymptote: to the
    right it looks straight, and the difference of its slope from 1 shows only on the left, at smaller steps. With
    float16 and bfloat16 steps are so large that a bend is taken to be as wide as half the digits, or it is missed.
    """
    best = min(beliefs, key=lambda belief: belief.slope.bound)
    errors = max(belief.errors for belief in beliefs)
    hidden = HIDDEN * errors
    if ladder.values.is_coarse:
        narrow = ladder.values.unit**0.5 * max(1.0, abs(ladder.x))
        hidden = 0.5 * errors + (ladder.here.error + best.noise) / narrow
    return best._replace(slope=Slope(best.slope.value, best.slope.bound + hidden))


def grows(wiggles: Sequence[float]) -> bool:
    """Whether values lie farther from a curve with each larger step, from the first step on.

    Noise would be the same at all small steps. This is the function's own shape, or a rounding that is proportional to
    the step.
    """
    seen = [wiggle for wiggle in wiggles if wiggle][:16]
    return len(seen) == 16 and median(seen[11:]) > 64.0 * median(seen[:5])


def plateau(wiggles: Sequence[float], most: float) -> float:
    """How far values lie from a curve over 16 steps on end, if that is the same for all: then it is noise after all.

    In 1 - x*x at 0.99999 small steps fall on doubles whose rounding errors form a line; larger ones do not. Beyond a
    kink or a bend values would lie farther away with each step, beyond a jump as far as the function is large.
    """
    for k in range(len(wiggles) - 15):
        few, many = sorted(wiggles[k : k + 16])[3:13:9]
        if 0.0 < many <= min(4.0 * few, most):
            return many
    return 0.0


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
