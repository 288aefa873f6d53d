"""What counts as a number of neurons, epochs or examples? A whole number, of at least 1 as a rule."""

from operator import index
from typing import Any


def count(n: Any, name: str, least: int = 1) -> int:
    """n as an int.

    Arguments:
        n: an int, or a whole number of NumPy's.
        name: the argument's name, for the error's sentence.
        least: the smallest number that will do.

    Raises:
        TypeError: n is no whole number.
        ValueError: n is below `least`.

    >>> count(0, "epochs")
    Traceback (most recent call last):
    ...
    ValueError: epochs takes a whole number of at least 1; got 0
    """
    try:
        number = index(n)
    except TypeError:
        raise TypeError(f"{name} takes a whole number; got {n!r} ({type(n).__name__})") from None
    if number < least:
        raise ValueError(f"{name} takes a whole number of at least {least}; got {number}")
    return number
