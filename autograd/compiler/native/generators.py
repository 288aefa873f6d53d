"""How do Python's random generators get into native code, and back with the state that it leaves?

CPython keeps the state of a generator in one place, where native code reads and writes it. So a generator always has
its newest state, whoever looks at it next. Whether the state lies there is tried once. Where it does not, it goes
through `getstate` and `setstate`, as a tuple of 625 numbers, which takes 60 us more.
"""

import ctypes
import random
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.native.loading import random_numbers
from autograd.compiler.native.run import address_of

State: TypeAlias = NDArray[np.uint32]

_Core: type = random.Random.__mro__[1]  # what is written in C

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
    states = [_state(generator) for generator in generators]
    addresses = np.array([address_of(state) for state in states], np.int64)
    arrays = map(address_of, (addresses, which, probabilities, counts))
    random_numbers().choose_all(*arrays, len(counts), address_of(ends), len(ends), address_of(into), into.shape[1])
    for generator, state in zip(generators, states, strict=True):
        _set_state(generator, state)


def _state(generator: random.Random) -> State:
    """The state of a generator, as native code has it: how many words have been used, and the words."""
    if _lies_open():
        return _inside(generator)
    *words, used = generator.getstate()[1]
    return np.array([used, *words], np.uint32)


def _set_state(generator: random.Random, state: State) -> None:
    """Gives a generator the state that native code left, unless it has it already."""
    if not _lies_open():
        version, _, gauss = generator.getstate()
        used, *words = state.tolist()
        generator.setstate((version, (*words, used), gauss))


_HEAD, _LENGTH = object.__basicsize__, SIZE + 1
_Inside = ctypes.c_uint32 * _LENGTH


def _inside(generator: random.Random) -> State:
    """The state itself, where CPython keeps it: see `RandomObject` in `_randommodule.c`."""
    place: Any = _Inside.from_address(id(generator) + _HEAD)
    return np.frombuffer(place, np.uint32)


@cache
def _lies_open() -> bool:
    """Whether the state of a generator lies where `_inside` looks for it."""
    room = _Core.__basicsize__ - _HEAD
    if sys.implementation.name != "cpython" or not 0 <= room - 4 * _LENGTH < 8:
        return False
    tried = random.Random(0)
    tried.random()
    used, *words = _inside(tried).tolist()
    return bool((*words, used) == tried.getstate()[1])
