"""A determinant, expanded by minors down to single numbers: n! products, which share nothing."""

from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import Program
from tests.benchmarks.peers.rows import Row

COMPILES_FOR_MINUTES = 7
"""From this size on JAX is left out: it takes more than four minutes to compile."""


def determinant(rows: list[list[Any]]) -> Any:
    """By the first row: each number times the determinant of what is neither in its row nor in its column."""
    first, *others = rows
    if not others:
        return first[0]
    minors = [determinant([row[:j] + row[j + 1 :] for row in others]) for j in range(len(first))]
    total = first[0] * minors[0]
    for j in range(1, len(first)):
        total = total - first[j] * minors[j] if j % 2 else total + first[j] * minors[j]
    return total


def row(n: int) -> Row:
    def scalars(numbers: Any) -> Any:
        return determinant([list(numbers[i * n : (i + 1) * n]) for i in range(n)])

    def arrays(xp: Any) -> Any:
        return scalars

    point = np.random.default_rng(0).normal(size=n * n)
    program = Program(point, scalars, arrays, reference=lambda x: np.linalg.det(x.reshape(n, n)))
    return program.row(f"determinant {n}", without=["JAX"] if n >= COMPILES_FOR_MINUTES else [])
