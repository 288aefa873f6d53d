"""Which operations are looked for in an engine, how may they be written, and at which points are they tried?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from random import Random
from threading import RLock
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

from autograd.operations import operations as built_in
from autograd.testing.graphs.expression import Expression, Instruction, Operand, kind_of
from autograd.testing.offers import FUNCTIONS_OF_TWO, WITH_A_CONSTANT
from autograd.testing.truth.oracles import oracles, precision

BITS = 200
_ONE_AT_A_TIME = RLock()


@contextmanager
def exact() -> Iterator[None]:
    """200 bits. Several engines are judged at a time, and mpmath's precision is one for all threads."""
    with _ONE_AT_A_TIME, precision(BITS):
        yield


ARITHMETIC = ("add", "sub", "mul", "div")
RARE = ("floor_divide", "remainder")
"""The operators whose absence is not worth a word."""
COMMON_METHODS = ("tanh", "relu", "exp", "log", "sigmoid", "sin", "cos", "sqrt", "abs")
"""Those whose absence is worth a word."""
WITH_ONE_OPERAND = tuple(
    name for name in oracles if not built_in[name].nary and len(built_in[name].derivatives) == 1 and name != "neg"
)
METHODS = (*dict.fromkeys((*COMMON_METHODS, *WITH_ONE_OPERAND)), *WITH_A_CONSTANT, *FUNCTIONS_OF_TWO)


class Form(NamedTuple):
    """A way to write an operation: with which operands, each a number of theirs (a name) or a plain number."""

    operation: str
    operands: tuple[Operand, ...]

    @property
    def kind(self) -> str:
        """Where plain numbers stand: "vc" for `x + 1`, "cv" for `1 + x`."""
        return kind_of(self.operands)

    @property
    def step(self) -> "Step":
        """The form as a step of an expression."""
        return (self.operation, *self.operands)

    def at(self, *inputs: float) -> Expression:
        """The form as an expression at a point."""
        return steps(inputs, self.step)


def forms() -> list[Form]:
    """Every way to write an operation that is looked for, the simplest first."""
    found = [Form(name, ("x0", "x1")) for name in (*ARITHMETIC, "pow")]
    found.append(Form("neg", ("x0",)))
    for name, number in ("add", 1), ("sub", 1), ("mul", 2), ("div", 2):
        found += [Form(name, ("x0", number)), Form(name, (number, "x0"))]
    found += [Form("pow", ("x0", exponent)) for exponent in (2, 3, -1, 0.5)]
    found.append(Form("pow", (2, "x0")))
    found += [Form(name, ("x0", "x1")) for name in RARE]
    return found + [Form(name, _operands(name)) for name in METHODS]


def _operands(method: str) -> tuple[Operand, ...]:
    if method in FUNCTIONS_OF_TWO:
        return ("x0", "x1")
    return ("x0", WITH_A_CONSTANT[method]) if method in WITH_A_CONSTANT else ("x0",)


NUMBERS = (2.0, 3.0, 1.0, 0.5, -2.0, -1.0, -0.5, 1.5, 0.25, -1.5, 0.75, -3.5, 5.0, 0.1, 0.0, -0.0, 3, -2)
"""The simplest first, since the first that fails is shown. A 3 is an int, and may meet code of its own."""
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
    (0.0, 3.0),
    (3.0, 0.0),
    (0.0, 0.0),
    (-0.0, 2.0),
    (0.0, -2.0),
    (-3.0, 0.0),
    (2.0, 2.0),
    (-1.0, 1.0),
    (1.0, 1.0),
    (2, 3),
    (-3, 2),
    (2, 0.5),
)
SIZES = (1e-70, 1e-30, 1e-15, 1e-9, 1e-7, 1e-5, 1e-3, 0.03, 12.0, 30.0, 49.0, 51.0, 60.0, 100.0, 200.0, 300.0)
"""Tried with both signs. Textbook formulas, such as tanh from exp(2 x), overflow above some 350."""
LARGE = (1e3, 1e5, 1e10, 1e15)
"""Sizes for operations that have no exponential in them."""
WITHOUT_EXPONENTIALS = {
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "abs",
    "relu",
    "leaky_relu",
    "sqrt",
    "log",
    "maximum",
    "minimum",
}
STEP = 0.25
REACH = 10.0
"""Between -REACH and REACH there is a random point in every STEP, so that what is wrong in an interval is found."""
LARGEST = 1e250
"""Of values and derivatives at the points: further out formulas that are right may overflow on the way."""


