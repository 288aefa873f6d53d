"""What can be wrong with a rule?

Its derivative has the wrong sign, is 0, is off by a little, lacks a factor, or is that of another operand. Each of
these mistakes is made in every rule.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from autograd.ieee754 import floats, ieee
from autograd.operations import operations
from autograd.rules import Rule
from tests.mutations.differences import RULES, concerned, is_equivalent, rules_of, true_tables
from tests.mutations.mutant import Mutant, Table, mutate_table, transplant

Derivatives = Callable[..., Sequence[Any]]
"""All derivatives of an operation, as a function of `(out, *operands)`."""

SCALINGS: dict[str, Callable[[Any], Any]] = {
    "negate": lambda derivative: -derivative,
    "zero": lambda derivative: 0.0,
    "1+1e-6": lambda derivative: derivative * (1.0 + 1e-6),
}
KINDS = (*SCALINGS, "swap", "factor")


def rule_mutants() -> tuple[list[Mutant], list[Mutant]]:
    """Every mutant made by hand of every rule, and those of them that are equivalent."""
    mutants, equivalent = [], []
    for name in operations:
        for kind, what, change in _changes(true_tables()[0][name]):
            mutant = Mutant(kind, what, partial(mutate_table, partial(_replaced, name, change)), frozenset([name]))
            same = _leaves_all(name, change)
            (equivalent if same else mutants).append(mutant)
    for mutant, same in _without_a_factor():
        (equivalent if same else mutants).append(mutant)
    return mutants, equivalent


def _leaves_all(name: str, change: Callable[[Rule], Rule]) -> bool:
    fast, careful = (_replaced(name, change, table) for table in true_tables())
    return is_equivalent(fast, careful, frozenset([name]))


def _replaced(name: str, change: Callable[[Rule], Rule], table: Table) -> Table:
    return {**table, name: change(table[name])}


# Changes of a whole derivative


def _changes(rule: Rule) -> Iterator[tuple[str, str, Callable[[Rule], Rule]]]:
    """The kind, the description and the change itself, for each derivative of a rule."""
    places = ["all"] if rule.nary else list(range(len(rule.derivatives)))
    for place in places:
        for kind, scaling in SCALINGS.items():
            yield kind, f"{rule.name}: derivative {place}, {kind}", partial(_scaled, place, scaling)
    if rule.nary:
        yield "swap", f"{rule.name}: the derivatives in reverse order", _reversed
    elif len(rule.derivatives) > 1:
        for place in places:
            yield "swap", f"{rule.name}: derivative {place} for the operands rotated", partial(_rotated, place)
        yield "swap", f"{rule.name}: the derivatives rotated", _exchanged


def _scaled(place: int | str, scaling: Callable[[Any], Any], rule: Rule) -> Rule:
    if rule.nary:
        every = rule.derivatives[0]
        return rule._replace(derivatives=(lambda out, *xs: [scaling(d) for d in every(out, *xs)],))
    return _with_derivative(rule, int(place), lambda out, *xs: scaling(rule.derivatives[int(place)](out, *xs)))


def _rotated(place: int, rule: Rule) -> Rule:
    """d/dx f(x, y) taken at (y, x)."""
    return _with_derivative(rule, place, lambda out, *xs: rule.derivatives[place](out, *xs[1:], xs[0]))


def _exchanged(rule: Rule) -> Rule:
    return rule._replace(derivatives=(*rule.derivatives[1:], rule.derivatives[0]))


def _reversed(rule: Rule) -> Rule:
    return rule._replace(derivatives=(lambda out, *xs: rule.derivatives[0](out, *xs)[::-1],))


def _with_derivative(rule: Rule, place: int, derivative: Callable[..., Any]) -> Rule:
    return rule._replace(derivatives=(*rule.derivatives[:place], derivative, *rule.derivatives[place + 1 :]))


# A factor dropped somewhere in rules.py


def _without_a_factor() -> Iterator[tuple[Mutant, bool]]:
    """For every product and quotient in rules.py one mutant without its right, one without its left factor (a
    quotient loses its divisor only); with each, whether it is equivalent. What only a constant loses is left out."""
    lines = RULES.read_text(encoding="utf-8")
    for old, new, line in _products(lines):
        source = _spliced(lines, old, new)
        try:
            fast, careful = rules_of(source)(floats), rules_of(source)(ieee)
        except Exception:  # a constant that the rules are made from cannot do without it
            continue
        names = concerned(fast)
        if names:
            what = f"{', '.join(sorted(names))}: line {line}, {ast.unparse(old)} is {ast.unparse(new)}"
            apply = partial(transplant, "autograd.rules", source)
            yield Mutant("factor", what, apply, names), is_equivalent(fast, careful, names)


def _products(source: str) -> Iterator[tuple[ast.BinOp, ast.expr, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            yield node, node.left, node.lineno
            if isinstance(node.op, ast.Mult):
                yield node, node.right, node.lineno


def _spliced(source: str, old: ast.expr, new: ast.expr) -> str:
    """The source with the text of `old` replaced by that of `new`, in parentheses."""
    lines = source.splitlines(keepends=True)
    before = "".join(lines[: old.lineno - 1]) + _bytes(lines[old.lineno - 1], 0, old.col_offset)
    after = _bytes(lines[old.end_lineno - 1], old.end_col_offset, None) + "".join(lines[old.end_lineno :])  # type: ignore[operator]
    return f"{before}({ast.get_source_segment(source, new)}){after}"


def _bytes(line: str, start: int, end: int | None) -> str:
    """A part of the line by the offsets of `ast`, which count bytes."""
    return line.encode()[start:end].decode()
