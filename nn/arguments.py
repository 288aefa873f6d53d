"""What may examples and a loss be? What `fit`, `evaluate` and `diagnose` all ask of their arguments."""

from typing import Any

from autograd import Value
from autograd.reals import shown
from nn.datasets.tables import as_column, as_table, check_same_length, listed


def examples(X: Any, Y: Any, name: str = "X") -> tuple[list[Any], list[Any]]:
    """The examples as rows of floats, and a target for each; at least one.

    Raises:
        ValueError, TypeError: they are no tables of numbers, differ in length, or are empty.
    """
    rows, targets = tables(X, Y, name)
    return listed(rows), listed(targets)


def tables(X: Any, Y: Any, name: str = "X") -> tuple[Any, Any]:
    """What `examples` gives, as arrays where NumPy is installed (see `as_table` and `as_column`)."""
    rows, targets = as_table(X, name), as_column(Y)
    check_same_length(rows, targets)
    if not len(rows):
        raise ValueError(f"{name} needs at least one example; got none")
    return rows, targets


def check_error(error: Any) -> None:
    """Raises TypeError if what a loss returned has no gradient to give."""
    if not isinstance(error, Value) or not error.parents:
        raise TypeError(
            f"loss takes a function that returns a Value computed from the predictions; got {shown(error)} "
            f"({type(error).__name__}): did it, or the model, use .data, or is this inside no_grad()?"
        )
