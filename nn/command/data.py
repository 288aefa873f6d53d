"""What does `python -m nn` learn from? The digits, or a table with a column to predict, split in three."""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from nn.datasets import Split, Table, load_digits, train_validation_test_split
from nn.datasets.column_codes import NumberCode
from nn.datasets.dataset import counted
from nn.datasets.encoding import TableEncoder
from nn.datasets.split import split_places
from nn.datasets.target_column import Target, known_rows, meant

FOR_TABLES = (
    "target",
    "task",
    "text",
    "ordered",
    "drop",
    "gaps",
    "unseen",
    "decimal",
    "dates",
    "gap_words",
    "validation",
)
"""The options that only a table has."""
MOST_REMARKS = 20
"""Remarks on more columns are counted."""
STANDARD_INPUT = "/dev/stdin"
LARGEST = 1e300
"""The sum of 100 million such targets is finite."""
DIGIT = Target("digit", "classification", list(range(10)), "10 classes")


@dataclass(frozen=True)
class Data:
    """What there is to learn from.

    Arguments:
        train, validation, test: tables that have the target; of the digits pairs of rows and classes.
        target: what is to be predicted.
        about: lines that say what all of it is.
    """

    train: Any
    validation: Any
    test: Any
    target: Target
    about: list[str]


def load_data(options: argparse.Namespace) -> Data:
    """The digits, or the table that the options name."""
    if options.data is not None:
        return table_data(options)
    for name in FOR_TABLES:
        if getattr(options, name) not in (None, []):
            what = "names a column of" if name == "target" else "is for a table,"
            raise ValueError(f"--{name.replace('_', '-')} {what} --data FILE.csv; give that too")
    parts = digits_parts(options.seed)
    rows = [len(part.X) for part in parts]
    about = f"Handwritten digits: {sum(rows):,} images of 8 x 8 pixels; {sizes(rows)}."
    return Data(*parts, DIGIT, [about])


def digits_parts(seed: int) -> Split:
    """The digits in training, validation and test set, the same for the same seed."""
    digits = load_digits()
    return train_validation_test_split(digits.X, digits.y, rng=Random(seed))


def table_data(options: argparse.Namespace) -> Data:
    """The table that the options name, in three parts."""
    if options.target is None:
        raise ValueError("--data needs --target COLUMN: the column to predict")
    table, target, about = read_to_train(options)
    parts = parts_of(table, target, options.seed, options.validation is not None)
    if options.validation is not None:
        parts[1] = validation_rows(options, target)
        about += [f"{options.validation}: {remark}." for remark in parts[1].remarks]
        if os.path.samefile(options.data, options.validation):
            about.append("--validation is the file of --data: the rows to validate on are learned from, too.")
    train, validation, test = parts
    return Data(train, validation, test, target, [about_table(options, table, target, parts), *about])


def validation_rows(options: argparse.Namespace, target: Target) -> Table:
    """The rows of --validation whose target is known."""
    table = read_table(options.validation, options)
    check_target(table, target, "--validation")
    known = known_rows(words_of(table, target), target.name)
    numbers_of(target, known)  # says in which line there is a class that is not known
    return known


def about_table(options: argparse.Namespace, table: Table, target: Target, parts: Sequence[Table]) -> str:
    """What there is to learn from, in a sentence."""
    columns = counted(len(table.names) - 1, "column")
    task = counted(len(target.classes), "class", "classes") if target.classes else "a number to predict"
    apart = f" (those of {options.validation})" if options.validation is not None else ""
    return f"{options.data}: {len(table):,} rows of {columns}, {task}; {sizes(list(map(len, parts)), apart)}."


def sizes(rows: Sequence[int], apart: str = "") -> str:
    """How many rows each part has."""
    train, validation, test = rows
    return f"{train:,} to train, {validation:,} to validate{apart}, {test:,} to test"


# Tables


def read_table(path: str, options: argparse.Namespace, gap_words: Sequence[str] = ()) -> Table:
    """The table in a file, or in what comes from standard input, if the path is -.

    Arguments:
        gap_words: what stands for nothing, besides what the options say.
    """
    decimal = {"point": ".", "comma": ",", None: None}[options.decimal]
    day_first = {"day-first": True, "month-first": False, None: None}[options.dates]
    gap_words = [*gap_words, *options.gap_words]
    return Table(STANDARD_INPUT if path == "-" else path, decimal=decimal, day_first=day_first, gap_words=gap_words)


