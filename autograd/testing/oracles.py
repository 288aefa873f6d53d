"""What is the true value, and what are the true derivatives, of every operation? Nothing here reads the rules.

Each operation has an `Oracle`: its value and its partial derivatives as functions of mpmath numbers, in textbook
form, and a way to draw operands from everywhere in its domain. `exact` evaluates them with as many digits as they need;
`ulp_error` says how far a float is from the result. `test_accuracy.py` holds the engine against this table, and
the table's derivatives against mpmath's numerical differentiation of its values.
"""

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

import autograd
from autograd.operations import operations

NAN, INF = mpmath.nan, mpmath.inf
FIRST_PRECISION, LAST_PRECISION = 160, 20_000  # bits
ALL_DOUBLES = 2_400  # bits that hold the sum of the smallest and of the largest double

Operands = tuple[float, ...]


class Oracle(NamedTuple):
    """The truth about one operation.

    `value(*operands)`; `partials(*operands)`, a list with one derivative for each operand (none for an index, which
    comes last); `draw(rng)`, operands in the domain; `terms(*operands)`, for each operand the largest of the terms that
    cancel in its derivative, where that is what the error is measured against. `value_bound` is the number of ulp that
    the value may be off, of `value_scale(*operands)` if there is one.
    """

    value: Callable[..., Any]
    partials: Callable[..., Sequence[Any]]
    draw: Callable[[random.Random], Operands]
    terms: Callable[..., Sequence[Any]] | None = None
    value_bound: int = 8
    value_scale: Callable[..., Any] | None = None


# Evaluation, and the measure of errors


def exact(function: Callable[..., Any], operands: Sequence[float]) -> Any:
    """function(*operands) to 20 digits or more, by doubling the precision until two results agree.

    (Fixed precision fails: 1 - tanh(x)**2 is 0 to any 50 digits at x = 100.) A zero is believed only when it is still
    there with enough bits to add the smallest double to the largest.
    """
    previous, precision = None, FIRST_PRECISION
    while precision <= LAST_PRECISION:
        with mpmath.workprec(precision):
            result = function(*map(mpf, operands))
            if previous is not None and _agree(previous, result, precision):
                return result
        previous, precision = result, 2 * precision
    raise ArithmeticError(f"{function} does not settle at {operands}")


def _agree(previous: Any, result: Any, precision: int) -> bool:
    if isinstance(result, list):
        return all(_agree(p, r, precision) for p, r in zip(previous, result, strict=True))
    if mpmath.isnan(result) or mpmath.isinf(result):
        return bool(mpmath.isnan(previous)) if mpmath.isnan(result) else bool(previous == result)
    if result == 0:
        return bool(previous == 0) and precision >= ALL_DOUBLES
    return bool(abs(previous - result) <= abs(result) * mpf(2) ** -80)


def ulp_error(actual: float, true: Any, size: Any = None) -> float:
    """The distance of `actual` from `true` in units in the last place of `true`, or of the larger `size`.

    The unit is that of subnormal numbers below 2**-1022. An infinity stands for 2**1024, the first number
    that the doubles have not, so that it has error 0 where the true number rounds to it.
    """
    if math.isnan(actual) or mpmath.isnan(true):
        return 0.0 if math.isnan(actual) and mpmath.isnan(true) else math.inf
    with mpmath.workprec(ALL_DOUBLES):
        top = mpf(2) ** 1024
        largest_unit = mpf(2) ** 971
        true = max(-top, min(top, true))
        number = math.copysign(1.0, actual) * top if math.isinf(actual) else mpf(actual)
        if abs(number - true) <= largest_unit / 2 and abs(true) > top - largest_unit:
            return 0.0 if math.isinf(actual) else float(abs(number - true) / largest_unit)
        size = abs(true) if size is None else max(abs(true), min(top, abs(size)))
        exponent = max(mpmath.frexp(size)[1], -1021) if size else -1021
        return float(abs(number - true) / mpf(2) ** min(exponent - 53, 971))


# Drawing operands

Draw = Callable[[random.Random], float]


def any_size(rng: random.Random) -> float:
    """A number of either sign whose exponent is uniformly distributed, subnormals included."""
    return math.ldexp(rng.uniform(-1.0, 1.0), rng.randint(-1073, 1024))


