"""Are fitted parameters, their errors and covariances right, and is everything else refused with a sentence?"""

import math
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from autograd import RecordingError, atan, compile, exp, log, sin, sqrt, where
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
    @settings(max_examples=30)
    @given(st.floats(-15.0, 15.0), st.floats(-15.0, 15.0))
    def test_errors_are_shown_to_some_digits_whatever_the_size_of_their_number(self, size, error):
        fit = least_squares(polynomial, X, Y, [1.0])
        fit = replace(fit, values=np.array([10.0**size]), root=np.array([[10.0**error]]), stopped="")
        value, shown = str(fit).splitlines()[3].split()[1:3]
        assert float(value) == pytest.approx(10.0**size, rel=1e-3)
        assert float(shown) == pytest.approx(10.0**error, rel=1e-2)
        assert len(shown) <= 12
        assert max(map(len, str(fit).splitlines())) <= 80

    def test_its_title_ends_after_a_parameter_and_has_the_number_of_observations(self):
        fit = least_squares(lambda x, *coefficient: polynomial(x, *coefficient), X, Y, [0.0] * 6)
        title = str(fit).splitlines()[0]
        assert title == "f(x, coefficient1, coefficient2, coefficient3, ...) fitted to 30 observations"

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
    with pytest.warns(RuntimeWarning):
        stopped = least_squares(decay, X, Y, START, sigma=0.05, max_evaluations=3)
    bands = [len(f.plot().axes[0].collections) for f in (fit, stopped)]
    assert bands[0] == bands[1] + 1  # the errors of a search that was stopped mean nothing
    assert plane.plot().axes[1].get_xlabel() == "fitted y"


def test_a_fit_that_did_not_converge_says_so():
    with pytest.warns(RuntimeWarning, match="not converged after 3 evaluations"):
        fit = least_squares(decay, X, Y, START, max_evaluations=3)
    assert not fit.converged
    assert "not converged after 3 evaluations" in str(fit)
    with pytest.warns(RuntimeWarning, match="no step helps any more; f may have a kink there"):
        least_squares(lambda x, a: (2.0 + abs(a * a - 2.0)) * x, X, X, 1.7)


def test_parameters_that_run_away_are_no_solution():
    """The straighter the sine, the better it fits; at the end its amplitude and its phase cannot be told apart."""
    with pytest.warns(RuntimeWarning, match="not converged"):
        fit = least_squares(
            lambda x, a, b, c: a * sin(b * x + c), X, 1.0 - 0.5 * X, [1.0, 1.0, 0.0], max_evaluations=500
        )
    assert not fit.converged
    assert abs(fit.parameters["a"]) > 10.0


