"""What does `python -m nn` learn from? The digits, or a table with a column to predict, split in three."""

import random
from collections import Counter

from nn.datasets import Dataset, Split, load_digits, read_csv, train_validation_test_split

MOST_CLASSES = 20  # a column with more different whole numbers is a quantity, such as an age
PARTS = 3  # training, validation and test set


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
