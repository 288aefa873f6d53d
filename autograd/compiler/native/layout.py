"""Where does each number of a program lie, and in what order do its kernels run?

Results that depend on an input have a number for each example; what depends on parameters alone is shared by all, and
computed once. Instructions of one operation that do not wait for each other run as a group. Dots among them that read
the same numbers, each with weights of its own, are a layer: one matrix product.

The work array begins with the shared numbers: parameters, layer by layer and each layer's weights as a matrix, then
constants, then results. Behind them lie the results of a block of examples, a row for each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import Instruction, Recording
from autograd.compiler.fusion import fused
from autograd.compiler.native.cache import compiled, kernels_of, layer_kernels, warm_up
from autograd.compiler.native.kernels import LANES, WANTED
from autograd.compiler.native.threads import Crew
from autograd.operations import operations
from autograd.value import Value

Words = NDArray[np.int64]

BLOCK = 64
"""At least so many examples are computed together: with fewer, calling a kernel costs more than its work."""

CACHE = 16_384
"""Small programs compute more together, as long as their results stay within so many numbers: 256 KiB both ways."""

ROWS = 8
"""As many rows of vectors may a rule fill while it computes."""

_NO_WORK = (*[np.zeros(0)] * 3, *[np.zeros(4, np.int64)] * 2, np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
NO_UPDATE = (*_NO_WORK, *[np.zeros((0, 3), np.int64)] * 4), np.zeros((0, 2), np.int64), np.zeros((0, 3), np.int64)
"""What the machine gets for an update that moves nothing."""

_OUTSIDE = -(1 << 40)
"""A word that will be the address of input number 0; those of the others follow downwards."""

_DOT = operations["dot"]


@dataclass
class Group:
    """Instructions of one operation, or a layer.

    Attributes:
        layer: the weights of each dot, row after row; the biases; the inputs. None for a plain group.
    """

    instructions: list[Instruction]
    layer: "Layer | None" = None


@dataclass
class Layer:
    """Dots that read the same numbers: slots of weights (row after row), of biases, and of inputs.

    Attributes:
        sole: whether nothing else reads the weights and biases.
    """

    weights: list[int]
    biases: list[int]
    inputs: tuple[int, ...]
    sole: bool


@dataclass
class Code:
    """Groups as the machine reads them: for each the kernel's address, its first word and how many instructions."""

    words: Words
    shared_forward: Words
    forward: Words
    backward: Words
    shared_backward: Words


@dataclass
class Places:
    """Where the shared numbers lie.

    Attributes:
        at: the place of each slot.
        end: behind the last number.
    """

    at: dict[int, int] = field(default_factory=dict)
    end: int = 0

    def add(self, slots: Iterable[int]) -> None:
        """Puts slots side by side, from a multiple of eight numbers on."""
        self.end += -self.end % 8
        for slot in slots:
            self.at[slot] = self.end
            self.end += 1


