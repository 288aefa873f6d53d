"""How does a group of instructions run? As one operation on arrays: its values, and its chain rule.

Each class has `value`, which computes a result from the numbers of its operands, and `contributions`, what is added to
the gradients of those that want one. Both are functions of arrays alone, without a trace of where these lie, over the
namespace `m` of an array library (see `functions.py`). So the same groups can be printed as a function of `jax.numpy`,
which differentiates the values itself.

An array has a row for each instruction of the group, and a column for each example; a row or a column that is the same
for all may stand there once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import Mask, Slots, rows_of
from autograd.compiler.groups import DOT, Layer
from autograd.compiler.places import Places
from autograd.compiler.vectorised.functions import Functions, of_numpy
from autograd.compiler.vectorised.operands import Memory, Operand
from autograd.compiler.vectorised.tapes import Tape
from autograd.operations import Operation
from autograd.rules import WITH_INDEX
from autograd.symbols import formula

Contribution = Any
"""What is added to the gradient of an operand: an array; or None for nothing."""


class Step(ABC):
    """A group of instructions, or a part of one.

    Arguments:
        places: where the numbers lie.
        slots: those of the results.
        operands: what is read.

    Attributes:
        wanted: which of the operands have a gradient that is wanted, by their numbers.
    """

    def __init__(self, places: Places, slots: Slots, operands: Sequence[Operand]) -> None:
        self._out = Operand(places, slots, np.zeros(places.graph.slots, np.bool_))
        self._operands, self._count = operands, len(slots)
        self.wanted = [k for k, x in enumerate(operands) if x.wanted]

    @abstractmethod
    def value(self, m: Functions, operands: Sequence[Numbers]) -> Numbers:
        """The results."""

    @abstractmethod
    def contributions(
        self, m: Functions, out: Numbers, upstream: Numbers, operands: Sequence[Numbers], careful: bool
    ) -> Iterator[Contribution]:
        """For each operand that is `wanted` the product of local derivative and upstream gradient.

        Arguments:
            out: the results.
            upstream: their gradients.
            operands: what was read.
            careful: whether a factor that is exactly 0 gives 0, whatever the other one is. Without it the product may
                be nan there, and whoever finds one asks again.
        """

    def forward(self, numbers: Memory) -> None:
        """Computes the results."""
        self._out.write(numbers, self.value(of_numpy, [x.read(numbers) for x in self._operands]))

    def backward(self, numbers: Memory, gradients: Memory, careful: bool) -> None:
        """Adds to the gradients of the operands."""
        upstream = self._out.read(gradients)
        given = [x.read(numbers) for x in self._operands]
        found = self.contributions(of_numpy, self._out.read(numbers), upstream, given, careful)
        for k, more in zip(self.wanted, found, strict=True):
            if more is not None:
                self._operands[k].add(gradients, more)


def product(m: Functions, derivative: Any, upstream: Numbers, careful: bool) -> Contribution:
    """A local derivative times the upstream gradient."""
    if isinstance(derivative, float):
        if derivative == 0.0:
            return None
        if derivative == 1.0:
            return upstream
    return m.strong(derivative, upstream) if careful else derivative * upstream


class Elementwise(Step):
    """Instructions of one operation of few operands: its formula, for all of them side by side."""

    def __init__(self, places: Places, slots: Slots, operation: Operation, table: Slots, wanted: Mask) -> None:
        operands = [Operand(places, column, wanted) for column in table.T]
        super().__init__(places, slots, operands)
        found = formula(operation, len(operands) if operation.nary else None)
        constants = {k: x.constant for k, x in enumerate(operands) if x.constant is not None}
        key = tuple((k, repr(x)) for k, x in constants.items())
        derivatives = [found.derivatives[k] for k in self.wanted]

        def tape(expressions: Sequence[Any]) -> Tape:
            return Tape(of_numpy, expressions, constants)

        self._value = operation.kept(("value", len(operands), key), lambda: tape([found.value]))
        name = "derivatives", len(operands), key, tuple(self.wanted)
        self._derivatives = operation.kept(name, lambda: tape(derivatives)) if derivatives else lambda *_: []

    def value(self, m: Functions, operands: Sequence[Numbers]) -> Numbers:
        """The formula's value."""
        found: Numbers = self._value(operands)[0]
        return found

    def contributions(
        self, m: Functions, out: Numbers, upstream: Numbers, operands: Sequence[Numbers], careful: bool
    ) -> Iterator[Contribution]:
        """The formula's derivatives, times upstream."""
        for derivative in self._derivatives(operands, out):
            yield product(m, derivative, upstream, careful)


