"""Does `check_gradient` serve somebody who only has functions of numbers and arrays?"""

import math
import random
import re
import types
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from autograd.testing import (
    InconclusiveError,
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongGradientError,
    check_gradient,
    inputs,
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
    ("a tuple", lambda *x: rosenbrock(x), lambda *x: rosenbrock_gradient(x), (1.0, 2.0)),
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
        check_gradient(f, lambda *x: np.asarray(df(*x)) * 1.01, point)


@settings(max_examples=100)
@given(st.lists(st.floats(-10.0, 10.0), min_size=2, max_size=5), st.integers(0, 4))
@example([0.99999, 1.0], 0)  # the slopes of both sides are off by 100 times their distance: nearly all digits cancel
def test_one_wrong_entry_is_found_among_right_ones(x: list[float], place: int) -> None:
    place %= len(x)

    def wrong(x: list[float]) -> list[float]:
        gradient = rosenbrock_gradient(x)
        gradient[place] += 1e-3 * (1.0 + abs(gradient[place]))
        return gradient

    check_gradient(rosenbrock, rosenbrock_gradient, x)
    with pytest.raises(
        WrongGradientError, match=rf"^1 of {len(x)} derivatives is .*\n  d f/d x\[{place}\]  \(wrong\)\n"
    ):
        check_gradient(rosenbrock, wrong, x)


def test_the_message_shows_both_numbers_and_the_line_that_repeats_it() -> None:
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(rosenbrock, lambda x: [0.0, 0.0], [2.0, 3.0])
    message = str(caught.value)
    assert "d f/d x[0]  (wrong)\n    gradient 0\n" in message
    assert "numeric  802 +-" in message
    assert "reproduce: check_gradient(rosenbrock, lambda x: [0.0, 0.0], [2.0, 3.0])" in message
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
    (TypeError, "takes two functions and a point; got 3 as df", abs, 3, 1.0),
    (TypeError, "numbers and NumPy arrays have none; got 1.0: give df", abs, None, 1.0),
    (TypeError, "f must return real numbers, .*; got None: is a return missing", lambda x: None, abs, 1.0),
    (TypeError, "f must return real numbers, .*; got complex", lambda x: 1j, abs, 1.0),
    (TypeError, "df must return real numbers, .*; got 'a'", abs, lambda x: "a", 1.0),
    (TypeError, "takes at least one number as the point; got only 'a'", abs, abs, "a"),
    (ValueError, r"made of finite numbers; got nan at x\[0\]", abs, abs, [math.nan]),
    (TypeError, r"f returned \[\], which holds no number", lambda x: [], abs, 1.0),
    (TypeError, "df returned None, and not the derivative: is a return missing", abs, lambda x: None, 1.0),
    (ValueError, "but what f returns has 2 parts", lambda x: [[1.0], [1.0, 2.0]], abs, 1.0),
    (ValueError, "at least one number as the point; it is empty", abs, abs, []),
    (ValueError, r"df returned the shape \(1,\), but f has .*: return \(2,\)", sum, lambda x: [1.0], [1.0, 2.0]),
    (UndefinedPointError, "f at -1.0 raised ValueError: math domain error", math.sqrt, abs, -1.0),
    (UndefinedPointError, "f at -1.0 is nan; choose a point where it is finite", np.sqrt, abs, -1.0),
    (NotDeterministicError, "seed its random numbers anew", lambda x: x * random.random(), abs, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "sentence", "f", "df", "point"), BAD)
def test_bad_input_gets_a_sentence(kind: type[Exception], sentence: str, f: Any, df: Any, point: Any) -> None:
    with pytest.raises(kind, match=sentence):
        check_gradient(f, df, point)


# Large problems


def test_a_number_is_found_by_its_place_in_a_row() -> None:
    where = inputs.Inputs(np.zeros((20, 20)), "check_gradient")
    assert where.place(21) == (1, 1)
    assert where.moved(21, 5.0)[0][1, 1] == 5.0


# Rounding


def variance_gradient(x: Any) -> Any:
    return 2.0 * (x - x.mean()) / x.size


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e5])
@pytest.mark.parametrize("seed", range(5))
def test_a_gradient_whose_digits_cancel_is_not_wrong_but_a_wrong_one_is(shift: float, seed: int) -> None:
    point = shift + np.random.default_rng(seed).uniform(-1.0, 1.0, 5)
    check_gradient(np.var, variance_gradient, point)
    with pytest.raises(WrongGradientError, match="5 of 5 derivatives"):
        check_gradient(np.var, lambda x: variance_gradient(x) * (1.0 + 1e-6), point)


