"""How is the same GPT trained with this project? By `nn.fit`, and by a program of one's own, a step a call."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd.compiler.tracing import tracer, tracing
from tests.benchmarks.gpt_peers import BETAS, BLOCK, EMBEDDING, EPS, HEADS, RATE, STEPS, Task, rate

TEMPERATURE, SAMPLES = 0.5, 20


def model_of(task: Task, rng: Any = None) -> nn.GPT:
    return nn.GPT(nn.CharTokenizer(task.characters), EMBEDDING, HEADS, block_size=BLOCK, rng=rng or task.rng)


def adam(model: nn.Module) -> nn.Adam:
    return nn.Adam(model.parameters(), lr=RATE, betas=BETAS, eps=EPS)


def with_fit(task: Task, steps: int, engine: str = "compiled") -> dict[str, Any]:
    """The whole of a training by `nn.fit`, and samples of what was learned."""
    rng = task.rng
    model = model_of(task, rng)
    optimizer = adam(model)
    X, Y = model.examples(name for step in range(steps) for name in task.names_of(step))
    history = nn.fit(
        model, X, Y, loss="cross_entropy", optimizer=optimizer, max_steps=steps, epochs=1, batch_size=task.batch,
        shuffle=False, schedule=nn.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=STEPS),
        schedule_by="step", engine=engine, progress=False,
    )  # fmt: skip
    return {
        "mean_loss": history.loss[0],
        "preparation": history.preparation,
        "mean": (history.seconds - history.preparation) / steps,
        "samples": [model.generate(rng, TEMPERATURE) for _ in range(SAMPLES)],
    }


def recorded(model: nn.GPT, length: int) -> tuple[list[Any], list[Any]]:
    """What `compile` takes: an output for each number of positions, and the inputs.

    These are tokens, targets, and the weights of the positions, `length` of each.
    """
    with tracing():
        inputs = [tracer(0.0) for _ in range(3 * length)]
        tokens, targets, shares = inputs[:length], inputs[length : 2 * length], inputs[2 * length :]
        losses = [nn.cross_entropy(row, target) for row, target in zip(model(tokens), targets, strict=True)]
        terms = [loss * share for loss, share in zip(losses, shares, strict=True)]
        outputs = [autograd.sum(terms[:n]) for n in range(1, length + 1)]
    return outputs, inputs


class Program:
    """A step as a call of `program.step`: what is learned from is prepared, as it is for the others."""

    def __init__(self, task: Task, steps: int, threads: int | None = None) -> None:
        model = model_of(task)
        self.program = autograd.compile(*recorded(model, BLOCK), parameters=model.parameters())
        self.optimizer = adam(model)
        self.rows, self.lengths = [], []
        for tokens, targets, shares in task.batches(steps, BLOCK):
            whole = zip(tokens, targets, shares, strict=True)
            self.rows.append(np.array([[*row, *wanted, *share] for row, wanted, share in whole], np.float64))
            self.lengths.append(max(positions(share) for share in shares))

    def step(self, step: int) -> float:
        self.optimizer.lr = rate(step)
        return self.program.step(self.optimizer, self.rows[step], reduction="sum", output=self.lengths[step] - 1)


def positions(shares: Sequence[float]) -> int:
    """How many positions a name has."""
    return sum(share > 0.0 for share in shares)
