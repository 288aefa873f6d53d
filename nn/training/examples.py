"""Which examples does a run have, and how much does each count? Those to learn from, and those held out."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from operator import index
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.spelling import did_you_mean
from nn.arguments import tables
from nn.datasets.split import held_out_places, places_by_class
from nn.datasets.tables import as_column, listed, part
from nn.losses import Loss, known_loss, weighted
from nn.metrics import true_classes


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples with their targets, as arrays or lists.

    Attributes:
        rows, targets: one for each example.
        sample_weight: how much each counts in every figure; None where all count the same.
        weights: what the loss of each is multiplied by: its sample weight, times that of its class; None for 1.
    """

    rows: Any
    targets: Any
    sample_weight: Any = None
    weights: Any = None

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: Any) -> "Examples":
        """The examples at these places, in this order."""
        return replace(self, **{name: part(x, places) for name, x in vars(self).items()})

    def listed(self) -> "Examples":
        """The same as lists."""
        return replace(self, **{name: listed(x) for name, x in vars(self).items()})

    # What is otherwise for sequences (`sequences.py`)

    def error(self, loss: Loss, predictions: Any) -> Any:
        """The loss of what a model says about these examples."""
        return weighted(loss, predictions, self.targets, self.weights)

    def in_rows(self, predictions: Any) -> Any:
        """What a model says about these examples, as a row of outputs for each target."""
        return predictions

    def answers(self) -> "Examples":
        """The same with one target for each row of outputs, as accuracy and metrics take them."""
        return self

    def classes(self, loss: Loss) -> list[int] | None:
        """The class of each example; None where they have none."""
        return true_classes(self.targets, loss)


def examples_of(X: Any, Y: Any, sample_weight: Any = None, name: str = "X") -> Examples:
    """The examples, checked.

    Raises:
        ValueError, TypeError: they are no tables of numbers, differ in length, or are empty.
    """
    rows, targets = tables(X, Y, name)
    weights = sample_weights(sample_weight, len(rows))
    return Examples(rows, targets, weights, weights)


# Held out


@dataclass(frozen=True)
class HeldOutShare:
    """How a share of the examples is held out: the same seed holds out the same ones."""

    share: float
    seed: int


def given(validation: Any, read: Callable[..., Examples]) -> Examples | None:
    """The examples for validation, if they are given: as (X, Y) or (X, Y, sample_weight).

    Arguments:
        read: takes them, as `examples_of` does.

    Raises:
        ValueError, TypeError: they are neither given nor a share of the others.
    """
    if validation is None or share_of(validation) is not None:
        return None
    if not isinstance(validation, Sequence) or len(validation) not in (2, 3):
        raise ValueError(
            "validation takes a pair (X, Y) of examples and targets, (X, Y, sample_weight), or a share of the examples "
            f"such as 0.2; got {shown(validation)}"
        )
    X, Y, *weights = validation
    return read(X, Y, weights[0] if weights else None, "validation X")


def share_of(validation: Any) -> float | None:
    """The share of the examples that is to be held out; None if it is no number.

    Raises:
        ValueError: it is no share.
    """
    share = None if isinstance(validation, bool) else real_or_none(validation)
    if share is not None and not 0.0 < share < 1.0:
        raise ValueError(f"validation takes a share above 0 and below 1, such as 0.2; got {shown(validation)}")
    return share


def split_off(examples: Examples, loss: Loss, split: HeldOutShare) -> tuple[Examples, Examples]:
    """What to learn from, and what to hold out; of each class its share, where the targets are classes for the loss.

    Raises:
        ValueError: too few examples are left to learn from, or all of one part have weight 0.
    """
    groups = places_by_class(examples.classes(loss) or [0] * len(examples))
    single = sorted(place for group in groups if len(group) == 1 for place in group)
    several = [group for group in groups if len(group) > 1]
    try:
        learned, held_out = held_out_places([*several, single], split.share, random.Random(split.seed))
    except ValueError:
        raise ValueError(
            f"validation={split.share:g} of {len(examples)} examples leaves none to learn from: give a smaller share, "
            "or more examples"
        ) from None
    return examples.at(learned), examples.at(held_out)


# Weights


