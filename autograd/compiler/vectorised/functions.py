"""What are the elementary functions over arrays? The namespace that rules take, of NumPy's functions.

A number of a rule is an array here, with a number for each instruction of a group and each example. A row of numbers
(see `autograd/rows.py`) is an array with one more axis, the first; a row of tuples is a tuple of such arrays.

All of it goes through `xp`, an array library with NumPy's names. So `Functions(jax.numpy)` is the same namespace over
JAX's arrays; the one difference is `may_hold`, since nobody knows an answer while JAX traces.
"""

import operator
from collections.abc import Callable
from functools import cache, partial, reduce
from typing import Any

import numpy as np

from autograd import symbols
from autograd.compiler.coefficients import ERF, ERFC
from autograd.compiler.vectorised.tapes import Tape

Array = Any
"""An array of `xp`."""

OTHER_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh"}
OTHER_NAMES |= {"acosh": "arccosh", "atanh": "arctanh", "round": "rint"}
SAME_NAMES = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan"]
SAME_NAMES += ["sinh", "cosh", "tanh", "hypot", "floor", "ceil"]

SPLIT = 2.0**27 + 1.0
"""A number times this gives its upper half, whose square is exact (Dekker, Numerische Mathematik 18, 1971)."""


class Functions:
    """The namespace of rules over the arrays of a library.

    Arguments:
        xp: `numpy`, or what has the same names.
        knows: whether the answer to a question about arrays can be asked for.
    """

    def __init__(self, xp: Any, knows: bool = True) -> None:
        self.xp, self._knows = xp, knows
        for name in SAME_NAMES:
            setattr(self, name, getattr(xp, name))
        for name, other in OTHER_NAMES.items():
            setattr(self, name, getattr(xp, other))
        self.part = cache(partial(_Part, self))

    def may_hold(self, question: Array) -> bool:
        """Whether the answer may be yes in some place. What is needed only there is left out if it cannot."""
        return not self._knows or bool(question.any())

    def select(self, question: Any, yes: Any, no: Any) -> Any:
        """One of two numbers, or of two tuples of them, by the answer to a question in each place."""
        if isinstance(yes, tuple):
            return tuple(self.select(question, a, b) for a, b in zip(yes, no, strict=True))
        return self.xp.where(question, yes, no)

    def strong(self, derivative: Any, upstream: Array) -> Array:
        """The product; a factor that is exactly 0 gives 0, whatever the other one is."""
        return self.xp.where((derivative == 0.0) | (upstream == 0.0), 0.0, derivative * upstream)

    def pow(self, x: Any, y: Any) -> Any:
        """C's `pow`. By products if the exponent is a small whole number: 2 us for 1,000 numbers, where it takes 20."""
        if type(y) is float and y in (1.0, 2.0, 3.0):
            return reduce(operator.mul, [x] * int(y))
        return self.xp.power(x, y)

    def erf(self, x: Array) -> Array:
        """The error function: see `coefficients.py`."""
        size = abs(x)
        near = x + x * _polynomial(x * x, ERF)
        if not self.may_hold(~(size < 0.75)):
            return near
        far = 1.0 - self._erfc_beyond(self.xp.clip(size, 0.75, 28.0))
        return self.xp.where(size < 0.75, near, self.xp.copysign(far, x))

    def erfc(self, x: Array) -> Array:
        """1 minus the error function, without loss where that is small."""
        size = abs(x)
        near = (1.0 - x) - x * _polynomial(x * x, ERF)
        if not self.may_hold(~(size < 0.75)):
            return near
        far = self._erfc_beyond(self.xp.clip(size, 0.75, 28.0))
        return self.xp.where(size < 0.75, near, self.xp.where(x < 0.0, 2.0 - far, far))

    def _erfc_beyond(self, x: Array) -> Array:
        """erfc from 3/4 to 28. The square of x is computed in two parts, the first of which is exact."""
        head = x * SPLIT - (x * SPLIT - x)
        power = self.xp.exp(-(head * head)) * self.xp.exp(-((x - head) * (x + head)))
        return _polynomial((x - 4.0) / (x + 4.0), ERFC) / (1.0 + 2.0 * x) * power

    # Rows

    def map(self, f: Callable[..., Any], row: Any, *others: Any) -> Any:
        """The row of f(x, y, ...): of all places at once."""
        return f(row, *others)

    def fold(self, f: Callable[..., Any], start: Any, *rows: Any) -> Any:
        """The last of the states that begin with `start`."""
        state = start
        for numbers in zip(*rows, strict=True):
            state = f(state, *numbers)
        return state

    def accumulate(self, f: Callable[..., Any], start: Any, row: Array, reverse: bool = False) -> Any:
        """The states before each place."""
        states = [start]
        for x in row[:0:-1] if reverse else row[:-1]:
            states.append(f(states[-1], x))
        if reverse:
            states.reverse()
        if isinstance(start, tuple):
            return tuple(self.stacked(list(parts), row[0]) for parts in zip(*states, strict=True))
        return self.stacked(states, row[0])

    def stacked(self, numbers: list[Any], like: Any = 0.0) -> Array:
        """Numbers as a row, all of the shape that they have together."""
        shape = self.xp.broadcast_shapes(*map(self.xp.shape, [*numbers, like]))
        return self.xp.stack([self.xp.broadcast_to(x, shape) for x in numbers])

    def places(self, row: Array) -> Array:
        """The row 0, 1, 2, ..."""
        return self.xp.arange(float(len(row))).reshape(-1, *[1] * (row.ndim - 1))

    def count(self, row: Array) -> float:
        """How many numbers the row holds."""
        return float(len(row))

    def same(self, number: Any, row: Array) -> Array:
        """The row that holds this number at each place."""
        return self.xp.broadcast_to(number, row.shape)

    def at(self, row: Array, index: Array) -> Array:
        """The number at an index, which may differ from place to place."""
        place = self.xp.where(index < 0.0, index + len(row), index).astype(int)
        shape = self.xp.broadcast_shapes(row.shape[1:], place.shape)
        row = self.xp.broadcast_to(row, (len(row), *shape))
        return self.xp.take_along_axis(row, self.xp.broadcast_to(place, shape)[None], axis=0)[0]

    def put(self, row: Array, index: Array, number: Any) -> Array:
        """The row with another number at an index."""
        place = self.xp.where(index < 0.0, index + len(row), index)
        return self.xp.where(self.places(row) == place, number, row)

    def branch(self, condition: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
        """yes() or no(), by the answer to a question in each place: both are computed where both are needed."""
        if isinstance(condition, bool):
            return yes() if condition else no()
        if not self.may_hold(~condition):
            return yes()
        return self.xp.where(condition, yes(), no()) if self.may_hold(condition) else no()

    def sum(self, numbers: Any) -> Array:
        """The sum, with twice the digits on the way, as the eager engine rounds once (`math.fsum`).

        Where numbers cancel, or leave the range on the way, three times the digits are kept, of smaller numbers.
        """
        row = self.stacked(numbers) if isinstance(numbers, list) else numbers
        if len(row) == 1:
            return row[0]
        total, lost = self._summed(row)
        result = total[-1] + lost.sum(axis=0)
        cancel = ~(abs(result) - abs(row).sum(axis=0) * 2.0**-20 >= 0.0)
        if not self.may_hold(cancel):
            return result
        scale = self.xp.where(abs(result) < self.xp.inf, 1.0, 2.0**-64)
        total, lost = self._summed(row * scale)
        again = self._summed(lost)
        correction = again[0][-1] + again[1].sum(axis=0)
        again = self.xp.where(correction == correction, total[-1] + correction, total[-1]) / scale
        return self.xp.where(cancel, again, result)

    def _summed(self, row: Array) -> tuple[Array, Array]:
        """The sums of the first numbers, for each number; and what each addition lost (Knuth's two-sum)."""
        sums = self.xp.cumsum(row, axis=0)
        before, new, x = sums[:-1], sums[1:], row[1:]
        added = new - before
        return sums, (before - (new - added)) + (x - added)

    def norm(self, numbers: Any) -> Array:
        """The square root of the sum of squares, scaled so that no square leaves the range."""
        row = abs(self.stacked(numbers) if isinstance(numbers, list) else numbers)
        xp, top = self.xp, row.max(axis=0)
        scale = xp.where(top > 2.0**500, 2.0**-600, xp.where(top < 2.0**-400, 2.0**600, 1.0))
        scaled = row * scale
        root = xp.sqrt(self.sum(scaled * scaled)) / scale
        return xp.where((row == xp.inf).any(axis=0), xp.inf, root)


class _Part:
    """A part of a rule that decides by numbers: both sides are computed, and chosen from place by place.

    Arguments:
        m: the namespace.
        function: the part.
    """

    def __init__(self, m: Functions, function: Callable[..., Any]) -> None:
        self._m, self._function = m, function
        self._tapes: dict[tuple[int, ...], tuple[Tape, bool]] = {}

    def __call__(self, *arguments: Any) -> Any:
        flat, shape = symbols.flattened(arguments)
        traced = next((x for x in flat if isinstance(x, symbols.Expression)), None)
        if traced is not None:  # inside another part
            return traced.tracing.namespace.part(self._function)(*arguments)
        if shape not in self._tapes:
            expressions, is_tuple = symbols.traced_part(self._function, shape)
            self._tapes[shape] = Tape(self._m, expressions), is_tuple
        tape, is_tuple = self._tapes[shape]
        results = tape(flat)
        return tuple(results) if is_tuple else results[0]


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """The polynomial with these coefficients, highest power first."""
    result: Array = coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


of_numpy = Functions(np)
"""The namespace over NumPy's arrays."""
