"""How good is a trained model? `python -m nn evaluate`: on the test set of its training, or on a file."""

import argparse
from typing import Any

from autograd.terminal import say, wrapped
from nn.command.data import check_target, digits_parts, parts_of, read_columns
from nn.command.results import results
from nn.command.trained import Trained, open_checkpoint
from nn.datasets import Table
from nn.datasets.dataset import counted
from nn.datasets.target_column import known_rows


def evaluate(options: argparse.Namespace) -> None:
    """`python -m nn evaluate`."""
    trained = open_checkpoint(options.checkpoint)
    given = options.file or options.data
    if given is None and trained.digits:
        test = digits_parts(trained.seed or 0).test
        results(trained, test.X, test.y)
        return
    table = file_rows(trained, given) if given is not None else test_rows(trained, options.checkpoint)
    results(trained, *examples(trained, table), part="test" if given is None else "")


def examples(trained: Trained, table: Table) -> tuple[Any, list[Any]]:
    """The inputs and the targets of a table."""
    assert trained.target is not None
    return trained.encoder.inputs(table), trained.target.numbers(table)


def file_rows(trained: Trained, path: str) -> Table:
    """The rows of a file whose target is known."""
    if trained.target is None:
        raise ValueError("the model has no name for what it predicts, so that no file can be compared with it")
    text = trained.encoder.text_columns + ([trained.target.name] if trained.target.text else [])
    table = read_columns(path, text)
    check_target(table, trained.target, "evaluate")
    known = known_rows(table, trained.target.name)
    if len(known) < len(table):
        lost = counted(len(table) - len(known), "row")
        say(wrapped(f"{lost} of {path} without {trained.target.name} left out."))
    return known


def test_rows(trained: Trained, path: str) -> Table:
    """The test set of the training, from its file."""
    if trained.data is None or trained.target is None or trained.seed is None:
        raise ValueError(f"evaluate needs a CSV file: {path} does not say what the model was trained on")
    known = file_rows(trained, trained.data)
    if trained.rows is not None and trained.rows != len(known):
        raise ValueError(
            f"{trained.data} has {len(known):,} rows with a target, and had {trained.rows:,} when the model was "
            f"trained, so that its test set is not known any more: name a file of new rows to evaluate on"
        )
    return parts_of(known, trained.target, trained.seed, trained.validation is not None)[2]
