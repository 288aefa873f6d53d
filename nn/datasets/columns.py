"""What is a column of a table?  A name, a kind, and values of that kind or gaps.

Values of Python come in here, from frames, arrays and lists. `cells.py` reads texts.
"""

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from reprlib import repr as short
from typing import Any, Literal, NamedTuple

from autograd.terminal import on_one_line
from nn.datasets.dates import utc

Kind = Literal["number", "boolean", "date", "text"]
Where = Callable[[int], str]  # the place of a row, such as "titanic.csv, line 7"

# What pandas.read_csv takes for a missing value, the question mark of the UCI repository, and dashes.
GAP_WORDS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null", "?", "-", "\u2013", "\u2014"}
)
NO_VALUES = "all cells are gaps"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
KIND_OF: dict[type, Kind] = {
    int: "number",
    float: "number",
    bool: "boolean",
    str: "text",
    datetime.date: "date",
    datetime.datetime: "date",
}


class Style(NamedTuple):
    """How cells are written, as far as it is known: "," or "." before decimals, the day or month first, words for gaps.

    `GAP_WORDS` need not be among the words.
    """

    decimal: str | None = None
    day_first: bool | None = None
    gap_words: tuple[str, ...] = ()

    def over(self, other: "Style") -> "Style":
        """This style, and the other one where nothing is known here."""
        day_first = other.day_first if self.day_first is None else self.day_first
        return Style(self.decimal or other.decimal, day_first, tuple(dict.fromkeys(self.gap_words + other.gap_words)))

    @property
    def gaps(self) -> frozenset[str]:
        """All words that stand for gaps."""
        return GAP_WORDS.union(self.gap_words)


NOT_KNOWN = Style()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Arguments:
        name: what it is called.
        kind: "number", "boolean", "date" or "text".
        values: a value for each row; None is a gap. Numbers are all ints or all floats, and finite. Dates are all
            `datetime.date`, or all `datetime.datetime` without a time zone (those with one are turned into UTC).
        remark: what a reader should know of how the kind was decided; mostly "".
        style: how the numbers and dates were written, as far as the values depend on it.

    Example:
        >>> Column("age", "number", [22, None, 38]).gaps
        1
    """

    name: str
    kind: Kind
    values: list[Any] = field(repr=False)
    remark: str = ""
    style: Style = NOT_KNOWN

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gaps(self) -> int:
        """How many values are missing."""
        return self.values.count(None)

    def as_text(self) -> "Column":
        """The column with its values as texts."""
        if self.kind == "text":
            return self
        return Column(self.name, "text", [None if value is None else written(value) for value in self.values])


def written(value: Any) -> str:
    """A value as text. A whole number has no point, for gaps make floats of whole numbers in a data frame.

    >>> written(90210.0), written(0.5), written(True)
    ('90210', '0.5', 'True')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def column_of(
    name: str, values: list[Any], where: Where, *, as_text: bool = False, gap_words: frozenset[str] = GAP_WORDS
) -> Column:
    """The column that values of Python make.

    Arguments:
        name: what the column is called.
        values: numbers, bools, dates, texts, and None, nan and the like for gaps.
        where: gives the place of a row, for errors.
        as_text: whether the values are texts, whatever they are.
        gap_words: the texts that stand for gaps.

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
    values = _with_gaps(values, gap_words)
    if as_text:
        return Column(name, "text", [None if value is None else written(value) for value in values])
    types = set(map(type, values)) - {type(None)}
    if not types <= KIND_OF.keys():
        raise _no_kind(name, values, where)
    kinds = {KIND_OF[kind] for kind in types}
    if not kinds:
        return Column(name, "number", values, NO_VALUES)
    if kinds <= {"number", "boolean"} and kinds != {"boolean"}:
        return Column(name, "number", _numbers(name, values, where))
    if datetime.datetime in types:
        values = [_time(value, name, where, i) for i, value in enumerate(values)]
    if len(kinds) == 1:
        return Column(name, kinds.pop(), values)
    texts = [None if value is None else written(value) for value in values]
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


def _with_gaps(values: list[Any], gap_words: frozenset[str]) -> list[Any]:
    """The values, stripped if they are texts, with None for nan and for words that stand for gaps."""
    types = set(map(type, values))
    if str in types:
        words = dict.fromkeys(value for value in values if type(value) is str)
        stripped = {word: None if word.strip() in gap_words else word.strip() for word in words}
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
        if getattr(value.dtype, "kind", "") in "mM":  # item() makes an int of what is no time of Python's
            in_microseconds = value if str(value.dtype) == "datetime64[D]" else value.astype(f"{value.dtype.kind}8[us]")
            return value if isinstance(in_microseconds.item(), int) else in_microseconds.item()
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
    if isinstance(value, Decimal) and value.is_nan():  # float() refuses one that signals
        return None
    return float(value) if isinstance(value, Real | Decimal) else value


def _no_kind(name: str, values: list[Any], where: Where) -> ValueError:
    """The error for a value that is no number, text, bool or date."""
    i, value = next((i, value) for i, value in enumerate(values) if value is not None and type(value) not in KIND_OF)
    remedy = "turn it into one of them, or leave out the column"
    if isinstance(value, datetime.timedelta):
        remedy = "turn it into a number, such as its seconds"
    if isinstance(value, bytes):
        remedy = "decode it"
    if type(value).__name__ == "datetime64":
        remedy = "write a day from the year 1 to the year 9999, or leave the cell empty"
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


def _time(value: Any, name: str, where: Where, i: int) -> Any:
    """A date as a time, at midnight, and a time without its zone; any other value as it is."""
    if type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    try:
        return utc(value) if isinstance(value, datetime.datetime) else value
    except OverflowError:
        raise unclear(
            f"{where(i)} has {value} in column '{name}', which is before the year 1 or after 9999 in UTC: "
            f"write another time, or leave the cell empty."
        ) from None
