"""How does a model learn in native code? One step is traced, compiled, and run for every batch.

Where the examples of a batch do not depend on each other, the loss of *one* example is traced, and runs for all
examples of a batch side by side. Where they do (batch normalisation), the loss of a whole batch is traced. The
optimiser's update is a program too, which runs for all parameters side by side.
"""

import copy
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from autograd.compiler import RecordingError, compile
from autograd.compiler.backend import Words
from autograd.compiler.native import Settings
from autograd.reals import shown
from nn.losses import LOSSES, Loss
from nn.module import Module, Row, modes_kept
from nn.optim import Optimizer
from nn.own import is_own
from nn.randomness import RandomSource
from nn.schedules import Schedule
from nn.training.draws import Draws, shuffle
from nn.training.native_step import Chunk, FixedLeaves, MovedNumbers, NativeStep, unpacked
from nn.training.traced import Traced, fingerprint, one_by_one, traced

# What a traced step takes for fixed


def foreign(model: Module, loss: Loss, optimizer: Optimizer | None = None) -> str:
    """What is not nn's own, in words, and so may read more than a traced step shows; "" if all is nn's own."""
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
    """All that a callback may change: options, plain attributes of the layers, and the objects themselves."""
    modules = list(model.modules())
    buffers = [getattr(module, name) for module in modules for name in module.buffer_names]
    objects = [*modules, *model.parameters(), *optimizer.params, *_generators(modules), *buffers]
    functions = [x for module in modules for x in vars(module).values() if callable(x)]
    return dict(optimizer.options), _attributes(modules), [_Same(x) for x in (*objects, *functions)]


