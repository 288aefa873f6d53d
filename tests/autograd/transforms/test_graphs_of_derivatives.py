"""Can the graph of a derivative be drawn, stepped through, compiled, pickled and checked, like any other?"""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, backward_steps, draw, exp, explain, grad, hessian, jacobian, tanh, where
from autograd.testing import gradcheck


def f(x: Any) -> Any:
    return tanh(x) * x


def second(x: float) -> float:
    found = grad(grad(f))(x)
    assert isinstance(found, float)
    return found


@pytest.fixture
def x() -> Value:
    return Value(0.3, label="x")


def test_it_can_be_drawn_and_stepped_through(x: Value) -> None:
    g = grad(f)(x)
    assert "cosh" in draw(g).source
    steps = str(explain(g))
    assert "= cosh(" in steps
    assert f"{second(0.3):.4g}"[:5] in steps.splitlines()[-1]
    (edge,) = [edge for step in backward_steps(g) for edge in step.edges if edge.parent is x]
    assert edge.after == pytest.approx(second(0.3))


def test_a_graph_whose_gradients_are_values_can_be_drawn_and_stepped_through(x: Value) -> None:
    y = f(x)
    y.backward(create_graph=True)
    assert f"grad {grad(f)(0.3):.4g}" in draw(y).source
    assert "grad y" in str(explain(y)) or "backward" in str(explain(y))
    assert "cosh" in draw(x.grad).source  # type: ignore[arg-type]
    assert "data 0.3" in draw(x.grad).source  # type: ignore[arg-type]
    assert len(str(explain(x.grad))) > 100  # type: ignore[arg-type]


def test_it_can_be_compiled(x: Value) -> None:
    program = autograd.compile(grad(f)(x), [x])
    points = np.array([[0.3], [0.5], [-2.0]])
    values, by_x, _ = program.value_and_grad(points)
    assert values == pytest.approx([grad(f)(p) for p in points.ravel().tolist()], rel=1e-14)
    assert by_x.ravel() == pytest.approx([second(p) for p in points.ravel().tolist()], rel=1e-13)


def test_a_hessian_can_be_compiled_with_a_parameter_in_it() -> None:
    w, v = Value(2.0, label="w"), [Value(0.3), Value(0.4)]
    H = hessian(lambda v: exp(v[0] * v[1]) * w)(v)
    program = autograd.compile([h for row in H for h in row], v)
    w.data = 5.0
    expected = hessian(lambda v: exp(v[0] * v[1]) * 5.0)([-1.0, 0.5])
    assert program([-1.0, 0.5]) == pytest.approx([h for row in expected for h in row], rel=1e-13)


@pytest.mark.parametrize(
    "g", [lambda x: x * x * x, lambda x: exp(x) * x, lambda x: exp(x * x) / 3.0, lambda x: 2.0 * x]
)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_derivative_can_be_recorded_as_a_function(g: Any, order: int) -> None:
    for _ in range(order):
        g = grad(g)
    program = autograd.compile(g)
    for x in (0.5, -1.5):
        assert program(x) == pytest.approx(g(x), rel=1e-12)
        assert program.value_and_grad(x)[1][0] == pytest.approx(grad(g)(x), rel=1e-12)


@pytest.mark.parametrize("g", [tanh, lambda x: where(x > 0, x * x, -x)])
def test_a_rule_that_branches_is_recorded_with_all_its_branches(g: Any) -> None:
    """Otherwise the branch of the first call would be burned in."""
    program = autograd.compile(grad(g))
    for x in (0.5, -1.5, 0.0, 500.0):
        assert program(x) == pytest.approx(grad(g)(x), rel=1e-14)


def test_it_can_be_copied_and_pickled(x: Value) -> None:
    g = grad(f)(x)
    for twin_x, twin in (pickle.loads(pickle.dumps((x, g))), copy.deepcopy((x, g))):
        assert twin.data == g.data
        twin.backward()
        assert twin_x.grad == pytest.approx(second(0.3))
    assert x.grad == 0.0


def test_gradcheck_finds_it_right(x: Value) -> None:
    gradcheck(grad(f), 0.3)
    gradcheck(grad(grad(f)), 0.3)
    gradcheck(lambda x, y: jacobian(lambda v: v[0] * tanh(v[1]))([x, y])[1], (0.3, -0.7))
