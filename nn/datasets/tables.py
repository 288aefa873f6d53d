"""How does other people's data become lists of floats?  Lists, NumPy arrays and data frames alike.

Arrays and frames are known by their methods (`to_numpy`, `tolist`), so that neither NumPy nor
pandas need be installed. Where NumPy is loaded it checks and converts whole tables, 10 times faster than cell by cell;
what it does not take as a table of finite numbers is looked at cell by cell, which finds the words for the error.
`csv_files.py` reads files; `split.py` uses both.
"""

import math
import sys
import warnings
from collections.abc import Iterable, Mapping, Set, Sized
from importlib.util import find_spec
from numbers import Complex, Integral, Number, Real
from reprlib import repr as short
from typing import Any

from nn.datasets.dataset import counted

FILL_OR_DROP = "fill it in, with the column's mean for instance, or leave out the row"


def as_rows(X: Any, name: str = "X") -> list[list[float]]:
    """A table of numbers as a list of rows of floats.

    Arguments:
        X: n rows of m numbers: a sequence of sequences, a NumPy array, a data frame.
        name: what to call it in error messages.

    Returns:
        n fresh lists of m floats; `[]` when there are no rows.

    Raises:
        ValueError: `X` is a flat list, a row is empty or of another length than the first, or a
            number is missing, nan or infinite.
        TypeError: `X` is no table, or a cell holds something that is not a number.

    Example:
        >>> as_rows([(1, 2), (3, 4.5)])
        [[1.0, 2.0], [3.0, 4.5]]
        >>> as_rows([[0.5, float("nan")]])
        Traceback (most recent call last):
        ...
        ValueError: X[0][1] (row 0, column 1) is nan, not a finite number: fill it in, with the
        column's mean for instance, or leave out the row.
    """
    table = _finite_table(X) if sys.modules.get("numpy") is not None else None
    if table is not None:
        fresh: list[list[float]] = table.tolist()
        return fresh
    columns = [str(column) for column in getattr(X, "columns", ())]
    rows = [_row(row, i, name, columns) for i, row in enumerate(_as_list(X, name))]
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(f"{name} takes rows of one or more numbers; row {i} is empty: fill it.")
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{name} takes rows of equal length; row 0 has {counted(len(rows[0]), 'number')} "
                f"and row {i} has {len(row)}: add what is missing or leave out the row."
            )
    return rows


def as_targets(y: Any, name: str = "y") -> list[Any]:
    """Targets as a list of plain Python numbers, or of rows of floats.

    Arguments:
        y: n targets: a list, a NumPy array, a column of a data frame. A target is a number
            or a row of numbers.
        name: what to call them in error messages.

    Returns:
        A fresh list. Whole numbers and bools become ints, other numbers floats, and rows lists
        of floats. A float stays a float, even a whole one. Rows of one number, such as a data frame
        with one column, become bare numbers, as a model's single output is.

    Raises:
        ValueError: a number is missing, nan or infinite, or rows differ in length.
        TypeError: `y` is no sequence, or a target is not a number, such as a text label.

    Example:
        >>> as_targets([0, True, 2.0])
        [0, 1, 2.0]
        >>> as_targets([(0, 1), (1, 0)])
        [[0.0, 1.0], [1.0, 0.0]]
        >>> as_targets([[0.5], [2.0]])
        [0.5, 2.0]
    """
    targets = [_unwrapped(target) for target in _as_list(y, name)]
    if any(isinstance(target, (list, tuple)) for target in targets):
        rows = as_rows(targets, name)
        return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows
    return [_target(target, i, name) for i, target in enumerate(targets)]


def as_table(X: Any, name: str = "X") -> Any:
    """The rows of `as_rows` as a new float64 array; where NumPy is not installed, as lists.

    Arguments:
        X, name: as for `as_rows`, which says what is raised.

    Example:
        >>> listed(as_table([(1, 2), (3, 4.5)]))
        [[1.0, 2.0], [3.0, 4.5]]
    """
    if find_spec("numpy") is None:
        return as_rows(X, name)
    import numpy as np

    table = _finite_table(X)
    return np.array(as_rows(X, name), np.float64) if table is None else table


