"""What is a table?  Columns of numbers, texts, dates and truth values, with gaps, as people have them.

`csv_text.py` reads them from files, `frames.py` from data frames and arrays; `unread.py` keeps the cells of a column
until it is asked for. What a network learns from is made of a table later; here nothing is changed but read.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from itertools import islice
from operator import index
from reprlib import repr as short
from typing import Any, SupportsIndex, overload

from autograd.terminal import WIDTH, aligned, cut, on_one_line, width, wrapped
from nn.datasets.columns import Column, Kind, Style
from nn.datasets.csv_text import contents_of_file
from nn.datasets.dataset import counted
from nn.datasets.frames import Contents, as_name, check_known, contents_of
from nn.datasets.unread import Unread


class Table:
    """A table as people have it: columns of numbers, texts, dates and truth values, with gaps. It does not change.

    A file has the names of its columns in its first line. Its encoding (UTF-8, UTF-16, Windows-1252) and its separator
    (comma, semicolon, tab, bar) are told from what it holds, and it may be packed by gzip. All cells of a column are
    of one kind, or else all are texts. `print(table)` shows what was decided, and why where that may surprise.

    - Gaps: empty cells, the words that pandas takes for one (NA, null, None, nan, ...), "?" and dashes.
    - Numbers: 12, -1.5, 2e3, and where commas do not separate the cells 1.234,5. Whole numbers with a zero in front
      are codes, so texts; and so are 1_000, 12 % and 3 EUR.
    - Truth values: true and false, or yes and no, in any case.
    - Dates: 2024-12-31, 2024/12/31, 31.12.2024; 12/31/2024 and 31/12/2024, as far as the column tells which it is;
      each with a time or without. Times with a zone are turned into UTC.

    Values of frames, arrays and lists keep their types: a text "12" stays a text. Categories are texts.

    A column is read when it is asked for, so that what is unclear in one that nobody needs does not matter.

    Arguments:
        source: the path of a CSV file, a data frame of pandas or Polars, a mapping from names to columns, a list of
            dicts or of rows, a structured array of NumPy, an array of two dimensions, or another Table. Columns
            without names are called x0, x1, ...
        text: the names of columns that are texts although they look like something else, such as postcodes.
        decimal: "," or ".": what stands before decimals, in all columns. By default each column tells.
        day_first: whether 1/2/2024 is in February. By default each column tells.
        gap_words: words that stand for gaps besides the usual ones, such as "k.A.".

    Raises:
        ValueError: something is unclear, at once or when a column is asked for; the message names the file, the line,
            the column, the value and the remedy.
        TypeError: `source` is nothing that holds a table.
        OSError: the file is missing or cannot be read.

    Example:
        >>> people = Table({"name": ["Ann", "Bo", None], "age": [31, None, 44]})
        >>> len(people), people.names, people["age"].kind, people["age"].values
        (3, ['name', 'age'], 'number', [31, None, 44])
        >>> print(people)
        the mapping: 3 rows, 2 columns
        column  kind    gaps  distinct  examples
        ----------------------------------------
        name    text       1         2  Ann, Bo
        age     number     1         2  31, 44
    """

    __slots__ = ("_cells", "_place", "_places", "_remarks")

    def __init__(
        self,
        source: Any,
        text: Collection[str] = (),
        *,
        decimal: str | None = None,
        day_first: bool | None = None,
        gap_words: Collection[str] = (),
    ) -> None:
        style = _style(decimal, day_first, gap_words)
        places = None
        if isinstance(source, Table):
            cells = list(source._cells.values())
            over = [style.over(each.style) for each in cells]
            cells = [
                each if new == each.style else each.changed(style=new) for each, new in zip(cells, over, strict=True)
            ]
            contents, places = Contents(cells, source._place, source._remarks), source._places
        elif isinstance(source, str | os.PathLike):
            contents = contents_of_file(source, style)
        else:
            contents = contents_of(source, style)
        self._set(contents, places)
        for name in _several(text):
            self._cells[name] = self._unread(name).changed(as_text=True)

    def _set(self, contents: Contents, places: Sequence[int] | None) -> None:
        self._cells = {cells.name: cells for cells in contents.columns}
        self._place, self._remarks = contents.place, contents.remarks
        self._places = range(len(self._place.numbers)) if places is None else places

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self._cells)

    @property
    def source(self) -> str:
        """Where the table comes from: the path of its file, or "the data frame" and the like."""
        return self._place.source

    @property
    def remarks(self) -> list[str]:
        """What a reader should know of the whole table, such as columns that were left out."""
        return list(self._remarks)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def gap_words(self) -> list[str]:
        """The words that stand for gaps besides the usual ones."""
        return sorted({word for cells in self._cells.values() for word in cells.style.gap_words})

    @overload
    def __getitem__(self, name: str) -> Column: ...
    @overload
    def __getitem__(self, name: slice | list[str]) -> "Table": ...
    def __getitem__(self, name: str | slice | list[str]) -> "Column | Table":
        if isinstance(name, slice):
            return self.rows(range(len(self))[name])
        if isinstance(name, list):
            return self.select(name)
        if isinstance(name, SupportsIndex) and name not in self:
            raise TypeError(
                f"a table takes the name of a column, or a slice of rows, in brackets; got {short(name)}: "
                f"choose from {', '.join(islice(self._cells, 20))}, or take rows([{short(name)}])."
            )
        return self._chosen(self._unread(name).read())

    def __getattr__(self, name: str) -> Any:
        instead = {
            "columns": "names",
            "shape": "len(table) and names",
            "head": "table[:5]",
            "iloc": "rows",
            "loc": "rows",
        }
        hint = f": see {instead[name]}" if name in instead else ""
        raise AttributeError(f"a Table has no {name!r}{hint}.", name=name, obj=self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __contains__(self, name: object) -> bool:
        return as_name(name) in self._cells

    def read(self, name: str, kind: Kind, *, decimal: str | None = None, day_first: bool | None = None) -> Column:
        """A column as one of a kind that is known, such as "number" for texts of a frame, or "text" for 007.

        Arguments:
            name: the column.
            kind: "number", "boolean", "date" or "text".
            decimal, day_first: as for the table, if it was made without; None: the cells tell.

        Raises:
            ValueError: a cell is not of this kind; the message says where it stands.

        Example:
            >>> Table({"price": ["1,5", "2"], "n": [7, 8]}).read("price", "number", decimal=",").values
            [1.5, 2.0]
        """
        style = _style(decimal, day_first, ())
        cells = self._unread(name)
        try:
            return self._chosen(cells.read(kind, style))
        except ValueError:
            if len(self) == len(self._place.numbers):
                raise
        return cells.at(self._places).read(kind, style)  # the cell that does not fit may be in another row

    def given_kind(self, name: str) -> Kind:
        """The kind that the cells of a column are of, whatever is made of them: "text" in a file, as all is there."""
        return self._unread(name).given_kind

    def _unread(self, name: str) -> Unread:
        check_known([name], self._cells, self.source)
        return self._cells[as_name(name)]

    def _chosen(self, column: Column) -> Column:
        """The rows of this table of a whole column, in a new list, for a table does not change."""
        values = column.values
        values = values[:] if isinstance(self._places, range) else [values[i] for i in self._places]
        return Column(column.name, column.kind, values, column.remark, column.style)

    def select(self, names: Iterable[str]) -> "Table":
        """The table of these columns, in this order.

        Raises:
            ValueError: there is no such column.
        """
        return self._changed([self._unread(name) for name in _several(names)], self._places)

    def drop(self, names: Iterable[str], *more: str) -> "Table":
        """The table without these columns.

        Raises:
            ValueError: there is no such column.
        """
        names = [*_several(names), *map(as_name, more)]
        check_known(names, self._cells, self.source)
        return self._changed([cells for name, cells in self._cells.items() if name not in names], self._places)

    def rows(self, places: Iterable[int]) -> "Table":
        """The table of the rows at these places, in this order; or where a list of bools, one for each row, says True.

        Raises:
            IndexError: there is no such row.
            TypeError: a place is no whole number.

        Example:
            >>> Table({"x": [1, 2, 3]}).rows([2, 0])["x"].values
            [3, 1]
            >>> Table({"x": [1, 2, 3]}).rows([True, False, True])["x"].values
            [1, 3]
        """
        places = places.tolist() if hasattr(places, "tolist") else list(places)
        if places and set(map(type, places)) == {bool}:
            if len(places) != len(self):
                raise IndexError(
                    f"rows takes one bool for each of the {counted(len(self), 'row')}; got {len(places)}: "
                    f"pass True for the rows to keep, or their places."
                )
            places = [i for i, chosen in enumerate(places) if chosen]
        try:
            chosen = [self._places[place] for place in places]
        except (IndexError, TypeError):
            chosen = [self._at(place) for place in places]  # which finds the words for the error
        return self._changed(list(self._cells.values()), chosen)

    def to_pandas(self) -> Any:
        """The table as a data frame of pandas, with its columns as they were read."""
        import pandas as pd

        return pd.DataFrame({name: self[name].values for name in self})

    def where(self, i: int) -> str:
        """Where row `i` stands, as errors say it: "titanic.csv, line 7", or "row 3 of the data frame"."""
        return self._place(self._at(i))

    def _at(self, place: Any) -> int:
        """The place of a row in the whole table."""
        try:
            return self._places[index(place)]
        except (IndexError, TypeError):
            pass
        what = f"{self.source} has {counted(len(self), 'row')}"
        if isinstance(place, SupportsIndex):
            raise IndexError(f"{what}; got the place {place}: the first row is 0.")
        raise TypeError(f"{what}; got {short(place)} ({type(place).__name__}) for a place: pass whole numbers.")

    def _changed(self, columns: list[Unread], places: Sequence[int]) -> "Table":
        changed = object.__new__(Table)
        changed._set(Contents(columns, self._place, self._remarks), places)
        return changed

    def __repr__(self) -> str:
        return f"<Table: {counted(len(self), 'row')}, {counted(len(self._cells), 'column')}: {self.source}>"

    def __str__(self) -> str:
        title = f"{self.source}: {counted(len(self), 'row')}, {counted(len(self._cells), 'column')}"
        remarks = list(self._remarks)
        if len(self._cells) > _SHOWN:
            remarks.insert(0, f"{len(self._cells) - _SHOWN} more columns are not shown: see its names")
        rows = []
        for name in islice(self._cells, _SHOWN):
            facts, remark = self._facts(name)
            rows.append([cut(on_one_line(name), _LONGEST_NAME), *facts])
            remarks += [f"{cut(name, _LONGEST_NAME)}: {remark}"] if remark else []
        lines = [on_one_line(title), *_lines(rows)]
        return "\n".join([*lines, *(wrapped(on_one_line(remark), indent="  ") for remark in remarks[:_SHOWN])])

    def _facts(self, name: str) -> tuple[list[str], str]:
        """What is known of a column, in words, and the remark on it: why it is unclear, if it is."""
        try:
            column = self[name]
        except ValueError as error:
            return ["unclear", "", "", ""], str(error).removesuffix(".")
        distinct = dict.fromkeys(column.values)
        distinct.pop(None, None)
        examples = ", ".join(map(_example, islice(distinct, 5)))
        return [column.kind, f"{column.gaps:,}", f"{len(distinct):,}", examples], column.remark

    def _repr_html_(self) -> str:
        """In a notebook: the table of the columns."""
        return f"<pre>{escape(str(self))}</pre>"


_HEADER = ["column", "kind", "gaps", "distinct", "examples"]
_SHOWN = 60  # columns, and remarks
_LONGEST_NAME = 32


def _several(names: Iterable[str]) -> list[str]:
    return [as_name(names)] if isinstance(names, str) else list(map(as_name, names))


def _style(decimal: str | None, day_first: bool | None, gap_words: Collection[str]) -> Style:
    """How numbers and dates are written, as somebody says."""
    if decimal not in (None, ",", "."):
        raise ValueError(f"decimal takes ',' or '.'; got {short(decimal)}: pass what stands before decimals.")
    if day_first not in (None, True, False):
        raise ValueError(f"day_first takes True or False; got {short(day_first)}: say whether 1/2/2024 is in February.")
    words = [gap_words] if isinstance(gap_words, str) else list(gap_words)
    odd = next((word for word in words if not isinstance(word, str)), None)
    if odd is not None:
        raise ValueError(f"gap_words takes texts; got {short(odd)} ({type(odd).__name__}): write it as in the table.")
    return Style(decimal, day_first, tuple(sorted({word.strip() for word in words})))


def _lines(rows: list[list[str]]) -> list[str]:
    """What is known of the columns, as a table of 80 characters width."""
    rows = [_HEADER, *rows]
    lines = [cut(line, WIDTH) for line in aligned(rows, left=(0, 1, 4))]
    return [lines[0], "-" * max(map(width, lines)), *lines[1:]]


def _example(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return cut(on_one_line(str(value)[:WIDTH]), WIDTH // 4)
