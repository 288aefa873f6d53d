"""What does a trained model say? `python -m nn predict`: a table for the rows of a file, or a few images."""

import argparse
import csv
import io
import os
from collections.abc import Iterator
from typing import Any

from autograd.files import write_atomically
from autograd.terminal import say, write
from nn.command.data import digits_parts, read_table
from nn.command.options import check_writable
from nn.command.remarks import note, remarks_on
from nn.command.results import some_images
from nn.command.trained import Trained, open_checkpoint
from nn.datasets import Table
from nn.datasets.target_column import Target
from nn.metrics import largest, probabilities


def predict_rows(options: argparse.Namespace) -> None:
    """`python -m nn predict`: a CSV table of predictions, or a few images."""
    trained = open_checkpoint(options.checkpoint)
    if options.file is None:
        show_images(trained, options)
        return
    if options.out is not None:
        check_out(options)
    table = read_table(options.file, options, trained.encoder.gap_words)
    kept = Table(table.select(dict.fromkeys(options.keep)), text=options.keep)
    outputs = trained.outputs(trained.encoder.inputs(table), table.where)
    for remark in remarks_on(trained.encoder, table):
        note(remark)
    columns = [[name, *("" if cell is None else cell for cell in kept[name].values)] for name in kept]
    rows = zip(*columns, predictions(outputs, trained.target, options), strict=True)
    text = io.StringIO()
    csv.writer(text, delimiter=options.separator, lineterminator="\n").writerows([*row[:-1], *row[-1]] for row in rows)
    if options.out is None:
        write(text.getvalue().rstrip("\n"))
    else:
        write_atomically(options.out, "\ufeff" + text.getvalue())  # by the mark Excel knows UTF-8


def show_images(trained: Trained, options: argparse.Namespace) -> None:
    """A few of the test images."""
    if not trained.digits:
        raise ValueError(f"predict needs a CSV file with the columns {', '.join(trained.encoder.columns_used)}")
    if options.out is not None or options.keep or options.probabilities:
        raise ValueError("--out, --keep and --probabilities are for the rows of a CSV file: give one")
    test = digits_parts(trained.seed or 0).test
    say(some_images(test.X, test.y, trained.outputs(test.X)))


def check_out(options: argparse.Namespace) -> None:
    """Makes sure that the predictions can be written, and not over what they are made of."""
    check_writable(options.out, "--out")
    for path in (options.checkpoint, options.file):
        if os.path.exists(options.out) and os.path.exists(path) and os.path.samefile(options.out, path):
            raise ValueError(f"--out {options.out} would overwrite {path}: choose another name")


def predictions(outputs: list[Any], target: Target | None, options: argparse.Namespace) -> Iterator[list[Any]]:
    """The header and the rows of the table: a class with its probability, or those of each class; or a quantity."""
    name, classes = ("prediction", []) if target is None else (target.name, target.classes)
    point = "," if options.separator == ";" else "."
    if not classes:
        yield [name]
        yield from ([f"{output:.6g}".replace(".", point)] for output in outputs)
        return
    yield [name, *(f"probability of {label}" for label in classes)] if options.probabilities else [name, "probability"]
    for row in outputs:
        best, chances = largest(row), probabilities(row)
        shown = chances if options.probabilities else [chances[best]]
        yield [classes[best], *(f"{chance:.4f}".replace(".", point) for chance in shown)]
