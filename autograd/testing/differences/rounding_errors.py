"""How far may the value of a recorded graph be from the true one? Every operation rounds, and errors are passed on."""

import math

from autograd.graph import interior
from autograd.operations import operations
from autograd.value import Value

U = 2.0**-53
"""The unit roundoff of doubles: a rounding changes a number by at most this part of it."""
SMALLEST = 2.0**-1074

# How accurately is each operation computed, in units of its result's last place? Additions, products, quotients and
# square roots are rounded once; choices are exact; the C library stays within one or two; formulas of several steps
# within 8 (these are bounds: `tests/autograd/test_accuracy.py` measures them).
EXACT = {"neg", "abs", "relu", "maximum", "minimum", "max", "min", "clip", "where", "take", "sign", "floor", "ceil"}
ROUNDED_ONCE = {"add", "sub", "mul", "div", "sqrt", "leaky_relu", "remainder"}
FROM_THE_LIBRARY = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos"}
FROM_THE_LIBRARY |= {"atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "pow", "hypot"}
ROUNDINGS = dict.fromkeys(FROM_THE_LIBRARY, 4.0) | dict.fromkeys(ROUNDED_ONCE, 1.0) | dict.fromkeys(EXACT, 0.0)
OTHERWISE = 16.0


def rounding_error(root: Value) -> float | None:
    """A bound for the rounding error of a graph's value: each operation rounds, and passes on its operands' errors.

    It is None if there is an operation of a user's own in the graph: nobody knows how its value is computed.

    This is a running error analysis of first order (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 3.3).

    >>> rounding_error(Value(2.0)), rounding_error((Value(1.0) + 1e8) - 1e8) > 1e-8
    (0.0, True)
    """
    errors: dict[Value, float] = {}
    infinite = False
    for node in interior(root):
        name, data = node.operation, node._data
        if node._operation is None or node._operation.function is not None or name not in operations:
            return None
        # the common case without a call: gradcheck of ten nodes takes 13 ms instead of 15
        error = ROUNDINGS[name] * (U * abs(data) + SMALLEST) if name in PLAIN else own_rounding(node)
        parents = node.parents
        for parent, local in zip(parents, node.local_derivatives, strict=True):
            passed = errors.get(parent)  # None for a leaf, which is exact
            if passed and local:
                error += abs(local) * passed
        if infinite and name not in EXACT and not all(math.isfinite(parent._data) for parent in parents):
            error = math.inf  # 1 / inf is 0, and says nothing of its slope
        infinite = infinite or not -math.inf < data < math.inf
        errors[node] = error
    return errors.get(root, 0.0)


def own_rounding(node: Value) -> float:
    """What one operation adds to the error: its roundings times its result, or times what is summed up in it."""
    name = node.operation
    size = abs(node.data)
    roundings = ROUNDINGS.get(name, OTHERWISE)
    if name in FINER_THAN_DOUBLES and too_coarse(node):
        return math.inf
    if name == "gelu":  # -x / sqrt(2) is rounded before erfc, whose tail changes by x*x times as much
        roundings += sum(x.data * x.data for x in node.parents)
    elif name not in ROUNDINGS and len(node.operands) > 1:  # sums of products, of exponentials, of squares
        terms = zip(node.parents, node.local_derivatives, strict=True)
        size += math.fsum(abs(local * parent.data) for parent, local in terms if local)
        roundings += len(node.operands)
    return roundings * (U * size + SMALLEST)


FINER_THAN_DOUBLES = {"sin", "cos", "tan", "floor", "ceil", "round", "floor_divide", "remainder", "pow"}
PLAIN = ROUNDINGS.keys() - FINER_THAN_DOUBLES


def too_coarse(node: Value) -> bool:
    """Whether the operand is so large that neighbouring doubles step over the operation's waves, jumps or bends."""
    operands: list[float] = [x.data if isinstance(x, Value) else x for x in node.operands]
    first, *others = operands
    if node.operation == "pow":
        return abs(others[0]) >= 2.0**42  # next to 1, whose neighbours are too far away
    return max(abs(first), 1.0) >= 2.0**36 * (abs(others[0]) if others else 64.0)
