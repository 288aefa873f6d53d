"""How does Hypothesis draw a computation graph? As a list of instructions, each of which may use any earlier result.

Trees drawn by `st.recursive` cannot share a node, and most bugs of an engine are in shared nodes: of four seeded bugs
trees found none, instructions all. A reference beyond the last result means the last one, and whatever the result does
not depend on is left out. So Hypothesis can delete instructions freely, and shrinks to a few lines.

Nothing is ever rejected. An operation that does not fit its operands at the drawn point (`log` of a negative number)
gets other operands, or another operation takes its place.

Read `expressions` first; what it draws is in `expression.py`. Models are drawn by `nn/testing.py`.
"""

import difflib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from autograd import functions
from autograd.ieee754 import DOMAIN_ERRORS
from autograd.operations import Operation, operations as built_in
from autograd.reals import shown
from autograd.rules import WITH_INDEX
from autograd.testing.graphs.expression import Expression, Instruction, Operand, live_part
from autograd.testing.other_engines import OtherEngine
from autograd.value import Value

# fmt: off
SIMPLEST_FIRST = ("add", "mul", "sub", "neg", "div", "tanh", "exp", "sin", "cos", "pow", "dot", "sum")
"""The operations to which Hypothesis shrinks; the others follow in the order of the table of rules."""
OPERATORS = ("add", "mul", "sub", "neg", "div", "pow")
"""These are drawn more often: engines have code of their own for them, and more of it."""
SIMPLE_NUMBERS = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0, 0.0, -0.5, 4.0, 10.0)
CONSTANTS = (2.0, 1.0, 0.5, -1.0, 3.0, 0.0)
# fmt: on
LARGEST = 2.0**10  # of a number in a graph
SMALLEST = 2.0**-40  # that is not 0: so that no product of derivatives underflows
STEEPEST_RULE = 2.0**20  # of a finite local derivative
STEEPEST = 2.0**7  # of a smooth graph's results, per unit of the inputs
RADIUS = 2.0**-10  # of the neighbourhood in which a smooth graph is smooth
THIRD = 8  # choices for the third reference: six results and two constants
LEAST_PROGRAM = 3  # instructions, dead ones too: Hypothesis draws 5 more on average
MOST_TRIES = 20_000

# What is fine at a point?


def _side_of_quotient(x: float, y: float) -> Any:
    return y > 0, math.floor(x / y) if y else None


def _side_of_angle(y: float, x: float) -> Any:
    """The side of the cut along which the angle jumps from -pi to pi. The origin lies at its end."""
    return y > 0 if x <= 0 else None


def _sides(*xs: float) -> Any:
    return tuple(x > 0 for x in xs)


SIDES: dict[str, Callable[..., Any]] = {
    "div": lambda x, y: y > 0,
    "floor_divide": _side_of_quotient,
    "remainder": _side_of_quotient,
    "abs": _sides,
    "pow": lambda x, y: x > 0,
    "cbrt": _sides,
    "tan": lambda x: round(x / math.pi),
    "atan2": _side_of_angle,
    "relu": _sides,
    "leaky_relu": lambda x, negative_slope: x > 0,
    "elu": lambda x, alpha: x > 0,
    "maximum": lambda x, y: x > y,
    "minimum": lambda x, y: x > y,
    "max": lambda *xs: xs.index(max(xs)),
    "max_log_prob": lambda *xs: xs.index(max(xs)),
    "min": lambda *xs: xs.index(min(xs)),
    "clip": lambda x, low, high: (x < low, x > high, low < high),
    "where": lambda condition, x, y: (condition > 0) - (condition < 0),
    "sign": _sides,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "hypot": _sides,
    "norm": _sides,
}
"""On which side of its kinks, jumps and poles an operation is. The edge of a domain shows as a nan."""


class _Node(NamedTuple):
    """A number in the graph while it is being drawn.

    Attributes:
        value: the number.
        slope: a bound for how much it changes when every input changes by 1.
        parents: the name and the local derivative of each operand that is not a constant.
    """

    value: float
    slope: float = 1.0
    parents: tuple[tuple[str, float], ...] = ()


