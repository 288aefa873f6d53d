"""How fast does a gradient change in one direction? The backward pass again, with a rate of change beside each number.

This is forward over reverse. Tangents are pushed forward through the recorded graph. On the way back each node has its
adjoint and the adjoint's own rate of change. That takes the rate of each local derivative: the rule gives it when it is
evaluated over dual numbers, which are numbers with a tangent (Clifford, 1873; Pearlmutter, "Fast exact multiplication
by the Hessian", 1994).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from autograd.graph import contribution, edges
from autograd.ieee754 import DOMAIN_ERRORS, ELEMENTARY
from autograd.operations import Operation, operations
from autograd.transforms.augmented import Augmented, add_operators, namespace_of
from autograd.transforms.reverse import LINEAR, derivatives_over, is_vanishing
from autograd.value import Value, data_of


class Dual(Augmented):
    """A float and how fast it changes."""

    __slots__ = ("plain", "tangent")
    plain: float

    def __init__(self, plain: float, tangent: float) -> None:
        self.plain, self.tangent = plain, tangent

    # Written out for speed: these take a twelfth of the time of `apply`. Where a result is inf or nan, the table of
    # rules or `contribution` decides.

    def __add__(self, other: Any) -> "Dual":
        if type(other) is Dual:
            return Dual(self.plain + other.plain, self.tangent + other.tangent)
        return Dual(self.plain + other, self.tangent)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Dual":
        if type(other) is Dual:
            return Dual(self.plain - other.plain, self.tangent - other.tangent)
        return Dual(self.plain - other, self.tangent)

    def __neg__(self) -> "Dual":
        return Dual(-self.plain, -self.tangent)

    def __mul__(self, other: Any) -> "Dual":
        if type(other) is not Dual:
            return Dual(self.plain * other, contribution(self.tangent, other))
        tangent = self.tangent * other.plain + self.plain * other.tangent
        if tangent - tangent:
            tangent = contribution(self.tangent, other.plain) + contribution(self.plain, other.tangent)
        return Dual(self.plain * other.plain, tangent)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        divisor, rate = (other.plain, other.tangent) if type(other) is Dual else (other, 0.0)
        return _quotient(self.plain, self.tangent, divisor, rate)

    def __rtruediv__(self, other: Any) -> Any:
        return _quotient(other, 0.0, self.plain, self.tangent)


def _quotient(x: float, x_rate: float, y: float, y_rate: float) -> Any:
    if y:
        quotient = x / y
        tangent = (x_rate - quotient * y_rate) / y
        if not tangent - tangent:
            return Dual(quotient, tangent)
    return apply(operations["div"], Dual(x, x_rate), Dual(y, y_rate))


def apply(operation: Operation, *operands: Any) -> Any:
    """The operation on floats and duals: a dual if any operand is one, otherwise a float."""
    numbers = [x.plain if type(x) is Dual else x for x in operands]
    out = operation.evaluate(numbers)
    places = [i for i, x in enumerate(operands) if type(x) is Dual]
    if not places:
        return out
    derivatives = operation.differentiate(out, numbers, places)
    return Dual(out, sum(contribution(operands[i].tangent, d) for i, d in zip(places, derivatives, strict=True)))


def _unary(operation: Operation) -> Any:
    """The function of one number: it does what `apply` does, in a third of the time."""

    def function(x: Any) -> Any:
        if type(x) is not Dual:
            return apply(operation, x)
        try:
            out = operation.value(x.plain)
            tangent = operation.derivatives[0](out, x.plain) * x.tangent
        except DOMAIN_ERRORS:
            return apply(operation, x)
        return apply(operation, x) if tangent - tangent else Dual(out, tangent)

    return function


add_operators(Dual, apply)
duals = namespace_of(apply)
for _name in (*ELEMENTARY, "floor", "ceil", "round"):
    if len(operations[_name].derivatives) == 1:
        setattr(duals, _name, _unary(operations[_name]))


PRODUCTS = frozenset((operations["mul"], operations["dot"]))
"""Operations whose local derivatives are operands. `rates_of_derivatives` writes their rates a second time, for speed.
A test compares them with the table."""


def rates_of_derivatives(node: Value, tangents: Mapping[Any, float]) -> Sequence[float]:
    """How fast each local derivative of a node changes, in the order of its parents."""
    operation = node._operation
    assert operation is not None
    if len(operation.derivatives) == 1 and not operation.nary:  # one operand: this takes half the time
        (x,), _ = edges(node)
        out = Dual(node._data, tangents.get(node, 0.0))
        operand = Dual(x._data, tangents.get(x, 0.0))
        slope = operation.rule_over(duals).derivatives[0](out, operand)
        return (slope.tangent if type(slope) is Dual else 0.0,)
    operands = node.operands
    if operation in PRODUCTS:
        half = len(operands) // 2
        partners = (*operands[half : 2 * half], *operands[:half], None)  # the bias of a dot has no partner
        return [tangents.get(y, 0.0) for x, y in zip(operands, partners, strict=False) if isinstance(x, Value)]
    return rates_by_rule(operation, node, operands, tangents)


def rates_by_rule(
    operation: Operation, node: Value, operands: Sequence[Any], tangents: Mapping[Value, float]
) -> Sequence[float]:
    """What `rates_of_derivatives` returns, from the table of rules."""
    rate = tangents.get
    given = [Dual(x._data, rate(x, 0.0)) if isinstance(x, Value) else x for x in operands]
    out = Dual(node._data, rate(node, 0.0))
    places = [i for i, x in enumerate(given) if type(x) is Dual]
    return [d.tangent if type(d) is Dual else 0.0 for d in derivatives_over(duals, operation, out, given, places)]


def rates_of_adjoints(order: Sequence[Value], tangents: Mapping[Value, float]) -> dict[Value, float]:
    """How fast the adjoint of each node changes, in the direction that gives the nodes these tangents.

    Arguments:
        order: the nodes to walk through, in topological order. Their adjoints are in `grad`, where
            `reverse.float_gradients` left them.
        tangents: from `forward.pushed_floats`.
    """
    found: dict[Value, float] = {}
    rate_of = found.get
    for node in reversed(order):
        rate = rate_of(node, 0.0)
        upstream = data_of(node._grad)
        parents, locals_ = edges(node)
        rates: Sequence[float] = ()
        if upstream and node._operation not in LINEAR and not tangents.keys().isdisjoint(parents):
            rates = rates_of_derivatives(node, tangents)
        elif not rate:
            continue
        for place, (parent, local) in enumerate(zip(parents, locals_, strict=True)):
            change = rate * local + upstream * rates[place] if rates else rate * local
            if change - change:
                change = rate_of_product(upstream, rate, local, rates[place] if rates else 0.0)
            if change:
                found[parent] = rate_of(parent, 0.0) + change
    return found


def rate_of_product(x: float, x_rate: float, y: float, y_rate: float) -> float:
    """The rate of x * y where something is not finite. A product that is 0 by the zero-factor rule stays 0."""
    if is_vanishing(x, y):
        return 0.0
    return contribution(x_rate, y) + contribution(x, y_rate)
