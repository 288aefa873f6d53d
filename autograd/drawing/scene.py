"""What is on a drawing of a graph? Boxes and arrows, before any of Graphviz's words.

`whole` draws every node. `fold` merges nodes that are alike, so that a graph of any size becomes a limited number of
boxes, which say what was merged.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from autograd.graph import contribution, topological_order
from autograd.operations import operations
from autograd.steps import parent_slots
from autograd.value import Value, data_of

T = TypeVar("T", Value, int)


@dataclass
class Box:
    """One node of the drawing: a Value, a constant, a folded lot of Values, or a note.

    `kind` is "leaf", "operation", "constant", "folded" or "note"; `module` is the dotted name of the network's module
    it belongs to; `grad` and `data` are None where they have no meaning. `room` is the number of characters that must
    fit, and `strength` a gradient to colour the box by where `grad` is not shown.
    """

    kind: str
    title: str
    data: float | None = None
    grad: float | None = None
    lines: list[str] = field(default_factory=list)
    tooltip: str = ""
    module: str = ""
    room: int = 0
    strength: float | None = None


@dataclass
class Arrow:
    """One edge of the drawing: from a parent to the node that uses it, with the local derivative(s)."""

    tail: int
    head: int
    slot: int
    local: float | None = None
    passed: float | None = None
    count: int = 1


@dataclass
class Scene:
    """The boxes, by number, the arrows between them, and the number of each Value's box."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    places: dict[Value, int] = field(default_factory=dict)
    tooltips: bool = True

    def add(self, box: Box) -> int:
        """Puts a box on the drawing; returns its number."""
        self.boxes.append(box)
        return len(self.boxes) - 1


MOST_CONSTANTS = 8
"""How many constant operands of a node have a box each; more of them share one."""


class Place(NamedTuple):
    """Where a node belongs: the dotted name of its module, and for a parameter its name there, such as "w.3"."""

    module: str = ""
    name: str = ""


NOWHERE = Place()
ACTIVATIONS = {name for name, operation in operations.items() if operation.rule.activation is not None}
Modules = dict[Value, Place]


def whole(
    nodes: Sequence[Value], modules: Modules, expand_dots: bool = False, grads: Mapping[Value, float] | None = None
) -> Scene:
    """A box for each of the nodes (parents first) and for each constant, an arrow for each operand among them.

    The gradients shown are those in `grads`, by default each node's own."""
    scene = Scene()
    places, chosen = scene.places, set(nodes)
    for node in nodes:
        if expand_dots and node.operation == "dot" and chosen.issuperset(node.parents):
            places[node] = _expanded(scene, node, places, modules)
            continue
        grad = data_of(node.grad) if grads is None else grads.get(node, 0.0)
        places[node] = scene.add(_box(node, modules, grad))
        locals_ = dict(zip(parent_slots(node), node.local_derivatives, strict=True))
        constants = len(node.operands) - len(locals_)
        if constants > MOST_CONSTANTS:
            lot = scene.add(Box("constant", f"{constants} numbers", module=modules.get(node, NOWHERE).module))
            scene.arrows.append(Arrow(lot, places[node], len(node.operands), count=constants))
        for slot, operand in enumerate(node.operands):
            if slot not in locals_ and constants > MOST_CONSTANTS:
                continue
            if slot not in locals_:
                constant = scene.add(Box("constant", f"{operand:.6g}", module=modules.get(node, NOWHERE).module))
                scene.arrows.append(Arrow(constant, places[node], slot))
            elif operand in places:
                passed = contribution(grad, locals_[slot])
                scene.arrows.append(Arrow(places[operand], places[node], slot, locals_[slot], passed))
    return scene


def _box(node: Value, modules: Modules, grad: float) -> Box:
    kind = "operation" if node.operation else "leaf"
    place = modules.get(node, NOWHERE)
    title = node.label or node.operation or place.name or "leaf"
    lines = [node.operation] if node.label and node.operation else []
    tooltip = f"{title}: data {node.data!r}, grad {grad!r}"
    return Box(kind, title, node.data, grad, lines, tooltip, place.module)


def _expanded(scene: Scene, node: Value, places: dict[Value, int], modules: Modules) -> int:
    """A `dot` spelled out as products and a sum; returns the number of the sum's box."""
    module, grad = modules.get(node, NOWHERE).module, data_of(node.grad)
    count = len(node.operands) // 2

    def arrow(operand: Any, head: int, slot: int, local: float) -> None:
        if isinstance(operand, Value):
            scene.arrows.append(Arrow(places[operand], head, slot, local, contribution(grad, local)))
        else:
            scene.arrows.append(Arrow(scene.add(Box("constant", f"{operand:.6g}", module=module)), head, slot))

    def data(operand: Any) -> float:
        return operand.data if isinstance(operand, Value) else operand

    total = scene.add(Box("operation", node.label or "sum", node.data, grad, ["dot, spelled out"], module=module))
    for i in range(count):
        w, x = node.operands[i], node.operands[count + i]
        product = scene.add(Box("operation", "mul", data(w) * data(x), grad, module=module))
        arrow(w, product, 0, data(x))
        arrow(x, product, 1, data(w))
        scene.arrows.append(Arrow(product, total, i, 1.0, grad))
    for bias in node.operands[2 * count :]:
        arrow(bias, total, count, 1.0)
    return total


