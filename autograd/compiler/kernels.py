"""How does one operation run over many examples at once? Two loops of native code: its value, and its chain rule.

A kernel works on slots of the work array: a slot holds one number for each example of a block, or a single number
that they share (a parameter, or what depends on parameters alone). Where a slot begins is in `at`; `step` is 1 from
example to example, or 0 where all share one. The loops of an operation are text, filled in with its number of operands
and kept in a file in the cache folder, since numba keeps native code on disk only for functions that have a file.
"""

from functools import cache
from typing import Any

from numba import carray, cfunc, types  # type: ignore[attr-defined]

from autograd.compiler import elementary
from autograd.compiler.comparisons import comparisons
from autograd.compiler.native import native
from autograd.operations import Operation
from autograd.rules import WITH_INDEX, Rule, rules

__all__ = ["FAR", "KERNEL", "carray", "cfunc", "native", "rule_named", "source"]

_NUMBERS, _PLACES = types.CPointer(types.float64), types.CPointer(types.int64)
KERNEL = types.void(_NUMBERS, _NUMBERS, _PLACES, _PLACES, _PLACES, _PLACES, _PLACES, *[types.int64] * 4)
"""What a kernel takes: the numbers and their gradients, at, step, operands, wanted, status; first, count, out, n.

`operands[first : first + count]` are the slots of the operands, `wanted` whether each needs a gradient; `out` is the
slot of the result, and n the number of examples."""

FAR = 1 << 60  # the arrays end where they end; a kernel stays within its slots

HEAD = '''\
"""The native loops of {name}, written by autograd.compiler.kernels."""

import numpy as np

from autograd.compiler.kernels import FAR, KERNEL, carray, cfunc, native, rule_named

rule = {rule}
value = native(rule.value)
{derivatives} = map(native, rule.derivatives)


@cfunc(KERNEL, cache={cached}, error_model="numpy")
def forward(numbers, gradients, at, step, operands, wanted, status, first, count, out, n):
    M, at, step, operands = carray(numbers, FAR), carray(at, FAR), carray(step, FAR), carray(operands, FAR)
    status = carray(status, FAR)
{forward}


@cfunc(KERNEL, cache={cached}, error_model="numpy")
def backward(numbers, gradients, at, step, operands, wanted, status, first, count, out, n):
    M, at, step, operands = carray(numbers, FAR), carray(at, FAR), carray(step, FAR), carray(operands, FAR)
    A, wanted = carray(gradients, FAR), carray(wanted, FAR)
{backward}
'''

FEW_FORWARD = """\
    o, do = at[out], step[out]
{places}
    for _ in range(n):
        M[o] = value({numbers})
        o += do
{steps}
"""

FEW_BACKWARD = """\
{places}
{wanted}
    o, do = at[out], step[out]
    for _ in range(n):
        upstream = A[o]
        if upstream != 0.0:
{contributions}
        o += do
{steps}
"""

CONTRIBUTION = """\
            if w{i}:
                derivative = derivative_{i}(M[o], {numbers})
                if derivative != 0.0:  # a factor that is exactly 0 gives 0, whatever the other one is
                    A[x{i}] += derivative * upstream
"""

MANY_FORWARD = """\
    xs = np.empty(count)
    for i in range(n):
        for k in range(count):
            xs[k] = M[at[operands[first + k]] + i * step[operands[first + k]]]
{check}
        M[at[out] + i * step[out]] = value(xs)
"""

CHECK_INDEX = """\
        if not -(count - 1) <= xs[count - 1] < count - 1 or xs[count - 1] != np.floor(xs[count - 1]):
            status[0] = out + 1
            return
"""

MANY_BACKWARD = """\
    xs = np.empty(count)
    for i in range(n):
        o = at[out] + i * step[out]
        upstream = A[o]
        if upstream != 0.0:
            for k in range(count):
                xs[k] = M[at[operands[first + k]] + i * step[operands[first + k]]]
            derivatives = derivative_0(M[o], xs)
            for k in range(count):
                if wanted[first + k] and derivatives[k] != 0.0:
                    x = at[operands[first + k]] + i * step[operands[first + k]]
                    A[x] += derivatives[k] * upstream
"""

