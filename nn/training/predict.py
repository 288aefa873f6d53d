"""What does a model say about examples, and how well does it do? Its outputs, its loss and its accuracy."""

from typing import Any

from autograd import Value, no_grad
from nn.arguments import check_module, loss_function
from nn.datasets import as_rows, as_targets, check_same_length
from nn.losses import Loss, accuracy, cross_entropy, nll_loss
from nn.module import Module, modes_kept


def predict(model: Module, X: Any) -> list[Any]:
    """The model's outputs for each example, as floats, in evaluation mode and without recording a graph.

    Arguments:
        model: a trained model; afterwards it is in the mode in which it was before.
        X: the examples: a list of rows, a NumPy array or a data frame.

    Returns:
        for each example a list of floats, or one float where the model has a single output.

    >>> import random
    >>> from nn import MLP
    >>> predict(MLP(2, [3], rng=random.Random(0)), [[0.0, 0.0]])
    [[0.0, 0.0, 0.0]]
    """
    check_module("predict takes", model)
    return outputs_of(model, as_rows(X))


def evaluate(model: Module, X: Any, Y: Any, *, loss: Loss | str) -> dict[str, float]:
    """The loss, and for a classification the accuracy, of the model on examples that it does not learn from.

    Arguments:
        model: a trained model; afterwards it is in the mode in which it was before.
        X: the examples: a list of rows, a NumPy array or a data frame.
        Y: a target for each: classes, numbers, or rows of numbers.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.

    Returns:
        {"loss": ..., "accuracy": ...}.

    >>> from nn import MLP
    >>> figures = evaluate(MLP(1, [2], init=lambda *_: 0.0), [[0.0]], [1], loss="cross_entropy")
    >>> round(figures["loss"], 6)
    0.693147
    """
    check_module("evaluate takes", model)
    loss = loss_function(loss)
    outputs = outputs_of(model, as_rows(X))
    targets = as_targets(Y)
    check_same_length(outputs, targets)
    return figures_of(loss, outputs, targets)


def figures_of(loss: Loss, outputs: list[Any], targets: list[Any]) -> dict[str, float]:
    """The loss, and for a classification the accuracy, of outputs that are floats."""
    figures = {"loss": _number(error_of(loss, outputs, targets))}
    share = accuracy(outputs, targets, loss)
    return figures if share is None else {**figures, "accuracy": share}


def outputs_of(model: Module, rows: list[Any]) -> list[Any]:
    """The outputs for each row, as floats."""
    with no_grad():
        return numbers_of(evaluated(model, rows) if rows else [])


def evaluated(model: Module, rows: list[Any]) -> list[Any]:
    """The outputs in evaluation mode, as the model gives them; afterwards each module is in the mode it was in."""
    with modes_kept(model.modules()):
        model.eval()
        return list(model(rows))


def numbers_of(outputs: list[Any]) -> list[Any]:
    """The outputs as floats: for each example a list, or a bare one."""
    return [[_number(x) for x in y] if isinstance(y, list) else _number(y) for y in outputs]


def error_of(loss: Loss, outputs: list[Any], targets: list[Any]) -> Any:
    """The loss of outputs that are floats. They are made Values, since a loss of one's own may call their methods."""
    if (
        loss in (cross_entropy, nll_loss) and outputs and not isinstance(outputs[0], list)
    ):  # or the batch would pass for one row
        raise ValueError(
            f"{loss.__name__} takes an output for each class; the model has a single one: give it more, or use "
            f"binary_cross_entropy_with_logits for two classes"
        )
    with no_grad():
        return loss([[Value(x) for x in y] if isinstance(y, list) else Value(y) for y in outputs], targets)


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)
