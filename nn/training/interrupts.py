"""How does Ctrl-C find everything whole? It waits while numbers that belong together are changed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block in which Ctrl-C waits for the end. Entering and leaving it takes 2 microseconds.

    Only the main thread is interrupted by Ctrl-C: in others the block does nothing.
    """
    pressed: list[Any] = []
    handler = signal.getsignal(signal.SIGINT)
    waits = callable(handler)
    if waits:
        try:
            signal.signal(signal.SIGINT, lambda *arguments: pressed.append(arguments))
        except ValueError:  # not the main thread
            waits = False
    try:
        yield
    finally:
        if waits:
            signal.signal(signal.SIGINT, handler)
        if pressed and callable(handler):
            handler(*pressed[0])


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
