"""How does a number carry something extra, such as its rate of change, through the table of rules?

A rule is written over any number system. Two such systems carry something extra: the dual numbers of `duals.py` and the
power series of `series.py`. This file holds what they share: comparisons, operators and a namespace of functions. The
operators and functions all call one function, `apply(operation, *operands)`, which each system provides.
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from autograd import rows
from autograd.functions import at, put
from autograd.ieee754 import ELEMENTARY, floats
from autograd.operations import OPERATORS, Operation, operations

Apply = Callable[..., Any]


class Augmented:
    """A number with something attached to it. A subclass says what its plain number is."""

    __slots__ = ()
    plain: Any
    """The number itself. Comparisons look at nothing else."""

    def __lt__(self, other: Any) -> bool:
        return bool(self.plain < plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.plain <= plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.plain > plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.plain >= plain(other))

    def __bool__(self) -> bool:
        return bool(self.plain)


def plain(x: Any) -> Any:
    """The number without what is attached to it; a plain number stays itself."""
    return x.plain if isinstance(x, Augmented) else x


def add_operators(system: type[Augmented], apply: Apply) -> None:
    """Gives a number system the operators that its class has not written out."""

    def operator(operation: Operation) -> Callable[..., Any]:
        return lambda self, *others: apply(operation, self, *others)

    def reflected(operation: Operation) -> Callable[..., Any]:
        return lambda self, other: apply(operation, other, self)

    for python, name in OPERATORS.items():
        for method, make in ((f"__{python}__", operator), (f"__r{python}__", reflected)):
            if method not in system.__dict__:
                setattr(system, method, make(operations[name]))
    for method in ("neg", "abs"):
        if f"__{method}__" not in system.__dict__:
            setattr(system, f"__{method}__", operator(operations[method]))


def namespace_of(apply: Apply) -> SimpleNamespace:
    """The namespace of functions that the rules need (see `rules.rules`), for the number system of `apply`."""
    return SimpleNamespace(
        **{name: partial(apply, operations[name]) for name in (*ELEMENTARY, "floor", "ceil", "round")},
        sum=lambda numbers: apply(operations["sum"], *numbers),
        norm=lambda numbers: apply(operations["norm"], *numbers),
        select=floats.select,
        **rows.FUNCTIONS
        | {
            "at": lambda row, index: at(row, plain(index)),
            "put": lambda row, index, number: put(row, plain(index), number),
        },
    )
