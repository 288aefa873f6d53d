"""What does y say? For a classifier which class each example is of, for a regressor how much of something it has."""

import warnings
from collections.abc import Sequence
from math import isfinite
from typing import Any

from autograd.reals import shown
from nn.datasets.tables import as_array, as_column, listed
from nn.estimators.inputs import as_plain
from nn.estimators.scikit_learn import data_conversion_warning

KINDS = "text, whole numbers or booleans"


def numbered(y: Any, classes: Any = None) -> tuple[Any, Any]:
    """The classes in order, and for each label the number of its class. Both are arrays, or lists without NumPy.

    Arguments:
        y: a label for each example.
        classes: the classes, where they are known; otherwise they are those in y.

    Raises:
        ValueError: the labels are no classes, or one is not in `classes`.

    >>> classes, numbers = numbered(["tern", "gull", "tern"])
    >>> list(map(str, classes)), list(map(int, numbers))
    (['gull', 'tern'], [1, 0, 1])
    """
    labels = labels_of(y)
    if not hasattr(labels, "dtype"):
        kinds = sorted(set(labels))
        places = _places(kinds, kinds if classes is None else classes)
        numbers = dict(zip(kinds, places, strict=True))
        return kinds if classes is None else classes, [numbers[label] for label in labels]
    import numpy as np

    found, inverse = np.unique(labels, return_inverse=True)
    if classes is None:
        return found, inverse
    return classes, np.array(_places(found.tolist(), classes.tolist()), np.int64)[inverse]


def _places(found: Sequence[Any], classes: Sequence[Any]) -> list[int]:
    """The place of each label among the classes."""
    places = {label: i for i, label in enumerate(classes)}
    for label in found:
        if label not in places:
            raise ValueError(
                f"y has the label {shown(label)}, which is none of the classes {shown(list(classes))}: name all "
                f"classes from the beginning, or leave those examples out"
            )
    return [places[label] for label in found]


def labels_of(y: Any) -> Any:
    """The labels as an array of one kind, or as a list without NumPy; a column vector is flattened, with a warning.

    Raises:
        ValueError: they are continuous, missing, of several kinds, or rows.
    """
    y = as_plain(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if not hasattr(y, "__iter__") or isinstance(y, str | bytes) or getattr(y, "shape", None) == ():
        raise ValueError(
            f"y takes a label for each example; got {shown(y)} ({type(y).__name__}): pass a list of labels"
        )
    y = _flat(y)
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if kind in ("b", "i", "u", "U"):
        return y
    if kind == "f":
        return _whole(y)
    labels = listed(y) if kind else list(y)
    if set(map(type, labels)) in ({str}, {int}, {bool}):  # 100,000 labels in 3 ms, not 40
        return as_array(labels, object if kind == "O" else None)
    return _of_one_kind([x.item() if hasattr(x, "item") else x for x in labels], kind)


def _flat(y: Any) -> Any:
    """One label for each example."""
    shape = getattr(y, "shape", None)
    if shape is None and len(y) and all(isinstance(row, list | tuple) for row in y):
        shape = len(y), max(map(len, y))
    if shape is None or len(shape) == 1:
        return y
    if tuple(shape[1:]) != (1,):
        raise ValueError(
            f"y has the shape {tuple(shape)}, and a Classifier takes one label for each example: pass the labels, such "
            f"as y.argmax(axis=1) for one-hot rows"
        )
    warnings.warn(
        "A column-vector y was passed when a 1d array was expected: pass y.ravel(), which is what is used",
        data_conversion_warning(),
        stacklevel=2,
    )
    return y.ravel() if hasattr(y, "ravel") else [x for row in y for x in row]


def _whole(y: Any) -> Any:
    """An array of floats, if they are whole numbers. As a whole: 100,000 labels take 1 ms, one by one 20."""
    import numpy as np

    finite = np.isfinite(y)
    if finite.all() and (y % 1 == 0).all():
        return y
    _check(listed(y))
    raise AssertionError("a label that is not whole has no sentence")


def _check(labels: list[Any]) -> None:
    """Raises ValueError for the first that is no label."""
    for i, label in enumerate(labels):
        missing = type(label).__name__ in ("NoneType", "NAType", "NaTType")  # pandas' names for a gap
        if missing or (isinstance(label, float) and not isfinite(label)):
            raise ValueError(f"y[{i}] is {shown(label)}, not a label: leave that example out")
        if not isinstance(label, str | int | float):
            raise ValueError(f"Unknown label type: y[{i}] is {shown(label)} ({type(label).__name__}); pass {KINDS}")
        if isinstance(label, float) and label % 1 != 0:
            raise ValueError(
                f"Unknown label type: continuous. y[{i}] is {label!r}, and classes are {KINDS}: "
                f"nn.Regressor learns quantities"
            )


def _of_one_kind(labels: list[Any], kind: str) -> Any:
    """Labels from a list or an array of objects, as an array where NumPy is installed."""
    _check(labels)
    kinds = set(map(type, labels))
    if len(kinds) > 1 and not kinds <= {int, float}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"Unknown label type: y has labels of several kinds, {names}; pass {KINDS}, all of one kind")
    return as_array(labels, object if kind == "O" else None)


def quantities(y: Any) -> Any:
    """The targets of a regression: a number, or a row of numbers, for each example, as an array of floats or lists.

    Raises:
        ValueError, TypeError: one is missing, not finite, or no number.
    """
    y = as_plain(y)
    if getattr(getattr(y, "dtype", None), "kind", "") == "c":
        raise ValueError(f"Complex data not supported: y has numbers such as {shown(y.flat[0])}; pass their real parts")
    if isinstance(y, list | tuple) and y and isinstance(y[0], str):
        raise ValueError(f"y[0] is {shown(y[0])} (str), and a Regressor learns quantities: nn.Classifier learns labels")
    numbers = as_column(y)
    if hasattr(numbers, "dtype"):
        return numbers.astype("float64")
    return as_array([list(map(float, row)) if isinstance(row, list) else float(row) for row in numbers])
