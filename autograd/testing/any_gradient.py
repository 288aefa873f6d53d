"""Is my hand-written gradient right? `check_gradient` takes anybody's functions, plain Python or NumPy.

It knows nothing of graphs: it calls the function at points near the given one and compares, entry by entry, what the
gradient says with finite differences and their own error bound (`finite_differences.py`).
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.testing.differences.finite_differences import difference_at, judge
from autograd.testing.differences.function_values import FunctionValues, checked_noise, quiet, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import (
    InconclusiveError,
    InputChangedError,
    WrongGradientError,
    not_finite,
    not_repeated,
    raised_at,
)
from autograd.testing.inputs import Inputs, add_note_on_arguments, entries, indices, shape, spread, written
from autograd.testing.report import GradientReport, Row
from autograd.testing.written import reproduce_line

MOST_DERIVATIVES = 2_000
"""A gradient with more derivatives is compared for some inputs only."""

Shape = tuple[int, ...]


def check_gradient(
    f: Callable[..., Any],
    df: Callable[..., Any],
    point: Any,
    noise: float | None = None,
    conclusive: bool = False,
) -> GradientReport:
    """Checks a hand-written gradient of a function, without tolerances and without steps to choose.

    Arguments:
        f: a function of numbers, or of lists, dicts or arrays of numbers; returns a number, or an array of them.
        df: its derivative, called as f is. For a number x it has the shape of f(x). For a list or an array x it has
            the shape of f(x) followed by that of x: the gradient if f(x) is a number, the Jacobian if it is a vector.
            For several arguments it is a sequence with one such derivative for each; for a dict, or a list whose
            parts have different shapes, it is one of the same structure.
        point: where. A tuple is the arguments, f(x, y). Anything else is one argument: a number, a list, a dict or a
            NumPy array, nested at will. f and df are called with the same kinds. An array of float32 is moved in
            steps that float32 can hold, and judged by its precision.
        noise: by how much a value of f may be off, if that is known; otherwise it is estimated. Knowing it helps where
            much is "inconclusive", as with float32.
        conclusive: whether to raise InconclusiveError where differences can neither confirm nor refute.

    Returns:
        a `GradientReport`: one row for each derivative, with a verdict ("right"; "inconclusive", where
        differences cannot tell; "convention", at a jump). At a kink the derivative from the left, from the right, and
        all between are right. A gradient is not wrong by what rounding the inputs may do to it. Of more than 2,000
        derivatives it compares those for some inputs only, evenly spread, and says so.

    Raises:
        WrongGradientError: an entry of the gradient is not what finite differences say.
        InconclusiveError: see `conclusive`.
        UndefinedPointError: f or df raises ArithmeticError or ValueError, or f has no finite value, at the point.
        NotDeterministicError: f gave another value when called again.
        InputChangedError: f or df changed the point in place.
        TypeError: the point holds something other than finite real numbers; f or df returns something else; or f
            returns another shape near the point.
        ValueError: the point is empty, df returns another shape than it should, or noise is negative.

    >>> print(check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0))
    check_gradient: 1 derivative, 1 right
      d f/d x
        gradient 12
        numeric  12 +- ... (... evaluations, smooth, estimated)
    >>> check_gradient(lambda x, y: x * y, lambda x, y: (y, y), (2.0, 5.0))
    Traceback (most recent call last):
    autograd.testing.errors.WrongGradientError: 1 of 2 derivatives is not what finite differences say
      d f/d x1  (wrong)
        gradient 5
        numeric  2 +- ... (... evaluations, smooth, estimated)
      reproduce: ...; check_gradient(lambda x, y: x * y, lambda x, y: (y, y), (2.0, 5.0))
    """
    __tracebackhide__ = True
    noise = checked_noise(noise, "check_gradient")
    inputs = Inputs(point, "check_gradient")
    function, gradient = _Called(f, "f", inputs), _Called(df, "df", inputs)
    values, outputs = _flat(function(), "f(point)")
    if not all(map(math.isfinite, values)):
        raise not_finite(function.where, values[0] if len(values) == 1 else shown(values))
    again, _ = _flat(function(), "f(point)")
    if not all(map(same_number, values, again)):
        raise not_repeated(function.where, shown(values), shown(again))
    claimed = _derivatives(gradient(), inputs, outputs)
    rounding = _Rounding(gradient, claimed, outputs)
    compared = spread(len(inputs.numbers), len(values), MOST_DERIVATIVES)
    rows = list(_rows(function, compared, outputs, claimed, rounding, noise))
    report = GradientReport("check_gradient", function.name, inputs.numbers, rows=rows)
    if len(compared) < len(inputs.numbers):
        report.notes.append(f"differences for {len(compared):,} of {len(inputs.numbers):,} inputs")
    if report.wrong or report.inconclusive:
        options = {"noise": noise} if noise is not None else {}
        report.reproduce = reproduce_line("check_gradient", [f, df], point, options=options)
    if report.wrong:
        raise WrongGradientError(report.failure, report)
    if conclusive and report.inconclusive:
        raise InconclusiveError(report.doubt, report)
    return report


def _rows(
    function: "_Called",
    compared: Sequence[int],
    outputs: Shape,
    claimed: Sequence[float],
    rounding: "_Rounding",
    noise: float | None,
) -> Iterator[Row]:
    """Input by input; f is called once for all its outputs."""
    inputs = function.inputs
    places = list(indices(outputs))
    for j in compared:
        moved = _Moved(function, j, outputs)
        for i, output in enumerate(places):
            values = FunctionValues(moved.output(i), inputs.unit, noise)
            difference = difference_at(values, inputs.numbers[j], partial(inputs.nearest, j))
            k = i * len(inputs.numbers) + j
            verdict = judge(claimed[k], difference, inputs.unit)
            if verdict == "wrong" and difference.verdict in ("smooth", "edge", "quantised"):
                allowed = replace(difference, bound=difference.bound + rounding.allowances[k])
                verdict = judge(claimed[k], allowed, inputs.unit)
            of = f"f{written(output)}"
            place = inputs.places[j]
            yield Row(inputs.names[j], claimed[k], difference, verdict, of, "gradient", output, place)


class _Called:
    """A user's function at the point, and what is said of it."""

    def __init__(self, f: Any, role: str, inputs: Inputs) -> None:
        if not callable(f):
            raise TypeError(f"check_gradient takes two functions and a point; got {shown(f)} as {role}")
        self.f, self.role, self.inputs = f, role, inputs
        self.name = getattr(f, "__name__", shown(f))
        self.where = f"{role} at {shown(inputs.point)}"

    def __call__(self) -> Any:
        """Its result on a copy of the point, which it must leave alone."""
        given = self.inputs.at(self.inputs.numbers)
        try:
            with quiet():
                out = self.f(*given)
        except (ArithmeticError, ValueError) as error:
            raise raised_at(self.where, error) from error
        except TypeError as error:
            add_note_on_arguments(error, "check_gradient", self.role, given)
            raise
        if [real_or_none(x) for x in self.inputs.row(given)] != self.inputs.numbers:
            changed = shown(given if self.inputs.several else given[0])
            raise InputChangedError(f"{self.role} changed the point in place to {changed}; compute with a copy of it")
        return out


