"""Which functions can be applied to numbers and to Values alike? `exp`, `tanh`, `dot`, `where`, `logsumexp`, ...

For a number they return a float, for a Value a Value that remembers the operation. Most of them are methods too:
`v.tanh()` is `tanh(v)`. Derivatives are in `rules.py`. Special points follow IEEE 754 and never raise (see `strict`).
Functions of many operands (`dot`, `sum`, `logsumexp`, ...) make *one* node with many parents. It is still one number,
and still the chain rule, but 7 times faster than a node for every product and every sum.

Names that shadow Python's own (`abs max min pow round sum`) are not in `__all__`: write `autograd.sum`.
"""

import builtins
from array import array
from collections.abc import Callable, Iterable, Sequence
from operator import mul as product
from typing import Any, TypeVar, cast

from autograd import modes, rows
from autograd.ieee754 import DOMAIN_ERRORS, floats, ieee
from autograd.operations import DECIDED_WHERE, Operation, operations
from autograd.reals import as_float, real_or_none, shown
from autograd.rows import (  # for rules over Values
    accumulate as accumulate,
    branch as branch,
    count as count,
    fold as fold,
    map as map,
    places as places,
    same as same,
)
from autograd.rules import Rule
from autograd.value import Value, _record, apply, apply_to_two

T = TypeVar("T", bound="float | Value")
Number = float | Value
Result = Any
"""A Value if any operand is one, otherwise a float."""


def _unary(name: str, x: T) -> T:
    operation = operations[name]
    if isinstance(x, Value):  # the common case, 5 times faster than through `apply`
        number = x._data
        try:
            out = operation.value(number)
            derivative = operation.derivatives[0](out, number)
        except DOMAIN_ERRORS:
            pass  # Python raises where IEEE 754 answers: `apply` asks the careful rule
        else:
            return cast(T, _record(operation, out, x, derivative))
    return cast(T, apply(operation, x))


def _binary(name: str, x: Number, y: Number) -> Result:
    result = apply_to_two(operations[name], x, y)
    return apply(operations[name], x, y) if result is NotImplemented else result  # an error that says what is wrong


def _ternary(operation: Operation, x: Any, y: Any, z: Any) -> Result:
    """What `apply` gives, in half the time: most of that goes into its lists."""
    of_x, of_y, of_z = isinstance(x, Value), isinstance(y, Value), isinstance(z, Value)
    a = x._data if of_x else real_or_none(x)
    b = y._data if of_y else real_or_none(y)
    c = z._data if of_z else real_or_none(z)
    parents, derivatives = [], []
    try:
        out = operation.value(a, b, c)
        if of_x:
            parents.append(x)
            derivatives.append(operation.derivatives[0](out, a, b, c))
        if of_y:
            parents.append(y)
            derivatives.append(operation.derivatives[1](out, a, b, c))
        if of_z:
            parents.append(z)
            derivatives.append(operation.derivatives[2](out, a, b, c))
    except (*DOMAIN_ERRORS, TypeError):
        return apply(operation, x, y, z)
    if a is None or b is None or c is None or not parents:
        return apply(operation, x, y, z)
    operands = (x if of_x else a, y if of_y else b, z if of_z else c)
    return _record(operation, out, tuple(parents), tuple(derivatives), operands)


# Functions of one number


def exp(x: T) -> T:
    """e raised to x.

    Derivative: exp(x).
    Special points: exp(1000) is inf, and so is its derivative.

    >>> exp(0.0)
    1.0
    """
    return _unary("exp", x)


def exp2(x: T) -> T:
    """2 raised to x.

    Derivative: 2**x * log(2).
    Special points: exp2(1024) is inf.

    >>> exp2(3.0)
    8.0
    """
    return _unary("exp2", x)


def expm1(x: T) -> T:
    """exp(x) - 1, accurate for x near 0.

    Derivative: exp(x).
    Special points: expm1(1000) is inf.

    >>> expm1(1e-20)
    1e-20
    """
    return _unary("expm1", x)


def log(x: T) -> T:
    """The natural logarithm of x.

    Derivative: 1 / x.
    Special points: log(0) is -inf with derivative inf; a negative x gives nan and nan.

    >>> log(1.0)
    0.0
    """
    return _unary("log", x)


