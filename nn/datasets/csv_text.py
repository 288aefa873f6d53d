"""How does a CSV file become columns of texts?  Its encoding, its separators, its lines and its names.

`cells.py` says what the texts of a column mean.
"""

import csv
import io
import os
from collections.abc import Collection
from pathlib import Path

from nn.datasets.cells import column_of_texts
from nn.datasets.columns import check_names
from nn.datasets.frames import Contents


def contents_of_file(path: str | os.PathLike[str], text: Collection[str]) -> Contents:
    """The columns of a CSV file; those named in `text` as texts.

    Raises:
        ValueError: something in the file is unclear. The message says where it stands.
        OSError: the file is missing or cannot be read.
    """
    stream = io.StringIO(Path(path).read_bytes().decode("utf-8-sig"), newline="")
    reader = csv.reader(stream, strict=True)
    names = [name.strip() for name in next(reader)]
    check_names(names, text, str(path))
    lines = []
    rows = []
    for row in reader:
        lines.append(reader.line_num)
        rows.append(row)
    columns = [
        column_of_texts(name, texts, lambda i: f"{path}, line {lines[i]}", name in text)
        for name, texts in zip(names, zip(*rows), strict=True)
    ]
    return Contents(columns, str(path), f"{path}, line {{}}", lines, [])
