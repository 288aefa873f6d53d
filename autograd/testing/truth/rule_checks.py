"""Is a rule right, over the whole range of doubles? Its derivatives are held against the truth, point by point.

What the truth is depends on the operation and on the point:

- a built-in operation has an oracle (`oracles.py`), and conventions at special points (`special_points.py`);
- for an operation of one's own it is the derivative of its *value*, found by differences with hundreds of digits, or
  by finite differences with an error bound (`finite_differences.py`) if the value can be computed in floats only;
- at a kink every number between the derivatives from the left and from the right is right;
- elsewhere, such as outside the domain, nothing is claimed, and so nothing is wrong.

`local_misses` judges one recorded node; `check_rule` judges a rule.
"""

import difflib
import inspect
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

import autograd
from autograd import rows
from autograd.ieee754 import DOMAIN_ERRORS, ELEMENTARY, floats
from autograd.operations import Operation, operations
from autograd.reals import real_or_none, shown
from autograd.rules import WITH_INDEX
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import WrongRuleError
from autograd.testing.report import WIDTH, Report, Rows
from autograd.testing.truth.oracles import (
    FEWEST_BITS,
    FIRST_PRECISION,
    Operands,
    exact,
    mixture,
    one_sided_derivatives,
    oracles,
    precision,
    range_of,
    several,
    ulp_error,
)
from autograd.testing.truth.special_points import TABLE, special_point
from autograd.testing.written import reproduce_line

POINTS = 1_000
TRIES = 100
"""How many operands are drawn for each point, to find one where an operation of a user's own is finite."""

COARSE = 2.0**26
"""Beyond this, neighbouring doubles are too far apart to tell a sine from a smooth curve by values in floats alone."""

SMALL = mpf(2) ** -1_000
"""Below this a user's formula may lose digits, since a factor on the way is subnormal."""


# One node


class Miss(NamedTuple):
    """How far one number of a node is from the truth.

    Attributes:
        place: the operand's, or "value".
        actual: the number.
        expected: the truth as a float.
        ulp: the distance of the two; the number is right if that is at most `bound`.
        true: the truth with many digits.
    """

    place: int | str
    actual: float
    expected: float
    ulp: float
    bound: int
    true: Any


Claim = tuple[Any, Any]
"""The least and the largest number that a derivative may be. Mostly they are the same."""


def local_misses(
    operation: Operation, operands: Sequence[float], derivatives: Sequence[float], wanted: Sequence[int]
) -> Iterator[Miss]:
    """How far the local derivatives recorded in one node are from the true ones.

    Arguments:
        operation: the node's operation, built in or a user's own.
        operands: their numbers, in the order of the rule.
        derivatives: the recorded ones, for the operands at the places `wanted`.
        wanted: those places.

    Returns:
        a `Miss` for each derivative of which the truth is known. Where the derivative itself is too small a measure,
        such as where its terms cancel, the error is counted in ulp of the larger scale that the rule declares.

    >>> [miss.ulp for miss in local_misses(operations["mul"], [2.0, 3.0], [3.0, 2.0], [0, 1])]
    [0.0, 0.0]
    """
    bound = operation.rule.ulp_bound(len(operands))
    claims = true_derivatives(operation, operands, wanted)
    if (equal := _equal_shares(operation, operands)) and not _sum_to_one(derivatives, claims):
        claims = [(mpf(equal), mpf(equal)) if claim == (0, 1) else claim for claim in claims]
    for place, actual, claim in zip(wanted, derivatives, claims, strict=True):
        if claim is not None:
            yield _miss(operation, operands, place, actual, claim, bound)


def _miss(operation: Operation, operands: Sequence[float], place: int, actual: float, claim: Claim, bound: int) -> Miss:
    low, high = claim
    true = mpf(actual) if low <= actual <= high else low if low == high or actual < low else high
    ulp = ulp_error(actual, true)
    if bound < ulp < math.inf:  # only where it matters, since the scale takes time
        ulp = ulp_error(actual, true, _scale(operation, operands, place))
    return Miss(place, actual, float(true), ulp, bound, true)


