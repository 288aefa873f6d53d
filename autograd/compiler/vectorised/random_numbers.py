"""How does NumPy draw the random numbers that Python's `random` would draw? By the same generator, in the same state.

`numpy.random.RandomState` is the Mersenne Twister too, and makes a float of 53 of its bits as Python does. To hand the
state over and back takes 60 us; 1,000 numbers then take 5, where Python takes 40.
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers, Words


def shuffle(order: Words, generator: random.Random) -> None:
    """Shuffles in place, as `generator.shuffle` does a list."""
    numbers = order.tolist()
    generator.shuffle(numbers)
    order[:] = numbers


def choose(
    generators: Sequence[random.Random], which: Words, probabilities: Numbers, counts: Words, ends: Words, into: Numbers
) -> None:
    """Random choices of several layers: 0.0 where `random()` is below a probability, otherwise 1.0.

    Arguments: as for `native.choose`.
    """
    twins = list(map(_twin, generators))
    columns = np.cumsum([0, *counts]).tolist()
    layers = list(zip(which.tolist(), probabilities.tolist(), columns[:-1], columns[1:], strict=True))
    start = 0
    for end in ends.tolist():
        for generator, probability, first, last in layers:
            into[start:end, first:last] = twins[generator].random_sample((end - start, last - first)) >= probability
        start = end
    for generator, twin in zip(generators, twins, strict=True):
        version, _, gauss = generator.getstate()
        _, words, used, *_ = twin.get_state()
        generator.setstate((version, (*words.tolist(), int(used)), gauss))


def _twin(generator: random.Random) -> Any:
    """NumPy's generator in the state of one of Python's."""
    *words, used = generator.getstate()[1]
    twin = np.random.RandomState()
    state: Any = "MT19937", np.array(words, np.uint32), used
    twin.set_state(state)
    return twin
