"""Is my hand-written gradient right? `check_gradient` takes anybody's functions, plain Python or NumPy.

It knows nothing of graphs: it calls the function at points near the given one and compares, entry by entry, what the
gradient says with finite differences and their own error bound (`finite_differences.py`).
"""

import math
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from typing import Any, NamedTuple

from autograd.reals import real_or_none, shown
from autograd.testing.differences.finite_differences import Difference, difference_at, judge
from autograd.testing.differences.function_values import FunctionValues, checked_noise, quiet, roundoff, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import (
    InconclusiveError,
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongGradientError,
)

MOST_LINES = 8
WIDTH = 80
MOST_DERIVATIVES, FEWEST_INPUTS = 2_000, 8
"""A gradient with more derivatives is compared for some inputs only, as many as stay below that, but no fewer."""


class Entry(NamedTuple):
    """One derivative `d f[output] / d x[input]`, as the gradient and the differences say, and whether they agree."""

    output: tuple[int, ...]
    input: tuple[int, ...]
    claimed: float
    difference: Difference
    verdict: str

    def __str__(self) -> str:
        claimed, numeric = f"{self.claimed:.10g}", str(self.difference)
        if self.verdict == "wrong" and f"{claimed} +-" in numeric:  # ten digits do not tell the two apart
            claimed = f"{self.claimed:.17g}"
            for slope in (self.difference.value, self.difference.left.value, self.difference.right.value):
                numeric = numeric.replace(f"{slope:.10g} +-", f"{slope:.17g} +-")
        if len(numeric) > WIDTH - 13:
            numeric = numeric.replace(" to the left, ", " to the left\n             ").replace(
                "  (", "\n             ("
            )
        what = f"  d f{_index(self.output)}/d x{_index(self.input)}"
        what += "" if self.verdict == "right" else f"  ({self.verdict})"
        return f"{what}\n    gradient {claimed}\n    numeric  {numeric}"


