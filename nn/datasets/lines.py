"""How does a text file become texts to learn from? Each line is one."""

import os
from pathlib import Path

from nn.datasets.csv_text import BYTE_ORDER_MARKS, CONTROLS, LINE_ENDS, line_of

AS_TEXT = "save it as plain text in UTF-8, one example on each line"


def load_lines(path: str | os.PathLike[str]) -> list[str]:
    """The lines of a text file, without the blanks around them; empty ones are left out.

    Arguments:
        path: a file in UTF-8, or in UTF-16 with its mark.

    Returns:
        the lines in their order, however long they are.

    Raises:
        ValueError: the file has no text, or is something else than text.
        OSError: it cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "rivers.txt")
    ...     with open(path, "w") as file:
    ...         _ = file.write("Danube\\n\\nRhine \\n")
    ...     load_lines(path)
    ['Danube', 'Rhine']
    """
    content = Path(path).read_bytes()
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"line {line_of(content, error.start)} has the byte 0x{content[error.start]:02x}"
        raise ValueError(f"{path} is not {encoding.removesuffix('-sig').upper()} text ({what}): {AS_TEXT}") from None
    strange = CONTROLS.search(text)
    if strange:
        line = line_of(text[: strange.start()].encode(), strange.start() * 4)
        raise ValueError(f"{path} is not text (line {line} has the character {strange.group()!r}): {AS_TEXT}")
    lines = [line.strip() for line in LINE_ENDS.split(text)]
    found = [line for line in lines if line]
    if not found:
        raise ValueError(f"{path} has no text: write one example on each line")
    return found
