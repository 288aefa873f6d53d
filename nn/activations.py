"""Which activation functions are there, by name and as modules?"""

from collections.abc import Callable
from typing import Any, Literal, cast

import autograd
from autograd import Value
from autograd.operations import operations
from autograd.reals import as_float
from autograd.spelling import did_you_mean
from nn.module import Module, Number, Row
from nn.own import own

ActivationName = Literal["relu", "tanh", "sigmoid", "softplus", "leaky_relu", "elu", "silu", "gelu", "linear"]
"""The names of `ACTIVATIONS`, which type checkers cannot read from the table."""
Activation = ActivationName | Callable[[Any], Any]

ACTIVATIONS: dict[ActivationName, Callable[[Any], Any]] = {"relu": autograd.relu}  # the default first
ACTIVATIONS |= {
    cast(ActivationName, name): getattr(autograd, name)
    for name, operation in operations.items()
    if operation.rule.activation is not None and hasattr(autograd, name)
}
ACTIVATIONS["linear"] = autograd.pos
"""The activation functions that layers know by name: those of the table of operations, and none at all."""


def activation_function(activation: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function behind the name of an activation; a function stays itself.

    Raises:
        ValueError: there is no activation of that name.

    >>> activation_function("relu")(-1.0)
    0.0
    """
    if callable(activation):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        meant = did_you_mean(activation, ACTIVATIONS)
        raise ValueError(f"there is no activation {activation!r}{meant}; choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[activation]


def _number(x: Number, what: str) -> Number:
    """x as a float; a Value stays itself, since a slope may be learned."""
    return x if isinstance(x, Value) else as_float(x, what)


@own
class Elementwise(Module):
    """An activation function applied to each number of an example."""

    def activate(self, x: Number) -> Any:
        """The function of one number."""
        raise NotImplementedError

    def input_width(self, following: int | None = None) -> int | None:
        """As many as the next module takes."""
        return following

    def forward(self, row: Row) -> Row:
        """The function of each number of one example."""
        return [self.activate(x) for x in row]

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {name: value for name, value in vars(self).items() if name != "training"}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"


@own
class Identity(Elementwise):
    """x itself.

    >>> Identity()(2.0)
    2.0
    """

    def activate(self, x: Number) -> Any:
        """x itself."""
        return x


@own
class ReLU(Elementwise):
    """max(x, 0); the derivative at 0 is 0.

    >>> ReLU()([-1.0, 2.0])
    [0.0, 2.0]
    """

    def activate(self, x: Number) -> Any:
        """max(x, 0)."""
        return autograd.relu(x)


@own
class LeakyReLU(Elementwise):
    """x where it is positive, otherwise negative_slope * x.

    >>> LeakyReLU(0.1)(-1.0)
    -0.1
    """

    def __init__(self, negative_slope: Number = 0.01) -> None:
        self.negative_slope = _number(negative_slope, "LeakyReLU")

    def activate(self, x: Number) -> Any:
        """x or negative_slope * x."""
        return autograd.leaky_relu(x, self.negative_slope)


@own
class ELU(Elementwise):
    """x where it is positive, otherwise alpha * (exp(x) - 1).

    >>> ELU()(2.0)
    2.0
    """

    def __init__(self, alpha: Number = 1.0) -> None:
        self.alpha = _number(alpha, "ELU")

    def activate(self, x: Number) -> Any:
        """x or alpha * (exp(x) - 1)."""
        return autograd.elu(x, self.alpha)


@own
class GELU(Elementwise):
    """x times the normal distribution function at x; approximate="tanh" for the faster form.

    >>> GELU()(0.0)
    0.0
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU takes approximate="none" or "tanh"; got {approximate!r}')
        self.approximate = approximate

    def activate(self, x: Number) -> Any:
        """x times the normal distribution function at x."""
        return autograd.gelu(x, self.approximate)


@own
class SiLU(Elementwise):
    """x * sigmoid(x).

    >>> SiLU()(0.0)
    0.0
    """

    def activate(self, x: Number) -> Any:
        """x * sigmoid(x)."""
        return autograd.silu(x)


@own
class Softplus(Elementwise):
    """log(1 + exp(x)).

    >>> Softplus()(1000.0)
    1000.0
    """

    def activate(self, x: Number) -> Any:
        """log(1 + exp(x))."""
        return autograd.softplus(x)


@own
class Sigmoid(Elementwise):
    """1 / (1 + exp(-x)).

    >>> Sigmoid()(0.0)
    0.5
    """

    def activate(self, x: Number) -> Any:
        """1 / (1 + exp(-x))."""
        return autograd.sigmoid(x)


@own
class Tanh(Elementwise):
    """The hyperbolic tangent.

    >>> Tanh()(0.0)
    0.0
    """

    def activate(self, x: Number) -> Any:
        """The hyperbolic tangent of x."""
        return autograd.tanh(x)


@own
class Softmax(Elementwise):
    """Probabilities proportional to exp of each number of an example.

    >>> Softmax()([0.0, 0.0])
    [0.5, 0.5]
    """

    def forward(self, row: Row) -> Row:
        """The probabilities for one example."""
        return list(autograd.softmax(row))


@own
class LogSoftmax(Elementwise):
    """The logarithms of `Softmax`, accurate where a probability is near 0 or 1.

    >>> LogSoftmax()([0.0, 1000.0])
    [-1000.0, 0.0]
    """

    def forward(self, row: Row) -> Row:
        """The logarithms of the probabilities for one example."""
        return list(autograd.log_softmax(row))
