"""Where does each number of a program lie?

Results that depend on an input have a number for each example. What depends on parameters alone is shared by all
examples, and computed once.

The numbers begin with the shared ones: parameters, layer by layer and each layer's weights as a matrix, then constants,
then results. Behind them lie the lanes of a block of examples: a row for each input and each result.
"""

from collections.abc import Sequence

import numpy as np

from autograd.compiler.flat_graph import FlatGraph, Slots
from autograd.compiler.native.groups import DOT, Groups
from autograd.compiler.native.loops import Loop
from autograd.compiler.native.tables import WIDEST

BLOCK = 72
"""At least this many examples are computed together: with fewer, calling a kernel costs more than its work.

It is a multiple of the examples in a tile on every processor (24, 12 or 6). With powers of two, rows a cache's size
apart drive each other out of it: products of 64 x 64 weights and 256 examples take 15 % longer than with 240."""

CACHE = 16_384
"""Small programs compute more examples together, as long as their results stay within this many numbers: 256 KiB."""

TAPE = 1 << 22
"""As many numbers of tapes fit into 32 MiB. With longer loops, fewer examples are computed together: at least eight."""

NO_BIAS = -1
"""In place of a slot: a zero, for dots without a bias."""


class Layout:
    """The places of a program's numbers.

    Arguments:
        graph: the graph, after `fusion`.
        moved: how many of its parameters are moved: the first ones. They lie together, at the beginning.
        in_place: for each output the input whose place it takes. All inputs then lie outside, in arrays of their own.
        layers: whether dots may run together as layers.

    Attributes:
        groups: what runs together.
        at: the place of each shared slot, and at its end that of NO_BIAS.
        loops: the loops.
        height: the number of rows of lanes.
        tapes: the number of rows behind them in which loops leave their steps.
        lanes_at: the place of the first lane.
        moved_end: the end of the parameters that are moved, with gaps between them.
        fresh_end: the end of the gradients that the first block of a batch sets. All others begin at 0.
        parameters_at, constants_at: the places of the parameters and of the constants.
        outside: for each slot that lies outside, the input whose array it is.
        transposed: how many numbers the weights of a layer need, transposed, with rows of whole vectors.
        weight: about how many products and sums an example takes.
    """

    def __init__(
        self, graph: FlatGraph, moved: int | None = None, *, in_place: Sequence[int] = (), layers: bool = True
    ) -> None:
        self.graph = graph
        self.in_place = in_place
        moved = len(graph.parameters) if moved is None else moved
        self.groups = Groups(graph, moved, layers=layers and not in_place)  # what a layer reads must lie in the rows
        self.height = int(np.count_nonzero(self.groups.rows >= 0))
        self.at = np.full(graph.slots + 1, -1)
        self.loops = self._with_loops()
        self.tapes = self._with_tapes()
        runs = [(1, self.groups), *((loop.scan.steps, loop.groups) for loop in self.loops)]
        self.weight = 3 * sum(n * x.positions * len(x.weights) for n, groups in runs for x in groups.layers.values())
        self.weight += 8 * (self.height + self.tapes)
        at_positions = [x for _, groups in runs for x in groups.layers.values() if x.positions > 1]
        self.transposed = max((x.dots + WIDEST) * (x.reads + WIDEST) for x in at_positions) if at_positions else 0
        self._end = 0
        self._place(moved)
        ends = np.cumsum([graph.inputs, len(graph.parameters)])
        self.parameters_at, self.constants_at = np.split(self.at[: graph.leaves], ends)[1:]
        self.outside = self._outside() if in_place else {}

    def lanes(self, examples: int) -> int:
        """How many examples run together: one, or a multiple of eight."""
        most = max(BLOCK, CACHE // max(self.height, 1) // BLOCK * BLOCK)
        if self.tapes:
            most = min(most, max(8, TAPE // self.tapes // 8 * 8))
        return 1 if examples <= 1 else min(most, -(-examples // 8) * 8)

    def places(self, slots: Slots) -> Slots:
        """A row for each slot: base, row, and 1 if it has a number for each lane."""
        shared = self.groups.shared[slots]
        base, row = np.where(shared, self.at[slots], self.lanes_at), np.where(shared, 0, self.groups.rows[slots])
        return np.stack([base, row, ~shared], axis=1)

    def _with_loops(self) -> list[Loop]:
        """The loops, with rows behind all others."""
        loops = []
        for instruction in self.graph.loops.tolist():
            loops.append(Loop(self.graph, instruction, self.groups, self.places, self.at, self.height))
            self.height += loops[-1].rows
        return loops

    def _with_tapes(self) -> int:
        """Places the tapes of the loops; returns how many rows they have."""
        rows = 0
        for loop in self.loops:
            loop.tape = self.height + rows
            rows += loop.height * loop.scan.steps
        return rows

    def _place(self, moved: int) -> None:
        """Gives each shared slot its place."""
        first, last = self.graph.inputs, self.graph.inputs + len(self.graph.parameters)
        self.fresh_end = 0
        self._place_parameters(first, first + moved)
        self.moved_end = self._aligned()
        self._place_parameters(first + moved, last)
        self._add(np.append(np.arange(last, self.graph.leaves), NO_BIAS))
        results = self.graph.leaves + self.groups.order
        self._add(results[self.groups.shared[results]])
        self.lanes_at = self._aligned()

    def _place_parameters(self, first: int, last: int) -> None:
        """Places parameters: layers first, and of these first those that alone add to their gradients."""
        for layer in sorted(self.groups.matrices.values(), key=lambda layer: not layer.sole):
            if first <= layer.weights[0] < last:
                self._add(layer.weights)
                self._add(layer.biases)
                if layer.sole:
                    self.fresh_end = self._end
        self._add(first + np.flatnonzero(self.at[first:last] < 0))

    def _aligned(self) -> int:
        """Goes on to a multiple of eight numbers."""
        self._end += -self._end % 8
        return self._end

    def _add(self, slots: Slots) -> None:
        """Puts slots side by side, from a multiple of eight numbers on."""
        start = self._aligned()
        self._end += len(slots)
        self.at[slots] = np.arange(start, self._end)

    def _outside(self) -> dict[int, int]:
        """The inputs, and the outputs that take their places because nothing reads the input after they are written."""
        outside = {k: k for k in range(self.graph.inputs)}
        order, graph = self.groups.order, self.graph
        written = np.full(graph.slots, -1)
        written[graph.leaves + order] = np.arange(len(order))
        last_read = np.full(graph.slots, -1)
        readers = np.repeat(written[graph.leaves :], graph.counts)
        np.maximum.at(last_read, graph.operands, readers)
        is_dot = graph.have(DOT)
        for number, slot in zip(self.in_place, graph.outputs, strict=True):
            if slot >= graph.leaves and slot not in outside and not self.groups.shared[slot]:
                last = written[slot] - is_dot[slot - graph.leaves]  # a dot adds up where its result is: it reads before
                outside |= {slot: number} if last_read[number] <= last else {}
        return outside

    def notes(self) -> list[str]:
        """What runs together, in words."""
        return _notes(self.groups, self.loops)


def _notes(groups: Groups, loops: Sequence[Loop]) -> list[str]:
    """What runs together as layers, in words."""
    found = []
    for layer in groups.layers.values():
        m, positions = layer.dots, f" at {layer.positions:,} positions" if layer.positions > 1 else ""
        found.append(f"{m:,} dot{'s' * (m > 1)} of {layer.reads:,} weights{positions} run{'s' * (m == 1)} as one layer")
    return found + [f"in a loop: {note}" for loop in loops for note in _notes(loop.groups, loop.loops)]
