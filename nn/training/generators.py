"""Which random generators does a training run draw from, and what state is each in?"""

import random
from math import isfinite
from types import ModuleType
from typing import Any

from autograd.reals import shown
from nn.module import Module
from nn.randomness import RandomSource


def generators(model: Module, order: RandomSource | None) -> dict[str, RandomSource]:
    """Every generator that a run draws from, by name: the one for the order, and those of the model's layers.

    Python's own generator, from which others draw too, is among them only if the run uses it.
    """
    used = {} if order is None else {"order": order}
    used |= {name: module.rng for name, module in model.named_modules() if hasattr(module, "rng")}
    found: dict[str, RandomSource] = {name: x for name, x in used.items() if isinstance(x, random.Random)}
    if any(x is None or isinstance(x, ModuleType) for x in used.values()):
        found["random"] = random
    return found


def generator_state(generator: RandomSource) -> list[Any]:
    """The state of a generator, as JSON can hold it."""
    version, words, gauss = generator.getstate()
    return [version, list(words), gauss]


def as_generator_state(state: Any) -> tuple[Any, ...]:
    """What `generator_state` gave, as `setstate` takes it.

    Raises:
        ValueError: it is something else.
    """
    tried = random.Random()
    try:
        version, words, gauss = state
        given = version, tuple(words), gauss
        tried.setstate(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"this is not the state of a random generator: {error}") from None
    if not (gauss is None or (isinstance(gauss, float) and isfinite(gauss))) or tried.getstate() != given:
        raise ValueError(f"this is not the state of a random generator; got {shown(state)}")
    return given
