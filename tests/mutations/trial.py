"""Does a test fail when a mutant is at work?

pytest collects the tests once. For every mutant the process forks; the child applies it and runs the tests that
concern it, the quickest first, until one fails. What runs first of all, also in a fork, is the code as it is: it must
pass, and the time that each test takes there gives the order.
"""

import contextlib
import io
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutations.mutant import Mutant

ROOT = Path(__file__).parents[2]
ENGINE_TESTS = ("value", "graph", "functions", "modes", "special_points", "rules")
RULE_TESTS = ("accuracy", "rules", "special_points")
TESTS = ("accuracy", *ENGINE_TESTS)
ASKED = "not (the_oracles or at_a_kink or a_million_nodes or long_chains or small_stack)"
"""All but the tests that look at the oracles alone, and the longest, which ask whether deep graphs need recursion."""
SECONDS_A_TEST, SECONDS_A_MUTANT = 15.0, 600.0
"""A test that computes for longer with a mutant runs without end. (Without, the slowest takes 3 seconds.) The second
limit is for tests that wait without end, and is in seconds on the clock."""

settings.register_profile(
    "mutations",
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=100,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a failure is enough: nobody reads the smallest
)


class Verdict(NamedTuple):
    """What became of a mutant: `outcome` is "killed" (a test failed, `test` says which), "survived", "timeout"
    (a test hung) or "broken" (the package could not even be imported so)."""

    mutant: Mutant
    outcome: str
    test: str = ""
    seconds: float = 0.0


class TestsFailWithoutMutants(Exception):
    """The tests fail on the code as it is, so that a failure would prove nothing."""


def try_out(
    mutants: Iterable[Mutant],
    tests: Sequence[str] = TESTS,
    only: str = ASKED,
    report: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Tries each mutant against the tests.

    Arguments:
        mutants: what to try.
        tests: the files under tests/autograd, without "test_" and ".py".
        only: a pytest expression (`-k`) that selects among them.
        report: is told every verdict as soon as it is known.

    Raises:
        TestsFailWithoutMutants: the tests do not pass on the code as it is.
    """
    trials = _Trials(list(mutants), report)
    files = [str(ROOT / f"tests/autograd/test_{name}.py") for name in tests]
    options = ["-o", "addopts=", "-m", "not slow", "-k", only, "-q", "-s", "--tb=native", "-p", "no:cacheprovider"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis has been imported already
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = pytest.main([*files, *options, "--hypothesis-profile=mutations", f"--rootdir={ROOT}"], plugins=[trials])
    if trials.failures:
        raise TestsFailWithoutMutants("the tests fail without any mutant: " + ", ".join(trials.failures))
    if code != pytest.ExitCode.OK:
        raise TestsFailWithoutMutants(f"pytest stopped:\n{output.getvalue()}")
    return trials.verdicts


class _Trials:
    """A pytest plugin that, in place of running the tests once, runs them for each mutant."""

    def __init__(self, mutants: Sequence[Mutant], report: Callable[[Verdict], None]) -> None:
        self.mutants, self.report = mutants, report
        self.verdicts: list[Verdict] = []
        self.failures: list[str] = []
        self.seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        items = [item for item in session.items if any(_concerns(mutant, item) for mutant in self.mutants)]
        unmutated = in_a_fork(lambda: _run_all(items))
        self.failures, self.seconds = unmutated["failures"], unmutated["seconds"]
        if self.failures:
            return True
        for mutant in self.mutants:
            self.verdicts.append(_verdict(mutant, self.in_order(mutant, items)))
            self.report(self.verdicts[-1])
        return True

    def in_order(self, mutant: Mutant, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """The tests that concern the mutant: those most likely to notice it first, and of these the quickest."""

        def place(item: pytest.Item) -> tuple[bool, float]:
            likely = item.path.stem == f"test_{mutant.group}" or _operation_of(item) in mutant.concerns
            return not likely, self.seconds[item.nodeid]

        return sorted((item for item in items if _concerns(mutant, item)), key=place)


def _verdict(mutant: Mutant, items: Sequence[pytest.Item]) -> Verdict:
    start = time.perf_counter()
    answer = in_a_fork(lambda: _run_until_failure(mutant, items), limit=SECONDS_A_MUTANT)
    return Verdict(mutant, answer["outcome"], answer.get("test", ""), time.perf_counter() - start)


def _concerns(mutant: Mutant, item: pytest.Item) -> bool:
    """Whether it is the test of an operation that changes, or of no operation in particular."""
    return _operation_of(item) is None or _operation_of(item) in mutant.concerns


def _operation_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("name") if callspec else None


# In the fork


def _run_all(items: Sequence[pytest.Item]) -> dict[str, Any]:
    seconds, failures = {}, []
    for item, following in zip(items, [*items[1:], None], strict=True):
        start = time.perf_counter()
        if _fails(item, following):
            failures.append(item.nodeid)
        seconds[item.nodeid] = time.perf_counter() - start
    return {"seconds": seconds, "failures": failures}


def _run_until_failure(mutant: Mutant, items: Sequence[pytest.Item]) -> dict[str, str]:
    try:
        mutant.apply()
    except Exception:
        return {"outcome": "broken"}
    for item, following in zip(items, [*items[1:], None], strict=True):
        signal.setitimer(signal.ITIMER_PROF, SECONDS_A_TEST)
        if _fails(item, following):
            return {"outcome": "killed", "test": item.name}
    return {"outcome": "survived"}


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def in_a_fork(work: Callable[[], dict[str, Any]], limit: float | None = None) -> dict[str, Any]:
    """What work() returns when it runs in a fork of this process; a timeout, if that takes longer than the limit."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(work, writer)
    os.close(writer)
    text = _read(reader, limit)
    if text is None:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    answer: dict[str, Any] = json.loads(text) if text else {"outcome": "timeout" if text is None else "broken"}
    return answer


def _read(descriptor: int, limit: float | None) -> str | None:
    """All that comes through the pipe until its end, or None after `limit` seconds."""
    pieces: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], limit)[0]:
            piece = pipe.read(1 << 16)
            if not piece:
                return b"".join(pieces).decode()
            pieces.append(piece)
    return None


def _child(work: Callable[[], dict[str, Any]], writer: int) -> NoReturn:
    def give_up(number: int, frame: FrameType | None) -> NoReturn:
        _answer(writer, {"outcome": "timeout"})

    signal.signal(signal.SIGPROF, give_up)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the process ends)
    _limit_memory()
    try:
        answer = work()
    except BaseException as error:
        answer = {"outcome": "broken", "test": repr(error)}
    _answer(writer, answer)


def _answer(writer: int, answer: dict[str, Any]) -> NoReturn:
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(json.dumps(answer).encode())
    os._exit(0)


def _limit_memory(gigabytes: int = 4) -> None:
    """A mutant that builds without end meets a MemoryError, and the machine goes on."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
