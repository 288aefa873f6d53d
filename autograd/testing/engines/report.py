"""What is said about an engine? Claims that are right, wrong or missing, and a report that prints them by topic.

Nothing here knows what the claims are about: `claims_about_operations.py` and `claims_about_graphs.py` make them.
"""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autograd.testing.report import WIDTH, Report

INDENT = " " * 11
NO_BACKWARD = "no backward()"
"""What the claim that there is none is about."""
MANY = 3
"""Up to so many faults of one topic are each shown at length, whatever their cause."""


class Fault(NamedTuple):
    """Where an engine is wrong: the program, what the engine says, what is right, how many operations there are."""

    code: tuple[str, ...]
    yours: str
    expected: str
    size: int = 0
    note: str = ""


class Claim(NamedTuple):
    """One property that an engine should have, and whether this one has it.

    Attributes:
        text: the property.
        verdict: "right", "wrong", "missing", "note", which is neither, or "left out", which was not judged.
        note: a remark, such as which convention the engine follows.
        code: the smallest program found that shows what is wrong, in lines.
        yours, expected: what the engine says and what is right, in words.
        size: how many operations the program has.
        topic: where it stands in the report: "values", "chain rule", ...
        about: the names of `requirements.py` that it bears on: "add", "backward", ...
        seconds: how long it took to judge.
    """

    text: str
    verdict: str
    note: str = ""
    code: tuple[str, ...] = ()
    yours: str = ""
    expected: str = ""
    size: int = 0
    topic: str = ""
    about: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.topic}: {self.with_note()}"

    def with_note(self) -> str:
        """The property and the remark."""
        return f"{self.text} ({self.note})" if self.note else self.text

    def entry(self) -> str:
        """What is wrong, over several lines."""
        lines = textwrap.wrap(self.text, WIDTH - 11, subsequent_indent=INDENT)
        lines += [f"{INDENT}    {line}" for line in self.code]
        for word, text in (("yours", self.yours), ("right", self.expected)):
            lines += textwrap.wrap(f"{INDENT}{word}  {text}", WIDTH, subsequent_indent=" " * 18) if text else []
        return "\n".join(lines + textwrap.wrap(self.note, WIDTH - 11, initial_indent=INDENT, subsequent_indent=INDENT))


def right(text: str, note: str = "", about: tuple[str, ...] = ()) -> Claim:
    """A claim that holds."""
    return Claim(text, "right", note, about=about)


def missing(text: str, note: str = "", about: tuple[str, ...] = ()) -> Claim:
    """What the engine does not offer."""
    return Claim(text, "missing", note, about=about)


def judged(text: str, fault: Fault | None, about: tuple[str, ...] = ()) -> Claim:
    """A claim that holds if there is no fault."""
    return Claim(text, "wrong", **fault._asdict(), about=about) if fault else right(text, about=about)


@dataclass(repr=False)
class EngineReport(Report):
    """What `check_engine` found; it prints as text, by topic.

    Attributes:
        name: the engine's, such as "micrograd.engine:Value".
        claims: all that was judged, in order.
        notes: those that are worth knowing, but neither right nor wrong.
    """

    name: str
    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        self.notes = _of("note", self.claims)

    @property
    def right(self) -> list[Claim]:
        """What the engine does as it should."""
        return _of("right", self.claims)

    @property
    def wrong(self) -> list[Claim]:
        """What it does wrong, each with the smallest program that shows it."""
        return _of("wrong", self.claims)

    @property
    def missing(self) -> list[Claim]:
        """What it does not offer, which is no fault."""
        return _of("missing", self.claims)

    @property
    def inconclusive(self) -> list[Claim]:
        """What was left out: the time was over, or the engine's process was lost too often."""
        return _of("left out", self.claims)

    @property
    def offers_nothing(self) -> bool:
        """Whether there was nothing to judge: no operation, right or wrong."""
        return not any(claim.verdict in ("right", "wrong") for claim in self.claims if claim.topic != "construction")

    @property
    def without_backward(self) -> bool:
        """Whether it has no `backward()`, so that no derivative was judged."""
        return any(NO_BACKWARD in claim.about for claim in self.missing)

    @property
    def borrowed(self) -> bool:
        """Whether it is nothing but somebody else's class."""
        return any("borrowed" in claim.about for claim in self.notes)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong or left out, and there were values and derivatives of its own to judge."""
        doubts = self.inconclusive or self.offers_nothing or self.without_backward or self.borrowed
        return not (self.wrong or doubts)

    def __str__(self) -> str:
        lines = [self.name]
        for topic, group in itertools.groupby(self.claims, lambda claim: claim.topic):
            lines += ["", topic, *_section(list(group))]
        return "\n".join([*lines, "", *textwrap.wrap(self.summary, WIDTH)])

    @property
    def summary(self) -> str:
        """The whole in a sentence or two."""
        counts = f"{len(self.right)} claims are right, {len(self.wrong)} wrong, {len(self.missing)} missing."
        if self.wrong:
            return counts
        if self.inconclusive:
            return f"{counts} What was left out may be wrong."
        if self.offers_nothing:
            return f"{counts} It offers nothing that could be judged."
        if self.without_backward:
            return f"{counts} Its values are right, and no derivative was judged: it has no backward()."
        return f"{counts} {'It is the work of somebody else.' if self.borrowed else 'Nothing is wrong.'}"


def _of(verdict: str, claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.verdict == verdict]


def _section(claims: Sequence[Claim]) -> list[str]:
    """The lines of one topic: what is wrong at length, the rest in a row."""
    lines = _row("right", claims)
    lines += [f"  wrong    {claim.entry()}" for claim in _by_cause(claims)]
    for verdict in REST:
        lines += _row(verdict, claims)
    return [line.replace("\0", " ") for line in lines]


REST = ("missing", "note", "left out")


def _row(verdict: str, claims: Sequence[Claim]) -> list[str]:
    listed = "; ".join(claim._replace(text=_unbroken(claim.text)).with_note() for claim in _of(verdict, claims))
    head = f"  {verdict:<9}"
    return textwrap.wrap(listed, WIDTH, initial_indent=head, subsequent_indent=INDENT, break_on_hyphens=False)


def _by_cause(claims: Sequence[Claim]) -> list[Claim]:
    """The faults of one topic, each with the names of those that it stands for.

    Faults in the same words, such as an exception's, have one cause. If more than half of a topic is wrong, that has
    one cause too, such as a backward pass that spoils every operation. The smallest fault then stands for all.
    """
    wrong = _of("wrong", claims)
    causes: dict[str, list[Claim]] = {}
    for claim in wrong:
        causes.setdefault(claim.text if "=" in claim.yours else claim.yours, []).append(claim)
    if len(causes) > MANY and len(wrong) > len(_of("right", claims)):
        first = min(wrong, key=lambda claim: claim.size)
        return [_standing_for(first, "Also wrong", [claim for claim in wrong if claim is not first])]
    return [_standing_for(first, "The same", others) for first, *others in causes.values()]


def _standing_for(claim: Claim, word: str, others: Sequence[Claim]) -> Claim:
    listed = f"{word}: {'; '.join(_unbroken(other.text) for other in others)}." if others else ""
    return claim._replace(note=" ".join(filter(None, (claim.note, listed))))


def _unbroken(text: str) -> str:
    """A short text, such as `x + y`, with blanks at which no line is broken."""
    return text.replace(" ", "\0") if len(text) < 30 else text
