"""What did a check find? Every check returns a `Report`: it prints as text, and `to_dict()` is the same for programs.

Checks of derivatives compare them one by one, each in a `Row`, which `python -m autograd` prints too. Their report is a
`GradientReport`. That of `gradcheck`, a `GradcheckReport`, also tells what the graph showed. The reports on rules and
on other engines are in `truth/rule_checks.py` and `engines/report.py`.
"""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, overload

from autograd.reals import real_or_none
from autograd.testing.differences.finite_differences import Difference

WIDTH = 80
"""How wide a line of a report may be."""
LONGEST_LIST = 1_000
"""How many numbers of a point, or of a gradient, `to_dict` writes down."""

Item = TypeVar("Item", covariant=True)


@dataclass(repr=False)
class Report:
    """What a check found. It prints as text; in a notebook too.

    Attributes:
        notes: what else is to be known.
    """

    notes: list[Any] = field(default_factory=list, kw_only=True)

    @property
    def wrong(self) -> list[Any]:
        """What is wrong, one by one."""
        raise NotImplementedError

    @property
    def inconclusive(self) -> list[Any]:
        """What could be neither confirmed nor refuted."""
        return []

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def to_dict(self) -> dict[str, Any]:
        """The report as numbers, texts, lists and dicts, which `json.dumps` accepts.

        Returns:
            a dict with "report", the class's name; "passed"; "wrong" and "inconclusive"; and all attributes. A number
            that is not finite is written as a text: "nan", "inf" or "-inf".

        >>> from autograd.testing import check_gradient
        >>> found = check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0).to_dict()
        >>> found["passed"], found["rows"][0]["derivative"], found["rows"][0]["difference"]["verdict"]
        (True, 12.0, 'smooth')
        """
        judged = {"passed": self.passed, "wrong": self.wrong, "inconclusive": self.inconclusive}
        return {"report": type(self).__name__, **_entries_of(judged), **_entries_of(_attributes(self))}

    def __bool__(self) -> bool:
        return True  # also one of no rows, as when the function is undefined: `if error.report` asks for a report

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def jsonable(x: Any) -> Any:
    """x in the few types that JSON has; what has no such form becomes its text.

    >>> jsonable([1, math.nan, (True, None), {0: -math.inf}, 1j])
    [1, 'nan', [True, None], {'0': '-inf'}, '1j']
    """
    if isinstance(x, Report):
        return x.to_dict()
    if x is None or isinstance(x, str | bool) or type(x) is int:
        return x
    if hasattr(x, "__dataclass_fields__") or hasattr(x, "_asdict"):
        return _entries_of(_attributes(x))
    if isinstance(x, Mapping):
        return _entries_of(x)
    if isinstance(x, list | tuple):
        return [jsonable(item) for item in x[:LONGEST_LIST]]
    number = real_or_none(x)
    if number is None:
        return str(x)
    return number if math.isfinite(number) else str(number)


def _entries_of(items: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): jsonable(item) for key, item in items.items()}


def _attributes(x: Any) -> dict[str, Any]:
    names = x._fields if hasattr(x, "_asdict") else [attribute.name for attribute in fields(x)]
    return {name: getattr(x, name) for name in names}


@dataclass(repr=False)
class Rows(Report, Sequence[Item]):
    """A report that is a sequence of its rows.

    Attributes:
        rows: what was compared.
    """

    rows: list[Item] = field(default_factory=list, kw_only=True)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# Derivatives


