"""Which operations are there only in recorded functions? Questions, and products that keep the zero-factor rule.

In the eager engine the numbers of the moment decide: a comparison is Python's own, and `transforms/reverse.py` leaves a
product out where a factor is 0 and the other one is not finite. While a function is recorded for all numbers (see
`compile`) both must be nodes, so that every run decides anew, and every example for itself.
"""

from typing import Any

from autograd.ieee754 import floats, ieee
from autograd.operations import Operation
from autograd.rules import Rule, flat, is_finite, is_zero


def recorded_rules(m: Any) -> dict[str, Rule]:
    """The rules of these operations over any number system.

    - Four comparisons, by NumPy's names, are 1 for yes and 0 for no; nan compares as false.
    - `logical_and` and `logical_or` are 1 or 0, by the truth of two numbers.
    - `strong_product` is x * y; or 0 where one factor is exactly 0 and the other is not finite.
    - `strong_factor` is its derivative for x, which is y; or 0 where x is exactly 0 and y is not finite.
    """

    def factor(x: Any, y: Any) -> Any:
        return 0.0 if is_zero(x) and not is_finite(y) else y

    def product(x: Any, y: Any) -> Any:
        return 0.0 if (is_zero(x) and not is_finite(y)) or (is_zero(y) and not is_finite(x)) else x * y

    def is_kept(out: Any, x: Any, y: Any) -> Any:
        return 0.0 if is_zero(x) and not is_finite(y) else 1.0

    rules = (
        Rule("less", lambda x, y: 1.0 if x < y else 0.0, (flat, flat), symbol="<"),
        Rule("less_equal", lambda x, y: 1.0 if x <= y else 0.0, (flat, flat), symbol="<="),
        Rule("greater", lambda x, y: 1.0 if x > y else 0.0, (flat, flat), symbol=">"),
        Rule("greater_equal", lambda x, y: 1.0 if x >= y else 0.0, (flat, flat), symbol=">="),
        Rule("logical_and", lambda x, y: 1.0 if x and y else 0.0, (flat, flat)),
        Rule("logical_or", lambda x, y: 1.0 if x or y else 0.0, (flat, flat)),
        Rule("strong_product", product, (lambda out, x, y: factor(x, y), lambda out, x, y: factor(y, x))),
        Rule("strong_factor", factor, (flat, is_kept)),
    )
    return {rule.name: rule for rule in rules}


class RecordedOperation(Operation):
    """One of these operations. Its pickle finds it here by name."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return _recorded_operation_named, (self.name,)


def _recorded_operation_named(name: str) -> RecordedOperation:
    return RECORDED[name]


def _bound(name: str) -> RecordedOperation:
    def over(m: Any) -> Rule:
        return recorded_rules(m)[name]

    return RecordedOperation(over(floats), over(ieee), over)


RECORDED = {name: _bound(name) for name in recorded_rules(floats)}
