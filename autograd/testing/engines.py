"""Is somebody's own scalar engine right? `check_engine` judges a student's homework, micrograd, or this very one.

The engine is a class: `Value(2.0)` makes a number, operators and methods compute with it, `y.backward()` fills in
`x.grad`. What it offers is found by trying. Each claim about it is then put to the test, in this order, so that a
fault is named where it is and not where it shows:

- values and derivatives of each operation by itself, at ordinary points;
- the chain rule: two operations, one after the other;
- accumulation: numbers that are used more than once, in small graphs and in random ones;
- what `backward()` leaves behind, special points, large graphs.

The truth comes from `oracles.py`, in numbers of 200 bits; nothing of our own engine takes part. Random graphs are
those of `strategies.expressions`, without kinks and steep places, and use only operations that are right by
themselves; Hypothesis shrinks the failing ones.

A result counts as right if it is right to about 8 digits: textbook formulas lose some, and that is no fault here.
Their code is stopped after a number of lines, so that an endless loop in it becomes a claim that is wrong. (Only one
with a bare `except:` inside escapes that.)
"""

import contextlib
import gc
import inspect
import io
import itertools
import math
import operator
import sys
import textwrap
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, NamedTuple

import mpmath
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import Flaky, NoSuchExample
from mpmath import mpf

from autograd.operations import operations as built_in
from autograd.reals import real_or_none, shown
from autograd.testing.expression import Expression, Instruction, Operand
from autograd.testing.oracles import oracles
from autograd.testing.strategies import expressions
from autograd.text import visible

WIDTH = 80
EXAMPLES = 300
"""How many random graphs are tried for each claim about them."""
LARGEST_GRAPH = 8
LINES = 2_000_000
"""After so many lines of their Python a computation is given up: 10,000 nodes have 200 lines each."""
BITS = 200
RIGHT_DIGITS = 2.0**-26
"""The relative error that is allowed in each operation's value and derivative."""
LEAST = 2.0**-10
"""The size of numbers below which errors are no longer judged by their own size, but by this one."""
CHAIN, WIDE, DOUBLINGS = 10_000, 1_024, 22


# What is reported


class Claim(NamedTuple):
    """One property that an engine should have, and whether this one has it.

    Attributes:
        topic: what it is about: "values", "chain rule", ...
        text: the property.
        verdict: "right", "wrong", "missing", or "note", which is neither.
        note: a remark, such as which convention the engine follows.
        code: the smallest program found that shows what is wrong, in lines.
        yours, expected: what the engine says and what is right, in words.
        size: how many operations the program has.
    """

    topic: str
    text: str
    verdict: str
    note: str = ""
    code: tuple[str, ...] = ()
    yours: str = ""
    expected: str = ""
    size: int = 0

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{self.topic}: {self.text}{note}"

    def entry(self) -> str:
        """What is wrong, over several lines."""
        remark = textwrap.wrap(self.note, WIDTH - 11, initial_indent=" " * 11, subsequent_indent=" " * 11)
        lines = textwrap.wrap(self.text, WIDTH - 11, subsequent_indent=" " * 11)
        lines += [f"{' ' * 15}{line}" for line in self.code]
        for word, text in (("yours", self.yours), ("right", self.expected)):
            indent = " " * 18
            lines += textwrap.wrap(f"{' ' * 11}{word}  {text}", WIDTH, subsequent_indent=indent) if text else []
        return "\n".join(lines + remark)


