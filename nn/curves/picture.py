"""How is a fitted curve drawn? With its data, its standard error, and its residuals below, with matplotlib."""

from typing import Any

import numpy as np

from nn.curves.estimates import Estimates
from nn.plots import COLOURS, INK, new_figure


def picture(fit: Estimates) -> Any:
    """The figure."""
    figure = new_figure(5.0, 4.5, "FittedCurve.plot")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    single = not fit.model.columns
    across = fit.data.x[:, 0] if single else fit(fit.data.x)
    bars = {"yerr": fit.data.sigma} if fit.data.weighted else {}
    dots = {"fmt": "o", "color": COLOURS[1], "markersize": 4, "linewidth": 0.8, **bars}
    upper.errorbar(across, fit.data.y, label="data", **dots)
    line = np.linspace(np.min(across), np.max(across), 401)
    curve = fit(line) if single else line
    upper.plot(line, curve, color=COLOURS[0], label=fit.model.text if len(fit.model.text) <= 40 else "fitted")
    if single and np.all(np.isfinite(fit.covariance)):
        error = fit.error_at(line)
        upper.fill_between(
            line, curve - error, curve + error, color=COLOURS[0], alpha=0.25, linewidth=0, label="standard error"
        )
    lower.errorbar(across, fit.residuals, **dots)
    lower.axhline(0.0, color=INK, linewidth=0.8)
    upper.set(ylabel="y")
    upper.legend()
    lower.set(xlabel=fit.model.x_name if single else "fitted y", ylabel="residual")
    return figure
