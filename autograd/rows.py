"""How does a rule go through a row of numbers, without asking how long the row is?

A rule of any number of operands (`sum`, `max`, `softmax`, ...) is written with the few functions below, which its
namespace `m` holds beside `exp` and the others. A *row* holds numbers, or tuples of numbers. Here a row is a list or
tuple. In compiled code it is a loop, whose length is known only when it runs. So a rule takes `row[0]`, `row[-1]` and
`row[:-1]` of a row, and leaves all else to these functions.

Such a rule never decides with `if`, unless in a `part` (see `rules.part_of`). `m.select(condition, a, b)` chooses
between two numbers, or two tuples of numbers, that are both computed; `branch` computes only what it returns.
"""

import builtins
import itertools
from collections.abc import Callable
from typing import Any

Row = Any
"""A list or tuple here; what stands for one in a loop of compiled code."""


def map(f: Callable[..., Any], row: Row, *others: Row) -> Row:
    """The row of f(x, y, ...) for the numbers x, y, ... at each place of rows of one length."""
    return list(builtins.map(f, row, *others)) if others else [f(x) for x in row]


def fold(f: Callable[..., Any], start: Any, row: Row, other: Row | None = None) -> Any:
    """The last of the states that begin with `start`, where f(state, x) or f(state, x, y) follows at each place.

    A state is a number, or a tuple of numbers.
    """
    state = start
    if other is None:
        for x in row:
            state = f(state, x)
    else:
        for x, y in zip(row, other, strict=True):  # f(state, *numbers), for any number of rows, takes twice the time
            state = f(state, x, y)
    return state


def accumulate(f: Callable[..., Any], start: Any, row: Row, reverse: bool = False) -> Row:
    """The row of the states of `fold` before each place, so that the first is `start`.

    In reverse it goes from the last place to the first, so that the last state is `start`.
    """
    states = list(itertools.accumulate(row[::-1] if reverse else row, f, initial=start))
    del states[-1]
    return states[::-1] if reverse else states


def places(row: Row) -> Row:
    """The row 0, 1, 2, ... of the same length."""
    return range(len(row))


def count(row: Row) -> Any:
    """How many numbers the row holds, as a number."""
    return len(row)


def same(number: Any, row: Row) -> Row:
    """The row that holds this number at each place, of the same length as another."""
    return [number] * len(row)


def at(row: Row, index: Any) -> Any:
    """The number at a place. A negative index counts from the end."""
    return row[int(index)]


def put(row: Row, index: Any, number: Any) -> Row:
    """The row with another number at a place. A negative index counts from the end."""
    changed = list(row)
    changed[int(index)] = number
    return changed


def branch(condition: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """yes() if the condition holds, otherwise no(): two functions that return numbers or rows of one length.

    Where the condition is not known yet, both are computed, and then chosen from.
    """
    return yes() if condition else no()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "map": map,
    "fold": fold,
    "accumulate": accumulate,
    "places": places,
    "count": count,
    "same": same,
    "at": at,
    "put": put,
    "branch": branch,
}
"""The functions above by their names in a namespace."""