def true_derivatives(operation: Operation, operands: Sequence[float], wanted: Sequence[int]) -> list[Claim | None]:
    """What is claimed of the derivatives at the places `wanted`; None where nothing is."""
    nothing: list[Claim | None] = [None for _ in wanted]
    own = is_own(operation)
    row = None if own else special_point(operation.name, operands)
    if row is not None:
        return [(mpf(row.derivatives[i]), mpf(row.derivatives[i])) for i in wanted]
    if not all(map(math.isfinite, operands)):
        return nothing
    if own:
        return _own_derivatives(operation, operands, wanted)
    oracle = oracles[operation.name]
    if not oracle.domain(*operands):
        return nothing
    if _equal_shares(operation, operands):
        best = oracle.value(*operands)
        return [(mpf(0), mpf(operands[i] == best)) for i in wanted]
    if oracle.kink(*operands):
        return [between(*one_sided_derivatives(oracle.value, operands, i)) for i in wanted]
    try:
        partials = exact(lambda *xs: list(oracle.partials(*xs)), operands)
    except ArithmeticError:  # more digits than there is time for
        return nothing
    if operation.name in WITH_INDEX:
        partials.append(mpf(0))  # the index moves nothing
    return [(partials[i], partials[i]) for i in wanted]


def is_own(operation: Operation) -> bool:
    """Whether the operation is a user's own. (Its name may be that of a built-in one.)"""
    return operation.function is not None or operation.name not in oracles


def between(left: Any, right: Any) -> Claim | None:
    """Any number between the derivatives from either side, or that of the one side that has one."""
    sides = [side for side in (left, right) if side is not None]
    return (min(sides), max(sides)) if sides else None


def _equal_shares(operation: Operation, operands: Sequence[float]) -> float:
    """1/n where n operands tie for the extreme, otherwise 0."""
    if operation.name not in ("max", "min", "maximum", "minimum") or is_own(operation):
        return 0.0
    count = operands.count(oracles[operation.name].value(*operands))
    return 1.0 / count if count > 1 else 0.0


def _sum_to_one(derivatives: Sequence[float], claims: Sequence[Claim | None]) -> bool:
    """Whether the shares of all operands sum to one."""
    total = math.fsum(d for d, claim in zip(derivatives, claims, strict=True) if claim == (0, 1))
    return True if not math.isfinite(total) else abs(total - 1.0) <= len(claims) * 2.0**-52


def _scale(operation: Operation, operands: Sequence[float], place: int) -> Any:
    """What the error of a derivative is measured against, if it is more than the derivative itself."""
    if not is_own(operation):
        terms = oracles[operation.name].terms
        return None if terms is None else exact(terms, operands)[place]
    if operation.rule.scale is not None:
        return mpf(operation.rule.scale(operation.evaluate(operands), *operands)[place])
    return max(SMALL, sensitivity(operation, operands, place) or SMALL)


# Operations of a user's own


def functions_over(context: Any) -> SimpleNamespace:
    """The namespace of elementary functions over the numbers of an mpmath context, for `rules(m)`."""
    same_names = [name for name in ELEMENTARY if name not in ("exp2", "log2", "cbrt", "pow")]
    return SimpleNamespace(
        **{name: getattr(context, name) for name in same_names},
        exp2=lambda x: context.power(2, x),
        log2=lambda x: context.log(x, 2),
        cbrt=lambda x: context.sign(x) * context.root(abs(x), 3),
        pow=context.power,
        floor=context.floor,
        ceil=context.ceil,
        round=context.nint,
        sum=context.fsum,
        norm=lambda numbers: context.sqrt(context.fsum(x * x for x in numbers)),
        select=floats.select,
        **rows.FUNCTIONS,
    )


