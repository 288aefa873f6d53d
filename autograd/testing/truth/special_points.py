"""Which value and derivative does an operation have where Python's `math` would raise, or a formula gives nan?

These points are conventions. At a kink, a tie, a pole or an infinity there is no single right answer, and this table
says which one the engine gives. `tests/autograd/test_special_points.py` holds every way of writing an operation
against it, and `rule_checks.py` every rule.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

inf, nan = math.inf, math.nan


class SpecialPoint(NamedTuple):
    """What one operation gives at one point: its value, and a derivative for each operand."""

    operation: str
    operands: tuple[float, ...]
    value: float
    derivatives: tuple[float, ...]


_ROWS: list[tuple[str, tuple[float, ...], float, tuple[float, ...]]] = [
    # operation, operands, value, derivative for each operand
    ("relu", (0.0,), 0.0, (0.0,)),
    ("relu", (-0.0,), 0.0, (0.0,)),
    ("relu", (nan,), nan, (nan,)),
    ("abs", (0.0,), 0.0, (0.0,)),
    ("abs", (-0.0,), 0.0, (0.0,)),
    ("abs", (nan,), nan, (nan,)),
    ("maximum", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("minimum", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("max", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("min", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("max", (2.0, 3.0, 3.0, 1.0, 3.0), 3.0, (0.0, 1 / 3, 1 / 3, 0.0, 1 / 3)),
    ("min", (1.0, 3.0, 1.0, 1.0, 1.0), 1.0, (0.25, 0.0, 0.25, 0.25, 0.25)),
    *(
        (name, operands, nan, (nan,) * len(operands))
        for name in ("maximum", "minimum", "max", "min")
        for operands in [(nan, 1.0), (1.0, nan), (nan, nan), (inf, nan), (nan, -inf)]
    ),
    ("max", (0.0, 1.0, nan), nan, (nan, nan, nan)),
    ("sqrt", (0.0,), 0.0, (inf,)),
    ("sqrt", (-0.0,), -0.0, (inf,)),
    ("sqrt", (-1.0,), nan, (nan,)),
    ("sqrt", (inf,), inf, (0.0,)),
    ("cbrt", (0.0,), 0.0, (inf,)),
    ("pow", (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("pow", (0.0, -1.0), inf, (-inf, -inf)),
    ("pow", (-2.0, 3.0), -8.0, (12.0, nan)),
    ("pow", (-2.0, 0.5), nan, (nan, nan)),
    ("pow", (10.0, 400.0), inf, (inf, inf)),
    ("log", (0.0,), -inf, (inf,)),
    ("log", (-0.0,), -inf, (inf,)),
    ("log", (-1.0,), nan, (nan,)),
    ("log2", (0.0,), -inf, (inf,)),
    ("log2", (-1.0,), nan, (nan,)),
    ("log10", (0.0,), -inf, (inf,)),
    ("log10", (-1.0,), nan, (nan,)),
    ("log1p", (-1.0,), -inf, (inf,)),
    ("log1p", (-2.0,), nan, (nan,)),
    ("div", (1.0, 0.0), inf, (inf, -inf)),
    ("div", (-1.0, 0.0), -inf, (inf, inf)),
    ("div", (0.0, 0.0), nan, (inf, nan)),
    ("exp", (1000.0,), inf, (inf,)),
    ("exp2", (2000.0,), inf, (inf,)),
    ("expm1", (1000.0,), inf, (inf,)),
    ("sinh", (-1000.0,), -inf, (inf,)),
    ("cosh", (-1000.0,), inf, (-inf,)),
    ("sub", (inf, inf), nan, (1.0, -1.0)),
    ("add", (inf, -inf), nan, (1.0, 1.0)),
    ("sin", (inf,), nan, (nan,)),
    ("cos", (-inf,), nan, (nan,)),
    ("tan", (inf,), nan, (nan,)),
    ("asin", (1.0,), math.pi / 2, (inf,)),
    ("asin", (2.0,), nan, (nan,)),
    ("acos", (1.0,), 0.0, (-inf,)),
    ("acos", (-2.0,), nan, (nan,)),
    ("acosh", (1.0,), 0.0, (inf,)),
    ("acosh", (0.5,), nan, (nan,)),
    ("atanh", (1.0,), inf, (inf,)),
    ("atanh", (-1.0,), -inf, (inf,)),
    ("atanh", (2.0,), nan, (nan,)),
    ("tanh", (1000.0,), 1.0, (0.0,)),
    ("tanh", (-inf,), -1.0, (0.0,)),
    ("sigmoid", (1000.0,), 1.0, (0.0,)),
    ("sigmoid", (-1000.0,), 0.0, (0.0,)),
    ("softplus", (1000.0,), 1000.0, (1.0,)),
    ("softplus", (-1000.0,), 0.0, (0.0,)),
    *((name, (inf,), inf, (1.0,)) for name in ("silu", "gelu", "gelu_tanh", "softplus", "relu")),
    *((name, (-inf,), -0.0, (0.0,)) for name in ("silu", "gelu", "gelu_tanh")),
    ("clip", (0.0, 0.0, 1.0), 0.0, (1.0, 0.0, 0.0)),
    ("clip", (1.0, 0.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
    ("clip", (0.5, 0.5, 0.5), 0.5, (1.0, 0.0, 0.0)),
    ("clip", (-3.0, 0.0, 1.0), 0.0, (0.0, 1.0, 0.0)),
    ("clip", (3.0, 0.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    ("clip", (0.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    *(("clip", operands, nan, (nan, nan, nan)) for operands in [(nan, 0.0, 1.0), (0.5, nan, 1.0), (0.5, 0.0, nan)]),
    ("norm", (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
    ("hypot", (0.0, 0.0), 0.0, (0.0, 0.0)),
    ("atan2", (0.0, 0.0), 0.0, (0.0, 0.0)),
    ("prod", (0.0, 2.0, 3.0), 0.0, (6.0, 0.0, 0.0)),
    ("prod", (0.0, 0.0, 3.0), 0.0, (0.0, 0.0, 0.0)),
    ("logsumexp", (-inf, -inf), -inf, (0.5, 0.5)),
    ("logsumexp", (1000.0, 1000.0), 1000.0 + math.log(2.0), (0.5, 0.5)),
    ("logsumexp", (0.0, -inf), 0.0, (1.0, 0.0)),
]

TABLE = [SpecialPoint(*row) for row in _ROWS]


def special_point(operation: str, operands: Sequence[float]) -> SpecialPoint | None:
    """The row of the table for these operands, if there is one. (0.0 and -0.0 are different points.)

    >>> special_point("relu", [0.0])
    SpecialPoint(operation='relu', operands=(0.0,), value=0.0, derivatives=(0.0,))
    """
    if (operation, len(operands)) not in _LISTED:
        return None
    return _BY_OPERANDS.get(_key(operation, operands))


def _key(operation: str, operands: Sequence[float]) -> tuple[str, ...]:
    return (operation, *map(repr, operands))  # repr: nan finds nan, and -0.0 is not 0.0


_LISTED = {(row.operation, len(row.operands)) for row in TABLE}
_BY_OPERANDS = {_key(row.operation, row.operands): row for row in TABLE}


def same(x: float, y: float) -> bool:
    """Whether two floats are the same number: nan is nan, and 0.0 is not -0.0."""
    return (math.isnan(x) and math.isnan(y)) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))
