"""Gradients of functions of straight pieces: networks of ReLUs, and the losses that take absolute values.

The kinks may lie as near as the square of the batch is large, but never at the point itself. So the gradient is
right to the last bits, and a step that is small enough meets no kink at all.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case

DOUBLED, ONE_PERCENT = "one entry doubled", "one entry 1 % off"
ROUNDING = 1e-12
"""An entry that is a smaller part of the largest is 0 but for its rounding, and no less right when it is doubled."""
LOSSES = ("mean absolute error", "hinge", "quantile")


class Network:
    """relu(x W1 + b1) W2 + b2, a straight loss of it, and its gradient by the parameters."""

    def __init__(self, rng: Any, batch: int, hidden: int, loss: str) -> None:
        self.x, self.hidden, self.loss = rng.normal(size=(batch, 2)), hidden, loss
        self.y = rng.choice([-1.0, 1.0], size=batch) if loss == "hinge" else rng.normal(size=batch)

    def taken_apart(self, p: Any) -> tuple[Any, Any, Any, Any]:
        h = self.hidden
        return p[: 2 * h].reshape(2, h), p[2 * h : 3 * h], p[3 * h : 4 * h], p[4 * h]

    def __call__(self, p: Any) -> Any:
        w1, b1, w2, b2 = self.taken_apart(p)
        out = np.maximum(self.x @ w1 + b1, 0.0) @ w2 + b2
        return self.losses(out).mean()

    def losses(self, out: Any) -> Any:
        if self.loss == "hinge":
            return np.maximum(0.0, 1.0 - self.y * out)
        r = self.y - out
        return abs(r) if self.loss == "mean absolute error" else np.maximum(0.9 * r, -0.1 * r)

    def slopes(self, out: Any) -> Any:
        if self.loss == "hinge":
            return np.where(self.y * out < 1.0, -self.y, 0.0)
        r = self.y - out
        return -np.sign(r) if self.loss == "mean absolute error" else np.where(r > 0, -0.9, 0.1)

    def gradient(self, p: Any) -> Any:
        w1, b1, w2, b2 = self.taken_apart(p)
        z = self.x @ w1 + b1
        out = np.maximum(z, 0.0) @ w2 + b2
        g = self.slopes(out) / len(out)
        gz = g[:, None] * w2 * (z > 0)
        return np.concatenate([(self.x.T @ gz).reshape(-1), gz.sum(axis=0), np.maximum(z, 0.0).T @ g, [g.sum()]])


def one_changed(gradient: Any, factor: float, rng: Any) -> Any:
    """The gradient with one entry that is not 0 multiplied by a factor, always the same one."""
    share = rng.random()

    def wrong(p: Any) -> Any:
        g = np.array(gradient(p), dtype=float)
        present = np.flatnonzero(abs(g) > ROUNDING * abs(g).max())
        g[present[int(share * len(present))]] *= factor
        return g

    return wrong


def networks(batch: int, count: int, seed: int, hidden: int = 4) -> Iterator[tuple[Case, Case, Case]]:
    """The right gradient, the one with an entry doubled, and the one with an entry 1 % off."""
    for k in range(count):
        rng = np.random.default_rng([seed, batch, k])
        f = Network(rng, batch, hidden, LOSSES[k % 3])
        p = rng.normal(size=4 * hidden + 1)
        name = f"{f.loss} of a network, batch {batch}, number {k}"
        if not np.any(f.gradient(p)):
            continue
        yield (
            Case(name, f, f.gradient, p),
            Case(name, f, one_changed(f.gradient, 2.0, rng), p, DOUBLED),
            Case(name, f, one_changed(f.gradient, 1.01, rng), p, ONE_PERCENT),
        )


def scalars(count: int, seed: int) -> Iterator[Case]:
    """Sums of absolute values in one number, with a right gradient: many and cheap."""
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        places, weights = rng.normal(size=rng.integers(1, 40)).tolist(), rng.normal(size=40).tolist()
        yield Case(
            f"{len(places)} absolute values, number {k}", *_absolute_values(places, weights), float(rng.normal())
        )


def _absolute_values(places: list[float], weights: list[float]) -> tuple[Any, Any]:
    pairs = list(zip(places, weights, strict=False))
    return (
        lambda x: sum(w * abs(x - place) for place, w in pairs) + x,
        lambda x: sum(w if x > place else -w for place, w in pairs) + 1.0,
    )
