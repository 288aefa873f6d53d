"""How are texts and numbers shown? As text: nothing that a user wrote may break or steer a picture or a page.

A `Text` is a sentence with numbers in it that may change: words and codes by turns. Python fills it for tables and
drawings, and JavaScript in a page, so that each sentence is written once. `numbers.py` says what the codes mean.
"""

import math
import re
from collections.abc import Callable

import graphviz

from autograd.drawing.engine import checked_format
from autograd.terminal import visible

Text = tuple[str, ...]
"""Words and codes by turns; the first and the last are words: `("data ", "v3", "")`."""


def filled(text: Text, shown: Callable[[str], str]) -> str:
    """The text with a number for each code. After "(", a number that begins with "-" stands in parentheses.

    >>> filled(("2 * ", "(v3", " = ", "v4", ""), {"v3": "-3", "v4": "-6"}.__getitem__)
    '2 * (-3) = -6'
    """
    parts = list(text)
    parts[1::2] = [_in_parentheses(shown(code[1:])) if code[0] == "(" else shown(code) for code in text[1::2]]
    return "".join(parts)


def _in_parentheses(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def joined(*texts: Text | str) -> Text:
    """One text of several, and of words.

    >>> joined("a = ", ("", "v0", ""), "!")
    ('a = ', 'v0', '!')
    """
    parts = [""]
    for text in texts:
        first, *others = (text,) if isinstance(text, str) else text
        parts[-1] += first
        parts += others
    return tuple(parts)


def sentence(words: str, **parts: Text | str | int) -> Text:
    """A sentence as a text: `[v{i}]` is a code, and `{name}` a part that is a word or a text itself.

    >>> sentence("{name} = {call} = [v{i}]", name="b", call=("2 * ", "v3", ""), i=4)
    ('b = 2 * ', 'v3', ' = ', 'v4', '')
    """
    found: list[Text | str] = []
    for k, piece in enumerate(re.split(r"\[(.*?)\]", words)):
        if k % 2:
            found.append(("", piece.format(**parts), ""))
            continue
        for j, word in enumerate(re.split(r"\{(\w+)\}", piece)):
            part = parts[word] if j % 2 else word
            found.append(part if isinstance(part, tuple) else str(part))
    return joined(*found)


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


def check_look(direction: str, format: str, precision: int | None) -> None:
    """Raises ValueError or TypeError if an option of a drawing is none of those that there are.

    >>> check_look("up", "svg", 4)
    Traceback (most recent call last):
    ...
    ValueError: direction takes one of auto, LR, RL, TB, BT; got 'up'
    """
    if direction not in ("auto", *DIRECTIONS):
        raise ValueError(f"direction takes one of auto, {', '.join(DIRECTIONS)}; got {direction!r}")
    checked_format(format)
    if precision is None:
        return
    if isinstance(precision, bool) or not (isinstance(precision, int) and 1 <= precision <= 17):
        raise ValueError(f"precision takes a number of digits from 1 to 17; got {precision!r}")
