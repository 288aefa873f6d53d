"""Where does native code find what it works on? In tables of whole numbers; these are the names of their places.

This file alone is known both to those who write native code and to those who run it.
"""

from enum import IntEnum

LANES, WANTED = 1, 2
"""What the third word of an operand says: it has a number for each lane; its gradient is wanted."""

IN_FRAME = 4
"""What it says beside that of an output of a loop's body: it was computed there, and is another number in each step."""

REPEATED = 8
"""What it says of an instruction that stands for several: they all read this number, and not one a row further each."""

SPACED = 14
"""How many words a dot of evenly spaced operands has."""

WIDEST = 8
"""The most numbers in a vector. Lanes come in multiples of it, so that every vector divides them."""

SPLATS, MOST_ROWS = 8, 12
"""How many vectors of scratch memory a kernel needs; and how many rows of vectors a rule may fill beside them."""

PROGRAM = IntEnum(
    "PROGRAM",
    "NUMBERS GRADIENTS SCRATCH WORDS STATUS LANES_AT ROWS LANES FRESH_END OUTPUTS_AT OUTPUTS SHARED_FORWARD "
    "SHARED_FORWARD_COUNT FORWARD FORWARD_COUNT BACKWARD BACKWARD_COUNT SHARED_BACKWARD SHARED_BACKWARD_COUNT PARTS",
    start=0,
)
"""A program: addresses, and how much is there.

The lanes begin at LANES_AT, and are ROWS rows of up to LANES numbers. Gradients from FRESH_END on are set to 0 before a
batch. OUTPUTS_AT has three words for each output: base, row, and whether it has lanes. The next eight are the groups:
for each the address of its kernel, its first word, and how many instructions it has. The way back has BACKWARD_COUNT
parts, one for each output whose derivatives are wanted; PARTS says at which group each begins, and where the last ends.
"""

CALL = IntEnum(
    "CALL",
    "PROGRAM BOARD SHARED_GRADIENTS SHARES YIELD UPDATE PATCHES PATCH_COUNT COPIES COPY_COUNT EXAMPLES COLUMNS TARGETS "
    "TARGET_COLUMNS CHOICES CHOICE_COLUMNS ORDER ORDER_LENGTH SIZE WHOLE MEAN CLIPPED MOVED GRADIENT DONE "
    "SCALARS SCALAR_COLUMNS SCALARS_AT RESULTS RESULT_COLUMNS BY_INPUTS BY_INPUT_COLUMNS ERRORS BATCHES",
    start=0,
)
"""A call: addresses of tables, and how large they are.

UPDATE is the program of the optimiser's update, which has a lane for each of the MOVED parameters (0 for no update).
PATCHES are the words of its code that need an address, each with the address of the first parameter's number there.
COPIES are outputs to be copied: base, row, and the same address. CHOICES has a row for each place in the order, or for
each batch. SIZE is that of a batch. WHOLE says whether the program computes a whole batch, MEAN whether the loss is a
mean, CLIPPED whether the last scalar is the norm of the gradient, GRADIENT whether to go backward. DONE
counts the steps. SCALARS has for each batch the numbers that the update has for all parameters.
"""

BOARD = IntEnum("BOARD", "PHASE TICKET FINISHED CALL HELPERS START END MEAN CAREFUL ERROR DOUBT", start=0)
"""What several threads see: which phase it is, the next ticket, how many shares are finished, the number of the call,
and how many threads help; then the job: start, end, whether the derivative begins with 1 / (end - start), and the way;
what went wrong. Phases, tickets, shares and calls are counted on and on."""

LOOP = IntEnum(
    "LOOP",
    "STEPS STATE READS GIVES LANES_AT FRAME HEIGHT TAPE OUTPUTS RESULTS FORWARD FORWARD_COUNT BACKWARD BACKWARD_COUNT",
    start=0,
)
"""A loop with state: how many steps there are, of how many numbers the state consists, how many a step reads, and how
many it gives beside the new state; then places.

The rows of the body begin at row FRAME, HEIGHT of them, and the tape at row TAPE. OUTPUTS are words where there are
three for each output of the body, as for an operand; RESULTS, where there is a row for each result of the loop, or -1
where nobody reads it. FORWARD and BACKWARD are words where the groups of the body are, as for a program.
"""