def mixture(*edges: float, fits: Callable[[float], bool] = lambda x: True) -> Draw:
    """Draws numbers that fit: of any size, moderate, with few digits, and close to one of the edges."""

    def candidate(rng: random.Random) -> float:
        kind = rng.randrange(6)
        if kind == 0 or (kind == 1 and not edges):
            return any_size(rng)
        if kind == 1:
            return near(rng.choice(edges), rng)
        if kind == 2:
            return rng.uniform(-800.0, 800.0)
        if kind == 3:
            return rng.uniform(-40.0, 40.0)
        if kind == 4:
            return rng.uniform(-1.0, 1.0) * rng.choice([1.0, 3.0, 8.0])
        return rng.randint(-64, 64) / rng.choice([1.0, 2.0, 8.0])

    def draw(rng: random.Random) -> float:
        while not (math.isfinite(x := candidate(rng)) and fits(x)):
            pass
        return x

    return draw


def near(edge: float, rng: random.Random) -> float:
    """A number whose distance from the edge has a uniformly distributed exponent, down to a few ulp."""
    size = abs(edge) or 1.0
    return edge + rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 1.0) * size * 2.0 ** rng.randint(-53, -1)


def each(*draws: Draw) -> Callable[[random.Random], Operands]:
    """One operand by each of the draws."""
    return lambda rng: tuple(draw(rng) for draw in draws)


def several(draw: Draw, least: int = 1) -> Callable[[random.Random], Operands]:
    """From `least` to 8 operands, now and then some of them equal, or of one size, or 0."""

    def operands(rng: random.Random) -> Operands:
        numbers = [draw(rng) for _ in range(rng.randint(least, 8))]
        kind = rng.randrange(6)
        if kind == 0:
            numbers = [rng.choice(numbers) for _ in numbers]
        elif kind == 1:
            size = any_size(rng)
            numbers = [size * rng.uniform(-1.0, 1.0) for _ in numbers]
        elif kind == 2:
            numbers[rng.randrange(len(numbers))] = 0.0
        return tuple(numbers)

    return operands


def two(draw: Draw) -> Callable[[random.Random], Operands]:
    """Two operands, as `several` draws them."""
    return lambda rng: several(draw, least=2)(rng)[:2]


def not_all_zero(draw: Callable[[random.Random], Operands]) -> Callable[[random.Random], Operands]:
    def operands(rng: random.Random) -> Operands:
        while not any(numbers := draw(rng)):
            pass
        return numbers

    return operands


def with_index(draw: Callable[[random.Random], Operands]) -> Callable[[random.Random], Operands]:
    """The operands, and the place of one of them."""

    def operands(rng: random.Random) -> Operands:
        numbers = draw(rng)
        return (*numbers, float(rng.randrange(len(numbers))))

    return operands


def not_zero(x: float) -> bool:
    return x != 0.0


def draw_quotient(rng: random.Random) -> Operands:
    """x and y, often with a quotient that the doubles can hold."""
    y = mixture(fits=not_zero)(rng)
    if rng.random() < 0.5:
        return mixture()(rng), y
    return min(max(y * any_size(rng), -1e308), 1e308), y


def draw_point(rng: random.Random) -> Operands:
    """The coordinates of a point that is not the origin; no -0.0, whose sign mpmath does not know."""
    y, x = draw_quotient(rng)[:: rng.choice([1, -1])]
    return y + 0.0, x + 0.0


def draw_products(rng: random.Random) -> Operands:
    """Weights, inputs and perhaps a bias whose products do not overflow."""
    largest = math.inf
    while not math.isfinite(2.0 * largest):
        numbers = several(mixture(), least=2)(rng)
        weights, inputs, bias = halves(numbers)
        largest = sum(abs(w * x) for w, x in zip((*weights, 1.0), (*inputs, *(bias or [0.0])), strict=True))
    return numbers


