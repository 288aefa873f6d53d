"""How well can one guess the next token from the last one alone? By counting what follows what.

Such a bigram model is the least that a language model has to beat. (Shannon, 1948: "A Mathematical Theory of
Communication" draws letters of English so.)
"""

from collections.abc import Sequence
from math import inf, log
from typing import Any

from autograd.reals import shown
from nn.randomness import Seed, random_source
from nn.tokenizer import CharTokenizer, vocabulary_of

SMOOTHINGS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""What is tried where no smoothing is given."""


class Bigram:
    """The shares of the tokens that follow each token, as they were counted.

    To each count something is added, or what never happened would be impossible: 1 in the rule of Laplace ("add-one
    smoothing"), and here what is best for every tenth sequence if the others are counted.

    Arguments:
        vocabulary: a tokenizer, its characters, or the number of tokens.
        X, Y: sequences of tokens, and the tokens that follow each, as `GPT.examples` gives them.
        smoothing: what is added to each count; None chooses it.

    Attributes:
        smoothing: what was added.
        probabilities: a row for each token: how likely each token is to follow it.

    Raises:
        ValueError: there is no sequence, or the smoothing is no number above 0.

    >>> model = Bigram(3, X=[[2, 0, 1], [2, 0]], Y=[[0, 1, 2], [0, 2]], smoothing=1.0)
    >>> model.probabilities[2]     # after 2 came 0, twice: (2 + 1) / (2 + 3)
    [0.6, 0.2, 0.2]
    >>> round(model.loss([[2, 0]], [[0, 1]]), 4)     # -(log 0.6 + log 0.4) / 2
    0.7136
    """

    def __init__(
        self,
        vocabulary: CharTokenizer | str | int,
        X: Sequence[Sequence[int]],
        Y: Sequence[Sequence[int]],
        smoothing: float | None = None,
    ) -> None:
        self.tokenizer, tokens = vocabulary_of(vocabulary)
        if not X:
            raise ValueError("a bigram model needs at least one sequence to count; got none")
        if smoothing is not None and not 0.0 < smoothing < inf:
            raise ValueError(f"smoothing takes a number above 0; got {shown(smoothing)}: give 1.0, or leave it out")
        self.smoothing = _best_smoothing(tokens, X, Y) if smoothing is None else smoothing
        self.probabilities = _shares(_counts(tokens, X, Y), self.smoothing)

    def loss(self, X: Sequence[Sequence[int]], Y: Sequence[Sequence[int]]) -> float:
        """How surprising the tokens of Y are, in nats: the mean over the positions, and of that over the sequences.

        Arguments:
            X, Y: sequences of tokens, and the tokens that follow each.

        Returns:
            what `nn.evaluate(gpt, X, Y, loss="cross_entropy")["loss"]` is for a GPT.
        """
        return _loss(self.probabilities, X, Y)

    def generate(self, rng: Seed = None, max_tokens: int = 100) -> Any:
        """A text, token by token, until one ends it; without a tokenizer the list of tokens."""
        source, bos = random_source(rng), len(self.probabilities) - 1
        tokens: list[int] = []
        last = bos
        while len(tokens) < max_tokens:
            (last,) = source.choices(range(bos + 1), weights=self.probabilities[last])
            if last == bos:
                break
            tokens.append(last)
        return tokens if self.tokenizer is None else self.tokenizer.decode(tokens)

    def __repr__(self) -> str:
        return f"Bigram({len(self.probabilities)} tokens, smoothing={self.smoothing:g})"


def _best_smoothing(tokens: int, X: Sequence[Sequence[int]], Y: Sequence[Sequence[int]]) -> float:
    """What suits every tenth sequence best, if the others are counted; 1 where there are too few to tell."""
    rest = [i for i in range(len(X)) if i % 10]
    if not rest:
        return 1.0
    counts = _counts(tokens, [X[i] for i in rest], [Y[i] for i in rest])
    return min(SMOOTHINGS, key=lambda smoothing: _loss(_shares(counts, smoothing), X[::10], Y[::10]))


def _counts(tokens: int, X: Sequence[Sequence[int]], Y: Sequence[Sequence[int]]) -> list[list[int]]:
    """How often each token follows each."""
    counts = [[0] * tokens for _ in range(tokens)]
    for row, following in zip(X, Y, strict=True):
        for token, target in zip(row, following, strict=True):
            counts[token][target] += 1
    return counts


def _shares(counts: Sequence[Sequence[int]], smoothing: float) -> list[list[float]]:
    """Each row of counts as shares, with the smoothing added to each count."""
    totals = [sum(row) + smoothing * len(row) for row in counts]
    return [[(count + smoothing) / total for count in row] for row, total in zip(counts, totals, strict=True)]


def _loss(probabilities: list[list[float]], X: Sequence[Sequence[int]], Y: Sequence[Sequence[int]]) -> float:
    """The mean over the sequences of the mean of -log of the probability of what follows."""
    losses = []
    for row, following in zip(X, Y, strict=True):
        pairs = zip(row, following, strict=True)
        losses.append(-sum(log(probabilities[token][target]) for token, target in pairs) / len(row))
    return sum(losses) / len(losses)
