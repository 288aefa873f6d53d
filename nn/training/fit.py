"""How is a network trained? By one call, `fit`, which checks its arguments, chooses an engine and starts the run.

The loop over the epochs is in `run.py`; a step, forward, loss, backward and update, in `eager.py`.
"""

import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any, Literal

from autograd import Value
from autograd.reals import as_count, as_float, shown
from autograd.terminal import on_one_line
from nn.arguments import check_error
from nn.datasets.tables import listed, part
from nn.losses import Loss, LossName, known_loss, loss_function, telling
from nn.module import Module, check_module
from nn.normalisation import BatchNorm
from nn.optim import Optimizer, OptimizerName, norm_bound, optimizer_of
from nn.own import is_own
from nn.randomness import RandomSource, Seed, random_source, rewinding
from nn.schedules import Schedule
from nn.training import sequences
from nn.training.engine import EngineName, chosen_engine
from nn.training.examples import (
    Examples,
    HeldOutShare,
    check_weights,
    given,
    share_of,
    split_off,
    weighted_by_class,
    weights_of_classes,
)
from nn.training.figures import Figures, MetricLike, figures_asked
from nn.training.history import History
from nn.training.outputs import error_of, evaluated, numbers_of, outputs_of
from nn.training.progress import ProgressBar
from nn.training.recording import column_names
from nn.training.resume import Checkpoint, split_seed_in
from nn.training.run import Callback, Run, steps_of_a_pass
from nn.training.sequences import Sequences, given_examples


