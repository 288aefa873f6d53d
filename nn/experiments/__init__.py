"""What goes wrong when a network learns, and what helps? Each problem and each remedy, shown by measurement.

>>> from nn import experiments
>>> list(experiments.EXPERIMENTS)
['vanishing', 'exploding', 'dead-units', 'dropout', 'symmetry', 'autoencoder', 'few-labels']
"""

from collections.abc import Callable

from nn.experiments.autoencoder import autoencoder
from nn.experiments.dead_units import dead_units
from nn.experiments.dropout import dropout
from nn.experiments.experiment import Claim, Experiment
from nn.experiments.exploding import exploding_gradients
from nn.experiments.few_labels import few_labels
from nn.experiments.symmetry import mirror_symmetry
from nn.experiments.vanishing import vanishing_gradients

EXPERIMENTS: dict[str, Callable[..., Experiment]] = {
    "vanishing": vanishing_gradients,
    "exploding": exploding_gradients,
    "dead-units": dead_units,
    "dropout": dropout,
    "symmetry": mirror_symmetry,
    "autoencoder": autoencoder,
    "few-labels": few_labels,
}
"""The experiments by the names that `python -m nn experiments` knows."""

__all__ = [
    "EXPERIMENTS",
    "Claim",
    "Experiment",
    "autoencoder",
    "dead_units",
    "dropout",
    "exploding_gradients",
    "few_labels",
    "mirror_symmetry",
    "vanishing_gradients",
]
