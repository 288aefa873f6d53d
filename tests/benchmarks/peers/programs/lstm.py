"""A long short-term memory of two layers reads a text of 14 letters, and says at each letter which comes next.

Each layer works letter by letter of the alphabet: its four gates have one weight and one bias for each. The loss is
the mean cross-entropy. `cell` is written once, for numbers and arrays; the loop is a `scan`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import Program, recorded
from tests.benchmarks.peers.rows import Row, within

ALPHABET, LAYERS, GATES = 14, 2, 4
PARAMETERS = ALPHABET * (LAYERS * GATES * 2 + 3)


def cell(m: Any, v: Any, hidden: Any, state: Any, w: Any) -> tuple[Any, Any]:
    """One step of one layer; w: for each gate its weight and its bias."""
    forget = m.sigmoid(v * w[0] + w[1])
    enter = m.sigmoid(hidden * w[2] + w[3])
    leave = m.sigmoid(v * w[4] + w[5])
    change = m.tanh(hidden * w[6] + w[7])
    state = state * forget + enter * change
    return leave * m.tanh(state), state


def rows_of(parameters: Any) -> list[Any]:
    """The parameters in rows of one for each letter: 16 for the layers, then three for what goes in and out."""
    return [parameters[at : at + ALPHABET] for at in range(0, PARAMETERS, ALPHABET)]


def scalars(text: Any, parameters: Any) -> Any:
    import autograd
    from autograd import logsumexp, scan, sum as sum_of

    *layers, enters, leaves, bias = rows_of(parameters)
    columns = [list(zip(*layers[at : at + 2 * GATES], strict=True)) for at in range(0, len(layers), 2 * GATES)]

    def step(states: Any, x: Any) -> tuple[Any, Any]:
        letter, following = x
        v, moved = [a * b for a, b in zip(letter, enters, strict=True)], []
        for (hidden, state), w in zip(states, columns, strict=True):
            cells = [cell(autograd, *numbers) for numbers in zip(v, hidden, state, w, strict=True)]
            v, state = (list(column) for column in zip(*cells, strict=True))
            moved.append((v, state))
        logits = [a * b + c for a, b, c in zip(v, leaves, bias, strict=True)]
        return moved, logsumexp(logits) - sum_of([a * b for a, b in zip(logits, following, strict=True)])

    start = [([0.1] * ALPHABET, [0.1] * ALPHABET) for _ in range(LAYERS)]
    _, losses = scan(step, start, (text[:-1].tolist(), text[1:].tolist()))
    return sum_of(list(losses)) / (len(text) - 1)


def arrays(text: Any, xp: Any) -> Any:
    letters, start = xp.asarray(text), xp.full((ALPHABET,), 0.1, dtype=xp.float64)

    def loss(parameters: Any) -> Any:
        *layers, enters, leaves, bias = rows_of(parameters)

        def step(states: Any, x: Any) -> tuple[Any, Any]:
            letter, following = x
            v, moved = letter * enters, []
            for i, (hidden, state) in enumerate(states):
                v, state = cell(xp, v, hidden, state, layers[2 * GATES * i :])
                moved.append((v, state))
            logits = v * leaves + bias
            return moved, xp.logsumexp(logits, 0) - (logits * following).sum()

        _, losses = xp.scan(step, [(start, start)] * LAYERS, (letters[:-1], letters[1:]))
        return sum(losses) / (len(letters) - 1) if isinstance(losses, list) else losses.mean()

    return loss


def row(letters: int) -> Row:
    rng = np.random.default_rng(0)
    text = np.eye(ALPHABET)[rng.integers(ALPHABET, size=letters + 1)]
    program = Program(rng.normal(size=PARAMETERS) * 0.5, partial(scalars, text), partial(arrays, text))
    found = program.row(f"LSTM, {letters:,} letters", partial(recorded, program))
    compiling = within(2.0, what="until the first gradient", by="first")
    return replace(found, bars=(*found.bars, compiling))
