"""What does a network do when it has seen too few examples, and what does dropout change?

It learns its few examples by heart, mistakes included, and is then confidently wrong about images that it has not seen:
it overfits. The more dropout, the less of that. At a dropout of 1.0 nothing passes, and nothing is learned either.
"""

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from autograd.value import data_of
from nn.diagnosis.diagnose import diagnose
from nn.diagnosis.layer_statistics import rms
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.experiments.images import digits_in_parts
from nn.losses import cross_entropy
from nn.metrics import largest
from nn.neuron import MLP
from nn.optim import Adam
from nn.plots import COLOURS, new_figure
from nn.randomness import RandomSource
from nn.training.predict import evaluate

CLASSES = 10


@dataclass(frozen=True)
class Trained:
    """What was measured at the end on the network with one probability of dropping.

    Arguments:
        p: the probability that a hidden activation is dropped in training.
        loss, accuracy: on the training examples with the labels that it was given, in evaluation mode.
        validation_loss, validation_accuracy: on images that it has not seen, with the right labels.
        gradients: of the weights before the dropout, in a step with all training examples, in training mode.
        answers: how many different digits it gives as answers in that step.
        moved: how far those weights moved in training, as a share of their size at the start.
    """

    p: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    gradients: list[float]
    answers: int
    moved: float

    @property
    def gap(self) -> float:
        """How much larger the loss is on images that it has not seen."""
        return self.validation_loss - self.loss

    @property
    def gradient(self) -> float:
        """The size of a typical gradient."""
        return rms(self.gradients)


