"""How does one operation run over many examples at once? Two loops of native code: its value, and its chain rule.

A kernel runs a group of instructions of one operation, each over all lanes (the examples of a block, side by side). An
instruction is a list of whole numbers, its words. Where a number lies takes two of them, base and row: in `numbers`,
its lanes begin at base + row * lanes; what all lanes share has row 0. The loops of an operation are text, filled in
with its number of operands and kept in a file in the cache folder, since numba keeps native code on disk only for
functions that have a file.
"""

from functools import cache
from typing import Any

from numba import types

from autograd.compiler.native import scalar_functions, vector_functions, vector_types
from autograd.operations import Operation
from autograd.recorded_operations import recorded_rules
from autograd.rules import WITH_INDEX, Rule, rules

KERNEL = types.void(
    vector_types.NUMBERS, vector_types.NUMBERS, vector_types.NUMBERS, *[vector_types.WORDS] * 2, *[types.int64] * 4
)
"""What a kernel takes: numbers, gradients, scratch, words, status; first, count, lanes, way.

The words of `count` instructions begin at `first`. `way` concerns whole layers: 1 asks for the rule that a factor of
exactly 0 gives 0 whatever the other one is, which all other kernels keep anyway; 2 says that it is the first block of
a batch. `status` is for an index that is out of range (the word of its instruction, and 1), and for a layer's doubt
that a nan came out."""

LANES, WANTED = 1, 2
"""What the third word of an operand says: it has a number for each lane; its gradient is wanted."""

HEAD = '''\
"""The native loops of {name}, written by autograd.compiler.native.kernels."""

import numpy as np
from numba import carray, cfunc

from autograd.compiler.native import matrix_products, vector_functions, vector_types
from autograd.compiler.native.compile_rule import native
from autograd.compiler.native.kernels import KERNEL, rule_named, rule_of_eight

get, put, word = vector_types.get, vector_types.put, vector_types.word
{rule}


@cfunc(KERNEL, cache={cached}, error_model="numpy")
def forward(M, A, S, words, status, first, count, lanes, way):
    for _ in range(count):
{forward}


@cfunc(KERNEL, cache={cached}, error_model="numpy")
def backward(M, A, S, words, status, first, count, lanes, way):
    for _ in range(count):
{backward}
'''

RULE = """\
rule = {place}
value = native(rule.value)
{derivatives} = map(native, rule.derivatives)
"""

RULE_OF_EIGHT = """\
rule_of_eight = rule_of_eight({name!r})
value_of_eight = native(rule_of_eight.value)
{derivatives} = map(native, rule_of_eight.derivatives)
"""

WITHOUT_BRANCHES = ("logsumexp", "softmax", "log_softmax", "add", "sub", "mul", "neg")
"""The operations whose rules never branch on a number, and need nothing that `vector_functions` lacks."""

# One to three operands. Words: the number of rows (neighbouring instructions on neighbouring rows are one), the
# result's place, and for each operand its place and kind.

FEW = """\
        n = word(words, first) * lanes
        o = word(words, first + 1) + word(words, first + 2) * lanes
{places}
"""

PLACE = """\
        (x{i}, d{i}), w{i} = vector_types.place(words, first + {base}, lanes, 0), word(words, first + {base} + 2) & 2
"""

FEW_FORWARD = """\
                put(M, o + i, value({numbers}))
"""

# Without a branch on the factors these loops vectorise: relu takes a sixth of the time.
FEW_BACKWARD = """\
                upstream = get(A, o + i)
"""

CONTRIBUTION = """\
                if w{i}:
                    derivative = derivative_{i}(get(M, o + i), {numbers})
                    product = derivative * upstream
                    place = x{i} + i * {step}
                    put(A, place, get(A, place) + (product if derivative != 0.0 and upstream != 0.0 else 0.0))
"""

CONTRIBUTION_OF_EIGHT = """\
                if w{i}:
                    derivative = derivative_{i}_of_eight(vector_types.load(M, o + i), {operands})
                    vector_functions.add_product(A, {place}, {lanes}, derivative, vector_types.load(A, o + i))
"""

# Any number of operands. Words: how many, whether the result has lanes, its place, and each operand's place and kind.

MANY = """\
        k, o, d = word(words, first), word(words, first + 2) + word(words, first + 3) * lanes, word(words, first + 1)
        operands = first + 4
        xs = carray(S, (k,))
"""

MANY_LOOP = """\
        for i in range({lanes} if d else 1):
            for j in range(k):
                xs[j] = vector_types.number(M, words, operands + 3 * j, lanes, i)
"""

CHECK_INDEX = """\
            if not -(k - 1) <= xs[k - 1] < k - 1 or xs[k - 1] != np.floor(xs[k - 1]):
                carray(status, (1,))[0] = first + 1
                return
"""

MANY_FORWARD = """\
            put(M, o + i, value(xs))
        first += 4 + 3 * k
"""

