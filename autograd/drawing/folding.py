"""How does a large graph become a few boxes? Nodes that are alike share one, and the drawing says so."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from autograd.drawing.scene import NOWHERE, Arrow, Box, Modules, Scene, box_for, common
from autograd.drawing.text import printable
from autograd.graph import topological_order
from autograd.value import Value

T = TypeVar("T", Value, int)


MOST_FOLDED = 150_000
"""How many nodes `fold` looks at, so that it takes seconds: those nearest to the root. It counts the others."""

BEYOND = -1
"""The group of the nodes that `fold` does not look at."""


def fold(root: Value, modules: Modules, most: int) -> Scene:
    """A drawing of about `most` boxes at most, however large the graph.

    Nodes that are computed alike and used alike become one box, "×16: same shape". If there are still too many, chains
    in which each box has one parent and one user become one box, and of the rest those nearest to the root are kept.
    """
    order = topological_order(root)
    size = len(order)
    if size > MOST_FOLDED:
        near = _nearest(root, lambda node: node.parents, MOST_FOLDED)
        order = [node for node in order if node in near]
    groups = _alike(order)
    links = _links(order, groups)
    chains = _chains(groups, links) if len(set(groups.values())) > most else {}
    if chains:
        groups = {node: chains.get(group, group) for node, group in groups.items()}
        links = _links(order, groups)
    parents: dict[int, list[int]] = defaultdict(list)
    for tail, head in links:
        if tail != BEYOND:
            parents[head].append(tail)
    members: dict[int, list[Value]] = defaultdict(list)
    for node in order:
        members[groups[node]].append(node)
    kept = _nearest(groups[root], lambda group: parents[group], most)
    return _folded_scene(order, {group: members[group] for group in members if group in kept}, links, size, modules)


def _alike(order: Sequence[Value]) -> dict[Value, int]:
    """A group number for each node: equal for nodes computed in the same way that are used in the same way.

    A long sum, written as a chain of `add`, counts as one node with many operands, whose order does not matter.
    Otherwise each of its terms would be used in a way of its own."""
    numbers: dict[Any, int] = {}

    def numbered(key: Any) -> int:
        return numbers.setdefault(key, len(numbers))

    ends = _sums(order)
    terms: dict[Value, list[Value]] = defaultdict(list)
    for node in order:
        terms[ends.get(node, node)] += [parent for parent in node.parents if parent not in ends]
    upward: dict[Value, int] = {}
    for node in order:
        if node not in ends:
            parents = [upward.get(parent, BEYOND) for parent in terms[node]]
            if node.operation == "add" and len(parents) > 2:
                upward[node] = numbered(("sum", node.label, frozenset(parents)))
            else:
                upward[node] = numbered((node.operation, node.label, _runs(parents), len(node.operands)))
    uses: dict[Value, set[tuple[int, int]]] = defaultdict(set)
    groups: dict[Value, int] = {}
    for node in reversed(order):
        if node in ends:
            groups[node] = groups[ends[node]]
            continue
        groups[node] = numbered((upward[node], frozenset(uses[node])))
        many = len(node.operands) > 3 or len(terms[node]) > 2
        for slot, parent in enumerate(terms[node]):
            uses[parent].add((groups[node], -1 if many else slot))
    return groups


def _sums(order: Sequence[Value]) -> dict[Value, Value]:
    """For each `add` whose only use is in another `add`, the last one of that chain."""
    users: dict[Value, list[Value]] = defaultdict(list)
    for node in order:
        for parent in node.parents:
            users[parent].append(node)
    ends: dict[Value, Value] = {}
    for node in reversed(order):
        if node.operation == "add" and len(users[node]) == 1 and users[node][0].operation == "add" and not node.label:
            ends[node] = ends.get(users[node][0], users[node][0])
    return ends


def _runs(numbers: Sequence[int]) -> tuple[int, ...]:
    """The numbers without repeats of their neighbour, so that a dot of 64 looks like a dot of 16."""
    return tuple(n for i, n in enumerate(numbers) if i == 0 or n != numbers[i - 1])


Links = Counter[tuple[int, int]]
"""How many edges lead from one group to another."""


def _links(order: Sequence[Value], groups: dict[Value, int]) -> Links:
    links: Links = Counter()
    for node in order:
        for parent in node.parents:
            if (tail := groups.get(parent, BEYOND)) != groups[node]:
                links[tail, groups[node]] += 1
    return links


def _chains(groups: dict[Value, int], links: Links) -> dict[int, int]:
    """For each group inside a chain (one parent group, one user), the number of the group at the chain's end."""
    parents: dict[int, set[int]] = defaultdict(set)
    users: dict[int, set[int]] = defaultdict(set)
    for tail, head in links:
        parents[head].add(tail)
        users[tail].add(head)
    inside = {g for g in set(groups.values()) if len(users[g]) == 1 and len(parents[g]) == 1}
    ends: dict[int, int] = {}
    for start in inside:
        path = [start]
        while path[-1] not in ends and (following := next(iter(users[path[-1]]))) in inside:
            path.append(following)
        end = ends.get(path[-1], path[-1])
        ends.update(dict.fromkeys(path, end))
    return ends


