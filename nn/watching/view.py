"""What is there to see of a training run? A plane or a curve of what the model says, or its predictions.

A `View` is made once for a run: it knows the examples, what the outputs mean, and which points to ask. Its `look()`
asks them of the model as it is now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, tanh
from typing import Any

from nn.datasets.tables import listed
from nn.watching.plain_network import Column, PlainNetwork, plain_network
from nn.losses import Loss, binary_cross_entropy, cross_entropy, hinge_loss, known_loss, nll_loss
from nn.module import Module
from nn.training.examples import Examples
from nn.training.outputs import outputs_of
from nn.training.sequences import Sequences, as_positions

GRID, COARSE, ASKED = 48, 32, 24
"""So many points a side a plane has; where they would take long; and where the model itself is asked."""
MUCH = 8_000_000
"""Products for all points of a plane, a quarter of a second, from which on the coarse grid does."""
CURVE = 121
"""Points of a curve."""
SMALL = 16
"""Points a side of the picture of a neuron."""
MOST_AXES = 8
"""With more inputs than these a plane through their means says nothing."""
MOST_POINTS, MOST_HELD_OUT = 240, 120
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
        self.network = self._network()
        if isinstance(examples, Sequences):
            self._of_sequences(examples)
            names, held_out = [], None
        else:
            self.points = self._finite(examples, MOST_POINTS)
            self.held_out = self._finite(held_out, MOST_HELD_OUT) if held_out is not None else Points([], [])
        first = [] if isinstance(examples, Sequences) else self._asked(self.points.rows[:1])
        self.count = self._outputs if isinstance(examples, Sequences) else len(first)
        self._read_task(classes)
        self._read_kind(names)

    # What is known once

    def _network(self) -> PlainNetwork | None:
        found = plain_network(self.model)
        if isinstance(found, str):
            self.missing.append(found)
            return None
        return found

    def _finite(self, examples: Examples, most: int) -> Points:
        """Some of the examples, spread over all of them, without those that no picture can have."""
        count = len(examples)
        places = [i * count // min(count, most) for i in range(min(count, most))]
        some = examples.at(places).listed()
        rows = [list(map(float, row)) if isinstance(row, list | tuple) else [float(row)] for row in some.rows]
        kept = [k for k, row in enumerate(rows) if all(map(isfinite, row))]
        if len(kept) < len(rows):
            self.missing.append("Examples with numbers that are not finite are left out.")
        return Points([rows[k] for k in kept] or [[0.0] * len(rows[0])], [some.targets[k] for k in kept])

    def _of_sequences(self, examples: Sequences) -> None:
        """The positions of the first sequences are the examples."""
        self.network, self.missing = None, ["A model of sequences: each line is a token to predict."]
        self._tokens = [list(tokens) for tokens in examples.rows[:1]]
        self.points = Points([], [int(t) for t in listed(examples.targets)[0]])
        self.held_out = Points([], [])
        self._outputs = len(self._asked([])) if self._tokens else 1

    def _read_task(self, classes: Sequence[str] | None) -> None:
        """What the outputs mean: by the loss, and by the targets."""
        targets = [x for x in (*self.points.targets, *self.held_out.targets)]
        plain = [x for x in targets if not isinstance(x, list)]
        whole = len(plain) == len(targets) and all(float(x).is_integer() for x in plain)
        kinds = set(plain) if whole else set()
        self.task = "regression"
        if self.count > 1 and (self.loss in (cross_entropy, nll_loss) or (whole and not kinds - {*range(self.count)})):
            self.task = "classes"
        elif self.count == 1 and (self._is_of_two_classes() or kinds in ({0, 1}, {-1, 1})):
            self.task = "binary"
        count = {"classes": self.count, "binary": 2}.get(self.task, 0)
        low = -1 if -1 in kinds else 0
        own = [str(low), "1"] if self.task == "binary" else list(map(str, range(count)))
        self.classes = [str(name) for name in classes or []][:count] or own
        self.classes += own[len(self.classes) :]
        self._read_scale(kinds)
        for points in (self.points, self.held_out):
            points.targets = [self._target(x) for x in points.targets]

    def _is_of_two_classes(self) -> bool:
        name = getattr(self.loss, "__name__", "")
        return known_loss(self.loss) and (name.startswith("binary") or self.loss is hinge_loss)

    def _read_scale(self, kinds: set[Any]) -> None:
        """How an output becomes a number from -1 to 1: what the colour of the plane says."""
        last = self.network.layers[-1].name if self.network else ""
        name = getattr(self.loss, "__name__", "")
        self.certainty: Callable[[float], float] = lambda x: tanh(x / 2.0)  # of a logit: 2 * sigmoid(x) - 1
        if self.loss is binary_cross_entropy or last == "sigmoid" or (kinds == {0, 1} and "binary" not in name):
            self.certainty = lambda x: 2.0 * x - 1.0
        if self.loss is hinge_loss or -1 in kinds:
            self.certainty = lambda x: x
        if self.task == "regression":
            numbers = [
                float(x[0] if isinstance(x, list) else x) for x in (*self.points.targets, *self.held_out.targets)
            ]
            numbers = [x for x in numbers if isfinite(x)] or [0.0]
            self.low, self.high = min(numbers), max(numbers)
            middle = 0.0 if self.low < 0.0 < self.high else self.low / 2.0 + self.high / 2.0
            reach = max(self.high - middle, middle - self.low) or 1.0
            self.certainty = lambda x: (x - middle) / reach
            self.middle, self.reach = middle, reach

    def _target(self, target: Any) -> Any:
        """The number of a class; or the number, of several outputs the first."""
        if self.task == "binary":
            return int(target > (0.0 if self.classes[0] == "-1" or target < 0 else 0.5))
        if isinstance(target, list):
            first = float(target[0])
            return max(range(len(target)), key=target.__getitem__) if self.task == "classes" else first
        return int(target) if self.task == "classes" else float(target)

    def _read_kind(self, names: Sequence[str] | None) -> None:
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
        if self.task == "regression" and self.count > 1:
            self.missing.append(f"The first of {self.count} outputs is shown.")

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

    @property
    def across(self) -> int:
        """How many points a side the plane has."""
        if self.network is None:
            return ASKED
        return GRID if self.network.products * GRID**2 <= MUCH else COARSE

    def look(self) -> Sight:
        """Asks the model as it is now."""
        columns = self._columns()
        if self.network is None:
            rows = [list(row) for row in zip(*columns, strict=True)]
            return Sight(self._asked(rows), None)
        units = self.network.responses(columns)
        outputs = self.network.outputs(units[-1])
        return Sight(outputs, [[self.small(column) for column in layer] for layer in units])

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
        if hasattr(self, "_tokens"):
            (found,) = outputs_of(self.model, self._tokens)
            return [list(column) for column in zip(*as_positions(found, len(self._tokens[0])), strict=True)]
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


def _probabilities(row: Sequence[float]) -> list[float]:
    """Softmax, unless these are probabilities already."""
    if all(0.0 <= x <= 1.0 for x in row) and abs(sum(row) - 1.0) < 1e-6:
        return list(row)
    most = max(row)
    if not isfinite(most):
        return [float(x == most) for x in row]
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
