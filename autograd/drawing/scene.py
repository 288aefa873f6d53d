"""What is on a drawing of a graph? Boxes and arrows, before anything is said of where they are or how they look.

`whole` draws every node. `folding.py` merges nodes that are alike, so that a graph of any size becomes a limited number
of boxes. `network.py` draws the neurons of a model.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autograd.drawing.text import Text, joined, number, printable
from autograd.graph import topological_order
from autograd.operations import operations
from autograd.steps import parent_slots
from autograd.value import Value


@dataclass
class Box:
    """One box of the drawing: a Value, a neuron, a constant, a lot of Values that are alike, or a note.

    `kind` is "leaf", "operation", "neuron", "input" (a number that enters a network), "constant", "folded" or "note".
    `lines` are the texts in it, its title first. `nodes` are the nodes that it stands for, parents first and its result
    last. `colour` is the code of the number whose sign and size colour it. `module` is the dotted name of the module
    that it belongs to, and `column` its place in a network, from the left.
    """

    kind: str
    lines: list[Text]
    nodes: list[int] = field(default_factory=list)
    colour: str = ""
    module: str = ""
    tooltip: Text = ("",)
    column: int | None = None


@dataclass
class Arrow:
    """One line of the drawing, from what is used to the box that uses it.

    `name` is "e_3_0" for the operand in slot 0 of node 3. `lines` are the texts of its label: a local derivative; or a
    weight and its gradient, and then `leaf` is that weight's node. `colour` is the code of the number that colours and
    thickens it. `count` is the number of edges that it stands for.
    """

    tail: int
    head: int
    name: str
    lines: list[Text] = field(default_factory=list)
    colour: str = ""
    leaf: int = -1
    count: int = 1
    tooltip: Text = ("",)


@dataclass
class Scene:
    """Boxes by number, the arrows between them, and the nodes that their texts speak of.

    `form` is "graph", or "network" where boxes have columns. `note` is a line below the picture.
    """

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    nodes: list[Value] = field(default_factory=list)
    box_of: dict[int, int] = field(default_factory=dict)
    form: str = "graph"
    note: str = ""
    _indices: dict[Value, int] = field(default_factory=dict)

    def add(self, box: Box) -> int:
        """Puts a box on the drawing; returns its number."""
        self.boxes.append(box)
        self.box_of.update(dict.fromkeys(box.nodes, len(self.boxes) - 1))
        return len(self.boxes) - 1

    def index_of(self, node: Value) -> int:
        """The number of a node in the codes of texts. A node that is new gets the next one."""
        if node not in self._indices:
            self._indices[node] = len(self.nodes)
            self.nodes.append(node)
        return self._indices[node]

    def join_parallel_arrows(self) -> None:
        """Makes one arrow, with the first one's name, of more than MOST_PARALLEL between the same two boxes."""
        between: dict[tuple[int, int], list[Arrow]] = {}
        for arrow in self.arrows:
            between.setdefault((arrow.tail, arrow.head), []).append(arrow)
        joined: dict[str, Arrow | None] = {}
        for (tail, head), arrows in between.items():
            if len(arrows) > MOST_PARALLEL:
                count = sum(arrow.count for arrow in arrows)
                tooltip = (f"{count:,} edges; what flows back along them adds up in the gradient",)
                joined |= dict.fromkeys((arrow.name for arrow in arrows), None)
                joined[arrows[0].name] = Arrow(
                    tail, head, arrows[0].name, [(f"×{count:,}",)], count=count, tooltip=tooltip
                )
        kept = (joined.get(arrow.name, arrow) for arrow in self.arrows)
        self.arrows = [arrow for arrow in kept if arrow is not None]


MOST_PARALLEL = 8
"""How many arrows lead from one box to another; more of them are one, with their number on it."""


NETWORK_DIGITS = 3


def precision_in(scene: Scene, precision: int | None) -> int:
    """How many significant digits numbers have, if the user does not say: 4, and 3 in a network, which is crowded."""
    return precision or (NETWORK_DIGITS if scene.form == "network" else 4)


MOST_CONSTANTS = 8
"""How many constant operands of a node have a box each; more of them share one."""


class Place(NamedTuple):
    """Where a node belongs: the dotted name of its module, and for a parameter its name there, such as "w.3"."""

    module: str = ""
    name: str = ""


NOWHERE = Place()
CONTAINERS = ("layers", "neurons", "modules")
"""Parts of dotted names that only say that a list of modules follows."""
ACTIVATIONS = {name for name, operation in operations.items() if operation.rule.activation is not None}
Modules = dict[Value, Place]


def whole(nodes: Sequence[Value], modules: Modules, spell_out: bool = False) -> Scene:
    """A box for each of the nodes (parents first) and for each constant, an arrow for each operand among them.

    Arguments:
        nodes: what to draw.
        modules: where each node belongs.
        spell_out: draw each `dot` as products and a sum.
    """
    scene = Scene()
    for node in nodes:
        scene.index_of(node)
    chosen = set(nodes)
    for node in nodes:
        if spell_out and node.operation == "dot" and chosen.issuperset(node.parents):
            _spelled_out(scene, node, modules)
        else:
            _add_node(scene, node, modules)
    scene.join_parallel_arrows()
    return scene


def _add_node(scene: Scene, node: Value, modules: Modules) -> None:
    index = scene.index_of(node)
    box = scene.add(box_for(scene, node, modules))
    arrows = constant_arrows(scene, node, box, modules)
    for slot, operand in zip(parent_slots(node), node.parents, strict=True):
        if operand in scene._indices and scene.index_of(operand) in scene.box_of:
            arrows[slot] = edge(scene.box_of[scene.index_of(operand)], box, index, slot)
    scene.arrows += [arrows[slot] for slot in sorted(arrows)]


