"""How does a loop become one instruction? `scan` records its body once; `unrolled` writes it down step by step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.flat_graph import RESULT, FlatGraph, Scan, flatten
from autograd.compiler.tracing import session, tracer
from autograd.graph import edges, interior
from autograd.operations import Operation
from autograd.reals import shown
from autograd.transforms.nesting import in_order, numbers_in, rebuilt, shape_of
from autograd.transforms.recorded_call import is_inside_a_derivative
from autograd.value import Value, apply, data_of


def recorded(
    step: Callable[[Any, Any], tuple[Any, Any]], init: Any, elements: Sequence[Any]
) -> tuple[Any, list[Any]] | None:
    """The last state, and what each step gives, of a loop that is recorded as one instruction.

    None where it has to be recorded step by step: where its derivative is taken in the function that is recorded; and
    where its body draws random numbers, or asks to be told numbers after each run.
    """
    if is_inside_a_derivative(session() is None):
        return None
    state, rows = numbers_in(init, "the carry of scan"), _rows(elements)
    inputs = [tracer(data_of(x)) for x in (*state, *rows[0])]
    given = iter(inputs)
    draws = _draws()
    carry, y = step(rebuilt(init, given), None if elements[0] is None else rebuilt(elements[0], given))
    if draws():
        return None
    gives = [] if y is None else numbers_in(y, "the y of scan")
    outputs = [*numbers_in(in_order(carry, init), "the carry of scan"), *gives]
    body, all_read = _body(outputs, inputs)
    node = apply(Scan(body, len(state), len(rows)), *state, *chain.from_iterable(rows), *all_read)
    if not isinstance(node, Value):  # nothing that is being recorded goes in
        return None
    numbers = list(map(data_of, outputs))
    results = iter(_results(node, numbers[: len(state)] + numbers[len(state) :] * len(rows)))
    return rebuilt(init, results), [None if y is None else rebuilt(y, results) for _ in rows]


def _rows(elements: Sequence[Any]) -> list[list[Any]]:
    """The numbers that each step reads."""
    first = elements[0]
    if first is None:
        return [[] for _ in elements]
    shape = shape_of(first)
    for x in elements:
        if shape_of(x) != shape:
            raise TypeError(
                f"a scan that is recorded reads the same nesting in each step; the first is {shown(first)}, and one "
                f"is {shown(x)}: give elements of one nesting"
            )
    return [numbers_in(in_order(x, first), "the xs of scan") for x in elements]


def _draws() -> Callable[[], bool]:
    """Gives a function that says whether, since then, random numbers were drawn, or somebody asked to be told numbers.

    It takes back what it finds.
    """
    now = session()
    kept = [] if now is None else [(x, len(x)) for x in (now.draws, now.notices)]

    def draws() -> bool:
        more = any(len(x) > n for x, n in kept)
        for x, n in kept:
            del x[n:]
        return more

    return draws


def _body(outputs: Sequence[Any], inputs: Sequence[Value]) -> tuple[FlatGraph, list[Value | float]]:
    """A step as a graph, and the numbers that all steps read: Values that its inputs do not reach, and constants."""
    constants = {i: Value(x) for i, x in enumerate(outputs) if not isinstance(x, Value)}
    values = [constants.get(i, x) for i, x in enumerate(outputs)]
    seen, own, outside = set[Value](), set[Value](inputs), list[Value]()
    for output in values:
        for node in interior(output, seen):
            if own.isdisjoint(edges(node)[0]):
                outside.append(node)
            else:
                own.add(node)
    graph = flatten(values, inputs, constants=set(constants.values()), outside=outside)
    all_read: list[Value | float] = [*graph.parameters, *graph.constants]
    return replace(graph, parameters=tuple([Value(0.0) for _ in graph.parameters])), all_read


def _results(scan: Value, numbers: Sequence[float]) -> Iterator[Value]:
    """The results of a loop. The numbers are those of its first step, as if the others gave the same."""
    for k, number in enumerate(numbers):
        result = apply(RESULT, scan, float(k))
        result._data = number
        yield result


def unrolled(graph: FlatGraph) -> FlatGraph:
    """The same graph with every loop written down step by step."""
    if not len(graph.loops):
        return graph
    new = _Unrolled(graph)
    for x in graph.instructions:
        operands = [new.places[slot] for slot in x.operands]
        if isinstance(x.operation, Scan):
            new.results[x.out] = new.steps(x.operation, operands)
            new.places[x.out] = -1  # only its results are read
        elif x.operation is RESULT:
            which = int(graph.constants[x.operands[1] - graph.leaves + len(graph.constants)])
            new.places[x.out] = new.results[x.operands[0]][which]
        else:
            new.places[x.out] = new.add(x.operation, operands)
    return new.graph()


class _Unrolled:
    """A graph that is being written down.

    Attributes:
        places: for each slot of the graph with loops, the slot here.
        results: for each slot of a loop, the slots of its results here.
    """

    def __init__(self, graph: FlatGraph) -> None:
        self._old = graph
        self.places = {slot: slot for slot in range(graph.leaves)}
        self.results: dict[int, list[int]] = {}
        self._rows = list[list[int]]()
        self._operations = list[Operation]()

    def add(self, operation: Operation, operands: list[int]) -> int:
        """Adds an instruction; returns the slot of its result."""
        self._operations.append(operation)
        self._rows.append(operands)
        return self._old.leaves + len(self._rows) - 1

    def steps(self, scan: Scan, operands: list[int]) -> list[int]:
        """Adds the steps of a loop; returns the slots of its results."""
        body, state, given = unrolled(scan.body), operands[: scan.state], list[int]()
        all_read = operands[scan.state + scan.steps * scan.reads :]
        for t in range(scan.steps):
            at = scan.state + t * scan.reads
            slots = [*state, *operands[at : at + scan.reads], *all_read]
            for x in body.instructions:
                slots.append(self.add(x.operation, [slots[slot] for slot in x.operands]))
            outputs = [slots[slot] for slot in body.outputs]
            state = outputs[: scan.state]
            given += outputs[scan.state :]
        return state + given

    def graph(self) -> FlatGraph:
        """What was written down."""
        codes = {x: code for code, x in enumerate(dict.fromkeys(self._operations))}
        return replace(
            self._old,
            operations=tuple(codes),
            codes=np.array([codes[x] for x in self._operations], np.int64),
            operands=np.array([*chain.from_iterable(self._rows)], np.int64),
            starts=np.cumsum([0, *map(len, self._rows)]),
            outputs=tuple(self.places[slot] for slot in self._old.outputs),
            labels={self.places[x]: label for x, label in self._old.labels.items() if x in self.places},
        )
