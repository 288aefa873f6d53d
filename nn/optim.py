"""How do the weights move? The optimisers, with PyTorch's argument names and exactly its update formulas.

As an operation is a rule over any number system (`autograd/rules.py`), so is the update of one parameter: it is
written once, for floats and for compiled code.
"""

from collections.abc import Callable, Iterable
from copy import copy
from math import isfinite, sqrt
from types import SimpleNamespace
from typing import Any, Literal, TypeAlias

from autograd import Value, functions, norm
from autograd.interrupts import uninterrupted
from autograd.reals import as_float, real_or_none, shown
from autograd.spelling import did_you_mean
from autograd.value import data_of
from nn.own import own

FLOATS = SimpleNamespace(**{name: getattr(functions, name) for name in functions.PUBLIC})
FLOATS.sqrt, FLOATS.maximum, FLOATS.minimum = sqrt, max, min
"""The functions that updates are made of: those of `autograd`, of which Python has these three faster for floats."""

Update = Callable[..., tuple[Any, ...]]


class Optimizer:
    """The base class: it holds the parameters and the learning rate, and counts the steps.

    Arguments:
        params: the parameters to move, such as `model.parameters()`.
        lr: the learning rate; it may be changed between steps.
        **options: further numbers of the method, kept in `options`.

    Raises:
        ValueError: there are no parameters, one is there twice, or an option is out of range.
        TypeError: a parameter is not a Value, or an option is not a number.

    A subclass names in `remembers` what it keeps in `state`; its `__init__` takes its options by their names. It has a
    `rule` (with `scalars` and `starts`), or a `step` of its own. A rule runs in native code too, unless it decides
    something in Python by a number, or reads `lr`, `steps` or `state`: `scalars` is there to hand them over.

    `steps` and `state` are always the newest, also while native code makes the steps. Read `state` anew after a step.
    """

    remembers: tuple[str, ...] | None = None  # None: any names
    counts_steps = False  # whether `scalars` are others in each step, and not only in the first

    def __init__(self, params: Iterable[Value], lr: float, **options: Any) -> None:
        if hasattr(params, "parameters"):
            raise TypeError(f"{type(self).__name__} takes parameters, not a model: pass model.parameters()")
        if not isinstance(params, Iterable):
            what = f"{shown(params)} ({type(params).__name__})"
            raise TypeError(f"{type(self).__name__} takes a list of parameters, such as model.parameters(); got {what}")
        self.params = list(params)
        if not self.params:
            raise ValueError(f"{type(self).__name__} needs at least one parameter; got an empty list")
        for parameter in self.params:
            if not isinstance(parameter, Value):
                raise TypeError(f"{type(self).__name__} moves Values; got {parameter!r} ({type(parameter).__name__})")
        if len(set(self.params)) < len(self.params):
            raise ValueError(f"{type(self).__name__} got a parameter twice, and would move it twice: pass each once")
        self.lr = self._number("lr", lr)
        self._steps = 0
        self.options: dict[str, Any] = {
            name: option if isinstance(option, bool | tuple) else self._number(name, option)
            for name, option in options.items()
        }
        self._state: dict[str, list[float]] = {}  # by name, one number for each parameter
        self.lent: Any = None  # what has the two while native code makes the steps: `autograd.compiler.stepping`

    @property
    def steps(self) -> int:
        """How many steps were made."""
        count: int = self._steps if self.lent is None else self.lent.steps
        return count

    @steps.setter
    def steps(self, steps: int) -> None:
        self._take_back()
        self._steps = steps

    @property
    def state(self) -> dict[str, list[float]]:
        """What is remembered of the parameters, by name: a number for each of them."""
        self._take_back()
        return self._state

    @state.setter
    def state(self, state: dict[str, list[float]]) -> None:
        self._take_back()
        self._state = state

    def _take_back(self) -> None:
        """Gets the newest numbers from native code, if it has them."""
        if self.lent is not None:
            steps, state = self.lent.steps, self.lent.state()
            self._steps = steps  # until `lent` is None, all this can be done again
            self._state.update(state)
            self.lent = None

    def __getstate__(self) -> dict[str, Any]:
        self._take_back()
        return dict(vars(self))

    def _number(self, name: str, x: Any) -> float:
        """An option as a float of at least 0."""
        number = real_or_none(x)
        if number is None:
            raise TypeError(f"{type(self).__name__} takes a number for {name}; got {shown(x)} ({type(x).__name__})")
        if not (number >= 0.0 and isfinite(number)):
            hint = ": give a finite number" if number > 0.0 else ""
            raise ValueError(f"{type(self).__name__} takes a {name} of at least 0; got {shown(x)}{hint}")
        return number

    def scalars(self, m: Any = FLOATS) -> tuple[Any, ...]:
        """The numbers of the coming step that are the same for all parameters, and change from step to step.

        Arguments:
            m: a namespace with `sqrt`, where the step is printed as code; an optimiser of your own needs none.
        """
        return (self.lr,)

    def starts(self) -> dict[str, float]:
        """What is remembered of each parameter, by name, and the number that it starts from."""
        return {}

    def remembered(self) -> list[list[float]]:
        """What is remembered of the parameters now, in the order of `starts()`."""
        return [self.state.get(name) or [start] * len(self.params) for name, start in self.starts().items()]

    def rule(self, m: Any, *scalars: Any) -> Update:
        """The update of one parameter, over any number system.

        Arguments:
            m: a namespace with `sqrt` and `maximum`.
            scalars: the numbers that `scalars()` gave.

        Returns:
            a function of a parameter's data, its gradient, and what is remembered of it, in the order of `starts()`,
            which returns the new data and what is remembered from now on.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method rule(m, *scalars), or step()")

    def moves_by_rule(self) -> bool:
        """Whether `step` is nothing but `rule`, for each parameter."""
        return getattr(self.step, "__func__", None) is Optimizer.step

    def settings(self) -> dict[str, Any]:
        """The options, and all attributes that a subclass has beside them: what `rule` may read."""
        return {name: _copied(x) for name, x in vars(self).items() if name not in _NO_SETTINGS}

    def has_settings(self, settings: dict[str, Any]) -> bool:
        """Whether `settings()` are still these."""
        now = vars(self)
        return len(now) == len(settings) + len(_NO_SETTINGS) and settings.items() <= now.items()

    def before_step(self, steps: int, begun: bool, again: Any = None) -> "Optimizer":
        """The optimiser after so many steps, to be asked for `scalars` and `rule` alone.

        Arguments:
            steps: how many were made.
            begun: whether `state` is not empty. What it remembers is not told.
            again: what this gave before, if the settings are the same; that takes a third of the time.
        """
        then: Optimizer = again
        if then is None:
            then = object.__new__(type(self))
            vars(then).update(vars(self), lent=None)
        then.lr, then._steps, then._state = self.lr, steps, _BEGUN if begun else {}
        return then

    def step(self) -> None:
        """Moves every parameter once, from its `grad`."""
        update = self.rule(FLOATS, *self.scalars())
        data, grads = [p.data for p in self.params], _gradients(self.params)
        moved, *remembered = map(list, zip(*map(update, data, grads, *self.remembered()), strict=True))
        with uninterrupted():
            for parameter, number in zip(self.params, moved, strict=True):
                parameter.data = number
            self.state |= dict(zip(self.starts(), remembered, strict=True))
            self.steps += 1

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to 0."""
        for parameter in self.params:
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on: learning rate, options, steps, and what is remembered of each parameter."""
        state = {name: list(numbers) for name, numbers in self.state.items()}
        options = dict(self.options)
        return {
            "optimizer": type(self).__name__,
            "lr": self.lr,
            "options": options,
            "steps": self.steps,
            "state": state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over a `state_dict()`; changes nothing if it does not fit.

        Arguments:
            state: what `state_dict()` gave, also by way of JSON.

        Raises:
            ValueError: it belongs to another optimiser, or to another number of parameters.
        """
        name = type(self).__name__
        if not isinstance(state, dict) or state.keys() != self.state_dict().keys() or state["optimizer"] != name:
            raise ValueError(f"this is not the state_dict of a {name}; got {shown(state)}")
        options, steps = state["options"], state["steps"]
        if not isinstance(options, dict) or options.keys() != self.options.keys():
            raise ValueError(f"this is not the state_dict of a {name}: its options are {shown(options)}")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"the state_dict takes a whole number of steps; got {shown(steps)}")
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}  # JSON has no tuples
        try:
            checked = type(self)(self.params, state["lr"], **options)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the state_dict does not fit: {error}") from None
        remembered = self._remembered(state["state"])
        if steps and self.remembers and remembered.keys() != checked.starts().keys():
            raise ValueError(
                f"a {name} that made {steps} steps remembers {list(checked.starts())}; got {list(remembered)}"
            )
        self.lr, self.options, self.steps, self.state = checked.lr, checked.options, steps, remembered

    def _remembered(self, state: Any) -> dict[str, list[float]]:
        """A copy of what a state_dict remembers of the parameters, if it is that of this optimiser."""
        if not isinstance(state, dict) or (state and self.remembers and state.keys() != set(self.remembers)):
            raise ValueError(f"the state_dict of a {type(self).__name__} cannot have the state {shown(state)}")
        return {name: self._one_for_each(name, numbers) for name, numbers in state.items()}

    def _one_for_each(self, name: str, numbers: Any) -> list[float]:
        """A number for each parameter."""
        if not isinstance(numbers, list | tuple):
            raise ValueError(f"the state_dict takes a list of numbers for {name}; got {shown(numbers)}")
        if len(numbers) != len(self.params):
            raise ValueError(f"the state_dict is for {len(numbers)} parameters; this optimiser has {len(self.params)}")
        floats = [number for number in map(real_or_none, numbers) if number is not None]
        if len(floats) < len(numbers):
            raise ValueError(f"the state_dict takes a list of numbers for {name}; got {shown(numbers)}")
        return floats

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in {"lr": self.lr, **self.options}.items())
        return f"{type(self).__name__}({len(self.params)} parameters, {options})"


