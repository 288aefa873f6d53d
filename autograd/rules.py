"""What are the differentiable operations, and what are their derivatives? Each is written here, once.

`rules(m)` returns the table for one number system. `m` is a namespace of elementary functions, like `xp` in the
convention for array libraries. The same lines serve floats, `Value`s (for derivatives of derivatives), mpmath and
compiled code. Three habits make that possible:

- A derivative is a function of `(out, *operands)`, where `out` is the operation's value.
- Only `<` `<=` `>` `>=` decide: a `Value` compares its data with these, while its `==` is identity.
- A branch chooses a formula that is accurate on its side. Over the whole range of doubles, the error of every
  derivative is at most 8 ulp (units in the last place) of the true one, or of the larger scale that its rule declares.

The two namespaces for plain numbers are in `ieee754.py`; `operations.py` binds a rule to them.
"""

import math
from collections.abc import Callable, Sequence
from operator import add
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

TINY, HUGE = 2.0**-900, 2.0**900  # between these, squares of roots neither underflow nor overflow
UP, DOWN = 2.0**600, 2.0**-600  # exact factors that bring a number back into the middle of the range
NAN = math.nan
WITH_INDEX = ("take", "softmax", "log_softmax")
"""The operations whose last operand is the place of one of the others."""
# The true 2*sqrt(2/pi) minus the double computed for it; and the same for 0.044715 times that number.
GELU_A_LOW, GELU_B_LOW = -9.96930880911092e-17, -6.175149918155315e-19


class Activation(NamedTuple):
    """What drawings and diagnosis ask about an activation function.

    `steepest` is the largest size of its slope. `squashing` says whether its values stay between two bounds.
    """

    steepest: float = 1.0
    squashing: bool = False


class Rule(NamedTuple):
    """One operation over one number system, and all that the project knows of it.

    - `value(*operands)` is its value.
    - `derivatives` holds, for each operand, a function of `(out, *operands)`. A rule for any number of operands
      (`nary`) holds one function that returns them all.
    - `symbol` is written between the operands, such as "+"; "" if the operation has none.
    - `method` says whether the function is a method of `Value` too: `v.tanh()` is `tanh(v)`.
    - `activation` describes an activation function; None for other operations.
    - `scale(out, *operands)` gives a size for each operand, against which the error of its derivative is measured. It
      is the derivative's largest term, where terms cancel. None where the derivative itself is that size.
    """

    name: str
    value: Callable[..., Any]
    derivatives: tuple[Callable[..., Any], ...]
    symbol: str = ""
    nary: bool = False
    method: bool = False
    activation: Activation | None = None
    scale: Callable[..., Sequence[Any]] | None = None

    def derivatives_for(self, places: Sequence[int], out: Any, operands: Sequence[Any]) -> list[Any]:
        """The local derivatives for the operands at these places, where the value is `out`."""
        if not self.nary:
            return [self.derivatives[i](out, *operands) for i in places]
        every = self.derivatives[0](out, *operands)
        if len(every) != len(operands):
            raise TypeError(f"{self.name} needs a derivative for each of {len(operands)} operands; got {len(every)}")
        return [every[i] for i in places]

    def ulp_bound(self, count: int) -> int:
        """The largest error of a derivative, in ulp, for `count` operands."""
        return count + 8 if self.nary else {"cbrt": 12}.get(self.name, 8)


