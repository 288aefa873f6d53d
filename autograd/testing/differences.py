"""How can a derivative be computed from values of a function alone, with an error bound that holds?

No step size is right for every function, so a whole ladder of steps is tried: `h` runs through powers of two, from
about the size of x down to its last bits, and the function is called at x + h and x - h for each. From six
neighbouring points comes one estimate D of the derivative, together with two doubts about it:

- truncation T, what the formula leaves out: how much D changes with fewer points, and with half the step;
- rounding R, what the errors of the function's values can do to it: each weight times the error of its value.

The bound is B = 2T + R. Large steps suffer from truncation, small ones from rounding; the estimate to be believed is
the one with the smallest bound that agrees with *every* smaller step. The same is done with points on one side of x
only: where the sides disagree there is a kink, where one of them is missing an edge, and where differences
grow without end an infinite slope or a jump.

The errors of the function's values are read from the recorded graph, if the function returns a `Value` (see
`rounding_error`); are given by the caller (`noise`); or are estimated: at small steps, what the values show beside a
smooth curve is their noise. The idea of estimating noise from differences is that of J. J. Moré and S. M. Wild,
Estimating Computational Noise, SIAM J. Sci. Comput. 33 (2011).
"""

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from autograd.graph import interior
from autograd.reals import real_or_none, shown
from autograd.testing.errors import NotDeterministicError
from autograd.value import Value

U = 2.0**-53
"""The unit roundoff of doubles: a rounding changes a number by at most this part of it."""
SMALLEST = 2.0**-1074
OCTAVES = 50
"""How far the ladder goes down from the size of x, which has 52 bits after its first."""

# The points of an estimate, in units of the step. Since they are powers of two, neighbouring steps share all but two.
BOTH_SIDES, RIGHT_SIDE, LEFT_SIDE = (1, 2, 4, -1, -2, -4), (1, 2, 4, 8, 16), (-1, -2, -4, -8, -16)


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


@dataclass(frozen=True)
class Difference:
    """The derivative of a function at a point, by finite differences.

    Attributes:
        value: the derivative: inf or -inf for an infinite slope; nan if there is none or none was found.
        bound: what the error of `value` does not exceed; inf if nothing can be said.
        verdict: "smooth"; "kink", the derivatives from the left and from the right differ; "edge", the function is
            defined on one side only; "infinite slope"; "jump"; "quantised", the function moves in visible steps, so
            that its derivative is that of the curve through them; "undefined", it has no finite value here;
            "inconclusive", no step can be trusted.
        evaluations: how often the function was called.
        estimated: whether `bound` rests on an estimate of the function's noise.
        noise: the error of the function's values that the bound allows for.
        left, right: the derivatives from either side, as `Slope`s.
    """

    value: float
    bound: float
    verdict: str
    evaluations: int
    estimated: bool
    noise: float
    left: Slope = NO_SLOPE
    right: Slope = NO_SLOPE

    def __str__(self) -> str:
        found = str(Slope(self.value, self.bound))
        if self.verdict == "kink":
            found = f"{self.left} to the left, {self.right} to the right"
        elif math.isnan(self.value) or math.isinf(self.value):
            found = str(self.value)
        estimated = ", estimated" if self.estimated else ""
        return f"{found}  ({self.evaluations} evaluations, {self.verdict}{estimated})"


def finite_difference(f: Callable[[Any], Any], x: Any, noise: float | None = None) -> Difference:
    """The derivative of any function of one number, with an error bound in place of a tolerance.

    Arguments:
        f: a function of one number that returns a number; where it raises ArithmeticError or ValueError it
            counts as undefined.
        x: the point. As a float, or any other real number, it is passed to f as a float; as a NumPy number as one
            of the same type, in steps that its precision can hold; as a `Value` as a Value, and if f returns a Value
            too, the rounding errors are read from the graph that it recorded.
        noise: by how much a value of f may be off, beyond the rounding of the result itself. If None it is
            read from the graph, or estimated.

    Returns:
        a `Difference`: value, bound, verdict, number of evaluations.

    Raises:
        TypeError: f returns something else than one real number, or x is not one.
        ValueError: x is not finite, or noise is negative or nan.
        NotDeterministicError: f(x) is not the same number when called again.

    >>> found = finite_difference(math.exp, 1.0)
    >>> found.verdict, abs(found.value - math.e) <= found.bound < 1e-9
    ('smooth', True)
    >>> finite_difference(abs, 0.0).verdict, finite_difference(math.sqrt, 0.0).value
    ('kink', inf)
    >>> finite_difference(lambda x: (1e8 + x) - 1e8, 0.5).verdict
    'quantised'
    """
    number, make, unit = _kind_of(x)
    if noise is not None and not (isinstance(noise, (int, float)) and noise >= 0.0):
        raise ValueError(f"finite_difference takes a noise of at least 0, or None; got {shown(noise)}")
    samples = Samples(lambda p: f(make(p)), unit, noise)
    return difference_at(samples, number, lambda p: _number_of(make(p)))


