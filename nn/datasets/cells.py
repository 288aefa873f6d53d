"""What do the texts in a column of a file mean?  Numbers, truth values, dates, texts or gaps.

All decisions are made on the distinct texts of a column, so that a million rows cost little more than their numbers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from itertools import islice
from reprlib import repr as short
from typing import Any

from nn.datasets.columns import GAP_WORDS, NO_VALUES, Column, Kind, Where, all_finite, not_finite, utc

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMBERS = re.compile(r"[0-9+\-.eE\n \t]*")  # of a whole column, a line for each cell
_CODES = re.compile(r"^\s*[+-]?0[0-9]+\s*$", re.MULTILINE)
_DECIMAL_COMMAS = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)
_SPREADSHEET_ERRORS = frozenset(("#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))
_FORMULA = re.compile(r"=[\w(+\-\"$@'].*", re.DOTALL)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T,]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([AaPp][Mm])?)?", re.ASCII
)
_NEARLY_A_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\.?\d[\d.,'_\s]*([eE][-+]?\d+)?\s*[%$€£¥]?\)?")
_LOOKED_AT = 100  # texts, to see what most cells of a column are


class _Meaning:
    """What the distinct texts of a column are: their kind, a value for each, and a remark."""

    def __init__(self, kind: Kind, values: Sequence[Any], remark: str = "", odd: str | None = None) -> None:
        self.kind, self.values, self.remark, self.odd = kind, values, remark, odd


def column_of_texts(name: str, texts: Sequence[str], where: Where, *, as_text: bool, separator: str) -> Column:
    """The column that the texts of a file make.

    Arguments:
        name: what the column is called.
        texts: the cells.
        where: gives the place of a row, for errors and remarks.
        as_text: whether the cells are texts, whatever they look like; only empty ones are gaps then.
        separator: what stands between the cells of the file. Where it is no comma, 1,5 may be a number; where it is
            a semicolon, 1/2/2024 is in February.

    Raises:
        ValueError: a number is infinite or too large, or a cell holds a formula or an error of a spreadsheet.

    Example:
        >>> column_of_texts("x", ["1", "?", "2.5"], str, as_text=False, separator=",").values
        [1.0, None, 2.5]
    """
    if not as_text:
        numbers = _plain_numbers(texts)  # a column without gaps: 0.1 s for a million numbers; what follows takes 0.4
        if numbers is not None:
            _check_finite(name, numbers, texts, where)
            return Column(name, "number", numbers)
    stripped = {text: text.strip() for text in dict.fromkeys(texts)}
    gaps = {""} if as_text else GAP_WORDS
    words = list(dict.fromkeys(word for word in stripped.values() if word not in gaps))

    def place(odd: str) -> str:
        return where(next(i for i, text in enumerate(texts) if stripped[text] == odd))

    meaning = _Meaning("text", words) if as_text else _meaning(name, words, separator, place)
    remark = meaning.remark if meaning.odd is None else f"{place(meaning.odd)} has {meaning.remark}"
    if meaning.kind == "text" and not remark:
        remark = _remark_on_gaps(word for word in stripped.values() if word in gaps)
    values = dict(zip(words, meaning.values, strict=True))
    values_of_texts = {text: values.get(word) for text, word in stripped.items()}
    return Column(name, meaning.kind, list(map(values_of_texts.__getitem__, texts)), remark)


def looks_like_a_number(text: str) -> bool:
    """Whether a text is a plain number, such as -1.5e3."""
    return bool(NUMBER.fullmatch(text))


def _remark_on_gaps(words: Iterable[str]) -> str:
    """Which words count as gaps, as NA does, which may be a country."""
    named = list(dict.fromkeys(word for word in words if word not in ("", "?")))
    return f"{', '.join(map(repr, named))}: taken for gaps" if named else ""


def _meaning(name: str, words: list[str], separator: str, place: Callable[[str], str]) -> _Meaning:
    """What the distinct texts of a column mean, the first reading that fits them all."""
    if not words:
        return _Meaning("number", words, NO_VALUES)
    numbers = _plain_numbers(words)
    if numbers is not None:
        _check_finite(name, numbers, words, lambda i: place(words[i]))
        return _Meaning("number", numbers)
    infinite = list(islice(filter(_INFINITE.fullmatch, words), 1))
    if infinite and all(NUMBER.fullmatch(word) or _INFINITE.fullmatch(word) for word in words):
        raise not_finite(name, place(infinite[0]), infinite[0])
    _check_formulas(name, words, place)
    found = None if separator == "," else _with_decimal_commas(words)
    return found or _booleans(words) or _dates(words, day_first=separator == ";") or _texts(words)


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


def _check_finite(name: str, numbers: list[Any], texts: Sequence[str], where: Where) -> None:
    if not all_finite(numbers):
        for i, number in enumerate(numbers):
            if not all_finite([number]):
                raise not_finite(name, where(i), short(texts[i].strip()).strip("'"))


def _check_formulas(name: str, words: list[str], place: Callable[[str], str]) -> None:
    """Make sure that no cell has what a spreadsheet should have computed."""
    joined = "\n" + "\n".join(words)
    if "\n=" not in joined and "\n#" not in joined:
        return
    for word in words:
        if word in _SPREADSHEET_ERRORS:
            raise ValueError(
                f"{place(word)} has {word}, an error of a spreadsheet, in column '{name}': "
                f"mend its formula, or leave the cell empty."
            )
        if _FORMULA.fullmatch(word):
            raise ValueError(
                f"{place(word)} has the formula {short(word)} in column '{name}': "
                f"write the result in its place, or have the column read as text."
            )


def _with_decimal_commas(words: list[str]) -> _Meaning | None:
    """Numbers such as 1.234,5."""
    if not all(word[-1].isdigit() and _DECIMAL_COMMAS.fullmatch(word) for word in words):
        return None
    numbers = _plain_numbers("\n".join(words).replace(".", "").replace(",", ".").split("\n"))
    if numbers is None or not all_finite(numbers):
        return None
    return _Meaning("number", numbers, "numbers with decimal commas")


def _booleans(words: list[str]) -> _Meaning | None:
    """True and false, or yes and no, in capitals or not."""
    if len(words) > 6:  # Yes, yes, YES, No, no, NO
        return None
    for yes, no in (("true", "false"), ("yes", "no")):
        if all(word.lower() in (yes, no) for word in words):
            return _Meaning("boolean", [word.lower() == yes for word in words])
    return None


def _dates(words: list[str], day_first: bool) -> _Meaning | None:
    """Dates, or dates with times, all written in one way."""
    if not _DATE.fullmatch(words[0]) and not _ISO.fullmatch(words[0]):
        return None
    try:
        if all(map(_ISO.fullmatch, words)):
            if all(len(word) == 10 for word in words):
                return _Meaning("date", list(map(date.fromisoformat, words)))
            times = list(map(datetime.fromisoformat, words))
            if len({at.tzinfo is None for at in times}) == 1:
                return _Meaning("date", list(map(utc, times)), "times in UTC" if times[0].tzinfo else "")
        return _dates_in_parts(words, day_first)
    except (ValueError, OverflowError):  # there is no such day, such as February 30
        return None


def _dates_in_parts(words: list[str], day_first: bool) -> _Meaning | None:
    """Dates whose order of day, month and year the whole column tells."""
    matches = list(map(_DATE.fullmatch, words))
    parts = [match.groups() for match in matches if match is not None]
    if len(parts) < len(words) or len({part[1] for part in parts}) > 1:
        return None
    if all(len(part[0]) == 4 and len(part[3]) <= 2 for part in parts):
        days, remark = [(part[0], part[2], part[3]) for part in parts], ""
    elif all(len(part[3]) == 4 and len(part[0]) <= 2 for part in parts):
        day_first, remark = _is_day_first(parts, day_first)
        days = [(part[3], part[2], part[0]) if day_first else (part[3], part[0], part[2]) for part in parts]
    else:
        return None
    dates = [date(*map(int, day)) for day in days]
    if any(part[4] for part in parts):
        return _Meaning(
            "date", [datetime.combine(day, _time(*part[4:])) for day, part in zip(dates, parts, strict=True)], remark
        )
    return _Meaning("date", dates, remark)


def _is_day_first(parts: Sequence[Sequence[str]], usual: bool) -> tuple[bool, str]:
    """Whether dates such as 1/2/2024 begin with the day, and a remark on that."""
    separator = parts[0][1]
    order, other = "month/day/year".replace("/", separator), "day/month/year".replace("/", separator)
    if separator == ".":
        return True, ""
    if any(int(part[0]) > 12 for part in parts):
        return True, f"dates are {other}"
    if any(int(part[2]) > 12 for part in parts):
        return False, f"dates are {order}"
    order, other = (other, order) if usual else (order, other)
    return usual, f"dates are read as {order}, but may be {other}: write them as 2024-12-31 to be clear"


def _time(hour: str | None, minute: str, second: str | None, half: str | None) -> time:
    """The time of a day; midnight if there is none."""
    if hour is None:
        return time()
    if half is None:
        return time(int(hour), int(minute), int(second or 0))
    if not 1 <= int(hour) <= 12:
        raise ValueError(f"there is no {hour} {half}")
    return time(int(hour) % 12 + (12 if half.lower() == "pm" else 0), int(minute), int(second or 0))


def _texts(words: list[str]) -> _Meaning:
    """Texts; with a remark where most of them are nearly numbers or dates."""
    code = next(filter(_CODES.fullmatch, words), None)
    if code and all(map(NUMBER.fullmatch, words)):
        return _Meaning(
            "text", words, f"{short(code)}, with a zero in front as codes have, so all cells are text", code
        )
    for almost, is_right in ((_NEARLY_A_NUMBER, looks_like_a_number), (_DATE, _is_date)):
        looked_at = words[:_LOOKED_AT]
        if 2 * sum(map(bool, map(almost.fullmatch, looked_at))) > len(looked_at):
            odd = next((word for word in words if not is_right(word)), words[0])
            return _Meaning("text", words, f"{short(odd)}, so all cells are text{_advice(odd)}", odd)
    return _Meaning("text", words)


def _is_date(word: str) -> bool:
    return _dates([word], day_first=False) is not None


def _advice(odd: str) -> str:
    """What would make a number or a date of a text that is nearly one."""
    if _DATE.fullmatch(odd):
        return ": write dates as 2024-12-31"
    if not _NEARLY_A_NUMBER.fullmatch(odd):
        return ": leave a cell empty if it is a gap"
    if not odd.isascii() and odd.isdecimal():
        return ": write numbers with the digits 0 to 9"
    if any(sign in odd for sign in "%$€£¥"):
        return ": write numbers without a sign for their unit"
    return ": write numbers as 1234.5"