def _is_moderate(value: float, largest: float = LARGEST) -> bool:
    return value == 0.0 or SMALLEST <= abs(value) <= largest


def _node(instruction: Instruction, nodes: dict[str, _Node], smooth: bool) -> _Node | None:
    """What the instruction makes of the nodes, or None if it is not fine there."""
    operation, operands = instruction
    numbers = [nodes[x].value if isinstance(x, str) else x for x in operands]
    wanted = {place: x for place, x in enumerate(operands) if isinstance(x, str)}
    try:
        value = operation.evaluate(numbers)
        derivatives = operation.differentiate(value, numbers, list(wanted))
    except DOMAIN_ERRORS:  # a user's operation may raise them outside its domain
        return None
    edge = math.nan if smooth else math.inf  # a local derivative may be infinite there
    if not (_is_moderate(value) and all(_is_moderate(d, STEEPEST_RULE) or abs(d) == edge for d in derivatives)):
        return None
    slopes = {place: nodes[x].slope for place, x in wanted.items()}
    slope = sum(abs(d) * s for d, s in zip(derivatives, slopes.values(), strict=True) if d and s)
    if smooth and not (slope <= STEEPEST and _is_smooth(operation, numbers, slopes)):
        return None
    return _Node(value, slope, tuple(zip(wanted.values(), derivatives, strict=True)))


def _is_smooth(operation: Operation, numbers: list[float], slopes: dict[int, float]) -> bool:
    """Whether the operation stays on one side of its kinks, jumps, poles and edges while the inputs vary by RADIUS.

    Each operand is moved by itself, 4 times as far as it can vary. That makes up for the others, which vary too, and
    for a slope that varies.
    """
    side = SIDES.get(operation.name) if operation is built_in.get(operation.name) else None
    for place, slope in slopes.items():
        reach = 4.0 * RADIUS * max(1.0, slope)
        if side is None and operation is not built_in.get(operation.name):
            if not _is_steady(operation, numbers, place, reach):
                return False
            continue
        for step in (-reach, reach):
            moved = [*numbers[:place], numbers[place] + step, *numbers[place + 1 :]]
            if not math.isfinite(operation.evaluate(moved)) or (side and side(*moved) != side(*numbers)):
                return False
    return True


def _is_steady(operation: Operation, numbers: list[float], place: int, reach: float) -> bool:
    """Whether the derivative of a user's operation changes in small steps only: nobody has listed its kinks."""
    previous = None
    for k in range(-8, 9):
        moved = [*numbers[:place], numbers[place] + reach * k / 8.0, *numbers[place + 1 :]]
        try:
            value = operation.evaluate(moved)
            (derivative,) = operation.differentiate(value, moved, [place])
        except DOMAIN_ERRORS:
            return False
        if previous is not None:
            expected = previous[0] + (previous[1] + derivative) / 2.0 * reach / 8.0
            jump = max(abs(value - expected), abs(derivative - previous[1]))
            if not jump <= 0.2 * max(1.0, abs(derivative)):
                return False
        previous = value, derivative
    return True


def _is_fine(inputs: Sequence[float], instructions: Iterable[Instruction], smooth: bool) -> bool:
    """Whether every instruction is fine at these inputs, and the gradient is finite."""
    nodes = {f"x{i}": _Node(x) for i, x in enumerate(inputs)}
    for place, instruction in enumerate(instructions):
        node = _node(instruction, nodes, smooth)
        if node is None:
            return False
        nodes[f"t{place}"] = node
    return _has_finite_gradient(nodes)