def fit(
    model: Module,
    X: Any,
    Y: Any,
    *,
    loss: Loss | LossName,
    optimizer: Optimizer | OptimizerName = "adam",
    lr: float | None = None,
    epochs: int = 100,
    steps_per_epoch: int | None = None,
    max_steps: int | None = None,
    batch_size: int = 32,
    validation: float | tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    sample_weight: Any = None,
    class_weight: Literal["balanced"] | Mapping[int, float] | None = None,
    metrics: Iterable[MetricLike] = (),
    shuffle: bool = True,
    rng: Seed = None,
    schedule: Schedule | None = None,
    schedule_by: str = "epoch",
    max_grad_norm: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    engine: EngineName = "auto",
    progress: bool = True,
    callbacks: Iterable[Callback] = (),
    film: bool = False,
) -> History:
    """Trains the model, in place.

    Arguments:
        model: what is trained. It is called on batches, in training mode, and left in evaluation mode.
        X: the examples: a list of rows of numbers, a NumPy array or a data frame, n by the model's inputs. For a model
            of sequences, whose outputs are a row for each token, as those of `nn.GPT`: lists of tokens of any length.
        Y: the n targets: classes, numbers, or rows of numbers; for sequences lists of them, a target for each token.
            The loss of a sequence is then the mean over its tokens.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.
        optimizer: moves the parameters after each batch: an optimiser, or the name of one, "sgd", "adam", "adamw",
            "rmsprop" or "adagrad".
        lr: the learning rate of an optimiser by name; by default 0.01, for "sgd" and "adagrad" 0.1.
        epochs: how many times to go through the examples.
        steps_per_epoch: where that takes long, let an epoch be so many steps. Whatever happens after each epoch, such
            as validation, callbacks and the checkpoint, then happens after so many steps; the next epoch goes on where
            the last one ended, and the examples get a new order when all were learned from.
        max_steps: stop after so many steps in all, also within an epoch. What was learned of it until then is looked at
            like a whole one. A run that is resumed with more steps goes on there, to the same bits.
        batch_size: how many examples make one step; the last batch of an epoch may be smaller.
        validation: examples that are evaluated after each epoch, and not learned from: a pair (X, Y), or (X, Y,
            sample_weight); or the share of the examples, such as 0.2, that is split off at random, of each class where
            the targets are classes. With them the model ends with the weights of the epoch with the lowest validation
            loss, without them with the last ones.
        patience: stop when the validation loss has not improved for so many epochs; None never stops early.
        min_delta: by more than this the validation loss has to fall for `patience` to call it improved.
        sample_weight: how much each example counts, n numbers of at least 0. The loss of a batch is then the mean of
            each example's weight times its loss, which is what `loss` says of that example alone. (For a loss of `nn`
            with reduction="sum" it is the sum.) In accuracy and metrics an example counts as much as its weight says.
        class_weight: how much each class counts in the loss, of training and of validation: a dict with a weight for
            each class, 1 for those left out, or "balanced" for n / (classes * examples of the class), counting each
            example by its weight. It multiplies the weights of the examples.
        metrics: what else to compute in each epoch, of the outputs seen in training and of those for validation: names
            in `nn.metrics.METRICS`, such as "precision" or "r2", "confusion_matrix", or functions of (predictions,
            targets) that return a number. Functions get copies, arrays where NumPy is installed, of the outputs as the
            model gives them (`nn.metrics.chosen_classes` makes them classes), and the `loss` and `sample_weight` if
            they have arguments of these names. One whose first argument is called y_true, as scikit-learn's are, gets
            the targets first.
        shuffle: draw a new order of the examples in each epoch.
        rng: a seed or a `random.Random` for the order and the split; by default Python's `random`.
        schedule: sets the optimiser's learning rate after each epoch. A schedule that watches a figure gets the
            validation loss, or without validation the training loss.
        schedule_by: "step" to move the schedule after each batch, as warm-ups need: what it calls epochs are then
            steps. By default "epoch".
        max_grad_norm: before each step the gradients are scaled down so that their Euclidean norm is at most this, as
            `clip_grad_norm_` does.
        checkpoint: a file that is written after each epoch. If it is there already, the run is resumed from it, until
            it has `epochs` in all. However often a run is interrupted, by Ctrl-C or a kill at any moment, it ends with
            the same bits as one that was not. The states of the random generators come from the file; all settings but
            `epochs`, `patience`, `min_delta` and `callbacks` must be the same. `nn.load` reads the model from the file.
        engine: "eager" builds the graph for every batch. "compiled" records it once and replays it as native code, some
            100 times faster, or without llvmlite by NumPy, some 30 times. "auto" compiles where it can and where that
            pays. What is of `nn` it records as it is. A loss, an activation or a module of your own it records if its
            code only computes: it may read plain numbers, call functions of which the same holds, and use `math`,
            `operator`, `itertools`, `functools`, `autograd` and `nn`; it may not branch on a number that changes, draw
            random numbers, print, or write anything that outlives the call. Before the first step one batch must have
            the same loss and gradient in both engines. Otherwise, and with an optimiser of your own, the eager engine
            trains, and one line on stderr says why. With "compiled" they are recorded without these precautions: their
            code runs only for the recording, so that the plain numbers that it reads elsewhere, and what it writes,
            stay those of that moment. `history.engine` says which engine it was, and `history.why_eager` why it was not
            the compiled one. A model keeps its last programs as long as it lives: another call with the same settings
            does not compile again.
        progress: show a progress bar, in a terminal and in a notebook, and say why the eager engine trains what is your
            own.
        callbacks: functions of (model, history), called after each epoch; one that returns True stops the training.
            One that has a method `begin(model, examples, held_out, loss, optimizer)` is told before the first epoch
            what is trained, and one that has `end(model, history)` when the training has ended.
        film: record the training for `nn.film(history)`: about 200 moments, closer together in the beginning, each with
            all numbers of the model. It changes no bit. A checkpoint does not have it: a run that is resumed is
            recorded from there on.

    Returns:
        the `History`: losses, accuracies and metrics by epoch, the best epoch, why the training stopped, how long it
        took. Ctrl-C stops it too: the model then has the best weights so far, or without validation the last ones.

    Raises:
        ValueError, TypeError: an argument does not fit; nothing has been changed. Only what a metric of your own raises
            or returns shows after the first epoch, which is then learned.
        CheckpointError: the checkpoint is damaged, is that of another run, or is something else; nothing has been
            changed, nor has the file.
        RecordingError: engine is "compiled", and the model or the loss cannot be recorded.
        ImportError: engine is "compiled", and NumPy is not installed.
        OSError: the checkpoint cannot be read or written.

    >>> from nn import MLP
    >>> model = MLP(1, [1], rng=0)
    >>> history = fit(model, [[0.0], [1.0]], [1.0, 3.0], loss="mse_loss", optimizer="sgd", lr=0.3, progress=False)
    >>> round(history.loss[-1], 6)
    0.0
    """
    began = time.perf_counter()
    check_module("fit trains", model, "call its own fit(X, y)")
    read = partial(given_examples, model)  # here alone, and in `chosen_engine`, sequences go their own way
    examples, held_out, share = read(X, Y, sample_weight), given(validation, read), share_of(validation)
    epochs = as_count(epochs, "epochs")
    batch_size = as_count(batch_size, "batch_size")
    steps_per_epoch = None if steps_per_epoch is None else as_count(steps_per_epoch, "steps_per_epoch")
    max_steps = None if max_steps is None else as_count(max_steps, "max_steps")
    patience, min_delta = _patience(patience, validation), _min_delta(min_delta, patience)
    max_grad_norm = None if max_grad_norm is None else norm_bound(max_grad_norm, "max_grad_norm")
    figures = figures_asked(loss_function(loss), metrics)
    rng = random_source(rng)
    callbacks = _callbacks(callbacks)
    if not isinstance(film, bool):
        raise TypeError(f"film takes True or False; got {shown(film)}: pass film=True, and then nn.film(history)")
    parameters = model.parameters() if isinstance(optimizer, str) else ()  # to list 2,500 takes a millisecond
    optimizer = optimizer_of(optimizer, lr, parameters)
    check_optimizer(optimizer, schedule, model)
    _check_schedule_by(schedule_by, schedule)
    try_out(model, examples, held_out, figures, batch_size)
    watched = bool(callbacks) or figures.are_of_ones_own or not (schedule is None or is_own(schedule))

    with _unmoved_by_an_error(rng):
        split = None if share is None else HeldOutShare(share, _seed_of_split(checkpoint, rng))
        examples, held_out = _parts(examples, held_out, split, class_weight, figures.loss)
        check_last_batch(model, len(examples), batch_size)
        task = model, examples, figures, optimizer, batch_size, max_grad_norm
        trainer, why_eager = chosen_engine(engine, *task, watched, held_out)
        history = History(trainer.name, platform.python_version(), why_eager, figures.names)
        stopping, order = (patience, min_delta), rng if shuffle else None
        per_epoch = steps_per_epoch or steps_of_a_pass(len(examples), batch_size)
        by = schedule, schedule_by
        run = Run(*task, held_out, split, *stopping, order, *by, callbacks, trainer, history, began, per_epoch)
        save = None if checkpoint is None else Checkpoint(checkpoint, run).resumed()
        if film:
            run.begin_film(column_names(X))
    if progress and "your own" in why_eager:
        print(on_one_line(f"fit: the eager engine trains, since {why_eager}"), file=sys.stderr)
    last = min(epochs * per_epoch, max_steps or epochs * per_epoch)
    run.train(last, ProgressBar(last, per_epoch, shown=progress, done=run.steps), save)
    return history


