"""How are quantities learned? `Regressor` brings them to one scale, learns them, and gives them in their own units."""

from typing import Any, TypeVar

from nn.datasets.tables import listed
from nn.estimators.estimator import Estimator, as_array
from nn.estimators.scikit_learn import tags
from nn.estimators.targets import quantities
from nn.neuron import Sequential
from nn.standardize import Standardize

Self = TypeVar("Self", bound="Regressor")


class Regressor(Estimator):
    """A network that learns quantities, one or several at once, with scikit-learn's conventions.

    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> model = Regressor(hidden=(), validation=None, epochs=300, random_state=0).fit(X, [0.0, 2.0, 4.0, 6.0])
    >>> [round(float(y), 3) for y in model.predict([[1.5]])]
    [3.0]
    """

    _usual_loss = "mse_loss"
    _scale: Standardize | None

    def partial_fit(self: Self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learns from some more examples, once through; the first call begins anew unless `fit` was called before."""
        self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> Any:
        """The quantity, or the row of quantities, for each row of X."""
        return self._outputs(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2: 1 if the predictions are right, 0 if they are no better than the mean; the mean over several targets."""
        found, wanted = listed(self.predict(X)), listed(quantities(y))
        weights = [1.0] * len(found) if sample_weight is None else listed(sample_weight)
        as_rows = (
            [x if isinstance(x, list) else [x] for x in found],
            [x if isinstance(x, list) else [x] for x in wanted],
        )
        scores = [_r2(a, b, weights) for a, b in zip(*(list(zip(*rows, strict=True)) for rows in as_rows), strict=True)]
        return sum(scores) / len(scores)

    # What the base class asks

    def _begin(self, y: Any, classes: Any = None) -> Any:
        return quantities(y)

    def _targets(self, y: Any) -> Any:
        return quantities(y)

    def _finish(self, targets: Any, weights: Any) -> None:
        self._width = len(targets[0]) if hasattr(targets[0], "__len__") else 1
        rows = _rows(targets)
        self._scale = Standardize.of(rows, weights) if self.standardize else None

    def _scaled(self, targets: Any) -> Any:
        if self._scale is None:
            return targets
        if hasattr(targets, "dtype"):
            return (targets - as_array(self._scale.means)) / as_array(self._scale.deviations)
        rows = [self._scale.forward(row) for row in _rows(targets)]
        return rows if self._width > 1 else [row[0] for row in rows]

    def _outputs_needed(self) -> int:
        return self._width

    def _complete(self, network: Sequential) -> Sequential:
        return network if self._scale is None else Sequential(*network.layers, self._scale.inverse())

    def _adopt(self, kept: dict[str, Any]) -> None:
        super()._adopt(kept)
        self._width = self.n_outputs_
        self._scale = None
        layers = self.model_.layers if isinstance(self.model_, Sequential) else []
        if self.standardize and isinstance(layers[-1], Standardize):
            self._scale = layers[-1].inverse()
            self._network = Sequential(*layers[:-1])
            self._optimizer = self._new_optimizer()

    def __sklearn_tags__(self) -> Any:
        return tags("regressor", multi_output=True)


def _rows(targets: Any) -> Any:
    if hasattr(targets, "dtype"):
        return targets.reshape(len(targets), -1)
    return [x if isinstance(x, list) else [x] for x in targets]


def _r2(found: Any, wanted: Any, weights: Any) -> float:
    """R2 of one target."""
    total = sum(weights)
    mean = sum(w * y for w, y in zip(weights, wanted, strict=True)) / total
    left = sum(w * (y - x) ** 2 for w, x, y in zip(weights, found, wanted, strict=True))
    spread = sum(w * (y - mean) ** 2 for w, y in zip(weights, wanted, strict=True))
    if spread == 0.0:
        return 1.0 if left == 0.0 else 0.0
    return float(1.0 - left / spread)
