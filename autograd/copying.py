"""How is a graph of any depth pickled and copied, when `pickle` and `copy` recurse?

Parents go first. `copy.deepcopy` of a node copies its ancestors in topological order, so that each finds
its parents already copied. `pickle` of a node puts a list of its ancestors, in the same order, before the node's
own fields: each of them then finds its parents in the pickler's memo, and nothing nests. Identities
are kept by the same memos: `pickle.loads(pickle.dumps((x, h, loss)))` has `x` and `h` inside `loss`. Of a gradient
that is a Value itself, after `backward(create_graph=True)`, a copy has the number: its graph leads back to the node.
"""

import copy
import copyreg
import threading
import weakref
from typing import TYPE_CHECKING, Any

from autograd.graph import interior

if TYPE_CHECKING:
    from autograd.value import Value

_thread = threading.local()  # .session: a weak reference to the pickling that is going on in this thread


class _Session:
    """What one pickler has been given. It lives as long as the pickler, whose memo holds the lists of ancestors."""

    __slots__ = ("__weakref__", "known", "pending")

    def __init__(self) -> None:
        self.known: set[Value] = set()
        self.pending: set[Value] = set()  # listed, and not pickled yet


class _Ancestors:
    """A list of nodes, parents first, that unpickles as a list."""

    def __init__(self, session: _Session, nodes: "list[Value]") -> None:
        self.session, self.nodes = session, nodes

    def __reduce__(self) -> Any:
        return list, (), None, iter(self.nodes)


def _fields(node: "Value") -> Any:
    """The node's slots (and, for a subclass, its __dict__) in the form of pickle's protocol 2."""
    fields: Any = object.__reduce_ex__(node, 2)[2]
    gradient: Any = node._grad
    if type(gradient) is not float:
        fields[1]["_grad"] = gradient._data
    return fields


def reduce(node: "Value", protocol: Any) -> Any:
    """`Value.__reduce_ex__`."""
    make, fields = copyreg.__newobj__, _fields(node)  # type: ignore[attr-defined]
    session: _Session | None = getattr(_thread, "session", lambda: None)()
    if node._operation is None:
        return make, (type(node),), (None, *fields)
    if session is not None and node in session.pending:
        session.pending.discard(node)
        return make, (type(node),), (None, *fields)
    if session is None or node in session.known:  # a pickler asks once for each node: this is another pickler
        session = _Session()
        _thread.session = weakref.ref(session)
    listed = interior(node, session.known)[:-1]
    session.pending.update(listed)
    return make, (type(node),), (_Ancestors(session, listed), *fields)


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
        if id(ancestor) not in memo:
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
