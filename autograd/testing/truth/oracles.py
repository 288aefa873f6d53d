"""What is the true value, and what are the true derivatives, of every operation? Nothing here reads the rules.

Each operation has an `Oracle`: its value and its partial derivatives as functions of mpmath numbers, in textbook form;
where these hold; and a way to draw operands from everywhere in its domain. `exact` evaluates them with as many digits
as they need. `ulp_error` says how far a float is from the result. `one_sided_derivatives` answers where the textbook
form cannot: at kinks, and for operations of a user's own.

`rule_checks.py` holds the engine's rules against this table. The table in turn is held against mpmath's numerical
differentiation, in `test_accuracy.py`.
"""

import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

import autograd
from autograd.operations import operations

NAN, INF = mpmath.nan, mpmath.inf
FIRST_PRECISION = 160  # bits
LAST_PRECISION = 20_000
ALL_DOUBLES = 2_400  # bits that hold the sum of the smallest and of the largest double
TOP = mpf(2) ** 1024  # the first number too large for the doubles
LARGEST_UNIT = mpf(2) ** 971  # the last place of the largest double

Operands = tuple[float, ...]


def always(*_: Any) -> bool:
    return True


def never(*_: Any) -> bool:
    return False


class Oracle(NamedTuple):
    """The truth about one operation.

    Attributes:
        value: value(*operands).
        partials: partials(*operands), a list with one derivative for each operand (none for an index, which comes
            last).
        draw: draw(rng), operands in the domain.
        terms: terms(*operands), for each operand the largest of the terms that cancel in its derivative. The error is
            measured against them if there are any.
        value_bound: how many ulp the value may be off.
        value_scale: value_scale(*operands), what those ulp are counted of, if not of the value.
        kink: kink(*operands in floats), whether it has a value there and no derivative in the ordinary sense: a
            corner, a jump, an infinite slope, the end of its domain, a tie.
        domain: domain(*operands in floats), whether it has a finite value there, overflow aside.
    """

    value: Callable[..., Any]
    partials: Callable[..., Sequence[Any]]
    draw: Callable[[random.Random], Operands]
    terms: Callable[..., Sequence[Any]] | None = None
    value_bound: int = 8
    value_scale: Callable[..., Any] | None = None
    kink: Callable[..., bool] = never
    domain: Callable[..., bool] = always


# Evaluation, and the measure of errors

_one_thread_at_a_time = threading.RLock()


@contextmanager
def precision(bits: int, context: Any = mpmath.mp) -> Iterator[None]:
    """Sets the precision within the block, for one thread at a time.

    mpmath has one precision for all threads. Two that changed it at once would each compute with the other's, and the
    last to leave would restore the other's for good.
    """
    with _one_thread_at_a_time, context.workprec(bits):
        yield


def exact(function: Callable[..., Any], operands: Sequence[float]) -> Any:
    """function(*operands) to 20 digits or more, by doubling the precision until two results agree.

    Fixed precision fails: with 50 digits 1 - tanh(x)**2 is 0 at x = 100. A zero is believed only if it is still there
    with enough bits to add the smallest double to the largest.

    Raises:
        ArithmeticError: the results never agree, such as where the slope is infinite.
    """
    previous, bits = None, FIRST_PRECISION
    while bits <= LAST_PRECISION:
        with precision(bits):
            result = function(*map(mpf, operands))
            if previous is not None and _agree(previous, result, bits):
                return result
        previous, bits = result, _next_precision(result, bits)
    raise ArithmeticError(f"{function} does not settle at {operands}")


def _next_precision(result: Any, bits: int) -> int:
    """Twice as many bits; if a result is zero, at once as many as it takes to believe it."""
    has_zero = not all(result) if isinstance(result, list) else not result
    return max(2 * bits, ALL_DOUBLES) if has_zero else 2 * bits


def _agree(previous: Any, result: Any, bits: int) -> bool:
    if isinstance(result, list):
        return all(_agree(p, r, bits) for p, r in zip(previous, result, strict=True))
    if previous == result:
        return bool(result != 0) or bits >= ALL_DOUBLES
    if mpmath.isnan(result) or mpmath.isinf(result):
        return bool(mpmath.isnan(previous)) if mpmath.isnan(result) else bool(previous == result)
    return bool(result != 0 and abs(previous - result) <= abs(result) * mpf(2) ** -80)


