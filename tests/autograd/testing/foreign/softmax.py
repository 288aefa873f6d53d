"""Right gradients of softmax cross-entropies, of which most numbers are small and the value loses digits."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case


def cross_entropy(z: Any, label: int) -> Any:
    """As it stands in textbooks: the sum of exponentials is what rounds."""
    return np.log(np.exp(z).sum()) - z[label]


def shifted_cross_entropy(z: Any, label: int) -> Any:
    """As libraries compute it."""
    return np.log(np.exp(z - z.max()).sum()) - (z[label] - z.max())


def cross_entropy_gradient(z: Any, label: int) -> Any:
    e = np.exp(z - z.max())
    g = e / e.sum()
    g[label] -= 1
    return g


def cross_entropies(count: int, dtype: str, seed: int = 0) -> Iterator[Case]:
    """Logits of size 1 to 30, 2 to 10 of them; every other one is computed as libraries do."""
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        size = rng.uniform(1, 30)
        z = rng.uniform(-size, size, rng.integers(2, 11)).astype(dtype)
        label = int(rng.integers(len(z)))
        f = (cross_entropy, shifted_cross_entropy)[k % 2]
        yield Case(f"{dtype} logits of size {size:.0f}, number {k}", *_at(label, f), z)


def _at(label: int, f: Any) -> tuple[Any, Any]:
    return lambda z: f(z, label), lambda z: cross_entropy_gradient(z, label)