@own
class SGD(Optimizer):
    """Gradient descent: w -= lr * grad; with momentum, w -= lr * v where v = momentum * v + (1 - dampening) * grad.

    Arguments:
        params: the parameters to move.
        lr: the learning rate.
        momentum: how much of the last step's direction is kept.
        dampening: how much of the gradient is left out of the momentum.
        weight_decay: adds weight_decay * w to the gradient (an L2 penalty).
        nesterov: look ahead along the momentum; needs momentum and no dampening.

    Source: PyTorch's documentation of torch.optim.SGD; Sutskever et al., 2013, for the momentum.

    >>> w = Value(1.0)
    >>> w.grad = 0.5
    >>> SGD([w], lr=0.1).step()
    >>> w.data
    0.95
    """

    remembers = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (not momentum or dampening):
            raise ValueError(
                f"SGD with nesterov=True needs a momentum above 0 and no dampening; got {momentum=} and {dampening=}"
            )
        super().__init__(
            params, lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )

    def scalars(self, m: Any = FLOATS) -> tuple[Any, ...]:
        """The learning rate, and how much of the gradient goes into the momentum: at first all of it."""
        return self.lr, 1.0 - self.options["dampening"] if self.state else 1.0

    def starts(self) -> dict[str, float]:
        """The running direction, if there is momentum."""
        return {"momentum_buffer": 0.0} if self.options["momentum"] else {}

    def rule(self, m: Any, *scalars: Any) -> Update:
        """Against the gradient, or the running direction."""
        lr, share = scalars
        decay, momentum, nesterov = (self.options[name] for name in ("weight_decay", "momentum", "nesterov"))

        def update(data: Any, grad: Any, *buffers: Any) -> tuple[Any, ...]:
            direction = grad + decay * data if decay else grad
            if not momentum:
                return (data - lr * direction,)
            buffer = momentum * buffers[0] + share * direction
            return data - lr * (direction + momentum * buffer if nesterov else buffer), buffer

        return update


