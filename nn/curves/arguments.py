"""With which numbers do the parameters begin, and where may they be?"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.reals import as_float, real_or_none, shown
from nn.curves.levenberg_marquardt import Box

Numbers = NDArray[np.float64]


def start_of(start: Any) -> Any:
    """The start as a mapping, or as a list."""
    if isinstance(start, Mapping):
        return start
    if real_or_none(start) is not None:
        return [start]
    if not isinstance(start, Iterable) or isinstance(start, str | bytes | Set) or getattr(start, "ndim", 1) != 1:
        raise TypeError(
            f"start takes a number for each parameter, such as [1.0, 0.5], or by name, such as "
            f'{{"a": 1.0, "b": 0.5}}; got {shown(start)}'
        )
    return list(start)


def numbers_of(start: Any, names: list[str]) -> Numbers:
    """The numbers to begin with, in the order of the names."""
    numbers = [start[name] for name in names] if isinstance(start, Mapping) else list(start)
    for name, number in zip(names, numbers, strict=True):
        if real_or_none(number) is None or not np.isfinite(float(number)):
            raise ValueError(f"start takes a finite number for each parameter; got {shown(number)} for {name}")
    return np.array([float(number) for number in numbers])


def box_of(names: list[str], start: Numbers, bounds: Mapping[str, Any], fixed: Any) -> Box:
    """Where the parameters may be: within their bounds, or where they are."""
    if not isinstance(bounds, Mapping):
        raise TypeError(
            f'bounds takes pairs by the names of parameters, such as {{"{names[0]}": (0.0, None)}}; got {shown(bounds)}'
        )
    held = _names_of_fixed(fixed)
    for name in [*bounds, *held]:
        if name not in names:
            what = "bounds" if name in bounds else "fixed"
            raise ValueError(f"{what} names {shown(name)}; the parameters are {', '.join(names)}: name one of these")
    lowest, highest = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for name, pair in bounds.items():
        i = names.index(name)
        lowest[i], highest[i] = _pair(name, pair)
        if not lowest[i] <= start[i] <= highest[i]:
            raise ValueError(
                f"start is {start[i]:g} for {name}, outside its bounds {lowest[i]:g} and {highest[i]:g}: begin between "
                f"them"
            )
    still = np.array([name in held for name in names])
    return Box(np.where(still, start, lowest), np.where(still, start, highest))


def _names_of_fixed(fixed: Any) -> list[str]:
    if isinstance(fixed, str):
        return [fixed]
    if fixed is None:
        return []
    if not isinstance(fixed, Iterable) or isinstance(fixed, Mapping):
        raise TypeError(
            f'fixed takes names of parameters, such as ["a", "b"]; got {shown(fixed)}: their numbers stand in start'
        )
    return list(fixed)


def _pair(name: str, pair: Any) -> tuple[float, float]:
    """The lowest and the highest number of a parameter."""
    if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
        raise ValueError(f"bounds takes a pair for {name}, such as (0.0, None); got {shown(pair)}")
    low, high = (
        default if bound is None else as_float(bound, f"bounds[{name!r}]")
        for bound, default in zip(pair, (-np.inf, np.inf), strict=True)
    )
    if not low < high:
        raise ValueError(
            f"the bounds of {name} are {low:g} and {high:g}; give the lower one first, or hold it with fixed="
        )
    return low, high
