"""What did a check of derivatives find? One row for each derivative, and a report that prints them.

`gradcheck`, `check_gradient` and the command `python -m autograd` all write a comparison as a `Row`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, overload

from autograd.testing.differences.finite_differences import Difference

WIDTH = 80


@dataclass(frozen=True)
class Row:
    """One derivative: what was claimed, what the differences say, and whether they agree.

    Attributes:
        name: that of the input.
        derivative: what was claimed.
        difference: what finite differences say.
        verdict: "right", "wrong" or "inconclusive"; or "convention", where the function has no derivative in the usual
            sense and none is claimed.
        of, by: what was differentiated, and who says so: "autograd", or a user's "gradient".
        output, input: the places of both in what f returns and in the point, for functions with several.
    """

    name: str
    derivative: float
    difference: Difference
    verdict: str = "right"
    of: str = "f"
    by: str = "autograd"
    output: tuple[Any, ...] = ()
    input: tuple[Any, ...] = ()

    def __str__(self) -> str:
        derivative = f"{self.derivative:.10g}"
        numeric = str(self.difference)
        if self.verdict == "wrong" and f"{derivative} +-" in numeric:  # ten digits do not tell the two apart
            derivative = f"{self.derivative:.17g}"
            for slope in (self.difference.value, self.difference.left.value, self.difference.right.value):
                numeric = numeric.replace(f"{slope:.10g} +-", f"{slope:.17g} +-")
        if len(numeric) > WIDTH - 13:
            indent = "\n" + " " * 13
            numeric = numeric.replace(" to the left, ", f" to the left{indent}").replace("  (", f"{indent}(")
        verdict = "" if self.verdict == "right" else f"  ({self.verdict})"
        return f"  d {self.of}/d {self.name}{verdict}\n    {self.by:<8} {derivative}\n    numeric  {numeric}"


@dataclass
class GradientReport(Sequence[Row]):
    """The derivatives of a function, each compared with finite differences: a sequence of rows that prints as text.

    Attributes:
        check: what made it, such as "check_gradient".
        function: the function's name.
        names, point: the inputs, and the numbers at which they were checked.
        rows: the comparisons.
        compared: for how many inputs there are comparisons; not for all if there are many.
        notes: what else is to be known.
    """

    check: str
    function: str
    names: list[str]
    point: list[float]
    rows: list[Row] = field(default_factory=list)
    compared: int = 0
    notes: list[str] = field(default_factory=list)

    most_rows: ClassVar[int] = 8
    """How many comparisons are printed."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __bool__(self) -> bool:
        return True  # even without rows, as when the function is undefined: `if error.report` asks for a report

    @property
    def inputs(self) -> int:
        """How many numbers the point has."""
        return len(self.names)

    @property
    def wrong(self) -> list[Row]:
        """The derivatives that differences refute."""
        return [row for row in self.rows if row.verdict == "wrong"]

    @property
    def inconclusive(self) -> list[Row]:
        """The derivatives that finite differences could neither confirm nor refute."""
        return [row for row in self.rows if row.verdict == "inconclusive"]

    @property
    def where(self) -> str:
        """The function and the point, in a few words."""
        return f"{self.function} at ({', '.join(f'{x:.10g}' for x in self.point[:6])}{', ...' * (len(self.point) > 6)})"

    @property
    def head(self) -> str:
        """The first line."""
        verdicts = [row.verdict for row in self.rows]
        counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
        return f"{self.check}: {len(self)} {'derivative' if len(self) == 1 else 'derivatives'}, {counts}"

    @property
    def part(self) -> str:
        """What the report says if only some inputs were compared."""
        return f"differences for {self.compared:,} of {self.inputs:,} inputs" if self.compared < self.inputs else ""

    def listed(self, rows: Sequence[Row]) -> Iterable[str]:
        """The first rows in words, and how many there are beside."""
        if self.part:
            yield f"  {self.part}"
        yield from map(str, rows[: self.most_rows])
        if len(rows) > self.most_rows:
            yield f"  and {len(rows) - self.most_rows} more"

    def __str__(self) -> str:
        return "\n".join([self.head, *self.listed(self.rows), *(f"  {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


@dataclass(repr=False)
class Report(GradientReport):
    """What `gradcheck` found: the comparisons with differences, and what the graph showed. It prints as text.

    Attributes:
        value: the function's value at the point.
        nodes, operands: the number of operations in the graph, and of all their operands.
        gradient: the derivative for each input, by `backward()`, or by compiled code.
        rules: how many local derivatives were held against the truth.
        worst_rule: the largest error of one, as a part of what is allowed.
        worst_accumulation: the same for the gradients in the graph.
        adds_up: whether a second `backward()` adds the same again.
        derivatives: with an order above 1, a report on each derivative as a function of its own.
    """

    value: float = float("nan")
    nodes: int = 0
    operands: int = 0
    gradient: list[float] = field(default_factory=list)
    rules: int = 0
    worst_rule: float = 0.0
    worst_accumulation: float = 0.0
    adds_up: bool = True
    derivatives: list["Report"] = field(default_factory=list)

    most_rows: ClassVar[int] = 20

    @property
    def head(self) -> str:
        """The first line."""
        return f"gradcheck of {self.where}: passed"

    @property
    def part(self) -> str:
        """What the report says if only some inputs were compared."""
        some = super().part
        return f"{some}, and for all of them moved together" if some else ""

    def __str__(self) -> str:
        lines = [self.head, *self.listed(self.rows)]
        if self.rules:
            lines += [
                f"  rules: {self.rules} local derivatives, the worst at {self.worst_rule:.2f} of its bound",
                f"  accumulation: {self.nodes} nodes, the worst at {self.worst_accumulation:.2f} of its bound",
            ]
        twice = "; a second backward() adds the same again" if self.adds_up else ""
        lines += [f"  inputs untouched; deterministic{twice}", *(f"  {note}" for note in self.notes)]
        return "\n".join([*lines, *map(str, self.derivatives)])
