"""How does one operation run over many examples at once? Two loops of native code: its value, and its chain rule.

A kernel runs a group of instructions of one operation, each over all lanes (the examples of a block, side by side), a
vector at a time. An instruction is a list of whole numbers, its words. Where a number lies takes two of them, base and
row: in `M`, its lanes begin at base + row * lanes; what all lanes share has row 0. A third says of what kind it is.

A kernel takes `M` and `A`, the numbers and their gradients; `S`, scratch memory; `words` and `status`; and four whole
numbers: where the words begin, how many instructions there are, how many lanes, and `way`. `way` concerns whole layers:
1 asks for the rule that a factor of exactly 0 gives 0 whatever the other one is, which all other kernels keep anyway;
2 says that it is the first block of a batch. `status` is for an index that is out of range (the word of its
instruction, and 1), and for a layer's doubt that a nan came out.
"""

from collections.abc import Callable
from typing import Any

from autograd.compiler.native.elementary import Elementary, Row
from autograd.compiler.native.matrix_products import affine_of_positions, collect_bias, go_back, write_add_tiles
from autograd.compiler.native.tables import LANES, REPEATED, SPACED, WANTED
from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function, writes
from autograd.compiler.native.vectors import (
    Numbers,
    Vector,
    Words,
    any_of,
    choose,
    first_of,
    first_places,
    floor,
    fused,
    load,
    splat,
    store,
    store_some,
    total,
    width,
)
from autograd.compiler.sides import with_shared_calls
from autograd.operations import Operation
from autograd.rules import WITH_INDEX
from autograd.symbols import Expression, Formula, evaluate, formula

Loops = tuple[Any, Any]
"""The native functions of an operation's value, and of its chain rule."""


def write_kernels(code: Code, operation: Operation, count: int) -> None:
    """Writes the two loops of an operation; of a user's own for any number of operands, those for this number."""
    write_loops(code, loops_of(operation, count))


def write_layers(code: Code) -> None:
    """Writes the two loops of whole layers."""
    write_add_tiles(code)
    write_loops(code, (layer_forward, layer_backward))


def write_spaced_dots(code: Code) -> None:
    """Writes the two loops of dots of evenly spaced numbers."""
    write_loops(code, (spaced_dot_forward, spaced_dot_backward))


def write_loops(code: Code, loops: Loops) -> None:
    """Writes a pair of kernels, under the names `forward` and `backward`."""
    kinds = [FLOAT] * 3 + [INT] * 2

    def wrap(*arguments: Any) -> list[Any]:
        addresses = [Pointer(code, x, kind) for x, kind in zip(arguments, kinds, strict=False)]
        return [*addresses, *map(code.term, arguments[len(kinds) :])]

    for name, loop in zip(("forward", "backward"), loops, strict=True):
        write_function(code, name, loop, [ADDRESS] * len(kinds) + [INT] * 4, wrap)


def loops_of(operation: Operation, count: int) -> Loops:
    """The loops of an operation: from its formula, or from its rule over rows of any length."""
    built_in = operation.name if operation.function is None else ""
    if built_in in BY_HAND:
        return BY_HAND[built_in]
    if not operation.nary:
        found = formula(operation)
        return _of_few(_Written(found.value), [_Written(x) for x in found.derivatives])
    return _of_rows(operation, built_in in WITH_INDEX) if built_in else _unrolled(formula(operation, count))


class _Written:
    """An expression, written down for numbers or for vectors."""

    def __init__(self, expression: Expression) -> None:
        (self._expression,) = with_shared_calls([expression])

    def writes(self, code: Code, out: Any, operands: list[Any]) -> Any:
        """The number or vector that it stands for."""
        (result,) = evaluate([self._expression], operands, out, Elementary(code), float)
        return code.as_type(result, operands[0].type)


@native
def place_of(numbers: Numbers, words: Words, at: int, lanes: int) -> Numbers:
    """Where the numbers of an operand, or of a result, lie: its base and row are the words from `at` on."""
    return numbers + (words[at] + words[at + 1] * lanes)


@native
def strong(derivative: Any, upstream: Any) -> Any:
    """The product; a factor that is exactly 0 gives 0, whatever the other one is."""
    product = derivative * upstream
    return choose((derivative == 0.0) | (upstream == 0.0), 0.0, product)


# One to three operands. Words: the number of rows (neighbouring instructions on neighbouring rows are one), the
# result's place, and for each operand its place and kind. Whole vectors of lanes come first, and what is left one by
# one: a graph of a single example has nothing else. What all rows read, such as the sum of a softmax, is in a single
# example as if all lanes shared it; of many examples the rows then come one by one.


