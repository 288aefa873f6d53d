"""How is a program run by NumPy? Group after group, for as many examples at once as memory allows.

This is what `native/run.py` is where there is native code: it takes the same arguments, and gives the same results but
for the last bits. For a program and a batch the bits are the same each time.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.compiler.backend import Examples, Numbers, Results, Settings, Words
from autograd.compiler.flat_graph import BY_INPUTS, BY_PARAMETERS, FlatGraph
from autograd.compiler.fusion import fused
from autograd.compiler.places import Places
from autograd.compiler.scans import unrolled
from autograd.compiler.vectorised.functions import of_numpy
from autograd.compiler.vectorised.instructions import Step, steps_of
from autograd.compiler.vectorised.operands import Memory
from autograd.interrupts import uninterrupted

AT_ONCE = 1 << 20
"""So many numbers of lanes are computed together, and as many gradients: 16 MiB in all."""

LEAST = 16
"""But at least so many examples, where there are as many."""

WORTH = 30
"""How many operands NumPy goes through, at least, while it handles a group."""


def zeros(*shape: int) -> Numbers:
    """An array of zeros."""
    return np.zeros(shape)


class Plan:
    """What runs for some outputs: the steps forward and backward, those of shared results apart.

    Arguments:
        places: where the numbers lie.
        outputs: the slots of the outputs.
        by: by what the derivatives are wanted: BY_INPUTS, BY_PARAMETERS, both; 0 for none.
    """

    def __init__(self, places: Places, outputs: Sequence[int], by: int) -> None:
        graph, groups = places.graph, places.groups
        if set(outputs) < set(graph.outputs):
            groups = groups.selected(outputs)
        wanted = graph.derivatives & by != 0
        self.outputs = [_Output(places, slot) for slot in outputs]
        self.shared_forward, self.forward = list[Step](), list[Step]()
        for number in range(len(groups.starts) - 1):
            group = groups.order[groups.starts[number] : groups.starts[number + 1]]
            steps = steps_of(places, group, groups.layers.get(number), wanted)
            (self.shared_forward if number < groups.before else self.forward).extend(steps)
        self.backward = [x for x in reversed(self.forward) if x.wanted]
        self.shared_backward = [x for x in reversed(self.shared_forward) if x.wanted]


class _Output:
    """An output: where its numbers are, and where its gradient begins."""

    def __init__(self, places: Places, slot: int) -> None:
        self.is_shared = bool(places.groups.shared[slot])
        self.at = int(places.at[slot] if self.is_shared else places.groups.rows[slot])

    def read(self, numbers: Memory) -> Numbers:
        """Its numbers: one for each example, or one for all."""
        found: Numbers = (numbers.shared if self.is_shared else numbers.rows)[self.at]
        return found


class Runner:
    """Room for the numbers of a program.

    Arguments:
        places: where they lie.

    Attributes:
        numbers, gradients: the shared ones, as columns.
    """

    def __init__(self, places: Places) -> None:
        self.places, size = places, places.lanes_at
        self.numbers, self.gradients = np.zeros((size, 1)), np.zeros((size, 1))
        self.numbers[places.constants_at, 0] = places.graph.constants
        self._rows = np.empty((places.height, 0)), np.empty((places.height, 0))
        self.most = max(LEAST, AT_ONCE // max(places.height, 1))

    def forward_shared(self, plan: Plan) -> None:
        """Computes what all examples share."""
        for step in plan.shared_forward:
            step.forward(Memory(self.numbers, self._rows[0][:, :0]))

    def forward(self, plan: Plan, inputs: Sequence[Numbers]) -> Memory:
        """The numbers for a block of examples, whose inputs are given in parts, a row each."""
        if self._rows[0].shape[1] != len(inputs[0]):
            self._rows = np.empty((self.places.height, len(inputs[0]))), np.empty((self.places.height, len(inputs[0])))
        rows, first = self._rows[0], 0
        for part in inputs:
            rows[first : first + part.shape[1]] = part.T
            first += part.shape[1]
        numbers = Memory(self.numbers, rows)
        for step in plan.forward:
            step.forward(numbers)
        return numbers

    def backward(self, plan: Plan, numbers: Memory, seeds: Sequence[tuple[_Output, Any]], careful: bool) -> Numbers:
        """Adds to the gradients of what is shared; returns those of the inputs, a row each.

        Arguments:
            numbers: what `forward` gave.
            seeds: outputs, and with what the gradient begins in each lane.
        """
        gradients = Memory(self.gradients, self._rows[1])
        gradients.rows.fill(0.0)
        for output, seed in seeds:
            if output.is_shared:
                gradients.shared[output.at] += np.sum(seed)
            else:
                gradients.rows[output.at] += seed
        for step in plan.backward:
            step.backward(numbers, gradients, careful)
        return gradients.rows[: self.places.graph.inputs]

    def backward_shared(self, plan: Plan, careful: bool) -> None:
        """Goes back from shared results to parameters."""
        memory = Memory(self.numbers, self._rows[0][:, :0]), Memory(self.gradients, self._rows[0][:, :0])
        for step in plan.shared_backward:
            step.backward(*memory, careful)


class Plans:
    """The plans of a program, each made when it is first needed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._made: dict[tuple[tuple[int, ...], int], Plan] = {}

    def of(self, outputs: tuple[int, ...] | None, by: int) -> Plan:
        """The plan of some outputs, by their numbers; of all for None."""
        slots = self._places.graph.outputs
        numbers = tuple(range(len(slots))) if outputs is None else outputs
        if (numbers, by) not in self._made:
            self._made[numbers, by] = Plan(self._places, [slots[k] for k in numbers], by)
        return self._made[numbers, by]


