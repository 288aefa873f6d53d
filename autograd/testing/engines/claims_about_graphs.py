"""Is a graph of several operations right? The chain rule, accumulation, what `backward()` leaves behind, size, memory.

Each claim uses operations that are right by themselves, so that a fault is named where it is and not where it shows.
"""

from collections.abc import Iterator, Sequence

from autograd.operations import operations as built_in
from autograd.testing.differences.function_values import same_number
from autograd.testing.engines.claims_about_operations import program_of, trials_of
from autograd.testing.engines.forms import Form, Step, steps, uses
from autograd.testing.engines.process import Question
from autograd.testing.engines.programs import BACKWARD, Part, Program, Trial, do, program, read, reading, said
from autograd.testing.engines.report import Claim, Fault, judged, missing, right
from autograd.testing.engines.running import LINES
from autograd.testing.engines.search import search, smallest
from autograd.testing.engines.their_engine import IN_PLACE, Engine
from autograd.testing.engines.their_side import Answer
from autograd.testing.engines.truth import exactly
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
        if found := engine.first_fault(trials_of(engine, after)):
            faults[form] = found
    text = "an operation multiplies by the gradient that reaches it"
    if not faults:
        yield right(text, about=("chain",))
        return
    (_, fault), *others = faults.items()
    note = f"The same with {', '.join(engine.text_of(form) for form, _ in others)}." if others else ""
    yield judged(text, fault._replace(note=note), ("chain", *dict.fromkeys(form.operation for form in faults)))
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


NUMBERS_USED_TWICE = (3.0, -0.5, 1e10, 0.0)


def accumulation(engine: Engine) -> Iterator[Claim]:
    """Values that are used more than once, in well-known graphs and then in random ones."""
    about = ("accumulation",)
    pairs = [name for name in ("add", "mul", "sub", "div") if (name, "vv") in engine.sound]
    for name in pairs:
        twice = (steps((x,), (name, "x0", "x0")) for x in NUMBERS_USED_TWICE if x or name != "div")
        yield judged(f"x {built_in[name].symbol} x", engine.first_fault(trials_of(engine, twice)), about)
    branches = _sound_steps(engine, BRANCHES)
    if pairs and len(branches) > 1:
        for text, use in _known_graphs(branches[0], branches[1], pairs[0]):
            yield judged(text, engine.first_fault(trials_of(engine, [use])), about)
    if engine.sound:
        fault, blamed = smallest(engine, lambda use: program_of(engine, use).trial, every=1)
        if blamed:  # it is wrong by itself, at a point where it was not yet tried
            yield judged(f"{blamed} at a point of a random graph", fault, (blamed,))
        else:
            yield judged("random graphs", fault, about)
        yield from _in_place(engine)
        fault = search(engine, lambda use: _moves(engine, use))
        yield judged("the same graph gives the same numbers each time", fault, ("steady",))


def _in_place(engine: Engine) -> Iterator[Claim]:
    """`x += y` and the like, where the class has methods for them: they must not forget the graph."""
    x0_x1 = engine.inputs_as_lines((2.0, 3.0))
    for name, method in IN_PLACE.items():
        if method in engine.attributes and (name, "vv") in engine.sound:
            symbol = built_in[name].symbol
            alone = steps((2.0, 3.0), (name, "x0", "x1"))
            twice = steps((2.0, 3.0), (name, "x0", "x1"), (name, "t0", "x1"))
            trials = [
                program((*x0_x1, first, f"y {symbol}= x1"), engine.truth_of(use), len(use)).trial
                for first, use in ((f"y = x0 {symbol} x1", twice), ("y = x0", alone))
            ]
            yield judged(f"x {symbol}= y", engine.first_fault(trials), (name,))


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


def _moves(engine: Engine, use: Expression) -> Trial:
    """What changes when the same graph is built again."""
    code = engine.lines(use)
    once = [do(code), read("y.data"), {"do": BACKWARD}, *(read(f"{name}.grad") for name in use.names)]

    def fault(answer: Answer) -> Fault | None:
        if "error" in answer[-1]:
            return None
        first, second = answer[: len(once)], answer[len(once) :]
        for step, one, other in zip(once, first, second, strict=True):
            if "number" in one and _differ(one["number"], other["number"]):
                yours = f"{step['read']} = {one['shown']}, and next time {other['shown']}"
                return Fault((*code, BACKWARD), yours, "the same twice", len(use))
        return None

    return Trial(Question([*once, *once], LINES), fault)


def _differ(one: float | None, other: float | None) -> bool:
    """Whether two numbers differ by more than the rounding of sums, whose order may be that of a set."""
    if one is None or other is None:
        return one is not other
    return not (same_number(one, other) or abs(one - other) <= 2.0**-40 * abs(one))


# What backward() leaves behind


