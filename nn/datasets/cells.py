"""What do the texts in a column of a file mean?  Numbers, truth values, dates, texts or gaps.

All is decided by the distinct texts of a column, so that a million rows cost little more than their numbers. `dates.py`
knows how dates are written.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from reprlib import repr as short
from typing import Any, NamedTuple

from nn.datasets.columns import GAP_WORDS, NO_VALUES, Column, Kind, Where, all_finite, not_finite, unclear
from nn.datasets.dates import UnclearOrder, dates_of, looks_like_a_date

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMBERS = re.compile(r"[0-9+\-.eE\n \t]*")  # of a whole column, a line for each cell
_CODES = re.compile(r"^[ \t]*[+-]?0[0-9]+[ \t]*$", re.MULTILINE)
_DECIMAL_COMMAS = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?([eE][+-]?\d+)?", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*")
_INFINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)
_SPREADSHEET_ERRORS = frozenset(("#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))
_FORMULA = re.compile(r"=[\w(+\-\"$@'].*", re.DOTALL)
_NEARLY_A_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\.?\d[\d.,'_\s]*([eE][-+]?\d+)?\s*[%$€£¥]?\)?")
_LOOKED_AT = 100  # texts, to see what most cells of a column are


class _Meaning(NamedTuple):
    """What the distinct texts of a column are: their kind, a value for each, and a remark, or one on an odd text."""

    kind: Kind
    values: Sequence[Any]
    remark: str = ""
    odd: str | None = None


def column_of_texts(name: str, texts: Sequence[str], where: Where, *, as_text: bool, separator: str) -> Column:
    """The column that the texts of a file make.

    Arguments:
        name: what the column is called.
        texts: the cells.
        where: gives the place of a row, for errors and remarks.
        as_text: whether the cells are texts, whatever they look like.
        separator: what stands between the cells of the file. Where it is no comma, 1,5 may be a number; where it is
            a semicolon, 1/2/2024 is in February.

    Raises:
        ValueError: a number is infinite or too large, or a cell holds a formula or an error of a spreadsheet.

    Example:
        >>> column_of_texts("x", ["1", "?", "2.5"], str, as_text=False, separator=",").values
        [1.0, None, 2.5]
    """
    numbers = None if as_text else _column_of_numbers(name, texts, where, separator)
    if numbers is not None:
        return numbers
    stripped = {text: text.strip() for text in dict.fromkeys(texts)}
    words = list(dict.fromkeys(word for word in stripped.values() if word not in GAP_WORDS))

    def place(odd: str) -> str:
        return where(next(i for i, text in enumerate(texts) if stripped[text] == odd))

    meaning = _Meaning("text", words) if as_text else _meaning(name, words, separator, place)
    remark = meaning.remark if meaning.odd is None else f"{place(meaning.odd)} has {meaning.remark}"
    if meaning.kind == "text" and not remark:
        remark = _remark_on_gaps(word for word in stripped.values() if word in GAP_WORDS)
    values = dict(zip(words, meaning.values, strict=True))
    values_of_texts = {text: values.get(word) for text, word in stripped.items()}
    return Column(name, meaning.kind, list(map(values_of_texts.__getitem__, texts)), remark)


def _column_of_numbers(name: str, texts: Sequence[str], where: Where, separator: str) -> Column | None:
    """The column, if all its texts are plain numbers and gaps: 0.1 to 0.5 s for a million, where words take 3."""
    numbers = _plain_numbers(texts)
    places: Sequence[int] = range(len(texts))
    if numbers is None and all(_NUMBERS.fullmatch(text) or text.strip() in GAP_WORDS for text in texts[:_LOOKED_AT]):
        places = [i for i, text in enumerate(texts) if text.strip() not in GAP_WORDS]
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
    return Column(name, "number", values, _remark_on_points([texts[i] for i in places[:_LOOKED_AT]], separator))


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


def _meaning(name: str, words: list[str], separator: str, place: Callable[[str], str]) -> _Meaning:
    """What the distinct texts of a column mean, the first reading that fits them all."""
    if not words:
        return _Meaning("number", words, NO_VALUES)
    infinite = list(islice(filter(_INFINITE.fullmatch, words), 1))
    if infinite and all(NUMBER.fullmatch(word) or _INFINITE.fullmatch(word) for word in words):
        raise not_finite(name, place(infinite[0]), infinite[0])
    _check_formulas(name, words, place)
    found = None if separator == "," else _with_decimal_commas(words)
    return found or _booleans(words) or _dates(name, words, separator, place) or _texts(words)


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


def _dates(name: str, words: list[str], separator: str, place: Callable[[str], str]) -> _Meaning | None:
    """Dates and times."""
    try:
        dates = dates_of(words, day_first=True if separator == ";" else None)
    except UnclearOrder:
        raise unclear(
            f"{place(words[0])} has the date {words[0]} in column '{name}', and nothing in the column tells whether "
            f"the day comes first or the month: write dates as 2024-12-31, or have the column read as text."
        ) from None
    return None if dates is None else _Meaning("date", *dates)


def _texts(words: list[str]) -> _Meaning:
    """Texts; with a remark where most of them are nearly numbers or dates."""
    code = next(filter(_CODES.fullmatch, words), None)
    if code and all(map(NUMBER.fullmatch, words)):
        return _Meaning(
            "text", words, f"{short(code)}, with a zero in front as codes have, so all cells are text", code
        )
    looked_at = words[:_LOOKED_AT]
    for is_nearly, is_right in ((_NEARLY_A_NUMBER.fullmatch, looks_like_a_number), (looks_like_a_date, _is_date)):
        if 2 * sum(map(bool, map(is_nearly, looked_at))) > len(looked_at):
            odd = next((word for word in words if not is_right(word)), words[0])
            return _Meaning("text", words, f"{short(odd)}, so all cells are text{_advice(odd)}", odd)
    return _Meaning("text", words)


def _is_date(word: str) -> bool:
    return dates_of([word], day_first=True) is not None or dates_of([word], day_first=False) is not None


def _advice(odd: str) -> str:
    """What would make a number or a date of a text that is nearly one."""
    if looks_like_a_date(odd):
        return ": write dates as 2024-12-31"
    if not _NEARLY_A_NUMBER.fullmatch(odd):
        return ": leave a cell empty if it is a gap"
    if not odd.isascii() and odd.isdecimal():
        return ": write numbers with the digits 0 to 9"
    if any(sign in odd for sign in "%$€£¥"):
        return ": write numbers without a sign for their unit"
    return ": write numbers as 1234.5"
