"""How does a model become one of PyTorch's? Layer by layer, out of torch.nn's own modules, with the same names.

PyTorch is imported only when somebody asks for it.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from autograd import Value
from autograd.reals import shown
from nn.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    Elementwise,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.linear import Linear
from nn.module import Module, check_module
from nn.neuron import MLP, Layer, Neuron, Sequential
from nn.normalisation import BatchNorm, LayerNorm, RMSNorm
from nn.standardize import Standardize


def to_torch(model: Module, into: Any = None) -> Any:
    """A model as a torch.nn.Module: the same numbers in float64, the same outputs, and the same mode.

    It takes a tensor of float64 and shape (examples, inputs), for an Embedding one of int64, and gives (examples,
    outputs), also for one output; `to_torch(model).float()` takes float32. Its `state_dict()` has the names of
    `model.state_dict(arrays=True)`: after training it there, `model.load_state_dict(module.state_dict())` brings the
    numbers back. The two share nothing.

    Arguments:
        model: built of nn's modules, as `nn.save` takes them. Dropout draws its masks from PyTorch's generator.
        into: a torch module of your own, which gets the numbers in place, in its own precision, whatever its names. Its
            layers are matched with the model's in order, by what they consist of and its shapes. What has no numbers
            that are learned is not compared: activations, dropout, and the means and deviations of a Standardize, which
            are left out.

    Returns:
        a module of torch.nn's own layers; or `into`.

    Raises:
        ImportError: PyTorch or NumPy is not installed.
        TypeError: a part of the model has no counterpart in PyTorch, such as a module or an activation of one's own;
            or `into` is no torch module.
        KeyError: `into` has other layers; nothing has been changed then.
    """
    try:
        import torch
    except ImportError:
        raise ImportError("nn.to_torch needs PyTorch, which is not installed: pip install torch") from None
    check_module("nn.to_torch takes", model)
    arrays = model.state_dict(arrays=True)
    if into is not None:
        return _filled(torch, into, arrays)
    with torch.random.fork_rng(devices=[]):  # the first weights are overwritten
        module = _bare(torch, model).double()
    count = sum(p.numel() for p in module.parameters())
    if count != len(model.parameters()) or module.state_dict().keys() != arrays.keys():
        raise TypeError(
            "nn.to_torch needs a parameter of its own for each weight: some stand in several layers, or were replaced "
            "by plain numbers; share a whole layer in place of its parameters, or give each layer its own"
        )
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return module


def _filled(torch: Any, module: Any, arrays: dict[str, Any]) -> Any:
    """A torch module with the numbers of these arrays, by name or by order."""
    from nn.arrays.matching import matched

    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"nn.to_torch takes a torch module for into; got {shown(module)} ({type(module).__name__})")
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    given = {name: array.shape for name, array in arrays.items()}
    names = matched(wanted, given, is_in_order=True)
    if different := [name for name in wanted if wanted[name] != given[names[name]]]:
        name = different[0]
        raise KeyError(
            f"the module's {name!r} has the shape {wanted[name]}, and the model's {names[name]!r} has "
            f"{given[names[name]]}: it belongs to another architecture"
        )
    _check_tied(module, {name: arrays[names[name]] for name in wanted})
    module.load_state_dict({name: torch.tensor(arrays[names[name]]) for name in wanted})
    return module


def _check_tied(module: Any, numbers: dict[str, Any]) -> None:
    """Raises ValueError if one parameter of PyTorch's, which has two names there, would get two different arrays."""
    first: dict[Any, str] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        other = first.setdefault(tensor, name)
        if not (numbers[name] == numbers[other]).all():
            raise ValueError(
                f"the module's {other!r} and {name!r} are one parameter, and the model has different numbers for them: "
                f"give the model one layer in both places, or the module a parameter for each"
            )


Steps = list[Any]
"""Modules of PyTorch's that do one after the other what one of ours does; the first has the parameters."""


def _bare(torch: Any, model: Module) -> Any:
    """One module of PyTorch's for a model, whose parameters have the names that they have in ours."""
    first, *after = _steps(torch, model, {})
    for step in after:  # in a chain it is a module of its own, but here that would change the names
        first.register_forward_hook(partial(_then, step))
    return first


def _then(step: Any, module: Any, inputs: Any, output: Any) -> Any:
    return step(output)


def _steps(torch: Any, module: Module, made: dict[Module, Steps]) -> Steps:
    """What does the same as one of our modules; a shared module stays shared."""
    if module not in made:
        if type(module) in (Sequential, MLP):
            steps = [_chain(torch, module, made)]
        elif type(module) in _COUNTERPARTS:
            steps = _COUNTERPARTS[type(module)](torch, module)
        else:
            raise TypeError(_refusal(f"the module {module!r}"))
        for step in steps:
            step.training = module.training  # its own mode alone: those of its parts are set already
        made[module] = steps
    return made[module]


def _chain(torch: Any, model: Any, made: dict[Module, Steps]) -> Any:
    """A chain of modules. Its layers are numbered as ours are, and what goes between them has a name."""
    parts = OrderedDict()
    for i, layer in enumerate(model.layers):
        parts[str(i)], *between = _steps(torch, layer, made)
        for dropout in getattr(model, "dropouts", [])[i : i + 1]:
            between = [*between, *_steps(torch, dropout, made)]
        parts.update((f"{i}_{type(step).__name__.lower()}", step) for step in between)
    layers = torch.nn.Sequential(parts)
    layers.training = model.training
    return torch.nn.Sequential(OrderedDict(layers=layers))


