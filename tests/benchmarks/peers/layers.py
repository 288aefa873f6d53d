"""How many operations a second does a layer do? Its forward pass for a batch, beside NumPy's, which calls OpenBLAS.

One thread each, and no more Python than it takes to start: the weights are arrays already. "product alone" is NumPy
without the bias that a layer adds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.peers.rows import Row, Table, ahead, assert_close

SIZES = ((16, 64), (48, 64), (64, 64), (128, 128), (256, 256))
"""Outputs and inputs."""
EXAMPLES = (32, 256, 1797)


@dataclass(frozen=True)
class Layer:
    """Weights, biases and a batch."""

    weights: Any
    biases: Any
    X: Any

    def check(self, found: Any) -> None:
        """With the biases, or from "product alone" without."""
        biases = found - self.X @ self.weights.T
        assert_close(biases, np.where(np.abs(biases) < 1e-9, 0.0, self.biases), scale=1.0)

    def compiled(self) -> Callable[[], Any]:
        from autograd import Value, compile, dot

        neurons = [
            ([Value(w) for w in row], Value(b))
            for row, b in zip(*map(np.ndarray.tolist, (self.weights, self.biases)), strict=True)
        ]
        x = [Value(0.0) for _ in self.X[0]]
        parameters = [p for weights, bias in neurons for p in (*weights, bias)]
        program = compile([dot(weights, x, bias) for weights, bias in neurons], x, parameters=parameters)
        leaves = np.array([p.data for p in parameters])
        return lambda: program._backend.run(self.X, leaves, gradient=False)[0]  # a call would read 65,792 Values first

    def numpy(self) -> Callable[[], Any]:
        W, out = self.weights.T, np.empty((len(self.X), len(self.biases)))

        def run() -> Any:
            np.matmul(self.X, W, out=out)
            np.add(out, self.biases, out=out)
            return out

        return run

    def product(self) -> Callable[[], Any]:
        W, out = self.weights.T, np.empty((len(self.X), len(self.biases)))
        return lambda: np.matmul(self.X, W, out=out)


def row(outputs: int, inputs: int, examples: int) -> Row:
    rng = np.random.default_rng(0)
    layer = Layer(*(rng.normal(size=size) for size in ((outputs, inputs), outputs, (examples, inputs))))
    engines = {"autograd": layer.compiled, "NumPy": layer.numpy, "product alone": layer.product}
    name = f"{outputs} x {inputs}, {examples:,} examples"
    return Row(name, engines, [ahead("NumPy")], layer.check, True, 2.0 * outputs * inputs * examples)


TABLE = Table("Forward pass of a layer", [row(*size, examples) for size in SIZES for examples in EXAMPLES])
