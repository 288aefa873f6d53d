"""Which functions does native code compute for a whole vector at once? Those that training spends its time in.

Each takes vectors, and gives one: within 2.6 ulp of the true result, most within 1 (the bounds are in the tests), with
or without an instruction for a * b + c. Special points are those of `math`, with the answers of IEEE 754.

Where the polynomials come from, and how numbers are reduced, is said in `coefficients.py`, where those are that other
code needs too. Where a function's method is that of FDLIBM (Sun Microsystems, 1993), it says so.
"""

from typing import Any

from autograd.compiler.coefficients import ERF, ERFC, LOG2_HIGH, LOG2_LOW, PER_LOG2, SQUARE
from autograd.compiler.native.terms import Code
from autograd.compiler.native.translation import call, call_apart, native, writes
from autograd.compiler.native.vectors import (
    ROUND,
    Vector,
    absolute,
    any_of,
    bits_of,
    choose,
    floor,
    from_bits,
    fused,
    power_of_two,
    scaled,
    shifted_left,
    shifted_right,
    splat,
    square_root,
    whole,
)

INFINITY, NAN, SMALLEST = float("inf"), float("nan"), 2.0**-1022  # the smallest number that is not subnormal


@writes
def polynomial(code: Code, x: Vector, coefficients: Any) -> Vector:
    """The polynomial with these coefficients, highest power first: even and odd powers by Horner's rule, side by side.

    One chain, of twice the length, leaves the processor waiting; Estrin's scheme needs more products.
    """
    square = x * x
    even, odd = (_horner(code, square, coefficients[::-1][k::2][::-1]) for k in (0, 1))
    return fused.writes(code, odd, x, even)  # type: ignore[attr-defined]


def _horner(code: Code, x: Any, coefficients: Any) -> Any:
    result = code.splat(coefficients[0])
    for coefficient in coefficients[1:]:
        result = fused.writes(code, result, x, code.splat(coefficient))  # type: ignore[attr-defined]
    return result


@writes
def outside(code: Code, name: str, *xs: Any) -> Any:
    """A function of C for single numbers, or for each place of vectors in turn."""
    terms = [code.as_term(x) for x in xs]
    if all(x.type != code.vector for x in terms):
        return code.call_outside(name, *terms)

    def one_by_one(*vectors: Any) -> Any:
        places = [code.room(1) for _ in vectors]
        for place, x in zip(places, vectors, strict=True):
            code.builder.store(x.value, place.value, align=8)
        with code.counting(0, code.processor.width) as (i, _):
            places[0][i] = code.call_outside(name, *(place[i] for place in places))
        return code.term(code.builder.load(places[0].value, typ=code.vector, align=8))

    return call_apart(code, f"{name}_one_by_one", one_by_one, *terms, rare=True)


@writes
def copysign(code: Code, x: Any, y: Any) -> Any:
    """x with the sign of y."""
    return code.intrinsic("llvm.copysign", code.splat(x), y)


# Exponentials (see `coefficients.py`)


@native
def whole_and_rest(x: Vector, small: float) -> Any:
    """n; and r in two parts, for the exponential of x + small."""
    n = fused(x, PER_LOG2, ROUND) - ROUND
    first = fused(n, -LOG2_HIGH, x)
    second = fused(n, LOG2_LOW, -small)
    r = first - second
    return n, r, (first - r) - second


@native
def between(x: Vector, least: float, most: float) -> Vector:
    """x; or the nearer bound, if it is outside of them. nan stays nan."""
    above = choose(splat(least) > x, least, x)
    return choose(splat(most) < above, most, above)


@native
def one_and(r: Vector, rest: Vector) -> Vector:
    """exp(r + rest) within 0.6 ulp: the one rounding of 1 + r that counts is made good."""
    high = 1.0 + r
    low = ((1.0 - high) + r) + rest
    return high + fused(r * r, polynomial(r, SQUARE), low)


@native
def exp(x: Vector) -> Vector:
    n, r, rest = whole_and_rest(between(x, -746.0, 710.0), 0.0)
    return scaled(one_and(r, rest), n)


