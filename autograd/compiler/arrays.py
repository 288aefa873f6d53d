"""What do NumPy's functions do with recorded numbers?

A function that is called with an array gives what NumPy gives. One program for one number serves for all numbers of an
array only if the function does the same with each of them. So it is recorded with `OneOfMany`, which refuses whatever
NumPy does with a whole array. Where it is refused, the function gets a `RecordedArray`, on which NumPy computes.
"""

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import functions, modes
from autograd.compiler.tracing import RecordingError, Tracer
from autograd.recorded_operations import RECORDED
from autograd.value import apply


class WholeArrayNeeded(RecordingError):
    """A function that was given one number out of many did something that NumPy does with the whole array."""


class NotForRecorded(TypeError):
    """A function of NumPy or SciPy fails for recorded numbers."""


def _heaviside(x: Any, at_zero: Any) -> Any:
    return functions.where(x < 0, 0.0, functions.where(x > 0, 1.0, x * 0.0 + at_zero))  # nan stays nan


def _not(x: Any) -> Any:
    return functions.where(x, 0.0, 1.0)


_and, _or = partial(apply, RECORDED["logical_and"]), partial(apply, RECORDED["logical_or"])
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
    "rint": functions.round,
    "logaddexp": lambda x, y: functions.logsumexp([x, y]),
}
"""By their names, functions of NumPy and SciPy that do not take objects, or would ask them for a decision."""

_ELEMENTWISE = (np.where, np.clip, np.round)
"""Functions of arrays that do the same with each number, beside the ufuncs."""


def _computed(ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """What a ufunc gives for recorded numbers and arrays of them."""
    known = _BY_NAME.get(ufunc.__name__)
    function = np.frompyfunc(known, ufunc.nin, 1) if known else ufunc
    if options.get("out"):
        options = {**options, "out": tuple(map(_plain, options["out"]))}
    try:
        return _recorded(getattr(function, method)(*map(_plain, inputs), **options))
    except (RecordingError, NotForRecorded):
        raise
    except TypeError as error:
        raise _not_for_recorded(ufunc.__name__, error) from error


def _recorded(result: Any) -> Any:
    """A result of NumPy's, as one of the arrays below if it is an array of objects."""
    return result.view(RecordedArray) if isinstance(result, np.ndarray) and result.dtype == object else result


def _plain(x: Any) -> Any:
    """What NumPy itself computes with, in the place of an instance of the classes below."""
    if isinstance(x, RecordedArray):
        return x.view(np.ndarray)
    if isinstance(x, OneOfMany):
        alone = np.empty((), object)
        alone[()] = x
        return alone
    return x


def _not_for_recorded(name: str, error: TypeError) -> NotForRecorded:
    """The error for a function of NumPy that fails for recorded numbers."""
    remedy = "use a function of autograd for each number, or NumPy's arithmetic"
    if "Cannot cast" in str(error) and "output" in str(error):
        remedy = "an array of floats cannot hold them: write y = y + x for y += x, or give the array dtype=object"
    return NotForRecorded(f"{name} does not compute with numbers that are being recorded: {remedy} ({error})")


class RecordedArray(np.ndarray[Any, Any]):
    """An array of Tracers."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return _computed(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            return _recorded(np.frompyfunc(functions.where, 3, 1)(*map(_plain, args)))
        try:
            return super().__array_function__(function, types, args, kwargs)
        except (RecordingError, NotForRecorded):
            raise
        except TypeError as error:
            raise _not_for_recorded(f"numpy.{function.__name__}", error) from error


class OneOfMany(Tracer):
    """A recorded number that stands for each number of an array in turn."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or not _are_single(inputs):
            raise _needs_all(f"numpy.{ufunc.__name__}")
        return _computed(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _ELEMENTWISE or not _are_single(args):
            raise _needs_all(f"numpy.{function.__name__}")
        result = function(*[_recorded(_plain(x)) for x in args], **kwargs)
        return result[()] if isinstance(result, np.ndarray) else result

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise _needs_all("numpy.array")


def _are_single(operands: Sequence[Any]) -> bool:
    """Whether each of these is one number, or None."""
    return all(isinstance(x, OneOfMany) or np.ndim(x) == 0 for x in operands)


def _needs_all(what: str) -> WholeArrayNeeded:
    """The error for what NumPy does with a whole array. It is kept, in case the function catches it."""
    error = WholeArrayNeeded(f"{what} needs the whole array")
    noted = modes.refusals.get()
    if noted is not None:
        noted.append(error)
    return error
