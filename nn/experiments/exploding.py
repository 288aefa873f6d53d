"""What happens if the weights are too large to begin with, and what helps: batch normalisation, or a lower rate?

Each layer makes the activations larger on the way forward, and the gradients on the way back: they are products of
many large terms. A step of the usual length then goes much too far. Batch normalisation brings the activations of every
layer back to one scale, whatever the weights. A lower learning rate shortens the step.
"""

import random
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, isfinite, log
from typing import Any, ClassVar

from nn.activations import ReLU
from nn.diagnosis.diagnose import Diagnosis, diagnose
from nn.diagnosis.layer_statistics import LayerStatistics
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.experiments.images import chance, some_digits
from nn.init import normal
from nn.module import Module
from nn.neuron import Layer, Sequential
from nn.normalisation import BatchNorm
from nn.optim import SGD
from nn.plots import COLOURS, new_figure
from nn.training.predict import evaluate

NAMES = {"neither": "no remedy", "batch_norm": "batch norm", "lower_rate": "lower rate"}


@dataclass(frozen=True)
class Start:
    """What was seen before the first step.

    Arguments:
        loss: the cross-entropy on all training examples.
        activations: the root mean square of each layer's outputs, after its activation function.
        gradients: the root mean square of each layer's gradient.
    """

    loss: float
    activations: list[float]
    gradients: list[float]

    @staticmethod
    def of(diagnosis: Diagnosis) -> "Start":
        """The figures of each `Layer`, together with the batch normalisation and activation function after it."""
        parts: list[list[LayerStatistics]] = []
        for x in diagnosis.layers:
            if x.kind.startswith("Layer("):
                parts.append([])
            parts[-1].append(x)
        activations = [hypot(part[-1].mean, part[-1].std) for part in parts]
        return Start(diagnosis.loss, activations, [part[0].gradient or 0.0 for part in parts])


@dataclass(frozen=True)
class Trained:
    """What was measured on one of the three networks.

    Arguments:
        learning_rate: that of its training.
        start: loss, activations and gradients by layer before the first step.
        losses: the training loss by epoch; the last may be nan or inf.
        loss, accuracy: at the end, on the training examples.
        stopped: why the training ended, in words.
    """

    learning_rate: float
    start: Start
    losses: list[float]
    loss: float
    accuracy: float
    stopped: str


