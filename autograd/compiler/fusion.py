"""Which instructions of a flat graph are not needed, and which are together a single operation?

- An operation on constants is computed once and for all.
- A subexpression that occurs twice is computed once.
- The sum or the mean of a single number is that number. So is a product with 1, and what else gives back an operand
  whatever its number: the first is in the graph of every derivative.
- A chain of products and sums, such as `w0*x0 + w1*x1 + b`, becomes a `dot`, if nothing else reads what lies between,
  and each product has exactly one factor that all examples share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, pairwise

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat_graph import (
    BY_INPUTS,
    FlatGraph,
    Mask,
    Slots,
    occurrences,
    repeated,
    rows_of,
    unique_numbers,
)
from autograd.graph import collector_paused
from autograd.operations import Operation, operations
from autograd.recorded_operations import RECORDED

_ADD, _MUL, _DOT = operations["add"], operations["mul"], operations["dot"]
_OF_ONE = operations["sum"], operations["mean"]
_NEG, _STRONG = operations["neg"], RECORDED["strong_product"]
_NEUTRAL = (
    (_ADD, 0, -0.0),  # 0.0 would make 0.0 of -0.0
    (_ADD, 1, -0.0),
    (operations["sub"], 1, 0.0),
    (_MUL, 0, 1.0),
    (_MUL, 1, 1.0),
    (operations["div"], 1, 1.0),
)
"""Operations, and the constant that in this place lets them give back the other operand."""


@collector_paused()
def fused(graph: FlatGraph) -> FlatGraph:
    """The same outputs in fewer instructions; `notes` says in words what was done."""
    graph = _without_repeats(_with_finite_products(_without_constant_results(graph)))
    return _with_dots(_with_single_factors(graph))


def _without_constant_results(graph: FlatGraph) -> FlatGraph:
    """The graph with constants in place of operations on constants."""
    first, numbers = graph.leaves - len(graph.constants), list[float]()
    known, computed = dict(enumerate(graph.constants, first)), list[int]()
    for k in np.flatnonzero(graph.dependence[graph.leaves :] == 0).tolist():
        x = graph.instruction(k)
        try:
            known[x.out] = x.operation.evaluate([known[slot] for slot in x.operands])
        except Exception:  # whatever it is, such as an index that is out of range: it shows in a run, if at all
            continue
        computed.append(k)
        numbers.append(known[x.out])
    if not computed:
        return graph
    graph, places = _with_constants(graph, numbers)
    slots = np.arange(graph.slots)
    slots[graph.leaves + np.array(computed)] = places
    notes = _note(len(computed), "operation on constants is a constant", "operations on constants are constants")
    kept = np.delete(np.arange(len(graph.codes)), computed)
    return _of(replace(graph, notes=(*graph.notes, *notes)), kept, slots)


def _with_constants(graph: FlatGraph, numbers: Sequence[float]) -> tuple[FlatGraph, Slots]:
    """The graph with these numbers among its constants; and their slots."""
    constants, which = unique_numbers([*graph.constants, *numbers])
    slots = np.arange(graph.slots)
    slots[graph.leaves :] += len(constants) - len(graph.constants)
    more = replace(
        graph,
        constants=constants,
        operands=slots[graph.operands],
        outputs=tuple(slots[list(graph.outputs)].tolist()),
        labels={int(slots[slot]): label for slot, label in graph.labels.items()},
    )
    return more, graph.leaves - len(graph.constants) + which[len(graph.constants) :]


def _with_single_factors(graph: FlatGraph) -> FlatGraph:
    """The graph with one factor in place of several, if they are powers of two from 1 on: they round nothing.

    Derivatives of differences and squares are full of them: -1 and x + x.
    """
    if graph.kinds is not None:  # the body of a loop, which can have no constants of its own
        return graph
    numbers, pairs = _numbers_of(graph), np.flatnonzero(graph.have(_ADD, _MUL))
    operands = graph.operands[graph.starts[pairs][:, None] + [0, 1]]
    is_product = graph.have(_MUL)[pairs]
    factors, bases = np.ones(graph.slots), np.arange(graph.slots)
    for first, second in (operands.T, operands.T[::-1]):
        factor = np.where(is_product, numbers[second], np.where(first == second, 2.0, np.nan))
        fine = (np.abs(np.frexp(factor)[0]) == 0.5) & (np.abs(factor) >= 1.0)
        factors[graph.leaves + pairs[fine]], bases[graph.leaves + pairs[fine]] = factor[fine], first[fine]
    nearest = bases
    with np.errstate(over="ignore"):
        while (bases != (further := bases[bases])).any():  # each time twice as far
            factors, bases = factors * factors[bases], further
    changed = np.flatnonzero((bases != nearest) & np.isfinite(factors)) - graph.leaves
    if not len(changed):
        return graph
    factors, bases = factors[graph.leaves + changed], bases[graph.leaves + changed]
    more, places = _with_constants(_knowing(graph, _MUL), factors.tolist())
    codes, operands = more.codes.copy(), more.operands.copy()
    codes[changed] = more.operations.index(_MUL)
    at = more.starts[changed]
    operands[at] = np.where(bases < graph.leaves, bases, bases + more.leaves - graph.leaves)
    operands[at + 1] = places
    notes = _note(len(changed), "product has one factor in place of several", "products have one factor for several")
    more = replace(more, codes=codes, operands=operands, notes=(*graph.notes, *notes))
    return _without_repeats(restricted(more, more.outputs))


def _with_finite_products(graph: FlatGraph) -> FlatGraph:
    """The graph with plain products in place of those that keep the rule about zeros, if one factor cannot break it."""
    products = np.flatnonzero(graph.have(_STRONG))
    if not len(products):
        return graph
    numbers = np.abs(_numbers_of(graph)[graph.operands[graph.starts[products][:, None] + [0, 1]]])
    products = products[((numbers > 0) & (numbers < np.inf)).any(axis=1)]
    graph, codes = _knowing(graph, _MUL), graph.codes.copy()
    codes[products] = graph.operations.index(_MUL)
    return replace(graph, codes=codes)


def _without_repeats(graph: FlatGraph) -> FlatGraph:
    """The graph without repeated subexpressions, and without operations that give back an operand."""
    single = (graph.counts == 1) & graph.have(*_OF_ONE)
    given = np.where(single, graph.operands[graph.starts[:-1]], _given_back(graph)) if len(single) else graph.codes
    if not ((given >= 0).any() or _seem_repeated(graph)):
        return graph
    ends = pairwise(graph.starts.tolist())
    operands, same = graph.operands.tolist(), list(range(graph.slots))
    known: dict[tuple[int, ...], int] = {}
    rows = enumerate(zip(graph.codes.tolist(), given.tolist(), ends, strict=True), graph.leaves)
    for out, (code, slot, (start, end)) in rows:
        same[out] = same[slot] if slot >= 0 else known.setdefault((code, *[same[x] for x in operands[start:end]]), out)
    slots, alone = np.array(same, np.int64), int(single.sum())
    kept = np.flatnonzero(slots[graph.leaves :] == np.arange(graph.leaves, graph.slots))
    back = int((given >= 0).sum())
    again, back = len(single) - len(kept) - back, back - alone
    notes = (
        *_note(again, "repeated subexpression is computed once", "repeated subexpressions are computed once"),
        *_note(alone, "sum of one number is that number", "sums of one number are that number"),
        *_note(back, "operation gives back its operand", "operations give back their operands"),
    )
    less = _of(replace(graph, notes=(*graph.notes, *notes)), kept, slots)
    unused = (less.uses[less.leaves :] == 0).any()  # such as the inner one of two signs
    return restricted(less, less.outputs) if unused else less


def _given_back(graph: FlatGraph) -> Slots:
    """For each instruction the operand that it gives back, exactly and whatever the number; -1 for none."""
    found, numbers = np.full(len(graph.codes), -1), _numbers_of(graph).view(np.int64)
    for operation, place, neutral in _NEUTRAL:
        of = np.flatnonzero(graph.have(operation)) if operation in graph.operations else graph.codes[:0]
        of = of[numbers[graph.operands[graph.starts[of] + place]] == np.float64(neutral).view(np.int64)]
        found[of] = graph.operands[graph.starts[of] + 1 - place]
    is_sign = graph.have(_NEG)
    readers, read = graph.edges()
    twice = is_sign[readers] & is_sign[read]
    found[readers[twice]] = graph.operands[graph.starts[read[twice]]]
    return found


def _numbers_of(graph: FlatGraph) -> NDArray[np.float64]:
    """The number of each slot that is a constant; nan for the others."""
    numbers = np.full(graph.slots, np.nan)
    numbers[graph.leaves - len(graph.constants) : graph.leaves] = graph.constants
    return numbers


def _of(graph: FlatGraph, kept: Slots, slots: Slots) -> FlatGraph:
    """The graph with some of its instructions. Each slot is read where this says."""
    at, starts = rows_of(graph.starts, kept)
    outputs = tuple(slots[list(graph.outputs)].tolist())
    less = replace(graph, codes=graph.codes[kept], operands=slots[graph.operands[at]], starts=starts, outputs=outputs)
    return _numbered(less, slots[graph.leaves + kept])


def _knowing(graph: FlatGraph, operation: Operation) -> FlatGraph:
    """The graph with an operation among those that it has."""
    known = graph.operations
    return graph if operation in known else replace(graph, operations=(*known, operation))


def _seem_repeated(graph: FlatGraph) -> bool:
    """Whether two instructions seem to be the same. Where no two are, none can become so, and the search is not needed.

    Random numbers stand for the slots: a million instructions are looked at in a tenth of the time of the search.
    """
    if len(graph.codes) < 2:
        return False
    random = np.random.default_rng(0).integers(1 << 62, size=graph.slots)
    places = np.arange(len(graph.operands)) - repeated(graph.starts[:-1], graph.counts)
    sums = np.add.reduceat(random[graph.operands] * (2 * places + 1), graph.starts[:-1]) + 0x9E3779B9 * graph.codes
    return not np.diff(np.sort(sums)).all()


def restricted(graph: FlatGraph, outputs: Sequence[int]) -> FlatGraph:
    """The graph of some outputs alone, given by their slots: without the instructions that they do not need."""
    operands, starts, needed = graph.operands.tolist(), graph.starts.tolist(), [False] * graph.slots
    for slot in outputs:
        needed[slot] = True
    for slot in range(graph.slots - 1, graph.leaves - 1, -1):
        if needed[slot]:
            for operand in operands[starts[slot - graph.leaves] : starts[slot - graph.leaves + 1]]:
                needed[operand] = True
    kept = np.flatnonzero(needed[graph.leaves :])
    at, starts = rows_of(graph.starts, kept)
    less = replace(graph, codes=graph.codes[kept], operands=graph.operands[at], starts=starts, outputs=tuple(outputs))
    return _numbered(less, graph.leaves + kept)


def _note(n: int, one: str, many: str) -> Iterator[str]:
    """What was done n times, in words."""
    if n:
        yield f"{n:,} {one if n == 1 else many}"


def _numbered(graph: FlatGraph, results: Slots) -> FlatGraph:
    """The graph whose results are in these slots so far. They get the slots behind the leaves, in order."""
    places = np.full(max(graph.leaves, results.max(initial=-1) + 1), -1)
    places[: graph.leaves] = np.arange(graph.leaves)
    places[results] = np.arange(graph.leaves, graph.slots)
    labels = {int(places[slot]): label for slot, label in graph.labels.items() if places[slot] >= 0}
    outputs = tuple(places[list(graph.outputs)].tolist())
    return replace(graph, operands=places[graph.operands], outputs=outputs, labels=labels)


def _with_dots(graph: FlatGraph) -> FlatGraph:
    """The graph with dots in place of chains of products and sums."""
    ends, size = _ends(graph), len(graph.codes)
    products = np.flatnonzero(graph.have(_MUL) & (ends != np.arange(size)))
    several = occurrences(ends[products], size) >= 2
    if not several.any():
        return graph
    shared = graph.dependence & BY_INPUTS == 0
    first, second = (shared[graph.operands[graph.starts[products] + k]] for k in (0, 1))
    become_dots = several & (occurrences(ends[products[first == second]], size) == 0)
    n, sums = int(become_dots[ends[products]].sum()), int(become_dots.sum())
    if not sums:
        return graph
    notes = _note(n, f"product in {sums} is part of a dot", f"products in {sums} sums are parts of dots")
    graph = replace(_knowing(graph, _DOT), notes=(*graph.notes, *notes))
    return _spliced(graph, ~become_dots[ends], [*_dots(graph, ends, np.flatnonzero(become_dots), shared)])


def _ends(graph: FlatGraph) -> Slots:
    """The end of each instruction's chain: products and sums go on to a sum, if nothing else reads them."""
    sums, (readers, read) = graph.have(_ADD), graph.edges()
    go_on = sums[readers] & (sums | graph.have(_MUL))[read] & (graph.uses[graph.leaves :][read] == 1)
    ends = np.arange(len(graph.codes))
    ends[read[go_on]] = readers[go_on]
    while (ends != (further := ends[ends])).any():  # each time twice as far
        ends = further
    return ends


