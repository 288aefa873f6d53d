"""How is a program run on examples? This file alone knows in which order the machine takes its arguments."""

from collections.abc import Callable, Sequence
from ctypes import addressof, c_char
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.backend import Examples, Numbers, Results, Settings, Words
from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.fusion import fused
from autograd.compiler.native.code import Code
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.loading import machine
from autograd.compiler.native.loops import most_operands
from autograd.compiler.native.tables import CALL, MOST_ROWS, PROGRAM, SPLATS, WIDEST
from autograd.compiler.native.threads import Threads, address_of_yield, shares_of
from autograd.compiler.scans import unrolled

AT_A_TIME = 1024
"""How many numbers an update moves together: they, their gradients and what is computed between stay in the nearest
cache. With 2,048 a step of 4,810 parameters took 8 % longer."""


class Memory:
    """The numbers of a program and their gradients, while it runs.

    Arguments:
        layout: where they lie.
        lanes: how many examples run together.
    """

    def __init__(self, layout: Layout, lanes: int) -> None:
        self.lanes = lanes
        graph = layout.graph
        size = layout.lanes_at + layout.height * lanes + WIDEST  # the last vector may reach behind the last number
        self.numbers, self.gradients = zeros(size + layout.tapes * lanes), zeros(size)
        self.numbers[layout.constants_at] = graph.constants
        rows = WIDEST * (SPLATS + MOST_ROWS * most_operands(graph, layout.loops))
        self.scratch = zeros(max(rows, layout.transposed))
        self.status = np.zeros(2, np.int64)
        self._sizes = layout.lanes_at, layout.height, lanes
        self._tables: dict[tuple[Code, bool], tuple[Words, Any]] = {}

    def table(self, code: Code, by_inputs: bool) -> Words:
        """The program as the machine takes it: see `machine.PROGRAM`."""
        if (code, by_inputs) not in self._tables:
            tables, outputs = code.tables(by_inputs), code.layout.places(np.array(code.outputs, np.int64))
            arrays = self.numbers, self.gradients, self.scratch, tables.words, self.status
            numbers = [*map(address_of, arrays), *self._sizes, code.fresh_end, address_of(outputs), len(outputs)]
            for group in (tables.shared_forward, tables.forward, tables.backward, tables.shared_backward):
                numbers += address_of(group), len(group)
            numbers[PROGRAM.BACKWARD_COUNT] = len(tables.parts) - 1
            numbers.append(address_of(tables.parts))
            self._tables[code, by_inputs] = np.array(numbers, np.int64), (tables, outputs)
        return self._tables[code, by_inputs][0]