def draw_power(rng: random.Random) -> Operands:
    """x and y with x**y or its derivatives in range most of the time; a negative x with a whole y."""
    kind = rng.randrange(8)
    if kind == 0:
        return mixture(fits=not_zero)(rng), float(rng.randint(-20, 20))
    if kind == 1:
        return -abs(mixture(1.0, fits=not_zero)(rng)), float(rng.randint(-1100, 1100))
    x = abs(mixture(1.0, 1.0, 2.0**-1022, 1e308, fits=not_zero)(rng))
    if kind == 2 or x == 1.0:
        return x, mixture(1.0, 2.0, 0.5, fits=not_zero)(rng)
    exponent = rng.choice([rng.uniform(-1100.0, 1100.0), rng.uniform(-2200.0, 2200.0), rng.uniform(-10.0, 10.0)])
    return x, min(max(exponent / math.log2(x), -1e308), 1e308) or 1.0


def draw_far_and_near(rng: random.Random) -> Operands:
    """Operands for the soft maxima: some hundreds apart, equal, and moderate ones on a large offset."""
    count = rng.randint(1, 8)
    kind = rng.randrange(5)
    if kind == 0:
        return tuple(mixture()(rng) for _ in range(count))
    spread = rng.choice([1.0, 10.0, 100.0, 380.0, 760.0])
    offset = any_size(rng) if kind == 1 else rng.choice([0.0, 0.1, -1.0 / 3.0, 1e5])
    numbers = [offset + rng.uniform(-spread, spread) for _ in range(count)]
    return tuple(rng.choice(numbers) for _ in numbers) if kind == 2 else tuple(numbers)


def draw_bounds(rng: random.Random) -> Operands:
    """x, low and high for `clip`, now and then in the wrong order."""
    x, low, high = (mixture()(rng) for _ in range(3))
    return (x, low, high) if rng.random() < 0.2 else (x, min(low, high), max(low, high))


# The table


def one(value: Callable[..., Any], derivative: Callable[..., Any], *edges: float, **more: Any) -> Oracle:
    """The oracle of a function of one number, drawn everywhere that `fits` allows."""
    fits = more.pop("fits", lambda x: True)
    return Oracle(value, lambda x: [derivative(x)], each(mixture(*edges, fits=fits)), **more)


def quotient_floor(x: Any, y: Any) -> Any:
    return mpf(_fraction(x) // _fraction(y))


def modulus(x: Any, y: Any) -> Any:
    rest = _fraction(x) % _fraction(y)
    return mpf(rest.numerator) / rest.denominator


def _fraction(x: Any) -> Fraction:
    sign, mantissa, exponent, _ = x._mpf_
    return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** exponent


def halves(xs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    n = len(xs) // 2
    return xs[:n], xs[n : 2 * n], xs[2 * n :]


def weighted_sum(*xs: Any) -> Any:
    weights, inputs, bias = halves(xs)
    return mpmath.fsum([*(w * x for w, x in zip(weights, inputs, strict=True)), *bias])


def weighted_sum_partials(*xs: Any) -> list[Any]:
    weights, inputs, bias = halves(xs)
    return [*inputs, *weights, *(mpf(1) for _ in bias)]


def weighted_sum_size(*xs: Any) -> Any:
    return weighted_sum(*map(abs, xs))


def ties(chosen: Callable[..., Any]) -> Callable[..., list[Any]]:
    def partials(*xs: Any) -> list[Any]:
        best = chosen(xs)
        return [mpf(1) / xs.count(best) if x == best else mpf(0) for x in xs]

    return partials


def bounded_exp(x: Any) -> Any:
    """exp(x), of at most 1e5 in size of x: far outside the doubles already, and quickly computed."""
    return mpmath.exp(max(mpf(-100_000), min(mpf(100_000), x)))


def erfc(x: Any) -> Any:
    """mpmath.erfc, of at most 1e4 in size of x, for the same reason."""
    return mpmath.erfc(max(mpf(-10_000), min(mpf(10_000), x)))


def logistic(x: Any) -> Any:
    return 1 / (1 + bounded_exp(-x))


def silu_terms(x: Any) -> list[Any]:
    return [logistic(x), x * logistic(x) * logistic(-x)]


def gelu_terms(x: Any) -> list[Any]:
    normal_density = bounded_exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)
    return [erfc(-x / mpmath.sqrt(2)) / 2, x * normal_density]


def gelu(x: Any) -> Any:
    return x * gelu_terms(x)[0]


def gelu_tanh_inside(x: Any) -> Any:
    return mpmath.sqrt(2 / mpmath.pi) * (x + mpf(44715) / 1_000_000 * x**3)


def gelu_tanh_terms(x: Any) -> list[Any]:
    inside = gelu_tanh_inside(x)
    slope = mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpf(44715) / 1_000_000 * x**2)
    return [logistic(2 * inside), 2 * x * logistic(2 * inside) * logistic(-2 * inside) * slope]


