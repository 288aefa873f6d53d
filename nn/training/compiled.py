"""How does a model learn in native code? One step is recorded, and replayed for every batch.

Where the examples of a batch do not depend on each other, the loss of *one* example is recorded and runs for all of a
batch side by side. Where they do (batch normalisation), the loss of a whole batch is recorded. The optimiser's update
is a program too, which runs for all parameters side by side.
"""

import copy
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.compiler import RecordingError, compile
from autograd.compiler.flat_graph import Recording, record
from autograd.compiler.tracing import Tracer, recording, tracer
from nn.arguments import check_error
from nn.losses import LOSSES, Loss
from nn.module import Module, Row, modes_kept
from nn.optim import Optimizer
from nn.own import is_own
from nn.randomness import RandomSource
from nn.training.native_step import Chunk, Draws, Leaves, Moving, Recorded, Step, Words, shuffle, unpacked


def recorded(model: Module, rows: Sequence[Row], targets: Sequence[Any] = (), loss: Loss | None = None) -> Recorded:
    """Records what the model computes for some examples, and with a loss how wrong that is."""
    with recording() as session:
        inputs = [list(map(tracer, row)) for row in rows]
        wanted = [list(map(tracer, t)) if isinstance(t, list) else tracer(t) for t in targets]
        predictions = list(model([list(row) for row in inputs]))
        error = None if loss is None else loss(predictions, wanted)
    if loss is not None:
        check_error(error)
    as_rows = [list(row) if isinstance(row, list | tuple) else [row] for row in predictions]
    return Recorded(session, [*inputs, *(t if isinstance(t, list) else [t] for t in wanted)], as_rows, error)


# One example at a time?


def one_by_one(
    model: Module, rows: list[Row], targets: list[Any], loss: Loss, sizes: Iterable[int]
) -> tuple[Recorded, bool] | None:
    """The recording of one example, if a batch is nothing but its examples side by side; otherwise None.

    Batches of each size are recorded together, and each example must come out as one does alone: the loss has to be
    the mean, or the sum, of terms that each depend on one example only.

    Returns:
        the recording, and whether the loss of a batch is the mean of those of its examples (or else their sum).
    """
    try:
        alone = recorded(model, rows[:1], targets[:1], loss)
    except ValueError:  # batch normalisation in training takes at least two
        return None
    reduction = alone.error.operation
    if reduction not in ("mean", "sum") or alone.session.notices:
        return None
    expected = _shape([*alone.error.operands, *alone.predictions[0]], alone.leaves())
    for size in sizes:
        together = recorded(model, [rows[0]] * size, [targets[0]] * size, loss)
        if together.error.operation != reduction or not _side_by_side(together, size, expected):
            return None
    return alone, reduction == "mean"


def _side_by_side(together: Recorded, size: int, expected: tuple[Any, ...]) -> bool:
    """Whether each example of a batch has terms of its own in the loss, of the expected shape."""
    terms = together.error.operands
    if len(terms) % size:
        return False
    share = len(terms) // size
    parts = [terms[k * share : (k + 1) * share] for k in range(size)]
    reached = [_reached([*part, *row]) for part, row in zip(parts, together.predictions, strict=True)]
    owners: dict[Value, int] = {x: k for k in range(size) for x in (*together.inputs[k], *together.inputs[size + k])}
    for place, (_, _, choices) in enumerate(together.session.draws):  # each layer draws for one example, then the next
        owners |= dict.fromkeys(choices, place % size)
    for k, part in enumerate(parts):
        if any(owners.get(x, k) != k for x in reached[k]):
            return False
        choices = [x for _, _, drawn in together.session.draws for x in drawn if owners[x] == k]
        leaves = [*together.inputs[k], *together.inputs[size + k], *choices]
        if _shape([*part, *together.predictions[k]], leaves) != expected:
            return False
    return True


def _reached(outputs: Sequence[Any]) -> set[Value]:
    """The leaves on which the outputs depend."""
    return {leaf for output in outputs if isinstance(output, Value) for leaf in autograd.leaves(output)}


def _shape(outputs: Sequence[Any], leaves: Sequence[Tracer]) -> tuple[Any, ...]:
    """What tells one graph from another: the instructions, the parameters and the constants."""
    found: Recording = record([x for x in outputs if isinstance(x, Value)], leaves)
    return found.instructions, found.outputs, list(map(id, found.parameters)), list(map(repr, found.constants))


# What a recording takes for fixed


