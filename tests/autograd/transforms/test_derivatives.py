"""Do the transforms agree with each other, nest, stay connected, keep the user's structure, and change nothing else?"""

import copy
import math
import pickle
import threading
from collections import namedtuple
from fractions import Fraction
from itertools import pairwise
from math import factorial
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
import nn
from autograd import (
    DomainError,
    Value,
    cos,
    derivative,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    leaves,
    log,
    no_grad,
    operation,
    sin,
    sqrt,
    strict,
    tanh,
    value_and_grad,
    vjp,
    where,
)
from autograd.operations import operations
from autograd.testing.truth.oracles import call, oracles
from autograd.transforms import gradients
from autograd.transforms.duals import PRODUCTS, rates_by_rule, rates_of_derivatives
from autograd.transforms.reverse import LINEAR, derivatives_over


def number(x: Any) -> Any:
    """The numbers of a nesting, Values or floats."""
    if isinstance(x, list | tuple):
        return [number(y) for y in x]
    return x.data if isinstance(x, Value) else x


def rosenbrock(v: Any) -> Any:
    return sum((1 - a) ** 2 + 100 * (b - a * a) ** 2 for a, b in pairwise(v))


def rosenbrock_hessian(v: list[float]) -> list[list[Any]]:
    """By hand, exactly: the diagonal is 1200 x**2 - 400 y + 2 and 200 from the neighbour before, beside it -400 x."""
    n, x = len(v), [Fraction(a) for a in v]
    H = [[Fraction(0)] * n for _ in range(n)]
    for i in range(n - 1):
        H[i][i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        H[i + 1][i + 1] += 200
        H[i][i + 1] = H[i + 1][i] = -400 * x[i]
    return H


# Properties of random functions

STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12)
POINTS = st.lists(st.floats(-1.5, 1.5).map(lambda x: round(x, 3)), min_size=3, max_size=3)


def function_of(steps: Any) -> Any:
    """A smooth function of three numbers, with shared nodes and repeated operands."""

    def f(xs: Any) -> Any:
        nodes = list(xs)
        for kind, i, j in steps:
            x, y = nodes[min(i, len(nodes) - 1)], nodes[min(j, len(nodes) - 1)]
            make = [
                lambda x, y: x + y,
                lambda x, y: x * y,
                lambda x, y: x - 0.5 * y,
                lambda x, y: tanh(x),
                lambda x, y: sin(x) * y,
                lambda x, y: x / (2.0 + tanh(y)),
                lambda x, y: autograd.logsumexp([x, y, x]),
                lambda x, y: dot([x, y, 0.5], [y, x, x], bias=y),
                lambda x, y: autograd.prod([x, y, tanh(x)]),
                lambda x, y: autograd.sigmoid(x) ** 2,
            ][kind]
            nodes.append(make(x, y))
        return nodes[-1] * 1.0

    return f


def close(a: Any, b: Any) -> bool:
    a, b = number(a), number(b)
    if isinstance(a, list):
        return all(map(close, a, b))
    return bool(a == pytest.approx(b, rel=1e-9, abs=1e-9))


@settings(max_examples=150)
@given(STEPS, POINTS, POINTS)
def test_all_ways_to_a_derivative_agree(steps: Any, xs: list[float], v: list[float]) -> None:
    f = function_of(steps)
    gradient = grad(f)(xs)
    leaf = [Value(x) for x in xs]
    f(leaf).backward()
    assert gradient == [x.grad for x in leaf]  # bit for bit
    assert close(gradient, jacobian(lambda xs: [f(xs)])(xs)[0])
    assert close(jvp(f, (xs,), (v,))[1], sum(g * t for g, t in zip(gradient, v, strict=True)))
    assert close(vjp(f, (xs,))[1](2.0)[0], [2.0 * g for g in gradient])
    H = hessian(f)(xs)
    assert [list(row) for row in zip(*H, strict=True)] == H
    assert close(H, jacobian(grad(f))(xs))  # over Values
    assert close(H, hessian(f)(leaf))
    assert close(H, [jvp(grad(f), (xs,), ([float(i == k) for i in range(3)],))[1] for k in range(3)])
    product = [sum(h * t for h, t in zip(row, v, strict=True)) for row in H]
    assert close(hvp(f, xs, v), product)
    assert close(hvp(f, leaf, v), product)
    assert close(vjp(grad(f), (xs,))[1](v)[0], product)


