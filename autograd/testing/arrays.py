"""Whose arrays are these, and how are their numbers read, changed and moved?

One small class for each library: Python's and NumPy's single numbers and `Value`s, arrays of NumPy, tensors of PyTorch,
arrays of JAX. Each works with its library's own arithmetic, in the type of the array. A library is asked only if the
user has imported it. `inputs.py` says which arrays stand where in a point.
"""

import math
import sys
from collections.abc import Sequence
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any, ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from autograd.reals import real_or_none, shown
from autograd.testing.differences.rounding_errors import U
from autograd.transforms.nesting import leaves_of
from autograd.value import Value


class Precision(NamedTuple):
    """What a type of floats can hold: the distance from 1 to the next number, and the smallest normal number."""

    eps: float
    tiny: float


DOUBLE = Precision(sys.float_info.epsilon, sys.float_info.min)


class Library:
    """How one library's arrays are read, copied and moved. Arrays that it makes are like a given one, `template`."""

    classes: ClassVar[tuple[str, str]]
    """The module and the name of the class of its arrays."""

    def owns(self, x: Any) -> bool:
        """Whether x is one of its arrays."""
        module, name = self.classes
        return isinstance(x, getattr(sys.modules.get(module), name, ()))

    def fault(self, x: Any) -> str:
        """What is wrong with x as an argument, and what to do; "" if nothing is."""
        raise NotImplementedError

    def kind(self, x: Any) -> str:
        """ "real" for floats, "whole" for integers, "complex"; "other" for what is no number, such as booleans."""
        raise NotImplementedError

    def precision(self, x: Any) -> Precision:
        """That of its type."""
        raise NotImplementedError

    def shape(self, x: Any) -> tuple[int, ...]:
        """Its axes."""
        return tuple(x.shape)

    def numbers(self, x: Any) -> list[float]:
        """What stands in it, the last index fastest."""
        raise NotImplementedError

    def nearest(self, template: Any, x: float) -> float:
        """The number nearest to x that can stand in the template."""
        raise NotImplementedError

    def made(self, template: Any, numbers: Sequence[float]) -> Any:
        """Another array of these numbers."""
        raise NotImplementedError

    def copied(self, template: Any) -> Any:
        """The same once more, for a function that may change it."""
        raise NotImplementedError

    def moved(self, template: Any, index: int, x: float) -> Any:
        """A copy with another number in one place, counted with the last index fastest."""
        raise NotImplementedError

    def weights(self, template: Any, numbers: Sequence[float]) -> Any:
        """The direction in which `along` moves, in the type in which it computes: at least of single precision."""
        raise NotImplementedError

    def along(self, template: Any, weights: Any, t: float) -> Any:
        """template + t * weights, rounded to the template's type."""
        raise NotImplementedError

    def largest_ratio(self, template: Any, weights: Any) -> tuple[float, float]:
        """The largest |number / weight|, and the smallest |weight|, over the weights that are not 0."""
        raise NotImplementedError

    def same(self, template: Any, x: Any) -> bool:
        """Whether x, given to a function as a copy of the template, is still what it was."""
        raise NotImplementedError

    def smallest(self, template: Any, weights: Any) -> float:
        """The smallest power of two with which `along` moves every number by at least its unit in the last place."""
        precision = self.precision(template)
        ratio, least = self.largest_ratio(template, weights)
        part, exponent = math.frexp(max(ratio * precision.eps, precision.tiny / least))
        return math.ldexp(1.0, exponent - (part == 0.5))


