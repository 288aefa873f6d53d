"""Is a gradient right? `check_gradient` takes anybody's functions: plain Python, NumPy, PyTorch, JAX.

It knows nothing of graphs: it calls the function at points near the given one and compares what is claimed of the
derivatives (`claims.py`) with finite differences and their own error bound (`differences/finite_differences.py`). A few
derivatives are compared one by one, many along random directions (`probes.py`).
"""

import copy
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.testing.claims import Claim, Whole
from autograd.testing.differences.finite_differences import Difference, judge
from autograd.testing.differences.function_values import checked_noise, quiet, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import (
    InconclusiveError,
    InputChangedError,
    WrongGradientError,
    not_finite,
    not_repeated,
    raised_at,
)
from autograd.testing.frameworks.choice import as_function, own_claims
from autograd.testing.inputs import Inputs, Outputs, add_note_on_arguments
from autograd.testing.probes import DIRECTIONS, Finding, Judged, Probe, Search, Surroundings, excusable
from autograd.testing.remedies import remedies
from autograd.testing.report import GradientReport, Row
from autograd.testing.rounded_inputs import Nearby
from autograd.testing.written import reproduce_line

ENTRY_BY_ENTRY = 200
"""Up to so many derivatives are compared one by one."""
OUTSIDE = (ArithmeticError, ValueError, LookupError)
"""What a function may raise outside of its domain, or of its table."""
_NO_POINT = object()