class _Moved:
    """All outputs of f with one entry of the point moved, each computed once."""

    def __init__(self, function: _Called, entry: int, outputs: Shape) -> None:
        self.function, self.entry, self.outputs = function, entry, outputs
        self.known: dict[float, Sequence[Any]] = {}

    def output(self, i: int) -> Callable[[float], Any]:
        """One of the outputs, as a function of the entry."""

        def of_entry(x: float) -> Any:
            if x not in self.known:
                self.known[x] = self.compute(x)
            return self.known[x][i]

        return of_entry

    def compute(self, x: float) -> Sequence[Any]:
        try:
            out = self.function.f(*self.function.inputs.moved(self.entry, x))
        except (ArithmeticError, ValueError):
            return [math.nan] * math.prod(self.outputs)
        except Exception as error:
            error.add_note(f"check_gradient called f {self.place(x)}")
            raise
        if shape(out) != self.outputs:
            raise TypeError(
                f"f returned the shape {shape(out)} {self.place(x)}, but {self.outputs} at the point itself; "
                f"it must be the same near the point"
            )
        return entries(out)

    def place(self, x: float) -> str:
        """Which entry was moved, and where the others are."""
        inputs = self.function.inputs
        name = inputs.names[self.entry]
        was = inputs.numbers[self.entry]
        return f"with {name} = {x!r} in place of {was!r} at the point {shown(inputs.point)}"


