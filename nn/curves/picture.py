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
    dots = {"fmt": "o", "color": COLOURS[1], **_size(len(across)), **bars}
    upper.errorbar(across, fit.data.y, **dots)
    upper.plot(
        [], [], "o", color=COLOURS[1], markersize=4, label="data"
    )  # for the legend: small dots are not seen there
    line = np.linspace(np.min(across), np.max(across), 401)
    curve = fit(line) if single else line
    upper.plot(line, curve, color=COLOURS[0], zorder=3, label=fit.model.text if len(fit.model.text) <= 40 else "fitted")
    if single and fit.converged and np.all(np.isfinite(fit.root)):  # elsewhere the errors mean nothing
        error = fit.error_at(line)
        upper.fill_between(
            line,
            curve - error,
            curve + error,
            color=COLOURS[0],
            alpha=0.25,
            linewidth=0,
            zorder=2.5,
            label="standard error",
        )
    lower.errorbar(across, fit.residuals, **dots)
    lower.axhline(0.0, color=INK, linewidth=0.8, zorder=3)
    upper.set(ylabel="y")
    upper.legend()
    lower.set(xlabel=fit.model.x_name if single else "fitted y", ylabel="residual")
    return figure


def _size(observations: int) -> dict[str, Any]:
    """How dots are drawn: the more there are, the smaller and paler, so that many show where they are dense."""
    if observations <= 200:
        return {"markersize": 4, "linewidth": 0.8}
    share = (200 / observations) ** 0.5
    return {
        "markersize": max(4 * share, 1.0),
        "markeredgewidth": 0,
        "linewidth": max(0.8 * share, 0.2),
        "alpha": max(share, 0.1),
        "rasterized": observations > 10_000,  # 200,000 dots in an SVG are 30 MB
    }
