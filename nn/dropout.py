"""How does dropout regularise? It drops each activation at random in every training step."""

import random
from math import isfinite
from typing import Any

from autograd import Value, where
from autograd.compiler.tracing import session
from autograd.reals import real_or_none, shown
from nn.module import Module, Row
from nn.own import own
from nn.randomness import RandomSource, Seed, random_source


@own
class Dropout(Module):
    """Sets each input to 0 with probability p in training, and scales the others by 1 / (1 - p).

    The mask is drawn anew for every example and every step, example by example, unit by unit. In evaluation, and with
    p = 0.0, it is the identity. With p = 1.0 the outputs are zeros, and everything before the layer gets exactly zero
    gradient (Srivastava et al., 2014).

    Arguments:
        p: the probability of dropping, from 0.0 to 1.0.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`.

    Raises:
        ValueError: p is not a probability.

    >>> import random
    >>> Dropout(0.5, rng=random.Random(1))([1.0, 1.0, 1.0, 1.0])
    [0.0, 2.0, 2.0, 0.0]
    """

    def __init__(self, p: float = 0.5, rng: Seed = None) -> None:
        probability = None if isinstance(p, bool) else real_or_none(p)
        if probability is None or not 0.0 <= probability <= 1.0:
            raise ValueError(f"dropout takes a probability from 0.0 to 1.0; got {shown(p)}")
        self.p = probability
        source = random_source(rng)
        self.rng: RandomSource | None = None if source is random else source  # a module could not be copied

    def input_width(self, following: int | None = None) -> int | None:
        """As many as the next module takes."""
        return following

    def forward(self, row: Row) -> Row:
        """The numbers of one example, some of them dropped in training."""
        if not self.training or self.p == 0.0:
            return row
        scale = 1.0 / (1.0 - self.p) if self.p < 1.0 else 0.0
        draw, recording = random_source(self.rng).random, session()
        if recording is not None:  # the mask is drawn anew in each run of the compiled code
            kept = recording.draw(draw, self.p, len(row))
            return [where(keep, x * scale, 0.0) for keep, x in zip(kept, row, strict=True)]
        return [x * scale if draw() >= self.p else _dropped(x) for x in row]

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"p": self.p}

    def __repr__(self) -> str:
        return f"Dropout(p={self.p})"


def _dropped(x: Any) -> Any:
    """0 in place of x; a Value stays in the graph, and its gradient is exactly zero."""
    if not isinstance(x, Value):
        return 0.0
    return x * 0.0 if isfinite(x.data) else where(0.0, x, 0.0)  # inf * 0.0 is nan; a product takes a tenth the time
