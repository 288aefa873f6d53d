"""Which instructions of a flat graph are not needed, and which are together a single operation?

- A subexpression that occurs twice is computed once.
- The sum or the mean of a single number is that number.
- A chain of products and sums, such as `w0*x0 + w1*x1 + b`, becomes a `dot`, if nothing else reads what lies between,
  and each product has exactly one factor that all examples share.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from autograd.compiler.flat_graph import FlatGraph, Instruction
from autograd.operations import operations

_ADD, _MUL, _DOT = operations["add"], operations["mul"], operations["dot"]
_OF_ONE = {operations["sum"], operations["mean"]}


def fused(graph: FlatGraph) -> FlatGraph:
    """The same outputs in fewer instructions; `notes` says in words what was done."""
    instructions, outputs, repeated, single = _without_repeats(graph)
    dots, products, sums = _dots(replace(graph, instructions=tuple(instructions), outputs=tuple(outputs)))
    counts = [
        (repeated, "repeated subexpression is computed once", "repeated subexpressions are computed once"),
        (single, "sum of one number is that number", "sums of one number are that number"),
        (products, f"product in {sums} is part of a dot", f"products in {sums} sums are parts of dots"),
    ]
    notes = tuple(f"{n:,} {one if n == 1 else many}" for n, one, many in counts if n)
    return _numbered(replace(graph, outputs=tuple(outputs), notes=notes), _needed(dots, outputs))


def _without_repeats(graph: FlatGraph) -> tuple[list[Instruction], list[int], int, int]:
    """The instructions without repeats and sums of one number; the outputs; how many of each kind were left out."""
    same: dict[int, int] = {}
    known: dict[tuple[object, tuple[int, ...]], int] = {}
    kept, repeated, single = [], 0, 0
    for x in graph.instructions:
        operands = tuple([same.get(slot, slot) for slot in x.operands]) if same else x.operands
        if len(operands) == 1 and x.operation in _OF_ONE:
            same[x.out] = operands[0]
            single += 1
            continue
        out = known.setdefault((x.operation, operands), x.out)
        if out == x.out:
            kept.append(x if operands is x.operands else replace(x, operands=operands))
        else:
            same[x.out] = out
            repeated += 1
    return kept, [same.get(slot, slot) for slot in graph.outputs], repeated, single


def _dots(graph: FlatGraph) -> tuple[list[Instruction], int, int]:
    """The instructions with dots in place of products and sums; how many products and how many chains they replace."""
    uses = Counter(slot for x in graph.instructions for slot in x.operands)
    uses.update(graph.outputs)
    made = {x.out: x for x in graph.instructions if x.operation in (_ADD, _MUL)}
    # Sums that only another sum reads.
    inner = {
        slot
        for x in graph.instructions
        if x.operation is _ADD
        for slot in x.operands
        if uses[slot] == 1 and slot in made and made[slot].operation is _ADD
    } - set(graph.outputs)
    shared = graph.shared()
    new = count(len(shared))
    found, products, chains = [], 0, 0
    for x in graph.instructions:
        terms = _terms(x, made, uses, inner) if x.operation is _ADD and x.out not in inner else []
        pairs = [made[slot].operands for slot in terms if _is_product(slot, made, uses)]
        rest = [slot for slot in terms if not _is_product(slot, made, uses)]
        if len(pairs) >= 2 and all(shared[a] != shared[b] for a, b in pairs):
            while len(rest) > 1:  # a dot takes one bias
                found.append(Instruction(_ADD, (rest.pop(0), rest.pop(0)), next(new)))
                rest.insert(0, found[-1].out)
            weights = [a if shared[a] else b for a, b in pairs]
            inputs = [b if shared[a] else a for a, b in pairs]
            x = Instruction(_DOT, (*weights, *inputs, *rest), x.out)
            products, chains = products + len(pairs), chains + 1
        found.append(x)
    return found, products, chains


def _is_product(slot: int, made: dict[int, Instruction], uses: Counter[int]) -> bool:
    """Whether a slot holds a product that nothing else reads."""
    return slot in made and made[slot].operation is _MUL and uses[slot] == 1


def _terms(root: Instruction, made: dict[int, Instruction], uses: Counter[int], inner: set[int]) -> list[int]:
    """The terms that a chain of sums adds up, from left to right."""
    terms, stack = [], list(reversed(root.operands))
    while stack:
        slot = stack.pop()
        if slot in inner:
            stack.extend(reversed(made[slot].operands))
        else:
            terms.append(slot)
    return terms


def _numbered(graph: FlatGraph, instructions: Sequence[Instruction]) -> FlatGraph:
    """The graph with these instructions; their results get the slots behind the leaves, in order."""
    slots = list(range(graph.leaves))
    places = dict(enumerate(slots)) | {x.out: len(slots) + k for k, x in enumerate(instructions)}
    numbered = [Instruction(x.operation, tuple([places[s] for s in x.operands]), places[x.out]) for x in instructions]
    labels = {places[slot]: label for slot, label in graph.labels.items() if slot in places}
    outputs = tuple(places[slot] for slot in graph.outputs)
    return replace(graph, instructions=tuple(numbered), outputs=outputs, labels=labels)


def _needed(instructions: Sequence[Instruction], outputs: Sequence[int]) -> list[Instruction]:
    """The instructions that the outputs depend on."""
    needed, kept = set(outputs), []
    for x in reversed(instructions):
        if x.out in needed:
            kept.append(x)
            needed.update(x.operands)
    return kept[::-1]
