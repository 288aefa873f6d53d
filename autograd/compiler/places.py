"""Where does each number of a program lie?

Results that depend on an input have a number for each example. What depends on parameters alone is shared by all
examples, and computed once. The shared numbers lie together: parameters, layer by layer and each layer's weights as a
matrix, then constants, then results. The others have rows, with a lane for each example.

Native code (`native/layout.py`) and NumPy (`vectorised/`) both keep to this.
"""

import numpy as np

from autograd.compiler.flat_graph import FlatGraph, Slots
from autograd.compiler.groups import Groups

NO_BIAS = -1
"""In place of a slot: a zero, for dots without a bias."""


class Places:
    """The places of a program's numbers.

    Arguments:
        graph: the graph, after `fusion`.
        moved: how many of its parameters are moved: the first ones. They lie together, at the beginning.
        layers: whether dots may run together as layers.

    Attributes:
        groups: what runs together.
        height: the number of rows.
        at: the place of each shared slot, and at its end that of NO_BIAS.
        lanes_at: the end of the shared numbers, and in native code the place of the first lane.
        moved_end: the end of the parameters that are moved, with gaps between them.
        fresh_end: the end of the gradients of layers whose weights nothing else reads. (Native code sets them in the
            first block of a batch; all others begin at 0.)
        parameters_at, constants_at: the places of the parameters and of the constants.
    """

    def __init__(self, graph: FlatGraph, moved: int | None = None, *, layers: bool = True) -> None:
        self.graph = graph
        moved = len(graph.parameters) if moved is None else moved
        self.groups = Groups(graph, moved, layers=layers)
        self.height = int(np.count_nonzero(self.groups.rows >= 0))
        self.at = np.full(graph.slots + 1, -1)
        self._add_loops()
        self._end = 0
        self._place(moved)
        ends = np.cumsum([graph.inputs, len(graph.parameters)])
        self.parameters_at, self.constants_at = np.split(self.at[: graph.leaves], ends)[1:]

    def _add_loops(self) -> None:
        """For a layout with loops, which may have layers too: their weights are found before numbers get places."""

    def places(self, slots: Slots) -> Slots:
        """A row for each slot: base, row, and 1 if it has a number for each lane."""
        shared = self.groups.shared[slots]
        base, row = np.where(shared, self.at[slots], self.lanes_at), np.where(shared, 0, self.groups.rows[slots])
        return np.stack([base, row, ~shared], axis=1)

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
