"""What are sequences to `fit`? Examples of several positions: tokens, with a target for each, of any length.

A model that takes sequences gives a row of outputs for each token, `model([3, 1, 2])` three rows. The loss of a
sequence is that of its rows and targets, the mean over its positions; the loss of a batch is the mean over its
sequences. Accuracy and metrics are those of all positions. `fit`, `predict` and `evaluate` ask `given_examples`, and
have everything else from `Sequences`; `compiled_sequences.py` trains them in native code.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from autograd import no_grad
from autograd.reals import real_or_none, shown
from nn.arguments import check_error
from nn.datasets.tables import as_column, listed, part
from nn.losses import Loss, mean_of, telling
from nn.module import Module
from nn.training.examples import Examples, examples_of, sample_weights
from nn.training.figures import Figures
from nn.training.outputs import error_of, evaluated, numbers_of


@dataclass(frozen=True, eq=False)
class Sequences(Examples):
    """Examples whose rows are lists of tokens, and whose targets are lists as long."""

    def error(self, loss: Loss, predictions: Any) -> Any:
        """The loss of the sequences: the mean of what it is for each, times its weight if there are weights."""
        trios = zip(self.rows, predictions, self.targets, strict=True)
        terms = [loss(as_positions(rows, len(tokens)), targets) for tokens, rows, targets in trios]
        return mean_of(loss, terms, self.weights)

    def in_rows(self, predictions: Any) -> list[Any]:
        """What a model says, a row of outputs for each position of each sequence."""
        return [
            row for tokens, rows in zip(self.rows, predictions, strict=True) for row in as_positions(rows, len(tokens))
        ]

    def answers(self) -> Examples:
        """The positions as examples: what each has for a target, and its sequence for a weight."""
        targets = as_column([target for row in self.targets for target in row])
        if self.sample_weight is None:
            return Examples(targets, targets)
        pairs = zip(self.targets, listed(self.sample_weight), strict=True)
        weights = as_column([weight for row, weight in pairs for _ in row])
        return Examples(targets, targets, weights, weights)

    def classes(self, loss: Loss) -> None:
        """None: a sequence belongs to no class, though each of its targets may be one."""
        return


def as_positions(outputs: Any, count: int) -> list[Any]:
    """The outputs of a sequence as a row for each position; a single row is given bare by `Module`.

    Raises:
        ValueError: there are more or fewer rows than positions.
    """
    rows = list(outputs) if count > 1 or (len(outputs) and isinstance(outputs[0], list | tuple)) else [outputs]
    if len(rows) != count:
        raise ValueError(
            f"a model of sequences gives a row of outputs for each token; got {len(rows)} for {count} tokens"
        )
    return rows


# What was given


def given_examples(model: Module, X: Any, Y: Any, sample_weight: Any = None, name: str = "X") -> Examples:
    """The examples, checked: sequences if the model takes those, otherwise rows of numbers.

    Raises:
        ValueError, TypeError: they do not fit together, or are empty.
    """
    if not takes_sequences(model, Y):
        return examples_of(X, Y, sample_weight, name)
    sequences, targets = tokens_of(X, name), _items(Y, "Y")
    if len(sequences) != len(targets):
        raise ValueError(f"{name} has {len(sequences)} sequences but Y has {len(targets)}: pass one of Y for each")
    wanted = [_targets(row, tokens, i, name) for i, (tokens, row) in enumerate(zip(sequences, targets, strict=True))]
    weights = sample_weights(sample_weight, len(sequences))
    return Sequences(sequences, wanted, weights, weights)


def takes_sequences(model: Module, Y: Any = None) -> bool:
    """Whether the model gives a row for each token. It is asked for tokens 0, which every vocabulary has.

    Arguments:
        Y: the targets. Where each is a single number the model is not asked.
    """
    if Y is not None and not any(map(_is_row, _first(Y))):
        return False
    for tokens in ([0, 0], [0]):  # a model may look at no more than one
        with suppress(Exception), no_grad():  # what takes other examples may raise anything
            (rows,) = evaluated(model, [tokens])
            return len(rows) == len(tokens) and all(isinstance(row, list | tuple) for row in rows)
    return False


def are_tokens(X: Any) -> bool:
    """Whether the first example is a row of whole numbers of at least 0, as tokens are."""
    row = _first(X)
    first = listed(row[0]) if len(row) else None
    return isinstance(first, list | tuple) and all(
        x == x and x >= 0 and x % 1 == 0 for x in first if isinstance(x, int | float)
    )


def tokens_of(X: Any, name: str = "X") -> list[list[int]]:
    """Sequences of tokens, as lists of whole numbers.

    Raises:
        ValueError, TypeError: there are none, one is empty, or a token is no whole number of at least 0.
    """
    sequences = [_tokens(row, f"{name}[{i}]") for i, row in enumerate(_items(X, name))]
    if not sequences:
        raise ValueError(f"{name} needs at least one sequence; got none")
    return sequences


def _tokens(row: Any, name: str) -> list[int]:
    tokens = _items(row, name)
    if not tokens:
        raise ValueError(f"{name} is a sequence without tokens: leave it out, or begin each with a token of its own")
    if set(map(type, tokens)) != {int}:
        tokens = [_token(token, f"{name}[{k}]") for k, token in enumerate(tokens)]
    if min(tokens) < 0:
        place = next(k for k, token in enumerate(tokens) if token < 0)
        raise ValueError(f"tokens are whole numbers of at least 0; {name}[{place}] is {tokens[place]}")
    return tokens


def _token(token: Any, name: str) -> int:
    number = None if isinstance(token, bool) else real_or_none(token)
    if number is None or not number.is_integer():
        raise ValueError(f"tokens are whole numbers of at least 0; {name} is {shown(token)}")
    return int(number)


def _targets(row: Any, tokens: list[int], place: int, name: str) -> list[Any]:
    targets = _items(row, f"Y[{place}]")
    if len(targets) != len(tokens):
        raise ValueError(
            f"a sequence has a target for each token; {name}[{place}] has {len(tokens)} tokens and Y[{place}] "
            f"{len(targets)} targets"
        )
    if set(map(type, targets)) <= {int, float}:
        return targets
    found: list[Any] = listed(as_column(targets, f"Y[{place}]"))
    return found


def _first(x: Any) -> Any:
    """The first item of a list, an array or a frame, in a list; nothing where there is none."""
    x = x.to_numpy() if hasattr(x, "to_numpy") else x
    return x[:1] if isinstance(x, Sequence) or getattr(x, "ndim", 0) > 0 else []


def _is_row(x: Any) -> bool:
    return (isinstance(x, Sequence) and not isinstance(x, str)) or getattr(x, "shape", ()) != ()


def _items(x: Any, name: str) -> list[Any]:
    """The items of a list or an array."""
    x = x.to_numpy() if hasattr(x, "to_numpy") else x
    x = x.tolist() if hasattr(x, "tolist") else x
    if not isinstance(x, list | tuple):
        raise TypeError(f"{name} takes a list, such as of tokens; got {shown(x)} ({type(x).__name__})")
    return list(x)


# Before the first step


def try_out(model: Module, examples: Sequences, held_out: Examples | None, figures: Figures) -> None:
    """Tokens through the model and targets through the loss, so that what does not fit fails at once."""
    shortest = examples.at([min(range(len(examples)), key=lambda i: len(examples.rows[i]))])
    check_error(shortest.error(figures.loss, evaluated(model, shortest.rows)))
    for sequences in (examples, held_out):
        if sequences is not None:
            _check(model, sequences, figures)


def _check(model: Module, sequences: Examples, figures: Figures) -> None:
    """All targets through the loss, and through the model the longest sequence, and one with the largest token."""
    longest, largest = max(sequences.rows, key=len), max(sequences.rows, key=max)
    for tokens in [longest, largest] if max(largest) not in longest else [longest]:
        with no_grad():
            rows = as_positions(evaluated(model, [tokens])[0], len(tokens))
    row, targets = numbers_of(rows[:1]), sequences.answers().targets
    tried = listed(part(targets, telling(figures.loss, targets, len(row[0]))))
    error_of(figures.loss, row * len(tried), tried)
    if figures.names:
        figures.check(row, targets)