def _refusal(what: str) -> str:
    return (
        f"PyTorch has no counterpart of {what}: write that part in PyTorch yourself, and give it the numbers of "
        f"state_dict(arrays=True)"
    )


def _linear(torch: Any, layer: Any) -> Steps:
    """A layer of neurons, or one neuron: a Linear, and the activation unless there is none."""
    neurons = [layer] if type(layer) is Neuron else layer.neurons
    activations = {neuron.activation for neuron in neurons if type(neuron) is Neuron}
    if len(activations) != 1 or not all(type(neuron) is Neuron for neuron in neurons):
        raise TypeError(_refusal(f"a layer whose neurons differ, as in {layer!r}"))
    outputs, inputs = layer.weight.shape
    return [torch.nn.Linear(inputs, outputs), *_activation(torch, activations.pop())]


def _activation(torch: Any, activation: Any) -> Steps:
    """The module for the activation of a layer: a name, the function of that name, or a module of ours."""
    name = next((name for name, function in ACTIVATIONS.items() if activation in (name, function)), None)
    if name == "linear":
        return []
    if name in _BY_NAME:
        activation = _BY_NAME[name]()
    if isinstance(activation, Elementwise) and type(activation) in _COUNTERPARTS.keys() - {Softmax, LogSoftmax}:
        return _COUNTERPARTS[type(activation)](torch, activation)  # (the softmax of each single number is 1)
    raise TypeError(_refusal(f"the activation {activation!r}"))


_BY_NAME: dict[str, Callable[[], Elementwise]] = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid, "softplus": Softplus}
_BY_NAME |= {"silu": SiLU, "gelu": GELU, "leaky_relu": LeakyReLU, "elu": ELU}


def _fixed(module: Any, name: str) -> float:
    """An argument of an activation, if it is no parameter."""
    number = getattr(module, name)
    if isinstance(number, Value):
        raise TypeError(_refusal(f"a {type(module).__name__} whose {name} is learned"))
    return float(number)


_COUNTERPARTS: dict[type[Module], Callable[[Any, Any], Steps]] = {
    Neuron: _linear,
    Layer: _linear,
    Linear: lambda torch, m: [torch.nn.Linear(m.in_features, m.out_features, m.b is not None)],
    Dropout: lambda torch, m: [torch.nn.Dropout(m.p)],
    BatchNorm: lambda torch, m: [torch.nn.BatchNorm1d(m.num_features, m.eps, m.momentum, m.affine)],
    LayerNorm: lambda torch, m: [torch.nn.LayerNorm(m.num_features, m.eps, m.affine)],
    RMSNorm: lambda torch, m: [torch.nn.RMSNorm(m.num_features, m.eps, m.affine)],
    Embedding: lambda torch, m: [torch.nn.Embedding(m.num_embeddings, m.embedding_dim), torch.nn.Flatten(-2)],
    Standardize: lambda torch, m: [_standardize(m)],
    Identity: lambda torch, m: [torch.nn.Identity()],
    ReLU: lambda torch, m: [torch.nn.ReLU()],
    LeakyReLU: lambda torch, m: [torch.nn.LeakyReLU(_fixed(m, "negative_slope"))],
    ELU: lambda torch, m: [torch.nn.ELU(_fixed(m, "alpha"))],
    GELU: lambda torch, m: [torch.nn.GELU(m.approximate)],
    SiLU: lambda torch, m: [torch.nn.SiLU()],
    # PyTorch gives x itself above a threshold; above 20, which is usual, it would be wrong in the ninth digit.
    Softplus: lambda torch, m: [torch.nn.Softplus(threshold=100.0)],
    Sigmoid: lambda torch, m: [torch.nn.Sigmoid()],
    Tanh: lambda torch, m: [torch.nn.Tanh()],
    Softmax: lambda torch, m: [torch.nn.Softmax(-1)],
    LogSoftmax: lambda torch, m: [torch.nn.LogSoftmax(-1)],
}


def _standardize(module: Standardize) -> Any:
    return standardize_module()(module.means, module.deviations)


@cache
def standardize_module() -> Any:
    """The class of PyTorch modules for `Standardize`, which torch.nn does not have; made when it is first needed."""
    import torch

    class TorchStandardize(torch.nn.Module):  # type: ignore[misc]
        """(x - mean) / deviation, with fixed numbers that are no part of the state_dict."""

        def __init__(self, means: list[float], deviations: list[float]) -> None:
            super().__init__()
            self.register_buffer("means", torch.tensor(means, dtype=torch.float64), persistent=False)
            self.register_buffer("deviations", torch.tensor(deviations, dtype=torch.float64), persistent=False)

        def forward(self, x: Any) -> Any:
            return (x - self.means) / self.deviations

    TorchStandardize.__qualname__ = TorchStandardize.__name__
    return TorchStandardize


def __getattr__(name: str) -> Any:
    """Gives pickle the class of `standardize_module`, as if it were written here."""
    if name == "TorchStandardize":
        return standardize_module()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