def _no_float(x: Any) -> float:
    raise TypeError("a number of many digits does not turn into a float by itself")


# `math.sin(x)` in a user's value would quietly round a number of many digits to a float, whose differences are 0.
_exacting = mpmath.MPContext()
_exacting.mpf.__float__ = _no_float


@lru_cache(maxsize=256)
def value_over_mpmath(operation: Operation) -> Callable[..., Any] | None:
    """The operation's value as a function of mpmath numbers, or None if it was given for floats only."""
    if operation.over is None:
        return None
    try:
        value = operation.over(functions_over(_exacting)).value
    except Exception:  # whatever a user's function does with a namespace that it does not know
        return None

    def over_mpmath(*operands: Any) -> Any:
        with precision(mpmath.mp.prec), precision(mpmath.mp.prec, _exacting):  # the first keeps other threads out
            return mpf(value(*map(_exacting.mpf, operands)))

    return over_mpmath


def _own_derivatives(operation: Operation, operands: Sequence[float], wanted: Sequence[int]) -> list[Claim | None]:
    value = value_over_mpmath(operation)
    try:
        if value is not None and mpmath.isfinite(value(*operands)):
            return [between(*one_sided_derivatives(value, operands, i)) for i in wanted]
    except Exception:  # as above: then its floats have to do
        pass
    return [_by_finite_differences(operation, operands, i) for i in wanted]


def _by_finite_differences(operation: Operation, operands: Sequence[float], place: int) -> Claim | None:
    from autograd.testing.differences.finite_differences import finite_difference

    if abs(operands[place]) > COARSE:
        return None

    def along(x: float) -> float:
        try:
            return operation.evaluate([*operands[:place], x, *operands[place + 1 :]])
        except TypeError:  # complex outside the domain
            return math.nan

    found = finite_difference(along, operands[place])
    slopes = [found.left, found.right] if found.verdict == "kink" else [found]
    if found.verdict not in ("smooth", "edge", "kink") or not all(math.isfinite(s.value + s.bound) for s in slopes):
        return None
    # Textbook formulas lose what is small beside 1: log(1 + exp(x)) stands still at 0 below -37, and its slope goes on.
    lost = 64.0 * U * max(1.0, abs(along(operands[place])))
    return mpf(min(s.value - s.bound for s in slopes) - lost), mpf(max(s.value + s.bound for s in slopes) + lost)


def sensitivity(operation: Operation, operands: Sequence[float], place: int) -> Any:
    """How much the derivative changes, in proportion, with its operands: the largest |x * (its derivative by x)|.

    An ulp of that is what rounding the operands costs any formula. x * sin(x) has the derivative sin(x) + x * cos(x);
    near its zeros no digit of it is right, however it is computed. A formula that loses more is itself to blame.
    """
    value = value_over_mpmath(operation)
    if value is None:
        return None
    bits = [FEWEST_BITS + range_of(operands, i) for i in range(len(operands))]
    with precision(4 * max(bits)):
        numbers = list(map(mpf, operands))
        steps = [mpf(2) ** -b for b in bits]

        def moved(*places: int) -> Any:
            return value(*(x + steps[i] * places.count(i) for i, x in enumerate(numbers)))

        try:
            here, beside = moved(), moved(place)
            bends = [
                x * (moved(place, i) - beside - moved(i) + here) / (steps[place] * steps[i])
                for i, x in enumerate(numbers)
                if x
            ]
            return max((abs(bend) for bend in bends if mpmath.isfinite(bend)), default=None)
        except Exception:  # a function that ends there
            return None


# One rule


class Worst(NamedTuple):
    """The largest error of a value, of one derivative, or of all derivatives of an n-ary operation."""

    what: str
    ulp: float
    bound: int
    operands: Operands


