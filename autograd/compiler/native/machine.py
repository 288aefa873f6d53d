"""How is a program run? One group of instructions after the other, each by its native loop, block by block.

The machine is compiled once for all programs: a group is the address of a kernel, and the machine calls it. `run` goes
over examples once, or through an epoch, and moves the parameters after every batch. `help` takes shares of its work in
another thread. Python calls both from `run.py` alone. Inside, numbers are behind bare pointers: to count the references
to a dozen arrays would take as long as a step of a small network. This file is kept and compiled in the cache folder,
beside the kernels.
"""

from typing import Any

from llvmlite import ir
from numba import int64, njit, types, void

from autograd.compiler.native.scalar_functions import norm
from autograd.compiler.native.vector_types import (
    NUMBERS,
    WIDTH,
    WORDS,
    add_one,
    get,
    intrinsic,
    load,
    numbers_of,
    plus,
    put,
    seen,
    set_word,
    show,
    splat,
    store,
    take_ticket,
    word,
)

_NUMBERS, _TABLE = types.float64[::1], types.float64[:, ::1]
_WORDS, _ROWS = types.int64[::1], types.int64[:, ::1]
_ARRAYS = types.Tuple((*[_NUMBERS] * 3, _WORDS, _WORDS, _ROWS, _WORDS, *[_ROWS] * 4))
"""Of a program's work: numbers, gradients, scratch, status, shape, outputs_at; words, and the four tables of groups.

`shape` has where the lanes begin, the number of rows, the most lanes, and up to where gradients are set anew."""

_int: Any = int64
"""Around a number that is written out: numba would compile a function once more for every such number."""

_KERNEL = ir.FunctionType(
    ir.VoidType(), [ir.DoubleType().as_pointer()] * 3 + [ir.IntType(64).as_pointer()] * 2 + [ir.IntType(64)] * 4
).as_pointer()


