"""Are the derivatives of orders 1 to 3 of every smooth operation true? mpmath differentiates its own functions.

Every operation is a function of t along a random line through a random point, so that all mixed derivatives take part.
`pytest tests/autograd/transforms/test_orders.py -s` prints the worst relative error of each.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import mpmath
import pytest
from mpmath import mpf

from autograd import Value, derivative, grad, hessian, jvp
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.testing.truth.oracles import call, oracles, precision

DIGITS_LOST = 1e-10
PIECEWISE_LINEAR = {
    *("abs", "sign", "floor", "ceil", "round", "relu", "leaky_relu", "maximum", "minimum", "max", "min"),
    *("clip", "where", "take", "floor_divide", "remainder"),
}
SMOOTH = [name for name in operations if name not in PIECEWISE_LINEAR]

# Where the relative error may be larger than 1e-10, and why:
WELL_CONDITIONED = 1e4
"""A relative error of the point may change the derivative by this many times as much. Near a zero of the derivative it
changes more, so that the rounding of the point alone costs digits. (The next derivative along the line measures it.)"""
SMALLEST = 1e-280
"""For smaller derivatives, numbers on the way leave the range of normal doubles."""
LARGEST_TERMS = 1e3
"""If a sum is smaller than its terms by more than this factor, they cancel. (The rules declare such scales.)"""


def sized(rng: random.Random, low: float = -2.0, high: float = 1.5) -> float:
    """A number of either sign, whose exponent (to base 10) is uniformly distributed."""
    return float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(low, high))


def point_for(name: str, rng: random.Random) -> tuple[list[float], list[float]]:
    """Operands inside the domain, and a direction along which they move. (An index does not move.)"""
    operation = operations[name]
    count = rng.randint(2, 5) if operation.nary else len(operation.derivatives)
    while True:
        xs = [sized(rng, high=0.8 if name in ("erf", "erfc", "gelu") else 1.5) for _ in range(count)]  # mpmath is slow
        if name == "pow" and rng.random() < 0.7:
            xs[0] = abs(xs[0])
        us = [1.0] if count == 1 else [rng.choice([0.0, rng.uniform(-1, 1)]) for _ in xs]
        if name == "pow" and xs[0] < 0.0:  # only a whole exponent gives a real number
            xs[1], us[1] = float(round(xs[1])), 0.0
        if name == "elu" and xs[0] > 0.0:
            us[1] = 0.0  # alpha does nothing there
        if oracles[name].domain(*xs) and any(us) and not oracles[name].kink(*xs):
            break
    return ([*xs, float(rng.randrange(count))], [*us, 0.0]) if name in WITH_INDEX else (xs, us)


def truth(name: str, xs: list[float], us: list[float]) -> list[Any]:
    """The derivatives along the line of orders 0 to 4, from mpmath's own function."""

    def along(t: Any) -> Any:
        return oracles[name].value(*(mpf(x) + mpf(u) * t for x, u in zip(xs, us, strict=True)))

    def at(bits: int) -> list[Any]:
        with precision(bits):
            return list(mpmath.diffs(along, mpf(0), 4))

    found = at(400)
    if min(map(abs, found)) > 1e-30:
        return found
    finer = at(1_300)  # what is left of a derivative that is 0 shrinks with the digits
    return [mpf(0) if abs(g) < 1e-30 * abs(f) else g for f, g in zip(found, finer, strict=True)]


def along_line(name: str, xs: list[float], us: list[float]) -> Callable[[Any], Any]:
    return lambda t: call(name, *(x if u == 0.0 else x + u * t for x, u in zip(xs, us, strict=True)))


def is_well_conditioned(true: list[Any], order: int, xs: list[float], us: list[float]) -> bool:
    """Whether the point's own rounding leaves the derivative its digits, and it is not tiny among its neighbours."""
    here, size = abs(true[order]), max(map(abs, xs))
    speed = max(map(abs, us))
    if not SMALLEST < here < 1e280:
        return False
    if abs(true[order + 1]) * size / speed > WELL_CONDITIONED * here:
        return False
    return bool(max(abs(true[k]) * (speed / size) ** (order - k) for k in range(1, order + 1)) <= LARGEST_TERMS * here)


def routes(f: Callable[[Any], Any], order: int) -> Iterator[tuple[str, float]]:
    """The same derivative by different ways."""
    yield "series", derivative(f, order=order)(0.0)
    backward, forward = f, f
    for _ in range(order):
        backward = grad(backward)
        forward = partial(lambda g, t: jvp(g, (t,), (1.0,))[1], forward)
    yield "reverse", backward(0.0)
    yield "forward", forward(0.0)
    if order == 2:
        yield "forward over reverse", hessian(f)(0.0)


@pytest.mark.parametrize("points", [25, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SMOOTH)
def test_orders_one_to_three_at_random_points(name: str, points: int) -> None:
    rng = random.Random(name)
    worst, judged = {1: 0.0, 2: 0.0, 3: 0.0}, dict.fromkeys((1, 2, 3), 0)
    for _ in range(points):
        xs, us = point_for(name, rng)
        true, f = truth(name, xs, us), along_line(name, xs, us)
        for order in (1, 2, 3):
            if true[order] == 0:
                assert all(abs(found) <= 1e-12 * max(map(abs, true[:2])) for _, found in routes(f, order))
            elif is_well_conditioned(true, order, xs, us):
                judged[order] += 1
                for route, found in routes(f, order):
                    error = float(abs(found - true[order]) / abs(true[order]))
                    assert error <= DIGITS_LOST, (route, order, xs, us, found, true[order])
                    worst[order] = max(worst[order], error)
    print(f"\n{name:12}", *(f"{worst[k]:8.1e} ({judged[k]})" for k in worst), end="")
    assert judged[1] > points / 2


@pytest.mark.parametrize("name", sorted(PIECEWISE_LINEAR - {"remainder", "leaky_relu"}))
def test_second_derivatives_of_piecewise_linear_operations_are_zero(name: str) -> None:
    """Also at the corners: the rule of such an operation is a constant."""
    rng = random.Random(name)
    for k in range(50):
        operands = list(oracles[name].draw(rng)) if k else [0.0] * (2 if operations[name].nary else 3)
        if not k and not operations[name].nary:
            operands = operands[: len(operations[name].derivatives)]
        count = len(operands) - (name in WITH_INDEX)
        if name == "floor_divide" and not operands[1]:
            continue

        def f(xs: list[Value], name: str = name, rest: Any = operands[count:]) -> Any:
            return call(name, *xs, *rest)

        assert hessian(f)(operands[:count]) == [[0.0] * count] * count


def test_exceptions_are_few() -> None:
    """Points that are not judged, for one of the three reasons above, are a minority for the elementary functions."""
    for name in ("exp", "log", "tanh", "sin", "sqrt", "atan", "sigmoid"):
        rng = random.Random(name)
        points = [point_for(name, rng) for _ in range(60)]
        judged = [is_well_conditioned(truth(name, *point), 3, *point) for point in points]
        assert sum(judged) >= 30, name
