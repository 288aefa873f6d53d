"""What may X, y and the weights of an estimator be? Rows of numbers, or a table with text and gaps, which is encoded.

Checks and conversions of whole arrays are NumPy's, where it is installed; without it everything stays lists.
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.reals import shown
from nn.datasets.tables import as_table, listed
from nn.estimators.scikit_learn import data_conversion_warning


@dataclass(frozen=True)
class Examples:
    """What an estimator learns from.

    Attributes:
        inputs: a Table that is yet to be encoded, or the rows of numbers, as an array or lists.
        targets: the number of each class, a number or a row of numbers for each example.
        weights: how much each example counts; None where all count alike.
    """

    inputs: Any
    targets: Any
    weights: Any = None

    def __len__(self) -> int:
        return len(self.targets)

    def at(self, places: Sequence[int]) -> "Examples":
        """The examples at these places."""
        if len(places) == len(self):
            return self
        inputs = self.inputs.rows(places) if hasattr(self.inputs, "rows") else _at(self.inputs, places)
        weights = None if self.weights is None else _at(self.weights, places)
        return Examples(inputs, _at(self.targets, places), weights)


def _at(values: Any, places: Sequence[int]) -> Any:
    return values[places] if hasattr(values, "dtype") else [values[i] for i in places]


def names_in(X: Any) -> list[str] | None:
    """The names of the columns of X; None if it has none, or some that are no text."""
    columns = getattr(X, "columns", None)
    names = None if columns is None or callable(columns) else list(columns)
    return names if names and all(isinstance(name, str) for name in names) else None


def rows_of_numbers(X: Any, name: str = "X") -> Any:
    """X as a float64 array of two dimensions, or lists where NumPy is not installed.

    Raises:
        ValueError, TypeError: it is no table of finite numbers, has no rows or no columns.
    """
    shape = getattr(X, "shape", None)
    if hasattr(X, "tocsr"):
        raise TypeError(f"{name} is a sparse matrix, and the network takes every number: pass {name}.toarray()")
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(f"Complex data not supported: {name} has numbers such as {X.flat[0]}; pass their real parts")
    if shape is not None and len(shape) != 2:
        raise ValueError(
            f"{name} takes a table, a row for each example; got {len(shape)} dimensions. Reshape your data: "
            f"{name}.reshape(-1, 1) if it is one column, {name}.reshape(1, -1) if it is one example"
        )
    if shape is not None and 0 in shape:
        what = "sample" if shape[0] == 0 else "feature"
        raise ValueError(
            f"Found array with 0 {what}(s) (shape={tuple(shape)}) while a minimum of 1 is required: "
            f"pass {name} with a row for each example and a column for each input"
        )
    rows = as_table(X, name)
    if not len(rows):
        raise ValueError(f"{name} needs at least one row; got none: pass a row of numbers for each example")
    return rows


def checked_width(rows: Any, width: int, estimator: str) -> Any:
    """The rows, if they have as many columns as those of `fit`."""
    if len(rows[0]) != width:
        raise ValueError(
            f"X has {len(rows[0])} features, but {estimator} is expecting {width} features as input: "
            f"pass the columns that fit was given"
        )
    return rows


def one_column(y: Any) -> Any:
    """y as one entry for each example: a column vector is flattened, with a warning."""
    shape = getattr(y, "shape", ())
    nested = isinstance(y, list | tuple) and len(y) > 0 and all(isinstance(row, list | tuple) for row in y)
    width = shape[1] if len(shape) == 2 else len(y[0]) if nested else None
    if width is None:
        return y
    if width != 1:
        raise ValueError(
            f"y has {width} columns, and a Classifier takes one label for each example: pass the labels, "
            f"such as y.argmax(axis=1) for one-hot rows"
        )
    warnings.warn(
        "A column-vector y was passed when a 1d array was expected: it was flattened; pass y.ravel() to say so",
        data_conversion_warning(),
        stacklevel=4,
    )
    return [row[0] for row in y] if nested else (y.to_numpy() if hasattr(y, "to_numpy") else y).ravel()


def checked_weights(weights: Any, count: int) -> Any:
    """The weights of `count` examples as an array or a list of floats; None stays None.

    Raises:
        ValueError: there are more or fewer, one is below 0 or not finite, or all are 0.
        TypeError: they are no numbers.
    """
    if weights is None:
        return None
    shape = getattr(weights, "shape", (count,))
    if len(shape) == 1 and hasattr(weights, "__len__") and len(weights) == count:
        numbers = as_table([[x] for x in weights] if not hasattr(weights, "__array__") else _column(weights), "weights")
        flat = numbers[:, 0] if hasattr(numbers, "dtype") else [row[0] for row in numbers]
        lowest, highest = min(listed(flat)), max(listed(flat))
        if lowest < 0.0:
            place = listed(flat).index(lowest)
            raise ValueError(f"sample_weight takes numbers of at least 0; sample_weight[{place}] is {lowest}")
        if highest == 0.0:
            raise ValueError("sample_weight is zero for all examples: give at least one a weight above 0")
        return flat
    got = (
        f"shape {tuple(shape)}"
        if len(shape) != 1
        else f"{len(weights)} of them"
        if hasattr(weights, "__len__")
        else shown(weights)
    )
    raise ValueError(f"sample_weight takes a number for each of the {count} examples; got {got}")


def _column(weights: Any) -> Any:
    import numpy as np

    return np.asarray(weights).reshape(-1, 1)


def is_structured(X: Any) -> bool:
    """Whether X is an array with named fields."""
    return getattr(getattr(X, "dtype", None), "names", None) is not None


def needs_encoding(X: Any) -> bool:
    """Whether X is a table with names, and more in it than finite numbers."""
    if isinstance(X, Mapping) or is_structured(X) or hasattr(X, "columns_used") or type(X).__name__ == "Table":
        return True
    if isinstance(X, list | tuple) and len(X) > 0 and isinstance(X[0], Mapping):
        return True
    if getattr(X, "columns", None) is None:
        return False
    array = X.to_numpy()
    if array.dtype.kind not in "biuf":
        return True
    return not sys.modules["numpy"].isfinite(array).all()
