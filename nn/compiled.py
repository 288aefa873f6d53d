"""How does a model learn in native code? One step is recorded, and replayed for every batch.

Where the examples of a batch do not depend on each other, the loss of *one* example is recorded and runs for all of a
batch side by side. Where they do (batch normalisation), the loss of a whole batch is recorded. The optimiser's update
is a program too, which runs for all parameters side by side.
"""

import copy
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import Value
from autograd.compiler import Program, RecordingError, compile
from autograd.compiler.recording import Recording, record
from autograd.compiler.tracing import Session, Tracer, recording, tracer
from nn.arguments import check_error
from nn.losses import LOSSES, Loss
from nn.module import Module, Row, modes_kept
from nn.optim import Optimizer, clip_factor
from nn.randomness import RandomSource

Numbers = NDArray[np.float64]


@dataclass
class Recorded:
    """The graph of a training step on some examples, or of the outputs alone.

    Attributes:
        session: what it depends on beside its inputs.
        inputs: the Tracers of each example, then those of each target.
        predictions: the outputs for each example.
        error: the loss; None if there is none.
    """

    session: Session
    inputs: list[list[Tracer]]
    predictions: list[list[Any]]
    error: Any = None

    @property
    def choices(self) -> list[Tracer]:
        """The random choices, in the order in which they are drawn."""
        return [choice for _, _, choices in self.session.draws for choice in choices]

    def leaves(self) -> list[Tracer]:
        """The inputs of the program: examples, targets, random choices."""
        return [x for row in self.inputs for x in row] + self.choices

    def outputs(self) -> list[Any]:
        """The outputs of the program: the loss, the predictions, what layers want to know."""
        noticed = [value for _, values in self.session.notices for value in values]
        return [*([] if self.error is None else [self.error]), *(x for row in self.predictions for x in row), *noticed]


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
    names = [type(x).__name__ for x in model.modules() if not _is_of_nn(x)]
    activations = [getattr(x, "activation", None) for x in model.modules()]
    names += [getattr(x, "__name__", "an activation") for x in activations if callable(x)]
    if names:
        return f"{names[0]} is your own"
    if optimizer is not None and type(optimizer).__module__ != "nn.optim":
        return f"{type(optimizer).__name__} is your own"
    return ""


def _is_of_nn(x: Module) -> bool:
    return type(x).__module__.startswith("nn.")


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
    others = [f"{name}." for name, x in named if not _is_of_nn(x)]
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