def with_terms(value: Callable[..., Any], terms: Callable[..., list[Any]], *edges: float, **more: Any) -> Oracle:
    """The oracle of a function whose derivative is a sum of terms that may cancel."""
    return one(value, lambda x: sum(terms(x)), *edges, terms=lambda x: [max(map(abs, terms(x)))], **more)


def power_partials(x: Any, y: Any) -> list[Any]:
    return [y * mpmath.power(x, y - 1), mpmath.power(x, y) * mpmath.log(x) if x > 0 else NAN]


def others(xs: Sequence[Any], k: int) -> list[Any]:
    return [x for i, x in enumerate(xs) if i != k]


def probabilities(xs: Sequence[Any]) -> list[Any]:
    return [1 / mpmath.fsum(bounded_exp(other - x) for other in xs) for x in xs]


def log_sum_exp(*xs: Any) -> Any:
    return mpmath.log(mpmath.fsum(map(mpmath.exp, xs)))


def softmax_partials(*xs_and_index: Any) -> list[Any]:
    *xs, index = xs_and_index
    p, k = probabilities(xs), int(index)
    return [p[k] * (mpmath.fsum(others(p, k)) if i == k else -p[i]) for i in range(len(xs))]


def log_softmax(*xs_and_index: Any) -> Any:
    *xs, index = xs_and_index
    k = int(index)
    return -mpmath.log1p(mpmath.fsum(mpmath.exp(x - xs[k]) for x in others(xs, k)))


def log_softmax_partials(*xs_and_index: Any) -> list[Any]:
    *xs, index = xs_and_index
    p, k = probabilities(xs), int(index)
    return [mpmath.fsum(others(p, k)) if i == k else -p[i] for i in range(len(xs))]


def length(*xs: Any) -> Any:
    return mpmath.sqrt(mpmath.fsum(x * x for x in xs))


def length_partials(*xs: Any) -> list[Any]:
    return [x / length(*xs) for x in xs]


def clip_partials(x: Any, low: Any, high: Any) -> list[Any]:
    return [mpf(low <= x <= high), mpf(x < low <= high), mpf(high < low or x > high)]


def where_partials(condition: Any, x: Any, y: Any) -> list[Any]:
    return [mpf(0), mpf(condition != 0), mpf(condition == 0)]


def take_partials(*xs_and_index: Any) -> list[Any]:
    *xs, index = xs_and_index
    return [mpf(i == int(index)) for i in range(len(xs))]


def one_per_operand(*xs: Any) -> list[Any]:
    return [mpf(1)] * len(xs)


def mean(*xs: Any) -> Any:
    return mpmath.fsum(xs) / len(xs)


TAU = 2.0 * math.pi

