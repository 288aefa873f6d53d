"""Which parameters of a curve fit the data best, and how far can they be trusted? `least_squares` says it.

Read `fitting.py` next.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd.reals import as_count, shown

if TYPE_CHECKING:
    from nn.curves.fitted_curve import FittedCurve


def least_squares(
    f: Callable[..., Any],
    x: Any,
    y: Any,
    start: Sequence[float] | Mapping[str, float] | float,
    *,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    fixed: str | Iterable[str] | None = None,
    max_evaluations: int = 10_000,
) -> "FittedCurve":
    """Fits a curve y = f(x, a, b, ...) to data: the parameters with the least sum of squared residuals.

    Levenberg and Marquardt's method, with exact derivatives: f is recorded once, and runs as a compiled program for all
    observations. The search goes on until further steps would change rounding errors only.

    Arguments:
        f: the model, a function of x and then of the parameters, such as `lambda x, a, b: a * exp(-b * x)`, written
            with the functions of `autograd` (or NumPy's). It gets one x at a time and returns one number. `f(x, *b)`
            has the parameters b1, b2, ... For many fits of one function give `autograd.compile(f)`: it is recorded once
            for all of them, and numbers that it reads elsewhere stay as they were then.
        x: a number for each observation, or a row of numbers: an array of shape (m,) or (m, k), a list, a data frame.
        y: the number that was observed for each.
        start: where the search begins: a number for each parameter, in order or by name; or one number for one.
        sigma: the standard deviation of each y, or one for all. Residuals count in units of it.
        absolute_sigma: whether sigma is known, and not only in proportion. Otherwise the standard errors are computed
            from the scatter of the residuals. (As in scipy.optimize.curve_fit.)
        bounds: for parameters by name, the lowest and the highest number allowed; None where there is no limit.
        fixed: names of parameters that stay as they are in `start`.
        max_evaluations: how often f may be computed for all observations.

    Returns:
        a `FittedCurve`: `parameters`, `errors`, `covariance`, `residuals`, ...; `print` shows a report, `.plot()` a
        picture, and a call computes the curve for other x. Where the search found no minimum, or the data do not tell
        some parameters apart, `converged` is False, `stopped` says why, and a RuntimeWarning does.

    Raises:
        ValueError, TypeError: the arguments do not fit each other, or are not finite; or f or a derivative is not
            finite at the start.
        RecordingError: (a TypeError) f decides something by a number in Python (see `autograd.compile`).
        ImportError: NumPy is not installed. (Without llvmlite NumPy computes the same.)

    >>> from autograd import exp
    >>> from nn import least_squares
    >>> def decay(t, amplitude, rate):
    ...     return amplitude * exp(-rate * t)
    >>> fit = least_squares(decay, [0, 1, 2, 3, 4], [9.8, 6.2, 3.7, 2.1, 1.4], {"amplitude": 1, "rate": 1})
    >>> print(fit)
    decay(t, amplitude, rate) fitted to 5 observations
    <BLANKLINE>
    parameter      value  std. error  relative
    amplitude   9.865856    0.129856     1.3 %
    rate       0.4909799   0.0126297     2.6 %
    <BLANKLINE>
    sum of squared residuals     0.056960
    residual standard deviation  0.137792, with 3 degrees of freedom
    converged: further steps change rounding errors only
    ... evaluations of f, and ... of its derivatives
    >>> round(fit(5.0), 3), round(fit.parameters["rate"], 3)
    (0.847, 0.491)
    """
    try:
        import numpy
    except ImportError:
        raise ImportError("least_squares needs NumPy: pip install 'scalar-autograd[fast]'") from None
    from nn.curves.fitting import fitted
    from nn.curves.observations import observations

    limit = as_count(max_evaluations, "max_evaluations")
    if not isinstance(absolute_sigma, bool | numpy.bool_):
        raise TypeError(f"absolute_sigma takes True or False; got {shown(absolute_sigma)}: say whether sigma is known")
    data = observations(x, y, sigma)
    return fitted(f, data, start, bounds or {}, fixed, bool(absolute_sigma), limit)
