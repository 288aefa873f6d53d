"""What does `python -m nn` keep of a training? A checkpoint, with notes on the data for `predict` and `evaluate`."""

import argparse
from types import NoneType
from typing import Any

from autograd.reals import shown
from nn import checkpoint
from nn.command.data import is_classification
from nn.datasets import Dataset
from nn.module import Module
from nn.training.predict import predict

NOTES: dict[str, tuple[type, ...]] = {
    "data": (str, NoneType),
    "target": (str, NoneType),
    "seed": (int,),
    "feature_names": (list,),
    "target_names": (list,),
    "classification": (bool,),
}
"""What `keep` writes beside the model, and of which types."""


def keep(model: Module, data: Dataset, options: argparse.Namespace, path: str) -> None:
    """Saves the model with what `predict` and `evaluate` need to know."""
    checkpoint.save(
        model,
        path,
        data=options.data,
        target=options.target,
        seed=options.seed,
        feature_names=list(data.feature_names),
        target_names=list(map(str, data.target_names)),
        classification=is_classification(data),
    )


def open_checkpoint(path: str) -> tuple[Module, dict[str, Any]]:
    """A trained model and what was saved with it."""
    content = checkpoint.read(path)
    known = content["metadata"]
    check_notes(path, known)
    model = checkpoint.model_of(content, path)
    outputs = predict(model, [[0.0] * len(known["feature_names"])])[0]
    if known["classification"] and (not isinstance(outputs, list) or len(outputs) != len(known["target_names"])):
        raise ValueError(f"{path} is damaged: it does not name a class for each output of its model")
    if not known["classification"] and isinstance(outputs, list):
        raise ValueError(f"{path} is damaged: a quantity is one output; its model has {len(outputs)}")
    return model, known


def check_notes(path: str, known: dict[str, Any]) -> None:
    """Makes sure that a checkpoint's metadata are what `keep` has written."""
    if not NOTES.keys() <= known.keys():
        raise ValueError(f"{path} was not written by python -m nn train; open it with nn.load")
    for name, kinds in NOTES.items():
        note = known[name]
        texts = note if isinstance(note, list) else []
        if type(note) not in kinds or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{path} is damaged: its note {name!r} cannot be {shown(note)}; train the model again")
    if not known["feature_names"]:
        raise ValueError(f"{path} is damaged: its note 'feature_names' names no column; train the model again")
    if (known["data"] is None) != (known["target"] is None) or (known["data"] is None and not known["classification"]):
        raise ValueError(f"{path} is damaged: its notes on data and target do not agree; train the model again")
