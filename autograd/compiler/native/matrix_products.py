"""How does a layer compute? Its dots side by side are a matrix product, a tile at a time.

Rows are slots and columns are examples: X has a row of `lanes` numbers for each of the k inputs of a layer, Y one for
each of its m dots. W has a row of k weights for each dot. `lanes` is 1, or a multiple of eight.

    forward     Y = W X + b                                     `affine`
    backward    dX += W' dY                                     `spread`
                dW += dY X', db += the sums of dY's rows        `collect`

A tile is as large as the processor's registers allow (see `processor.py`); what is left at the edges is done in smaller
ones.
"""

from typing import Any

from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function, writes
from autograd.compiler.native.vectors import (
    Numbers,
    fused,
    load,
    splat,
    store,
    total,
    totals,
    up_to,
    variables,
    width,
)


@writes
def heights_of_tiles(code: Code) -> list[int]:
    """How many rows a tile may have: the most first. Of a layer of 10, the last two take half the time in one tile."""
    return [rows for rows in (8, 4, 2, 1) if rows <= code.processor.rows]


@writes
def widths_of_tiles(code: Code) -> list[int]:
    """How many vectors a tile's rows may have: the most first."""
    return list(range(code.processor.vectors, 0, -1))


@writes
def columns_of_tiles(code: Code) -> int:
    """How many rows of dY a tile of `collect` has, beside as many rows of X as a vector has places."""
    return {8: 3, 4: 3, 2: 4}[code.processor.width]


@native
def affine(y: Numbers, x: Numbers, w: Numbers, b: Numbers, bias_step: int, m: int, k: int, lanes: int) -> None:
    """Y = W X + b, where the numbers of b are `bias_step` apart: 0 for one and the same."""
    if lanes == 1:
        affine_of_one(y, x, w, b, bias_step, m, k)
        return
    for j in range(m):
        bias = splat(b[j * bias_step])
        for i in range(0, lanes, width()):
            store(y, j * lanes + i, bias)
    add_product(y, x, w, m, k, k, 1, lanes)


def write_add_tiles(code: Code) -> None:
    """Writes `add_tiles`, which `add_product` calls."""

    def wrap(*given: Any) -> list[Any]:
        return [*(Pointer(code, x, FLOAT) for x in given[:3]), *map(code.term, given[3:])]

    write_function(code, "add_tiles", add_tiles, [ADDRESS] * 3 + [INT] * 5, wrap)


@writes
def add_product(code: Code, *arguments: Any) -> None:
    """Calls `add_tiles`, which is written down once for both ways: written down twice it took 0.1 s more to compile."""
    known = code.module.globals["add_tiles"]
    code.builder.call(known, [code.as_term(x).value for x in arguments])


@native
def add_tiles(y: Numbers, x: Numbers, w: Numbers, rows: int, terms: int, row_step: int, step: int, lanes: int) -> None:
    """Y += W X, where the numbers of W are `row_step` apart from row to row, and `step` within a row."""
    j = 0
    for height in heights_of_tiles():
        while j + height <= rows:
            i = 0
            for vectors in widths_of_tiles():
                while i + vectors * width() <= lanes:
                    add_tile(
                        y + (j * lanes + i), x + i, w + j * row_step, terms, row_step, step, lanes, height, vectors
                    )
                    i += vectors * width()
            j += height


@native
def add_tile(
    y: Numbers, x: Numbers, w: Numbers, terms: int, row_step: int, step: int, lanes: int, rows: int, vectors: int
) -> None:
    """A tile of Y. It adds one row of X after the other, each times a column of W."""
    tile = variables([load(y, r * lanes + v * width()) for r in up_to(rows) for v in up_to(vectors)])
    inputs, weights = x + 0, w + 0
    for _ in range(terms):
        row = [load(inputs, v * width()) for v in up_to(vectors)]
        for r in up_to(rows):
            weight = splat(weights[r * row_step])
            for v in up_to(vectors):
                tile[r * vectors + v] = fused(weight, row[v], tile[r * vectors + v])
        inputs += lanes
        weights += step
    for r in up_to(rows):
        for v in up_to(vectors):
            store(y, r * lanes + v * width(), tile[r * vectors + v])


@native
def affine_of_one(y: Numbers, x: Numbers, w: Numbers, b: Numbers, bias_step: int, m: int, k: int) -> None:
    """The same for one example, whose inputs lie side by side."""
    whole = k - k % width()
    j = 0
    for rows in [width(), 1]:
        while j + rows <= m:
            sums = variables([splat(0.0) for r in up_to(rows)])
            for p in range(0, whole, width()):
                inputs = load(x, p)
                for r in up_to(rows):
                    sums[r] = fused(load(w, (j + r) * k + p), inputs, sums[r])
            if rows > 1:
                store(y, j, totals([sums[r] for r in up_to(rows)]))
            else:
                y[j] = total(sums[0])
            for r in up_to(rows):
                number = y[j + r] + b[(j + r) * bias_step]
                for p in range(whole, k):
                    number += w[(j + r) * k + p] * x[p]
                y[j + r] = number
            j += rows


@native
def spread(dy: Numbers, dx: Numbers, w: Numbers, m: int, k: int, lanes: int) -> None:
    """dX += W' dY."""
    if lanes == 1:
        spread_of_one(dy, dx, w, m, k)
        return
    add_product(dx, dy, w, k, m, 1, k, lanes)


