"""Gradients of many numbers, right, or wrong in one entry or in many."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case

FEW, MANY, A_MILLION = 10, 10_000, 1_000_000


class Counted:
    """f, and how often it was called."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.calls = f, 0

    def __call__(self, *x: Any) -> Any:
        self.calls += 1
        return self.f(*x)


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


def jacobian(outputs: int, wrong: str = "") -> Case:
    """As many outputs as inputs, with a Jacobian; a wrong one is transposed, or has one entry doubled."""
    weights = np.random.default_rng(outputs).normal(size=(outputs, outputs)) / np.sqrt(outputs)

    def df(x: Any) -> Any:
        g = (1 - np.tanh(weights @ x) ** 2)[:, None] * weights
        if wrong == "one entry doubled":
            g[outputs // 3, outputs // 2] *= 2
        return g.T if wrong == "transposed" else g

    point = np.random.default_rng(1).normal(size=outputs)
    return Case(f"{outputs} outputs of {outputs} inputs", lambda x: np.tanh(weights @ x), df, point, wrong)


def classifier(kind: str, wrong: str = "") -> Case:
    """A linear layer of 784 inputs and 10 classes with 32 examples, in float32 or float64, and a loss.

    Arguments:
        kind: "softmax float64", "softmax float32", or "hinge": many kinks on every way.
        wrong: "", "no 1/n", "one entry doubled", or "transposed": the 10 classes run along the wrong axis.
    """
    rng = np.random.default_rng(784)
    dtype = np.float32 if kind.endswith("float32") else np.float64
    x, labels = rng.normal(size=(32, 784)).astype(dtype), rng.integers(0, 10, 32)
    one_hot = np.eye(10, dtype=dtype)[labels]
    loss, slopes = (_hinge, _hinge_slopes) if kind == "hinge" else (_softmax, _softmax_slopes)

    def df(w: Any) -> Any:
        g = x.T @ slopes(x @ w, one_hot) / dtype(1 if wrong == "no 1/n" else 32)
        if wrong == "one entry doubled":
            g.reshape(-1)[typical(g.reshape(-1))] *= 2
        return g.T.reshape(g.shape) if wrong == "transposed" else g

    point = (rng.normal(size=(784, 10)) / 28).astype(dtype)
    return Case(f"a classifier, {kind}", lambda w: loss(x @ w, one_hot) / dtype(32), df, point, wrong)


def _softmax(z: Any, one_hot: Any) -> Any:
    z = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1)) - (z * one_hot).sum(axis=1)).sum()


def _softmax_slopes(z: Any, one_hot: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) - one_hot


def _hinge(z: Any, one_hot: Any) -> Any:
    """Every other class wants to be 1 below the right one."""
    return (np.maximum(z - (z * one_hot).sum(axis=1, keepdims=True) + 1, 0) * (1 - one_hot)).sum()


def _hinge_slopes(z: Any, one_hot: Any) -> Any:
    over = (z - (z * one_hot).sum(axis=1, keepdims=True) + 1 > 0) * (1 - one_hot)
    return over - one_hot * over.sum(axis=1, keepdims=True)
