"""How is code that may hang, flood, exit or cheat kept in a process of its own, and what becomes of it there?

`TheirProcess` starts `their_side.main` below a supervisor, sends it questions, and waits for each answer no longer
than it should take. A process that is lost, whether it hangs, has ended, or answers nonsense, is killed with all that
it has started; the program that it was lost at gets the error "Lost" as its answer, and a fresh process goes on.

This is a guard against mistakes and tricks, not a jail: the code runs with the rights of whoever starts it.
"""

import contextlib
import itertools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from autograd.testing.engines.their_side import Answer

MEMORY = 2**30
FILE_SIZE = 2**26
MORE_PROCESSES = 64
PATIENCE = 1 / 16, 1.0
"""Of all the seconds, how many one program may take, and the least for that."""
IMPORT = 1 / 3
"""Of all the seconds, how many an import may take without a sign of life."""
LATER_PATIENCE = 1 / 64, 0.25
"""The same after a first program has hung."""
ENDING = 10.0
"""How many seconds the supervisor may take to kill all that was started."""
LAST_WORDS = 1.0
"""How many seconds what it wrote last may take to arrive after its end, on a machine that is busy."""
STARTING = 30.0
"""How many seconds Python itself may take to start, on a machine that is busy."""
LOSSES = 3
"""After so many processes that were lost, what follows is left out: a class that always hangs is known by then."""
TICK = 0.05
MANY_QUESTIONS, MANY_LINES = 100, 3_000
"""After so many questions a process is replaced if a small graph takes so many lines of Python: some engines keep a
tape of all that was ever computed, and walk it each time."""
LONGEST_ANSWER = 2**20
MARK = "AUTOGRAD_TESTING_JUDGES"
START = "from autograd.testing.engines.their_side import main; main()"
OVER = "the time is over (--seconds gives more)"
FORGED = "writes into the judge's pipe"
KILLS = "kills other processes: the judge's got {}"


class LeftOutError(Exception):
    """The rest cannot be judged, and why."""


class Question(NamedTuple):
    """Steps for `their_side.Player`, how many lines of Python each may run, and how patient to be."""

    steps: Sequence[dict[str, Any]]
    lines: int
    patience: float = 1.0


