"""What do the figures of a training step say? The problems that keep a network from learning, and their remedies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nn.dropout import Dropout
from nn.layer_figures import LayerFigures
from nn.module import Module

VANISHING = 0.01
"""Gradients vanish if those of the first layer are below this share of the largest behind it."""

EXPLODING = 10.0
"""Gradients explode if those of a layer are above so many times its parameters: 0.1 as learning rate replaces these."""

DEAD = 0.4
"""A network has dead units if this share of its ReLU units is dead, or a whole layer; a small new one may have 20 %."""

ENOUGH = 20
"""Fewer examples say nothing of dead units: half of all ReLU units are 0 for any single one."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps a network from learning.

    Attributes:
        name: "exploding gradients", "nothing gets through", "dead units", "steps too large" or "vanishing gradients".
        seen: the figures that say so.
        remedy: what helps.
    """

    name: str
    seen: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.seen}. Remedy: {self.remedy}."


def problems(
    model: Module, layers: Sequence[LayerFigures], examples: int, non_finite: str | None, one_step: bool
) -> Iterator[Problem]:
    """What is wrong, the worst first.

    Arguments:
        model: what took the step.
        layers: the figures of its layers.
        examples: how many examples made the step.
        non_finite: what made the first number that is inf or nan, in words; None if all are finite.
        one_step: whether the movement is that of one step of an optimiser.
    """
    if non_finite is not None:
        remedy = "a lower learning rate; batch normalisation, or smaller initial weights"
        yield Problem("exploding gradients", f"{non_finite}, the first number that is not finite", remedy)
        return
    learning = [layer for layer in layers if layer.gradient is not None]
    yield from _dropped(model)
    yield from _dead_units(layers, examples)
    yield from _too_far(learning) if one_step else _exploding(learning)
    yield from _vanishing(learning)


def _dropped(model: Module) -> Iterator[Problem]:
    for name, module in model.named_modules():
        if isinstance(module, Dropout) and module.p == 1.0:
            seen = f"dropout with p=1.0 ({name}) drops all activations, so that no weight before it gets a gradient"
            yield Problem("nothing gets through", seen, "a probability below 1.0")
            return


def _dead_units(layers: Sequence[LayerFigures], examples: int) -> Iterator[Problem]:
    dead, units = sum(len(layer.dead) for layer in layers), sum(layer.units for layer in layers)
    whole = any(layer.units and len(layer.dead) == layer.units for layer in layers)
    if examples >= ENOUGH and (whole or dead > DEAD * units):
        seen = f"{dead} of {units} ReLU units are 0 for all {examples} examples"
        remedy = "a lower learning rate, from new initial weights, since these units stay dead"
        yield Problem("dead units", seen, remedy)


def _exploding(learning: Sequence[LayerFigures]) -> Iterator[Problem]:
    worst = max(learning, key=lambda layer: layer.strength)
    if worst.strength > EXPLODING:
        seen = f"the gradient of {worst.name} is {worst.strength:.3g} times as large as its parameters"
        yield Problem("exploding gradients", seen, "batch normalisation, or a lower learning rate")


def _too_far(learning: Sequence[LayerFigures]) -> Iterator[Problem]:
    """A step that moves parameters by more than their own size has nothing to do with where they were."""
    worst = max(learning, key=lambda layer: layer.movement if layer.size and layer.movement else 0.0)
    if worst.size and worst.movement is not None and worst.movement > 1.0:
        seen = f"one step moves the parameters of {worst.name} by {worst.movement:.3g} times their size"
        if worst.strength > EXPLODING:
            yield Problem("exploding gradients", seen, "batch normalisation, or a lower learning rate")
        else:
            yield Problem("steps too large", seen, "a lower learning rate")


def _vanishing(learning: Sequence[LayerFigures]) -> Iterator[Problem]:
    gradients = [layer.gradient or 0.0 for layer in learning]
    largest = max(gradients)
    if gradients[0] < VANISHING * largest:
        behind = learning[gradients.index(largest)].name
        seen = f"the gradient of {learning[0].name} is {gradients[0] / largest:.2g} times that of {behind}"
        squashing = any(layer.squashing for layer in learning)
        remedy = "ReLU in place of sigmoid and tanh" if squashing else "larger initial weights, or batch normalisation"
        yield Problem("vanishing gradients", seen, remedy)
