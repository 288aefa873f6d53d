"""How do Python's random generators get into native code, and back with the state that it leaves?"""

import random
from collections.abc import Sequence

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.native.loading import random_numbers


def shuffle(order: Words, generator: random.Random) -> None:
    """Shuffles in place, as `generator.shuffle` does a list."""
    state = _state(generator)
    random_numbers().shuffle(state.ctypes.data, order.ctypes.data, len(order))
    _set_state(generator, state)


def choose(
    generators: Sequence[random.Random], which: Words, probabilities: Numbers, counts: Words, ends: Words, into: Numbers
) -> None:
    """Random choices of several layers: 0.0 where `random()` is below a probability, otherwise 1.0.

    Arguments:
        generators: the generators, each once.
        which, probabilities, counts: for each layer its generator, its probability, and its choices for an example.
        ends: where each batch ends. The layers take turns, each for all examples of a batch.
        into: for the choices, a row for each example.
    """
    states = np.stack([_state(generator) for generator in generators])
    arrays = (x.ctypes.data for x in (states, which, probabilities, counts))
    random_numbers().choose_all(*arrays, len(counts), ends.ctypes.data, len(ends), into.ctypes.data, into.shape[1])
    for generator, state in zip(generators, states, strict=True):
        _set_state(generator, state)


def _state(generator: random.Random) -> Words:
    """The state of a generator, as native code has it."""
    return np.array(generator.getstate()[1], np.int64)


def _set_state(generator: random.Random, state: Words) -> None:
    """Gives a generator the state that native code left."""
    version, _, gauss = generator.getstate()
    generator.setstate((version, tuple(state.tolist()), gauss))
