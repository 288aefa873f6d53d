"""At which of a thousand points might an operation be wrong? So a fault in a narrow interval is found too.

One program asks for all points, and the answers are compared with floats of our own. That only chooses points: whether
the engine is wrong there is judged as everywhere else, by the exact truth.
"""

import math

from autograd.operations import operations as built_in
from autograd.testing.engines.forms import Form
from autograd.testing.engines.process import Question
from autograd.testing.engines.programs import BACKWARD
from autograd.testing.engines.running import LINES
from autograd.testing.engines.their_engine import Engine
from autograd.testing.engines.truth import LEAST, RIGHT_DIGITS
from autograd.testing.graphs.expression import Expression
from autograd.testing.truth.oracles import oracles

FINE, REACH = 0.01, 2.0
"""A point in every interval so long, up to so far from 0; beyond, and nearer than FINE, at steps of these factors."""
FACTOR, FACTOR_NEAR_0 = 1.03, 1.5
LARGEST, SMALLEST = 300.0, 1e-9
LINES_PER_POINT = 300
TRIED = 6
"""So many of the points in question are tried: they are mostly wrong for one reason."""


def _points() -> tuple[float, ...]:
    steps = round(REACH / FINE)
    fine = [round(FINE * (k + 0.5), 6) for k in range(steps)]
    far = [REACH * FACTOR**k for k in range(1, round(math.log(LARGEST / REACH) / math.log(FACTOR)))]
    near = [SMALLEST * FACTOR_NEAR_0**k for k in range(round(math.log(FINE / SMALLEST) / math.log(FACTOR_NEAR_0)))]
    return tuple(sign * float(f"{x:.4g}") for x in (*fine, *far, *near) for sign in (1, -1))


POINTS = _points()


def suspects(engine: Engine, form: Form) -> list[Expression]:
    """The form at a few of the points where it may be wrong, if there are any."""
    uses = {x: form.at(x) for x in POINTS if _is_inside(form, x)}
    points = [x for x, use in uses.items() if engine.reaches(use)]
    lines = ("def at(x):", f"x0 = {engine.name}(x)", *engine.operations_as_lines(form.at(2.0)), BACKWARD)
    loop = f"found = []\nfor x in {points}:\n    try: found += at(x)\n    except Exception: found += [None, None]"
    code = "\n    ".join((*lines, "return y.data, x0.grad")) + f"\n{loop}"
    question = Question([{"do": code}, {"numbers": "found"}], LINES + LINES_PER_POINT * len(points), 4.0)
    found = engine.answer(question)[-1].get("numbers", [])
    if len(found) != 2 * len(points):
        return []
    pairs = zip(found[::2], found[1::2], strict=True)
    odd = [x for x, (y, slope) in zip(points, pairs, strict=True) if _is_odd(engine, form, x, y, slope)]
    return [uses[x] for x in odd[:: 1 + len(odd) // TRIED]]


def _is_inside(form: Form, x: float) -> bool:
    operands = [x if isinstance(operand, str) else float(operand) for operand in form.operands]
    oracle = oracles[form.operation]
    return oracle.domain(*operands) and not oracle.kink(*operands)


def _is_odd(engine: Engine, form: Form, x: float, y: float | None, slope: float | None) -> bool:
    """Whether an answer differs from our own, as far as floats can tell."""
    operands = [x if isinstance(operand, str) else float(operand) for operand in form.operands]
    operation = built_in[form.operation]
    try:
        value = operation.evaluate(operands)
        (right,) = operation.differentiate(value, operands, [form.operands.index("x0")])
    except (ArithmeticError, ValueError):
        return False
    if y is None or slope is None:
        return True
    allowed = engine.slack * RIGHT_DIGITS
    near = abs(y - value) <= allowed * max(abs(value), LEAST) and abs(slope - right) <= allowed * max(abs(right), 1.0)
    return not near