def read_to_train(options: argparse.Namespace) -> tuple[Table, Target, list[str]]:
    """The rows whose target is known, without the columns to drop, the target, and remarks on the file."""
    name = options.target
    if name in options.drop:
        raise ValueError(f"--drop {name}: this is the target, which is never an input anyway")
    everything = Table(
        read_table(options.data, options).drop(options.drop), text=[*options.text, *ordered_values(options)]
    )
    words = options.task != "regression" and name in everything and everything[name].kind == "boolean"
    if words:  # such as yes and no: they are the labels
        everything = Table(everything, text=[name])
    table = known_rows(everything, name)
    if len(table.names) == 1:
        raise ValueError(f"{options.data} has no column besides the target {name!r}: add the features")
    return table, Target.of(table, name, options.task), remarks(everything, len(everything) - len(table), name)


def words_of(table: Table, target: Target) -> Table:
    """The table with its target as texts, if the labels are texts."""
    return Table(table, text=[target.name]) if target.text else table


def remarks(table: Table, lost: int, target: str) -> list[str]:
    """What a reader should know of the file, a line each."""
    columns = [f"{name}: {table[name].remark}" for name in table.names if table[name].remark]
    more = [f"and {counted(len(columns) - MOST_REMARKS, 'more column')}"] * (len(columns) > MOST_REMARKS)
    left_out = [f"{counted(lost, 'row')} without {target!r} left out"] * bool(lost)
    return [f"{remark}." for remark in [*table.remarks, *columns[:MOST_REMARKS], *more, *left_out]]


def ordered_values(options: argparse.Namespace) -> list[str]:
    """The columns whose values are given in order: what they hold is text, even if it looks like numbers."""
    return [name for name, values in options.ordered if values != "ordered"]


def text_codes(options: argparse.Namespace) -> dict[str, Any]:
    """How the columns named in the options are encoded."""
    return {**{name: "one-hot" for name in options.text if name != options.target}, **dict(options.ordered)}


def parts_of(table: Table, target: Target, seed: int, validated: bool = False) -> list[Table]:
    """A table in training, validation and test set, the same for the same seed; none to validate if that is done."""
    shares = (0.8, 0.0, 0.2) if validated else (0.7, 0.1, 0.2)
    parts = sum(share > 0.0 for share in shares)
    numbers = numbers_of(target, table)
    if target.classes:
        check_rarest(numbers, target, table, parts)
    elif len(table) <= parts:
        rows = counted(len(table), "row")
        raise ValueError(
            f"{table.source} has {rows} with a target, and {parts + 1} are the least to learn from: add rows"
        )
    return [table.rows(places) for places in split_places(numbers, shares, bool(target.classes), Random(seed))]


def numbers_of(target: Target, table: Table) -> list[Any]:
    """The number of each row's class, or its quantity. Raises ValueError if that is too large to compute with."""
    numbers = target.numbers(table)
    largest = max(numbers, key=abs)
    if abs(largest) > LARGEST:
        raise ValueError(
            f"{table.where(numbers.index(largest))} has {largest:g} in the target column {target.name!r}, and sums of "
            f"such numbers overflow: give it in larger units"
        )
    return numbers


def check_rarest(numbers: list[int], target: Target, table: Table, parts: int) -> None:
    """Raises ValueError if a class has too few rows for all parts."""
    rarest, rows = min(Counter(numbers).items(), key=lambda item: item[1])
    if rows >= parts:
        return
    way_out = "or predict a number with --task regression" if table[target.name].kind == "number" else "or leave it out"
    raise ValueError(
        f"each class needs at least {parts} rows, to train, to validate and to test; in {table.source} the class "
        f"{str(target.classes[rarest])!r} of column {target.name!r} has {rows}: add rows of it, {way_out}"
    )


# Encoders of plain numbers


def digits_encoder() -> TableEncoder:
    """How a table of images becomes inputs: pixel by pixel."""
    return numbers_encoder(load_digits().feature_names, DIGIT)


def numbers_encoder(names: Sequence[str], target: Target | None) -> TableEncoder:
    """The encoder of columns that are numbers, without gaps."""
    return TableEncoder([NumberCode(name, "number", 0, None) for name in names], target)


def check_target(table: Table, target: Target, who: str) -> None:
    """Raises ValueError if a table lacks the target, which `who` needs."""
    if target.name not in table:
        raise ValueError(f"{table.source} has no column {target.name!r}{meant(target.name, table)}: {who} needs it")
