"""Which operations does a change of the rules concern, and does it change any number at all?

A change that gives the same value, derivatives and scale at every point tried is *equivalent*: no test can notice
it, and none has to. The points are those of `oracles.py`, which come from everywhere in the domain of an operation, the
hard and the special points of the tests, and all combinations of a few extremes.
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from autograd import rules as rules_module
from autograd.ieee754 import DOMAIN_ERRORS, Real, floats, ieee
from autograd.operations import operations
from autograd.rules import WITH_INDEX, Rule, rules
from autograd.testing.truth.oracles import Operands, oracles
from autograd.testing.truth.special_points import TABLE
from tests.autograd.test_accuracy import HARD_POINTS
from tests.mutations.mutant import Table

POINTS = 1_000
EXTREMES = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan)
RULES = Path(rules_module.__file__)


def rules_of(source: str) -> Any:
    """The function `rules` of a changed rules.py, of which `source` may be only the functions that change."""
    namespace: dict[str, Any] = {}
    for name, thing in vars(rules_module).items():  # the others, so that they call the changed ones
        namespace[name] = FunctionType(thing.__code__, namespace, name) if _is_its_own(thing) else thing
    exec(compile(source, str(RULES), "exec"), namespace)
    return namespace["rules"]


def _is_its_own(thing: Any) -> bool:
    return isinstance(thing, FunctionType) and thing.__globals__ is vars(rules_module)


def concerned(changed: Table) -> frozenset[str]:
    """The operations whose rule runs other code in the changed table (over `floats`) than in the true one."""
    true = true_tables()[0]
    names = true.keys() ^ changed.keys()
    return frozenset(
        names | {name for name in true.keys() & changed.keys() if not _alike(tuple(true[name]), tuple(changed[name]))}
    )


def is_equivalent(fast: Table, careful: Table, names: frozenset[str]) -> bool:
    """Whether the changed rules, over `floats` and over `ieee`, give the numbers of the true ones at every point."""
    true = true_tables()
    return all(
        name in fast and numbers((fast[name], careful[name]), point) == truth
        for name in names
        for point, truth in zip(points(name), true_numbers(name), strict=True)
        if name in true[0] or name in fast
    )


@cache
def true_tables() -> tuple[Table, Table]:
    return rules(floats), rules(ieee)


@cache
def points(name: str) -> list[Operands]:
    """Operands of an operation from everywhere in its domain, and extremes."""
    if name not in oracles:
        return []
    rng = random.Random(name)
    drawn = [oracles[name].draw(rng) for _ in range(POINTS)]
    known = [operands for operation, operands, *_ in (*HARD_POINTS, *TABLE) if operation == name]
    return [*drawn, *known, *([] if name in WITH_INDEX else _extremes(name))]


def _extremes(name: str) -> Iterator[Operands]:
    count = 2 if operations[name].nary else len(operations[name].derivatives)
    return itertools.product(EXTREMES, repeat=count)


@cache
def true_numbers(name: str) -> list[str]:
    fast, careful = true_tables()
    return [numbers((fast[name], careful[name]), point) for point in points(name)]


def numbers(both: tuple[Rule, Rule], operands: Operands) -> str:
    """The value, the derivatives and the scale as text: nan equals nan, and the sign of a zero derivative is free."""
    try:
        return _numbers(both[0], operands)
    except DOMAIN_ERRORS:
        pass  # Python raises where IEEE 754 answers: the careful rule is asked, as `Operation` does
    except Exception as error:
        return type(error).__name__
    try:
        return _numbers(both[1], list(map(Real, operands)))
    except Exception as error:
        return type(error).__name__


def _numbers(rule: Rule, operands: Sequence[Any]) -> str:
    out = rule.value(*operands)
    if rule.nary:
        derivatives = rule.derivatives[0](out, *operands)
    else:
        derivatives = [derivative(out, *operands) for derivative in rule.derivatives]
    scale = rule.scale(out, *operands) if rule.scale else ()
    return f"{float(out)} {[float(d) + 0.0 for d in derivatives]} {list(map(float, scale))} {rule.symbol} {rule.name}"


def _alike(a: Any, b: Any) -> bool:
    """Whether two rules, or parts of them, are made of the same code and the same constants."""
    if type(a) is not type(b):
        return False
    if isinstance(a, FunctionType):
        return a is b or (_alike(a.__code__, b.__code__) and _alike(_surroundings(a), _surroundings(b)))
    if isinstance(a, CodeType):
        return (a.co_code, a.co_names) == (b.co_code, b.co_names) and _alike(a.co_consts, b.co_consts)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_alike, a, b))
    return a is b or repr(a) == repr(b)


def _surroundings(function: FunctionType) -> list[Any]:
    """What a function uses from outside: default values, enclosing variables, functions and constants of its module."""
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    names = [name for name in function.__code__.co_names if name in function.__globals__]
    globals_ = [function.__globals__[name] for name in names]
    return [function.__defaults__, closure, [g for g in globals_ if isinstance(g, float | FunctionType)]]