class TestParametersThatTheDataDoNotTellApart:
    """The curve is there, and a warning says what its parameters are worth."""

    @pytest.mark.parametrize(
        ("f", "start", "words"),
        [
            (lambda x, a, b: a * exp(b) * x, [1.0, 0.0], 'do not tell a and b apart .*, hold one of them, .*fixed="b"'),
            (lambda x, a, b, c: a * exp(b + x) + c, [1.0, 0.0, 0.0], 'do not tell a and b apart .*fixed="b"'),
            (
                lambda x, a, b: a * x + 0.0 * b,
                [1.0, 1.0],
                "f does not depend on b: begin elsewhere, or if .* hold it with",
            ),
            (
                lambda x, a, m, s: a * exp(-(((x - m) / s) ** 2)),
                [1.0, 90.0, 1.0],
                "does not depend on a, m and s: begin",
            ),
        ],
    )
    def test_they_are_named(self, f, start, words):
        with pytest.warns(RuntimeWarning, match=f"not converged: at a = .*, where the search ended, .*{words}"):
            fit = least_squares(f, X, Y, start)
        assert not fit.converged
        assert all(map(math.isnan, fit.errors.values()))
        assert np.all(np.isfinite(fit(X)))
        assert "unknown" in str(fit)
        assert max(map(len, str(fit).splitlines())) <= 80

    @settings(max_examples=15, deadline=None)
    @given(st.tuples(*[st.floats(-3.0, 6.0)] * 3), st.integers(0, 2**32 - 1))
    @example((8e-126, 0.0, 1.0), 0)  # the first steps are so short that their squares underflow
    def test_from_any_start_there_is_a_fit_to_look_at(self, start, seed):
        y = 2.0 * np.exp(-(((X - 2.0) / 0.5) ** 2)) + 0.05 * np.random.default_rng(seed).normal(size=30)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                fit = least_squares(lambda x, a, m, s: a * exp(-(((x - m) / s) ** 2)), X, y, start, max_evaluations=300)
            except ValueError:  # it is not finite where it begins
                return
        assert fit.sum_of_squares <= np.sum((y - fit.model.values(fit.model.inputs(X[:, None], np.array(start)))) ** 2)
        assert fit.converged == fit.stopped.startswith("converged")
        assert max(map(len, str(fit).splitlines())) <= 80

    @settings(max_examples=15)
    @given(st.floats(1e-9, 1.0), st.integers(0, 2**32 - 1))
    @example(1e-9, 0)  # from the covariance, the error of the curve was nan
    def test_almost_the_same_parameters_leave_the_curve_its_error(self, difference, seed):
        """The curve is the same straight line or parabola in other parameters, and so is its error."""
        y = 2.0 * X + 0.5 * X**2 + 0.05 * np.random.default_rng(seed).normal(size=30)
        plain = least_squares(polynomial, X, y, [0.0, 0.0, 0.0])
        mixed = least_squares(lambda x, a, b, c: a * x + b * (x + difference * x * x) + c, X, y, [1.0, 1.0, 0.0])
        assert mixed.converged
        assert mixed.error_at(X) == pytest.approx(plain.error_at(X), rel=1e-6 / difference**0.25)


class TestWhereFEnds:
    @pytest.mark.parametrize("start", [[200.0, 1.0], [100.0, 9.99], [20.0, 1.0]])
    def test_a_search_comes_away_from_there(self, start):
        """It crept along the end for 10,000 evaluations: derivatives are large there, and its scale stayed so."""
        t = np.linspace(0.0, 10.0, 50)
        y = np.sqrt(11.0 - t) + 0.01 * np.random.default_rng(0).normal(size=50)
        fit = least_squares(lambda t, a, b: (a - b * t) ** 0.5, t, y, start)
        assert list(fit.parameters.values()) == pytest.approx([11.0, 1.0], abs=0.05)
        assert fit.evaluations < 1000

    @pytest.mark.parametrize(
        ("f", "start", "words"),
        [
            (
                lambda t, a, b: (a - t) ** b,
                [11.0, 1.0],
                r"f .* is nan at a = 10, b = 0\.\d+ for observation 49 \(x = 10.0\)",
            ),
            (
                lambda t, a: a * t + 0.0 * log(1.0 - a),
                [-1.0],
                r"f .* is nan at a = \d\S* for observation 0 \(x = 0.0\)",
            ),
        ],
    )
    def test_a_search_that_is_held_there_says_so(self, f, start, words):
        t = np.linspace(0.0, 10.0, 50)
        y = np.sqrt(10.0 - t) + 0.01 * np.random.default_rng(4).normal(size=50)
        y = y if len(start) == 2 else 2.0 * t
        with pytest.warns(RuntimeWarning, match=f"not converged.*{words}: begin elsewhere, or bound the parameters"):
            fit = least_squares(f, t, y, start)
        assert not fit.converged
        assert fit.evaluations < 1000


