"""Is an engine's answer to one program right, and if not, what is said of it?"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from autograd.testing.engines.report import Fault
from autograd.testing.engines.running import Refusal, attempt
from autograd.testing.engines.their_engine import Engine
from autograd.testing.engines.truth import Number, Truth, said, truth_of
from autograd.testing.graphs.expression import Expression

BACKWARD = "y.backward()"


class Program(NamedTuple):
    """Code that computes `y` from inputs, what it does, what is right, and how many operations it has."""

    code: tuple[str, ...]
    inputs: tuple[float, ...]
    build: Callable[[list[Any]], Any]
    truth: Truth
    size: int


def program_of(engine: Engine, use: Expression) -> Program:
    """An expression as a program of that engine."""
    return Program(engine.lines(use), use.inputs, partial(engine.build, use), truth_of(use), len(use))


def written(engine: Engine, inputs: tuple[float, ...], lines: tuple[str, ...], truth: Truth, size: int) -> Program:
    """A program that is what its lines say; they make y of x0, x1, ..."""

    def build(xs: list[Any]) -> Any:
        names = {f"x{place}": x for place, x in enumerate(xs)}
        exec("\n".join(lines), names)
        return names["y"]

    return Program((*engine.inputs_as_lines(inputs), *lines), inputs, build, truth, size)


def fault_of(engine: Engine, program: Program) -> Fault | None:
    """What is wrong with an engine's value or gradients of a program."""
    code, inputs, build, (value, gradients), size = program
    try:
        built = engine.forward(inputs, build)
    except Refusal as refusal:
        return Fault(code, refusal.sentence, f"y.data = {value}", size)
    if not value.admits(built.data):
        return Fault(code, f"y.data = {said(built.data)}", f"y.data = {value}", size)
    if not gradients:
        return None
    try:
        found = engine.gradients(built)
    except Refusal as refusal:
        return Fault((*code, BACKWARD), refusal.sentence, f"x0.grad = {gradients[0]}", size)
    for place, (yours, right) in enumerate(zip(found, gradients, strict=True)):
        if not right.admits(yours):
            grad = f"x{place}.grad"
            return Fault((*code, BACKWARD), f"{grad} = {said(yours)}", f"{grad} = {right}", size)
    return None


def fault_in(engine: Engine, *uses: Expression) -> Fault | None:
    """What is wrong with an engine's value or gradients of the first of these expressions that it gets wrong."""
    return first(fault_of(engine, program_of(engine, use)) for use in uses)


def value_fault_in(engine: Engine, *uses: Expression) -> Fault | None:
    """What is wrong with its values alone."""
    programs = (program_of(engine, use) for use in uses)
    return first(fault_of(engine, program._replace(truth=Truth(program.truth.value))) for program in programs)


def fault_when_read(code: tuple[str, ...], name: str, read: Callable[[], Any], right: float) -> Fault | None:
    """What is wrong with one number that their code gives; `name` is what it is called, such as "x0.grad = "."""
    number = Number(right)
    try:
        x = attempt(read)
    except Refusal as refusal:
        return Fault(code, refusal.sentence, f"{name}{right!r}")
    return None if number.admits(x) else Fault(code, f"{name}{said(x)}", f"{name}{right!r}")


def first(faults: Iterable[Fault | None]) -> Fault | None:
    """The first fault, if there is one."""
    return next(filter(None, faults), None)