def _nearest(root: T, parents_of: Callable[[T], Iterable[T]], most: int) -> set[T]:
    """The `most` nodes, or groups, that are nearest to the root, breadth first."""
    kept, frontier = {root}, [root]
    while frontier and len(kept) < most:
        reached = dict.fromkeys(parent for x in frontier for parent in parents_of(x) if parent not in kept)
        frontier = list(reached)[: most - len(kept)]
        kept.update(frontier)
    return kept


def _folded_scene(
    order: Sequence[Value], kept: dict[int, list[Value]], links: Links, size: int, modules: Modules
) -> Scene:
    """A box for each group that is kept, and a note for the rest of the graph's `size` nodes."""
    scene, places = Scene(), dict[int, int]()
    for node in order:
        scene.index_of(node)
    for group, nodes in kept.items():
        box = box_for(scene, nodes[0], modules) if len(nodes) == 1 else _lot(scene, nodes, modules)
        places[group] = scene.add(box)
    left_out = size - sum(map(len, kept.values()))
    rest = [scene.index_of(node) for node in order if scene.index_of(node) not in scene.box_of]
    note = scene.add(Box("note", [(f"+{left_out:,} more",)], rest)) if left_out else -1
    hidden: Counter[int] = Counter()
    for (tail, head), count in links.items():
        if tail in kept and head in kept:
            scene.arrows.append(_link(places[tail], places[head], count))
        elif head in kept:
            hidden[head] += count
    for head, count in hidden.items():
        scene.arrows.append(_link(note, places[head], count))
    return scene


def _link(tail: int, head: int, count: int) -> Arrow:
    return Arrow(tail, head, f"f_{tail}_{head}", [(f"×{count:,}",)] if count > 1 else [], count=count)


def _lot(scene: Scene, nodes: Sequence[Value], modules: Modules) -> Box:
    """One box for many nodes: how many, of which operations, and the size of their gradients."""
    counts = Counter(node.operation or "leaf" for node in nodes)
    first, *others = counts.most_common(4)
    within = set(nodes)
    title = nodes[0].label if len({node.label for node in nodes}) == 1 and nodes[0].label else first[0]
    if any(parent in within for node in nodes for parent in node.parents):
        lines = [f"chain of {len(nodes):,}", ", ".join(f"{name} ×{count:,}" for name, count in [first, *others])]
    else:
        lines = [f"{title} ×{len(nodes):,}", "same shape"]
    code = f"q{len(scene.boxes)}"
    return Box(
        "folded",
        [*((printable(line),) for line in lines), ("grad ", code, "")],
        [scene.index_of(node) for node in nodes],
        code,
        common(modules.get(node, NOWHERE).module for node in nodes),
        (f"{len(nodes):,} nodes folded into one; grad is their root mean square",),
    )
