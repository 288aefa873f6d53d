"""How is a program run? One group of instructions after the other, each by its native loop, block by block.

The machine is compiled once for all programs: a group is the address of a kernel, and the machine calls it. `run` goes
over examples once; `train` goes through an epoch and moves the parameters after every batch. This file is kept and
compiled in the cache folder, beside the kernels.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import int64, njit, types, void
from numba.core import cgutils
from numba.extending import intrinsic

from autograd.compiler.elementary import norm
from autograd.compiler.vectors import WIDTH

_NUMBERS, _TABLE = types.float64[::1], types.float64[:, ::1]
_WORDS, _ROWS = types.int64[::1], types.int64[:, ::1]
_ARRAYS = types.Tuple((*[_NUMBERS] * 3, _WORDS, _WORDS, _ROWS, _WORDS, *[_ROWS] * 4))
"""Of a program's work: numbers, gradients, scratch, status, shape, outputs_at; words, and the four tables of groups.

`shape` has the number of inputs, where the lanes begin, the number of rows, and the most lanes."""

_INT, _DOUBLES = ir.IntType(64), ir.DoubleType().as_pointer()
_POINTERS = [_DOUBLES] * 3 + [_INT.as_pointer()] * 2


@intrinsic
def _call(typing_context: Any, address: Any, pointers: Any, first: Any, count: Any, lanes: Any, careful: Any) -> Any:
    """Calls the kernel at an address."""
    signature = void(int64, types.UniTuple(int64, 5), int64, int64, int64, int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, pointers, *rest = arguments
        kernel = ir.FunctionType(ir.VoidType(), [*_POINTERS, *[_INT] * 4]).as_pointer()
        addresses = cgutils.unpack_tuple(builder, pointers, 5)
        given = [builder.inttoptr(x, kind) for x, kind in zip(addresses, _POINTERS, strict=True)]
        builder.call(builder.inttoptr(address, kernel), [*given, *rest])
        return context.get_dummy_value()

    return signature, generate


@njit(error_model="numpy", nogil=True)
def _groups(table: Any, pointers: Any, lanes: int, careful: int) -> None:
    """Runs groups in order."""
    for g in range(len(table)):
        _call(table[g, 0], pointers, table[g, 1], table[g, 2], lanes, careful)  # type: ignore[call-arg]


@njit(error_model="numpy", nogil=True)
def _fill(M: Any, shape: Any, lanes: int, X: Any, T: Any, Z: Any, order: Any, start: int, n: int) -> None:
    """Sets the inputs of a block: example, target, and the random choices for its place in the epoch.

    Lanes beyond the last example repeat it, so that they are as finite as it is.
    """
    at = shape[1]
    for i in range(lanes):
        place = start + min(i, n - 1)
        example = order[place]
        o = at + i
        for p in range(X.shape[1]):
            M[o] = X[example, p]
            o += lanes
        for p in range(T.shape[1]):
            M[o] = T[example, p]
            o += lanes
        for p in range(Z.shape[1]):
            M[o] = Z[place, p]
            o += lanes


@njit(error_model="numpy", nogil=True)
def _fill_batch(M: Any, shape: Any, X: Any, T: Any, Z: Any, order: Any, start: int, n: int, batch: int) -> None:
    """Sets the inputs of a program for a whole batch: all examples, all targets, all random choices."""
    o = shape[1]
    for i in range(n):
        M[o : o + X.shape[1]] = X[order[start + i]]
        o += X.shape[1]
    for i in range(n):
        M[o : o + T.shape[1]] = T[order[start + i]]
        o += T.shape[1]
    M[o : o + Z.shape[1]] = Z[batch]


@njit(error_model="numpy", nogil=True)
def _block(arrays: Any, pointers: Any, lanes: int, start: int, n: int, seed: float, outputs: Any, way: Any) -> None:
    """Forward for the inputs that are set, and backward with `seed` as the derivative of the first output."""
    M, A, _, status, shape, outputs_at, _, _, forward, backward, _ = arrays
    gradient, careful = way
    _groups(forward, pointers, lanes, careful)
    if status[0]:
        return
    for c in range(len(outputs_at)):
        o, step = outputs_at[c, 0] + outputs_at[c, 1] * lanes, outputs_at[c, 2]
        for i in range(n):
            outputs[start + i, c] = M[o + i * step]
    if gradient:
        A[shape[1] : shape[1] + shape[2] * lanes] = 0.0
        o, step = outputs_at[0, 0] + outputs_at[0, 1] * lanes, outputs_at[0, 2]
        for i in range(n):
            A[o + i * step] += seed
        _groups(backward, pointers, lanes, careful)


@njit(error_model="numpy", nogil=True)
def _has_nan(A: Any, end: int) -> bool:
    """Whether a nan is among the first numbers, where the gradients of the parameters lie."""
    found = 0
    for i in range(end):
        found |= A[i] != A[i]
    return found != 0


@njit(error_model="numpy", nogil=True)
def _lanes(shape: Any, n: int) -> int:
    """How many lanes n examples take: one, or a multiple of eight, at most a block."""
    return 1 if n <= 1 else min(shape[3], (n + WIDTH - 1) // WIDTH * WIDTH)


@njit(error_model="numpy", nogil=True)
def _pass(
    arrays: Any, pointers: Any, given: Any, start: int, end: int, seed: float, outputs: Any, by_inputs: Any, way: Any
) -> None:
    """Forward, and with a gradient backward, for the examples from `start` to `end`."""
    M, A, _, status, shape, _, _, shared_forward, _, _, shared_backward = arrays
    X, T, Z, order = given
    A[: shape[1]] = 0.0
    _groups(shared_forward, pointers, 1, way[1])
    done = start
    while done < end and not status[0]:
        lanes = _lanes(shape, end - done)
        n = min(lanes, end - done)
        _fill(M, shape, lanes, X, T, Z, order, done, n)
        _block(arrays, pointers, lanes, done, n, seed, outputs, way)
        for i in range(n if by_inputs.shape[1] else 0):
            for p in range(by_inputs.shape[1]):
                by_inputs[done + i, p] = A[shape[1] + p * lanes + i]
        done += n
    if way[0]:
        _groups(shared_backward, pointers, 1, way[1])


@njit(error_model="numpy", nogil=True)
def _addresses(arrays: Any) -> Any:
    """Where the arrays that kernels work on begin."""
    M, A, S, status, _, _, words, _, _, _, _ = arrays
    return M.ctypes.data, A.ctypes.data, S.ctypes.data, words.ctypes.data, status.ctypes.data


# With its types given it is compiled, or read from the cache, when this file is imported: a damaged cache shows there.
@njit(
    void(_ARRAYS, _TABLE, _TABLE, _TABLE, _WORDS, _TABLE, _TABLE, types.boolean),
    error_model="numpy",
    nogil=True,
    cache=True,
)
def run(arrays: Any, X: Any, T: Any, Z: Any, order: Any, outputs: Any, by_inputs: Any, gradient: bool) -> None:
    """The outputs of all examples, and the derivatives of the first output.

    Whole layers go back as plain matrix products, which give nan for 0 * inf where the chain rule here says 0. If a
    nan comes out, everything is computed again, carefully.
    """
    pointers = _addresses(arrays)
    for careful in range(2):
        _pass(arrays, pointers, (X, T, Z, order), 0, len(order), 1.0, outputs, by_inputs, (gradient, careful))
        if not gradient or not (_has_nan(arrays[1], arrays[4][1]) or np.isnan(by_inputs).any()):
            break
