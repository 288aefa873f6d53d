"""Small graphs with which pictures and pages are tried, and which of many cases only `pytest -m slow` tries."""

import random
from typing import Any

import pytest

from autograd import Value


def random_graph(seed: int) -> Value:
    """A graph of up to twelve operations over three leaves, with shared operands, constants and squares."""
    rng = random.Random(seed)
    nodes = [Value(rng.choice([-2.0, -0.5, 0.0, 0.75, 3.0]) + rng.random() / 8, label=name) for name in "abc"]
    for _ in range(rng.randint(1, 12)):
        x, y = rng.choice(nodes), rng.choice(nodes)
        made = [x + y, x * y, x - y, x * 3.0, 2.0 - x, x.tanh(), x * x]
        nodes.append(rng.choice(made))
    return nodes[-1] * nodes[0] + nodes[-1]


def mostly_slow(*cases: Any) -> list[Any]:
    """Cases like others that are always tried: a page takes a second or more to open."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow) for case in cases]
