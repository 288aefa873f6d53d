"""What happens in `fit` of an estimator? Examples are read, some held out, a network is made and trained by `nn.fit`.

What is asked of labels and of quantities is in `classifier.py` and `regressor.py`; what X may be, in `inputs.py`.
"""

import os
import random
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, TypeVar

from autograd.reals import as_count, shown
from nn import checkpoint
from nn.activations import Activation
from nn.checkpoint import CheckpointError
from nn.datasets.tables import listed
from nn.estimators.held_out import held_out_places
from nn.estimators.inputs import Examples, checked_weights, checked_width, names_in, rows_of_numbers
from nn.estimators.parameters import WithParameters
from nn.estimators.scikit_learn import not_fitted
from nn.module import Module
from nn.neuron import MLP, Sequential
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.standardize import Standardize
from nn.training.fit import fit
from nn.training.history import History
from nn.training.predict import predict

Self = TypeVar("Self", bound="Estimator")
OPTIMIZERS: dict[str, tuple[type[Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "adam": (Adam, 0.01),
    "adamw": (AdamW, 0.01),
    "rmsprop": (RMSprop, 0.01),
    "adagrad": (Adagrad, 0.1),
}


class Estimator(WithParameters):
    """What `Classifier` and `Regressor` have in common: see there.

    Attributes:
        model_: the network as a Module, with the scales of its inputs and, for a regression, of its outputs.
        history_: the `History` of the last `fit`, or of all calls of `partial_fit`.
        n_iter_: how many epochs there were.
        n_features_in_: how many columns X had.
        feature_names_in_: their names, if X had names.
        n_outputs_: how many targets there are.
        encoder_: the `TableEncoder` that makes numbers of a table's columns; None if X was numbers already.
    """

    model_: Module
    history_: History
    n_iter_: int
    n_features_in_: int
    n_outputs_: int
    encoder_: Any

    def __init__(
        self,
        hidden: Sequence[int] = (48,),
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        optimizer: str | Callable[[Any], Optimizer] = "adam",
        lr: float | None = None,
        epochs: int = 60,
        batch_size: int = 32,
        validation: float | None = 0.1,
        patience: int | None = 6,
        loss: Any = None,
        standardize: bool = True,
        text: Any = "one-hot",
        gaps: Any = None,
        unseen: str = "other",
        engine: str = "auto",
        progress: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation = validation
        self.patience = patience
        self.loss = loss
        self.standardize = standardize
        self.text = text
        self.gaps = gaps
        self.unseen = unseen
        self.engine = engine
        self.progress = progress
        self.random_state = random_state

    # What a kind of estimator says of itself

    def _begin(self, y: Any, classes: Any = None) -> Any:
        """Learns what there is to know of the targets, and returns them as `_targets` does."""
        raise NotImplementedError

    def _targets(self, y: Any) -> Any:
        """The targets as numbers, by what `_begin` has learned."""
        raise NotImplementedError

    def _weights(self, targets: Any, weights: Any) -> Any:
        """The weights of the examples."""
        return weights

    def _scaled(self, targets: Any) -> Any:
        """The targets as the network learns them."""
        return targets

    def _finish(self, targets: Any, weights: Any) -> None:
        """Learns the scale of the targets from those of the training part."""

    def _outputs_needed(self) -> int:
        raise NotImplementedError

    def _class_numbers(self, targets: Any) -> Sequence[int] | None:
        """The class of each example, for an even split; None where there are no classes."""
        return None

    def _complete(self, network: Sequential) -> Sequential:
        """The network with whatever its outputs go through in the end."""
        return network

    _usual_loss = ""

    # Learning

    def fit(self: Self, X: Any, y: Any = None, sample_weight: Any = None, *, validation: Any = None) -> Self:
        """Learns from examples, from the beginning.

        Arguments:
            X: n rows of numbers, or a table.
            y: n targets, or the name of a column of the table.
            sample_weight: how much each example counts: n numbers of at least 0. Only their ratios matter; an example
                of weight 0 counts as left out.
            validation: a pair (X, y) that is held out, or a table if X is one; None holds the share out that the
                setting `validation` says.

        Returns:
            the estimator.
        """
        rng = generator(self.random_state)
        X, y = self._told(X, y)
        self._read_columns(X)
        examples = self._examples(X, self._begin(y), sample_weight)
        training, held_out = self._parted(examples, validation, rng)
        self._make(training, rng)
        history = self._train(training, held_out, self._epochs())
        if not history.best_epoch and history.stopped == "interrupted":
            raise KeyboardInterrupt
        self.history_, self.n_iter_ = history, len(history)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> None:
        """One epoch more on these examples; the optimiser goes on from where it was."""
        X, y = self._told(X, y)
        if begins := not self.__sklearn_is_fitted__():
            rng = generator(self.random_state)
            self._read_columns(X)
        targets = self._begin(y, classes) if begins else self._targets(y)
        examples = self._examples(X, targets, sample_weight)
        if begins:
            self._make(examples, rng)
            self.history_ = History()
        history = self._train(examples, None, 1)
        for figures in history:
            self.history_.append(figures)
        self.n_iter_ = len(self.history_)

    def _told(self, X: Any, y: Any) -> tuple[Any, Any]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        return X, y

    def _read_columns(self, X: Any) -> None:
        names = names_in(X)
        if names is None:
            vars(self).pop("feature_names_in_", None)
        else:
            self.feature_names_in_ = as_array(names, object)

    def _examples(self, X: Any, targets: Any, weights: Any) -> Examples:
        """The examples that count, with their weights."""
        inputs = self._inputs(X)
        if len(inputs) != len(targets):
            raise ValueError(f"X has {len(inputs)} rows but y has {len(targets)} targets: pass one target for each row")
        weights = checked_weights(weights, len(targets))
        examples = Examples(inputs, targets, weights)
        if weights is not None:
            examples = examples.at([i for i, weight in enumerate(listed(weights)) if weight > 0.0])
        return Examples(examples.inputs, examples.targets, self._weights(examples.targets, examples.weights))

    def _inputs(self, X: Any) -> Any:
        return rows_of_numbers(X)

    def _parted(self, examples: Examples, validation: Any, rng: random.Random) -> tuple[Examples, Examples | None]:
        """What is learned from, and what is held out."""
        if validation is not None:
            return examples, self._examples(validation[0], self._targets(validation[1]), None)
        share = self._share()
        classes = self._class_numbers(examples.targets) if share else None
        learned, held_out = held_out_places(classes, len(examples), share, rng)
        return examples.at(learned), examples.at(held_out) if held_out else None

    def _make(self, training: Examples, rng: random.Random) -> None:
        """A new network, for these examples."""
        self.encoder_ = None
        rows = training.inputs
        self.n_features_in_ = len(rows[0])
        self._finish(training.targets, training.weights)
        self.n_outputs_ = self._outputs_needed()
        mlp = MLP(len(rows[0]), [*self._hidden(), self._outputs_needed()], self.activation, self.dropout, rng=rng)
        scale = [Standardize.of(rows, training.weights)] if self.standardize else []
        self._network = Sequential(*scale, mlp)
        self.model_ = self._complete(self._network)
        self._optimizer = self._new_optimizer()
        self._rng = rng

    def _train(self, training: Examples, held_out: Examples | None, epochs: int) -> History:
        weighted: dict[str, Any] = {}
        if training.weights is not None:
            weighted["sample_weight"] = of_mean_one(training.weights)
        history = fit(
            self._network,
            training.inputs,
            self._scaled(training.targets),
            loss=self.loss or self._usual_loss,
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=self._batch_size(),
            validation=None if held_out is None else (held_out.inputs, self._scaled(held_out.targets)),
            patience=None if held_out is None or self.patience is None else as_count(self.patience, "patience"),
            rng=self._rng,
            engine=self.engine,
            progress=self.progress,
            **weighted,
        )
        self.model_.eval()
        if not all(isfinite(parameter.data) for parameter in self._network.parameters()):
            raise ValueError(f"nothing was learned: {history.stopped or 'a weight is not finite'} (lr={self.lr})")
        return history

    # Settings

    def _hidden(self) -> list[int]:
        hidden = self.hidden if hasattr(self.hidden, "__iter__") else [self.hidden]
        if isinstance(hidden, str):
            raise TypeError(f"hidden takes the widths of the hidden layers, such as (16, 16); got {shown(hidden)}")
        return [as_count(width, "each width in hidden") for width in hidden]

    def _epochs(self) -> int:
        return as_count(self.epochs, "epochs")

    def _batch_size(self) -> int:
        return as_count(self.batch_size, "batch_size")

    def _share(self) -> float:
        share = 0.0 if self.validation is None else self.validation
        if isinstance(share, bool) or not isinstance(share, float | int) or not 0.0 <= share < 1.0:
            raise ValueError(
                f"validation takes a share of the examples, from 0 to below 1, such as 0.1; got {shown(share)}"
            )
        return float(share)

    def _new_optimizer(self) -> Optimizer:
        if callable(self.optimizer):
            return self.optimizer(self._network.parameters())
        if self.optimizer not in OPTIMIZERS:
            names = ", ".join(OPTIMIZERS)
            raise ValueError(f"there is no optimizer {shown(self.optimizer)}; choose one of {names}")
        kind, usual = OPTIMIZERS[self.optimizer]
        return kind(self._network.parameters(), lr=usual if self.lr is None else self.lr)

    # Asking

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in vars(self)

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)

    def save(self, path: str | os.PathLike[str], **notes: Any) -> None:
        """Writes the fitted estimator to a file: a checkpoint, from which `nn.load` reads the model alone.

        Arguments:
            path: the file.
            **notes: anything else worth keeping that JSON can hold; `nn.checkpoint.read` returns it.

        Raises:
            TypeError: a setting is a function, which no file can hold.
        """
        self._check_fitted()
        checkpoint.save(self.model_, path, **notes, estimator=self._kept())

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Reads a fitted estimator from a file that `save` has written.

        Raises:
            CheckpointError: the file is damaged, or holds something else.
        """
        found = estimator_in(path)
        if not isinstance(found, cls):
            raise CheckpointError(
                f"{path} holds a {type(found).__name__}, and no {cls.__name__}: use nn.load_estimator"
            )
        return found

    def _kept(self) -> dict[str, Any]:
        """What a file must know beside the model."""
        settings = {name: x for name, x in self.get_params().items() if name != "random_state"}
        if isinstance(self.random_state, int):
            settings["random_state"] = self.random_state
        return {
            "class": type(self).__name__,
            "settings": settings,
            "features": self.n_features_in_,
            "names": listed(vars(self).get("feature_names_in_")),
            "encoder": None if self.encoder_ is None else self.encoder_.state_dict(),
            "outputs": self.n_outputs_,
            "history": self.history_.state_dict(),
        }

    @classmethod
    def _restored(cls: type[Self], kept: dict[str, Any], model: Module) -> Self:
        """The estimator of which `_kept` was written."""
        settings = dict(kept["settings"])
        if isinstance(settings.get("hidden"), list):
            settings["hidden"] = tuple(settings["hidden"])
        found = cls(**settings)
        found.n_features_in_, found.n_outputs_ = kept["features"], kept["outputs"]
        if kept["names"] is not None:
            found.feature_names_in_ = as_array(kept["names"], object)
        found.encoder_ = None
        found.history_ = History()
        found.history_.load_state_dict(kept["history"])
        found.n_iter_ = len(found.history_)
        found.model_ = model
        found._adopt(kept)
        return found

    def _adopt(self, kept: dict[str, Any]) -> None:
        """Takes the model apart, and what `_kept` adds in a subclass."""
        self._network = self.model_
        self._optimizer = self._new_optimizer()
        self._rng = generator(self.random_state)

    def _outputs(self, X: Any) -> Any:
        """The outputs of the model for each row of X, as an array, or lists without NumPy."""
        self._check_fitted()
        rows = checked_width(self._inputs(X), self.n_features_in_, type(self).__name__)
        return as_array(predict(self.model_, rows))


KINDS: dict[str, type[Estimator]] = {}
"""The classes that a file may name."""


def estimator_in(path: str | os.PathLike[str]) -> Any:
    """The estimator in a file."""
    content = checkpoint.read(path)
    kept = content["metadata"].get("estimator")
    if kept is None:
        raise CheckpointError(f"{path} holds a model, but no estimator: open it with nn.load")
    model = checkpoint.model_of(content, path)
    try:
        return KINDS[kept["class"]]._restored(kept, model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: its notes on the estimator do not fit together ({error})") from None


def generator(random_state: Any) -> random.Random:
    """The random numbers that a `random_state` stands for.

    Arguments:
        random_state: a whole number; a `random.Random`, which is used itself; a NumPy RandomState or Generator, of
            which a number is drawn; None draws one from Python's `random`.

    >>> generator(3).random() == random.Random(3).random()
    True
    """
    if isinstance(random_state, random.Random):
        return random_state
    if random_state is None or random_state is random:
        return random.Random(random.getrandbits(64))
    for draw in ("integers", "randint"):  # Generator, RandomState
        if hasattr(random_state, draw):
            return random.Random(int(getattr(random_state, draw)(2**31 - 1)))
    try:
        return random.Random(random_state.__index__())
    except AttributeError:
        raise ValueError(
            f"random_state takes None, a whole number, a random.Random, or NumPy's RandomState or Generator; "
            f"got {shown(random_state)}"
        ) from None


def as_array(values: list[Any], dtype: Any = None) -> Any:
    """An array of the values where NumPy is installed, otherwise the list."""
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        return values
    import numpy as np

    return np.array(values, dtype)


def of_mean_one(weights: Any) -> Any:
    """The weights with mean 1, so that the learning rate keeps its meaning, and only their ratios matter."""
    if hasattr(weights, "dtype"):
        return weights / weights.mean()
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]
