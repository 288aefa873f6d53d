"""What does the engine need to know about an operation? Its name, its value and its local derivatives in floats.

An `Operation` binds a rule (see `rules.py`) to the two namespaces for plain numbers. It asks the fast one first. Where
Python raises instead of answering inf or nan, it asks the careful one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from autograd.ieee754 import DOMAIN_ERRORS, Real, floats, ieee
from autograd.rules import Rule, rules


class Operation:
    """A differentiable operation: its name, its value, and one local derivative for each operand.

    Arguments:
        rule: the rule over plain floats.
        careful: the same rule over numbers that never raise. If there is none (None), the caller gets the errors that
            Python raises.
        over: gives the rule over another number system, from that system's namespace of functions;
            None if the operation was given over floats only.
    """

    __slots__ = (
        "_kept",
        "_rules",
        "careful",
        "derivatives",
        "function",
        "name",
        "nary",
        "over",
        "rule",
        "symbol",
        "value",
    )

    def __init__(self, rule: Rule, careful: Rule | None, over: Callable[[Any], Rule] | None = None) -> None:
        self.rule = rule
        self.careful = careful
        self.over = over
        self.name = rule.name
        self.symbol = rule.symbol
        self.nary = rule.nary
        self.value = rule.value
        self.derivatives = rule.derivatives
        self.function: Callable[..., Any] | None = None  # the public function of a user's own operation
        self._kept: dict[Any, Any] = {}
        self._rules: dict[int, tuple[Any, Rule]] = {}  # by the namespace's identity, with the namespace kept alive

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def evaluate(self, numbers: Sequence[float]) -> float:
        """The operation's value on floats, by IEEE 754."""
        try:
            return float(self.value(*numbers))
        except (*DOMAIN_ERRORS, TypeError):  # TypeError: Python answers (-2.0) ** 0.5 with a complex number
            if self.careful is None:
                raise
            return float(self.careful.value(*map(Real, numbers)))

    def differentiate(self, out: float, numbers: Sequence[float], wanted: Sequence[int]) -> list[float]:
        """The local derivatives for the operands at the places `wanted`. The operation's value is `out`."""
        try:
            if self.nary:
                return list(map(float, self.rule.derivatives_for(wanted, out, numbers)))
            return [float(self.derivatives[i](out, *numbers)) for i in wanted]
        except (*DOMAIN_ERRORS, TypeError):
            if self.careful is None:
                raise
            return list(map(float, self.careful.derivatives_for(wanted, Real(out), list(map(Real, numbers)))))

    def rule_over(self, m: Any) -> Rule:
        """The rule over the number system of the namespace `m`. It is made once for each namespace.

        Raises:
            TypeError: the operation was given over floats only.
        """
        if id(m) not in self._rules:
            if self.over is None:
                raise TypeError(
                    f"{self.name} was given over floats only, so that its derivative has no derivative; "
                    f"define it over a namespace of functions (see autograd.operation)"
                )
            self._rules[id(m)] = m, self.over(m)
        return self._rules[id(m)][1]

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """What was made of the operation under this key, such as its formula. It is freed with the operation."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def __reduce__(self) -> tuple[Callable[..., "Operation"], tuple[Any, ...]]:
        if self.function is None:
            return _operation_named, (self.name,)
        return _operation_of, (self.function,)


def _operation_named(name: str) -> Operation:
    return operations[name]


def _operation_of(function: Any) -> Operation:
    """The operation behind a user's function. A pickled graph finds it this way."""
    operation: Operation = function.operation
    return operation


_tables: dict[int, tuple[Any, dict[str, Rule]]] = {}  # by the namespace's identity, with the namespace kept alive


def table_over(m: Any) -> dict[str, Rule]:
    """The table of rules over the namespace `m`. It is made once for each namespace in use."""
    kept = _tables.get(id(m))
    if kept is None:
        if len(_tables) > 16:  # many namespaces were made for one call only: forget them
            _tables.clear()
        kept = _tables[id(m)] = m, rules(m)
    return kept[1]


def _built_in() -> dict[str, Operation]:
    careful = table_over(ieee)

    def bind(rule: Rule) -> Operation:
        return Operation(rule, careful[rule.name], lambda m: table_over(m)[rule.name])

    return {rule.name: bind(rule) for rule in table_over(floats).values()}


operations: dict[str, Operation] = _built_in()
"""Every built-in operation by name."""


class _DecidedWhere(Operation):
    """`where`, with True or False for its condition."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[..., Operation], tuple[Any, ...]]:
        return _decided_where, ()


def _decided_where() -> Operation:
    return DECIDED_WHERE


def _made_of(where: Operation) -> Operation:
    return _DecidedWhere(where.rule, where.careful, where.over)


DECIDED_WHERE = _made_of(operations["where"])
"""What `where` records if its condition is Python's True or False. It may come from a comparison, which is not in the
graph. So a program could not decide it anew, and `compile` refuses it."""

OPERATORS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder"}
OPERATORS |= {"pow": "pow"}
"""The operations that Python's operators of two numbers stand for, by the names of their methods."""
