"""What happens in `fit` of an estimator? Examples are read, some held out, a network is made, and `nn.fit` trains it.

What is asked of labels and of quantities is in `classifier.py` and `regressor.py`; what X may be, in `inputs.py`.
"""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from statistics import fmean
from typing import Any, TypeVar

from autograd.reals import as_count, shown
from nn.activations import Activation
from nn.checkpoint import CheckpointError
from nn.datasets.encoding import TableEncoder
from nn.datasets.table import Table
from nn.datasets.tables import as_array, check_same_length, listed
from nn.datasets.target_column import Target, known_rows, labels_in
from nn.estimators.files import damaged, read, settings_kept, settings_read, write
from nn.estimators.held_out import parted
from nn.estimators.inputs import (
    Examples,
    as_nn_table,
    checked_weights,
    is_tabular,
    names_in,
    read_inputs,
    rows_of_numbers,
    with_columns,
)
from nn.estimators.parameters import WithParameters
from nn.estimators.scikit_learn import not_fitted
from nn.estimators.settings import generator, optimizer_for, share, widths
from nn.module import Module
from nn.neuron import MLP, Sequential
from nn.optim import Optimizer, OptimizerName
from nn.standardize import Standardize
from nn.training.engine import EngineName
from nn.training.fit import fit
from nn.training.history import History
from nn.training.predict import predict
from nn.training.run import Callback

Self = TypeVar("Self", bound="Estimator")


