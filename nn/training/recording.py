"""What does a film of a training run keep? Its moments: the steps made, the figures, and all numbers of the model.

Moments lie close together in the beginning, where most happens, and further apart later. How long a run will be is not
known beforehand, so there are too many at first: whenever there are more than `MOST`, some are dropped, and from then
on fewer are taken. `nn.film` shows a recording.
"""

import random
from array import array
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from nn.datasets.tables import listed
from nn.losses import Loss
from nn.module import Module
from nn.optim import Optimizer
from nn.training.examples import Examples

MOST = 200
"""More moments than these are never kept."""

FEWEST = 20
"""So many are kept even of a model with very many numbers."""

NUMBERS = 8_000_000
"""So many numbers are kept of all moments together: 64 MB."""

EXAMPLES, HELD_OUT = 1_000, 500
"""So many examples are kept of those to learn from, and of those that are held out."""


NEVER = 10**18
"""More steps than any run has."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A moment of a training run.

    Attributes:
        steps: how many were made until then.
        epoch: the same in epochs, such as 2.5.
        lr: the learning rate of the next step.
        loss: the mean loss of the examples that were learned from since the moment before; None at the first.
        figures: at the end of an epoch those of the history, such as "validation_loss"; else none.
        numbers: of all parameters and buffers, in the order of `Recording.names`.
    """

    steps: int
    epoch: float
    lr: float
    loss: float | None
    figures: Mapping[str, float]
    numbers: "array[float]"


@dataclass(eq=False)
class Recording:
    """The film of a training run, as `fit(..., film=True)` records it; `nn.film(history)` shows it.

    Attributes:
        model: what was trained.
        loss: the function.
        optimizer: its name, such as "adam".
        batch_size, steps_per_epoch: of the run.
        examples: at most 1,000 of those that were learned from, as lists.
        held_out: at most 500 of those for validation; None if there were none.
        names: those of the model's `state_dict()`.
        feature_names: the names of the columns, where they are known.
        class_names: those of the classes, where they are known.
        began_at: the steps that were made before, by a run that was resumed.
        note: what is particular about the film, as a sentence; "" if nothing is.
        moments: in the order of their steps.

    >>> import nn
    >>> history = nn.fit(nn.MLP(1, [1], rng=0), [[0.0], [1.0]], [1.0, 3.0], loss="mse_loss", epochs=3, rng=0,
    ...                  film=True, progress=False)
    >>> [moment.steps for moment in history.film.moments]
    [0, 1, 2, 3]
    """

    model: Module
    loss: Loss
    optimizer: str
    batch_size: int
    steps_per_epoch: int
    examples: Examples
    held_out: Examples | None
    names: list[str]
    feature_names: list[str] | None = None
    class_names: list[str] | None = None
    began_at: int = 0
    note: str = ""
    moments: list[Moment] = field(default_factory=list, repr=False)
    _copy: Module | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.began_at:
            self.note = f"The run was resumed at epoch {self.began_at / self.steps_per_epoch:g}: the film begins there."

    def state(self, moment: Moment) -> dict[str, float]:
        """The model's `state_dict()` at a moment."""
        return dict(zip(self.names, moment.numbers, strict=True))

    def model_at(self, moment: Moment) -> Module:
        """A copy of the model, as it was at a moment, in evaluation mode. It is the same copy for each moment.

        Raises:
            KeyError: the model has got other parameters since.
        """
        if self._copy is None:
            self._copy = deepcopy(self.model).eval()
        self._copy.load_state_dict(self.state(moment))
        return self._copy