class TestCompiledFunctions:
    def test_one_is_recorded_once_for_all_fits(self):
        calls = []

        def counted(t, amplitude, rate, offset):
            calls.append(t)
            return decay(t, amplitude, rate, offset)

        model = compile(counted)
        for scale in (1.0, 2.0, 3.0):
            fit = least_squares(model, X, scale * Y, START)
            plain = least_squares(decay, X, scale * Y, START)
            assert fit.parameters == plain.parameters
            assert fit.covariance.tolist() == plain.covariance.tolist()
            assert str(fit).replace("counted", "decay") == str(plain)
        assert len(calls) == 1
        assert model(1.0, 3.0, 1.0, 0.5) == pytest.approx(3.0 * math.exp(-1.0) + 0.5)
        assert len(calls) == 1

    def test_it_may_have_been_called_before_and_with_arrays(self):
        model = compile(decay)
        model(X, 1.0, 1.0, 0.0)
        fit = least_squares(model, X, Y, START)
        assert fit.parameters == least_squares(decay, X, Y, START).parameters
        assert pickle.loads(pickle.dumps(fit)).parameters == fit.parameters

    def test_one_that_was_recorded_for_other_arguments_is_refused(self):
        model = compile(polynomial)
        assert least_squares(model, X, Y, [1.0, 1.0]).converged
        with pytest.raises(TypeError, match="polynomial was recorded with 3 numbers; got 4 numbers"):
            least_squares(model, X, Y, [1.0, 1.0, 1.0])

    def test_second_derivatives_are_recorded_once_too(self):
        calls = []

        def counted(x, a, b):
            calls.append(x)
            return a * exp(-b * x)

        model, rng = compile(counted), np.random.default_rng(524)
        for _ in range(4):  # with residuals that need second derivatives
            least_squares(model, X, np.exp(-0.7 * X) + 2.0 * rng.normal(size=30), [1.0, 0.7], bounds={"b": (-2.0, 5.0)})
        assert len(calls) == 2


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
            (decay, [1.0, [1.0], 0.0], r"got \[1.0\] for rate"),
            (lambda x: x, [], r"f has none beside x"),
            (
                lambda x, a, b: log(a * x) + b,
                [1.0, 1.0],
                r"f is -inf at the start, a = 1, b = 1, for observation 0 \(x = ",
            ),
            (lambda x, a: sqrt(a * x), [0.0], r"the derivative of f by a is not finite at the start, a = 0, for obs"),
            (
                lambda x, a, b: a * exp(1e3 * b) * x,
                [1.0, 0.5],
                r"f is 1\.\d+e\+216, too large to be squared, at the start, .*, for observation 1 .* and 28 more",
            ),
            (
                lambda x, a, b: a * sin(b * x) / x,
                [1.0, 1.0],
                r"f is nan .*\(x = 0.0\); .*, or leave out the observation",
            ),
            (
                lambda x, a, b: 3e153 * a * x + b,
                [1.0, 1.0],
                r"sum of squared residuals.* is too large at the start, a = 1",
            ),
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
            (lambda x, *, a: a * x, r"f takes a by keyword only: leave out the \*"),
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
        ("f", "hint"),
        [
            (lambda x, a: math.exp(a * x), "f calls exp of another package: call autograd.exp"),
            (lambda x, a: np.where(x < a, a, x), "f calls where of another package: call autograd.where"),
            (lambda x, a: np.maximum(x, a), "f calls maximum of another package: call autograd.maximum"),
            (
                lambda x, a: np.heaviside(x - a, 0.5),
                "f calls numpy, and not all of that can be recorded: write it with",
            ),
            (lambda x, a: np.interp(x, [0.0, 1.0], [0.0, a]), "f calls numpy, and not all of that can be recorded"),
        ],
    )
    def test_functions_of_other_packages_are_named_with_what_to_call(self, f, hint):
        with pytest.raises(TypeError) as caught:
            least_squares(f, X, Y, [1.0])
        assert any(note.startswith(hint) for note in caught.value.__notes__)
        if isinstance(caught.value, RecordingError):
            assert "test_least_squares.py" in str(caught.value)  # the line that the user wrote, not one of NumPy's

    def test_a_frame_of_one_column_is_no_column(self):
        with pytest.raises(TypeError) as caught:
            least_squares(decay, X[:, None], Y, START)
        assert 'give a column, such as frame["x"] or x[:, 0]' in caught.value.__notes__[0]

    @pytest.mark.parametrize("start", [None, {1.0, 2.0, 3.0}, "110", np.ones((1, 3))], ids=repr)
    def test_starts_of_other_kinds(self, start):
        with pytest.raises(
            TypeError, match=r"start takes a number for each parameter, such as \[1.0, 0.5\], or by name"
        ):
            least_squares(decay, X, Y, start)
        assert least_squares(decay, X, Y, iter([1.0, 1.0, 0.0])).converged

    @pytest.mark.parametrize("fixed", [2, {"offset": 0.5}])
    def test_fixed_takes_names(self, fixed):
        with pytest.raises(TypeError, match=r"fixed takes names of parameters.*their numbers stand in start"):
            least_squares(decay, X, Y, START, fixed=fixed)
        assert least_squares(decay, X, Y, START, fixed=None).converged

    @pytest.mark.parametrize("unit", ["ns", "us", "s", "D"])
    def test_times_are_no_numbers(self, unit):
        times = np.arange(30).astype(f"datetime64[{unit}]")
        with pytest.raises(
            ValueError, match=r"x takes numbers; got times .*\(x - min\(x\)\) / numpy.timedelta64\(1, 's'\)"
        ):
            least_squares(decay, times, Y, START)
        with pytest.raises(ValueError, match=r"y takes numbers; got times .*: y / numpy.timedelta64\(1, 's'\)"):
            least_squares(decay, X, times - times[0], START)
        pandas = pytest.importorskip("pandas")
        with pytest.raises(ValueError, match=r"x takes numbers; got times"):
            least_squares(decay, pandas.Series(times.astype("datetime64[ns]")), Y, START)

    @settings(max_examples=15)
    @given(st.sets(st.integers(0, 29), min_size=1), st.sampled_from(["x", "y", "sigma"]))
    def test_what_is_masked_is_not_fitted(self, places, name):
        data = {"x": X, "y": Y, "sigma": np.ones(30)}
        masked = np.isin(np.arange(30), list(places))
        data[name] = np.ma.masked_array(np.where(masked, 1000.0, data[name]), masked)
        with pytest.raises(ValueError, match=rf"{name}\[{min(places)}\] is masked.*keep = ~numpy.ma.getmaskarray"):
            least_squares(decay, start=START, **data)
        data[name] = np.ma.masked_array(data[name].data, False)
        assert least_squares(polynomial, start=[1.0, 1.0], **data).converged

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            (X, Y[:-1], r"for each of 29 observations; got shape \(30,\): give an x for each y"),
            (np.stack([X, X]), Y, r"got shape \(2, 30\): give x.T, a row for each"),
            (X, np.stack([Y, Y], axis=1), r"y takes a number for each observation; got shape \(30, 2\)"),
            ([], [], r"y is empty"),
            (X[:2], Y[:2], r"3 parameters need at least as many observations; got 2"),
            (X, [*Y[:7], math.nan, *Y[8:]], r"y\[7\] is nan"),
            (
                X,
                [*Y[:7], math.inf, *Y[8:]],
                r"y\[7\] is inf; .*: leave out the observation, as with keep = numpy.isfinite\(y\)",
            ),
            (X, [*Y[:7], *[math.nan] * 3, *Y[10:]], r"y\[7\] is nan \(2 more are like it\)"),
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
            ({"sigma": [1.0, 2.0]}, r"got shape \(2,\): give one for each y"),
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

    def test_options_of_other_kinds(self):
        with pytest.raises(TypeError, match="bounds takes pairs by the names"):
            least_squares(decay, X, Y, START, bounds=([0, 0, 0], [1, 1, 1]))
        with pytest.raises(TypeError, match="absolute_sigma takes True or False; got 'no'"):
            least_squares(decay, X, Y, START, absolute_sigma="no")
        pair = np.array([0.0, 3.0])
        assert least_squares(decay, X, Y, START, bounds={"rate": pair}).converged


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


def test_among_many_dots_the_curve_is_seen():
    pytest.importorskip("matplotlib")
    x = np.linspace(0.0, 4.0, 20_000)
    upper = least_squares(decay, x, 3.0 * np.exp(-1.2 * x) + 0.05 * np.cos(1e6 * x), START).plot().axes[0]
    dots = next(line for line in upper.lines if len(line.get_xdata()) == len(x))
    curve = next(line for line in upper.lines if len(line.get_xdata()) == 401)
    assert dots.get_alpha() < 0.2
    assert dots.get_markersize() == 1.0
    assert curve.get_zorder() > dots.get_zorder()
