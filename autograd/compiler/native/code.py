"""How does the machine read a program? As whole numbers: a row for each group, and words for its instructions."""

from dataclasses import dataclass

import numpy as np

from autograd.compiler.backend import Words
from autograd.compiler.flat_graph import (
    BY_INPUTS,
    BY_PARAMETERS,
    RESULT,
    FlatGraph,
    Instruction,
    Mask,
    Scan,
    rows_of,
)
from autograd.compiler.groups import Groups, Layer
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.loading import kernels_of, layer_kernels, loop_kernels, spaced_dot_kernels
from autograd.compiler.native.loops import Loop
from autograd.compiler.native.spacing import Spacing
from autograd.compiler.native.tables import IN_FRAME, LANES, LOOP, REPEATED, SPACED, WANTED
from autograd.compiler.places import NO_BIAS

_OUTSIDE = -(1 << 40)
"""A word that will be the address of input number 0. Those of the other inputs follow downwards."""

_FEW, _MANY, _LAYER = 3, 4, 13
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
        outputs: the numbers of some outputs, if they alone are computed: then only what they need runs.

    Attributes:
        outputs: the slots of the outputs.
        fresh_end: see `Layout`; 0 if not every layer runs that sets its gradients.
    """

    def __init__(self, layout: Layout, of_outputs: bool = False, outputs: tuple[int, ...] | None = None) -> None:
        self.layout, self._of_outputs = layout, of_outputs
        self.outputs, self.fresh_end, groups = layout.graph.outputs, layout.fresh_end, layout.groups
        if outputs is not None:
            self.outputs = tuple(self.outputs[k] for k in outputs)
            groups = groups.selected(self.outputs)
            if len(groups.layers) < len(layout.groups.layers):
                self.fresh_end = 0
        self._parts = [_Part(layout, 0, groups, merged=not of_outputs)]
        for part in self._parts:  # which grows meanwhile: the bodies of loops, and of the loops in them
            for loop in part.loops():
                self._parts.append(_Part(loop, self._parts[-1].end, loop.groups, part))
        self._tables: dict[bool, Tables] = {}
        self._of: dict[tuple[int, ...], Code] = {}

    def of(self, outputs: tuple[int, ...] | None) -> "Code":
        """The code of some outputs alone; that of all for None."""
        if outputs is None or outputs == tuple(range(len(self.layout.graph.outputs))):
            return self
        if outputs not in self._of:
            self._of[outputs] = Code(self.layout, outputs=outputs)
        return self._of[outputs]

    def tables(self, by_inputs: bool) -> Tables:
        """The tables, with or without the derivatives by the inputs."""
        if by_inputs not in self._tables:
            by = BY_INPUTS if self._of_outputs else BY_INPUTS | BY_PARAMETERS if by_inputs else BY_PARAMETERS
            shared, own = np.split(self._parts[0].table(by), [self._parts[0].groups.before])
            words = self._with_loops(by)
            back = _backward(own)
            back, parts = self._parts[0].ways_back(by) if self._of_outputs else (back, np.array([0, len(back)]))
            tables = Tables(words, _forward(shared), _forward(own), back, _backward(shared), parts)
            self._tables[by_inputs] = tables
        return self._tables[by_inputs]

    def _with_loops(self, by: int) -> Words:
        """All words: those of the program, those of the bodies of its loops, and the tables of these."""
        words = np.concatenate([part.words(by) for part in self._parts])
        for body in self._parts[1:]:
            words[body.word_of_loop()] = len(words)
            words = np.concatenate([words, body.table_of_loop(by, len(words))])
        return words

    def instruction_at(self, word: int) -> Instruction:
        """The instruction of many operands whose words begin there."""
        (part,) = (x for x in self._parts if x.at <= word < x.end)
        return part.layout.graph.instruction(part.writer.instruction_at(word - part.at))

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


class _Part:
    """What is written down in one piece: a program, or the body of a loop.

    Arguments:
        layout: where it lies.
        at: where its words begin.
        groups: what runs together, all of it or some.
        around: the part in which it is a loop.
        merged: whether several instructions may be one (see `_Writer`).

    Attributes:
        end: where its words end.
    """

    def __init__(
        self, layout: Layout | Loop, at: int, groups: Groups, around: "_Part | None" = None, merged: bool = True
    ) -> None:
        self.layout, self.at, self.groups, self._around = layout, at, groups, around
        self.writer = _Writer(layout, groups, merged)
        self.end: int = at + self.writer.size
        self._kernels = _kernels(layout, groups, self.writer.spaced)

    def loops(self) -> list[Loop]:
        """The loops that run."""
        return [loop for loop in self.layout.loops if loop.slot - self.layout.graph.leaves in self.groups.order]

    def words(self, by: int) -> Words:
        """The words of the instructions, if the gradients by something of this kind are wanted."""
        return self.writer.words(self._wanted(by))

    def table(self, by: int) -> Words:
        """For each group its kernels, its first word, how many instructions it has, and whether to go back."""
        groups = self.groups
        results = self._wanted(by)[self.layout.graph.leaves + groups.order]
        go_back = np.logical_or.reduceat(results, groups.starts[:-1]) if len(results) else results
        return np.column_stack([self._kernels, self.writer.first + self.at, self.writer.counts, go_back])

    def _wanted(self, by: int) -> Mask:
        found: Mask = self.layout.graph.derivatives & by != 0
        return found

    def word_of_loop(self) -> int:
        """The word of the loop that says where its table is."""
        assert isinstance(self.layout, Loop)
        assert self._around is not None
        return self._around.at + self._around.writer.word_of(self.layout.slot) + 1

    def table_of_loop(self, by: int, at: int) -> Words:
        """The table of the loop, which begins at a word, and behind it what it refers to."""
        loop = self.layout
        assert isinstance(loop, Loop)
        scan, slots = loop.scan, np.array(loop.graph.outputs, np.int64)
        places, in_frame = loop.places(slots), (slots < loop.graph.inputs) | (slots >= loop.graph.leaves)
        kinds = places[:, 2] * LANES + self._wanted(by)[slots] * WANTED + in_frame * IN_FRAME
        groups, outputs = self.table(by), np.column_stack([places[:, :2], kinds])
        forward, backward = _forward(groups), _backward(groups)
        arrays = [x.ravel() for x in (outputs, self._rows_of_results(), forward, backward)]
        starts = np.cumsum([at + len(LOOP), *map(len, arrays)]).tolist()
        table = [scan.steps, scan.state, scan.reads, scan.gives, loop.lanes_at(), loop.frame, loop.height, loop.tape]
        table += [starts[0], starts[1], starts[2], len(forward), starts[3], len(backward)]
        return np.concatenate([np.array(table, np.int64), *arrays])

    def _rows_of_results(self) -> Words:
        """The row of each result of the loop; -1 for those that nobody reads."""
        assert isinstance(self.layout, Loop)
        assert self._around is not None
        scan = self.layout.scan
        found = np.full(scan.state + scan.steps * scan.gives, -1)
        slots, numbers = self._around.layout.graph.result_numbers(self.layout.slot)
        found[numbers] = self._around.layout.places(slots)[:, 1]
        return found

    def ways_back(self, by: int) -> tuple[Words, Words]:
        """The ways back from each output, one after the other, and where each begins.

        Each has only the instructions that the output needs, and of which the gradients are wanted: in 256 outputs
        that read two inputs each, 4 of 1,000.
        """
        groups, graph = self.groups, self.layout.graph
        of = np.repeat(np.arange(len(self._kernels)), np.diff(groups.starts))  # the group of each instruction
        wanted = self._wanted(by)[graph.leaves + groups.order] & (self._kernels[of, 1] != 0)
        needed = _needed(graph)[groups.order] & wanted[:, None]
        output, place = np.nonzero(needed[::-1].T)  # last instruction first
        place = len(of) - 1 - place
        begins = np.ones(len(place), np.bool_)
        begins[1:] = (np.diff(output) != 0) | (np.diff(place) != -1) | (np.diff(of[place]) != 0)
        begin = np.flatnonzero(begins)
        lengths = np.diff(begin, append=len(place))
        first = self.writer.words_at[place[begin + lengths - 1]]
        table = np.column_stack([self._kernels[of[place[begin]], 1], first, lengths])
        return np.ascontiguousarray(table), np.searchsorted(output[begin], np.arange(len(graph.outputs) + 1))


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
    """For each group the address of the kernel of its values, its first word, and how many instructions it has.

    The results of a loop have no kernel: the loop itself writes them.
    """
    return np.ascontiguousarray(table[table[:, 0] != 0][:, [0, 2, 3]])


def _backward(table: Words) -> Words:
    """The same with the kernels of the chain rule, for the groups whose gradients are wanted, last group first."""
    return np.ascontiguousarray(table[(table[:, 0] != 0) & (table[:, 4] == 1)][::-1][:, [1, 2, 3]])


def _kernels(layout: Layout | Loop, groups: Groups, spaced: Words) -> Words:
    """The addresses of the two kernels of each group; 0 for the results of a loop.

    Arguments:
        layout: where its numbers lie.
        groups: what runs together.
        spaced: the groups of dots of evenly spaced operands.
    """
    graph, first = layout.graph, groups.order[groups.starts[:-1]]
    found, layers = np.zeros((len(first), 2), np.int64), list(groups.layers)
    plain = np.delete(np.arange(len(first)), [*layers, *spaced])
    _, examples, which = np.unique(groups.kernels[first[plain]], return_index=True, return_inverse=True)
    addresses = list(map(_kernels_of, map(graph.instruction, first[plain][examples])))
    found[plain] = np.array(addresses, np.int64).reshape(-1, 2)[which]
    if layers:
        found[layers] = layer_kernels()
    if len(spaced):
        found[spaced] = spaced_dot_kernels()
    return found


def _kernels_of(x: Instruction) -> tuple[int, int]:
    """The addresses of the two kernels of an instruction."""
    if x.operation is RESULT:
        return 0, 0
    return loop_kernels() if isinstance(x.operation, Scan) else kernels_of(x.operation, len(x.operands))


class _Writer:
    """Writes the words of a program.

    Arguments:
        layout: where the numbers lie.
        groups: what runs together.
        merged: whether several instructions may be one (see `counts`).

    Attributes:
        words_at: the first word of each instruction, in the order of the groups, if none are merged.
        first: the first word of each group.
        size: how many words there are.
        counts: how many instructions each group has. Several of up to three operands, which compute the same on
            neighbouring rows, are one, where an operand may be the same number in all; and so is a layer.
        spaced: the groups of dots whose operands are evenly spaced.
    """

    def __init__(self, layout: Layout | Loop, groups: Groups, merged: bool = True) -> None:
        graph, self._groups = layout.graph, groups
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
        self._spacing = Spacing(layout, groups, self._places, self._operands, self._starts)
        self.spaced, in_spaced = self._spacing.groups, self._spacing.members
        many &= ~in_spaced
        begins[many & ~in_layer] = True
        begins[self._spacing.begins()] = True
        self._repeated = np.zeros(len(many) + 1, np.int64)
        begins[self._elsewhere(np.flatnonzero(~(begins | in_layer | in_spaced)))] = True
        self._heads = np.flatnonzero(begins)  # those that have words of their own
        self._stand_for = np.diff(self._heads, append=len(many))  # so many instructions
        self._many, self._layers, self._dots = many[self._heads], in_layer[self._heads], in_spaced[self._heads]
        self._plain = ~(self._layers | self._dots)
        self._before_operands = np.where(self._many, _MANY, _FEW)
        lengths = np.where(self._layers, _LAYER, self._before_operands + 3 * np.diff(self._starts)[self._heads])
        lengths[self._dots] = SPACED
        self.words_at, self.size = np.cumsum(lengths) - lengths, int(lengths.sum()) + 1
        first = np.searchsorted(self._heads, groups.starts)
        self.first, self.counts = self.words_at[first[:-1]], np.diff(first)

    def instruction_at(self, word: int) -> int:
        """The instruction of the graph whose words begin there."""
        return int(self._out[self._heads[np.searchsorted(self.words_at, word)]]) - self._layout.graph.leaves

    def word_of(self, slot: int) -> int:
        """Where the words of the instruction begin whose result is in a slot. It must have words of its own."""
        return int(self.words_at[np.flatnonzero(self._out[self._heads] == slot)[0]])

    def words(self, wanted: Mask) -> Words:
        """All words, if the gradients of these slots are wanted."""
        base, row, lanes = self._places.T
        kinds = lanes * LANES + (wanted & (base > _OUTSIDE)) * WANTED
        words = np.zeros(self.size, np.int64)
        words[self.words_at] = np.where(self._many, np.diff(self._starts)[self._heads], self._stand_for)
        words[self.words_at[self._many] + 1] = lanes[self._out[self._heads[self._many]]]
        at = self.words_at[self._plain] + self._before_operands[self._plain]
        out = self._out[self._heads[self._plain]]
        words[at - 2], words[at - 1] = base[out], row[out]
        of, starts = rows_of(self._starts, self._heads[self._plain])
        slots, at = self._operands[of], 3 * np.arange(len(of)) + np.repeat(at - 3 * starts[:-1], np.diff(starts))
        words[at], words[at + 1], words[at + 2] = (
            base[slots],
            row[slots],
            kinds[slots] + REPEATED * self._repeats(starts),
        )
        layers = self._groups.layers.values()
        layers_at, outs = self.words_at[self._layers], self._out[self._heads[self._layers]]
        for first, layer, out in zip(layers_at, layers, outs, strict=True):
            words[first : first + _LAYER] = self._of_layer(layer, out, wanted)
        if self._dots.any():
            at, dots = self.words_at[self._dots], self._heads[self._dots]
            places, stand_for = self._places[:, :2], self._stand_for[self._dots]
            found = self._spacing.words(dots, stand_for, places[self._out[dots]], places, kinds)
            words[at[:, None] + np.arange(1, SPACED)] = found
        return words

    def _repeats(self, starts: Words) -> Words:
        """For each operand of the instructions that are written plainly, 1 if the ones they stand for all read it."""
        bits = np.where(self._stand_for > 1, self._repeated[self._heads + 1], 0)[self._plain]
        counts = np.diff(starts)
        found: Words = (
            np.repeat(bits, counts) >> np.minimum(np.arange(starts[-1]) - np.repeat(starts[:-1], counts), 3) & 1
        )
        return found

    def _elsewhere(self, instructions: Words) -> Words:
        """Those of these instructions that do not go on, a row further, with what the ones before them do.

        An operand may stay the same in all of them. Which ones do is noted in `_repeated`, as bits.
        """
        base, _, lanes = self._places.T
        of, starts = rows_of(self._starts, instructions)
        counts = np.diff(starts)
        out, slots, each = self._out[instructions], self._operands[of], np.repeat(np.arange(len(counts)), counts)
        before = self._operands[of - counts[each]]
        goes_on = (lanes[out] == 1) & self._are_next(self._out[instructions - 1], out)
        is_next = self._are_next(before, slots)
        goes_on[each[~is_next & ((before != slots) | (base[slots] <= _OUTSIDE))]] = False
        bits = ~is_next * 2.0 ** (np.arange(len(of)) - starts[each])
        self._repeated[instructions] = np.bincount(each, bits, len(counts))
        found, last, repeated = list[int](), -1, 0
        rows = zip(instructions.tolist(), goes_on.tolist(), self._repeated[instructions].tolist(), strict=True)
        for k, goes, bits_of_k in rows:
            if goes and (last < k - 1 or bits_of_k == repeated):  # the first one behind a head decides
                last, repeated = k, bits_of_k
            else:
                found.append(k)
        return np.array(found, np.int64)

    def _are_next(self, before: Words, slots: Words) -> Mask:
        """Whether slots lie a row behind others, or are the same and shared; and their gradients are wanted alike."""
        base, row, lanes = self._places.T
        derivatives = self._layout.graph.derivatives
        found: Mask = (base[slots] == base[before]) & (row[slots] == row[before] + lanes[before])
        found &= derivatives[slots] == derivatives[before]
        return found

    def _of_layer(self, layer: Layer, out: int, wanted: Mask) -> list[int]:
        """The words of a layer."""
        layout, places = self._layout, self._places
        bias, step = (layout.at[layer.biases[0]], 1) if len(layer.biases) else (layout.at[NO_BIAS], 0)
        of_both = *places[layer.inputs[0], :2], *places[out, :2]
        how = wanted[layer.inputs].any(), layer.sole, layer.positions, layer.step
        return [layer.dots, layer.reads, layout.at[layer.weights[0]], bias, step, *of_both, *how]
