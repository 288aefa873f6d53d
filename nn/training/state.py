"""Can a training run be resumed from this state? Everything is checked before anything is taken over."""

from collections.abc import Iterable, Mapping
from typing import Any

from autograd.reals import shown
from nn.training.generators import as_generator_state
from nn.training.history import CONFUSION_MATRIX, History, bare_name


def check_state(state: Any, like: Mapping[str, Any], validated: bool, metrics: Iterable[str] = ()) -> None:
    """Raises ValueError if a run cannot be resumed from this state.

    The states of the optimiser and of the schedule are left to their `load_state_dict`.

    Arguments:
        state: what is said to be the `state_dict()` of a `Run` after some epoch.
        like: the `state_dict()` of the run that is to be resumed, before its first epoch.
        validated: whether the run has examples for validation.
        metrics: the names of the figures that it was asked for.
    """
    _check_names("its state", state, like)
    if type(state["steps"]) is not int or state["steps"] < 0:
        raise ValueError(f"the steps that it made are a whole number of at least 0; got {shown(state['steps'])}")
    _check_numbers("now", state["now"], like["now"])
    if state["best"] is not None:
        _check_numbers("best", state["best"], like["now"])
    if not isinstance(state["order"], list) or any(type(i) is not int for i in state["order"]):
        raise ValueError(f"the order of its examples is a list of whole numbers; got {shown(state['order'])}")
    if sorted(state["order"]) != sorted(like["order"]):
        raise ValueError(
            f"the order of its examples has each of {len(like['order'])} once; got {shown(state['order'])}"
        )
    _check_names("its random generators", state["generators"], like["generators"])
    for generator in state["generators"].values():
        as_generator_state(generator)
    _check_history(state, validated, set(metrics))


def _check_names(what: str, found: Any, like: Mapping[str, Any]) -> None:
    if not isinstance(found, dict) or found.keys() != like.keys():
        raise ValueError(f"{what} should have the parts {shown(list(like))}; got {shown(found)}")


def _check_numbers(name: str, found: Any, like: Mapping[str, Any]) -> None:
    """A number for each parameter, each buffer, and whatever else the optimiser moves."""
    _check_names(f"its part {name!r}", found, like)
    _check_names("its model", found["model"], like["model"])
    if not isinstance(found["moved"], list) or len(found["moved"]) != len(like["moved"]):
        raise ValueError(f"the optimizer moves {len(like['moved'])} numbers; got {shown(found['moved'])}")
    for number in (*found["model"].values(), *found["moved"]):
        if type(number) is not float:
            raise ValueError(f"a parameter is a number such as 1.0; got {shown(number)}")


def _check_history(state: Mapping[str, Any], validated: bool, metrics: set[str]) -> None:
    """Figures for at least one epoch, the same in each, and the best weights where there is a best epoch."""
    history = History(metrics=metrics)
    history.load_state_dict(state["history"])
    names = [figures.keys() for figures in history]
    if not names or "loss" not in names[0] or any(found != names[0] for found in names):
        raise ValueError(f"its history has a loss, and the same figures in each epoch; got {shown(history.epochs)}")
    if ("validation_loss" in names[0]) != validated:
        raise ValueError(f"its history {'lacks' if validated else 'has'} a validation loss, unlike this run")
    matrix = metrics & {CONFUSION_MATRIX}
    found = {bare_name(name) for name in names[0]} | ({CONFUSION_MATRIX} & state["history"].keys())
    if found - {"loss", "accuracy"} - matrix != metrics - {"accuracy"} - matrix:
        raise ValueError(f"its history has the figures {', '.join(names[0])}, and this run others")
    if (state["best"] is not None) != (history.kept_epoch > 0):
        raise ValueError("its history and its best weights belong to different runs")