def rules(m: Any) -> dict[str, Rule]:
    """The table of rules over the number system whose elementary functions are in the namespace `m`.

    Arguments:
        m: a namespace with `exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan asin acos atan atan2
            sinh cosh tanh asinh acosh atanh hypot erf erfc pow floor ceil round`, `sum(numbers)`,
            `norm(numbers)`, `index(number)` (a whole number as an int), `select(condition, a, b)`, and
            `row(numbers, count)` (a row of `count` zeros, to be filled with such numbers).

    Returns:
        a dict from the operation's name to its `Rule`, in the order of the source.

    >>> from autograd.ieee754 import floats
    >>> rules(floats)["tanh"].value(0.5)
    0.46211715726000974
    """
    table: dict[str, Rule] = {}

    def rule(name: str, value: Callable[..., Any], *derivatives: Callable[..., Any], **more: Any) -> None:
        is_function = not more.get("nary") and not more.get("symbol")
        table[name] = Rule(name, value, derivatives, **{"method": is_function, **more})

    _arithmetic(m, rule)
    _powers(m, rule)
    _exponentials(m, rule)
    _trigonometry(m, rule)
    _hyperbolics(m, rule)
    _activations(m, rule)
    _error_functions(m, rule)
    _gelu_by_tanh(m, rule)
    _largest_and_smallest(m, rule)
    _choices(m, rule)
    _steps(m, rule)
    _shifted_exponential(m, rule)
    _places(m, rule)
    _sums(m, rule)
    _products(m, rule)
    _lengths(m, rule)
    _soft_maxima(m, rule)
    return table


def part_of(m: Any) -> Callable[[F], F]:
    """A decorator for a part of a rule that is called in a loop and decides something.

    With numbers it changes nothing. With symbols, the part's questions are then answered apart from those of the rest
    of the loop, so that their answers do not multiply (see `symbols.py`).
    """
    return getattr(m, "part", lambda function: function)


# Questions about a number, which every number system can answer


def is_zero(x: Any) -> bool:
    """Whether x is 0.0 or -0.0 (`x == 0` would ask a `Value` for identity)."""
    return bool(0.0 <= x <= 0.0)


def is_nan(x: Any) -> bool:
    """Whether x is nan."""
    return not x >= x


def is_finite(x: Any) -> bool:
    """Whether x is neither nan nor an infinity."""
    return bool(-math.inf < x < math.inf)


def all_finite(xs: Sequence[Any]) -> bool:
    """Whether no number is nan or an infinity."""
    for x in xs:  # noqa: SIM110 (numba has no all())
        if not is_finite(x):
            return False
    return True


