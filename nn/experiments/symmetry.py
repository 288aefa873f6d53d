"""Can two hidden units tell whether six bits are their own mirror image? Figure 1 of the paper of 1986.

Rumelhart, Hinton and Williams ("Learning representations by back-propagating errors", Nature 323:533) had a network of
six inputs, two hidden units and one output learn this. They found an elegant answer in its weights: each cancels its
mirror image. Here the same network learns with the paper's own settings, from many starting points; from some it fails.
The notebook 11-mirror-symmetry-1986 explains `learn` step by step.
"""

import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import inf
from statistics import correlation, median
from typing import Any, ClassVar

from autograd import Value, dot
from autograd.reals import as_count, as_float
from autograd.terminal import is_watched, progress_bars
from nn.experiments.experiment import Claim, Experiment
from nn.neuron import Layer, Sequential
from nn.optim import SGD
from nn.plots import COLOURS, INK, new_figure
from nn.training.engine import why_not_compiled

INPUTS = [list(bits) for bits in product((0.0, 1.0), repeat=6)]
"""All 64 rows of six bits."""
TARGETS = [float(row == row[::-1]) for row in INPUTS]
"""1 for the eight rows that read the same from both ends, 0 for the others."""

PAPER_SWEEPS = 1425
SOLVED, TRAINED = 0.5, 0.02  # |y - d| of the worst input: on the right side, and close to the target
TRAINED_ON = 10_000  # sweeps that a network may take from SOLVED to TRAINED; it needs about 2,000
RATIOS = {"1:2:4": (1.0, 2.0, 4.0), "2:3:4": (2.0, 3.0, 4.0)}


def network(rng: random.Random) -> Sequential:
    """The paper's network, 6-2-1: all units logistic, weights and biases uniform between -0.3 and 0.3.

    >>> len(network(random.Random(0)).parameters())
    17
    """
    model = Sequential(Layer(6, 2, activation="sigmoid"), Layer(2, 1, activation="sigmoid"))
    for parameter in model.parameters():  # a layer's own biases start at 0
        parameter.data = rng.uniform(-0.3, 0.3)
    return model


@dataclass(frozen=True)
class Learned:
    """One network after training.

    Attributes:
        seed: of its first weights.
        solved_after: the sweeps until every output was on the right side of 0.5; None if that never happened.
        sweeps: how many there were in all. A solved network is trained on until every |y - d| is below 0.02.
        worst: the largest |y - d| at the end.
        deepest_no: how near to 0 all 64 outputs were at once, at the worst moment. Near 0 a logistic unit has next to
            no slope, so nothing is learned there.
        hidden: the six weights of each hidden unit.
        hidden_biases, output_weights, output_bias: the other weights and biases.
    """

    seed: int
    solved_after: int | None
    sweeps: int
    worst: float
    deepest_no: float
    hidden: tuple[tuple[float, ...], ...]
    hidden_biases: tuple[float, ...]
    output_weights: tuple[float, ...]
    output_bias: float

    def antisymmetry(self) -> float:
        """How far a weight and its mirror image are at worst from cancelling, as a share of the larger one."""
        return max(abs(a + b) / max(abs(a), abs(b)) for unit in self.hidden for a, b in _mirrored(unit))

    def magnitudes(self) -> list[list[float]]:
        """For each hidden unit, the sizes of its three pairs of weights in order; the largest counts as 4."""
        sizes = [sorted(abs(a) + abs(b) for a, b in _mirrored(unit)) for unit in self.hidden]
        return [[4.0 * size / three[-1] for size in three] for three in sizes]

    def ratio(self) -> str:
        """The ratio of the sizes in both hidden units: "1:2:4", "2:3:4", or "neither"."""
        for name, wanted in RATIOS.items():
            if all(abs(a - b) < 0.25 for three in self.magnitudes() for a, b in zip(three, wanted, strict=True)):
                return name
        return "neither"

    def opposition(self) -> float:
        """The correlation of the two hidden units' weights: -1 if one is the negative of the other."""
        return correlation(*self.hidden)

    def kind(self) -> str:
        """In two words: "sizes 1:2:4", or "not solved"."""
        return "not solved" if self.solved_after is None else f"sizes {self.ratio()}"

    def biases_as_reported(self) -> bool:
        """Whether the hidden biases are negative, and the output's is positive."""
        return max(self.hidden_biases) < 0.0 < self.output_bias