def _dots(graph: FlatGraph, ends: Slots, roots: Slots, shared: Mask) -> Iterator[tuple[int, Operation, list[int], int]]:
    """A dot for each chain, and before it the sums of all terms that are no products, since a dot takes one bias.

    Arguments:
        graph: the graph.
        ends: the end of each instruction's chain.
        roots: the sums at the ends of the chains that become dots.
        shared: which slots hold numbers that all examples share.

    Yields:
        the sum in whose place an instruction is, its operation, its operands, and the slot of its result.
    """
    unused, first = count(graph.slots), graph.leaves
    end_of, is_product, is_shared = ends.tolist(), graph.have(_MUL).tolist(), shared.tolist()
    operands, starts = graph.operands.tolist(), graph.starts.tolist()
    for root in roots.tolist():
        weights, inputs, rest, waiting = list[int](), list[int](), list[int](), [first + root]
        while waiting:
            slot = waiting.pop()
            if slot < first or end_of[slot - first] != root:
                rest.append(slot)
                continue
            start = starts[slot - first]
            a, b = operands[start], operands[start + 1]
            if is_product[slot - first]:
                weights.append(a if is_shared[a] else b)
                inputs.append(b if is_shared[a] else a)
            else:
                waiting += (b, a)
        for slot in rest[1:]:
            out = next(unused)
            yield root, _ADD, [rest[0], slot], out
            rest[0] = out
        yield root, _DOT, [*weights, *inputs, *rest[:1]], first + root


def _spliced(graph: FlatGraph, kept: Mask, new: list[tuple[int, Operation, list[int], int]]) -> FlatGraph:
    """The graph with some of its instructions, and new ones in the places of others."""
    old = np.flatnonzero(kept)
    owners, names, rows, results = zip(*new, strict=True)
    order = np.argsort(np.concatenate([old, owners]), kind="stable")
    at, starts = rows_of(graph.starts, old)
    codes = np.concatenate([graph.codes[old], [graph.operations.index(x) for x in names]])
    operands = np.concatenate([graph.operands[at], list(chain.from_iterable(rows))])
    starts = np.concatenate([starts, starts[-1] + np.cumsum(list(map(len, rows)))])
    at, starts = rows_of(starts, order)
    slots = np.concatenate([graph.leaves + old, results])[order]
    return _numbered(replace(graph, codes=codes[order], operands=operands[at], starts=starts), slots)