def zeros(*shape: int) -> Numbers:
    """An array of zeros that begins where a line of the cache does.

    Vectors then never lie on two lines: a step for one example takes 3.5 us, where it took up to 6 (64 units).
    """
    size, line = int(np.prod(shape)), 64
    room = np.zeros(size + line // 8)
    start = -address_of(room) % line // 8
    return room[start : start + size].reshape(shape)


def address_of(array: Any) -> int:
    """Where an array's numbers lie. It must be kept alive as long as native code uses it."""
    try:
        return addressof(c_char.from_buffer(array))  # in a fifth of the time
    except (TypeError, ValueError):  # an array that is read-only, or empty
        address: int = array.__array_interface__["data"][0]
        return address


class Update:
    """A program that moves numbers in place, a lane each, after every batch.

    Arguments:
        graph: what is computed for each lane. Its parameters are the numbers that all lanes share.
        arrays: the array of each input, with a number for each lane at its beginning. They must stay where they are.
        targets: for each output the input in whose array it goes.
        lanes: how many numbers are moved.
        norm_last: whether the last parameter is the norm of the gradient, which the machine fills in.
    """

    def __init__(
        self, graph: FlatGraph, arrays: Sequence[Numbers], targets: Sequence[int], lanes: int, norm_last: bool
    ) -> None:
        self.lanes, self.norm_last = lanes, norm_last
        layout = Layout(fused(unrolled(graph)), in_place=targets)
        code, memory = Code(layout), Memory(layout, min(lanes, AT_A_TIME))
        addresses = np.array([(address_of(x) - address_of(memory.numbers)) // 8 for x in arrays], np.int64)
        self.patches, self.copies = code.outside()
        for words in self.patches, self.copies:
            words[:, -1] = addresses[words[:, -1]]
        self.table = memory.table(code, False)
        self.parameters_at = layout.parameters_at.astype(np.int64)
        self._alive = arrays, code, memory


_NO_SCALARS = np.zeros((0, 0))


class LoadedProgram:
    """A program with room for its numbers, and with the threads that help: ready to run.

    Arguments:
        code: the program.
        memory: its numbers.
        settings: how it runs.

    Attributes:
        numbers, gradients: where the program finds its parameters, and leaves the derivatives by them.
        parameters_at: the places of the parameters there.
        moved_end: the end of those that an update moves. They lie at the beginning, with gaps.
        done: how many batches were computed, as the only entry of an array.
    """

    def __init__(self, code: Code, memory: Memory, settings: Settings) -> None:
        self.numbers, self.gradients = memory.numbers, memory.gradients
        self.parameters_at, self.moved_end = code.layout.parameters_at, code.layout.moved_end
        self.done = np.zeros(1, np.int64)
        self._code, self._memory, self._settings = code, memory, settings
        shares = shares_of(settings.side_by_side, memory.lanes, code.layout.weight)
        self._threads = Threads(shares, code.layout.lanes_at)
        self._helpers = [Memory(code.layout, memory.lanes) for _ in range(self._threads.helpers)]

    def run(
        self, examples: Examples, results: Results, update: Update | None = None, scalars: Numbers = _NO_SCALARS
    ) -> None:
        """Goes over some batches, and after each moves numbers, if there is an update.

        Arguments:
            examples: the numbers of the inputs.
            results: where the results go.
            update: moves the parameters.
            scalars: for each batch the parameters of the update.

        Raises:
            IndexError: an index in the graph is out of range for an example.
        """
        self.prepared(examples, results, update, scalars)()

    def pays(self) -> bool:
        """Whether a run is faster than Python: always."""
        return True

    def prepared(
        self,
        examples: Examples,
        results: Results,
        update: Update | None = None,
        scalars: Numbers = _NO_SCALARS,
        gradient: bool = True,
        outputs: tuple[int, ...] | None = None,
    ) -> "Call":
        """`run` with these arguments, to be called again and again, with or without going backward.

        The arrays must stay where they are, unless the call is pointed at others. What they hold may change.

        Arguments:
            outputs: the numbers of some outputs, if they alone are computed. The way back begins at the first of them.
        """
        by_inputs, code = results.by_inputs.shape[1] > 0, self._code.of(outputs)
        words = self._words(code, examples, results, update, scalars, by_inputs)
        words[CALL.GRADIENT] = gradient
        helpers = [memory.table(code, by_inputs) for memory in self._helpers]
        check = partial(self._check_indices, code)
        return Call(words, self._threads, helpers, check, (examples, results, update, scalars))

    def _words(
        self, code: Code, examples: Examples, results: Results, update: Update | None, scalars: Numbers, by_inputs: bool
    ) -> Words:
        """The call as the machine takes it: see `machine.CALL`."""
        how, threads, call = self._settings, self._threads, np.zeros(len(CALL), np.int64)
        given: dict[int, Any] = {
            CALL.PROGRAM: self._memory.table(code, by_inputs),
            CALL.BOARD: threads.board,
            CALL.SHARED_GRADIENTS: threads.gradients,
            CALL.EXAMPLES: examples.rows,
            CALL.TARGETS: examples.targets,
            CALL.CHOICES: examples.choices,
            CALL.ORDER: examples.order,
            CALL.DONE: self.done,
            CALL.RESULTS: results.outputs,
            CALL.BY_INPUTS: results.by_inputs,
            CALL.ERRORS: results.errors,
        }
        if update is not None:
            given |= {CALL.UPDATE: update.table, CALL.PATCHES: update.patches, CALL.COPIES: update.copies}
            given |= {CALL.SCALARS: scalars, CALL.SCALARS_AT: update.parameters_at}
            call[CALL.PATCH_COUNT], call[CALL.COPY_COUNT] = len(update.patches), len(update.copies)
            call[CALL.MOVED], call[CALL.CLIPPED] = update.lanes, update.norm_last
            call[CALL.SCALAR_COLUMNS] = scalars.shape[1]
        for place, array in given.items():
            call[place] = address_of(array)
        for place in (CALL.EXAMPLES, CALL.TARGETS, CALL.CHOICES, CALL.RESULTS, CALL.BY_INPUTS):
            call[place + 1] = given[place].shape[1]
        call[CALL.SHARES], call[CALL.YIELD] = len(threads.gradients), address_of_yield()
        call[CALL.ORDER_LENGTH], call[CALL.BATCHES] = len(examples.order), len(results.errors)
        call[CALL.SIZE], call[CALL.WHOLE], call[CALL.MEAN] = how.batch_size, how.whole, how.mean
        return call

    def _check_indices(self, code: Code) -> None:
        """Raises IndexError if an index was out of range in the last run."""
        status = self._memory.status
        if status[0]:
            x, status[0] = code.instruction_at(int(status[0]) - 1), 0
            raise IndexError(
                f"{x.operation.name} got an index that is no whole number from {1 - len(x.operands)} to "
                f"{len(x.operands) - 2}, for one of the examples"
            )


class Call:
    """A call of the machine, which is written down once, since that takes 20 us, and made again and again.

    Arguments:
        words: see `machine.CALL`.
        threads: those that help.
        helpers: the tables of their programs.
        check: raises the errors that the machine has noted.
        alive: what has the addresses in the words.
    """

    def __init__(
        self, words: Words, threads: Threads, helpers: Sequence[Words], check: Callable[[], None], alive: Any
    ) -> None:
        self._words, self._at, self._run = words, address_of(words), machine().run
        self._threads, self._helpers, self._check, self._alive = threads, helpers, check, alive
        self._pointed: dict[int, NDArray[Any]] = {}

    def point(self, place: int, array: NDArray[Any]) -> None:
        """Has another array of the same columns in a place of the words."""
        self._words[place] = address_of(array)
        self._pointed[place] = array

    def __call__(self) -> None:
        """Runs the program.

        Raises:
            IndexError: an index in the graph is out of range for an example.
        """
        try:
            self._threads.start(self._words, self._helpers, self)
            self._run(self._at)
        finally:
            self._threads.stop()
        self._check()


def load(graph: FlatGraph, moved: int, settings: Settings) -> LoadedProgram:
    """A program whose parameters stay in native code from batch to batch.

    Arguments:
        graph: what is computed, first of all what is to be differentiated.
        moved: how many of its parameters an update moves: the first ones.
        settings: how it runs.
    """
    layout = Layout(fused(graph), moved)
    return LoadedProgram(Code(layout), Memory(layout, layout.lanes(settings.side_by_side)), settings)
