"""At which numbers is a function checked, and how is it called with others in their places?

In every check a tuple is the arguments, f(x, y). Anything else is one argument: a number, a list, a dict or an array,
nested at will. `Inputs` takes such a point apart and puts it together again, and `ModelInputs` does so with the
parameters of a model. `arrays.py` knows the libraries of arrays, `outputs.py` reads what the function returns.
"""

import copy
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from autograd.reals import real_or_none, shown
from autograd.testing.arrays import (
    NUMBERS,
    NUMPY,
    Library,
    fault,
    holds_arrays,
    is_array,
    kind_of,
    library_of,
    place_in,
    roundoff,
)
from autograd.testing.differences.function_values import quiet
from autograd.testing.differences.rounding_errors import U
from autograd.testing.outputs import Block, Outputs, derivatives_by, parts_like, sequence
from autograd.testing.places import Place, entries, leaves_with_places, shape, written
from autograd.transforms.nesting import branches_of, is_nested, leaves_of, rebuilt
from autograd.value import Value


class Arguments(tuple[Any, ...]):
    """The positional arguments of one call, and those by keyword."""

    keywords: dict[str, Any]


class _Leaf:
    """A part of a point that is no list, tuple or dict: a number, an array, or something that is left alone."""

    __slots__ = ("count", "first", "library", "path", "template")

    def __init__(self, path: Place, template: Any, library: Library | None) -> None:
        self.path, self.template, self.library = path, template, library
        self.first, self.count = 0, 0  # its numbers among those of the point

    @property
    def shape(self) -> tuple[int, ...]:
        return self.library.shape(self.template) if self.library else ()


class Direction(NamedTuple):
    """Weights of all numbers of a point: `Inputs.along` moves by them."""

    floats: list[tuple[int, float]]
    """The leaves that are floats of Python's, and their weights that are not 0."""
    arrays: list[tuple[int, Library, Any]]
    """The other leaves that move, and their weights as arrays."""


