"""The autoencoder of the digits: judged by the measurements, for five seeds, and the linear code by NumPy's."""

import io
import random
from functools import cache

import numpy
import pytest

from nn.datasets import load_digits
from nn.experiments.autoencoder import (
    Autoencoder,
    autoencoder,
    mean_of,
    principal_components,
    squared_error,
    told_apart,
)

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]  # a run takes some 8 seconds


@cache
def learned(seed: int) -> Autoencoder:
    return autoencoder(seed, progress=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_unseen_images_are_drawn_better_than_by_the_mean_image(seed: int) -> None:
    result = learned(seed)
    error = squared_error(result.drawn, result.images)
    assert error == pytest.approx(result.network.unseen_error)
    assert error < 0.75 * result.mean.unseen_error
    assert result.mean.unseen_error < 1.1 * squared_error([mean_of(result.images)] * 200, result.images)


@pytest.mark.parametrize("seed", SEEDS)
def test_unseen_images_are_drawn_better_than_by_the_best_linear_code(seed: int) -> None:
    result = learned(seed)
    assert result.network.unseen_error < result.linear.unseen_error < result.mean.unseen_error
    assert result.network.error < result.linear.error < result.mean.error


@pytest.mark.parametrize("seed", SEEDS)
def test_the_code_tells_digits_apart_that_it_was_never_told(seed: int) -> None:
    result = learned(seed)
    assert len(result.codes) == len(result.digits) == 200
    assert {len(code) for code in result.codes} == {2}
    assert result.mean.right < 0.12
    assert result.network.right > 0.45
    # also by what the measurements have: the nearest of the other unseen images
    halves = result.codes[:100], result.digits[:100], result.codes[100:], result.digits[100:]
    assert told_apart(*halves) > 0.35


@pytest.mark.parametrize("seed", SEEDS)
def test_the_claims_hold_and_the_table_fits_80_columns(seed: int) -> None:
    result = learned(seed)
    assert len(result.claims()) == 3
    assert all(claim.holds for claim in result.claims())
    assert all(len(line) <= 80 for line in str(result).splitlines())


def test_it_is_drawn() -> None:
    figure = learned(0).plot()
    assert len(figure.axes) == 1 + 20  # the codes, ten images, and the same ten drawn again
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    assert picture.getvalue()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    few = {"examples": 20, "unseen": 20, "hidden": 3, "epochs": 1}
    once, again, other = (autoencoder(seed, **few, progress=False) for seed in (3, 3, 4))  # type: ignore[arg-type]
    assert once == again != other
    assert not all(claim.holds for claim in once.claims())


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_code_is_the_one_of_the_singular_value_decomposition(seed: int) -> None:
    X = load_digits().X
    train, unseen = X[100 * seed : 100 * seed + 300], X[1000:1100]
    code = principal_components(train, 2, random.Random(seed))
    mean = numpy.mean(train, axis=0)
    directions = numpy.linalg.svd(numpy.array(train) - mean)[2][:2]
    projected = (numpy.array(unseen) - mean) @ directions.T @ directions + mean
    best = float(numpy.mean((projected - numpy.array(unseen)) ** 2))
    assert squared_error(code.draw(code.encode(unseen)), unseen) == pytest.approx(best, rel=1e-3)
    for found, exact in zip(code.directions, directions, strict=True):
        assert abs(float(numpy.dot(found, exact))) == pytest.approx(1.0, abs=1e-2)


def test_most_of_the_nearest_decide_and_among_equals_the_nearest() -> None:
    known = [[float(i), 0.0] for i in range(6)]
    assert told_apart(known, [1, 2, 2, 2, 1, 1], [[0.0, 0.0]], [2]) == 1.0  # 1 and 1 against three times 2
    assert told_apart(known, [1, 2, 2, 1, 3, 1], [[0.0, 0.0]], [1]) == 1.0  # twice 1 and twice 2
