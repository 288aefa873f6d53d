"""What does `python -m nn train` do? It learns, says how it goes, keeps the model, and says what comes next."""

import argparse
import os
import shlex
import subprocess
from typing import Any

from autograd.terminal import say, wrapped
from nn.command.data import Data, digits_encoder, load_data, text_codes
from nn.command.evaluate import examples
from nn.command.options import PROGRAM, check_writable
from nn.command.results import results
from nn.command.trained import Trained, keep
from nn.estimators import Classifier, Regressor
from nn.estimators.estimator import Estimator
from nn.module import Module
from nn.neuron import MLP
from nn.optim import OPTIMIZERS
from nn.training.history import History


def train(options: argparse.Namespace) -> None:
    """`python -m nn train`."""
    path = options.save or f"{name_of(options.data)}-checkpoint.json"
    check_writable(path, "--save")
    data = load_data(options)
    estimator = learn(estimator_of(options, data), data, options)
    for line in ending(estimator.history_):
        say(wrapped(line))
    say()
    if options.data is None:
        results(Trained(estimator.model_, digits_encoder(), data.target, seed=options.seed), data.test.X, data.test.y)
    else:
        trained = Trained(estimator.model_, estimator.encoder_ or digits_encoder(), data.target, options.data)
        results(trained, *examples(trained, data.test))
    replaced = ", in place of the one that was there" if os.path.exists(path) else ""
    keep(estimator, data, options, path)
    say()
    say(wrapped(f"The model is in {path}{replaced}. What next:"))
    for words in what_next(path, options):
        say(f"  {PROGRAM} {quoted(*words)}")


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
    for name in ("activation", "dropout", "optimizer", "lr", "epochs", "batch_size", "patience", "engine"):
        settings[name] = getattr(options, name)
    if options.data is None and options.lr is None:
        settings["lr"] = OPTIMIZERS[options.optimizer][1]
    if data.target.classes:
        return Classifier(**settings, class_weight=options.class_weight)
    if options.class_weight is not None:
        raise ValueError(f"--class-weight is for classes, and {data.target.name!r} is a quantity: leave it out")
    return Regressor(**settings)


def learn(estimator: Estimator, data: Data, options: argparse.Namespace) -> Estimator:
    """Trains, with a line for each epoch. Raises KeyboardInterrupt if no epoch was finished."""

    def announce() -> None:
        """Shows what is trained, before the first epoch."""
        say(wrapped(data.about))
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
    return estimator


def network(model: Module) -> MLP:
    """The perceptron inside the model."""
    return next(module for module in model.modules() if isinstance(module, MLP))


def show_epoch(model: Module, history: History) -> None:
    """Prints a line of the table after each epoch."""
    if len(history) == 1:
        say(history.header())
    say(history.line(-1) + ("  best" if history.best_epoch == len(history) else ""))


def ending(history: History) -> list[str]:
    """Why the training ended, which weights are kept, and how long it took."""
    engine = "" if history.engine == "eager" else f", {history.engine} engine"
    kept = f"the weights of epoch {history.best_epoch} are kept"
    took = f"{history.seconds:.1f} s, of which {history.preparation:.1f} s to prepare"
    lines = [f"stopped: {history.stopped}; {kept} ({took}{engine})"]
    if "llvmlite" in history.why_eager:
        lines.append(f"much faster with llvmlite: {history.why_eager.rpartition(': ')[2]}")
    return lines


def what_next(path: str, options: argparse.Namespace) -> list[list[str]]:
    """The commands that one may want to give next: predict, evaluate, and train otherwise."""
    if options.data is None:
        others = ["--layers", "16", "--activation", "tanh", "--dropout", "0.1", "--optimizer", "sgd"]
        return [["predict", path], ["evaluate", path], ["train", *others]]
    others = ["--data", options.data, "--target", options.target, "--layers", "16"]
    return [["predict", path, options.data], ["evaluate", path], ["train", *others]]


def quoted(*words: str) -> str:
    """The words as one would type them in a shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def name_of(path: str | None) -> str:
    """What to call the checkpoint of a data file."""
    return "digits" if path is None else os.path.splitext(os.path.basename(path))[0]
