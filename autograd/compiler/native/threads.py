"""Who works on the blocks of a batch? This thread, and beside it as many as the machine has processors.

The shares of a batch are the same for any number of threads, and their gradients are added up in order: so the number
of threads changes no bit of a result. The threads are Python's. Each runs native code that needs no interpreter, and
looks for shares of the batch until the whole call is over.
"""

import ctypes
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from autograd.compiler.backend import Words
from autograd.compiler.native.loading import machine
from autograd.compiler.native.tables import BOARD
from autograd.interrupts import uninterrupted

SHARES = 8
"""A batch is divided into at most this many shares."""

ENOUGH = 1 << 20
"""This many products and sums are worth a second thread: they take some 20 microseconds."""


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


@cache
def _pool() -> ThreadPoolExecutor:
    """The threads that help. They live as long as the process."""
    return ThreadPoolExecutor(SHARES, thread_name_prefix="autograd")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a new process has none of these threads


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
        self.board = np.zeros(len(BOARD), np.int64)
        self.gradients = np.zeros((shares if shares > 1 else 0, length))

    def start(self, call: Words, programs: Sequence[Words], alive: Any) -> None:
        """Starts the threads, each with a program of its own. They end with the call of the machine, or with `stop`.

        `alive` is what the call and the programs point to. The threads keep it: after Ctrl-C they may be the last.
        """
        if not self.helpers:
            return
        self.stop()  # threads of a call that was interrupted
        number, before = int(self.board[BOARD.CALL]), int(self.board[BOARD.PHASE])
        with uninterrupted():
            for program in programs:
                _pool().submit(_help, call, program, number, before, (self, alive))

    def stop(self) -> None:
        """Waits until the threads have ended. One that begins later sees that its call is over."""
        if self.helpers:
            self.board[BOARD.CALL] += 1
            while self.board[BOARD.HELPERS]:
                time.sleep(0.0)


def _help(call: Words, program: Words, number: int, before: int, alive: Any) -> None:
    machine().help(call.ctypes.data, program.ctypes.data, number, before)
