"""What happens in a training run? Epoch by epoch: learn, look, remember the best, and stop where it is time."""

import time
from array import array
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Any

from autograd import Value
from autograd.interrupts import certainly, uninterrupted
from nn.module import Module, modes, set_modes
from nn.optim import FLOATS, Optimizer
from nn.own import is_own
from nn.randomness import RandomSource
from nn.schedules import Schedule
from nn.training.eager import Learned
from nn.training.engine import Engine
from nn.training.examples import Examples, HeldOutShare
from nn.training.figures import Figures, together
from nn.training.generators import as_generator_state, generator_state, generators
from nn.training.history import CONFUSION_MATRIX, History
from nn.training.progress import ProgressBar
from nn.training.recording import EXAMPLES, HELD_OUT, Filming, Recording, some_of
from nn.training.state import check_state


def steps_of_a_pass(examples: int, batch_size: int) -> int:
    """How many steps go through so many examples; the last batch may be smaller."""
    return -(-examples // batch_size)


Callback = Callable[[Module, History], Any]
State = dict[str, Any]


class Improvement:
    """How long ago a loss was last lower than before, by more than `min_delta`."""

    def __init__(self, min_delta: float) -> None:
        self.waited = 0
        self._min_delta = min_delta
        self._lowest: float | None = None

    def see(self, loss: float | None) -> None:
        """Looks at the loss of one more epoch."""
        self.waited += 1
        if loss is not None and not isnan(loss) and (self._lowest is None or loss < self._lowest - self._min_delta):
            self.waited, self._lowest = 0, loss


@dataclass
class Run:
    """A training run: what it works on, and what it remembers from epoch to epoch.

    Attributes:
        examples, held_out: what is learned from, and what is evaluated after each epoch.
        figures: those that are computed.
        split: how the examples were divided; None if those held out were given.
        min_delta: by how much the validation loss must fall to count as improved.
        rng: draws the order of the examples; None leaves it as it is.
        began: when `fit` was called, by `time.perf_counter`.
        steps_per_epoch: how many steps make an epoch, after which the run looks around.
        steps: how many were made in all, also by earlier calls; all else about where the run is follows from it.
        best: the numbers of the best epoch so far, if there is validation.
        order: the places of the examples in the order of the last epoch, a list or an array.
        film: takes the moments of the run, if it is filmed.
    """

    model: Module
    examples: Examples
    figures: Figures
    optimizer: Optimizer
    batch_size: int
    max_grad_norm: float | None
    held_out: Examples | None
    split: HeldOutShare | None
    patience: int | None
    min_delta: float
    rng: RandomSource | None
    schedule: Schedule | None
    schedule_by: str
    callbacks: list[Callback]
    engine: Engine
    history: History
    began: float
    steps_per_epoch: int
    steps: int = 0
    best: State | None = None
    order: Any = ()
    film: Filming | None = None

    def __post_init__(self) -> None:
        self.order = list(range(len(self.examples)))
        self._improved = Improvement(self.min_delta)
        self._parameters: dict[str, Value] | None = None

    def train(self, last: int, bar: ProgressBar, save: Callable[[], None] | None = None) -> None:
        """Goes through the epochs. Whatever ends them, the model is left as `fit` promises.

        Arguments:
            last: how many steps there may be in all, with those of earlier calls.
            bar: shows the progress.
            save: called after each epoch.
        """
        before = modes(self.model.modules())
        began = self.began - self.history.seconds  # as if the earlier calls had come right before
        preparation = time.perf_counter() - self.began
        self.history.preparation += preparation
        try:
            self._tell_callbacks()
            bar.begin(preparation)  # below what a callback shows
            self._film()
            while self.steps < last and not self.history.stopped:
                figures, matrix = self._epoch(last, bar)
                with uninterrupted():  # an epoch is in the history with its best weights and the next learning rate
                    self._improved.see(figures.get("validation_loss"))
                    self.history.append(figures)
                    self.history.seconds = time.perf_counter() - began
                    self._remember(matrix)
                    self._move_schedule()
                    if self.film is not None:
                        self.film.finish_epoch(self.steps, figures)
                bar.finish_epoch(self.history)
                self.history.stopped = self._reason_to_stop()
                if save is not None:
                    self.history.seconds = time.perf_counter() - began
                    save()
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        finally:
            certainly(lambda: self._end(before))
            bar.close()
        done = f"{self.steps} steps are done" if self.steps % self.steps_per_epoch else "all epochs are done"
        self.history.stopped = self.history.stopped or done
        self.history.seconds = time.perf_counter() - began
        for callback in self.callbacks:
            if hasattr(callback, "end"):
                callback.end(self.model, self.history)

    def _end(self, before: list[tuple[Module, bool]]) -> None:
        """Leaves the model as `fit` promises; `before` are the modes in which its modules were."""
        self.engine.synchronize()
        self.engine.close()
        if self.film is not None:
            self.film.end(self.steps, self._filmed_numbers(), self.history[-1] if len(self.history) else {})
        self.model.eval()
        if not len(self.history) and not self.history.stopped:  # it failed before anything was learned
            set_modes(before)
        if self.best is not None:
            self._set_numbers(self.best)

    def _epoch(self, last: int, bar: ProgressBar) -> tuple[dict[str, float], Any]:
        """Learns until an epoch or the last step ends, and evaluates what is held out; returns figures, confusions."""
        whole = self.steps - self.steps % self.steps_per_epoch + self.steps_per_epoch
        figures = self._learn(min(whole, last), bar)
        matrix = figures.pop(CONFUSION_MATRIX, None)
        if self.held_out is not None:
            seen = self.engine.evaluated(self.held_out)
            matrix = seen.pop(CONFUSION_MATRIX, None)
            figures |= {f"validation_{name}": figure for name, figure in seen.items()}
        return figures, matrix

    def _learned(self, end: int, schedule: Schedule | None) -> Iterator[Learned]:
        """The steps until `end`. The examples get a new order whenever all were learned from."""
        passes, film = steps_of_a_pass(len(self.examples), self.batch_size), self.film
        while self.steps < end:
            place = self.steps % passes
            if not place:
                self.order = self.engine.shuffled(self.order, self.rng)
            count = min(passes - place, (end if film is None else film.until(self.steps, end)) - self.steps)
            order = self.order[place * self.batch_size : (place + count) * self.batch_size]
            yield from self.engine.epoch(order, schedule)
            self.steps += count
            self._film()

    def begin_film(self, feature_names: list[str] | None) -> None:
        """Records the run from here on, as `history.film`."""
        examples = some_of(self.examples, EXAMPLES)
        held_out = None if self.held_out is None else some_of(self.held_out, HELD_OUT)
        sizes = self.batch_size, self.steps_per_epoch
        names = list(self.model.state_dict())
        optimizer = type(self.optimizer).__name__.lower()
        told = self.model, self.figures.loss, optimizer, *sizes, examples, held_out, names, feature_names
        self.film = Filming(Recording(*told, began_at=self.steps), self.optimizer)
        self.history.film = self.film.recording

    def _film(self) -> None:
        """Keeps this moment, if it is one of the film's."""
        if self.film is not None and self.film.is_due(self.steps):
            self.film.take(self.steps, self._filmed_numbers())

    def _filmed_numbers(self) -> "array[float] | None":
        """The numbers of the state_dict; None if it has other names by now. Where the names cannot change, nothing asks
        for them: a moment of 2,410 numbers takes 0.3 ms, not 0.6."""
        if self._parameters:
            return array("d", self.engine.numbers(list(self._parameters.values())))
        state = self._model_numbers()
        is_same = self.history.film is not None and list(state) == self.history.film.names
        return array("d", state.values()) if is_same else None

    def _tell_callbacks(self) -> None:
        """Tells the callbacks that want to know it what is trained."""
        for callback in self.callbacks:
            if hasattr(callback, "begin"):
                callback.begin(self.model, self.examples, self.held_out, self.figures.loss, self.optimizer)

    def _learn(self, end: int, bar: ProgressBar) -> dict[str, Any]:
        """The steps until `end`; returns the figures that were seen on the way."""
        total, right, count, answers, size = 0.0, 0.0, 0, 0, self.batch_size
        outputs: list[Any] | None = [] if self.figures.names or self.examples.sample_weight is not None else None
        by_step = self.schedule if self.schedule_by == "step" else None
        orders: list[Any] = []
        for learned in self._learned(end, by_step):
            *full, last = learned.errors  # only the last batch may be smaller
            for error in full:
                total += error * size
            total += last * (len(learned.order) - len(full) * size)
            if outputs is None:  # to count them is all that is done for 2,000 examples in 10 us
                found = learned.right(self.figures.loss)
                right = -inf if found is None else right + found
            else:
                outputs.append(copy(learned.predictions))
                orders.append(learned.order)
            count += len(learned.order)
            if self.film is not None:
                self.film.see(learned.errors, len(learned.order), size)
            answers += learned.answers
            if by_step is not None:
                for _ in learned.errors:
                    by_step.step()
            bar.advance(len(learned.errors))
        figures = {"loss": total / count}
        if outputs is not None:
            seen = self.examples.at([place for order in orders for place in order]).answers()
            return self.figures.of(figures["loss"], together(outputs), seen.targets, seen.sample_weight)
        return figures if right < 0.0 else {**figures, "accuracy": right / answers}

    def _remember(self, matrix: Any) -> None:
        """Keeps the weights of the best epoch, and its confusions."""
        is_best = self.history.best_epoch == len(self.history)
        if self.held_out is not None and is_best:
            self.best = self._numbers()
        if self.held_out is None or is_best:
            self.history.confusion_matrix = matrix

    def _move_schedule(self) -> None:
        """The learning rate of the next epoch, after a whole one."""
        if self.schedule_by == "step" or self.steps % self.steps_per_epoch:
            return
        if self.schedule is not None and self.schedule.needs_metric:
            self.schedule.step(self.history[-1].get("validation_loss", self.history[-1]["loss"]))
        elif self.schedule is not None:
            self.schedule.step()

    def _reason_to_stop(self) -> str:
        """Why the run must end after this epoch, in words; "" to go on."""
        if [callback for callback in self.callbacks if callback(self.model, self.history) is True]:
            return "a callback stopped it"
        loss = self.history[-1]["loss"]
        if not isfinite(loss):
            return f"the loss is {loss}: a lower learning rate may help"
        if self.patience is not None and self._improved.waited >= self.patience:
            least = f" by more than {self.min_delta:g}" if self.min_delta else ""
            return f"the validation loss has not improved{least} for {self.patience} epochs"
        return ""

    def _numbers(self) -> State:
        """Everything that training moves: parameters, buffers, and what the optimiser has beside the model's own."""
        return {"model": self._model_numbers(), "moved": self.engine.numbers(self.optimizer.params)}

    def _model_numbers(self) -> dict[str, float]:
        """The model's state_dict. A model of nn's own that no callback sees has the same parameters during a whole run:
        their names are looked up once, and their numbers stay in native code. 60 epochs of iris with 15 rows held out
        take 0.04 s, not 0.12."""
        if self._parameters is None:
            is_fixed = not self.callbacks and all(is_own(x) and not x.buffer_names for x in self.model.modules())
            self._parameters = dict(self.model.named_parameters()) if is_fixed else {}
        if not self._parameters:
            return self.model.state_dict()
        return dict(zip(self._parameters, self.engine.numbers(list(self._parameters.values())), strict=True))

    def _set_numbers(self, numbers: State) -> None:
        """Puts back what `_numbers()` gave."""
        if self._parameters:
            for name, parameter in self._parameters.items():
                parameter.data = numbers["model"][name]
        else:
            self.model.load_state_dict(numbers["model"])
        for parameter, number in zip(self.optimizer.params, numbers["moved"], strict=True):
            parameter.data = number

    # Saving and resuming

    def state_dict(self) -> State:
        """Everything needed to resume after the last epoch: all that changes from one epoch to the next."""
        drawn_from = generators(self.model, self.rng)
        return {
            "now": self._numbers(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "history": self.history.state_dict(),
            "order": list(map(int, self.order)),
            "generators": {name: generator_state(generator) for name, generator in drawn_from.items()},
            "steps": self.steps,
        }

    def load_state_dict(self, state: State) -> None:
        """Takes over a `state_dict()` before the first epoch; changes nothing if it does not fit.

        Arguments:
            state: what `state_dict()` gave after an epoch, also by way of JSON.

        Raises:
            ValueError: it belongs to another run, or is damaged.
        """
        before = self.state_dict()
        check_state(state, before, self.held_out is not None, self.history.metrics)
        whole = self.steps_per_epoch * len(state["history"]["epochs"])
        if state["steps"] > whole:
            raise ValueError(f"its history has at most {whole} steps; got {state['steps']}")
        try:
            self._take_over(state)
            self._check_step()
        except Exception as error:  # a schedule or an optimiser of one's own may raise anything
            self._take_over(before)
            raise ValueError(error.args[0] if error.args else str(error)) from error
        if "has not improved" in self.history.stopped and (
            self.patience is None or self._improved.waited < self.patience
        ):
            self.history.stopped = ""  # this time there is more patience

    def _take_over(self, state: State) -> None:
        if state["best"] is not None:
            self._set_numbers(state["best"])  # to find now what does not fit the model
        self._set_numbers(state["now"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.history.load_state_dict(state["history"])
        self._improved = Improvement(self.min_delta)
        for figures in self.history:
            self._improved.see(figures.get("validation_loss"))
        self.steps = state["steps"] or self.steps_per_epoch * len(self.history)
        self.best, self.order = state["best"], list(state["order"])
        for name, generator in generators(self.model, self.rng).items():
            generator.setstate(as_generator_state(state["generators"][name]))

    def _check_step(self) -> None:
        """Raises ValueError if the next step would fail, such as for the root of a negative mean of squares."""
        if type(self.optimizer).step is not Optimizer.step:
            return
        try:
            update = self.optimizer.rule(FLOATS, *self.optimizer.scalars())
            for parameter, *remembered in zip(self.optimizer.params, *self.optimizer.remembered(), strict=True):
                update(parameter.data, 0.0, *remembered)
        except Exception as error:
            raise ValueError(f"the optimizer cannot make a step from its state: {error}") from None
