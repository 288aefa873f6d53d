"""Does the error bound of a finite difference hold, where derivatives are hard to compute?

The truth is `mpmath.diff` of the same formula, with 80 digits. `pytest -s -k table` prints every point.
"""

import math
import random
from collections.abc import Callable
from decimal import Decimal, localcontext
from statistics import median
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import given, strategies as st

import autograd
from autograd import Value, functions as F
from autograd.testing import Difference, NotDeterministicError, finite_difference
from autograd.testing.differences.estimates import Chord, from_both_sides, from_one_side, middle, steps_for
from autograd.testing.differences.rounding_errors import U, rounding_error
from autograd.testing.truth.oracles import call, exact, oracles

M = mpmath.mp


class Hard(NamedTuple):
    """A formula over a namespace of functions (`m`), and a point at which its differences are hard to take."""

    text: str
    f: Callable[[Any, Any], Any]
    x: float

    def true(self) -> Any:
        """The derivative at the double x of the function that the formula means."""
        with mpmath.workdps(80):
            return mpmath.diff(lambda x: self.f(mpmath_names, x), mpmath.mpf(self.x), h=self.reach())

    def reach(self) -> Any:
        return mpmath.mpf(abs(self.x) or 1.0) * mpmath.mpf(10) ** -45


class Names:
    """mpmath's functions under the names of autograd's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(mpmath, name)

    sigmoid = staticmethod(lambda x: 1 / (1 + mpmath.exp(-x)))
    softplus = staticmethod(lambda x: mpmath.log1p(mpmath.exp(x)))
    relu = staticmethod(lambda x: max(x, mpmath.mpf(0)))
    cbrt = staticmethod(lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)))
    silu = staticmethod(lambda x: x / (1 + mpmath.exp(-x)))


mpmath_names = Names()

# fmt: off
HARD = [
    # large and small values and derivatives
    Hard("exp(x)", lambda m, x: m.exp(x), 700.0),
    Hard("exp(x)", lambda m, x: m.exp(x), -700.0),
    Hard("exp(x)", lambda m, x: m.exp(x), 1.0),
    Hard("log(x)", lambda m, x: m.log(x), 1e-300),
    Hard("log(x)", lambda m, x: m.log(x), 1e300),
    Hard("log(x)", lambda m, x: m.log(x), 1.0),
    Hard("x**-3", lambda m, x: x**-3, 1e-3),
    Hard("x**-3", lambda m, x: x**-3, 1e60),
    Hard("x**20", lambda m, x: x**20, 1e10),
    Hard("sqrt(x)", lambda m, x: m.sqrt(x), 1e-200),
    Hard("sqrt(x)", lambda m, x: m.sqrt(x), 1e200),
    Hard("cbrt(x)", lambda m, x: m.cbrt(x), -1e-30),
    Hard("1/x", lambda m, x: 1.0 / x, 1e-100),
    Hard("x*x", lambda m, x: x * x, 1e150),
    # fast waves, and waves far out
    Hard("sin(1e6 x)", lambda m, x: m.sin(1000000 * x), 1.0),
    Hard("sin(1e6 x)", lambda m, x: m.sin(1000000 * x), 0.0),
    Hard("sin(x)", lambda m, x: m.sin(x), 1e10),
    Hard("cos(x)", lambda m, x: m.cos(x), 1e-9),
    Hard("sin(1/x)", lambda m, x: m.sin(1 / x), 1e-3),
    Hard("tan(x)", lambda m, x: m.tan(x), 1.5707963),
    # next to a pole or an edge of the domain
    Hard("1/(x-1)", lambda m, x: 1 / (x - 1), 1.0 + 1e-6),
    Hard("1/(x-1)", lambda m, x: 1 / (x - 1), 1.0 - 1e-9),
    Hard("log(x-1)", lambda m, x: m.log(x - 1), 1.0 + 1e-7),
    Hard("sqrt(x-2)", lambda m, x: m.sqrt(x - 2), 2.0 + 1e-8),
    Hard("acos(x)", lambda m, x: m.acos(x), 1.0 - 1e-7),
    Hard("atanh(x)", lambda m, x: m.atanh(x), 1.0 - 1e-9),
    Hard("log1p(x)", lambda m, x: m.log1p(x), -1.0 + 1e-10),
    # saturation
    Hard("sigmoid(x)", lambda m, x: m.sigmoid(x), -700.0),
    Hard("sigmoid(x)", lambda m, x: m.sigmoid(x), 30.0),
    Hard("tanh(x)", lambda m, x: m.tanh(x), 7.0),
    Hard("softplus(x)", lambda m, x: m.softplus(x), -40.0),
    Hard("silu(x)", lambda m, x: m.silu(x), 34.0),
    Hard("exp(-x*x)", lambda m, x: m.exp(-x * x), 20.0),
    Hard("erf(x)", lambda m, x: m.erf(x), 5.5),
    # cancellation
    Hard("(1e8+x)-1e8", lambda m, x: (100000000 + x) - 100000000, 0.5),
    Hard("1-cos(x)", lambda m, x: 1 - m.cos(x), 1e-4),
    Hard("exp(x)-1", lambda m, x: m.exp(x) - 1, 1e-10),
    Hard("x - sin(x)", lambda m, x: x - m.sin(x), 1e-2),
    Hard("(x-1)**3 expanded", lambda m, x: ((x - 3) * x + 3) * x - 1, 1.001),
    Hard("sqrt(x+1)-sqrt(x)", lambda m, x: m.sqrt(x + 1) - m.sqrt(x), 1e8),
    # steep, close to a kink, nested
    Hard("tanh(1e6 x)", lambda m, x: m.tanh(1000000 * x), 1e-7),
    Hard("relu(x)", lambda m, x: m.relu(x), 1e-12),
    Hard("relu(x)", lambda m, x: m.relu(x), -1e-12),
    Hard("abs(x-1)", lambda m, x: abs(x - 1), 1.0 + 1e-9),
    Hard("exp(sin(exp(x)))", lambda m, x: m.exp(m.sin(m.exp(x))), 4.0),
    Hard("exp(-1/x)", lambda m, x: m.exp(-1 / x), 0.01),
]
# fmt: on


def by_graph(hard: Hard) -> Difference:
    return finite_difference(lambda x: hard.f(F, x), Value(hard.x))


def as_black_box(hard: Hard) -> Difference:
    return finite_difference(lambda x: hard.f(F, x), hard.x)


def error(found: Difference, true: Any) -> float:
    return float(abs(mpmath.mpf(found.value) - true))


@pytest.mark.parametrize("hard", HARD, ids=lambda hard: f"{hard.text} at {hard.x!r}")
def test_with_a_recorded_graph_the_bound_holds(hard: Hard) -> None:
    found = by_graph(hard)
    assert found.verdict == "smooth"
    assert not found.estimated
    assert error(found, hard.true()) <= found.bound


@pytest.mark.parametrize("hard", HARD, ids=lambda hard: f"{hard.text} at {hard.x!r}")
def test_for_a_black_box_the_bound_is_called_estimated(hard: Hard) -> None:
    found = as_black_box(hard)
    assert found.estimated
    assert "estimated" in str(found)


def test_for_black_boxes_the_bound_holds_nearly_always() -> None:
    held = [error(as_black_box(hard), hard.true()) <= as_black_box(hard).bound for hard in HARD]
    assert sum(held) >= 0.95 * len(held)


def test_hard_derivatives_are_accurate_to_twelve_digits_in_the_median_table() -> None:
    """`pytest -s -k table` shows them all."""
    errors = []
    for hard in HARD:
        true, found, box = hard.true(), by_graph(hard), as_black_box(hard)
        size = float(abs(true)) or 1.0
        errors.append(error(found, true) / size)
        print(
            f"\n{hard.text:18} {hard.x:10.4g}  relative error {errors[-1]:7.1e}, bound {found.bound / size:7.1e};"
            f" black box {error(box, true) / size:7.1e}, bound {box.bound / size:7.1e} {box.verdict}",
            end="",
        )
    print(f"\nmedian {median(errors):.1e}, worst {max(errors):.1e}, {len(HARD)} points")
    assert median(errors) <= 1e-12


# Black boxes


QUANTISED: list[tuple[Callable[[float], Any], float, float]] = [
    (lambda x: (1e8 + x) - 1e8, 0.5, 1.0),
    (lambda x: 1.0 - math.cos(x), 1e-4, math.sin(1e-4)),
    (lambda x: np.sin(np.float32(x)), 1.0, math.cos(1.0)),
    (lambda x: float(np.float32(x) ** 2), 1.1, 2.2),
    (lambda x: float(np.float32(math.exp(x))), 0.3, math.exp(0.3)),
    (lambda x: round(math.atan(x), 9), 0.7, 1.0 / 1.49),
    (lambda x: (1e12 + x * x) - 1e12, 3.0, 6.0),
]


@pytest.mark.parametrize(("f", "x", "true"), QUANTISED)
def test_quantised_differences_are_never_called_smooth(f: Any, x: float, true: float) -> None:
    found = finite_difference(f, x)
    assert found.verdict == "quantised"
    assert found.estimated
    assert abs(found.value - true) <= found.bound < 0.01 * abs(true)


def decimal_exp(x: float) -> float:
    with localcontext() as context:
        context.prec = 12
        return float(Decimal(x).exp())


BLACK_BOXES: dict[str, tuple[Callable[[float], Any], Callable[[float], float]]] = {
    "a square on a large offset": (lambda x: (1e8 + x * x) - 1e8, lambda x: 2.0 * x),
    "a line on a large offset": (lambda x: (1e8 + x) - 1e8, lambda x: 1.0),
    "a sine on a larger one": (lambda x: (1e12 + math.sin(x)) - 1e12, math.cos),
    "1 - cos": (lambda x: 1.0 - math.cos(x), math.sin),
    "softplus as in textbooks": (lambda x: math.log(1.0 + math.exp(x)), lambda x: 1.0 / (1.0 + math.exp(-x))),
    "float32 inside": (lambda x: float(np.sin(np.float32(x))), math.cos),
    "float16 inside": (lambda x: float(np.sin(np.float16(x))), math.cos),
    "ten decimals": (lambda x: round(math.sin(x), 10), math.cos),
    "four decimals": (lambda x: round(math.sin(x), 4), math.cos),
    "cents": (lambda x: round(100.0 * x * 1.19) / 100.0, lambda x: 1.19),
    "six digits": (lambda x: float(f"{math.exp(x):.6g}"), math.exp),
    "twelve digits": (decimal_exp, math.exp),
    "a cross entropy": (lambda x: -math.log(1.0 - 1.0 / (1.0 + math.exp(-x))), lambda x: 1.0 / (1.0 + math.exp(-x))),
    "exp": (math.exp, math.exp),
    "tanh": (math.tanh, lambda x: 1.0 / math.cosh(x) ** 2),
    "a kink elsewhere": (lambda x: max(x - 1.0, 0.0) + x, lambda x: 1.0 + (x > 1.0)),
    "a jump elsewhere": (lambda x: float(x > 0.0) + x, lambda x: 1.0),
}


def somewhere(rng: random.Random) -> float:
    return rng.choice([rng.uniform(-3, 3), rng.uniform(-20, 20), rng.choice([-1, 1]) * 10.0 ** rng.uniform(-7, 1)])


def test_the_bound_of_black_boxes_holds_at_95_of_100_points_and_more() -> None:
    wrong, points = [], 0
    for name, (f, true) in BLACK_BOXES.items():
        rng = random.Random(name)
        for x in (somewhere(rng) for _ in range(25)):
            found = finite_difference(f, x)
            points += 1
            if math.isfinite(found.bound) and not abs(found.value - true(x)) <= found.bound + 1e-15 * abs(true(x)):
                wrong.append((name, x, str(found)))
    assert len(wrong) <= 0.02 * points, wrong


@pytest.mark.parametrize("name", ["a square on a large offset", "float32 inside", "ten decimals", "six digits"])
def test_what_moves_in_visible_steps_is_never_called_smooth(name: str) -> None:
    rng = random.Random(f"steps {name}")
    for x in (somewhere(rng) for _ in range(25)):
        assert finite_difference(BLACK_BOXES[name][0], x).verdict in ("quantised", "inconclusive")


def test_a_noisy_function_gets_a_bound_of_its_noise() -> None:
    def noisy(x: float) -> float:
        return math.sin(x) + 1e-7 * random.Random(repr(x)).uniform(-1.0, 1.0)

    for x in (0.3, 1.0, 2.0, -5.0, 30.0):
        found = finite_difference(noisy, x)
        assert abs(found.value - math.cos(x)) <= found.bound < 1e-3
        assert 1e-8 < found.noise < 1e-5


def test_noise_that_the_caller_knows_is_not_estimated() -> None:
    found = finite_difference(lambda x: round(math.sin(x), 6), 1.0, noise=5e-7)
    assert not found.estimated
    assert abs(found.value - math.cos(1.0)) <= found.bound < 1e-3


@given(st.integers(-8, 8), st.floats(-50.0, 50.0), st.floats(0.1, 10.0))
def test_the_bound_of_black_boxes_holds_for_shifted_and_scaled_functions(k: int, shift: float, slope: float) -> None:
    scale = 10.0**k
    found = finite_difference(lambda x: math.tanh(slope * x / scale) + shift, 0.3 * scale)
    true = slope / scale / math.cosh(0.3 * slope) ** 2
    assert abs(found.value - true) <= found.bound + 1e-13 * abs(true)


# Verdicts


VERDICTS: list[tuple[Callable[[Any], Any], float, str]] = [
    (lambda x: abs(x), 0.0, "kink"),
    (lambda x: F.relu(x - 3.0), 3.0, "kink"),
    (lambda x: F.max([x, 1.0]), 1.0, "kink"),
    (lambda x: x * abs(x), 0.0, "smooth"),
    (lambda x: abs(x) ** 1.5, 0.0, "smooth"),
    (lambda x: F.relu(x) - F.relu(-x), 0.0, "smooth"),
    (lambda x: F.sqrt(x), 0.0, "infinite slope"),
    (lambda x: F.cbrt(x), 0.0, "infinite slope"),
    (lambda x: F.acos(x), 1.0, "infinite slope"),
    (lambda x: F.acosh(x), 1.0, "infinite slope"),
    (lambda x: F.sqrt(abs(x)), 0.0, "kink"),
    (lambda x: x**1.5, 0.0, "edge"),
    (lambda x: x * F.sqrt(x - 1.0) ** 2, 1.0, "edge"),
    (lambda x: F.floor(x), 2.0, "jump"),
    (lambda x: F.sign(x), 0.0, "jump"),
    (lambda x: F.where(x > 0, 1.0 + x, x), 0.0, "jump"),
    (lambda x: F.floor(x), 2.5, "smooth"),
    (lambda x: F.log(x), 0.0, "undefined"),
    (lambda x: F.log(x), -1.0, "undefined"),
    (lambda x: F.exp(x), 1000.0, "undefined"),
    (lambda x: F.pow(-2.5, x), 3.0, "inconclusive"),
    (lambda x: F.sin(x), 1e16, "inconclusive"),
    (lambda x: F.relu(x - 0.999999999999999), 1.0, "inconclusive"),  # the kink is nearer than any step
    (lambda x: 1.0 / F.log1p(F.exp(x)), 1000.0, "inconclusive"),  # an infinity on the way
    (lambda x: F.tanh(1e30 * x), 0.0, "smooth"),
    (lambda x: F.sqrt(x + 1e-40), 0.0, "smooth"),
]


@pytest.mark.parametrize(("f", "x", "verdict"), VERDICTS)
def test_kinks_edges_jumps_and_infinite_slopes_are_told_apart(f: Any, x: float, verdict: str) -> None:
    assert finite_difference(f, Value(x)).verdict == verdict


@pytest.mark.parametrize(("f", "x", "verdict"), [row for row in VERDICTS if row[2] != "inconclusive"])
def test_black_boxes_get_the_same_verdicts(f: Any, x: float, verdict: str) -> None:
    assert finite_difference(f, x).verdict == verdict


def test_a_kink_has_a_slope_on_either_side() -> None:
    found = finite_difference(lambda x: F.relu(2.0 * x) - 3.0 * x, Value(0.0))
    assert found.left.value == pytest.approx(-3.0, abs=found.left.bound)
    assert found.right.value == pytest.approx(-1.0, abs=found.right.bound)
    assert math.isnan(found.value)


def test_an_infinite_slope_has_a_sign() -> None:
    assert finite_difference(F.sqrt, Value(0.0)).value == math.inf
    assert finite_difference(F.acos, Value(1.0)).value == -math.inf
    assert finite_difference(F.acos, Value(-1.0)).value == -math.inf


def test_a_constant_has_the_derivative_0_and_a_line_its_slope() -> None:
    assert finite_difference(lambda x: 5.0, 3.0).value == 0.0
    found = finite_difference(lambda x: 4.0 * x - 7.0, 3.0)
    assert found.value == 4.0


@pytest.mark.slow
@pytest.mark.parametrize("name", oracles)
def test_no_bound_fails_at_two_thousand_points_of_each_operation(name: str) -> None:
    """Over the whole range of doubles, by differences for one operand, drawn anew at each point."""
    rng = random.Random(f"differences {name}")
    for _ in range(2_000):
        check_one_operand(name, rng)


@pytest.mark.parametrize("name", oracles)
def test_no_bound_fails_anywhere_in_the_domain_of_an_operation(name: str) -> None:
    rng = random.Random(f"some differences {name}")
    for _ in range(20):
        check_one_operand(name, rng)


def check_one_operand(name: str, rng: random.Random) -> None:
    operands = oracles[name].draw(rng)
    place = rng.randrange(len(operands) - (name in ("take", "softmax", "log_softmax")))
    true = exact(lambda *xs: oracles[name].partials(*xs)[place], operands)
    found = finite_difference(
        lambda x: call(name, *operands[:place], x, *operands[place + 1 :]), Value(operands[place])
    )
    if math.isfinite(found.bound) and not oracles[name].kink(*operands):
        allowed = found.bound + 8.0 * U * abs(found.value) + 8.0 * 2.0**-1074
        assert error(found, true) <= allowed, (operands, place, str(found), float(true))


# Bad input, and the parts


def test_bad_input_gets_a_sentence() -> None:
    with pytest.raises(TypeError, match=r"returned None .* not a number"):
        finite_difference(lambda x: None, 1.0)
    with pytest.raises(TypeError, match="takes one real number as the point; got 'a'; give a float"):
        finite_difference(abs, "a")
    with pytest.raises(ValueError, match="takes a finite point; got nan; choose one where f is defined"):
        finite_difference(abs, math.nan)
    with pytest.raises(ValueError, match="takes a noise of at least 0, or None; got -1"):
        finite_difference(abs, 1.0, noise=-1)
    with pytest.raises(NotDeterministicError, match="seed its random numbers anew"):
        finite_difference(lambda x: x * random.random(), 1.0)


def test_a_function_that_raises_outside_its_domain_has_an_edge_there() -> None:
    found = finite_difference(math.sqrt, 1e-3)
    assert found.verdict == "smooth"
    assert found.value == pytest.approx(0.5 / math.sqrt(1e-3), rel=1e-10)
    assert finite_difference(lambda x: x**1.5, 0.0).verdict == "edge"  # Python's answer at -1 is complex


def test_other_errors_of_the_function_reach_the_caller() -> None:
    with pytest.raises(KeyError):
        finite_difference(lambda x: {}[x], 1.0)


def test_numpy_warnings_outside_the_domain_are_kept_quiet() -> None:
    assert finite_difference(np.log, 0.5).verdict == "smooth"  # the suite turns warnings into errors


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_short_floats_are_moved_in_steps_that_they_can_hold(kind: Any) -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(type(x))
        return x * x * x

    found = finite_difference(f, kind(0.7))
    assert abs(found.value - 3.0 * float(kind(0.7)) ** 2) <= found.bound < 0.5
    assert set(seen) == {kind}


def test_rounding_errors_of_a_graph_are_bounded() -> None:
    rng = random.Random(0)
    for _ in range(200):
        xs = [rng.uniform(-3.0, 3.0) for _ in range(3)]

        def f(m: Any, a: Any, b: Any, c: Any) -> Any:
            return m.exp(a * b) * m.sin(c + a) - (a - b) / (c * c + 1)

        graph = f(F, *map(Value, xs))
        with mpmath.workdps(50):
            true = f(mpmath, *map(mpmath.mpf, xs))
            assert abs(mpmath.mpf(graph.data) - true) <= rounding_error(graph)


def test_every_estimate_is_exact_for_polynomials_of_its_degree() -> None:
    for power in range(1, 6):
        right, left = (
            [Chord(2.0**k, sign * (sign * 2.0**k) ** power / 2.0**k, 0.0, 0.0) for k in range(7)]
            for sign in (1.0, -1.0)
        )
        estimates = [*from_one_side(right), *from_one_side(left), *from_both_sides(middle(left, right))]
        assert len(estimates) == 3 + 3 + 5
        assert all(abs(found.value - (power == 1)) <= found.arithmetic for found in estimates)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_smallest_steps_still_move_a_number(x: float) -> None:
    steps = steps_for(x)
    assert steps == sorted(steps)
    assert x + steps[0] != x or x - steps[0] != x
    assert autograd.abs(steps[-1]) <= max(1.0, abs(x))
