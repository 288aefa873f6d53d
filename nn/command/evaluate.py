"""How good is a trained model? `python -m nn evaluate`: on the test set of its training, or on a file."""

import argparse
from typing import Any

from autograd.terminal import say, wrapped
from nn.command.data import check_target, digits_parts, numbers_of, parts_of, read_table
from nn.command.options import PROGRAM
from nn.command.remarks import note, remarks_on
from nn.command.results import results
from nn.command.trained import Trained, digest_of, open_checkpoint
from nn.datasets import Table
from nn.datasets.dataset import counted
from nn.datasets.target_column import known_rows


def evaluate(options: argparse.Namespace) -> None:
    """`python -m nn evaluate`."""
    if options.file is not None and options.data is not None:
        raise ValueError(f"evaluate takes one file; got {options.file} and --data {options.data}: leave one out")
    trained = open_checkpoint(options.checkpoint)
    given = options.data if options.file is None else options.file
    if given is None and trained.digits:
        results(trained, *digits_parts(trained.seed or 0).test)
    elif given is None:
        table, inputs, targets = test_examples(trained, options)
        results(trained, inputs, targets, where=table.where)
    else:
        table = file_rows(trained, given, options)
        for remark in remarks_on(trained.encoder, table):
            note(remark)
        results(trained, *examples(trained, table), part="", where=table.where)


def examples(trained: Trained, table: Table) -> tuple[Any, list[Any]]:
    """The inputs and the targets of a table."""
    assert trained.target is not None
    return trained.encoder.inputs(table), numbers_of(trained.target, table)


def file_rows(trained: Trained, path: str, options: argparse.Namespace) -> Table:
    """The rows of a file whose target is known."""
    if trained.target is None:
        raise ValueError("the model has no name for what it predicts, so that no file can be compared with it")
    table = read_table(path, options, trained.encoder.gap_words)
    check_target(table, trained.target, "evaluate")
    known = known_rows(table, trained.target.name)
    if len(known) < len(table):
        lost = counted(len(table) - len(known), "row")
        say(wrapped(f"{lost} of {path} without {trained.target.name} left out."))
    return known


def test_examples(trained: Trained, options: argparse.Namespace) -> tuple[Table, Any, list[Any]]:
    """The test set of the training, from its file: the rows, their inputs and targets."""
    if trained.data is None or trained.target is None or trained.seed is None:
        raise ValueError(f"evaluate needs a CSV file: {options.checkpoint} does not say what the model was trained on")
    another = f"name a file of other rows: {PROGRAM} evaluate {options.checkpoint} FILE.csv"
    try:
        known = file_rows(trained, trained.data, options)
    except FileNotFoundError:
        raise ValueError(
            f"{trained.data}, the file that the model was trained on, is not here: go to its folder, or {another}"
        ) from None
    changed = f"{trained.data} has changed since the training, so that its test set is not known any more"
    if trained.rows is not None and trained.rows != len(known):
        rows = f"{len(known):,} rows with a target, not {trained.rows:,}"
        raise ValueError(f"{changed} (it has {rows}): {another}")
    table = parts_of(known, trained.target, trained.seed, trained.validation is not None)[2]
    inputs, targets = examples(trained, table)
    if trained.test is not None and trained.test != digest_of(inputs, targets):
        raise ValueError(f"{changed}: {another}")
    return table, inputs, targets