@intrinsic  # type: ignore[untyped-decorator]
def _call(typing_context: Any, address: Any, M: Any, A: Any, S: Any, words: Any, status: Any, first: Any, count: Any,
          lanes: Any, way: Any) -> Any:  # fmt: skip
    """Calls the kernel at an address."""
    signature = void(int64, NUMBERS, NUMBERS, NUMBERS, WORDS, WORDS, int64, int64, int64, int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(builder.inttoptr(arguments[0], _KERNEL), arguments[1:])
        return context.get_dummy_value()

    return signature, generate


@njit(error_model="numpy", nogil=True)
def _groups(table: Any, count: int, memory: Any, lanes: int, way: int) -> None:
    """Runs groups in order: for each the address of its kernel, its first word, and how many instructions it has."""
    M, A, S, words, status = memory
    for g in range(0, 3 * count, 3):
        _call(word(table, g), M, A, S, words, status, word(table, g + 1), word(table, g + 2), lanes, way)


@njit(error_model="numpy", nogil=True)
def _copy(target: Any, to: int, source: Any, start: int, n: int) -> None:
    """Copies n numbers."""
    for i in range(0, n - 7, WIDTH):
        store(target, to + i, load(source, start + i))
    for i in range(n - n % WIDTH, n):
        put(target, to + i, get(source, start + i))


@njit(error_model="numpy", nogil=True)
def _clear(numbers: Any, start: int, end: int) -> None:
    """Sets numbers to 0."""
    zero = splat(0.0)
    for i in range(start, end - 7, WIDTH):
        store(numbers, i, zero)
    for i in range(end - (end - start) % WIDTH, end):
        put(numbers, i, 0.0)


@njit(error_model="numpy", nogil=True)
def _has_nan(numbers: Any, end: int) -> bool:
    """Whether a nan is among the first numbers."""
    found = 0
    for i in range(end):
        found |= get(numbers, i) != get(numbers, i)
    return found != 0


@njit(error_model="numpy", nogil=True)
def _fill(memory: Any, given: Any, at: int, lanes: int, start: int, n: int) -> None:
    """Sets the inputs of a block: example, target, and the random choices for its place in the epoch.

    Lanes beyond the last example repeat it, so that they are as finite as it is.
    """
    X, T, Z, order, widths = given
    columns, targets, choices = widths
    M = memory[0]
    if lanes == 1:
        example = word(order, start)
        _copy(M, at, X, example * columns, columns)
        _copy(M, at + columns, T, example * targets, targets)
        _copy(M, at + columns + targets, Z, start * choices, choices)
        return
    for i in range(lanes):
        place = start + min(i, n - 1)
        example, o = word(order, place), at + i
        for p in range(columns):
            put(M, o, get(X, example * columns + p))
            o += lanes
        for p in range(targets):
            put(M, o, get(T, example * targets + p))
            o += lanes
        for p in range(choices):
            put(M, o, get(Z, place * choices + p))
            o += lanes


@njit(error_model="numpy", nogil=True)
def _fill_batch(memory: Any, given: Any, at: int, start: int, n: int, batch: int) -> None:
    """Sets the inputs of a program for a whole batch: all examples, all targets, all random choices."""
    X, T, Z, order, widths = given
    columns, targets, choices = widths
    for i in range(n):
        _copy(memory[0], at + i * columns, X, word(order, start + i) * columns, columns)
    at += n * columns
    for i in range(n):
        _copy(memory[0], at + i * targets, T, word(order, start + i) * targets, targets)
    _copy(memory[0], at + n * targets, Z, batch * choices, choices)


@njit(error_model="numpy", nogil=True)
def _block(memory: Any, plan: Any, lanes: int, start: int, n: int, seed: float, outputs: Any, way: Any) -> None:
    """Forward for the inputs that are set, and backward with `seed` as the derivative of the first output."""
    M, A, _, _, status = memory
    shape, outputs_at, _, forward, backward, _ = plan
    at, rows, _, _ = shape
    places, count = outputs_at
    gradient, careful = way
    _groups(forward[0], forward[1], memory, lanes, _int(0))
    if word(status, 0):
        return
    for c in range(count):
        o, step = word(places, 3 * c) + word(places, 3 * c + 1) * lanes, word(places, 3 * c + 2)
        for i in range(n):
            put(outputs, (start + i) * count + c, get(M, o + i * step))
    if gradient:
        _clear(A, at, at + rows * lanes)
        o, step = word(places, 0) + word(places, 1) * lanes, word(places, 2)
        for i in range(n):
            put(A, o + i * step, get(A, o + i * step) + seed)
        _groups(backward[0], backward[1], memory, lanes, careful)


@njit(error_model="numpy", nogil=True)
def _share(memory: Any, plan: Any, given: Any, job: Any, share: int, shares: int, into: Any) -> None:
    """Forward, and with a gradient backward, for every block of a batch that belongs to a share.

    `job` says where the batch begins and ends, the derivative to begin with, and the way.
    """
    A, status = memory[1], memory[4]
    at, _, most, fresh = plan[0]
    first, end, seed, gradient, careful = job
    outputs, by_inputs, columns = into
    is_empty = first + share * most >= end
    _clear(A, 0 if is_empty else fresh, at)  # what lies before is set by the first block
    new = 2
    for start in range(first + share * most, end, shares * most):
        if word(status, 0):
            return
        n = min(most, end - start)
        lanes = 1 if n == 1 else min(most, (n + WIDTH - 1) // WIDTH * WIDTH)
        _fill(memory, given, at, lanes, start, n)
        _block(memory, plan, lanes, start, n, seed, outputs, (gradient, careful | new))
        new = 0
        for i in range(n if columns else 0):
            for p in range(columns):
                put(by_inputs, (start + i) * columns + p, get(A, at + p * lanes + i))


# Several threads. On the board: which phase it is, the next ticket, how many shares are finished, the number of the
# call, and how many threads help; then the job: start, end, whether the derivative begins with 1 / (end - start), and
# the way; what went wrong (see `status`). Phases, tickets, shares and calls are counted on and on.

_PATIENCE = 2000
"""How often a thread looks at the board before it lets others run."""
_GIVE_UP = 10_000_000
"""How often it looks in vain before it gives up: some seconds. Then something has kept the call from beginning."""

_PHASE, _TICKET, _FINISHED, _CALL, _HELPERS, _START, _END, _MEAN, _GRADIENT, _CAREFUL, _ERROR, _DOUBT = range(12)


@intrinsic  # type: ignore[untyped-decorator]
def _yield_at(typing_context: Any, address: Any) -> Any:
    """Calls the system's function that lets other threads run."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), []).as_pointer()
        builder.call(builder.inttoptr(arguments[0], function), [])
        return context.get_dummy_value()

    return void(int64), generate


@njit(error_model="numpy", nogil=True, inline="always")
def _posted_job(board: Any) -> Any:
    """The job on the board."""
    start, end = word(board, _START), word(board, _END)
    seed = 1.0 / (end - start) if word(board, _MEAN) else 1.0
    return start, end, seed, word(board, _GRADIENT), word(board, _CAREFUL)


@njit(error_model="numpy", nogil=True, inline="always")
def _work_on(memory: Any, plan: Any, given: Any, phase: int, threads: Any, into: Any) -> None:
    """Does shares of a phase until none is left, and puts down the gradient of each."""
    board, gradients, shares, _ = threads
    at, status = plan[0][0], memory[4]
    ticket = seen(board, _TICKET)
    while ticket < phase * shares:
        if take_ticket(board, _TICKET, ticket):
            share = ticket % shares
            _share(memory, plan, given, _posted_job(board), share, shares, into)
            _copy(gradients, share * at, memory[1], 0, at)
            if word(status, 0):
                show(board, _ERROR, word(status, 0))
            if word(status, 1):
                show(board, _DOUBT, 1)
            set_word(status, 0, 0)
            set_word(status, 1, 0)
            add_one(board, _FINISHED, 1)
        ticket = seen(board, _TICKET)


@njit(error_model="numpy", nogil=True, inline="always")
def _together(memory: Any, plan: Any, given: Any, job: Any, threads: Any, into: Any) -> None:
    """A batch in shares, of which other threads take some; their gradients are added up in order."""
    board, gradients, shares, address = threads
    A, status, at = memory[1], memory[4], plan[0][0]
    set_word(board, _START, job[0])
    set_word(board, _END, job[1])
    set_word(board, _MEAN, job[2] != 1.0)
    set_word(board, _GRADIENT, job[3])
    set_word(board, _CAREFUL, job[4])
    phase = word(board, _PHASE) + 1
    show(board, _PHASE, phase)
    _work_on(memory, plan, given, phase, threads, into)
    turns = 0
    while seen(board, _FINISHED) < phase * shares:
        turns += 1
        if turns > _PATIENCE:
            _yield_at(address)
    _copy(A, 0, gradients, 0, at)
    for share in range(1, shares):
        for i in range(0, at, WIDTH):
            store(A, i, plus(load(A, i), load(gradients, share * at + i)))
    set_word(status, 0, word(status, 0) | word(board, _ERROR))
    set_word(status, 1, word(board, _DOUBT))
    set_word(board, _ERROR, 0)
    set_word(board, _DOUBT, 0)


@njit(error_model="numpy", nogil=True, inline="always")
def _pass(memory: Any, plan: Any, given: Any, place: Any, threads: Any, into: Any, way: Any) -> None:
    """Forward, and with a gradient backward, for the examples of a batch.

    `place` says where the batch begins and ends, the derivative to begin with, and for a program of whole batches
    which batch it is, otherwise -1.
    """
    at, _, _, fresh = plan[0]
    _, _, shared_forward, _, _, shared_backward = plan
    start, end, seed, batch = place
    gradient, careful = way
    _groups(shared_forward[0], shared_forward[1], memory, _int(1), _int(0))
    if batch >= 0:
        _clear(memory[1], fresh, at)
        _fill_batch(memory, given, at, start, end - start, batch)
        _block(memory, plan, _int(1), batch, _int(1), seed, into[0], (gradient, careful | 2))
    elif threads[2] > 1 and end - start > plan[0][2]:
        _together(memory, plan, given, (start, end, seed, gradient, careful), threads, into)
    else:
        _share(memory, plan, given, (start, end, seed, gradient, careful), _int(0), _int(1), into)
    if gradient:
        _groups(shared_backward[0], shared_backward[1], memory, _int(1), _int(0))


@njit(error_model="numpy", nogil=True, inline="always")
def _pass_twice(memory: Any, plan: Any, given: Any, place: Any, threads: Any, into: Any, gradient: int) -> None:
    """Forward and backward, a second time if a nan comes out.

    Whole layers go back as plain matrix products, which give nan for 0 * inf where the chain rule here says 0. So
    then everything is computed again, carefully.
    """
    A, status = memory[1], memory[4]
    for careful in range(2):
        _pass(memory, plan, given, place, threads, into, (gradient, careful))
        if not gradient:
            break
        doubt = word(status, 1)
        # Of many examples a layer's gradient is looked at itself, of one what it is made of.
        if place[3] < 0 and place[1] - place[0] > 1:
            doubt |= _has_nan(A, plan[0][0]) or _has_nan(into[1], into[2] * (place[1] - place[0]))
        if not doubt:
            break
        set_word(status, 1, 0)


@njit(error_model="numpy", nogil=True, inline="always")
def _bare(arrays: Any) -> Any:
    """The pointers that kernels take, and what else the machine needs to know of a program."""
    M, A, S, status, shape, outputs_at, words, shared_forward, forward, backward, shared_backward = arrays
    memory = numbers_of(M), numbers_of(A), numbers_of(S), numbers_of(words), numbers_of(status)
    return memory, (
        (shape[0], shape[1], shape[2], shape[3]),
        (numbers_of(outputs_at), len(outputs_at)),
        (numbers_of(shared_forward), len(shared_forward)),
        (numbers_of(forward), len(forward)),
        (numbers_of(backward), len(backward)),
        (numbers_of(shared_backward), len(shared_backward)),
    )


@njit(error_model="numpy", nogil=True, inline="always")
def _given(X: Any, T: Any, Z: Any, order: Any) -> Any:
    widths = X.shape[1], T.shape[1], Z.shape[1]
    return numbers_of(X), numbers_of(T), numbers_of(Z), numbers_of(order), widths


@njit(error_model="numpy", nogil=True, cache=True)
def help(
    arrays: Any, main: Any, call: int, before: int, board: Any, gradients: Any, address: int, X: Any, T: Any, Z: Any,
    order: Any, outputs: Any, by_inputs: Any,
) -> None:  # fmt: skip
    """Takes shares of every batch, until the call is over.

    Arguments:
        arrays: a work of this thread's own.
        main: the numbers of the main thread's, which has the parameters.
        call, before: the number of the call, and the last phase before it.
        board, gradients, address: those of the threads.
        X, T, Z, order, outputs, by_inputs: as in `run`.
    """
    (memory, plan), notices = _bare(arrays), numbers_of(board)
    given, into = _given(X, T, Z, order), (numbers_of(outputs), numbers_of(by_inputs), by_inputs.shape[1])
    threads, last, turns = (notices, numbers_of(gradients), len(gradients), address), before, 0
    add_one(notices, _HELPERS, 1)
    while seen(notices, _CALL) == call and turns < _GIVE_UP:
        phase = seen(notices, _PHASE)
        if phase == last:
            turns += 1
            if turns > _PATIENCE:
                _yield_at(address)
            continue
        # What is copied is only used if a ticket can be had, and then the phase was not over meanwhile.
        _copy(memory[0], 0, numbers_of(main), 0, plan[0][0])
        _work_on(memory, plan, given, phase, threads, into)
        last, turns = phase, 0
    add_one(notices, _HELPERS, -1)


@njit(error_model="numpy", nogil=True)
def _update(memory: Any, plan: Any, patches: Any, copies: Any, n: int) -> None:
    """Moves the parameters: a program over their data, their gradients, and what is remembered of them, in place.

    It goes over as many parameters at once as fit into the nearest cache.
    """
    U, _, _, words, _ = memory
    shape, _, shared_forward, forward, _, _ = plan
    _groups(shared_forward[0], shared_forward[1], memory, _int(1), _int(0))
    for start in range(0, n, shape[2]):
        lanes = min(shape[2], n - start)
        for k in range(0, 2 * patches[1], 2):
            set_word(words, word(patches[0], k), word(patches[0], k + 1) + start)
        _groups(forward[0], forward[1], memory, lanes, _int(0))
        for k in range(0, 3 * copies[1], 3):
            source = word(copies[0], k) + word(copies[0], k + 1) * lanes
            _copy(U, word(copies[0], k + 2) + start, U, source, lanes)


@njit(error_model="numpy", nogil=True, cache=True)
def run(
    arrays: Any, board: Any, gradients: Any, address: int, update: Any, patches: Any, copies: Any, X: Any, T: Any,
    Z: Any, order: Any, settings: Any, done: Any, scalars: Any, scalars_at: Any, outputs: Any, by_inputs: Any,
    errors: Any,
) -> None:  # fmt: skip
    """Some batches: forward, backward if a gradient is wanted, and an update if there is one.

    Arguments:
        arrays: the work of the program of the loss.
        board, gradients, address: those of its threads.
        update: that of the optimiser's, with a lane for each parameter.
        patches: the words of its code that need an address, and the address of the first parameter's number there.
        copies: outputs that are to be copied: base, row, and the same address.
        X, T, Z: examples, targets, random choices; Z has a row for each place in the order, or for each batch.
        order: which examples, batch after batch.
        settings: the batch size, whether the program is one of whole batches, whether the loss is a mean, whether the
            last scalar is the norm of the gradient, how many numbers are moved (0 for no update), and whether to go
            backward.
        done: counts the steps.
        scalars: for each batch the numbers that the update has for all parameters.
        scalars_at: where they lie in its work.
        outputs: for the outputs, a row for each example, or for each batch.
        by_inputs: for the derivatives by the inputs, if it has columns.
        errors: for the loss of each batch.
    """
    size, whole, mean, clipped, moved, gradient = settings
    (memory, plan), (update_memory, update_plan) = _bare(arrays), _bare(update)
    given, into = _given(X, T, Z, order), (numbers_of(outputs), numbers_of(by_inputs), by_inputs.shape[1])
    threads = numbers_of(board), numbers_of(gradients), len(gradients), address
    width, last = outputs.shape[1], scalars.shape[1] - 1
    for batch in range(len(errors)):
        start = batch * size
        end = min(start + size, len(order))
        seed = 1.0 / (end - start) if mean and not whole else 1.0
        _pass_twice(memory, plan, given, (start, end, seed, batch if whole else -1), threads, into, gradient)
        if word(memory[4], 0):
            break
        error = 0.0
        for i in range(batch if whole else start, batch + 1 if whole else end):
            error += get(into[0], i * width)
        errors[batch] = error * seed
        if clipped:
            scalars[batch, last] = norm(arrays[1][:moved])
        if moved:
            for k in range(len(scalars_at)):
                put(update_memory[0], scalars_at[k], scalars[batch, k])
            patched, copied = (numbers_of(patches), len(patches)), (numbers_of(copies), len(copies))
            _update(update_memory, update_plan, patched, copied, moved)
        done[0] += 1
    add_one(threads[0], _CALL, 1)


_THREADS, _GIVEN, _INTO = (_WORDS, _TABLE, int64), (_TABLE, _TABLE, _TABLE, _WORDS), (_TABLE, _TABLE)
_UPDATE, _HOW = (_ARRAYS, _ROWS, _ROWS), (_WORDS, _WORDS, _TABLE, _WORDS)

SIGNATURES = {
    "help": void(_ARRAYS, _NUMBERS, int64, int64, *_THREADS, *_GIVEN, *_INTO),
    "run": void(_ARRAYS, *_THREADS, *_UPDATE, *_GIVEN, *_HOW, *_INTO, _NUMBERS),
}
