"""Do the parts of a GPT do what they say, and say what is wrong with what they are given?"""

import copy
import math
import pickle
import random

import pytest
from hypothesis import given, strategies as st

import nn
from nn import Block, CharTokenizer, Linear, MultiHeadAttention
from nn.attention import Cache
from tests.nn.gpt.cases import data, rows_of, small_gpt

TEXTS = ["Oslo", "Rome", "Berlin", "Lima"]


def tokenized(**sizes):
    return nn.GPT(CharTokenizer(TEXTS), **{"n_embd": 8, "n_head": 2, "block_size": 6, "rng": 0, **sizes})


# Linear


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_map_is_a_layer_without_an_activation(bias):
    linear, layer = Linear(3, 2, bias, rng=0), nn.Layer(3, 2, activation="linear", rng=0)
    assert data(linear.w) == [[w.data for w in neuron.w] for neuron in layer.neurons]  # drawn alike
    rows = [[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]
    assert data(linear(rows)) == data(layer(rows))
    assert list(linear.state_dict(arrays=True)) == ["weight", "bias"][: 1 + bias]
    assert linear.weight.shape == (2, 3)
    assert (linear.bias is None) is not bias
    assert len(linear.parameters()) == 6 + 2 * bias


# Attention


def test_attention_is_what_it_is_by_hand():
    """Vaswani et al., 2017, equation 1, with a mask; in plain floats."""
    attention, rows = MultiHeadAttention(4, 2, rng=1), rows_of(3, 4)

    def mapped(linear, row):
        return [sum(w.data * x.data for w, x in zip(weights, row, strict=True)) for weights in linear.w]

    q, k, v = ([mapped(linear, row) for row in rows] for linear in (attention.query, attention.key, attention.value))
    for t, found in enumerate(attention(rows)):
        mixed = []
        for part in (slice(0, 2), slice(2, 4)):
            scores = [
                sum(a * b for a, b in zip(q[t][part], k[s][part], strict=True)) / math.sqrt(2) for s in range(t + 1)
            ]
            shares = [math.exp(x) / sum(map(math.exp, scores)) for x in scores]
            for j in range(part.start, part.stop):
                mixed.append(sum(share * v[s][j] for s, share in enumerate(shares)))
        by_hand = [sum(w.data * x for w, x in zip(weights, mixed, strict=True)) for weights in attention.out.w]
        assert data(found) == pytest.approx(by_hand, rel=1e-13, abs=1e-14)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_each_position_shares_its_attention_among_those_up_to_itself(seed, length):
    weights = MultiHeadAttention(6, 3, rng=seed).weights(rows_of(length, 6, seed))
    assert len(weights) == 3
    for head in weights:
        assert [len(row) for row in head] == list(range(1, length + 1))
        assert all(math.fsum(data(row)) == pytest.approx(1.0, abs=1e-14) for row in head)


@pytest.mark.parametrize("module", [MultiHeadAttention(4, 2, rng=0), Block(4, 2, rng=0)], ids=["attention", "block"])
def test_a_list_of_sequences_gives_what_each_gives(module):
    sequences = [rows_of(3, 4, 0), rows_of(1, 4, 1), rows_of(2, 4, 2)]
    assert data(module(sequences)) == [data(module(rows)) for rows in sequences]
    cache = Cache()
    assert [data(module.following(row, cache)) for row in sequences[0]] == data(module(sequences[0]))


# GPT


def test_its_parameters_are_drawn_in_microgpts_order():
    """wte, wpe, lm_head; of each layer wq, wk, wv, wo, fc1, fc2; row by row, with standard deviation 0.08."""
    gpt, rng = nn.GPT(5, 4, 2, 2, 3, rng=random.Random(7)), random.Random(7)
    assert [p.data for p in gpt.parameters()] == [rng.gauss(0.0, 0.08) for _ in range((5 + 3 + 5 + 2 * 12 * 4) * 4)]


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 1.0, 5.0]), st.lists(st.integers(0, 5), max_size=4))
def test_a_text_is_drawn_from_what_the_model_says(seed, temperature, prompt):
    gpt, rng = small_gpt(seed), random.Random(seed)
    tokens = [6, *prompt]
    while len(tokens) <= 5:  # without a cache of keys and values
        logits = data(gpt(tokens))[-1]
        if temperature:
            weights = [math.exp((x - max(logits)) / temperature) for x in logits]
            token = rng.choices(range(7), weights=weights)[0]
        else:
            token = logits.index(max(logits))
        if token == 6:
            break
        tokens.append(token)
    assert gpt.generate(seed, temperature, prompt) == tokens[1:]