@dataclass(frozen=True)
class Row:
    """One derivative: what was claimed, what the differences say, and whether they agree.

    Attributes:
        name: that of the input.
        derivative: what was claimed.
        difference: what finite differences say.
        verdict: "right", "wrong" or "inconclusive"; or "convention", where the function has no derivative in the usual
            sense and none is claimed.
        of, by: what was differentiated, and who says so: "autograd", a user's "gradient", or a framework's pass, such
            as "backward".
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
        return "\n".join(text_of([self]))

    @property
    def numbers(self) -> tuple[str, str]:
        """What was claimed and what the differences say, with so many digits that they can be told apart."""
        derivative, numeric = f"{self.derivative:.10g}", str(self.difference)
        if self.verdict == "wrong" and f"{derivative} +-" in numeric:
            derivative = f"{self.derivative:.17g}"
            for slope in (self.difference.value, self.difference.left.value, self.difference.right.value):
                numeric = numeric.replace(f"{slope:.10g} +-", f"{slope:.17g} +-")
        return derivative, numeric


def text_of(rows: Sequence[Row]) -> Iterator[str]:
    """What is claimed of one derivative, perhaps by several passes of a framework, and what the differences say."""
    verdicts = {row.verdict: f"  ({row.verdict})" * (row.verdict != "right") for row in rows}
    head = f"  d {rows[0].of}/d {rows[0].name}{verdicts[rows[0].verdict] if len(verdicts) == 1 else ''}"
    yield textwrap.fill(head, WIDTH, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)
    for row in rows:
        yield f"    {row.by:<8} {row.numbers[0]}{verdicts[row.verdict] if len(verdicts) > 1 else ''}"
    numeric = rows[0].numbers[1]
    if len(numeric) > WIDTH - 13:
        indent = "\n" + " " * 13
        numeric = numeric.replace(" to the left, ", f" to the left{indent}").replace("  (", f"{indent}(")
    yield f"    numeric  {numeric}"


def grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of one derivative together, if they are compared with the same differences."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault((row.of, row.name, row.numbers[1]), []).append(row)
    return list(groups.values())


def verdicts_on(rows: Sequence[Row]) -> dict[Any, str]:
    """The verdict on each derivative: the worst, if several passes claim it."""
    found: dict[Any, str] = {}
    for row in rows:
        derivative = row.of, row.name
        found[derivative] = min(found.get(derivative, "right"), row.verdict, key=VERDICTS.index)
    return found


VERDICTS = ["wrong", "inconclusive", "convention", "right"]
"""From bad to good."""


@dataclass(repr=False)
class GradientReport(Rows[Row]):
    """The derivatives of a function, each compared with finite differences: a sequence of rows that prints as text.

    Attributes:
        check: what made it, such as "check_gradient".
        function: the function's name.
        point: the numbers at which it was checked.
        rows: the comparisons. Where there are many derivatives, those along random directions, or those that are wrong.
        total: how many derivatives there are in all; 0 if each has a row.
        directions: along how many random directions all of them were checked together; 0 if one by one.
        unsettled: how many others, without a row, may be wrong.
        evaluations: how often the function was called.
        reproduce: a statement that does the check again, or a comment that says why none can be written; "" where
            none is needed.
        notes: what else is to be known.
    """

    check: str
    function: str
    point: list[float]
    total: int = field(default=0, kw_only=True)
    directions: int = field(default=0, kw_only=True)
    unsettled: int = field(default=0, kw_only=True)
    evaluations: int = field(default=0, kw_only=True)
    reproduce: str = field(default="", kw_only=True)

    most_rows: ClassVar[int] = 8
    """How many comparisons are printed."""

    @property
    def inputs(self) -> int:
        """How many numbers the point has."""
        return len(self.point)

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
        verdicts = list(verdicts_on(self.rows).values())
        counts = [f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts)]
        passes = list(dict.fromkeys(row.by for row in self.rows))
        told = [" and ".join(passes)] if len(passes) > 1 else []
        return f"{self.check}: {', '.join([self._counted, *counts, *told])}"

    @property
    def failure(self) -> str:
        """What is wrong, as an error's message."""
        count = len(verdicts_on(self.wrong))
        head = f"{count} of {self._counted} {'is' if count == 1 else 'are'} not what finite differences say"
        return self._text(head, self.wrong)

    @property
    def doubt(self) -> str:
        """What could not be confirmed, as an error's message."""
        head = f"{len(verdicts_on(self.inconclusive))} of {self._counted} could not be confirmed"
        return self._text(head, self.inconclusive)

    @property
    def _counted(self) -> str:
        count = self.total or len(verdicts_on(self.rows))
        along = f" along {self.directions} random directions" if self.directions else ""
        return f"{_counted(count, 'derivative')}{along}"

    def listed(self, rows: Sequence[Row]) -> Iterator[str]:
        """The first rows in words, and how many there are beside."""
        groups = grouped(rows)
        for group in groups[: self.most_rows]:
            yield from text_of(group)
        if len(groups) > self.most_rows:
            yield f"  and {len(groups) - self.most_rows:,} more"

    def _rest(self) -> Iterator[str]:
        """What comes after the rows."""
        if self.unsettled:
            yield f"  {self.unsettled:,} {'other' if self.unsettled == 1 else 'others'} may be wrong too"
        yield from self._noted()
        yield from self._reproduced()

    def _noted(self) -> Iterator[str]:
        for note in self.notes:
            yield textwrap.fill(note, WIDTH, initial_indent="  ", subsequent_indent=" " * 4, break_on_hyphens=False)

    def _reproduced(self) -> Iterator[str]:
        if self.reproduce and (self.wrong or self.inconclusive):
            yield f"  reproduce: {self.reproduce}"

    def _text(self, head: str, rows: Sequence[Row]) -> str:
        return "\n".join([head, *self.listed(rows), *self._rest()])

    def __str__(self) -> str:
        return self._text(self.head, self.rows)


