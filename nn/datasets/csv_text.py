"""How does a CSV file become columns of texts?  Its encoding, its separator, its lines and the names of its columns.

`cells.py` says what the texts of a column mean. Whatever is unclear is an error that says where.
"""

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from reprlib import repr as short
from typing import NamedTuple

from nn.datasets.cells import looks_like_a_number
from nn.datasets.columns import NOT_KNOWN, Column, Style, unclear
from nn.datasets.dataset import counted
from nn.datasets.frames import Contents, as_name
from nn.datasets.unread import Place, Unread

_BINARY = {
    b"PK\x03\x04": "an Excel file or a zip archive",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"PAR1": "a Parquet file",
}
BYTE_ORDER_MARKS = {  # in this order: the mark of UTF-16 begins that of UTF-32
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
LINE_ENDS = re.compile(r"\r\n|\r|\n")
# a tab or semicolon in every line was hardly written for another reason; a comma may have been
_SEPARATORS = {"\t": "a tab", ";": "a semicolon", "|": "a bar", ",": "a comma"}
_SEPARATOR_LINE = re.compile(r"sep=([\t;|,])\s*", re.IGNORECASE)  # which Excel writes and reads
_HEAD = 20  # lines that tell the separator
_CHUNK = 250  # rows that become columns at a time: 0.85 s for a million rows of 5, and 3 s with 10,000 at a time, as
# Python's garbage collector looks through all that are there
_SAVE_AS = "save it again as 'CSV UTF-8'"


class TextColumns(NamedTuple):
    """A CSV file as columns of texts, all of one length."""

    path: str
    columns: dict[str, list[str]]
    lines: Sequence[int]  # in which each row begins
    separator: str
    remarks: list[str]
    problems: dict[str, str]  # of columns that cannot be read

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.columns)

    def where(self, i: int) -> str:
        """Where row `i` stands."""
        return self.place(i)

    def texts(self, name: str) -> list[str]:
        """The texts of a column, without the spaces around them."""
        return list(map(str.strip, self.columns[name]))

    def column(self, name: str) -> Column:
        """What the texts of a column mean."""
        return self.unread(name, NOT_KNOWN).read()

    def unread(self, name: str, style: Style) -> Unread:
        """The column, to be read when it is asked for."""
        problem = self.problems.get(name, "")
        return Unread(name, self.columns[name], self.place, self.separator, style=style, problem=problem)

    @property
    def place(self) -> Place:
        """Where the rows stand."""
        return Place(self.path, "{source}, line {number}", self.lines)


def contents_of_file(path: str | os.PathLike[str], style: Style) -> Contents:
    """The columns of a CSV file, not read yet.

    Raises:
        ValueError: something in the file is unclear. The message says where it stands.
        OSError: the file is missing or cannot be read.
    """
    file = texts_of_file(path)
    return Contents([file.unread(name, style) for name in file.names], file.place, file.remarks)


def texts_of_file(path: str | os.PathLike[str]) -> TextColumns:
    """A CSV file as columns of texts.

    Raises:
        ValueError, OSError: as for `contents_of_file`.
    """
    shown = os.fspath(path)
    _check_path(shown)
    remarks: list[str] = []
    stream = _opened(shown, Path(path).read_bytes(), remarks)
    separator, skipped = _separator(stream)
    names: list[str] = []
    columns: list[list[str]] = []
    lines = array("q")
    for starts, rows in _records(shown, stream, separator, skipped):
        if not names:
            names = [as_name(name.strip()) for name in rows[0]]
            columns = [[] for _ in names]
            starts, rows = starts[1:], rows[1:]
        if set(map(len, rows)) != {len(names)}:
            starts, rows = _complete(shown, starts, rows, len(names), separator)
        lines.extend(starts)
        for column, cells in zip(columns, zip(*rows, strict=True), strict=False):  # there may be no rows
            column.extend(cells)
    if not names:
        raise ValueError(f"{shown} is empty: write the column names and at least one row into it.")
    if not lines:
        raise ValueError(f"{shown} has column names but no rows: add at least one row below them.")
    problems: dict[str, str] = {}
    return TextColumns(shown, _named(shown, names, columns, remarks, problems), lines, separator, remarks, problems)