MANY_BACKWARD = """\
            upstream = get(A, o + i)
            if upstream != 0.0:
                derivatives = derivative_0(get(M, o + i), xs)
                for j in range(k):
                    p = operands + 3 * j
                    if word(words, p + 2) & 2 and derivatives[j] != 0.0:
                        place, _ = vector_types.place(words, p, lanes, i)
                        put(A, place, get(A, place) + derivatives[j] * upstream)
        first += 4 + 3 * k
"""

# The same for eight lanes at once, where the rule never branches on a number: before the loop over single lanes, which
# is then for a result that has none. The whole numbers that an index may be were looked at on the way there.

EIGHT_CHECK = """\
        for i in range(lanes if d and lanes > 1 else 0):
            xs[k - 1] = vector_types.number(M, words, operands + 3 * k - 3, lanes, i)
"""

EIGHT_LOOP = """\
        for i in range(0, lanes if d and lanes > 1 else 0, 8):
            put(S, 0, 8.0)
            vectors_of_xs = vector_functions.new_row(S, k)
            for j in range(k):
                vectors_of_xs[j] = vector_types.eight(M, words, operands + 3 * j, lanes, i)
"""

EIGHT_FORWARD = """\
            vector_types.store(M, o + i, value_of_eight(vectors_of_xs))
"""

EIGHT_BACKWARD = """\
            derivatives_of_xs = derivative_0_of_eight(vector_types.load(M, o + i), vectors_of_xs)
            for j in range(k):
                if word(words, operands + 3 * j + 2) & 2:
                    place, has_lanes = vector_types.place(words, operands + 3 * j, lanes, i)
                    vector_functions.add_product(A, place, has_lanes, derivatives_of_xs[j], vector_types.load(A, o + i))
"""

# A dot is written out operand by operand, so that the inner loop runs along the lanes.

DOT = """\
        k, o, d = word(words, first), word(words, first + 2) + word(words, first + 3) * lanes, word(words, first + 1)
        m, n, operands = k // 2, lanes if d else 1, first + 4
"""

DOT_OPERAND = """\
            p = operands + 3 * {index}
            {name}, d{name} = vector_types.place(words, p, lanes, 0)
"""

DOT_FORWARD = """\
        for i in range(n):
            put(M, o + i, 0.0)
        for j in range(k - 2 * m):
{b}
            for i in range(n):
                put(M, o + i, get(M, b + i * db))
        for j in range(m):
{w}
{x}
            for i in range(n):
                put(M, o + i, get(M, o + i) + get(M, w + i * dw) * get(M, x + i * dx))
        first += 4 + 3 * k
"""

DOT_BACKWARD = """\
        for j in range(k - 2 * m):
{b}
            for i in range(n if word(words, p + 2) & 2 else 0):
                put(A, b + i * db, get(A, b + i * db) + get(A, o + i))
        for j in range(m):
{x}
            x_wanted = word(words, p + 2) & 2
{w}
            w_wanted = word(words, p + 2) & 2
            for i in range(n if w_wanted else 0):
                upstream, derivative = get(A, o + i), get(M, x + i * dx)
                product = upstream * derivative if upstream != 0.0 and derivative != 0.0 else 0.0
                put(A, w + i * dw, get(A, w + i * dw) + product)
            for i in range(n if x_wanted else 0):
                upstream, derivative = get(A, o + i), get(M, w + i * dw)
                product = upstream * derivative if upstream != 0.0 and derivative != 0.0 else 0.0
                put(A, x + i * dx, get(A, x + i * dx) + product)
        first += 4 + 3 * k
"""

# A whole layer: m dots of k weights. Words: m, k; where the weights lie; where the biases lie and how far apart; the
# places of the inputs and of the results; whether the gradients of the inputs are wanted, and whether nothing else adds
# to those of the weights. Then the first block of a batch sets them, and they need not be 0 before.

LAYER = """\
        m, k, w = word(words, first), word(words, first + 1), word(words, first + 2)
        b, bias_step = word(words, first + 3), word(words, first + 4)
        x = word(words, first + 5) + word(words, first + 6) * lanes
        y = word(words, first + 7) + word(words, first + 8) * lanes
"""

LAYER_FORWARD = """\
        matrix_products.affine(M, y, x, w, b, bias_step, m, k, lanes)
        first += 11
"""

LAYER_BACKWARD = """\
        new = word(words, first + 10) & (way >> 1)
        if matrix_products.go_back(M, A, y, x, w, m, k, lanes, word(words, first + 9), way & 1, new):
            carray(status, (2,))[1] = 1
        if bias_step:
            matrix_products.collect_bias(A, y, b, m, lanes, new)
        first += 11
"""

LAYER_NAME = "layer"


@cache
def _rules() -> dict[str, Rule]:
    return rules(scalar_functions) | recorded_rules(scalar_functions)


def rule_named(name: str) -> Rule:
    """The rule of a built-in operation over the elementary functions of compiled code."""
    return _rules()[name]


@cache
def _rules_of_eight() -> dict[str, Rule]:
    return rules(vector_functions)


def rule_of_eight(name: str) -> Rule:
    """The rule of a built-in operation over the elementary functions for eight numbers at once."""
    return _rules_of_eight()[name]


