"""Is a gradient right? `check_gradient` takes anybody's functions: plain Python, NumPy, PyTorch, JAX.

It knows nothing of graphs: it calls the function at points near the given one and compares what is claimed of the
derivatives (`claims.py`) with finite differences and their own error bound (`differences/finite_differences.py`). A few
derivatives are compared one by one, many along random directions (`comparing.py`).
"""

import copy
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

from autograd.reals import shown
from autograd.testing.claims import Claim, Whole
from autograd.testing.comparing import Comparison
from autograd.testing.differences.finite_differences import Difference
from autograd.testing.differences.function_values import checked_noise, number_or_none, quiet, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import (
    GradcheckError,
    InconclusiveError,
    InputChangedError,
    WrongGradientError,
    not_finite,
    not_repeated,
    raised_at,
)
from autograd.testing.frameworks.choice import as_function, own_claims
from autograd.testing.inputs import Inputs, add_note_on_arguments
from autograd.testing.outputs import Outputs, note_on_integers
from autograd.testing.remedies import remedies
from autograd.testing.report import GradientReport, Row
from autograd.testing.rounded_inputs import Nearby
from autograd.testing.surroundings import Surroundings
from autograd.testing.written import reproduce_line

ENTRY_BY_ENTRY = 200
"""Up to so many derivatives are compared one by one."""
MISTAKES = (TypeError, NameError, AttributeError, ImportError, MemoryError, GradcheckError)
"""What is no answer of a function outside of its domain, or where its iteration does not converge."""
SLOW = 10.0
"""After so many seconds a report says what would be faster."""
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
    """Checks a gradient, or a Jacobian, against the function itself: no tolerance and no step to choose.

    For a loss of NumPy arrays give the gradient that was derived by hand. For a function of PyTorch tensors, JAX arrays
    or Values leave `df` out: then what the framework says is checked, with every `torch.autograd.Function`, custom rule
    and module in it. Up to 200 derivatives are compared one by one. More are compared together along three random
    directions, up to millions in a few hundred calls of f; what is wrong is then found by halving.

    Arguments:
        f: a function of numbers, or of arrays, lists and dicts of numbers, nested at will; or a `torch.nn.Module`,
            whose parameters are checked too. It returns a number, an array, or a nesting of them, and the same each
            time: give dropout a fixed seed, or switch it off. Near the point it may raise any error where it has no
            value, but a TypeError, a NameError and the like, which are mistakes in it.
        df: its derivative, called as f is. For one argument x it has the shape of f(x) followed by that of x: the
            gradient if f(x) is a number, the Jacobian if it is a vector. For several arguments it is a sequence with
            one derivative for each, for a dict or a nested list one of the same structure; derivatives by keyword
            arguments are a dict at the end of the sequence. None: the framework is asked.
        point: where. A tuple is the arguments, f(x, y); anything else is one argument. f and df get the same kinds of
            numbers and arrays. float32, float16 and bfloat16 are moved in steps that they can hold. Integers and
            booleans in arrays (labels, masks) are left alone; so are objects of other kinds, but, without df, for
            dataclasses: a note names those that hold arrays.
        noise: by how much a value of f may be off, if that is known (a table, a simulation, an iteration that stops);
            otherwise it is estimated.
        exact_to: how exact the derivative is meant to be, as a part of the largest derivative of the same result, such
            as 1e-6; by default as exact as its numbers. For gradients of solvers and fits, which are not the
            derivative of what the program computes.
        conclusive: whether to raise InconclusiveError where differences can neither confirm nor refute.
        keywords: arguments by keyword, for f and df; by those that are numbers or arrays it is differentiated too.
        rng: chooses the random directions. By default they are the same each time.

    Returns:
        a `GradientReport`: one row for each derivative, or for each direction, with a verdict: "right"; "inconclusive",
        where differences cannot tell; "convention", at a jump. At a kink (relu or abs at 0, equal operands of max) the
        derivative from the left, from the right, and all between are right. A gradient is not wrong by what rounding
        the inputs may do to it. Its notes say what could not be seen, and what else may be wrong.

    Raises:
        WrongGradientError: a derivative is not what finite differences say. The message shows both numbers, at most
            8 derivatives, and a line that does the check again; `error.report` is the report.
        InconclusiveError: see `conclusive`.
        UndefinedPointError: f or df raises ArithmeticError or ValueError, or f has no finite value, at the point.
        NotDeterministicError: f or df gave something else when called again.
        InputChangedError: f or df changed the point in place.
        TypeError: the point holds complex numbers or no numbers; f or df returns something other than real numbers;
            f returns another shape near the point; or without df the point is of no framework.
        ValueError: the point is empty or not finite, df returns another shape or structure than it should, or noise
            or exact_to is no such number.

    >>> print(check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0))
    check_gradient: 1 derivative, 1 right
      d f/d x
        gradient 12
        numeric  12 +- ... (... evaluations, smooth, estimated)

    A least-squares loss, whose gradient lacks a factor of 2:

    >>> import numpy as np
    >>> X, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    >>> def loss(w):
    ...     return np.sum((X @ w - y) ** 2)
    >>> check_gradient(loss, lambda w: X.T @ (X @ w - y), np.array([0.5, 0.25]))
    Traceback (most recent call last):
    autograd.testing.errors.WrongGradientError: 2 of 2 derivatives are not what finite differences say
      d f/d x[0]  (wrong)
        gradient 10.5
        numeric  21 +- ... (... evaluations, smooth, estimated)
      ...

    With PyTorch, JAX or Values the framework's own derivative is checked:

    >>> from autograd import Value
    >>> print(check_gradient(lambda x, y: x * y.detach(), point=(Value(2.0), Value(5.0))))
    Traceback (most recent call last):
    autograd.testing.errors.WrongGradientError: ...

    A gradient of what an iteration should compute, not of what it does compute:

    >>> def root(a):
    ...     x = 1.0
    ...     for _ in range(4):
    ...         x -= (x**3 - a) / (3 * x**2)
    ...     return x
    >>> report = check_gradient(root, lambda a: 1 / (3 * root(a) ** 2), 3.0, exact_to=1e-3)
    >>> report.passed, len(report)
    (True, 1)
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
    number = number_or_none(exact_to)
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
        self.hint = self.trouble = ""
        self.inputs = Inputs(point, "check_gradient", keywords)
        self.f = _Called(f, "f", self.inputs, self.point)
        self.df = None if df is None else _Called(df, "df", self.inputs, self.point)
        self.outputs = self.results()
        self.around = Surroundings(self.near, self.inputs, self.outputs, noise)
        self.claims = self.claims_of(self.inputs)
        self.near_misses = [
            Nearby(self.inputs, self.claims_at, which, self.repeat) for which in range(len(self.claims))
        ]

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
        found = self.df(inputs)
        self.hint = note_on_integers(found)
        numbers = inputs.derivatives(found, self.outputs)
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
        except MISTAKES as error:
            error.add_note(f"check_gradient called f {where()} at the point {shown(self.point)}")
            raise
        except Exception as error:  # f works at the point, so that its domain must end in between
            if not self.trouble:
                said = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
                self.trouble = f"f raised {said} {where()}"
            return [math.nan] * len(self.outputs.numbers)
        try:
            return self.outputs.numbers_of(result)
        except TypeError as error:
            raise TypeError(f"{error}, {where()} at the point {shown(self.point)}") from None

    def report(self) -> GradientReport:
        """All rows: of each derivative, or of what probes found."""
        began = perf_counter()
        report = GradientReport("check_gradient", self.f.name, self.inputs.numbers, notes=self.inputs.notes.copy())
        comparison = Comparison(self.around, self.claims, self.near_misses, self.exact_to, self.rng)
        comparison.fill(report, one_by_one=self.around.m * self.around.n <= ENTRY_BY_ENTRY)
        report.rows += list(comparison.through_kinks(report.rows))
        report.notes += self.remedies(comparison, report)
        if self.hint and report.wrong:
            report.notes.append(self.hint)
        if self.trouble and report.inconclusive:
            report.notes.append(self.trouble)
        report.evaluations = self.around.evaluations
        report.notes += self.advice_if_slow(perf_counter() - began)
        return report

    def advice_if_slow(self, seconds: float) -> list[str]:
        """What would make f faster."""
        if self.df is not None or seconds < SLOW:
            return []
        advice = self.f.f.framework.advice_if_slow(self.f.f.f)
        return [f"this took {seconds:.0f} s for {self.around.evaluations:,} calls of f: {advice}"] if advice else []

    def remedies(self, comparison: Comparison, report: GradientReport) -> Iterator[str]:
        """What the user could say."""

        def with_noise(row: Row, share: float) -> Difference:
            i, j = comparison.single[id(row)]
            return self.around.entry(i, j, None, share * size)

        size = max(map(abs, self.outputs.numbers)) or 1.0
        wrong = [row for row in report.wrong if id(row) in comparison.single]
        return remedies(wrong, report.inconclusive, with_noise, size, self.around.unit > U)


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
