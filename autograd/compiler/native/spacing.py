"""Which dots read evenly spaced numbers, and how far apart are these?

Products of computed rows, such as queries and keys at all positions of a sequence, and weighted sums of such rows. The
words of such a dot say where its operands begin and how far apart they are, and not where each of them is; and several
dots are one instruction, if what they read goes on evenly too.
"""

import numpy as np

from autograd.compiler.backend import Words
from autograd.compiler.flat_graph import Mask, Slots
from autograd.compiler.groups import DOT, Groups
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.loops import Loop


class Spacing:
    """Which dots have evenly spaced operands, and how far apart are these?

    Arguments:
        layout: where the numbers lie.
        groups: what runs together.
        places: the place of each slot.
        operands, starts: the operands of the instructions in the order of the groups, and where those of each start.

    Attributes:
        groups: the groups that have no others.
        members: whether each instruction is in one of them.
    """

    def __init__(self, layout: Layout | Loop, groups: Groups, places: Words, operands: Words, starts: Words) -> None:
        graph, self._group_starts = layout.graph, groups.starts
        is_dot = graph.have(DOT)[groups.order[groups.starts[:-1]]] & (not layout.outside)
        is_dot[list(groups.layers)] = False
        dots = np.flatnonzero(np.repeat(is_dot, np.diff(groups.starts)))
        # For each dot: of how many products it is, where its weights and its inputs begin, and how far apart they are.
        self._first = np.stack([starts[dots], starts[dots] + np.diff(starts)[dots] // 2], axis=1)
        self._half = np.diff(starts)[dots] // 2
        self._operands, self._at = operands, np.zeros(len(groups.order), np.int64)
        self._at[dots] = np.arange(len(dots))
        where, kinds = places[:, 0] + places[:, 1], places[:, 2] * 4 + graph.derivatives
        second = self._first + (self._half > 1)[:, None]
        self._begin = where[operands[self._first]]
        self._steps = where[operands[second]] - self._begin
        self._kinds = kinds[operands[self._first]]
        self._out = where[graph.leaves + groups.order[dots]]
        is_even = self._are_even(where, kinds) & (np.diff(starts)[dots] % 2 == 0)
        is_even &= places[graph.leaves + groups.order[dots], 2] == 1
        all_even = is_dot.copy()
        all_even[np.searchsorted(groups.starts, dots[~is_even], side="right") - 1] = False
        self.groups = np.flatnonzero(all_even)
        self.members = np.repeat(all_even, np.diff(groups.starts))

    def _are_even(self, where: Slots, kinds: Slots) -> Mask:
        """Whether the operands of each dot are as far apart as the first ones, and of their kinds."""
        each = np.repeat(np.arange(len(self._half)), self._half)
        number = np.arange(len(each)) - np.repeat(np.cumsum(self._half) - self._half, self._half)
        slots = self._operands[self._first[each] + number[:, None]]
        same = (where[slots] == self._begin[each] + number[:, None] * self._steps[each]) & (
            kinds[slots] == self._kinds[each]
        )
        found = np.ones(len(self._half), np.bool_)
        found[each[~same.all(axis=1)]] = False
        return found

    def begins(self) -> Words:
        """The dots that do not go on, evenly, with what the ones before them do."""
        dots = np.flatnonzero(self.members)
        at = self._at[dots]
        alike = np.column_stack([self._half[at], self._steps[at], self._kinds[at]])
        is_other = np.ones(len(dots), np.bool_)
        is_other[1:] = (alike[1:] != alike[:-1]).any(axis=1) | (np.diff(self._out[at]) != 1)
        is_other |= np.isin(dots, self._group_starts)
        found, last, further = list[int](), [0, 0], list[int]()
        for dot, other, begin in zip(dots.tolist(), is_other.tolist(), self._begin[at].tolist(), strict=True):
            moved = [begin[0] - last[0], begin[1] - last[1]]
            if other or (further and moved != further):
                found.append(dot)
                further = []
            else:
                further = moved
            last = begin
        return np.array(found, np.int64)

    def words(self, dots: Words, stand_for: Words, out: Words, places: Words, kinds: Words) -> Words:
        """The words of instructions that begin with these dots, but for the first one.

        Arguments:
            dots: the first dot of each.
            stand_for: how many dots it is.
            out: base and row of the results.
            places: base and row of each slot.
            kinds: the kind of each slot.
        """
        at = self._at[dots]
        following = self._at[dots + (stand_for > 1)]
        further = self._begin[following] - self._begin[at]
        slots = self._operands[self._first[at]]
        sides = [
            np.column_stack([places[slots[:, x]], self._steps[at, x], further[:, x], kinds[slots[:, x]]])
            for x in (0, 1)
        ]
        return np.column_stack([self._half[at], out, *sides])