def _has_finite_gradient(nodes: dict[str, _Node]) -> bool:
    """Whether the last node's gradient is finite. As everywhere, a contribution with a zero factor is 0."""
    adjoints = dict.fromkeys(nodes, 0.0)
    adjoints[next(reversed(nodes))] = 1.0
    for name, node in reversed(nodes.items()):
        for parent, derivative in node.parents:
            if derivative and adjoints[name]:
                adjoints[parent] += derivative * adjoints[name]
    return all(math.isfinite(adjoints[name]) for name, node in nodes.items() if not node.parents)


# Drawing

Step = tuple[int, int, int, int]
"""The place of an operation among the choices, two references, and a number for the rest: see `_operands`."""


class _Choice(NamedTuple):
    """What to draw from: see `expressions`.

    Attributes:
        operations, max_nodes, smooth: which operations, how many, and whether smooth.
        can_run: whether an engine offers an operation with such operands.
        last_resort: an expression of one operation if nothing fits.
    """

    operations: tuple[Operation, ...]
    max_nodes: int
    smooth: bool
    can_run: Callable[[Instruction], bool]
    last_resort: Expression


def _assembled(
    inputs: Sequence[float], program: Sequence[Step], choice: _Choice, edges: bool = True
) -> list[Instruction]:
    """The instructions that the program stands for at this point, dead code included.

    At the `edges` of a domain local derivatives are infinite. If no factor of 0 hides them, it starts again without.
    """
    nodes = {f"x{i}": _Node(x) for i, x in enumerate(inputs)}
    instructions: list[Instruction] = []
    for step in program:
        for instruction in _candidates(step, tuple(nodes), choice):
            node = _node(instruction, nodes, choice.smooth)
            if node is not None and (edges or math.isfinite(node.slope)):
                nodes[f"t{len(instructions)}"] = node
                instructions.append(instruction)
                break
    if _has_finite_gradient(nodes):
        return instructions
    hidden = _hidden(program[-1], nodes, choice) if len(instructions) < choice.max_nodes else None
    return [*instructions, hidden] if hidden else _assembled(inputs, program, choice, edges=False)


def _hidden(step: Step, nodes: dict[str, _Node], choice: _Choice) -> Instruction | None:
    """One more operation, on the last result, that hides an infinite slope by a factor of 0."""
    newest = next(reversed(nodes))
    for instruction in _candidates(step, (newest,), choice):
        node = _node(instruction, nodes, choice.smooth)
        if node is not None and _has_finite_gradient({**nodes, "hidden": node}):
            return instruction
    return None


def _candidates(step: Step, names: Sequence[str], choice: _Choice) -> Iterator[Instruction]:
    """What the step may mean: first what it says, then its operation on other operands, then other operations."""
    first, *references, rest = step
    third, shape = divmod(rest, 16)
    references.append(third if third < THIRD - 2 else THIRD - 3 - third)
    for turn in range(len(choice.operations)):
        operation = choice.operations[(first + turn) % len(choice.operations)]
        for shift in range(len(names)):
            instruction = Instruction(operation, _operands(operation, references, shape, names, shift))
            if choice.can_run(instruction):
                yield instruction


