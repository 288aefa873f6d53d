"""What is a table?  Columns of numbers, texts, dates and truth values, with gaps, as people have them.

`csv_text.py` reads them from files, `frames.py` from data frames and arrays. What a network learns from is made of a
table later; here nothing is changed but read.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from html import escape
from itertools import islice
from typing import Any

from autograd.terminal import WIDTH, aligned, cut, on_one_line, width, wrapped
from nn.datasets.columns import Column
from nn.datasets.csv_text import contents_of_file
from nn.datasets.dataset import counted
from nn.datasets.frames import Contents, check_known, contents_of


class Table:
    """A table as people have it: columns of numbers, texts, dates and truth values, with gaps. It does not change.

    A file has the names of its columns in its first line. Its encoding (UTF-8, UTF-16, Windows-1252) and its separator
    (comma, semicolon, tab, bar) are told from what it holds, and it may be packed by gzip. All cells of a column are
    of one kind, or else all are texts. `print(table)` shows what was decided, and why where that may surprise.

    - Gaps: empty cells, the words that pandas takes for one (NA, null, None, nan, ...), and "?".
    - Numbers: 12, -1.5, 2e3, and where commas do not separate the cells 1.234,5. Whole numbers with a zero in front
      are codes, so texts; and so are 1_000, 12 % and 3 EUR.
    - Truth values: true and false, or yes and no, in any case.
    - Dates: 2024-12-31, 2024/12/31, 31.12.2024; 12/31/2024 and 31/12/2024, as far as the column tells which it is;
      each with a time or without. Times with a zone are turned into UTC.

    Values of frames, arrays and lists keep their types: a text "12" stays a text. Categories are texts.

    Arguments:
        source: the path of a CSV file, a data frame of pandas or Polars, a mapping from names to columns, a list of
            dicts or of rows, a structured array of NumPy, an array of two dimensions, or another Table. Columns
            without names are called x0, x1, ...
        text: the names of columns that are texts although they look like something else, such as postcodes.

    Raises:
        ValueError: something is unclear; the message names the file, the line, the column, the value and the remedy.
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

    __slots__ = ("_columns", "_contents")

    def __init__(self, source: Any, text: Collection[str] = ()) -> None:
        text = _several(text)
        if isinstance(source, Table):
            contents = source._with_texts(text)
        elif isinstance(source, str | os.PathLike):
            contents = contents_of_file(source, text)
        else:
            contents = contents_of(source, text)
        self._set(contents)

    def _set(self, contents: Contents) -> None:
        self._contents = contents
        self._columns = {column.name: column for column in contents.columns}

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self._columns)

    @property
    def source(self) -> str:
        """Where the table comes from: the path of its file, or "the data frame" and the like."""
        return self._contents.source

    @property
    def remarks(self) -> list[str]:
        """What a reader should know of the whole table, such as columns that were left out."""
        return list(self._contents.remarks)

    def __len__(self) -> int:
        return len(self._contents.numbers)

    def __getitem__(self, name: str) -> Column:
        check_known([name], self._columns, self.source)
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def select(self, names: Iterable[str]) -> "Table":
        """The table of these columns, in this order.

        Raises:
            ValueError: there is no such column.
        """
        return self._changed(columns=[self[name] for name in _several(names)])

    def drop(self, names: Iterable[str]) -> "Table":
        """The table without these columns.

        Raises:
            ValueError: there is no such column.
        """
        names = _several(names)
        check_known(names, self._columns, self.source)
        return self._changed(columns=[column for name, column in self._columns.items() if name not in names])

    def rows(self, places: Iterable[int]) -> "Table":
        """The table of the rows at these places, in this order.

        Example:
            >>> Table({"x": [1, 2, 3]}).rows([2, 0])["x"].values
            [3, 1]
        """
        places = list(places)
        columns = [
            Column(column.name, column.kind, [column.values[i] for i in places], column.remark)
            for column in self._columns.values()
        ]
        return self._changed(columns=columns, numbers=[self._contents.numbers[i] for i in places])

    def where(self, i: int) -> str:
        """Where row `i` stands, as errors say it: "titanic.csv, line 7", or "row 3 of the data frame"."""
        return self._contents.place.format(number=self._contents.numbers[i], source=self.source)

    def _changed(self, **parts: Any) -> "Table":
        """A table with other columns or rows."""
        changed = object.__new__(Table)
        changed._set(self._contents._replace(**parts))
        return changed

    def _with_texts(self, text: list[str]) -> Contents:
        """The contents, with these columns as texts."""
        check_known(text, self._columns, self.source)
        columns = [column.as_text() if name in text else column for name, column in self._columns.items()]
        return self._contents._replace(columns=columns)

    def __repr__(self) -> str:
        return f"<Table: {counted(len(self), 'row')}, {counted(len(self._columns), 'column')}: {self.source}>"

    def __str__(self) -> str:
        columns = list(self._columns.values())
        title = f"{self.source}: {counted(len(self), 'row')}, {counted(len(columns), 'column')}"
        remarks = [
            *self._contents.remarks,
            *(f"{cut(column.name, _LONGEST_NAME)}: {column.remark}" for column in columns if column.remark),
        ]
        if len(columns) > _SHOWN:
            remarks.insert(0, f"{len(columns) - _SHOWN} more columns are not shown: see its names")
        lines = [on_one_line(title), *_lines(columns[:_SHOWN])]
        return "\n".join([*lines, *(wrapped(on_one_line(remark), indent="  ") for remark in remarks[:_SHOWN])])

    def _repr_html_(self) -> str:
        """In a notebook: the table of the columns."""
        return f"<pre>{escape(str(self))}</pre>"


_HEADER = ["column", "kind", "gaps", "distinct", "examples"]
_SHOWN = 60  # columns, and remarks
_LONGEST_NAME = 32


def _several(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _lines(columns: list[Column]) -> list[str]:
    """What is known of the columns, as a table of 80 characters width."""
    rows = [_HEADER, *map(_facts, columns)]
    lines = [cut(line, WIDTH) for line in aligned(rows, left=(0, 1, 4))]
    return [lines[0], "-" * max(map(width, lines)), *lines[1:]]


def _facts(column: Column) -> list[str]:
    """What is known of a column, in words."""
    distinct = dict.fromkeys(column.values)
    distinct.pop(None, None)
    examples = ", ".join(map(_example, islice(distinct, 5)))
    name = cut(on_one_line(column.name), _LONGEST_NAME)
    return [name, column.kind, f"{column.gaps:,}", f"{len(distinct):,}", examples]


def _example(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return cut(on_one_line(str(value)[:WIDTH]), WIDTH // 4)
