"""Which examples does `fit` hold out, to keep the best weights? A share of them, drawn at random from each class."""

from collections.abc import Sequence
from random import Random

from nn.datasets.split import held_out_places, places_by_class


def parted(classes: Sequence[int] | None, count: int, share: float, rng: Random) -> tuple[list[int], list[int]]:
    """The places of the examples to learn from, and of those that are held out, both in increasing order.

    Of each class at least one is learned from; so there may be fewer held out than their share, or none.

    Arguments:
        classes: the number of the class of each example; None for a regression.
        count: how many examples there are.
        share: how many of them to hold out, rounded up.
        rng: draws them.

    >>> parted([0, 0, 0, 1, 1, 1, 2], 7, 0.34, Random(0))
    ([0, 4, 5, 6], [1, 2, 3])
    >>> parted(None, 3, 0.1, Random(0))
    ([0, 1, 2], [])
    """
    groups = [list(range(count))] if classes is None else places_by_class(classes)
    several = [group for group in groups if len(group) > 1]
    if min(share, 1.0 - share) * sum(map(len, several)) < 1.0:  # one of the parts would be empty
        return list(range(count)), []
    held_out = set(held_out_places(several, share, rng)[1])
    held_out -= {group[0] for group in several if held_out.issuperset(group)}
    return [place for place in range(count) if place not in held_out], sorted(held_out)
