"""Are fitted parameters, their errors and covariances right, and is everything else refused with a sentence?"""

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from autograd import atan, exp, log, sin, sqrt, where
from nn import Table, least_squares

pytest.importorskip("llvmlite")

X = np.linspace(0.0, 4.0, 30)
Y = 3.0 * np.exp(-1.2 * X) + 0.5 + np.random.default_rng(0).normal(size=30) * 0.05


def decay(t, amplitude, rate, offset):
    return amplitude * exp(-rate * t) + offset


START = {"amplitude": 1.0, "rate": 1.0, "offset": 0.0}


def polynomial(x, *b):
    return sum(c * x**k for k, c in enumerate(b))


class TestLinearModels:
    """Their answer is known in closed form: that of a linear regression."""

    @settings(max_examples=15)
    @given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
    def test_parameters_and_covariance_are_those_of_the_regression(self, count, seed, weighted, known):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(-2.0, 2.0, size=count + 6), rng.normal(size=count + 6)
        sigma = rng.uniform(0.5, 2.0, size=len(x)) if weighted else None
        fit = least_squares(polynomial, x, y, rng.normal(size=count), sigma=sigma, absolute_sigma=known)
        weights = 1.0 / sigma if weighted else np.ones(len(x))
        design = np.vander(x, count, increasing=True) * weights[:, None]
        solution = np.linalg.lstsq(design, y * weights, rcond=None)[0]
        inverse = np.linalg.inv(design.T @ design)
        left = y * weights - design @ solution
        variance = 1.0 if known else left @ left / 6
        assert list(fit.parameters.values()) == pytest.approx(solution, rel=1e-8, abs=1e-8)
        assert fit.covariance == pytest.approx(inverse * variance, rel=1e-6, abs=1e-9)
        assert fit.sum_of_squares == pytest.approx(left @ left, rel=1e-9)
        assert fit.residuals * weights == pytest.approx(left, abs=1e-8)
        assert fit.degrees_of_freedom == 6

    def test_the_error_of_the_curve_is_that_of_the_regression(self):
        fit = least_squares(polynomial, X, Y, [0.0, 0.0])
        design = np.vander(X, 2, increasing=True)
        expected = np.sqrt(np.diag(design @ fit.covariance @ design.T))
        assert fit.error_at(X) == pytest.approx(expected, rel=1e-12)

    @settings(max_examples=20)
    @given(st.integers(0, 2**32 - 1))
    def test_with_bounds_they_are_those_of_the_best_face_of_the_box(self, seed):
        """For two parameters: the best of the regressions with each choice of parameters at their bounds."""
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(-2.0, 2.0, size=10), rng.normal(size=10)
        fit = least_squares(polynomial, x, y, [0.0, 0.0], bounds={"b1": (-0.1, 0.1), "b2": (-0.2, 0.2)})
        box = ((-0.1, 0.1), (-0.2, 0.2))
        candidates = []
        for first in (None, *box[0]):
            for second in (None, *box[1]):
                held = np.array([np.nan if b is None else b for b in (first, second)])
                free = np.isnan(held)
                design = np.vander(x, 2, increasing=True)
                rest = y - design[:, ~free] @ held[~free]
                held[free] = np.linalg.lstsq(design[:, free], rest, rcond=None)[0]
                if all(low - 1e-12 <= b <= high + 1e-12 for b, (low, high) in zip(held, box, strict=True)):
                    candidates.append((np.sum((y - design @ held) ** 2), held))
        least, best = min(candidates, key=lambda candidate: candidate[0])
        assert fit.sum_of_squares == pytest.approx(least, rel=1e-9)
        assert list(fit.parameters.values()) == pytest.approx(best, abs=1e-6)