def log2(x: T) -> T:
    """The logarithm of x to base 2.

    Derivative: 1 / (x * log(2)).
    Special points: As for `log`.

    >>> log2(8.0)
    3.0
    """
    return _unary("log2", x)


def log10(x: T) -> T:
    """The logarithm of x to base 10.

    Derivative: 1 / (x * log(10)).
    Special points: As for `log`.

    >>> log10(1000.0)
    3.0
    """
    return _unary("log10", x)


def log1p(x: T) -> T:
    """log(1 + x), accurate for x near 0.

    Derivative: 1 / (1 + x).
    Special points: log1p(-1) is -inf with derivative inf; x < -1 gives nan and nan.

    >>> log1p(1e-20)
    1e-20
    """
    return _unary("log1p", x)


def sqrt(x: T) -> T:
    """The square root of x.

    Derivative: 1 / (2 * sqrt(x)).
    Special points: sqrt(0) is 0 with derivative inf; a negative x gives nan and nan.

    >>> sqrt(9.0)
    3.0
    """
    return _unary("sqrt", x)


def cbrt(x: T) -> T:
    """The real cube root of x, negative where x is.

    Derivative: 1 / (3 * cbrt(x)**2).
    Special points: The derivative at 0 is inf.

    >>> cbrt(-8.0)
    -2.0
    """
    return _unary("cbrt", x)


def sin(x: T) -> T:
    """The sine of x, in radians.

    Derivative: cos(x).
    Special points: sin(inf) is nan.

    >>> sin(0.0)
    0.0
    """
    return _unary("sin", x)


def cos(x: T) -> T:
    """The cosine of x, in radians.

    Derivative: -sin(x).
    Special points: cos(inf) is nan.

    >>> cos(0.0)
    1.0
    """
    return _unary("cos", x)


def tan(x: T) -> T:
    """The tangent of x, in radians.

    Derivative: 1 + tan(x)**2.
    Special points: tan(inf) is nan.

    >>> tan(0.0)
    0.0
    """
    return _unary("tan", x)


def asin(x: T) -> T:
    """The angle in radians, from -pi/2 to pi/2, whose sine is x.

    Derivative: 1 / sqrt(1 - x**2), computed as (1 - x)(1 + x).
    Special points: The derivative at -1 and 1 is inf; |x| > 1 gives nan and nan.

    >>> asin(1.0)
    1.5707963267948966
    """
    return _unary("asin", x)


def acos(x: T) -> T:
    """The angle in radians, from 0 to pi, whose cosine is x.

    Derivative: -1 / sqrt(1 - x**2).
    Special points: The derivative at -1 and 1 is -inf; |x| > 1 gives nan and nan.

    >>> acos(1.0)
    0.0
    """
    return _unary("acos", x)


def atan(x: T) -> T:
    """The angle in radians, from -pi/2 to pi/2, whose tangent is x.

    Derivative: 1 / (1 + x**2).
    Special points: None: every real number, and the infinities, have a value.

    >>> atan(1.0)
    0.7853981633974483
    """
    return _unary("atan", x)


def sinh(x: T) -> T:
    """The hyperbolic sine of x.

    Derivative: cosh(x).
    Special points: sinh(1000) is inf.

    >>> sinh(0.0)
    0.0
    """
    return _unary("sinh", x)


def cosh(x: T) -> T:
    """The hyperbolic cosine of x.

    Derivative: sinh(x).
    Special points: cosh(1000) is inf.

    >>> cosh(0.0)
    1.0
    """
    return _unary("cosh", x)


def tanh(x: T) -> T:
    """The hyperbolic tangent of x.

    Derivative: 1 / cosh(x)**2.
    Special points: It saturates at -1 and 1. The derivative stays accurate there (1.7e-17 at 20).

    >>> tanh(0.5)
    0.46211715726000974
    """
    return _unary("tanh", x)


def asinh(x: T) -> T:
    """The inverse hyperbolic sine of x.

    Derivative: 1 / sqrt(1 + x**2).
    Special points: None.

    >>> asinh(0.0)
    0.0
    """
    return _unary("asinh", x)


