"""What does a training step compute? Its graph, traced on examples; and whether each example has a part of its own."""

import random
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from math import isclose
from typing import Any

import autograd
from autograd import Value
from autograd.compiler.flat_graph import flatten
from autograd.compiler.tracing import Session, Tracer, tracer, tracing
from nn.arguments import check_error
from nn.losses import Loss, known_loss, weighted
from nn.module import Module, Row
from nn.own import is_own
from nn.training.examples import Examples
from nn.training.outputs import error_of


@dataclass
class Traced:
    """The graph of a training step on some examples, or of the outputs alone.

    Attributes:
        session: what it uses beside its inputs.
        inputs: the Tracers of each example, then those of each target, with its weight if it has one.
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
        """The outputs of the program: the loss, the predictions, and what layers want to know."""
        noticed = [value for _, values in self.session.notices for value in values]
        return [*([] if self.error is None else [self.error]), *(x for row in self.predictions for x in row), *noticed]


def traced(
    model: Module,
    rows: Sequence[Row],
    targets: Sequence[Any] = (),
    loss: Loss | None = None,
    weights: Sequence[float] | None = None,
) -> Traced:
    """Traces what the model computes for some examples, and with a loss how wrong that is."""
    with tracing() as session:
        inputs = [list(map(tracer, row)) for row in rows]
        wanted = [list(map(tracer, t)) if isinstance(t, list) else tracer(t) for t in targets]
        counting = None if weights is None else list(map(tracer, weights))
        predictions = list(model([list(row) for row in inputs]))
        error = None if loss is None else weighted(loss, predictions, wanted, counting)
    if loss is not None:
        check_error(error)
    as_rows = [list(row) if isinstance(row, list | tuple) else [row] for row in predictions]
    as_lists = [t if isinstance(t, list) else [t] for t in wanted]
    if counting is not None:
        as_lists = [[*t, weight] for t, weight in zip(as_lists, counting, strict=True)]
    return Traced(session, [*inputs, *as_lists], as_rows, error)


def one_by_one(model: Module, examples: Examples, loss: Loss, sizes: Iterable[int]) -> tuple[Traced, bool] | None:
    """The graph of one example, if a batch is nothing but its examples side by side; otherwise None.

    The loss has to be the mean, or the sum, of terms that each depend on one example only. The layers and losses of nn
    that mix examples refuse a single one, or notice their statistics. With a module or a loss of one's own a batch of
    two is traced, and each example must come out as one does alone. What may treat other sizes otherwise is asked for
    those too: modules of one's own that get whole batches are traced with them; a loss of one's own is called with
    plain numbers.

    Arguments:
        examples: some, as lists.
        sizes: the sizes of the batches.

    Returns:
        the graph, and whether the loss of a batch is the mean of those of its examples (or else their sum).
    """
    try:
        alone = _repeated(model, examples, loss, 1)
    except ValueError:  # batch normalisation in training takes at least two
        return None
    reduction = alone.error.operation
    if reduction not in ("mean", "sum") or alone.session.notices:
        return None
    if known_loss(loss) and all(map(is_own, model.modules())):
        return alone, reduction == "mean"
    constants = _made_anew(alone, model, lambda: _repeated(model, examples, loss, 1))
    expected = fingerprint([*alone.error.operands, *alone.predictions[0]], alone.leaves(), constants)
    for size in sorted({2, *sizes}) if _gets_batches(model) else [2]:
        together = _repeated(model, examples, loss, size)
        constants = _made_anew(together, model, partial(_repeated, model, examples, loss, size))
        if together.error.operation != reduction or not _are_side_by_side(together, size, expected, constants):
            return None
    if not known_loss(loss) and examples.weights is None:  # with weights it is called for one example at a time
        width = len(alone.predictions[0])
        if not all(_is_reduced(loss, reduction, width, examples.targets[:size]) for size in sizes):
            return None
    return alone, reduction == "mean"


def _repeated(model: Module, examples: Examples, loss: Loss, size: int) -> Traced:
    """The graph of a batch that is the first example, so many times."""
    first = examples.at([0] * size)
    return traced(model, first.rows, first.targets, loss, first.weights)


def _gets_batches(model: Module) -> bool:
    """Whether a module of one's own may do something else with a batch than with its examples."""
    return any(
        type(x).forward_batch is not Module.forward_batch or type(x).__call__ is not Module.__call__
        for x in model.modules()
        if not is_own(x)
    )


def _is_reduced(loss: Loss, reduction: str, width: int, targets: list[Any]) -> bool:
    """Whether the loss of a batch of this size is the mean or the sum of those of its examples, for some numbers."""
    rng = random.Random(0)
    rows = [[rng.uniform(0.1, 0.9) for _ in range(width)] for _ in targets]  # may be probabilities too
    predictions = [row if width > 1 else row[0] for row in rows]
    try:
        errors = [_number(loss, [p], [t]) for p, t in zip(predictions, targets, strict=True)]
        together = _number(loss, predictions, targets)
    except Exception:  # it does not take these numbers
        return False
    expected = sum(errors) / (len(errors) if reduction == "mean" else 1)
    return isclose(together, expected, rel_tol=1e-9, abs_tol=1e-300)


def _number(loss: Loss, predictions: list[Any], targets: list[Any]) -> float:
    error = error_of(loss, predictions, targets)
    return float(error.data if isinstance(error, Value) else error)


def _are_side_by_side(together: Traced, size: int, expected: tuple[Any, ...], constants: Set[Value]) -> bool:
    """Whether each example of a batch has terms of its own in the loss, with the expected fingerprint."""
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
        if fingerprint([*part, *together.predictions[k]], leaves, constants) != expected:
            return False
    return True


def _reached(outputs: Sequence[Any]) -> set[Value]:
    """The leaves on which the outputs depend."""
    return {leaf for output in outputs if isinstance(output, Value) for leaf in autograd.leaves(output)}


def _made_anew(graph: Traced, model: Module, again: Callable[[], Traced]) -> set[Value]:
    """The Values that code of one's own makes each time, such as the Value(0.0) from which it sums.

    Arguments:
        again: records the same once more. What is in one of the recordings alone was made for it.
    """
    unknown = _reached(graph.outputs()) - set(graph.leaves()) - set(model.parameters())
    return unknown - _reached(again().outputs()) if unknown else set()


def differ(model: Module, first: Traced, second: Traced) -> bool:
    """Whether two recordings of the same model compute something else."""
    prints = [
        fingerprint(x.outputs(), x.leaves(), _made_anew(x, model, lambda y=y: y))  # type: ignore[misc]
        for x, y in ((first, second), (second, first))
    ]
    return prints[0] != prints[1]


def fingerprint(
    outputs: Sequence[Any], leaves: Sequence[Tracer], constants: Set[Value] = frozenset()
) -> tuple[Any, ...]:
    """What tells one graph from another: the instructions, the parameters and the constants.

    Arguments:
        constants: the leaves that stand for nothing but their numbers.
    """
    graph = flatten([x for x in outputs if isinstance(x, Value)], leaves)
    arrays = [x.tobytes() for x in (graph.codes, graph.operands, graph.starts)]
    parameters = [repr(x.data) if x in constants else id(x) for x in graph.parameters]
    leaves_and_constants = parameters, list(map(repr, graph.constants))
    return graph.operations, arrays, graph.outputs, *leaves_and_constants
