"""How are activations kept on one scale while a network learns? By normalising them, over a batch or in each example.

`BatchNorm` brings each feature to mean 0 and variance 1 over the examples of a batch, `LayerNorm` each example over its
features; `RMSNorm` only divides by the root mean square. Then each feature is scaled by a learned `weight` and shifted
by a learned `bias`. The statistics are part of the graph: gradients flow through them.
"""

import sys
from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

import autograd
from autograd import Value
from autograd.compiler.tracing import session
from autograd.reals import as_count, real_or_none, shown
from nn.module import Module, Row
from nn.own import own


class _Normalisation(Module):
    """What the three have in common: the arguments, a weight and a bias for each feature, and what a row may be."""

    has_bias = True

    def __init__(self, num_features: int, eps: Any, affine: bool) -> None:
        self.num_features = as_count(num_features, "num_features")
        self.eps = eps
        self.affine = bool(affine)
        self.weight = [Value(1.0) for _ in range(self.num_features)] if self.affine else None
        if self.has_bias:
            self.bias = [Value(0.0) for _ in range(self.num_features)] if self.affine else None

    def input_width(self, following: int | None = None) -> int | None:
        """A number for each feature."""
        return self.num_features

    def _checked(self, row: Row) -> Row:
        """The row itself, if it has a number or Value for each feature."""
        if len(row) != self.num_features:
            raise ValueError(f"{self!r} takes {self.num_features} inputs; got an example of {len(row)}")
        for x in row:
            if not isinstance(x, Value) and real_or_none(x) is None:
                raise TypeError(f"{type(self).__name__} takes numbers or Values; got {shown(x)} ({type(x).__name__})")
        return row

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {"num_features": self.num_features, "eps": self.eps, "affine": self.affine}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_features})"


@own
class BatchNorm(_Normalisation):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with each feature's mean and variance over the batch.

    In training the statistics are the batch's (the variance with 1/n), and running means of them are kept (of the
    variance with 1/(n - 1)): running = (1 - momentum) * running + momentum * new. In evaluation the running ones are
    used, so that an example's output does not depend on the others'.

    Arguments:
        num_features: the number of inputs, and of outputs.
        eps: added to the variance, above 0.
        momentum: the share of a batch in the running statistics, from 0.0 to 1.0; None for the mean of all batches.
        affine: whether to learn a weight and a bias for each feature; they start at 1 and 0.

    Raises:
        ValueError: an argument is out of range; (when called) an example does not have `num_features` numbers, or a
            batch in training has fewer than 2 examples. Nothing has been changed then.
        TypeError: an argument, or an input, is not a number.

    A feature that is the same in all examples of a batch comes out as its bias.

    Source: Ioffe and Szegedy, 2015; the formulas of torch.nn.BatchNorm1d.

    >>> layer = BatchNorm(1)
    >>> [round(y.data, 4) for y in layer([[1.0], [3.0]])]
    [-1.0, 1.0]
    >>> layer.running_mean, layer.running_var     # 0.9 * 0 + 0.1 * 2, and 0.9 * 1 + 0.1 * 2
    ([0.2], [1.1])
    """

    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True) -> None:
        super().__init__(num_features, _number("BatchNorm", "eps", eps), affine)
        if self.eps == 0.0:
            raise ValueError(
                "BatchNorm takes an eps above 0: a feature that is the same in all examples has variance 0"
            )
        self.momentum = None if momentum is None else _number("BatchNorm", "momentum", momentum, most=1.0)
        self.running_mean = [0.0] * self.num_features
        self.running_var = [1.0] * self.num_features
        self.num_batches_tracked = 0

    def forward(self, row: Row) -> Row:
        """One example, normalised by the running statistics; in training it takes a batch."""
        if self.training:
            raise ValueError(
                "BatchNorm in training takes a batch of at least 2 examples, since it needs their variance; got one: "
                "give more (with fit, a batch_size that leaves no single example over), or call the model's eval()"
            )
        means, variances = _as_they_are(self.running_mean), _as_they_are(self.running_var)
        deviations = [[x - mean] for x, mean in zip(self._checked(row), means, strict=True)]
        return [y for k, deviation in enumerate(deviations) for y in self._scaled(k, deviation, variances[k])]

    def forward_batch(self, rows: list[Row]) -> list[Row]:
        """The examples of a batch, in training normalised by its own mean and variance."""
        if not self.training or len(rows) == 1:
            return super().forward_batch(rows)
        columns = list(zip(*map(self._checked, rows), strict=True))
        outputs, means, variances = [], [], []
        for k, column in enumerate(columns):
            mean = autograd.mean(column)
            deviations = [x - mean for x in column]
            variance = autograd.dot(deviations, deviations) / len(rows)
            outputs.append(self._scaled(k, deviations, variance))
            means.append(mean)
            variances.append(variance)
        if rows:
            self._notice(means, variances, len(rows))
        return [list(row) for row in zip(*outputs, strict=True)]

    def _scaled(self, feature: int, deviations: Sequence[Any], variance: Any) -> list[Any]:
        """Deviations from the mean, divided by the standard deviation, with the feature's weight and bias."""
        deviation = autograd.sqrt(variance + self.eps)
        if self.weight is None or self.bias is None:
            return [x / deviation for x in deviations]
        factor, bias = self.weight[feature] / deviation, self.bias[feature]
        return [x * factor + bias for x in deviations]

    def _notice(self, means: list[Any], variances: list[Any], n: int) -> None:
        """Moves the running statistics now, or while a recording is made, after every run of the compiled code."""
        recording = session()
        if recording is None:
            self._track(list(map(_data, means)), list(map(_data, variances)), n)
        else:
            half = len(means)
            recording.notice(lambda numbers: self._track(numbers[:half], numbers[half:], n), [*means, *variances])

    def _track(self, means: list[float], variances: list[float], n: int) -> None:
        """Moves the running statistics towards those of a batch of n."""
        self.num_batches_tracked += 1
        new = 1.0 / self.num_batches_tracked if self.momentum is None else self.momentum
        unbiased = [variance * n / (n - 1) for variance in variances]
        for running, batch in (self.running_mean, means), (self.running_var, unbiased):
            running[:] = [(1.0 - new) * old + new * number for old, number in zip(running, batch, strict=True)]

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {**super().config(), "momentum": self.momentum}


