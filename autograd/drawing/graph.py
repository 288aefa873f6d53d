"""What does a computation graph look like? Values, gradients, operations, and local derivatives on the edges."""

import math
from collections.abc import Iterable
from typing import Any

import graphviz

from autograd.drawing.engine import Drawing
from autograd.drawing.folding import fold
from autograd.drawing.numbers import Numbers
from autograd.drawing.scene import MOST_CONSTANTS, Box, Scene, modules_of, neighbourhood, whole
from autograd.drawing.text import check_look, filled, literal, printable
from autograd.drawing.theme import Theme, theme_named
from autograd.graph import topological_order
from autograd.reals import as_count
from autograd.value import Value


def draw_graph(
    root: Value,
    *,
    model: Any,
    direction: str,
    format: str,
    precision: int,
    theme: str,
    expand_dots: bool,
    most_nodes: int,
    focus: Value | None,
    radius: int,
) -> Drawing:
    """The drawing of a graph; see `draw`, which has the defaults."""
    check_look(direction, format, precision)
    scene = scene_of(root, model, expand_dots, most_nodes, focus, radius)
    return dot_of(scene, theme_named(theme), direction, format, precision)


def scene_of(
    root: Value,
    model: Any = None,
    expand: Any = False,
    most_nodes: int = 200,
    focus: Value | None = None,
    radius: int = 2,
) -> Scene:
    """What is on the drawing of a graph: all of it, the part around `focus`, or a folded form; see `draw`.

    The nodes of the graph are numbered in topological order, and each belongs to a box."""
    if focus is not None and not isinstance(focus, Value):
        raise TypeError(f"focus takes a Value of the graph; got {focus!r} ({type(focus).__name__})")
    most_nodes = as_count(most_nodes, "most_nodes")
    order = topological_order(root)
    modules = modules_of(order, model)
    if focus is not None:
        order, left_out = neighbourhood(root, focus, as_count(radius, "radius", least=0))
        scene = whole(order, modules, expand) if _fits(order, expand, most_nodes) else fold(focus, modules, most_nodes)
        if left_out:
            scene.add(Box("note", [(f"+{left_out:,} more",)]))
        return scene
    return whole(order, modules, expand) if _fits(order, expand, most_nodes) else fold(root, modules, most_nodes)


MANY_ARROWS = 300
"""With more, edges are straight and the layout is less careful: 1,000 irregular edges take 1.3 s in place of 40."""


def _fits(order: list[Value], expand_dots: bool, most_nodes: int) -> bool:
    """Whether a drawing without folding has at most `most_nodes` boxes."""
    return len(order) <= most_nodes and size(order, expand_dots) <= most_nodes


def size(order: list[Value], expand_dots: bool) -> int:
    """How many boxes a drawing without folding has."""
    constants = sum(min(len(node.operands) - len(node.parents), MOST_CONSTANTS) for node in order)
    products = sum(len(node.operands) // 2 for node in order if node.operation == "dot") if expand_dots else 0
    return len(order) + constants + products


def dot_of(scene: Scene, theme: Theme, direction: str, format: str, precision: int) -> Drawing:
    """The scene in the DOT language."""
    drawing = Drawing(format=format)
    drawing.attr("graph", rankdir=direction, bgcolor=theme.background, pad="0.2", nodesep="0.25", ranksep="0.5")
    if len(scene.arrows) > MANY_ARROWS:  # or a layout takes minutes
        drawing.attr("graph", nslimit="0.02", nslimit1="0.02", mclimit="0.02", splines="line")
    drawing.attr("graph", fontname="sans-serif", fontcolor=theme.text, fontsize="11", color=theme.frame)
    drawing.attr("node", shape="box", style="rounded,filled", fontname="sans-serif", fontsize="11", margin="0.14,0.07")
    drawing.attr("node", fontcolor=theme.text)
    drawing.attr("edge", fontname="sans-serif", fontsize="10", fontcolor=theme.text, arrowsize="0.7")
    numbers = Numbers(scene)
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