class OfRows(Step):
    """Instructions of a built-in operation that takes any number of operands, and here as many in each."""

    def __init__(self, places: Places, slots: Slots, operation: Operation, table: Slots, wanted: Mask) -> None:
        self._has_index = operation.name in WITH_INDEX
        columns = [table[:, :-1], table[:, -1:]] if self._has_index else [table]
        super().__init__(places, slots, [Operand(places, x.T.ravel(), wanted) for x in columns])
        found = operation.rule_over(of_numpy).of_row
        assert found is not None
        self._rule, self._name, self._width = found, operation.name, table.shape[1]
        self.wanted = [k for k in self.wanted if k == 0]  # an index has no derivative

    def _row(self, m: Functions, operands: Sequence[Numbers]) -> Any:
        """The operands as the rule takes them: a row whose last number may be an index."""
        width = self._width - self._has_index
        numbers = operands[0]
        if len(numbers) == 1:  # all the same
            numbers = m.xp.broadcast_to(numbers, (width * self._count, numbers.shape[1]))
        row = numbers.reshape(width, self._count, -1)
        return _Indexed(m, row, operands[1]) if self._has_index else row

    def value(self, m: Functions, operands: Sequence[Numbers]) -> Numbers:
        """The rule's value."""
        if self._has_index:
            self._check(operands[1])
        found: Numbers = self._rule[0](self._row(m, operands))
        return found

    def contributions(
        self, m: Functions, out: Numbers, upstream: Numbers, operands: Sequence[Numbers], careful: bool
    ) -> Iterator[Contribution]:
        """The rule's derivatives, times upstream."""
        row = self._row(m, operands)
        for _ in self.wanted:
            more = product(m, self._rule[1](out, row), upstream, careful)
            shape = (*more.shape[:1], *upstream.shape)
            yield m.xp.broadcast_to(more, shape).reshape(-1, upstream.shape[1])

    def _check(self, index: Numbers) -> None:
        """Raises IndexError for an index that is out of range."""
        last = float(self._width - 1)
        if not ((index >= -last) & (index < last) & (index == np.floor(index))).all():
            raise IndexError(
                f"{self._name} got an index that is no whole number from {1 - self._width} to {self._width - 2}, for "
                f"one of the examples"
            )


class _Indexed:
    """A row whose last number is an index for the others: what a rule asks of it."""

    def __init__(self, m: Functions, numbers: Any, index: Any) -> None:
        self._numbers, self._index = numbers, index

    def __getitem__(self, place: Any) -> Any:
        return self._numbers if isinstance(place, slice) else self._index


class Sums(Step):
    """Dots that are no layer: all their products at once, which are then summed dot by dot.

    Dots of a group may have any numbers of products. Their operands are n weights, n inputs and, if their number is
    odd, the bias.
    """

    def __init__(self, places: Places, slots: Slots, operands: Slots, starts: Slots, wanted: Mask) -> None:
        counts = np.diff(starts)
        halves = counts // 2
        first = np.repeat(starts[:-1], halves) + np.arange(halves.sum()) - np.repeat(np.cumsum(halves) - halves, halves)
        weights, inputs = operands[first], operands[first + np.repeat(halves, halves)]
        self._with_bias, self._with_products = np.flatnonzero(counts % 2), np.flatnonzero(halves)
        biases = operands[starts[1:][self._with_bias] - 1]
        super().__init__(places, slots, [Operand(places, x, wanted) for x in (weights, inputs, biases)])
        self._owners = np.repeat(np.arange(len(slots)), halves)
        self._starts = (np.cumsum(halves) - halves)[self._with_products]

    def value(self, m: Functions, operands: Sequence[Numbers]) -> Numbers:
        """The sums of products."""
        weights, inputs, biases = operands
        products = np.broadcast_to(weights * inputs, (len(self._owners), max(weights.shape[1], inputs.shape[1])))
        found = np.zeros((self._count, max(products.shape[1], biases.shape[1])))
        found[self._with_products] = np.add.reduceat(products, self._starts, axis=0)
        found[self._with_bias] += biases
        return found

    def contributions(
        self, m: Functions, out: Numbers, upstream: Numbers, operands: Sequence[Numbers], careful: bool
    ) -> Iterator[Contribution]:
        """To a weight its input, to an input its weight, and to a bias 1, times upstream."""
        of_products = upstream[self._owners]
        for k in self.wanted:
            if k == 2:
                yield upstream[self._with_bias]
            else:
                yield product(m, operands[1 - k], of_products, careful)


