"""What does the training step of a model need beside `autograd.compiler.stepping`? Batches, choices, statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.compiler import RecordingError
from autograd.compiler.backend import Examples, Numbers, Results, Settings, Words, code
from autograd.compiler.flat_graph import flatten
from autograd.compiler.lending import end_loans
from autograd.compiler.stepping import Stepper, has_rule, scalar_rows
from autograd.compiler.tracing import Session
from nn.losses import Loss
from nn.metrics import accuracy
from nn.optim import Optimizer, clip_factor
from nn.training.draws import Draws
from nn.training.traced import Traced


@dataclass
class Chunk:
    """Some batches that were learned from.

    Attributes:
        order: the examples that they had.
        errors: the loss of each batch.
        predictions: the outputs, a row for each example, until the next batches are learned from.
        targets: those of all examples.
        classifies: whether the task is a classification.
    """

    order: Words
    errors: list[float]
    predictions: Numbers
    targets: Numbers
    classifies: bool

    @property
    def answers(self) -> int:
        """How many targets there were: one for each example."""
        return len(self.order)

    def right(self, loss: Loss) -> float | None:
        """How many of the answers were right; None where the task is no classification."""
        if not self.classifies:
            return None
        if self.predictions.shape[1] > 1 and self.targets.shape[1] == 1:
            return float(code().count_right(self.predictions, self.targets, self.order))
        share = accuracy(bare(self.predictions), bare(self.targets[self.order]), loss)
        return None if share is None else float(round(share * len(self.order)))


def bare(rows: Numbers) -> Numbers:
    """The rows; those of one number as bare numbers."""
    return rows[:, 0] if rows.shape[1] == 1 else rows


def with_weights(targets: Numbers, weights: Any) -> Numbers:
    """The targets, a row each, and at its end the weight of the example, if there are weights."""
    if weights is None:
        return targets
    return np.concatenate([targets, np.asarray(weights, np.float64)[:, None]], axis=1)


def unpacked(rows: Numbers) -> list[Any]:
    """A list for each row; a single number is given bare."""
    return list(rows[:, 0].tolist() if rows.shape[1] == 1 else rows.tolist())


class MovedNumbers:
    """What an optimiser moves, while native code has it: data, gradients, and what is remembered of each parameter.

    They are lent (`autograd.compiler.lending`): whoever asks for them in between gets the newest.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.are_moved_natively = has_rule(optimizer)

    def give(self, step: "NativeStep") -> None:
        """Gives the newest numbers to the step that is about to run, and takes them from the one that ran last."""
        step.optimizer = self.optimizer

    def step(self) -> None:
        """Lets an optimiser with a step of its own make it."""
        self.optimizer.step()

    def end(self) -> None:
        """Gives the parameters, their gradients, and what is remembered of them back to Python."""
        end_loans(self.optimizer.params)
        self.optimizer.state  # noqa: B018  # takes it back

    def scalars(self, steps: int, rates: Sequence[float] | None = None) -> Numbers:
        """The numbers of the next steps, as `scalar_rows` has them; `rates` are their learning rates."""
        return scalar_rows(self.optimizer, steps, rates) if self.are_moved_natively else np.empty((steps, 0))


