"""What does a network look like, as people draw it? Layers of neurons, weights as lines between them."""

from collections.abc import Sequence
from typing import Any

from autograd.drawing.picture import Drawing
from autograd.drawing.text import check_look, literal, number, printable
from autograd.drawing.theme import Theme, theme_named

MOST_NEURONS = 12
"""How many neurons of a layer are drawn: of a wider one, the first and the last, with the number of the others."""
LAYER_GAP, NEURON_GAP = 2.2, 0.6  # inches
DIRECTIONS = {"LR": (1, 0), "RL": (-1, 0), "TB": (0, -1), "BT": (0, 1)}


def draw_network(
    model: Any, *, direction: str = "LR", format: str = "svg", precision: int = 4, theme: str = "light"
) -> Drawing:
    """The drawing of a model; see `draw`."""
    colours = theme_named(theme)
    check_look(direction, format, precision)
    layers = [module for _, module in model.named_modules() if hasattr(module, "neurons")]
    if not layers:
        raise ValueError(f"draw knows models made of layers of neurons; {type(model).__name__} has none")
    # neato takes the places as they are given, so that layers and neurons keep their order.
    drawing = Drawing(format=format, engine="neato")
    drawing.attr(
        "graph", bgcolor=colours.background, pad="0.3", splines="line", overlap="true", outputorder="edgesfirst"
    )
    drawing.attr("node", shape="circle", style="filled", fontname="sans-serif", fontsize="9", width="0.42")
    drawing.attr("node", fixedsize="true", fontcolor=colours.text, color=colours.neutral, fillcolor=colours.leaf)
    drawing.attr("edge", arrowhead="none")
    inputs = len(layers[0].neurons[0].w)
    names = _column(drawing, 0, f"{inputs} inputs", [f"x{i}" for i in range(inputs)], direction, colours)
    for depth, layer in enumerate(layers, 1):
        biases = [f"b {number(neuron.b.data, precision)}" for neuron in layer.neurons]
        title = layer.title() if hasattr(layer, "title") else type(layer).__name__
        column = _column(drawing, depth, title, biases, direction, colours)
        _weights(drawing, names, column, layer.neurons, colours, precision)
        names = column
    return drawing


def _shown(count: int) -> list[int | None]:
    """The places that are drawn; None stands for all that are left out.

    >>> _shown(3)
    [0, 1, 2]
    """
    if count <= MOST_NEURONS:
        return list(range(count))
    half = MOST_NEURONS // 2
    return [*range(half), None, *range(count - half, count)]


def _position(depth: int, across: float, direction: str) -> str:
    """Where a neuron stands, in inches, fixed: `depth` layers along, `across` neurons from the middle."""
    x, y = DIRECTIONS[direction]
    along, aside = depth * LAYER_GAP, across * NEURON_GAP
    return f"{along * x - aside * y:.3f},{along * y - aside * abs(x):.3f}!"


def _column(
    drawing: Drawing, depth: int, title: str, texts: Sequence[str], direction: str, colours: Theme
) -> dict[int, str]:
    """One layer's neurons under its title; returns the names of those that are drawn, by place."""
    names: dict[int, str] = {}
    places = _shown(len(texts))
    first = -(len(places) - 1) / 2
    plain = {"shape": "plaintext", "style": "", "fixedsize": "false"}
    for i, place in enumerate(places):
        position = _position(depth, first + i, direction)
        if place is None:
            more = f"+{len(texts) - MOST_NEURONS} more"
            drawing.node(f"more_{depth}", label=more, pos=position, **plain | {"fontcolor": colours.faint})
        else:
            names[place] = f"u{depth}_{place}"
            tooltip = literal(printable(f"{title}, {place}: {texts[place]}", most=300))
            drawing.node(names[place], label=f"x{place}" if depth == 0 else "", tooltip=tooltip, pos=position)
    above = _position(depth, first - (1.0 if DIRECTIONS[direction][0] else 2.5), direction)
    drawing.node(f"title_{depth}", label=literal(printable(title)), pos=above, fontsize="11", **plain)
    return names


def _weights(
    drawing: Drawing, tails: dict[int, str], heads: dict[int, str], neurons: Any, colours: Theme, precision: int
) -> None:
    """A line for each weight between two neurons that are drawn: thick for a large one, coloured by its sign."""
    shown = [(i, j, neurons[j].w[i].data) for j in heads for i in tails if i < len(neurons[j].w)]
    largest = max((abs(w) for _, _, w in shown), default=0.0) or 1.0
    for i, j, weight in shown:
        strength = abs(weight) / largest
        width = 0.3 + 3.2 * strength if strength <= 1.0 else 4.0
        colour = colours.alarm if not strength <= 1.0 else colours.positive if weight >= 0.0 else colours.negative
        tooltip = f"weight {number(weight, precision)}"
        drawing.edge(tails[i], heads[j], color=colour, penwidth=f"{width:.2f}", tooltip=tooltip)
