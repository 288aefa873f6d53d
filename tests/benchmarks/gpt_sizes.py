"""What does a larger GPT cost to record, to compile and to train?"""

import random
import sys
from time import perf_counter
from typing import Any

import numpy as np

import autograd
import nn
from tests.benchmarks.gpt_ours import adam, recorded

VOCABULARY, EMBEDDING, HEADS, LAYERS = 27, 32, 4, 2
STEPS = 20


def measure(block: int) -> dict[str, Any]:
    """Seconds of each part, megabytes of the process at its largest, and how much was recorded."""
    import resource

    rng = random.Random(0)
    model = nn.GPT(VOCABULARY, EMBEDDING, HEADS, LAYERS, block, rng=rng)
    optimizer = adam(model)
    tokens = [rng.randrange(VOCABULARY) for _ in range(block + 1)]
    row = np.array([[*tokens[:-1], *tokens[1:], *[1.0 / block] * block]])
    start = perf_counter()
    graph = recorded(model, block)
    record = perf_counter() - start
    start = perf_counter()
    program = autograd.compile(*graph, parameters=model.parameters())
    losses = [program.step(optimizer, row, reduction="sum", output=block - 1)]
    compiling = perf_counter() - start
    start = perf_counter()
    losses += [program.step(optimizer, row, reduction="sum", output=block - 1) for _ in range(STEPS)]
    step = (perf_counter() - start) / STEPS
    if not losses[-1] < losses[0]:
        raise SystemExit(f"a sequence by heart: its loss does not fall: {losses}")
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {
        "nodes": len(program._graph.codes),
        "operands": len(program._graph.operands),
        "record": record,
        "compile": compiling,
        "step": step,
        "megabytes": largest,
    }
