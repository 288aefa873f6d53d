"""How are inputs of any unit brought to one scale? Minus their mean, divided by their standard deviation."""

from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Any

from autograd import Value
from nn.module import Module, Row
from nn.own import own


@own
class Standardize(Module):
    """(x - mean) / deviation for each input, with fixed numbers: nothing here is learned.

    Arguments:
        means, deviations: one number for each input; a deviation of 0 (a constant column) counts as 1.

    >>> Standardize.of([[1.0, 10.0], [3.0, 30.0]])([2.0, 40.0])
    [0.0, 2.0]
    """

    def __init__(self, means: Sequence[float], deviations: Sequence[float]) -> None:
        if len(means) != len(deviations):
            raise ValueError(f"Standardize takes a deviation for each mean; got {len(means)} and {len(deviations)}")
        self.means = [Value(mean).data for mean in means]  # refuses what is no number
        self.deviations = [Value(deviation).data or 1.0 for deviation in deviations]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]]) -> "Standardize":
        """The module that gives these rows mean 0 and deviation 1, column by column."""
        columns = list(zip(*rows, strict=True))
        return cls([fmean(column) for column in columns], [pstdev(column) for column in columns])

    def inverse(self) -> "Standardize":
        """The module that undoes this one: x * deviation + mean."""
        pairs = list(zip(self.means, self.deviations, strict=True))
        return Standardize(
            [-mean / deviation for mean, deviation in pairs], [1.0 / deviation for _, deviation in pairs]
        )

    def forward(self, row: Row) -> Row:
        """The numbers of one example on the common scale."""
        if len(row) != len(self.means):
            raise ValueError(f"the model takes {len(self.means)} inputs; got an example of {len(row)}")
        return [(x - m) / d for x, m, d in zip(row, self.means, self.deviations, strict=True)]

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"means": self.means, "deviations": self.deviations}

    def __repr__(self) -> str:
        return f"Standardize({len(self.means)} inputs)"