@own
class LayerNorm(_Normalisation):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with the mean and variance (1/n) of each example's numbers.

    Arguments:
        num_features: the number of inputs, and of outputs.
        eps: added to the variance; with 0 an example of equal numbers gives nan.
        affine: whether to learn a weight and a bias for each feature; they start at 1 and 0.

    Raises:
        ValueError: eps is negative; (when called) an example does not have `num_features` numbers.
        TypeError: an argument, or an input, is not a number.

    Source: Ba, Kiros and Hinton, 2016; the formula of torch.nn.LayerNorm.

    >>> [round(y.data, 4) for y in LayerNorm(3)([1.0, 2.0, 3.0])]
    [-1.2247, 0.0, 1.2247]
    """

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__(num_features, _number("LayerNorm", "eps", eps), affine)

    def forward(self, row: Row) -> Row:
        """The numbers of one example, normalised by their own mean and variance."""
        mean = autograd.mean(self._checked(row))
        deviations = [x - mean for x in row]
        variance = autograd.dot(deviations, deviations) / len(row)
        factor = autograd.div(1.0, autograd.sqrt(variance + self.eps))
        if self.weight is None or self.bias is None:
            return [x * factor for x in deviations]
        return [x * factor * w + b for x, w, b in zip(deviations, self.weight, self.bias, strict=True)]


@own
class RMSNorm(_Normalisation):
    """x / sqrt(mean of squares + eps) * weight, with the mean over each example's numbers.

    Arguments:
        num_features: the number of inputs, and of outputs.
        eps: added to the mean of squares; None for the machine epsilon, 2**-52. With 0 an example of zeros gives nan.
        affine: whether to learn a weight for each feature; they start at 1.

    Raises:
        ValueError: eps is negative; (when called) an example does not have `num_features` numbers.
        TypeError: an argument, or an input, is not a number.

    Source: Zhang and Sennrich, 2019; the formula of torch.nn.RMSNorm.

    >>> [round(y.data, 4) for y in RMSNorm(2)([1.0, 7.0])]     # the mean of the squares 1 and 49 is 25
    [0.2, 1.4]
    """

    has_bias = False

    def __init__(self, num_features: int, eps: float | None = None, affine: bool = True) -> None:
        super().__init__(num_features, None if eps is None else _number("RMSNorm", "eps", eps), affine)

    def forward(self, row: Row) -> Row:
        """The numbers of one example, divided by their root mean square."""
        eps = sys.float_info.epsilon if self.eps is None else self.eps
        mean_square = autograd.dot(self._checked(row), row) / len(row)
        factor = autograd.div(1.0, autograd.sqrt(mean_square + eps))
        if self.weight is None:
            return [x * factor for x in row]
        return [x * factor * w for x, w in zip(row, self.weight, strict=True)]


def _as_they_are(numbers: list[float]) -> list[Any]:
    """The numbers, or while a recording is made, what stands for them in every run."""
    recording = session()
    return numbers if recording is None else [recording.read(numbers, k) for k in range(len(numbers))]


def _data(x: Any) -> float:
    number: float = x.data if isinstance(x, Value) else x
    return number


def _number(layer: str, name: str, x: Any, most: float = inf) -> float:
    """An argument as a finite float from 0 to `most`."""
    number = None if isinstance(x, bool) else real_or_none(x)
    if number is None:
        raise TypeError(f"{layer} takes a number for {name}; got {shown(x)} ({type(x).__name__})")
    if not (isfinite(number) and 0.0 <= number <= most):
        span = "of at least 0" if most == inf else f"from 0 to {most}"
        raise ValueError(f"{layer} takes a number {span} for {name}; got {shown(x)}")
    return number
