"""Where does each number of a program lie in the memory of native code?

First the shared ones, as in `places.py`; behind them the lanes of a block of examples: a row for each input and each
result. Loops have rows of their own there, and those that an update moves lie outside.
"""

from collections.abc import Sequence

import numpy as np

from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.groups import DOT
from autograd.compiler.native.loops import Loop
from autograd.compiler.native.tables import WIDEST
from autograd.compiler.places import Places

BLOCK = 72
"""At least this many examples are computed together: with fewer, calling a kernel costs more than its work.

It is a multiple of the examples in a tile on every processor (24, 12 or 6). With powers of two, rows a cache's size
apart drive each other out of it: products of 64 x 64 weights and 256 examples take 15 % longer than with 240."""

CACHE = 16_384
"""Small programs compute more examples together, as long as their results stay within this many numbers: 256 KiB."""

TAPE = 1 << 22
"""As many numbers of tapes fit into 32 MiB. With longer loops, fewer examples are computed together: at least eight."""


class Layout(Places):
    """The places of a program's numbers in native code.

    Arguments:
        graph: the graph, after `fusion`.
        moved: how many of its parameters are moved: the first ones. They lie together, at the beginning.
        in_place: for each output the input whose place it takes. All inputs then lie outside, in arrays of their own.
        layers: whether dots may run together as layers.

    Attributes:
        loops: the loops.
        height: the number of rows of lanes.
        tapes: the number of rows behind them in which loops leave their steps.
        outside: for each slot that lies outside, the input whose array it is.
        transposed: how many numbers the weights of a layer need, transposed, with rows of whole vectors.
        weight: about how many products and sums an example takes.
    """

    def __init__(
        self, graph: FlatGraph, moved: int | None = None, *, in_place: Sequence[int] = (), layers: bool = True
    ) -> None:
        self.in_place = in_place
        super().__init__(graph, moved, layers=layers and not in_place)  # what a layer reads must lie in the rows
        runs = [(1, self.groups), *((loop.scan.steps, loop.groups) for loop in self.loops)]
        self.weight = 3 * sum(n * x.positions * len(x.weights) for n, groups in runs for x in groups.layers.values())
        self.weight += 8 * (self.height + self.tapes)
        at_positions = [x for _, groups in runs for x in groups.layers.values() if x.positions > 1]
        self.transposed = max((x.dots + WIDEST) * (x.reads + WIDEST) for x in at_positions) if at_positions else 0
        self.outside = self._outside() if in_place else {}

    def lanes(self, examples: int) -> int:
        """How many examples run together: one, or a multiple of eight."""
        most = max(BLOCK, CACHE // max(self.height, 1) // BLOCK * BLOCK)
        if self.tapes:
            most = min(most, max(8, TAPE // self.tapes // 8 * 8))
        return 1 if examples <= 1 else min(most, -(-examples // 8) * 8)

    def _add_loops(self) -> None:
        """The loops, with rows behind all others, and their tapes behind those."""
        self.loops = list[Loop]()
        for instruction in self.graph.loops.tolist():
            self.loops.append(Loop(self.graph, instruction, self.groups, self.places, self.at, self.height))
            self.height += self.loops[-1].rows
        self.tapes = self._with_tapes()

    def _with_tapes(self) -> int:
        """Places the tapes of the loops; returns how many rows they have."""
        rows = 0
        for loop in self.loops:
            loop.tape = self.height + rows
            rows += loop.height * loop.scan.steps
        return rows

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
        return [*self.groups.notes(), *_notes_of_loops(self.loops)]


def _notes_of_loops(loops: Sequence[Loop]) -> list[str]:
    """What runs together in loops, and in the loops in them."""
    return [f"in a loop: {x}" for loop in loops for x in (*loop.groups.notes(), *_notes_of_loops(loop.loops))]
