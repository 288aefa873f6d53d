"""What does a network look like, as people draw it? Layers of neurons, weights as lines between them."""

from collections.abc import Sequence
from typing import Any

import graphviz

from autograd.drawing.engine import Drawing
from autograd.drawing.text import literal, number, printable
from autograd.drawing.theme import Theme, theme_named

MOST_NEURONS = 12
"""How many neurons of a layer are drawn; of a wider one the first and the last, and the drawing says how many more."""


def draw_network(
    model: Any, *, direction: str = "LR", format: str = "svg", precision: int = 4, theme: str = "light"
) -> Drawing:
    """The drawing of a model; see `draw`."""
    colours = theme_named(theme)
    layers = [module for _, module in model.named_modules() if hasattr(module, "neurons")]
    if not layers:
        raise ValueError(f"draw knows models made of layers of neurons; {type(model).__name__} has none")
    drawing = Drawing(format=format)
    drawing.attr("graph", rankdir=direction, bgcolor=colours.background, pad="0.2", nodesep="0.15", ranksep="1.4")
    drawing.attr(
        "graph", splines="line", fontname="sans-serif", fontsize="11", fontcolor=colours.text, color="transparent"
    )
    drawing.attr("node", shape="circle", style="filled", fontname="sans-serif", fontsize="9", width="0.45")
    drawing.attr("node", fixedsize="true", fontcolor=colours.text, color=colours.neutral, fillcolor=colours.leaf)
    drawing.attr("edge", arrowhead="none")
    inputs = len(layers[0].neurons[0].w)
    names = _column(drawing, 0, f"{inputs} inputs", [f"x{i}" for i in range(inputs)], inputs, colours)
    for depth, layer in enumerate(layers, 1):
        biases = [f"b {number(neuron.b.data, precision)}" for neuron in layer.neurons]
        title = layer.title() if hasattr(layer, "title") else type(layer).__name__
        column = _column(drawing, depth, title, biases, len(biases), colours)
        _weights(drawing, names, column, layer.neurons, colours, precision)
        names = column
    return drawing


def _shown(count: int) -> list[int | None]:
    """The places that are drawn; None stands for all that are left out."""
    if count <= MOST_NEURONS:
        return list(range(count))
    half = MOST_NEURONS // 2
    return [*range(half), None, *range(count - half, count)]


def _column(
    drawing: Drawing, depth: int, title: str, texts: Sequence[str], count: int, colours: Theme
) -> dict[int, str]:
    """One layer's neurons, in a frame with its title; returns the names of those that are drawn, by place."""
    frame = graphviz.Digraph(name=f"cluster_{depth}")
    frame.attr(label=literal(printable(title)))
    frame.attr(rank="same")
    names: dict[int, str] = {}
    above = ""
    for place in _shown(count):
        if place is None:
            more = f"+{count - MOST_NEURONS} more"
            name = f"more_{depth}"
            frame.node(name, label=more, shape="plaintext", style="", fontcolor=colours.faint, width="0.8")
        else:
            name = names[place] = f"u{depth}_{place}"
            tooltip = literal(f"{title}, {place}: {texts[place]}")
            frame.node(name, label=f"x{place}" if depth == 0 else "", tooltip=tooltip)
        if above:
            frame.edge(above, name, style="invis")  # keeps them in order
        above = name
    drawing.subgraph(frame)
    return names


def _weights(
    drawing: Drawing, tails: dict[int, str], heads: dict[int, str], neurons: Any, colours: Theme, precision: int
) -> None:
    """A line for each weight between two neurons that are drawn: thick for a large one, coloured by its sign."""
    shown = [(i, j, neurons[j].w[i].data) for j in heads for i in tails if i < len(neurons[j].w)]
    largest = max((abs(w) for _, _, w in shown), default=0.0) or 1.0
    for i, j, weight in shown:
        strength = abs(weight) / largest
        width = 0.3 + 3.2 * strength if strength == strength and strength <= 1.0 else 4.0
        colour = colours.alarm if not strength <= 1.0 else colours.positive if weight >= 0.0 else colours.negative
        tooltip = f"weight {number(weight, precision)}"
        drawing.edge(tails[i], heads[j], color=colour, penwidth=f"{width:.2f}", tooltip=tooltip)
