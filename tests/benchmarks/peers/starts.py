"""How long does one wait before anything is computed? With an empty cache of native code, and with a warm one.

What is cold can be measured once in a process only: these runs start processes, or say themselves what they took.
"""

import atexit
import random
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.benchmarks.peers.rows import OURS, Bar, Row, Seconds, Table, within
from tests.benchmarks.workloads import fresh_process

COLD, WARM = "empty cache", "warm cache"
ACCURACY = 97.8
"""Per cent of the test digits that the default run reads right; with less, its time does not count."""


def command(cache: str) -> tuple[Seconds, Seconds]:
    """Seconds that `python -m nn` says it took to train, and those of all its processors from start to end."""
    import resource  # there is none on Windows

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "digits.json")
        printed = fresh_process("-m", "nn", "train", "--save", path, XDG_CACHE_HOME=cache)
    found = re.search(r"\(([\d.]+) s[,)].* test accuracy ([\d.]+) %", " ".join(printed.split()))
    if found is None:
        raise SystemExit(f"python -m nn does not say how long it took:\n{printed}")
    training = float(found[1]) if float(found[2]) >= ACCURACY else float("inf")
    return Seconds(training), Seconds(used() - before)


def first_call(cache: str, after: str) -> Seconds:
    """Seconds that `compile(f)(1.0)` takes in a new process, after an import."""
    code = (
        f"import autograd, time; {after}; start = time.perf_counter(); "
        "autograd.compile(lambda x: autograd.tanh(x * x) + 1.0)(1.0); print(time.perf_counter() - start)"
    )
    return Seconds(fresh_process("-c", code, XDG_CACHE_HOME=cache))


def cold(measure: Callable[[str], Any]) -> Callable[[], Callable[[], Any]]:
    """Measures with a new empty cache each time."""

    def run() -> Any:
        with tempfile.TemporaryDirectory() as cache:
            return measure(cache)

    return lambda: run


def warm(measure: Callable[[str], Any]) -> Callable[[], Callable[[], Any]]:
    """Measures with the cache that a first measurement has left."""

    def prepare() -> Callable[[], Any]:
        folder = tempfile.TemporaryDirectory()
        atexit.register(folder.cleanup)
        measure(folder.name)
        return lambda: measure(folder.name)

    return prepare


def both(name: str, measure: Callable[[str], Any], *bars: Bar) -> Row:
    return Row(name, {COLD: cold(measure), WARM: warm(measure)}, bars)


def first_call_row(name: str, after: str, *bars: Bar) -> Row:
    return both(f"compile(f)(1.0), after importing {name}", lambda cache: first_call(cache, after), *bars)


# What says itself what it took


def preparation(calls: int) -> Callable[[], Seconds]:
    """Seconds before the first step of the last of so many fits of the same network to the digits."""
    from nn import MLP, SGD, fit
    from nn.datasets import load_digits

    digits, seconds = load_digits(), 0.0
    for _ in range(calls):
        model = MLP(64, [48, 10], rng=random.Random(0))
        history = fit(
            model, digits.X, digits.y, loss="cross_entropy", optimizer=SGD(model.parameters(), lr=0.1), epochs=1,
            batch_size=32, rng=random.Random(0), engine="compiled", progress=False,
        )  # fmt: skip
        seconds = history.preparation
    return lambda: Seconds(seconds)


def planning(width: int) -> Callable[[], Seconds]:
    """Seconds from the recorded graph of MLP(width, [width, width]) to a program."""
    from autograd import Value, compile
    from nn import MLP

    model, inputs = MLP(width, [width, width], rng=random.Random(0)), [Value(0.5) for _ in range(width)]
    outputs, parameters = model(inputs), model.parameters()
    compile(lambda x: x * x)(1.0)  # NumPy and llvmlite are imported, and the machine is loaded
    start = perf_counter()
    compile(outputs, inputs, parameters=parameters)
    seconds = perf_counter() - start
    return lambda: Seconds(seconds)


MORE = Bar("empty - warm", "<=", 3.0, "s", lambda times: times[COLD]["seconds"] - times[WARM]["seconds"])
COMPILED = "autograd.compiler.native"
TABLE = Table(
    "Before anything is computed",
    [
        both("python -m nn, processor time", lambda cache: command(cache)[1], MORE),
        Row("python -m nn, training", {WARM: warm(lambda cache: command(cache)[0])}, [within(1.0, WARM)]),
        first_call_row("autograd", "pass"),
        first_call_row("what it needs", f"import {COMPILED}", within(1.0, COLD), within(0.05, WARM)),
        Row(
            "fit of 1,797 digits, before the first step",
            {"first call": lambda: preparation(1), "second call": lambda: preparation(2)},
            [within(0.3, "first call"), within(0.05, "second call")],
        ),
        Row("MLP(512, [512, 512]), from graph to program", {OURS: lambda: planning(512)}, [within(0.5)]),
    ],
)
if sys.platform == "win32":  # which does not say how much processor time a process took
    TABLE = Table(TABLE.title, TABLE.rows[2:])
