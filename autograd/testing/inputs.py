"""At which numbers is a function checked, and how is it called with others in their places?

In every check a tuple is the arguments, f(x, y). Anything else is one argument: a number, a list, a dict or a NumPy
array, nested at will. `Inputs` takes such a point apart and puts it together again; `ModelInputs` does the same with
the parameters of a model. `spread` says which of very many inputs are compared with differences.
"""

import copy
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.testing.differences.function_values import quiet, roundoff
from autograd.transforms.nesting import is_nested, leaves_of, rebuilt
from autograd.value import Value

Place = tuple[Any, ...]
"""The keys and indices that lead to a number."""


def spread(inputs: int, cost: int, work: int, fewest: int = 8) -> list[int]:
    """Which inputs to compare: all of them, or if that took too long, some that are evenly spread.

    Arguments:
        inputs: how many there are.
        cost: what one of them costs.
        work: how much all of them may cost.
        fewest: how many are compared whatever the cost.

    >>> spread(3, 1, 2_000), spread(100, 1_000, 2_000)
    ([0, 1, 2], [0, 14, 28, 42, 56, 70, 84, 99])
    """
    count = min(inputs, max(fewest, work // max(cost, 1)))
    return [k * (inputs - 1) // max(count - 1, 1) for k in range(count)]


class Inputs:
    """The numbers of a point in a row, and how to make another point of the same kind.

    Arguments:
        point: a tuple of arguments, or one argument.
        caller: the check that was asked for, for the sentences of errors.

    Attributes:
        numbers: the numbers as floats; Values count by their data.
        point: the same as given.
        several: whether it is a tuple, and so all the arguments.
        places: the place of each number in the point.
        names: what each is called: "x[1]" in one argument, "x0" or "x1['w'][0, 2]" in one of several.
        unit: the unit roundoff of the coarsest of their types.

    Raises:
        TypeError: the point holds something other than finite real numbers.
        ValueError: it is empty.

    >>> inputs = Inputs(([1, 2], {"b": 3.0}), "check")
    >>> inputs.numbers, inputs.names
    ([1.0, 2.0, 3.0], ['x0[0]', 'x0[1]', "x1['b']"])
    >>> inputs.moved(1, 7.0)
    ([1.0, 7.0], {'b': 3.0})
    """

    def __init__(self, point: Any, caller: str) -> None:
        self.point = point
        self.several = type(point) is tuple  # a named tuple is one argument, as a dict is
        self.arguments: tuple[Any, ...] = point if self.several else (point,)
        self.items: list[Any] = []
        self.numbers: list[float] = []
        self.places: list[Place] = []
        self._homes: list[tuple[int, Place]] = []  # which leaf of the nesting, and where in that array
        self._leaves: list[Any] = []
        for path, leaf in _leaves_with_paths(point):
            _refuse_other_kinds(leaf, caller)
            self._add(path, leaf, caller)
        if not self.numbers:
            raise ValueError(f"{caller} takes at least one number as the point; it is empty")
        self._arrays = [i for i, leaf in enumerate(self._leaves) if _is_array(leaf)]
        self.names = [f"x{p[0]}{written(p[1:])}" if self.several else f"x{written(p)}" for p in self.places]
        self.unit = max(map(roundoff, self.items))

    def _add(self, path: Place, leaf: Any, caller: str) -> None:
        """One more number, or one more array of numbers."""
        first = len(self.numbers)
        for index, item in zip(indices(leaf.shape), leaf.reshape(-1), strict=True) if _is_array(leaf) else [((), leaf)]:
            self.items.append(item)
            self.numbers.append(_finite(item, caller))
            self.places.append(path + index)
            self._homes.append((len(self._leaves), index))
        self._leaves.append(
            _array_of(self.numbers[first:], leaf) if _is_array(leaf) else _like(leaf, self.numbers[first])
        )

    @property
    def text(self) -> str:
        """The point as one would type it."""
        arguments = self.at(self.numbers)
        return shown(arguments if self.several else arguments[0], 2_000)

    def at(self, numbers: Sequence[float]) -> tuple[Any, ...]:
        """The arguments with other numbers, each of the type of that in its place."""
        return self.around(map(_like, self.items, numbers))

    def moved(self, k: int, x: float) -> tuple[Any, ...]:
        """The arguments with another number in one place: much less work than `at` where there are large arrays."""
        leaves = self._leaves.copy()
        for i in self._arrays:
            leaves[i] = leaves[i].copy()
        home, index = self._homes[k]
        if _is_array(leaves[home]):
            leaves[home][index] = x
        else:
            leaves[home] = _like(self.items[k], x)
        return tuple(rebuilt(self.arguments, iter(leaves)))

    def nearest(self, k: int, x: float) -> float:
        """The number nearest to x that can stand in the place of the k-th."""
        with quiet():  # beyond the largest float32 it is an infinity
            return float(_like(self.items[k], x))

    def around(self, row: Iterable[Any], of_objects: bool = False) -> tuple[Any, ...]:
        """The arguments with others in the places of the numbers; arrays are of the same type, or of objects."""
        supply = iter(row)
        leaves = (
            _array_of(list(islice(supply, leaf.size)), leaf, of_objects) if _is_array(leaf) else next(supply)
            for leaf in self._leaves
        )
        return tuple(rebuilt(self.arguments, leaves))

    def made_of(self, make: Callable[[float], Any], numbers: Sequence[float]) -> tuple[list[Any], tuple[Any, ...]]:
        """Leaves of these numbers, and the arguments that hold them; arrays become arrays of objects."""
        leaves = [make(x) for x in numbers]
        return leaves, self.around(leaves, of_objects=True)

    def row(self, arguments: tuple[Any, ...]) -> list[Any]:
        """What stands in arguments of this kind, in the order of `numbers`."""
        return entries(arguments)


class ModelInputs:
    """The parameters of a model, a shared one once; a copy of the model is the one argument.

    Raises:
        TypeError: a parameter is no finite Value.
        ValueError: there are none.
    """

    def __init__(self, model: Any, caller: str) -> None:
        self.point = model
        self.model = copy.deepcopy(model)
        named = self._named(self.model)
        self.names = list(named.values())
        for leaf, name in named.items():
            if not hasattr(leaf, "grad") or not math.isfinite(leaf.data):
                raise TypeError(f"{caller} takes a model whose parameters are finite Values; {name} is {shown(leaf)}")
        self.numbers = [leaf.data for leaf in named]
        self._leaves = list(named)
        if not named:
            raise ValueError(f"{caller} takes at least one number as the point; the model has no parameters")

    text = "model"

    def made_of(self, make: Any, numbers: Sequence[float]) -> tuple[list[Any], tuple[Any, ...]]:
        """The parameters with these numbers and no gradients, and the model as the argument."""
        for leaf, number in zip(self._leaves, numbers, strict=True):
            leaf.data, leaf.grad = number, 0.0
        return self._leaves, (self.model,)

    def row(self, arguments: tuple[Any, ...]) -> list[Any]:
        """The parameters of the model that is the argument."""
        return list(self._named(arguments[0]))

    @staticmethod
    def _named(model: Any) -> dict[Any, str]:
        if hasattr(model, "named_parameters"):
            return {leaf: name for name, leaf in model.named_parameters()}
        return {leaf: f"p{i}" for i, leaf in enumerate(dict.fromkeys(model.parameters()))}


def add_note_on_arguments(error: TypeError, caller: str, name: str, arguments: Sequence[Any]) -> None:
    """Says how a function was called that may not take so many arguments."""
    count = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
    error.add_note(f"{caller} called {name} with {count}: a tuple as the point is the arguments, anything else is one")


# Parts of a point


def _leaves_with_paths(tree: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    if not is_nested(tree):
        yield path, tree
        return
    for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from _leaves_with_paths(branch, (*path, key))


def _refuse_other_kinds(leaf: Any, caller: str) -> None:
    numpy = sys.modules.get("numpy")
    foreign = hasattr(leaf, "dtype") and not (numpy and isinstance(leaf, (numpy.ndarray, numpy.generic)))
    if foreign or isinstance(leaf, (set, frozenset)):
        kind = type(leaf).__name__
        of = f" of {type(leaf).__module__.partition('.')[0]}" if foreign else ""
        raise TypeError(
            f"{caller} takes numbers, lists, dicts and NumPy arrays as the point, and a tuple as the arguments; "
            f"got a {kind}{of}: {'turn it into a NumPy array' if foreign else 'put its numbers in a list'}"
        )


def _finite(item: Any, caller: str) -> float:
    number = item.data if isinstance(item, Value) else real_or_none(item)
    if number is None or not math.isfinite(number):
        raise TypeError(f"the point of {caller} is made of finite real numbers; got {shown(item)} among them")
    return float(number)


def _is_array(x: Any) -> bool:
    """Whether x is an array, even one without axes, and not a number of NumPy's."""
    return hasattr(x, "dtype") and hasattr(x, "__setitem__")


def _array_of(items: Sequence[Any], template: Any, of_objects: bool = False) -> Any:
    """An array of the template's shape; of its type too if that can hold fractions."""
    dtype = object if of_objects else template.dtype if template.dtype.kind == "f" else float
    array = sys.modules["numpy"].empty(template.shape, dtype)
    array.flat = items
    return array


def shape(x: Any) -> tuple[int, ...] | None:
    """The shape of a number, an array, or a list of lists of the same length; None of anything else.

    >>> shape(1.0), shape([[1, 2, 3], [4, 5, 6]]), shape([[1], [2, 3]]), shape({"w": 1.0})
    ((), (2, 3), None, None)
    """
    if isinstance(x, (list, tuple)):
        inner = {shape(row) for row in x}
        return None if None in inner or len(inner) > 1 else (len(x), *(inner.pop() or () if inner else ()))
    return None if isinstance(x, dict) else tuple(x.shape) if _is_array(x) else ()


def entries(x: Any) -> list[Any]:
    """What stands in a number, an array, or any nesting of these, from left to right."""
    return [item for leaf in leaves_of(x) for item in (leaf.reshape(-1) if _is_array(leaf) else [leaf])]


def _like(template: Any, x: float) -> Any:
    """x as a number of the template's type if that is a float of NumPy's, otherwise as it is."""
    return template.dtype.type(x) if getattr(getattr(template, "dtype", None), "kind", "") == "f" else x


def indices(shape: Sequence[int]) -> Iterator[Place]:
    """All index tuples of an array of that shape, the last index fastest."""
    for flat in range(math.prod(shape)):
        index = []
        for size in reversed(shape):
            flat, place = divmod(flat, size)
            index.append(place)
        yield tuple(reversed(index))


def written(place: Place) -> str:
    """A place as it is written after a name.

    >>> written((0, 2)), written(("w", 1)), written(())
    ('[0, 2]', "['w'][1]", '')
    """
    groups = groupby(place, lambda key: isinstance(key, int))
    texts = [[", ".join(map(str, keys))] if is_index else [repr(key) for key in keys] for is_index, keys in groups]
    return "".join(f"[{text}]" for group in texts for text in group)