class _Rounding:
    """How far a right gradient may be off for no other reason than the rounding of the inputs.

    In 2 * (x - mean(x)) digits cancel that rounding the mean has lost. An error of a few ulp in the inputs changes the
    gradient as much. So it is computed again with the inputs moved by as little, in one direction and in the other.
    """

    def __init__(self, gradient: _Called, claimed: Sequence[float], outputs: Shape) -> None:
        self.gradient, self.claimed, self.outputs = gradient, claimed, outputs

    @cached_property
    def allowances(self) -> list[float]:
        """For each derivative four times its largest change; found only if some derivative seems to be wrong.

        Of the two directions the smaller change counts: where a wrong gradient jumps at the point, the other is 0.
        """
        again = self.flat(self.gradient())
        if not all(map(same_number, self.claimed, again)):
            raise not_repeated(self.gradient.where, shown(list(self.claimed)), shown(again))
        rng = random.Random(0)
        largest = [0.0] * len(self.claimed)
        for size in (1, 2, 3):
            signs = [rng.choice((-size, size)) for _ in self.gradient.inputs.numbers]
            smaller = map(min, self.changes(signs), self.changes([-sign for sign in signs]))
            largest = [
                max(known, new) if new < math.inf else known for known, new in zip(largest, smaller, strict=True)
            ]
        return [4.0 * change for change in largest]

    def changes(self, ulps: Sequence[int]) -> list[float]:
        """How the gradient changes if each input is moved by so many ulp; 0 where it cannot be computed."""
        inputs = self.gradient.inputs
        unit = inputs.unit / U
        near = [x + k * unit * math.ulp(x) for x, k in zip(inputs.numbers, ulps, strict=True)]
        try:
            with quiet():
                there = self.flat(self.gradient.f(*inputs.at(near)))
            changes = [abs(a - b) for a, b in zip(there, self.claimed, strict=True)]
        except Exception:  # whatever df does beside the point, nothing is allowed for it
            return [0.0] * len(self.claimed)
        return [change if math.isfinite(change) else 0.0 for change in changes]

    def flat(self, out: Any) -> list[float]:
        return _derivatives(out, self.gradient.inputs, self.outputs)


# What functions return


def _flat(x: Any, what: str) -> tuple[list[float], Shape]:
    """The numbers in a row, and their shape."""
    found = shape(x)
    if found is None:
        raise TypeError(f"{what} is a list of rows with different lengths, or a dict: {shown(x)}; return an array")
    return [_number(item, what) for item in entries(x)], found


def _number(x: Any, what: str) -> float:
    number = real_or_none(x)
    if number is None:
        raise TypeError(f"{what} must be made of real numbers; got {shown(x)} ({type(x).__name__})")
    return number


def _derivatives(found: Any, inputs: Inputs, outputs: Shape) -> list[float]:
    """What df returned in a row: for the first output its derivative by each input, then for the next output."""
    columns = list(_columns(found, inputs.point, outputs, by_part=inputs.several))
    return [column[i] for i in range(math.prod(outputs)) for column in columns]


def _columns(found: Any, point: Any, outputs: Shape, by_part: bool) -> Iterator[Sequence[float]]:
    """The derivatives of all outputs by one input after the other."""
    inner = None if by_part else shape(point)
    if inner is None:
        for part, derivative in zip(_parts(point), _parts_like(point, found), strict=True):
            yield from _columns(derivative, part, outputs, by_part=False)
        return
    numbers, found_shape = _flat(found, "df(point)")
    if found_shape != outputs + inner:
        raise ValueError(
            f"df returned the shape {found_shape}, but f has the shape {outputs} and the point {inner}: "
            f"return {outputs + inner}, one derivative for each pair of them"
        )
    count = math.prod(inner)
    yield from (numbers[j::count] for j in range(count))


def _parts(point: Any) -> list[Any]:
    return list(point.values() if isinstance(point, dict) else point)


def _parts_like(point: Any, found: Any) -> list[Any]:
    """What df returned for each part of the point."""
    try:
        parts = [found[key] for key in (point if isinstance(point, dict) else range(len(point)))]
        if len(found) == len(parts):
            return parts
    except (TypeError, LookupError):
        pass
    each = f"the keys {shown(list(point))}" if isinstance(point, dict) else f"{len(point)} parts"
    raise ValueError(f"df returned {shown(found)}, but the point has {each}: return one derivative for each of them")
