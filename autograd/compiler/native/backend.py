"""What runs a program where llvmlite is installed? Native code, in memory that is kept from run to run."""

from functools import cached_property

import numpy as np

from autograd.compiler.backend import Examples, Numbers, Results, Settings
from autograd.compiler.flat_graph import FlatGraph
from autograd.compiler.fusion import fused
from autograd.compiler.native.code import Code
from autograd.compiler.native.layout import Layout
from autograd.compiler.native.run import Call, LoadedProgram, Memory
from autograd.compiler.native.tables import CALL


class ProgramBackend:
    """Runs a flat graph in native code."""

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = fused(graph)
        self._layout = Layout(self.graph)
        self._runs = _Runs(Code(self._layout))
        self.notes = self._layout.notes()

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
        return self._runs.run(rows, leaves, gradient, by_inputs, outputs)

    @cached_property
    def _runs_of_outputs(self) -> "_Runs":
        """Runs that go back from every output."""
        return _Runs(Code(Layout(self.graph, layers=False), of_outputs=True))

    def jacobian(self, rows: Numbers, leaves: Numbers) -> Numbers:
        """See `backend.Backend`. It goes forward once, and back from each output to what that needs."""
        found = np.empty((len(rows), len(self.graph.outputs), self.graph.inputs))
        runs = self._runs if len(self.graph.outputs) == 1 else self._runs_of_outputs
        runs.run(rows, leaves, True, found)
        return found


class _Runs:
    """The runs of a program: what they need is kept, as long as few run at the same time."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._idle: list[_Ready] = []  # lists are safe for several threads

    def run(
        self,
        rows: Numbers,
        leaves: Numbers,
        gradient: bool,
        by_inputs: Numbers | None,
        outputs: tuple[int, ...] | None = None,
    ) -> tuple[Numbers, Numbers]:
        """The outputs, and the derivatives by the parameters."""
        n = len(rows)
        results = np.empty((n, len(self._code.of(outputs).outputs)))
        if not n:
            return results, np.zeros(len(leaves))
        ready = self._ready(n)
        found = ready.run(rows, leaves, results, gradient, by_inputs, outputs)
        self._idle.append(ready)
        if len(self._idle) > 4:
            del self._idle[:-4]
        return results, found

    def _ready(self, examples: int) -> "_Ready":
        """What runs so many examples. It may have served before, and then it is in nobody else's hands."""
        try:
            ready = self._idle.pop()
        except IndexError:
            return _Ready(self._code, examples)
        return ready if ready.examples == examples else _Ready(self._code, examples, ready.memory)


class _Ready:
    """A program with memory for a number of examples, and the calls that are written down for it.

    A run then costs 3 us beside the machine's work. To write down each call anew took 25.

    Arguments:
        code: the program.
        examples: how many there are.
        memory: may be used if its size is right.
    """

    def __init__(self, code: Code, examples: int, memory: Memory | None = None) -> None:
        layout, lanes = code.layout, code.layout.lanes(examples)
        fits = memory is not None and memory.lanes == lanes
        self.examples, self.memory = examples, memory if memory and fits else Memory(layout, lanes)
        self._program = LoadedProgram(code, self.memory, Settings(examples))
        self._calls: dict[tuple[bool, bool, tuple[int, ...] | None], Call] = {}

    def run(
        self,
        rows: Numbers,
        leaves: Numbers,
        results: Numbers,
        gradient: bool,
        by_inputs: Numbers | None,
        outputs: tuple[int, ...] | None,
    ) -> Numbers:
        """Fills the results, and the derivatives by the inputs; returns those by the parameters."""
        program, key = self._program, (gradient, by_inputs is not None, outputs)
        call = self._calls.get(key) or self._written(*key, rows.shape[1], results.shape[1])
        call.point(CALL.EXAMPLES, rows)
        call.point(CALL.RESULTS, results)
        if by_inputs is not None:
            call.point(CALL.BY_INPUTS, by_inputs)
        program.numbers[program.parameters_at] = leaves
        call()
        return program.gradients[program.parameters_at] if gradient else np.zeros(len(leaves))

    def _written(
        self, gradient: bool, has_by_inputs: bool, outputs: tuple[int, ...] | None, inputs: int, width: int
    ) -> Call:
        """A call that only lacks the addresses of the arrays of a run."""
        nothing = np.empty((0, 0))
        examples = Examples(np.empty((0, inputs)), nothing, nothing, np.arange(self.examples))
        results = Results(np.empty((0, width)), np.empty((0, inputs)) if has_by_inputs else nothing, np.zeros(1))
        call = self._program.prepared(examples, results, gradient=gradient, outputs=outputs)
        self._calls[gradient, has_by_inputs, outputs] = call
        return call
