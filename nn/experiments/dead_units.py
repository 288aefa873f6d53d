"""How does a ReLU unit die, and does it come back? After too long a step, its weighted sum is negative for every input.

Its output is then 0 and its gradient exactly 0, so plain gradient descent never moves it again. In the first hidden
layer this is for ever, since the inputs never change. In a deeper layer a unit may revive when the layers before it
change, which is why the network here has one hidden layer.
"""

import random
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar

from autograd import no_grad
from autograd.value import data_of
from nn.experiments.experiment import Claim, Experiment, checked, learn
from nn.experiments.images import chance, some_digits
from nn.losses import cross_entropy
from nn.module import Module
from nn.neuron import MLP, Layer, Neuron
from nn.optim import SGD
from nn.plots import COLOURS, new_figure
from nn.standardize import Standardize
from nn.training.history import History
from nn.training.predict import evaluate


@dataclass(frozen=True)
class Trained:
    """What was measured on one of the two networks.

    Arguments:
        learning_rate: that of its training.
        dead: the names of the units that are dead, at the start and after each epoch.
        revived: the names of those that were dead after some epoch but are not at the end.
        moved: the names of the weights and biases that changed, however little, after their unit had died.
        gradients: for each hidden unit, the largest absolute gradient of its weights and bias at the end.
        accuracies: the share of the training examples that are read right, at the start and after each epoch.
    """

    learning_rate: float
    dead: list[list[str]]
    revived: list[str]
    moved: list[str]
    gradients: dict[str, float]
    accuracies: list[float]

    @property
    def dead_gradients(self) -> list[float]:
        """The largest gradient of each unit that is dead at the end."""
        return [self.gradients[name] for name in self.dead[-1]]


