"""What is drawn of a computation graph? All of it, what is near a node, or a folded form."""

from typing import Any

from autograd.drawing.folding import fold
from autograd.drawing.numbers import Numbers
from autograd.drawing.picture import Drawing, Look, drawing_of
from autograd.drawing.scene import MOST_CONSTANTS, Box, Scene, modules_of, neighbourhood, whole
from autograd.drawing.text import printable
from autograd.graph import topological_order
from autograd.reals import as_count
from autograd.value import Value


def draw_graph(
    root: Value,
    look: Look,
    *,
    model: Any,
    expand_dots: bool,
    most_nodes: int,
    focus: Value | None,
    radius: int,
) -> Drawing:
    """The drawing of a graph; see `draw`, which has the defaults."""
    scene = scene_of(root, model, expand_dots, most_nodes, focus, radius)
    name = f"computation graph of {printable(root.label or root.operation or 'a leaf')}, {len(scene.nodes):,} nodes"
    return drawing_of(scene, Numbers(scene), look, name)


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


def _fits(order: list[Value], expand_dots: bool, most_nodes: int) -> bool:
    """Whether a drawing without folding has at most `most_nodes` boxes."""
    return len(order) <= most_nodes and size(order, expand_dots) <= most_nodes


def size(order: list[Value], expand_dots: bool) -> int:
    """How many boxes a drawing without folding has."""
    constants = sum(min(len(node.operands) - len(node.parents), MOST_CONSTANTS) for node in order)
    products = sum(len(node.operands) // 2 for node in order if node.operation == "dot") if expand_dots else 0
    return len(order) + constants + products
