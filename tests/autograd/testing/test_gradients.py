"""Does `check_gradient` serve somebody who only has functions of numbers and arrays?"""

import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd.testing import (
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongGradientError,
    check_gradient,
)

A = np.random.default_rng(0).normal(size=(3, 4))


def rosenbrock(x: Any) -> Any:
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def rosenbrock_gradient(x: Any) -> list[float]:
    gradient = [0.0] * len(x)
    for i, (a, b) in enumerate(pairwise(x)):
        gradient[i] += -400.0 * a * (b - a * a) - 2.0 * (1.0 - a)
        gradient[i + 1] += 200.0 * (b - a * a)
    return gradient


def softmax_loss(x: Any) -> Any:
    return np.log(np.sum(np.exp(x))) - x[1]


def softmax_loss_gradient(x: Any) -> Any:
    p = np.exp(x) / np.sum(np.exp(x))
    p[1] -= 1.0
    return p


RIGHT: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], Any]] = [
    ("a scalar", math.exp, math.exp, 1.3),
    ("an int point", lambda x: x**3, lambda x: 3 * x**2, 2),
    ("a list", rosenbrock, rosenbrock_gradient, [-1.2, 1.0, 0.5]),
    ("a tuple", rosenbrock, rosenbrock_gradient, (1.0, 2.0)),
    ("nested lists", lambda x: x[0][0] * x[1][1], lambda x: [[x[1][1], 0.0], [0.0, x[0][0]]], [[2.0, 3.0], [4.0, 5.0]]),
    ("an array", softmax_loss, softmax_loss_gradient, np.array([0.5, -1.0, 3.0])),
    ("an array of integers", lambda x: (x * x).sum(), lambda x: 2 * x, np.array([1, 2, 3])),
    ("a matrix", lambda x: np.sum(np.tanh(x)), lambda x: 1 / np.cosh(x) ** 2, np.array([[0.1, 2.0], [-3.0, 4.0]])),
    ("a Jacobian", lambda x: A @ x, lambda x: A, np.ones(4)),
    ("a vector of one number", lambda x: np.array([x, x * x]), lambda x: np.array([1.0, 2.0 * x]), 3.0),
    ("float32", lambda x: np.sum(np.sin(x)), np.cos, np.array([0.3, 1.0], dtype=np.float32)),
    ("a float32 scalar", np.exp, np.exp, np.float32(1.3)),
    ("an edge", math.sqrt, lambda x: 0.5 / math.sqrt(x), 1e-300),
    ("an infinite slope", np.sqrt, lambda x: np.inf, 0.0),
    ("a kink", abs, lambda x: 0.0, 0.0),
    ("large numbers", lambda x: x * x, lambda x: 2 * x, 1e150),
]


