"""Which images do the experiments learn from? A few of the handwritten digits, so that a run takes seconds."""

from nn.datasets import load_digits, train_validation_test_split
from nn.datasets.split import Part
from nn.randomness import RandomSource


def some_digits(examples: int, classes: int, rng: RandomSource) -> Part:
    """A random choice of so many images of the digits 0 to classes - 1, about as many of each.

    Raises:
        ValueError: there are not so many images.

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