def check_gradient(
    f: Callable[..., Any],
    df: Callable[..., Any] | None = None,
    point: Any = _NO_POINT,
    noise: float | None = None,
    *,
    exact_to: float | None = None,
    conclusive: bool = False,
    keywords: Mapping[str, Any] | None = None,
    rng: random.Random | None = None,
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
    if point is _NO_POINT:
        raise TypeError("check_gradient takes a point: check_gradient(f, df, point), or check_gradient(f, point=point)")
    report = _Check(f, df, point, keywords, noise, _checked_exactness(exact_to), rng).report()
    if report.wrong or report.inconclusive:
        given = {"noise": noise, "exact_to": exact_to, "conclusive": conclusive or None}
        options = {name: option for name, option in given.items() if option is not None}
        report.reproduce = reproduce_line("check_gradient", [f, df], point, keywords, options)
    if report.wrong:
        raise WrongGradientError(report.failure, report)
    if conclusive and report.inconclusive:
        raise InconclusiveError(report.doubt, report)
    return report


def _checked_exactness(exact_to: Any) -> float:
    """How exact a gradient is meant to be, or an error if that is no such number."""
    if exact_to is None:
        return 0.0
    number = None if type(exact_to).__name__ in ("bool", "bool_") else real_or_none(exact_to)
    if number is None or not 0.0 <= number < 1.0:
        raise ValueError(
            f"check_gradient takes exact_to, how exact df is meant to be, as a part of the derivative between 0 and 1, "
            f"such as 1e-6; got {shown(exact_to)}"
        )
    return number


class _Check:
    """One function at one point, and what is claimed of its derivatives there."""

    def __init__(
        self, f: Any, df: Any, point: Any, keywords: Any, noise: float | None, exact_to: float, rng: Any
    ) -> None:
        if not callable(f) or not (df is None or callable(df)):
            bad, role = (df, "df") if callable(f) else (f, "f")
            raise TypeError(f"check_gradient takes two functions and a point; got {shown(bad)} as {role}")
        self.point, self.exact_to, self.rng = point, exact_to, rng
        if df is None:
            f, point, keywords = as_function(f, point, keywords)
        self.inputs = Inputs(point, "check_gradient", keywords)
        self.f = _Called(f, "f", self.inputs, self.point)
        self.df = None if df is None else _Called(df, "df", self.inputs, self.point)
        self.outputs = self.results()
        self.around = Surroundings(self.near, self.inputs, self.outputs, noise)
        self.claims = self.claims_of(self.inputs)
        self.near_misses = [
            Nearby(self.inputs, self.claims_at, which, self.repeat) for which in range(len(self.claims))
        ]
        self.trouble = ""
        self.single: dict[int, tuple[int, int]] = {}  # the result and the input of each row of a single derivative

    def results(self) -> Outputs:
        """What f returns at the point, twice the same."""
        outputs = Outputs(self.f(), "f")
        values = outputs.numbers
        if not all(map(math.isfinite, values)):
            raise not_finite(self.f.where, values[0] if len(values) == 1 else shown(values))
        again = outputs.numbers_of(self.f())
        if not all(map(same_number, values, again)):
            raise not_repeated(self.f.where, shown(values), shown(again))
        return outputs

    def claims_of(self, inputs: Inputs) -> Sequence[Claim]:
        """Everything that is claimed of the derivatives at these inputs."""
        if self.df is None:
            return own_claims(self.f.f, inputs, self.outputs)
        numbers = inputs.derivatives(self.df(inputs), self.outputs)
        return [Whole("gradient", numbers, len(self.outputs.numbers), len(inputs.numbers))]

    def claims_at(self, numbers: Sequence[float]) -> Sequence[Claim]:
        """The claims at other numbers."""
        inputs = copy.copy(self.inputs)
        inputs.numbers = list(numbers)
        return self.claims_of(inputs)

    def repeat(self) -> None:
        """Before a gradient is excused it must at least be the same when asked for again."""
        if self.df is not None:
            [first], [again] = self.claims, self.claims_of(self.inputs)
            if not all(map(same_number, first.entries(), again.entries())):
                raise not_repeated(self.df.where, shown(first.entries()), shown(again.entries()))

    def near(self, arguments: Any, where: Callable[[], str]) -> Sequence[float]:
        """The results for arguments near the point; nan where there are none."""
        try:
            result = self.inputs.call(self.f.f, arguments)
        except OUTSIDE as error:
            if isinstance(error, LookupError) and not self.trouble:
                self.trouble = f"f raised {type(error).__name__}: {error} {where()}"
            return [math.nan] * len(self.outputs.numbers)
        except Exception as error:
            error.add_note(f"check_gradient called f {where()} at the point {shown(self.point)}")
            raise
        try:
            return self.outputs.numbers_of(result)
        except TypeError as error:
            raise TypeError(f"{error}, {where()} at the point {shown(self.point)}") from None

    # The report

    def report(self) -> GradientReport:
        """All rows: of each derivative, or of what probes found."""
        report = GradientReport("check_gradient", self.f.name, self.inputs.numbers)
        if self.around.m * self.around.n <= ENTRY_BY_ENTRY:
            report.rows = list(self.one_by_one())
        else:
            self.probe(report)
        report.notes += [note for claim in self.claims for note in claim.notes]
        report.notes += self.remedies(report)
        if self.trouble and report.inconclusive:
            report.notes.append(self.trouble)
        report.evaluations = self.around.evaluations
        return report

    def remedies(self, report: GradientReport) -> Iterator[str]:
        """What the user could say."""

        def with_noise(row: Row, share: float) -> Difference:
            i, j = self.single[id(row)]
            return self.around.entry(i, j, None, share * size)

        size = max(map(abs, self.outputs.numbers)) or 1.0
        wrong = [row for row in report.wrong if id(row) in self.single]
        return remedies(wrong, report.inconclusive, with_noise, size, self.around.unit > U)

    def one_by_one(self) -> Iterator[Row]:
        """Each derivative has a row. Input by input: f is called once for all its results."""
        m, n, unit = self.around.m, self.around.n, self.around.unit
        claimed = [claim.entries() for claim in self.claims]
        largest = [[_largest(numbers[i * n : (i + 1) * n]) for i in range(m)] for numbers in claimed]
        for j in range(n):
            for k in range(j, m * n, n):
                for claim, numbers, sizes, nearby in zip(self.claims, claimed, largest, self.near_misses, strict=True):
                    derivative, slack = numbers[k], self.exact_to * sizes[k // n]
                    difference = self.around.entry(k // n, j, derivative)
                    verdict = judge(derivative, difference, unit, slack, exact_to=self.exact_to)
                    if excusable(verdict, difference):
                        slack += nearby.allowance(derivative, lambda near, k=k: near.entries()[k])  # type: ignore[misc]
                        verdict = judge(derivative, difference, unit, slack, exact_to=self.exact_to)
                    yield self.row(claim, k // n, j, derivative, difference, verdict)

    def row(self, claim: Claim, i: int, j: int, claimed: float, difference: Difference, verdict: str) -> Row:
        """One derivative."""
        of, output, place = f"f{self.outputs.names[i]}", self.outputs.places[i], self.inputs.place(j)
        row = Row(self.inputs.name(j), claimed, difference, verdict, of, claim.name, output, place)
        self.single[id(row)] = i, j
        return row

    def probe(self, report: GradientReport) -> None:
        """What probes of all derivatives together found."""
        report.total, report.directions = self.around.m * self.around.n, DIRECTIONS
        seed = (self.rng or random.Random(0)).getrandbits(64)  # the same directions for all claims: shared differences
        for claim, nearby in zip(self.claims, self.near_misses, strict=True):
            search = Search(self.around, claim, nearby, self.exact_to, random.Random(seed))
            found = search.run()
            single = [
                self.row(claim, i, j, one.claimed, one.difference, one.verdict) for (i, j), one in found.found.items()
            ]
            together = [self.together(claim, one) for one in (found.groups or found.whole)]
            report.rows += single if found.wrong and not found.groups else single + together
            report.unsettled = max(report.unsettled, sum(part.size for part in [*found.unsettled, *found.strange]))
            report.notes += self.said(found, search)

    def together(self, claim: Claim, judged: Judged) -> Row:
        """Many derivatives along one direction."""
        probe = judged.probe
        of = "f" if self.around.m == 1 else f"({len(probe.rows):,} results of f, with random weights)"
        name = f"({len(probe.columns):,} inputs, random direction {probe.key[0] + 1})"
        return Row(name, judged.claimed, judged.difference, judged.verdict, of, claim.name)

    def said(self, found: Finding, search: Search) -> Iterator[str]:
        """What is to be known beside the rows."""
        if found.strange:
            yield f"nan or infinite, and not looked into: {self.among(found.strange)}"
        if found.unsettled:
            yield f"what else may be wrong: {self.among(found.unsettled)}"
            yield from search.samples() if found.wrong else ()
        elif found.wrong and not found.strange:
            yield f"all others are right along {DIRECTIONS} random directions"
        if found.between:
            yield f"at kinks, where derivatives are only known to lie between two slopes: {self.among(found.between)}"
        if math.isfinite(found.blind):
            yield f"an error of one derivative below {found.blind:.1g} could not be seen"

    def among(self, parts: Sequence[Probe]) -> str:
        """Which arrays of the point these belong to, and how many numbers of each."""
        counts = [
            (name, sum(1 for part in parts for j in part.columns if start <= j < stop))
            for name, start, stop in self.inputs.blocks
        ]
        named = [f"{count:,} of {name}" if name else f"{count:,}" for name, count in counts if count]
        return ", ".join([*named[:8], *([f"and {len(named) - 8:,} more"] if len(named) > 8 else [])])


def _largest(numbers: Sequence[float]) -> float:
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


class _Called:
    """A user's function at the point, and what is said of it."""

    def __init__(self, f: Any, role: str, inputs: Inputs, point: Any) -> None:
        self.f, self.role, self.inputs = f, role, inputs
        self.name = getattr(f, "__name__", shown(f))
        self.where = f"{role} at {shown(point)}"

    def __call__(self, inputs: Inputs | None = None) -> Any:
        """Its result on a copy of the point, which it must leave alone."""
        inputs = inputs or self.inputs
        given = inputs.at(inputs.numbers)
        try:
            with quiet():
                out = inputs.call(self.f, given)
        except (ArithmeticError, ValueError) as error:
            raise raised_at(self.where, error) from error
        except TypeError as error:
            add_note_on_arguments(error, "check_gradient", self.role, given)
            raise
        if inputs is self.inputs and inputs.changed(given):
            changed = shown(tuple(given) if self.inputs.several else given[0])
            raise InputChangedError(f"{self.role} changed the point in place to {changed}; compute with a copy of it")
        return out
