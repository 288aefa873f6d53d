"""Which functions does native code compute for a whole vector at once? Those that training spends its time in.

Each takes vectors, and gives one: within 4 ulp of the function of `math` of the same name, special points included.
"""

from typing import Any

from autograd.compiler.native.terms import Code
from autograd.compiler.native.translation import native, writes
from autograd.compiler.native.vectors import (
    Vector,
    absolute,
    any_of,
    choose,
    fused,
    power_of_two,
    splat,
    square_root,
)

# exp(x) = 2**n * exp(r) with n whole and |r| <= log(2) / 2, where the Taylor series ends after r**13. log(2) is split
# in two (Cody and Waite, Software Manual for the Elementary Functions, 1980), so that n times its first part is exact.
LOG2_HIGH, LOG2_LOW, PER_LOG2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.4426950408889634
ROUND = 1.5 * 2.0**52
INVERSE_FACTORIALS = (
    1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
    1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0,
)  # fmt: skip


@writes
def polynomial(code: Code, x: Vector, coefficients: Any) -> Vector:
    """The polynomial with these coefficients, highest power first, by Horner's rule."""
    result = code.splat(coefficients[0])
    for coefficient in coefficients[1:]:
        result = fused.writes(code, result, x, code.splat(coefficient))  # type: ignore[attr-defined]
    return result


@native
def exp(x: Vector) -> Vector:
    """e raised to x, within 1 ulp."""
    clamped = choose(x > -746.0, choose(x < 710.0, x, 710.0), -746.0)  # nan becomes -746, and is put back below
    n = (clamped * PER_LOG2 + ROUND) - ROUND
    r = fused(n, splat(-LOG2_LOW), fused(n, splat(-LOG2_HIGH), clamped))
    series = polynomial(r, (1.0 / 6227020800.0, *INVERSE_FACTORIALS))
    half = (n * 0.5 + ROUND) - ROUND  # in two steps, since 2**n may be out of range where the result is not
    result = series * power_of_two(half) * power_of_two(n - half)
    return choose(x <= x, result, x)


@native
def compensated_sum(row: Any, count: int, scale: float) -> Vector:
    """The sum of the numbers times a scale, with twice the digits on the way, and its error's error kept once more.

    Knuth's two-sum: The Art of Computer Programming, vol. 2, 4.2.2.
    """
    sum_so_far, error, rest = variables_of_sum()
    for j in range(count):
        x = row[j] * scale
        new = sum_so_far[0] + x
        virtual = new - sum_so_far[0]
        small = (sum_so_far[0] - (new - virtual)) + (x - virtual)
        sum_so_far[0] = new
        new_error = error[0] + small
        virtual_error = new_error - error[0]
        rest[0] = rest[0] + ((error[0] - (new_error - virtual_error)) + (small - virtual_error))
        error[0] = new_error
    correction = error[0] + rest[0]
    return choose(correction <= correction, sum_so_far[0] + correction, sum_so_far[0])


@writes
def variables_of_sum(code: Code) -> Any:
    from autograd.compiler.native.terms import Variables

    return tuple(Variables(code, [code.splat(0.0)]) for _ in range(3))


@native
def accurate_sum(row: Any, count: int) -> Vector:
    """The sum, with twice the digits on the way: the eager engine rounds once (`math.fsum`)."""
    result = splat_variable(compensated_sum(row, count, 1.0))
    if any_of(~(absolute(result[0]) < float("inf"))):
        # A sum on the way may have left the range where the whole does not: the numbers are made smaller.
        smaller = compensated_sum(row, count, 2.0**-64) * 2.0**64
        result[0] = choose(absolute(result[0]) < float("inf"), result[0], smaller)
    return result[0]


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
    return code.each_lane(lambda a, b: code.call_outside("fmod", a, b), x, y)


@writes
def copysign(code: Code, x: Any, y: Any) -> Any:
    """x with the sign of y."""
    return code.intrinsic("llvm.copysign", x, y)


@writes
def floor(code: Code, x: Any) -> Any:
    """The largest whole number up to x."""
    return code.intrinsic("llvm.floor", x)


NAMED = {"exp": exp}
"""The functions of rules that are computed for whole vectors."""