# The hottest operation is written out, operand by operand, so that the inner loop runs along the examples.
DOT_FORWARD = """\
    m, o, do = count // 2, at[out], step[out]
    b, db = at[operands[first + 2 * m]] if count % 2 else 0, step[operands[first + 2 * m]] if count % 2 else 0
    for i in range(n):
        M[o + i * do] = M[b + i * db] if count % 2 else 0.0
    for k in range(m):
        w, dw = at[operands[first + k]], step[operands[first + k]]
        x, dx = at[operands[first + m + k]], step[operands[first + m + k]]
        if dw == 0 and dx == 1 and do == 1:
            weight = M[w]
            for i in range(n):
                M[o + i] += weight * M[x + i]
        else:
            for i in range(n):
                M[o + i * do] += M[w + i * dw] * M[x + i * dx]
"""

DOT_BACKWARD = """\
    m, o, do = count // 2, at[out], step[out]
    for k in range(m):
        w, dw = at[operands[first + k]], step[operands[first + k]]
        x, dx = at[operands[first + m + k]], step[operands[first + m + k]]
        if wanted[first + k]:
            for i in range(n):
                upstream, derivative = A[o + i * do], M[x + i * dx]
                if upstream != 0.0 and derivative != 0.0:
                    A[w + i * dw] += derivative * upstream
        if wanted[first + m + k]:
            for i in range(n):
                upstream, derivative = A[o + i * do], M[w + i * dw]
                if upstream != 0.0 and derivative != 0.0:
                    A[x + i * dx] += derivative * upstream
    if count % 2 and wanted[first + 2 * m]:
        b, db = at[operands[first + 2 * m]], step[operands[first + 2 * m]]
        for i in range(n):
            A[b + i * db] += A[o + i * do]
"""


@cache
def _rules() -> dict[str, Rule]:
    return rules(elementary) | comparisons(elementary)


def rule_named(name: str) -> Rule:
    """The rule of a built-in operation over the elementary functions of compiled code."""
    return _rules()[name]


def source(operation: Operation, place: str, cached: bool) -> str:
    """The text of the module with the two kernels of an operation.

    Arguments:
        operation: what the kernels compute.
        place: what the text calls the operation's rule.
        cached: whether numba keeps the native code on disk.
    """
    rule = operation.rule
    if rule.name == "dot" and operation.function is None:
        forward, backward = DOT_FORWARD, DOT_BACKWARD
    elif rule.nary:
        check = CHECK_INDEX if rule.name in WITH_INDEX and operation.function is None else ""
        forward, backward = MANY_FORWARD.format(check=check.rstrip("\n")), MANY_BACKWARD
    else:
        forward, backward = _few(len(rule.derivatives))
    names = ", ".join(f"derivative_{i}" for i in range(len(rule.derivatives)))
    return HEAD.format(
        name=rule.name, rule=place, derivatives=f"({names},)", cached=cached, forward=forward, backward=backward
    )


def _few(count: int) -> tuple[str, str]:
    """The loops of an operation of one, two or three operands."""
    places = [f"    x{i}, d{i} = at[operands[first + {i}]], step[operands[first + {i}]]" for i in range(count)]
    steps = [f"        x{i} += d{i}" for i in range(count)]
    wanted = [f"    w{i} = wanted[first + {i}]" for i in range(count)]
    numbers = ", ".join(f"M[x{i}]" for i in range(count))
    contributions = [CONTRIBUTION.format(i=i, numbers=numbers).rstrip("\n") for i in range(count)]
    parts: dict[str, Any] = {"places": "\n".join(places), "steps": "\n".join(steps), "numbers": numbers}
    parts |= {"wanted": "\n".join(wanted), "contributions": "\n".join(contributions)}
    return FEW_FORWARD.format(**parts), FEW_BACKWARD.format(**parts)
