"""Is each operation right by itself? At ordinary points, with plain numbers, and where it is special.

The graphs of `claims_about_graphs.py` are made of the operations that are right here.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from mpmath import mpf

from autograd.reals import real_or_none
from autograd.testing.engines.forms import BITS, COMMON_METHODS, OPERATORS, RARE, Form, forms, uses
from autograd.testing.engines.programs import (
    Program,
    fault_in,
    fault_of,
    fault_when_read,
    value_fault_in,
    written,
)
from autograd.testing.engines.report import Claim, Fault, judged, missing, right
from autograd.testing.engines.running import NotTheirsError, Refusal, attempt
from autograd.testing.engines.their_engine import Engine
from autograd.testing.engines.truth import Number, Truth, exactly, said
from autograd.testing.truth.oracles import oracles, precision

REFUSED = (TypeError, AttributeError, AssertionError, NotImplementedError)
"""What an operator raises for operands that it does not take."""
TAKEN_FOR_GRANTED = (("neg", "v"), ("add", "vv"), ("sub", "vv"), ("mul", "vv"), ("div", "vv"))
"""What an engine must take if it has the operator at all."""


def construction(engine: Engine) -> Iterator[Claim]:
    """A number keeps what it is made from, and has no gradient yet."""
    for x in (2.0, 2, -0.5, 0, 1e300):
        code = f"{engine.name}({x!r}).data"
        fault = fault_when_read((code,), "", lambda x=x: engine.ValueClass(x).data, x)  # type: ignore[misc]
        yield judged(f"{code} is {x!r}", fault)
    if not engine.differentiates:
        yield missing(f"{engine.name}.backward(), so that no derivative can be judged")
        return
    code = f"{engine.name}(2.0).grad"
    yield judged("grad starts at 0", fault_when_read((code,), "", lambda: engine.ValueClass(2.0).grad, 0))


# Values and derivatives


def values(engine: Engine) -> Iterator[Claim]:
    """The value of every form that the engine offers."""
    for form in forms():
        refusal = _refusal(engine, form)
        if refusal is not None:
            if form.operation in OPERATORS and form.operation not in RARE:
                yield missing(engine.text_of(form), refusal)
        elif own := _as_theirs(engine, form):
            fault = value_fault_in(engine, *uses(own))
            yield judged(engine.text_of(own), fault)
            if fault is None:
                engine.computed.append(own)
    methods = [f"x.{name}()" for name in COMMON_METHODS if name not in engine.methods]
    if methods:
        yield missing(", ".join(methods))


def _as_theirs(engine: Engine, form: Form) -> Form | None:
    """The form with what the engine itself decides: the slope of leaky_relu, the formula of gelu."""
    if form.operation not in ("leaky_relu", "gelu_tanh", "gelu"):
        return form
    try:
        y = attempt(lambda: engine.call(form.operation, engine.ValueClass(-1.0)).data)
    except Refusal:
        return None if form.operation == "gelu_tanh" else form
    if form.operation == "leaky_relu":
        slope = real_or_none(y)
        return Form("leaky_relu", ("x0", -slope)) if slope is not None and -1.0 < slope < 0.0 else form
    with precision(BITS):
        by_tanh = Number(oracles["gelu_tanh"].value(mpf(-1)), 1e-6).admits(y)
    return form if by_tanh == (form.operation == "gelu_tanh") else None


def _refusal(engine: Engine, form: Form) -> str | None:
    """Why the engine does not offer the form, in words ("" if it has no such operation); None if it does."""
    if not engine.has(form):
        return ""
    if form.operation not in OPERATORS or (form.operation, form.kind) in TAKEN_FOR_GRANTED:
        return None
    for use in uses(form):
        try:
            engine.built(use)
            return None
        except Refusal as refusal:
            if not isinstance(refusal.error, REFUSED) or isinstance(refusal.error, NotTheirsError):
                return None
            reason = str(refusal)
    return reason


def derivatives(engine: Engine) -> Iterator[Claim]:
    """The derivatives of the forms whose values are right. What is right in both is sound."""
    found = []
    for form in engine.computed if engine.differentiates else ():
        fault = fault_in(engine, *uses(form))
        yield judged(engine.text_of(form), fault)
        if fault is None:
            found.append(form)
    engine.sound = _sound(
        found
    )  # not before: unsound plain numbers are made theirs, and would not be tried as they are


def _sound(found: Sequence[Form]) -> dict[tuple[str, str], list[Form]]:
    """The forms by operation and kind; `x ** c` only if each exponent that is tried is right."""
    sound: dict[tuple[str, str], list[Form]] = {}
    for form in found:
        sound.setdefault((form.operation, form.kind), []).append(form)
    power = ("pow", "vc")
    if len(sound.get(power, [])) < len(_alike(*power)):
        sound.pop(power, None)
    return sound


def _alike(operation: str, kind: str) -> list[Form]:
    """The forms that differ in their plain numbers alone."""
    return [form for form in forms() if (form.operation, form.kind) == (operation, kind)]


# Plain numbers


def plain_numbers(engine: Engine) -> Iterator[Claim]:
    """The same with plain numbers of each of Python's types."""
    for number in (3, 0.5, True):
        mixed = [
            form
            for name in ("add", "sub", "mul", "div")
            for form in (Form(name, ("x0", number)), Form(name, (number, "x0")))
            if (name, form.kind) in engine.sound
        ]
        if mixed:
            text = f"operators take a {type(number).__name__} beside a {engine.name}".replace("a int", "an int")
            yield judged(text, fault_in(engine, *(form.at(2.0) for form in mixed)))
    if ("add", "vv") in engine.sound and ("add", "cv") not in engine.sound:
        yield missing("Python's sum(), which begins with 0 + x")
    elif ("add", "vv") in engine.sound:
        program = written(engine, (2.0, 3.0), ("y = sum([x0, x1])",), exactly(5.0, 1.0, 1.0), 2)
        yield judged("Python's sum()", fault_of(engine, program))


