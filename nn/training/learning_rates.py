"""Which learning rate suits? A few steps at rates that rise from step to step tell: the learning-rate range test."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, hypot, isfinite, nan, sqrt
from typing import Any

from autograd.interrupts import certainly
from autograd.reals import as_count, as_float
from nn.losses import Loss, LossName, loss_function
from nn.module import Module, check_module, modes_kept
from nn.optim import Optimizer, OptimizerName, optimizer_of
from nn.plots import COLOURS, INK, new_figure
from nn.randomness import RandomSource, Seed, random_source, rewinding
from nn.schedules import ExponentialLR
from nn.training.engine import Engine, EngineName, chosen_engine
from nn.training.examples import check_weights
from nn.training.figures import Figures
from nn.training.fit import check_last_batch, check_optimizer, try_out
from nn.training.sequences import given_examples
from nn.training.settings import generators_kept


@dataclass(frozen=True, repr=False)
class LearningRates:
    """What `find_learning_rate` found.

    Attributes:
        rates: the learning rate of each step.
        losses: the loss of its batch, before the step.
        smoothed: the losses without most of the noise between batches.
        suggestion: a learning rate to train with; nan if the loss did not fall at any, a guess if `is_flat`.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float

    @property
    def is_flat(self) -> bool:
        """Whether the loss falls by less than it varies from batch to batch, or by less than a fiftieth of it.

        The suggestion is a guess then."""
        first = _mean(self.smoothed[: max(1, len(self.smoothed) // 10)])
        place = self.smoothed.index(min(self.smoothed))
        noise = [x - y for x, y in zip(self.losses[: place + 1], self.smoothed, strict=False)]
        return not first - self.smoothed[place] > max(hypot(*noise) / sqrt(len(noise)), 0.02 * abs(first))

    def plot(self) -> Any:
        """Draws the losses over the learning rates, and marks the suggestion, with matplotlib; returns the figure.

        Raises:
            ImportError: matplotlib is not installed.

        >>> found = LearningRates([0.01, 0.1, 1.0], [3.0, 1.0, 2.0], [2.5, 1.5, 2.0], 0.05)
        >>> [ax.get_xscale() for ax in found.plot().axes]
        ['log']
        """
        figure = new_figure(5.5, 3.5, "LearningRates.plot")
        ax = figure.subplots()
        ax.plot(self.rates, self.losses, ".", color=COLOURS[1], alpha=0.35, label="loss of a batch")
        ax.plot(self.rates, self.smoothed, color=COLOURS[1], label="smoothed")
        if isfinite(self.suggestion):
            label = f"suggestion {self.suggestion:.2g}"
            ax.axvline(self.suggestion, color=COLOURS[0], linestyle="--", label=label)
        low, high = min(*self.losses, *self.smoothed), max(self.smoothed)  # the last losses may be 1e100
        margin = 0.1 * (high - low) or 0.5
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        ax.set_ylim(low - margin, high + margin)
        ax.tick_params(colors=INK)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=3, frameon=False)
        return figure

    def __str__(self) -> str:
        tried = f"{len(self.rates)} learning rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        if not isfinite(self.suggestion):
            return f"{tried}: the loss fell at none of them; is the model trained already?"
        if self.is_flat:
            return (
                f"{tried}: the curve is flat, since the loss falls by little more than it varies from batch to batch; "
                f"is the model trained already? {self.suggestion:.2g} is a guess: look at plot(), or try a larger "
                f"batch_size"
            )
        return f"{tried}: {self.suggestion:.2g} is a good one to train with"

    def __repr__(self) -> str:
        rates = f"{len(self.rates)} rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        return f"LearningRates({rates}, suggestion {self.suggestion:.2g})"


def find_learning_rate(
    model: Module,
    X: Any,
    Y: Any,
    *,
    loss: Loss | LossName,
    optimizer: Optimizer | OptimizerName = "adam",
    batch_size: int = 32,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    rng: Seed = None,
    sample_weight: Any = None,
    engine: EngineName = "auto",
) -> LearningRates:
    """Trains for a few steps, at a learning rate that rises exponentially, until the loss explodes; suggests one.

    The suggestion is the lowest rate by which the loss, smoothed, has made four fifths of its fall: well before it is
    lowest, where the rate is too high already. Afterwards the model, the optimiser and the random generators are as
    before, also after an error or Ctrl-C.

    Arguments:
        model: what is to be trained.
        X: the examples: a list of rows, a NumPy array or a data frame.
        Y: a target for each.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.
        optimizer: what is to move the parameters: an optimiser, or the name of one.
        batch_size: how many examples make one step.
        lowest, highest: the learning rates of the first step and the last one.
        steps: how many steps to make, at least 10.
        rng: a seed, or a `random.Random`, for the order of the examples; by default Python's `random`.
        sample_weight: for each example how much it counts; None where all count the same.
        engine: "auto", "eager" or "compiled", as for `fit`.

    Returns:
        the `LearningRates`: `.suggestion`, and `.plot()` for the curve.

    Raises:
        ValueError, TypeError: an argument does not fit, or the loss is no finite number before the first step.
        RecordingError, ImportError: as for `fit`.

    Source: Smith, "Cyclical learning rates for training neural networks", 2017, for the test. Its usual readings were
    tried too, on 7 problems with 2 optimisers each, against the best of a grid of rates: of what the best rate lowers
    the loss in 20 epochs, this one loses 5 % on average, a tenth of the rate of the lowest loss 6 %, the longest valley
    of fastai 7 %, the steepest descent 9 % and more.

    >>> from nn import MLP
    >>> X = [[i / 20.0] for i in range(-20, 20)]
    >>> model = MLP(1, [8, 1], rng=0)
    >>> found = find_learning_rate(model, X, [x * x for [x] in X], loss="mse_loss", rng=0)
    >>> 0.001 < found.suggestion < 1.0
    True
    """
    check_module("find_learning_rate tries out", model)
    examples = given_examples(model, X, Y, sample_weight)
    check_weights(examples, "the examples")
    batch_size, steps = as_count(batch_size, "batch_size"), as_count(steps, "steps", least=10)
    lowest, highest = as_float(lowest, "lowest"), as_float(highest, "highest")
    if not (0.0 < lowest < highest and isfinite(highest)):
        raise ValueError(
            f"find_learning_rate takes learning rates above 0, the lowest below the highest; got {lowest=}, {highest=}"
        )
    figures, source = Figures(loss_function(loss)), random_source(rng)
    mover = optimizer_of(optimizer, None, model.parameters())
    check_optimizer(mover, None, model)
    with _kept(model, mover, source):
        check_last_batch(model, len(examples), batch_size)
        try_out(model, examples, None, figures, batch_size)
        mover.lr = lowest
        schedule = ExponentialLR(mover, (highest / lowest) ** (1.0 / (steps - 1)))
        trainer, _ = chosen_engine(engine, model, examples, figures, mover, batch_size, None, watched=False)
        losses = _losses(trainer, len(examples), schedule, source, steps)
    if not losses:
        raise ValueError("the loss is not a finite number before the first step: look at it with nn.diagnose")
    rates = [schedule.lr_at(step) for step in range(len(losses))]
    smoothed = _smoothed([min(x, _much(losses, steps)) for x in losses], 0.03 * steps)
    return LearningRates(rates, losses, smoothed, _suggestion(rates, smoothed, steps))


def _losses(trainer: Engine, examples: int, schedule: ExponentialLR, rng: RandomSource, steps: int) -> list[float]:
    """The losses of the steps, until they explode."""
    losses: list[float] = []
    order: Any = list(range(examples))
    try:
        while not _is_enough(losses, steps):
            order = trainer.shuffled(order, rng)
            for learned in trainer.epoch(order, schedule):
                losses += learned.errors
                for _ in learned.errors:
                    schedule.step()
                if _is_enough(losses, steps):
                    break
    finally:
        certainly(trainer.synchronize)
        certainly(trainer.close)
    exploded = (step for step, loss in enumerate(losses) if not isfinite(loss))
    return losses[: min(steps, next(exploded, steps))]


def _is_enough(losses: Sequence[float], steps: int) -> bool:
    """Whether all steps are made, or the loss exploded: a tenth of them had losses that are much on average."""
    tenth = steps // 10
    if len(losses) >= steps or not all(map(isfinite, losses)):
        return True
    return len(losses) > tenth and _mean(losses[-tenth:]) > _much(losses, steps)


def _much(losses: Sequence[float], steps: int) -> float:
    """A loss that says no more than that the rate is too high: twice the first ones, where losses are above 0."""
    first = _mean(losses[: steps // 10])
    return first + max(abs(first), first - min(losses))


def _suggestion(rates: list[float], smoothed: list[float], steps: int) -> float:
    first, lowest = _mean(smoothed[: steps // 10]), min(smoothed)
    if not lowest < first:
        return nan
    place = smoothed.index(lowest)
    while place and smoothed[place - 1] <= first - 0.8 * (first - lowest):
        place -= 1
    return rates[place]


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _smoothed(numbers: list[float], width: float) -> list[float]:
    """The means of the numbers around each, with weights that fall like a bell curve of this width."""
    reach = int(4.0 * width)
    weights = [exp(-0.5 * (i / width) ** 2) for i in range(-reach, reach + 1)]
    smoothed = []
    for i in range(len(numbers)):
        low = max(0, i - reach)
        around = numbers[low : i + reach + 1]
        near = weights[reach - (i - low) :][: len(around)]
        smoothed.append(sum(w * x for w, x in zip(near, around, strict=True)) / sum(near))
    return smoothed


@contextmanager
def _kept(model: Module, optimizer: Optimizer, rng: RandomSource) -> Iterator[None]:
    """A block after which the model, the optimiser and the random generators are as before."""
    parameters = list(dict.fromkeys([*optimizer.params, *model.parameters()]))
    numbers, state, rewind = [(p.data, p.grad) for p in parameters], model.state_dict(), rewinding(rng)
    same = {id(x): x for x in (*parameters, optimizer.params)}  # not to be copied
    settings = copy.deepcopy(optimizer.__getstate__(), same)

    def put_back() -> None:
        optimizer._take_back()
        model.load_state_dict(state)
        for parameter, (data, grad) in zip(parameters, numbers, strict=True):
            parameter.data, parameter.grad = data, grad
        vars(optimizer).clear()
        vars(optimizer).update(settings)
        rewind()

    try:
        with modes_kept(model.modules()), generators_kept(model):
            yield
    finally:
        certainly(put_back)
