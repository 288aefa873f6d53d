"""What does a model say about many examples, and how well does it do? In native code, for all of them side by side."""

import threading
from typing import Any

import numpy as np

from autograd.compiler import RecordingError, compile
from autograd.compiler.backend import Numbers
from autograd.graph import collector_paused
from nn.datasets.tables import listed
from nn.losses import Loss, known_loss, telling
from nn.module import Module, modes_kept
from nn.training.draws import Draws
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.kept import keep, kept
from nn.training.native_step import FixedLeaves, bare, unpacked, with_weights
from nn.training.outputs import error_of, figures_of, outputs_of
from nn.training.own_code import copied_where_it_is_foreign, what_it_reads
from nn.training.settings import Snapshot, foreign, generators_kept, loss_settings
from nn.training.traced import traced

ROUNDING = 1e-9
"""How far compiled and eager figures may be apart, as a share of their size, for code of one's own to be trusted."""

_recording = threading.RLock()
"""Held while a model is recorded, which puts it into evaluation mode for a while."""


class CompiledModel:
    """A model in evaluation mode, in native code.

    Arguments:
        model: what is recorded, now.
        examples: the first of them is what it is recorded with.
        loss: computed too, if there is one, of targets and weights such as that example has.

    Raises:
        RecordingError: the model decides something in Python by a number.
    """

    def __init__(self, model: Module, examples: Examples, loss: Loss | None = None) -> None:
        one = examples.at(slice(1)).listed()
        with modes_kept(model.modules()):
            model.eval()
            graph = traced(model, one.rows) if loss is None else traced(model, one.rows, one.targets, loss, one.weights)
        self._loss, self._reduction = loss, "" if graph.error is None else graph.error.operation
        self._agrees = loss is not None and (bool(known_loss(loss)) or one.weights is not None)
        self._program = compile(graph.outputs(), graph.leaves())
        self._leaves = FixedLeaves(self._program.parameters, graph.session)
        self._draws = Draws(graph.session)
        self._width = len(graph.predictions[0])

    def outputs(self, rows: Numbers) -> Numbers:
        """The outputs for each example, a row each."""
        return self._run(rows)[:, : self._width]

    def figures(self, figures: Figures, examples: Examples) -> dict[str, Any]:
        """The figures of a model that was recorded with its loss."""
        rows, targets = np.asarray(examples.rows, np.float64), np.asarray(examples.targets)
        wanted = with_weights(targets.reshape(len(rows), -1), examples.weights)
        found = self._run(np.concatenate([rows, wanted], axis=1))
        outputs = found[:, 1 : 1 + self._width]
        error = self._error(found[:, 0], outputs, examples.targets)
        return figures.of(error, bare(outputs), targets, examples.sample_weight)

    def _run(self, inputs: Numbers) -> Numbers:
        choices = self._draws.draw(np.empty((len(inputs), self._draws.count)), np.array([len(inputs)]))
        self._leaves.refresh()  # the program reads the leaves, also those that are lent to a training step
        found: Numbers = self._program(np.concatenate([inputs, choices], axis=1) if choices.shape[1] else inputs)
        return found

    def _error(self, errors: Numbers, outputs: Numbers, targets: Any) -> float:
        """The loss of all examples, from that of each; where this does not tell, from their outputs, in Python."""
        assert self._loss is not None
        together = float(errors.mean() if self._reduction == "mean" else errors.sum())
        if self._agrees and self._reduction in ("mean", "sum"):
            return together
        error = error_of(self._loss, unpacked(outputs), listed(targets))
        number = float(getattr(error, "data", error))
        # a loss of one's own may be another function of many examples than of one
        self._agrees = bool(np.isclose(together, number, ROUNDING, 0.0))
        return number


def outputs_for(model: Module, rows: Numbers) -> list[Any]:
    """The outputs for each example, as floats, from a program that is kept with the model.

    Raises:
        RecordingError: the model cannot be recorded.
        Exception: whatever the model raises for these examples; the eager engine raises it in the words that fit.
    """
    outputs = compiled_model(model, Examples(rows, None)).outputs(rows)
    with collector_paused():  # 100,000 rows take 30 ms in all, not 55
        return unpacked(outputs)


def figures_for(model: Module, examples: Examples, figures: Figures) -> dict[str, Any]:
    """The figures, from a program that is kept with the model.

    Raises:
        RecordingError: the model or the loss cannot be recorded.
        Exception: as for `outputs_for`.
    """
    if not known_loss(figures.loss) or foreign(model):
        return figures_of(figures, outputs_for(model, examples.rows), examples)
    compiled = compiled_model(model, examples, figures.loss)
    if len(telling(figures.loss, examples.targets, compiled._width)) > 1:
        raise ValueError("a target is not allowed")
    return compiled.figures(figures, examples)


def compiled_model(model: Module, examples: Examples, loss: Loss | None = None) -> CompiledModel:
    """The program that is kept with the model, or a new one.

    A program of modules of one's own is not kept: it has to prove for each call that it says what they say.
    """
    if foreign(model):
        return _proved(model, examples.rows)
    one = examples.at(slice(1)).listed()
    width = len(one.targets[0]) if loss is not None and isinstance(one.targets[0], list) else 0
    shape = len(one.rows[0]), width, loss is not None and one.weights is not None
    with _recording:
        key = "evaluation", shape, None if loss is None else loss_settings(loss), Snapshot(model)
        found: CompiledModel | None = kept(model, key)
        if found is None:
            with generators_kept(model):
                found = CompiledModel(model, examples, loss)
            keep(model, key, found)
    return found


def _proved(model: Module, rows: Numbers) -> CompiledModel:
    """A model with modules of one's own, which gives the same outputs as in Python for a few of the rows.

    Raises:
        RecordingError: it does not, or it may do more than compute.
    """
    with _recording, generators_kept(model, refuse=True):
        read = what_it_reads(model, None)
        recorded, _ = copied_where_it_is_foreign(model)
        before = Snapshot(recorded)
        found, again = (CompiledModel(recorded, Examples(rows, None)) for _ in range(2))
        few = rows[[0, len(rows) // 2, -1]]
        expected = np.array(outputs_of(recorded, few.tolist()), np.float64).reshape(len(few), -1)
        for program in found, again:
            if not np.allclose(program.outputs(few), expected, ROUNDING, ROUNDING, equal_nan=True):
                raise RecordingError("compiled, the model has other outputs than in Python")
        if what_it_reads(model, None) != read or Snapshot(recorded) != before:
            raise RecordingError("the model changes what it reads")
    return found
