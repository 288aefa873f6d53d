"""What does a model say about examples, in Python? Its outputs as floats, and how wrong they are."""

from itertools import islice
from typing import Any

from autograd import Value, no_grad
from nn.losses import Loss, cross_entropy, nll_loss, weighted
from nn.module import Module, modes_kept
from nn.training.examples import Examples
from nn.training.figures import Figures


def figures_of(figures: Figures, outputs: list[Any], examples: Examples) -> dict[str, Any]:
    """The figures of outputs that are floats."""
    known = examples.listed()
    with no_grad():
        error = _number(known.error(figures.loss, _values(figures.loss, outputs)))
    answers = known.answers()
    return figures.of(error, known.in_rows(outputs), answers.targets, answers.sample_weight)


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
    """The outputs as floats: for each example a list, or a bare one; or for each position a list."""
    return list(map(_number, outputs))


def error_of(loss: Loss, outputs: list[Any], targets: list[Any], weights: list[float] | None = None) -> Any:
    """The loss of outputs that are floats."""
    with no_grad():
        return weighted(loss, _values(loss, outputs), targets, weights)


def _values(loss: Loss, outputs: list[Any]) -> list[Any]:
    """Outputs that are floats as Values, since a loss of one's own may call their methods."""
    if (
        loss in (cross_entropy, nll_loss) and outputs and not isinstance(outputs[0], list)
    ):  # or the batch would pass for one row
        raise ValueError(
            f"{loss.__name__} takes an output for each class; the model has a single one: give it more, or use "
            f"binary_cross_entropy_with_logits for two classes"
        )
    return list(map(_value, outputs))


def _value(x: Any) -> Any:
    return list(map(_value, x)) if isinstance(x, list) else Value(x)


def _number(x: Any) -> Any:
    """A number, or those of a list, as floats."""
    if isinstance(x, Value):
        return x.data
    return list(map(_number, x)) if isinstance(x, list) else float(x)


LITTLE = 10_000
"""Products of an example with a parameter that the eager engine computes in less than a millisecond."""


def is_much(model: Module, rows: Any) -> bool:
    """Whether these examples are more than a moment's work for the eager engine."""
    least = LITTLE // max(1, len(rows))
    return next(islice(model.named_parameters(), least, None), None) is not None or len(rows) > LITTLE
