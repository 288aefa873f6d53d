"""What does a trained model say? `python -m nn predict`: a table for the rows of a file, or a few images."""

import argparse
import csv
import io
from collections.abc import Iterator
from typing import Any

from autograd.terminal import say, write
from nn.command.data import digits_parts, read_columns
from nn.command.results import some_images
from nn.command.trained import open_checkpoint
from nn.datasets.target_column import Target
from nn.metrics import largest, probabilities


def predict_rows(options: argparse.Namespace) -> None:
    """`python -m nn predict`: a CSV table of predictions, or a few images."""
    trained = open_checkpoint(options.checkpoint)
    if options.file is None:
        if not trained.digits:
            raise ValueError(f"predict needs a CSV file with the columns {', '.join(trained.encoder.columns_used)}")
        test = digits_parts(trained.seed or 0).test
        say(some_images(test.X, test.y, trained.outputs(test.X)))
        return
    table = read_columns(options.file, trained.encoder.text_columns)
    outputs = trained.outputs(trained.encoder.inputs(table))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(predictions(outputs, trained.target))
    write(text.getvalue().rstrip("\n"))


def predictions(outputs: list[Any], target: Target | None) -> Iterator[list[Any]]:
    """The header and the rows of the table: a class with its probability, or a quantity."""
    name = "prediction" if target is None else target.name
    if target is None or not target.classes:
        yield [name]
        yield from ([f"{output:.6g}"] for output in outputs)
        return
    yield [name, "probability"]
    for row in outputs:
        best = largest(row)
        yield [target.classes[best], f"{probabilities(row)[best]:.4f}"]