def constant_arrows(scene: Scene, node: Value, box: int, modules: Modules) -> dict[int, Arrow]:
    """A box for each plain number that the node uses, or one for all of many; the arrows from them, by slot."""
    index, module = scene.index_of(node), modules.get(node, NOWHERE).module
    slots = set(parent_slots(node))
    constants = {slot: x for slot, x in enumerate(node.operands) if slot not in slots}
    if len(constants) > MOST_CONSTANTS:
        lot = scene.add(Box("constant", [(f"{len(constants)} numbers",)], module=module))
        return {-1: Arrow(lot, box, f"e_{index}_{len(node.operands)}", count=len(constants))}
    return {slot: Arrow(scene.add(constant_box(x, module)), box, f"e_{index}_{slot}") for slot, x in constants.items()}


def edge(tail: int, head: int, index: int, slot: int) -> Arrow:
    """The arrow for one operand of a node, with the local derivative on it, coloured by what flows back along it."""
    code = f"{index}.{slot}"
    tooltip = ("local derivative ", f"l{code}", "")
    return Arrow(tail, head, f"e_{index}_{slot}", [("", f"l{code}", "")], f"c{code}", tooltip=tooltip)


def constant_box(x: float, module: str = "", digits: int = 4) -> Box:
    """The box of a plain number."""
    return Box("constant", [(plain(x, digits),)], module=module, tooltip=(f"{x!r}",))


def plain(x: float, digits: int) -> str:
    """A plain number as others in the picture are, a whole one with more digits.

    >>> plain(0.134364, 3), plain(1797.0, 3)
    ('0.134', '1797')
    """
    return f"{x:.6g}" if x == round(x, 0) else number(x, digits)


def box_for(scene: Scene, node: Value, modules: Modules) -> Box:
    """The box of one node: its name, its operation below a label, its data and its gradient."""
    index, place = scene.index_of(node), modules.get(node, NOWHERE)
    title = printable(node.label or node.operation or place.name or "leaf")
    lines: list[Text] = [(title,)]
    if node.label and node.operation:
        lines.append((node.operation,))
    lines += [("data ", f"v{index}", ""), ("grad ", f"g{index}", "")]
    tooltip = joined(f"{title}: data ", ("", f"v{index}", ", grad ", f"g{index}", ""))
    return Box("operation" if node.operation else "leaf", lines, [index], f"g{index}", place.module, tooltip)


def _spelled_out(scene: Scene, node: Value, modules: Modules) -> None:
    """A `dot` as products and a sum."""
    index, module = scene.index_of(node), modules.get(node, NOWHERE).module
    total = box_for(scene, node, modules)
    if not node.label:
        total.lines[0] = ("sum",)
    head = scene.add(total)
    count = len(node.operands) // 2

    def tail(operand: Any) -> int:
        if isinstance(operand, Value):
            return scene.box_of[scene.index_of(operand)]
        return scene.add(constant_box(operand, module))

    def arrow(slot: int, head: int, label: Text) -> Arrow:
        colour = f"c{index}.{slot}" if isinstance(node.operands[slot], Value) else ""
        lines = [label] if colour else []
        return Arrow(tail(node.operands[slot]), head, f"e_{index}_{slot}", lines, colour)

    for slot in range(count):
        lines: list[Text] = [("mul",), ("data ", f"m{index}.{slot}", ""), ("grad ", f"g{index}", "")]
        product = scene.add(Box("operation", lines, [], f"g{index}", module))
        for side in (slot, count + slot):
            scene.arrows.append(arrow(side, product, ("", f"l{index}.{side}", "")))
        scene.arrows.append(Arrow(product, head, f"p_{index}_{slot}", [("1",)], f"g{index}"))
    if len(node.operands) > 2 * count:
        scene.arrows.append(arrow(2 * count, head, ("1",)))


# What belongs to which module


def modules_of(order: Sequence[Value], model: Any) -> Modules:
    """The module and the name of each node: of the module whose parameters it uses; an activation is its neuron's.

    What comes after a last neuron that is linear is no activation of it: it is the loss's, as `softplus` may be.

    Arguments:
        order: the graph, parents first.
        model: anything with `named_modules()` and `named_parameters()`, or None.
    """
    modules: Modules = {}
    if model is None:
        return modules
    named = dict(model.named_modules())
    for name, parameter in model.named_parameters():
        parts = name.split(".")
        inner = next((n for n in range(len(parts) - 1, 0, -1) if ".".join(parts[:n]) in named), 0)
        modules[parameter] = Place(".".join(parts[:inner]), ".".join(parts[inner:]))
    consumers = Counter(parent for node in order for parent in node.parents)
    inside = _before_parameters(order, modules)
    for node in order:
        own = [modules[p].module for p in node.parents if p in modules and not p.operation]
        if own:
            modules[node] = Place(common(own))
        elif node.operation in ACTIVATIONS and consumers[node.parents[0]] == 1:
            place = modules.get(node.parents[0])
            module = None if place is None else named.get(place.module)
            if node in inside or getattr(module, "activation", None) != "linear":
                modules[node] = place or NOWHERE
    return modules


def _before_parameters(order: Sequence[Value], parameters: Modules) -> set[Value]:
    """The nodes from which something is computed with a parameter."""
    found: set[Value] = set()
    for node in reversed(order):
        if node in found or not parameters.keys().isdisjoint(node.parents):
            found.update(node.parents)
    return found


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
