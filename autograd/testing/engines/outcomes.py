"""What is said of many engines? A table, and the same as JSON and as JUnit's XML."""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from autograd.terminal import aligned, on_one_line, width, wrapped
from autograd.testing.engines.finding import is_file
from autograd.testing.engines.report import NO_BACKWARD, Claim, EngineReport
from autograd.testing.engines.requirements import standing, wrong_by_weight

WIDTH = 80
LONGEST_NAME = 26
LINES = 3
"""So many lines of the table one remark may take."""
MOST_COMMON, NAMED = 6, 3
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What may not stand in XML, not even as a reference."""


class Outcome(NamedTuple):
    """What became of one submission.

    Attributes:
        engine: FILE.py:CLASS or MODULE:CLASS.
        report: what was found, or None if it could not be judged.
        sentence: why it could not.
        seconds: how long that took.
        required: what is required, by name.
        known: the verdict, where it does not follow from the others.
    """

    engine: str
    report: EngineReport | None
    sentence: str
    seconds: float
    required: tuple[str, ...]
    known: str = ""

    @property
    def standings(self) -> dict[str, str]:
        """Whether each thing that is required is right, wrong, missing or left out."""
        return {name: standing(self.report.claims, name) for name in self.required} if self.report else {}

    @property
    def verdict(self) -> str:
        """ "right", "wrong", "missing", "borrowed", "left out", "nothing" to judge, "no engine" or "not judged"."""
        if self.report is None:
            return self.known or "not judged"
        if self.report.borrowed:
            return "borrowed"
        if self.required:
            return next((word for word in ("wrong", "left out", "missing") if word in self.standings.values()), "right")
        if self.report.passed:
            return "right"
        if self.report.wrong or self.report.inconclusive:
            return "wrong" if self.report.wrong else "left out"
        return "nothing" if self.report.offers_nothing else "missing"

    @property
    def remark(self) -> str:
        """What is wrong first; where nothing is, what else should be known."""
        if self.report is None:
            said = self.sentence.removeprefix(self.engine.rpartition(":")[0]).strip()
            return said.removeprefix("cannot be imported: ").removeprefix("cannot be imported, since ")
        told = [claim.note for claim in self.report.inconclusive] if self.verdict != "wrong" else []
        told += [claim.with_note() for claim in self.report.notes if claim.topic == "engine"]
        return "; ".join(filter(None, (self._reason(self.report), *told, self._not_required(self.report))))

    def _reason(self, report: EngineReport) -> str:
        if self.verdict == "nothing":
            return "it offers nothing that could be judged"
        lacking = [claim for claim in report.missing if NO_BACKWARD in claim.about]
        if self.verdict == "missing" and lacking:
            near = f" ({lacking[0].note})" if lacking[0].note else ""
            return f"no backward(), so that no derivative was judged{near}"
        if self.verdict == "missing":
            return "required: " + ", ".join(name for name, word in self.standings.items() if word == "missing")
        found = wrong_by_weight(report.claims, self.required) if self.verdict == "wrong" else []
        return f"{_told(found[0])}{f' (+ {len(found) - 1} more)' if found[1:] else ''}" if found else ""

    def _not_required(self, report: EngineReport) -> str:
        if not self.required:
            return ""
        bearing = wrong_by_weight(report.claims, self.required)
        others = [claim for claim in wrong_by_weight(report.claims, ()) if claim not in bearing]
        more = f" (+ {len(others) - NAMED} more)" if others[NAMED:] else ""
        return f"not required, wrong: {', '.join(claim.text for claim in others[:NAMED])}{more}" if others else ""

    def to_dict(self) -> dict[str, Any]:
        """All that is known, as JSON has it."""
        return {
            "engine": self.engine,
            "verdict": self.verdict,
            "remark": self.remark,
            "seconds": round(self.seconds, 3),
            "required": self.standings,
            "sentence": self.sentence,
            "report": self.report.to_dict() if self.report else None,
        }


def _told(claim: Claim) -> str:
    how = "" if " = " in claim.yours else f": {claim.yours}"  # it raises something, or does not end
    return f"{claim.topic}: {claim.text}{how}"


def passed(outcomes: Sequence[Outcome]) -> bool:
    """Whether all are right. Files that have no engine are left out, where others have one."""
    verdicts = {outcome.verdict for outcome in outcomes} - {"no submission"}
    return verdicts == {"right"}


def without_helpers(outcomes: Sequence[Outcome], found_by_pattern: Collection[str]) -> list[Outcome]:
    """The outcomes where a file that a pattern has found, and that has no engine, is "no submission"."""
    some = any(outcome.report for outcome in outcomes)
    helps = [some and each.known == "no engine" and each.engine in found_by_pattern for each in outcomes]
    return [
        each._replace(known="no submission" if helper else "" if each.known == "no engine" else each.known)
        for each, helper in zip(outcomes, helps, strict=True)
    ]


# The table


def table_of(outcomes: Sequence[Outcome], columns: int = WIDTH) -> str:
    """A line for each submission: its name, the verdict, what is wrong first, the seconds; and the sum of them."""
    names = _names([outcome.engine for outcome in outcomes])
    rows = [("submission", "verdict", "what is wrong first", "s")]
    fixed = [(name, each.verdict, "", f"{each.seconds:.1f}") for name, each in zip(names, outcomes, strict=True)]
    left = columns - 6 - sum(max(width(row[k]) for row in (*rows, *fixed)) for k in (0, 1, 3))
    for (name, verdict, _, seconds), outcome in zip(fixed, outcomes, strict=True):
        first, *rest = _in_lines(on_one_line(outcome.remark), left)
        rows += [(name, verdict, first, seconds), *(("", "", line, "") for line in rest)]
    head, *lines = aligned(rows, left=(0, 1, 2))
    said = ", ".join(f"{n} {verdict}" for verdict, n in Counter(each.verdict for each in outcomes).most_common())
    required = f" Required: {', '.join(outcomes[0].required)}." if outcomes[0].required else ""
    total = f"{len(outcomes)} submissions: {said}.{required}"
    rule = "-" * max(map(width, (head, *lines)))
    return "\n".join([head, rule, *lines, "", wrapped(total), *_common(outcomes)])


def _common(outcomes: Sequence[Outcome]) -> list[str]:
    """What is wrong in more than one submission, the most frequent first."""
    reports = [outcome.report for outcome in outcomes if outcome.report]
    counts = Counter(text for report in reports for text in dict.fromkeys(f"{c.topic}: {c.text}" for c in report.wrong))
    return [
        _cut(f"{n} of {len(reports)}: {on_one_line(text)}", WIDTH)
        for text, n in counts.most_common(MOST_COMMON)
        if n > 1
    ]


def _in_lines(text: str, columns: int) -> list[str]:
    """The text in at most LINES lines."""
    lines = textwrap.wrap(text, columns) or [""]
    if any(width(line) > columns for line in lines):  # wide characters
        return [_cut(text, columns)]
    return [*lines[: LINES - 1], _cut(" ".join(lines[LINES - 1 :]), columns)] if lines[LINES:] else lines


def _names(engines: Sequence[str]) -> list[str]:
    """As short as tells them apart: the file's name, or its path."""
    parts = [engine.rpartition(":") for engine in engines]
    files = [Path(place).name if is_file(place) else place for place, _, _ in parts]
    counts, places = Counter(files), Counter(place for place, _, _ in parts)
    names = [
        file if counts[file] == 1 else place if places[place] == 1 else engine
        for file, (place, _, _), engine in zip(files, parts, engines, strict=True)
    ]
    return [_cut(on_one_line(name), LONGEST_NAME) for name in names]


