"""Does the formula of an operation say what its rule does, bit for bit? And does it give what a printer of code needs?

`pytest -m slow tests/autograd/test_symbols.py` tries 2,000 points for each operation and each number of operands.
"""

import math
import random
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value, symbols
from autograd.ieee754 import Real, ieee
from autograd.operations import operations, table_over
from autograd.rules import WITH_INDEX
from autograd.symbols import Expression, evaluate, formula, walk
from autograd.testing.truth.oracles import oracles
from autograd.testing.truth.special_points import TABLE
from tests.sampling import examples

nan, inf = math.nan, math.inf
SPECIAL = [0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 0.5, 2.0, 5e-324, -5e-324, 2.2e-308, 1.8e308, -1.8e308, 1e-200, 1e200]
KINKS = [-700.0, -800.0, 40.0, -40.0, 30.0, -30.0, 400.0, -400.0, 746.0, 2.0**53]
KINKS += [2.0**-900, 2.0**900, 2.0**300, 2.0**-300]


def bits(x: float) -> bytes:
    return b"nan" if x != x else struct.pack("d", x)


def counts_of(name: str) -> list[int]:
    """The numbers of operands to try."""
    if operations[name].nary:
        return list(range(1 + (name in WITH_INDEX), 21))
    return [len(operations[name].derivatives)]


def draw(name: str, count: int, rng: random.Random) -> list[float]:
    """Operands of all sizes, special ones, equal ones, and ones that the operation's own tests draw."""
    if not operations[name].nary and rng.random() < 0.3:
        return list(map(float, oracles[name].draw(rng)))

    def number() -> float:
        kind = rng.random()
        if kind < 0.25:
            return rng.choice(SPECIAL)
        if kind < 0.35:
            x = rng.choice(KINKS)
            return rng.choice([x, math.nextafter(x, inf), math.nextafter(x, -inf)])
        if kind < 0.6:
            return rng.gauss(0.0, 3.0)
        return rng.choice([-1.0, 1.0]) * 2.0 ** rng.uniform(-1074.0, 1023.0)

    numbers = [number() for _ in range(count)]
    if rng.random() < 0.2:  # ties
        numbers = [rng.choice(numbers) for _ in numbers]
    if name in WITH_INDEX:
        numbers[-1] = float(rng.randrange(-(count - 1), count - 1))
    return numbers


def by_rule(name: str, numbers: Sequence[float]) -> list[float]:
    """The value and all derivatives by the careful rule."""
    rule, operands = table_over(ieee)[name], list(map(Real, numbers))
    out = Real(rule.value(*operands))
    return [float(out), *map(float, rule.derivatives_for(range(len(operands)), out, operands))]


def differences(name: str, count: int, points: int, by_formula: Callable[[list[float]], list[float]]) -> list[Any]:
    rng = random.Random(f"{name} {count}")
    found = []
    for _ in range(points):
        numbers = draw(name, count, rng)
        expected, got = by_rule(name, numbers), by_formula(numbers)
        if list(map(bits, expected)) != list(map(bits, got)):
            found.append((numbers, expected, got))
    return found


def evaluated(name: str, count: int) -> Callable[[list[float]], list[float]]:
    traced = formula(name, count)

    def values(numbers: list[float]) -> list[float]:
        out, derivatives = traced(*numbers)
        return [out, *derivatives]

    return values


# A printer of code, written as the others are: one expression a line

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "floor_divide": "//", "remainder": "%"}
SIGNS |= {"less": "<", "less_equal": "<=", "not_equal": "!="}


def as_python(traced: symbols.Formula) -> str:
    """The formula as a Python function that returns the value and the derivatives."""
    names: dict[int, str] = {}
    lines = [f"def f({', '.join(f'x{k}' for k in range(len(traced.operands)))}):"]
    for part in [[traced.value], list(traced.derivatives)]:
        for x in walk(part):
            given = [names[id(y)] for y in x.arguments]
            match x.function:
                case "constant":
                    code = f"Real({x.number!r})" if math.isfinite(x.number) else f"Real(float('{x.number}'))"
                case "operand":
                    code = f"x{x.number:.0f}"
                case "out":
                    code = "out"
                case "select":
                    code = f"{given[1]} if {given[0]} else {given[2]}"
                case "sum" | "norm":
                    code = f"m.{x.function}([{', '.join(given)}])"
                case "neg" | "abs":
                    code = f"{'-' if x.function == 'neg' else 'abs'}({given[0]})"
                case name if name in SIGNS:
                    code = f"{given[0]} {SIGNS[name]} {given[1]}"
                case name:
                    code = f"m.{name}({', '.join(given)})"
            names.setdefault(id(x), f"v{len(names)}")
            lines.append(f"    {names[id(x)]} = {code}")
        if part[0] is traced.value:
            lines.append(f"    out = {names[id(traced.value)]}")
    lines.append(f"    return [out, {', '.join(names[id(x)] for x in traced.derivatives)}]")
    return "\n".join(lines)


