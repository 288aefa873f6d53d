"""What is there to see of a training run? A plane or a curve of what the model says, or its predictions.

A `View` is made once for a run: it knows the examples, what the outputs mean, and which points to ask. Its `look()`
asks them of the model as it is now.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from math import exp, isfinite, nan, tanh
from typing import Any

from nn.losses import Loss, known_loss
from nn.module import Module
from nn.training.examples import Examples
from nn.training.outputs import outputs_of
from nn.training.sequences import Sequences, as_positions
from nn.watching.networks import network_of
from nn.watching.plain_network import Column, PlainNetwork
from nn.watching.task import task_of

GRID, COARSE, ASKED = 48, 32, 24
"""So many points a side a plane has; where they would take long (SMALL at last); and where the model is asked."""
MUCH = 8_000_000
"""Products for all points of a plane, a quarter of a second, from which on the coarse grid does."""
CURVE = 121
"""Points of a curve."""
SMALL = 16
"""Points a side of the picture of a neuron."""
MOST_AXES = 8
"""With more inputs than these a plane through their means says nothing."""
MOST_POINTS, MOST_HELD_OUT = 200, 70
"""So many examples are drawn, and so many of those for validation."""
GROUPS = 8
"""In so many groups the examples are put by their targets, where there is no plane."""


@dataclass
class Axis:
    """An input that is shown: its place, its name, and from where to where."""

    place: int
    name: str
    low: float
    high: float


@dataclass
class Points:
    """Examples to draw: their rows, and for each its class, or its target in a regression."""

    rows: list[list[float]]
    targets: list[Any]


@dataclass
class Sight:
    """What a model says now.

    Attributes:
        outputs: a column for each output; of the points of a plane (row by row, from the bottom), of a curve, or of
            the examples.
        units: for each layer and each unit its small picture: SMALL x SMALL numbers, a curve, or a number for each
            group of examples; None if the network is not drawn.
    """

    outputs: list[Column]
    units: list[list[Column]] | None


class View:
    """What there is to see of a run.

    Arguments:
        model: what is trained.
        examples, held_out: what it learns from, and what is held out.
        loss: the function.
        names, classes: of the inputs, and of the classes; by default x0, x1, ... and 0, 1, ...

    Attributes:
        kind: "plane", "curve" or "predictions".
        task: "binary" (one output, whose sign says the class), "classes" (the largest output), or "regression".
        missing: what is not shown, in sentences.
        names, classes: of the inputs, and of the classes.
        axes: the inputs that are shown.
        points, held_out: the examples that are shown.
    """

    def __init__(
        self,
        model: Module,
        examples: Examples,
        held_out: Examples | None,
        loss: Loss,
        names: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        self.model, self.loss, self.missing = model, loss, list[str]()
        self.examples = _some(examples, 1 if isinstance(examples, Sequences) else MOST_POINTS)
        self.network = self._network()
        self._tokens: list[Any] | None = None
        task = task_of(self, None if classes is None else list(map(str, classes)))
        self.task, self.threshold, self.count, self.classes = task.kind, task.threshold, task.width, task.classes
        self.points, self.held_out = Points([], []), Points([], [])
        if isinstance(examples, Sequences):
            self._read_sequences()
        else:
            self.points = self._finite(self.examples)
            if held_out is not None:
                self.held_out = self._finite(_some(held_out, MOST_HELD_OUT))
        self._read_targets()
        self._read_axes(names)

    # What is known once

    def _network(self) -> PlainNetwork | None:
        found = network_of(self.model)
        self.missing += found.missing
        return None if found.missing else PlainNetwork(found)

    def _read_sequences(self) -> None:
        """The tokens of a sequence are the examples, and the next tokens their classes."""
        self.network, self.missing = None, ["A model of sequences: each line is a token to predict."]
        self._tokens = list(self.examples.rows[0])
        self.points = Points([], [int(token) for token in self.examples.targets[0]])
        self.task, self.count = "classes", len(self._asked([]))
        self.classes = tuple(map(str, range(self.count)))

    def _finite(self, examples: Examples) -> Points:
        """The examples without those that no picture can have."""
        rows = [list(map(float, row)) for row in examples.rows]
        kept = [k for k, row in enumerate(rows) if all(map(isfinite, row))]
        if len(kept) < len(rows):
            self.missing.append("Examples with numbers that are not finite are left out.")
        if not kept:
            raise ValueError("no example has finite numbers alone")
        return Points([rows[k] for k in kept], [examples.targets[k] for k in kept])

    def _read_targets(self) -> None:
        """Targets as class numbers, or in a regression as numbers, of several outputs the first; and their range."""
        for points in (self.points, self.held_out):
            points.targets = [self._target(target) for target in points.targets]
        numbers = [float(t) for points in (self.points, self.held_out) for t in points.targets if isfinite(t)] or [0.0]
        self.low, self.high = min(numbers), max(numbers)
        self.middle = 0.0 if self.low < 0.0 < self.high else self.low / 2.0 + self.high / 2.0
        self.reach = max(self.high - self.middle, self.middle - self.low) or 1.0
        if self.task == "regression" and self.count > 1:
            self.missing.append(f"The first of {self.count} outputs is shown.")

    def _target(self, target: Any) -> Any:
        if self.task == "binary":
            other = -1 if known_loss(self.loss) == "hinge_loss" else 0
            return int(target > (1 + other) / 2.0)
        first = target[0] if isinstance(target, list) else target
        return int(first) if self.task == "classes" else float(first)

    def certainty(self, output: float) -> float:
        """An output from -1 to 1, whose sign says the class; in a regression in the range of the targets."""
        if self.task == "regression":
            return (output - self.middle) / self.reach
        if known_loss(self.loss) == "hinge_loss":
            return output
        return tanh(output / 2.0) if self.threshold == 0.0 else 2.0 * output - 1.0  # 2 * sigmoid(output) - 1

    @property
    def has_boundary(self) -> bool:
        """Whether an output changes its meaning at one place: between two classes, or two targets of a regression."""
        targets = {*self.points.targets, *self.held_out.targets}
        return self.task == "binary" or (self.task == "regression" and len(targets) == 2)

    def _read_axes(self, names: Sequence[str] | None) -> None:
        """Which picture there is, and its axes."""
        rows = [*self.points.rows, *self.held_out.rows]
        width = len(rows[0]) if rows else 0
        given = [str(name) for name in names or []]
        self.names = [*given, *(f"x{i}" for i in range(len(given), width))][:width]
        self.kind = "curve" if width == 1 else "plane" if 0 < width <= MOST_AXES else "predictions"
        self.axes = [self._axis(i, [row[i] for row in rows]) for i in self._shown_inputs(rows, width)]
        self.means = [sum(x / len(rows) for x in column) for column in zip(*rows, strict=True)]
        if self.kind == "plane" and width > 2:
            first, second = (axis.name for axis in self.axes)
            self.missing.append(f"A plane of {first} and {second}; the other inputs are at their means.")

    def _shown_inputs(self, rows: Sequence[Sequence[float]], width: int) -> list[int]:
        """The inputs that are axes: of more than two those by which the targets differ most."""
        if width <= 2 or self.kind == "predictions":
            return list(range(width)) if width <= 2 else []
        targets = [*self.points.targets, *self.held_out.targets]
        shares = [_explained([row[i] for row in rows], targets, self.task) for i in range(width)]
        return sorted(sorted(range(width), key=lambda i: -shares[i])[:2])

    def _axis(self, place: int, column: Column) -> Axis:
        low, high = min(column), max(column)
        margin = 0.1 * (high / 2.0 - low / 2.0) * 2.0 or 0.5 * max(1.0, abs(low))  # no overflow on the way
        return Axis(place, self.names[place], max(low - margin, -1e300), min(high + margin, 1e300))

    # What the model says now

    def of(self, model: Module) -> "View":
        """The same view of another model of the same form."""
        other = copy(self)
        other.model = model
        if self.network is not None:
            other.network = PlainNetwork(network_of(model))
        return other

    @property
    def across(self) -> int:
        """How many points a side the plane has."""
        if self.network is None:
            return ASKED
        return next((n for n in (GRID, COARSE) if self.network.products * n**2 <= MUCH), SMALL)

    def look(self) -> Sight:
        """Asks the model as it is now."""
        columns = self._columns()
        if self.network is None:
            rows = [list(row) for row in zip(*columns, strict=True)]
            return Sight(self._asked(rows), None)
        units = self.network.responses(columns)
        return Sight(units[-1], [[self.small(column) for column in layer] for layer in units])

    def _columns(self) -> list[Column]:
        """The points to ask, as a column for each input."""
        if self.kind == "predictions":
            return [list(column) for column in zip(*self.points.rows, strict=True)]
        n = CURVE if self.kind == "curve" else self.across
        ways = [
            [axis.low + (axis.high / 2.0 - axis.low / 2.0) * 2.0 * ((i + 0.5) / n) for i in range(n)]
            for axis in self.axes
        ]
        if self.kind == "curve":
            return ways
        columns = [[mean] * (n * n) for mean in self.means]
        columns[self.axes[0].place] = ways[0] * n
        columns[self.axes[1].place] = [y for y in ways[1] for _ in range(n)]
        return columns

    def _asked(self, rows: list[Any]) -> list[Column]:
        """The model's outputs for rows, as a column for each output."""
        if self._tokens is not None:
            (found,) = outputs_of(self.model, [self._tokens])
            return [list(column) for column in zip(*as_positions(found, len(self._tokens)), strict=True)]
        outputs = outputs_of(self.model, rows)
        return [list(column) for column in zip(*(y if isinstance(y, list) else [y] for y in outputs), strict=True)]

    def small(self, column: Column) -> Column:
        """Of what a unit says, so much as its small picture shows."""
        if self.kind == "plane":
            n, step = self.across, self.across // SMALL
            return [column[y * n + x] for y in range(step // 2, n, step) for x in range(step // 2, n, step)]
        if self.kind == "curve":
            return column[::5]
        return [sum(column[k] for k in group) / len(group) if group else 0.0 for group in self.groups]

    @property
    def groups(self) -> list[list[int]]:
        """The places of the examples of each class; in a regression of those with the lowest targets, and so on."""
        targets = self.points.targets
        if self.task != "regression":
            return [[i for i, t in enumerate(targets) if t == k] for k in range(len(self.classes))]
        order = sorted(range(len(targets)), key=targets.__getitem__)
        return [order[k * len(order) // GROUPS : (k + 1) * len(order) // GROUPS] for k in range(GROUPS)]

    def probabilities(self, outputs: Sequence[Column]) -> list[list[float]]:
        """For each point a probability of each class."""
        if self.task == "binary":
            shares = [max(-1.0, min(1.0, self.certainty(x))) if x == x else x for x in outputs[0]]
            return [[(1.0 - x) / 2.0, (1.0 + x) / 2.0] for x in shares]
        return [_probabilities(row) for row in zip(*outputs, strict=True)]


def _some(examples: Examples, most: int) -> Examples:
    """At most so many of the examples, spread over all of them, as lists."""
    count = min(len(examples), most)
    return examples.at([k * len(examples) // count for k in range(count)]).listed()


def _probabilities(row: Sequence[float]) -> list[float]:
    """Softmax, unless these are probabilities already."""
    if all(0.0 <= x <= 1.0 for x in row) and abs(sum(row) - 1.0) < 1e-6:
        return list(row)
    most = max(row)
    if any(x != x for x in row):
        return [nan] * len(row)
    if not isfinite(most):
        return [(x == most) / row.count(most) for x in row]
    powers = [exp(x - most) for x in row]
    total = sum(powers)
    return [x / total for x in powers]


def _explained(column: Column, targets: Sequence[Any], task: str) -> float:
    """Which share of an input's variance its classes explain, or a straight line through the targets."""
    mean = sum(column) / len(column)
    total = sum((x - mean) ** 2 for x in column)
    if not 0.0 < total < float("inf"):
        return 0.0
    if task == "regression":
        middle = sum(targets) / len(targets)
        spread = sum((t - middle) ** 2 for t in targets)
        product = sum((x - mean) * (t - middle) for x, t in zip(column, targets, strict=True))
        return product * product / (total * spread) if spread else 0.0
    groups: dict[Any, list[float]] = {}
    for x, target in zip(column, targets, strict=True):
        groups.setdefault(target, []).append(x)
    return sum(len(group) * (sum(group) / len(group) - mean) ** 2 for group in groups.values()) / total
