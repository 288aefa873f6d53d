"""How are dates and times written?  As 2024-12-31, as 31.12.2024, as 12/31/2024, ...: what fits a whole column.

A time without its zone is what a column has; `utc` makes one of a time with a zone.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T,]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([AaPp][Mm])?)?", re.ASCII
)


class Dates(NamedTuple):
    """What texts mean: dates or times, a remark on how they were read, and which order they depend on."""

    values: list[date]
    remark: str = ""
    day_first: bool | None = None


class UnclearOrder(Exception):
    """Nothing in a column tells whether its days or its months come first."""


def utc(at: datetime) -> datetime:
    """The time without a time zone; one that has a zone is turned into UTC."""
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)


def looks_like_a_date(text: str) -> bool:
    """Whether a text is written as dates are, even if there is no such day."""
    return bool(_ISO.fullmatch(text) or _DATE.fullmatch(text))


def dates_of(words: Sequence[str], day_first: bool | None = None, usual: bool | None = None) -> Dates | None:
    """The dates that texts mean, all of them written in one way.

    Arguments:
        words: the distinct texts of a column.
        day_first: whether 1/2/2024 is in February, whatever the others are; None: the column tells.
        usual: the same, where nothing in the column tells; None if that is not known.

    Returns:
        Dates, or times without a zone if one of the texts has a time; None if a text is no date, or there is no such
        day.

    Raises:
        UnclearOrder: `day_first` is needed.

    Example:
        >>> dates_of(["31.12.2024"])
        Dates(values=[datetime.date(2024, 12, 31)], remark='', day_first=True)
        >>> dates_of(["1/2/2024", "1/13/2024"]).values
        [datetime.date(2024, 1, 2), datetime.date(2024, 1, 13)]
    """
    if not looks_like_a_date(words[0]):
        return None
    try:
        if all(map(_ISO.fullmatch, words)):
            if all(len(word) == 10 for word in words):
                return Dates(list(map(date.fromisoformat, words)))
            times = list(map(datetime.fromisoformat, words))
            if len({at.tzinfo is None for at in times}) == 1:
                return Dates(list(map(utc, times)), "times in UTC" if times[0].tzinfo else "")
        return _dates_in_parts(words, day_first, usual)
    except (ValueError, OverflowError):  # there is no such day, such as February 30
        return None


def _dates_in_parts(words: Sequence[str], day_first: bool | None, usual: bool | None) -> Dates | None:
    """Dates whose order of day, month and year the whole column tells."""
    matches = list(map(_DATE.fullmatch, words))
    parts = [match.groups() for match in matches if match is not None]
    if len(parts) < len(words) or len({part[1] for part in parts}) > 1:
        return None
    remark = ""
    if all(len(part[0]) == 4 and len(part[3]) <= 2 for part in parts):
        days, day_first = [(part[0], part[2], part[3]) for part in parts], None
    elif all(len(part[3]) == 4 and len(part[0]) <= 2 for part in parts):
        day_first, remark = _is_day_first(parts, day_first, usual)
        days = [(part[3], part[2], part[0]) if day_first else (part[3], part[0], part[2]) for part in parts]
    else:
        return None
    dates: list[date] = [date(*map(int, day)) for day in days]
    if any(part[4] for part in parts):
        dates = [datetime.combine(day, _time(*part[4:])) for day, part in zip(dates, parts, strict=True)]
    return Dates(dates, remark, day_first)


def _is_day_first(parts: Sequence[Sequence[str]], told: bool | None, usual: bool | None) -> tuple[bool | None, str]:
    """Whether dates such as 1/2/2024 begin with the day, None where that makes no difference, and a remark on it."""
    separator = parts[0][1]
    day_first = told
    if separator == ".":
        return True, ""
    if day_first is None and any(int(part[0]) > 12 for part in parts):
        day_first = True
    elif day_first is None and any(int(part[2]) > 12 for part in parts):
        day_first = False
    elif day_first is None and any(int(part[0]) != int(part[2]) for part in parts):
        if usual is None:
            raise UnclearOrder
        day_first = usual
    order = ("day", "month", "year") if day_first or (day_first is None and usual) else ("month", "day", "year")
    return day_first, f"dates are {separator.join(order)}"


def _time(hour: str | None, minute: str, second: str | None, half: str | None) -> time:
    """The time of a day; midnight if there is none."""
    if hour is None:
        return time()
    if half is None:
        return time(int(hour), int(minute), int(second or 0))
    if not 1 <= int(hour) <= 12:
        raise ValueError(f"there is no {hour} {half}")
    return time(int(hour) % 12 + (12 if half.lower() == "pm" else 0), int(minute), int(second or 0))