def test_parameters_are_known_by_the_names_of_the_signature():
    by_name = least_squares(decay, X, Y, START)
    in_order = least_squares(decay, X, Y, [1.0, 1.0, 0.0])
    turned = least_squares(decay, X, Y, dict(reversed(START.items())))
    assert list(by_name.parameters) == list(by_name.errors) == ["amplitude", "rate", "offset"]
    assert by_name.parameters == in_order.parameters == turned.parameters
    assert list(least_squares(polynomial, X, Y, [1.0, 2.0]).parameters) == ["b1", "b2"]
    assert least_squares(lambda x, a: a * x, X, Y, 1).parameters.keys() == {"a"}
    with_default = least_squares(lambda x, a, power=2.0: a * x**power, X, Y, [1.0])
    assert with_default.parameters["a"] == pytest.approx(np.sum(X**2 * Y) / np.sum(X**4))


def test_an_x_may_be_a_row_of_numbers():
    x = np.stack([X, X**2], axis=1)
    for rows in (x, x.tolist()):
        fit = least_squares(lambda row, a, b: a * row[0] + b * row[1], rows, Y, [1.0, 1.0])
        assert list(fit.parameters.values()) == pytest.approx(np.linalg.lstsq(x, Y, rcond=None)[0])
        assert fit(x) == pytest.approx(Y - fit.residuals)
        assert fit(x[3]) == fit(x)[3]
        assert isinstance(fit(x[3]), float)


def test_x_and_y_may_be_columns():
    pandas = pytest.importorskip("pandas")
    expected = least_squares(decay, X, Y, START).parameters
    frame = pandas.DataFrame({"x": X, "y": Y, "square": X**2}, index=range(100, 130))
    assert least_squares(decay, frame["x"], frame["y"], START).parameters == expected
    table = Table({"x": X.tolist(), "y": Y.tolist()})
    assert least_squares(decay, table["x"], table["y"], START).parameters == expected
    plane = least_squares(lambda row, a, b: a * row[0] + b * row[1], frame[["x", "square"]], frame["y"], [1.0, 1.0])
    assert plane.model.columns == 2


def test_a_call_computes_the_curve_in_the_shape_of_x():
    fit = least_squares(decay, X, Y, START)
    a, b, c = fit.parameters.values()
    assert fit(2.0) == pytest.approx(a * math.exp(-2.0 * b) + c, rel=1e-14)
    assert isinstance(fit(2.0), float)
    assert isinstance(fit.error_at(2.0), float)
    assert fit([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    assert fit(X) == pytest.approx(Y - fit.residuals)
    again = pickle.loads(pickle.dumps(fit))
    assert again.parameters == fit.parameters
    assert again(X).tolist() == fit(X).tolist()


def test_numpys_functions_do_as_well():
    ours = least_squares(decay, X, Y, START)
    numpys = least_squares(lambda t, a, b, c: a * np.exp(-b * t) + c, X, Y, [1.0, 1.0, 0.0])
    assert list(numpys.parameters.values()) == list(ours.parameters.values())


def test_a_fixed_parameter_is_a_constant():
    fit = least_squares(decay, X, Y, START, fixed="offset")
    shorter = least_squares(lambda t, a, b: a * exp(-b * t), X, Y, [1.0, 1.0])
    assert list(fit.parameters.values()) == pytest.approx([*shorter.parameters.values(), 0.0], rel=1e-9)
    assert list(fit.errors.values()) == pytest.approx([*shorter.errors.values(), 0.0], rel=1e-8)
    assert fit.degrees_of_freedom == shorter.degrees_of_freedom == 28


@pytest.mark.parametrize("absolute", [False, True])
def test_one_sigma_for_all_scales_only_what_is_absolute(absolute):
    plain = least_squares(decay, X, Y, START)
    fit = least_squares(decay, X, Y, START, sigma=0.1, absolute_sigma=absolute)
    assert fit.sum_of_squares == pytest.approx(100.0 * plain.sum_of_squares)
    share = 0.1 / plain.standard_deviation if absolute else 1.0
    assert list(fit.errors.values()) == pytest.approx([share * e for e in plain.errors.values()], rel=1e-7)


@pytest.mark.parametrize(
    ("f", "x", "exact", "start"),
    [
        (decay, X, [3.0, 1.2, 0.5], [1.0, 1.0, 0.0]),
        (lambda x, a, b, c: a * sin(b * x + c), X, [2.0, 1.5, 0.3], [1.0, 1.3, 0.0]),
        (lambda x, a, b: log(a * x + b), X, [2.0, 3.0], [1.0, 1.0]),
        (lambda x, a, b: atan(a * (x - b)), X, [2.0, 1.9], [1.0, 1.0]),
        (lambda x, a, b: where(x < 2.0, a * x, b), X, [2.0, 3.0], [0.0, 0.0]),
    ],
)
def test_exact_data_give_back_their_parameters(f, x, exact, start):
    fit = least_squares(f, x, [f(t, *exact) for t in x.tolist()], start)
    assert fit.converged
    assert list(fit.parameters.values()) == pytest.approx(exact, rel=1e-13)
    assert fit.sum_of_squares < 1e-26


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 2.0))
@example(524, 2.0)  # parts of Gauss and Newton's steps, down to a quarter, ended with seven digits
def test_the_gradient_vanishes_however_large_the_residuals(seed, noise):
    """With large residuals Gauss and Newton's steps overshoot, or creep. The last digits are found all the same."""
    y = np.exp(-0.7 * X) + noise * np.random.default_rng(seed).normal(size=len(X))
    fit = least_squares(lambda x, a, b: a * exp(-b * x), X, y, [1.0, 0.7], bounds={"b": (-2.0, 5.0), "a": (-9.0, 9.0)})
    a, b = fit.parameters.values()
    slopes = np.stack([np.exp(-b * X), -a * X * np.exp(-b * X)], axis=1)[:, fit.free]
    left = np.linalg.norm(slopes.T @ fit.residuals / np.linalg.norm(slopes, axis=0))
    assert left <= 1e-11 * np.linalg.norm(fit.residuals)


