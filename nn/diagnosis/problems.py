"""What do the statistics of a training step say? The problems that keep a network from learning, and their remedies."""

from collections.abc import Iterator
from dataclasses import dataclass

from nn.diagnosis.layer_statistics import Layers, LayerStatistics
from nn.dropout import Dropout
from nn.module import Module

VANISHING = 0.01
"""Gradients vanish if those of the first layer are below this share of the largest behind it."""

SATURATED = 0.8
"""They vanish too where this share of the outputs of a layer of sigmoid or tanh units is saturated."""

GROWING = 4.0
"""Outputs grow if those of the last layer are more than this many times as large as those of the first."""

EXPLODING = 20.0, 1.5
"""Gradients explode if those of a layer are above so many times its parameters; the second where outputs grow.

Seen in 15 networks of each kind: 1.7 to 10 and outputs that grow, for weights with twice the deviation that suits ReLU
(`nn.experiments.exploding`); up to 6, but with outputs that do not grow, in a regression that learns; below 1 in
classifiers that learn."""

TOO_FAR = 1.0, 0.5
"""A step is too long if it moves a layer's parameters by so many times their size; the second where outputs grow."""

DEAD = 0.5
"""A network has dead units if this share of its ReLU units is dead, or a whole layer; a small new one may have 30 %."""

ENOUGH = 20
"""Fewer examples say nothing about dead units: half of all ReLU units are 0 for any single one."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps a network from learning.

    Attributes:
        name: "exploding gradients", "nothing gets through", "dead units", "steps too large" or "vanishing gradients".
        seen: the numbers that say so.
        remedy: what helps.
    """

    name: str
    seen: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.seen}. Remedy: {self.remedy}."


def problems(
    model: Module,
    layers: Layers,
    examples: int,
    loss: float,
    non_finite: str | None,
    learning_rate: float | None,
) -> Iterator[Problem]:
    """What is wrong, the worst first.

    Arguments:
        model: what took the step.
        layers: the statistics of its layers.
        examples: how many examples made the step.
        loss: their loss.
        non_finite: what made the first number that is inf or nan, in words; None if all are finite.
        learning_rate: of the optimiser that made the step; None if the movement is something else.
    """
    if non_finite is not None:
        remedy = "a lower learning rate; batch normalisation, or smaller initial weights"
        yield Problem("exploding gradients", f"{non_finite}, the first number that is not finite", remedy)
        return
    learning = [layer for layer in layers if layer.gradient is not None]
    if not learning:  # all parameters are in modules with a `__call__` of their own, which nobody watched
        return
    found = [*_dropped(model), *_dead_units(layers, examples)]
    grows = _growth(layers[0], layers[-1])
    found += _exploding(learning, grows) if learning_rate is None else _too_far(learning, grows, learning_rate)
    # A gradient that dead units hold up is no problem of its own.
    yield from found or _vanishing(layers, learning, loss)


def _dropped(model: Module) -> Iterator[Problem]:
    for name, module in model.named_modules():
        if isinstance(module, Dropout) and module.p == 1.0:
            seen = f"dropout with p=1.0 ({name}) drops all activations, so that no weight before it gets a gradient"
            yield Problem("nothing gets through", seen, "a probability below 1.0")
            return


def _dead_units(layers: Layers, examples: int) -> Iterator[Problem]:
    dead, units = sum(len(layer.dead) for layer in layers), sum(layer.units for layer in layers)
    whole = any(layer.units and len(layer.dead) == layer.units for layer in layers)
    if examples >= ENOUGH and (whole or dead > DEAD * units):
        seen = f"{dead} of {units} ReLU units are 0 for all {examples} examples"
        remedy = "a lower learning rate, from new initial weights (others, if the units were dead from the start)"
        yield Problem("dead units", seen, remedy)


def _growth(first: LayerStatistics, last: LayerStatistics) -> str:
    """That the outputs grow from layer to layer, in words; "" if they do not."""
    if not last.output > GROWING * first.output > 0.0:
        return ""
    return f"the outputs grow {last.output / first.output:.2g}-fold from {first.name} to {last.name}, and "


def _exploding(learning: Layers, grows: str) -> Iterator[Problem]:
    worst = max(learning, key=lambda layer: layer.strength)
    if worst.strength > EXPLODING[bool(grows)]:
        seen = f"{grows}the gradient of {worst.name} is {worst.strength:.3g} times as large as its parameters"
        yield Problem("exploding gradients", seen, "batch normalisation, or a lower learning rate")


def _too_far(learning: Layers, grows: str, learning_rate: float) -> Iterator[Problem]:
    """A step that moves parameters by more than their own size has nothing to do with where they were.

    It is the gradient that is too large, unless the optimiser makes long steps of small gradients, as Adam may."""
    worst = max(learning, key=lambda layer: layer.movement if layer.size and layer.movement else 0.0)
    limit = TOO_FAR[bool(grows)]
    if worst.size and worst.movement is not None and worst.movement > limit:
        seen = f"{grows}one step moves the parameters of {worst.name} by {worst.movement:.3g} times their size"
        if worst.strength * learning_rate > limit:
            yield Problem("exploding gradients", seen, "batch normalisation, or a lower learning rate")
        else:
            yield Problem("steps too large", seen, "a lower learning rate")


def _vanishing(layers: Layers, learning: Layers, loss: float) -> Iterator[Problem]:
    gradients = [layer.gradient or 0.0 for layer in learning]
    largest = max(gradients)
    hidden = [layer for layer in layers[:-1] if layer.squashing]  # a last layer that is sure of its answers may be flat
    flat = max(hidden, key=lambda layer: layer.saturated or 0.0, default=None)
    if largest == 0.0 and loss != 0.0:
        seen = "no parameter gets any gradient, though the loss is not 0"
        yield Problem("vanishing gradients", seen, "look for .data, float() and the like, which lose the graph")
    elif flat is not None and flat.saturated is not None and flat.saturated > SATURATED:
        seen = f"{100.0 * flat.saturated:.0f} % of the outputs of {flat.name} are saturated, where the slope is near 0"
        yield Problem("vanishing gradients", seen, "smaller initial weights, or ReLU in place of sigmoid and tanh")
    elif gradients[0] < VANISHING * largest:
        behind = learning[gradients.index(largest)].name
        seen = f"the gradient of {learning[0].name} is {gradients[0] / largest:.2g} times that of {behind}"
        remedy = "ReLU in place of sigmoid and tanh" if flat else "larger initial weights, or batch normalisation"
        yield Problem("vanishing gradients", seen, remedy)
