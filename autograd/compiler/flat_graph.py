"""What is a graph as a list of instructions? Slots for its numbers, and operations between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import copysign, nan

from autograd.graph import topological_order
from autograd.operations import Operation
from autograd.value import Value


@dataclass(frozen=True)
class Instruction:
    """One operation: slot `out` becomes its value on the numbers in the slots `operands`."""

    operation: Operation
    operands: tuple[int, ...]
    out: int


@dataclass(frozen=True)
class FlatGraph:
    """A graph as a list of instructions.

    The slots are, in this order: inputs, parameters (the other leaves), constants, results of instructions.

    Attributes:
        inputs: the number of inputs.
        parameters: the leaves that are not inputs.
        constants: the plain numbers among the operands, each once.
        instructions: what the outputs need, in topological order.
        outputs: the slots of the outputs.
        labels: the label of each slot that has one.
        notes: what `fusion` did, in words.
    """

    inputs: int
    parameters: tuple[Value, ...]
    constants: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    labels: dict[int, str]
    notes: tuple[str, ...] = ()

    @property
    def leaves(self) -> int:
        """The number of slots that hold no result."""
        return self.inputs + len(self.parameters) + len(self.constants)

    def shared(self) -> list[bool]:
        """Whether each slot depends on no input, so that all examples share its number."""
        end = 1 + max((x.out for x in self.instructions), default=self.leaves - 1)
        found = [False] * self.inputs + [True] * (end - self.inputs)
        for x in self.instructions:
            found[x.out] = all(found[slot] for slot in x.operands)
        return found

    def is_constant(self, slot: int) -> bool:
        """Whether a slot holds a plain number, which needs no gradient."""
        return self.inputs + len(self.parameters) <= slot < self.leaves


def flatten(outputs: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value] = ()) -> FlatGraph:
    """The graph of the outputs as a list of instructions.

    Arguments:
        outputs: the results that are wanted.
        inputs: the leaves that get other numbers in each run.
        parameters: the leaves that come first among the parameters, in this order, even if no output depends on them.
            All other leaves follow in the order in which the graph first uses them.

    Raises:
        ValueError: an input or a parameter was computed, or a leaf is given twice.
    """
    order = _ordered(outputs)
    slots = _slots_of_leaves([node for node in order if not node.operation], inputs, parameters)
    every = tuple(slots)[len(inputs) :]
    computed = [node for node in order if node.operation]
    constants: dict[tuple[float, float], int] = {}
    for node in computed:
        for x in node.operands:
            if not isinstance(x, Value):
                constants.setdefault(_bits(x), len(slots) + len(constants))
    first = len(slots) + len(constants)
    slots |= {node: first + k for k, node in enumerate(computed)}
    labels = {slot: node.label for node, slot in slots.items() if node.label}
    instructions = []
    for node in computed:
        assert node._operation is not None
        operands = [slots[x] if isinstance(x, Value) else constants[_bits(x)] for x in node.operands]
        instructions.append(Instruction(node._operation, tuple(operands), slots[node]))
    numbers = tuple(x for x, _ in constants)
    return FlatGraph(len(inputs), every, numbers, tuple(instructions), tuple(slots[y] for y in outputs), labels)


def with_first(graph: FlatGraph, parameters: Sequence[Value]) -> FlatGraph:
    """The same graph with these parameters before all others, even if no output depends on them."""
    ordered = dict.fromkeys((*parameters, *graph.parameters))
    place = {p: graph.inputs + k for k, p in enumerate(ordered)}
    more = len(ordered) - len(graph.parameters)
    end = graph.leaves + len(graph.instructions)
    new = [*range(graph.inputs), *(place[p] for p in graph.parameters)]
    new += range(len(new) + more, end + more)
    return replace(
        graph,
        parameters=tuple(ordered),
        instructions=tuple(
            Instruction(x.operation, tuple(new[s] for s in x.operands), new[x.out]) for x in graph.instructions
        ),
        outputs=tuple(new[slot] for slot in graph.outputs),
        labels={new[slot]: label for slot, label in graph.labels.items()},
    )


def _slots_of_leaves(leaves: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value]) -> dict[Value, int]:
    """The slots of the inputs and the parameters, in their order: those that are given, then all other leaves."""
    check_leaves("an input", "inputs", inputs)
    check_leaves("a parameter", "parameters", parameters)
    places = {x: i for i, x in enumerate(inputs)}
    for i, x in enumerate(parameters):
        if x in places:
            raise ValueError(f"parameters[{i}] is inputs[{places[x]}] too: give each leaf as one or the other")
    return {x: slot for slot, x in enumerate(dict.fromkeys((*inputs, *parameters, *leaves)))}


def check_leaves(one: str, name: str, leaves: Sequence[Value]) -> None:
    """Raises ValueError for a Value that was computed, and for a leaf that is there twice."""
    places: dict[Value, int] = {}
    for i, x in enumerate(leaves):
        if x.operation:
            raise ValueError(f"{name}[{i}] was computed, by {x.operation}: the {name} of a program are leaves")
        if x in places:
            raise ValueError(f"{one} is given twice, as {name}[{places[x]}] and {name}[{i}]: give each leaf once")
        places[x] = i


def _ordered(outputs: Sequence[Value]) -> list[Value]:
    """All nodes that the outputs depend on, each once, parents first."""
    seen: dict[Value, None] = {}
    for output in outputs:
        if output not in seen:
            seen |= dict.fromkeys(topological_order(output))
    return list(seen)


def _bits(x: float) -> tuple[float, float]:
    """What tells two constants apart: 0.0 and -0.0 are two, and all nan are one."""
    # The pair with nan holds the one object `math.nan`, so that it is equal to itself.
    return (x, copysign(1.0, x)) if x == x else (nan, 1.0)