class Numbers(Library):
    """Single numbers: Python's, NumPy's scalars, and Values."""

    def owns(self, x: Any) -> bool:
        return isinstance(x, (float, int, complex, Value)) or _is_scalar_of_numpy(x) or _is_real(x)

    def fault(self, x: Any) -> str:
        is_complex = self.kind(x) == "complex"
        return "complex: give its real and its imaginary part as two numbers" if is_complex else ""

    def kind(self, x: Any) -> str:
        if _is_scalar_of_numpy(x):
            return _numpy_kind(x.dtype)
        if isinstance(x, complex):
            return "complex"
        return "other" if isinstance(x, bool) else "whole" if isinstance(x, int) else "real"

    def precision(self, x: Any) -> Precision:
        return _numpy_precision(x.dtype) if _is_scalar_of_numpy(x) else DOUBLE

    def shape(self, x: Any) -> tuple[int, ...]:
        return ()

    def numbers(self, x: Any) -> list[float]:
        if isinstance(x, Value):
            return [x.data]
        number = float(x) if _is_scalar_of_numpy(x) else real_or_none(x)
        if number is None:
            raise TypeError(f"{shown(x)} ({type(x).__name__}) is no real number; give a float")
        return [number]

    def nearest(self, template: Any, x: float) -> float:
        return float(template.dtype.type(x)) if _is_scalar_of_numpy(template) else x

    def made(self, template: Any, numbers: Sequence[float]) -> Any:
        if type(template) is float:
            return numbers[0]
        if isinstance(template, Value):
            return type(template)(numbers[0])
        of_numpy = _is_scalar_of_numpy(template) and self.kind(template) == "real"
        return template.dtype.type(numbers[0]) if of_numpy else numbers[0]

    def copied(self, template: Any) -> Any:
        return type(template)(template.data) if isinstance(template, Value) else template

    def moved(self, template: Any, index: int, x: float) -> Any:
        return x if type(template) is float else self.made(template, [x])

    def weights(self, template: Any, numbers: Sequence[float]) -> Any:
        return float(numbers[0])

    def along(self, template: Any, weights: Any, t: float) -> Any:
        if type(template) is float:
            return template + t * weights
        return self.made(template, [self.numbers(template)[0] + t * weights])

    def largest_ratio(self, template: Any, weights: Any) -> tuple[float, float]:
        return abs(self.numbers(template)[0] / weights), abs(weights)

    def same(self, template: Any, x: Any) -> bool:
        return self.owns(x) and self.numbers(x) == self.numbers(template)


class NumPyArrays(Library):
    """numpy.ndarray, with the short floats of ml_dtypes too."""

    classes = ("numpy", "ndarray")

    def fault(self, x: Any) -> str:
        if hasattr(x, "mask"):
            return "a masked array: put numbers in the place of what is masked, x.filled(0.0)"
        if x.dtype.names is not None:
            return "a structured array: give its fields as arrays in a dict, {name: x[name] for name in x.dtype.names}"
        if x.dtype.kind == "O":
            return "an array of objects: make it one of numbers, x.astype(float), or a list"
        return _COMPLEX if self.kind(x) == "complex" else ""

    def kind(self, x: Any) -> str:
        return _numpy_kind(x.dtype)

    def precision(self, x: Any) -> Precision:
        return _numpy_precision(x.dtype)

    def numbers(self, x: Any) -> list[float]:
        found: list[float] = _numpy().asarray(x).astype(float, copy=False).ravel().tolist()
        return found

    def nearest(self, template: Any, x: float) -> float:
        return x if template.dtype.char == "d" else float(template.dtype.type(x))

    def made(self, template: Any, numbers: Sequence[float]) -> Any:
        array = _numpy().empty_like(template, dtype=None if self.kind(template) == "real" else float)
        array.flat = numbers
        return array

    def copied(self, template: Any) -> Any:
        return template.copy("K")

    def moved(self, template: Any, index: int, x: float) -> Any:
        array = template.copy("K")
        array.flat[index] = x
        return array

    def weights(self, template: Any, numbers: Sequence[float]) -> Any:
        dtype = _numpy().result_type(template.dtype, "f4") if template.dtype.kind == "f" else "f4"
        return _numpy().asarray(numbers, dtype).reshape(template.shape)

    def along(self, template: Any, weights: Any, t: float) -> Any:
        numpy = _numpy()
        array = numpy.empty_like(template)
        if template.dtype == weights.dtype:
            numpy.multiply(weights, t, out=array)
            array += template
        else:
            array[...] = template.astype(weights.dtype) + weights * t
        return array

    def largest_ratio(self, template: Any, weights: Any) -> tuple[float, float]:
        numpy = _numpy()
        sizes = abs(weights)
        moving = sizes > 0.0
        ratios = numpy.divide(abs(template), sizes, out=numpy.zeros_like(sizes), where=moving)
        return float(ratios.max()), float(sizes.min(where=moving, initial=math.inf))

    def same(self, template: Any, x: Any) -> bool:
        if not (self.owns(x) and x.shape == template.shape):
            return False
        same = x == template
        return bool(same.all() or (same | (template != template)).all())  # a missing date equals nothing


