"""Does native code count as right what Python does?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd.compiler import native
from nn.metrics import largest

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf]) | st.floats()


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(2, 5), st.integers(0, 2), st.integers(0, 2))
def test_the_first_of_the_largest_numbers_counts_as_in_python(data, rows, width, before, behind):
    columns = before + width + behind
    table = np.array([[data.draw(NUMBERS) for _ in range(columns)] for _ in range(rows)])
    classes = np.array([float(data.draw(st.integers(0, width - 1))) for _ in range(7)])
    order = np.array([data.draw(st.integers(0, 6)) for _ in range(rows)])
    outputs = table[:, before : before + width]
    expected = [largest(row) == classes[k] for row, k in zip(outputs.tolist(), order, strict=True)]
    assert native.count_right(outputs, classes, order) == sum(expected)
