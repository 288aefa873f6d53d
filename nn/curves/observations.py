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
        hint = "give standard deviations, not a matrix of covariances" if sigmas.ndim == 2 else "give one for each y"
        raise ValueError(
            f"sigma takes one number, or one for each of {len(ys)} observations; got shape {sigmas.shape}: {hint}"
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
    _check_what_is_masked(name, given)
    if array.dtype.kind in "mM":
        raise ValueError(
            f"{name} takes numbers; got times ({array.dtype}): give them in a unit, such as seconds: "
            f"{name if array.dtype.kind == 'm' else f'({name} - min({name}))'} / numpy.timedelta64(1, 's')"
        )
    if array.dtype.kind not in "biuf":
        array = np.array(given, dtype=object)  # `array` would have made text of the numbers beside a text
        for place, cell in np.ndenumerate(array):
            if real_or_none(cell) is None:
                raise ValueError(
                    f"{name}{_index(place)} is {shown(cell)}; least_squares takes finite numbers: leave out the "
                    f"observation, or give a number"
                )
    numbers = array.astype(np.float64)
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0])
        raise ValueError(
            f"{name}{_index(place)} is {numbers[place]}{_more(wrong)}; least_squares takes finite numbers: leave out "
            f"the observation{_kept(name, numbers.ndim)}"
        )
    return numbers


def _check_what_is_masked(name: str, given: Any) -> None:
    """Raises ValueError if part of an array is masked: what lies beneath is not to be fitted."""
    masked = np.atleast_1d(np.ma.getmaskarray(given)) if isinstance(given, np.ma.MaskedArray) else np.zeros(1, bool)
    if masked.any():
        place = tuple(np.argwhere(masked)[0])
        raise ValueError(
            f"{name}{_index(place)} is masked{_more(masked)}; least_squares takes finite numbers: leave out the "
            f"observation, as with keep = ~numpy.ma.getmaskarray({name})"
        )


def _more(wrong: NDArray[np.bool_]) -> str:
    """How many others there are like the first one, in words."""
    others = int(np.sum(wrong)) - 1
    return f" ({others:,} more {'is' if others == 1 else 'are'} like it)" if others else ""


def _kept(name: str, axes: int) -> str:
    """How all of them are left out, for who has arrays."""
    each = {1: f"numpy.isfinite({name})", 2: f"numpy.isfinite({name}).all(axis=1)"}.get(axes)
    return f", as with keep = {each}; x[keep], y[keep]" if each else ""


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in place)}]" if place else ""