@pytest.mark.parametrize("jumps_at", [1.0, 1.0 + 2.0**-52, 1.0 - 2.0**-53])
def test_a_wrong_gradient_that_jumps_near_the_point_is_not_excused_by_rounding(jumps_at: float) -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(lambda x: 0.5 * (x - 1.0) ** 2 + x, lambda x: 2.0 if x >= jumps_at else 3.0, 1.0)


def test_a_wrong_slope_at_a_kink_is_not_excused_by_rounding() -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(abs, lambda x: math.copysign(1.5, x), 0.0)


def test_a_gradient_that_is_random_is_called_so() -> None:
    with pytest.raises(NotDeterministicError, match=r"df at 1\.0 was .* and, called again, "):
        check_gradient(math.sin, lambda x: random.random(), 1.0)


def test_numbers_that_look_the_same_are_printed_with_all_digits() -> None:
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(lambda x: x * x / 2.0, lambda x: x * (1.0 + 1e-10), 1.2345)
    assert "gradient 1.2345000001234" in str(caught.value)
    assert "\n    numeric  1.2345 +-" not in str(caught.value)
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(abs, lambda x: 1.0 + 1e-12, 0.0)
    assert "gradient 1.0000000000010001\n" in str(caught.value)
    assert all(len(line) <= 80 for line in str(caught.value).splitlines())


# The kinds of point


class Place(NamedTuple):
    x: float
    y: float


KINDS: list[tuple[Any, Any]] = [
    ([(1.0, 2.0), (3.0, 4.0)], [(1.0, 2.0), (3.0, 4.0)]),
    (Place(1, 2), Place(1.0, 2.0)),
    ([1, 2], [1.0, 2.0]),
    ([np.float32(1.0), 2.0], [np.float32(1.0), 2.0]),
    (np.array(3.0, dtype=np.float32), np.array(3.0, dtype=np.float32)),
    (np.array(3), np.array(3.0)),
    (np.float64(2.0), np.float64(2.0)),
    ([np.array([1.0, 2.0]), np.array([3.0, 4.0])], [np.array([1.0, 2.0]), np.array([3.0, 4.0])]),
]


def kind(x: Any) -> Any:
    inside = [kind(each) for each in x] if isinstance(x, list | tuple) else getattr(x, "dtype", None)
    return type(x), inside


@pytest.mark.parametrize(("point", "expected"), KINDS, ids=lambda x: repr(x)[:30])
def test_a_point_arrives_as_what_it_is(point: Any, expected: Any) -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x)
        return np.sum(np.asarray(x, dtype=float) ** 2)

    report = check_gradient(f, lambda x: 2.0 * np.asarray(x), point)
    assert all(entry.verdict == "right" for entry in report)
    assert {repr(kind(x)) for x in seen} == {repr(kind(expected))}


class Tensor:
    """What a tensor of another library looks like."""

    __module__ = "tensorflow.nothing"
    dtype, shape = "float32", (2,)


@pytest.mark.parametrize("point", [{1.0}, frozenset([1.0]), Tensor(), [{1.0}]], ids=lambda x: type(x).__name__)
def test_other_kinds_of_point_are_refused(point: Any) -> None:
    with pytest.raises(TypeError, match=r"arrays as the point, and a tuple as the arguments; x(\[0\])? is a \w+"):
        check_gradient(abs, abs, point)


def test_tensors_are_refused_with_the_name_of_their_library() -> None:
    with pytest.raises(TypeError, match=r"x is a Tensor of tensorflow: turn it into a NumPy array, x\.numpy\(\)"):
        check_gradient(abs, abs, Tensor())


@pytest.mark.parametrize("noise", ["x", -1, True, math.nan, math.inf, [1.0]], ids=repr)
def test_noise_is_a_number_of_at_least_0(noise: Any) -> None:
    with pytest.raises(ValueError, match="check_gradient takes a noise of at least 0, or None; got"):
        check_gradient(math.sin, math.cos, 1.0, noise)


