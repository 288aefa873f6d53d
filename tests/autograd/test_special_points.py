"""Which value and which derivative has each operation where Python's `math` would raise, or a formula gives nan?

Every row of `autograd.testing.truth.special_points` stands for all the ways to write it: the function, the method and
the operator, on Values and on plain numbers. Comparisons are exact; nan equals nan, and 0.0 differs from -0.0.
"""

import math
import operator
import pickle
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
from autograd import Value
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.testing.truth.oracles import call
from autograd.testing.truth.special_points import TABLE, same
from tests.sampling import examples

inf, nan = math.inf, math.nan

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "pow": operator.pow,
    "neg": operator.neg,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
}


def all_same(xs: Sequence[float], ys: Sequence[float]) -> bool:
    """Whether the numbers are equal; the sign of a zero derivative is free."""
    return len(xs) == len(ys) and all(same(x + 0.0, y + 0.0) for x, y in zip(xs, ys, strict=True))


def forms(name: str) -> Iterator[Callable[..., Any]]:
    """The ways to write an operation: function, method, operator."""
    yield lambda *operands: call(name, *operands)
    if name in OPERATORS:
        yield OPERATORS[name]
    if hasattr(Value, name) and not operations[name].nary:
        yield lambda x, *more: getattr(x, name)(*more)
    if name == "gelu_tanh":
        yield lambda x: x.gelu(approximate="tanh")


@pytest.mark.parametrize(("name", "operands", "value", "derivatives"), TABLE)
def test_a_special_point_on_values(
    name: str, operands: tuple[float, ...], value: float, derivatives: tuple[float, ...]
) -> None:
    for form in forms(name):
        node = form(*map(Value, operands))
        assert same(node.data, value)
        assert all_same(node.local_derivatives, derivatives)


@pytest.mark.parametrize(("name", "operands", "value", "derivatives"), TABLE)
def test_a_special_point_with_one_value_among_numbers(
    name: str, operands: tuple[float, ...], value: float, derivatives: tuple[float, ...]
) -> None:
    """Each operand in its turn is the only Value: `1.0 / Value(0.0)` and `Value(1.0) / 0.0`."""
    for form in forms(name):
        for place, x in enumerate(operands):
            mixed = [*operands[:place], Value(x), *operands[place + 1 :]]
            if not hasattr(mixed[0], "log") and form is not next(forms(name)) and form is not OPERATORS.get(name):
                continue  # a float has no such method
            node = form(*mixed)
            assert same(node.data, value)
            assert all_same(node.local_derivatives, derivatives[place : place + 1])


@pytest.mark.parametrize(("name", "operands", "value", "derivatives"), TABLE)
def test_a_special_point_on_plain_numbers(
    name: str, operands: tuple[float, ...], value: float, derivatives: tuple[float, ...]
) -> None:
    result = call(name, *operands)
    assert type(result) is float
    assert same(result, value)


def gradient(function: Callable[..., Value], *numbers: float) -> list[float]:
    """The derivative of the function for each number, by `backward()`."""
    xs = [Value(number) for number in numbers]
    function(*xs).backward()
    return [x.grad for x in xs]


def test_a_power_with_a_constant_whole_exponent_needs_no_logarithm() -> None:
    assert (Value(-2.0) ** 3).local_derivatives == (12.0,)
    assert (Value(-2.0) ** 3.0).local_derivatives == (12.0,)
    assert autograd.pow(Value(-2.0), 3).local_derivatives == (12.0,)
    assert gradient(lambda x: x**3, -2.0) == [12.0]


def test_x_to_the_constant_0_is_1_with_derivative_0_at_0() -> None:
    for node in (Value(0.0) ** 0, autograd.pow(Value(0.0), 0), Value(0.0).pow(0.0)):
        assert (node.data, node.local_derivatives) == (1.0, (0.0,))


def test_a_negative_number_to_a_fraction_is_nan_and_never_complex() -> None:
    for result in ((Value(-2.0) ** 0.5).data, ((-2.0) ** Value(0.5)).data, autograd.pow(-2.0, 0.5)):
        assert type(result) is float
        assert math.isnan(result)


