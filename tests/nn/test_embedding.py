"""Does an embedding look vectors up as PyTorch's does, and learn those that were looked up?"""

import copy
import json
import math
import pickle
import random
import statistics
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value
from autograd.testing import gradcheck
from nn import SGD, Embedding, Layer, Sequential, fit, load, mse_loss, predict, save
from tests.nn.make_pytorch_figures import BASE_LR, FIGURES, STEPS, VECTORS, counted, indices

PYTORCH = json.loads(FIGURES.read_text(encoding="utf-8"))
EQUAL = 1e-10


def data(outputs):
    return [data(y) for y in outputs] if isinstance(outputs, list) else getattr(outputs, "data", outputs)


def loss_of(outputs):
    """A made-up loss in which every output counts differently."""
    pairs = zip(outputs, counted(outputs), strict=True)
    return autograd.sum([y * weight for row, weights in pairs for y, weight in zip(row, weights, strict=True)])


def table_of(vectors):
    table = Embedding(len(vectors), len(vectors[0]))
    for parameter, number in zip(table.parameters(), chain(*vectors), strict=True):
        parameter.data = number
    return table


def test_outputs_and_vectors_are_pytorchs_over_100_steps():
    table = table_of(VECTORS)
    for step in range(1, STEPS + 1):
        outputs = table(indices(step))
        numbers = data(outputs)  # the outputs are the vectors' own Values, which move
        table.zero_grad()
        loss_of(outputs).backward()
        for parameter in table.parameters():
            parameter.data -= BASE_LR * parameter.grad
        if str(step) in PYTORCH["embedding"]:
            figures = PYTORCH["embedding"][str(step)]
            assert numbers == close(figures["outputs"])
            assert data(table.weight) == close(figures["vectors"])


def close(rows):
    return [pytest.approx(row, rel=EQUAL, abs=EQUAL) for row in rows]


# By its definition


@given(st.integers(1, 5), st.integers(1, 4), st.data())
def test_the_output_is_the_vectors_of_the_indices_end_to_end(choices, dim, draws):
    table = Embedding(choices, dim)
    row = draws.draw(st.lists(st.integers(0, choices - 1), max_size=4))
    assert table.forward(row) == [x for index in row for x in table.weight[index]]
    assert len(table.parameters()) == choices * dim


@pytest.mark.parametrize(
    "batch",
    [
        [[2, 0], [1, 1]],
        [[2.0, 0.0], [1.0, True]],
        np.array([[2, 0], [1, 1]]),
        np.array([[2, 0], [1, 1]], dtype=np.float32),
        pd.DataFrame({"first": [2, 1], "second": [0, 1]}),
    ],
)
def test_indices_of_every_kind_are_the_same_indices(batch):
    table = table_of([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert data(table(batch)) == [[5.0, 6.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]


def test_one_bare_index_gives_its_vector():
    table = table_of([[1.0, 2.0], [3.0, 4.0]])
    assert data(table(1)) == data(table([1])) == [3.0, 4.0]
    assert Embedding(3, 1)(2).operation == ""


def test_the_vectors_start_as_normal_numbers_from_the_generator():
    numbers = list(Embedding(100, 100, rng=random.Random(0)).state_dict().values())
    rng = random.Random(0)
    assert numbers == [rng.gauss(0.0, 1.0) for _ in range(10_000)]
    assert statistics.fmean(numbers) == pytest.approx(0.0, abs=0.04)  # 4 standard deviations of a mean of 10,000
    assert statistics.stdev(numbers) == pytest.approx(1.0, abs=0.04)


def test_without_a_generator_random_seed_decides():
    random.seed(3)
    first = Embedding(2, 2).state_dict()
    random.seed(3)
    assert Embedding(2, 2).state_dict() == first


# Gradients


@settings(max_examples=10)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3), min_size=1, max_size=2), st.booleans())
def test_the_gradient_of_the_vectors_is_right(rows, training):
    table = Embedding(3, 2, rng=random.Random(0)).train(training)
    gradcheck(lambda model: loss_of([[y * y for y in row] for row in model(rows)]), table)


