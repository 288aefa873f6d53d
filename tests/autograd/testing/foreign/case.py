"""What is a gradient that somebody wrote, as data?

`learning.py` and `fields.py` hold problems: a function, its gradient, a point, and wrong gradients of that function.
A problem gives one right `Case`, and one wrong `Case` for each of its bugs. `precise.py` says what is true of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One gradient at one point.

    Attributes:
        name: what is computed.
        f, df, point: as `check_gradient` takes them.
        wrong: what is wrong with df; "" if it is right.
    """

    name: str
    f: Function
    df: Function
    point: Any
    wrong: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}" if self.wrong else self.name


@dataclass(frozen=True)
class Problem:
    """A function with its gradient; `bugs` are wrong gradients by what is wrong with them."""

    name: str
    f: Function
    df: Function
    point: Any
    bugs: Mapping[str, Function] = field(default_factory=dict)

    def right(self) -> Case:
        return Case(self.name, self.f, self.df, self.point)

    def wrong(self) -> Iterator[Case]:
        return (Case(self.name, self.f, df, self.point, bug) for bug, df in self.bugs.items())


def right(problems: Iterable[Problem]) -> list[Case]:
    return [problem.right() for problem in problems]


def wrong(problems: Iterable[Problem]) -> list[Case]:
    return [case for problem in problems for case in problem.wrong()]
