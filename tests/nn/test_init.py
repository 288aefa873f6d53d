"""Do the initialisers draw what they promise, in the promised order?"""

import math
import random
import statistics

import pytest
from hypothesis import given, strategies as st

from nn import MLP, Layer, Neuron, Sequential, init

FAN_IN, FAN_OUT = 30, 20
DRAWS = 20_000

# For each name: the variance that its source promises, and the bound of the uniform ones (a uniform number within
# +-bound has variance bound**2 / 3).
PROMISED = {
    "he_normal": (2.0 / FAN_IN, math.inf),
    "he_uniform": (2.0 / FAN_IN, math.sqrt(6.0 / FAN_IN)),
    "xavier_normal": (2.0 / (FAN_IN + FAN_OUT), math.inf),
    "xavier_uniform": (2.0 / (FAN_IN + FAN_OUT), math.sqrt(6.0 / (FAN_IN + FAN_OUT))),
    "lecun_normal": (1.0 / FAN_IN, math.inf),
    "lecun_uniform": (1.0 / FAN_IN, math.sqrt(3.0 / FAN_IN)),
    "uniform": (1.0 / 3.0, 1.0),
    "micrograd": (1.0 / 3.0, 1.0),
}


def weights(model):
    return [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]


def test_every_initialiser_is_tested_here():
    assert PROMISED.keys() == init.INITIALISERS.keys()


@pytest.mark.parametrize("name", PROMISED)
def test_mean_variance_and_bounds_are_as_promised(name):
    variance, bound = PROMISED[name]
    rng = random.Random(0)
    drawn = [init.INITIALISERS[name](FAN_IN, FAN_OUT, rng) for _ in range(DRAWS)]
    # 4 standard deviations of the mean, and of the variance of normal numbers (that of uniform ones is smaller)
    assert abs(statistics.fmean(drawn)) < 4.0 * math.sqrt(variance / DRAWS)
    assert abs(statistics.pvariance(drawn) / variance - 1.0) < 4.0 * math.sqrt(2.0 / DRAWS)
    assert max(map(abs, drawn)) <= bound
    if bound < math.inf:
        assert max(drawn) > 0.99 * bound  # of 20,000 numbers some are near the ends
        assert min(drawn) < -0.99 * bound
    else:
        assert max(map(abs, drawn)) > 3.0 * math.sqrt(variance)  # as 54 of 20,000 normal numbers are


@pytest.mark.parametrize("name", PROMISED)
def test_a_layer_gives_its_widths_to_the_initialiser(name):
    variance, _ = PROMISED[name]
    drawn = weights(Sequential(*(Layer(FAN_IN, FAN_OUT, init=name, rng=random.Random(i)) for i in range(20))))
    assert statistics.pvariance(drawn) == pytest.approx(variance, rel=4.0 * math.sqrt(2.0 / len(drawn)))


@given(st.floats(-5.0, 5.0), st.floats(0.0, 5.0), st.integers(0, 2**32))
def test_uniform_stays_between_low_and_high(low, width, seed):
    drawn = init.uniform(low, low + width)(1, 1, random.Random(seed))
    assert low <= drawn <= low + width


def test_normal_has_the_deviation_it_is_given():
    rng = random.Random(0)
    drawn = [init.normal(0.25)(1, 1, rng) for _ in range(DRAWS)]
    assert statistics.pstdev(drawn) == pytest.approx(0.25, rel=4.0 / math.sqrt(2.0 * DRAWS))


def test_biases_start_at_zero():
    for name in PROMISED:
        assert {n.b.data for layer in MLP(3, [4, 2], init=name).layers for n in layer.neurons} == {0.0}


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        ("relu", "he_uniform"),
        ("leaky_relu", "he_uniform"),
        ("gelu", "he_uniform"),
        ("tanh", "xavier_uniform"),
        ("sigmoid", "xavier_uniform"),
    ],
)
def test_without_a_name_the_activation_chooses_and_the_last_layer_is_linear(activation, name):
    chosen = MLP(3, [4, 2], activation=activation, rng=random.Random(0))
    hidden = Layer(3, 4, init=name, rng=(rng := random.Random(0)))
    last = Layer(4, 2, nonlin=False, init="xavier_uniform", rng=rng)
    assert weights(chosen) == weights(Sequential(hidden, last))


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(0, 2**32))
def test_weights_are_drawn_layer_by_layer_neuron_by_neuron(sizes, seed):
    model = MLP(sizes[0], sizes[1:], init="micrograd", rng=random.Random(seed))
    rng = random.Random(seed)
    assert weights(model) == [rng.uniform(-1.0, 1.0) for _ in weights(model)]


def test_an_initialiser_of_ones_own_is_called_for_each_weight_with_both_fans():
    calls = []

    def counted(fan_in, fan_out, rng):
        calls.append((fan_in, fan_out))
        return len(calls)

    model = MLP(3, [2, 1], init=counted)
    assert weights(model) == list(range(1, 9))
    assert calls == [(3, 2)] * 6 + [(2, 1)] * 2


def test_without_a_generator_weights_come_from_pythons_random():
    random.seed(5)
    first = weights(MLP(2, [3, 1]))
    random.seed(5)
    assert weights(MLP(2, [3, 1])) == first
    assert weights(MLP(2, [3, 1])) != first


def test_a_neuron_alone_counts_as_a_layer_of_one():
    neuron = Neuron(3, init="xavier_uniform", rng=random.Random(0))
    assert [w.data for w in neuron.w] == weights(Sequential(Layer(3, 1, init="xavier_uniform", rng=random.Random(0))))