def _seed_of_split(checkpoint: Any, rng: RandomSource) -> int:
    """The seed by which examples are held out: that of the run that is resumed, or a new one."""
    seed = split_seed_in(checkpoint)
    return rng.getrandbits(32) if seed is None else seed


def _parts(
    examples: Examples, held_out: Examples | None, split: HeldOutShare | None, class_weight: Any, loss: Loss
) -> tuple[Examples, Examples | None]:
    """What is learned from and what is held out, with the weights of their classes."""
    by_class = weights_of_classes(class_weight, examples, loss)
    if split is not None:
        examples, held_out = split_off(examples, loss, split)
        if class_weight == "balanced":
            by_class = weights_of_classes(class_weight, examples, loss)
    examples = weighted_by_class(examples, by_class, loss)
    check_weights(examples, "the examples to learn from")
    if held_out is not None:
        held_out = weighted_by_class(held_out, by_class, loss)
        check_weights(held_out, "the examples for validation")
    return examples, held_out


@contextmanager
def _unmoved_by_an_error(rng: RandomSource) -> Iterator[None]:
    """A block after which the generator is as before, if an error ends it."""
    rewind = rewinding(rng)
    try:
        yield
    except BaseException:
        rewind()
        raise


# What the arguments may be


def _patience(patience: Any, held_out: Any) -> int | None:
    if patience is None:
        return None
    if held_out is None:
        raise ValueError(
            "patience needs validation=(X, Y), or a share such as 0.2: early stopping watches the validation loss"
        )
    return as_count(patience, "patience")


