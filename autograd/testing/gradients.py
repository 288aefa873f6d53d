"""Is my hand-written gradient right? `check_gradient` takes anybody's functions, plain Python or NumPy.

It knows nothing of graphs: it calls the function at points near the given one and compares, entry by entry, what the
gradient says with finite differences and their own error bound (`differences.py`).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd.reals import real_or_none, shown
from autograd.testing.differences import Difference, difference_at, judge
from autograd.testing.errors import InputChangedError, NotDeterministicError, UndefinedPointError, WrongGradientError
from autograd.testing.samples import Samples, quiet, roundoff, same_number

MOST_LINES = 8


class Entry(NamedTuple):
    """One derivative `d f[output] / d x[input]`, as the gradient and the differences say, and whether they agree."""

    output: tuple[int, ...]
    input: tuple[int, ...]
    claimed: float
    difference: Difference
    verdict: str

    def __str__(self) -> str:
        what = f"  d f{_index(self.output)}/d x{_index(self.input)}"
        return f"{what}\n    gradient {self.claimed:.10g}\n    numeric  {self.difference}"


class GradientReport(list[Entry]):
    """The entries of a gradient, each with its comparison. It prints as text."""

    def __str__(self) -> str:
        verdicts = [entry.verdict for entry in self]
        counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
        lines = [f"check_gradient: {len(self)} derivatives, {counts}", *map(str, self[:MOST_LINES])]
        return "\n".join([*lines, *([f"  and {len(self) - MOST_LINES} more"] if len(self) > MOST_LINES else [])])

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def check_gradient(
    f: Callable[[Any], Any], df: Callable[[Any], Any], point: Any, noise: float | None = None
) -> GradientReport:
    """Checks a hand-written gradient of a function, without tolerances and without steps to choose.

    Arguments:
        f: a function of one number, or of one list or array of numbers; returns a number, or an array of them.
        df: its derivative: for a number x of the same shape as f(x); for an array x of the shape of
            f(x) followed by that of x: the gradient if f(x) is a number, the Jacobian if it is a vector.
        point: where. A number, a (nested) list of numbers, or a NumPy array; f and df are called with the same kind.
            An array of float32 is moved in steps that float32 can hold, and judged by its precision.
        noise: by how much a value of f may be off, if that is known; otherwise it is estimated.

    Returns:
        a `GradientReport`: one entry for each derivative, with a verdict ("right"; "inconclusive", where
        differences cannot tell; "convention", at a jump). At a kink the derivative from the left, from the right, and
        all between are right.

    Raises:
        WrongGradientError: an entry of the gradient is not what finite differences say.
        UndefinedPointError: f has no finite value at the point.
        NotDeterministicError: f gave another value when called again.
        InputChangedError: f or df changed the point in place.
        TypeError: the point holds something else than finite real numbers, or f or df return something else.
        ValueError: df returns another shape than it should.

    >>> print(check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0))
    check_gradient: 1 derivatives, 1 right
      d f/d x
        gradient 12
        numeric  12 +- ... (... evaluations, smooth, estimated)
    >>> check_gradient(lambda x: x[0] * x[1], lambda x: [x[1], x[1]], [2.0, 5.0])
    Traceback (most recent call last):
    autograd.testing.errors.WrongGradientError: 1 of 2 derivatives is not what finite differences say
      d f/d x[1]
        gradient 5
        numeric  2 +- ... (... evaluations, smooth, estimated)
      reproduce: check_gradient(<lambda>, <lambda>, [2.0, 5.0])
    """
    where = _Point(point)
    values, shape = _flat(_called(f, where, "f"), "f(point)")
    if not all(map(math.isfinite, values)):
        raise UndefinedPointError(
            f"f is {values[0] if len(values) == 1 else values} at {shown(point)}; choose a point where it is finite"
        )
    again, _ = _flat(_called(f, where, "f"), "f(point)")
    if not all(map(same_number, values, again)):
        raise NotDeterministicError(
            f"f gave {values} and then {again} at the same point; seed its random numbers anew at each call"
        )
    claimed, claimed_shape = _flat(_called(df, where, "df"), "df(point)")
    if claimed_shape != shape + where.shape:
        raise ValueError(
            f"df returned the shape {claimed_shape}, but f has the shape {shape} and the point {where.shape}: "
            f"return {shape + where.shape}, one derivative for each pair of them"
        )
    report = GradientReport(_entries(f, where, values, shape, claimed, noise))
    wrong = [entry for entry in report if entry.verdict == "wrong"]
    if wrong:
        raise WrongGradientError(_message(wrong, report, f, df, point), report)
    return report


def _message(wrong: Sequence[Entry], report: Sequence[Entry], f: Any, df: Any, point: Any) -> str:
    are = "is" if len(wrong) == 1 else "are"
    lines = [
        f"{len(wrong)} of {len(report)} derivatives {are} not what finite differences say",
        *map(str, wrong[:MOST_LINES]),
    ]
    if len(wrong) > MOST_LINES:
        lines.append(f"  and {len(wrong) - MOST_LINES} more")
    names = [getattr(function, "__name__", repr(function)) for function in (f, df)]
    return "\n".join([*lines, f"  reproduce: check_gradient({', '.join(names)}, {shown(point)})"])


def _entries(
    f: Callable[[Any], Any],
    where: "_Point",
    values: Sequence[float],
    shape: tuple[int, ...],
    claimed: Sequence[float],
    noise: float | None,
) -> Iterator[Entry]:
    """Input by input; f is called once for all its outputs."""
    inputs = list(_indices(where.shape))
    for j, place in enumerate(inputs):
        outputs = _Outputs(f, where, j, shape)
        for i, output in enumerate(_indices(shape)):
            samples = Samples(outputs.number(i), where.unit, noise)
            difference = difference_at(samples, where.numbers[j], where.nearest)
            claim = claimed[i * len(inputs) + j]
            verdict = judge(claim, difference, where.unit)
            yield Entry(output, place, claim, difference, verdict)


class _Outputs:
    """All outputs of f with one entry of the point moved, each computed once."""

    def __init__(self, f: Callable[[Any], Any], where: "_Point", entry: int, shape: tuple[int, ...]) -> None:
        self.f, self.where, self.entry, self.shape = f, where, entry, shape
        self.known: dict[float, Sequence[Any]] = {}

    def __call__(self, x: float) -> Sequence[Any]:
        if x not in self.known:
            self.known[x] = self.compute(x)
        return self.known[x]

    def number(self, i: int) -> Callable[[float], Any]:
        """One of the outputs, as a function."""
        return lambda x: self(x)[i]

    def compute(self, x: float) -> Sequence[Any]:
        try:
            out = self.f(self.where.moved(self.entry, x))
        except (ArithmeticError, ValueError):
            return [math.nan] * math.prod(self.shape)
        return _items(out, "f")[0]


# Numbers, lists and arrays alike


class _Point:
    """Where the gradient is checked: its numbers in a row, and how to make another point of the same kind."""

    def __init__(self, point: Any) -> None:
        self.point = point
        items, self.shape = _items(point, "the point")
        self.unit = max(map(roundoff, items), default=roundoff(point))
        self.numbers = [_number(x, "the point") for x in items]
        for x in self.numbers:
            if not math.isfinite(x):
                raise TypeError(f"the point of check_gradient is made of finite numbers; got {x} among them")
        if not self.numbers:
            raise ValueError("check_gradient takes at least one number as the point; it is empty")

    def copy(self) -> Any:
        return self.moved(0, self.numbers[0])

    def nearest(self, x: float) -> float:
        """The number of the point's type that is nearest to x."""
        item = _items(self.point, "the point")[0][0]
        return float(type(item)(x)) if self.unit > 2.0**-53 else x

    def moved(self, entry: int, x: float) -> Any:
        """The point with another number in one place."""
        if not self.shape:
            return type(self.point)(x) if self.unit > 2.0**-53 else x
        if hasattr(self.point, "dtype"):
            moved = self.point.copy() if self.point.dtype.kind == "f" else self.point.astype(float)
            moved[list(_indices(self.shape))[entry]] = x
            return moved
        return _nested([*self.numbers[:entry], x, *self.numbers[entry + 1 :]], self.shape)


