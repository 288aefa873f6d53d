"""Who works on the blocks of a batch? This thread, and beside it as many as the machine has processors.

The shares of a batch are the same however many threads there are, and their gradients are added up in order: the number
of threads changes no bit of a result. The threads are Python's; each runs native code that needs no interpreter, and
looks for shares of the batch until the whole call is over.
"""

import ctypes
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.compiler.native.cache import compiled

if TYPE_CHECKING:
    from autograd.compiler.native.layout import Plan

SHARES = 8
"""Into at most so many shares a batch is divided."""

ENOUGH = 1 << 20
"""So many products and sums are worth a second thread: some 20 microseconds of them."""

_PHASE, _CALL, _HELPERS, _LENGTH = 0, 3, 4, 16  # places on the board, for which see machine.py


def processors() -> int:
    """How many threads may work: OMP_NUM_THREADS, or as many as there are processors for this process."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(int(wanted) if wanted.isdecimal() else there, SHARES))


@cache
def address_of_yield() -> int:
    """Where the system's function lies that lets other threads run."""
    library: Any = ctypes.CDLL("kernel32" if os.name == "nt" else None)
    function = library.SwitchToThread if os.name == "nt" else library.sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


class Crew:
    """The threads that help with one program, and the board on which they find what is to be done.

    Arguments:
        plan: the program's plan.
        lanes: how many examples run together.
        examples: how many a batch has.
    """

    def __init__(self, plan: "Plan", lanes: int, examples: int) -> None:
        blocks = -(-examples // max(lanes, 1))
        worth = blocks > 1 and examples * plan.weight >= ENOUGH
        self.shares = min(blocks, SHARES) if worth else 1
        self.board = np.zeros(_LENGTH, np.int64)
        self.gradients = np.zeros((self.shares if worth else 0, plan.lanes_at))
        self._works = [plan.new_work(lanes) for _ in range(min(processors(), self.shares) - 1)]
        self._pool: ThreadPoolExecutor | None = None
        self._threads: list[Future[None]] = []
        self._yield = address_of_yield()

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What the machine needs to know: the board, the gradients of each share, and how to let others run."""
        return self.board, self.gradients, self._yield

    def help(self, by_inputs: bool, main: Any, given: Any, into: Any) -> None:
        """Starts the other threads; they end with the call of the machine that follows, or with `stop`."""
        while self.board[_HELPERS]:  # of a call that was interrupted
            time.sleep(0.0)
        if self._works and self._pool is None:
            self._pool = ThreadPoolExecutor(len(self._works), thread_name_prefix="autograd")
        for work in self._works:
            rest = (main, int(self.board[_CALL]), int(self.board[_PHASE]), *self.arrays, *given, *into)
            self._threads.append(self._pool.submit(compiled("machine", "help"), work.arrays(by_inputs), *rest))  # type: ignore[union-attr]

    def stop(self) -> None:
        """Waits for the other threads to end."""
        self.board[_CALL] += 1
        while self._threads:
            self._threads[-1].result()
            self._threads.pop()
