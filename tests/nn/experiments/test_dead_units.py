"""Does a high learning rate kill ReLU units for good, and a low one none, whatever the seed?"""

import random
from functools import cache

import pytest

from nn import MLP, SGD, cross_entropy
from nn.experiments.dead_units import Watch, dead_units, is_dead
from tests.sampling import SEEDS


@cache
def result_of(seed):
    return dead_units(seed, progress=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_high_rate_kills_at_least_half_of_the_units(seed):
    high = result_of(seed).high
    assert len(high.dead) == 9
    assert len(set(high.dead[-1]) - set(high.dead[0])) >= 10
    assert set(high.dead[-1]) <= {f"layers.0.neurons.{i}" for i in range(20)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_unit_that_is_dead_after_an_epoch_is_dead_after_all_later_ones(seed):
    for run in (result_of(seed).high, result_of(seed).low):
        for earlier, later in zip(run.dead, run.dead[1:], strict=False):
            assert set(earlier) <= set(later)
        assert run.revived == []
    assert result_of(seed).high.dead[1]  # so that it was seen for seven epochs


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dead_units_gradient_is_exactly_0_and_its_weights_do_not_change_by_a_bit(seed):
    high, low = result_of(seed).high, result_of(seed).low
    assert {high.gradients[name] for name in high.dead[-1]} == {0.0}
    assert high.moved == []
    assert min(low.gradients.values()) > 0.0  # a living unit's is not


@pytest.mark.parametrize("seed", SEEDS)
def test_the_low_rate_kills_none_and_learns_the_digits(seed):
    result = result_of(seed)
    assert result.low.dead[0] == result.high.dead[0]  # the same start
    assert all(dead == result.low.dead[0] for dead in result.low.dead)
    assert result.low.accuracies[0] == result.high.accuracies[0]
    assert result.low.accuracies[-1] >= 0.7
    assert result.high.accuracies[-1] <= result.chance + 0.2 < 0.4
    assert all(claim.holds for claim in result.claims())


def test_the_text_fits_a_terminal_and_the_figure_is_drawn():
    pytest.importorskip("matplotlib")
    result = result_of(0)
    assert max(map(len, str(result).splitlines())) <= 80
    assert [len(ax.get_lines()) for ax in result.plot().axes] == [2, 3]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    settings = {"examples": 30, "hidden": 4, "epochs": 2, "progress": False}
    assert dead_units(3, **settings) == dead_units(3, **settings)
    assert dead_units(3, **settings) != dead_units(4, **settings)


def test_where_no_unit_dies_no_claim_about_the_dead_is_made_true():
    result = dead_units(examples=30, hidden=4, high_rate=0.01, low_rate=0.01, epochs=1, progress=False)
    assert result.high == result.low
    assert [claim.holds for claim in result.claims()[:3]] == [False, False, False]


def test_a_weighted_sum_of_0_is_dead_and_the_least_bit_above_is_not():
    unit = MLP(1, [1, 1], init=lambda *_: 1.0).layers[0].neurons[0]
    assert is_dead(unit, [[-1.0], [0.0]])
    assert not is_dead(unit, [[-1.0], [5e-324]])


def test_the_watch_sees_a_unit_revive_and_its_weights_change():
    X, y = [[1.0], [2.0]], [0, 1]
    model = MLP(1, [2, 2], rng=random.Random(0))
    first, second = model.layers[0].neurons
    first.w[0].data, second.w[0].data = -1.0, 1.0
    watch = Watch(model, X, y)
    cross_entropy(model(X), y).backward()
    SGD(model.parameters(), lr=1.0).step()  # cannot move the dead one
    assert (first.w[0].data, first.b.data) == (-1.0, 0.0)
    first.b.data = 3.0  # but a hand can
    watch.look(model)
    result = watch.result(1.0)
    assert result.dead[0] == ["layers.0.neurons.0"]
    assert "layers.0.neurons.0" in result.revived
    assert "layers.0.neurons.0.b" in result.moved
    assert "layers.0.neurons.0.w.0" not in result.moved