@dataclass(frozen=True)
class EngineReport:
    """What `check_engine` found; it prints as text, by topic.

    Attributes:
        name: the engine's, such as "micrograd.engine:Value".
        claims: all that was judged, in order.
    """

    name: str
    claims: tuple[Claim, ...]

    @property
    def right(self) -> list[Claim]:
        """What the engine does as it should."""
        return [claim for claim in self.claims if claim.verdict == "right"]

    @property
    def wrong(self) -> list[Claim]:
        """What it does otherwise, each with the smallest program that shows it."""
        return [claim for claim in self.claims if claim.verdict == "wrong"]

    @property
    def missing(self) -> list[Claim]:
        """What it does not offer. That is no fault."""
        return [claim for claim in self.claims if claim.verdict == "missing"]

    @property
    def notes(self) -> list[Claim]:
        """What is worth knowing and neither right nor wrong."""
        return [claim for claim in self.claims if claim.verdict == "note"]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def __str__(self) -> str:
        lines = [self.name]
        for topic, group in itertools.groupby(self.claims, lambda claim: claim.topic):
            claims = list(group)
            lines += ["", topic]
            for verdict in ("right", "wrong", "missing", "note"):
                lines += _section(verdict, [claim for claim in claims if claim.verdict == verdict])
        counts = f"{len(self.right)} claims are right, {len(self.wrong)} wrong, {len(self.missing)} missing."
        return "\n".join([*lines, "", counts if self.wrong else f"{counts} Nothing is wrong."])

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _section(verdict: str, claims: Sequence[Claim]) -> list[str]:
    """The lines of one topic's claims with the same verdict: those that are wrong at length, the others in a row."""
    head, indent = f"  {verdict:<9}", " " * 11
    if verdict == "wrong":
        return [head + claim.entry() for claim in _together(claims)]
    listed = "; ".join(_unbroken(claim.text) + (f" ({claim.note})" if claim.note else "") for claim in claims)
    lines = textwrap.wrap(listed, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _together(claims: Sequence[Claim]) -> Iterator[Claim]:
    """The claims, those that fail with the same words in one."""
    for yours, group in itertools.groupby(claims, lambda claim: claim.yours):
        first, *others = group
        if others and "=" not in yours:
            yield first._replace(note=f"The same: {', '.join(claim.text for claim in others)}.")
        else:
            yield from (first, *others)


def _unbroken(text: str) -> str:
    """A short text such as `x + y` with blanks at which no line ends."""
    return text.replace(" ", "\0") if len(text) < 30 else text


# Their code, run safely


class Refusal(Exception):
    """What their code raised, in words."""

    def __init__(self, error: BaseException, stage: str) -> None:
        text = visible(" ".join(_text_of(error).split()))
        text = text if len(text) <= 90 else f"{text[:87]}..."
        super().__init__(f"{type(error).__name__}: {text}" if text else type(error).__name__)
        self.error, self.stage = error, stage
        self.sentence = text if isinstance(error, (NotTheirsError, TooLongError)) else f"raises {self}"


class TooLongError(BaseException):
    """Their code ran for too many lines. (It is no Exception, so that it passes through `except Exception`.)"""


class NotTheirsError(TypeError):
    """An operation gave something else than a number of the engine."""

    def __init__(self, text: str, result: Any, name: str) -> None:
        super().__init__(f"{text} gives {shown(result, 40)} ({type(result).__name__}), not a {name}")


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


@contextlib.contextmanager
def limited(lines: int = LINES) -> Iterator[None]:
    """Raises TooLongError within the block after so many lines of Python: unlike a clock, always at the same."""
    left = lines

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLongError(f"no end after {lines:,} lines of Python: an endless loop, or far too many steps")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps what their code prints, warns of, and asks on the keyboard away from the report."""
    keyboard, depth = sys.stdin, sys.getrecursionlimit()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        sys.stdin = io.StringIO()
        try:
            yield
        finally:
            sys.stdin = keyboard
            sys.setrecursionlimit(depth)


def _attempt(action: Callable[[], Any], stage: str = "") -> Any:
    """What the action returns.

    Raises:
        Refusal: it raised anything, or did not end.
    """
    try:
        with limited():
            return action()
    except (Exception, SystemExit, TooLongError) as error:
        # The traceback would keep their graph alive; the chain of a RecursionError is long besides.
        raise Refusal(error.with_traceback(None), stage) from None


# Their operations

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "floor_divide": "//", "remainder": "%"}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
}
SPECIAL_NAMES = {
    "add": ("__add__", "__radd__"),
    "sub": ("__sub__", "__rsub__"),
    "mul": ("__mul__", "__rmul__"),
    "div": ("__truediv__", "__rtruediv__"),
    "pow": ("__pow__", "__rpow__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__"),
    "remainder": ("__mod__", "__rmod__"),
}
OTHER_NAMES = {
    "log": ("ln",),
    "sigmoid": ("logistic", "sigm"),
    "silu": ("swish",),
    "relu": ("ReLU", "Relu"),
    "gelu_tanh": ("gelu",),
    "asin": ("arcsin",),
    "acos": ("arccos",),
    "atan": ("arctan",),
    "asinh": ("arcsinh",),
    "acosh": ("arccosh",),
    "atanh": ("arctanh",),
    "abs": ("__abs__",),
}
METHODS = ("tanh", "relu", "exp", "log", "sigmoid", "sin", "cos", "sqrt", "abs")
"""Those whose absence is worth a word."""
WITH_ONE_OPERAND = tuple(
    name for name in oracles if not built_in[name].nary and len(built_in[name].derivatives) == 1 and name != "neg"
)
WITH_TWO_OPERANDS = ("maximum", "minimum", "hypot", "atan2")


WITH_A_CONSTANT = {"leaky_relu": 0.01, "elu": 1.0}
"""Those with a second operand that the engine decides."""


class Form(NamedTuple):
    """A way to write an operation: with which operands, each a number of theirs (a name) or a plain number."""

    operation: str
    operands: tuple[Operand, ...]

    @property
    def kind(self) -> str:
        """Where plain numbers stand: "vc" for `x + 1`, "cv" for `1 + x`."""
        return "".join("v" if isinstance(x, str) else "c" for x in self.operands)

    @property
    def inputs(self) -> int:
        """How many different numbers of theirs it takes."""
        return len({x for x in self.operands if isinstance(x, str)})


def _forms() -> list[Form]:
    """Every way to write an operation that is looked for, the simplest first."""
    arithmetic = ("add", "sub", "mul", "div", "pow")
    forms = [Form(name, ("x0", "x1")) for name in arithmetic]
    forms.append(Form("neg", ("x0",)))
    for name, number in ("add", 1), ("sub", 1), ("mul", 2), ("div", 2):
        forms += [Form(name, ("x0", number)), Form(name, (number, "x0"))]
    forms += [Form("pow", ("x0", exponent)) for exponent in (2, 3, -1, 0.5)]
    forms.append(Form("pow", (2, "x0")))
    forms += [Form(name, ("x0", "x1")) for name in ("floor_divide", "remainder")]
    forms += [Form(name, ("x0",)) for name in dict.fromkeys((*METHODS, *WITH_ONE_OPERAND))]
    forms += [Form(name, ("x0", number)) for name, number in WITH_A_CONSTANT.items()]
    return forms + [Form(name, ("x0", "x1")) for name in WITH_TWO_OPERANDS]


class Found(NamedTuple):
    """What an engine says of one expression: its value, and the gradient of each input."""

    value: Any
    gradients: tuple[Any, ...]


class Engine:
    """Somebody's class, and how its operations are called.

    Raises:
        TypeError: it is no class, cannot be made from one number, or has no `data`.
    """

    def __init__(self, ValueClass: Any) -> None:
        if not isinstance(ValueClass, type):
            raise TypeError(f"check_engine takes a class such as micrograd.engine.Value; got {shown(ValueClass)}")
        self.ValueClass, self.name = ValueClass, ValueClass.__name__
        try:
            made = _attempt(lambda: ValueClass(2.0))
        except Refusal as refusal:
            raise TypeError(
                f"{self.name}(2.0) raised {refusal}; check_engine needs a class that is made from one number"
            ) from None
        try:
            self.data(made)
        except Refusal:
            raise TypeError(
                f"{self.name}(2.0) has no attribute 'data'; check_engine reads an engine's numbers there"
            ) from None
        self.methods = {name: text for name in self._names() if (text := self._look_up(name))}
        self.family = tuple(base for base in ValueClass.__mro__ if base.__module__ != "builtins")
        self.sound: dict[tuple[str, str], list[Form]] = {}
        self.graphs: list[Expression] = []

    def _names(self) -> Iterable[str]:
        return (*WITH_ONE_OPERAND, *WITH_TWO_OPERANDS, *WITH_A_CONSTANT)

    def _look_up(self, name: str) -> tuple[str, Any] | None:
        """How the operation is written, and what is called: a method, or a function of the class's own module."""
        count = 2 if name in WITH_TWO_OPERANDS else 1
        module = sys.modules.get(self.ValueClass.__module__)
        for own in (name, *OTHER_NAMES.get(name, ())):
            method = getattr(self.ValueClass, own, None)
            if callable(method) and _takes(method, count):
                return ("abs({})" if own == "__abs__" else f"{{}}.{own}({', '.join(['{}'] * (count - 1))})", method)
            function = getattr(module, own, None)
            is_own = inspect.isfunction(function) and function.__module__ == self.ValueClass.__module__
            if is_own and _takes(function, count):
                return f"{own}({', '.join(['{}'] * count)})", function
        return None

    def number(self, x: float) -> Any:
        """A leaf."""
        return self.ValueClass(x)

    def data(self, x: Any) -> Any:
        """x.data."""
        return _attempt(lambda: x.data, "data")

    def has(self, form: Form) -> bool:
        """Whether there is anything to try."""
        name = form.operation
        if name in SYMBOLS:
            return any(hasattr(self.ValueClass, special) for special in SPECIAL_NAMES[name])
        return name in self.methods or (name == "neg" and hasattr(self.ValueClass, "__neg__"))

    def call(self, name: str, *operands: Any) -> Any:
        """One operation; operands are numbers of theirs and plain ones."""
        if name in OPERATORS:
            return OPERATORS[name](*operands)
        if name == "neg":
            return -operands[0]
        return self.methods[name][1](*(x for x in operands if not self.is_plain(x)))

    def is_plain(self, x: Any) -> bool:
        """Whether it is a number of Python's. (Their class may be a subclass of float.)"""
        return isinstance(x, (int, float)) and not isinstance(x, self.ValueClass)

    def text(self, name: str, *operands: Any) -> str:
        """The operation as it is written."""
        texts = [x if isinstance(x, str) else repr(x) for x in operands]
        if texts[0].startswith("-"):  # -1 ** x is something else
            texts[0] = f"({texts[0]})"
        if name in SYMBOLS:
            return f" {SYMBOLS[name]} ".join(texts)
        if name == "neg":
            return f"-{texts[0]}"
        return self.methods[name][0].format(*texts)

    def text_of(self, form: Form) -> str:
        """The form as it is written, with x and y."""
        names = {"x0": "x", "x1": "y"}
        return self.text(form.operation, *(names[x] if isinstance(x, str) else x for x in form.operands))

    # Plain numbers among the operands become theirs where the engine is not known to take them plain.

    def lifts(self, name: str, kind: str) -> bool:
        """Whether plain numbers have to be made theirs first."""
        if name == "pow":  # the base of a power of two Values is positive, of one with a plain exponent any
            return False
        return "c" in kind and (name, kind) not in self.sound and (name, "vv") in self.sound

    def is_sound(self, expression: Expression) -> bool:
        """Whether the expression uses nothing but what is right by itself."""
        for operation, operands in expression.instructions:
            if operation.name == "pow" and operands[0] == 0.0:
                return False  # as special as x ** 0 at 0
            kind = Form(operation.name, operands).kind
            if (operation.name, kind) not in self.sound and not self.lifts(operation.name, kind):
                return False
        return True

    def lines(self, expression: Expression) -> list[str]:
        """The expression as a program."""
        lines = [f"{name} = {self.name}({x!r})" for name, x in zip(expression.names, expression.inputs, strict=True)]
        for place, (operation, operands) in enumerate(expression.instructions):
            if self.lifts(operation.name, Form(operation.name, operands).kind):
                operands = tuple(x if isinstance(x, str) else f"{self.name}({x!r})" for x in operands)
            name = f"t{place}" if place < len(expression) - 1 else "y"
            lines.append(f"{name} = {self.text(operation.name, *operands)}")
        return lines

    def build(self, expression: Expression, xs: Sequence[Any]) -> Any:
        """The expression on numbers of theirs."""

        def call(operation: str, *operands: Any) -> Any:
            kind = "".join("c" if self.is_plain(x) else "v" for x in operands)
            if self.lifts(operation, kind):
                operands = tuple(self.number(x) if self.is_plain(x) else x for x in operands)
            result = self.call(operation, *operands)
            if not isinstance(result, self.family):
                names = [x if self.is_plain(x) else "xy"[kind[:place].count("v")] for place, x in enumerate(operands)]
                raise NotTheirsError(self.text(operation, *names), result, self.name)
            return result

        return expression.evaluate(xs, call)

    def run(self, inputs: Sequence[float], build: Callable[[Sequence[Any]], Any], times: int) -> Found:
        """Builds a graph and calls backward so many times.

        Raises:
            Refusal: their code raised something, or did not end.
        """
        xs = [_attempt(partial(self.number, x), "inputs") for x in inputs]
        y = _attempt(lambda: build(xs), "y.data")
        value = self.data(y)
        for _ in range(times):
            _attempt(lambda: y.backward(), "y.backward()")
        gradients = tuple(_attempt(partial(getattr, x, "grad"), "grad") if times else None for x in xs)
        return Found(value, gradients)


def _takes(function: Any, count: int) -> bool:
    """Whether it can be called with so many operands."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some of C's functions do not tell
        return True
    return True


# The truth


class Number(NamedTuple):
    """A true number, and by how much an engine's may differ from it."""

    true: Any
    allowed: float = 0.0

    def admits(self, x: Any) -> bool:
        """Whether an engine's number is right."""
        number = real_or_none(x)
        if number is None or isinstance(x, str):
            return False
        if math.isnan(number) or math.isinf(number):
            return number == float(self.true) or (math.isnan(number) and math.isnan(float(self.true)))
        return bool(abs(mpf(number) - self.true) <= self.allowed)

    def __str__(self) -> str:
        return f"{float(self.true) + 0.0:.12g}"


class Truth(NamedTuple):
    """The value of an expression and its derivative for each input."""

    value: Number
    gradients: tuple[Number, ...]


def truth_of(expression: Expression) -> Truth:
    """The value and the derivatives of an expression at its inputs, by textbook formulas with 200 bits.

    What may be wrong with them adds up along the graph: each value by 2**-26 of its size (or of LEAST), each local
    derivative by as much of its own (or of 1).

    >>> square = steps((3.0,), ("mul", "x0", "x0"))
    >>> str(truth_of(square).value), [str(x) for x in truth_of(square).gradients]
    ('9', ['6'])
    """
    with mpmath.workprec(BITS):
        values: dict[str, Any] = {name: mpf(x) for name, x in zip(expression.names, expression.inputs, strict=True)}
        errors = dict.fromkeys(values, 0.0)
        tape: list[tuple[str, list[tuple[str, Any]]]] = []
        for place, (operation, operands) in enumerate(expression.instructions):
            numbers = [values[x] if isinstance(x, str) else mpf(x) for x in operands]
            name = f"t{place}"
            values[name] = mpf(oracles[operation.name].value(*numbers))
            partials = _partials(operation.name, numbers)
            edges = [(x, d) for x, d in zip(operands, partials, strict=True) if isinstance(x, str)]
            size = max(float(abs(values[name])), LEAST)
            errors[name] = RIGHT_DIGITS * size + sum(abs(float(d)) * errors[x] for x, d in edges)
            tape.append((name, edges))
        return _adjoints(values, errors, tape, expression.names)


def _partials(name: str, numbers: Sequence[Any]) -> Sequence[Any]:
    """The oracle's derivatives; along the base 0 of a power, where one may be infinite, only the other."""
    if name == "pow" and not numbers[0] and numbers[1] < 1:
        return [mpmath.nan if numbers[1] else mpf(0), mpf(0)]
    found: Sequence[Any] = oracles[name].partials(*numbers)
    return found


def _adjoints(
    values: dict[str, Any], errors: dict[str, float], tape: list[tuple[str, list[tuple[str, Any]]]], names: Any
) -> Truth:
    """The backward pass over what `truth_of` has computed."""
    true, size, bound = dict.fromkeys(values, mpf(0)), dict.fromkeys(values, 0.0), dict.fromkeys(values, 0.0)
    root = tape[-1][0]
    true[root], size[root] = mpf(1), 1.0
    for name, edges in reversed(tape):
        for parent, derivative in edges:
            slope = abs(float(derivative))
            true[parent] += derivative * true[name]
            size[parent] += slope * size[name]
            bound[parent] += slope * bound[name] + RIGHT_DIGITS * max(1.0, slope) * size[name]
    return Truth(Number(values[root], errors[root]), tuple(Number(true[x], bound[x]) for x in names))


class Fault(NamedTuple):
    """Where an engine is wrong: the program, what it says, what is right."""

    code: tuple[str, ...]
    yours: str
    expected: str
    size: int
    note: str = ""


BACKWARD = "y.backward()"


def fault_in(engine: Engine, expression: Expression, times: int = 1) -> Fault | None:
    """What is wrong with an engine's value or gradients of one expression, after so many calls of `backward()`."""
    truth = truth_of(expression)
    code = engine.lines(expression)
    program = Program(tuple(code), expression.inputs, partial(engine.build, expression), truth, len(expression))
    return fault_of(engine, program, times)


class Program(NamedTuple):
    """Code that computes `y` from inputs, what it does, and what is right."""

    code: tuple[str, ...]
    inputs: tuple[float, ...]
    build: Callable[[Sequence[Any]], Any]
    truth: Truth
    size: int


def fault_of(engine: Engine, program: Program, times: int = 1) -> Fault | None:
    """What is wrong with an engine's value or gradients of one program."""
    value, gradients = program.truth
    code = program.code + (BACKWARD,) * times
    try:
        found = engine.run(program.inputs, program.build, times)
    except Refusal as refusal:
        in_backward = refusal.stage in (BACKWARD, "grad")
        expected = f"x0.grad = {_times(gradients[0], times)}" if in_backward else f"y.data = {value}"
        return Fault(code if in_backward else program.code, refusal.sentence, expected, program.size)
    if not value.admits(found.value):
        return Fault(program.code, f"y.data = {_said(found.value)}", f"y.data = {value}", program.size)
    for place, (yours, once) in enumerate(zip(found.gradients, gradients, strict=True)):
        right = _times(once, times)
        if times and not right.admits(yours):
            grad = f"x{place}.grad"
            return Fault(code, f"{grad} = {_said(yours)}", f"{grad} = {right}", program.size)
    return None


def _times(number: Number, times: int) -> Number:
    return Number(times * number.true, times * number.allowed)


def _said(x: Any) -> str:
    number = real_or_none(x)
    return f"{number:.12g}" if number is not None else visible(f"{shown(x, 40)} ({type(x).__name__})")


Step = tuple[Any, ...]
"""An operation by its name, and its operands."""


def steps(inputs: Sequence[float], *steps: Step) -> Expression:
    """An expression from steps such as ("add", "x0", "x1"), the results of which are t0, t1, ..."""
    instructions = tuple(Instruction(built_in[name], tuple(operands)) for name, *operands in steps)
    return Expression(tuple(inputs), instructions)


# Claims


def _right(topic: str, text: str, note: str = "") -> Claim:
    return Claim(topic, text, "right", note)


def _missing(topic: str, text: str, note: str = "") -> Claim:
    return Claim(topic, text, "missing", note)


def _judged(topic: str, text: str, fault: Fault | None) -> Claim:
    """The claim is right if there is no fault."""
    if fault is None:
        return _right(topic, text)
    return Claim(topic, text, "wrong", fault.note, fault.code, fault.yours, fault.expected, fault.size)


def check_engine(ValueClass: Any) -> EngineReport:
    """Judges somebody's scalar engine: what is right, what is wrong, what is missing.

    Arguments:
        ValueClass: the class of its numbers. `ValueClass(2.0)` makes one; it has `data`, `grad` and `backward()`,
            and any of the operators and methods that engines have. Everything but `data` may be missing.

    Returns:
        an `EngineReport`, which prints by topic. Each fault comes with the smallest program found that shows it, what
        the engine says and what is right. The same engine gives the same report each time.

    Raises:
        TypeError: it is no class, cannot be made from one number, or has no `data`.

    Special points: a derivative of relu at 0 between 0 and 1 is right; where Python's own arithmetic raises an
    ArithmeticError or a ValueError, as for 1 / 0, so may the engine.

    >>> class Number:
    ...     def __init__(self, data):
    ...         self.data = data
    ...     def __add__(self, other):
    ...         return Number(self.data - other.data)
    >>> report = check_engine(Number)
    >>> report.passed
    False
    >>> print(report.wrong[0].entry())
    x + y
        x0 = Number(2.0)
        x1 = Number(3.0)
        y = x0 + x1
     yours y.data = -1
     right y.data = 5
    """
    with undisturbed():
        engine = Engine(ValueClass)
        claims = [claim for check in CHECKS for claim in _guarded(check, engine)]
    return EngineReport(f"{ValueClass.__module__}:{ValueClass.__qualname__}", tuple(claims))


def _guarded(check: Callable[[Engine], Iterator[Claim]], engine: Engine) -> Iterator[Claim]:
    """The claims; an engine that fails where it did not fail before ends them."""
    try:
        yield from check(engine)
    except Refusal as refusal:
        text = "the same code does the same each time"
        yield Claim(check.__name__.strip("_").replace("_", " "), text, "wrong", yours=refusal.sentence)


# Construction


def _construction(engine: Engine) -> Iterator[Claim]:
    topic, name = "construction", engine.name
    for x in (2.0, 2, -0.5, 0, 1e300):
        code = f"{name}({x!r}).data"
        try:
            data = engine.data(_attempt(partial(engine.number, x)))
            said = "" if Number(mpf(x)).admits(data) else _said(data)
        except Refusal as refusal:
            said = refusal.sentence
        yield (
            Claim(topic, f"{code} is {x!r}", "wrong", "", (code,), said, repr(x))
            if said
            else _right(topic, f"{code} is {x!r}")
        )
    x = engine.number(2.0)
    if not hasattr(x, "backward"):
        yield _missing(topic, f"{name}.backward(), so that no derivative can be judged")
        return
    try:
        grad = _attempt(lambda: x.grad)
        said = "" if Number(mpf(0)).admits(grad) else _said(grad)
    except Refusal as refusal:
        said = refusal.sentence
    text = "grad starts at 0"
    yield Claim(topic, text, "wrong", "", (f"{name}(2.0).grad",), said, "0") if said else _right(topic, text)


def _can_differentiate(engine: Engine) -> bool:
    return hasattr(engine.ValueClass, "backward")


# Each operation by itself

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
REFUSED = (TypeError, AttributeError, AssertionError, NotImplementedError)
"""What an operator raises for operands that it does not take."""


def _uses(form: Form) -> list[Expression]:
    """The form at ordinary points: inside its domain, and with a derivative."""
    oracle = oracles[form.operation]
    found = []
    for numbers in PAIRS if form.inputs == 2 else [(x,) for x in NUMBERS]:
        given = dict(zip(("x0", "x1"), numbers, strict=False))
        operands = [given[x] if isinstance(x, str) else float(x) for x in form.operands]
        if oracle.domain(*operands) and not oracle.kink(*operands):
            with mpmath.workprec(BITS):
                partials = oracle.partials(*map(mpf, operands))
            wanted = [d for x, d in zip(form.operands, partials, strict=True) if isinstance(x, str)]
            if all(map(mpmath.isfinite, wanted)):
                found.append(steps(numbers, (form.operation, *form.operands)))
    return found


def _operations(engine: Engine) -> Iterator[Claim]:
    """Values first, derivatives after them; what is right in both is sound."""
    found = []
    for form in [_as_theirs(engine, form) for form in _forms()]:
        if form is None:
            continue
        refusal = _refusal(engine, form)
        if refusal:
            if form.operation in ("add", "sub", "mul", "div", "pow", "neg"):
                yield _missing("values", engine.text_of(form), refusal if refusal != "none" else "")
            continue
        fault = next(filter(None, (fault_in(engine, use, times=0) for use in _uses(form))), None)
        yield _judged("values", engine.text_of(form), fault)
        if fault is None:
            found.append(form)
    methods = [f"x.{name}()" for name in METHODS if name not in engine.methods]
    if methods:
        yield _missing("values", ", ".join(methods))
    if not _can_differentiate(engine):
        return
    for form in found:
        fault = next(filter(None, (fault_in(engine, use) for use in _uses(form))), None)
        yield _judged("derivatives", engine.text_of(form), fault)
        if fault is not None:
            found = [other for other in found if other is not form]
    engine.sound = _sound(found)  # not before: what is not sound is lifted, and would not be tried as it is


def _sound(forms: Sequence[Form]) -> dict[tuple[str, str], list[Form]]:
    """The forms by operation and kind; `x ** c` only if each exponent that is tried is right."""
    sound: dict[tuple[str, str], list[Form]] = {}
    for form in forms:
        sound.setdefault((form.operation, form.kind), []).append(form)
    exponents = [form for form in _forms() if (form.operation, form.kind) == ("pow", "vc")]
    if len(sound.get(("pow", "vc"), [])) < len(exponents):
        sound.pop(("pow", "vc"), None)
    return sound


def _as_theirs(engine: Engine, form: Form) -> Form | None:
    """The form with what the engine decides itself: the slope of leaky_relu, the formula of gelu."""
    if not engine.has(form):
        return form if form.operation in (*SYMBOLS, "neg") and form.operation not in _RARE else None
    if form.operation in ("leaky_relu", "gelu_tanh", "gelu"):
        try:
            y = _attempt(lambda: engine.call(form.operation, engine.number(-1.0)).data)
        except Refusal:
            return None if form.operation == "gelu_tanh" else form
        if form.operation == "leaky_relu":
            slope = real_or_none(y)
            return Form("leaky_relu", ("x0", -slope)) if slope is not None and -1.0 < slope < 0.0 else form
        by_tanh = Number(oracles["gelu_tanh"].value(mpf(-1)), 1e-6).admits(y)
        return form if by_tanh == (form.operation == "gelu_tanh") else None
    return form


_RARE = ("floor_divide", "remainder")


def _refusal(engine: Engine, form: Form) -> str:
    """Why the engine does not offer the form, in words; "" if it does, be it right or wrong."""
    if not engine.has(form):
        return "none"
    if form.operation not in SYMBOLS or (form.kind == "vv" and form.operation not in ("pow", *_RARE)):
        return ""
    for use in _uses(form):
        try:
            engine.run(use.inputs, partial(engine.build, use), times=0)
            return ""
        except Refusal as refusal:
            if not isinstance(refusal.error, REFUSED) or isinstance(refusal.error, NotTheirsError):
                return ""
            reason = str(refusal)
    return reason


def _plain_numbers(engine: Engine) -> Iterator[Claim]:
    """The same with numbers of each type of Python's."""
    if not _can_differentiate(engine):
        return
    for number in (3, 0.5, True):
        forms = [
            Form(name, operands)
            for name in ("add", "sub", "mul", "div")
            for operands in (("x0", number), (number, "x0"))
            if (name, Form(name, operands).kind) in engine.sound
        ]
        uses = [steps((2.0,), (form.operation, *form.operands)) for form in forms]
        fault = next(filter(None, (fault_in(engine, use) for use in uses)), None)
        if uses:
            text = f"operators take a {type(number).__name__} beside a {engine.name}"
            yield _judged("plain numbers", text.replace("a int", "an int"), fault)
    if ("add", "vv") in engine.sound and ("add", "cv") not in engine.sound:
        yield _missing("plain numbers", "Python's sum(), which begins with 0 + x")
    elif ("add", "vv") in engine.sound:
        truth = Truth(Number(mpf(5)), (Number(mpf(1)), Number(mpf(1))))
        code = (*_made(engine, (2.0, 3.0)), "y = sum([x0, x1])")
        yield _judged(
            "plain numbers", "Python's sum()", fault_of(engine, Program(code, (2.0, 3.0), lambda xs: sum(xs), truth, 2))
        )


def _made(engine: Engine, inputs: Sequence[float]) -> list[str]:
    return [f"x{place} = {engine.name}({x!r})" for place, x in enumerate(inputs)]


# The chain rule


def _usable(engine: Engine, step: Step) -> bool:
    kind = Form(step[0], step[1:]).kind
    return (step[0], kind) in engine.sound or engine.lifts(step[0], kind)


OUTER: tuple[Step, ...] = (
    ("mul", "t0", 3.0),
    ("mul", 3.0, "t0"),
    ("neg", "t0"),
    ("div", "t0", 2.0),
    ("tanh", "t0"),
    ("sigmoid", "t0"),
    ("exp", "t0"),
    ("sin", "t0"),
    ("pow", "t0", 2.0),
)
"""Something to do with a result that has another derivative than 1."""


def _chain_rule(engine: Engine) -> Iterator[Claim]:
    """Each operation followed by another. Those that fail are sound no longer."""
    outer = [step for step in OUTER if _usable(engine, step)][:2]
    forms = [form for forms in engine.sound.values() for form in forms]
    if not outer:
        if forms:
            yield _missing("chain rule", "no operation to apply to the result of another")
        return
    faults: dict[Form, Fault] = {}
    for form in forms:
        for step in outer:
            for use in _uses(form)[:4]:
                fault = fault_in(engine, steps(use.inputs, (form.operation, *form.operands), step))
                if fault and form not in faults:
                    faults[form] = fault
    text = "an operation multiplies by the gradient that reaches it"
    if not faults:
        yield _right("chain rule", text)
        return
    first, *others = faults
    note = f"The same with {', '.join(map(engine.text_of, others))}." if others else ""
    yield _judged("chain rule", text, faults[first]._replace(note=note))
    for form in faults:
        engine.sound.pop((form.operation, form.kind), None)


# Accumulation


def _accumulation(engine: Engine) -> Iterator[Claim]:
    """What is used more than once, in graphs that people know, and then in random ones."""
    topic = "accumulation"
    pairs = [name for name in ("add", "mul", "sub", "div") if (name, "vv") in engine.sound]
    for name in pairs:
        use = steps((3.0,), (name, "x0", "x0"))
        yield _judged(topic, f"x {SYMBOLS[name]} x", fault_in(engine, use))
    branches = _branches(engine)
    if pairs and len(branches) > 1:
        (f, g), join = (branches * 2)[:2], pairs[0]
        yield _judged(
            topic,
            "two operations use one value",
            fault_in(engine, steps((0.5,), f("x0"), g("x0"), (join, "t0", "t1"))),
        )
        yield _judged(
            topic,
            "a computed value is used twice (a diamond)",
            fault_in(engine, steps((0.5,), f("x0"), g("t0"), f("t0"), (join, "t1", "t2"))),
        )
        for operands, text in (("t0", "t1"), "b + f(b)"), (("t1", "t0"), "f(b) + b"):
            use = steps((0.5,), f("x0"), g("t0"), (join, *operands))
            text = f"a value waits for all its gradients, in {text.replace('+', SYMBOLS[join])}"
            yield _judged(topic, text, fault_in(engine, use))
    if not engine.sound:
        return
    yield _judged(topic, "random graphs", _search(engine, lambda use: fault_in(engine, use)))
    yield _judged(
        topic, "the same graph gives the same numbers each time", _search(engine, lambda use: _moves(engine, use))
    )


def _branches(engine: Engine) -> list[Callable[[Operand], Step]]:
    """Operations of one value that are sound, the plainest first."""
    wanted: list[tuple[str, tuple[Any, ...]]] = [
        ("mul", (None, 2.0)),
        ("mul", (None, 3.0)),
        ("neg", (None,)),
        ("add", (None, 1.0)),
        ("tanh", (None,)),
        ("exp", (None,)),
        ("sigmoid", (None,)),
        ("sin", (None,)),
        ("relu", (None,)),
    ]

    def branch(name: str, operands: tuple[Any, ...]) -> Callable[[Operand], Step]:
        return lambda x: (name, *(x if operand is None else operand for operand in operands))

    return [branch(*pair) for pair in wanted if _usable(engine, branch(*pair)("x0"))]


def _search(engine: Engine, fault: Callable[[Expression], Fault | None]) -> Fault | None:
    """The fault of the smallest random graph that has one. Only operations that are sound are drawn.

    All claims are tried on the same graphs, since drawing takes longer than judging; they are drawn again to shrink.
    """
    if not engine.graphs:
        _draw(engine, partial(_collected, engine.graphs))
    first = next((found for use in engine.graphs if (found := fault(use))), None)
    if first is None:
        return None
    smallest = _draw(engine, lambda use: fault(use) is not None)
    return (fault(smallest) if smallest else None) or first  # first: their engine failed once and not again


def _collected(graphs: list[Expression], use: Expression) -> bool:
    graphs.append(use)
    return False


def _draw(engine: Engine, condition: Callable[[Expression], bool]) -> Expression | None:
    """The smallest expression of sound operations that meets the condition, the same each time."""
    order = ("add", "mul", "sub", "neg", "div")
    names = {name for name, _ in engine.sound}.difference(WITH_A_CONSTANT)
    chosen = sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))
    options = settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    drawn = expressions(max_nodes=LARGEST_GRAPH, operations=chosen, smooth=True)
    try:
        return find(drawn, lambda use: engine.is_sound(use) and condition(use), settings=options, random=Random(0))
    except (NoSuchExample, Flaky):
        return None


