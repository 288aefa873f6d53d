"""The command `python -m nn`: learn to read handwritten digits, or learn from a table of your own.

python -m nn                               learn the digits
python -m nn train --layers 64 32          with other settings, or --data FILE.csv --target COLUMN
python -m nn predict CHECKPOINT [FILE]     what the model says
python -m nn evaluate CHECKPOINT [FILE]    how good it is on the test set, or on a file
python -m nn experiments [NAME]            what goes wrong in training, and what helps: lists them, or runs one
"""

import argparse
import csv
import difflib
import io
import math
import os
import random
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from types import NoneType
from typing import Any, NoReturn

from autograd import softmax
from autograd.reals import shown
from autograd.text import visible
from nn import checkpoint, report
from nn.activations import ACTIVATIONS
from nn.datasets import Dataset, Part, Split, load_digits, read_csv, train_validation_test_split
from nn.experiments import EXPERIMENTS
from nn.losses import cross_entropy, mse_loss
from nn.module import Module
from nn.neuron import MLP, Sequential
from nn.optim import SGD, Adam, AdamW
from nn.standardize import Standardize
from nn.training.fit import fit
from nn.training.history import History
from nn.training.predict import predict

OPTIMIZERS = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
MOST_CLASSES = 20  # a column with more different whole numbers is a quantity, such as an age
PARTS = 3  # training, validation and test set
LEARNING_RATES = {"sgd": 0.1, "adam": 0.01, "adamw": 0.01}


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence; `below` are the parsers of its commands."""

    below: tuple["Parser", ...] = ()

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {visible(message)}{self._similar(message)}; see {self.prog} --help\n")

    def _similar(self, message: str) -> str:
        """The option that was probably meant, where one is misspelt."""
        wrong = next((word for word in message.split() if word.startswith("--")), "")
        known = [name for parser in (self, *self.below) for name in parser._option_string_actions]
        close = difflib.get_close_matches(wrong, known, n=1) if "unrecognized" in message else []
        return f" (did you mean {close[0]}?)" if close else ""


def parser() -> Parser:
    """The options of the command."""
    top = Parser(
        prog="python -m nn",
        description="Trains small neural networks. Without a command it learns to read handwritten digits; options "
        "alone, such as --epochs 5, are those of train.",
    )
    commands = top.add_subparsers(dest="command", parser_class=Parser)

    train = commands.add_parser(
        "train",
        help="learn the digits, or a table of your own",
        description="Learns the handwritten digits, or a table: python -m nn train --data birds.csv --target kind",
    )
    add = train.add_argument
    add("--layers", type=whole, nargs="*", default=[48], metavar="N", help="widths of the hidden layers (default: 48)")
    add("--activation", choices=list(ACTIVATIONS), default="relu", help="of the hidden layers (default: relu)")
    add("--dropout", type=share, default=0.0, metavar="P", help="probability, from 0.0 to 1.0 (default: 0.0)")
    add("--optimizer", choices=list(OPTIMIZERS), default="adam", help="default: adam")
    add("--lr", type=rate, metavar="RATE", help="learning rate (default: 0.01; 0.1 for sgd)")
    add("--epochs", type=whole, default=60, metavar="N", help="at most so many (default: 60)")
    add("--batch-size", type=whole, default=32, metavar="N", help="examples a step (default: 32)")
    add("--patience", type=whole, default=6, metavar="N", help="epochs to wait for improvement (default: 6)")
    add("--seed", type=int, default=0, metavar="N", help="of the split, the weights and the order (default: 0)")
    add("--engine", choices=["auto", "eager", "compiled"], default="auto", help="compiled needs numba (default: auto)")
    add("--data", metavar="FILE.csv", help="learn from a CSV file with a header line (default: the digits)")
    add(
        "--target",
        metavar="COLUMN",
        help="the column to predict: classes (names, or up to 20 different whole numbers) or a quantity",
    )
    add("--save", default=None, metavar="FILE", help="where the trained model goes (default: NAME-checkpoint.json)")

    predict_ = commands.add_parser("predict", help="what a trained model says")
    predict_.add_argument("checkpoint", metavar="CHECKPOINT")
    predict_.add_argument("file", metavar="FILE", nargs="?", help="a CSV file with the model's columns")

    evaluate = commands.add_parser("evaluate", help="how good a trained model is on its test set")
    evaluate.add_argument("checkpoint", metavar="CHECKPOINT")
    evaluate.add_argument("file", metavar="FILE", nargs="?", help="evaluate on all rows of this CSV file instead")
    evaluate.add_argument("--data", metavar="FILE.csv", help="the same")

    experiments = commands.add_parser(
        "experiments",
        help="what goes wrong in training, and what helps, measured",
        description="Lists the experiments; with a name, runs one, prints its measurements and writes its figure.",
    )
    experiments.add_argument("name", metavar="NAME", nargs="?", choices=list(EXPERIMENTS), help=", ".join(EXPERIMENTS))
    experiments.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    experiments.add_argument("--figure", metavar="FILE", help="where the figure goes (default: NAME.png)")
    top.below = (train, predict_, evaluate, experiments)
    return top


def whole(text: str) -> int:
    """An option that is a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a whole number of at least 1; got {text!r}")
    return int(text)


