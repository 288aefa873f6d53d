"""Does a function of NumPy arrays give what NumPy gives, when it is compiled or differentiated?"""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings, strategies as st

pytest.importorskip("llvmlite")

import autograd
from autograd import RecordingError, Value, compile, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.testing import gradcheck
from tests.sampling import examples

X = np.array([3.0, 2.0, 1.0])
WEIGHTS = np.array([0.5, -1.5, 2.0])
MATRIX = np.array([[1.0, 0.5, -1.0], [0.0, 2.0, 0.5], [1.5, -0.5, 1.0]])

TO_VECTORS = {
    "tanh": lambda v, w: np.tanh(v),
    "sin": lambda v, w: np.sin(v) + w,
    "square": lambda v, w: v**2 / 4,
    "root": lambda v, w: np.sqrt(1 + v * w * v * w),
    "plus": lambda v, w: v + w,
    "times": lambda v, w: v * w,
    "minus a half": lambda v, w: 0.5 - v,
    "centred": lambda v, w: v - np.mean(v),
    "softmax": lambda v, w: np.exp(v) / np.sum(np.exp(v)),
    "weighted": lambda v, w: v * WEIGHTS,
    "matrix": lambda v, w: MATRIX @ v / 2,
    "dot": lambda v, w: np.dot(v, MATRIX) / 2,
    "turned": lambda v, w: v[::-1],
    "rolled": lambda v, w: np.concatenate([v[1:], v[:1]]),
    "summed": lambda v, w: np.cumsum(v),
    "where": lambda v, w: np.where(v > 0.3, v * w, w),
    "maximum": lambda v, w: np.maximum(v, w),
    "clip": lambda v, w: np.clip(v, -0.8, 0.9),
    "outer": lambda v, w: np.outer(v, w).sum(axis=0),
    "first": lambda v, w: v * w[0],
    "largest": lambda v, w: v - v.max(),
    "asarray": lambda v, w: v * np.asarray(w).mean(),
}
TO_NUMBERS = {
    "sum": lambda v: np.sum(v),
    "sum of squares": lambda v: ((v - 1) ** 2).sum(),
    "mean": lambda v: v.mean(),
    "dot": lambda v: v @ v,
    "variance": lambda v: np.var(v),
    "norm": lambda v: np.linalg.norm(v - 2.0),
    "max": lambda v: np.max(v),
    "product": lambda v: np.prod(1 + v / 4),
    "differences": lambda v: np.sum(np.diff(v) ** 2),
    "one": lambda v: v[1] * v[-1],
    "asarray": lambda v: np.asarray(v).sum(),
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(TO_VECTORS)), st.booleans()), max_size=4)
POINTS = st.lists(st.floats(-1.5, 1.5).map(lambda x: round(x, 3)), min_size=3, max_size=3).map(np.array)


def vector_function(steps):
    """The function of an array that takes these steps; each may read the array itself or what was computed before."""

    def f(x):
        before, v = x, x
        for name, of_x in steps:
            before, v = v, TO_VECTORS[name](v, x if of_x else before)
        return v

    return f


def differences(f, x, step):
    """The derivatives of f by central differences; those of each of its numbers stand in the last axis.

    Points where the differences on both sides disagree are left out: there is a corner, such as that of a maximum.
    """
    moved = step * np.eye(len(x))
    before, at, after = [np.asarray(f(x - d)) for d in moved], np.asarray(f(x)), [np.asarray(f(x + d)) for d in moved]
    for low, high in zip(before, after, strict=True):
        assume(np.allclose(at - low, high - at, rtol=1e-4, atol=30 * step**2))
    return np.stack([(high - low) / (2 * step) for low, high in zip(before, after, strict=True)], axis=-1)


@settings(max_examples=examples(60), deadline=None)
@given(STEPS, POINTS)
@example([("softmax", True)], X)
@example([("centred", True)], X)
@example([("asarray", True)], X)
def test_a_compiled_function_gives_what_numpy_gives(steps, x):
    f = vector_function(steps)
    program, other = compile(f), np.array([0.1, -0.7, 1.2])
    for point in (x, other):
        assert program(point) == pytest.approx(f(point), rel=1e-11, abs=1e-12)
    for found in (program.jacobian(x), jacobian(f)(x), compile(jacobian(f))(x)):
        assert found.shape == (3, 3)
        assert found == pytest.approx(differences(f, x, 1e-5), rel=1e-3, abs=1e-3)


@settings(max_examples=examples(45), deadline=None)
@given(STEPS, st.sampled_from(sorted(TO_NUMBERS)), POINTS)
@example([], "sum of squares", X)
@example([("softmax", True)], "asarray", X)
def test_gradients_are_those_of_numpys_function(steps, last, x):
    vector = vector_function(steps)

    def f(v):
        return TO_NUMBERS[last](vector(v))

    value, gradient = compile(value_and_grad(f))(x)
    assert type(value) is float
    assert value == pytest.approx(f(x), rel=1e-11, abs=1e-12)
    assert compile(f)(x) == value
    for other in (grad(f)(x), compile(grad(f))(x), compile(f).value_and_grad(x)[1], compile(f).jacobian(x)):
        assert other == pytest.approx(gradient, rel=1e-9, abs=1e-9)
    assert gradient == pytest.approx(differences(f, x, 1e-5), rel=1e-3, abs=1e-3)