@dataclass(repr=False)
class RuleReport(Report):
    """What `check_rule` found.

    Attributes:
        operation: its name.
        points: how many were tried.
        judged: at how many of them the truth is known. Of an operation given for floats only, it is unknown where
            neighbouring doubles are far apart.
        failures: at how many a number was beyond its bound.
        worst: the largest errors, in units in the last place, with their bounds and where they were found.
    """

    operation: str
    points: int
    judged: int
    failures: int
    worst: tuple[Worst, ...]

    @property
    def wrong(self) -> list[Worst]:
        """The largest errors that are beyond their bounds."""
        return [found for found in self.worst if found.ulp > found.bound]

    def __str__(self) -> str:
        verdict = "all within their bounds" if not self.failures else f"{self.failures} of them wrong"
        counts = f"{self.points} points over the whole range of doubles, {verdict}"
        if not self.judged:
            counts = f"{self.points} points, none of them judged"
        elif self.judged < self.points:
            counts = f"{self.points} points, {self.judged} of them judged, {verdict}"
        lines = [f"{shortened(self.operation, 16)}: {counts}"]
        for found in self.worst:
            error = f"  {shortened(found.what, 20):<11} {found.ulp:8.3g} of {found.bound:3} ulp at "
            lines.append(f"{error}({listed(map(repr, found.operands), WIDTH - len(error) - 2)})")
        return "\n".join(lines)


class RuleReports(Rows[RuleReport]):
    """The reports of all rules; printed, a table."""

    @property
    def wrong(self) -> list[RuleReport]:
        """The reports of rules that are wrong."""
        return [report for report in self if not report.passed]

    def __str__(self) -> str:
        lines = [f"{'operation':<14} {'points':>6}   {'value: ulp':>11}    {'derivatives: ulp':>16}"]
        for report in self:
            value, *derivatives = report.worst
            worst = max(derivatives, key=lambda found: found.ulp / found.bound)
            lines.append(
                f"{report.operation:<14} {report.points:6}   {value.ulp:5.2f} of {value.bound:2}    "
                f"{worst.ulp:10.2f} of {worst.bound:2}"
            )
        return "\n".join(lines)


def check_rule(operation: Any, points: int = POINTS, rng: random.Random | None = None) -> RuleReport:
    """Checks the value and the local derivatives of one operation over the whole range of doubles.

    Arguments:
        operation: its name; a public function such as `autograd.tanh`; an operation of one's own, made with
            `autograd.operation`; or an `Operation`.
        points: how many random ones to try, besides the special points. Operations of one's own are tried wherever
            their value is finite, and their derivatives are held against that value.
        rng: where the points come from; by default `random.Random(0)`, so that results repeat.

    Returns:
        a `RuleReport`, which prints the largest errors found.

    Raises:
        WrongRuleError: a number is wrong by more than its bound: 8 ulp (units in the last place) of the true
            derivative for most. The message shows the simplest operands found for which it is.
        ValueError: no operation has that name, points is less than 1, or no point was found where the
            operation is finite.
        TypeError: operation is not an operation; it, or a derivative, gives something other than a real number; or rng
            is not a `random.Random`.

    >>> print(check_rule("mul", points=100))
    mul: 100 points over the whole range of doubles, all within their bounds
      value ... of   8 ulp at ...
      d/dx         0 of   8 ulp at ...
      d/dy         0 of   8 ulp at ...
    """
    found = _resolve(operation)
    if type(points) is not int or points < 1:
        raise ValueError(f"check_rule takes a whole number of points, at least 1; got {shown(points)}")
    if not isinstance(rng, random.Random | None):
        raise TypeError(f"check_rule takes a random.Random as rng, or None; got {shown(rng)} ({type(rng).__name__})")
    points_and_misses = [
        (operands, misses_at(found, operands))
        for operands in _points(found, points, random.Random(0) if rng is None else rng)
    ]
    report = _report(found, points_and_misses)
    if report.failures:
        again = _call(found, points, rng)
        raise WrongRuleError(_message(found, points_and_misses, report, again), report)
    return report