@own
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square, both corrected for their start at 0.

    Arguments:
        params: the parameters to move.
        lr: the learning rate.
        betas: how much of the two running means is kept at each step.
        eps: added to the denominator.
        weight_decay: adds weight_decay * w to the gradient (an L2 penalty; see `AdamW`).

    Source: Kingma and Ba, 2014, in the order of operations of torch.optim.Adam.

    >>> w = Value(1.0)
    >>> w.grad = 0.5
    >>> Adam([w], lr=0.1).step()
    >>> round(w.data, 6)
    0.9
    """

    remembers = ("exp_avg", "exp_avg_sq")
    counts_steps = True
    decoupled = False

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        numbers = [real_or_none(beta) for beta in betas] if isinstance(betas, Iterable) else []
        kept = tuple(beta for beta in numbers if beta is not None and 0.0 <= beta < 1.0)
        if len(numbers) != 2 or len(kept) != 2:
            raise ValueError(f"{type(self).__name__} takes two betas from 0 to below 1; got {shown(betas)}")
        super().__init__(params, lr, betas=kept, eps=eps, weight_decay=weight_decay)
        if self.options["eps"] == 0.0:
            raise ValueError(f"{type(self).__name__} takes an eps above 0: 0 / 0 has no value")

    def scalars(self, m: Any = FLOATS) -> tuple[Any, ...]:
        """The learning rate and the root, corrected for the start at 0, and what AdamW keeps of the weights."""
        (beta1, beta2), steps, decay = self.options["betas"], self.steps + 1, self.options["weight_decay"]
        kept = 1.0 - self.lr * decay if self.decoupled else 1.0
        return self.lr / (1.0 - beta1**steps), m.sqrt(1.0 - beta2**steps), kept

    def starts(self) -> dict[str, float]:
        """The two running means."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, m: Any, *scalars: Any) -> Update:
        """By the running mean of the gradient over the root of that of its square."""
        step_size, correction, kept = scalars
        (beta1, beta2), eps, decay = self.options["betas"], self.options["eps"], self.options["weight_decay"]
        penalty = 0.0 if self.decoupled else decay

        def update(data: Any, grad: Any, mean: Any, square: Any) -> tuple[Any, ...]:
            data = data * kept
            if penalty:
                grad = grad + penalty * data
            mean = mean + (grad - mean) * (1.0 - beta1)
            square = square * beta2 + (1.0 - beta2) * grad * grad
            return data - step_size * mean / (m.sqrt(square) / correction + eps), mean, square

        return update


