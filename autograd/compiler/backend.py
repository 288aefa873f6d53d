"""What does a program ask of what runs it?"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat_graph import Recording

Numbers = NDArray[np.float64]


class Runner(Protocol):
    """What runs a recording: native code, or without numba the interpreter."""

    recording: Recording
    """What is run: the graph as it was recorded, or after `fusion`."""

    @property
    def notes(self) -> list[str]:
        """What runs together, in words."""

    def run(
        self, rows: Numbers, leaves: Numbers, *, gradient: bool = True, by_inputs: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """The outputs for each example, and the derivatives of the first one by the parameters.

        Arguments:
            rows: the examples, shape (m, inputs).
            leaves: the numbers of the parameters.
            gradient: whether to go backward too.
            by_inputs: an array of the shape of rows, for the derivatives by the inputs.

        Returns:
            the outputs, shape (m, outputs), and the derivatives summed over the examples, 0 without a way back.

        Raises:
            IndexError: a recorded index is out of range for an example.
        """
