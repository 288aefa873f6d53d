"""What can be learned from images without labels? To draw them again from two numbers.

An autoencoder's target is its own input. In the middle it has a layer of only two neurons, so everything that its
second half needs to draw the image again must pass through two numbers: the code. Nobody says what they should mean.
The images supervise themselves.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import dist, hypot
from operator import mul
from statistics import fmean
from typing import Any, ClassVar

from nn.datasets.digits import IMAGE_SIDE
from nn.datasets.split import Part
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.experiments.images import digits_in_parts
from nn.neuron import Layer, Sequential
from nn.optim import Adam
from nn.plots import INK, new_figure
from nn.randomness import RandomSource
from nn.schedules import CosineAnnealingLR
from nn.training.predict import predict

Rows = list[list[float]]

CODE = 2  # numbers
NEIGHBOURS = 5


@dataclass(frozen=True)
class Measured:
    """How good one way of drawing images again is.

    Arguments:
        error: the mean squared error of a pixel on the training images.
        unseen_error: the same on images that it did not learn from.
        right: the share of the unseen images that the nearest codes of training images tell the digit of, by majority.
    """

    error: float
    unseen_error: float
    right: float


@dataclass(frozen=True)
class Autoencoder(Experiment):
    """An autoencoder with a code of two numbers, and two simpler ways that it has to beat.

    Arguments:
        mean: the mean image for every image, without any code.
        linear: the best linear code of two numbers (principal components).
        network: the autoencoder.
        digits, codes, images, drawn: of the unseen images.
    """

    mean: Measured
    linear: Measured
    network: Measured
    digits: list[int]
    codes: Rows
    images: Rows
    drawn: Rows

    title: ClassVar[str] = "Self-supervision: digits drawn again from a code of two numbers"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["drawn again from", "squared error: training", "unseen", "digits told apart"]

    def rows(self) -> list[list[str]]:
        """A line for each of the three ways."""
        ways = {"nothing: the mean image": self.mean, "2 numbers, linear": self.linear, "2 numbers": self.network}
        return [
            [name, f"{way.error:.4f}", f"{way.unseen_error:.4f}", f"{100.0 * way.right:.1f} %"]
            for name, way in ways.items()
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        mean, linear, network = self.mean, self.linear, self.network
        return [
            Claim(
                "on unseen images the autoencoder's error is at most 3/4 of the mean image's",
                f"{network.unseen_error:.4f} of {mean.unseen_error:.4f}, "
                f"{100.0 * network.unseen_error / mean.unseen_error:.0f} %",
                network.unseen_error <= 0.75 * mean.unseen_error,
            ),
            Claim(
                "it is smaller than that of the best linear code, too",
                f"{network.unseen_error:.4f} and {linear.unseen_error:.4f}",
                network.unseen_error < linear.unseen_error,
            ),
            Claim(
                "the code tells apart digits that it was never told about, four times as well as chance",
                f"{100.0 * network.right:.1f} % right, chance {100.0 * mean.right:.1f} %",
                network.right >= 4.0 * mean.right,
            ),
        ]

    def plot(self) -> Any:
        """The codes of the unseen images, each digit in its colour, and some of the images as they are drawn again."""
        figure = new_figure(11.0, 4.6)
        left, right = figure.subfigures(1, 2, width_ratios=(1.0, 1.25))
        self._plot_codes(left.subplots())
        first = [self.digits.index(digit) for digit in sorted(set(self.digits))]
        pairs = [(self.images[i], self.drawn[i]) for i in first]
        axes = right.subplots(4, 5)
        for i, pair in enumerate(pairs[: 2 * 5]):
            for ax, pixels in zip((axes[i // 5 * 2][i % 5], axes[i // 5 * 2 + 1][i % 5]), pair, strict=True):
                lines = [pixels[j : j + IMAGE_SIDE] for j in range(0, len(pixels), IMAGE_SIDE)]
                ax.imshow(lines, cmap="Greys", vmin=0.0, vmax=1.0)
        for ax in axes.flat:
            ax.set(xticks=[], yticks=[])
        for row, name in zip(axes, ("image", "drawn again") * 2, strict=True):
            row[0].set_ylabel(name)
        right.suptitle("unseen images, and what two numbers keep of them")
        return figure

    def _plot_codes(self, ax: Any) -> None:
        for digit in sorted(set(self.digits)):
            codes = [code for code, d in zip(self.codes, self.digits, strict=True) if d == digit]
            colour = f"C{digit}"  # ten colours; the digits themselves say which is which
            ax.scatter(*zip(*codes, strict=True), s=14, color=colour, alpha=0.75, linewidths=0.0)
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "alpha": 0.9}
            x, y = mean_of(codes)
            ax.text(x, y, str(digit), color=INK, weight="bold", ha="center", va="center", bbox=box)
        ax.set(xlabel="first number of the code", ylabel="second number", title="the code of unseen images")


def autoencoder(
    seed: int = 0,
    *,
    examples: int = 300,
    unseen: int = 200,
    hidden: int = 16,
    learning_rate: float = 0.03,
    batch_size: int = 5,
    epochs: int = 14,
    progress: bool = True,
) -> Autoencoder:
    """Self-supervision: digits through a code of two numbers.

    The labels play no part in the training: they only colour the picture, and judge the code afterwards. With more
    images and epochs it draws better: `autoencoder(examples=1000, hidden=32, epochs=30, learning_rate=0.01)`.

    Arguments:
        seed: decides on the images, the initial weights and the order.
        examples: how many images to learn to draw.
        unseen: how many others to judge by.
        hidden: the width of the layers before and after the code.
        learning_rate, batch_size, epochs: of the training with Adam; the rate falls along a cosine.
        progress: show a progress bar.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.
    """
    seed = checked(seed, unseen=unseen, hidden=hidden, epochs=epochs)
    rng = random.Random(seed)
    train, judged = digits_in_parts(examples, unseen, rng)
    encoder, decoder = two_halves(len(train.X[0]), hidden, rng)
    model = Sequential(encoder, decoder)
    optimizer = Adam(model.parameters(), lr=learning_rate)
    settings: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "progress": progress}
    schedule = CosineAnnealingLR(optimizer, epochs)
    learn(model, train.X, train.X, optimizer, "mse_loss", schedule=schedule, rng=rng, **settings)  # each its own target
    linear = principal_components(train.X, CODE, rng)
    codes = predict(encoder, judged.X)
    return Autoencoder(
        always(linear.mean, train, judged),
        measured(linear.encode, linear.draw, train, judged),
        measured(partial(predict, encoder), partial(predict, decoder), train, judged),
        judged.y,
        codes,
        judged.X,
        predict(decoder, codes),
    )


def two_halves(pixels: int, hidden: int, rng: RandomSource) -> tuple[Sequential, Sequential]:
    """The encoder, from an image to its code, and the decoder, from a code to an image with pixels between 0 and 1.

    >>> encoder, decoder = two_halves(64, 16, random.Random(0))
    >>> [len(half.parameters()) for half in (encoder, decoder)]
    [1074, 1136]
    """
    narrowing = Layer(pixels, hidden, activation="leaky_relu", rng=rng), Layer(hidden, CODE, nonlin=False, rng=rng)
    widening = (
        Layer(CODE, hidden, activation="leaky_relu", rng=rng),
        Layer(hidden, pixels, activation="sigmoid", rng=rng),
    )
    return Sequential(*narrowing), Sequential(*widening)


# The linear code


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """The sum of the products."""
    total: float = sum(map(mul, a, b))
    return total


def mean_of(rows: Rows) -> list[float]:
    """The mean of each column; for images, the mean image.

    >>> mean_of([[1.0, 0.0], [3.0, 0.5]])
    [2.0, 0.25]
    """
    return [fmean(column) for column in zip(*rows, strict=True)]


@dataclass(frozen=True)
class LinearCode:
    """The code that principal components give: how far an image lies from the mean along each of a few directions.

    Of all linear codes, the one along the directions in which the images vary most has the smallest squared error.

    Arguments:
        mean: the mean image.
        directions: vectors of length 1, at right angles to each other.
    """

    mean: list[float]
    directions: Rows

    def encode(self, images: Rows) -> Rows:
        """The code of each image."""
        offsets = [dot(self.mean, direction) for direction in self.directions]
        return [
            [dot(image, direction) - offset for direction, offset in zip(self.directions, offsets, strict=True)]
            for image in images
        ]

    def draw(self, codes: Rows) -> Rows:
        """An image for each code."""
        pixels = list(zip(self.mean, *self.directions, strict=True))
        return [[dot((1.0, *code), pixel) for pixel in pixels] for code in codes]


def principal_components(images: Rows, size: int, rng: RandomSource, rounds: int = 300) -> LinearCode:
    """The best linear code of `size` numbers, found by power iteration.

    A vector that is multiplied by the covariance matrix again and again turns towards the direction in which the images
    vary most. That direction is then taken out of the matrix, and the next is found in the same way.

    >>> code = principal_components([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], 1, random.Random(0))
    >>> [abs(round(x, 6)) for x in code.directions[0]]
    [0.6, 0.8]
    """
    mean = mean_of(images)
    columns = [[pixel - m for pixel in column] for column, m in zip(zip(*images, strict=True), mean, strict=True)]
    matrix = [[dot(a, b) / len(images) for b in columns] for a in columns]
    directions = []
    for _ in range(size):
        direction, length = [rng.gauss(0.0, 1.0) for _ in mean], 0.0
        for _ in range(rounds):
            image = [dot(row, direction) for row in matrix]
            length = hypot(*image)
            direction = [x / length for x in image]
        directions.append(direction)
        matrix = [
            [m - length * x * y for m, y in zip(row, direction, strict=True)]
            for row, x in zip(matrix, direction, strict=True)
        ]
    return LinearCode(mean, directions)


# The measurements


def squared_error(drawn: Rows, images: Rows) -> float:
    """The mean squared difference of a pixel.

    >>> squared_error([[1.0, 0.0]], [[0.0, 0.0]])
    0.5
    """
    return fmean((p - q) ** 2 for a, b in zip(drawn, images, strict=True) for p, q in zip(a, b, strict=True))


def told_apart(known: Rows, known_digits: list[int], codes: Rows, digits: list[int]) -> float:
    """The share of the codes whose digit most of the nearest known codes have; the nearest decides a tie.

    >>> told_apart([[0.0, 0.0], [9.0, 9.0]], [3, 8], [[1.0, 0.0], [8.0, 8.0]], [3, 3])
    0.5
    """
    right = 0
    for code, digit in zip(codes, digits, strict=True):
        order = sorted(range(len(known)), key=lambda i: dist(known[i], code))
        votes = Counter(known_digits[i] for i in order[:NEIGHBOURS])  # the nearest comes first, also among equals
        right += votes.most_common(1)[0][0] == digit
    return right / len(digits)


def measured(encode: Callable[[Rows], Rows], draw: Callable[[Rows], Rows], train: Part, unseen: Part) -> Measured:
    """How good a code is that was made from the training images."""
    codes, unseen_codes = encode(train.X), encode(unseen.X)
    errors = squared_error(draw(codes), train.X), squared_error(draw(unseen_codes), unseen.X)
    return Measured(*errors, told_apart(codes, train.y, unseen_codes, unseen.y))


def always(image: list[float], train: Part, unseen: Part) -> Measured:
    """How good one image is for all. The best answer that needs no code is the most frequent digit."""
    errors = squared_error([image] * len(train.X), train.X), squared_error([image] * len(unseen.X), unseen.X)
    return Measured(*errors, Counter(unseen.y).most_common(1)[0][1] / len(unseen.y))