@pytest.mark.parametrize(("f", "df", "point"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_right_gradients_pass(f: Any, df: Any, point: Any) -> None:
    assert all(entry.verdict == "right" for entry in check_gradient(f, df, point))


@pytest.mark.parametrize(
    "row", [row for row in RIGHT if row[0] not in ("an infinite slope", "a kink")], ids=lambda r: r[0]
)
def test_the_same_gradients_off_by_one_in_a_hundred_fail(row: Any) -> None:
    _, f, df, point = row
    with pytest.raises(WrongGradientError, match="not what finite differences say"):
        check_gradient(f, lambda x: np.asarray(df(x)) * 1.01, point)


@settings(max_examples=100)
@given(st.lists(st.floats(-10.0, 10.0), min_size=2, max_size=5), st.integers(0, 4))
def test_one_wrong_entry_is_found_among_right_ones(x: list[float], place: int) -> None:
    place %= len(x)

    def wrong(x: list[float]) -> list[float]:
        gradient = rosenbrock_gradient(x)
        gradient[place] += 1e-3 * (1.0 + abs(gradient[place]))
        return gradient

    check_gradient(rosenbrock, rosenbrock_gradient, x)
    with pytest.raises(WrongGradientError, match=rf"^1 of {len(x)} derivatives is .*\n  d f/d x\[{place}\]\n"):
        check_gradient(rosenbrock, wrong, x)


def test_the_message_shows_both_numbers_and_the_line_that_repeats_it() -> None:
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(rosenbrock, lambda x: [0.0, 0.0], [2.0, 3.0])
    message = str(caught.value)
    assert "d f/d x[0]\n    gradient 0\n" in message
    assert "numeric  802 +-" in message
    assert "reproduce: check_gradient(rosenbrock, <lambda>, [2.0, 3.0])" in message
    assert len(caught.value.report) == 2


def test_a_report_prints_its_first_entries() -> None:
    lines = str(check_gradient(lambda x: A @ x, lambda x: A, np.ones(4))).splitlines()
    assert lines[0] == "check_gradient: 12 derivatives, 12 right"
    assert lines[-1] == "  and 4 more"
    assert all(len(line) <= 80 for line in lines)


def test_noise_can_be_given() -> None:
    def rounded(x: float) -> float:
        return round(math.sin(x), 6)

    check_gradient(rounded, math.cos, 1.0, noise=5e-7)
    with pytest.raises(WrongGradientError):
        check_gradient(rounded, lambda x: 1.01 * math.cos(x), 1.0, noise=5e-7)


def test_functions_are_called_with_the_kind_of_point_they_were_given() -> None:
    seen = set()

    def f(x: Any) -> Any:
        seen.add((type(x), getattr(x, "dtype", None)))
        return x.sum()

    check_gradient(f, np.ones_like, np.ones(3, dtype=np.float32))
    assert seen == {(np.ndarray, np.dtype(np.float32))}


def in_place(x: Any) -> Any:
    x[0] = 7.0
    return x.sum()


def test_a_point_changed_in_place_is_found_and_the_callers_is_kept() -> None:
    point = np.ones(2)
    with pytest.raises(InputChangedError, match="f changed the point in place to"):
        check_gradient(in_place, np.ones_like, point)
    with pytest.raises(InputChangedError, match="df changed the point in place"):
        check_gradient(np.sum, in_place, point)
    assert list(point) == [1.0, 1.0]


BAD: list[tuple[type[Exception], str, Any, Any, Any]] = [
    (TypeError, "takes two functions and a point; got 3 as f", 3, abs, 1.0),
    (TypeError, "takes two functions and a point; got None as df", abs, None, 1.0),
    (TypeError, r"f\(point\) must be made of real numbers; got None", lambda x: None, abs, 1.0),
    (TypeError, r"f\(point\) must be made of real numbers; got 1j", lambda x: 1j, abs, 1.0),
    (TypeError, r"df\(point\) must be made of real numbers; got 'a'", abs, lambda x: "a", 1.0),
    (TypeError, "the point must be made of real numbers; got 'a'", abs, abs, "a"),
    (TypeError, "made of finite numbers; got nan among them", abs, abs, [math.nan]),
    (TypeError, "a list of rows with different lengths", abs, abs, [[1.0], [1.0, 2.0]]),
    (ValueError, "at least one number as the point; it is empty", abs, abs, []),
    (ValueError, r"df returned the shape \(1,\), but f has .*: return \(2,\)", sum, lambda x: [1.0], [1.0, 2.0]),
    (UndefinedPointError, "f raised ValueError at -1.0: math domain error", math.sqrt, abs, -1.0),
    (UndefinedPointError, "f is nan at -1.0; choose a point where it is finite", np.sqrt, abs, -1.0),
    (NotDeterministicError, "seed its random numbers anew", lambda x: x * random.random(), abs, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "sentence", "f", "df", "point"), BAD)
def test_bad_input_gets_a_sentence(kind: type[Exception], sentence: str, f: Any, df: Any, point: Any) -> None:
    with pytest.raises(kind, match=sentence):
        check_gradient(f, df, point)
