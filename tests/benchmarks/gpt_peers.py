"""How would one train a small GPT with PyTorch and with JAX? By hand, with the same arithmetic, in float64.

The arithmetic: RMSNorm without a gain after the embeddings, before the attention and before the MLP, none at the end;
no biases; attention scores divided by the root of a head's size; ReLU; the loss of a name is the mean over its
positions, that of a batch the mean over its names; Adam, with a rate that falls in a line to 0.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

EMBEDDING, HEADS, BLOCK = 16, 4, 16
STEPS, RATE, BETAS, EPS = 1000, 0.01, (0.85, 0.99), 1e-8
DEVIATION = 0.08
Batch = tuple[list[list[int]], list[list[int]], list[list[float]]]
"""Tokens, targets, and the weight of each position; a row for each name, padded with zeros to one length."""


@dataclass(frozen=True)
class Task:
    """What is learned: lower-case names, in an order that seed 42 draws before the weights."""

    file: Path
    batch: int = 1
    seed: int = 42

    @cached_property
    def _drawn(self) -> tuple[list[str], random.Random]:
        rng = random.Random(self.seed)
        lines = [line.strip() for line in self.file.read_text(encoding="utf-8").split("\n")]
        names = [line for line in lines if line]
        rng.shuffle(names)
        return names, rng

    @property
    def names(self) -> list[str]:
        return self._drawn[0]

    @property
    def rng(self) -> random.Random:
        """A generator as it is when the weights are drawn."""
        copy = random.Random()
        copy.setstate(self._drawn[1].getstate())
        return copy

    @cached_property
    def characters(self) -> list[str]:
        return sorted(set("".join(self.names)))

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The weights, in the order in which they are drawn."""
        vocabulary, n = len(self.characters) + 1, EMBEDDING
        shapes = {"wte": (vocabulary, n), "wpe": (BLOCK, n), "lm_head": (vocabulary, n)}
        shapes |= dict.fromkeys(("wq", "wk", "wv", "wo"), (n, n))
        return shapes | {"fc1": (4 * n, n), "fc2": (n, 4 * n)}

    def weights(self) -> dict[str, list[list[float]]]:
        gauss = self.rng.gauss
        return {k: [[gauss(0, DEVIATION) for _ in range(n)] for _ in range(m)] for k, (m, n) in self.shapes.items()}

    def sequence(self, name: str) -> tuple[list[int], list[int]]:
        """The tokens of a name, and what follows each."""
        end = len(self.characters)
        tokens = [end, *map(self.characters.index, name), end]
        return tokens[:-1][:BLOCK], tokens[1:][:BLOCK]

    def names_of(self, step: int) -> list[str]:
        count = len(self.names)
        return [self.names[k % count] for k in range(step * self.batch, (step + 1) * self.batch)]

    def batches(self, steps: int, length: int | None = None) -> Iterator[Batch]:
        """The batches of the first steps, each padded to its longest name or to a length."""
        for step in range(steps):
            pairs = list(map(self.sequence, self.names_of(step)))
            width = length or max(len(tokens) for tokens, _ in pairs)
            tokens, targets = ([row + [0] * (width - len(row)) for row in rows] for rows in zip(*pairs, strict=True))
            shares = [[1.0 / len(row) / self.batch] * len(row) + [0.0] * (width - len(row)) for row, _ in pairs]
            yield tokens, targets, shares


def rate(step: int) -> float:
    return RATE * (1 - step / STEPS)


