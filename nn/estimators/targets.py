"""What does y say? For a classifier which class each example is of, for a regressor how much of something it has."""

from collections.abc import Sequence
from typing import Any

from autograd.reals import shown
from nn.datasets.tables import as_column, listed

KINDS = "text, whole numbers or booleans"


def numbered(y: Any, classes: Any = None) -> tuple[Any, Any]:
    """The classes in order, and for each label the number of its class. Both are arrays, or lists without NumPy.

    Arguments:
        y: a label for each example.
        classes: the classes, where they are known; otherwise they are those in y.

    Raises:
        ValueError, TypeError: the labels are no classes, or one is not in `classes`.

    >>> classes, numbers = numbered(["tern", "gull", "tern"])
    >>> list(map(str, classes)), list(map(int, numbers))
    (['gull', 'tern'], [1, 0, 1])
    """
    labels = label_list(y)
    if hasattr(labels, "dtype"):
        import numpy as np

        found, numbers = np.unique(labels, return_inverse=True)
        if classes is None:
            return found, numbers
        return classes, _places(found.tolist(), classes.tolist())[numbers]
    found = sorted(set(labels))
    places = {label: i for i, label in enumerate(found if classes is None else classes)}
    _check_known(found, places)
    return found if classes is None else classes, [places[label] for label in labels]


def _places(found: list[Any], classes: list[Any]) -> Any:
    import numpy as np

    places = {label: i for i, label in enumerate(classes)}
    _check_known(found, places)
    return np.array([places[label] for label in found], np.int64)


def _check_known(found: Sequence[Any], classes: Any) -> None:
    for label in found:
        if label not in classes:
            raise ValueError(
                f"y has the label {label!r}, which is none of the classes {shown(list(classes))}: name all "
                f"classes in the first call, or leave those examples out"
            )


def label_list(y: Any) -> Any:
    """The labels as an array of one kind, or as a list without NumPy; checked.

    Raises:
        ValueError: they are continuous, missing, or of several kinds.
    """
    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    if hasattr(y, "dtype") and y.dtype.kind in "biuU":
        return y
    if hasattr(y, "dtype") and y.dtype.kind == "f":
        return _whole(y)
    if not hasattr(y, "__iter__") or isinstance(y, str | bytes):
        raise ValueError(f"y takes a label for each example; got {shown(y)} ({type(y).__name__})")
    labels = listed(y) if hasattr(y, "dtype") else [x.item() if hasattr(x, "item") else x for x in y]
    return _of_one_kind(labels, getattr(y, "dtype", None))


def _whole(y: Any) -> Any:
    """An array of floats that are whole numbers."""
    import numpy as np

    bad = np.flatnonzero(~np.isfinite(y))
    if len(bad):
        raise ValueError(f"y[{bad[0]}] is {y[bad[0]]} (NaN or inf), not a label: leave that example out")
    bad = np.flatnonzero(y % 1 != 0)
    if len(bad):
        raise _continuous(y[bad[0]].item(), bad[0])
    return y


def _continuous(number: float, place: int) -> ValueError:
    return ValueError(
        f"Unknown label type: continuous. y[{place}] is {number!r}, and a class is named by {KINDS}: "
        f"use nn.Regressor to learn quantities"
    )


def _of_one_kind(labels: list[Any], dtype: Any) -> Any:
    kinds = set(map(type, labels))
    for i, label in enumerate(labels):
        if label is None or label != label:
            raise ValueError(f"y[{i}] is {shown(label)}, not a label: leave that example out")
        if not isinstance(label, str | int | float):
            raise ValueError(f"Unknown label type: y[{i}] is {shown(label)} ({type(label).__name__}): pass {KINDS}")
        if isinstance(label, float) and label % 1 != 0:
            raise _continuous(label, i)
    if len(kinds) > 1 and not kinds <= {int, float}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"Unknown label type: y has labels of several kinds ({names}): pass {KINDS}, all of one kind")
    return as_labels(labels, dtype)


def as_labels(labels: list[Any], dtype: Any = None) -> Any:
    """Labels as an array, or where NumPy is not installed as they are."""
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        return labels
    import numpy as np

    return np.array(labels, dtype)


def quantities(y: Any) -> Any:
    """The targets of a regression: a number, or a row of numbers, for each example, as an array of floats or lists.

    Raises:
        ValueError, TypeError: one is missing, not finite, or no number.
    """
    numbers = as_column(y)
    if hasattr(numbers, "dtype"):
        return numbers.astype("float64")
    as_floats = [[float(x) for x in row] if isinstance(row, list) else float(row) for row in listed(numbers)]
    return as_column(as_floats)
