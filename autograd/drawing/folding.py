"""How does a large graph become a few boxes? Nodes that are alike share one, and the drawing says so."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from autograd.drawing.scene import NOWHERE, Arrow, Box, Modules, Scene, box_for, common, edge
from autograd.drawing.text import printable
from autograd.graph import topological_order
from autograd.steps import parent_slots
from autograd.value import Value

T = TypeVar("T", bound=Hashable)

MOST_FOLDED = 150_000
"""How many nodes `fold` looks at, so that it takes seconds: those nearest to the root. It counts the others."""

BEYOND = -1
"""The group of the nodes that `fold` does not look at."""


def fold(root: Value, modules: Modules, most: int) -> Scene:
    """A drawing of at most `most` boxes, and a note where there are more than `MOST_FOLDED` nodes.

    Nodes that are computed alike and used alike become one box, "×16, computed alike". The box of a
    long sum at the end shows the root. If there are still too many, chains in which each box has one parent and one
    user become one box; then what is far from the root: what only one box uses joins it, and of the rest, neighbouring
    levels share a box.
    """
    order = topological_order(root)
    size = len(order)
    if size > MOST_FOLDED:
        near = _nearest(root, MOST_FOLDED)
        order = [node for node in order if node in near]
    same = groups = alike(order)
    links, joined = _links(order, groups), False
    for joined_groups in (_chains, _cones, _bands):
        too_deep = joined_groups is _bands and max(levels(links).values(), default=0) >= MOST_LEVELS
        if len(set(groups.values())) > most or (too_deep and joined):
            ends = joined_groups(links, most)
            groups = {node: ends.get(group, group) for node, group in groups.items()}
            links = _links(order, groups)
            joined = joined_groups is _cones

    def boxed(scene: Scene, group: int, nodes: Sequence[Value]) -> Box:
        if len(nodes) == 1:
            return box_for(scene, nodes[0], modules)
        if order[-1] in nodes:
            return sum_box(scene, nodes, modules)
        return lot(scene, nodes, modules, same=len({same[node] for node in nodes}) == 1)

    return folded_scene(order, groups, size, boxed)


def alike(
    order: Sequence[Value],
    known: Mapping[Value, int] | None = None,
    places: Mapping[tuple[Value, int], int] | None = None,
) -> dict[Value, int]:
    """A group number for each node: equal for nodes computed in the same way that are used in the same way.

    A long sum, written as a chain of `add`, counts as one node with many operands, whose order does not matter.
    Otherwise each of its terms would be used in a way of its own.

    Arguments:
        order: the graph, parents first.
        known: the groups of some nodes, from 0 on.
        places: what counts as the slot of an operand of those, by node and slot.
    """
    known, places = known or {}, places or {}
    numbers: dict[Any, int] = {}
    first = max(known.values(), default=-1) + 1

    def numbered(key: Any) -> int:
        return numbers.setdefault(key, first + len(numbers))

    ends = sum_ends(order, known)
    terms: dict[Value, list[Value]] = defaultdict(list)
    for node in order:
        terms[ends.get(node, node)] += [parent for parent in node.parents if parent not in ends]
    upward: dict[Value, int] = dict(known)
    for node in order:
        if node not in ends and node not in known:
            parents = [upward.get(parent, BEYOND) for parent in terms[node]]
            if node.operation == "add" and len(parents) > 2:
                upward[node] = numbered(("sum", node.label, frozenset(parents)))
            else:
                upward[node] = numbered((node.operation, node.label, _runs(parents), len(node.operands)))
    uses: dict[Value, set[tuple[int, int]]] = defaultdict(set)
    groups: dict[Value, int] = dict(known)
    for node in reversed(order):
        if node in known:
            for slot, parent in zip(parent_slots(node), node.parents, strict=True):
                uses[parent].add((known[node], places.get((node, slot), slot)))
            continue
        if node in ends:
            groups[node] = groups[ends[node]]
            continue
        groups[node] = numbered((upward[node], frozenset(uses[node])))
        many = len(node.operands) > 3 or len(terms[node]) > 2
        for slot, parent in enumerate(terms[node]):
            uses[parent].add((groups[node], -1 if many else slot))
    return groups


def sum_ends(order: Sequence[Value], known: Container[Value]) -> dict[Value, Value]:
    """For each `add` whose only use is in another `add`, the last one of that chain, apart from the nodes `known`."""
    users: dict[Value, list[Value]] = defaultdict(list)
    for node in order:
        for parent in node.parents:
            users[parent].append(node)
    ends: dict[Value, Value] = {}
    for node in reversed(order):
        if node.operation != "add" or node.label or node in known or len(users[node]) != 1:
            continue
        (user,) = users[node]
        if user.operation == "add" and user not in known:
            ends[node] = ends.get(user, user)
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


def _sides(links: Iterable[tuple[T, T]]) -> tuple[dict[T, set[T]], dict[T, set[T]]]:
    """The parents and the users of each group, without those that were not looked at."""
    parents: dict[T, set[T]] = defaultdict(set)
    users: dict[T, set[T]] = defaultdict(set)
    for tail, head in links:
        if tail != BEYOND:
            parents[head].add(tail)
            users[tail].add(head)
    return parents, users


def levels(links: Iterable[tuple[T, T]]) -> dict[T, int]:
    """The longest way from each group to one that nobody uses; users stand before their parents."""
    parents, users = _sides(links)
    waiting = {group: len(users[group]) for group in parents | users}
    ready = [group for group, count in waiting.items() if not count]
    level = dict.fromkeys(ready, 0)
    for group in ready:  # the list grows while it is read
        for parent in parents[group]:
            level[parent] = max(level.get(parent, 0), level[group] + 1)
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return {group: level[group] for group in ready}


def _chains(links: Links, most: int) -> dict[int, int]:
    """For each group inside a chain (one parent group, one user), the number of the group at the chain's end."""
    parents, users = _sides(links)
    fed = {head for tail, head in links if tail == BEYOND}
    inside = {g for g in parents if len(users[g]) == 1 and len(parents[g]) == 1 and g not in fed}
    ends: dict[int, int] = {}
    for start in inside:
        path = [start]
        while path[-1] not in ends and (following := next(iter(users[path[-1]]))) in inside:
            path.append(following)
        end = ends.get(path[-1], path[-1])
        ends.update(dict.fromkeys(path, end))
    return ends


