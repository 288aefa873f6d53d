"""What would the eager engine compute if its operations rounded otherwise?

Compiled code rounds otherwise: it adds in another order, fuses products with sums, and has its own exp. What comes of
that in a training run is measured, by training several times with errors of that size at random.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from autograd import Value, functions, value
from autograd.graph import topological_order
from nn import Optimizer

MOST_ULP = 4
"""How far the value of a compiled operation may be from the eager one (see `tests/autograd/compiler`)."""

CANCELLED = 64 * 2.0**-52
"""What a gradient that cancels may leave, as a share of the sum of the sizes of its terms."""


class OtherRounding:
    """Numbers whose every operation is off at random, by no more units in the last place than a seed decides."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._most = MOST_ULP / 2.0 ** self._rng.randrange(5)

    def off(self, x: float) -> float:
        """The number, off by some units in the last place; 0 stays 0."""
        moved = x * (1.0 + self._most * 2.0**-52 * self._rng.uniform(-1.0, 1.0))
        return moved if abs(x) > 1.0 else max(-1.0, min(moved, 1.0))  # a probability stays one

    def derivatives(self, derivatives: Any) -> Any:
        """One local derivative, or a tuple of them, or none, off like other numbers."""
        return (
            tuple(map(self.off, derivatives)) if type(derivatives) is tuple else derivatives and self.off(derivatives)
        )

    # The namespace that the rules of optimisers take

    maximum, minimum = staticmethod(max), staticmethod(min)

    def number(self, x: float) -> "Number":
        """A float whose operations are off."""
        return Number(x, self)

    def sqrt(self, x: float) -> "Number":
        """The root, off like other numbers."""
        return self.number(self.off(math.sqrt(x)))


class Number(float):
    """A float whose operations are off."""

    def __new__(cls, x: float, rounding: OtherRounding) -> "Number":
        number = super().__new__(cls, x)
        number.rounding = rounding
        return number


def _operation(name: str) -> Callable[[Number, float], Number]:
    def operation(self: Number, other: float) -> Number:
        return self.rounding.number(self.rounding.off(getattr(float, name)(self, other)))

    return operation


for _name in ("add", "sub", "mul", "truediv"):
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(Number, _form, _operation(_form))


@contextmanager
def other_roundings(seed: int) -> Iterator[None]:
    """A block in which the eager engine, and the optimisers, round otherwise.

    A sum that cancels may cancel exactly in one order, and leave rounding errors in another. So in every other block,
    gradients that are no larger than rounding errors are 0.
    """
    rounding = OtherRounding(seed)
    record, backward = value._record, Value.backward

    def recorded(operation: Any, data: float, x: Any, dx: Any, y: Any = None, dy: Any = None) -> Value:
        return record(operation, rounding.off(data), x, rounding.derivatives(dx), y, rounding.derivatives(dy))

    def step(self: Optimizer) -> None:
        update = self.rule(rounding, *map(rounding.number, self.scalars()))
        rows = zip([p.data for p in self.params], [p.grad for p in self.params], *self.remembered(), strict=True)
        moved = [update(*map(rounding.number, row)) for row in rows]
        data, *remembered = (list(map(float, column)) for column in zip(*moved, strict=True))
        for parameter, number in zip(self.params, data, strict=True):
            parameter.data = number
        self.state |= dict(zip(self.starts(), remembered, strict=True))
        self.steps += 1

    def backward_and_cancel(self: Value) -> None:
        backward(self)
        for leaf, size in sizes_of_terms(self).items():
            if not leaf.parents and abs(leaf.grad) <= CANCELLED * size:
                leaf.grad = 0.0

    with (
        patch.object(value, "_record", recorded),
        patch.object(functions, "_record", recorded),
        patch.object(Optimizer, "step", step),
        patch.object(Value, "backward", backward_and_cancel if seed % 2 else backward),
    ):
        yield


def sizes_of_terms(root: Value) -> dict[Value, float]:
    """For each node the sum of the sizes of the terms, one for each path, that its gradient is the sum of."""
    sizes = defaultdict(float, {root: 1.0})
    for node in reversed(topological_order(root)):
        for parent, derivative in zip(node.parents, node.local_derivatives, strict=True):
            sizes[parent] += abs(derivative) * sizes[node]
    return sizes
