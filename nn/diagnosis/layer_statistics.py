"""What did one layer do in a training step? The size of its gradient, how far it moved, and what came out of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, hypot, inf, isfinite, nan, sqrt

from autograd import Value
from autograd.operations import operations
from autograd.value import data_of
from nn.diagnosis.watched_step import WatchedLayer, WatchedStep
from nn.neuron import Layer
from nn.summary import title_of

ACTIVATIONS = {name: op.rule.activation for name, op in operations.items() if op.rule.activation is not None}
"""What the table says of the operations that are activation functions."""

FLAT = 0.01
"""An output is saturated where the slope is below this share of the steepest."""


@dataclass(frozen=True)
class LayerStatistics:
    """What one layer did in a training step.

    Attributes:
        name: where it is in the model, such as "layers.0".
        kind: what it is, such as "Layer(64 -> 48, relu)".
        size: the root mean square of its parameters; 0.0 if it has none.
        gradient: the root mean square of the loss's gradient by its parameters; None if it has none.
        ratio: `gradient` divided by that of the next layer with parameters; None in the last.
        movement: how far its parameters moved: the root mean square of their changes, divided by `size`.
        mean: of all its outputs, over the units and the examples.
        std: how far they spread about the mean.
        saturated: the share of outputs at which the activation function is flat (below 1 % of its steepest slope; a
            ReLU at 0 is flat); None where the outputs are not those of an activation function.
        squashing: whether its activation function is the sigmoid or tanh, which are flat on both sides.
        units: how many ReLU units it has.
        dead: the names of those that are 0 for every example.
    """

    name: str
    kind: str
    size: float
    gradient: float | None
    ratio: float | None
    movement: float | None
    mean: float
    std: float
    saturated: float | None
    squashing: bool
    units: int
    dead: tuple[str, ...]

    @property
    def dead_share(self) -> float:
        """The share of its ReLU units that is dead."""
        return len(self.dead) / self.units if self.units else 0.0

    @property
    def output(self) -> float:
        """The root mean square of its outputs."""
        return hypot(self.mean, self.std)

    @property
    def strength(self) -> float:
        """How many times its gradient is as large as its parameters; 0.0 if these are all zero."""
        return self.gradient / self.size if self.gradient and self.size else 0.0


Layers = Sequence[LayerStatistics]


def statistics_of_layers(step: WatchedStep, moved: Mapping[str, float]) -> Iterator[LayerStatistics]:
    """The statistics of each layer that was used.

    Arguments:
        step: the training step.
        moved: how far each parameter moved, by name.
    """
    used = [layer for layer in step.layers if layer.outputs or any(p.grad for p in layer.parameters.values())]
    gradients = [rms(data_of(p.grad) for p in _in_use(layer)) for layer in used]
    for i, layer in enumerate(used):
        behind = next((gradients[k] for k in range(i + 1, len(used)) if used[k].parameters), None)
        outputs = [output for row in layer.outputs for output in row]
        activations = [x for x in outputs if isinstance(x, Value) and x.operation in ACTIVATIONS]
        size = rms(step.before[name] for name in layer.parameters)
        mean, std = _mean_and_std([x.data if isinstance(x, Value) else float(x) for x in outputs])
        units = _relu_units(layer)
        yield LayerStatistics(
            name=layer.name,
            kind=title_of(layer.module),
            size=size,
            gradient=gradients[i] if layer.parameters else None,
            ratio=None if behind is None or not layer.parameters else _quotient(gradients[i], behind),
            movement=_quotient(rms(moved[name] for name in layer.parameters), size) if layer.parameters else None,
            mean=mean,
            std=std,
            saturated=sum(map(_is_flat, activations)) / len(activations) if activations and mean == mean else None,
            squashing=any(ACTIVATIONS[x.operation].squashing for x in activations),
            units=len(units),
            dead=tuple(name for name, numbers in units.items() if not any(numbers)),
        )


def _in_use(layer: WatchedLayer) -> list[Value]:
    """The parameters that the examples used: of an embedding only the vectors that were looked up, its outputs."""
    given = {x for row in layer.outputs for x in row if isinstance(x, Value)}
    return [p for p in layer.parameters.values() if p in given] or list(layer.parameters.values())


def rms(numbers: Iterable[float]) -> float:
    """The root mean square, of numbers of any size; 0.0 for none.

    >>> rms([3e200, 4e200]) / 1e200
    3.53553390593...
    """
    found = list(numbers)
    return hypot(*found) / sqrt(len(found)) if found else 0.0


def _quotient(a: float, b: float) -> float:
    return a / b if b else (inf if a > 0.0 else nan)


def _mean_and_std(numbers: list[float]) -> tuple[float, float]:
    if not numbers or not all(map(isfinite, numbers)):
        return nan, nan
    mean = fsum(x / len(numbers) for x in numbers)
    return mean, rms(x - mean for x in numbers)


def _is_flat(activation: Value) -> bool:
    return abs(activation.local_derivatives[0]) < FLAT * ACTIVATIONS[activation.operation].steepest


def _relu_units(layer: WatchedLayer) -> dict[str, list[float]]:
    """The outputs of each ReLU unit, by its name in the model."""
    units: dict[str, list[float]] = {}
    for k, outputs in enumerate(zip(*layer.outputs, strict=False)):
        if all(isinstance(output, Value) and output.operation == "relu" for output in outputs):
            place = f".neurons.{k}" if isinstance(layer.module, Layer) else f".{k}"
            units[layer.name + place] = [output.data for output in outputs]
    return units
