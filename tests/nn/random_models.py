"""Random models of all layers for Hypothesis: chains, with normalisation, dropout and every activation."""

from hypothesis import strategies as st

from autograd.testing.graphs.strategies import NUMBERS
from nn import (
    ELU,
    GELU,
    BatchNorm,
    Dropout,
    Identity,
    Layer,
    LayerNorm,
    LeakyReLU,
    LogSoftmax,
    Neuron,
    ReLU,
    RMSNorm,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
)
from nn.activations import ACTIVATIONS
from nn.testing import mlps

activations = st.sampled_from(list(ACTIVATIONS))
slopes = st.floats(0.0, 2.0)
activation_modules = st.one_of(
    *map(st.builds, (Identity, ReLU, SiLU, Softplus, Sigmoid, Tanh, Softmax, LogSoftmax)),
    st.builds(LeakyReLU, slopes),
    st.builds(ELU, slopes),
    st.builds(GELU, st.sampled_from(["none", "tanh"])),
)
momenta = st.none() | st.floats(0.0, 1.0)
eps = st.floats(1e-5, 1.0)


@st.composite
def chains(draw):
    """A Sequential of up to four parts, some of them chains too, and the number of its inputs."""
    width = draw(st.integers(1, 4))
    model, _ = draw(_chain(width, depth=2))
    parameters = model.parameters()
    numbers = draw(st.lists(NUMBERS, min_size=len(parameters), max_size=len(parameters)))
    for p, number in zip(parameters, numbers, strict=True):
        p.data = number
    for norm in (module for module in model.modules() if isinstance(module, BatchNorm)):
        norm.running_mean[:] = draw(_numbers(norm.num_features, NUMBERS))
        norm.running_var[:] = draw(_numbers(norm.num_features, st.floats(0.1, 4.0)))
        norm.num_batches_tracked = draw(st.integers(0, 5))
    return model, width


def _numbers(n, numbers):
    return st.lists(numbers, min_size=n, max_size=n)


@st.composite
def _chain(draw, width, depth):
    """A Sequential with so many inputs, and the number of its outputs."""
    kinds = [
        "layer",
        "neuron",
        "activation",
        "batch",
        "layer norm",
        "rms",
        "dropout",
        "scale",
        *["chain"] * (depth > 0),
    ]
    parts = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=4)):
        if kind == "chain":
            part, width = draw(_chain(width, depth - 1))
        else:
            part = draw(_part(kind, width))
            width = len(part.neurons) if kind == "layer" else 1 if kind == "neuron" else width
        parts.append(part)
    return Sequential(*parts), width


def _ones(*_):
    return 1.0


def _part(kind, width):
    affine = st.booleans()
    return {
        "layer": st.builds(Layer, st.just(width), st.integers(1, 4), activation=activations, init=st.just(_ones)),
        "neuron": st.builds(Neuron, st.just(width), activation=activations, init=st.just(_ones)),
        "activation": activation_modules,
        "batch": st.builds(BatchNorm, st.just(width), eps, momenta, affine),
        "layer norm": st.builds(LayerNorm, st.just(width), eps, affine),
        "rms": st.builds(RMSNorm, st.just(width), eps, affine),
        "dropout": st.builds(Dropout, st.floats(0.0, 1.0)),
        "scale": st.builds(Standardize, _numbers(width, NUMBERS), _numbers(width, st.floats(0.1, 3.0))),
    }[kind]


models = mlps().map(lambda model: (model, model.layers[0].nin)) | chains()
"""A model, and how many inputs it takes."""
