"""How does the chain rule run forward? Each node's tangent is the sum of its parents' tangents times local derivatives.

One walk pushes the tangents of the inputs to all results, however many: for one input (or one direction) and many
results it does what the backward walk does for many inputs and one result. The local derivatives are the same ones.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from autograd.transforms.nesting import Number
from autograd.transforms.reverse import local_derivatives, product
from autograd.value import Value


def pushed(order: Iterable[Value], tangents: Mapping[Value, Number]) -> dict[Value, Number]:
    """The tangents of all nodes that have one, as Values where they depend on Values.

    Arguments:
        order: the nodes that were computed, in topological order.
        tangents: those of the inputs.
    """
    found: dict[Value, Number] = dict(tangents)
    for node in order:
        total: Number | None = None
        if any(x in found for x in node.parents):
            for parent, local in local_derivatives(node, found):
                if not (type(local) is float and not local):
                    contribution = product(found[parent], local)
                    total = contribution if total is None else total + contribution
        if total is not None:
            found[node] = total
    return found


def pushed_floats(order: Iterable[Value], tangents: Mapping[Value, float]) -> dict[Value, float]:
    """The same with plain numbers, by the local derivatives that the nodes keep; nodes with tangent 0 are left out."""
    found = {x: tangent for x, tangent in tangents.items() if tangent}
    get: Any = found.get
    for node in order:
        total = 0.0
        if type(node._dx) is tuple:
            for parent, local in zip(node._x, node._dx, strict=True):
                tangent = get(parent)
                if tangent is not None and local:  # an exactly zero factor gives 0, whatever the other one is
                    total += tangent * local
        else:  # one or two operands, written out: with `graph.edges` the walk takes 1.8 times as long
            if node._dx and (tangent := get(node._x)) is not None:
                total += tangent * node._dx
            if node._dy and (tangent := get(node._y)) is not None:
                total += tangent * node._dy
        if total:
            found[node] = total
    return found
