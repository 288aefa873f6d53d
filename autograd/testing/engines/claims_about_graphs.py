"""Is a graph of several operations right? The chain rule, accumulation, what `backward()` leaves behind, size, memory.

Each claim uses operations that are right by themselves, so that a fault is named where it is and not where it shows.
"""

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from autograd.operations import operations as built_in
from autograd.reals import shown
from autograd.testing.engines.forms import Form, Step, steps, uses
from autograd.testing.engines.programs import (
    BACKWARD,
    Program,
    fault_in,
    fault_of,
    fault_when_read,
    program_of,
    written,
)
from autograd.testing.engines.report import Claim, Fault, judged, missing, right
from autograd.testing.engines.running import Refusal, attempt
from autograd.testing.engines.search import search
from autograd.testing.engines.their_engine import Engine
from autograd.testing.engines.truth import Truth, exactly, said
from autograd.testing.graphs.expression import Expression, Operand

# The chain rule

OUTER: tuple[Step, ...] = (
    ("mul", "x", 3.0),
    ("mul", 3.0, "x"),
    ("neg", "x"),
    ("div", "x", 2.0),
    ("tanh", "x"),
    ("sigmoid", "x"),
    ("exp", "x"),
    ("sin", "x"),
    ("pow", "x", 2.0),
)
"""Something to do with a result that has another derivative than 1."""


def _sound_steps(engine: Engine, wanted: Sequence[Step]) -> list[Step]:
    return [step for step in wanted if engine.can(step[0], step[1:])]


def _of(step: Step, x: Operand) -> Step:
    """The step on a result, such as "t0"."""
    return tuple(x if operand == "x" else operand for operand in step)


def chain_rule(engine: Engine) -> Iterator[Claim]:
    """Each operation followed by another. Those that fail no longer count as sound."""
    outer = [_of(step, "t0") for step in _sound_steps(engine, OUTER)[:2]]
    alone = [form for forms in engine.sound.values() for form in forms]
    if not alone:
        return
    if not outer:
        yield missing("no operation to apply to the result of another")
        return
    faults: dict[Form, Fault] = {}
    for form in alone:
        after = (steps(use.inputs, form.step, step) for step in outer for use in uses(form)[:4])
        if found := fault_in(engine, *after):
            faults[form] = found
    text = "an operation multiplies by the gradient that reaches it"
    if not faults:
        yield right(text)
        return
    (_, fault), *others = faults.items()
    note = f"The same with {', '.join(engine.text_of(form) for form, _ in others)}." if others else ""
    yield judged(text, fault._replace(note=note))
    for form in faults:
        engine.sound.pop((form.operation, form.kind), None)


# Accumulation

BRANCHES: tuple[Step, ...] = (
    ("mul", "x", 2.0),
    ("mul", "x", 3.0),
    ("neg", "x"),
    ("add", "x", 1.0),
    ("tanh", "x"),
    ("exp", "x"),
    ("sigmoid", "x"),
    ("sin", "x"),
    ("relu", "x"),
)
"""Operations of one value, the plainest first."""


def accumulation(engine: Engine) -> Iterator[Claim]:
    """Values that are used more than once, in well-known graphs and then in random ones."""
    pairs = [name for name in ("add", "mul", "sub", "div") if (name, "vv") in engine.sound]
    for name in pairs:
        yield judged(f"x {built_in[name].symbol} x", fault_in(engine, steps((3.0,), (name, "x0", "x0"))))
    branches = _sound_steps(engine, BRANCHES)
    if pairs and len(branches) > 1:
        for text, use in _known_graphs(branches[0], branches[1], pairs[0]):
            yield judged(text, fault_in(engine, use))
    if engine.sound:
        yield judged("random graphs", search(engine, fault_in))
        yield judged("the same graph gives the same numbers each time", search(engine, _moves))


def _known_graphs(f: Step, g: Step, join: str) -> list[tuple[str, Expression]]:
    """Graphs of two branches and an operation that joins them."""
    waits = "a value waits for all its gradients, in"
    symbol = built_in[join].symbol
    fx, gb = _of(f, "x0"), _of(g, "t0")
    return [
        ("two operations use one value", steps((0.5,), fx, _of(g, "x0"), (join, "t0", "t1"))),
        ("a computed value is used twice (a diamond)", steps((0.5,), fx, gb, _of(f, "t0"), (join, "t1", "t2"))),
        (f"{waits} b {symbol} f(b)", steps((0.5,), fx, gb, (join, "t0", "t1"))),
        (f"{waits} f(b) {symbol} b", steps((0.5,), fx, gb, (join, "t1", "t0"))),
    ]


def _moves(engine: Engine, use: Expression) -> Fault | None:
    """What changes when the same graph is built again."""
    found = []
    try:
        for _ in range(2):
            built = engine.built(use)
            found.append([built.data, *engine.gradients(built)])
    except Refusal:
        return None
    for name, one, other in zip(("y.data", *(f"{x}.grad" for x in use.names)), *found, strict=True):
        if shown(one) != shown(other):
            yours = f"{name} = {shown(one)}, and next time {shown(other)}"
            return Fault((*engine.lines(use), BACKWARD), yours, "the same twice", len(use))
    return None


# What backward() leaves behind