@pytest.mark.parametrize("number", [np.float32(3e38), np.float16(6e4), np.array([3e38], dtype=np.float32)], ids=repr)
def test_nothing_warns_near_the_largest_number_of_a_type(number: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gradient(np.sum, np.ones_like, number)
        check_gradient(lambda x: np.sum(np.tanh(x)), np.zeros_like, number)


# Functions that do something else near the point


def test_another_shape_near_the_point_is_named() -> None:
    sentence = (
        r"f returned the shape \(1,\), but the shape \(2,\) at the point itself; it must be the same near the point, "
        r"with x = 0\.9\d+ in place of 1\.0 at the point 1\.0"
    )
    with pytest.raises(TypeError, match=sentence):
        check_gradient(lambda x: [x, x] if x == 1.0 else [x], lambda x: [1.0, 1.0], 1.0)


def test_an_error_of_f_says_which_entry_was_moved() -> None:
    def f(x: Any) -> Any:
        if x[1] != 2.0:
            raise NameError("not here")
        return x[0]

    with pytest.raises(NameError) as caught:
        check_gradient(f, lambda x: [1.0, 0.0], [1.0, 2.0])
    [note] = caught.value.__notes__
    assert re.match(r"check_gradient called f with x\[1\] = (1\.9|2\.0)\d+ ", note)
    assert note.endswith("in place of 2.0 at the point [1.0, 2.0]")


def test_a_table_that_ends_is_the_end_of_the_domain() -> None:
    table = [0.0, 1.0, 4.0, 9.0]

    def interpolated(x: float) -> float:
        k = math.floor(x)
        return table[k] + (x - k) * (table[k + 1] - table[k])

    assert check_gradient(interpolated, lambda x: 3.0, 1.6)[0].verdict == "right"
    with pytest.raises(WrongGradientError):
        check_gradient(interpolated, lambda x: 4.0, 1.6)


def test_a_report_that_cannot_tell_says_what_the_function_raised() -> None:
    def f(x: float) -> float:
        return {1.0: 2.0}[x]

    report = check_gradient(f, lambda x: 1.0, 1.0)
    assert report.inconclusive
    assert any(re.match(r"f raised KeyError: .* with x = ", note) for note in report.notes)


def test_what_cannot_be_settled_is_marked_and_raises_on_request() -> None:
    point = np.array([0.1, 3.0], dtype=np.float32)

    def f(x: Any) -> Any:
        return np.sum(np.tanh(x) ** 2)

    def df(x: Any) -> Any:
        return 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)

    assert "  d f/d x[1]  (inconclusive)\n" in str(check_gradient(f, df, point))
    with pytest.raises(InconclusiveError, match=r"could not be confirmed\n  d f/d x\[\d\]  \(inconclusive\)"):
        check_gradient(f, df, point, conclusive=True)
    check_gradient(f, df, point.astype(float), conclusive=True)


# What df claims


def newton(a: float, steps: int = 3) -> float:
    """The cube root of a, roughly."""
    x = 1.0
    for _ in range(steps):
        x -= (x**3 - a) / (3.0 * x * x)
    return x


def halved(a: float) -> float:
    """The root of x**3 + x = a in the middle of an interval of 1e-6."""
    low, high = 0.0, 4.0
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle**3 + middle < a else (low, middle)
    return 0.5 * (low + high)


def runge_kutta(rate: float) -> float:
    """exp(-rate) in ten steps of fourth order."""
    y = 1.0
    for _ in range(10):
        a = -rate * y
        b = -rate * (y + 0.05 * a)
        c = -rate * (y + 0.05 * b)
        d = -rate * (y + 0.1 * c)
        y += 0.1 * (a + 2 * b + 2 * c + d) / 6
    return y


SOLVERS: list[tuple[Any, Any, float]] = [
    (newton, lambda a: 1.0 / (3.0 * (a ** (1 / 3)) ** 2), 1.7),
    (runge_kutta, lambda rate: -math.exp(-rate), 1.3),
    (lambda x: round(math.sin(x), 4) + 1e-9 * x, math.cos, 1.0),
]


@pytest.mark.parametrize(("f", "df", "point"), SOLVERS, ids=["newton", "runge-kutta", "rounded"])
def test_the_remedy_that_a_message_names_works_and_hides_no_gross_error(f: Any, df: Any, point: float) -> None:
    try:
        report = check_gradient(f, df, point)
    except WrongGradientError as error:
        named = re.findall(r"(exact_to|noise)=(\S+)", str(error))
        assert named
        for name, number in named:
            options: dict[str, Any] = {name: float(number)}
            assert check_gradient(f, df, point, **options).passed
            with pytest.raises(WrongGradientError):
                check_gradient(f, lambda x: 1.5 * df(x), point, **options)
    else:
        assert not report.wrong


