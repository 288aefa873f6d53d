"""How fast is compiled training beside its peers? `python -m tests.benchmarks.peers` prints the tables and the bars.

Each measurement is a fresh process that holds one engine. The engines take turns, round after round, and the best
round of each counts. `task.py` says what all compute; an engine that computes something else stops the run. No figure
fails: one that is short of its bar says so.
"""

import argparse
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from tests.benchmarks.peers.columns import (
    ENGINES,
    LEGEND,
    PACKAGES,
    THREADS,
    Place,
    Times,
    fastest,
    installed,
    ratio,
)
from tests.benchmarks.peers.measure import PROGRAM, digits_command
from tests.benchmarks.peers.scalar_graphs import STAGES
from tests.benchmarks.peers.task import BATCHES, DIGITS, WIDTHS, check_agreement
from tests.benchmarks.tables import Row, bar, bar_table, machine, table
from tests.benchmarks.workloads import measure_alone, take_turns

NODES, EXAMPLES, ACCURACY = 10_000, 256, 97.8


def versions() -> str:
    """The versions of what is installed, and how to install what is not."""
    packages = list(dict.fromkeys(PACKAGES.values()))
    there = [f"{package} {version(package)}" for package in packages if find_spec(package)]
    missing = [package for package in packages if not find_spec(package)]
    lines = [", ".join(there)]
    if "torch" in missing:
        lines.append("torch is not installed: pip install torch==2.13.0")
    if others := [package for package in missing if package != "torch"]:
        lines.append(f"{', '.join(others)} not installed: pip install 'scalar-autograd[bench]'")
    return "\n\n".join(lines)


# Measuring


def training_times(widths: Iterable[int], rounds: int) -> Times:
    """The best round of every engine at every place."""
    engines = [way for ways in ENGINES.values() for way in ways if way != "micrograd" and installed(way)]
    times: Times = {}
    for hidden in widths:
        found = take_turns("training", engines, hidden, rounds, PROGRAM)
        for i, batch in enumerate(BATCHES):
            laps = {engine: [figures[i] for figures in found[engine]] for engine in engines}
            times[hidden, batch] = best(f"training, H = {hidden}, batch {batch}", laps, "microseconds", "losses")
    if installed("micrograd"):  # on its first hundred examples, held against another engine there
        found = take_turns("one by one", ["micrograd", "NumPy, 1 thread"], 1, 1, PROGRAM)
        laps = {engine: figures[0] for engine, figures in found.items()}
        times[16, 1]["micrograd"] = best("one example a step", laps, "microseconds", "losses")["micrograd"]
    return times


def best(what: str, laps: dict[str, list[Any]], by: str, answer: str) -> dict[str, float]:
    """The best lap of each engine, if all laps of all engines have the same answer."""
    check_agreement(what, {f"{engine} ({i})": lap[answer] for engine in laps for i, lap in enumerate(laps[engine])})
    return {engine: min(lap[by] for lap in figures) for engine, figures in laps.items()}


def best_medians(workload: str, engines: Iterable[str], count: int, rounds: int) -> dict[str, float]:
    """The best rounds of a workload in milliseconds, for the engines that are installed."""
    there = [engine for engine in engines if engine not in PACKAGES or installed(engine)]
    return best(workload, take_turns(workload, there, count, rounds, PROGRAM), "median", "answer")


# Printing


