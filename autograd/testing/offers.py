"""Under which names may somebody's engine have an operation, and how is it found there?

It may be an operator of Python, a method of the class, or a function of a module. Whether what is found does what its
name says is another question: `other_engines.py` tries it.
"""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from autograd.operations import operations

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
}
FUNCTIONS_OF_TWO = ("maximum", "minimum", "hypot", "atan2")
WITH_A_CONSTANT = {"leaky_relu": 0.01, "elu": 1.0}
"""Functions of two whose second operand is a plain number, which many engines decide; each with a usual one."""
OTHER_NAMES = {
    "log": ("ln",),
    "sigmoid": ("logistic", "sigm"),
    "silu": ("swish",),
    "relu": ("ReLU", "Relu"),
    "gelu_tanh": ("gelu",),
    "abs": ("__abs__",),
    **{name: (f"arc{name[1:]}",) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
}


class Offer(NamedTuple):
    """How an operation is written, such as "{}.tanh()", and what is called with its operands."""

    text: str
    call: Callable[..., Any]


class Namespace(NamedTuple):
    """Functions to look among.

    Attributes:
        prefix: what is written before their names, such as "torch.".
        functions: by name.
        special: for an operation that is another function with a keyword, both: `{"gelu_tanh": ("gelu", {...})}`.
    """

    prefix: str
    functions: Mapping[str, Any]
    special: Mapping[str, tuple[str, dict[str, Any]]] = {}


def look_up(name: str, of_class: type | None = None, namespaces: Sequence[Namespace] = ()) -> Offer | None:
    """How an engine has an operation, if it has one of that name.

    Arguments:
        name: the operation's name in the table of rules.
        of_class: a class whose methods are looked at first; None for none.
        namespaces: where functions are looked for.

    >>> class Number(float):
    ...     def ln(self): ...
    >>> look_up("log", Number).text, look_up("add").text, look_up("tanh", Number)
    ('{}.ln()', '{} + {}', None)
    """
    if name in OPERATORS:
        return Offer(operator_text(name), OPERATORS[name])
    operands = ["{}"] * (2 if name in (*FUNCTIONS_OF_TWO, *WITH_A_CONSTANT) else 1)
    for own in (name, *OTHER_NAMES.get(name, ())):
        if takes(getattr(of_class, own, None), len(operands)):
            return Offer(method_text(own, len(operands)), partial(_call_method, own))
        for namespace in namespaces:
            own_name, keywords = namespace.special.get(name, (own, {}))
            function = namespace.functions.get(own_name)
            if function is not None and takes(function, len(operands)):
                texts = [*operands, *(f"{keyword}={value!r}" for keyword, value in keywords.items())]
                return Offer(f"{namespace.prefix}{own_name}({', '.join(texts)})", partial(function, **keywords))
    return None


def operator_text(name: str) -> str:
    """How an operator is written: "-{}" or "{} + {}"."""
    return "-{}" if name == "neg" else f"{{}} {operations[name].symbol} {{}}"


def method_text(own: str, count: int) -> str:
    """How a method of that name is written with so many operands: "{}.tanh()", "{}.hypot({})" or "abs({})"."""
    return "abs({})" if own == "__abs__" else f"{{}}.{own}({', '.join(['{}'] * (count - 1))})"


def _call_method(name: str, x: Any, *others: Any) -> Any:
    return getattr(x, name)(*others)


def takes(function: Any, count: int) -> bool:
    """Whether it is a function that can be called with so many operands.

    >>> takes(operator.add, 2), takes(len, 2), takes(3, 1)
    (True, False, False)
    """
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some of C's functions do not tell
        return True
    return True
