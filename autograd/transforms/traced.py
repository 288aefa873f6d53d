"""How is a derivative recorded while a function is recorded for all numbers? By the formula of the rule.

In the eager engine a rule decides by the number of the moment which formula is accurate there. A recorded derivative
has to decide anew in every run. `symbols.py` has each rule as a formula, in which every decision is a `select`. Here
the formulas are evaluated over Values: a question becomes a recorded comparison, and a `select` a recorded `where`.
What consists of constants makes no node.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from autograd import functions, symbols
from autograd.graph import contribution
from autograd.ieee754 import ELEMENTARY
from autograd.operations import Operation, operations
from autograd.recorded_operations import RECORDED
from autograd.rules import is_finite
from autograd.symbols import Expression
from autograd.transforms.nesting import Number
from autograd.value import Value, apply

_FACTOR, _PRODUCT, _WHERE = RECORDED["strong_factor"], RECORDED["strong_product"], operations["where"]


class Chosen(NamedTuple):
    """The local derivative of a `where` for one of its two numbers: 1 if the run chooses that one, otherwise 0."""

    condition: Any
    yes: bool

    def product(self, x: Number) -> Number:
        """x times this, as one node. (The formula's would be two, whose own derivatives are many.)"""
        made: Number = functions.where(self.condition, x, 0.0) if self.yes else functions.where(self.condition, 0.0, x)
        return made


def recorded_derivatives(
    operation: Operation, out: Value, operands: Sequence[Any], places: Sequence[int]
) -> list[Number | Chosen]:
    """The local derivatives for the operands at some places, as they are for any numbers.

    Raises:
        TypeError: the operation was given over floats only, or its rule does what no formula can express.
        ValueError: its rule asks too many questions.
    """
    if operation is _PRODUCT:  # one node for each, where the formula would have nine
        x, y = operands
        return [apply(_FACTOR, y, x) if place else apply(_FACTOR, x, y) for place in places]
    if operation is _WHERE:
        return [Chosen(operands[0], place == 1) if place else 0.0 for place in places]
    operation.rule_over(functions)  # it says what is missing if the operation was given over floats only
    derivatives = _derivatives(operation, tuple([None if isinstance(x, Value) else x.hex() for x in operands]))
    return symbols.evaluate([derivatives[place] for place in places], operands, out, _VALUES, float)


def recorded_product(x: Number, y: Number | Chosen) -> Number:
    """The product of two factors of a derivative. Each run decides anew whether the zero-factor rule makes it 0."""
    if isinstance(y, Chosen):
        return y.product(x)
    if not isinstance(x, Value):
        x, y = y, x
    if not isinstance(x, Value):
        return contribution(x, y)  # type: ignore[arg-type]
    if isinstance(y, Value) or not is_finite(y):
        return apply(_PRODUCT, x, y)  # type: ignore[no-any-return]
    if not y:
        return 0.0  # whatever x is
    return x if y == 1.0 else x * y


@lru_cache(maxsize=256)
def _derivatives(operation: Operation, constants: tuple[str | None, ...]) -> list[Expression]:
    """The formulas of the local derivatives, in which some operands are constants (in hexadecimal, so that 0.0 is not
    -0.0). For x**2 they leave 2 of 100 expressions."""
    found: dict[int, Expression] = {}
    derivatives = symbols.formula(operation, len(constants)).derivatives
    for x in symbols.walk(derivatives):
        if x.function == "operand" and (number := constants[int(x.number)]) is not None:
            found[id(x)] = x.tracing.expression(float.fromhex(number))
        else:
            found[id(x)] = _simplified(x, [found[id(y)] for y in x.arguments]) if x.arguments else x
    return [found[id(x)] for x in derivatives]


def _simplified(x: Expression, arguments: list[Expression]) -> Expression:
    """The expression with these arguments in the place of its own; a constant if they are constants."""
    if x.function == "select":
        return _choice(x.tracing, *arguments)
    made = x.tracing.made(x.function, *arguments)
    if all(y.function == "constant" for y in arguments):
        return x.tracing.expression(symbols.evaluate([made], ())[0])
    for place, number in _NEUTRAL.get(x.function, ()):
        if arguments[place] is x.tracing.expression(number):
            return arguments[1 - place]
    return made


_NEUTRAL = {"mul": [(0, 1.0), (1, 1.0)], "div": [(1, 1.0)], "pow": [(1, 1.0)], "sub": [(1, 0.0)]}
"""Where a constant makes no difference: the place and the number."""


def _choice(tracing: Any, question: Expression, yes: Expression, no: Expression) -> Expression:
    """The expression for one of two, by the answer to a question."""
    if question.function == "constant":
        return yes if question.number else no
    if yes is no:
        return yes
    # A rule that asks `-1 < x < 1` has one choice inside the other. As one choice with both questions they have fewer
    # derivatives: a program of third derivatives takes two thirds of the time.
    if yes.function == "select" and yes.arguments[2] is no:
        question, yes = tracing.made("logical_and", question, yes.arguments[0]), yes.arguments[1]
    elif no.function == "select" and no.arguments[1] is yes:
        question, no = tracing.made("logical_or", question, no.arguments[0]), no.arguments[2]
    made: Expression = tracing.made("select", question, yes, no)
    return made


_NAMES = (*ELEMENTARY, "floor", "ceil", "round", "sum", "norm")
_VALUES = SimpleNamespace(
    **{name: getattr(functions, name) for name in (*_NAMES, "add", "sub", "mul", "div", "neg", "abs")},
    **{name: getattr(functions, name) for name in ("floor_divide", "remainder")},
    **{name: partial(apply, RECORDED[name]) for name in ("less", "less_equal", "logical_and", "logical_or")},
    not_equal=lambda x, zero: x,  # whether a number is true, which `where` asks by itself
    select=functions.where,
)
"""The functions of formulas, over Values."""
