"""How are quantities learned? `Regressor` brings them to one scale, learns them, and gives them in their own units."""

from typing import Any, TypeVar

from nn.datasets.tables import as_array, check_same_length
from nn.estimators.estimator import Estimator
from nn.estimators.inputs import Examples, checked_weights
from nn.estimators.scikit_learn import tags
from nn.estimators.targets import quantities
from nn.metrics import r2_score
from nn.neuron import Sequential
from nn.standardize import Standardize

Self = TypeVar("Self", bound="Regressor")


class Regressor(Estimator):
    """A network that learns quantities, one or several at once, with scikit-learn's conventions.

    Inputs and targets are brought to mean 0 and deviation 1 for the training, and the predictions back; so the figures
    of `history_` are those of targets with deviation 1. The rest is as for `Classifier`.

    Arguments:
        loss: "mse_loss" (None), "l1_loss" or "huber_loss", or a function of predictions and targets.
        standardize: False takes inputs and targets as they are.
        hidden, ...: as for `Classifier`; a Regressor has no `class_weight`.

    Attributes:
        model_, ...: as for `Classifier`; a Regressor has no `classes_`.

    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> model = Regressor(hidden=(), validation=None, epochs=300, random_state=0).fit(X, [0.0, 2.0, 4.0, 6.0])
    >>> [round(float(y), 3) for y in model.predict([[1.5]])]
    [3.0]
    """

    _task = "regression"
    _losses = ("mse_loss", "l1_loss", "huber_loss")
    _scale: Standardize | None

    def partial_fit(self: Self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learns from these examples, once through, going on from where the estimator is.

        A new estimator begins with them: the scales of its inputs and targets are learned from the first call alone.
        Nothing is held out.

        Arguments:
            X, y: as for `fit`.
            sample_weight: as for `fit`; the weights are taken as they are, so that their sizes in several calls matter.

        Returns:
            the estimator.
        """
        self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> Any:
        """The quantity, or the row of quantities, for each row of X."""
        return self._outputs(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """R2: 1 where all predictions are right, 0 where they are no better than the mean; see `nn.metrics.r2_score`.

        Arguments:
            X, y: as for `fit`. Without y X is a table that has the column that was named in `fit`.
            sample_weight: how much each row counts.
        """
        X, y = self._truth(X, y)
        found, wanted = self.predict(X), self._numbers(y)
        check_same_length(found, wanted)
        return r2_score(found, wanted, checked_weights(sample_weight, len(found)))

    # What the base class asks

    def _begin(self, y: Any, classes: Any = None) -> Any:
        targets = quantities(y)
        self.n_outputs_ = _width(targets)
        return targets

    def _numbers(self, y: Any) -> Any:
        targets = quantities(y)
        if _width(targets) != self.n_outputs_:
            raise ValueError(
                f"y has {_width(targets)} targets for each row, and fit was given {self.n_outputs_}: pass as many"
            )
        return targets

    def _prepare(self, training: Examples) -> int:
        rows = _as_rows(training.targets)
        self._scale = Standardize.of(rows, training.weights) if self.standardize else None
        return self.n_outputs_

    def _learnable(self, targets: Any) -> Any:
        if self._scale is None:
            return targets
        if hasattr(targets, "dtype"):
            return (targets - as_array(self._scale.means)) / as_array(self._scale.deviations)
        scaled = [self._scale.forward(row) for row in _as_rows(targets)]
        return scaled if isinstance(targets[0], list) else [row[0] for row in scaled]

    def _completed(self, network: Sequential) -> Sequential:
        return network if self._scale is None else Sequential(*network.layers, self._scale.inverse())

    def _network_in(self, model: Any) -> Sequential:
        self._scale, network = None, super()._network_in(model)
        if not isinstance(network.layers[-1], Standardize):
            return network
        self._scale = network.layers[-1].inverse()
        return Sequential(*network.layers[:-1])

    def __sklearn_tags__(self) -> Any:
        return tags("regressor", multi_output=True)


def _as_rows(targets: Any) -> Any:
    """The targets as rows, one number each where there is one target."""
    if hasattr(targets, "dtype"):
        return targets.reshape(len(targets), -1)
    return [target if isinstance(target, list) else [target] for target in targets]


def _width(targets: Any) -> int:
    """How many targets each row has."""
    return len(targets[0]) if len(targets) and hasattr(targets[0], "__len__") else 1
