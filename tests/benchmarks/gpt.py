"""Is the GPT of scalars as right and as fast as it should be? `python -m tests.benchmarks.gpt` prints the tables.

It is compared with a program of one file with its own class `Value` (`scalar_gpt.py`, or the one that you name), run as
it stands; and with PyTorch and JAX (`gpt_peers.py`). The losses have to be the same everywhere, or it stops. Each
measurement is a process of its own, which no other runs beside; one thread each, and as they come.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from math import isclose
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.benchmarks.gpt_peers import STEPS, Jax, Task, Torch
from tests.benchmarks.tables import bar, bar_table, machine, table, times

Figures = dict[str, Any]
TWIN = Path(__file__).with_name("scalar_gpt.py")
SHORT, MEASURED, WARM = 5, 300, 50
"""Steps to compare, steps to measure, and how many of these go before the clock counts."""
OURS = "program.step"
PEERS = {"PyTorch": "torch", "PyTorch, compiled": "torch", "JAX": "jax"}
SIZES = (8, 16, 32, 64)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


# What one process measures


def stepped(engine: str, names: Path, batch: int, threads: int | None) -> Figures:
    """The losses of the first steps, and the median of their seconds."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    task = Task(names, batch)
    start = perf_counter()
    trained = maker(engine)(task, MEASURED, threads)
    losses, seconds = [], []
    for step in range(MEASURED):
        before = perf_counter()
        losses.append(trained.step(step))
        seconds.append(perf_counter() - before)
        if not step:
            ready = perf_counter() - start
    return {"losses": losses, "median": statistics.median(seconds[WARM:]), "ready": ready}


def maker(engine: str) -> Callable[..., Any]:
    if engine == "JAX":
        return Jax
    if engine in PEERS:
        return lambda *arguments: Torch(*arguments, compiled="compiled" in engine)
    from tests.benchmarks.gpt_ours import Program

    return Program


def scripted(kind: str, script: Path, names: Path, steps: int | None) -> Figures:
    """What the program of one file prints, with its own class or with ours."""
    from tests.benchmarks.gpt_script import run

    if kind == "own":
        return run(script, names, steps)
    from autograd import Value

    return run(script, names, steps, Value)


def measure(what: str, *arguments: str) -> Figures:
    """The figures of one process, this one."""
    if what == "step":
        engine, names, batch, threads = arguments
        return stepped(engine, Path(names), int(batch), int(threads) or None)
    if what == "script":
        kind, script, names, steps = arguments
        return scripted(kind, Path(script), Path(names), int(steps) or None)
    if what == "fit":
        from tests.benchmarks.gpt_ours import with_fit

        names, batch, steps, engine = arguments
        return with_fit(Task(Path(names), int(batch)), int(steps), engine)
    from tests.benchmarks import gpt_sizes

    return gpt_sizes.measure(int(arguments[0]))


def alone(cache: str, what: str, *arguments: Any, one_thread: bool = False) -> Figures:
    """The same in a process of its own; `wall` is how long all of it took, from its start to its end."""
    command = [sys.executable, "-m", "tests.benchmarks.gpt", "--one", what, *map(str, arguments)]
    environment = os.environ | {"XDG_CACHE_HOME": cache} | (ONE_THREAD if one_thread else {})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    wall = perf_counter() - start
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    shown = {k: round(x, 7) for k, x in figures.items() if isinstance(x, float)}
    print(f"{what} {' '.join(map(str, arguments))}: {wall:.2f} s, {shown}", file=sys.stderr)
    return figures | {"wall": wall}


# What is the same


def check_same(what: str, found: list[Any], wanted: list[Any]) -> None:
    if found != wanted:
        raise SystemExit(f"{what} differ: {found} and {wanted}")


def check_close(what: str, found: list[float], wanted: list[float]) -> None:
    """The same but for rounding, which grows from step to step."""
    for step, (x, y) in enumerate(zip(found, wanted, strict=True)):
        if not isclose(x, y, rel_tol=1e-8):
            raise SystemExit(f"{what}: the losses of step {step + 1} differ: {x!r} and {y!r}")


# The tables


def against_the_script(
    script: Path, names: Path, whole: bool, cache: str
) -> tuple[str, list[tuple[str, ...]], Figures]:
    """Steps and the whole beside the program of one file; its bars; the figures of its steps."""
    own = alone(cache, "script", "own", script, names, 0 if whole else 30)
    ours = alone(cache, "script", "swapped", script, names, 30)
    compiled = alone(cache, "step", OURS, names, 1, 1)
    alone(cache, "fit", names, 1, STEPS, "compiled")  # compiles
    warm = min((alone(cache, "fit", names, 1, STEPS, "compiled") for _ in range(3)), key=lambda f: float(f["wall"]))
    check_same("the losses with the class swapped", ours["losses"], own["losses"][:30])
    check_same("the losses of the compiled steps", [f"{x:.4f}" for x in compiled["losses"]][:30], own["losses"][:30])
    eager = alone(cache, "fit", names, 1, SHORT, "eager")
    mean = statistics.fmean(float(loss) for loss in own["losses"][:SHORT])
    check_same("the mean losses of five steps by fit, eager", f"{eager['mean_loss']:.4f}", f"{mean:.4f}")
    if whole:
        check_same("the samples", warm["samples"], own["samples"])
        mean = statistics.fmean(map(float, own["losses"]))
        if abs(warm["mean_loss"] - mean) > 1e-4:  # they are printed with four digits
            raise SystemExit(f"the mean losses of all steps differ: {warm['mean_loss']} and {mean}")
    step = statistics.median(own["steps"])
    seconds = own["wall"] if whole else step * STEPS
    rows = [
        ("its own class", f"{step * 1e3:.1f} ms", "1.0x"),
        (
            "our Value",
            f"{statistics.median(ours['steps']) * 1e3:.1f} ms",
            times(step / statistics.median(ours["steps"])),
        ),
        ("program.step", f"{compiled['median'] * 1e6:.0f} us", times(step / compiled["median"])),
        ("nn.fit, mean after the first step", f"{warm['mean'] * 1e6:.0f} us", times(step / warm["mean"])),
        (f"the whole of {STEPS} steps and 20 samples", f"{warm['wall']:.2f} s", times(seconds / warm["wall"])),
    ]
    ratios = [
        ("eager, the class swapped", 1.8, step / statistics.median(ours["steps"])),
        ("compiled, median step", 1000.0, step / compiled["median"]),
        (f"the whole of {STEPS} steps, warm cache", 100.0, seconds / warm["wall"]),
    ]
    bars = [bar(what, f">= {least:g}x", times(x), x >= least) for what, least, x in ratios]
    note = (
        "" if whole else f"\n\nThe whole of the program itself is {STEPS} times its median step: it ran for 30 steps."
    )
    head = ("a program of one file, one name a step", "time", "times faster")
    return table(head, rows) + note, bars, warm


