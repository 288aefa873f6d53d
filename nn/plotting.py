"""What did a model predict, beside what is true? `plot_confusion` shows it for classes, `plot_predictions` for numbers.

The colours are those of `plots.py`; the figures are drawn by matplotlib, which is loaded when one is asked for.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.terminal import on_one_line, width
from nn.datasets import as_rows, check_same_length
from nn.metrics import classes_of, confusion_matrix, mean_absolute_error, r2_score
from nn.module import Module
from nn.plots import COLOURS, INK, new_figure
from nn.training.predict import predict

LONGEST = 24
"""So many characters of a class's name are shown."""


def plot_confusion(
    predictions: Any,
    targets: Any = None,
    y: Any = None,
    *,
    loss: Any = None,
    sample_weight: Any = None,
    labels: Iterable[Any] | None = None,
    names: Sequence[Any] | None = None,
) -> Any:
    """Draws how often each class was taken for each: a row for each true class, a column for each predicted one.

    A cell is as dark as the share of its row, so that rare classes are seen as well as frequent ones. The numbers are
    counts; an empty cell stands for 0. `plot_confusion(model, X, y)` asks the model, or an estimator, itself.

    Arguments:
        predictions: for each example its class, or the outputs of the model; or a confusion matrix, without targets; or
            a model or an estimator, whose predictions are drawn.
        targets: for each example its true class (scikit-learn has them first); beside a model its examples X.
        y: beside a model, for each example its true class, or the column that an estimator is to predict.
        loss: the loss that the model is trained with, or its name, where it has a single output: see
            `nn.metrics.chosen_classes`.
        sample_weight: for each example how much it counts; None where all count the same.
        labels: the classes, in the order of the rows; None for those that occur, sorted.
        names: how each of them is called; None for the labels themselves.

    Returns:
        the figure of matplotlib.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no examples, no classes, or the numbers of predictions, targets and names differ.

    >>> figure = plot_confusion([0, 1, 1], [0, 1, 0], names=["tern", "gull"])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['tern', 'gull']
    """
    if _is_model(predictions) or y is not None:
        predictions, targets = _predicted("plot_confusion", predictions, targets, y)
    if targets is None:
        matrix = _matrix(predictions)
        order = list(range(len(matrix))) if labels is None else list(labels)
    else:
        order = classes_of(predictions, targets, loss) if labels is None else list(labels)
        matrix = confusion_matrix(predictions, targets, loss, sample_weight, order)
    called = [_short(name) for name in _names(order if names is None else names, len(matrix))]
    side, size = (max(2.4, 0.55 * len(matrix)), 10.0) if len(matrix) <= 12 else (0.36 * len(matrix), 7.0)
    longest = 0.0085 * size * max(map(width, called))  # inches
    is_upright = longest > 0.9 * side / len(matrix)
    figure = new_figure(side + 1.6 + longest, side + 1.0 + (longest if is_upright else 0.2), "plot_confusion")
    _draw_matrix(figure.subplots(), matrix, called, size, 90 if is_upright else 0)
    return figure


def plot_predictions(predictions: Any, targets: Any, y: Any = None, *, names: Sequence[Any] | None = None) -> Any:
    """Draws predicted against true numbers, and how far each is off, for a regression.

    Points on the line are predicted exactly. The errors beside them should scatter about 0 without a pattern: a bend
    says that the model is too simple, a funnel that large numbers are predicted less well.
    `plot_predictions(model, X, y)` asks the model, or an estimator, itself.

    Arguments:
        predictions: for each example a number, or a row of them: a row of the picture for each target; or a model or an
            estimator, whose predictions are drawn.
        targets: the true numbers, in the same shape (scikit-learn has them first); beside a model its examples X.
        y: beside a model the true numbers, or the column that an estimator is to predict.
        names: how each target is called; None for "target 0" and so on where there are several.

    Returns:
        the figure of matplotlib.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no examples, the shapes differ, or a number is not finite.

    >>> figure = plot_predictions([1.0, 2.5, 2.0], [1.0, 2.0, 3.0], names=["height"])
    >>> [ax.get_xlabel() for ax in figure.axes]
    ['true height', 'predicted height']
    """
    if _is_model(predictions) or y is not None:
        predictions, targets = _predicted("plot_predictions", predictions, targets, y)
    found, wanted = _table(predictions, "predictions"), _table(targets, "targets")
    check_same_length(found, wanted)
    if not found:
        raise ValueError("plot_predictions needs at least one example; got none")
    if len(found[0]) != len(wanted[0]):
        raise ValueError(
            f"plot_predictions takes as many numbers for each example as it has targets; got {len(found[0])} for "
            f"{len(wanted[0])}: give those of one target, or for classes take plot_confusion"
        )
    count = len(found[0])
    usual = ["value"] if count == 1 else [f"target {i}" for i in range(count)]
    called = list(map(_short, _names(usual if names is None else names, count)))
    figure = new_figure(9.0, 4.0 * count, "plot_predictions")
    columns = zip(zip(*found, strict=True), zip(*wanted, strict=True), called, strict=True)
    for axes, (p, t, name) in zip(figure.subplots(count, 2, squeeze=False), columns, strict=True):
        _draw_predictions(axes[0], axes[1], list(p), list(t), name)
    return figure