def printed(name: str, count: int) -> Callable[[list[float]], list[float]]:
    scope: dict[str, Any] = {"m": ieee, "Real": Real}
    exec(as_python(formula(name, count)), scope)
    return lambda numbers: [float(x) for x in scope["f"](*map(Real, numbers))]


@pytest.mark.parametrize("name", operations)
def test_a_formula_has_the_bits_of_the_careful_rule(name: str) -> None:
    for count in counts_of(name)[:6]:
        assert differences(name, count, 200, evaluated(name, count)) == []


@pytest.mark.parametrize("name", operations)
def test_code_that_is_printed_from_it_has_them_too(name: str) -> None:
    for count in counts_of(name)[::3]:
        assert differences(name, count, 200, printed(name, count)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", operations)
def test_a_formula_has_the_bits_of_the_careful_rule_at_2000_points(name: str) -> None:
    for count in counts_of(name):
        assert differences(name, count, 2000, printed(name, count)) == []
        assert differences(name, count, 20, evaluated(name, count)) == []


def test_a_formula_stays_as_small_as_its_rule() -> None:
    """Questions in a loop do not multiply. The size grows with the number of operands, or with its square."""
    for name in operations:
        for count in counts_of(name):
            traced = formula(name, count)
            assert len(walk([traced.value, *traced.derivatives])) < 120 * count + 8 * count * count


def test_expressions_are_shared() -> None:
    traced = formula("silu")
    order = walk([traced.value, *traced.derivatives])
    assert len({(x.function, repr(x.number), *map(id, x.arguments)) for x in order}) == len(order)


def test_arguments_come_before_what_is_made_of_them() -> None:
    for name in operations:
        traced = formula(name, counts_of(name)[-1])
        seen: set[int] = set()
        for x in walk([traced.value, *traced.derivatives]):
            assert seen.issuperset(map(id, x.arguments))
            seen.add(id(x))


# For people


@pytest.mark.parametrize(
    ("name", "place", "at", "expected"),
    [
        ("tanh", 0, [0.5], "1 / cosh(x)**2"),
        ("exp", 0, [0.5], "exp(x)"),
        ("log", 0, [0.5], "1 / x"),
        ("log", 0, [-0.5], "nan"),
        ("sin", 0, [0.5], "cos(x)"),
        ("cos", 0, [0.5], "-sin(x)"),
        ("mul", 0, [2.0, 3.0], "y"),
        ("div", 1, [2.0, 3.0], "-(x / y) / y"),
        ("pow", 0, [2.0, 3.0], "y * x**(y - 1)"),
        ("sqrt", 0, [2.0], "0.5 / sqrt(x)"),
        ("relu", 0, [2.0], "1"),
        ("relu", 0, [-2.0], "0"),
        ("atan", 0, [0.5], "1 / (1 + x**2)"),
        ("asin", 0, [0.5], "1 / sqrt((1 - x) * (1 + x))"),
        ("hypot", 0, [3.0, 4.0], "x / hypot(x, y)"),
    ],
)
def test_a_derivative_at_a_point_is_what_a_textbook_says(name: str, place: int, at: list[float], expected: str) -> None:
    traced = formula(name)
    assert traced.text(traced.derivatives[place], at) == expected


def test_what_is_printed_at_a_point_is_python_and_has_the_value_there() -> None:
    rng = random.Random(0)
    scope = {name: getattr(ieee, name) for name in vars(ieee)} | {"nan": nan, "inf": inf, "abs": abs}
    for name in operations:
        if operations[name].nary or operations[name].symbol or name == "where":
            continue
        traced = formula(name)
        for _ in range(20):
            numbers = list(map(float, oracles[name].draw(rng)))
            out, derivatives = traced(*numbers)
            names = dict(zip(["x", "y", "z"], map(Real, numbers), strict=False)) | {name: lambda *_, out=out: Real(out)}
            for derivative, expected in zip(traced.derivatives, derivatives, strict=True):
                text = traced.text(derivative, numbers)
                if "\n" in text or any(digit in text for digit in "e."):  # constants are shortened for people
                    continue
                found = float(eval(text, scope | names))
                assert found == pytest.approx(expected, rel=1e-9, abs=1e-300, nan_ok=True), (name, numbers, text)


# The short texts, with places for names and numbers


def filled(text: symbols.Text, shown: Callable[[str], str]) -> str:
    """The text with what `shown` says for each code."""
    assert len(text) % 2 == 1
    pieces = list(text)
    for k in range(1, len(text), 2):
        piece = shown(text[k].lstrip("("))
        pieces[k] = f"({piece})" if text[k].startswith("(") and piece.startswith("-") else piece
    return "".join(pieces)


def value_of(text: str, names: dict[str, Any]) -> float:
    """The number that the text stands for, in Python: every literal is a number that follows IEEE 754."""
    numbers = re.sub(r"(?<![\w.])\d+\.?\d*(e[+-]?\d+)?", r"Real(\g<0>)", text)
    phrase, *parts = numbers.split("\n  where ")
    scope = vars(ieee) | {"nan": Real(nan), "inf": Real(inf), "pi": Real(math.pi), "abs": abs, "Real": Real} | names
    scope["sum"] = lambda *numbers: ieee.sum(numbers)
    for part in parts:
        name, _, meaning = part.partition(" = ")
        scope[name] = eval(meaning, scope)
    return float(eval(phrase, scope))


def readings(operation: Any, numbers: Sequence[float]) -> Iterator[tuple[float, float, float, str]]:
    """For each operand: what the text says with letters, what it says with numbers, the derivative, and the text."""
    traced = formula(operation, len(numbers) if operation.nary else None)
    out = operation.evaluate(numbers)
    known = {f"x{k}": x for k, x in enumerate(numbers)} | {"o": out}
    for k, expected in enumerate(operation.differentiate(out, numbers, range(len(numbers)))):
        text = traced.text_at(k, numbers, out)
        assert text == traced.text_at(k, numbers)
        with_numbers = filled(text, lambda code: repr(known[code]))
        letters = value_of(filled(text, str), {name: Real(x) for name, x in known.items()})
        yield letters, value_of(with_numbers, {}), expected, with_numbers


def moderate(name: str, count: int) -> st.SearchStrategy[list[float]]:
    """Operands as people choose them: of up to three digits before the point and three after it, often equal or 0."""
    number = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0]) | st.floats(-25.0, 25.0).map(lambda x: round(x, 3) + 0.0)
    own = count - (name in WITH_INDEX)
    numbers = st.lists(number, min_size=own, max_size=own)
    if name not in WITH_INDEX:
        return numbers
    return st.builds(lambda xs, index: [*xs, float(index)], numbers, st.integers(-own, own - 1))


