"""Why does a network not learn? Its gradients, weights and activations, layer by layer, and what they say.

`diagnose` looks at one training step and names the problem, if there is one: vanishing gradients, exploding gradients,
dead ReLU units. `Monitor` does so after every epoch of `fit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.reals import shown
from autograd.terminal import table, wrapped
from autograd.value import data_of
from nn.arguments import examples
from nn.datasets.dataset import counted
from nn.diagnosis.first_non_finite import first_non_finite, first_non_finite_parameter
from nn.diagnosis.layer_statistics import LayerStatistics, statistics_of_layers
from nn.diagnosis.pictures import as_html, picture_of_layers, short
from nn.diagnosis.problems import Problem, problems
from nn.diagnosis.watched_step import WatchedStep, watched_step
from nn.losses import Loss, LossName, loss_function
from nn.module import Module, check_module
from nn.optim import Optimizer


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found. It prints as tables with a verdict; `plot()` draws it, and a notebook shows both.

    Attributes:
        examples: how many examples made the step.
        loss: their loss, in training mode.
        layers: the statistics of each layer, in the order in which they are used.
        step: which step the layers' movement is measured over, in words.
        non_finite: what made the first number that is inf or nan, in words; None if all are finite.
        problems: what is wrong, the worst first; empty for a healthy network.
    """

    examples: int
    loss: float
    layers: tuple[LayerStatistics, ...]
    step: str
    non_finite: str | None
    problems: tuple[Problem, ...]

    @property
    def verdict(self) -> str:
        """The name of the worst problem, or "healthy"."""
        return self.problems[0].name if self.problems else "healthy"

    @property
    def learning(self) -> list[LayerStatistics]:
        """The layers with parameters."""
        return [layer for layer in self.layers if layer.gradient is not None]

    @property
    def dead(self) -> list[str]:
        """The names of all dead ReLU units."""
        return [name for layer in self.layers for name in layer.dead]

    def __str__(self) -> str:
        gradients = table(
            ["layer", "kind", "gradient", "to next", "moves"],
            [[short(x.name), x.kind, *map(three_digits, (x.gradient, x.ratio, x.movement))] for x in self.learning],
            left=2,
        )
        outputs = table(
            ["outputs of", "mean", "spread", "saturated", "dead"],
            [
                [short(x.name), three_digits(x.mean), three_digits(x.std), _percent(x.saturated), _count(x)]
                for x in self.layers
            ],
        )
        sentences = [str(problem) for problem in self.problems] or ["healthy: the gradient reaches every layer."]
        if self.dead:
            usual = "; some are usual" if not self.problems else ""
            sentences.append(f"0 for every example ({len(self.dead)}{usual}): {_listed(self.dead)}")
        sentences.append(
            f"(gradient: root mean square; moves: {self.step}, relative to the size of the parameters; saturated: the "
            f"share of outputs where the activation function is flat, as ReLU is at 0)"
        )
        heading = f"One training step on {counted(self.examples, 'example')}, loss {three_digits(self.loss)}"
        return "\n".join([heading, "", gradients, "", outputs, "", *map(wrapped, sentences)])

    def __repr__(self) -> str:
        return f"Diagnosis({self.verdict!r}, loss {three_digits(self.loss)}, {counted(len(self.layers), 'layer')})"

    def _repr_html_(self) -> str:
        """In a notebook: the tables, and below them the picture."""
        return as_html(str(self), self.plot, "gradients, outputs and dead units of each layer")

    def plot(self) -> Any:
        """Draws the statistics of the layers, with matplotlib; returns the picture, a matplotlib figure.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return picture_of_layers(self.verdict, self.layers)


def diagnose(
    model: Module,
    X: Any,
    Y: Any,
    loss: Loss | LossName,
    *,
    optimizer: Optimizer | None = None,
    since: Mapping[str, float] | None = None,
) -> Diagnosis:
    """Looks at one training step of the model, and says what is wrong with it, if anything is.

    A copy of the model takes the step, in training mode, on all the examples together: the model is left as it is. What
    counts as a problem, and from which number on, is in `nn/diagnosis/problems.py`.

    Arguments:
        model: any model. Its layers are those of its modules that have parameters of their own, or no parts.
        X: the examples: a list of rows of numbers, a NumPy array or a data frame. All are kept in one graph, at 130
            bytes a node; a few hundred examples show as much as all.
        Y: a target for each.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.
        optimizer: the movement is that of its next step (it is left as it is too). Without one, the movement is that of
            gradient descent at a learning rate of 1: multiply it by yours.
        since: an earlier `model.state_dict()`; the movement is then measured from there.

    Returns:
        the `Diagnosis`, which prints as tables with a verdict, and draws itself.

    Raises:
        ValueError, TypeError: an argument does not fit, or both `optimizer` and `since` are given.

    >>> import random
    >>> from nn import MLP
    >>> rng = random.Random(0)
    >>> X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(50)]
    >>> Y = [int(x0 > x1) for x0, x1 in X]
    >>> deep = MLP(2, [8, 8, 8, 8, 8, 2], activation="sigmoid", rng=rng)
    >>> diagnose(deep, X, Y, "cross_entropy").verdict
    'vanishing gradients'
    """
    check_module("diagnose takes", model)
    rows, targets = examples(X, Y)
    _check_reference(model, optimizer, since)
    step = watched_step(model, rows, targets, loss_function(loss), optimizer)
    non_finite = first_non_finite(step)
    step.update()
    non_finite = non_finite or first_non_finite_parameter(step)
    moved, words = _movement(step, optimizer, since)
    layers = tuple(statistics_of_layers(step, moved))
    learning_rate = None if optimizer is None else optimizer.lr
    found = problems(step.model, layers, len(rows), step.error.data, non_finite, learning_rate)
    return Diagnosis(len(rows), step.error.data, layers, words, non_finite, tuple(found))


def _check_reference(model: Module, optimizer: Any, since: Any) -> None:
    """The movement is that of an optimiser's step, or that since an earlier state."""
    if optimizer is not None and since is not None:
        raise ValueError("diagnose takes optimizer or since, not both: each says from where the movement is measured")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer takes an optimiser such as SGD(model.parameters(), lr=0.1); got {shown(optimizer)}")
    if optimizer is not None and not set(optimizer.params) & set(model.parameters()):
        raise ValueError("the optimizer moves none of the model's parameters: make it with model.parameters()")
    if since is not None and not (isinstance(since, Mapping) and dict(model.named_parameters()).keys() <= since.keys()):
        raise ValueError(f"since takes an earlier state_dict() of this model; got {shown(since)}")


def _movement(
    step: WatchedStep, optimizer: Optimizer | None, since: Mapping[str, float] | None
) -> tuple[dict[str, float], str]:
    """How far each parameter moved, and since when, in words."""
    parameters = dict(step.model.named_parameters())
    if since is not None:
        return {name: number - since[name] for name, number in step.before.items()}, "since the earlier state"
    if optimizer is not None:
        moved = {name: p.data - step.before[name] for name, p in parameters.items()}
        return moved, f"one step of {type(optimizer).__name__} at a learning rate of {optimizer.lr:g}"
    return {name: data_of(p.grad) for name, p in parameters.items()}, "a step at a learning rate of 1"


# The text


def three_digits(x: float | None) -> str:
    """The number in three digits; nothing for None."""
    return "" if x is None else f"{x:.3g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100.0 * share:.0f} %"


def _count(layer: LayerStatistics) -> str:
    return f"{len(layer.dead)} of {layer.units}" if layer.units else ""


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {counted(len(names) - most, 'other')}" if len(names) > most else ""
    return ", ".join(names[:most]) + more