def check_rules(points: int = POINTS, rng: random.Random | None = None) -> RuleReports:
    """Checks every built-in operation as `check_rule` does.

    Arguments:
        points: how many random ones to try for each operation, besides the special points.
        rng: where they come from; by default `random.Random(0)`, anew for each operation.

    Returns:
        a sequence of `RuleReport`s, which prints as a table.

    Raises:
        WrongRuleError: a rule is wrong.
        ValueError: points is less than 1.

    >>> reports = check_rules(points=1)
    >>> len(reports) == len(operations)
    True
    """
    return RuleReports(rows=[check_rule(name, points, rng) for name in operations])


def misses_at(operation: Operation, operands: Sequence[float]) -> list[Miss]:
    """How far the value (of a built-in operation) and the local derivatives are off at one point."""
    out = operation.evaluate(operands)
    wanted = range(len(operands) - (operation.name in WITH_INDEX and not is_own(operation)))
    try:
        derivatives = operation.differentiate(out, operands, wanted)
    except (*DOMAIN_ERRORS, TypeError) as error:
        _refuse_what_is_no_number(operation, out, operands)
        if isinstance(error, TypeError):
            raise
        derivatives = [math.nan for _ in wanted]
    value = [] if is_own(operation) else value_misses(operation.name, operands, out)
    return [*value, *local_misses(operation, operands, derivatives, wanted)]


def _refuse_what_is_no_number(operation: Operation, out: float, operands: Sequence[float]) -> None:
    """Refuses a derivative that gives None or text: that is a mistake, and not the end of a domain."""
    for place, derivative in enumerate(operation.rule.derivatives):
        try:
            result = derivative(out, *operands)
        except Exception:  # it raises, and is judged as if it were nan
            continue
        several = operation.nary and isinstance(result, list | tuple)
        for number in result if several else [result]:
            if real_or_none(number) is None:
                which = "a derivative" if operation.nary else f"the derivative {_what(operation, place)}"
                raise TypeError(
                    f"{which} of {operation.name} is {shown(number)} ({type(number).__name__}) at "
                    f"{shown(tuple(operands))}; return one real number{' for each operand' if operation.nary else ''}"
                ) from None


def value_misses(name: str, operands: Sequence[float], out: float) -> list[Miss]:
    """How far the value of a built-in operation is off, if it has one there."""
    oracle = oracles[name]
    row = special_point(name, operands)
    if row is not None:
        true, scale = mpf(row.value), None
    elif oracle.kink(*operands) and any(str(x) == "-0.0" for x in operands):
        return []  # mpmath has no -0.0, and its sign decides on which side of atan2's cut a point lies
    elif all(map(math.isfinite, operands)) and oracle.domain(*operands):
        true = exact(oracle.value, operands)
        scale = None if oracle.value_scale is None else exact(oracle.value_scale, operands)
    else:
        return []
    return [Miss("value", out, float(true), ulp_error(out, true, scale), oracle.value_bound, true)]


# What is checked, and where


def _resolve(operation: Any) -> Operation:
    """The operation that the user means."""
    if isinstance(operation, Operation):
        return operation
    if isinstance(operation, str):
        if operation in operations:
            return operations[operation]
        close = difflib.get_close_matches(operation, operations, n=3)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "autograd.operations has all names"
        raise ValueError(f"there is no operation {operation!r}; {hint}")
    own = getattr(operation, "operation", None)
    name = getattr(operation, "__name__", "")
    if isinstance(own, Operation):
        return own
    if name in operations and operation is getattr(autograd, name, None):
        return operations[name]
    raise TypeError(
        f"check_rule takes an operation: a name such as 'tanh', a function such as autograd.tanh, or one made "
        f"with autograd.operation; got {shown(operation)} ({type(operation).__name__})"
    )