def _arithmetic(m: Any, rule: Callable[..., None]) -> None:
    def over_square(out: Any, x: Any, y: Any) -> Any:
        """-x / y**2, as -out / y. A subnormal out has lost digits: then x is scaled up first."""
        if -1e-290 < out < 1e-290 and -1.0 < y < 1.0:
            return -((x * UP) / y) / y * DOWN
        return -out / y

    rule("add", lambda x, y: x + y, lambda out, x, y: 1.0, lambda out, x, y: 1.0, symbol="+")
    rule("sub", lambda x, y: x - y, lambda out, x, y: 1.0, lambda out, x, y: -1.0, symbol="-")
    rule("mul", lambda x, y: x * y, lambda out, x, y: y, lambda out, x, y: x, symbol="*")
    rule("div", lambda x, y: x / y, lambda out, x, y: 1.0 / y, over_square, symbol="/")
    rule("floor_divide", lambda x, y: x // y, lambda out, x, y: 0.0, lambda out, x, y: 0.0, symbol="//")
    rule("remainder", lambda x, y: x % y, lambda out, x, y: 1.0, lambda out, x, y: -(x // y), symbol="%")
    rule("neg", lambda x: -x, lambda out, x: -1.0, method=False)
    rule("abs", abs, lambda out, x: 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if is_zero(x) else NAN)


def _powers(m: Any, rule: Callable[..., None]) -> None:
    def pow_base(out: Any, x: Any, y: Any) -> Any:
        """y * x**(y-1). Rounding y-1 would cost log(x) ulp, so x**y is divided by x where that is safe."""
        if is_zero(y) and not (is_finite(x) and (x < 0 or x > 0)):
            return 0.0 * y  # x**0 is 1 everywhere
        if is_zero(x) or not (is_finite(x) and is_finite(y)):
            return y * m.pow(x, y - 1.0)
        if -TINY < y < TINY:  # y * out could be subnormal; y / x cannot overflow
            return y / x * out
        if TINY < out < HUGE or -HUGE < out < -TINY:
            return y * out / x
        # out is out of range, or almost: two factors stand for it. Both exponents are whole if x is negative.
        exponent, divisor = (y - 1.0, 1.0) if 0.5 <= y <= 2.0**53 else (y, x)  # y - 1 is exact in that interval
        first = m.round(exponent / 2.0)
        return y * m.pow(x, first) / divisor * m.pow(x, exponent - first)

    def pow_exponent(out: Any, x: Any, y: Any) -> Any:
        """x**y * log(x). It tends to 0 with x if y is positive; at pow(0, 0) it is taken as 0."""
        if (is_zero(x) and y >= 0) or (x >= math.inf and y < 0):
            return 0.0
        if TINY < out < HUGE or not 0 < x < math.inf:
            return out * m.log(x)
        half = m.pow(x, y / 2.0)
        return half * m.log(x) * half

    def cbrt_derivative(out: Any, x: Any) -> Any:
        return 1.0 / (3.0 * out * out)

    rule("pow", m.pow, pow_base, pow_exponent, symbol="**", method=True)
    rule("sqrt", m.sqrt, lambda out, x: 0.5 / (out + 0.0))  # + 0.0: the derivative at -0.0 is +inf too
    rule("cbrt", m.cbrt, cbrt_derivative)


def _exponentials(m: Any, rule: Callable[..., None]) -> None:
    def inverse(x: Any, factor: float = 1.0) -> Any:
        """factor / x for the logarithms: inf at 0.0 and -0.0, nan where x is negative."""
        return factor / (x + 0.0) if x >= 0 else NAN

    def exp2_derivative(out: Any, x: Any) -> Any:
        """2**x * log(2). It is still finite at 1024, where out overflows. (Below 1, x - 1 might be rounded.)"""
        return m.exp2(x - 1.0) * (2.0 * log_2) if x > 1.0 else out * log_2

    log_2, log2_e, log10_e = math.log(2.0), 1.0 / math.log(2.0), 1.0 / math.log(10.0)
    rule("exp", m.exp, lambda out, x: out)
    rule("exp2", m.exp2, exp2_derivative)
    rule("expm1", m.expm1, lambda out, x: m.exp(x))  # out + 1 is 0 at x = -40
    rule("log", m.log, lambda out, x: inverse(x))
    rule("log2", m.log2, lambda out, x: inverse(x, log2_e))
    rule("log10", m.log10, lambda out, x: inverse(x, log10_e))
    rule("log1p", m.log1p, lambda out, x: inverse(1.0 + x))


def _trigonometry(m: Any, rule: Callable[..., None]) -> None:
    def atan_derivative(out: Any, x: Any) -> Any:
        """1 / (1 + x*x), without squaring a large x."""
        return 1.0 / (1.0 + x * x) if -1.0 < x < 1.0 else 1.0 / x / (x + 1.0 / x)

    def over_square_of_hypot(x: Any, y: Any, numerator: Any) -> Any:
        """numerator / (x*x + y*y), scaled by a power of two where the square would overflow or underflow."""
        r = m.hypot(x, y)
        if is_zero(r):
            return 0.0
        s = UP if r < 2.0**-500 else DOWN if r > 2.0**500 else 1.0
        r = m.hypot(x * s, y * s)
        return numerator * s / (r * r) * s

    rule("sin", m.sin, lambda out, x: m.cos(x))
    rule("cos", m.cos, lambda out, x: -m.sin(x))
    rule("tan", m.tan, lambda out, x: 1.0 + out * out)
    rule("asin", m.asin, lambda out, x: 1.0 / m.sqrt((1.0 - x) * (1.0 + x)))
    rule("acos", m.acos, lambda out, x: -1.0 / m.sqrt((1.0 - x) * (1.0 + x)))
    rule("atan", m.atan, atan_derivative)
    rule(
        "atan2",
        m.atan2,
        lambda out, y, x: over_square_of_hypot(x, y, x),
        lambda out, y, x: over_square_of_hypot(x, y, -y),
    )


def _hyperbolics(m: Any, rule: Callable[..., None]) -> None:
    def tanh_derivative(out: Any, x: Any) -> Any:
        """1 / cosh(x)**2. (1 - out*out is off by 9e15 ulp at x = 20.)"""
        c = m.cosh(x) if -400.0 < x < 400.0 else math.inf if x >= x else x
        return 1.0 / c / c

    rule("sinh", m.sinh, lambda out, x: m.cosh(x))
    rule("cosh", m.cosh, lambda out, x: m.sinh(x))
    rule("tanh", m.tanh, tanh_derivative, activation=Activation(squashing=True))
    rule("asinh", m.asinh, lambda out, x: 1.0 / m.hypot(1.0, x))
    rule("acosh", m.acosh, lambda out, x: 1.0 / (m.sqrt(x - 1.0) * m.sqrt(x + 1.0)))
    rule("atanh", m.atanh, lambda out, x: 1.0 / ((1.0 - x) * (1.0 + x)) if -1 <= x <= 1 else NAN)


def _activations(m: Any, rule: Callable[..., None]) -> None:
    def sigmoid(x: Any) -> Any:
        """1 / (1 + exp(-x)), or exp(x) / (1 + exp(x)) where the first exponential could overflow."""
        if x < 0:
            e = m.exp(x)
            return e / (1.0 + e)
        return 1.0 / (1.0 + m.exp(-x))

    def softplus(x: Any) -> Any:
        return x + m.log1p(m.exp(-x)) if x > 0 else m.log1p(m.exp(x))

    def step(x: Any, right: Any = 1.0, left: Any = 0.0) -> Any:
        """`right` for positive x, `left` for the others, nan for nan."""
        return right if x > 0 else left if x <= 0 else NAN

    def times_exp(factor: Any, x: Any) -> Any:
        """factor * exp(x) for x <= 0, in two halves, since exp(x) alone would underflow too early."""
        half = m.exp(x / 2.0)
        return factor * half * half

    def silu(x: Any) -> Any:
        if x > -700.0:
            return x * sigmoid(x)
        return times_exp(x, x) if x > -800.0 else -0.0 if x < 0 else x

    def silu_terms(x: Any) -> tuple[Any, Any]:
        """sigmoid(x), and x times its derivative."""
        return sigmoid(x), (silu(x) * sigmoid(-x) if is_finite(x) else 0.0)

    rule("sigmoid", sigmoid, lambda out, x: out * sigmoid(-x), activation=Activation(0.25, squashing=True))
    rule("softplus", softplus, lambda out, x: sigmoid(x), activation=Activation())
    rule("relu", lambda x: x if x > 0 else 0.0 if x <= 0 else x, lambda out, x: step(x), activation=Activation())
    rule(
        "leaky_relu",
        lambda x, negative_slope: x if x > 0 else negative_slope * x,
        lambda out, x, negative_slope: step(x, 1.0, negative_slope),
        lambda out, x, negative_slope: step(x, 0.0, x),
        activation=Activation(),
    )
    rule(
        "elu",
        lambda x, alpha: x if x > 0 else alpha * m.expm1(x),
        lambda out, x, alpha: 1.0 if x > 0 else times_exp(alpha, x),
        lambda out, x, alpha: 0.0 if x > 0 else m.expm1(x),
        activation=Activation(),
    )
    rule(
        "silu",
        silu,
        lambda out, x: add(*silu_terms(x)),
        activation=Activation(1.1),
        scale=lambda out, x: [max(abs(term) for term in silu_terms(x))],
    )


def _error_functions(m: Any, rule: Callable[..., None]) -> None:
    def times_exp_minus_square(factor: Any, x: Any, share: float = 1.0) -> Any:
        """factor * exp(-share * x * x), where share is 1 or 1/2.

        The rounding of x*x would cost x*x ulp. So x is split into a head of few bits, whose square is exact, and a
        small rest. The factor comes before the last exponential, which alone would underflow too early.
        """
        if not -1e8 < x < 1e8:
            return 0.0 if x >= x else x
        head = m.floor(x * 65536.0) / 65536.0
        half = m.exp(-share * head * head / 2.0)
        return factor * m.exp(-share * (x - head) * (x + head)) * half * half

    def normal_distribution(x: Any) -> Any:
        return 0.5 * m.erfc(x * -math.sqrt(0.5))

    def gelu(x: Any) -> Any:
        return x * normal_distribution(x) if x > -40.0 else -0.0 if x < 0 else x

    def gelu_terms(x: Any) -> tuple[Any, Any]:
        """The normal distribution function at x, and x times its density."""
        if not -40.0 < x < 40.0:
            return (1.0 if x > 0 else 0.0 if x <= 0 else x), 0.0
        density = 1.0 / math.sqrt(2.0 * math.pi)
        return normal_distribution(x), times_exp_minus_square(x * density, x, 0.5)

    two_over_root_pi = 2.0 / math.sqrt(math.pi)
    rule("erf", m.erf, lambda out, x: times_exp_minus_square(two_over_root_pi, x))
    rule("erfc", m.erfc, lambda out, x: times_exp_minus_square(-two_over_root_pi, x))
    rule(
        "gelu",
        gelu,
        lambda out, x: add(*gelu_terms(x)),
        activation=Activation(1.13),
        scale=lambda out, x: [max(abs(term) for term in gelu_terms(x))],
    )


def _gelu_by_tanh(m: Any, rule: Callable[..., None]) -> None:
    def times_gelu_tanh_exponential(factor: Any, x: Any) -> Any:
        """factor * exp(2u) with u = sqrt(2/pi) * (x + 0.044715 * x**3), for x <= 0.

        2u reaches -745, where its rounding alone would cost 700 ulp. So x is split into a head of 13 bits and a rest,
        and each coefficient into a head of 14 bits and a rest. Then two of the three exponents are exact.
        """
        a, b = 2.0 * math.sqrt(2.0 / math.pi), 2.0 * math.sqrt(2.0 / math.pi) * 0.044715
        a_head, b_head = math.floor(a * 2.0**13) / 2.0**13, math.floor(b * 2.0**17) / 2.0**17
        a_rest, b_rest = (a - a_head) + GELU_A_LOW, (b - b_head) + GELU_B_LOW
        head = m.floor(x * 256.0) / 256.0
        cube, rest = head * head * head, x - head
        small = a_rest * head + b_rest * cube + rest * (a + b * (x * x + x * head + head * head))
        return factor * m.exp(b_head * cube) * m.exp(a_head * head) * m.exp(small)

    def gelu_tanh(x: Any) -> Any:
        if not -30.0 < x < 30.0:
            return -0.0 if x < 0 else x
        if x < 0:
            return times_gelu_tanh_exponential(x, x) / (1.0 + times_gelu_tanh_exponential(1.0, x))
        return x / (1.0 + times_gelu_tanh_exponential(1.0, -x))

    def gelu_tanh_terms(x: Any) -> tuple[Any, Any]:
        """(1 + tanh u) / 2, which is sigmoid(2u), and x times its derivative."""
        if not -30.0 < x < 30.0:
            return (1.0 if x > 0 else 0.0 if x <= 0 else x), 0.0
        below = x if x < 0 else -x
        e = times_gelu_tanh_exponential(1.0, below)
        slope = 2.0 * math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
        return (e if x < 0 else 1.0) / (1.0 + e), times_gelu_tanh_exponential(x * slope, below) / (1.0 + e) / (1.0 + e)

    rule(
        "gelu_tanh",
        gelu_tanh,
        lambda out, x: add(*gelu_tanh_terms(x)),
        method=False,  # gelu(x, approximate="tanh")
        activation=Activation(1.13),
        scale=lambda out, x: [max(abs(term) for term in gelu_tanh_terms(x))],
    )


def _largest_and_smallest(m: Any, rule: Callable[..., None]) -> None:
    part = part_of(m)

    @part
    def larger(best: Any, x: Any) -> Any:
        """The larger of two numbers; nan if one is nan."""
        return x if x > best or not x >= x else best  # if best is nan, no x is greater, and it stays

    @part
    def smaller(best: Any, x: Any) -> Any:
        """The smaller of two numbers; nan if one is nan."""
        return x if x < best or not x >= x else best

    def largest(xs: Sequence[Any]) -> Any:
        best = xs[0]
        for x in xs:
            best = larger(best, x)
        return best

    def smallest(xs: Sequence[Any]) -> Any:
        best = xs[0]
        for x in xs:
            best = smaller(best, x)
        return best

    @part
    def tie(out: Any, x: Any) -> float:
        """1 where x equals the number that was chosen, otherwise 0."""
        return 1.0 if out <= x <= out else 0.0

    def shares(out: Any, xs: Sequence[Any]) -> list[float]:
        """1 for the operand that was chosen, or 1/n for each of n that tie; nan for all if one is nan."""
        if is_nan(out):
            return [NAN for _ in xs]
        ties = [tie(out, x) for x in xs]
        count = sum(ties)
        return [tie / count for tie in ties]

    def share(out: Any, x: Any, other: Any) -> float:
        """The share of x, one of two operands."""
        if is_nan(out):
            return NAN
        return (0.5 if out <= other <= out else 1.0) if out <= x <= out else 0.0

    shares_of_two = (lambda out, x, y: share(out, x, y), lambda out, x, y: share(out, y, x))
    rule("maximum", larger, *shares_of_two)
    rule("minimum", smaller, *shares_of_two)
    rule("max", lambda *xs: largest(xs), lambda out, *xs: shares(out, xs), nary=True)
    rule("min", lambda *xs: smallest(xs), lambda out, *xs: shares(out, xs), nary=True)


def _choices(m: Any, rule: Callable[..., None]) -> None:
    def clip(x: Any, low: Any, high: Any) -> Any:
        raised = low if x < low or is_nan(low) else x
        return high if raised > high or is_nan(high) else raised

    rule(
        "clip",
        clip,
        lambda out, x, low, high: NAN if is_nan(out) else 1.0 if low <= x <= high else 0.0,
        lambda out, x, low, high: NAN if is_nan(out) else 1.0 if x < low <= high else 0.0,
        lambda out, x, low, high: NAN if is_nan(out) else 1.0 if high < low or x > high else 0.0,
    )
    rule(
        "where",
        lambda condition, x, y: x if condition else y,
        lambda out, condition, x, y: 0.0,
        lambda out, condition, x, y: 1.0 if condition else 0.0,
        lambda out, condition, x, y: 0.0 if condition else 1.0,
        method=False,
    )


def _steps(m: Any, rule: Callable[..., None]) -> None:
    rule("sign", lambda x: 1.0 if x > 0 else -1.0 if x < 0 else x * 0.0, lambda out, x: 0.0)
    rule("floor", m.floor, lambda out, x: 0.0)
    rule("ceil", m.ceil, lambda out, x: 0.0)
    rule("round", m.round, lambda out, x: 0.0)


def _shifted_exponential(m: Any, rule: Callable[..., None]) -> None:
    def shifted_exp(x: Any, y: Any) -> Any:
        """exp(x - y); 1 where they are equal, even if both are infinite.

        The rounding of x - y would cost up to 300 ulp of the result. Knuth's two-sum recovers its error exactly
        (The Art of Computer Programming, vol. 2, 4.2.2).
        """
        d = x - y
        virtual = d - x
        error = (x - (d - virtual)) - (y + virtual)
        power = m.exp(d)
        far = m.select(d > 0.0, power, m.select(x >= y, 1.0, power))  # d is nan if x and y are infinite and equal
        return m.select(abs(d) < 746.0, power * (1.0 + error), far)

    rule("shifted_exp", shifted_exp, lambda out, x, y: out, lambda out, x, y: -out)


def _places(m: Any, rule: Callable[..., None]) -> None:
    def take(*values_and_index: Any) -> Any:
        values, index = values_and_index[:-1], values_and_index[-1]
        return values[m.index(index)]

    def take_derivatives(out: Any, *values_and_index: Any) -> list[float]:
        count, index = len(values_and_index) - 1, values_and_index[-1]
        place = m.index(index) % count
        return [1.0 if i == place else 0.0 for i in range(count)] + [0.0]

    rule("take", take, take_derivatives, nary=True)


def _sums(m: Any, rule: Callable[..., None]) -> None:
    def dot(*operands: Any) -> Any:
        """The operands are n weights, n inputs and, if their number is odd, the bias."""
        n, odd = len(operands) // 2, len(operands) % 2
        total = operands[2 * n] if odd else 0.0
        for i in range(n):
            total = total + operands[i] * operands[n + i]
        return total

    def dot_derivatives(out: Any, *operands: Any) -> list[Any]:
        n, odd = len(operands) // 2, len(operands) % 2
        return list(operands[n : 2 * n]) + list(operands[:n]) + [1.0] * odd

    def mean(*xs: Any) -> Any:
        total = m.sum(xs)
        if is_finite(total) or not all_finite(xs):
            return total / len(xs)
        return m.sum([x / len(xs) for x in xs])  # the sum overflowed; the mean does not

    rule("dot", dot, dot_derivatives, nary=True)
    rule("sum", lambda *xs: m.sum(xs), lambda out, *xs: [1.0 for _ in xs], nary=True)
    rule(
        "mean",
        mean,
        lambda out, *xs: [1.0 / len(xs) for _ in xs],
        nary=True,
    )


def _products(m: Any, rule: Callable[..., None]) -> None:
    def running_products(xs: Sequence[Any]) -> list[tuple[Any, int]]:
        """The products of the first 0, 1, ... operands. Each is a pair (p, e), which stands for p * UP**e.

        |p| stays between 2**-300 and 2**300, unless it is 0, inf or nan. So no product of the other operands overflows
        or underflows before its last factor.
        """
        product, exponent = 1.0, 0
        products = [(1.0, 0)]
        for x in xs:
            x, exponent = centred(x, exponent)
            product, exponent = centred(product * x, exponent)
            products.append((product, exponent))
        return products

    part = part_of(m)

    @part
    def centred(x: Any, exponent: int) -> tuple[Any, int]:
        """x * UP**exponent as another such pair, whose factor is neither very large nor very small."""
        if abs(x) > 2.0**300:
            return x * DOWN, exponent + 1
        if 0.0 < abs(x) < 2.0**-300:
            return x * UP, exponent - 1
        return x, exponent

    @part
    def rescaled(product: Any, exponent: int) -> Any:
        """product * UP**exponent. After five factors it is 0 or inf, whatever the exponent is."""
        for k in range(5):
            if exponent > k:
                product = product * UP
            elif exponent < -k:
                product = product * DOWN
            else:
                return product
        return product

    def prod(*xs: Any) -> Any:
        product, exponent = running_products(xs)[-1]
        return rescaled(product, exponent)

    def prod_derivatives(out: Any, *xs: Any) -> list[Any]:
        """For each operand, the product of those before it and those after it. This is right with zeros too."""
        n = len(xs)
        before, after = running_products(xs), running_products(xs[::-1])
        return [rescaled(before[i][0] * after[n - 1 - i][0], before[i][1] + after[n - 1 - i][1]) for i in range(n)]

    rule("prod", prod, prod_derivatives, nary=True)


def _lengths(m: Any, rule: Callable[..., None]) -> None:
    def over_norm(out: Any, xs: Sequence[Any]) -> list[Any]:
        """x / norm, or 0 at the origin; scaled by a power of two where the norm has lost digits."""
        if is_zero(out):
            return [0.0 for _ in xs]
        s = UP if out < TINY else DOWN if out > HUGE and all_finite(xs) else 1.0
        norm = m.norm([x * s for x in xs]) if s < 1.0 or s > 1.0 else out
        return [x * s / norm for x in xs]

    def over_hypot(out: Any, x: Any, other: Any) -> Any:
        """x / hypot, where x is one of two operands."""
        if is_zero(out):
            return 0.0
        s = UP if out < TINY else DOWN if out > HUGE and is_finite(x) and is_finite(other) else 1.0
        return x * s / (m.hypot(x * s, other * s) if s < 1.0 or s > 1.0 else out)

    rule(
        "hypot",
        m.hypot,
        lambda out, x, y: over_hypot(out, x, y),
        lambda out, x, y: over_hypot(out, y, x),
    )
    rule("norm", lambda *xs: m.norm(xs), lambda out, *xs: over_norm(out, xs), nary=True)


def _soft_maxima(m: Any, rule: Callable[..., None]) -> None:
    """These have no branch on a number, so that compiled code can compute eight examples at once."""

    def exp_of_difference(x: Any, top: Any) -> Any:
        """exp(x - top); 1 where they are equal, even if both are infinite.

        The rounding of x - top would cost up to 300 ulp of the result. Knuth's two-sum recovers its error exactly
        (The Art of Computer Programming, vol. 2, 4.2.2).
        """
        d = x - top
        virtual = d - x
        error = (x - (d - virtual)) - (top + virtual)
        power = m.exp(d)
        return m.select(d > -746.0, power * (1.0 + error), m.select(x >= top, 1.0, power))

    def zero_like(x: Any) -> Any:
        return m.select(x < x, x, 0.0)

    def only_at(place: Any, i: int, there: Any, elsewhere: Any) -> Any:
        """The number `there` if i is the place, otherwise `elsewhere`."""
        return m.select(place < i, elsewhere, m.select(place > i, elsewhere, there))

    def weights(xs: Sequence[Any], count: int) -> tuple[Any, Any, Any]:
        """The largest of the first `count` numbers, exp(x - largest) for each of them, and the place of the largest."""
        top, place = xs[0], zero_like(xs[0])
        for i in range(1, count):
            place = m.select(xs[i] > top, i, place)
            top = m.select(xs[i] > top, xs[i], top)
        exps = m.row(xs, count)
        for i in range(count):
            exps[i] = exp_of_difference(xs[i], top)
        return top, exps, place

    def sum_but(numbers: Sequence[Any], place: Any) -> Any:
        """The sum of all numbers but the one at a place."""
        others = m.row(numbers, len(numbers))
        for i in range(len(numbers)):
            others[i] = only_at(place, i, 0.0, numbers[i])
        return m.sum(others)

    def place_of(index: Any, count: int) -> Any:
        """An index, counted from the beginning even if it was negative and counted from the end."""
        return m.select(index < 0, index + count, index)

    def pick(numbers: Sequence[Any], count: int, index: Any) -> Any:
        """The number at an index, among the first `count` numbers."""
        place, found = place_of(index, count), numbers[0]
        for i in range(1, count):
            found = m.select(place < i, found, numbers[i])
        return found

    def logsumexp(*xs: Any) -> Any:
        top, exps, place = weights(xs, len(xs))
        return top + m.log1p(sum_but(exps, place))

    def shares(xs: Sequence[Any], count: int) -> Any:
        """The softmax of the first `count` numbers."""
        _, exps, _ = weights(xs, count)
        total = m.sum(exps)
        for i in range(count):
            exps[i] = exps[i] / total
        return exps

    def softmax(*xs_and_index: Any) -> Any:
        count = len(xs_and_index) - 1
        return pick(shares(xs_and_index, count), count, xs_and_index[count])

    def softmax_derivatives(out: Any, *xs_and_index: Any) -> Any:
        count = len(xs_and_index) - 1
        k, probabilities = place_of(xs_and_index[count], count), shares(xs_and_index, count)
        own = out * sum_but(probabilities, k)  # 1 - out would cancel
        row = m.row(xs_and_index, count + 1)
        for i in range(count):
            row[i] = only_at(k, i, own, -out * probabilities[i])
        row[count] = zero_like(out)
        return row

    def log_softmax(*xs_and_index: Any) -> Any:
        count = len(xs_and_index) - 1
        top, exps, place = weights(xs_and_index, count)
        return (pick(xs_and_index, count, xs_and_index[count]) - top) - m.log1p(sum_but(exps, place))

    def log_softmax_derivatives(out: Any, *xs_and_index: Any) -> Any:
        count = len(xs_and_index) - 1
        k, probabilities = place_of(xs_and_index[count], count), shares(xs_and_index, count)
        own = sum_but(probabilities, k)
        row = m.row(xs_and_index, count + 1)
        for i in range(count):
            row[i] = only_at(k, i, own, -probabilities[i])
        row[count] = zero_like(out)
        return row

    rule("logsumexp", logsumexp, lambda out, *xs: shares(xs, len(xs)), nary=True)
    rule("softmax", softmax, softmax_derivatives, nary=True)
    rule("log_softmax", log_softmax, log_softmax_derivatives, nary=True)
