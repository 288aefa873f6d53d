"""What are the derivatives of all orders? The coefficients of a power series, pushed through the graph.

With x(t) = x0 + t, every node is a series in t, and its coefficient of t**n is its nth derivative over n!. A node's
series follows from those of its operands by z' = d * x', where d is its local derivative, evaluated over series. This
goes coefficient by coefficient: coefficient n of z needs only the coefficients of d below n. The work grows as a power
of the order. Repeated differentiation would double it with every order (Griewank and Walther, "Evaluating Derivatives",
2008, chapter 13).

The coefficients are floats, or Values where the result must stay connected to Values.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import functions
from autograd.operations import Operation, operations
from autograd.rules import is_finite
from autograd.transforms.augmented import Augmented, add_operators, namespace_of, plain
from autograd.transforms.nesting import Number
from autograd.transforms.reverse import derivatives_over, is_vanishing, product
from autograd.value import Value, apply as apply_to_numbers


def _nothing(k: int) -> Number:
    return 0.0


class Series(Augmented):
    """A power series. Each coefficient is computed once, when it is first asked for.

    Arguments:
        known: the first coefficients.
        following: gives the coefficient at place k once all before it are known; by default 0.
    """

    __slots__ = ("following", "known")

    def __init__(self, known: Sequence[Number], following: Callable[[int], Number] = _nothing) -> None:
        self.known = list(known)
        self.following = following

    @property
    def plain(self) -> Number:
        return self.known[0]

    def __getitem__(self, k: int) -> Any:
        while len(self.known) <= k:
            self.known.append(self.following(len(self.known)))
        return self.known[k]

    def __add__(self, other: Any) -> "Series":
        if isinstance(other, Series):
            return Series([self[0] + other[0]], lambda k: self[k] + other[k])
        return Series([self[0] + other], self.__getitem__)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Series":
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> "Series":
        return self.__neg__().__add__(other)

    def __neg__(self) -> "Series":
        return Series([-self[0]], lambda k: -self[k])

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Series):
            return Series([self[0] * other], lambda k: product(self[k], other))
        first = self[0] * other[0]
        if not (is_finite(self[0]) and is_finite(other[0])):
            return apply(_MUL, self, other)
        return Series([first], lambda k: total(product(self[j], other[k - j]) for j in range(k + 1)))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return quotient(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return quotient(other, self)


def total(numbers: Iterable[Number]) -> Number:
    """The sum. It does not start from 0, which would make one more node over Values."""
    result: Number | None = None
    for x in numbers:
        result = x if result is None else result + x
    return 0.0 if result is None else result


def quotient(x: Any, y: Any) -> Any:
    """x / y by long division; by the rule where the first coefficient is not finite."""
    series = apply(_DIV, x, y)
    if not is_finite(series[0]):
        return series
    divisor = y if isinstance(y, Series) else Series([y])
    found = Series([series[0]])

    def following(k: int) -> Number:
        rest = total(product(found[j], divisor[k - j]) for j in range(k))
        numerator = x[k] if isinstance(x, Series) else 0.0
        quotient_k: Number = functions.div(numerator - rest, divisor[0])
        return quotient_k

    found.following = following
    return found


def apply(operation: Operation, *operands: Any) -> Any:
    """The operation on numbers and series: a series if any operand is one."""
    if not any(isinstance(x, Series) for x in operands):
        return apply_to_numbers(operation, *operands)
    first = apply_to_numbers(operation, *(x[0] if isinstance(x, Series) else x for x in operands))
    return by_rule(operation, first, operands)


def by_rule(operation: Operation, first: Number, operands: Sequence[Any]) -> Series:
    """The series of an operation, from its first coefficient and the rule z' = sum of d * x'."""
    contributions: list[Callable[[int], Number]] = []

    def following(k: int) -> Number:
        if k == 1:
            places = [i for i, x in enumerate(operands) if isinstance(x, Series)]
            slopes = derivatives_over(series, operation, out, operands, places)
            contributions.extend(_contribution(d, operands[i]) for d, i in zip(slopes, places, strict=True))
        return total(contribution(k) for contribution in contributions) / k

    out = Series([first], following)
    return out


def _contribution(derivative: Any, x: Series) -> Callable[[int], Number]:
    """The coefficient at place k - 1 of derivative * x', for any k."""
    if is_vanishing(plain(derivative), x[1]):
        return _nothing  # a product that is 0 by the zero-factor rule stays 0
    if not isinstance(derivative, Series):
        return _nothing if type(derivative) is float and not derivative else lambda k: product(x[k] * k, derivative)
    return lambda k: total(product(derivative[j], x[k - j] * (k - j)) for j in range(k))


add_operators(Series, apply)
series = namespace_of(apply)

_MUL, _DIV = operations["mul"], operations["div"]


def expanded(order: Iterable[Value], x: Value, count: int, floats: bool) -> dict[Value, Series]:
    """The series of x + t and of every node that depends on it, up to t**count.

    Arguments:
        order: the nodes that were computed, in topological order.
        x: the input that moves.
        count: the last place of a coefficient.
        floats: whether to compute with plain numbers instead of Values.
    """
    start = x._data if floats else x
    found = {x: Series([start, 1.0])}
    for node in order:
        if any(parent in found for parent in node.parents):
            assert node._operation is not None
            operands = [found.get(x, x._data if floats else x) if isinstance(x, Value) else x for x in node.operands]
            made = by_rule(node._operation, node._data if floats else node, operands)
            made[count]  # computed now: otherwise one series would ask the next, through the whole graph
            made.following = _nothing  # so that it holds no other series: a chain of 100,000 could not be freed
            found[node] = made
    return found
