"""A polynomial fitted to a step: half the sum of squares of (sign(t) - sum_j x_j t**j) over t from -1 to 1.

The points and their powers belong to the program, and are computed in it.
"""

from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import Program
from tests.benchmarks.peers.rows import Row


def scalars(points: int, x: Any) -> Any:
    from autograd import dot, sum as sum_of

    errors = []
    for i in range(points):
        t = -1.0 + 2.0 * i / (points - 1)
        errors.append(dot(x, [t**j for j in range(len(x))], -float(np.sign(t))))
    return 0.5 * sum_of([error * error for error in errors])


def arrays(points: int, coefficients: int, xp: Any) -> Any:
    def squares(x: Any) -> Any:
        t = xp.linspace(-1.0, 1.0, points, dtype=xp.float64)
        powers = t[:, None] ** xp.arange(coefficients)[None, :]
        return 0.5 * ((xp.sign(t) - (powers * x).sum(axis=1)) ** 2).sum()

    return squares


def row(points: int, coefficients: int) -> Row:
    point = np.random.default_rng(0).normal(size=coefficients)
    program = Program(point, partial(scalars, points), partial(arrays, points, coefficients))
    return program.row(f"least squares {points} x {coefficients}")
