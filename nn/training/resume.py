"""How is an interrupted training run resumed? From a file that is written, whole, after every epoch.

The file is a checkpoint as `nn.save` writes it, with one part more, "training": the settings that tell the run from
others, and its state after the last epoch. A resumed run ends with the same bits as one that was never interrupted.
"""

import hashlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from autograd.files import write_atomically
from autograd.reals import shown
from nn import checkpoint
from nn.checkpoint import CheckpointError
from nn.losses import LOSSES
from nn.schedules import Schedule
from nn.training.engine import EngineName
from nn.training.generators import generators
from nn.training.run import Run, steps_of_a_pass


class Checkpoint:
    """The file of one training run.

    Arguments:
        path: the file.
        run: the run, before its first epoch.

    Raises:
        TypeError: the model cannot be written.
        ValueError: the name ends in .safetensors, which cannot hold the state of a run.
        OSError: there is no such folder, or nothing can be written in it.
    """

    def __init__(self, path: str | os.PathLike[str], run: Run) -> None:
        self.path = path
        self.run = run
        folder = Path(path).parent
        if Path(path).suffix.lower() == ".safetensors":
            raise ValueError(f"the checkpoint of a training run is JSON; got the path {path}: let it end in .json")
        if not folder.is_dir():
            raise FileNotFoundError(f"the checkpoint {path} cannot be written: there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"the checkpoint {path} cannot be written: {folder} is read-only")
        self.content = checkpoint.content_of(run.model)
        self.settings = {**settings(run), "architecture": json.dumps(self.content["model"], sort_keys=True)}

    def save(self) -> None:
        """Writes all that a resumed run must know; a kill at any moment leaves the old file or the new one.

        Raises:
            OSError: the file cannot be written.
        """
        state = self.run.state_dict()
        training = _encoded({"settings": self.settings, **state})
        content = {**self.content, "parameters": _left(state), "training": training}
        write_atomically(self.path, checkpoint.compact(content))

    def resumed(self) -> Callable[[], None]:
        """Resumes the run from the file, if there is one; returns `save`, which is to be called after each epoch.

        The whole file is checked first. A file without a digest, as earlier versions wrote it, is refused: nothing in
        it tells whether it is damaged.

        Raises:
            CheckpointError: the file is not the checkpoint of a training run, belongs to another run, or is damaged;
                nothing has been changed then.
            OSError: the file cannot be read.
        """
        if Path(self.path).exists():
            self._resume()
        return self.save

    def _resume(self) -> None:
        content = checkpoint.content_in(self.path)
        if not isinstance(content.get("training"), dict):
            raise CheckpointError(f"{self.path} holds a model but no training run; give another file as the checkpoint")
        checkpoint.check_digest(content, self.path, required=True)
        checkpoint.model_of(content, self.path)
        try:
            # Earlier versions wrote no steps; 0 stands for those that the epochs of the history have.
            state = {"steps": 0, **{name: _decoded(part) for name, part in content["training"].items()}}
            _check_settings(self.path, state.pop("settings", None), self.settings)
            _check_generator(self.path, state.get("generators"), self.run)
            self.run.load_state_dict(state)
        except CheckpointError:
            raise
        except (ValueError, RecursionError) as error:
            remedy = "delete the file to begin anew, or give another one"
            raise CheckpointError(f"{self.path} does not fit together: {error}; {remedy}") from None


def _left(state: dict[str, Any]) -> dict[str, float]:
    """The numbers that `fit` would leave the model with: the best ones, or without validation the last."""
    numbers: dict[str, float] = (state["best"] or state["now"])["model"]
    return numbers


# Is it the same run?

UNSHOWN = ("examples", "weights", "parameters", "architecture")  # too long for a sentence


def settings(run: Run) -> dict[str, Any]:
    """What must be the same for a run to be resumed: all but the number of epochs, the patience and the callbacks.

    The seeds of random generators need not be: the file has the state of each generator.
    """
    parts = [x.listed() for x in (run.examples, run.held_out) if x is not None]
    data = digest_of_examples([(x.rows, x.targets) for x in parts])
    whole = steps_of_a_pass(len(run.examples), run.batch_size)
    weights = [(x.sample_weight, x.weights) for x in parts]
    return {
        "validation": None if run.split is None else run.split.share,
        "examples": data,
        "weights": None if not any(map(any, weights)) else _digest(weights),
        "parameters": ", ".join(run.model.state_dict()),
        "loss": _loss_name(run.figures.loss),
        "metrics": run.figures.names or None,
        "optimizer": repr(run.optimizer),
        "schedule": None if run.schedule is None else _schedule_name(run.schedule, run.schedule_by),
        "batch_size": run.batch_size,
        "steps_per_epoch": None if run.steps_per_epoch == whole else run.steps_per_epoch,
        "shuffle": run.rng is not None,
        "max_grad_norm": run.max_grad_norm,
        "engine": run.history.engine,
        "split_seed": None if run.split is None else run.split.seed,
    }


def digest_of_examples(parts: list[tuple[Any, Any]]) -> str:
    """What tells examples from others: X and Y of those to learn from, and of those that are held out."""
    return _digest(parts)


def _digest(x: Any) -> str:
    return hashlib.sha256(repr(x).encode()).hexdigest()


def split_seed_in(path: str | os.PathLike[str] | None) -> int | None:
    """The seed with which the run in the file held out examples; None where there is no such run.

    Raises:
        CheckpointError: the file cannot be read.
    """
    if path is None or not Path(path).exists():
        return None
    training = checkpoint.content_in(path).get("training")
    settings = training.get("settings") if isinstance(training, dict) else None
    seed = settings.get("split_seed") if isinstance(settings, dict) else None
    return seed if type(seed) is int else None


def _check_settings(path: Any, there: Any, here: dict[str, Any]) -> None:
    for name, value in here.items():
        if not isinstance(there, dict) or there.get(name) != value:
            found = there.get(name) if isinstance(there, dict) else None
            hint = f', or pass engine="{found}"' if name == "engine" else ""
            what = f"other {name}" if name in UNSHOWN else f"the {name} {found} where this one has {value}"
            raise CheckpointError(
                f"{path} holds a training run with {what}, so that this one cannot go on from it: delete the file to "
                f"begin anew, or give another one{hint}"
            )


def _check_generator(path: Any, there: Any, run: Run) -> None:
    """Raises CheckpointError if one of the two runs has a generator of its own for the order, and the other has not."""
    has_own = "order" in generators(run.model, run.rng)
    other = generators(run.model, random if has_own else random.Random(0))
    if run.rng is not None and isinstance(there, dict) and there.keys() == other.keys():
        how, remedy = ("without", "leave rng out") if has_own else ("with", "pass rng=0, or any other seed, too")
        raise CheckpointError(
            f"{path} holds a training run that was begun {how} an rng of its own: {remedy}; how the generator goes on "
            f"comes from the file"
        )


def _schedule_name(schedule: Schedule, schedule_by: str) -> str:
    name = f"{type(schedule).__name__} {schedule.state_dict()}"
    return name if schedule_by == "epoch" else f"{name} by the {schedule_by}"


def _loss_name(loss: Any) -> str:
    """What tells one loss from another: its name, and for a function of one's own a digest of its code."""
    code = getattr(loss, "__code__", None)
    name: str = getattr(loss, "__qualname__", type(loss).__name__)
    if code is None or LOSSES.get(name) is loss:
        return name
    return f"{name} {hashlib.sha256(repr((code.co_code, code.co_consts, code.co_names)).encode()).hexdigest()[:8]}"


# JSON has no inf and nan

NON_FINITE = ("inf", "-inf", "nan")
LARGEST = 2**53
"""No count in a training run is larger, and beyond it not every whole number is a float."""


def _encoded(x: Any) -> Any:
    """The same, with infinities and nan as text."""
    if isinstance(x, float):
        return x if isfinite(x) else {"float": str(x)}
    if isinstance(x, dict):
        return {str(key): _encoded(value) for key, value in x.items()}
    return [_encoded(item) for item in x] if isinstance(x, list | tuple) else x


def _decoded(x: Any) -> Any:
    """What `_encoded` was given.

    Raises:
        ValueError: there is a number that `_encoded` does not give.
    """
    if isinstance(x, dict):
        if x.keys() == {"float"} and x["float"] in NON_FINITE:
            return float(x["float"])
        return {key: _decoded(value) for key, value in x.items()}
    if isinstance(x, list):
        return [_decoded(item) for item in x]
    if (isinstance(x, float) and not isfinite(x)) or (isinstance(x, int) and abs(x) > LARGEST):
        raise ValueError(f"a training run has no number {shown(x)}")
    return x


# How far a run is, and how it goes on


@dataclass(frozen=True)
class Progress:
    """How far the run in a file is, and what tells it from others.

    Arguments:
        steps: those that it has made.
        steps_per_epoch: how many make an epoch; None for those of a pass through all examples.
        lr: the learning rate with which its schedule began; None without a schedule.
        batch_size: of its steps.
        engine: which has trained it.
        examples: the digest of what it learns from, with what is held out.
    """

    steps: int
    steps_per_epoch: int | None
    lr: float | None
    batch_size: int
    engine: EngineName
    examples: str


def progress_in(content: dict[str, Any], path: str | os.PathLike[str]) -> Progress:
    """How far the run in the content of a checkpoint is. `fit` checks it as a whole.

    Raises:
        CheckpointError: there is no run, or a part of it is missing.
    """
    try:
        training = content["training"]
        settings, schedule = training["settings"], training["schedule"]
        lr = None if schedule is None else schedule["base_lr"]
        each = settings["steps_per_epoch"]
        return Progress(training["steps"], each, lr, settings["batch_size"], settings["engine"], settings["examples"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged: its training has no part {error}; delete it to begin anew") from None


def with_schedule(path: str | os.PathLike[str], schedule: Schedule, schedule_by: str) -> None:
    """Gives the run in a file another schedule, which goes on after the steps of the old one.

    Arguments:
        path: the file, of a run with a schedule of the same kind.
        schedule: a new one.
        schedule_by: "epoch" or "step".

    Raises:
        CheckpointError: the file is damaged.
        OSError: it cannot be read or written.
    """
    content = checkpoint.content_in(path)
    checkpoint.check_digest(content, path, required=True)
    training, name = content["training"], _schedule_name(schedule, schedule_by)
    if training["settings"]["schedule"] == name:
        return
    done = training["schedule"]["last_epoch"]
    lr = schedule.lr_at(done)
    training["settings"]["schedule"] = name
    training["schedule"] = {**schedule.state_dict(), "last_epoch": done, "lr": lr}
    training["optimizer"]["lr"] = lr
    write_atomically(path, checkpoint.compact({name: part for name, part in content.items() if name != "digest"}))
