"""Over which number systems are the rules evaluated?

`rules(m)` is written over any namespace `m` of elementary functions. Here are the two for plain numbers:

- `floats`: Python's own `math`. It is fast, but it raises where IEEE 754 has an answer
  (`math.log(0.0)`, `math.exp(1000.0)`, `1.0 / 0.0`).
- `ieee`: the same functions with the answers of IEEE 754. Their numbers are of the class `Real`, a float that can be
  divided by zero. It is slower, and is asked only when `floats` has raised.

The namespace of `Value`s is the module `autograd.functions`. Read `rules.py` next.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import wraps
from types import SimpleNamespace
from typing import Any

from autograd import rows

# fmt: off
ELEMENTARY = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "erf", "erfc", "pow",
)
# fmt: on

DOMAIN_ERRORS = (ArithmeticError, ValueError)
"""What Python raises where IEEE 754 returns nan or an infinity."""


def _whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    """Rounding to a whole number, as a float. It keeps the sign of zero, as IEEE 754 demands."""
    return lambda x: math.copysign(rounding(x), x)


floats = SimpleNamespace(
    **{name: getattr(math, name) for name in ELEMENTARY},
    floor=_whole(math.floor),
    ceil=_whole(math.ceil),
    round=_whole(round),
    sum=math.fsum,
    norm=lambda numbers: math.hypot(*numbers),
    select=lambda condition, a, b: a if condition else b,
    **rows.FUNCTIONS,
)


class Real(float):
    """A float whose arithmetic never raises: `Real(1) / 0` is inf and `Real(0) / 0` is nan.

    >>> Real(1.0) / 0.0
    Real(inf)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Real({float(self)!r})"

    def __add__(self, other: float) -> "Real":
        return Real(float(self) + float(other))

    def __sub__(self, other: float) -> "Real":
        return Real(float(self) - float(other))

    def __rsub__(self, other: float) -> "Real":
        return Real(float(other) - float(self))

    def __mul__(self, other: float) -> "Real":
        return Real(float(self) * float(other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: float) -> "Real":
        return Real(divide(float(self), float(other)))

    def __rtruediv__(self, other: float) -> "Real":
        return Real(divide(float(other), float(self)))

    def __floordiv__(self, other: float) -> "Real":
        other = float(other)
        return Real(float(self) // other if other else divide(float(self), other))

    def __rfloordiv__(self, other: float) -> "Real":
        return Real(other) // self

    def __mod__(self, other: float) -> "Real":
        other = float(other)
        return Real(float(self) % other if other else math.nan)

    def __rmod__(self, other: float) -> "Real":
        return Real(other) % self

    def __pow__(self, other: float, modulus: None = None) -> "Real":
        return _pow(float(self), float(other))

    def __rpow__(self, other: float, modulus: None = None) -> "Real":
        return _pow(float(other), float(self))

    def __neg__(self) -> "Real":
        return Real(-float(self))

    def __abs__(self) -> "Real":
        return Real(abs(float(self)))


def divide(x: float, y: float) -> float:
    """The quotient x / y of two floats by IEEE 754: x / 0 is an infinity, 0 / 0 is nan.

    >>> divide(-1.0, 0.0), divide(6.0, 3.0)
    (-inf, 2.0)
    """
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or math.isnan(x):
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1.0, y)


POLES = {("log", 0.0), ("log2", 0.0), ("log10", 0.0), ("log1p", -1.0)}
"""Functions, and where they are -inf."""


def _never_raising(name: str) -> Callable[..., Any]:
    """The function of `math` with that name, but with an infinity where it overflows or has a pole, and nan outside its
    domain."""
    function: Callable[..., float] = getattr(math, name)

    @wraps(function)  # so that `inspect.signature` finds its operands
    def careful(*operands: float) -> Real:
        try:
            return Real(function(*operands))
        except OverflowError:  # exp, exp2, expm1 and cosh are inf there; sinh has the sign of x
            return Real(math.copysign(math.inf, operands[0]) if name == "sinh" else math.inf)
        except ValueError:
            if (name, operands[0]) in POLES:
                return Real(-math.inf)
            if name == "atanh" and abs(operands[0]) == 1.0:
                return Real(math.copysign(math.inf, operands[0]))
            return Real(math.nan)

    return careful


def _pow(x: float, y: float) -> Real:
    """C's `pow`: 0 ** -1 is inf, 10 ** 400 is inf, (-2) ** 0.5 is nan, never complex."""
    negative = math.copysign(1.0, x) < 0.0 and y % 2.0 == 1.0
    try:
        return Real(math.pow(x, y))
    except OverflowError:
        return Real(-math.inf if negative else math.inf)
    except ValueError:
        if x != 0.0:
            return Real(math.nan)
        return Real(-math.inf if negative else math.inf)


def _careful_sum(numbers: Sequence[float]) -> Real:
    """The sum, rounded once. (`math.fsum` raises when a partial sum overflows, even if the total does not.)"""
    infinite = [x for x in numbers if not math.isfinite(x)]
    if infinite:  # the others change nothing, even if their own sum would overflow
        return Real(sum(infinite))
    total = sum(map(Fraction, numbers))
    try:
        return Real(total)
    except OverflowError:
        return Real(math.inf if total > 0 else -math.inf)


def _careful_whole(rounding: Callable[[float], float]) -> Callable[[float], Real]:
    return lambda x: Real(rounding(x) if math.isfinite(x) else x)


ieee = SimpleNamespace(
    **{name: _never_raising(name) for name in ELEMENTARY if name != "pow"},
    pow=_pow,
    floor=_careful_whole(floats.floor),
    ceil=_careful_whole(floats.ceil),
    round=_careful_whole(floats.round),
    sum=_careful_sum,
    norm=lambda numbers: Real(math.hypot(*numbers)),
    select=floats.select,
    **rows.FUNCTIONS,
)
