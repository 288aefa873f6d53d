"""How does compiled training draw random numbers? From the same generators, and the same ones as the eager engine."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.compiler.backend import Numbers, Words, code
from autograd.compiler.tracing import Session
from nn.randomness import RandomSource


class Draws:
    """The random choices of a session, drawn anew for every batch.

    Attributes:
        count: how many there are for an example.
    """

    def __init__(self, session: Session) -> None:
        self._draws = session.draws
        owners = [getattr(draw, "__self__", None) for draw, _, _ in self._draws]
        self._generators: list[Any] = list(dict.fromkeys(owners))
        self._are_pythons = all(type(x) is random.Random for x in self._generators)
        self._which = np.array([self._generators.index(x) for x in owners], np.int64)
        self._probabilities = np.array([probability for _, probability, _ in self._draws], np.float64)
        self._counts = np.array([len(choices) for _, _, choices in self._draws], np.int64)
        self.count = int(self._counts.sum())

    def draw(self, choices: Numbers, ends: Words) -> Numbers:
        """Choices as the eager engine makes them: layer by layer, example by example, unit by unit.

        Arguments:
            choices: for the choices, a row of `count` numbers for each example.
            ends: where each batch ends.

        Returns:
            the choices.
        """
        if self._draws and self._are_pythons:
            code().choose(self._generators, self._which, self._probabilities, self._counts, ends, choices)
        elif self._draws:
            self._draw_in_python(choices, ends)
        return choices

    def _draw_in_python(self, choices: Numbers, ends: Iterable[int]) -> None:
        start = 0
        for end in ends:
            column = 0
            for draw, probability, drawn in self._draws:
                rows = [[draw() >= probability for _ in drawn] for _ in range(start, end)]
                choices[start:end, column : column + len(drawn)] = rows
                column += len(drawn)
            start = end


def shuffle(order: Words, rng: RandomSource) -> None:
    """Shuffles as `rng.shuffle` does a list."""
    draw: Callable[[], float] = rng.random
    generator = getattr(draw, "__self__", None)
    if type(generator) is random.Random:
        code().shuffle(order, generator)
    else:
        numbers = order.tolist()
        rng.shuffle(numbers)
        order[:] = numbers
