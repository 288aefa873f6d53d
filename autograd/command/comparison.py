"""Do the derivatives of an expression agree with finite differences? A row for each of its names."""

from collections.abc import Callable
from typing import Any

from autograd.parsing import Expression
from autograd.testing.agreement import Agreement, agreement, not_compared
from autograd.value import Value

WORK = 4_000
"""Up to so many names times operations, differences are taken for every name; beyond that, for some of them."""
FEWEST_NAMES = 3


def compare(expression: Expression, at: dict[str, float], leaves: dict[str, Value], operations: int) -> list[Agreement]:
    """One row for each name. Differences move one name and hold the others fixed."""
    compared = {expression.names[i] for i in spread(len(expression.names), operations)}
    skipped = f"not compared, to save time: differences are taken for {len(compared)} of {len(leaves)} names"
    return [
        agreement(name, function_of(expression, name, at), at[name], float(leaf.grad))
        if name in compared
        else not_compared(name, at[name], float(leaf.grad), skipped)
        for name, leaf in leaves.items()
    ]


def function_of(expression: Expression, name: str, at: dict[str, float]) -> Callable[[Value], Any]:
    """The expression as a function of one name, the others held fixed."""
    return lambda x: expression({**at, name: x})


def spread(names: int, operations: int) -> list[int]:
    """Which names to compare: all of them, or if that took too long, some that are evenly spread.

    >>> spread(3, 1), spread(100, 1_000)
    ([0, 1, 2], [0, 33, 66, 99])
    """
    count = min(names, max(FEWEST_NAMES, WORK // max(operations, 1)))
    return [k * (names - 1) // max(count - 1, 1) for k in range(count)]
