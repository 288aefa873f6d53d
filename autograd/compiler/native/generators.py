"""How do Python's random generators get into native code, and back with the state that it leaves?

CPython keeps the state of a generator in one place, which is read and written as it lies. So each draw takes 3 us, not
60, and a generator always has its newest state, whoever looks at it next. Whether the state lies there is tried once.
Where it does not, it goes through `getstate` and `setstate`, a tuple of 625 numbers.
"""

import ctypes
import random
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.native.loading import random_numbers
from autograd.compiler.native.run import address_of

SIZE = 624
"""How many words of 32 bits make the state of a generator."""


def shuffle(order: Words, generator: random.Random) -> None:
    """Shuffles in place, as `generator.shuffle` does a list."""
    state = _state(generator)
    random_numbers().shuffle(address_of(state), address_of(order), len(order))
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
    arrays = map(address_of, (states, which, probabilities, counts))
    random_numbers().choose_all(*arrays, len(counts), address_of(ends), len(ends), address_of(into), into.shape[1])
    for generator, state in zip(generators, states, strict=True):
        _set_state(generator, state)


def _state(generator: random.Random) -> Words:
    """The state of a generator, as native code has it: its words, and how many of them have been used."""
    if not _lies_open():
        return np.array(generator.getstate()[1], np.int64)
    inside, state = _inside(generator), np.empty(SIZE + 1, np.int64)
    state[:SIZE], state[SIZE] = inside[1:], inside[0]
    return state


def _set_state(generator: random.Random, state: Words) -> None:
    """Gives a generator the state that native code left."""
    if _lies_open():
        inside = _inside(generator)
        inside[1:], inside[0] = state[:SIZE], state[SIZE]
    else:
        version, _, gauss = generator.getstate()
        generator.setstate((version, tuple(state.tolist()), gauss))


_HEAD, _LENGTH = object.__basicsize__, 4 * (SIZE + 1)
_Inside = ctypes.c_uint32 * (SIZE + 1)


def _inside(generator: random.Random) -> Any:
    """The state where CPython keeps it (`RandomObject` in `_randommodule.c`): the number used, then the words."""
    return np.frombuffer(_Inside.from_address(id(generator) + _HEAD), np.uint32)


@cache
def _lies_open() -> bool:
    """Whether the state of a generator lies where `_inside` looks for it."""
    room = random.Random.__base__.__basicsize__ - _HEAD if random.Random.__base__ else 0
    if sys.implementation.name != "cpython" or not _LENGTH <= room < _LENGTH + 8:
        return False
    tried = random.Random(0)
    tried.random()
    used, *words = _inside(tried).tolist()
    return (*words, used) == tried.getstate()[1]
