"""What may X be, and the weights of its rows? Rows of numbers, or a table that is yet to be encoded.

Whole arrays are checked and converted by NumPy, where it is installed; without it everything stays lists.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean
from typing import Any

from autograd.reals import shown
from nn.datasets.columns import Column
from nn.datasets.table import Table
from nn.datasets.tables import as_table, listed, part


@dataclass(frozen=True)
class Examples:
    """What an estimator learns from.

    Attributes:
        inputs: a Table that is yet to be encoded, or the rows of numbers, as an array or lists.
        targets: for each example the number of its class, or a number, or a row of numbers.
        weights: how much each example counts; None where all count alike.
    """

    inputs: Any
    targets: Any
    weights: Any = None

    def __len__(self) -> int:
        return len(self.targets)

    def at(self, places: Sequence[int]) -> "Examples":
        """The examples at these places, which are in increasing order."""
        if len(places) == len(self):
            return self
        inputs = self.inputs.rows(places) if isinstance(self.inputs, Table) else part(self.inputs, places)
        return Examples(inputs, part(self.targets, places), part(self.weights, places))

    def of_mean_one(self) -> "Examples":
        """The examples with weights of mean 1: the learning rate keeps its meaning, and only their ratios matter."""
        return self if self.weights is None else replace(self, weights=of_mean_one(self.weights))


def read_inputs(X: Any) -> Any:
    """X as a Table where it has to be encoded, otherwise as rows of numbers: a float64 array, or lists without NumPy.

    Raises:
        ValueError, TypeError: it is neither, or has no rows or no columns.
    """
    return as_nn_table(X) if is_tabular(X) else rows_of_numbers(X)


def as_nn_table(X: Any) -> Table:
    """X as a Table with rows."""
    table = X if isinstance(X, Table) else Table(X)
    if not len(table):
        raise ValueError(f"{table.source} has no rows to learn from or to predict: pass at least one")
    return table


def is_tabular(X: Any) -> bool:
    """Whether X is a table with more in it than finite numbers, or of a kind that has names for its columns."""
    if isinstance(X, Table | Mapping | str | os.PathLike) or getattr(getattr(X, "dtype", None), "names", None):
        return True
    if isinstance(X, list | tuple) and len(X) > 0 and isinstance(X[0], Mapping):
        return True
    if not _is_frame(X):
        return False
    numbers = X.to_numpy()
    return numbers.dtype.kind not in "biuf" or not bool(sys.modules["numpy"].isfinite(numbers).all())


def _is_frame(X: Any) -> bool:
    """Whether X is a data frame of pandas or Polars."""
    return hasattr(X, "to_numpy") and len(getattr(X, "shape", ())) == 2


def names_in(X: Any) -> list[str] | None:
    """The names of the columns of X; None if it has none, or one that is no text."""
    names = X.names if isinstance(X, Table) else list(X.columns) if _is_frame(X) else []
    return names if names and all(isinstance(name, str) for name in names) else None


def numbers_as_in_fit(X: Any, names: Sequence[str] | None) -> Any:
    """X as rows of numbers, for an estimator that has learned from rows of numbers.

    Arguments:
        X: rows of numbers, or a table of any kind with the same columns.
        names: those of the columns in `fit`, where they had some.

    Raises:
        ValueError, TypeError: a column is missing, or not all of it is numbers.
    """
    if _is_frame(X) or not is_tabular(X):
        return rows_of_numbers(with_columns(X, names), learns=False)
    table = as_nn_table(X)
    columns = [table[name] for name in names or table.names]
    for column in columns:
        odd = next((i for i, cell in enumerate(column.values) if not isinstance(cell, int | float)), None)
        if odd is not None:
            cell = column.values[odd]
            raise ValueError(
                f"{table.where(odd)} has {'a gap' if cell is None else shown(cell)} in the column {column.name!r}, and "
                f"fit was given numbers alone: write a number there, or leave the row out"
            )
    return rows_of_numbers([list(map(float, row)) for row in zip(*(column.values for column in columns), strict=True)])


def target_in(X: Any, y: Any) -> Any:
    """The targets y, or their name where y is a Column that X holds."""
    if not isinstance(y, Column):
        return y
    is_part = isinstance(X, Table) and y.name in X and X[y.name].values == y.values
    return y.name if is_part else y.values


def with_columns(X: Any, names: Sequence[str] | None) -> Any:
    """X with the columns that `fit` has seen, in their order, as far as X has names.

    Raises:
        ValueError: one of them is missing.
    """
    here = names_in(X) if _is_frame(X) else None
    if names is None or here is None or here == names:
        return X
    for name in names:
        if name not in here:
            raise ValueError(f"X has no column {name!r}, which it had in fit; it has {shown(here)}: add the column")
    return X[names]


def rows_of_numbers(X: Any, learns: bool = True) -> Any:
    """X as a float64 array of two dimensions, or lists where NumPy is not installed.

    Arguments:
        X: what was given.
        learns: whether it is learned from, so that a table with gaps would do.

    Raises:
        ValueError, TypeError: it is no table of finite numbers, has no rows or no columns.
    """
    if hasattr(X, "tocsr"):
        raise TypeError("X is a sparse matrix, and a network takes all numbers: pass X.toarray()")
    columns = names_in(X)
    X = X.to_numpy() if _is_frame(X) else as_plain(X)
    if hasattr(X, "dtype"):
        _check_array(X, columns, learns)
    try:
        rows = as_table(X)
    except TypeError as error:
        if "(row " not in str(error):
            raise
        way_out = "; nn.Table(X) may have texts" * learns
        raise TypeError(f"{error} An argument must be no string, but a number{way_out}") from None
    if not len(rows):
        raise ValueError("X needs at least one row; got none: pass a row of numbers for each example")
    return rows


def _check_array(X: Any, columns: list[str] | None, learns: bool) -> None:
    """Raises ValueError if X is no table of finite numbers, as far as NumPy tells at a glance."""
    kind, shape = str(getattr(X.dtype, "kind", "")), tuple(X.shape)
    if kind == "c":
        raise ValueError(f"Complex data not supported: X has numbers such as {shown(X.flat[0])}; pass their real parts")
    if len(shape) != 2:
        raise ValueError(
            f"X takes a table, a row for each example; got {len(shape)} dimensions. Reshape your data: "
            f"X.reshape(-1, 1) if it is one column, X.reshape(1, -1) if it is one example"
        )
    if 0 in shape:
        what = "sample(s)" if shape[0] == 0 else "feature(s)"
        raise ValueError(
            f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required. "
            f"Pass a row for each example, and a column for each input"
        )
    if kind == "f" and hasattr(X, "flat"):
        import numpy as np

        finite = np.isfinite(X)
        if not finite.all():
            i, j = np.argwhere(~finite)[0].tolist()
            column = j if columns is None else repr(columns[j])
            cell = "NaN" if X[i, j] != X[i, j] else "inf" if X[i, j] > 0 else "-inf"
            way_out = "or pass nn.Table(X), whose gaps are filled in" if learns else "or learn from a table with gaps"
            raise ValueError(
                f"X[{i}][{j}] (row {i}, column {column}) is {cell}, not a finite number: fill it in, leave out the "
                f"row, {way_out}"
            )


def checked_weights(weights: Any, count: int) -> Any:
    """The weights of `count` examples as an array or a list of floats; None stays None.

    Raises:
        ValueError: there are more or fewer, one is below 0 or not finite, or all are 0.
        TypeError: they are no numbers.
    """
    if weights is None:
        return None
    weights = weights.to_numpy() if hasattr(weights, "to_numpy") else as_plain(weights)
    shape = getattr(weights, "shape", None) or (len(weights),) if hasattr(weights, "__len__") else ()
    if tuple(shape) != (count,):
        raise ValueError(
            f"sample_weight takes a number for each of the {count} examples; got {shape or shown(weights)}"
        )
    column = weights.reshape(-1, 1) if hasattr(weights, "reshape") else [[weight] for weight in weights]
    rows = as_table(column, "sample_weight")
    numbers = rows[:, 0] if hasattr(rows, "dtype") else [row[0] for row in rows]
    plain = listed(numbers)
    if min(plain) < 0.0:
        place = plain.index(min(plain))
        raise ValueError(f"sample_weight takes numbers of at least 0; sample_weight[{place}] is {plain[place]}")
    if max(plain) == 0.0:
        raise ValueError("sample_weight is zero for all examples: give at least one a weight above 0")
    if not isfinite(sum(plain)):
        raise ValueError(
            f"sample_weight takes numbers whose sum a float can hold; the largest is {max(plain)}: divide all by it"
        )
    return numbers


def of_mean_one(weights: Any) -> Any:
    """The weights divided by their mean.

    >>> of_mean_one([1.0, 3.0])
    [0.5, 1.5]
    """
    if hasattr(weights, "dtype"):
        return weights / weights.mean()
    mean = fmean(weights)
    return [weight / mean for weight in weights]


def as_plain(x: Any) -> Any:
    """An object that only knows how to become an array, as one; everything else as it is."""
    if hasattr(x, "__array__") and not hasattr(x, "dtype"):
        import numpy as np

        return np.asarray(x)
    return x
