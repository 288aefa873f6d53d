"""What does a model say about examples, and how well does it do? Its outputs, its loss and its accuracy.

Many examples run in native code, where that can be; `outputs.py` does the same in Python.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from nn.datasets.tables import as_table, listed
from nn.losses import Loss, LossName, loss_function
from nn.module import Module, check_module
from nn.training.engine import why_not_compiled
from nn.training.examples import check_weights
from nn.training.figures import Figures, MetricLike, figures_asked
from nn.training.outputs import figures_of, is_much, outputs_of
from nn.training.sequences import Sequences, are_tokens, as_positions, given_examples, takes_sequences, tokens_of


def predict(model: Module, X: Any) -> list[Any]:
    """The model's outputs for each example, as floats, in evaluation mode.

    Many examples run in native code where it is installed; the outputs may differ from the eager ones in the last bits.
    A model keeps its last programs, so that the next call does not compile again. Whatever cannot be recorded, and
    whatever is inside `strict()`, runs in Python.

    Arguments:
        model: a trained model; afterwards it is in the mode in which it was before.
        X: the examples: a list of rows, a NumPy array or a data frame; for a model of sequences lists of tokens.

    Returns:
        for each example a list of floats, or one float where the model has a single output; for a sequence a list of
        floats for each token.

    >>> import random
    >>> from nn import MLP
    >>> predict(MLP(2, [3], rng=random.Random(0)), [[0.0, 0.0]])
    [[0.0, 0.0, 0.0]]
    """
    check_module("predict takes", model, "call its own predict(X)")
    if are_tokens(X) and takes_sequences(model):
        tokens = tokens_of(X)
        return _outputs_of_sequences(model, Sequences(tokens, tokens))
    rows = as_table(X)
    if _pays(model, rows):
        from nn.training.compiled_model import outputs_for

        with suppress(Exception):  # what cannot be recorded, or is wrong, the eager engine does, or says in its words
            return outputs_for(model, rows)
    return outputs_of(model, listed(rows))


def evaluate(
    model: Module,
    X: Any,
    Y: Any,
    *,
    loss: Loss | LossName,
    sample_weight: Any = None,
    metrics: Iterable[MetricLike] = (),
) -> dict[str, float]:
    """The loss, and for a classification the accuracy, of the model on examples that it does not learn from.

    Arguments:
        model: a trained model; afterwards it is in the mode in which it was before.
        X: the examples: a list of rows, a NumPy array or a data frame; or sequences, as for `fit`.
        Y: a target for each: classes, numbers, or rows of numbers; for sequences a list of targets.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.
        sample_weight: how much each example counts, in the loss and in every other figure, as for `fit`.
        metrics: what else to compute, as for `fit`.

    Returns:
        {"loss": ..., "accuracy": ..., ...}.

    >>> from nn import MLP
    >>> figures = evaluate(MLP(1, [2], init=lambda *_: 0.0), [[0.0]], [1], loss="cross_entropy")
    >>> round(figures["loss"], 6)
    0.693147
    """
    check_module("evaluate takes", model)
    figures = figures_asked(loss_function(loss), metrics)
    if figures.has_matrix:
        raise ValueError(
            "evaluate gives numbers; for the matrix call nn.metrics.confusion_matrix(predict(model, X), Y)"
        )
    examples = given_examples(model, X, Y, sample_weight)
    check_weights(examples, "the examples")
    if isinstance(examples, Sequences):
        return _figures_of_sequences(model, examples, figures)
    if _pays(model, examples.rows):
        from nn.training.compiled_model import figures_for

        with suppress(Exception):
            return figures_for(model, examples, figures)
    return figures_of(figures, outputs_of(model, listed(examples.rows)), examples)


def _outputs_of_sequences(model: Module, sequences: Sequences) -> list[Any]:
    if _pays(model, [token for tokens in sequences.rows for token in tokens]):
        from nn.training.compiled_sequences import sequence_model

        with suppress(Exception):
            return sequence_model(model, sequences).outputs(sequences)
    pairs = zip(outputs_of(model, sequences.rows), sequences.rows, strict=True)
    return [as_positions(rows, len(tokens)) for rows, tokens in pairs]


def _figures_of_sequences(model: Module, sequences: Sequences, figures: Figures) -> dict[str, Any]:
    if _pays(model, sequences.answers().rows):
        from nn.training.compiled_sequences import sequence_model

        with suppress(Exception):
            return sequence_model(model, sequences, figures.loss).figures(figures, sequences)
    return figures_of(figures, outputs_of(model, sequences.rows), sequences)


FEW = 32
"""So many examples the eager engine computes while a program is made."""


def _pays(model: Module, rows: Any) -> bool:
    """Whether to compile: only by the number of examples and the size of the model, so that the same call always
    gives the same bits."""
    return len(rows) >= FEW and is_much(model, rows) and not why_not_compiled()
