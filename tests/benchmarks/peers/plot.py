"""How does the time of a step grow with the batch and the width, and that of a graph with its nodes? In a picture."""

from typing import Any

from nn.plots import COLOURS, INK, MARKERS, new_figure
from tests.benchmarks.peers.columns import ENGINES, Times, fastest
from tests.benchmarks.peers.scalar_graphs import STAGES


def plot(times: Times, seconds: dict[int, dict[str, float]]) -> Any:
    """A panel for each width, with a line for each engine, and one for the growth of a graph; both axes logarithmic."""
    widths = sorted({hidden for hidden, _ in times})
    figure = new_figure(5.0 * (len(widths) + 1), 4.2, "the plot")
    panels = figure.subplots(1, len(widths) + 1)
    for ax, hidden in zip(panels, widths, strict=False):
        if ax is not panels[0]:
            ax.sharey(panels[0])  # before anything is drawn, so that the limits are those of both
        steps(ax, {batch: by_engine for (h, batch), by_engine in times.items() if h == hidden})
        ax.set(title=f"training step, 64-{hidden}-10", xlabel="examples in a batch", ylabel="microseconds")
    graphs(panels[-1], seconds)
    for ax in panels:
        ax.grid(which="major", color="#dddddd", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    return figure


def steps(ax: Any, by_batch: dict[int, dict[str, float]]) -> None:
    """The lines of one width; this project's is the thick one."""
    for i, column in enumerate(ENGINES):
        found = {batch: by_engine[way] for batch, by_engine in by_batch.items() if (way := fastest(by_engine, column))}
        if found:
            line(ax, found, column, i, thick=column == "autograd")
    batches = sorted(by_batch)
    ax.set_xticks(batches, [str(batch) for batch in batches], minor=False)
    ax.minorticks_off()


def graphs(ax: Any, seconds: dict[int, dict[str, float]]) -> None:
    """How long each stage of a compiled graph takes."""
    for i, stage in enumerate(STAGES):
        line(ax, {nodes: stages[stage] for nodes, stages in seconds.items()}, stage, i)
    ax.set(title="a graph from recording to gradient", xlabel="nodes", ylabel="seconds")


def line(ax: Any, points: dict[int, float], label: str, i: int, thick: bool = False) -> None:
    colour, width = (INK, 2.4) if thick else (COLOURS[i % len(COLOURS)], 1.3)
    ax.loglog(*zip(*points.items(), strict=True), color=colour, marker=MARKERS[i], ms=5, linewidth=width, label=label)
