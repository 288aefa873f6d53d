"""Do too large weights keep a network from learning, and does each remedy alone help, whatever the seed?"""

import io
import math
import random
from functools import cache
from itertools import pairwise

import pytest

from nn import BatchNorm, Layer
from nn.experiments.exploding import exploding_gradients, network
from tests.sampling import SEEDS


@cache
def result_of(seed):
    return exploding_gradients(seed, progress=False)


def weights(network):
    return [w.data for layer in network.layers if isinstance(layer, Layer) for n in layer.neurons for w in n.w]


def test_the_networks_differ_in_one_thing_only():
    plain = network([64, 24, 24, 24, 5], 0.7, False, random.Random(0))
    normalised = network([64, 24, 24, 24, 5], 0.7, True, random.Random(0))
    assert weights(plain) == weights(normalised)
    assert [m for m in map(repr, normalised.layers) if "BatchNorm" not in m] == list(map(repr, plain.layers))
    assert [repr(m) for m in normalised.layers if isinstance(m, BatchNorm)] == ["BatchNorm(24)"] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_remedies_differ_in_one_thing_each(seed):
    result = result_of(seed)
    assert result.neither.learning_rate == result.batch_norm.learning_rate > result.lower_rate.learning_rate
    assert result.neither.start == result.lower_rate.start


@pytest.mark.parametrize("seed", SEEDS)
def test_activations_grow_from_hidden_layer_to_hidden_layer_and_with_batch_norm_they_do_not(seed):
    plain = result_of(seed).neither.start.activations[:-1]
    normalised = result_of(seed).batch_norm.start.activations[:-1]
    assert all(before < after for before, after in pairwise(plain))
    assert plain[-1] > 2.0 * plain[0]
    assert max(normalised) < 1.25 * min(normalised)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_at_least_five_times_as_large_without_batch_norm(seed):
    pairs = zip(result_of(seed).neither.start.gradients, result_of(seed).batch_norm.start.gradients, strict=True)
    assert all(plain >= 5.0 * normalised for plain, normalised in pairs)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_remedy_the_loss_is_never_below_that_of_guessing(seed):
    neither = result_of(seed).neither
    assert all(not loss < 0.95 * math.log(5) for loss in neither.losses)
    assert neither.accuracy <= result_of(seed).chance + 0.15 < 0.4


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("remedy", ["batch_norm", "lower_rate"])
def test_with_either_remedy_training_converges(seed, remedy):
    run = getattr(result_of(seed), remedy)
    assert len(run.losses) == 8
    assert run.accuracy >= 0.8
    assert run.loss < 0.5 * math.log(5)
    assert all(claim.holds for claim in result_of(seed).claims())


def test_the_text_fits_a_terminal_and_the_figure_is_drawn():
    pytest.importorskip("matplotlib")
    result = result_of(0)
    assert max(map(len, str(result).splitlines())) <= 80
    assert [len(ax.get_lines()) for ax in result.plot().axes] == [2, 2, 3]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    settings = {"examples": 20, "hidden": (4, 4), "epochs": 2, "lower_rate": 0.001, "progress": False}
    assert repr(exploding_gradients(3, **settings)) == repr(exploding_gradients(3, **settings))
    assert repr(exploding_gradients(3, **settings)) != repr(exploding_gradients(4, **settings))


def test_a_loss_that_is_no_number_any_more_is_shown_as_it_is():
    pytest.importorskip("matplotlib")
    settings = {"examples": 20, "hidden": (8, 8, 8), "epochs": 2, "progress": False}
    result = exploding_gradients(deviation=20.0, learning_rate=1e150, **settings)
    assert not math.isfinite(result.neither.losses[-1])
    assert "the loss is" in result.neither.stopped
    assert result.claims()[2].holds
    assert max(map(len, str(result).splitlines())) <= 80
    result.plot().savefig(io.BytesIO())
