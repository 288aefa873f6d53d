"""How does a network learn? Forward, loss, backward, update, for every batch of every epoch.

`fit` is that loop with the rest of what a training run needs: validation, early stopping, a progress bar, a history.
"""

import gc
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from autograd import Value, no_grad
from autograd.modes import RecordingError, is_strict
from autograd.reals import shown
from nn.arguments import check_error, check_module, examples, loss_function
from nn.counts import count
from nn.datasets import as_rows, as_targets, check_same_length
from nn.losses import Loss, accuracy, cross_entropy, nll_loss
from nn.module import Module, modes, modes_kept, set_modes
from nn.normalisation import BatchNorm
from nn.optim import Optimizer, clip_grad_norm_, norm_bound
from nn.own import is_own
from nn.randomness import RandomSource, random_source
from nn.schedules import Schedule
from nn.training.history import History
from nn.training.progress import ProgressBar
from nn.training.resume import Checkpoint

if TYPE_CHECKING:
    from nn.training.compiled import CompiledTraining

Callback = Callable[[Module, History], Any]


def fit(
    model: Module,
    X: Any,
    Y: Any,
    *,
    loss: Loss | str,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    validation: tuple[Any, Any] | None = None,
    patience: int | None = None,
    shuffle: bool = True,
    rng: RandomSource | None = None,
    schedule: Schedule | None = None,
    max_grad_norm: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    engine: str = "auto",
    progress: bool = True,
    callbacks: Iterable[Callback] = (),
) -> History:
    """Trains the model, in place.

    Arguments:
        model: what is trained; called on batches, in training mode, and left in evaluation mode.
        X: the examples: a list of rows of numbers, a NumPy array or a data frame, n by the model's inputs.
        Y: the n targets: classes, numbers, or rows of numbers.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.
        optimizer: moves the parameters after each batch.
        epochs: how many times to go through the examples.
        batch_size: how many examples make one step; the last batch of an epoch may be smaller.
        validation: a pair (X, Y) of examples that are only looked at. At the end the model has the weights of the epoch
            with the lowest validation loss.
        patience: stop when the validation loss has not improved for so many epochs; None goes on to the end.
        shuffle: draw a new order of the examples in each epoch.
        rng: a `random.Random` for the order; by default Python's `random`.
        schedule: sets the optimiser's learning rate after each epoch; one that watches a figure gets the validation
            loss, or without validation the training loss.
        max_grad_norm: before each step the gradients are scaled down so that their Euclidean norm is at most this, as
            `clip_grad_norm_` does.
        checkpoint: a file that is written after each epoch. If it is there already, the run goes on from it until it
            has `epochs` in all, and ends with the same bits as if it had never been interrupted, by Ctrl-C or a kill at
            any moment: the states of the random generators come from the file, and all settings but `epochs`,
            `patience` and `callbacks` must be the same. `nn.load` reads the model from it.
        engine: "eager" builds the graph for every batch; "compiled" records it once and replays it as native code, some
            100 times faster. "auto" compiles if numba is installed and model, loss and optimiser are all of `nn`. With
            "compiled" they may be your own, if they decide nothing in Python by a number that changes, and draw no
            random numbers of their own: their code runs only for the recording, and plain numbers that it reads
            elsewhere, and what it writes, are those of that moment. The history's `engine` says which engine it was,
            and `why_eager` why not the compiled one.
        progress: show a progress bar, in a terminal and in a notebook.
        callbacks: functions of (model, history), called after each epoch; one that returns True stops the training.

    Returns:
        the `History`: losses and accuracies by epoch, the best epoch, why it stopped. Ctrl-C stops too: the model then
        has the best weights so far (without validation, the last ones).

    Raises:
        ValueError, TypeError: an argument does not fit; nothing has been changed then.
        CheckpointError: the checkpoint is that of another run, or none.
        RecordingError: engine is "compiled", and the model or the loss cannot be recorded.
        ImportError: engine is "compiled", and numba is not installed.
        OSError: the checkpoint cannot be read or written.

    >>> import random
    >>> from nn import MLP, SGD
    >>> model = MLP(1, [1], rng=random.Random(0))
    >>> history = fit(model, [[0.0], [1.0]], [1.0, 3.0], loss="mse_loss", optimizer=SGD(model.parameters(), lr=0.3),
    ...               epochs=50, batch_size=2, progress=False)
    >>> round(history.loss[-1], 6)
    0.0
    """
    check_module("fit trains", model)
    rows, targets = examples(X, Y)
    held_out = None if validation is None else examples(*_pair(validation), "validation X")
    epochs, batch_size = count(epochs, "epochs"), count(batch_size, "batch_size")
    if patience is not None:
        patience = count(patience, "patience")
        if held_out is None:
            raise ValueError("patience needs validation=(X, Y): early stopping watches the validation loss")
    loss, rng, callbacks = loss_function(loss), random_source(rng), _callbacks(callbacks)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer takes an optimiser such as SGD(model.parameters(), lr=0.1); got {optimizer!r}")
    if not set(optimizer.params) & set(model.parameters()):
        raise ValueError("the optimizer moves none of the model's parameters: make it with model.parameters()")
    _check_schedule(schedule, optimizer)
    _check_last_batch(model, len(rows), batch_size)
    _try_out(model, rows, targets, loss, batch_size)
    if held_out is not None:
        _check_loss(loss, _outputs(model, held_out[0][:1]), held_out[1])

    history = History(python=platform.python_version())
    order_rng = rng if shuffle else None
    run = Run(model, rows, targets, held_out, loss, optimizer, batch_size, order_rng, patience, callbacks, history)
    run.schedule = schedule
    run.max_grad_norm = None if max_grad_norm is None else norm_bound(max_grad_norm, "max_grad_norm")
    run.compiled = _compiled(engine, run)
    if checkpoint is not None:
        run.checkpoint = Checkpoint(checkpoint, run)
        run.checkpoint.resume()
    batches = len(range(0, len(rows), batch_size))
    run.train(epochs, ProgressBar(epochs, batches, shown=progress, done=len(history)))
    return history


