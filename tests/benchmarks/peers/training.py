"""How does each engine train? As its users would write it, with everything that can be prepared outside the clock.

`task.py` says what they compute. A trainer takes a `Point`; its `order` turns the examples' order into what the engine
likes best, and its `epoch` goes through them and returns the mean loss. This project's own `nn.fit` is at the end.
"""

import gc
import statistics
from collections.abc import Callable
from functools import partial
from math import exp, log
from time import perf_counter
from typing import Any

from tests.benchmarks.peers.task import Point

Figures = dict[str, Any]


class NumpyTraining:
    """Forward and backward pass by hand: matrix products by BLAS, the rest in place.

    Everything large has its array from the start: fresh ones cost more than half of the time at the largest batch.
    """

    def __init__(self, point: Point) -> None:
        import numpy as np

        self.np, self.point = np, point
        X, y = point.data()
        self.X, self.y = np.array(X), np.array(y)
        (w1, b1), (w2, b2) = point.weights()
        self.W1, self.b1, self.W2, self.b2 = np.array(w1).T.copy(), np.array(b1), np.array(w2).T.copy(), np.array(b2)
        self.rows, self.x = np.arange(point.batch), np.empty((point.batch, 64))
        self.hidden, self.by_hidden = np.empty((2, point.batch, point.hidden))
        self.active, self.logits = np.empty(self.hidden.shape, bool), np.empty((point.batch, 10))
        self.by_W1, self.by_W2 = np.empty_like(self.W1), np.empty_like(self.W2)

    def order(self, indices: list[int]) -> Any:
        return self.np.array(indices).reshape(self.point.steps, self.point.batch)

    def epoch(self, order: Any) -> float:
        return sum(map(self.step, order)) / self.point.steps

    def step(self, batch: Any) -> float:
        x = self.X.take(batch, axis=0, out=self.x, mode="clip")  # "clip" writes into x without a copy between
        shares, loss = self.forward(x, self.y.take(batch))
        self.update(x, shares)
        return loss

    def forward(self, x: Any, y: Any) -> tuple[Any, float]:
        """The step of the logits (their derivative times the learning rate), and the loss."""
        np = self.np
        hidden, logits = np.matmul(x, self.W1, out=self.hidden), self.logits
        hidden += self.b1
        np.maximum(hidden, 0.0, out=hidden)
        np.matmul(hidden, self.W2, out=logits)
        logits += self.b2
        logits -= logits.max(axis=1, keepdims=True)
        wanted = logits[self.rows, y].sum()
        shares = np.exp(logits, out=logits)
        sums = shares.sum(axis=1, keepdims=True)
        loss = (np.log(sums).sum() - wanted) / len(y)
        shares /= sums
        shares[self.rows, y] -= 1.0
        shares *= self.point.rate / len(y)  # scaled once, here, where it is smallest
        return shares, float(loss)

    def update(self, x: Any, shares: Any) -> None:
        np = self.np
        by_hidden = np.matmul(shares, self.W2.T, out=self.by_hidden)
        by_hidden *= np.greater(self.hidden, 0.0, out=self.active)
        self.W2 -= np.matmul(self.hidden.T, shares, out=self.by_W2)
        self.b2 -= shares.sum(axis=0)
        self.W1 -= np.matmul(x.T, by_hidden, out=self.by_W1)
        self.b1 -= by_hidden.sum(axis=0)


class TorchTraining:
    """The loop of PyTorch's tutorials."""

    def __init__(self, point: Point, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.torch, self.point = torch, point
        X, y = point.data()
        self.X, self.y = torch.tensor(X, dtype=torch.float64), torch.tensor(y)
        linear = partial(torch.nn.Linear, dtype=torch.float64)
        self.model = torch.nn.Sequential(linear(64, point.hidden), torch.nn.ReLU(), linear(point.hidden, 10))
        with torch.no_grad():
            for layer, (weights, biases) in zip(self.model[::2], point.weights(), strict=True):
                layer.weight.copy_(torch.tensor(weights, dtype=torch.float64))
                layer.bias.copy_(torch.tensor(biases, dtype=torch.float64))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=point.rate)

    def order(self, indices: list[int]) -> Any:
        return self.torch.tensor(indices).split(self.point.batch)

    def epoch(self, order: Any) -> float:
        cross_entropy, total = self.torch.nn.functional.cross_entropy, 0.0
        for batch in order:
            loss = cross_entropy(self.model(self.X[batch]), self.y[batch])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / self.point.steps


