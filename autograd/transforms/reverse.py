"""How does the chain rule run backward so that each derivative is a graph itself? By the rules, evaluated over Values.

`Value.backward()` multiplies local derivatives that are floats. `gradients` evaluates the rules again, over the
functions of `autograd`. So its results are Values: they can be differentiated again, drawn, stepped through and
compiled. `float_gradients` is the pass of `Value.backward()` in floats, for a graph that nobody else uses.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from autograd import functions, modes
from autograd.graph import edges, interior
from autograd.ieee754 import DOMAIN_ERRORS, Real
from autograd.operations import Operation, operations
from autograd.reals import as_float
from autograd.rules import is_finite, is_zero
from autograd.transforms.nesting import Number
from autograd.transforms.traced import Chosen, recorded_derivatives, recorded_product
from autograd.value import Value, data_of, pass_on


def gradients(root: Value, inputs: Sequence[Value]) -> list[Value]:
    """The derivatives of `root`, as Values that remember how they were computed.

    A product of exactly 0 and a number that is not finite is 0. Any other factor of 0 stays in the graph: it may be
    another number elsewhere. No `grad` is read or changed.

    Arguments:
        root: the Value to differentiate.
        inputs: Values that it may depend on.

    Returns:
        one Value for each input; a constant 0 where root does not depend on it.

    Raises:
        TypeError: an operation in the graph was given over floats only.

    >>> x = Value(3.0)
    >>> (first,) = gradients(x * x * x, [x])
    >>> (second,) = gradients(first, [x])
    >>> first.data, second.data
    (27.0, 18.0)
    """
    order = interior(root)
    found = adjoints(order, {root: 1.0}, dependents(order, inputs))
    return [x if isinstance(x, Value) else Value(x) for x in (found.get(x, 0.0) for x in inputs)]


def dependents(order: Iterable[Value], inputs: Iterable[Value]) -> set[Value]:
    """The inputs, and the nodes of a topological order that depend on them."""
    found = set(inputs)
    for node in order:
        if not found.isdisjoint(edges(node)[0]):
            found.add(node)
    return found


def adjoints(
    order: Sequence[Value], seeds: Mapping[Value, Number], wanted: set[Value] | None = None
) -> dict[Value, Number]:
    """The chain rule, backward: how fast the results change with each node. A Value where that depends on Values.

    Arguments:
        order: the nodes that were computed, in topological order.
        seeds: the derivatives to start from, at the results.
        wanted: the nodes to pass through; contributions to others are left out. None for all nodes.
    """
    found: dict[Value, Number] = dict(seeds)
    for node in reversed(order):
        upstream = found.get(node)
        if upstream is None or not (wanted is None or node in wanted) or (type(upstream) is float and not upstream):
            continue
        for parent, local in local_derivatives(node, wanted):
            if type(local) is float and not local:
                continue  # the rule itself says 0, whatever the operands: nothing is passed on
            contribution = product(upstream, local)
            found[parent] = found[parent] + contribution if parent in found else contribution
    return found


def local_derivatives(node: Value, wanted: Container[Value] | None = None) -> list[tuple[Value, Number | Chosen]]:
    """Each wanted parent with the node's derivative for it. The derivative is a Value where it depends on Values."""
    assert node._operation is not None
    if node._operation in LINEAR:
        return [(x, d) for x, d in zip(*edges(node), strict=True) if wanted is None or x in wanted]
    operands = node.operands
    places = [i for i, x in enumerate(operands) if isinstance(x, Value) and (wanted is None or x in wanted)]
    found: list[Number | Chosen]
    if modes.is_traced():
        found = recorded_derivatives(node._operation, node, operands, places)
    else:
        _check_unchanged(node, operands)
        found = derivatives_over(functions, node._operation, node, operands, places)
    return list(zip((operands[i] for i in places), found, strict=True))


def _check_unchanged(node: Value, operands: Sequence[Any]) -> None:
    """Raises ValueError if the data of an operand has changed. The rule would mix new operands with the old result."""
    assert node._operation is not None
    then = node._data
    now = node._operation.evaluate([x._data if isinstance(x, Value) else x for x in operands])
    if not (now == then or (now != now and then != then)):
        raise ValueError(
            f"the data of an operand of {node.operation} was changed after the graph was made: the result was {then}, "
            f"and would be {now} now; compute it again before its derivative becomes a graph (only backward() without "
            f"create_graph goes by what was recorded)"
        )


LINEAR = frozenset(operations[name] for name in ("add", "sub", "neg", "sum", "mean"))
"""Operations whose local derivatives are constants, so that those that the node keeps are enough. A test compares this
with the table of rules."""


def derivatives_over(
    m: Any, operation: Operation, out: Any, operands: Sequence[Any], places: Sequence[int]
) -> list[Any]:
    """The local derivatives for the operands at some places, by the rule over the number system of `m`."""
    rule = operation.rule_over(m)
    try:
        return rule.derivatives_for(places, out, operands)
    except DOMAIN_ERRORS:  # some operand is a plain float, for which Python raises where IEEE 754 has an answer
        if not any(type(x) is float for x in operands):
            raise
        careful = [Real(x) if type(x) is float else x for x in operands]
        return [float(d) if isinstance(d, Real) else d for d in rule.derivatives_for(places, out, careful)]


def product(x: Number, y: Any) -> Number:
    """The product; 0 if one factor is exactly 0 and the other is not finite.

    Any other factor of 0 is kept, with its history, since it may be another number elsewhere. While a function is
    recorded for all numbers (see `compile`), every run decides this anew.
    """
    if modes.active and modes.is_traced():
        return recorded_product(x, y)  # y may be `Chosen` there, and nowhere else
    a, b = data_of(x), data_of(y)
    if a * b != a * b and is_vanishing(a, b):  # whether the product is nan is the faster question, and comes first
        return 0.0
    if type(y) is float and y == 1.0:
        return x
    return x * y  # type: ignore[no-any-return]


def is_vanishing(x: Number, y: Number) -> bool:
    """Whether the zero-factor rule makes a product 0: one factor is exactly 0, and the other is not finite."""
    return (is_zero(x) and not is_finite(y)) or (is_zero(y) and not is_finite(x))


# The backward pass in floats


def float_gradients(order: Sequence[Value], seeds: Mapping[Value, float], inputs: Sequence[Value]) -> list[float]:
    """The derivatives for the inputs in floats, from the local derivatives that the nodes keep.

    It overwrites the `grad` of all these nodes, as `backward` does. So the graph must belong to the caller alone.
    """
    for node in (*order, *inputs):
        node._grad = 0.0
    for node, seed in seeds.items():
        node._grad += seed
    pass_on(reversed(order))
    return [data_of(x._grad) for x in inputs]


# backward(create_graph=True)


def backward(root: Value, gradient: Number) -> None:
    """`root.backward(gradient, create_graph=True)`: every `grad` becomes a Value that knows its own history.

    Where nothing is passed on to a node, its `grad` becomes a constant.
    """
    seed = gradient if isinstance(gradient, Value) else as_float(gradient, "backward(gradient)")
    order = interior(root)
    found = adjoints(order, {root: seed})
    for node, adjoint in found.items():
        if node._operation is None and (isinstance(node._grad, Value) or node._grad):
            found[node] = node._grad + adjoint
    for node in order:
        node._grad = 0.0
    every = {root, *order, *(parent for node in order for parent in node.parents)}
    for node in every.difference(found):
        if not isinstance(node._grad, Value):
            node._grad = Value(node._grad)
    for node, adjoint in found.items():
        node._grad = adjoint if isinstance(adjoint, Value) else Value(adjoint)