@dataclass(frozen=True)
class DeadUnits(Experiment):
    """The same network at a learning rate that kills its units, and at one that does not.

    Arguments:
        high, low: the two trainings.
        units: how many hidden units there are.
        chance: the share of right answers that guessing gets.
    """

    high: Trained
    low: Trained
    units: int
    chance: float

    title: ClassVar[str] = "Dead units: a learning rate that kills ReLU units, and one that does not"

    def header(self) -> list[str]:
        """The names of the table's columns."""
        runs = self.high, self.low
        return ["epoch", *(name for run in runs for name in (f"rate {run.learning_rate:g}: dead", "digits right"))]

    def rows(self) -> list[list[str]]:
        """A line for each epoch; 0 is the start."""
        return [
            [str(epoch), *(cell for run in (self.high, self.low) for cell in _cells(run, epoch))]
            for epoch in range(len(self.high.dead))
        ]

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        high, low = self.high, self.low
        early, last = set(high.dead[1]), set(high.dead[-1])
        return [
            Claim(
                f"at rate {high.learning_rate:g} at least half of the units die",
                f"{len(last)} of {self.units}; at the start {len(high.dead[0])}",
                2 * len(last - set(high.dead[0])) >= self.units,
            ),
            Claim(
                "who is dead stays dead",
                f"of {len(early)} dead after epoch 1, {len(early & last)} at the end; {len(high.revived)} ever revived",
                bool(early) and early <= last and not high.revived,
            ),
            Claim(
                "a dead unit's gradient is exactly 0, and its weights do not change by a bit",
                f"largest gradient {max(high.dead_gradients, default=0.0)}, changed weights {len(high.moved)}",
                bool(last) and max(high.dead_gradients) == 0.0 and not high.moved,
            ),
            Claim(
                f"from the same start, at rate {low.learning_rate:g}, none dies",
                f"{len(low.dead[-1])} of {self.units} dead at the end",
                all(set(dead) <= set(low.dead[0]) for dead in low.dead),
            ),
            Claim(
                "the low rate learns the digits, the high one does not",
                f"{100.0 * low.accuracies[-1]:.0f} % and {100.0 * high.accuracies[-1]:.0f} % right; "
                f"chance {100.0 * self.chance:.0f} %",
                low.accuracies[-1] >= 0.7 and high.accuracies[-1] <= self.chance + 0.2,
            ),
        ]

    def plot(self) -> Any:
        """Dead units and accuracy by epoch."""
        figure = new_figure(8.0, 3.5)
        dead, accuracy = figure.subplots(1, 2)
        for run, colour, style in zip((self.high, self.low), COLOURS, ("o-", "^--"), strict=False):
            label = f"learning rate {run.learning_rate:g}"
            dead.plot(range(len(run.dead)), [len(names) for names in run.dead], style, color=colour, label=label)
            shares = [100.0 * share for share in run.accuracies]
            accuracy.plot(range(len(shares)), shares, style, color=colour, label=label)
        dead.set(xlabel="after epoch", ylabel=f"dead units, of {self.units}", ylim=(-0.5, self.units + 0.5))
        accuracy.axhline(100.0 * self.chance, color=COLOURS[-1], linewidth=0.8, label="chance")
        accuracy.set(xlabel="after epoch", ylabel="training digits right (%)", ylim=(0.0, 100.0))
        dead.set_yticks(range(0, self.units + 1, max(1, self.units // 4)))
        for ax in (dead, accuracy):
            ax.legend()
        return figure


def dead_units(
    seed: int = 0,
    *,
    examples: int = 100,
    hidden: int = 20,
    high_rate: float = 10.0,
    low_rate: float = 0.2,
    batch_size: int = 10,
    epochs: int = 8,
    progress: bool = True,
) -> DeadUnits:
    """A learning rate that kills ReLU units for good.

    Two networks with one hidden layer of ReLU units start from the same weights (He) and learn the same handwritten
    digits in the same order, by plain gradient descent; only the learning rate differs. The mean of each pixel is
    subtracted, so that hardly any unit is dead at the start.

    Arguments:
        seed: decides on the images, the initial weights and the order of the examples.
        examples: how many images to learn, of all ten digits.
        hidden: the number of hidden units.
        high_rate: a learning rate that is too high.
        low_rate: one that is not.
        batch_size, epochs: of the training, the same for both.
        progress: show progress bars.

    Returns:
        the measurements; `print` shows them, and `plot()` draws them.
    """
    seed = checked(seed, examples=examples, hidden=hidden, batch_size=batch_size, epochs=epochs)
    X, y = some_digits(examples, 10, random.Random(seed))
    means = [fmean(column) for column in zip(*X, strict=True)]
    X = Standardize(means, [1.0] * len(means))(X)
    settings: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "progress": progress}

    def trained(rate: float) -> Trained:
        model = MLP(len(X[0]), [hidden, 10], rng=random.Random(seed))
        watch = Watch(model, X, y)
        optimizer = SGD(model.parameters(), lr=rate)
        learn(model, X, y, optimizer, rng=random.Random(seed), callbacks=[watch.look], **settings)
        return watch.result(rate)

    return DeadUnits(trained(high_rate), trained(low_rate), hidden, chance(y))


class Watch:
    """Notes after each epoch which hidden units are dead, and the weights that each had when first found dead.

    Arguments:
        model: a network whose first layer is watched.
        X: the training examples.
        y: their classes.
    """

    def __init__(self, model: MLP, X: list[list[float]], y: list[int]) -> None:
        self.model, self.X, self.y = model, X, y
        layer = model.layers[0]
        assert isinstance(layer, Layer)
        self.units = {f"layers.0.neurons.{i}": neuron for i, neuron in enumerate(layer.neurons)}
        self.dead: list[list[str]] = []
        self.accuracies: list[float] = []
        self.found: dict[str, dict[str, float]] = {}  # by unit, its weights and bias when it was found dead
        self.look(model)

    def look(self, model: Module, history: History | None = None) -> None:
        """Records the figures of an epoch; a callback of `fit`."""
        self.dead.append([name for name, unit in self.units.items() if is_dead(unit, self.X)])
        self.accuracies.append(evaluate(model, self.X, self.y, loss="cross_entropy")["accuracy"])
        for name in self.dead[-1]:
            self.found.setdefault(name, self.units[name].state_dict())

    def result(self, rate: float) -> Trained:
        """Everything that was noted, and the gradients at the end."""
        moved = [
            f"{name}.{which}"
            for name, then in self.found.items()
            for which, number in self.units[name].state_dict().items()
            if number != then[which]
        ]
        revived = [name for name in self.found if name not in self.dead[-1]]
        return Trained(rate, self.dead, revived, moved, self.gradients(), self.accuracies)

    def gradients(self) -> dict[str, float]:
        """The largest absolute gradient of each hidden unit, on all training examples."""
        self.model.zero_grad()
        cross_entropy(self.model(self.X), self.y).backward()
        return {name: max(abs(data_of(p.grad)) for p in unit.parameters()) for name, unit in self.units.items()}


def is_dead(unit: Neuron, X: list[list[float]]) -> bool:
    """Whether the weighted sum, with the bias, is at most 0 for every example.

    >>> unit = Neuron(1, init=lambda *_: 1.0)
    >>> is_dead(unit, [[-1.0], [-2.0]]), is_dead(unit, [[-1.0], [0.5]])
    (True, False)
    """
    with no_grad():
        return all(unit.pre_activation(row) <= 0.0 for row in X)


def _cells(run: Trained, epoch: int) -> list[str]:
    return [str(len(run.dead[epoch])), f"{100.0 * run.accuracies[epoch]:.0f} %"]