class CompiledTraining:
    """Runs the epochs of a training run, and the model on other examples, in native code.

    Arguments:
        model: what is trained.
        rows, targets: the examples.
        loss: of predictions and targets.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.

    Raises:
        RecordingError: the model or the loss decides by the numbers, in Python.
    """

    def __init__(
        self, model: Module, rows: list[Row], targets: list[Any], loss: Loss, optimizer: Optimizer, batch_size: int = 2
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self._sizes = {2, min(batch_size, len(rows)), len(rows) % batch_size or 2} if foreign(model, loss) else {2}
        self.rows, self.targets = np.array(rows, float), np.array(targets, float).reshape(len(rows), -1)
        self._examples = rows, targets
        self._record()

    def _record(self) -> None:
        """Records a step, with the settings that the model and the optimiser have now."""
        self._settings = _settings(self.model, self.optimizer)
        self._recorded, shared = _copied_where_it_is_foreign(self.model)
        before = _attributes(self._recorded.modules())
        with modes_kept(shared), _generators_kept(self.model):
            self._recorded.train()
            alone = one_by_one(self._recorded, *self._examples, self.loss, sorted(self._sizes))
            self.mean = alone is None or alone[1]
            self._alone = None if alone is None else Step(alone[0], self.optimizer)
            self._batches: dict[int, Step] = {}
            self._update = Update(self.optimizer)
            if alone is None:
                self._step_for(min(2, len(self._examples[0])))
            self._recorded.eval()
            self._evaluation = CompiledModel(self._recorded, self._examples[0][0])
        if _attributes(self._recorded.modules()) != before:
            raise RecordingError(
                "a module changes its own attributes in forward(), which compiled code would not do again: "
                'engine="eager" calls it for every batch'
            )

    def _step_for(self, size: int) -> "Step":
        """The program for a batch of so many examples."""
        if self._alone is not None:
            return self._alone
        if size not in self._batches:
            rows, targets = self._examples
            graphs = [recorded(self._recorded, rows[:size], targets[:size], self.loss) for _ in range(2)]
            if _shape(graphs[0].outputs(), graphs[0].leaves()) != _shape(graphs[1].outputs(), graphs[1].leaves()):
                raise RecordingError(
                    "the model or the loss computes something else each time, such as with random numbers of its own, "
                    "which a recording would repeat: random choices are made by nn.Dropout"
                )
            self._batches[size] = Step(graphs[0], self.optimizer)
        return self._batches[size]

    @contextmanager
    def epoch(self) -> Iterator[None]:
        """A block of steps, after which the model and the optimiser have their numbers again, whatever ends it."""
        self._begin()
        try:
            yield
        finally:
            self._update.end()

    def _begin(self) -> None:
        """Takes over the parameters and what the optimiser remembers."""
        if self._settings != _settings(self.model, self.optimizer):  # a callback has changed a layer, or the optimiser
            self._record()
        self._update.begin()
        for step in (*self._batches.values(), *([] if self._alone is None else [self._alone])):
            step.leaves.refresh()

    def step(self, batch: Sequence[int], max_grad_norm: float | None = None) -> tuple[float, list[Any]]:
        """Forward, loss, backward and update for one batch; returns its loss, and the predictions."""
        chosen, step = np.asarray(batch), self._step_for(len(batch))
        examples = np.concatenate([self.rows[chosen], self.targets[chosen]], axis=1)
        if self._alone is None:  # one run for the whole batch: its examples, then its targets
            width = self.rows.shape[1]
            examples = np.concatenate([examples[:, :width].ravel(), examples[:, width:].ravel()])[None, :]
        losses, predictions, gradient = step.run(examples, self._update.data)
        share = 1.0 / len(losses) if self.mean else 1.0
        gradient = gradient * share
        if max_grad_norm is not None:
            gradient = gradient * clip_factor(hypot(*gradient.tolist()), max_grad_norm)
        self._update.move(gradient)
        return float(np.sum(losses) * share), predictions

    def outputs(self, rows: list[Row]) -> list[Any]:
        """The model's outputs for other examples, in evaluation mode."""
        return self._evaluation(rows)


class Step:
    """The program of a training step, without the update."""

    def __init__(self, graph: Recorded, optimizer: Optimizer) -> None:
        self.graph = graph
        self.program: Program = compile(graph.outputs(), graph.leaves())
        places = {parameter: k for k, parameter in enumerate(optimizer.params)}
        moved = [(k, places[p]) for k, p in enumerate(self.program.parameters) if p in places]
        self.here, self.there = np.array(moved, np.intp).reshape(-1, 2).T  # in the program, and in the optimiser
        self.leaves, self.width = Leaves(self.program, graph.session), len(graph.predictions[0])

    def run(self, examples: Numbers, data: Numbers) -> tuple[Numbers, list[Any], Numbers]:
        """Forward and backward; returns the losses, the predictions, and the gradient by what the optimiser moves."""
        leaves = self.leaves.numbers()
        leaves[self.here] = data[self.there]
        X = np.concatenate([examples, drawn(self.graph.session, len(examples))], axis=1)
        outputs, by_parameters = self.program.run(X, leaves)
        count = self.width * len(self.graph.predictions)
        predictions = outputs[:, 1 : 1 + count].reshape(-1, self.width)
        tell(self.graph.session, outputs[0, 1 + count :].tolist())
        gradient = np.zeros(len(data))
        gradient[self.there] = by_parameters[self.here]
        return outputs[:, 0], unpacked(predictions), gradient


def unpacked(predictions: Numbers) -> list[Any]:
    """A list for each example; one output is given bare."""
    return list(predictions[:, 0].tolist() if predictions.shape[1] == 1 else predictions.tolist())


class Leaves:
    """The numbers of a program's parameters; those that a layer reads elsewhere come from there."""

    def __init__(self, program: Program, session: Session) -> None:
        places = {leaf: k for k, leaf in enumerate(program.parameters)}
        self.program = program
        self.read = [(places[x], holder, place) for (_, place), (x, holder) in session.reads.items() if x in places]
        self.refresh()

    def refresh(self) -> None:
        """Reads all numbers afresh."""
        self._numbers = np.array([leaf._data for leaf in self.program.parameters], np.float64)

    def numbers(self) -> Numbers:
        """The numbers as of the last `refresh`; those read elsewhere as they are now."""
        for k, holder, place in self.read:
            self._numbers[k] = holder[place]
        return self._numbers


def drawn(session: Session, examples: int) -> Numbers:
    """The random choices of a batch: layer by layer, example by example, unit by unit, as the eager engine draws."""
    columns = [
        np.array([[draw() >= probability for _ in choices] for _ in range(examples)], float)
        for draw, probability, choices in session.draws
    ]
    return np.concatenate([np.empty((examples, 0)), *columns], axis=1)


def tell(session: Session, numbers: list[float]) -> None:
    """Gives the layers what they wanted to know."""
    for function, values in session.notices:
        function(numbers[: len(values)])
        numbers = numbers[len(values) :]


class Update:
    """The optimiser's step for all parameters side by side; an optimiser of one's own makes its own step."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.data = np.array([p.data for p in optimizer.params])
        self.gradient = np.zeros(len(self.data))
        self.program: Program | None = None
        step: Any = optimizer.step
        if type(optimizer).__module__ == "nn.optim" and getattr(step, "__func__", None) is Optimizer.step:
            self._record()

    def _record(self) -> None:
        with recording():
            numbers = [tracer(1.0) for _ in range(2 + len(self.optimizer.starts()))]
            self.scalars = list(map(tracer, self.optimizer.scalars()))
            outputs = self.optimizer.rule(autograd, *self.scalars)(*numbers)
        self.program = compile(list(outputs), numbers)

    def begin(self) -> None:
        """Takes over the parameters, and what is remembered of them."""
        self.data = np.array([p.data for p in self.optimizer.params])
        self.state = np.array(self.optimizer.remembered()).reshape(-1, len(self.data))

    def move(self, gradient: Numbers) -> None:
        """One step."""
        self.gradient = gradient
        if self.program is None:
            self.end()
            self.optimizer.step()
            self.begin()
            return
        scalars: dict[Value, float] = dict(zip(self.scalars, self.optimizer.scalars(), strict=True))
        leaves = np.array([scalars[leaf] for leaf in self.program.parameters], np.float64)
        outputs, _ = self.program.run(np.stack([self.data, gradient, *self.state], axis=1), leaves, gradient=False)
        self.data, self.state = outputs[:, 0].copy(), outputs[:, 1:].T.copy()
        self.optimizer.steps += 1
        if not self.optimizer.state:  # it has begun, which `scalars` may ask; the last numbers follow in `end`
            self.optimizer.state |= dict(zip(self.optimizer.starts(), self.state.tolist(), strict=True))

    def end(self) -> None:
        """Gives back the parameters, their gradients, and what is remembered of them."""
        for parameter, number, gradient in zip(
            self.optimizer.params, self.data.tolist(), self.gradient.tolist(), strict=True
        ):
            parameter.data, parameter.grad = number, gradient
        if self.program is not None and self.optimizer.state:
            self.optimizer.state |= dict(zip(self.optimizer.starts(), self.state.tolist(), strict=True))


# The model on other examples


class CompiledModel:
    """The outputs of a model in evaluation mode, in native code."""

    def __init__(self, model: Module, example: Row) -> None:
        self.graph = recorded(model, [example])
        self.program = compile(self.graph.outputs(), self.graph.leaves())
        self.leaves = Leaves(self.program, self.graph.session)

    def __call__(self, rows: list[Row]) -> list[Any]:
        """The outputs for each example, as floats."""
        X = np.concatenate([np.array(rows, float), drawn(self.graph.session, len(rows))], axis=1)
        self.leaves.refresh()
        leaves = self.leaves.numbers()
        outputs, _ = self.program.run(X, leaves, gradient=False)
        return unpacked(outputs)


__all__ = ["CompiledModel", "CompiledTraining", "RecordingError"]
