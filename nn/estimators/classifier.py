"""How are classes learned? `Classifier` numbers the labels, and trains a network with an output for each class."""

from collections.abc import Callable, Mapping, Sequence
from math import exp
from typing import Any, TypeVar

from autograd.reals import shown
from nn.activations import Activation
from nn.datasets.tables import listed
from nn.estimators.estimator import Estimator, as_array
from nn.estimators.inputs import one_column
from nn.estimators.scikit_learn import tags
from nn.estimators.targets import numbered
from nn.metrics import largest
from nn.optim import Optimizer

Self = TypeVar("Self", bound="Classifier")


class Classifier(Estimator):
    """A network that tells classes apart, with scikit-learn's conventions.

    >>> X = [[0.0], [0.1], [0.2], [0.8], [0.9], [1.0]]
    >>> y = ["low", "low", "low", "high", "high", "high"]
    >>> model = Classifier(hidden=(), validation=None, random_state=0).fit(X, y)
    >>> list(map(str, model.predict([[0.05], [0.95]])))
    ['low', 'high']
    """

    classes_: Any
    _usual_loss = "cross_entropy"

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
        class_weight: str | Mapping[Any, float] | None = None,
        loss: Any = None,
        standardize: bool = True,
        text: Any = "one-hot",
        gaps: Any = None,
        unseen: str = "other",
        engine: str = "auto",
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
        """Learns from some more examples, once through; the first call begins anew unless `fit` was called before.

        Arguments:
            classes: all classes there are, needed in the first call if y does not have them all.
        """
        self._partial_fit(X, y, sample_weight, classes)
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
        rows = [[exp(x - max(row)) for x in row] for row in outputs]
        return [[x / sum(row) for x in row] for row in rows]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy: the share of the rows of X whose label is predicted right."""
        right = [float(a == b) for a, b in zip(listed(self.predict(X)), listed(y), strict=True)]
        weights = [1.0] * len(right) if sample_weight is None else listed(sample_weight)
        return sum(a * w for a, w in zip(right, weights, strict=True)) / sum(weights)

    # What the base class asks

    def _begin(self, y: Any, classes: Any = None) -> Any:
        if classes is not None:
            classes, _ = numbered(classes)
        classes, numbers = numbered(one_column(y), classes)
        if len(classes) < 2:
            raise ValueError(
                f"y has one class only, {shown(listed(classes)[0])}: a Classifier takes examples of two classes or more"
            )
        self.classes_ = classes
        return numbers

    def _targets(self, y: Any) -> Any:
        return numbered(one_column(y), self.classes_)[1]

    def _outputs_needed(self) -> int:
        return len(self.classes_)

    def _class_numbers(self, targets: Any) -> Sequence[int] | None:
        return listed(targets)

    def _kept(self) -> dict[str, Any]:
        kind = str(self.classes_.dtype) if hasattr(self.classes_, "dtype") else None
        return {**super()._kept(), "classes": listed(self.classes_), "kind": kind}

    def _adopt(self, kept: dict[str, Any]) -> None:
        super()._adopt(kept)
        self.classes_ = as_array(kept["classes"], kept["kind"])
        if len(self.classes_) != self.n_outputs_:
            raise ValueError(f"it names {len(self.classes_)} classes for {self.n_outputs_} outputs")

    def __sklearn_tags__(self) -> Any:
        return tags("classifier", multi_output=False)