@dataclass
class Run:
    """A training run: what it works on, and what it must remember from epoch to epoch (see `resume.py`)."""

    model: Module
    rows: list[Any]
    targets: list[Any]
    held_out: tuple[list[Any], list[Any]] | None
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    rng: RandomSource | None
    patience: int | None
    callbacks: list[Callback]
    history: History
    schedule: Schedule | None = None
    checkpoint: Checkpoint | None = None
    max_grad_norm: float | None = None
    compiled: "CompiledTraining | None" = None
    best: dict[str, Any] | None = None
    waited: int = 0
    order: Any = ()  # of the examples: a list of whole numbers, in native code an array
    started: float = 0.0

    def __post_init__(self) -> None:
        self.order = list(range(len(self.rows)))

    def train(self, epochs: int, bar: ProgressBar) -> None:
        """Goes through the epochs; whatever ends them, the model is left as `fit` promises."""
        before = modes(self.model.modules())
        self.started = time.perf_counter()
        try:
            while len(self.history) < epochs and not self.history.stopped:
                self.history.append(self.epoch(bar))
                bar.finish_epoch(self.history)
                self.remember()
                self.move_schedule()
                self.history.stopped = self.reason_to_stop()
                if self.checkpoint is not None:
                    self.checkpoint.save()
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        finally:
            bar.close()
            self.synchronize()
            self.model.eval()
            if not len(self.history) and not self.history.stopped:  # it failed before anything was learned
                set_modes(before)
            if self.held_out is not None and self.best is not None:
                self.set_numbers(self.best)
        self.history.stopped = self.history.stopped or "all epochs are done"
        self.history.seconds = self.seconds()

    def seconds(self) -> float:
        """How long the run has taken so far, with what it took before it was interrupted."""
        return self.history.seconds + time.perf_counter() - self.started

    def numbers(self) -> dict[str, Any]:
        """Everything that training moves: parameters, buffers, and what the optimiser has beside the model's own."""
        return {"model": self.model.state_dict(), "moved": [p.data for p in self.optimizer.params]}

    def set_numbers(self, numbers: dict[str, Any]) -> None:
        """Puts back what `numbers()` gave."""
        self.model.load_state_dict(numbers["model"])
        for parameter, number in zip(self.optimizer.params, numbers["moved"], strict=True):
            parameter.data = number

    def epoch(self, bar: ProgressBar) -> dict[str, float]:
        """One pass over the examples and a look at those held out; returns the figures."""
        if self.compiled is None:
            self.model.train()
            if self.rng is not None:
                self.rng.shuffle(self.order)
            with _collector_paused():
                record = self.steps(bar)
        else:
            record = self.compiled_steps(self.compiled, bar)
        if self.held_out is not None:
            rows, targets = self.held_out
            outputs = _outputs(self.model, rows) if self.compiled is None else self.compiled.outputs(rows)
            figures = _figures(self.loss, outputs, targets)
            record |= {f"validation_{name}": figure for name, figure in figures.items()}
        return record

    def steps(self, bar: ProgressBar) -> dict[str, float]:
        """A step for each batch; the loss and accuracy are those seen on the way."""
        total, right = 0.0, 0.0
        for start in range(0, len(self.order), self.batch_size):
            batch = self.order[start : start + self.batch_size]
            error, share = self.step(batch)
            total += error * len(batch)
            right = right + share * len(batch) if share is not None else -inf
            bar.advance()
        return self.seen(total, right)

    def compiled_steps(self, compiled: "CompiledTraining", bar: ProgressBar) -> dict[str, float]:
        """The same in native code."""
        if self.is_seen:
            self.model.train()
        self.order = compiled.shuffled(self.order, self.rng)
        total, right = 0.0, 0.0
        for chunk in compiled.epoch(self.order):
            for k, error in enumerate(chunk.errors):
                total += error * min(self.batch_size, len(chunk.order) - k * self.batch_size)
            count = chunk.right(compiled.targets, self.loss)
            right = right + count if count is not None else -inf
            bar.advance(len(chunk.errors))
        if self.is_seen:
            self.synchronize()
        return self.seen(total, right)

    @property
    def is_seen(self) -> bool:
        """Whether anybody looks at the model between two epochs, or may change it."""
        own_schedule = self.schedule is not None and not is_own(self.schedule)
        return bool(self.callbacks or own_schedule or self.held_out is not None or self.checkpoint is not None)

    def synchronize(self) -> None:
        """Brings the model up to date, if native code has newer numbers."""
        if self.compiled is not None:
            self.compiled.synchronize()

    def seen(self, total: float, right: float) -> dict[str, float]:
        """The figures of an epoch, from the sum of the losses and the number of right answers; below 0 for none."""
        figures = {"loss": total / len(self.order)}
        return figures if right < 0.0 else {**figures, "accuracy": right / len(self.order)}

    def step(self, batch: list[int]) -> tuple[float, float | None]:
        """One step on the examples of a batch; returns their loss and accuracy."""
        wanted = [self.targets[i] for i in batch]
        predictions = self.model([self.rows[i] for i in batch])  # forward
        error = self.loss(predictions, wanted)
        self.optimizer.zero_grad()
        error.backward()
        share = accuracy(predictions, wanted, self.loss)  # before the step: an Embedding's outputs are parameters
        if self.max_grad_norm is not None:
            clip_grad_norm_(self.optimizer.params, self.max_grad_norm)
        self.optimizer.step()  # update
        return error.data, share

    def remember(self) -> None:
        """Keeps the weights of the best epoch, and counts how long ago it was."""
        if self.history.best_epoch == len(self.history):
            self.best, self.waited = None if self.held_out is None else self.numbers(), 0
        else:
            self.waited += 1

    def move_schedule(self) -> None:
        """The learning rate of the next epoch."""
        if self.schedule is not None and self.schedule.needs_metric:
            self.schedule.step(self.history[-1].get("validation_loss", self.history[-1]["loss"]))
        elif self.schedule is not None:
            self.schedule.step()

    def reason_to_stop(self) -> str:
        """Why the run must end after this epoch, in words; "" to go on."""
        if [callback for callback in self.callbacks if callback(self.model, self.history) is True]:
            return "a callback stopped it"
        loss = self.history[-1]["loss"]
        if not isfinite(loss):
            return f"the loss is {loss}: a lower learning rate may help"
        if self.patience is not None and self.waited >= self.patience:
            return f"the validation loss has not improved for {self.patience} epochs"
        return ""


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keeps Python's collector of reference cycles from visiting every new graph: 30 % of the time of an epoch.

    A graph has no cycles and is freed as it is dropped."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def predict(model: Module, X: Any) -> list[Any]:
    """The model's outputs for each example, as floats, in evaluation mode and without recording a graph.

    Arguments:
        model: a trained model; its mode is as before afterwards.
        X: the examples: a list of rows, a NumPy array or a data frame.

    Returns:
        for each example a list of floats, or one float where the model has a single output.

    >>> import random
    >>> from nn import MLP
    >>> predict(MLP(2, [3], rng=random.Random(0)), [[0.0, 0.0]])
    [[0.0, 0.0, 0.0]]
    """
    check_module("predict takes", model)
    return _outputs(model, as_rows(X))


