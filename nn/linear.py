"""What is a linear map of a row? A weighted sum of its numbers for each output."""

from typing import Any

from autograd import Value, dot
from autograd.reals import as_count
from nn.arrays.views import ArrayView
from nn.init import Initialiser, initialiser
from nn.module import Module, Row
from nn.own import own
from nn.randomness import Seed, random_source


@own
class Linear(Module):
    """y = W x + b: an output for each row of W.

    A batch of rows is mapped row by row, so the positions of a sequence are.

    Arguments:
        in_features: the number of inputs.
        out_features: the number of outputs.
        bias: whether a number is added to each output.
        init: how the weights start, as for `Layer`.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`.

    Attributes:
        weight, bias: all weights, of shape (outputs, inputs), and the biases or None, as in `Layer`.

    Raises:
        ValueError: an example does not have `in_features` numbers (when called).

    >>> linear = Linear(2, 1, bias=False)
    >>> linear.weight[:] = [[2.0, 3.0]]
    >>> linear([10.0, 1.0]).data
    23.0
    """

    weight = ArrayView(lambda linear: linear.w, instead="linear.w")
    bias = ArrayView(lambda linear: linear.b, instead="linear.b")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        rng: Seed = None,
    ) -> None:
        self.in_features = as_count(in_features, "in_features")
        self.out_features = as_count(out_features, "out_features")
        draw, source = initialiser(init, "linear"), random_source(rng)
        fans = self.in_features, self.out_features
        self.w = [[Value(draw(*fans, source)) for _ in range(self.in_features)] for _ in range(self.out_features)]
        self.b = [Value(0.0) for _ in range(self.out_features)] if bias else None

    def forward(self, row: Row) -> Row:
        """The weighted sums of one row."""
        if len(row) != self.in_features:
            raise ValueError(f"{self!r} takes {self.in_features} inputs; got an example of {len(row)}")
        if self.b is not None:
            return [dot(weights, row, bias) for weights, bias in zip(self.w, self.b, strict=True)]
        return [dot(weights, row) for weights in self.w]

    def input_width(self, following: int | None = None) -> int | None:
        """As many as a row of the weights has."""
        return self.in_features

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"in_features": self.in_features, "out_features": self.out_features, "bias": self.b is not None}

    def __repr__(self) -> str:
        return f"Linear({self.in_features} -> {self.out_features})"
