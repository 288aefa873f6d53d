"""Which instructions run together, and in what order?

Instructions of one operation that do not wait for each other run as a group. Dots of a group that read the same
numbers, each with weights of its own, are a layer: one matrix product.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from autograd.compiler.flat_graph import FlatGraph, Instruction
from autograd.operations import operations

DOT = operations["dot"]


@dataclass
class Layer:
    """Dots that read the same numbers.

    Attributes:
        weights: the slots of the weights, dot after dot.
        biases: the slot of each dot's bias, if they have one.
        inputs: the slots of what they read.
        sole: whether the gradients of the weights and biases come from this layer alone, and are moved.
    """

    weights: list[int]
    biases: list[int]
    inputs: tuple[int, ...]
    sole: bool


@dataclass
class Group:
    """Instructions of one operation, which are a layer or not."""

    instructions: list[Instruction]
    layer: Layer | None = None


class Groups:
    """The groups of a graph, in an order in which each finds its operands.

    Arguments:
        graph: the graph.
        moved: how many of its parameters are moved: the first ones.

    Attributes:
        shared: for each slot, whether all examples share its number.
        before: the groups of shared results, which are computed once.
        each: the groups of results that each example has for itself.
        rows: for each slot that has a number for each example, the row where they lie.
        matrices: the layers with weights of their own. (Two layers may have the same weights.)
    """

    def __init__(self, graph: FlatGraph, moved: int) -> None:
        first = graph.inputs
        self._moved = range(first, first + moved)
        self._parameters = range(first, first + len(graph.parameters))
        self._uses = Counter(slot for x in graph.instructions for slot in x.operands)
        self._uses.update(graph.outputs)
        self.shared = graph.shared()
        self.rows = {slot: slot for slot in range(first)}
        self.before: list[Group] = []
        self.each: list[Group] = []
        self.matrices: list[Layer] = []
        self._in_matrices: set[int] = set()
        for instructions in _ordered(graph, self.shared):
            self._add(instructions)

    def _add(self, instructions: list[Instruction]) -> None:
        """Adds the next group."""
        if self.shared[instructions[0].out]:
            self.before.append(Group(instructions))
            return
        layer = self._layer(instructions)
        self.each.append(Group(instructions, layer))
        if layer is not None and layer.weights[0] not in self._in_matrices:
            self.matrices.append(layer)
            self._in_matrices.update(layer.weights, layer.biases)
        for x in instructions:
            self.rows[x.out] = len(self.rows)

    def _layer(self, group: list[Instruction]) -> Layer | None:
        """The layer that a group is, if it is one."""
        if group[0].operation is not DOT:
            return None
        inputs, has_bias = _read(group[0])
        rows = [self.rows.get(slot, -1) for slot in inputs]
        if not inputs or rows != list(range(rows[0], rows[0] + len(rows))) or rows[0] < 0:
            return None
        weights = [slot for x in group for slot in x.operands[: len(inputs)]]
        biases = [x.operands[-1] for x in group] if has_bias else []
        leaves = [*weights, *biases]
        if not all(slot in self._parameters for slot in leaves) or len(set(leaves)) < len(leaves):
            return None
        are_moved = {slot in self._moved for slot in leaves}
        if len(are_moved) > 1:
            return None
        are_known = any(x.weights == weights and x.biases == biases for x in self.matrices)
        if not are_known and not self._in_matrices.isdisjoint(leaves):
            return None
        return Layer(weights, biases, inputs, are_moved == {True} and all(self._uses[slot] == 1 for slot in leaves))


def _read(x: Instruction) -> tuple[tuple[int, ...], int]:
    """The numbers that a dot weighs, and 1 if it has a bias."""
    half, has_bias = divmod(len(x.operands), 2)
    return x.operands[half : 2 * half], has_bias


def _ordered(graph: FlatGraph, shared: list[bool]) -> Iterator[list[Instruction]]:
    """The instructions in groups of one operation, in an order in which each finds its operands.

    The group with the most instructions ready comes next, so that there are few groups: a change of kernel costs as
    much as two products.
    """
    instructions, first = graph.instructions, graph.leaves
    waiting = [0] * len(instructions)
    users: dict[int, list[int]] = defaultdict(list)
    ready: dict[Any, list[Instruction]] = defaultdict(list)
    heap: list[tuple[int, int, Any]] = []  # by the number that is ready; an entry with an old number is skipped

    def add(x: Instruction) -> None:
        of_count = len(x.operands) if x.operation.function is not None else 0  # each number has a kernel of its own
        key: Any = (x.operation, of_count, shared[x.out], *(_read(x) if x.operation is DOT else ()))
        ready[key].append(x)
        heappush(heap, (-len(ready[key]), ready[key][0].out, key))

    for k, x in enumerate(instructions):
        needed = {slot for slot in x.operands if slot >= first}
        waiting[k] = len(needed)
        for slot in needed:
            users[slot].append(k)
        if not needed:
            add(x)
    while heap:
        size, _, key = heappop(heap)
        group = ready.get(key, [])
        if len(group) != -size:
            continue
        del ready[key]
        yield group
        for x in group:
            for k in users.pop(x.out, ()):
                waiting[k] -= 1
                if not waiting[k]:
                    add(instructions[k])
