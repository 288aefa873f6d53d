"""Does `Standardize.of` find the mean and the deviation of each column, with weights and without?"""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import example, given, settings, strategies as st
from mpmath import mp, mpf

from nn import Standardize

COLUMN = st.lists(st.floats(-1e300, 1e300) | st.floats(-10, 10), min_size=1, max_size=8)


def exactly(column: list[float], weights: list[int]) -> tuple[Any, Any]:
    """The mean and the deviation, by fractions; the root by mpmath."""
    total = sum(weights)
    mean = sum(w * Fraction(x) for w, x in zip(weights, column, strict=True)) / total
    variance = sum(w * (Fraction(x) - mean) ** 2 for w, x in zip(weights, column, strict=True)) / total
    with mp.workdps(50):
        return mpf(mean.numerator) / mean.denominator, mp.sqrt(mpf(variance.numerator) / variance.denominator)


@given(COLUMN, st.lists(st.integers(1, 5), min_size=8, max_size=8), st.booleans())
@settings(deadline=None, max_examples=50)
@example([0.1] * 7, [1, 2, 3, 1, 1, 1, 1, 1], True)
@example([1e300, -1e300], [1] * 8, True)
@example([5e-324, 0.0], [1] * 8, True)
def test_means_and_deviations_are_those_of_fractions(column: list[float], weights: list[int], weighted: bool) -> None:
    weights = weights[: len(column)] if weighted else [1] * len(column)
    mean, deviation = exactly(column, weights)
    size = max(map(abs, column))
    tolerance = 1e-14 * size + 5e-324
    given_weights = np.array(weights, float) if weighted else None
    found = Standardize.of(np.array(column)[:, np.newaxis], given_weights)
    assert abs(found.means[0] - mean) <= tolerance
    constant = min(column) == max(column) or deviation < 5e-324  # no float above 0 is so small
    assert found.deviations[0] == 1.0 if constant else abs(found.deviations[0] - deviation) <= tolerance


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.booleans())
@settings(deadline=None, max_examples=25)
def test_lists_and_arrays_agree(column: list[float], weighted: bool) -> None:
    rows = [[x, 3.5] for x in column]
    weights = [1.0 + i % 3 for i in range(len(column))] if weighted else None
    lists, arrays = Standardize.of(rows, weights), Standardize.of(np.array(rows), weights)
    assert np.allclose(lists.means, arrays.means, rtol=1e-12, atol=1e-10)
    assert np.allclose(lists.deviations, arrays.deviations, rtol=1e-9, atol=1e-10) or max(column) - min(column) < 1e-9
