"""What runs a program where llvmlite is installed? Native code, in memory that is kept from run to run."""

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.fusion import fused, restricted
from autograd.compiler.native.code import Code
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.run import Examples, LoadedProgram, Memory, Results, Settings


class NativeBackend:
    """Runs a flat graph in native code."""

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = fused(graph)
        self._layout = Layout(self.graph)
        self._code = Code(self._layout)
        self.notes = self._layout.notes()
        self._of_outputs: list[NativeBackend] | None = None
        self._idle: list[Memory] = []  # lists are safe for several threads

    def run(
        self, rows: Numbers, leaves: Numbers, *, gradient: bool = True, by_inputs: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """See `backend.Backend`."""
        n = len(rows)
        outputs = np.empty((n, len(self.graph.outputs)))
        if not n:
            return outputs, np.zeros(len(leaves))
        memory = self._memory(n)
        memory.numbers[self._layout.parameters_at] = leaves
        nothing = np.empty((n, 0))
        examples = Examples(rows, nothing, nothing, np.arange(n))
        results = Results(outputs, nothing if by_inputs is None else by_inputs, np.zeros(1))
        LoadedProgram(self._code, memory, Settings(n, gradient=gradient)).run(examples, results)
        found = memory.gradients[self._layout.parameters_at] if gradient else np.zeros(len(leaves))
        self._idle.append(memory)
        del self._idle[:-4]
        return outputs, found

    def jacobian(self, rows: Numbers, leaves: Numbers) -> Numbers:
        """See `backend.Backend`. Each output has a program of its own, which computes nothing else."""
        if self._of_outputs is None:
            graphs = [restricted(self.graph, [output]) for output in self.graph.outputs]
            self._of_outputs = [NativeBackend(graph) for graph in graphs]
        found = np.empty((len(self._of_outputs), *rows.shape))
        for by_inputs, backend in zip(found, self._of_outputs, strict=True):
            backend.run(rows, leaves, by_inputs=by_inputs)
        return np.ascontiguousarray(found.transpose(1, 0, 2))

    def _memory(self, examples: int) -> Memory:
        """Memory for a run on this many examples. It may have served before."""
        lanes = self._layout.lanes(examples)
        try:
            memory = self._idle.pop()
        except IndexError:
            return Memory(self._layout, lanes)
        return memory if memory.lanes == lanes else Memory(self._layout, lanes)