@own
class AdamW(Adam):
    """Adam with the weight decay taken from the weights directly: w *= 1 - lr * weight_decay before each step.

    Arguments:
        params: the parameters to move.
        lr: the learning rate.
        betas: how much of the two running means is kept at each step.
        eps: added to the denominator.
        weight_decay: the share of a weight, times lr, that is taken away at each step.

    Source: Loshchilov and Hutter, 2017.

    >>> AdamW([Value(1.0)]).options["weight_decay"]
    0.01
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


@own
class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients: w -= lr * grad / (sqrt(mean) + eps).

    Arguments:
        params: the parameters to move.
        lr: the learning rate.
        alpha: how much of the running means is kept at each step, from 0 to below 1.
        eps: added to the denominator.
        weight_decay: adds weight_decay * w to the gradient (an L2 penalty).
        momentum: how much of the last step is kept.
        centered: divide by the root of the gradient's running variance instead: the mean of squares less the square of
            the running mean. Where rounding makes it negative it counts as 0 (PyTorch's step is nan there).

    Source: Tieleman and Hinton, 2012, lecture 6.5; centered: Graves, 2013; the order of operations of
    torch.optim.RMSprop.

    >>> w = Value(1.0)
    >>> w.grad = 0.5
    >>> RMSprop([w], lr=0.1, alpha=0.75).step()     # the root of the running mean is 0.25
    >>> round(w.data, 6)
    0.8
    """

    remembers = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=bool(centered)
        )
        if self.options["alpha"] >= 1.0:
            raise ValueError(f"RMSprop takes an alpha from 0 to below 1; got {shown(alpha)}")
        if self.options["eps"] == 0.0:
            raise ValueError("RMSprop takes an eps above 0: 0 / 0 has no value")

    def starts(self) -> dict[str, float]:
        """The running means of the square and of the gradient, and the running step."""
        return dict.fromkeys(RMSprop.remembers, 0.0)

    def rule(self, m: Any, *scalars: Any) -> Update:
        """By the gradient over the root of the running mean of squares."""
        (lr,) = scalars
        alpha, eps, decay = (self.options[name] for name in ("alpha", "eps", "weight_decay"))
        momentum, centered = self.options["momentum"], self.options["centered"]

        def update(data: Any, grad: Any, square: Any, mean: Any, buffer: Any) -> tuple[Any, ...]:
            if decay:
                grad = grad + decay * data
            square = spread = square * alpha + (1.0 - alpha) * grad * grad
            if centered:
                mean = mean + (grad - mean) * (1.0 - alpha)
                spread = m.maximum(spread - mean * mean, 0.0)  # in this order Python's max keeps nan
            move = grad / (m.sqrt(spread) + eps)
            if momentum:
                buffer = move = momentum * buffer + move
            return data - lr * move, square, mean, buffer

        return update


