"""What are images worth that nobody has labelled? A network can label those that it is sure enough of.

A hundred labels are soon learned, and then teach nothing more. From then on one network continues with them alone. Its
twin adds unlabelled images, with its own answers as labels: pseudo-labels (Lee, 2013). Some are wrong, but most are
right, and there are many. That is semi-supervised learning.
"""

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

from autograd import softmax
from autograd.reals import as_count
from nn.datasets import load_digits
from nn.datasets.split import Part
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.losses import cross_entropy
from nn.metrics import largest
from nn.neuron import MLP
from nn.optim import Adam
from nn.plots import COLOURS, new_figure
from nn.randomness import RandomSource
from nn.schedules import CosineAnnealingLR
from nn.training.predict import evaluate, predict

CLASSES = 10


@dataclass(frozen=True)
class Round:
    """The pseudo-labels of one round: how many images were labelled, and how many of them rightly."""

    taken: int
    right: int

    @property
    def share_right(self) -> float:
        """The share of them that are right; 0 if there are none."""
        return self.right / max(1, self.taken)


@dataclass(frozen=True)
class FewLabels(Experiment):
    """Two networks after the same number of steps: one with the labels alone, one with pseudo-labels as well.

    Arguments:
        labels, unlabelled, test: how many images there were of each kind.
        start: the share of test images read right when the two networks parted.
        alone: the same at the end, for the network that had the labels alone.
        pseudo: the same at the end, for the network that also had pseudo-labels.
        rounds: the pseudo-labels of each round.
    """

    labels: int
    unlabelled: int
    test: int
    start: float
    alone: float
    pseudo: float
    rounds: list[Round]

    title: ClassVar[str] = "Semi-supervised: few labels, and many images that the network labels itself"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["learned from", "images", "labels right", "unseen images right"]

    def rows(self) -> list[list[str]]:
        """The network at the parting, and the two that came of it."""
        last, labels = self.rounds[-1], f"{self.labels}"
        right = 100.0 * (self.labels + last.right) / (self.labels + last.taken)
        return [
            ["the labels, at first", labels, "100.0 %", f"{100.0 * self.start:.1f} %"],
            ["the labels alone", labels, "100.0 %", f"{100.0 * self.alone:.1f} %"],
            [
                "labels and pseudo-labels",
                f"{self.labels + last.taken}",
                f"{right:.1f} %",
                f"{100.0 * self.pseudo:.1f} %",
            ],
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        last = self.rounds[-1]
        return [
            Claim(
                "with pseudo-labels it knows more unseen images than after as many steps with the labels alone",
                f"{100.0 * self.pseudo:.1f} % and {100.0 * self.alone:.1f} % of {self.test}",
                self.pseudo > self.alone,
            ),
            Claim(
                "the pseudo-labels are many, at least three times the labels",
                f"{last.taken} of {self.unlabelled} images, and {self.labels} labels",
                last.taken >= 3 * self.labels,
            ),
            Claim(
                "they are right more often than the network that gave the first of them",
                f"{100.0 * last.share_right:.1f} % and {100.0 * self.start:.1f} %",
                last.share_right > self.start,
            ),
        ]

    def plot(self) -> Any:
        """How many pseudo-labels were right and wrong in each round, and what came of it."""
        figure = new_figure(9.0, 3.5)
        labels, shares = figure.subplots(1, 2)
        numbers = range(1, len(self.rounds) + 1)
        right = [r.right for r in self.rounds]
        labels.bar(numbers, right, color=COLOURS[1], label="right")
        wrong = [r.taken - r.right for r in self.rounds]
        labels.bar(numbers, wrong, bottom=right, color=COLOURS[0], label="wrong")
        labels.axhline(self.unlabelled, color=COLOURS[6], linewidth=0.8, linestyle=":", label="images without label")
        labels.axhline(self.labels, color=COLOURS[2], linestyle="--", label="labels")
        labels.set(xlabel="round", ylabel="pseudo-labels", title="what it labels itself", xticks=numbers)
        labels.set_ylim(0, 1.6 * self.unlabelled)
        labels.legend(loc="upper left", ncols=2)
        names = ["at first", "labels\nalone", "with\npseudo-labels"]
        wrong_shares = [100.0 * (1.0 - share) for share in (self.start, self.alone, self.pseudo)]
        bars = shares.bar(names, wrong_shares, color=[COLOURS[6], COLOURS[2], COLOURS[1]])
        shares.bar_label(bars, fmt="%.1f %%")
        shares.set(ylabel="unseen images wrong (%)", ylim=(0.0, 1.15 * max(wrong_shares)), title="what comes of it")
        return figure


def few_labels(
    seed: int = 0,
    *,
    labels_per_class: int = 10,
    unlabelled: int = 800,
    threshold: float = 0.6,
    hidden: int = 24,
    learning_rate: float = 0.02,
    batch_size: int = 10,
    steps: int = 80,
    rounds: int = 6,
    rounds_with_labels_only: int = 2,
    progress: bool = True,
) -> FewLabels:
    """A hundred labelled digits, and many without labels.

    Two copies of one network take the same number of steps, with the same optimiser and the same falling learning
    rate. The images that are neither labelled nor in the unlabelled part are the test images, which neither copy sees.

    Arguments:
        seed: decides on the images, the initial weights and the order.
        labels_per_class: how many images of each digit have a label.
        unlabelled: how many images without a label there are to learn from.
        threshold: how probable the network must find its answer before it becomes a pseudo-label.
        hidden: the width of the hidden layer.
        learning_rate, batch_size: of the training with Adam; the rate falls from round to round.
        steps: gradient steps in a round; the pseudo-labels are chosen anew for each round.
        rounds: how many rounds there are, including those before the networks part.
        rounds_with_labels_only: how many of them come before the networks part.
        progress: show progress bars.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.
    """
    seed = checked(seed, labels_per_class=labels_per_class, unlabelled=unlabelled, hidden=hidden, steps=steps)
    first = as_count(rounds_with_labels_only, "rounds_with_labels_only")
    rounds = as_count(rounds, "rounds", least=first + 1)
    labelled, pool, test = parts(labels_per_class, unlabelled, random.Random(seed))
    alone = Learner(seed, hidden, learning_rate, rounds, steps, batch_size, progress)
    for _ in range(first):
        alone.learn(*labelled)
    start, twin, seen = alone.share_right(test), copy.deepcopy(alone), []
    for _ in range(rounds - first):
        alone.learn(*labelled)
        chosen = confident(twin.model, pool.X, threshold)
        images, guesses = [pool.X[i] for i in chosen], list(chosen.values())
        twin.learn(labelled.X + images, labelled.y + guesses)
        seen.append(Round(len(chosen), sum(pool.y[i] == guess for i, guess in chosen.items())))
    sizes = len(labelled.X), len(pool.X), len(test.X)
    return FewLabels(*sizes, start, alone.share_right(test), twin.share_right(test), seen)


class Parts(NamedTuple):
    """The images with labels, those without (`y` is only there to count with), and those to judge by."""

    labelled: Part
    unlabelled: Part
    test: Part


def parts(labels_per_class: int, unlabelled: int, rng: RandomSource) -> Parts:
    """The digits in three parts, at random, with the same number of labels for each digit.

    Raises:
        ValueError: no images would be left to judge by.

    >>> labelled, pool, test = parts(10, 800, random.Random(0))
    >>> labelled, pool, test
    (<Part: 100 samples>, <Part: 800 samples>, <Part: 897 samples>)
    >>> [labelled.y.count(digit) for digit in range(10)]
    [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    """
    X, y = load_digits()[:2]
    order = list(range(len(X)))
    rng.shuffle(order)
    labelled = [i for digit in range(CLASSES) for i in [j for j in order if y[j] == digit][:labels_per_class]]
    others = [i for i in order if i not in set(labelled)]
    if unlabelled >= len(others):
        raise ValueError(f"{len(others)} images have no label, and some must be left to judge by; got {unlabelled=}")
    places = labelled, others[:unlabelled], others[unlabelled:]
    return Parts(*(Part([X[i] for i in part], [y[i] for i in part]) for part in places))


class Learner:
    """A network with its optimiser that learns round by round, at a learning rate that falls to 0."""

    def __init__(
        self, seed: int, hidden: int, learning_rate: float, rounds: int, steps: int, batch_size: int, progress: bool
    ) -> None:
        self.rng = random.Random(seed)
        self.model = MLP(64, [hidden, CLASSES], rng=self.rng)
        self.optimizer = Adam(self.model.parameters(), lr=learning_rate)
        self.schedule = CosineAnnealingLR(self.optimizer, rounds)
        self.steps, self.batch_size, self.progress = steps, batch_size, progress

    def learn(self, X: Sequence[list[float]], y: Sequence[int]) -> None:
        """One round: the same number of steps however many examples there are."""
        order = passes(len(X), self.steps * self.batch_size, self.rng)
        learn(
            self.model,
            [X[i] for i in order],
            [y[i] for i in order],
            self.optimizer,
            partial(cross_entropy, label_smoothing=0.1),  # or it would be sure of everything that it says
            epochs=1,
            batch_size=self.batch_size,
            shuffle=False,
            schedule=self.schedule,
            progress=self.progress,
        )

    def share_right(self, part: Part) -> float:
        """The share of the images that it reads right."""
        return evaluate(self.model, *part, loss="cross_entropy")["accuracy"]


def passes(examples: int, length: int, rng: RandomSource) -> list[int]:
    """The places of `length` examples: pass after pass, each in a new order.

    >>> passes(3, 7, random.Random(0))
    [0, 2, 1, 2, 1, 0, 0]
    """
    places: list[int] = []
    while len(places) < length:
        order = list(range(examples))
        rng.shuffle(order)
        places += order
    return places[:length]


def confident(model: MLP, X: list[list[float]], threshold: float) -> dict[int, int]:
    """The classes that have at least that probability, by the place of the example.

    >>> confident(MLP(1, [2], init=lambda *_: 0.0), [[0.0], [1.0]], 0.5)
    {0: 0, 1: 0}
    >>> confident(MLP(1, [2], init=lambda *_: 0.0), [[0.0], [1.0]], 0.6)
    {}
    """
    probabilities = [softmax(logits) for logits in predict(model, X)]
    return {i: largest(row) for i, row in enumerate(probabilities) if max(row) >= threshold}
