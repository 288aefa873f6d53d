"""Gradients of many numbers, right, or wrong in one entry or in many."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case

FEW, MANY, A_MILLION = 10, 10_000, 1_000_000


class Counted:
    """f, and how often it was called."""

    def __init__(self, f: Callable[[Any], Any]) -> None:
        self.f, self.calls = f, 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return self.f(x)


def of_size(n: int, wrong: str = "") -> Case:
    """A sum of tanh with weights, and the square of a mean that ties all numbers together.

    Arguments:
        n: how many numbers.
        wrong: "" or one of `DEFECTS`.
    """
    weights = np.random.default_rng(n).normal(size=n)
    point = np.random.default_rng(n + 1).normal(size=n)

    def f(x: Any) -> Any:
        return weights @ np.tanh(x) + n * x.mean() ** 2

    def df(x: Any) -> Any:
        g = weights * (1 - np.tanh(x) ** 2) + 2 * x.mean()
        return DEFECTS[wrong](g) if wrong else g

    return Case(f"{n:,} numbers", f, df, point, wrong)


def with_factor(entries: Callable[[int], Any], factor: float) -> Callable[[Any], Any]:
    def changed(g: Any) -> Any:
        g = g.copy()
        g[entries(len(g))] *= factor
        return g

    return changed


def typical(g: Any) -> int:
    """An entry about as large as most are."""
    return int(np.argsort(abs(g))[len(g) // 2])


def one_typical(factor: float) -> Callable[[Any], Any]:
    return lambda g: with_factor(lambda n: typical(g), factor)(g)


DEFECTS: dict[str, Callable[[Any], Any]] = {
    "one entry doubled": one_typical(2.0),
    "one entry 1 % off": one_typical(1.01),
    "the last entry has the wrong sign": with_factor(lambda n: n - 1, -1.0),
    "seven entries doubled": with_factor(lambda n: slice(n // 9, None, n // 7), 2.0),
    "half of all has the wrong sign": with_factor(lambda n: slice(n // 2), -1.0),
    "all entries 1 % off": with_factor(lambda n: slice(None), 1.01),
    "two neighbours swapped": lambda g: np.concatenate([g[:3], g[[4, 3]], g[5:]]),
}


def layer(outputs: int, wrong: str = "") -> Case:
    """A layer with as many inputs as outputs, in its weights and its bias."""
    rng = np.random.default_rng(outputs)
    x, upstream = rng.normal(size=(2, outputs))

    def f(weights: Any, bias: Any) -> Any:
        return upstream @ np.tanh(weights @ x + bias)

    def df(weights: Any, bias: Any) -> tuple[Any, Any]:
        g = upstream * (1 - np.tanh(weights @ x + bias) ** 2)
        by_weights = np.outer(x, g) if wrong == "transposed" else np.outer(g, x)
        return by_weights, 0 * g if wrong == "no gradient of the bias" else g

    point = (rng.normal(size=(outputs, outputs)) / outputs, rng.normal(size=outputs))
    return Case(f"a layer of {outputs} units", f, df, point, wrong)
