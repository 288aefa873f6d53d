"""How far may a right derivative be off for no other reason than the rounding of the inputs?

In 2 * (x - mean(x)) digits cancel that rounding the mean has lost. An error of a few ulp in the inputs changes the
gradient as much. So a derivative that seems to be wrong is asked for again at points that are 1, 2 and 3 ulp away. What
rounding does to it differs from one of them to the next. A derivative that is wrong at this one point differs from all
of them by the same, and nothing excuses it.
"""

import math
import random
from collections.abc import Callable, Sequence
from functools import cached_property

from autograd.testing.claims import Claim
from autograd.testing.differences.function_values import quiet
from autograd.testing.differences.rounding_errors import U
from autograd.testing.inputs import Inputs

SIZES = (1, 2, 3)
"""By how many units in the last place the inputs are moved."""


class Nearby:
    """What is claimed at points a few ulp away.

    Arguments:
        inputs: the point.
        claims_at: gives the claims at other numbers.
        which: which of these claims.
        before: called once before anything is excused; by default nothing is.
    """

    def __init__(
        self,
        inputs: Inputs,
        claims_at: Callable[[Sequence[float]], Sequence[Claim]],
        which: int,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.inputs, self.claims_at, self.which, self.before = inputs, claims_at, which, before
        self._entries: dict[int, Sequence[float]] = {}

    @cached_property
    def claims(self) -> list[tuple[Claim | None, Claim | None]]:
        """For each size the claims in one direction and in the other; None where there is no derivative."""
        self.before()
        rng = random.Random(0)
        pairs = []
        for size in SIZES:
            signs = [size if byte & 1 else -size for byte in rng.randbytes(len(self.inputs.numbers))]
            pairs.append((self.claim(signs), self.claim([-sign for sign in signs])))
        return pairs

    def claim(self, ulps: Sequence[int]) -> Claim | None:
        """What is claimed where each input is moved by so many ulp."""
        unit = self.inputs.unit / U
        near = [x + k * unit * math.ulp(x) for x, k in zip(self.inputs.numbers, ulps, strict=True)]
        try:
            with quiet():
                return self.claims_at(near)[self.which]
        except Exception:  # whatever happens beside the point, nothing is excused for it
            return None

    def allowance(self, claimed: float, of: Callable[[Claim], float]) -> float:
        """By how much a derivative may be off: four times its largest change.

        Of the two directions the smaller change counts: where a wrong gradient jumps at the point, the other is 0.
        Nothing counts beyond what the derivatives nearby differ from one another.

        Arguments:
            claimed: the derivative at the point.
            of: reads it from a claim.
        """
        pairs = [[math.nan if claim is None else of(claim) for claim in pair] for pair in self.claims]
        finite = [x for pair in pairs for x in pair if math.isfinite(x)]
        if not finite:
            return 0.0
        changes = (min(abs(x - claimed) for x in pair) for pair in pairs if all(map(math.isfinite, pair)))
        return 4.0 * min(max(changes, default=0.0), max(finite) - min(finite))

    def allowance_of_entry(self, claimed: float, k: int) -> float:
        """The same for the k-th entry of the matrix."""
        return self.allowance(claimed, lambda claim: self.entries(claim)[k])

    def entries(self, claim: Claim) -> Sequence[float]:
        """All entries of one of these claims."""
        if id(claim) not in self._entries:
            self._entries[id(claim)] = claim.entries()
        return self._entries[id(claim)]