def _cut(text: str, most: int) -> str:
    """The text in at most so many columns, with dots for what is left out at its end."""
    if width(text) <= most:
        return text
    kept = text[:most]
    while kept and width(kept) > most - 3:
        kept = kept[:-1]
    return f"{kept.rstrip()}..."


# For programs


def as_json(outcomes: Sequence[Outcome]) -> str:
    """All outcomes with their reports."""
    required = list(outcomes[0].required) if outcomes else []
    whole = {"passed": passed(outcomes), "required": required, "submissions": [each.to_dict() for each in outcomes]}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def as_junit(outcomes: Sequence[Outcome]) -> bytes:
    """The XML that continuous integration reads: a testsuite for each submission, a testcase for each claim.

    A claim that is wrong is a failure if it bears on what is required, and is skipped, with its words, if it does not.
    A submission that could not be judged has one testcase, an error.
    """
    suites = [_suite(place, outcome) for place, outcome in enumerate(outcomes)]
    root = ElementTree.Element("testsuites", name="autograd.testing")
    for count in "tests", "failures", "errors":
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", f"{sum(outcome.seconds for outcome in outcomes):.3f}")
    root.extend(suites)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _suite(place: int, outcome: Outcome) -> ElementTree.Element:
    cases = _cases(outcome)
    counts = Counter(child.tag for case in cases for child in case)
    suite = ElementTree.Element("testsuite", name=_xml(outcome.engine), id=str(place), tests=str(len(cases)))
    for name, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        suite.set(name, str(counts[tag]))
    suite.set("time", f"{outcome.seconds:.3f}")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {"verdict": outcome.verdict, "remark": outcome.remark, **outcome.standings}.items():
        ElementTree.SubElement(properties, "property", name=_xml(name), value=_xml(value))
    suite.extend(cases)
    return suite


