"""The command `python -m nn`: learn to read handwritten digits, or learn from a table or texts of your own.

python -m nn                               learn the digits
python -m nn train --layers 64 32          with other settings, or --data FILE.csv --target COLUMN
python -m nn predict CHECKPOINT [FILE]     what the model says
python -m nn evaluate CHECKPOINT [FILE]    how good it is on the test set, or on a file
python -m nn gpt                           learn to write names of cities, or --data FILE.txt
python -m nn generate CHECKPOINT           what it writes
python -m nn experiments [NAME]            what goes wrong in training, and what helps: lists them, or runs one
"""

from collections.abc import Sequence

from autograd.command_line import run
from nn.command.evaluate import evaluate
from nn.command.experiments import experiments
from nn.command.generate import generate
from nn.command.gpt import train_gpt
from nn.command.options import PROGRAM, parser
from nn.command.predict import predict_rows
from nn.command.train import train

COMMANDS = {
    "train": train,
    "predict": predict_rows,
    "evaluate": evaluate,
    "gpt": train_gpt,
    "generate": generate,
    "experiments": experiments,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code: 0, or 2 if anything is wrong."""
    return run(PROGRAM, obey, arguments)


def obey(arguments: list[str]) -> None:
    """Does what the arguments say. Options alone are those of `train`."""
    if not arguments or (arguments[0].startswith("--") and arguments[0] != "--help"):
        arguments = ["train", *arguments]
    options = parser().parse_args(arguments)
    options.words = arguments[1:]
    COMMANDS[options.command](options)