class TorchTensors(Library):
    """torch.Tensor, on any device. A copy asks for gradients if the template does, as a leaf of its own."""

    classes = ("torch", "Tensor")

    def fault(self, x: Any) -> str:
        if x.is_nested:
            return "a nested tensor of torch: give a list of tensors, x.unbind()"
        if x.is_sparse or x.layout is not _torch().strided:
            return "a sparse tensor of torch: give all its numbers, x.to_dense()"
        if x.is_quantized:
            return "a quantized tensor of torch: give floats, x.dequantize()"
        if x.device.type == "meta":
            return "a tensor on the device meta, which holds no numbers: make it on another, device='cpu'"
        return _COMPLEX if self.kind(x) == "complex" else ""

    def kind(self, x: Any) -> str:
        if x.dtype.is_floating_point:
            return "real"
        if x.dtype.is_complex:
            return "complex"
        return "other" if x.dtype == _torch().bool else "whole"

    def precision(self, x: Any) -> Precision:
        return _torch_precision(x.dtype)

    def numbers(self, x: Any) -> list[float]:
        if x.ndim == 0:
            return [float(x.item())]  # a third of the time: nearly every loss is such a tensor
        found: list[float] = x.detach().cpu().double().reshape(-1).tolist()
        return found

    def nearest(self, template: Any, x: float) -> float:
        return x if template.dtype == _torch().float64 else float(_torch().tensor(x, dtype=template.dtype))

    def made(self, template: Any, numbers: Sequence[float]) -> Any:
        made = _torch().tensor(numbers, dtype=template.dtype, device=template.device).reshape(template.shape)
        return self._like(template, made)

    def copied(self, template: Any) -> Any:
        return self._like(template, template.detach())

    def moved(self, template: Any, index: int, x: float) -> Any:
        array = self.copied(template).detach()
        array[place_in(template.shape, index)] = x
        return array.requires_grad_(template.requires_grad)

    def weights(self, template: Any, numbers: Sequence[float]) -> Any:
        dtype = template.dtype if template.dtype.itemsize >= 4 else _torch().float32
        return _torch().tensor(numbers, dtype=dtype, device=template.device).reshape(template.shape)

    def along(self, template: Any, weights: Any, t: float) -> Any:
        numbers = template.detach()
        if weights.dtype == template.dtype and template.is_contiguous():
            return _torch().add(numbers, weights, alpha=t).requires_grad_(template.requires_grad)
        return self._like(template, _torch().add(numbers.to(weights.dtype), weights, alpha=t))

    def largest_ratio(self, template: Any, weights: Any) -> tuple[float, float]:
        torch = _torch()
        sizes = weights.abs()
        moving = sizes > 0.0
        ratios = torch.where(moving, template.detach().abs() / sizes, 0.0)
        return float(ratios.max()), float(torch.where(moving, sizes, math.inf).min())

    def same(self, template: Any, x: Any) -> bool:
        return self.owns(x) and x.shape == template.shape and bool((x.detach() == template.detach()).all())

    @staticmethod
    def _like(template: Any, numbers: Any) -> Any:
        """A new tensor of the template's type that holds these numbers, with the same gaps between them in memory."""
        axes = sorted(zip(template.stride(), template.shape, strict=True))
        inner = [1, *(stride * length for stride, length in axes)]  # how far what lies inside of each axis reaches
        overlaps = any(stride < reach for (stride, length), reach in zip(axes, inner, strict=False) if length > 1)
        if template.is_contiguous() or overlaps:
            made = _torch().empty_like(template, requires_grad=False)
        else:
            made = _torch().empty_strided(
                template.shape, template.stride(), dtype=template.dtype, device=template.device
            )
        return made.copy_(numbers).requires_grad_(template.requires_grad)


