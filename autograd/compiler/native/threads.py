"""Who works on the blocks of a batch? This thread, and beside it as many as the machine has processors.

The shares of a batch are the same for any number of threads, and their gradients are added up in order: so the number
of threads changes no bit of a result. The threads are Python's. Each runs native code that needs no interpreter, and
looks for shares of the batch until the whole call is over.
"""

import ctypes
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

SHARES = 8
"""A batch is divided into at most this many shares."""

ENOUGH = 1 << 20
"""This many products and sums are worth a second thread: they take some 20 microseconds."""

_PHASE, _CALL, _HELPERS, _LENGTH = 0, 3, 4, 16  # places on the board, for which see machine.py


def shares_of(examples: int, lanes: int, weight: int) -> int:
    """The number of shares of a batch, of which each example takes about `weight` products and sums."""
    blocks = -(-examples // max(lanes, 1))
    return min(blocks, SHARES) if blocks > 1 and examples * weight >= ENOUGH else 1


def processors() -> int:
    """How many threads may work: OMP_NUM_THREADS, or as many as there are processors for this process."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(int(wanted) if wanted.isdecimal() else there, SHARES))


@cache
def address_of_yield() -> int:
    """The address of the system's function that lets other threads run."""
    library: Any = ctypes.CDLL("kernel32" if os.name == "nt" else None)
    function = library.SwitchToThread if os.name == "nt" else library.sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


class Threads:
    """The threads that take shares of a batch, and the board on which they find what is to be done.

    Arguments:
        shares: how many shares a batch has.
        length: how many numbers a gradient has.

    Attributes:
        helpers: how many threads there are beside this one.
        board: what the machine tells the threads.
        gradients: those of each share.
    """

    def __init__(self, shares: int, length: int) -> None:
        self.helpers = min(processors(), shares) - 1 if shares > 1 else 0
        self.board = np.zeros(_LENGTH, np.int64)
        self.gradients = np.zeros((shares if shares > 1 else 0, length))
        self._pool: ThreadPoolExecutor | None = None
        self._running: list[Future[None]] = []

    @property
    def call(self) -> int:
        """The number of the coming call of the machine."""
        return int(self.board[_CALL])

    @property
    def phase(self) -> int:
        """The number of the last phase before it."""
        return int(self.board[_PHASE])

    def start(self, helps: Iterable[Callable[[], None]]) -> None:
        """Starts the threads. They end with the coming call of the machine, or with `stop`."""
        while self.board[_HELPERS]:  # threads of a call that was interrupted
            time.sleep(0.0)
        for help in helps:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.helpers, thread_name_prefix="autograd")
            self._running.append(self._pool.submit(help))

    def stop(self) -> None:
        """Waits until the threads have ended."""
        self.board[_CALL] += 1
        while self._running:
            self._running[-1].result()
            self._running.pop()
