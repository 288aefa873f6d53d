"""How is a graph of any depth pickled and copied, when `pickle` and `copy` recurse?

Parents go first. `copy.deepcopy` of a node copies its ancestors in topological order: each finds its parents already
copied. `pickle` of a node writes all its ancestors at once, first as a list of blank Values, then as columns of their
numbers, operations and operands: nothing nests, and a million nodes are a few arrays.

Identities are kept by the memos of `pickle` and `copy`, which see every node: in
`pickle.loads(pickle.dumps((x, h, loss)))`, `x` and `h` are those inside `loss`. A gradient that is a Value itself,
after `backward(create_graph=True)`, is copied as its number, because its graph leads back to the node.
"""

import copy
import copyreg
import threading
import weakref
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from autograd.graph import edges, interior

Value = Any
"""A node, for annotations: `value.py` is built on this file."""

_SLOTS = ("_data", "_grad", "label", "_operation", "_x", "_dx", "_y", "_dy")

_thread = threading.local()  # .session: a weak reference to the latest session in this thread


class _Session:
    """What one pickler has been given. It lives as long as the pickler, whose memo holds the lists of nodes.

    A pickler does not say which one it is, so the session is a guess. A wrong one makes a pickle longer, never wrong.
    """

    __slots__ = ("__weakref__", "awaited", "known")

    def __init__(self) -> None:
        self.known: set[Value] = set()  # described in columns
        self.awaited: set[Value] = set()  # described in columns, and the pickler writes them next


class _Nodes:
    """A list of nodes that unpickles as a list, in which those that `_fill` is to describe are blank."""

    def __init__(self, session: _Session, earlier: "Sequence[Value]", described: "Sequence[Value]") -> None:
        self.session, self.earlier, self.described = session, earlier, described

    def __reduce__(self) -> Any:
        return list, (), None, self._announced()

    def _announced(self) -> "Iterator[Value]":
        yield from self.earlier
        awaited = self.session.awaited
        try:
            for node in self.described:
                awaited.add(node)
                yield node
        finally:  # a pickler that fails leaves nothing behind
            awaited.clear()


# Pickling


def reduce(node: "Value", protocol: Any) -> Any:
    """`Value.__reduce_ex__`."""
    blank = copyreg.__newobj__, (type(node),)  # type: ignore[attr-defined]
    session: _Session | None = getattr(_thread, "session", lambda: None)()
    if session is not None and node in session.awaited:
        session.awaited.discard(node)
        return blank
    if node._operation is None:
        return *blank, _state(node)
    if session is None or node in session.known:  # a pickler asks once for each node: this is another pickler
        session = _Session()
        _thread.session = weakref.ref(session)
    earlier, described = _listed(node, session.known)
    if len(described) == 1:
        return *blank, _state(node)
    return *blank, _columns(_Nodes(session, earlier, described)), None, None, _fill


def _listed(root: "Value", known: "set[Value]") -> "tuple[list[Value], list[Value]]":
    """The ancestors of `root` that are not known, parents first, which are known from now on; and before them, those of
    their parents that were known already."""
    described: dict[Value, None] = {}
    earlier: dict[Value, None] = {}
    for node in interior(root, known):
        for parent in edges(node)[0]:
            if parent not in described:
                (earlier if parent in known else described)[parent] = None
                known.add(parent)
        described[node] = None
    return list(earlier), list(described)


def _columns(nodes: _Nodes) -> tuple[Any, ...]:
    """The nodes; then columns of what every node has; then, by row, what few nodes have.

    The kind of a node is its operation, which of its operands are parents, and whether it holds them as tuples. Each
    operand has a number: its local derivative, or the constant itself. Each parent has its place among the nodes.
    """
    described = nodes.described
    kinds: dict[tuple[Any, ...], int] = {}
    kind_column, parents, numbers = _operand_columns(nodes, kinds)
    data = array("d", [node._data for node in described])
    gradients = array("d", map(_gradient, described))
    some = gradients if any(gradients.tobytes()) else None  # bytes, since -0.0 is a gradient too
    labels = {row: node.label for row, node in enumerate(described) if node.label}
    added = {row: _added(node) for row, node in enumerate(described) if type(node).__base__ is not object}
    return nodes, list(kinds), kind_column, parents, numbers, data, some, labels, added


def _operand_columns(nodes: _Nodes, kinds: dict[tuple[Any, ...], int]) -> tuple[Any, Any, Any]:
    """The columns of kinds, parents and numbers. One or two operands are written out, which is 1.5 times faster."""
    place = {node: i for i, node in enumerate(chain(nodes.earlier, nodes.described))}
    kind_column, parents, numbers = list[int](), array("i"), array("d")
    for node in nodes.described:
        x, dx, y, dy = node._x, node._dx, node._y, node._dy
        as_tuples = type(dx) is tuple
        if as_tuples:
            is_parent = tuple([not isinstance(operand, float) for operand in y])
            derivatives = iter(dx)
            parents.extend([place[parent] for parent in x])
            numbers.extend([next(derivatives) if p else operand for operand, p in zip(y, is_parent, strict=True)])
        else:
            is_parent = (dx is not None, dy is not None) if y is not None else (True,) if x is not None else ()
            if dx is not None:
                parents.append(place[x])
                numbers.append(dx)
            elif x is not None:
                numbers.append(x)
            if dy is not None:
                parents.append(place[y])
                numbers.append(dy)
            elif y is not None:
                numbers.append(y)
        kind_column.append(kinds.setdefault((node._operation, is_parent, as_tuples), len(kinds)))
    return array("B" if len(kinds) <= 256 else "i", kind_column), parents, numbers