@native
def exp2(x: Vector) -> Vector:
    clamped = between(x, -1076.0, 1025.0)
    n = (clamped + ROUND) - ROUND
    part = clamped - n
    r = part * LOG_2
    return scaled(one_and(r, part * LOG_2_REST), n)


LOG_2, LOG_2_REST = 0.6931471805599453, 2.3190468138462996e-17


@native
def expm1_of_part(x: Vector, share: float) -> Vector:
    """(exp(x) - 1) * share, where share is a power of two: exp(x) itself may be out of range."""
    n, r, rest = whole_and_rest(x, 0.0)
    power = power_of_two(n - EXPONENTS[share])
    # The parts follow each other in order of size, so that little is lost in the last sum.
    return fused(power, fused(r * r, polynomial(r, SQUARE), rest), fused(power, r, power - share))


EXPONENTS = {0.5: 1.0, 0.25: 2.0}


@native
def expm1(x: Vector) -> Vector:
    result = expm1_of_part(between(x, -50.0, 710.0), 0.5) * 2.0
    return choose(absolute(x) < 2.0**-54, x, result)


@native
def sinh(x: Vector) -> Vector:
    """(e + e / (e + 1)) / 2 with e = exp(x) - 1, as in FDLIBM."""
    quarter = expm1_of_part(between(absolute(x), 0.0, 710.6), 0.25)
    result = (quarter + quarter / (4.0 * quarter + 1.0)) * 2.0
    return choose(absolute(x) < 2.0**-28, x, copysign(result, x))


@native
def cosh(x: Vector) -> Vector:
    n, r, rest = whole_and_rest(between(absolute(x), 0.0, 710.6), 0.0)
    quarter = power_of_two(n - 2.0) * one_and(r, rest)
    return (quarter + 0.0625 / quarter) * 2.0


@native
def tanh(x: Vector) -> Vector:
    """e / (e + 2) with e = exp(2x) - 1, as in FDLIBM; and what the roundings of e change: 2 / (e + 2)**2 of them."""
    n, r, rest = whole_and_rest(between(absolute(x) * 2.0, 0.0, 44.0), 0.0)
    power = power_of_two(n)
    large, middle, small = power - 1.0, power * r, power * fused(r * r, polynomial(r, SQUARE), rest)
    both = large + middle
    e = both + small
    error = ((large - both) + middle) + ((both - e) + small)
    result = e / (e + 2.0)
    left = 1.0 - result
    return copysign(fused(error * 0.5, left * left, result), x)


# Logarithms: x = 2**k * (1 + f) with 1 + f between the roots of 1/2 and 2, and log(1 + f) = f - (h - s * (h + R)) with
# h = f**2 / 2, s = f / (2 + f) and R = s**2 * ATANH(s**2), as in FDLIBM.

ATANH = (
    0.14616721179861816, 0.15331699633543858, 0.18182889786191042, 0.2222221112572281, 0.28571428626031065,
    0.3999999999989938, 0.666666666666667,
)  # fmt: skip
ROOT_OF_HALF = 0x3FE6A09E667F3BCD


@native
def exponent_and_rest(x: Vector) -> Any:
    """k and f of a number that is positive, finite and not subnormal."""
    bits = bits_of(x) + whole(0x3FF0000000000000 - ROOT_OF_HALF, bits_of(x))
    k = from_bits(shifted_right(bits, 52) | whole(0x4330000000000000, bits)) - (2.0**52 + 1023.0)
    f = from_bits((bits & whole(0x000FFFFFFFFFFFFF, bits)) + whole(ROOT_OF_HALF, bits)) - 1.0
    return k, f


@native
def log_of(k: Vector, f: Vector) -> Vector:
    half = (0.5 * f) * f
    s = f / (2.0 + f)
    square = s * s
    small = fused(s, fused(square, polynomial(square, ATANH), half), k * LOG2_LOW)
    whole_part = k * LOG2_HIGH
    high = whole_part + f
    low = (whole_part - high) + f  # so that only the last sum is rounded where it counts
    return high - ((half - small) - low)


@native
def at_poles(x: Vector, result: Vector) -> Vector:
    """The result where x is positive and finite; for others what the logarithm of x is."""
    return choose(x > 0.0, choose(x < INFINITY, result, x), choose(x == 0.0, -INFINITY, NAN))


