"""Which options does `python -m nn` have, and what may they be?"""

import argparse
import contextlib
import csv
import math
import os
import re
from collections.abc import Callable
from typing import Any

from autograd.command_line import Parser
from nn.activations import ACTIVATIONS
from nn.experiments import EXPERIMENTS
from nn.optim import OPTIMIZERS

PROGRAM = "python -m nn"


def number(kind: Callable[[str], float], words: str, accepts: Callable[[float], bool]) -> Callable[[str], float]:
    """What reads the number of an option.

    Arguments:
        kind: int or float.
        words: which numbers are accepted, for the error's sentence.
        accepts: whether a number is one of them.
    """

    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            if accepts(kind(text)):
                return kind(text)
        raise argparse.ArgumentTypeError(f"takes {words}; got {text!r}")

    return read


WHOLE = number(int, "a whole number of at least 1", lambda n: n >= 1)
SEED = number(int, "a whole number of at least 0", lambda n: n >= 0)
SHARE = number(float, "a number from 0.0 to 1.0", lambda p: 0.0 <= p <= 1.0)
RATE = number(float, "a number above 0", lambda rate: 0.0 < rate < math.inf)
TEMPERATURE = number(float, "a number of at least 0", lambda heat: 0.0 <= heat < math.inf)


def parser() -> Parser:
    """The options of the command."""
    top = Parser(
        prog=PROGRAM,
        description="Trains small neural networks. Without a command it learns to read handwritten digits; options "
        "alone, such as --epochs 5, are those of train.",
    )
    commands = top.add_subparsers(dest="command", parser_class=Parser)
    add_train(commands)
    add_predict_and_evaluate(commands)
    add_gpt_and_generate(commands)
    add_experiments(commands)
    return top


def add_train(commands: Any) -> None:
    """The options of `train`."""
    train = commands.add_parser(
        "train",
        help="learn the digits, or a table of your own",
        description=f"Learns the handwritten digits, or a table: {PROGRAM} train --data birds.csv --target kind",
    )
    add = train.add_argument
    add("--layers", type=WHOLE, nargs="*", default=[48], metavar="N", help="widths of the hidden layers (default: 48)")
    add("--activation", choices=list(ACTIVATIONS), default="relu", help="of the hidden layers (default: relu)")
    add("--dropout", type=SHARE, default=0.0, metavar="P", help="probability, from 0.0 to 1.0 (default: 0.0)")
    add("--optimizer", choices=list(OPTIMIZERS), default="adam", help="default: adam")
    add(
        "--lr",
        type=RATE,
        metavar="RATE",
        help="learning rate (default: 0.01, and 0.003 for a table; 0.1 for sgd and adagrad)",
    )
    add("--epochs", type=WHOLE, default=60, metavar="N", help="at most so many (default: 60)")
    add("--batch-size", type=WHOLE, metavar="N", help="examples a step (default: 32; 16 if there are few)")
    add("--patience", type=WHOLE, metavar="N", help="epochs to wait for improvement (default: 15; for digits 6)")
    add("--seed", type=SEED, default=0, metavar="N", help="of the split, the weights and the order (default: 0)")
    add(
        "--engine",
        choices=["auto", "eager", "compiled"],
        default="auto",
        help="compiled needs NumPy, and for speed llvmlite (default: auto)",
    )
    add(
        "--data",
        metavar="FILE.csv",
        help="learn from a CSV file with a header line; - for standard input (default: the digits)",
    )
    add_table(train.add_argument_group("options of a table"))
    add("--save", default=None, metavar="FILE", help="where the trained model goes (default: NAME-checkpoint.json)")


def add_table(group: Any) -> None:
    """The options of `train` that say what the columns of a table are."""
    add = group.add_argument
    add(
        "--target",
        metavar="COLUMN",
        help="the column to predict: classes (text, or up to 20 different whole numbers) or a quantity",
    )
    add("--task", choices=["classification", "regression"], help="what the target is, if not as said above")
    several: Any = {"nargs": "+", "action": "extend", "default": [], "metavar": "COLUMN"}
    add("--text", help="columns of numbers that are names, such as postcodes: an input for each value", **several)
    add(
        "--ordered",
        type=ordered,
        action="append",
        default=[],
        metavar="COLUMN=LOW,MID,HIGH",
        help="a column of text whose values have an order; COLUMN alone for their sorted order",
    )
    add("--drop", help="columns to leave out", **several)
    add(
        "--gaps",
        choices=["mean", "most-frequent", "error"],
        help="what fills gaps (default: the mean of numbers and dates, the most frequent text)",
    )
    add("--unseen", choices=["other", "error"], help="what a text is that was not there in training (default: other)")
    add_reading(group)
    add("--class-weight", choices=["balanced"], help="balanced: rare classes count as much as frequent ones")
    add("--validation", metavar="FILE.csv", help="validate on these rows (default: a tenth of the table)")


def add_reading(parser: Any) -> None:
    """The options that say how a file is to be read where it does not tell."""
    parser.add_argument("--decimal", choices=["point", "comma"], help="before decimals (default: as it looks)")
    parser.add_argument(
        "--dates",
        choices=["day-first", "month-first"],
        help="what 3/4/2024 is (default: as the column tells)",
    )
    parser.add_argument(
        "--gap-words",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD",
        help="what stands for nothing, besides NA, ? and the like",
    )