@own
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far: w -= lr * grad / (sqrt(sum) + eps).

    Arguments:
        params: the parameters to move.
        lr: the learning rate; in step t (from 1) it is lr / (1 + (t - 1) * lr_decay).
        lr_decay: how fast the learning rate falls.
        weight_decay: adds weight_decay * w to the gradient (an L2 penalty).
        initial_accumulator_value: what the sums start from.
        eps: added to the denominator.

    Source: Duchi, Hazan and Singer, 2011; the order of operations of torch.optim.Adagrad.

    >>> w = Value(1.0)
    >>> w.grad = 0.5
    >>> Adagrad([w], lr=0.1).step()
    >>> round(w.data, 6)
    0.9
    """

    remembers = ("sum",)
    counts_steps = True

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        start = initial_accumulator_value
        super().__init__(
            params, lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=start, eps=eps
        )
        if self.options["eps"] == 0.0:
            raise ValueError("Adagrad takes an eps above 0: 0 / 0 has no value")

    def scalars(self, m: Any = FLOATS) -> tuple[Any, ...]:
        """The learning rate of this step."""
        return (self.lr / (1.0 + self.steps * self.options["lr_decay"]),)

    def starts(self) -> dict[str, float]:
        """The sum of squares."""
        return {"sum": self.options["initial_accumulator_value"]}

    def rule(self, m: Any, *scalars: Any) -> Update:
        """By the gradient over the root of the sum of squares."""
        (lr,) = scalars
        eps, decay = self.options["eps"], self.options["weight_decay"]

        def update(data: Any, grad: Any, total: Any) -> tuple[Any, ...]:
            if decay:
                grad = grad + decay * data
            total = total + grad * grad
            return data - lr * grad / (m.sqrt(total) + eps), total

        return update


OptimizerName: TypeAlias = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad"]

OPTIMIZERS: dict[OptimizerName, tuple[Callable[..., Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "adam": (Adam, 0.01),
    "adamw": (AdamW, 0.01),
    "rmsprop": (RMSprop, 0.01),
    "adagrad": (Adagrad, 0.1),
}
"""The optimisers that `fit` and the command know by name, and the learning rate of each unless another is given.