@native
def parts_of(x: Vector) -> Any:
    """k and f of a positive number, which may be subnormal."""
    is_small = x < SMALLEST
    k, f = exponent_and_rest(choose(is_small, x * 2.0**54, x))
    return k - choose(is_small, 54.0, 0.0), f


@native
def log(x: Vector) -> Vector:
    k, f = parts_of(x)
    return at_poles(x, log_of(k, f))


@native
def log2(x: Vector) -> Vector:
    k, f = parts_of(x)
    return at_poles(x, fused(log_of(splat(0.0), f), PER_LOG2, k))


@native
def log10(x: Vector) -> Vector:
    k, f = parts_of(x)
    return at_poles(x, fused(k, LOG10_2_HIGH, fused(log_of(splat(0.0), f), PER_LOG10, k * LOG10_2_LOW)))


LOG10_2_HIGH, LOG10_2_LOW, PER_LOG10 = 0.3010299955494702, 1.1451100898021838e-10, 0.4342944819032518


@native
def log1p(x: Vector) -> Vector:
    """The logarithm of u = 1 + x, whose rounding error goes into f. Where k is 0, f is x itself."""
    u = 1.0 + x
    k, f = exponent_and_rest(u)
    virtual = u - x
    error = (1.0 - virtual) + (x - (u - virtual))
    corrected = f + choose(u < 2.0**60, error * power_of_two(-k), 0.0)
    return choose(absolute(x) < 2.0**-54, x, at_poles(u, log_of(k, corrected)))


# Sine and cosine: x = n * pi / 2 + y, with pi / 2 in four parts, of which the first three have 33 bits. Beyond FARTHEST
# their products with n are not exact.

HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
PER_HALF_PI, FARTHEST = 0.6366197723675814, 1.6e6
SINE = (
    1.5917848524808262e-10, -2.5051127944014188e-08, 2.755731608381636e-06, -0.00019841269836722418,
    0.008333333333330925, -0.16666666666666666,
)  # fmt: skip
COSINE = (
    -1.1382456778061306e-11, 2.0876143827993133e-09, -2.7557317260008837e-07, 2.480158729874307e-05,
    -0.0013888888888887382, 0.041666666666666664,
)  # fmt: skip


@native
def quadrant_and_rest(x: Vector) -> Any:
    """n in the lowest bits of whole numbers; and y in two parts."""
    moved = fused(x, PER_HALF_PI, ROUND)
    n = moved - ROUND
    first = x - n * HALF_PI[0]
    product = n * HALF_PI[1]
    second = first - product
    error = (first - second) - product
    last = n * HALF_PI[2]
    y = second - last
    return bits_of(moved), y, (((second - y) - last) + error) - n * HALF_PI[3]


@native
def sine_and_cosine(y: Vector, rest: Vector) -> Any:
    """Of y + rest, up to pi / 4, as in FDLIBM: each as a large part and a small one."""
    square, half = y * y, 0.5 * (y * y)
    below_y = fused(square * y, polynomial(square, SINE), fused(-half, rest, rest))
    near = 1.0 - half
    below_near = ((1.0 - near) - half) + fused(square * square, polynomial(square, COSINE), -(y * rest))
    return (y, below_y), (near, below_near)


@native
def turned(n: Vector, even: Vector, odd: Vector) -> Vector:
    """What belongs to a quadrant: `even` or `odd`, and in every other pair with the sign changed."""
    is_odd = (n & whole(1, n)) == whole(1, n)
    sign = shifted_left(n & whole(2, n), 62)
    return from_bits(bits_of(choose(is_odd, odd, even)) ^ sign)


@native
def sin(x: Vector) -> Vector:
    n, y, rest = quadrant_and_rest(absolute(x))
    sine, cosine = sine_and_cosine(y, rest)
    result = splat_variable(turned(n, sine[0] + sine[1], cosine[0] + cosine[1]) * copysign(1.0, x))
    if any_of(absolute(x) > FARTHEST):
        result[0] = outside("sin", x)
    return result[0]


