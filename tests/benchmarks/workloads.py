"""What is measured? Each workload, defined once for the table (`__main__.py`) and for pytest (`test_benchmarks.py`).

Run as a program, it is one measurement of one engine in a process of its own, printed as JSON: the table is
made of these, because an engine's garbage makes the collector slower for every other engine in the same process.
"""

import copy
import gc
import json
import os
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]  # processes start here, and so measure the engine beside these files

MLP_ENGINES = ("micrograd", "every product a node", "nn.MLP", "microgpt design")
GRAPH_ENGINES = ("autograd", "microgpt design")
NODE_ENGINES = ("autograd", "microgpt design", "micrograd")
CHAIN_STAGES = ("build", "backward", "pickle dumps", "pickle loads", "delete", "deepcopy")
HEAVY_MODULES = ("numpy", "llvmlite", "graphviz")
MICROGRAD_MISSING = "micrograd is not installed: pip install 'scalar-autograd[bench]'"

Run = Callable[[], Any]


def installed(engine: str) -> bool:
    """Whether an engine can be measured; only micrograd comes from elsewhere."""
    return engine != "micrograd" or find_spec("micrograd") is not None


def value_class(engine: str) -> type[Any]:
    """The engine's Value. Imported here and not above, so that a process holds one engine only."""
    if engine == "micrograd":
        from micrograd.engine import Value
    elif engine == "microgpt design":
        from tests.benchmarks.scalar_gpt import Value
    else:
        from autograd import Value
    return Value


# One example through a small network


class SpelledOutMLP:
    """micrograd's MLP, written out over any engine's Value: every product and every sum is a node."""

    def __init__(self, value: type[Any], nin: int, nouts: list[int]) -> None:
        self.layers = []
        for fan_in, fan_out in zip([nin, *nouts], nouts, strict=False):
            neurons = [([value(random.uniform(-1, 1)) for _ in range(fan_in)], value(0.0)) for _ in range(fan_out)]
            self.layers.append(neurons)

    def __call__(self, x: list[Any]) -> list[Any]:
        for layer in self.layers:
            sums = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            x = sums if layer is self.layers[-1] else [s.relu() for s in sums]
        return x


def network(engine: str) -> Callable[[list[float]], list[Any]]:
    """A 64-16-10 MLP with the same weights on every engine: all draw alike, neuron by neuron."""
    random.seed(0)
    if engine == "micrograd":
        from micrograd.nn import MLP

        return MLP(64, [16, 10])
    if engine == "nn.MLP":
        from nn import MLP

        return MLP(64, [16, 10], init="micrograd")
    return SpelledOutMLP(value_class(engine), 64, [16, 10])


def forward_backward(engine: str) -> Run:
    """Forward, sum of the outputs, backward; the graph is dropped on return."""
    model = network(engine)
    example = [random.random() for _ in range(64)]

    def run() -> float:
        loss = sum(model(example))
        loss.backward()
        return loss.data

    return run


# A graph of 60,000 products and sums


def layered_graph(engine: str, layers: int = 150, width: int = 200) -> Run:
    """Layers of x[i] * weight[i] + x[i + 1], built, walked back through and dropped: 60,000 nodes and a last sum."""
    value = value_class(engine)
    rng = random.Random(0)
    weights = [value(rng.uniform(-0.01, 0.01)) for _ in range(width)]
    inputs = [value(rng.random()) for _ in range(width)]

    def run() -> float:
        row = inputs
        for _ in range(layers):
            row = [x * w + y for x, w, y in zip(row, weights, row[1:] + row[:1], strict=True)]
        loss = sum(row)
        loss.backward()
        return loss.data

    return run


# A chain: each node has the one before it as parent


