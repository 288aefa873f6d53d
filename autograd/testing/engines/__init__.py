"""Is somebody's own scalar engine right? `check_engine` judges a student's homework, micrograd, or this very one.

The engine is a class: `Value(2.0)` makes a number, operators and methods compute with it, and `y.backward()` fills in
`x.grad`. What it offers is found by trying. Each claim about it is then tested, in the order of `CHECKS`, so that a
fault is named where it is and not where it shows.

Read `claims_about_operations.py` and `claims_about_graphs.py` for what is claimed, `truth.py` for what is right,
`their_engine.py` and `running.py` for how their code is called, `search.py` for the random graphs, and `report.py` for
what is printed.
"""

from collections.abc import Callable, Iterator
from typing import Any

from autograd.testing.engines import claims_about_graphs, claims_about_operations
from autograd.testing.engines.report import Claim, EngineReport
from autograd.testing.engines.running import Refusal, undisturbed
from autograd.testing.engines.their_engine import Engine

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
    with undisturbed():
        engine = Engine(ValueClass)
        claims = [claim._replace(topic=topic) for topic in CHECKS for claim in _claims(topic, engine)]
    return EngineReport(f"{ValueClass.__module__}:{ValueClass.__qualname__}", tuple(claims))


def _claims(topic: str, engine: Engine) -> Iterator[Claim]:
    """The claims of one topic. They end where an engine fails at something that worked before."""
    try:
        yield from CHECKS[topic](engine)
    except Refusal as refusal:
        yield Claim("the same code does the same each time", "wrong", yours=refusal.sentence)


__all__ = ["Claim", "EngineReport", "check_engine"]
