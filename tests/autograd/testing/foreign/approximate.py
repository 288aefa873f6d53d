"""Right gradients of functions that are computed roughly: tables, solvers with a tolerance, single precision inside.

The gradient is that of what the program is meant to compute. The program's own derivative is another one, and nobody
can know which was meant. So a check may pass, or say that it cannot tell, or object and name what to pass:
`noise=` for values that are off, `exact_to=` for a gradient that is meant to be approximate.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.autograd.testing.foreign.case import Case

Scalar = Callable[[float], float]


@dataclass(frozen=True)
class Approximate(Case):
    """A case, with what makes the check of it pass.

    Attributes:
        remedy: keywords of `check_gradient`. A `noise` is what f is off by, as compared with the exact solution.
        gross: a gradient that is far off, and must be found with the remedy too.
    """

    remedy: Mapping[str, float] | None = None
    gross: Any = None


def case(name: str, f: Any, df: Any, point: Any, gross: Any = None, **remedy: float) -> Approximate:
    return Approximate(name, f, df, point, "", remedy, gross or (lambda *x: 1.5 * np.asarray(df(*x))))


# Tables


def table(knots: Any, of: Any = np.sin) -> tuple[Scalar, Scalar]:
    """Straight lines between the values at the knots, and their slopes."""
    values = of(knots)

    def slope(x: float) -> float:
        k = int(np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2))
        return float((values[k + 1] - values[k]) / (knots[k + 1] - knots[k]))

    return lambda x: float(np.interp(x, knots, values)), slope


KNOTS = {
    "1/16 apart": np.arange(65) / 16,
    "1/64 apart": np.arange(257) / 64,
    "1/1024 apart": np.arange(4097) / 1024,
    "2**-17 apart": np.arange(2**18 + 1) / 2**17,
    "0.03 apart": np.arange(101) * 0.03,
    "0.001 apart": np.linspace(0, 2, 2001),
    "anywhere": np.sort(np.random.default_rng(4).uniform(0, 2, 300)),
}
PLACES = (0.3, 0.5 + 1 / 3, 1.0 + 1 / 4096, 1.3)
"""In the middle of cells, and near a knot."""

MEANT = 0.01
"""A derivative that is off by more than this is wrong, whatever was meant."""


def tables() -> Iterator[Approximate]:
    for (apart, knots), x in ((pair, x) for pair in KNOTS.items() for x in PLACES):
        f, slope = table(knots)
        cell = float(np.diff(knots).max())
        yield case(f"table with knots {apart}, at {x:.4g}: its slope", f, slope, x, exact_to=cell)
        if abs(slope(x) / math.cos(x) - 1.0) < MEANT:
            yield case(f"table with knots {apart}, at {x:.4g}: cos", f, np.cos, x, exact_to=cell)
    rounded = np.round(np.sin(np.arange(0, 2, 0.01)), 4)
    for x in PLACES:
        f, slope = table(np.arange(0, 2, 0.01), lambda knots: rounded)
        if abs(slope(x) / math.cos(x) - 1.0) < MEANT:
            yield case(f"table of four digits at {x:.4g}: cos", f, np.cos, x, noise=6e-5)


# Solvers

MOST_STEPS = 2_000


def steps() -> Iterator[int]:
    """As many as a solver takes before it gives up."""
    yield from range(MOST_STEPS)
    raise ArithmeticError(f"no solution in {MOST_STEPS} steps")


def decay(rate: float, time: float = 2.0, tolerance: float = 1e-6) -> float:
    """y' = -rate * y**2, y(0) = 1, by steps of Heun and Euler whose size follows their difference."""
    t, y, h = 0.0, 1.0, 0.1
    for _ in steps():
        if t >= time:
            break
        h = min(h, time - t)
        a = -rate * y * y
        b = -rate * (y + h * a) ** 2
        error = abs(h * (b - a) / 2)
        if error <= tolerance:
            t, y = t + h, y + h * (a + b) / 2
        h *= min(4.0, max(0.2, 0.9 * math.sqrt(tolerance / max(error, 1e-30))))
    return y


FEHLBERG = (
    (0.25,),
    (3 / 32, 9 / 32),
    (1932 / 2197, -7200 / 2197, 7296 / 2197),
    (439 / 216, -8.0, 3680 / 513, -845 / 4104),
    (-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40),
)
FOURTH = (25 / 216, 0.0, 1408 / 2565, 2197 / 4104, -0.2, 0.0)
FIFTH = (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55)


def oscillator(frequency: float, time: float = 3.0, tolerance: float = 1e-6) -> float:
    """cos(frequency * time), by Runge-Kutta-Fehlberg 4(5)."""
    t, y, h = 0.0, np.array([1.0, 0.0]), 0.1
    matrix = np.array([[0.0, 1.0], [-(frequency**2), 0.0]])
    for _ in steps():
        if t >= time:
            break
        h = min(h, time - t)
        slopes = [matrix @ y]
        for row in FEHLBERG:
            slopes.append(matrix @ (y + h * sum(w * k for w, k in zip(row, slopes, strict=True))))
        better = y + h * sum(w * k for w, k in zip(FIFTH, slopes, strict=True))
        error = float(np.abs(better - y - h * sum(w * k for w, k in zip(FOURTH, slopes, strict=True))).max())
        if error <= tolerance:
            t, y = t + h, better
        h *= min(4.0, max(0.2, 0.9 * (tolerance / max(error, 1e-30)) ** 0.2))
    return float(y[0])


def euler(rate: float, steps: int = 1000) -> float:
    """exp(-rate) by Euler's method."""
    y = 1.0
    for _ in range(steps):
        y -= rate * y / steps
    return y


