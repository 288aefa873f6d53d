"""Does a derivative agree with finite differences? A row for each name, with the verdict in words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from autograd.graph import interior
from autograd.parsing import Expression
from autograd.testing.differences.finite_differences import Difference, difference_at, finite_difference, judge
from autograd.testing.differences.function_values import Samples
from autograd.testing.differences.step_sizes import Slope
from autograd.value import Value, apply

WORK = 4_000
"""Up to so many names times operations, differences are taken for every name; beyond that, for a choice of them."""
FEWEST_NAMES = 3
NEARLY_ZERO = 1e-12
UNCERTAIN = "the differences are too uncertain to tell"


class Row(NamedTuple):
    """One name: its value, its derivative by both ways, and whether they agree (None: it cannot be said)."""

    name: str
    at: float
    derivative: float
    numeric: float = math.nan
    error: float = math.inf
    agree: bool | None = None
    word: str = "-"
    note: str = ""


def check(name: str, f: Callable[[Value], Any], x: float, derivative: float) -> Row:
    """Compares a derivative by autograd with finite differences.

    Arguments:
        name: what the row is about.
        f: a function of one Value; it may return a number where that does not depend on the Value.
        x: where.
        derivative: that of f at x, by autograd.

    >>> row = check("x", lambda x: x * x, 3.0, 6.0)
    >>> row.word, abs(row.numeric - 6.0) <= row.error < 1e-12
    ('yes', True)
    >>> check("x", abs, 0.0, 0.0).note
    "a kink: the slope is -1 on the left and 1 on the right; autograd's 0 is one of them, or between"
    """
    here = recorded(f(Value(x)))
    if not (math.isfinite(x) and math.isfinite(here.data)):
        why = f"the value is {here.data}" if math.isfinite(x) else f"{name} is {x}"
        return Row(name, x, derivative, note=f"{why}, so there are no differences to compare with")
    samples = Samples(lambda point: recorded(f(Value(point))))
    found = difference_at(samples, x)
    if found.verdict == "kink":
        found = replace(found, left=side_of(found.left, samples, x, -1.0), right=side_of(found.right, samples, x, 1.0))
    row = Row(name, x, derivative, found.value, found.bound, note=note_on(found, samples, x))
    verdict = judge(derivative, found)
    size = max(1.0, abs(here.data)) / max(1.0, abs(x))  # beside which the bound of a derivative of 0 counts as small
    if verdict == "inconclusive" and found.bound <= NEARLY_ZERO * size:
        verdict = "right"
    return concluded(row, verdict, found, here)


def recorded(result: Any) -> Value:
    """The result as a Value. A constant is one too, whose graph says that it has no rounding error."""
    return result if isinstance(result, Value) else Value(result)


def side_of(slope: Slope, samples: Samples, x: float, sign: float) -> Slope:
    """The slope at a kink from one side, which is infinite if it was not found; differences of that side say so."""

    def one_side(point: float) -> Value:
        if sign * (point - x) < 0.0:
            raise ValueError("the other side")
        return recorded(samples.f(point))

    if math.isfinite(slope.bound):
        return slope
    found = difference_at(Samples(one_side), x)
    return Slope(found.value, found.bound)


def note_on(found: Difference, samples: Samples, x: float) -> str:
    """What is particular about the function at x, in words; "" if nothing is."""
    here = samples(x).value
    left, right = neighbours(samples, x)
    if found.verdict == "jump":
        beside, side = (left, "left") if not abs(left - here) < abs(right - here) else (right, "right")
        return f"a jump: the value is {here:.6g} here and {beside:.6g} just to the {side}"
    if found.verdict == "kink":
        return f"a kink: the slope is {found.left.value:.6g} on the left and {found.right.value:.6g} on the right"
    notes = ["infinitely steep: the differences grow without end"] if found.verdict == "infinite slope" else []
    if not (math.isfinite(left) or math.isfinite(right)):
        notes = ["no finite value on either side"]
    elif not (math.isfinite(left) and math.isfinite(right)):
        notes.append(f"differences to the {'left' if math.isfinite(left) else 'right'} only")
    return ", ".join(notes)


def neighbours(samples: Samples, x: float) -> tuple[float, float]:
    """The values nearest to x on the left and on the right that differ from f(x); f(x) where there are none."""
    here, points = samples(x).value, sorted(samples.known)
    left = (samples(point).value for point in reversed(points) if point < x)
    right = (samples(point).value for point in points if point > x)
    return next((y for y in left if y != here), here), next((y for y in right if y != here), here)


def concluded(row: Row, verdict: str, found: Difference, here: Value) -> Row:
    """The row with its conclusion; `verdict` is that of `judge`."""
    if found.verdict == "jump":
        return row._replace(word="jump")
    if verdict == "inconclusive":
        return row._replace(note=", ".join(filter(None, [row.note, UNCERTAIN])))
    if verdict == "right" and found.verdict != "kink":
        return row._replace(agree=True, word="yes")
    ours = f"autograd's {row.derivative:.6g}"
    if verdict == "right":
        return row._replace(word="kink", note=f"{row.note}; {ours} is one of them, or between")
    word, why = convention(here)
    if why:
        return row._replace(word=word, note="; ".join(filter(None, [row.note, f"{ours} follows a convention: {why}"])))
    neither = f"; {ours} is neither, nor between" if found.verdict == "kink" else ""
    return row._replace(agree=False, word="no", note=row.note + neither)


NO_DERIVATIVE = {
    "kink": ("kink", "at a kink"),
    "jump": ("jump", "at a jump"),
    "infinite slope": ("-", "infinitely steep"),
}
"""Where an operation has no derivative, by the verdict of its differences: a word for the table, and for the note."""


def convention(root: Value) -> tuple[str, str]:
    """Which operation of a graph has no derivative where it stands, so that its rule follows a convention.

    Returns:
        a word for the table and a part of a note. Both are empty if there is no such operation, or if differences
        refute the local derivative of any: then its rule is wrong.

    >>> a = Value(0.0)
    >>> convention(a.relu() - (-a).relu()), convention(a * a)
    (('kink', 'relu is at a kink'), ('', ''))
    """
    seen = []
    for node in interior(root):
        operands = [x.data if isinstance(x, Value) else x for x in node.operands]
        if not all(map(math.isfinite, [node.data, *operands])):
            seen.append(("-", f"{node.operation} is {node.data:.6g}"))
            continue
        places = [place for place, x in enumerate(node.operands) if isinstance(x, Value)]
        for place, local in zip(places, node.local_derivatives, strict=True):
            found = local_difference(node._operation, operands, place)
            if judge(local, found) == "wrong":
                return "", ""
            if found.verdict in NO_DERIVATIVE:
                word, where = NO_DERIVATIVE[found.verdict]
                seen.append((word, f"{node.operation} is {where}"))
    return seen[0] if seen else ("", "")


def local_difference(operation: Any, operands: Sequence[float], place: int) -> Difference:
    """The local derivative of an operation for one operand, by differences."""
    before, after = operands[:place], operands[place + 1 :]
    return finite_difference(lambda x: apply(operation, *before, x, *after), Value(operands[place]))


def chosen(names: Sequence[str], operations: int) -> set[str]:
    """The names to take differences for: all, or if that took seconds so many that are evenly spread."""
    most = max(FEWEST_NAMES, WORK // max(operations, 1))
    if len(names) <= most:
        return set(names)
    return {names[round(k * (len(names) - 1) / (most - 1))] for k in range(most)}


def compare(expression: Expression, at: dict[str, float], leaves: dict[str, Value], operations: int) -> list[Row]:
    """One row for each name. Differences move one name and hold the others fixed."""
    some = chosen(expression.names, operations)
    skipped = f"not compared, to save time: differences are taken for {len(some)} of {len(leaves)} names"
    rows = []
    for name, leaf in leaves.items():
        if name in some:
            rows.append(check(name, function_of(expression, name, at), at[name], leaf.grad))
        else:
            rows.append(Row(name, at[name], leaf.grad, note=skipped))
    return rows


def function_of(expression: Expression, name: str, at: dict[str, float]) -> Callable[[Value], Any]:
    """The expression as a function of one name, the others held fixed."""
    return lambda x: expression({**at, name: x})
