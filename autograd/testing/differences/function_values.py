"""What are the values of a function near a point, and how far may each be off? Each is computed once and kept."""

import math
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from autograd.reals import real_or_none, shown
from autograd.testing.arrays import roundoff
from autograd.testing.differences.rounding_errors import SMALLEST, U, rounding_error
from autograd.value import Value


class FunctionValue(NamedTuple):
    """A value of the function and a bound for its error, as far as that is known."""

    value: float
    error: float


UNDEFINED = FunctionValue(math.nan, 0.0)


class FunctionValues:
    """The values of a function of one number, each computed once.

    Arguments:
        f: the function; it may return a number or a Value.
        unit: the unit roundoff of its results, if their type has more digits than are right.
        noise: by how much its values may be off, or None if that has to be found out.
    """

    def __init__(self, f: Callable[[float], Any], unit: float = U, noise: float | None = None) -> None:
        self.f, self.unit, self.noise = f, unit, noise
        self.is_short = unit > U  # float32, float16, bfloat16
        self.is_coarse = unit > 2.0**-16  # the last two: there are so few steps that none of them is small
        self.known: dict[float, FunctionValue] = {}
        self.calls = 0
        self.estimated = noise is None

    def __call__(self, x: float) -> FunctionValue:
        """f(x); nan where it has no value."""
        found = self.known.get(x)
        if found is None:
            found = self.known[x] = self.compute(x)
        return found

    def compute(self, x: float) -> FunctionValue:
        """f(x) once more."""
        self.calls += 1
        try:
            out = self.f(x)
        except (ArithmeticError, ValueError):
            return UNDEFINED
        if type(out) is float:  # the common case first: a value takes 0.5 us instead of 0.9
            return FunctionValue(out, self.unit * abs(out) + SMALLEST + (self.noise or 0.0))
        if isinstance(out, Value):
            error = rounding_error(out)
            if error is not None:
                self.estimated = False
                return FunctionValue(out.data, error + (self.noise or 0.0))
            out = out.data
        if isinstance(out, complex):  # Python's answer outside a domain, as for (-1) ** 0.5
            return UNDEFINED
        number = real_or_none(out)
        if number is None:
            raise TypeError(f"the function returned {shown(out)} ({type(out).__name__}) at {x!r}, not a number")
        unit = max(self.unit, roundoff(out))
        return FunctionValue(number, unit * abs(number) + SMALLEST + (self.noise or 0.0))


def quiet() -> Any:
    """Keeps NumPy from warning about points outside a function's domain."""
    numpy = sys.modules.get("numpy")
    return numpy.errstate(all="ignore") if numpy else nullcontext()


def same_number(a: float, b: float) -> bool:
    """Whether two floats are equal, or both nan."""
    return a == b or (a != a and b != b)


def number_or_none(x: Any) -> float | None:
    """x as a float if it is one real number and no truth value, otherwise None.

    >>> number_or_none(1), number_or_none(True)
    (1.0, None)
    """
    return None if type(x).__name__ in ("bool", "bool_") else real_or_none(x)


def checked_noise(noise: Any, caller: str) -> float | None:
    """The noise that a user gave, or an error if it is none.

    Arguments:
        noise: what was given.
        caller: the function that takes it, for the error's sentence.

    Raises:
        ValueError: noise is neither None nor a number of at least 0.

    >>> checked_noise(1, "f"), checked_noise(None, "f")
    (1.0, None)
    """
    if noise is None:
        return None
    number = number_or_none(noise)
    if number is None or not 0.0 <= number < math.inf:
        raise ValueError(f"{caller} takes a noise of at least 0, or None; got {shown(noise)}")
    return number
