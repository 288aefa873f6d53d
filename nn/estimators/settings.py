"""What may the settings of an estimator be? They are looked at in `fit`, as scikit-learn's convention has it."""

import random
from collections.abc import Callable
from typing import Any

from autograd.reals import as_count, shown
from nn.module import Module
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

OPTIMIZERS: dict[str, tuple[type[Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "adam": (Adam, 0.01),
    "adamw": (AdamW, 0.01),
    "rmsprop": (RMSprop, 0.01),
    "adagrad": (Adagrad, 0.1),
}


def widths(hidden: Any) -> list[int]:
    """The widths of the hidden layers.

    >>> widths((16, 8)), widths(16)
    ([16, 8], [16])
    """
    if isinstance(hidden, str) or hidden is None:
        raise TypeError(f"hidden takes the widths of the hidden layers, such as (16, 16); got {shown(hidden)}")
    return [as_count(width, "each width in hidden") for width in (hidden if hasattr(hidden, "__iter__") else [hidden])]


def share(validation: Any) -> float:
    """Which share of the examples is held out."""
    number = 0.0 if validation is None else validation
    if isinstance(number, bool) or not hasattr(number, "__float__") or not 0.0 <= number < 1.0:
        raise ValueError(
            f"validation takes a share of the examples, from 0 to below 1, such as 0.1; got {shown(validation)}"
        )
    return float(number)


def optimizer_for(model: Module, optimizer: str | Callable[[Any], Optimizer], lr: float | None) -> Optimizer:
    """A new optimiser for a model, by name, or made by a function of the parameters."""
    if callable(optimizer):
        return optimizer(model.parameters())
    if not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        names = ", ".join(OPTIMIZERS)
        raise ValueError(
            f"there is no optimizer {shown(optimizer)}; choose one of {names}, or give a function of the parameters"
        )
    kind, usual_rate = OPTIMIZERS[optimizer]
    return kind(model.parameters(), lr=usual_rate if lr is None else lr)


def generator(random_state: Any) -> random.Random:
    """The random numbers that a `random_state` stands for.

    Arguments:
        random_state: a whole number; a `random.Random`, which is used itself; a NumPy RandomState or Generator, of
            which a number is drawn; None draws one from Python's `random`.

    >>> generator(3).random() == random.Random(3).random()
    True
    """
    if isinstance(random_state, random.Random):
        return random_state
    if random_state is None or random_state is random:
        return random.Random(random.getrandbits(64))
    for draw in ("integers", "randint"):  # of a Generator, of a RandomState
        if hasattr(random_state, draw):
            return random.Random(int(getattr(random_state, draw)(2**31 - 1)))
    if isinstance(random_state, bool) or not hasattr(random_state, "__index__"):
        raise ValueError(
            f"random_state takes None, a whole number, a random.Random, or NumPy's RandomState or Generator; "
            f"got {shown(random_state)}"
        )
    return random.Random(random_state.__index__())