def ulp_error(actual: float, true: Any, size: Any = None) -> float:
    """The distance of `actual` from `true` in units in the last place of `true`, or of the larger `size`.

    Below 2**-1022 the unit is that of subnormal numbers. An infinity stands for 2**1024, the first number beyond the
    doubles, so that it has error 0 where the true number rounds to it.
    """
    if size is None and actual == true:
        return 0.0
    if math.isnan(actual) or mpmath.isnan(true):
        return 0.0 if math.isnan(actual) and mpmath.isnan(true) else math.inf
    with precision(FIRST_PRECISION):
        true = max(-TOP, min(TOP, true))
        number = math.copysign(1.0, actual) * TOP if math.isinf(actual) else mpf(actual)
        distance = abs(number - true)
        if distance <= LARGEST_UNIT / 2 and abs(true) > TOP - LARGEST_UNIT:
            return 0.0 if math.isinf(actual) else float(distance / LARGEST_UNIT)
        size = abs(true) if size is None else max(abs(true), min(TOP, abs(size)))
        exponent = max(mpmath.frexp(size)[1], -1021) if size else -1021
        return float(mpmath.ldexp(distance, -min(exponent - 53, 971)))


# Derivatives of a value, without a formula for them

FEWEST_BITS = 100
MANY_BITS = 800
MOST_BITS = 3_200
CLEAR_BITS = 90  # by so many bits a difference must stand out from the rounding of the values
VANISHING = mpf(2) ** -1_100  # far below the smallest double


def one_sided_derivatives(value: Callable[..., Any], operands: Sequence[float], place: int) -> tuple[Any, Any]:
    """The derivatives from the left and from the right for the operand at `place`, by differences of many digits.

    If a step to the left and one twice as long to the right do not agree, each side is asked with smaller and smaller
    steps until two quotients agree. (Steps of one length would agree at the jump of the sign function.) None stands for
    a side without a derivative: an infinite slope, a jump, or no real value there.
    """
    try:
        left, right = (_quotient(value, operands, place, step, FEWEST_BITS) for step in (-1, 2))
        if _is_real(left) and _is_real(right) and _agree(left, right, ALL_DOUBLES):
            return left, right
    except _NO_VALUE:
        pass
    return _side(value, operands, place, -1), _side(value, operands, place, 1)


_NO_VALUE = (ArithmeticError, TypeError, ValueError)  # a TypeError where complex numbers are compared


def _is_real(result: Any) -> bool:
    return isinstance(result, mpf) and bool(mpmath.isfinite(result))


def range_of(operands: Sequence[float], place: int) -> int:
    """How many bits below 1 the first step for the operand at `place` has to be, to be smaller than all that happens.

    (The sine turns and floor jumps within 1; x // y jumps within y*y/x. Below x = 0 lie all doubles.)
    """
    sizes = [abs(math.frexp(x)[1]) for x in operands]
    own = sizes.pop(place) if operands[place] else 1_074
    return 2 * own + max(sizes, default=0)


def _side(value: Callable[..., Any], operands: Sequence[float], place: int, sign: int) -> Any:
    previous, bits = None, FEWEST_BITS
    while bits <= MOST_BITS:
        try:
            result = _quotient(value, operands, place, sign, bits)
        except _NO_VALUE:
            return None
        if result is None:
            bits = MANY_BITS
            continue
        if not _is_real(result):
            return None
        if not result or (previous is not None and _agree(previous, result, ALL_DOUBLES)):
            return result
        previous, bits = result, 2 * bits
    return None