class GradientReport(list[Entry]):
    """The entries of a gradient, each with its comparison. It prints as text.

    Attributes:
        inputs: how many numbers the point has.
        compared: for how many of them there are entries; not all if there are many.
    """

    def __init__(self, entries: Iterable[Entry], inputs: int, compared: int) -> None:
        super().__init__(entries)
        self.inputs, self.compared = inputs, compared

    @property
    def part(self) -> str:
        """What the report says if only some inputs were compared."""
        return f"differences for {self.compared:,} of {self.inputs:,} inputs" if self.compared < self.inputs else ""

    def __str__(self) -> str:
        verdicts = [entry.verdict for entry in self]
        counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
        derivatives = "1 derivative" if len(self) == 1 else f"{len(self)} derivatives"
        lines = [f"check_gradient: {derivatives}, {counts}", *([f"  {self.part}"] if self.part else [])]
        lines += map(str, self[:MOST_LINES])
        return "\n".join([*lines, *([f"  and {len(self) - MOST_LINES} more"] if len(self) > MOST_LINES else [])])

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def check_gradient(
    f: Callable[[Any], Any],
    df: Callable[[Any], Any],
    point: Any,
    noise: float | None = None,
    conclusive: bool = False,
) -> GradientReport:
    """Checks a hand-written gradient of a function, without tolerances and without steps to choose.

    Arguments:
        f: a function of one number, or of one list, tuple or array of numbers; returns a number, or an array of them.
        df: its derivative: for a number x of the same shape as f(x); for an array x of the shape of
            f(x) followed by that of x: the gradient if f(x) is a number, the Jacobian if it is a vector.
        point: where. A number, a (nested) list or tuple of numbers, or a NumPy array; f and df are called with the
            same kind. An array of float32 is moved in steps that float32 can hold, and judged by its precision.
        noise: by how much a value of f may be off, if that is known; otherwise it is estimated. Knowing it helps where
            much is "inconclusive", as with float32.
        conclusive: whether to raise InconclusiveError where differences can neither confirm nor refute.

    Returns:
        a `GradientReport`: one entry for each derivative, with a verdict ("right"; "inconclusive", where
        differences cannot tell; "convention", at a jump). At a kink the derivative from the left, from the right, and
        all between are right. A gradient is not wrong by what rounding the inputs may do to it. Of more than 2,000
        derivatives it compares those for some inputs only, evenly spread, and says so.

    Raises:
        WrongGradientError: an entry of the gradient is not what finite differences say.
        InconclusiveError: see `conclusive`.
        UndefinedPointError: f has no finite value at the point.
        NotDeterministicError: f gave another value when called again.
        InputChangedError: f or df changed the point in place.
        TypeError: the point holds something else than finite real numbers, or f or df return something else, or f
            another shape near the point.
        ValueError: df returns another shape than it should, or noise is negative.

    >>> print(check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0))
    check_gradient: 1 derivative, 1 right
      d f/d x
        gradient 12
        numeric  12 +- ... (... evaluations, smooth, estimated)
    >>> check_gradient(lambda x: x[0] * x[1], lambda x: [x[1], x[1]], [2.0, 5.0])
    Traceback (most recent call last):
    autograd.testing.errors.WrongGradientError: 1 of 2 derivatives is not what finite differences say
      d f/d x[1]  (wrong)
        gradient 5
        numeric  2 +- ... (... evaluations, smooth, estimated)
      reproduce: check_gradient(<lambda>, <lambda>, [2.0, 5.0])
    """
    __tracebackhide__ = True
    noise = checked_noise(noise, "check_gradient")
    where = _Point(point)
    values, shape = _flat(_called(f, where, "f"), "f(point)")
    if not all(map(math.isfinite, values)):
        raise UndefinedPointError(
            f"f is {values[0] if len(values) == 1 else shown(values)} at {shown(point)}; "
            f"choose a point where it is finite"
        )
    again, _ = _flat(_called(f, where, "f"), "f(point)")
    if not all(map(same_number, values, again)):
        raise NotDeterministicError(
            f"f gave {shown(values)} and then {shown(again)} at the same point; "
            f"seed its random numbers anew at each call"
        )
    claimed, claimed_shape = _flat(_called(df, where, "df"), "df(point)")
    if claimed_shape != shape + where.shape:
        raise ValueError(
            f"df returned the shape {claimed_shape}, but f has the shape {shape} and the point {where.shape}: "
            f"return {shape + where.shape}, one derivative for each pair of them"
        )
    rounding = _Rounding(df, where, claimed)
    compared = _spread(len(where.numbers), len(values))
    entries = _entries(f, where, compared, shape, claimed, rounding, noise)
    report = GradientReport(entries, len(where.numbers), len(compared))
    wrong = [entry for entry in report if entry.verdict == "wrong"]
    if wrong:
        raise WrongGradientError(_message(wrong, report, f, df, point), report)
    unsettled = [entry for entry in report if entry.verdict == "inconclusive"]
    if conclusive and unsettled:
        raise InconclusiveError(f"the gradient could not be confirmed\n{unsettled[0]}", report)
    return report


def _message(wrong: Sequence[Entry], report: GradientReport, f: Any, df: Any, point: Any) -> str:
    are = "is" if len(wrong) == 1 else "are"
    lines = [
        f"{len(wrong)} of {len(report)} derivatives {are} not what finite differences say",
        *([f"  {report.part}"] if report.part else []),
        *map(str, wrong[:MOST_LINES]),
    ]
    if len(wrong) > MOST_LINES:
        lines.append(f"  and {len(wrong) - MOST_LINES} more")
    names = [getattr(function, "__name__", shown(function)) for function in (f, df)]
    return "\n".join([*lines, f"  reproduce: check_gradient({', '.join(names)}, {shown(point)})"])


