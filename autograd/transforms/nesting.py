"""How are nested lists, tuples and dicts of numbers taken apart, and rebuilt with other numbers in their places?

A function may take and return one number, or any nesting of numbers (JAX calls it a "pytree"). `numbers_in` lists the
numbers from left to right. `rebuilt` makes the same nesting with other numbers.

A `ValueArray` is a nesting of Values, too. Any other array is a leaf. `opened` makes it a `ValueArray`.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.value import Value

Number = float | Value


def is_nested(tree: Any) -> bool:
    """Whether this is a list, tuple or dict, or an array of Values."""
    return isinstance(tree, _NESTINGS) or _is_of_values(tree)


_NESTINGS = (list, tuple, dict)  # isinstance takes three times as long with a union of types
_LEAVES = (float, Value)


def _is_array(x: Any, kinds: str) -> bool:
    """Whether this is an array of NumPy's, with axes, of one of these kinds of numbers."""
    numpy = sys.modules.get("numpy")  # nobody has an array who has not imported it
    return numpy is not None and isinstance(x, numpy.ndarray) and x.dtype.kind in kinds and x.ndim > 0


def _is_of_values(x: Any) -> bool:
    """Whether this is a `ValueArray` with axes."""
    arrays = sys.modules.get("autograd.transforms.arrays")
    return arrays is not None and isinstance(x, arrays.ValueArray) and x.ndim > 0


def opened(tree: Any) -> Any:
    """The nesting with each array in it as a `ValueArray`, which is a nesting itself."""
    if _is_array(tree, "biufO"):
        from autograd.transforms.arrays import ValueArray

        return (tree if tree.dtype.kind == "O" else tree.astype(float)).astype(object, copy=False).view(ValueArray)
    if not isinstance(tree, _NESTINGS):
        return tree
    branches: list[Any] = [x if isinstance(x, _LEAVES) else opened(x) for _, x in branches_of(tree)]
    if all(x is y for x, (_, y) in zip(branches, branches_of(tree), strict=True)):
        return tree
    if isinstance(tree, dict):
        return dict(zip(tree, branches, strict=True))
    return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)


def leaves_of(tree: Any) -> list[Any]:
    """What a nesting holds, from left to right."""
    if not is_nested(tree):
        return [tree]
    if not isinstance(tree, _NESTINGS):
        return list(tree.flat)
    leaves: list[Any] = []
    for branch in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(branch, _LEAVES) or not is_nested(branch):  # asking for these first halves the time
            leaves.append(branch)
        else:
            leaves += leaves_of(branch)
    return leaves


def branches_of(tree: Any) -> Iterable[tuple[Any, Any]]:
    """What stands in a list, tuple or dict itself, each with its index or key."""
    return tree.items() if isinstance(tree, dict) else enumerate(tree)  # of an array: its rows


def path_to(tree: Any, leaf: Any) -> str:
    """Where an object stands in a nesting, for error messages: " at [1]['w']", or "" if it is the whole nesting."""
    pending = [("", tree)]
    while pending:
        path, branch = pending.pop()
        if branch is leaf:
            return path and f" at {path}"
        if is_nested(branch):
            pending += [(f"{path}[{key!r}]", below) for key, below in branches_of(branch)]
    return ""


def numbers_in(tree: Any, what: str) -> list[Number]:
    """The numbers of a nesting, from left to right: Values as they are, all others as floats.

    Arguments:
        tree: a number, or a nesting of lists, tuples and dicts.
        what: where the nesting comes from, for the error message.

    Raises:
        TypeError: something in it is no number.

    >>> numbers_in({"w": [1, 2.5], "b": 0}, "the model")
    [1.0, 2.5, 0.0]
    """
    numbers: list[Number] = []
    for leaf in leaves_of(tree):
        number = leaf if type(leaf) is float or isinstance(leaf, Value) else real_or_none(leaf)
        if number is None:
            hint = "; use .tolist(), or compile the function: then it takes arrays" if hasattr(leaf, "tolist") else ""
            raise TypeError(
                f"{what} takes numbers, Values, and lists, tuples and dicts of them; "
                f"got {shown(leaf)} ({type(leaf).__name__}){path_to(tree, leaf)}{hint}"
            )
        numbers.append(number)
    return numbers


