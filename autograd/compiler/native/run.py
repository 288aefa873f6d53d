"""How is a program run on examples? This file alone knows in which order the machine takes its arguments."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.fusion import fused
from autograd.compiler.native.cache import load_function
from autograd.compiler.native.code import Code
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.threads import Threads, address_of_yield, shares_of

ROWS = 8
"""How many rows of vectors a rule may fill while it computes."""

AT_A_TIME = 2048
"""How many numbers an update moves together: what it computes between stays in the nearest cache."""


@dataclass
class Examples:
    """The numbers of the inputs, in this order: examples, targets, random choices.

    Attributes:
        rows: the examples, a row each.
        targets: their targets, a row each.
        choices: random choices, a row for each place in the order, or for each batch.
        order: which examples to take, batch after batch.
    """

    rows: Numbers
    targets: Numbers
    choices: Numbers
    order: Words


@dataclass
class Results:
    """Where the results go.

    Attributes:
        outputs: a row for each place in the order, or for each batch.
        by_inputs: the derivatives by the inputs, if it has columns.
        errors: the first output of each batch.
    """

    outputs: Numbers
    by_inputs: Numbers
    errors: Numbers


@dataclass
class Settings:
    """How a program runs.

    Attributes:
        batch_size: how many examples a batch has.
        whole: whether the program computes a whole batch, and not one example.
        mean: whether the result of a batch is the mean of those of its examples, or else their sum.
        gradient: whether to go backward too.
    """

    batch_size: int
    whole: bool = False
    mean: bool = False
    gradient: bool = True

    @property
    def side_by_side(self) -> int:
        """How many examples of a batch can run side by side."""
        return 1 if self.whole else self.batch_size


class Memory:
    """The numbers of a program and their gradients, while it runs.

    Arguments:
        layout: where they lie.
        lanes: how many examples run together.
    """

    def __init__(self, layout: Layout, lanes: int) -> None:
        self.lanes = lanes
        graph = layout.graph
        size = layout.lanes_at + layout.height * lanes
        self.numbers, self.gradients = np.zeros(size), np.zeros(size)
        self.numbers[layout.constants_at] = graph.constants
        most = int(graph.counts.max(initial=0))
        self.scratch = np.empty(8 * (1 + ROWS * (most + 1)))
        self.status = np.zeros(2, np.int64)
        self.shape = np.array([layout.lanes_at, layout.height, lanes, layout.fresh_end], np.int64)
        self.outputs_at = layout.places(np.array(graph.outputs, np.int64))

    def with_code(self, code: Code, by_inputs: bool) -> tuple[Any, ...]:
        """The numbers and the program, as the machine takes them."""
        own = self.numbers, self.gradients, self.scratch, self.status, self.shape, self.outputs_at
        tables = code.tables(by_inputs)
        groups = tables.shared_forward, tables.forward, tables.backward, tables.shared_backward
        return *own, tables.words, *groups


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
        layout = Layout(fused(graph), in_place=targets)
        code, memory = Code(layout), Memory(layout, min(lanes, AT_A_TIME))
        addresses = np.array([(x.ctypes.data - memory.numbers.ctypes.data) // 8 for x in arrays], np.int64)
        patches, copies = code.outside()
        for words in patches, copies:
            words[:, -1] = addresses[words[:, -1]]
        self.arguments = memory.with_code(code, False), patches, copies
        self.parameters_at = layout.parameters_at.astype(np.int64)
        self._arrays = arrays


_NO_ROWS = np.zeros((0, 3), np.int64)
_NO_MEMORY = (*[np.zeros(0)] * 3, *[np.zeros(4, np.int64)] * 2, _NO_ROWS, np.zeros(0, np.int64), *[_NO_ROWS] * 4)
_NO_UPDATE: Any = SimpleNamespace(
    lanes=0,
    norm_last=False,
    arguments=(_NO_MEMORY, np.zeros((0, 2), np.int64), _NO_ROWS),
    parameters_at=np.zeros(0, np.int64),
)
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
        by_inputs = results.by_inputs.shape[1] > 0
        move = _NO_UPDATE if update is None else update
        how = self._settings
        flags = how.batch_size, how.whole, how.mean, move.norm_last, move.lanes, how.gradient
        board = self._threads.board, self._threads.gradients, address_of_yield()
        given = examples.rows, examples.targets, examples.choices, examples.order
        into = results.outputs, results.by_inputs
        rest = np.array(flags, np.int64), self.done, scalars, move.parameters_at, *into, results.errors
        try:
            if self._helpers:
                self._start_threads(by_inputs, board, given, into)
            program = self._memory.with_code(self._code, by_inputs)
            load_function("machine", "run")(program, *board, *move.arguments, *given, *rest)
        finally:
            self._threads.stop()
        self._check_indices()

    def _start_threads(self, by_inputs: bool, board: Any, given: Any, into: Any) -> None:
        """Starts the threads, each with numbers of its own."""
        call = self._threads.call, self._threads.phase
        self._threads.start(
            partial(
                load_function("machine", "help"),
                *(memory.with_code(self._code, by_inputs), self.numbers, *call, *board, *given, *into),
            )
            for memory in self._helpers
        )

    def _check_indices(self) -> None:
        """Raises IndexError if an index was out of range in the last run."""
        status = self._memory.status
        if status[0]:
            x, status[0] = self._code.instruction_at(int(status[0]) - 1), 0
            raise IndexError(
                f"{x.operation.name} got an index that is no whole number from {1 - len(x.operands)} to "
                f"{len(x.operands) - 2}, for one of the examples"
            )


def load(graph: FlatGraph, moved: int, settings: Settings) -> LoadedProgram:
    """A program whose parameters stay in native code from batch to batch.

    Arguments:
        graph: what is computed, first of all what is to be differentiated.
        moved: how many of its parameters an update moves: the first ones.
        settings: how it runs.
    """
    layout = Layout(fused(graph), moved)
    return LoadedProgram(Code(layout), Memory(layout, layout.lanes(settings.side_by_side)), settings)
