"""Does one table of rules serve every number system, and do the copies on Value say the same?

The rules are evaluated over floats, over `Value`s and over mpmath. Over `Value`s a derivative is a graph, and its
`backward()` gives second derivatives. Each time an oracle that knows nothing of the rules decides.
"""

import math
import operator
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value, functions
from autograd.ieee754 import DOMAIN_ERRORS, Real, floats, ieee
from autograd.operations import OPERATORS as python_operators, operations
from autograd.rules import WITH_INDEX, Rule, rules
from autograd.testing.truth.oracles import Operands, call, oracles, ulp_error
from autograd.testing.truth.rule_checks import functions_over
from autograd.testing.truth.special_points import same
from autograd.value import apply
from tests.autograd.test_special_points import operands_of
from tests.sampling import examples

EVERY_OPERATION = pytest.mark.parametrize("name", operations)

mpmath_functions = functions_over(mpmath.mp)


def derivatives_of(rule: Rule, out: Any, operands: Sequence[Any], count: int) -> list[Any]:
    """The derivatives for the first `count` operands."""
    if rule.nary:
        return list(rule.derivatives[0](out, *operands))[:count]
    return [derivative(out, *operands) for derivative in rule.derivatives]


def moderate_points(name: str, count: int) -> list[Operands]:
    """Points in the domain, of moderate size and away from steps and ties."""
    rng, points = random.Random(name), []
    while len(points) < count:
        operands = _a_few(name, rng) if operations[name].nary else oracles[name].draw(rng)
        numbers = operands[:-1] if name in WITH_INDEX else operands
        if all(0.02 < abs(x) < 5.0 for x in numbers) and not _special(name, numbers):
            points.append(operands)
    return points


def _a_few(name: str, rng: random.Random) -> Operands:
    numbers = tuple(rng.uniform(-3.0, 3.0) for _ in range(rng.randint(1, 5)))
    return (*numbers, float(rng.randrange(len(numbers)))) if name in WITH_INDEX else numbers


def _special(name: str, numbers: Operands) -> bool:
    if name in ("asin", "acos", "atanh", "acosh", "pow", "log1p"):
        return not all(abs(abs(x) - 1.0) > 0.02 for x in numbers) or (name == "pow" and numbers[0] < 0.0)
    if name == "tan":
        return abs(math.cos(numbers[0])) < 0.1
    steps = (*numbers, numbers[0] / numbers[-1])
    return len(set(map(abs, numbers))) < len(numbers) or any((2.0 * x).is_integer() for x in steps if x != 1.0)


def second_derivative(name: str, place: int, along: int, operands: Operands) -> Any:
    """The oracle's partial derivative for the operand `place`, differentiated by mpmath for the operand `along`."""
    xs = list(map(mpmath.mpf, operands))
    return mpmath.diff(lambda x: oracles[name].partials(*xs[:along], x, *xs[along + 1 :])[place], xs[along])


@EVERY_OPERATION
def test_over_floats_a_rule_gives_what_the_engine_records(name: str) -> None:
    rule = rules(floats)[name]
    for operands in moderate_points(name, 10):
        count = len(operands) - (name in WITH_INDEX)
        node = call(name, *map(Value, operands[:count]), *operands[count:])
        assert rule.value(*operands) == node.data
        assert tuple(derivatives_of(rule, node.data, operands, count)) == node.local_derivatives


@EVERY_OPERATION
def test_over_values_the_derivatives_have_derivatives(name: str) -> None:
    rule = rules(functions)[name]
    for operands in moderate_points(name, 3):
        count = len(operands) - (name in WITH_INDEX)
        for place in range(count):
            xs = [Value(x) for x in operands[:count]]
            arguments = (*xs, *operands[count:])
            derivative = derivatives_of(rule, rule.value(*arguments), arguments, count)[place]
            if isinstance(derivative, Value):
                derivative.backward()
            for along, x in enumerate(xs):
                with mpmath.workdps(50):
                    expected = second_derivative(name, place, along, operands)
                    assert abs(x.grad - expected) <= 1e-11 * max(1, abs(expected)), (operands, place, along)


@EVERY_OPERATION
def test_over_values_the_data_are_those_over_floats(name: str) -> None:
    over_floats, over_values = rules(floats)[name], rules(functions)[name]
    for operands in moderate_points(name, 10):
        count = len(operands) - (name in WITH_INDEX)
        arguments = (*map(Value, operands[:count]), *operands[count:])
        out, out_node = over_floats.value(*operands), over_values.value(*arguments)
        assert ulp_error(autograd.mul(out_node, Value(1.0)).data, mpmath.mpf(out)) <= 4
        nodes = derivatives_of(over_values, out_node, arguments, count)
        for node, number in zip(nodes, derivatives_of(over_floats, out, operands, count), strict=True):
            assert autograd.mul(node, Value(1.0)).data == pytest.approx(number, rel=1e-14, abs=0.0)


