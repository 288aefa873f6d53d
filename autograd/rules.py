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
from functools import partial, reduce
from operator import add, mul
from typing import Any, NamedTuple, TypeVar

from autograd.rows import Row

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
    - `of_row` holds `value(row)` and `derivatives(out, row)` of a built-in rule for any number of operands, which are
      written for a row of any length (see `rows.py`). The derivatives leave out that for an index (`WITH_INDEX`): 0.
    - `scale(out, *operands)` gives a size for each operand, against which the error of its derivative is measured. It
      is the derivative's largest term, where terms cancel. None where the derivative itself is that size.
    - `plain` holds the derivatives as a textbook has them, where the rule takes more care than that: as many functions
      as `derivatives`, of the same arguments; for any number of operands one function of `(k, out, operands)`, the
      derivative for operand k. Only `symbols.py` calls it, to print what people read, and in its namespace
      `m.number(x)` is a number that is printed and not computed with. () where `derivatives` can be read.
    """

    name: str
    value: Callable[..., Any]
    derivatives: tuple[Callable[..., Any], ...]
    symbol: str = ""
    nary: bool = False
    method: bool = False
    activation: Activation | None = None
    scale: Callable[..., Sequence[Any]] | None = None
    of_row: tuple[Callable[[Row], Any], Callable[[Any, Row], Row]] | None = None
    plain: tuple[Callable[..., Any], ...] = ()

    def derivatives_for(self, places: Sequence[int], out: Any, operands: Sequence[Any]) -> list[Any]:
        """The local derivatives for the operands at these places, where the value is `out`."""
        if not self.nary:
            return [self.derivatives[i](out, *operands) for i in places]
        every = self.derivatives[0](out, *operands)
        if len(every) != len(operands):
            raise TypeError(f"{self.name} needs a derivative for each of {len(operands)} operands; got {len(every)}")
        if len(places) == len(every):  # the usual case: a sum of 100 Values takes 10 % less time
            return list(every)
        return [every[i] for i in places]

    def ulp_bound(self, count: int) -> int:
        """The largest error of a derivative, in ulp, for `count` operands."""
        return count + 8 if self.nary else {"cbrt": 12}.get(self.name, 8)


def rules(m: Any) -> dict[str, Rule]:
    """The table of rules over the number system whose elementary functions are in the namespace `m`.

    Arguments:
        m: a namespace with `exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan asin acos atan atan2
            sinh cosh tanh asinh acosh atanh hypot erf erfc pow floor ceil round`, `select(condition, a, b)`,
            `sum(row)`, `norm(row)`, and the functions of `rows.py`.

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

    def rule_of_row(name: str, value: Callable[..., Any], derivatives: Callable[..., Any], plain: Any = None) -> None:
        by_index: list[Any] = [0.0] if name in WITH_INDEX else []

        def every_derivative(out: Any, *xs: Any) -> Any:
            return derivatives(out, xs) + by_index

        in_short = (plain,) if plain else ()
        rule(name, lambda *xs: value(xs), every_derivative, nary=True, of_row=(value, derivatives), plain=in_short)

    _arithmetic(m, rule)
    _powers(m, rule)
    _exponentials(m, rule)
    _trigonometry(m, rule)
    _hyperbolics(m, rule)
    _activations(m, rule)
    _error_functions(m, rule)
    _gelu_by_tanh(m, rule)
    _largest_and_smallest(m, rule, rule_of_row)
    _choices(m, rule)
    _steps(m, rule)
    _shifted_exponential(m, rule)
    _places(m, rule_of_row)
    _sums(m, rule, rule_of_row)
    _products(m, rule_of_row)
    _lengths(m, rule, rule_of_row)
    _soft_maxima(m, rule_of_row)
    return table


def part_of(m: Any) -> Callable[[F], F]:
    """A decorator for a part of a rule that is called in a loop and decides something.

    With numbers it changes nothing. With symbols, the part's questions are then answered apart from those of the rest
    of the loop, so that their answers do not multiply (see `symbols.py`).
    """
    return getattr(m, "part", lambda function: function)


def first_of(m: Any, questions: Sequence[Any], results: Sequence[Any]) -> Any:
    """The result for the first question whose answer is yes; the last result if there is none."""
    *others, found = results
    for question, result in list(zip(questions, others, strict=True))[::-1]:
        found = m.select(question, result, found)
    return found


