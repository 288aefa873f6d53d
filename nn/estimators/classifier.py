"""How are classes learned? `Classifier` numbers the labels, and trains a network with an output for each class."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, TypeVar

from autograd.reals import real_or_none, shown
from nn.activations import Activation
from nn.datasets.tables import check_same_length, listed
from nn.estimators.estimator import Estimator
from nn.estimators.inputs import Examples, checked_weights
from nn.estimators.parameters import settings_by_name
from nn.estimators.scikit_learn import tags
from nn.estimators.targets import labels_of, numbered
from nn.metrics import accuracy, largest, probabilities
from nn.module import Module
from nn.optim import Optimizer, OptimizerName
from nn.training.engine import EngineName

Self = TypeVar("Self", bound="Classifier")


class Classifier(Estimator):
    """A network that tells classes apart, with scikit-learn's conventions, which it does not need.

    Inputs are brought to mean 0 and deviation 1; a table with texts, dates and gaps becomes numbers first. Some of the
    examples are held out, and the weights of the epoch in which they went best are kept. The network is a `nn.MLP` with
    an output for each class. Where NumPy is installed, `predict` and the like give arrays, otherwise lists.

    Arguments:
        hidden: the widths of the hidden layers, such as (16, 16), or the width of one; () for none.
        activation: of the hidden layers, by name ("relu", "tanh", ...) or as a function.
        dropout: the probability with which a hidden activation is dropped in training.
        optimizer: "adam", "adamw", "sgd", "rmsprop" or "adagrad", or a function that makes one of the parameters.
        lr: the learning rate; None takes 0.003 for "adam" and "adamw", and the usual one of other optimisers.
        epochs: how often to go through the examples, at most.
        batch_size: how many examples make one step; None takes 32, or 16 where fewer than 500 are learned from.
        validation: the share of the examples, from each class, that `fit` holds out; 0 or None for none.
        patience: stop when it went no better for so many epochs; None never stops early.
        class_weight: how much the examples of a class count in the loss, a dict by label (1 if it is not there);
            "balanced" makes all classes count alike.
        loss: "cross_entropy" (None), or a function of outputs and class numbers that returns one Value.
        standardize: False takes the inputs as they are.
        text, gaps, unseen: what is done with the texts and gaps of a table: see `TableEncoder.of`.
        engine: "auto", "compiled" or "eager": see `nn.fit`.
        progress: show a progress bar.
        random_state: where random numbers come from: None (Python's `random`), a whole number, a `random.Random`, or
            NumPy's RandomState or Generator. A whole number gives the same bits each time.

    Attributes:
        classes_: the labels, in order.
        model_: the network, as a Module.
        history_: the `History` of `fit`, or of all calls of `partial_fit`.
        n_iter_: how many epochs there were.
        n_features_in_: how many columns X had.
        feature_names_in_: their names, if they have any.
        n_outputs_: how many outputs the network has.
        encoder_: the `TableEncoder` that makes the columns of a table numbers; None where X was numbers.

    >>> X = [[0.0], [0.1], [0.2], [0.8], [0.9], [1.0]]
    >>> y = ["low", "low", "low", "high", "high", "high"]
    >>> model = Classifier(hidden=(), validation=None, random_state=0).fit(X, y)
    >>> list(map(str, model.predict([[0.05], [0.95]])))
    ['low', 'high']
    >>> model
    Classifier(hidden=(), random_state=0, validation=None)
    """

    classes_: Any
    _task = "classification"
    _losses = ("cross_entropy",)

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
        class_weight: str | Mapping[Any, float] | None = None,
        loss: Any = None,
        standardize: bool = True,
        text: Any = "one-hot",
        gaps: Any = None,
        unseen: Any = "other",
        engine: EngineName = "auto",
        progress: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation=activation,
            dropout=dropout,
            optimizer=optimizer,
            lr=lr,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            patience=patience,
            loss=loss,
            standardize=standardize,
            text=text,
            gaps=gaps,
            unseen=unseen,
            engine=engine,
            progress=progress,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def partial_fit(self: Self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learns from these examples, once through, going on from where the estimator is.

        A new estimator begins with them: the scale of its inputs, and the code of a table's columns, are learned from
        the first call alone. Nothing is held out.

        Arguments:
            X, y: as for `fit`.
            sample_weight: as for `fit`; the weights are taken as they are, so that their sizes in several calls matter.
            classes: all labels there will be; needed in the first call, unless y has them all.

        Returns:
            the estimator.

        Raises:
            ValueError, TypeError: an argument does not fit, or the weights are no longer finite; the estimator is as it
                was before.
        """
        if self.class_weight == "balanced":
            raise ValueError('class_weight="balanced" needs all examples at once: give partial_fit a dict of weights')
        named = None if classes is None else numbered(classes)[0]
        if named is not None and self.__sklearn_is_fitted__() and listed(named) != listed(self.classes_):
            before, now = shown(listed(self.classes_)), shown(listed(named))
            raise ValueError(f"the classes were {before} in the first call, and now are {now}: make a new Classifier")
        self._partial_fit(X, y, sample_weight, named)
        return self

    def predict(self, X: Any) -> Any:
        """The label of the likeliest class for each row of X."""
        outputs = self._outputs(X)
        if hasattr(outputs, "dtype"):
            return self.classes_[outputs.argmax(axis=1)]
        return [self.classes_[largest(row)] for row in outputs]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, in the order of `classes_`, for each row of X."""
        outputs = self._outputs(X)
        if hasattr(outputs, "dtype"):
            import numpy as np

            powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        return list(map(probabilities, outputs))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The accuracy: the share of the rows of X for which the right label is predicted.

        Arguments:
            X, y: as for `fit`. Without y X is a table that has the column that was named in `fit`.
            sample_weight: how much each row counts.
        """
        X, y = self._truth(X, y)
        found, labels = self.predict(X), labels_of(y)
        check_same_length(found, labels)
        share = accuracy(found, labels, sample_weight=checked_weights(sample_weight, len(found)))
        assert share is not None  # labels are classes
        return share

    # What the base class asks

    def _begin(self, y: Any, classes: Any = None) -> Any:
        self.classes_, numbers = numbered(y, classes)
        if len(self.classes_) < 2:
            raise _one_class(listed(self.classes_))
        return numbers

    def _numbers(self, y: Any) -> Any:
        return numbered(y, self.classes_)[1]

    def _prepare(self, training: Examples) -> int:
        return len(self.classes_)

    def _class_weights(self, targets: Any) -> Any:
        if self.class_weight is None or (isinstance(self.class_weight, str) and self.class_weight == "balanced"):
            return self.class_weight
        if not isinstance(self.class_weight, Mapping):
            raise ValueError(
                f'class_weight takes "balanced" or a dict of weights by label; got {shown(self.class_weight)}'
            )
        labels = listed(self.classes_)
        for label, weight in self.class_weight.items():
            if label not in labels:
                raise ValueError(f"class_weight names {shown(label)}, which is none of the classes {shown(labels)}")
            number = real_or_none(weight)
            if number is None or not 0.0 <= number < inf:
                raise ValueError(
                    f"class_weight takes finite numbers of at least 0; got {shown(weight)} for the class {shown(label)}"
                )
        return {number: float(self.class_weight.get(labels[number], 1.0)) for number in sorted(set(listed(targets)))}

    def _classes_of(self, targets: Any) -> Sequence[int] | None:
        return listed(targets)

    def _check_targets(self, targets: Any) -> None:
        found = set(listed(targets))
        if len(found) < 2:
            raise _one_class([listed(self.classes_)[number] for number in found])

    def _kept(self) -> dict[str, Any]:
        kind = getattr(getattr(self.classes_, "dtype", None), "name", "")
        return {**super()._kept(), "classes": listed(self.classes_), "kind": kind if kind in _KINDS else ""}

    def _take_over(self, kept: dict[str, Any], model: Module) -> None:
        super()._take_over(kept, model)
        labels = labels_of(kept["classes"])
        if sorted(set(listed(labels))) != kept["classes"] or len(labels) != self.n_outputs_:
            raise ValueError(f"{self.n_outputs_} outputs cannot have the classes {shown(kept['classes'])}")
        self.classes_ = labels.astype(kept["kind"]) if kept["kind"] in _KINDS and hasattr(labels, "dtype") else labels

    def __sklearn_tags__(self) -> Any:
        return tags("classifier", multi_output=False)


_WIDTHS = {"int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "float": (16, 32, 64)}
_KINDS = {"bool", "object", *(f"{kind}{width}" for kind, widths in _WIDTHS.items() for width in widths)}
"""The names of NumPy's types that labels come back with from a file; text is as wide as it needs to be."""


def _one_class(labels: list[Any]) -> ValueError:
    label = f"{labels[0]!r}" if labels else "no label"
    return ValueError(f"y has one class only, {label}: a Classifier takes examples of two classes or more")
