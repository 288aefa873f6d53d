"""What does a model look like that is given no example? Its layers of neurons, one after the other, and its weights."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.drawing.moments import path_of
from autograd.drawing.network import ENDS, MOST_IN_A_LAYER, MOST_LABELS
from autograd.drawing.scene import Arrow, Box, Scene
from autograd.drawing.text import Text, printable
from autograd.value import Value


def coloured_by_weights(scene: Scene) -> None:
    """Colours each line by its weight in place of the gradient, where there is no gradient yet."""
    for arrow in scene.arrows:
        if arrow.leaf >= 0:
            arrow.colour, arrow.lines = f"v{arrow.leaf}", arrow.lines[:1]
            arrow.tooltip = (*arrow.tooltip[:2], "")
    for box in scene.boxes:
        box.lines = [line for line in box.lines if line[0] != "grad "]
    on_lines = any(arrow.lines and arrow.leaf >= 0 for arrow in scene.arrows)
    where = "on each line: its weight" if on_lines else "each line is a weight"
    scene.note = f"{where}; blue: above 0, orange: below; thick: large; no gradients yet"


def model_scene(model: Any) -> Scene:
    """The drawing of a model that is given no example: its layers of neurons, one after the other.

    Raises:
        ValueError: the model has no layers of neurons.
    """
    layers = [(path, module) for path, module in model.named_modules() if hasattr(module, "neurons")]
    if not layers:
        layers = [(path, _Lone(module)) for path, module in model.named_modules() if _is_neuron(module)]
    if not layers:
        what = type(model).__name__
        raise ValueError(f"draw knows models made of layers of neurons; {what} has none: draw(model, x) draws others")
    scene = Scene(form="network")
    names = {parameter: name for name, parameter in model.named_parameters()}
    for parameter in names:
        scene.index_of(parameter)
    tails: list[list[int]] = []
    column = 0
    for path, layer in layers:
        width = len(layer.neurons[0].w)
        if sum(map(len, tails)) != width:
            tails = _input_boxes(scene, width, column)
            column += 1
        heads = _layer_boxes(scene, path, layer.neurons, column, names)
        _weight_arrows(scene, tails, heads, layer.neurons, names)
        tails, column = heads, column + 1
    scene.note = "each line is a weight; blue: gradient above 0, orange: below; thick: large"
    return scene


@dataclass
class _Lone:
    """A neuron that is in no layer, as a layer of one."""

    neuron: Any

    @property
    def neurons(self) -> list[Any]:
        return [self.neuron]


def _is_neuron(module: Any) -> bool:
    weights = getattr(module, "w", None)  # those of a linear map are rows
    return isinstance(weights, list | tuple) and hasattr(module, "b") and not any(isinstance(w, list) for w in weights)


def _shown_places(count: int) -> list[list[int]]:
    """The places that share a box: each has its own, or those in the middle one together.

    >>> _shown_places(3), [len(places) for places in _shown_places(20)]
    ([[0], [1], [2]], [1, 1, 1, 14, 1, 1, 1])
    """
    if count <= MOST_IN_A_LAYER:
        return [[i] for i in range(count)]
    ends = [[i] for i in range(count)]
    return [*ends[:ENDS], list(range(ENDS, count - ENDS)), *ends[-ENDS:]]


def _input_boxes(scene: Scene, width: int, column: int) -> list[list[int]]:
    """The boxes of the inputs; returns, for each box, the box's number once for each input in it."""
    boxes: list[list[int]] = []
    for places in _shown_places(width):
        many = len(places) > 1
        title = f"+{len(places):,} inputs" if many else f"x{places[0]}"
        boxes.append([scene.add(Box("folded" if many else "input", [(title,)], column=column))] * len(places))
    return boxes


def _layer_boxes(
    scene: Scene, path: str, neurons: Sequence[Any], column: int, names: Mapping[Value, str]
) -> list[list[int]]:
    """The boxes of a layer's neurons, as `_input_boxes`."""
    boxes: list[list[int]] = []
    for places in _shown_places(len(neurons)):
        biases = [scene.index_of(neurons[i].b) for i in places]
        if len(places) > 1:
            code = f"q{len(scene.boxes)}"
            lines: list[Text] = [(f"+{len(places):,} neurons",), ("grad ", code, "")]
            box = Box("folded", lines, biases, "", path, column=column)
            kept = [scene.index_of(w) for i in places for w in neurons[i].w]
        else:
            own = ".".join(names[neurons[places[0]].w[0]].split(".")[:-2])
            title = printable(f"neuron {path_of(own)}".strip())
            box = Box("neuron", [(title,), ("b ", f"v{biases[0]}", ""), ("grad ", f"g{biases[0]}", "")], biases)
            box.colour, box.module, box.column = f"g{biases[0]}", path, column
            kept = [scene.index_of(w) for w in neurons[places[0]].w]
        boxes.append([scene.add(box)] * len(places))
        scene.box_of |= dict.fromkeys(kept, boxes[-1][0])
    return boxes


def _weight_arrows(
    scene: Scene, tails: list[list[int]], heads: list[list[int]], neurons: Sequence[Any], names: Mapping[Value, str]
) -> None:
    """A line for each weight between two boxes that are drawn; one for all of those from or to a box for several."""
    tail_of = [box for boxes in tails for box in boxes]
    head_of = [box for boxes in heads for box in boxes]
    between: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for j, neuron in enumerate(neurons):
        for i in range(len(neuron.w)):
            between[tail_of[i], head_of[j]].append((j, i))
    for (tail, head), places in between.items():
        j, i = places[0]
        weight = neurons[j].w[i]
        leaf, name = scene.index_of(weight), f"w_{scene.index_of(weight)}"
        if tail_of.count(tail) == head_of.count(head) == 1:
            lines: list[Text] = [("", f"v{leaf}", ""), ("grad ", f"g{leaf}", "")]
            tooltip: Text = (f"{printable(names[weight])}: data ", f"v{leaf}", ", grad ", f"g{leaf}", "")
            arrow = Arrow(tail, head, name, lines, f"g{leaf}", leaf, tooltip=tooltip)
        else:
            arrow = Arrow(tail, head, name, [(f"×{len(places):,}",)], count=len(places))
        if len(between) > MOST_LABELS:
            arrow.lines = []
        scene.arrows.append(arrow)
