"""Neural networks of single numbers: layers, losses, dropout, normalisation, optimisers, on top of `autograd`.

>>> import random
>>> from nn import MLP, SGD, mse_loss
>>> model = MLP(2, [4, 1], rng=random.Random(0))
>>> optimizer = SGD(model.parameters(), lr=0.1)
>>> loss = mse_loss(model([1.0, -1.0]), 0.5)     # forward, loss
>>> optimizer.zero_grad()
>>> loss.backward()                              # backward
>>> optimizer.step()                             # update

Data:       Table, TableEncoder, datasets
Estimators: Classifier, Regressor, with scikit-learn's conventions; load_estimator
Models:     MLP, Sequential, Layer, Linear, Neuron, Embedding; Dropout; BatchNorm, LayerNorm, RMSNorm; Standardize;
            ReLU, LeakyReLU, ELU, GELU, SiLU, Softplus, Sigmoid, Tanh, Softmax, LogSoftmax, Identity;
            Module, to derive one's own from; init
Sequences:  GPT, Block, MultiHeadAttention; CharTokenizer; Bigram, to compare with
Training:   fit, predict, evaluate, find_learning_rate, which gives LearningRates; History, Monitor; diagnose,
            which gives a Diagnosis
Losses:     mse_loss, l1_loss, huber_loss; cross_entropy, nll_loss, kl_div; binary_cross_entropy,
            binary_cross_entropy_with_logits, hinge_loss
Metrics:    accuracy; metrics has the others
Optimisers: SGD, Adam, AdamW, RMSprop, Adagrad, each an Optimizer; clip_grad_norm_, clip_grad_value_; StepLR,
            ExponentialLR, CosineAnnealingLR, LinearLR, LinearWarmup, ReduceLROnPlateau, each a Schedule
Curves:     least_squares, which gives a FittedCurve
Files:      save, load, register; read_arrays, to_torch; CheckpointError
Pictures:   plot_confusion, plot_predictions, plot_decision_boundary, plot_attention
Pages:      playground, in which a network learns; film, of a training that fit(..., film=True) recorded; Live, a
            callback of fit that shows a training while it runs
Lessons:    experiments
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from nn import datasets, init, metrics
from nn.activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.attention import MultiHeadAttention
from nn.attention_weights import plot_attention
from nn.bigram import Bigram
from nn.checkpoint import CheckpointError, load, read_arrays, register, save
from nn.curves.least_squares import least_squares
from nn.datasets import Table, TableEncoder
from nn.decision_boundary import plot_decision_boundary
from nn.diagnosis.diagnose import Diagnosis, diagnose
from nn.diagnosis.monitor import Monitor
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.estimators import Classifier, Regressor, load_estimator
from nn.exchange.pytorch import to_torch
from nn.gpt import GPT, Block
from nn.linear import Linear
from nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
)
from nn.metrics import accuracy
from nn.module import Module
from nn.neuron import MLP, Layer, Neuron, Sequential
from nn.normalisation import BatchNorm, LayerNorm, RMSNorm
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm_, clip_grad_value_
from nn.plotting import plot_confusion, plot_predictions
from nn.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LinearWarmup,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from nn.standardize import Standardize
from nn.tokenizer import CharTokenizer
from nn.training.fit import fit
from nn.training.history import History
from nn.training.learning_rates import LearningRates, find_learning_rate
from nn.training.predict import evaluate, predict

if TYPE_CHECKING:
    from nn import experiments as experiments
    from nn.watching.film import film as film
    from nn.watching.live import Live as Live
    from nn.watching.playground import playground as playground
else:  # or a type checker would take any name for one of these
    _LATER = {"film": "nn.watching.film", "Live": "nn.watching.live", "playground": "nn.watching.playground"}

    def __getattr__(name):
        """Loads the experiments, and the pages, when they are asked for: they need what draws."""
        if name == "experiments":
            return _import_module("nn.experiments")
        if name in _LATER:
            return getattr(_import_module(_LATER[name]), name)
        raise AttributeError(f"module 'nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is for users."""
    return sorted([*__all__, "experiments"])


__all__ = [
    "ELU",
    "GELU",
    "GPT",
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Bigram",
    "Block",
    "CharTokenizer",
    "CheckpointError",
    "Classifier",
    "CosineAnnealingLR",
    "Diagnosis",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "History",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LearningRates",
    "Linear",
    "LinearLR",
    "LinearWarmup",
    "Live",
    "LogSoftmax",
    "Module",
    "Monitor",
    "MultiHeadAttention",
    "Neuron",
    "Optimizer",
    "RMSNorm",
    "RMSprop",
    "ReLU",
    "ReduceLROnPlateau",
    "Regressor",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Standardize",
    "StepLR",
    "Table",
    "TableEncoder",
    "Tanh",
    "accuracy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm_",
    "clip_grad_value_",
    "cross_entropy",
    "datasets",
    "diagnose",
    "evaluate",
    "film",
    "find_learning_rate",
    "fit",
    "hinge_loss",
    "huber_loss",
    "init",
    "kl_div",
    "l1_loss",
    "least_squares",
    "load",
    "load_estimator",
    "metrics",
    "mse_loss",
    "nll_loss",
    "playground",
    "plot_attention",
    "plot_confusion",
    "plot_decision_boundary",
    "plot_predictions",
    "predict",
    "read_arrays",
    "register",
    "save",
    "to_torch",
]
