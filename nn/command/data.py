"""What does `python -m nn` learn from? The digits, or a table with a column to predict, split in three."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from nn.datasets import Split, Table, load_digits, train_validation_test_split
from nn.datasets.column_codes import NumberCode
from nn.datasets.dataset import counted
from nn.datasets.encoding import TableEncoder
from nn.datasets.target_column import Target, known_rows, meant

FOR_TABLES = ("target", "task", "text", "ordered", "drop", "gaps", "unseen", "validation")
"""The options that only a table has."""
DIGIT = Target("digit", "classification", list(range(10)), "10 classes")


@dataclass(frozen=True)
class Data:
    """What there is to learn from.

    Arguments:
        train, validation, test: tables that have the target; of the digits pairs of rows and classes.
        target: what is to be predicted.
        about: all of it in a sentence or two.
    """

    train: Any
    validation: Any
    test: Any
    target: Target
    about: str


def load_data(options: argparse.Namespace) -> Data:
    """The digits, or the table that the options name."""
    if options.data is not None:
        return table_data(options)
    for name in FOR_TABLES:
        if getattr(options, name) not in (None, []):
            what = "names a column of" if name == "target" else "is for a table,"
            raise ValueError(f"--{name} {what} --data FILE.csv; give that too")
    parts = digits_parts(options.seed)
    rows = [len(part.X) for part in parts]
    about = f"Handwritten digits: {sum(rows):,} images of 8 x 8 pixels; {sizes(rows)}."
    return Data(*parts, DIGIT, about)


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
        text = [*options.text, *ordered_values(options), *([target.name] if target.text else [])]
        parts[1] = read_columns(options.validation, text)
        check_target(parts[1], target, "--validation")
        parts[1] = known_rows(parts[1], target.name)
        target.numbers(parts[1])  # says in which line there is a class that is not known
    train, validation, test = parts
    return Data(train, validation, test, target, " ".join([about_table(options, table, target, parts), *about]))


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


def read_to_train(options: argparse.Namespace) -> tuple[Table, Target, list[str]]:
    """The rows whose target is known, without the columns to drop, the target, and remarks on the file."""
    text = [*options.text, *ordered_values(options)]
    table = Table(options.data, text=text)
    name = options.target
    if name in options.drop:
        raise ValueError(f"--drop {name}: this is the target, which is never an input anyway")
    if name in table and table[name].kind == "boolean":  # its words, such as yes and no, are the labels
        table = Table(options.data, text=[*text, name])
    everything = table.drop(options.drop)
    table = known_rows(everything, name)
    if len(table.names) == 1:
        raise ValueError(f"{options.data} has no column besides the target {name!r}: add the features")
    return table, Target.of(table, name, options.task), remarks(everything, len(everything) - len(table), name)


def remarks(table: Table, lost: int, target: str) -> list[str]:
    """What a reader should know of the file, in sentences."""
    found = [f"{remark[0].upper()}{remark[1:]}." for remark in table.remarks]
    found += [f"Column {name!r}: {table[name].remark}." for name in table.names if table[name].remark][:5]
    if lost:
        found.append(f"{counted(lost, 'row')} without {target!r} left out.")
    return found


def ordered_values(options: argparse.Namespace) -> list[str]:
    """The columns whose values are given in order: what they hold is text, even if it looks like numbers."""
    return [name for name, values in options.ordered if values != "ordered"]


def text_codes(options: argparse.Namespace) -> dict[str, Any]:
    """How the columns named in the options are encoded."""
    return {**{name: "one-hot" for name in options.text if name != options.target}, **dict(options.ordered)}


def read_columns(path: str, text: Sequence[str]) -> Table:
    """The table in a file; the columns named in `text` are read as text, if it has them."""
    try:
        return Table(path, text=text)
    except ValueError:
        table = Table(path)  # if the file itself is at fault, this says so
        return Table(path, text=[name for name in text if name in table])


def parts_of(table: Table, target: Target, seed: int, validated: bool = False) -> list[Table]:
    """A table in training, validation and test set, the same for the same seed; none to validate if that is done."""
    shares = (0.8, 0.0, 0.2) if validated else (0.7, 0.1, 0.2)
    numbers = target.numbers(table)
    if target.classes:
        check_rarest(numbers, target, table, sum(share > 0.0 for share in shares))
    places = [[i] for i in range(len(table))]
    split = train_validation_test_split(places, numbers, shares, bool(target.classes), Random(seed))
    return [table.rows([int(row[0]) for row in part.X]) for part in split]


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
