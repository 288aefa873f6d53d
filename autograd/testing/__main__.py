"""The command `python -m autograd.testing`: are somebody's own scalar engines right?

python -m autograd.testing my_engine.py:Value
python -m autograd.testing "submissions/*.py:Value" --require arithmetic,tanh,backward --junit report.xml

The judging is done by `engines/`, which also finds the classes (`engines/finding.py`).
"""

import argparse
import contextlib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.command_line import CommandError, Parser, run, until_the_reader_leaves
from autograd.files import file_to_write, write_atomically
from autograd.terminal import WIDTH, is_watched, say, wrapped

if TYPE_CHECKING:
    from autograd.testing.engines.outcomes import Outcome

PROGRAM = "python -m autograd.testing"
SECONDS = 20.0
WIDEST = 120
"""Of a table. Longer lines are hard to read."""
BETWEEN_WRITINGS = 2.0
"""After so many seconds the reports are written again."""
DESCRIPTION = """\
Judges scalar autograd engines: your own, micrograd, those of a whole class.

Its class makes a number, Value(2.0), with data, grad and backward(); which
operators and methods it has is found by trying. The report says by topic what
is right, what is wrong, with a small program that shows it, and what is
missing. The same engine gets the same report each time.

Each engine runs in a process of its own, with limits on time and memory: one
that hangs, floods or exits gets a verdict, and the others go on. That is no
jail: the code has your rights. Judge only code that you trust that far.
"""
EXAMPLES = """\
examples:
  python -m autograd.testing my_engine.py:Value
  python -m autograd.testing micrograd.engine:Value
  python -m autograd.testing "submissions/*.py:Value" --require arithmetic,tanh
  python -m autograd.testing submissions/:Value --junit report.xml

exit status:
  0  nothing is wrong (something may be missing, but not backward()); with
     --require: all that is required is there and right, of all engines,
     whatever else may be wrong. A helper file without an engine, which a
     pattern or a folder has found beside others, does not count
  1  something is wrong, is another's engine, or could not be judged
  2  there is no such file, module or class, or nothing in it can be judged
"""


def parser() -> Parser:
    """The arguments of the command."""
    options = Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n{names_to_require()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument(
        "engines",
        metavar="ENGINE",
        nargs="+",
        help="FILE.py:CLASS, MODULE:CLASS, or a pattern or folder of files, such as submissions/*.py:Value; "
        "a folder with an __init__.py is one engine; without :CLASS of a file it is Value",
    )
    options.add_argument("--require", metavar="NAMES", action="append", default=[], help="what must be there and right")
    options.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help="for each engine; 20 if not said")
    options.add_argument("--jobs", type=int, metavar="N", help="how many at a time; as many as there are processors")
    options.add_argument("--json", metavar="FILE", help="writes all reports as JSON")
    options.add_argument("--junit", metavar="FILE", help="writes them as JUnit's XML, for continuous integration")
    options.add_argument("--verbose", action="store_true", help="prints each report in full, before the table")
    return options


