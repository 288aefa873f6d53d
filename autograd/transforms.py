"""How can a gradient itself be differentiated? By computing it with `Value`s, from the same table of rules.

Where `backward()` multiplies local derivatives as floats, `gradients` writes the rules out over Values: the
derivatives that come out are graphs, and can be differentiated, drawn and stepped through like any other.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from autograd import functions
from autograd.graph import interior
from autograd.operations import Operation
from autograd.rules import Rule, is_finite, is_zero
from autograd.steps import parent_slots
from autograd.value import Value


def gradients(root: Value, inputs: Sequence[Value]) -> list[Value]:
    """The derivatives of `root`, as Values that remember how they were computed.

    A product is 0 where one factor is exactly 0 and the other is not finite; otherwise a factor of 0 stays in the
    graph, since it may only be 0 today. No `grad` is read or changed.

    Arguments:
        root: the Value to be differentiated.
        inputs: Values on which it may depend.

    Returns:
        one Value for each input, a constant where root does not depend on it.

    Raises:
        TypeError: an operation in the graph was given over floats only.

    >>> x = Value(3.0)
    >>> (first,) = gradients(x * x * x, [x])
    >>> (second,) = gradients(first, [x])
    >>> first.data, second.data
    (27.0, 18.0)
    """
    adjoints: dict[Value, Any] = {root: 1.0}
    for node in reversed(interior(root)):
        upstream = adjoints.get(node)
        if upstream is None:
            continue
        for parent, local in zip(node.parents, local_derivatives(node), strict=True):
            contribution = _times(upstream, local)
            adjoints[parent] = adjoints[parent] + contribution if parent in adjoints else contribution
    return [x if isinstance(x, Value) else Value(x) for x in (adjoints.get(x, 0.0) for x in inputs)]


def local_derivatives(node: Value) -> list[Any]:
    """The derivatives of a node for each of its parents: Values where they depend on Values, otherwise numbers."""
    rule = _over_values(node._operation)
    slots = parent_slots(node)
    if rule.nary:
        every = rule.derivatives[0](node, *node.operands)
        return [every[slot] for slot in slots]
    return [rule.derivatives[slot](node, *node.operands) for slot in slots]


@cache
def _over_values(operation: Operation) -> Rule:
    if operation.over is None:
        raise TypeError(
            f"{operation.name} was given over floats only, so that its derivative has no derivative; "
            f"define it over a namespace of functions (see autograd.operation)"
        )
    return operation.over(functions)


def _times(upstream: Any, local: Any) -> Any:
    """The product; 0 if one factor is exactly 0 and the other is not finite."""
    if (is_zero(upstream) and not is_finite(local)) or (is_zero(local) and not is_finite(upstream)):
        return 0.0
    return upstream * local
