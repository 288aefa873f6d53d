"""What does a classifier say about every point of a plane? `plot_decision_boundary` draws it with matplotlib."""

from math import exp, inf, isnan, nan
from typing import Any

from autograd.reals import as_count
from nn.datasets import as_rows, as_targets, check_same_length
from nn.module import Module, check_module
from nn.plots import COLOURS, INK, MARKERS
from nn.training.predict import predict

NEAR = 1e300  # matplotlib draws no contour through inf

Grid = list[list[float]]


def plot_decision_boundary(
    model: Module, X: Any, y: Any, *, steps: int = 60, boundary: float | None = None, ax: Any = None
) -> Any:
    """Colours the plane by what the model says, draws the boundary, and the points on top, with matplotlib.

    With one output (a logit or a score s) the colour is the probability 1 / (1 + exp(-s)), in steps of 0.1; with
    several, it is the class of the largest. Where the model says nan the plane stays white. The model predicts in
    evaluation mode; its mode, parameters and gradients are as before afterwards.

    Arguments:
        model: a model of two inputs.
        X: the points: n rows of 2 numbers; a list, a NumPy array or a data frame (whose columns name the axes).
        y: the n classes: 0 and 1, or -1 and 1, for a model of one output; otherwise 0, 1, 2, ...
        steps: the model is asked at steps x steps points.
        boundary: the single output at which the answer changes; by default 0.5 where the last layer is a sigmoid, so
            that the output is a probability already, and otherwise 0.
        ax: the matplotlib axes to draw on; by default those of a new figure with a legend.

    Returns:
        the axes; `ax.legend()` names the classes.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: X has not two columns, a class does not fit the model's outputs, or steps is below 2.
        TypeError: an argument is of the wrong kind.

    >>> import random
    >>> from nn import MLP
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> plot_decision_boundary(MLP(2, [1], rng=random.Random(0)), [[0.0, 0.0], [1.0, 2.0]], [0, 1], ax=ax) is ax
    True
    """
    check_module("plot_decision_boundary takes", model)
    rows, steps = _points(X), as_count(steps, "steps", least=2)
    targets = as_targets(y)
    check_same_length(rows, targets)
    across, up = _span([x for x, _ in rows], steps), _span([x for _, x in rows], steps)
    outputs = predict(model, [[x0, x1] for x1 in up for x0 in across])
    classes = _classes(targets, len(outputs[0]) if isinstance(outputs[0], list) else 1)
    alone = ax is None
    ax = _axes() if alone else _checked_axes(ax)
    if isinstance(outputs[0], list):
        _regions(ax, across, up, outputs)
    else:
        _shades(ax, across, up, outputs, _threshold(model) if boundary is None else boundary)
    _scatter(ax, rows, targets, classes)
    names = [str(name) for name in getattr(X, "columns", ("x0", "x1"))]
    ax.set(xlabel=names[0], ylabel=names[1], xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    if alone:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return ax


# What the arguments may be


def _points(X: Any) -> list[list[float]]:
    rows = as_rows(X)
    if not rows:
        raise ValueError("plot_decision_boundary needs at least one point; X has none")
    if len(rows[0]) != 2:
        raise ValueError(
            f"plot_decision_boundary draws a plane: X takes rows of 2 numbers; got rows of {len(rows[0])}: choose two "
            f"columns, and a model of two inputs"
        )
    return rows


def _classes(targets: list[Any], outputs: int) -> list[int]:
    """The number of each target's class: for a single output 1 where the target is above 0."""
    allowed: tuple[Any, ...] = (0, 1) if outputs == 1 and -1 not in targets else (-1, 1)
    if outputs > 1:
        allowed = tuple(range(outputs))
    for i, target in enumerate(targets):
        if isinstance(target, list) or target not in allowed:
            expected = f"{allowed[0]} to {allowed[-1]}" if outputs > 2 else f"{allowed[0]} and {allowed[1]}"
            number = "one output" if outputs == 1 else f"{outputs} outputs"
            raise ValueError(f"y takes the classes {expected} for a model of {number}; y[{i}] is {target!r}")
    return [int(target > 0) if outputs == 1 else int(target) for target in targets]


def _threshold(model: Module) -> float:
    """0.5 if the last thing that the model computes is a sigmoid, as far as can be seen; otherwise 0."""
    last = list(model.modules())[-1]
    return 0.5 if "sigmoid" in (getattr(last, "activation", ""), type(last).__name__.lower()) else 0.0


def _axes() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plot_decision_boundary needs matplotlib: pip install 'scalar-autograd[notebooks]'") from None
    return pyplot.subplots(figsize=(5.5, 4.0), layout="constrained")[1]


def _checked_axes(ax: Any) -> Any:
    if not hasattr(ax, "contourf"):
        raise TypeError(f"ax takes matplotlib axes, such as plt.gca(); got {ax!r} ({type(ax).__name__})")
    return ax


# The picture


def _span(numbers: list[float], steps: int) -> list[float]:
    """`steps` numbers from a little below the smallest to a little above the largest."""
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or 0.5 * max(1.0, abs(low))
    return [low - margin + (high - low + 2.0 * margin) * i / (steps - 1) for i in range(steps)]


def _grid(numbers: list[float], across: int) -> Grid:
    return [numbers[i : i + across] for i in range(0, len(numbers), across)]


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-x)) if x >= 0.0 else exp(x) / (1.0 + exp(x))


