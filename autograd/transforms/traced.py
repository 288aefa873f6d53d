"""How is a derivative recorded while a function is recorded for all numbers? By the formula of the rule.

In the eager engine a rule decides by the number of the moment which formula is accurate there. A recorded derivative
has to decide anew in every run. `symbols.py` has each rule as a formula, in which every decision is a `select`. Here
the formulas are evaluated over Values: a question becomes a recorded comparison, and a `select` a recorded `where`.
Whatever consists of plain numbers is computed at once, and makes no node.
"""

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from autograd import functions, symbols
from autograd.graph import contribution
from autograd.ieee754 import ELEMENTARY
from autograd.operations import Operation, operations
from autograd.recorded_operations import RECORDED
from autograd.rules import is_finite
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
    derivatives = symbols.formula(operation, len(operands)).derivatives
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


def _question(name: str, x: Any, y: Any) -> Any:
    """The answer to a question about two numbers: a node if one is a Value, otherwise True or False."""
    answer = apply(RECORDED[name], x, y)
    return answer if isinstance(answer, Value) else bool(answer)


def _not_equal(x: Any, zero: float) -> Any:
    """Whether x is true, which is the only question of this kind that rules ask. `where` asks it by itself."""
    return x if isinstance(x, Value) else x != zero


def _select(question: Any, yes: Any, no: Any) -> Any:
    """One of two numbers, chosen in every run unless the question is answered already."""
    if not isinstance(question, Value):
        return yes if question else no
    if yes is no:
        return yes
    # A rule that asks `-1 < x < 1` has one choice inside the other. As one choice with both questions they have fewer
    # derivatives: a program of third derivatives takes two thirds of the time.
    if isinstance(yes, Value) and yes._operation is _WHERE and yes.operands[2] is no:
        question, yes = apply(RECORDED["logical_and"], question, yes.operands[0]), yes.operands[1]
    elif isinstance(no, Value) and no._operation is _WHERE and no.operands[1] is yes:
        question, no = apply(RECORDED["logical_or"], question, no.operands[0]), no.operands[2]
    return functions.where(question, yes, no)


def _sub(x: Any, y: Any) -> Any:
    return x if type(y) is float and y == 0.0 else functions.sub(x, y)


def _mul(x: Any, y: Any) -> Any:
    if type(x) is float and x == 1.0:
        return y
    return x if type(y) is float and y == 1.0 else functions.mul(x, y)


def _div(x: Any, y: Any) -> Any:
    return x if type(y) is float and y == 1.0 else functions.div(x, y)


def _pow(x: Any, y: Any) -> Any:
    if type(y) is float and y in (0.0, 1.0):
        return x if y else 1.0  # nan**0 is 1 too
    return functions.pow(x, y)


_NAMES = (*ELEMENTARY, "floor", "ceil", "round", "sum", "norm", "add", "neg", "abs", "floor_divide", "remainder")
_VALUES = SimpleNamespace(
    **{name: getattr(functions, name) for name in _NAMES if name != "pow"},
    sub=_sub,
    mul=_mul,
    div=_div,
    pow=_pow,
    less=partial(_question, "less"),
    less_equal=partial(_question, "less_equal"),
    not_equal=_not_equal,
    select=_select,
)
"""The functions of formulas, over Values and floats. A factor or an exponent of 1 makes no node."""
