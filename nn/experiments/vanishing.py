"""Why do the first layers of a deep sigmoid network not learn, and what does ReLU change?

On the way back, the gradient is multiplied by the slope of every activation function that it passes. The slope of a
sigmoid is at most 1/4, so little reaches the first layers. That of a ReLU is 1 wherever its input is positive.
"""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

from nn.activations import ActivationName
from nn.diagnosis.diagnose import diagnose
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.experiments.images import chance, some_digits
from nn.neuron import MLP
from nn.optim import SGD
from nn.plots import COLOURS, new_figure
from nn.training.predict import evaluate

NAMES: dict[ActivationName, str] = {"sigmoid": "sigmoid", "relu": "ReLU"}


@dataclass(frozen=True)
class Trained:
    """What was measured on one of the two networks.

    Arguments:
        gradients: the root mean square of the gradient by layer, at the start, on all training examples.
        moved: how far each layer moved in training, as a share of the size of its parameters at the end.
        losses: the training loss by epoch.
        loss, accuracy: at the end, on the training examples.
    """

    gradients: list[float]
    moved: list[float]
    losses: list[float]
    loss: float
    accuracy: float

    @property
    def fade(self) -> float:
        """The last layer's gradient divided by the first layer's."""
        return self.gradients[-1] / self.gradients[0]


@dataclass(frozen=True)
class VanishingGradients(Experiment):
    """The same network with two activation functions.

    Arguments:
        sigmoid, relu: the two networks.
        chance: the share of right answers that guessing gets.
    """

    sigmoid: Trained
    relu: Trained
    chance: float

    title: ClassVar[str] = "Vanishing gradients: a deep network of sigmoids, and the same with ReLU"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["layer", "gradient: sigmoid", "ReLU", "weights moved: sigmoid", "ReLU"]

    def rows(self) -> list[list[str]]:
        """A line for each layer, from the input to the output."""
        columns = zip(self.sigmoid.gradients, self.relu.gradients, self.sigmoid.moved, self.relu.moved, strict=True)
        return [
            [f"layers.{i}", f"{g:.6f}", f"{h:.6f}", f"{100.0 * m:.1f} %", f"{100.0 * n:.1f} %"]
            for i, (g, h, m, n) in enumerate(columns)
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        sigmoid, relu = self.sigmoid, self.relu
        return [
            Claim(
                "with sigmoids the first layer's gradient is at least 100 times smaller than the last's",
                f"{sigmoid.fade:.0f} times",
                sigmoid.fade >= 100.0,
            ),
            Claim(
                "with ReLU both are of one order, within a factor of 10",
                f"last by first: {relu.fade:.2g}",
                0.1 <= relu.fade <= 10.0,
            ),
            Claim(
                "with sigmoids the first layer's weights move by less than 2 % of their size, with ReLU by over 10 %",
                f"{100.0 * sigmoid.moved[0]:.1f} % and {100.0 * relu.moved[0]:.1f} %",
                sigmoid.moved[0] < 0.02 and relu.moved[0] > 0.1,
            ),
            Claim(
                "in the same training ReLU learns the digits, and sigmoids stay near chance",
                f"{100.0 * relu.accuracy:.0f} % and {100.0 * sigmoid.accuracy:.0f} % right; "
                f"chance {100.0 * self.chance:.0f} %",
                relu.accuracy >= 0.75 and sigmoid.accuracy <= self.chance + 0.1,
            ),
        ]

    def plot(self) -> Any:
        """Gradients by layer at the start, how far the layers moved, and the loss by epoch."""
        figure = new_figure(11.0, 3.5)
        gradients, moved, losses = figure.subplots(1, 3)
        for (activation, name), colour, style in zip(NAMES.items(), COLOURS, ("o-", "^--"), strict=False):
            trained: Trained = getattr(self, activation)
            layers = range(len(trained.gradients))
            gradients.plot(layers, trained.gradients, style, color=colour, label=name)
            moved.plot(layers, [100.0 * share for share in trained.moved], style, color=colour, label=name)
            losses.plot(range(1, len(trained.losses) + 1), trained.losses, style, color=colour, label=name)
        gradients.set(xlabel="layer", ylabel="gradient (root mean square)", yscale="log", title="at the start")
        moved.set(xlabel="layer", ylabel="weights moved (% of their size)", yscale="log", title="in training")
        losses.set(xlabel="epoch", ylabel="training loss", ylim=(0.0, None), title="what comes of it")
        for ax in (gradients, moved):
            ax.set_xticks(range(len(self.relu.gradients)))
        for ax in (gradients, moved, losses):
            ax.legend()
        return figure


def vanishing_gradients(
    seed: int = 0,
    *,
    examples: int = 80,
    classes: int = 5,
    hidden: tuple[int, ...] = (20, 20, 20, 20),
    learning_rate: float = 0.05,
    batch_size: int = 5,
    epochs: int = 12,
    progress: bool = True,
) -> VanishingGradients:
    """Deep sigmoids: hardly any gradient reaches the first layers.

    Two networks differ only in their activation function; each starts from the initial weights that suit it (Xavier
    and He). They learn the same handwritten digits in the same order, by plain gradient descent.

    Arguments:
        seed: decides on the images, the initial weights and the order of the examples.
        examples: how many images to learn.
        classes: how many digits to tell apart: 5 for 0 to 4.
        hidden: the widths of the hidden layers.
        learning_rate, batch_size, epochs: of the training, the same for both.
        progress: show progress bars.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.
    """
    seed = checked(seed, examples=examples, classes=classes, hidden=hidden, batch_size=batch_size, epochs=epochs)
    X, y = some_digits(examples, classes, random.Random(seed))
    settings: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "progress": progress}

    def trained(activation: ActivationName) -> Trained:
        model = MLP(len(X[0]), [*hidden, classes], activation=activation, rng=random.Random(seed))
        start, before = diagnose(model, X, y, "cross_entropy"), model.state_dict()
        optimizer = SGD(model.parameters(), lr=learning_rate)
        history = learn(model, X, y, optimizer, rng=random.Random(seed), **settings)
        end = diagnose(model, X, y, "cross_entropy", since=before)
        gradients = [layer.gradient or 0.0 for layer in start.layers]
        moved = [layer.movement or 0.0 for layer in end.layers]
        return Trained(gradients, moved, history.loss, **evaluate(model, X, y, loss="cross_entropy"))

    return VanishingGradients(trained("sigmoid"), trained("relu"), chance(y))