@pytest.mark.parametrize("training", [True, False])
def test_the_gradients_of_a_network_that_starts_with_a_table_are_right(training):
    rng = random.Random(0)
    model = Sequential(Embedding(3, 2, rng=rng), Layer(4, 3, activation="tanh", rng=rng), Layer(3, 1, rng=rng))
    rows, targets = [[0, 2], [2, 2]], [1.0, -1.0]
    gradcheck(lambda network: mse_loss(network(rows), targets), model.train(training))


def test_what_was_not_looked_up_has_no_gradient_and_what_was_looked_up_twice_has_both():
    table = table_of([[1.0], [2.0], [3.0]])
    autograd.dot(table.forward([2, 0, 2]), [1.0, 10.0, 100.0]).backward()
    assert [vector[0].grad for vector in table.weight] == [10.0, 0.0, 101.0]


def test_a_table_learns_which_choices_are_alike():
    rng = random.Random(0)
    model = Sequential(Embedding(4, 2, rng=rng), Layer(2, 1, nonlin=False, rng=rng))
    X, Y = [[0], [1], [2], [3]], [1.0, -1.0, 1.0, -1.0]
    fit(
        model,
        X,
        Y,
        loss="mse_loss",
        optimizer=SGD(model.parameters(), lr=0.1),
        epochs=200,
        batch_size=4,
        progress=False,
    )
    assert predict(model, X) == pytest.approx(Y, abs=0.05)


# Saving, copying, drawing


def test_a_checkpoint_keeps_every_bit(tmp_path):
    model, path = Sequential(Embedding(3, 2), Layer(4, 2)), tmp_path / "model.json"
    save(model, path)
    other = load(path)
    assert other.state_dict() == model.state_dict()
    assert predict(other, [[0, 2]]) == predict(model, [[0, 2]])
    assert next(iter(model.state_dict())) == "layers.0.weight.0.0"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_computes_the_same_and_learns_alone(copied):
    table = Embedding(3, 2)
    other = copied(table)
    assert data(other([0, 1])) == data(table([0, 1]))
    assert not set(other.parameters()) & set(table.parameters())


def test_a_network_with_a_table_is_drawn_and_summed_up():
    model = Sequential(Embedding(3, 2), Layer(4, 2), Layer(2, 1))
    assert autograd.draw(model).source
    loss = mse_loss(model([[0, 1], [2, 2]]), [1.0, 2.0])
    loss.backward()
    assert "weight0.0.0" in autograd.draw(loss, model=model).source
    assert "Embedding" in model.summary()
    assert repr(Embedding(3, 2)) == "Embedding(3, 2)"


# Bad input


@pytest.mark.parametrize(
    ("index", "kind", "sentence"),
    [
        (3, IndexError, r"Embedding\(3, 2\) takes indices from 0 to 2; got 3"),
        (-1, IndexError, "takes indices from 0 to 2; got -1"),
        (1e300, IndexError, "takes indices from 0 to 2; got 1000"),
        (0.5, ValueError, "Embedding takes whole numbers as indices; got 0.5"),
        (math.nan, ValueError, "takes whole numbers as indices; got nan"),
        (math.inf, ValueError, "takes whole numbers as indices; got inf"),
        ("a", TypeError, r"Embedding's index takes a real number; got 'a' \(str\)"),
        (None, TypeError, "Embedding's index takes a real number; got None"),
        (Value(1.0), TypeError, "takes a real number; got Value.*; use v.data"),
    ],
)
def test_what_is_no_index_is_refused(index, kind, sentence):
    with pytest.raises(kind, match=sentence):
        Embedding(3, 2)([0, index])


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        ((0, 2), ValueError, "num_embeddings takes a whole number of at least 1; got 0"),
        ((2, 0), ValueError, "embedding_dim takes a whole number of at least 1; got 0"),
        ((2.0, 2), TypeError, "num_embeddings takes a whole number; got 2.0"),
        ((2, 2, True), TypeError, r"rng takes a seed, .*; got True \(bool\)"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments, kind, sentence):
    with pytest.raises(kind, match=sentence):
        Embedding(*arguments)
