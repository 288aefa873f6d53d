"""Which of very many derivatives are wrong? Ask for many at once, and halve what is rejected.

A function of n numbers with m results has m * n derivatives, a matrix J. With weights u of the results and a direction
v of the inputs, u'Jv is one number, and finite differences of t -> u . f(x + t v) say what it should be. A wrong entry
of J shows in nearly every such probe. So three probes with random weights say yes or no of all entries. What they
reject is split in two, first the inputs, then the results, until single entries are left; these are compared one by
one. For one wrong entry that takes at most 2 log2(m n) differences.

Three things are looked at more closely. Where a direction meets a kink at the point, differences say only that the
derivative lies between two slopes: it is split, so that the others are seen clearly. Entries that contribute too
little to be seen beside the rest get a probe of their own. Entries that are claimed to be nan or infinite are left
out of the probes and compared one by one.
"""

import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from statistics import median
from typing import Any

from autograd.testing.claims import Claim, padded, total, unit_vector
from autograd.testing.differences.finite_differences import RESOLUTION, Difference
from autograd.testing.differences.rounding_errors import SMALLEST, U
from autograd.testing.rounded_inputs import Nearby
from autograd.testing.surroundings import Surroundings, excused

DIRECTIONS = 3
"""Along how many random directions all derivatives are checked together."""
MOST_FOUND = 8
"""How many wrong derivatives are listed. What may be wrong beside them is only counted."""
MOST_DOUBTFUL = 16
"""How often a probe is split that is not wrong but could not be seen clearly."""
SAMPLES = 4
"""How many of the derivatives that may be wrong are tried in each array, to tell a few from all."""
MOST_ARRAYS = 16
"""Among how many arrays it is found out which of them may hold more wrong derivatives."""
STRATA = 2
"""How often derivatives that are small beside the rest get a probe of their own."""
OTHER_STEPS = 0.7
"""How long steps are, as a part of the first ones, when what seems wrong is looked at again."""
FAR_ABOVE = 3.0
"""How many times its bound the error must be, with either steps."""


@dataclass(frozen=True)
class Probe:
    """Some results and some inputs, with weights and a direction.

    Attributes:
        key: tells it apart from others.
        u, v: weights of all results and of all inputs.
        rows, columns: which results and which inputs count.
    """

    key: tuple[Any, ...]
    u: Sequence[float]
    v: Sequence[float]
    rows: Sequence[int]
    columns: Sequence[int]

    @property
    def size(self) -> int:
        """How many derivatives it asks for."""
        return len(self.rows) * len(self.columns)

    def halves(self, starts: Sequence[int]) -> "tuple[Probe, Probe]":
        """Half of the inputs each, or of the results once there is one input; arrays stay whole while they can."""
        if len(self.columns) > 1:
            middle = _middle(self.columns, starts)
            pair = [{"columns": self.columns[:middle]}, {"columns": self.columns[middle:]}]
        else:
            middle = len(self.rows) // 2
            pair = [{"rows": self.rows[:middle]}, {"rows": self.rows[middle:]}]
        left, right = (replace(self, key=(*self.key, (k,)), **part) for k, part in enumerate(pair))
        return left, right

    def only(self, key: Any, columns: Sequence[int]) -> "Probe":
        """The same for some of the inputs."""
        return replace(self, key=(*self.key, key), columns=columns)


def _middle(columns: Sequence[int], starts: Sequence[int]) -> int:
    """Where to cut: at the start of the array that begins nearest to the middle, or in the middle."""
    half = len(columns) // 2
    first, last = columns[0], columns[-1]
    inside = [start for start in starts if first < start <= last]
    if not inside or len(columns) != last - first + 1:
        return half
    return min((start - first for start in inside), key=lambda cut: abs(cut - half))


@dataclass
class Finding:
    """What probes found out about one claim.

    Attributes:
        whole: the probes of all derivatives, with what is claimed, the differences and the verdict.
        found: single entries that are not right.
        groups: probes that are wrong although both their halves are right.
        unsettled: probes of which nothing is known, or which are wrong, but have not been looked into.
        strange: inputs by which a derivative is claimed to be nan or infinite, and which were not looked into.
        between: probes at kinks, where derivatives are only known to lie between two slopes.
        blind: the largest error of one derivative that could not have been seen, beside those found.
    """

    whole: list["Judged"] = field(default_factory=list)
    found: dict[tuple[int, int], "Judged"] = field(default_factory=dict)
    groups: list["Judged"] = field(default_factory=list)
    unsettled: list[Probe] = field(default_factory=list)
    strange: list[Probe] = field(default_factory=list)
    between: list[Probe] = field(default_factory=list)
    blind: float = math.inf

    @property
    def wrong(self) -> int:
        """How many single entries are wrong."""
        return sum(one.verdict == "wrong" for one in self.found.values())

    @property
    def is_full(self) -> bool:
        """Whether enough is found to be listed."""
        return self.wrong + len(self.groups) >= MOST_FOUND


