"""How is a file written so that nothing is lost? Whole, or not at all."""

import os
import tempfile
from errno import EINVAL
from pathlib import Path


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


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, such as /dev/null, must not be replaced
        raise OSError(EINVAL, "not a regular file", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".autograd-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
