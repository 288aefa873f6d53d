"""How does a layer compute? Its dots side by side are a matrix product, written out for eight examples at once.

Rows are slots and columns are examples: X has a row of `lanes` numbers for each of the k inputs of a layer, Y one for
each of its m dots. W has a row of k weights for each dot. `lanes` is 1, or a multiple of eight.

    forward     Y = W X + b                                     `affine`
    backward    dX += W' dY                                     `spread`
                dW += dY X', db += the sums of dY's rows        `collect`

With a tile of eight rows and sixteen examples in registers this reaches 90 to 120 GFLOP/s on a core where OpenBLAS
reaches 12 to 55 (16 x 64 to 1024 x 1024 weights, blocks of 8 to 256 examples; for one example 22 to 64 against 2 to
22), and a loop that numba vectorises by itself 15. So BLAS is not called at all.
"""

from typing import Any

from numba import njit

from autograd.compiler.native.vector_types import (
    filled,
    fused,
    get,
    load,
    load_tile,
    plus,
    plus_products,
    plus_scaled,
    put,
    splat,
    splat_tile,
    store,
    store_tile,
    sums,
    total,
)


@njit(error_model="numpy")
def affine(M: Any, y: int, x: int, w: int, b: int, bias_step: int, m: int, k: int, lanes: int) -> None:
    """Y = W X + b, where the numbers of b are `bias_step` apart: 0 for one and the same."""
    if lanes == 1:
        _affine_of_one(M, y, x, w, b, bias_step, m, k)
        return
    for first in range(0, m if m >= 8 else 0, 8):
        j = min(first, m - 8)  # the last eight rows may be there already in part
        bias, rows, outputs = b + j * bias_step, w + j * k, y + j * lanes
        i = 0
        while i + 16 <= lanes:
            left = right = splat_tile(M, bias, bias_step)
            weight, inputs = rows, x + i
            for _ in range(k):
                left = plus_scaled(left, M, weight, k, load(M, inputs))
                right = plus_scaled(right, M, weight, k, load(M, inputs + 8))
                weight += 1
                inputs += lanes
            store_tile(M, outputs + i, lanes, left)
            store_tile(M, outputs + i + 8, lanes, right)
            i += 16
        if i < lanes:
            left = splat_tile(M, bias, bias_step)
            weight, inputs = rows, x + i
            for _ in range(k):
                left = plus_scaled(left, M, weight, k, load(M, inputs))
                weight += 1
                inputs += lanes
            store_tile(M, outputs + i, lanes, left)
    for j in range(m if m < 8 else 0):
        for i in range(0, lanes, 8):
            row = splat(get(M, b + j * bias_step))
            for p in range(k):
                row = fused(splat(get(M, w + j * k + p)), load(M, x + p * lanes + i), row)
            store(M, y + j * lanes + i, row)


@njit(error_model="numpy")
def _affine_of_one(M: Any, y: int, x: int, w: int, b: int, bias_step: int, m: int, k: int) -> None:
    """The same for one example, whose inputs lie side by side."""
    whole = k - k % 8
    for first in range(0, m if m >= 8 else 0, 8):
        j = min(first, m - 8)
        rows = filled(0.0)
        for p in range(0, whole, 8):
            rows = plus_products(rows, M, w + j * k + p, k, load(M, x + p))
        store(M, y + j, sums(rows))
        for c in range(j, j + 8):
            put(M, y + c, get(M, y + c) + get(M, b + c * bias_step))
            for p in range(whole, k):
                put(M, y + c, get(M, y + c) + get(M, w + c * k + p) * get(M, x + p))
    for j in range(m if m < 8 else 0):
        row = splat(0.0)
        for p in range(0, whole, 8):
            row = fused(load(M, w + j * k + p), load(M, x + p), row)
        number = total(row) + get(M, b + j * bias_step)
        for p in range(whole, k):
            number += get(M, w + j * k + p) * get(M, x + p)
        put(M, y + j, number)


@njit(error_model="numpy")
def spread(M: Any, A: Any, dy: int, dx: int, w: int, m: int, k: int, lanes: int) -> None:
    """dX += W' dY."""
    if lanes == 1:
        for p in range(0, k - 7, 8):
            row = load(A, dx + p)
            for j in range(m):
                row = fused(splat(get(A, dy + j)), load(M, w + j * k + p), row)
            store(A, dx + p, row)
        for p in range(k - k % 8, k):
            for j in range(m):
                put(A, dx + p, get(A, dx + p) + get(A, dy + j) * get(M, w + j * k + p))
        return
    for p in range(0, k - 7, 8):
        i = 0
        while i + 16 <= lanes:
            place = dx + p * lanes + i
            left, right = load_tile(A, place, lanes), load_tile(A, place + 8, lanes)
            weight, upstream = w + p, dy + i
            for _ in range(m):
                left = plus_scaled(left, M, weight, 1, load(A, upstream))
                right = plus_scaled(right, M, weight, 1, load(A, upstream + 8))
                weight += k
                upstream += lanes
            store_tile(A, place, lanes, left)
            store_tile(A, place + 8, lanes, right)
            i += 16
        if i < lanes:
            left = load_tile(A, dx + p * lanes + i, lanes)
            for j in range(m):
                left = plus_scaled(left, M, w + j * k + p, 1, load(A, dy + j * lanes + i))
            store_tile(A, dx + p * lanes + i, lanes, left)
    for p in range(k - k % 8, k):
        for i in range(0, lanes, 8):
            row = load(A, dx + p * lanes + i)
            for j in range(m):
                row = fused(splat(get(M, w + j * k + p)), load(A, dy + j * lanes + i), row)
            store(A, dx + p * lanes + i, row)


