"""Is each operation right by itself? At ordinary points, with plain numbers, and where it is special.

The graphs of `claims_about_graphs.py` are made of the operations that are right here.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mpmath import mpf

from autograd.testing.engines.forms import ARITHMETIC, COMMON_METHODS, RARE, Form, exact, forms, uses
from autograd.testing.engines.programs import (
    Program,
    Trial,
    do,
    error_of,
    is_a,
    program,
    read,
    reading,
    refusal,
    said,
)
from autograd.testing.engines.report import NO_BACKWARD, Claim, Fault, judged, missing, right
from autograd.testing.engines.sweep import suspects
from autograd.testing.engines.their_engine import Engine
from autograd.testing.engines.their_side import Answer
from autograd.testing.engines.truth import Number, Truth, exactly
from autograd.testing.graphs.expression import Expression
from autograd.testing.offers import OPERATORS
from autograd.testing.truth.oracles import oracles

REFUSED = ("TypeError", "AttributeError", "AssertionError", "NotImplementedError")
"""What an operator raises for operands that it does not take."""
TAKEN_FOR_GRANTED = (("neg", "v"), ("add", "vv"), ("sub", "vv"), ("mul", "vv"), ("div", "vv"))
"""What an engine must take if it has the operator at all."""
POINTS_FOR_A_REFUSAL = 9
SIMPLE = 21


def program_of(engine: Engine, use: Expression) -> Program:
    """An expression as a program of that engine."""
    return program(engine.lines(use), engine.truth_of(use), len(use))


def trials_of(engine: Engine, uses: Iterable[Expression]) -> list[Trial]:
    """One trial for each expression: its value and its derivatives."""
    return [program_of(engine, use).trial for use in uses if engine.reaches(use)]


def construction(engine: Engine) -> Iterator[Claim]:
    """A number keeps what it is made from, and has no gradient yet."""
    yield from engine.habits
    for x in (2.0, 2, -0.5, 0, *((1e300,) if engine.slack == 1.0 else ())):
        if isinstance(x, int) and not engine.takes_ints:
            continue
        code = f"{engine.name}({x!r}).data"
        yield judged(f"{code} is {x!r}", engine.first_fault([reading((code,), code, "", x)]))
    if not engine.differentiates:
        near = f"did you mean {engine.near}()?" if engine.near else ""
        yield missing(f"{engine.name}.backward()", near, about=("pass", NO_BACKWARD))
        return
    if ".grad" in engine.spelling:
        return
    code = f"{engine.name}(2.0).grad"
    yield judged("grad starts at 0", engine.first_fault([reading((code,), code, "", 0)]))


# Values and derivatives


def values(engine: Engine) -> Iterator[Claim]:
    """The value of every form that the engine offers."""
    for form in forms():
        reason = _refusal(engine, form)
        if reason is not None:
            if form.operation in OPERATORS and form.operation not in RARE:
                yield missing(engine.text_of(form), reason, _about(form))
        elif own := _as_theirs(engine, form):
            programs = (program_of(engine, use) for use in _some(engine, uses(own)) if engine.reaches(use))
            fault = engine.first_fault(_value_alone(each).trial for each in programs)
            yield judged(engine.text_of(own), fault, _about(own))
            if fault is None:
                engine.computed.append(own)
    absent = [name for name in COMMON_METHODS if name not in engine.methods]
    if absent:
        yield missing(", ".join(f"x.{name}()" for name in absent), about=tuple(absent))


def _some(engine: Engine, uses: Sequence[Expression]) -> Sequence[Expression]:
    """The simple points and a third of the others: all are tried when the derivatives are, values included."""
    return (*uses[:SIMPLE], *uses[SIMPLE::3]) if engine.differentiates else uses


def _about(form: Form) -> tuple[str, ...]:
    """What a claim about the form bears on."""
    plain = "c" in form.kind and form.operation in ARITHMETIC
    return (form.operation, "plain") if plain else (form.operation,)


def _value_alone(program: Program) -> Program:
    (part,) = program.parts
    return program._replace(parts=(part._replace(truth=Truth(part.truth.value)),))


def _as_theirs(engine: Engine, form: Form) -> Form | None:
    """The form with what the engine itself decides: the slope of leaky_relu, the formula of gelu."""
    if form.operation not in ("leaky_relu", "gelu_tanh", "gelu"):
        return form
    number = _value_at(engine, form.at(-1.0))[-1].get("number")
    if number is None:
        return None if form.operation == "gelu_tanh" else form
    if form.operation == "leaky_relu":
        return Form("leaky_relu", ("x0", -number)) if -1.0 < number < 0.0 else form
    with exact():
        by_tanh = Number(oracles["gelu_tanh"].value(mpf(-1)), 1e-6).admits(number)
    return form if by_tanh == (form.operation == "gelu_tanh") else None


def _value_at(engine: Engine, use: Expression) -> Answer:
    return engine.ask([do(engine.lines(use)), read("y.data")])


def _refusal(engine: Engine, form: Form) -> str | None:
    """Why the engine does not offer the form, in words ("" if it has no such operation); None if it does."""
    if not engine.has(form):
        return ""
    if form.operation not in OPERATORS or (form.operation, form.kind) in TAKEN_FOR_GRANTED:
        return None
    reason = None
    for use in uses(form)[:POINTS_FOR_A_REFUSAL]:
        (entry,) = engine.ask([do(engine.lines(use))])
        if not is_a(entry, *REFUSED):
            return None
        reason = error_of(entry)
    return reason


def derivatives(engine: Engine) -> Iterator[Claim]:
    """The derivatives of the forms whose values are right. What is right in both is sound."""
    for form in engine.computed if engine.differentiates else ():
        fault = engine.first_fault(trials_of(engine, uses(form)))
        if fault is None and form.operation not in ARITHMETIC and "x1" not in form.operands:
            fault = engine.first_fault(trials_of(engine, suspects(engine, form)))
        yield judged(engine.text_of(form), fault, _about(form))
        if fault is None:
            engine.differentiated.append(form)
    # Not before: what is not sound is made theirs if it is a plain number, and would not be tried as it is.
    engine.sound = _sound(engine.differentiated)


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
            for name in ARITHMETIC
            for form in (Form(name, ("x0", number)), Form(name, (number, "x0")))
            if (name, form.kind) in engine.sound
        ]
        if mixed:
            text = f"operators take a {type(number).__name__} beside a {engine.name}".replace("a int", "an int")
            fault = engine.first_fault(trials_of(engine, (form.at(2.0) for form in mixed)))
            yield judged(text, fault, ("plain",))
    if ("add", "vv") in engine.sound and ("add", "cv") not in engine.sound:
        yield missing("Python's sum(), which begins with 0 + x", about=("plain",))
    elif ("add", "vv") in engine.sound:
        code = (*engine.inputs_as_lines((2.0, 3.0)), "y = sum([x0, x1])")
        fault = engine.first_fault([program(code, exactly(5.0, 1.0, 1.0), 2).trial])
        yield judged("Python's sum()", fault, ("plain",))


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
"""Forms at points without a finite value, and what IEEE 754 says there. To raise an ArithmeticError or a ValueError, as
Python's own functions do, is right too; so is the complex number that Python's own (-2) ** 0.5 gives."""
OVERFLOWS = 1000.0
"""So far out a textbook formula of a function that has a finite value, such as tanh from exp(2 x), may overflow."""


def special_points(engine: Engine) -> Iterator[Claim]:
    """Kinks, powers of 0 and of negative numbers, operands that overflow, and the edges of domains."""
    for point in SPECIAL:
        if _is_among(engine.differentiated, point.form):
            yield _special_claim(engine, point)
    for form, x, value in EDGES:
        if _is_among(engine.computed, form):
            yield _edge_claim(engine, form, x, value)


def _is_among(found: Iterable[Form], form: Form) -> bool:
    """Whether the form is right at ordinary points, in this way of writing it: a fault there would show here too."""
    return any((other.operation, other.kind) == (form.operation, form.kind) for other in found)


def _special_claim(engine: Engine, point: Special) -> Claim:
    form, x, value, least, most = point
    text = f"{engine.text_of(form)} at {x:g}"
    middle, half = (least + most) / 2, (most - least) / 2
    about = ("special", form.operation) if half else ("special",)
    truth = Truth(Number(mpf(value), 1e-12), (Number(mpf(middle), half + 1e-12),))
    there = program(engine.lines(form.at(x)), truth, 1)
    question, judge = there.trial
    answer = engine.ask(question.steps)
    fault = judge(answer)
    if fault and abs(x) >= OVERFLOWS and is_a(answer[-1], "OverflowError"):
        return Claim(text, "note", "raises OverflowError: its formula overflows")
    if fault and half:
        fault = fault._replace(expected=fault.expected.replace(f"= {middle:g}", f"in [{least:g}, {most:g}]"))
    if fault or not half:
        return judged(text, fault, about)
    slope = answer[-1]["number"]
    note = f"its derivative is {said(answer[-1])}; the convention{'' if slope == 0 else ' is 0'}"
    return right(text, note, about)


def _edge_claim(engine: Engine, form: Form, x: float, value: float) -> Claim:
    text = f"{engine.text_of(form)} at {x:g}"
    use = form.at(x)
    entry = _value_at(engine, use)[-1]
    about = ("special",)
    is_power = form.operation in ("pow", "sqrt")
    takes_no_complex = is_power and is_a(entry, "TypeError") and "complex" in entry["text"]
    if is_a(entry, "ArithmeticError", "ValueError") or takes_no_complex:
        return right(text, f"raises {entry['error']}", about)
    if "error" in entry:
        yours = refusal(entry, engine.lines(use))
    elif Number(value).admits(entry["number"]):
        return right(text, f"gives {said(entry)}", about)
    elif is_power and math.isnan(value) and entry["type"].startswith("complex"):
        return right(text, "gives a complex number, as Python's own ** does", about)
    else:
        yours = f"y.data = {said(entry)}"
    expected = f"y.data = {value}, or an error"
    return judged(text, Fault(engine.lines(use), yours, expected, 1), about)
