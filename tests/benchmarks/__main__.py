"""How does this engine compare? `python -m tests.benchmarks` prints the table that the README shows.

Each measurement is a fresh process that holds one engine. The engines take turns, round after round, and the best
round of each counts, so that a busy machine favours none. Nothing here fails: a figure short of its bar says so.
"""

import argparse
import statistics
from typing import Any

from tests.benchmarks import tasks, workloads
from tests.benchmarks.tables import bar, bar_table, machine, table, times
from tests.benchmarks.workloads import (
    CHAIN_STAGES,
    GRAPH_ENGINES,
    MICROGRAD_MISSING,
    MLP_ENGINES,
    NODE_ENGINES,
    measure_alone,
    take_turns,
)

Figures = dict[str, Any]
"""By engine; an engine that is not installed has no entry."""

SHORT_CHAIN, LONG_CHAIN = 250_000, 1_000_000


def best_rounds(workload: str, engines: tuple[str, ...], count: int, rounds: int, by: str) -> Figures:
    """The best of `rounds` rounds of each engine, by its median or its mean; the engines take turns."""
    engines = tuple(filter(workloads.installed, engines))
    found = take_turns(workload, engines, count, rounds)
    answers = {round(figures["answer"], 9) for engine in engines for figures in found[engine]}
    if len(answers) > 1:
        raise SystemExit(f"{workload}: the engines disagree on the result: {sorted(answers)}")
    return {engine: min(figures, key=lambda f: f[by]) for engine, figures in found.items()}


def ratio(figures: Figures, slow: str, fast: str, by: str) -> float | None:
    """How many times faster one engine is than another; None where one is not installed."""
    return figures[slow][by] / figures[fast][by] if slow in figures and fast in figures else None


def mlp_table(figures: Figures, runs: int) -> str:
    rows = []
    for engine in MLP_ENGINES:
        if engine not in figures:
            continue
        medians_and_means = [f"{figures[engine][by]:.2f}" for by in ("median", "mean")]
        ratios = [times(ratio(figures, "micrograd", engine, by)) for by in ("median", "mean")]
        rows.append((ours(engine), *medians_and_means, *ratios))
    head = ("64-16-10 MLP, one example", "median ms", "mean ms", "median", "mean")
    missing = "" if "micrograd" in figures else f"\n\n{MICROGRAD_MISSING}"
    return f"Forward + backward, {runs} runs, and times faster than micrograd:\n\n{table(head, rows)}{missing}"


def graph_table(figures: Figures) -> str:
    by_mean = {engine: times(ratio(figures, "microgpt design", engine, "mean")) for engine in figures}
    rows = [(ours(engine), f"{figures[engine]['mean']:.0f}", by_mean[engine]) for engine in GRAPH_ENGINES]
    head = ("60,000 products and sums, layered", "mean ms", "times faster")
    return f"Build + backward + free:\n\n{table(head, rows)}"


def chain_table(short: dict[str, float], long: dict[str, float]) -> str:
    rows = [
        (stage, f"{short[stage]:.2f}", f"{long[stage]:.2f}", f"{long[stage] / short[stage]:.1f}")
        for stage in CHAIN_STAGES
    ]
    rows.append(("together", *(f"{sum(c.values()):.2f}" for c in (short, long)), f"{growth(short, long):.1f}"))
    return table(("a chain of nodes, seconds", f"{SHORT_CHAIN:,}", f"{LONG_CHAIN:,}", "growth"), rows)


def growth(short: dict[str, float], long: dict[str, float]) -> float:
    return sum(long.values()) / sum(short.values())


def node_table(sizes: dict[str, float]) -> str:
    return table(("x * y of Values", "bytes a node"), [(ours(engine), f"{size:.0f}") for engine, size in sizes.items()])


