"""The command `python -m autograd`: the value of an expression, its derivatives, and whether differences agree.

python -m autograd "tanh(a*b) + c" --at a=2 b=-3 c=10

The expression is read by `expressions.py` and never executed as Python. Every derivative is computed twice, by
back-propagation and by finite differences, which know nothing of the rules and have an error bound of their own
(`testing/differences.py`).
"""

import argparse
import json
import math
import os
import subprocess
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from autograd.graph import interior
from autograd.parsing import Expression, ExpressionError, listed, parse
from autograd.reals import shown
from autograd.steps import Step, backward_steps, describe
from autograd.testing.differences.finite_differences import Difference, difference_at, finite_difference, judge
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.differences.step_sizes import Slope
from autograd.text import visible
from autograd.value import Value, apply

PROGRAM = "python -m autograd"
HELP = f"""\
{PROGRAM} EXPRESSION --at NAME=NUMBER ...

The value of an expression, and its derivative for each name, by
back-propagation and by finite differences.

  {PROGRAM} "tanh(a*b) + c" --at a=2 b=-3 c=10
  {PROGRAM} "where(x > 0, log(x), 0)" --at x=0.5 --steps
  {PROGRAM} "softmax([a, b])[0]" --at a=1 b=2 --draw graph.svg

{PROGRAM} --help lists the options."""
PICTURES = (".svg", ".png", ".pdf")
WIDTH = 80


class CommandError(ValueError):
    """What was asked for cannot be done; one sentence."""


# Does a derivative agree with the differences?

WORK = 4_000
"""Up to so many names times operations, differences are taken for every name; beyond that, for a choice of them."""
FEWEST_NAMES = 3
NEARLY_ZERO = 1e-12
UNCERTAIN = "the differences are too uncertain to tell"


class Row(NamedTuple):
    """One name: its value, its derivative by both ways, and whether they agree (None: it cannot be said)."""

    name: str
    at: float
    derivative: float
    numeric: float = math.nan
    error: float = math.inf
    agree: bool | None = None
    word: str = "-"
    note: str = ""


def check(name: str, f: Callable[[Value], Any], x: float, derivative: float) -> Row:
    """Compares a derivative by autograd with finite differences.

    Arguments:
        name: what the row is about.
        f: a function of one Value; it may return a number where that does not depend on the Value.
        x: where.
        derivative: that of f at x, by autograd.

    >>> row = check("x", lambda x: x * x, 3.0, 6.0)
    >>> row.word, abs(row.numeric - 6.0) <= row.error < 1e-12
    ('yes', True)
    >>> check("x", abs, 0.0, 0.0).note
    "a kink: the slope is -1 on the left and 1 on the right; autograd's 0 is one of them, or between"
    """
    here = recorded(f(Value(x)))
    if not (math.isfinite(x) and math.isfinite(here.data)):
        why = f"the value is {here.data}" if math.isfinite(x) else f"{name} is {x}"
        return Row(name, x, derivative, note=f"{why}, so there are no differences to compare with")
    samples = FunctionValues(lambda point: recorded(f(Value(point))))
    found = difference_at(samples, x)
    if found.verdict == "kink":
        found = replace(found, left=side_of(found.left, samples, x, -1.0), right=side_of(found.right, samples, x, 1.0))
    row = Row(name, x, derivative, found.value, found.bound, note=note_on(found, samples, x))
    verdict = judge(derivative, found)
    size = max(1.0, abs(here.data)) / max(1.0, abs(x))  # beside which the bound of a derivative of 0 counts as small
    if verdict == "inconclusive" and found.bound <= NEARLY_ZERO * size:
        verdict = "right"
    return concluded(row, verdict, found, here)


def recorded(result: Any) -> Value:
    """The result as a Value. A constant is one too, whose graph says that it has no rounding error."""
    return result if isinstance(result, Value) else Value(result)


def side_of(slope: Slope, samples: FunctionValues, x: float, sign: float) -> Slope:
    """The slope at a kink from one side, which is infinite if it was not found; differences of that side say so."""

    def one_side(point: float) -> Value:
        if sign * (point - x) < 0.0:
            raise ValueError("the other side")
        return recorded(samples.f(point))

    if math.isfinite(slope.bound):
        return slope
    found = difference_at(FunctionValues(one_side), x)
    return Slope(found.value, found.bound)


