"""What is a graph as a list of instructions? Slots for its numbers, and operations between them.

The list is kept in arrays, so that what reads a graph of a million nodes need not go over objects.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, compress, count
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.graph import collector_paused, interior
from autograd.modes import RecordingError
from autograd.operations import Operation
from autograd.rules import Rule, flat
from autograd.value import Value

Slots = NDArray[np.int64]
Mask = NDArray[np.bool_]

BY_INPUTS, BY_PARAMETERS = 1, 2
"""On what a number depends."""


@dataclass(frozen=True)
class Instruction:
    """One operation: slot `out` becomes its value on the numbers in the slots `operands`."""

    operation: Operation
    operands: tuple[int, ...]
    out: int


@dataclass(frozen=True, eq=False)
class FlatGraph:
    """A graph as a list of instructions.

    The slots are, in this order: inputs, parameters (the other leaves), constants, results of the instructions. The
    instructions are what the outputs need, in topological order.

    Attributes:
        inputs: the number of inputs.
        parameters: the leaves that are not inputs.
        constants: the plain numbers among the operands, each once.
        operations: all operations that occur, each once.
        codes: the operation of each instruction, as its place in `operations`.
        operands: the slots of the operands, instruction after instruction.
        starts: where the operands of each instruction begin; and the end of the last ones.
        outputs: the slots of the outputs.
        labels: the label of each slot that has one.
        notes: what `fusion` did, in words.
        kinds: on what the leaves depend, if they are not what they seem: in the body of a loop.
    """

    inputs: int
    parameters: tuple[Value, ...]
    constants: tuple[float, ...]
    operations: tuple[Operation, ...]
    codes: Slots
    operands: Slots
    starts: Slots
    outputs: tuple[int, ...]
    labels: dict[int, str]
    notes: tuple[str, ...] = ()
    kinds: Slots | None = None

    @property
    def leaves(self) -> int:
        """The number of slots that hold no result."""
        return self.inputs + len(self.parameters) + len(self.constants)

    @property
    def slots(self) -> int:
        """The number of slots."""
        return self.leaves + len(self.codes)

    @property
    def instructions(self) -> list[Instruction]:
        """All instructions, for those who go over them one by one."""
        return [self.instruction(k) for k in range(len(self.codes))]

    def instruction(self, k: int) -> Instruction:
        """An instruction by its place."""
        operands = self.operands[self.starts[k] : self.starts[k + 1]]
        return Instruction(self.operations[self.codes[k]], tuple(operands.tolist()), self.leaves + k)

    @property
    def counts(self) -> Slots:
        """How many operands each instruction has."""
        return np.diff(self.starts)

    @property
    def uses(self) -> Slots:
        """How many operands and outputs each slot is."""
        return occurrences(np.concatenate([self.operands, np.array(self.outputs, np.int64)]), self.slots)

    def result_numbers(self, scan: int) -> tuple[Slots, Slots]:
        """The slots in which results of a scan are, which is in a slot itself; and which results these are."""
        results = np.flatnonzero(self.have(RESULT))
        results = results[self.operands[self.starts[results]] == scan]
        first = self.leaves - len(self.constants)
        numbers = np.array(self.constants)[self.operands[self.starts[results] + 1] - first]
        return self.leaves + results, numbers.astype(np.int64)

    def have(self, *operations: Operation) -> Mask:
        """Which instructions have one of these operations."""
        return np.isin(self.codes, [code for code, x in enumerate(self.operations) if x in operations])

    @property
    def loops(self) -> Slots:
        """The instructions (counted from 0) that are loops."""
        return np.flatnonzero(np.isin(self.codes, [c for c, x in enumerate(self.operations) if isinstance(x, Scan)]))

    def edges(self) -> tuple[Slots, Slots]:
        """Which instruction (counted from 0) reads the result of which: readers, in their order, and what they read."""
        readers = repeated(np.arange(len(self.codes)), self.counts)
        from_results = self.operands >= self.leaves
        return readers[from_results], self.operands[from_results] - self.leaves

    @cached_property
    def dependence(self) -> Slots:
        """On what each slot depends: BY_INPUTS, BY_PARAMETERS, both, or neither."""
        return self._dependence(np.ones(len(self.operands), np.bool_))

    @cached_property
    def derivatives(self) -> Slots:
        """By what each slot may have a derivative that is not 0, in the same way. Comparisons have none."""
        slopes = np.ones(len(self.operands), np.bool_)
        for code, operation in enumerate(self.operations):
            for place, derivative in enumerate(operation.derivatives):
                if derivative is flat:
                    slopes[self.starts[:-1][self.codes == code] + place] = False
        return self.dependence if slopes.all() else self._dependence(slopes)

    def _dependence(self, counted: Mask) -> Slots:
        """On what each slot depends through some of the operands."""
        kinds = [BY_INPUTS, BY_PARAMETERS, 0]
        leaves = np.repeat(kinds, [self.inputs, len(self.parameters), len(self.constants)])
        leaves = leaves if self.kinds is None else self.kinds
        known = np.concatenate([leaves, np.zeros(len(self.codes), np.int64)])
        own = np.where(counted, known[self.operands], 0)
        own = np.bitwise_or.reduceat(own, self.starts[:-1]) if len(self.codes) else known[:0]
        # A loop computes for each example anew, even if it would come to the same.
        own[self.loops if self.kinds is None else slice(None)] |= BY_INPUTS
        readers, read = self.edges()
        open_ = (own[readers] != BY_INPUTS | BY_PARAMETERS) & counted[self.operands >= self.leaves]
        found = own.tolist()
        # One step for each edge, since a graph may be as deep as it is long: 50 ns.
        for reader, result in zip(readers[open_].tolist(), read[open_].tolist(), strict=True):
            found[reader] |= found[result]
        return np.concatenate([leaves, np.array(found, np.int64)])

    def is_constant(self, slot: int) -> bool:
        """Whether a slot holds a plain number, which needs no gradient."""
        return self.inputs + len(self.parameters) <= slot < self.leaves


class Scan(Operation):
    """A loop with state as one operation. Of its several results, `RESULT` takes one.

    Its operands are the state at first; what each step reads, step by step; and what all steps read. Its results are
    the last state, and what each step gives, step by step.

    Arguments:
        body: one step. Its inputs are the state and what the step reads, its parameters and constants what all steps
            read, and its outputs the new state and what the step gives.
        state: of how many numbers the state consists.
        steps: how many steps there are.
    """

    __slots__ = ("body", "state", "steps")

    def __init__(self, body: FlatGraph, state: int, steps: int) -> None:
        super().__init__(Rule("scan", lambda *_: 0.0, (lambda out, *operands: [0.0] * len(operands),), nary=True), None)
        self.body, self.state, self.steps = body, state, steps

    @property
    def reads(self) -> int:
        """How many numbers a step reads."""
        return self.body.inputs - self.state

    @property
    def gives(self) -> int:
        """How many numbers a step gives."""
        return len(self.body.outputs) - self.state

    def rule_over(self, m: Any) -> Rule:
        """Refused: whoever differentiates a graph needs the steps one by one."""
        raise RecordingError(
            "a scan was recorded as one instruction, which has no derivative as a graph: take the derivative with "
            "grad, inside the function that is compiled, so that the loop is recorded step by step"
        )

    def _key(self) -> tuple[Any, ...]:
        body = self.body
        arrays = [x.tobytes() for x in (body.codes, body.operands, body.starts)]
        counts = self.state, self.steps, body.inputs, len(body.parameters)
        return *counts, str(body.constants), body.operations, *arrays, body.outputs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scan) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        return Scan, (self.body, self.state, self.steps)


class _Result(Operation):
    """One of the results of a scan: its operands are the scan, and which result it is."""

    __slots__ = ()

    def __init__(self) -> None:
        zero = (lambda out, x, k: 0.0, lambda out, x, k: 0.0)
        super().__init__(Rule("result", lambda x, k: 0.0, zero), None)

    def rule_over(self, m: Any) -> Rule:
        """Refused, as for the scan."""
        return Scan.rule_over(self, m)  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[Any, ...]:
        return _result, ()


def _result() -> Operation:
    return RESULT


RESULT: Operation = _Result()


def occurrences(numbers: Slots, size: int) -> Slots:
    """How often each of 0, ..., size - 1 occurs. In a web page addresses have 32 bits, and NumPy counts no others."""
    return np.bincount(numbers.astype(np.intp, copy=False), minlength=size).astype(np.int64, copy=False)


def repeated(numbers: Slots, times: Slots) -> Slots:
    """Each number so many times, whatever size addresses have."""
    return np.repeat(numbers, times.astype(np.intp, copy=False))


def rows_of(starts: Slots, rows: Slots) -> tuple[Slots, Slots]:
    """Where the entries of some rows are, row after row, and where each of these rows starts among them.

    Arguments:
        starts: where each row starts, and the end of the last one.
        rows: the rows that are wanted.

    >>> at, new = rows_of(np.array([0, 2, 3, 6]), np.array([2, 0]))
    >>> at.tolist(), new.tolist()
    ([3, 4, 5, 0, 1], [0, 3, 5])
    """
    counts = np.diff(starts)[rows]
    new = np.concatenate([[0], np.cumsum(counts)])
    return np.arange(new[-1]) + repeated(starts[:-1][rows] - new[:-1], counts), new


@collector_paused()
def flatten(
    outputs: Sequence[Value],
    inputs: Sequence[Value],
    parameters: Sequence[Value] = (),
    constants: Container[Value] = (),
    outside: Iterable[Value] = (),
) -> FlatGraph:
    """The graph of the outputs as a list of instructions.

    Arguments:
        outputs: the results that are wanted.
        inputs: the leaves that get other numbers in each run.
        parameters: the leaves that come first among the parameters, in this order, even if no output depends on them.
            All other leaves follow in the order in which the graph first uses them.
        constants: leaves whose numbers stay what they are now.
        outside: Values that were computed, and yet are leaves of this graph.

    Raises:
        ValueError: an input or a parameter was computed, or a leaf is given twice.
    """
    check_leaves("an input", "inputs", inputs)
    check_leaves("a parameter", "parameters", parameters)
    places = {x: i for i, x in enumerate(inputs)}
    for i, x in enumerate(parameters):
        if x in places:
            raise ValueError(f"parameters[{i}] is inputs[{places[x]}] too: give each leaf as one or the other")
    walk = _Walk([*inputs, *parameters], outputs, constants, set(outside))
    alone = [x for x in outputs if x in constants]
    numbers, which = unique_numbers([*walk.plain, *(x._data for x in alone)])
    leaves, slots = walk.slots(len(numbers))
    operands = slots[walk.operands]
    operands[walk.operands < 0] = len(leaves) + which[: len(walk.plain)]
    outputs_at = dict(zip(alone, len(leaves) + which[len(walk.plain) :], strict=True))
    operations = [node._operation for node in walk.nodes if node._operation]
    codes = {x: code for code, x in enumerate(dict.fromkeys(operations))}
    return FlatGraph(
        len(inputs),
        tuple(leaves[len(inputs) :]),
        numbers,
        tuple(codes),
        np.array([codes[x] for x in operations], np.int64),
        operands,
        np.cumsum([0, *walk.counts]),
        tuple([int(outputs_at[x] if x in outputs_at else slots[walk.numbers[x]]) for x in outputs]),
        {int(slots[number]): x.label for x, number in walk.numbers.items() if x.label},
    )


def with_first(graph: FlatGraph, parameters: Sequence[Value]) -> FlatGraph:
    """The same graph with these parameters before all others, even if no output depends on them."""
    ordered = dict.fromkeys((*parameters, *graph.parameters))
    place = {p: graph.inputs + k for k, p in enumerate(ordered)}
    more = len(ordered) - len(graph.parameters)
    new = np.arange(graph.slots) + more
    new[: graph.inputs] -= more
    new[graph.inputs : graph.inputs + len(graph.parameters)] = [place[p] for p in graph.parameters]
    return replace(
        graph,
        parameters=tuple(ordered),
        operands=new[graph.operands],
        outputs=tuple(new[list(graph.outputs)].tolist()),
        labels={int(new[slot]): label for slot, label in graph.labels.items()},
    )


def check_leaves(one: str, name: str, leaves: Sequence[Value]) -> None:
    """Raises ValueError for a Value that was computed, and for a leaf that is there twice."""
    places: dict[Value, int] = {}
    for i, x in enumerate(leaves):
        if x.operation:
            raise ValueError(f"{name}[{i}] was computed, by {x.operation}: the {name} of a program are leaves")
        if x in places:
            raise ValueError(f"{one} is given twice, as {name}[{places[x]}] and {name}[{i}]: give each leaf once")
        places[x] = i


class _Walk:
    """Finds all that the outputs depend on.

    Attributes:
        numbers: a number for each leaf and each node that was computed, as they turn up.
        nodes: the nodes that were computed, parents first.
        counts: how many operands each of them has.
        operands: the numbers of their operands; -1 for a constant.
        plain: the constants among the operands.
    """

    def __init__(
        self, leaves: Iterable[Value], outputs: Sequence[Value], constants: Container[Value], seen: set[Value]
    ) -> None:
        # One dictionary that numbers what it does not know: half the time of looking for the leaves first.
        self.numbers: dict[Value, int] = defaultdict(count().__next__)
        self.nodes, self.counts = list[Value](), list[int]()
        every, found, numbers = list[Value | float](), list[int](), self.numbers
        for leaf in leaves:
            numbers[leaf]
        for output in outputs:
            if output in constants:
                continue
            numbers[output]
            nodes = interior(output, seen)
            rows = [node.operands for node in nodes]
            read = list(chain.from_iterable(rows))
            if constants:
                read = [x._data if x in constants else x for x in read]
            found += [-1 if type(x) is float else numbers[x] for x in read]
            every += read
            self.nodes += nodes
            self.counts += map(len, rows)
        self.operands = np.array(found, np.int64)
        self.plain = [every[place] for place in np.flatnonzero(self.operands < 0).tolist()]

    def slots(self, constants: int) -> tuple[list[Value], Slots]:
        """All leaves in the order of their slots; the slot of each number, if there are so many constants."""
        computed = np.array([self.numbers[x] for x in self.nodes], np.int64)
        is_leaf = np.ones(len(self.numbers), np.bool_)
        is_leaf[computed] = False
        leaves = [*compress(self.numbers, is_leaf.tolist())]
        slots = np.cumsum(is_leaf) - 1
        slots[computed] = np.arange(len(computed)) + len(leaves) + constants
        return leaves, slots


def unique_numbers(numbers: Sequence[Any]) -> tuple[tuple[float, ...], Slots]:
    """The plain numbers, each once, in the order of first use; and which of them each is.

    0.0 and -0.0 are two, and all nan are one.
    """
    found = np.array(numbers, np.float64)
    found[np.isnan(found)] = nan
    _, first, which = np.unique(found.view(np.int64), return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return tuple(found[first[order]].tolist()), places[which]
