"""What does a recorded graph say, as a list of instructions? Slots for its numbers, and operations between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, nan
from typing import Any

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
class Recording:
    """A graph, flattened.

    The slots are, in this order: inputs, parameters (the other leaves), constants, results of instructions.

    Attributes:
        inputs: how many inputs there are.
        parameters: the leaves that are no inputs, in topological order.
        constants: the plain numbers among the operands, each once.
        instructions: in topological order, those that no output needs left out.
        outputs: the slots of the outputs.
        labels: of the slots that have one.
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
        """How many slots hold no result."""
        return self.inputs + len(self.parameters) + len(self.constants)

    def shared(self) -> list[bool]:
        """For each slot whether it depends on no input, so that all examples share it."""
        last = max((x.out for x in self.instructions), default=self.leaves)
        found = [False] * self.inputs + [True] * (max(last + 1, self.leaves) - self.inputs)
        for x in self.instructions:
            found[x.out] = all(found[slot] for slot in x.operands)
        return found

    def is_constant(self, slot: int) -> bool:
        """Whether a slot holds a plain number, which needs no gradient."""
        return self.inputs + len(self.parameters) <= slot < self.leaves


def record(outputs: Sequence[Value], inputs: Sequence[Value]) -> Recording:
    """Flattens the graph of the outputs.

    Raises:
        ValueError: an input was computed, or is given twice.
    """
    for i, x in enumerate(inputs):
        if x.operation:
            raise ValueError(f"inputs[{i}] was computed, by {x.operation}: the inputs of a program are leaves")
    if len(set(inputs)) < len(inputs):
        raise ValueError("an input is given twice: give each leaf once")
    given = set(inputs)
    order = _ordered(outputs)
    parameters = [node for node in order if not node.operation and node not in given]
    computed = [node for node in order if node.operation]
    slots: dict[Any, int] = {node: k for k, node in enumerate((*inputs, *parameters))}
    constants: dict[tuple[float, float], int] = {}
    for node in computed:
        for x in node.operands:
            if not isinstance(x, Value):
                constants.setdefault(_bits(x), len(slots) + len(constants))
    first = len(slots) + len(constants)
    slots |= {node: first + k for k, node in enumerate(computed)}
    instructions = []
    for node in computed:
        operands = [slots[x] if isinstance(x, Value) else constants[_bits(x)] for x in node.operands]
        assert node._operation is not None
        instructions.append(Instruction(node._operation, tuple(operands), slots[node]))
    labels = {slot: node.label for node, slot in slots.items() if node.label}
    leaves = len(inputs), tuple(parameters), tuple(x for x, _ in constants)
    return Recording(*leaves, tuple(instructions), tuple(slots[y] for y in outputs), labels)


def _ordered(outputs: Sequence[Value]) -> list[Value]:
    """All nodes that the outputs depend on, each once, parents first."""
    seen: dict[Value, None] = {}
    for output in outputs:
        if output not in seen:
            seen |= dict.fromkeys(topological_order(output))
    return list(seen)


def _bits(x: float) -> tuple[float, float]:
    """What tells two constants apart: 0.0 from -0.0 too; all nan are one."""
    return (
        (x, copysign(1.0, x)) if x == x else (nan, 1.0)
    )  # one and the same object, so that the pair is equal to itself
