"""How does a model of sequences learn in native code? From one recording, of the longest sequence.

What a causal model says about the first n tokens is a part of that: the recording has a loss for each length n, and a
batch runs the one of its longest sequence, forward and backward. Shorter sequences of a batch are filled up with tokens
0, whose losses have weight 0; weights are inputs, as tokens and targets are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import autograd
from autograd.compiler import RecordingError
from autograd.compiler.backend import Numbers, Settings, Words, code
from autograd.compiler.flat_graph import FlatGraph, flatten
from autograd.compiler.lending import Reader
from autograd.compiler.tracing import Tracer, tracer, tracing
from autograd.interrupts import uninterrupted
from nn.losses import Loss, cross_entropy, is_sum, nll_loss, telling, weight_times
from nn.module import Module, modes_kept
from nn.training.compiled import CompiledTraining, Recording
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.kept import keep, kept
from nn.training.native_step import Call, FixedLeaves, MovedNumbers, NativeStep
from nn.training.sequences import Sequences, as_positions
from nn.training.settings import Snapshot, foreign, generators_kept, loss_settings
from nn.training.traced import Traced, differ

# The recording


@dataclass
class TracedSequence(Traced):
    """The graph of a sequence: the losses of its first positions, and a row of outputs for each position.

    Attributes:
        lengths: of how many positions each loss is, in rising order.
        errors: the losses.
    """

    lengths: Sequence[int] = ()
    errors: Sequence[Any] = ()

    def outputs(self) -> list[Any]:
        """The losses, then the rows."""
        return [*self.errors, *(x for row in self.predictions for x in row)]

    def of(self, number: int) -> tuple[int, ...]:
        """The outputs of a run for loss `number` alone: that loss, and the rows of its positions."""
        width, first = len(self.predictions[0]), len(self.errors)
        return number, *range(first, first + self.lengths[number] * width)


def traced_sequence(model: Module, lengths: Sequence[int], loss: Loss | None) -> TracedSequence:
    """Records what the model says about a sequence, and how wrong that is, for sequences of these lengths.

    Without a loss each length has a sum of the rows in its place: something that needs them, so that they run.

    Raises:
        RecordingError: the model cannot be recorded, or what it says about a position depends on later ones.
    """
    longest = lengths[-1]
    with tracing() as session:
        tokens, targets, weights = ([tracer(0.0) for _ in range(longest)] for _ in range(3))
        rows = _rows(model, tokens)
        losses = list(map(autograd.sum, rows)) if loss is None else _losses(loss, rows, targets)
        terms = list(map(weight_times, weights, losses))
        errors = [autograd.sum(terms[:length]) for length in lengths]
    if session.draws or session.notices:
        what = "draws random numbers" if session.draws else "looks at whole batches"
        raise RecordingError(f"the model {what}, which only the eager engine does for sequences")
    return TracedSequence(session, [tokens, targets, weights], rows, errors[-1], lengths, errors)


def _rows(model: Module, tokens: list[Tracer]) -> list[list[Any]]:
    return list(map(list, as_positions(model([list(tokens)])[0], len(tokens))))


def _losses(loss: Loss, rows: list[list[Any]], targets: list[Tracer]) -> list[Any]:
    """The loss of each position."""
    if loss in (cross_entropy, nll_loss):
        return list(map(loss, rows, targets))  # without the mean over one position
    return [loss([row], [target]) for row, target in zip(rows, targets, strict=True)]


def check_causal(graph: TracedSequence, flat: FlatGraph) -> None:
    """Raises RecordingError if what the model says about a position depends on a later token."""
    longest, width = graph.lengths[-1], len(graph.predictions[0])
    latest = [-1] * flat.slots  # the last token on which a slot depends
    latest[:longest] = range(longest)
    operands, starts = flat.operands.tolist(), flat.starts.tolist()
    for k in range(len(flat.codes)):
        latest[flat.leaves + k] = max(map(latest.__getitem__, operands[starts[k] : starts[k + 1]]), default=-1)
    for place, slot in enumerate(flat.outputs[len(graph.errors) :]):
        if latest[slot] > place // width:
            raise RecordingError(
                f"the model is not causal: what it says about token {place // width} depends on token {latest[slot]}, "
                f"so that no recording holds for sequences of other lengths"
            )


def check_prefix(model: Module, graph: TracedSequence, length: int) -> None:
    """Raises RecordingError if a shorter sequence gets other outputs than the beginning of a longer one."""
    check_causal(graph, flatten(graph.outputs(), graph.leaves()))
    with tracing() as session:
        tokens = [tracer(0.0) for _ in range(length)]
        rows = _rows(model, tokens)
    alone = Traced(session, [tokens], rows)
    beginning = Traced(graph.session, [graph.inputs[0][:length]], graph.predictions[:length])
    if differ(model, alone, beginning):
        raise RecordingError(
            f"what the model says about {length} tokens is not what it says about the first {length} of "
            f"{graph.lengths[-1]}, so that no recording holds for both"
        )


def lengths_of_losses(lengths: Sequence[int]) -> list[int]:
    """The lengths that get a loss of their own, in rising order: others are filled up by less than a tenth."""
    found: list[int] = []  # each costs 3 ms at block 16, 45 at 64 positions of two layers, when it is first needed
    for length in sorted(set(lengths), reverse=True):
        if not found or found[-1] >= 1.1 * length:
            found.append(length)
    return found[::-1]


# The numbers


@dataclass
class Padded:
    """Sequences as arrays, a row each, filled up to the longest.

    Attributes:
        lengths: of each sequence.
        tokens: a row each.
        wanted: targets, and then the weights of their losses.
        classes: the targets, and -1 where a sequence is filled up.
        places: those of the classes, counted row after row.
    """

    lengths: Words
    tokens: Numbers
    wanted: Numbers
    classes: Numbers
    places: Words

    def answers(self, order: Words, width: int) -> Any:
        """Which of the first `width` positions of these sequences there are: true and false, a row each."""
        return np.arange(width) < self.lengths[order][:, None]


def padded(sequences: Examples, longest: int, loss: Loss) -> Padded:
    """Sequences as arrays."""
    lengths = np.array(list(map(len, sequences.rows)), np.int64)
    there = np.arange(longest) < lengths[:, None]
    tokens, classes = np.zeros(there.shape), np.full(there.shape, -1.0)
    tokens[there] = [token for row in sequences.rows for token in row]
    classes[there] = [target for row in sequences.targets for target in row]
    weights = there / (1.0 if is_sum(loss) else lengths[:, None])
    if sequences.weights is not None:
        weights *= np.asarray(sequences.weights)[:, None]
    return Padded(
        lengths,
        tokens,
        np.concatenate([np.where(there, classes, 0.0), weights], axis=1),
        classes,
        np.arange(classes.size).reshape(classes.shape),
    )


# Learning


@dataclass
class Steps:
    """Some batches of sequences that were learned from.

    Attributes:
        order: the places of the sequences.
        errors: the loss of each batch.
        answers: how many positions they have.
        predictions: the outputs for each position, if somebody wants them.
        count: how many of them were right; None where the task is no classification.
    """

    order: Words
    errors: list[float]
    answers: int
    predictions: Any
    count: float | None

    def right(self, loss: Loss) -> float | None:
        """How many of the answers were right."""
        return self.count


class SequenceStep(NativeStep):
    """A training step on sequences in native code, with calls for each length and number of sequences.

    Arguments:
        graph: the recording.
        others: as for `NativeStep`.
    """

    graph: TracedSequence

    def __init__(self, graph: TracedSequence, *others: Any) -> None:
        super().__init__(graph, *others)
        check_causal(graph, self.flat)
        self._calls: dict[tuple[int, int], SequenceCall] = {}

    @cached_property
    def evaluation(self) -> "SequenceModel":
        """The same recording without derivatives."""
        return SequenceModel(self.graph)

    def call(self, data: Padded, number: int, size: int, scalars: int) -> "SequenceCall":
        """What runs batches of so many sequences, of at most the length of loss `number`. `forget` ends it."""
        if (number, size) not in self._calls:
            self._calls[number, size] = SequenceCall(self, data, number, size, scalars)
        return self._calls[number, size]

    def forget(self) -> None:
        """Lets go of the sequences."""
        self._calls = {}


class SequenceCall(Call):
    """A step for batches of so many sequences, written down once.

    Attributes:
        positions: of the longest sequence.
        outputs: the outputs for each position, a row for each sequence.
    """

    def __init__(self, step: SequenceStep, data: Padded, number: int, size: int, scalars: int) -> None:
        super().__init__(step, data.tokens, data.wanted, size, scalars, step.graph.of(number))
        self.positions = step.graph.lengths[number]
        self.outputs = self.results.outputs[:, 1:].reshape(size, self.positions, step.width)
        self._places = data.places[:, : self.positions]
        self._rows = self.outputs[0] if size == 1 else np.empty((size * self.positions, step.width))
        self._counter = code().RightCounter(self._rows, data.classes)

    def learn(self, step: SequenceStep, places: Words, scalars: Numbers, moved: MovedNumbers) -> None:
        """A step from the sequences in these places."""
        self.order[:] = places
        self.scalars[0, : len(scalars)] = scalars
        step.stepper.run(moved.optimizer, self.run)
        if not moved.are_moved_natively:
            step.remember_factor(self.scalars)
            moved.step()

    def right(self) -> int:
        """How many positions were classified right."""
        if len(self.order) == 1:
            return int(self._counter.count(None, self._places[self.order[0]]))
        self._rows[:] = self.outputs.reshape(self._rows.shape)
        return int(self._counter.count(None, self._places[self.order].reshape(-1)))


class CompiledSequences(CompiledTraining):
    """Runs the epochs of a training run on sequences, and the model on other ones, in native code.

    Arguments:
        arguments: as for `CompiledTraining`; the examples are `Sequences`.

    Raises:
        RecordingError: the model cannot be recorded, or is not causal.
    """

    def _load(self, examples: Examples) -> None:
        """The sequences, as native code reads them."""
        assert isinstance(examples, Sequences)
        lengths = list(map(len, examples.rows))
        if self.held_out is not None:
            lengths += map(len, self.held_out.rows)
        self._lengths = lengths_of_losses(lengths)
        self._data = padded(examples, self._lengths[-1], self.loss)
        self.targets = np.asarray(examples.answers().targets, np.float64)[:, None]
        self._number_of = np.searchsorted(self._lengths, self._data.lengths)  # the loss that each sequence needs
        self._keeps_outputs = bool(self.figures.names) or examples.sample_weight is not None
        self._shortest = min(lengths)

    @property
    def _key(self) -> Any:
        """Equal to that of another run if the same recording serves for both."""
        shape = *self._lengths, self.batch_size, self.max_grad_norm
        return "sequences", shape, loss_settings(self.loss), *self._settings

    def _programs(self) -> Recording:
        """The program of a step, of the model as it is in training mode."""
        graph = traced_sequence(self._traced, self._lengths, self.loss)
        if not self._is_own:
            check_prefix(self._traced, graph, self._shortest)
        settings = Settings(self.batch_size, mean=not is_sum(self.loss))
        return Recording(SequenceStep(graph, self.optimizer, settings, self.max_grad_norm))

    def _gradient(self, size: int, data: Numbers) -> tuple[float, Numbers]:
        step, number = self._sequence_step, int(self._number_of[:size].max())
        return step.gradient(self._data.tokens, self._data.wanted, np.arange(size), data, step.graph.of(number))

    @property
    def _sequence_step(self) -> SequenceStep:
        step = self._recording.alone
        assert isinstance(step, SequenceStep)
        return step

    def _steps(self, order: Words, size: int, moved: MovedNumbers, rates: list[float] | None) -> Steps:
        """Steps for some batches, the last of which may be smaller."""
        step, starts = self._sequence_step, range(0, len(order), size)
        numbers = np.maximum.reduceat(self._number_of[order], starts).tolist()
        scalars = moved.scalars(len(numbers), rates)
        if self._classifies is None:
            self._classifies = self._tells_classes(step.width)
        rows = np.broadcast_to(scalars, (len(numbers), scalars.shape[1]))
        errors, outputs, right = [], [], 0
        with uninterrupted():
            moved.give(step)
            step.load_fixed()
            for start, number, row in zip(starts, numbers, rows, strict=True):  # 9 us a step beside native code
                places = order[start : start + size]
                call = step.call(self._data, number, len(places), len(row))
                call.learn(step, places, row, moved)
                errors.append(float(call.results.errors[0]))
                if self._classifies:
                    right += call.right()
                if self._keeps_outputs:
                    outputs.append(call.outputs[self._data.answers(places, call.positions)])
            step.remember_factor(call.scalars)
        predictions = np.concatenate(outputs) if outputs else None
        count = float(right) if self._classifies else None
        return Steps(order, errors, int(self._data.lengths[order].sum()), predictions, count)

    # Other sequences

    def _compiles(self, examples: Examples) -> bool:
        """Always: the recording is there already."""
        return True

    def _evaluation_of(self, examples: Examples) -> Any:
        """The model in evaluation mode, in native code."""
        assert isinstance(examples, Sequences)
        if self._is_own:
            return self._sequence_step.evaluation  # a model that draws nothing computes the same in both modes
        with generators_kept(self.model), modes_kept(self._traced.modules()):
            self._traced.eval()
            return SequenceModel(traced_sequence(self._traced, self._lengths, self.loss))


class SequenceModel:
    """A model of sequences in native code, without derivatives.

    Arguments:
        graph: what was recorded.

    Raises:
        RecordingError: the model is not causal.
    """

    def __init__(self, graph: TracedSequence) -> None:
        self._graph = graph
        flat = flatten(graph.outputs(), graph.leaves())
        check_causal(graph, flat)
        self._backend = code().ProgramBackend(flat)
        self._reader, self._fixed = Reader(flat.parameters), FixedLeaves(flat.parameters, graph.session)

    def figures(self, figures: Figures, sequences: Examples) -> dict[str, Any]:
        """The figures on sequences that are no longer than the recording."""
        assert isinstance(sequences, Sequences)
        answers = sequences.answers()
        if len(telling(figures.loss, answers.targets, len(self._graph.predictions[0]))) > 1:
            raise ValueError("a target is not allowed")
        errors, rows = self._run(sequences, figures.loss)
        error = errors.sum() if is_sum(figures.loss) else errors.mean()
        outputs = np.concatenate(rows)
        return figures.of(float(error), outputs, answers.targets, answers.sample_weight)

    def outputs(self, sequences: Sequences) -> list[Any]:
        """The outputs for each sequence: a list of rows of floats."""
        return [rows.tolist() for rows in self._run(sequences, cross_entropy)[1]]

    def _run(self, sequences: Sequences, loss: Loss) -> tuple[Numbers, list[Numbers]]:
        """The loss of each sequence, and its outputs, a row for each position. Those of one length run together."""
        lengths, width = self._graph.lengths, len(self._graph.predictions[0])
        data = padded(sequences, lengths[-1], loss)
        inputs = np.concatenate([data.tokens, data.wanted], axis=1)
        numbers = np.searchsorted(lengths, data.lengths)
        errors, found = np.empty(len(inputs)), [np.empty((0, 0))] * len(inputs)
        self._fixed.refresh()
        for number in np.unique(numbers).tolist():
            (places,) = np.nonzero(numbers == number)
            results, _ = self._backend.run(
                inputs[places], self._reader.numbers(), gradient=False, outputs=self._graph.of(number)
            )
            errors[places] = results[:, 0]
            for place, row in zip(places.tolist(), results[:, 1:], strict=True):
                found[place] = row.reshape(-1, width)[: data.lengths[place]]
        return errors, found


def sequence_model(model: Module, sequences: Sequences, loss: Loss | None = None) -> SequenceModel:
    """The program that is kept with a model of nn's own, or a new one.

    Arguments:
        sequences: what it is to run on.
        loss: computed too, if there is one.

    Raises:
        RecordingError: the model cannot be recorded, is not causal, or is of one's own.
    """
    if foreign(model, loss):
        raise RecordingError("code of one's own is recorded for training alone")
    lengths = lengths_of_losses(list(map(len, sequences.rows)))
    key = "sequences in evaluation", tuple(lengths), None if loss is None else loss_settings(loss), Snapshot(model)
    found: SequenceModel | None = kept(model, key)
    if found is None:
        with modes_kept(model.modules()), generators_kept(model):
            model.eval()
            found = SequenceModel(traced_sequence(model, lengths, loss))
        keep(model, key, found)
    return found
