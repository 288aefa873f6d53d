"""What does a program ask of what runs it? Forward and backward over blocks of examples."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Work(Protocol):
    """One run of a program: its numbers and their gradients."""

    block: int
    """So many examples are computed together."""

    def begin(self, leaves: Sequence[float] | Numbers) -> None:
        """Takes the numbers that the parameters have now; the sums of their derivatives start at 0."""

    def forward(self, block: Numbers) -> None:
        """Computes the results for some examples, at most `block` of them: a row of inputs each."""

    def outputs(self, n: int) -> Numbers:
        """The outputs for the n examples of the last `forward`, a row each."""

    def backward(self, n: int) -> Numbers:
        """The derivatives of the first output by the inputs, for the n examples of the last `forward`, a row each.

        Those by the parameters add up until `backward_shared`.
        """

    def backward_shared(self) -> Numbers:
        """The derivatives of the first output by the parameters, summed over all examples so far."""


class Runner(Protocol):
    """A program that is ready to run."""

    def work(self, examples: int) -> Work:
        """Room for a run, or one after the other, on so many examples."""