@lru_cache(maxsize=1024)
def _uses(form: Form, written: str) -> tuple[Expression, ...]:
    points = _pairs(form) if "x1" in form.operands else _numbers(form)
    return tuple(form.at(*point) for point in points if _is_ordinary(form, point))


def uses(form: Form) -> Sequence[Expression]:
    """The form at ordinary points: inside its domain, and with a derivative.

    First at simple numbers, then at numbers of each size, then at random ones, always the same.
    """
    return _uses(form, repr(form))  # 1 and 1.0 are equal, and are written differently


def _numbers(form: Form) -> list[tuple[float, ...]]:
    rng = Random(form.operation)
    sizes: tuple[float, ...] = (*SIZES, *LARGE) if form.operation in WITHOUT_EXPONENTIALS else SIZES
    steps = round(2 * REACH / STEP)
    between = [STEP * (k + rng.random()) - REACH for k in range(steps)]
    if form.kind != "v":  # the form with two numbers of theirs is tried at more
        between, sizes = rng.sample(between, 10), sizes[::2]
    return [(x,) for x in (*NUMBERS, *(sign * x for x in sizes for sign in (-1, 1)), *between)]


def _pairs(form: Form) -> list[tuple[float, ...]]:
    rng = Random(form.operation)
    if form.operation in RARE:
        return list(PAIRS)
    largest = 30.0 if form.operation in WITHOUT_EXPONENTIALS else 2.0
    sizes = [(10.0 ** rng.uniform(-30.0, largest), 10.0 ** rng.uniform(-30.0, largest)) for _ in range(16)]
    small = [(10.0 ** rng.uniform(-9.0, 0.0), rng.uniform(-REACH, REACH)) for _ in range(6)]
    mixed = [(rng.choice((-1, 1)) * x, rng.choice((-1, 1)) * y) for x, y in sizes + small + [y[::-1] for y in small]]
    between = [(rng.uniform(-REACH, REACH), rng.uniform(-REACH, REACH)) for _ in range(40)]
    halves = [(x, y) for x in (60.0, -60.0, 0.5) for y in (0.0, 1.5, -75.0)]
    return [*PAIRS, *halves, *mixed, *between]


def _is_ordinary(form: Form, point: Sequence[float]) -> bool:
    oracle = oracles[form.operation]
    given = dict(zip(("x0", "x1"), point, strict=False))
    operands = [float(given[x] if isinstance(x, str) else x) for x in form.operands]
    if not oracle.domain(*operands) or oracle.kink(*operands):
        return False
    if form.operation == "pow" and operands[0] == 0.0:  # its own claims are among the special points
        return False
    with exact():
        numbers = [oracle.value(*map(mpf, operands)), *oracle.partials(*map(mpf, operands))]
        wanted = [True, *(isinstance(x, str) for x in form.operands)]
        return all(mpmath.isfinite(x) and abs(x) < LARGEST for x, use in zip(numbers, wanted, strict=True) if use)


Step = tuple[Any, ...]
"""An operation by its name, and its operands."""


def steps(inputs: Sequence[float], *steps: Step) -> Expression:
    """An expression from steps such as ("add", "x0", "x1"), the results of which are t0, t1, ..."""
    instructions = tuple(Instruction(built_in[name], tuple(operands)) for name, *operands in steps)
    return Expression(tuple(inputs), instructions)