@settings(max_examples=examples(15), deadline=None)
@given(STEPS.map(lambda steps: steps[:2]), st.sampled_from(sorted(TO_NUMBERS)), POINTS)
@example([], "sum of squares", X)
def test_hessians_are_those_of_numpys_function(steps, last, x):
    vector = vector_function(steps)

    def f(v):
        return TO_NUMBERS[last](vector(v))

    expected = differences(lambda z: differences(f, z, 1e-3), x, 1e-3)
    for found in (hessian(f)(x), compile(hessian(f))(x)):
        assert found.shape == (3, 3)
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert compile(lambda z, v: hvp(f, z, v))(x, WEIGHTS) == pytest.approx(found @ WEIGHTS, rel=1e-9, abs=1e-9)


REDUCTIONS = {
    "sum": np.sum,
    "method": lambda x: x.sum(),
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "norm": np.linalg.norm,
    "dot": lambda x: np.dot(x, x),
    "einsum": lambda x: np.einsum("i,i", x, x),
    "constant array": lambda x: np.sum(WEIGHTS * x),
    "array": lambda x: np.array(x).sum(),
    "ufunc": lambda x: np.add.reduce(x),
    "outer": lambda x: np.multiply.outer(x, x),
    "shape": lambda x: x * np.size(x),
    "caught": lambda x: swallowing(x),
}


def swallowing(x):
    try:
        return np.sum(x)
    except TypeError:
        return x


@pytest.mark.parametrize("f", REDUCTIONS.values(), ids=REDUCTIONS)
def test_what_needs_the_whole_array_gets_it(f):
    assert compile(f)(X) == pytest.approx(f(X), rel=1e-14)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "dot", "constant array", "array", "outer", "caught"])
def test_what_was_recorded_for_one_number_and_needs_the_whole_array_refuses_arrays(name):
    recorded = compile(REDUCTIONS[name])
    recorded(3.0)
    with pytest.raises(TypeError, match="was recorded with 1 number, and it does not do the same with each number"):
        recorded(X)


@pytest.mark.parametrize("name", ["shape", "sum", "__len__", "__iter__", "tolist"])
def test_a_function_that_asks_whether_it_got_an_array_is_told_that_it_did(name):
    def f(x):
        return x * (2 if hasattr(x, name) else 3)

    assert compile(f)(X).tolist() == f(X).tolist()
    compiled = compile(f)
    assert compiled(1.0) == 3.0
    with pytest.raises(TypeError, match=f"the attribute {name} needs the whole array"):
        compiled(X)


def test_what_is_the_same_for_each_number_takes_arrays_of_any_shape():
    for f in (np.tanh, lambda x: np.where(x > 1.5, x**2, -x), lambda x: np.clip(x, 1.5, 2.5) + np.round(x / 3, 0)):
        program = compile(f)
        for x in (X, np.outer(X, X), 2.5):
            assert program(x) == pytest.approx(f(x), rel=1e-14)


def test_several_arguments_are_arrays_together():
    def residuals(p, t, y):
        return p[0] * np.exp(-p[1] * t) - y

    p, t = np.array([3.0, 1.2]), np.linspace(0.0, 1.0, 4)
    assert compile(residuals)(p, t, t) == pytest.approx(residuals(p, t, t), rel=1e-14)
    assert compile(jacobian(residuals))(p, t, t) == pytest.approx(
        np.stack([np.exp(-1.2 * t), -3.0 * t * np.exp(-1.2 * t)], axis=1), rel=1e-13
    )
    assert compile(lambda p: np.sum(p["a"] * p["b"])).value_and_grad({"a": X, "b": 2.0})[1][0]["b"] == 6.0
    assert compile(lambda w, x: np.dot(w, x))(X.tolist(), X) == 14.0


def test_a_matrix_is_an_argument():
    def f(m):
        return np.sum(m @ m.T)

    expected = 2.0 * np.ones((3, 3)) @ MATRIX
    for gradient in (grad(f), compile(grad(f)), lambda m: compile(f).value_and_grad(m)[1]):
        assert gradient(MATRIX) == pytest.approx(expected, rel=1e-14)
    assert compile(hessian(f))(MATRIX).shape == hessian(f)(MATRIX).shape == (3, 3, 3, 3)


