"""Was the chain rule applied rightly? The gradients of a graph are held against the same sums in exact arithmetic.

The recorded local derivatives are taken as they are; whether they are right is another question. From them the adjoint
of every node is computed with 300 bits, in an order that is not the engine's, together with a bound for the rounding
errors that the engine may make in floats. Where all numbers are small integers it may make none.
"""

import math
from collections import Counter
from typing import NamedTuple

import mpmath

from autograd.testing.differences.rounding_errors import SMALLEST, U
from autograd.testing.truth.oracles import precision
from autograd.value import Value

BITS = 300
TOO_LARGE = 2.0**1000
"""Beyond this, partial sums may overflow in floats, and nothing is claimed."""


class Adjoint(NamedTuple):
    """The gradient of a root with respect to one node.

    Attributes:
        true: the number itself.
        size: what it would be if all contributions were positive.
        bound: how far a gradient in floats may be off.
        slack: how far it may be off if each local derivative is off by as many ulp as its rule allows.
    """

    true: mpmath.mpf
    size: float
    bound: float
    slack: float

    def excess(self, actual: float) -> float:
        """The error of a gradient as a multiple of the bound: at most 1 if it is right."""
        if mpmath.isnan(self.true) or mpmath.isinf(self.true):
            return 0.0 if float(self.true) == actual or (math.isnan(actual) and mpmath.isnan(self.true)) else math.inf
        if not self.size < TOO_LARGE:
            return 0.0
        if not math.isfinite(actual):
            return math.inf
        with precision(BITS):
            error = float(abs(mpmath.mpf(actual) - self.true))
        return error / self.bound if self.bound else 0.0 if not error else math.inf


def from_root(root: Value) -> list[Value]:
    """Every node before its parents, by counting for each how many uses of it are still to come (Kahn's algorithm).

    The engine walks depth first, in `graph.py`. This way is different on purpose.
    """
    uses: Counter[Value] = Counter()
    found, reached = {root}, [root]
    for node in reached:  # it grows during the loop
        uses.update(node.parents)
        fresh = [parent for parent in dict.fromkeys(node.parents) if parent not in found]
        found.update(fresh)
        reached += fresh
    order = [root]
    for node in order:
        for parent in node.parents:
            uses[parent] -= 1
            if not uses[parent]:
                order.append(parent)
    return order


def adjoints(root: Value, gradient: float = 1.0) -> dict[Value, Adjoint]:
    """The exact gradients that `root.backward(gradient)` stands for, node by node from the root on.

    A contribution with an exactly zero factor is 0, as in the engine.

    >>> x = Value(3.0)
    >>> float(adjoints(x * x + x)[x].true)
    7.0
    """
    order = from_root(root)
    whole = all(d.is_integer() for node in order for d in node.local_derivatives) and float(gradient).is_integer()
    true = dict.fromkeys(order, mpmath.mpf(0))
    size = dict.fromkeys(order, 0.0)
    bound = dict.fromkeys(order, 0.0)
    slack = dict.fromkeys(order, 0.0)
    terms = dict.fromkeys(order, 0)
    true[root], size[root] = mpmath.mpf(gradient), abs(gradient)
    with precision(BITS):
        for node in order:
            bound[node] += max(terms[node] - 1, 0) * U * size[node]
            for parent, local in zip(node.parents, node.local_derivatives, strict=True):
                ulps = 2.0 * (8.0 + len(node.operands))
                if math.isfinite(local):  # an error in a derivative that underflowed may be as large as itself
                    share = size[node] * abs(local)
                    slack[parent] += abs(local) * slack[node] + ulps * (U * share + SMALLEST * size[node])
                if not local or not size[node]:
                    continue
                if true[node]:
                    true[parent] += true[node] * local
                terms[parent] += 1
                share = size[node] * abs(local)
                size[parent] += share
                bound[parent] += abs(local) * bound[node] * (1.0 + 4.0 * U) + U * share + SMALLEST
    exact = whole and all(s < 2.0**53 for s in size.values())
    return {node: Adjoint(true[node], size[node], 0.0 if exact else bound[node], slack[node]) for node in order}