def share_of_tie(m: Any, count: Any, most: int) -> Any:
    """1 / n, for the whole number n from 1 to `most` that `count` is: n itself is printed."""
    return first_of(m, [count <= n for n in range(1, most)], [m.number(1.0) / n for n in range(1, most + 1)])


# Questions about a number, which every number system can answer


def flat(out: Any, *operands: Any) -> Any:
    """The derivative of what is constant between its jumps. Who meets it need not go further back."""
    return 0.0


def is_zero(x: Any) -> bool:
    """Whether x is 0.0 or -0.0 (`x == 0` would ask a `Value` for identity)."""
    return bool(0.0 <= x <= 0.0)


def is_nan(x: Any) -> bool:
    """Whether x is nan."""
    return not x >= x


def is_finite(x: Any) -> bool:
    """Whether x is neither nan nor an infinity."""
    return bool(-math.inf < x < math.inf)


def _arithmetic(m: Any, rule: Callable[..., None]) -> None:
    def over_square(out: Any, x: Any, y: Any) -> Any:
        """-x / y**2, as -out / y. A subnormal out has lost digits: then x is scaled up first."""
        if -1e-290 < out < 1e-290 and -1.0 < y < 1.0:
            return -((x * UP) / y) / y * DOWN
        return -out / y

    div = (lambda out, x, y: 1.0 / y, lambda out, x, y: -x / (y * y))
    rule("add", lambda x, y: x + y, lambda out, x, y: 1.0, lambda out, x, y: 1.0, symbol="+")
    rule("sub", lambda x, y: x - y, lambda out, x, y: 1.0, lambda out, x, y: -1.0, symbol="-")
    rule("mul", lambda x, y: x * y, lambda out, x, y: y, lambda out, x, y: x, symbol="*")
    rule("div", lambda x, y: x / y, lambda out, x, y: 1.0 / y, over_square, symbol="/", plain=div)
    rule("floor_divide", lambda x, y: x // y, flat, flat, symbol="//")
    rule("remainder", lambda x, y: x % y, lambda out, x, y: 1.0, lambda out, x, y: -(x // y), symbol="%")
    rule("neg", lambda x: -x, lambda out, x: -1.0, method=False)
    rule("abs", abs, lambda out, x: 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if is_zero(x) else NAN)


def _powers(m: Any, rule: Callable[..., None]) -> None:
    def pow_base(out: Any, x: Any, y: Any) -> Any:
        """y * x**(y-1). Rounding y-1 would cost log(x) ulp, so x**y is divided by x where that is safe."""
        if 0.5 <= y <= 3.0:  # y - 1 is exact, and loses no digit to underflow that y times it would still have
            return y * m.pow(x, y - 1.0)
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

    def plain_base(out: Any, x: Any, y: Any) -> Any:
        return 0.0 if is_zero(y) else y * m.pow(x, y - 1.0)

    def plain_exponent(out: Any, x: Any, y: Any) -> Any:
        return 0.0 if is_zero(x) and y >= 0 else m.pow(x, y) * m.log(x)

    def plain_sqrt(out: Any, x: Any) -> Any:
        return 1.0 / (2.0 * m.sqrt(x))

    def plain_cbrt(out: Any, x: Any) -> Any:
        root = m.cbrt(x)
        return 1.0 / (3.0 * (root * root))

    plain_pow = (plain_base, plain_exponent)
    rule("pow", m.pow, pow_base, pow_exponent, symbol="**", method=True, plain=plain_pow)
    # + 0.0: the derivative at -0.0 is +inf too
    rule("sqrt", m.sqrt, lambda out, x: 0.5 / (out + 0.0), plain=(plain_sqrt,))
    rule("cbrt", m.cbrt, cbrt_derivative, plain=(plain_cbrt,))


def _exponentials(m: Any, rule: Callable[..., None]) -> None:
    def inverse(x: Any, factor: float = 1.0) -> Any:
        """factor / x for the logarithms: inf at 0.0 and -0.0, nan where x is negative."""
        return factor / (x + 0.0) if x >= 0 else NAN

    def exp2_derivative(out: Any, x: Any) -> Any:
        """2**x * log(2). It is still finite at 1024, where out overflows. (Below 1, x - 1 might be rounded.)"""
        return m.exp2(x - 1.0) * (2.0 * log_2) if x > 1.0 else out * log_2

    def plain_exp2(out: Any, x: Any) -> Any:
        return m.pow(2.0, x) * m.log(m.number(2.0))

    def plain_log(base: float) -> Callable[..., Any]:
        return lambda out, x: 1.0 / (x * m.log(m.number(base))) if x >= 0 else NAN

    log_2, log2_e, log10_e = math.log(2.0), 1.0 / math.log(2.0), 1.0 / math.log(10.0)
    rule("exp", m.exp, lambda out, x: out, plain=(lambda out, x: m.exp(x),))
    rule("exp2", m.exp2, exp2_derivative, plain=(plain_exp2,))
    rule("expm1", m.expm1, lambda out, x: m.exp(x))  # out + 1 is 0 at x = -40
    rule("log", m.log, lambda out, x: inverse(x))
    rule("log2", m.log2, lambda out, x: inverse(x, log2_e), plain=(plain_log(2.0),))
    rule("log10", m.log10, lambda out, x: inverse(x, log10_e), plain=(plain_log(10.0),))
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

    def plain_tan(out: Any, x: Any) -> Any:
        cosine = m.cos(x)
        return 1.0 / (cosine * cosine)

    def plain_atan2(y: Any, x: Any, numerator: Any) -> Any:
        return 0.0 if is_zero(x) and is_zero(y) else numerator / (x * x + y * y)

    plain_asin = (lambda out, x: 1.0 / m.sqrt(1.0 - x * x),)
    plain_acos = (lambda out, x: -1.0 / m.sqrt(1.0 - x * x),)
    rule("sin", m.sin, lambda out, x: m.cos(x))
    rule("cos", m.cos, lambda out, x: -m.sin(x))
    rule("tan", m.tan, lambda out, x: 1.0 + out * out, plain=(plain_tan,))
    rule("asin", m.asin, lambda out, x: 1.0 / m.sqrt((1.0 - x) * (1.0 + x)), plain=plain_asin)
    rule("acos", m.acos, lambda out, x: -1.0 / m.sqrt((1.0 - x) * (1.0 + x)), plain=plain_acos)
    rule("atan", m.atan, atan_derivative, plain=(lambda out, x: 1.0 / (1.0 + x * x),))
    rule(
        "atan2",
        m.atan2,
        lambda out, y, x: over_square_of_hypot(x, y, x),
        lambda out, y, x: over_square_of_hypot(x, y, -y),
        plain=(lambda out, y, x: plain_atan2(y, x, x), lambda out, y, x: plain_atan2(y, x, -y)),
    )


def _hyperbolics(m: Any, rule: Callable[..., None]) -> None:
    def tanh_derivative(out: Any, x: Any) -> Any:
        """1 / cosh(x)**2. (1 - out*out is off by 9e15 ulp at x = 20.)"""
        c = m.cosh(x) if -400.0 < x < 400.0 else math.inf if x >= x else x
        return 1.0 / c / c

    def plain_tanh(out: Any, x: Any) -> Any:
        c = m.cosh(x)
        return 1.0 / (c * c)

    def plain_atanh(out: Any, x: Any) -> Any:
        return 1.0 / (1.0 - x * x) if -1 <= x <= 1 else NAN

    rule("sinh", m.sinh, lambda out, x: m.cosh(x))
    rule("cosh", m.cosh, lambda out, x: m.sinh(x))
    rule("tanh", m.tanh, tanh_derivative, activation=Activation(squashing=True), plain=(plain_tanh,))
    rule("asinh", m.asinh, lambda out, x: 1.0 / m.hypot(1.0, x), plain=(lambda out, x: 1.0 / m.sqrt(1.0 + x * x),))
    rule("acosh", m.acosh, lambda out, x: 1.0 / (m.sqrt(x - 1.0) * m.sqrt(x + 1.0)))
    rule("atanh", m.atanh, lambda out, x: 1.0 / ((1.0 - x) * (1.0 + x)) if -1 <= x <= 1 else NAN, plain=(plain_atanh,))


def _activations(m: Any, rule: Callable[..., None]) -> None:
    s_shaped = Activation(0.25, squashing=True)

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

    def silu_terms(out: Any, x: Any) -> tuple[Any, Any]:
        """sigmoid(x), and x times its derivative."""
        return sigmoid(x), (out * sigmoid(-x) if is_finite(x) else 0.0)

    def plain_sigmoid(out: Any, x: Any) -> Any:
        """The second form is the same where 1 - out would be shown as 0: 1 / (1 + exp(x)) is 1 - sigmoid(x)."""
        return out * (1.0 - out) if out < 0.99 else out / (1.0 + m.exp(x))

    def plain_softplus(out: Any, x: Any) -> Any:
        return 1.0 / (1.0 + m.exp(-x))

    def plain_elu(out: Any, x: Any, alpha: Any) -> Any:
        return 1.0 if x > 0 else alpha * m.exp(x)

    def plain_silu(out: Any, x: Any) -> Any:
        return out + (1.0 - out) / (1.0 + m.exp(-x))

    rule("sigmoid", sigmoid, lambda out, x: out * sigmoid(-x), activation=s_shaped, plain=(plain_sigmoid,))
    rule("softplus", softplus, lambda out, x: sigmoid(x), activation=Activation(), plain=(plain_softplus,))
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
        plain=(plain_elu, lambda out, x, alpha: 0.0 if x > 0 else m.exp(x) - 1.0),
    )
    rule(
        "silu",
        silu,
        lambda out, x: add(*silu_terms(out, x)),
        activation=Activation(1.1),
        scale=lambda out, x: [max(abs(term) for term in silu_terms(out, x))],
        plain=(plain_silu,),
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

    def plain_erf(factor: float) -> Callable[..., Any]:
        return lambda out, x: factor / m.sqrt(m.number(math.pi)) * m.exp(-(x * x))

    def plain_gelu(out: Any, x: Any) -> Any:
        distribution = (1.0 + m.erf(x / m.sqrt(m.number(2.0)))) / 2.0
        return distribution + x * m.exp(-(x * x) / 2.0) / m.sqrt(2.0 * m.number(math.pi))

    two_over_root_pi = 2.0 / math.sqrt(math.pi)
    rule("erf", m.erf, lambda out, x: times_exp_minus_square(two_over_root_pi, x), plain=(plain_erf(2.0),))
    rule("erfc", m.erfc, lambda out, x: times_exp_minus_square(-two_over_root_pi, x), plain=(plain_erf(-2.0),))
    rule(
        "gelu",
        gelu,
        lambda out, x: add(*gelu_terms(x)),
        activation=Activation(1.13),
        scale=lambda out, x: [max(abs(term) for term in gelu_terms(x))],
        plain=(plain_gelu,),
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

    def plain_gelu_tanh(out: Any, x: Any) -> Any:
        """With p = out / x, which is sigmoid(2u): p + x * p * (1 - p) * du/dx * 2."""
        if is_zero(x):
            return 0.5
        return out / x + 2.0 * out * (1.0 - out / x) * m.sqrt(2.0 / m.number(math.pi)) * (1.0 + 0.134145 * (x * x))

    rule(
        "gelu_tanh",
        gelu_tanh,
        lambda out, x: add(*gelu_tanh_terms(x)),
        method=False,  # gelu(x, approximate="tanh")
        activation=Activation(1.13),
        scale=lambda out, x: [max(abs(term) for term in gelu_tanh_terms(x))],
        plain=(plain_gelu_tanh,),
    )


def _largest_and_smallest(m: Any, rule: Callable[..., None], rule_of_row: Callable[..., None]) -> None:
    part = part_of(m)

    @part
    def larger(best: Any, x: Any) -> Any:
        """The larger of two numbers; nan if one is nan."""
        return x if x > best or not x >= x else best  # if best is nan, no x is greater, and it stays

    @part
    def smaller(best: Any, x: Any) -> Any:
        """The smaller of two numbers; nan if one is nan."""
        return x if x < best or not x >= x else best

    def largest(xs: Row) -> Any:
        return m.fold(larger, xs[0], xs)

    def smallest(xs: Row) -> Any:
        return m.fold(smaller, xs[0], xs)

    @part
    def tie(out: Any, x: Any) -> float:
        """1 if x equals the number that was chosen, otherwise 0; nan if that is nan."""
        return 1.0 if out <= x <= out else 0.0 if out >= out else NAN

    def shares(out: Any, xs: Row) -> Row:
        """1 for the operand that was chosen, or 1/n for each of n that tie; nan for all if one is nan."""
        ties = m.map(partial(tie, out), xs)
        count = m.sum(ties)
        return m.branch(count > 1.0, lambda: m.map(lambda tie: tie / count, ties), lambda: ties)

    def plain_share(k: int, out: Any, xs: Row) -> Any:
        """The same; and a tie is shown as 1 / n, for the number n that is meant."""
        if is_nan(out):
            return NAN
        count = m.sum([m.select(x < out, 0.0, m.select(x > out, 0.0, 1.0)) for x in xs])
        return share_of_tie(m, count, len(xs)) if out <= xs[k] <= out else 0.0

    def share(out: Any, x: Any, other: Any) -> float:
        """The share of x, one of two operands."""
        if is_nan(out):
            return NAN
        return (0.5 if out <= other <= out else 1.0) if out <= x <= out else 0.0

    shares_of_two = (lambda out, x, y: share(out, x, y), lambda out, x, y: share(out, y, x))
    rule("maximum", larger, *shares_of_two)
    rule("minimum", smaller, *shares_of_two)
    rule_of_row("max", largest, shares, plain_share)
    rule_of_row("min", smallest, shares, plain_share)


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
        flat,
        lambda out, condition, x, y: 1.0 if condition else 0.0,
        lambda out, condition, x, y: 0.0 if condition else 1.0,
        method=False,
    )


def _steps(m: Any, rule: Callable[..., None]) -> None:
    rule("sign", lambda x: 1.0 if x > 0 else -1.0 if x < 0 else x * 0.0, flat)
    rule("floor", m.floor, flat)
    rule("ceil", m.ceil, flat)
    rule("round", m.round, flat)


def shifted_exp(m: Any, x: Any, y: Any) -> Any:
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


def _shifted_exponential(m: Any, rule: Callable[..., None]) -> None:
    plain = (lambda out, x, y: m.exp(x - y), lambda out, x, y: -m.exp(x - y))
    rule("shifted_exp", partial(shifted_exp, m), lambda out, x, y: out, lambda out, x, y: -out, plain=plain)


def _places(m: Any, rule_of_row: Callable[..., None]) -> None:
    def take_derivatives(out: Any, xs: Row) -> Row:
        return m.put(m.same(0.0, xs[:-1]), xs[-1], 1.0)

    rule_of_row("take", lambda xs: m.at(xs[:-1], xs[-1]), take_derivatives)


def _sums(m: Any, rule: Callable[..., None], rule_of_row: Callable[..., None]) -> None:
    def dot(*operands: Any) -> Any:
        """The operands are n weights, n inputs and, if their number is odd, the bias."""
        n, odd = len(operands) // 2, len(operands) % 2
        products = map(mul, operands[:n], operands[n : 2 * n])
        return sum(products, operands[2 * n] if odd else 0.0)  # floats as Python adds them, which since 3.12 loses less

    def dot_derivatives(out: Any, *operands: Any) -> list[Any]:
        n, odd = len(operands) // 2, len(operands) % 2
        return list(operands[n : 2 * n]) + list(operands[:n]) + [1.0] * odd

    def mean(xs: Row) -> Any:
        total, count = m.sum(xs), m.count(xs)
        return m.branch(
            abs(total) < math.inf,
            lambda: total / count,
            lambda: m.sum(m.map(lambda x: x / count, xs)),  # where the sum overflows, this need not
        )

    def plain_mean(k: int, out: Any, xs: Row) -> Any:
        return m.number(1.0) / len(xs)

    rule("dot", dot, dot_derivatives, nary=True)
    rule_of_row("sum", m.sum, lambda out, xs: m.same(1.0, xs))
    rule_of_row("mean", mean, lambda out, xs: m.same(1.0 / m.count(xs), xs), plain_mean)


def _products(m: Any, rule_of_row: Callable[..., None]) -> None:
    part = part_of(m)

    @part
    def centred(x: Any, exponent: Any) -> tuple[Any, Any]:
        """x * UP**exponent as another such pair, whose factor is neither very large nor very small."""
        size = abs(x)
        if size > 2.0**300:
            return x * DOWN, exponent + 1.0
        if 0.0 < size < 2.0**-300:
            return x * UP, exponent - 1.0
        return x, exponent

    @part
    def times(product: tuple[Any, Any], x: Any) -> tuple[Any, Any]:
        """A product, times one more factor.

        It is a pair (p, e), which stands for p * UP**e. |p| stays between 2**-300 and 2**300, unless it is 0, inf or
        nan. So no product of the other operands overflows or underflows before its last factor.
        """
        p, exponent = product
        if not 2.0**-300 <= abs(x) <= 2.0**300:  # asked first, since few are: this takes 15 % less time
            x, exponent = centred(x, exponent)
        return centred(p * x, exponent)

    @part
    def rescaled(product: Any, exponent: Any) -> Any:
        """product * UP**exponent. After five factors it is 0 or inf, whatever the exponent is."""
        for k in range(5):
            if exponent > k:
                product = product * UP
            elif exponent < -k:
                product = product * DOWN
            else:
                return product
        return product

    def prod(xs: Row) -> Any:
        return rescaled(*m.fold(times, ONE, xs))

    def of_both(before: tuple[Any, Any], after: tuple[Any, Any]) -> Any:
        return rescaled(before[0] * after[0], before[1] + after[1])

    def prod_derivatives(out: Any, xs: Row) -> Row:
        """For each operand, the product of those before it and those after it. This is right with zeros too."""
        return m.map(of_both, m.accumulate(times, ONE, xs), m.accumulate(times, ONE, xs, reverse=True))

    def plain(k: int, out: Any, xs: Row) -> Any:
        """The product of the others, which is out / x if they are many and x is not 0."""
        others = xs[:k] + xs[k + 1 :]
        if len(others) > 3 and not is_zero(xs[k]):
            return out / xs[k]
        return reduce(mul, others) if others else 1.0

    ONE = (1.0, 0.0)
    rule_of_row("prod", prod, prod_derivatives, plain)


def _lengths(m: Any, rule: Callable[..., None], rule_of_row: Callable[..., None]) -> None:
    part = part_of(m)

    def over_norm(out: Any, xs: Row) -> Row:
        """x / norm, or 0 at the origin; scaled by a power of two where the norm has lost digits."""
        usual = is_usual(out) > 0.0
        return m.branch(usual, lambda: m.map(lambda x: x / out, xs), lambda: over_extreme_norm(out, xs))

    def over_extreme_norm(out: Any, xs: Row) -> Row:
        def scaled(scale: float) -> Row:
            ys = m.map(lambda x: x * scale, xs)
            norm = m.norm(ys)
            return m.map(lambda y: y / norm, ys)

        return m.branch(
            out <= 0.0,
            lambda: m.same(0.0, xs),
            lambda: m.branch(out < TINY, lambda: scaled(UP), lambda: scaled(DOWN)),
        )

    @part
    def is_usual(norm: Any) -> float:
        """1 for a norm that has all its digits, otherwise 0."""
        return 1.0 if TINY <= norm <= HUGE else 0.0

    def over_hypot(out: Any, x: Any, other: Any) -> Any:
        """x / hypot, where x is one of two operands."""
        if is_zero(out):
            return 0.0
        s = UP if out < TINY else DOWN if out > HUGE and is_finite(x) and is_finite(other) else 1.0
        return x * s / (m.hypot(x * s, other * s) if s < 1.0 or s > 1.0 else out)

    def plain(out: Any, x: Any) -> Any:
        return 0.0 if is_zero(out) else x / out

    rule(
        "hypot",
        m.hypot,
        lambda out, x, y: over_hypot(out, x, y),
        lambda out, x, y: over_hypot(out, y, x),
        plain=(lambda out, x, y: plain(out, x), lambda out, x, y: plain(out, y)),
    )
    rule_of_row("norm", m.norm, over_norm, lambda k, out, xs: plain(out, xs[k]))


def _soft_maxima(m: Any, rule_of_row: Callable[..., None]) -> None:
    """These have no branch on a number, so that they can be recorded for all numbers."""

    def exps_below(top: Any, xs: Row) -> Row:
        return m.map(lambda x: shifted_exp(m, x, top), xs)

    def larger(top: Any, x: Any) -> Any:
        return m.select(x > top, x, top)

    def larger_at(largest: tuple[Any, Any], x: Any, place: Any) -> Any:
        return m.select(x > largest[0], (x, place), largest)

    def shares(xs: Row) -> Row:
        """The softmax of all numbers."""
        exps = exps_below(m.fold(larger, xs[0], xs), xs)
        total = m.sum(exps)
        return m.map(lambda x: x / total, exps)

    def sum_but(numbers: Row, place: Any) -> Any:
        """The sum of all numbers but the one at a place."""
        return m.sum(m.put(numbers, place, 0.0))

    def top_and_rest(xs: Row) -> tuple[Any, Any]:
        """The two terms of the logsumexp: the largest, and log(1 + the sum of exp(x - largest) of the others)."""
        top, place = m.fold(larger_at, (xs[0], 0), xs, m.places(xs))
        return top, m.log1p(sum_but(exps_below(top, xs), place))

    def softmax_derivatives(out: Any, xs: Row) -> Row:
        probabilities, place = shares(xs[:-1]), xs[-1]
        own = out * sum_but(probabilities, place)  # 1 - out would cancel
        return m.put(m.map(lambda p: -out * p, probabilities), place, own)

    def log_softmax(xs: Row) -> Any:
        top, rest = top_and_rest(xs[:-1])
        return (m.at(xs[:-1], xs[-1]) - top) - rest

    def log_softmax_derivatives(out: Any, xs: Row) -> Row:
        probabilities, place = shares(xs[:-1]), xs[-1]
        return m.put(m.map(lambda p: -p, probabilities), place, sum_but(probabilities, place))

    def max_log_prob_derivatives(out: Any, xs: Row) -> Row:
        """The share of the largest, less its probability: 1/n - p, without cancelling, where n numbers tie."""
        top = m.fold(larger, xs[0], xs)
        exps, count = exps_below(top, xs), m.sum(m.map(lambda x: m.select(x >= top, 1.0, 0.0), xs))
        total = m.sum(exps)
        rest = m.sum(m.map(lambda e, x: m.select(x >= top, 0.0, e), exps, xs))
        return m.map(lambda e, x: m.select(x >= top, rest / count, -e) / total, exps, xs)

    plain_logsumexp, plain_softmax, plain_log_softmax, plain_max_log_prob = _plain_soft_maxima(m)
    rule_of_row("logsumexp", lambda xs: add(*top_and_rest(xs)), lambda out, xs: shares(xs), plain_logsumexp)
    rule_of_row("softmax", lambda xs: m.at(shares(xs[:-1]), xs[-1]), softmax_derivatives, plain_softmax)
    rule_of_row("log_softmax", log_softmax, log_softmax_derivatives, plain_log_softmax)
    rule_of_row("max_log_prob", lambda xs: -top_and_rest(xs)[1], max_log_prob_derivatives, plain_max_log_prob)


def _plain_soft_maxima(m: Any) -> Sequence[Callable[[int, Any, Row], Any]]:
    """Their derivatives in terms of out, so that they stay short for any number of operands.

    The probability of x is exp(x - y) * softmax(y) for any other y, and exp(x - logsumexp).
    """

    def softmax(k: int, out: Any, xs: Row) -> Any:
        return at(xs, lambda j, x: out * (1.0 - out) if j == k else -(out * out) * m.exp(xs[k] - x))

    def log_softmax(k: int, out: Any, xs: Row) -> Any:
        return at(xs, lambda j, x: 1.0 - m.exp(out) if j == k else -m.exp(xs[k] - x + out))

    def at(xs: Row, result: Callable[[int, Any], Any]) -> Any:
        """The result for the one of the numbers whose place comes last."""
        *numbers, index = xs
        place = m.select(index < 0, index + len(numbers), index)
        return first_of(m, [place <= j for j in range(len(numbers) - 1)], list(map(result, range(len(xs)), numbers)))

    def max_log_prob(k: int, out: Any, xs: Row) -> Any:
        """1/n - p for each of n that are the largest, and -p for the others: p is exp(x - largest + out)."""
        top = m.fold(lambda top, x: m.select(x > top, x, top), xs[0], xs)
        count = m.sum([m.select(x >= top, 1.0, 0.0) for x in xs])
        of_largest = first_of(
            m,
            [count <= n for n in range(1, len(xs))],
            [m.number(1.0) / n - m.exp(out) for n in range(1, len(xs) + 1)],
        )
        others = xs[:k] + xs[k + 1 :] or xs
        of_other = first_of(m, [x >= top for x in others[:-1]], [-m.exp(xs[k] - x + out) for x in others])
        return m.select(xs[k] >= top, of_largest, of_other)

    return lambda k, out, xs: m.exp(xs[k] - out), softmax, log_softmax, max_log_prob