@pytest.mark.parametrize("name", operations)
@given(st.data())
@settings(max_examples=examples(60))
def test_the_text_shown_has_the_number_shown(name: str, data: st.DataObject) -> None:
    """1e-9 is what a textbook's formula loses in places; a difference of numbers near 1 may lose 1e-12."""
    count = data.draw(st.sampled_from([n for n in counts_of(name) if n <= 6 or n == 16]))
    numbers = data.draw(moderate(name, count))
    for letters, with_numbers, expected, text in readings(operations[name], numbers):
        assert letters == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True), text
        assert bits(letters) == bits(with_numbers), text


# A text does not tell -0.0 from 0.0, and is not made for infinities.
WRITTEN = [row for row in TABLE if not any(abs(x) > 10.0 or str(x) == "-0.0" for x in row.operands)]


@pytest.mark.parametrize("row", WRITTEN, ids=str)
def test_the_text_is_right_at_kinks_and_ties_and_poles_too(row: Any) -> None:
    for letters, with_numbers, expected, text in readings(operations[row.operation], row.operands):
        assert letters == pytest.approx(expected, rel=1e-9, nan_ok=True), text
        assert bits(letters) == bits(with_numbers), text


@pytest.mark.parametrize("name", operations)
def test_the_texts_are_short_and_few(name: str) -> None:
    for count in [n for n in counts_of(name) if n <= 6 or n == 16]:
        traced = formula(name, count)
        for k in range(count):
            texts = traced.ways(k).texts
            assert len(set(texts)) == len(texts) <= max(4, 2 * count)
            for text in texts:
                assert len(filled(text, str)) <= 90 + 6 * count * (name == "prod")
                assert " if " not in "".join(text)


