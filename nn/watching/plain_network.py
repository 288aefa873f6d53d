"""What do the neurons of a network say of many points? Computed in plain floats, without a graph.

A picture asks for thousands of points, twice a second. As lists of floats, unit by unit, 2,304 points of
MLP(2, [8, 8, 1]) take 10 ms; as Values they take 1.5 seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Value, no_grad
from autograd.ieee754 import DOMAIN_ERRORS
from autograd.operations import operations

from nn.activations import ACTIVATIONS, Elementwise, Identity, LogSoftmax, Softmax
from nn.dropout import Dropout
from nn.linear import Linear
from nn.module import Module
from nn.neuron import Layer, Neuron, Sequential
from nn.own import is_own
from nn.standardize import Standardize

Column = list[float]
"""One number for each point."""


@dataclass
class PlainLayer:
    """Neurons side by side.

    Attributes:
        weights, biases: the parameters, for each unit; a bias may be missing.
        activation: the function of each unit, over a column.
        name: what the activation is called.
    """

    weights: list[list[Value]]
    biases: list[Value | None]
    activation: Callable[[Column], Column]
    name: str

    def outputs(self, columns: Sequence[Column]) -> list[Column]:
        """What each unit says of each point, from a column for each input."""
        found = []
        for weights, bias in zip(self.weights, self.biases, strict=True):
            total = [0.0 if bias is None else bias.data] * len(columns[0])
            for weight, column in zip(weights, columns, strict=True):
                w = weight.data
                total = [t + w * x for t, x in zip(total, column, strict=True)]
            found.append(self.activation(total))
        return found


@dataclass
class PlainNetwork:
    """A model that is layers of neurons, one after the other, and nothing else that a picture could not show.

    Attributes:
        layers: with the model's own parameters, so that what is computed is always of now.
        scale: brings the inputs to one scale, if there is such a module in front.
        tail: what comes after the last layer, such as a softmax; it is computed, and has no picture.
    """

    layers: list[PlainLayer]
    scale: Standardize | None
    tail: list[Module]

    @property
    def inputs(self) -> int:
        """How many numbers an example has."""
        return len(self.layers[0].weights[0])

    @property
    def products(self) -> int:
        """How many products one point takes."""
        return sum(len(weights) for layer in self.layers for weights in layer.weights)

    def responses(self, columns: Sequence[Column]) -> list[list[Column]]:
        """For each layer what each of its units says of each point, from a column for each input."""
        if self.scale is not None:
            scale = zip(columns, self.scale.means, self.scale.deviations, strict=True)
            columns = [[(x - mean) / deviation for x in column] for column, mean, deviation in scale]
        found: list[list[Column]] = []
        for layer in self.layers:
            found.append(layer.outputs(found[-1] if found else columns))
        return found

    def outputs(self, last: Sequence[Column]) -> list[Column]:
        """The model's outputs, from what the units of the last layer say."""
        if not self.tail:
            return list(last)
        rows: list[Any] = [list(row) for row in zip(*last, strict=True)]
        with no_grad():
            for module in self.tail:
                rows = [module.forward(row) for row in rows]
        return [[float(x) for x in column] for column in zip(*rows, strict=True)]


def plain_network(model: Module) -> PlainNetwork | str:
    """The model as layers of neurons; or why it has no such picture, as a sentence.

    >>> from nn import MLP, BatchNorm
    >>> [len(layer.weights) for layer in plain_network(MLP(2, [8, 8, 1])).layers]
    [8, 8, 1]
    >>> plain_network(Sequential(Layer(2, 3), BatchNorm(3), Layer(3, 1)))
    'BatchNorm is not layers of neurons, so the network itself is not drawn.'
    """
    layers: list[PlainLayer] = []
    scale: Standardize | None = None
    tail: list[Module] = []
    for module in _chain(model):
        kind = type(module).__name__
        if not is_own(module):
            return f"{kind} is a module of your own, so the network itself is not drawn."
        if isinstance(module, Dropout | Identity):
            continue
        if isinstance(module, Standardize) and not layers and scale is None:
            scale = module
        elif isinstance(module, Layer | Neuron | Linear) and not tail:
            layers.append(_layer(module))
        elif isinstance(module, Elementwise) and not isinstance(module, Softmax | LogSoftmax) and layers and not tail:
            if layers[-1].name != "linear":
                return f"{kind} stands behind another activation, so the network itself is not drawn."
            layers[-1].activation, layers[-1].name = _over_columns(module.activate), kind.lower()
        elif isinstance(module, Softmax | LogSoftmax | Standardize) and layers:
            tail.append(module)
        else:
            return f"{kind} is not layers of neurons, so the network itself is not drawn."
    if not layers:
        return "The model has no layers of neurons, so the network itself is not drawn."
    return PlainNetwork(layers, scale, tail)


def _chain(model: Module) -> Iterator[Module]:
    """The modules in the order in which they are applied."""
    if isinstance(model, Sequential) and is_own(model):
        for module in model.chain():
            yield from _chain(module)
    else:
        yield model


def _layer(module: Layer | Neuron | Linear) -> PlainLayer:
    if isinstance(module, Linear):
        return PlainLayer(module.w, list(module.b or [None] * len(module.w)), _unchanged, "linear")
    neurons = module.neurons if isinstance(module, Layer) else [module]
    activation = neurons[0].activation
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", "own function")
    function = _unchanged if name == "linear" else _over_columns(neurons[0]._activate)
    return PlainLayer([neuron.w for neuron in neurons], [neuron.b for neuron in neurons], function, name)


def _unchanged(column: Column) -> Column:
    return column


def _over_columns(function: Callable[[Any], Any]) -> Callable[[Column], Column]:
    """An activation function, applied to each number of a column."""
    operation = next((x for name, x in operations.items() if ACTIVATIONS.get(name) is function), None)  # type: ignore[call-overload]
    if operation is None or len(operation.derivatives) != 1:
        return lambda column: [_float(function, x) for x in column]
    value = operation.value  # 0.06 us a call for tanh, where the function of `autograd` takes 0.9

    def applied(column: Column) -> Column:
        try:
            return list(map(value, column))
        except DOMAIN_ERRORS:
            return [operation.evaluate([x]) for x in column]

    return applied


def _float(function: Callable[[Any], Any], x: float) -> float:
    """A function of one's own, which may insist on a Value, and may give one."""
    with no_grad():
        try:
            y = function(x)
        except (AttributeError, TypeError):
            y = function(Value(x))
    return y.data if isinstance(y, Value) else float(y)