def _called(function: Callable[[Any], Any], where: _Point, name: str) -> Any:
    """function(point), on a copy that it must leave alone."""
    if not callable(function):
        raise TypeError(f"check_gradient takes two functions and a point; got {shown(function)} as {name}")
    given = where.copy()
    try:
        with quiet():
            out = function(given)
    except (ArithmeticError, ValueError) as error:
        raise UndefinedPointError(f"{name} raised {type(error).__name__} at {shown(where.point)}: {error}") from error
    if [_number(x, "the point") for x in _items(given, "the point")[0]] != where.numbers:
        raise InputChangedError(f"{name} changed the point in place to {shown(given)}; compute with a copy of it")
    return out


def _flat(x: Any, what: str) -> tuple[list[float], tuple[int, ...]]:
    items, shape = _items(x, what)
    return [_number(item, what) for item in items], shape


def _items(x: Any, what: str) -> tuple[list[Any], tuple[int, ...]]:
    """The entries of a number, a nested list or an array in a row, and its shape."""
    if hasattr(x, "dtype") and hasattr(x, "reshape") and x.shape:
        return list(x.reshape(-1)), tuple(x.shape)
    if not isinstance(x, (list, tuple)):
        return [x], ()
    rows = [_items(row, what) for row in x]
    shapes = {shape for _, shape in rows}
    if len(shapes) > 1:
        raise TypeError(f"{what} is a list of rows with different lengths: {shown(x)}")
    return [item for items, _ in rows for item in items], (len(rows), *(shapes.pop() if shapes else ()))


def _number(x: Any, what: str) -> float:
    number = real_or_none(x)
    if number is None:
        raise TypeError(f"{what} must be made of real numbers; got {shown(x)} ({type(x).__name__})")
    return number


def _nested(numbers: Sequence[float], shape: Sequence[int]) -> list[Any]:
    if len(shape) == 1:
        return list(numbers)
    size = len(numbers) // shape[0]
    return [_nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def _indices(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All index tuples of an array of that shape, the last index fastest."""
    for flat in range(math.prod(shape)):
        index = []
        for size in reversed(shape):
            flat, place = divmod(flat, size)
            index.append(place)
        yield tuple(reversed(index))


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""