def _quotient(value: Callable[..., Any], operands: Sequence[float], place: int, length: int, bits: int) -> Any:
    """The quotient of differences; None if it takes more bits to see one.

    It is 0 if it is far smaller than any double, or if many bits show no difference.
    """
    below = range_of(operands, place)
    step = length * mpf(2) ** -(bits + below)
    enough = 3 * bits + 2 * below
    with precision(enough):
        numbers = list(map(mpf, operands))
        here = value(*numbers)
        numbers[place] += step
        difference = value(*numbers) - here
        if not isinstance(difference, mpf):
            return difference
        if abs(difference) < mpmath.ldexp(abs(here), CLEAR_BITS - enough):
            return mpf(0) if bits >= MANY_BITS else None
        return mpf(0) if abs(difference) < abs(step) * VANISHING else difference / step


# Drawing operands

Draw = Callable[[random.Random], float]


def any_size(rng: random.Random) -> float:
    """A number of either sign whose exponent is uniformly distributed, subnormals included."""
    return math.ldexp(rng.uniform(-1.0, 1.0), rng.randint(-1073, 1024))


def mixture(*edges: float, fits: Callable[[float], bool] = lambda x: True) -> Draw:
    """Draws numbers that fit: of any size, moderate, with few digits, or close to one of the edges."""

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
    """Draws `least` to 8 operands; now and then some of them are equal, or of one size, or 0."""

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
    """x and y; often their quotient is one that the doubles can hold."""
    y = mixture(fits=not_zero)(rng)
    if rng.random() < 0.5:
        return mixture()(rng), y
    return min(max(y * any_size(rng), -1e308), 1e308), y


def draw_point(rng: random.Random) -> Operands:
    """The coordinates of a point that is not the origin, without -0.0, whose sign mpmath does not know."""
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


def draw_two_far_and_near(rng: random.Random) -> Operands:
    """Two operands, as `draw_far_and_near` draws more, whose difference is not far outside the range of `exp`."""
    x, y = (*draw_far_and_near(rng), *draw_far_and_near(rng))[:2]
    return (x, y) if abs(x - y) < 2000.0 else draw_two_far_and_near(rng)


def draw_bounds(rng: random.Random) -> Operands:
    """x, low and high for `clip`, now and then in the wrong order."""
    x, low, high = (mixture()(rng) for _ in range(3))
    return (x, low, high) if rng.random() < 0.2 else (x, min(low, high), max(low, high))


# The table


def one(value: Callable[..., Any], derivative: Callable[..., Any], *edges: float, **more: Any) -> Oracle:
    """The oracle of a function of one number, drawn everywhere that `fits` allows; its domain has the kinks too."""
    fits = more.pop("fits", always)
    kink = more.get("kink", never)
    more["domain"] = lambda x: fits(x) or kink(x)
    return Oracle(value, lambda x: [derivative(x)], each(mixture(*edges, fits=fits)), **more)


def at_zero(x: float, *_: float) -> bool:
    return x == 0.0


def at_plus_or_minus_one(x: float) -> bool:
    return abs(x) == 1.0


def at_the_origin(*xs: float) -> bool:
    return not any(xs)


def at_a_multiple(x: float, y: float) -> bool:
    return y != 0.0 and math.isfinite(x) and math.fmod(x, y) == 0.0


def at_a_half(x: float) -> bool:
    return math.isfinite(x) and abs(math.fmod(x, 1.0)) == 0.5


def divisor_not_zero(x: float, y: float) -> bool:
    return y != 0.0


def tie_of(chosen: Callable[..., float]) -> Callable[..., bool]:
    return lambda *xs: xs.count(chosen(xs)) > 1


def power_domain(x: float, y: float) -> bool:
    return x > 0.0 or (x == 0.0 and y >= 0.0) or (x < 0.0 and y.is_integer())


def power_kink(x: float, y: float) -> bool:
    """0**y has a derivative on both sides of 0 only if y is 1, 2, 3, ..."""
    return x == 0.0 and not (y >= 1.0 and y.is_integer())


def clip_kink(x: float, low: float, high: float) -> bool:
    return x in (low, high) or x < low == high


def on_the_cut_of_atan2(y: float, x: float) -> bool:
    return y == 0.0 and x <= 0.0