class Inputs:
    """The numbers of a point in a row, and how to make another point of the same kind.

    What is no number is left alone: f gets it as it is. So it is with arrays of integers and booleans (labels, masks,
    indices), bools, strings, None, and objects of other kinds. A whole number, `3`, is a number of the point among
    Python's own numbers. It is left alone beside arrays of floats, unless it stands in a list with floats. As a keyword
    it is left alone too: there it is an axis, an index or a count. Write `3.0` for a number. Where nothing else is a
    number, whole numbers are, and NumPy's arrays of integers become arrays of floats.

    Arguments:
        point: a tuple of arguments, or one argument.
        caller: the check that was asked for, for the sentences of errors.
        keywords: arguments by keyword.

    Attributes:
        numbers: the numbers as floats, those of keywords last; Values count by their data.
        point, keywords: the same as given.
        several: whether the point is a tuple, and so all the arguments.
        unit: the unit roundoff of the coarsest of their types.
        notes: what is left alone although it holds arrays, in words.

    Raises:
        TypeError: the point holds complex numbers, or arrays of a kind or library that cannot be checked, or no number.
        ValueError: it is empty, or a number in it is not finite.

    >>> inputs = Inputs(([1, 2], {"b": 3.0}, "mean"), "check")
    >>> inputs.numbers, inputs.names
    ([1.0, 2.0, 3.0], ['x0[0]', 'x0[1]', "x1['b']"])
    >>> inputs.moved(1, 7.0)
    ([1.0, 7.0], {'b': 3.0}, 'mean')
    >>> inputs.along(inputs.direction([1.0, 0.0, -2.0]), 0.25)
    ([1.25, 2.0], {'b': 2.5}, 'mean')
    """

    def __init__(self, point: Any, caller: str, keywords: Mapping[str, Any] | None = None) -> None:
        self.point, self.keywords, self.caller = point, by_name(keywords, caller), caller
        self.several = type(point) is tuple  # a named tuple is one argument, as a dict is
        self.arguments: tuple[Any, ...] = point if self.several else (point,)
        self._is_flat = not any(map(is_nested, chain(self.arguments, self.keywords.values())))
        self._leaves = [
            _Leaf(path, leaf, library_of(leaf))
            for path, leaf in chain(leaves_with_places(self.arguments), leaves_with_places(self.keywords))
        ]
        self._refuse_faults()
        self.notes = [
            note_left_alone(self._name(leaf.path), leaf.template)
            for leaf in self._leaves
            if type(leaf.template) is not float and holds_arrays(leaf.template)
        ]
        self._leave_alone()
        self.numbers: list[float] = []
        self._counted: list[int] = []  # which leaves hold numbers
        for i, leaf in enumerate(self._leaves):
            if leaf.library:
                self._count(i, leaf)
        if not self.numbers:
            raise self._nothing()
        self._firsts = [self._leaves[i].first for i in self._counted]
        self._templates = [leaf.template for leaf in self._leaves]
        # Python's floats apart from the rest: a list of 100,000 moves in a fifth of the time
        counted = [(i, self._leaves[i]) for i in self._counted]
        self._floats = [(i, leaf.first) for i, leaf in counted if type(leaf.template) is float]
        self._others = [
            (i, leaf.library, leaf.first, leaf.first + leaf.count)
            for i, leaf in counted
            if leaf.library and type(leaf.template) is not float
        ]
        self._copied = [
            (i, library)
            for i, leaf in enumerate(self._templates)
            if type(leaf) is not float and (library := library_of(leaf)) and (is_array(leaf) or isinstance(leaf, Value))
        ]  # what a function might change
        self.unit = max([roundoff(self._templates[i]) for i, *_ in self._others], default=U)

    def _refuse_faults(self) -> None:
        for leaf in self._leaves:
            wrong = type(leaf.template) is not float and fault(leaf.template)
            if wrong:
                raise TypeError(
                    f"{self.caller} takes numbers, lists, dicts and arrays as the point, and a tuple as the arguments; "
                    f"{self._name(leaf.path)} is {wrong}"
                )

    def _leave_alone(self) -> None:
        """Takes the library from leaves that are no numbers; see the class for what whole numbers are."""
        kinds = [kind_of(leaf.template) for leaf in self._leaves]
        real = [leaf for leaf, kind in zip(self._leaves, kinds, strict=True) if kind == "real"]
        among_arrays = any(leaf.library is not NUMBERS for leaf in real)
        lists_with_floats = {leaf.path[:-1] for leaf in real if leaf.library is NUMBERS and len(leaf.path) > 1}
        for leaf, kind in zip(self._leaves, kinds, strict=True):
            counts = kind == "real" or (
                kind == "whole"
                and (leaf.library in (NUMBERS, NUMPY) if not real else leaf.library is NUMBERS)
                and (not real or len(leaf.path) > 1 or leaf.path[0] not in self.keywords)
                and (not among_arrays or leaf.path[:-1] in lists_with_floats)
            )
            if not counts:
                leaf.library = None

    def _count(self, i: int, leaf: _Leaf) -> None:
        """One more leaf that holds numbers."""
        assert leaf.library
        numbers = leaf.library.numbers(leaf.template)
        if not all(map(math.isfinite, numbers)):
            k, number = next((k, x) for k, x in enumerate(numbers) if not math.isfinite(x))
            raise ValueError(
                f"the point of {self.caller} is made of finite numbers; got {number} at "
                f"{self._name(leaf.path + place_in(leaf.shape, k))}; choose a point where f is defined"
            )
        if leaf.library.kind(leaf.template) == "whole":  # from here on it is moved as a float
            leaf.template = leaf.library.made(leaf.template, numbers)
        leaf.first, leaf.count = len(self.numbers), len(numbers)
        self.numbers += numbers
        self._counted += [i] * bool(numbers)

    def _nothing(self) -> Exception:
        """Why there is nothing to check."""
        takes = f"{self.caller} takes at least one number as the point"
        templates = [leaf.template for leaf in self._leaves]
        if all(is_array(leaf) and math.prod(leaf.shape) == 0 for leaf in templates):
            return ValueError(f"{takes}; it is empty")
        whole = [leaf for leaf in templates if is_array(leaf) and kind_of(leaf) == "whole"]
        if whole:
            return TypeError(f"{takes}; got an array of {whole[0].dtype}, which is left alone: make it one of floats")
        if self.notes:
            return TypeError(f"{takes}; {self.notes[0]}")
        of_an_engine = hasattr(templates[0], "data") and hasattr(templates[0], "grad")
        todo = ": give numbers, and let f make others of them" if of_an_engine else ""
        return TypeError(f"{takes}; got only {shown(templates[0])} ({type(templates[0]).__name__}){todo}")

    def _name(self, path: Place) -> str:
        if path and isinstance(path[0], str):
            return f"{path[0]}{written(path[1:])}"
        return f"x{path[0] if self.several else ''}{written(path[1:])}"

    def _home(self, k: int) -> int:
        """The leaf of the k-th number."""
        return self._counted[bisect_right(self._firsts, k) - 1]

    @cached_property
    def names(self) -> list[str]:
        """What each number is called."""
        return [self.name(k) for k in range(len(self.numbers))]

    def name(self, k: int) -> str:
        """What the k-th is called: "x[1]" in one argument, "x1['w'][0, 2]" in one of several, "w[2]" by keyword."""
        return self._name(self._path(k))

    def place(self, k: int) -> Place:
        """The place of the k-th number in the point."""
        path = self._path(k)
        return path if isinstance(path[0], str) or self.several else path[1:]

    def index(self, k: int) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
        """The name of the array that holds the k-th number, its shape, and the indices of the number in it."""
        leaf = self._leaves[self._home(k)]
        return self._name(leaf.path), leaf.shape, place_in(leaf.shape, k - leaf.first)

    def _path(self, k: int) -> Place:
        leaf = self._leaves[self._home(k)]
        return leaf.path + place_in(leaf.shape, k - leaf.first)

    @cached_property
    def blocks(self) -> list[tuple[str, int, int]]:
        """For each array or single number its name, and where its numbers start and stop in `numbers`."""
        leaves = [self._leaves[i] for i in self._counted]
        return [(self._name(leaf.path), leaf.first, leaf.first + leaf.count) for leaf in leaves]

    # Arguments for a call

    def call(self, f: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What f returns for arguments that `at`, `moved` or `along` made."""
        return f(*arguments, **getattr(arguments, "keywords", {}))

    def at(self, numbers: Sequence[float]) -> Arguments:
        """The arguments with other numbers, each of the type of that in its place."""
        leaves = self._copies()
        for i, first in self._floats:
            leaves[i] = numbers[first]
        for i, library, first, end in self._others:
            leaves[i] = library.made(self._templates[i], numbers[first:end])
        return self._around(leaves)

    def moved(self, k: int, x: float) -> Arguments:
        """The arguments with another number in one place: much less work than `at` where there are large arrays."""
        home = self._home(k)
        leaf = self._leaves[home]
        leaves = self._copies(home)
        leaves[home] = leaf.library.moved(leaf.template, k - leaf.first, x)  # type: ignore
        return self._around(leaves)

    def direction(self, weights: Any) -> Direction:
        """A direction in which all numbers can be moved at once, each as far as its weight says.

        Arguments:
            weights: a sequence of one for each number. For 1,000,000 an array of NumPy's takes 1 ms, a list 150.
        """
        floats = [(i, float(weights[first])) for i, first in self._floats if weights[first]]
        others = [
            (i, library, library.weights(self._templates[i], weights[first:end]))
            for i, library, first, end in self._others
            if _any(weights[first:end])
        ]
        return Direction(floats, others)

    def along(self, direction: Direction, t: float) -> Arguments:
        """The arguments with t * weight added to each number, in the arithmetic of the arrays' own library.

        Each sum is rounded to the type of the array. It is exact if t * weight is a power of two, or a small multiple
        of one, of at least a unit in the last place of the number and of the sum.
        """
        leaves = self._templates.copy()
        for i, weight in direction.floats:
            leaves[i] += t * weight
        with quiet():  # beyond the largest float16 it is an infinity
            for i, library, weights in direction.arrays:
                leaves[i] = library.along(leaves[i], weights, t)
        for i, library in self._copied:
            if leaves[i] is self._templates[i]:  # it did not move
                leaves[i] = library.copied(leaves[i])
        return self._around(leaves)

    def smallest(self, direction: Direction) -> float:
        """The smallest power of two with which `along` moves each number by at least its unit in the last place."""
        floats = (NUMBERS.smallest(self._templates[i], weight) for i, weight in direction.floats)
        others = (library.smallest(self._templates[i], weights) for i, library, weights in direction.arrays)
        return max(chain(floats, others))

    def nearest(self, k: int, x: float) -> float:
        """The number nearest to x that can stand in the place of the k-th."""
        leaf = self._leaves[self._home(k)]
        if type(leaf.template) is float:
            return x
        with quiet():  # beyond the largest float32 it is an infinity
            return leaf.library.nearest(leaf.template, x)  # type: ignore

    def made_of(self, make: Callable[[float], Any], numbers: Sequence[float]) -> tuple[list[Any], Arguments]:
        """Leaves of these numbers, and the arguments that hold them; arrays become arrays of objects."""
        made = [make(x) for x in numbers]
        leaves = self._copies()
        for i in self._counted:
            leaf = self._leaves[i]
            part = made[leaf.first : leaf.first + leaf.count]
            leaves[i] = part[0] if leaf.library is NUMBERS else _array_of_objects(part, leaf.shape)
        return made, self._around(leaves)

    def row(self, arguments: tuple[Any, ...]) -> list[Any]:
        """What stands in arguments of this kind, in the order of `numbers`."""
        return [item for leaf in self.parts(arguments) for item in entries(leaf)]

    def parts(self, arguments: tuple[Any, ...]) -> list[Any]:
        """The numbers and arrays of arguments that count, without what is left alone."""
        leaves = _leaves_of(arguments)
        return [leaves[i] for i in self._counted] if len(leaves) == len(self._leaves) else leaves

    def changed(self, arguments: tuple[Any, ...]) -> bool:
        """Whether a function that was called with these arguments, made at the point itself, has changed them."""
        leaves = _leaves_of(arguments)
        if len(leaves) != len(self._leaves):
            return True
        return not all(
            library.same(template, leaf) if (library := library_of(template)) else leaf is template
            for template, leaf in zip(self._templates, leaves, strict=True)
        )

    # What df returned

    def derivatives(self, found: Any, outputs: Outputs) -> list[float]:
        """The derivatives that df returned in a row: of the first output by each number, then of the next output.

        Arguments:
            found: for one argument its derivative: of the shape of the outputs followed by its own, or for a dict and
                for a list of parts of several shapes a nesting like it, with one derivative for each. For several
                arguments a sequence with one for each; then a dict with one for each keyword. What is left alone has
                None, or nothing. If the outputs are a nesting, a nesting like theirs of all that.
            outputs: what f returned.

        Raises:
            TypeError: something in it is no real number.
            ValueError: it has another structure or another shape.
        """
        if found is None:
            raise TypeError("df returned None, and not the derivative: is a return missing?")
        try:
            return self._read(found, outputs)
        except ValueError as error:
            parts = found if isinstance(found, tuple) and len(found) == 2 else (None, None)
            if shape(parts[0]) == outputs.shape == () and real_or_none(parts[0]) == outputs.numbers[0]:
                hint = "The first part is the value of f, as of value_and_grad: give df the second part alone"
                raise ValueError(f"{error}. {hint}") from None
            raise

    def _read(self, found: Any, outputs: Outputs) -> list[float]:
        """The derivatives that df returned in a row."""
        counting = leaves_of(outputs.counts)
        if sum(counting) == 1 < len(counting):  # what is beside the one result has no derivative
            result = leaves_of(outputs.result)[counting.index(True)]
            return self._rows(found, shape(result) or ())
        return self._by_result(found, outputs.result, outputs.counts)

    def _by_result(self, found: Any, result: Any, counts: Any) -> list[float]:
        """The derivatives of a part of the result."""
        of = shape(result) if all(leaves_of(counts)) else None
        if of is not None:
            return self._rows(found, of)
        parts = zip(branches_of(result), parts_like(found, result, "what f returns", counts), strict=True)
        return [x for (key, part), each in parts for x in self._by_result(each, part, counts[key])]

    def _rows(self, found: Any, of: tuple[int, ...]) -> list[float]:
        """The derivatives of results of one shape."""
        positional, named = self._counts
        of_arguments, of_keywords = self._split(found)
        blocks: list[Block] = []
        checked = [i for i, counts in enumerate(positional) if any(leaves_of(counts))]
        for i, each in zip(checked, self._positional(of_arguments, checked, of), strict=True):
            name = f"x{i}" if self.several else "the point"
            blocks += derivatives_by(name, self.arguments[i], positional[i], each, of)
        if any(leaves_of(named)):
            parts = parts_like(of_keywords, self.keywords, "the call by keyword", named)
            for key, each in zip(self.keywords, parts, strict=True):
                blocks += derivatives_by(key, self.keywords[key], named[key], each, of)
        return sequence(math.prod(of), blocks)

    def _split(self, found: Any) -> tuple[Any, Any]:
        """What df returned for the positional arguments, and for those by keyword: a dict at the end."""
        positional, named = self._counts
        holds_numbers = any(leaves_of(named))
        if isinstance(found, dict) and holds_numbers and not any(leaves_of(positional)):
            return None, found
        ends_with_dict = isinstance(found, (tuple, list)) and len(found) > 1 and isinstance(found[-1], dict)
        if self.keywords and ends_with_dict and (holds_numbers or set(found[-1]) <= set(self.keywords)):
            return found[0] if len(found) == 2 and not self.several else found[:-1], found[-1]
        if holds_numbers:
            raise ValueError(
                f"df returned {shown(found)}, but f takes {shown(list(self.keywords))} by keyword: return a sequence "
                f"that ends with a dict of their derivatives"
            )
        return found, {}

    def _positional(self, found: Any, checked: Sequence[int], of: tuple[int, ...]) -> Sequence[Any]:
        """The derivatives by the positional arguments that hold numbers."""
        if not checked:
            return []
        if not self.several:
            return [found]
        if len(checked) == 1 < len(self.arguments):  # beside labels or options, it may be given bare
            inner = shape(self.arguments[checked[0]])
            if isinstance(found, dict) or (inner is not None and shape(found) == of + inner):
                return [found]
        parts = parts_like(found, self.arguments, "the point", self._counts[0])
        return [parts[i] for i in checked]

    @cached_property
    def _counts(self) -> tuple[Any, Any]:
        """The point, with True and False in the places of its leaves: whether they count."""
        supply = (leaf.library is not None for leaf in self._leaves)
        return rebuilt(self.arguments, supply), rebuilt(self.keywords, supply)

    # Parts of a call

    def _copies(self, moving: int = -1) -> list[Any]:
        """All leaves, those that a function might change as copies."""
        leaves = self._templates.copy()
        for i, library in self._copied:
            if i != moving:
                leaves[i] = library.copied(leaves[i])
        return leaves

    def _around(self, leaves: list[Any]) -> Arguments:
        """Arguments with these leaves."""
        if self._is_flat and not self.keywords:
            arguments = Arguments(leaves)
            arguments.keywords = {}
            return arguments
        supply = iter(leaves)
        arguments = Arguments(rebuilt(self.arguments, supply))
        arguments.keywords = rebuilt(self.keywords, supply)
        return arguments


def by_name(keywords: Any, caller: str) -> dict[str, Any]:
    """Arguments by keyword as a dict.

    Raises:
        TypeError: keywords is no dict, or a key in it is no text.
    """
    if keywords is None:
        return {}
    if not isinstance(keywords, Mapping) or not all(isinstance(key, str) for key in keywords):
        raise TypeError(
            f"{caller} takes keywords, a dict of arguments by name, such as {{'scale': 2.0}}; got {shown(keywords)}"
        )
    return dict(keywords)


class ModelInputs:
    """The parameters of a model, a shared one once; a copy of the model is the one argument.

    Raises:
        TypeError: a parameter is no Value.
        ValueError: one is not finite, or there are none.
    """

    def __init__(self, model: Any, caller: str) -> None:
        self.point = model
        self.model = copy.deepcopy(model)
        named = self._named(self.model)
        self.names = list(named.values())
        for leaf, name in named.items():
            is_value = hasattr(leaf, "grad")
            if not is_value or not math.isfinite(leaf.data):
                error = ValueError if is_value else TypeError
                raise error(f"{caller} takes a model whose parameters are finite Values; {name} is {shown(leaf)}")
        self.numbers = [leaf.data for leaf in named]
        self._leaves = list(named)
        if not named:
            raise ValueError(f"{caller} takes at least one number as the point; the model has no parameters")

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


def note_left_alone(name: str, x: Any) -> str:
    """What to say of an object that holds arrays and is no list, tuple or dict."""
    return f"{name} ({type(x).__name__}) is left alone, although it holds arrays: give those in a dict"


def add_note_on_arguments(error: TypeError, caller: str, name: str, arguments: Sequence[Any]) -> None:
    """Says how a function was called that may not take so many arguments."""
    count = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
    error.add_note(f"{caller} called {name} with {count}: a tuple as the point is the arguments, anything else is one")


# Parts of a point


def _leaves_of(arguments: tuple[Any, ...]) -> list[Any]:
    """What stands in the arguments of a call."""
    return leaves_of(tuple(arguments)) + leaves_of(getattr(arguments, "keywords", {}))


def _any(weights: Sequence[float]) -> bool:
    """Whether one is not 0."""
    return bool(weights.any() if hasattr(weights, "any") else any(weights))


def _array_of_objects(items: Sequence[Any], shape: Sequence[int]) -> Any:
    """An array of NumPy's of any objects; nested lists where NumPy is not loaded."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return _folded(list(items), shape)
    array = numpy.empty(shape, object)
    array.flat = items
    return array


def _folded(items: list[Any], shape: Sequence[int]) -> Any:
    if not shape:
        return items[0]
    size = len(items) // max(shape[0], 1)
    return [_folded(items[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]
