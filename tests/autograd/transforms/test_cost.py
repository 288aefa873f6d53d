"""What do derivatives cost, beside the function itself, in lines executed? And graphs too deep for recursion.

`python -m tests.benchmarks` prints what a clock says.
"""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import autograd
from autograd import Value, derivative, dot, exp, grad, hessian, hvp, jvp, sin, tanh
from tests.work import lines_executed

RNG = random.Random(0)
POINT, DIRECTION = ([RNG.uniform(-1.0, 1.0) for _ in range(1000)] for _ in range(2))

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "squares": lambda v: sum(x * x for x in v),
    "rosenbrock": lambda v: sum((1 - a) ** 2 + 100 * (b - a * a) ** 2 for a, b in pairwise(v)),
    "exp, sin": lambda v: sum([exp(sin(x)) * x for x in v]),
    "tanh": lambda v: autograd.sum([tanh(x) for x in v]),
    "neurons": lambda v: autograd.sum([tanh(dot(v[i : i + 20], v[i + 20 : i + 40])) for i in range(0, 960, 10)]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_costs_a_few_evaluations_and_a_hessian_vector_product_a_few_gradients(name: str) -> None:
    f = FUNCTIONS[name]
    inputs = [Value(x) for x in POINT]
    evaluation = lines_executed(lambda: f(inputs))
    gradient = lines_executed(lambda: grad(f)(POINT))
    product = lines_executed(lambda: hvp(f, POINT, DIRECTION))
    assert gradient <= 8 * evaluation  # by a clock it is 6, and its lines are shorter than those of the evaluation
    assert product <= 3 * gradient


def test_the_hessian_of_rosenbrock_grows_no_faster_than_the_matrix() -> None:
    def rows(count: int) -> list[list[float]]:
        return hessian(FUNCTIONS["rosenbrock"])(POINT[:count])

    assert lines_executed(lambda: rows(100)) <= 4.4 * lines_executed(lambda: rows(50))
    H = rows(100)
    assert H[3][4] == -400.0 * POINT[3]
    assert sum(1 for row in H for h in row if h) <= 100 + 2 * 99


@pytest.mark.parametrize(("function", "point"), [(lambda x: 1.0 / (1.0 - x), 0.0), (tanh, 0.3)])
def test_twice_the_order_takes_at_most_eight_times_the_work(function: Callable[[Any], Any], point: float) -> None:
    ten, twenty = (lines_executed(lambda n=n: derivative(function, order=n)(point)) for n in (10, 20))
    assert twenty <= 8 * ten


def test_a_derivative_of_order_twenty() -> None:
    assert derivative(lambda x: 1.0 / (1.0 - x), order=20)(0.0) == pytest.approx(2432902008176640000.0)


def chain(x: Any) -> Any:
    for _ in range(100_000):
        x = x * 1.00001
    return x * x


def test_a_chain_of_100_000_nodes_has_derivatives_of_derivatives() -> None:
    """(c x)**2 with c = 1.00001**100000."""
    second = 2.0 * 1.00001**200_000
    assert grad(grad(chain))(0.5) == pytest.approx(second)
    assert hessian(chain)(0.5) == pytest.approx(second)
    assert derivative(chain, order=2)(0.5) == pytest.approx(second)
    assert jvp(grad(chain), (0.5,), (1.0,))[1] == pytest.approx(second)
    x = Value(0.5)
    y = chain(x)
    y.backward(create_graph=True)
    gradient: Any = x.grad
    x.zero_grad()
    gradient.backward()
    assert x.grad == pytest.approx(second)
