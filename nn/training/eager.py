"""How does a model learn in Python? For each batch a graph is built, differentiated and dropped."""

import copy
from collections.abc import Iterator, Sized
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from autograd import Value
from autograd.graph import collector_paused
from autograd.interrupts import uninterrupted
from autograd.value import data_of
from nn.datasets.tables import listed
from nn.losses import Loss
from nn.metrics import accuracy
from nn.module import Module, modes_kept
from nn.optim import Optimizer, clip_grad_norm_
from nn.own import is_own
from nn.randomness import RandomSource
from nn.schedules import Schedule
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.outputs import figures_of, numbers_of, outputs_of


class Learned(Protocol):
    """Some batches that were learned from."""

    @property
    def order(self) -> Sized:
        """The places of their examples."""

    @property
    def predictions(self) -> Any:
        """The outputs for each target, until the next batches are learned from."""

    @property
    def errors(self) -> list[float]:
        """The loss of each batch."""

    @property
    def answers(self) -> int:
        """How many targets they have: one for each example, or for each position of a sequence."""

    def right(self, loss: Loss) -> float | None:
        """How many of the answers were right; None where the task is no classification."""


@dataclass
class Batch:
    """A batch that was learned from.

    Attributes:
        order: the places of its examples.
        errors: a list with its loss.
        predictions: the outputs before the step, as floats.
        targets: what they should be.
    """

    order: list[int]
    errors: list[float]
    predictions: list[Any]
    targets: list[Any]

    @property
    def answers(self) -> int:
        """How many targets there were."""
        return len(self.targets)

    def right(self, loss: Loss) -> float | None:
        """How many of the answers were right; None where the task is no classification."""
        share = accuracy(self.predictions, self.targets, loss)
        return None if share is None else float(round(share * self.answers))  # whole: 1/49 * 49 is not


@dataclass
class EagerTraining:
    """Trains a model in Python, and computes its outputs for other examples.

    Arguments:
        model: what is trained.
        examples: what it learns from. The model and the loss get lists, batch by batch.
        figures: those that are computed, with the loss.
        optimizer: moves the parameters.
        batch_size: how many examples make a batch.
        max_grad_norm: the largest norm that a gradient may have; None for no bound.
    """

    name: ClassVar[str] = "eager"

    model: Module
    examples: Examples
    figures: Figures
    optimizer: Optimizer
    batch_size: int
    max_grad_norm: float | None = None

    def shuffled(self, order: list[int], rng: RandomSource | None) -> list[int]:
        """A new order of the examples, drawn by `rng.shuffle`; the same order without a generator."""
        shuffled = list(order)
        if rng is not None:
            rng.shuffle(shuffled)
        return shuffled

    def epoch(self, order: list[int], schedule: Schedule | None = None) -> Iterator[Batch]:
        """A step for each batch.

        Arguments:
            order: the places of the examples, in the order in which they are learned from.
            schedule: moved by the caller after each batch.
        """
        self.model.train()
        counting = _counting(self.model)
        with collector_paused():
            for start in range(0, len(order), self.batch_size):
                yield self._step(order[start : start + self.batch_size], counting)

    def _step(self, batch: list[int], counting: list[Module]) -> Batch:
        """A step; after Ctrl-C or an error the statistics of the layers that keep some are as before."""
        steps, statistics = self.optimizer.steps, _statistics(counting)
        try:
            examples = self.examples.at(batch).listed()
            predictions = self.model(examples.rows)  # forward
            error = examples.error(self.figures.loss, predictions)
            self.optimizer.zero_grad()
            error.backward()
            outputs = numbers_of(examples.in_rows(predictions))  # now: an Embedding's outputs are parameters
            learned = Batch(batch, [error.data], outputs, listed(examples.answers().targets))
            if self.max_grad_norm is not None:
                clip_grad_norm_(self.optimizer.params, self.max_grad_norm)
            with uninterrupted() if is_own(self.optimizer) else nullcontext():
                self.optimizer.step()  # update
        except BaseException:
            if self.optimizer.steps == steps:
                _put_back(statistics)
            raise
        return learned

    def evaluated(self, examples: Examples) -> dict[str, Any]:
        """The figures on other examples, in evaluation mode."""
        return figures_of(self.figures, outputs_of(self.model, listed(examples.rows)), examples)

    def numbers(self, parameters: list[Value]) -> list[float]:
        """The numbers of some parameters."""
        return [parameter.data for parameter in parameters]

    def synchronize(self) -> None:
        """Does nothing: the model always has the newest numbers."""

    def close(self) -> None:
        """Does nothing: nothing is kept."""


def eager_gradient(model: Module, loss: Loss, optimizer: Optimizer, examples: Examples) -> tuple[float, list[float]]:
    """The loss of a batch in training mode, and its derivatives by what the optimiser moves. Nothing is changed."""
    parameters = list(dict.fromkeys([*optimizer.params, *model.parameters()]))
    gradients, statistics = [p.grad for p in parameters], _statistics(_counting(model))
    try:
        with modes_kept(model.modules()):
            model.train()
            error = examples.error(loss, model(examples.rows))
            for parameter in parameters:
                parameter.grad = 0.0
            error.backward()
        return error.data, [data_of(p.grad) for p in optimizer.params]
    finally:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        _put_back(statistics)


Statistics = list[tuple[Module, str, Any]]


def _counting(model: Module) -> list[Module]:
    """The layers that keep something of the batches that they saw: running means, counts."""
    return [x for x in model.modules() if x.buffer_names]


def _statistics(counting: list[Module]) -> Statistics:
    """What these layers keep."""
    return [(x, name, copy.copy(getattr(x, name))) for x in counting for name in x.buffer_names]


def _put_back(statistics: Statistics) -> None:
    """Puts back what `_statistics` gave."""
    with uninterrupted():
        for module, name, numbers in statistics:
            if isinstance(numbers, list):
                getattr(module, name)[:] = numbers
            else:
                setattr(module, name, numbers)