def sample_weights(sample_weight: Any, count: int) -> Any:
    """The weights as an array, or where NumPy is not installed as a list; None where all are 1.

    Raises:
        ValueError, TypeError: they are no numbers of at least 0, one for each example.
    """
    if sample_weight is None:
        return None
    weights = listed(as_column(sample_weight, "sample_weight"))
    if len(weights) != count or isinstance(weights[0], list):
        got = f"rows such as {shown(weights[0])}" if weights and isinstance(weights[0], list) else f"{len(weights)}"
        raise ValueError(f"sample_weight takes one number for each of {count} examples; got {got}")
    for place, weight in enumerate(weights):
        if weight < 0:
            raise ValueError(f"sample_weight takes numbers of at least 0; sample_weight[{place}] is {weight}")
    if not sum(weights) < inf:
        raise ValueError(f"sample_weight takes numbers with a finite sum; got {shown(weights)}: divide them all by one")
    return None if all(weight == 1 for weight in weights) else as_column([float(weight) for weight in weights])


def check_weights(examples: Examples, what: str) -> None:
    """Raises ValueError where all examples have weight 0.

    Arguments:
        what: the beginning of the sentence.
    """
    if examples.weights is not None and not any(weight > 0.0 for weight in listed(examples.weights)):
        raise ValueError(f"{what} have weight 0, all {len(examples)}: give one of them a weight above 0")


def weights_of_classes(class_weight: Any, examples: Examples, loss: Loss) -> dict[int, float] | None:
    """The weight of each class; None where all count the same.

    Arguments:
        class_weight: "balanced" for n / (classes * examples of the class), as in scikit-learn, where an example counts
            as much as its sample weight; or a weight for each class by its number, 1 for those left out.
        examples: those to learn from.
        loss: tells whether their targets are classes.

    Raises:
        ValueError, TypeError: it is something else, or the targets are no classes.
    """
    if class_weight is None:
        return None
    labels = examples.classes(loss)
    if labels is None:
        raise ValueError(
            f"class_weight takes targets that are classes for the loss, such as 0 and 1 for cross_entropy; got "
            f"{shown(listed(examples.targets[:1])[0])} for {known_loss(loss) or 'a loss of your own'}: pass "
            "sample_weight, a number for each example"
        )
    counts = Counter(labels)
    if isinstance(class_weight, str) and class_weight == "balanced":
        return _balanced(labels, examples.sample_weight)
    if not isinstance(class_weight, Mapping):
        got = f"{shown(class_weight)}{did_you_mean(class_weight, ['balanced'])}"
        raise TypeError(f'class_weight takes "balanced", or a dict with a weight for each class; got {got}')
    return {_label(label, counts): _class_weight(label, weight) for label, weight in class_weight.items()}


def _balanced(labels: Sequence[int], sample_weight: Any) -> dict[int, float]:
    """Weights by which all classes count alike; 0 for a class whose examples all have weight 0."""
    totals = dict.fromkeys(labels, 0.0)
    weights = [1.0] * len(labels) if sample_weight is None else listed(sample_weight)
    for label, weight in zip(labels, weights, strict=True):
        totals[label] += weight
    mean = sum(totals.values()) / len(totals)
    return {label: mean / total if total else 0.0 for label, total in totals.items()}


def _label(label: Any, counts: Counter[int]) -> int:
    if not hasattr(label, "__index__") or isinstance(label, bool) or index(label) not in counts:
        classes = ", ".join(map(str, sorted(counts)))
        raise ValueError(f"class_weight has a weight for {shown(label)}, which no target is: the classes are {classes}")
    return index(label)


def _class_weight(label: Any, weight: Any) -> float:
    number = real_or_none(weight)
    if number is None or not 0.0 <= number < inf:
        raise ValueError(f"class_weight takes finite numbers of at least 0; got {shown(weight)} for class {label}")
    return number


def weighted_by_class(examples: Examples, by_class: dict[int, float] | None, loss: Loss) -> Examples:
    """The examples, with the weight of its class times its own for each."""
    if by_class is None:
        return examples
    labels = examples.classes(loss)
    own = [1.0] * len(examples) if examples.weights is None else listed(examples.weights)
    weights = [w * by_class.get(label, 1.0) for w, label in zip(own, labels or [], strict=True)]
    return replace(examples, weights=None if all(w == 1.0 for w in weights) else as_column(weights))