@native
def step_of(words: Words, at: int, lanes: int) -> int:
    """The mask of a step from number to number, of an operand: 0 if there is only one, or else -1."""
    kind = words[at + 2]
    return 0 if (kind & REPEATED) != 0 and lanes == 1 else 0 - (kind & LANES)


@native
def base_of(words: Words, at: int, lanes: int, row: int) -> int:
    """Where the numbers of an operand lie, for one of the rows of an instruction."""
    moves = (words[at + 2] & (LANES | REPEATED)) == LANES
    return words[at] + (words[at + 1] + (row if moves else 0)) * lanes


@native
def vectors_of(M: Numbers, S: Numbers, base: int, step: int) -> Numbers:
    """Where an operand's vectors lie. A number that all lanes share is one in scratch memory."""
    if step:
        return M + base
    store(S, 0, splat(M[base]))
    return S + 0


def _of_few(value: Any, derivatives: list[Any]) -> Loops:
    places = list(range(len(derivatives)))

    @native
    def pieces_of(words: Words, at: int, lanes: int) -> Any:
        """In how many pieces an instruction runs, and how many numbers each has."""
        kinds = 0
        for j in places:
            kinds = kinds | words[at + 5 + 3 * j]
        apart = (kinds & REPEATED) != 0 and lanes > 1
        return words[at] if apart else 1, lanes if apart else words[at] * lanes

    @native
    def forward(
        M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
    ) -> None:
        for at in range(first, first + count * (3 + 3 * len(places)), 3 + 3 * len(places)):
            pieces, n = pieces_of(words, at, lanes)
            whole = n - n % width()
            steps = [step_of(words, at + 3 + 3 * j, lanes) for j in places]
            for row in range(pieces):
                result = place_of(M, words, at + 1, lanes) + row * lanes
                bases = [base_of(words, at + 3 + 3 * j, lanes, row) for j in places]
                if whole:
                    vectors = [vectors_of(M, S + j * width(), bases[j], steps[j]) for j in places]
                    for i in range(0, whole, width()):
                        store(result, i, value(0.0, [load(vectors[j], i & steps[j]) for j in places]))
                for i in range(whole, n):
                    result[i] = value(0.0, [M[bases[j] + (i & steps[j])] for j in places])

    @native
    def backward(
        M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
    ) -> None:
        sums = S + len(places) * width()
        for at in range(first, first + count * (3 + 3 * len(places)), 3 + 3 * len(places)):
            pieces, n = pieces_of(words, at, lanes)
            whole = n - n % width()
            kinds = [words[at + 5 + 3 * j] for j in places]
            steps = [step_of(words, at + 3 + 3 * j, lanes) for j in places]
            for row in range(pieces):
                o = words[at + 1] + (words[at + 2] + row) * lanes
                bases = [base_of(words, at + 3 + 3 * j, lanes, row) for j in places]
                if whole:
                    vectors = [vectors_of(M, S + j * width(), bases[j], steps[j]) for j in places]
                    # What goes to a number that all lanes share is first added up in scratch memory.
                    targets = [A + bases[j] if steps[j] else sums + j * width() for j in places]
                    for j in places:
                        store(sums, j * width(), 0.0)
                    for i in range(0, whole, width()):
                        upstream, out = load(A + o, i), load(M + o, i)
                        xs = [load(vectors[j], i & steps[j]) for j in places]
                        for j in places:
                            if kinds[j] & WANTED:
                                place = targets[j] + (i & steps[j])
                                store(place, 0, load(place, 0) + strong(derivatives[j](out, xs), upstream))
                    for j in places:
                        if (kinds[j] & WANTED) != 0 and steps[j] == 0:
                            A[bases[j]] += total(load(sums, j * width()))
                for i in range(whole, n):
                    numbers = [M[bases[j] + (i & steps[j])] for j in places]
                    for j in places:
                        if kinds[j] & WANTED:
                            A[bases[j] + (i & steps[j])] += strong(derivatives[j](M[o + i], numbers), A[o + i])

    return forward, backward


@native
def splat_to(upstream: Vector, count: int) -> Vector:
    """The vector with 0 behind its first `count` places."""
    return choose(first_places(count), upstream, splat(0.0))


# Any number of operands. Words: how many, whether the result has lanes, its place, and each operand's place and kind.


@writes
def new_namespace(code: Code, S: Any, most: Any) -> Any:
    """The functions of rules, with scratch memory for rows of so many vectors."""
    return Elementary(code, S, most)


