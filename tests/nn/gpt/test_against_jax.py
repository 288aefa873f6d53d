"""Do the parts of the GPT, and the whole, compute what the same formulas do in JAX?"""

import numpy as np
import pytest

import nn
from tests.nn.gpt.cases import EQUAL, data, factors, grads, loss_of, matrices, rows_of, sequence, small_gpt
from tests.sampling import every_second

jax = pytest.importorskip("jax", reason="JAX is not installed")
jnp = jax.numpy


@pytest.fixture(autouse=True)
def _in_double_precision():
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        yield


def assert_same(found, wanted):
    np.testing.assert_allclose(found, np.asarray(wanted), rtol=EQUAL, atol=EQUAL)


def norm(x):
    return x * jax.lax.rsqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)


def attention(W, x, heads):
    """All positions at once: T rows of scores, those after a row's own position masked."""
    q, k, v = (jnp.split(x @ W[name].T, heads, axis=1) for name in ("query", "key", "value"))
    mask = jnp.tri(len(x), dtype=bool)
    scores = [jnp.where(mask, a @ b.T / a.shape[1] ** 0.5, -jnp.inf) for a, b in zip(q, k, strict=True)]
    mixed = [jax.nn.softmax(s, axis=1) @ c for s, c in zip(scores, v, strict=True)]
    return jnp.concatenate(mixed, axis=1) @ W["out"].T


def loss(W, tokens, layers, heads):
    x = norm(W["wte"][jnp.array(tokens[:-1])] + W["wpe"][: len(tokens) - 1])
    for k in range(layers):
        own = {name: W[f"{name}{k}"] for name in ("query", "key", "value", "out", "fc1", "fc2")}
        x = x + attention(own, norm(x), heads)
        x = x + jax.nn.relu(norm(x) @ own["fc1"].T) @ own["fc2"].T
    logarithms = jax.nn.log_softmax(x @ W["lm_head"].T, axis=1)
    return -logarithms[jnp.arange(len(tokens) - 1), jnp.array(tokens[1:])].mean()


def test_linear_and_rmsnorm_are_jaxs():
    rows, linear = rows_of(4, 3), nn.Linear(3, 5, bias=False, rng=0)
    outputs = linear(nn.RMSNorm(3, 1e-5, affine=False)(rows))
    counted = jnp.array(factors(outputs))

    def same(x, w):
        return (norm(x) @ w.T * counted).sum()

    x, w = jnp.array(data(rows)), jnp.array(data(linear.w))
    loss_of(outputs).backward()
    assert_same(data(outputs), norm(x) @ w.T)
    for found, wanted in zip((grads(rows), grads(linear.w)), jax.grad(same, (0, 1))(x, w), strict=True):
        assert_same(found, wanted)


@pytest.mark.parametrize(("width", "heads", "length"), every_second([(8, 2, 5), (6, 1, 3), (4, 4, 1), (4, 4, 2)]))
def test_attention_is_jaxs(width, heads, length):
    ours, rows = nn.MultiHeadAttention(width, heads, rng=1), rows_of(length, width)
    outputs = ours(rows)
    maps = {"query": ours.query, "key": ours.key, "value": ours.value, "out": ours.out}
    W = {name: jnp.array(data(linear.w)) for name, linear in maps.items()}
    counted = jnp.array(factors(outputs))
    x = jnp.array(data(rows))
    assert_same(data(outputs), attention(W, x, heads))
    loss_of(outputs).backward()
    by_weights, by_rows = jax.grad(lambda W, x: (attention(W, x, heads) * counted).sum(), (0, 1))(W, x)
    assert_same(grads(rows), by_rows)
    for name, linear in maps.items():
        assert_same(grads(linear.w), by_weights[name])


@pytest.mark.parametrize(("length", "layers"), every_second([(5, 2), (1, 1), (4, 1), (5, 1)]))
def test_a_gpts_loss_and_gradients_are_jaxs(length, layers):
    model, tokens = small_gpt(seed=length, n_layer=layers), sequence(length)
    W = {name: jnp.array(data(rows)) for name, rows in matrices(model).items()}
    wanted, by_weights = jax.value_and_grad(lambda W: loss(W, tokens, layers, 2))(W)
    found = model.loss(tokens)
    assert found.data == pytest.approx(float(wanted), rel=EQUAL)
    found.backward()
    for name, ours in matrices(model).items():
        assert_same(grads(ours), by_weights[name])
