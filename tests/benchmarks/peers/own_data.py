"""How long do `fit`, `predict` and `evaluate` take on somebody's table? Beside scikit-learn, PyTorch and NumPy by hand.

Whole calls, from arrays to arrays, with as many threads as each takes. The table has 20 columns and 3 classes; the
network has 32 hidden units. Training is 5 epochs of Adam in batches of 128; a fifth as many rows again validate each.
"""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.peers.rows import Bar, Row, Seconds, Table, ahead, assert_close
from tests.benchmarks.workloads import digits_epoch

COLUMNS, HIDDEN, CLASSES = 20, 32, 3
EPOCHS, BATCH, RATE = 5, 128, 0.01
ENOUGH = 0.6
"""The accuracy that a training must reach to count; a guess has a third."""


@dataclass(frozen=True)
class Task:
    """So many rows to learn from or to predict."""

    rows: int

    def data(self, rows: int) -> tuple[Any, Any]:
        """Examples, and the classes that a linear teacher gives them."""
        rng = np.random.default_rng(0)
        teacher, X = rng.normal(size=(COLUMNS, CLASSES)), rng.normal(size=(rows, COLUMNS))
        return X, (X @ teacher).argmax(axis=1)

    def model(self) -> Any:
        from nn import MLP

        return MLP(COLUMNS, [HIDDEN, CLASSES], rng=random.Random(0))

    def weights(self) -> list[tuple[Any, Any]]:
        """Those of `model`: for each layer an array (inputs, outputs), and the biases."""
        layers = [layer.neurons for layer in self.model().layers]
        return [
            (np.array([[w.data for w in n.w] for n in neurons]).T.copy(), np.array([n.b.data for n in neurons]))
            for neurons in layers
        ]

    # fit: returns the accuracy on the validation rows

    def split(self) -> tuple[Any, Any, Any, Any]:
        X, y = self.data(self.rows * 6 // 5)
        return X[: self.rows], y[: self.rows], X[self.rows :], y[self.rows :]

    def check_accuracy(self, accuracy: float) -> None:
        if accuracy < ENOUGH:
            raise SystemExit(f"the training reached an accuracy of {accuracy:.3f} only")

    def fit(self) -> Callable[[], float]:
        import nn

        X, y, *validation = self.split()

        def run() -> float:
            model = self.model()
            history = nn.fit(
                model, X, y, loss="cross_entropy", optimizer=nn.Adam(model.parameters(), lr=RATE), epochs=EPOCHS,
                batch_size=BATCH, validation=tuple(validation), rng=random.Random(0), progress=False,
            )  # fmt: skip
            return float(history.validation_accuracy[-1])

        return run

    def sklearn_fit(self) -> Callable[[], float]:
        X, y = self.data(self.rows * 6 // 5)

        def run() -> float:
            classifier = self.classifier(max_iter=EPOCHS, early_stopping=True, n_iter_no_change=EPOCHS + 1)
            return float(classifier.fit(X, y).validation_scores_[-1])

        return run

    def classifier(self, **options: Any) -> Any:
        from sklearn.neural_network import MLPClassifier

        warnings.filterwarnings("ignore", message=".*Maximum iterations")  # which is what was asked for
        settings = {"learning_rate_init": RATE, "batch_size": BATCH, "validation_fraction": 1 / 6, "random_state": 0}
        return MLPClassifier(hidden_layer_sizes=(HIDDEN,), **settings, **options)

    def torch_fit(self) -> Callable[[], float]:
        import torch

        X, y, vX, vy = map(torch.tensor, self.split())
        cross_entropy = torch.nn.functional.cross_entropy

        def run() -> float:
            model = self.torch_model()
            optimizer, accuracy = torch.optim.Adam(model.parameters(), lr=RATE), 0.0
            for _ in range(EPOCHS):
                for batch in torch.randperm(len(X)).split(BATCH):
                    loss = cross_entropy(model(X[batch]), y[batch])
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    optimizer.step()
                with torch.no_grad():
                    logits = model(vX)
                    cross_entropy(logits, vy).item()
                    accuracy = (logits.argmax(dim=1) == vy).double().mean().item()
            return accuracy

        return run

    def torch_model(self) -> Any:
        """A network with the weights of `model`."""
        import torch

        linear = partial(torch.nn.Linear, dtype=torch.float64)
        model = torch.nn.Sequential(linear(COLUMNS, HIDDEN), torch.nn.ReLU(), linear(HIDDEN, CLASSES))
        for layer, (weights, biases) in zip((model[0], model[2]), self.weights(), strict=True):
            layer.weight.data[:], layer.bias.data[:] = torch.tensor(weights.T), torch.tensor(biases)
        return model

    # predict: the outputs; evaluate: loss and accuracy

    def check_classes(self, outputs: Any) -> None:
        """scikit-learn gives shares in place of logits: the largest is the same."""
        assert_close(np.asarray(outputs).argmax(axis=1), self.numpy_predict()().argmax(axis=1))

    def predict(self) -> Callable[[], Any]:
        import nn

        model, (X, _) = self.model(), self.data(self.rows)
        return lambda: nn.predict(model, X)

    def numpy_predict(self) -> Callable[[], Any]:
        (W1, b1), (W2, b2) = self.weights()
        X, _ = self.data(self.rows)

        def run() -> Any:
            hidden = X @ W1
            hidden += b1
            np.maximum(hidden, 0.0, out=hidden)
            return hidden @ W2 + b2

        return run

    def sklearn_model(self) -> Any:
        X, y = self.data(1000)
        classifier = self.classifier().partial_fit(X, y, classes=range(CLASSES))
        classifier.coefs_, classifier.intercepts_ = map(list, zip(*self.weights(), strict=True))
        return classifier

    def sklearn_predict(self) -> Callable[[], Any]:
        classifier, (X, _) = self.sklearn_model(), self.data(self.rows)
        return lambda: classifier.predict_proba(X)

    def torch_predict(self) -> Callable[[], Any]:
        import torch

        model, X = self.torch_model(), torch.tensor(self.data(self.rows)[0])

        def run() -> Any:
            with torch.inference_mode():
                return model(X).numpy()

        return run

    def check_figures(self, figures: tuple[float, float]) -> None:
        assert_close(figures, self.numpy_evaluate()())

    def evaluate(self) -> Callable[[], Any]:
        import nn

        model, (X, y) = self.model(), self.data(self.rows)

        def run() -> tuple[float, float]:
            figures = nn.evaluate(model, X, y, loss="cross_entropy")
            return figures["loss"], figures["accuracy"]

        return run

    def numpy_evaluate(self) -> Callable[[], Any]:
        predict, (_, y) = self.numpy_predict(), self.data(self.rows)

        def run() -> tuple[float, float]:
            logits = predict()
            largest = logits.max(axis=1)
            losses = np.log(np.exp(logits - largest[:, None]).sum(axis=1)) + largest - logits[np.arange(len(y)), y]
            return float(losses.mean()), float((logits.argmax(axis=1) == y).mean())

        return run

    def sklearn_evaluate(self) -> Callable[[], Any]:
        from sklearn.metrics import accuracy_score, log_loss

        classifier, (X, y) = self.sklearn_model(), self.data(self.rows)

        def run() -> tuple[float, float]:
            shares = classifier.predict_proba(X)
            return float(log_loss(y, shares)), float(accuracy_score(y, shares.argmax(axis=1)))

        return run

    def torch_evaluate(self) -> Callable[[], Any]:
        import torch

        predict, y = self.torch_predict(), torch.tensor(self.data(self.rows)[1])

        def run() -> tuple[float, float]:
            with torch.inference_mode():
                logits = torch.from_numpy(predict())
                loss = torch.nn.functional.cross_entropy(logits, y)
                return loss.item(), (logits.argmax(dim=1) == y).double().mean().item()

        return run


LARGEST = 100_000


def fit_row(rows: int) -> Row:
    task = Task(rows)
    engines = {"autograd": task.fit, "scikit-learn": task.sklearn_fit, "PyTorch": task.torch_fit}
    bars = [ahead("scikit-learn"), ahead("PyTorch")] if rows == LARGEST else []
    return Row(f"fit, {rows:,} rows", engines, bars, task.check_accuracy)


def predict_row(rows: int) -> Row:
    task = Task(rows)
    engines = {
        "autograd": task.predict,
        "NumPy": task.numpy_predict,
        "scikit-learn": task.sklearn_predict,
        "PyTorch": task.torch_predict,
    }
    slower = Bar(
        "autograd / NumPy", "<=", 3.0, "x", lambda times: times["autograd"]["seconds"] / times["NumPy"]["seconds"]
    )
    return Row(f"predict, {rows:,} rows", engines, [slower] if rows == LARGEST else [], task.check_classes)


def evaluate_row(rows: int) -> Row:
    task = Task(rows)
    engines = {
        "autograd": task.evaluate,
        "NumPy": task.numpy_evaluate,
        "scikit-learn": task.sklearn_evaluate,
        "PyTorch": task.torch_evaluate,
    }
    return Row(f"evaluate, {rows:,} rows", engines, [], task.check_figures)


def epoch(engine: str) -> Callable[[], Seconds]:
    """An epoch of the default run of `python -m nn`."""
    return lambda: Seconds(digits_epoch(engine, 2)["median"] / 1e3)


DEFAULT_EPOCH = Row(
    "epoch of 1,257 digits",
    {"autograd": partial(epoch, "compiled"), "eager": partial(epoch, "eager")},
    [ahead("eager", 50)],
)

TABLE = Table(
    "Training on 20 columns (5 epochs, with validation), predicting and evaluating; whole calls",
    [*(make(10**power) for make in (fit_row, predict_row, evaluate_row) for power in (3, 4, 5)), DEFAULT_EPOCH],
)
