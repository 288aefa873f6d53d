"""Which images do the experiments learn from? A few of the handwritten digits, so that a run takes seconds."""

from collections import Counter

from nn.datasets import load_digits, train_validation_test_split
from nn.datasets.split import Part
from nn.randomness import RandomSource


def some_digits(examples: int, classes: int, rng: RandomSource) -> Part:
    """Images of the digits 0 to classes - 1, chosen at random, about as many of each digit.

    Raises:
        ValueError: there are fewer images than that.

    >>> import random
    >>> X, y = some_digits(100, 5, random.Random(0))
    >>> len(X), [y.count(digit) for digit in range(5)]
    (100, [20, 20, 20, 20, 20])
    """
    digits = load_digits()
    chosen = [i for i, digit in enumerate(digits.y) if digit < classes]
    if examples > len(chosen):
        raise ValueError(f"there are {len(chosen)} images of the digits 0 to {classes - 1}; got examples={examples}")
    share = examples / len(chosen)
    X, y = [digits.X[i] for i in chosen], [digits.y[i] for i in chosen]
    return train_validation_test_split(X, y, sizes=(share, 0.0, 1.0 - share), rng=rng).train


def digits_in_parts(train: int, validation: int, rng: RandomSource) -> tuple[Part, Part]:
    """`train` images to learn from, and `validation` others to judge by."""
    digits = load_digits()
    shares = (train / len(digits.X), validation / len(digits.X))
    split = train_validation_test_split(digits.X, digits.y, sizes=(*shares, 1.0 - sum(shares)), rng=rng)
    return split.train, split.validation


def chance(y: list[int]) -> float:
    """The share of the most frequent digit: who always guesses it is right so often.

    >>> chance([3, 8, 3, 3])
    0.75
    """
    return max(Counter(y).values()) / len(y)
