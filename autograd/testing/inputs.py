"""At which numbers is a function checked, and how is it called with others in their places?

In every check a tuple is the arguments, f(x, y). Anything else is one argument: a number, a list, a dict or an array,
nested at will. `Inputs` takes such a point apart and puts it together again, `Outputs` does the first of the two with
what the function returns, and `ModelInputs` with the parameters of a model. `arrays.py` knows the libraries of arrays.
`spread` says which of very many inputs are compared with differences.
"""

import copy
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, groupby, product
from typing import Any, NamedTuple

from autograd.reals import shown
from autograd.testing import arrays
from autograd.testing.arrays import NUMBERS, Library, fault, library_of
from autograd.testing.differences.function_values import quiet
from autograd.testing.differences.rounding_errors import U
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

    What is no number is left alone: f gets it as it is. That are arrays of integers and booleans (labels, masks,
    indices), bools, strings, None, and objects of other kinds. A whole number, `3`, is a number of the point among
    Python's own numbers. It is left alone beside arrays of floats, unless it stands in a list with floats, and as a
    keyword: there it is an axis, an index or a count. Write `3.0` for a number. Where nothing else is a number, whole
    numbers are, and NumPy's arrays of integers become arrays of floats.

    Arguments:
        point: a tuple of arguments, or one argument.
        caller: the check that was asked for, for the sentences of errors.
        keywords: arguments by keyword.

    Attributes:
        numbers: the numbers as floats, those of keywords last; Values count by their data.
        point, keywords: the same as given.
        several: whether the point is a tuple, and so all the arguments.
        unit: the unit roundoff of the coarsest of their types.

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
        self.point, self.keywords, self.caller = point, dict(keywords or {}), caller
        self.several = type(point) is tuple  # a named tuple is one argument, as a dict is
        self.arguments: tuple[Any, ...] = point if self.several else (point,)
        self._is_flat = not any(map(is_nested, chain(self.arguments, self.keywords.values())))
        self._leaves = [
            _Leaf(path, leaf, library_of(leaf))
            for path, leaf in chain(_leaves_with_paths(self.arguments), _leaves_with_paths(self.keywords))
        ]
        self._refuse_faults()
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
        self.unit = max([self._unit(i) for i, *_ in self._others], default=U)

    def _refuse_faults(self) -> None:
        for leaf in self._leaves:
            wrong = type(leaf.template) is not float and fault(leaf.template)
            if wrong:
                raise TypeError(
                    f"{self.caller} takes real numbers and arrays of them; {self._name(leaf.path)} is {wrong}"
                )

    def _leave_alone(self) -> None:
        """Takes the library from leaves that are no numbers; see the class for what whole numbers are."""
        kinds = [_kind(leaf.template) for leaf in self._leaves]
        real = [leaf for leaf, kind in zip(self._leaves, kinds, strict=True) if kind == "real"]
        among_arrays = any(leaf.library is not NUMBERS for leaf in real)
        lists_with_floats = {leaf.path[:-1] for leaf in real if leaf.library is NUMBERS and len(leaf.path) > 1}
        for leaf, kind in zip(self._leaves, kinds, strict=True):
            counts = kind == "real" or (
                kind == "whole"
                and (leaf.library in (NUMBERS, arrays.NUMPY) if not real else leaf.library is NUMBERS)
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
            name = self._name(leaf.path + arrays.place_of(k, leaf.shape))
            raise ValueError(
                f"the point of {self.caller} is made of finite real numbers; {name} is {number}: "
                f"choose a point where all are finite"
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
        whole = [leaf for leaf in templates if is_array(leaf) and _kind(leaf) == "whole"]
        if whole:
            return TypeError(f"{takes}; got an array of {whole[0].dtype}, which is left alone: make it one of floats")
        return TypeError(f"{takes}; got only {shown(templates[0])} ({type(templates[0]).__name__})")

    def _unit(self, i: int) -> float:
        library = self._leaves[i].library
        assert library
        return arrays.roundoff_of(library.precision(self._leaves[i].template))

    def _name(self, path: Place) -> str:
        if path and isinstance(path[0], str):
            return f"{path[0]}{written(path[1:])}"
        return f"x{path[0] if self.several else ''}{written(path[1:])}"

    def _home(self, k: int) -> int:
        """The leaf of the k-th number."""
        return self._counted[bisect_right(self._firsts, k) - 1]

    @cached_property
    def _paths(self) -> list[Place]:
        return [leaf.path + index for i in self._counted for leaf in [self._leaves[i]] for index in indices(leaf.shape)]

    @cached_property
    def places(self) -> list[Place]:
        """The place of each number in the point."""
        positional = 0 if self.several else 1
        return [path if isinstance(path[0], str) else path[positional:] for path in self._paths]

    @cached_property
    def names(self) -> list[str]:
        """What each is called: "x[1]" in one argument, "x0" or "x1['w'][0, 2]" in one of several, "w[2]" by keyword."""
        return [self._name(path) for path in self._paths]

    def name(self, k: int) -> str:
        """What the k-th number is called."""
        return self._name(self._path(k))

    def place(self, k: int) -> Place:
        """The place of the k-th number in the point."""
        path = self._path(k)
        return path if isinstance(path[0], str) or self.several else path[1:]

    def _path(self, k: int) -> Place:
        leaf = self._leaves[self._home(k)]
        return leaf.path + arrays.place_of(k - leaf.first, leaf.shape)

    @cached_property
    def blocks(self) -> list[tuple[str, int, int]]:
        """For each array or single number its name, and where its numbers start and stop in `numbers`."""
        leaves = [self._leaves[i] for i in self._counted]
        return [(self._name(leaf.path), leaf.first, leaf.first + leaf.count) for leaf in leaves]

    @property
    def text(self) -> str:
        """The point as one would type it."""
        arguments = self.at(self.numbers)
        return shown(tuple(arguments) if self.several else arguments[0], 2_000)

    # Arguments for a call

    def call(self, f: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What f returns for arguments that `at`, `moved` or `along` made."""
        return f(*arguments, **getattr(arguments, "keywords", {}))

    def at(self, numbers: Sequence[float]) -> Arguments:
        """The arguments with other numbers, each of the type of that in its place."""
        leaves = self._templates.copy()
        for i, library in self._copied:
            leaves[i] = library.copied(leaves[i])
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

    def direction(self, weights: Sequence[float]) -> Direction:
        """A direction in which all numbers can be moved at once, each as far as its weight says.

        Arguments:
            weights: one for each number; with an array of NumPy's it takes a tenth of the time.
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

    def units(self, k: int) -> float:
        """The unit roundoff of the type of the k-th number."""
        return self._unit(self._home(k))

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
        leaves = leaves_of(tuple(arguments)) + leaves_of(getattr(arguments, "keywords", {}))
        return [leaves[i] for i in self._counted] if len(leaves) == len(self._leaves) else leaves

    def changed(self, arguments: tuple[Any, ...]) -> bool:
        """Whether a function that was called with these arguments, made at the point itself, has changed them."""
        leaves = leaves_of(tuple(arguments)) + leaves_of(getattr(arguments, "keywords", {}))
        if len(leaves) != len(self._leaves):
            return True
        return not all(
            library.same(template, leaf) if (library := library_of(template)) else leaf is template
            for template, leaf in zip(self._templates, leaves, strict=True)
        )

    # What df returned

    def derivatives(self, found: Any, outputs: "Outputs") -> list[float]:
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
            raise TypeError("df returned None: return the derivative (is a return missing?)")
        return self._rows(found, outputs.result)

    def _rows(self, found: Any, result: Any) -> list[float]:
        of = shape(result)
        if of is None:
            pairs = zip(_like(found, result, "what f returns"), _branches(result), strict=True)
            return [number for each, part in pairs for number in self._rows(each, part)]
        blocks = [
            block
            for name, part, counts, each in self._arguments_of(found, of)
            for block in _blocks(name, part, counts, each, of)
        ]
        if len(blocks) == 1:
            return blocks[0][0]
        return [
            number
            for i in range(math.prod(of))
            for numbers, count in blocks
            for number in numbers[i * count : (i + 1) * count]
        ]

    def _arguments_of(self, found: Any, of: tuple[int, ...]) -> Iterator[tuple[str, Any, Any, Any]]:
        """Each argument that holds numbers: its name, itself, what of it counts, and its derivative."""
        positional, named = self._counts
        checked = [i for i, part in enumerate(positional) if any(leaves_of(part))]
        keys = [key for key, part in named.items() if any(leaves_of(part))]
        if keys and not checked:
            by_keyword = found[-1] if isinstance(found, (tuple, list)) and found else found
        elif keys or (self.keywords and type(found) is tuple and len(found) > 1 and isinstance(found[-1], dict)):
            by_keyword = found[-1] if isinstance(found, (tuple, list)) and found else None
            found = found[:-1] if by_keyword is not None else found
            found = found[0] if len(checked) == len(found) == 1 else found
        if keys and not isinstance(by_keyword, Mapping):
            before = "a sequence that ends with " if checked else ""
            raise ValueError(
                f"df returned {shown(found)}, but f was called with the keywords {keys}: return {before}a dict with "
                f"one derivative for each of them"
            )
        for i, each in zip(checked, self._positional(found, checked, of), strict=True):
            yield self._name((i,)), self.arguments[i], positional[i], each
        for key in keys:
            yield key, self.keywords[key], named[key], by_keyword.get(key)

    def _positional(self, found: Any, checked: Sequence[int], of: tuple[int, ...]) -> Sequence[Any]:
        """The derivatives by the positional arguments that hold numbers."""
        if not checked:
            return []
        if not self.several:
            return [found]
        if len(checked) == 1 < len(self.arguments):
            inner = shape(self.arguments[checked[0]])
            if isinstance(found, dict) or (inner is not None and shape(found) == of + inner):
                return [found]
        if _length(found) == len(checked) < len(self.arguments):
            return [found[k] for k in range(len(checked))]
        parts = _like(found, self.arguments, "the point")
        return [parts[i] for i in checked]

    @cached_property
    def _counts(self) -> tuple[Any, Any]:
        """The point, with True and False in the places of its leaves: whether they count."""
        supply = (leaf.library is not None for leaf in self._leaves)
        return rebuilt(tuple(self.arguments), supply), rebuilt(self.keywords, supply)

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


class Outputs:
    """The numbers that a function returned, in a row, and what is to be found again near the point.

    Arguments:
        result: a number, an array, or lists, tuples and dicts of them.
        what: the function's name in the sentences of errors.

    Attributes:
        numbers: the numbers as floats.
        shape: that of the array, or of the list of lists of the same length; None of any other nesting.
        unit: the unit roundoff of the coarsest of their types.

    Raises:
        TypeError: it is None, or holds something other than real numbers.

    >>> outputs = Outputs({"loss": 2.0, "parts": [0.5, 1.5]}, "f")
    >>> outputs.numbers, outputs.names, outputs.shape
    ([2.0, 0.5, 1.5], ["['loss']", "['parts'][0]", "['parts'][1]"], None)
    >>> outputs.numbers_of({"loss": 3.0, "parts": [1.0, 2.0]})
    [3.0, 1.0, 2.0]
    """

    def __init__(self, result: Any, what: str) -> None:
        self.result, self.what = result, what
        self.shape = shape(result)
        self.numbers = numbers_in(result, what)
        self._structure = _structure(result)
        self.unit = max((_roundoff(leaf) for leaf in leaves_of(result)), default=U)

    @cached_property
    def places(self) -> list[Place]:
        """The place of each number in the result."""
        return [path + index for path, leaf in _leaves_with_paths(self.result) for index in indices(shape(leaf) or ())]

    @cached_property
    def names(self) -> list[str]:
        """What is written after the function's name for each: "", "[0, 1]" or "['loss']"."""
        return [written(place) for place in self.places]

    def numbers_of(self, result: Any) -> list[float]:
        """The numbers of another result of the same function; nan for what is complex, outside of a domain.

        Raises:
            TypeError: its structure is another.
        """
        if self.shape == () and isinstance(result, float):
            return [float(result)]
        if (self.shape is None or shape(result) != self.shape) and _structure(result) != self._structure:
            raise TypeError(
                f"{self.what} returned {_described(result)}, but {_described(self.result)} at the point itself; "
                f"it must be the same near the point"
            )
        return numbers_in(result, self.what, nan_for_complex=True)


def numbers_in(x: Any, what: str, nan_for_complex: bool = False) -> list[float]:
    """The real numbers that a user's function returned, from left to right."""
    numbers: list[float] = []
    for leaf in leaves_of(x):
        if type(leaf) is float:
            numbers.append(leaf)
            continue
        library = library_of(leaf)
        wrong = fault(leaf)
        if nan_for_complex and wrong.startswith("complex"):
            numbers += [math.nan] * math.prod(library.shape(leaf) if library else ())
        elif wrong or library is None:
            raise TypeError(f"{what} must return real numbers, or arrays of them; got {wrong or _not_a_number(leaf)}")
        else:
            numbers += library.numbers(leaf)
    return numbers


def _not_a_number(x: Any) -> str:
    if x is None:
        return "None: is a return missing?"
    return f"{shown(x)} ({type(x).__name__})" + (": return its number, y.data" if hasattr(x, "data") else "")


def _kind(x: Any) -> str:
    library = library_of(x)
    return library.kind(x) if library else "other"


def _roundoff(x: Any) -> float:
    library = library_of(x)
    return arrays.roundoff_of(library.precision(x)) if library and library.kind(x) == "real" else U


def _structure(x: Any) -> Any:
    """The nesting of x, with shapes in the places of arrays."""
    if isinstance(x, dict):
        return {key: _structure(branch) for key, branch in x.items()}
    return [_structure(branch) for branch in x] if is_nested(x) else shape(x)


def _described(x: Any) -> str:
    found = shape(x)
    return f"the shape {found}" if found is not None else f"the structure {shown(_structure(x))}"


class ModelInputs:
    """The parameters of a model, a shared one once; a copy of the model is the one argument.

    Raises:
        TypeError: a parameter is no finite Value.
        ValueError: there are none.
    """

    text = "model"

    def __init__(self, model: Any, caller: str) -> None:
        self.point = model
        self.model = copy.deepcopy(model)
        named = self._named(self.model)
        self.names = list(named.values())
        for leaf, name in named.items():
            if not hasattr(leaf, "grad"):
                raise TypeError(f"{caller} takes a model whose parameters are finite Values; {name} is {shown(leaf)}")
            if not math.isfinite(leaf.data):
                raise ValueError(f"{caller} takes a model whose parameters are finite Values; {name} is {shown(leaf)}")
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


def add_note_on_arguments(error: TypeError, caller: str, name: str, arguments: Sequence[Any]) -> None:
    """Says how a function was called that may not take so many arguments."""
    count = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
    error.add_note(f"{caller} called {name} with {count}: a tuple as the point is the arguments, anything else is one")


# What df returned for the parts of a point


def _blocks(name: str, part: Any, counts: Any, found: Any, of: tuple[int, ...]) -> Iterator[tuple[list[float], int]]:
    """The derivatives of all outputs by the numbers of one array after the other, and how many numbers it has."""
    counting = leaves_of(counts)
    if not any(counting):
        return
    inner = shape(part) if all(counting) else None
    if found is None:
        raise TypeError(
            f"df returned None for {name}: return zeros where f does not depend on it "
            f"(torch.autograd.grad does with materialize_grads=True)"
        )
    if inner is None or (of and is_nested(part) and is_nested(found) and any(map(is_array, leaves_of(part)))):
        keys = list(part) if isinstance(part, dict) else range(len(part))
        for key, below, each in zip(keys, _branches(part), _like(found, part, name, counts), strict=True):
            yield from _blocks(f"{name}[{key!r}]", below, counts[key], each, of)
        return
    numbers = numbers_in(found, "df")
    if shape(found) != of + inner:
        raise ValueError(
            f"df returned the shape {shape(found)}, but f has the shape {of} and {name} {inner}: "
            f"return {of + inner}, one derivative for each pair of them"
        )
    yield numbers, math.prod(inner)


def _any(weights: Sequence[float]) -> bool:
    """Whether one is not 0."""
    return bool(weights.any() if hasattr(weights, "any") else any(weights))


def _branches(tree: Any) -> list[Any]:
    return list(tree.values() if isinstance(tree, dict) else tree)


def _length(x: Any) -> int:
    try:
        return len(x)
    except TypeError:
        return -1


def _like(found: Any, tree: Any, name: str, counts: Any = None) -> list[Any]:
    """What df returned for each branch of a nesting; None for what does not count and is left out."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    kept = [key for key in keys if counts is None or any(leaves_of(counts[key]))]
    try:
        if isinstance(tree, dict) and set(kept) <= set(found) <= set(keys):
            return [found.get(key) for key in keys]
        if len(found) == len(keys):
            return [found[key] for key in keys]
        if len(found) == len(kept):
            supply = iter(found)
            return [next(supply) if key in kept else None for key in keys]
    except (TypeError, LookupError):
        pass
    each = f"the keys {shown(keys)}" if isinstance(tree, dict) else f"{len(keys)} parts"
    raise ValueError(f"df returned {shown(found)}, but {name} has {each}: return one derivative for each of them")


# Parts of a point


def _leaves_with_paths(tree: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    if not is_nested(tree):
        yield path, tree
        return
    for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from _leaves_with_paths(branch, (*path, key))


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


def is_array(x: Any) -> bool:
    """Whether x is an array of a library, even one without axes, and no number of NumPy's."""
    return library_of(x) not in (None, NUMBERS)


def shape(x: Any) -> tuple[int, ...] | None:
    """The shape of a number, an array, or a list of lists of the same length; None of anything else.

    >>> shape(1.0), shape([[1, 2, 3], [4, 5, 6]]), shape([[1], [2, 3]]), shape({"w": 1.0})
    ((), (2, 3), None, None)
    """
    if isinstance(x, (list, tuple)):
        inner = {shape(row) for row in x}
        return None if None in inner or len(inner) > 1 else (len(x), *(inner.pop() or () if inner else ()))
    return None if isinstance(x, dict) else tuple(x.shape) if is_array(x) else ()


def entries(x: Any) -> list[Any]:
    """What stands in a number, an array, or any nesting of these, from left to right."""
    return [item for leaf in leaves_of(x) for item in (leaf.reshape(-1) if is_array(leaf) else [leaf])]


def indices(shape: Sequence[int]) -> Iterator[Place]:
    """All index tuples of an array of that shape, the last index fastest."""
    return product(*map(range, shape))


def written(place: Place) -> str:
    """A place as it is written after a name.

    >>> written((0, 2)), written(("w", 1)), written(())
    ('[0, 2]', "['w'][1]", '')
    """
    groups = groupby(place, lambda key: isinstance(key, int))
    texts = [[", ".join(map(str, keys))] if is_index else [repr(key) for key in keys] for is_index, keys in groups]
    return "".join(f"[{text}]" for group in texts for text in group)
