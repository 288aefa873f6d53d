"""How is a program run? One group of instructions after the other, each by its native loop, block by block.

The machine is compiled once for all programs: a group is the address of a kernel, and the machine calls it. `run` goes
over examples once, or through an epoch, and moves the parameters after every batch. `help` takes shares of its work in
another thread. Both are called from `run.py` alone, which hands everything over in two tables of whole numbers: the
numbers of a program (`PROGRAM`), and those of a call (`CALL`). The names of their places are below.
"""

from enum import IntEnum
from typing import Any

from llvmlite import ir

from autograd.compiler.native.terms import ADDRESS, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function, writes
from autograd.compiler.native.vectors import (
    Numbers,
    Words,
    absolute,
    add_one,
    call_kernel,
    choose,
    clear,
    copy,
    load,
    numbers_at,
    seen,
    show,
    splat,
    square_root,
    store,
    take_ticket,
    width,
    words_at,
)

PROGRAM = IntEnum(
    "PROGRAM",
    "NUMBERS GRADIENTS SCRATCH WORDS STATUS LANES_AT ROWS LANES FRESH_END OUTPUTS_AT OUTPUTS SHARED_FORWARD "
    "SHARED_FORWARD_COUNT FORWARD FORWARD_COUNT BACKWARD BACKWARD_COUNT SHARED_BACKWARD SHARED_BACKWARD_COUNT",
    start=0,
)
"""A program: addresses, and how much is there.

The lanes begin at LANES_AT, and are ROWS rows of up to LANES numbers. Gradients from FRESH_END on are set to 0 before a
batch. OUTPUTS_AT has three words for each output: base, row, and whether it has lanes. The last eight are the groups:
for each the address of its kernel, its first word, and how many instructions it has.
"""

CALL = IntEnum(
    "CALL",
    "PROGRAM BOARD SHARED_GRADIENTS SHARES YIELD UPDATE PATCHES PATCH_COUNT COPIES COPY_COUNT EXAMPLES COLUMNS TARGETS "
    "TARGET_COLUMNS CHOICES CHOICE_COLUMNS ORDER ORDER_LENGTH SIZE WHOLE MEAN CLIPPED MOVED GRADIENT SEEDED DONE "
    "SCALARS SCALAR_COLUMNS SCALARS_AT RESULTS RESULT_COLUMNS BY_INPUTS BY_INPUT_COLUMNS ERRORS BATCHES",
    start=0,
)
"""A call: addresses of tables, and how large they are.

UPDATE is the program of the optimiser's update, which has a lane for each of the MOVED parameters (0 for no update).
PATCHES are the words of its code that need an address, each with the address of the first parameter's number there.
COPIES are outputs to be copied: base, row, and the same address. CHOICES has a row for each place in the order, or for
each batch. SIZE is that of a batch. WHOLE says whether the program computes a whole batch, MEAN whether the loss is a
mean, CLIPPED whether the last scalar is the norm of the gradient, GRADIENT whether to go backward, and SEEDED from which
output. DONE counts the steps. SCALARS has for each batch the numbers that the update has for all parameters.
"""


@native
def run_groups(groups: Any, memory: Any, lanes: int, way: int) -> None:
    """Runs groups in order."""
    table, count = groups
    M, A, S, words, status = memory
    for g in range(0, 3 * count, 3):
        call_kernel(table[g], M, A, S, words, status, table[g + 1], table[g + 2], lanes, way)


@native
def has_nan(numbers: Numbers, n: int) -> bool:
    """Whether a nan is among the numbers."""
    found = False
    for i in range(n):
        found = found | (numbers[i] != numbers[i])
    return found


@native
def fill(memory: Any, given: Any, at: int, lanes: int, start: int, n: int) -> None:
    """Sets the inputs of a block: example, target, and the random choices for its place in the epoch.

    Lanes beyond the last example repeat it, so that they are as finite as it is.
    """
    M = memory[0] + at
    (X, columns), (T, targets), (Z, choices), order = given
    if lanes == 1:
        example = order[start]
        copy(M, X + example * columns, columns)
        copy(M + columns, T + example * targets, targets)
        copy(M + (columns + targets), Z + start * choices, choices)
        return
    for i in range(lanes):
        place = start + min(i, n - 1)
        example = order[place]
        spread_out(M + i, X + example * columns, columns, lanes)
        spread_out(M + (i + columns * lanes), T + example * targets, targets, lanes)
        spread_out(M + (i + (columns + targets) * lanes), Z + place * choices, choices, lanes)


