"""How is a file written so that nothing is lost? Whole, or not at all; and which paths are refused, in a sentence."""

import os
import tempfile
from errno import EINVAL
from pathlib import Path
from typing import Any

from autograd.reals import shown


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Writes a file so that, whatever happens, the path holds the old file or the whole new one; returns the path.

    Text is written in UTF-8.

    Raises:
        OSError: it could not be written; the error names the path.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    try:
        _write(Path(os.path.realpath(path)), data)  # a link goes on to point to the file
    except OSError as error:  # it names the temporary file
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None
    return Path(path)


def file_to_write(path: Any, call: str, *endings: str) -> Path:
    """The path of a file that `call` is to write, if it can be one; folders that are missing are made.

    Arguments:
        path: a text or a `Path`.
        call: what writes, to begin the sentence of the errors.
        endings: those that the name may have, in lower case; any if there are none.

    Raises:
        TypeError, ValueError, OSError: it is no path of such a file.

    >>> file_to_write("page.pdf", "save", ".html", ".htm")
    Traceback (most recent call last):
    ...
    ValueError: save writes files that end in .html or .htm; got 'page.pdf': give a name such as 'page.html'
    """
    file = checked_path(path, call, f"figure{[*endings, '.svg'][0]}")
    if endings and file.suffix.lower() not in endings:
        stem = file.stem.strip(".") or "figure"
        raise ValueError(
            f"{call} writes files that end in {' or '.join(endings)}; got {str(path)!r}: "
            f"give a name such as {stem + endings[0]!r}"
        )
    if file.is_dir():
        raise IsADirectoryError(f"{call} writes a file, and {str(path)!r} is a folder: add the file's name to it")
    _make_folder(file.parent, path, call)
    return file


def folder_to_write(path: Any, call: str) -> Path:
    """The folder that `call` is to write files into; it is made if there is none.

    Raises:
        TypeError, ValueError, OSError: it is no path of a folder.
    """
    folder = checked_path(path, call, "figures")
    _make_folder(folder, path, call)
    return folder


def checked_path(path: Any, call: str, example: str = "figure.svg") -> Path:
    """The path, if it is one.

    Raises:
        TypeError, ValueError: it is none.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{call} takes a path; got {shown(path)} ({type(path).__name__}): give {example!r}") from None
    if not text or "\0" in text:
        what = "a character that no path may have, \\0" if text else "an empty path"
        raise ValueError(f"{call} takes a path; got {shown(text)}, {what}: give a name such as {example!r}")
    return Path(text)


def _make_folder(folder: Path, path: Any, call: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        part = next((part for part in (folder, *folder.parents) if part.exists()), folder)
        raise NotADirectoryError(
            f"{call} needs a folder, and {str(part)!r} in {str(path)!r} is a file: choose another path"
        ) from None


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, such as /dev/null, must not be replaced
        raise OSError(EINVAL, "not a regular file", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".autograd-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Its owner may read it whatever the mask is: in a web page (Emscripten) that begins as 0o777.
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o600 | 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
