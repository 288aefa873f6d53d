"""How are many submissions judged? Some at a time, each in a process of its own, until all are done or interrupted."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import FrameType

from autograd.testing.engines.judging import NoEngineError, judge_apart
from autograd.testing.engines.outcomes import Outcome
from autograd.testing.engines.process import LeftOutError, TheirProcess

UNJUDGED = "it was not yet judged"
LOOK = 0.2
"""After so many seconds the main thread looks up: on Windows, only then can it be interrupted."""


def judge_all(
    engines: Sequence[str],
    seconds: float,
    at_a_time: int,
    required: tuple[str, ...] = (),
    progress: Callable[[list[Outcome]], object] = lambda outcomes: None,
) -> list[Outcome]:
    """Judges each engine; the outcomes come in the order of the engines.

    An interruption, by Ctrl-C or SIGTERM, ends all processes at once; what was judged by then, progress has got.

    Arguments:
        engines: each FILE.py:CLASS or MODULE:CLASS.
        seconds: how long each may take.
        at_a_time: how many are judged at the same time.
        required: the names of what is required.
        progress: gets the outcomes each time that one is new; those not yet judged are "left out".
    """
    everyone = _Everyone()
    with ThreadPoolExecutor(at_a_time) as pool, _ended_by_sigterm():
        futures = [pool.submit(_outcome, engine, seconds, required, everyone.started) for engine in engines]
        try:
            _wait(futures, lambda: progress([_so_far(f, e, required) for f, e in zip(futures, engines, strict=True)]))
        except BaseException:
            for future in futures:
                future.cancel()
            everyone.stop()
            raise
    return [future.result() for future in futures]


def _so_far(future: Future[Outcome], engine: str, required: tuple[str, ...]) -> Outcome:
    return future.result() if future.done() else Outcome(engine, None, UNJUDGED, 0.0, required, "left out")


def _wait(futures: Sequence[Future[Outcome]], progress: Callable[[], object]) -> None:
    waiting = set(futures)
    progress()
    while waiting:
        done, waiting = wait(waiting, timeout=LOOK, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()  # raises what is our own fault
        if done:
            progress()


def _outcome(
    engine: str, seconds: float, required: tuple[str, ...], started: Callable[[TheirProcess], object]
) -> Outcome:
    begin = time.monotonic()
    report, sentence, verdict = None, "", ""
    try:
        report = judge_apart(engine, seconds, started)
    except NoEngineError as error:
        sentence, verdict = str(error), "no engine"
    except (TypeError, LeftOutError) as error:
        sentence = str(error)
    return Outcome(engine, report, sentence, time.monotonic() - begin, required, verdict)


class _Everyone:
    """All processes that were started, so that they can be ended together."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes: list[TheirProcess] = []
        self.stopped = False

    def started(self, process: TheirProcess) -> None:
        with self.lock:
            self.processes.append(process)
            if self.stopped:
                process.close()

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.close()


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM raises SystemExit, so that what was started is ended too."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