def _near(level: dict[int, int], most: int) -> set[int]:
    """The root's group and those of the levels next to it: whole levels, few, and at most `most` groups."""
    sizes = Counter(level.values())
    near, depth = sizes[0], 1
    while depth < NEAR_LEVELS and sizes[depth] and near + sizes[depth] <= most:
        near += sizes[depth]
        depth += 1
    return {group for group, at in level.items() if at < depth}


def _cones(links: Links, most: int) -> dict[int, int]:
    """For each group far from the root that a single one uses, directly or through others like it, that one.

    No circle can come of it: whatever leads out of such a lot leads out of its last group. None is so large that it
    would hide most of the graph."""
    level = levels(links)
    near = _near(level, most // 2)
    _, users = _sides(links)
    largest = (len(level) - len(near)) / BANDS
    sizes: Counter[int] = Counter()
    ends: dict[int, int] = {}
    for group in level:  # users before their parents
        heads = {ends.get(user, user) for user in users[group]}
        if group not in near and len(heads) == 1 and not heads & near and sizes[min(heads)] < largest:
            ends[group] = heads.pop()
            sizes[ends[group]] += 1
    return ends


def _bands(links: Links, most: int) -> dict[int, int]:
    """For each group far from the root, the first of its lot.

    A lot is what hangs together within a band of some neighbouring levels. No circle can come of it: what belongs to
    two lots of a band has no edge between, and all other edges lead from a band to one nearer to the root."""
    level = levels(links)
    near = _near(level, most // 2)
    parents, users = _sides(links)
    far = sorted((g for g in level if g not in near), key=level.__getitem__)
    rest = most - len(near) - 1  # a box for leaves
    bands = _cut([g for g in far if parents[g]], level, min(BANDS, max(1, rest // 2)))
    allowed = max(1, rest // (2 * max(1, len(bands))))
    ends: dict[int, int] = {}
    for band in bands:
        whole = _components(band, parents)
        first = -1
        for place, component in enumerate(sorted(whole, key=len, reverse=True)):
            first = component[0] if place < allowed else first
            ends |= dict.fromkeys(component, first)
    band_of = {group: number for number, band in enumerate(bands) for group in band}
    shared: dict[int, int] = {}
    for leaf in (g for g in far if not parents[g]):
        heads = {ends.get(user, user) for user in users[leaf]}
        if len(heads) == 1 and not heads & near:
            ends[leaf] = heads.pop()
        else:
            at = max(band_of.get(user, -1) for user in users[leaf]) if rest > 2 * BANDS else 0
            ends[leaf] = shared.setdefault(at, leaf)
    return ends


def _cut(groups: Sequence[int], level: Mapping[int, int], count: int) -> list[list[int]]:
    """The groups, which are sorted by level, in about `count` lots of whole levels and of about the same size."""
    lots: list[list[int]] = []
    for place, group in enumerate(groups):
        begins = place == 0 or level[group] != level[groups[place - 1]]
        if not lots or (begins and place >= len(lots) * len(groups) / count):
            lots.append([])
        lots[-1].append(group)
    return lots


def _components(groups: Sequence[int], parents: Mapping[int, set[int]]) -> list[list[int]]:
    """The groups in lots that hang together by edges among them."""
    neighbours: dict[int, set[int]] = {group: set() for group in groups}
    for group in groups:
        for parent in parents[group] & neighbours.keys():
            neighbours[group].add(parent)
            neighbours[parent].add(group)
    seen: set[int] = set()
    components = []
    for start in groups:
        if start not in seen:
            seen.add(start)
            component = [start]
            for group in component:  # the list grows while it is read
                component += sorted(neighbours[group] - seen)
                seen |= neighbours[group]
            components.append(component)
    return components


MOST_LEVELS = 12
"""How long the way through the drawing of an irregular graph may be."""

NEAR_LEVELS = 4
"""How many levels next to the root of an irregular graph are drawn node by node."""

BANDS = 5
"""How many bands of levels the others become."""


def _nearest(root: Value, most: int) -> set[Value]:
    """The `most` nodes that are nearest to the root, breadth first."""
    kept, frontier = {root}, [root]
    while frontier and len(kept) < most:
        reached = dict.fromkeys(parent for x in frontier for parent in x.parents if parent not in kept)
        frontier = list(reached)[: most - len(kept)]
        kept.update(frontier)
    return kept


def folded_scene(
    order: Sequence[Value],
    groups: Mapping[Value, int],
    size: int,
    boxed: Callable[[Scene, int, Sequence[Value]], Box],
) -> Scene:
    """A box for each group, and a note for the nodes that were not looked at, of the graph's `size` nodes.

    `boxed` gives the box of a group, from its number and its nodes, parents first."""
    scene, places = Scene(), dict[int, int]()
    members: dict[int, list[Value]] = defaultdict(list)
    edges: dict[tuple[int, int], list[tuple[Value, int]]] = defaultdict(list)
    for node in order:
        scene.index_of(node)
        members[groups[node]].append(node)
        for slot, parent in zip(parent_slots(node), node.parents, strict=True):
            if (tail := groups.get(parent, BEYOND)) != groups[node]:
                edges[tail, groups[node]].append((node, slot))
    for group, nodes in members.items():
        places[group] = scene.add(boxed(scene, group, nodes))
    if size > len(order):
        places[BEYOND] = scene.add(Box("note", [(f"+{size - len(order):,} more",)]))
    for (tail, head), between in edges.items():
        scene.arrows.append(link(scene, places[tail], places[head], between))
    if len(members) < len(order):
        scene.note = "a box with two borders stands for several nodes; its gradient is the root mean square of theirs"
    return scene


def link(scene: Scene, tail: int, head: int, between: Sequence[tuple[Value, int]]) -> Arrow:
    """The arrow for all edges from one box to another, each the node that uses and its operand's slot."""
    node, slot = between[0]
    if len(between) == 1:
        return edge(tail, head, scene.index_of(node), slot)
    count = f"×{len(between):,}"
    name = f"e_{scene.index_of(node)}_{slot}"
    return Arrow(tail, head, name, [(count,)], count=len(between), tooltip=(f"{len(between):,} edges",))


def lot(scene: Scene, nodes: Sequence[Value], modules: Modules, same: bool) -> Box:
    """One box for many nodes: how many, of which operations, and the size of their gradients."""
    counts = Counter(node.operation or "leaf" for node in nodes)
    listed = [f"{name} ×{count:,}" for name, count in counts.most_common()]
    shown = ", ".join(listed[:2]) + ", …" * (len(listed) > 2)
    title = nodes[0].label if len({node.label for node in nodes}) == 1 and nodes[0].label else next(iter(counts))
    in_a_row = _is_chain(nodes)
    if len(counts) == 1 and (same or not in_a_row):
        lines = [f"{title} ×{len(nodes):,}"] + ["one after the other" if in_a_row else "computed alike"] * same
    else:
        lines = [f"{len(nodes):,} in a row" if in_a_row else f"{len(nodes):,} nodes", shown]
    labels = list(dict.fromkeys(node.label for node in nodes if node.label))
    if len(labels) > 1:
        lines.insert(1, ", ".join(label[:12] for label in labels[:3]) + ", …" * (len(labels) > 3))
    code = f"q{len(scene.boxes)}"
    return Box(
        "folded",
        [*((printable(line),) for line in lines), ("grad ", code, "")],
        [scene.index_of(node) for node in nodes],
        "",  # a root mean square has no sign
        common(modules.get(node, NOWHERE).module for node in nodes),
        (f"{len(nodes):,} nodes folded into one: {printable(', '.join(listed), most=200)}; grad: root mean square",),
    )


def sum_box(scene: Scene, nodes: Sequence[Value], modules: Modules) -> Box:
    """The box of a long sum that is the root of a graph, which shows the root: nobody wants to look for the loss."""
    box = box_for(scene, nodes[-1], modules)
    box.kind, box.nodes = "folded", [scene.index_of(node) for node in nodes]
    place = [line[0] for line in box.lines].index("add", 1 if nodes[-1].label else 0)
    box.lines[place] = (f"add ×{len(nodes):,}",)
    return box


def _is_chain(nodes: Sequence[Value]) -> bool:
    """Whether each of the nodes (parents first) uses the one before it, and no other of them."""
    within = set(nodes)
    return all({p for p in node.parents if p in within} == {before} for before, node in pairwise(nodes))