def as_column(y: Any, name: str = "y") -> Any:
    """The targets of `as_targets` as a new array, of int64 or float64; a list where they are of both kinds.

    Arguments:
        y, name: as for `as_targets`, which says what is raised.

    Example:
        >>> listed(as_column([0, True, 2])), listed(as_column([0, 0.5]))
        ([0, 1, 2], [0, 0.5])
    """
    if find_spec("numpy") is None:
        return as_targets(y, name)
    column = _finite_column(y)
    return as_targets(y, name) if column is None else column


def as_array(values: Any, dtype: Any = None) -> Any:
    """The values as an array, where NumPy is installed; otherwise as they are."""
    if find_spec("numpy") is None:
        return values
    import numpy as np

    return np.asarray(values, dtype)


def listed(values: Any) -> list[Any]:
    """The items of an array or a list as plain Python numbers, or lists of them."""
    items: list[Any] = values.tolist() if hasattr(values, "tolist") else values
    return items


def part(values: Any, places: Any) -> Any:
    """The items at some places, or in a slice, of an array or a list, as one of the same kind; None stays None."""
    if values is None:
        return None
    if isinstance(places, slice) or hasattr(values, "tolist"):
        return values[places]
    return [values[i] for i in places]


def number_labels(labels: Any) -> tuple[list[int], list[str]]:
    """Classes numbered 0, 1, ... in the sorted order of their labels.

    Arguments:
        labels: a label for each sample, all of them text or all of them whole numbers.

    Returns:
        `(y, target_names)`: the number of each label, and the labels as text in that order.

    Raises:
        TypeError: `labels` is no sequence, or mixes text with something else.

    Example:
        >>> number_labels(["tern", "gull", "tern"])
        ([1, 0, 1], ['gull', 'tern'])
    """
    values = [_unwrapped(label) for label in _as_list(labels, "labels")]
    kind = str if values and isinstance(values[0], str) else int
    for i, value in enumerate(values):
        if not isinstance(value, kind):
            raise TypeError(
                f"labels takes text or whole numbers, all of one kind; labels[{i}] is "
                f"{short(value)} ({type(value).__name__}): name that class or leave the sample out."
            )
    names = sorted(set(values))
    numbers = {name: number for number, name in enumerate(names)}
    return [numbers[value] for value in values], [str(name) for name in names]


def check_same_length(X: Sized, y: Sized) -> None:
    """Make sure that there is one target for each row.

    Arguments:
        X: the rows.
        y: the targets.

    Raises:
        ValueError: there are more of one than of the other.

    Example:
        >>> check_same_length([[1.0], [2.0]], [0])
        Traceback (most recent call last):
        ...
        ValueError: X has 2 rows but y has 1 target: pass one target for each row.
    """
    if len(X) != len(y):
        raise ValueError(
            f"X has {counted(len(X), 'row')} but y has {counted(len(y), 'target')}: pass one target for each row."
        )


def _finite_table(X: Any) -> Any:
    """X as a new float64 array of two dimensions; None if it may be anything but a table of finite numbers."""
    array = _array(X)
    if array is None or array.ndim != 2 or not array.shape[1]:
        return None
    import numpy as np

    with np.errstate(over="ignore"):  # of a longdouble, which is inf as a float
        table = array.astype(np.float64, order="C")
    return table if np.isfinite(table).all() else None


def _finite_column(y: Any) -> Any:
    """Targets of one kind as a new array; None if they may be anything but finite numbers of one kind."""
    kinds = set(map(type, y)) if isinstance(y, list | tuple) else set()
    if not (kinds <= {int, bool} or kinds == {float} or kinds <= {list, tuple}):  # NumPy would make floats of all
        return None
    array = _array(y)
    if array is None or array.ndim not in (1, 2) or not array.size:
        return None
    import numpy as np

    if array.ndim == 2:
        table = _finite_table(array)
        return table[:, 0].copy() if table is not None and table.shape[1] == 1 else table
    whole = array.dtype.kind in "biu"
    if array.max() > np.iinfo(np.int64).max if whole else int in kinds:  # too large for an array of whole numbers
        return None
    with np.errstate(over="ignore"):
        column = array.astype(np.int64 if whole else np.float64)
    return column if whole or np.isfinite(column).all() else None


