"""What does the engine need to know of an operation? Its name, its value and its local derivatives in floats.

An `Operation` binds a rule (see `rules.py`) to the two namespaces for plain numbers: it asks the fast one
first, and the careful one where Python raises instead of answering inf or nan.
"""

from collections.abc import Callable, Sequence
from typing import Any

from autograd.rules import Rule, rules
from autograd.systems import DOMAIN_ERRORS, Real, floats, ieee


class Operation:
    """A differentiable operation: how it is called, its value, and one local derivative for each operand.

    Arguments:
        rule: the operation over plain floats.
        careful: the same over numbers that never raise, or None if there is no such rule; then what
            Python raises reaches the caller.
        over: gives the rule over another number system, from that system's namespace of functions;
            None if the operation was given for floats only.
    """

    __slots__ = (
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
        self.rule, self.careful, self.over = rule, careful, over
        self.name, self.symbol, self.nary = rule.name, rule.symbol, rule.nary
        self.value, self.derivatives = rule.value, rule.derivatives
        self.function: Callable[..., Any] | None = None  # the public function of a user's own operation

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def evaluate(self, numbers: Sequence[float]) -> float:
        """The operation's value on floats, by IEEE 754."""
        try:
            return float(self.value(*numbers))
        except DOMAIN_ERRORS:
            if self.careful is None:
                raise
            return float(self.careful.value(*map(Real, numbers)))

    def differentiate(self, out: float, numbers: Sequence[float], wanted: Sequence[int]) -> list[float]:
        """The local derivatives for the operands at the places `wanted`, where the value is `out`."""
        try:
            return _derivatives(self.rule, out, numbers, wanted)
        except DOMAIN_ERRORS:
            if self.careful is None:
                raise
            return _derivatives(self.careful, Real(out), list(map(Real, numbers)), wanted)

    def __reduce__(self) -> tuple[Callable[..., "Operation"], tuple[Any]]:
        if self.function is None:
            return _operation_named, (self.name,)
        return _operation_of, (self.function,)


def _derivatives(rule: Rule, out: float, numbers: Sequence[float], wanted: Sequence[int]) -> list[float]:
    if rule.nary:
        every = rule.derivatives[0](out, *numbers)
        if len(every) != len(numbers):
            raise TypeError(f"{rule.name} needs a derivative for each of {len(numbers)} operands; got {len(every)}")
        return [float(every[i]) for i in wanted]
    return [float(rule.derivatives[i](out, *numbers)) for i in wanted]


def _operation_named(name: str) -> Operation:
    return operations[name]


def _operation_of(function: Any) -> Operation:
    """The operation behind a user's function: this is how a pickled graph finds it again."""
    operation: Operation = function.operation
    return operation


def _built_in() -> dict[str, Operation]:
    careful = rules(ieee)

    def bind(rule: Rule) -> Operation:
        return Operation(rule, careful[rule.name], lambda m: rules(m)[rule.name])

    return {rule.name: bind(rule) for rule in rules(floats).values()}


operations: dict[str, Operation] = _built_in()
"""Every built-in operation by name."""
