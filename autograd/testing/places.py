"""Where does a number stand in a nesting of lists, dicts and arrays, and how is that written?"""

from collections.abc import Iterator, Sequence
from itertools import groupby, product
from typing import Any

from autograd.testing.arrays import is_array
from autograd.transforms.nesting import branches_of, is_nested, leaves_of

Place = tuple[Any, ...]
"""The keys and indices that lead to a number."""


class Field(str):
    """The name of a part of a named tuple."""


def leaves_with_places(tree: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """What a nesting holds, from left to right, each with the keys and indices that lead to it."""
    if not is_nested(tree):
        yield place, tree
        return
    fields = map(Field, getattr(tree, "_fields", ()))
    for key, branch in branches_of(tree):
        yield from leaves_with_places(branch, (*place, next(fields, key)))


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

    >>> written((0, 2)), written(("w", 1)), written((Field("b"), 0)), written(())
    ('[0, 2]', "['w'][1]", '.b[0]', '')
    """
    return "".join(
        f"[{', '.join(map(str, keys))}]"
        if is_index
        else "".join(f".{key}" if isinstance(key, Field) else f"[{key!r}]" for key in keys)
        for is_index, keys in groupby(place, lambda key: isinstance(key, int))
    )
