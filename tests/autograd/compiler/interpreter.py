"""What should a program compute? Instruction by instruction, example by example: native code and NumPy are held to it.

It computes with the operations of the eager engine.
"""

from collections.abc import Iterable
from math import nan

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import FlatGraph, Instruction
from autograd.compiler.scans import unrolled


class Interpreter:
    """Runs a flat graph in Python."""

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = unrolled(graph)
        self._instructions = self.graph.instructions
        self.notes: list[str] = []

    def run(
        self,
        rows: Numbers,
        leaves: Numbers,
        *,
        gradient: bool = True,
        by_inputs: Numbers | None = None,
        outputs: tuple[int, ...] | None = None,
    ) -> tuple[Numbers, Numbers]:
        """See `backend.Backend`."""
        slots, instructions = self.graph.outputs, self._instructions
        if outputs is not None:
            slots = tuple(slots[k] for k in outputs)
            instructions = self._needed_by(slots)
        shared = [*leaves.tolist(), *self.graph.constants]
        by_parameters = np.zeros(len(leaves))
        results = np.empty((len(rows), len(slots)))
        for i, row in enumerate(rows.tolist()):
            numbers = self._numbers([*row, *shared], instructions)
            results[i] = [numbers[slot] for slot in slots]
            if gradient:
                gradients = self._gradients(numbers, slots[0])
                by_parameters += gradients[len(row) : len(row) + len(leaves)]
                if by_inputs is not None:
                    by_inputs[i] = gradients[: len(row)]
        return results, by_parameters

    def jacobian(self, rows: Numbers, leaves: Numbers) -> Numbers:
        """See `backend.Backend`."""
        found = np.empty((len(rows), len(self.graph.outputs), self.graph.inputs))
        for matrix, row in zip(found, rows.tolist(), strict=True):
            numbers = self._numbers([*row, *leaves.tolist(), *self.graph.constants], self._instructions)
            for k, output in enumerate(self.graph.outputs):
                matrix[k] = self._gradients(numbers, output)[: len(row)]
        return found

    def _needed_by(self, slots: Iterable[int]) -> list[Instruction]:
        """The instructions whose results are in these slots or go into them."""
        needed, found = set(slots), list[Instruction]()
        for x in reversed(self._instructions):
            if x.out in needed:
                needed.update(x.operands)
                found.append(x)
        return found[::-1]

    def _numbers(self, leaves: list[float], instructions: list[Instruction]) -> list[float]:
        """The numbers of all slots for one example, from those of the leaves; nan where no instruction computes one."""
        numbers = leaves + [nan] * len(self._instructions)
        for x in instructions:
            numbers[x.out] = x.operation.evaluate([numbers[slot] for slot in x.operands])
        return numbers

    def _gradients(self, numbers: list[float], output: int) -> list[float]:
        """The derivatives of the number in one slot by all slots for one example, by the chain rule."""
        gradients = [0.0] * len(numbers)
        gradients[output] = 1.0
        for x in reversed(self._instructions):
            upstream = gradients[x.out]
            if upstream:
                operands = [numbers[slot] for slot in x.operands]
                wanted = [i for i, slot in enumerate(x.operands) if not self.graph.is_constant(slot)]
                derivatives = x.operation.differentiate(numbers[x.out], operands, wanted)
                for i, derivative in zip(wanted, derivatives, strict=True):
                    if derivative:  # a factor that is exactly 0 gives 0, whatever the other one is
                        gradients[x.operands[i]] += derivative * upstream
        return gradients
