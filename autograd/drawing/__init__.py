"""How do graphs and networks become pictures?

`draw` is here. `graph.py` and `network.py` decide what is on a drawing (`scene.py`), `layout.py` places it, `svg.py`
and `dot.py` write it down in the colours of `theme.py`, `picture.py` shows it and makes files. `stepper.py` steps
through it.
"""

from typing import Any

from autograd.drawing.engine import DrawingError
from autograd.drawing.graph import draw_graph
from autograd.drawing.network import draw_network
from autograd.drawing.picture import Drawing, Look
from autograd.drawing.stepper import Explanation, explain
from autograd.value import Value

__all__ = ["Drawing", "DrawingError", "Explanation", "draw", "explain"]


def draw(
    root: Any,
    *,
    model: Any = None,
    direction: str = "auto",
    format: str = "svg",
    precision: int = 4,
    theme: str = "auto",
    style: str = "page",
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
        direction: "LR" (left to right), "TB" (top to bottom), "RL" or "BT"; "auto" is LR, and TB in a column of a
            notebook that is too narrow.
        format: of the picture: "svg", "png", "pdf", "eps" or another that Graphviz gives.
        precision: significant digits of the numbers.
        theme: "light" or "dark"; "auto" is that of the page, and of the reader's browser for a file.
        style: "page"; "paper" for a column of a paper, 8 cm wide with type of 8 points, for which it may choose the
            direction and fewer digits; or "slide", 16:9 and in large type.
        expand_dots: show `dot` nodes as products and sums.
        most_nodes: in a drawing of more boxes, nodes that are alike are folded into one, and the drawing says so; of
            more than 150,000 nodes, those nearest to the root are looked at, and the others counted.
        focus: a node of the graph; only what is near it is drawn.
        radius: how many edges away from `focus` is near.

    Returns:
        a `graphviz.Digraph`: a notebook shows it, `.render("graph.svg")` writes it, `.source` is its DOT text. SVG
        needs no Graphviz; PNG, PDF and others need its `dot`, or pygraphviz.

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
    look = Look(direction, format, precision, theme, style)
    if isinstance(root, Value):
        return draw_graph(
            root, look, model=model, expand_dots=expand_dots, most_nodes=most_nodes, focus=focus, radius=radius
        )
    if hasattr(root, "named_modules"):
        flow = "LR" if direction == "auto" else direction
        return draw_network(root, direction=flow, format=format, precision=precision, theme=theme)
    raise TypeError(f"draw takes a Value or a model; got {root!r} ({type(root).__name__})")