class MatrixProduct(Step):
    """A layer: dots of the same weights, at one or several positions.

    Its operands are the weights, dot after dot; the inputs, position after position; and the biases.
    """

    def __init__(self, places: Places, slots: Slots, layer: Layer, wanted: Mask) -> None:
        given = layer.weights, layer.inputs, layer.biases
        super().__init__(places, slots, [Operand(places, x, wanted) for x in given if len(x)])
        self._shape, self._positions = (layer.dots, layer.reads), layer.positions

    def _by_position(self, numbers: Numbers) -> Numbers:
        """Numbers with an axis for the positions."""
        return numbers.reshape(self._positions, -1, numbers.shape[1])

    def value(self, m: Functions, operands: Sequence[Numbers]) -> Numbers:
        """The matrix product. For one example, all positions are columns of one product."""
        matrix, inputs = operands[0].reshape(self._shape), operands[1]
        lanes = inputs.shape[1]
        if self._positions == 1:
            found = matrix @ inputs
        elif lanes == 1:
            found = (inputs.reshape(self._positions, -1) @ matrix.T).reshape(-1, 1)
        else:
            found = m.xp.matmul(matrix, self._by_position(inputs)).reshape(-1, lanes)
        if len(operands) < 3:
            return found
        return (self._by_position(found) + operands[2]).reshape(found.shape)

    def contributions(
        self, m: Functions, out: Numbers, upstream: Numbers, operands: Sequence[Numbers], careful: bool
    ) -> Iterator[Contribution]:
        """Matrix products with the upstream gradients."""
        matrix, inputs, above = operands[0].reshape(self._shape), *map(self._by_position, (operands[1], upstream))
        for k in self.wanted:
            if k == 2:
                yield above.sum(axis=0)
            elif careful:
                yield self._carefully(m, k, matrix, inputs, above)
            elif k == 1:
                yield m.xp.matmul(matrix.T, above).reshape(-1, upstream.shape[1])
            else:
                # tensordot takes 10 us more
                both = above[0] @ inputs[0].T if len(above) == 1 else m.xp.tensordot(above, inputs, ((0, 2), (0, 2)))
                yield both.reshape(-1, 1)

    def _carefully(self, m: Functions, k: int, matrix: Numbers, inputs: Numbers, above: Numbers) -> Numbers:
        """The same, product by product: zeros are strong."""
        if k == 1:
            parts = (m.strong(matrix[i][:, None], above[:, i : i + 1]) for i in range(len(matrix)))
            total: Numbers = reduce(add, parts)
            return total.reshape(-1, above.shape[2])
        rows = [m.strong(inputs, above[:, i : i + 1]).sum(axis=(0, 2)) for i in range(len(matrix))]
        return np.concatenate(rows)[:, None]


def steps_of(places: Places, group: Slots, layer: Layer | None, wanted: Mask) -> list[Step]:
    """The steps of a group: one, or one for each number of operands that its instructions have."""
    graph = places.graph
    slots, operation = graph.leaves + group, graph.operations[graph.codes[group[0]]]
    if layer is not None:
        return [MatrixProduct(places, slots, layer, wanted)]
    kind = OfRows if operation.rule.of_row is not None and operation.function is None else Elementwise
    if not operation.nary:
        table = graph.operands[graph.starts[group][:, None] + np.arange(len(operation.derivatives))]
        return [kind(places, slots, operation, table, wanted)]
    at, starts = rows_of(graph.starts, group)
    operands, counts = graph.operands[at], np.diff(starts)
    if operation is DOT:
        return [Sums(places, slots, operands, starts, wanted)]
    found = list[Step]()
    for count in np.unique(counts).tolist():
        (which,) = np.nonzero(counts == count)
        table = operands[starts[which][:, None] + np.arange(count)]
        found.append(kind(places, slots[which], operation, table, wanted))
    return found