oracles: dict[str, Oracle] = {
    "add": Oracle(lambda x, y: x + y, lambda x, y: [mpf(1), mpf(1)], each(mixture(), mixture())),
    "sub": Oracle(lambda x, y: x - y, lambda x, y: [mpf(1), mpf(-1)], each(mixture(), mixture())),
    "mul": Oracle(lambda x, y: x * y, lambda x, y: [y, x], each(mixture(), mixture())),
    "div": Oracle(lambda x, y: x / y, lambda x, y: [1 / y, -x / y**2], draw_quotient),
    "floor_divide": Oracle(quotient_floor, lambda x, y: [mpf(0), mpf(0)], draw_quotient),
    "remainder": Oracle(modulus, lambda x, y: [mpf(1), -quotient_floor(x, y)], draw_quotient),
    "neg": one(lambda x: -x, lambda x: mpf(-1)),
    "abs": one(abs, mpmath.sign, fits=not_zero),
    "pow": Oracle(mpmath.power, power_partials, draw_power),
    "sqrt": one(mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), 1.0, fits=lambda x: x > 0),
    "cbrt": one(
        lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
        lambda x: 1 / (3 * mpmath.cbrt(abs(x)) ** 2),
        1.0,
        fits=not_zero,
        value_bound=12,
    ),
    "exp": one(mpmath.exp, mpmath.exp, 0.0, 709.78, -708.4, -745.1),
    "exp2": one(lambda x: mpf(2) ** x, lambda x: mpf(2) ** x * mpmath.log(2), 0.0, 1.0, 1024.0, -512.0, -1022.0),
    "expm1": one(mpmath.expm1, mpmath.exp, 0.0, 709.78, -36.7, -745.1),
    "log": one(mpmath.log, lambda x: 1 / x, 1.0, 2.0**-1024, fits=lambda x: x > 0),
    "log2": one(lambda x: mpmath.log(x, 2), lambda x: 1 / (x * mpmath.log(2)), 1.0, 2.0**-1024, fits=lambda x: x > 0),
    "log10": one(mpmath.log10, lambda x: 1 / (x * mpmath.log(10)), 1.0, 10.0, fits=lambda x: x > 0),
    "log1p": one(mpmath.log1p, lambda x: 1 / (1 + x), -1.0, 0.0, fits=lambda x: x > -1),
    "sin": one(mpmath.sin, mpmath.cos, 0.0, TAU / 2, TAU / 4, 1e22),
    "cos": one(mpmath.cos, lambda x: -mpmath.sin(x), 0.0, TAU / 2, TAU / 4, 1e22),
    "tan": one(mpmath.tan, lambda x: mpmath.sec(x) ** 2, 0.0, TAU / 2, TAU / 4, 1e22),
    "asin": one(mpmath.asin, lambda x: 1 / mpmath.sqrt(1 - x * x), -1.0, 0.0, 1.0, fits=lambda x: -1 < x < 1),
    "acos": one(mpmath.acos, lambda x: -1 / mpmath.sqrt(1 - x * x), -1.0, 0.0, 1.0, fits=lambda x: -1 < x < 1),
    "atan": one(mpmath.atan, lambda x: 1 / (1 + x * x), 1.0, -1.0, 1.3e154),
    "atan2": Oracle(
        mpmath.atan2,
        lambda y, x: [x / (x * x + y * y), -y / (x * x + y * y)],
        draw_point,
    ),
    "sinh": one(mpmath.sinh, mpmath.cosh, 0.0, 710.4, -710.4),
    "cosh": one(mpmath.cosh, mpmath.sinh, 0.0, 710.4, -710.4),
    "tanh": one(mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 0.0, 19.0, 354.9, -372.9),
    "asinh": one(mpmath.asinh, lambda x: 1 / mpmath.sqrt(1 + x * x), 0.0, 1.0),
    "acosh": one(mpmath.acosh, lambda x: 1 / mpmath.sqrt(x * x - 1), 1.0, 2.0, fits=lambda x: x > 1),
    "atanh": one(mpmath.atanh, lambda x: 1 / (1 - x * x), -1.0, 0.0, 1.0, fits=lambda x: -1 < x < 1),
    "sigmoid": one(logistic, lambda x: logistic(x) * logistic(-x), 0.0, 36.7, -708.4, -745.1),
    "softplus": one(lambda x: mpmath.log1p(mpmath.exp(x)), logistic, 0.0, 36.7, -708.4, -745.1),
    "relu": one(lambda x: max(x, mpf(0)), lambda x: mpf(x > 0)),
    "leaky_relu": Oracle(
        lambda x, slope: x if x > 0 else slope * x,
        lambda x, slope: [mpf(1) if x > 0 else slope, min(x, mpf(0))],
        each(mixture(fits=not_zero), mixture()),
    ),
    "elu": Oracle(
        lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x),
        lambda x, alpha: [mpf(1), mpf(0)] if x > 0 else [alpha * mpmath.exp(x), mpmath.expm1(x)],
        each(mixture(-36.7, -708.4, -745.1, fits=not_zero), mixture(1.0, 1e300)),
    ),
    "silu": with_terms(lambda x: x * logistic(x), silu_terms, 0.0, -1.278, 36.7, -708.4, -745.1),
    "erf": one(mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * bounded_exp(-x * x), 0.0, 26.6, -27.2),
    "erfc": one(erfc, lambda x: -2 / mpmath.sqrt(mpmath.pi) * bounded_exp(-x * x), 0.0, 26.6, -27.2),
    # The distribution function is 0.5 * erfc(-x / sqrt(2)). The rounding of that quotient costs up to x*x ulp, and
    # where erfc is subnormal its last digit counts x times.
    "gelu": with_terms(
        gelu,
        gelu_terms,
        0.0,
        -0.752,
        -37.5,
        -38.5,
        value_bound=40,
        value_scale=lambda x: gelu(x) * max(mpf(1), x * x / 4),
    ),
    "gelu_tanh": with_terms(lambda x: x * gelu_tanh_terms(x)[0], gelu_tanh_terms, 0.0, -0.753, -21.1, -21.5),
    "maximum": Oracle(lambda x, y: max(x, y), ties(max), two(mixture())),
    "minimum": Oracle(lambda x, y: min(x, y), ties(min), two(mixture())),
    "max": Oracle(lambda *xs: max(xs), ties(max), several(mixture())),
    "min": Oracle(lambda *xs: min(xs), ties(min), several(mixture())),
    "clip": Oracle(lambda x, low, high: min(max(x, low), high), clip_partials, draw_bounds),
    "where": Oracle(
        lambda condition, x, y: x if condition else y,
        where_partials,
        each(lambda rng: rng.choice([0.0, 1.0, -2.5]), mixture(), mixture()),
    ),
    "sign": one(mpmath.sign, lambda x: mpf(0), fits=not_zero),
    "floor": one(mpmath.floor, lambda x: mpf(0), 0.0, 2.0**52),
    "ceil": one(mpmath.ceil, lambda x: mpf(0), 0.0, 2.0**52),
    "round": one(mpmath.nint, lambda x: mpf(0), 0.5, 1.5, 2.0**52),
    "take": Oracle(lambda *xs: xs[int(xs[-1])], take_partials, with_index(several(mixture()))),
    # Products of opposite sign cancel: the error of a dot product is one of its largest products.
    "dot": Oracle(
        weighted_sum,
        weighted_sum_partials,
        draw_products,
        value_bound=16,
        value_scale=weighted_sum_size,
    ),
    "sum": Oracle(lambda *xs: mpmath.fsum(xs), one_per_operand, several(mixture())),
    "mean": Oracle(mean, lambda *xs: [mpf(1) / len(xs)] * len(xs), several(mixture()), value_bound=16),
    "prod": Oracle(
        lambda *xs: mpmath.fprod(xs),
        lambda *xs: [mpmath.fprod(others(xs, i)) for i in range(len(xs))],
        several(mixture()),
        value_bound=16,
    ),
    "hypot": Oracle(length, length_partials, not_all_zero(two(mixture()))),
    "norm": Oracle(length, length_partials, not_all_zero(several(mixture())), value_bound=16),
    # max + log1p(...) cancels where the result is near 0.
    "logsumexp": Oracle(
        log_sum_exp,
        lambda *xs: probabilities(xs),
        draw_far_and_near,
        value_bound=16,
        value_scale=lambda *xs: max(map(abs, xs)),
    ),
    "softmax": Oracle(
        lambda *xs: probabilities(xs[:-1])[int(xs[-1])],
        softmax_partials,
        with_index(draw_far_and_near),
        value_bound=16,
    ),
    "log_softmax": Oracle(log_softmax, log_softmax_partials, with_index(draw_far_and_near), value_bound=16),
}


# How each operation is asked for


def call(name: str, *operands: Any) -> Any:
    """The public function behind the operation `name`, on operands in the order of the rules."""
    if name == "dot":
        weights, inputs, bias = halves(operands)
        return autograd.dot(weights, inputs, *bias)
    if name in ("softmax", "log_softmax"):
        return getattr(autograd, name)(operands[:-1])[int(operands[-1])]
    if name == "take":
        return autograd.take(operands[:-1], operands[-1])
    if name == "gelu_tanh":
        return autograd.gelu(operands[0], approximate="tanh")
    if operations[name].nary:
        return getattr(autograd, name)(operands)
    return getattr(autograd, name)(*operands)
