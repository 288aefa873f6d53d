"""What does a computation graph look like? Values, gradients, operations, and local derivatives on the edges."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import graphviz

from autograd.drawing.engine import Drawing
from autograd.drawing.folding import MOST_FOLDED, fold
from autograd.drawing.models import Example, as_model, opened_by
from autograd.drawing.network import network_scene
from autograd.drawing.numbers import Numbers
from autograd.drawing.scene import MOST_CONSTANTS, Box, Modules, Scene, modules_of, neighbourhood, whole
from autograd.drawing.text import filled, literal, printable
from autograd.drawing.theme import Theme, theme_named
from autograd.graph import topological_order
from autograd.reals import as_count
from autograd.value import Value


MOST_WHOLE = 100
"""How many boxes a drawing has without folding, if the user does not say."""

MOST_FOLDED_BOXES = 36
"""How many it has once it is folded: what can be read at once."""


def scene_of(
    root: Value,
    model: Any = None,
    expand: Any = False,
    most_nodes: int | None = None,
    focus: Value | None = None,
    radius: int = 2,
) -> Scene:
    """What is on the drawing of a graph: a network, all nodes, the part around `focus`, or a folded form; see `draw`.

    The nodes of the graph are numbered in topological order, and each belongs to a box."""
    if focus is not None and not isinstance(focus, Value):
        raise TypeError(f"focus takes a Value of the graph; got {focus!r} ({type(focus).__name__})")
    order = topological_order(root)
    if focus is None:
        return _scene(order, root, model, expand, most_nodes)
    near, left_out = neighbourhood(root, focus, as_count(radius, "radius", least=0))
    scene = _scene(near, focus, model, expand, most_nodes, modules_of(order, as_model(model)))
    if left_out:
        scene.add(Box("note", [(f"+{left_out:,} more",)]))
    return scene


def scene_of_example(example: Example, model: Any, expand: Any, most_nodes: int | None) -> Scene:
    """What is on the drawing of a model with one example."""
    return _scene(example.order, example.root, model, expand, most_nodes)


def _scene(
    order: Sequence[Value],
    root: Value | None,
    model: Any,
    expand: Any,
    most_nodes: int | None,
    modules: Modules | None = None,
) -> Scene:
    """The scene of these nodes, whose modules may be given: then they are a part, and no network."""
    whole_up_to = MOST_WHOLE if most_nodes is None else as_count(most_nodes, "most_nodes")
    model = as_model(model)
    opened = opened_by(expand, model)
    if modules is None:
        modules = modules_of(order, model)
        if model is not None and not opened("") and len(order) <= MOST_FOLDED:
            network = network_scene(order, modules, model, opened, whole_up_to)
            if network is not None:
                return network
    if root is None or (len(order) <= whole_up_to and size(order, opened("")) <= whole_up_to):
        return whole(order, modules, opened(""))
    return fold(root, modules, MOST_FOLDED_BOXES if most_nodes is None else whole_up_to)


def size(order: Sequence[Value], spell_out: bool) -> int:
    """How many boxes a drawing without folding has."""
    constants = sum(min(len(node.operands) - len(node.parents), MOST_CONSTANTS) for node in order)
    products = sum(len(node.operands) // 2 for node in order if node.operation == "dot") if spell_out else 0
    return len(order) + constants + products


def drawing_of(
    scene: Scene, numbers: Numbers, *, direction: str, format: str, precision: int, theme: str, style: str
) -> Drawing:
    """The picture of a scene."""
    return dot_of(scene, numbers, theme_named("light" if theme == "auto" else theme), direction, format, precision)


MANY_ARROWS = 300
"""With more, edges are straight and the layout is less careful: 1,000 irregular edges take 1.3 s in place of 40."""


def dot_of(scene: Scene, numbers: Numbers, theme: Theme, direction: str, format: str, precision: int) -> Drawing:
    """The scene in the DOT language."""
    drawing = Drawing(format=format)
    drawing.attr("graph", rankdir=direction, bgcolor=theme.background, pad="0.2", nodesep="0.25", ranksep="0.5")
    if len(scene.arrows) > MANY_ARROWS:  # or a layout takes minutes
        drawing.attr("graph", nslimit="0.02", nslimit1="0.02", mclimit="0.02", splines="line")
    drawing.attr("graph", fontname="sans-serif", fontcolor=theme.text, fontsize="11", color=theme.frame)
    drawing.attr("node", shape="box", style="rounded,filled", fontname="sans-serif", fontsize="11", margin="0.14,0.07")
    drawing.attr("node", fontcolor=theme.text)
    drawing.attr("edge", fontname="sans-serif", fontsize="10", fontcolor=theme.text, arrowsize="0.7")
    largest = _largest(numbers(box.colour) for box in scene.boxes if box.colour)
    shown = numbers.shown(precision)
    _add_boxes(drawing, scene, lambda graph, i, box: _add_box(graph, i, box, theme, largest, numbers, shown), theme)
    passed = _largest(numbers(arrow.colour) for arrow in scene.arrows if arrow.colour)
    for arrow in scene.arrows:
        colour, width = theme.shade(numbers(arrow.colour) if arrow.colour else None, passed)
        attributes = {"color": colour, "penwidth": f"{width:.2f}", "id": arrow.name}
        if arrow.lines:
            attributes["label"] = _lines((f" {filled(line, shown)} " for line in arrow.lines), "\\n")
        if len(arrow.tooltip) > 1:
            attributes["tooltip"] = attributes["labeltooltip"] = filled(arrow.tooltip, lambda code: repr(numbers(code)))
        drawing.edge(f"n{arrow.tail}", f"n{arrow.head}", **attributes)
    return drawing


def _largest(numbers: Any) -> float:
    """The largest finite magnitude, 0 if there is none."""
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def _add_boxes(drawing: Drawing, scene: Scene, add: Any, theme: Theme) -> None:
    """The boxes, those of a module inside a frame with the module's name, frames inside frames."""
    tree: dict[str, Any] = {}
    for i, box in enumerate(scene.boxes):
        branch = tree
        for part in _frames(box.module):
            branch = branch.setdefault(part, {})
        branch[f"\0{i}"] = box
    frames = 0
    pending: list[tuple[graphviz.Digraph, graphviz.Digraph | None, dict[str, Any]]] = [(drawing, None, tree)]
    finished: list[tuple[graphviz.Digraph, graphviz.Digraph]] = []
    while pending:
        graph, parent, branch = pending.pop()
        if parent is not None:
            finished.append((parent, graph))
        for name, content in branch.items():
            if isinstance(content, Box):
                add(graph, int(name[1:]), content)
            else:
                frame = graphviz.Digraph(name=f"cluster_{frames}")
                frame.attr(label=literal(printable(name)), style="rounded", color=theme.frame)
                frames += 1
                pending.append((frame, graph, content))
    for outer, inner in reversed(finished):
        outer.subgraph(inner)


