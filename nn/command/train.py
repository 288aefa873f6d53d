"""What does `python -m nn train` do? It learns, says how it goes, keeps the model, and says what comes next."""

import argparse
import os
import random
import shlex
import subprocess
from typing import Any

from autograd.terminal import say, wrapped
from nn.command.data import about, is_classification, load_data, split_of
from nn.command.options import PROGRAM, check_writable
from nn.command.results import results
from nn.command.trained import keep
from nn.datasets import Dataset, Part, Split
from nn.losses import cross_entropy, mse_loss
from nn.module import Module
from nn.neuron import MLP, Sequential
from nn.standardize import Standardize
from nn.training.fit import fit
from nn.training.history import History


def train(options: argparse.Namespace) -> None:
    """`python -m nn train`."""
    data = load_data(options.data, options.target)
    path = options.save or f"{name_of(options.data)}-checkpoint.json"
    check_writable(path, "--save")
    split = split_of(data, options.seed)
    rng = random.Random(options.seed)
    model, loss = build(data, split, options, rng)
    say(wrapped(about(data, split, options.data)))
    say(f"\n{network(model).summary()}\n")
    scale = None if is_classification(data) else Standardize.of([[y] for y in split.train.y])
    history = learn(model, loss, split, scale, options, rng)
    for line in ending(history):
        say(wrapped(line))
    say()
    if scale is not None and isinstance(model, Sequential):
        model.layers.append(scale.inverse())
    results(model, data, split.test.X, split.test.y)
    replaced = ", in place of the one that was there" if os.path.exists(path) else ""
    keep(model, data, options, path)
    say()
    say(wrapped(f"The model is in {path}{replaced}. What next:"))
    for words in what_next(path, options):
        say(f"  {PROGRAM} {quoted(*words)}")


def build(data: Dataset, split: Split, options: argparse.Namespace, rng: random.Random) -> tuple[Module, Any]:
    """The model and its loss. The columns of a table are brought to one scale."""
    classes = is_classification(data)
    outputs = len(data.target_names) if classes else 1
    mlp = MLP(len(data.X[0]), [*options.layers, outputs], options.activation, options.dropout, rng=rng)
    if options.data is None:
        return mlp, cross_entropy
    return Sequential(Standardize.of(split.train.X), mlp), cross_entropy if classes else mse_loss


def on_one_scale(part: Part, scale: Standardize | None) -> Part:
    """The examples with their targets on one scale, so that quantities of any size are learned alike."""
    return part if scale is None else part._replace(y=[scale(y) for y in part.y])


def network(model: Module) -> MLP:
    """The perceptron inside the model."""
    return next(module for module in model.modules() if isinstance(module, MLP))


def learn(
    model: Module, loss: Any, split: Split, scale: Standardize | None, options: argparse.Namespace, rng: random.Random
) -> History:
    """Trains the model, with a line for each epoch. Raises KeyboardInterrupt if no epoch was finished."""
    history = fit(
        model,
        *on_one_scale(split.train, scale),
        loss=loss,
        optimizer=options.optimizer,
        lr=options.lr,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation=on_one_scale(split.validation, scale),
        patience=options.patience,
        rng=rng,
        engine=options.engine,
        callbacks=[show_epoch],
    )
    if not len(history):
        raise KeyboardInterrupt
    if not history.best_epoch:
        raise ValueError(f"nothing was learned or saved: {history.stopped} (--lr RATE)")
    return history


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
