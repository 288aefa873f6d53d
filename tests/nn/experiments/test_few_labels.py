"""Pseudo-labels: judged by the measurements, for five seeds."""

import io
import random
from functools import cache

import pytest

from nn.experiments.few_labels import FewLabels, confident, few_labels, parts, passes
from nn.neuron import MLP

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]  # a run takes some 8 seconds


@cache
def compared(seed: int) -> FewLabels:
    return few_labels(seed, progress=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_pseudo_labels_make_it_better_than_the_labels_alone(seed: int) -> None:
    result = compared(seed)
    assert (result.labels, result.unlabelled, result.test) == (100, 800, 897)
    assert result.pseudo > result.alone
    assert result.pseudo > result.start
    assert result.alone > 0.8  # the rival is no strawman


@pytest.mark.slow
def test_they_are_worth_more_than_a_point_on_average() -> None:
    assert sum(compared(seed).pseudo - compared(seed).alone for seed in range(5)) / 5 > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_pseudo_labels_are_many_and_mostly_right(seed: int) -> None:
    result = compared(seed)
    assert len(result.rounds) == 4
    last = result.rounds[-1]
    assert 300 <= last.taken <= 800
    assert 0.9 < last.right / last.taken < 1.0
    assert last.right / last.taken > result.start


@pytest.mark.parametrize("seed", SEEDS)
def test_the_claims_hold_and_the_table_fits_80_columns(seed: int) -> None:
    result = compared(seed)
    assert len(result.claims()) == 3
    assert all(claim.holds for claim in result.claims())
    assert all(len(line) <= 80 for line in str(result).splitlines())


def test_it_is_drawn() -> None:
    figure = compared(0).plot()
    assert len(figure.axes) == 2
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    assert picture.getvalue()


def quick(seed: int, **settings: float) -> FewLabels:
    few = {"unlabelled": 20, "hidden": 3, "steps": 2, "rounds": 2, "rounds_with_labels_only": 1}
    return few_labels(seed, **{**few, **settings}, progress=False)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    assert quick(3) == quick(3) != quick(4)


def test_the_two_differ_in_the_pseudo_labels_only() -> None:
    none = quick(3, threshold=1.1)
    assert none.rounds[-1].taken == 0
    assert none.pseudo == none.alone
    assert [claim.holds for claim in none.claims()] == [False, False, False]
    assert "NO: with pseudo-labels" in str(none)


def test_the_parts_share_no_image() -> None:
    from nn.datasets import load_digits

    labelled, pool, test = parts(10, 800, random.Random(5))
    assert sorted(labelled.X + pool.X + test.X) == sorted(load_digits().X)
    assert [labelled.y.count(digit) for digit in range(10)] == [10] * 10


def test_some_images_must_be_left_to_judge_by() -> None:
    with pytest.raises(ValueError, match="1697 images have no label, and some must be left to judge by"):
        parts(10, 1697, random.Random(0))


def test_there_must_be_a_round_with_pseudo_labels() -> None:
    with pytest.raises(ValueError, match="rounds takes a whole number of at least 3; got 2"):
        quick(0, rounds=2, rounds_with_labels_only=2)


def test_a_pass_has_every_example_once() -> None:
    order = passes(5, 12, random.Random(0))
    assert len(order) == 12
    assert sorted(order[:5]) == sorted(order[5:10]) == list(range(5))


def test_only_what_is_probable_enough_becomes_a_pseudo_label() -> None:
    model = MLP(1, [2], init=lambda *_: 0.0)
    model.layers[0].neurons[1].w[0].data = 1.0  # the logits of x are 0 and x
    assert confident(model, [[0.0], [3.0], [-3.0], [1.0]], 0.9) == {1: 1, 2: 0}
