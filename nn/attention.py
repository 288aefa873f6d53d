"""How does a position look at those before it? It compares its query with their keys, and mixes their values.

Each position of a sequence is a row of numbers. Three linear maps make of it a query, a key and a value. The dot
products of a position's query with the keys of all positions up to its own say how much it looks at each; softmax makes
shares of them. What it gets is the sum of the values, each times its share. A head does that with its own part of the
numbers; all heads' results go through one more linear map. (Vaswani et al., 2017: "Attention is all you need".)
"""

from math import sqrt
from typing import Any

from autograd import dot, softmax
from autograd.reals import as_count
from nn.init import Initialiser
from nn.linear import Linear
from nn.module import Module, Row, is_batch
from nn.own import own
from nn.randomness import Seed, random_source


class Cache:
    """The keys and values of the positions so far, a row for each; and what else was computed there, to be looked at.

    `scores`, `weights` and `mixed` have for each position a row for each head; `by_head` turns them round.
    """

    def __init__(self) -> None:
        self.keys: list[Row] = []
        self.values: list[Row] = []
        self.queries: list[Row] = []
        self.scores: list[list[Row]] = []
        self.weights: list[list[Row]] = []
        self.mixed: list[list[Row]] = []


def by_head(positions: list[list[Row]]) -> list[list[Row]]:
    """For each head a row for each position, from a row for each head for each position."""
    return [list(rows) for rows in zip(*positions, strict=True)]


class SequenceModule(Module):
    """A module that goes through a sequence position by position, and keeps the keys and values of those before.

    It takes the rows of a sequence, and gives a row for each; of a list of sequences it gives a list.
    """

    def following(self, row: Row, cache: Cache) -> Row:
        """What the next position gets, after those whose keys and values are kept; every subclass defines it."""
        raise NotImplementedError

    def forward_batch(self, rows: list[Any]) -> list[Any]:
        """The rows of one sequence; or a list of sequences."""
        if rows and is_batch(rows[0]):
            return [self.forward_batch(sequence) for sequence in rows]
        cache = Cache()
        return [self.following(row, cache) for row in rows]

    def forward(self, row: Row) -> Row:
        """A sequence of one position."""
        return self.following(row, Cache())


@own
class MultiHeadAttention(SequenceModule):
    """Causal self-attention: each position looks at itself and at those before it.

    It takes a sequence of T rows, and gives T rows.

    Arguments:
        n_embd: the length of a row.
        n_head: into how many heads its numbers are divided.
        init, rng: for the linear maps, which have no bias.

    Attributes:
        query, key, value, out: the four linear maps.

    Raises:
        ValueError: n_embd is no multiple of n_head.

    >>> attention = MultiHeadAttention(4, 2, rng=0)
    >>> rows = attention([[1.0, 0.0, 2.0, 1.0], [0.5, 1.0, 0.0, 1.0]])
    >>> len(rows), len(rows[0])
    (2, 4)
    """

    def __init__(self, n_embd: int, n_head: int, *, init: str | Initialiser | None = None, rng: Seed = None) -> None:
        self.n_embd, self.n_head = as_count(n_embd, "n_embd"), as_count(n_head, "n_head")
        if n_embd % n_head:
            raise ValueError(
                f"n_embd has to be a multiple of n_head; got {n_embd} and {n_head}: choose n_embd="
                f"{-(-n_embd // n_head) * n_head}, for instance"
            )
        source = random_source(rng)
        maps = [Linear(n_embd, n_embd, bias=False, init=init, rng=source) for _ in range(4)]
        self.query, self.key, self.value, self.out = maps

    def following(self, row: Row, cache: Cache) -> Row:
        """What the next position gets, after those whose keys and values are kept."""
        query = self.query.forward(row)
        cache.queries.append(query)
        cache.keys.append(self.key.forward(row))
        cache.values.append(self.value.forward(row))
        size = self.n_embd // self.n_head
        heads = [self._head(query, cache, slice(start, start + size)) for start in range(0, self.n_embd, size)]
        for kept, found in zip((cache.scores, cache.weights, cache.mixed), zip(*heads, strict=True), strict=True):
            kept.append(list(found))
        return self.out.forward([x for _, _, mixed in heads for x in mixed])

    def _head(self, query: Row, cache: Cache, part: slice) -> tuple[Row, Row, Row]:
        """What one head finds at a position: the scores, the shares that they become, and its part of the values, mixed
        by these."""
        scale = sqrt(len(query[part]))
        scores = [dot(query[part], key[part]) / scale for key in cache.keys]
        shares: Row = softmax(scores)
        mixed = [dot(shares, column) for column in zip(*(value[part] for value in cache.values), strict=True)]
        return scores, shares, mixed

    def weights(self, rows: list[Row]) -> list[list[Row]]:
        """For each head how much each position looks at those up to its own: row t has t + 1 shares."""
        cache = Cache()
        for row in rows:
            self.following(row, cache)
        return by_head(cache.weights)

    def parts(self, rows: list[Row]) -> tuple[list[Row], dict[str, Any]]:
        """What it gives for a sequence, and its parts by name, as `autograd.draw` and `explain` take them.

        >>> rows, parts = MultiHeadAttention(2, 1, rng=0).parts([[1.0, 0.0], [0.5, 1.0]])
        >>> list(parts)
        ['query', 'key', 'value', 'head 0.scores', 'head 0.softmax', 'head 0.weighted sum', 'out']
        """
        cache = Cache()
        outputs = [self.following(row, cache) for row in rows]
        found: dict[str, Any] = {"query": cache.queries, "key": cache.keys, "value": cache.values}
        heads = zip(*map(by_head, (cache.scores, cache.weights, cache.mixed)), strict=True)
        for number, (scores, weights, mixed) in enumerate(heads):
            found |= {f"head {number}.scores": scores, f"head {number}.softmax": weights}
            found[f"head {number}.weighted sum"] = mixed
        return outputs, found | {"out": outputs}

    def input_width(self, following: int | None = None) -> int | None:
        """The length of a row."""
        return self.n_embd

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"n_embd": self.n_embd, "n_head": self.n_head}

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.n_embd}, {self.n_head} heads)"
