"""Small graphs with which pictures and pages are tried."""

import random

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