def chain(length: int) -> dict[str, float]:
    """Seconds of each of CHAIN_STAGES on a chain of `length` nodes, products and sums in turn."""
    from autograd import Value

    start, factor, term = Value(1.0), Value(1.0), Value(1e-6)
    seconds, last = {}, perf_counter()

    def lap(stage: str) -> None:
        nonlocal last
        now = perf_counter()
        seconds[stage], last = now - last, now

    end = start
    for _ in range(length // 2):
        end = end * factor + term
    lap("build")
    end.backward()
    lap("backward")
    dumped = pickle.dumps(end, pickle.HIGHEST_PROTOCOL)
    lap("pickle dumps")
    loaded = pickle.loads(dumped)
    lap("pickle loads")
    assert loaded.data == end.data
    del dumped
    last = perf_counter()
    del end
    lap("delete")
    copied = copy.deepcopy(loaded)
    lap("deepcopy")
    assert copied.data == loaded.data
    return seconds


# Memory and start


def bytes_a_node(engine: str, nodes: int = 10_000) -> float:
    """What a product of two Values takes in memory before backward, by tracemalloc."""
    value = value_class(engine)
    x, y = value(1.5), value(2.5)
    products = [None] * nodes
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for i in range(nodes):
        products[i] = x * y
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / nodes


def check_of_ten_nodes() -> Run:
    """`gradcheck` of ten operations on two inputs."""
    from autograd import exp, sin, tanh
    from autograd.testing import gradcheck

    def f(a: Any, b: Any) -> Any:
        return tanh(a * b + sin(b)) * exp(-a * a) / (1.0 + b)

    def run() -> float:
        report = gradcheck(f, (0.5, -0.3))
        assert report.nodes == 10
        return sum(report.gradient)

    return run


def digits_epoch(engine: str, epochs: int) -> dict[str, float]:
    """Milliseconds that an epoch of the default run takes: 1,257 digits, 64-48-10, Adam, batches of 32."""
    from nn import MLP, Adam, fit
    from nn.datasets import load_digits

    digits, model = load_digits(), MLP(64, [48, 10], rng=random.Random(0))
    ends = []
    history = fit(
        model, digits.X[:1257], digits.y[:1257], loss="cross_entropy", optimizer=Adam(model.parameters(), lr=0.01),
        epochs=epochs + 1, batch_size=32, rng=random.Random(0), engine=engine, progress=False,
        callbacks=[lambda *_: ends.append(perf_counter())],
    )  # fmt: skip
    assert history.engine == engine
    times = [(b - a) * 1e3 for a, b in pairwise(ends)]
    return {"median": statistics.median(times), "mean": statistics.fmean(times), "answer": history.loss[-1]}


def first_step() -> float:
    """Seconds from the import of `nn` to the first step of the compiled default run."""
    start = perf_counter()
    from nn import MLP, Adam, cross_entropy
    from nn.datasets import load_digits
    from nn.training.compiled import CompiledTraining
    from nn.training.examples import Examples
    from nn.training.figures import Figures

    digits, model = load_digits(), MLP(64, [48, 10], rng=random.Random(0))
    optimizer = Adam(model.parameters(), lr=0.01)
    examples = Examples(digits.X, digits.y)
    training = CompiledTraining(model, examples, Figures(cross_entropy), optimizer, batch_size=32)
    next(training.epoch(training.shuffled(range(len(digits.X)), random)))
    return perf_counter() - start


def large_graph(nodes: int) -> tuple[Any, list[Any]]:
    """A chain of products, differences and tanh with shortcuts, and its 20 inputs."""
    from autograd import Value

    rng, inputs = random.Random(0), [Value(0.1 * i) for i in range(20)]
    found = list(inputs)
    for i in range(nodes):
        a, b = found[-1], rng.choice(found[-50:])
        found.append(a - b if i % 3 else (a * b).tanh() if i % 2 else a * b)
    return found[-1], inputs


def compiling_a_large_graph(nodes: int) -> float:
    """Seconds from a recorded graph to a program, when the operations are compiled already."""
    from autograd import compile

    compile(*large_graph(30))
    large = large_graph(nodes)
    start = perf_counter()
    compile(*large)
    return perf_counter() - start


def import_time() -> tuple[float, list[str]]:
    """Milliseconds that `import autograd` takes in a fresh process, and which of HEAVY_MODULES it loaded."""
    code = (
        "import sys, time; start = time.perf_counter(); import autograd; "
        f"print((time.perf_counter() - start) * 1e3, *(m for m in {HEAVY_MODULES} if m in sys.modules))"
    )
    milliseconds, *loaded = fresh_process("-c", code).split()
    return float(milliseconds), loaded


# One measurement: in a process of its own, and in this one


def fresh_process(*arguments: str, timeout: float | None = None, **environment: str) -> str:
    """What a new Python process prints."""
    command, variables = [sys.executable, *arguments], {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True, env=variables, timeout=timeout
    )
    return done.stdout


def first_steps() -> tuple[float, float]:
    """`first_step` in a fresh process: with an empty cache of native code, and with what that left in it."""
    with tempfile.TemporaryDirectory() as cache:
        arguments = ("-m", "tests.benchmarks.workloads", "first_step", "compiled", "1")
        cold, warm = (float(fresh_process(*arguments, XDG_CACHE_HOME=cache)) for _ in range(2))
    return cold, warm


def measure_alone(
    workload: str,
    engine: str,
    count: int,
    program: str = "tests.benchmarks.workloads",
    timeout: float | None = None,
    **environment: str,
) -> Any:
    """What a program's `measure` returns, in a process of its own; after so many seconds it is stopped."""
    print(f"measuring {workload}: {engine}, {count:,} ...", file=sys.stderr)
    return json.loads(fresh_process("-m", program, workload, engine, str(count), timeout=timeout, **environment))


def take_turns(
    workload: str, engines: Iterable[str], count: int, rounds: int, program: str = "tests.benchmarks.workloads"
) -> dict[str, list[Any]]:
    """What `measure_alone` returns for each engine in each round; the engines take turns."""
    found: dict[str, list[Any]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine, figures in found.items():
            figures.append(measure_alone(workload, engine, count, program))
    return found


def timed(run: Run, runs: int) -> dict[str, float]:
    """Median and mean milliseconds of `runs` runs, after one to warm up; the collector works as it always does."""
    answer = run()
    gc.collect()
    times = []
    for _ in range(runs):
        start = perf_counter()
        run()
        times.append((perf_counter() - start) * 1e3)
    return {"median": statistics.median(times), "mean": statistics.fmean(times), "answer": answer}


def measure(workload: str, engine: str, count: int) -> Any:
    """The figures of one workload on one engine; `count` is its number of runs, or the length of the chain."""
    if workload == "forward_backward":
        return timed(forward_backward(engine), count)
    if workload == "layered_graph":
        return timed(layered_graph(engine), count)
    if workload == "gradcheck":
        return timed(check_of_ten_nodes(), count)
    if workload == "chain":
        return chain(count)
    if workload == "digits_epoch":
        return digits_epoch(engine, count)
    if workload == "first_step":
        return first_step()
    if workload == "compile":
        return compiling_a_large_graph(count)
    if workload == "bytes_a_node":
        return bytes_a_node(engine, count)
    raise ValueError(f"there is no workload {workload!r}")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
