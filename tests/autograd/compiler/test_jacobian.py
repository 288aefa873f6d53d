"""Are all derivatives of all outputs of a program right, for one example and for many?"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

import autograd
from autograd import Value, compile, cos, dot, exp, jacobian, sin, sqrt, take, tanh
from autograd.compiler.flat_graph import flatten
from autograd.testing import expressions
from nn import MLP
from tests.autograd.compiler.interpreter import Interpreter


def program_of(f, inputs):
    """The program of a function of a list, and the function's eager Jacobian."""
    leaves = [Value(0.5) for _ in range(inputs)]
    return compile(f(leaves), leaves), jacobian(f)


def several(v):
    return [tanh(v[0]) * v[1], v[2], v[0] + v[1] + v[2], exp(v[1]) / v[2], autograd.max(v)]


@pytest.mark.parametrize("examples", [0, 1, 2, 63, 64, 200])
def test_it_has_a_row_for_each_output_of_each_example(examples):
    program, expected = program_of(several, 3)
    X = np.random.default_rng(0).normal(size=(examples, 3))
    found = program.jacobian(X)
    assert found.shape == (examples, 5, 3)
    for matrix, row in zip(found, X.tolist(), strict=True):
        assert matrix == pytest.approx(np.array(expected(row)), rel=1e-13)


def test_of_one_example_it_is_a_matrix():
    program, expected = program_of(several, 3)
    found = program.jacobian([0.3, -0.5, 2.0])
    assert found.shape == (5, 3)
    assert found == pytest.approx(np.array(expected([0.3, -0.5, 2.0])), rel=1e-13)


def test_its_first_row_is_what_value_and_grad_gives():
    program, _ = program_of(several, 3)
    X = np.random.default_rng(0).normal(size=(10, 3))
    assert program.jacobian(X)[:, 0].tolist() == program.value_and_grad(X)[1].tolist()


def test_outputs_may_be_inputs_parameters_constants_and_repeats():
    x, y, w = Value(1.0), Value(1.0), Value(3.0)
    program = compile([x * w, y, w, x * w], [x, y])
    assert program.jacobian([2.0, 5.0]).tolist() == [[3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [3.0, 0.0]]
    w.data = 7.0
    assert program.jacobian([[2.0, 5.0]])[0, 0].tolist() == [7.0, 0.0]


def backward_by_hand(part, point):
    """The eager gradient in reverse mode: in forward mode nan - nan is nan, where here 0 * nan is 0."""
    leaves = [Value(x) for x in point]
    part(*leaves[: len(part.inputs)]).backward()
    return [x.grad for x in leaves]


@settings(max_examples=40)
@given(st.lists(expressions(max_nodes=8), min_size=1, max_size=3), st.integers(0, 2**32))
def test_of_random_graphs_it_is_the_eager_one(parts, seed):
    rng = random.Random(seed)
    count = max(len(part.inputs) for part in parts)

    def f(v):
        return [part(*v[: len(part.inputs)]) for part in parts]

    compiled = compile(f)
    points = [[rng.gauss(0.0, 1.0) for _ in range(count)] for _ in range(3)]
    for point in points:
        rows = [row for (row,) in compiled.jacobian(point)]
        for row, part in zip(rows, parts, strict=True):
            assert row == pytest.approx(backward_by_hand(part, point), rel=1e-12, abs=1e-12, nan_ok=True)
    matrices = compiled.program.jacobian(points)
    interpreted = Interpreter(compiled.program._graph).jacobian(np.array(points), np.zeros(0))
    np.testing.assert_allclose(matrices, interpreted, rtol=1e-12, atol=1e-12)


def projection(v):
    """The two residuals of one observation of bundle adjustment: camera (11), point (3) and weight (1)."""
    rotation, centre, (focal, *principal), radial, X, weight = v[:3], v[3:6], v[6:9], v[9:11], v[11:14], v[14]
    moved = [a - b for a, b in zip(X, centre, strict=True)]
    angle = sqrt(dot(rotation, rotation))
    axis = [r / angle for r in rotation]
    cross = [axis[i - 2] * moved[i - 1] - axis[i - 1] * moved[i - 2] for i in range(3)]
    along = dot(axis, moved) * (1.0 - cos(angle))
    turned = [m * cos(angle) + c * sin(angle) + a * along for m, c, a in zip(moved, cross, axis, strict=True)]
    x, y = turned[0] / turned[2], turned[1] / turned[2]
    square = x * x + y * y
    scale = focal * (1.0 + radial[0] * square + radial[1] * square * square)
    return [weight * (x * scale + principal[0]), weight * (y * scale + principal[1])]


def test_many_small_dense_jacobians():
    """The size of the smallest bundle adjustment of ADBench: 31,843 observations."""
    program, expected = program_of(projection, 15)
    X = np.random.default_rng(0).uniform(0.1, 1.0, size=(31_843, 15))
    found = program.jacobian(X)
    assert found.shape == (31_843, 2, 15)
    for k in range(0, 31_843, 3_000):
        assert found[k] == pytest.approx(np.array(expected(X[k].tolist())), rel=1e-9, abs=1e-10)


def test_256_outputs():
    model = MLP(8, [16, 256], activation="tanh", rng=random.Random(0))
    program, expected = program_of(model, 8)
    X = np.random.default_rng(0).normal(size=(50, 8))
    found = program.jacobian(X)
    assert found.shape == (50, 256, 8)
    for k in (0, 49):
        assert found[k] == pytest.approx(
            np.array([[x.data for x in row] for row in expected(list(map(Value, X[k])))]), rel=1e-11, abs=1e-12
        )


class TestOfACompiledFunction:
    def test_it_has_the_structure_of_the_result_and_the_arguments(self):
        f = compile(lambda v, x: {"a": v[0] * x, "b": [v[1] + x]})
        assert f.jacobian([2.0, 3.0], 5.0) == {"a": ([5.0, 0.0], 2.0), "b": [([0.0, 1.0], 1.0)]}

    def test_of_one_number_it_is_the_gradient(self):
        f = compile(lambda x, y: x * y)
        assert f.jacobian(2.0, 3.0) == f.value_and_grad(2.0, 3.0)[1]

    def test_arrays_give_arrays(self):
        f = compile(lambda x, y: [x * y, x + y])
        xs = np.array([[1.0, 2.0], [3.0, 4.0]])
        (by_x, by_y), (ones, _) = f.jacobian(xs, 2.0)
        assert by_x.tolist() == [[2.0, 2.0], [2.0, 2.0]]
        assert by_y.tolist() == xs.tolist()
        assert ones.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_what_does_not_fit_is_refused_as_in_a_call():
    program, _ = program_of(several, 3)
    with pytest.raises(ValueError, match=r"takes examples of 3 inputs, .* got shape \(2,\)"):
        program.jacobian([1.0, 2.0])
    with pytest.raises(ValueError, match=r"X\[0, 1\] is nan"):
        program.jacobian([1.0, math.nan, 2.0], allow_nan=False)
    i = Value(0.0)
    with pytest.raises(IndexError, match="take got an index"):
        compile([take([i, i * i], i)], [i]).jacobian([5.0])
    graph = flatten([take([i, i * i], i)], [i])
    assert Interpreter(graph).jacobian(np.array([[1.0]]), np.zeros(0)).tolist() == [[[2.0]]]