class JaxTraining:
    """What both ways with JAX share: data and parameters on the device, and one step, which gathers its batch."""

    def __init__(self, point: Point) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.point = jax, point
        X, y = point.data()
        self.X, self.y = jax.numpy.array(X), jax.numpy.array(y)
        self.parameters = [(jax.numpy.array(weights).T, jax.numpy.array(biases)) for weights, biases in point.weights()]

    def loss(self, parameters: Any, x: Any, y: Any) -> Any:
        jax, ((W1, b1), (W2, b2)) = self.jax, parameters
        logits = jax.nn.relu(x @ W1 + b1) @ W2 + b2
        shares = jax.nn.log_softmax(logits)
        return -jax.numpy.take_along_axis(shares, y[:, None], axis=1).mean()

    def step(self, parameters: Any, X: Any, y: Any, batch: Any) -> tuple[Any, Any]:
        loss, gradient = self.jax.value_and_grad(self.loss)(parameters, X[batch], y[batch])
        return self.jax.tree.map(lambda p, g: p - self.point.rate * g, parameters, gradient), loss


class JaxSteps(JaxTraining):
    """One jitted call a step; parameters and the sum of the losses are donated."""

    def __init__(self, point: Point) -> None:
        super().__init__(point)

        def summing(parameters: Any, total: Any, X: Any, y: Any, batch: Any) -> tuple[Any, Any]:
            parameters, loss = self.step(parameters, X, y, batch)
            return parameters, total + loss

        self.compiled = self.jax.jit(summing, donate_argnums=(0, 1))

    def order(self, indices: list[int]) -> Any:
        batch = self.point.batch
        return [self.jax.numpy.array(indices[i : i + batch]) for i in range(0, len(indices), batch)]

    def epoch(self, order: Any) -> float:
        parameters, total, step = self.parameters, self.jax.numpy.zeros(()), self.compiled
        for batch in order:
            parameters, total = step(parameters, total, self.X, self.y, batch)
        self.parameters = self.jax.block_until_ready(parameters)
        return float(total) / self.point.steps


class JaxScan(JaxTraining):
    """The whole epoch in one `lax.scan`: no step leaves native code."""

    def __init__(self, point: Point) -> None:
        super().__init__(point)

        def scan(parameters: Any, X: Any, y: Any, order: Any) -> tuple[Any, Any]:
            parameters, losses = self.jax.lax.scan(lambda p, batch: self.step(p, X, y, batch), parameters, order)
            return parameters, losses.mean()

        self.compiled = self.jax.jit(scan, donate_argnums=0)

    def order(self, indices: list[int]) -> Any:
        return self.jax.numpy.array(indices).reshape(self.point.steps, self.point.batch)

    def epoch(self, order: Any) -> float:
        self.parameters, loss = self.jax.block_until_ready(self.compiled(self.parameters, self.X, self.y, order))
        return float(loss)


