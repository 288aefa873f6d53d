"""How does a model learn in Python? Each batch builds a graph, goes back through it, and drops it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nn.losses import Loss, accuracy
from nn.module import Module
from nn.optim import Optimizer, clip_grad_norm_
from nn.randomness import RandomSource
from nn.training.predict import numbers_of, outputs_of


@dataclass
class Batch:
    """A batch that was learned from.

    Attributes:
        order: which examples it had.
        errors: its loss, in a list.
        predictions: the outputs before the step, as floats.
    """

    order: list[int]
    errors: list[float]
    predictions: list[Any]

    def right(self, targets: list[Any], loss: Loss) -> float | None:
        """How many examples were classified right; None where the task is no classification."""
        share = accuracy(self.predictions, [targets[i] for i in self.order], loss)
        return None if share is None else share * len(self.order)


class EagerTraining:
    """Runs the epochs of a training run, and the model on other examples, in Python.

    Arguments:
        model: what is trained.
        rows, targets: the examples.
        loss: of predictions and targets.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.
        max_grad_norm: the largest norm that a gradient may have.
    """

    name = "eager"

    def __init__(
        self,
        model: Module,
        rows: list[Any],
        targets: list[Any],
        loss: Loss,
        optimizer: Optimizer,
        batch_size: int,
        max_grad_norm: float | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.rows, self.targets = rows, targets
        self.batch_size, self.max_grad_norm = batch_size, max_grad_norm

    def shuffled(self, order: list[int], rng: RandomSource | None) -> list[int]:
        """A new order of the examples, as `rng.shuffle` gives it; the same without a generator."""
        new = list(order)
        if rng is not None:
            rng.shuffle(new)
        return new

    def epoch(self, order: list[int]) -> Iterator[Batch]:
        """A step for each batch.

        Arguments:
            order: which examples come one after the other.
        """
        self.model.train()
        with _collector_paused():
            for start in range(0, len(order), self.batch_size):
                yield self._step(order[start : start + self.batch_size])

    def _step(self, batch: list[int]) -> Batch:
        predictions = self.model([self.rows[i] for i in batch])  # forward
        error = self.loss(predictions, [self.targets[i] for i in batch])
        self.optimizer.zero_grad()
        error.backward()
        learned = Batch(batch, [error.data], numbers_of(predictions))  # an Embedding's outputs move with the step
        if self.max_grad_norm is not None:
            clip_grad_norm_(self.optimizer.params, self.max_grad_norm)
        self.optimizer.step()  # update
        return learned

    def outputs(self, rows: list[Any]) -> list[Any]:
        """The model's outputs for other examples, in evaluation mode."""
        return outputs_of(self.model, rows)

    def synchronize(self) -> None:
        """Nothing to do: the model always has the newest numbers."""


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keeps Python's collector of reference cycles from visiting every new graph: 30 % of the time of an epoch.

    A graph has no cycles, and is freed as it is dropped."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
