"""What is a column of a table?  A name, a kind, and values of that kind or gaps.

Values of Python come in here, from frames, arrays and lists. `cells.py` reads the texts of a file.
"""

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from reprlib import repr as short
from typing import Any, Literal

from autograd.terminal import on_one_line
from nn.datasets.dates import utc

Kind = Literal["number", "boolean", "date", "text"]
Where = Callable[[int], str]  # the place of a row, such as "titanic.csv, line 7"

# What pandas.read_csv takes for a missing value, and the question mark of the UCI repository.
GAP_WORDS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null", "?"}
)
NO_VALUES = "all cells are gaps"
KIND_OF: dict[type, Kind] = {
    int: "number",
    float: "number",
    bool: "boolean",
    str: "text",
    datetime.date: "date",
    datetime.datetime: "date",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Arguments:
        name: what it is called.
        kind: "number", "boolean", "date" or "text".
        values: a value for each row; None is a gap. Numbers are all ints or all floats, and finite. Dates are all
            `datetime.date`, or all `datetime.datetime` without a time zone (those with one are turned into UTC).
        remark: what a reader should know of how the kind was decided; mostly "".

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

    def as_text(self) -> "Column":
        """The column with its values as texts."""
        return Column(self.name, "text", [None if value is None else str(value) for value in self.values])


def column_of(name: str, values: list[Any], where: Where, *, as_text: bool = False) -> Column:
    """The column that values of Python make.

    Arguments:
        name: what the column is called.
        values: numbers, bools, dates, texts, and None, nan and the like for gaps.
        where: gives the place of a row, for errors.
        as_text: whether the values are texts, whatever they are.

    Raises:
        ValueError: a value is none of these, or not finite.

    Example:
        >>> column_of("age", [22, float("nan"), 38.5], lambda i: f"row {i}").values
        [22.0, None, 38.5]
        >>> column_of("age", [22, "old"], lambda i: f"row {i}")
        Column(name='age', kind='text', remark="row 1 has the text 'old', so all cells are text")
    """
    if set(map(type, values)) - KIND_OF.keys():
        values = [_plain(value) for value in values]
    values = _with_gaps(values)
    if as_text:
        return Column(name, "text", values).as_text()
    types = set(map(type, values)) - {type(None)}
    if not types <= KIND_OF.keys():
        raise _no_kind(name, values, where)
    kinds = {KIND_OF[kind] for kind in types}
    if not kinds:
        return Column(name, "number", values, NO_VALUES)
    if kinds <= {"number", "boolean"} and kinds != {"boolean"}:
        return Column(name, "number", _numbers(name, values, where))
    if datetime.datetime in types:
        values = [_time(value) for value in values]
    if len(kinds) == 1:
        return Column(name, kinds.pop(), values)
    texts = Column(name, "text", values).as_text().values
    odd = next(i for i, value in enumerate(values) if KIND_OF.get(type(value)) in ("text", "date"))
    noun = KIND_OF[type(values[odd])]
    return Column(name, "text", texts, f"{where(odd)} has the {noun} {short(texts[odd])}, so all cells are text")


def unclear(sentence: str) -> ValueError:
    """The error for something that is unclear; names and values in its sentence stay on one line."""
    return ValueError(on_one_line(sentence))


def not_finite(name: str, place: str, shown: str) -> ValueError:
    """The error for a number that is infinite, or too large for a float."""
    return unclear(
        f"{place} has {shown}, not a finite number, in column '{name}': write the number that is meant, "
        f"or nothing if it is missing."
    )


def all_finite(numbers: list[Any]) -> bool:
    """Whether all ints, floats and bools are finite as floats."""
    try:
        # the sum takes 20 ns a number, one after the other 60; it may overflow where no number does
        return math.isfinite(sum(map(float, numbers))) or all(map(math.isfinite, numbers))
    except OverflowError:  # of an int
        return False


def _with_gaps(values: list[Any]) -> list[Any]:
    """The values, stripped if they are texts, with None for nan and for words that stand for gaps."""
    types = set(map(type, values))
    if str in types:
        words = dict.fromkeys(value for value in values if type(value) is str)
        stripped = {word: None if word.strip() in GAP_WORDS else word.strip() for word in words}
        values = [stripped[value] if type(value) is str else value for value in values]
    if float in types and not (types == {float} and all_finite(values)):
        values = [None if value != value else value for value in values]
    return values


def _plain(value: Any) -> Any:
    """A value as one of Python's own types, where it has one; None for the marks that libraries have for gaps."""
    # pandas' NA and NaT and NumPy's mask are known by their names, without an import
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return None
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime.datetime):
        time = datetime.time(value.hour, value.minute, value.second, value.microsecond)  # pandas' has nanoseconds too
        return datetime.datetime.combine(value.date(), time, value.tzinfo)
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real | Decimal) else value


def _no_kind(name: str, values: list[Any], where: Where) -> ValueError:
    """The error for a value that is no number, text, bool or date."""
    i, value = next((i, value) for i, value in enumerate(values) if value is not None and type(value) not in KIND_OF)
    remedy = "turn it into one of them, or leave out the column"
    if isinstance(value, datetime.timedelta):
        remedy = "turn it into a number, such as its seconds"
    if isinstance(value, bytes):
        remedy = "decode it"
    return unclear(
        f"{where(i)} has {short(value)} ({type(value).__name__}) in column '{name}', "
        f"which takes numbers, texts, bools or dates: {remedy}."
    )


def _numbers(name: str, values: list[Any], where: Where) -> list[Any]:
    """Numbers, bools and gaps as all ints or all floats."""
    types = set(map(type, values))
    kind = float if float in types else int
    if not all_finite([value for value in values if value is not None]):
        for i, value in enumerate(values):
            if value is not None and not all_finite([value]):
                raise not_finite(name, where(i), short(value))
    if types == {kind}:
        return values
    return [None if value is None else kind(value) for value in values]


def _time(value: Any) -> Any:
    """A date as a time, at midnight, and a time without its zone; any other value as it is."""
    if type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    return utc(value) if isinstance(value, datetime.datetime) else value
