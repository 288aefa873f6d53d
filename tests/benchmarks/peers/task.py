"""What must every engine compute? The same training: the same data, first weights, order and arithmetic.

The digits through a 64-H-10 network with ReLU, softmax cross-entropy averaged over the batch, plain gradient descent,
float64. Batches are full: where the batch size does not divide the 1,797 digits, the last five are left out.
`training.py` says how each engine does it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from typing import Any

DIGITS = 1797
WIDTHS = (16, 64)
BATCHES = (1, 8, 32, 256, DIGITS)
EPOCHS = {1: 5, 8: 20, 32: 40, 256: 60, DIGITS: 80}  # after one to warm up: about as long at each batch size
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Point:
    """A place in the table: how wide the network is, and how many examples make a step."""

    hidden: int
    batch: int
    examples: int
    epochs: int

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return self.examples // self.batch

    @property
    def rate(self) -> float:
        """The learning rate. With 0.1 at batch 1 two runs part for good over the last bit of one number."""
        return 0.01 if self.batch == 1 else 0.1

    def model(self) -> Any:
        """The network before training, as this project has it."""
        from nn import MLP

        return MLP(64, [self.hidden, 10], rng=random.Random(0))

    def weights(self) -> list[tuple[list[list[float]], list[float]]]:
        """The same as plain numbers: for each layer a row of weights for each neuron, and the biases."""
        layers = [layer.neurons for layer in self.model().layers]
        return [([[w.data for w in n.w] for n in neurons], [n.b.data for n in neurons]) for neurons in layers]

    def data(self) -> tuple[list[list[float]], list[int]]:
        """The examples and their classes."""
        from nn.datasets import load_digits

        digits = load_digits()
        return digits.X[: self.examples], digits.y[: self.examples]

    def order_rng(self) -> random.Random:
        """What `orders` shuffles with."""
        return random.Random(1)

    def orders(self) -> Iterator[list[int]]:
        """The order of the examples in each epoch, which is the one that `nn.fit` draws from `order_rng`."""
        rng, order = self.order_rng(), list(range(self.examples))
        for _ in range(self.epochs + 1):
            rng.shuffle(order)
            yield list(order)


def point(hidden: int, batch: int) -> Point:
    """The point of the table."""
    return Point(hidden, batch, DIGITS - DIGITS % batch, EPOCHS[batch])


def points(hidden: int) -> list[Point]:
    """The points of one width."""
    return [point(hidden, batch) for batch in BATCHES]


ONE_BY_ONE = Point(hidden=16, batch=1, examples=100, epochs=2)
"""As much as micrograd can do while one waits."""


def check_agreement(what: str, answers: dict[str, list[float]]) -> None:
    """Refuses to go on if engines computed different things: their times could not be compared."""
    (first, expected), *others = answers.items()
    for engine, numbers in others:
        for x, y in zip(expected, numbers, strict=True):
            if not isclose(x, y, rel_tol=TOLERANCE, abs_tol=TOLERANCE * max(map(abs, expected))):
                raise SystemExit(f"{what}: {first} and {engine} disagree on the result: {x!r} and {y!r}")