def _frames(module: str) -> list[str]:
    """The modules around a module and itself, outermost first.

    >>> _frames("layers.0.neurons.2")
    ['layers.0', 'layers.0.neurons.2']
    """
    frames, path = [], ""
    for part in module.split(".") if module else []:
        path = f"{path}.{part}" if path else part
        if part.isdigit() or part not in ("layers", "neurons", "modules"):
            frames.append(path)
    return frames


def _lines(lines: Iterable[str], end: str) -> str:
    """A label of several lines; `end` is "\\n" for centred ones, "\\l" for those that begin at the left."""
    return "".join(f"{literal(line)}{end}" for line in lines)


def _add_box(
    graph: graphviz.Digraph, i: int, box: Box, theme: Theme, largest: float, numbers: Numbers, shown: Any
) -> None:
    attributes = {"label": _lines((filled(line, shown) for line in box.lines), "\\n"), "id": f"n_{i}"}
    attributes["class"] = box.kind
    if box.tooltip != ("",):
        attributes["tooltip"] = literal(filled(box.tooltip, lambda code: repr(numbers(code))))
    if box.kind in ("constant", "note"):
        attributes |= {"shape": "plaintext", "style": "", "fontcolor": theme.faint, "width": "0.1", "height": "0.1"}
    else:
        grad = numbers(box.colour) if box.colour else None
        data = [numbers(code) for line in box.lines for code in line[1::2]]
        colour, width = theme.shade(grad, largest)
        attributes |= {
            "fillcolor": theme.fill(box.kind, data[0] if data else None, grad),
            "color": colour,
            "penwidth": f"{width:.2f}",
        }
        if box.kind == "folded":
            attributes["peripheries"] = "2"
        if not all(map(math.isfinite, data)):
            attributes["style"] = "rounded,filled,dashed"
    graph.node(f"n{i}", **attributes)