def _min_delta(min_delta: Any, patience: int | None) -> float:
    least = as_float(min_delta, "min_delta")
    if not 0.0 <= least < inf:
        raise ValueError(f"min_delta takes a finite number of at least 0; got {shown(min_delta)}")
    if least and patience is None:
        raise ValueError(f"min_delta is for patience, which is not given; got {shown(min_delta)}: give patience=10")
    return least


def _callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks as a list, if they are functions."""
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if isinstance(callback, type):
            raise TypeError(f"callbacks takes functions of (model, history); got a class: write {callback.__name__}()")
        if not callable(callback) or found[0] is callbacks:
            raise TypeError(f"callbacks takes functions of (model, history); got {shown(callback)}: pass a list")
    return found


def check_optimizer(optimizer: Optimizer, schedule: Any, model: Module) -> None:
    """The optimiser moves the model, and the schedule the optimiser's learning rate."""
    if not set(optimizer.params) & set(model.parameters()):
        raise ValueError("the optimizer moves none of the model's parameters: make it with model.parameters()")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(f"schedule takes a schedule such as StepLR(optimizer, 10); got {shown(schedule)}")
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError("the schedule sets the learning rate of another optimizer: make it with the one given to fit")


def _check_schedule_by(schedule_by: Any, schedule: Schedule | None) -> None:
    """A schedule moves by the epoch or by the step; one that watches a figure has one only after an epoch."""
    if schedule_by not in ("epoch", "step"):
        raise ValueError(f'schedule_by takes "epoch" or "step"; got {shown(schedule_by)}')
    if schedule_by == "step" and schedule is not None and schedule.needs_metric:
        raise ValueError(f'{type(schedule).__name__} watches a figure of whole epochs: use schedule_by="epoch"')


def check_last_batch(model: Module, examples: int, batch_size: int) -> None:
    if min(examples, examples % batch_size or batch_size) == 1:
        for name, module in model.named_modules():
            if isinstance(module, BatchNorm):
                raise ValueError(
                    f"the last batch would be one example, and {name} (BatchNorm) needs two: with {examples} examples "
                    f"choose another batch_size than {batch_size}"
                )


def try_out(model: Module, examples: Examples, held_out: Examples | None, figures: Figures, batch_size: int) -> None:
    """One example through the model and targets through the loss, so that what does not fit fails at once."""
    if isinstance(examples, Sequences):
        sequences.try_out(model, examples, held_out, figures)
        return
    loss = figures.loss
    outputs = evaluated(model, listed(part(examples.rows, [0])))
    _check_figures(figures, numbers_of(outputs), examples.targets)
    batch = listed(examples.targets[: min(2, batch_size) if known_loss(loss) else batch_size])
    check_error(loss(outputs * len(batch), batch))
    if held_out is not None:
        _check_figures(figures, outputs_of(model, listed(part(held_out.rows, [0]))), held_out.targets)


def _check_figures(figures: Figures, outputs: list[Any], targets: Any) -> None:
    """Targets through the loss, with the outputs for one example: as many as show whether it takes all of them."""
    loss = figures.loss
    width = len(outputs[0]) if isinstance(outputs[0], list) else 1
    tried = listed(part(targets, telling(loss, targets, width)))
    try:
        result = error_of(loss, outputs * len(tried), tried)
    except Exception:
        error_of(loss, outputs * len(targets), listed(targets))  # its sentence may tell how many there are
        raise
    if not isinstance(result, Value | float):
        raise TypeError(f"loss takes a function that returns one number; got {result!r} ({type(result).__name__})")
    if figures.names:
        figures.check(outputs, targets)
