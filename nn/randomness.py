"""Where do random numbers come from? From the `rng` that you pass, a seed or a generator, or from Python's `random`."""

import random
import sys
from collections.abc import Callable
from operator import index
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd.reals import shown

if TYPE_CHECKING:
    import numpy as np

# The module `random` has the same methods as a Random: those of the one that random.seed() seeds.
RandomSource: TypeAlias = random.Random | ModuleType

Seed: TypeAlias = "int | RandomSource | np.random.Generator | np.random.RandomState | None"
"""What an `rng` argument may be."""


def random_source(rng: Seed, name: str = "rng") -> RandomSource:
    """The source of random numbers that an `rng` argument stands for.

    Arguments:
        rng: a seed, which stands for a new `random.Random(seed)`; a `random.Random`; NumPy's Generator or RandomState,
            of which a seed is drawn; or the module `random`, for which None stands too.
        name: what to call it in errors.

    Returns:
        Something with `shuffle`, `gauss` and the other methods of `random.Random`.

    Raises:
        TypeError: `rng` is something else.
        ValueError: the seed is below 0.

    Example:
        >>> random_source(None) is random
        True
        >>> random_source(0).random() == random.Random(0).random()
        True
    """
    if rng is None or rng is random:
        return random
    if isinstance(rng, random.Random):
        return rng
    numpys: Any = sys.modules.get("numpy.random")  # whoever has a generator of NumPy's has loaded it
    if numpys is not None and isinstance(rng, numpys.Generator):
        return random.Random(int(rng.integers(2**31 - 1)))
    if numpys is not None and isinstance(rng, numpys.RandomState):
        return random.Random(int(rng.randint(2**31 - 1)))
    seed: Any = rng
    is_whole = hasattr(rng, "__index__") and not isinstance(rng, bool)
    if is_whole and index(seed) >= 0:  # Random(-1) is Random(1)
        return random.Random(index(seed))
    raise (ValueError if is_whole else TypeError)(
        f"{name} takes a seed, a whole number of at least 0, NumPy's Generator, or a random.Random; got {shown(rng)} "
        f"({type(rng).__name__}): pass {name}=0, for instance."
    )


def rewinding(rng: RandomSource) -> Callable[[], None]:
    """A function that puts a source of random numbers back to where it is now; that of the system has no such place.

    Example:
        >>> rng = random.Random(0)
        >>> rewind, first = rewinding(rng), rng.random()
        >>> rewind()
        >>> rng.random() == first
        True
    """
    if isinstance(rng, random.SystemRandom):
        return lambda: None
    state = rng.getstate()
    return lambda: rng.setstate(state)
