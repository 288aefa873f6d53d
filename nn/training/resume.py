"""How does an interrupted training run go on where it was? From a file that is written, whole, after every epoch.

The file is a checkpoint as `nn.save` writes it, with one part more, "training": the last epoch's numbers, optimiser,
schedule, history, the order of the examples, and the state of every random generator. A run that goes on from it ends
with the same bits as one that was never interrupted.
"""

import hashlib
import json
import os
import random
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nn import checkpoint
from nn.checkpoint import CheckpointError
from nn.losses import LOSSES
from nn.randomness import RandomSource

if TYPE_CHECKING:
    from nn.training.fit import Run


class Checkpoint:
    """The file of one training run.

    What stays the same from epoch to epoch, the architecture and what tells the run from others, is found once.

    Arguments:
        path: the file.
        run: the run, before its first epoch.

    Raises:
        TypeError: the model cannot be written.
        OSError: there is no such folder, or nothing can be written in it.
    """

    def __init__(self, path: str | os.PathLike[str], run: "Run") -> None:
        self.path, self.run = path, run
        folder = Path(path).parent
        if not folder.is_dir():
            raise FileNotFoundError(f"the checkpoint {path} cannot be written: there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"the checkpoint {path} cannot be written: {folder} is read-only")
        self.content = checkpoint.content_of(run.model)
        self.identity = {**identity(run), "architecture": json.dumps(self.content["model"], sort_keys=True)}

    def save(self) -> None:
        """Writes all that the run must know to go on; a kill at any moment leaves the old file or the new one.

        Raises:
            OSError: the file cannot be written.
        """
        best = self.run.best if self.run.held_out is not None else None  # without validation `fit` leaves the last
        state = self.run.model.state_dict() if best is None else best["model"]
        training = _encoded({"run": self.identity, **_state(self.run, self.run.seconds())})
        content = {**self.content, "parameters": checkpoint.encoded(state), "training": training}
        checkpoint.write_atomically(self.path, json.dumps(content, allow_nan=False))

    def resume(self) -> None:
        """Puts the run where the file says it was, if there is one.

        Raises:
            CheckpointError: the file is no checkpoint of a training run, or of another one; nothing has been changed
                then.
            OSError: the file cannot be read.
        """
        if not Path(self.path).exists():
            return
        training = checkpoint.read(self.path).get("training")
        if not isinstance(training, dict):
            raise CheckpointError(f"{self.path} holds a model but no training run; give another file as the checkpoint")
        training = _decoded(training)
        _check_identity(self.path, training.get("run"), self.identity)
        before = _state(self.run, self.run.history.seconds)
        try:
            _take_over(self.run, training)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            _take_over(self.run, before)
            raise CheckpointError(f"{self.path} does not fit together: {error}") from None


def _state(run: "Run", seconds: float) -> dict[str, Any]:
    """What changes from epoch to epoch, and `_take_over` puts back."""
    return {
        "now": run.numbers(),
        "best": run.best,
        "optimizer": run.optimizer.state_dict(),
        "schedule": None if run.schedule is None else run.schedule.state_dict(),
        "history": {"epochs": list(run.history.epochs), "seconds": seconds, "stopped": run.history.stopped},
        "waited": run.waited,
        "order": list(map(int, run.order)),
        "generators": {name: _generator_state(generator) for name, generator in generators(run)},
    }


def _take_over(run: "Run", training: dict[str, Any]) -> None:
    if sorted(training["order"]) != list(range(len(run.rows))):
        raise ValueError("the order of its examples is not one of them all")
    found = dict(generators(run))
    if found.keys() != training["generators"].keys():
        raise ValueError(f"it has random generators for {', '.join(training['generators']) or 'nothing'}")
    run.set_numbers(training["now"])
    run.optimizer.load_state_dict(training["optimizer"])
    if run.schedule is not None:
        run.schedule.load_state_dict(training["schedule"])
    run.best, run.waited, run.order = training["best"], int(training["waited"]), list(training["order"])
    run.history.epochs.clear()
    for record in training["history"]["epochs"]:
        run.history.append(record)
    run.history.seconds, run.history.stopped = training["history"]["seconds"], training["history"]["stopped"]
    if "has not improved" in run.history.stopped and (run.patience is None or run.waited < run.patience):
        run.history.stopped = ""  # this time there is more patience
    for name, generator in found.items():
        version, internal, gauss = training["generators"][name]
        generator.setstate((version, tuple(internal), gauss))


# Is it the same run?

UNSHOWN = ("examples", "parameters", "architecture")  # too long for a sentence


def identity(run: "Run") -> dict[str, Any]:
    """What must be the same for a run to go on: all but the number of epochs, the patience, and the callbacks.

    The seeds of random generators are not asked for: the file has the state of each.
    """
    data = hashlib.sha256(repr((run.rows, run.targets, run.held_out)).encode()).hexdigest()
    return {
        "examples": data,
        "parameters": ", ".join(run.model.state_dict()),
        "loss": _loss_name(run.loss),
        "optimizer": repr(run.optimizer),
        "schedule": None if run.schedule is None else f"{type(run.schedule).__name__} {run.schedule.state_dict()}",
        "batch_size": run.batch_size,
        "shuffle": run.rng is not None,
        "max_grad_norm": run.max_grad_norm,
        "engine": run.history.engine,
    }


def _check_identity(path: Any, there: Any, here: dict[str, Any]) -> None:
    for name, value in here.items():
        if not isinstance(there, dict) or there.get(name) != value:
            found = there.get(name) if isinstance(there, dict) else None
            hint = f', or pass engine="{found}"' if name == "engine" else ""
            what = f"other {name}" if name in UNSHOWN else f"the {name} {found} where this one has {value}"
            raise CheckpointError(
                f"{path} holds a training run with {what}, so that this one cannot go on from it: delete the file to "
                f"begin anew, or give another one{hint}"
            )


def _loss_name(loss: Any) -> str:
    """What tells one loss from another: the name, and for a function of one's own what it does."""
    code = getattr(loss, "__code__", None)
    name: str = getattr(loss, "__qualname__", type(loss).__name__)
    if code is None or LOSSES.get(name) is loss:
        return name
    return f"{name} {hashlib.sha256(repr((code.co_code, code.co_consts, code.co_names)).encode()).hexdigest()[:8]}"


# Random generators


def generators(run: "Run") -> Iterator[tuple[str, RandomSource]]:
    """Every generator that the run draws from, by a name: that of the order, and those of the model's layers.

    Python's own, which others draw from too, is among them only if the run uses it.
    """
    used = {"order": run.rng} if run.rng is not None else {}
    used |= {name: module.rng for name, module in run.model.named_modules() if hasattr(module, "rng")}
    for name, generator in used.items():
        if isinstance(generator, random.Random):
            yield name, generator
    if any(generator is None or isinstance(generator, ModuleType) for generator in used.values()):
        yield "random", random


def _generator_state(generator: RandomSource) -> list[Any]:
    version, internal, gauss = generator.getstate()
    return [version, list(internal), gauss]


# JSON has no inf and nan


def _encoded(x: Any) -> Any:
    """The same with infinities and nan as text; the parts are few and not deep."""
    if isinstance(x, float):
        return x if isfinite(x) else {"float": str(x)}
    if isinstance(x, dict):
        return {key: _encoded(value) for key, value in x.items()}
    return [_encoded(item) for item in x] if isinstance(x, (list, tuple)) else x


def _decoded(x: Any) -> Any:
    if isinstance(x, dict):
        return float(x["float"]) if x.keys() == {"float"} else {key: _decoded(value) for key, value in x.items()}
    return [_decoded(item) for item in x] if isinstance(x, list) else x
