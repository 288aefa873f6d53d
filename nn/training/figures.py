"""Which figures tell how well a model does? Its loss, for a classification its accuracy, and what else is asked for."""

import inspect
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from autograd.reals import real_or_none, shown
from autograd.spelling import did_you_mean
from nn.datasets.tables import as_array
from nn.losses import Loss
from nn.metrics import METRICS, MetricName, accuracy, confusion_matrix
from nn.training.history import CONFUSION_MATRIX

MetricLike = MetricName | Literal["confusion_matrix"] | Callable[..., float]
"""What `metrics` takes: a name in `METRICS`, the confusions, or a function of (predictions, targets)."""


@dataclass(frozen=True)
class Figures:
    """The figures that are computed of predictions.

    Attributes:
        loss: tells how the predictions are read.
        metrics: by name, functions of (predictions, targets), or of (y_true, y_pred) where the first argument has that
            name; they get `loss` and `sample_weight` too, if they take arguments of these names.
        has_matrix: whether the confusions are counted too.
    """

    loss: Loss
    metrics: dict[str, Callable[..., Any]] = field(default_factory=dict)
    has_matrix: bool = False

    @property
    def names(self) -> list[str]:
        """The names of what was asked for."""
        return [*self.metrics, *([CONFUSION_MATRIX] if self.has_matrix else [])]

    @property
    def are_of_ones_own(self) -> bool:
        """Whether there is a metric that is not nn's."""
        return any(metric not in METRICS.values() for metric in self.metrics.values())

    def of(self, error: float, predictions: Any, targets: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The figures of predictions whose loss is known.

        Arguments:
            predictions, targets: lists or arrays.
            sample_weight: for each example how much it counts; None where all count the same.
        """
        figures: dict[str, Any] = {"loss": error}
        if (share := accuracy(predictions, targets, self.loss, sample_weight)) is not None:
            figures["accuracy"] = share
        for name, metric in self.metrics.items():
            figures[name] = self._figure(name, metric, predictions, targets, sample_weight)
        if self.has_matrix:
            labels = range(len(predictions[0])) if _width(predictions) > 1 else None
            figures[CONFUSION_MATRIX] = confusion_matrix(predictions, targets, self.loss, sample_weight, labels)
        return figures

    def _figure(self, name: str, metric: Callable[..., Any], predictions: Any, targets: Any, weights: Any) -> float:
        taken = _arguments(metric)
        if METRICS.get(name) is not metric:  # type: ignore[call-overload]
            predictions, targets, weights = map(_copied, (predictions, targets, weights))
        order = [targets, predictions] if taken[:1] == ["y_true"] else [predictions, targets]  # as in scikit-learn
        known = {"loss": self.loss, "sample_weight": weights}
        found = metric(*order, **{word: x for word, x in known.items() if word in taken})
        number = real_or_none(found.item() if getattr(found, "size", 0) == 1 else found)
        if number is None:
            raise TypeError(f"a metric is a function that returns one number; {name} returned {shown(found)}")
        return number

    def check(self, outputs: list[Any], targets: Any) -> None:
        """Raises ValueError where a metric of nn's does not fit the task.

        Arguments:
            outputs: for one example.
            targets: of all.
        """
        metrics = {name: metric for name, metric in self.metrics.items() if METRICS.get(name) is metric}  # type: ignore[call-overload]
        Figures(self.loss, metrics, self.has_matrix).of(0.0, outputs * len(targets), targets)


def _copied(x: Any) -> Any:
    """The same as an array of its own, whichever engine trains: a metric may change what it gets."""
    array = None if x is None else as_array(x)
    return deepcopy(x) if array is x else array


def _arguments(metric: Callable[..., Any]) -> list[str]:
    """The names of what a metric takes.

    Raises:
        TypeError: it is one of Python's functions that do not tell, such as `max`.
    """
    try:
        return list(inspect.signature(metric).parameters)
    except ValueError:
        raise TypeError(
            f"metrics takes functions of (predictions, targets) that return one number; got {shown(metric)}, which "
            f"does not tell what it takes: call it in a function of your own"
        ) from None


def together(outputs: list[Any]) -> Any:
    """The outputs of several batches as one list or array; a single output for each example is given bare."""
    if not hasattr(outputs[0], "shape"):
        return [row for rows in outputs for row in rows]
    import numpy as np

    rows = np.concatenate(outputs)
    return rows[:, 0] if rows.shape[1] == 1 else rows


def _width(predictions: Any) -> int:
    return len(predictions[0]) if hasattr(predictions[0], "__len__") else 1


def figures_asked(loss: Loss, metrics: Any) -> Figures:
    """The figures, with metrics by name or as functions.

    Raises:
        ValueError, TypeError: there is no metric of that name, or it is something else.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise TypeError(f'metrics takes a list of names or functions, such as ["r2", "mae"]; got {shown(metrics)}')
    found = [_named(metric) for metric in metrics]
    for name, _ in found:
        if name in ("loss", "") or [other for other, _ in found].count(name) > 1:
            what = "has none: write it with def" if not name else "is there already"
            raise ValueError(f"metrics takes each figure once, by a name of its own; {name or 'one'} {what}")
    functions = {name: metric for name, metric in found if name != CONFUSION_MATRIX}
    return Figures(loss, functions, len(functions) < len(found))


def _named(metric: Any) -> tuple[str, Any]:
    """A metric with its name."""
    if callable(metric):
        _arguments(metric)
        function = metric.func if isinstance(metric, partial) else metric
        name = getattr(function, "__name__", type(function).__name__)
        return ("" if name == "<lambda>" or name.startswith("validation_") else name), metric
    if metric == CONFUSION_MATRIX:
        return CONFUSION_MATRIX, None
    if not isinstance(metric, str) or metric not in METRICS:
        names = ", ".join([*METRICS, CONFUSION_MATRIX])
        meant = did_you_mean(metric, [*METRICS, CONFUSION_MATRIX])
        raise ValueError(f"there is no metric {shown(metric)}{meant}; choose from {names}, or give a function")
    return metric, METRICS[metric]
