"""How is a fitted curve printed? As a report of at most 80 columns, as one would paste it."""

from math import isnan
from textwrap import wrap

import numpy as np

from autograd.terminal import WIDTH, aligned, cut
from nn.curves.estimates import Estimates

STRONG = 0.9
"""A correlation beyond this is shown: of two such parameters one says almost what the other does."""


def report(fit: Estimates) -> str:
    """The report.

    >>> from nn import least_squares
    >>> print(least_squares(lambda x, slope, offset: slope * x + offset, [0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0], [1, 1]))
    f(x, slope, offset) fitted to 4 observations
    <BLANKLINE>
    parameter      value  std. error  relative
    slope      1.9800000   0.0424264     2.1 %
    offset     1.0300000   0.0793725     7.7 %
    <BLANKLINE>
    sum of squared residuals     0.018000
    residual standard deviation  0.094868, with 2 degrees of freedom
    converged: further steps change rounding errors only
    ... evaluations of f, and ... of its derivatives
    """
    return "\n".join([_title(fit), "", *_table(fit), "", *_correlations(fit), *_remainder(fit)])


def _title(fit: Estimates) -> str:
    """What was fitted, with as many of its parameters as there is room for, and to how much."""
    to_what = f"fitted to {len(fit.data.y):,} observation{'s' * (len(fit.data.y) != 1)}"
    model, room = fit.model, WIDTH - 1 - len(to_what)
    shorter = [", ".join([model.x_name, *model.names[:k], "..."]) for k in reversed(range(len(model.names)))]
    texts = [model.text, *(f"{model.name}({names})" for names in shorter)]
    return f"{next((text for text in texts if len(text) <= room), cut(model.text, room))} {to_what}"


def number(x: float, error: float) -> str:
    """A number with as many decimals as six digits of its error have: who computes on with it loses nothing.

    >>> number(238.942129184, 2.70700752), number(5.5015643181e-4, 7.2668688e-6), number(2.0, 0.0)
    ('238.94213', '5.5015643e-04', '2')
    """
    if isnan(error) or error == 0.0 or x == 0.0:
        return f"{x:.10g}"
    digits = int(min(max(np.floor(np.log10(abs(x))) - np.floor(np.log10(error)) + 6, 4), 12))
    if 1e-3 <= abs(x) < 1e7:
        return f"{x:.{max(digits - 1 - int(np.floor(np.log10(abs(x)))), 0)}f}"
    return f"{x:.{digits - 1}e}"


def _table(fit: Estimates) -> list[str]:
    """A line for each parameter: its number, its standard error, and what holds it."""
    rows = [("parameter", "value", "std. error", "relative")]
    for i, (name, x) in enumerate(fit.parameters.items()):
        error = fit.errors[name]
        if not fit.free[i]:
            rows.append((cut(name, 30), f"{x:.10g}", _held(fit, i), ""))
        else:
            relative = "" if isnan(error) or not x else _percent(100.0 * error / abs(x))
            rows.append((cut(name, 30), number(x, error), _error(x, error), relative))
    return aligned(rows)


def _error(x: float, error: float) -> str:
    """A standard error: with as many decimals as its number, where that shows a few of its digits.

    >>> _error(238.942129184, 2.70700752), _error(3.0, 3.9e-14), _error(-0.04364, 40072464.9), _error(2.0, 0.0)
    ('2.70701', '3.90000e-14', '4.00725e+07', '0')
    """
    if isnan(error):
        return "unknown"
    if error == 0.0:
        return "0"
    shown = number(x, error)
    if "e" not in shown and "." in shown:
        text = f"{error:.{len(shown.split('.')[1])}f}"
        if len(text) <= 12 and len(text.replace(".", "").lstrip("0")) >= 3:
            return text
    return f"{error:.5e}"


def _percent(share: float) -> str:
    """A share of a number, to two digits.

    >>> _percent(1.71), _percent(230.1), _percent(9.2e10)
    ('1.7 %', '230 %', '9.2e+10 %')
    """
    return f"{share:,.0f} %" if 99.5 <= share < 1e6 else f"{share:.2g} %"


def _held(fit: Estimates, i: int) -> str:
    if fit.box.lowest[i] == fit.box.highest[i]:
        return "fixed"
    return "at its bound"


def _correlations(fit: Estimates) -> list[str]:
    """The pairs of parameters that are hard to tell apart, the strongest first."""
    names, matrix = fit.model.names, fit.correlation
    pairs = [(matrix[i, k], names[i], names[k]) for i in range(len(names)) for k in range(i + 1, len(names))]
    strong = sorted((pair for pair in pairs if abs(pair[0]) > STRONG), key=lambda pair: -abs(pair[0]))
    if not strong:
        return []
    words = [f"{cut(a, 20)} and {cut(b, 20)} {r:+.4f}" for r, a, b in strong[:5]]
    more = [f"... {len(strong) - 5} more pairs beyond {STRONG}"] * (len(strong) > 5)
    return ["correlations:", *(f"  {line}" for line in [*words, *more]), ""]


def _remainder(fit: Estimates) -> list[str]:
    """What is left over, and how the search ended."""
    freedom = fit.degrees_of_freedom
    words = f"{freedom:,} degree{'s' * (freedom != 1)} of freedom"
    lines = [f"sum of squared residuals     {_figure(fit.sum_of_squares)}"]
    if freedom:
        lines.append(f"residual standard deviation  {_figure(fit.standard_deviation)}, with {words}")
    else:
        lines.append("no degrees of freedom are left: as many parameters as observations")
    if fit.data.weighted:
        use = "known" if fit.absolute_sigma else "known in proportion"
        lines += [f"reduced chi-squared          {_reduced(fit)}", f"residuals are in units of sigma, which is {use}"]
    count = f"{fit.evaluations:,} evaluation{'s' * (fit.evaluations != 1)} of f"
    return [*lines, *wrap(fit.stopped, WIDTH), f"{count}, and {fit.derivatives:,} of its derivatives"]


def _reduced(fit: Estimates) -> str:
    return _figure(fit.standard_deviation**2) if fit.degrees_of_freedom else "unknown"


def _figure(x: float) -> str:
    """Five digits and more."""
    return f"{x:.6f}" if 1e-2 <= abs(x) < 1e7 or x == 0.0 else f"{x:.5e}"
