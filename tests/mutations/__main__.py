"""Would the tests notice a mistake? `python -m tests.mutations` tries the mutants made by hand and exits with 1 if any
lives; with `--mutmut` it tries those of mutmut, prints the survivors and exits with 1 if a tenth of a file's live."""

import argparse
import importlib.util
import os
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.mutations.engine_by_hand import engine_mutants
from tests.mutations.from_mutmut import FILES, changes_no_number, mutmut_mutants
from tests.mutations.mutant import Mutant
from tests.mutations.rules_by_hand import KINDS, rule_mutants
from tests.mutations.trial import ASKED, ENGINE_TESTS, RULE_TESTS, TESTS, Verdict, try_out

WIDTH = 80
BAR = 0.9
"""The part of mutmut's mutants of a file that must be killed; of those made by hand all must."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--mutmut", action="store_true", help="try mutmut's mutants (about half an hour)")
    parser.add_argument("--only", choices=FILES, help="with --mutmut: the mutants of one file")
    parser.add_argument("--named", default="", help="only the mutants with this text in their name")
    parser.add_argument("--every", type=int, default=1, help="with --mutmut: a sample, every so many-th mutant")
    options = parser.parse_args(arguments)
    if not hasattr(os, "fork"):
        parser.error("mutants live in forks, which this system has not; use Linux, macOS or WSL")
    if options.mutmut or options.only:
        if importlib.util.find_spec("mutmut") is None:
            parser.error("--mutmut needs the package mutmut; run: pip install 'mutmut>=3.8,<4'")
        return run_mutmut([options.only] if options.only else FILES, options.named, options.every)
    of_rules, equivalent = rule_mutants()
    chosen = [[mutant for mutant in found if options.named in mutant.name] for found in (of_rules, engine_mutants())]
    return run_by_hand(*chosen, equivalent)


# Made by hand


def run_by_hand(
    of_rules: Sequence[Mutant],
    of_engine: Sequence[Mutant],
    equivalent: Sequence[Mutant],
    tests: Sequence[str] = TESTS,
    only: str = ASKED,
) -> int:
    """Tries mutants made by hand and prints two tables; returns 1 if any lives, otherwise 0."""
    start = time.perf_counter()
    rules = _tried(of_rules, [name for name in tests if name in RULE_TESTS], only)
    print(rule_table(rules, equivalent))
    engine = _tried(of_engine, [name for name in tests if name in ENGINE_TESTS], only)
    print(engine_table(engine))
    verdicts = [*rules, *engine]
    living = [verdict for verdict in verdicts if verdict.outcome != "killed"]
    killed = len(verdicts) - len(living)
    if equivalent:
        print("\nEquivalent, and not tried:")
        print(textwrap.fill("; ".join(mutant.name for mutant in equivalent), WIDTH))
    print(f"\n{killed} of {len(verdicts)} mutants killed; {len(equivalent)} equivalent ones not tried")
    print(f"{(time.perf_counter() - start) / 60.0:.1f} minutes")
    return 0 if killed and not living else 1


def rule_table(verdicts: Iterable[Verdict], equivalent: Iterable[Mutant]) -> str:
    """For each operation and kind of mistake: how many were killed, of how many, and how many are equivalent."""
    killed, tried, same = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for verdict in verdicts:
        place = _row(verdict.mutant)
        tried[place] += 1
        killed[place] += verdict.outcome == "killed"
    same.update(map(_row, equivalent))
    rows = dict.fromkeys(row for row, _ in [*tried, *same])
    lines = [
        "Rules: killed/tried, and after = those that change no number (equivalent)",
        f"{'':24}" + "".join(f"{kind:>11}" for kind in KINDS),
    ]
    for row in rows:
        cells = ((killed[row, kind], tried[row, kind], same[row, kind]) for kind in KINDS)
        lines.append(f"{row:24}" + "".join(f"{_cell(*cell):>11}" for cell in cells))
    return "\n".join(lines)


def _row(mutant: Mutant) -> tuple[str, str]:
    operation = min(mutant.concerns) if len(mutant.concerns) == 1 else f"{len(mutant.concerns)} operations together"
    return operation, mutant.group


def _cell(killed: int, tried: int, same: int) -> str:
    return (f"{killed}/{tried}" if tried else "") + (f" ={same}" if same else "")


def engine_table(verdicts: Iterable[Verdict]) -> str:
    """What is wrong, and the test that noticed it."""
    lines = ["", "The engine: what is wrong, and the test that fails"]
    for verdict in verdicts:
        lines.append(f"{verdict.outcome:9}{verdict.mutant.name}"[:WIDTH])
        if verdict.test:
            lines.append(f"{'':9}  {verdict.test}"[:WIDTH])
    return "\n".join(lines)


# Made by mutmut


def run_mutmut(files: Sequence[str], named: str = "", every: int = 1) -> int:
    """Tries mutmut's mutants of each file; prints the survivors with their changes, and a table."""
    rows, enough = [], True
    for file in files:
        mutants = [mutant for mutant in mutmut_mutants(file, every) if named in mutant.name]
        verdicts = _tried(mutants, RULE_TESTS if file == "rules" else ENGINE_TESTS)
        counts = Counter(verdict.outcome for verdict in verdicts)
        part = counts["killed"] / max(1, len(verdicts) - counts["broken"])
        enough = enough and counts["killed"] > 0 and part >= BAR
        rows.append((f"{file}.py", len(verdicts), counts, part, sum(verdict.seconds for verdict in verdicts) / 60.0))
    print(
        f"\n{'':14}{'mutants':>8}{'killed':>8}{'survived':>9}{'timeout':>8}{'broken':>8}{'killed %':>10}{'minutes':>9}"
    )
    for name, total, counts, part, minutes in rows:
        cells = f"{counts['killed']:8}{counts['survived']:9}{counts['timeout']:8}{counts['broken']:8}"
        print(f"{name:14}{total:8}{cells}{100.0 * part:10.1f}{minutes:9.1f}")
    print("broken: the package cannot be imported with the mutant; such a one counts neither way")
    return 0 if enough else 1


def _tried(mutants: Sequence[Mutant], tests: Sequence[str], only: str = ASKED) -> list[Verdict]:
    """Tries the mutants; prints those that live as they come and, on a terminal, how far it is."""
    done = Counter[str]()
    output = sys.stdout

    def report(verdict: Verdict) -> None:
        done[verdict.outcome] += 1
        if verdict.outcome != "killed":
            same = (
                verdict.mutant.group == "rules" and verdict.outcome == "survived" and changes_no_number(verdict.mutant)
            )
            note = " (changes no number at any point tried)" if same else ""
            print(f"{verdict.outcome}: {verdict.mutant.name}{note}", file=output)
            print(f"{verdict.mutant.changes}\n", file=output, flush=True)
        if sys.stderr.isatty():
            print(f"\r{done.total()} of {len(mutants)}, {done['survived']} survived", end="\r", file=sys.stderr)

    return try_out(mutants, tests, only, report) if mutants else []


if __name__ == "__main__":
    sys.exit(main())