# What the arguments may be


def _is_model(x: Any) -> bool:
    return isinstance(x, Module) or hasattr(x, "predict")


def _predicted(call: str, model: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """What a model or an estimator predicts for examples, and their targets."""
    if not _is_model(model) or X is None or y is None:
        what = shown(model) if not _is_model(model) else type(model).__name__
        given = f"{what} with {'no ' if X is None else ''}X and {'no ' if y is None else ''}y"
        raise TypeError(f"{call} takes (predictions, targets), or (model, X, y); got {given}")
    if isinstance(model, Module):
        return predict(model, X), y
    truth = getattr(model, "_truth", None)  # our estimators find y by the name of its column
    X, y = (X, y) if truth is None else truth(X, y)
    return model.predict(X), y


def _matrix(matrix: Any) -> list[list[float]]:
    rows = _table(matrix, "the confusion matrix")
    if not rows or len(rows) != len(rows[0]) or any(x < 0.0 for row in rows for x in row):
        raise ValueError(
            f"plot_confusion takes predictions and targets, or a square matrix of counts alone; got {shown(matrix)}"
        )
    return rows


def _table(values: Any, name: str) -> list[list[float]]:
    """Numbers as rows; a bare one is a row."""
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    values = values.tolist() if hasattr(values, "tolist") else values
    bare = isinstance(values, Iterable) and not isinstance(values, str | bytes)
    if bare:
        values = [[x] if real_or_none(x) is not None else x for x in values]
    return as_rows(values, name)


def _names(names: Sequence[Any], count: int) -> list[str]:
    found = [names] if isinstance(names, str) else list(names)
    if len(found) != count:
        raise ValueError(f"names takes one for each of {count}; got {len(found)}: {shown(found)}")
    return list(map(str, found))


def _short(name: Any) -> str:
    """The name on one line, without its end if it is long."""
    text = on_one_line(str(name)).replace("$", r"\$")  # or matplotlib would read a formula
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


# The pictures


def _draw_matrix(ax: Any, matrix: list[list[float]], names: list[str], size: float, rotation: int) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shares = [[x / (sum(row) or 1.0) for x in row] for row in matrix]
    colours = LinearSegmentedColormap.from_list("shares", ["#ffffff", COLOURS[1]])
    image = ax.imshow(shares, cmap=colours, vmin=0.0, vmax=1.0)
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            if count:
                colour = "white" if shares[i][j] > 0.6 else INK
                ax.text(j, i, _count(count), ha="center", va="center", color=colour, fontsize=size)
    places = range(len(names))
    ax.set_xticks(places, names, rotation=rotation, fontsize=size)
    ax.set_yticks(places, names, fontsize=size)
    ax.set_xticks([i + 0.5 for i in places][:-1], minor=True)
    ax.set_yticks([i + 0.5 for i in places][:-1], minor=True)
    ax.grid(which="minor", color="#d0d7de", linewidth=0.6)
    ax.tick_params(which="both", length=0.0, colors=INK)
    total, right = sum(map(sum, matrix)), sum(matrix[i][i] for i in places)
    share = f"{100.0 * right / total:.1f} % right" if total else ""
    ax.set(xlabel="predicted class", ylabel="true class", title=share)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.04, label="share of the true class")
    bar.outline.set_visible(False)


def _count(count: float) -> str:
    """A number of at most five characters.

    >>> [_count(x) for x in (7, 12345.0, 0.25, 3456789)]
    ['7', '12k', '0.25', '3.5M']
    """
    if count < 10000:
        return f"{count:.0f}" if count == int(count) else f"{count:.3g}"
    return f"{count / 1e3:.0f}k" if count < 999500 else f"{count / 1e6:.2g}M"


def _draw_predictions(left: Any, right: Any, p: list[float], t: list[float], name: str) -> None:
    """Predicted against true numbers on the left, errors on the right."""
    few = len(p) <= 500
    style = {
        "color": COLOURS[1],
        "markersize": 5.0 if few else 2.5,
        "alpha": 0.6 if few else 0.3,
        "markeredgewidth": 0.0,
    }
    low, high = min(*p, *t), max(*p, *t)
    left.plot([low, high], [low, high], color=INK, linewidth=1.0, label="exact", zorder=1.0)
    left.plot(t, p, "o", **style)
    figures = f"R2 {r2_score(p, t):.3f}, mean absolute error {mean_absolute_error(p, t):.3g}"
    left.set(xlabel=f"true {name}", ylabel=f"predicted {name}", title=figures)
    left.legend(frameon=False)
    right.axhline(0.0, color=INK, linewidth=1.0, zorder=1.0)
    right.plot(p, [x - y for x, y in zip(p, t, strict=True)], "o", **style)
    right.set(xlabel=f"predicted {name}", ylabel="error (predicted - true)", title="errors")
    for ax in left, right:
        ax.tick_params(colors=INK)
        ax.locator_params(nbins=6)
