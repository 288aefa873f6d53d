"""What is the smallest graph that an engine gets wrong?

Graphs are tried by size: all small ones of the plainest operations, then random ones. So the first that fails is nearly
the smallest, and a large one is made smaller, an operation at a time. Their operations are right by themselves, and
away from their kinks and steep places.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random

from autograd.operations import operations as built_in
from autograd.testing.engines.forms import RARE, Step, steps
from autograd.testing.engines.programs import Trial
from autograd.testing.engines.report import Fault
from autograd.testing.engines.their_engine import Engine
from autograd.testing.graphs.expression import Expression, Instruction, live_part
from autograd.testing.offers import WITH_A_CONSTANT

RANDOM_GRAPHS = 120
LARGEST_GRAPH = 8
PLAINEST = ("add", "mul", "sub", "neg", "div", "tanh", "relu", "exp")
INPUTS = (2.0, 3.0, -0.5, 1.0, 0.5, -2.0, 1.5, 0.0)
CONSTANTS = (2.0, -1.0, 0.5)
LARGEST_NUMBER = 1_000.0
NEAR = 2.0**-6
"""No kink, jump or edge may be so near to an operand: rounding must not decide on which side it lies."""
TRIES = 20

Kind = tuple[str, str]


def search(engine: Engine, trial_of: Callable[[Expression], Trial], every: int = 3) -> Fault | None:
    """The fault of the first graph that has one, made smaller as long as it has one.

    Arguments:
        every: only one of so many graphs is tried, after those of one operation.
    """
    return smallest(engine, trial_of, every)[0]


def smallest(engine: Engine, trial_of: Callable[[Expression], Trial], every: int) -> tuple[Fault | None, str]:
    """The fault that `search` finds, and the operation to blame: that of a graph of one, of operands that differ."""
    all_graphs = [graph for graph in _graphs(_kinds_of(engine)) if _is_sound(engine, graph)]
    single = sum(len(graph) == 1 for graph in all_graphs)
    graphs = all_graphs[:single] + all_graphs[single::every]
    place, fault = engine.first_failing(trial_of(graph) for graph in graphs)
    while fault:
        smaller = [graph for graph in _smaller(graphs[place]) if _is_sound(engine, graph)]
        following, found = engine.first_failing(trial_of(graph) for graph in smaller)
        if not found:
            break
        graphs, place, fault = smaller, following, found
    if fault and len(graphs[place]) == 1:
        ((operation, operands),) = graphs[place].instructions
        if len(set(operands)) == len(operands):
            return fault, operation.name
    return fault, ""


def _kinds_of(engine: Engine) -> tuple[Kind, ...]:
    """What graphs are made of: the sound operations and where plain numbers stand, the plainest first."""
    kinds = {kind for kind in engine.sound if kind[0] not in (*WITH_A_CONSTANT, *RARE)}
    order = [*PLAINEST, *sorted({name for name, _ in kinds}.difference(PLAINEST))]
    return tuple(sorted(kinds, key=lambda kind: (order.index(kind[0]), kind[1] != "vv", kind[1])))


def _is_sound(engine: Engine, graph: Expression) -> bool:
    return all(engine.can(operation.name, operands) for operation, operands in graph.instructions)


@lru_cache(maxsize=64)
def _graphs(kinds: tuple[Kind, ...]) -> tuple[Expression, ...]:
    """The graphs of these operations, the same for every engine that has them."""
    rng = Random(0)
    random = (_random_graph(kinds, rng) for _ in range(RANDOM_GRAPHS))
    return tuple(graph for graph in dict.fromkeys((*_small_graphs(kinds), *random)) if graph.instructions)


# Small graphs


def _small_graphs(kinds: tuple[Kind, ...]) -> Iterator[Expression]:
    """Every graph of one operation, of two of the first operations, and of three of the very first."""
    own = [kind for kind in kinds if "c" not in kind[1]]
    two = [kind for kind in own if kind[1] == "vv"][:3] + [kind for kind in own if kind[1] == "v"][:3]
    three = [kind for kind in own if kind[1] == "vv"][:1] + [kind for kind in own if kind[1] == "v"][:1]
    if len(three) < 2:
        three = two[:2]
    for inputs, length, some in ((2.0,), 1, kinds), ((2.0, 3.0), 1, kinds), ((0.5,), 2, two), ((0.5,), 3, three):
        names = tuple(f"x{place}" for place in range(len(inputs)))
        for chosen in itertools.product(some, repeat=length):
            yield from _graphs_of(inputs, names, chosen)


def _graphs_of(inputs: tuple[float, ...], names: tuple[str, ...], chosen: Sequence[Kind]) -> Iterator[Expression]:
    """The graphs of these operations in this order, in each of which all results are used."""
    available = [(*names, *(f"t{k}" for k in range(place))) for place in range(len(chosen))]
    operands = [
        itertools.product(*(there if letter == "v" else (2.0,) for letter in kind[1]))
        for kind, there in zip(chosen, available, strict=True)
    ]
    for each in itertools.product(*operands):
        graph = steps(inputs, *((name, *own) for (name, _), own in zip(chosen, each, strict=True)))
        if _all_is_used(graph) and _is_moderate(graph):
            yield graph


def _all_is_used(graph: Expression) -> bool:
    used = {x for _, operands in graph.instructions for x in operands}
    return all(name in used for name in (*graph.names, *(f"t{place}" for place in range(len(graph) - 1))))


def _is_moderate(graph: Expression) -> bool:
    """Whether each operation is, at the numbers that reach it."""
    numbers = dict(zip(graph.names, graph.inputs, strict=True))
    for place, (operation, operands) in enumerate(graph.instructions):
        y = _moderate(operation.name, [numbers[x] if isinstance(x, str) else x for x in operands])
        if y is None:
            return False
        numbers[f"t{place}"] = y
    return True


def _moderate(name: str, operands: list[float]) -> float | None:
    """The value of an operation, unless it or a derivative is large, or a kink, a jump or an edge is near."""
    operation = built_in[name]
    if name == "pow" and operands[0] <= NEAR:
        return None
    try:
        y = operation.evaluate(operands)
        slopes = operation.differentiate(y, operands, range(len(operands)))
        for place, slope in enumerate(slopes):
            for step in (-NEAR, NEAR):
                moved = [*operands[:place], operands[place] + step, *operands[place + 1 :]]
                bend = operation.evaluate(moved) - y - step * slope
                if not abs(bend) <= 0.25 * NEAR * max(1.0, abs(slope)):
                    return None
    except ArithmeticError:
        return None
    return y if all(abs(x) <= LARGEST_NUMBER for x in (y, *slopes)) else None


# Random graphs


def _random_graph(kinds: tuple[Kind, ...], rng: Random) -> Expression:
    """A graph of up to LARGEST_GRAPH operations, some of whose results are not used, and left out."""
    inputs = [rng.choice(INPUTS) if rng.random() < 0.5 else rng.uniform(-3.0, 3.0) for _ in range(rng.randint(1, 3))]
    numbers = {f"x{place}": x for place, x in enumerate(inputs)}
    made: list[Step] = []
    for _ in range(rng.randint(3, LARGEST_GRAPH)):
        for _ in range(TRIES):
            name, kind = rng.choice(kinds)
            newest = list(numbers)[-3:]
            operands = [
                rng.choice(newest if rng.random() < 0.7 else list(numbers)) if letter == "v" else rng.choice(CONSTANTS)
                for letter in kind
            ]
            y = _moderate(name, [numbers[x] if isinstance(x, str) else x for x in operands])
            if y is not None and math.isfinite(y):
                numbers[f"t{len(made)}"] = y
                made.append((name, *operands))
                break
    return live_part(steps(tuple(inputs), *made))


# Smaller graphs


def _smaller(graph: Expression) -> list[Expression]:
    """Graphs with an operation less, the smallest first; and the same graph at simpler numbers."""
    found = [live_part(graph, f"t{place}") for place in range(len(graph) - 1)]
    for place, (_, operands) in enumerate(graph.instructions):
        found += [_without(graph, place, x) for x in dict.fromkeys(operands) if isinstance(x, str)]
    fewer = [smaller for smaller in found if smaller.instructions and _is_moderate(smaller)]
    return sorted(fewer, key=len) + [simpler for simpler in _simpler(graph) if _is_moderate(simpler)]


def _without(graph: Expression, place: int, operand: str) -> Expression:
    """The graph in which a result is replaced by one of the operands that it was made of."""
    if place == len(graph) - 1:
        return live_part(graph, operand) if operand.startswith("t") else Expression(graph.inputs, ())
    instructions = tuple(
        Instruction(operation, tuple(operand if x == f"t{place}" else x for x in operands))
        for operation, operands in graph.instructions
    )
    return live_part(Expression(graph.inputs, instructions))


def _simpler(graph: Expression) -> Iterator[Expression]:
    for place, x in enumerate(graph.inputs):
        for simple in INPUTS[: INPUTS.index(x) if x in INPUTS else None]:
            inputs = (*graph.inputs[:place], simple, *graph.inputs[place + 1 :])
            yield Expression(inputs, graph.instructions)
