"""How does Hypothesis draw a model? `mlps` draws small networks; `autograd.testing` offers it as one of its strategies.

`TrainingMachine`, which tests optimisers and modules, is here too, and written in `training_machine.py`.
The graphs and numbers that it draws come from `autograd/testing/graphs/strategies.py`.
"""

from collections.abc import Sequence
from typing import Any, overload

from hypothesis import strategies as st
from hypothesis.vendor import pretty

import autograd
from autograd import Value
from autograd.testing.graphs.expression import Expression, Instruction, expression_of, spelled_out
from autograd.testing.graphs.strategies import NUMBERS, check_count, check_engine_argument
from autograd.testing.other_engines import OtherEngine
from nn.activations import ACTIVATIONS, ActivationName
from nn.neuron import MLP
from nn.training_machine import TrainingMachine

__all__ = ["TrainingMachine", "mlps"]


@overload
def mlps(max_inputs: int = ..., max_width: int = ..., max_layers: int = ...) -> st.SearchStrategy[MLP]: ...
@overload
def mlps(
    max_inputs: int = ..., max_width: int = ..., max_layers: int = ..., *, engine: OtherEngine
) -> st.SearchStrategy[Expression]: ...
def mlps(
    max_inputs: int = 4, max_width: int = 4, max_layers: int = 3, *, engine: OtherEngine | None = None
) -> st.SearchStrategy[Any]:
    """Small `nn.MLP`s with drawn widths, activation, weights and biases.

    An example for the model has as many numbers as its first layer takes: `model.layers[0].nin`.

    Arguments:
        max_inputs, max_width, max_layers: the most inputs, neurons in a layer, and layers.
        engine: somebody else's engine, from `other_engine`. A model is drawn as an `Expression` that runs on its
            numbers: the sum of the outputs, as a function of one example and of all parameters. Activations are those
            that the engine offers, and dot products are spelled out.

    Returns:
        a strategy of models, or of expressions. They shrink to one linear neuron.

    Raises:
        ValueError: one of the numbers is below 1, or the engine does not offer sums and products.
        TypeError: one of them is no whole number, or `engine` is not what `other_engine` made.

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
    check_engine_argument("mlps", engine)
    if engine is None:
        return _mlps(max_inputs, max_width, max_layers, [*ACTIVATIONS])
    engine.check_operations(["add", "mul"])
    offered = [name for name in ACTIVATIONS if name == "linear" or engine.offers(_one_use(name))]
    models = _mlps(max_inputs, max_width, max_layers, offered)
    examples = st.lists(NUMBERS, min_size=max_inputs, max_size=max_inputs)
    return st.builds(_as_expression, models, examples).map(engine.expression)


@st.composite
def _mlps(
    draw: st.DrawFn, max_inputs: int, max_width: int, max_layers: int, activations: Sequence[ActivationName]
) -> MLP:
    widths = st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers)
    names: list[ActivationName] = ["linear", *(name for name in activations if name != "linear")]
    activation = draw(st.sampled_from(names))
    model = MLP(draw(st.integers(1, max_inputs)), draw(widths), activation, init=lambda *_: 1.0)
    parameters = model.parameters()
    numbers = draw(st.lists(NUMBERS, min_size=len(parameters), max_size=len(parameters)))
    for parameter, number in zip(parameters, numbers, strict=True):
        parameter.data = number
    return model


def _one_use(activation: ActivationName) -> Instruction:
    """The operation that an activation records."""
    return expression_of(ACTIVATIONS[activation](Value(1.0))).instructions[-1]


def _as_expression(model: MLP, example: Sequence[float]) -> Expression:
    """The sum of the model's outputs, as a function of the example and the parameters."""
    xs = [Value(x) for x in example[: model.config()["nin"]]]
    outputs = model.forward(xs)
    return spelled_out(expression_of(autograd.sum(outputs), [*xs, *model.parameters()]))


def _print_model(model: MLP, printer: Any, cycle: bool) -> None:
    """How Hypothesis prints a model: the call that builds it, and its numbers."""
    config = model.config()
    numbers = [parameter.data for parameter in model.parameters()]
    printer.text(f"MLP({config['nin']}, {config['nouts']}, activation={config['activation']!r}) with the parameters ")
    printer.text(repr(numbers))


pretty.for_type_by_name(MLP.__module__, MLP.__name__, _print_model)