def note_on(found: Difference, samples: FunctionValues, x: float) -> str:
    """What is particular about the function at x, in words; "" if nothing is."""
    here = samples(x).value
    left, right = neighbours(samples, x)
    if found.verdict == "jump":
        beside, side = (left, "left") if not abs(left - here) < abs(right - here) else (right, "right")
        return f"a jump: the value is {here:.6g} here and {beside:.6g} just to the {side}"
    if found.verdict == "kink":
        return f"a kink: the slope is {found.left.value:.6g} on the left and {found.right.value:.6g} on the right"
    notes = ["infinitely steep: the differences grow without end"] if found.verdict == "infinite slope" else []
    if not (math.isfinite(left) or math.isfinite(right)):
        notes = ["no finite value on either side"]
    elif not (math.isfinite(left) and math.isfinite(right)):
        notes.append(f"differences to the {'left' if math.isfinite(left) else 'right'} only")
    return ", ".join(notes)


def neighbours(samples: FunctionValues, x: float) -> tuple[float, float]:
    """The values nearest to x on the left and on the right that differ from f(x); f(x) where there are none."""
    here, points = samples(x).value, sorted(samples.known)
    left = (samples(point).value for point in reversed(points) if point < x)
    right = (samples(point).value for point in points if point > x)
    return next((y for y in left if y != here), here), next((y for y in right if y != here), here)


def concluded(row: Row, verdict: str, found: Difference, here: Value) -> Row:
    """The row with its conclusion; `verdict` is that of `judge`."""
    if found.verdict == "jump":
        return row._replace(word="jump")
    if verdict == "inconclusive":
        return row._replace(note=", ".join(filter(None, [row.note, UNCERTAIN])))
    if verdict == "right" and found.verdict != "kink":
        return row._replace(agree=True, word="yes")
    ours = f"autograd's {row.derivative:.6g}"
    if verdict == "right":
        return row._replace(word="kink", note=f"{row.note}; {ours} is one of them, or between")
    word, why = convention(here)
    if why:
        return row._replace(word=word, note="; ".join(filter(None, [row.note, f"{ours} follows a convention: {why}"])))
    neither = f"; {ours} is neither, nor between" if found.verdict == "kink" else ""
    return row._replace(agree=False, word="no", note=row.note + neither)


NO_DERIVATIVE = {
    "kink": ("kink", "at a kink"),
    "jump": ("jump", "at a jump"),
    "infinite slope": ("-", "infinitely steep"),
}
"""Where an operation has no derivative, by the verdict of its differences: a word for the table, and for the note."""


def convention(root: Value) -> tuple[str, str]:
    """Which operation of a graph has no derivative where it stands, so that its rule follows a convention.

    Returns:
        a word for the table and a part of a note. Both are empty if there is no such operation, or if differences
        refute the local derivative of any: then its rule is wrong.

    >>> a = Value(0.0)
    >>> convention(a.relu() - (-a).relu()), convention(a * a)
    (('kink', 'relu is at a kink'), ('', ''))
    """
    seen = []
    for node in interior(root):
        operands = [x.data if isinstance(x, Value) else x for x in node.operands]
        if not all(map(math.isfinite, [node.data, *operands])):
            seen.append(("-", f"{node.operation} is {node.data:.6g}"))
            continue
        places = [place for place, x in enumerate(node.operands) if isinstance(x, Value)]
        for place, local in zip(places, node.local_derivatives, strict=True):
            found = local_difference(node._operation, operands, place)
            if judge(local, found) == "wrong":
                return "", ""
            if found.verdict in NO_DERIVATIVE:
                word, where = NO_DERIVATIVE[found.verdict]
                seen.append((word, f"{node.operation} is {where}"))
    return seen[0] if seen else ("", "")


def local_difference(operation: Any, operands: Sequence[float], place: int) -> Difference:
    """The local derivative of an operation for one operand, by differences."""
    before, after = operands[:place], operands[place + 1 :]
    return finite_difference(lambda x: apply(operation, *before, x, *after), Value(operands[place]))


