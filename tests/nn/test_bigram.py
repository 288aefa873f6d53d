"""Does the bigram model count, and is its loss that of a model whose outputs are the logarithms of its shares?"""

import random
from math import log

import pytest
from hypothesis import given, strategies as st

import nn
from nn.bigram import SMOOTHINGS

TOKENS = 4


@st.composite
def sequences(draw):
    """X and Y of some sequences."""
    whole = draw(st.lists(st.lists(st.integers(0, TOKENS - 1), min_size=2, max_size=6), min_size=1, max_size=25))
    return [tokens[:-1] for tokens in whole], [tokens[1:] for tokens in whole]


@given(sequences(), st.floats(0.001, 100.0))
def test_its_shares_are_those_that_were_counted(data, smoothing):
    X, Y = data
    model = nn.Bigram(TOKENS, X, Y, smoothing=smoothing)
    pairs = [pair for row, following in zip(X, Y, strict=True) for pair in zip(row, following, strict=True)]
    for token, row in enumerate(model.probabilities):
        assert sum(row) == pytest.approx(1.0)
        seen = sum(first == token for first, _ in pairs)
        wanted = [(pairs.count((token, k)) + smoothing) / (seen + smoothing * TOKENS) for k in range(TOKENS)]
        assert row == pytest.approx(wanted)


@given(sequences(), sequences())
def test_its_loss_is_the_cross_entropy_of_its_shares(learned, held_out):
    model = nn.Bigram(TOKENS, *learned)
    logits = [[log(share) for share in row] for row in model.probabilities]
    losses = [
        nn.cross_entropy([logits[token] for token in row], following) for row, following in zip(*held_out, strict=True)
    ]
    assert model.loss(*held_out) == pytest.approx(sum(losses) / len(losses))


@given(sequences())
def test_the_smoothing_that_is_chosen_is_the_best_for_every_tenth_sequence(data):
    X, Y = data
    chosen = nn.Bigram(TOKENS, X, Y).smoothing
    rest = [[row for i, row in enumerate(rows) if i % 10] for rows in (X, Y)]
    if rest[0]:
        losses = {k: nn.Bigram(TOKENS, *rest, smoothing=k).loss(X[::10], Y[::10]) for k in SMOOTHINGS}
        assert losses[chosen] == min(losses.values())


def test_its_texts_have_the_pairs_that_were_counted():
    names = nn.datasets.load_city_names()
    tokenizer = nn.CharTokenizer(names)
    gpt = nn.GPT(tokenizer, 4, 2, 1, 20)
    model = nn.Bigram(tokenizer, *gpt.examples(names), smoothing=1e-300)
    pairs = {pair for name in names for pair in zip(f"^{name}", f"{name}$", strict=True)}
    for seed in range(20):
        text = model.generate(seed)
        assert len(text) == 100 or set(zip(f"^{text}", f"{text}$", strict=True)) <= pairs
    assert model.generate(3) == model.generate(random.Random(3))
    assert nn.Bigram(2, [[1, 0]], [[0, 0]], smoothing=1e-300).generate(0, max_tokens=5) == [0] * 5


@pytest.mark.parametrize("smoothing", [0.0, -1.0, float("inf"), float("nan")])
def test_a_smoothing_that_is_none_is_refused(smoothing):
    with pytest.raises(ValueError, match="smoothing takes a number above 0; got"):
        nn.Bigram(2, [[0]], [[1]], smoothing=smoothing)


def test_nothing_to_count_is_refused():
    with pytest.raises(ValueError, match="needs at least one sequence to count; got none"):
        nn.Bigram(2, [], [])
