"""How does one column of a table become inputs of a network? By a code, learned from the training rows.

There is a code for each kind of column. `encoding.py` chooses the codes of a table and puts their inputs together.
A code is plain data: `state()` is a dict for JSON, and `code_of` makes the code again.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any, ClassVar

from autograd.reals import shown
from nn.datasets.columns import NUMBER, written
from nn.datasets.table import Table

YEAR, DAY = 365.25, 86_400  # days, and seconds
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PARTS = {
    "season": ["season, sine", "season, cosine"],
    "weekday": list(WEEKDAYS),
    "time": ["time, sine", "time, cosine"],
}
"""What a date tells besides its day: the names of its inputs."""


@dataclass(frozen=True)
class Code:
    """How a column becomes inputs.

    Arguments:
        name: the column.
        described: what it held in the training rows, in a few words.
        gaps: how many of its cells were empty. If some were, one more input says so of a cell.
    """

    name: str
    described: str
    gaps: int

    key: ClassVar[str] = ""  # what a checkpoint calls this code

    def __post_init__(self) -> None:
        _check(self, "gaps", self.gaps >= 0)

    @property
    def missing(self) -> bool:
        """Whether one input says that the cell was empty."""
        return self.gaps > 0

    def own_names(self) -> list[str]:
        """The names of the inputs, without that for gaps."""
        return [self.name]

    def names(self) -> list[str]:
        """The names of the inputs."""
        return self.own_names() + [f"{self.name} is missing"] * self.missing

    def done(self) -> str:
        """What is done with the column, in a few words."""
        return "as it is"

    def gaps_done(self) -> str:
        """What takes the place of a gap, in a few words; nothing where there were none."""
        fill = getattr(self, "fill", None)
        if not self.missing or fill is None:
            return ""
        return f"gaps {fill:.4g}" if isinstance(fill, float) else f"gaps {fill}"

    def cells(self, table: Table) -> list[Any]:
        """The cells of this column, None for a gap. Raises ValueError if they are not of the kind wanted."""
        raise NotImplementedError

    def pattern(self, cell: Any) -> list[float]:
        """The inputs for a cell, without that for gaps."""
        raise NotImplementedError

    def check(self, cell: Any, where: Callable[[], str]) -> None:
        """Raises ValueError if the code has no inputs for this cell; `where` says where it stands first."""

    def inputs(self, table: Table) -> Any:
        """The inputs for all rows of a table: an array of n rows, or a list of lists where NumPy is not installed."""
        cells = self.cells(table)
        places: dict[Any, int] = {}
        which = [places.setdefault(cell, len(places)) for cell in cells]
        # Each different cell is encoded once: of 100,000 cells with 5 categories in 12 ms, not in 90.
        for cell in places:
            self.check(cell, partial(_first_place, table, cells, cell))
        patterns = [self.pattern(cell) + [float(cell is None)] * self.missing for cell in places]
        if find_spec("numpy") is None:
            return [patterns[k] for k in which]
        import numpy as np

        return np.array(patterns, np.float64).reshape(len(patterns), len(self.names()))[which]

    def state(self) -> dict[str, Any]:
        """The code as plain data."""
        return {"code": self.key, **asdict(self)}

    def check_gap(self, fill: Any, where: Callable[[], str]) -> None:
        """Raises ValueError for a gap where gaps are errors."""
        if fill is None:
            raise ValueError(
                f"{where()} has an empty cell in column {self.name!r}, and gaps were made errors in training: "
                f"fill it in, or leave the row out"
            )


def _first_place(table: Table, cells: list[Any], cell: Any) -> str:
    """Where a cell stands first; found when it is asked for, since most cells are never complained of."""
    return table.where(cells.index(cell))


def moment(text: str) -> date:
    """The date or time that `isoformat` wrote."""
    return datetime.fromisoformat(text)


def known_texts(table: Table, name: str, known: Sequence[str]) -> list[Any]:
    """The cells of a column of text. Numbers, truth values and dates of a frame become texts.

    Raises:
        ValueError: as texts they cannot be what was there in training, such as 007.
    """
    cells = table.read(name, "text").values
    kind = table.given_kind(name)
    if kind == "text":
        return _without_points(cells, known)
    lost = [text for text in known if not _writes(kind, text)]
    if any(cells) and (len(lost) == len(known) or any(map(_CODE.fullmatch, lost))):
        raise ValueError(
            f"{table.source} has {kind}s in column {name!r}, which held texts such as {shown(lost[0])} in training: "
            f"pass texts (in pandas: read_csv(..., dtype={{{name!r}: str}}))"
        )
    return cells


_CODE = re.compile(r"[+-]?0\d+")


def _writes(kind: str, text: str) -> bool:
    """Whether a value of this kind may be this text."""
    if kind == "number":
        return bool(NUMBER.fullmatch(text)) and text in (written(float(text)), str(float(text)), text.lstrip("+0"))
    return text in ("True", "False") if kind == "boolean" else _is_moment(text)


def _without_points(cells: list[Any], known: Sequence[str]) -> list[Any]:
    """The texts; 90210.0, which pandas writes where there are gaps, as 90210 if that is what is known."""
    texts = set(known)
    pointed = {cell for cell in set(cells) - texts if cell and cell[-2:] == ".0" and cell[:-2] in texts}
    return [cell[:-2] if cell in pointed else cell for cell in cells] if pointed else cells


@dataclass(frozen=True)
class NumberCode(Code):
    """A number as it is; a gap is `fill`.

    Arguments:
        decimal: what stood before decimals in texts, if any had them.
        numbers_rows: whether it looks like the numbers of the rows, of which a model can learn nothing.
    """

    fill: float | None
    decimal: str | None = None
    numbers_rows: bool = False
    key = "number"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, "fill", self.fill is None or math.isfinite(self.fill))
        _check(self, "decimal", self.decimal in (None, ",", "."))

    def cells(self, table: Table) -> list[Any]:
        return table.read(self.name, "number", decimal=self.decimal).values

    def inputs(self, table: Table) -> Any:
        cells = self.cells(table)
        if self.fill is None and None in cells:
            self.check_gap(None, partial(_first_place, table, cells, None))
        if find_spec("numpy") is None:
            gap = [self.fill or 0.0] + [1.0] * self.missing
            return [gap if cell is None else [float(cell)] + [0.0] * self.missing for cell in cells]
        import numpy as np

        numbers = np.array(cells, np.float64)  # a gap becomes nan
        gaps = np.isnan(numbers)
        numbers[gaps] = self.fill or 0.0
        return np.stack([numbers, gaps], axis=1) if self.missing else numbers.reshape(-1, 1)


@dataclass(frozen=True)
class BooleanCode(Code):
    """0 or 1; a gap is `fill`."""

    fill: bool | None
    key = "boolean"

    def done(self) -> str:
        return "0 or 1"

    def gaps_done(self) -> str:
        return self.missing * f"gaps {int(bool(self.fill))}"

    def cells(self, table: Table) -> list[Any]:
        return table.read(self.name, "boolean").values

    def check(self, cell: Any, where: Callable[[], str]) -> None:
        if cell is None:
            self.check_gap(self.fill, where)

    def pattern(self, cell: Any) -> list[float]:
        return [float(self.fill or False if cell is None else cell)]


@dataclass(frozen=True)
class CategoryCode(Code):
    """One-hot: an input for each text of `texts`, and one for all others where `others` says so; a gap is `fill`.

    Where texts that were not seen are errors, `rare` are the others that were seen.
    """

    fill: str | None
    texts: list[str]
    others: bool
    unseen: str
    rare: list[str] = field(default_factory=list)
    key = "one-hot"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_texts(self, self.texts, self.fill, self.others)
        _check(self, "unseen", self.unseen in ("other", "error"))

    def own_names(self) -> list[str]:
        return [f"{self.name}={text}" for text in self.texts] + [f"{self.name} is another"] * self.others

    def done(self) -> str:
        if self.others:
            return f"one-hot: {len(self.texts)} most frequent, other"
        return f"one-hot: {', '.join(self.texts)}"

    def cells(self, table: Table) -> list[Any]:
        return known_texts(table, self.name, self.texts)

    @cached_property
    def _seen(self) -> set[str]:
        return {*self.texts, *self.rare}

    def check(self, cell: Any, where: Callable[[], str]) -> None:
        if cell is None:
            self.check_gap(self.fill, where)
        elif self.unseen == "error" and cell not in self._seen:
            raise unknown(cell, where(), self.name, self.texts)

    def pattern(self, cell: Any) -> list[float]:
        text = self.fill if cell is None else cell
        return [float(text == known) for known in self.texts] + [float(text not in self.texts)] * self.others


@dataclass(frozen=True)
class OrderedCode(Code):
    """The place of a text in an order, 0, 1, ...; a gap, and a text that was not seen in training, is `fill`."""

    fill: str | None
    texts: list[str]
    unseen: str
    key = "ordered"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_texts(self, self.texts, self.fill, False)
        _check(self, "unseen", self.unseen in ("other", "error"))

    def done(self) -> str:
        return f"ordered: {', '.join(self.texts)}"

    def cells(self, table: Table) -> list[Any]:
        return known_texts(table, self.name, self.texts)

    @cached_property
    def _places(self) -> dict[str, float]:
        return {text: float(k) for k, text in enumerate(self.texts)}

    def check(self, cell: Any, where: Callable[[], str]) -> None:
        if cell is None:
            self.check_gap(self.fill, where)
        elif cell not in self._places and (self.unseen == "error" or self.fill is None):
            raise unknown(cell, where(), self.name, self.texts)

    def pattern(self, cell: Any) -> list[float]:
        return [self._places[cell if cell in self._places or self.fill is None else self.fill]]


@dataclass(frozen=True)
class DateCode(Code):
    """The days since the first one, and some of `PARTS`; a gap is the date `fill`.

    Arguments:
        day_first: whether 1/2/2024 is in February, if the training rows told it.
    """

    fill: str | None
    first: str
    parts: list[str]
    day_first: bool | None = None
    key = "date"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, "first", _is_moment(self.first))
        _check(self, "fill", self.fill is None or _is_moment(self.fill))
        _check(self, "parts", self.parts == [part for part in PARTS if part in self.parts])

    @cached_property
    def _first_day(self) -> float:
        return days(moment(self.first))

    def own_names(self) -> list[str]:
        return [f"{self.name} (day)"] + [f"{self.name} ({words})" for part in self.parts for words in PARTS[part]]

    def done(self) -> str:
        return ", ".join(["day", *self.parts])

    def gaps_done(self) -> str:
        return self.missing * f"gaps {(self.fill or '')[:10]}"

    def cells(self, table: Table) -> list[Any]:
        return table.read(self.name, "date", day_first=self.day_first).values

    def check(self, cell: Any, where: Callable[[], str]) -> None:
        if cell is None:
            self.check_gap(self.fill, where)

    def pattern(self, cell: Any) -> list[float]:
        when = moment(self.fill or self.first) if cell is None else cell
        inputs = [days(when) - self._first_day]
        for part in self.parts:
            inputs += told_by(when, part)
        return inputs


@dataclass(frozen=True)
class LeftOut(Code):
    """No inputs, but where `missing` says so that for gaps; `why` is for the report."""

    why: str
    key = "left out"

    def own_names(self) -> list[str]:
        return []

    def done(self) -> str:
        return "only whether it is missing" if self.missing else f"left out: {self.why}"

    def cells(self, table: Table) -> list[Any]:
        return [None if cell is None else "" for cell in table.read(self.name, "text").values]

    def pattern(self, cell: Any) -> list[float]:
        return []


CODES: dict[str, type[Code]] = {
    code.key: code for code in (NumberCode, BooleanCode, CategoryCode, OrderedCode, DateCode, LeftOut)
}
"""The codes by the names that a checkpoint has for them."""


def days(when: date) -> float:
    """The days since the year 1, with the time of day as a fraction."""
    return when.toordinal() + seconds(when) / DAY


def seconds(when: date) -> float:
    """The seconds since midnight."""
    if not isinstance(when, datetime):
        return 0.0
    return 3600 * when.hour + 60 * when.minute + when.second + when.microsecond / 1e6


def told_by(when: date, part: str) -> list[float]:
    """What a date tells of the season, the weekday or the time of day: a place on a circle, or one-hot."""
    if part == "weekday":
        return [float(when.weekday() == k) for k in range(7)]
    turn = (when.toordinal() - date(when.year, 1, 1).toordinal()) / YEAR if part == "season" else seconds(when) / DAY
    return [math.sin(math.tau * turn), math.cos(math.tau * turn)]


def unknown(cell: str, where: str, name: str, known: Sequence[str]) -> ValueError:
    """The error for a text that did not occur in training."""
    few = ", ".join(map(shown, known[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    return ValueError(
        f"{where} has {shown(cell)} in column {name!r}; the model knows {few}: write one of these, "
        f"or train with unseen='other' (--unseen other)"
    )


def _is_moment(text: Any) -> bool:
    try:
        datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return False
    return True


def brief(cell: Any) -> str:
    """A number or a date in a few characters."""
    return str(cell)[:10] if isinstance(cell, date) else f"{cell:.4g}" if isinstance(cell, float) else str(cell)


# Codes from a checkpoint


def code_of(state: Any) -> Code:
    """The code that `state()` has described.

    Raises:
        ValueError: the description is damaged.
    """
    kind = state.get("code") if isinstance(state, dict) else None
    if not isinstance(kind, str) or kind not in CODES:
        raise ValueError(f"a column's code is one of {', '.join(CODES)}; got {shown(kind)}")
    arguments = {name: value for name, value in state.items() if name != "code"}
    wanted = {each.name: each.type for each in fields(CODES[kind])}
    if arguments.keys() != wanted.keys():
        raise ValueError(
            f"the code {kind!r} of a column takes {', '.join(wanted)}; got {', '.join(map(str, arguments))}"
        )
    for name, value in arguments.items():
        if not _is_a(value, wanted[name]):
            raise ValueError(f"the code {kind!r} of a column cannot have {shown(value)} as {name}")
    return CODES[kind](**arguments)


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value from JSON is of the type of a code's field."""
    if kind == list[str]:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    if value is None:
        return isinstance(None, kind)
    kinds = tuple(
        choice for choice in (str, bool, int, float) if choice is kind or choice in getattr(kind, "__args__", ())
    )
    return type(value) in kinds or (float in kinds and type(value) is int)


def _check(code: Code, name: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"the code of the column {code.name!r} cannot have {shown(getattr(code, name))} as {name}")


def _check_texts(code: Any, texts: list[str], fill: str | None, others: bool) -> None:
    _check(code, "texts", bool(texts) and len(set(texts)) == len(texts))
    _check(code, "fill", fill is None or fill in texts or others)
