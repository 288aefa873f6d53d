"""Do gradients vanish in a deep sigmoid network, and not with ReLU, whatever the seed?"""

import random
from functools import cache

import pytest

from nn.experiments.images import some_digits
from nn.experiments.vanishing import vanishing_gradients
from tests.sampling import SEEDS


@cache
def result_of(seed):
    return vanishing_gradients(seed, progress=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_sigmoids_the_gradient_fades_on_the_way_back_a_hundredfold(seed):
    gradients = result_of(seed).sigmoid.gradients
    assert gradients[0] > 0.0
    assert gradients[-1] >= 100.0 * gradients[0]
    assert gradients == sorted(gradients)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_relu_the_first_layers_gradient_is_of_the_lasts_order(seed):
    gradients = result_of(seed).relu.gradients
    assert 0.1 <= gradients[-1] / gradients[0] <= 10.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_layer_hardly_moves_with_sigmoids_and_moves_with_relu(seed):
    assert result_of(seed).sigmoid.moved[0] < 0.02
    assert result_of(seed).relu.moved[0] > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_relu_learns_the_digits_and_sigmoids_stay_near_chance(seed):
    result = result_of(seed)
    assert result.chance < 0.25
    assert result.relu.accuracy >= 0.75
    assert result.relu.loss < 0.5 * result.sigmoid.loss
    assert result.sigmoid.accuracy <= result.chance + 0.1
    assert all(claim.holds for claim in result.claims())


def test_the_text_fits_a_terminal_and_the_figure_is_drawn():
    pytest.importorskip("matplotlib")
    result = result_of(0)
    assert max(map(len, str(result).splitlines())) <= 80
    assert [len(ax.get_lines()) for ax in result.plot().axes] == [2, 2, 2]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    settings = {"examples": 20, "hidden": (4, 4), "epochs": 2, "progress": False}
    assert vanishing_gradients(3, **settings) == vanishing_gradients(3, **settings)
    assert vanishing_gradients(3, **settings) != vanishing_gradients(4, **settings)


def test_a_claim_that_does_not_hold_is_said_not_to():
    shallow = vanishing_gradients(examples=20, hidden=(4,), epochs=1, progress=False)
    assert not shallow.claims()[0].holds
    assert "NO: with sigmoids the first layer's gradient" in str(shallow)


def test_some_digits_are_as_many_as_asked_for_of_the_first_classes_alike():
    X, y = some_digits(33, 3, random.Random(0))
    assert len(X) == 33
    assert [y.count(digit) for digit in range(10)] == [11, 11, 11, 0, 0, 0, 0, 0, 0, 0]
    assert len(some_digits(1797, 10, random.Random(0)).y) == 1797
    with pytest.raises(ValueError, match="there are 1797 images of the digits 0 to 9; got examples=1798"):
        some_digits(1798, 10, random.Random(0))