@native
def cos(x: Vector) -> Vector:
    n, y, rest = quadrant_and_rest(absolute(x))
    sine, cosine = sine_and_cosine(y, rest)
    result = splat_variable(turned(n + whole(1, n), sine[0] + sine[1], cosine[0] + cosine[1]))
    if any_of(absolute(x) > FARTHEST):
        result[0] = outside("cos", x)
    return result[0]


@native
def quotient_of_sums(above: Any, below: Any) -> Vector:
    """The quotient of two sums of a large part and a small one; and what the roundings of the sums change."""
    x, y = above[0] + above[1], below[0] + below[1]
    inverse = 1.0 / y
    result = x * inverse
    lost_above, lost_below = (above[0] - x) + above[1], (below[0] - y) + below[1]
    return fused(inverse, fused(-result, y, x) + (lost_above - result * lost_below), result)


@native
def tan(x: Vector) -> Vector:
    n, y, rest = quadrant_and_rest(absolute(x))
    sine, cosine = sine_and_cosine(y, rest)
    is_odd = (n & whole(1, n)) == whole(1, n)
    above = [choose(is_odd, -cosine[k], sine[k]) for k in (0, 1)]
    below = [choose(is_odd, sine[k], cosine[k]) for k in (0, 1)]
    quotient = quotient_of_sums(above, below)
    result = splat_variable(quotient * copysign(1.0, x))
    if any_of(absolute(x) > FARTHEST):
        result[0] = outside("tan", x)
    return result[0]


# Error functions (see `coefficients.py`)


@native
def erfc_beyond(x: Vector) -> Vector:
    """erfc from 3/4 to 28. The square of x is computed in two parts, the first of which is exact."""
    head = from_bits(bits_of(x) & whole(-(2**27), bits_of(x)))
    n, r, rest = whole_and_rest(-(head * head), -((x - head) * (x + head)))
    t = (x - 4.0) / (x + 4.0)
    slope = t * polynomial(t, ERFC[:-1])
    above, below = ERFC[-1] + slope, 1.0 + 2.0 * x
    quotient = above / below
    # What the roundings of both change; for 1 / below, quotient * 0.9 is near enough.
    lost = ((ERFC[-1] - above) + slope) - quotient * ((2.0 * x - below) + 1.0)
    tail = r + fused(r * r, polynomial(r, SQUARE), rest)
    return scaled(quotient + fused(quotient, tail, lost * (quotient * 0.9)), n)


@native
def erf(x: Vector) -> Vector:
    size = absolute(x)
    near = fused(x, polynomial(x * x, ERF), x)
    result = splat_variable(near)
    if any_of(~(size < 0.75)):
        far = 1.0 - erfc_beyond(between(size, 0.75, 28.0))
        result[0] = choose(size < 0.75, near, copysign(far, x))
    return result[0]


@native
def erfc(x: Vector) -> Vector:
    size = absolute(x)
    near = (1.0 - x) - x * polynomial(x * x, ERF)
    result = splat_variable(near)
    if any_of(~(size < 0.75)):
        far = erfc_beyond(between(size, 0.75, 28.0))
        result[0] = choose(size < 0.75, near, choose(x < 0.0, 2.0 - far, far))
    return result[0]


# Powers


@native
def power(x: Vector, y: Vector) -> Vector:
    """x**y, by products if all exponents are 0, 1, 2 or 3 (0.7 ns a number, where C takes 11)."""
    square = x * x
    result = splat_variable(choose(y >= 2.0, choose(y > 2.0, square * x, square), choose(y > 0.0, x, 1.0)))
    if any_of(~((y == 0.0) | (y == 1.0) | (y == 2.0) | (y == 3.0))):
        result[0] = outside("pow", x, y)
    return result[0]


# Sums


@native
def two_sum(x: Vector, y: Vector) -> Any:
    """The sum, and exactly what its rounding lost (Knuth, The Art of Computer Programming, vol. 2, 4.2.2)."""
    total = x + y
    virtual = total - x
    return total, (x - (total - virtual)) + (y - virtual)


