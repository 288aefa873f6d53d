"""How is a program run? One group of instructions after the other, each by its native loop, block by block.

The machine is compiled once for all programs: a group is the address of a kernel, and the machine calls it. `run` goes
over examples once, or through an epoch, and moves the parameters after every batch. `help` takes shares of its work in
another thread. Both are called from `run.py` alone, which hands everything over in two tables of whole numbers: the
numbers of a program (`tables.PROGRAM`), and those of a call (`tables.CALL`).
"""

from functools import partial
from typing import Any

from llvmlite import ir

from autograd.compiler.native.tables import BOARD, CALL, PROGRAM, WIDEST
from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function, writes
from autograd.compiler.native.vectors import (
    Numbers,
    Words,
    absolute,
    add_one,
    call_groups,
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
    total,
    transposed,
    up_to,
    width,
    words_at,
)


def _address(code: Code, table: Any, place: int, kind: Any) -> Pointer:
    """The address at a place of a table, of numbers or of words."""
    return Pointer(code, code.builder.inttoptr(table[place].value, ADDRESS), kind)


class Program:
    """A program: its addresses and sizes, as they were when it was read."""

    def __init__(self, code: Code, table: Any) -> None:
        at, self.table = partial(_address, code, table), table
        self.M, self.A, self.S = (at(x, FLOAT) for x in (PROGRAM.NUMBERS, PROGRAM.GRADIENTS, PROGRAM.SCRATCH))
        self.words, self.status = at(PROGRAM.WORDS, INT), at(PROGRAM.STATUS, INT)
        self.lanes_at, self.rows, self.lanes = table[PROGRAM.LANES_AT], table[PROGRAM.ROWS], table[PROGRAM.LANES]
        self.fresh_end = table[PROGRAM.FRESH_END]
        self.outputs_at, self.outputs = at(PROGRAM.OUTPUTS_AT, INT), table[PROGRAM.OUTPUTS]
        self.parts = at(PROGRAM.PARTS, INT)
        names = PROGRAM.SHARED_FORWARD, PROGRAM.FORWARD, PROGRAM.BACKWARD, PROGRAM.SHARED_BACKWARD
        pairs = [(at(x, INT), table[x + 1]) for x in names]
        self.shared_forward, self.forward, self.backward, self.shared_backward = pairs


@writes
def program_at(code: Code, table: Words) -> Any:
    """The program that a table describes."""
    return Program(code, table)


class Call:
    """A call: its addresses and sizes, as they were when it was read."""

    def __init__(self, code: Code, table: Any) -> None:
        at, self.table = partial(_address, code, table), table
        self.board, self.gradients = at(CALL.BOARD, INT), at(CALL.SHARED_GRADIENTS, FLOAT)
        self.shares, self.yield_at = table[CALL.SHARES], table[CALL.YIELD]
        self.X, self.columns = at(CALL.EXAMPLES, FLOAT), table[CALL.COLUMNS]
        self.T, self.targets = at(CALL.TARGETS, FLOAT), table[CALL.TARGET_COLUMNS]
        self.Z, self.choices = at(CALL.CHOICES, FLOAT), table[CALL.CHOICE_COLUMNS]
        self.order, self.length = at(CALL.ORDER, INT), table[CALL.ORDER_LENGTH]
        self.results, self.width = at(CALL.RESULTS, FLOAT), table[CALL.RESULT_COLUMNS]
        self.by_inputs, self.inputs = at(CALL.BY_INPUTS, FLOAT), table[CALL.BY_INPUT_COLUMNS]
        self.gradient = table[CALL.GRADIENT]


@writes
def call_at(code: Code, table: Words) -> Any:
    """The call that a table describes."""
    return Call(code, table)


@native
def run_groups(groups: Any, program: Any, lanes: int, way: int) -> None:
    """Runs groups in order."""
    table, count = groups
    call_groups(table, count, program.M, program.A, program.S, program.words, program.status, lanes, way)


@native
def has_nan(numbers: Numbers, n: int) -> bool:
    """Whether a nan is among the numbers."""
    whole = n - n % width()
    found = splat(0.0)
    for i in range(0, whole, width()):
        x = load(numbers, i)
        found = choose(x == x, found, splat(1.0))
    answer = total(found) != 0.0
    for i in range(whole, n):
        answer = answer | (numbers[i] != numbers[i])
    return answer