def evaluate(model: Module, X: Any, Y: Any, *, loss: Loss | str) -> dict[str, float]:
    """The loss, and for a classification the accuracy, of the model on examples that it does not learn from.

    Arguments:
        model: a trained model; its mode is as before afterwards.
        X: the examples: a list of rows, a NumPy array or a data frame.
        Y: a target for each: classes, numbers, or rows of numbers.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.

    Returns:
        {"loss": ..., "accuracy": ...}.

    >>> from nn import MLP
    >>> figures = evaluate(MLP(1, [2], init=lambda *_: 0.0), [[0.0]], [1], loss="cross_entropy")
    >>> round(figures["loss"], 6)
    0.693147
    """
    check_module("evaluate takes", model)
    loss = loss_function(loss)
    outputs, targets = _outputs(model, as_rows(X)), as_targets(Y)
    check_same_length(outputs, targets)
    return _figures(loss, outputs, targets)


def _figures(loss: Loss, outputs: list[Any], targets: list[Any]) -> dict[str, float]:
    """The loss, and for a classification the accuracy, of outputs that are floats."""
    figures = {"loss": _number(_error(loss, outputs, targets))}
    share = accuracy(outputs, targets, loss)
    return figures if share is None else {**figures, "accuracy": share}


def _outputs(model: Module, rows: list[Any]) -> list[Any]:
    with no_grad():
        return _numbers(_evaluated(model, rows) if rows else [])


