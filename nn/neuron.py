"""What is a neural network made of? Neurons in layers, and layers one after the other.

A neuron computes `activation(w[0] * x[0] + w[1] * x[1] + ... + b)`. The shapes and names are those that everyone
knows from micrograd: `Neuron.w`, `Neuron.b`, `Layer.neurons`, `MLP.layers`.
"""

import random
from itertools import pairwise
from typing import Any

from autograd import Value, dot
from autograd.reals import as_count
from nn.activations import Activation, activation_function
from nn.arrays.views import ArrayView
from nn.dropout import Dropout
from nn.init import Initialiser, initialiser
from nn.module import Module, Row, as_row
from nn.own import own
from nn.randomness import RandomSource, Seed, random_source


@own
class Neuron(Module):
    """One neuron: a weighted sum of its inputs plus a bias, through an activation function.

    Arguments:
        nin: the number of inputs.
        nonlin: False for a linear neuron, whatever the activation.
        activation: a name ("relu", "tanh", ...) or a function of a Value.
        init: the weights' initialiser, by name or as a function; None chooses by activation.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`.
        expanded: compute with separate products and sums in place of one `dot` node.
        fan_out: how many neurons share the inputs, for initialisers that ask.

    Attributes:
        w, b: the weights, a list of Values, and the bias, a Value.
        weight, bias: their numbers as arrays, as in a `Layer` of one neuron.

    >>> import random
    >>> neuron = Neuron(2, rng=random.Random(0), init="micrograd")
    >>> neuron([1.0, -1.0])
    Value(data=0.1729..., grad=0.0)
    """

    weight = ArrayView(lambda neuron: [neuron.w], instead="neuron.w")
    bias = ArrayView(lambda neuron: [neuron.b], instead="neuron.b")

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | Initialiser | None = None,
        rng: Seed = None,
        expanded: bool = False,
        fan_out: int = 1,
    ) -> None:
        nin, rng = as_count(nin, "nin"), random_source(rng)
        activation_function(activation)  # refuses an unknown name, even where a linear neuron has no use for it
        self.activation: Activation = activation if nonlin else "linear"
        self._activate = activation_function(self.activation)
        draw = initialiser(init, self.activation)
        self.w = [Value(draw(nin, fan_out, rng)) for _ in range(nin)]
        self.b = Value(0.0)
        self.expanded = expanded

    def pre_activation(self, row: Row) -> Any:
        """The weighted sum plus the bias, before the activation function."""
        if self.expanded:
            if len(row) != len(self.w):
                raise ValueError(f"{self!r} takes {len(self.w)} inputs; got an example of {len(row)}")
            return sum((w * x for w, x in zip(self.w, row, strict=True)), self.b)
        return dot(self.w, row, self.b)

    def input_width(self, following: int | None = None) -> int | None:
        """As many as there are weights."""
        return len(self.w)

    def forward(self, row: Row) -> Row:
        """The neuron's one output for one example, in a list."""
        return [self._activate(self.pre_activation(row))]

    def config(self) -> dict[str, Any]:
        """The arguments that build this architecture again, for `nn.save`."""
        return {"nin": len(self.w), "activation": _name(self.activation), "expanded": self.expanded}

    def __repr__(self) -> str:
        kind = {"relu": "ReLU", "linear": "Linear"}.get(str(self.activation), _shown(self.activation))
        return f"{kind}Neuron({len(self.w)})"


MOST = 16
"""So many neurons of a layer are shown one by one, as micrograd does."""


@own
class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Arguments:
        nin: the number of inputs.
        nout: the number of neurons, and of outputs.
        nonlin, activation, init, rng, expanded: for each `Neuron`.

    Attributes:
        weight, bias: all weights, of shape (outputs, inputs), and all biases, as arrays of NumPy's to read and to set;
            see `nn.arrays.parameter_array.ParameterArray`. No gradient flows through them, so a penalty on the weights
            is written with `parameters()`.

    Raises:
        ValueError: an example does not have `nin` numbers (when called).

    >>> layer = Layer(3, 2)
    >>> len(layer.parameters())
    8
    >>> layer.weight[0] = [1.0, 2.0, 3.0]
    >>> layer.weight *= 10
    >>> [w.data for w in layer.neurons[0].w]
    [10.0, 20.0, 30.0]
    """

    weight = ArrayView(lambda layer: [neuron.w for neuron in layer.neurons], instead="layer.neurons[i].w")
    bias = ArrayView(lambda layer: [neuron.b for neuron in layer.neurons], instead="layer.neurons[i].b")

    def __init__(
        self,
        nin: int,
        nout: int,
        *,
        nonlin: bool = True,
        activation: Activation = "relu",
        init: str | Initialiser | None = None,
        rng: Seed = None,
        expanded: bool = False,
    ) -> None:
        nin, nout = as_count(nin, "nin"), as_count(nout, "nout")
        rng = random_source(rng)  # one for all: a seed would give each the same weights
        self.nin = nin
        self.neurons = [
            Neuron(nin, nonlin, activation=activation, init=init, rng=rng, expanded=expanded, fan_out=nout)
            for _ in range(nout)
        ]

    def forward(self, row: Row) -> Row:
        """Each neuron's output for one example."""
        if len(row) != self.nin:
            raise ValueError(f"{self.title()} takes {self.nin} inputs; got an example of {len(row)}")
        return [neuron.forward(row)[0] for neuron in self.neurons]

    def input_width(self, following: int | None = None) -> int | None:
        """As many as each neuron takes."""
        return self.nin

    def title(self) -> str:
        """What the layer is, on one line."""
        return f"Layer({self.nin} -> {len(self.neurons)}, {_shown(self.neurons[0].activation)})"

    def config(self) -> dict[str, Any]:
        """The arguments that build this architecture again, for `nn.save`."""
        return {"nout": len(self.neurons), **self.neurons[0].config()}

    def __repr__(self) -> str:
        shown = list(map(repr, self.neurons if len(self.neurons) <= MOST else self.neurons[:2]))
        shown += [] if len(self.neurons) <= MOST else [f"... {len(self.neurons)} neurons"]
        return f"Layer of [{', '.join(shown)}]"


