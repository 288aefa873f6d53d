"""Which samples may a model learn from, and which must it never have seen?  A split in three.

The model learns from `train`, choices such as the learning rate are made on `validation`, and
`test` tells once, at the end, how good the model is. `tables.py` reads the samples.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from reprlib import repr as short
from typing import Any, NamedTuple

from nn.datasets.dataset import counted
from nn.datasets.tables import as_rows, as_targets, check_same_length
from nn.randomness import RandomSource, Seed, random_source

TRAIN, VALIDATION, TEST = PARTS = range(3)
PART_NAMES = ("train", "validation", "test")


class Part(NamedTuple):
    """Some of the samples: `X, y = part`.

    Arguments:
        X: one list of floats for each sample.
        y: one target for each sample.
    """

    X: list[list[float]]
    y: list[Any]

    def __repr__(self) -> str:
        return f"<Part: {counted(len(self.X), 'sample')}>"


class Split(NamedTuple):
    """All samples in three parts: `train, validation, test = split`, or `split.train.X`.

    Arguments:
        train: what the model learns from.
        validation: what choices are made on.
        test: what is looked at once, at the end.
    """

    train: Part
    validation: Part
    test: Part


def train_validation_test_split(
    X: Any,
    y: Any,
    sizes: Sequence[float] = (0.7, 0.1, 0.2),
    stratify: bool = True,
    rng: Seed = None,
) -> Split:
    """Divide samples at random into a training, a validation and a test part.

    A part's size is its share of the samples, rounded down; what is left over goes to `test`, then
    to `validation`. Stratified, each class is divided by the largest-remainder method, adjusted
    so that the sizes come out: in every part, every class has its share of samples rounded
    up or down, and so is less than one sample off.

    Arguments:
        X: n rows of numbers: lists, a NumPy array or a data frame, as `as_rows` takes them.
        y: n targets, as `as_targets` takes them.
        sizes: the shares of train, validation and test, which sum to 1. A share of 0 gives an
            empty part, except that train must have some.
        stratify: keep the proportions of the classes in every part. Pass False for targets that
            are no classes.
        rng: a seed or a `random.Random`; Python's `random` module if left out. The same seed gives the
            same split.

    Returns:
        A `Split`, each part a `Part` of fresh lists in random order.

    Raises:
        ValueError: `X` and `y` differ in length, `sizes` does not sum to 1, there are too few
            samples for the parts, or, stratified, a class has fewer samples than there are parts
            or `y` holds no classes. Also what `as_rows` and `as_targets` raise.
        TypeError: an argument is of the wrong kind.

    Example:
        >>> import random
        >>> from nn.datasets import load_digits
        >>> digits = load_digits()
        >>> split = train_validation_test_split(digits.X, digits.y, rng=random.Random(0))
        >>> split
        Split(train=<Part: 1257 samples>, validation=<Part: 180 samples>, test=<Part: 360 samples>)
        >>> split.test.y.count(0), digits.y.count(0)
        (36, 178)
    """
    rows, targets = as_rows(X), as_targets(y)
    check_same_length(rows, targets)
    places = split_places(targets, sizes, stratify, rng)
    return Split(*(Part([rows[i] for i in part], [targets[i] for i in part]) for part in places))


def split_places(targets: list[Any], sizes: Sequence[float], stratify: bool, rng: Seed) -> list[list[int]]:
    """The places of the samples of each part; the arguments are those of `train_validation_test_split`.

    Example:
        >>> split_places([0, 0, 0, 1, 1, 1], (0.4, 0.3, 0.3), True, 0)
        [[0, 5], [2, 4], [1, 3]]
    """
    source, shares = random_source(rng), _shares(sizes)
    groups = _groups_by_class(targets, shares) if stratify else [list(range(len(targets)))]
    chosen = _chosen(groups, shares, source)
    for indices in chosen:
        source.shuffle(indices)  # or else the classes would follow one another
    return chosen


def places_by_class(classes: Sequence[Any]) -> list[list[int]]:
    """The places of the samples of each class, in the order of the classes.

    Example:
        >>> places_by_class([1, 0, 1])
        [[1], [0, 2]]
    """
    places: dict[Any, list[int]] = {}
    for i, label in enumerate(classes):
        places.setdefault(label, []).append(i)
    return [places[label] for label in sorted(places)]


def held_out_places(groups: list[list[int]], share: float, rng: RandomSource) -> tuple[list[int], list[int]]:
    """The places to learn from, and a share of them to be held out, each in order; drawn at random from each group.

    Arguments:
        groups: the places of the samples, those of one class together; they are shuffled.
        share: above 0 and below 1.
        rng: draws.

    Raises:
        ValueError: nothing is left to learn from.

    Example:
        >>> import random
        >>> held_out_places([[0, 2, 4, 6], [1, 3, 5, 7]], 0.25, random.Random(0))
        ([0, 1, 2, 3, 4, 7], [5, 6])
    """
    train, held_out, _ = _chosen(groups, _shares((1.0 - share, share, 0.0)), rng)
    return sorted(train), sorted(held_out)


def _chosen(groups: list[list[int]], shares: list[Fraction], source: RandomSource) -> list[list[int]]:
    """The places of each part, drawn from each group; the groups are shuffled."""
    counts = _counts_by_class([len(group) for group in groups], shares, _part_sizes(sum(map(len, groups)), shares))
    chosen: list[list[int]] = [[], [], []]
    for group, (train, validation, _) in zip(groups, counts, strict=True):
        source.shuffle(group)
        chosen[TRAIN] += group[:train]
        chosen[VALIDATION] += group[train : train + validation]
        chosen[TEST] += group[train + validation :]
    return chosen


def _shares(sizes: Sequence[float]) -> list[Fraction]:
    """The sizes as exact fractions: ten samples times 0.1 is one, and 1/3 a third."""
    try:
        numbers = [float(size) for size in sizes]
    except (TypeError, ValueError):
        numbers = []
    in_range = len(numbers) == 3 and all(0.0 <= size <= 1.0 for size in numbers)
    if not in_range or not math.isclose(sum(numbers), 1.0, abs_tol=1e-9):
        raise ValueError(
            f"sizes takes the shares of train, validation and test, three numbers of at least 0 "
            f"that sum to 1, such as (0.7, 0.1, 0.2); got {short(sizes)}."
        )
    validation, test = (Fraction(size).limit_denominator(10**9) for size in numbers[1:])
    train = 1 - validation - test
    if train <= 0:
        raise ValueError(f"sizes leaves nothing to learn from; got {short(sizes)}: give train a share above 0.")
    return [train, validation, test]


def _part_sizes(n_samples: int, shares: list[Fraction]) -> list[int]:
    """How many samples each part has in all."""
    ideals = [n_samples * share for share in shares]
    last_first = [part for part in (TEST, VALIDATION, TRAIN) if ideals[part] % 1]
    totals = _rounded(ideals, last_first)
    for part in PARTS:
        if shares[part] > 0 and totals[part] == 0:
            ratio = " : ".join(str(float(share)) for share in shares)
            raise ValueError(
                f"splitting {counted(n_samples, 'sample')} {ratio} "
                f"leaves {PART_NAMES[part]} empty: pass more samples, a larger share, or a share "
                f"of 0 if you want no such part."
            )
    return totals


def _rounded(ideals: list[Fraction], order: list[int]) -> list[int]:
    """The ideal counts rounded down, and what is left over handed out in that order."""
    counts = [math.floor(ideal) for ideal in ideals]
    for part in order[: int(sum(ideals)) - sum(counts)]:
        counts[part] += 1
    return counts


def _groups_by_class(targets: list[Any], shares: list[Fraction]) -> list[list[int]]:
    """The indices of the samples of each class, in the order of the class numbers."""
    for i, target in enumerate(targets):
        if isinstance(target, list) or target != int(target):
            raise ValueError(
                f"stratify=True takes classes, whole numbers; y[{i}] is {short(target)}: "
                f"pass one class for each sample, or stratify=False if y holds no classes."
            )
    n_parts = sum(share > 0 for share in shares)
    groups = places_by_class(targets)
    for group in groups:
        if len(group) < n_parts:
            raise ValueError(
                f"stratify=True takes at least {counted(n_parts, 'sample')} of each class, one for "
                f"each part; class {targets[group[0]]} has {len(group)}: add samples of it, leave it out, "
                f"or pass stratify=False."
            )
    return groups


def _counts_by_class(class_sizes: list[int], shares: list[Fraction], totals: list[int]) -> list[list[int]]:
    """How many samples of each class go to each part, so that the parts have their totals."""
    ideals = [[size * share for share in shares] for size in class_sizes]
    counts = [_rounded(ideal, _largest_remainder_first(ideal)) for ideal in ideals]
    surplus = [sum(row[part] for row in counts) - totals[part] for part in PARTS]
    while any(surplus):
        giver, taker = surplus.index(max(surplus)), surplus.index(min(surplus))
        _move_one(counts, ideals, giver, taker)
        surplus[giver] -= 1
        surplus[taker] += 1
    return counts


def _largest_remainder_first(ideals: list[Fraction]) -> list[int]:
    """The parts in the order in which they get what is left over; among equals, the last first."""
    return sorted(PARTS, key=lambda part: (ideals[part] % 1, part), reverse=True)


def _move_one(counts: list[list[int]], ideals: list[list[Fraction]], giver: int, taker: int) -> None:
    """Move one sample between two parts, in the class where that does the least harm.

    A class can do it that was rounded up in the one part and down in the other. If there is none,
    the third part hands on. With three parts that always works (max-flow min-cut: any two parts
    have room for all that a class has left over, so no cut is too narrow).
    """
    harm = {}
    for i, (count, ideal) in enumerate(zip(counts, ideals, strict=True)):
        if count[giver] > ideal[giver] and count[taker] < ideal[taker]:
            harm[i] = (count[taker] - ideal[taker]) - (count[giver] - ideal[giver])
    if not harm:
        between = 3 - giver - taker
        _move_one(counts, ideals, giver, between)
        _move_one(counts, ideals, between, taker)
        return
    best = min(harm, key=harm.__getitem__)
    counts[best][giver] -= 1
    counts[best][taker] += 1
