"""How does Hypothesis draw a model? `mlps` draws small networks; `autograd.testing` offers it as one of its strategies.

The graphs and numbers that it draws come from `autograd/testing/graphs/strategies.py`.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.vendor import pretty

from autograd.testing.graphs.strategies import NUMBERS, check_count
from nn.activations import ACTIVATIONS
from nn.neuron import MLP


def mlps(max_inputs: int = 4, max_width: int = 4, max_layers: int = 3) -> st.SearchStrategy[MLP]:
    """Small `nn.MLP`s with drawn widths, activation, weights and biases.

    An example for the model has as many numbers as its first layer takes: `model.layers[0].nin`.

    Arguments:
        max_inputs, max_width, max_layers: the most inputs, neurons in a layer, and layers.

    Returns:
        a strategy of models. They shrink to one linear neuron.

    Raises:
        ValueError: one of them is below 1.
        TypeError: one of them is no whole number.

    >>> from autograd import Value
    >>> from hypothesis import given, strategies as st
    >>> @given(st.data())
    ... def test_a_model_gives_one_output_for_each_neuron_of_its_last_layer(data):
    ...     model = data.draw(mlps())
    ...     n = model.layers[0].nin
    ...     outputs = model(data.draw(st.lists(st.floats(-1.0, 1.0), min_size=n, max_size=n)))
    ...     assert isinstance(outputs, Value) or len(outputs) == len(model.layers[-1].neurons)
    >>> test_a_model_gives_one_output_for_each_neuron_of_its_last_layer()
    """
    for name, count in ("max_inputs", max_inputs), ("max_width", max_width), ("max_layers", max_layers):
        check_count(name, count)
    return _mlps(max_inputs, max_width, max_layers)


@st.composite
def _mlps(draw: st.DrawFn, max_inputs: int, max_width: int, max_layers: int) -> MLP:
    widths = st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers)
    activation = draw(st.sampled_from(["linear", *(name for name in ACTIVATIONS if name != "linear")]))
    model = MLP(draw(st.integers(1, max_inputs)), draw(widths), activation, init=lambda *_: 1.0)
    parameters = model.parameters()
    numbers = draw(st.lists(NUMBERS, min_size=len(parameters), max_size=len(parameters)))
    for parameter, number in zip(parameters, numbers, strict=True):
        parameter.data = number
    return model


def _print_model(model: MLP, printer: Any, cycle: bool) -> None:
    """How Hypothesis prints a model: the call that builds it, and its numbers."""
    config = model.config()
    numbers = [parameter.data for parameter in model.parameters()]
    printer.text(f"MLP({config['nin']}, {config['nouts']}, activation={config['activation']!r}) with the parameters ")
    printer.text(repr(numbers))


pretty.for_type_by_name(MLP.__module__, MLP.__name__, _print_model)