def test_a_step_where_f_is_not_finite_is_shortened():
    y = 2.0 * np.log(X + 0.2)  # from a start at 2, whole steps lead to logarithms of negative numbers
    fit = least_squares(lambda x, a, b: a * log(x + b), X, y, [10.0, 2.0])
    assert list(fit.parameters.values()) == pytest.approx([2.0, 0.2], rel=1e-12)
    assert fit.evaluations > fit.derivatives


def test_bounds_hold_at_every_step():
    fit = least_squares(lambda x, a, b: a * x + sqrt(b), X, -X - 5.0, [1.0, 4.0], bounds={"b": (0.25, None)})
    assert fit.parameters["b"] == 0.25
    assert fit.parameters["a"] == pytest.approx(np.sum(X * (-X - 5.5)) / np.sum(X * X))
    assert fit.errors["b"] == 0.0
    assert "at its bound" in str(fit)


class TestReport:
    def test_it_has_parameters_errors_and_what_is_left(self):
        fit = least_squares(decay, X, Y, START, sigma=0.05, fixed=["offset"])
        text = str(fit)
        for words in (
            "decay(t, amplitude, rate, offset)",
            "30 observations",
            "fixed",
            "28 degrees of freedom",
            "sigma",
        ):
            assert words in text
        assert f"{fit.parameters['rate']:.5f}" in text
        assert "converged" in text
        assert repr(fit).startswith("FittedCurve(amplitude=3.1")

    def test_it_is_at_most_80_columns_wide(self):
        def f(x, a_parameter_with_a_name_that_is_much_longer_than_anybody_needs, another_one_of_that_kind_here):
            return a_parameter_with_a_name_that_is_much_longer_than_anybody_needs * exp(
                another_one_of_that_kind_here * x
            )

        for scale in (1e-9, 1.0, 1e12):
            fit = least_squares(f, X, scale * Y, [scale, -1.0], sigma=scale)
            assert max(map(len, str(fit).splitlines())) <= 80

    def test_strong_correlations_are_named(self):
        fit = least_squares(lambda x, a, b: a * x + b * x**1.01, X, Y, [1.0, 1.0])
        assert "a and b -1.0000" in str(fit)

    def test_without_degrees_of_freedom_errors_are_unknown(self):
        fit = least_squares(polynomial, X[:2], Y[:2], [1.0, 1.0])
        assert all(map(math.isnan, fit.errors.values()))
        assert "no degrees of freedom are left" in str(fit)
        assert "unknown" in str(fit)