def _operands(
    operation: Operation, references: Sequence[int], shape: int, names: Sequence[str], shift: int
) -> tuple[Operand, ...]:
    """The operands that the references stand for: inputs and results by their place, constants where negative.

    A reference beyond the newest result means that one, so that little of a program is dead.
    """
    count, newest = len(operation.derivatives), len(names) - 1
    if operation.nary:
        count = 2 * (1 + shape % 2) + shape // 2 % 2 if operation.name == "dot" else 1 + shape % 4
    operands: list[Operand] = []
    for reference in itertools.islice(itertools.cycle(references), count):
        if reference < 0:
            operands.append(CONSTANTS[-reference - 1])
        else:
            operands.append(names[(min(reference, newest) + shift) % len(names)])
    if not any(isinstance(x, str) for x in operands):
        operands[0] = names[(newest + shift) % len(names)]
    if shape > 7:  # so that constants come first as often as last
        operands.reverse()
    return (*operands, shape // 4 % count) if operation.name in WITH_INDEX else tuple(operands)


def _without_dust(x: float) -> float:
    """x, or 0 where it is so small that products of it would underflow."""
    return x if abs(x) > 2.0**-10 else 0.0


NUMBERS = st.sampled_from(SIMPLE_NUMBERS) | st.floats(2.0**-10, 4.0) | st.floats(-4.0, -(2.0**-10))


def _programs(max_nodes: int, choices: Sequence[Operation]) -> st.SearchStrategy[list[Step]]:
    """Lists of instructions, in numbers."""
    reference = st.integers(-len(CONSTANTS), max_nodes + 1)
    recent = st.integers(-len(CONSTANTS), 6 * max_nodes)  # mostly the newest result: without this a third is dead
    several = [k for k, operation in enumerate(choices) if operation.nary or len(operation.derivatives) > 1]
    operators = [k for k, operation in enumerate(choices) if operation.name in OPERATORS] * 3
    place = st.sampled_from([*range(len(choices)), *several, *operators])  # what makes more than a chain, more often
    step = st.tuples(place, recent, reference, st.integers(0, 16 * THIRD - 1))
    least = min(LEAST_PROGRAM, max_nodes)
    return st.lists(step, min_size=least, max_size=max_nodes)


def _expression(inputs: Sequence[float], program: Sequence[Step], choice: _Choice, keep: bool) -> Expression:
    """The expression that the program stands for at this point."""
    instructions = _assembled(inputs, program, choice)
    if instructions:
        whole = Expression(tuple(inputs), tuple(instructions), choice.smooth)
        return live_part(whole, keep_inputs=keep)
    last = choice.last_resort
    return Expression(last.inputs * (len(inputs) if keep else 1), last.instructions, choice.smooth)


# The strategies


def expressions(
    max_nodes: int = 12,
    operations: Iterable[str | Operation | Callable[..., Any]] | None = None,
    smooth: bool | None = None,
    inputs: int | None = None,
    engine: OtherEngine | None = None,
) -> st.SearchStrategy[Expression]:
    """Random computation graphs, each with a point at which it has a finite value and a finite gradient.

    Nodes are shared, operands are repeated, and constants are mixed in. No example is ever rejected. Failures shrink to
    the fewest operations and to simple numbers.

    Every number in a graph is 0 or between 2**-40 and 2**10 in size. Unless `smooth` the point may lie on a kink
    or at the edge of a domain, and a local derivative may be infinite if a factor of 0 hides it (`sqrt(x*x)` at 0). The
    engine's convention there need not be what finite differences say.

    Arguments:
        max_nodes: the most operations that a graph may have.
        operations: what to draw from, the simplest first: names ("tanh"), public functions (`autograd.tanh`),
            `Operation`s, and functions made with `@autograd.operation`. By default all built-in operations.
        smooth: for finite differences: whether every operation stays away from its kinks, jumps, poles and edges
            while each input varies by 2**-10, and no result changes faster than 128 times the inputs. By default only
            with an engine.
        inputs: how many inputs each expression has; by default one to three, all of them used.
        engine: somebody else's engine, from `other_engine`: only operations that it offers are drawn, and the
            expressions run on its numbers and print as its code.

    Returns:
        a strategy of `Expression`s.

    Raises:
        ValueError: max_nodes or inputs is below 1, there are no operations, a name is unknown, or an operation is
            finite nowhere (with smooth: smooth nowhere), or not offered by the engine.
        TypeError: an argument is of another kind.

    >>> from autograd import tanh
    >>> from hypothesis import given
    >>> @given(expressions(operations=["add", "mul", tanh]))
    ... def test_backward_twice_gives_the_same_gradients(f):
    ...     xs = [Value(x) for x in f.inputs]
    ...     y = f(*xs)
    ...     y.backward()
    ...     once = [x.grad for x in xs]
    ...     y.zero_grad()
    ...     y.backward()
    ...     assert [x.grad for x in xs] == once
    >>> test_backward_twice_gives_the_same_gradients()
    """
    check_count("max_nodes", max_nodes)
    if inputs is not None:
        check_count("inputs", inputs)
    check_engine_argument("expressions", engine)
    chosen = _default(engine) if operations is None else _chosen(operations)
    smooth = engine is not None if smooth is None else bool(smooth)
    can_run = _anything if engine is None else engine.offers
    if engine is not None:
        engine.check_operations(operation.name for operation in chosen)
    choice = _Choice(chosen, max_nodes, smooth, can_run, _last_resort(chosen, smooth, can_run, engine))
    keep = inputs is not None
    points = st.lists(NUMBERS, min_size=inputs or 1, max_size=inputs or 3)
    drawn = st.tuples(points, _programs(max_nodes, chosen)).map(lambda both: _expression(*both, choice, keep))
    return drawn if engine is None else drawn.map(engine.expression)


def points(expression: Expression) -> st.SearchStrategy[tuple[float, ...]]:
    """Other points at which the expression is as fine as at its own. They shrink to `expression.inputs`.

    A point at which it is not is moved halfway towards `expression.inputs` until it is. If the expression was drawn
    with `smooth=True`, it is smooth around these points too.

    Arguments:
        expression: an `Expression`, usually one that `expressions()` drew.

    Returns:
        a strategy of tuples with a float for each input.

    Raises:
        TypeError: it is not an Expression.

    >>> from hypothesis import given, strategies as st
    >>> @given(st.data())
    ... def test_numbers_and_values_agree(data):
    ...     f = data.draw(expressions())
    ...     xs = data.draw(points(f))
    ...     assert f(*xs) == f(*map(Value, xs)).data
    >>> test_numbers_and_values_agree()
    """
    if not isinstance(expression, Expression):
        raise TypeError(f"points takes an Expression; got {shown(expression)} ({type(expression).__name__})")

    def nearest(offsets: tuple[float, ...]) -> tuple[float, ...]:
        for _ in range(60):
            xs = tuple(_without_dust(x + offset) for x, offset in zip(expression.inputs, offsets, strict=True))
            if _is_fine(xs, expression.instructions, expression.smooth):
                return xs
            offsets = tuple(offset / 2.0 for offset in offsets)
        return expression.inputs

    offset = st.floats(-4.0, 4.0)
    return st.tuples(*(offset for _ in expression.inputs)).map(nearest)


def values(
    min_value: float | None = None,
    max_value: float | None = None,
    *,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    labels: st.SearchStrategy[str] | None = None,
) -> st.SearchStrategy[Value]:
    """Leaves: Values of any finite number; each example is a new one.

    `st.from_type(Value)` and arguments annotated with `Value` use it, without an import of `autograd.testing`.

    Arguments:
        min_value, max_value: the bounds of the number, included; None for none.
        allow_nan, allow_infinity: whether these are drawn too.
        labels: a strategy of labels; by default they have none.

    Returns:
        a strategy of `Value`s.

    Raises:
        ValueError: min_value is above max_value, or an infinity or nan is allowed that the bounds exclude.

    >>> from hypothesis import given
    >>> @given(values(min_value=0.0))
    ... def test_the_square_of_a_root_is_close(x):
    ...     assert abs((x.sqrt() ** 2 - x).data) <= 1e-15 * x.data + 1e-300
    >>> test_the_square_of_a_root_is_close()
    """
    numbers = st.floats(min_value, max_value, allow_nan=allow_nan, allow_infinity=allow_infinity)
    numbers.validate()
    return st.builds(Value, numbers) if labels is None else st.builds(Value, numbers, label=labels)


# What the arguments may be


def check_count(name: str, count: Any) -> None:
    """Refuses what is not a whole number of at least 1."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} is a whole number; got {shown(count)} ({type(count).__name__})")
    if count < 1:
        raise ValueError(f"{name} is at least 1; got {count}")


def check_engine_argument(name: str, engine: Any) -> None:
    """Refuses what `other_engine` did not make."""
    if engine is not None and not isinstance(engine, OtherEngine):
        raise TypeError(
            f"{name} takes an engine that other_engine made; got {shown(engine)}: pass engine=other_engine(...)"
        )


def _anything(instruction: Instruction) -> bool:
    return True


def _default(engine: OtherEngine | None) -> tuple[Operation, ...]:
    names = built_in if engine is None else engine.operations
    return tuple(built_in[name] for name in dict.fromkeys((*SIMPLEST_FIRST, *built_in)) if name in names)


def _chosen(wanted: Any) -> tuple[Operation, ...]:
    """The operations that a user named in one of several ways, each once."""
    if isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise TypeError(f'operations is a list, such as ["add", "tanh"]; got {shown(wanted)} ({type(wanted).__name__})')
    chosen = tuple(dict.fromkeys(map(_one_operation, wanted)))
    if not chosen:
        raise ValueError("operations is an empty list: name at least one, or leave it out to draw from all")
    names = [operation.name for operation in chosen]
    for operation in chosen:
        if not operation.name.isidentifier():
            raise ValueError(
                f"the operation named {operation.name!r} cannot be printed as Python: give it another name"
            )
        if operation is not built_in.get(operation.name, operation) or names.count(operation.name) > 1:
            raise ValueError(f"two operations are named {operation.name!r}: give your own another name")
    return chosen


def _one_operation(wanted: Any) -> Operation:
    if isinstance(wanted, Operation):
        return wanted
    if isinstance(getattr(wanted, "operation", None), Operation):
        own: Operation = wanted.operation
        return own
    name = wanted
    if not isinstance(wanted, str):
        name = getattr(wanted, "__name__", "")
        if not callable(wanted) or getattr(functions, name, None) is not wanted or name not in built_in:
            raise TypeError(
                f"an operation is a name, a function of autograd, or one made by @autograd.operation; "
                f"got {shown(wanted)} ({type(wanted).__name__})"
            )
    if name not in built_in:
        close = difflib.get_close_matches(name, built_in, 1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; choose among {', '.join(built_in)}"
        raise ValueError(f"there is no operation {name!r}{hint}")
    return built_in[name]


def _last_resort(
    chosen: Sequence[Operation], smooth: bool, can_run: Callable[[Instruction], bool], engine: OtherEngine | None
) -> Expression:
    """An expression of one operation. Each has to be fine somewhere, or to be one that an engine has for two inputs."""
    alone = [_alone(operation, smooth, can_run) for operation in chosen]
    missing = [operation.name for operation, found in zip(chosen, alone, strict=True) if not found]
    if missing and (engine is None or not any(alone)):
        where = "smooth" if smooth else "finite"
        raise ValueError(
            f"the operation {missing[0]} is {where} at none of the simple numbers tried, such as 1.0 and 0.5: "
            f"leave it out of operations"
        )
    return next(filter(None, alone))


def _alone(operation: Operation, smooth: bool, can_run: Callable[[Instruction], bool]) -> Expression | None:
    """The operation by itself, at the first simple number where it is fine, with constants if it needs them."""
    for number, operands in itertools.islice(_simple_uses(operation), MOST_TRIES):
        instruction = Instruction(operation, operands)
        if can_run(instruction) and _is_fine((number,), (instruction,), smooth):
            return Expression((number,), (instruction,), smooth)
    return None


def _simple_uses(operation: Operation) -> Iterator[tuple[float, tuple[Operand, ...]]]:
    """Numbers x0, and operands for the operation of which at least one is x0."""
    choices: tuple[Operand, ...] = ("x0", *CONSTANTS)
    counts = (2,) if operation.name == "dot" else (1, 2, 3) if operation.nary else (len(operation.derivatives),)
    index: tuple[Operand, ...] = (0,) if operation.name in WITH_INDEX else ()
    for count in counts:
        for operands in itertools.product(choices, repeat=count):
            if "x0" in operands:
                for number in SIMPLE_NUMBERS:
                    yield number, (*operands, *index)
