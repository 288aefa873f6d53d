"""The command `python -m autograd`: the value of an expression, its derivatives, and whether differences agree.

python -m autograd "tanh(a*b) + c" --at a=2 b=-3 c=10

The expression is read by `autograd/parsing.py` and never executed as Python. Every derivative is computed twice, by
back-propagation and by finite differences, which know nothing of the rules and have an error bound of their own
(`testing/differences/`).
"""

import argparse
import json
import unicodedata
from collections.abc import Sequence

from autograd.command.comparison import compare
from autograd.command.files import check_files, write_files
from autograd.command.printed import as_json, pointed_at, show
from autograd.command_line import CommandError, Parser, run, until_the_reader_leaves
from autograd.graph import interior
from autograd.parsing import Expression, ExpressionError, listed, parse
from autograd.reals import shown
from autograd.steps import backward_steps
from autograd.terminal import say, write
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
EPILOG = "Exit code: 0; 1 if autograd and the differences disagree; 2 if something is wrong."


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code: 0, 1 if a derivative disagrees, 2 if anything is wrong."""
    return run(PROGRAM, answer, arguments)


def answer(arguments: list[str]) -> int:
    """Reads the arguments and answers; a bad expression is shown with a mark under the mistake."""
    if not arguments:
        say(HELP)
        return 0
    # an expression that begins with a minus sign is not an option: a blank in front tells argparse so
    hidden = [f" {word}" if word[:1] == "-" and word[1:2] != "-" and word != "-h" else word for word in arguments]
    options = parser().parse_args(hidden)
    options.expression = options.expression.removeprefix(" " * (options.expression not in arguments))
    try:
        return differentiate(options)
    except ExpressionError as error:
        raise CommandError(str(error), below=pointed_at(options.expression, error.column)) from None


def differentiate(options: argparse.Namespace) -> int:
    """Evaluates, differentiates, compares and prints; returns the exit code."""
    check_files(options)
    at = values_at(options.at)
    expression = parse(options.expression, variables=at)
    check_names(expression, at)
    leaves = {name: Value(at[name], label=name) for name in expression.names}
    result = expression(leaves)
    root = result if isinstance(result, Value) else Value(result)
    root.backward()
    rows = compare(expression, at, leaves, len(interior(root)))
    steps = backward_steps(root) if options.steps else None
    written = write_files(options, root)
    with until_the_reader_leaves():
        if options.json:
            write(json.dumps(as_json(expression, root, rows, steps), allow_nan=False, indent=2))
        else:
            show(expression, root, rows, steps or [])
            for line in written:
                say(line)
    return 1 if any(row.agree is False for row in rows) else 0


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
