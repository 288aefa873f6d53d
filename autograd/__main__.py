"""The command `python -m autograd`: the value of an expression, its derivatives, and whether differences agree.

python -m autograd "tanh(a*b) + c" --at a=2 b=-3 c=10

The expression is read by `expressions.py` and never executed as Python. Every derivative is computed twice, by
back-propagation and by finite differences, which know nothing of the rules.
"""

import argparse
import functools
import json
import math
import os
import subprocess
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from autograd.expressions import Expression, ExpressionError, listed, parse
from autograd.graph import topological_order
from autograd.reals import shown
from autograd.steps import Step, backward_steps, describe
from autograd.text import visible
from autograd.value import Value

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


# Finite differences

SMALLEST = 50  # the steps are scale / 2, scale / 4, ... scale / 2**SMALLEST
COLUMNS = 8  # of the tableau: so many error terms are removed
U = 2.0**-53  # unit roundoff of a double
SMALLEST_FLOAT = 5e-324


class Slope(NamedTuple):
    """A derivative by differences: inf where they grow without end, nan (and an infinite error) where there is none."""

    value: float
    error: float


NO_SLOPE = Slope(math.nan, math.inf)


def numerical_derivative(f: Callable[[float], float], x: float, rounding: float = 0.0) -> tuple[float, float]:
    """The derivative of f at x from values of f alone, with an estimate of its error.

    Central differences (f(x+h) - f(x-h)) / 2h on a ladder of steps h, each half the one before, are extrapolated
    to h = 0 (Richardson). The error estimate adds what the last column of the tableau changed, and the rounding of f
    divided by h. The rounding is at least that of f's own value, at least what the caller knows of it, and as much as
    the differences at much smaller steps are seen to jitter. An entry counts only if all entries for smaller steps
    agree with it.

    Where f is defined on one side of x only, the differences of that side are extrapolated.

    Arguments:
        f: a function of one float, which may return inf and nan.
        x: a float.
        rounding: by how much f(x) may be off, if known (see `rounding_of`); 0.0 counts the last rounding only.

    Returns:
        the derivative, and a bound that the error is unlikely to exceed. The derivative is inf or -inf where f is
        infinitely steep, and nan with the error inf where there is none: at a kink, at a jump, where f is not finite.

    >>> value, error = numerical_derivative(math.exp, 1.0)
    >>> abs(value - math.e) <= error < 1e-11
    True
    >>> numerical_derivative(abs, 0.0)
    (nan, inf)
    """
    if jump(f, x):
        return NO_SLOPE
    left, both, right = slopes(f, x, rounding)
    if math.isnan(left.value) or math.isnan(right.value):  # one live side, or none
        return right if math.isnan(left.value) else left
    if math.isinf(left.value) or math.isinf(right.value):
        return left if left.value == right.value else NO_SLOPE
    if abs(right.value - left.value) > left.error + right.error:
        return NO_SLOPE
    return both


def slopes(f: Callable[[float], float], x: float, rounding: float = 0.0) -> tuple[Slope, Slope, Slope]:
    """The derivative of f at x by differences to the left, to both sides, and to the right."""
    here = f(x)
    if not (math.isfinite(x) and math.isfinite(here)):
        return NO_SLOPE, NO_SLOPE, NO_SLOPE
    scales = [math.ldexp(1.0, math.frexp(max(1.0, abs(x)))[1] - 1)]
    if 0.0 < abs(x) < 0.5:
        scales.insert(0, math.ldexp(1.0, math.frexp(x)[1] - 1))
    relative = max(U, rounding / abs(here)) if here else U
    best = [NO_SLOPE, NO_SLOPE, NO_SLOPE]
    for scale in scales:
        steps = [scale * 2.0**-k for k in range(1, SMALLEST + 1)]
        above = [(x + h, f(x + h)) for h in steps]
        below = [(x - h, f(x - h)) for h in steps]
        middle = [(x, here)] * len(steps)
        for place, (low, high, order) in enumerate(((below, middle, 1), (below, above, 2), (middle, above, 1))):
            endless = _endless(low, high) if scale == scales[0] else None
            found = endless or _extrapolate(steps, low, high, order, relative)
            if found.error < best[place].error and not _contradicts(found, best[place]):
                best[place] = found
    return best[0], best[1], best[2]


