"""How does a loop with state run natively? As two loops over its steps, which call the kernels of its body.

They take what all kernels take (see `kernels.py`). The words are those of an instruction of many operands; in the place
of the second one is where the table of the loop lies (`tables.LOOP`). Rows of the body are copied to the tape after
each step; what they held then is put back before the step goes back.
"""

from autograd.compiler.native.kernels import place_of, write_loops
from autograd.compiler.native.tables import IN_FRAME, LANES, LOOP, WANTED
from autograd.compiler.native.terms import Code
from autograd.compiler.native.translation import native
from autograd.compiler.native.vectors import Numbers, Words, call_groups, clear, copy, load, store, width


def write_loop_kernels(code: Code) -> None:
    """Writes the two loops of loops with state."""
    write_loops(code, (loop_forward, loop_backward))


@native
def put(target: Numbers, M: Numbers, words: Words, at: int, lanes: int) -> None:
    """Copies the numbers of an operand to a row."""
    source = place_of(M, words, at, lanes)
    if words[at + 2] & LANES:
        copy(target, source, lanes)
    else:
        number = source[0]
        for i in range(lanes):
            target[i] = number


@native
def give(A: Numbers, words: Words, at: int, lanes: int, upstream: Numbers) -> None:
    """Adds a row of gradients to those of an operand, if they are wanted."""
    if words[at + 2] & WANTED:
        place = place_of(A, words, at, lanes)
        step = words[at + 2] & LANES
        if step and lanes > 1:
            for i in range(0, lanes, width()):
                store(place, i, load(place, i) + load(upstream, i))
        else:
            for i in range(lanes):
                place[i * step] += upstream[i]


@native
def loop_forward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        table, operands = words[at + 1], at + 4
        state, reads, gives = words[table + LOOP.STATE], words[table + LOOP.READS], words[table + LOOP.GIVES]
        height, outputs, results = words[table + LOOP.HEIGHT], words[table + LOOP.OUTPUTS], words[table + LOOP.RESULTS]
        rows = M + words[table + LOOP.LANES_AT]
        frame, tape = rows + words[table + LOOP.FRAME] * lanes, rows + words[table + LOOP.TAPE] * lanes
        for t in range(words[table + LOOP.STEPS]):
            for c in range(state):
                if t == 0:
                    put(frame + c * lanes, M, words, operands + 3 * c, lanes)
                else:
                    out = outputs + 3 * c
                    if words[out + 2] & IN_FRAME:
                        row = (t - 1) * height + words[out + 1] - words[table + LOOP.FRAME]
                        copy(frame + c * lanes, tape + row * lanes, lanes)
                    else:
                        put(frame + c * lanes, M, words, out, lanes)
            for j in range(reads):
                put(frame + (state + j) * lanes, M, words, operands + 3 * (state + t * reads + j), lanes)
            groups = words + words[table + LOOP.FORWARD]
            call_groups(groups, words[table + LOOP.FORWARD_COUNT], M, A, S, words, status, lanes, way)
            if status[0]:
                return
            copy(tape + t * height * lanes, frame, height * lanes)
            for j in range(gives):
                result = words[results + state + t * gives + j]
                if result >= 0:
                    put(rows + result * lanes, M, words, outputs + 3 * (state + j), lanes)
        for c in range(state):
            last = words[results + c]
            if last >= 0:
                put(rows + last * lanes, M, words, outputs + 3 * c, lanes)
        at += 4 + 3 * words[at]


@native
def loop_backward(
    M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, first: int, count: int, lanes: int, way: int
) -> None:
    at = first
    for _ in range(count):
        table, operands = words[at + 1], at + 4
        state, reads, gives = words[table + LOOP.STATE], words[table + LOOP.READS], words[table + LOOP.GIVES]
        height, outputs, results = words[table + LOOP.HEIGHT], words[table + LOOP.OUTPUTS], words[table + LOOP.RESULTS]
        steps, lanes_at, frame_at = words[table + LOOP.STEPS], words[table + LOOP.LANES_AT], words[table + LOOP.FRAME]
        rows, frame = M + lanes_at, A + (lanes_at + frame_at * lanes)
        after = frame + height * lanes  # the gradients of the state behind the step that goes back
        for c in range(state):
            last = words[results + c]
            if last >= 0:
                copy(after + c * lanes, A + (lanes_at + last * lanes), lanes)
            else:
                clear(after + c * lanes, lanes)
        for s in range(steps):
            t = steps - 1 - s
            copy(rows + frame_at * lanes, rows + (words[table + LOOP.TAPE] + t * height) * lanes, height * lanes)
            clear(frame, height * lanes)
            for c in range(state):
                give(A, words, outputs + 3 * c, lanes, after + c * lanes)
            for j in range(gives):
                result = words[results + state + t * gives + j]
                if result >= 0:
                    give(A, words, outputs + 3 * (state + j), lanes, A + (lanes_at + result * lanes))
            groups = words + words[table + LOOP.BACKWARD]
            call_groups(groups, words[table + LOOP.BACKWARD_COUNT], M, A, S, words, status, lanes, way & 1)
            for j in range(reads):
                give(A, words, operands + 3 * (state + t * reads + j), lanes, frame + (state + j) * lanes)
            copy(after, frame, state * lanes)
        for c in range(state):
            give(A, words, operands + 3 * c, lanes, after + c * lanes)
        at += 4 + 3 * words[at]
