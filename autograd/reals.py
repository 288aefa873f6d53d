"""What counts as one real number, or as a number of things, and how is anything else refused?"""

from numbers import Complex, Real
from operator import index
from typing import Any

_PYTHON = (float, int)  # isinstance takes three times as long with a union of types


def real_or_none(x: Any) -> float | None:
    """x as a float if it is one real number (NumPy's too, and an array without axes), otherwise None.

    >>> real_or_none(True), real_or_none("2"), real_or_none(1j)
    (1.0, None, None)
    """
    if type(x) is float:  # the common case first: it saves 5 % of the time for a graph of products with constants
        return x
    if isinstance(x, _PYTHON):
        try:
            return float(x)
        except OverflowError:  # an int beyond the range of floats rounds to an infinity
            return float("inf") if x > 0 else float("-inf")
    if isinstance(x, str | bytes) or not hasattr(x, "__float__") or getattr(x, "shape", ()) != ():
        return None
    if getattr(getattr(x, "dtype", None), "kind", "f") not in "biufO" or getattr(x, "mask", False):
        return None  # an array of text, or a masked number of NumPy's
    if isinstance(x, Complex) and not isinstance(x, Real):
        return None
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")
    except (TypeError, ValueError):  # a Value among others: its gradient would be lost
        return None


def as_float(x: Any, what: str) -> float:
    """x as a float.

    Arguments:
        x: anything.
        what: the call that needs the number, for the error message.

    Raises:
        TypeError: x is not one real number.
    """
    number = real_or_none(x)
    if number is None:
        hint = "; use v.data or v.detach()" if hasattr(x, "detach") else ""
        raise TypeError(f"{what} takes a real number; got {shown(x)} ({type(x).__name__}){hint}")
    return number


def as_count(n: Any, name: str, least: int = 1) -> int:
    """n as an int, if it is a whole number of at least `least`: of neurons, epochs, examples.

    Arguments:
        n: an int, or a whole number of NumPy's.
        name: the argument's name, for the error's sentence.
        least: the smallest number that will do.

    Raises:
        TypeError: n is no whole number.
        ValueError: n is below `least`.

    >>> as_count(0, "epochs")
    Traceback (most recent call last):
    ...
    ValueError: epochs takes a whole number of at least 1; got 0
    """
    try:
        number = index(n)
    except TypeError:
        raise TypeError(f"{name} takes a whole number; got {shown(n)} ({type(n).__name__})") from None
    if number < least:
        raise ValueError(f"{name} takes a whole number of at least {least}; got {number}")
    return number


def shown(x: Any, width: int = 60) -> str:
    """repr(x) on one line of at most `width` characters, for error messages."""
    try:
        text = " ".join(repr(x).split())
    except Exception:  # an int of 5,000 digits, or an object whose repr fails
        text = f"a {type(x).__name__}"
    return text if len(text) <= width else f"{text[: width - 3]}..."