def test_generating_builds_no_graph_and_changes_nothing():
    gpt = tokenized()
    before = gpt.state_dict()
    texts = [gpt.generate(seed) for seed in range(5)]
    assert gpt.state_dict() == before
    assert texts == [gpt.generate(seed) for seed in range(5)]
    assert gpt.generate(0, prompt="Ber").startswith("Ber")
    assert gpt.generate(0, prompt="Ber", max_tokens=0) == "Ber"
    assert len(gpt.generate(0, prompt="Ber", max_tokens=1)) <= 4


def test_a_saved_gpt_still_knows_its_characters(tmp_path):
    gpt = tokenized()
    nn.save(gpt, tmp_path / "gpt.json")
    for twin in (nn.load(tmp_path / "gpt.json"), pickle.loads(pickle.dumps(gpt)), copy.deepcopy(gpt)):
        assert twin.state_dict() == gpt.state_dict()
        assert [twin.generate(seed) for seed in range(5)] == [gpt.generate(seed) for seed in range(5)]


def test_examples_are_the_tokens_and_those_that_follow_them():
    gpt = nn.GPT(CharTokenizer("abc"), 4, 2, 1, 3, rng=0)
    assert gpt.examples(["ab", "", "cabca"]) == ([[3, 0, 1], [3], [3, 2, 0]], [[0, 1, 3], [3], [2, 0, 1]])
    X, Y = gpt.examples(["ab"])
    assert gpt.loss([3, 0, 1, 3]).data == nn.cross_entropy(gpt(X[0]), Y[0]).data


@given(st.lists(st.text(), min_size=1).filter(any))
def test_a_tokenizer_gives_each_text_back(texts):
    tokenizer = CharTokenizer(texts)
    assert [tokenizer.decode([tokenizer.bos, *tokenizer.encode(text), tokenizer.bos]) for text in texts] == texts
    assert list(tokenizer.characters) == sorted(set("".join(texts)))
    assert len(tokenizer) == tokenizer.bos + 1 == len(tokenizer.characters) + 1


def test_the_city_names():
    names = nn.datasets.load_city_names()
    assert {"Berlin", "Tokyo", "New York", "Sao Paulo", "Nairobi"} <= set(names)
    assert names == sorted(set(names))
    assert not any("/" in name or "_" in name or not name[0].isupper() for name in names)


