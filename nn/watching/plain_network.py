"""What do the neurons of a network say of many points? Computed in plain floats, without a graph.

A picture asks for thousands of points, twice a second. As lists of floats, unit by unit, 2,304 points of
MLP(2, [8, 8, 1]) take 10 ms; as Values they take 1.5 seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Value, no_grad
from autograd.ieee754 import DOMAIN_ERRORS
from autograd.operations import operations
from nn.activations import ACTIVATIONS
from nn.watching.networks import Network

Column = list[float]
"""One number for each point."""


@dataclass
class PlainLayer:
    """Neurons side by side, with the model's own parameters: what is computed is always of now.

    Attributes:
        name: what the activation is called.
        weights, biases: for each unit.
        activation: the function of a unit, over a column.
    """

    name: str
    weights: list[list[Value]]
    biases: list[Value]
    activation: Callable[[Column], Column]

    def outputs(self, columns: Sequence[Column]) -> list[Column]:
        """What each unit says of each point, from a column for each input."""
        found = []
        for weights, bias in zip(self.weights, self.biases, strict=True):
            total = [bias.data] * len(columns[0])
            for weight, column in zip(weights, columns, strict=True):
                w = weight.data
                total = [t + w * x for t, x in zip(total, column, strict=True)]
            found.append(self.activation(total))
        return found


class PlainNetwork:
    """A model that is layers of neurons and nothing else, to be asked in evaluation mode.

    >>> from nn import MLP
    >>> from nn.watching.networks import network_of
    >>> model = MLP(2, [3, 1], "tanh", rng=0)
    >>> (hidden, (output,)) = PlainNetwork(network_of(model)).responses([[0.5, 1.0], [0.0, -1.0]])
    >>> len(hidden), output == [model([0.5, 0.0]).data, model([1.0, -1.0]).data]
    (3, True)
    """

    def __init__(self, network: Network) -> None:
        self.inputs, self.scale = network.inputs, network.scale
        self.layers: list[PlainLayer] = []
        parameters, width = iter(network.parameters), network.inputs
        for layer in network.layers:
            name = layer["activation"]
            units = [[next(parameters) for _ in range(width + 1)] for _ in range(layer["width"])]
            function = _over_columns(network.activations.get(name) or ACTIVATIONS[name])
            self.layers.append(PlainLayer(name, [unit[:-1] for unit in units], [unit[-1] for unit in units], function))
            width = layer["width"]

    @property
    def products(self) -> int:
        """How many products one point takes."""
        return sum(len(weights) for layer in self.layers for weights in layer.weights)

    def responses(self, columns: Sequence[Column]) -> list[list[Column]]:
        """For each layer what each of its units says of each point, from a column for each input."""
        if self.scale is not None:
            scale = zip(columns, self.scale["means"], self.scale["deviations"], strict=True)
            columns = [[(x - mean) / deviation for x in column] for column, mean, deviation in scale]
        found: list[list[Column]] = []
        for layer in self.layers:
            found.append(layer.outputs(found[-1] if found else columns))
        return found


def _over_columns(function: Callable[[Any], Any]) -> Callable[[Column], Column]:
    """An activation function, applied to each number of a column."""
    name = next((name for name, known in ACTIVATIONS.items() if known is function), None)
    if name == "linear":
        return list
    operation = operations.get(name or "")
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