def has_nan(numbers: Numbers) -> bool:
    """Whether a nan is among the numbers."""
    flat = numbers.ravel()
    square = np.dot(flat, flat)  # squares cannot cancel: 1 us for 2,000 numbers, where np.isnan takes 3
    return bool(square != square)


class Update:
    """A program that moves numbers in place, a lane each, after every batch.

    Arguments: as for `native.Update`.
    """

    def __init__(
        self, graph: FlatGraph, arrays: Sequence[Numbers], targets: Sequence[int], lanes: int, norm_last: bool
    ) -> None:
        self.lanes, self.norm_last = lanes, norm_last
        places = Places(fused(unrolled(graph)), layers=False)
        self._plan, self._runner = Plan(places, places.graph.outputs, 0), Runner(places)
        self._arrays, self._targets = [x[:lanes] for x in arrays], targets

    def move(self, scalars: Numbers) -> None:
        """Moves the numbers, where the parameters of the update have these numbers."""
        runner, plan = self._runner, self._plan
        runner.numbers[runner.places.parameters_at, 0] = scalars
        runner.forward_shared(plan)
        for start in range(0, self.lanes, runner.most):
            part = slice(start, min(start + runner.most, self.lanes))
            numbers = runner.forward(plan, [x[part, None] for x in self._arrays])
            for target, output in zip(self._targets, plan.outputs, strict=True):
                self._arrays[target][part] = output.read(numbers)


_NO_SCALARS = np.zeros((0, 0))


class LoadedProgram:
    """A program with room for its numbers: ready to run.

    Attributes: as for `native.LoadedProgram`.
    """

    def __init__(self, graph: FlatGraph, moved: int, settings: Settings) -> None:
        self._places = Places(fused(unrolled(graph)), moved)
        self._runner, self._plans, self._settings = Runner(self._places), Plans(self._places), settings
        self.numbers, self.gradients = self._runner.numbers[:, 0], self._runner.gradients[:, 0]
        self.parameters_at, self.moved_end = self._places.parameters_at, self._places.moved_end
        self.done = np.zeros(1, np.int64)

    def pays(self) -> bool:
        """Whether a run is faster than in Python, which takes about 1 us for each operand, forward and backward.

        A group takes about 30, however many examples there are: MLP(2, [8, 8, 1]) takes 289 us a step of one example,
        where Python takes 257, but 350 a step of four, where Python takes 580; MLP(64, [32, 10]) takes 500 of one
        example, where Python takes 2,700.
        """
        groups = len(self._places.groups.starts) - 1
        return len(self._places.graph.operands) * self._settings.side_by_side >= WORTH * groups

    def prepared(
        self,
        examples: Examples,
        results: Results,
        update: Update | None = None,
        scalars: Numbers = _NO_SCALARS,
        gradient: bool = True,
        outputs: tuple[int, ...] | None = None,
    ) -> Callable[[], None]:
        """Goes over some batches, and after each moves numbers, if there is an update.

        Arguments: as for `native.LoadedProgram.prepared`.
        """
        by_inputs = BY_INPUTS if results.by_inputs.shape[1] else 0
        plan = self._plans.of(outputs, by_inputs | BY_PARAMETERS if gradient else 0)
        return partial(self._run, plan, examples, results, update, scalars, gradient)

    def run(
        self, examples: Examples, results: Results, update: Update | None = None, scalars: Numbers = _NO_SCALARS
    ) -> None:
        """`prepared` with these arguments, called once."""
        self.prepared(examples, results, update, scalars)()

    def _run(
        self,
        plan: Plan,
        examples: Examples,
        results: Results,
        update: Update | None,
        scalars: Numbers,
        gradient: bool,
    ) -> None:
        how, length = self._settings, len(examples.order)
        with uninterrupted(), np.errstate(all="ignore"):
            for batch in range(len(results.errors)):
                start, end = batch * how.batch_size, min((batch + 1) * how.batch_size, length)
                lanes = slice(batch, batch + 1) if how.whole else slice(start, end)
                seed = 1.0 / (end - start) if how.mean and not how.whole else 1.0
                inputs = self._inputs(examples, examples.order[start:end], lanes)
                _run_batch(self._runner, plan, inputs, lanes, results, seed if gradient else None)
                results.errors[batch] = results.outputs[lanes, 0].sum() * seed
                if update is not None:
                    if update.norm_last:
                        scalars[batch, -1] = of_numpy.norm(self.gradients[: self.moved_end, None])[0]
                    update.move(scalars[batch])
                self.done[0] += 1

    def _inputs(self, examples: Examples, places: Words, lanes: slice) -> list[Numbers]:
        """The inputs of a batch, in parts: a row for each example, or one row for a program of the whole batch."""
        found = [examples.rows[places], examples.targets[places], examples.choices[lanes]]
        return [x.reshape(1, -1) for x in found] if self._settings.whole else found


