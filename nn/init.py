"""What do the weights start from? Random numbers scaled so that signals neither fade nor grow.

An initialiser is a function `(fan_in, fan_out, rng)` that draws one weight; biases start at 0. Each layer draws
neuron by neuron, weight by weight. Give one by name, `MLP(2, [16, 1], init="xavier_uniform")`, or as a function.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any, TypeAlias

import autograd
from autograd.spelling import did_you_mean
from nn.randomness import RandomSource

Initialiser: TypeAlias = Callable[[int, int, RandomSource], float]


def _root(x: Any) -> Any:
    """The square root; also of a number that is being recorded, to be printed for a page."""
    return sqrt(x) if isinstance(x, float) else autograd.sqrt(x)


def _some(fan: Any) -> Any:
    """The fan, counting none as one."""
    return max(fan, 1) if isinstance(fan, int) else fan


def uniform(low: float = -1.0, high: float = 1.0) -> Initialiser:
    """Weights uniform between low and high.

    >>> import random
    >>> -0.3 <= uniform(-0.3, 0.3)(6, 2, random.Random(0)) <= 0.3
    True
    """
    return lambda fan_in, fan_out, rng: rng.uniform(low, high)


def normal(std: float = 1.0) -> Initialiser:
    """Weights normal with mean 0 and standard deviation std.

    >>> import random
    >>> normal(0.0)(6, 2, random.Random(0))
    0.0
    """
    return lambda fan_in, fan_out, rng: rng.gauss(0.0, std)


def he_normal(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """Variance 2 / fan_in, for ReLU and its relatives (He et al., 2015)."""
    return rng.gauss(0.0, _root(2.0 / _some(fan_in)))


def he_uniform(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """The uniform form of `he_normal`: within sqrt(6 / fan_in)."""
    bound = _root(6.0 / _some(fan_in))
    return rng.uniform(-bound, bound)


def xavier_normal(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """Variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot and Bengio, 2010)."""
    return rng.gauss(0.0, _root(2.0 / _some(fan_in + fan_out)))


def xavier_uniform(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """The uniform form of `xavier_normal`: within sqrt(6 / (fan_in + fan_out))."""
    bound = _root(6.0 / _some(fan_in + fan_out))
    return rng.uniform(-bound, bound)


def lecun_normal(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """Variance 1 / fan_in (LeCun et al., 1998)."""
    return rng.gauss(0.0, _root(1.0 / _some(fan_in)))


def lecun_uniform(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """The uniform form of `lecun_normal`: within sqrt(3 / fan_in)."""
    bound = _root(3.0 / _some(fan_in))
    return rng.uniform(-bound, bound)


def micrograd(fan_in: int, fan_out: int, rng: RandomSource) -> float:
    """Weights uniform between -1 and 1, as in micrograd, in the same order from the same generator."""
    return rng.uniform(-1.0, 1.0)


INITIALISERS: dict[str, Initialiser] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "xavier_normal": xavier_normal,
    "xavier_uniform": xavier_uniform,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "uniform": uniform(),
    "micrograd": micrograd,
}
"""The initialisers that layers know by name."""

_FOR_ACTIVATION = {"tanh": "xavier_uniform", "sigmoid": "xavier_uniform", "linear": "xavier_uniform"}


def initialiser(init: str | Initialiser | None, activation: object = "relu") -> Initialiser:
    """The initialiser of that name; for None the one that suits the activation (He or Xavier, uniform).

    Raises:
        ValueError: there is no initialiser of that name.
    """
    if init is None:
        init = _FOR_ACTIVATION.get(str(activation), "he_uniform")
    if callable(init):
        return init
    if not isinstance(init, str) or init not in INITIALISERS:
        meant = did_you_mean(init, INITIALISERS)
        raise ValueError(f"there is no initialiser {init!r}{meant}; choose one of {', '.join(INITIALISERS)}")
    return INITIALISERS[init]