The rates are higher than those that the classes have from PyTorch: networks here are small, and so are their data."""


def optimizer_of(optimizer: Any, lr: Any, params: Iterable[Value]) -> Optimizer:
    """The optimiser of that name for these parameters; one that was made already stays itself.

    Arguments:
        optimizer: a name in `OPTIMIZERS`, or an optimiser.
        lr: its learning rate, if it is a name; None for the usual one.
        params: what it is to move.

    Raises:
        ValueError: there is no optimiser of that name, or the learning rate does not fit.
        TypeError: it is something else, or has a learning rate of its own.

    >>> optimizer_of("sgd", None, [Value(0.0)])
    SGD(1 parameters, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)
    """
    if isinstance(optimizer, Optimizer):
        if lr is not None:
            raise TypeError(
                f"lr is for an optimizer by name; got {shown(lr)} beside one that has its own: leave it out"
            )
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f"optimizer takes a name such as 'adam', or an optimiser such as SGD(model.parameters(), lr=0.1); got "
            f"{shown(optimizer)}"
        )
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"there is no optimizer {optimizer!r}{did_you_mean(optimizer, OPTIMIZERS)}; choose one of "
            f"{', '.join(OPTIMIZERS)}, or make one"
        )
    made, usual_rate = OPTIMIZERS[optimizer]
    return made(params, lr=usual_rate if lr is None else lr)


_BEGUN: dict[str, list[float]] = {"": []}
"""In place of a state whose numbers are not told."""

_NO_SETTINGS = ("params", "lr", "_steps", "_state", "lent")


def _copied(x: Any) -> Any:
    """A setting as it is now; lists and dicts may be changed in place."""
    return copy(x) if isinstance(x, list | dict | set) else x


def clip_grad_norm_(parameters: Iterable[Value], max_norm: float) -> float:
    """Scales the gradients down so that their Euclidean norm is at most max_norm.

    Arguments:
        parameters: whose `grad` is scaled, such as `model.parameters()`.
        max_norm: the largest norm, at least 0.

    Returns:
        the norm before.

    >>> w = Value(1.0)
    >>> w.grad = 5.0
    >>> clip_grad_norm_([w], 1.0), round(w.grad, 5)
    (5.0, 1.0)
    """
    max_norm = norm_bound(max_norm, "max_norm")
    parameters = _parameters("clip_grad_norm_", parameters)
    gradients = _gradients(parameters)
    total: float = norm(gradients)
    factor = clip_factor(total, max_norm)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * factor
    return total


def norm_bound(x: Any, name: str) -> float:
    """The largest norm of a gradient that is let through, as a float.

    Raises:
        TypeError, ValueError: it is no number of at least 0.
    """
    bound = as_float(x, name)
    if not bound >= 0.0:
        raise ValueError(f"clipping takes a {name} of at least 0; got {bound!r}")
    return bound


def clip_factor(total: Any, max_norm: float, m: Any = FLOATS) -> Any:
    """What gradients of that norm are multiplied by, so that the norm is at most `max_norm` (PyTorch's formula).

    Written over any number system, whose namespace is `m`.

    >>> clip_factor(1.0, 2.0)
    1.0
    """
    return m.minimum(max_norm / (total + 1e-6), 1.0)


def clip_grad_value_(parameters: Iterable[Value], clip_value: float) -> None:
    """Brings every gradient into the interval from -clip_value to clip_value.

    Arguments:
        parameters: whose `grad` is clipped, such as `model.parameters()`.
        clip_value: the largest size of a gradient, at least 0.

    >>> w = Value(1.0)
    >>> w.grad = 5.0
    >>> clip_grad_value_([w], 0.5)
    >>> w.grad
    0.5
    """
    clip_value = as_float(clip_value, "clip_value")
    if not clip_value >= 0.0:
        raise ValueError(f"clip_grad_value_ takes a clip_value of at least 0; got {clip_value!r}")
    parameters = _parameters("clip_grad_value_", parameters)
    for parameter, gradient in zip(parameters, _gradients(parameters), strict=True):
        parameter.grad = min(max(gradient, -clip_value), clip_value)


def _gradients(parameters: Iterable[Value]) -> list[float]:
    """The gradients as numbers; after `backward(create_graph=True)` they are Values themselves."""
    return [data_of(parameter.grad) for parameter in parameters]


def _parameters(call: str, parameters: Any) -> list[Value]:
    """The parameters as a list, if they are a list of Values."""
    found = list(parameters) if isinstance(parameters, Iterable) else None
    if found is None or not all(isinstance(parameter, Value) for parameter in found):
        what = f"{shown(parameters)} ({type(parameters).__name__})"
        raise TypeError(f"{call} takes a list of parameters, such as model.parameters(); got {what}")
    return found