def _contradicts(coarse: Slope, fine: Slope) -> bool:
    """Whether larger steps give a slope that smaller steps exclude."""
    return abs(coarse.value - fine.value) > coarse.error + fine.error


Points = list[tuple[float, float]]
"""Pairs x, f(x)."""


def _endless(low: Points, high: Points) -> Slope | None:
    """An infinite slope, if the last differences grow steadily as the steps shrink; `None` otherwise."""
    last = [(y1 - y0, max(abs(y0), abs(y1)), x1 - x0) for (x0, y0), (x1, y1) in zip(low, high, strict=True)][24::5]
    if not all(64.0 * U * size < abs(rise) < math.inf and run > 0.0 for rise, size, run in last):
        return None
    ratios = [rise / run for rise, _, run in last]
    if all(fine / coarse > 1.3 for coarse, fine in pairwise(ratios)):
        return Slope(math.copysign(math.inf, ratios[-1]), 0.0)
    return None


def _extrapolate(steps: list[float], low: Points, high: Points, order: int, relative: float) -> Slope:
    """The limit of the differences between `low` and `high`, whose error is a series in steps**order.

    The values are off by `relative` times their size, or more.
    """
    differences, roundings = [], []
    for (x0, y0), (x1, y1) in zip(low, high, strict=True):
        usable = math.isfinite(x1 - x0) and x1 > x0
        differences.append((y1 - y0) / (x1 - x0) if usable else math.nan)
        roundings.append(max(relative * max(abs(y0), abs(y1)), SMALLEST_FLOAT))
    jitters = [abs(fine - coarse) for coarse, fine in pairwise(differences)]
    jitters = [jitter * h if math.isfinite(jitter) else 0.0 for jitter, h in zip(jitters, steps[1:], strict=True)]

    rows: list[Slope] = []
    tableau: list[float] = []
    for i, (h, difference) in enumerate(zip(steps, differences, strict=True)):
        if not math.isfinite(difference):
            tableau = []
            continue
        later = min(i + 12 // order, len(jitters) - 3)  # where the jitter is no longer the curve itself
        rounding = 3.0 * max(roundings[i], *jitters[later:]) / h
        tableau, truncation, value = _next_row(tableau, difference, 2.0**order)
        rows.append(Slope(value, 2.0 * truncation + rounding + 4.0 * U * abs(value)))
    return _smallest_consistent(rows)


def _next_row(above: list[float], difference: float, base: float) -> tuple[list[float], float, float]:
    """Richardson's tableau, one row on: the row, and its entry that changed least, after how much it changed."""
    row, power = [difference], 1.0
    truncation, value = math.inf, difference
    for j, coarse in enumerate(above[: COLUMNS - 1]):
        power *= base
        row.append(row[j] + (row[j] - coarse) / (power - 1.0))
        change = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - coarse))
        if change < truncation:
            truncation, value = change, row[j + 1]
    return row, truncation, value


def _smallest_consistent(rows: list[Slope]) -> Slope:
    """The row of the smallest error among those that no row for smaller steps contradicts."""
    best = NO_SLOPE
    low, high = -math.inf, math.inf  # what all rows for smaller steps agree on
    for slope in reversed(rows):
        if not math.isfinite(slope.error):
            continue
        if slope.value - slope.error > high or slope.value + slope.error < low:
            break
        low, high = max(low, slope.value - slope.error), min(high, slope.value + slope.error)
        if low > high:
            break
        if slope.error < best.error:
            best = slope
    return best


# Does a derivative agree with the differences?


class Row(NamedTuple):
    """One name: its value, its derivative by both ways, and whether they agree (None: it cannot be said)."""

    name: str
    at: float
    derivative: float
    numeric: float
    error: float
    agree: bool | None
    word: str
    note: str


def rounding_of(root: Value) -> float:
    """By how much the value of a graph may be off: each operation rounds its result and passes on its operands' errors.

    >>> rounding_of((Value(1.0) + 1e8) - 1e8) > 1e-8
    True
    """
    errors: dict[Value, float] = {}
    for node in topological_order(root):
        passed = [abs(d) * errors[p] for d, p in zip(node.local_derivatives, node.parents, strict=True) if errors[p]]
        errors[node] = math.fsum([2.0 * U * abs(node.data), *passed]) if node.operation else 0.0
    return errors[root] if math.isfinite(errors[root]) else 0.0