def _mirrored(unit: tuple[float, ...]) -> Iterator[tuple[float, float]]:
    """Each weight of the first half with that of the mirrored input."""
    return zip(unit[:3], reversed(unit[3:]), strict=True)


def learn(seed: int, most_sweeps: int = 8000, lr: float = 0.1) -> Learned:
    """Trains one network. A sweep is one step of gradient descent on the error of all 64 inputs.

    >>> learn(8, most_sweeps=2).solved_after is None
    True
    """
    model = network(random.Random(seed))
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)  # dw(t) = -eps dE/dw + alpha dw(t-1)
    sweeps = _eager_sweeps(model, optimizer) if why_not_compiled() else _compiled_sweeps(model, optimizer)
    solved_after, limit, deepest_no = None, most_sweeps, inf
    for sweep, outputs in enumerate(sweeps):
        worst = max(abs(y - d) for y, d in zip(outputs, TARGETS, strict=True))
        deepest_no = min(deepest_no, max(outputs))
        if solved_after is None and worst < SOLVED:
            solved_after, limit = sweep, sweep + TRAINED_ON
        if worst < TRAINED or sweep == limit:
            break
    numbers = [parameter.data for parameter in model.parameters()]  # unit by unit: its weights, then its bias
    hidden, hidden_biases = (tuple(numbers[0:6]), tuple(numbers[7:13])), (numbers[6], numbers[13])
    output_weights, output_bias = tuple(numbers[14:16]), numbers[16]
    return Learned(seed, solved_after, sweep, worst, deepest_no, hidden, hidden_biases, output_weights, output_bias)


def _forward(model: Sequential) -> tuple[Value, list[Value]]:
    """The error of all inputs, E = 1/2 sum (y - d)^2, and the outputs."""
    outputs = model(INPUTS)
    errors = [y - d for y, d in zip(outputs, TARGETS, strict=True)]
    return 0.5 * dot(errors, errors), outputs  # in one node: a fifth faster than 64 squares


def _eager_sweeps(model: Sequential, optimizer: SGD) -> Iterator[list[float]]:
    """The 64 outputs before each sweep; going on makes the sweep."""
    while True:
        loss, outputs = _forward(model)
        yield [y.data for y in outputs]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _compiled_sweeps(model: Sequential, optimizer: SGD) -> Iterator[list[float]]:
    """The same in native code: 0.07 ms for a sweep instead of 1.4, and the same to 14 digits."""
    loss, outputs = _forward(model)
    from autograd import compile  # needs NumPy, without which the module is to load all the same

    program = compile([loss, *outputs], [], model.parameters())
    while True:
        yield program([])[1:].tolist()
        program.step(optimizer, [])