class Plan:
    """The layout of a program's numbers, and its code.

    Arguments:
        recording: the graph, flattened.
        moved: the parameters that shall lie together, at the beginning of the work array; by default all. Those that
            the graph does not have get a place too.
        in_place: for each output the input whose place it takes. The inputs then lie in arrays outside; `outside` tells
            which words of the code need an address.
    """

    def __init__(
        self, recording: Recording, moved: Sequence[Value] | None = None, *, in_place: Sequence[int] = ()
    ) -> None:
        self.recording = recording = fused(recording)
        self.shared = recording.shared()
        self._outside: dict[int, int] = {}  # slots that are input number k, or may take its place
        self.moved = list(recording.parameters if moved is None else moved)
        self._lay_out()
        self._targets = in_place
        if in_place:
            self._outside = self._in_place()
        every = [*self.groups, *self.shared_groups]
        plain = {group.instructions[0].operation for group in every if group.layer is None}
        warm_up(plain, layers=any(group.layer is not None for group in every))
        self._codes: dict[bool, Code] = {}
        self._at_word: dict[int, Instruction] = {}
        self._idle: list[Work] = []  # lists are safe for several threads

    # Where everything lies

    def _lay_out(self) -> None:
        recording, first = self.recording, self.recording.inputs
        own = {parameter: first + k for k, parameter in enumerate(recording.parameters)}
        beyond = len(self.shared)  # a slot for parameters that the graph does not have
        slots = [own.get(parameter, beyond + k) for k, parameter in enumerate(self.moved)]
        moved, places = set(slots), Places()
        self.rows: dict[int, int] = {slot: slot for slot in range(first)}
        self.groups: list[Group] = []
        self.shared_groups: list[Group] = []
        self.fresh_end = 0  # gradients up to here are set anew by the first block of a batch
        self._uses = Counter(slot for x in recording.instructions for slot in x.operands)
        self._uses.update(recording.outputs)
        matrices: list[Layer] = []
        taken: set[int] = set()
        for group in self._grouped():
            if self.shared[group[0].out]:
                self.shared_groups.append(Group(group))
                continue
            layer = self._layer(group, taken, moved)
            self.groups.append(Group(group, layer))
            if layer is not None and layer.weights[0] not in taken:
                matrices.append(layer)
                taken.update(layer.weights, layer.biases)
            for x in group:
                self.rows[x.out] = len(self.rows)
        for region in moved, set(range(first, first + len(recording.parameters))) - moved:
            for layer in sorted(matrices, key=lambda layer: not layer.sole):
                if layer.weights[0] in region:
                    places.add(layer.weights)
                    places.add(layer.biases)
                    layer.sole &= region is moved
                    self.fresh_end = places.end if layer.sole else self.fresh_end
            places.add(sorted(region - taken))
            if region is moved:
                places.add(())
                self.moved_end = places.end
        constants = range(first + len(recording.parameters), recording.leaves)
        places.add([*constants, -1])  # a zero of its own, for dots without a bias
        places.add(x.out for group in self.shared_groups for x in group.instructions)
        places.add(())
        self.at, self.lanes_at = places.at, places.end
        self.moved_at = np.array([places.at[slot] for slot in slots], np.intp)
        self.parameters_at = np.array([places.at[own[p]] for p in recording.parameters], np.intp)
        self.constants_at = np.array([places.at[slot] for slot in constants], np.intp)

    def _grouped(self) -> Iterable[list[Instruction]]:
        """The instructions in groups of one operation, in an order in which each finds its operands.

        The group that has the most instructions ready comes next, so that few groups are needed: a change of kernel
        costs as much as two products.
        """
        instructions, first = self.recording.instructions, self.recording.leaves
        waiting, users = [0] * len(instructions), defaultdict(list)
        ready: dict[Any, list[Instruction]] = defaultdict(list)
        heap: list[tuple[int, int, Any]] = []  # by how many are ready; what is no longer true is skipped

        def add(x: Instruction) -> None:
            key: Any = (x.operation, self.shared[x.out], *(self._read(x) if x.operation is _DOT else ()))
            ready[key].append(x)
            heappush(heap, (-len(ready[key]), ready[key][0].out, key))

        for k, x in enumerate(instructions):
            needed = {slot for slot in x.operands if slot >= first}
            waiting[k] = len(needed)
            for slot in needed:
                users[slot].append(k)
            if not needed:
                add(x)
        while heap:
            size, _, key = heappop(heap)
            group = ready.get(key, [])
            if len(group) != -size:
                continue
            del ready[key]
            yield group
            for x in group:
                for k in users.pop(x.out, ()):
                    waiting[k] -= 1
                    if not waiting[k]:
                        add(instructions[k])

    def _read(self, x: Instruction) -> Any:
        """The numbers that a dot weighs, and whether it has a bias."""
        half, odd = divmod(len(x.operands), 2)
        return x.operands[half : 2 * half], odd

    def _layer(self, group: list[Instruction], taken: set[int], moved: set[int]) -> Layer | None:
        """The layer that a group of dots is, if it is one."""
        if group[0].operation is not _DOT:
            return None
        inputs, odd = self._read(group[0])
        weights = [slot for x in group for slot in x.operands[: len(inputs)]]
        biases = [x.operands[-1] for x in group] if odd else []
        leaves, first = [*weights, *biases], self.recording.inputs
        last = first + len(self.recording.parameters)
        rows = [self.rows.get(slot, -1) for slot in inputs]
        if not inputs or rows != list(range(rows[0], rows[0] + len(rows))) or rows[0] < 0:
            return None
        if not all(first <= slot < last for slot in leaves) or len(set(leaves)) < len(leaves):
            return None
        if len({slot in moved for slot in leaves}) > 1:
            return None
        layer = Layer(weights, biases, inputs, sole=all(self._uses[slot] == 1 for slot in leaves))
        if taken.isdisjoint(leaves):
            return layer
        known = [g.layer for g in self.groups if g.layer is not None]
        return layer if any(k.weights == weights and k.biases == biases for k in known) else None

    # What the machine reads

    def code(self, by_inputs: bool) -> Code:
        """The code, with or without the derivatives by the inputs."""
        if by_inputs not in self._codes:
            self._codes[by_inputs] = self._coded(by_inputs)
        return self._codes[by_inputs]

    def _coded(self, by_inputs: bool) -> Code:
        recording = self.recording
        wanted = (
            [by_inputs] * recording.inputs + [True] * len(recording.parameters) + [False] * len(recording.constants)
        )
        for x in recording.instructions:
            wanted.append(any(wanted[slot] for slot in x.operands))
        operands = [self._operand(slot, wanted[slot]) for slot in range(len(self.shared))]
        words: list[int] = []
        tables = []
        for groups in self.shared_groups, self.groups:
            rows = [self._group(group, wanted, operands, words) for group in groups]
            tables.append(np.array(rows, np.int64).reshape(-1, 5))
        forward = [np.ascontiguousarray(table[:, [0, 2, 3]]) for table in tables]
        backward = [np.ascontiguousarray(table[table[:, 4] == 1][::-1][:, [1, 2, 3]]) for table in tables]
        return Code(np.array([*words, 0], np.int64), forward[0], forward[1], backward[1], backward[0])

    def _in_place(self) -> dict[int, int]:
        """The inputs, and the outputs that may take their places: nothing reads the input after they are written."""
        outside = {k: k for k in range(self.recording.inputs)}
        order = [x for group in self.groups for x in group.instructions]
        written = {x.out: k for k, x in enumerate(order)}
        for number, slot in zip(self._targets, self.recording.outputs, strict=True):
            if slot in written and slot not in outside:
                at = written[slot]
                last = at - (order[at].operation is _DOT)  # a dot adds up where its result is: it may not read there
                if all(k <= last for k, x in enumerate(order) if number in x.operands):
                    outside[slot] = number
        return outside

    def outside(self) -> tuple[Words, Words]:
        """For code in place: each word that needs an address, and of which input.

        Then the outputs that have to be copied: their base and row, and to which input.
        """
        words = self.code(False).words
        at = np.flatnonzero(words <= _OUTSIDE)
        patches = np.stack([at, _OUTSIDE - words[at]], axis=1)
        pairs = zip(self.recording.outputs, self._targets, strict=True)
        copies = [(self.lanes_at, self.rows[slot], k) for slot, k in pairs if self._outside.get(slot) != k]
        return patches, np.array(copies, np.int64).reshape(-1, 3)

    def _operand(self, slot: int, wanted: bool) -> tuple[int, int, int]:
        """Where a number lies, and of what kind it is: three words."""
        if slot in self._outside:
            return _OUTSIDE - self._outside[slot], 0, LANES
        kind = WANTED if wanted else 0
        return (self.at[slot], 0, kind) if self.shared[slot] else (self.lanes_at, self.rows[slot], kind | LANES)

    def _group(
        self, group: Group, wanted: list[bool], operands: list[tuple[int, int, int]], words: list[int]
    ) -> tuple[int, int, int, int, int]:
        """Adds the words of a group; returns its kernels, its first word, its instructions, and if it goes back."""
        first, operation = len(words), group.instructions[0].operation
        back = any(wanted[x.out] for x in group.instructions)
        if group.layer is not None:
            words.extend(self._layer_words(group.layer, group.instructions[0].out, wanted))
            return *layer_kernels(), first, 1, back
        if operation.rule.nary:
            for x in group.instructions:
                self._at_word[len(words)] = x
                base, row, kind = operands[x.out]
                words.extend((len(x.operands), kind & LANES, base, row))
                for slot in x.operands:
                    words.extend(operands[slot])
            return *kernels_of(operation), first, len(group.instructions), back
        return *kernels_of(operation), first, self._merged(group.instructions, operands, words), back

    def _merged(self, group: list[Instruction], operands: list[tuple[int, int, int]], words: list[int]) -> int:
        """Adds the words of instructions; where they lie on neighbouring rows, several are one. Returns how many."""
        found, last = 0, [(-1, -1, -1)]
        for x in group:
            places = [operands[slot] for slot in x.operands]
            follows = [(b, r + (kind & LANES), kind) for b, r, kind in last]
            base, row, kind = operands[x.out]
            if places == follows and kind & LANES:
                words[-3 - 3 * len(places)] += 1
            else:
                words.extend((1, base, row))
                for place in places:
                    words.extend(place)
                found += 1
            last = places
        return found

    def _layer_words(self, layer: Layer, out: int, wanted: list[bool]) -> list[int]:
        m, k = len(layer.weights) // len(layer.inputs), len(layer.inputs)
        bias, step = (self.at[layer.biases[0]], 1) if layer.biases else (self.at[-1], 0)
        places = [self.lanes_at, self.rows[layer.inputs[0]], self.lanes_at, self.rows[out]]
        return [m, k, self.at[layer.weights[0]], bias, step, *places, any(wanted[x] for x in layer.inputs), layer.sole]

    def instruction_at(self, word: int) -> Instruction:
        """The instruction whose words begin there."""
        return self._at_word[word]

    @property
    def notes(self) -> list[str]:
        """What runs together, in words."""
        found = []
        for layer in (group.layer for group in self.groups if group.layer is not None):
            k = len(layer.inputs)
            m = len(layer.weights) // k
            found.append(f"{m:,} dot{'s' * (m > 1)} of {k:,} weights run{'s' * (m == 1)} as one layer")
        return found

    # Running it

    @property
    def weight(self) -> int:
        """How many products and sums an example takes, about."""
        layers = [group.layer for group in self.groups if group.layer is not None]
        return 3 * sum(len(x.weights) for x in layers) + 8 * len(self.rows)

    def new_work(self, lanes: int) -> "Work":
        """Room for a run of so many examples at once."""
        return Work(self, lanes)

    def lanes(self, examples: int) -> int:
        """How many examples run together: one, or a multiple of eight."""
        most = max(BLOCK, CACHE // max(len(self.rows), 1) // 8 * 8)
        return 1 if examples <= 1 else min(most, -(-examples // 8) * 8)

    def run(
        self, rows: Numbers, leaves: Numbers, *, gradient: bool = True, by_inputs: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """See `runner.Runner`."""
        n, outputs = len(rows), np.empty((len(rows), len(self.recording.outputs)))
        if not n:
            return outputs, np.zeros(len(leaves))
        work = self._idle_work(n)
        work.numbers[self.parameters_at] = leaves
        nothing = np.empty((n, 0))
        given = rows, nothing, nothing, np.arange(n)
        into = outputs, nothing if by_inputs is None else by_inputs
        crew, wanted = Crew(self, work.lanes, n), by_inputs is not None
        try:
            crew.help(wanted, work.numbers, given, into)
            settings = np.array([n, 0, 0, 0, 0, gradient], np.int64)
            rest = settings, np.zeros(1, np.int64), np.zeros((1, 0)), np.zeros(0, np.int64), *into, np.zeros(1)
            compiled("machine", "run")(work.arrays(wanted), *crew.arrays, *NO_UPDATE, *given, *rest)
        finally:
            crew.stop()
        work.check()
        found = work.gradients[self.parameters_at] if gradient else np.zeros(len(leaves))
        self._idle.append(work)
        del self._idle[:-4]
        return outputs, found

    def _idle_work(self, examples: int) -> "Work":
        """Room for a run on so many examples, which may have served before."""
        lanes = self.lanes(examples)
        try:
            work = self._idle.pop()
        except IndexError:
            return Work(self, lanes)
        return work if work.lanes == lanes else Work(self, lanes)


class Work:
    """A program's numbers and their gradients, while it runs.

    Arguments:
        plan: the program's plan.
        lanes: how many examples run together.
    """

    def __init__(self, plan: Plan, lanes: int) -> None:
        self.plan, self.lanes = plan, lanes
        size = plan.lanes_at + len(plan.rows) * lanes
        self.numbers, self.gradients = np.zeros(size), np.zeros(size)
        self.numbers[plan.constants_at] = plan.recording.constants
        most = max((len(x.operands) for x in plan.recording.instructions if x.operation.rule.nary), default=0)
        self.scratch, self.status = np.empty(8 * (1 + ROWS * (most + 1))), np.zeros(2, np.int64)
        slots = plan.recording.outputs
        places = [(plan.at[s], 0, 0) if plan.shared[s] else (plan.lanes_at, plan.rows[s], 1) for s in slots]
        self.outputs_at = np.array(places, np.int64)
        self.shape = np.array([plan.lanes_at, len(plan.rows), lanes, plan.fresh_end], np.int64)

    def arrays(self, by_inputs: bool) -> tuple[Any, ...]:
        """What the machine works with."""
        code = self.plan.code(by_inputs)
        tables = (code.shared_forward, code.forward, code.backward, code.shared_backward)
        own = (self.numbers, self.gradients, self.scratch, self.status, self.shape, self.outputs_at)
        return (*own, code.words, *tables)

    def check(self) -> None:
        """An index that was out of range in the last run is an error."""
        if self.status[0]:
            x, self.status[0] = self.plan.instruction_at(int(self.status[0]) - 1), 0
            raise IndexError(
                f"{x.operation.name} got an index that is no whole number from {1 - len(x.operands)} to "
                f"{len(x.operands) - 2}, for one of the examples"
            )
