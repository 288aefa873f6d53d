"""What do derivatives cost, beside the function itself? Ratios within one run; and graphs too deep for recursion.

`pytest tests/autograd/transforms/test_cost.py -s` prints them.
"""

import gc
import random
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import autograd
from autograd import Value, derivative, dot, exp, grad, hessian, hvp, jvp, sin, tanh

RNG = random.Random(0)
POINT, DIRECTION = ([RNG.uniform(-1.0, 1.0) for _ in range(1000)] for _ in range(2))

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "squares": lambda v: sum(x * x for x in v),
    "rosenbrock": lambda v: sum((1 - a) ** 2 + 100 * (b - a * a) ** 2 for a, b in pairwise(v)),
    "exp, sin": lambda v: sum([exp(sin(x)) * x for x in v]),
    "tanh": lambda v: autograd.sum([tanh(x) for x in v]),
    "neurons": lambda v: autograd.sum([tanh(dot(v[i : i + 20], v[i + 20 : i + 40])) for i in range(0, 960, 10)]),
}


def best_time(function: Callable[[], Any], rounds: int = 7) -> float:
    """The shortest of some rounds, in seconds, with the collector off: it would visit the nodes of one side only."""
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return min(times)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_costs_a_few_evaluations_and_a_hessian_vector_product_a_few_gradients(name: str) -> None:
    f = FUNCTIONS[name]
    inputs = [Value(x) for x in POINT]
    for _ in range(3):  # a busy machine gets another chance
        evaluation = best_time(lambda: f(inputs))
        gradient = best_time(lambda: grad(f)(POINT))
        product = best_time(lambda: hvp(f, POINT, DIRECTION))
        if gradient <= 6.0 * evaluation and product <= 5.0 * gradient:
            break
    print(f"\n{name:10} gradient {gradient / evaluation:4.1f} evaluations,", end="")
    print(f" Hessian-vector product {product / gradient:4.1f} gradients", end="")
    assert gradient <= 6.0 * evaluation
    assert product <= 5.0 * gradient


def test_the_hessian_of_rosenbrock_in_100_variables_takes_less_than_5_seconds() -> None:
    start = time.perf_counter()
    H = hessian(FUNCTIONS["rosenbrock"])(POINT[:100])
    seconds = time.perf_counter() - start
    print(f"\nhessian of rosenbrock in 100 variables: {seconds:.3f} s", end="")
    assert seconds < 5.0
    assert H[3][4] == -400.0 * POINT[3]
    assert sum(1 for row in H for h in row if h) <= 100 + 2 * 99


def test_derivatives_of_order_twenty_take_no_longer_than_a_second() -> None:
    start = time.perf_counter()
    found = derivative(lambda x: 1.0 / (1.0 - x), order=20)(0.0)
    derivative(tanh, order=20)(0.3)
    assert found == pytest.approx(2432902008176640000.0)
    assert time.perf_counter() - start < 1.0


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
