"""Where does each number of a program lie, and in what order do its kernels run?

Results that depend on an input have a number for each example; what depends on parameters alone is shared by all, and
computed once. The work array holds a block of examples of the first kind, and behind them the shared numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.cache import kernels_of, warm_up
from autograd.compiler.machine import run
from autograd.compiler.recording import Instruction, Recording
from autograd.compiler.work import Numbers

BLOCK = 64
"""At least so many examples are computed together: with fewer, calling a kernel costs more than its work."""

CACHE = 16_384
"""Small programs compute more together, as long as their results stay within so many numbers: 256 KiB both ways."""


@dataclass(frozen=True)
class Code:
    """Instructions as the machine reads them: arrays, and the same in reverse for the way back."""

    forward: tuple[Any, ...]
    backward: tuple[Any, ...]

    @staticmethod
    def of(instructions: Sequence[tuple[Instruction, int]]) -> "Code":
        """The code of instructions, each with the place where its operands begin in the list of all."""
        kernels = [kernels_of(x.operation) for x, _ in instructions]
        places = [(first, len(x.operands), x.out) for x, first in instructions]
        table = np.array([(*pair, *place) for pair, place in zip(kernels, places, strict=True)], np.int64)
        there, back, *columns = np.ascontiguousarray(table.reshape(-1, 5).T)
        return Code((there, *columns), tuple(column[::-1].copy() for column in (back, *columns)))


class Plan:
    """The layout of a program's numbers, and its code.

    Arguments:
        recording: the graph, flattened.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        warm_up({x.operation for x in recording.instructions})
        inputs, leaves = recording.inputs, recording.leaves
        shared = np.ones(leaves + len(recording.instructions), bool)
        shared[:inputs] = False
        for x in recording.instructions:
            shared[x.out] = all(shared[slot] for slot in x.operands)
        self.shared = shared
        self.rows = np.cumsum(~shared) - 1  # of the slots with a number for each example
        self.places = np.cumsum(shared) - 1  # of the others
        operands = [slot for x in recording.instructions for slot in x.operands]
        self.operands = np.array(operands, np.int64)
        self.wanted = np.array([not recording.is_constant(slot) for slot in operands], np.int64)
        begins = np.cumsum([0, *(len(x.operands) for x in recording.instructions)]).tolist()
        every = list(zip(recording.instructions, begins, strict=False))
        self.code = Code.of([pair for pair in every if not shared[pair[0].out]])
        self.shared_code = Code.of([pair for pair in every if shared[pair[0].out]])

    def work(self, examples: int) -> "NativeWork":
        """Room for a run on so many examples."""
        return NativeWork(self, examples)


class NativeWork:
    """A program's numbers and their gradients, while it runs.

    Arguments:
        plan: the program's plan.
        examples: how many there will be in all.
    """

    def __init__(self, plan: Plan, examples: int) -> None:
        recording, slots = plan.recording, int((~plan.shared).sum())
        self.plan, self.block = plan, max(1, min(max(BLOCK, CACHE // max(slots, 1)), examples))
        rows = slots * self.block
        self.at = np.where(plan.shared, rows + plan.places, plan.rows * self.block)
        self.step = (~plan.shared).astype(np.int64)
        self.numbers = np.empty(rows + int(plan.shared.sum()))
        self.gradients = np.zeros_like(self.numbers)
        self.status = np.zeros(1, np.int64)
        arrays = (self.numbers, self.gradients, self.at, self.step, plan.operands, plan.wanted, self.status)
        self.pointers = tuple(array.ctypes.data for array in arrays)
        self.rows, self.inputs = rows, self.numbers[: recording.inputs * self.block].reshape(-1, self.block)
        self.input_gradients = self.gradients[: recording.inputs * self.block].reshape(-1, self.block)
        self.parameters = slice(rows, rows + len(recording.parameters))
        self.numbers[self.parameters.stop : rows + recording.leaves - recording.inputs] = recording.constants

    def begin(self, leaves: Sequence[float] | Numbers) -> None:
        """Takes the numbers that the parameters have now; the sums of their derivatives start at 0."""
        self.numbers[self.parameters] = leaves
        self.gradients[self.rows :] = 0.0
        self._run(self.plan.shared_code.forward, 1)

    def forward(self, block: Numbers) -> None:
        """Computes the results for some examples, at most `block` of them."""
        self.inputs[:, : len(block)] = block.T
        self._run(self.plan.code.forward, len(block))

    def outputs(self, n: int) -> Numbers:
        """The outputs for the n examples of the last `forward`, a row each."""
        slots = self.plan.recording.outputs
        return np.stack([self.numbers[self._places(slot, n)] for slot in slots], axis=1)

    def backward(self, n: int) -> Numbers:
        """The derivatives of the first output by the inputs, for the n examples of the last `forward`, a row each.

        Those by what the examples share add up until `backward_shared`.
        """
        self.gradients[: self.rows] = 0.0
        np.add.at(self.gradients, self._places(self.plan.recording.outputs[0], n), 1.0)
        self._run(self.plan.code.backward, n)
        return self.input_gradients[:, :n].T

    def backward_shared(self) -> Numbers:
        """The derivatives of the first output by the parameters, summed over all examples so far."""
        self._run(self.plan.shared_code.backward, 1)
        return self.gradients[self.parameters].copy()

    def _places(self, slot: int, n: int) -> NDArray[np.int64]:
        """Where the numbers of a slot are, for n examples."""
        return np.asarray(self.at[slot] + self.step[slot] * np.arange(n))

    def _run(self, code: tuple[Any, ...], n: int) -> None:
        run(*code, self.pointers, n)
        if self.status[0]:
            x = next(x for x in self.plan.recording.instructions if x.out == self.status[0] - 1)
            raise IndexError(
                f"{x.operation.name} got an index that is no whole number from {1 - len(x.operands)} to "
                f"{len(x.operands) - 2}, for one of the examples"
            )