def share(text: str) -> float:
    """An option that is a number from 0 to 1."""
    number = as_number(text)
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"takes a number from 0.0 to 1.0; got {text!r}")
    return number


def rate(text: str) -> float:
    """An option that is a positive number."""
    number = as_number(text)
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"takes a number above 0; got {text!r}")
    return number


def as_number(text: str) -> float:
    """The number, nan for what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or (arguments[0].startswith("--") and arguments[0] != "--help"):
        arguments.insert(0, "train")
    options = parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (ValueError, TypeError, ImportError) as error:
        return complain(str(error))
    return 0


def complain(sentence: str) -> int:
    """One sentence on stderr; the exit code."""
    print(f"python -m nn: {visible(sentence)}", file=sys.stderr)
    return 2


def say(text: str = "") -> None:
    """Prints text, above the progress bar if there is one; nothing in it steers the terminal."""
    write(visible(text, kept="\n"))


def write(text: str) -> None:
    """Prints text as it is, above the progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(report.encodable(text))
    sys.stdout.flush()


def tell(sentence: str) -> None:
    """Prints a sentence, on lines of at most 80 columns."""
    say(report.wrapped(sentence))


# Training


def train(options: argparse.Namespace) -> None:
    """`python -m nn train`."""
    data = load_data(options.data, options.target)
    path = options.save or f"{name_of(options.data)}-checkpoint.json"
    check_writable(path)
    split = split_of(data, options.seed)
    rng = random.Random(options.seed)
    model, loss = build(data, split, options, rng)
    tell(about(data, split, options.data))
    say(f"\n{network(model).summary()}\n")

    scale = None if is_classification(data) else Standardize.of([[y] for y in split.train.y])
    rate = LEARNING_RATES[options.optimizer] if options.lr is None else options.lr
    optimizer = OPTIMIZERS[options.optimizer](model.parameters(), lr=rate)
    history = fit(
        model,
        *on_one_scale(split.train, scale),
        loss=loss,
        optimizer=optimizer,
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
    engine = "" if history.engine == "eager" else f", {history.engine} engine"
    kept = f"the weights of epoch {history.best_epoch} are kept"
    took = f"{history.seconds:.1f} s, {history.preparation:.1f} s of them to prepare"
    tell(f"stopped: {history.stopped}; {kept} ({took}{engine})")
    if "numba" in history.why_eager:
        tell(f"much faster with numba: {history.why_eager.rpartition(': ')[2]}")
    say()
    if scale is not None and isinstance(model, Sequential):
        model.layers.append(scale.inverse())
    results(model, data, split.test.X, split.test.y)

    replaced = ", in place of the one that was there" if os.path.exists(path) else ""
    keep(model, data, options, path)
    say()
    tell(f"The model is in {path}{replaced}. What next:")
    others = ["--layers", "16", "--activation", "tanh", "--dropout", "0.1", "--optimizer", "sgd"]
    if options.data is not None:
        others = ["--data", options.data, "--target", options.target, "--layers", "16"]
    say(f"  python -m nn {quoted('predict', path, *([] if options.data is None else [options.data]))}")
    say(f"  python -m nn {quoted('evaluate', path)}")
    say(f"  python -m nn {quoted('train', *others)}")


def quoted(*words: str) -> str:
    """The words as one would type them in a shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def load_data(path: str | None, target: str | None) -> Dataset:
    """The digits, or the table in a CSV file, with its classes (if it has classes) numbered and named."""
    if path is None:
        if target is not None:
            raise ValueError("--target names a column of --data FILE.csv; give that too")
        return load_digits()
    if target is None:
        raise ValueError("--data needs --target COLUMN: the column to predict")
    data = read_csv(path, target=target)
    values = sorted(set(data.y))
    if len(values) < 2:
        raise ValueError(f"{path} has the same value in all rows of the column {target!r}: there is nothing to learn")
    if data.target_names or len(values) > MOST_CLASSES or not all(isinstance(y, int) for y in values):
        return data
    return data._replace(y=[values.index(y) for y in data.y], target_names=[str(y) for y in values])


def is_classification(data: Dataset) -> bool:
    """Whether the targets are classes, not quantities."""
    return bool(data.target_names)


def split_of(data: Dataset, seed: int) -> Split:
    """The split into training, validation and test set, the same for the same seed."""
    if is_classification(data):
        rarest, rows = min(Counter(data.y).items(), key=lambda item: item[1])
        if rows < PARTS:
            raise ValueError(
                f"each class needs at least {PARTS} rows, one each to train, to validate and to test; the class "
                f"{data.target_names[rarest]!r} has {rows}: add rows of it, or leave it out"
            )
    return train_validation_test_split(data.X, data.y, stratify=is_classification(data), rng=random.Random(seed))


def about(data: Dataset, split: Split, path: str | None) -> str:
    """What there is to learn from, in a sentence."""
    sizes = f"{len(split.train.X):,} to train, {len(split.validation.X):,} to validate, {len(split.test.X):,} to test"
    if path is None:
        return f"Handwritten digits: {len(data.X):,} images of 8 x 8 pixels; {sizes}."
    task = f"{len(data.target_names)} classes" if is_classification(data) else "a number to predict"
    return f"{path}: {len(data.X):,} rows of {len(data.feature_names)} columns, {task}; {sizes}."


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


def show_epoch(model: Module, history: History) -> None:
    """Prints a line of the table after each epoch."""
    if len(history) == 1:
        say(history.header())
    say(history.line(-1) + ("  best" if history.best_epoch == len(history) else ""))


def check_writable(path: str, option: str = "--save") -> None:
    """Makes sure before the work, and not after it, that its result can be saved."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise ValueError(f"{path} cannot be written: there is no folder {folder}")
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise ValueError(f"{path} cannot be written: choose another name with {option}")


def name_of(path: str | None) -> str:
    """What to call the checkpoint of a data file."""
    return "digits" if path is None else os.path.splitext(os.path.basename(path))[0]


def keep(model: Module, data: Dataset, options: argparse.Namespace, path: str) -> None:
    """Saves the model with what `predict` and `evaluate` need to know."""
    checkpoint.save(
        model,
        path,
        data=options.data,
        target=options.target,
        seed=options.seed,
        feature_names=list(data.feature_names),
        target_names=list(map(str, data.target_names)),
        classification=is_classification(data),
    )


# Results


def results(model: Module, data: Dataset, X: list[list[float]], y: list[Any]) -> None:
    """Prints how good the model is on examples that it has not learned from."""
    outputs = predict(model, X)
    if not is_classification(data):
        errors = [abs(p - t) for p, t in zip(outputs, y, strict=True)]
        mean = sum(y) / len(y)
        spread = sum((t - mean) * (t - mean) for t in y)
        explained = 1.0 - sum(e * e for e in errors) / spread if spread else float("nan")
        tell(f"test error {sum(errors) / len(errors):.4g} on average; R squared {explained:.3f} ({len(y)} rows)")
        return
    names = list(map(str, data.target_names))
    chosen = [report.largest(row) for row in outputs]
    right = sum(c == t for c, t in zip(chosen, y, strict=True))
    say(f"test accuracy {report.percent(right, len(y))}")
    if right <= max(map(y.count, range(len(names)))):
        say("That is no better than always answering the same: try another learning rate (--lr).")
    tell(f"confusions: {report.confusions(y, chosen, names)}")
    if len(X[0]) == 64 and names == [str(n) for n in range(10)]:
        say("\nSome of the test images, misread ones first:\n")
        say(some_images(X, y, outputs, names))


def some_images(X: list[list[float]], y: list[int], outputs: list[list[float]], names: list[str]) -> str:
    """Up to two images that are read wrongly, and others that are read rightly, four in all."""
    chosen = [report.largest(row) for row in outputs]
    wrong = [i for i in range(len(X)) if chosen[i] != y[i]][:2]
    shown = wrong + [i for i in range(len(X)) if chosen[i] == y[i]][: 4 - len(wrong)]
    captions = [
        [f"{names[y[i]]}, read as {names[chosen[i]]}", *report.probability_lines(outputs[i], names)] for i in shown
    ]
    return report.gallery([X[i] for i in shown], captions)


# Trained models

NOTES: dict[str, tuple[type, ...]] = {
    "data": (str, NoneType),
    "target": (str, NoneType),
    "seed": (int,),
    "feature_names": (list,),
    "target_names": (list,),
    "classification": (bool,),
}
"""What `keep` writes beside the model, and of which types."""


def open_checkpoint(path: str) -> tuple[Module, dict[str, Any]]:
    """A trained model and what was saved with it."""
    content = checkpoint.read(path)
    known = content["metadata"]
    check_notes(path, known)
    model = checkpoint.model_of(content, path)
    outputs = predict(model, [[0.0] * len(known["feature_names"])])[0]
    if known["classification"] and (not isinstance(outputs, list) or len(outputs) != len(known["target_names"])):
        raise ValueError(f"{path} is damaged: it does not name a class for each output of its model")
    if not known["classification"] and isinstance(outputs, list):
        raise ValueError(f"{path} is damaged: a quantity is one output; its model has {len(outputs)}")
    return model, known


def check_notes(path: str, known: dict[str, Any]) -> None:
    """Makes sure that a checkpoint's metadata are what `keep` has written."""
    if not NOTES.keys() <= known.keys():
        raise ValueError(f"{path} was not written by python -m nn train; open it with nn.load")
    for name, kinds in NOTES.items():
        note = known[name]
        texts = note if isinstance(note, list) else []
        if type(note) not in kinds or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{path} is damaged: its note {name!r} cannot be {shown(note)}; train the model again")
    if not known["feature_names"]:
        raise ValueError(f"{path} is damaged: its note 'feature_names' names no column; train the model again")
    if (known["data"] is None) != (known["target"] is None) or (known["data"] is None and not known["classification"]):
        raise ValueError(f"{path} is damaged: its notes on data and target do not agree; train the model again")


def predict_rows(options: argparse.Namespace) -> None:
    """`python -m nn predict`: a CSV table of predictions, or a few images."""
    model, known = open_checkpoint(options.checkpoint)
    if options.file is None:
        if known["data"] is not None:
            raise ValueError(f"predict needs a CSV file with the columns {', '.join(known['feature_names'])}")
        test = split_of(load_digits(), known["seed"]).test
        say(some_images(test.X, test.y, predict(model, test.X), known["target_names"]))
        return
    rows = read_csv(options.file, features=known["feature_names"]).X
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = known["target_names"]
    if known["classification"]:
        writer.writerow([known["target"] or "digit", "probability"])
        for outputs in predict(model, rows):
            probabilities = softmax(outputs)
            best = report.largest(probabilities)
            writer.writerow([names[best], f"{probabilities[best]:.4f}"])
    else:
        writer.writerow([known["target"]])
        writer.writerows([f"{output:.6g}"] for output in predict(model, rows))
    write(table.getvalue().rstrip("\n"))


def evaluate(options: argparse.Namespace) -> None:
    """`python -m nn evaluate`: on the test set, or on a file."""
    model, known = open_checkpoint(options.checkpoint)
    given = options.file or options.data
    path = given or known["data"]
    if path is None:
        data = load_digits()
    else:
        data = read_csv(path, target=known["target"] or "digit", features=known["feature_names"])
        if not known["classification"] and data.target_names:
            raise ValueError(f"{path} has text in the column {known['target']!r}; the model predicts a number")
        if known["classification"]:
            data = data._replace(y=classes_of(data, known["target_names"], path), target_names=known["target_names"])
    X, y = data[:2] if given else split_of(data, known["seed"]).test
    results(model, data, X, y)


def classes_of(data: Dataset, names: list[str], path: str) -> list[int]:
    """The number that the model gave to each row's class."""
    labels = [data.target_names[y] if data.target_names else str(y) for y in data.y]
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise ValueError(f"{path} has the class {unknown[0]!r}; the model knows {', '.join(names)}")
    return [names.index(label) for label in labels]


# Experiments


def experiments(options: argparse.Namespace) -> None:
    """`python -m nn experiments`."""
    if options.name is None:
        if options.seed is not None or options.figure is not None:
            raise ValueError(f"--seed and --figure are for one experiment; name it: {', '.join(EXPERIMENTS)}")
        list_experiments()
        return
    path = options.figure or f"{options.name}.png"
    check_drawable(path)
    result = EXPERIMENTS[options.name](seed=options.seed or 0)
    say(str(result))
    say()
    try:
        result.plot().savefig(path, dpi=150)
    except ImportError as error:
        tell(f"No figure was written: {error}")
    else:
        tell(f"The figure is in {path}.")


def list_experiments() -> None:
    """A line for each experiment: its name, and the first line of what its function says of itself."""
    for name, experiment in EXPERIMENTS.items():
        say(f"{name:<12} {(experiment.__doc__ or '').splitlines()[0]}")
    say("\nTo run one, and draw its figure: python -m nn experiments NAME [--seed N]")


def check_drawable(path: str) -> None:
    """Makes sure before the experiment, and not after it, that its figure can be written."""
    check_writable(path, "--figure")
    if os.path.splitext(path)[1].lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"{path} cannot be written: the name of a figure ends in .png, .svg or .pdf")


COMMANDS = {"train": train, "predict": predict_rows, "evaluate": evaluate, "experiments": experiments}


if __name__ == "__main__":
    sys.exit(main())
