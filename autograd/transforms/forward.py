"""How does the chain rule run forward? Each node's tangent is the sum of its parents' tangents times local derivatives.

One forward walk gives the derivatives of all results in one direction, such as that of one input. One backward walk
gives the derivatives of one result by all inputs. Both use the same local derivatives.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from autograd.transforms.nesting import Number
from autograd.transforms.reverse import local_derivatives, product
from autograd.value import Value


def pushed(order: Iterable[Value], tangents: Mapping[Value, Number]) -> dict[Value, Number]:
    """The tangents of all nodes that depend on the inputs. They are Values where they depend on Values.

    Arguments:
        order: the nodes that were computed, in topological order.
        tangents: the tangents of the inputs.
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
    """As `pushed`, in floats, from the local derivatives that the nodes keep. Nodes with tangent 0 are left out."""
    found = {x: tangent for x, tangent in tangents.items() if tangent}
    get: Any = found.get
    for node in order:
        total = 0.0
        if type(node._dx) is tuple:
            for parent, local in zip(node._x, node._dx, strict=True):
                tangent = get(parent)
                if tangent is not None and local:  # an exactly zero factor gives 0, whatever the other one is
                    total += tangent * local
        else:  # one or two operands, written out: the walk takes 1.8 times as long with `graph.edges`
            if node._dx and (tangent := get(node._x)) is not None:
                total += tangent * node._dx
            if node._dy and (tangent := get(node._y)) is not None:
                total += tangent * node._dy
        if total:
            found[node] = total
    return found
