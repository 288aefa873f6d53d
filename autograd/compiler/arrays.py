"""When does one program for one number serve for all numbers of an array? If NumPy would do the same with each of them.

A function that is called with an array gives what NumPy gives. It is recorded with `OneOfMany`, which refuses whatever
NumPy does with a whole array. Where it is refused, the function gets a `ValueArray` (see `transforms/arrays.py`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import modes
from autograd.compiler.tracing import RecordingError, Tracer
from autograd.transforms.arrays import alone, computed, named, wrapped


class WholeArrayNeeded(RecordingError):
    """A function that was given one number out of many did something that NumPy does with the whole array."""


_ELEMENTWISE = (np.where, np.clip, np.round)
"""Functions of arrays that do the same with each number, beside the ufuncs."""

_OF_ARRAYS = {"__len__", "__iter__", "__getitem__"} | {name for name in dir(np.ndarray) if not name.startswith("_")}
"""Attributes of arrays that functions ask for. (NumPy itself asks each object for others, such as `__array_struct__`.)
"""


class OneOfMany(Tracer):
    """A recorded number that stands for each number of an array in turn."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or not _are_single(inputs):
            raise _needs_all(f"numpy.{ufunc.__name__}")
        return computed(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _ELEMENTWISE or not _are_single(args):
            raise _needs_all(named(function))
        result = function(*[wrapped(alone(x)) if isinstance(x, OneOfMany) else x for x in args], **kwargs)
        return result[()] if isinstance(result, np.ndarray) else result

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise _needs_all("numpy.array")

    def __getattr__(self, name: str) -> Any:
        """What arrays have and numbers have not: the function might ask with `hasattr`, and do without."""
        if name in _OF_ARRAYS:
            raise _needs_all(f"the attribute {name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


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
