"""Do the zero-factor rule and the special points keep their meaning when derivatives are differentiated again?"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

import autograd
from autograd import (
    Value,
    derivative,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    norm,
    prod,
    relu,
    sqrt,
    take,
    tanh,
    vjp,
    where,
)
from autograd.rules import WITH_INDEX
from autograd.testing.truth.oracles import call
from autograd.testing.truth.special_points import TABLE

inf, nan = math.inf, math.nan


def second_derivatives(f: Callable[[Any], Any], x: float) -> Iterator[float]:
    """By every route there is."""
    yield grad(grad(f))(x)
    yield hessian(f)(x)
    yield hvp(f, x, 1.0)
    yield derivative(f, order=2)(x)
    yield derivative(derivative(f))(x)
    yield jvp(grad(f), (x,), (1.0,))[1]
    yield jvp(lambda x: jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1]
    yield vjp(lambda x: jvp(f, (x,), (1.0,))[1], (x,))[1](1.0)[0]
    yield jacobian(jacobian(f))(x)
    connected = hessian(f)(Value(x))
    yield connected.data if isinstance(connected, Value) else connected


def same(x: float, y: float) -> bool:
    return (math.isnan(x) and math.isnan(y)) or x == y or math.isclose(x, y, rel_tol=1e-9)


CASES: dict[str, tuple[Callable[[Any], Any], float, float, float]] = {
    # a function, a point, its first and second derivative there
    "where hides a pole": (lambda x: where(x > 0, log(x), 0.0), 0.0, 0.0, 0.0),
    "where hides nan": (lambda x: where(x > 0, log(x), x * x), -1.0, -2.0, 2.0),
    "where hides a root": (lambda x: where(x > 0, sqrt(x), x**3), 0.0, 0.0, 0.0),
    "the root of a square": (lambda x: sqrt(x * x), 0.0, 0.0, 0.0),
    "the power of a power": (lambda x: (x**2) ** 0.5, 0.0, 0.0, 0.0),
    "a root": (sqrt, 0.0, inf, -inf),
    "a norm at the origin": (lambda x: norm([x, 2.0 * x]), 0.0, 0.0, 0.0),
    "hypot at the origin": (lambda x: autograd.hypot(x, x), 0.0, 0.0, 0.0),
    "atan2 at the origin": (lambda x: autograd.atan2(x, 0.0), 0.0, 0.0, 0.0),
    "relu": (relu, 0.0, 0.0, 0.0),
    "relu of a square": (lambda x: relu(x * x), 0.0, 0.0, 0.0),
    "relu times x": (lambda x: relu(x) * x, 2.0, 4.0, 2.0),
    "abs": (abs, 0.0, 0.0, 0.0),
    "abs times x": (lambda x: abs(x) * x, -3.0, 6.0, -2.0),
    "a tie": (lambda x: autograd.maximum(x, 0.0) ** 2, 0.0, 0.0, 0.5),
    "max": (lambda x: autograd.max([x, x * x, 0.5]), 2.0, 4.0, 2.0),
    "clip": (lambda x: autograd.clip(x, -1.0, 1.0) ** 2, 1.0, 2.0, 2.0),
    "take": (lambda x: take([x, x * x, x**3], 1), 3.0, 6.0, 2.0),
    "a product with a zero": (lambda x: prod([x, x, 3.0]), 0.0, 0.0, 6.0),
    "a product with two zeros": (lambda x: prod([x, x, x]), 0.0, 0.0, 0.0),
    "x**2": (lambda x: x**2, 0.0, 0.0, 2.0),
    "x**3": (lambda x: x**3, 0.0, 0.0, 0.0),
    "x**1": (lambda x: x**1, 0.0, 1.0, 0.0),
    "x**0": (lambda x: x**0, 0.0, 0.0, 0.0),
    "x**2 of a negative number": (lambda x: x**3, -2.0, 12.0, -12.0),
    "0**x": (lambda x: 0.0**x, 2.0, 0.0, 0.0),
    "a factor that is 0 today": (lambda x: x * x * (x - 2.0), 2.0, 4.0, 8.0),
    "floor": (lambda x: autograd.floor(x) * x, 2.5, 2.0, 0.0),
    "remainder": (lambda x: (x % 2.0) * x, 3.5, 5.0, 2.0),
    "a pole": (lambda x: 1.0 / x, 0.0, -inf, inf),
    "a pole by a constant 0": (lambda x: x / 0.0, 1.0, inf, 0.0),
    "overflow": (exp, 1000.0, inf, inf),
    "saturation": (tanh, 1000.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives_at_special_points(name: str) -> None:
    f, x, first, second = CASES[name]
    assert same(grad(f)(x), first)
    assert same(derivative(f)(x), first)
    found = list(second_derivatives(f, x))
    assert all(same(value, second) for value in found), found


def test_a_zero_that_is_a_number_today_keeps_its_history() -> None:
    assert hessian(lambda v: v[0] * v[0] * v[1])([3.0, 0.0]) == [[0.0, 6.0], [6.0, 0.0]]
    x, y = Value(3.0), Value(0.0)
    grad(lambda x: x * x * y)(x).backward()
    assert (y.grad, x.grad) == (6.0, 0.0)
    (x * x * y).backward(create_graph=True)
    x.grad.backward()  # type: ignore[attr-defined]
    assert y.grad.data == 9.0 + 6.0 + 6.0  # type: ignore[attr-defined]


def test_third_derivatives_at_special_points() -> None:
    for f in (lambda x: x**3, lambda x: prod([x, x, x])):
        assert (grad(grad(grad(f)))(0.0), derivative(f, order=3)(0.0)) == (6.0, 6.0)
    for f in (lambda x: sqrt(x * x), lambda x: where(x > 0, log(x), 0.0), relu, abs):
        assert (grad(grad(grad(f)))(0.0), derivative(f, order=3)(0.0)) == (0.0, 0.0)


def at(f: Callable[..., Any], operands: tuple[float, ...], place: int) -> Callable[[Any], Any]:
    return lambda x: f(*operands[:place], x, *operands[place + 1 :])


@pytest.mark.parametrize(("name", "operands", "value", "derivatives"), TABLE)
def test_all_routes_agree_at_every_special_point(
    name: str, operands: tuple[float, ...], value: float, derivatives: tuple[float, ...]
) -> None:
    """And none raises, nor invents a nan where value and first derivative are numbers."""
    for place in range(len(operands) - (name in WITH_INDEX)):
        f = at(lambda *xs: call(name, *xs), operands, place)
        assert same(grad(f)(operands[place]), derivatives[place])
        assert same(derivative(f)(operands[place]), derivatives[place])
        found = list(second_derivatives(f, operands[place]))
        assert all(same(x, found[0]) for x in found), found
        if all(map(math.isfinite, (value, derivatives[place], *operands))):
            assert not math.isnan(found[0])


@given(st.sampled_from([0.0, -0.0, 1.0, -1.0]), st.sampled_from([0.0, inf, nan, 2.0]))
def test_an_exactly_zero_factor_gives_zero_in_forward_mode_too(x: float, tangent: float) -> None:
    _, rate = jvp(lambda x: where(x > 5.0, x, 0.0), (x,), (tangent,))
    assert rate == 0.0
    _, rate = jvp(lambda x, y: where(x > 5.0, x, y), (x, 1.0), (tangent, 3.0))
    assert rate == 3.0