@dataclass(frozen=True)
class ExplodingGradients(Experiment):
    """The same weights, too large at the start, without a remedy and with each of two.

    Arguments:
        neither, batch_norm, lower_rate: the three networks.
        chance: the share of right answers that guessing gets.
        guessing: the loss where every digit gets the same probability.
    """

    neither: Trained
    batch_norm: Trained
    lower_rate: Trained
    chance: float
    guessing: float

    title: ClassVar[str] = "Exploding gradients: weights too large at the start, and two remedies"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["", *NAMES.values()]

    def rows(self) -> list[list[str]]:
        """The figures, a line each: at the start by layer, then those of the training."""
        runs = [self.neither, self.batch_norm, self.lower_rate]
        layers = range(len(self.neither.start.gradients))
        return [
            ["learning rate", *(f"{run.learning_rate:g}" for run in runs)],
            *([f"activations, layer {i}", *(_figure(run.start.activations[i]) for run in runs)] for i in layers),
            *([f"gradient, layer {i}", *(_figure(run.start.gradients[i]) for run in runs)] for i in layers),
            ["loss at the start", *(_figure(run.start.loss) for run in runs)],
            ["mean loss of epoch 1", *(_figure(run.losses[0]) for run in runs)],
            [f"mean loss of epoch {len(self.batch_norm.losses)}", *(_figure(run.losses[-1]) for run in runs)],
            ["training digits right", *(f"{100.0 * run.accuracy:.0f} %" for run in runs)],
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        growth, even = _growth(self.neither.start), _growth(self.batch_norm.start)
        larger = self.neither.start.gradients[0] / self.batch_norm.start.gradients[0]
        neither, remedies = self.neither, (self.batch_norm, self.lower_rate)
        return [
            Claim(
                "without batch norm the activations grow from hidden layer to hidden layer; with it they stay the same",
                f"by {min(growth):.1f} to {max(growth):.1f} times; by {min(even):.2f} to {max(even):.2f}",
                min(growth) > 1.0 and 0.8 < min(even) <= max(even) < 1.25,
            ),
            Claim(
                "the first layer's gradient is at least 5 times as large without batch norm",
                f"{larger:.0f} times",
                larger >= 5.0,
            ),
            Claim(
                "without a remedy training does not converge: the loss is never below that of guessing",
                f"{_figure(neither.losses[0])} in epoch 1, {_figure(neither.losses[-1])} in the last, "
                f"{self.guessing:.2f} is guessing; {100.0 * neither.accuracy:.0f} % right, "
                f"chance {100.0 * self.chance:.0f} %",
                not min(neither.losses) < 0.95 * self.guessing and neither.accuracy <= self.chance + 0.15,
            ),
            *(
                Claim(
                    f"with {remedy} it does",
                    f"at the end {100.0 * run.accuracy:.0f} % right, loss {run.loss:.2f}",
                    run.accuracy >= 0.8 and run.loss < 0.5 * self.guessing,
                )
                for remedy, run in zip(("batch norm, at the same rate,", "a lower rate alone"), remedies, strict=True)
            ),
        ]

    def plot(self) -> Any:
        """Activations and gradients by layer at the start, and the loss by epoch."""
        figure = new_figure(11.0, 3.5)
        activations, gradients, losses = figure.subplots(1, 3)
        losses.set(yscale="log", ylim=(1e-3, 1e6))  # a loss of 1e50 on the way would squeeze all others
        styles = zip(NAMES.items(), COLOURS, ("o-", "^--", "s:"), strict=False)
        for (field, name), colour, style in styles:
            run: Trained = getattr(self, field)
            layers = range(len(run.start.gradients))
            if field != "lower_rate":  # its start is that without a remedy
                label = "with batch norm" if field == "batch_norm" else "without"
                activations.plot(layers, run.start.activations, style, color=colour, label=label)
                gradients.plot(layers, run.start.gradients, style, color=colour, label=label)
            label = f"{name} ({run.learning_rate:g})"
            losses.plot(range(len(run.losses) + 1), [run.start.loss, *run.losses], style, color=colour, label=label)
        activations.set(xlabel="layer", ylabel="activations (root mean square)", yscale="log", title="forward")
        gradients.set(xlabel="layer", ylabel="gradient (root mean square)", yscale="log", title="and back")
        losses.set(xlabel="epoch", ylabel="training loss", title="what comes of it (learning rate)")
        for ax in (activations, gradients):
            ax.set_xticks(range(len(self.neither.start.gradients)))
        for ax in (activations, gradients, losses):
            ax.legend()
        return figure


def exploding_gradients(
    seed: int = 0,
    *,
    examples: int = 60,
    classes: int = 5,
    hidden: tuple[int, ...] = (24, 24, 24),
    deviation: float = 0.7,
    learning_rate: float = 0.5,
    lower_rate: float = 0.02,
    batch_size: int = 10,
    epochs: int = 8,
    progress: bool = True,
) -> ExplodingGradients:
    """Weights that are too large: batch norm or a lower rate helps.

    Three ReLU networks start from the same weights, drawn without regard to the number of inputs, and learn the same
    handwritten digits in the same order, by plain gradient descent. The second also has batch normalisation; the third
    has a lower learning rate.

    Arguments:
        seed: decides on the images, the initial weights and the order of the examples.
        examples: how many images to learn.
        classes: how many digits to tell apart: 5 for 0 to 4.
        hidden: the widths of the hidden layers.
        deviation: the standard deviation of the initial weights; for 24 inputs, He et al. take 0.29.
        learning_rate: of the first two networks.
        lower_rate: the learning rate of the third.
        batch_size, epochs: of the training, the same for all.
        progress: show progress bars.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.
    """
    seed = checked(seed, examples=examples, classes=classes, hidden=hidden, batch_size=batch_size, epochs=epochs)
    X, y = some_digits(examples, classes, random.Random(seed))
    widths = [len(X[0]), *hidden, classes]
    settings: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "progress": progress}

    def trained(normalised: bool, rate: float) -> Trained:
        model = network(widths, deviation, normalised, random.Random(seed))
        start = Start.of(diagnose(model, X, y, "cross_entropy"))
        history = learn(model, X, y, SGD(model.parameters(), lr=rate), rng=random.Random(seed), **settings)
        end = evaluate(model, X, y, loss="cross_entropy")
        return Trained(rate, start, history.loss, end["loss"], end["accuracy"], history.stopped)

    runs = trained(False, learning_rate), trained(True, learning_rate), trained(False, lower_rate)
    return ExplodingGradients(*runs, chance(y), log(classes))


def network(widths: list[int], deviation: float, normalised: bool, rng: random.Random) -> Sequential:
    """Layers with ReLU between them; normalised, each weighted sum goes through a `BatchNorm` before the ReLU."""
    modules: list[Module] = []
    for nin, nout in pairwise(widths):
        modules.append(Layer(nin, nout, activation="linear", init=normal(deviation), rng=rng))
        modules += [BatchNorm(nout), ReLU()] if normalised else [ReLU()]
    return Sequential(*modules[: -2 if normalised else -1])  # the outputs are logits, as they are


def _growth(start: Start) -> list[float]:
    """How many times larger the activations are after each hidden layer than after the one before."""
    return [after / before for before, after in pairwise(start.activations[:-1])]


def _figure(x: float) -> str:
    return f"{x:.2e}" if isfinite(x) and x >= 1e5 else f"{x:.3g}"
