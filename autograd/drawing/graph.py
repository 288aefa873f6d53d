"""What is drawn of a computation graph? Its network, its parts, all of it, what is near a node, or a folded form."""

from collections.abc import Iterator, Sequence
from typing import Any

from autograd.drawing.folding import MOST_FOLDED, fold
from autograd.drawing.models import Example, as_model, opened_by
from autograd.drawing.network import network_scene
from autograd.drawing.parts import parts_of, parts_scene
from autograd.drawing.scene import MOST_CONSTANTS, Box, Modules, Scene, modules_of, neighbourhood, whole
from autograd.graph import topological_order
from autograd.reals import as_count, shown
from autograd.value import Value

MOST_WHOLE = 100
"""How many boxes a drawing has without folding, if the user does not say."""

MOST_FOLDED_BOXES = 36
"""How many it has once it is folded: what can be read at once."""

FEWER_BOXES = (24, 18, 14, 11, 9, 7)
"""How many it may have besides, for a column of a paper or for a slide."""


def scene_of(
    root: Value,
    model: Any = None,
    expand: Any = False,
    most_nodes: int | None = None,
    focus: Value | None = None,
    radius: int | None = None,
    parts: Any = None,
) -> Scene:
    """What is on the drawing of a graph: its parts, its network, all nodes, those around `focus`, or a folded form.

    The arguments are those of `draw`. The nodes are numbered in topological order, and each belongs to a box."""
    if focus is not None and not isinstance(focus, Value):
        raise TypeError(f"focus takes a Value of the graph; got {focus!r} ({type(focus).__name__})")
    if focus is None and radius is not None:
        raise TypeError(f"radius says how much is drawn around a focus; got {shown(radius)} and no focus: give focus=")
    order = topological_order(root)
    _check_model(order, as_model(model))
    if parts is not None:
        if focus is not None:
            raise TypeError("parts fold a whole graph, and focus draws what is near a node: give one of them")
        most = MOST_WHOLE if most_nodes is None else _count(most_nodes, "most_nodes", 1)
        return parts_scene(order, parts_of(order, parts), expand, modules_of(order, as_model(model)), most)
    if focus is None:
        return _scene(order, root, model, expand, most_nodes)
    near, left_out = neighbourhood(root, focus, _count(2 if radius is None else radius, "radius", 0))
    scene = _scene(near, focus, model, expand, most_nodes, modules_of(order, as_model(model)))
    if left_out:
        scene.add(Box("note", [(f"+{left_out:,} more",)]))
    return scene


def scene_of_example(example: Example, model: Any, expand: Any, most_nodes: int | None) -> Scene:
    """What is on the drawing of a model with one example."""
    return _scene(example.order, example.root, model, expand, most_nodes)


def fewer_boxes(root: Value, scene: Scene, model: Any) -> Iterator[Scene]:
    """The graph folded to fewer and fewer boxes than the scene has; none for a network, or for a small graph."""
    if scene.form == "graph":
        modules = modules_of(topological_order(root), as_model(model))
        yield from (fold(root, modules, most) for most in FEWER_BOXES if most < len(scene.boxes))


def _scene(
    order: Sequence[Value],
    root: Value | None,
    model: Any,
    expand: Any,
    most_nodes: int | None,
    modules: Modules | None = None,
) -> Scene:
    """The scene of these nodes, whose modules may be given: then they are a part, and no network."""
    whole_up_to = MOST_WHOLE if most_nodes is None else _count(most_nodes, "most_nodes", 1)
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


def _count(n: Any, name: str, least: int) -> int:
    """As `as_count`, but True is no number: it would fold all into one box."""
    if isinstance(n, bool):
        raise TypeError(f"{name} takes a whole number; got {n} (bool)")
    return as_count(n, name, least)


def _check_model(order: Sequence[Value], model: Any) -> None:
    """Raises ValueError if the model did not compute the graph."""
    parameters = set() if model is None else {parameter for _, parameter in model.named_parameters()}
    if parameters and parameters.isdisjoint(order):
        raise ValueError(
            f"none of the {len(parameters):,} parameters of the model is part of this graph of {len(order):,} nodes: "
            "pass the model that computed it"
        )


def size(order: Sequence[Value], spell_out: bool) -> int:
    """How many boxes a drawing without folding has."""
    constants = sum(min(len(node.operands) - len(node.parents), MOST_CONSTANTS) for node in order)
    products = sum(len(node.operands) // 2 for node in order if node.operation == "dot") if spell_out else 0
    return len(order) + constants + products