@native
def spread_of_one(dy: Numbers, dx: Numbers, w: Numbers, m: int, k: int) -> None:
    """The same for one example."""
    p = 0
    for vectors in [4, 1]:
        while p + vectors * width() <= k:
            row = variables([load(dx, p + v * width()) for v in up_to(vectors)])
            for j in range(m):
                upstream = splat(dy[j])
                for v in up_to(vectors):
                    row[v] = fused(upstream, load(w, j * k + p + v * width()), row[v])
            for v in up_to(vectors):
                store(dx, p + v * width(), row[v])
            p += vectors * width()
    for q in range(p, k):
        for j in range(m):
            dx[q] += dy[j] * w[j * k + q]


@native
def collect(dy: Numbers, dw: Numbers, x: Numbers, m: int, k: int, lanes: int, first: int) -> None:
    """dW += dY X'; the first time dW = dY X'."""
    if lanes == 1:
        collect_of_one(dy, dw, x, m, k, first)
        return
    j = 0
    for rows in [columns_of_tiles(), 1]:
        while j + rows <= m:
            p = 0
            for columns in [width(), 1]:
                while p + columns <= k:
                    collect_tile(dy + j * lanes, dw + (j * k + p), x + p * lanes, k, lanes, first, rows, columns)
                    p += columns
            j += rows


@native
def collect_tile(dy: Numbers, dw: Numbers, x: Numbers, k: int, lanes: int, first: int, rows: int, columns: int) -> None:
    """A tile of dW."""
    tile = variables([splat(0.0) for r in up_to(rows) for c in up_to(columns)])
    for i in range(0, lanes, width()):
        upstream = [load(dy, r * lanes + i) for r in up_to(rows)]
        for c in up_to(columns):
            inputs = load(x, c * lanes + i)
            for r in up_to(rows):
                tile[r * columns + c] = fused(upstream[r], inputs, tile[r * columns + c])
    for r in up_to(rows):
        if columns > 1:
            found = totals([tile[r * columns + c] for c in up_to(columns)])
            if first:
                store(dw, r * k, found)
            else:
                store(dw, r * k, load(dw, r * k) + found)
        else:
            dw[r * k] = total(tile[r]) + (0.0 if first else dw[r * k])


@native
def collect_of_one(dy: Numbers, dw: Numbers, x: Numbers, m: int, k: int, first: int) -> None:
    """The same for one example, whose inputs lie side by side."""
    whole = k - k % width()
    for j in range(m):
        upstream, row = splat(dy[j]), dw + j * k
        if first:
            for p in range(0, whole, width()):
                store(row, p, upstream * load(x, p))
        else:
            for p in range(0, whole, width()):
                store(row, p, fused(upstream, load(x, p), load(row, p)))
        for p in range(whole, k):
            row[p] = dy[j] * x[p] + (0.0 if first else row[p])


@native
def collect_bias(dy: Numbers, db: Numbers, m: int, lanes: int, first: int) -> None:
    """db += the sums of dY's rows; the first time db = the sums."""
    for j in range(m):
        number = dy[j]
        if lanes > 1:
            row = splat(0.0)
            for i in range(0, lanes, width()):
                row = row + load(dy, j * lanes + i)
            number = total(row)
        db[j] = number + (0.0 if first else db[j])


@native
def go_back(
    dy: Numbers, dx: Numbers, dw: Numbers, x: Numbers, w: Numbers, m: int, k: int, lanes: int, x_wanted: int,
    careful: int, first: int,
) -> bool:  # fmt: skip
    """dX and dW; returns whether a nan may be among them, where that can be told without looking at all of dW."""
    doubt = False
    if careful:
        for p in range(m * k if first else 0):
            dw[p] = 0.0
        go_back_carefully(dy, dx, dw, x, w, m, k, lanes, x_wanted)
    else:
        collect(dy, dw, x, m, k, lanes, first)
        if x_wanted:
            spread(dy, dx, w, m, k, lanes)
        if lanes == 1:
            # Whether a number that went into dW = dY X' is not finite, or dX is nan.
            number = zero_if_finite(dy, m) + zero_if_finite(x, k)
            if x_wanted:
                number += zero_if_finite(dx, k)
            doubt = number != 0.0
    return doubt


@native
def zero_if_finite(numbers: Numbers, n: int) -> float:
    """0 if all numbers are finite, otherwise nan."""
    whole = n - n % width()
    products = splat(0.0)
    for i in range(0, whole, width()):
        products = products + load(numbers, i) * 0.0
    result = total(products)
    for i in range(whole, n):
        result += numbers[i] * 0.0
    return result


@native
def go_back_carefully(
    dy: Numbers, dx: Numbers, dw: Numbers, x: Numbers, w: Numbers, m: int, k: int, lanes: int, x_wanted: int
) -> None:
    """What `spread` and `collect` do, where a factor of exactly 0 gives 0 whatever the other one is.

    Only needed where an infinity or nan is about, for which a plain product gives nan.
    """
    for j in range(m):
        for p in range(k):
            weight = w[j * k + p]
            for i in range(lanes):
                upstream, number = dy[j * lanes + i], x[p * lanes + i]
                if upstream != 0.0 and number != 0.0:
                    dw[j * k + p] += upstream * number
                if x_wanted and upstream != 0.0 and weight != 0.0:
                    dx[p * lanes + i] += upstream * weight