def _kind_of(x: Any) -> tuple[float, Callable[[float], Any], float]:
    """The number, how to make another one of its kind, and the unit roundoff of that kind."""
    number = x.data if isinstance(x, Value) else real_or_none(x)
    if number is None:
        raise TypeError(f"finite_difference takes one real number as the point; got {shown(x)}")
    if not math.isfinite(number):
        raise ValueError(f"finite_difference takes a finite point; got {number}")
    unit = roundoff(x)
    make: Any = Value if isinstance(x, Value) else float if unit == U else type(x)
    return number, make, unit


def roundoff(x: Any) -> float:
    """The unit roundoff of a number's type: that of doubles but for NumPy's shorter floats.

    >>> import numpy as np
    >>> roundoff(np.float32(1.0)) == 2.0**-24, roundoff(1) == 2.0**-53
    (True, True)
    """
    size = getattr(getattr(x, "dtype", None), "itemsize", 8)
    is_float = getattr(getattr(x, "dtype", None), "kind", "f") == "f"
    return {2: 2.0**-11, 4: 2.0**-24}.get(size, U) if is_float else U


def _number_of(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


# Is a derivative what the differences say?

RESOLUTION = 1e-6
"""A gradient counts as confirmed if the differences are at least this exact beside it, otherwise as inconclusive."""


def judge(derivative: float, difference: Difference, unit: float = U) -> str:
    """Whether a derivative is what finite differences say: "right", "wrong", "inconclusive"; at a jump "convention".

    Arguments:
        derivative: the number in question.
        difference: what `finite_difference` found.
        unit: the unit roundoff of the numbers in which the derivative was computed.
    """
    if difference.verdict == "jump":
        return "convention"
    if difference.verdict in ("inconclusive", "undefined"):
        return "inconclusive"
    if difference.verdict == "infinite slope":
        return "right" if derivative == difference.value else "wrong"
    if difference.verdict == "kink":
        return "right" if _between(derivative, difference) else "wrong"
    value, bound = difference.value, difference.bound
    if not abs(derivative - value) <= bound + 8.0 * unit * abs(value) + 8.0 * SMALLEST:
        return "wrong"
    resolution = max(RESOLUTION, unit**0.5)  # half the digits that there are
    conclusive = derivative == value or bound <= resolution * max(abs(derivative), abs(value))
    return "right" if conclusive or bound <= 8.0 * SMALLEST else "inconclusive"


def _between(derivative: float, difference: Difference) -> bool:
    """Whether it lies between the derivatives from the left and from the right, as far as those are known."""
    left, right = difference.left, difference.right
    if not (math.isfinite(left.bound) and math.isfinite(right.bound)):
        return not math.isnan(derivative)
    lowest = min(left.value - left.bound, right.value - right.bound)
    return lowest <= derivative <= max(left.value + left.bound, right.value + right.bound)


# The values of the function


class Sample(NamedTuple):
    """A value of the function and a bound for its error, as far as that is known."""

    value: float
    error: float


UNDEFINED = Sample(math.nan, 0.0)


class Samples:
    """The values of a function of one number, each computed once.

    Arguments:
        f: the function; it may return a number or a Value.
        unit: the unit roundoff of its results, if they are longer than they are exact.
        noise: by how much its values may be off, or None if that has to be found out.
    """

    def __init__(self, f: Callable[[float], Any], unit: float = U, noise: float | None = None) -> None:
        self.f, self.unit, self.noise = f, unit, noise
        self.known: dict[float, Sample] = {}
        self.calls = 0
        self.estimated = noise is None

    def __call__(self, x: float) -> Sample:
        """f(x): where it has no finite value, or none at all, nan."""
        if x not in self.known:
            self.known[x] = self.compute(x)
        return self.known[x]

    def compute(self, x: float) -> Sample:
        """f(x) once more."""
        self.calls += 1
        try:
            with quiet():
                out = self.f(x)
        except (ArithmeticError, ValueError):
            return UNDEFINED
        if isinstance(out, Value):
            self.estimated = False
            return Sample(out.data, rounding_error(out) + (self.noise or 0.0))
        if isinstance(out, complex):  # Python's answer outside a domain, as for (-1) ** 0.5
            return UNDEFINED
        number = real_or_none(out)
        if number is None:
            raise TypeError(f"the function returned {shown(out)} ({type(out).__name__}) at {x!r}, not a number")
        unit = max(self.unit, roundoff(out))
        return Sample(number, unit * abs(number) + SMALLEST + (self.noise or 0.0))


def quiet() -> Any:
    """Keeps NumPy from warning of what lies outside a function's domain."""
    numpy = sys.modules.get("numpy")
    return numpy.errstate(all="ignore") if numpy else nullcontext()


# How accurately is each operation computed, in units of its result's last place? Additions, products, quotients and
# square roots are rounded once; choices are exact; the C library stays within one or two; formulas of several steps
# within 8 (these are bounds: `tests/autograd/test_accuracy.py` measures them).
EXACT = {"neg", "abs", "relu", "maximum", "minimum", "max", "min", "clip", "where", "take", "sign", "floor", "ceil"}
ROUNDED_ONCE = {"add", "sub", "mul", "div", "sqrt", "leaky_relu", "remainder"}
FROM_THE_LIBRARY = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos"}
FROM_THE_LIBRARY |= {"atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "pow", "hypot"}
ROUNDINGS = dict.fromkeys(FROM_THE_LIBRARY, 4.0) | dict.fromkeys(ROUNDED_ONCE, 1.0) | dict.fromkeys(EXACT, 0.0)
OTHERWISE = 16.0


def rounding_error(root: Value) -> float:
    """A bound for the rounding error of a graph's value: each operation rounds, and passes on its operands' errors.

    That is a running error analysis of first order (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 3.3).

    >>> rounding_error(Value(2.0)), rounding_error((Value(1.0) + 1e8) - 1e8) > 1e-8
    (0.0, True)
    """
    errors: dict[Value, float] = {}
    for node in interior(root):
        error = own_rounding(node)
        for parent, local in zip(node.parents, node.local_derivatives, strict=True):
            passed = errors.get(parent)  # None for a leaf, which is exact
            if passed and local:
                error += abs(local) * passed
        errors[node] = error
    return errors.get(root, 0.0)


def own_rounding(node: Value) -> float:
    """What one operation adds to the error: its roundings times its result, or times what is summed up in it."""
    name, size = node.operation, abs(node.data)
    roundings = ROUNDINGS.get(name, OTHERWISE)
    if name in FINER_THAN_DOUBLES and too_coarse(node):
        return math.inf
    if name == "gelu":  # -x / sqrt(2) is rounded before erfc, whose tail changes by x*x times as much
        roundings += sum(x.data * x.data for x in node.parents)
    elif name not in ROUNDINGS and len(node.operands) > 1:  # sums of products, of exponentials, of squares
        terms = zip(node.parents, node.local_derivatives, strict=True)
        size += math.fsum(abs(local * parent.data) for parent, local in terms if local)
        roundings += len(node.operands)
    return roundings * (U * size + SMALLEST)


FINER_THAN_DOUBLES = {"sin", "cos", "tan", "floor", "ceil", "round", "floor_divide", "remainder", "pow"}


def too_coarse(node: Value) -> bool:
    """Whether steps are so much larger than the operation's waves, jumps or bends that its differences say nothing."""
    operands: list[float] = [x.data if isinstance(x, Value) else x for x in node.operands]
    first, *others = operands
    if node.operation == "pow":
        return abs(others[0]) >= 2.0**42  # next to 1, whose neighbours are too far away
    return max(abs(first), 1.0) >= 2.0**36 * (abs(others[0]) if others else 64.0)


# The ladder


class Rung(NamedTuple):
    """What one step says.

    `value` is the estimate with all points, `residual` what it changes by without the outermost ones, `doubt` what the
    known errors of the function's values can do to it, `arithmetic` what the rounding of its own arithmetic can,
    `weight` times the step what one more unit of error would do, `wiggle` how far the values lie from a smooth curve;
    `flat` says that the function did not move at all.
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
        """What the errors of the values can do to the estimate, if they are larger by `noise` than known."""
        return self.doubt + self.weight * noise / self.step


def difference_at(samples: Samples, x: float, nearest: Callable[[float], float] = float) -> Difference:
    """The derivative of the function behind `samples` at x; `nearest` rounds a point to one that it can be given."""
    here = samples(x)
    again = samples.compute(x)
    if not same_number(again.value, here.value):
        raise NotDeterministicError(
            f"the function gave {here.value!r} and then {again.value!r} at the same point {x!r}; "
            f"seed its random numbers anew at each call, or switch them off (model.eval() for dropout)"
        )
    if not math.isfinite(here.value):
        return Difference(math.nan, math.inf, "undefined", samples.calls, samples.estimated, 0.0)
    ladder = _Ladder(samples, x, nearest, steps_for(x, samples.unit))
    found = ladder.difference()
    if x == 0.0 and found.verdict in ("infinite slope", "jump") and not ladder.goes_on():
        found = _Ladder(samples, x, nearest, [2.0**-k for k in range(1074, 0, -1)]).difference()
    return found


def same_number(a: float, b: float) -> bool:
    """Whether two floats are equal, or both nan."""
    return a == b or (a != a and b != b)


def steps_for(x: float, unit: float = U) -> list[float]:
    """The steps of the ladder, smallest first: powers of two, below max(1, |x|) and below |x|, that x can be moved by.

    >>> steps_for(3.0)[0] == 2.0**-49, steps_for(3.0)[-1]
    (True, 2.0)
    """
    octaves = OCTAVES + round(math.log2(U / unit))
    tops = {math.frexp(max(1.0, abs(x)))[1] - 1, math.frexp(x or 1.0)[1] - 1}
    exponents = {top - k for top in tops for k in range(octaves + 1)}
    return [math.ldexp(1.0, e) for e in sorted(exponents) if e >= -1074]


class _Ladder:
    """The estimates of one derivative with every step, to the left, to the right, and to both sides."""

    def __init__(self, samples: Samples, x: float, nearest: Callable[[float], float], steps: Sequence[float]) -> None:
        self.samples, self.x, self.nearest, self.steps = samples, x, nearest, steps
        self.here = samples(x)
        self.left, self.right, self.both = map(self.rungs, (LEFT_SIDE, RIGHT_SIDE, BOTH_SIDES))

    def at(self, distance: float) -> tuple[float, Sample]:
        """How far the nearest possible point to x + distance is from x, and the function there."""
        point = self.nearest(self.x + distance)
        return point - self.x, self.samples(point)

    def rungs(self, points: Sequence[int]) -> list[Rung]:
        """The rungs from the smallest step up to where a point leaves the domain."""
        rungs: list[Rung] = []
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
                rung = self.rung(step, weights(points, step, distances), [f for _, f in found])
            except (OverflowError, ValueError):  # the differences, or the slope, are larger than any double
                break
            if all(map(math.isfinite, rung)):
                rungs.append(rung)
        return rungs

    def rung(self, step: float, weighed: "Weights", found: Sequence[Sample]) -> Rung:
        """One estimate. Differences are divided by the step at the end, since 1 / step may overflow."""
        here = self.here
        moved = [f.value - here.value for f in found]
        value = math.fsum([w * d for w, d in zip(weighed.all, moved, strict=True)])
        residual = value - math.fsum([w * d for w, d in zip(weighed.fewer, moved, strict=True)])
        doubt = math.fsum([abs(w) * (f.error + here.error) for w, f in zip(weighed.all, found, strict=True)])
        # 12 roundings: those of the point, of the weight, of the difference and of the product
        arithmetic = 12.0 * math.fsum([abs(w * d) * U + SMALLEST for w, d in zip(weighed.all, moved, strict=True)])
        wiggle, flat = abs(residual) / weighed.size, not any(moved)
        if abs(value) > doubt and math.isinf(value / step):
            raise OverflowError
        changes = value / step, residual / step, doubt / step, arithmetic / step
        return Rung(step, *changes, 2.0 * weighed.sum, wiggle, flat)

    # What the rungs say together

    def difference(self) -> Difference:
        """The verdict."""
        left, right, both = map(self.believed, (self.left, self.right, self.both))
        found, verdict = self.judge(left, right, both)
        if found.noise > NOT_A_CURVE * self.largest() > 0.0:
            found, verdict = NOTHING, "inconclusive"
        samples = self.samples
        return Difference(*found.slope, verdict, samples.calls, samples.estimated, found.noise, left.slope, right.slope)

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
        through_steps = self.through_steps() if self.samples.estimated else NOTHING
        if through_steps is not NOTHING:
            return through_steps, "quantised"
        if self.left and self.right and not left.slope.agrees(right.slope):
            return NOTHING, "kink"
        if not math.isfinite(min(left.slope.bound, right.slope.bound)):
            return NOTHING, "inconclusive"  # across a pole both sides together may look smooth
        return best_of(both, left, right), "smooth" if self.left and self.right else "edge"

    def moves(self, sign: int, steps: Sequence[float]) -> list[Sample]:
        """How the function moves with each step to one side, smallest first, and the error of that."""
        found = [self.at(sign * step)[1] for step in steps]
        here = self.here
        return [Sample(sign * (f.value - here.value), f.error + here.error) for f in found if math.isfinite(f.value)]

    def goes_on(self) -> bool:
        """Whether differences at 0 grow without end indeed, or just down to a smaller step than the ladder has."""
        steps = [2.0 ** -(1060 - 80 * k) for k in range(GROWING)]
        near, far = ([growth(self.moves(sign, s), n) for sign in (-1, 1)] for s, n in ((self.steps, 1), (steps, 80)))
        return near == far

    def bounds(self, rungs: Sequence[Rung]) -> list["Belief"]:
        """The estimates of the rungs with their bounds 2T + R. The first ones have too little to compare with."""
        found = [Belief(Slope(rung.value, math.inf), 0.0, False) for rung in rungs[:2]]
        noise = 0.0
        for i in range(2, len(rungs)):
            rung = rungs[i]
            if self.samples.estimated:  # three times the largest noise that smaller steps have shown
                noise = 3.0 * max(r.wiggle for r in rungs[: max(i, 3)])
            errors = rung.doubt_with(noise)
            rounding = errors + rung.arithmetic
            truncation = max(abs(rung.residual), remainder(rungs[i - 2 : i + 1]))
            settled = truncation <= 8.0 * rounding or falls([abs(r.residual) for r in rungs[max(i - 4, 0) : i + 1]])
            slope = Slope(rung.value, 2.0 * truncation + rounding)
            settled = settled or self.settles(rungs[:i], noise)
            found.append(Belief(slope, max(noise, self.here.error), settled, errors))
        return found

    def settles(self, rungs: Sequence[Rung], noise: float) -> bool:
        """Whether the residuals of a smaller step are those of rounding: what is left at larger ones is truncation."""
        return any(abs(r.residual) <= 8.0 * (r.doubt_with(noise) + r.arithmetic) for r in rungs)

    def believed(self, rungs: Sequence[Rung]) -> "Belief":
        """The estimate with the smallest bound that agrees with all smaller steps."""
        best, lowest, highest = NOTHING, math.inf, -math.inf
        for belief in self.bounds(rungs):
            value, bound = belief.slope
            agrees = value - bound <= lowest and highest <= value + bound
            if agrees and belief.settled and bound < best.slope.bound:
                best = belief
            lowest, highest = min(lowest, value + bound), max(highest, value - bound)
        return best

    def through_steps(self) -> "Belief":
        """The slope of the curve through the steps of a function that stands still where that curve moves.

        A function that is really constant up to some step shows no slope at larger ones, but kinks.
        """
        first = next((i for i, rung in enumerate(self.both) if not rung.flat), len(self.both))
        moving = [[rung for rung in rungs if rung.step >= self.both[first].step] for rungs in self.sides(first)]
        if len(moving) < 3:
            return NOTHING
        left, right, both = map(self.believed, moving)
        slope = both.slope
        expected = abs(slope.value) * self.both[first - 1].step
        agreeing = sum(b.slope.agrees(slope) and b.slope.bound < abs(slope.value) for b in self.bounds(moving[2]))
        stands_still = expected > 8.0 * self.samples.unit * abs(self.here.value) and agreeing >= 8
        return best_of(both, left, right) if stands_still and left.slope.agrees(right.slope) else NOTHING

    def sides(self, first: int) -> list[list[Rung]]:
        """The rungs to the left, to the right and to both sides, if there are any before and from the given one."""
        return [self.left, self.right, self.both] if 0 < first < len(self.both) else []

    def largest(self) -> float:
        """The largest value of the function that was seen."""
        return max(abs(f.value) for f in self.samples.known.values() if math.isfinite(f.value))


class Belief(NamedTuple):
    """A slope, the noise of the function's values that its bound allows for, whether that bound can be trusted, and how
    much of it comes from the errors of the values."""

    slope: Slope
    noise: float
    settled: bool = True
    errors: float = 0.0


NOTHING = Belief(NO_SLOPE, 0.0)
NOT_A_CURVE = 2.0**-10
"""Where the noise is more than this part of the function's values, no slope is read from them."""
HIDDEN = 2.0
"""How many times the errors of values count, for what they hide."""
GROWING = 13
"""Over how many steps differences must grow by the same law."""


def best_of(*beliefs: Belief) -> Belief:
    """The belief with the smallest bound, widened by what the errors of values may hide.

    What is smaller than these errors and narrower than the step cannot be seen. silu at 34 joins its asymptote: to the
    right it looks straight, and what its slope differs from 1 shows on the left only, at smaller steps.
    """
    best = min(beliefs, key=lambda belief: belief.slope.bound)
    hidden = HIDDEN * max(belief.errors for belief in beliefs)
    return best._replace(slope=Slope(best.slope.value, best.slope.bound + hidden))


def falls(residuals: Sequence[float]) -> bool:
    """Whether they become smaller with each smaller step, as truncation does."""
    return len(residuals) == 5 and all(a <= 0.9 * b for a, b in pairwise(residuals))


def remainder(rungs: Sequence[Rung]) -> float:
    """What is left of estimates that change by less and less as the step shrinks: the sum of a geometric series."""
    first, middle, last = rungs
    change, change_before = abs(last.value - middle.value), abs(middle.value - first.value)
    rounding = first.doubt + middle.doubt + first.arithmetic + middle.arithmetic
    if change_before <= 2.0 * rounding or not change:
        return change
    return change / (1.0 - min(change_before / change, 0.95))


def growth(moves: Sequence[Sample], octaves: int = 1) -> Any:
    """Whether differences grow without end as steps shrink: "jump", inf or -inf for an infinite slope, or None.

    Where f moves like h**q, q = 1 is a slope, q = 0 a jump, and in between the slope is infinite. The moves belong to
    steps that are so many octaves apart.
    """
    clear = [abs(move.value) > 128.0 * move.error for move in moves]
    first = clear.index(True) if True in clear else len(clear)
    seen = [move.value for move in moves[first : first + GROWING]]
    if len(seen) < GROWING or not all(clear[first : first + GROWING]) or len({value > 0.0 for value in seen}) > 1:
        return None
    exponents = [math.log2(b / a) / octaves for a, b in pairwise(seen)]
    if max(exponents) - min(exponents) > 0.04 or max(exponents) > 0.98:
        return None
    return "jump" if max(exponents) < 0.02 else math.copysign(math.inf, seen[0])


# Weights


class Weights(NamedTuple):
    """The weights of the differences f(x + t) - f(x), times the step: with all points, and with fewer.

    `sum` adds up their sizes; `size` is the Euclidean length of the residual's weights, by which independent errors
    of one unit are multiplied there on average.
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