def bars(
    mlp: Figures,
    graph: Figures,
    chains: tuple[Any, Any],
    sizes: Figures,
    check: float,
    start: float,
    loaded: list[str],
    compiled: tuple[Figures, float, float, float],
) -> str:
    """The bars that the project set itself, and whether this run reached them."""
    rows = []

    def at_least(what: str, least: float, number: float | None) -> None:
        rows.append(bar(what, f">= {least:g}x", times(number), None if number is None else number >= least))

    def at_most(what: str, wanted: str, limit: float, number: float, shown: str) -> None:
        rows.append(bar(what, wanted, shown, number <= limit))

    for engine, median, mean in (("every product a node", 2.7, 8), ("nn.MLP", 25, 100)):
        at_least(f"{engine} / micrograd, median", median, ratio(mlp, "micrograd", engine, "median"))
        at_least(f"{engine} / micrograd, mean", mean, ratio(mlp, "micrograd", engine, "mean"))
    at_least("60,000 nodes / microgpt design, mean", 2, ratio(graph, "microgpt design", "autograd", "mean"))
    # Linear growth is 4, quadratic 16; 8 lies between, and leaves room for caches and the collector.
    at_most("chain, 4 times as long takes", "<= 8x", 8, growth(*chains), f"{growth(*chains):.1f}x")
    at_most("memory of a node, bytes", "<= 230", 230, sizes["autograd"], f"{sizes['autograd']:.0f}")
    at_most("gradcheck of ten nodes, warm, ms", "< 20", 20, check, f"{check:.1f}")
    at_most("import autograd, ms", "< 100", 100, start, f"{start:.0f}")
    epochs, cold, warm, large = compiled
    at_least("digits epoch, eager / compiled", 20, ratio(epochs, "eager", "compiled", "median"))
    at_most("compiled: first step, empty cache, s", "< 20", 20, cold, f"{cold:.1f}")
    at_most("compiled: first step, warm cache, s", "< 1", 1, warm, f"{warm:.2f}")
    at_most("100,000 nodes recorded and compiled, s", "< 3", 3, large, f"{large:.1f}")
    lines = len((workloads.CHECKOUT / "autograd" / "value.py").read_text(encoding="utf-8").splitlines())
    at_most("autograd/value.py, lines", "< 400", 399, lines, str(lines))
    absent = ", ".join(workloads.HEAVY_MODULES)
    at_most(f"loads no {absent}", "none", 0, len(loaded), ", ".join(loaded) or "none")
    return bar_table(rows)


def ours(engine: str) -> str:
    """The engine's name in the tables, with this project's package where it is ours."""
    return {"every product a node": "autograd, every product a node", "nn.MLP": "autograd, nn.MLP"}.get(engine, engine)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Prints how fast and how large this engine is beside its peers."
    )
    parser.add_argument("--rounds", type=int, default=3, help="processes for each engine; the best counts (3)")
    parser.add_argument("--runs", type=int, default=300, help="runs of the MLP in each process (300)")
    options = parser.parse_args()
    if options.rounds < 1 or options.runs < 1:
        parser.error("--rounds and --runs take whole numbers of at least 1")

    mlp = best_rounds("forward_backward", MLP_ENGINES, options.runs, options.rounds, by="median")
    graph = best_rounds("layered_graph", GRAPH_ENGINES, 20, options.rounds, by="mean")
    lengths = (SHORT_CHAIN, LONG_CHAIN)
    laps = [[measure_alone("chain", "autograd", length) for length in lengths] for _ in range(options.rounds)]
    short, long = ({stage: min(lap[i][stage] for lap in laps) for stage in CHAIN_STAGES} for i in range(2))
    sizes = {e: measure_alone("bytes_a_node", e, 10_000) for e in NODE_ENGINES if workloads.installed(e)}
    check = min(measure_alone("gradcheck", "autograd", 30)["median"] for _ in range(options.rounds))
    epochs = best_rounds("digits_epoch", ("eager", "compiled"), 5, options.rounds, by="median")
    large = min(measure_alone("compile", "compiled", 100_000) for _ in range(options.rounds))
    compiled = (epochs, *workloads.first_steps(), large)
    starts = [workloads.import_time() for _ in range(2 * options.rounds + 1)]
    start, loaded = statistics.median(milliseconds for milliseconds, _ in starts), starts[0][1]

    sections = [machine(), mlp_table(mlp, options.runs), graph_table(graph), chain_table(short, long)]
    sections += [node_table(sizes), tasks.cost_table(), tasks.seconds_table()]
    sections.append(bars(mlp, graph, (short, long), sizes, check, start, loaded, compiled))
    print("\n\n".join(sections))


if __name__ == "__main__":
    main()