class Torch:
    """A step in PyTorch, its fastest way of those tried: no padding beyond the longest name, fused Adam.

    Arguments:
        compiled: whether `torch.compile` makes one program of the loss and its gradient, for each length.
    """

    def __init__(self, task: Task, steps: int, threads: int | None, compiled: bool = False) -> None:
        import torch

        if threads:
            torch.set_num_threads(threads)
        self.torch = torch
        tensor = partial(torch.tensor, dtype=torch.float64)
        self.weights = {name: tensor(rows).requires_grad_() for name, rows in task.weights().items()}
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=RATE, betas=BETAS, eps=EPS, fused=True)
        self.batches = [
            (torch.tensor(x), torch.tensor(y).flatten(), tensor(share).flatten())
            for x, y, share in task.batches(steps, BLOCK if compiled else None)
        ]
        self.loss: Callable[..., Any] = torch.compile(self._loss) if compiled else self._loss

    def _loss(self, tokens: Any, targets: Any, shares: Any) -> Any:
        F, W = self.torch.nn.functional, self.weights
        rows, length = tokens.shape
        norm = partial(F.rms_norm, normalized_shape=(EMBEDDING,), eps=1e-5)
        x = norm(W["wte"][tokens] + W["wpe"][:length])
        h = norm(x)
        heads = (rows, length, HEADS, EMBEDDING // HEADS)
        q, k, v = (F.linear(h, W[name]).view(heads).transpose(1, 2) for name in ("wq", "wk", "wv"))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.linear(seen.transpose(1, 2).reshape(x.shape), W["wo"])
        x = x + F.linear(F.linear(norm(x), W["fc1"]).relu(), W["fc2"])
        logits = F.linear(x, W["lm_head"])
        return (F.cross_entropy(logits.flatten(0, 1), targets, reduction="none") * shares).sum()

    def step(self, step: int) -> float:
        self.optimizer.param_groups[0]["lr"] = rate(step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(*self.batches[step])
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


class Jax:
    """A step in JAX: one jitted call, of one length, so padded; the state is donated."""

    def __init__(self, task: Task, steps: int, threads: int | None) -> None:
        if threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.shapes = jax, task.shapes
        flat = list(chain.from_iterable(chain.from_iterable(task.weights().values())))
        start = jax.numpy.array(flat)
        self.state = (start, jax.numpy.zeros_like(start), jax.numpy.zeros_like(start))
        self.batches = [tuple(map(jax.numpy.array, batch)) for batch in task.batches(steps, BLOCK)]
        self.compiled = jax.jit(self._step, donate_argnums=0)

    def _loss(self, flat: Any, tokens: Any, targets: Any, shares: Any) -> Any:
        jax, np, W, start = self.jax, self.jax.numpy, {}, 0
        for name, (m, n) in self.shapes.items():
            W[name], start = flat[start : start + m * n].reshape(m, n), start + m * n
        x = norm(np, W["wte"][tokens] + W["wpe"])
        h = norm(np, x)
        heads = (*tokens.shape, HEADS, EMBEDDING // HEADS)
        q, k, v = ((h @ W[name].T).reshape(heads) for name in ("wq", "wk", "wv"))
        scores = np.einsum("bthd,bshd->bhts", q, k) / (EMBEDDING // HEADS) ** 0.5
        weights = jax.nn.softmax(np.where(np.tri(BLOCK, dtype=bool), scores, -np.inf))
        x = x + np.einsum("bhts,bshd->bthd", weights, v).reshape(x.shape) @ W["wo"].T
        x = x + jax.nn.relu(norm(np, x) @ W["fc1"].T) @ W["fc2"].T
        logarithms = jax.nn.log_softmax(x @ W["lm_head"].T)
        return -(np.take_along_axis(logarithms, targets[..., None], axis=-1)[..., 0] * shares).sum()

    def _step(self, state: Any, batch: Any, step: Any) -> tuple[Any, Any]:
        (p, m, v), (first, second) = state, BETAS
        loss, g = self.jax.value_and_grad(self._loss)(p, *batch)
        m, v = first * m + (1 - first) * g, second * v + (1 - second) * g * g
        m_hat, v_hat = m / (1 - first ** (step + 1)), v / (1 - second ** (step + 1))
        p = p - RATE * (1 - step / STEPS) * m_hat / (self.jax.numpy.sqrt(v_hat) + EPS)
        return (p, m, v), loss

    def step(self, step: int) -> float:
        self.state, loss = self.compiled(self.state, self.batches[step], float(step))
        return float(loss)


def norm(np: Any, x: Any) -> Any:
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)
