"""What are the elementary functions for eight numbers at once? A namespace for rules that never branch on a number.

Such a rule asks `select` in place of `if`, and compares with `<` and `>` alone; then it computes for eight examples as
for one. Names that are not here are those for single numbers.
"""

import operator
from math import log1p as log1p_of_one
from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import make_attribute_wrapper, models, overload, register_model

from autograd.compiler.native import scalar_functions as elementary
from autograd.compiler.native.vector_types import (
    MASK,
    NUMBERS,
    VECTOR,
    WIDTH,
    choose,
    fused,
    get,
    intrinsic,
    lane,
    load,
    power_of_two,
    put,
    splat,
    store,
    total,
    with_lane,
)


def __getattr__(name: str) -> Any:
    return getattr(elementary, name)


def select(condition, a, b):  # type: ignore[no-untyped-def]
    """a where the condition holds, otherwise b."""


@overload(select)
def _(condition, a, b):  # type: ignore[no-untyped-def]
    if condition is not MASK:
        return lambda condition, a, b: a if condition else b
    if a is VECTOR and b is VECTOR:
        return lambda condition, a, b: choose(condition, a, b)
    if a is VECTOR:
        return lambda condition, a, b: choose(condition, a, splat(float(b)))
    if b is VECTOR:
        return lambda condition, a, b: choose(condition, splat(float(a)), b)
    return lambda condition, a, b: choose(condition, splat(float(a)), splat(float(b)))


# exp(x) = 2**n * exp(r) with n whole and |r| <= log(2) / 2, where the Taylor series ends after r**13. log(2) is split
# in two (Cody and Waite, Software Manual for the Elementary Functions, 1980), so that n times its first part is exact.
_LOG2_HIGH, _LOG2_LOW, _PER_LOG2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.4426950408889634
_ROUND = 1.5 * 2.0**52


@njit(error_model="numpy")
def _exp(x: Any) -> Any:
    clamped = select(x > -746.0, select(x < 710.0, x, 710.0), -746.0)  # nan becomes -746, and is put back below
    n = (clamped * _PER_LOG2 + _ROUND) - _ROUND
    r = fused(n, splat(-_LOG2_LOW), fused(n, splat(-_LOG2_HIGH), clamped))
    series = splat(1.0 / 6227020800.0)
    for inverse in (
        1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
        1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0,
    ):  # fmt: skip
        series = fused(series, r, splat(inverse))
    half = (n * 0.5 + _ROUND) - _ROUND  # in two steps, since 2**n may be out of range where the result is not
    result = series * power_of_two(half) * power_of_two(n - half)
    return select(x <= x, result, x)


def exp(x):  # type: ignore[no-untyped-def]
    """e raised to x, within 1 ulp."""


@overload(exp)
def _(x):  # type: ignore[no-untyped-def]
    return (lambda x: _exp(x)) if x is VECTOR else (lambda x: elementary.exp(x))


def log1p(x):  # type: ignore[no-untyped-def]
    """log(1 + x)."""


@overload(log1p)
def _(x):  # type: ignore[no-untyped-def]
    if x is not VECTOR:
        return lambda x: log1p_of_one(x)

    def of_eight(x):  # type: ignore[no-untyped-def]
        result = x
        for k in range(WIDTH):
            result = with_lane(result, k, log1p_of_one(lane(x, k)))
        return result

    return of_eight


@njit(error_model="numpy")
def sum(numbers: Any) -> Any:
    """The sum, with twice the digits on the way (Knuth's two-sum: The Art of Computer Programming, vol. 2, 4.2.2)."""
    total, error = numbers[0], numbers[0] - numbers[0]
    for i in range(1, len(numbers)):
        x = numbers[i]
        new = total + x
        virtual = new - total
        error = error + ((total - (new - virtual)) + (x - virtual))
        total = new
    return select(error <= error, total + error, total)  # where an infinity is about, the error is nan


# Rows of vectors, in the kernel's scratch memory: its first number tells how much is in use.


class _Row(types.Type):
    def __init__(self) -> None:
        super().__init__("Row")


ROW = _Row()


@register_model(_Row)
class _RowModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("scratch", NUMBERS), ("start", types.int64), ("count", types.int64)])


make_attribute_wrapper(_Row, "scratch", "scratch")
make_attribute_wrapper(_Row, "start", "start")
make_attribute_wrapper(_Row, "count", "count")


@intrinsic
def _row_at(typing_context, scratch, start, count):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = cgutils.create_struct_proxy(ROW)(context, builder)
        made.scratch, made.start, made.count = arguments
        return made._getvalue()

    return ROW(NUMBERS, types.int64, types.int64), generate


@njit(error_model="numpy")
def new_row(scratch: Any, count: int) -> Any:
    """Room for so many vectors in what is left of the scratch memory."""
    start = int(get(scratch, 0))
    put(scratch, 0, float(start + WIDTH * count))
    return _row_at(scratch, start, count)


def row(numbers, count):  # type: ignore[no-untyped-def]
    """Room for so many vectors."""


@overload(row)
def _(numbers, count):  # type: ignore[no-untyped-def]
    if numbers is ROW:
        return lambda numbers, count: new_row(numbers.scratch, count)
    return lambda numbers, count: elementary.row(numbers, count)


@overload(operator.getitem)
def _(row, i):  # type: ignore[no-untyped-def]
    return (lambda row, i: load(row.scratch, row.start + WIDTH * i)) if row is ROW else None


@overload(operator.setitem)
def _(row, i, x):  # type: ignore[no-untyped-def]
    if row is not ROW:
        return None
    return lambda row, i, x: store(row.scratch, row.start + WIDTH * i, x)


@overload(len)
def _(row):  # type: ignore[no-untyped-def]
    return (lambda row: row.count) if row is ROW else None


def as_vector(x):  # type: ignore[no-untyped-def]
    """Eight numbers: those of a vector, or a number eight times."""


@overload(as_vector)
def _(x):  # type: ignore[no-untyped-def]
    return (lambda x: x) if x is VECTOR else (lambda x: splat(float(x)))


@njit(error_model="numpy")
def add_product(A: Any, place: int, lanes: int, given: Any, upstream: Any) -> None:
    """Adds a derivative times what comes from above to the gradient of an operand, in eight lanes or, shared, in one.

    A factor that is exactly 0 gives 0, whatever the other one is.
    """
    derivative = as_vector(given)
    product = derivative * upstream
    product = select(derivative <= 0.0, select(derivative >= 0.0, 0.0, product), product)
    product = select(upstream <= 0.0, select(upstream >= 0.0, 0.0, product), product)
    if lanes:
        store(A, place, load(A, place) + product)
    else:
        put(A, place, get(A, place) + total(product))