def chosen(names: Sequence[str], operations: int) -> set[str]:
    """The names to take differences for: all, or if that took seconds so many that are evenly spread."""
    most = max(FEWEST_NAMES, WORK // max(operations, 1))
    if len(names) <= most:
        return set(names)
    return {names[round(k * (len(names) - 1) / (most - 1))] for k in range(most)}


# The command


class Parser(argparse.ArgumentParser):
    """An argument parser that raises one sentence."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; see {PROGRAM} --help")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = Parser(
        prog=PROGRAM, description="The value and the derivatives of an expression.", epilog=EPILOG, allow_abbrev=False
    )
    add = options.add_argument
    add("expression", metavar="EXPRESSION", help='such as "tanh(a*b) + c"; any function of autograd may be called')
    add("--at", nargs="*", action="extend", default=[], metavar="NAME=NUMBER", help="the value of each name")
    add("--draw", metavar="FILE", help="write the graph as a picture: FILE.svg, FILE.png or FILE.pdf")
    add("--explain", metavar="FILE.html", help="write a page that steps through the back-propagation")
    add("--steps", action="store_true", help="print each step of the back-propagation")
    add("--json", action="store_true", help="print for programs to read; inf and nan are strings")
    return options


EPILOG = "Exit code: 0; 1 if autograd and the differences disagree; 2 if something is wrong."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code: 0, 1 if a derivative disagrees, 2 if anything is wrong."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments:
        say(HELP)
        return 0
    # an expression that begins with a minus sign is no option: a blank in front tells argparse so
    hidden = [f" {word}" if word[:1] == "-" and word[1:2] != "-" and word != "-h" else word for word in arguments]
    expression = ""
    try:
        options = parser().parse_args(hidden)
        expression = options.expression = options.expression.removeprefix(" " * (options.expression not in arguments))
        code = run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, RuntimeError, ImportError, subprocess.CalledProcessError) as error:
        return complain(error, expression)
    return code


def complain(error: Exception, expression: str) -> int:
    """One sentence on stderr, and for a bad expression the place in it; the exit code. Every error comes here."""
    sentence = str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        sentence = f"{os.fsdecode(error.filename)}: {error.strerror}"
    print(f"{PROGRAM}: {on_one_line(sentence)}", file=sys.stderr)
    if isinstance(error, ExpressionError):
        for line in pointed_at(expression, error.column):
            print(line, file=sys.stderr)
    return 2


def run(options: argparse.Namespace) -> int:
    """Evaluates, differentiates, compares and prints."""
    check_files(options)
    at = values_at(options.at)
    expression = parse(options.expression, variables=at)
    check_names(expression, at)
    leaves = {name: Value(at[name], label=name) for name in expression.names}
    result = expression(leaves)
    root = result if isinstance(result, Value) else Value(result)
    root.backward()
    rows = compare(expression, at, leaves, len(interior(root)))
    steps = backward_steps(root) if options.steps else []
    written = write_files(options, root)
    if options.json:
        say(json.dumps(as_json(expression, root, rows, steps if options.steps else None), allow_nan=False, indent=2))
    else:
        show(expression, root, rows, steps)
        for line in written:
            say(line)
    return 1 if any(row.agree is False for row in rows) else 0


def compare(expression: Expression, at: dict[str, float], leaves: dict[str, Value], operations: int) -> list[Row]:
    """One row for each name. Differences move one name and hold the others fixed."""
    some = chosen(expression.names, operations)
    skipped = f"not compared, to save time: differences are taken for {len(some)} of {len(leaves)} names"
    rows = []
    for name, leaf in leaves.items():
        if name in some:
            rows.append(check(name, function_of(expression, name, at), at[name], leaf.grad))
        else:
            rows.append(Row(name, at[name], leaf.grad, note=skipped))
    return rows


def function_of(expression: Expression, name: str, at: dict[str, float]) -> Callable[[Value], Any]:
    """The expression as a function of one name, the others held fixed."""
    return lambda x: expression({**at, name: x})


def values_at(words: Sequence[str]) -> dict[str, float]:
    """The numbers of `--at a=2 b=-3`, by name."""
    at: dict[str, float] = {}
    for word in words:
        name, equals, number = word.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python does with names
        if not equals or not name.isidentifier():
            raise CommandError(f"--at takes NAME=NUMBER, as in --at a=2; got {shown(word.strip())}")
        if name in at:
            raise CommandError(f"--at gives {name} twice; give each name one value")
        try:
            at[name] = float(number)
        except ValueError:
            raise CommandError(
                f"--at takes a number for {name}, such as {name}=2, {name}=1e-3 or {name}=inf; got {shown(number)}"
            ) from None
    return at


def check_names(expression: Expression, at: dict[str, float]) -> None:
    """Refuses names without values and values without names."""
    missing = [name for name in expression.names if name not in at]
    if missing:
        example = " ".join(f"{name}=1" for name in missing[:3])
        raise CommandError(f"the expression needs a value for {listed(missing)}; add --at {example}")
    unused = [name for name in at if name not in expression.names]
    if unused:
        it = "it" if len(unused) == 1 else "them"
        raise CommandError(f"--at gives {listed(unused)}, which the expression does not use; leave {it} out")


# What is printed


def show(expression: Expression, root: Value, rows: list[Row], steps: list[Step]) -> None:
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
        names.setdefault(row.note, []).append(cut(row.name))
    notes = [noted(names[note], note) for note in names if note]
    for line in [""] * bool(notes) + notes + [""] * bool(steps) + [str(step) for step in steps]:
        say(line)


def noted(names: list[str], note: str) -> str:
    """A note, and the names that it is about."""
    about = listed(names if len(names) <= 3 else [names[0], f"{len(names) - 1} more"])
    return textwrap.fill(f"{about}: {note}", WIDTH, subsequent_indent="  ")


def table(rows: list[Row]) -> list[str]:
    """The lines of the table, of at most 80 columns."""
    cells = [["name", "value", "d/d name", "by differences", "error", "agree"]]
    for row in rows:
        numeric = "-" if math.isnan(row.numeric) else f"{row.numeric:.8g}"
        error = "-" if math.isinf(row.error) else f"{row.error:.0e}" if row.error else "0"
        cells.append([cut(row.name), f"{row.at:.6g}", f"{row.derivative:.8g}", numeric, error, row.word])
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *numbers, last in cells:
        padded = [" " * (w - width(cell)) + cell for cell, w in zip(numbers, widths[1:-1], strict=True)]
        lines.append("  ".join([first + " " * (widths[0] - width(first)), *padded, last]))
    return lines


def as_json(expression: Expression, root: Value, rows: list[Row], steps: list[Step] | None) -> dict[str, Any]:
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


def say(text: str = "") -> None:
    """Prints a line; what the terminal's encoding has not is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def on_one_line(text: str) -> str:
    """The text on one line, with its unprintable characters (NUL, right-to-left marks, ...) escaped."""
    return visible(text.translate(str.maketrans("\t\r\n\f\v", " " * 5)))


def width(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters two, accents none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me") for c in text)


def cut(name: str) -> str:
    """The name in at most 14 columns."""
    if width(name) <= 14:
        return name
    while width(name) > 11:
        name = name[:-1] if len(name) < 24 else name[:12]
    return f"{name}..."


def pointed_at(text: str, column: int) -> list[str]:
    """The expression, or what is near the column, and a line with a caret under the column."""
    first = max(0, column - 1 - 40) if len(text) > WIDTH - 4 else 0
    last = len(text) if len(text) <= WIDTH - 4 else first + 70
    before, after = on_one_line(text[first : column - 1]), on_one_line(text[column - 1 : last])
    before = "..." * (first > 0) + before
    return [f"  {before}{after}{'...' * (last < len(text))}", f"  {' ' * width(before)}^"]


# Files


def check_files(options: argparse.Namespace) -> None:
    """Refuses file names of unknown kinds before anything is computed."""
    if options.draw is not None and not options.draw.lower().endswith(PICTURES):
        raise CommandError(f"--draw writes {', '.join(PICTURES)} files; got {shown(options.draw)}")
    if options.explain is not None and not options.explain.lower().endswith((".html", ".htm")):
        raise CommandError(f"--explain writes an .html file; got {shown(options.explain)}")


def write_files(options: argparse.Namespace, root: Value) -> list[str]:
    """Writes the picture and the page; returns what to say of them."""
    said = []
    drawing: Any = import_module("autograd.drawing") if options.draw or options.explain else None
    if options.draw:
        drawing.draw(root).render(options.draw)
        said.append(f"the graph is in {options.draw}")
    if options.explain:
        if not hasattr(drawing, "explain"):
            raise CommandError("--explain needs autograd.drawing.explain, which this version does not have")
        drawing.explain(root).save(options.explain)
        said.append(f"the steps are in {options.explain}: open it in a browser")
    return ["", *said] if said else []


if __name__ == "__main__":
    sys.exit(main())
