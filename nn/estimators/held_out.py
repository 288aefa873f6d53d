"""Which examples are held out of training, to stop it in time? A share of them, drawn at random, with all classes."""

from collections.abc import Sequence
from random import Random


def held_out_places(
    classes: Sequence[int] | None, count: int, share: float, rng: Random
) -> tuple[list[int], list[int]]:
    """The places of the examples to learn from, and of those that are held out, both in increasing order.

    Each class has its share of examples held out, rounded up or down. Each keeps one to learn from at least; so there
    may be fewer held out, or none.

    Arguments:
        classes: the number of the class of each example; None for a regression.
        count: how many examples there are.
        share: how many of them to hold out, from 0 to below 1; the number is rounded down.
        rng: draws them.

    >>> held_out_places([0, 0, 0, 1, 1, 1], 6, 0.34, Random(0))
    ([0, 2, 3, 4], [1, 5])
    """
    order = list(range(count))
    wanted = int(share * count)
    if not wanted:
        return order, []
    rng.shuffle(order)
    if classes is not None:
        order.sort(key=classes.__getitem__)  # a stable sort: inside a class the order stays random
    chosen = {order[(2 * k + 1) * count // (2 * wanted)] for k in range(wanted)}  # evenly, so from each class
    left = {} if classes is None else {classes[i] for i in range(count) if i not in chosen}
    if classes is not None:
        for i in order:
            if classes[i] not in left:
                chosen.remove(i)
                left.add(classes[i])
    return [i for i in range(count) if i not in chosen], sorted(chosen)