class JaxArrays(Library):
    """jax.Array: they cannot be changed, so that copies are not needed. NumPy is there wherever JAX is."""

    classes = ("jax", "Array")

    def fault(self, x: Any) -> str:
        if isinstance(x, sys.modules["jax"].core.Tracer):
            return "a value that JAX is tracing, without numbers: call the check outside of jit, grad and vmap"
        return _COMPLEX if self.kind(x) == "complex" else ""

    def kind(self, x: Any) -> str:
        is_key = not isinstance(x.dtype, _numpy().dtype)  # of random numbers
        return "other" if is_key else _numpy_kind(x.dtype)

    def precision(self, x: Any) -> Precision:
        return _numpy_precision(x.dtype)

    def numbers(self, x: Any) -> list[float]:
        return NUMPY.numbers(x) if x.ndim else [float(x)]

    def nearest(self, template: Any, x: float) -> float:
        return float(template.dtype.type(x))

    def made(self, template: Any, numbers: Sequence[float]) -> Any:
        return self._like(template, _numpy().asarray(numbers, template.dtype).reshape(template.shape))

    def copied(self, template: Any) -> Any:
        return template

    def moved(self, template: Any, index: int, x: float) -> Any:
        array = _numpy().array(template)  # x.at[index].set takes ten times as long for a small array
        array.flat[index] = x
        return self._like(template, array)

    def weights(self, template: Any, numbers: Sequence[float]) -> Any:
        dtype = template.dtype if template.dtype.itemsize >= 4 else "f4"
        return self._like(template, _numpy().asarray(numbers, dtype).reshape(template.shape))

    def along(self, template: Any, weights: Any, t: float) -> Any:
        return (template.astype(weights.dtype) + t * weights).astype(template.dtype)

    def largest_ratio(self, template: Any, weights: Any) -> tuple[float, float]:
        return NUMPY.largest_ratio(_numpy().asarray(template), _numpy().asarray(weights))

    def same(self, template: Any, x: Any) -> bool:
        return x is template or (self.owns(x) and NUMPY.same(_numpy().asarray(template), _numpy().asarray(x)))

    @staticmethod
    def _like(template: Any, array: Any) -> Any:
        """An array of NumPy's as one of JAX's, on the template's device."""
        made = sys.modules["jax"].numpy.asarray(array)
        same_device = made.sharding == template.sharding
        return made if same_device else sys.modules["jax"].device_put(made, template.sharding)


NUMBERS, NUMPY, TORCH, JAX = Numbers(), NumPyArrays(), TorchTensors(), JaxArrays()


def library_of(x: Any) -> Library | None:
    """Whose number or array x is; None if it is neither, or of a library that is not known here."""
    cls = type(x)
    if cls not in _LIBRARIES:  # to ask JAX whether x is an array takes longer than to add two numbers
        _LIBRARIES[cls] = next((library for library in (NUMPY, TORCH, JAX, NUMBERS) if library.owns(x)), None)
    return _LIBRARIES[cls]


_LIBRARIES: "WeakKeyDictionary[type, Library | None]" = WeakKeyDictionary()