@dataclass(frozen=True)
class DropoutCompared(Experiment):
    """The same network with several probabilities of dropping, from 0.0 to 1.0."""

    networks: list[Trained]
    wrong_labels: int

    title: ClassVar[str] = "Overfitting: few digits, some of them mislabelled, and dropout from 0.0 to 1.0"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["dropout", "loss: training", "unseen", "gap", "right: training", "unseen", "gradient before"]

    def rows(self) -> list[list[str]]:
        """A line for each probability."""
        return [
            [
                *(f"{net.p}", f"{net.loss:.3f}", f"{net.validation_loss:.3f}", f"{net.gap:.3f}"),
                *(f"{100.0 * net.accuracy:.0f} %", f"{100.0 * net.validation_accuracy:.0f} %", f"{net.gradient:.2g}"),
            ]
            for net in self.networks
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        none, *between, everything = self.networks
        best = min(between, key=lambda net: net.validation_loss)
        return [
            Claim(
                f"without dropout it knows nearly every label by heart, the {self.wrong_labels} wrong ones too, "
                f"and far fewer of the unseen",
                f"right: {100.0 * none.accuracy:.0f} % and {100.0 * none.validation_accuracy:.0f} %",
                none.accuracy >= 0.95 and none.accuracy - none.validation_accuracy >= 0.2,
            ),
            Claim(
                "the more is dropped, the smaller the gap between unseen and training images",
                "losses: " + ", ".join(f"{net.gap:.2f}" for net in self.networks),
                all(more.gap < less.gap for less, more in pairwise(self.networks)),
            ),
            Claim(
                "in between, the loss on unseen images is lower than without dropout",
                f"{best.validation_loss:.2f} with {best.p}, {none.validation_loss:.2f} without",
                best.validation_loss < none.validation_loss,
            ),
            Claim(
                "at 1.0 every weight before the dropout has the gradient 0, and stays where it was",
                f"largest {max(map(abs, everything.gradients))}, moved {everything.moved}",
                everything.p == 1.0 and not any(everything.gradients) and everything.moved == 0.0,
            ),
            Claim(
                "at 1.0 nothing is learned: one answer for all images in training mode, near chance in evaluation mode",
                f"{everything.answers} answer, {100.0 * everything.validation_accuracy:.0f} % of the unseen right",
                everything.answers == 1 and everything.validation_accuracy < 0.25,
            ),
        ]

    def plot(self) -> Any:
        """Loss, share of right answers, and the gradient before the dropout, by the probability of dropping."""
        figure = new_figure(11.0, 3.5)
        losses, shares, gradients = figure.subplots(1, 3)
        ps = [net.p for net in self.networks]
        losses.plot(ps, [net.loss for net in self.networks], "o-", color=COLOURS[1], label="training")
        losses.plot(ps, [net.validation_loss for net in self.networks], "^--", color=COLOURS[0], label="unseen")
        losses.set(ylabel="loss (cross-entropy)", ylim=(0.0, None), title="the gap closes")
        shares.plot(ps, [100.0 * net.accuracy for net in self.networks], "o-", color=COLOURS[1], label="training")
        unseen = [100.0 * net.validation_accuracy for net in self.networks]
        shares.plot(ps, unseen, "^--", color=COLOURS[0], label="unseen")
        shares.axhline(100.0 / CLASSES, color=COLOURS[6], linewidth=0.8, linestyle=":", label="chance")
        shares.set(ylabel="right (%)", ylim=(0.0, 104.0), title="what is known")
        gradients.plot(ps, [net.gradient for net in self.networks], "o-", color=COLOURS[2])
        gradients.set(ylabel="gradient (root mean square)", ylim=(0.0, None), title="weights before the dropout")
        for ax in (losses, shares, gradients):
            ax.set(xlabel="dropout", xticks=ps)
        for ax in (losses, shares):
            ax.legend()
        return figure


def mislabelled(y: list[int], wrong: int, rng: RandomSource) -> list[int]:
    """The classes, with `wrong` of them, chosen at random, replaced by another digit.

    >>> mislabelled([0, 1, 2, 3], 1, random.Random(2))
    [2, 1, 2, 3]
    """
    labels = list(y)
    for i in rng.sample(range(len(y)), wrong):
        labels[i] = rng.choice([digit for digit in range(CLASSES) if digit != y[i]])
    return labels


def training_step(model: MLP, X: list[list[float]], y: list[int]) -> tuple[list[float], int]:
    """Forward and back in training mode: the first layer's gradients, and how many different answers there are."""
    model.train()
    outputs = model(X)
    model.zero_grad()
    cross_entropy(outputs, y).backward()
    answers = {largest([logit.data for logit in logits]) for logits in outputs}
    return [data_of(p.grad) for p in model.layers[0].parameters()], len(answers)


def dropout(
    seed: int = 0,
    *,
    ps: tuple[float, ...] = (0.0, 0.3, 0.6, 1.0),
    examples: int = 50,
    wrong_labels: int = 15,
    unseen: int = 200,
    hidden: int = 32,
    learning_rate: float = 0.03,
    batch_size: int = 10,
    epochs: int = 25,
    progress: bool = True,
) -> DropoutCompared:
    """Overfitting on few digits, and dropout as the remedy.

    Networks that differ only in the probability of dropping start from the same weights and learn the same few
    handwritten digits in the same order. Some of the labels they learn from are wrong, as in life; the labels they are
    judged by are right.

    Arguments:
        seed: decides on the images, the wrong labels, the initial weights, the order and what is dropped.
        ps: the probabilities, rising from 0.0 to 1.0, with at least one in between.
        examples: how many images to learn.
        wrong_labels: how many of their labels are replaced by another digit.
        unseen: how many other images to judge by.
        hidden: the width of the hidden layer; the dropout comes after it.
        learning_rate, batch_size, epochs: of the training with Adam, the same for all.
        progress: show progress bars.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.

    Raises:
        ValueError: `ps` does not rise from 0.0 to 1.0, or another argument is out of range.
    """
    seed = checked(seed, examples=examples, unseen=unseen, hidden=hidden, epochs=epochs)
    if len(ps) < 3 or ps[0] != 0.0 or ps[-1] != 1.0 or any(more <= less for less, more in pairwise(ps)):
        raise ValueError(f"ps takes at least three probabilities that rise from 0.0 to 1.0; got {ps}")
    source = random.Random(seed)
    (X, truth), validation = digits_in_parts(examples, unseen, source)
    y = mislabelled(truth, wrong_labels, source)
    settings: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "progress": progress}

    def trained(p: float) -> Trained:
        model = MLP(len(X[0]), [hidden, CLASSES], dropout=p, rng=random.Random(seed))
        start = model.state_dict()
        learn(model, X, y, Adam(model.parameters(), lr=learning_rate), rng=random.Random(seed), **settings)
        known = evaluate(model, X, y, loss="cross_entropy")
        judged = evaluate(model, *validation, loss="cross_entropy")
        moved = diagnose(model, X, y, "cross_entropy", since=start).layers[0].movement or 0.0
        figures = (known["loss"], known["accuracy"], judged["loss"], judged["accuracy"])
        return Trained(p, *figures, *training_step(model, X, y), moved)

    return DropoutCompared([trained(p) for p in ps], wrong_labels)
