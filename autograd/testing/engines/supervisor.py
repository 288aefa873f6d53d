"""How does the judge stay out of reach of the code that it judges? A process between them is that code's parent.

`supervised` runs work in a child of its process. What that code does to its parent, it does to this process, and the
judge is told: a supervisor that is killed was killed by what it supervises. Whatever the child has started ends with
it, even what has left its group and its environment, since on Linux the supervisor adopts orphans.

Whoever looks for the judge's number can still find it: this is a guard, not a jail.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

ADOPT_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl(2)."""
ROUNDS, TICK = 100, 0.005
"""So often it is looked for what is left: what starts processes may be quicker than one look."""


class _SignalledError(BaseException):
    """Somebody has sent a signal to the supervisor: the judge, to end it, or what it supervises."""


def supervised(work: Callable[[], object]) -> None:
    """Runs work() in a child and ends with its exit status, or 128 and its signal, as shells do.

    It returns in the child alone. Where there is no fork, the work is done in this process.
    """
    if not hasattr(os, "fork"):
        work()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child = os.fork()
    if child:
        _supervise(child)
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    work()


def _supervise(child: int) -> NoReturn:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in 0, 1, 2:
        os.dup2(nothing, standard)
    _adopt_orphans()
    caught = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
    for number in caught:
        signal.signal(number, _leave)
    sent, code = 0, 0
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
        code = _end_of(child)
    except _SignalledError as error:
        (sent,) = error.args
    signal.pthread_sigmask(signal.SIG_BLOCK, caught)
    _kill_descendants(child)
    if sent:
        signal.signal(sent, signal.SIG_DFL)
        os.kill(os.getpid(), sent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {sent})
    os._exit(code)


def _leave(number: int, _: Any) -> NoReturn:
    raise _SignalledError(number)


def _adopt_orphans() -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)


def _end_of(child: int) -> int:
    """Waits for the child; orphans that were adopted may end before it."""
    while True:
        number, status = os.wait()
        if number == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kill_descendants(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    for _ in range(ROUNDS):
        for number in _descendants():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(TICK)


def _descendants() -> list[int]:
    """The children of this process, and theirs; as far as the system tells."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    found = [os.getpid()]
    for number in found:
        found += [other for other, parent in parents.items() if parent == number]
    return found[1:]
