"""How do graphs and networks become pictures?

`draw` is here. `scene.py` decides what is on a drawing, `graph.py` and `network.py` say it in the DOT language,
`engine.py` makes the picture, `theme.py` has the colours, `stepper.py` steps through it.
"""

from typing import Any

from autograd.drawing.engine import Drawing, DrawingError
from autograd.drawing.graph import draw_graph
from autograd.drawing.stepper import Explanation, explain
from autograd.value import Value

__all__ = ["Drawing", "DrawingError", "Explanation", "draw", "explain"]


def draw(
    root: Any,
    *,
    model: Any = None,
    direction: str = "LR",
    format: str = "svg",
    precision: int = 4,
    theme: str = "light",
    expand_dots: bool = False,
    most_nodes: int = 200,
    focus: Value | None = None,
    radius: int = 2,
) -> Drawing:
    """Draws a graph of Values, with data, gradients, operations and local derivatives; or a network.

    Colour and thickness show the gradient: blue for positive, orange for negative, on a logarithmic scale; nan and inf
    have a dashed magenta border. Drawing never changes a gradient.

    Arguments:
        root: the Value whose graph is drawn; or a model made of layers of neurons, which is drawn as people draw
            networks, a weight's size as thickness and its sign as colour.
        model: (for a Value) an `nn.Module`: nodes that use its parameters are framed and named by its modules.
        direction: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".
        format: of the picture: "svg", "png", "pdf", "eps" or another that Graphviz gives.
        precision: significant digits of the numbers.
        theme: "light" or "dark".
        expand_dots: show `dot` nodes as products and sums.
        most_nodes: in a drawing of more boxes, nodes that are alike are folded into one, and the drawing says so; of
            more than 150,000 nodes, those nearest to the root are looked at, and the others counted.
        focus: a node of the graph; only what is near it is drawn.
        radius: how many edges away from `focus` is near.

    Returns:
        a `graphviz.Digraph`: a notebook shows it, `.render("graph.svg")` writes it, `.source` is its DOT text. It
        renders without Graphviz's `dot` too, through pygraphviz.

    Raises:
        TypeError: root is neither a Value nor a model.
        ValueError: an option is out of range.

    >>> a = Value(3.0, label="a")
    >>> b = a * a
    >>> b.backward()
    >>> print(draw(b).source)
    digraph {
    ...
    """
    look: dict[str, Any] = {"direction": direction, "format": format, "precision": precision, "theme": theme}
    if isinstance(root, Value):
        return draw_graph(
            root, model=model, expand_dots=expand_dots, most_nodes=most_nodes, focus=focus, radius=radius, **look
        )
    if hasattr(root, "named_modules"):
        return draw_network(root, **look)
    raise TypeError(f"draw takes a Value or a model; got {root!r} ({type(root).__name__})")