def ordered(text: str) -> tuple[str, Any]:
    """A column, and its values in order, or "ordered" for the sorted order. What has = or , in it stands in quotes.

    >>> ordered("size=low,high"), ordered('"a=b"="low, bad",ok')
    (('size', ['low', 'high']), ('a=b', ['low, bad', 'ok']))
    """
    found = re.fullmatch(r'(?:"(?P<quoted>[^"]+)"|(?P<name>[^"=][^=]*))(?:=(?P<values>.*))?', text, re.DOTALL)
    values = found and found["values"]
    order = [value.strip() for value in next(csv.reader([values], skipinitialspace=True), [])] if values else []
    if not found or (values is not None and (len(set(order)) < max(2, len(order)) or "" in order)):
        raise argparse.ArgumentTypeError(
            f"takes COLUMN or COLUMN=LOW,MID,HIGH, two values or more, in quotation marks where they have a comma; "
            f"got {text!r}"
        )
    return found["quoted"] or found["name"], "ordered" if values is None else order


def add_predict_and_evaluate(commands: Any) -> None:
    """The options of `predict` and `evaluate`."""
    predict = commands.add_parser("predict", help="what a trained model says")
    predict.add_argument("checkpoint", metavar="CHECKPOINT")
    predict.add_argument(
        "file", metavar="FILE", nargs="?", help="a CSV file with the model's columns; - for standard input"
    )
    predict.add_argument(
        "--keep",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="columns of FILE to write in front, such as names",
    )
    predict.add_argument("--probabilities", action="store_true", help="write the probability of each class")
    predict.add_argument("--out", metavar="FILE.csv", help="write to this file")
    predict.add_argument(
        "--separator",
        choices=[",", ";"],
        default=",",
        metavar="SIGN",
        help="between cells, , or ; and with ; numbers have a decimal comma (default: ,)",
    )
    add_reading(predict)

    evaluate = commands.add_parser("evaluate", help="how good a trained model is on its test set")
    evaluate.add_argument("checkpoint", metavar="CHECKPOINT")
    evaluate.add_argument("file", metavar="FILE", nargs="?", help="evaluate on all rows of this CSV file instead")
    evaluate.add_argument("--data", metavar="FILE.csv", help="the same")
    add_reading(evaluate)


def add_gpt_and_generate(commands: Any) -> None:
    """The options of `gpt` and `generate`."""
    gpt = commands.add_parser(
        "gpt",
        help="learn to write names of cities, or lines of a file of your own",
        description="A GPT learns to write names of cities, or what stands on the lines of a file. A run that was "
        "interrupted goes on if the same command is given again, and goes further with more --steps.",
    )
    add = gpt.add_argument
    add("--data", metavar="FILE.txt", help="learn from a text file, one text on each line (default: names of cities)")
    add("--steps", type=WHOLE, default=1000, metavar="N", help="how many in all (default: 1000)")
    add("--batch-size", type=WHOLE, default=1, metavar="N", help="texts a step (default: 1)")
    add("--lr", type=RATE, default=0.01, metavar="RATE", help="learning rate of the first step (default: 0.01)")
    add("--n-embd", type=WHOLE, default=16, metavar="N", help="numbers for each position (default: 16)")
    add("--n-head", type=WHOLE, default=4, metavar="N", help="heads of attention; they share the numbers (default: 4)")
    add("--n-layer", type=WHOLE, default=1, metavar="N", help="blocks (default: 1)")
    add("--block-size", type=WHOLE, default=16, metavar="N", help="positions that it looks at (default: 16)")
    add("--seed", type=SEED, default=42, metavar="N", help="of the split, the weights and the order (default: 42)")
    add_temperature(gpt)
    add(
        "--engine",
        choices=["auto", "eager", "compiled"],
        default="auto",
        help="compiled needs NumPy, and for speed llvmlite (default: auto)",
    )
    add("--checkpoint", metavar="FILE", help="where the run goes, and goes on from (default: NAME-checkpoint.json)")

    generate = commands.add_parser("generate", help="what a trained GPT writes")
    generate.add_argument("checkpoint", metavar="CHECKPOINT")
    generate.add_argument("--prompt", default="", metavar="TEXT", help="how each text begins")
    generate.add_argument("--count", type=WHOLE, default=20, metavar="N", help="how many texts (default: 20)")
    add_temperature(generate)
    generate.add_argument("--seed", type=SEED, metavar="N", help="the same texts each time (default: others each time)")


def add_temperature(parser: Any) -> None:
    """The option that says how daring the texts are."""
    parser.add_argument(
        "--temperature",
        type=TEMPERATURE,
        default=0.5,
        metavar="T",
        help="the lower, the likelier the characters; 0 for the likeliest text (default: 0.5)",
    )


def add_experiments(commands: Any) -> None:
    """The options of `experiments`."""
    experiments = commands.add_parser(
        "experiments",
        help="what goes wrong in training, and what helps, measured",
        description="Lists the experiments; with a name, runs one, prints its measurements and writes its figure.",
    )
    experiments.add_argument("name", metavar="NAME", nargs="?", choices=list(EXPERIMENTS), help=", ".join(EXPERIMENTS))
    experiments.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    experiments.add_argument("--figure", metavar="FILE", help="where the figure goes (default: NAME.png)")


def check_writable(path: str, option: str) -> None:
    """Makes sure, before any work, that its result can be saved."""
    if not path:
        raise ValueError(f"{option} takes the name of a file; got an empty one")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise ValueError(f"{path} cannot be written: there is no folder {folder}")
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise ValueError(f"{path} cannot be written: choose another name with {option}")


def same_file(first: str, second: str | None) -> bool:
    """Whether both are paths of one file that is there."""
    return second is not None and os.path.exists(first) and os.path.exists(second) and os.path.samefile(first, second)