class NativeStep:
    """A training step in native code.

    Arguments:
        graph: the loss of one example, or of a whole batch.
        optimizer: moves the parameters.
        settings: how the program runs.
        max_grad_norm: the largest norm that the gradient may have.

    Attributes:
        width: how many outputs an example has.
    """

    def __init__(self, graph: Traced, optimizer: Optimizer, settings: Settings, max_grad_norm: float | None) -> None:
        computed = [p for p in optimizer.params if p.operation]
        if computed:
            raise RecordingError(f"the optimiser moves a Value that {computed[0].operation} computed: give it leaves")
        moved = len(optimizer.params)
        self.flat = flat = flatten(graph.outputs(), graph.leaves(), optimizer.params)
        clip = None if max_grad_norm is None else partial(clip_factor, max_norm=max_grad_norm, m=autograd)
        self.stepper = Stepper(flat, optimizer, settings, clip, lends=moved)
        self.program = self.stepper.program
        self.optimizer, self.graph, self.settings = optimizer, graph, settings
        self.max_grad_norm = max_grad_norm
        self.outputs = len(flat.outputs)
        self.width = len(graph.predictions[0])
        self._fixed_at = self.program.parameters_at[moved:]
        self._fixed = FixedLeaves(flat.parameters[moved:], graph.session)
        self.draws = Draws(graph.session)
        self._call: Call | None = None

    def run(self, X: Numbers, T: Numbers, order: Words, scalars: Numbers) -> tuple[Numbers, list[float]]:
        """Steps for some batches; returns the outputs of the program for each example, and the loss of each batch.

        The outputs are overwritten by the next run.

        Arguments:
            X, T: all examples and targets.
            order: which examples the batches have.
            scalars: the numbers that the update has for all parameters together, for each batch or for all of them.
        """
        call = self._call
        if call is None or not call.fits(X, T, len(order)):
            call = self._call = Call(self, X, T, len(order), scalars.shape[1])
        call.order[:] = order
        call.scalars[:, : scalars.shape[1]] = scalars
        self.draws.draw(call.choices, call.ends)
        self.load_fixed()
        self.stepper.run(self.optimizer, call.run)
        self.remember_factor(call.scalars)
        self._notify(call.results.outputs)
        return call.results.outputs, call.results.errors.tolist()

    def forget(self) -> None:
        """Lets go of the examples and the outputs of the last run."""
        self._call = None

    def load_fixed(self) -> None:
        """Gives the program the newest numbers of what is not moved."""
        self.program.numbers[self._fixed_at] = self._fixed.numbers()

    def gradient(
        self, X: Numbers, T: Numbers, order: Words, data: Numbers, outputs: tuple[int, ...] | None = None
    ) -> tuple[float, Numbers]:
        """The loss of one batch, and its derivatives by what is moved. No step is made, and no layer is told.

        Arguments:
            X, T, order: as for `run`.
            data: what is moved, as it is.
            outputs: as for `Call`.
        """
        self.stepper.set_aside(data)
        self.load_fixed()
        call = Call(self, X, T, len(order), 0, outputs, moves=False)
        call.order[:] = order
        self.draws.draw(call.choices, call.ends)
        call.run()
        return float(call.results.errors[0]), self.program.gradients[self.stepper.moved_at]

    def remember_factor(self, scalars: Numbers) -> None:
        """Remembers what the last gradient was multiplied by."""
        if self.max_grad_norm is not None:
            gradient = self.program.gradients[self.stepper.moved_at]
            norm = hypot(*gradient.tolist()) if self.stepper.update is None else float(scalars[-1, -1])
            self.stepper.factor = clip_factor(norm, self.max_grad_norm)

    def _notify(self, outputs: Numbers) -> None:
        """Gives the layers what they wanted to know, batch by batch."""
        first = 1 + self.width * len(self.graph.predictions)
        for row in outputs[:, first:].tolist() if self.graph.session.notices else ():
            for function, values in self.graph.session.notices:
                function(row[: len(values)])
                row = row[len(values) :]

    def predictions(self, outputs: Numbers) -> Numbers:
        """The model's outputs among those of the program, a row for each example."""
        count = self.width * len(self.graph.predictions)
        return outputs[:, 1 : 1 + count].reshape(-1, self.width)


class Call:
    """Steps for so many examples, with room for all that they read and write.

    It serves for every epoch: to write down the call takes 40 us, and fresh memory for 1,797 examples as long again.

    Arguments:
        step: runs them.
        X, T: all examples and targets.
        count: how many examples the batches have together.
        scalars: how many numbers a step has for all parameters together, but for the norm of the gradient.
        outputs: the numbers of some outputs of the program, if they alone are computed.
        moves: whether the parameters are moved.

    Attributes:
        order: for the examples that the batches have.
        ends: where each batch ends, among the rows of the choices.
        choices: for the random choices.
        scalars: for the numbers of each step.
        results: outputs and losses.
        run: makes the steps.
    """

    def __init__(
        self,
        step: NativeStep,
        X: Numbers,
        T: Numbers,
        count: int,
        scalars: int,
        outputs: tuple[int, ...] | None = None,
        *,
        moves: bool = True,
    ) -> None:
        whole, size = step.settings.whole, step.settings.batch_size
        batches = -(-count // size)
        rows = batches if whole else count
        self._examples = X, T
        self.order = np.empty(count, np.int64)
        self.ends = np.arange(1, rows + 1) if whole else np.minimum(np.arange(1, batches + 1) * size, count)
        self.choices = np.empty((rows, step.draws.count))
        self.scalars = np.zeros((batches, scalars + (step.max_grad_norm is not None)))
        width = step.outputs if outputs is None else len(outputs)
        self.results = Results(np.empty((rows, width)), np.zeros((0, 0)), np.empty(batches))
        examples = Examples(X, T, self.choices, self.order)
        update = step.stepper.update if moves else None
        self.run = step.program.prepared(examples, self.results, update, self.scalars, outputs=outputs)

    def fits(self, X: Numbers, T: Numbers, count: int) -> bool:
        """Whether this is the call for so many of these examples."""
        return self._examples[0] is X and self._examples[1] is T and len(self.order) == count


class FixedLeaves:
    """The numbers of leaves that nothing moves; those that a layer reads elsewhere come from there."""

    def __init__(self, leaves: Sequence[Value], session: Session) -> None:
        places = {leaf: k for k, leaf in enumerate(leaves)}
        self._leaves = leaves
        self._read = [(leaf, holder, place) for (_, place), (leaf, holder) in session.reads.items() if leaf in places]

    def refresh(self) -> None:
        """Gives those that a layer reads elsewhere their numbers as they are now."""
        for leaf, holder, place in self._read:
            leaf._data = holder[place]

    def numbers(self) -> Numbers:
        """The numbers as they are now."""
        self.refresh()
        return np.array([leaf._data for leaf in self._leaves], np.float64)