def _moves(engine: Engine, use: Expression) -> Fault | None:
    """What changes if the same graph is built anew."""
    try:
        first, second = (engine.run(use.inputs, partial(engine.build, use), 1) for _ in range(2))
    except Refusal:
        return None
    for name, one, other in zip(
        ("y.data", *(f"{name}.grad" for name in use.names)),
        (first.value, *first.gradients),
        (second.value, *second.gradients),
        strict=True,
    ):
        if shown(one) != shown(other):
            code = (*engine.lines(use), BACKWARD)
            return Fault(code, f"{name} = {shown(one)}, and next time {shown(other)}", "the same twice", len(use))
    return None


# What backward() leaves behind


def _backward(engine: Engine) -> Iterator[Claim]:
    if not _can_differentiate(engine):
        return
    topic = "backward"
    yield _judged(topic, "backward() of a leaf gives it the gradient 1", _leaf_fault(engine))
    if not engine.sound:
        return
    yield _judged(topic, "a second backward() adds the same again", _search(engine, lambda use: _second(engine, use)))
    yield _judged(topic, "backward() changes no data", _search(engine, lambda use: _changed(engine, use)))
    yield _judged(
        topic, "two graphs with a common leaf add up in it", _search(engine, lambda use: _shared(engine, use))
    )
    yield _judged(topic, "grad = 0 starts afresh", _search(engine, lambda use: _afresh(engine, use)))
    if hasattr(engine.ValueClass, "zero_grad"):
        yield _judged(
            topic, "zero_grad() starts afresh", _search(engine, lambda use: _afresh(engine, use, by_call=True))
        )
    else:
        yield _missing(topic, "zero_grad()")


