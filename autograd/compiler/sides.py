"""What do the two sides of a choice compute in common, if only one of them counts?

Compiled code computes both sides of a `select`, and then chooses place by place. If one side needs exp(x) and the other
exp(-x), then exp(x if question else -x) serves both: one exponential in place of two. So sigmoid takes half the time.
"""

import math
from collections.abc import Sequence

from autograd.ieee754 import ELEMENTARY
from autograd.symbols import Expression, walk

COSTLY = {*ELEMENTARY, "div", "floor_divide", "remainder"}
"""The functions that take more time than a choice between their arguments."""

LARGEST = 300
"""Formulas of more expressions stay as they are: the time for the search grows with the square of their number."""


def with_shared_calls(expressions: Sequence[Expression]) -> list[Expression]:
    """The same numbers, with fewer calls of costly functions."""
    every = walk(expressions)
    if len(every) > LARGEST:
        return list(expressions)
    new: dict[int, Expression] = {}
    for x in every:
        arguments = [new[id(argument)] for argument in x.arguments]
        if x.function == "select":
            new[id(x)] = _chosen(*arguments)
        elif x.function == "neg" and arguments[0].function == "neg":
            new[id(x)] = arguments[0].arguments[0]
        else:
            new[id(x)] = x.tracing.made(x.function, *arguments) if arguments else x
    return [new[id(x)] for x in expressions]


def _chosen(question: Expression, yes: Expression, no: Expression) -> Expression:
    """The choice between two expressions, after they share what they can. Inner calls come first."""
    tracing = question.tracing
    while pair := _pair(_calls(yes), _calls(no)):
        a, b = pair
        both = [tracing.select(question, x, y) for x, y in zip(a.arguments, b.arguments, strict=True)]
        shared = tracing.made(a.function, *both)
        yes, no = _replaced(yes, a, shared), _replaced(no, b, shared)
    chosen: Expression = tracing.select(question, yes, no)
    return chosen


def _calls(expression: Expression) -> list[Expression]:
    """The costly calls, inner ones first, and quotients last: what a shared quotient holds, both sides need."""
    found = [x for x in walk([expression]) if x.function in COSTLY and not _is_product(x)]
    return sorted(found, key=lambda x: x.function == "div")


def _is_product(x: Expression) -> bool:
    """Whether LLVM makes a product of a quotient, since it divides by a power of two."""
    divisor = x.arguments[-1]
    return x.function == "div" and divisor.function == "constant" and abs(math.frexp(divisor.number)[0]) == 0.5


def _pair(left: list[Expression], right: list[Expression]) -> tuple[Expression, Expression] | None:
    """The first two calls of one function that are needed on one side only."""
    common = set(left) & set(right)
    for a in left:
        for b in right:
            if a.function == b.function and a not in common and b not in common:
                return a, b
    return None


def _replaced(expression: Expression, old: Expression, replacement: Expression) -> Expression:
    """The expression with another one in place of one of its parts."""
    new = {id(old): replacement}
    for x in walk([expression], lambda x: () if x is old else x.arguments):
        if x is not old:
            arguments = [new[id(argument)] for argument in x.arguments]
            changed = any(a is not b for a, b in zip(arguments, x.arguments, strict=True))
            new[id(x)] = x.tracing.made(x.function, *arguments) if changed else x
    return new[id(expression)]
