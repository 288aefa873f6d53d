"""How is somebody else's code run, so that it neither ends nor disturbs what runs it?

It is stopped after a number of lines, so that an endless loop becomes a wrong claim. Whatever it raises becomes a
`Refusal`. What escapes that, such as an endless loop in C or one with a bare `except:`, ends with its process
(`process.py`).
"""

import contextlib
import gc
import io
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
def limited(lines: int) -> Iterator[list[int]]:
    """Raises TooLongError within the block after so many lines of Python: unlike a clock, always at the same place.

    The block gets a list of one number: how many lines are left.
    """
    left = [lines]

    def trace(frame: Any, event: str, argument: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            if _imports(frame):
                left[0] = lines  # a large library is imported within a method, which is no endless loop
                return trace
            raise TooLongError(f"no end after {lines:,} lines of Python: an endless loop, or far too many steps")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield left
    finally:
        sys.settrace(before)


def _imports(frame: Any) -> bool:
    """Whether an import is under way."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


class _Silent(io.TextIOWrapper):
    """An empty device. What is printed is not even encoded: a flood takes a tenth of the time."""

    def __init__(self, device: io.FileIO) -> None:
        super().__init__(io.BufferedRandom(device))

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps what their code prints, its warnings, and its questions to the keyboard out of the report."""
    keyboard, depth, collecting = sys.stdin, sys.getrecursionlimit(), gc.isenabled()
    with (
        open(os.devnull, "rb+", buffering=0) as device,
        _Silent(device) as nothing,
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


def attempt(action: Callable[[], Any], lines: int) -> tuple[Any, BaseException | None, int]:
    """What the action returns or None, what it raised or None, and how many lines of Python it took.

    Raises:
        KeyboardInterrupt: the user has had enough.
    """
    left = [lines]
    try:
        with limited(lines) as left:
            return action(), None, lines - left[0]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # The traceback would keep their graph alive, and the chain of a RecursionError is long.
        return None, error.with_traceback(None), lines - left[0]
