"""How does a CSV file become a data set of numbers?  Whatever is no number is an error that says where.

`csv_text.py` reads the file, `cells.py` its numbers. A `Table` takes what is refused here: texts, dates, gaps.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from reprlib import repr as short
from typing import Any

from nn.datasets.cells import looks_like_a_number
from nn.datasets.columns import Column, unclear
from nn.datasets.csv_text import TextColumns, texts_of_file
from nn.datasets.dataset import Dataset, counted, first_ones
from nn.datasets.frames import as_name
from nn.datasets.tables import FILL_OR_DROP, number_labels


def read_csv(path: str | os.PathLike[str], target: str | None = None, features: Sequence[str] | None = None) -> Dataset:
    """Read a data set of numbers from a CSV file with column names in the first line.

    Encodings, separators and the like are those of `nn.Table`, which also takes texts, dates and gaps.
    Spaces around a cell and blank lines do not count.

    Arguments:
        path: the file.
        target: the name of the column to predict. It holds ints (class numbers), floats
            (a quantity), or text labels, which are numbered in sorted order.
            With None, `y` is `[]`.
        features: the names of the columns of `X`, in the order wanted; with None, every column but the
            target, in the order of the file.

    Returns:
        A `Dataset` whose `target_names` are the text labels, if the target has them, and else `[]`. Its description
        is the name of the file, and on further lines what a reader should know of it, such as a column left out.

    Raises:
        ValueError: the file is empty, has no rows, is no text, lacks the target or a feature or has
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
    file = texts_of_file(path)
    target = None if target is None else as_name(target)
    _check_target(file, target)
    names = [name for name in file.names if name != target] if features is None else list(map(as_name, features))
    _check_features(file, names)
    columns = [_features(file, name) for name in names]
    y, target_names = _targets(file, target) if target is not None else ([], [])
    description = "\n".join([Path(path).name, *file.remarks])
    return Dataset([list(row) for row in zip(*columns, strict=True)], y, names, target_names, description)


def _check_target(file: TextColumns, target: str | None) -> None:
    """Make sure that the target is a column, and not the only one."""
    if target is None:
        return
    if target not in file.columns:
        raise unclear(f"{file.path} has no column '{target}': choose the target from {first_ones(file.names)}.")
    if len(file.columns) == 1:
        raise unclear(f"{file.path} has no column besides the target '{target}': add the features.")


def _check_features(file: TextColumns, names: list[str]) -> None:
    """Make sure that every feature is a column."""
    missing = [name for name in names if name not in file.columns]
    if missing:
        few = ", ".join(f"'{name}'" for name in missing[:10]) + (", ..." if len(missing) > 10 else "")
        raise unclear(
            f"{file.path} lacks {len(missing)} of the {counted(len(names), 'column')} wanted, {few}: "
            f"its first line must name them all."
        )


def _features(file: TextColumns, name: str) -> list[float]:
    """The numbers in a column, where all cells must hold one."""
    column = file.column(name)
    _check_gaps(file, column)
    if column.kind == "number":
        return list(map(float, column.values))
    texts = file.texts(name)
    for i, text in enumerate(texts):
        if not looks_like_a_number(text):
            raise unclear(
                f"{file.where(i)} has the text {short(text)} in column '{name}', which takes "
                f"numbers: write a number there, leave out the column, read it with target='{name}' "
                f"if it is what to predict, or read the file with nn.Table, which takes texts, dates and gaps."
            )
    return list(map(float, texts))  # such as 007


def _check_gaps(file: TextColumns, column: Column) -> None:
    """Make sure that no cell is empty."""
    if column.gaps:
        i = column.values.index(None)
        cell = file.texts(column.name)[i]
        shown = f"{short(cell)}, which stands for nothing," if cell else "an empty cell"
        raise unclear(
            f"{file.where(i)} has {shown} in column '{column.name}': {FILL_OR_DROP}, "
            f"or read the file with nn.Table, which takes gaps."
        )


def _targets(file: TextColumns, name: str) -> tuple[list[Any], list[str]]:
    """The targets in a column, and the labels of the classes if they are text."""
    column = file.column(name)
    _check_gaps(file, column)
    if column.kind == "number":
        return column.values, []
    texts = file.texts(name)
    is_number = list(map(looks_like_a_number, texts))
    if all(is_number):  # such as 007
        return list(map(int if all(map(str.isdecimal, texts)) else float, texts)), []
    if any(is_number):
        odd = is_number.index(not is_number[0])
        raise unclear(
            f"{file.where(odd)} has {short(texts[odd])} in the target column '{name}', which starts "
            f"with {short(texts[0])}: write numbers in all lines, or labels in all."
        )
    return number_labels(texts)