class Estimator(WithParameters):
    """What `Classifier` and `Regressor` have in common; they say what the settings are."""

    model_: Module
    history_: History
    n_iter_: int
    n_features_in_: int
    n_outputs_: int
    encoder_: TableEncoder | None

    _network: Sequential
    _optimizer: Optimizer
    _rng: random.Random
    _task: Any = None
    _losses: tuple[str, ...] = ()
    """The losses by name, the usual one first."""
    _callbacks: Sequence[Callback] = ()
    """Called after each epoch, by the command, which shows them."""
    _announce: Callable[[], None] | None = None
    """Called before the first one, when `model_` and `encoder_` are there."""

    def __init__(
        self,
        hidden: Sequence[int] = (48,),
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        optimizer: OptimizerName | Callable[[Any], Optimizer] = "adam",
        lr: float | None = None,
        epochs: int = 60,
        batch_size: int = 32,
        validation: float | None = 0.1,
        patience: int | None = 6,
        loss: Any = None,
        standardize: bool = True,
        text: Any = "one-hot",
        gaps: Any = None,
        unseen: Any = "other",
        engine: EngineName = "auto",
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

    # What a kind of estimator knows of its targets

    def _begin(self, y: Any, classes: Any = None) -> Any:
        """Learns what there is to know of all targets, and returns them as `_numbers` does.

        Arguments:
            y: the targets.
            classes: the labels that there will be; None if y has them all.
        """
        return self._numbers(y)

    def _numbers(self, y: Any) -> Any:
        """The targets as numbers, by what `_begin` has learned."""
        raise NotImplementedError

    def _prepare(self, training: Examples) -> int:
        """Learns what depends on the training part alone; returns how many outputs the network needs."""
        raise NotImplementedError

    def _weights(self, targets: Any, weights: Any) -> Any:
        """The weights of the examples, with those of their classes."""
        return weights

    def _classes_of(self, targets: Any) -> Sequence[int] | None:
        """The class of each example, so that all have their share held out; None where there are no classes."""
        return None

    def _learnable(self, targets: Any) -> Any:
        """The targets as the network learns them."""
        return targets

    def _completed(self, network: Sequential) -> Sequential:
        """The network with what its outputs go through in the end."""
        return network

    # Learning

    def fit(self: Self, X: Any, y: Any = None, sample_weight: Any = None, *, validation: Any = None) -> Self:
        """Learns from examples, from the beginning.

        Arguments:
            X: n rows of numbers (lists, an array, a data frame), or a table with texts, dates, truth values and gaps:
                an `nn.Table`, a data frame, a mapping from names to columns, a structured array, the path of a CSV
                file. What becomes of its columns is learned from the part that is trained on: see `encoder_`.
            y: n targets, or the name of the column of the table that holds them. Rows where it has a gap are left out.
            sample_weight: how much each example counts: n numbers of at least 0. Only their ratios matter. A row of
                weight 0 is left out.
            validation: examples that are held out, to keep the weights of the best epoch: a pair (X, y), a triple with
                their weights, or a table if X is one that holds y. None holds out the share that the setting
                `validation` says.

        Returns:
            the estimator.

        Raises:
            ValueError, TypeError: an argument or a setting does not fit, or nothing was learned.
            KeyboardInterrupt: Ctrl-C, before the first epoch was over. Later it ends the training.
        """
        rng = generator(self.random_state)
        vars(self).pop("model_", None)  # what fails is not fitted
        inputs, y, target = self._inputs_and_targets(X, y)
        examples = self._weighted(inputs, self._begin(y), sample_weight)
        self._check_targets(examples.targets)
        learned, held_out = self._parts(examples, validation, target, rng)
        self._learn_columns(X, learned.inputs, target)
        learned = self._encoded(learned)
        self._make(learned, rng)
        history = self._train(learned, held_out and self._encoded(held_out), as_count(self.epochs, "epochs"))
        if not len(history) and history.stopped == "interrupted":
            raise KeyboardInterrupt
        self.history_, self.n_iter_ = history, len(history)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> None:
        """One more epoch, on these examples; the optimiser goes on from where it was."""
        begins = not self.__sklearn_is_fitted__()
        rng = generator(self.random_state) if begins else self._rng
        inputs, y, target = self._inputs_and_targets(X, y)
        if not begins:
            self._check_width(inputs)
        examples = self._weighted(inputs, self._begin(y, classes) if begins else self._numbers(y), sample_weight)
        if begins:
            self._learn_columns(X, inputs, target)
        examples = self._encoded(examples)
        if begins:
            self._make(examples, rng)
            self.history_ = History()
        history = self._train(examples, None, 1)
        for figures in history:
            self.history_.append(figures)
        self.n_iter_ = len(self.history_)

    def _inputs_and_targets(self, X: Any, y: Any) -> tuple[Any, Any, str | None]:
        """The inputs, the targets, and the name of the column in which they were, if they were in one."""
        if isinstance(y, str):
            table, labels = _labelled(X, y)
            Target.of(table, y, self._task)  # says what cannot be predicted
            return table, labels, y
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: pass a target for each row, "
                f"or the name of a column of X"
            )
        return self._inputs(X), y, None

    def _inputs(self, X: Any) -> Any:
        """X as a table or rows of numbers, as in `fit` if there was one."""
        if not self.__sklearn_is_fitted__():
            return read_inputs(X)
        if self.encoder_ is not None:
            return as_nn_table(X)
        return rows_of_numbers(with_columns(X, listed(vars(self).get("feature_names_in_"))))

    def _weighted(self, inputs: Any, targets: Any, sample_weight: Any) -> Examples:
        """The examples that count, with their weights."""
        check_same_length(inputs, targets)
        weights = self._weights(targets, checked_weights(sample_weight, len(targets)))
        examples = Examples(inputs, targets, weights)
        if weights is None:
            return examples
        return examples.at([i for i, weight in enumerate(listed(weights)) if weight > 0.0])

    def _check_targets(self, targets: Any) -> None:
        """Raises ValueError if the targets that count do not suffice to learn from."""

    def _parts(
        self, examples: Examples, validation: Any, target: str | None, rng: random.Random
    ) -> tuple[Examples, Examples | None]:
        """What is learned from, and what is held out."""
        if validation is not None:
            return examples, self._given_for_validation(validation, target, isinstance(examples.inputs, Table))
        part = share(self.validation)
        learned, held_out = parted(self._classes_of(examples.targets) if part else None, len(examples), part, rng)
        return examples.at(learned), examples.at(held_out) if held_out else None

    def _given_for_validation(self, validation: Any, target: str | None, encoded: bool) -> Examples:
        """The examples that the user holds out.

        Arguments:
            encoded: whether the others are in a table that is to be encoded.
        """
        if target is not None and is_tabular(validation):
            table, y = _labelled(validation, target)
            return self._weighted(table, self._numbers(y), None)
        if not isinstance(validation, list | tuple) or len(validation) not in (2, 3):
            raise ValueError(
                "validation takes a pair (X, y) of examples and targets, or a table if X is one with y in it"
            )
        X, y, weights = (*validation, None)[:3]
        if isinstance(y, str):
            X, y = _labelled(X, y)
        return self._weighted(as_nn_table(X) if encoded else rows_of_numbers(X), self._numbers(y), weights)

    def _learn_columns(self, X: Any, learned: Any, target: str | None) -> None:
        """What there is to know of the columns of X, and of those of the part that is trained on how to encode them."""
        names, self.encoder_ = names_in(X), None
        if isinstance(learned, Table):
            task = None if target is None else self._task
            text, gaps, unseen = self.text, self.gaps, self.unseen
            self.encoder_ = TableEncoder.of(learned, target, task=task, text=text, gaps=gaps, unseen=unseen)
            names = [name for name in learned.names if name != target]
        self.n_features_in_ = len(learned[0]) if self.encoder_ is None else len(names or [])
        vars(self).pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = as_array(names, object)

    def _encoded(self, examples: Examples) -> Examples:
        """The examples with their inputs as rows of numbers."""
        return examples if self.encoder_ is None else replace(examples, inputs=self.encoder_.inputs(examples.inputs))

    def _make(self, learned: Examples, rng: random.Random) -> None:
        """A new network, for these examples."""
        rows, self.n_outputs_ = learned.inputs, self._prepare(learned)
        layers = [*widths(self.hidden), self.n_outputs_]
        # Smaller first weights than for images, as scikit-learn has them: an R2 of 0.51, not 0.45, on 442 noisy rows.
        init = "xavier_uniform" if self.standardize else None
        mlp = MLP(len(rows[0]), layers, self.activation, self.dropout, init=init, rng=rng)
        scale = [Standardize.of(rows, learned.weights)] if self.standardize else []
        self._network = Sequential(*scale, mlp)
        self._optimizer = optimizer_for(self._network, self.optimizer, self.lr)
        self._rng = rng
        self.model_ = self._completed(self._network)

    def _train(self, learned: Examples, held_out: Examples | None, epochs: int) -> History:
        """Trains the network as it is now."""
        rows, targets, weights = self._ready(learned)
        if self._announce is not None:
            self._announce()
        history = fit(
            self._network,
            rows,
            targets,
            sample_weight=weights,
            loss=self._loss(),
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=self.batch_size,
            validation=None if held_out is None else self._ready(held_out),
            patience=None if held_out is None else self.patience,
            rng=self._rng,
            engine=self.engine,
            progress=self.progress,
            callbacks=self._callbacks,
        )
        if not all(isfinite(parameter.data) for parameter in self._network.parameters()):
            raise ValueError(f"nothing was learned: {history.stopped}; lr is {self._optimizer.lr}")
        self.model_.eval()
        return history

    def _ready(self, examples: Examples) -> tuple[Any, Any, Any]:
        """Examples as `nn.fit` takes them."""
        weights = None if examples.weights is None else of_mean_one(examples.weights)
        return examples.inputs, self._learnable(examples.targets), weights

    def _loss(self) -> Any:
        """The loss, by name or as a function."""
        if self.loss is not None and not callable(self.loss) and self.loss not in self._losses:
            raise ValueError(
                f"the loss of a {type(self).__name__} is {' or '.join(self._losses)}, or a function of outputs and "
                f"targets; got {shown(self.loss)}"
            )
        return self._losses[0] if self.loss is None else self.loss

    # Asking

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in vars(self)

    def _check_width(self, inputs: Any) -> None:
        """Raises ValueError if rows of numbers have more or fewer columns than in `fit`."""
        if self.encoder_ is None and len(inputs[0]) != self.n_features_in_:
            raise ValueError(
                f"X has {len(inputs[0])} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                f"features as input: pass the columns that fit was given"
            )

    def _outputs(self, X: Any) -> Any:
        """The outputs of the model for each row of X, as an array, or lists without NumPy."""
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)
        inputs = self._inputs(X)
        self._check_width(inputs)
        return as_array(predict(self.model_, inputs if self.encoder_ is None else self.encoder_.inputs(inputs)))

    def _truth(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X and y of `score`, where y may be the name of a column."""
        return _labelled(X, y) if isinstance(y, str) else (X, y)

    # Files

    def save(self, path: str | os.PathLike[str], **notes: Any) -> None:
        """Writes the fitted estimator to a file: a checkpoint, from which `nn.load` reads the model alone.

        Settings that are functions (a loss or an optimiser of one's own) and a `random_state` that is no number are not
        kept, nor is what the optimiser remembers: `partial_fit` begins it anew after loading.

        Arguments:
            path: the file.
            **notes: anything else worth keeping that JSON can hold; `nn.checkpoint.read` returns it as metadata.

        Raises:
            TypeError: the activation is a function of one's own, or a note cannot be written.
            OSError: the file cannot be written.
        """
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)
        write(self.model_, path, type(self).__name__, self._kept(), notes)

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Reads a fitted estimator that `save` has written; `nn.load_estimator` reads one of either kind.

        Raises:
            CheckpointError: the file is damaged, or holds something else.
            OSError: the file cannot be read.
        """
        kind, kept, model = read(path)
        if kind != cls.__name__:
            raise CheckpointError(f"{path} holds a {kind}, not a {cls.__name__}: open it with nn.load_estimator")
        return cls._restored(path, kept, model)

    def _kept(self) -> dict[str, Any]:
        """What a file must know beside the model."""
        return {
            "settings": settings_kept(self.get_params()),
            "features": self.n_features_in_,
            "names": listed(vars(self).get("feature_names_in_")),
            "encoder": None if self.encoder_ is None else self.encoder_.state_dict(),
            "history": self.history_.state_dict(),
        }

    @classmethod
    def _restored(cls: type[Self], path: str | os.PathLike[str], kept: dict[str, Any], model: Module) -> Self:
        """The estimator of which `_kept` was written."""
        try:
            found = cls(**settings_read(kept["settings"]))
            found._take_over(kept, model)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise damaged(path, f"its notes on the estimator do not fit together ({error})") from None
        return found

    def _take_over(self, kept: dict[str, Any], model: Module) -> None:
        """Sets what `fit` sets."""
        self.encoder_ = None if kept["encoder"] is None else TableEncoder.from_state(kept["encoder"])
        self.n_features_in_ = as_count(kept["features"], "features")
        if kept["names"] is not None:
            self.feature_names_in_ = as_array(_texts(kept["names"], self.n_features_in_), object)
        self.history_ = History()
        self.history_.load_state_dict(kept["history"])
        self.n_iter_ = len(self.history_)
        width = self.n_features_in_ if self.encoder_ is None else len(self.encoder_.feature_names)
        outputs = predict(model, [[0.0] * width])[0]
        self.n_outputs_ = len(outputs) if isinstance(outputs, list) else 1
        self.model_, self._network = model, self._network_in(model)
        self._optimizer = optimizer_for(self._network, self.optimizer, self.lr)
        self._rng = generator(self.random_state)

    def _network_in(self, model: Any) -> Sequential:
        """The network inside `model_`: what `_completed` has completed."""
        if not isinstance(model, Sequential):
            raise ValueError(f"its model is a {type(model).__name__}")
        return model


def _labelled(X: Any, name: str) -> tuple[Table, list[Any]]:
    """The rows of a table whose target, a column of it, is known; and the cells of that column."""
    table = known_rows(as_nn_table(X), name)
    return table, labels_in(table[name])


def _texts(names: Any, count: int) -> list[str]:
    """The names of the columns, as a file has them."""
    if not isinstance(names, list) or len(names) != count or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{count} columns cannot have the names {shown(names)}")
    return names


def of_mean_one(weights: Any) -> Any:
    """The weights with mean 1, so that the learning rate keeps its meaning, and only their ratios matter.

    >>> of_mean_one([1.0, 3.0])
    [0.5, 1.5]
    """
    if hasattr(weights, "dtype"):
        return weights / weights.mean()
    mean = fmean(weights)
    return [weight / mean for weight in weights]
