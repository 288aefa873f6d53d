"""How many digits do fits of curves find, and how long do they take? `python -m tests.benchmarks.curves`

NIST's 27 problems of nonlinear regression, from both starting points: `nn.least_squares`, and SciPy's
`curve_fit(method="lm")` (MINPACK), which gets the model over NumPy's arrays. It is called as most people call it, with
differences for derivatives and its own tolerances; and to do its best, with our derivatives and tolerances of 1e-15.
The digits are those of the parameter that has fewest right.
"""

import math
import statistics
import time
import types
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import curve_fit

import autograd
from nn import least_squares
from tests.benchmarks.tables import machine, table
from tests.nn.nist import REGRESSIONS, Regression, matching_digits

WANTED = 8.0
ROUNDS = 5
ON_ARRAYS = {"exp": np.exp, "cos": np.cos, "sin": np.sin, "atan": np.arctan, "math": math}


class Result(NamedTuple):
    digits: float
    seconds: float


def measured(fit: Callable[[], Any], problem: Regression) -> Result:
    """The digits, and the median time of a call. A fit that raises has none."""
    seconds, digits = [], 0.0
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        try:
            found = fit()
        except (RuntimeError, ValueError, np.linalg.LinAlgError):
            found = None
        seconds.append(time.perf_counter() - begin)
        if found is not None and np.all(np.isfinite(found)):
            digits = max(0.0, min(map(matching_digits, found, problem.certified)))
    return Result(digits, statistics.median(seconds))


def compared(problem: Regression, start: list[float]) -> list[Result]:
    """Ours, SciPy's as it comes, and SciPy's at its best."""
    x, y = np.array(problem.x), np.array(problem.y)
    columns = list(x.T) if x.ndim == 2 else x
    on_arrays = types.FunctionType(problem.model.__code__, ON_ARRAYS)
    slopes = autograd.compile(problem.model)

    def jacobian(x: Any, *parameters: float) -> Any:
        by_parameters = slopes.jacobian(columns, *parameters)[1:]
        return np.stack([np.broadcast_to(column, y.shape) for column in by_parameters], axis=1)

    def ours() -> list[float]:
        return list(least_squares(problem.model, x, y, start).parameters.values())

    def scipys(**options: Any) -> Any:
        return curve_fit(on_arrays, columns, y, start, method="lm", **options)[0]

    best = {"jac": jacobian, "ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "maxfev": 10_000}
    return [measured(ours, problem), measured(scipys, problem), measured(lambda: scipys(**best), problem)]


def main() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    rows, all_results = [], []
    for problem in REGRESSIONS.values():
        for k, start in enumerate(problem.starts, 1):
            results = compared(problem, start)
            all_results.append((k, results))
            ratio = results[0].seconds / results[1].seconds
            times = [f"{1e3 * result.seconds:.1f}" for result in results]
            rows.append((f"{problem.name}, start {k}", *(f"{r.digits:.1f}" for r in results), *times, f"{ratio:.1f}"))
    columns = ("ours", "SciPy", "at its best", "ours, ms", "SciPy, ms", "at its best, ms", "ours / SciPy")
    head = ("digits of NIST StRD", *columns)
    print(table(head, rows))
    print()
    summary = []
    for k in (1, 2):
        chosen = [results for start, results in all_results if start == k]
        reached = [str(sum(results[i].digits >= WANTED for results in chosen)) for i in range(3)]
        times = [f"{1e3 * statistics.median(results[i].seconds for results in chosen):.1f}" for i in range(3)]
        ratio = statistics.median(results[0].seconds / results[1].seconds for results in chosen)
        summary.append((f"of 27 from start {k}, with {WANTED:g} digits and more", *reached, *times, f"{ratio:.1f}"))
    print(table(("solved; medians of times", *head[1:]), summary))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
