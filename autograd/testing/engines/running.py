"""How is somebody else's code run, so that it neither ends nor disturbs what runs it?

It is stopped after a number of lines, so that an endless loop becomes a wrong claim. Whatever it raises becomes a
`Refusal`. What escapes that, such as an endless loop in C or one with a bare `except:`, ends with its process
(`process.py`).
"""

import contextlib
import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

LINES = 100_000
"""After so many lines of their Python an ordinary program is given up."""
LINES_PER_OPERATION = 200
"""So many more are allowed for each operation of a large graph."""


class TooLongError(BaseException):
    """Their code ran for too many lines. (It is no Exception, so that it passes through `except Exception`.)"""


@contextlib.contextmanager
def limited(lines: int) -> Iterator[None]:
    """Raises TooLongError within the block after so many lines of Python: unlike a clock, always at the same place."""
    left = lines

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLongError(f"no end after {lines:,} lines of Python: an endless loop, or far too many steps")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps what their code prints, its warnings, and its questions to the keyboard out of the report."""
    keyboard, depth, collecting = sys.stdin, sys.getrecursionlimit(), gc.isenabled()
    with (
        open(os.devnull, "r+") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = keyboard
            sys.setrecursionlimit(depth)
            (gc.enable if collecting else gc.disable)()


def attempt(action: Callable[[], Any], lines: int) -> tuple[Any, BaseException | None]:
    """What the action returns, and None; or None, and what it raised. It is given up after so many lines.

    Raises:
        KeyboardInterrupt: the user has had enough.
    """
    try:
        with limited(lines):
            return action(), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # The traceback would keep their graph alive, and the chain of a RecursionError is long.
        return None, error.with_traceback(None)