@dataclass(frozen=True)
class Judged:
    """A probe, or a single entry, with what is claimed, what differences say, and the verdict."""

    probe: Probe
    claimed: float
    difference: Difference
    verdict: str
    tolerance: float = 0.0

    @property
    def clear(self) -> bool:
        """Whether it is right, and no kink hides what is not."""
        return self.verdict == "right" and self.difference.verdict != "kink"

    @property
    def unclear(self) -> bool:
        """Whether its parts may be seen better: what goes on at one entry hides the others."""
        return self.difference.verdict in ("kink", "jump", "infinite slope", "inconclusive", "undefined")

    @property
    def is_far_off(self) -> bool:
        """Whether it is wrong by far more than its bound."""
        return self.verdict == "wrong" and abs(self.claimed - self.difference.value) > FAR_ABOVE * self.tolerance

    @property
    def explains_more(self) -> bool:
        """Whether a probe that holds this one may be wrong because of it."""
        return self.verdict == "wrong" or self.difference.verdict in ("kink", "jump", "infinite slope")


class Search:
    """Probes all derivatives of one claim, and halves what is rejected.

    Arguments:
        around: the differences.
        claim: the derivatives in question.
        nearby: what is claimed a few ulp away.
        exact_to: how exact they are meant to be.
        rng: chooses the directions.
    """

    def __init__(self, around: Surroundings, claim: Claim, nearby: Nearby, exact_to: float, rng: random.Random) -> None:
        self.around, self.claim, self.nearby, self.exact_to = around, claim, nearby, exact_to
        self.inputs, self.unit, self.rng = around.inputs, around.unit, rng
        self.starts = [start for _, start, _ in self.inputs.blocks]
        self.finding = Finding()
        self.left_out: set[int] = set()
        self.doubtful = 0
        self.several: set[Any] = set()
        self.unsettled: list[Probe] = []
        self.between: list[Probe] = []
        self._rows: dict[Any, Sequence[float] | None] = {}

    @cached_property
    def directions(self) -> list[tuple[list[float], list[float]]]:
        """Weights and directions of the probes of everything; who asks for single probes alone needs none."""
        return list(directions(self.inputs, self.around.outputs.numbers, self.rng))

    def run(self) -> Finding:
        """Everything that three probes and their halves tell."""
        self.not_finite()
        for number, (u, v) in enumerate(self.directions):
            if self.finding.is_full:
                break
            probe = Probe((number, frozenset(self.left_out)), u, v, range(self.around.m), self.all_columns())
            if probe.columns:
                self.explore_direction(probe)
        return self.finding

    def all_columns(self) -> Sequence[int]:
        if not self.left_out:
            return range(self.around.n)
        return [j for j in range(self.around.n) if j not in self.left_out]

    def not_finite(self) -> None:
        """Entries claimed to be nan or infinite, one by one."""
        u, v = self.directions[0]
        row = self.claim.weighted(u)
        strange = [] if row is None else [j for j, x in enumerate(row) if not math.isfinite(x)]
        self.left_out.update(strange)
        for k, j in enumerate(strange):
            probe = Probe(("not finite", j), u, v, range(self.around.m), [j])
            if k < MOST_FOUND and not self.finding.is_full:
                self.explore(self.judged(probe))
            else:
                self.finding.strange.append(probe)

    def explore_direction(self, probe: Probe) -> None:
        """Everything along one direction. Of what several leave open, the least counts."""
        self.unsettled, self.between = [], []
        self.explore_whole(probe)
        found = self.finding
        first = len(found.whole) == 1
        if first or found.is_full or _sizes(self.unsettled) < _sizes(found.unsettled):
            found.unsettled = self.unsettled
        if first or _sizes(self.between) < _sizes(found.between):
            found.between = self.between

    def explore_whole(self, probe: Probe) -> None:
        """One of the probes of everything, and of what is too small to be seen in it."""
        judged = self.judged(probe)
        if judged.verdict == "inconclusive":  # perhaps the domain ends at 0 for some: try with all of them growing
            grown = self.judged(replace(probe, key=(*probe.key, "grown"), v=[abs(x) for x in probe.v]))
            judged = judged if grown.verdict == "inconclusive" else grown
        before = self.finding.wrong + len(self.finding.groups)
        self.finding.whole.append(judged)
        self.explore(judged)
        if judged.verdict == "wrong" and before == self.finding.wrong + len(self.finding.groups):
            # each entry is right: rounding of the inputs, or slopes beside kinks that were chosen in different ways
            self.finding.whole[-1] = judged = replace(judged, verdict="inconclusive")
        self.sees(judged)
        for _ in range(STRATA if len(self.finding.whole) == 1 else 0):
            if judged.verdict not in ("right", "inconclusive") or judged.unclear:
                return
            small = self.hidden_by(judged)
            if not small or len(small) == len(judged.probe.columns):
                return
            judged = self.judged(judged.probe.only(("small", id(self.claim)), small))  # another claim has others
            self.explore(judged)

    def sees(self, judged: Judged) -> None:
        """Notes how large an error would have been seen."""
        if judged.unclear or judged.verdict not in ("right", "inconclusive"):
            return
        probe = judged.probe
        least = min(abs(probe.v[j]) for j in probe.columns) * min(abs(probe.u[i]) for i in probe.rows)
        self.finding.blind = min(self.finding.blind, 2.0 * judged.tolerance / least)

    def hidden_by(self, judged: Judged) -> list[int]:
        """Inputs that contribute less than a hundred times what the probe may be off."""
        row, v = self.row(judged.probe), judged.probe.v
        if row is None:
            return []
        return [j for j in judged.probe.columns if abs(row[j] * v[j]) < 100.0 * judged.tolerance]

    def explore(self, start: Judged) -> None:
        """Halves what is wrong, down to single entries; then, for a while, what could not be seen clearly."""
        wrong: list[Judged] = []
        doubtful: deque[Judged] = deque()

        def sort(judged: Judged) -> None:
            if judged.verdict == "wrong":
                wrong.append(judged)
            elif judged.unclear:
                doubtful.append(judged)

        sort(start)
        while wrong or (doubtful and self.doubtful < MOST_DOUBTFUL):
            if self.finding.is_full:
                break
            judged = wrong.pop() if wrong else doubtful.popleft()
            self.doubtful += judged.verdict != "wrong"
            if judged.probe.size == 1:
                self.single(judged.probe)
                continue
            halves = [self.judged(half) for half in self.split(judged)]
            self.count(judged, halves)
            if judged.verdict == "wrong" and not any(half.explains_more for half in halves):
                others = [half for half in halves if not half.clear]
                if len(others) == 1:  # what is wrong must be there, although it cannot be seen
                    wrong.append(replace(others[0], verdict="wrong"))
                elif self.is_wrong_again(judged):
                    self.finding.groups.append(judged)
                continue
            for half in reversed(halves):  # the left one is looked into first
                sort(half)
        self.unsettled += [part for judged in wrong for part in self.by_arrays(judged.probe)]
        self.unsettled += [judged.probe for judged in doubtful if judged.verdict != "right"]
        self.between += [judged.probe for judged in doubtful if judged.verdict == "right"]

    def is_wrong_again(self, judged: Judged) -> bool:
        """Whether a group without a single wrong derivative is wrong with other steps too.

        Short floats need steps so long that they cross many kinks, and these may look like another slope. There the
        error must be far above the bound, too.
        """
        if self.unit <= U:
            return True
        probe = judged.probe
        again = replace(probe, key=(*probe.key, "again"), v=[OTHER_STEPS * x for x in probe.v])
        return judged.is_far_off and self.judged(again).is_far_off

    def by_arrays(self, probe: Probe) -> Iterator[Probe]:
        """The parts of what may be wrong in which something is, array by array."""
        parts = [
            probe.only(("array", start), columns)
            for _, start, stop in self.inputs.blocks
            if (columns := [j for j in probe.columns if start <= j < stop])
        ]
        if 1 < len(parts) <= MOST_ARRAYS:
            yield from (part for part in parts if not self.judged(part).clear)
        else:
            yield probe

    def split(self, judged: Judged) -> tuple[Probe, Probe]:
        """Two parts of a probe. Kinks are most often where inputs are 0: those come apart first."""
        probe = judged.probe
        guessed = self.guess(judged)
        if guessed:
            return guessed
        if judged.verdict != "wrong":
            zero = [j for j in probe.columns if self.inputs.numbers[j] == 0.0]
            if 0 < len(zero) < len(probe.columns):
                others = [j for j in probe.columns if self.inputs.numbers[j] != 0.0]
                return probe.only(("zero",), zero), probe.only(("others",), others)
        return probe.halves(self.starts)

    def guess(self, judged: Judged) -> tuple[Probe, Probe] | None:
        """Where the wrong entry would be if there were only one, and the rest.

        Once more with weights that grow from 1 to 2 across the inputs, the error grows by what it is multiplied with:
        that tells its place. One wrong entry among 10,000 is found with 8 differences in place of 30.
        """
        probe, error = judged.probe, judged.claimed - judged.difference.value
        count = len(probe.columns)
        if count < 16 or judged.verdict != "wrong" or probe.key in self.several or not abs(error) < math.inf:
            return None
        v = list(probe.v)
        for k, j in enumerate(probe.columns):
            v[j] *= 1.0 + k / count
        ramp = self.judged(replace(probe, key=(*probe.key, "ramp"), v=v))
        place = ((ramp.claimed - ramp.difference.value) / error - 1.0) * count
        doubt = 2.0 + count * 2.0 * (ramp.tolerance + 2.0 * judged.tolerance) / abs(error)
        if not (-doubt <= place <= count + doubt and doubt < count / 8.0):
            return None
        low, high = max(0, round(place - doubt)), min(count, round(place + doubt) + 1)
        rest = [*probe.columns[:low], *probe.columns[high:]]
        return probe.only(("guess", low, high), probe.columns[low:high]), probe.only(("rest", low, high), rest)

    def count(self, judged: Judged, parts: Sequence[Judged]) -> None:
        """Remembers where several entries are wrong, so that the place of one is not guessed there again."""
        first, second = parts
        if second.probe.key[-1][:1] == ("rest",) and first.verdict != "wrong":
            self.several.add(second.probe.key)
        elif judged.probe.key in self.several:
            wrong = [part for part in parts if part.verdict == "wrong"]
            self.several.update(part.probe.key for part in wrong if len(wrong) == 1)

    def single(self, probe: Probe) -> None:
        """One entry, compared with differences in which its input alone is moved."""
        [i], [j] = probe.rows, probe.columns
        if (i, j) in self.finding.found:
            return
        judged = self.compared(i, j)
        self.left_out.add(j)
        if judged.verdict != "right":
            self.finding.found[i, j] = judged

    def samples(self) -> Iterator[str]:
        """Of each array that holds unsettled derivatives a few, one by one, in words."""
        for name, start, stop in self.inputs.blocks[:MOST_FOUND]:
            open_to_doubt = [
                (part.rows[0], j) for part in self.finding.unsettled for j in part.columns if start <= j < stop
            ]
            some = open_to_doubt[:: max(1, len(open_to_doubt) // SAMPLES)][:SAMPLES]
            wrong = sum(self.compared(i, j).verdict == "wrong" for i, j in some)
            if some:
                yield f"of {len(some)} others that were tried in {name}, {wrong} {'is' if wrong == 1 else 'are'} wrong"

    def compared(self, i: int, j: int) -> Judged:
        """One entry and the verdict on it."""
        u, v = unit_vector(i, self.around.m), unit_vector(j, self.around.n)
        claimed = self.claim.product(u, v)
        row = self.claim.weighted(u) if self.exact_to else None
        allowed = self.exact_to * largest_of([claimed] if row is None else row) + self.claim.slack(i, j)
        allowance = partial(self.nearby.allowance, claimed, lambda claim: claim.product(u, v))
        found = self.around.compared(i, j, claimed, self.exact_to, allowed, allowance)
        return Judged(Probe((i, j), u, v, [i], [j]), claimed, *found)

    def judged(self, probe: Probe, at_kink: bool = False) -> Judged:
        """A probe and the verdict on it. At a kink rounding excuses nothing: what is claimed beside it differs."""
        claimed = self.product(self.claim, probe)
        row = self.row(probe)
        parts = [abs(claimed)] if row is None else [row[j] * probe.v[j] for j in probe.columns]
        typical, most = math.hypot(*parts), total([abs(x) for x in parts])
        difference = self.around.along(probe, claimed, 4.0 * self.moves(probe, row))
        slack = 16.0 * self.unit * typical + self.exact_to * most
        if self.claim.slacks:
            slack += total(
                [abs(probe.u[i] * probe.v[j]) * self.claim.slack(i, j) for i in probe.rows for j in probe.columns]
            )
        negligible = max(8.0 * SMALLEST, self.resolution(probe) * typical)
        nearby = partial(self.nearby.allowance, claimed, lambda claim: self.product(claim, probe))
        allowance = float if at_kink else nearby
        verdict, slack = excused(claimed, difference, self.unit, slack, negligible, self.exact_to, allowance)
        return Judged(probe, claimed, difference, verdict, difference.bound + slack + 8.0 * self.unit * abs(claimed))

    def resolution(self, probe: Probe) -> float:
        """How exact differences must be. With short floats: so that a tenth of a typical entry would be seen."""
        return RESOLUTION if self.unit == U else max(self.unit**0.5, 0.1 / math.sqrt(len(probe.columns)))

    def moves(self, probe: Probe, row: Sequence[float] | None) -> float:
        """What the rounding of the moved point does to f, if roundings are independent."""
        if row is None or self.around.noise is None:
            return 0.0
        moved = math.hypot(*[row[j] * self.inputs.numbers[j] for j in probe.columns])
        return float(self.inputs.unit * moved)

    def row(self, probe: Probe, claim: Claim | None = None) -> Sequence[float] | None:
        """What the claim says of the probe's results, for all inputs; the last few are kept."""
        claim = claim or self.claim
        key = (id(claim), id(probe.u), probe.rows[0], probe.rows[-1])
        if key not in self._rows:
            if len(self._rows) > 8:
                self._rows.clear()
            self._rows[key] = claim.weighted(padded(probe.u, probe.rows, self.around.m))
        return self._rows[key]

    def product(self, claim: Claim, probe: Probe) -> float:
        """u'Jv as it is claimed."""
        row = self.row(probe, claim)
        if row is None:
            return claim.product(
                padded(probe.u, probe.rows, self.around.m), padded(probe.v, probe.columns, self.around.n)
            )
        v = probe.v
        return total([row[j] * v[j] for j in probe.columns])


def _sizes(probes: Sequence[Probe]) -> int:
    return sum(probe.size for probe in probes)


def largest_of(numbers: Sequence[float]) -> float:
    """The largest size among them, without what is nan or infinite."""
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


# Directions


def directions(inputs: Any, results: Sequence[float], rng: random.Random) -> Iterator[tuple[list[float], list[float]]]:
    """Weights of the results and of the inputs, DIRECTIONS times.

    Inputs are moved by about the typical size of those in the same array, or by their own if that is larger. In the
    second pair each is moved by its own size, so that a tiny number keeps its sign. The weights of one size differ by
    up to a factor of two: two errors of the same size do not cancel.
    """
    own, common = [], []
    for _, start, stop in inputs.blocks:
        sizes = powers(inputs.numbers[start:stop])
        typical = median_size(sizes)
        own += [size or typical for size in sizes]
        common += [max(size, typical) for size in sizes]
    ours = powers(results)
    typical = median_size(ours)
    for k in range(DIRECTIONS):
        v = [w * size for w, size in zip(random_weights(len(own), rng), own if k == 1 else common, strict=True)]
        u = list(random_weights(len(results), rng)) if len(results) > 1 else [1.0]
        yield ([w / (size or typical) for w, size in zip(u, ours, strict=True)] if k == 1 and len(u) > 1 else u), v


def powers(numbers: Sequence[float]) -> list[float]:
    """The power of two at or below the size of each; 0 for 0."""
    return [math.ldexp(0.5, math.frexp(x)[1]) if x else 0.0 for x in numbers]


def median_size(sizes: Sequence[float]) -> float:
    """The median of those that are not 0, or 1."""
    return median([size for size in sizes if size] or [1.0])


_WEIGHTS = [sign * (1.0 + k / 128.0) for sign in (-1.0, 1.0) for k in range(128)]


def random_weights(count: int, rng: random.Random) -> Iterator[float]:
    """Random numbers between 1 and 2, and between -1 and -2, of few digits, so that steps along them are exact."""
    return map(_WEIGHTS.__getitem__, rng.randbytes(count))  # 40 times as fast as rng.choices at 10^6
