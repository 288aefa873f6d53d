"""Are gradients of many numbers judged rightly, and is what is wrong in them found and named?"""

import math
import random
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd.testing import InconclusiveError, NotDeterministicError, WrongGradientError, check_gradient
from autograd.testing.any_gradient import ENTRY_BY_ENTRY
from autograd.testing.report import GradientReport

Gradient = Callable[..., Any]


def weights(n: int) -> Any:
    return np.random.default_rng(n).normal(size=n)


def f(x: Any) -> Any:
    return weights(x.size) @ np.tanh(x.reshape(-1)) + x.mean() ** 2


def df(x: Any) -> Any:
    return (weights(x.size) * (1.0 - np.tanh(x.reshape(-1)) ** 2)).reshape(x.shape) + 2.0 * x.mean() / x.size


def hashed(x: Any) -> float:
    """Noise between 0 and 1 that is the same for the same numbers."""
    return zlib.crc32(x.tobytes()) / 2**32


def changed(change: Callable[[Any], Any], gradient: Gradient = df) -> Gradient:
    """The gradient with its entries changed in place."""

    def wrong(x: Any) -> Any:
        g = gradient(x).copy()
        change(g.reshape(-1))
        return g

    return wrong


def enlarge(place: int, g: Any) -> None:
    g[place] *= 1.1


def refused(function: Any, gradient: Any, point: Any, **options: Any) -> GradientReport:
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(function, gradient, point, **options)
    report: GradientReport = caught.value.report
    assert report.wrong
    return report


def some_point(n: int) -> Any:
    return np.random.default_rng(n + 1).normal(size=n)


# One probe, and halves of it


@pytest.mark.parametrize("n", [ENTRY_BY_ENTRY + 1, 3_000])
def test_a_right_gradient_of_many_numbers_takes_three_directions(n: int) -> None:
    report = check_gradient(f, df, some_point(n), conclusive=True)
    assert len(report) == report.directions == 3
    assert report.total == n
    assert report.evaluations < 400
    assert str(report).startswith(f"check_gradient: {n:,} derivatives along 3 random directions, 3 right\n")


@settings(max_examples=12)
@given(st.integers(300, 1_000), st.data())
def test_each_of_a_few_wrong_entries_is_named_and_the_rest_is_right(n: int, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4, unique=True))
    factor = data.draw(st.sampled_from([2.0, 1.01, -1.0, 0.0]))

    def change(g: Any) -> None:
        g[places] = factor * g[places] + math.copysign(1e-2, factor - 1.0)

    report = refused(f, changed(change), some_point(n))
    assert {row.input for row in report.wrong} == {(place,) for place in places}
    assert report.unsettled == 0
    assert "all others are right along 3 random directions" in report.notes


def test_errors_of_the_same_size_do_not_cancel() -> None:
    def change(g: Any) -> None:
        g[10] += 0.5
        g[700] -= 0.5

    for seed in range(6):
        report = refused(f, changed(change), some_point(1_000), rng=random.Random(seed))
        assert {row.input for row in report.wrong} == {(10,), (700,)}