@native
def fill(program: Any, given: Any, lanes: int, start: int, n: int) -> None:
    """Sets the inputs of a block: example, target, and the random choices for its place in the epoch.

    Lanes beyond the last example repeat it, so that they are as finite as it is.
    """
    M = program.M + program.lanes_at
    columns, targets, choices = given.columns, given.targets, given.choices
    if lanes == 1:
        example = given.order[start]
        copy(M, given.X + example * columns, columns)
        copy(M + columns, given.T + example * targets, targets)
        copy(M + (columns + targets), given.Z + start * choices, choices)
        return
    for i in range(0, lanes, width()):
        places = [start + min(i + r, n - 1) for r in up_to(width())]
        examples = [given.order[place] for place in places]
        spread_out(M + i, [given.X + example * columns for example in examples], columns, lanes)
        spread_out(M + (i + columns * lanes), [given.T + example * targets for example in examples], targets, lanes)
        spread_out(
            M + (i + (columns + targets) * lanes), [given.Z + place * choices for place in places], choices, lanes
        )


@native
def spread_out(target: Numbers, rows: Any, n: int, lanes: int) -> None:
    """Copies the n numbers of each row to a lane; as many lanes as a vector has numbers.

    A square of numbers at a time is turned in registers. One by one it took as long as a small layer.
    """
    whole = n - n % width()
    for p in range(0, whole, width()):
        turned = transposed([load(row, p) for row in rows])
        for c in up_to(width()):
            store(target, (p + c) * lanes, turned[c])
    for p in range(whole, n):
        for r in up_to(width()):
            target[p * lanes + r] = rows[r][p]


@native
def fill_batch(program: Any, given: Any, start: int, n: int, batch: int) -> None:
    """Sets the inputs of a program for a whole batch: all examples, all targets, all random choices."""
    M = program.M + program.lanes_at
    columns, targets, choices = given.columns, given.targets, given.choices
    for i in range(n):
        example = given.order[start + i]
        copy(M + i * columns, given.X + example * columns, columns)
        copy(M + (n * columns + i * targets), given.T + example * targets, targets)
    copy(M + n * (columns + targets), given.Z + batch * choices, choices)


@native
def run_block(program: Any, given: Any, lanes: int, start: int, n: int, seed: float, way: int) -> None:
    """Forward for the inputs that are set, and backward with `seed` as the derivative of the output of each part."""
    M, A, places, count = program.M, program.A, program.outputs_at, program.outputs
    run_groups(program.forward, program, lanes, 0)
    if program.status[0]:
        return
    for c in range(count):
        o, step = places[3 * c] + places[3 * c + 1] * lanes, places[3 * c + 2]
        for i in range(n):
            given.results[(start + i) * count + c] = M[o + i * step]
    table, parts = program.backward
    columns = given.inputs
    for k in range(parts if given.gradient else 0):
        clear(A + program.lanes_at, program.rows * lanes)
        o, step = places[3 * k] + places[3 * k + 1] * lanes, places[3 * k + 2]
        for i in range(n):
            A[o + i * step] += seed
        begin = program.parts[k]
        run_groups((table + 3 * begin, program.parts[k + 1] - begin), program, lanes, way)
        for i in range(n if columns else 0):
            for p in range(columns):
                given.by_inputs[((start + i) * parts + k) * columns + p] = A[program.lanes_at + p * lanes + i]


@writes
def run_share(code: Code, program: Any, given: Any, job: Any, share: Any, shares: Any) -> None:
    """Calls `share_of_batch`, which is written down once: in each of its three places it would take 0.1 s to compile.

    `job` says where the batch begins and ends, the derivative to begin with, and the way.
    """
    first, end, seed, careful = job
    arguments = [code.whole(first), code.whole(end), code.number(seed), *map(code.whole, (careful, share, shares))]
    known = code.module.globals["share_of_batch"]
    code.builder.call(known, [program.table.value, given.table.value, *(x.value for x in arguments)])