def newton(a: float, tolerance: float = 1e-4) -> float:
    """x of x**3 + x = a."""
    x = 1.0
    for _ in steps():
        step = (x**3 + x - a) / (3 * x * x + 1)
        x -= step
        if abs(step) < tolerance:
            break
    return x


def bisection(a: float, tolerance: float = 1e-7) -> float:
    """The same, by halving an interval; the result is its middle."""
    low, high = 0.0, 4.0
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 + middle < a else (low, middle)
    return (low + high) / 2


def cosine_of_itself(a: float, tolerance: float = 1e-8) -> float:
    """x of x = a * cos(x), by iteration."""
    x = 0.5
    for _ in steps():
        if abs(a * math.cos(x) - x) <= tolerance:
            break
        x = a * math.cos(x)
    return x


def implicit(solve: Scalar) -> Scalar:
    return lambda a: 1.0 / (3.0 * solve(a) ** 2 + 1.0)


def of_cosine(a: float) -> float:
    x = cosine_of_itself(a)
    return math.cos(x) / (1 + a * math.sin(x))


def sine_of_time(frequency: float) -> float:
    return -3.0 * math.sin(3.0 * frequency)


def solvers() -> Iterator[Approximate]:
    for x in (0.5, 1.0, 1.7):
        yield case(f"adaptive Heun at {x}", decay, lambda r: -2.0 / (1 + 2.0 * r) ** 2, x, noise=3e-7)
        yield case(f"adaptive Runge-Kutta-Fehlberg at {x}", oscillator, sine_of_time, x, noise=3e-6)
        yield case(f"Euler with 1000 steps at {x}", euler, lambda r: -math.exp(-r), x, exact_to=5e-3)
        yield case(f"Newton to 1e-4 at {x + 2}", newton, implicit(newton), x + 2, exact_to=1e-4)
        yield case(f"bisection to 1e-7 at {x + 2}", bisection, implicit(bisection), x + 2, noise=6e-8)
        yield case(f"iteration to 1e-8 at {x / 2}", cosine_of_itself, of_cosine, x / 2, noise=1e-8)


def scipy_solvers() -> Iterator[Approximate]:
    """Those of SciPy, at their own tolerances; ImportError without it."""
    from scipy.integrate import quad, solve_ivp
    from scipy.optimize import brentq, minimize_scalar

    def ivp(frequency: float) -> float:
        found = solve_ivp(lambda t, y: [y[1], -(frequency**2) * y[0]], (0.0, 3.0), [1.0, 0.0])
        return float(found.y[0, -1])

    def by_brent(a: float) -> float:
        return float(brentq(lambda x: x**3 + x - a, 0.0, 4.0))

    def area(a: float) -> float:
        return float(quad(lambda t: math.exp(-a * t * t), 0.0, 2.0)[0])

    def by_area(a: float) -> float:
        return float(quad(lambda t: -t * t * math.exp(-a * t * t), 0.0, 2.0)[0])

    def lowest(a: float) -> float:
        return float(minimize_scalar(lambda x: x**4 / 4 + x * x / 2 - a * x).x)

    for x in (0.7, 1.3):
        yield case(f"scipy solve_ivp at {x}", ivp, sine_of_time, x, noise=2e-3)
        yield case(f"scipy brentq at {x + 2}", by_brent, implicit(by_brent), x + 2, noise=1e-12)
        yield case(f"scipy quad at {x}", area, by_area, x)
        yield case(f"scipy minimize_scalar at {x + 2}", lowest, implicit(lowest), x + 2, noise=5e-8)


# Single and half precision inside


def single(f: Any, dtype: Any = np.float32) -> Scalar:
    """A function of float64 that computes in another type."""
    return lambda x: float(f(dtype(x)))


def by_tanh(x: float) -> float:
    return 1 / math.cosh(x) ** 2


def by_sigmoid(x: float) -> float:
    return 1 / (2 + 2 * math.cosh(x))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def mixed_precision() -> Iterator[Approximate]:
    for x in (0.5, 3.0, 9.5, 14.0):
        gross = (lambda x: 0.3) if x > 5 else None
        yield case(f"tanh in float32 at {x}", single(np.tanh), by_tanh, x, gross, noise=1e-7)
        yield case(f"sigmoid in float32 at {2 * x}", single(sigmoid), by_sigmoid, 2 * x, gross, noise=1e-7)
        yield case(f"tanh in float16 at {x / 2}", single(np.tanh, np.float16), by_tanh, x / 2, gross, noise=5e-4)
    yield from losses_in_float32()


def losses_in_float32() -> Iterator[Approximate]:
    rng = np.random.default_rng(9)
    features, labels = rng.normal(size=(20, 3)), rng.choice([0.0, 1.0], size=20)

    def loss(w: Any) -> Any:
        z = features.astype(np.float32) @ w.astype(np.float32)
        return float((np.log1p(np.exp(z)) - labels.astype(np.float32) * z).mean())

    def gradient(w: Any, dtype: Any = np.float64) -> Any:
        x = features.astype(dtype)
        return x.T @ (sigmoid(x @ w.astype(dtype)) - labels.astype(dtype)) / 20

    w = rng.normal(size=3)
    exact = _quadratic
    yield case("logistic loss in float32, gradient in float64", loss, gradient, w, noise=1e-6)
    yield case("logistic loss and gradient in float32", loss, lambda w: gradient(w, np.float32), w, noise=1e-6)
    yield case("loss in float64, gradient in float32", exact, lambda w: 2 * w.astype(np.float32), w, exact_to=1e-6)
    yield case("loss in float64, gradient in float16", exact, lambda w: 2 * w.astype(np.float16), w, exact_to=2e-3)


def _quadratic(w: Any) -> Any:
    return (w * w).sum()
