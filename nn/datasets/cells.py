"""What do the texts in a column mean?  Numbers, truth values, dates, texts or gaps.

`column_of_texts` finds out, `column_as` is told. All is decided by the distinct texts of a column, so that a million
rows cost little more than their numbers. `dates.py` knows how dates are written.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from itertools import islice
from reprlib import repr as short
from typing import Any, NamedTuple

from nn.datasets.columns import (
    GAP_WORDS,
    NO_VALUES,
    NOT_KNOWN,
    NUMBER,
    Column,
    Kind,
    Style,
    Where,
    all_finite,
    not_finite,
    unclear,
    written,
)
from nn.datasets.dates import UnclearOrder, dates_of, looks_like_a_date

_NUMBERS = re.compile(r"[0-9+\-.eE\n \t]*")  # of a whole column, a line for each cell
_CODES = re.compile(r"^[ \t]*[+-]?0[0-9]+[ \t]*$", re.MULTILINE)
_DECIMAL_COMMAS = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS_WITH_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_PERHAPS_WITH_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*")
_INFINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)
_SPREADSHEET_ERRORS = frozenset(("#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))
_FORMULA = re.compile(r"=[\w(+\-\"$@'].*", re.DOTALL)
_NEARLY_A_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\.?\d[\d.,'_\s]*([eE][-+]?\d+)?\s*[%$€£¥]?\)?")
_NEARLY_A_DATE = re.compile(
    r"(\d{1,2}\.?[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ -]\d{1,4}(,? \d{4})?", re.IGNORECASE
)
_TIME = re.compile(r"\d{1,2}:\d\d(:\d\d)?(\s*[ap]m)?", re.IGNORECASE)
_MINUS = "\u2212"  # of typesetting, which some programs write
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_LOOKED_AT = 100  # texts, to see what most cells of a column are


class _Meaning(NamedTuple):
    """What the distinct texts of a column are: their kind, a value for each, and a remark, or one on an odd text."""

    kind: Kind
    values: Sequence[Any]
    remark: str = ""
    odd: str | None = None
    style: Style = NOT_KNOWN


def column_of_texts(
    name: str, texts: Sequence[str], where: Where, kind: Kind | None, separator: str, style: Style = NOT_KNOWN
) -> Column:
    """The column that the texts of a file make.

    Arguments:
        name: what the column is called.
        texts: the cells.
        where: gives the place of a row, for errors and remarks.
        kind: what they are; None: they tell.
        separator: what stands between the cells of the file. Where it is no comma, 1,5 may be a number; where it is
            a semicolon, 1/2/2024 is in February.
        style: how numbers and dates are written, if that is known.

    Raises:
        ValueError: a number is infinite or too large, a cell holds a formula or an error of a spreadsheet, or a date
            or number may be read in two ways; or a cell is not of the kind.

    Example:
        >>> column_of_texts("x", ["1", "?", "2.5"], str, None, ",").values
        [1.0, None, 2.5]
    """
    if kind in (None, "number"):
        numbers = _column_of_numbers(name, texts, where, separator, style.gaps)
        if numbers is not None and not (style.decimal == "," and numbers.style.decimal == "."):
            return numbers
    stripped = {text: text.strip() for text in dict.fromkeys(texts)}
    gap_words = style.gaps
    words = list(dict.fromkeys(word for word in stripped.values() if word not in gap_words))

    def place(odd: str) -> str:
        return where(next(i for i, text in enumerate(texts) if stripped[text] == odd))

    meaning = _Meaning("text", words) if kind else _meaning(name, words, separator, style, place)
    remark = meaning.remark if meaning.odd is None else f"{place(meaning.odd)} has {meaning.remark}"
    if meaning.kind == "text" and not remark:
        remark = _remark_on_gaps(word for word in stripped.values() if word in GAP_WORDS)
    values = dict(zip(words, meaning.values, strict=True))
    values_of_texts = {text: values.get(word) for text, word in stripped.items()}
    column = Column(name, meaning.kind, list(map(values_of_texts.__getitem__, texts)), remark, meaning.style)
    return column if kind is None else column_as(column, kind, where, separator, style)


def column_as(column: Column, kind: Kind, where: Where, separator: str = "", style: Style = NOT_KNOWN) -> Column:
    """A column as one of another kind.

    Arguments:
        column, kind: what there is, and what is wanted.
        where, separator, style: as for `column_of_texts`.

    Raises:
        ValueError: a value cannot be of this kind; the message says where it stands.

    Example:
        >>> column_as(Column("x", "text", ["1,5", None, "2"]), "number", str, style=Style(decimal=",")).values
        [1.5, None, 2.0]
    """
    if column.kind == kind:
        return column
    if kind == "text":
        return column.as_text()

    def place(value: Any) -> str:
        return where(column.values.index(value))

    distinct = [value for value in dict.fromkeys(column.values) if value is not None]
    meaning = None
    if column.kind == "text" and distinct:
        meaning = _of_kind(kind, column.name, distinct, separator, style, place)
    if meaning is None:
        found = []
        for value in distinct:
            found.append(_value_as(value, kind, column.name, separator, style, place))
            if found[-1] is None:
                raise _not_of_kind(value, kind, column.name, place(value), style)
        meaning = _Meaning(kind, _alike(found))
    values = dict(zip(distinct, meaning.values, strict=True))
    return Column(column.name, kind, list(map(values.get, column.values)), meaning.remark, meaning.style)


def _of_kind(
    kind: Kind, name: str, words: list[str], separator: str, style: Style, place: Callable[[str], str]
) -> _Meaning | None:
    """What texts mean that are of a known kind; None if one of them does not fit the others."""
    if kind == "number":
        return _numbers(name, words, separator, style.decimal, place)
    return _booleans(words) if kind == "boolean" else _dates(name, words, separator, style.day_first, place)


def _value_as(value: Any, kind: Kind, name: str, separator: str, style: Style, place: Callable[[str], str]) -> Any:
    """One value as one of this kind; None if it is none."""
    if isinstance(value, str):
        meaning = _of_kind(kind, name, [value], separator, style, place)
        if meaning is not None:
            return meaning.values[0]
        if kind == "date":
            return None
        if value.lower() in _TRUTHS:
            return int(_TRUTHS[value.lower()])
        if not NUMBER.fullmatch(value) or (style.decimal == "," and "." in value):  # here 007 is no code
            return None
        value = int(value) if value.lstrip("+-").isdecimal() and len(value) < _LOOKED_AT else float(value)
    if kind == "date" or isinstance(value, date):
        return value if kind == "date" and isinstance(value, date) else None
    if kind == "boolean":
        return bool(value) if value in (0, 1) else None
    return value if all_finite([value]) else None


def _alike(values: list[Any]) -> list[Any]:
    """Numbers as all ints or all floats, dates as all days or all times."""
    types = set(map(type, values))
    if datetime in types:
        return [value if type(value) is datetime else datetime.combine(value, time()) for value in values]
    if float in types or (bool in types and int in types):
        return list(map(float if float in types else int, values))
    return values


def _not_of_kind(value: Any, kind: Kind, name: str, place: str, style: Style) -> ValueError:
    """The error for a value that is not of the kind wanted."""
    day = {None: "2024-12-31", True: "31/12/2024", False: "12/31/2024"}[style.day_first]
    number = "1234,5" if style.decimal == "," else "1234.5"
    wanted = {"number": f"a number such as {number}", "boolean": "true or false", "date": f"a date such as {day}"}[kind]
    other = ""
    if kind == "date" and isinstance(value, str) and looks_like_a_date(value) and style.day_first is not None:
        other = f", or read the table with day_first={not style.day_first}"
        other += f" (--dates {'month' if style.day_first else 'day'}-first)"
    if kind == "number" and isinstance(value, str) and style.decimal and {*".,"} & {*value}:
        mark, option = (".", "point") if style.decimal == "," else (",", "comma")
        other = f", or read the table with decimal='{mark}' (--decimal {option})"
    seen = short(value) if isinstance(value, str) else written(value)
    return unclear(
        f"{place} has {seen} in column '{name}', where {wanted} is wanted: "
        f"write one there{',' if other else ' or'} leave the cell empty if it is a gap{other}."
    )


def _column_of_numbers(
    name: str, texts: Sequence[str], where: Where, separator: str, gap_words: frozenset[str]
) -> Column | None:
    """The column, if all its texts are plain numbers and gaps: 0.1 to 0.5 s for a million, where words take 3."""
    numbers = _plain_numbers(texts)
    places: Sequence[int] = range(len(texts))
    if numbers is None and all(_NUMBERS.fullmatch(text) or text.strip() in gap_words for text in texts[:_LOOKED_AT]):
        places = [i for i, text in enumerate(texts) if text.strip() not in gap_words]
        numbers = _plain_numbers([texts[i] for i in places]) if 0 < len(places) < len(texts) else None
    if numbers is None:
        return None
    if not all_finite(numbers):
        odd = places[next(k for k, number in enumerate(numbers) if not all_finite([number]))]
        raise not_finite(name, where(odd), short(texts[odd].strip()).strip("'"))
    values: list[Any] = numbers
    if len(places) < len(texts):
        values = [None] * len(texts)
        for i, number in zip(places, numbers, strict=True):
            values[i] = number
    remark = _remark_on_points([texts[i] for i in places[:_LOOKED_AT]], separator)
    pointed = isinstance(numbers[0], float) and any("." in texts[i] for i in places)
    return Column(name, "number", values, remark, Style("." if pointed else None))


def looks_like_a_number(text: str) -> bool:
    """Whether a text is a plain number, such as -1.5e3."""
    return bool(NUMBER.fullmatch(text))


def _remark_on_points(texts: Sequence[str], separator: str) -> str:
    """What 1.234 is, in a file that may be from a country where a point stands between thousands."""
    if separator == ",":
        return ""
    pointed = [text for text in texts if "." in text]
    doubtful = pointed and all(map(_PERHAPS_THOUSANDS.fullmatch, pointed))
    return f"points are decimal points: {pointed[0].strip()} is less than 1000" if doubtful else ""


def _remark_on_gaps(words: Iterable[str]) -> str:
    """Which words count as gaps, as NA does, which may be a country."""
    named = list(dict.fromkeys(word for word in words if word not in ("", "?")))
    return f"{', '.join(map(repr, named))}: taken for gaps" if named else ""


def _meaning(name: str, words: list[str], separator: str, style: Style, place: Callable[[str], str]) -> _Meaning:
    """What the distinct texts of a column mean, the first reading that fits them all."""
    if not words:
        return _Meaning("number", words, NO_VALUES)
    infinite = list(islice(filter(_INFINITE.fullmatch, words), 1))
    if infinite and all(NUMBER.fullmatch(word) or _INFINITE.fullmatch(word) for word in words):
        raise not_finite(name, place(infinite[0]), infinite[0])
    _check_formulas(name, words, place)
    found = _numbers(name, words, separator, style.decimal, place) or _booleans(words)
    return found or _dates(name, words, separator, style.day_first, place) or _texts(words, separator)


def _plain_numbers(texts: Sequence[str]) -> list[Any] | None:
    """The numbers, all ints or all floats; None if a text is no number, or looks like a code, as 007 does."""
    joined = "\n".join(texts)
    # float() also takes 1_000, nan, and the digits of all scripts, which no table means as numbers
    if not _NUMBERS.fullmatch(joined) or ("0" in joined and _CODES.search(joined)):
        return None
    for kind in (int, float):
        try:
            return list(map(kind, texts))
        except ValueError:  # an int may also have too many digits for Python
            continue
    return None


def _check_formulas(name: str, words: list[str], place: Callable[[str], str]) -> None:
    """Make sure that no cell has what a spreadsheet should have computed."""
    joined = "\n" + "\n".join(words)
    if "\n=" not in joined and "\n#" not in joined:
        return
    for word in words:
        if word in _SPREADSHEET_ERRORS:
            raise unclear(
                f"{place(word)} has {word}, an error of a spreadsheet, in column '{name}': "
                f"mend its formula, or leave the cell empty."
            )
        if _FORMULA.fullmatch(word):
            raise unclear(
                f"{place(word)} has the formula {short(word)} in column '{name}': "
                f"write the result in its place, or have the column read as text (--text {name})."
            )


def _numbers(
    name: str, words: list[str], separator: str, decimal: str | None, place: Callable[[str], str]
) -> _Meaning | None:
    """Numbers such as 1.234,5, or 1,234.5 where points are known to be decimal, also with the minus of typesetting."""
    plain = [word.replace(_MINUS, "-") for word in words] if _MINUS in words[0] or _MINUS in "".join(words) else words
    if decimal != ",":
        whole = plain
        if decimal and all(NUMBER.fullmatch(word) or _THOUSANDS_WITH_COMMAS.fullmatch(word) for word in plain):
            whole = [word.replace(",", "") for word in plain]
        numbers = _plain_numbers(whole) if whole is not words else None
        if numbers is not None and all_finite(numbers):
            return _Meaning("number", numbers, style=Style("." if any("." in word for word in whole) else decimal))
        if decimal or separator == ",":
            return None
    if not all(map(_decimal_comma, plain)):
        return None
    if decimal is None:
        _check_commas(name, words, place)
    numbers = _plain_numbers("\n".join(plain).replace(".", "").replace(",", ".").split("\n"))
    if numbers is None or not all_finite(numbers):
        return None
    style = Style("," if any("," in word or "." in word for word in plain) else None)
    return _Meaning("number", numbers, "numbers with decimal commas", style=style)


def _check_commas(name: str, words: list[str], place: Callable[[str], str]) -> None:
    """Make sure that commas do not look like those between thousands, as in 1,234."""
    commas = [word for word in words if "," in word]
    if commas and all(map(_PERHAPS_WITH_COMMAS.fullmatch, commas)):
        raise unclear(
            f"{place(commas[0])} has {commas[0]} in column '{name}', whose commas may stand before decimals or between "
            f"thousands: read the table with decimal=',' or decimal='.' (--decimal comma, --decimal point)."
        )


def _booleans(words: list[str]) -> _Meaning | None:
    """True and false, or yes and no, in capitals or not."""
    if len(words) > 6:  # Yes, yes, YES, No, no, NO
        return None
    for both in (("true", "false"), ("yes", "no")):
        if all(word.lower() in both for word in words):
            return _Meaning("boolean", [_TRUTHS[word.lower()] for word in words])
    return None


def _dates(
    name: str, words: list[str], separator: str, day_first: bool | None, place: Callable[[str], str]
) -> _Meaning | None:
    """Dates and times."""
    try:
        dates = dates_of(words, day_first, usual=True if separator == ";" else None)
    except UnclearOrder:
        raise unclear(
            f"{place(words[0])} has the date {words[0]} in column '{name}', and nothing in the column tells whether "
            f"the day comes first or the month: write dates as 2024-12-31, or read the table with day_first=True or "
            f"False (--dates day-first, --dates month-first)."
        ) from None
    if dates is None:
        return None
    return _Meaning("date", dates.values, dates.remark, style=Style(day_first=dates.day_first))


def _texts(words: list[str], separator: str) -> _Meaning:
    """Texts; with a remark where most of them are nearly numbers or dates."""
    code = next(filter(_CODES.fullmatch, words), None)
    if code and all(map(NUMBER.fullmatch, words)):
        return _Meaning(
            "text", words, f"{short(code)}, with a zero in front as codes have, so all cells are text", code
        )
    looked_at = words[:_LOOKED_AT]
    points = sum(map(looks_like_a_number, looked_at))
    commas = sum(map(_decimal_comma, looked_at)) if separator != "," else 0
    for is_nearly, is_right in (
        (_NEARLY_A_NUMBER.fullmatch, _decimal_comma if commas > points else looks_like_a_number),
        (looks_like_a_date, _is_date),
        (_NEARLY_A_DATE.fullmatch, _is_date),
        (_TIME.fullmatch, _is_date),
    ):
        if 2 * sum(map(bool, map(is_nearly, looked_at))) > len(looked_at):
            odd = next((word for word in words if not is_right(word)), words[0])
            return _Meaning("text", words, f"{short(odd)}, so all cells are text{_advice(odd)}", odd)
    return _Meaning("text", words)


def _decimal_comma(word: str) -> bool:
    return word[-1].isdigit() and bool(_DECIMAL_COMMAS.fullmatch(word))


def _is_date(word: str) -> bool:
    return dates_of([word], day_first=True) is not None or dates_of([word], day_first=False) is not None


def _advice(odd: str) -> str:
    """What would make a number or a date of a text that is nearly one."""
    if looks_like_a_date(odd) or _NEARLY_A_DATE.fullmatch(odd):
        return ": write dates as 2024-12-31"
    if _TIME.fullmatch(odd):
        return ": write times with their date, as 2024-12-31 10:30, or as numbers, such as minutes"
    if not _NEARLY_A_NUMBER.fullmatch(odd):
        return f": leave a cell empty if it is a gap, or read the table with gap_words=[{odd!r}]"
    if not odd.isascii() and odd.isdecimal():
        return ": write numbers with the digits 0 to 9"
    if any(sign in odd for sign in "%$€£¥"):
        return ": write numbers without a sign for their unit"
    return ": write numbers as 1234.5"
