"""How does a loop with state run? Its body lies in rows of its own, and runs there step after step.

Going forward, each step leaves its rows on a tape. Going back, they are taken from there, last step first. So the body
is written down once, for the same kernels as everything else, and stays in the nearest cache. To copy its rows twice a
step takes a tenth of the time (an LSTM of two times 14 cells, for one example).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.flat_graph import BY_INPUTS, FlatGraph, Scan, Slots
from autograd.compiler.fusion import fused
from autograd.compiler.groups import Groups


class Loop:
    """The body of a loop, laid out.

    Arguments:
        graph: the graph in which the loop is.
        instruction: which instruction it is.
        around: the groups of that graph.
        outer: gives the places of the slots of that graph.
        at: as in `Layout`, where it is filled in later.
        first_row: the first row that is free.

    Attributes:
        scan: the operation.
        slot: the slot of the instruction's result.
        graph, groups: the body, and what runs together in it.
        frame: the first row of the body. Behind its rows lie those for the gradients of its state.
        height: how many rows a step leaves on the tape.
        rows: how many rows the loop has beside the tape.
        tape: the first row of the tape.
        loops: the loops in the body.
        outside: as for a `Layout`: nothing.
    """

    def __init__(
        self,
        graph: FlatGraph,
        instruction: int,
        around: Groups,
        outer: Callable[[Slots], Slots],
        at: Slots,
        first_row: int,
    ) -> None:
        self._outer, self.at = outer, at
        self.outside: dict[int, int] = {}
        self.slot = graph.leaves + instruction
        scan = graph.operations[graph.codes[instruction]]
        assert isinstance(scan, Scan)
        self.scan = scan
        operands = graph.operands[graph.starts[instruction] : graph.starts[instruction + 1]]
        end = scan.state + scan.steps * scan.reads
        self._all_read, known = operands[end:], graph.dependence
        state = np.full(scan.state, known[self.slot])  # whatever goes in may reach it
        read = np.bitwise_or.reduce(known[operands[scan.state : end]].reshape(scan.steps, -1), axis=0) | BY_INPUTS
        kinds = np.concatenate([state, read, known[self._all_read]])
        self.graph = fused(replace(scan.body, kinds=kinds))
        self.groups = Groups(self.graph, 0, around=around, slots=self._all_read)
        self.frame, self.height = first_row, int(np.count_nonzero(self.groups.rows >= 0))
        self.tape = 0
        self.loops = [self._inner(inner) for inner in self.graph.loops.tolist()]
        self.rows = self.height + scan.state

    def _inner(self, instruction: int) -> "Loop":
        """A loop in the body. Its rows and its tape are among those of the body."""
        loop = Loop(self.graph, instruction, self.groups, self.places, self.at, self.frame + self.height)
        loop.tape = loop.frame + loop.rows
        self.height += loop.rows + loop.scan.steps * loop.height
        return loop

    def lanes_at(self) -> int:
        """The place of the first lane of the program."""
        return int(self._outer(np.array([self.slot]))[0, 0])

    def places(self, slots: Slots) -> Slots:
        """As `Layout.places` has it, for slots of the body."""
        first = self.graph.inputs
        found = np.zeros((len(slots), 3), np.int64)
        is_read_by_all = (slots >= first) & (slots < self.graph.leaves)
        found[is_read_by_all] = self._outer(self._all_read[slots[is_read_by_all] - first])
        own = ~is_read_by_all
        found[own, 0], found[own, 2] = self.lanes_at(), 1
        found[own, 1] = self.frame + self.groups.rows[slots[own]]
        return found


def most_operands(graph: FlatGraph, loops: Sequence[Loop]) -> int:
    """The most operands of an instruction that is no loop, in a graph and in the bodies of its loops."""
    plain = np.delete(graph.counts, graph.loops)
    return max(int(plain.max(initial=0)), *(most_operands(loop.graph, loop.loops) for loop in loops), 0)
