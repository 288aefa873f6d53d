"""How much does the suite try of what could be tried? A sample under CI, where each run tries the same.

At home a property is tried on as many random examples as it says, others in every run; under CI on a third. A property
that holds whatever the seed is tried with two seeds, and by `pytest -m slow` with the others.
"""

import os
from collections.abc import Iterable
from typing import Any

import pytest

IN_CI = bool(os.environ.get("CI"))
SEEDS: list[Any] = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))]


def every_second(cases: Iterable[Any]) -> list[Any]:
    """Cases of which `pytest -m slow` alone tries the second, the fourth, ..."""
    slow = pytest.mark.slow
    several = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=slow if k % 2 else ()) for k, case in enumerate(several)]


def examples(count: int) -> int:
    """The number of examples to try, where a property has `count` of them at home."""
    return max(5, count // 3) if IN_CI else count