def rebuilt(tree: Any, leaves: Iterator[Any]) -> Any:
    """The same nesting with other leaves, taken one by one.

    >>> rebuilt({"w": [1, 2.5], "b": 0}, iter("xyz"))
    {'w': ['x', 'y'], 'b': 'z'}
    """
    if isinstance(tree, dict):
        return {key: rebuilt(branch, leaves) for key, branch in tree.items()}
    if _is_of_values(tree):
        return _array_like(tree, [next(leaves) for _ in range(tree.size)])
    if is_nested(tree):
        branches = [
            next(leaves) if isinstance(branch, _LEAVES) or not is_nested(branch) else rebuilt(branch, leaves)
            for branch in tree
        ]
        if hasattr(tree, "_fields"):  # a namedtuple
            return type(tree)(*branches)
        return tuple(branches) if isinstance(tree, tuple) else branches
    return next(leaves)


def _array_like(array: Any, leaves: list[Any]) -> Any:
    """An array of the same shape with other leaves. If they are arrays, their axes come last; floats stay floats."""
    numpy = sys.modules["numpy"]
    shapes = {leaf.shape if _is_array(leaf, "fO") else () for leaf in leaves}
    inner = shapes.pop() if len(shapes) == 1 else ()
    if all(type(x) is float or _is_array(x, "f") for x in leaves) and not shapes:
        return numpy.array(leaves, float).reshape(array.shape + inner)
    made = numpy.empty_like(array, dtype=object, shape=(array.size, *inner))
    for place, leaf in enumerate(leaves):
        made[place] = leaf
    return made.reshape(array.shape + inner)


def shape_of(tree: Any) -> Any:
    """The nesting without its numbers. Two nestings that differ only in their numbers have equal shapes.

    >>> shape_of([1.0, (2.0, 3.0)]) == shape_of([4.0, (5.0, 6.0)])
    True
    """
    if isinstance(tree, dict):
        return {key: shape_of(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return "list" if isinstance(tree, list) else "tuple", [shape_of(branch) for branch in tree]
    return ("array", tree.shape) if _is_of_values(tree) else "number"


def described(tree: Any) -> str:
    """A nesting in words, for error messages.

    >>> described([1.0, 2.0]), described(3.0)
    ('a list of 2', 'a number')
    """
    if _is_of_values(tree):
        return f"an array of shape {tree.shape}"
    return f"a {type(tree).__name__} of {len(tree)}" if is_nested(tree) else "a number"


def numbers_like(tree: Any, like: Any, what: str) -> list[Number]:
    """The numbers of a nesting, in the order in which `like`, a nesting of the same shape, lists its own.

    Raises:
        TypeError: something in it is no number.
        ValueError: it has another shape.
    """
    tree, like = opened(tree), opened(like)
    numbers = numbers_in(tree, what)
    if shape_of(tree) != shape_of(like):
        plain = rebuilt(like, iter([x.data if isinstance(x, Value) else x for x in leaves_of(like)]))
        raise ValueError(f"{what} must have the structure of {shown(plain)}, number for number; got {shown(tree)}")
    return numbers_in(in_order(tree, like), what) if len(numbers) > 1 else numbers


def in_order(tree: Any, like: Any) -> Any:
    """The nesting, with the entries of its dicts in the order of another nesting of the same shape, and as lists."""
    if isinstance(like, dict):
        return [in_order(tree[key], branch) for key, branch in like.items()]
    return [in_order(*pair) for pair in zip(tree, like, strict=True)] if isinstance(like, _NESTINGS) else tree
