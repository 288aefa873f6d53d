"""Which instructions run together, and in what order?

Instructions of one operation that do not wait for each other run as a group. Dots of a group that read the same
numbers, each with weights of its own, are a layer: one matrix product. Where the same weights are applied to several
rows of numbers, at several positions of a sequence, all that is one layer.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np

from autograd.compiler.flat_graph import BY_INPUTS, RESULT, FlatGraph, Mask, Scan, Slots, occurrences, rows_of
from autograd.graph import collector_paused
from autograd.modes import RecordingError
from autograd.operations import operations

DOT = operations["dot"]
NO_SLOTS = np.zeros(0, np.int64)


@dataclass
class Layer:
    """Dots that read the same numbers; and the same dots at other positions, which read other numbers.

    Attributes:
        weights: the slots of the weights, dot after dot.
        biases: the slot of each dot's bias, if they have one.
        inputs: the slots of what they read, position after position.
        sole: whether the gradients of the weights and biases come from this layer alone, and are moved.
        positions: how many positions there are.
        step: how many rows lie between what a position reads and what the next one does.
    """

    weights: Slots
    biases: Slots
    inputs: Slots
    sole: bool
    positions: int = 1
    step: int = 0

    @property
    def reads(self) -> int:
        """How many numbers each dot reads."""
        return len(self.inputs) // self.positions

    @property
    def dots(self) -> int:
        """How many dots there are at each position."""
        return len(self.weights) // self.reads

    def has_weights_of(self, other: "Layer") -> bool:
        """Whether the weights and biases are those of another layer."""
        return np.array_equal(self.weights, other.weights) and np.array_equal(self.biases, other.biases)


class Groups:
    """The groups of a graph, in an order in which each finds its operands.

    Arguments:
        graph: the graph.
        moved: how many of its parameters are moved: the first ones.
        layers: whether to look for layers.
        around: the groups of the program, if the graph is the body of a loop in it; and
        slots: the slots that the body's parameters have there. Its layers are described by them.

    Attributes:
        shared: for each slot, whether all examples share its number.
        order: the instructions, group after group. Those of shared results are computed once, and stand first.
        starts: where each group starts in this order; and the end of the last one.
        before: the number of groups of shared results.
        kernels: for each instruction the number of its kernel: instructions with the same one may run together.
        rows: for each slot that has a number for each example, the row where they lie; -1 for all others.
        layers: the layers, by the numbers of their groups.
        matrices: the layers with weights of their own, by the slot of the first weight. (Two layers may have the same
            weights.)

    Raises:
        RecordingError: an operation was given for plain floats only.
    """

    @collector_paused()
    def __init__(
        self, graph: FlatGraph, moved: int, layers: bool = True, around: "Groups | None" = None, slots: Slots = NO_SLOTS
    ) -> None:
        _check_rules(graph)
        self._around, self._slots = around, slots
        self._graph, self._uses = graph, graph.uses
        self._fixed_at, self._end = graph.inputs + moved, graph.inputs + len(graph.parameters)
        self.shared = graph.dependence & BY_INPUTS == 0
        # Of an operation of one's own, each number of operands has a kernel of its own.
        own = np.array([x.function is not None for x in graph.operations], np.bool_)[graph.codes]
        kernels = graph.codes + len(graph.operations) * np.where(own, graph.counts, 0)
        self.kernels: Slots = np.unique(kernels, return_inverse=True)[1]
        order, starts, joined = _ordered(graph, self.shared, self.kernels)
        self.order, self.starts = np.array(order, np.int64), np.array([*starts, len(order)])
        each = self.order[~self.shared[graph.leaves + self.order]]
        self.rows = np.full(graph.slots, -1)
        self.rows[: graph.inputs] = np.arange(graph.inputs)
        self.rows[graph.leaves + each] = graph.inputs + np.arange(len(each))
        self.matrices: dict[int, Layer] = {}
        self._in_matrices, self._seen = np.zeros(graph.slots, np.bool_), np.zeros(graph.slots, np.int64)
        dots = np.flatnonzero(graph.have(DOT)[self.order[self.starts[:-1]]]).tolist() if layers else []
        self.layers = {number: layer for number in dots if (layer := self._layer(number)) is not None}
        self._join(joined)
        self.before = int(np.searchsorted(self.starts, len(order) - len(each)))

    def selected(self, outputs: Sequence[int]) -> "Groups":
        """The groups of what some outputs need, with the same rows and matrices.

        A layer has whole positions, the first ones. A step for each group takes 10 us; one for each edge took ten times
        as long.
        """
        graph, found = self._graph, list[tuple[int, Slots, Layer | None]]()
        needed = np.zeros(graph.slots, np.bool_)
        needed[list(outputs)] = True
        for number in range(len(self.starts) - 2, -1, -1):
            group, layer = self.order[self.starts[number] : self.starts[number + 1]], self.layers.get(number)
            chosen = np.flatnonzero(needed[graph.leaves + group])
            if not len(chosen):
                continue
            if layer is not None:
                positions = int(chosen[-1]) // layer.dots + 1
                layer = replace(layer, positions=positions, inputs=layer.inputs[: positions * layer.reads])
                chosen = np.arange(positions * layer.dots)
            needed[graph.operands[rows_of(graph.starts, group[chosen])[0]]] = True
            found.append((number, group[chosen], layer))
        found.reverse()
        new = copy(self)
        new.order = np.concatenate([self.order[:0], *(group for _, group, _ in found)])
        new.starts = np.cumsum([0, *(len(group) for _, group, _ in found)])
        new.layers = {k: layer for k, (_, _, layer) in enumerate(found) if layer is not None}
        new.before = sum(number < self.before for number, _, _ in found)
        return new

    def notes(self) -> list[str]:
        """What runs together as layers, in words."""
        found = []
        for layer in self.layers.values():
            m, positions = layer.dots, f" at {layer.positions:,} positions" if layer.positions > 1 else ""
            runs = f"run{'s' * (m == 1)} as one layer"
            found.append(f"{m:,} dot{'s' * (m > 1)} of {layer.reads:,} weights{positions} {runs}")
        return found

    def _layer(self, number: int) -> Layer | None:
        """The layer that a group of dots is, if it is one."""
        dots, graph = self.order[self.starts[number] : self.starts[number + 1]], self._graph
        inputs, has_bias = _read(graph, dots[0])
        rows = self.rows[inputs]
        if graph.operands[graph.starts[dots[0]]] >= graph.leaves:  # what such a group reads may differ
            return None
        if not len(rows) or rows[0] < 0 or rows[-1] - rows[0] != len(rows) - 1 or (np.diff(rows) != 1).any():
            return None
        table = graph.operands[rows_of(graph.starts, dots)[0]].reshape(len(dots), -1)
        weights, biases = table[:, : len(inputs)].ravel(), table[:, -1] if has_bias else table[:0, 0]
        return self._claimed(weights, biases, inputs)

    def _claimed(self, weights: Slots, biases: Slots, inputs: Slots, is_own: bool = True) -> Layer | None:
        """A layer with these weights, if they can lie as a matrix.

        Arguments:
            weights, biases: their slots.
            inputs: the slots of what it reads.
            is_own: whether it is no layer of a loop, which adds to the gradients in every step.
        """
        leaves = np.concatenate([weights, biases])
        if leaves.min() < self._graph.inputs or leaves.max() >= self._end:
            return None
        if self._around is not None:
            first = self._graph.inputs
            return self._around._claimed(self._slots[weights - first], self._slots[biases - first], inputs, False)
        are_moved = leaves < self._fixed_at
        self._seen[leaves] = np.arange(len(leaves))  # a slot that is there twice keeps its last place
        if (self._seen[leaves] != np.arange(len(leaves))).any() or are_moved.any() != are_moved.all():
            return None
        layer = Layer(weights, biases, inputs, is_own and self._is_sole(leaves, 1))
        known = self.matrices.get(int(weights[0]))
        if known is not None and known.has_weights_of(layer):
            return layer
        if self._in_matrices[leaves].any():
            return None
        self.matrices[int(weights[0])] = layer
        self._in_matrices[leaves] = True
        return layer

    def _is_sole(self, leaves: Slots, positions: int) -> bool:
        """Whether these parameters are moved, and nothing reads them but a layer of so many positions."""
        return bool((leaves < self._fixed_at).all() and (self._uses[leaves] == positions).all())

    def _join(self, joined: list[int]) -> None:
        """Makes groups of dots one with the groups before them: where neither is a layer, or both are the same one."""
        gone, last = list[int](), -1  # the last group that stays
        for number in joined:
            last = last if number - 1 in gone[-1:] else number - 1
            layer, other = self.layers.get(last), self.layers.get(number)
            if (layer is None and other is None) or (layer and other and self._goes_on(layer, other)):
                self.layers.pop(number, None)
                gone.append(number)
        self.starts = np.delete(self.starts, gone)
        self.layers = {number - bisect(gone, number): layer for number, layer in self.layers.items()}

    def _goes_on(self, layer: Layer, other: Layer) -> bool:
        """Takes another layer as a further position of one, if it has the same weights and lies where it has to."""
        k = layer.reads
        step = int(self.rows[other.inputs[0]] - self.rows[layer.inputs[-k]])
        if not layer.has_weights_of(other) or (layer.positions > 1 and step != layer.step):
            return False
        layer.inputs, layer.step, layer.positions = np.append(layer.inputs, other.inputs), step, layer.positions + 1
        if self._around is None:
            layer.sole = self._is_sole(np.concatenate([layer.weights, layer.biases]), layer.positions)
        return True


def _check_rules(graph: FlatGraph) -> None:
    """Raises RecordingError if an operation was given for plain floats only."""
    for operation in graph.operations:
        if operation.over is None and operation is not RESULT and not isinstance(operation, Scan):
            raise RecordingError(
                f"{operation.name} cannot be compiled, since its value and derivatives were given over plain floats: "
                f"give them over a namespace m of elementary functions, as autograd.operation explains"
            )


def _ordered(graph: FlatGraph, shared: Mask, kernels: Slots) -> tuple[list[int], list[int], list[int]]:
    """The instructions in groups of one operation, in an order in which each finds its operands.

    The operation comes next that is first on the longest way to an output, and with it all that are ready. So there are
    few groups, and a change of kernel costs as much as two products: on irregular graphs a third fewer than if the
    operation with the most ready instructions came next. Shared results come before all others.

    Returns:
        the order; where each group starts; and which groups could be one with the group before, as dots that were ready
        together but read other numbers.
    """
    size, ways = len(graph.codes), _ways(graph)
    readers, read = graph.edges()
    waiting = occurrences(readers, size)
    # What waits for no other instruction waits for one that is not there, behind the last.
    begin = np.flatnonzero(waiting == 0)
    waiting[begin] = 1
    users = np.concatenate([readers[np.argsort(read, kind="stable")], begin]).tolist()
    ends = np.cumsum([0, *occurrences(read, size).tolist(), len(begin)]).tolist()
    is_shared = shared[graph.leaves :]
    left, ways = waiting.tolist(), (ways + size * is_shared).tolist()
    kinds = (2 * kernels + is_shared).tolist()
    ready: list[list[int]] = [[] for _ in range(2 * kernels.max(initial=0) + 2)]
    longest = [-1] * (len(ready) + 1)  # the longest way of those that are ready, by their kind
    order, starts, joined, group = list[int](), list[int](), list[int](), [size]
    while True:
        for k in group:
            for user in users[ends[k] : ends[k + 1]]:
                left[user] -= 1
                if not left[user]:
                    kind = kinds[user]
                    ready[kind].append(user)
                    if ways[user] > longest[kind]:
                        longest[kind] = ways[user]
        most = max(longest)
        if most < 0:
            return order, starts, joined
        kind = longest.index(most)
        group, ready[kind], longest[kind] = ready[kind], [], -1
        if len(group) > 1 and graph.operations[graph.codes[group[0]]] is DOT:
            several = _by_what_they_read(graph, group)
            group = [*chain.from_iterable(several)]
            joined += range(len(starts) + 1, len(starts) + len(several))
            starts += (len(order) + k for k in accumulate(map(len, several[:-1]), initial=0))
        else:
            starts.append(len(order))
        order += group


def _ways(graph: FlatGraph) -> Slots:
    """The length of the longest way from each instruction on."""
    readers, read = graph.edges()
    found = [0] * len(graph.codes)
    for reader, k in zip(readers[::-1].tolist(), read[::-1].tolist(), strict=True):
        if found[reader] >= found[k]:
            found[k] = found[reader] + 1
    return np.array(found, np.int64)


def _by_what_they_read(graph: FlatGraph, dots: list[int]) -> list[list[int]]:
    """Dots in groups that weigh the same numbers, with a bias or without; those with the same weights in a row.

    Dots with weights that are no leaves, which can be no layer, stay in the order in which they were recorded.
    """
    found: dict[tuple[bytes, int], list[int]] = defaultdict(list)
    first_weights, others = dict[int, int](), list[int]()
    for k in sorted(dots):
        weight = int(graph.operands[graph.starts[k]])
        if weight >= graph.leaves:
            others.append(k)
        else:
            inputs, has_bias = _read(graph, k)
            found[inputs.tobytes(), has_bias].append(k)
            first_weights.setdefault(weight, len(first_weights))
    rows = sorted(found.values(), key=lambda row: first_weights[int(graph.operands[graph.starts[row[0]]])])
    return [*rows, others] if others else rows


def _read(graph: FlatGraph, dot: int) -> tuple[Slots, int]:
    """The numbers that a dot weighs, and 1 if it has a bias."""
    start, end = graph.starts[dot : dot + 2].tolist()
    half, has_bias = divmod(end - start, 2)
    return graph.operands[start + half : start + 2 * half], has_bias
