"""Gradients that are wrong at one point only: a case that somebody forgot, or treated by hand and wrongly.

f has a derivative at the point. df is right to its left and to its right, and wrong at the point itself.
"""

import math
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case

SCALARS: list[tuple[str, Callable[[float], float], Callable[[float], float], tuple[float, ...]]] = [
    ("x**2", lambda x: x**2, lambda x: 2 * x, (3.0, -1.0, 0.5, 1e6)),
    ("x**3 + x", lambda x: x**3 + x, lambda x: 3 * x * x + 1, (0.0, 1.0, -2.0)),
    ("exp", math.exp, math.exp, (0.0, 1.0, -5.0)),
    ("sin", math.sin, math.cos, (0.0, 1.0, 100.0)),
    ("tanh", math.tanh, lambda x: 1 / math.cosh(x) ** 2, (0.0, 0.7, -3.0)),
    ("log", math.log, lambda x: 1 / x, (1.0, math.e, 0.001)),
    ("sqrt", math.sqrt, lambda x: 0.5 / math.sqrt(x), (1.0, 4.0, 1e-8)),
    ("1/x", lambda x: 1 / x, lambda x: -1 / x**2, (1.0, -0.25)),
    ("sin(x)/x", lambda x: math.sin(x) / x if x else 1.0, lambda x: (math.cos(x) - math.sin(x) / x) / x, (1.0, 2.0)),
    ("atan", math.atan, lambda x: 1 / (1 + x * x), (0.0, 10.0)),
    ("softplus", lambda x: math.log1p(math.exp(x)), lambda x: 1 / (1 + math.exp(-x)), (0.0, 2.0)),
    ("x*|x| + x", lambda x: x * abs(x) + x, lambda x: 2 * abs(x) + 1, (0.0, -1.0)),
    ("a straight line", lambda x: 3 * x - 1, lambda x: 3.0, (0.0, 2.0)),
    ("relu", lambda x: max(x, 0.0), lambda x: float(x > 0), (1.0, -1.0)),
]
"""Name, f, df, and points where the derivative is wrong."""

WRONG_VALUES: dict[str, Callable[[float], float]] = {
    "100": lambda d: 100.0 + d,
    "0": lambda d: 0.0 if abs(d) > 1e-3 else 1.0,
    "the sign": lambda d: -d if abs(d) > 1e-3 else -1.0,
    "one hundredth": lambda d: d * 1.01 + 1e-3,
}

ARRAYS: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], Any]] = [
    ("sum of squares", lambda x: (x * x).sum(), lambda x: 2 * x, np.array([1.0, 2.0, 3.0])),
    (
        "squared mean",
        lambda x: x.mean() ** 2,
        lambda x: np.full_like(x, 2 * x.mean() / x.size),
        np.array([0.5, 1.5, 4]),
    ),
    (
        "log-sum-exp",
        lambda x: np.log(np.exp(x).sum()),
        lambda x: np.exp(x) / np.exp(x).sum(),
        np.array([0.0, 1.0, 2.0]),
    ),
    ("product", np.prod, lambda x: np.prod(x) / x, np.array([2.0, -1.0, 3.0])),
    ("norm", lambda x: np.sqrt((x * x).sum()), lambda x: x / np.sqrt((x * x).sum()), np.array([3.0, 4.0])),
    ("sum of sines of a matrix", lambda x: np.sin(x).sum(), np.cos, np.array([[0.0, 1.0], [2.0, -1.0]])),
    (
        "a matrix times a vector",
        lambda x: np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 4.0]]) @ x,
        lambda x: np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 4.0]]) + 0 * x,
        np.ones(3),
    ),
    (
        "sum of squares in float32",
        lambda x: (x * x).sum(),
        lambda x: 2 * x,
        np.array([1.0, 2.0, 3.0], dtype=np.float32),
    ),
    ("squares, number by number", lambda x: x * x, lambda x: np.diag(2 * x), np.array([1.0, -2.0])),
]


def special_points() -> Iterator[Case]:
    """All of them, the same in each run."""
    for (name, f, df, points), (value, change) in product(SCALARS, WRONG_VALUES.items()):
        for point in points:
            yield Case(f"{name} at {point:g}", f, at_one_number(df, point, change), point, f"{value} there")
    rng = random.Random(3)
    for (name, f, df, point), (value, change) in product(ARRAYS, WRONG_VALUES.items()):
        for condition in ("the whole point", "one number"):
            yield Case(
                f"{name}, {condition}", f, at_one_array(df, point, change, rng, condition), point, f"{value} there"
            )


def at_one_number(df: Callable[[float], float], point: float, change: Callable[[float], float]) -> Any:
    return lambda x: change(df(x)) if x == point else df(x)


def at_one_array(df: Any, point: Any, change: Any, rng: random.Random, condition: str) -> Any:
    """One entry of df is wrong: where all of x is the point, or where one number of x is that of the point."""
    entry = rng.randrange(np.asarray(df(point)).size)
    number = rng.randrange(point.size)

    def wrong(x: Any) -> Any:
        g = np.array(df(x), dtype=float)
        there = x == point if condition == "the whole point" else x.reshape(-1)[number] == point.reshape(-1)[number]
        if np.all(there):
            g.reshape(-1)[entry] = change(g.reshape(-1)[entry])
        return g

    return wrong
