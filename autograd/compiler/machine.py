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
def _pass(arrays: Any, pointers: Any, given: Any, place: Any, outputs: Any, by_inputs: Any, way: Any) -> None:
    """Forward, and with a gradient backward, for the examples of a batch.

    `place` says where the batch begins and ends, the derivative to begin with, and for a program of whole batches
    which batch it is, otherwise -1.
    """
    M, A, _, status, shape, _, _, shared_forward, _, _, shared_backward = arrays
    X, T, Z, order = given
    start, end, seed, batch = place
    A[: shape[1]] = 0.0
    _groups(shared_forward, pointers, 1, way[1])
    if batch >= 0:
        _fill_batch(M, shape, X, T, Z, order, start, end - start, batch)
        _block(arrays, pointers, 1, batch, 1, seed, outputs, way)
        start = end
    while start < end and not status[0]:
        lanes = _lanes(shape, end - start)
        n = min(lanes, end - start)
        _fill(M, shape, lanes, X, T, Z, order, start, n)
        _block(arrays, pointers, lanes, start, n, seed, outputs, way)
        for i in range(n if by_inputs.shape[1] else 0):
            for p in range(by_inputs.shape[1]):
                by_inputs[start + i, p] = A[shape[1] + p * lanes + i]
        start += n
    if way[0]:
        _groups(shared_backward, pointers, 1, way[1])


@njit(error_model="numpy", nogil=True)
def _pass_twice(arrays: Any, pointers: Any, given: Any, place: Any, outputs: Any, by_inputs: Any) -> None:
    """Forward and backward, a second time if a nan comes out.

    Whole layers go back as plain matrix products, which give nan for 0 * inf where the chain rule here says 0. So
    then everything is computed again, carefully.
    """
    for careful in range(2):
        _pass(arrays, pointers, given, place, outputs, by_inputs, (True, careful))
        if not (_has_nan(arrays[1], arrays[4][1]) or np.isnan(by_inputs).any()):
            break


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

    Arguments:
        arrays: the program's work.
        X, T: its inputs, in two parts; `order` tells which row is next.
        Z: a third part of the inputs, in the order in which they are needed.
        outputs: for the outputs, a row for each example.
        by_inputs: for the derivatives by the inputs, if it has columns.
        gradient: whether to go back.
    """
    pointers, place = _addresses(arrays), (0, len(order), 1.0, -1)
    if gradient:
        _pass_twice(arrays, pointers, (X, T, Z, order), place, outputs, by_inputs)
    else:
        _pass(arrays, pointers, (X, T, Z, order), place, outputs, by_inputs, (False, 0))


@njit(error_model="numpy", nogil=True)
def _update(arrays: Any, update: Any, pointers: Any, scalars: Any, scalars_at: Any) -> None:
    """Moves the parameters: a program over their data, their gradients, and what is remembered of them."""
    M, A, _, _, _, _, _, _, _, _, _ = arrays
    U, _, _, _, shape, outputs_at, _, shared_forward, forward, _, _ = update
    at, n = shape[1], shape[3]
    for k in range(len(scalars_at)):
        U[scalars_at[k]] = scalars[k]
    U[at : at + n] = M[:n]
    U[at + n : at + 2 * n] = A[:n]
    _groups(shared_forward, pointers, 1, 0)
    _groups(forward, pointers, n, 0)
    for k in range(len(outputs_at)):
        o = outputs_at[k, 0] + outputs_at[k, 1] * n
        if k == 0:
            M[:n] = U[o : o + n]
        else:
            U[at + (k + 1) * n : at + (k + 2) * n] = U[o : o + n]


@njit(
    void(_ARRAYS, _ARRAYS, _TABLE, _TABLE, _TABLE, _WORDS, _WORDS, _TABLE, _WORDS, _TABLE, _NUMBERS),
    error_model="numpy",
    nogil=True,
    cache=True,
)
def train(
    arrays: Any, update: Any, X: Any, T: Any, Z: Any, order: Any, settings: Any, scalars: Any, scalars_at: Any,
    outputs: Any, errors: Any,
) -> None:  # fmt: skip
    """Steps for some batches: forward, loss, backward, update.

    Arguments:
        arrays: the work of the program of the loss.
        update: that of the optimiser's, with a lane for each parameter; no lanes for no update.
        X, T, Z: examples, targets, random choices; Z has a row for each place in the order, or for each batch.
        order: which examples, batch after batch.
        settings: the batch size, whether the program is one of whole batches, whether the loss is a mean, and whether
            the last scalar is the norm of the gradient.
        scalars: for each batch the numbers that the update has for all parameters.
        scalars_at: where they lie in its work.
        outputs: for the outputs, a row for each example, or for each batch.
        errors: for the loss of each batch.
    """
    size, whole, mean, clipped = settings
    pointers, update_pointers, moved = _addresses(arrays), _addresses(update), update[4][3]
    nothing = np.empty((0, 0))
    for batch in range(len(errors)):
        start = batch * size
        end = min(start + size, len(order))
        seed = 1.0 / (end - start) if mean and not whole else 1.0
        place = (start, end, seed, batch if whole else -1)
        _pass_twice(arrays, pointers, (X, T, Z, order), place, outputs, nothing)
        if arrays[3][0]:
            return
        first, last = (batch, batch + 1) if whole else (start, end)
        error = 0.0
        for i in range(first, last):
            error += outputs[i, 0]
        errors[batch] = error * seed
        if clipped:
            scalars[batch, scalars.shape[1] - 1] = norm(arrays[1][:moved])
        if moved:
            _update(arrays, update, update_pointers, scalars[batch], scalars_at)
