"""Where does each number of a program lie?

Results that depend on an input have a number for each example. What depends on parameters alone is shared by all
examples, and computed once.

The numbers begin with the shared ones: parameters, layer by layer and each layer's weights as a matrix, then constants,
then results. Behind them lie the lanes of a block of examples: a row for each input and each result.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.native.groups import DOT, Groups

BLOCK = 64
"""At least this many examples are computed together: with fewer, calling a kernel costs more than its work."""

CACHE = 16_384
"""Small programs compute more examples together, as long as their results stay within this many numbers: 256 KiB."""

NO_BIAS = -1
"""In place of a slot: a zero, for dots without a bias."""


class Layout:
    """The places of a program's numbers.

    Arguments:
        graph: the graph, after `fusion`.
        moved: how many of its parameters are moved: the first ones. They lie together, at the beginning.
        in_place: for each output the input whose place it takes. All inputs then lie outside, in arrays of their own.

    Attributes:
        groups: what runs together.
        at: the place of each shared slot.
        lanes_at: the place of the first lane.
        moved_end: the end of the parameters that are moved, with gaps between them.
        fresh_end: the end of the gradients that the first block of a batch sets. All others begin at 0.
        parameters_at, constants_at: the places of the parameters and of the constants.
        outside: for each slot that lies outside, the input whose array it is.
        weight: about how many products and sums an example takes.
    """

    def __init__(self, graph: FlatGraph, moved: int | None = None, *, in_place: Sequence[int] = ()) -> None:
        self.graph = graph
        self.in_place = in_place
        moved = len(graph.parameters) if moved is None else moved
        self.groups = Groups(graph, moved)
        self.layers = [group.layer for group in self.groups.each if group.layer is not None]
        self.weight = 3 * sum(len(layer.weights) for layer in self.layers) + 8 * len(self.groups.rows)
        self.at: dict[int, int] = {}
        self._end = 0
        self._place(moved)
        slots = range(graph.inputs, graph.leaves)
        leaves_at = np.array([self.at[slot] for slot in slots], np.intp)
        self.parameters_at, self.constants_at = np.split(leaves_at, [len(graph.parameters)])
        self.outside = self._outside() if in_place else {}

    def lanes(self, examples: int) -> int:
        """How many examples run together: one, or a multiple of eight."""
        most = max(BLOCK, CACHE // max(len(self.groups.rows), 1) // 8 * 8)
        return 1 if examples <= 1 else min(most, -(-examples // 8) * 8)

    def _place(self, moved: int) -> None:
        """Gives each shared slot its place."""
        first, last = self.graph.inputs, self.graph.inputs + len(self.graph.parameters)
        self.fresh_end = 0
        self._place_parameters(range(first, first + moved))
        self.moved_end = self._aligned()
        self._place_parameters(range(first + moved, last))
        self._add([*range(last, self.graph.leaves), NO_BIAS])
        self._add(x.out for group in self.groups.before for x in group.instructions)
        self.lanes_at = self._aligned()

    def _place_parameters(self, slots: range) -> None:
        """Places parameters: layers first, and of these first those that alone add to their gradients."""
        rest = set(slots)
        for layer in sorted(self.groups.matrices, key=lambda layer: not layer.sole):
            if layer.weights[0] in rest:
                self._add(layer.weights)
                self._add(layer.biases)
                rest.difference_update(layer.weights, layer.biases)
                if layer.sole:
                    self.fresh_end = self._end
        self._add(sorted(rest))

    def _aligned(self) -> int:
        """Goes on to a multiple of eight numbers."""
        self._end += -self._end % 8
        return self._end

    def _add(self, slots: Iterable[int]) -> None:
        """Puts slots side by side, from a multiple of eight numbers on."""
        for place, slot in enumerate(slots, self._aligned()):
            self.at[slot] = place
            self._end = place + 1

    def _outside(self) -> dict[int, int]:
        """The inputs, and the outputs that take their places because nothing reads the input after they are written."""
        outside = {k: k for k in range(self.graph.inputs)}
        order = [x for group in self.groups.each for x in group.instructions]
        written = {x.out: k for k, x in enumerate(order)}
        for number, slot in zip(self.in_place, self.graph.outputs, strict=True):
            if slot in written and slot not in outside:
                at = written[slot]
                last = at - (order[at].operation is DOT)  # a dot adds up where its result is, so it may not read there
                if all(k <= last for k, x in enumerate(order) if number in x.operands):
                    outside[slot] = number
        return outside

    def notes(self) -> list[str]:
        """What runs together, in words."""
        found = []
        for layer in self.layers:
            k = len(layer.inputs)
            m = len(layer.weights) // k
            found.append(f"{m:,} dot{'s' * (m > 1)} of {k:,} weights run{'s' * (m == 1)} as one layer")
        return found