def foreign(model: Module, loss: Loss, optimizer: Optimizer | None = None) -> str:
    """What is not of `nn` itself, in words, and so may read more than a recording sees; "" if all is."""
    function = loss.func if isinstance(loss, partial) else loss
    if LOSSES.get(getattr(function, "__name__", "")) is not function:
        return "the loss is a function of your own"
    names = [type(x).__name__ for x in model.modules() if not is_own(x)]
    activations = [getattr(x, "activation", None) for x in model.modules()]
    names += [getattr(x, "__name__", "an activation") for x in activations if callable(x)]
    if names:
        return f"{names[0]} is your own"
    if optimizer is not None and not is_own(optimizer):
        return f"{type(optimizer).__name__} is your own"
    return ""


def _settings(model: Module, optimizer: Optimizer) -> Any:
    """All that a callback may change: options, plain attributes of the layers, and which objects there are."""
    modules = list(model.modules())
    buffers = [getattr(module, name) for module in modules for name in module.buffer_names]
    objects = [*modules, *model.parameters(), *optimizer.params, *_generators(modules), *buffers]
    functions = [x for module in modules for x in vars(module).values() if callable(x)]
    return dict(optimizer.options), _attributes(modules), [Same(x) for x in (*objects, *functions)]


class Same:
    """Equal for one and the same object only, which it keeps alive."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.x is other.x

    __hash__ = object.__hash__


def _attributes(modules: Iterable[Module]) -> list[dict[str, Any]]:
    """The numbers and texts among the attributes of each module, and of lists and the like how long they are."""
    return [
        {
            name: (len(x), x[:1000] if isinstance(x, list) and x and isinstance(x[0], int | float) else None)
            if isinstance(x, list | dict | set)
            else x
            for name, x in vars(module).items()
            if isinstance(x, int | float | str | list | dict | set)
            and name != "training"
            and name not in module.buffer_names
        }
        for module in modules
    ]


def _generators(modules: Iterable[Module]) -> list[random.Random]:
    """The random generators among the attributes of the layers."""
    return [x for module in modules for x in vars(module).values() if isinstance(x, random.Random)]


@contextmanager
def _generators_kept(model: Module) -> Iterator[None]:
    """A block after which the random generators of the layers, and Python's, are as before."""
    generators: list[RandomSource] = [random, *_generators(model.modules())]
    states = [(generator, generator.getstate()) for generator in generators]
    try:
        yield
    finally:
        for generator, state in states:
            generator.setstate(state)


def _copied_where_it_is_foreign(model: Module) -> tuple[Module, list[Module]]:
    """The model for a recording, and the modules that it shares with the original: all that are of nn alone.

    Modules of one's own may write down what they see; that is done in a copy, with the same parameters.
    """
    named = list(model.named_modules())
    others = [f"{name}." for name, x in named if not is_own(x)]
    own = [x for name, x in named if not any(other.startswith(f"{name}." if name else "") for other in others)]
    kept = [type(x).__name__ for _, x in named if x not in own and x.buffer_names]
    if kept:
        raise RecordingError(f"{kept[0]} is a module of your own with buffers, which only the eager engine keeps")
    memo: dict[int, Any] = {id(x): x for x in (*own, *model.parameters(), *_generators(model.modules()))}
    try:
        return copy.deepcopy(model, memo), own
    except Exception as error:
        raise RecordingError(f"modules of one's own are recorded in a copy, which could not be made: {error}") from None


# The training


AT_ONCE = 0.1
"""So many seconds of training pass between two looks at the keyboard and the progress bar."""


