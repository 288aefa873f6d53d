"""A seed stands for a generator, wherever `rng` is taken."""

import random

import numpy as np
import pytest

import nn
from nn.datasets.split import train_validation_test_split
from nn.randomness import random_source

X, Y = [[float(i), float(i * i % 7)] for i in range(20)], [i % 2 for i in range(20)]


def numbers(model):
    return [p.data for p in model.parameters()]


@pytest.mark.parametrize(
    "made",
    [
        lambda rng: numbers(nn.MLP(3, [4, 4, 2], rng=rng)),
        lambda rng: numbers(nn.Layer(3, 4, rng=rng)),
        lambda rng: numbers(nn.Neuron(3, rng=rng)),
        lambda rng: numbers(nn.Embedding(3, 2, rng=rng)),
        lambda rng: nn.Dropout(0.5, rng=rng)([1.0] * 20),
        lambda rng: nn.MLP(3, [4, 4, 2], dropout=0.5, rng=rng)([1.0, 2.0, 3.0])[0].data,
        lambda rng: nn.datasets.make_moons(10, noise=0.1, rng=rng),
        lambda rng: nn.datasets.make_circles(10, noise=0.1, rng=rng),
        lambda rng: nn.datasets.make_spirals(10, noise=0.1, rng=rng),
        lambda rng: train_validation_test_split(X, Y, rng=rng),
        lambda rng: nn.fit(nn.MLP(2, [2], rng=0), X, Y, loss="cross_entropy", epochs=2, validation=0.2, rng=rng).epochs,
    ],
)
def test_a_seed_gives_what_its_generator_gives(made):
    state = random.getstate()
    assert made(5) == made(random.Random(5)) == made(np.int64(5))
    assert made(6) != made(5)
    assert random.getstate() == state


def test_the_neurons_of_a_layer_are_not_alike():
    layer = nn.Layer(3, 4, rng=0)
    assert len({tuple(p.data for p in neuron.w) for neuron in layer.neurons}) == 4


@pytest.mark.parametrize("rng", ["0", 1.0, True, [0], object()])
def test_what_is_neither_is_refused(rng):
    with pytest.raises(TypeError, match=r"rng takes a seed, .* or a random\.Random; got .*: pass rng=0"):
        random_source(rng)
    with pytest.raises(ValueError, match=r"rng takes a seed, .* or a random\.Random; got -1"):
        random_source(-1)


def test_generators_of_numpy_are_taken_and_each_call_draws_anew():
    for make in (np.random.default_rng, np.random.RandomState):
        source = make(0)
        first, second = random_source(source).random(), random_source(source).random()
        assert first != second
        assert random_source(make(0)).random() == first
        assert nn.MLP(2, [3, 1], rng=make(1)).state_dict() == nn.MLP(2, [3, 1], rng=make(1)).state_dict()