WHY_ONLY_DOUBLE_PRECISION = {
    "exp2": "log(2) is a float",
    "log2": "log(2) is a float",
    "log10": "log(10) is a float",
    "mean": "1/n is a float",
    "erf": "2/sqrt(pi) is a float",
    "erfc": "2/sqrt(pi) is a float",
    "gelu": "sqrt(2) and sqrt(2*pi) are floats",
    "gelu_tanh": "sqrt(2/pi) and 0.044715 are floats",
}


@pytest.mark.parametrize("name", [name for name in operations if name not in ("floor_divide", "remainder")])
def test_over_mpmath_a_rule_is_as_exact_as_its_constants(name: str) -> None:
    """(mpmath's numbers have no `//`.)"""
    rule, worst = rules(mpmath_functions)[name], mpmath.mpf(0)
    for operands in moderate_points(name, 20):
        count = len(operands) - (name in WITH_INDEX)
        with mpmath.workdps(50):
            xs = list(map(mpmath.mpf, operands))
            out, partials = rule.value(*xs), oracles[name].partials(*xs)
            found = [out, *derivatives_of(rule, out, xs, count)]
            for number, expected in zip(found, [oracles[name].value(*xs), *partials], strict=True):
                worst = max(worst, abs(number - expected) / max(1, abs(expected)))
    if name in WHY_ONLY_DOUBLE_PRECISION:
        assert 1e-30 < worst < 1e-14
    else:
        assert worst < 1e-40


# The careful system, and the copies


def bits(numbers: Sequence[float]) -> list[bytes]:
    """The doubles bit for bit, except that there is one nan."""
    return [struct.pack("d", math.nan if x != x else x) for x in numbers]


@EVERY_OPERATION
def test_the_careful_rules_agree_with_the_fast_ones_wherever_those_answer(name: str) -> None:
    fast, careful = rules(floats)[name], rules(ieee)[name]

    @settings(max_examples=examples(100))
    @given(operands_of(name))
    def check(operands: list[float]) -> None:
        count, reals = len(operands) - (name in WITH_INDEX), list(map(Real, operands))
        try:
            out = fast.value(*operands)
            assert same(float(careful.value(*reals)), out)
            expected = derivatives_of(fast, out, operands, count)
        except DOMAIN_ERRORS:
            return
        assert bits(list(map(float, derivatives_of(careful, Real(out), reals, count)))) == bits(expected)

    check()


def test_every_system_has_the_same_table() -> None:
    tables = [rules(m) for m in (floats, ieee, functions, mpmath_functions)]
    for table in tables:
        assert list(table) == list(operations)
        assert all(rule.nary == operations[name].nary for name, rule in table.items())


COPIES: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
}
number = st.floats()


@pytest.mark.parametrize("name", COPIES)
@given(x=number, y=number, which=st.sampled_from([(True, True), (True, False), (False, True)]))
def test_the_arithmetic_written_out_on_value_is_the_tables(
    name: str, x: float, y: float, which: tuple[bool, bool]
) -> None:
    rule = rules(floats)[name]
    operands = (x, y)[: len(rule.derivatives)]
    wanted = which if len(operands) == 2 else (True,)
    node = COPIES[name](*(Value(x) if w else x for x, w in zip(operands, wanted, strict=True)))
    out = rule.value(*operands)
    assert bits([node.data]) == bits([out])
    expected = [d for d, w in zip(derivatives_of(rule, out, operands, 2), wanted, strict=True) if w]
    assert bits(node.local_derivatives) == bits(expected)
    assert node.operation == name


OPERATORS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, method) for method, name in python_operators.items()},
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
}
operand = number | st.integers(-3, 3) | st.booleans()


@pytest.mark.parametrize("name", [name for name in operations if not operations[name].nary])
def test_operators_and_functions_of_few_numbers_record_what_the_general_way_does(name: str) -> None:
    """Also where a plain number is an int, and where Python raises."""
    count = len(operations[name].derivatives)

    def known(x: Any) -> list[Any]:
        if not isinstance(x, Value):
            return [type(x), *bits([x])]
        operands = [y if isinstance(y, Value) else (type(y), *bits([y])) for y in x.operands]
        return [x.operation, *bits([x.data, *x.local_derivatives]), *operands, *x.parents]

    @settings(max_examples=examples(100))
    @given(st.lists(st.tuples(operand, st.booleans()), min_size=count, max_size=count))
    def check(given: list[tuple[Any, bool]]) -> None:
        operands = [Value(x) if wanted else x for x, wanted in given]
        expected = apply(operations[name], *operands)
        assert known(call(name, *operands)) == known(expected)
        if name in OPERATORS and isinstance(expected, Value):
            assert known(OPERATORS[name](*operands)) == known(expected)

    check()


