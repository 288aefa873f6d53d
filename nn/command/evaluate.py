"""How good is a trained model? `python -m nn evaluate`: on the test set of its training, or on a file."""

import argparse
from typing import Any

from nn.command.data import split_of
from nn.command.results import results
from nn.command.trained import open_checkpoint
from nn.datasets import Dataset, load_digits, read_csv


def evaluate(options: argparse.Namespace) -> None:
    """`python -m nn evaluate`."""
    model, known = open_checkpoint(options.checkpoint)
    given = options.file or options.data
    path = given or known["data"]
    data = load_digits() if path is None else table(path, known)
    X, y = data[:2] if given else split_of(data, known["seed"]).test
    results(model, data, X, y)


def table(path: str, known: dict[str, Any]) -> Dataset:
    """The rows of a CSV file, with their classes numbered as the model numbers them."""
    data = read_csv(path, target=known["target"] or "digit", features=known["feature_names"])
    if known["classification"]:
        return data._replace(y=classes_of(data, known["target_names"], path), target_names=known["target_names"])
    if data.target_names:
        raise ValueError(f"{path} has text in the column {known['target']!r}; the model predicts a number")
    return data


def classes_of(data: Dataset, names: list[str], path: str) -> list[int]:
    """The number that the model gave to each row's class."""
    labels = [data.target_names[y] if data.target_names else str(y) for y in data.y]
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise ValueError(f"{path} has the class {unknown[0]!r}; the model knows {', '.join(names)}")
    return [names.index(label) for label in labels]
