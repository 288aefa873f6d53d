"""How does a model learn in native code? One step is traced, compiled, and run for every batch.

Where the examples of a batch do not depend on each other, the loss of *one* example is traced, and runs for all
examples of a batch side by side. Where they do (batch normalisation), the loss of a whole batch is traced. The
optimiser's update is a program too, which runs for all parameters side by side.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Value
from autograd.compiler import RecordingError
from autograd.compiler.backend import Numbers, Settings, Words
from autograd.compiler.lending import Reader
from autograd.compiler.stepping import has_rule
from autograd.interrupts import uninterrupted
from nn.datasets.tables import listed
from nn.metrics import accuracy
from nn.module import Module, modes_kept
from nn.optim import Optimizer
from nn.randomness import RandomSource
from nn.schedules import Schedule
from nn.training.compiled_model import ROUNDING, CompiledModel, compiled_model
from nn.training.draws import shuffle
from nn.training.eager import Learned, eager_gradient
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.kept import keep, taken
from nn.training.native_step import Chunk, MovedNumbers, NativeStep, bare, with_weights
from nn.training.outputs import figures_of, is_much, outputs_of
from nn.training.own_code import copied_where_it_is_foreign, what_it_reads
from nn.training.settings import (
    Snapshot,
    foreign,
    generators_kept,
    loss_settings,
    optimizer_settings,
)
from nn.training.traced import Traced, differ, one_by_one, traced

# The training


AT_ONCE = 0.1
"""How many seconds of training pass between two looks at the keyboard and the progress bar."""


@dataclass
class Recording:
    """The programs of a training step.

    Attributes:
        alone: for one example, if a batch is nothing but its examples side by side.
        wholes: for whole batches, by size, if it is not.
    """

    alone: NativeStep | None
    wholes: dict[int, NativeStep] = field(default_factory=dict)


class CompiledTraining:
    """Runs the epochs of a training run, and the model on other examples, in native code.

    Arguments:
        model: what is trained.
        examples: what it learns from.
        figures: those that are computed, with the loss.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.
        max_grad_norm: the largest norm that a gradient may have.
        watched: whether code of one's own runs between two epochs, which may look at the model, or change it or the
            optimiser's options.
        held_out: the examples that `evaluated` will be asked for.
        cautious: whether code of one's own has to prove that it may run only once.

    Raises:
        RecordingError: the model or the loss decides something in Python by a number.
    """

    name = "compiled"

    def __init__(
        self,
        model: Module,
        examples: Examples,
        figures: Figures,
        optimizer: Optimizer,
        batch_size: int = 2,
        max_grad_norm: float | None = None,
        watched: bool = True,
        held_out: Examples | None = None,
        cautious: bool = False,
    ) -> None:
        self.model, self.figures, self.optimizer = model, figures, optimizer
        self.loss = loss = figures.loss
        self.batch_size = min(batch_size, len(examples))
        self.max_grad_norm = max_grad_norm
        self.held_out = held_out
        is_foreign = bool(foreign(model, loss, optimizer))
        self._is_doubtful, self.watched = cautious and is_foreign, watched or is_foreign
        self._load(examples)
        self._examples = examples.at(slice(self.batch_size + 2)).listed()
        self._sizes = {2, self.batch_size, len(examples) % batch_size or 2}
        self._batches_at_once = 1
        self._moved: MovedNumbers | None = None
        self._classifies: bool | None = None
        self._record()
        has_rule(optimizer)  # is found out now: it takes 1 ms, and would be part of the first epoch
        if self._is_doubtful:
            self._check_against_eager()

    def _load(self, examples: Examples) -> None:
        """The numbers of the examples, as native code reads them."""
        self.rows = np.asarray(examples.rows, np.float64, order="C")
        self.targets = np.asarray(examples.targets, np.float64).reshape(len(examples), -1)
        self._wanted = with_weights(self.targets, examples.weights)

    # Recording

    def _record(self) -> None:
        """Records a step, with the settings that the model and the optimiser have now, if that was not done before."""
        self._is_own = not foreign(self.model, self.loss, self.optimizer)
        self._settings = self._settings_now()
        self._traced, shared = copied_where_it_is_foreign(self.model)
        found: Recording | None = taken(self.model, self._key) if self._is_own else None
        self._recording = found or self._recorded(shared)
        self._evaluation: CompiledModel | None = None
        if self.held_out is not None and self._compiles(self.held_out):
            self._evaluation = self._evaluation_of(self.held_out)

    def _settings_now(self) -> Any:
        """All that a callback may change, and another call may have otherwise."""
        read = what_it_reads(self.model, self.loss) if self._is_doubtful else []
        return Snapshot(self.model), optimizer_settings(self.optimizer), read

    @property
    def _key(self) -> Any:
        """Equal to that of another run if the same recording serves for both."""
        width = len(target) if isinstance(target := self._examples.targets[0], list) else 0
        is_weighted = self._examples.weights is not None
        shape = self.rows.shape[1], width, is_weighted, self.batch_size, self.max_grad_norm
        return "training", shape, loss_settings(self.loss), *self._settings

    def _recorded(self, shared: list[Module]) -> Recording:
        """A new recording."""
        before = None if self._is_own else Snapshot(self._traced)
        with modes_kept(shared), generators_kept(self.model, refuse=self._is_doubtful):
            self._traced.train()
            recording = self._programs()
        if not self._is_own and Snapshot(self._traced) != before:
            raise RecordingError(
                "a module changes its own attributes in forward(), which compiled code would not do again: "
                'engine="eager" calls it for every batch'
            )
        return recording

    def _programs(self) -> Recording:
        """The programs of a step, of the model as it is in training mode."""
        alone = one_by_one(self._traced, self._examples, self.loss, self._sizes)
        if alone is not None:
            return Recording(self._step(alone[0], Settings(self.batch_size, mean=alone[1])))
        if not self._is_own:
            self._check_that_it_repeats()
        return Recording(None)

    def _check_against_eager(self) -> None:
        """Raises RecordingError unless one batch has the same loss and gradient in both engines."""
        size, before = self.batch_size, Snapshot(self._traced)
        with generators_kept(self.model):
            eager = eager_gradient(self._traced, self.loss, self.optimizer, self._examples.at(slice(size)))
        with generators_kept(self.model):
            data = np.array([p._data for p in self.optimizer.params])
            found = self._gradient(size, data)
        expected, numbers = (np.array([error, *gradient]) for error, gradient in (eager, found))
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        if not np.allclose(numbers, expected, rtol=ROUNDING, atol=ROUNDING * scale, equal_nan=True):
            raise RecordingError("compiled, a batch has another loss or gradient than in Python")
        if self._settings != self._settings_now() or Snapshot(self._traced) != before:
            raise RecordingError("it changes what it reads")

    def _gradient(self, size: int, data: Numbers) -> tuple[float, Numbers]:
        """The loss of the first batch, and its gradient, where the parameters have these numbers."""
        return self._step_for(size).gradient(self.rows, self._wanted, np.arange(size), data)

    def _step(self, graph: Traced, settings: Settings) -> NativeStep:
        return NativeStep(graph, self.optimizer, settings, self.max_grad_norm)

    def _check_that_it_repeats(self) -> None:
        """Raises RecordingError if two recordings of a batch differ."""
        first, second = (self._traced_batch(min(2, len(self.rows))) for _ in range(2))
        if differ(self._traced, first, second):
            raise RecordingError(
                "the model or the loss computes something else each time, such as with random numbers of its own, "
                "which compiled code would repeat: leave random choices to nn.Dropout"
            )

    def _traced_batch(self, size: int) -> Traced:
        """The graph of a whole batch."""
        few = self._examples.at(slice(size))
        with modes_kept(list(self._traced.modules())):
            self._traced.train()
            return traced(self._traced, few.rows, few.targets, self.loss, few.weights)

    def _step_for(self, size: int) -> NativeStep:
        """The step for batches of this size."""
        if self._recording.alone is not None:
            return self._recording.alone
        if size not in self._recording.wholes:
            graph = self._traced_batch(size)
            self._recording.wholes[size] = self._step(graph, Settings(size, whole=True, mean=True))
        return self._recording.wholes[size]

    def pays(self) -> bool:
        """Whether a step is faster so than in Python: see `LoadedProgram.pays`. A few examples speak for all."""
        return bool(self._step_for(self.batch_size).program.pays())

    # Learning

    def epoch(self, order: Words, schedule: Schedule | None = None) -> Iterator[Learned]:
        """Steps for all batches of an epoch, for a tenth of a second at a time.

        The model and the optimiser have their numbers again after `synchronize`, which ends the epoch of one that is
        watched.

        Arguments:
            order: the examples, in the order in which they are learned.
            schedule: moved by the caller, as many steps as are in a chunk.
        """
        if self.watched:
            self.model.train()
            if self._settings != self._settings_now():
                self._record()
        if self._moved is None:
            self._moved = MovedNumbers(self.optimizer)
        rest = np.asarray(order, np.int64)
        while len(rest):
            size = min(self.batch_size, len(rest))
            # a smaller last batch needs no call of its own where each example stands alone
            left = len(rest) // size if self._recording.alone is None else -(-len(rest) // size)
            batches = min(self._batches_at_once, max(1, left)) if self._moved.are_moved_natively else 1
            if schedule is not None and not schedule.is_known_ahead:
                batches = 1
            began = time.perf_counter()
            rates = None if schedule is None else schedule.ahead(batches)
            chunk = self._steps(rest[: batches * size], size, self._moved, rates)
            seconds = time.perf_counter() - began
            self._batches_at_once = max(1, int(batches * AT_ONCE / max(seconds, 1e-6)))
            rest = rest[batches * size :]
            yield chunk
        if self.watched:
            self.synchronize()

    def shuffled(self, order: Any, rng: RandomSource | None) -> Words:
        """The order as `rng.shuffle` changes it, or without a generator as it is."""
        new = np.array(order, np.int64)
        if rng is not None:
            shuffle(new, rng)
        return new

    def numbers(self, parameters: list[Value]) -> list[float]:
        """The newest numbers of some parameters. They stay in native code."""
        found: list[float] = Reader(parameters).numbers().tolist()
        return found

    def synchronize(self) -> None:
        """Gives the parameters, and what the optimiser remembers of them, back to Python."""
        if self._moved is not None:
            with uninterrupted():
                self._moved.end()
                self._moved = None  # from now on they may be changed

    def close(self) -> None:
        """Leaves the programs to the next run of this model."""
        for step in (self._recording.alone, *self._recording.wholes.values()):
            if step is not None:
                step.forget()
        if self._is_own:
            keep(self.model, self._key, self._recording)

    def _steps(self, order: Words, size: int, moved: MovedNumbers, rates: list[float] | None) -> Learned:
        """Steps for some batches of one size."""
        step = self._step_for(size)
        with uninterrupted():  # running statistics and the count of the steps go with the weights
            moved.give(step)
            outputs, errors = step.run(self.rows, self._wanted, order, moved.scalars(-(-len(order) // size), rates))
            if not moved.are_moved_natively:
                moved.step()
        predictions = step.predictions(outputs)
        if self._classifies is None:
            self._classifies = self._tells_classes(predictions.shape[1])
        return Chunk(order, errors, predictions, self.targets, self._classifies)

    def _tells_classes(self, width: int) -> bool:
        """Whether the task is a classification, which is asked once, not for each batch."""
        outputs = np.zeros((len(self.targets), min(width, 2)))  # which outputs, and how many, does not matter
        return accuracy(bare(outputs), bare(self.targets), self.loss) is not None

    # Other examples

    def evaluated(self, examples: Examples) -> dict[str, Any]:
        """The figures on other examples, in evaluation mode."""
        if not self._compiles(examples):
            return figures_of(self.figures, outputs_of(self.model, listed(examples.rows)), examples)
        if self._evaluation is None:
            self._evaluation = self._evaluation_of(examples)
        return self._evaluation.figures(self.figures, examples)

    def _compiles(self, examples: Examples) -> bool:
        """Whether other examples run in native code. A few the eager engine computes, as in `evaluate`; not those held
        out, which are asked for in each epoch: 30 epochs with 15 of them take 0.09 s, not 0.27."""
        return not self._is_own or examples is self.held_out or is_much(self.model, examples.rows)

    def _evaluation_of(self, examples: Examples) -> CompiledModel:
        """The model with its loss in evaluation mode: kept with the model, or if it is foreign recorded anew."""
        if self._is_own:
            return compiled_model(self.model, examples, self.loss)
        with generators_kept(self.model):
            return CompiledModel(self._traced, examples, self.loss)


__all__ = ["CompiledTraining", "RecordingError"]
