"""Is everything right that was wrong in the transforms once?"""

import pytest

import autograd
from autograd import Value, derivative, exp, gelu, grad, hessian, hvp, jacobian, jvp, relu, sin, vjp


@pytest.mark.parametrize("f", [lambda x: x * x * x, lambda x: exp(x) * x])
def test_data_that_were_changed_after_the_graph_was_made_are_noticed(f):
    x = Value(3.0)
    y = f(x)
    y.backward()
    recorded = x.grad
    x.data, x.grad = 5.0, 0.0
    with pytest.raises(ValueError, match=r"the data of an operand of .* was changed after the graph was made"):
        y.backward(create_graph=True)
    assert x.grad == 0.0
    y.backward()
    assert x.grad == recorded


def test_a_parameter_that_moves_between_vjp_and_pull_is_noticed():
    w = Value(2.0)
    _, pull = vjp(lambda x: w * x * x, (3.0,))
    (first,) = pull(1.0)
    assert first.data == 12.0
    w.data = 10.0
    with pytest.raises(ValueError, match="was changed after the graph was made"):
        pull(1.0)


def test_the_number_of_an_inner_derivative_is_a_constant_to_the_outer_one():
    assert grad(lambda x: grad(lambda y: x * y * y)(0.3))(2.0) == pytest.approx(0.6)
    assert isinstance(grad(lambda x: grad(lambda y: x * y * y)(0.3))(2.0), float)
    assert isinstance(hessian(lambda x: grad(lambda y: sin(x * y))(0.3))(2.0), float)
    assert all(isinstance(x, float) for x in jvp(lambda x: grad(lambda y: sin(x * y))(0.3), (2.0,), (1.0,)))
    assert jacobian(lambda v: grad(lambda u: u[0] * u[1] * v[0])([1.0, 2.0]))([3.0]) == [[2.0], [1.0]]


@pytest.mark.parametrize("x", [-1e8, -60.0, 41.0, 6e7, 1e8, 1.4e8])
def test_gelu_is_flat_far_out(x):
    assert hvp(gelu, x, 1.0) == 0.0
    assert grad(grad(gelu))(x) == 0.0
    assert derivative(gelu, order=2)(x) == 0.0


def test_gradients_to_which_nothing_is_passed_on_are_values_too():
    x, w = Value(1.0), Value(-1.0)
    relu(x * w).backward(create_graph=True)
    assert isinstance(x.grad, Value)
    penalty = autograd.sum([p.grad * p.grad for p in (x, w)])
    assert penalty.data == 0.0


def test_orders_have_an_end():
    with pytest.raises(ValueError, match="takes an order from 0 to 170; got 171"):
        derivative(exp, order=171)
