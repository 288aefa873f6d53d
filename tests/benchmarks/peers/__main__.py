"""How fast is compiled code beside its peers? `python -m tests.benchmarks.peers` prints the tables and the bars.

Each measurement is a fresh process that holds one engine. The engines take turns, round after round, and the best
round of each counts. An engine that computes something else is not timed. No figure fails: one that is short of its
bar says so. `task.py` says what training is, `catalogue.py` which other tables there are, `rows.py` how they are run.
"""

import argparse
import os
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec

from tests.benchmarks.peers.catalogue import TABLES
from tests.benchmarks.peers.columns import PACKAGES, Times, installed
from tests.benchmarks.peers.rows import PROGRAM, run_table
from tests.benchmarks.peers.scalar_graphs import growth_bars, growth_table
from tests.benchmarks.peers.task import WIDTHS
from tests.benchmarks.peers.training_table import training_bars, training_tables, training_times
from tests.benchmarks.tables import bar_table, machine
from tests.benchmarks.workloads import measure_alone

NAMES = ("training", "growth", *TABLES)
OLDER = {
    "AVX2": ("haswell", "broadwell", "skylake", "znver1", "znver2", "znver3", "alderlake", "x86-64-v3"),
    "SSE4_2": ("nehalem", "westmere", "x86-64-v2"),
}
"""What these processors have, where the one at hand may have more."""
PEERS_ON = {
    "AVX2": {"OPENBLAS_CORETYPE": "Haswell", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "SSE4_2": {"OPENBLAS_CORETYPE": "Nehalem", "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
}
"""What holds the peers' libraries to the same instructions."""


def versions() -> str:
    """The versions of what is installed, and how to install what is not."""
    packages = list(dict.fromkeys(PACKAGES.values()))
    names = packages_distributions()
    there = [f"{names[package][0]} {version(names[package][0])}" for package in packages if find_spec(package)]
    missing = [package for package in packages if not find_spec(package)]
    lines = [", ".join(there)]
    if "torch" in missing:
        lines.append("torch is not installed: pip install torch==2.13.0")
    if others := [package for package in missing if package != "torch"]:
        lines.append(f"{', '.join(others)} not installed: pip install 'scalar-autograd[bench]'")
    return "\n\n".join(lines)


def make_code_for(processor: str) -> str:
    """Has all processes from now on make code for this processor, peers included where we know how; says so."""
    os.environ["AUTOGRAD_PROCESSOR"] = processor
    for instructions, processors in OLDER.items():
        if processor in processors:
            os.environ.update(PEERS_ON[instructions], XLA_FLAGS=f"--xla_cpu_max_isa={instructions}")
            return f"All code is made for {processor}: the peers' libraries use {instructions}."
    return f"This project's code is made for {processor}, and the peers' for the processor at hand."


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers", description="Prints how fast compiled code is beside its peers."
    )
    parser.add_argument("--only", choices=NAMES, action="append", help="this table; may be given several times")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each engine; the best counts (3)")
    parser.add_argument("--quick", action="store_true", help="one round; training at H = 16 alone, and smaller graphs")
    parser.add_argument("--processor", metavar="NAME", help="make code for this one, as LLVM names it: haswell, ...")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the times of training and growth into this file")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds takes a whole number of at least 1")
    if not installed("autograd"):
        parser.error("compiling needs llvmlite: pip install 'scalar-autograd[bench]'")
    if options.plot and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install 'scalar-autograd[notebooks]'")
    names = options.only or list(NAMES)
    if options.plot and not {"training", "growth"} <= set(names):
        parser.error("--plot draws training and growth: add them to --only")
    rounds, widths = (1, WIDTHS[:1]) if options.quick else (options.rounds, WIDTHS)
    sections, bars = [machine(), versions()], []
    if options.quick:
        sections.append("Quick: one round; of training H = 16 alone, which is all that its bars look at.")
    if options.processor:
        sections.append(make_code_for(options.processor))

    times: Times = {}
    seconds: dict[int, dict[str, float]] = {}
    for name in names:
        if name == "training":
            times = training_times(widths, rounds)
            text, reached = training_tables(times), training_bars(times)
        elif name == "growth":
            sizes = [10**power for power in range(2, 6 if options.quick else 7)]
            seconds = {nodes: measure_alone("growth", "autograd", nodes, PROGRAM) for nodes in sizes}
            text, reached = growth_table(seconds), growth_bars(seconds)
        else:
            text, reached = run_table(name, TABLES[name], rounds, installed)
        sections.append(text)
        bars += reached
    print("\n\n".join([*sections, bar_table(bars)]))
    if options.plot:
        from tests.benchmarks.peers.plot import plot

        plot(times, seconds).savefig(options.plot, dpi=150)


if __name__ == "__main__":
    main()
