"""Are functions of straight pieces, plateaus of rounding, tables and float32 inside a function told apart?

The truth is the gradient in closed form, computed beside each function.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd.testing import finite_difference
from autograd.testing.differences.finite_differences import difference_at, judge
from autograd.testing.differences.function_values import FunctionValues


class Problem(NamedTuple):
    """A function of one number, a point, and the derivatives from the left and the right in the order of their size."""

    f: Callable[[Any], float]
    x: float
    low: float
    high: float


def verdict(problem: Problem, derivative: float, exact_to: float = 0.0) -> str:
    """What is said of a derivative that is claimed; `finite_difference` must not say more without the claim."""
    found = difference_at(FunctionValues(problem.f), problem.x, claimed=derivative)
    return judge(derivative, found, exact_to=exact_to)


def relu_networks(batch: int, count: int) -> Iterator[Problem]:
    """The mean squared error of networks of one hidden layer, by one of their weights."""
    rng = np.random.default_rng(batch)
    for _ in range(count):
        hidden = int(rng.choice([8, 16, 32, 64]))
        inputs, targets = rng.normal(size=(batch, 5)), rng.normal(size=batch)
        weights, bias = rng.normal(size=(5, hidden)) / 5**0.5, 0.1 * rng.normal(size=hidden)
        outer = rng.normal(size=hidden) / hidden**0.5
        i, j = int(rng.integers(5)), int(rng.integers(hidden))

        def loss(
            t: float, inputs: Any = inputs, w: Any = weights, b: Any = bias, v: Any = outer, y: Any = targets,
            place: Any = (i, j),
        ) -> float:  # fmt: skip
            moved = w.copy()
            moved[place] = t
            return float(np.mean((np.maximum(inputs @ moved + b, 0.0) @ v - y) ** 2))

        before = inputs @ weights + bias
        errors = 2.0 * (np.maximum(before, 0.0) @ outer - targets) / batch
        true = float(np.sum(errors * outer[j] * (before[:, j] > 0.0) * inputs[:, i]))
        yield Problem(loss, float(weights[i, j]), true, true)


def losses_of_straight_pieces(count: int) -> Iterator[Problem]:
    """Mean absolute error, hinge and quantile loss of a line through 20 to 1000 points, by one of its weights."""
    rng = np.random.default_rng(0)
    for k in range(count):
        points = int(rng.choice([20, 50, 100, 300, 1000]))
        inputs, weights = rng.normal(size=(points, 3)), rng.normal(size=3)
        targets = inputs @ rng.normal(size=3) + rng.normal(size=points)
        below, above = [(-1.0, 1.0), (-0.9, 0.1), (-1.0, 0.0)][k % 3]  # the slopes of the loss of one point

        def loss(
            t: float, inputs: Any = inputs, w: Any = weights, y: Any = targets, below: float = below,
            above: float = above,
        ) -> float:  # fmt: skip
            errors = inputs @ np.array([t, *w[1:]]) - y
            return float(np.mean(np.maximum(below * errors, above * errors)))

        slopes = np.where(inputs @ weights > targets, above, below) * inputs[:, 0]
        yield Problem(loss, float(weights[0]), float(np.mean(slopes)), float(np.mean(slopes)))


def cross_entropies(count: int, kind: Any = float) -> Iterator[Problem]:
    """Softmax cross-entropies as people write them, computed in float64, or in float32 inside a function of float64."""
    rng = np.random.default_rng(0)
    for k in range(count):
        logits = rng.normal(size=int(rng.integers(2, 8))) * rng.uniform(0.5, 15.0)
        target, j = (int(rng.integers(len(logits))) for _ in range(2))

        def loss(t: float, logits: Any = logits, target: int = target, j: int = j, k: int = k) -> float:
            z = logits.copy()
            z[j] = t
            z = z.astype(kind)
            if k % 3 == 0:
                return float(np.log(np.exp(z).sum()) - z[target])
            shifted = np.exp(z - z.max())
            if k % 3 == 1:
                return float(np.log(shifted.sum()) + z.max() - z[target])
            return float(-np.log(shifted[target] / shifted.sum()))

        p = np.exp(logits - logits.max())
        true = float(p[j] / p.sum() - (j == target))
        yield Problem(loss, float(logits[j]), true, true)


def tables(count: int) -> Iterator[Problem]:
    """Tables with straight lines between the knots; every fifth point is a knot."""
    rng = np.random.default_rng(0)
    grids = [
        np.linspace(0.0, 1.0, 1025),
        np.linspace(0.0, 2.0, 33),
        np.linspace(0.0, 1.0, 101),
        2.0 ** np.arange(-5, 3),
    ]
    for i in range(count):
        knots = grids[i % 4]
        heights = [np.sin, np.exp, np.sqrt][i % 3](knots)
        x = float(rng.choice(knots[1:-1]) if i % 5 == 0 else rng.uniform(knots[0], knots[-1]))
        slopes = np.diff(heights) / np.diff(knots)
        k = int(np.searchsorted(knots, x))
        low, high = sorted(slopes[k - 1 : k + 1] if knots[k] == x else slopes[k - 1 : k].repeat(2))
        yield Problem(partial(interpolated, knots, heights), x, low, high)


def interpolated(knots: Any, heights: Any, x: float) -> float:
    return float(np.interp(x, knots, heights))


PIECES = [*losses_of_straight_pieces(15), *relu_networks(4, 10), *relu_networks(64, 10), *relu_networks(1000, 5)]


def test_a_right_gradient_of_a_function_of_straight_pieces_is_right() -> None:
    assert [verdict(p, p.low) for p in PIECES] == ["right"] * len(PIECES)


@pytest.mark.parametrize("factor", [2.0, -1.0, 1.01, 1.0001])
def test_a_wrong_gradient_of_a_function_of_straight_pieces_is_wrong(factor: float) -> None:
    wrong = [p for p in PIECES if p.low]
    assert [verdict(p, factor * p.low) for p in wrong] == ["wrong"] * len(wrong)


def test_three_bends_nearby_hide_no_gross_error() -> None:
    p = Problem(lambda x: abs(x - 0.1) + abs(x - 0.2) + abs(x - 0.4) + x, 0.25, 2.0, 2.0)
    assert (verdict(p, 2.0), verdict(p, -2.0)) == ("right", "wrong")


@pytest.mark.slow
@pytest.mark.parametrize("batch", [4, 64, 1000])
def test_thousands_of_networks_give_no_false_alarm(batch: int) -> None:
    problems = list(relu_networks(batch, 1_000))
    assert [p for p in problems if verdict(p, p.low) == "wrong"] == []
    moved = [p for p in problems if p.low]
    assert sum(verdict(p, 2.0 * p.low) == "wrong" for p in moved) >= 0.99 * len(moved)
    assert sum(verdict(p, 1.01 * p.low) == "wrong" for p in moved) >= 0.95 * len(moved)


@pytest.mark.slow
def test_thousands_of_losses_of_straight_pieces_give_no_false_alarm() -> None:
    assert [p for p in losses_of_straight_pieces(3_000) if verdict(p, p.low) == "wrong"] == []


# Plateaus of rounding


def test_where_a_function_stands_still_before_it_leaps_the_leap_is_noise() -> None:
    def f(x: float) -> float:
        z = np.array([x, 1.0, 9.0, 5.0])
        return float(np.log(np.exp(z).sum()) - z[2])

    true = 1.0 / sum(math.exp(z) for z in (0.0, 1.0, 9.0, 5.0))
    assert verdict(Problem(f, 0.0, true, true), true) != "wrong"
    assert verdict(Problem(f, 0.0, true, true), 2.0 * true) == "wrong"


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_right_cross_entropies_raise_no_alarm(kind: Any) -> None:
    assert [p for p in cross_entropies(60, kind) if verdict(p, p.low) == "wrong"] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_thousands_of_right_cross_entropies_raise_no_alarm(kind: Any) -> None:
    assert [p for p in cross_entropies(5_000, kind) if verdict(p, p.low) == "wrong"] == []


@pytest.mark.parametrize("x", [6.0, 9.3, 14.0, 20.0])
def test_a_small_slope_is_no_alarm_where_float32_inside_is_saturated(x: float) -> None:
    true = 1.0 / math.cosh(x) ** 2
    assert verdict(Problem(lambda x: float(np.tanh(np.float32(x))), x, true, true), true) != "wrong"
    always = Problem(lambda t: float(np.tanh(np.float32(14.0 + 0.01 * t))), 0.0, 0.0, 0.0)
    assert verdict(always, 0.01 / math.cosh(14.0) ** 2) != "wrong"


def test_a_bend_is_not_taken_for_a_plateau() -> None:
    dead = Problem(lambda x: max(x - 0.75, 0.0) + max(-x, 0.0), 0.5, 0.0, 0.0)
    assert (verdict(dead, 0.0), verdict(dead, 1e-9)) == ("right", "wrong")


# Tables


def test_a_table_has_the_slope_of_its_cell_and_at_a_knot_those_of_two() -> None:
    for p in tables(40):
        middle = 0.5 * (p.low + p.high)
        assert [verdict(p, slope) for slope in (p.low, middle, p.high)] == ["right"] * 3
        assert verdict(p, 1.01 * p.high + 0.01) == verdict(p, 0.99 * p.low - 0.01) == "wrong"


@pytest.mark.parametrize("cells", [1000, 1024, 4096])
def test_a_table_without_lines_between_has_no_sharp_slope(cells: int) -> None:
    heights = np.sin(np.arange(cells + 1) / cells)
    for x in np.random.default_rng(cells).uniform(0.2, 0.9, 10):
        assert verdict(Problem(lambda x: float(heights[int(x * cells) % cells]), x, 0.0, 0.0), math.cos(x)) != "wrong"


# How exact, and beside what


def test_a_derivative_of_zero_is_confirmed_beside_the_slopes_nearby() -> None:
    cubic = Problem(lambda x: x**3, 0.0, 0.0, 0.0)
    assert verdict(cubic, 0.0) == "right"
    assert 0.1 < finite_difference(lambda x: x**3, 0.0).scale <= 1.0


def test_a_gradient_that_is_meant_to_be_approximate_is_right_as_far_as_that() -> None:
    p = Problem(math.sin, 1.0, math.cos(1.0), math.cos(1.0))
    near = p.low * (1.0 + 1e-5)
    assert [verdict(p, near, e) for e in (0.0, 1e-6, 1.1e-5)] == ["wrong", "wrong", "right"]
    bend = Problem(abs, 0.0, -1.0, 1.0)
    assert [verdict(bend, 1.0 + 1e-5, e) for e in (0.0, 1e-4)] == ["wrong", "right"]
