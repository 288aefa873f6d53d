"""Which check of gradients can be trusted? `python -m tests.benchmarks.gradients` prints one table in one run.

The corpus of `tests/autograd/testing/foreign` is given to this project's `check_gradient` and to the checks of PyTorch,
JAX, SciPy and numdifftools, in the form that each takes (`gradient_checkers.py`). Fewer is better in every row.
"""

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from tests.autograd.testing.foreign import approximate, fields, learning, sizes, straight_pieces
from tests.autograd.testing.foreign.case import Case, right, wrong
from tests.autograd.testing.foreign.softmax import cross_entropies
from tests.autograd.testing.foreign.special_points import special_points
from tests.autograd.testing.foreign.verdicts import verdict
from tests.benchmarks.gradient_checkers import COLUMNS, SETTINGS, Check, available, says_wrong
from tests.benchmarks.tables import machine, table

BATCHES = (4, 64, 1000)
MISSED, REJECTED = "missed", "rejected"
LIMIT = 60.0
"""Seconds that one check may take in the rows of times."""


@dataclass(frozen=True)
class Row:
    """Cases that are all wrong, and may be missed, or all right, and may be rejected."""

    name: str
    fault: str
    cases: list[Case]

    def count(self, check: Check) -> int:
        """How many are judged wrongly."""
        return sum(says_wrong(check, case) == (self.fault == REJECTED) for case in self.cases)


def rows(count: int) -> list[Row]:
    """Everything that is judged; `count` networks for each batch, and ten times as many softmax losses."""
    triples = list(chain.from_iterable(straight_pieces.networks(batch, count, seed=5) for batch in BATCHES))
    right_ones, doubled, one_percent = map(list, zip(*triples, strict=True))
    tables = list(approximate.tables())
    slopes = [case for case in tables if case.name.endswith("its slope")]
    meant = [case for case in tables if case not in slopes]
    rough = [*solvers(), *approximate.mixed_precision()]
    return [
        Row("planted bugs, learning and numerics", MISSED, wrong(learning.PROBLEMS)),
        Row("planted bugs, other fields", MISSED, wrong(fields.PROBLEMS)),
        Row("right, learning and numerics", REJECTED, right(learning.PROBLEMS)),
        Row("right, other fields", REJECTED, right(fields.PROBLEMS)),
        Row("largest entry 1e-4 off", MISSED, slightly_off(1e-4)),
        Row("largest entry 1e-6 off", MISSED, slightly_off(1e-6)),
        Row("wrong at one point only", MISSED, list(special_points())),
        Row("networks of ReLUs, an entry doubled", MISSED, doubled),
        Row("networks of ReLUs, an entry 1 % off", MISSED, one_percent),
        Row("networks of ReLUs, right", REJECTED, right_ones),
        Row("sums of absolute values, right", REJECTED, list(straight_pieces.scalars(10 * count, seed=6))),
        Row("softmax float64, right", REJECTED, list(cross_entropies(10 * count, "float64", seed=7))),
        Row("softmax float32, right", REJECTED, list(cross_entropies(10 * count, "float32", seed=7))),
        Row("tables, slope of the cell", REJECTED, slopes),
        Row("tables, derivative of the curve", REJECTED, meant),
        Row("solvers, right", REJECTED, solvers()),
        Row("mixed precision, right", REJECTED, list(approximate.mixed_precision())),
        Row("the same three, far off", MISSED, [replace(case, df=case.gross) for case in [*tables, *rough]]),
    ]


def solvers() -> list[Case]:
    try:
        return [*approximate.solvers(), *approximate.scipy_solvers()]
    except ImportError:
        return list(approximate.solvers())


def slightly_off(part: float) -> list[Case]:
    """Each right gradient with its largest entry off by that part of it."""
    return [replace(case, df=_off(case, part), wrong=f"{part:g} off") for case in right(learning.PROBLEMS)]


def _off(case: Case, part: float) -> Callable[..., object]:
    return lambda *point: with_largest_changed(case.df(*point), 1.0 + part)


