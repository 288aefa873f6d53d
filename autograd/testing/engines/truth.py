"""What is the true value of an expression, what are its true derivatives, and how far off may an engine be?

The numbers come from `oracles.py`, with 200 bits; our own engine has no part in them. A result counts as right if about
8 digits are right: textbook formulas lose some, and that is no fault here.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

from autograd.reals import real_or_none
from autograd.testing.differences.function_values import same_number
from autograd.testing.engines.forms import exact
from autograd.testing.graphs.expression import Expression
from autograd.testing.truth.oracles import oracles

RIGHT_DIGITS = 2.0**-26
"""The relative error that is allowed in each operation's value and derivative."""
LEAST = 2.0**-10
"""Errors of numbers below this size are judged by this size and not by the number's own."""


class Number(NamedTuple):
    """A true number, and by how much an engine's may differ from it."""

    true: Any
    allowed: float = 0.0

    def admits(self, x: Any) -> bool:
        """Whether an engine's number is right."""
        number, true = real_or_none(x), float(self.true)
        if number is None:
            return False
        if not math.isfinite(number):
            return same_number(number, true)
        return bool(abs(mpf(number) - self.true) <= self.allowed)

    def __str__(self) -> str:
        return f"{float(self.true) + 0.0:.12g}"


class Truth(NamedTuple):
    """The value of an expression and its derivative for each input; no derivatives where these are not judged."""

    value: Number
    gradients: tuple[Number, ...] = ()

    def twice(self) -> "Truth":
        """With the gradients that two backward passes add up to."""
        return Truth(self.value, tuple(Number(2 * true, 2 * allowed) for true, allowed in self.gradients))

    def with_slack(self, times: float) -> "Truth":
        """With so many times the errors allowed."""
        value, *gradients = (Number(true, times * allowed) for true, allowed in (self.value, *self.gradients))
        return Truth(value, tuple(gradients))


def exactly(value: float, *gradients: float) -> Truth:
    """The truth, with no room for errors."""
    return Truth(Number(mpf(value)), tuple(Number(mpf(x)) for x in gradients))


Edges = list[tuple[str, Any]]
"""The operands of one operation that are not plain numbers, each with the local derivative."""


@lru_cache(maxsize=2**16)
def truth_of(expression: Expression) -> Truth:
    """The value and the derivatives of an expression at its inputs, by textbook formulas with 200 bits.

    It is computed once for all engines that are judged. Errors that are allowed add up along the graph: each value may
    be off by 2**-26 of its size (or of LEAST), and each local derivative by as much of its own size (or of 1).

    >>> from autograd.testing.engines.forms import steps
    >>> square = steps((3.0,), ("mul", "x0", "x0"))
    >>> str(truth_of(square).value), [str(x) for x in truth_of(square).gradients]
    ('9', ['6'])
    """
    with exact():
        values: dict[str, Any] = {name: mpf(x) for name, x in zip(expression.names, expression.inputs, strict=True)}
        errors = dict.fromkeys(values, 0.0)
        tape: dict[str, Edges] = {}
        for place, (operation, operands) in enumerate(expression.instructions):
            numbers = [values[x] if isinstance(x, str) else mpf(x) for x in operands]
            partials = _partials(operation.name, numbers)
            edges = [(x, d) for x, d in zip(operands, partials, strict=True) if isinstance(x, str)]
            name = f"t{place}"
            value = values[name] = mpf(oracles[operation.name].value(*numbers))
            own = RIGHT_DIGITS * max(float(abs(value)), LEAST)
            errors[name] = own + sum(abs(float(d)) * errors[x] for x, d in edges)
            tape[name] = edges
        return Truth(Number(value, errors[name]), _adjoints(tape, name, expression.names))


def _partials(name: str, numbers: Sequence[Any]) -> Sequence[Any]:
    """The oracle's derivatives; along the base 0 of a power, where one may be infinite, only the other."""
    if name == "pow" and not numbers[0] and numbers[1] < 1:
        return [mpmath.nan if numbers[1] else mpf(0), mpf(0)]
    found: Sequence[Any] = oracles[name].partials(*numbers)
    return found


def _adjoints(tape: dict[str, Edges], root: str, inputs: Sequence[str]) -> tuple[Number, ...]:
    """The backward pass over what `truth_of` has computed."""
    names = (*inputs, *tape)
    true = dict.fromkeys(names, mpf(0))
    size = dict.fromkeys(names, 0.0)
    bound = dict.fromkeys(names, 0.0)
    true[root], size[root] = mpf(1), 1.0
    for name, edges in reversed(tape.items()):
        for parent, derivative in edges:
            slope = abs(float(derivative))
            true[parent] += derivative * true[name]
            size[parent] += slope * size[name]
            bound[parent] += slope * bound[name] + RIGHT_DIGITS * max(1.0, slope) * size[name]
    return tuple(Number(true[x], bound[x]) for x in inputs)