@settings(max_examples=100)
@given(STEPS, POINTS, POINTS)
def test_series_agree_with_nested_derivatives(steps: Any, xs: list[float], v: list[float]) -> None:
    f = function_of(steps)

    def along(t: Any) -> Any:
        return f([x + u * t for x, u in zip(xs, v, strict=True)])

    assert close(derivative(along)(0.0), grad(along)(0.0))
    assert close(derivative(along, order=2)(0.0), grad(grad(along))(0.0))
    third = grad(grad(grad(along)))(0.0)
    assert derivative(along, order=3)(0.0) == pytest.approx(third, rel=1e-7, abs=1e-7)
    t = Value(0.0)
    connected = derivative(along, order=2)(t)
    assert close(grad(derivative(along, order=2))(0.0), third)
    if isinstance(connected, Value):
        connected.backward()
        assert t.grad == pytest.approx(third, rel=1e-7, abs=1e-7)


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=10))
@example([0.0, 0.0])
def test_the_hessian_of_rosenbrock_is_the_closed_form(v: list[float]) -> None:
    expected = rosenbrock_hessian(v)
    for row, exact in zip(hessian(rosenbrock)(v), expected, strict=True):
        for found, true in zip(row, exact, strict=True):
            assert abs(found - true) <= 1e-12 * max(abs(true), 1600)


# Nesting


