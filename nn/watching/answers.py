"""What did a model say at each moment, where the page cannot compute it? Python asks it of examples and of a grid."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import isfinite
from typing import Any

from autograd import Value
from autograd.value import data_of
from nn.datasets.tables import listed
from nn.module import Module, modes_kept
from nn.training.examples import Examples
from nn.training.predict import predict
from nn.training.recording import Recording
from nn.watching.arrays_of_weights import layer_of, layer_paths
from nn.watching.packing import PackedMoments, single, thinned
from nn.watching.task import Task

EXAMPLES = 300
"""So many examples the model is asked about at each moment."""

GRID, CURVE = 40, 200
"""So many points a side a plane has, and so many a curve."""

SECONDS, GRADIENT_SECONDS = 6.0, 3.0
"""For so long the model is asked for its answers, and for gradients; if that is over, fewer moments have them."""

GRADIENT_EXAMPLES = 50
"""So many examples the gradients are those of: the eager engine does them."""


@dataclass
class Answers:
    """What a model said.

    Attributes:
        moments: the indices of the page's moments that it was asked at.
        examples: the places of the examples.
        outputs: for each moment the outputs for the examples, one after the other.
        sides: the numbers along each input of the grid; none where there is no grid.
        grid: for each moment the outputs for its points, as `grid_over` has them.
        gradients: for each layer the norms of its gradient, by the indices of the moments.
        missing: what is not shown, in sentences.
    """

    moments: list[int] = field(default_factory=list)
    examples: list[int] = field(default_factory=list)
    outputs: list[list[float]] = field(default_factory=list)
    sides: list[list[float]] = field(default_factory=list)
    grid: list[list[float]] = field(default_factory=list)
    gradients: dict[str, dict[int, float]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def for_page(self) -> dict[str, Any]:
        """The same for JSON, with numbers in single precision."""
        plain = {"moments": self.moments, "examples": self.examples, "sides": self.sides, "gradients": self.gradients}
        numbers = {"outputs": self.outputs, "grid": self.grid}
        return plain | {name: single([x for row in rows for x in row]) for name, rows in numbers.items()}


def answers_of(recording: Recording, examples: Examples, task: Task, packed: PackedMoments) -> Answers:
    """What the recorded model said at the moments of a page, of some of the examples that it has."""
    answers = Answers()
    if task.is_of_sequences:
        return answers
    answers.examples = places = thinned(len(examples), EXAMPLES)
    rows, targets = ([x[i] for i in places] for x in (examples.rows, examples.targets))
    answers.sides, points = grid_over(examples.rows)
    order = _coarse_first(len(packed.places))

    def asked(k: int) -> None:
        model = recording.model_at(recording.moments[packed.places[k]])
        found = [x if isinstance(x, list) else [x] for x in listed(predict(model, rows + points))]
        answers.moments.append(k)
        answers.outputs.append([x for row in found[: len(rows)] for x in row])
        answers.grid.append([x for row in found[len(rows) :] for x in row])

    def derived(k: int) -> None:
        model = recording.model_at(recording.moments[packed.places[k]])
        for name, norm in _gradients(model, recording, rows[:GRADIENT_EXAMPLES], targets[:GRADIENT_EXAMPLES]).items():
            answers.gradients.setdefault(name, {})[k] = norm

    try:
        done = _as_many(asked, order, SECONDS)
        _as_many(derived, order, GRADIENT_SECONDS)
    except Exception as error:  # a module of one's own may raise anything; the rest of the film is there
        return Answers(missing=[f"What it answered is not shown, since a copy of it failed: {error}."])
    if done < len(order):
        answers.missing.append(f"Its answers are those at {done} of {len(order)} moments, since asking takes long.")
    return _sorted(answers)


def _as_many(do: Callable[[int], None], order: list[int], seconds: float) -> int:
    """Does something for as many moments as fit into the time, but two at least; returns for how many."""
    end = time.perf_counter() + seconds
    for done, k in enumerate(order):
        if done > 1 and time.perf_counter() > end:
            return done
        do(k)
    return len(order)


def _gradients(model: Module, recording: Recording, rows: list[Any], targets: list[Any]) -> dict[str, float]:
    """The norm of the gradient of each layer."""
    with modes_kept(model.modules()):
        model.eval().zero_grad()
        loss = recording.loss(model(rows), targets)
        if not isinstance(loss, Value):
            return {}
        loss.backward()
    squares, paths = dict[str, float](), layer_paths(model)
    for name, parameter in model.named_parameters():
        layer = layer_of(name, paths)
        squares[layer] = squares.get(layer, 0.0) + data_of(parameter.grad) ** 2
    return {layer: x**0.5 if isfinite(x) else x for layer, x in squares.items()}


def grid_over(rows: list[list[float]]) -> tuple[list[list[float]], list[list[float]]]:
    """Points all over one or two inputs, a tenth beyond the examples; none for more inputs.

    Returns:
        the numbers along each input, and the points: row by row from the bottom, in each from the left.

    >>> sides, points = grid_over([[0.0, 0.0], [10.0, 20.0]])
    >>> points[0], points[len(sides[0]) - 1], points[-1]
    ([-1.0, -2.0], [11.0, -2.0], [11.0, 22.0])
    """
    width = len(rows[0])
    if width > 2:
        return [], []
    sides = [_side([row[k] for row in rows if isfinite(row[k])], GRID if width == 2 else CURVE) for k in range(width)]
    return sides, [list(reversed(point)) for point in product(*reversed(sides))]


def _side(numbers: list[float], count: int) -> list[float]:
    """Points over the range of some numbers, and a tenth beyond it."""
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    room = 0.1 * (high - low) or 1.0
    return [low - room + (high - low + 2.0 * room) * k / (count - 1) for k in range(count)]


def _coarse_first(count: int) -> list[int]:
    """0 to count - 1: the last, the first, and then ever closer together, so that one may stop at any time."""
    order: dict[int, None] = dict.fromkeys([count - 1, 0][: max(0, count)])
    step = 1 << max(0, count - 1).bit_length()
    while step:
        order |= dict.fromkeys(range(0, count, step))
        step //= 2
    return list(order)


def _sorted(answers: Answers) -> Answers:
    """The same in the order of the moments."""
    order = sorted(range(len(answers.moments)), key=answers.moments.__getitem__)
    for name in ("moments", "outputs", "grid"):
        setattr(answers, name, [getattr(answers, name)[i] for i in order])
    return answers