class _Same:
    """Equal for one and the same object only, which it keeps alive."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.x is other.x

    __hash__ = object.__hash__


def _attributes(modules: Iterable[Module]) -> list[dict[str, Any]]:
    """The plain attributes of each module, in a form that shows whether one has changed."""
    return [
        {
            name: _sketch(x)
            for name, x in vars(module).items()
            if isinstance(x, int | float | str | list | dict | set)
            and name != "training"
            and name not in module.buffer_names
        }
        for module in modules
    ]


def _sketch(x: Any) -> Any:
    """A number or a text as it is; of a collection its length, and of a list of numbers the first thousand."""
    if not isinstance(x, list | dict | set):
        return x
    return len(x), x[:1000] if isinstance(x, list) and x and isinstance(x[0], int | float) else None


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
    """The model to trace, and the modules that it shares with the original: those that are entirely nn's own.

    Other modules may write down what they see. So they are traced in a copy, which has the same parameters.
    """
    named = list(model.named_modules())
    others = [f"{name}." for name, x in named if not is_own(x)]
    own = [x for name, x in named if not any(other.startswith(f"{name}." if name else "") for other in others)]
    kept = [type(x).__name__ for _, x in named if x not in own and x.buffer_names]
    if kept:
        raise RecordingError(f"{kept[0]} is a module of your own with buffers: only the eager engine keeps them")
    memo: dict[int, Any] = {id(x): x for x in (*own, *model.parameters(), *_generators(model.modules()))}
    try:
        return copy.deepcopy(model, memo), own
    except Exception as error:
        why = f"a module of your own cannot be copied, and compiled training records a copy: {shown(str(error))}"
        raise RecordingError(f'{why}; engine="eager" calls the module itself') from None


# The training


AT_ONCE = 0.1
"""How many seconds of training pass between two looks at the keyboard and the progress bar."""


class CompiledTraining:
    """Runs the epochs of a training run, and the model on other examples, in native code.

    Arguments:
        model: what is trained.
        rows, targets: the examples.
        loss: a function of predictions and targets.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.
        max_grad_norm: the largest norm that a gradient may have.
        watched: whether anybody looks at the model between two epochs, or may change it or the optimiser's options.

    Raises:
        RecordingError: the model or the loss decides something in Python by a number.
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
        self.batch_size = min(batch_size, len(rows))
        self.max_grad_norm = max_grad_norm
        self.watched = watched
        self._sizes = {2, self.batch_size, len(rows) % batch_size or 2} if foreign(model, loss) else {2}
        self.rows = np.array(rows, np.float64, order="C")
        self.targets = np.array(targets, np.float64).reshape(len(rows), -1)
        self._examples = rows, targets
        self._batches_at_once = 1
        self._moved: MovedNumbers | None = None
        self._trace()

    def _trace(self) -> None:
        """Traces a step, with the settings that the model and the optimiser have now."""
        self._settings = _settings(self.model, self.optimizer) if self.watched else None
        self._traced, shared = _copied_where_it_is_foreign(self.model)
        before = _attributes(self._traced.modules())
        with modes_kept(shared), _generators_kept(self.model):
            self._traced.train()
            alone = one_by_one(self._traced, *self._examples, self.loss, sorted(self._sizes))
            self._alone = None if alone is None else self._step(alone[0], Settings(self.batch_size, mean=alone[1]))
            self._wholes: dict[int, NativeStep] = {}
            if alone is None:
                self._step_for(min(2, len(self._examples[0])))
            self._traced.eval()
            self._evaluation = CompiledModel(self._traced, self._examples[0][0])
        if _attributes(self._traced.modules()) != before:
            raise RecordingError(
                "a module changes its own attributes in forward(), which compiled code would not do again: "
                'engine="eager" calls it for every batch'
            )

    def _step(self, graph: Traced, settings: Settings) -> NativeStep:
        return NativeStep(graph, self.optimizer, settings, self.max_grad_norm)

    def _step_for(self, size: int) -> NativeStep:
        """The step for batches of this size."""
        if self._alone is not None:
            return self._alone
        if size not in self._wholes:
            rows, targets = self._examples
            with modes_kept(list(self._traced.modules())):
                self._traced.train()
                first, second = (traced(self._traced, rows[:size], targets[:size], self.loss) for _ in range(2))
            if fingerprint(first.outputs(), first.leaves()) != fingerprint(second.outputs(), second.leaves()):
                raise RecordingError(
                    "the model or the loss computes something else each time, such as with random numbers of its own, "
                    "which compiled code would repeat: leave random choices to nn.Dropout"
                )
            self._wholes[size] = self._step(first, Settings(size, whole=True, mean=True))
        return self._wholes[size]

    def epoch(self, order: Words, schedule: Schedule | None = None) -> Iterator[Chunk]:
        """Steps for all batches of an epoch, for a tenth of a second at a time.

        The model and the optimiser have their numbers again after `synchronize`, which ends the epoch of one that is
        watched.

        Arguments:
            order: the examples, in the order in which they are learned.
            schedule: moved by the caller, as many steps as are in a chunk.
        """
        if self.watched:
            self.model.train()
            if self._settings != _settings(self.model, self.optimizer):
                self._trace()
        if self._moved is None:
            self._moved = MovedNumbers(self.optimizer)
        rest = order
        while len(rest):
            size = min(self.batch_size, len(rest))
            batches = min(self._batches_at_once, max(1, len(rest) // size)) if self._moved.are_moved_natively else 1
            if schedule is not None and not schedule.is_known_ahead:
                batches = 1
            began = time.perf_counter()
            rates = None if schedule is None else schedule.ahead(batches)
            chunk = self._steps(rest[: batches * size], size, self._moved, rates)
            seconds = time.perf_counter() - began
            self._batches_at_once = max(1, int(batches * AT_ONCE / max(seconds, 1e-6)))
            rest = rest[batches * size :]
            yield chunk
        if self.watched:
            self.synchronize()

    def shuffled(self, order: Any, rng: RandomSource | None) -> Words:
        """The order as `rng.shuffle` changes it, or without a generator as it is."""
        new = np.array(order, np.int64)
        if rng is not None:
            shuffle(new, rng)
        return new

    def synchronize(self) -> None:
        """Gives the parameters, and what the optimiser remembers of them, back to Python."""
        if self._moved is not None:
            self._moved.end()
            self._moved = None  # from now on they may be changed

    def _steps(self, order: Words, size: int, moved: MovedNumbers, rates: list[float] | None) -> Chunk:
        """Steps for some batches of one size."""
        step = self._step_for(size)
        moved.give(step)
        outputs, errors = step.run(self.rows, self.targets, order, moved.scalars(len(order) // size, rates))
        if not moved.are_moved_natively:
            moved.step()
        return Chunk(order, errors, step.predictions(outputs))

    def outputs(self, rows: list[Row]) -> list[Any]:
        """The model's outputs for other examples, in evaluation mode."""
        return self._evaluation(rows)


# The model on other examples


class CompiledModel:
    """The outputs of a model in evaluation mode, in native code."""

    def __init__(self, model: Module, example: Row) -> None:
        graph = traced(model, [example])
        self._program = compile(graph.outputs(), graph.leaves())
        self._leaves = FixedLeaves(self._program.parameters, graph.session)
        self._draws = Draws(graph.session)

    def __call__(self, rows: list[Row]) -> list[Any]:
        """The outputs for each example, as floats."""
        choices = self._draws.draw(len(rows), np.array([len(rows)]))
        self._leaves.numbers()  # the program reads them from the leaves
        return unpacked(self._program(np.concatenate([np.array(rows, np.float64), choices], axis=1)))


__all__ = ["CompiledModel", "CompiledTraining", "RecordingError"]
