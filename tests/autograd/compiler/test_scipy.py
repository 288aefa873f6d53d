"""Do programs go into SciPy's optimisers as they are, without an adapter?"""

from itertools import pairwise

import numpy as np
import pytest

from autograd import Value, compile, exp, grad, hessian, hvp, jacobian, sum as sum_of, value_and_grad

pytest.importorskip("llvmlite")
optimize = pytest.importorskip("scipy.optimize")

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def rosenbrock(x):
    return sum_of([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


TIMES = np.linspace(0.0, 4.0, 20)
MEASURED = 3.0 * np.exp(-1.2 * TIMES)


def residuals(p):
    return [p[0] * exp(-p[1] * t) - y for t, y in zip(TIMES, MEASURED, strict=True)]


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP"])
def test_minimize_takes_value_and_gradient_from_one_program(method):
    for program in (compile(value_and_grad(rosenbrock)), compile(rosenbrock).value_and_grad):
        found = optimize.minimize(program, START, jac=True, method=method)
        assert found.success
        assert found.x == pytest.approx(np.ones(5), abs=1e-3)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-exact", "trust-krylov"])
def test_minimize_takes_second_derivatives(method):
    program = compile(value_and_grad(rosenbrock))
    found = optimize.minimize(program, START, jac=True, hess=compile(hessian(rosenbrock)), method=method)
    assert found.x == pytest.approx(np.ones(5), abs=1e-3)
    if method != "trust-exact":  # it factorises the whole matrix
        product = compile(lambda x, v: hvp(rosenbrock, x, v))
        assert optimize.minimize(program, START, jac=True, hessp=product, method=method).x == pytest.approx(found.x)


def test_gradients_and_hessians_are_scipys():
    f = compile(rosenbrock)
    assert f(START) == pytest.approx(optimize.rosen(START), rel=1e-14)
    for gradient in (compile(grad(rosenbrock)), f.jacobian):
        assert np.asarray(gradient(START)) == pytest.approx(optimize.rosen_der(START), rel=1e-13)
        assert optimize.check_grad(f, gradient, START) < 1e-4
    assert np.array(compile(hessian(rosenbrock))(START)) == pytest.approx(optimize.rosen_hess(START), rel=1e-13)


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_least_squares_takes_a_program_and_its_jacobian(method):
    program = compile(residuals)
    found = optimize.least_squares(program, [1.0, 1.0], jac=program.jacobian, method=method)
    assert found.x == pytest.approx([3.0, 1.2], rel=1e-7)
    assert program.jacobian(found.x) == pytest.approx(np.array(jacobian(residuals)(found.x.tolist())), rel=1e-13)


def test_least_squares_takes_the_program_of_a_graph():
    leaves = [Value(1.0), Value(1.0)]
    program = compile(residuals(leaves), leaves)
    found = optimize.least_squares(program, [1.0, 1.0], jac=program.jacobian)
    assert found.x == pytest.approx([3.0, 1.2], rel=1e-7)


def test_arrays_of_data_are_arguments_too():
    def of_data(p, t, y):
        return [p[0] * exp(-p[1] * a) - b for a, b in zip(t, y, strict=True)]

    found = optimize.least_squares(compile(of_data), [1.0, 1.0], jac=compile(jacobian(of_data)), args=(TIMES, MEASURED))
    assert found.x == pytest.approx([3.0, 1.2], rel=1e-7)


def test_a_function_may_compute_with_numpys_arrays():
    matrix = np.random.default_rng(0).normal(size=(6, 3))
    b = matrix @ [1.0, 2.0, 3.0]
    program = compile(lambda x: matrix @ x - b)
    found = optimize.least_squares(program, np.zeros(3), jac=program.jacobian)
    assert found.x == pytest.approx([1.0, 2.0, 3.0], rel=1e-10)
    assert program.jacobian(found.x) == pytest.approx(matrix, rel=1e-14)
    squares = compile(value_and_grad(lambda x: np.sum((matrix @ x - b) ** 2)))
    assert optimize.minimize(squares, np.zeros(3), jac=True).x == pytest.approx([1.0, 2.0, 3.0], rel=1e-4)


def rosenbrock_of_numpy(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def quartic(x):
    return np.sum((x - 1.0) ** 4) + np.var(x) + np.linalg.norm(x) ** 2 / 10


@pytest.mark.parametrize("f", [rosenbrock_of_numpy, quartic])
def test_functions_written_for_numpy_end_where_scipy_ends_with_them(f):
    expected = optimize.minimize(f, START, method="BFGS", tol=1e-9).x
    program, slopes, curvature = compile(f), compile(value_and_grad(f)), compile(hessian(f))
    for found in (
        optimize.minimize(program, START, method="BFGS", tol=1e-9),
        optimize.minimize(slopes, START, jac=True, tol=1e-9),
        optimize.minimize(value_and_grad(f), START, jac=True, tol=1e-9),
        optimize.minimize(program, START, jac=grad(f), hess=hessian(f), method="trust-exact", tol=1e-9),
        optimize.minimize(slopes, START, jac=True, hess=curvature, method="trust-exact", tol=1e-9),
    ):
        assert found.x == pytest.approx(expected, abs=2e-4)


def test_least_squares_takes_functions_written_for_numpy():
    def shares(x):
        return np.append(np.exp(x) / np.sum(np.exp(x)) - [0.2, 0.3, 0.5], np.mean(x) - 1.0)

    expected = optimize.least_squares(shares, np.ones(3)).x
    program = compile(shares)
    for derivatives in ("2-point", program.jacobian, compile(jacobian(shares)), jacobian(shares)):
        assert optimize.least_squares(program, np.ones(3), jac=derivatives).x == pytest.approx(expected, rel=1e-6)
    assert optimize.least_squares(shares, np.ones(3), jac=jacobian(shares)).x == pytest.approx(expected, rel=1e-6)


def test_root_and_curve_fit():
    def circle_and_line(v):
        return [v[0] ** 2 + v[1] ** 2 - 2.0, v[0] - v[1]]

    program = compile(circle_and_line)
    assert optimize.root(program, [2.0, 1.0], jac=program.jacobian).x == pytest.approx([1.0, 1.0], rel=1e-8)
    curve = compile(lambda t, amplitude, rate: amplitude * exp(-rate * t))

    def slopes(t, *parameters):
        return np.stack(curve.jacobian(t, *parameters)[1:], axis=1)

    found, _ = optimize.curve_fit(curve, TIMES, MEASURED, [1.0, 1.0], jac=slopes)
    assert found == pytest.approx([3.0, 1.2], rel=1e-10)