def acosh(x: T) -> T:
    """The inverse hyperbolic cosine of x.

    Derivative: 1 / sqrt(x**2 - 1).
    Special points: The derivative at 1 is inf; x < 1 gives nan and nan.

    >>> acosh(1.0)
    0.0
    """
    return _unary("acosh", x)


def atanh(x: T) -> T:
    """The inverse hyperbolic tangent of x.

    Derivative: 1 / (1 - x**2).
    Special points: atanh(1) is inf with derivative inf; |x| > 1 gives nan and nan.

    >>> atanh(0.0)
    0.0
    """
    return _unary("atanh", x)


def sigmoid(x: T) -> T:
    """The logistic function 1 / (1 + exp(-x)).

    Derivative: sigmoid(x) * sigmoid(-x).
    Special points: It tends to 0 and 1. The derivative stays accurate in both tails.

    >>> sigmoid(0.0)
    0.5
    """
    return _unary("sigmoid", x)


def softplus(x: T) -> T:
    """log(1 + exp(x)), a smooth relu.

    Derivative: sigmoid(x).
    Special points: softplus(1000) is 1000.

    >>> softplus(0.0)
    0.6931471805599453
    """
    return _unary("softplus", x)


def relu(x: T) -> T:
    """The rectifier: x where it is positive, otherwise 0.

    Derivative: 1 for positive x, otherwise 0.
    Special points: The derivative at 0 is 0; relu(nan) is nan.

    >>> relu(-2.0)
    0.0
    """
    return _unary("relu", x)


def silu(x: T) -> T:
    """x * sigmoid(x), also called swish.

    Derivative: sigmoid(x) * (1 + x * sigmoid(-x)).
    Special points: As for `sigmoid`.

    >>> silu(0.0)
    0.0
    """
    return _unary("silu", x)


def erf(x: T) -> T:
    """The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    Derivative: 2/sqrt(pi) * exp(-x**2).
    Special points: It tends to -1 and 1.

    >>> erf(0.0)
    0.0
    """
    return _unary("erf", x)


def erfc(x: T) -> T:
    """1 - erf(x), accurate where the result is near 0.

    Derivative: -2/sqrt(pi) * exp(-x**2).
    Special points: It tends to 2 and 0.

    >>> erfc(0.0)
    1.0
    """
    return _unary("erfc", x)


def abs(x: T) -> T:
    """The absolute value of x.

    Derivative: the sign of x.
    Special points: The derivative at 0 is 0.

    >>> abs(-2.0)
    2.0
    """
    return _unary("abs", x)


def sign(x: T) -> T:
    """1 for positive x, -1 for negative x, 0 at 0.

    Derivative: 0 everywhere.
    Special points: sign(nan) is nan.

    >>> sign(-2.0)
    -1.0
    """
    return _unary("sign", x)


def floor(x: T) -> T:
    """The largest whole number that is not above x, as a float.

    Derivative: 0 everywhere.
    Special points: floor(inf) is inf.

    >>> floor(2.7)
    2.0
    """
    return _unary("floor", x)


def ceil(x: T) -> T:
    """The smallest whole number that is not below x, as a float.

    Derivative: 0 everywhere.
    Special points: ceil(inf) is inf.

    >>> ceil(2.1)
    3.0
    """
    return _unary("ceil", x)


def round(x: T) -> T:
    """The whole number nearest to x, as a float; of two that are equally near, the even one.

    Derivative: 0 everywhere.
    Special points: round(inf) is inf.

    >>> round(2.5)
    2.0
    """
    return _unary("round", x)


