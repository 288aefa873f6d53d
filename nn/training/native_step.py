"""What does a training step need in native code? Two programs, and the numbers that go in and out of Python.

The program of the loss runs for the examples of a batch side by side, that of the optimiser's update for all parameters
side by side. Both keep their numbers from batch to batch. Python sees them at the end of an epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.compiler import RecordingError, native
from autograd.compiler.backend import Numbers, Words
from autograd.compiler.flat_graph import flatten
from autograd.compiler.tracing import Session, tracer, tracing
from nn.losses import Loss, accuracy
from nn.optim import Optimizer, clip_factor
from nn.own import is_own
from nn.training.draws import Draws
from nn.training.traced import Traced


@dataclass
class Chunk:
    """Some batches that were learned from.

    Attributes:
        order: the examples that they had.
        errors: the loss of each batch.
        predictions: the outputs, a row for each example.
    """

    order: Words
    errors: list[float]
    predictions: Numbers

    def right(self, targets: Numbers, loss: Loss) -> float | None:
        """How many examples were classified right; None where the task is no classification."""
        share = accuracy(bare(self.predictions), bare(targets[self.order]), loss)
        return None if share is None else float(round(share * len(self.order)))


def bare(rows: Numbers) -> Numbers:
    """The rows; those of one number as bare numbers."""
    return rows[:, 0] if rows.shape[1] == 1 else rows


def unpacked(rows: Numbers) -> list[Any]:
    """A list for each row; a single number is given bare."""
    return list(rows[:, 0].tolist() if rows.shape[1] == 1 else rows.tolist())


class MovedNumbers:
    """What an optimiser moves, while native code has it: data, gradients, and what is remembered of each parameter.

    The step that ran last has the newest numbers. Another step gets them before it runs.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.owner: NativeStep | None = None
        self.are_moved_natively = has_rule(optimizer)
        self.before = optimizer.steps
        self.gradient = np.zeros(len(optimizer.params))
        self._read()

    def _read(self) -> None:
        self.data = np.array([p._data for p in self.optimizer.params])
        remembered = self.optimizer.remembered() if self.are_moved_natively else []
        self.state = np.array(remembered, np.float64).reshape(-1, len(self.data))

    def _count(self) -> int:
        """Sets and returns the number of steps that were made. Native code counts them, so that none is miscounted."""
        if self.are_moved_natively:
            self.optimizer.steps = self.before + (0 if self.owner is None else int(self.owner.program.done[0]))
        return self.optimizer.steps

    def give(self, step: "NativeStep") -> None:
        """Gives the newest numbers to the step that is about to run."""
        if self.owner is not step:
            self.fetch()
            self.before = self._count()
            self.owner = None
            step.program.done[0] = 0
            self.owner = step
            step.take(self.data, self.state)

    def fetch(self) -> None:
        """Gets the newest numbers from the step that ran last."""
        if self.owner is not None:
            self.data, self.gradient, self.state = self.owner.moved()

    def step(self) -> None:
        """Lets an optimiser with a step of its own make it."""
        self.end()
        self.optimizer.step()
        self.owner = None
        self._read()
        self.gradient = np.array([p.grad for p in self.optimizer.params])

    def end(self) -> None:
        """Gives the parameters, their gradients, and what is remembered of them back to Python."""
        self.fetch()
        self._count()
        numbers = zip(self.optimizer.params, self.data.tolist(), self.gradient.tolist(), strict=True)
        for parameter, number, gradient in numbers:
            parameter._data, parameter.grad = number, gradient
        if self.are_moved_natively and self.optimizer.state:
            self.optimizer.state |= dict(zip(self.optimizer.starts(), self.state.tolist(), strict=True))

    def scalars(self, steps: int) -> Numbers:
        """The numbers that each of the next steps has for all parameters together."""
        if not self.are_moved_natively:
            return np.empty((steps, 0))
        found, now = [], self._count()
        for k in range(steps if self.optimizer.counts_steps else min(steps, 2)):
            self.optimizer.steps = now + k
            found.append(self.optimizer.scalars())
            if not self.optimizer.state:  # `scalars` may ask if it has begun; the numbers follow in `end`
                self.optimizer.state |= {name: [0.0] * len(self.data) for name in self.optimizer.starts()}
        self._count()  # the steps have yet to be made
        rows = np.array(found, np.float64).reshape(len(found), -1)
        return np.concatenate([rows, np.repeat(rows[-1:], steps - len(rows), axis=0)])


def has_rule(optimizer: Optimizer) -> bool:
    """Whether the optimiser's step is its rule, for each parameter."""
    step: Any = optimizer.step
    return is_own(optimizer) and getattr(step, "__func__", None) is Optimizer.step