def _leaf_fault(engine: Engine) -> Fault | None:
    code = (f"x0 = {engine.name}(2.0)", "x0.backward()")
    x = engine.number(2.0)
    try:
        _attempt(lambda: x.backward())
        grad = _attempt(lambda: x.grad)
    except Refusal as refusal:
        return Fault(code, refusal.sentence, "x0.grad = 1", 0)
    return None if Number(mpf(1)).admits(grad) else Fault(code, f"x0.grad = {_said(grad)}", "x0.grad = 1", 0)


def _second(engine: Engine, use: Expression) -> Fault | None:
    """A fault of two calls that one call has not."""
    fault = fault_in(engine, use, times=2)
    if fault is None or fault_in(engine, use) is not None:
        return None
    return fault._replace(note=f"After the first call it is right: {truth_of(use).gradients[0]}.")


def _changed(engine: Engine, use: Expression) -> Fault | None:
    """What backward() changes of the inputs and of the result."""
    try:
        xs = list(map(engine.number, use.inputs))
        y = _attempt(lambda: engine.build(use, xs))
        before = [engine.data(x) for x in (*xs, y)]
        _attempt(lambda: y.backward())
        after = [engine.data(x) for x in (*xs, y)]
    except Refusal:
        return None
    for name, x, now in zip((*use.names, "y"), before, after, strict=True):
        if shown(x) != shown(now):
            code = (*engine.lines(use), BACKWARD)
            return Fault(code, f"{name}.data = {_said(now)} afterwards", f"{name}.data = {_said(x)}", len(use))
    return None


