"""What does `python -m nn` keep of a training? The estimator in a checkpoint, with notes on where its data are."""

import argparse
import hashlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from types import NoneType
from typing import Any

from autograd.reals import shown
from nn import checkpoint
from nn.command.data import DIGIT, Data, digits_encoder, numbers_encoder
from nn.datasets.dataset import counted
from nn.datasets.encoding import TableEncoder
from nn.datasets.tables import listed
from nn.datasets.target_column import Target
from nn.estimators import load_estimator
from nn.estimators.estimator import Estimator
from nn.module import Module
from nn.training.predict import predict

NOTES: dict[str, tuple[type, ...]] = {
    "data": (str, NoneType),
    "validation": (str, NoneType),
    "seed": (int,),
    "rows": (int,),
    "test": (str,),
    "target": (dict,),
}
"""What is written beside an estimator, and of which types."""
OLD_NOTES: dict[str, tuple[type, ...]] = {
    "data": (str, NoneType),
    "target": (str, NoneType),
    "seed": (int,),
    "feature_names": (list,),
    "target_names": (list,),
    "classification": (bool,),
}
"""What earlier versions wrote beside a model, of columns that were numbers."""


@dataclass(frozen=True)
class Trained:
    """A trained model, and what to do with tables.

    Arguments:
        model: gives the outputs for rows of inputs.
        encoder: makes the inputs of a table.
        target: what is predicted; None where that has no name.
        data: the file that it was trained on; None for the digits, and where nothing is known of it.
        validation: the file of its validation set, if that was apart.
        seed: of the split.
        rows: how many rows with a target there were; None where that is not known.
        test: the digest of the test set; None where that is not known.
    """

    model: Module
    encoder: TableEncoder
    target: Target | None
    data: str | None = None
    validation: str | None = None
    seed: int | None = None
    rows: int | None = None
    test: str | None = None

    @property
    def digits(self) -> bool:
        """Whether it reads the digits."""
        return self.seed is not None and self.data is None

    def outputs(self, inputs: Any, where: Callable[[int], str] | None = None) -> list[Any]:
        """The outputs of the model for rows of inputs.

        Arguments:
            where: says where a row stands, for the error.

        Raises:
            ValueError: an output is not finite.
        """
        outputs: list[Any] = predict(self.model, inputs)
        for i, output in enumerate(outputs):
            if not all(map(isfinite, output if isinstance(output, list) else [output])):
                raise ValueError(
                    f"{where(i) if where else f'row {i}'} has no finite prediction: its numbers are far beyond those "
                    f"that the model was trained on; mend them, or leave the row out"
                )
        return outputs


def keep(estimator: Estimator, data: Data, options: argparse.Namespace, path: str, test: str) -> None:
    """Saves the estimator with what `predict` and `evaluate` need to know; `test` is the digest of the test set."""
    parts = [data.train, data.test] if options.validation is not None else [data.train, data.validation, data.test]
    notes = {
        "data": options.data,
        "validation": options.validation,
        "seed": options.seed,
        "rows": sum(len(part) for part in parts) if options.data is not None else 0,
        "test": test,
        "target": vars(data.target),
    }
    estimator.save(path, training=notes)


def digest_of(inputs: Any, targets: list[Any]) -> str:
    """The SHA-256 of some examples, to see later whether they are the same."""
    numbers = inputs if hasattr(inputs, "dtype") else array("d", chain.from_iterable(inputs))
    digest = hashlib.sha256(numbers.tobytes())
    digest.update(array("d", targets).tobytes())
    return digest.hexdigest()


def open_checkpoint(path: str) -> Trained:
    """A trained model and what was saved with it."""
    content = checkpoint.read(path)
    known = content["metadata"]
    if "estimator" in known:
        trained = trained_estimator(path, known.get("training"))
    elif OLD_NOTES.keys() <= known.keys():
        trained = trained_before(path, known)
    elif content["model"].get("class") == "GPT":
        raise ValueError(f"{path} holds a GPT, which writes texts: use python -m nn generate {path}")
    else:
        raise ValueError(f"{path} was not written by python -m nn train; open it with nn.load")
    check_outputs(path, trained)
    return trained


