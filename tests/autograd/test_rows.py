"""Can the rules of rows be written as loops of unknown length? Here they get rows that do not tell how long they are.

The numbers do not tell what they are either: a comparison is a question, which only a `part` may answer. So a rule that
passes asks nothing that compiled code does not know before it runs.
"""

import math
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd import rows
from autograd.ieee754 import ELEMENTARY, Real, ieee
from autograd.operations import OPERATORS, table_over
from autograd.rules import WITH_INDEX, rules
from tests.autograd.test_symbols import bits, draw

parts_open = 0


class Question:
    """The answer to a comparison."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def __bool__(self) -> bool:
        assert parts_open, "a rule of rows decides with m.select, with m.branch or in a part"
        return self.answer


class Number:
    """A number that is not known."""

    def __init__(self, real: Real) -> None:
        self.real = real

    __eq__ = __hash__ = __float__ = None  # type: ignore[assignment]


def known(x: Any) -> Any:
    return x.real if isinstance(x, Number) else Real(x)


def unknown(x: Any) -> Number:
    return x if isinstance(x, Number) else Number(Real(x))


def over_reals(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *numbers: Number(function(*map(known, numbers)))


def comparison(method: str) -> Callable[..., Any]:
    return lambda x, y: Question(getattr(float, method)(float(known(x)), float(known(y))))


for method in OPERATORS:
    for each in (f"__{method}__", f"__r{method}__"):
        setattr(Number, each, lambda x, y, each=each: Number(getattr(known(x), each)(known(y))))
for method in ("__neg__", "__abs__"):
    setattr(Number, method, over_reals(getattr(Real, method)))
for method in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Number, method, comparison(method))


class Row:
    """A row of unknown length."""

    __iter__ = __len__ = __add__ = __bool__ = None

    def __init__(self, numbers: Any) -> None:
        self._numbers = list(numbers)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            assert (place.start, place.stop, place.step) == (None, -1, None)
            return Row(self._numbers[place])
        assert place in (0, -1)
        return self._numbers[place]


def list_of(row: Row) -> list[Any]:
    return row._numbers


def select(question: Any, a: Any, b: Any) -> Any:
    assert isinstance(question, Question)
    assert isinstance(a, tuple) == isinstance(b, tuple)
    return a if question.answer else b


def branch(question: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """Both are computed, as compiled code may do."""
    a, b = yes(), no()
    assert isinstance(a, Row) == isinstance(b, Row)
    return select(question, a, b)


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    def answered(*arguments: Any) -> Any:
        global parts_open
        for x in arguments:
            assert isinstance(x, Number | float | int | tuple)
        parts_open += 1
        try:
            result = function(*arguments)
        finally:
            parts_open -= 1
        return tuple(map(unknown, result)) if isinstance(result, tuple) else unknown(result)

    return answered


m = SimpleNamespace(
    **{name: over_reals(getattr(ieee, name)) for name in (*ELEMENTARY, "floor", "ceil", "round")},
    sum=lambda row: Number(ieee.sum(list(map(known, list_of(row))))),
    norm=lambda row: Number(ieee.norm(list(map(known, list_of(row))))),
    select=select,
    part=part,
    map=lambda f, row, *others: Row(rows.map(f, *map(list_of, (row, *others)))),
    fold=lambda f, start, row, *other: rows.fold(f, start, *map(list_of, (row, *other))),
    accumulate=lambda f, start, row, reverse=False: Row(rows.accumulate(f, start, list_of(row), reverse)),
    places=lambda row: Row(Number(Real(place)) for place in rows.places(list_of(row))),
    count=lambda row: Number(Real(rows.count(list_of(row)))),
    same=lambda number, row: Row(rows.same(number, list_of(row))),
    at=lambda row, index: rows.at(list_of(row), known(index)),
    put=lambda row, index, number: Row(rows.put(list_of(row), known(index), number)),
    branch=branch,
)
careful, blind = table_over(ieee), rules(m)
OF_ROWS = [name for name, rule in careful.items() if rule.of_row]


def test_all_operations_of_any_number_of_operands_have_a_rule_of_rows_but_dot() -> None:
    assert [name for name, rule in careful.items() if rule.nary and name != "dot"] == OF_ROWS


@pytest.mark.parametrize("name", OF_ROWS)
@given(seed=st.integers(0, 2**32))
def test_a_rule_of_rows_asks_only_what_is_known_before_it_runs(name: str, seed: int) -> None:
    rng = random.Random(seed)
    operands = list(map(Real, draw(name, rng.randint(1 + (name in WITH_INDEX), 8), rng)))
    out = careful[name].value(*operands)
    expected = [out, *careful[name].derivatives[0](Real(out), *operands)]
    assert blind[name].of_row is not None
    value, derivatives = blind[name].of_row
    row = Row(map(Number, operands))
    found = [value(row), *list_of(derivatives(Number(Real(out)), row)), *([0.0] if name in WITH_INDEX else [])]
    assert [bits(float(known(x))) for x in found] == [bits(float(x)) for x in expected]


# The functions themselves

numbers = st.lists(st.integers(-9, 9), max_size=6)


@given(numbers)
def test_a_fold_goes_through_a_row_from_the_left(row: list[int]) -> None:
    digits = rows.fold(lambda state, x: (*state, x), (), row)
    assert digits == tuple(row)
    by_place = sum(i * x for i, x in enumerate(row))
    assert rows.fold(lambda state, x, place: state + x * place, 0, row, rows.places(row)) == by_place


@given(numbers)
def test_accumulated_states_are_those_of_folds_of_what_comes_before_or_after(row: list[int]) -> None:
    def longer(state: tuple[int, ...], x: int) -> tuple[int, ...]:
        return (*state, x)

    assert rows.accumulate(longer, (), row) == [tuple(row[:i]) for i in range(len(row))]
    assert rows.accumulate(longer, (), row, reverse=True) == [tuple(row[:i:-1]) for i in range(len(row))]


@given(numbers.filter(bool), st.data())
def test_what_is_put_at_a_place_is_found_there(row: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(-len(row), len(row) - 1))
    changed = rows.put(row, float(index), 0.5)
    assert rows.at(changed, float(index)) == 0.5
    assert len(changed) == rows.count(row)
    assert [x for i, x in enumerate(changed) if i != index % len(row)] == [
        x for i, x in enumerate(row) if i != index % len(row)
    ]


def test_a_mean_of_huge_numbers_and_an_infinity_is_infinite() -> None:
    """Their sum would be nan, since it overflows to the other infinity."""
    assert careful["mean"].value(*map(Real, (1e308, 1e308, -math.inf))) == -math.inf