@native
def vector_of(M: Numbers, words: Words, at: int, lanes: int, i: int) -> Vector:
    """The numbers of an operand in the lanes from i on.

    Of one lane its number alone is read: a vector would wait for what was just written beside it.
    """
    place = place_of(M, words, at, lanes)
    if words[at + 2] & LANES and lanes > 1:
        return load(place, i)
    return splat(place[0])


@native
def gathered(m: Any, M: Numbers, words: Words, at: int, count: int, lanes: int, i: int) -> Any:
    """The operands' vectors for the lanes from i on, as a row."""
    row = m.row_of(count)
    for j in range(count):
        row.set(j, vector_of(M, words, at + 3 * j, lanes, i))
    return row


@native
def is_no_index(M: Numbers, words: Words, at: int, count: int, lanes: int, n: int) -> bool:
    """Whether the last operand, in one of n lanes, is no whole number that is an index of those before it."""
    p = at + 3 * count - 3
    place = place_of(M, words, p, lanes)
    step = words[p + 2] & LANES
    last = float(count - 1)
    for i in range(n):
        x = place[i * step]
        if not (-last <= x and x < last and x == floor(x)):
            return True
    return False


def _of_rows(operation: Operation, with_index: bool) -> Loops:
    """The loops of an operation for any number of operands, from its rule over a row."""

    @writes
    def value(code: Code, m: Elementary, row: Row) -> Any:
        return code.splat(_rule_of_row(operation, m)[0](row))

    @writes
    def derivatives(code: Code, m: Elementary, out: Any, row: Row) -> Any:
        return _rule_of_row(operation, m)[1](out, row)

    return _of_many(value, derivatives, with_index)


def _unrolled(found: Formula) -> Loops:
    """The loops of an operation for a number of operands that is known, from its formula."""
    places = range(len(found.operands))

    @writes
    def value(code: Code, m: Elementary, row: Row) -> Any:
        return code.splat(evaluate([found.value], [row[j] for j in places], 0.0, m, float)[0])

    @writes
    def derivatives(code: Code, m: Elementary, out: Any, row: Row) -> Any:
        result = m.row_of(row.count)
        for j, x in enumerate(evaluate(found.derivatives, [row[j] for j in places], out, m, float)):
            result.set(j, x)
        return result

    return _of_many(value, derivatives, with_index=False)


def _of_many(value: Any, derivatives: Any, with_index: bool) -> Loops:
    @native
    def forward(
        M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
    ) -> None:
        at = first
        for _ in range(count):
            k, operands = words[at], at + 4
            n = lanes if words[at + 1] else 1
            result = place_of(M, words, at + 2, lanes)
            if with_index and is_no_index(M, words, operands, k, lanes, n):
                status[0] = at + 1
                return
            for i in range(0, n, width()):
                m = new_namespace(S, k)
                store_some(result, i, value(m, gathered(m, M, words, operands, k, lanes, i)), n - i)
            at += 4 + 3 * k

    @native
    def backward(
        M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
    ) -> None:
        at = first
        for _ in range(count):
            k, operands = words[at], at + 4
            n = lanes if words[at + 1] else 1
            o = words[at + 2] + words[at + 3] * lanes
            for i in range(0, n, width()):
                upstream = splat_to(load(A + o, i), n - i)
                if any_of(upstream != 0.0):
                    m = new_namespace(S, k)
                    row = gathered(m, M, words, operands, k, lanes, i)
                    found = derivatives(m, load(M + o, i), row)
                    for j in range(k - with_index):
                        add_to_gradient(A, words, operands + 3 * j, lanes, i, strong(found[j], upstream))
            at += 4 + 3 * k

    return forward, backward