def _check_path(path: str) -> None:
    """Make sure that this can be the path of a file."""
    if not path or "\0" in path:
        raise ValueError(f"Table takes the path of a CSV file; got {short(path)}: give its name.")
    if re.match(r"[a-z][a-z0-9+.-]+://", path, re.IGNORECASE) and not Path(path).exists():
        raise ValueError(f"Table reads files of this computer; got the address {path}: download it first.")


def _opened(path: str, content: bytes, remarks: list[str]) -> io.TextIOBase:
    """The text of a file, decoded."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file ({error}): copy or download it again.") from None
    for start, what in _BINARY.items():
        if content.startswith(start):
            raise ValueError(f"{path} is {what}, not text: save it as 'CSV UTF-8', or read it with pandas or Polars.")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"line {line_of(content, error.start)} has the byte 0x{content[error.start]:02x}"
        encoding, text = _windows(path, content, encoding, place)
        remarks.append(f"not UTF-8 ({place}), so read as Windows-1252; if letters look wrong, {_SAVE_AS}")
    if "\0" in text:
        line = line_of(text.encode("utf-8", "replace"), text.encode("utf-8", "replace").index(b"\0"))
        raise ValueError(f"{path} is not text (line {line} has a NUL byte): {_SAVE_AS}.")
    return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")


def _windows(path: str, content: bytes, encoding: str, place: str) -> tuple[str, str]:
    """The text as Excel writes it on Windows in the west, where it is text."""
    if encoding == "utf-8":
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = "\0"
        if not CONTROLS.search(text):
            return "cp1252", text
    raise ValueError(f"{path} is not {encoding.removesuffix('-sig').upper()} text ({place}): {_SAVE_AS}.")


def line_of(content: bytes, place: int) -> int:
    return len(re.findall(rb"\r\n|\r|\n", content[:place])) + 1


def _separator(stream: io.TextIOBase) -> tuple[str, int]:
    """What stands between cells, and how many lines at the start only say so; the stream is put behind those."""
    start = stream.tell()
    first = _SEPARATOR_LINE.fullmatch(stream.readline(100))
    if first:
        return first[1], 1
    stream.seek(start)
    head = list(islice(iter(stream.readline, ""), _HEAD))
    stream.seek(start)
    best = max(_SEPARATORS, key=lambda separator: _fitness(head, separator))
    return (best if any(_fitness(head, best)) else ","), 0


def _fitness(head: list[str], separator: str) -> tuple[bool, bool]:
    """How well a separator fits the first lines: whether it occurs in the first, and as often in all."""
    try:
        rows = csv.reader(head, delimiter=separator, skipinitialspace=True)
        widths = [len(row) for row in rows if any(map(str.strip, row))]
    except csv.Error:
        return (False, False)
    if len(head) == _HEAD and len(widths) > 2:
        widths.pop()  # it may end within quotation marks
    occurs = bool(widths) and widths[0] > 1
    return (occurs, occurs and len(set(widths)) == 1)


def _records(
    path: str, stream: io.TextIOBase, separator: str, skipped: int
) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
    """The rows of a file from its first one with text on, many at a time, and the lines in which they begin."""
    reader = csv.reader(stream, delimiter=separator, skipinitialspace=True, strict=True)
    begun = False
    more = True
    while more:
        before = reader.line_num + skipped
        rows: list[list[str]] = []
        complaint = None
        try:
            rows.extend(islice(reader, _CHUNK))
        except csv.Error as error:  # the rows before it are there
            complaint = error
        more = len(rows) == _CHUNK
        starts: Sequence[int] = range(before + 1, before + 1 + len(rows))
        if complaint or reader.line_num + skipped != before + len(rows):
            starts = _starts(before + 1, rows)
        if complaint:
            line = starts[-1] + 1 + _inner_lines(rows[-1]) if rows else before + 1
            remedy = "mend its quotation marks"
            if "limit" in str(complaint):
                remedy = "close its quotation mark if it has one, or else shorten the cell"
            raise ValueError(f"{path}, line {line} is not valid CSV ({complaint}): {remedy}.") from None
        if not begun:
            blank = next((i for i, row in enumerate(rows) if any(map(str.strip, row))), len(rows))
            starts, rows = starts[blank:], rows[blank:]
            begun = bool(rows)
        if rows:
            yield starts, rows


def _starts(line: int, rows: list[list[str]]) -> list[int]:
    """The lines in which the rows begin, where some take more than one."""
    starts = []
    for row in rows:
        starts.append(line)
        line += 1 + _inner_lines(row)
    return starts


def _inner_lines(row: list[str]) -> int:
    """How many line ends there are within the cells of a row."""
    return sum(len(LINE_ENDS.findall(cell)) for cell in row if "\n" in cell or "\r" in cell)


def _complete(
    path: str, starts: Sequence[int], rows: list[list[str]], count: int, separator: str
) -> tuple[Sequence[int], list[list[str]]]:
    """The rows that are not blank, and the lines in which they begin; each must have a cell for each column."""
    empty = [[], [""]] if count > 1 else [[]]  # in a single column "" is a gap
    kept = [(line, cells) for line, cells in zip(starts, rows, strict=True) if cells not in empty]
    for line, cells in kept:
        if len(cells) != count:
            raise unclear(
                f"{path}, line {line} has {counted(len(cells), 'cell')} where the first line names "
                f"{counted(count, 'column')}: give it one cell for each column, with quotation marks around a cell "
                f"that contains {_SEPARATORS[separator]}, or remove the line that is no part of the table "
                f"({'the first' if count == 1 else 'such as a title, a comment, a sum'})."
            )
    return [line for line, _ in kept], [cells for _, cells in kept]


def _named(
    path: str, names: list[str], columns: list[list[str]], remarks: list[str], problems: dict[str, str]
) -> dict[str, list[str]]:
    """The columns by their names; what is left out gets a remark, and a name that two have is a problem."""
    _check_for_data(path, names, columns)
    kept: dict[str, list[str]] = {}
    for j, (name, texts) in enumerate(zip(names, columns, strict=True)):
        if not name and not any(map(str.strip, texts)):
            remarks.append(f"column {j + 1} has no name and no values, and is left out")
        elif j == 0 and any(names[1:]) and _are_row_numbers(name, texts):
            what = f"the first column, '{name}', numbers" if name else "the first column has no name, so it names"
            remarks.append(f"{what} the rows, and is left out")
        elif not name:
            raise unclear(
                f"{path} has no name for column {j + 1} of {len(names)} in its first line: "
                f"name the column or remove it (pandas writes none with index=False)."
            )
        elif name in kept:
            problems[name] = (
                f"{path} has two columns named '{name}' in its first line: rename one, "
                f"or, if that line holds data, put a line of column names above it."
            )
        else:
            kept[name] = texts
    return kept


def _are_row_numbers(name: str, texts: list[str]) -> bool:
    """Whether the first column is the index that pandas or R wrote: it has no name, or pandas' name for none."""
    if not name:
        return True
    return name == "Unnamed: 0" and all(text == str(i) for i, text in enumerate(texts))


def _check_for_data(path: str, names: list[str], columns: list[list[str]]) -> None:
    """Make sure that the first line does not look like data."""
    numbers = [name for name in names if looks_like_a_number(name)]
    if not numbers:
        return
    most = 2 * len(numbers) > len(names) and not all(map(str.isdecimal, numbers))
    counting = [str(int(numbers[0]) + i) for i in range(len(names))] if numbers[0].isdecimal() else []
    # years and pandas' 0, 1, 2, ... are names; a text that occurs in the column below it is none beside numbers
    again = any(name in texts for name, texts in zip(names, columns, strict=True) if name and name not in numbers)
    if most or again or (len(numbers) == len(names) and names != counting):
        raise unclear(
            f"{path} has numbers such as {numbers[0]} in its first line, where the names of the columns are expected: "
            f"put a line of column names above it."
        )
