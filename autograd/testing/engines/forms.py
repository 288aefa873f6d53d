"""Which operations are looked for in an engine, how may they be written, and at which points are they tried?"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

from autograd.operations import operations as built_in
from autograd.testing.graphs.expression import Expression, Instruction, Operand
from autograd.testing.truth.oracles import oracles, precision

BITS = 200
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
}
RARE = ("floor_divide", "remainder")
"""The operators whose absence is not worth a word."""
OTHER_NAMES = {
    "log": ("ln",),
    "sigmoid": ("logistic", "sigm"),
    "silu": ("swish",),
    "relu": ("ReLU", "Relu"),
    "gelu_tanh": ("gelu",),
    "abs": ("__abs__",),
    **{name: (f"arc{name[1:]}",) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
}
COMMON_METHODS = ("tanh", "relu", "exp", "log", "sigmoid", "sin", "cos", "sqrt", "abs")
"""Those whose absence is worth a word."""
WITH_ONE_OPERAND = tuple(
    name for name in oracles if not built_in[name].nary and len(built_in[name].derivatives) == 1 and name != "neg"
)
WITH_TWO_OPERANDS = ("maximum", "minimum", "hypot", "atan2")
WITH_A_CONSTANT = {"leaky_relu": 0.01, "elu": 1.0}
"""Those whose second operand the engine decides."""
METHODS = (*dict.fromkeys((*COMMON_METHODS, *WITH_ONE_OPERAND)), *WITH_A_CONSTANT, *WITH_TWO_OPERANDS)


class Form(NamedTuple):
    """A way to write an operation: with which operands, each a number of theirs (a name) or a plain number."""

    operation: str
    operands: tuple[Operand, ...]

    @property
    def kind(self) -> str:
        """Where plain numbers stand: "vc" for `x + 1`, "cv" for `1 + x`."""
        return "".join("v" if isinstance(x, str) else "c" for x in self.operands)

    @property
    def step(self) -> "Step":
        """The form as a step of an expression."""
        return (self.operation, *self.operands)

    def at(self, *inputs: float) -> Expression:
        """The form as an expression at a point."""
        return steps(inputs, self.step)


def forms() -> list[Form]:
    """Every way to write an operation that is looked for, the simplest first."""
    found = [Form(name, ("x0", "x1")) for name in ("add", "sub", "mul", "div", "pow")]
    found.append(Form("neg", ("x0",)))
    for name, number in ("add", 1), ("sub", 1), ("mul", 2), ("div", 2):
        found += [Form(name, ("x0", number)), Form(name, (number, "x0"))]
    found += [Form("pow", ("x0", exponent)) for exponent in (2, 3, -1, 0.5)]
    found.append(Form("pow", (2, "x0")))
    found += [Form(name, ("x0", "x1")) for name in RARE]
    return found + [Form(name, _operands(name)) for name in METHODS]


def _operands(method: str) -> tuple[Operand, ...]:
    if method in WITH_TWO_OPERANDS:
        return ("x0", "x1")
    return ("x0", WITH_A_CONSTANT[method]) if method in WITH_A_CONSTANT else ("x0",)


NUMBERS = (2.0, 3.0, 1.0, 0.5, -2.0, -1.0, -0.5, 1.5, 0.25, -1.5, 0.75, -3.5, 5.0, 0.1)
PAIRS = (
    (2.0, 3.0),
    (3.0, 2.0),
    (1.0, 2.0),
    (0.5, 2.0),
    (2.0, 0.5),
    (2.0, -3.0),
    (-2.0, 3.0),
    (-1.5, -0.25),
    (7.0, 0.1),
)


def uses(form: Form) -> list[Expression]:
    """The form at ordinary points: inside its domain, and with a derivative."""
    points = PAIRS if "x1" in form.operands else [(x,) for x in NUMBERS]
    return [form.at(*point) for point in points if _is_ordinary(form, point)]


def _is_ordinary(form: Form, point: Sequence[float]) -> bool:
    oracle = oracles[form.operation]
    given = dict(zip(("x0", "x1"), point, strict=False))
    operands = [given[x] if isinstance(x, str) else float(x) for x in form.operands]
    if not oracle.domain(*operands) or oracle.kink(*operands):
        return False
    with precision(BITS):
        partials = oracle.partials(*map(mpf, operands))
    return all(mpmath.isfinite(d) for x, d in zip(form.operands, partials, strict=True) if isinstance(x, str))


Step = tuple[Any, ...]
"""An operation by its name, and its operands."""


def steps(inputs: Sequence[float], *steps: Step) -> Expression:
    """An expression from steps such as ("add", "x0", "x1"), the results of which are t0, t1, ..."""
    instructions = tuple(Instruction(built_in[name], tuple(operands)) for name, *operands in steps)
    return Expression(tuple(inputs), instructions)