def _rule_of_row(operation: Operation, m: Elementary) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The value and the derivatives of an operation, as functions of a row."""
    assert operation.over is not None
    found = operation.over(m).of_row
    assert found is not None
    return found


@native
def add_to_gradient(A: Numbers, words: Words, at: int, lanes: int, i: int, product: Vector) -> None:
    """Adds to the gradient of an operand, in the lanes from i on or, shared, in one place.

    Of one lane one number is added: vectors side by side overlap, and each would wait for the one before. The ways back
    of `logsumexp` and `max` of 27 and 16 numbers took half as much longer, that of `sum` three times as long.
    """
    kind = words[at + 2]
    if kind & WANTED:
        place = place_of(A, words, at, lanes)
        if lanes == 1:
            place[0] += first_of(product)
        else:
            add_at(place, kind, i, product)


@native
def add_at(place: Numbers, kind: int, i: int, product: Vector) -> None:
    """Adds to a gradient: in its lanes from i on or, shared, in one place."""
    if kind & LANES:
        store(place, i, load(place, i) + product)
    else:
        place[0] += total(product)


# A dot is written out operand by operand, so that the inner loop runs along the lanes. Its operands are m weights, m
# inputs and, if their number is odd, the bias.


@native
def dot_forward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        k = words[at]
        n = lanes if words[at + 1] else 1
        result = place_of(M, words, at + 2, lanes)
        half = k // 2
        for i in range(0, n, width()):
            so_far = splat(0.0)
            if k % 2:
                so_far = vector_of(M, words, at + 4 + 6 * half, lanes, i)
            for j in range(half):
                weight = vector_of(M, words, at + 4 + 3 * j, lanes, i)
                so_far = so_far + weight * vector_of(M, words, at + 4 + 3 * (half + j), lanes, i)
            store_some(result, i, so_far, n - i)
        at += 4 + 3 * k


@native
def dot_backward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        k = words[at]
        n = lanes if words[at + 1] else 1
        o = words[at + 2] + words[at + 3] * lanes
        half = k // 2
        for i in range(0, n, width()):
            upstream = splat_to(load(A + o, i), n - i)
            if k % 2:
                add_to_gradient(A, words, at + 4 + 6 * half, lanes, i, upstream)
            for j in range(half):
                w, x = at + 4 + 3 * j, at + 4 + 3 * (half + j)
                if words[w + 2] & WANTED:
                    add_to_gradient(A, words, w, lanes, i, strong(vector_of(M, words, x, lanes, i), upstream))
                if words[x + 2] & WANTED:
                    add_to_gradient(A, words, x, lanes, i, strong(vector_of(M, words, w, lanes, i), upstream))
        at += 4 + 3 * k


# Dots of evenly spaced numbers: products of queries and keys, weighted sums of values, sums of squares. Neighbouring
# ones are one instruction if what they read goes on evenly. Words: how many dots, of how many products; the place of
# the results; for the weights, and then for the inputs: their place, the distance between those of one dot, that from
# dot to dot, and their kind. The dots of a GPT of 64 positions took 20 times as long with words for each
# operand, which were more than the numbers.


@native
def spaced(numbers: Numbers, words: Words, at: int, lanes: int) -> Any:
    """Where evenly spaced operands begin, their distance within a dot and that from dot to dot."""
    unit = lanes if words[at + 4] & LANES else 1
    return numbers + (words[at] + words[at + 1] * unit), words[at + 2] * unit, words[at + 3] * unit


@native
def vector_at(numbers: Numbers, kind: int, i: int) -> Vector:
    """The numbers of an operand in the lanes from i on."""
    if kind & LANES:
        return load(numbers, i)
    return splat(numbers[0])


@native
def spaced_dot_forward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    for at in range(first, first + SPACED * count, SPACED):
        dots, k, y = words[at], words[at + 1], place_of(M, words, at + 2, lanes)
        w, w_step, w_next = spaced(M, words, at + 4, lanes)
        x, x_step, x_next = spaced(M, words, at + 9, lanes)
        if (lanes == 1) & (w_next == 0) & (x_next == 1):
            for r in range(0, dots, width()):
                so_far = splat(0.0)
                for j in range(k):
                    so_far = fused(splat(w[j * w_step]), load(x, j * x_step + r), so_far)
                store_some(y, r, so_far, dots - r)
        elif (lanes == 1) & (w_step == 1) & (x_step == 1):
            for r in range(dots):
                so_far = splat(0.0)
                for j in range(0, k, width()):
                    product = load(w, r * w_next + j) * load(x, r * x_next + j)
                    so_far = so_far + splat_to(product, k - j)
                y[r] = total(so_far)
        else:
            w_kind, x_kind = words[at + 8], words[at + 13]
            for r in range(dots):
                for i in range(0, lanes, width()):
                    so_far = splat(0.0)
                    for j in range(k):
                        weight = vector_at(w + (r * w_next + j * w_step), w_kind, i)
                        so_far = so_far + weight * vector_at(x + (r * x_next + j * x_step), x_kind, i)
                    store_some(y, r * lanes + i, so_far, lanes - i)


@native
def spaced_dot_backward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    for at in range(first, first + SPACED * count, SPACED):
        dots, k, dy = words[at], words[at + 1], place_of(A, words, at + 2, lanes)
        w, w_step, w_next = spaced(M, words, at + 4, lanes)
        x, x_step, x_next = spaced(M, words, at + 9, lanes)
        dw, dx = spaced(A, words, at + 4, lanes)[0], spaced(A, words, at + 9, lanes)[0]
        w_kind, x_kind = words[at + 8], words[at + 13]
        w_wanted, x_wanted = w_kind & WANTED, x_kind & WANTED
        if (lanes == 1) & (w_next == 0) & (x_next == 1):
            for r in range(0, dots, width()):
                upstream = splat_to(load(dy, r), dots - r)
                for j in range(k):
                    if w_wanted:
                        dw[j * w_step] += total(strong(load(x, j * x_step + r), upstream))
                    if x_wanted:
                        place = j * x_step + r
                        store(dx, place, load(dx, place) + strong(splat(w[j * w_step]), upstream))
        elif (lanes == 1) & (w_step == 1) & (x_step == 1):
            for r in range(dots):
                for j in range(0, k, width()):
                    upstream = splat_to(splat(dy[r]), k - j)
                    v, u = r * w_next + j, r * x_next + j
                    if w_wanted:
                        store(dw, v, load(dw, v) + strong(load(x, u), upstream))
                    if x_wanted:
                        store(dx, u, load(dx, u) + strong(load(w, v), upstream))
        else:
            for r in range(dots):
                for i in range(0, lanes, width()):
                    upstream = splat_to(load(dy, r * lanes + i), lanes - i)
                    for j in range(k):
                        v, u = r * w_next + j * w_step, r * x_next + j * x_step
                        if w_wanted:
                            add_at(dw + v, w_kind, i, strong(vector_at(x + u, x_kind, i), upstream))
                        if x_wanted:
                            add_at(dx + u, x_kind, i, strong(vector_at(w + v, w_kind, i), upstream))


# `take` reads one of its operands, whichever the index of the lane says, and gives its gradient to that one.


@native
def place_taken(M: Numbers, words: Words, at: int, count: int, lanes: int, i: int) -> int:
    """Where the words of the operand begin that lane i takes."""
    p = at + 3 * count - 3
    x = int(place_of(M, words, p, lanes)[i * (words[p + 2] & LANES)])
    return at + 3 * (x + count - 1 if x < 0 else x)


@native
def take_forward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        k = words[at]
        n = lanes if words[at + 1] else 1
        result = place_of(M, words, at + 2, lanes)
        if is_no_index(M, words, at + 4, k, lanes, n):
            status[0] = at + 1
            return
        for i in range(n):
            p = place_taken(M, words, at + 4, k, lanes, i)
            result[i] = place_of(M, words, p, lanes)[i * (words[p + 2] & LANES)]
        at += 4 + 3 * k


@native
def take_backward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        k = words[at]
        n = lanes if words[at + 1] else 1
        upstream = place_of(A, words, at + 2, lanes)
        for i in range(n):
            p = place_taken(M, words, at + 4, k, lanes, i)
            if words[p + 2] & WANTED:
                place_of(A, words, p, lanes)[i * (words[p + 2] & LANES)] += upstream[i]
        at += 4 + 3 * k


# A whole layer: m dots of k weights. Words: m, k; where the weights lie; where the biases lie and how far apart; the
# places of the inputs and of the results; whether the gradients of the inputs are wanted, and whether nothing else adds
# to those of the weights: then the first block of a batch sets them, and they need not be 0 before; at how many
# positions, and how many rows further each reads.


@native
def layer_forward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    for at in range(first, first + 13 * count, 13):
        x = place_of(M, words, at + 5, lanes)
        y = place_of(M, words, at + 7, lanes)
        w, b, positions, step = M + words[at + 2], M + words[at + 3], words[at + 11], words[at + 12] * lanes
        affine_of_positions(y, x, w, b, words[at + 4], words[at], words[at + 1], lanes, positions, step, S)


@native
def layer_backward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    for at in range(first, first + 13 * count, 13):
        m, k, w, b = words[at], words[at + 1], words[at + 2], words[at + 3]
        x = words[at + 5] + words[at + 6] * lanes
        y = words[at + 7] + words[at + 8] * lanes
        new, positions, step = words[at + 10] & (way >> 1), words[at + 11], words[at + 12] * lanes
        wanted, careful = words[at + 9], way & 1
        if go_back(A + y, A + x, A + w, M + x, M + w, m, k, lanes, positions, step, wanted, careful, new):
            status[1] = 1
        if words[at + 4]:
            collect_bias(A + y, A + b, m, lanes, positions, new)


BY_HAND: dict[str, Loops] = {
    "dot": (dot_forward, dot_backward),
    "take": (take_forward, take_backward),
}
"""The operations whose loops are written here, since they run along the lanes, or read one operand only."""
