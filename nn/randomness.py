"""Where do random numbers come from?  From the `rng` you pass, or else from Python's `random`."""

import random
from reprlib import repr as short
from types import ModuleType
from typing import TypeAlias

# The module `random` has the same methods as a Random: those of the one that random.seed() seeds.
RandomSource: TypeAlias = random.Random | ModuleType


def random_source(rng: RandomSource | None) -> RandomSource:
    """The source of random numbers that an `rng` argument stands for.

    Arguments:
        rng: a `random.Random`, the module `random`, or None, which means the module.

    Returns:
        Something with `shuffle`, `gauss` and the other methods of `random.Random`.

    Raises:
        TypeError: `rng` is something else, such as a bare seed.

    Example:
        >>> random_source(None) is random
        True
        >>> random_source(42)
        Traceback (most recent call last):
        ...
        TypeError: rng takes a random.Random; got 42 (int): pass random.Random(42), for instance.
    """
    if rng is None or rng is random:
        return random
    if not isinstance(rng, random.Random):
        seed = rng if isinstance(rng, int) else 42
        raise TypeError(
            f"rng takes a random.Random; got {short(rng)} ({type(rng).__name__}): "
            f"pass random.Random({seed}), for instance."
        )
    return rng
