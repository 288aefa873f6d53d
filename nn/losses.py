"""How wrong is a prediction? The losses, with PyTorch's names and formulas.

Each takes predictions and targets, for one example (a number, or a flat list) or for a batch, and a `reduction`:
`"mean"` of the terms, their `"sum"`, or `"none"` for the list of them. Predictions are Values or numbers; targets are
numbers. While a loss is recorded both are Tracers, whose numbers cannot be looked at: `_check`, `_unless_zero` and
`_class` alone ask whether a number is one of those.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import index
from typing import Any, Literal, cast, get_args, overload

import autograd
from autograd import Value
from autograd.compiler.tracing import is_traced
from autograd.reals import as_float, real_or_none, shown
from autograd.spelling import did_you_mean
from nn.module import Number, is_batch

Loss = Callable[[Any, Any], Any]
LossName = Literal[
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "hinge_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "nll_loss",
    "kl_div",
]
ReductionName = Literal["mean", "sum", "none"]
OneNumber = Literal["mean", "sum"]
"""The reductions to one number: to a type checker a Value, as it is in training. Of plain numbers it is a float."""


@overload
def mse_loss(predictions: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def mse_loss(predictions: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def mse_loss(predictions: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """The squared error (p - t)**2 of each number.

    Arguments:
        predictions: a number, a list, or a batch of lists; Values or numbers.
        targets: numbers in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.

    >>> mse_loss([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    return _reduced([_square(p - t) for p, t in _pairs("mse_loss", predictions, targets)], reduction)


@overload
def l1_loss(predictions: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def l1_loss(predictions: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def l1_loss(predictions: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """The absolute error |p - t| of each number; its derivative at 0 is 0.

    Arguments:
        predictions: a number, a list, or a batch of lists; Values or numbers.
        targets: numbers in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.

    >>> l1_loss([1.0, 4.0], [1.0, 2.0])
    1.0
    """
    return _reduced([abs(p - t) for p, t in _pairs("l1_loss", predictions, targets)], reduction)


@overload
def huber_loss(predictions: Any, targets: Any, reduction: OneNumber = "mean", delta: float = 1.0) -> Value: ...
@overload
def huber_loss(predictions: Any, targets: Any, reduction: Literal["none"], delta: float = 1.0) -> list[Value]: ...
def huber_loss(predictions: Any, targets: Any, reduction: ReductionName = "mean", delta: float = 1.0) -> Any:
    """Squared near 0 and linear beyond delta: e**2 / 2 where e = |p - t| <= delta, otherwise delta * (e - delta / 2).

    Arguments:
        predictions: a number, a list, or a batch of lists; Values or numbers.
        targets: numbers in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.
        delta: the error, above 0, from which on the loss is linear.

    >>> huber_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    [0.125, 2.5]
    """
    delta = delta if isinstance(delta, Value) else as_float(delta, "delta")
    if not delta > 0.0:
        raise ValueError(f"huber_loss takes a positive delta; got {delta!r}")

    def huber(error: Any) -> Any:
        near = autograd.minimum(error, delta)  # no branch: the recorded graph holds for other numbers too
        return near * (error - 0.5 * near)

    return _reduced([huber(abs(p - t)) for p, t in _pairs("huber_loss", predictions, targets)], reduction)


@overload
def hinge_loss(predictions: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def hinge_loss(predictions: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def hinge_loss(predictions: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """The max-margin loss max(0, 1 - t * p) of each score p; targets are -1 or 1.

    Arguments:
        predictions: scores: a number, a list, or a batch of lists; Values or numbers.
        targets: -1 or 1, in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.

    >>> hinge_loss([0.5, -2.0], [1, -1])
    0.25
    """
    pairs = _pairs("hinge_loss", predictions, targets)
    _check((t for _, t in pairs), lambda t: t in (-1, 1), "hinge_loss takes targets -1 and 1; got {!r}")
    return _reduced([autograd.relu(1.0 - t * p) for p, t in pairs], reduction)


@overload
def binary_cross_entropy(predictions: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def binary_cross_entropy(predictions: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def binary_cross_entropy(predictions: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """-t * log(p) - (1 - t) * log(1 - p) for probabilities p and targets t from 0 to 1.

    A prediction that is certain and wrong has loss inf. For logits, use `binary_cross_entropy_with_logits`.

    Arguments:
        predictions: probabilities: a number, a list, or a batch of lists; Values or numbers.
        targets: numbers from 0 to 1 in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.

    >>> binary_cross_entropy([0.5], [1])
    0.6931471805599453
    """
    pairs = _pairs("binary_cross_entropy", predictions, targets, unit_interval=True)
    sentence = "takes probabilities from 0 to 1; got {:g}: for logits, use binary_cross_entropy_with_logits"
    _check((p for p, _ in pairs), lambda p: not (p < 0.0 or p > 1.0), f"binary_cross_entropy {sentence}")
    return _reduced([_mixture(t, -autograd.log(p), -autograd.log1p(-p)) for p, t in pairs], reduction)


@overload
def binary_cross_entropy_with_logits(predictions: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def binary_cross_entropy_with_logits(predictions: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def binary_cross_entropy_with_logits(predictions: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """`binary_cross_entropy(sigmoid(z), t)` of logits z, accurate for logits of any size.

    Arguments:
        predictions: logits: a number, a list, or a batch of lists; Values or numbers.
        targets: numbers from 0 to 1 in the same shape.
        reduction: "mean" of the terms, their "sum", or "none" for the list of them.

    >>> binary_cross_entropy_with_logits([0.0, 1000.0], [1, 1], reduction="none")
    [0.6931471805599453, 0.0]
    """
    pairs = _pairs("binary_cross_entropy_with_logits", predictions, targets, unit_interval=True)
    return _reduced([_mixture(t, autograd.softplus(-z), autograd.softplus(z)) for z, t in pairs], reduction)


@overload
def cross_entropy(logits: Any, targets: Any, reduction: OneNumber = "mean", label_smoothing: float = 0.0) -> Value: ...
@overload
def cross_entropy(
    logits: Any, targets: Any, reduction: Literal["none"], label_smoothing: float = 0.0
) -> list[Value]: ...
def cross_entropy(logits: Any, targets: Any, reduction: ReductionName = "mean", label_smoothing: float = 0.0) -> Any:
    """-log(softmax(logits)[target]): the loss for choosing one of n classes.

    Arguments:
        logits: n numbers for one example; a list of such lists for a batch.
        targets: the class, an int from 0 to n - 1, or n probabilities; for a batch a list of either.
        reduction: "mean" over the examples, "sum" or "none".
        label_smoothing: from 0.0 to 1.0, the share of the target that is spread evenly over all classes.

    Raises:
        ValueError: a class is out of range, or the numbers of examples or classes do not agree.

    >>> cross_entropy([0.0, 0.0], 1)
    0.6931471805599453
    >>> cross_entropy([[0.0, 0.0], [0.0, 1000.0]], [0, 0], reduction="none")
    [0.6931471805599453, 1000.0]
    """
    label_smoothing = as_float(label_smoothing, "label_smoothing")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing is a share from 0.0 to 1.0; got {label_smoothing!r}")

    if _nested(logits) and len(logits) and len(logits[0]) and _is_row(logits[0][0]):
        raise TypeError(
            "cross_entropy takes the rows of one sequence and a target for each; got those of several sequences: take "
            "the mean of cross_entropy(rows, targets) over them"
        )

    def one(row: Sequence[Number], target: Any) -> Any:
        if not label_smoothing and not _is_row(target):
            return -autograd.log_softmax(row, index=_class(target, len(row)))
        smooth = label_smoothing / len(row)
        wanted = [(1.0 - label_smoothing) * t + smooth for t in _probabilities(target, len(row))]
        return _expectation(wanted, autograd.log_softmax(row))

    return _by_example("cross_entropy", one, logits, targets, reduction)


@overload
def nll_loss(log_probabilities: Any, targets: Any, reduction: OneNumber = "mean") -> Value: ...
@overload
def nll_loss(log_probabilities: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def nll_loss(log_probabilities: Any, targets: Any, reduction: ReductionName = "mean") -> Any:
    """-log_probabilities[target], for the outputs of `log_softmax`.

    Arguments:
        log_probabilities: n numbers for one example; a list of such lists for a batch.
        targets: the class, an int from 0 to n - 1; for a batch a list of them.
        reduction: "mean" over the examples, "sum" or "none".

    >>> nll_loss([-0.5, -1.0], 1)
    1.0
    """

    def one(row: Sequence[Number], target: Any) -> Any:
        return -autograd.take(row, _class(target, len(row)))

    return _by_example("nll_loss", one, log_probabilities, targets, reduction)


@overload
def kl_div(log_probabilities: Any, targets: Any, reduction: Literal["mean", "sum", "batchmean"] = "mean") -> Value: ...
@overload
def kl_div(log_probabilities: Any, targets: Any, reduction: Literal["none"]) -> list[Value]: ...
def kl_div(
    log_probabilities: Any, targets: Any, reduction: Literal["mean", "sum", "none", "batchmean"] = "mean"
) -> Any:
    """t * (log(t) - q) of each target probability t and predicted log-probability q; 0 where t is 0.

    The reduction "batchmean" divides the sum by the number of examples, as the definition of the divergence does.

    Arguments:
        log_probabilities: n numbers for one example; a list of such lists for a batch.
        targets: probabilities in the same shape.
        reduction: "mean" of the terms, their "sum", "none" for the list of them, or "batchmean".

    >>> round(kl_div([-1.0, -1.0], [0.5, 0.5], reduction="sum"), 6)
    0.306853
    """
    pairs = _pairs("kl_div", log_probabilities, targets, unit_interval=True)
    terms = [_divergence(t, q) for q, t in pairs]
    if reduction == "batchmean":
        return autograd.sum(terms) / (len(log_probabilities) if _nested(log_probabilities) else 1)
    return _reduced(terms, reduction)


LOSSES: dict[str, Loss] = {name: globals()[name] for name in get_args(LossName)}
"""The losses that `fit` knows by name."""


def loss_function(loss: Loss | str) -> Loss:
    """The loss of that name; a function stays itself.

    Raises:
        ValueError: there is no loss of that name.

    >>> loss_function("mse_loss")([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    if callable(loss):
        return loss
    if not isinstance(loss, str) or loss not in LOSSES:
        meant = did_you_mean(loss, LOSSES)
        raise ValueError(f"there is no loss {loss!r}{meant}; choose one of {', '.join(LOSSES)}, or give a function")
    return LOSSES[loss]


def known_loss(loss: Any) -> str:
    """The name of the loss if it is one of these, also with other options (`functools.partial`); "" if it is not."""
    function = loss.func if isinstance(loss, partial) else loss
    name: str = getattr(function, "__name__", "")
    return name if LOSSES.get(name) is function else ""


def weighted(loss: Loss, predictions: Any, targets: Any, weights: Any = None) -> Any:
    """The loss of a batch in which each example has a weight: the mean of each weight times the loss of its example.

    For these losses with `reduction="sum"` it is the sum. An example of weight 0 counts as if its loss were 0, also
    where that is infinite.

    Arguments:
        predictions, targets: of the batch.
        weights: a number of at least 0 for each example; None for the loss as it is.

    >>> weighted(mse_loss, [1.0, 4.0], [1.0, 2.0], [5.0, 0.5])
    1.0
    """
    if weights is None:
        return loss(predictions, targets)
    return mean_of(loss, [loss([p], [t]) for p, t in zip(predictions, targets, strict=True)], weights)


def mean_of(loss: Loss, terms: list[Any], weights: Any = None) -> Any:
    """The loss of a batch: the mean of what it is for each example, times its weight; for a sum the sum (`is_sum`).

    Arguments:
        terms: the loss of each example.
        weights: a number of at least 0 for each; None where all count the same.
    """
    if weights is not None:
        terms = [weight_times(w, term) for w, term in zip(weights, terms, strict=True)]
    return _reduced(terms, "sum" if is_sum(loss) else "mean")


def is_sum(loss: Loss) -> bool:
    """Whether it is one of these losses with `reduction="sum"`."""
    return isinstance(loss, partial) and bool(known_loss(loss)) and loss.keywords.get("reduction") == "sum"


def telling(loss: Loss, targets: Any, outputs: int) -> list[int]:
    """The places of the targets that show whether the loss takes all of them.

    For these losses that is the first one, and the first that is not allowed. For a function of one's own it is each
    distinct target.

    Arguments:
        targets: an array, of a number or a row for each example; or a list.
        outputs: how many outputs the model has.
    """
    name = known_loss(loss)
    if not hasattr(targets, "tolist"):
        return list(range(len(targets)))
    if not name:
        import numpy as np

        _, places = np.unique(targets, axis=0, return_index=True)
        return sorted(map(int, places))
    allowed = _allowed(name, targets, outputs)
    if allowed.ndim > 1:
        allowed = allowed.all(axis=1)
    return [0] if allowed.all() else list(dict.fromkeys([0, int(allowed.argmin())]))


def _allowed(name: str, targets: Any, outputs: int) -> Any:
    """Whether the loss of that name takes each number of an array of targets: its own checks, for all at once."""
    if name == "hinge_loss":
        return (targets == -1.0) | (targets == 1.0)
    if name in ("binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"):
        return (targets >= 0.0) & (targets <= 1.0)
    if name in ("cross_entropy", "nll_loss") and targets.ndim == 1:
        return (targets >= 0.0) & (targets < outputs) & (targets % 1.0 == 0.0)
    return targets == targets  # any number


# The shapes


def _is_number(x: Any) -> bool:
    return isinstance(x, Value | float | int) or real_or_none(x) is not None


def _is_row(x: Any) -> bool:
    return (isinstance(x, Sequence) and not isinstance(x, str)) or getattr(x, "shape", ()) != ()


def _nested(x: Any) -> bool:
    return _is_row(x) and is_batch(list(x))


def _flat(x: Any) -> list[Any]:
    if not _is_row(x):
        return [x]
    return [number for item in x for number in _flat(item)]


def _pairs(loss: str, predictions: Any, targets: Any, unit_interval: bool = False) -> list[tuple[Any, Any]]:
    """Each number of the predictions with its target, if they have the same shape."""
    shapes = _shape(predictions), _shape(targets)
    if shapes[0] != shapes[1]:
        raise ValueError(f"{loss} takes a target for each prediction; got shapes {shapes[0]} and {shapes[1]}")
    if len(shapes[0]) > 1 and [len(row) for row in predictions] != [len(row) for row in targets]:
        raise ValueError(f"{loss} takes a target for each prediction; got rows of unequal length")
    pairs = list(zip(_flat(predictions), _flat(targets), strict=True))
    if not pairs:
        raise ValueError(f"{loss} needs at least one prediction; got an empty list")
    for p, t in pairs:
        if not (_is_number(p) and _is_number(t)):
            raise TypeError(f"{loss} takes numbers; got the prediction {shown(p)} and the target {shown(t)}")
    if unit_interval:
        _check((t for _, t in pairs), lambda t: 0.0 <= t <= 1.0, loss + " takes targets from 0 to 1; got {!r}")
    return pairs


def _check(numbers: Iterable[Any], is_allowed: Callable[[Any], bool], sentence: str) -> None:
    """Raises ValueError for the first number that is not allowed, as far as they can be looked at."""
    for number in numbers:
        if not is_traced(number) and not is_allowed(number):
            raise ValueError(sentence.format(number))


def _shape(x: Any) -> tuple[int, ...]:
    if not _is_row(x):
        return ()
    rows = list(x)
    return (len(rows), *(_shape(rows[0]) if rows else ()))


def _by_example(loss: str, one: Callable[..., Any], rows: Any, targets: Any, reduction: ReductionName) -> Any:
    """The loss of one example, or the losses of a batch of them, reduced."""
    if not _is_row(rows):
        raise ValueError(f"{loss} takes a list with a number for each class; got the single output {rows!r}")
    if not len(rows):
        raise ValueError(f"{loss} needs at least one prediction; got an empty list")
    if not _nested(rows):
        term = one(list(rows), targets)
        return term if reduction in ("mean", "sum") else _reduced([term], reduction)
    if not _is_row(targets) or len(rows) != len(targets):
        count = len(targets) if _is_row(targets) else 1
        raise ValueError(f"{loss} takes a target for each example; got {len(rows)} examples and {count} targets")
    terms = [one(list(row), target) for row, target in zip(rows, targets, strict=True)]
    return _reduced(terms, reduction)


def _reduced(terms: list[Any], reduction: ReductionName) -> Any:
    if reduction == "mean":
        return autograd.mean(terms)
    if reduction == "sum":
        return autograd.sum(terms)
    if reduction == "none":
        return terms
    raise ValueError(f'reduction takes "mean", "sum" or "none"; got {reduction!r}')


# The terms


def _square(x: Any) -> Any:
    return x * x


def _unless_zero(x: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """one(), or other() if x is 0. That is decided now, or in each run of the program if x is being recorded."""
    if is_traced(x):
        return autograd.where(x, one(), other())
    return one() if x else other()


def _mixture(share: Any, one: Any, other: Any) -> Any:
    """share * one + (1 - share) * other. A term with a share of 0 is left out, even if it is infinite."""
    rest = 1.0 - share
    return _unless_zero(
        share, lambda: _unless_zero(rest, lambda: share * one + rest * other, lambda: one), lambda: other
    )


def weight_times(weight: Any, error: Any) -> Any:
    """weight * error, and 0 where the weight is 0; a part of the graph all the same, which may have no other."""
    return _unless_zero(weight, lambda: weight * error, lambda: autograd.where(0.0, error, 0.0))


def _divergence(t: Any, q: Any) -> Any:
    """t * (log(t) - q), and 0 where t is 0."""
    return _unless_zero(t, lambda: t * (autograd.log(t) - q), lambda: autograd.where(0.0, q, 0.0))


def _expectation(probabilities: list[Any], log_probabilities: list[Any]) -> Any:
    """-(p[0] * q[0] + p[1] * q[1] + ...). A term with a p of 0 is left out, even if its q is infinite."""

    def kept(p: Any, q: Any) -> Any:
        return _unless_zero(p, lambda: q, lambda: 0.0)

    return -autograd.dot(probabilities, list(map(kept, probabilities, log_probabilities)))


def _class(target: Any, count: int) -> int:
    """The target as an int from 0 to count - 1; one that is being recorded stays as it is, since `take` checks it."""
    if is_traced(target):
        return cast(int, target)
    try:
        label = index(target)
    except TypeError:
        number = real_or_none(target)
        if number is None or not number.is_integer():
            raise ValueError(f"a class label is a whole number from 0 to {count - 1}; got {target!r}") from None
        label = int(number)
    if not 0 <= label < count:
        raise ValueError(f"class label {label} is out of range: with {count} outputs the classes are 0 to {count - 1}")
    return label


def _probabilities(target: Any, count: int) -> list[Any]:
    if not _is_row(target):
        label = autograd.take(range(count), _class(target, count))
        return [_unless_zero(label - k, lambda: 0.0, lambda: 1.0) for k in range(count)]
    if len(target) != count:
        raise ValueError(f"a target of probabilities has one for each class; got {len(target)} for {count} outputs")
    return list(target)