def test_what_is_below_0_stands_in_parentheses_after_a_sign() -> None:
    text = formula("div").text_at(1, [-1.0, -2.0])
    assert filled(text, {"x0": "-1", "x1": "-2"}.__getitem__) == "-(-1) / (-2)**2"
    text = formula("logsumexp", 2).text_at(0, [-1.0, -2.0])
    assert filled(text, {"x0": "-1", "o": "-0.69"}.__getitem__) == "exp(-1 - (-0.69))"


def test_text_stays_short_however_often_a_part_is_used() -> None:
    for name in operations:
        for count in counts_of(name):
            assert len(str(formula(name, count))) < 4000 * count * count


# Operations of one's own


@autograd.operation
def bump(m: Any) -> Any:
    """exp(-1 / (1 - x*x)) between -1 and 1, and 0 outside."""

    def value(x: Any) -> Any:
        return m.exp(-1.0 / (1.0 - x * x)) if -1.0 < x < 1.0 else 0.0

    def derivative(out: Any, x: Any) -> Any:
        return out * -2.0 * x / ((1.0 - x * x) * (1.0 - x * x)) if -1.0 < x < 1.0 else 0.0

    return value, derivative


@given(st.floats(allow_nan=False))
def test_an_operation_of_ones_own_is_traced_too(x: float) -> None:
    out, (derivative,) = formula(bump)(x)
    y = bump(Value(x))
    assert (bits(out), bits(derivative)) == (bits(y.data), bits(y.local_derivatives[0]))


def test_its_texts_have_a_way_each() -> None:
    texts = [filled(text, str) for text in formula(bump).ways(0).texts]
    assert texts == ["o * -2 * x0 / (1 - x0**2)**2", "0"]
    for x in (-1.5, -1.0, -0.3, 0.0, 0.7, nan, inf):
        for letters, with_numbers, expected, text in readings(bump.operation, [x]):
            assert letters == pytest.approx(expected, rel=1e-9, nan_ok=True), text
            assert bits(letters) == bits(with_numbers), text


def test_a_rule_with_too_many_ways_has_one_text_with_all_its_questions() -> None:
    def steps(x: Any) -> Any:
        return sum((x if x * k > 1.0 else k) for k in range(1, 10))

    many = autograd.operation(lambda m: (lambda x: x, lambda out, x: steps(x)), name="many")
    (text,) = formula(many).ways(0).texts
    assert " if " in "".join(text)
    for x in (-1.0, 0.15, 0.3, 2.0):
        for letters, _, expected, _ in readings(many.operation, [x]):
            assert letters == pytest.approx(expected, rel=1e-9)


def test_ways_that_say_the_same_are_one() -> None:
    steps = autograd.operation(
        lambda m: (lambda x: x, lambda out, x: sum((1.5 if x * k > 1.0 else 0.25) for k in range(1, 10))), name="steps"
    )
    assert len(formula(steps).ways(0).texts) == 10
    for x in (-1.0, 0.15, 0.3, 2.0):
        for letters, _, expected, _ in readings(steps.operation, [x]):
            assert letters == expected


@autograd.operation
def alternating(m: Any) -> Any:
    """x0 - x1 + x2 - ..."""

    def value(*xs: Any) -> Any:
        total: Any = 0.0
        for k, x in enumerate(xs):
            total = total + x if k % 2 == 0 else total - x
        return total

    return value, lambda out, *xs: [(-1.0) ** k for k in range(len(xs))]


def test_one_of_any_number_of_operands_too() -> None:
    assert formula(alternating, 3)(1.0, 10.0, 100.0) == (91.0, [1.0, -1.0, 1.0])