class NativeStep:
    """A training step in native code.

    Arguments:
        graph: the loss of one example, or of a whole batch.
        optimizer: moves the parameters.
        settings: how the program runs.
        max_grad_norm: the largest norm that the gradient may have.
    """

    def __init__(
        self, graph: Traced, optimizer: Optimizer, settings: native.Settings, max_grad_norm: float | None
    ) -> None:
        computed = [p for p in optimizer.params if p.operation]
        if computed:
            raise RecordingError(f"the optimiser moves a Value that {computed[0].operation} computed: give it leaves")
        moved = len(optimizer.params)
        flat = flatten(graph.outputs(), graph.leaves(), optimizer.params)
        self.program = native.load(flat, moved, settings)
        self.state = np.zeros((len(optimizer.starts()), self.program.moved_end))
        self.update = _update(optimizer, self.program, self.state, max_grad_norm) if has_rule(optimizer) else None
        self.graph, self.settings = graph, settings
        self.max_grad_norm = max_grad_norm
        self.factor = 1.0  # by which the last gradient was multiplied
        self._outputs = len(flat.outputs)
        self._width = len(graph.predictions[0])
        self._moved_at, self._fixed_at = np.split(self.program.parameters_at, [moved])
        self._fixed = FixedLeaves(flat.parameters[moved:], graph.session)
        self._draws = Draws(graph.session)

    def take(self, data: Numbers, state: Numbers) -> None:
        """Takes over what is moved."""
        self.program.numbers[self._moved_at] = data
        if self.update is not None:
            self.state[:, self._moved_at] = state

    def moved(self) -> tuple[Numbers, Numbers, Numbers]:
        """What is moved, as it is now: data, gradients, and what is remembered."""
        at = self._moved_at
        state = self.state[:, at] if self.update is not None else np.zeros((0, len(at)))
        return self.program.numbers[at], self.program.gradients[at] * self.factor, state

    def run(self, X: Numbers, T: Numbers, order: Words, scalars: Numbers) -> tuple[Numbers, list[float]]:
        """Steps for some batches; returns the outputs of the program for each example, and the loss of each batch.

        Arguments:
            X, T: all examples and targets.
            order: which examples the batches have.
            scalars: for each batch, the numbers that the update has for all parameters together.
        """
        size = self.settings.batch_size
        ends = np.minimum(np.arange(size, len(order) + size, size), len(order))
        rows = len(ends) if self.settings.whole else len(order)
        choices = self._draws.draw(rows, np.arange(1, rows + 1) if self.settings.whole else ends)
        results = native.Results(np.empty((rows, self._outputs)), np.zeros((0, 0)), np.empty(len(ends)))
        self.program.numbers[self._fixed_at] = self._fixed.numbers()
        if self.max_grad_norm is not None:
            scalars = np.concatenate([scalars, np.zeros((len(ends), 1))], axis=1)  # for the norms of the gradients
        self.program.run(native.Examples(X, T, choices, order), results, self.update, scalars)
        self._clip(scalars)
        self._notify(results.outputs)
        return results.outputs, results.errors.tolist()

    def gradient(self, X: Numbers, T: Numbers, order: Words, data: Numbers) -> tuple[float, Numbers]:
        """The loss of one batch, and its derivatives by what is moved. No step is made, and no layer is told.

        Arguments:
            X, T, order: as for `run`.
            data: what is moved, as it is.
        """
        self.program.numbers[self._moved_at], self.program.numbers[self._fixed_at] = data, self._fixed.numbers()
        rows = 1 if self.settings.whole else len(order)
        choices = self._draws.draw(rows, np.array([rows]))
        results = native.Results(np.empty((rows, self._outputs)), np.zeros((0, 0)), np.empty(1))
        self.program.run(native.Examples(X, T, choices, order), results)
        return float(results.errors[0]), self.program.gradients[self._moved_at]

    def _clip(self, scalars: Numbers) -> None:
        """Remembers what the last gradient was multiplied by."""
        if self.max_grad_norm is not None:
            gradient = self.program.gradients[self._moved_at]
            norm = hypot(*gradient.tolist()) if self.update is None else float(scalars[-1, -1])
            self.factor = clip_factor(norm, self.max_grad_norm)

    def _notify(self, outputs: Numbers) -> None:
        """Gives the layers what they wanted to know, batch by batch."""
        first = 1 + self._width * len(self.graph.predictions)
        for row in outputs[:, first:].tolist() if self.graph.session.notices else ():
            for function, values in self.graph.session.notices:
                function(row[: len(values)])
                row = row[len(values) :]

    def predictions(self, outputs: Numbers) -> Numbers:
        """The model's outputs among those of the program, a row for each example."""
        count = self._width * len(self.graph.predictions)
        return outputs[:, 1 : 1 + count].reshape(-1, self._width)


def _update(
    optimizer: Optimizer, program: native.LoadedProgram, state: Numbers, max_grad_norm: float | None
) -> native.Update:
    """The optimiser's rule in native code, for all parameters side by side.

    Arguments:
        optimizer: has the rule.
        program: has the parameters and their gradients.
        state: what is remembered of the parameters, a row for each number.
        max_grad_norm: the largest norm that the gradient may have.
    """
    with tracing():
        data, gradient, *remembered = inputs = [tracer(1.0) for _ in range(2 + len(state))]
        scalars = list(map(tracer, optimizer.scalars()))
        update = optimizer.rule(autograd, *scalars)
        if max_grad_norm is not None:
            scalars.append(tracer(1.0))  # the norm of the whole gradient
            gradient = gradient * clip_factor(scalars[-1], max_grad_norm, autograd)
        outputs = list(update(data, gradient, *remembered))
    arrays = [program.numbers, program.gradients, *state]
    targets = [0, *range(2, len(inputs))]  # all inputs but the gradient are moved
    graph = flatten(outputs, inputs, scalars)
    return native.Update(graph, arrays, targets, program.moved_end, norm_last=max_grad_norm is not None)


class FixedLeaves:
    """The numbers of leaves that nothing moves; those that a layer reads elsewhere come from there."""

    def __init__(self, leaves: Sequence[Value], session: Session) -> None:
        places = {leaf: k for k, leaf in enumerate(leaves)}
        self._leaves = leaves
        self._read = [(leaf, holder, place) for (_, place), (leaf, holder) in session.reads.items() if leaf in places]

    def numbers(self) -> Numbers:
        """The numbers as they are now."""
        for leaf, holder, place in self._read:
            leaf._data = holder[place]
        return np.array([leaf._data for leaf in self._leaves], np.float64)
