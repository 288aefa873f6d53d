"""What runs a program where numba is not installed? Python, one instruction and one example after the other.

It computes by the very operations of the eager engine, and so serves as the reference that native code is held against.
"""

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import Recording


class Interpreter:
    """Runs a recording in Python."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.notes = recording, list[str]()

    def run(
        self, rows: Numbers, leaves: Numbers, *, gradient: bool = True, by_inputs: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """See `runner.Runner`."""
        shared, by_parameters = [*leaves.tolist(), *self.recording.constants], np.zeros(len(leaves))
        outputs = np.empty((len(rows), len(self.recording.outputs)))
        for i, row in enumerate(rows.tolist()):
            numbers = [*row, *shared]
            for x in self.recording.instructions:
                numbers.append(x.operation.evaluate([numbers[slot] for slot in x.operands]))
            outputs[i] = [numbers[slot] for slot in self.recording.outputs]
            if gradient:
                gradients = self._gradients(numbers)
                by_parameters += gradients[len(row) : len(row) + len(leaves)]
                if by_inputs is not None:
                    by_inputs[i] = gradients[: len(row)]
        return outputs, by_parameters

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
