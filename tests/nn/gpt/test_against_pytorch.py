"""Do the parts of the GPT, and the whole, compute what PyTorch's own layers do with the same weights?"""

import numpy as np
import pytest

import nn
from tests.nn.gpt.cases import (
    EQUAL,
    data,
    factors,
    grads,
    loss_of,
    matrices,
    rows_of,
    sequence,
    small_gpt,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional


def tensor(nested):
    return torch.tensor(nested, dtype=torch.float64, requires_grad=True)


def assert_same(found, wanted):
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=EQUAL, atol=EQUAL)


def assert_same_layer(layer, theirs, rows, pairs):
    """Outputs, and gradients by the inputs and by pairs of our weights and theirs."""
    x = tensor(data(rows))
    outputs, wanted = layer(rows), theirs(x)
    assert_same(data(outputs), wanted)
    loss_of(outputs).backward()
    (wanted * torch.tensor(factors(outputs), dtype=torch.float64)).sum().backward()
    assert_same(grads(rows), x.grad)
    for ours, their in pairs:
        assert_same(grads(ours), their.grad)


@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_pytorchs(bias):
    layer, theirs = nn.Linear(4, 3, bias=bias, rng=0), torch.nn.Linear(4, 3, bias=bias, dtype=torch.float64)
    pairs = [(layer.w, theirs.weight)]
    if bias:
        for k, parameter in enumerate(layer.b):
            parameter.data = 0.5 - k
        pairs.append((layer.b, theirs.bias))
    with torch.no_grad():
        for ours, their in pairs:
            their.copy_(torch.tensor(data(ours), dtype=torch.float64))
    assert_same_layer(layer, theirs, rows_of(5, 4), pairs)


def test_rmsnorm_without_a_gain_is_pytorchs():
    theirs = torch.nn.RMSNorm(6, eps=1e-5, elementwise_affine=False, dtype=torch.float64)
    assert_same_layer(nn.RMSNorm(6, 1e-5, affine=False), theirs, rows_of(3, 6), [])


def test_an_embedding_is_pytorchs():
    table = nn.Embedding(5, 3, rng=0)
    theirs = torch.nn.Embedding.from_pretrained(tensor(data(table.weight)), freeze=False)
    outputs, wanted = [table([token]) for token in (4, 0, 4, 2)], theirs(torch.tensor([4, 0, 4, 2]))
    assert_same(data(outputs), wanted)
    loss_of(outputs).backward()
    (wanted * torch.tensor(factors(outputs), dtype=torch.float64)).sum().backward()
    assert_same(grads(table.weight), theirs.weight.grad)


@pytest.mark.parametrize(("width", "heads"), [(8, 2), (6, 1), (4, 4)])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_attention_is_that_of_pytorchs_own_layer_with_a_causal_mask(width, heads, length):
    attention = nn.MultiHeadAttention(width, heads, rng=1)
    theirs = torch.nn.MultiheadAttention(width, heads, bias=False, batch_first=True, dtype=torch.float64)
    maps = (attention.query, attention.key, attention.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(
            torch.tensor([row for linear in maps for row in data(linear.w)], dtype=torch.float64)
        )
        theirs.out_proj.weight.copy_(torch.tensor(data(attention.out.w), dtype=torch.float64))
    mask = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)
    rows = rows_of(length, width)
    x = tensor([data(rows)])
    wanted, shares = theirs(x, x, x, attn_mask=mask, average_attn_weights=False)
    outputs = attention(rows)
    assert_same(data(outputs), wanted[0])
    loss_of(outputs).backward()
    (wanted[0] * torch.tensor(factors(outputs), dtype=torch.float64)).sum().backward()
    assert_same(grads(rows), x.grad[0])
    assert_same([row for linear in maps for row in grads(linear.w)], theirs.in_proj_weight.grad)
    assert_same(grads(attention.out.w), theirs.out_proj.weight.grad)
    for head, ours in enumerate(attention.weights(rows)):
        for t, row in enumerate(ours):
            assert_same(data(row), shares[0, head, t, : t + 1])


def forward(W, tokens, layers, heads):
    """A GPT of PyTorch's own functions."""
    x = W["wte"][tokens] + W["wpe"][: len(tokens)]
    norm = torch.nn.RMSNorm(x.shape[1], eps=1e-5, elementwise_affine=False)
    x = norm(x)
    for k in range(layers):
        h = norm(x)
        q, key, v = (
            F.linear(h, W[f"{m}{k}"]).unflatten(1, (heads, -1)).transpose(0, 1) for m in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, key, v, is_causal=True)
        x = x + F.linear(mixed.transpose(0, 1).flatten(1), W[f"out{k}"])
        x = x + F.linear(F.relu(F.linear(norm(x), W[f"fc1{k}"])), W[f"fc2{k}"])
    return F.linear(x, W["lm_head"])


@pytest.mark.parametrize("length", [1, 3, 5])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_gpts_logits_loss_and_gradients_are_those_of_pytorchs_functions(length, layers):
    model, tokens = small_gpt(seed=length, n_layer=layers), sequence(length)
    W = {name: tensor(data(rows)) for name, rows in matrices(model).items()}
    logits = forward(W, torch.tensor(tokens[:-1]), layers, heads=2)
    assert_same(data(model(tokens[:-1])), logits)
    wanted = F.cross_entropy(logits, torch.tensor(tokens[1:]))
    loss = model.loss(tokens)
    assert loss.data == pytest.approx(wanted.item(), rel=EQUAL)
    loss.backward()
    wanted.backward()
    for name, ours in matrices(model).items():
        assert_same(grads(ours), W[name].grad)