def _points(operation: Operation, count: int, rng: random.Random) -> Iterator[Operands]:
    """The special points, then random ones over the whole range, or, of a user's own operation, where it is finite."""
    if not is_own(operation):
        yield from (row.operands for row in TABLE if row.operation == operation.name)
        yield from (oracles[operation.name].draw(rng) for _ in range(count))
        return
    found, draw = 0, mixture()
    for _ in range(TRIES * count):
        numbers = several(draw)(rng) if operation.nary else tuple(draw(rng) for _ in operation.derivatives)
        if math.isfinite(_value(operation, numbers)):
            found += 1
            yield numbers
        if found == count:
            return
    if not found:
        raise ValueError(
            f"no point was found where {operation.name} is finite, among {TRIES * count} over the whole range of "
            f"doubles; does it return nan everywhere?"
        )


def _value(operation: Operation, operands: Operands) -> float:
    """The value; nan where Python raises what it raises outside a domain."""
    try:
        return operation.evaluate(operands)
    except DOMAIN_ERRORS:
        return math.nan
    except Exception as error:
        try:
            result = operation.value(*operands)
        except Exception:
            error.add_note(f"{operation.name} was called with {operands}")
            raise error from None
        raise TypeError(
            f"{operation.name} gives {shown(result)} ({type(result).__name__}) for {operands}; an operation gives one "
            f"real number, and math.nan outside its domain"
        ) from None


# What is said


def _report(operation: Operation, points_and_misses: Sequence[tuple[Operands, list[Miss]]]) -> RuleReport:
    worst: dict[str, Worst] = {}
    for operands, misses in points_and_misses:
        for miss in misses:
            what = "derivatives" if operation.nary and miss.place != "value" else _what(operation, miss.place)
            if what not in worst or miss.ulp / miss.bound > worst[what].ulp / worst[what].bound:
                worst[what] = Worst(what, miss.ulp, miss.bound, operands)
    failures = sum(any(map(_beyond, misses)) for _, misses in points_and_misses)
    judged = sum(bool(misses) for _, misses in points_and_misses)
    order = sorted(worst, key=lambda what: (what != "value", what))
    return RuleReport(operation.name, len(points_and_misses), judged, failures, tuple(worst[what] for what in order))


def _beyond(miss: Miss) -> bool:
    return miss.ulp > miss.bound


def _what(operation: Operation, place: int | str) -> str:
    return "value" if place == "value" else f"d/d{_names(operation, int(place) + 1)[int(place)]}"


def _names(operation: Operation, count: int) -> list[str]:
    """What the operation calls its operands."""
    if operation.nary:
        return [f"x{i}" for i in range(count)]
    try:
        return list(inspect.signature(operation.value).parameters)
    except ValueError:  # some of C's functions do not tell
        return ["x", "y", "z"]


def _call(found: Operation, points: int, rng: random.Random | None) -> str:
    """The line that does the same check again."""
    what = found.name if operations.get(found.name) is found else found.function or found
    given = {"points": None if points == POINTS else points, "rng": rng}
    options = {name: option for name, option in given.items() if option is not None}
    return reproduce_line("check_rule", [], what, options=options)


def _message(
    operation: Operation, points_and_misses: Sequence[tuple[Operands, list[Miss]]], report: RuleReport, again: str
) -> str:
    wrong = [operands for operands, misses in points_and_misses if any(map(_beyond, misses))]
    operands = simplest(operation, min(wrong, key=simplicity))
    miss = next(filter(_beyond, misses_at(operation, operands)))
    names = _names(operation, len(operands))
    subject = "value" if miss.place == "value" else f"derivative {_what(operation, miss.place)}"
    worst = max(report.worst, key=lambda found: found.ulp / found.bound)
    most = f"  the worst  {worst.ulp:.3g} ulp at "
    of = f"{report.points} points" if report.judged == report.points else f"{report.judged} points judged"
    return "\n".join(
        [
            f"the {subject} of `{operation.name}` is wrong",
            f"  at         {listed((f'{n} = {x!r}' for n, x in zip(names, operands, strict=False)), WIDTH - 13)}",
            f"  autograd   {miss.actual:.17g}",
            f"  true       {mpmath.nstr(miss.true, 17, strip_zeros=False)}",
            f"  error      {miss.ulp:.3g} ulp; {miss.bound} are allowed{_digits(miss)}",
            f"  fails at   {report.failures} of {of}",
            f"{most}({listed(map(repr, worst.operands), WIDTH - len(most) - 2)})",
            f"  reproduce  {again}",
        ]
    )


