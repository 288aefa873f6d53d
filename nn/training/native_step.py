"""What does a training step need in native code? Two programs, and the numbers that go in and out of Python.

The program of the loss runs for the examples of a batch side by side; that of the optimiser's update for all parameters
side by side. Both keep their numbers from batch to batch; Python sees them at the end of an epoch.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import Value
from autograd.compiler.flat_graph import record
from autograd.compiler.native.cache import compiled
from autograd.compiler.native.layout import NO_UPDATE, Plan, Work
from autograd.compiler.native.threads import Crew
from autograd.compiler.tracing import Session, Tracer, recording, tracer
from nn.losses import Loss, accuracy
from nn.optim import Optimizer, clip_factor
from nn.own import is_own
from nn.randomness import RandomSource

Numbers = NDArray[np.float64]
Words = NDArray[np.int64]

AT_A_TIME = 2048
"""So many parameters are moved together: what is computed between stays in the nearest cache."""


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

    def leaves(self) -> list[Tracer]:
        """The inputs of the program: examples, targets, and random choices in the order in which they are drawn."""
        choices = [choice for _, _, choices in self.session.draws for choice in choices]
        return [x for row in self.inputs for x in row] + choices

    def outputs(self) -> list[Any]:
        """The outputs of the program: the loss, the predictions, what layers want to know."""
        noticed = [value for _, values in self.session.notices for value in values]
        return [*([] if self.error is None else [self.error]), *(x for row in self.predictions for x in row), *noticed]


@dataclass
class Chunk:
    """Some batches that were learned from.

    Attributes:
        order: which examples they had.
        errors: the loss of each batch.
        predictions: the outputs, a row for each example.
    """

    order: Words
    errors: list[float]
    predictions: Numbers

    def right(self, targets: Numbers, loss: Loss) -> float | None:
        """How many examples were classified right; None where the task is no classification."""
        wanted = targets[self.order]
        one = accuracy(unpacked(self.predictions[:1]), unpacked(wanted[:1]), loss)
        if one is None or (wanted % 1.0 != 0.0).any():
            return None
        if self.predictions.shape[1] > 1 and not np.isnan(self.predictions).any():
            return float(np.sum(self.predictions.argmax(axis=1) == wanted[:, 0]))
        share = accuracy(unpacked(self.predictions), unpacked(wanted), loss)
        return None if share is None else share * len(wanted)


def unpacked(rows: Numbers) -> list[Any]:
    """A list for each row; a single number is given bare."""
    return list(rows[:, 0].tolist() if rows.shape[1] == 1 else rows.tolist())


class Moving:
    """What an optimiser moves, while native code has it: data, gradients, and what is remembered of each parameter.

    The step that ran last has the newest numbers; another one gets them when its turn comes.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.owner: Step | None = None
        self.recorded = has_rule(optimizer)
        self.before = optimizer.steps
        self.gradient = np.zeros(len(optimizer.params))
        self._read()

    def _read(self) -> None:
        self.data = np.array([p._data for p in self.optimizer.params])
        self.state = (
            np.array(self.optimizer.remembered()).reshape(-1, len(self.data)) if self.recorded else self.data[:0]
        )

    def _count(self) -> int:
        """Sets and returns the number of steps that were made: native code counts them, so that none is miscounted."""
        if self.recorded:
            self.optimizer.steps = self.before + (0 if self.owner is None else int(self.owner.done[0]))
        return self.optimizer.steps

    def give(self, step: "Step") -> None:
        """The step has its turn."""
        if self.owner is not step:
            self.fetch()
            self.before = self._count()
            self.owner = None
            step.done[0] = 0
            self.owner = step
            step.take(self.data, self.state)

    def fetch(self) -> None:
        """Gets the newest numbers."""
        if self.owner is not None:
            self.data, self.gradient, self.state = self.owner.moved()

    def step(self) -> None:
        """Lets an optimiser without a rule make its own step."""
        self.end()
        self.optimizer.step()
        self.owner = None
        self._read()
        self.gradient = np.array([p.grad for p in self.optimizer.params])

    def end(self) -> None:
        """Gives the parameters, their gradients, and what is remembered of them back to Python."""
        self.fetch()
        self._count()
        numbers = zip(self.optimizer.params, self.data.tolist(), self.gradient.tolist(), strict=True)
        for parameter, number, gradient in numbers:
            parameter._data, parameter.grad = number, gradient
        if self.recorded and self.optimizer.state:
            self.optimizer.state |= dict(zip(self.optimizer.starts(), self.state.tolist(), strict=True))

    def scalars(self, steps: int) -> Numbers:
        """What each of the next steps has for all parameters; native code counts those that are made."""
        if not self.recorded:
            return np.empty((steps, 0))
        found, now = [], self._count()
        for k in range(steps if self.optimizer.counts_steps else min(steps, 2)):
            self.optimizer.steps = now + k
            found.append(self.optimizer.scalars())
            if not self.optimizer.state:  # it has begun, which `scalars` may ask; the numbers follow in `end`
                self.optimizer.state |= {name: [0.0] * len(self.data) for name in self.optimizer.starts()}
        self._count()
        rows = np.array(found, np.float64).reshape(len(found), -1)
        return np.concatenate([rows, np.repeat(rows[-1:], steps - len(rows), axis=0)])