@own
class Sequential(Module):
    """Modules one after the other.

    Attributes:
        layers: the modules.

    >>> from nn.activations import Tanh
    >>> model = Sequential(Layer(2, 3, activation="linear"), Tanh(), Layer(3, 1, nonlin=False))
    >>> len(model.parameters())
    13
    """

    layers: list[Any]  # to a type checker each may have what its kind has, such as `layers[0].weight`

    def __init__(self, *modules: Module) -> None:
        for module in modules:
            if not isinstance(module, Module):
                raise TypeError(f"Sequential takes modules such as Layer and Tanh(); got {module!r}")
        self.layers = list(modules)

    def chain(self) -> list[Module]:
        """The modules in the order in which they are applied."""
        return self.layers

    def input_width(self, following: int | None = None) -> int | None:
        """What the first module takes, seen from the end of the chain."""
        for module in reversed(self.chain()):
            following = module.input_width(following)
        return following

    def forward(self, row: Row) -> Row:
        """What comes out at the end of the chain for one example."""
        for module in self.chain():
            row = as_row(module.forward(row))
        return row

    def forward_batch(self, rows: list[Row]) -> list[Row]:
        """What comes out at the end of the chain for each example of a batch."""
        for module in self.chain():
            rows = [as_row(row) for row in module.forward_batch(rows)]
        return rows

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


@own
class MLP(Sequential):
    """A multi-layer perceptron: fully connected layers, the last one linear.

    Arguments:
        nin: the number of inputs.
        nouts: the widths of the layers; the last is the number of outputs. One output is given bare.
        activation: of the hidden layers, by name or as a function.
        dropout: the probability with which each hidden activation is dropped in training, from 0.0 to 1.0.
        init: the weights' initialiser, by name or as a function; None chooses by activation.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`.
        expanded: neurons compute with separate products and sums in place of one `dot` node.

    Attributes:
        layers: each a `Layer`.

    >>> model = MLP(2, [16, 16, 1])
    >>> len(model.parameters())
    337
    """

    layers: list[Layer]

    def __init__(
        self,
        nin: int,
        nouts: list[int],
        activation: Activation = "relu",
        dropout: float = 0.0,
        init: str | Initialiser | None = None,
        rng: Seed = None,
        expanded: bool = False,
    ) -> None:
        if not hasattr(nouts, "__iter__"):
            raise TypeError(f"MLP takes the widths of its layers as a list, such as MLP(2, [16, 1]); got {nouts!r}")
        widths = [as_count(nin, "nin"), *(as_count(n, "each width in nouts") for n in nouts)]
        if len(widths) < 2:
            raise ValueError("MLP needs at least one layer, such as MLP(2, [1]); got nouts=[]")
        rng = random_source(rng)
        dropout = Dropout(dropout).p  # refuses what is no probability, even where there is no hidden layer
        last = len(widths) - 2
        self.layers = [
            Layer(nin, nout, nonlin=i < last, activation=activation, init=init, rng=rng, expanded=expanded)
            for i, (nin, nout) in enumerate(pairwise(widths))
        ]
        self.dropouts = [Dropout(dropout, _own_generator(rng)) for _ in range(last)] if dropout else []
        self._config = {"nin": widths[0], "nouts": widths[1:], "activation": activation, "dropout": dropout}
        self._config["expanded"] = expanded

    def chain(self) -> list[Module]:
        """The layers in the order in which they are applied, dropout after each hidden one."""
        if not self.dropouts:
            return list(self.layers)
        return [module for i, layer in enumerate(self.layers) for module in (layer, *self.dropouts[i : i + 1])]

    def config(self) -> dict[str, Any]:
        """The arguments that build this architecture again, for `nn.save`."""
        return {**self._config, "activation": _name(self._config["activation"])}

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(repr, self.layers))}]"


def _own_generator(rng: RandomSource) -> RandomSource:
    """A generator of its own for a layer, seeded from `rng`; Python's `random` is shared as people expect."""
    return random.Random(rng.getrandbits(64)) if isinstance(rng, random.Random) else rng


def _shown(activation: Activation) -> str:
    return activation if isinstance(activation, str) else getattr(activation, "__name__", repr(activation))


def _name(activation: Any) -> str:
    """The activation's name, for a checkpoint; a function of one's own has none that could be read back."""
    if isinstance(activation, str):
        return activation
    raise TypeError(f"nn.save keeps activations by name; got the function {_shown(activation)}")
