"""How many operations a second does a layer do? Its forward pass for a batch, beside NumPy's, which calls OpenBLAS.

One thread each. A call from Python for each block of examples is counted, as NumPy's call is. "product alone" is NumPy
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
        if isinstance(found, list):
            found = np.concatenate(found, axis=1).T[: len(self.X)]
        biases = found - self.X @ self.weights.T
        assert_close(biases, np.where(np.abs(biases) < 1e-9, 0.0, self.biases), scale=1.0)

    def compiled(self) -> Callable[[], Any]:
        """The native loop of layers, block by block as a program calls it, on examples that are in lanes already."""
        import ctypes

        from autograd.compiler.native.layout import BLOCK
        from autograd.compiler.native.loading import layer_kernels
        from autograd.compiler.native.run import address_of, zeros

        m, k = self.weights.shape
        loop = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5, *[ctypes.c_int64] * 4)(layer_kernels()[0])
        sizes = [-(-min(BLOCK, len(self.X) - start) // 8) * 8 for start in range(0, len(self.X), BLOCK)]
        ends = np.cumsum([-(-(m * k + m) // 8) * 8, *((k + m) * lanes for lanes in sizes)])
        numbers = zeros(int(ends[-1]) + 8)
        numbers[: m * k], numbers[m * k : m * k + m] = self.weights.ravel(), self.biases
        words = np.array([[m, k, 0, m * k, 1, at, 0, at, k, 0, 0] for at in ends[:-1]], np.int64)
        blocks, calls = [], []
        for number, (lanes, at) in enumerate(zip(sizes, ends, strict=False)):
            block = numbers[at : at + (k + m) * lanes].reshape(k + m, lanes)
            X = self.X[number * BLOCK : number * BLOCK + lanes]
            block[:k, : len(X)] = X.T
            blocks.append(block[k:])
            calls.append((*[address_of(numbers)] * 3, *[address_of(words[number])] * 2, 0, 1, lanes, 0))

        def run(_: Any = words) -> Any:  # the calls have but the addresses of the words
            for call in calls:
                loop(*call)
            return blocks

        return run

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
