"""What was done with each column of a table? A line for each, in 80 columns of a terminal."""

from collections.abc import Sequence

from autograd.terminal import WIDTH, aligned, cut, on_one_line, width, wrapped
from nn.datasets.column_codes import Code, NumberCode
from nn.datasets.dataset import counted
from nn.datasets.target_column import Target

HEADER = ["column", "what it holds", "gaps", "what the network gets", ""]
MOST_LINES = 40
"""A report of more columns is folded: plain numbers into one line, then whatever is still too many."""


def report_of(codes: Sequence[Code], target: Target | None) -> str:
    """The report on some columns, and the target, if there is one.

    >>> alive = Target("alive", "classification", ["no", "yes"], "2 classes")
    >>> print(report_of([NumberCode("age", "number, 1 to 80", 3, 29.5)], alive))
    column  what it holds    gaps  what the network gets
    ----------------------------------------------------
    age     number, 1 to 80     3  as it is; gaps 29.5
    alive   2 classes              to predict: no, yes
    For a column with gaps one more input says where they were.
    """
    lines = list(map(_line, codes)) if len(codes) <= MOST_LINES else _folded(codes)
    if target is not None:
        labels = ", ".join(map(str, target.classes))
        lines.append([target.name, target.described, "", f"to predict: {labels}" if labels else "to predict", ""])
    lines = [[on_one_line(cell) for cell in line] for line in [HEADER, *lines]]
    room = _room(lines)
    cells = [
        [cut(line[0], room[0], end=5), *map(cut, line[1:3], room[1:]), _done(line[3], line[4], room[3])]
        for line in lines
    ]
    head, *rows = aligned(cells, (0, 1, 3))
    notes = ["For a column with gaps one more input says where they were."] * any(code.missing for code in codes)
    for name in [code.name for code in codes if isinstance(code, NumberCode) and code.numbers_rows][:3]:
        hint = (
            f"{name!r} is another whole number in each row: leave it out (--drop {name}) if it only numbers the rows."
        )
        notes.append(wrapped(on_one_line(hint)))
    return "\n".join([head, "-" * max(map(width, [head, *rows])), *rows, *notes])


def _room(lines: list[list[str]]) -> list[int]:
    """How wide each column of the report may be.

    What is too much is taken from the last column, the first, the second, for of the last the beginning says the most.
    """
    widths = [max(width(line[i]) for line in lines) for i in range(3)]
    rest = max(width("; ".join(filter(None, line[3:]))) for line in lines[:-1])  # the labels of the target may be cut
    widths.append(max(rest, width(HEADER[3])))
    for column, least in ((3, 26), (0, 18), (1, 26)):
        too_much = max(0, sum(widths) + 2 * 3 - WIDTH)
        widths[column] = max(min(least, widths[column]), widths[column] - too_much)
    widths[3] = WIDTH - sum(widths[:3]) - 2 * 3
    return widths


def _done(done: str, gaps: str, room: int) -> str:
    """What was done with a column and its gaps; of a long list of categories the end is cut off, not the gaps."""
    gaps = f"; {gaps}" if gaps else ""
    if width(done + gaps) > room:
        gaps = cut(gaps, room // 2)
    return cut(done, room - width(gaps)) + gaps


def _folded(codes: Sequence[Code]) -> list[list[str]]:
    """The lines for many columns: those without gaps that hold numbers share one."""
    others = [code for code in codes if code.gaps or not isinstance(code, NumberCode)]
    plain = len(codes) - len(others)
    lines = list(map(_line, others[: MOST_LINES - 1]))
    if len(others) > len(lines):
        lines.append([f"and {len(others) - len(lines)} more", "", "", "likewise", ""])
    if plain:
        lines.append([counted(plain, "column"), "numbers without gaps", "", "as they are", ""])
    return lines


def _line(code: Code) -> list[str]:
    """A column's line: its name, what it held, its gaps, what was done with it, and with gaps."""
    gaps = f"{code.gaps:,}" if code.gaps else ""
    return [code.name, code.described, gaps, code.done(), code.gaps_done()]
