"""What did a user's function return: which numbers, in which structure, and is that what was asked for?

`Outputs` are the numbers that f returned. `derivatives_by` reads what df returned for one argument of f.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from autograd.reals import shown
from autograd.testing.arrays import fault, is_array, kind_of, library_of, roundoff
from autograd.testing.differences.rounding_errors import U
from autograd.testing.places import Place, indices, leaves_with_places, shape, written
from autograd.transforms.nesting import branches_of, is_nested, leaves_of, rebuilt


class Outputs:
    """The numbers that a function returned, in a row, and what is to be found again near the point.

    What is no number beside numbers is left alone: None, text, arrays of integers and booleans, other objects.

    Arguments:
        result: a number, an array, or lists, tuples and dicts of them.
        what: the function's name in the sentences of errors.

    Attributes:
        numbers: the numbers as floats.
        shape: that of the array, or of the list of lists of the same length; None of any other nesting.
        unit: the unit roundoff of the coarsest of their types.
        result: the same as given.
        counts: its structure, with True and False in the places of leaves: whether they are numbers.

    Raises:
        TypeError: it is None, or without any real number, or holds complex numbers or unknown arrays.

    >>> outputs = Outputs({"loss": 2.0, "parts": [0.5, 1.5], "name": "mean"}, "f")
    >>> outputs.numbers, outputs.names, outputs.shape
    ([2.0, 0.5, 1.5], ["['loss']", "['parts'][0]", "['parts'][1]"], None)
    >>> outputs.numbers_of({"loss": 3.0, "parts": [1.0, 2.0], "name": "mean"})
    [3.0, 1.0, 2.0]
    """

    def __init__(self, result: Any, what: str) -> None:
        self.result, self.what = result, what
        leaves = leaves_of(result)
        if not leaves:
            raise TypeError(f"{what} returned {shown(result)}, which holds no number: return a number or an array")
        kinds = [_checked_kind(leaf, what) for leaf in leaves]
        counting = [kind == "real" or (kind == "whole" and not is_array(leaf)) for kind, leaf in _pairs(kinds, leaves)]
        if not any(counting):
            counting = [kind == "whole" for kind in kinds]
        if not any(counting):
            raise TypeError(f"{what} must return real numbers, or arrays of them; got {_not_a_number(leaves[0])}")
        self._counting = counting
        self._all_count = all(counting)
        self.counts = rebuilt(result, iter(counting))
        self.shape = shape(result) if self._all_count else None
        self.numbers = self._read(result)
        if not self.numbers:
            raise TypeError(f"{what} returned {shown(result)}, which holds no number: return a number or an array")
        self._structure = _structure(result)
        self.unit = max((roundoff(leaf) for leaf, counts in _pairs(leaves, counting) if counts), default=U)

    @cached_property
    def places(self) -> list[Place]:
        """The place of each number in the result."""
        leaves = leaves_with_places(self.result)
        return [
            place + index
            for (place, leaf), counts in _pairs(leaves, self._counting)
            if counts
            for index in indices(shape(leaf) or ())
        ]

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
        return self._read(result)

    def _read(self, result: Any) -> list[float]:
        """The numbers of a result of this structure."""
        leaves = leaves_of(result)
        if not self._all_count:
            leaves = [leaf for leaf, counts in _pairs(leaves, self._counting) if counts]
        return [number for leaf in leaves for number in _numbers(leaf, self.what, nan_for_complex=True)]


def _pairs(first: Any, second: Any) -> Any:
    return zip(first, second, strict=True)


def _checked_kind(leaf: Any, what: str) -> str:
    """The kind of a part of a result at the point."""
    wrong = "" if type(leaf) is float else fault(leaf)
    if wrong:
        raise TypeError(f"{what} must return real numbers, or arrays of them; got {wrong}")
    return kind_of(leaf)


def _numbers(leaf: Any, what: str, nan_for_complex: bool = False) -> list[float]:
    """The real numbers in a number or an array that a user's function returned."""
    if type(leaf) is float:
        return [leaf]
    library, wrong = library_of(leaf), fault(leaf)
    if wrong and nan_for_complex and library is not None and library.kind(leaf) == "complex":
        return [math.nan] * math.prod(library.shape(leaf))
    if wrong or library is None:
        raise TypeError(f"{what} must return real numbers, or arrays of them; got {wrong or _not_a_number(leaf)}")
    return library.numbers(leaf)


