"""What was done with each column of a table? A line for each, in 80 columns of a terminal."""

from collections.abc import Sequence

from autograd.terminal import WIDTH, on_one_line, table, width
from nn.datasets.column_codes import Code, NumberCode

HEADER = ["column", "what it holds", "what the network gets"]
MOST_LINES = 40
"""A report of more columns is folded: plain numbers into one line, then whatever is still too many."""
NAME, HELD = 24, 26  # columns of the terminal for the first two columns of the report, at most


def report_of(codes: Sequence[Code], target: str | None, described: str) -> str:
    """The report on some columns, and the target, if there is one.

    >>> print(report_of([NumberCode("age", "number, 1 to 80, 3 gaps", True, 29.5)], "alive", "2 classes: no, yes"))
    column  what it holds            what the network gets
    ----------------------------------------------------------------
    age     number, 1 to 80, 3 gaps  as it is; gaps as 29.5, marked
    alive   2 classes: no, yes       the target
    """
    lines = [_line(code) for code in codes]
    if len(codes) > MOST_LINES:
        plain = [code for code in codes if isinstance(code, NumberCode) and not code.missing]
        others = [_line(code) for code in codes if code not in plain]
        lines = others[: MOST_LINES - 1]
        if len(others) > len(lines):
            lines.append([f"... {len(others) - len(lines)} more columns", "", ""])
        if plain:
            lines.append([_range([code.name for code in plain]), f"{len(plain)} columns of numbers", "as they are"])
    if target is not None:
        lines.append([target, described, "the target"])
    shown = [[on_one_line(cell) for cell in line] for line in lines]
    first = min(NAME, max(width(line[0]) for line in shown))
    second = min(HELD, max(width(line[1]) for line in shown))
    room = [first, second, WIDTH - first - second - 4]
    return table(HEADER, [[cut(cell, most) for cell, most in zip(line, room, strict=True)] for line in shown], left=3)


def _line(code: Code) -> list[str]:
    """A column's line: its name, what it held, and what was done with it."""
    return [code.name, code.described, "; ".join(filter(None, [code.done(), code.gaps_done()]))]


def _range(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{cut(names[0], 9)} ... {cut(names[-1], 9)}"


def cut(text: str, most: int) -> str:
    """The text in at most so many columns of a terminal; three dots stand for what is left out.

    >>> cut("petal length (cm)", 10)
    'petal l...'
    """
    if width(text) <= most:
        return text
    while width(text) > most - 3:
        text = text[:-1]
    return f"{text}..."
