"""What does a table keep of a column until somebody asks for it?  Its cells as they came.

Columns that nobody asks for are not read, so that nothing in them can be wrong. `cells.py` and `columns.py` read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nn.datasets.cells import column_as, column_of_texts
from nn.datasets.columns import NOT_KNOWN, Column, Kind, Style, column_of, unclear
from nn.datasets.dates import looks_like_a_date


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a table stand: "titanic.csv, line 7", "row 3 of the data frame"."""

    source: str
    form: str  # "row {number} of {source}"
    numbers: Sequence[int]

    def __call__(self, i: int) -> str:
        return self.form.format(number=self.numbers[i], source=self.source)


@dataclass(slots=True)
class Unread:
    """A column that is read when it is asked for, and once only.

    Arguments:
        name: what it is called.
        cells: texts of a file, or values of Python.
        where: gives the place of a row.
        separator: what stands between the cells of the file; None for values of Python.
        as_text: whether the cells are texts, whatever they look like.
        style: how numbers and dates are written, if somebody has said it.
        problem: why it cannot be read, if it cannot.
    """

    name: str
    cells: list[Any]
    where: Place
    separator: str | None = None
    as_text: bool = False
    style: Style = NOT_KNOWN
    problem: str = ""
    _read: dict[tuple[Kind | None, Style], Column] = field(default_factory=dict)

    def read(self, kind: Kind | None = None, learned: Style = NOT_KNOWN) -> Column:
        """The column.

        Arguments:
            kind: what it is to be; None: its cells tell.
            learned: how numbers and dates are written, where nobody has said it.

        Raises:
            ValueError: something is unclear, or not of the kind.
        """
        if self.problem:
            raise unclear(self.problem)
        kind = kind or ("text" if self.as_text else None)
        known = self._read.get((kind, learned)) or self._already(kind, learned)
        if known is None:
            known = self._read[kind, learned] = self._column(kind, learned)
        return known

    @property
    def given_kind(self) -> Kind:
        """The kind of the values of Python, whatever is made of them; a file has texts."""
        try:
            return "text" if self.separator is not None else self._as_given().kind
        except ValueError:  # such as the intervals of pandas, which are categories
            return "text"

    def _as_given(self) -> Column:
        """The column of values of Python, by their types."""
        key = (None, NOT_KNOWN)
        if key not in self._read:
            column = column_of(self.name, self.cells, self.where, gap_words=self.style.gaps)
            self._read[key] = replace(column, remark=column.remark or _remark_on_dates(column))
        return self._read[key]

    def changed(self, **changes: Any) -> "Unread":
        """The same cells, to be read in another way."""
        return replace(self, **changes, _read={})

    def at(self, places: Sequence[int]) -> "Unread":
        """The cells of these rows alone."""
        where = replace(self.where, numbers=[self.where.numbers[i] for i in places])
        return self.changed(cells=[self.cells[i] for i in places], where=where)

    def _already(self, kind: Kind | None, learned: Style) -> Column | None:
        """The column as it was read by what its cells tell, if that is what is asked for now."""
        column = self._read.get((None, NOT_KNOWN))
        if kind is None or column is None or column.kind != kind:
            return None
        asked = zip(column.style[:2], learned[:2], strict=True)
        return column if all(mine is None or other in (None, mine) for mine, other in asked) else None

    def _column(self, kind: Kind | None, learned: Style) -> Column:
        style = self.style.over(learned)
        if self.separator is None:
            if kind == "text":
                return column_of(self.name, self.cells, self.where, as_text=True, gap_words=style.gaps)
            column = self._as_given()
            return column if kind is None else column_as(column, kind, self.where, style=style)
        column = column_of_texts(self.name, self.cells, self.where, kind, self.separator, style)
        if self.separator == "," and column.style.decimal == "," and self.style.decimal is None:
            self._check_points()
        return column

    def _check_points(self) -> None:
        """Make sure that 1.234 is not taken for 1234 in a file of commas, only because earlier numbers had them too."""
        if not any("," in text for text in self.cells):
            i = next(i for i, text in enumerate(self.cells) if "." in text)
            raise unclear(
                f"{self.where(i)} has {self.cells[i].strip()} in column '{self.name}', whose numbers were written "
                f"with decimal commas before: read the table with decimal='.' or ',' (--decimal point, --decimal comma)."
            )


def _remark_on_dates(column: Column) -> str:
    """What there is to say of texts of Python that are written as dates are."""
    texts = list(islice(filter(None, column.values), 20)) if column.kind == "text" else []
    return "these texts look like dates: make dates of them" if texts and all(map(looks_like_a_date, texts)) else ""