def _shared(engine: Engine, use: Expression) -> Fault | None:
    """What is wrong if the same is built a second time on the same leaves."""
    built: list[Any] = []

    def build(xs: Sequence[Any]) -> Any:
        built.append(engine.build(use, xs))
        built[-1].backward()
        return engine.build(use, xs)

    program = Program(_twice(engine, use, []), use.inputs, build, truth_of(use), len(use))
    return _unless_simpler(engine, use, program, twice=True)


def _afresh(engine: Engine, use: Expression, by_call: bool = False) -> Fault | None:
    """What is wrong if the gradients are set to 0 between the two."""

    def build(xs: Sequence[Any]) -> Any:
        engine.build(use, xs).backward()
        for x in xs:
            if by_call:
                x.zero_grad()
            else:
                x.grad = 0.0
        return engine.build(use, xs)

    clearing = [f"{name}.zero_grad()" if by_call else f"{name}.grad = 0.0" for name in use.names]
    return _unless_simpler(
        engine, use, Program(_twice(engine, use, clearing), use.inputs, build, truth_of(use), len(use))
    )


def _twice(engine: Engine, use: Expression, between: Sequence[str]) -> tuple[str, ...]:
    lines = engine.lines(use)
    return (*lines, BACKWARD, *between, *lines[len(use.inputs) :])


