"""The command `python -m autograd.testing`: is somebody's own scalar engine right?

python -m autograd.testing my_engine.py:Value

The judging is done by `engines/`, which also finds the class (`engines/finding.py`).
"""

import argparse
import sys
from collections.abc import Sequence

from autograd.command_line import CommandError, Parser, run, until_the_reader_leaves
from autograd.terminal import say

PROGRAM = "python -m autograd.testing"
DESCRIPTION = """\
Judges a scalar autograd engine: your own, micrograd, anybody's.

Its class makes a number, Value(2.0), with data, grad and backward(); which
operators and methods it has is found by trying. The report says by topic what
is right, what is wrong, with the smallest program that shows it, and what is
missing. The same engine gets the same report each time.

The file is run, as by an import: judge only code that you trust.
"""
EPILOG = """\
examples:
  python -m autograd.testing my_engine.py:Value
  python -m autograd.testing micrograd.engine:Value

exit status:
  0  nothing is wrong (something may be missing)
  1  something is wrong
  2  there is no such file, module or class, or it cannot be judged
"""


def parser() -> Parser:
    """The one argument of the command."""
    options = Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("engine", metavar="ENGINE", help="FILE.py:CLASS or MODULE:CLASS, such as my_engine.py:Value")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Arguments:
        arguments: the words after `python -m autograd.testing`; those of the command line if None.

    Returns:
        the exit status: 0 if nothing is wrong, 1 if something is, 2 if there is no engine to judge.
    """
    return run(PROGRAM, judge, arguments)


def judge(arguments: list[str]) -> int:
    """Finds the engine, judges it and prints the report; returns the exit status."""
    if not arguments:
        raise CommandError(f"name an engine, as in {PROGRAM} my_engine.py:Value; --help says more")
    engine = parser().parse_args(arguments).engine
    from autograd.testing.engines import check_engine  # which needs mpmath and Hypothesis
    from autograd.testing.engines.finding import class_of

    report = check_engine(class_of(engine))
    with until_the_reader_leaves():
        say(str(report))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