def has_rule(optimizer: Optimizer) -> bool:
    """Whether the optimiser's step is its rule, for each parameter."""
    step: Any = optimizer.step
    return is_own(optimizer) and getattr(step, "__func__", None) is Optimizer.step


class Step:
    """A training step in native code.

    Arguments:
        graph: the loss of one example, or of a whole batch.
        optimizer: moves the parameters.
        batch_size: how many examples a batch has.
        whole: whether the graph is that of a whole batch.
        mean: whether the loss of a batch is the mean of those of its examples, or else their sum.
        max_grad_norm: the largest norm that the gradient may have.
    """

    def __init__(
        self,
        graph: Recorded,
        optimizer: Optimizer,
        batch_size: int,
        whole: bool,
        mean: bool,
        max_grad_norm: float | None,
    ) -> None:
        self.graph, self.whole, self.width = graph, whole, len(graph.predictions[0])
        self.batch_size, self.max_grad_norm = batch_size, max_grad_norm
        self.plan = Plan(record(graph.outputs(), graph.leaves()), optimizer.params)
        self.work = Work(self.plan, 1 if whole else self.plan.lanes(batch_size))
        self.update = Update(optimizer, self.plan.moved_end, self.work, max_grad_norm) if has_rule(optimizer) else None
        lanes = self.plan.moved_end if self.update is not None else 0
        self.crew = Crew(self.plan, self.work.lanes, 1 if whole else batch_size)
        self.clipped = max_grad_norm is not None and self.update is not None
        self.settings = np.array([batch_size, whole, mean, self.clipped, lanes, 1], np.int64)
        self.done = np.zeros(1, np.int64)  # how many steps were made
        moved = set(optimizer.params)
        self.leaves = Leaves([p for p in self.plan.recording.parameters if p not in moved], graph.session)
        places = zip(self.plan.recording.parameters, self.plan.parameters_at.tolist(), strict=True)
        self.leaves_at = np.array([place for p, place in places if p not in moved], np.intp)
        self.draws = Draws(graph.session)
        self.factor = 1.0
        self._run = compiled("machine", "run")

    def take(self, data: Numbers, state: Numbers) -> None:
        """Takes over what is moved."""
        self.work.numbers[self.plan.moved_at] = data
        if self.update is not None:
            self.update.state[:, self.plan.moved_at] = state

    def moved(self) -> tuple[Numbers, Numbers, Numbers]:
        """What is moved, as it is now: data, gradients, and what is remembered."""
        at = self.plan.moved_at
        state = self.work.numbers[:0] if self.update is None else self.update.state[:, at]
        return self.work.numbers[at], self.work.gradients[at] * self.factor, state

    def run(self, X: Numbers, T: Numbers, order: Words, scalars: Numbers) -> tuple[Numbers, list[float]]:
        """Steps for some batches; returns the outputs of the program for each example, and the loss of each batch.

        Arguments:
            X, T: all examples and targets.
            order: which examples the batches have.
            scalars: for each batch, those of the update.
        """
        size = self.batch_size
        ends = np.minimum(np.arange(size, len(order) + size, size), len(order))
        count = len(ends) if self.whole else len(order)
        choices = self.draws.draw(count, np.arange(1, count + 1) if self.whole else ends)
        outputs, errors = np.empty((count, len(self.plan.recording.outputs))), np.empty(len(ends))
        self.work.numbers[self.leaves_at] = self.leaves.numbers()
        if self.clipped:
            scalars = np.concatenate([scalars, np.zeros((len(ends), 1))], axis=1)
        update = NO_UPDATE if self.update is None else self.update.arrays
        scalars_at = np.zeros(0, np.int64) if self.update is None else self.update.scalars_at
        given = X, T, choices, order
        into = outputs, np.zeros((0, 0))
        rest = self.settings, self.done, scalars, scalars_at, *into, errors
        try:
            self.crew.help(False, self.work.numbers, given, into)
            self._run(self.work.arrays(False), *self.crew.arrays, *update, *given, *rest)
        finally:
            self.crew.stop()
        self.work.check()
        self._clip(scalars)
        self._tell(outputs)
        return outputs, errors.tolist()

    def _clip(self, scalars: Numbers) -> None:
        """Remembers what the last gradient was multiplied by."""
        if self.max_grad_norm is not None:
            own = self.update is None
            norm = hypot(*self.work.gradients[self.plan.moved_at].tolist()) if own else float(scalars[-1, -1])
            self.factor = clip_factor(norm, self.max_grad_norm)

    def _tell(self, outputs: Numbers) -> None:
        """Gives the layers what they wanted to know, batch by batch."""
        first = 1 + self.width * len(self.graph.predictions)
        for row in outputs[:, first:].tolist() if self.graph.session.notices else ():
            for function, values in self.graph.session.notices:
                function(row[: len(values)])
                row = row[len(values) :]

    def predictions(self, outputs: Numbers) -> Numbers:
        """The model's outputs among those of the program, a row for each example."""
        count = self.width * len(self.graph.predictions)
        return outputs[:, 1 : 1 + count].reshape(-1, self.width)


