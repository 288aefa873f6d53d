"""How does the machine read a program? As whole numbers: a row for each group, and words for its instructions."""

from dataclasses import dataclass

import numpy as np

from autograd.compiler.backend import Words
from autograd.compiler.flat_graph import Instruction
from autograd.compiler.native.groups import Group, Layer
from autograd.compiler.native.kernels import LANES, WANTED
from autograd.compiler.native.layout import NO_BIAS, Layout
from autograd.compiler.native.loading import kernels_of, layer_kernels

Place = tuple[int, int, int]
"""Where a number lies, and of what kind it is: base, row, and what `LANES` and `WANTED` say."""

_OUTSIDE = -(1 << 40)
"""A word that will be the address of input number 0. Those of the other inputs follow downwards."""


@dataclass
class Tables:
    """The words of all instructions; for each group its kernel, its first word, and how many instructions it has."""

    words: Words
    shared_forward: Words
    forward: Words
    backward: Words
    shared_backward: Words


class Code:
    """A program as the machine reads it. Making it compiles the kernels."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        for group in (*layout.groups.before, *layout.groups.each):
            if group.layer is None:
                kernels_of(group.instructions[0].operation, len(group.instructions[0].operands))
        self._tables: dict[bool, Tables] = {}
        self._at_word: dict[int, Instruction] = {}

    def tables(self, by_inputs: bool) -> Tables:
        """The tables, with or without the derivatives by the inputs."""
        if by_inputs not in self._tables:
            writer = _Writer(self.layout, by_inputs, self._at_word)
            shared, own = writer.table(self.layout.groups.before), writer.table(self.layout.groups.each)
            words = np.array([*writer.words, 0], np.int64)
            self._tables[by_inputs] = Tables(words, _forward(shared), _forward(own), _backward(own), _backward(shared))
        return self._tables[by_inputs]

    def instruction_at(self, word: int) -> Instruction:
        """The instruction of many operands whose words begin there."""
        return self._at_word[word]

    def outside(self) -> tuple[Words, Words]:
        """What has to be filled in if the inputs lie outside.

        Returns:
            each word that needs an address, and of which input; and the outputs that have to be copied: their base and
            row, and to which input.
        """
        words = self.tables(False).words
        at = np.flatnonzero(words <= _OUTSIDE)
        patches = np.stack([at, _OUTSIDE - words[at]], axis=1)
        layout = self.layout
        pairs = zip(layout.graph.outputs, layout.in_place, strict=True)
        copies = [(layout.lanes_at, layout.groups.rows[slot], k) for slot, k in pairs if layout.outside.get(slot) != k]
        return patches, np.array(copies, np.int64).reshape(-1, 3)


def _forward(table: Words) -> Words:
    """For each group the address of the kernel of its values, its first word, and how many instructions it has."""
    return np.ascontiguousarray(table[:, [0, 2, 3]])


def _backward(table: Words) -> Words:
    """The same with the kernels of the chain rule, for the groups whose gradients are wanted, last group first."""
    return np.ascontiguousarray(table[table[:, 4] == 1][::-1][:, [1, 2, 3]])


class _Writer:
    """Writes the words of groups.

    Arguments:
        layout: where the numbers lie.
        by_inputs: whether the derivatives by the inputs are wanted.
        at_word: is given each instruction of many operands, by the place of its words.
    """

    def __init__(self, layout: Layout, by_inputs: bool, at_word: dict[int, Instruction]) -> None:
        self.words: list[int] = []
        self._layout = layout
        self._at_word = at_word
        graph = layout.graph
        self._wanted = [by_inputs] * graph.inputs + [True] * len(graph.parameters) + [False] * len(graph.constants)
        for x in graph.instructions:
            self._wanted.append(any(self._wanted[slot] for slot in x.operands))
        self._places = self._all_places()

    def table(self, groups: list[Group]) -> Words:
        """For each group: its two kernels, its first word, how many instructions it has, and if it goes backward."""
        return np.array([self._group(group) for group in groups], np.int64).reshape(-1, 5)

    def _all_places(self) -> list[Place]:
        """The place of each slot."""
        layout = self._layout
        at, rows, outside, lanes_at = layout.at, layout.groups.rows, layout.outside, layout.lanes_at
        places = []
        for slot, (is_shared, is_wanted) in enumerate(zip(layout.groups.shared, self._wanted, strict=True)):
            kind = WANTED if is_wanted else 0
            if slot in outside:
                places.append((_OUTSIDE - outside[slot], 0, LANES))
            elif is_shared:
                places.append((at[slot], 0, kind))
            else:
                places.append((lanes_at, rows[slot], kind | LANES))
        return places

    def _group(self, group: Group) -> tuple[int, int, int, int, int]:
        first, instructions = len(self.words), group.instructions
        goes_back = any(self._wanted[x.out] for x in instructions)
        if group.layer is not None:
            self._write_layer(group.layer, instructions[0].out)
            return *layer_kernels(), first, 1, goes_back
        operation = instructions[0].operation
        count = self._write_many(instructions) if operation.rule.nary else self._write_few(instructions)
        return *kernels_of(operation, len(instructions[0].operands)), first, count, goes_back

    def _write_many(self, instructions: list[Instruction]) -> int:
        """Instructions of any number of operands. Returns how many they are."""
        for x in instructions:
            self._at_word[len(self.words)] = x
            base, row, kind = self._places[x.out]
            self.words.extend((len(x.operands), kind & LANES, base, row))
            for slot in x.operands:
                self.words.extend(self._places[slot])
        return len(instructions)

    def _write_few(self, instructions: list[Instruction]) -> int:
        """Instructions of up to three operands; several on neighbouring rows become one. Returns how many there are."""
        words, place_of = self.words, self._places
        count, last = 0, [(-1, -1, -1)]
        for x in instructions:
            places = [place_of[slot] for slot in x.operands]
            neighbours = [(b, r + (kind & LANES), kind) for b, r, kind in last]
            base, row, kind = place_of[x.out]
            if places == neighbours and kind & LANES:
                words[-3 - 3 * len(places)] += 1
            else:
                words.extend((1, base, row))
                for place in places:
                    words.extend(place)
                count += 1
            last = places
        return count

    def _write_layer(self, layer: Layer, out: int) -> None:
        layout = self._layout
        m, k = len(layer.weights) // len(layer.inputs), len(layer.inputs)
        bias, step = (layout.at[layer.biases[0]], 1) if layer.biases else (layout.at[NO_BIAS], 0)
        inputs, results = layout.groups.rows[layer.inputs[0]], layout.groups.rows[out]
        self.words.extend((m, k, layout.at[layer.weights[0]], bias, step))
        self.words.extend((layout.lanes_at, inputs, layout.lanes_at, results))
        self.words.extend((any(self._wanted[slot] for slot in layer.inputs), layer.sole))
