"""Is an engine's answer to one program right, and if not, what is said of it?

A program is text. The lines that a report prints are the lines that the engine has run.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.reals import shown
from autograd.terminal import visible
from autograd.testing.engines.process import Question
from autograd.testing.engines.report import Fault
from autograd.testing.engines.running import LINES, LINES_PER_OPERATION
from autograd.testing.engines.their_side import Answer
from autograd.testing.engines.truth import Number, Truth

BACKWARD = "y.backward()"
RESULT = re.compile(r"(y|t\d+) = ")


class Part(NamedTuple):
    """Lines after which `y` is right, and after `y.backward()` the gradients of the inputs."""

    code: tuple[str, ...]
    truth: Truth


class Program(NamedTuple):
    """Code in one or more parts, and how many operations it has.

    Only the last part is in question: what is wrong before it belongs to another claim.
    """

    parts: tuple[Part, ...]
    size: int
    patience: float = 1.0

    @property
    def trial(self) -> "Trial":
        """The program as a question, and how its answer is judged."""
        steps = [step for part in self.parts for step in _steps(part)]
        lines = LINES + LINES_PER_OPERATION * self.size
        return Trial(Question(steps, lines, self.patience), self.fault)

    def fault(self, answer: Answer) -> Fault | None:
        """What is wrong with an engine's value or gradients."""
        code: tuple[str, ...] = ()
        done = 0
        for part in self.parts:
            entries = answer[done : done + len(_steps(part))]
            done += len(entries)
            if found := _fault_in_part(part, (*code, *part.code), entries):
                return found._replace(size=self.size) if part is self.parts[-1] else None
            code = (*code, *part.code, BACKWARD)
        return None


class Trial(NamedTuple):
    """A question, and how its answer is judged."""

    question: Question
    fault: Callable[[Answer], Fault | None]


def program(code: Sequence[str], truth: Truth, size: int, patience: float = 1.0) -> Program:
    """A program of one part."""
    return Program((Part(tuple(code), truth),), size, patience)


def do(code: Sequence[str]) -> dict[str, Any]:
    """The step that runs lines; each name that they give a value must then hold a number of theirs."""
    names = [found[1] for line in code if (found := RESULT.match(line))]
    return {"do": "\n".join(code), "theirs": names}


def read(text: str) -> dict[str, Any]:
    """The step that reads a number."""
    return {"read": text}


def _steps(part: Part) -> list[dict[str, Any]]:
    steps = [do(part.code), read("y.data")]
    if part.truth.gradients:
        steps += [{"do": BACKWARD}, *(read(f"x{place}.grad") for place in range(len(part.truth.gradients)))]
    return steps


def _fault_in_part(part: Part, code: tuple[str, ...], answer: Answer) -> Fault | None:
    """What is wrong in the answer to one part; `code` is what has been run until then."""
    value, gradients = part.truth
    names = ["y.data", "y.data", *(["x0.grad"] if gradients else ()), *(f"x{i}.grad" for i in range(len(gradients)))]
    truths = [value, value, *gradients[:1], *gradients]
    for place, entry in enumerate(answer):
        failed = "error" in entry
        if failed or ("number" in entry and not truths[place].admits(entry["number"])):
            lines = (*code, BACKWARD) if place >= 2 else code
            yours = refusal(entry, lines) if failed else f"{names[place]} = {said(entry)}"
            return Fault(lines, yours, f"{names[place]} = {truths[place]}")
    return None


def said(entry: dict[str, Any]) -> str:
    """An engine's number, or whatever else it has given, in words."""
    number = entry["number"]
    return f"{number:.12g}" if number is not None else _told(entry)


def _told(entry: dict[str, Any]) -> str:
    return shown_text(f"{entry.get('shown')} ({entry.get('type')})")


def refusal(entry: dict[str, Any], code: Sequence[str] = ()) -> str:
    """What became of a step that failed, in words."""
    kind, text = entry["error"], entry.get("text", "")
    if kind == "NotTheirs":
        (line, *_) = [line for line in code if line.startswith(f"{text} = ")] or [f" = {text}"]
        return f"{line.partition(' = ')[2]} gives {_told(entry)}, which has no history"
    if kind in ("Lost", "TooLongError"):
        return shown_text(text)
    return "raises " + error_of(entry)


def error_of(entry: dict[str, Any]) -> str:
    """The exception and its words."""
    text = shown_text(entry.get("text", ""))
    return f"{entry['error']}: {text}" if text else str(entry["error"])


def shown_text(text: Any) -> str:
    """Words from their process, which may be anything."""
    return visible(text if isinstance(text, str) else shown(text))


def is_a(entry: dict[str, Any], *kinds: str) -> bool:
    """Whether a step failed with one of Python's own exceptions of these kinds."""
    return "error" in entry and any(kind in entry.get("bases", ()) for kind in kinds)


def reading(code: tuple[str, ...], text: str, name: str, right: float) -> Trial:
    """A trial of one number; `name` is what it is called in the report, such as "x0.grad = "."""
    number = Number(right)

    def fault(answer: Answer) -> Fault | None:
        entry = answer[-1]
        expected = f"{name}{right!r}"
        if "error" in entry:
            return Fault(code, refusal(entry, code), expected)
        return None if number.admits(entry["number"]) else Fault(code, f"{name}{said(entry)}", expected)

    steps = [{"do": "\n".join(code)}] if name else []
    return Trial(Question([*steps, read(text)], LINES), fault)
