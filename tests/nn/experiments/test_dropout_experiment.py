"""Overfitting and dropout: judged by the measurements, for five seeds, and the network at 1.0 by hand."""

import io
import random
from functools import cache

import pytest

from nn.experiments.dropout import DropoutCompared, digits_in_parts, dropout, mislabelled
from tests.sampling import SEEDS

FEW = {"examples": 20, "wrong_labels": 4, "unseen": 30, "hidden": 8, "epochs": 1, "progress": False}


@cache
def compared(seed: int) -> DropoutCompared:
    return dropout(seed, progress=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_dropout_it_knows_the_wrong_labels_by_heart_too(seed: int) -> None:
    none = compared(seed).networks[0]
    assert none.p == 0.0
    assert none.accuracy > 1.0 - 0.5 * 15 / 50  # most of the 15 wrong labels are among what it says
    assert none.validation_accuracy < none.accuracy - 0.2
    assert none.validation_loss > 5.0 * none.loss


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gap_shrinks_as_more_is_dropped(seed: int) -> None:
    gaps = [net.validation_loss - net.loss for net in compared(seed).networks]
    assert gaps == sorted(gaps, reverse=True)
    assert len(set(gaps)) == len(gaps) == 4
    assert gaps[0] > 1.0 > 0.5 > gaps[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_some_dropout_is_better_than_none_on_unseen_images(seed: int) -> None:
    none, *between, _ = compared(seed).networks
    assert min(net.validation_loss for net in between) < none.validation_loss - 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_at_1_the_weights_before_the_layer_get_no_gradient_at_all(seed: int) -> None:
    *others, everything = compared(seed).networks
    assert everything.p == 1.0
    assert everything.gradients == [0.0] * (65 * 32)
    assert everything.moved == 0.0
    assert all(net.gradient > 0.0 and net.moved > 0.1 for net in others)


@pytest.mark.parametrize("seed", SEEDS)
def test_at_1_nothing_is_learned(seed: int) -> None:
    *others, everything = compared(seed).networks
    assert everything.answers == 1
    assert all(net.answers > 1 for net in others)
    assert everything.validation_accuracy < 0.25  # the weights are the random ones of the start


@pytest.mark.parametrize("seed", SEEDS)
def test_the_claims_hold_and_the_table_fits_80_columns(seed: int) -> None:
    result = compared(seed)
    assert len(result.claims()) == 5
    assert all(claim.holds for claim in result.claims())
    assert all(len(line) <= 80 for line in str(result).splitlines())


def test_it_is_drawn() -> None:
    figure = compared(0).plot()
    assert len(figure.axes) == 3
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    assert picture.getvalue()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    once, again, other = (dropout(seed, ps=(0.0, 0.5, 1.0), **FEW) for seed in (3, 3, 4))  # type: ignore[arg-type]
    assert once == again != other


def test_claims_that_do_not_hold_say_no() -> None:
    claims = dropout(0, ps=(0.0, 0.5, 1.0), **FEW).claims()  # type: ignore[arg-type]
    assert not claims[0].holds  # after one epoch nothing is known by heart
    assert claims[3].holds


def test_exactly_so_many_labels_are_wrong_and_those_to_judge_by_are_right() -> None:
    train, validation = digits_in_parts(50, 200, random.Random(1))
    assert (len(train.X), len(validation.X)) == (50, 200)
    assert not {tuple(x) for x in train.X} & {tuple(x) for x in validation.X}
    labels = mislabelled(train.y, 15, random.Random(2))
    assert sum(a != b for a, b in zip(labels, train.y, strict=True)) == 15
    assert set(labels) <= set(range(10))


@pytest.mark.parametrize(
    "ps", [(0.0, 1.0), (0.1, 0.5, 1.0), (0.0, 0.5, 0.9), (0.0, 0.6, 0.3, 1.0), (0.0, 0.5, 0.5, 1.0)]
)
def test_probabilities_that_do_not_rise_from_0_to_1_are_refused(ps: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="ps takes at least three probabilities that rise from"):
        dropout(0, ps=ps, progress=False)
