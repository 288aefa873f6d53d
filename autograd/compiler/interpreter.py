"""What runs a program where numba is not installed? Python, one instruction and one example after the other.

It computes by the very operations of the eager engine, and so serves as the reference that native code is held against.
"""

from collections.abc import Sequence

import numpy as np

from autograd.compiler.recording import Recording
from autograd.compiler.work import Numbers


class Interpreter:
    """Runs a recording in Python."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def work(self, examples: int) -> "InterpretedWork":
        """Room for a run on so many examples."""
        return InterpretedWork(self.recording, examples)


class InterpretedWork:
    """The numbers of a program, while it runs.

    Arguments:
        recording: the program.
        examples: how many there will be in all.
    """

    def __init__(self, recording: Recording, examples: int) -> None:
        self.recording, self.block = recording, max(1, examples)
        self._shared: list[float] = []  # parameters and constants
        self._numbers: list[list[float]] = []  # of all slots, for each example
        self._by_parameters: list[float] = []

    def begin(self, leaves: Sequence[float] | Numbers) -> None:
        """Takes the numbers that the parameters have now; the sums of their derivatives start at 0."""
        self._shared = [*map(float, leaves), *self.recording.constants]
        self._by_parameters = [0.0] * len(self.recording.parameters)

    def forward(self, block: Numbers) -> None:
        """Computes the results for some examples."""
        self._numbers = [[*row, *self._shared] for row in block.tolist()]
        for numbers in self._numbers:
            for x in self.recording.instructions:
                numbers.append(x.operation.evaluate([numbers[slot] for slot in x.operands]))

    def outputs(self, n: int) -> Numbers:
        """The outputs for the n examples of the last `forward`, a row each."""
        return np.array([[numbers[slot] for slot in self.recording.outputs] for numbers in self._numbers])

    def backward(self, n: int) -> Numbers:
        """The derivatives of the first output by the inputs, for the n examples of the last `forward`, a row each."""
        inputs, last = self.recording.inputs, self.recording.inputs + len(self._by_parameters)
        rows = []
        for numbers in self._numbers:
            gradients = self._gradients(numbers)
            rows.append(gradients[:inputs])
            self._by_parameters = [a + b for a, b in zip(self._by_parameters, gradients[inputs:last], strict=True)]
        return np.array(rows).reshape(n, inputs)

    def _gradients(self, numbers: list[float]) -> list[float]:
        """The derivatives by all slots for one example, by the chain rule."""
        gradients = [0.0] * len(numbers)
        gradients[self.recording.outputs[0]] = 1.0
        for x in reversed(self.recording.instructions):
            upstream = gradients[x.out]
            if upstream:
                operands = [numbers[slot] for slot in x.operands]
                wanted = [i for i, slot in enumerate(x.operands) if not self.recording.is_constant(slot)]
                derivatives = x.operation.differentiate(numbers[x.out], operands, wanted)
                for i, derivative in zip(wanted, derivatives, strict=True):
                    if derivative:  # a factor that is exactly 0 gives 0, whatever the other one is
                        gradients[x.operands[i]] += derivative * upstream
        return gradients

    def backward_shared(self) -> Numbers:
        """The derivatives of the first output by the parameters, summed over all examples so far."""
        return np.array(self._by_parameters)