def names_to_require() -> str:
    """The names that --require takes, for the help."""
    try:
        from autograd.testing.engines.requirements import GROUPS, OPERATIONS, TOPICS
    except ImportError:  # mpmath is missing, and nothing can be judged
        return ""
    lines = [f"  {name:<13} {text}" for name, (_, text) in (*GROUPS.items(), *TOPICS.items())]
    listed = textwrap.wrap(", ".join(OPERATIONS), 80, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(["what --require takes, with commas between:", *lines, "and operations:", *listed])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Arguments:
        arguments: the words after `python -m autograd.testing`; those of the command line if None.

    Returns:
        the exit status: 0 if nothing is wrong, 1 if something is, 2 if there is no engine to judge.
    """
    return run(PROGRAM, judge, arguments)


def judge(arguments: list[str]) -> int:
    """Finds the engines, judges them, and prints and writes what was found; returns the exit status."""
    if not arguments:
        raise CommandError(f"name an engine, as in {PROGRAM} my_engine.py:Value; --help says more")
    options = parser().parse_args(arguments)
    from autograd.testing.engines.many import judge_all  # which needs mpmath
    from autograd.testing.engines.outcomes import passed
    from autograd.testing.engines.requirements import required

    engines, by_pattern = found(options.engines)
    jobs, wanted = checked(options), required(options.require)
    files = {name: file_to_write(path, f"--{name}", f".{kind}") for name, kind, path in written(options)}
    for path in files.values():  # no old report, and none that a submission writes, may be taken for the new one
        if path.is_file():
            path.unlink()
    judged = _Judged(files, by_pattern)
    try:
        with progress_shown(len(engines)) as progress:
            judge_all(engines, options.seconds, jobs, wanted, lambda outcomes: judged.take(outcomes, progress))
    finally:  # after an interruption too
        outcomes = judged.finish()
        if len(outcomes) > 1:
            with until_the_reader_leaves():
                show(outcomes, options.verbose)
    if len(outcomes) == 1:
        if outcomes[0].report is None:
            raise CommandError(outcomes[0].sentence)
        show(outcomes, options.verbose)
    return 0 if passed(outcomes) else 1


class _Judged:
    """What is known so far; it is written as it comes, so that little is lost if this process is killed."""

    def __init__(self, files: dict[str, Path], by_pattern: Collection[str]) -> None:
        self.files, self.by_pattern = files, by_pattern
        self.outcomes: list[Outcome] = []
        self.written = time.monotonic()

    def take(self, outcomes: "list[Outcome]", progress: Callable[[int], object]) -> None:
        """The outcomes so far, those not yet judged included."""
        self.outcomes = outcomes
        progress(sum(outcome.verdict != "left out" or outcome.report is not None for outcome in outcomes))
        if self.files and time.monotonic() - self.written > BETWEEN_WRITINGS:
            self.finish()
            self.written = time.monotonic()

    def finish(self) -> "list[Outcome]":
        """Writes the files, each whole or not at all; returns the outcomes."""
        from autograd.testing.engines.outcomes import as_json, as_junit, without_helpers

        outcomes = without_helpers(self.outcomes, self.by_pattern)
        makers: dict[str, Callable[[Sequence[Outcome]], str | bytes]] = {"json": as_json, "junit": as_junit}
        for name, path in self.files.items():
            write_atomically(path, makers[name](outcomes))
        return outcomes


def found(words: Sequence[str]) -> tuple[list[str], set[str]]:
    """The engines that the words stand for, each once; and which of them a pattern or a folder has found.

    Raises:
        CommandError: a pattern or a folder has none, or a file is not there.
    """
    from autograd.testing.engines.finding import check_file, engines_in, parts_of

    engines: dict[tuple[str, str], str] = {}
    by_pattern: set[str] = set()
    for word in words:
        those = engines_in(word)
        if those != [":".join(parts_of(word))]:
            by_pattern.update(those)
        for engine in those:
            place, name = parts_of(engine)
            engines.setdefault((os.path.realpath(place), name), engine)
    for engine in engines.values():
        check_file(engine)
    return list(engines.values()), by_pattern


def checked(options: argparse.Namespace) -> int:
    """How many engines are judged at a time.

    Raises:
        CommandError: a number makes no sense.
    """
    if not 1.0 <= options.seconds <= 86_400.0:
        raise CommandError(f"--seconds takes a number from 1 to 86400; got {options.seconds:g}")
    if any(not word.strip(" ,") for word in options.require):
        raise CommandError("--require takes names such as arithmetic,tanh; got none: leave it out")
    jobs = (os.cpu_count() or 1) if options.jobs is None else options.jobs
    if jobs < 1:
        raise CommandError(f"--jobs takes a whole number of at least 1; got {jobs}")
    return int(jobs)


def written(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    """The files that are to be written: the option, the ending of its name, and the path."""
    wanted = [("json", "json", options.json), ("junit", "xml", options.junit)]
    return [(name, ending, path) for name, ending, path in wanted if path is not None]


def show(outcomes: "Sequence[Outcome]", verbose: bool) -> None:
    """Prints the report of one engine, or a table of several."""
    from autograd.testing.engines.outcomes import table_of

    alone = len(outcomes) == 1
    for outcome in outcomes if alone or verbose else ():
        say(str(outcome.report or f"{outcome.engine}: {outcome.sentence}"))
        if verbose or outcome.required:
            say()
    if not alone:
        say(table_of(outcomes, _columns()))
    elif outcomes[0].required:
        standings = ", ".join(f"{name} is {word}" for name, word in outcomes[0].standings.items())
        say(wrapped(f"Required: {standings}."))


def _columns() -> int:
    """How wide the table may be: as the terminal, or 80 where there is none."""
    known = "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty())
    return min(max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns), WIDEST) if known else WIDTH


@contextlib.contextmanager
def progress_shown(total: int) -> "Iterator[Any]":
    """A function that says how many engines are done, if there are many and somebody watches."""
    watched = total > 1 and is_watched()

    def progress(done: int) -> None:
        if watched:
            print(f"\r{done} of {total} judged", end="", file=sys.stderr, flush=True)

    progress(0)
    try:
        yield progress
    finally:
        if watched:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
