"""How does the machine read a program? As whole numbers: a row for each group, and words for its instructions."""

from dataclasses import dataclass

import numpy as np

from autograd.compiler.backend import Words
from autograd.compiler.flat_graph import BY_INPUTS, BY_PARAMETERS, FlatGraph, Instruction, Mask, rows_of
from autograd.compiler.native.groups import Layer
from autograd.compiler.native.layout import NO_BIAS, Layout
from autograd.compiler.native.loading import kernels_of, layer_kernels
from autograd.compiler.native.tables import LANES, WANTED

_OUTSIDE = -(1 << 40)
"""A word that will be the address of input number 0. Those of the other inputs follow downwards."""

_FEW, _MANY, _LAYER = 3, 4, 11
"""How many words stand before those of the operands, which have three each; and how many words a layer has."""


@dataclass
class Tables:
    """The words of all instructions; for each group its kernel, its first word, and how many instructions it has.

    `parts` are where the way back from each output begins in `backward`, and the end of the last one.
    """

    words: Words
    shared_forward: Words
    forward: Words
    backward: Words
    shared_backward: Words
    parts: Words


class Code:
    """A program as the machine reads it. Making it compiles the kernels.

    Arguments:
        layout: where its numbers lie.
        of_outputs: whether to go back from every output by itself, to the inputs alone, and not only from the first.
            There must be no layers then, so that only what an output needs is gone through.
    """

    def __init__(self, layout: Layout, of_outputs: bool = False) -> None:
        self.layout, self._of_outputs = layout, of_outputs
        self._writer = _Writer(layout, merged=not of_outputs)
        self._kernels = _kernels(layout)
        self._tables: dict[bool, Tables] = {}

    def tables(self, by_inputs: bool) -> Tables:
        """The tables, with or without the derivatives by the inputs."""
        if by_inputs not in self._tables:
            groups, graph = self.layout.groups, self.layout.graph
            kinds = BY_INPUTS if self._of_outputs else BY_INPUTS | BY_PARAMETERS if by_inputs else BY_PARAMETERS
            wanted = graph.derivatives & kinds != 0
            results = wanted[graph.leaves + groups.order]
            go_back = np.logical_or.reduceat(results, groups.starts[:-1]) if len(results) else results
            table = np.column_stack([self._kernels, self._writer.first, self._writer.counts, go_back])
            shared, own = np.split(table, [groups.before])
            words = self._writer.words(wanted)
            back = _backward(own)
            back, parts = self._ways_back(results) if self._of_outputs else (back, np.array([0, len(back)]))
            tables = Tables(words, _forward(shared), _forward(own), back, _backward(shared), parts)
            self._tables[by_inputs] = tables
        return self._tables[by_inputs]

    def _ways_back(self, wanted: Mask) -> tuple[Words, Words]:
        """The ways back from each output, one after the other, and where each begins.

        Each has only the instructions that the output needs, and of which the gradients are wanted: in 256 outputs
        that read two inputs each, 4 of 1,000.

        Arguments:
            wanted: for each instruction, in the order of the groups, whether the gradient of its result is wanted.
        """
        groups, graph, count = self.layout.groups, self.layout.graph, len(wanted)
        needed = (_needed(graph)[groups.order] & wanted[:, None])[::-1]  # last instruction first
        output, place = np.nonzero(needed.T)
        place = count - 1 - place
        group = np.searchsorted(groups.starts, place, side="right") - 1
        begins = np.ones(len(place), np.bool_)
        begins[1:] = (np.diff(output) != 0) | (np.diff(place) != -1) | (np.diff(group) != 0)
        begin = np.flatnonzero(begins)
        lengths = np.diff(begin, append=len(place))
        first = self._writer.words_at[place[begin + lengths - 1]]
        table = np.column_stack([self._kernels[group[begin], 1], first, lengths])
        return np.ascontiguousarray(table), np.searchsorted(output[begin], np.arange(len(graph.outputs) + 1))

    def instruction_at(self, word: int) -> Instruction:
        """The instruction of many operands whose words begin there."""
        return self.layout.graph.instruction(self._writer.instruction_at(word))

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