def _cases(outcome: Outcome) -> list[ElementTree.Element]:
    engine = _xml(outcome.engine)
    if outcome.report is None:
        case = ElementTree.Element("testcase", classname=engine, name="can be judged", time=f"{outcome.seconds:.3f}")
        if outcome.verdict == "no submission":
            ElementTree.SubElement(case, "skipped", message=_xml(outcome.sentence))
        else:
            ElementTree.SubElement(case, "error", message=_xml(outcome.sentence), type="CannotBeJudged")
        return [case]
    cases = [_case(engine, claim, outcome.required) for claim in outcome.report.claims if claim.verdict != "note"]
    if outcome.verdict in ("borrowed", "missing", "nothing") and not (
        outcome.required and outcome.verdict == "missing"
    ):
        case = ElementTree.Element("testcase", classname=engine, name="is an engine", time="0")
        ElementTree.SubElement(case, "failure", message=_xml(outcome.remark), type=outcome.verdict)
        cases.append(case)
    return cases + [_case_of_requirement(engine, name, word) for name, word in outcome.standings.items()]


def _case(engine: str, claim: Claim, required: Sequence[str]) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"{engine}.{claim.topic}", name=_xml(claim.text))
    case.set("time", f"{claim.seconds:.3f}")
    counts = claim.verdict == "wrong" and bool(wrong_by_weight([claim], required))
    if counts or (claim.verdict == "left out" and not required):
        failure = ElementTree.SubElement(
            case, "failure", message=_xml(claim.yours or claim.note or claim.text), type=claim.verdict
        )
        failure.text = _xml(claim.entry())
    elif claim.verdict != "right":
        words = claim.yours if claim.verdict == "wrong" else claim.note
        ElementTree.SubElement(case, "skipped", message=_xml(f"{claim.verdict}: {words or claim.text}"))
    return case


def _case_of_requirement(engine: str, name: str, word: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"{engine}.required", name=name, time="0")
    if word != "right":
        ElementTree.SubElement(case, "failure", message=f"{name} is {word}", type=word)
    return case


def _xml(text: str) -> str:
    """The text with escapes in place of what XML cannot hold."""
    return NOT_XML.sub(lambda found: repr(found[0])[1:-1], text)