def _unless_simpler(engine: Engine, use: Expression, program: Program, twice: bool = False) -> Fault | None:
    """The fault of a program, if the expression alone has none."""
    value, gradients = program.truth
    if twice:
        program = program._replace(truth=Truth(value, tuple(_times(x, 2) for x in gradients)))
    fault = fault_of(engine, program)
    return fault if fault and fault_in(engine, use) is None else None


# Special points


class Special(NamedTuple):
    """A form at a point that needs care: its value, and the least and the largest derivative that are right there."""

    form: Form
    at: float
    value: float
    least: float
    most: float


def _one(name: str, at: float, value: float, least: float, most: float | None = None) -> Special:
    return Special(Form(name, ("x0",)), at, value, least, least if most is None else most)


def _power(at: float, exponent: float, value: float, slope: float) -> Special:
    return Special(Form("pow", ("x0", exponent)), at, value, slope, slope)


SPECIAL = (
    _one("relu", 0.0, 0.0, 0.0, 1.0),
    _one("abs", 0.0, 0.0, -1.0, 1.0),
    _power(0.0, 0, 1.0, 0.0),
    _power(0.0, 1, 0.0, 1.0),
    _power(0.0, 2, 0.0, 0.0),
    _power(-2.0, 3, -8.0, 12.0),
    _power(-2.0, -1, -0.5, -0.25),
    _one("tanh", 1000.0, 1.0, 0.0),
    _one("tanh", -1000.0, -1.0, 0.0),
    _one("sigmoid", 1000.0, 1.0, 0.0),
    _one("sigmoid", -1000.0, 0.0, 0.0),
    _one("exp", -1000.0, 0.0, 0.0),
    _one("softplus", 1000.0, 1000.0, 1.0),
    _one("softplus", -1000.0, 0.0, 0.0),
    _one("silu", -1000.0, 0.0, 0.0),
)


