"""How does a layer compute? Its dots side by side are a matrix product, a tile at a time.

Rows are slots and columns are examples: X has a row of `lanes` numbers for each of the k inputs of a layer, Y one for
each of its m dots. W has a row of k weights for each dot. `lanes` is 1, or a multiple of eight.

    forward     Y = W X + b                                     `affine`
    backward    dX += W' dY                                     `spread`
                dW += dY X', db += the sums of dY's rows        `collect`

At several positions the same weights meet other inputs, which lie a fixed number of rows further each time; the dots of
one position lie behind those of the one before. One example has its numbers side by side, so that there the positions
take the place of rows in products of their own: (positions x k) by (k x m). The layers of a GPT of 7 positions take a
third of the time that they took one by one. Of many examples each position is a product by itself, but for dW, where
all are added up before a tile is stored.

A tile is as large as the processor's registers allow (see `processor.py`); what is left at the edges is done in smaller
ones.
"""

from typing import Any

from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function, writes
from autograd.compiler.native.vectors import (
    Numbers,
    clear,
    copy,
    fused,
    load,
    splat,
    store,
    store_some,
    total,
    totals,
    transposed,
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
    add_product(y, x, w, m, k, k, 1, lanes, lanes, lanes)


@native
def affine_of_positions(
    y: Numbers, x: Numbers, w: Numbers, b: Numbers, bias_step: int, m: int, k: int, lanes: int, positions: int,
    step: int, S: Numbers,
) -> None:  # fmt: skip
    """The same at several positions, whose inputs are `step` numbers apart. S has room for W'."""
    if (lanes > 1) | (positions < FEW):
        for p in range(positions):
            affine(y + p * m * lanes, x + p * step, w, b, bias_step, m, k, lanes)
        return
    for p in range(positions):
        if bias_step:
            copy(y + p * m, b, m)
        else:
            clear(y + p * m, m)
    padded = m + width() - 1 - (m + width() - 1) % width()
    transpose(S, w, m, k, padded)
    add_product(y, S, x, positions, k, step, 1, m, m, padded)


FEW = 4
"""With fewer positions it takes longer to transpose the weights than they save."""


@native
def transpose(target: Numbers, w: Numbers, m: int, k: int, padded: int) -> None:
    """W' in rows of `padded` numbers. What lies behind its edges is anything."""
    for j in range(0, m, width()):
        for p in range(0, k, width()):
            columns = transposed([load(w, min(j + r, m - 1) * k + p) for r in up_to(width())])
            for c in up_to(width()):
                store(target, (p + c) * padded + j, columns[c])


def write_add_tiles(code: Code) -> None:
    """Writes `add_tiles`, which `add_product` calls."""

    def wrap(*given: Any) -> list[Any]:
        return [*(Pointer(code, x, FLOAT) for x in given[:3]), *map(code.term, given[3:])]

    write_function(code, "add_tiles", add_tiles, [ADDRESS] * 3 + [INT] * 7, wrap)


@writes
def add_product(code: Code, *arguments: Any) -> None:
    """Calls `add_tiles`, which is written down once for both ways: written down twice it took 0.1 s more to compile."""
    known = code.module.globals["add_tiles"]
    code.builder.call(known, [code.as_term(x).value for x in arguments])


@native
def add_tiles(
    y: Numbers, x: Numbers, w: Numbers, rows: int, terms: int, row_step: int, step: int, columns: int, y_step: int,
    x_step: int,
) -> None:  # fmt: skip
    """Y += W X, where the numbers of W are `row_step` apart from row to row, and `step` within a row.

    The rows of Y and of X are y_step and x_step apart. The last vector of a row may reach behind its end, where
    nothing changes.
    """
    j = 0
    for height in heights_of_tiles():
        while j + height <= rows:
            i = 0
            for vectors in widths_of_tiles():
                while i + vectors * width() <= columns + (vectors == 1) * (width() - 1):
                    steps = row_step, step, y_step, x_step
                    add_tile(y + (j * y_step + i), x + i, w + j * row_step, terms, steps, columns - i, height, vectors)
                    i += vectors * width()
            j += height


@native
def add_tile(y: Numbers, x: Numbers, w: Numbers, terms: int, steps: Any, left: int, rows: int, vectors: int) -> None:
    """A tile of Y, with `left` columns up to the end. It adds one row of X after the other, times a column of W."""
    row_step, step, y_step, x_step = steps
    tile = variables([load(y, r * y_step + v * width()) for r in up_to(rows) for v in up_to(vectors)])
    inputs, weights = x + 0, w + 0
    for _ in range(terms):
        row = [load(inputs, v * width()) for v in up_to(vectors)]
        for r in up_to(rows):
            weight = splat(weights[r * row_step])
            for v in up_to(vectors):
                tile[r * vectors + v] = fused(weight, row[v], tile[r * vectors + v])
        inputs += x_step
        weights += step
    for r in up_to(rows):
        if vectors == 1:
            store_some(y, r * y_step, tile[r], left)
        else:
            for v in up_to(vectors):
                store(y, r * y_step + v * width(), tile[r * vectors + v])


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
    add_product(dx, dy, w, k, m, 1, k, lanes, lanes, lanes)


@native
def spread_at_positions(
    dy: Numbers, dx: Numbers, w: Numbers, m: int, k: int, lanes: int, positions: int, step: int
) -> None:
    """The same at several positions. Where they read some of the same inputs, one waits for the other."""
    if (lanes == 1) & (positions >= FEW) & ((step >= k) | (step <= -k)):
        add_product(dx, w, dy, positions, m, m, 1, k, step, k)
    else:
        for p in range(positions):
            spread(dy + p * m * lanes, dx + p * step, w, m, k, lanes)


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
def collect(
    dy: Numbers, dw: Numbers, x: Numbers, m: int, k: int, lanes: int, positions: int, step: int, first: int
) -> None:
    """dW += dY X'; the first time dW = dY X'. That of all positions is added up."""
    if (lanes == 1) & (positions == 1):
        collect_of_one(dy, dw, x, m, k, first)
        return
    if lanes == 1:
        if first:
            clear(dw, m * k)
        add_product(dw, x, dy, m, positions, 1, m, k, k, step)
        return
    j = 0
    for rows in [columns_of_tiles(), 1]:
        while j + rows <= m:
            p = 0
            for columns in [width(), 1]:
                while p + columns <= k:
                    steps = m * lanes, step
                    to = dw + (j * k + p)
                    collect_tile(dy + j * lanes, to, x + p * lanes, k, lanes, positions, steps, first, rows, columns)
                    p += columns
            j += rows


@native
def collect_tile(
    dy: Numbers, dw: Numbers, x: Numbers, k: int, lanes: int, positions: int, steps: Any, first: int, rows: int,
    columns: int,
) -> None:  # fmt: skip
    """A tile of dW. From one position to the next, dY and X go on by steps."""
    tile = variables([splat(0.0) for r in up_to(rows) for c in up_to(columns)])
    for p in range(positions):
        for i in range(0, lanes, width()):
            upstream = [load(dy, p * steps[0] + r * lanes + i) for r in up_to(rows)]
            for c in up_to(columns):
                inputs = load(x, p * steps[1] + c * lanes + i)
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
def collect_bias(dy: Numbers, db: Numbers, m: int, lanes: int, positions: int, first: int) -> None:
    """db += the sums of dY's rows; the first time db = the sums."""
    for j in range(m):
        number = 0.0
        row = splat(0.0)
        for p in range(positions):
            upstream = dy + (p * m + j) * lanes
            if lanes == 1:
                number += upstream[0]
            else:
                for i in range(0, lanes, width()):
                    row = row + load(upstream, i)
        if lanes > 1:
            number = total(row)
        db[j] = number + (0.0 if first else db[j])


@native
def go_back(
    dy: Numbers, dx: Numbers, dw: Numbers, x: Numbers, w: Numbers, m: int, k: int, lanes: int, positions: int,
    step: int, x_wanted: int, careful: int, first: int,
) -> bool:  # fmt: skip
    """dX and dW; returns whether a nan may be among them, where that can be told without looking at all of dW."""
    doubt = False
    if careful:
        if first:
            clear(dw, m * k)
        for p in range(positions):
            go_back_carefully(dy + p * m * lanes, dx + p * step, dw, x + p * step, w, m, k, lanes, x_wanted)
    else:
        collect(dy, dw, x, m, k, lanes, positions, step, first)
        if x_wanted:
            spread_at_positions(dy, dx, w, m, k, lanes, positions, step)
        if lanes == 1:
            # Whether a number that went into dW = dY X' is not finite, or dX is nan.
            number = zero_if_finite(dy, positions * m)
            for p in range(positions):
                number += zero_if_finite(x + p * step, k)
                if x_wanted:
                    number += zero_if_finite(dx + p * step, k)
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
