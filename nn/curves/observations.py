"""What was observed? An x, a y and a standard deviation for each observation, as arrays of finite numbers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd.reals import real_or_none, shown

Numbers = NDArray[np.float64]


class Observations(NamedTuple):
    """Numbers of each observation.

    Attributes:
        x: a row for each observation.
        in_rows: whether each x is a row of numbers, and not one number.
        y: what was observed.
        sigma: the standard deviation of y, or 1 where none was given.
        weighted: whether sigma was given.
    """

    x: Numbers
    in_rows: bool
    y: Numbers
    sigma: Numbers
    weighted: bool

    def first(self) -> Any:
        """The first x: a number, or a row."""
        return self.x[0] if self.in_rows else self.x[0, 0]

    def where(self, i: int) -> str:
        """An observation in words.

        >>> observations([0.0, 2.5], [1.0, 2.0], None).where(1)
        'observation 1 (x = 2.5)'
        """
        x = self.x[i].tolist()
        return f"observation {i} (x = {shown(x if self.in_rows else x[0])})"


def observations(x: Any, y: Any, sigma: Any) -> Observations:
    """The data as arrays.

    Raises:
        ValueError: they differ in length, are empty, or hold what is no finite number; the place is named.
    """
    ys = _finite("y", y)
    if ys.ndim != 1:
        raise ValueError(f"y takes a number for each observation; got shape {ys.shape}: fit one column at a time")
    if not len(ys):
        raise ValueError("least_squares needs observations; y is empty: give a number for each")
    xs = _finite("x", x)
    if xs.ndim not in (1, 2) or len(xs) != len(ys):
        turned = xs.ndim == 2 and xs.shape[1] == len(ys)
        hint = "give x.T, a row for each" if turned else "give an x for each y"
        raise ValueError(
            f"x takes a number, or a row of numbers, for each of {len(ys)} observations; got shape {xs.shape}: {hint}"
        )
    sigmas = np.ones(len(ys)) if sigma is None else _finite("sigma", sigma)
    if sigmas.shape not in ((), ys.shape):
        raise ValueError(
            f"sigma takes one number, or one for each of {len(ys)} observations; got shape {sigmas.shape}: give "
            f"standard deviations, not a matrix of covariances"
        )
    if np.any(sigmas <= 0.0):
        i = int(np.argmax(np.ravel(sigmas) <= 0.0))
        where = f"sigma[{i}]" if sigmas.ndim else "sigma"
        raise ValueError(
            f"{where} is {np.ravel(sigmas)[i]}; a standard deviation is above 0: leave sigma out, or leave out the "
            f"observation"
        )
    rows = xs if xs.ndim == 2 else xs[:, None]
    return Observations(rows, xs.ndim == 2, ys, np.broadcast_to(sigmas, ys.shape).copy(), sigma is not None)


def _finite(name: str, given: Any) -> Numbers:
    """What was given as an array of finite numbers, or an error that names the place of what is none."""
    values = getattr(given, "values", None)  # of a column of a Table, or of a data frame
    given = given if values is None or callable(values) else values
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name} takes numbers, or rows of equal length; got {shown(given)}") from None
    if array.dtype.kind not in "biuf":
        array = np.array(given, dtype=object)  # `array` would have made text of the numbers beside a text
        for place, cell in np.ndenumerate(array):
            if real_or_none(cell) is None:
                raise ValueError(
                    f"{name}{_index(place)} is {shown(cell)}; least_squares takes finite numbers: leave out the "
                    f"observation, or give a number"
                )
    numbers = array.astype(np.float64)
    if not np.all(np.isfinite(numbers)):
        place = tuple(np.argwhere(~np.isfinite(numbers))[0])
        raise ValueError(
            f"{name}{_index(place)} is {numbers[place]}; least_squares takes finite numbers: leave out the observation"
        )
    return numbers


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in place)}]" if place else ""