def _run_batch(
    runner: Runner, plan: Plan, inputs: Sequence[Numbers], lanes: slice, results: Results, seed: float | None
) -> None:
    """Forward, and with a seed backward, for the examples of a batch; a second time, with care, if a nan comes out."""
    for careful in (False, True):
        runner.gradients.fill(0.0)
        runner.forward_shared(plan)
        count, doubt = len(inputs[0]), False
        for start in range(0, count, runner.most):
            part = slice(start, min(start + runner.most, count))
            there = slice(lanes.start + part.start, lanes.start + part.stop)
            numbers = runner.forward(plan, [x[part] for x in inputs])
            for k, output in enumerate(plan.outputs):
                results.outputs[there, k] = output.read(numbers)
            if seed is not None:
                seeds = [(plan.outputs[0], np.full(part.stop - part.start, seed))]
                by_inputs = runner.backward(plan, numbers, seeds, careful)
                if results.by_inputs.shape[1]:
                    results.by_inputs[there] = by_inputs.T
                    doubt = doubt or has_nan(by_inputs)
        if seed is None:
            return
        runner.backward_shared(plan, careful)
        if not (doubt or has_nan(runner.gradients)):
            return


def load(graph: FlatGraph, moved: int, settings: Settings) -> LoadedProgram:
    """A program whose parameters stay in place from batch to batch.

    Arguments:
        graph: what is computed, first of all what is to be differentiated.
        moved: how many of its parameters an update moves: the first ones.
        settings: how it runs.
    """
    return LoadedProgram(graph, moved, settings)


class ProgramBackend:
    """Runs a flat graph by NumPy: see `backend.Backend`."""

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = fused(unrolled(graph))
        self._places = Places(self.graph)
        self._plans = Plans(self._places)
        self._idle: list[Runner] = []  # lists are safe for several threads
        self.notes = self._places.groups.notes()

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
        by = 0 if not gradient else BY_PARAMETERS if by_inputs is None else BY_PARAMETERS | BY_INPUTS
        plan, count = self._plans.of(outputs, by), len(rows)
        found = np.empty((count, len(plan.outputs)))
        if not count:
            return found, np.zeros(len(leaves))
        results = Results(found, np.empty((0, 0)) if by_inputs is None else by_inputs, np.empty(0))
        runner = self._runner(leaves)
        with np.errstate(all="ignore"):
            _run_batch(runner, plan, [rows], slice(0, count), results, 1.0 if gradient else None)
        by_parameters = runner.gradients[self._places.parameters_at, 0]
        self._leave(runner)
        return found, by_parameters

    def jacobian(self, rows: Numbers, leaves: Numbers) -> Numbers:
        """See `backend.Backend`. Each example has a lane for each output, from which it goes back there."""
        plan, runner = self._plans.of(None, BY_INPUTS), self._runner(leaves)
        count, inputs = len(plan.outputs), self.graph.inputs
        found = np.empty((len(rows) * count, inputs))
        with np.errstate(all="ignore"):
            runner.forward_shared(plan)
            for start in range(0, len(found), runner.most):
                lanes = np.arange(start, min(start + runner.most, len(found)))
                numbers = runner.forward(plan, [rows[lanes // count]])
                seeds = [(plan.outputs[k], 1.0 * (lanes % count == k)) for k in np.unique(lanes % count).tolist()]
                for careful in (False, True):
                    by_inputs = runner.backward(plan, numbers, seeds, careful)
                    if not has_nan(by_inputs):
                        break
                found[lanes] = by_inputs.T
        self._leave(runner)
        return found.reshape(len(rows), count, inputs)

    def _runner(self, leaves: Numbers) -> Runner:
        """Room for numbers, which is in nobody else's hands, with those of the parameters."""
        try:
            runner = self._idle.pop()
        except IndexError:
            runner = Runner(self._places)
        runner.numbers[self._places.parameters_at, 0] = leaves
        return runner

    def _leave(self, runner: Runner) -> None:
        """Keeps the room for another run."""
        self._idle.append(runner)
        del self._idle[:-4]