@given(st.floats(-10, 10))
def test_perturbations_are_not_confused(x: float) -> None:
    """The examples of Siskind and Pearlmutter (2005) and of Manzyuk et al. (2019)."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(x) == 1.0
    assert derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(x) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (x,), (1.0,))[1] == 1.0
    assert grad(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1])(x) == 1.0
    assert grad(lambda x: grad(lambda y: x * y)(x))(x) == 1.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(x) == pytest.approx(4 * x)

    def shifted(f: Any) -> Any:
        return lambda offset: lambda x: f(x + offset)

    twice = derivative(lambda t: shifted(lambda x: x**3)(t)(1.0))
    assert twice(x) == pytest.approx(3 * (1 + x) ** 2)


def test_the_argument_and_the_same_value_closed_over_are_told_apart() -> None:
    x = Value(3.0)
    assert number(grad(lambda y: x * y)(x)) == 3.0
    assert number(grad(lambda y: x * x)(x)) == 0.0
    assert number(grad(lambda y: y * y)(x)) == 6.0
    g = grad(lambda y: x * y * y)(x)  # 2xy, of which the derivative along y = x is 4x
    g.backward()
    assert (g.data, x.grad) == (18.0, 12.0)


@given(st.integers(0, 6), st.floats(-2, 2))
def test_derivatives_nest_to_any_depth(depth: int, x: float) -> None:
    f: Any = lambda x: exp(2.0 * x)  # noqa: E731
    for k in range(depth):
        f = [grad(f), derivative(f), lambda x, f=f: jvp(f, (x,), (1.0,))[1]][k % 3]
    assert number(f(x)) == pytest.approx(2.0**depth * math.exp(2.0 * x))


def test_a_derivative_that_has_become_constant_can_be_differentiated_again() -> None:
    assert grad(grad(lambda x: 2.0 * x))(3.0) == 0.0
    assert grad(grad(grad(lambda x: x * x)))(3.0) == 0.0
    assert grad(lambda x: grad(lambda y: x + 2.0 * y)(1.0))(5.0) == 0.0
    assert grad(lambda x: 3.0 * grad(lambda y: x + 2.0 * y)(1.0))(5.0) == 0.0
    assert derivative(lambda x: x * x, order=5)(3.0) == 0.0
    assert hessian(lambda v: v[0] + v[1])([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


# What comes back: floats, or Values that are connected


def test_what_depends_on_no_other_value_comes_back_as_floats() -> None:
    w = Value(2.0)
    for made in (grad(lambda x: x * x)(3.0), grad(lambda x: x * x + w)(3.0), derivative(lambda x: x * x + w)(3.0)):
        assert type(made) is float
        assert made == 6.0
    start = Value(0.0)
    assert grad(lambda xs: sum((x * x for x in xs), start))([1.0, 2.0]) == [2.0, 4.0]
    value, gradient = value_and_grad(lambda x: x * x)(3.0)
    assert (type(value), type(gradient)) == (float, float)


def test_what_depends_on_another_value_is_connected_to_it() -> None:
    w, x = Value(2.0), Value(3.0)
    value, gradient = value_and_grad(lambda x: w * x * x)(3.0)
    assert isinstance(value, Value)
    assert leaves(gradient).count(w) == 1
    gradient.backward()
    assert w.grad == 6.0
    second = grad(lambda x: w * x * x)(x)
    second.backward()
    assert (second.data, w.grad, x.grad) == (12.0, 12.0, 4.0)
    assert isinstance(grad(lambda y: 2.0 * y)(x), Value)  # constant, but of the kind of its argument
    tangent = Value(5.0)
    _, rate = jvp(lambda y: y * y, (3.0,), (tangent,))
    rate.backward()
    assert (rate.data, tangent.grad) == (30.0, 6.0)


def test_a_constant_derivative_is_a_value_like_any_other_once_it_is_the_users() -> None:
    c = grad(lambda y: 2.0 * y)(Value(3.0))
    h = c * c
    h.backward()
    kept = (c.grad, h.grad)
    found = grad(lambda x: x * x * h * c)(1.0)
    assert isinstance(found, Value)
    assert (found.data, c.grad, h.grad) == (16.0, *kept)


def test_a_gradient_penalty_trains() -> None:
    """The least of (f(2) - 1)**2 + 10 f'(2)**2 over f(x) = a x + b: a = 0, b = 1."""
    a, b = Value(1.0), Value(0.0)

    def loss() -> Value:
        value, slope = value_and_grad(lambda x: a * x + b)(2.0)
        made: Value = (value - 1.0) ** 2 + 10.0 * slope**2
        return made

    for _ in range(300):
        a.grad = b.grad = 0.0
        loss().backward()
        a.data, b.data = a.data - 0.02 * a.grad, b.data - 0.2 * b.grad
    assert (a.data, b.data) == (pytest.approx(0.0, abs=1e-6), pytest.approx(1.0, abs=1e-6))


def test_no_grad_of_a_value_is_touched() -> None:
    w = Value(2.0)
    h = w * w
    h.backward()
    kept = (w.grad, h.grad)
    x = Value(0.5)
    for made in (grad, hessian, jacobian, derivative, value_and_grad):
        made(lambda x: tanh(h * x) * w)(0.3)
        made(lambda x: tanh(h * x) * w)(x)
    jvp(lambda x: h * x, (0.3,), (1.0,))
    vjp(lambda x: h * x, (0.3,))[1](1.0)
    hvp(lambda x: h * x * x, 0.3, 1.0)
    assert (w.grad, h.grad, x.grad) == (*kept, 0.0)


def test_inside_no_grad_derivatives_are_computed_and_not_recorded() -> None:
    w, x = Value(2.0), Value(3.0)
    with no_grad():
        assert grad(lambda x: w * x * x)(3.0) == 12.0
        made = hessian(lambda x: w * x * x)(x)
        assert (made.data, made.parents) == (4.0, ())
        assert (w * x).parents == ()
    assert (w * x).parents == (w, x)


# The structure that the user gave

Pair = namedtuple("Pair", "x y")


