"""What happens in `fit` of an estimator? Examples are read, some held out, a network is made, and `nn.fit` trains it.

What is asked of labels and of quantities is in `classifier.py` and `regressor.py`; what X may be, in `inputs.py`.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from typing import Any, TypeVar

from autograd.reals import as_count, shown
from autograd.spelling import did_you_mean
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
    numbers_as_in_fit,
    read_inputs,
    target_in,
)
from nn.estimators.parameters import WithParameters, settings_by_name
from nn.estimators.scikit_learn import WithMetadataRouting, not_fitted
from nn.estimators.settings import examples_a_step, generator, optimizer_for, share, widths
from nn.module import Module
from nn.neuron import MLP, Sequential
from nn.optim import Optimizer, OptimizerName
from nn.randomness import rewinding
from nn.standardize import Standardize
from nn.training.engine import EngineName
from nn.training.fit import fit
from nn.training.generators import generators
from nn.training.history import History
from nn.training.predict import predict
from nn.training.run import Callback

Self = TypeVar("Self", bound="Estimator")


class Estimator(WithParameters, WithMetadataRouting):
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

    @settings_by_name
    def __init__(
        self,
        hidden: int | Sequence[int] = (48,),
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        optimizer: OptimizerName | Callable[[Any], Optimizer] = "adam",
        lr: float | None = None,
        epochs: int = 60,
        batch_size: int | None = None,
        validation: float | None = 0.1,
        patience: int | None = 15,
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

    def _class_weights(self, targets: Any) -> Any:
        """How much the classes of these targets count, as `nn.fit` takes it: by the numbers of the classes."""
        return None

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

    def fit(
        self: Self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation: Any = None,
        film: bool = False,
        callbacks: Iterable[Callback] = (),
    ) -> Self:
        """Learns from examples, from the beginning.

        Arguments:
            X: n rows of numbers (lists, an array, a data frame), or a table with texts, dates, truth values and gaps:
                an `nn.Table`, a data frame, a mapping from names to columns, a structured array, the path of a CSV
                file. What becomes of its columns is learned from the part that is trained on: see `encoder_`.
            y: n targets, or the column of the table that holds them, by its name or as a `Column`. Rows where it has a
                gap are left out.
            sample_weight: how much each example counts: n numbers of at least 0. Only their ratios matter. A row of
                weight 0 is left out.
            validation: examples that are held out, to keep the weights of the best epoch: a pair (X, y), a triple with
                their weights, or a table if X is one that holds y. None holds out the share that the setting
                `validation` says.
            film: True records the training: `nn.film(estimator.history_)` shows it.
            callbacks: called after each epoch with the network and the history, such as `nn.Live()`.

        Returns:
            the estimator.

        Raises:
            ValueError, TypeError: an argument or a setting does not fit, or nothing was learned.
            KeyboardInterrupt: Ctrl-C, before the first epoch was over. Later it ends the training.
            Whatever is raised, the estimator is as it was before.
        """
        rng = generator(self.random_state)
        with self._as_before_if_it_fails(rng):
            vars(self).pop("model_", None)
            inputs, y, target = self._inputs_and_targets(X, y)
            examples = self._weighted(inputs, self._begin(y), sample_weight)
            self._check_targets(examples.targets)
            learned, held_out = self._parts(examples, validation, names_in(X), target, rng)
            self._learn_columns(X, learned.inputs, target)
            learned = self._encoded(learned).of_mean_one()
            self._make(learned, rng)
            held_out = held_out and self._encoded(held_out).of_mean_one()
            history = self._train(learned, held_out, as_count(self.epochs, "epochs"), film, callbacks)
            self.history_, self.n_iter_ = history, len(history)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> None:
        """One more epoch, on these examples; the optimiser goes on from where it was."""
        begins = not self.__sklearn_is_fitted__()
        rng = generator(self.random_state) if begins else self._rng
        with self._as_before_if_it_fails(rng):
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
            for figures in self._train(examples, None, 1):
                self.history_.append(figures)
            self.n_iter_ = len(self.history_)

    @contextmanager
    def _as_before_if_it_fails(self, rng: random.Random) -> Iterator[None]:
        """A block after which the estimator is as it was, and predicts as it did, if an error ends it."""
        before, is_fitted = dict(vars(self)), self.__sklearn_is_fitted__()
        drawn_from = [rng, *(generators(self._network, None).values() if is_fitted else ())]
        rewinds = [rewinding(generator) for generator in drawn_from]
        numbers = (self._network.state_dict(), self._optimizer.state_dict()) if is_fitted else ({}, {})
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if is_fitted:  # `partial_fit` moves the weights in place
                self._network.load_state_dict(numbers[0])
                self._optimizer.load_state_dict(numbers[1])
            for rewind in rewinds:
                rewind()
            raise

    def _inputs_and_targets(self, X: Any, y: Any) -> tuple[Any, Any, Target | None]:
        """The inputs, the targets, and what they are as a column of a table, if they were one."""
        y = target_in(X, y)
        if isinstance(y, str) and self.__sklearn_is_fitted__():
            table, labels = _labelled(X, y, self._target(), self._gap_words())
            return self._inputs(table), labels, None
        if isinstance(y, str):
            table = known_rows(as_nn_table(X), y)
            target = Target.of(table, y, self._task)
            return *_labelled(table, y, target), target
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
        return numbers_as_in_fit(X, listed(vars(self).get("feature_names_in_")))

    def _weighted(self, inputs: Any, targets: Any, sample_weight: Any) -> Examples:
        """The examples that count, with their weights."""
        check_same_length(inputs, targets)
        examples = Examples(inputs, targets, checked_weights(sample_weight, len(targets)))
        left_out = set() if sample_weight is None else {i for i, w in enumerate(listed(examples.weights)) if w == 0.0}
        by_class = self._class_weights(targets)
        if isinstance(by_class, dict) and 0.0 in by_class.values():
            left_out |= {i for i, number in enumerate(listed(targets)) if by_class[number] == 0.0}
        return examples.at([i for i in range(len(targets)) if i not in left_out]) if left_out else examples

    def _check_targets(self, targets: Any) -> None:
        """Raises ValueError if the targets that count do not suffice to learn from."""

    def _parts(
        self, examples: Examples, validation: Any, names: list[str] | None, target: Target | None, rng: random.Random
    ) -> tuple[Examples, Examples | None]:
        """What is learned from, and what is held out.

        Arguments:
            names: those of the columns of X, which rows of numbers that the user holds out may have in another order.
        """
        if validation is not None:
            words = examples.inputs.gap_words if isinstance(examples.inputs, Table) else []
            X, y, weights = self._given_for_validation(validation, target, words)
            inputs = as_nn_table(X) if isinstance(examples.inputs, Table) else numbers_as_in_fit(X, names)
            held_out = self._weighted(inputs, self._numbers(y), weights)
            if isinstance(inputs, Table) or len(inputs[0]) == len(examples.inputs[0]):
                return examples, held_out
            raise ValueError(
                f"validation has {len(inputs[0])} columns, and X has {len(examples.inputs[0])}: give it those of X"
            )
        part = share(self.validation)
        places = parted(self._classes_of(examples.targets) if part else None, len(examples), part, rng)
        return examples.at(places[0]), examples.at(places[1]) if places[1] else None

    def _given_for_validation(
        self, validation: Any, target: Target | None, gap_words: Sequence[str]
    ) -> tuple[Any, Any, Any]:
        """The examples that the user holds out: X, y and their weights."""
        if target is not None and is_tabular(validation):
            return *_labelled(validation, target.name, target, gap_words), None
        if not isinstance(validation, list | tuple) or len(validation) not in (2, 3):
            raise ValueError(
                "validation takes a pair (X, y) of examples and targets, or a table if X is one with y in it"
            )
        X, y, weights = (*validation, None)[:3]
        y = target_in(X, y)
        return *(_labelled(X, y, target, gap_words) if isinstance(y, str) else (X, y)), weights

    def _learn_columns(self, X: Any, learned: Any, target: Target | None) -> None:
        """What there is to know of the columns of X, and of those of the part that is trained on how to encode them."""
        names, self.encoder_ = names_in(X), None
        if isinstance(learned, Table):
            name, task = (None, None) if target is None else (target.name, self._task)
            text, gaps, unseen = self.text, self.gaps, self.unseen
            self.encoder_ = TableEncoder.of(learned, name, task=task, text=text, gaps=gaps, unseen=unseen)
            names = [other for other in learned.names if other != name]
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

    def _train(
        self,
        learned: Examples,
        held_out: Examples | None,
        epochs: int,
        film: bool = False,
        callbacks: Iterable[Callback] = (),
    ) -> History:
        """Trains the network as it is now."""
        if self._announce is not None:
            self._announce()
        inputs, targets, weights = self._ready(learned)
        history = fit(
            self._network,
            inputs,
            targets,
            sample_weight=weights,
            class_weight=self._class_weights(learned.targets),
            loss=self._loss(),
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=examples_a_step(self.batch_size, len(learned)),
            validation=None if held_out is None else self._ready(held_out),
            patience=None if held_out is None else self.patience,
            rng=self._rng,
            engine=self.engine,
            progress=self.progress,
            callbacks=[*self._callbacks, *callbacks] if isinstance(callbacks, Iterable) else callbacks,
            film=film,
        )
        if history.film is not None:
            history.film.feature_names = self._feature_names()
            history.film.class_names = [str(label) for label in listed(vars(self).get("classes_", []))] or None
        if not len(history) and history.stopped == "interrupted":
            raise KeyboardInterrupt
        if not all(isfinite(parameter.data) for parameter in self._network.parameters()):
            raise ValueError(f"nothing was learned: {history.stopped}; lr is {self._optimizer.lr}")
        self.model_.eval()
        return history

    def _ready(self, examples: Examples) -> tuple[Any, Any, Any]:
        """Examples as `nn.fit` takes them."""
        return examples.inputs, self._learnable(examples.targets), examples.weights

    def _loss(self) -> Any:
        """The loss, by name or as a function."""
        if self.loss is not None and not callable(self.loss) and self.loss not in self._losses:
            raise ValueError(
                f"the loss of a {type(self).__name__} is {' or '.join(self._losses)}, or a function of outputs and "
                f"targets; got {shown(self.loss)}{did_you_mean(self.loss, self._losses)}"
            )
        return self._losses[0] if self.loss is None else self.loss

    def _feature_names(self) -> list[str] | None:
        """What the inputs of the network are called, if they have names."""
        return listed(vars(self).get("feature_names_in_")) if self.encoder_ is None else self.encoder_.feature_names

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
        self._check_fitted()
        inputs = self._inputs(X)
        self._check_width(inputs)
        return as_array(predict(self.model_, inputs if self.encoder_ is None else self.encoder_.inputs(inputs)))

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)

    def _truth(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X and y of `score`, where y may be the name of a column, and None if that was so in `fit`."""
        self._check_fitted()
        target = self._target()
        if y is None and target is None:
            raise ValueError("score takes the right target of each row, and got no y: pass a target for each row of X")
        y = target.name if target is not None and y is None else target_in(X, y)
        return _labelled(X, y, target, self._gap_words()) if isinstance(y, str) else (X, y)

    def _target(self) -> Target | None:
        """What the column with the targets was in `fit`, if there was one."""
        return None if self.encoder_ is None else self.encoder_.aim

    def _gap_words(self) -> list[str]:
        """The words that stood for gaps in `fit`."""
        return [] if self.encoder_ is None else self.encoder_.gap_words

    def summary(self) -> str:
        """A table of the layers of `model_`: see `Module.summary`.

        >>> from nn import Regressor
        >>> model = Regressor(hidden=(3,), epochs=1).fit([[0.0], [1.0]], [0.0, 1.0])
        >>> print(model.summary().splitlines()[0])
        layer                   kind                    outputs  parameters
        """
        self._check_fitted()
        return self.model_.summary()

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
        self._check_fitted()
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


def _labelled(X: Any, name: str, target: Target | None, gap_words: Sequence[str] = ()) -> tuple[Table, list[Any]]:
    """The rows of a table whose target, a column of it, is known; and the cells of that column.

    Arguments:
        target: what that column was in `fit`; None if this is not known yet.
        gap_words: the words that stood for gaps in `fit`.
    """
    table = known_rows(Table(as_nn_table(X), gap_words=gap_words), name)
    if target is None or target.name != name:
        return table, labels_in(table[name])
    numbers = target.numbers(table)
    return table, [target.classes[number] for number in numbers] if target.classes else numbers


def _texts(names: Any, count: int) -> list[str]:
    """The names of the columns, as a file has them."""
    if not isinstance(names, list) or len(names) != count or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{count} columns cannot have the names {shown(names)}")
    return names