class CompiledTraining:
    """Runs the epochs of a training run, and the model on other examples, in native code.

    Arguments:
        model: what is trained.
        rows, targets: the examples.
        loss: of predictions and targets.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.
        max_grad_norm: the largest norm that a gradient may have.
        watched: whether anybody looks at the model between two epochs, or may change it or the optimiser's options.

    Raises:
        RecordingError: the model or the loss decides by the numbers, in Python.
    """

    name = "compiled"

    def __init__(
        self,
        model: Module,
        rows: list[Row],
        targets: list[Any],
        loss: Loss,
        optimizer: Optimizer,
        batch_size: int = 2,
        max_grad_norm: float | None = None,
        watched: bool = True,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.batch_size, self.max_grad_norm, self.watched = min(batch_size, len(rows)), max_grad_norm, watched
        self._sizes = {2, self.batch_size, len(rows) % batch_size or 2} if foreign(model, loss) else {2}
        self.rows = np.array(rows, np.float64, order="C")
        self.targets = np.array(targets, np.float64).reshape(len(rows), -1)
        self._examples, self._batches_at_once = (rows, targets), 1
        self._moving: Moving | None = None
        self._record()

    def _record(self) -> None:
        """Records a step, with the settings that the model and the optimiser have now."""
        self._settings = _settings(self.model, self.optimizer) if self.watched else None
        self._recorded, shared = _copied_where_it_is_foreign(self.model)
        before = _attributes(self._recorded.modules())
        with modes_kept(shared), _generators_kept(self.model):
            self._recorded.train()
            alone = one_by_one(self._recorded, *self._examples, self.loss, sorted(self._sizes))
            self._alone = None if alone is None else self._step(alone[0], self.batch_size, False, alone[1])
            self._wholes: dict[int, Step] = {}
            if alone is None:
                self._step_for(min(2, len(self._examples[0])))
            self._recorded.eval()
            self._evaluation = CompiledModel(self._recorded, self._examples[0][0])
        if _attributes(self._recorded.modules()) != before:
            raise RecordingError(
                "a module changes its own attributes in forward(), which compiled code would not do again: "
                'engine="eager" calls it for every batch'
            )

    def _step(self, graph: Recorded, batch_size: int, whole: bool, mean: bool) -> Step:
        return Step(graph, self.optimizer, batch_size, whole, mean, self.max_grad_norm)

    def _step_for(self, size: int) -> Step:
        """The step for batches of so many examples."""
        if self._alone is not None:
            return self._alone
        if size not in self._wholes:
            rows, targets = self._examples
            with modes_kept(list(self._recorded.modules())):
                self._recorded.train()
                graphs = [recorded(self._recorded, rows[:size], targets[:size], self.loss) for _ in range(2)]
            if _shape(graphs[0].outputs(), graphs[0].leaves()) != _shape(graphs[1].outputs(), graphs[1].leaves()):
                raise RecordingError(
                    "the model or the loss computes something else each time, such as with random numbers of its own, "
                    "which a recording would repeat: random choices are made by nn.Dropout"
                )
            self._wholes[size] = self._step(graphs[0], size, True, True)
        return self._wholes[size]

    def epoch(self, order: Words) -> Iterator[Chunk]:
        """Steps for all batches of an epoch, for a tenth of a second at a time.

        The model and the optimiser have their numbers again after `synchronize`, which ends the epoch of one that is
        watched.

        Arguments:
            order: which examples come one after the other.
        """
        if self.watched:
            self.model.train()
            if self._settings != _settings(self.model, self.optimizer):
                self._record()
        if self._moving is None:
            self._moving = Moving(self.optimizer)
        rest = order
        while len(rest):
            size = min(self.batch_size, len(rest))
            batches = min(self._batches_at_once, max(1, len(rest) // size)) if self._moving.recorded else 1
            began = time.perf_counter()
            chunk = self._steps(rest[: batches * size], size, self._moving)
            seconds = time.perf_counter() - began
            self._batches_at_once = max(1, int(batches * AT_ONCE / max(seconds, 1e-6)))
            rest = rest[batches * size :]
            yield chunk
        if self.watched:
            self.synchronize()

    def shuffled(self, order: Any, rng: RandomSource | None) -> Words:
        """A new order of the examples, as `rng.shuffle` gives it; the same without a generator."""
        new = np.array(order, np.int64)
        if rng is not None:
            shuffle(new, rng)
        return new

    def synchronize(self) -> None:
        """Gives the parameters, and what the optimiser remembers of them, back to Python."""
        if self._moving is not None:
            self._moving.end()
            self._moving = None  # they may be changed now

    def _steps(self, order: Words, size: int, moving: Moving) -> Chunk:
        """Steps for some batches of one size."""
        step = self._step_for(size)
        moving.give(step)
        outputs, errors = step.run(self.rows, self.targets, order, moving.scalars(len(order) // size))
        if not moving.recorded:
            moving.step()
        return Chunk(order, errors, step.predictions(outputs))

    def outputs(self, rows: list[Row]) -> list[Any]:
        """The model's outputs for other examples, in evaluation mode."""
        return self._evaluation(rows)


# The model on other examples


class CompiledModel:
    """The outputs of a model in evaluation mode, in native code."""

    def __init__(self, model: Module, example: Row) -> None:
        graph = recorded(model, [example])
        self._program = compile(graph.outputs(), graph.leaves())
        self._leaves, self._draws = Leaves(self._program.parameters, graph.session), Draws(graph.session)

    def __call__(self, rows: list[Row]) -> list[Any]:
        """The outputs for each example, as floats."""
        choices = self._draws.draw(len(rows), np.array([len(rows)]))
        self._leaves.numbers()  # the program reads them from the leaves
        return unpacked(self._program(np.concatenate([np.array(rows, np.float64), choices], axis=1)))


__all__ = ["CompiledModel", "CompiledTraining", "RecordingError"]
