"""A differential equation, solved by Runge and Kutta's method: y_i' = x_i y_(i-1), with 1 for y_(-1).

The gradient of the last y at the end, by the coefficients x. All start at 1: from 0 the last would stay 0.
"""

from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import Program
from tests.benchmarks.peers.rows import Row

END, STEPS = 2.0, 10


def scalars(x: Any) -> Any:
    def slopes(y: list[Any]) -> list[Any]:
        return [a * b for a, b in zip(x, [1.0, *y], strict=False)]

    def moved(y: list[Any], by: float, k: list[Any]) -> list[Any]:
        return [a + by * b for a, b in zip(y, k, strict=True)]

    y: list[Any] = [1.0] * len(x)
    h = END / STEPS
    for _ in range(STEPS):
        k1 = slopes(y)
        k2 = slopes(moved(y, h / 2, k1))
        k3 = slopes(moved(y, h / 2, k2))
        k4 = slopes(moved(y, h, k3))
        y = [a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=True)]
    return y[-1]


def arrays(xp: Any) -> Any:
    one, h = xp.ones(1, dtype=xp.float64), END / STEPS

    def solve(x: Any) -> Any:
        def slopes(y: Any) -> Any:
            return x * xp.concatenate([one, y[:-1]])

        y = xp.ones(len(x), dtype=xp.float64)
        for _ in range(STEPS):
            k1 = slopes(y)
            k2 = slopes(y + h / 2 * k1)
            k3 = slopes(y + h / 2 * k2)
            k4 = slopes(y + h * k3)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y[-1]

    return solve


def row(n: int) -> Row:
    point = np.random.default_rng(0).uniform(0.5, 1.5, size=n)
    return Program(point, scalars, arrays).row(f"ode, {n:,}")
