"""Are the gradients of the GPT's parts and of the whole right, eagerly and compiled, and does it see nothing ahead?"""

import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import autograd
import nn
from autograd.testing import gradcheck
from tests.nn.gpt.cases import data, loss_of, rows_of, sequence, small_gpt

few = settings(max_examples=2)  # each is a gradcheck of up to a second; Hypothesis draws others in every run
seeds = st.integers(0, 10_000)
PARTS = {
    "linear": lambda rng: nn.Linear(4, 3, rng=rng),
    "norm": lambda rng: nn.RMSNorm(4, 1e-5, affine=False),
    "attention": lambda rng: nn.MultiHeadAttention(4, 2, rng=rng),
    "block": lambda rng: nn.gpt.Block(4, 2, rng=rng),
}


@few
@given(seeds, st.integers(1, 3))
@pytest.mark.parametrize("part", PARTS)
def test_the_gradient_of_a_part_by_its_inputs_and_by_its_weights_is_right(part, seed, length):
    module, rows = PARTS[part](seed), data(rows_of(length, 4, seed))
    gradcheck(lambda rows: loss_of(module(rows)), (rows,))
    if module.parameters():
        gradcheck(lambda module: loss_of(module(rows)), module)


@few
@given(seeds, st.integers(1, 4))
def test_the_gradient_of_the_loss_by_all_weights_is_right(seed, length):
    model = small_gpt(seed, n_embd=4, n_head=2, n_layer=1, block_size=4, vocabulary=5)
    tokens = sequence(length, vocabulary=5, seed=seed)
    gradcheck(lambda model: model.loss(tokens), model)


@given(seeds, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=20)
def test_what_follows_a_position_changes_nothing_at_it(seed, length, kept):
    model, tokens = small_gpt(seed), sequence(length, seed=seed)
    kept = min(kept, length)
    others = [*tokens[:kept], *sequence(length - kept, seed=seed + 1)[:-1]]
    assert data(model(tokens[:length])[:kept]) == data(model(others)[:kept])


def test_a_vector_that_is_not_looked_up_has_no_gradient():
    model = small_gpt()
    model.loss([0, 1, 2]).backward()
    by_token = [any(x.grad for x in row) for row in model.wte.weight]
    assert by_token == [True, True, False, False, False, False, False]
    assert [any(x.grad for x in row) for row in model.wpe.weight] == [True, True, False, False, False]


# Compiled


def compiled(model, length):
    """The program of a loss, whose inputs are tokens and one more."""
    from autograd.compiler.tracing import tracer, tracing

    with tracing():
        tokens = [tracer(0.0) for _ in range(length + 1)]
        loss = model.loss(tokens)
    return autograd.compile(loss, tokens, parameters=model.parameters())


@pytest.mark.parametrize(("length", "layers"), [(1, 1), (4, 1), (3, 2)])
def test_the_compiled_loss_and_gradient_of_many_sequences_are_the_eager_ones(length, layers):
    pytest.importorskip("llvmlite")
    model = small_gpt(seed=length, n_layer=layers)
    program = compiled(model, length)
    rows = [sequence(length, seed=seed) for seed in range(9)]
    losses, _, gradient = program.value_and_grad(np.array(rows, float))
    eager = [model.loss(row) for row in rows]
    autograd.sum(eager).backward()
    np.testing.assert_allclose(losses, [loss.data for loss in eager], rtol=1e-13)
    wanted = np.array([parameter.grad for parameter in model.parameters()])
    np.testing.assert_allclose(gradient, wanted, rtol=1e-11, atol=1e-13 * np.abs(wanted).max())


def trained(engine, batch_size, sequences=12):
    """The weights after two passes over sequences of several lengths, and the history."""
    model = small_gpt(n_layer=1)
    rng = random.Random(1)
    whole = [sequence(rng.randrange(1, 6), seed=k) for k in range(sequences)]
    X, Y = [tokens[:-1] for tokens in whole], [tokens[1:] for tokens in whole]
    history = nn.fit(
        model, X, Y, loss="cross_entropy", optimizer="adam", lr=0.01, epochs=2, batch_size=batch_size, rng=0,
        engine=engine, metrics=["accuracy"], validation=(X[:5], Y[:5]), progress=False,
    )  # fmt: skip
    return [parameter.data for parameter in model.parameters()], history


@pytest.mark.parametrize("batch_size", [1, 5])
def test_fit_trains_sequences_compiled_as_it_does_eagerly(batch_size):
    pytest.importorskip("llvmlite")
    eager, wanted = trained("eager", batch_size)
    found, history = trained("auto", batch_size)
    assert history.why_eager == ""
    np.testing.assert_allclose(found, eager, rtol=1e-6, atol=1e-8)  # Adam makes whole steps of rounding errors
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(getattr(history, name), getattr(wanted, name), rtol=1e-9)