@native
def accurate_sum(row: Any, count: int) -> Vector:
    """The sum, with twice the digits on the way: the eager engine rounds once (`math.fsum`)."""
    sum_so_far, lost, sizes = splat_variable(0.0), splat_variable(0.0), splat_variable(0.0)
    for j in range(count):
        x = row[j]
        new, small = two_sum(sum_so_far[0], x)
        sum_so_far[0] = new
        lost[0] = lost[0] + small
        sizes[0] = sizes[0] + absolute(x)
    result = splat_variable(sum_so_far[0] + lost[0])
    if any_of(~(absolute(result[0]) - sizes[0] * 2.0**-20 >= 0.0)):
        # Numbers cancel, or the sum left the range, perhaps only on the way: then they are made smaller.
        scale = choose(absolute(result[0]) < INFINITY, splat(1.0), 2.0**-64)
        result[0] = twice_compensated_sum(row, count, scale) / scale
    return result[0]


@native
def twice_compensated_sum(row: Any, count: int, scale: Vector) -> Vector:
    """The sum of the numbers times a scale, with what was lost, and what was lost of that."""
    sum_so_far, lost, lost_of_lost = splat_variable(0.0), splat_variable(0.0), splat_variable(0.0)
    for j in range(count):
        new, small = two_sum(sum_so_far[0], row[j] * scale)
        sum_so_far[0] = new
        new_lost, smaller = two_sum(lost[0], small)
        lost[0] = new_lost
        lost_of_lost[0] = lost_of_lost[0] + smaller
    correction = lost[0] + lost_of_lost[0]
    return choose(correction <= correction, sum_so_far[0] + correction, sum_so_far[0])


@writes
def splat_variable(code: Code, x: Any) -> Any:
    from autograd.compiler.native.terms import Variables

    return Variables(code, [code.splat(x)])


@native
def norm(row: Any, count: int) -> Vector:
    """The square root of the sum of squares, scaled by the largest so that no square leaves the range."""
    largest = splat_variable(0.0)
    finite = splat_variable(0.0)  # nan if one of the numbers is nan or infinite
    for j in range(count):
        size = absolute(row[j])
        largest[0] = choose(size > largest[0], size, largest[0])
        finite[0] = finite[0] + size * 0.0
    scale = choose(largest[0] > 2.0**500, 2.0**-600, choose(largest[0] < 2.0**-400, 2.0**600, 1.0))
    sum_so_far, error = splat_variable(0.0), splat_variable(0.0)
    for j in range(count):
        scaled = row[j] * scale
        square = scaled * scaled
        new = sum_so_far[0] + square
        larger = sum_so_far[0] >= square
        error[0] = error[0] + choose(larger, (sum_so_far[0] - new) + square, (square - new) + sum_so_far[0])
        sum_so_far[0] = new
    result = square_root(sum_so_far[0] + error[0]) / scale
    unusual = choose(largest[0] >= float("inf"), largest[0], finite[0])
    return choose(finite[0] >= 0.0, result, unusual)


@native
def remainder(x: Vector, y: Vector) -> Vector:
    """x % y as Python has it: the result has the sign of y."""
    r = fmod(x, y)
    return choose(r == 0.0, copysign(r, y), choose((y < 0.0) == (r < 0.0), r, r + y))


@native
def floor_divide(x: Vector, y: Vector) -> Vector:
    """x // y as Python has it, and x / 0 for a y of 0."""
    r = fmod(x, y)
    quotient = (x - r) / y
    quotient_below = choose((r == 0.0) | ((y < 0.0) == (r < 0.0)), quotient, quotient - 1.0)
    below = floor(quotient_below)
    whole = choose(quotient_below - below > 0.5, below + 1.0, below)
    return choose(y == 0.0, x / y, choose(quotient_below == 0.0, copysign(splat(0.0), x / y), whole))


@writes
def fmod(code: Code, x: Any, y: Any) -> Any:
    """What is left of x after it was divided by y towards 0."""
    return call(code, outside, "fmod", x, y)


NAMED = {
    "exp": exp, "exp2": exp2, "expm1": expm1, "log": log, "log2": log2, "log10": log10, "log1p": log1p, "sin": sin,
    "cos": cos, "tan": tan, "sinh": sinh, "cosh": cosh, "tanh": tanh, "erf": erf, "erfc": erfc,
    "pow": power,
}  # fmt: skip
"""The functions of rules that are computed for whole vectors."""