class Update:
    """The optimiser's rule in native code, with a lane for each parameter.

    Arguments:
        optimizer: has the rule.
        lanes: how many parameters there are, with gaps.
        work: where their numbers and gradients lie, from the beginning on.
        max_grad_norm: the largest norm that the gradient may have.

    Attributes:
        state: what is remembered of the parameters, a row of lanes for each number.
    """

    def __init__(self, optimizer: Optimizer, lanes: int, work: Work, max_grad_norm: float | None) -> None:
        self.state = np.zeros((len(optimizer.starts()), lanes))
        with recording():
            data, gradient, *state = numbers = [tracer(1.0) for _ in range(2 + len(self.state))]
            scalars = list(map(tracer, optimizer.scalars()))
            update = optimizer.rule(autograd, *scalars)
            if max_grad_norm is not None:
                scalars.append(tracer(1.0))  # the norm of the whole gradient
                gradient = gradient * clip_factor(scalars[-1], max_grad_norm, autograd)
            outputs = list(update(data, gradient, *state))
        plan = Plan(record(outputs, numbers), scalars, in_place=[0, *range(2, len(numbers))])
        self.scalars_at = plan.moved_at.astype(np.int64)
        own, rows = Work(plan, min(lanes, AT_A_TIME)), [work.numbers, work.gradients, *self.state]
        addresses = np.array([(row.ctypes.data - own.numbers.ctypes.data) // 8 for row in rows], np.int64)
        patches, copies = plan.outside()
        for words in patches, copies:
            words[:, -1] = addresses[words[:, -1]]
        self.arrays = own.arrays(False), patches, copies
        self._kept = work, self.state  # they must stay where they are


class Leaves:
    """The numbers of leaves that nothing moves; those that a layer reads elsewhere come from there."""

    def __init__(self, leaves: Sequence[Value], session: Session) -> None:
        places = {leaf: k for k, leaf in enumerate(leaves)}
        self._leaves = leaves
        self._read = [(leaf, holder, place) for (_, place), (leaf, holder) in session.reads.items() if leaf in places]

    def numbers(self) -> Numbers:
        """The numbers as they are now."""
        for leaf, holder, place in self._read:
            leaf._data = holder[place]
        return np.array([leaf._data for leaf in self._leaves], np.float64)


class Draws:
    """The random choices of a session, drawn anew for every batch."""

    def __init__(self, session: Session) -> None:
        self._draws = session.draws
        owners = [getattr(draw, "__self__", None) for draw, _, _ in self._draws]
        self._generators: list[Any] = list(dict.fromkeys(owners))
        self._native = all(type(x) is random.Random for x in self._generators)
        self._which = np.array([self._generators.index(x) for x in owners], np.int64)
        self._probabilities = np.array([probability for _, probability, _ in self._draws], np.float64)
        self._counts = np.array([len(choices) for _, _, choices in self._draws], np.int64)

    def draw(self, rows: int, ends: Words) -> Numbers:
        """Choices as the eager engine makes them: layer by layer, example by example, unit by unit.

        Arguments:
            rows: how many examples there are.
            ends: where each batch ends.
        """
        choices = np.empty((rows, int(self._counts.sum())))
        if self._draws and self._native:
            states = np.stack([words_of(generator) for generator in self._generators])
            arrays = (states, self._which, self._probabilities, self._counts, ends.astype(np.int64), choices)
            compiled("random_numbers", "choose")(*arrays)
            for generator, state in zip(self._generators, states, strict=True):
                set_words(generator, state)
        elif self._draws:
            self._draw_in_python(choices, ends)
        return choices

    def _draw_in_python(self, choices: Numbers, ends: Iterable[int]) -> None:
        start = 0
        for end in ends:
            column = 0
            for draw, probability, drawn in self._draws:
                rows = [[draw() >= probability for _ in drawn] for _ in range(start, end)]
                choices[start:end, column : column + len(drawn)] = rows
                column += len(drawn)
            start = end


def words_of(generator: random.Random) -> NDArray[np.uint32]:
    """The state of a generator, as native code has it."""
    return np.array(generator.getstate()[1], np.uint32)


def set_words(generator: random.Random, words: NDArray[np.uint32]) -> None:
    """Gives a generator the state that native code left."""
    version, _, gauss = generator.getstate()
    generator.setstate((version, tuple(words.tolist()), gauss))


def shuffle(order: Words, rng: RandomSource) -> None:
    """Shuffles as `rng.shuffle` does a list."""
    draw: Callable[[], float] = rng.random
    generator = getattr(draw, "__self__", None)
    if type(generator) is random.Random:
        words = words_of(generator)
        compiled("random_numbers", "shuffle")(words, order)
        set_words(generator, words)
    else:
        numbers = order.tolist()
        rng.shuffle(numbers)
        order[:] = numbers
