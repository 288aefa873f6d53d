"""Does native code draw the very numbers that Python's generator draws?"""

import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd.compiler.native import generators
from nn.training.draws import Draws, shuffle


@pytest.fixture(params=[True, False], ids=["where it lies", "by getstate"], autouse=True, scope="module")
def state_in_place(request):
    """Whether native code finds the state of a generator where it lies."""
    with pytest.MonkeyPatch.context() as patches:
        if not request.param:
            patches.setattr(generators, "_lies_open", lambda: False)
        yield


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64), st.integers(0, 1500), st.integers(1, 3000))
def test_shuffling(seed, before, count):
    ours, pythons = random.Random(seed), random.Random(seed)
    for generator in (ours, pythons):
        [generator.random() for _ in range(before)]
    numbers, order = list(range(count)), np.arange(count)
    pythons.shuffle(numbers)
    shuffle(order, ours)
    assert order.tolist() == numbers
    assert ours.getstate() == pythons.getstate()
    assert ours.gauss(0.0, 1.0) == pythons.gauss(0.0, 1.0)


class Session:
    """The draws of two layers, of which the second has a generator of its own or not."""

    def __init__(self, first, second):
        self.draws = [(first.random, 0.25, [None] * 3), (second.random, 0.5, [None] * 2)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_masks(seed, shared, sizes):
    ours, pythons = ([random.Random(seed), random.Random(seed + 1)] for _ in range(2))
    if shared:
        ours[1], pythons[1] = ours[0], pythons[0]
    ends = np.cumsum(sizes)
    found = Draws(Session(*ours)).draw(np.empty((int(ends[-1]), 5)), ends)
    rows = []
    for size in sizes:
        first = [[float(pythons[0].random() >= 0.25) for _ in range(3)] for _ in range(size)]
        second = [[float(pythons[1].random() >= 0.5) for _ in range(2)] for _ in range(size)]
        rows += [[*a, *b] for a, b in zip(first, second, strict=True)]
    assert found.tolist() == rows
    assert [g.getstate() for g in ours] == [g.getstate() for g in pythons]


def test_pythons_own_generator_and_one_that_is_subclassed():
    class Half(random.Random):
        def random(self):
            return 0.5

    random.seed(3)
    expected = list(range(50))
    random.shuffle(expected)
    random.seed(3)
    order = np.arange(50)
    shuffle(order, random)
    assert order.tolist() == expected
    assert Draws(Session(Half(0), Half(0))).draw(np.empty((2, 5)), np.array([2])).tolist() == [[1.0] * 5] * 2