class Edge(NamedTuple):
    """A form at a point without a finite value: what IEEE 754 says there. It is as right to raise as Python does."""

    form: Form
    at: float
    value: float


EDGES = (
    Edge(Form("div", (1.0, "x0")), 0.0, math.inf),
    Edge(Form("pow", ("x0", -1)), 0.0, math.inf),
    Edge(Form("pow", ("x0", 0.5)), -2.0, math.nan),
    Edge(Form("exp", ("x0",)), 1000.0, math.inf),
    Edge(Form("log", ("x0",)), 0.0, -math.inf),
    Edge(Form("log", ("x0",)), -1.0, math.nan),
    Edge(Form("sqrt", ("x0",)), -1.0, math.nan),
)


def _special_points(engine: Engine) -> Iterator[Claim]:
    for point in SPECIAL if _can_differentiate(engine) else ():
        if _offered(engine, point.form):
            yield _special_claim(engine, point)
    for edge in EDGES:
        if _offered(engine, edge.form):
            yield _edge_claim(engine, edge)


def _offered(engine: Engine, form: Form) -> bool:
    """Whether the engine has the form, in this way of writing it."""
    alike = [own for own in _forms() if (own.operation, own.kind) == (form.operation, form.kind)]
    return engine.has(form) and any(not _refusal(engine, own) for own in alike)


