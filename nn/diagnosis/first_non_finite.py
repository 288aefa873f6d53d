"""Where did the first inf or nan come from? The operation that made it out of finite numbers, and its layer."""

from collections.abc import Iterable
from math import isfinite

from autograd import Value, topological_order
from autograd.value import data_of
from nn.diagnosis.watched_step import WatchedLayer, WatchedStep

WORDS = {
    "before": "{name} was {number} before the step",
    "forward": "{call} gave {number} in {place}",
    "derivative": "the derivative of {call} is {number} in {place}",
    "backward": "the gradient grew to {number} behind {call} in {place}",
    "update": "the update took {name} to {number}",
    "few": "{operation}({numbers})",
    "many": "{operation} of {count} numbers up to {largest:.2g}",
}
"""What may be said. A page that looks for the first such number says it too."""

FEW = 3
"""The numbers of so many operands are listed."""


def first_non_finite(step: WatchedStep) -> str | None:
    """What made the first number of a training step before the update that is inf or nan, in words; None if none is."""
    for name, number in step.before.items():
        if not isfinite(number):
            return WORDS["before"].format(name=f"the parameter {name}", number=number)
    order = topological_order(step.error)
    node = next((node for node in order if not isfinite(node.data)), None)
    if node is not None:
        return WORDS["forward"].format(call=call(node), number=node.data, place=_place(node, step, order))
    node = next((node for node in reversed(order) if not isfinite(node.grad)), None)
    if node is not None:
        return _in_backward(node, step, order)
    return None


def first_non_finite_parameter(step: WatchedStep) -> str | None:
    """The first parameter that an update made inf or nan, in words; None if all are finite."""
    for name, parameter in step.model.named_parameters():
        if not isfinite(parameter.data):
            return WORDS["update"].format(name=f"the parameter {name}", number=parameter.data)
    return None


def _in_backward(node: Value, step: WatchedStep, order: list[Value]) -> str:
    """The operation through which the node got a gradient that is not finite, though its own is."""
    consumers = [consumer for consumer in order if node in consumer.parents]
    for consumer in consumers:
        for parent, derivative in zip(consumer.parents, consumer.local_derivatives, strict=True):
            if parent is node and not isfinite(derivative):
                place = _place(consumer, step, order)
                return WORDS["derivative"].format(call=call(consumer), number=derivative, place=place)
    consumer = max(consumers, key=lambda consumer: abs(data_of(consumer.grad)))
    place = _place(consumer, step, order)
    return WORDS["backward"].format(number=node.grad, call=call(consumer), place=place)


def call(node: Value) -> str:
    """The operation with its operands' numbers, or for many operands with how large they are.

    >>> from autograd import Value, exp
    >>> call(exp(Value(1000.0)))
    'exp(1000)'
    """
    numbers = [x.data if isinstance(x, Value) else float(x) for x in node.operands]
    if len(numbers) <= FEW:
        return WORDS["few"].format(operation=node.operation, numbers=", ".join(f"{x:.4g}" for x in numbers))
    return WORDS["many"].format(operation=node.operation, count=len(numbers), largest=max(map(abs, numbers)))


def _place(node: Value, step: WatchedStep, order: list[Value]) -> str:
    """The layer in which the node was computed, or "the loss"."""
    owners = _outputs(step.layers)
    for later in reversed(order):  # what only an output needs belongs to the output's layer
        if later in owners:
            for parent in later.parents:
                owners.setdefault(parent, owners[later])
    return owners[node].name if node in owners else "the loss"


def _outputs(layers: Iterable[WatchedLayer]) -> dict[Value, WatchedLayer]:
    owners: dict[Value, WatchedLayer] = {}
    for layer in layers:
        for row in layer.outputs:
            for output in row:
                if isinstance(output, Value) and output.operation:
                    owners.setdefault(output, layer)
    return owners