# What belongs to which module


def modules_of(order: Sequence[Value], model: Any) -> Modules:
    """The module and the name of each node: of the module whose parameters it uses; an activation is its neuron's.

    Arguments:
        order: the graph, parents first.
        model: anything with `named_modules()` and `named_parameters()`, or None.
    """
    modules: Modules = {}
    if model is None:
        return modules
    if not hasattr(model, "named_modules"):
        raise TypeError(f"model takes an nn.Module; got {model!r} ({type(model).__name__})")
    paths = {path for path, _ in model.named_modules()}
    for name, parameter in model.named_parameters():
        parts = name.split(".")
        inner = next((n for n in range(len(parts) - 1, 0, -1) if ".".join(parts[:n]) in paths), 0)
        modules[parameter] = Place(".".join(parts[:inner]), ".".join(parts[inner:]))
    consumers = Counter(parent for node in order for parent in node.parents)
    for node in order:
        own = [modules[p].module for p in node.parents if p in modules and not p.operation]
        if own:
            modules[node] = Place(common(own))
        elif node.operation in ACTIVATIONS and consumers[node.parents[0]] == 1:
            modules[node] = modules.get(node.parents[0], NOWHERE)
    return modules


def common(paths: Iterable[str]) -> str:
    """The longest dotted name that all names begin with.

    >>> common(["layers.0.neurons.1", "layers.0.neurons.2"])
    'layers.0'
    """
    split = [path.split(".") if path else [] for path in paths]
    shared: list[str] = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared[:-1] if shared and shared[-1] in ("layers", "neurons") else shared)


# Folding


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
    return _folded_scene({group: members[group] for group in members if group in kept}, links, size, modules)


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


def _folded_scene(kept: dict[int, list[Value]], links: Links, size: int, modules: Modules) -> Scene:
    """A box for each group that is kept, and a note for the rest of the graph's `size` nodes."""
    scene, places = Scene(), dict[int, int]()
    for group, nodes in kept.items():
        lone = len(nodes) == 1
        places[group] = scene.add(_box(nodes[0], modules, data_of(nodes[0].grad)) if lone else _lot(nodes, modules))
    left_out = size - sum(map(len, kept.values()))
    note = scene.add(Box("note", f"+{left_out:,} more")) if left_out else -1
    hidden: Counter[int] = Counter()
    for (tail, head), count in links.items():
        if tail in kept and head in kept:
            scene.arrows.append(Arrow(places[tail], places[head], len(scene.arrows), count=count))
        elif head in kept:
            hidden[head] += count
    for head, count in hidden.items():
        scene.arrows.append(Arrow(note, places[head], 0, count=count))
    return scene


def _lot(nodes: Sequence[Value], modules: Modules) -> Box:
    """One box for many nodes: how many, of which operations, and the size of their gradients."""
    operations = Counter(node.operation or "leaf" for node in nodes)
    first, *others = operations.most_common(4)
    within = set(nodes)
    title = nodes[0].label if len({node.label for node in nodes}) == 1 and nodes[0].label else first[0]
    if any(parent in within for node in nodes for parent in node.parents):
        shown = ", ".join(f"{name} ×{count:,}" for name, count in [first, *others])
        box = Box("folded", f"chain of {len(nodes):,}", lines=[shown])
    else:
        box = Box("folded", f"{title} ×{len(nodes):,}", lines=["same shape"])
    box.module = common(modules.get(node, NOWHERE).module for node in nodes)
    box.grad = _root_mean_square(data_of(node.grad) for node in nodes)
    box.tooltip = f"{len(nodes):,} nodes folded into one; grad is their root mean square"
    return box


def _root_mean_square(numbers: Iterable[float]) -> float:
    numbers = list(numbers)
    largest = max(map(abs, numbers), default=0.0)
    if not 0.0 < largest < math.inf or any(map(math.isnan, numbers)):
        return next(filter(math.isnan, numbers), largest)
    return largest * math.sqrt(math.fsum((x / largest) ** 2 for x in numbers) / len(numbers))


# A part of a graph


def neighbourhood(root: Value, focus: Value, radius: int) -> tuple[list[Value], int]:
    """The nodes at most `radius` edges from `focus`, parents first, and how many others there are.

    Raises:
        ValueError: the focus is not part of the graph.
    """
    order = topological_order(root)
    neighbours: dict[Value, list[Value]] = {node: [] for node in order}
    if focus not in neighbours:
        raise ValueError("focus takes a node of the graph that is drawn; this one is not part of it")
    for node in order:
        for parent in node.parents:
            neighbours[node].append(parent)
            neighbours[parent].append(node)
    near, frontier = {focus}, [focus]
    for _ in range(min(radius, len(order))):
        frontier = list(dict.fromkeys(n for node in frontier for n in neighbours[node] if n not in near))
        near.update(frontier)
    return [node for node in order if node in near], len(order) - len(near)
