"""How can a derivative be computed from values of a function alone, with an error bound that holds?

No step size is right for every function, so many are tried: `h` runs through powers of two, from about the size of x
down to its last bits, and the function is called at x + h and x - h for each. The differences of three neighbouring
steps give one estimate D of the derivative (Richardson's extrapolation), together with two doubts about it:

- truncation T, what the formula leaves out: how much D changes without the longest step, and with half the steps;
- rounding R, what the errors of the function's values can do to it: each weight times the error of its value.

The bound is B = 2T + R. Large steps suffer from truncation, small ones from rounding. The estimate to believe is the
one with the smallest bound that agrees with *every* smaller step. The same is done with five steps on one side of x
only: where the sides disagree there is a kink; where one side is missing there is an edge; where differences grow
without end there is an infinite slope or a jump.

The errors of the function's values are read from the recorded graph if the function returns a `Value` (see
`rounding_error`). Otherwise the caller gives them (`noise`), or they are estimated: at small steps, whatever the values
show beside a smooth curve is their noise; where the function stands still and then jumps, the jumps are. float32 has
few small steps: there the values at some numbers next to x show it. Estimating noise from differences is the idea of J.
J. Moré and S. M. Wild, Estimating Computational Noise, SIAM J. Sci. Comput. 33 (2011).

Whoever asks whether a number is the derivative says so: then some 30 values often leave no doubt, and the other steps
are not tried (`confirming.py`).

The estimates are in `estimates.py`, the choice among them in `step_sizes.py`, the jumps in `visible_steps.py`, the
values of the function in `function_values.py`, and the errors of a graph in `rounding_errors.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.testing.arrays import roundoff
from autograd.testing.differences.confirming import confirmed
from autograd.testing.differences.estimates import NO_SLOPE, Slope
from autograd.testing.differences.function_values import FunctionValues, checked_noise, quiet, same_number
from autograd.testing.differences.rounding_errors import SMALLEST, U
from autograd.testing.differences.step_sizes import with_all_steps
from autograd.testing.errors import not_repeated
from autograd.value import Value


@dataclass(frozen=True)
class Difference:
    """The derivative of a function at a point, by finite differences.

    Attributes:
        value: the derivative: inf or -inf for an infinite slope; nan if there is none or none was found.
        bound: the most that `value` can be off; inf if nothing can be said.
        verdict: "smooth"; "kink", the derivatives from the left and from the right differ; "edge", the function is
            defined on one side only; "infinite slope"; "jump"; "quantised", the function moves in visible steps, so
            that its derivative is that of the curve through them; "undefined", it has no finite value here;
            "inconclusive", no step can be trusted.
        evaluations: how often the function was called.
        estimated: whether `bound` rests on an estimate of the function's noise.
        noise: the error of the function's values that the bound allows for.
        left, right: the derivatives from either side, as `Slope`s.
        scale: the size of the slopes that the function has near the point: beside it a derivative of 0 is small.
    """

    value: float
    bound: float
    verdict: str
    evaluations: int
    estimated: bool
    noise: float
    left: Slope = NO_SLOPE
    right: Slope = NO_SLOPE
    scale: float = 0.0

    @property
    def slopes(self) -> tuple[Slope, ...]:
        """Those at a kink, or the one there is."""
        return (self.left, self.right) if self.verdict == "kink" else (Slope(self.value, self.bound),)

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
        x: the point. f is called with a float; if x is a number of NumPy's, with one of the same type, in steps that
            its precision can hold; if x is a `Value`, with a Value. If f then returns a Value too, the rounding
            errors are read from the graph that it recorded.
        noise: by how much a value of f may be off, beyond the rounding of the result itself. If None it is
            read from the graph, or estimated.

    Returns:
        a `Difference`: value, bound, verdict, number of evaluations.

    Raises:
        TypeError: f returns something other than one real number, or x is not one.
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
    if not callable(f):
        raise TypeError(f"finite_difference takes a function and a point; got {shown(f)} as the function")
    number, make, unit = _kind_of(x)
    values = FunctionValues(lambda p: f(make(p)), unit, checked_noise(noise, "finite_difference"))
    return difference_at(values, number, lambda p: _number_of(make(p)))


def _kind_of(x: Any) -> tuple[float, Callable[[float], Any], float]:
    """The number, how to make another one of its kind, and the unit roundoff of that kind."""
    number = x.data if isinstance(x, Value) else real_or_none(x)
    if number is None:
        raise TypeError(f"finite_difference takes one real number as the point; got {shown(x)}; give a float")
    if not math.isfinite(number):
        raise ValueError(f"finite_difference takes a finite point; got {number}; choose one where f is defined")
    unit = roundoff(x)
    make: Any = Value if isinstance(x, Value) else float if unit == U else x.dtype.type
    return number, make, unit


def _number_of(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


# Is a derivative what the differences say?

RESOLUTION = 1e-6
"""How exact differences must be, as a part of the derivative, to confirm it; otherwise they are inconclusive."""


def judge(
    derivative: float,
    difference: Difference,
    unit: float = U,
    slack: float = 0.0,
    negligible: float = 8.0 * SMALLEST,
    exact_to: float = 0.0,
) -> str:
    """Whether a derivative is what finite differences say: "right", "wrong", "inconclusive"; at a jump "convention".

    Arguments:
        derivative: the number in question.
        difference: what `finite_difference` found.
        unit: the unit roundoff of the numbers in which the derivative was computed.
        slack: by how much a right derivative may be off, beyond 8 roundings: where terms cancel in it.
        negligible: a bound so small that it confirms a derivative of any size.
        exact_to: how exact the derivative is meant to be, as a part of its size or of the function's slopes nearby.
    """
    if difference.verdict == "jump":
        return "convention"
    if difference.verdict in ("inconclusive", "undefined"):
        return "inconclusive"
    if difference.verdict == "infinite slope":
        return "right" if derivative == difference.value else "wrong"
    if difference.verdict == "kink":
        sizes = map(abs, (difference.left.value, difference.right.value, difference.scale))
        slack += exact_to * max(filter(math.isfinite, sizes), default=0.0)  # one slope may be infinite
        return "right" if _between(derivative, difference, slack) else "wrong"
    value, bound = difference.value, difference.bound
    size = max(abs(value), difference.scale)
    if not abs(derivative - value) <= bound + slack + exact_to * size + 8.0 * unit * abs(value) + 8.0 * SMALLEST:
        return "wrong"
    resolution = max(RESOLUTION, exact_to, unit**0.5)  # half the digits that there are
    conclusive = derivative == value or bound <= resolution * max(abs(derivative), size)
    return "right" if conclusive or bound <= negligible else "inconclusive"


def _between(derivative: float, difference: Difference, slack: float) -> bool:
    """Whether it lies between the derivatives from the left and from the right, as far as those are known."""
    left, right = difference.left, difference.right
    if not (math.isfinite(left.bound) and math.isfinite(right.bound)):
        return not math.isnan(derivative)
    lowest = min(left.value - left.bound, right.value - right.bound)
    return lowest - slack <= derivative <= max(left.value + left.bound, right.value + right.bound) + slack


def difference_at(
    values: FunctionValues,
    x: float,
    nearest: Callable[[float], float] = float,
    claimed: float | None = None,
    smallest: float = 0.0,
) -> Difference:
    """The derivative of the function behind `values` at x.

    Arguments:
        values: the function.
        x: the point.
        nearest: rounds a point to one that the function can be given.
        claimed: the derivative in question, if there is one. What confirms it beyond doubt ends the search early.
        smallest: steps below it are not tried.
    """
    with quiet():
        return _difference_at(values, x, nearest, claimed, smallest)


def _difference_at(
    values: FunctionValues, x: float, nearest: Callable[[float], float], claimed: float | None, smallest: float
) -> Difference:
    here = values(x)
    again = values.compute(x)
    if not same_number(again.value, here.value):
        raise not_repeated(f"the function at {x!r}", here.value, again.value)
    if not math.isfinite(here.value):
        return Difference(math.nan, math.inf, "undefined", values.calls, values.estimated, 0.0)
    sure = confirmed(values, x, nearest, claimed, smallest) if claimed is not None else None
    word, slope, noise, left, right, scale = sure or with_all_steps(values, x, nearest, smallest)
    return Difference(*slope, word, values.calls, values.estimated, noise, left, right, scale)
