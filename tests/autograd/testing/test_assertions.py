"""Do the assertions count in doubles, notice every difference, and say where it is?"""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd import Value
from autograd.testing import assert_close_ulp, assert_same_float, assert_same_gradients, ulp_distance
from nn import MLP

finite = st.floats(-1e308, 1e308)
inf, nan = math.inf, math.nan


def steps(x: float, count: int) -> float:
    for _ in range(count):
        x = math.nextafter(x, inf)
    return x


@given(finite, st.integers(0, 20))
def test_the_distance_counts_the_steps_between_doubles(x: float, count: int) -> None:
    y = steps(x, count)
    assert ulp_distance(x, y) == ulp_distance(y, x) == count or (x, y) == (0.0, -0.0)


@given(finite, finite, finite)
def test_distances_add_up_along_the_line(x: float, y: float, z: float) -> None:
    x, y, z = sorted((x, y, z))
    assert ulp_distance(x, z) == ulp_distance(x, y) + ulp_distance(y, z)


def test_the_distance_at_the_edges_of_the_doubles() -> None:
    assert ulp_distance(0.0, -0.0) == 0
    assert ulp_distance(1.7976931348623157e308, inf) == 1
    assert ulp_distance(-inf, inf) == 2 * 0x7FF0000000000000
    assert ulp_distance(nan, nan) == 0
    assert ulp_distance(nan, 1.0) == ulp_distance(inf, nan) == inf
    assert ulp_distance(Value(1.0), np.float64(1.0)) == 0
    with pytest.raises(TypeError, match="ulp_distance takes a real number; got '1'"):
        ulp_distance("1", 1.0)


@given(finite, st.integers(0, 8), st.integers(0, 8))
def test_close_means_at_most_so_many_ulp(x: float, distance: int, allowed: int) -> None:
    y = steps(x, distance)
    if distance <= allowed:
        assert_close_ulp(y, x, ulp=allowed)
    else:
        with pytest.raises(AssertionError):
            assert_close_ulp(y, x, ulp=allowed)


@given(st.floats(), st.floats())
def test_the_same_float_means_the_same_bits_but_for_nan(x: float, y: float) -> None:
    same = struct.pack("d", x) == struct.pack("d", y) or (math.isnan(x) and math.isnan(y))
    if same:
        assert_same_float(x, y)
    else:
        with pytest.raises(AssertionError):
            assert_same_float(x, y)


NESTED = {"w": [[1.0, 2.0], [3.0, 4.0]], "b": (Value(5.0, label="bias"), 6)}


def test_nested_structures_of_all_kinds_are_compared() -> None:
    assert_close_ulp(NESTED, {"b": [5.0, Value(6.0)], "w": np.array([[1.0, 2.0], [3.0, 4.0]])}, ulp=0)
    assert_same_float(np.array([Value(1.0), Value(-0.0)]), [1.0, -0.0])
    assert_same_float([], ())


@pytest.mark.parametrize(
    ("actual", "expected", "sentence"),
    [
        ({"w": [1.0, [2.0]]}, {"w": [1.0, [2.5]]}, r"^\['w'\]\[1\]\[0\] is 1125899906842624 ulp from"),
        ([Value(5.0, label="bias")], [6.0], r"^\[0\] \(bias\) is"),
        (1.0, nan, "^it is not what was expected; 4 are allowed\n  actual    1.0\n  expected  nan$"),
        (0.1, 0.2, "\n  actual    0.10000000000000001\n  expected  0.20000000000000001$"),
        ([1.0, 2.0, 3.0], [1.0, 0.0, 0.0], r"^\[1\].*\n  2 of 3 numbers differ; this is the first$"),
        ([1.0], [1.0, 2.0], "^it is a sequence of 1 where a sequence of 2 was expected$"),
        ([[1.0]], [1.0], r"^\[0\] is a sequence of 1 where one number was expected$"),
        (
            {"a": 1.0},
            {"b": 1.0},
            r"^it is a mapping with the keys \['a'\] where a mapping with the keys \['b'\] was expected$",
        ),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, "the keys"),
    ],
)
def test_a_difference_is_named_by_its_place(actual: object, expected: object, sentence: str) -> None:
    with pytest.raises(AssertionError, match=f"(?s){sentence}"):
        assert_close_ulp(actual, expected)


def test_the_signs_of_zeros_are_told_apart_on_request() -> None:
    assert_close_ulp(0.0, -0.0, ulp=0)
    with pytest.raises(AssertionError, match="another sign"):
        assert_same_float([0.0], [-0.0])


@pytest.mark.parametrize("wrong", ["1.0", None, 1j, {1.0}, [["a"]], np.array(["a"])])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="assert_close_ulp takes a real number"):
        assert_close_ulp(wrong, wrong)


@pytest.mark.parametrize("ulp", [-1, nan, "4", None])
def test_the_allowance_is_a_number_of_at_least_0(ulp: float) -> None:
    for check in (assert_close_ulp, assert_same_gradients):
        with pytest.raises(ValueError, match="at least 0; got"):
            check(1.0, 1.0, ulp=ulp)


def two_models() -> list[MLP]:
    models = [MLP(2, [3, 1]), MLP(2, [3, 1])]
    models[1].load_state_dict(models[0].state_dict())
    for model in models:
        model([1.0, -2.0]).backward()
    return models


def test_two_models_with_the_same_gradients_pass() -> None:
    one, other = two_models()
    assert_same_gradients(one, other)
    assert_same_gradients(one, other.parameters())
    assert_same_gradients(one.parameters(), [p.grad for p in other.parameters()])


def test_the_first_gradient_that_differs_is_named() -> None:
    one, other = two_models()
    name, parameter = list(other.named_parameters())[4]
    parameter.grad = steps(parameter.grad, 3)
    assert_same_gradients(one, other, ulp=3)
    with pytest.raises(AssertionError, match=rf"the gradient of \['{name}'\].* is 3 ulp from.*; 2 are allowed"):
        assert_same_gradients(one, other, ulp=2)
    with pytest.raises(AssertionError, match=r"the gradient of \[4\]"):
        assert_same_gradients(one.parameters(), other.parameters())


def test_models_of_different_size_have_different_gradients() -> None:
    with pytest.raises(AssertionError, match="it is a"):
        assert_same_gradients(MLP(2, [3, 1]), MLP(2, [4, 1]))


def test_gradients_are_compared_and_not_data() -> None:
    x, y = Value(1.0), Value(2.0)
    assert_same_gradients([x], [y])
    x.grad = -0.0
    assert_same_gradients(x, y)
    x.grad = 1.0
    with pytest.raises(AssertionError, match="the gradient of it is"):
        assert_same_gradients(x, y)
