"""What does a page know of a model? Its layers as plain data, and, in words, what it has no picture for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograd import Value
from autograd.reals import shown
from nn.activations import ELU, GELU, Elementwise, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from nn.dropout import Dropout
from nn.linear import Linear
from nn.module import Module
from nn.neuron import Layer, Neuron, Sequential
from nn.own import is_own
from nn.standardize import Standardize

NAMES: dict[type[Elementwise], str] = {
    Identity: "linear",
    ReLU: "relu",
    LeakyReLU: "leaky_relu",
    ELU: "elu",
    GELU: "gelu",
    SiLU: "silu",
    Softplus: "softplus",
    Sigmoid: "sigmoid",
    Tanh: "tanh",
}
"""What layers call the activations that are modules; with the arguments that these have by default."""


@dataclass
class Network:
    """A model as a page's core computes it.

    Attributes:
        inputs: how many numbers an example has.
        scale: the means and deviations of inputs that are standardised first; None where they are taken as they are.
        layers: the width, the activation and the dropout of each layer.
        parameters: layer by layer, neuron by neuron, its weights and then its bias.
        activations: those that layers do not know by name, by what the page calls them.
        missing: a sentence for each thing that the page has no picture for. Then the rest is not complete.
    """

    inputs: int = 0
    scale: dict[str, list[float]] | None = None
    layers: list[dict[str, Any]] = field(default_factory=list)
    parameters: list[Value] = field(default_factory=list)
    activations: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def spec(self) -> dict[str, Any]:
        """The network without its numbers: what `makeNetwork` in `page/network.js` takes."""
        return {"inputs": self.inputs, "scale": self.scale, "layers": self.layers}

    @property
    def numbers(self) -> list[float]:
        """The numbers of the parameters now."""
        return [parameter.data for parameter in self.parameters]


def network_of(model: Module) -> Network:
    """The model as layers of neurons, as far as it is made of them.

    >>> from nn import MLP
    >>> network_of(MLP(2, [3, 1], "tanh")).spec["layers"][0]
    {'width': 3, 'activation': 'tanh', 'dropout': 0.0}
    """
    network = Network()
    for module in _chain(model):
        sentence = _add(network, module)
        if sentence:
            network.missing.append(sentence)
    if not network.layers and not network.missing:
        network.missing.append(f"{type(model).__name__} has no layer of neurons, so that there is nothing to draw.")
    if len(set(network.parameters)) < len(network.parameters):
        network.missing.append("A weight or a layer has two places in the model, and a page knows only one for each.")
    return network


def _chain(model: Module) -> list[Module]:
    """The modules that are applied one after the other."""
    if isinstance(model, Sequential) and is_own(model):
        return [part for module in model.chain() for part in _chain(module)]
    return [model]


def _add(network: Network, module: Module) -> str:
    """Adds a module to the network; returns why that cannot be done, as a sentence, or "".

    A class that is derived from one of nn's may do anything, so that only its own activations are taken as such.
    """
    is_activation = isinstance(module, Elementwise) and _is_of_one_number(module)
    if not is_own(module) and not is_activation:
        return f"{_title(module)} has no picture here."
    if isinstance(module, Layer | Neuron):
        neurons = module.neurons if isinstance(module, Layer) else [module]
        weights, biases = [neuron.w for neuron in neurons], [neuron.b for neuron in neurons]
        return _add_layer(network, weights, biases, neurons[0].activation, module)
    if isinstance(module, Linear) and module.b is not None:
        return _add_layer(network, module.w, module.b, "linear", module)
    if isinstance(module, Standardize) and not network.layers and network.scale is None:
        network.scale = {"means": module.means, "deviations": module.deviations}
        return ""
    last = network.layers[-1] if network.layers else None
    if isinstance(module, Dropout) and last is not None and not last["dropout"]:
        last["dropout"] = module.p
        return ""
    if is_activation and last is not None and last["activation"] == "linear" and not last["dropout"]:
        last["activation"] = _activation_name(network, module)
        return ""
    return f"{_title(module)} has no picture here."


def _add_layer(
    network: Network, weights: list[list[Value]], biases: list[Value], activation: Any, module: Module
) -> str:
    width = len(weights[0])
    if network.layers and network.layers[-1]["width"] != width:
        return f"{_title(module)} takes {width} inputs, and the layer before it has {network.layers[-1]['width']}."
    network.inputs = network.inputs or width
    name = activation if isinstance(activation, str) else _own(network, activation)
    network.layers.append({"width": len(weights), "activation": name, "dropout": 0.0})
    for row, bias in zip(weights, biases, strict=True):
        network.parameters += [*row, bias]
    return ""


def _is_of_one_number(module: Module) -> bool:
    """Whether each output depends on its input alone, as that of Softmax does not."""
    kind = type(module)
    same = (("forward", Elementwise), ("forward_batch", Module), ("__call__", Module))
    is_plain = all(getattr(kind, name) is getattr(owner, name) for name, owner in same)
    return is_plain and not any(isinstance(x, Value) for x in vars(module).values())


def _activation_name(network: Network, module: Any) -> str:
    """What the page calls an activation that is a module."""
    name = NAMES.get(type(module))
    if name is not None and vars(module) == vars(type(module)()) | {"training": module.training}:
        return name
    network.activations[repr(module)] = module.activate
    return repr(module)


def _own(network: Network, function: Callable[[Any], Any]) -> str:
    """What the page calls a function of one's own; two of one name are told apart."""
    name = getattr(function, "__name__", "activation")
    name = first = name if name.isidentifier() and not name.startswith("_") else f"activation {name}"
    count = 1
    while network.activations.get(name, function) is not function:
        count += 1
        name = f"{first} {count}"
    network.activations[name] = function
    return name


def _title(module: Module) -> str:
    return shown(module) if is_own(module) and len(shown(module)) <= 40 else type(module).__name__
