"""What is `layer.weight`? The numbers of parameters as an array of NumPy's kind: what is written to it reaches them.

NumPy cannot look into Values, so this is no array itself but a table of the places where the numbers are kept. Each
question gathers the newest numbers, and each change is written to the places. What NumPy gets to see is a copy that
cannot be written to, so that no change ends in a copy unnoticed.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from autograd import Value
from autograd.reals import real_or_none, shown

Places = NDArray[np.object_]
"""What holds the numbers, in the array's shape: Values, or whatever else has `data` to read and to set."""

_VIEWS = ("reshape", "ravel", "transpose", "swapaxes", "squeeze", "diagonal")
_CHANGES = ("fill", "itemset", "partition", "put", "sort")
_REFUSED = ("resize", "setfield", "setflags")
_VIEW_FUNCTIONS = {getattr(np, name) for name in (*_VIEWS, "moveaxis", "expand_dims", "flip", "rot90")}
_CHANGING_FUNCTIONS = {np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask}


_CLOCK = count()
"""Tells what was before: that an array was made, or that one was written to."""


class _Copied(NamedTuple):
    """A part of an array that was set to another one: when, to which places, from which, and what was there before."""

    time: int
    to: list[int]
    source: list[int]
    overwritten: NDArray[np.float64]


class ParameterArray(NDArrayOperatorsMixin):
    """Parameters as an array of float64: it reads and computes like one of NumPy's, and what it is set to they become.

    An index gives a number, or for more than one place an array of the same kind, which goes on to be a view of the
    parameters: `layer.weight[0][1] = 2.0` and `layer.weight[mask] *= 0.5` reach them. `np.array(layer.weight)` is a
    copy of its own, as is whatever a function makes of it that asks for an array to write to, such as `np.require` or
    `torch.as_tensor`. Arithmetic gives NumPy's arrays, whose numbers know no history: no gradient flows through them.

    Attributes:
        grad: the gradients of the same parameters, to read and to set.

    >>> from nn import Layer
    >>> layer = Layer(2, 1)
    >>> layer.weight = [[1.0, 2.0]]
    >>> layer.weight[0, 1] *= 10
    >>> layer.weight
    array([[ 1., 20.]])
    >>> layer.neurons[0].w
    [Value(data=1.0, grad=0.0), Value(data=20.0, grad=0.0)]
    """

    __slots__ = ("_attribute", "_last", "_made", "_name", "_places")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, places: Places, name: str, attribute: str = "data") -> None:
        self._places = places
        self._name = name
        self._attribute = attribute
        self._made = next(_CLOCK)
        self._last: _Copied | None = None

    @property
    def grad(self) -> "ParameterArray":
        """The gradients of the parameters, as an array of the same kind."""
        return ParameterArray(self._places, f"{self._name}.grad", "grad")

    @grad.setter
    def grad(self, numbers: Any) -> None:
        self.grad.assign(numbers)

    def assign(self, numbers: Any) -> None:
        """Sets all numbers, to those of an array of the same shape.

        Raises:
            TypeError: they are no real numbers.
            ValueError: they have another shape. Nothing has been changed then.
        """
        new = as_numbers(numbers, self._name)
        if new.shape != self.shape:
            remedy = f"{self._name}[...] = {shown(numbers)} sets every number to it" if not new.shape else ""
            remedy = remedy or f"give the transpose, of shape {self.shape}" if new.T.shape == self.shape else remedy
            remedy = remedy or f"give an array of shape {self.shape}"
            raise ValueError(f"{self._name} has the shape {self.shape}; got numbers of shape {new.shape}: {remedy}")
        write(self._places, new, self._name, self._attribute)

    def __getitem__(self, key: Any) -> Any:
        found = self._places[key]
        if isinstance(found, np.ndarray):
            return ParameterArray(found, self._name, self._attribute)
        return read(np.array(found, np.object_), self._attribute)[()]

    def __setitem__(self, key: Any, numbers: Any) -> None:
        found = self._places[key]
        places = found if isinstance(found, np.ndarray) else np.array(found, np.object_)
        self._refuse_a_swap(places, numbers)
        new, filled = as_numbers(numbers, self._name), np.empty(places.shape)
        try:
            filled[...] = new
        except ValueError:
            raise ValueError(
                f"{self._name}[...] takes numbers of shape {places.shape} there; got numbers of shape {new.shape}: "
                f"give as many as there are places, or one for all of them"
            ) from None
        write(places, filled, self._name, self._attribute)

    def _refuse_a_swap(self, places: Places, numbers: Any) -> None:
        """Raises ValueError in the middle of `w[i], w[j] = w[j], w[i]`, and puts back what its first half has written.

        Both rows are views, as in NumPy, so that one is overwritten before it is read. NumPy's `shuffle` swaps so.
        """
        before, self._last = self._last, None
        if not isinstance(numbers, ParameterArray):
            return
        to, source = list(map(id, places.flat)), list(map(id, numbers._places.flat))
        if before is not None and (source, to) == (before.to, before.source) and numbers._made < before.time:
            write(numbers._places, before.overwritten, self._name, self._attribute)
            raise ValueError(
                f"{self._name}[i], {self._name}[j] = {self._name}[j], {self._name}[i] would lose a row, since both are "
                f"views: write {self._name}[[i, j]] = {self._name}[[j, i]], or to shuffle {self._name}[...] = "
                f"rng.permutation({self._name})"
            )
        if to != source and len(to) == len(source):
            self._last = _Copied(next(_CLOCK), to, source, read(places, self._attribute))

    # What NumPy asks

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(
                f"{self._name} is gathered from its parameters, so NumPy needs a copy: leave out copy=False"
            )
        numbers: NDArray[Any] = read(self._places, self._attribute)
        numbers = numbers if dtype is None else numbers.astype(dtype)
        numbers.flags.writeable = bool(copy)  # a change of what was not asked for as a copy would be lost
        return numbers

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        outputs = options.pop("out", ())
        if method.startswith("reduce") and any(isinstance(x, ParameterArray) for x in outputs):
            raise TypeError(  # the methods mean, std and var divide what they get back, if it is NumPy's own
                f"{self._name} cannot be out= of an array's method: write {self._name}[...] = array.mean(axis=0), for "
                f"instance"
            )
        changed = inputs[:1] if method == "at" else outputs
        copies = {id(x): np.array(x) for x in changed if isinstance(x, ParameterArray)}
        given = [copies[id(x)] if method == "at" and id(x) in copies else _plain(x) for x in inputs]
        if outputs:
            options["out"] = tuple(copies.get(id(x), x) for x in outputs)
        result = getattr(ufunc, method)(*given, **_plain(options))
        for x in changed:
            if id(x) in copies:
                x[...] = copies[id(x)]
        return result if not outputs else outputs[0] if len(outputs) == 1 else outputs

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in _VIEW_FUNCTIONS and arguments and arguments[0] is self:
            return self._view(function(self._places, *arguments[1:], **options))
        target = arguments[0] if function in _CHANGING_FUNCTIONS and arguments else options.get("out")
        if not isinstance(target, ParameterArray):
            return function(*_plain(arguments), **_plain(options))
        copy = np.array(target)
        given = [copy if x is target else _plain(x) for x in arguments]
        result = function(*given, **{name: copy if x is target else _plain(x) for name, x in options.items()})
        target[...] = copy
        return target if result is copy else result

    def _view(self, places: Places) -> "ParameterArray":
        return ParameterArray(places, self._name, self._attribute)

    # What an array has besides

    @property
    def T(self) -> "ParameterArray":
        """The same parameters, with the axes in reverse order."""
        return self._view(self._places.T)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many there are along each axis."""
        return self._places.shape

    def __getattr__(self, name: str) -> Any:
        """Whatever else an array has: methods that look or compute, that change the numbers, or that give a view."""
        if name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name in _REFUSED:
            raise AttributeError(
                f"{self._name} has no {name}: it has the shape and the kind of its parameters; take np.array(...) of it"
            )
        if name in _VIEWS:
            return lambda *arguments, **options: self._view(getattr(self._places, name)(*arguments, **options))
        if name in _CHANGES and hasattr(np.ndarray, name):
            return self._changing(name)
        return getattr(np.asarray(self), name)

    def __dir__(self) -> list[str]:
        whole = (name for name in dir(np.ndarray) if not name.startswith("__") and name not in _REFUSED)
        return sorted({*super().__dir__(), *whole})

    def _changing(self, name: str) -> Callable[..., None]:
        def change(*arguments: Any, **options: Any) -> None:
            copy = np.array(self)
            getattr(copy, name)(*arguments, **options)
            self[...] = copy

        return change

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, number: Any) -> bool:
        return number in np.asarray(self)

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __str__(self) -> str:
        return str(np.asarray(self))

    def __reduce__(self) -> Any:  # a copy, and what comes out of a pickle, is an array of its own
        return np.array(self).__reduce__()


def _plain(x: Any) -> Any:
    """What NumPy is to be given in place of x: arrays of its own in place of ours, in lists and tuples too."""
    if isinstance(x, ParameterArray):
        return np.asarray(x)
    if type(x) in (list, tuple):
        return type(x)(map(_plain, x))
    return {name: _plain(item) for name, item in x.items()} if type(x) is dict else x


def parameter_array(nested: Any, name: str) -> ParameterArray:
    """The parameters in a list, or in lists of the same length, as one array.

    Raises:
        ValueError: the lists differ in length.
    """
    places = places_in(nested)
    if places is None:
        raise ValueError(f"{name} is no array here, since the neurons differ in their number of weights: ask each one")
    return ParameterArray(places, name)


def places_in(nested: Any) -> Places | None:
    """What is in a list, or in lists of lists, in their shape; None if they differ in length, or are empty."""
    shape: list[int] = []
    level = [nested]
    while any(isinstance(x, list | tuple) for x in level):
        lengths = {len(x) if isinstance(x, list | tuple) else 0 for x in level}
        if len(lengths) != 1 or 0 in lengths:
            return None
        shape.append(lengths.pop())
        level = [x for row in level for x in row]
    places = np.empty(len(level), np.object_)
    places[:] = level
    return places.reshape(shape)


def read(places: Places, attribute: str = "data") -> NDArray[np.float64]:
    """The newest numbers in some places, as a new array."""
    held = [getattr(p, attribute, p) for p in places.ravel().tolist()]  # a plain number may stand in for a parameter
    numbers = [x.data if isinstance(x, Value) else x for x in held]  # a gradient may know its own history
    return np.array(numbers, np.float64).reshape(places.shape)


def write(places: Places, numbers: NDArray[np.float64], name: str, attribute: str = "data") -> None:
    """Writes numbers to places of the same shape.

    Raises:
        TypeError, ValueError: one of the numbers would be lost; nothing has been written then.
    """
    pairs = list(zip(places.ravel().tolist(), numbers.ravel().tolist(), strict=True))
    for i, (place, _) in enumerate(pairs):
        if isinstance(place, float | int) or (isinstance(place, Value) and place.operation):
            what = "a computed Value" if isinstance(place, Value) else f"the plain number {place!r}"
            index = list(map(int, np.unravel_index(i, places.shape)))
            raise TypeError(f"{name} cannot be set: at {index} it has {what}, which is no parameter: put a Value there")
    first = dict(reversed(pairs))
    if len(first) < len(pairs):
        for place, number in pairs:
            if repr(first[place]) != repr(number):
                raise ValueError(
                    f"{name} has a parameter that stands in several places; got {first[place]!r} and {number!r} for "
                    f"it: give the same number for all its places"
                )
    for place, number in pairs:
        setattr(place, attribute, number)


def as_numbers(x: Any, name: str) -> NDArray[np.float64]:
    """Real numbers as an array of float64: those of an array, a tensor of PyTorch's, a number, or lists of numbers.

    Numbers of half and single precision are converted exactly.

    Raises:
        TypeError: they are no real numbers, or one is masked.
    """
    try:
        array = _array(x)
        if array.dtype.kind in "biuf":
            with np.errstate(over="ignore"):
                return _in_range(array.astype(np.float64), array, name)
        if array.dtype.kind == "V" and array.dtype.names is None:  # bfloat16 and its like, of the package ml_dtypes
            return array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: of PyTorch's
        hint = ": give a dense tensor with numbers, such as its to_dense() or dequantize()" if _is_tensor(x) else ""
        raise TypeError(f"{name} takes an array of numbers; got {shown(x)} ({type(x).__name__}){hint}") from None
    numbers = [real_or_none(item) if array.dtype.kind == "O" else None for item in array.ravel().tolist()]
    if None in numbers:
        item = array.ravel().tolist()[numbers.index(None)]
        hint = ": give its .data" if isinstance(item, Value) else ": convert it to real numbers first"
        raise TypeError(f"{name} takes real numbers; got {shown(item)} ({type(item).__name__}){hint}")
    return _in_range(np.array(numbers, np.float64).reshape(array.shape), array, name)


def _in_range(numbers: NDArray[np.float64], array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """The numbers, if none became infinite on the way to a float.

    Raises:
        OverflowError: one did, as NumPy raises it.
    """
    for number, item in zip(numbers[np.isinf(numbers)].tolist(), array[np.isinf(numbers)].tolist(), strict=True):
        if number != item:
            raise OverflowError(f"{name} takes numbers that a float can hold, up to 1.8e308; got {shown(item)}")
    return numbers


def _is_tensor(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _array(x: Any) -> NDArray[Any]:
    if _is_tensor(x):
        tensor = x.detach().cpu()
        return np.asarray(tensor.double() if tensor.dtype.is_floating_point else tensor)  # NumPy has no bfloat16
    if np.ma.is_masked(x):
        raise ValueError("masked")
    return np.asarray(x)
