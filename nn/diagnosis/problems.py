"""What do the statistics of a training step say? The problems that keep a network from learning, and their remedies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nn.diagnosis.layer_statistics import Layers, LayerStatistics
from nn.dropout import Dropout
from nn.module import Module

VANISHING = 0.01
"""Gradients vanish if those of the first layer are below this share of the largest behind it."""

SATURATED = 0.8
"""They vanish too where this share of the outputs of a layer of sigmoid or tanh units is saturated."""

LEARNED = 0.05
"""Gradients may well vanish where the loss is below this: as cross-entropy, the right answers have 95 %."""

GROWING = 4.0
"""Outputs grow if those of the last layer are more than this many times as large as those of the first."""

EXPLODING = 20.0, 1.5
"""Gradients explode if those of a layer are above so many times its parameters; the second where outputs grow.

Seen in 15 networks of each kind: 1.7 to 10 and outputs that grow, for weights with twice the deviation that suits ReLU
(`nn.experiments.exploding`); up to 6, but with outputs that do not grow, in a regression that learns; below 1 in
classifiers that learn."""

TOO_FAR = 1.0, 0.5
"""A step is too long if it moves a layer's parameters by so many times their size; the second where outputs grow."""

DRIVEN = 0.05
"""It is such steps that saturated a layer, rather than its first weights: new weights are 0.1 to 1 in size.

Seen in 2 -> 8 -> 8 -> 1 with tanh: 0.1 to 0.9 with Adam at a learning rate of 1 or 3, whose loss bounces; at most 0.04
at 0.1, which learns; 0.01 with the usual rate, whatever the first weights are."""

DEAD = 0.5
"""A network has dead units if this share of its ReLU units is dead, or a whole layer; a small new one may have 30 %."""

ENOUGH = 20
"""Fewer examples say nothing about dead units: half of all ReLU units are 0 for any single one."""


FOUND = {
    "not finite": (
        "exploding gradients",
        "{what}, the first number that is not finite",
        "a lower learning rate, then restart; or batch normalisation, or smaller initial weights",
    ),
    "dropped": (
        "nothing gets through",
        "dropout with p=1.0 ({module}) drops all activations, so that no weight before it gets a gradient",
        "a probability below 1.0",
    ),
    "dead": (
        "dead units",
        "{dead} of {units} ReLU units are 0 for all {examples} examples, {most} of them in {layer}",
        "a lower learning rate, from new initial weights (others, if the units were dead from the start)",
    ),
    "exploding": (
        "exploding gradients",
        "{grows}the gradient of {layer} is {times:.3g} times as large as its parameters",
        "a lower learning rate, then restart; or batch normalisation",
    ),
    "too far": (
        "exploding gradients",
        "{grows}one step moves the parameters of {layer} by {times:.3g} times their size",
        "a lower learning rate, then restart; or batch normalisation",
    ),
    "too long": (
        "steps too large",
        "{grows}one step moves the parameters of {layer} by {times:.3g} times their size",
        "a lower learning rate, then restart",
    ),
    "driven flat": (
        "steps too large",
        "{percent:.0f} % of the outputs of {layer} are saturated, where the slope is near 0, and one step moves the "
        "parameters of {far} by {distance:.2g}",
        "a lower learning rate, then restart",
    ),
    "no gradient": (
        "vanishing gradients",
        "no parameter gets any gradient, though the loss is not 0",
        "look for .data, float() and the like, which lose the graph",
    ),
    "saturated": (
        "vanishing gradients",
        "{percent:.0f} % of the outputs of {layer} are saturated, where the slope is near 0; its parameters have the "
        "size {size:.2g}",
        "if steps made them so large, a lower learning rate, then restart; or else ReLU in place of sigmoid and tanh, "
        "or smaller initial weights",
    ),
    "squashed": (
        "vanishing gradients",
        "the gradient of {layer} is {share:.2g} times that of {behind}",
        "ReLU in place of sigmoid and tanh",
    ),
    "small": (
        "vanishing gradients",
        "the gradient of {layer} is {share:.2g} times that of {behind}",
        "fewer layers, larger initial weights, or batch normalisation",
    ),
}
"""What may be found, by a name of its own: the problem, what is seen of it, and the remedy."""

