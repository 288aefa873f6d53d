"""How is `x > y` recorded, so that each example decides it anew? As an operation whose value is 1 or 0.

In the eager engine a comparison is Python's own, and makes no node. While a function is traced it must make one, so
that `where(x > 0, log(x), 0)` chooses by the numbers of each run.
"""

from typing import Any

from autograd.ieee754 import floats, ieee
from autograd.operations import Operation
from autograd.rules import Rule


def comparisons(m: Any) -> dict[str, Rule]:
    """The four comparisons over any number system, by NumPy's names; nan compares as false."""
    zero = (lambda out, x, y: 0.0, lambda out, x, y: 0.0)
    return {
        "less": Rule("less", lambda x, y: 1.0 if x < y else 0.0, zero, symbol="<"),
        "less_equal": Rule("less_equal", lambda x, y: 1.0 if x <= y else 0.0, zero, symbol="<="),
        "greater": Rule("greater", lambda x, y: 1.0 if x > y else 0.0, zero, symbol=">"),
        "greater_equal": Rule("greater_equal", lambda x, y: 1.0 if x >= y else 0.0, zero, symbol=">="),
    }


class Comparison(Operation):
    """A comparison as an operation."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return _comparison_named, (self.name,)


def _comparison_named(name: str) -> Comparison:
    return COMPARISONS[name]


def _bound(name: str) -> Comparison:
    return Comparison(comparisons(floats)[name], comparisons(ieee)[name], lambda m: comparisons(m)[name])


COMPARISONS = {name: _bound(name) for name in comparisons(floats)}