@native
def spread_out(target: Numbers, source: Numbers, n: int, step: int) -> None:
    """Copies n numbers to places that are a step apart."""
    for p in range(n):
        target[p * step] = source[p]


@native
def fill_batch(memory: Any, given: Any, at: int, start: int, n: int, batch: int) -> None:
    """Sets the inputs of a program for a whole batch: all examples, all targets, all random choices."""
    M = memory[0] + at
    (X, columns), (T, targets), (Z, choices), order = given
    for i in range(n):
        copy(M + i * columns, X + order[start + i] * columns, columns)
        copy(M + (n * columns + i * targets), T + order[start + i] * targets, targets)
    copy(M + n * (columns + targets), Z + batch * choices, choices)


@native
def run_block(memory: Any, plan: Any, lanes: int, start: int, n: int, seed: float, results: Numbers, way: Any) -> None:
    """Forward for the inputs that are set, and backward with `seed` as the derivative of one of the outputs."""
    M, A, S, words, status = memory
    shape, (places, count), shared_forward, forward, backward, shared_backward = plan
    at, rows, most, fresh = shape
    gradient, seeded, careful = way
    run_groups(forward, memory, lanes, 0)
    if status[0]:
        return
    for c in range(count):
        o, step = places[3 * c] + places[3 * c + 1] * lanes, places[3 * c + 2]
        for i in range(n):
            results[(start + i) * count + c] = M[o + i * step]
    if gradient:
        clear(A + at, rows * lanes)
        s, seed_step = places[3 * seeded] + places[3 * seeded + 1] * lanes, places[3 * seeded + 2]
        for i in range(n):
            A[s + i * seed_step] += seed
        run_groups(backward, memory, lanes, careful)


