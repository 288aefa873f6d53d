"""What goes wrong when a network learns, and what helps? Each problem and each remedy, shown by measurement."""

from nn.experiments.experiment import Claim, Experiment

__all__ = ["Claim", "Experiment"]