def test_plots():
    pytest.importorskip("matplotlib")
    fit = least_squares(decay, X, Y, START, sigma=0.05)
    upper, lower = fit.plot().axes
    assert upper.get_legend() is not None
    assert lower.get_xlabel() == "t"
    rows = np.stack([X, X], axis=1)
    plane = least_squares(lambda x, a, b: a * x[0] + b * x[1] ** 2, rows, Y, [1.0, 1.0])
    assert plane.plot().axes[1].get_xlabel() == "fitted y"


def test_a_fit_that_did_not_converge_says_so():
    with pytest.warns(RuntimeWarning, match="not converged after 3 evaluations"):
        fit = least_squares(decay, X, Y, START, max_evaluations=3)
    assert not fit.converged
    assert "not converged after 3 evaluations" in str(fit)
    with pytest.warns(RuntimeWarning, match="no step helps any more; f has a kink there"):
        least_squares(lambda x, a: (2.0 + abs(a - 1.0)) * x, X, X, 1.7)


def test_parameters_that_run_away_are_no_solution():
    """The straighter the sine, the better it fits; at the end its amplitude and its phase cannot be told apart."""
    with pytest.warns(RuntimeWarning, match="not converged"):
        fit = least_squares(
            lambda x, a, b, c: a * sin(b * x + c), X, 1.0 - 0.5 * X, [1.0, 1.0, 0.0], max_evaluations=500
        )
    assert not fit.converged
    assert abs(fit.parameters["a"]) > 10.0


def test_a_parameter_that_matters_little_in_the_end_is_fitted_too():
    """Its column of the Jacobian is 1e-17 of what it was at the start, and yet no rounding error."""
    fit = least_squares(lambda x, a, b: exp(a - 40.0) * x + b, X, exp(-39.0) * X + 1e-17, [40.0, 0.0])
    assert list(fit.parameters.values()) == pytest.approx([1.0, 1e-17], rel=1e-6)