@dataclass(frozen=True)
class Fault:
    """What is wrong apart from the derivatives that have a row.

    Attributes:
        kind: the name of the error that says so, such as "WrongRuleError".
        text: what is wrong, in words.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(repr=False)
class GradcheckReport(GradientReport):
    """What `gradcheck` found: the comparisons with differences, and what the graph showed. It prints as text.

    Attributes:
        names: what the inputs are called.
        value: the function's value at the point.
        nodes, operands: the number of operations in the graph, and of all their operands.
        gradient: the derivative for each input, by `backward()`, or by compiled code.
        rules: how many local derivatives were held against the truth.
        worst_rule: the largest error of one, as a part of what is allowed.
        worst_accumulation: the same for the gradients in the graph.
        adds_up: whether a second `backward()` adds the same again; None if that was not tried.
        confirmed: what else was found to be right, such as "deterministic".
        faults: what is wrong apart from the derivatives that have a row.
        blame: in words, what was found first to be wrong; "" if all is right.
        derivatives: with an order above 1, a report on each derivative as a function of its own.
    """

    names: list[str]
    value: float = field(default=math.nan, kw_only=True)
    nodes: int = field(default=0, kw_only=True)
    operands: int = field(default=0, kw_only=True)
    gradient: list[float] = field(default_factory=list, kw_only=True)
    rules: int = field(default=0, kw_only=True)
    worst_rule: float = field(default=0.0, kw_only=True)
    worst_accumulation: float = field(default=0.0, kw_only=True)
    adds_up: bool | None = field(default=None, kw_only=True)
    confirmed: list[str] = field(default_factory=list, kw_only=True)
    faults: list[Fault] = field(default_factory=list, kw_only=True)
    blame: str = field(default="", kw_only=True)
    derivatives: list["GradcheckReport"] = field(default_factory=list, kw_only=True)

    most_rows: ClassVar[int] = 20

    @property
    def wrong(self) -> list[Any]:
        """The faults, then the derivatives that differences refute."""
        return [*self.faults, *super().wrong]

    @property
    def head(self) -> str:
        """The first line."""
        unclear = f", {len(self.inconclusive)} inconclusive" if self.inconclusive else ""
        return f"{self.check} of {self.where}: {'passed' if self.passed else 'wrong'}{unclear}"

    @property
    def failure(self) -> str:
        """What is wrong, as an error's message: what was found first, and what is right beside it."""
        return "\n".join([self.blame, *self._fine(self.confirmed), *self._noted(), *self._reproduced()])

    def _fine(self, confirmed: list[str]) -> list[str]:
        listed = [*confirmed, *(["a second backward() adds the same again"] if self.adds_up else [])]
        return textwrap.wrap("; ".join(listed), WIDTH, initial_indent="  ", subsequent_indent="  ")

    def __str__(self) -> str:
        lines = [self.head, *map(str, self.faults)]
        if self.directions:
            lines.append(f"  differences of {self._counted}")
        lines += self.listed(self.rows)
        if self.rules:
            lines += [
                f"  rules: {_counted(self.rules, 'local derivative')}, the worst at {self.worst_rule:.2f} of its bound",
                f"  accumulation: {_counted(self.nodes, 'node')}, the worst at {self.worst_accumulation:.2f} of its "
                f"bound",
            ]
        lines += self._fine([what for what in self.confirmed if not what.endswith(" right")])
        return "\n".join([*lines, *self._rest(), *map(str, self.derivatives)])