def test_calls_grow_with_the_logarithm_of_the_size() -> None:
    def calls(n: int) -> int:
        return refused(f, changed(lambda g: g.__setitem__(n // 3, 2.0 + g[n // 3])), some_point(n)).evaluations

    assert calls(20_000) < calls(500) + 300


def test_of_very_many_wrong_entries_eight_are_listed_and_the_others_counted() -> None:
    report = refused(f, changed(lambda g: np.multiply(g, 2.0, out=g)), some_point(1_000))
    assert len(report.wrong) == 8
    assert report.unsettled == 992
    assert "of 4 others that were tried in x, 4 are wrong" in report.notes
    assert "\n  992 others may be wrong too\n" in report.failure


def test_an_array_that_is_wrong_as_a_whole_is_named_and_the_other_is_not() -> None:
    def function(weight: Any, bias: Any) -> Any:
        return f(weight) + f(bias)

    report = refused(function, lambda weight, bias: (df(weight), 3.0 * df(bias)), (some_point(900), some_point(600)))
    assert {row.input[0] for row in report.wrong} == {1}
    assert report.unsettled == 592
    assert "what else may be wrong: 592 of x1" in report.notes


def test_one_of_a_group_of_wrong_ones_too_small_to_be_seen_alone_is_still_wrong() -> None:
    errors = 3e-7 * np.sign(weights(1_000))

    def rough(x: Any) -> Any:
        return f(x) + 1e-9 * hashed(x)

    report = refused(rough, changed(lambda g: np.add(g, errors, out=g)), some_point(1_000), noise=1e-9)
    assert all("inputs, random direction" in row.name for row in report.wrong)


# What hides what


def test_a_forgotten_gradient_beside_much_larger_ones_is_found() -> None:
    def function(large: Any, small: Any) -> Any:
        return 1e8 * f(large) + 1e-6 * f(small)

    def gradient(large: Any, small: Any) -> Any:
        return 1e8 * df(large), 1e-6 * df(small)

    point = (some_point(600), some_point(300))
    check_gradient(lambda large, small: 1e8 * f(large), lambda large, small: (1e8 * df(large), 0 * small), point)
    check_gradient(function, gradient, point)
    refused(lambda x, y: f(x) + 1e-6 * f(y), lambda x, y: (df(x), 0 * y), point)


def test_numbers_of_very_different_size_are_moved_by_their_own() -> None:
    sizes = 10.0 ** np.random.default_rng(5).uniform(-8.0, 8.0, 500)

    def logs(x: Any) -> Any:
        return np.log(x) @ weights(500)

    def inverse(x: Any) -> Any:
        return weights(500) / x

    check_gradient(logs, inverse, sizes, conclusive=True)
    for place in (0, 100, 499):
        wrong = changed(partial(enlarge, place), inverse)
        assert [row.input for row in refused(logs, wrong, sizes).wrong] == [(place,)]


def test_kinks_at_the_point_do_not_hide_a_wrong_entry() -> None:
    """The slopes to either side of |x| at 0 leave much room between them."""
    point = some_point(1_000)
    point[300:800] = 0.0

    def lasso(x: Any) -> Any:
        return f(x) + 10.0 * abs(x).sum()

    def subgradient(x: Any) -> Any:
        return df(x) + 10.0 * np.sign(x)

    report = check_gradient(lasso, subgradient, point)
    assert any("at kinks" in note and "500 of x" in note for note in report.notes)
    wrong = changed(lambda g: g.__setitem__(299, 1.01 * g[299]), subgradient)
    assert [row.input for row in refused(lasso, wrong, point).wrong] == [(299,)]


def test_slopes_at_kinks_that_are_chosen_in_different_ways_are_not_wrong() -> None:
    """At 0 the derivative of |x| may be 0, and that of relu too; along (1, 1) |x| - 2 relu(y) is smooth, with -1."""

    def function(x: Any, y: Any) -> Any:
        return f(x) + abs(x).sum() - 2.0 * np.maximum(y, 0.0).sum()

    def gradient(x: Any, y: Any) -> Any:
        return df(x) + np.sign(x), np.where(y > 0.0, -2.0, 0.0)

    check_gradient(function, gradient, (np.zeros(150), np.zeros(150)))


def test_infinite_slopes_and_the_ends_of_a_domain_are_no_errors() -> None:
    point = abs(some_point(1_000))
    point[[5, 500]] = 0.0
    with np.errstate(all="ignore"):
        check_gradient(lambda x: np.sqrt(x).sum(), lambda x: 0.5 / np.sqrt(x), point)
    check_gradient(lambda x: (x * np.sqrt(x)).sum(), lambda x: 1.5 * np.sqrt(x), point, conclusive=True)


def test_entries_that_are_nan_are_found() -> None:
    report = refused(f, changed(lambda g: g.__setitem__([3, 30], math.nan)), some_point(1_000))
    assert {row.input for row in report.wrong} == {(3,), (30,)}
    report = refused(f, changed(lambda g: g.__setitem__(slice(20), math.nan)), some_point(1_000))
    assert len(report.wrong) == 8
    assert report.unsettled == 12


def test_one_jump_does_not_hide_the_others() -> None:
    point = some_point(500)
    point[77] = 0.0

    def function(x: Any) -> Any:
        return f(x) + (x[77] >= 0.0)

    check_gradient(function, df, point)
    wrong = changed(lambda g: g.__setitem__(200, 1.01 * g[200] + 0.01))
    assert [row.input for row in refused(function, wrong, point).wrong] == [(200,)]


# Jacobians


def vector(x: Any) -> Any:
    return np.tanh(MATRIX @ x)


def jacobian(x: Any) -> Any:
    return (1.0 - np.tanh(MATRIX @ x)[:, None] ** 2) * MATRIX


MATRIX = np.random.default_rng(3).normal(size=(40, 30)) / 5.0


def test_a_jacobian_is_checked_by_weights_of_its_results() -> None:
    point = some_point(30)
    report = check_gradient(vector, jacobian, point, conclusive=True)
    assert report.total == 1_200
    assert report.evaluations < 400
    report = refused(vector, changed(lambda g: g.__setitem__(30 * 17 + 4, 3.0), jacobian), point)
    assert [(row.output, row.input, row.derivative) for row in report.wrong] == [((17,), (4,), 3.0)]
    assert report.unsettled == 0


def test_many_results_of_one_number_are_checked_together() -> None:
    slopes = np.linspace(1.0, 2.0, 1_000)
    check_gradient(lambda x: np.sin(slopes * x), lambda x: slopes * np.cos(slopes * x), 0.7)
    wrong = changed(lambda g: g.__setitem__(123, -1.0), lambda x: slopes * np.cos(slopes * x))
    report = refused(lambda x: np.sin(slopes * x), wrong, 0.7)
    assert [row.output for row in report.wrong] == [(123,)]


# float32, noise, randomness


@pytest.mark.parametrize("seed", range(6))
def test_right_gradients_in_float32_pass_and_a_wrong_entry_is_found(seed: int) -> None:
    point = np.random.default_rng(seed).normal(size=400).astype(np.float32)
    w = weights(400).astype(np.float32)

    def gradient(x: Any) -> Any:
        return w * (1 - np.tanh(x) ** 2)

    check_gradient(lambda x: w @ np.tanh(x), gradient, point)
    largest = int(np.argmax(abs(gradient(point))))
    wrong = changed(lambda g: g.__setitem__(largest, 2.0 * g[largest]), gradient)
    assert [row.input for row in refused(lambda x: w @ np.tanh(x), wrong, point).wrong] == [(largest,)]


def test_a_given_noise_allows_for_the_rounding_of_the_moved_point() -> None:
    point = 1e6 + some_point(500)
    for seed in range(10):
        check_gradient(lambda x: np.sin(x - 1e6).sum(), lambda x: np.cos(x - 1e6), point, 0.0, rng=random.Random(seed))


def test_what_is_too_noisy_is_inconclusive_and_exact_to_accepts_it() -> None:
    def noisy(x: Any) -> Any:
        return f(x) + 1e-5 * hashed(x)

    report = check_gradient(noisy, df, some_point(1_000))
    assert report.inconclusive
    with pytest.raises(InconclusiveError, match="exact_to="):
        check_gradient(noisy, df, some_point(1_000), conclusive=True)


def test_what_could_not_be_seen_is_said() -> None:
    [note] = [note for note in check_gradient(f, df, some_point(1_000)).notes if "could not be seen" in note]
    limit = float(note.split()[6])
    assert limit < 1e-6
    refused(f, changed(lambda g: g.__setitem__(400, g[400] + 2.0 * limit)), some_point(1_000))


def test_directions_are_the_same_each_time_and_others_with_an_rng() -> None:
    def claimed(rng: random.Random | None) -> list[float]:
        return [row.derivative for row in check_gradient(f, df, some_point(500), rng=rng)]

    assert claimed(None) == claimed(None)
    assert claimed(random.Random(1)) == claimed(random.Random(1)) != claimed(None)


def test_a_gradient_that_is_random_is_called_so_whatever_its_size() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(NotDeterministicError, match=r"df at .* and, called again, "):
        check_gradient(f, lambda x: rng.normal(size=x.size), some_point(1_000))


# The rounding of inputs


def test_a_large_gradient_whose_digits_cancel_is_not_wrong_but_a_wrong_one_is() -> None:
    point = 1e5 + some_point(1_000)

    def gradient(x: Any) -> Any:
        return 2.0 * (x - x.mean())

    def function(x: Any) -> Any:
        return ((x - x.mean()) ** 2).sum()

    check_gradient(function, gradient, point)
    wrong = changed(lambda g: g.__setitem__(10, 1.001 * g[10]), gradient)
    assert [row.input for row in refused(function, wrong, point).wrong] == [(10,)]


def test_an_entry_that_is_wrong_at_this_point_only_is_found() -> None:
    point = some_point(1_000)

    def at_this_point(x: Any) -> Any:
        g = df(x)
        g[x == point] *= np.where(np.arange(x.size) == 123, 1.5, 1.0)[x == point]
        return g

    assert [row.input for row in refused(f, at_this_point, point).wrong] == [(123,)]