def quotient_floor(x: Any, y: Any) -> Any:
    return mpf(_fraction(x) // _fraction(y))


def modulus(x: Any, y: Any) -> Any:
    rest = _fraction(x) % _fraction(y)
    return mpf(rest.numerator) / rest.denominator


def _fraction(x: Any) -> Fraction:
    sign, mantissa, exponent, _ = x._mpf_
    return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)


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
        share, rest = mpf(1) / xs.count(best), mpf(0)
        return [share if x == best else rest for x in xs]

    return partials


def bounded_exp(x: Any) -> Any:
    """exp(x), with x limited to 1e5 in size: that is far outside the doubles already, and quickly computed."""
    return mpmath.exp(max(mpf(-100_000), min(mpf(100_000), x)))


def erfc(x: Any) -> Any:
    """mpmath.erfc, with x limited to 1e4 in size for the same reason."""
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
    along_y = mpmath.power(x, y) * mpmath.log(x) if x > 0 else mpf(0) if x == 0 else NAN
    along_x = y * mpmath.power(x, y) / x if x else y * mpmath.power(x, y - 1)  # y - 1 may be rounded where y is 1e300
    return [along_x, along_y]


def others(xs: Sequence[Any], k: int) -> list[Any]:
    return [x for i, x in enumerate(xs) if i != k]


def products_of_others(*xs: Any) -> list[Any]:
    nonzero = [x for x in xs if x]
    product = mpmath.fprod(nonzero)
    zeros = len(xs) - len(nonzero)
    if zeros:
        return [product if not x and zeros == 1 else mpf(0) for x in xs]
    return [product / x for x in xs]


def probabilities(xs: Sequence[Any]) -> list[Any]:
    largest = max(xs)
    exponentials = [bounded_exp(x - largest) for x in xs]
    total = mpmath.fsum(exponentials)
    return [e / total for e in exponentials]


def log_sum_exp(*xs: Any) -> Any:
    return mpmath.log(mpmath.fsum(map(mpmath.exp, xs)))


def values_and_place(xs_and_index: Sequence[Any]) -> tuple[list[Any], int]:
    """The values, and the place that the index after them means: -1 is the last."""
    *xs, index = xs_and_index
    return xs, int(index) % len(xs)


def softmax(*xs_and_index: Any) -> Any:
    xs, k = values_and_place(xs_and_index)
    return probabilities(xs)[k]


def softmax_partials(*xs_and_index: Any) -> list[Any]:
    xs, k = values_and_place(xs_and_index)
    p = probabilities(xs)
    return [p[k] * (mpmath.fsum(others(p, k)) if i == k else -p[i]) for i in range(len(xs))]


def log_softmax(*xs_and_index: Any) -> Any:
    xs, k = values_and_place(xs_and_index)
    return -mpmath.log1p(mpmath.fsum(mpmath.exp(x - xs[k]) for x in others(xs, k)))


def log_softmax_partials(*xs_and_index: Any) -> list[Any]:
    xs, k = values_and_place(xs_and_index)
    p = probabilities(xs)
    return [mpmath.fsum(others(p, k)) if i == k else -p[i] for i in range(len(xs))]


def max_log_prob(*xs: Any) -> Any:
    return log_softmax(*xs, xs.index(max(xs)))


def max_log_prob_partials(*xs: Any) -> list[Any]:
    p, largest = probabilities(xs), max(xs)
    rest = mpmath.fsum(p[i] for i, x in enumerate(xs) if x < largest)
    return [rest / xs.count(largest) if x == largest else -p[i] for i, x in enumerate(xs)]


def length(*xs: Any) -> Any:
    return mpmath.sqrt(mpmath.fsum(x * x for x in xs))


def length_partials(*xs: Any) -> list[Any]:
    norm = length(*xs)
    return [x / norm for x in xs]


def clip_partials(x: Any, low: Any, high: Any) -> list[Any]:
    return [mpf(low <= x <= high), mpf(x < low <= high), mpf(high < low or x > high)]


def where_partials(condition: Any, x: Any, y: Any) -> list[Any]:
    return [mpf(0), mpf(condition != 0), mpf(condition == 0)]


def take(*xs_and_index: Any) -> Any:
    xs, k = values_and_place(xs_and_index)
    return xs[k]


