"""How is a graph of any depth pickled and copied, when `pickle` and `copy` recurse?

Parents go first. `copy.deepcopy` of a node copies its ancestors in topological order, so that each finds
its parents already copied. `pickle` of a node puts a list of its ancestors, in the same order, before the node's
own fields: each of them then finds its parents in the pickler's memo, and nothing nests. Identities
are kept by the same memos: `pickle.loads(pickle.dumps((x, h, loss)))` has `x` and `h` inside `loss`.
"""

import copy
import copyreg
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograd.graph import interior

if TYPE_CHECKING:
    from autograd.value import Value

_thread = threading.local()  # .listing: a list of ancestors is being pickled in this thread


class _Ancestors:
    """A list that the pickler draws from one node at a time; it unpickles as a list."""

    def __init__(self, nodes: "list[Value]") -> None:
        self.nodes = nodes

    def _one_by_one(self) -> "Iterator[Value]":
        _thread.listing = True
        try:
            yield from self.nodes
        finally:
            _thread.listing = False

    def __reduce__(self) -> Any:
        return list, (), None, self._one_by_one()


def _fields(node: "Value") -> Any:
    """The node's slots (and, for a subclass, its __dict__) in the form of pickle's protocol 2."""
    return object.__reduce_ex__(node, 2)[2]


def reduce(node: "Value", protocol: Any) -> Any:
    """`Value.__reduce_ex__`."""
    fields = _fields(node)
    if node._operation is not None and not getattr(_thread, "listing", False):
        return copyreg.__newobj__, (type(node),), (_Ancestors(interior(node)[:-1]), *fields)  # type: ignore[attr-defined]
    return copyreg.__newobj__, (type(node),), (None, *fields)  # type: ignore[attr-defined]


def restore(node: "Value", state: Any) -> None:
    """`Value.__setstate__`."""
    _, attributes, slots = state
    if attributes:
        node.__dict__.update(attributes)
    for name, value in slots.items():
        object.__setattr__(node, name, value)


def deepcopy(node: "Value", memo: dict[Any, Any]) -> "Value":
    """`Value.__deepcopy__`."""
    finished = memo.setdefault("autograd: nodes already copied", set())
    for ancestor in interior(node, finished):
        _duplicate(ancestor, memo)
    duplicate: Value = _twin(node, memo)
    return duplicate


def _twin(x: Any, memo: dict[Any, Any]) -> Any:
    """What stands in a copy for x: the copied Value, or the same number."""
    if isinstance(x, tuple):
        return tuple([_twin(item, memo) for item in x])
    if x is None or isinstance(x, float):
        return x
    return memo[id(x)] if id(x) in memo else _duplicate(x, memo)


def _duplicate(node: "Value", memo: dict[Any, Any]) -> "Value":
    """A copy of a node whose parents have been copied."""
    memo[id(node)] = duplicate = type(node).__new__(type(node))
    attributes, slots = _fields(node)
    copied = {}
    for name, value in slots.items():
        if name in ("_x", "_y", "_dx", "_dy"):
            copied[name] = _twin(value, memo)
        else:
            copied[name] = value if name == "_operation" else copy.deepcopy(value, memo)
    restore(duplicate, (None, copy.deepcopy(attributes, memo), copied))
    return duplicate


def shallow_copy(node: "Value") -> "Value":
    """`Value.__copy__`: another node with the same parents."""
    duplicate = type(node).__new__(type(node))
    attributes, slots = _fields(node)
    restore(duplicate, (None, attributes and dict(attributes), slots))
    return duplicate
