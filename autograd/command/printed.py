"""What does `python -m autograd` say: the equation, the table, the notes, JSON, a caret under a mistake?"""

import math
from typing import Any

from autograd.parsing import Expression, listed
from autograd.steps import Step, describe
from autograd.terminal import WIDTH, aligned, cut, on_one_line, say, width, wrapped
from autograd.testing.agreement import Agreement
from autograd.value import Value

LONGEST_NAME = 14


def show(expression: Expression, root: Value, rows: list[Agreement], steps: list[Step]) -> None:
    """Prints the value, the table, the notes and the steps."""
    text = on_one_line(" ".join(expression.text.split()))
    equation = f"{text} = {root.data}"
    say(equation if width(equation) <= WIDTH else f"value = {root.data}")
    if rows:
        say()
        for line in table(rows):
            say(line)
    names: dict[str, list[str]] = {}
    for row in rows:
        names.setdefault(row.note, []).append(cut(row.name, LONGEST_NAME))
    notes = [noted(names[note], note) for note in names if note]
    for line in [""] * bool(notes) + notes + [""] * bool(steps) + [str(step) for step in steps]:
        say(line)


def noted(names: list[str], note: str) -> str:
    """A note, and the names that it is about."""
    about = listed(names if len(names) <= 3 else [names[0], f"{len(names) - 1} more"])
    return wrapped(f"{about}: {note}", indent="  ")


def table(rows: list[Agreement]) -> list[str]:
    """The lines of the table, of at most 80 columns."""
    cells = [["name", "value", "d/d name", "by differences", "error", "agree"]]
    for row in rows:
        numeric = "-" if math.isnan(row.numeric) else f"{row.numeric:.8g}"
        error = "-" if math.isinf(row.error) else f"{row.error:.0e}" if row.error else "0"
        cells.append([cut(row.name, LONGEST_NAME), f"{row.at:.6g}", f"{row.derivative:.8g}", numeric, error, row.word])
    return aligned(cells, left=(0, 5))


def as_json(expression: Expression, root: Value, rows: list[Agreement], steps: list[Step] | None) -> dict[str, Any]:
    """What `--json` prints: `agree` is null where it cannot be said, and `notes` says why."""
    found: dict[str, Any] = {
        "expression": expression.text,
        "at": {row.name: plain(row.at) for row in rows},
        "value": plain(root.data),
        "derivatives": {row.name: plain(row.derivative) for row in rows},
        "numeric": {row.name: plain(row.numeric) for row in rows},
        "error": {row.name: plain(row.error) for row in rows},
        "agree": {row.name: row.agree for row in rows},
        "notes": {row.name: row.note for row in rows if row.note},
    }
    if steps is not None:
        found["steps"] = [step_as_json(step) for step in steps]
    return found


def step_as_json(step: Step) -> dict[str, Any]:
    """One step of the back-propagation."""
    edges = [
        {
            "slot": edge.slot,
            "parent": describe(edge.parent),
            "local": plain(edge.local),
            "contribution": plain(edge.contribution),
            "before": plain(edge.before),
            "after": plain(edge.after),
        }
        for edge in step.edges
    ]
    return {"number": step.number, "node": describe(step.node), "upstream": plain(step.upstream), "edges": edges}


def plain(x: float) -> float | str:
    """A number as JSON has it: "inf", "-inf" and "nan" are strings."""
    return x if math.isfinite(x) else str(x)


def pointed_at(text: str, column: int) -> list[str]:
    """The expression (of a long one, what is near the column), and a line with a caret under the column."""
    first = max(0, column - 1 - 40) if len(text) > WIDTH - 4 else 0
    last = len(text) if len(text) <= WIDTH - 4 else first + 70
    before, after = on_one_line(text[first : column - 1]), on_one_line(text[column - 1 : last])
    before = "..." * (first > 0) + before
    return [f"  {before}{after}{'...' * (last < len(text))}", f"  {' ' * width(before)}^"]