def backward(engine: Engine) -> Iterator[Claim]:
    """Gradients that add up where they should, and nothing else that changes."""
    if not engine.differentiates:
        return
    leaf = reading((*engine.inputs_as_lines((2.0,)), "x0.backward()"), "x0.grad", "x0.grad = ", 1)
    about = ("pass",)
    yield judged("backward() of a leaf gives it the gradient 1", engine.first_fault([leaf]), about)
    if not engine.sound:
        return
    fault = search(engine, lambda use: _second(engine, use).trial)
    if fault:
        fault = fault._replace(note=f"After the first call it is right.{fault.note}")
    yield judged("a second backward() adds the same again", fault, ("twice",))
    yield judged("backward() changes no data", search(engine, lambda use: _changed(engine, use)), about)
    yield judged(
        "two graphs with a common leaf add up in it", search(engine, lambda use: _shared(engine, use).trial), about
    )
    if ".grad" not in engine.spelling:
        fault = search(engine, lambda use: _afresh(engine, use, "grad = 0.0").trial)
        yield judged("grad = 0 starts afresh", fault, about)
    if "zero_grad" in engine.attributes:
        fault = search(engine, lambda use: _afresh(engine, use, "zero_grad()").trial)
        yield judged("zero_grad() starts afresh", fault, ("zero_grad",))
    else:
        yield missing("zero_grad()", about=("zero_grad",))


def _changed(engine: Engine, use: Expression) -> Trial:
    """What backward() changes in the data of the inputs and of the result."""
    code = engine.lines(use)
    names = (*use.names, "y")
    data = [read(f"{name}.data") for name in names]

    def fault(answer: Answer) -> Fault | None:
        if "error" in answer[-1]:
            return None
        before, after = answer[1 : 1 + len(names)], answer[2 + len(names) :]
        for name, x, now in zip(names, before, after, strict=True):
            if x["shown"] != now["shown"]:
                yours, expected = f"{name}.data = {said(now)} afterwards", f"{name}.data = {said(x)}"
                return Fault((*code, BACKWARD), yours, expected, len(use))
        return None

    return Trial(Question([do(code), *data, {"do": BACKWARD}, *data], LINES), fault)


def _second(engine: Engine, use: Expression) -> Program:
    """Two calls of backward()."""
    once = program_of(engine, use)
    return once._replace(parts=(*once.parts, Part((), engine.truth_of(use).twice())))


def _shared(engine: Engine, use: Expression) -> Program:
    """The same graph, built a second time on the same leaves."""
    once = program_of(engine, use)
    return once._replace(parts=(*once.parts, Part(engine.operations_as_lines(use), engine.truth_of(use).twice())))


def _afresh(engine: Engine, use: Expression, line: str) -> Program:
    """The same, where the line sets the gradients to 0 in between."""
    once = program_of(engine, use)
    code = (*(f"{name}.{line}" for name in use.names), *engine.operations_as_lines(use))
    return once._replace(parts=(*once.parts, Part(code, engine.truth_of(use))))


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


LARGE_GRAPH = 4.0
"""Four times as patient: some search a list for each node, which is slow and not wrong."""


def size(engine: Engine) -> Iterator[Claim]:
    """Graphs that are deep, or wide, or have more paths than can be walked."""
    x0 = engine.inputs_as_lines((1.0,))
    if ("add", "vv") in engine.sound:
        for text, code, times, operations in ADDITIONS:
            large = program((*x0, *code.split("\n")), exactly(times, times), operations, LARGE_GRAPH)
            yield judged(text, engine.first_fault([large.trial]), ("size",))
    elif ("mul", "vv") in engine.sound:
        code = f"y = x0\nfor _ in range({CHAIN:_}):\n    y = y * x0"
        large = program((*x0, *code.split("\n")), exactly(1.0, CHAIN + 1), CHAIN, LARGE_GRAPH)
        yield judged(f"a chain of {CHAIN:,} products", engine.first_fault([large.trial]), ("size",))


def memory(engine: Engine) -> Iterator[Claim]:
    """Whether a graph that is dropped is freed at once. That is worth knowing, but it is no fault if it is not."""
    form = next((form for forms in engine.sound.values() for form in forms), None)
    if form is None:
        return
    before = ("import gc, weakref", "gc.disable()", *engine.lines(uses(form)[0]), BACKWARD)
    code = "\n".join((*before, "dropped = weakref.ref(y)", "del y", "freed = dropped() is None", "gc.enable()"))
    entry = engine.ask([{"do": code}, read("freed")])[-1]
    if "error" in entry:  # a class with slots may not allow weak references
        return
    how = "is freed at once" if entry["number"] else "waits for the garbage collector (reference cycles)"
    yield Claim(f"a graph that is dropped {how}", "note")
