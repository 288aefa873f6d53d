"""How does a CSV file become a data set?  Whatever is unclear is an error that says where.

`tables.py` does the same for arrays and data frames.
"""

import csv
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from reprlib import repr as short
from typing import Any, NamedTuple

from nn.datasets.dataset import Dataset, counted
from nn.datasets.tables import FILL_OR_DROP, number_labels


class _Line(NamedTuple):
    """One line of the file: where it stands, for error messages, and its cells."""

    place: str
    cells: list[str]


def read_csv(path: str | os.PathLike[str], target: str | None = None, features: Sequence[str] | None = None) -> Dataset:
    """Read a data set from a CSV file: UTF-8, comma-separated, column names in the first line.

    Spaces around a cell and blank lines do not count.

    Arguments:
        path: the file.
        target: the name of the column to predict. It holds ints (class numbers), floats
            (a quantity), or text labels, which are numbered in sorted order.
            With None, `y` is `[]`.
        features: the names of the columns of `X`, in the order wanted; with None, every column but the
            target, in the order of the file.

    Returns:
        A `Dataset` whose `target_names` are the text labels, if the target has them, and else `[]`.

    Raises:
        ValueError: the file is empty, has no rows, is not UTF-8, lacks the target or a feature or has
            no other column, has column names missing or twice, lines of unequal length, empty cells, or
            text or a non-finite number in a column of numbers. The message says in which line.
        OSError: the file is missing or cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "birds.csv"
        ...     _ = path.write_text("wing,weight,kind\\n25.5,120,tern\\n41,850,gull\\n")
        ...     birds = read_csv(path, target="kind")
        >>> birds.X, birds.y, birds.target_names
        ([[25.5, 120.0], [41.0, 850.0]], [1, 0], ['gull', 'tern'])
    """
    header, lines = _header_and_lines(path)
    _check_target(path, header, target)
    names = [name for name in header if name != target] if features is None else list(features)
    _check_features(path, header, names)
    places = [(header.index(name), name) for name in names]
    X = [[_feature(line, j, name) for j, name in places] for line in lines]
    y, target_names = _targets(lines, header.index(target), target) if target is not None else ([], [])
    return Dataset(X, y, names, target_names, Path(path).name)


def _text(path: str | os.PathLike[str]) -> str:
    """The file's text, without the byte order mark that spreadsheets put in front."""
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} is not UTF-8 text (line {line} has the byte 0x{content[error.start]:02x}): "
            f"save it again as 'CSV UTF-8'."
        ) from None


def _header_and_lines(path: str | os.PathLike[str]) -> tuple[list[str], list[_Line]]:
    """The column names, and all other lines that are not blank."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    lines = []
    try:
        for cells in reader:
            if cells:
                place = f"{path}, line {reader.line_num}"
                lines.append(_Line(place, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {reader.line_num} is not valid CSV ({error}): mend its quotation marks."
        ) from None
    if not lines:
        raise ValueError(f"{path} is empty: write the column names and at least one row into it.")
    header = lines[0].cells
    _check_header(path, header)
    if len(lines) == 1:
        raise ValueError(f"{path} has column names but no rows: add at least one row below them.")
    for line in lines[1:]:
        _check_length(line, header)
    return header, lines[1:]


def _check_header(path: str | os.PathLike[str], header: list[str]) -> None:
    """Make sure that each column has a name of its own."""
    if len(header) == 1 and any(separator in header[0] for separator in ";\t"):
        raise ValueError(
            f"{path} has one column, {short(header[0])}, which looks like several: "
            f"save the file again with commas between the cells."
        )
    for j, name in enumerate(header):
        if not name:
            raise ValueError(
                f"{path} has no name for column {j + 1} of {len(header)} in its first line: "
                f"name the column or remove it (pandas writes none with index=False)."
            )
        if name in header[:j]:
            raise ValueError(
                f"{path} has two columns named '{name}' in its first line: rename one, "
                f"or, if that line holds data, put a line of column names above it."
            )


def _check_length(line: _Line, header: list[str]) -> None:
    """Make sure that a line has one cell for each column."""
    if len(line.cells) != len(header):
        raise ValueError(
            f"{line.place} has {counted(len(line.cells), 'cell')} where the first line names "
            f"{counted(len(header), 'column')}: give it one cell for each column, "
            f"and put quotation marks around a cell that contains a comma."
        )


def _check_target(path: str | os.PathLike[str], header: list[str], target: str | None) -> None:
    """Make sure that the target is a column, and not the only one."""
    if target is None:
        return
    if target not in header:
        names = ", ".join(header[:20]) + (", ..." if len(header) > 20 else "")
        raise ValueError(f"{path} has no column '{target}': choose the target from {names}.")
    if len(header) == 1:
        raise ValueError(f"{path} has no column besides the target '{target}': add the features.")


def _check_features(path: str | os.PathLike[str], header: list[str], names: list[str]) -> None:
    """Make sure that every feature is a column."""
    missing = [name for name in names if name not in header]
    if missing:
        raise ValueError(
            f"{path} lacks {len(missing)} of the {counted(len(names), 'column')} wanted, such as '{missing[0]}': "
            f"its first line must name them all."
        )


def _number(line: _Line, j: int, name: str) -> int | float | None:
    """The number in column `j`, an int if it is written as one; None if the cell holds text."""
    text = line.cells[j]
    if not text:
        raise ValueError(f"{line.place} has an empty cell in column '{name}': {FILL_OR_DROP}.")
    if "_" in text:  # Python reads 1_000 as a number, but no table means it as one.
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        raise ValueError(f"{line.place} has {text}, not a finite number, in column '{name}': {FILL_OR_DROP}.")
    return int(text) if text.lstrip("+-").isdecimal() else number


def _feature(line: _Line, j: int, name: str) -> float:
    """The number in column `j` of a line, where there must be one."""
    number = _number(line, j, name)
    if number is None:
        raise ValueError(
            f"{line.place} has the text {short(line.cells[j])} in column '{name}', which takes "
            f"numbers: write a number there, leave out the column, or read it with target='{name}' "
            f"if it is what to predict."
        )
    return float(number)


def _targets(lines: list[_Line], j: int, name: str) -> tuple[list[Any], list[str]]:
    """The targets in column `j`, and the labels of the classes if they are text."""
    numbers = [_number(line, j, name) for line in lines]
    is_text = [number is None for number in numbers]
    if all(is_text):
        return number_labels([line.cells[j] for line in lines])
    if any(is_text):
        odd = lines[is_text.index(not is_text[0])]
        raise ValueError(
            f"{odd.place} has {short(odd.cells[j])} in the target column '{name}', which starts "
            f"with {short(lines[0].cells[j])}: write numbers in all lines, or labels in all."
        )
    if any(isinstance(number, float) for number in numbers):
        return [float(line.cells[j]) for line in lines], []
    return numbers, []
