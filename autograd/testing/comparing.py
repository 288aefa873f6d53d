"""What do finite differences say of the derivatives that are claimed? The rows of a report, and its notes.

A few derivatives are compared one by one, many along random directions (`probes.py`).
"""

import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import partial

from autograd.testing.claims import Claim, unit_vector
from autograd.testing.differences.finite_differences import Difference
from autograd.testing.probes import DIRECTIONS, Finding, Judged, Probe, Search, largest_of
from autograd.testing.report import GradientReport, Row
from autograd.testing.rounded_inputs import Nearby
from autograd.testing.surroundings import Surroundings


class Comparison:
    """All claims about one function, beside its differences.

    Arguments:
        around: the differences.
        claims: the derivatives in question.
        near_misses: for each claim, what is claimed a few ulp away.
        exact_to: how exact they are meant to be.
        rng: chooses the random directions; by default they are the same each time.
    """

    def __init__(
        self,
        around: Surroundings,
        claims: Sequence[Claim],
        near_misses: Sequence[Nearby],
        exact_to: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self.around, self.claims, self.near_misses, self.exact_to = around, claims, near_misses, exact_to
        self.inputs, self.outputs = around.inputs, around.outputs
        self.rng = rng or random.Random(0)
        self.single: dict[int, tuple[int, int]] = {}  # the result and the input of each row of a single derivative

    def fill(self, report: GradientReport, one_by_one: bool) -> None:
        """Adds a row for each derivative, or for what probes found; and the notes on them."""
        if one_by_one:
            report.rows += self.one_by_one()
        else:
            self.probe(report)
        report.notes += self.in_common(report.wrong)
        report.notes += [note for claim in self.claims for note in claim.notes]
        report.notes = list(dict.fromkeys(report.notes))  # two claims may say the same

    def one_by_one(self) -> Iterator[Row]:
        """Each derivative has a row. Input by input: f is called once for all its results."""
        m, n = self.around.m, self.around.n
        claimed = [claim.entries() for claim in self.claims]
        largest = [[largest_of(numbers[i * n : (i + 1) * n]) for i in range(m)] for numbers in claimed]
        for j in range(n):
            for k in range(j, m * n, n):
                for claim, numbers, sizes, nearby in zip(self.claims, claimed, largest, self.near_misses, strict=True):
                    allowance = partial(nearby.allowance_of_entry, numbers[k], k)
                    allowed = self.exact_to * sizes[k // n] + claim.slack(k // n, j)
                    found = self.around.compared(k // n, j, numbers[k], self.exact_to, allowed, allowance)
                    yield self.row(claim, k // n, j, numbers[k], *found)

    def row(self, claim: Claim, i: int, j: int, claimed: float, difference: Difference, verdict: str) -> Row:
        """One derivative."""
        of, output, place = f"f{self.outputs.names[i]}", self.outputs.places[i], self.inputs.place(j)
        row = Row(self.inputs.name(j), claimed, difference, verdict, of, claim.name, output, place)
        self.single[id(row)] = i, j
        return row

    def probe(self, report: GradientReport) -> None:
        """What probes of all derivatives together found."""
        report.total, report.directions = self.around.m * self.around.n, DIRECTIONS
        seed = self.rng.getrandbits(64)  # the same directions for all claims: shared differences
        for claim, nearby in zip(self.claims, self.near_misses, strict=True):
            search = Search(self.around, claim, nearby, self.exact_to, random.Random(seed))
            found = search.run()
            single = [
                self.row(claim, i, j, one.claimed, one.difference, one.verdict) for (i, j), one in found.found.items()
            ]
            together = [self.together(claim, one) for one in (found.groups or found.whole)]
            report.rows += single if found.wrong and not found.groups else single + together
            report.unsettled = max(report.unsettled, sum(part.size for part in [*found.unsettled, *found.strange]))
            report.notes += self.said(found, search)

    def together(self, claim: Claim, judged: Judged) -> Row:
        """Many derivatives along one direction."""
        probe = judged.probe
        of = "f" if self.around.m == 1 else f"({len(probe.rows):,} results of f, with random weights)"
        name = f"({len(probe.columns):,} inputs, random direction {probe.key[0] + 1})"
        return Row(name, judged.claimed, judged.difference, judged.verdict, of, claim.name)

    def all_together(self) -> Row:
        """What is claimed first, as all inputs are moved by the same distance, and the first result."""
        n, claim = self.around.n, self.claims[0]
        search = Search(self.around, claim, self.near_misses[0], self.exact_to, self.rng)
        judged = search.judged(Probe(("all together",), [1.0], [1.0] * n, range(1), range(n)))
        return Row("all together", judged.claimed, judged.difference, judged.verdict, "f", claim.name)

    def through_kinks(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Wrong rows of inputs at whose kinks each derivative for itself lies between two slopes.

        For max(x, y) at x == y that is so for (1, 1), but together they are twice what f changes along (1, 1). Looked
        at is only what bends the same way at all its kinks: there each right choice of derivatives is right in all
        directions. In abs(x) - 2 * relu(y) the usual ones, 0 and 0, are not, and nobody calls them wrong.
        """
        kinks: dict[tuple[str, int], list[tuple[int, float]]] = {}
        for row in rows:
            if row.difference.verdict == "kink" and id(row) in self.single:
                i, j = self.single[id(row)]
                kinks.setdefault((row.by, i), []).append((j, row.difference.right.value - row.difference.left.value))
        for number, claim in enumerate(self.claims):
            search = Search(self.around, claim, self.near_misses[number], self.exact_to, self.rng)
            for i in range(self.around.m):
                found = kinks.get((claim.name, i), [])
                if len(found) > 1 and (all(bend > 0.0 for _, bend in found) or all(bend < 0.0 for _, bend in found)):
                    yield from self.wrong_together(search, i, [j for j, _ in found])

    def wrong_together(self, search: Search, i: int, columns: Sequence[int]) -> Iterator[Row]:
        """What is claimed of a result as some inputs are moved by the same distance, up or each its own way."""
        n, names = self.around.n, ", ".join(self.inputs.name(j) for j in columns[:3])
        names += f" and {len(columns) - 3} more" if len(columns) > 3 else ""
        ways = [("up", [1.0] * n), ("up or down", self.rng.choices([1.0, -1.0], k=n))]
        for way, v in ways:
            probe = Probe(("kinks", i, way), unit_vector(i, self.around.m), v, [i], columns)
            judged = search.judged(probe, at_kink=True)
            if judged.verdict == "wrong":
                of = f"f{self.outputs.names[i]}"
                name = f"({names} together, each moved {way})"
                yield Row(name, judged.claimed, judged.difference, "wrong", of, search.claim.name)

    def said(self, found: Finding, search: Search) -> Iterator[str]:
        """What is to be known beside the rows."""
        if found.strange:
            yield f"nan or infinite, and not looked into: {self.among(found.strange)}"
        if found.unsettled:
            yield f"what else may be wrong: {self.among(found.unsettled)}"
            yield from search.samples() if found.wrong else ()
        elif found.wrong and not found.strange:
            yield f"all others are right along {DIRECTIONS} random directions"
        if found.between:
            yield f"at kinks, where derivatives are only known to lie between two slopes: {self.among(found.between)}"
        if math.isfinite(found.blind):
            yield f"an error of one derivative below {found.blind:.1g} could not be seen"

    def in_common(self, wrong: Sequence[Row]) -> Iterator[str]:
        """The row, or the column, in which all wrong derivatives lie."""
        found = [
            self.inputs.index(j) for j in sorted({self.single[id(row)][1] for row in wrong if id(row) in self.single})
        ]
        if len(found) < 3 or len({name for name, _, _ in found}) > 1:
            return
        name, shape, first = found[0]
        shared = [len({indices[axis] for _, _, indices in found}) == 1 < length for axis, length in enumerate(shape)]
        if any(shared):
            part = ", ".join(str(k) if is_shared else ":" for k, is_shared in zip(first, shared, strict=True))
            word = f", {('row', 'column')[shared.index(True)]} {first[shared.index(True)]}" if len(shape) == 2 else ""
            yield f"all wrong ones that were found lie in {name}[{part}]{word}"

    def among(self, parts: Sequence[Probe]) -> str:
        """Which arrays of the point these belong to, and how many numbers of each."""
        columns = sorted({j for part in parts for j in part.columns})
        counts = [
            (name, bisect_left(columns, stop) - bisect_left(columns, start)) for name, start, stop in self.inputs.blocks
        ]
        named = [f"{count:,} of {name}" if name else f"{count:,}" for name, count in counts if count]
        return ", ".join([*named[:8], *([f"and {len(named) - 8:,} more"] if len(named) > 8 else [])])