@native
def run_share(memory: Any, plan: Any, given: Any, job: Any, share: int, shares: int, into: Any) -> None:
    """Forward, and with a gradient backward, for every block of a batch that belongs to a share.

    `job` says where the batch begins and ends, the derivative to begin with, and the way.
    """
    M, A, S, words, status = memory
    at, rows, most, fresh = plan[0]
    first, end, seed, gradient, seeded, careful = job
    results, by_inputs, columns = into
    begin = first + share * most
    cleared = 0 if begin >= end else fresh  # what lies before is set by the first block
    clear(A + cleared, at - cleared)
    new = 2
    for start in range(begin, end, shares * most):
        if status[0]:
            return
        n = min(most, end - start)
        lanes = 1 if n == 1 else min(most, (n + 7) // 8 * 8)
        fill(memory, given, at, lanes, start, n)
        run_block(memory, plan, lanes, start, n, seed, results, (gradient, seeded, careful | new))
        new = 0
        for i in range(n if columns else 0):
            for p in range(columns):
                by_inputs[(start + i) * columns + p] = A[at + p * lanes + i]


# Several threads. On the board: which phase it is, the next ticket, how many shares are finished, the number of the
# call, and how many threads help; then the job: start, end, whether the derivative begins with 1 / (end - start), and
# the way; what went wrong (see `status`). Phases, tickets, shares and calls are counted on and on.

PATIENCE = 2000
"""How often a thread looks at the board before it lets others run."""
GIVE_UP = 10_000_000
"""How often it looks in vain before it gives up: some seconds. Then something has kept the call from beginning."""

BOARD = IntEnum(
    "BOARD", "PHASE TICKET FINISHED CALL HELPERS START END MEAN GRADIENT SEEDED CAREFUL ERROR DOUBT", start=0
)


@writes
def let_others_run(code: Code, address: int) -> None:
    """Calls the system's function that lets other threads run."""
    kind = ir.FunctionType(ir.IntType(32), [])
    code.builder.call(code.builder.inttoptr(code.whole(address).value, kind.as_pointer()), [])


@native
def posted_job(board: Words) -> Any:
    """The job on the board."""
    start, end = board[BOARD.START], board[BOARD.END]
    seed = 1.0 / (end - start) if board[BOARD.MEAN] else 1.0
    return start, end, seed, board[BOARD.GRADIENT], board[BOARD.SEEDED], board[BOARD.CAREFUL]


@native
def work_on(memory: Any, plan: Any, given: Any, phase: int, threads: Any, into: Any) -> None:
    """Does shares of a phase until none is left, and puts down the gradient of each."""
    board, gradients, shares, address = threads
    at, status = plan[0][0], memory[4]
    ticket = seen(board, BOARD.TICKET)
    while ticket < phase * shares:
        if take_ticket(board, BOARD.TICKET, ticket):
            share = ticket % shares
            run_share(memory, plan, given, posted_job(board), share, shares, into)
            copy(gradients + share * at, memory[1], at)
            if status[0]:
                show(board, BOARD.ERROR, status[0])
            if status[1]:
                show(board, BOARD.DOUBT, 1)
            status[0] = 0
            status[1] = 0
            add_one(board, BOARD.FINISHED, 1)
        ticket = seen(board, BOARD.TICKET)


@native
def run_together(memory: Any, plan: Any, given: Any, job: Any, threads: Any, into: Any) -> None:
    """A batch in shares, of which other threads take some; their gradients are added up in order."""
    board, gradients, shares, address = threads
    A, status, at = memory[1], memory[4], plan[0][0]
    start, end, seed, gradient, seeded, careful = job
    board[BOARD.START] = start
    board[BOARD.END] = end
    board[BOARD.MEAN] = seed != 1.0
    board[BOARD.GRADIENT] = gradient
    board[BOARD.SEEDED] = seeded
    board[BOARD.CAREFUL] = careful
    phase = board[BOARD.PHASE] + 1
    show(board, BOARD.PHASE, phase)
    work_on(memory, plan, given, phase, threads, into)
    turns = 0
    while seen(board, BOARD.FINISHED) < phase * shares:
        turns += 1
        if turns > PATIENCE:
            let_others_run(address)
    copy(A, gradients, at)
    for share in range(1, shares):
        for i in range(0, at, width()):
            store(A, i, load(A, i) + load(gradients, share * at + i))
    status[0] = status[0] | board[BOARD.ERROR]
    status[1] = board[BOARD.DOUBT]
    board[BOARD.ERROR] = 0
    board[BOARD.DOUBT] = 0


@native
def run_batch(memory: Any, plan: Any, given: Any, place: Any, threads: Any, into: Any, way: Any) -> None:
    """Forward, and with a gradient backward, for the examples of a batch.

    `place` says where the batch begins and ends, the derivative to begin with, and for a program of whole batches
    which batch it is, otherwise -1.
    """
    at, rows, most, fresh = plan[0]
    shared_forward, shared_backward = plan[2], plan[5]
    start, end, seed, batch = place
    gradient, seeded, careful = way
    run_groups(shared_forward, memory, 1, 0)
    if batch >= 0:
        clear(memory[1] + fresh, at - fresh)
        fill_batch(memory, given, at, start, end - start, batch)
        run_block(memory, plan, 1, batch, 1, seed, into[0], (gradient, seeded, careful | 2))
    else:
        job = start, end, seed, gradient, seeded, careful
        if threads[2] > 1 and end - start > most:
            run_together(memory, plan, given, job, threads, into)
        else:
            run_share(memory, plan, given, job, 0, 1, into)
    if gradient:
        run_groups(shared_backward, memory, 1, 0)


@native
def run_batch_twice(memory: Any, plan: Any, given: Any, place: Any, threads: Any, into: Any, way: Any) -> None:
    """Forward and backward, a second time if a nan comes out.

    Whole layers go back as plain matrix products, which give nan for 0 * inf where the chain rule here says 0. So
    then everything is computed again, carefully.
    """
    A, status = memory[1], memory[4]
    start, end, seed, batch = place
    gradient, seeded = way
    for careful in range(2):
        run_batch(memory, plan, given, place, threads, into, (gradient, seeded, careful))
        if not gradient:
            break
        doubt = status[1] != 0
        # Of many examples a layer's gradient is looked at itself, of one what it is made of.
        if batch < 0 and end - start > 1:
            if has_nan(A, plan[0][0]) or has_nan(into[1], into[2] * (end - start)):
                doubt = True
        if not doubt:
            break
        status[1] = 0


@native
def program_at(table: Words) -> Any:
    """The addresses that kernels take, and what else the machine needs to know of a program."""
    memory = (
        numbers_at(table[PROGRAM.NUMBERS]),
        numbers_at(table[PROGRAM.GRADIENTS]),
        numbers_at(table[PROGRAM.SCRATCH]),
        words_at(table[PROGRAM.WORDS]),
        words_at(table[PROGRAM.STATUS]),
    )
    shape = table[PROGRAM.LANES_AT], table[PROGRAM.ROWS], table[PROGRAM.LANES], table[PROGRAM.FRESH_END]
    outputs = words_at(table[PROGRAM.OUTPUTS_AT]), table[PROGRAM.OUTPUTS]
    shared_forward = words_at(table[PROGRAM.SHARED_FORWARD]), table[PROGRAM.SHARED_FORWARD_COUNT]
    forward = words_at(table[PROGRAM.FORWARD]), table[PROGRAM.FORWARD_COUNT]
    backward = words_at(table[PROGRAM.BACKWARD]), table[PROGRAM.BACKWARD_COUNT]
    shared_backward = words_at(table[PROGRAM.SHARED_BACKWARD]), table[PROGRAM.SHARED_BACKWARD_COUNT]
    return memory, (shape, outputs, shared_forward, forward, backward, shared_backward)


@native
def given_in(call: Words) -> Any:
    """The numbers of the inputs: examples, targets and choices, each with its columns; and the order."""
    return (
        (numbers_at(call[CALL.EXAMPLES]), call[CALL.COLUMNS]),
        (numbers_at(call[CALL.TARGETS]), call[CALL.TARGET_COLUMNS]),
        (numbers_at(call[CALL.CHOICES]), call[CALL.CHOICE_COLUMNS]),
        words_at(call[CALL.ORDER]),
    )


@native
def results_of(call: Words) -> Any:
    """Where the results go."""
    return numbers_at(call[CALL.RESULTS]), numbers_at(call[CALL.BY_INPUTS]), call[CALL.BY_INPUT_COLUMNS]


@native
def threads_of(call: Words) -> Any:
    """The board, the gradients of each share, how many shares a batch has, and the function that lets others run."""
    return words_at(call[CALL.BOARD]), numbers_at(call[CALL.SHARED_GRADIENTS]), call[CALL.SHARES], call[CALL.YIELD]


@native
def help(call: Words, own: Words, number: int, before: int) -> None:
    """Takes shares of every batch, until the call is over.

    Arguments:
        call: the call.
        own: the program, with numbers of this thread's own. Those of the call have the parameters.
        number, before: the number of the call, and the last phase before it.
    """
    memory, plan = program_at(own)
    main = numbers_at(words_at(call[CALL.PROGRAM])[PROGRAM.NUMBERS])
    given, into, threads = given_in(call), results_of(call), threads_of(call)
    board, gradients, shares, address = threads
    last = before
    turns = 0
    add_one(board, BOARD.HELPERS, 1)
    while (seen(board, BOARD.CALL) == number) & (turns < GIVE_UP):
        phase = seen(board, BOARD.PHASE)
        if phase == last:
            turns += 1
            if turns > PATIENCE:
                let_others_run(address)
        else:
            # What is copied is only used if a ticket can be had, and then the phase was not over meanwhile.
            copy(memory[0], main, plan[0][0])
            work_on(memory, plan, given, phase, threads, into)
            last = phase
            turns = 0
    add_one(board, BOARD.HELPERS, -1)


@native
def move(call: Words, memory: Any, plan: Any, n: int) -> None:
    """Moves the parameters: a program over their data, their gradients, and what is remembered of them, in place.

    It goes over as many parameters at once as fit into the nearest cache.
    """
    U, _, _, words, _ = memory
    most = plan[0][2]
    patches, patch_count = words_at(call[CALL.PATCHES]), call[CALL.PATCH_COUNT]
    copies, copy_count = words_at(call[CALL.COPIES]), call[CALL.COPY_COUNT]
    run_groups(plan[2], memory, 1, 0)
    for start in range(0, n, most):
        lanes = min(most, n - start)
        for k in range(0, 2 * patch_count, 2):
            words[patches[k]] = patches[k + 1] + start
        run_groups(plan[3], memory, lanes, 0)
        for k in range(0, 3 * copy_count, 3):
            copy(U + (copies[k + 2] + start), U + (copies[k] + copies[k + 1] * lanes), lanes)


@native
def norm_of(numbers: Numbers, n: int, scratch: Numbers) -> float:
    """The square root of the sum of squares of n numbers, a multiple of eight: as exact as `math.hypot` nearly always.

    Numbers are scaled so that no square leaves the range. Sums are kept with twice the digits.
    """
    largest = splat(0.0)
    finite = splat(0.0)
    for i in range(0, n, width()):
        size = absolute(load(numbers, i))
        largest = choose(size > largest, size, largest)
        finite = finite + size * 0.0
    store(scratch, 0, largest)
    store(scratch, width(), finite)
    top = 0.0
    doubt = 0.0
    for k in range(width()):
        top = max(scratch[k], top)
        doubt += scratch[width() + k]
    if doubt != 0.0:
        return choose(top == float("inf"), top, doubt)
    scale = choose(top > 2.0**500, 2.0**-600, choose(top < 2.0**-400, 2.0**600, 1.0))
    many = splat(0.0)
    error = splat(0.0)
    for i in range(0, n, width()):
        scaled = load(numbers, i) * scale
        square = scaled * scaled
        new = many + square
        error = error + choose(many >= square, (many - new) + square, (square - new) + many)
        many = new
    store(scratch, 0, many)
    store(scratch, width(), error)
    all_squares = 0.0
    rest = 0.0
    for k in range(width()):
        after = all_squares + scratch[k]
        rest += scratch[width() + k]
        rest += choose(
            all_squares >= scratch[k], (all_squares - after) + scratch[k], (scratch[k] - after) + all_squares
        )
        all_squares = after
    return square_root(all_squares + rest) / scale


@native
def run(call: Words) -> None:
    """Some batches: forward, backward if a gradient is wanted, and an update if there is one."""
    memory, plan = program_at(words_at(call[CALL.PROGRAM]))
    given, into, threads = given_in(call), results_of(call), threads_of(call)
    A, status = memory[1], memory[4]
    size, is_whole, moved = call[CALL.SIZE], call[CALL.WHOLE], call[CALL.MOVED]
    scalars, columns = numbers_at(call[CALL.SCALARS]), call[CALL.SCALAR_COLUMNS]
    done, errors = words_at(call[CALL.DONE]), numbers_at(call[CALL.ERRORS])
    for batch in range(call[CALL.BATCHES]):
        start = batch * size
        end = min(start + size, call[CALL.ORDER_LENGTH])
        seed = 1.0 / (end - start) if call[CALL.MEAN] and not is_whole else 1.0
        place = start, end, seed, batch if is_whole else -1
        run_batch_twice(memory, plan, given, place, threads, into, (call[CALL.GRADIENT], call[CALL.SEEDED]))
        if status[0]:
            break
        error = 0.0
        for i in range(batch if is_whole else start, batch + 1 if is_whole else end):
            error += into[0][i * call[CALL.RESULT_COLUMNS]]
        errors[batch] = error * seed
        if call[CALL.CLIPPED]:
            scalars[batch * columns + columns - 1] = norm_of(A, moved, memory[2])
        if moved:
            update_memory, update_plan = program_at(words_at(call[CALL.UPDATE]))
            places = words_at(call[CALL.SCALARS_AT])
            for k in range(columns):
                update_memory[0][places[k]] = scalars[batch * columns + k]
            move(call, update_memory, update_plan, moved)
        done[0] += 1
    add_one(threads[0], BOARD.CALL, 1)


def write_machine(code: Code) -> None:
    """Writes `run` and `help`."""
    write_function(code, "run", run, [ADDRESS], lambda call: [Pointer(code, call, INT)])
    write_function(
        code,
        "help",
        help,
        [ADDRESS, ADDRESS, INT, INT],
        lambda call, own, *numbers: [Pointer(code, call, INT), Pointer(code, own, INT), *map(code.term, numbers)],
    )