@native
def share_of_batch(
    program_table: Words, call_table: Words, first: int, end: int, seed: float, careful: int, share: int, shares: int
) -> None:
    """Forward, and with a gradient backward, for every block of a batch that belongs to a share."""
    program, given = program_at(program_table), call_at(call_table)
    most, A, at = program.lanes, program.A, program.lanes_at
    begin = first + share * most
    cleared = 0 if begin >= end else program.fresh_end  # what lies before is set by the first block
    clear(A + cleared, at - cleared)
    new = 2
    for start in range(begin, end, shares * most):
        if program.status[0]:
            return
        n = min(most, end - start)
        lanes = 1 if n == 1 else min(most, (n + WIDEST - 1) // WIDEST * WIDEST)
        fill(program, given, lanes, start, n)
        run_block(program, given, lanes, start, n, seed, careful | new)
        new = 0


# Several threads: see `tables.BOARD`.

PATIENCE = 2000
"""How often a thread looks at the board before it lets others run."""
GIVE_UP = 10_000_000
"""How often it looks in vain before it gives up: some seconds. Then something has kept the call from beginning."""


@writes
def let_others_run(code: Code, address: int) -> None:
    """Calls the system's function that lets other threads run."""
    kind = ir.FunctionType(ir.IntType(32), [])
    code.builder.call(code.builder.inttoptr(code.whole(address).value, kind.as_pointer()), [])


@native
def posted_job(board: Words) -> Any:
    """The job on the board."""
    start, end = board[BOARD.START], board[BOARD.END]
    return start, end, 1.0 / (end - start) if board[BOARD.MEAN] else 1.0, board[BOARD.CAREFUL]


@native
def work_on(program: Any, given: Any, phase: int) -> None:
    """Does shares of a phase until none is left, and puts down the gradient of each."""
    board, shares, at, status = given.board, given.shares, program.lanes_at, program.status
    ticket = seen(board, BOARD.TICKET)
    while ticket < phase * shares:
        if take_ticket(board, BOARD.TICKET, ticket):
            share = ticket % shares
            run_share(program, given, posted_job(board), share, shares)
            copy(given.gradients + share * at, program.A, at)
            if status[0]:
                show(board, BOARD.ERROR, status[0])
            if status[1]:
                show(board, BOARD.DOUBT, 1)
            status[0] = 0
            status[1] = 0
            add_one(board, BOARD.FINISHED, 1)
        ticket = seen(board, BOARD.TICKET)


@native
def run_together(program: Any, given: Any, job: Any) -> None:
    """A batch in shares, of which other threads take some; their gradients are added up in order."""
    board, shares, A, at, status = given.board, given.shares, program.A, program.lanes_at, program.status
    start, end, seed, careful = job
    board[BOARD.START] = start
    board[BOARD.END] = end
    board[BOARD.MEAN] = seed != 1.0
    board[BOARD.CAREFUL] = careful
    phase = board[BOARD.PHASE] + 1
    show(board, BOARD.PHASE, phase)
    work_on(program, given, phase)
    turns = 0
    while seen(board, BOARD.FINISHED) < phase * shares:
        turns += 1
        if turns > PATIENCE:
            let_others_run(given.yield_at)
    copy(A, given.gradients, at)
    for share in range(1, shares):
        for i in range(0, at, width()):
            store(A, i, load(A, i) + load(given.gradients, share * at + i))
    status[0] = status[0] | board[BOARD.ERROR]
    status[1] = board[BOARD.DOUBT]
    board[BOARD.ERROR] = 0
    board[BOARD.DOUBT] = 0


@native
def run_batch(program: Any, given: Any, job: Any, batch: int) -> None:
    """Forward, and with a gradient backward, for the examples of a batch.

    `batch` says which batch it is for a program of whole batches, and is otherwise -1.
    """
    start, end, seed, careful = job
    run_groups(program.shared_forward, program, 1, 0)
    if batch >= 0:
        clear(program.A + program.fresh_end, program.lanes_at - program.fresh_end)
        fill_batch(program, given, start, end - start, batch)
        run_block(program, given, 1, batch, 1, seed, careful | 2)
    elif (given.shares > 1) & (end - start > program.lanes):
        run_together(program, given, job)
    else:
        run_share(program, given, job, 0, 1)
    if given.gradient:
        run_groups(program.shared_backward, program, 1, 0)


@native
def run_batch_twice(program: Any, given: Any, start: int, end: int, seed: float, batch: int) -> None:
    """Forward and backward, a second time if a nan comes out.

    Whole layers go back as plain matrix products, which give nan for 0 * inf where the chain rule here says 0. So
    then everything is computed again, carefully.
    """
    for careful in range(2):
        run_batch(program, given, (start, end, seed, careful), batch)
        if not given.gradient:
            break
        doubt = program.status[1] != 0
        # Of many examples a layer's gradient is looked at itself, of one what it is made of.
        if (batch < 0) & (end - start > 1):
            doubt = doubt | has_nan(program.A, program.lanes_at)
            doubt = doubt | has_nan(given.by_inputs, given.inputs * (end - start) * program.backward[1])
        if not doubt:
            break
        program.status[1] = 0


@native
def help(call: Words, own: Words, number: int, before: int) -> None:
    """Takes shares of every batch, until the call is over.

    Arguments:
        call: the call.
        own: the program, with numbers of this thread's own. Those of the call have the parameters.
        number, before: the number of the call, and the last phase before it.
    """
    program, given = program_at(own), call_at(call)
    main, board = numbers_at(words_at(call[CALL.PROGRAM])[PROGRAM.NUMBERS]), given.board
    last = before
    turns = 0
    add_one(board, BOARD.HELPERS, 1)
    while (seen(board, BOARD.CALL) == number) & (turns < GIVE_UP):
        phase = seen(board, BOARD.PHASE)
        if phase == last:
            turns += 1
            if turns > PATIENCE:
                let_others_run(given.yield_at)
        else:
            # What is copied is only used if a ticket can be had, and then the phase was not over meanwhile.
            copy(program.M, main, program.lanes_at)
            work_on(program, given, phase)
            last = phase
            turns = 0
    add_one(board, BOARD.HELPERS, -1)


@native
def move(call: Words, scalars: Numbers, n: int) -> None:
    """Moves the parameters: a program over their data, their gradients, and what is remembered of them, in place.

    It goes over as many parameters at once as fit into the nearest cache. `scalars` are the numbers for all of them.
    """
    update = program_at(words_at(call[CALL.UPDATE]))
    U, most, places = update.M, update.lanes, words_at(call[CALL.SCALARS_AT])
    patches, copies = words_at(call[CALL.PATCHES]), words_at(call[CALL.COPIES])
    for k in range(call[CALL.SCALAR_COLUMNS]):
        U[places[k]] = scalars[k]
    run_groups(update.shared_forward, update, 1, 0)
    for start in range(0, n, most):
        lanes = min(most, n - start)
        for k in range(0, 2 * call[CALL.PATCH_COUNT], 2):
            update.words[patches[k]] = patches[k + 1] + start
        run_groups(update.forward, update, lanes, 0)
        for k in range(0, 3 * call[CALL.COPY_COUNT], 3):
            copy(U + (copies[k + 2] + start), U + (copies[k] + copies[k + 1] * lanes), lanes)


@native
def norm_of(numbers: Numbers, n: int, scratch: Numbers) -> Any:
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
    program, given = program_at(words_at(call[CALL.PROGRAM])), call_at(call)
    size, is_whole, moved = call[CALL.SIZE], call[CALL.WHOLE], call[CALL.MOVED]
    scalars, done, errors = numbers_at(call[CALL.SCALARS]), words_at(call[CALL.DONE]), numbers_at(call[CALL.ERRORS])
    for batch in range(call[CALL.BATCHES]):
        start = batch * size
        end = min(start + size, given.length)
        seed = 1.0 / (end - start) if (call[CALL.MEAN] != 0) & (is_whole == 0) else 1.0
        run_batch_twice(program, given, start, end, seed, batch if is_whole else -1)
        if program.status[0]:
            break
        error = 0.0
        for i in range(batch if is_whole else start, batch + 1 if is_whole else end):
            error += given.results[i * given.width]
        errors[batch] = error * seed
        columns = call[CALL.SCALAR_COLUMNS]
        if call[CALL.CLIPPED]:
            scalars[batch * columns + columns - 1] = norm_of(program.A, moved, program.S)
        if moved:
            move(call, scalars + batch * columns, moved)
        done[0] += 1
    add_one(given.board, BOARD.CALL, 1)


def write_machine(code: Code) -> None:
    """Writes `run` and `help`, and what both call."""

    def words_first(count: int) -> Any:
        return lambda *given: [*(Pointer(code, x, INT) for x in given[:count]), *map(code.term, given[count:])]

    share = [ADDRESS, ADDRESS, INT, INT, FLOAT, INT, INT, INT]
    write_function(code, "share_of_batch", share_of_batch, share, words_first(2))
    write_function(code, "run", run, [ADDRESS], words_first(1))
    write_function(code, "help", help, [ADDRESS, ADDRESS, INT, INT], words_first(2))