def _digits(miss: Miss) -> str:
    """A hint for errors that are no blunders: rounding, cancellation, a constant with too few digits."""
    if not (math.isfinite(miss.actual) and mpmath.isfinite(miss.true) and miss.actual and miss.true):
        return ""
    with precision(FIRST_PRECISION):  # mpmath changes it within log10
        digits = -mpmath.log10(abs(mpf(miss.actual) - miss.true) / abs(miss.true))
    if digits < 4:
        return ""
    return f"\n             (right to {int(digits)} digits: do terms cancel, or is a constant short?)"


def listed(texts: Iterable[str], width: int) -> str:
    """The texts with commas between them; dots stand for those that do not fit into the width.

    >>> listed(["1.0", "2.0"], 10), listed(["1.0", "2.0", "3.0", "4.0"], 15)
    ('1.0, 2.0', '1.0, 2.0, ...')
    """
    every = list(texts)
    whole = ", ".join(every)
    while len(whole) > width and every:
        every.pop()
        whole = ", ".join([*every, "..."])
    return whole


def shortened(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 3]}..."


# The simplest operands
#
# Hypothesis shrinks only what it has drawn itself, and cannot begin with operands that are known to fail. Tried on six
# wrong rules it found none of the three that are wrong at one or two of 1,000 points (exp above 700, sin between 5 and
# 5.1), and took 1 to 2 s for that; simplifying the known operands takes 1 to 25 ms, and needs no Hypothesis.


def simplest(operation: Operation, operands: Operands) -> Operands:
    """Simpler operands, step by step, for which the operation is still wrong."""
    while True:
        better = next((c for c in _simpler(operation, operands) if _is_wrong(operation, c)), None)
        if better is None:
            return operands
        operands = better


def _is_wrong(operation: Operation, operands: Operands) -> bool:
    try:
        return any(map(_beyond, misses_at(operation, operands)))
    except Exception:  # not a point where the operation can be asked
        return False


def _simpler(operation: Operation, operands: Operands) -> Iterable[Operands]:
    """Fewer operands, or one of them a number that is easier to read."""
    free = len(operands) - (operation.name in WITH_INDEX and not is_own(operation))
    if operation.nary and free > 1:
        for i in range(free):
            rest = (*operands[:i], *operands[i + 1 :])
            yield rest if free == len(operands) else (*rest[:-1], min(rest[-1], free - 2.0))
    for i, x in enumerate(operands[:free]):
        rounded = [float(f"{x:.{digits}g}") for digits in (1, 2, 3, 4, 6, 9, 12)]
        for candidate in (1.0, 2.0, 3.0, 0.5, 10.0, 0.0, -1.0, -2.0, -0.5, abs(x), *rounded):
            changed = (*operands[:i], candidate, *operands[i + 1 :])
            if simplicity(changed) < simplicity(operands):
                yield changed


def simplicity(operands: Operands) -> tuple[float, ...]:
    """A key for sorting: the operands that are easiest to read come first (few, short, positive, near 1)."""
    letters = sum(len(repr(abs(x))) for x in operands)
    far = sum(abs(math.log2(abs(x))) if x else 0.5 for x in operands)
    return len(operands), letters, sum(x < 0.0 for x in operands), far


__all__ = ["Miss", "RuleReport", "RuleReports", "check_rule", "check_rules", "local_misses"]
