"""How is a formula computed over arrays? As a list of calls, written down once: a tape.

What follows from operands that are constants is computed when the tape is made. So the derivative of x**2 is 2 * x, and
none of the questions is asked that the rule has for other exponents.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from autograd.compiler.sides import with_shared_calls
from autograd.ieee754 import Real, ieee
from autograd.symbols import ARITHMETIC, QUESTIONS, Expression, walk


class Tape:
    """Expressions of one formula, to be computed again and again.

    Arguments:
        m: the namespace of elementary functions.
        expressions: what is wanted.
        constants: the numbers of operands that are constants, by their places.

    Attributes:
        known: for each expression its number, if it is the same whatever the other operands are; otherwise None.
    """

    def __init__(self, m: Any, expressions: Sequence[Expression], constants: Mapping[int, float] | None = None) -> None:
        expressions = with_shared_calls(_folded(expressions, constants or {}))
        self.known = [x.number if x.function == "constant" else None for x in expressions]
        count, order = len(expressions[0].tracing.operands), walk(expressions)
        plain, computed = [x for x in order if x.function == "constant"], [x for x in order if x.arguments]
        # The registers: the operands, `out`, plain numbers, and then a result for each call.
        places = {id(x): int(x.number) if x.function == "operand" else count for x in order}
        places |= {id(x): place for place, x in enumerate([*plain, *computed], count + 1)}
        self._plain = [x.number for x in plain]
        self._calls = [(_function(m, x.function), [places[id(y)] for y in x.arguments]) for x in computed]
        self._results = [places[id(x)] for x in expressions]

    def __call__(self, operands: Sequence[Any], out: Any = nan) -> list[Any]:
        """The numbers that the expressions stand for: arrays, and floats where they are known.

        Arguments:
            operands: the operation's operands.
            out: its value; derivatives may need it.
        """
        registers = [*operands, out, *self._plain]
        for function, places in self._calls:
            registers.append(function(*[registers[place] for place in places]))
        return [registers[place] for place in self._results]


def _folded(expressions: Sequence[Expression], constants: Mapping[int, float]) -> list[Expression]:
    """The expressions with a number in place of all that follows from the constants alone."""
    new: dict[int, Expression] = {}
    answers: dict[int, bool] = {}
    for x in walk(expressions):
        tracing, arguments = x.tracing, [new[id(y)] for y in x.arguments]
        if x.function == "operand" and int(x.number) in constants:
            new[id(x)] = tracing.expression(constants[int(x.number)])
        elif x.function == "select":
            answer = answers.get(id(x.arguments[0]))
            new[id(x)] = tracing.select(*arguments) if answer is None else arguments[1 if answer else 2]
        elif arguments and all(y.function == "constant" for y in arguments):
            found = _computed(x.function, [Real(y.number) for y in arguments])
            if x.function in QUESTIONS:
                answers[id(x)], new[id(x)] = bool(found), x
            else:
                new[id(x)] = tracing.expression(float(found))
        else:
            new[id(x)] = tracing.made(x.function, *arguments) if arguments else x
    return [new[id(x)] for x in expressions]


def _computed(name: str, numbers: list[Real]) -> Any:
    """A function of plain numbers."""
    if name in ("sum", "norm"):
        return getattr(ieee, name)(numbers)
    return (getattr(ieee, name, None) or ARITHMETIC[name])(*numbers)


def _function(m: Any, name: str) -> Any:
    """The function of arrays for an expression of this name."""
    if name == "select":
        return m.xp.where
    if name in ("sum", "norm"):
        of_row = getattr(m, name)
        return lambda *numbers: of_row(list(numbers))
    return getattr(m, name, None) or ARITHMETIC[name]
