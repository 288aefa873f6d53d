"""Is a scalar engine right? Each topic of claims about it is judged in its order, here or in a process of its own."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from autograd.reals import shown
from autograd.testing.engines import claims_about_graphs, claims_about_operations
from autograd.testing.engines.process import LeftOutError, Question, TheirProcess
from autograd.testing.engines.programs import shown_text
from autograd.testing.engines.report import Claim, EngineReport
from autograd.testing.engines.running import undisturbed
from autograd.testing.engines.their_engine import SETUP, Asked, Engine
from autograd.testing.engines.their_side import Answer, Player

CHECKS: dict[str, Callable[[Engine], Iterator[Claim]]] = {
    "construction": claims_about_operations.construction,
    "values": claims_about_operations.values,
    "derivatives": claims_about_operations.derivatives,
    "plain numbers": claims_about_operations.plain_numbers,
    "chain rule": claims_about_graphs.chain_rule,
    "accumulation": claims_about_graphs.accumulation,
    "backward": claims_about_graphs.backward,
    "special points": claims_about_operations.special_points,
    "size": claims_about_graphs.size,
    "memory": claims_about_graphs.memory,
}
"""The topics in their order: each relies on what those before it have found."""


class NoEngineError(TypeError):
    """There is a file, and in it nothing that could be an engine, under any name."""


def check_engine(ValueClass: Any) -> EngineReport:
    """Judges somebody's scalar engine: what is right, what is wrong, what is missing.

    Arguments:
        ValueClass: the class of its numbers. `ValueClass(2.0)` makes one; it has `data`, `grad` and `backward()`,
            and any of the operators and methods that engines have. Everything but `data` may be missing.

    Returns:
        an `EngineReport`, which prints by topic. Each fault comes with the smallest program found that shows it, what
        the engine says, and what is right. Of many faults with one cause only the smallest is printed at length;
        `report.wrong` has them all. An engine that does the same each time gets the same report.

    Raises:
        TypeError: it is not a class, cannot be made from one number, or has no `data`.

    Special points: any derivative of relu at 0 between 0 and 1 is right. Where Python's own arithmetic raises an
    ArithmeticError or a ValueError, such as for 1 / 0, the engine may raise too.

    The class runs in this process. `python -m autograd.testing` gives it one of its own, so that it may hang or exit.

    >>> class Number:
    ...     def __init__(self, data):
    ...         self.data = data
    ...     def __add__(self, other):
    ...         return Number(self.data - other.data)
    >>> report = check_engine(Number)
    >>> report.passed
    False
    >>> print(report.wrong[0].entry())
    x + y
        x0 = Number(2.0)
        x1 = Number(3.0)
        y = x0 + x1
     yours y.data = -1
     right y.data = 5
    """
    if not isinstance(ValueClass, type):
        raise TypeError(f"check_engine takes a class such as micrograd.engine.Value; got {shown(ValueClass)}")
    here = _Here(ValueClass)
    with undisturbed():
        return judge(here, here.player.describe(**SETUP))


class _Here:
    """Programs are run in this process."""

    def __init__(self, ValueClass: type) -> None:
        self.player = Player(ValueClass)

    def run(self, questions: Sequence[Question]) -> Generator[Answer, None, None]:
        for question in questions:
            yield self.player.answer(question.steps, question.lines)


def judge(asked: Asked, description: dict[str, Any]) -> EngineReport:
    """Judges the class that somebody answers for.

    Raises:
        TypeError: it cannot be made from one number, or has no `data`.
    """
    engine = Engine(asked, description)
    claims = [claim._replace(topic="engine") for claim in _origin(description)]
    topics = list(CHECKS)
    for place, topic in enumerate(topics):
        try:
            begin = time.monotonic()
            for claim in CHECKS[topic](engine):
                end = time.monotonic()
                claims.append(claim._replace(topic=claim.topic or topic, seconds=round(end - begin, 3)))
                begin = end
        except LeftOutError as error:
            rest = ", ".join(topics[place:])
            claims.append(Claim(rest, "left out", f"since {error}", topic="left out", about=tuple(topics[place:])))
            break
    return EngineReport(engine.place, tuple(claims))


def _origin(description: dict[str, Any]) -> Iterator[Claim]:
    """Whose work it is, if it is not the submission's own."""
    if whose := description.get("whose"):
        about = ("borrowed",) if description.get("all") else ()
        yield Claim(f"{shown_text(description.get('of'))} is that of {shown_text(whose)}", "note", about=about)
    elif imported := description.get("imported"):
        yield Claim(f"it imports {', '.join(map(shown_text, imported))}", "note", "an engine that is not its own")


def judge_apart(engine: str, seconds: float, started: Callable[[TheirProcess], object]) -> EngineReport:
    """Judges FILE.py:CLASS or MODULE:CLASS in a process of its own, which is ended with all that it has started.

    Arguments:
        engine: where the class is.
        seconds: how long that may take.
        started: is told of the process, so that an interruption can end it.

    Raises:
        TypeError: there is no such class, or it cannot be judged; the sentence says why.
    """
    process = TheirProcess(engine, seconds, SETUP)
    started(process)
    try:
        description = process.describe()
        if "sentence" in description:
            raise (NoEngineError if "empty" in description else TypeError)(shown_text(description["sentence"]))
        return judge(process, description)
    finally:
        process.close()