def decimals(number: float) -> str:
    """Two decimals below ten, one below a hundred."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def microseconds(times: dict[str, float], column: str) -> str:
    """A cell of the table: the time of the faster way, and its threads."""
    way = fastest(times, column)
    if way is None:
        return "-"
    _, _, threads = way.partition(", ")
    return f"{decimals(times[way])} ({THREADS[threads]})" if threads else decimals(times[way])


def training_tables(times: Times) -> str:
    peers = [column for column in ENGINES if column not in ("autograd", "nn.fit")]
    step = [(f"{h}, {b}", *(microseconds(t, column) for column in ENGINES)) for (h, b), t in times.items()]
    ratios = [(f"{h}, {b}", *(shown_ratio(ratio(t, column)) for column in peers)) for (h, b), t in times.items()]
    return (
        "A training step inside an epoch, digits, 64-H-10, ReLU, softmax cross-entropy, SGD, float64, microseconds:\n\n"
        f"{table(('H, batch', *ENGINES), step)}\n\n{LEGEND}\n\n"
        f"How many times faster autograd is:\n\n{table(('H, batch', *peers), ratios)}"
    )


def shown_ratio(number: float | None) -> str:
    return "-" if number is None else f"{decimals(number)}x"


def graph_table(irregular: dict[str, float], spelling: dict[str, float]) -> str:
    rows = [
        ("irregular graph, 10,000 nodes, autograd", shown(irregular, "autograd")),
        ("irregular graph, 10,000 nodes, CasADi SX", shown(irregular, "CasADi")),
        (f"64-16-10 MLP, {EXAMPLES} examples, in dots", shown(spelling, "dots")),
        (f"64-16-10 MLP, {EXAMPLES} examples, product by product", shown(spelling, "products")),
    ]
    return table(("value and gradient of a compiled graph", "milliseconds"), rows)


def shown(milliseconds: dict[str, float], engine: str) -> str:
    return f"{milliseconds[engine]:.3f}" if engine in milliseconds else "-"


def growth_table(seconds: dict[int, dict[str, float]]) -> str:
    rows = [(f"{nodes:,}", *(f"{stages[stage]:.2g}" for stage in STAGES)) for nodes, stages in seconds.items()]
    return table(("nodes, seconds", *STAGES), rows)


def training_bar(times: Times, what: str, column: str, least: float, places: Iterable[Place]) -> Row:
    """A bar that the worst of these places must reach."""
    ratios = {place: r for place in places if place in times and (r := ratio(times[place], column)) is not None}
    where = min(ratios, key=lambda place: ratios[place], default=None)
    if where is None:
        return bar(what, f">= {least:g}x", "-", None)
    measured = f"{shown_ratio(ratios[where])} at {where[0]}, {where[1]}"
    return bar(what, f">= {least:g}x", measured, ratios[where] >= least)


def training_bars(times: Times) -> list[Row]:
    places = [(hidden, batch) for hidden in WIDTHS for batch in BATCHES]
    small, largest = [place for place in places if place[1] <= 32], (64, DIGITS)
    narrow = [place for place in small if place[0] == 16]
    return [
        training_bar(times, "PyTorch, everywhere", "PyTorch", 2, places),
        training_bar(times, "PyTorch, H = 16, batch 1 to 32", "PyTorch", 5, narrow),
        training_bar(times, "JAX a step, all but 64, 1797", "JAX step", 1, [p for p in places if p != largest]),
        training_bar(times, "JAX a step, 64, 1797", "JAX step", 0.8, [largest]),
        training_bar(times, "JAX a step, batch 1 to 32", "JAX step", 1.5, small),
        training_bar(times, "JAX, the epoch in one scan, everywhere", "JAX scan", 1, places),
        training_bar(times, "NumPy by hand, everywhere", "NumPy", 1, places),
    ]


def ratio_bar(what: str, wanted: str, figures: dict[str, float], over: str, under: str, limit: float) -> Row:
    """A bar for the quotient of two engines; `wanted` says whether it is to be small or large."""
    if not {over, under} <= figures.keys():
        return bar(what, f"{wanted} {limit:g}x", "-", None)
    number = figures[over] / figures[under]
    reached = number >= limit if wanted == ">=" else number <= limit
    return bar(what, f"{wanted} {limit:g}x", shown_ratio(number), reached)


def command_bar(runs: list[dict[str, float]]) -> Row:
    """The default run of `python -m nn`: as fast as wanted, and as good as the eager engine's."""
    seconds, accuracy = min(run["seconds"] for run in runs), min(run["accuracy"] for run in runs)
    measured = f"{seconds:.1f} s, {accuracy:.1f} %"
    return bar("python -m nn, warm: training", f"< 1 s, {ACCURACY} %", measured, seconds < 1 and accuracy >= ACCURACY)


def bars(
    times: Times,
    irregular: dict[str, float],
    spelling: dict[str, float],
    epochs: dict[str, float],
    commands: list[dict[str, float]],
) -> str:
    rows = training_bars(times)
    rows.append(ratio_bar("irregular graph, CasADi SX / autograd", ">=", irregular, "CasADi", "autograd", 3))
    rows.append(ratio_bar("product by product / in dots", "<=", spelling, "products", "dots", 1.2))
    rows.append(ratio_bar("digits epoch, eager / compiled", ">=", epochs, "eager", "compiled", 50))
    rows.append(command_bar(commands))
    return bar_table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers", description="Prints how fast compiled training is beside its peers."
    )
    parser.add_argument("--rounds", type=int, default=3, help="processes for each engine; the best counts (3)")
    parser.add_argument("--quick", action="store_true", help="one round, H = 16 alone, and smaller graphs")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the times into this file")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds takes a whole number of at least 1")
    if not installed("autograd"):
        parser.error("compiling needs numba: pip install 'scalar-autograd[bench]'")
    if options.plot and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install 'scalar-autograd[notebooks]'")
    rounds, widths = (1, WIDTHS[:1]) if options.quick else (options.rounds, WIDTHS)

    times = training_times(widths, rounds)
    graphs = (
        best_medians("irregular graph", ("autograd", "CasADi"), NODES, rounds),
        best_medians("spelling", ("dots", "products"), EXAMPLES, rounds),
    )
    sizes = [10**power for power in range(2, 6 if options.quick else 7)]
    seconds = {nodes: measure_alone("growth", "autograd", nodes, PROGRAM) for nodes in sizes}
    epochs = {engine: measure_alone("digits_epoch", engine, 2)["median"] for engine in ("eager", "compiled")}
    commands = [digits_command() for _ in range(rounds)]

    scope = ["Quick: one round, and H = 16 alone, which is all that the bars look at."] if options.quick else []
    tables = [
        training_tables(times),
        graph_table(*graphs),
        growth_table(seconds),
        bars(times, *graphs, epochs, commands),
    ]
    print("\n\n".join([machine(), versions(), *scope, *tables]))
    if options.plot:
        from tests.benchmarks.peers.plot import plot

        plot(times, seconds).savefig(options.plot, dpi=150)


if __name__ == "__main__":
    main()