@njit(error_model="numpy")
def collect(M: Any, A: Any, dy: int, x: int, dw: int, m: int, k: int, lanes: int, first: int) -> None:
    """dW += dY X'; the first time dW = dY X'."""
    if lanes == 1:
        _collect_of_one(M, A, dy, x, dw, m, k, first)
        return
    for j in range(0, m, 2):
        for p in range(0, k - 7, 8):
            other = min(j + 1, m - 1)
            one, two = filled(0.0), filled(0.0)
            for i in range(0, lanes, 8):
                one = plus_products(one, M, x + p * lanes + i, lanes, load(A, dy + j * lanes + i))
                two = plus_products(two, M, x + p * lanes + i, lanes, load(A, dy + other * lanes + i))
            row = dw + j * k + p
            store(A, row, sums(one) if first else plus(load(A, row), sums(one)))
            if other > j:
                store(A, row + k, sums(two) if first else plus(load(A, row + k), sums(two)))
    for j in range(m):
        for p in range(k - k % 8, k):
            row = splat(0.0)
            for i in range(0, lanes, 8):
                row = fused(load(A, dy + j * lanes + i), load(M, x + p * lanes + i), row)
            before = 0.0 if first else get(A, dw + j * k + p)
            put(A, dw + j * k + p, before + total(row))


@njit(error_model="numpy")
def _collect_of_one(M: Any, A: Any, dy: int, x: int, dw: int, m: int, k: int, first: int) -> None:
    """The same for one example, whose inputs lie side by side."""
    zero = splat(0.0)
    for j in range(m):
        upstream, row = splat(get(A, dy + j)), dw + j * k
        if first:
            for p in range(0, k - 7, 8):
                store(A, row + p, fused(upstream, load(M, x + p), zero))
        else:
            for p in range(0, k - 7, 8):
                store(A, row + p, fused(upstream, load(M, x + p), load(A, row + p)))
        for p in range(k - k % 8, k):
            before = 0.0 if first else get(A, row + p)
            put(A, row + p, before + get(A, dy + j) * get(M, x + p))


@njit(error_model="numpy")
def collect_bias(A: Any, dy: int, db: int, m: int, lanes: int, first: int) -> None:
    """db += the sums of dY's rows; the first time db = the sums."""
    for j in range(m):
        if lanes == 1:
            number = get(A, dy + j)
        else:
            row = splat(0.0)
            for i in range(0, lanes, 8):
                row = plus(row, load(A, dy + j * lanes + i))
            number = total(row)
        put(A, db + j, number if first else get(A, db + j) + number)


@njit(error_model="numpy")
def go_back(
    M: Any, A: Any, y: int, x: int, w: int, m: int, k: int, lanes: int, x_wanted: int, careful: int, first: int
) -> int:
    """dX and dW; returns whether a nan may be among them, where that can be told without looking at all of dW."""
    if careful:
        for p in range(w, w + m * k if first else w):
            put(A, p, 0.0)
        _go_back_carefully(M, A, y, x, w, m, k, lanes, x_wanted)
        return 0
    collect(M, A, y, x, w, m, k, lanes, first)
    if x_wanted:
        spread(M, A, y, x, w, m, k, lanes)
    return _is_doubtful(M, A, y, x, m, k, x_wanted) if lanes == 1 else 0


@njit(error_model="numpy")
def _is_doubtful(M: Any, A: Any, y: int, x: int, m: int, k: int, x_wanted: int) -> Any:
    """Whether a number that went into dW = dY X' is not finite, or dX is nan; for one example."""
    doubt = _zero_if_finite(A, y, m) + _zero_if_finite(M, x, k)
    if x_wanted:
        doubt += _zero_if_finite(A, x, k)
    return doubt != 0.0


@njit(error_model="numpy")
def _zero_if_finite(numbers: Any, start: int, n: int) -> Any:
    """0 if all numbers are finite, otherwise nan."""
    zero = splat(0.0)
    products = zero
    for i in range(0, n - 7, 8):
        products = fused(load(numbers, start + i), zero, products)
    result = total(products)
    for i in range(n - n % 8, n):
        result += get(numbers, start + i) * 0.0
    return result


@njit(error_model="numpy")
def _go_back_carefully(M: Any, A: Any, dy: int, x: int, w: int, m: int, k: int, lanes: int, x_wanted: int) -> None:
    """What `spread` and `collect` do, where a factor of exactly 0 gives 0 whatever the other one is.

    Only needed where an infinity or nan is about, for which a plain product gives nan.
    """
    for j in range(m):
        for p in range(k):
            weight = get(M, w + j * k + p)
            for i in range(lanes):
                upstream, number = get(A, dy + j * lanes + i), get(M, x + p * lanes + i)
                if upstream != 0.0 and number != 0.0:
                    put(A, w + j * k + p, get(A, w + j * k + p) + upstream * number)
                if x_wanted and upstream != 0.0 and weight != 0.0:
                    put(A, x + p * lanes + i, get(A, x + p * lanes + i) + upstream * weight)