def fault(x: Any) -> str:
    """What is wrong with x as an argument, and what to do; "" if it is a number, an array, or neither of the two."""
    library = library_of(x)
    if library is not None:
        return library.fault(x)
    if isinstance(x, (set, frozenset)):
        return "a set: put its numbers in a list" if any(map(library_of, x)) else ""
    if isinstance(x, type) or not (hasattr(x, "__array__") or (hasattr(x, "dtype") and hasattr(x, "shape"))):
        return ""
    module = type(x).__module__.partition(".")[0]
    known = {"pandas": "x.to_numpy()", "tensorflow": "x.numpy()", "scipy": "x.toarray()", "jax": "x.todense()"}
    todo = f"NumPy array, {known[module]}" if module in known else "NumPy array"
    return f"a {type(x).__name__} of {module}: turn it into a {todo}"


def holds_arrays(x: Any) -> bool:
    """Whether an object of a kind that is not known here, such as a layer, has arrays of floats among its attributes.

    >>> import numpy as np, types
    >>> holds_arrays(types.SimpleNamespace(w=[np.ones(2)])), holds_arrays([np.ones(2)]), holds_arrays(np.ones(2))
    (True, False, False)
    """
    if library_of(x) is not None or isinstance(x, (type, ModuleType, FunctionType)):
        return False
    own = list(getattr(x, "__dict__", {}).values())
    return any(is_array(leaf) and kind_of(leaf) == "real" for leaf in leaves_of(own))


def place_in(shape: Sequence[int], index: int) -> tuple[int, ...]:
    """The indices of an entry of an array that is counted with the last index fastest.

    >>> place_in((2, 3), 5), place_in((), 0)
    ((1, 2), ())
    """
    place: list[int] = []
    for length in reversed(shape):
        index, last = divmod(index, length)
        place.insert(0, last)
    return tuple(place)


def is_array(x: Any) -> bool:
    """Whether x is an array of a library that is known here, even one without axes, and no single number."""
    return type(x) is not float and library_of(x) not in (None, NUMBERS)


def kind_of(x: Any) -> str:
    """ "real", "whole", "complex" or "other"; see `Library.kind`."""
    if type(x) is float:
        return "real"
    library = library_of(x)
    return library.kind(x) if library else "other"


def roundoff(x: Any) -> float:
    """The unit roundoff of the type of a number or an array, at least that of doubles; of integers that of doubles."""
    if type(x) is float or kind_of(x) != "real":
        return U
    library = library_of(x)
    return max(library.precision(x).eps / 2.0, U) if library else U


_COMPLEX = "complex: give its real and its imaginary part as two arguments, and let f compute re + 1j * im"


def _numpy() -> Any:
    return sys.modules["numpy"]


def _torch() -> Any:
    return sys.modules["torch"]


def _is_scalar_of_numpy(x: Any) -> bool:
    return isinstance(x, getattr(sys.modules.get("numpy"), "generic", ()))


def _is_real(x: Any) -> bool:
    """Whether x is another real number: a Fraction, a Decimal."""
    return getattr(x, "shape", None) is None and not hasattr(x, "dtype") and real_or_none(x) is not None


_KINDS = {"f": "real", "i": "whole", "u": "whole", "c": "complex"}


def _numpy_kind(dtype: Any) -> str:
    if dtype.kind in _KINDS:
        return _KINDS[dtype.kind]
    if dtype.kind != "V" or dtype.names is not None:
        return "other"
    return "real" if _numpy_precision(dtype) is not NO_PRECISION else "whole"


NO_PRECISION = Precision(math.nan, math.nan)


@lru_cache
def _numpy_precision(dtype: Any) -> Precision:
    """That of a type of floats, one of ml_dtypes too; `NO_PRECISION` of any other."""
    if dtype.kind != "f" and "ml_dtypes" not in sys.modules:
        return NO_PRECISION
    try:
        limits = (_numpy() if dtype.kind == "f" else sys.modules["ml_dtypes"]).finfo(dtype)
    except ValueError:
        return NO_PRECISION
    return Precision(float(limits.eps), float(limits.tiny))


@lru_cache
def _torch_precision(dtype: Any) -> Precision:
    limits = _torch().finfo(dtype)
    return Precision(limits.eps, limits.tiny)