def _fill(root: "Value", columns: tuple[Any, ...]) -> None:
    """Makes blank nodes what the columns say; `root` is among them."""
    nodes, kinds, kind_column, parents, numbers, data, gradients, labels, added = columns
    parent, number = map(nodes.__getitem__, parents).__next__, iter(numbers).__next__
    described = nodes[len(nodes) - len(data) :]
    written = [(node, _state(node)) for node in described if hasattr(node, "label")]  # by itself, before the columns
    for node, kind, x, gradient in zip(described, kind_column, data, gradients or [0.0] * len(data), strict=True):
        operation, is_parent, as_tuples = kinds[kind]
        node._data, node._grad, node.label, node._operation = x, gradient, "", operation
        if len(is_parent) == 2 and not as_tuples:
            node._x, node._dx = (parent(), number()) if is_parent[0] else (number(), None)
            node._y, node._dy = (parent(), number()) if is_parent[1] else (number(), None)
        elif as_tuples:
            pairs = [(parent(), number()) if p else (number(), None) for p in is_parent]
            node._y = tuple([x for x, _ in pairs])
            node._x = tuple([x for x, derivative in pairs if derivative is not None])
            node._dx = tuple([derivative for _, derivative in pairs if derivative is not None])
            node._dy = None
        else:
            node._x, node._dx = (parent(), number()) if is_parent else (None, None)
            node._y = node._dy = None
    for row, label in labels.items():
        described[row].label = label
    for row, own in added.items():
        _add(described[row], own)
    for node, state in written:
        restore(node, state)


# One node


def _state(node: "Value") -> tuple[Any, ...]:
    """All that a node is: its own fields, and what a subclass adds."""
    fields = [getattr(node, name) for name in _SLOTS]
    fields[1] = _gradient(node)
    return fields, _added(node)


def restore(node: "Value", state: tuple[Any, ...]) -> None:
    """`Value.__setstate__`."""
    fields, added = state
    for name, value in zip(_SLOTS, fields, strict=True):
        setattr(node, name, value)
    _add(node, added)


def _gradient(node: "Value") -> float:
    """The node's gradient as a number."""
    gradient: Any = node._grad
    return gradient if type(gradient) is float else gradient._data


def _added(node: "Value") -> Any:
    """What a subclass adds to the fields of a Value, as pickle's protocol 2 has it: its __dict__ and its slots."""
    if type(node).__base__ is object:  # Value itself
        return None
    state: Any = object.__getstate__(node)
    attributes, slots = state
    return attributes, {name: x for name, x in slots.items() if name not in _SLOTS}


def _add(node: "Value", added: Any) -> None:
    attributes, slots = added or (None, {})
    if attributes:
        node.__dict__.update(attributes)
    for name, x in slots.items():
        object.__setattr__(node, name, x)


# Copying


def _blank(node: "Value") -> "Value":
    """A node of the same class, in which nothing is set."""
    cls: Any = type(node)
    return cls.__new__(cls)


def shallow_copy(node: "Value") -> "Value":
    """`Value.__copy__`: another node with the same parents."""
    duplicate = _blank(node)
    restore(duplicate, _state(node))
    return duplicate


def deepcopy(node: "Value", memo: dict[Any, Any]) -> "Value":
    """`Value.__deepcopy__`."""
    finished = memo.setdefault("autograd: nodes already copied", set())
    for ancestor in interior(node, finished):
        if id(ancestor) not in memo:
            _duplicate(ancestor, memo)
    return _twin(node, memo)


def _twin(node: "Value", memo: dict[Any, Any]) -> "Value":
    """What stands in the copy for a node whose parents have been copied."""
    twin = memo.get(id(node))
    return _duplicate(node, memo) if twin is None else twin


def _duplicate(node: "Value", memo: dict[Any, Any]) -> "Value":
    """A copy of a node whose interior parents have been copied."""
    memo[id(node)] = duplicate = _blank(node)
    duplicate._data, duplicate._grad = node._data, _gradient(node)
    duplicate.label, duplicate._operation = node.label, node._operation
    duplicate._dx, duplicate._dy = node._dx, node._dy
    if type(node._dx) is tuple:
        duplicate._x = tuple([_twin(x, memo) for x in node._x])
        duplicate._y = tuple([x if isinstance(x, float) else _twin(x, memo) for x in node._y])
    else:
        duplicate._x = node._x if node._dx is None else _twin(node._x, memo)
        duplicate._y = node._y if node._dy is None else _twin(node._y, memo)
    if (added := _added(node)) is not None:
        _add(duplicate, copy.deepcopy(added, memo))
    return duplicate
