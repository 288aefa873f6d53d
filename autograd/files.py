"""How is a file written so that, whatever happens, there is the old one or the whole new one?"""

import os
import tempfile
from errno import EINVAL
from pathlib import Path


def written(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Writes a file under another name, and then gives it its own; returns its path.

    Raises:
        OSError: it cannot be written; the error names the path that was asked for.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        _write(Path(os.path.realpath(path)), data)  # a link goes on to point to the file
    except OSError as error:  # it names the temporary file
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None
    return Path(path)


def _write(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, such as /dev/null, must not be replaced
        raise OSError(EINVAL, "not a regular file", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".autograd-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
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