def take_partials(*xs_and_index: Any) -> list[Any]:
    xs, k = values_and_place(xs_and_index)
    return [mpf(i == k) for i in range(len(xs))]


def one_per_operand(*xs: Any) -> list[Any]:
    return [mpf(1)] * len(xs)


def mean(*xs: Any) -> Any:
    return mpmath.fsum(xs) / len(xs)


TAU = 2.0 * math.pi

oracles: dict[str, Oracle] = {
    "add": Oracle(lambda x, y: x + y, lambda x, y: [mpf(1), mpf(1)], each(mixture(), mixture())),
    "sub": Oracle(lambda x, y: x - y, lambda x, y: [mpf(1), mpf(-1)], each(mixture(), mixture())),
    "mul": Oracle(lambda x, y: x * y, lambda x, y: [y, x], each(mixture(), mixture())),
    "div": Oracle(lambda x, y: x / y, lambda x, y: [1 / y, -x / y**2], draw_quotient, domain=divisor_not_zero),
    "floor_divide": Oracle(
        quotient_floor, lambda x, y: [mpf(0), mpf(0)], draw_quotient, kink=at_a_multiple, domain=divisor_not_zero
    ),
    "remainder": Oracle(
        modulus,
        lambda x, y: [mpf(1), -quotient_floor(x, y)],
        draw_quotient,
        kink=at_a_multiple,
        domain=divisor_not_zero,
    ),
    "neg": one(lambda x: -x, lambda x: mpf(-1)),
    "abs": one(abs, mpmath.sign, fits=not_zero, kink=at_zero),
    "pow": Oracle(mpmath.power, power_partials, draw_power, kink=power_kink, domain=power_domain),
    "sqrt": one(mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), 1.0, fits=lambda x: x > 0, kink=at_zero),
    "cbrt": one(
        lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
        lambda x: 1 / (3 * mpmath.cbrt(abs(x)) ** 2),
        1.0,
        fits=not_zero,
        value_bound=12,
        kink=at_zero,
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
    "asin": one(
        mpmath.asin,
        lambda x: 1 / mpmath.sqrt(1 - x * x),
        -1.0,
        0.0,
        1.0,
        fits=lambda x: -1 < x < 1,
        kink=at_plus_or_minus_one,
    ),
    "acos": one(
        mpmath.acos,
        lambda x: -1 / mpmath.sqrt(1 - x * x),
        -1.0,
        0.0,
        1.0,
        fits=lambda x: -1 < x < 1,
        kink=at_plus_or_minus_one,
    ),
    "atan": one(mpmath.atan, lambda x: 1 / (1 + x * x), 1.0, -1.0, 1.3e154),
    "atan2": Oracle(
        mpmath.atan2,
        lambda y, x: [x / (x * x + y * y), -y / (x * x + y * y)],
        draw_point,
        kink=on_the_cut_of_atan2,
    ),
    "sinh": one(mpmath.sinh, mpmath.cosh, 0.0, 710.4, -710.4),
    "cosh": one(mpmath.cosh, mpmath.sinh, 0.0, 710.4, -710.4),
    "tanh": one(mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 0.0, 19.0, 354.9, -372.9),
    "asinh": one(mpmath.asinh, lambda x: 1 / mpmath.sqrt(1 + x * x), 0.0, 1.0),
    "acosh": one(
        mpmath.acosh, lambda x: 1 / mpmath.sqrt(x * x - 1), 1.0, 2.0, fits=lambda x: x > 1, kink=lambda x: x == 1.0
    ),
    "atanh": one(mpmath.atanh, lambda x: 1 / (1 - x * x), -1.0, 0.0, 1.0, fits=lambda x: -1 < x < 1),
    "sigmoid": one(logistic, lambda x: logistic(x) * logistic(-x), 0.0, 36.7, -708.4, -745.1),
    "softplus": one(lambda x: mpmath.log1p(mpmath.exp(x)), logistic, 0.0, 36.7, -708.4, -745.1),
    "relu": one(lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), kink=at_zero),
    "leaky_relu": Oracle(
        lambda x, slope: x if x > 0 else slope * x,
        lambda x, slope: [mpf(1) if x > 0 else slope, min(x, mpf(0))],
        each(mixture(fits=not_zero), mixture()),
        kink=at_zero,
    ),
    "elu": Oracle(
        lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x),
        lambda x, alpha: [mpf(1), mpf(0)] if x > 0 else [alpha * mpmath.exp(x), mpmath.expm1(x)],
        each(mixture(-36.7, -708.4, -745.1, fits=not_zero), mixture(1.0, 1e300)),
        kink=lambda x, alpha: x == 0.0 and alpha != 1.0,
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
    "maximum": Oracle(lambda x, y: max(x, y), ties(max), two(mixture()), kink=tie_of(max)),
    "minimum": Oracle(lambda x, y: min(x, y), ties(min), two(mixture()), kink=tie_of(min)),
    "max": Oracle(lambda *xs: max(xs), ties(max), several(mixture()), kink=tie_of(max)),
    "min": Oracle(lambda *xs: min(xs), ties(min), several(mixture()), kink=tie_of(min)),
    # With x at two equal bounds any of the three could have the whole derivative: the special points say which.
    "clip": Oracle(
        lambda x, low, high: min(max(x, low), high),
        clip_partials,
        draw_bounds,
        kink=clip_kink,
        domain=lambda x, low, high: not x == low == high,
    ),
    "where": Oracle(
        lambda condition, x, y: x if condition else y,
        where_partials,
        each(lambda rng: rng.choice([0.0, 1.0, -2.5]), mixture(), mixture()),
    ),
    "sign": one(mpmath.sign, lambda x: mpf(0), fits=not_zero, kink=at_zero),
    "floor": one(mpmath.floor, lambda x: mpf(0), 0.0, 2.0**52, kink=float.is_integer),
    "ceil": one(mpmath.ceil, lambda x: mpf(0), 0.0, 2.0**52, kink=float.is_integer),
    "round": one(mpmath.nint, lambda x: mpf(0), 0.5, 1.5, 2.0**52, kink=at_a_half),
    "shifted_exp": Oracle(
        lambda x, y: mpmath.exp(x - y),
        lambda x, y: [mpmath.exp(x - y), -mpmath.exp(x - y)],
        draw_two_far_and_near,
    ),
    "take": Oracle(take, take_partials, with_index(several(mixture()))),
    # Products of opposite sign cancel: the error of a dot product is measured against its largest product.
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
        products_of_others,
        several(mixture()),
        value_bound=16,
    ),
    "hypot": Oracle(length, length_partials, not_all_zero(two(mixture())), kink=at_the_origin),
    "norm": Oracle(length, length_partials, not_all_zero(several(mixture())), value_bound=16, kink=at_the_origin),
    # max + log1p(...) cancels where the result is near 0.
    "logsumexp": Oracle(
        log_sum_exp,
        lambda *xs: probabilities(xs),
        draw_far_and_near,
        value_bound=16,
        value_scale=lambda *xs: max(map(abs, xs)),
    ),
    "softmax": Oracle(
        softmax,
        softmax_partials,
        with_index(draw_far_and_near),
        value_bound=16,
    ),
    "log_softmax": Oracle(log_softmax, log_softmax_partials, with_index(draw_far_and_near), value_bound=16),
    "max_log_prob": Oracle(max_log_prob, max_log_prob_partials, draw_far_and_near, value_bound=16, kink=tie_of(max)),
}


# How each operation is asked for


def call(name: str, *operands: Any) -> Any:
    """The public function behind the operation `name`, on operands in the order of the rules."""
    if name == "dot":
        weights, inputs, bias = halves(operands)
        return autograd.dot(weights, inputs, *bias)
    if name in ("softmax", "log_softmax"):
        return getattr(autograd, name)(operands[:-1], index=int(operands[-1]))
    if name == "take":
        return autograd.take(operands[:-1], operands[-1])
    if name == "gelu_tanh":
        return autograd.gelu(operands[0], approximate="tanh")
    if operations[name].nary:
        return getattr(autograd, name)(operands)
    return getattr(autograd, name)(*operands)