@dataclass(frozen=True)
class Symmetry(Experiment):
    """What `mirror_symmetry` measured.

    Attributes:
        most_sweeps: after how many sweeps a network that had not solved the problem was given up.
        networks: the network of each seed.
    """

    title: ClassVar[str] = "Mirror symmetry of six bits, learned by two hidden units (Figure 1 of 1986)"

    most_sweeps: int
    networks: tuple[Learned, ...]

    def solved(self) -> list[Learned]:
        """The networks that solved the problem."""
        return [net for net in self.networks if net.solved_after is not None]

    def failed(self) -> list[Learned]:
        """The networks that did not solve it within `most_sweeps`."""
        return [net for net in self.networks if net.solved_after is None]

    def header(self) -> list[str]:
        """The names of the table's columns."""
        return ["seed", "solved after", "cancel to", "sizes", "correlation", "biases"]

    def rows(self) -> list[list[str]]:
        """A line for each network, including those that failed."""
        return [
            [
                str(net.seed),
                f"not in {self.most_sweeps:,}" if net.solved_after is None else f"{net.solved_after:,}",
                f"{100.0 * net.antisymmetry():.1f} %",
                " : ".join(f"{size:.1f}" for size in net.magnitudes()[0]),
                f"{net.opposition():.3f}",
                " ".join(f"{bias:+.1f}" for bias in (*net.hidden_biases, net.output_bias)),
            ]
            for net in self.networks
        ]

    def claims(self) -> list[Claim]:
        """What the paper reports, and one thing that it does not."""
        solved, failed = self.solved(), self.failed()
        share = f"{len(solved)} of {len(self.networks)}"
        enough = 10 * len(solved) >= 7 * len(self.networks)
        learned = Claim(f"at least 7 in 10 learn it within {self.most_sweeps:,} sweeps", share, enough)
        if not solved:
            return [learned]
        claims = [learned, self._pace(), *self._weights()]
        if failed:
            failures, others = max(net.deepest_no for net in failed), min(net.deepest_no for net in solved)
            text = "each that failed had been pushed nearer to 'no' for every input than any that learned"
            seen = f"failed: all outputs at one time below {failures:.1g}; solved: not below {others:.1g}"
            claims.append(Claim(text, seen, failures < others))
        return claims

    def _pace(self) -> Claim:
        """How long it took, beside the paper's figure."""
        sweeps = [net.solved_after for net in self.networks if net.solved_after is not None]
        seen = f"median {median(sweeps):,.0f}, from {min(sweeps):,} to {max(sweeps):,}"
        holds = PAPER_SWEEPS / 4 <= median(sweeps) <= 4 * PAPER_SWEEPS
        return Claim(f"it takes about as long as in the paper, {PAPER_SWEEPS:,} sweeps, within 4 times", seen, holds)

    def _weights(self) -> list[Claim]:
        """What the weights of the networks that solved it look like."""
        solved = self.solved()
        worst, furthest = max(net.antisymmetry() for net in solved), max(net.opposition() for net in solved)
        ratios = [net.ratio() for net in solved]
        found = ", ".join(f"{ratios.count(name)} are {name}" for name in RATIOS)
        usual = sum(net.biases_as_reported() for net in solved)
        return [
            Claim("trained on, mirrored weights cancel to 5 %", f"at worst {100.0 * worst:.2f} %", worst < 0.05),
            Claim("the two hidden units are opposite", f"correlation at most {furthest:.4f}", furthest < -0.999),
            Claim("the sizes are as 1:2:4, or as 2:3:4", found, "neither" not in ratios),
            Claim("hidden biases negative, output's positive", f"{usual} of {len(solved)}", usual == len(solved)),
        ]

    def plot(self) -> Any:
        """The weights of the first network of each kind, and how long each network took."""
        figure = new_figure(11.0, 6.2)
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.0, 1.2])
        first = {net.kind(): net for net in reversed(self.networks)}
        kinds = sorted(first, key=lambda kind: (kind == "not solved", kind))
        for ax, kind in zip(top.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
            _draw_weights(ax, first[kind])
        by_seed, by_depth = bottom.subplots(1, 2, sharey=True)
        self._draw_sweeps(by_seed, [float(net.seed) for net in self.networks])
        by_seed.set(xlabel="seed", ylabel="sweeps until solved")
        by_seed.xaxis.get_major_locator().set_params(integer=True)
        self._draw_sweeps(by_depth, [net.deepest_no for net in self.networks])
        by_depth.set(xscale="log", xlabel="how near 0 all 64 outputs were at once, at the worst moment")
        by_seed.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False)
        return figure

    def _draw_sweeps(self, ax: Any, across: list[float]) -> None:
        """Each network as a point; a cross marks one that was given up."""
        points = list(zip(across, self.networks, strict=True))
        done = [(x, net.solved_after) for x, net in points if net.solved_after is not None]
        given_up = [(x, self.most_sweeps) for x, net in points if net.solved_after is None]
        for pairs, marker, colour, label in (
            (done, "o", COLOURS[1], "solved"),
            (given_up, "X", COLOURS[0], "given up"),
        ):
            if pairs:
                ax.scatter(*zip(*pairs, strict=True), marker=marker, color=colour, s=45, label=label, zorder=3)
        ax.axhline(PAPER_SWEEPS, color=INK, linestyle="--", linewidth=1.0, label=f"the paper: {PAPER_SWEEPS:,}")
        _count_in_powers(ax)
        ax.set_ylim(min(y for _, y in done + given_up) / 1.5, 1.3 * self.most_sweeps)


