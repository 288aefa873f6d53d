"""How is text shown in a terminal, so that nothing in it steers the terminal and all of it fits?"""

import sys
import textwrap
import unicodedata
import warnings
from collections.abc import Collection, Sequence
from typing import Any

WIDTH = 80
"""The columns that every line may take."""
JOINERS = "\u200d\ufe0f"  # they join emoji, and do nothing else


def visible(text: str, kept: str = "") -> str:
    """The text with control and direction characters, lone surrogates and the like written as escapes.

    Arguments:
        text: anything.
        kept: characters that stay as they are, such as a line break.

    >>> print(visible("\\x1b[31mred\\u202e"))
    \\x1b[31mred\\u202e
    """
    return "".join(c if c.isprintable() or c in kept or c in JOINERS else repr(c)[1:-1] for c in text)


def on_one_line(text: str) -> str:
    """The visible text, with a blank in place of each line break and tab."""
    return visible(text.translate(str.maketrans("\t\r\n\f\v", " " * 5)))


def width(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for an accent.

    >>> width("ab"), width("変数"), width("e\\u0301")
    (2, 4, 1)
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me") for c in text)


def cut(text: str, most: int, end: int = 0) -> str:
    """The text in at most so many columns of a terminal; three dots stand for what is left out before its `end`.

    >>> cut("petal length (cm)", 10), cut("pixel in row 7, column 5", 12, end=3)
    ('petal l...', 'pixel ...n 5')
    """
    if width(text) <= most:
        return text
    tail = text[-end:] if end else ""
    room, kept = most - 3 - width(tail), 0
    while (room := room - width(text[kept])) >= 0:
        kept += 1
    return f"{text[:kept]}...{tail}"


def wrapped(text: str, indent: str = "") -> str:
    """The text on lines of at most 80 columns, all but the first indented.

    >>> print(wrapped("one two " * 12, indent="  "))
    one two one two one two one two one two one two one two one two one two one two
      one two one two
    """
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def aligned(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """The lines of a table: the columns counted in `left` stand to the left, the others to the right.

    >>> aligned([["name", "value"], ["a", "2"]])
    ['name  value', 'a         2']
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        blanks = [" " * (most - width(cell)) for most, cell in zip(widths, row, strict=True)]
        cells = [
            cell + blank if i in left else blank + cell for i, (cell, blank) in enumerate(zip(row, blanks, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table whose header is underlined; the first `left` columns stand to the left, the others to the right.

    >>> print(table(["layer", "gradient"], [["layers.0", "0.5"], ["layers.1", "0.25"]]))
    layer     gradient
    ------------------
    layers.0       0.5
    layers.1      0.25
    """
    head, *lines = aligned([header, *rows], range(left))
    return "\n".join([head, "-" * len(head), *lines])


def say(text: str = "") -> None:
    """Prints the text, visible, with its line breaks."""
    write(visible(text, kept="\n"))


def write(text: str) -> None:
    """Prints the text, above a progress bar if there is one. Characters that the encoding lacks are escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    tqdm = sys.modules.get("tqdm")  # whoever shows a bar has loaded it
    (tqdm.tqdm.write if tqdm else print)(text.encode(encoding, "backslashreplace").decode(encoding))
    if sys.stdout is not None:  # it may be closed
        sys.stdout.flush()


def is_watched() -> bool:
    """Whether a progress bar would be seen: standard error is a terminal, or this is a notebook."""
    ipython = sys.modules.get("IPython")  # a notebook has loaded it, and has a shell in it
    return bool((sys.stderr and sys.stderr.isatty()) or (ipython and ipython.get_ipython()))


def progress_bars() -> Any:
    """tqdm's class of progress bars: widgets in a notebook, text elsewhere."""
    with warnings.catch_warnings():  # tqdm warns where a notebook has no widgets, and then draws in text
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    if sys.platform == "emscripten":
        tqdm.monitor_interval = 0  # in a web page no thread starts, and tqdm would warn of that
    return tqdm
