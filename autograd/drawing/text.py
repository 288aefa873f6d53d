"""How is a user's text shown, whatever it contains? As text: nothing in it may break or steer a picture or a page."""

import math

import graphviz

from autograd.drawing.engine import checked_format
from autograd.terminal import visible


def printable(text: str, most: int = 40) -> str:
    """The text on one line, with control and direction characters written as escapes, shortened to `most` characters.

    >>> printable("two\\nlines\\x00"), printable("x" * 50, most=5)
    ('two\\\\nlines\\\\x00', 'xxxx…')
    """
    shown = visible(text[: most + 1])
    return shown if len(text) <= most and len(shown) <= 2 * most else f"{shown[: most - 1]}…"


def number(x: float, precision: int = 4) -> str:
    """A number rounded to `precision` significant digits.

    >>> number(2.0), number(-1 / 3), number(float("nan"))
    ('2', '-0.3333', 'nan')
    """
    return f"{x:.{precision}g}" if math.isfinite(x) else str(x)


def literal(text: str) -> str:
    """The text as an attribute that Graphviz shows as it is: no escapes, no HTML, no entities.

    >>> print(literal(r"<b> &lt; \\N"))
    <b> &amp;lt; \\\\N
    """
    return str(graphviz.escape(text.replace("&", "&amp;")))


DIRECTIONS = ("LR", "RL", "TB", "BT")


def check_look(direction: str, format: str, precision: int) -> None:
    """Raises ValueError or TypeError if an option of a drawing is none of those that there are.

    >>> check_look("up", "svg", 4)
    Traceback (most recent call last):
    ...
    ValueError: direction takes one of LR, RL, TB, BT; got 'up'
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction takes one of {', '.join(DIRECTIONS)}; got {direction!r}")
    checked_format(format)
    if isinstance(precision, bool) or not (isinstance(precision, int) and 1 <= precision <= 17):
        raise ValueError(f"precision takes a number of digits from 1 to 17; got {precision!r}")