def _at(engine: Engine, form: Form, x: float) -> tuple[str, Expression]:
    text = engine.text_of(form)
    return f"{text} at {x:g}", steps((x,), (form.operation, *form.operands))


def _special_claim(engine: Engine, point: Special) -> Claim:
    text, use = _at(engine, point.form, point.at)
    middle, half = (point.least + point.most) / 2, (point.most - point.least) / 2
    truth = Truth(Number(mpf(point.value), 1e-12), (Number(mpf(middle), half + 1e-12),))
    program = Program(tuple(engine.lines(use)), use.inputs, partial(engine.build, use), truth, 1)
    fault = fault_of(engine, program)
    if fault is None and half:
        slope = engine.run(use.inputs, program.build, 1).gradients[0]
        convention = "the convention" if slope == 0 else "the convention is 0"
        return _right("special points", text, f"its derivative is {_said(slope)}; {convention}")
    if fault and half:
        fault = fault._replace(
            expected=fault.expected.replace(f"= {middle:g}", f"in [{point.least:g}, {point.most:g}]")
        )
    return _judged("special points", text, fault)


def _edge_claim(engine: Engine, edge: Edge) -> Claim:
    text, use = _at(engine, edge.form, edge.at)
    code = tuple(engine.lines(use))
    expected = f"y.data = {edge.value}, or an error as Python's own arithmetic raises it"
    try:
        said = engine.run(use.inputs, partial(engine.build, use), 0).value
    except Refusal as refusal:
        if isinstance(refusal.error, (ArithmeticError, ValueError)):
            return _right("special points", text, f"raises {type(refusal.error).__name__}")
        return _judged("special points", text, Fault(code, refusal.sentence, expected, 1))
    if Number(mpf(edge.value)).admits(said):
        return _right("special points", text, f"gives {_said(said)}")
    return _judged("special points", text, Fault(code, f"y.data = {_said(said)}", expected, 1))


# Size


def _sizes(engine: Engine) -> Iterator[Claim]:
    """Graphs that are deep, wide, or have more paths than anybody can walk."""
    topic, name = "size", engine.name
    if ("add", "vv") in engine.sound:
        step, kind = "add", "vv"
        code = (f"x0 = {name}(1.0)", "y = x0", f"for _ in range({CHAIN:_}):", "    y = y + x0")
        right = _exactly(CHAIN + 1.0, CHAIN + 1.0)
        program = Program(code, (1.0,), lambda xs: _chain(engine, step, xs[0], kind), right, CHAIN)
        yield _judged(topic, f"a chain of {CHAIN:,} additions", fault_of(engine, program))
        code = (f"x0 = {name}(1.0)", "y = x0", f"for _ in range({DOUBLINGS}):", "    y = y + y")
        right = _exactly(2.0**DOUBLINGS, 2.0**DOUBLINGS)
        program = Program(code, (1.0,), lambda xs: _doubled(xs[0]), right, DOUBLINGS)
        yield _judged(topic, f"{DOUBLINGS} doublings, which are {2**DOUBLINGS:,} paths", fault_of(engine, program))
        yield _judged(topic, f"one value used {WIDE:,} times", fault_of(engine, _wide(engine)))
    elif ("mul", "vv") in engine.sound:
        code = (f"x0 = {name}(1.0)", "y = x0", f"for _ in range({CHAIN:_}):", "    y = y * x0")
        program = Program(
            code, (1.0,), lambda xs: _chain(engine, "mul", xs[0], "vv"), _exactly(1.0, CHAIN + 1.0), CHAIN
        )
        yield _judged(topic, f"a chain of {CHAIN:,} products", fault_of(engine, program))


def _exactly(value: float, gradient: float) -> Truth:
    return Truth(Number(mpf(value)), (Number(mpf(gradient)),))


def _chain(engine: Engine, name: str, x: Any, kind: str) -> Any:
    y = x
    for _ in range(CHAIN):
        y = engine.call(name, y, x)
    return y


def _doubled(x: Any) -> Any:
    for _ in range(DOUBLINGS):
        x = x + x
    return x


def _wide(engine: Engine) -> Program:
    """A balanced tree of additions, all of whose leaves are one value."""
    code = (
        f"x0 = {engine.name}(1.0)",
        f"row = [x0] * {WIDE:_}",
        "while len(row) > 1:",
        "    row = [a + b for a, b in zip(row[::2], row[1::2])]",
        "y = row[0]",
    )

    def build(xs: Sequence[Any]) -> Any:
        row = [xs[0]] * WIDE
        while len(row) > 1:
            row = [a + b for a, b in zip(row[::2], row[1::2], strict=True)]
        return row[0]

    return Program(code, (1.0,), build, _exactly(float(WIDE), float(WIDE)), WIDE - 1)


# Memory


def _memory(engine: Engine) -> Iterator[Claim]:
    """Whether a graph that is dropped is freed at once. That is worth knowing, and no fault if not."""
    freed = _is_freed(engine)
    if freed is not None:
        text = "a graph that is dropped is freed at once"
        if not freed:
            text = "a graph that is dropped waits for the garbage collector (reference cycles)"
        yield Claim("memory", text, "note")


def _is_freed(engine: Engine) -> bool | None:
    form = next((form for forms in engine.sound.values() for form in forms), None)
    if form is None:
        return None
    use = _uses(form)[0]
    collecting = gc.isenabled()
    gc.disable()
    try:
        y = engine.build(use, list(map(engine.number, use.inputs)))
        y.backward()
        y = weakref.ref(y)
        return y() is None
    except Exception:  # a class with slots may not allow weak references
        return None
    finally:
        if collecting:
            gc.enable()


CHECKS: tuple[Callable[[Engine], Iterator[Claim]], ...] = (
    _construction,
    _operations,
    _plain_numbers,
    _chain_rule,
    _accumulation,
    _backward,
    _special_points,
    _sizes,
    _memory,
)

__all__ = ["Claim", "EngineReport", "check_engine"]
