"""How is an estimator kept in a file? As a checkpoint of its model, with notes on its settings and on the data."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from autograd.reals import shown
from nn import checkpoint
from nn.checkpoint import CheckpointError
from nn.losses import known_loss
from nn.module import Module

NOTE = "estimator"


def write(model: Module, path: str | os.PathLike[str], kind: str, kept: dict[str, Any], notes: dict[str, Any]) -> None:
    """Writes a model with the notes on its estimator.

    Arguments:
        kind: the name of the estimator's class.
        kept: what is needed beside the model.
        notes: further metadata, of the user's own.
    """
    kept = {**kept, "history": _with_figures(kept["history"], checkpoint.encoded)}
    checkpoint.save(model, path, **{**notes, NOTE: {"class": kind, **kept}})


def read(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any], Module]:
    """The name of the estimator's class, what was kept of it, and the model.

    Raises:
        CheckpointError: the file is damaged, or holds no estimator.
    """
    content = checkpoint.read(path)
    kept = content["metadata"].get(NOTE)
    if kept is None:
        raise CheckpointError(f"{path} holds a model, but no estimator: open it with nn.load")
    if not isinstance(kept, dict) or not isinstance(kept.get("class"), str):
        raise damaged(path, f"its note on the estimator cannot be {shown(kept)}")
    history = _with_figures(kept.get("history"), checkpoint.decoded)
    return kept["class"], {**kept, "history": history}, checkpoint.model_of(content, path)


def _with_figures(history: Any, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The state of a History with the figures of each epoch converted, for JSON has no inf and nan."""
    if not isinstance(history, dict) or not isinstance(history.get("epochs"), list):
        return history  # damaged; its load_state_dict says so
    epochs = [convert(figures) if isinstance(figures, dict) else figures for figures in history["epochs"]]
    return {**history, "epochs": epochs}


def damaged(path: str | os.PathLike[str], why: str) -> CheckpointError:
    """The error for a file whose notes do not fit together."""
    return CheckpointError(f"{path} is damaged: {why}; train the estimator again")


def settings_kept(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a file can hold, in a form that JSON has: functions and generators are left out.

    >>> settings_kept({"hidden": (4, 2), "class_weight": {1: 0.5}, "loss": print})
    {'hidden': {'tuple': [4, 2]}, 'class_weight': {'dict': [[1, 0.5]]}}
    """
    kept = {}
    for name, setting in settings.items():
        if callable(setting):
            setting = known_loss(setting) or setting
        if not callable(setting) and (name != "random_state" or hasattr(setting, "__index__") or setting is None):
            kept[name] = _written(setting)
    return kept


def _written(x: Any) -> Any:
    x = x.item() if getattr(x, "shape", None) == () else x
    if isinstance(x, Mapping):
        return {"dict": [[_written(key), _written(item)] for key, item in x.items()]}
    if isinstance(x, tuple):
        return {"tuple": [_written(item) for item in x]}
    if isinstance(x, list) or hasattr(x, "tolist"):
        return [_written(item) for item in x]
    return x


def settings_read(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of which `settings_kept` was written."""
    return {name: _as_before(setting) for name, setting in kept.items()}


def _as_before(x: Any) -> Any:
    if isinstance(x, dict) and x.keys() == {"dict"}:
        return {_as_before(key): _as_before(item) for key, item in x["dict"]}
    if isinstance(x, dict):
        return tuple(map(_as_before, x["tuple"]))
    return list(map(_as_before, x)) if isinstance(x, list) else x
