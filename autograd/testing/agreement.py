"""Does a derivative by autograd agree with finite differences, and what is particular about the function there?

This is the comparison that `python -m autograd` prints. It says in words what `gradcheck` leaves to a verdict: kinks,
jumps, edges, and operations whose derivative is a convention. It needs neither mpmath nor Hypothesis.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograd.graph import interior
from autograd.steps import parent_slots
from autograd.testing.differences.estimates import Slope
from autograd.testing.differences.finite_differences import Difference, difference_at, finite_difference, judge
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.report import Row
from autograd.value import Value, apply

NO_DIFFERENCE = Difference(math.nan, math.inf, "undefined", 0, False, 0.0)
NEARLY_ZERO = 1e-12
UNCERTAIN = "the differences are too uncertain to tell"


@dataclass(frozen=True)
class Agreement(Row):
    """One derivative by autograd and by differences, and what is to be said of the two.

    Attributes:
        at: the number at which both were taken.
        word: whether they agree, for a table: "yes", "no", "kink", "jump", or "-" where it cannot be said.
        note: what is particular about the function there; "" if nothing is.
    """

    at: float = math.nan
    word: str = "-"
    note: str = ""

    @property
    def agree(self) -> bool | None:
        """Whether the two agree; None where it cannot be said."""
        return {"yes": True, "no": False}.get(self.word)

    @property
    def numeric(self) -> float:
        """The derivative by differences."""
        return self.difference.value

    @property
    def error(self) -> float:
        """The most that it can be off."""
        return self.difference.bound


def not_compared(name: str, x: float, derivative: float, why: str) -> Agreement:
    """A derivative for which there are no differences."""
    return Agreement(name, derivative, NO_DIFFERENCE, "inconclusive", at=x, note=why)


def agreement(name: str, f: Callable[[Value], Any], x: float, derivative: float) -> Agreement:
    """Compares a derivative by autograd with finite differences.

    Arguments:
        name: that of the input.
        f: a function of one Value; it may return a number where that does not depend on the Value.
        x: where.
        derivative: that of f at x, by autograd.

    >>> found = agreement("x", lambda x: x * x, 3.0, 6.0)
    >>> found.word, abs(found.numeric - 6.0) <= found.error < 1e-12
    ('yes', True)
    >>> agreement("x", abs, 0.0, 0.0).note
    "a kink: the slope is -1 on the left and 1 on the right; autograd's 0 is one of them, or between"
    """
    here = recorded(f(Value(x)))
    if not (math.isfinite(x) and math.isfinite(here.data)):
        why = f"the value is {here.data}" if math.isfinite(x) else f"{name} is {x}"
        return not_compared(name, x, derivative, f"{why}, so there are no differences to compare with")
    values = FunctionValues(lambda point: recorded(f(Value(point))))
    found = difference_at(values, x)
    if found.verdict == "kink":
        found = replace(found, left=side_of(found.left, values, x, -1.0), right=side_of(found.right, values, x, 1.0))
    size = max(1.0, abs(here.data)) / max(1.0, abs(x))  # beside which the bound of a derivative of 0 counts as small
    verdict = judge(derivative, found, negligible=NEARLY_ZERO * size)
    return concluded(Agreement(name, derivative, found, verdict, at=x, note=note_on(found, values, x)), here)


def concluded(row: Agreement, here: Value) -> Agreement:
    """The row with its conclusion; `here` is the value of the function, with its graph."""
    kink = row.difference.verdict == "kink"
    if row.difference.verdict == "jump":
        return replace(row, word="jump")
    if row.verdict == "inconclusive":
        return replace(row, note=", ".join(filter(None, [row.note, UNCERTAIN])))
    if row.verdict == "right" and not kink:
        return replace(row, word="yes")
    ours = f"autograd's {row.derivative:.6g}"
    if row.verdict == "right":
        return replace(row, word="kink", note=f"{row.note}; {ours} is one of them, or between")
    word, why = convention(here)
    if why:
        note = "; ".join(filter(None, [row.note, f"{ours} follows a convention: {why}"]))
        return replace(row, verdict="convention", word=word, note=note)
    return replace(row, word="no", note=row.note + (f"; {ours} is neither, nor between" if kink else ""))


def recorded(result: Any) -> Value:
    """The result as a Value. A constant is one too, whose graph says that it has no rounding error."""
    return result if isinstance(result, Value) else Value(result)


def side_of(slope: Slope, values: FunctionValues, x: float, sign: float) -> Slope:
    """The slope at a kink from one side, which is infinite if it was not found; differences of that side say so."""

    def one_side(point: float) -> Value:
        if sign * (point - x) < 0.0:
            raise ValueError("the other side")
        return recorded(values.f(point))

    if math.isfinite(slope.bound):
        return slope
    found = difference_at(FunctionValues(one_side), x)
    return Slope(found.value, found.bound)


def note_on(found: Difference, values: FunctionValues, x: float) -> str:
    """What is particular about the function at x, in words; "" if nothing is."""
    here = values(x).value
    left, right = neighbours(values, x)
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


def neighbours(values: FunctionValues, x: float) -> tuple[float, float]:
    """The values nearest to x on the left and on the right that differ from f(x); f(x) where there are none."""
    here = values(x).value
    points = sorted(values.known)
    left = (values(point).value for point in reversed(points) if point < x)
    right = (values(point).value for point in points if point > x)
    return next((y for y in left if y != here), here), next((y for y in right if y != here), here)


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
        for place, local in zip(parent_slots(node), node.local_derivatives, strict=True):
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