yes_or_no = st.booleans()
all_or_none = st.tuples(yes_or_no, yes_or_no, yes_or_no).map(lambda kinds: [k for k in kinds for _ in range(6)])


@given(
    pairs=st.lists(st.tuples(number, number), max_size=6),
    bias=st.none() | number,
    kinds=all_or_none | st.lists(yes_or_no, min_size=18, max_size=18),
)
def test_the_dot_product_written_out_on_value_is_the_tables(
    pairs: list[tuple[float, float]], bias: float | None, kinds: list[bool]
) -> None:
    """Whichever of the weights, inputs and bias are Values; `all_or_none` of each takes the fast path."""
    parts = [w for w, _ in pairs], [x for _, x in pairs], [] if bias is None else [bias]
    is_value = [
        kind for start, part in zip((0, 6, 12), parts, strict=True) for kind in kinds[start : start + len(part)]
    ]
    numbers = [x for part in parts for x in part]
    operands = [Value(x) if kind else x for x, kind in zip(numbers, is_value, strict=True)]
    node = call("dot", *operands)
    rule = rules(floats)["dot"]
    out = rule.value(*numbers)
    if not any(is_value):
        assert bits([node]) == bits([out])
        return
    expected = derivatives_of(rule, out, numbers, len(numbers))
    assert bits([node.data]) == bits([out])
    assert bits(node.local_derivatives) == bits([d for d, kind in zip(expected, is_value, strict=True) if kind])
    assert node.parents == tuple(x for x in operands if isinstance(x, Value))


@given(number, number)
def test_powers_of_careful_numbers_never_raise_and_are_those_of_the_rule(x: float, y: float) -> None:
    expected = rules(ieee)["pow"].value(Real(x), Real(y))
    assert bits([Real(x) ** y, x ** Real(y), Real(x) ** Real(y)]) == bits([expected] * 3)


def test_a_users_rule_may_use_powers_that_overflow() -> None:
    @autograd.operation
    def steep(m: Any) -> Any:
        return lambda x: x / (1.0 + abs(x)), lambda out, x: 1.0 / (1.0 + abs(x)) ** 2

    assert steep(Value(7e175)).local_derivatives == (0.0,)


def test_the_bounds_on_errors_are_those_of_the_contract() -> None:
    """8 ulp, n + 8 for n operands in a list, and 12 where the C library's own function is less accurate."""
    for name, operation in operations.items():
        assert operation.rule.ulp_bound(3) == (3 + 8 if operation.nary else 12 if name == "cbrt" else 8)


def test_a_function_of_the_library_can_be_an_operations_value() -> None:

    def logarithm(m: Any) -> Any:
        return m.log, lambda out, x: 1.0 / x

    for made in (autograd.operation(logarithm), autograd.operation(math.log, lambda out, x: 1.0 / x, name="own_log")):
        x = Value(2.0)
        y = made(x)
        y.backward()
        assert (y.data, x.grad) == (math.log(2.0), 0.5)


# What the table says of the operations


def test_a_symbol_is_how_python_writes_the_operation() -> None:
    symbols = {name: operation.rule.symbol for name, operation in operations.items() if operation.rule.symbol}
    assert list(symbols) == ["add", "sub", "mul", "div", "floor_divide", "remainder", "pow"]
    for name, symbol in symbols.items():
        assert eval(f"7.0 {symbol} 2.0") == operations[name].rule.value(7.0, 2.0)


def test_all_operations_of_few_numbers_are_methods_but_operators_and_where() -> None:
    few = [name for name, operation in operations.items() if not operation.rule.nary]
    operators = ["add", "sub", "mul", "div", "floor_divide", "remainder", "neg"]
    expected = [name for name in few if name not in (*operators, "where", "gelu_tanh")]
    assert [name for name, operation in operations.items() if operation.rule.method is True] == expected
    assert [name for name in few if operations[name].rule.method is False] == [n for n in few if n not in expected]


SQUASHING = ["tanh", "sigmoid"]


def test_an_activation_is_as_steep_as_the_table_says() -> None:
    activations = {name: operation.rule for name, operation in operations.items() if operation.rule.activation}
    assert list(activations) == [*SQUASHING, "softplus", "relu", "leaky_relu", "elu", "silu", "gelu", "gelu_tanh"]
    for name, rule in activations.items():
        more = {"leaky_relu": [0.01], "elu": [1.0]}.get(name, [])
        points = [k / 100.0 for k in range(-2000, 2001)]
        slopes = [abs(float(rule.derivatives[0](rule.value(x, *more), x, *more))) for x in points]
        assert rule.activation is not None
        assert rule.activation.steepest == pytest.approx(max(slopes), rel=0.01)
        assert rule.activation.squashing is (name in SQUASHING)
        assert (max(abs(rule.value(x, *more)) for x in points) <= 1.0) is rule.activation.squashing