GROWS = "the outputs grow {times:.2g}-fold from {first} to {last}, and "


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


def _found(which: str, **numbers: Any) -> Problem:
    name, seen, remedy = FOUND[which]
    return Problem(name, seen.format(**numbers), remedy)


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
        yield _found("not finite", what=non_finite)
        return
    learning = [layer for layer in layers if layer.gradient is not None]
    if not learning:  # all parameters are in modules with a `__call__` of their own, which nobody watched
        return
    found = [*_dropped(model), *_dead_units(layers, examples)]
    grows = _growth(layers[0], layers[-1])
    found += _exploding(learning, grows) if learning_rate is None else _too_far(learning, grows, learning_rate)
    # A gradient that dead units hold up is no problem of its own.
    yield from found or _vanishing(layers, learning, loss, learning_rate)


def _dropped(model: Module) -> Iterator[Problem]:
    for name, module in model.named_modules():
        if isinstance(module, Dropout) and module.p == 1.0:
            yield _found("dropped", module=name)
            return


def _dead_units(layers: Layers, examples: int) -> Iterator[Problem]:
    dead, units = sum(len(layer.dead) for layer in layers), sum(layer.units for layer in layers)
    whole = any(layer.units and len(layer.dead) == layer.units for layer in layers)
    if examples >= ENOUGH and (whole or dead > DEAD * units):
        worst = max(layers, key=lambda layer: len(layer.dead))
        yield _found("dead", dead=dead, units=units, examples=examples, most=len(worst.dead), layer=worst.name)


def _growth(first: LayerStatistics, last: LayerStatistics) -> str:
    """That the outputs grow from layer to layer, in words; "" if they do not."""
    if not last.output > GROWING * first.output > 0.0:
        return ""
    return GROWS.format(times=last.output / first.output, first=first.name, last=last.name)


def _exploding(learning: Layers, grows: str) -> Iterator[Problem]:
    worst = max(learning, key=lambda layer: layer.strength)
    if worst.strength > EXPLODING[bool(grows)]:
        yield _found("exploding", grows=grows, layer=worst.name, times=worst.strength)


def _too_far(learning: Layers, grows: str, learning_rate: float) -> Iterator[Problem]:
    """A step that moves parameters by more than their own size has nothing to do with where they were.

    It is the gradient that is too large, unless the optimiser makes long steps of small gradients, as Adam may."""
    worst = max(learning, key=lambda layer: layer.movement if layer.size and layer.movement else 0.0)
    limit = TOO_FAR[bool(grows)]
    if worst.size and worst.movement is not None and worst.movement > limit:
        which = "too far" if worst.strength * learning_rate > limit else "too long"
        yield _found(which, grows=grows, layer=worst.name, times=worst.movement)


def _distance(layer: LayerStatistics) -> float:
    """How far the layer's parameters moved, whatever their size."""
    return layer.size * layer.movement if layer.size and layer.movement else 0.0


def _vanishing(layers: Layers, learning: Layers, loss: float, learning_rate: float | None) -> Iterator[Problem]:
    gradients = [layer.gradient or 0.0 for layer in learning]
    largest = max(gradients)
    hidden = [layer for layer in layers[:-1] if layer.squashing]  # a last layer that is sure of its answers may be flat
    flat = max(hidden, key=lambda layer: layer.saturated or 0.0, default=None)
    if largest == 0.0 and loss != 0.0:
        yield _found("no gradient")
    elif abs(loss) < LEARNED:
        return
    elif flat is not None and flat.saturated is not None and flat.saturated > SATURATED:
        far = max(learning, key=_distance)
        which = "driven flat" if learning_rate is not None and _distance(far) > DRIVEN else "saturated"
        seen = {"percent": 100.0 * flat.saturated, "layer": flat.name, "size": flat.size}
        yield _found(which, far=far.name, distance=_distance(far), **seen)
    elif gradients[0] < VANISHING * largest:
        behind = learning[gradients.index(largest)].name
        share = gradients[0] / largest
        yield _found("squashed" if flat else "small", layer=learning[0].name, share=share, behind=behind)
