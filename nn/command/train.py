"""What does `python -m nn train` do? It learns, says how it goes, keeps the model, and says what comes next."""

import argparse
import os
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from autograd.terminal import WIDTH, say, width, wrapped
from nn import checkpoint
from nn.command.data import Data, digits_encoder, load_data, text_codes
from nn.command.evaluate import examples
from nn.command.options import PROGRAM, check_writable, same_file
from nn.command.results import results
from nn.command.trained import Trained, digest_of, keep
from nn.estimators import Classifier, Regressor
from nn.estimators.estimator import Estimator
from nn.module import Module
from nn.neuron import MLP
from nn.optim import OPTIMIZERS
from nn.training.history import History

HOPELESS = 1e6
"""Of quantities with deviation 1 the mean alone has a loss of 1, and chance alone is better with classes."""

PATIENCE_FOR_DIGITS = 6


def train(options: argparse.Namespace) -> None:
    """`python -m nn train`."""
    path = f"{name_of(options.data)}-checkpoint.json" if options.save is None else options.save
    check_writable(path, "--save")
    check_replaceable(path, options)
    data = load_data(options)
    estimator = learn(estimator_of(options, data), data, options)
    history = estimator.history_
    for line in ending(history, history.stopped, f"the weights of epoch {history.best_epoch}"):
        say(wrapped(line))
    say()
    if options.data is None:
        test = data.test
        results(Trained(estimator.model_, digits_encoder(), data.target, seed=options.seed), *test)
    else:
        trained = Trained(estimator.model_, estimator.encoder_ or digits_encoder(), data.target, options.data)
        test = examples(trained, data.test)
        results(trained, *test, where=data.test.where)
    replaced = ", in place of the one that was there" if os.path.exists(path) else ""
    keep(estimator, data, options, path, digest_of(*test))
    say()
    say(wrapped(f"The model is in {path}{replaced}. What next:"))
    for words in what_next(path, options):
        say("\n".join(command_lines([*PROGRAM.split(), *words])))


def check_replaceable(path: str, options: argparse.Namespace) -> None:
    """Raises ValueError if the model would take the place of something else than a model."""
    if not os.path.isfile(path) or not os.path.getsize(path):
        return
    for option in ("data", "validation"):
        if same_file(path, getattr(options, option)):
            raise ValueError(f"--save {path} would overwrite the file of --{option}: choose another name for the model")
    try:
        checkpoint.content_in(path)
    except checkpoint.CheckpointError as error:
        raise ValueError(
            f"--save {path} would overwrite a file that is no model ({error}): choose another name, or remove the file"
        ) from None


def estimator_of(options: argparse.Namespace, data: Data) -> Estimator:
    """What learns: a classifier or a regressor, with the settings of the options. Images are not brought to a scale."""
    settings: dict[str, Any] = {
        "hidden": options.layers,
        "validation": None,
        "standardize": options.data is not None,
        "random_state": options.seed,
        "text": text_codes(options),
        "gaps": None if options.gaps is None else options.gaps.replace("-", " "),
        "unseen": options.unseen or "other",
    }
    for name in ("activation", "dropout", "optimizer", "lr", "epochs", "batch_size", "engine"):
        settings[name] = getattr(options, name)
    if options.data is None and options.lr is None:
        settings["lr"] = OPTIMIZERS[options.optimizer][1]
    if options.data is None or options.patience is not None:
        settings["patience"] = options.patience or PATIENCE_FOR_DIGITS
    if data.target.classes:
        return Classifier(**settings, class_weight=options.class_weight)
    if options.class_weight is not None:
        raise ValueError(f"--class-weight is for classes, and {data.target.name!r} is a quantity: leave it out")
    return Regressor(**settings)


