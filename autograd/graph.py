"""In what order must a graph be walked? The one place that follows parents.

A node must receive all its contributions before it passes any on. With `b = a + a` and `c = b + b`, walking
from `c` along every path would visit `b` twice and pass on half-finished sums; in a topological order, where
every parent stands before the nodes that use it, each node is visited once.

Everything here uses a stack of its own in place of recursion, and takes time linear in nodes + edges.
"""

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from autograd.value import Value


def interior(root: "Value", seen: "set[Value] | None" = None) -> "list[Value]":
    """The nodes that were computed (not leaves) on which `root` depends, parents first, `root` last.

    Arguments:
        root: where the walk begins; a leaf gives an empty list.
        seen: nodes to leave out, with all that only they lead to; the walk adds what it finds.

    Returns:
        every interior ancestor once, in topological order (the postorder of a depth-first search).
    """
    order: list[Value] = []
    if root._operation is None:
        return order
    seen = set() if seen is None else seen
    stack: list[Value | None] = [root]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:  # all that the node below this mark depends on is in order
            order.append(cast("Value", pop()))
            continue
        if node in seen:
            continue
        seen.add(node)
        push(node)
        push(None)
        if type(node._dx) is tuple:
            for parent in reversed(node._x):
                if parent._operation is not None and parent not in seen:
                    push(parent)
            continue
        # One or two operands, written out: with a loop over `parents` this walk takes twice as long.
        if node._dy is not None:
            parent = node._y
            if parent._operation is not None and parent not in seen:
                push(parent)
        if node._dx is not None:
            parent = node._x
            if parent._operation is not None and parent not in seen:
                push(parent)
    return order


def topological_order(root: "Value") -> "list[Value]":
    """`root` and everything it depends on, leaves included: each node once, after all its parents.

    >>> from autograd import Value
    >>> a = Value(3.0, label="a")
    >>> b = a + a
    >>> [node.label or node.operation for node in topological_order(b * b)]
    ['a', 'add', 'mul']
    """
    order: list[Value] = []
    leaves: set[Value] = set()
    for node in interior(root) or [root]:
        for parent in node.parents:
            if parent._operation is None and parent not in leaves:
                leaves.add(parent)
                order.append(parent)
        order.append(node)
    return order


def leaves(root: "Value") -> "list[Value]":
    """The leaves on which `root` depends, in the order in which they are first needed.

    >>> from autograd import Value
    >>> a, b = Value(1.0, label="a"), Value(2.0, label="b")
    >>> [leaf.label for leaf in leaves(a * b + a)]
    ['a', 'b']
    """
    return [node for node in topological_order(root) if node._operation is None]
