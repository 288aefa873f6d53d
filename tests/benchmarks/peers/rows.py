"""What is a row of a table? One task, the engines that do it, and the bars that their times must reach.

Each engine's `prepare` makes ready whatever may be made ready, and returns what is timed. `measure_row` times one
engine, in a process of its own; `run_table` lets the engines take turns, and keeps the best round of each.
"""

import math
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from tests.benchmarks.tables import Row as Cells, bar, table
from tests.benchmarks.workloads import measure_alone

Run = Callable[[], Any]
Prepare = Callable[[], Run]
Figures = dict[str, Any]
"""`seconds` of a run, and `first`: from the start of the preparation to the first result. Or `why` there are none."""
Times = dict[str, Figures]
"""By engine."""

PROGRAM = "tests.benchmarks.peers.measure"
OURS = "autograd"
TOLERANCE = 1e-9
BUDGET, PATIENCE, TOO_LONG = 0.5, 10.0, 300.0
"""Seconds: a run is repeated for so long; one that takes longer than the second is not repeated; the third stops it."""


class NotThereYet(Exception):
    """What an engine cannot do so far: its cell says so."""


class Seconds(float):
    """What a run says that it took, where the clock around it would count more than is meant."""


@dataclass(frozen=True)
class Bar:
    """What a number made of the times must reach. A number is missing where an engine is."""

    what: str
    wanted: str  # ">=" or "<="
    limit: float
    unit: str  # "x" or "s"
    number: Callable[[Times], float]

    def cells(self, row: str, times: Times) -> Cells:
        what, wanted = f"{row}: {self.what}", f"{self.wanted} {quantity(self.limit, self.unit)}"
        try:
            number = self.number(times)
        except KeyError:
            return bar(
                what, wanted, next((figures["why"] for figures in times.values() if "why" in figures), "-"), None
            )
        reached = number >= self.limit if self.wanted == ">=" else number <= self.limit
        return bar(what, wanted, quantity(number, self.unit), reached)


def ahead(peer: str, least: float = 1.0) -> Bar:
    """The peer takes at least so many times as long."""
    return Bar(f"{peer} / {OURS}", ">=", least, "x", lambda times: times[peer]["seconds"] / times[OURS]["seconds"])


def within(seconds: float, engine: str = OURS, what: str = "", by: str = "seconds") -> Bar:
    """An engine takes at most so many seconds."""
    return Bar(what or engine, "<=", seconds, "s", lambda times: times[engine][by])


@dataclass(frozen=True)
class Row:
    """A task and who does it.

    Attributes:
        engines: by name, this project's first.
        bars: what their times must reach.
        check: raises an error if it is given a wrong result; nothing is timed before.
        one_thread: whether every engine gets one processor, and one thread.
        operations: the floating-point operations of a run, where the table is to say how many that is a second.
    """

    name: str
    engines: Mapping[str, Prepare]
    bars: Sequence[Bar] = ()
    check: Callable[[Any], None] = lambda result: None
    one_thread: bool = False
    operations: float = 0.0


@dataclass(frozen=True)
class Table:
    """Rows that stand together.

    Attributes:
        first: whether to show how long each engine took until it had its first result.
    """

    title: str
    rows: Sequence[Row]
    first: bool = False


def measure_row(row: Row, engine: str) -> Figures:
    """The figures of one engine, in this process."""
    if row.one_thread and hasattr(os, "sched_setaffinity"):  # JAX has no setting, and goes by the processors it may use
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    start = perf_counter()
    try:
        run = row.engines[engine]()
        seconds, result = timed(run)
    except NotThereYet as problem:
        return {"why": str(problem)}
    first = perf_counter() - start
    row.check(result)
    taken, start = [seconds], perf_counter()
    while seconds < PATIENCE and (len(taken) < 2 or perf_counter() - start < BUDGET):
        taken.append(timed(run)[0])
    return {"seconds": min(taken), "first": first}


def timed(run: Run) -> tuple[float, Any]:
    """The seconds of one run, and its result."""
    start = perf_counter()
    result = run()
    seconds = perf_counter() - start
    return (float(result) if isinstance(result, Seconds) else seconds), result


def assert_close(found: Any, wanted: Any, scale: float = 0.0) -> None:
    """Refuses a result that differs from the reference by more than rounding, as seen from the largest number."""
    import numpy as np

    difference, scale = (float(np.max(np.abs(x))) for x in (np.asarray(found) - wanted, [scale, *np.ravel(wanted)]))
    if not difference <= TOLERANCE * scale:
        raise SystemExit(f"a result differs from the reference by {difference:g}, its largest number being {scale:g}")


def run_table(name: str, shown: Table, rounds: int, installed: Callable[[str], bool]) -> tuple[str, list[Cells]]:
    """The table as text, and its bars."""
    found = [row_times(name, i, row, rounds, installed) for i, row in enumerate(shown.rows)]
    bars = [bar.cells(row.name, times) for row, times in zip(shown.rows, found, strict=True) for bar in row.bars]
    return table_text(shown, found), bars


def row_times(name: str, index: int, row: Row, rounds: int, installed: Callable[[str], bool]) -> Times:
    """The best round of each engine that is installed; they take turns. One that failed or crawled has a single one."""
    times: Times = {}
    for _ in range(rounds):
        for engine in filter(installed, row.engines):
            known = times.get(engine, {})
            if "why" not in known and known.get("first", 0.0) < 3 * PATIENCE:
                times[engine] = better(known, one_process(name, engine, index, row.one_thread))
    return times


def one_process(name: str, engine: str, index: int, one_thread: bool) -> Figures:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} if one_thread else {}
    try:
        return dict(measure_alone(name, engine, index, PROGRAM, timeout=TOO_LONG, **threads))
    except subprocess.TimeoutExpired:
        return {"why": f"over {TOO_LONG:.0f} s"}
    except subprocess.CalledProcessError:  # it has said why on its standard error
        return {"why": "failed"}


def better(known: Figures, found: Figures) -> Figures:
    """The smaller of each figure; nothing of an engine that failed."""
    return found if not known or "why" in found else {key: min(known[key], found[key]) for key in found}


# Printing


def table_text(shown: Table, found: Sequence[Times]) -> str:
    engines = list(dict.fromkeys(engine for row in shown.rows for engine in row.engines))
    rows = [
        (row.name, *(cell(times.get(engine), row, shown.first) for engine in engines))
        for row, times in zip(shown.rows, found, strict=True)
    ]
    return f"{shown.title}:\n\n{table(('', *engines), rows)}"


def cell(figures: Figures | None, row: Row, first: bool) -> str:
    """What an engine took; in brackets, until it had its first result."""
    if figures is None or "why" in figures:
        return "-" if figures is None else str(figures["why"])
    if row.operations:
        return f"{row.operations / figures['seconds'] / 1e9:.1f} GFLOP/s"
    seconds = quantity(figures["seconds"], "s")
    return f"{seconds} ({quantity(figures['first'], 's')})" if first else seconds


def quantity(number: float, unit: str) -> str:
    """A ratio, or a time in the unit that suits it: three digits."""
    if unit == "x":
        return f"{number:.2f}x" if number < 10 else f"{number:.1f}x" if number < 100 else f"{number:,.0f}x"
    if not math.isfinite(number) or number >= 1:
        return f"{number:.3g} s"
    return f"{number * 1e3:.3g} ms" if number >= 1e-3 else f"{number * 1e6:.3g} us"