@pytest.mark.parametrize("choose", [autograd.maximum, autograd.minimum])
def test_the_same_node_twice_in_a_tie_has_derivative_1_in_all(choose: Callable[..., Value]) -> None:
    assert gradient(lambda x: choose(x, x), 3.0) == [1.0]
    assert gradient(lambda x: autograd.max([x, x, x]), 3.0) == [pytest.approx(1.0)]


def test_where_hides_the_pole_of_the_branch_not_taken() -> None:
    assert gradient(lambda x: autograd.where(x > 0, autograd.log(x), 0.0), 0.0) == [0.0]
    assert gradient(lambda x: autograd.where(x > 0, autograd.log(x), 0.0), -1.0) == [0.0]
    assert gradient(lambda x: autograd.where(x > 0, autograd.sqrt(x), x), -4.0) == [1.0]


def test_the_condition_of_where_has_derivative_0() -> None:
    assert gradient(lambda c, x, y: autograd.where(c, x, y), 1.0, 2.0, 3.0) == [0.0, 1.0, 0.0]
    assert gradient(lambda c, x, y: autograd.where(c, x, y), 0.0, 2.0, 3.0) == [0.0, 0.0, 1.0]


def test_the_root_of_a_square_has_derivative_0_at_0() -> None:
    assert gradient(lambda x: autograd.sqrt(x * x), 0.0) == [0.0]
    assert gradient(lambda x: (x * x).sqrt(), 0.0) == [0.0]
    assert gradient(lambda x: (x**2) ** 0.5, 0.0) == [0.0]


@pytest.mark.parametrize("other", [inf, -inf, nan])
def test_a_contribution_with_a_zero_factor_is_zero(other: float) -> None:
    x = Value(other)
    (x * 0.0).backward(inf)
    assert x.grad == 0.0  # an infinite gradient through a zero derivative
    y = Value(2.0)
    (y * other).backward(0.0)
    assert y.grad == 0.0  # a zero gradient through any derivative
    z = Value(2.0)
    autograd.dot([z, z], [0.0, 0.0]).backward(other)
    assert z.grad == 0.0  # and in a node of many parents


def test_the_derivative_of_tanh_does_not_die_at_20() -> None:
    (derivative,) = Value(20.0).tanh().local_derivatives
    assert derivative == pytest.approx(4.0 * math.exp(-40.0), rel=1e-15, abs=0.0)


def test_the_softmax_cross_entropy_of_large_logits_is_finite() -> None:
    assert autograd.log_softmax([1000.0, 0.0]) == [0.0, -1000.0]
    assert autograd.softmax([1000.0, 1000.0]) == [0.5, 0.5]
    assert gradient(lambda x, y: -autograd.log_softmax([x, y])[1], 1000.0, 0.0) == [1.0, -1.0]


def test_gradients_accumulate_in_leaves_and_start_afresh_inside() -> None:
    x = Value(3.0)
    h = x * x
    y = h * 2.0
    y.backward()
    y.backward(gradient=10.0)
    assert (x.grad, h.grad) == (12.0 + 120.0, 20.0)
    y.zero_grad()
    assert (x.grad, h.grad, y.grad) == (0.0, 0.0, 0.0)


def test_pickling_keeps_identities() -> None:
    x = Value(3.0)
    h = x * x
    loss = h + x
    x2, h2, loss2 = pickle.loads(pickle.dumps((x, h, loss)))
    assert loss2.parents == (h2, x2)
    assert h2.parents == (x2, x2)


def test_numpy_numbers_and_arrays_give_values_of_single_numbers() -> None:
    assert isinstance(np.float64(2.0) * Value(3.0), Value)
    product = Value(3.0) * np.array([1.0, 2.0])
    assert [type(v) for v in product] == [Value, Value]
    assert [v.data for v in product] == [3.0, 6.0]


# Whatever the floats: nothing raises, and the elementary functions agree with NumPy's

NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "pow": np.float_power,  # np.power takes the square root for x ** 0.5, so that -0.0 gives -0.0 and -inf gives nan
    "neg": np.negative,
    "abs": np.abs,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "sign": np.sign,
    "round": np.rint,
    "relu": lambda x: np.maximum(x, 0.0),
    **{
        name: getattr(np, name)
        for name in ["sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "floor", "ceil"]
    },
    **{name: getattr(np, name) for name in ("sqrt", "cbrt", "exp", "exp2", "expm1", "floor", "ceil")},
    **{name: getattr(np, name) for name in ("log", "log2", "log10", "log1p")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}

EXTREMES = (0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308)
any_float = st.floats() | st.sampled_from((*EXTREMES, 0.5, -0.5, 2.0, -2.0, 3.0, 1000.0, -1000.0))


def operands_of(name: str) -> st.SearchStrategy[list[float]]:
    if not operations[name].nary:
        count = len(operations[name].derivatives)
        return st.lists(any_float, min_size=count, max_size=count)
    several = st.lists(any_float, min_size=1, max_size=5)
    if name in WITH_INDEX:
        return several.flatmap(lambda xs: st.integers(0, len(xs) - 1).map(lambda k: [*xs, float(k)]))
    return several


def close(x: float, y: float) -> bool:
    if math.isfinite(x) and math.isfinite(y) and (x or y):
        return math.isclose(x, y, rel_tol=1e-13, abs_tol=1e-321)
    return same(x, y)


@pytest.mark.parametrize("name", operations)
def test_no_float_makes_an_operation_raise(name: str) -> None:
    @settings(max_examples=examples(100))
    @given(operands_of(name))
    def check(operands: list[float]) -> None:
        number = call(name, *operands)
        count = len(operands) - (name in WITH_INDEX)
        node = call(name, *map(Value, operands[:count]), *operands[count:])
        assert type(number) is float
        assert type(node.data) is float
        assert same(node.data, number)
        assert [type(d) for d in node.local_derivatives] == [float] * count
        node.backward()

    check()


@pytest.mark.parametrize("name", NUMPY)
def test_values_are_those_of_ieee_arithmetic(name: str) -> None:
    @settings(max_examples=examples(100))
    @given(operands_of(name))
    def check(operands: list[float]) -> None:
        with np.errstate(all="ignore"):
            expected = float(NUMPY[name](*map(np.float64, operands)))
        found = call(name, *operands)
        if name in ("maximum", "minimum", "clip", "relu", "sign") and found == expected == 0.0:
            return  # 0.0 and -0.0 tie, and either may stand for 0
        assert close(found, expected), (found, expected)

    if name == "pow":
        check = example([-0.0, 0.5])(example([-inf, 0.5])(check))
    check()


@pytest.mark.parametrize("name", [name for name in operations if not operations[name].nary])
def test_every_combination_of_extremes_passes(name: str) -> None:
    """No operation raises at the extremes, nor invents a derivative where nan comes in and nan goes out."""
    count = len(operations[name].derivatives)
    pool = EXTREMES if count < 3 else EXTREMES[:7]
    for operands in np.array(np.meshgrid(*[pool] * count)).reshape(count, -1).T.tolist():
        node = call(name, *map(Value, operands))
        assert same(node.data, call(name, *operands))
        if math.isnan(operands[0]) and count == 1 and node.local_derivatives[0] == node.local_derivatives[0]:
            assert name in ("neg", "sign", "floor", "ceil", "round")


@given(st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=8))
@example([1e308, 1e308, -1e308, 5e-324])
@example([1e308, 1e308])
def test_sums_and_means_are_rounded_once_even_where_partial_sums_overflow(numbers: list[float]) -> None:
    total = sum(map(Fraction, numbers))
    assert autograd.mean(numbers) == pytest.approx(float(total / len(numbers)), rel=1e-14, abs=1e-320)
    if abs(total) < 1.7e308:
        assert autograd.sum(numbers) == float(total)


def test_numbers_that_tie_for_the_largest_share_the_derivative_of_its_log_probability() -> None:
    """The share of each is 1/2, less its probability."""
    values = [Value(1.0), Value(1.0), Value(0.0)]
    autograd.max_log_prob(values).backward()
    total = 2.0 + math.exp(-1.0)
    expected = [0.5 - 1.0 / total, 0.5 - 1.0 / total, -math.exp(-1.0) / total]
    assert [x.grad for x in values] == pytest.approx(expected, rel=1e-14)
