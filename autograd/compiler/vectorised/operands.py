"""Where are the numbers that a group reads, and how do their gradients get back there?

A program's numbers are two arrays: the shared ones, and those of all lanes, a row for each slot (see `places.py`). What
a group reads is a table of slots. Where they lie side by side it is a slice, and otherwise they are gathered.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.flat_graph import Mask, Slots
from autograd.compiler.places import Places


@dataclass
class Memory:
    """The numbers of a program, or their gradients.

    Attributes:
        shared: those that all examples share, as a column.
        rows: the others, with a column for each example.
    """

    shared: Numbers
    rows: Numbers


_NONE = np.zeros((0, 1))


class _At:
    """Some places along the first axis of an array: read together, and added to together.

    Attributes:
        index: a slice where they lie side by side, or are all the same; otherwise an array.
    """

    def __init__(self, places: Words) -> None:
        first, count = int(places[0]), len(places)
        self._is_one = self._is_repeated = False
        self.index: Any = slice(first, first + 1)
        if count == 1:  # of 100,000 operations that wait for each other, all are: half of the time to prepare them
            return
        steps = np.diff(places)
        if not steps.any():
            self._is_one = True
        elif (steps == 1).all():
            self.index = slice(first, first + count)
        else:
            self._gather(places)

    def _gather(self, places: Words) -> None:
        """For places that do not lie side by side."""
        self.index = places
        if len(np.unique(places)) < len(places):
            self._is_repeated = True
            self._order = np.argsort(places, kind="stable")
            self._unique, self._starts = np.unique(places[self._order], return_index=True)

    def read(self, numbers: Numbers) -> Numbers:
        """The numbers in these places; a single one for all, if all places are the same."""
        found: Numbers = numbers[self.index]
        return found

    def add(self, numbers: Numbers, more: Numbers) -> None:
        """Adds a row to each place, in an order that is always the same."""
        if self._is_one:
            numbers[self.index] += more.sum(axis=0)
        elif self._is_repeated:
            numbers[self._unique] += np.add.reduceat(more[self._order], self._starts, axis=0)
        else:
            numbers[self.index] += more


class Operand:
    """The numbers in some slots, one after the other.

    Arguments:
        places: where the numbers lie.
        slots: the slots.
        wanted: which of all slots have a gradient that is wanted.

    Attributes:
        constant: the number, if it is one and the same constant in all of them; otherwise None.
        wanted: whether some gradient is wanted.
    """

    def __init__(self, places: Places, slots: Slots, wanted: Mask) -> None:
        graph, self._count = places.graph, len(slots)
        shared = places.groups.shared[slots]
        self._shared = self._rows = None
        if shared.all():
            self._shared = _At(places.at[slots]) if len(slots) else None
        elif not shared.any():
            self._rows = _At(places.groups.rows[slots])
        else:
            self._is_shared, self._is_row = np.flatnonzero(shared), np.flatnonzero(~shared)
            self._shared, self._rows = _At(places.at[slots[shared]]), _At(places.groups.rows[slots[~shared]])
        self.wanted = bool(wanted[slots].any())
        self.constant: float | None = None
        if self._rows is None and len(slots) and graph.is_constant(int(slots[0])) and (slots == slots[0]).all():
            self.constant = graph.constants[int(slots[0]) - graph.leaves + len(graph.constants)]

    def read(self, memory: Memory) -> Numbers:
        """The numbers: a row for each slot, or one row for all; a column for each example, or one for all."""
        if self._rows is None:
            return self._shared.read(memory.shared) if self._shared is not None else _NONE
        if self._shared is None:
            return self._rows.read(memory.rows)
        found = np.empty((self._count, memory.rows.shape[1]))
        found[self._is_shared] = self._shared.read(memory.shared)
        found[self._is_row] = self._rows.read(memory.rows)
        return found

    def write(self, memory: Memory, numbers: Numbers) -> None:
        """Sets the numbers of results, which all lie in rows, or are all shared."""
        if self._rows is not None:
            memory.rows[self._rows.index] = numbers
        elif self._shared is not None:
            memory.shared[self._shared.index] = numbers

    def add(self, gradients: Memory, more: Numbers) -> None:
        """Adds to the gradients of these slots. (Those of constants, which nobody reads, get what they get.)"""
        both = self._rows is not None and self._shared is not None
        if self._shared is not None:
            of_shared = more[self._is_shared] if both else more
            self._shared.add(gradients.shared, of_shared.sum(axis=1, keepdims=True))
        if self._rows is not None:
            self._rows.add(gradients.rows, more[self._is_row] if both else more)