def learn(estimator: Estimator, data: Data, options: argparse.Namespace) -> Estimator:
    """Trains, with a line for each epoch. Raises KeyboardInterrupt if no epoch was finished."""

    def announce() -> None:
        """Shows what is trained, before the first epoch."""
        for line in data.about:
            say(wrapped(line, indent="  "))
        if estimator.encoder_ is not None:
            say(f"\n{estimator.encoder_.report()}")
        say(f"\n{network(estimator.model_).summary()}\n")

    shown: list[int] = []

    def show(model: Module, history: History) -> None:
        show_epoch(model, history)
        shown.append(len(history))

    estimator._announce, estimator._callbacks = announce, [show]
    if options.data is None:
        estimator.fit(*data.train, validation=data.validation)
    else:
        estimator.fit(data.train, data.target.name, validation=data.validation)
    if len(estimator.history_) > len(shown):  # Ctrl-C came between an epoch and its line
        show_epoch(estimator.model_, estimator.history_)
    if not estimator.history_.best_epoch:
        raise ValueError(f"nothing was learned or saved: {estimator.history_.stopped} (--lr RATE)")
    loss = estimator.history_.validation_loss[estimator.history_.best_epoch - 1]
    if not loss < HOPELESS:
        raise ValueError(
            f"nothing was learned or saved: the loss on the rows to validate on is {loss:.2g} at best; a lower "
            f"learning rate may help (--lr RATE)"
        )
    return estimator


def network(model: Module) -> MLP:
    """The perceptron inside the model."""
    return next(module for module in model.modules() if isinstance(module, MLP))


def show_epoch(model: Module, history: History) -> None:
    """Prints a line of the table after each epoch."""
    if len(history) == 1:
        say(history.header())
    say(history.line(-1) + ("  best" if history.best_epoch == len(history) else ""))


def ending(history: History, stopped: str, kept: str) -> list[str]:
    """Why the training ended, which weights are kept, and how long it took."""
    engine = "" if history.engine == "eager" else f", {history.engine} engine"
    took = f"{history.seconds:.1f} s, of which {history.preparation:.1f} s to prepare"
    lines = [f"stopped: {stopped}; {kept} are kept ({took}{engine})"]
    missing = history.why_eager
    if history.engine == "compiled":
        from autograd.compiler.backend import why_no_native_code

        missing = why_no_native_code()
    if "llvmlite" in missing:
        lines.append(f"much faster with llvmlite: {missing.rpartition(': ')[2]}")
    return lines


def what_next(path: str, options: argparse.Namespace) -> list[list[str]]:
    """The commands that one may want to give next: predict, evaluate, and train otherwise."""
    if options.data is None:
        others = ["--activation", "tanh", "--dropout", "0.1", "--optimizer", "sgd"]
        return [["predict", as_path(path)], ["evaluate", as_path(path)], ["train", "--layers", "16", *others]]
    again = ["train", *without(options.words, "--layers"), "--layers", "16"]
    return [["predict", as_path(path), as_path(options.data)], ["evaluate", as_path(path)], again]


def as_path(path: str) -> str:
    """The path, so that it is not taken for an option.

    >>> as_path("birds.csv"), as_path("-x.csv"), as_path("-")
    ('birds.csv', './-x.csv', '-')
    """
    return f"./{path}" if path.startswith("-") and path != "-" else path


def without(words: Sequence[str], option: str) -> list[str]:
    """The words of a command without an option and what belongs to it.

    >>> without(["--layers", "8", "4", "--epochs", "3", "--layers=2"], "--layers")
    ['--epochs', '3']
    """
    kept, inside = [], False
    for word in words:
        if word.startswith("-"):
            name = word.partition("=")[0]
            inside = len(name) > 3 and option.startswith(name)  # an option may be abbreviated
        if not inside:
            kept.append(word)
    return kept


def command_lines(words: Sequence[str]) -> list[str]:
    """A command as one would type it in a shell, on as many lines as it takes."""
    if os.name == "nt":  # its shells do not agree on how a line goes on
        return [f"  {subprocess.list2cmdline(words)}"]
    lines = [" "]
    for word in map(shlex.quote, words):
        if width(f"{lines[-1]} {word}") > WIDTH - 2 and lines[-1].strip():
            lines[-1] += " \\"
            lines.append("     ")
        lines[-1] += f" {word}"
    return lines


def name_of(path: str | None) -> str:
    """What to call the checkpoint of a data file."""
    names = {None: "digits", "-": "table"}
    return names.get(path) or os.path.splitext(os.path.basename(path or ""))[0]