GPT = tokenized()
WRONG = {
    "no multiple": (lambda: nn.GPT(5, n_embd=6, n_head=4), ["n_embd", "6", "4"]),
    "block_size 0": (lambda: nn.GPT(5, block_size=0), ["block_size", "at least 1", "0"]),
    "n_head 0": (lambda: nn.GPT(5, n_head=0), ["n_head", "at least 1"]),
    "half a layer": (lambda: nn.GPT(5, n_layer=0.5), ["n_layer", "whole number", "0.5"]),
    "no token": (lambda: nn.GPT(0), ["vocabulary", "at least 1"]),
    "a list of characters": (lambda: nn.GPT(["a", "b"]), ["vocabulary", "CharTokenizer(texts)"]),
    "too many tokens": (lambda: GPT([0] * 7), ["6 tokens at most", "7"]),
    "an unknown token": (lambda: GPT([99]), ["indices from 0 to", "99"]),
    "a negative token": (lambda: GPT([-1]), ["indices from 0 to", "-1"]),
    "half a token": (lambda: GPT([0.5]), ["whole numbers", "0.5"]),
    "a text": (lambda: GPT("Oslo"), ["'Oslo'"]),
    "a loss of nothing": (lambda: GPT.loss([]), ["at least two tokens", "0"]),
    "a loss of one token": (lambda: GPT.loss([1]), ["at least two tokens", "1"]),
    "negative temperature": (lambda: GPT.generate(temperature=-1.0), ["temperature", "at least 0", "-1"]),
    "nan": (lambda: GPT.generate(temperature=math.nan), ["temperature", "nan"]),
    "a hot text": (lambda: GPT.generate(temperature="hot"), ["temperature", "'hot'"]),
    "unknown characters": (lambda: GPT.generate(prompt="xyz"), ["unknown", "'xyz'", "known are"]),
    "a prompt too long": (lambda: GPT.generate(prompt="OsloOslo"), ["prompt", "8 tokens", "at most 5"]),
    "a number as prompt": (lambda: GPT.generate(prompt=5), ["takes a text", "5"]),
    "a text for a model of tokens": (lambda: nn.GPT(5, rng=0).generate(prompt="ab"), ["list of tokens", "'ab'"]),
    "a number for a model of tokens": (lambda: nn.GPT(5, rng=0).generate(prompt=5), ["list of tokens", "5"]),
    "negative max_tokens": (lambda: GPT.generate(max_tokens=-1), ["max_tokens", "-1"]),
    "examples of one text": (lambda: GPT.examples("Oslo"), ["'Oslo'", "list"]),
    "examples without characters": (lambda: nn.GPT(5, rng=0).examples(["a"]), ["CharTokenizer"]),
    "no characters": (lambda: CharTokenizer(["", ""]), ["at least one character"]),
    "numbers as texts": (lambda: CharTokenizer([1, 2]), ["takes texts", "1"]),
    "decode": (lambda: CharTokenizer("ab").decode([3]), ["from 0 to 2", "3"]),
    "decode a negative one": (lambda: CharTokenizer("ab").decode([-1]), ["from 0 to 2", "-1"]),
    "a short row": (lambda: MultiHeadAttention(4, 2)([[1.0, 2.0, 3.0]]), ["4 inputs", "3"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(name):
    call, fragments = WRONG[name]
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert all(fragment in message for fragment in fragments), message


def test_a_temperature_so_low_that_numbers_overflow_is_as_good_as_0():
    gpt = tokenized()
    assert [gpt.generate(seed, temperature=1e-320) for seed in range(5)] == [gpt.generate(temperature=0.0)] * 5


@pytest.mark.parametrize("temperature", [0.0, 1e-320, 1.0])
def test_a_model_whose_numbers_are_not_finite_writes_nothing(temperature):
    gpt = tokenized()
    for parameter in gpt.parameters():
        parameter.data = math.nan
    with pytest.raises(ValueError, match="not finite"):
        gpt.generate(0, temperature=temperature)


@pytest.mark.parametrize("engine", ["eager", "auto"])
def test_a_model_that_looks_at_one_token_learns(engine):
    gpt = nn.GPT(5, 4, 2, block_size=1, rng=0)
    history = nn.fit(gpt, [[4], [1]] * 3, [[1], [2]] * 3, loss="cross_entropy", lr=0.1, epochs=20, rng=0,
                     engine=engine, progress=False)  # fmt: skip
    assert history.loss[-1] < 0.1 * history.loss[0]


def test_the_losses_of_several_sequences_are_taken_one_by_one():
    gpt = nn.GPT(5, 4, 2, rng=0)
    with pytest.raises(TypeError, match="several sequences"):
        nn.cross_entropy(gpt([[4, 1], [4, 2]]), [[1, 4], [2, 4]])
