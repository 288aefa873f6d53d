"""How do data frames, arrays and lists become columns?  By their methods, without importing their libraries.

A column is read later, when it is asked for: `columns.py` decides of which kind a column is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from reprlib import repr as short
from typing import Any, NamedTuple
from unicodedata import normalize

from autograd.terminal import on_one_line
from nn.datasets.columns import Style, unclear
from nn.datasets.dataset import counted, first_ones
from nn.datasets.unread import Place, Unread


class Contents(NamedTuple):
    """What a table is made of: its columns, where its rows stand, and what a reader should know of the whole."""

    columns: list[Unread]
    place: Place
    remarks: list[str]


def contents_of(source: Any, style: Style) -> Contents:
    """The columns of a frame, an array, a mapping, or a list of rows, not read yet.

    Raises:
        TypeError: it is none of these.
        ValueError: its columns differ in length, or two have one name.
    """
    what, names, columns = _named_columns(source)
    names = [as_name("_".join(map(str, name)) if isinstance(name, tuple) else name) for name in names]
    _check_names(names, what)
    lists = [_listed(column, name, what) for name, column in zip(names, columns, strict=True)]
    for name, values in zip(names, lists, strict=True):
        if len(values) != len(lists[0]):
            raise unclear(
                f"{what} has {counted(len(lists[0]), 'value')} in column '{names[0]}' and {len(values)} in column "
                f"'{name}': give each column one value for each row, None for a gap."
            )
    place = Place(what, "row {number} of {source}", range(len(lists[0])))
    unread = []
    for name, column, values in zip(names, columns, lists, strict=True):
        is_text = hasattr(getattr(column, "dtype", None), "categories")
        unread.append(Unread(name, values, place, as_text=is_text, style=style))
    return Contents(unread, place, [])


def as_name(name: Any) -> str:
    """What a column is called, with each letter written in one way: an accent may be a sign of its own or not."""
    return normalize("NFC", str(name))


def check_known(wanted: Iterable[str], names: Collection[str], source: str) -> None:
    """Make sure that there are columns of these names.

    Raises:
        ValueError: there is none of some name; the message says which there are.
    """
    for name in wanted:
        if as_name(name) not in names:
            only = ", which is all that its first line names" if len(names) == 1 and source[:4] != "the " else ""
            raise unclear(f"{source} has no column '{name}': choose from {first_ones(names)}{only}.")


def _named_columns(source: Any) -> tuple[str, list[Any], list[Any]]:
    """What to call the source, and the names and values of its columns."""
    if hasattr(source, "collect"):
        raise TypeError(
            f"Table takes a frame that is there; got a {type(source).__name__}: pass what its collect() gives."
        )
    if hasattr(source, "to_pydict"):  # a table of Arrow
        source = source.to_pydict()
    if isinstance(source, Mapping):
        return "the mapping", list(source), list(source.values())
    if hasattr(source, "get_columns"):  # Polars
        return "the data frame", list(source.columns), source.get_columns()
    if hasattr(source, "columns") and hasattr(source, "iloc"):  # pandas
        return "the data frame", list(source.columns), [source.iloc[:, j] for j in range(len(source.columns))]
    if getattr(getattr(source, "dtype", None), "names", None):
        return "the array", list(source.dtype.names), [source[name] for name in source.dtype.names]
    if getattr(source, "ndim", None) == 2 and hasattr(source, "shape"):
        return "the array", _numbered(source.shape[1]), [source[:, j] for j in range(source.shape[1])]
    if isinstance(source, list | tuple) and source:
        if all(isinstance(row, Mapping) for row in source):
            names = list(dict.fromkeys(name for row in source for name in row))
            return "the list", names, [[row.get(name) for row in source] for name in names]
        if all(isinstance(row, list | tuple) for row in source):
            return "the list", _numbered(len(source[0])), _transposed(source)
    if hasattr(source, "to_frame"):
        raise TypeError(
            f"Table takes a whole table; got a {type(source).__name__}, one column: pass what its to_frame() gives."
        )
    raise TypeError(
        f"Table takes the path of a CSV file, a data frame, a mapping from names to columns, a list of dicts or of "
        f"rows, or an array of two dimensions; got {on_one_line(short(source))} ({type(source).__name__}): "
        f"pass one of these."
    )


def _numbered(count: int) -> list[str]:
    """Names for columns that have none, as scikit-learn gives them."""
    return [f"x{j}" for j in range(count)]


def _transposed(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The columns of a list of rows."""
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise unclear(
                f"row {i} of the list has {counted(len(row), 'value')} where row 0 has {len(rows[0])}: "
                f"give each row one value for each column, None for a gap."
            )
    return list(zip(*rows, strict=True))


def _listed(column: Any, name: str, what: str) -> list[Any]:
    """A column as a list of Python's values."""
    dtype = getattr(column, "dtype", None)
    if getattr(dtype, "kind", None) == "M" or (getattr(dtype, "kind", None) == "m" and not hasattr(column, "to_list")):
        column = _in_microseconds(column, dtype, name, what)
    for method in ("to_list", "tolist"):
        if hasattr(column, method):
            values = getattr(column, method)()
            if isinstance(values, list):
                return values
    if (
        not isinstance(column, Iterable)
        or isinstance(column, str | bytes | Mapping | Set)
        or getattr(column, "ndim", 1) == 0
    ):
        raise unclear(
            f"{what} has {short(column)} ({type(column).__name__}) for column '{name}': "
            f"give it a list of values, one for each row."
        )
    return list(column)


def _in_microseconds(times: Any, dtype: Any, name: str, what: str) -> Any:
    """Times of NumPy or pandas as an array whose tolist() gives Python's dates, or times without a zone."""
    if getattr(dtype, "tz", None) is not None:
        times = getattr(times, "dt", times).tz_convert(None)
    if hasattr(times, "to_numpy"):
        times = times.to_numpy()
    found = times if str(dtype) == "datetime64[D]" else times.astype(f"{dtype.kind}8[us]")
    for i, time in enumerate(found.tolist()):
        if isinstance(time, int):  # which Python has no type for
            raise unclear(
                f"row {i} of {what} has {times[i]} in column '{name}', which is before the year 1 or after 9999: "
                f"write another time, or leave the cell empty."
            )
    return found


def _check_names(names: list[str], what: str) -> None:
    """Make sure that there are columns, each with a name of its own."""
    if not names:
        raise unclear(f"{what} has no columns: put at least one into it.")
    for name, count in Counter(names).items():
        if count > 1:
            raise unclear(f"{what} has {count} columns named '{name}': rename all but one.")
