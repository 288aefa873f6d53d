"""What does somebody claim to be the derivative of a function? A whole matrix, or its products with vectors.

A function of n numbers with m results has the derivative J, a matrix of m rows and n columns. A gradient written by
hand says the whole of it. A backward pass says u'J for weights u of the results, a forward pass says Jv for a direction
v of the inputs; neither has to build the matrix. All three can be asked for u'Jv, and, where m and n are few, for every
entry.
"""

import math
from collections.abc import Callable, Sequence


class Claim:
    """A claimed derivative.

    Arguments:
        name: who says so, as reports show it: "gradient", "torch.autograd", "forward".
        m, n: how many results and how many inputs the function has.

    Attributes:
        notes: what a report is to say beside it.
        slacks: by how much each entry may be off because it is rounded, row by row; empty if that is not known.
    """

    def __init__(self, name: str, m: int, n: int) -> None:
        self.name, self.m, self.n = name, m, n
        self.notes: list[str] = []
        self.slacks: Sequence[float] = ()

    def slack(self, i: int, j: int) -> float:
        """How far the derivative of the i-th result by the j-th input may be off by its own rounding."""
        return self.slacks[i * self.n + j] if self.slacks else 0.0

    def weighted(self, u: Sequence[float]) -> Sequence[float] | None:
        """u'J, one number for each input; None if that cannot be had at once."""
        return None

    def product(self, u: Sequence[float], v: Sequence[float]) -> float:
        """u'Jv: how fast the results weighted by u change along v."""
        row = self.weighted(u)
        assert row is not None  # whoever has none says this in another way
        return dot(v, row)

    def entries(self) -> Sequence[float]:
        """The whole matrix, row by row: all derivatives of the first result, then those of the next."""
        raise NotImplementedError


class Whole(Claim):
    """All entries are known, row by row."""

    def __init__(self, name: str, numbers: Sequence[float], m: int, n: int) -> None:
        super().__init__(name, m, n)
        self.numbers = numbers

    def weighted(self, u: Sequence[float]) -> Sequence[float]:
        """u'J; rows of weight 0 are not looked at."""
        rows = [(x, self.numbers[i * self.n : (i + 1) * self.n]) for i, x in enumerate(u) if x]
        if len(rows) == 1:
            weight, row = rows[0]
            return row if weight == 1.0 else [weight * x for x in row]
        weights = [weight for weight, _ in rows]
        return [dot(weights, column) for column in zip(*(row for _, row in rows), strict=True)]

    def entries(self) -> Sequence[float]:
        """The whole matrix, row by row."""
        return self.numbers


class Backward(Claim):
    """A backward pass: `vjp(u)` gives u'J, one number for each input."""

    def __init__(self, name: str, vjp: Callable[[list[float]], list[float]], m: int, n: int) -> None:
        super().__init__(name, m, n)
        self.vjp = vjp

    def weighted(self, u: Sequence[float]) -> Sequence[float]:
        """u'J, by one backward pass."""
        return self.vjp(list(u))

    def entries(self) -> Sequence[float]:
        """The whole matrix, by a backward pass for each result."""
        return [x for i in range(self.m) for x in self.vjp(unit_vector(i, self.m))]


class Forward(Claim):
    """A forward pass: `jvp(v)` gives Jv, one number for each result."""

    def __init__(self, name: str, jvp: Callable[[list[float]], list[float]], m: int, n: int) -> None:
        super().__init__(name, m, n)
        self.jvp = jvp

    def product(self, u: Sequence[float], v: Sequence[float]) -> float:
        """u'Jv, by one forward pass."""
        return dot(u, self.jvp(list(v)))

    def entries(self) -> Sequence[float]:
        """The whole matrix, by a forward pass for each input."""
        columns = [self.jvp(unit_vector(j, self.n)) for j in range(self.n)]
        return [column[i] for i in range(self.m) for column in columns]


def unit_vector(k: int, size: int) -> list[float]:
    """The vector that is 1 in the k-th place and 0 elsewhere.

    >>> unit_vector(1, 3)
    [0.0, 1.0, 0.0]
    """
    vector = [0.0] * size
    vector[k] = 1.0
    return vector


def padded(weights: Sequence[float], support: Sequence[int], size: int) -> list[float]:
    """The weights in some places, 0 elsewhere."""
    if len(support) == size:
        return list(weights)
    found = [0.0] * size
    for k in support:
        found[k] = weights[k]
    return found


def dot(weights: Sequence[float], numbers: Sequence[float]) -> float:
    """The sum of the numbers times their weights, rounded once; nan if it is beyond all doubles.

    What has the weight 0 does not count, not even a nan.

    >>> dot([1.0, 0.0, 1.0], [1e100, float("nan"), -1e100])
    0.0
    """
    return total([weight * x for weight, x in zip(weights, numbers, strict=True) if weight])


def total(numbers: Sequence[float]) -> float:
    """Their sum, rounded once; nan if it is beyond all doubles."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        return math.nan