def _needed(graph: FlatGraph) -> Mask:
    """Which instructions each output needs: a row for each instruction, a column for each output."""
    bits = [0] * graph.slots  # a bit for each output: sets of outputs are united in 50 ns
    for number, slot in enumerate(graph.outputs):
        bits[slot] |= 1 << number
    operands, starts = graph.operands.tolist(), graph.starts.tolist()
    for k in range(len(graph.codes) - 1, -1, -1):
        for slot in operands[starts[k] : starts[k + 1]]:
            bits[slot] |= bits[graph.leaves + k]
    size = -(-len(graph.outputs) // 8)
    packed = np.frombuffer(b"".join(x.to_bytes(size, "little") for x in bits[graph.leaves :]), np.uint8)
    unpacked = np.unpackbits(packed.reshape(-1, size), axis=1, count=len(graph.outputs), bitorder="little")
    return unpacked.view(np.bool_)


def _forward(table: Words) -> Words:
    """For each group the address of the kernel of its values, its first word, and how many instructions it has."""
    return np.ascontiguousarray(table[:, [0, 2, 3]])


def _backward(table: Words) -> Words:
    """The same with the kernels of the chain rule, for the groups whose gradients are wanted, last group first."""
    return np.ascontiguousarray(table[table[:, 4] == 1][::-1][:, [1, 2, 3]])


def _kernels(layout: Layout) -> Words:
    """The addresses of the two kernels of each group."""
    graph, groups = layout.graph, layout.groups
    first = groups.order[groups.starts[:-1]]
    found, layers = np.zeros((len(first), 2), np.int64), list(groups.layers)
    plain = np.delete(np.arange(len(first)), layers)
    _, examples, which = np.unique(groups.kernels[first[plain]], return_index=True, return_inverse=True)
    addresses = [kernels_of(x.operation, len(x.operands)) for x in map(graph.instruction, first[plain][examples])]
    found[plain] = np.array(addresses, np.int64).reshape(-1, 2)[which]
    if layers:
        found[layers] = layer_kernels()
    return found


class _Writer:
    """Writes the words of a program.

    Arguments:
        layout: where the numbers lie.
        merged: whether several instructions may be one (see `counts`).

    Attributes:
        words_at: the first word of each instruction, in the order of the groups, if none are merged.
        first: the first word of each group.
        counts: how many instructions each group has. Several of up to three operands, which compute the same on
            neighbouring rows, are one; and so is a layer.
    """

    def __init__(self, layout: Layout, merged: bool = True) -> None:
        graph, groups = layout.graph, layout.groups
        self._layout, self._places = layout, layout.places(np.arange(graph.slots))
        for slot, number in layout.outside.items():
            self._places[slot] = _OUTSIDE - number, 0, LANES
        # From here on, instructions are counted in the order of the groups.
        at, self._starts = rows_of(graph.starts, groups.order)
        self._operands, self._out = graph.operands[at], graph.leaves + groups.order
        many = np.array([x.nary for x in graph.operations], np.bool_)[graph.codes[groups.order]]
        in_layer = np.isin(np.arange(len(groups.starts) - 1), list(groups.layers)).repeat(np.diff(groups.starts))
        begins = np.full(len(many), not merged)
        begins[groups.starts[:-1]] = True
        begins[many & ~in_layer] = True
        begins[self._elsewhere(np.flatnonzero(~(begins | in_layer)))] = True
        self._heads = np.flatnonzero(begins)  # those that have words of their own
        self._stand_for = np.diff(self._heads, append=len(many))  # so many instructions
        self._many, self._layers = many[self._heads], in_layer[self._heads]
        self._before_operands = np.where(self._many, _MANY, _FEW)
        lengths = np.where(self._layers, _LAYER, self._before_operands + 3 * np.diff(self._starts)[self._heads])
        self._end, self.words_at = int(lengths.sum()), np.cumsum(lengths) - lengths
        first = np.searchsorted(self._heads, groups.starts)
        self.first, self.counts = self.words_at[first[:-1]], np.diff(first)

    def instruction_at(self, word: int) -> int:
        """The instruction of the graph whose words begin there."""
        return int(self._out[self._heads[np.searchsorted(self.words_at, word)]]) - self._layout.graph.leaves

    def words(self, wanted: Mask) -> Words:
        """All words, if the gradients of these slots are wanted."""
        base, row, lanes = self._places.T
        kinds = lanes * LANES + (wanted & (base > _OUTSIDE)) * WANTED
        words = np.zeros(self._end + 1, np.int64)
        words[self.words_at] = np.where(self._many, np.diff(self._starts)[self._heads], self._stand_for)
        words[self.words_at[self._many] + 1] = lanes[self._out[self._heads[self._many]]]
        at = self.words_at[~self._layers] + self._before_operands[~self._layers]
        out = self._out[self._heads[~self._layers]]
        words[at - 2], words[at - 1] = base[out], row[out]
        of, starts = rows_of(self._starts, self._heads[~self._layers])
        slots, at = self._operands[of], 3 * np.arange(len(of)) + np.repeat(at - 3 * starts[:-1], np.diff(starts))
        words[at], words[at + 1], words[at + 2] = base[slots], row[slots], kinds[slots]
        layers = self._layout.groups.layers.values()
        for first, layer, out in zip(
            self.words_at[self._layers], layers, self._out[self._heads[self._layers]], strict=True
        ):
            words[first : first + _LAYER] = self._of_layer(layer, out, wanted)
        return words

    def _elsewhere(self, instructions: Words) -> Words:
        """Those of these instructions that do not go on, a row further, with what the ones before them do."""
        lanes = self._places[:, 2]
        of, starts = rows_of(self._starts, instructions)
        counts = np.diff(starts)
        out, slots = self._out[instructions], self._operands[of]
        goes_on = (lanes[out] == 1) & self._are_next(self._out[instructions - 1], out)
        is_next = self._are_next(self._operands[of - np.repeat(counts, counts)], slots)
        goes_on[np.repeat(np.arange(len(counts)), counts)[~is_next]] = False
        found: Words = instructions[~goes_on]
        return found

    def _are_next(self, before: Words, slots: Words) -> Mask:
        """Whether slots lie a row behind others, or are the same and shared; and their gradients are wanted alike."""
        base, row, lanes = self._places.T
        derivatives = self._layout.graph.derivatives
        found: Mask = (base[slots] == base[before]) & (row[slots] == row[before] + lanes[before])
        found &= derivatives[slots] == derivatives[before]
        return found

    def _of_layer(self, layer: Layer, out: int, wanted: Mask) -> list[int]:
        """The words of a layer."""
        layout, rows = self._layout, self._layout.groups.rows
        m, k = len(layer.weights) // len(layer.inputs), len(layer.inputs)
        bias, step = (layout.at[layer.biases[0]], 1) if len(layer.biases) else (layout.at[NO_BIAS], 0)
        places = layout.lanes_at, rows[layer.inputs[0]], layout.lanes_at, rows[out]
        return [m, k, layout.at[layer.weights[0]], bias, step, *places, wanted[layer.inputs].any(), layer.sole]
