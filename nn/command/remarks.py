"""What should one know of a file that a model reads? Texts that the training did not have, and rows without anything.

It goes to standard error, for predictions may go to a file.
"""

import sys
from collections import Counter
from difflib import get_close_matches
from typing import Any

from autograd.reals import shown
from autograd.terminal import visible, wrapped
from nn.datasets import Table
from nn.datasets.column_codes import CategoryCode, Code, OrderedCode
from nn.datasets.dataset import counted
from nn.datasets.encoding import TableEncoder

MOST = 10
"""Remarks on more texts are counted."""


def note(remark: str) -> None:
    """Prints a remark on standard error."""
    print(visible(wrapped(remark, indent="  "), kept="\n"), file=sys.stderr)


def remarks_on(encoder: TableEncoder, table: Table) -> list[str]:
    """What one should know of a table before one trusts what a model says of it."""
    texts = [(code, *found) for code in encoder.codes if code.names() for found in unseen(code, table)]
    more = [f"and {counted(len(texts) - MOST, 'more text')} that the training did not have"] * (len(texts) > MOST)
    words = [_in_words(table, *found) for found in texts[:MOST]]
    return [*table.remarks, *words, *more, *rows_without_anything(encoder, table)]


def unseen(code: Code, table: Table) -> list[tuple[str, int, int]]:
    """The texts of a column that the training did not have: each with its first row, and in how many rows it is."""
    if not isinstance(code, CategoryCode | OrderedCode) or (isinstance(code, CategoryCode) and code.others):
        return []
    cells, known = code.cells(table), {None, *code.texts}
    return [(text, cells.index(text), rows) for text, rows in Counter(cells).items() if text not in known]


def _in_words(table: Table, code: Any, text: str, first: int, rows: int) -> str:
    known = {other.lower(): other for other in code.texts}
    close = get_close_matches(text.lower(), known, n=1)
    meant = f" (did you mean {shown(known[close[0]])}?)" if close else ""
    what = "as a gap" if isinstance(code, OrderedCode) else "as none of its texts"
    place = table.where(first) + f" and {counted(rows - 1, 'other row')}" * (rows > 1)
    return f"{place}: {shown(text)} in column {code.name!r} was not there in training{meant}; taken {what}"


def rows_without_anything(encoder: TableEncoder, table: Table) -> list[str]:
    """The rows in which all columns that the model uses are empty."""
    columns = [code.cells(table) for code in encoder.codes if code.names()]
    nothing = (None,) * len(columns)
    rows = [i for i, row in enumerate(zip(*columns, strict=True)) if row == nothing]
    if not rows:
        return []
    more = f", and {counted(len(rows) - 1, 'other row')}," if len(rows) > 1 else ""
    return [f"{table.where(rows[0])}{more} has nothing in the columns that the model uses: it guesses there"]