def _not_a_number(x: Any) -> str:
    if x is None:
        return "None: is a return missing?"
    return f"{shown(x)} ({type(x).__name__})" + (": return its number, y.data" if hasattr(x, "data") else "")


def _structure(x: Any) -> Any:
    """The nesting of x, with shapes in the places of arrays."""
    if isinstance(x, dict):
        return {key: _structure(branch) for key, branch in x.items()}
    return [_structure(branch) for branch in x] if is_nested(x) else shape(x)


def _described(x: Any) -> str:
    if x is None:
        return "None"
    found = shape(x)
    return f"the shape {found}" if found is not None else f"the structure {shown(_structure(x))}"


# What df returned

Block = tuple[list[float], int]
"""The derivatives of all outputs by the numbers of one array, output by output, and how many numbers it has."""


def derivatives_by(name: str, part: Any, counts: Any, found: Any, of: tuple[int, ...]) -> Iterator[Block]:
    """What df returned for one argument of f.

    Arguments:
        name, part: the argument.
        counts: its structure, with True and False in the places of leaves: whether they are numbers of the point.
        found: what df returned for it.
        of: the shape of what f returns.

    Returns:
        a block for each array in the argument.

    Raises:
        TypeError: something in it is no real number.
        ValueError: it has another structure or another shape.
    """
    counting = leaves_of(counts)
    if not any(counting):
        return
    if found is None:
        raise TypeError(
            f"df returned None for {name}: return zeros where f does not depend on it "
            f"(torch.autograd.grad does with materialize_grads=True)"
        )
    inner = shape(part) if all(counting) else None
    of_arrays = is_nested(part) and any(map(is_array, leaves_of(part)))
    if inner is None or (of and of_arrays and is_nested(found)):
        for (key, below), each in zip(branches_of(part), parts_like(found, part, name, counts), strict=True):
            yield from derivatives_by(f"{name}{written((key,))}", below, counts[key], each, of)
        return
    numbers = (
        [x for leaf in leaves_of(found) for x in _numbers(leaf, "df")] if is_nested(found) else _numbers(found, "df")
    )
    if shape(found) != of + inner:
        raise ValueError(
            f"df returned {_described(found)}, but f has the shape {of} and {name} {inner}: "
            f"return {of + inner}, one derivative for each pair of them"
        )
    yield numbers, math.prod(inner)


def parts_like(found: Any, tree: Any, name: str, counts: Any = None) -> list[Any]:
    """What df returned for each branch of a nesting; None for what does not count and is left out."""
    keys = [key for key, _ in branches_of(tree)]
    kept = [key for key in keys if counts is None or any(leaves_of(counts[key]))]
    try:
        if isinstance(tree, dict) and set(kept) <= set(found) <= set(keys):
            return [found.get(key) for key in keys]
        if not isinstance(tree, dict) and len(found) == len(keys):
            return [found[key] for key in keys]
        if not isinstance(tree, dict) and len(found) == len(kept):
            supply = iter([found[k] for k in range(len(kept))])
            return [next(supply) if key in kept else None for key in keys]
    except (TypeError, LookupError, AttributeError):
        pass
    each = f"the keys {shown(keys)}" if isinstance(tree, dict) else f"{len(keys)} parts"
    raise ValueError(f"df returned {shown(found)}, but {name} has {each}: return one derivative for each of them")


def note_on_integers(found: Any) -> str:
    """A hint where a gradient that is wrong is an array of integers; "" where it is none."""
    kinds = {str(leaf.dtype) for leaf in leaves_of(found) if is_array(leaf) and kind_of(leaf) == "whole"}
    return f"df returned integers ({', '.join(sorted(kinds))}), which cut off fractions" if kinds else ""


def sequence(rows: int, blocks: Sequence[Block]) -> list[float]:
    """The derivatives of the first output by all numbers, then of the next output."""
    if len(blocks) == 1:
        return blocks[0][0]
    return [number for i in range(rows) for numbers, count in blocks for number in numbers[i * count : (i + 1) * count]]