def _count_in_powers(ax: Any) -> None:
    """A logarithmic vertical axis with plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)


COLUMNS = (0.0, 1.0, 2.0, 3.3, 4.3, 5.3, 6.8, 8.3)  # where the weights of a hidden unit are drawn
LABELS = (
    (2.65, 0.8, "weights from the six inputs"),
    (6.8, 0.8, "bias"),
    (8.3, 0.8, "to the\noutput"),
    (6.4, -3.3, "output's bias"),
)


def _draw_weights(ax: Any, net: Learned) -> None:
    """Squares whose area is the size of a weight; orange is negative. The dashed line is the mirror."""
    from matplotlib.patches import Rectangle

    units = zip(net.hidden, net.hidden_biases, net.output_weights, strict=True)
    squares = [
        (x, -1.5 * k, w) for k, (ws, b, v) in enumerate(units) for x, w in zip(COLUMNS, (*ws, b, v), strict=True)
    ]
    squares.append((COLUMNS[-1], -3.0, net.output_bias))
    largest = max(abs(w) for _, _, w in squares)
    for x, y, w in squares:
        side = 0.95 * (abs(w) / largest) ** 0.5
        colour = COLOURS[0] if w < 0.0 else COLOURS[1]
        ax.add_patch(Rectangle((x - side / 2.0, y - side / 2.0), side, side, color=colour))
        ax.text(x, y - 0.52, f"{w:+.1f}", ha="center", va="top", fontsize=7, color=INK)
    for x, y, text in LABELS:
        ax.text(x, y, text, ha="center", va="bottom", fontsize=8, color=INK)
    ax.plot([2.65, 2.65], [-2.3, 0.7], "--", color=INK, linewidth=1.0)
    ax.set(xlim=(-0.6, 9.0), ylim=(-3.9, 1.9), aspect="equal", title=f"seed {net.seed}: {net.kind()}")
    ax.axis("off")


def mirror_symmetry(
    seed: int = 0,
    seeds: int = 20,
    most_sweeps: int = 8000,
    processes: int | None = None,
    progress: bool = True,
    lr: float = 0.1,
) -> Symmetry:
    """Six bits: symmetric or not? The first figure of the paper of 1986.

    The network is the paper's, and so is the training: all 64 inputs in each sweep, E = 1/2 sum (y - d)^2, momentum
    0.9. The paper shows one network; here many learn, each from its own initial weights.

    Arguments:
        seed: of the first network's weights; the next network has the next seed.
        seeds: how many networks.
        most_sweeps: after how many sweeps a network is given up that does not have every output on the right side of
            0.5.
        processes: how many networks learn at the same time, each in its own process; None for one on each core. A
            script must call this below `if __name__ == "__main__":`, unless processes=1. In a web page there is one.
        progress: show a progress bar, in a terminal and in a notebook.
        lr: the learning rate, the paper's eps.

    Raises:
        ValueError, TypeError: an argument is out of range, or not a number.
        RuntimeError: the other processes could not start.

    >>> mirror_symmetry(seed=8, seeds=1, most_sweeps=10).rows()[0][:2]
    ['8', 'not in 10']
    """
    seed, seeds, most_sweeps = (
        as_count(seed, "seed", least=0),
        as_count(seeds, "seeds"),
        as_count(most_sweeps, "most_sweeps"),
    )
    processes = (os.cpu_count() or 1) if processes is None else as_count(processes, "processes")
    one = partial(learn, most_sweeps=most_sweeps, lr=as_float(lr, "lr"))
    networks = _learned(one, range(seed, seed + seeds), min(processes, seeds, 61))  # Windows waits for 61 at most
    return Symmetry(most_sweeps, tuple(_with_bar(networks, seeds, progress)))


def _learned(one: partial[Learned], seeds: range, processes: int) -> Iterator[Learned]:
    """The networks in the order of their seeds."""
    if processes == 1 or sys.platform == "emscripten":  # in a web page, even what follows cannot be imported
        yield from map(one, seeds)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    fresh = multiprocessing.get_context("spawn")  # a fork of a process with threads, such as a notebook's, may hang
    try:
        with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
            yield from pool.map(one, seeds)
    except BrokenProcessPool:
        raise RuntimeError(
            "the other processes could not start: call mirror_symmetry below `if __name__ == '__main__':`, or with "
            "processes=1"
        ) from None


def _with_bar(networks: Iterator[Learned], total: int, progress: bool) -> Iterator[Learned]:
    """The same networks, with a progress bar."""
    shown = progress and is_watched()
    bar = progress_bars()(networks, total=total, unit="network", leave=False, disable=not shown)
    return iter(bar)