class MicrogradTraining:
    """One example at a time. micrograd has no exp and no log: the softmax is by hand, and its gradient goes in."""

    def __init__(self, point: Point) -> None:
        from micrograd.nn import MLP

        self.X, self.y = point.data()
        self.point, self.model = point, MLP(64, [point.hidden, 10])
        self.parameters = self.model.parameters()
        numbers = [x for layer in point.weights() for w, b in zip(*layer, strict=True) for x in (*w, b)]
        for parameter, number in zip(self.parameters, numbers, strict=True):
            parameter.data = number

    def order(self, indices: list[int]) -> list[int]:
        return indices

    def epoch(self, order: list[int]) -> float:
        return sum(map(self.step, order)) / self.point.steps

    def step(self, example: int) -> float:
        logits, wanted = self.model(self.X[example]), self.y[example]
        largest = max(z.data for z in logits)
        shares = [exp(z.data - largest) for z in logits]
        total = sum(shares)
        by_logits = [share / total - (k == wanted) for k, share in enumerate(shares)]
        self.model.zero_grad()
        sum(z * by_logit for z, by_logit in zip(logits, by_logits, strict=True)).backward()
        for parameter in self.parameters:
            parameter.data -= self.point.rate * parameter.grad
        return log(total) - (logits[wanted].data - largest)


class CompiledTraining:
    """This project's epochs in native code, on the same terms as the others."""

    def __init__(self, point: Point) -> None:
        from nn import SGD, cross_entropy
        from nn.training.compiled import CompiledTraining
        from nn.training.examples import Examples
        from nn.training.figures import Figures

        model, self.point = point.model(), point
        optimizer = SGD(model.parameters(), lr=point.rate)
        examples, figures = Examples(*point.data()), Figures(cross_entropy)
        self.training = CompiledTraining(model, examples, figures, optimizer, point.batch, watched=False)

    def order(self, indices: list[int]) -> Any:
        import numpy as np

        return np.array(indices)

    def epoch(self, order: Any) -> float:
        return sum(error for chunk in self.training.epoch(order) for error in chunk.errors) / self.point.steps


TRAINERS: dict[str, Callable[[Point], Any]] = {
    "NumPy, 1 thread": NumpyTraining,
    "NumPy, as it comes": NumpyTraining,
    "PyTorch, 1 thread": partial(TorchTraining, threads=1),
    "PyTorch, 2 threads": partial(TorchTraining, threads=2),
    "JAX step, as it comes": JaxSteps,
    "JAX scan, as it comes": JaxScan,
    "micrograd": MicrogradTraining,
    "autograd": CompiledTraining,
}
ENVIRONMENTS = {"NumPy, 1 thread": {"OPENBLAS_NUM_THREADS": "1"}}
"""What must be set before an engine is imported."""


def training(engine: str, point: Point) -> Figures:
    """Microseconds that a step takes, the median over the epochs, and the loss of each epoch."""
    return compiled_fit(point) if engine == "nn.fit" else timed_epochs(TRAINERS[engine](point), point)


def timed_epochs(trainer: Any, point: Point) -> Figures:
    """An engine's figures; the orders are prepared outside the clock."""
    orders = [trainer.order(indices) for indices in point.orders()]
    seconds, losses = [], []
    gc.collect()
    for order in orders:
        start = perf_counter()
        losses.append(trainer.epoch(order))
        seconds.append(perf_counter() - start)
    return figures(point, seconds[1:], losses)


def compiled_fit(point: Point) -> Figures:
    """What an epoch of `nn.fit` takes, with shuffling, accuracy and history, from the first step to the end."""
    from nn import SGD, fit

    def run() -> Any:
        model = point.model()
        optimizer = SGD(model.parameters(), lr=point.rate)
        return fit(
            model, *point.data(), loss="cross_entropy", optimizer=optimizer, epochs=point.epochs + 1,
            batch_size=point.batch, rng=point.order_rng(), engine="compiled", progress=False,
        )  # fmt: skip

    run()  # warm
    histories = [run() for _ in range(3)]  # of which the best counts: one sum, unlike a median, has every interruption
    epoch = min(history.seconds - history.preparation for history in histories) / (point.epochs + 1)
    return figures(point, [epoch], list(histories[0].loss))


def figures(point: Point, seconds: list[float], losses: list[float]) -> Figures:
    """Of epochs that took so many seconds."""
    return {"microseconds": statistics.median(seconds) / point.steps * 1e6, "losses": losses}