# Special points


class Special(NamedTuple):
    """A form at a point that needs care: its value, and the least and the largest derivative that are right there."""

    form: Form
    at: float
    value: float
    least: float
    most: float


SPECIAL = (
    Special(Form("relu", ("x0",)), 0.0, 0.0, 0.0, 1.0),
    Special(Form("abs", ("x0",)), 0.0, 0.0, -1.0, 1.0),
    Special(Form("pow", ("x0", 0)), 0.0, 1.0, 0.0, 0.0),
    Special(Form("pow", ("x0", 1)), 0.0, 0.0, 1.0, 1.0),
    Special(Form("pow", ("x0", 2)), 0.0, 0.0, 0.0, 0.0),
    Special(Form("pow", ("x0", 3)), -2.0, -8.0, 12.0, 12.0),
    Special(Form("pow", ("x0", -1)), -2.0, -0.5, -0.25, -0.25),
    Special(Form("tanh", ("x0",)), 1000.0, 1.0, 0.0, 0.0),
    Special(Form("tanh", ("x0",)), -1000.0, -1.0, 0.0, 0.0),
    Special(Form("sigmoid", ("x0",)), 1000.0, 1.0, 0.0, 0.0),
    Special(Form("sigmoid", ("x0",)), -1000.0, 0.0, 0.0, 0.0),
    Special(Form("exp", ("x0",)), -1000.0, 0.0, 0.0, 0.0),
    Special(Form("softplus", ("x0",)), 1000.0, 1000.0, 1.0, 1.0),
    Special(Form("softplus", ("x0",)), -1000.0, 0.0, 0.0, 0.0),
    Special(Form("silu", ("x0",)), -1000.0, 0.0, 0.0, 0.0),
)
EDGES = (
    (Form("div", (1.0, "x0")), 0.0, math.inf),
    (Form("pow", ("x0", -1)), 0.0, math.inf),
    (Form("pow", ("x0", 0.5)), -2.0, math.nan),
    (Form("exp", ("x0",)), 1000.0, math.inf),
    (Form("log", ("x0",)), 0.0, -math.inf),
    (Form("log", ("x0",)), -1.0, math.nan),
    (Form("sqrt", ("x0",)), -1.0, math.nan),
)
"""Forms at points without a finite value, and what IEEE 754 says there. To raise as Python does is right too."""


def special_points(engine: Engine) -> Iterator[Claim]:
    """Kinks, powers of 0 and of negative numbers, operands that overflow, and the edges of domains."""
    for point in SPECIAL if engine.differentiates else ():
        if _offered(engine, point.form):
            yield _special_claim(engine, point)
    for form, x, value in EDGES:
        if _offered(engine, form):
            yield _edge_claim(engine, form, x, value)


def _offered(engine: Engine, form: Form) -> bool:
    """Whether the engine has the form, in this way of writing it."""
    return any(_refusal(engine, own) is None for own in _alike(form.operation, form.kind))


def _special_claim(engine: Engine, point: Special) -> Claim:
    form, x, value, least, most = point
    text = f"{engine.text_of(form)} at {x:g}"
    use = form.at(x)
    middle = (least + most) / 2
    half = (most - least) / 2
    truth = Truth(Number(mpf(value), 1e-12), (Number(mpf(middle), half + 1e-12),))
    fault = fault_of(engine, Program(engine.lines(use), use.inputs, partial(engine.build, use), truth, 1))
    if half == 0.0:
        return judged(text, fault)
    if fault:
        interval = fault.expected.replace(f"= {middle:g}", f"in [{least:g}, {most:g}]")
        return judged(text, fault._replace(expected=interval))
    (slope,) = engine.gradients(engine.built(use))
    return right(text, f"its derivative is {said(slope)}; the convention{'' if slope == 0 else ' is 0'}")


def _edge_claim(engine: Engine, form: Form, x: float, value: float) -> Claim:
    text = f"{engine.text_of(form)} at {x:g}"
    use = form.at(x)
    try:
        y = engine.built(use).data
        if Number(value).admits(y):
            return right(text, f"gives {said(y)}")
        yours = f"y.data = {said(y)}"
    except Refusal as refusal:
        if isinstance(refusal.error, ArithmeticError | ValueError):
            return right(text, f"raises {type(refusal.error).__name__}")
        yours = refusal.sentence
    expected = f"y.data = {value}, or an error as Python's own arithmetic raises it"
    return judged(text, Fault(engine.lines(use), yours, expected, 1))