class TestEagerTransforms:
    def test_arrays_are_taken_and_given(self):
        assert grad(lambda x: x @ x)(X).tolist() == [6.0, 4.0, 2.0]
        assert jacobian(lambda x: x**2)(X).tolist() == np.diag(2 * X).tolist()
        assert jacobian(lambda x: [x[0], x[1] * x[2]])(X)[1].tolist() == [0.0, 1.0, 2.0]
        assert jvp(lambda x: 2 * x, X, X)[1].tolist() == (2 * X).tolist()
        assert vjp(lambda x: x @ x, X)[1](1.0).tolist() == (2 * X).tolist()
        assert hvp(lambda x: np.sum(x**3), X, X).tolist() == (6 * X * X).tolist()
        assert grad(lambda p: p["w"] @ p["x"])({"w": X, "x": X})["w"].tolist() == X.tolist()
        assert value_and_grad(np.sum)(np.arange(3))[0] == 3.0

    def test_arrays_of_values_give_values(self):
        x = np.array([Value(1.0), Value(2.0)])
        (by_first, _) = grad(lambda v: np.sum(v**3))(x)
        by_first.backward()
        assert x[0].grad == 6.0

    def test_a_result_that_is_no_single_number_is_refused(self):
        with pytest.raises(TypeError, match=r"returned an array of shape \(3,\): use jacobian"):
            grad(lambda x: 2 * x)(X)
        with pytest.raises(ValueError, match="the direction of hvp must have the structure"):
            hvp(np.sum, X, X[:2])

    def test_gradcheck_takes_them(self):
        gradcheck(lambda x: np.sum(np.tanh(x) ** 2), [0.3, 0.5])


def branch_inside_numpy(x):
    return np.sort(x)


def filled(x):
    y = np.zeros(3)
    y[0] = x[1]
    return y


def added(x):
    y = np.zeros(3)
    y += x
    return y


@pytest.mark.parametrize(
    ("f", "kind", "message"),
    [
        (lambda x: math.exp(x), RecordingError, r"a function such as math\.exp calls too"),
        (filled, RecordingError, "dtype=object"),
        (added, TypeError, r"write y = y \+ x for y \+= x"),
        (branch_inside_numpy, RecordingError, "of .*test_arrays.py would hold"),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]), RecordingError, "of .*test_arrays.py would hold"),
        (lambda x: x[x > 1].sum(), RecordingError, "use np.where"),
        (lambda x: np.linalg.solve(MATRIX, x), TypeError, r"numpy\.linalg\.solve does not compute with Values"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_a_remedy(f, kind, message):
    with pytest.raises(kind, match=message):
        compile(f)(X)


def test_a_function_of_autograd_in_a_function_of_arrays_is_named():
    with pytest.raises(TypeError, match="takes a real number") as caught:
        compile(lambda x: np.sum(autograd.exp(x)))(X)
    assert "since numpy.sum needs the whole array" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([1 + 2j]), "takes arrays of real numbers; got one of complex128"),
        (np.array(["2020-01-01"], "M8[s]"), r"got one of datetime64\[s\]"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "takes arrays without gaps"),
    ],
)
def test_arrays_of_anything_else_are_refused(x, message):
    with pytest.raises(TypeError, match=message):
        compile(lambda x: 2 * x)(x)


def test_functions_of_scipy_that_autograd_has():
    special = pytest.importorskip("scipy.special")
    for f in (special.erf, special.erfc, special.expit, lambda x: np.sum(special.erf(x))):
        assert compile(f)(X) == pytest.approx(f(X), rel=1e-13)
    with pytest.raises(TypeError, match="gammaln does not compute with Values"):
        compile(special.gammaln)(X)
    ends = np.array([-1.0, 0.0, 2.0])
    for f in (lambda x: np.heaviside(x, 0.5) + x, np.sign, np.fabs, np.rint, lambda x: np.logaddexp(x, 1.0)):
        assert compile(f)(ends) == pytest.approx(f(ends), rel=1e-14)
    both = compile(lambda x: np.where((x > -0.5) & ~(x > 1.0) | (x > 1.5), x, -x))
    assert both(ends).tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("kind", [np.ndarray, list, (np.ndarray, list)])
def test_a_function_may_ask_whether_it_got_an_array(kind):
    def f(x):
        return x * (2.0 if isinstance(x, kind) else 3.0)

    assert compile(f)(X).tolist() == f(X).tolist()
    of_numbers = compile(f)
    assert of_numbers(1.5) == 4.5
    if isinstance(X, kind):
        with pytest.raises(TypeError, match="does something else with an array than with each number"):
            of_numbers(X)
    assert of_numbers(1.5) == 4.5


def test_the_arrays_of_the_first_call_are_as_they_were():
    def f(x):
        x += 1.0
        return x

    given = X.copy()
    assert compile(f)(given).tolist() == (X + 1.0).tolist()
    assert given.tolist() == X.tolist()


def test_what_is_not_finite_warns_of_nothing():
    assert np.isnan(compile(lambda x: np.sqrt(x - 2.0))(np.array([1.0]))).all()
