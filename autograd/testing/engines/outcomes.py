"""What is said of many engines? A table, and the same as JSON and as JUnit's XML."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from autograd.terminal import aligned, on_one_line, width, wrapped
from autograd.testing.engines.finding import is_file
from autograd.testing.engines.report import Claim, EngineReport
from autograd.testing.engines.requirements import first_wrong, standing

WIDTH = 80
LONGEST_NAME = 26
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
    """

    engine: str
    report: EngineReport | None
    sentence: str
    seconds: float
    required: tuple[str, ...]

    @property
    def standings(self) -> dict[str, str]:
        """Whether each thing that is required is right, wrong, missing or left out."""
        return {name: standing(self.report.claims, name) for name in self.required} if self.report else {}

    @property
    def verdict(self) -> str:
        """ "right", "wrong", "missing", "left out", "nothing" to judge, or "not judged"."""
        if self.report is None:
            return "not judged"
        if self.required:
            return next((word for word in ("wrong", "left out", "missing") if word in self.standings.values()), "right")
        if self.report.passed:
            return "right"
        return "wrong" if self.report.wrong else "left out" if self.report.inconclusive else "nothing"

    @property
    def remark(self) -> str:
        """What is wrong first; where nothing is, what else should be known."""
        if self.report is None:
            return self.sentence.removeprefix(self.engine.rpartition(":")[0]).strip()
        if self.verdict == "nothing":
            return "it offers nothing that could be judged"
        if self.verdict == "missing":
            return "required: " + ", ".join(name for name, word in self.standings.items() if word == "missing")
        found = first_wrong(self.report.claims, self.required) if self.verdict == "wrong" else None
        if found:
            how = "" if " = " in found.yours else f": {found.yours}"  # it raises something, or does not end
            return f"{found.topic}: {found.text}{how}"
        told = self.report.inconclusive or [claim for claim in self.report.notes if claim.topic == "engine"]
        return "; ".join(claim.note if claim.verdict == "left out" else claim.text for claim in told)

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


def passed(outcomes: Sequence[Outcome]) -> bool:
    """Whether all are right."""
    return all(outcome.verdict == "right" for outcome in outcomes)


# The table


def table_of(outcomes: Sequence[Outcome]) -> str:
    """A line for each submission: its name, the verdict, what is wrong first, the seconds; and the sum of them."""
    names = _names([outcome.engine for outcome in outcomes])
    head = ("submission", "verdict", "what is wrong first", "s")
    rows = [
        (name, outcome.verdict, on_one_line(outcome.remark), f"{outcome.seconds:.1f}")
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    left = WIDTH - 6 - sum(max(width(row[k]) for row in (head, *rows)) for k in (0, 1, 3))
    cut = [(name, verdict, _cut(remark, left), seconds) for name, verdict, remark, seconds in rows]
    first, *lines = aligned([head, *cut], left=(0, 1, 2))
    counts = Counter(outcome.verdict for outcome in outcomes)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    total = f"{len(outcomes)} submissions: {said}."
    required = f" Required: {', '.join(outcomes[0].required)}." if outcomes[0].required else ""
    return "\n".join([first, "-" * max(map(width, (first, *lines))), *lines, "", wrapped(total + required)])


def _names(engines: Sequence[str]) -> list[str]:
    """As short as tells them apart: the file's name, or its path, cut from the left."""
    parts = [engine.rpartition(":") for engine in engines]
    files = [Path(place).name if is_file(place) else place for place, _, _ in parts]
    classes = [f"{file}:{name}" for file, (_, _, name) in zip(files, parts, strict=True)]
    names = next((short for short in (files, classes) if len(set(short)) == len(set(engines))), engines)
    return [_cut(on_one_line(name), LONGEST_NAME, keep_end=True) for name in names]


def _cut(text: str, most: int, keep_end: bool = False) -> str:
    """The text in at most so many columns, with dots for what is left out at its end, or at its beginning."""
    if width(text) <= most:
        return text
    kept = text[-most:] if keep_end else text[:most]
    while kept and width(kept) > most - 3:
        kept = kept[1:] if keep_end else kept[:-1]
    return f"...{kept}" if keep_end else f"{kept.rstrip()}..."


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
        case = ElementTree.Element("testcase", classname=engine, name="can be judged", time="0")
        ElementTree.SubElement(case, "error", message=_xml(outcome.sentence), type="CannotBeJudged")
        return [case]
    cases = [_case(engine, claim, outcome.required) for claim in outcome.report.claims if claim.verdict != "note"]
    return cases + [_case_of_requirement(engine, name, word) for name, word in outcome.standings.items()]


def _case(engine: str, claim: Claim, required: Sequence[str]) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"{engine}.{claim.topic}", name=_xml(claim.text), time="0")
    counts = claim.verdict == "wrong" and first_wrong([claim], required) is not None
    if counts or (claim.verdict == "left out" and not required):
        failure = ElementTree.SubElement(case, "failure", message=_xml(claim.yours or claim.note), type=claim.verdict)
        failure.text = _xml(claim.entry())
    elif claim.verdict != "right":
        words = claim.yours if claim.verdict == "wrong" else claim.note
        ElementTree.SubElement(case, "skipped", message=_xml(f"{claim.verdict}: {words}"))
    return case


def _case_of_requirement(engine: str, name: str, word: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"{engine}.required", name=name, time="0")
    if word != "right":
        ElementTree.SubElement(case, "failure", message=f"{name} is {word}", type=word)
    return case


def _xml(text: str) -> str:
    """The text with escapes in place of what XML cannot hold."""
    return NOT_XML.sub(lambda found: repr(found[0])[1:-1], text)