@dataclass
class Filming:
    """Takes the moments of a run.

    Arguments:
        recording: what gets them.
        optimizer: that of the run; it counts the steps.

    Attributes:
        fineness: two moments are at most this part of the steps so far apart: the 16th, ...
        stride: and at most so many epochs.
    """

    recording: Recording
    optimizer: Optimizer
    fineness: int = 16
    stride: int = 1

    def __post_init__(self) -> None:
        numbers = max(1, len(self.recording.names))
        self._most = min(MOST, max(FEWEST, NUMBERS // numbers))
        self._total, self._count = 0.0, 0  # of the losses since the last moment
        self._counted = self.optimizer.steps - self.recording.began_at
        self._due = self.recording.began_at  # the steps after which the next moment is

    def until(self, steps: int, end: int) -> int:
        """Where the next moment is, or the end if that comes first."""
        return min(end, self._due) if self._due > steps else end

    def see(self, errors: Sequence[float], examples: int, batch_size: int) -> None:
        """Counts the losses of some batches; only the last may have fewer examples."""
        self._total += sum(errors[:-1]) * batch_size + errors[-1] * (examples - (len(errors) - 1) * batch_size)
        self._count += examples

    def is_due(self, steps: int) -> bool:
        """Whether a moment is to be taken after so many steps."""
        return steps >= self._due

    def take(self, steps: int, numbers: "array[float] | None", figures: Mapping[str, float] | None = None) -> None:
        """Keeps a moment.

        Arguments:
            steps: those made until now.
            numbers: those of the model's `state_dict()`; None if it has other names than in the beginning.
            figures: those of the epoch, if one has just ended.
        """
        recording, lr = self.recording, float(self.optimizer.lr)
        if numbers is None:
            recording.note = f"The model got other parameters after step {self._last_steps}, and the film ends there."
            self._due = NEVER
            return
        loss = self._total / self._count if self._count else None
        self._total, self._count = 0.0, 0
        epoch = steps / recording.steps_per_epoch
        recording.moments.append(Moment(steps, epoch, lr, loss, dict(figures or {}), numbers))
        self._due = self._following(steps)
        if len(recording.moments) > self._most:
            self._thin()

    def finish_epoch(self, steps: int, figures: Mapping[str, float]) -> None:
        """The moment that was just taken is the end of an epoch: it gets the figures, and the next learning rate."""
        if self.recording.moments and self._last_steps == steps:
            m, lr = self.recording.moments[-1], float(self.optimizer.lr)
            self.recording.moments[-1] = Moment(m.steps, m.epoch, lr, m.loss, dict(figures), m.numbers)

    def end(self, steps: int, numbers: "array[float] | None", figures: Mapping[str, float]) -> None:
        """Takes the last moment, if it is not there; after Ctrl-C also within an epoch.

        Arguments:
            steps: those of the run, which counts only what it has seen.
            numbers: as `take` has them.
            figures: those of the last epoch.
        """
        made = self.optimizer.steps - self._counted  # an optimiser of one's own may count nothing
        if max(steps, made) > self._last_steps and self._due < NEVER:
            self.take(max(steps, made), numbers, figures if made <= steps else {})

    @property
    def _last_steps(self) -> int:
        return self.recording.moments[-1].steps if self.recording.moments else -1

    def _following(self, steps: int) -> int:
        """The steps after which the next moment should be, if one is now: at the end of an epoch where there is one."""
        gap, epoch = max(1, steps // self.fineness), self.recording.steps_per_epoch
        whole = steps - steps % epoch
        if gap < epoch:
            return min(steps + gap, whole + epoch)
        return whole + min(gap // epoch, self.stride) * epoch

    def _thin(self) -> None:
        """Drops moments, of the later ones more, until there is room for another quarter, or none can be spared."""
        moments = self.recording.moments
        while len(moments) > self._most * 3 // 4 and self.stride < moments[-1].steps:
            self.fineness, self.stride = max(1, self.fineness * 2 // 3), self.stride * 2
            kept = moments[:1]
            for moment in moments[1:-1]:
                if moment.steps >= self._following(kept[-1].steps):
                    kept.append(moment)
            moments[:] = [*kept, *moments[-1:]]
        self._due = self._following(moments[-1].steps)


def some_of(examples: Examples, most: int) -> Examples:
    """At most so many of the examples, in their order. A generator of its own draws them: training's draws nothing."""
    count = len(examples)
    places = range(count) if count <= most else sorted(random.Random(0).sample(range(count), most))
    return examples.at(list(places)).listed()


def column_names(X: Any) -> list[str] | None:
    """The names of the columns of a data frame or of a table; None where there are none."""
    names = getattr(X, "columns", None)
    return None if names is None or callable(names) else [str(name) for name in listed(names)]
