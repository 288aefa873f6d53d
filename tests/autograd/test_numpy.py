"""Do NumPy's numbers and arrays work with Values, and never end up inside one?"""

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.testing import assert_close_ulp, assert_same_float

SCALARS = [
    *(np.float64(2.5), np.float32(2.5), np.float16(2.5), np.longdouble(2.5), np.int8(2), np.int64(2), np.uint8(2)),
    *(np.bool_(True), np.array(2.5), np.array(2)),
]
MIXED = {
    "add": (lambda x, y: x + y),
    "sub": (lambda x, y: x - y),
    "mul": (lambda x, y: x * y),
    "div": (lambda x, y: x / y),
    "pow": (lambda x, y: x**y),
    "floor_divide": (lambda x, y: x // y),
    "remainder": (lambda x, y: x % y),
}


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: f"{s.dtype}{s.ndim}")
@pytest.mark.parametrize("operator", MIXED.values(), ids=MIXED)
def test_every_kind_of_scalar_on_either_side_gives_a_value(operator, scalar):
    v, number = Value(3.0), float(scalar)
    for node, expected in ((operator(v, scalar), operator(3.0, number)), (operator(scalar, v), operator(number, 3.0))):
        assert type(node) is Value
        assert type(node.data) is float
        assert_same_float(node, expected)
        assert node.parents == (v,)
        assert all(type(d) is float for d in node.local_derivatives)
        assert all(isinstance(x, Value) or type(x) is float for x in node.operands)


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: f"{s.dtype}{s.ndim}")
def test_comparisons_with_scalars_go_by_data(scalar):
    assert bool(scalar < Value(100.0))
    assert Value(100.0) > scalar


def test_functions_of_scalars_give_plain_floats():
    for scalar in SCALARS:
        assert type(autograd.tanh(scalar)) is float
        assert type(autograd.dot([scalar], [2.0])) is float
        assert type(Value(scalar).data) is float


@pytest.mark.parametrize(
    "array", [np.array([1.0, 2.0]), np.array([1.0]), np.zeros((2, 2)), np.array([1 + 2j]), np.complex64(1)]
)
def test_a_value_never_holds_an_array(array):
    with pytest.raises(TypeError, match=r"Value\(data\) takes a real number; got "):
        Value(array)
    v = Value(1.0)
    with pytest.raises(TypeError):
        v.data = array
    with pytest.raises(TypeError):
        autograd.tanh(array)


def test_text_and_masked_numbers_are_no_numbers():
    for bad in (np.array("2.5"), np.ma.masked):
        with pytest.raises(TypeError, match=r"Value\(data\) takes a real number"):
            Value(bad)
    with pytest.raises(TypeError, match=r"dot\(\.\.\.\) takes a real number"):
        autograd.dot(np.ma.array([1.0, 2.0], mask=[1, 1]), [Value(1.0), Value(2.0)])


def test_arrays_of_values():
    A = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(0.5), Value(-0.5)])
    plain = np.array([0.5, -0.5])
    assert A.dtype == object
    numbers = np.vectorize(lambda v: v.data)
    data = numbers(A)
    for result, expected in [
        (A + 1.0, data + 1.0),
        (2.0 - A, 2.0 - data),
        (A * plain, data * plain),
        (plain * A, data * plain),
        (A / np.float64(2.0), data / 2.0),
        (A @ x, data @ plain),
        (A @ plain, data @ plain),
        (plain @ A, plain @ data),
        (np.exp(A), np.exp(data)),
        (np.tanh(A), np.tanh(data)),
        (np.sqrt(A), np.sqrt(data)),
        (np.arctan(A), np.arctan(data)),
        (np.arctan2(A, A + 1.0), np.arctan2(data, data + 1.0)),
        (np.hypot(A, 2.0 * A), np.hypot(data, 2.0 * data)),
        (A**2, data**2),
        (np.abs(-A), data),
        (Value(2.0) * data, 2.0 * data),
        (data - Value(2.0), data - 2.0),
    ]:
        assert result.dtype == object
        assert all(type(v) is Value for v in result.flat)
        assert_close_ulp(result, expected, ulp=2)  # NumPy has its own functions, and adds products in its own order
    total = np.sum(np.tanh(A @ x))
    assert type(total) is Value
    total.backward()
    assert all(v.grad != 0.0 for v in A.flat)


def test_rows_of_an_array_are_inputs():
    w = [Value(1.0), Value(2.0)]
    node = autograd.dot(w, np.array([3, 4]), Value(0.0))
    assert node.data == 11.0
    assert all(type(d) is float for d in node.local_derivatives)
    assert autograd.dot(np.array(w), np.array([3.0, 4.0])).data == 11.0
    assert autograd.sum(np.array([1.0, 2.0])) == 3.0
