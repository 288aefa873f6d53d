"""Does dropout drop at random in training, at the extremes exactly, and do nothing in evaluation?"""

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd import Value
from nn import MLP, SGD, Dropout, Layer, Sequential, fit, mse_loss

examples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8)
seeds = st.integers(0, 2**32)
probabilities = st.floats(0.0, 1.0)


def data(outputs):
    return [data(y) for y in outputs] if isinstance(outputs, list) else getattr(outputs, "data", outputs)


@given(examples)
def test_p_0_is_the_identity_and_draws_nothing(row):
    rng = random.Random(1)
    x = [Value(number) for number in row]
    assert Dropout(0.0, rng=rng).forward(x) == x  # the very Values
    assert rng.getstate() == random.Random(1).getstate()


@given(examples, probabilities)
def test_evaluation_is_the_identity_and_draws_nothing(row, p):
    rng = random.Random(1)
    x = [Value(number) for number in row]
    assert Dropout(p, rng=rng).eval().forward(x) == x
    assert rng.getstate() == random.Random(1).getstate()


@given(examples, seeds)
def test_p_1_gives_zeros_and_exactly_zero_gradient_to_its_inputs(row, seed):
    x = [Value(number) for number in row]
    outputs = Dropout(1.0, rng=random.Random(seed)).forward(x)
    assert [y.data for y in outputs] == [0.0] * len(x)
    for y in outputs:
        y.backward(1e300)
    assert [v.grad for v in x] == [0.0] * len(x)


def test_with_p_1_only_the_biases_after_the_last_dropout_learn():
    model = MLP(2, [3, 3, 1], dropout=1.0, activation="tanh", rng=random.Random(0))
    before = model.state_dict()
    loss = mse_loss(model([[1.0, -2.0], [0.5, 3.0]]), [5.0, 7.0])
    loss.backward()
    after = {name: p.grad for name, p in model.named_parameters()}
    assert {name for name, grad in after.items() if grad} == {"layers.2.neurons.0.b"}
    fit(model, [[1.0, -2.0], [0.5, 3.0]], [5.0, 7.0], loss="mse_loss", epochs=100, batch_size=2, progress=False,
        optimizer=SGD(model.parameters(), lr=0.1))  # fmt: skip
    changed = {name for name, number in model.state_dict().items() if number != before[name]}
    assert changed == {"layers.2.neurons.0.b"}
    assert model.layers[2].neurons[0].b.data == pytest.approx(6.0)  # the mean of the targets


@given(examples, st.floats(0.01, 0.99), seeds)
def test_each_number_is_dropped_or_scaled_and_its_gradient_too(row, p, seed):
    x = [Value(number) for number in row]
    outputs = Dropout(p, rng=random.Random(seed)).forward(x)
    for v, y in zip(x, outputs, strict=True):
        y.backward()
        assert v.grad in (0.0, 1.0 / (1.0 - p))
        assert y.data == v.data * v.grad


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_dropped_numbers_is_p_and_the_expectation_is_kept(p):
    count = 20_000
    outputs = Dropout(p, rng=random.Random(0)).forward([1.0] * count)
    dropped = outputs.count(0.0) / count
    deviation = math.sqrt(p * (1.0 - p) / count)
    assert abs(dropped - p) < 4.0 * deviation  # 4 standard deviations: one seed in 16,000 would be outside
    assert abs(statistics.fmean(outputs) - 1.0) < 4.0 * deviation / (1.0 - p)


@given(examples, st.floats(0.01, 0.99), seeds)
def test_masks_come_from_the_layers_generator_unit_by_unit(row, p, seed):
    rng = random.Random(seed)
    kept = [rng.random() >= p for _ in row]
    outputs = Dropout(p, rng=random.Random(seed)).forward([1.0] * len(row))
    assert [y != 0.0 for y in outputs] == kept


@given(st.integers(1, 5), st.integers(1, 5), seeds)
def test_masks_are_drawn_anew_example_by_example_and_step_by_step(count, width, seed):
    batch, one_by_one = Dropout(0.5, rng=random.Random(seed)), Dropout(0.5, rng=random.Random(seed))
    for _ in range(3):
        rows = batch.forward_batch([[1.0] * width] * count)
        assert rows == [one_by_one.forward([1.0] * width) for _ in range(count)]


def test_masks_differ_between_examples_and_between_steps():
    layer = Dropout(0.5, rng=random.Random(0))
    masks = [tuple(row) for _ in range(3) for row in layer([[1.0] * 40] * 3)]
    assert len(set(masks)) == 9  # two masks of 40 units are equal once in 2**40


@given(seeds)
def test_the_same_seed_gives_the_same_bits(seed):
    def outputs():
        model = MLP(2, [4, 4, 2], dropout=0.3, rng=random.Random(seed))
        return [data(model([[1.0, 2.0], [3.0, 4.0]])) for _ in range(2)]

    assert outputs() == outputs()


def test_without_a_generator_random_seed_decides():
    def outputs():
        random.seed(7)
        model = Sequential(Layer(2, 8), Dropout(0.5), MLP(8, [4, 1], dropout=0.5))
        return [data(model([1.0, 2.0])) for _ in range(5)]

    assert outputs() == outputs()


def test_a_generator_of_its_own_is_left_alone_by_pythons_random():
    model = MLP(2, [8, 1], dropout=0.5, rng=random.Random(0))
    other = MLP(2, [8, 1], dropout=0.5, rng=random.Random(0))
    state = random.getstate()
    first = [data(model([1.0, 2.0])) for _ in range(5)]
    assert random.getstate() == state
    random.random()
    assert [data(other([1.0, 2.0])) for _ in range(5)] == first


def test_the_layers_of_a_network_drop_independently():
    model = MLP(1, [40, 40, 1], dropout=0.5, rng=random.Random(0))
    first, second = (dropout.forward([1.0] * 40) for dropout in model.dropouts)
    assert first != second


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_dropped_number_is_0_whatever_it_was(number):
    assert Dropout(1.0)([number, 1.0]) == [0.0, 0.0]
    x = Value(number)
    output = Dropout(1.0)([x])
    output.backward()
    assert (output.data, x.grad) == (0.0, 0.0)
    assert output.parents == (x,)


def test_a_layer_behind_the_last_dropout_is_not_skipped():
    model = MLP(1, [1, 1], dropout=0.5).eval()
    model.load_state_dict(dict.fromkeys(model.state_dict(), 1.0))
    model.layers.append(Layer(1, 1, nonlin=False, init=lambda *_: 10.0))
    assert model([1.0]).data == 30.0  # 10 * (1 * (1 * 1 + 1) + 1)
    assert model.chain() == [model.layers[0], model.dropouts[0], *model.layers[1:]]


def test_numpys_numbers_are_probabilities_too():
    assert Dropout(np.float32(0.5)).p == 0.5
    assert type(MLP(1, [1, 1], dropout=np.float32(0.5)).config()["dropout"]) is float


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, math.inf, "0.5", None, True, Value(0.5), np.float64(2.0), [0.5]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"dropout takes a probability from 0\.0 to 1\.0; got"):
        Dropout(p)


def test_a_text_is_no_generator():
    with pytest.raises(TypeError, match=r"rng takes a seed, .* or a random.Random; got '0' \(str\): pass rng=0"):
        Dropout(0.5, rng="0")