def test_an_interval_that_is_halved_is_a_staircase_and_needs_to_be_told_its_noise() -> None:
    def slope(a: float) -> float:
        return 1.0 / (3.0 * halved(a) ** 2 + 1.0)

    assert check_gradient(halved, slope, 2.3, 1e-6).passed
    with pytest.raises(WrongGradientError):
        check_gradient(halved, lambda a: 2.0 * slope(a), 2.3, 1e-6)


@pytest.mark.parametrize("wrong", [lambda x: 2.0 * math.cos(x), lambda x: -math.cos(x), lambda x: 0.0])
def test_a_plain_mistake_is_offered_no_way_out(wrong: Any) -> None:
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(math.sin, wrong, 1.0)
    assert "exact_to=" not in str(caught.value).replace("reproduce", "")
    assert "noise=" not in str(caught.value)


@settings(max_examples=20)
@given(st.lists(st.floats(-2.0, 2.0), min_size=2, max_size=4), st.integers(0, 3), st.sampled_from([1e-4, 1e-6]))
def test_exact_to_allows_a_part_of_the_largest_derivative_and_no_more(x: list[float], place: int, part: float) -> None:
    place %= len(x)
    size = max(map(abs, rosenbrock_gradient(x)))

    def off_by(share: float) -> Callable[[list[float]], list[float]]:
        def gradient(x: list[float]) -> list[float]:
            found = rosenbrock_gradient(x)
            found[place] += share * part * (size + 1e-3)
            return found

        return gradient

    if size > 1.0:
        check_gradient(rosenbrock, off_by(0.9), x, exact_to=part)
        with pytest.raises(WrongGradientError):  # slopes nearby may be much larger than those at the point
            check_gradient(rosenbrock, off_by(500.0), x, exact_to=part)


@pytest.mark.parametrize("exact_to", ["x", -1, True, math.nan, 1.0, [1e-6]], ids=repr)
def test_exact_to_is_a_part(exact_to: Any) -> None:
    with pytest.raises(ValueError, match=r"check_gradient takes exact_to, .* between 0 and 1, such as 1e-6; got"):
        check_gradient(math.sin, math.cos, 1.0, exact_to=exact_to)


ZEROS: list[tuple[Any, Any, Any]] = [
    (lambda x: x**3, lambda x: 3.0 * x * x, 0.0),
    (math.cos, lambda x: -math.sin(x), 0.0),
    (lambda x: (x - 1.0) ** 2, lambda x: 2.0 * (x - 1.0), 1.0),
    (lambda x: np.sum(x**4), lambda x: 4.0 * x**3, np.zeros(3)),
    (lambda x: np.tanh(x[0]) * x[1], lambda x: [x[1] / np.cosh(x[0]) ** 2, np.tanh(x[0])], [0.0, 0.0]),
]


@pytest.mark.parametrize(("f", "df", "point"), ZEROS)
def test_zeros_can_be_confirmed(f: Any, df: Any, point: Any) -> None:
    check_gradient(f, df, point, conclusive=True)


# Wrong at one point


ONE_POINT: list[tuple[Any, Any, Any]] = [
    (lambda x: x**2, lambda x: 100.0 if x == 3 else 2.0 * x, 3.0),
    (lambda x: x * abs(x), lambda x: 2.0 * abs(x) if x else 1.0, 0.0),
    (lambda x: max(x, 0.0), lambda x: 5.0 if x == 0.0 else float(x > 0.0), 0.0),
    (abs, lambda x: 5.0 if x == 0.0 else math.copysign(1.0, x), 0.0),
    (lambda x, y: x * y, lambda x, y: (y if x else 0.0, x), (0.0, 2.0)),
    (lambda x, y: max(x, y), lambda x, y: (1.0, 1.0) if x == y else (float(x > y), float(y > x)), (2.0, 2.0)),
    (lambda x: np.sum(x * x), lambda x: np.where(x == 2.0, 1.0, 2.0 * x), np.array([1.0, 2.0, 3.0])),
]


@pytest.mark.parametrize(("f", "df", "point"), ONE_POINT)
def test_a_gradient_that_is_wrong_at_one_point_only_is_found(f: Any, df: Any, point: Any) -> None:
    if f is not ONE_POINT[5][0]:  # of equal operands both may have the whole slope: each row lies between its slopes
        with pytest.raises(WrongGradientError):
            check_gradient(f, df, point)


# Arguments by keyword