def _array(values: Any) -> Any:
    """An array of numbers, for an array, a data frame or a list; None for what only Python's own loops can judge."""
    import numpy as np

    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if type(values) in (list, tuple) and set(map(type, values)) <= {list, tuple, np.ndarray, float, int, bool}:
        with warnings.catch_warnings():  # what NumPy warns of is no table of numbers
            warnings.simplefilter("error")
            try:
                values = np.array(values)
            except Exception:  # an object among the cells may raise anything
                return None
    # a masked array has gaps, which only its tolist() shows
    return values if type(values) is np.ndarray and values.dtype.kind in "biuf" else None


def _unwrapped(value: Any) -> Any:
    """A frame, array or NumPy scalar as Python lists and numbers; anything else as it is."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    # tolist() would turn dates into their nanoseconds without a word.
    if getattr(getattr(value, "dtype", None), "kind", None) in ("m", "M"):
        raise TypeError(
            f"X and y take numbers; got dates or durations ({value.dtype}): "
            f"turn them into numbers first, such as days since the first one."
        )
    return value.tolist() if hasattr(value, "tolist") else value


def _as_list(values: Any, name: str) -> list[Any]:
    """The items of a sequence, array or frame, or an error if it has none or no order."""
    values = _unwrapped(values)
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes, Mapping, Set)):
        raise TypeError(
            f"{name} takes a list, a NumPy array or a data frame; "
            f"got {short(values)} ({type(values).__name__}): pass one item for each sample."
        )
    return list(values)


def _row(row: Any, i: int, name: str, columns: list[str]) -> list[float]:
    """One row as a list of floats; `i` and `columns` tell an error where it is."""
    row = _unwrapped(row)
    if not isinstance(row, Iterable) or isinstance(row, (str, bytes)):
        raise ValueError(
            f"{name} takes a list of rows, one for each sample; {name}[{i}] is {short(row)} "
            f"({type(row).__name__}), not a row: pass [[a, b], [c, d]], "
            f"or [{name}] if this is one sample, or [[x] for x in {name}] if it is one column."
        )
    floats = []
    for j, cell in enumerate(_as_list(row, f"{name}[{i}]")):
        number = _finite_float(cell)
        if number is None:
            column = f"'{columns[j]}'" if j < len(columns) else f"{j}"
            raise _not_finite(cell, f"{name}[{i}][{j}] (row {i}, column {column})")
        floats.append(number)
    return floats


def _target(target: Any, i: int, name: str) -> int | float:
    """One target as a Python number; `i` and `name` tell an error which it is."""
    if isinstance(target, str):
        raise TypeError(
            f"{name} takes numbers; {name}[{i}] is {short(target)} (str): "
            f"number the classes first, with y, target_names = nn.datasets.number_labels(y)."
        )
    if isinstance(target, Integral):
        return int(target)
    number = _finite_float(target)
    if number is None:
        raise _not_finite(target, f"{name}[{i}]")
    return number


def _finite_float(cell: Any) -> float | None:
    """A number as a float; None if it is not finite, or no number at all."""
    if isinstance(cell, (str, bytes)) or _is_complex(cell):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_complex(cell: Any) -> bool:
    return isinstance(cell, Complex) and not isinstance(cell, Real)


def _not_finite(cell: Any, place: str) -> ValueError | TypeError:
    """The error for a cell that holds no finite number; `place` says which cell it is."""
    kind = type(cell).__name__
    # pandas has two missing values that are no floats; their names spare us the import.
    if _is_complex(cell):
        return ValueError(
            f"{place} is {short(cell)}, not a real number but a complex one: pass its real part, or its absolute value."
        )
    is_missing = cell is None or kind in ("NAType", "NaTType")
    if is_missing or isinstance(cell, Number):
        return ValueError(f"{place} is {short(cell)}, not a finite number: {FILL_OR_DROP}.")
    remedy = "turn it into a number first"
    if isinstance(cell, Iterable) and not isinstance(cell, (str, bytes)):
        remedy = "make each sample one flat row, an image all of its pixels"
    return TypeError(f"{place} is {short(cell)} ({kind}), not a number: {remedy}.")
