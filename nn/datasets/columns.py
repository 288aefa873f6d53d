"""What is a column of a table?  A name, a kind, and values of that kind or gaps.

Values of Python come in here from frames and lists; `cells.py` reads the texts of a file.
"""

import datetime
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Number, Real
from reprlib import repr as short
from typing import Any, Literal

from nn.datasets.dataset import counted

Kind = Literal["number", "boolean", "date", "text"]

# The words that pandas.read_csv takes for a missing value, and the mark of the UCI repository.
GAP_WORDS = frozenset(
    [
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
        "?",
    ]
) | {""}
NO_FINITE_NUMBER = "write the number that is meant, or leave the cell empty"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Arguments:
        name: what it is called.
        kind: "number", "boolean", "date" or "text".
        values: a value for each row; None is a gap. Numbers are all ints or all floats, and finite. Dates are all
            `datetime.date`, or all `datetime.datetime` without a time zone (those with one were turned into UTC).
        remark: what a reader of the table should know of how the kind was decided; mostly "".

    Example:
        >>> Column("age", "number", [22, None, 38]).gaps
        1
    """

    name: str
    kind: Kind
    values: list[Any] = field(repr=False)
    remark: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gaps(self) -> int:
        """How many values are missing."""
        return self.values.count(None)


def column_of(name: str, values: Sequence[Any], where: Callable[[int], str], as_text: bool = False) -> Column:
    """The column that values of Python make.

    Arguments:
        name: what the column is called.
        values: numbers, bools, dates, texts, and None, nan and the like for gaps.
        where: gives the place of a row, for errors.
        as_text: whether all values are to be texts.

    Raises:
        ValueError: a value is none of these, or not finite.

    Example:
        >>> column_of("age", [22, float("nan"), 38], lambda i: f"row {i}").values
        [22, None, 38]
        >>> column_of("age", [22, "old"], lambda i: f"row {i}")
        Column(name='age', kind='text', remark="row 1 has the text 'old', so all cells are text")
    """
    values = [None if _is_gap(value) else _plain(value) for value in values]
    kinds = {type(value): _kind(value) for value in reversed(values) if value is not None}
    for i, value in enumerate(values):
        if value is not None and kinds[type(value)] is None:
            raise ValueError(
                f"{where(i)} has {short(value)} ({type(value).__name__}) in column '{name}', "
                f"which takes numbers, texts, bools or dates: turn it into one of them, or leave out the column."
            )
    present = set(kinds.values())
    if as_text:
        return Column(name, "text", [None if value is None else str(value) for value in values])
    if not present:
        return Column(name, "number", values, "all cells are gaps" if values else "")
    if present == {"boolean"}:
        return Column(name, "boolean", values)
    if present == {"date"}:
        return Column(name, "date", _of_one_type(values))
    if present <= {"number", "boolean"}:
        return Column(name, "number", _numbers(name, values, where))
    texts = [None if value is None else str(value) for value in values]
    if present == {"text"}:
        return Column(name, "text", texts)
    odd = next(i for i, value in enumerate(values) if isinstance(value, str) or kinds.get(type(value)) == "date")
    what = f"the text {short(values[odd])}" if isinstance(values[odd], str) else f"the date {values[odd]}"
    return Column(name, "text", texts, f"{where(odd)} has {what}, so all cells are text")


def not_finite(place: str, shown: str, name: str) -> ValueError:
    """The error for a number in a column that is infinite, or too large for a float."""
    return ValueError(f"{place} has {shown}, not a finite number, in column '{name}': {NO_FINITE_NUMBER}.")


def check_names(names: Sequence[str], wanted: Collection[str], source: str) -> None:
    """Make sure that the columns wanted are there.

    Raises:
        ValueError: one is not; the message names those that are.
    """
    for name in wanted:
        if name not in names:
            there = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            raise ValueError(f"{source} has no column '{name}': choose from {there}.")


def check_lengths(names: Sequence[str], columns: Sequence[Sequence[Any]], source: str) -> None:
    """Make sure that all columns have one length.

    Raises:
        ValueError: one has another than the first.
    """
    for name, column in zip(names, columns, strict=True):
        if len(column) != len(columns[0]):
            raise ValueError(
                f"{source} has {counted(len(columns[0]), 'value')} in column '{names[0]}' and {len(column)} in column "
                f"'{name}': give each column one value for each row, None for a gap."
            )


def _is_gap(value: Any) -> bool:
    """Whether a value stands for a missing one."""
    if value is None or (isinstance(value, str) and value.strip() in GAP_WORDS):
        return True
    if type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):  # pandas' and NumPy's, without the import
        return True
    return isinstance(value, float) and math.isnan(value)


def _plain(value: Any) -> Any:
    """A value of Python's own types, where it has one: numbers of NumPy, decimals, fractions, times with a zone."""
    if type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str(value).strip()
    if isinstance(value, datetime.datetime):
        return utc(value)
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return value.item()
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real | Decimal) else value


def utc(time: datetime.datetime) -> datetime.datetime:
    """The time without a time zone; one that has a zone is turned into UTC."""
    return time if time.tzinfo is None else time.astimezone(datetime.UTC).replace(tzinfo=None)


def _kind(value: Any) -> Kind | None:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, datetime.date):
        return "date"
    return "number" if isinstance(value, Number) and not isinstance(value, complex) else None


def _numbers(name: str, values: list[Any], where: Callable[[int], str]) -> list[Any]:
    """All ints, or all floats, and finite."""
    kind = float if any(type(value) is float for value in values) else int
    for i, value in enumerate(values):
        try:
            finite = value is None or math.isfinite(value)
        except OverflowError:  # an int
            finite = False
        if not finite:
            raise not_finite(where(i), short(value), name)
    return [None if value is None else kind(value) for value in values]


def _of_one_type(dates: list[Any]) -> list[Any]:
    """Dates as they are; as times, at midnight, if one of them has a time."""
    if not any(isinstance(date, datetime.datetime) for date in dates):
        return dates
    midnight = datetime.time()
    return [
        date if date is None or isinstance(date, datetime.datetime) else datetime.datetime.combine(date, midnight)
        for date in dates
    ]
