"""How do graphs and networks become pictures?

`draw` is here. A `Scene` says what is on a drawing: `graph.py` chooses which, `scene.py` has all of a graph,
`folding.py` a large one in few boxes, `parts.py` one whose parts have names, `network.py` the neurons of a model,
`layers.py` a model alone. `layout.py` places it, `svg.py` and `dot.py` write it down in the colours of `theme.py`,
`picture.py` shows it and makes files. `stepper.py` steps through it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograd.drawing.engine import DrawingError
from autograd.drawing.graph import fewer_boxes, scene_of, scene_of_example
from autograd.drawing.layers import coloured_by_weights, model_scene
from autograd.drawing.models import example_of, kind_of
from autograd.drawing.numbers import Numbers
from autograd.drawing.picture import Drawing, Look, drawing_of
from autograd.drawing.scene import Scene
from autograd.drawing.stepper import Explanation, explain
from autograd.drawing.text import printable
from autograd.reals import shown
from autograd.value import Value

__all__ = ["Drawing", "DrawingError", "Explanation", "draw", "explain"]


def draw(
    root: Any,
    x: Any = None,
    target: Any = None,
    *,
    model: Any = None,
    loss: Callable[[Any, Any], Any] | None = None,
    expand: Any = False,
    direction: str = "auto",
    format: str = "svg",
    precision: int | None = None,
    theme: str = "auto",
    style: str = "page",
    most_nodes: int | None = None,
    focus: Value | None = None,
    radius: int | None = None,
    parts: Mapping[str, Any] | None = None,
) -> Drawing:
    """Draws a graph of Values, with data, gradients, operations and local derivatives; or a network.

    In a network each neuron is a box, in columns by layer. A weight stands on its line, which is the local derivative
    of the neuron's sum by that input. Colour and thickness show the gradient: blue for positive, orange for negative,
    on a logarithmic scale; nan and inf have a dashed magenta border. Drawing never changes a gradient.

    Arguments:
        root: the Value whose graph is drawn; or an `nn.Module`, which is drawn as a network.
        x: (for a model) one example, a list of numbers: the network is drawn with its activations.
        target: (for a model) what the output should be, a number or a list, or a class for several outputs: then the
            gradients are those of the loss; without a target they are the output's own.
        model: (for a Value) the `nn.Module` that computed it, or a list of its layers: draws the network.
        loss: (with a target) a function of the output and the target; by default the squared error, and cross entropy
            for a class.
        expand: what to draw as separate products and sums, with a box for each weight: True for all; or modules of the
            model, or their names, such as "layers.0". With `parts` it opens those that it names, or all: to their own
            parts, and what has no more of them to single Values.
        direction: "LR" (left to right), "TB" (top to bottom), "RL" or "BT"; "auto" is LR, and TB in a column of a
            notebook that is too narrow.
        format: of the picture: "svg", "png", "pdf", "eps" or another that Graphviz gives.
        precision: significant digits of the numbers; by default 4, and 3 in a network.
        theme: "light" or "dark"; "auto" is that of the page, and of the reader's browser for a file.
        style: "page"; "paper" for a column of a paper, 8 cm wide with type of 8 points; or "slide", 16:9 with type of
            24 pixels of 1080 or more. For these two it may choose the direction, fewer digits and, for a graph, fewer
            boxes; a warning says when a picture does not fit all the same.
        most_nodes: a graph of more boxes is folded to so many: nodes that are alike share one, then what is far from
            the root. By default graphs of over 100 boxes become at most 36. Of more than 150,000 nodes, those nearest
            to the root are looked at, and the others counted.
        focus: a node of the graph; only what is near it is drawn.
        radius: how many edges away from `focus` is near; by default 2.
        parts: (for a Value) what is to be one box: for each name the Values that it gives, such as
            `{"head.query": queries, "head.key": keys, "head": outputs}`. A part has these and what they need beyond the
            parts before it, but for leaves that other nodes use too. Dots make parts of parts.

    Returns:
        a `graphviz.Digraph`: a notebook shows it, `.render("graph.svg")` writes it, `.source` is its DOT text. SVG
        needs no Graphviz; PNG, PDF and others need its `dot`, or pygraphviz, or where Python runs in a web page,
        an instance of `@viz-js/viz` as the page's global `viz`.

    Raises:
        TypeError: root is neither a Value nor a model, or an argument is of a wrong kind.
        ValueError: an option is out of range, or the example does not fit the model.

    >>> a = Value(3.0, label="a")
    >>> b = a * a
    >>> b.backward()
    >>> print(draw(b).source)
    digraph {
    ...
    """
    look = Look(direction, format, precision, theme, style)
    gradients = None
    fewer: Iterator[tuple[Scene, Numbers]] = iter(())
    if isinstance(root, Value):
        if x is not None or target is not None or loss is not None:
            raise TypeError("x, target and loss belong to draw(model, x, target); the first argument is a Value here")
        scene = scene_of(root, model, expand, most_nodes, focus, radius, parts)
        if focus is None and expand is False and parts is None:
            fewer = ((folded, Numbers(folded)) for folded in fewer_boxes(root, scene, model))
        name = f"computation graph of {printable(root.label or root.operation or 'a leaf')}, {len(scene.nodes):,} nodes"
    elif hasattr(root, "named_modules") and not isinstance(root, type):
        if parts is not None:
            raise TypeError("parts belong to draw(value, ...); the first argument is a model here: give its output")
        if model is not None or focus is not None or radius is not None:
            raise TypeError("model, focus and radius belong to draw(value, ...); the first argument is a model here")
        name = f"network, {type(root).__name__}"
        if x is not None:
            example = example_of(root, x, target, loss)
            gradients = example.gradients
            scene = scene_of_example(example, root, expand, most_nodes)
        elif target is not None or loss is not None or expand is not False:
            raise TypeError("target, loss and expand need an example: draw(model, x, ...)")
        else:
            scene = model_scene(root)
    else:
        raise TypeError(f"draw takes a Value or a model; got {shown(root)} ({kind_of(root)})")
    numbers = Numbers(scene, gradients)
    if scene.form == "network" and not any(map(numbers.gradient, range(len(scene.nodes)))):
        coloured_by_weights(scene)
    return drawing_of(scene, numbers, look, name, fewer)
