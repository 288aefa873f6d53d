"""What do NumPy's functions do with an array of Values? They compute, and record as the functions of `autograd` do.

NumPy applies its arithmetic, and functions such as `np.exp`, to objects by itself. For `np.maximum`, `np.where` and the
like it would ask them for a decision, and the functions of SciPy know no objects. `ValueArray` applies the functions of
`autograd` there. Sums, products and extremes of many numbers are one node each.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import functions, modes
from autograd.modes import RecordingError
from autograd.recorded_operations import RECORDED
from autograd.value import Value, apply


class NotForValues(TypeError):
    """A function of NumPy or SciPy fails for Values."""


def _heaviside(x: Any, at_zero: Any) -> Any:
    return functions.where(x < 0, 0.0, functions.where(x > 0, 1.0, x * 0.0 + at_zero))  # nan stays nan


def _and(x: Any, y: Any) -> Any:
    return apply(RECORDED["logical_and"], x, y) if modes.is_traced() else bool(x) and bool(y)


def _or(x: Any, y: Any) -> Any:
    return apply(RECORDED["logical_or"], x, y) if modes.is_traced() else bool(x) or bool(y)


def _not(x: Any) -> Any:
    return functions.where(x, 0.0, 1.0) if modes.is_traced() else not x


_BY_NAME: dict[str, Callable[..., Any]] = {
    **{name: getattr(functions, name) for name in ("maximum", "minimum", "clip", "sign", "erf", "erfc")},
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "logical_and": _and,
    "bitwise_and": _and,
    "logical_or": _or,
    "bitwise_or": _or,
    "logical_not": _not,
    "invert": _not,
    "heaviside": _heaviside,
    "expit": functions.sigmoid,
    "fabs": functions.abs,
    "conjugate": functions.pos,
    "rint": functions.round,
    "logaddexp": lambda x, y: functions.logsumexp([x, y]),
}
"""By their names, functions of NumPy and SciPy that do not take objects, or would ask them for a decision."""

_OF_ALL: dict[str, Callable[[list[Any]], Any]] = {
    "add": functions.sum,
    "multiply": functions.prod,
    "maximum": functions.max,
    "minimum": functions.min,
}
"""What the `reduce` of these ufuncs is, as one node."""


def computed(ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """What a ufunc gives for Values and arrays of them."""
    known = _BY_NAME.get(ufunc.__name__)
    function: Any = np.frompyfunc(known, ufunc.nin, 1) if known else ufunc
    if options.get("out"):
        options = {**options, "out": tuple(map(_plain, options["out"]))}
    operands = list(map(_plain, inputs))
    try:
        if method == "reduce" and ufunc.__name__ in _OF_ALL and _is_plain_reduction(operands[0], options):
            return wrapped(_reduced(_OF_ALL[ufunc.__name__], operands[0], options.get("axis", 0)))
        with np.errstate(all="ignore"):  # nan and inf are answers, as everywhere
            return wrapped(getattr(function, method)(*operands, **options))
    except (RecordingError, NotForValues):
        raise
    except TypeError as error:
        raise _not_for_values(ufunc.__name__, error) from error


def _is_plain_reduction(array: Any, options: dict[str, Any]) -> bool:
    """Whether a ufunc's `reduce` takes whole axes, and leaves them out."""
    usual = {"keepdims": False, "where": True, "dtype": None}
    others = {key: x for key, x in options.items() if key != "axis" and not (key in usual and x is usual[key])}
    return not others and isinstance(array, np.ndarray) and array.dtype == object and array.size > 0


def _reduced(of_all: Callable[[list[Any]], Any], array: Any, axis: Any) -> Any:
    """The function of all numbers along some axes, at each place of the others."""
    axes = range(array.ndim) if axis is None else np.atleast_1d(axis) % array.ndim
    kept = [k for k in range(array.ndim) if k not in axes]
    shape = [array.shape[k] for k in kept]
    rows = array.transpose(*kept, *axes).reshape(*shape, -1)
    result = np.empty(shape, object)
    for place in np.ndindex(*shape):
        result[place] = of_all(rows[place].tolist())
    return result if kept else result[()]


def wrapped(result: Any) -> Any:
    """A result of NumPy's, as a `ValueArray` if it is an array of objects; of bools, if all of them are."""
    if not isinstance(result, np.ndarray) or result.dtype != object:
        return result
    decided = result.size and all(type(x) is bool for x in result.flat)
    return result.astype(bool) if decided else result.view(ValueArray)


def _plain(x: Any) -> Any:
    """What NumPy computes with, in the place of a `ValueArray` or a single Value."""
    if isinstance(x, ValueArray):
        return x.view(np.ndarray)
    return alone(x) if isinstance(x, Value) else x


def alone(x: Any) -> Any:
    """A Value as an array without axes."""
    array = np.empty((), object)
    array[()] = x
    return array


def named(function: Any) -> str:
    """How a function of NumPy is called, such as "numpy.linalg.norm"."""
    return f"{function.__module__}.{function.__name__}"


def _not_for_values(name: str, error: TypeError) -> NotForValues:
    """The error for a function of NumPy that fails for Values."""
    remedy = "use a function of autograd for each number, or NumPy's arithmetic"
    if "Cannot cast" in str(error) and "output" in str(error):
        remedy = "an array of floats cannot hold them: write y = y + x for y += x, or give the array dtype=object"
    return NotForValues(f"{name} does not compute with Values: {remedy} ({error})")


class ValueArray(np.ndarray[Any, Any]):
    """An array of Values. A function that is differentiated, or recorded for arrays, gets it in the place of one."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, ValueArray):
            raise modes.unreadable("a choice of places by recorded numbers", "use np.where(x > 0, a, b)")
        return super().__getitem__(index)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return computed(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            return wrapped(np.frompyfunc(functions.where, 3, 1)(*map(_plain, args)))
        try:
            return wrapped(super().__array_function__(function, types, args, kwargs))  # outer(x, y) gives a plain one
        except (RecordingError, NotForValues):
            raise
        except TypeError as error:
            raise _not_for_values(named(function), error) from error
