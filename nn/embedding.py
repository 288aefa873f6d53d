"""How does a network take words, letters or other choices? By a table of vectors, which are learned."""

from math import nan
from typing import Any

from autograd import Value, take, where
from autograd.compiler.tracing import is_traced
from autograd.reals import as_count, as_float
from nn.init import Initialiser, normal
from nn.module import Module, Row
from nn.own import own
from nn.randomness import Seed, random_source


@own
class Embedding(Module):
    """A vector of numbers for each of n choices. The inputs are indices; the output is their vectors, end to end.

    Arguments:
        num_embeddings: the number of choices; indices go from 0 to num_embeddings - 1.
        embedding_dim: the length of each vector.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`.
        init: how the numbers start (see `nn.init`); by default as normal numbers.

    Raises:
        IndexError: (when called) an index is out of range.
        ValueError: (when called) an index is no whole number.
        TypeError: (when called) an index is no number; a Value is none, since no gradient could flow to it.

    The vectors start as normal random numbers with mean 0 and standard deviation 1, as torch.nn.Embedding's; the
    gradient of a vector's number is what flows back to its places in the outputs, 0 if it was not looked up. The
    outputs are the vectors' own Values: looking up adds nothing to the graph.

    >>> table = Embedding(3, 2)
    >>> len(table([0, 2])), len(table.parameters())     # two vectors of two numbers
    (4, 6)
    >>> table([0, 2]) == [*table.weight[0], *table.weight[2]]
    True
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, rng: Seed = None, init: Initialiser | None = None
    ) -> None:
        self.num_embeddings = as_count(num_embeddings, "num_embeddings")
        self.embedding_dim = as_count(embedding_dim, "embedding_dim")
        draw, source = init or normal(), random_source(rng)
        n, width = self.num_embeddings, self.embedding_dim
        self.weight = [[Value(draw(n, width, source)) for _ in range(width)] for _ in range(n)]

    def input_width(self, following: int | None = None) -> int | None:
        """An index for each vector that the next module takes."""
        return None if following is None else following // self.embedding_dim

    def forward(self, row: Row) -> Row:
        """The vectors of one example's indices, one after the other."""
        return [x for index in row for x in self._vector(index)]

    def _vector(self, index: Any) -> list[Any]:
        if is_traced(index):  # which one it is shows in each run of the compiled code
            counted = index + where(index < 0.0, nan, 0.0)  # `take` would count a negative one from the end
            return list(take(self.weight, counted))
        return list(self.weight[self._place(index)])

    def _place(self, index: Any) -> int:
        """The index as an int, if the table has it. (Tables of data hold whole numbers as floats.)"""
        number = as_float(index, "Embedding's index")
        if not number.is_integer():
            raise ValueError(f"Embedding takes whole numbers as indices; got {index!r}")
        if not 0.0 <= number < self.num_embeddings:
            raise IndexError(f"{self!r} takes indices from 0 to {self.num_embeddings - 1}; got {number:.0f}")
        return int(number)

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"num_embeddings": self.num_embeddings, "embedding_dim": self.embedding_dim}

    def __repr__(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"