def against_peers(names: Path, cache: str) -> tuple[str, list[tuple[str, ...]]]:
    """Median steps of each engine, one thread and as it comes, and the bars."""
    engines = [OURS, *(engine for engine, package in PEERS.items() if find_spec(package))]
    rows, bars = [], []
    for batch in (1, 16):
        found: dict[tuple[str, int], Figures] = {}
        for threads in (1, 0):
            for engine in engines:
                rounds = [
                    alone(cache, "step", engine, names, batch, threads, one_thread=threads == 1) for _ in range(2)
                ]
                found[engine, threads] = best = min(rounds, key=lambda f: float(f["median"]))
                check_close(f"{engine}, batch {batch}", best["losses"], found[OURS, 1]["losses"])
        for engine in engines:
            cells = [f"{found[engine, threads]['median'] * 1e6:.0f}" for threads in (1, 0)]
            rows.append((f"{engine}, batch {batch}", *cells, f"{found[engine, 0]['ready']:.1f}"))
        for engine in engines[1:]:
            for threads in (1, 0):
                ratio = found[engine, threads]["median"] / found[OURS, threads]["median"]
                least = 5.0 if batch == 1 and engine.startswith("PyTorch") else 1.0
                what = f"{engine} / ours, batch {batch}, {'one thread' if threads else 'as they come'}"
                bars.append(bar(what, f">= {least:g}x", f"{ratio:.2f}x", ratio >= least))
    return table(("a step, microseconds", "one thread", "as it comes", "first step, s"), rows), bars


def by_size(cache: str) -> tuple[str, list[tuple[str, ...]]]:
    """What larger graphs cost, with an empty cache and with a warm one."""
    rows, found = [], []
    for block in SIZES:
        with tempfile.TemporaryDirectory() as empty:
            cold, warm = alone(empty, "size", block), alone(empty, "size", block)
        found.append(warm)
        cells = [f"{figures['compile']:.2f}" for figures in (cold, warm)]
        sizes = [f"{warm[key]:,}" for key in ("nodes", "operands")]
        rows.append((str(block), *sizes, f"{warm['record']:.2f}", *cells, f"{warm['step'] * 1e3:.2f}"))
        rows[-1] += (f"{warm['megabytes']:.0f}",)
    small, large = found[1], found[-1]
    growth = large["operands"] / small["operands"]  # a dot of n numbers is one node, and costs n
    bars = []
    for what, keys in ("record and compile", ("record", "compile")), ("a step", ("step",)):
        times_as_long = sum(large[key] for key in keys) / sum(small[key] for key in keys)
        shown = f"{times_as_long:.1f}x"
        bars.append(
            bar(
                f"{growth:.1f} times the operands: {what}",
                f"<= {1.5 * growth:.1f}x",
                shown,
                times_as_long <= 1.5 * growth,
            )
        )
    head = ("block_size", "nodes", "operands", "record, s", "compile, s", "warm", "step, ms", "MB")
    return f"Two blocks of 32 numbers, by block_size:\n\n{table(head, rows)}", bars


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpt", description=__doc__)
    parser.add_argument("--original", type=Path, default=TWIN, help="the program of one file to compare with")
    parser.add_argument("--names", type=Path, help="a text file with a lower-case name a line (the names of cities)")
    parser.add_argument("--whole", action="store_true", help="run all of its steps, and compare the samples (minutes)")
    parser.add_argument("--only", choices=("script", "peers", "sizes"), action="append", help="this table")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    wanted = options.only or ["script", "peers", "sizes"]
    if "script" in wanted and not options.original.is_file():
        parser.error(f"there is no program {options.original}: name one with --original, or leave it out with --only")
    sections, bars = [machine()], []
    sections += [f"{e} is not installed, and left out" for e, name in PEERS.items() if not find_spec(name)]
    with tempfile.TemporaryDirectory() as folder:
        names = options.names or cities(Path(folder))
        if "script" in wanted:
            section, more, _ = against_the_script(options.original, names, options.whole, folder)
            sections.append(section)
            bars += more
        if "peers" in wanted:
            section, more = against_peers(names, folder)
            sections.append(section)
            bars += more
        if "sizes" in wanted:
            section, more = by_size(folder)
            sections.append(section)
            bars += more
    print("\n\n".join([*sections, bar_table(bars)]))


def cities(folder: Path) -> Path:
    """The names of cities as a file, in lower case."""
    from nn.datasets import load_city_names

    file = folder / "cities.txt"
    file.write_text("\n".join(name.lower() for name in load_city_names()), encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
