"""How does the learning rate change while a network learns? By a schedule, with PyTorch's names and formulas.

A schedule sets its optimiser's `lr`: once when it is made, and again at each `step()`, once after every epoch, or after
every batch: what it calls epochs are then steps (`fit(..., schedule_by="step")`).
`StepLR`, `ExponentialLR`, `CosineAnnealingLR` and `LinearLR` go by the number of epochs alone, each by the formula
in its `lr_at`; `ReduceLROnPlateau` goes by the loss, `step(loss)`, and says so by `needs_metric`.
"""

from math import cos, inf, isfinite, pi
from typing import Any

import autograd
from autograd import Value
from autograd.reals import as_count, as_float, real_or_none, shown
from nn.optim import SGD, Optimizer
from nn.own import own


class Schedule:
    """The base class of what sets an optimiser's learning rate; a subclass defines `lr_at(epoch)`.

    Attributes:
        optimizer: whose `lr` is set. What it was when the schedule was made is `base_lr`.
        last_epoch: how many times `step()` was called.
        needs_metric: whether `step` takes the loss (or another figure that the schedule watches).

    A learning rate that was changed by hand holds until the next `step()`; `ReduceLROnPlateau` goes on from it.

    >>> class Halving(Schedule):
    ...     def lr_at(self, epoch):
    ...         return self.base_lr / 2**epoch
    >>> optimizer = SGD([Value(1.0)], lr=0.5)
    >>> schedule = Halving(optimizer)
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    needs_metric = False
    options: tuple[str, ...] = ()  # the arguments beside the optimiser, kept in attributes of the same names
    remembers: tuple[str, ...] = ()  # what else changes from step to step

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            what = f"{shown(optimizer)} ({type(optimizer).__name__})"
            raise TypeError(f"{type(self).__name__} takes an optimiser such as SGD(model.parameters()); got {what}")
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.last_epoch = 0
        self._set_lr(self.lr_at(0))

    def lr_at(self, epoch: int) -> float:
        """The learning rate after so many steps."""
        raise NotImplementedError(f"{type(self).__name__} needs a method lr_at(self, epoch)")

    def step(self, metric: float | None = None) -> None:
        """Sets the learning rate for the next epoch.

        Arguments:
            metric: the figure that a schedule with `needs_metric` watches; the others take none.

        Raises:
            TypeError: there is a metric and it is not needed, or there is none and it is.
        """
        if metric is not None:
            raise TypeError(f"{type(self).__name__} goes by the epochs alone: call step(); got step({shown(metric)})")
        self.last_epoch += 1
        self._set_lr(self.lr_at(self.last_epoch))

    def ahead(self, steps: int) -> list[float]:
        """The learning rates of the coming steps, the present one first, as `step()` after each would set them."""
        later = range(self.last_epoch + 1, self.last_epoch + steps)
        return [self.optimizer.lr, *map(self.lr_at, later)][:steps]

    @property
    def is_known_ahead(self) -> bool:
        """Whether `ahead` can tell, since the learning rate goes by the number of steps alone."""
        return not self.needs_metric and type(self).step is Schedule.step

    def _set_lr(self, lr: float) -> None:
        self.optimizer.lr = self._last_lr = lr

    def get_last_lr(self) -> list[float]:
        """The learning rate that was set last, in a list, as PyTorch gives it (one for each group of parameters)."""
        return [self._last_lr]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on: the arguments, the epoch, the learning rate, and what else is remembered."""
        return {
            "schedule": type(self).__name__,
            "options": {name: getattr(self, name) for name in self.options},
            "base_lr": self.base_lr,
            "last_epoch": self.last_epoch,
            "lr": self.optimizer.lr,
            "state": {name: getattr(self, name) for name in self.remembers},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over a `state_dict()`, and sets the optimiser's learning rate to what it was; or changes nothing.

        Arguments:
            state: what `state_dict()` gave, also by way of JSON.

        Raises:
            ValueError: it belongs to another schedule, or is damaged.
        """
        name, own = type(self).__name__, self.state_dict()
        if not isinstance(state, dict) or state.keys() != own.keys() or state["schedule"] != name:
            raise ValueError(f"this is not the state_dict of a {name}; got {shown(state)}")
        for part in ("options", "state"):
            if not isinstance(state[part], dict) or state[part].keys() != own[part].keys():
                raise ValueError(f"this is not the state_dict of a {name}: its {part} are {shown(state[part])}")
        try:
            checked = type(self)(_standing_in(state["base_lr"]), **state["options"])
            last_epoch = as_count(state["last_epoch"], "last_epoch", least=0)
            lr = _standing_in(state["lr"]).lr
            remembered = self._remembered(state["state"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"the state_dict does not fit: {error}") from None
        for option in self.options:
            setattr(self, option, getattr(checked, option))
        for item, number in remembered.items():
            setattr(self, item, number)
        self.base_lr, self.last_epoch = checked.base_lr, last_epoch
        self._set_lr(lr)

    def _remembered(self, state: dict[str, Any]) -> dict[str, Any]:
        """What a state_dict remembers, if it can be so."""
        return state

    def _number(self, name: str, x: Any, most: float = inf) -> float:
        """An argument as a finite float from 0 to `most`."""
        number = None if isinstance(x, bool) else real_or_none(x)
        if number is None:
            raise TypeError(f"{type(self).__name__} takes a number for {name}; got {shown(x)} ({type(x).__name__})")
        if not (isfinite(number) and 0.0 <= number <= most):
            span = "of at least 0" if most == inf else f"from 0 to {most:.0f}"
            raise ValueError(f"{type(self).__name__} takes a number {span} for {name}; got {shown(x)}")
        return number

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.options)})"


@own
class StepLR(Schedule):
    """Multiplies the learning rate by gamma after every step_size epochs: base_lr * gamma**(epoch // step_size).

    Arguments:
        optimizer: whose learning rate is set.
        step_size: the number of epochs between two changes.
        gamma: the factor, at least 0.

    Source: torch.optim.lr_scheduler.StepLR.

    >>> schedule = StepLR(SGD([Value(1.0)], lr=0.5), step_size=2, gamma=0.5)
    >>> [schedule.lr_at(epoch) for epoch in range(5)]
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    options = ("step_size", "gamma")

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = as_count(step_size, "step_size")
        self.gamma = self._number("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """base_lr * gamma**(epoch // step_size)."""
        return self.base_lr * _power(self.gamma, epoch // self.step_size)


@own
class ExponentialLR(Schedule):
    """Multiplies the learning rate by gamma after every epoch: base_lr * gamma**epoch.

    Arguments:
        optimizer: whose learning rate is set.
        gamma: the factor, at least 0.

    Source: torch.optim.lr_scheduler.ExponentialLR.

    >>> schedule = ExponentialLR(SGD([Value(1.0)], lr=0.5), gamma=0.5)
    >>> [schedule.lr_at(epoch) for epoch in range(4)]
    [0.5, 0.25, 0.125, 0.0625]
    """

    options = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = self._number("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """base_lr * gamma**epoch."""
        return self.base_lr * _power(self.gamma, epoch)


@own
class CosineAnnealingLR(Schedule):
    """Lowers the learning rate to eta_min within T_max epochs, along half a wave of the cosine.

    Beyond T_max it rises again, and is back at its start after 2 * T_max epochs.

    Arguments:
        optimizer: whose learning rate is set.
        T_max: the number of epochs.
        eta_min: the lowest learning rate, at least 0.

    Source: Loshchilov and Hutter, 2016; torch.optim.lr_scheduler.CosineAnnealingLR, whose recursion this is in closed
    form.

    >>> schedule = CosineAnnealingLR(SGD([Value(1.0)], lr=0.5), T_max=2)
    >>> [round(schedule.lr_at(epoch), 12) for epoch in range(5)]
    [0.5, 0.25, 0.0, 0.25, 0.5]
    """

    options = ("T_max", "eta_min")

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = as_count(T_max, "T_max")
        self.eta_min = self._number("eta_min", eta_min)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """eta_min + (base_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2."""
        return self.eta_min + (self.base_lr - self.eta_min) * (1.0 + cos(pi * epoch / self.T_max)) / 2.0


@own
class LinearLR(Schedule):
    """Moves the learning rate evenly from start_factor times what it was to end_factor times, and leaves it there.

    The first epoch already has start_factor: the optimiser's `lr` is set when the schedule is made. From 1 to 0 within
    all steps of a run it is lr * (1 - step / steps), with `fit(..., schedule_by="step")`.

    Arguments:
        optimizer: whose learning rate is set.
        start_factor: above 0 and at most 1.
        end_factor: from 0 to 1.
        total_iters: after how many epochs the end is reached.

    Source: torch.optim.lr_scheduler.LinearLR, with its arguments and defaults.

    >>> schedule = LinearLR(SGD([Value(1.0)], lr=1.0), start_factor=1.0, end_factor=0.0, total_iters=4)
    >>> [schedule.lr_at(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    options = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3.0, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        self.start_factor = self._number("start_factor", start_factor, most=1.0)
        self.end_factor = self._number("end_factor", end_factor, most=1.0)
        self.total_iters = as_count(total_iters, "total_iters")
        if self.start_factor == 0.0:
            name = type(self).__name__
            raise ValueError(f"{name} takes a start_factor above 0: the first epoch would teach nothing")
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """base_lr * (start_factor + (end_factor - start_factor) * epoch / total_iters), up to total_iters."""
        change = (self.end_factor - self.start_factor) * min(epoch, self.total_iters) / self.total_iters
        return self.base_lr * (self.start_factor + change)


@own
class LinearWarmup(LinearLR):
    """`LinearLR` by the name of what it mostly does: it raises the learning rate evenly, and leaves it there.

    >>> schedule = LinearWarmup(SGD([Value(1.0)], lr=1.0), start_factor=0.25, total_iters=3)
    >>> [schedule.lr_at(epoch) for epoch in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """


@own
class ReduceLROnPlateau(Schedule):
    """Multiplies the learning rate by factor when the loss has not improved for more than `patience` epochs.

    Arguments:
        optimizer: whose learning rate is set.
        mode: "min" if a lower figure is better, as of a loss; "max" for an accuracy.
        factor: from 0 to below 1.
        patience: how many epochs without improvement are borne.
        threshold: an improvement by less than this does not count ...
        threshold_mode: ... "rel": this share of the best figure; "abs": this amount.
        cooldown: for how many epochs after a change nothing is counted.
        min_lr: the lowest learning rate.
        eps: a change of the learning rate by no more than this is left out.

    The metric may be infinite or nan: that is no improvement. Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    >>> optimizer = SGD([Value(1.0)], lr=0.5)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.25
    """

    needs_metric = True
    options = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps")
    remembers = ("best", "num_bad_epochs", "cooldown_counter")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self.mode, self.threshold_mode = _choice("mode", mode, "min", "max"), threshold_mode
        _choice("threshold_mode", threshold_mode, "rel", "abs")
        self.factor = self._number("factor", factor)
        if self.factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau takes a factor from 0 to below 1; got {shown(factor)}")
        self.patience = as_count(patience, "patience", least=0)
        self.cooldown = as_count(cooldown, "cooldown", least=0)
        self.threshold = self._number("threshold", threshold)
        self.min_lr, self.eps = self._number("min_lr", min_lr), self._number("eps", eps)
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """The learning rate as it is: what comes depends on the losses."""
        return self.optimizer.lr

    def step(self, metric: float | None = None) -> None:
        """Takes in the loss (or other figure) of an epoch, and lowers the learning rate if it is time.

        Arguments:
            metric: the figure, a number or a Value.

        Raises:
            TypeError: there is none, or it is no number.
        """
        if metric is None:
            raise TypeError("ReduceLROnPlateau needs the figure that it watches: call step(loss)")
        current = metric.data if isinstance(metric, Value) else as_float(metric, "ReduceLROnPlateau.step(metric)")
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        lr = self.optimizer.lr
        if self.num_bad_epochs > self.patience:
            lower = max(lr * self.factor, self.min_lr)
            lr = lower if lr - lower > self.eps else lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set_lr(lr)

    def _is_better(self, current: float) -> bool:
        """Whether a figure is better than the best so far by more than the threshold."""
        sign = 1.0 if self.mode == "min" else -1.0
        share, amount = (self.threshold, 0.0) if self.threshold_mode == "rel" else (0.0, self.threshold)
        bound = self.best * (1.0 - sign * share) - sign * amount
        return current < bound if self.mode == "min" else current > bound

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on; a best figure that is infinite as text, since JSON has no infinities."""
        state = super().state_dict()
        if not isfinite(self.best):
            state["state"]["best"] = str(self.best)
        return state

    def _remembered(self, state: dict[str, Any]) -> dict[str, Any]:
        """The best figure, and the two counts."""
        best = float(state["best"]) if state["best"] in ("inf", "-inf") else as_float(state["best"], "best")
        counts = {name: as_count(state[name], name, least=0) for name in ("num_bad_epochs", "cooldown_counter")}
        return {"best": best, **counts}


def _power(base: float, exponent: int) -> float:
    """base**exponent, inf where Python's own power raises OverflowError."""
    power: float = autograd.pow(base, float(exponent))
    return power


def _choice(name: str, given: Any, first: str, second: str) -> str:
    if given not in (first, second):
        raise ValueError(f'ReduceLROnPlateau takes "{first}" or "{second}" for {name}; got {shown(given)}')
    chosen: str = given
    return chosen


def _standing_in(lr: Any) -> Optimizer:
    """An optimiser of nothing, to try arguments on; it refuses what is no learning rate."""
    return SGD([Value(0.0)], lr=lr)
