"""How fast is a training step beside the peers' at each place, and does it reach the bars?"""

from collections.abc import Iterable
from typing import Any

from tests.benchmarks.peers.columns import ENGINES, LEGEND, THREADS, Place, Times, fastest, installed, ratio
from tests.benchmarks.peers.rows import PROGRAM, quantity
from tests.benchmarks.peers.task import BATCHES, WIDTHS, check_agreement
from tests.benchmarks.tables import Row as Cells, bar, table
from tests.benchmarks.workloads import take_turns


def training_times(widths: Iterable[int], rounds: int) -> Times:
    """The best round of every engine at every place."""
    engines = [way for ways in ENGINES.values() for way in ways if way != "micrograd" and installed(way)]
    times: Times = {}
    for hidden in widths:
        found = take_turns("training", engines, hidden, rounds, PROGRAM)
        for i, batch in enumerate(BATCHES):
            laps = {engine: [figures[i] for figures in found[engine]] for engine in engines}
            times[hidden, batch] = best(f"training, H = {hidden}, batch {batch}", laps)
    if installed("micrograd"):  # on its first hundred examples, held against another engine there
        found = take_turns("one by one", ["micrograd", "NumPy, 1 thread"], 1, 1, PROGRAM)
        laps = {engine: figures[0] for engine, figures in found.items()}
        times[16, 1]["micrograd"] = best("one example a step", laps)["micrograd"]
    return times


def best(what: str, laps: dict[str, list[Any]]) -> dict[str, float]:
    """The best lap of each engine, if all laps of all engines have the same losses."""
    check_agreement(what, {f"{engine} ({i})": lap["losses"] for engine in laps for i, lap in enumerate(laps[engine])})
    return {engine: min(lap["microseconds"] for lap in figures) for engine, figures in laps.items()}


def microseconds(times: dict[str, float], column: str) -> str:
    """A cell of the table: the time of the faster way, and its threads."""
    way = fastest(times, column)
    if way is None:
        return "-"
    _, _, threads = way.partition(", ")
    return f"{decimals(times[way])} ({THREADS[threads]})" if threads else decimals(times[way])


def decimals(number: float) -> str:
    """Two decimals below ten, one below a hundred."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def training_tables(times: Times) -> str:
    peers = [column for column in ENGINES if column != "autograd"]
    step = [(f"{h}, {b}", *(microseconds(t, column) for column in ENGINES)) for (h, b), t in times.items()]
    ratios = [(f"{h}, {b}", *(shown_ratio(ratio(t, column)) for column in peers)) for (h, b), t in times.items()]
    return (
        "A training step inside an epoch, digits, 64-H-10, ReLU, softmax cross-entropy, SGD, float64, microseconds:\n\n"
        f"{table(('H, batch', *ENGINES), step)}\n\n{LEGEND}\n\n"
        f"How many times faster autograd is:\n\n{table(('H, batch', *peers), ratios)}"
    )


def shown_ratio(number: float | None) -> str:
    return "-" if number is None else quantity(number, "x")


def training_bar(
    times: Times, what: str, column: str, limit: float, places: Iterable[Place], most: bool = False
) -> Cells:
    """A bar that the worst of these places must reach: at least the limit, or at most."""
    ratios = {place: r for place in places if place in times and (r := ratio(times[place], column)) is not None}
    wanted = f"{'<=' if most else '>='} {limit:g}x"
    if not ratios:
        return bar(what, wanted, "-", None)
    where = (max if most else min)(ratios, key=lambda place: ratios[place])
    reached = ratios[where] <= limit if most else ratios[where] >= limit
    return bar(what, wanted, f"{shown_ratio(ratios[where])} at {where[0]}, {where[1]}", reached)


def training_bars(times: Times) -> list[Cells]:
    places = [(hidden, batch) for hidden in WIDTHS for batch in BATCHES]
    small, large = [place for place in places if place[1] <= 32], [place for place in places if place[1] >= 8]
    scan = [training_bar(times, f"JAX, the epoch in one scan, {h}, {b}", "JAX scan", 1, [(h, b)]) for h, b in places]
    return [
        training_bar(times, "PyTorch, everywhere", "PyTorch", 2, places),
        training_bar(times, "PyTorch, batch 1 to 32", "PyTorch", 5, small),
        training_bar(times, "JAX a step, everywhere", "JAX step", 1.5, places),
        *scan,
        training_bar(times, "NumPy by hand, everywhere", "NumPy", 1.2, places),
        training_bar(times, "epochs of nn.fit / the bare epoch, from batch 8", "nn.fit", 1.15, large, most=True),
    ]