def with_largest_changed(gradient: object, factor: float) -> object:
    """The same structure, the number of largest size multiplied."""
    several = type(gradient) is tuple
    parts = [np.array(part, dtype=float) for part in (gradient if several else (gradient,))]  # type: ignore[attr-defined]
    largest = max(parts, key=lambda part: float(abs(part).max()))
    place = np.unravel_index(abs(largest).argmax(), largest.shape)
    largest[place] *= factor
    return tuple(parts) if several else parts[0]


def without_a_way_out(found: list[Row]) -> int:
    """Right gradients of rough functions that this project rejects without naming what makes them pass."""
    names = ("tables, slope", "tables, derivative", "solvers", "mixed precision")
    cases = [case for row in found if row.name.startswith(names) for case in row.cases]
    return sum(verdict(case) == "false alarm" for case in cases)  # type: ignore[arg-type]


# Times


def seconds(column: str, size: int, defect: str) -> str:
    """How long one check takes in a process of its own, warm; the best of three where it is short."""
    code = f"from tests.benchmarks.gradients import print_seconds; print_seconds({column!r}, {size}, {defect!r})"
    try:
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT + 20.0)
    except subprocess.TimeoutExpired:
        return f"> {LIMIT:.0f} s"
    return run.stdout.strip() or "failed"


def print_seconds(column: str, size: int, defect: str) -> None:
    warnings.simplefilter("ignore")
    check = available()[column]
    check(sizes.of_size(5))
    case = sizes.of_size(size, defect)
    times, judged = [], False
    while len(times) < 3 and sum(times) < 2.0:
        start = time.perf_counter()
        judged = check(case)
        times.append(time.perf_counter() - start)
    wrongly = "" if judged == bool(defect) else "!"
    print(f"> {LIMIT:.0f} s" if min(times) > LIMIT else f"{wrongly}{duration(min(times))}")


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


TIMES = [
    ("10 numbers, right", sizes.FEW, ""),
    ("10,000 numbers, right", sizes.MANY, ""),
    ("10,000 numbers, one wrong", sizes.MANY, "one entry doubled"),
    ("1,000,000 numbers, right", sizes.A_MILLION, ""),
    ("1,000,000 numbers, one wrong", sizes.A_MILLION, "one entry doubled"),
]


# The tables


def judged_table(found: list[Row], checks: dict[str, Check], columns: Sequence[str] = COLUMNS) -> str:
    lines = []
    for row in found:
        counts = [str(row.count(checks[column])) if column in checks else "absent" for column in columns]
        lines.append((row.name, row.fault, str(len(row.cases)), *counts))
    of_all = sum(len(row.cases) for row in found if row.name.startswith(("tables", "solvers", "mixed")))
    if "this" in columns:
        lines.append(("of these three: no way out named", REJECTED, str(of_all), str(without_a_way_out(found))))
    return table(("judged wrongly", "", "of", *columns), lines)


def times_table(checks: dict[str, Check], most: int, columns: Sequence[str] = COLUMNS) -> str:
    lines = []
    for name, size, defect in TIMES:
        if size <= most:
            cells = [seconds(column, size, defect) if column in checks else "absent" for column in columns]
            lines.append((name, *cells))
    return table(("time", *columns), lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gradients", description="Prints what checks of gradients miss and reject."
    )
    parser.add_argument("--count", type=int, default=10, help="networks for each size of batch (10)")
    parser.add_argument(
        "--most", type=int, default=sizes.A_MILLION, help="numbers of the largest gradient timed (10^6)"
    )
    parser.add_argument("--only", choices=COLUMNS, help="one column")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("--count takes a whole number of at least 1")
    warnings.simplefilter("ignore")  # of divisions by zero in other people's functions
    columns = (options.only,) if options.only else COLUMNS
    checks = available()
    settings = "\n".join(f"- {name}: {text}" for name, text in SETTINGS.items() if name in columns)
    print(f"{machine()}\n\n{settings}\n", flush=True)
    print(judged_table(rows(options.count), checks, columns), flush=True)
    print(f"\n{times_table(checks, options.most, columns)}\n\n! judged wrongly")


if __name__ == "__main__":
    main()
