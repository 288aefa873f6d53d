"""How is a step whole or not made at all, whenever Ctrl-C comes? It waits until the step's numbers are all in place."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

try:  # what `signal` calls, before it looks each number up in an enumeration: 2 us a block, not 13
    import _signal as signals  # type: ignore[import-not-found]
except ImportError:  # another Python
    import signal as signals


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that Ctrl-C does not interrupt: it does so at its end. (2 us; only the main thread is ever interrupted.)

    >>> with uninterrupted():
    ...     1 + 1
    2
    """
    before = signals.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    signals.signal(signal.SIGINT, lambda number, frame: pressed.append((number, frame)))
    try:
        yield
    finally:
        signals.signal(signal.SIGINT, before)
        if pressed:
            before(*pressed[-1])


def certainly(function: Callable[[], None]) -> None:
    """Calls a function that may be called twice, to its end, however often Ctrl-C is pressed."""
    is_done = False
    while not is_done:
        try:
            with uninterrupted():
                function()
                is_done = True
        except KeyboardInterrupt:
            continue
