"""How do data frames, arrays and lists become columns?  Whatever holds rows and names, without importing its library.

`columns.py` decides of which kind a column is. Frames are known by their methods, so that neither NumPy nor pandas
nor Polars need be installed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from reprlib import repr as short
from typing import Any, NamedTuple

from nn.datasets.columns import Column, check_lengths, check_names, column_of


class Contents(NamedTuple):
    """What a table is made of: its columns, where they come from, and where each row stands there."""

    columns: list[Column]
    source: str
    place: str  # "row {} of the data frame"
    numbers: Any  # of each row
    remarks: list[str]


def contents_of(source: Any, text: Collection[str]) -> Contents:
    """The columns of a frame, an array, a mapping or a list of dicts; those named in `text` as texts.

    Raises:
        TypeError: it is none of these.
        ValueError: its columns differ in length, have one name twice or have no kind.
    """
    kind, names, columns = _named_columns(source)
    _check_names(names, kind)
    check_names(names, text, kind)
    lists = [_listed(column) for column in columns]
    check_lengths(names, lists, kind)
    made = [
        column_of(name, values, lambda i: f"row {i} of {kind}", name in text)
        for name, values in zip(names, lists, strict=True)
    ]
    return Contents(made, kind, f"row {{}} of {kind}", range(len(lists[0]) if lists else 0), [])


def _named_columns(source: Any) -> tuple[str, list[Any], Iterable[Any]]:
    """What to call the source, and the names and values of its columns."""
    if isinstance(source, Mapping):
        return "the mapping", list(source), list(source.values())
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return "the data frame", list(source.columns), [source.iloc[:, j] for j in range(len(source.columns))]
    if hasattr(source, "columns") and hasattr(source, "get_columns"):
        return "the data frame", list(source.columns), source.get_columns()
    if getattr(getattr(source, "dtype", None), "names", None):
        return "the array", list(source.dtype.names), [source[name] for name in source.dtype.names]
    if getattr(source, "ndim", None) == 2:
        return "the array", [f"x{j}" for j in range(source.shape[1])], list(source.T)
    if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        names = list(dict.fromkeys(name for row in source for name in row))
        return "the list", names, [[row.get(name) for row in source] for name in names]
    raise TypeError(
        f"Table takes the path of a CSV file, a data frame, a mapping from names to columns, a list of dicts or an "
        f"array of two dimensions; got {short(source)} ({type(source).__name__}): pass one of these."
    )


def _listed(column: Any) -> list[Any]:
    """A column as a list of Python's values."""
    for method in ("to_list", "tolist"):
        if hasattr(column, method):
            values: list[Any] = getattr(column, method)()
            return values
    return list(column)


def _check_names(names: list[Any], source: str) -> None:
    """Make sure that each column has a name of its own, and that there is one."""
    if not names:
        raise ValueError(f"{source} has no columns: put at least one into it.")
    for j, name in enumerate(names):
        if not isinstance(name, str):
            names[j] = name = str(name)
        if name in names[:j]:
            raise ValueError(f"{source} has two columns named '{name}': rename one.")


def rows_of(columns: Iterable[Column]) -> Iterator[tuple[Any, ...]]:
    """The rows that columns make."""
    return zip(*(column.values for column in columns), strict=True)