def trained_estimator(path: str, notes: Any) -> Trained:
    """An estimator that the command has trained, or that was saved in Python."""
    estimator = load_estimator(path)
    encoder = estimator.encoder_
    if notes is None:
        names: Any = getattr(estimator, "feature_names_in_", None)
        if encoder is None and names is None:
            raise ValueError(
                f"{path} was trained on columns without names, so that they cannot be found in a file; open it with "
                f"nn.load_estimator"
            )
        return Trained(estimator.model_, encoder or numbers_encoder(list(map(str, names)), None), named(estimator))
    if not isinstance(notes, dict):
        raise damaged(path, "training", notes)
    check_notes(path, notes, NOTES)
    try:
        target = Target.from_state(notes["target"])
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}; train the model again") from None
    if (notes["data"] is None) != (encoder is None):
        raise damaged(path, "data", notes["data"])
    places = {name: notes[name] for name in ("data", "validation", "seed", "rows", "test")}
    return Trained(estimator.model_, encoder or digits_encoder(), target, **places)


def named(estimator: Any) -> Target | None:
    """The target of an estimator that was trained in Python."""
    if estimator.encoder_ is not None and estimator.encoder_.aim is not None:
        target: Target = estimator.encoder_.aim
        return target
    labels = listed(getattr(estimator, "classes_", []))
    return Target("prediction", "classification" if labels else "regression", labels, "")


def trained_before(path: str, known: dict[str, Any]) -> Trained:
    """A model that an earlier version has trained: its columns are numbers, its labels texts."""
    check_notes(path, known, OLD_NOTES)
    names, labels, data = known["feature_names"], known["target_names"], known["data"]
    if not names:
        raise ValueError(f"{path} is damaged: its note 'feature_names' names no column; train the model again")
    if (data is None) != (known["target"] is None) or (data is None and not known["classification"]):
        raise ValueError(f"{path} is damaged: its notes on data and target do not agree; train the model again")
    task: Any = "classification" if known["classification"] else "regression"
    if all(label.isdecimal() and str(int(label)) == label for label in labels):  # 00 was the number 0 then, too
        labels = list(map(int, labels))
    target = DIGIT if data is None else Target(known["target"], task, labels if known["classification"] else [], "")
    encoder = numbers_encoder(names, target)
    return Trained(checkpoint.model_of(checkpoint.read(path), path), encoder, target, data, None, known["seed"])


def check_outputs(path: str, trained: Trained) -> None:
    """Makes sure that the model has an output for each class, or one for a quantity."""
    try:
        outputs = trained.outputs([[0.0] * len(trained.encoder.feature_names)])[0]
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its model does not fit its notes ({error}); train it again") from None
    classes = [] if trained.target is None else trained.target.classes
    if classes and (not isinstance(outputs, list) or len(outputs) != len(classes)):
        raise ValueError(f"{path} is damaged: it does not name a class for each output of its model")
    if not classes and isinstance(outputs, list):
        many = counted(len(outputs), "output")
        raise ValueError(f"{path} is damaged: a quantity is one output; its model has {many}")


def check_notes(path: str, known: dict[str, Any], wanted: dict[str, tuple[type, ...]]) -> None:
    """Makes sure that a checkpoint's notes are what was written."""
    for name, kinds in wanted.items():
        note = known.get(name, ...)
        texts = note if isinstance(note, list) else []
        if type(note) not in kinds or not all(isinstance(text, str) for text in texts):
            raise damaged(path, name, note)


def damaged(path: str, name: str, note: Any) -> ValueError:
    return ValueError(f"{path} is damaged: its note {name!r} cannot be {shown(note)}; train the model again")
