"""Which layers and inputs do the tests of the GPT compare? Small ones, of sizes that differ from each other."""

import random

import autograd
import nn
from autograd import Value

EQUAL = 1e-10


def rows_of(count, width, seed=0):
    """The rows of a sequence, as Values."""
    rng = random.Random(seed)
    return [[Value(rng.gauss(0.0, 1.0)) for _ in range(width)] for _ in range(count)]


def data(nested):
    return [data(x) for x in nested] if isinstance(nested, list | tuple) else nested.data


def grads(nested):
    return [grads(x) for x in nested] if isinstance(nested, list | tuple) else nested.grad


def factors(rows):
    """By what each output counts in a loss of the outputs: no two alike."""
    return [[1.0 + 0.3 * t - 0.7 * k + 0.11 * t * k for k in range(len(row))] for t, row in enumerate(rows)]


def loss_of(rows):
    return autograd.sum([autograd.dot(row, f) for row, f in zip(rows, factors(rows), strict=True)])


def small_gpt(seed=0, n_embd=8, n_head=2, n_layer=2, block_size=5, vocabulary=7):
    """A GPT whose weights are larger than at the start of a training, so that each matters."""
    model = nn.GPT(vocabulary, n_embd, n_head, n_layer, block_size, rng=seed)
    rng = random.Random(seed)
    for parameter in model.parameters():
        parameter.data = rng.gauss(0.0, 0.4)
    return model


def sequence(length, vocabulary=7, seed=0):
    """Tokens, and one more than are predicted."""
    rng = random.Random(seed)
    return [rng.randrange(vocabulary) for _ in range(length + 1)]


def matrices(model):
    """The weights of a GPT by name, as nested lists of Values."""
    found = {"wte": model.wte.weight, "wpe": model.wpe.weight, "lm_head": model.lm_head.w}
    for k, block in enumerate(model.blocks):
        attention = block.attention
        maps = {"query": attention.query, "key": attention.key, "value": attention.value, "out": attention.out}
        maps |= {"fc1": block.fc1, "fc2": block.fc2}
        found |= {f"{name}{k}": linear.w for name, linear in maps.items()}
    return found