def _evaluated(model: Module, rows: list[Any]) -> list[Any]:
    """The outputs in evaluation mode; the modes are as before afterwards."""
    with modes_kept(model.modules()):
        model.eval()
        return list(model(rows))


def _numbers(outputs: list[Any]) -> list[Any]:
    return [[_number(x) for x in y] if isinstance(y, list) else _number(y) for y in outputs]


def _error(loss: Loss, outputs: list[Any], targets: list[Any]) -> Any:
    """The loss of outputs that are floats, as Values again: a loss of one's own may call their methods."""
    if loss in (cross_entropy, nll_loss) and outputs and not isinstance(outputs[0], list):  # a batch is no row
        raise ValueError(
            f"{loss.__name__} takes an output for each class; the model has a single one: give it more, or use "
            f"binary_cross_entropy_with_logits for two classes"
        )
    with no_grad():
        return loss([[Value(x) for x in y] if isinstance(y, list) else Value(y) for y in outputs], targets)


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


# What the arguments may be


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, Sequence) or len(validation) != 2:
        raise ValueError("validation takes a pair (X, Y) of examples and targets")
    return validation[0], validation[1]


def _try_out(model: Module, rows: list[Any], targets: list[Any], loss: Loss, batch_size: int) -> None:
    """One example through the model and every target through the loss, so that what does not fit fails at once."""
    outputs = _evaluated(model, rows[:1])
    _check_loss(loss, _numbers(outputs), targets)
    batch = targets[:batch_size]
    check_error(loss(outputs * len(batch), batch))


def _check_loss(loss: Loss, outputs: list[Any], targets: list[Any]) -> None:
    """Every target through the loss, with the outputs for one example."""
    result = _error(loss, outputs * len(targets), targets)
    if not isinstance(result, Value | float):
        raise TypeError(f"loss takes a function that returns one number; got {result!r} ({type(result).__name__})")


def _check_schedule(schedule: Any, optimizer: Optimizer) -> None:
    if schedule is None:
        return
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule takes a schedule such as StepLR(optimizer, 10); got {shown(schedule)}")
    if schedule.optimizer is not optimizer:
        raise ValueError("the schedule sets the learning rate of another optimizer: make it with the one given to fit")


def _check_last_batch(model: Module, examples: int, batch_size: int) -> None:
    if min(examples, examples % batch_size or batch_size) == 1:
        for name, module in model.named_modules():
            if isinstance(module, BatchNorm):
                raise ValueError(
                    f"the last batch would be one example, and {name} (BatchNorm) needs two: with {examples} examples "
                    f"choose another batch_size than {batch_size}"
                )


def _callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks as a list, if they are functions."""
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not callable(callback) or found[0] is callbacks:
            raise TypeError(f"callbacks takes functions of (model, history); got {shown(callback)}: pass a list")
    return found


def _compiled(engine: str, run: Run) -> "CompiledTraining | None":
    """The run in native code, or None; the history is told which engine it is, and why it is not the compiled one."""
    if engine not in ("auto", "eager", "compiled"):
        raise ValueError(f'engine takes "auto", "eager" or "compiled"; got {engine!r}')
    if engine == "eager":
        return None
    run.history.why_eager = _why_no_numba()
    if run.history.why_eager:
        if engine == "compiled":
            raise ImportError(f'engine="compiled" needs numba, and {run.history.why_eager}')
        return None
    from nn.training.compiled import CompiledTraining, foreign

    try:
        if is_strict():
            raise RecordingError("inside strict() every operation is looked at, which only the eager engine does")
        own = foreign(run.model, run.loss, run.optimizer)
        if own and engine == "auto":  # it could read, write and draw what no recording sees
            raise RecordingError(f'{own}: engine="compiled" records it, if its code may run only once')
        compiled = CompiledTraining(
            run.model, run.rows, run.targets, run.loss, run.optimizer, run.batch_size, run.max_grad_norm, run.is_seen
        )
    except RecordingError as error:
        run.history.why_eager = str(error)
        if engine == "compiled":
            raise
        return None
    run.history.engine, run.history.why_eager = "compiled", ""
    return compiled


def _why_no_numba() -> str:
    """Why nothing can be compiled; "" if it can."""
    if find_spec("numba") is None:
        return "numba is not installed: pip install 'scalar-autograd[fast]'"
    try:
        import numba  # noqa: F401
    except ImportError as error:
        return f"numba cannot be imported: {error}"
    return ""
