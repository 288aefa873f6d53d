"""How is somebody else's code run, so that it neither ends nor disturbs the judging?

It is stopped after a number of lines, so that an endless loop becomes a wrong claim. (Only a loop with a bare `except:`
inside escapes that.) Whatever it raises becomes a `Refusal`.
"""

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from autograd.reals import shown
from autograd.terminal import visible

LINES = 2_000_000
"""After so many lines of their Python a computation is given up: 200 lines for each of 10,000 nodes."""


class Refusal(Exception):
    """What their code raised, in words."""

    def __init__(self, error: BaseException) -> None:
        text = visible(" ".join(_text_of(error).split()))
        text = text if len(text) <= 90 else f"{text[:87]}..."
        super().__init__(f"{type(error).__name__}: {text}" if text else type(error).__name__)
        self.error = error
        self.sentence = text if isinstance(error, NotTheirsError | TooLongError) else f"raises {self}"


class TooLongError(BaseException):
    """Their code ran for too many lines. (It is no Exception, so that it passes through `except Exception`.)"""


class NotTheirsError(TypeError):
    """An operation gave something other than a number of the engine."""

    def __init__(self, text: str, result: Any, name: str) -> None:
        super().__init__(f"{text} gives {shown(result, 40)} ({type(result).__name__}), not a {name}")


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raises TooLongError within the block after LINES lines of Python: unlike a clock, always at the same place."""
    left = LINES

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLongError(f"no end after {LINES:,} lines of Python: an endless loop, or far too many steps")
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
    keyboard, depth = sys.stdin, sys.getrecursionlimit()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        sys.stdin = io.StringIO()
        try:
            yield
        finally:
            sys.stdin = keyboard
            sys.setrecursionlimit(depth)


def attempt(action: Callable[[], Any]) -> Any:
    """What the action returns.

    Raises:
        Refusal: it raised anything, or did not end.
    """
    try:
        with limited():
            return action()
    except (Exception, SystemExit, TooLongError) as error:
        # The traceback would keep their graph alive, and the chain of a RecursionError is long.
        raise Refusal(error.with_traceback(None)) from None