def test_derivatives_by_keywords_are_checked_too() -> None:
    def f(x: Any, scale: Any, power: int = 2) -> Any:
        return scale * np.sum(x**power)

    def df(x: Any, scale: Any, power: int = 2) -> Any:
        return scale * power * x ** (power - 1), {"scale": np.sum(x**power)}

    point = np.array([1.0, 2.0])
    report = check_gradient(f, df, point, keywords={"scale": np.array(3.0), "power": 3})
    assert [row.name for row in report] == ["x[0]", "x[1]", "scale"]
    with pytest.raises(WrongGradientError, match=r"d f/d scale  \(wrong\)"):
        check_gradient(f, lambda x, scale, power: (df(x, scale, power)[0], {"scale": 0.0}), point,
                       keywords={"scale": np.array(3.0), "power": 3})  # fmt: skip


def test_without_a_point_it_says_how_it_is_called() -> None:
    with pytest.raises(TypeError, match=r"takes a point: check_gradient\(f, df, point\), or"):
        check_gradient(math.sin, math.cos)


def test_a_gradient_that_is_wrong_because_it_is_made_of_integers_is_told_so() -> None:
    with pytest.raises(WrongGradientError, match="df returned integers"):
        check_gradient(lambda x: (x * x).sum(), lambda x: (2.0 * x).astype(int), np.array([0.75, 1.5]))


# Ties

TIES: list[tuple[Any, Any, Any]] = [
    (lambda x: np.max(x), lambda x: (x == x.max()).astype(float), np.array([1.5, 0.5, 1.5])),
    (lambda x: np.min(x), lambda x: (x == x.min()).astype(float), np.array([0.5, 0.5])),
    (lambda x: max(x[0], x[1]) * x[2], lambda x: [x[2], x[2], max(x[0], x[1])], [2.0, 2.0, 3.0]),
    (lambda x: abs(x[0] - x[1]), lambda x: [1.0, 1.0], [2.0, 2.0]),
]


@pytest.mark.parametrize(("f", "df", "point"), TIES)
def test_derivatives_at_a_tie_must_be_right_together(f: Any, df: Any, point: Any) -> None:
    with pytest.raises(WrongGradientError, match="together, each moved up"):
        check_gradient(f, df, point)


def test_every_right_choice_at_a_tie_passes() -> None:
    for share in (0.0, 0.25, 1.0):
        df = lambda x, share=share: [share * x[2], (1.0 - share) * x[2], max(x[0], x[1])]  # noqa: E731
        check_gradient(TIES[2][0], df, TIES[2][2])
    check_gradient(lambda x: abs(x[0]) - 2.0 * max(x[1], 0.0), lambda x: [0.0, 0.0], [0.0, 0.0])


@pytest.mark.parametrize("keywords", [3, [1.0], {1: 2.0}, "abc"])
def test_keywords_that_are_none(keywords: Any) -> None:
    with pytest.raises(TypeError, match="takes keywords, a dict of arguments by name, such as"):
        check_gradient(math.sin, math.cos, 1.0, keywords=keywords)


def test_an_object_that_hides_arrays_is_named() -> None:
    hidden = types.SimpleNamespace(w=np.ones(1))
    report = check_gradient(lambda layer, x: (layer.w * x).sum(), lambda layer, x: layer.w, (hidden, np.ones(1)))
    assert report.notes == ["x0 (SimpleNamespace) is left alone, although it holds arrays: give those in a dict"]
    with pytest.raises(TypeError, match=r"x .SimpleNamespace. is left alone, although it holds arrays"):
        check_gradient(lambda layer: layer.w.sum(), lambda layer: 1.0, hidden)


@pytest.mark.parametrize("shape", [(12, 15), (20, 30)], ids=["one by one", "along directions"])
@pytest.mark.parametrize("part", [np.s_[3], np.s_[:, 3]], ids=["row", "column"])
def test_wrong_entries_that_share_a_row_or_a_column(shape: tuple[int, int], part: Any) -> None:
    def gradient(point: Any) -> Any:
        found = 2.0 * point["w"]
        found[part] *= 1.01
        return {"w": found}

    w = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(lambda point: (point["w"] ** 2).sum(), gradient, {"w": w})
    where = "x['w'][3, :], row 3" if part == 3 else "x['w'][:, 3], column 3"
    assert f"all wrong ones that were found lie in {where}" in caught.value.report.notes


def test_heads_are_no_wider_than_a_terminal() -> None:
    key = "the weights of the second layer of the network that is to be trained"
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(lambda d: {key: d[key] ** 2}, lambda d: {key: {key: d[key]}}, {key: 1.5})
    report = caught.value.report
    assert max(map(len, str(report).splitlines()[:-1])) <= 80