def gelu(x: T, approximate: str = "none") -> T:
    """x * P(N <= x) for a standard normal N: the Gaussian error linear unit (Hendrycks and Gimpel, 2016).

    Arguments:
        x: a number or a Value.
        approximate: "none" for the exact form with erf, "tanh" for
            0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x**3))).

    Derivative: P(N <= x) + x * the normal density at x; it crosses 0 near x = -0.75.

    Raises:
        ValueError: approximate is neither "none" nor "tanh".

    >>> f"{gelu(1.0):.6f} {gelu(1.0, approximate='tanh'):.6f}"
    '0.841345 0.841192'
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f'gelu takes approximate="none" or "tanh"; got {approximate!r}')
    return _unary("gelu" if approximate == "none" else "gelu_tanh", x)


# Functions of two or three numbers


def add(x: Number, y: Number) -> Result:
    """x + y. Derivatives: 1 and 1.

    >>> add(2.0, 3.0)
    5.0
    """
    return _binary("add", x, y)


def sub(x: Number, y: Number) -> Result:
    """x - y. Derivatives: 1 and -1.

    >>> sub(2.0, 3.0)
    -1.0
    """
    return _binary("sub", x, y)


def mul(x: Number, y: Number) -> Result:
    """x * y. Derivatives: y and x.

    >>> mul(2.0, 3.0)
    6.0
    """
    return _binary("mul", x, y)


def div(x: Number, y: Number) -> Result:
    """x / y. Derivatives: 1 / y and -x / y**2.

    Special points: 1 / 0 is inf, 0 / 0 is nan.

    >>> div(1.0, 0.0)
    inf
    """
    return _binary("div", x, y)


def floor_divide(x: Number, y: Number) -> Result:
    """x // y, the floor of the quotient. Derivatives: 0 and 0.

    >>> floor_divide(7.0, 2.0)
    3.0
    """
    return _binary("floor_divide", x, y)


def remainder(x: Number, y: Number) -> Result:
    """x % y, the remainder of the division, with the sign of y. Derivatives: 1 and -(x // y).

    >>> remainder(-7.0, 2.0)
    1.0
    """
    return _binary("remainder", x, y)


def neg(x: T) -> T:
    """-x. Derivative: -1.

    >>> neg(2.0)
    -2.0
    """
    return _unary("neg", x)


def pos(x: T) -> T:
    """+x: x itself.

    >>> pos(2.0)
    2.0
    """
    return x if isinstance(x, Value) else cast(T, as_float(x, "pos(...)"))


def pow(x: Number, y: Number) -> Result:
    """x ** y, as C's `pow` computes it: never complex.

    Derivatives: y * x**(y-1) and x**y * log(x).
    Special points: pow(0, 0) is 1 with derivatives 0 and 0. pow(0, -1) is inf with -inf and -inf. For a negative x, a
    fractional y gives nan; with a whole y, only the derivative for y is nan.

    >>> pow(2.0, 10.0)
    1024.0
    """
    return _binary("pow", x, y)


def atan2(y: Number, x: Number) -> Result:
    """The angle in radians, from -pi to pi, of the point (x, y).

    Derivatives: x / (x**2 + y**2) for y, -y / (x**2 + y**2) for x; 0 at the origin.

    >>> atan2(1.0, 1.0)
    0.7853981633974483
    """
    return _binary("atan2", y, x)


def hypot(x: Number, y: Number) -> Result:
    """sqrt(x**2 + y**2), without overflow on the way. (`norm` takes any number of operands.)

    Derivatives: x / hypot(x, y) and y / hypot(x, y); 0 at the origin.

    >>> hypot(3.0, 4.0)
    5.0
    """
    return _binary("hypot", x, y)


def shifted_exp(x: Number, y: Number) -> Result:
    """exp(x - y), accurate even where the rounding of x - y would cost digits.

    Derivatives: exp(x - y) for x, -exp(x - y) for y.
    Special points: 1 where x and y are equal, even if both are infinite.

    >>> shifted_exp(3.0, 3.0)
    1.0
    """
    return _binary("shifted_exp", x, y)


def leaky_relu(x: Number, negative_slope: Number = 0.01) -> Result:
    """x where it is positive, otherwise negative_slope * x.

    Derivative: 1 for positive x, otherwise negative_slope. If the slope is a Value, it gets a gradient too.

    >>> leaky_relu(-2.0)
    -0.02
    """
    return _binary("leaky_relu", x, negative_slope)


def elu(x: Number, alpha: Number = 1.0) -> Result:
    """x where it is positive, otherwise alpha * (exp(x) - 1) (Clevert et al., 2015).

    Derivative: 1 for positive x, otherwise alpha * exp(x).

    >>> elu(2.0)
    2.0
    """
    return _binary("elu", x, alpha)


def maximum(x: Number, y: Number) -> Result:
    """The larger of two numbers.

    Derivatives: 1 for the larger, 0 for the other; 1/2 each at a tie. If one is nan, everything is nan.

    >>> maximum(2.0, 3.0)
    3.0
    """
    return _binary("maximum", x, y)


def minimum(x: Number, y: Number) -> Result:
    """The smaller of two numbers. Derivatives as for `maximum`.

    >>> minimum(2.0, 3.0)
    2.0
    """
    return _binary("minimum", x, y)


def clip(x: Number, low: Number, high: Number) -> Result:
    """x, or the nearer bound if x is outside the interval from low to high. If low > high it is high, as in PyTorch.

    Derivative: 1 inside and at both bounds. Outside it is 0, and 1 for the bound that was taken.

    >>> clip(5.0, 0.0, 1.0)
    1.0
    """
    return _ternary(operations["clip"], x, low, high)


def where(condition: bool | Number, x: Number, y: Number) -> Result:
    """x if the condition holds, otherwise y: a choice that the graph records.

    Derivatives: 1 for the chosen number, 0 for the other one and for the condition. A contribution with a zero factor
    is 0. So `where(x > 0, log(x), 0)` has the derivative 0 at x = 0, not nan.

    A comparison is True or False, and the graph does not record where that came from. So `compile(outputs, inputs)`
    refuses a graph with such a condition. `compile(f)` records comparisons too. A condition that is a constant can be
    given as 1.0 or 0.0 (or as a bool of NumPy's).

    >>> where(2.0 > 1.0, 10.0, 20.0)
    10.0
    """
    # While a function is traced, a comparison of Values is a Value: a bool is a constant there.
    decided = type(condition) is bool and not modes.is_traced()
    return _ternary(DECIDED_WHERE if decided else _WHERE, condition, x, y)


_WHERE = operations["where"]


# Functions of many numbers: each makes one node


def dot(weights: Iterable[Number], inputs: Iterable[Number], bias: Number | None = None) -> Result:
    """The weighted sum: bias + weights[0] * inputs[0] + weights[1] * inputs[1] + ...

    Arguments:
        weights, inputs: n numbers or Values each.
        bias: a number or Value to be added; None for 0.

    Derivatives: inputs[i] for weights[i], weights[i] for inputs[i], 1 for the bias.

    Raises:
        ValueError: the number of weights is not the number of inputs.
        TypeError: one of them is neither a Value nor a number.

    >>> dot([1.0, 2.0], [3.0, 4.0], bias=5.0)
    16.0
    """
    w, x = _operands("dot", weights), _operands("dot", inputs)
    if len(w) != len(x):
        raise ValueError(f"dot takes as many inputs as weights; got {len(w)} weights and {len(x)} inputs")
    b: tuple[Number, ...] = () if bias is None else (bias,)
    if w and type(w[0]) is float and set(builtins.map(type, (*w, *x, *b))) == _FLOATS:
        # A third of the time of `apply`: a GPT writes texts on plain floats.
        return builtins.sum(builtins.map(product, w, x), b[0] if b else 0.0)
    try:
        return _neuron(w, x, b)
    except (AttributeError, TypeError, OverflowError, IndexError):  # a weight is a plain number, or inputs are mixed
        return apply(_DOT, *w, *x, *b)


def _neuron(w: tuple[Any, ...], x: tuple[Any, ...], b: tuple[Any, ...]) -> Value:
    """`dot` where all weights and the bias, and all or none of the inputs, are Values.

    It makes a neuron of 64 inputs 5.7 times faster than `apply` does. Reading `_data` checks that all are Values, and
    an array of doubles turns other numbers into floats. Each of these is one pass, which Python runs in C.
    """
    w_data = [v._data for v in w]
    start, ones = (b[0]._data, (1.0,)) if b else (0.0, ())
    if isinstance(x[0], Value):
        x_data = [v._data for v in x]
        parents = operands = w + x + b
        derivatives = (*x_data, *w_data, *ones)
    else:
        types = set(builtins.map(type, x))
        # While a function is traced, `array` would ask a Value for its number, which is an error even if it is caught.
        if types != _FLOATS and any(issubclass(t, Value) for t in types):
            raise TypeError
        x_data = list(x) if types == _FLOATS else array("d", x).tolist()
        parents, operands = w + b, (*w, *x_data, *b)
        derivatives = (*x_data, *ones)
    data = builtins.sum(builtins.map(product, w_data, x_data), start)
    if type(data) is not float:  # something other than a Value has a `_data`, such as NumPy's masked numbers
        raise TypeError
    return _record(_DOT, data, parents, derivatives, operands)


_DOT = operations["dot"]
_FLOATS = {float}


def sum(values: Iterable[Number]) -> Result:
    """The sum of the values, rounded once (`math.fsum`); 0.0 if there are none. Derivatives: 1 each.

    >>> sum([0.1] * 10)
    1.0
    """
    return apply(operations["sum"], *_operands("sum", values))


def mean(values: Iterable[Number]) -> Result:
    """The arithmetic mean of n values. Derivatives: 1/n each.

    Raises:
        ValueError: there are no values.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return apply(operations["mean"], *_operands("mean", values, least=1))


def prod(values: Iterable[Number]) -> Result:
    """The product of the values; 1.0 if there are none.

    Derivatives: the product of the other values, even if some are zero.
    Special points: It overflows or underflows only if the result does: prod([1e200, 1e200, 1e-300]) is 1e100.

    >>> prod([2.0, 3.0, 4.0])
    24.0
    """
    return apply(operations["prod"], *_operands("prod", values))


def logsumexp(values: Iterable[Number]) -> Result:
    """log(exp(values[0]) + exp(values[1]) + ...), without overflow.

    Derivatives: softmax(values). Special points: -inf if all are -inf (they share the derivative 1 equally).

    Raises:
        ValueError: there are no values.

    >>> logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    return apply(operations["logsumexp"], *_operands("logsumexp", values, least=1))


def softmax(values: Iterable[Number], index: Number | None = None) -> Result:
    """Probabilities proportional to exp(values[k]).

    Arguments:
        values: n numbers or Values.
        index: the place of the only one to compute; None for all.

    Returns:
        a list of n nodes, which share the largest value and the sum of exp(values[k] - largest), so that their number
        is linear in n; or one node with the n values as parents, if an index is given.

    Derivatives: s[k] * (1 - s[k]) for values[k], -s[k] * s[i] for the others.

    Raises:
        IndexError, ValueError: the index is out of range, or no whole number.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    >>> softmax([0.0, 0.0], index=1)
    0.5
    """
    operands = _operands("softmax", values)
    if index is not None:
        return apply(operations["softmax"], *operands, _place("softmax", index, len(operands)))
    if not operands:
        return []
    largest = max(operands)
    exponentials = [shifted_exp(x, largest) for x in operands]
    total = sum(exponentials)
    return [div(e, total) for e in exponentials]


def log_softmax(values: Iterable[Number], index: Number | None = None) -> Result:
    """The logarithms of `softmax(values)`, accurate where a probability is near 0 or 1.

    Arguments:
        values: n numbers or Values.
        index: the place of the only one to compute; None for all.

    Returns:
        a list of n nodes, which share the largest value and its log-probability, so that their number is linear in n;
        or one node with the n values as parents, if an index is given.

    Derivatives: 1 - s[k] for values[k], -s[i] for the others, where s is `softmax(values)`.

    Raises:
        IndexError, ValueError: the index is out of range, or no whole number.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, 0.0]
    >>> log_softmax([0.0, 1000.0], index=0)
    -1000.0
    """
    operands = _operands("log_softmax", values)
    if index is not None:
        return apply(operations["log_softmax"], *operands, _place("log_softmax", index, len(operands)))
    if not operands:
        return []
    largest = max(operands)
    # The shared node comes first, so that a gradient passes through it last: the large terms of the others have then
    # cancelled exactly in the largest value's gradient, and its small term is added to 0.
    of_largest = max_log_prob(operands)
    return [add(of_largest, sub(x, largest)) for x in operands]


def max_log_prob(values: Iterable[Number]) -> Result:
    """The largest of log_softmax(values): the logarithm of the largest probability.

    Derivatives: 1 - s[k] for the largest value, -s[i] for the others, where s is `softmax(values)`; 1/n - s[k] for each
    of n that tie.

    Raises:
        ValueError: there are no values.

    >>> max_log_prob([0.0, 1000.0])
    -0.0
    """
    return apply(operations["max_log_prob"], *_operands("max_log_prob", values, least=1))


def norm(values: Iterable[Number]) -> Result:
    """The Euclidean length sqrt(values[0]**2 + values[1]**2 + ...); 0.0 if there are no values.

    Derivatives: values[i] / norm; 0 at the origin.
    Special points: It overflows only if the result does.

    >>> norm([2.0, 3.0, 6.0])
    7.0
    """
    return apply(operations["norm"], *_operands("norm", values))


def max(values: Iterable[Number]) -> Result:
    """The largest of the values.

    Derivatives: 1 for the largest, or 1/n for each of n that tie. If one value is nan, everything is nan.

    Raises:
        ValueError: there are no values.

    >>> max([1.0, 3.0, 2.0])
    3.0
    """
    return apply(operations["max"], *_operands("max", values, least=1))


def min(values: Iterable[Number]) -> Result:
    """The smallest of the values. Derivatives as for `max`.

    Raises:
        ValueError: there are no values.

    >>> min([3.0, 1.0, 2.0])
    1.0
    """
    return apply(operations["min"], *_operands("min", values, least=1))


def take(values: Iterable[Any], index: Number) -> Result:
    """values[index], a choice that the graph records: the index may be a Value.

    Of a table, a list of rows of one length, it is a whole row: a list, in which each element is a choice of its own
    among those of its column.

    Derivatives: 1 for the value taken, 0 for the others and for the index. (Compiled, it takes the same time however
    many there are to choose from.)

    Raises:
        IndexError: the index is outside -n ... n-1.
        ValueError: the index is no whole number, or the rows are not of one length.

    >>> take([10.0, 20.0, 30.0], -1)
    30.0
    >>> take([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], 1)
    [3.0, 4.0]
    """
    operands: tuple[Any, ...] = _operands("take", values)
    if operands and isinstance(operands[0], Sequence) and not isinstance(operands[0], str):
        lengths = {len(row) if isinstance(row, Sequence) else row for row in operands}
        if len(lengths) > 1:
            raise ValueError(f"take takes rows of one length; got lengths {shown(sorted(lengths, key=str))}")
        place = _place("take", index, len(operands))
        return [apply(operations["take"], *column, place) for column in zip(*operands, strict=True)]
    return apply(operations["take"], *operands, _place("take", index, len(operands)))


def _place(name: str, index: Number, count: int) -> Number:
    """The index itself, if it is a whole number from -count to count - 1."""
    place = index._data if isinstance(index, Value) else as_float(index, f"the index of {name}")
    if place != place // 1:
        raise ValueError(f"the index of {name} is a whole number; got {place!r}")
    if not -count <= place < count:
        raise IndexError(f"{name} got index {place:.0f} for {count} values; they are counted from 0")
    return index


def _operands(name: str, values: Iterable[Number], least: int = 0) -> tuple[Number, ...]:
    """The values as a tuple, or an error that says what `name` takes."""
    try:
        iterator = iter(values)
    except TypeError:
        what = f"{shown(values)} ({type(values).__name__})"
        raise TypeError(f"{name} takes a list of numbers or Values; got {what}") from None
    operands = tuple(iterator)
    if len(operands) < least:
        raise ValueError(f"{name} needs at least one value; got an empty list")
    return operands


# What rules over Values need besides: see `rules.rules`


def index(x: Number) -> int:
    """A whole number as an int."""
    return int(x.data if isinstance(x, Value) else x)


def at(row: Sequence[Any], place: Number) -> Any:
    """The number at a place of a row."""
    return row[index(place)]


def put(row: Sequence[Any], place: Number, number: Any) -> list[Any]:
    """The row with another number at a place. The graph records the choice if the place is recorded for all numbers."""
    if not isinstance(place, Value):
        return list(rows.put(row, place, number))
    first = select(place < 0, place + len(row), place)
    return [select(first < i, x, select(first > i, x, number)) for i, x in enumerate(row)]


def select(condition: Any, a: Any, b: Any) -> Any:
    """One of two numbers, or of two tuples of them. The graph records the choice if the condition is a Value."""
    if not isinstance(condition, Value):
        return a if condition else b
    if isinstance(a, tuple):
        return tuple(select(condition, x, y) for x, y in zip(a, b, strict=True))
    return where(condition, a, b)


# Operations of one's own


def operation(
    rule: Callable[..., Any], *derivatives: Callable[..., Any], name: str = "", symbol: str = ""
) -> Callable[..., Any]:
    """Makes a new differentiable operation, which then works like the built-in functions.

    As a decorator it takes a function of `m`, a namespace of elementary functions (`m.exp`, `m.sin`, ...). It returns
    the operation's value, a function of the operands, and for each operand a local derivative, a function of
    `(out, *operands)`. Such an operation has derivatives of every order and can be compiled. Its functions compare with
    `<` and `<=`, not with `==`.

    Called with a value and its local derivatives over plain floats, it makes an operation that has first derivatives
    only. If the value takes `*xs`, there is one derivative function, which returns a list.

    Arguments:
        rule: a function of `m` that returns `(value, *derivatives)`; or the value, if derivatives follow.
        derivatives: one function of `(out, *operands)` for each operand.
        name: the operation's name; by default the name of the function given.
        symbol: what drawings write between the operands.

    Returns:
        a function of numbers and Values.

    Raises:
        TypeError: the number of derivatives is not the number of operands, or one is not callable.

    >>> @operation
    ... def cube(m):
    ...     return lambda x: x * x * x, lambda out, x: 3.0 * x * x
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    >>> halve = operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
    >>> halve(3.0)
    1.5
    """
    name = name or getattr(rule, "__name__", type(rule).__name__)
    if derivatives:
        made = Operation(_rule_of(name, symbol, (rule, *derivatives)), careful=None)
    else:

        def over(m: Any) -> Rule:
            return _rule_of(name, symbol, rule(m))

        made = Operation(over(floats), over(ieee), over)

    def call(*operands: Number) -> Any:
        _check_count(made, len(operands))
        return apply(made, *operands)

    call.__module__ = rule.__module__
    call.__doc__ = rule.__doc__
    call.__name__ = name
    call.__qualname__ = getattr(rule, "__qualname__", name)
    if derivatives and "<lambda>" in call.__qualname__:
        call.__qualname__ = name
    call.operation = made  # type: ignore[attr-defined]
    made.function = call
    return call


def _rule_of(name: str, symbol: str, parts: Any) -> Rule:
    """The value and derivatives that a user gave, as a Rule; or an error if they do not fit together."""
    if not isinstance(parts, tuple) or len(parts) < 2 or not all(map(callable, parts)):
        raise TypeError(
            f"the operation {name} needs a value and its local derivatives, which are all functions; got {shown(parts)}"
        )
    from inspect import Parameter, signature  # imported here, since that takes 5 ms

    value, *derivatives = parts
    try:
        kinds = [parameter.kind for parameter in signature(value).parameters.values()]
    except ValueError:  # math.log and some others do not say what they take
        kinds = [Parameter.POSITIONAL_ONLY for _ in derivatives]
    nary = Parameter.VAR_POSITIONAL in kinds
    count = 1 if nary else len(kinds)
    if count != len(derivatives):
        raise TypeError(
            f"the operation {name} takes {count} operands; got {len(derivatives)} local derivatives: give one for each"
        )
    return Rule(name, value, tuple(derivatives), symbol, nary)


def _check_count(made: Operation, count: int) -> None:
    expected = len(made.derivatives)
    if not made.nary and count != expected:
        raise TypeError(f"{made.name} takes {expected} operands; got {count}")


# The table gives the public names and the methods

PUBLIC = [name for name in operations if name in globals()] + ["operation", "pos"]
"""The functions of this file that are public names of `autograd`."""

globals()["__all__"] = PUBLIC  # in this form, since type checkers then see all functions of this file

for _name, _operation in operations.items():
    if _operation.rule.method:
        setattr(Value, _name, globals()[_name])
for _name in ("abs", "floor", "ceil"):  # abs(v), math.floor(v), math.ceil(v)
    setattr(Value, f"__{_name}__", globals()[_name])
for _name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh"):  # np.arcsin calls a method `arcsin`, ...
    setattr(Value, f"arc{_name[1:]}", globals()[_name])