def test_questions_that_never_have_the_answer_yes_leave_the_others_open() -> None:
    for value in (
        lambda x: 7.0 if x < -inf else x if x > 0 else -1.0,
        lambda x: x if not x > inf and x > 0 else -1.0,
        lambda x: 7.0 if -x > inf else x if x > 0 else -1.0,
        lambda x: 7.0 if x < x else x if x > 0 else -1.0,
    ):
        for x in (1.5, inf, -inf, nan, -2.0, 0.0):
            assert bits(formula(own(value))(x)[0]) == bits(float(own(value)(x)))


@pytest.mark.parametrize("derivatives", [lambda out, *xs: [1.0], lambda out, *xs: [1.0] * 3, lambda out, *xs: None])
def test_a_derivative_for_each_operand_is_wanted(derivatives: Any) -> None:
    wrong = autograd.operation(lambda m: (lambda *xs: m.sum(xs), derivatives), name="wrong")
    with pytest.raises(TypeError, match="needs a list with a derivative for each of 2 operands; got"):
        formula(wrong, 2)


def test_a_number_for_each_operand_is_wanted() -> None:
    for numbers in ((), (1.0, 2.0)):
        with pytest.raises(TypeError, match=r"takes 1 numbers; got"):
            formula("tanh")(*numbers)
    assert formula("exp")(10**400)[0] == inf


@pytest.mark.parametrize(
    ("value", "x", "expected"),
    [
        (lambda x: 2.0 // x, 0.0, inf),
        (lambda x: 2.0 % x, 0.0, nan),
        (lambda x: (-2.0) ** x, 0.5, nan),
        (lambda x: x**x, -1.5, nan),
    ],
)
def test_a_rule_of_ones_own_follows_ieee_754_too(value: Any, x: float, expected: float) -> None:
    assert bits(own(value)(Value(x)).data) == bits(formula(own(value))(x)[0]) == bits(expected)


def own(value: Callable[[Any], Any]) -> Any:
    return autograd.operation(lambda m: (value, lambda out, x: 1.0), name="own")


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        (lambda x: math.exp(x), TypeError, r"from the namespace m, such as m\.exp\(x\)"),
        (lambda x: 1.0 if x == 0.0 else x, TypeError, "compares with < and <="),
        (lambda x: int(x), TypeError, "from the namespace m"),
        (lambda x: "x", TypeError, r"a rule computes with numbers; got 'x' \(str\)"),
    ],
)
def test_what_no_formula_can_say_is_refused(value: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        formula(own(value))


def test_a_loop_without_an_end_is_refused() -> None:
    def down(x: Any) -> Any:
        while x > 0.0:
            x = x * 0.5
        return x

    with pytest.raises(ValueError, match="more than 2,000 questions"):
        formula(own(down))


def test_too_many_ways_through_a_rule_are_refused() -> None:
    def many(x: Any) -> Any:
        total = x
        for _ in range(20):
            total = total * 2.0 if total > 0.0 else total + 1.0
        return total

    with pytest.raises(ValueError, match="more than 2,000 answers"):
        formula(own(many))


def test_an_operation_over_floats_has_no_formula() -> None:
    halve = autograd.operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
    with pytest.raises(TypeError, match="halve was given over floats only, so that it has no formula"):
        formula(halve)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tanhh",), "got 'tanhh'"),
        ((3,), "got 3"),
        (("tanh", 2), "tanh takes 1 operands; got count=2"),
        (("sum",), "sum takes 1 operands or more: give count, such as count=3; got None"),
        (("sum", 0), "got 0"),
        (("take", 1), "take takes 2 operands or more"),
        (("sum", 2.5), "got 2.5"),
    ],
)
def test_a_formula_is_asked_for_rightly(arguments: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        formula(*arguments)


def test_a_formula_can_be_evaluated_over_another_number_system() -> None:
    """Over Values the parts of a formula make a graph."""
    x = Value(0.5)
    traced = formula("mul")
    (y,) = evaluate([traced.value], [x, x], m=autograd.functions, number=float)
    assert isinstance(y, Value)
    assert (y.operation, y.data) == ("mul", 0.25)


def test_an_expression_is_printed() -> None:
    x = formula("cos").derivatives[0]
    assert isinstance(x, Expression)
    assert repr(x) == "<-sin(x0)>"
