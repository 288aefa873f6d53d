"""How long do derivatives and pictures take? Each by itself, and a derivative beside the function that it is of.

`python -m tests.benchmarks` prints both tables; no test asserts them, since tests count work and not seconds.
"""

import gc
import random
from collections.abc import Callable
from time import perf_counter
from typing import Any

from autograd import Value, derivative, draw, explain, grad, hessian, hvp, tanh
from tests.autograd.transforms.test_cost import DIRECTION, FUNCTIONS, POINT
from tests.benchmarks.tables import bar, bar_table, table


def best_time(call: Callable[[], Any], rounds: int) -> float:
    """The shortest of some rounds, in seconds, with the collector off: it would visit the nodes of one side only."""
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            start = perf_counter()
            call()
            times.append(perf_counter() - start)
    finally:
        gc.enable()
    return min(times)


def cost_table(rounds: int = 7) -> str:
    """What a gradient costs in evaluations, and a Hessian-vector product in gradients; the bars are 6 and 5."""
    rows, inputs = [], [Value(x) for x in POINT]
    for name, f in FUNCTIONS.items():
        evaluation = best_time(lambda f=f: f(inputs), rounds)
        gradient = best_time(lambda f=f: grad(f)(POINT), rounds)
        product = best_time(lambda f=f: hvp(f, POINT, DIRECTION), rounds)
        rows.append((name, f"{gradient / evaluation:.1f}", f"{product / gradient:.1f}"))
    return table(("1,000 variables", "gradient / evaluation (<= 6)", "Hessian-vector product / gradient (<= 5)"), rows)


def random_graph(nodes: int) -> Value:
    """Sums of the last node and products of random ones."""
    rng, values = random.Random(0), [Value(1.0) for _ in range(100)]
    for _ in range(nodes // 2):
        values.append(values[rng.randrange(len(values))] * 0.5 + values[-1])
    return values[-1]


def tanh_graph(nodes: int) -> Value:
    """A graph of about so many nodes with shared operands."""
    values = [Value(1.0 + i / 10, label=f"x{i}") for i in range(5)]
    for _ in range(nodes // 3):
        values.append((values[-1] * values[-5]).tanh() + values[-3])
    return values[-1]


def decision_boundary() -> None:
    """A picture of a network of two hidden layers."""
    from matplotlib.figure import Figure

    from nn import MLP, plot_decision_boundary

    X = [[random.Random(i).uniform(-1.0, 1.0), i / 100.0] for i in range(100)]
    ax = Figure().subplots()
    plot_decision_boundary(MLP(2, [16, 16, 1], rng=random.Random(0)), X, [i % 2 for i in range(100)], ax=ax)


def seconds_table() -> str:
    """Each task once, beside the seconds that it may take."""
    large, page = random_graph(100_000), tanh_graph(500)
    tasks: list[tuple[str, float, Callable[[], Any]]] = [
        ("Hessian of Rosenbrock, 100 variables", 5.0, lambda: hessian(FUNCTIONS["rosenbrock"])(POINT[:100])),
        ("tanh, derivative of order 20", 1.0, lambda: derivative(tanh, order=20)(0.3)),
        ("a drawing of 100,000 nodes as DOT", 10.0, lambda: draw(large).source),
        ("a stepper's page of 500 nodes", 5.0, lambda: explain(page).page()),
        ("a decision boundary, 2-16-16-1", 10.0, decision_boundary),
    ]
    times = [(what, limit, best_time(task, rounds=1)) for what, limit, task in tasks]
    return bar_table([bar(f"{what}, s", f"< {limit:g}", f"{time:.2f}", time < limit) for what, limit, time in times])


if __name__ == "__main__":
    print(cost_table(), seconds_table(), sep="\n\n")