def check(name: str, f: Callable[[float], float], x: float, derivative: float, rounding: float = 0.0) -> Row:
    """Compares a derivative by autograd with finite differences of f at x, whose value may be off by `rounding`."""
    f = functools.cache(f)
    if not (math.isfinite(x) and math.isfinite(f(x))):
        why = f"the value is {f(x)}" if math.isfinite(x) else f"{name} is {x}"
        return Row(name, x, derivative, *NO_SLOPE, None, "-", f"{why}, so there are no differences to compare with")
    numeric, error = numerical_derivative(f, x, rounding)
    verdict = without_limit if math.isnan(numeric) else with_limit
    return Row(name, x, derivative, numeric, error, *verdict(f, x, derivative, numeric, error))


Verdict = tuple[bool | None, str, str]
"""Whether they agree (None: it cannot be said), a word for the table, and a note."""


def with_limit(f: Callable[[float], float], x: float, derivative: float, numeric: float, error: float) -> Verdict:
    """The verdict where finite differences have a limit, finite or not."""
    left, _, right = slopes(f, x)
    note = "infinitely steep: the differences grow without end" if math.isinf(numeric) else ""
    for side, other in ((left, "right"), (right, "left")):
        if math.isnan(side.value):
            note = f"{note}{', ' if note else ''}differences to the {other} only"
    if derivative == numeric:
        return True, "yes", note
    if not abs(derivative - numeric) <= error + 8.0 * U * abs(numeric):
        return False, "no", note
    size = max(abs(derivative), abs(numeric))
    if error > 1e-3 * size and error > 1e-9 * max(1.0, abs(f(x))) / max(1.0, abs(x)):
        return None, "-", "the differences are too uncertain to tell"
    return True, "yes", note


def without_limit(f: Callable[[float], float], x: float, derivative: float, numeric: float, error: float) -> Verdict:
    """The verdict where finite differences have no limit: at a jump, at a kink, beside nan."""
    jumps = jump(f, x)
    if jumps:
        return None, "jump", jumps
    left, _, right = slopes(f, x)
    if math.isnan(left.value) and math.isnan(right.value):
        return None, "-", "the differences are nan, or have no limit, on both sides"
    lowest = min(left.value - left.error, right.value - right.error)
    highest = max(left.value + left.error, right.value + right.error)
    sides = f"a kink: the slope is {left.value:.6g} on the left and {right.value:.6g} on the right"
    if lowest <= derivative <= highest:
        return None, "kink", f"{sides}; autograd's {derivative:.6g} is one of them, or between"
    return False, "no", f"{sides}; autograd's {derivative:.6g} is neither, nor between"


def jump(f: Callable[[float], float], x: float) -> str:
    """Whether f jumps at x, in words; "" if it does not."""
    scale = math.ldexp(1.0, math.frexp(x)[1] - 1) if x else 1.0
    here = f(x)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        beside = [f(x + sign * scale * 2.0**-k) for k in (35, 40, 45, 50)]
        rises = [abs(y - here) for y in beside]
        steady = all(map(math.isfinite, rises)) and max(rises) <= 1.01 * min(rises)
        if steady and min(rises) > 64.0 * U * max(abs(here), *map(abs, beside)):
            return f"a jump: the value is {here:.6g} here and {beside[-1]:.6g} just to the {side}"
    return ""


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
    off = rounding_of(root)
    rows = [check(name, function_of(expression, name, at), at[name], leaf.grad, off) for name, leaf in leaves.items()]
    steps = backward_steps(root) if options.steps else []
    written = write_files(options, root)
    if options.json:
        say(json.dumps(as_json(expression, root, rows, steps if options.steps else None), allow_nan=False, indent=2))
    else:
        show(expression, root, rows, steps)
        for line in written:
            say(line)
    return 1 if any(row.agree is False for row in rows) else 0


def function_of(expression: Expression, name: str, at: dict[str, float]) -> Callable[[float], float]:
    """The expression as a function of one name, the others held fixed."""
    return lambda x: float(expression({**at, name: x}))


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
    notes = [textwrap.fill(f"{cut(row.name)}: {row.note}", WIDTH, subsequent_indent="  ") for row in rows if row.note]
    for line in [""] * bool(notes) + notes + [""] * bool(steps) + [str(step) for step in steps]:
        say(line)


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