class TestBadInput:
    @pytest.mark.parametrize(
        ("f", "start", "message"),
        [
            (decay, [1.0, 1.0], r"a number for each parameter of decay: amplitude, rate, offset; got 2: give 3"),
            (decay, [1.0] * 4, r"got 4: give 3"),
            (decay, {"amplitude": 1.0, "rate": 1.0}, r"offset is missing"),
            (decay, {**START, "phase": 1.0}, r"start names 'phase'; f has the parameters amplitude, rate, offset"),
            (decay, [1.0, math.nan, 0.0], r"finite number for each parameter; got nan for rate"),
            (decay, [1.0, "a", 0.0], r"got 'a' for rate"),
            (decay, 1.0, r"got 1: give 3"),
            (lambda x: x, [], r"f has none beside x"),
            (
                lambda x, a, b: log(a * x) + b,
                [1.0, 1.0],
                r"f is -inf at the start, a = 1, b = 1, for observation 0 \(x = ",
            ),
            (lambda x, a: sqrt(a * x), [0.0], r"the derivative of f by a is not finite at the start, a = 0, for obs"),
            (lambda x, a, b: a * exp(b) * x, [1.0, 0.0], r"the data do not tell a and b apart"),
            (lambda x, a, b, c: a * exp(b + x) + c, [1.0, 0.0, 0.0], r"do not tell a and b apart.*fixed=\"b\""),
            (lambda x, a, b: a * x + 0.0 * b, [1.0, 1.0], r"f does not depend on b at a = .*fixed=\"b\""),
        ],
    )
    def test_models_and_starts(self, f, start, message):
        with pytest.raises(ValueError, match=message):
            least_squares(f, X, Y, start)

    @pytest.mark.parametrize(
        ("f", "message"),
        [
            (3, r"f takes a function f\(x, a, b, ...\); got 3"),
            (lambda x, a: [a, x], r"f\(x, a\) returns one number for each x; got \["),
            (lambda x, a: 2.0, r"does not depend on its inputs"),
            (lambda x, a: a if x > 0 else x, r"use where"),
            (lambda x, a: math.exp(a * x), r"use the functions of autograd"),
        ],
    )
    def test_functions(self, f, message):
        with pytest.raises(TypeError, match=message):
            least_squares(f, X, Y, [1.0])

    def test_a_function_that_reads_more_than_x_has_is_told_what_it_got(self):
        with pytest.raises(IndexError) as caught:
            least_squares(lambda x, a: a * x[2], np.stack([X, X], axis=1), Y, [1.0])
        assert "with a row of 2 numbers as x" in caught.value.__notes__[0]

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            (X, Y[:-1], r"for each of 29 observations; got shape \(30,\): give an x for each y"),
            (np.stack([X, X]), Y, r"got shape \(2, 30\): give x.T, a row for each"),
            (X, np.stack([Y, Y], axis=1), r"y takes a number for each observation; got shape \(30, 2\)"),
            ([], [], r"y is empty"),
            (X[:2], Y[:2], r"3 parameters need at least as many observations; got 2"),
            (X, [*Y[:7], math.nan, *Y[8:]], r"y\[7\] is nan"),
            (X, [*Y[:7], math.inf, *Y[8:]], r"y\[7\] is inf"),
            (X, [*Y[:7], None, *Y[8:]], r"y\[7\] is None"),
            (X, [*Y[:7], "n/a", *Y[8:]], r"y\[7\] is 'n/a'"),
            ([*X[:5], math.nan, *X[6:]], Y, r"x\[5\] is nan"),
            (np.where(np.arange(60).reshape(30, 2) == 9, math.nan, 1.0), Y, r"x\[4, 1\] is nan"),
            ([[1.0], [1.0, 2.0]], [1.0, 2.0], r"rows of equal length"),
        ],
    )
    def test_data(self, x, y, message):
        with pytest.raises(ValueError, match=message):
            least_squares(decay, x, y, START)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sigma": 0.0}, r"sigma is 0.0; a standard deviation is above 0"),
            ({"sigma": [1.0] * 29 + [-1.0]}, r"sigma\[29\] is -1.0"),
            ({"sigma": np.eye(30)}, r"got shape \(30, 30\): give standard deviations"),
            ({"sigma": [1.0, math.nan] * 15}, r"sigma\[1\] is nan"),
            ({"bounds": {"offset": (1.0, 2.0)}}, r"start is 0 for offset, outside its bounds 1 and 2"),
            ({"bounds": {"phase": (1.0, 2.0)}}, r"bounds names 'phase'; the parameters are amplitude, rate, offset"),
            ({"bounds": {"rate": (1.0, 1.0)}}, r"the bounds of rate are 1 and 1"),
            ({"bounds": {"rate": 1.0}}, r"bounds takes a pair for rate"),
            ({"fixed": ["phase"]}, r"fixed names 'phase'"),
            ({"max_evaluations": 0}, r"max_evaluations takes a whole number of at least 1; got 0"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            least_squares(decay, X, Y, START, **options)
        with pytest.raises(TypeError, match="bounds takes pairs by the names"):
            least_squares(decay, X, Y, START, bounds=([0, 0, 0], [1, 1, 1]))


def test_without_numpy_a_sentence_says_what_to_install():
    code = "import sys; sys.modules['numpy'] = None; import nn; nn.least_squares(lambda x, a: a * x, [1], [1], [1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: least_squares needs NumPy: pip install 'scalar-autograd[fast]'" in done.stderr


def test_many_observations():
    x = np.linspace(0.0, 4.0, 50_000)
    y = 3.0 * np.exp(-1.2 * x) + 0.5 + 0.05 * np.cos(1e6 * x)
    fit = least_squares(decay, x, y, START)
    assert list(fit.parameters.values()) == pytest.approx([3.0, 1.2, 0.5], abs=1e-3)
    assert abs(fit.parameters["rate"] - 1.2) < 5.0 * fit.errors["rate"]