def _shades(ax: Any, across: list[float], up: list[float], outputs: list[float], boundary: float) -> None:
    """The probability of class 1 as ten shades from the colour of class 0 to that of class 1."""
    from matplotlib.colors import LinearSegmentedColormap

    if boundary != 0.5 or not all(0.0 <= s <= 1.0 for s in outputs):  # logits or scores
        probabilities = [_logistic(s - boundary) for s in outputs]
    else:
        probabilities = outputs
    colours = LinearSegmentedColormap.from_list("classes", [COLOURS[0], "#ffffff", COLOURS[1]])
    levels = [i / 10.0 for i in range(11)]
    ax.contourf(across, up, _grid(probabilities, len(across)), levels, cmap=colours, alpha=0.65)
    _contour(ax, across, up, [s - boundary for s in outputs])


def _regions(ax: Any, across: list[float], up: list[float], outputs: Grid) -> None:
    """A plain colour where a class has the largest output: there its lead over the others is positive."""
    for k in range(len(outputs[0])):
        leads = [_lead(row, k) for row in outputs]
        if max(leads) > 0.0:
            ax.contourf(across, up, _grid(leads, len(across)), [0.0, inf], colors=[_colour(k)], alpha=0.4)
            _contour(ax, across, up, leads)


def _lead(row: list[float], k: int) -> float:
    lead = row[k] - max(row[:k] + row[k + 1 :])
    return max(-NEAR, min(NEAR, lead)) if lead == lead else nan


def _contour(ax: Any, across: list[float], up: list[float], numbers: list[float]) -> None:
    """A line where the numbers change their sign, if they do."""
    if any(x < 0.0 for x in numbers) and any(x > 0.0 for x in numbers):
        finite = [x if isnan(x) else max(-NEAR, min(NEAR, x)) for x in numbers]
        ax.contour(across, up, _grid(finite, len(across)), [0.0], colors=[INK], linewidths=1.5)


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _scatter(ax: Any, rows: list[list[float]], targets: list[Any], classes: list[int]) -> None:
    for k in sorted(set(classes)):
        points = [row for row, c in zip(rows, classes, strict=True) if c == k]
        name = next(target for target, c in zip(targets, classes, strict=True) if c == k)
        marker = MARKERS[k % len(MARKERS)]
        style = {"color": _colour(k), "edgecolors": "white", "linewidths": 0.8, "zorder": 3.0}
        ax.scatter(*zip(*points, strict=True), s=38, marker=marker, label=f"class {name:g}", **style)