def backward(engine: Engine) -> Iterator[Claim]:
    """Gradients that add up where they should, and nothing else that changes."""
    if not engine.differentiates:
        return
    yield judged("backward() of a leaf gives it the gradient 1", _leaf_fault(engine))
    if not engine.sound:
        return
    yield judged("a second backward() adds the same again", search(engine, _second))
    yield judged("backward() changes no data", search(engine, _changed))
    yield judged("two graphs with a common leaf add up in it", search(engine, _shared))
    yield judged("grad = 0 starts afresh", search(engine, partial(_afresh, line="grad = 0.0")))
    if hasattr(engine.ValueClass, "zero_grad"):
        yield judged("zero_grad() starts afresh", search(engine, partial(_afresh, line="zero_grad()")))
    else:
        yield missing("zero_grad()")


def _leaf_fault(engine: Engine) -> Fault | None:
    def gradient() -> Any:
        x = engine.ValueClass(2.0)
        x.backward()
        return x.grad

    return fault_when_read((f"x0 = {engine.name}(2.0)", "x0.backward()"), "x0.grad = ", gradient, 1)


def _changed(engine: Engine, use: Expression) -> Fault | None:
    """What backward() changes in the data of the inputs and of the result."""
    try:
        built = engine.built(use)
        nodes = dict(zip((*use.names, "y"), (*built.xs, built.y), strict=True))
        before = _data_of(nodes.values())
        engine.gradients(built)
        after = _data_of(nodes.values())
    except Refusal:
        return None
    for name, x, now in zip(nodes, before, after, strict=True):
        if shown(x) != shown(now):
            code = (*engine.lines(use), BACKWARD)
            return Fault(code, f"{name}.data = {said(now)} afterwards", f"{name}.data = {said(x)}", len(use))
    return None


def _data_of(nodes: Iterable[Any]) -> list[Any]:
    return [attempt(partial(getattr, node, "data")) for node in nodes]


def _second(engine: Engine, use: Expression) -> Fault | None:
    """What is wrong if backward() is called twice."""
    once = program_of(engine, use)
    fault = _fault_of_two(engine, once, (), lambda xs, y: y, once.truth.twice())
    return fault and fault._replace(note=f"After the first call it is right: {once.truth.gradients[0]}.")


def _shared(engine: Engine, use: Expression) -> Fault | None:
    """What is wrong if the same graph is built a second time on the same leaves."""
    once = program_of(engine, use)
    return _fault_of_two(engine, once, _without_inputs(once), lambda xs, y: once.build(xs), once.truth.twice())


def _afresh(engine: Engine, use: Expression, line: str) -> Fault | None:
    """What is wrong if the line sets the gradients to 0 between the two."""
    once = program_of(engine, use)

    def redo(xs: list[Any], y: Any) -> Any:
        for x in xs:
            exec(f"x.{line}", {"x": x})
        return once.build(xs)

    lines = (*(f"{name}.{line}" for name in use.names), *_without_inputs(once))
    return _fault_of_two(engine, once, lines, redo, once.truth)


def _without_inputs(program: Program) -> tuple[str, ...]:
    return program.code[len(program.inputs) :]


def _fault_of_two(
    engine: Engine, once: Program, lines: tuple[str, ...], redo: Callable[[list[Any], Any], Any], truth: Truth
) -> Fault | None:
    """The fault after a second backward(), if the first has none. In between `redo` does what the lines say."""

    def build(xs: list[Any]) -> Any:
        y = once.build(xs)
        y.backward()
        return redo(xs, y)

    both = once._replace(code=(*once.code, BACKWARD, *lines), build=build, truth=truth)
    fault = fault_of(engine, both)
    return fault if fault and fault_of(engine, once) is None else None


# Size and memory

CHAIN = 10_000
WIDE = 1_024
DOUBLINGS = 22
ADDITIONS = (
    (f"a chain of {CHAIN:,} additions", f"y = x0\nfor _ in range({CHAIN:_}):\n    y = y + x0", CHAIN + 1, CHAIN),
    (
        f"{DOUBLINGS} doublings, which are {2**DOUBLINGS:,} paths",
        f"y = x0\nfor _ in range({DOUBLINGS}):\n    y = y + y",
        2**DOUBLINGS,
        DOUBLINGS,
    ),
    (
        f"one value used {WIDE:,} times",
        f"row = [x0] * {WIDE:_}\n"
        "while len(row) > 1:\n"
        "    row = [a + b for a, b in zip(row[::2], row[1::2])]\n"
        "y = row[0]",
        WIDE,
        WIDE - 1,
    ),
)
"""Each with its program, how many times x0 = 1 is added, and how many operations that takes."""


def size(engine: Engine) -> Iterator[Claim]:
    """Graphs that are deep, or wide, or have more paths than can be walked."""
    if ("add", "vv") in engine.sound:
        for text, code, times, operations in ADDITIONS:
            program = written(engine, (1.0,), tuple(code.split("\n")), exactly(times, times), operations)
            yield judged(text, fault_of(engine, program))
    elif ("mul", "vv") in engine.sound:
        lines = ("y = x0", f"for _ in range({CHAIN:_}):", "    y = y * x0")
        program = written(engine, (1.0,), lines, exactly(1.0, CHAIN + 1), CHAIN)
        yield judged(f"a chain of {CHAIN:,} products", fault_of(engine, program))


def memory(engine: Engine) -> Iterator[Claim]:
    """Whether a graph that is dropped is freed at once. That is worth knowing, but it is no fault if it is not."""
    form = next((form for forms in engine.sound.values() for form in forms), None)
    if form is None:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        built = engine.built(uses(form)[0])
        engine.gradients(built)
        dropped = weakref.ref(built.y)
        del built
        how = "is freed at once" if dropped() is None else "waits for the garbage collector (reference cycles)"
    except (Refusal, TypeError):  # a class with slots may not allow weak references
        return
    finally:
        if collecting:
            gc.enable()
    yield Claim(f"a graph that is dropped {how}", "note")
