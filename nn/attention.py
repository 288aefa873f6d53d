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
    """The keys and values of the positions so far, a row for each."""

    def __init__(self) -> None:
        self.keys: list[Row] = []
        self.values: list[Row] = []


@own
class MultiHeadAttention(Module):
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

    def forward_batch(self, rows: list[Any]) -> list[Any]:
        """The rows of one sequence; or a list of sequences."""
        if rows and is_batch(rows[0]):
            return [self.forward_batch(sequence) for sequence in rows]
        cache = Cache()
        return [self.following(row, cache) for row in rows]

    def forward(self, row: Row) -> Row:
        """A sequence of one position."""
        return self.following(row, Cache())

    def following(self, row: Row, cache: Cache) -> Row:
        """What the next position gets, after those whose keys and values are kept."""
        query = self.query.forward(row)
        cache.keys.append(self.key.forward(row))
        cache.values.append(self.value.forward(row))
        size = self.n_embd // self.n_head
        heads = [self._head(query, cache, slice(start, start + size)) for start in range(0, self.n_embd, size)]
        return self.out.forward([x for head in heads for x in head])

    def _head(self, query: Row, cache: Cache, part: slice) -> Row:
        """What one head gets: its part of the values, mixed."""
        weights = self._weights(query, cache, part)
        return [dot(weights, column) for column in zip(*(value[part] for value in cache.values), strict=True)]

    def _weights(self, query: Row, cache: Cache, part: slice) -> Row:
        """How much a position looks at each one up to its own: shares that add up to 1."""
        scale = sqrt(len(query[part]))
        shares: Row = softmax([dot(query[part], key[part]) / scale for key in cache.keys])
        return shares

    def weights(self, rows: list[Row]) -> list[list[Row]]:
        """For each head how much each position looks at those up to its own: row t has t + 1 shares."""
        cache, found = Cache(), list[list[Row]]([] for _ in range(self.n_head))
        size = self.n_embd // self.n_head
        for row in rows:
            cache.keys.append(self.key.forward(row))
            query = self.query.forward(row)
            for head in range(self.n_head):
                found[head].append(self._weights(query, cache, slice(head * size, head * size + size)))
        return found

    def input_width(self, following: int | None = None) -> int | None:
        """The length of a row."""
        return self.n_embd

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"n_embd": self.n_embd, "n_head": self.n_head}

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.n_embd}, {self.n_head} heads)"