def test_gradients_have_the_structure_of_the_argument() -> None:
    tree = {"w": [1.0, (2.0, 3)], "b": Pair(4.0, True), "none": []}
    found = grad(lambda t: t["w"][0] * t["w"][1][0] * t["w"][1][1] + t["b"].x * t["b"].y)(tree)
    assert found == {"w": [6.0, (3.0, 2.0)], "b": Pair(1.0, 4.0), "none": []}
    assert type(found["b"]) is Pair
    assert grad(lambda x, y: x * y, argnums=1)(2.0, 3.0) == 2.0
    assert grad(lambda x, y: x * y, argnums=-1)(2.0, 3.0) == 2.0
    assert grad(lambda x, y, *, k: k * x * y, argnums=(1, 0))(2.0, [3.0][0], k=2.0) == (4.0, 6.0)
    assert grad(lambda x, names: x * len(names))(2.0, ["a", "b"]) == 2.0  # what is not differentiated may be anything


def test_jacobians_and_hessians_have_both_structures() -> None:
    found = jacobian(lambda p: {"sum": p[0] + p[1], "all": [p[0] * p[1], p[1]]})((2.0, 3.0))
    assert found == {"sum": (1.0, 1.0), "all": [(3.0, 2.0), (0.0, 1.0)]}
    assert jacobian(lambda x, y: [x * y, x], argnums=(0, 1))(2.0, 3.0) == [(3.0, 2.0), (1.0, 0.0)]
    assert hessian(lambda x, y: x * y * y, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    assert hessian(lambda p: p["x"] ** 2 * p["y"])({"x": 3.0, "y": 0.0}) == {
        "x": {"x": 0.0, "y": 6.0},
        "y": {"x": 6.0, "y": 0.0},
    }
    assert hvp(lambda p: p["x"] ** 2 * p["y"], {"x": 3.0, "y": 0.0}, {"y": 1.0, "x": 0.0}) == {"x": 6.0, "y": 0.0}


def test_jvp_and_vjp_take_lists_tuples_and_a_single_number() -> None:
    assert jvp(lambda x: [x, x * x], 3.0, 1.0) == ([3.0, 9.0], [1.0, 6.0])
    assert jvp(lambda a, b: a * b[0], [2.0, [3.0]], [1.0, [1.0]]) == (6.0, 5.0)
    value, pull = vjp(lambda x: [x, x * x], 3.0)
    assert (value, pull([1.0, 1.0]), pull([0.0, 1.0])) == ([3.0, 9.0], 7.0, 6.0)
    value, pull = vjp(lambda a, b: a * b["k"], (2.0, {"k": 3.0}))
    assert pull(1.0) == (3.0, {"k": 2.0})
    v = Value(2.0)
    (pulled,) = vjp(lambda x: x * x, (3.0,))[1](v)
    pulled.backward()
    assert (pulled.data, v.grad) == (12.0, 6.0)


def test_an_output_that_is_an_input_or_comes_twice() -> None:
    assert grad(lambda x: x)(3.0) == 1.0
    assert jacobian(lambda v: [v[0], v[0], v[1]])([1.0, 2.0]) == [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    assert jvp(lambda x: (x, x), (1.0,), (2.0,)) == ((1.0, 1.0), (2.0, 2.0))
    assert vjp(lambda x: (x, x), (1.0,))[1]((2.0, 3.0)) == (5.0,)
    assert derivative(lambda x: [x, x * x], order=2)(3.0) == [0.0, 2.0]
    assert derivative(lambda x: x * x, order=0)(3.0) == 9.0


# Examples from the literature


def test_taylor_coefficients_of_exp_of_sin_to_order_ten() -> None:
    """Exact, from the power series of exp and sin over fractions."""
    count = 11
    s = [Fraction(0)] * count
    for k in range(1, count, 2):
        s[k] = Fraction((-1) ** (k // 2), factorial(k))
    e = [Fraction(1)] + [Fraction(0)] * (count - 1)
    for k in range(1, count):  # e' = s' e
        e[k] = sum((j * s[j] * e[k - j] for j in range(1, k + 1)), Fraction(0)) / k
    assert e[:6] == [1, 1, Fraction(1, 2), 0, Fraction(-1, 8), Fraction(-1, 15)]
    for k in range(count):
        found = derivative(lambda x: exp(sin(x)), order=k)(0.0) / factorial(k)
        assert abs(found - e[k]) <= 1e-12 * max(abs(e[k]), 1)
        assert abs(found - e[k]) <= 1e-12 * abs(e[k]) or not e[k]


def test_newton_finds_the_lowest_point_of_rosenbrock() -> None:
    x, y = -1.2, 1.0
    for _ in range(9):  # 30 would be allowed
        (p, q), ((a, b), (c, d)) = grad(rosenbrock)([x, y]), hessian(rosenbrock)([x, y])
        determinant = a * d - b * c
        x, y = x - (d * p - b * q) / determinant, y - (a * q - c * p) / determinant
    assert (x, y) == (pytest.approx(1.0, abs=1e-12), pytest.approx(1.0, abs=1e-12))


def test_a_second_derivative_inside_a_loss() -> None:
    """u'' = -u with u(0) = 0, u'(0) = 1 at some points, over u = a t + b t**3: near the sine."""
    a, b = Value(0.5), Value(0.0)

    def u(t: Any) -> Any:
        return a * t + b * t**3

    for _ in range(1000):
        residuals = [grad(grad(u))(t) + u(t) for t in (0.2, 0.4, 0.6)]
        loss = sum(r * r for r in residuals) + (grad(u)(0.0) - 1.0) ** 2
        loss.zero_grad()
        loss.backward()
        a.data, b.data = a.data - 0.02 * a.grad, b.data - 0.02 * b.grad
    assert (a.data, b.data) == (pytest.approx(1.0, abs=0.05), pytest.approx(-1 / 6, abs=0.02))


# n-ary operations, users' own, and the operations written out a second time


def test_models_can_be_differentiated_twice() -> None:
    model = nn.MLP(3, [4, 1], activation="tanh")
    x = [0.1, -0.4, 0.7]
    parameters = list(model.parameters())
    H = hessian(lambda x: model(x))(x)
    assert isinstance(H[0][0], Value)
    assert close(H, jacobian(grad(lambda x: model(x)))(x))
    sum(h * h for row in H for h in row).backward()
    assert any(p.grad for p in parameters)


@operation
def cube(m: Any) -> Any:
    return lambda x: x * x * x, lambda out, x: 3.0 * x * x


@operation
def root_of_squares(m: Any) -> Any:
    return lambda *xs: m.norm(xs), lambda out, *xs: [x / out for x in xs]


def test_operations_of_ones_own_have_every_order() -> None:
    assert [derivative(cube, order=k)(2.0) for k in range(5)] == [8.0, 12.0, 12.0, 6.0, 0.0]
    assert grad(grad(grad(cube)))(2.0) == 6.0
    assert close(hessian(lambda v: root_of_squares(*v))([3.0, 4.0]), hessian(lambda v: autograd.norm(v))([3.0, 4.0]))


def test_an_operation_over_floats_has_a_first_derivative_and_says_why_not_a_second() -> None:
    halve = operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
    assert grad(lambda x: halve(x) * x)(3.0) == 3.0
    assert jvp(halve, (3.0,), (2.0,)) == (1.5, 1.0)
    for asked in (hessian, lambda f: grad(grad(f)), lambda f: derivative(f, order=2)):
        with pytest.raises(TypeError, match="halve was given over floats only"):
            asked(lambda x: halve(x) * x)(3.0)


@pytest.mark.parametrize("name", sorted(o.name for o in LINEAR | PRODUCTS))
def test_rates_that_are_written_out_are_those_of_the_table(name: str) -> None:
    import random

    rng = random.Random(name)
    for _ in range(30):
        operands = oracles[name].draw(rng)
        node = call(name, *[x if rng.random() < 0.3 else Value(x) for x in operands])
        if not isinstance(node, Value):
            continue
        tangents = {x: rng.uniform(-1.0, 1.0) for x in node.parents}
        expected = rates_by_rule(operations[name], node, node.operands, tangents)
        found = [0.0] * len(node.parents) if node._operation in LINEAR else rates_of_derivatives(node, tangents)
        assert list(found) == list(expected)
        if node._operation in LINEAR:  # the local derivatives that the node keeps are all there is to know
            slots = [i for i, x in enumerate(node.operands) if isinstance(x, Value)]
            assert (
                tuple(derivatives_over(autograd.functions, operations[name], node, node.operands, slots))
                == node.local_derivatives
            )


# backward(create_graph=True)


def test_gradients_that_are_values_know_their_history() -> None:
    x, w = Value(0.3), Value(2.0)
    y = tanh(w * x)
    y.backward()
    expected = (x.grad, w.grad)
    y.zero_grad()
    y.backward(create_graph=True)
    assert number([x.grad, w.grad]) == pytest.approx(expected)
    first: Any = x.grad
    x.zero_grad()
    w.zero_grad()
    first.backward(create_graph=True)
    assert number(x.grad) == pytest.approx(hessian(lambda x: tanh(2.0 * x))(0.3))
    second: Any = x.grad
    x.zero_grad()
    second.backward()
    assert x.grad == pytest.approx(derivative(lambda x: tanh(2.0 * x), order=3)(0.3))


def test_gradients_that_are_values_accumulate_in_leaves_only() -> None:
    x = Value(3.0)
    h = x * x
    y = h * x
    y.backward()
    y.backward(create_graph=True)
    assert (number(x.grad), number(h.grad)) == (54.0, 3.0)
    y.backward(gradient=Value(2.0), create_graph=True)
    assert number(x.grad) == 108.0
    y.backward()
    assert number(x.grad) == 135.0
    assert type(h.grad) is float
    y.zero_grad()
    assert (type(x.grad), x.grad) == (float, 0.0)
    leaf = Value(1.0)
    leaf.backward(create_graph=True)
    assert number(leaf.grad) == 1.0


def test_a_failed_backward_changes_nothing() -> None:
    halve = operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
    x = Value(3.0)
    h = x * x
    y = halve(h) * h
    y.backward()
    kept = [x.grad, h.grad, y.grad]
    with pytest.raises(TypeError, match="halve was given over floats only"):
        y.backward(create_graph=True)
    with pytest.raises(TypeError, match="takes a real number"):
        y.backward("1", create_graph=True)  # type: ignore[arg-type]
    assert [x.grad, h.grad, y.grad] == kept


def test_values_with_such_gradients_are_printed_copied_and_updated() -> None:
    x, y = Value(2.0, label="x"), Value(3.0)
    z = x * y
    z.backward(create_graph=True)
    assert "data=2.0" in repr(x)
    for twin in (pickle.loads(pickle.dumps(z)), copy.deepcopy(z)):
        assert (twin.data, twin.parents[0].grad, type(twin.parents[0].grad)) == (6.0, 3.0, float)
    nn.SGD([x], lr=0.1).step()
    assert x.data == pytest.approx(1.7)
    nn.clip_grad_norm_([x, y], 1.0)
    assert math.hypot(x.grad, y.grad) == pytest.approx(1.0)


# Bad input


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: grad(3.0), TypeError, "grad takes a function; got 3.0"),
        (lambda: grad(Value(3.0)), TypeError, "grad takes a function"),
        (lambda: grad(tanh, argnums="x"), TypeError, "a whole number, or a tuple of them; got 'x'"),
        (lambda: grad(tanh, argnums=(0, 0)), ValueError, "each place once"),
        (lambda: grad(tanh, argnums=1)(0.5), IndexError, r"argnums=1\) needs an argument at place 1"),
        (lambda: jacobian(tanh, argnums=(0, -2))(0.5), IndexError, "at place -2"),
        (lambda: grad(lambda x, y: x, argnums=(1, -1))(1.0, 2.0), ValueError, "names an argument .* twice"),
        (lambda: grad(lambda x: 3)(0.5), TypeError, "returned an int that does not depend on its inputs"),
        (lambda: grad(lambda x: [x, x])(0.5), TypeError, "returns one number; .* returned a list of 2: use jacobian"),
        (lambda: hessian(lambda x: (x,))(0.5), TypeError, "returned a tuple of 1"),
        (
            lambda: grad(lambda x: math.sin(x.data))(0.5),
            TypeError,
            r"\(\.\.\.\) returned a float that does not depend on its inputs; did it use \.data or math\.\*\?",
        ),
        (lambda: jacobian(lambda x: [x, 1.0])(0.5), TypeError, r"does not depend on its inputs.* 1\.0 at \[1\]"),
        (lambda: grad(lambda x: None)(0.5), TypeError, r"returned None \(NoneType\)"),
        (lambda: grad(lambda x: math.sin(x))(0.5), TypeError, "use autograd.exp"),
        (lambda: grad(tanh)("0.5"), TypeError, r"the argument of tanh takes numbers.* got '0\.5' \(str\)"),
        (lambda: grad(lambda p: p["w"][0])({"w": [1.0, None]}), TypeError, r"got None \(NoneType\) at \['w'\]\[1\]"),
        (lambda: jvp(tanh, (0.5,), (1.0, 2.0)), ValueError, "must have the structure of"),
        (lambda: jvp(tanh, (0.5,), ("1",)), TypeError, "the tangents of jvp takes numbers"),
        (lambda: hvp(tanh, [0.5, 0.1], [1.0]), ValueError, "must have the structure of"),
        (lambda: vjp(lambda x: [x, x], (0.5,))[1]([1.0]), ValueError, "the cotangents of vjp must have the structure"),
        (lambda: jvp(tanh, (), ()), ValueError, "at least one argument"),
        (lambda: derivative(tanh, order=-1), ValueError, "an order from 0 to 170; got -1"),
        (lambda: derivative(tanh, order=1.5), TypeError, "takes a whole number; got 1.5"),  # type: ignore[arg-type]
        (lambda: derivative(lambda v: v[0])([1.0]), TypeError, "a function of one number.* jacobian or hessian"),
    ],
)
def test_bad_input_is_answered_in_words(attempt: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        attempt()


def test_errors_of_the_function_and_of_strict_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: x * (1 // 0))(1.0)
    with strict(), pytest.raises(DomainError):
        grad(log)(-1.0)
    assert grad(grad(lambda x: 2.0 * x))(3.0) == 0.0  # nothing is left open


# Threads


def in_four_threads(work: Any) -> None:
    """Calls the function with 1.0 to 4.0, each in a thread of its own."""
    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_do_not_disturb_each_other() -> None:
    wrong: list[Any] = []

    def work(k: float) -> None:
        f = lambda x: x * grad(lambda y: cos(k * y) * x)(0.5)  # noqa: E731
        expected = -2.0 * 3.0 * k * math.sin(k * 0.5)
        for _ in range(100):
            found = grad(f)(3.0)
            if abs(found - expected) > 1e-9:
                wrong.append((found, expected))

    in_four_threads(work)
    assert wrong == []


def test_a_vjp_may_be_pulled_by_several_threads() -> None:
    n, wrong = 200, list[Any]()
    _, pull = vjp(lambda v: [sum(x * x for x in v[k:]) for k in range(3)], ([float(k) for k in range(n)],))

    def work(scale: float) -> None:
        for _ in range(30):
            (found,) = pull([scale, 0.0, 0.0])
            if found != [2.0 * scale * k for k in range(n)]:
                wrong.append(found)

    in_four_threads(work)
    assert wrong == []


# The function that the testing package uses


def test_gradients_may_be_asked_for_nodes_inside_a_graph() -> None:
    x = Value(3.0)
    h = x * x
    y = h * h
    by_x, by_h, by_other = gradients(y, [x, h, Value(1.0)])
    assert (by_x.data, by_h.data, by_other.data) == (108.0, 18.0, 0.0)
    assert number(gradients(where(x > 0, sqrt(x), x), [x])) == pytest.approx([0.5 / math.sqrt(3.0)])