def layer_source() -> str:
    """The text of the module with the two kernels of whole layers."""
    loops = {"forward": LAYER + LAYER_FORWARD, "backward": LAYER + LAYER_BACKWARD}
    return HEAD.format(name="whole layers", rule="", cached=True, **loops)


def source(operation: Operation, place: str, cached: bool) -> str:
    """The text of the module with the two kernels of an operation.

    Arguments:
        operation: what the kernels compute.
        place: what the text calls the operation's rule.
        cached: whether numba keeps the native code on disk.
    """
    rule = operation.rule
    built_in = rule.name if operation.function is None else ""
    if built_in == "dot":
        parts = {
            name: DOT_OPERAND.format(name=name, index=i) for name, i in (("w", "j"), ("x", "(m + j)"), ("b", "(2 * m)"))
        }
        parts = {name: part.rstrip("\n") for name, part in parts.items()}
        forward, backward = DOT + DOT_FORWARD.format(**parts), DOT + DOT_BACKWARD.format(**parts)
    elif rule.nary:
        forward, backward = _many(built_in)
    else:
        forward, backward = _few(built_in, len(rule.derivatives))
    names = ", ".join(f"derivative_{i}" for i in range(len(rule.derivatives)))
    bound = RULE.format(place=place, derivatives=f"({names},)")
    if built_in in WITHOUT_BRANCHES:
        eights = ", ".join(f"derivative_{i}_of_eight" for i in range(len(rule.derivatives)))
        bound += RULE_OF_EIGHT.format(name=rule.name, derivatives=f"({eights},)")
    return HEAD.format(name=rule.name, rule=bound, cached=cached, forward=forward, backward=backward)


def _many(name: str) -> tuple[str, str]:
    """The loops of an operation of any number of operands; the name is that of a built-in one."""
    check = CHECK_INDEX if name in WITH_INDEX else ""
    if name not in WITHOUT_BRANCHES:
        loop = MANY_LOOP.format(lanes="lanes")
        return MANY + loop + check + MANY_FORWARD, MANY + loop + MANY_BACKWARD
    loop = MANY_LOOP.format(lanes="(lanes if lanes == 1 else 0)")
    first = EIGHT_CHECK + check if check else ""
    return (
        MANY + first + EIGHT_LOOP + EIGHT_FORWARD + loop + check + MANY_FORWARD,
        MANY + EIGHT_LOOP + EIGHT_BACKWARD + loop + MANY_BACKWARD,
    )


def _few(name: str, count: int) -> tuple[str, str]:
    """The loops of an operation of one, two or three operands: one for each way in which they have lanes or share.

    The name is that of a built-in operation.
    """
    head = FEW.format(places="".join(PLACE.format(i=i, base=3 + 3 * i) for i in range(count)))
    every = " & ".join(f"d{i}" for i in range(count))
    ways = [(every, ["1"] * count)]
    if count == 2:
        ways += [("d0", ["1", "0"]), ("d1", ["0", "1"])]
    elif count > 2:
        ways += [("n", [f"d{i}" for i in range(count)])]
    loops = []
    strided = [f"d{i}" for i in range(count)]
    for of_one, of_eight in (_forward, _forward_of_eight), (_backward, _backward_of_eight):
        text = f"        if lanes == 1:\n            for i in range(n):\n{of_one(count, strided)}"
        for condition, steps in ways:
            text += f"        elif {condition}:\n"
            if name in WITHOUT_BRANCHES:
                text += of_eight(count, steps)
            else:
                text += f"            for i in range(n):\n{of_one(count, steps)}"
        loops.append(f"{head}{text}        first += {3 + 3 * count}\n")
    return loops[0], loops[1]


def _numbers(steps: list[str]) -> str:
    return ", ".join(f"get(M, x{i} + i * {step})" for i, step in enumerate(steps))


def _forward(count: int, steps: list[str]) -> str:
    return FEW_FORWARD.format(numbers=_numbers(steps))


def _backward(count: int, steps: list[str]) -> str:
    parts: list[Any] = [CONTRIBUTION.format(i=i, numbers=_numbers(steps), step=steps[i]) for i in range(count)]
    return FEW_BACKWARD + "".join(parts)


def _vectors(steps: list[str]) -> tuple[str, str]:
    """What stands before a loop over eight lanes at once, and the operands in it."""
    shared = [f"            s{i} = vector_types.splat(get(M, x{i}))\n" for i, step in enumerate(steps) if step == "0"]
    operands = [f"s{i}" if step == "0" else f"vector_types.load(M, x{i} + i)" for i, step in enumerate(steps)]
    return "".join(shared) + "            for i in range(0, n, 8):\n", ", ".join(operands)


def _forward_of_eight(count: int, steps: list[str]) -> str:
    loop, operands = _vectors(steps)
    return f"{loop}                vector_types.store(M, o + i, value_of_eight({operands}))\n"


def _backward_of_eight(count: int, steps: list[str]) -> str:
    loop, operands = _vectors(steps)
    text = loop
    for i, step in enumerate(steps):
        text += CONTRIBUTION_OF_EIGHT.format(i=i, operands=operands, lanes=step, place=f"x{i} + i * {step}")
    return text