def _spread(inputs: int, outputs: int) -> list[int]:
    """The inputs that are compared: all of them, or, of very many, some that are evenly spread.

    >>> _spread(3, 1), _spread(100, 1_000)
    ([0, 1, 2], [0, 14, 28, 42, 56, 70, 84, 99])
    """
    count = min(inputs, max(FEWEST_INPUTS, MOST_DERIVATIVES // max(outputs, 1)))
    return [j * (inputs - 1) // (count - 1) for j in range(count)] if count > 1 else [0]


def _entries(
    f: Callable[[Any], Any],
    where: "_Point",
    compared: Sequence[int],
    shape: tuple[int, ...],
    claimed: Sequence[float],
    rounding: "_Rounding",
    noise: float | None,
) -> Iterator[Entry]:
    """Input by input; f is called once for all its outputs."""
    places = list(_indices(shape))
    for j in compared:
        outputs = _Outputs(f, where, j, shape)
        for i, output in enumerate(places):
            values = FunctionValues(outputs.number(i), where.unit, noise)
            difference = difference_at(values, where.numbers[j], partial(where.nearest, j))
            k = i * len(where.numbers) + j
            verdict = judge(claimed[k], difference, where.unit)
            if verdict == "wrong" and difference.verdict in ("smooth", "edge", "quantised"):
                allowed = replace(difference, bound=difference.bound + rounding.allowances[k])
                verdict = judge(claimed[k], allowed, where.unit)
            yield Entry(output, where.places[j], claimed[k], difference, verdict)


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
        except Exception as error:
            error.add_note(f"check_gradient called f {self.place(x)}")
            raise
        items, shape = _items(out, "f(point)")
        if shape != self.shape:
            raise TypeError(
                f"f returned the shape {shape} {self.place(x)}, but {self.shape} at the point itself; "
                f"it must be the same near the point"
            )
        return items

    def place(self, x: float) -> str:
        """Which entry was moved, and where the others are."""
        what, was = _index(self.where.places[self.entry]), self.where.numbers[self.entry]
        return f"with x{what} = {x!r} in place of {was!r} at the point {shown(self.where.point)}"


class _Rounding:
    """How far a right gradient may be off for no other reason than the rounding of the inputs.

    In 2 * (x - mean(x)) digits cancel that rounding the mean has lost. An error of a few ulp in the inputs changes the
    gradient as much, and so it is computed with the inputs moved by as little, in one direction and in the other.
    """

    def __init__(self, df: Callable[[Any], Any], where: "_Point", claimed: Sequence[float]) -> None:
        self.df, self.where, self.claimed = df, where, claimed

    @cached_property
    def allowances(self) -> list[float]:
        """For each derivative four times its largest change; found only if some derivative seems to be wrong.

        Of the two directions the smaller change counts: where a wrong gradient jumps at the point, the other is 0.
        """
        again, _ = _flat(_called(self.df, self.where, "df"), "df(point)")
        if not all(map(same_number, self.claimed, again)):
            raise NotDeterministicError(
                f"df gave {shown(list(self.claimed))} and then {shown(again)} at the same point; "
                f"seed its random numbers anew at each call"
            )
        rng, largest = random.Random(0), [0.0] * len(self.claimed)
        for size in (1, 2, 3):
            signs = [rng.choice((-size, size)) for _ in self.where.numbers]
            there, back = self.changes(signs), self.changes([-sign for sign in signs])
            smaller = map(min, there, back)
            largest = [
                max(known, new) if new < math.inf else known for known, new in zip(largest, smaller, strict=True)
            ]
        return [4.0 * change for change in largest]

    def changes(self, ulps: Sequence[int]) -> list[float]:
        """How the gradient changes if each input is moved by so many ulp; 0 where it cannot be computed."""
        unit = self.where.unit / U
        near = [x + k * unit * math.ulp(x) for x, k in zip(self.where.numbers, ulps, strict=True)]
        try:
            with quiet():
                there, _ = _flat(self.df(self.where.at(near)), "df(point)")
            changes = [abs(a - b) for a, b in zip(there, self.claimed, strict=True)]
        except Exception:  # whatever df does beside the point, nothing is allowed for it
            return [0.0] * len(self.claimed)
        return [change if math.isfinite(change) else 0.0 for change in changes]


# Numbers, lists and arrays alike


class _Point:
    """Where the gradient is checked: its numbers in a row, and how to make another point of the same kind."""

    def __init__(self, point: Any) -> None:
        _refuse_other_kinds(point)
        self.point = point
        self.items, self.shape = _items(point, "the point")
        self.unit = max(map(roundoff, self.items), default=roundoff(point))
        self.numbers = [_number(x, "the point") for x in self.items]
        self.places = list(_indices(self.shape))  # once: as long as the point, and needed at each step
        self.row = [_as(item, x) for item, x in zip(self.items, self.numbers, strict=True)]
        for x in self.numbers:
            if not math.isfinite(x):
                raise TypeError(f"the point of check_gradient is made of finite numbers; got {x} among them")
        if not self.numbers:
            raise ValueError("check_gradient takes at least one number as the point; it is empty")

    def copy(self) -> Any:
        return self.at(self.numbers)

    def nearest(self, entry: int, x: float) -> float:
        """The number of the entry's type that is nearest to x."""
        with quiet():  # beyond the largest float32 it is an infinity
            return float(_as(self.items[entry], x))

    def moved(self, entry: int, x: float) -> Any:
        """The point with another number in one place."""
        if _is_array(self.point):
            moved = _floating(self.point)
            moved[self.places[entry]] = x
            return moved
        row = self.row.copy()
        row[entry] = _as(self.items[entry], x)
        return _like(self.point, iter(row), len(self.shape))

    def at(self, numbers: Sequence[float]) -> Any:
        """Another point of the same kind."""
        return _like(self.point, map(_as, self.items, numbers), len(self.shape))


def _refuse_other_kinds(point: Any) -> None:
    numpy = sys.modules.get("numpy")
    foreign = hasattr(point, "dtype") and not (numpy and isinstance(point, (numpy.ndarray, numpy.generic)))
    if foreign or isinstance(point, (dict, set, frozenset)):
        kind = type(point).__name__
        library = type(point).__module__.partition(".")[0]
        of = f" of {library}" if foreign else ""
        raise TypeError(
            f"check_gradient takes a number, a list, a tuple or a NumPy array as the point; got a {kind}{of}: "
            f"{'turn it into a NumPy array' if foreign else 'put its numbers in a list'}"
        )


def _is_array(x: Any) -> bool:
    """Whether x is an array, even one without axes, and not a number of NumPy's."""
    return hasattr(x, "dtype") and hasattr(x, "__setitem__")


def _floating(array: Any) -> Any:
    """A copy of the array that can hold fractions."""
    return array.copy() if array.dtype.kind == "f" else array.astype(float)


def _as(template: Any, x: float) -> Any:
    """x as a number of the template's type, where that is a float of NumPy's."""
    return template.dtype.type(x) if getattr(getattr(template, "dtype", None), "kind", "") == "f" else x


def _like(template: Any, row: Iterator[Any], depth: int) -> Any:
    """The next numbers in the shape of the template: a number, an array, or a list or tuple, `depth` deep, of such."""
    if isinstance(template, (list, tuple)):
        rows = list(islice(row, len(template))) if depth == 1 else [_like(each, row, depth - 1) for each in template]
        if hasattr(template, "_fields"):
            return type(template)(*rows)
        return tuple(rows) if isinstance(template, tuple) else rows
    if _is_array(template):
        array = _floating(template)
        array.flat = list(islice(row, array.size))
        return array
    return next(row)


def _called(function: Callable[[Any], Any], where: _Point, name: str) -> Any:
    """function(point), on a copy that it must leave alone."""
    if not callable(function):
        raise TypeError(f"check_gradient takes two functions and a point; got {shown(function)} as {name}")
    try:
        with quiet():
            given = where.copy()
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