class TheirProcess:
    """The process in which somebody's class answers questions.

    Arguments:
        engine: FILE.py:CLASS or MODULE:CLASS.
        seconds: how long all questions may take together.

    Attributes:
        lost: in words, what became of each process that was lost.
    """

    def __init__(self, engine: str, seconds: float, setup: dict[str, Any]) -> None:
        self.engine, self.seconds, self.setup = engine, seconds, setup
        self.end = time.monotonic() + seconds
        self.lost: list[str] = []
        self._running: _Running | None = None
        self._closed = False
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """What the class offers, or {"sentence": ...} if there is none."""
        return self._start()

    def _start(self) -> dict[str, Any]:
        limits = {
            "memory": MEMORY,
            "processes": _tasks_of_this_user() + MORE_PROCESSES,
            "file_size": FILE_SIZE,
            "seconds": int(self.seconds) + 10,
        }
        setup = self.setup | {"engine": self.engine, "limits": limits, "path": sys.path}
        with self._lock:
            if self._closed:
                raise LeftOutError("it was interrupted")
            self._running = _Running()
        self._running.send(setup)
        patience = max(IMPORT * self.seconds, 1.0)
        try:
            answer = self._running.receive(patience, self.end, starting=True)
            if _describes(answer):
                return dict(answer)
            why = FORGED
        except _LostError as lost:
            why = _why(lost, patience)
        self._lose()
        return {"sentence": f"{self.engine.rpartition(':')[0]} {why}"}

    def run(self, questions: Sequence[Question]) -> Generator[Answer, None, None]:
        """The answers, one after the other.

        Raises:
            LeftOutError: the time is over, or too many processes were lost.
        """
        waiting = list(questions)
        while waiting:
            running = self._ready()
            running.send([{"steps": question.steps, "lines": question.lines} for question in waiting])
            try:
                while waiting:
                    yield self._answer(running, waiting[0])
                    del waiting[0]
                if running.is_worn:
                    self._lose()
            except _LostError as lost:
                self.lost.append(str(lost))
                self._lose()
                del waiting[0]
                yield [*[{}] * lost.steps, {"error": "Lost", "bases": [], "text": str(lost)}]
            except GeneratorExit:  # nobody wants the other answers; each is read so that none is taken for a later one
                self._drain(running, waiting[1:])
                raise

    def _answer(self, running: "_Running", question: Question) -> Answer:
        answer = running.receive(question.patience * self._patience(), self.end)
        if not _answers(answer, question):
            raise _LostError(FORGED)
        running.asked += 1
        used = max(entry["lines"] if isinstance(entry.get("lines"), int) else 0 for entry in answer)
        running.is_worn = running.asked > MANY_QUESTIONS and question.patience == 1.0 and used > MANY_LINES
        return list(answer)

    def _patience(self) -> float:
        share, least = LATER_PATIENCE if self.lost else PATIENCE
        return max(share * self.seconds, least)

    def _drain(self, running: "_Running", unread: Sequence[Question]) -> None:
        try:
            for question in unread:
                self._answer(running, question)
        except _LostError:  # another program will meet the same
            self._lose()

    def _ready(self) -> "_Running":
        """A process that waits for questions."""
        if time.monotonic() > self.end:
            raise LeftOutError(OVER)
        if self._running is None:
            if len(self.lost) >= LOSSES:
                raise LeftOutError(f"{len(self.lost)} programs ended or hung its process")
            description = self._start()
            if "sentence" in description:
                raise LeftOutError(f"another import fails: {description['sentence']}")
        assert self._running is not None
        return self._running

    def _lose(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.kill()

    def close(self) -> None:
        """Ends the process and whatever it has started."""
        with self._lock:
            self._closed = True
            self._lose()


FAILURE = {"error": str, "bases": list, "text": str}
NUMBER = (float, int, type(None))
READ = {"number": float | int | None, "shown": str, "type": str}
NUMBERS = {"numbers": list}
"""What the entries of an answer have."""


def _answers(answer: Any, question: Question) -> bool:
    """Whether it has the form of an answer to this question: an entry for each step, or for those until one failed."""
    if not (isinstance(answer, list) and 0 < len(answer) <= len(question.steps)):
        return False
    for entry, step in zip(answer, question.steps, strict=False):
        done = READ if "read" in step else NUMBERS if "numbers" in step else {}
        wanted = FAILURE if isinstance(entry, dict) and "error" in entry else done
        if not (isinstance(entry, dict) and all(isinstance(entry.get(key), kind) for key, kind in wanted.items())):
            return False
        if not all(isinstance(x, NUMBER) for x in entry.get("numbers", ())):
            return False
    return len(answer) == len(question.steps) or "error" in answer[-1]


def _describes(answer: Any) -> bool:
    """Whether it has the form of a description of a class, or says why there is none."""
    if not isinstance(answer, dict):
        return False
    texts = [answer.get("sentence", ""), answer.get("name", ""), answer.get("place", "")]
    methods, lists = answer.get("methods", {}), [answer.get("attributes", []), answer.get("near", [])]
    return (
        ("sentence" in answer or {"name", "place", "methods", "attributes", "near"} <= answer.keys())
        and all(isinstance(text, str) for text in texts)
        and isinstance(methods, dict)
        and all(isinstance(each, list) for each in lists)
        and all(isinstance(text, str) for text in [*methods, *methods.values(), *itertools.chain(*lists)])
    )


class _LostError(Exception):
    """The process hangs, has ended or answers nonsense; `steps` of the question were done."""

    steps = 0
    hangs = False


def _why(lost: _LostError, patience: float) -> str:
    """Why there is no class after the import has been given up."""
    if not lost.hangs:
        return f"cannot be imported: it {lost}"
    return (
        f"cannot be imported: its import takes longer than {_seconds(patience)}: does it train at import? "
        "Put that under if __name__ == '__main__', or raise --seconds"
    )


def _seconds(number: float) -> str:
    """
    >>> _seconds(1.0), _seconds(1.25)
    ('1 second', '1.2 seconds')
    """
    return f"{number:.2g} second{'' if number == 1.0 else 's'}"


@lru_cache(maxsize=1)
def _same_addresses() -> tuple[str, ...]:
    """A command that gives a process the same addresses each time, and with them the order of its sets; if there is
    one that may be used."""
    command = shutil.which("setarch")
    if sys.platform != "linux" or command is None:
        return ()
    words = (command, "--addr-no-randomize")
    tried = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return words if tried.returncode == 0 else ()


class _Running:
    """One process, and what it has written so far."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        package = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [*_same_addresses(), sys.executable, "-P", "-B", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | one_thread | {MARK: self.mark, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        )
        self.written = b""
        self.asked, self.is_worn = 0, False
        self.killed = False
        self.chunks: queue.Queue[bytes] = queue.Queue(maxsize=64)  # a flood waits in its pipe
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Runs in a thread of its own, which alone reads the pipe and closes it. Waiting for pipes is not portable."""
        assert self.process.stdout is not None
        with self.process.stdout as pipe:
            chunk = b"."
            while chunk and not self.killed:
                chunk = os.read(pipe.fileno(), 65_536)
                while not self.killed:
                    with contextlib.suppress(queue.Full):
                        self.chunks.put(chunk, timeout=TICK)
                        break

    def send(self, what: Any) -> None:
        """Sends one line. A process that has ended is noticed by `receive`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self, patience: float, end: float, starting: bool = False) -> Any:
        """The next line.

        Arguments:
            patience: for so many seconds of silence.
            end: when all must end, by the monotonic clock.
            starting: whether it has just been started; then each sign of life makes the patience begin anew.
        """
        # Ticks are counted, and not the clock's seconds: a machine that sleeps or is busy elsewhere is no hang.
        allowed = round(patience / TICK)
        ticks = round(STARTING / TICK) if starting else allowed
        while b"\n" not in self.written:
            if len(self.written) > LONGEST_ANSWER:
                raise self._lost(FORGED)
            if time.monotonic() > end:
                raise LeftOutError(OVER)
            if ticks <= 0:
                lost = self._lost(f"no end after {_seconds(patience)}")
                lost.hangs = True
                raise lost
            chunk = self._chunk()
            if chunk is None:
                ticks -= 1
                continue
            if not chunk:
                raise self._lost(self._how_it_ended())
            self.written += chunk
            if starting:
                ticks = allowed
        state = self._state()
        if state is not None and state.si_code != os.CLD_EXITED:
            raise self._lost(KILLS.format(_name_of(state.si_status)))
        line, _, self.written = self.written.partition(b"\n")
        try:
            return json.loads(line.lstrip(b"."))
        except (ValueError, RecursionError):
            raise self._lost(FORGED) from None

    def _chunk(self) -> bytes | None:
        """What was written next; None if nothing was within a tick, b"" if nothing will be."""
        with contextlib.suppress(queue.Empty):
            return self.chunks.get(timeout=TICK)
        if not self._has_ended():
            return None
        _kill_marked(self.mark)  # a process that it has started may still hold its end of the pipe open
        with contextlib.suppress(queue.Empty):
            return self.chunks.get(timeout=LAST_WORDS)
        return b""

    def _lost(self, text: str) -> _LostError:
        lost = _LostError(text)
        lost.steps = max(0, len(self.written) - len(self.written.lstrip(b".")) - 1)
        return lost

    def _has_ended(self) -> bool:
        """Whether the supervisor has ended."""
        state = self._state()
        return self.process.poll() is not None if state is None else state.si_code != os.CLD_STOPPED

    def _state(self) -> Any:
        """How the supervisor has ended or was stopped, as `os.waitid` has it; None if it runs, or nobody tells."""
        if not hasattr(os, "waitid") or self.process.returncode is not None:
            return None
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):  # it is killing what the other has started
            self.process.wait(ENDING)
        self.kill()
        code = self.process.returncode
        if code < 0:  # what it supervises ends it with a status; a signal was sent by somebody
            return KILLS.format(_name_of(-code))
        return f"ends the process ({_name_of(code - 128) if code > 128 else f'exit status {code}'})"

    def kill(self) -> None:
        """Ends the supervisor, which kills all that it has started; then what may have escaped it."""
        if hasattr(signal, "SIGCONT"):
            for number in signal.SIGTERM, signal.SIGCONT:
                self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING)
        self.process.kill()
        self.process.wait()
        for _ in range(20):  # what starts processes may be quicker than one look
            if not _kill_marked(self.mark):
                break
        self.killed = True
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


def _name_of(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _kill_marked(mark: str) -> bool:
    """Kills every process with this mark in its environment, as far as the system tells; whether there was one."""
    variable, found = f"{MARK}={mark}".encode(), False
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if variable in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                found = True
    return found


def _tasks_of_this_user() -> int:
    """How many processes and threads run already, since the system's limit counts them too; 0 if it does not tell."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                count += len(os.listdir(folder / "task"))
    return count
