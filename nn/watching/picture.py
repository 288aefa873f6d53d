"""How does a moment of a training run look? The picture of the playground, as SVG, written by Python alone.

On the left the network (`network_picture.py`), on the right the data with what the model says (`data_picture.py`), and
below it the loss. `view.py` says what there is to see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, log10

from autograd.drawing.theme import check_theme
from nn.watching.data_picture import curve, plane, predictions
from nn.watching.ink import Chart, Shades, number, stylesheet, text
from nn.watching.network_picture import network_picture
from nn.watching.view import Sight, View

WIDTH, HEIGHT = 900, 506
"""The size in pixels, 16 to 9."""

LOSS, LARGE_LOSS = (622.0, 398.0, 254.0, 74.0), (576.0, 86.0, 300.0, 376.0)
"""Where the loss curve stands: left, top, width, height; and where no network is drawn."""

MOST_LOSSES, FAR = 160, 30.0
"""Points of a loss curve, and the factor from which on its scale is logarithmic."""


@dataclass(frozen=True)
class At:
    """Which moment of a run it is.

    Attributes:
        epoch: how many were finished; within one a broken number.
        lr: the learning rate; None if it is not known.
        losses, validation_losses: of the epochs that are drawn, as (epoch, loss).
        last: the epoch at the right end of the loss curve.
        figures: others to show, such as "accuracy".
        others: losses that are not drawn, and have room on the scale: those that are still to come in a film.
    """

    epoch: float = 0.0
    lr: float | None = None
    losses: Sequence[tuple[float, float]] = ()
    validation_losses: Sequence[tuple[float, float]] = ()
    last: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    others: Sequence[float] = ()


def picture_of(view: View, at: At = At(), theme: str = "auto", fonts: str = "", in_notebook: bool = False) -> str:
    """A moment of a training run as SVG, of the model as it is now.

    Arguments:
        view: what there is to see of the run.
        at: which moment it is.
        theme: "light", "dark", or "auto" for a picture that follows the page.
        fonts: those of its texts, as in a style sheet; by default those of pages.
        in_notebook: whether it stands in a notebook's page itself, whose theme it can see.

    Raises:
        ValueError: there is no such theme.

    >>> from nn import MLP, mse_loss
    >>> from nn.training.examples import Examples
    >>> view = View(MLP(1, [3, 1], rng=0), Examples([[0.0], [1.0]], [1.0, 3.0]), None, mse_loss)
    >>> picture_of(view)[:43]
    '<svg xmlns="http://www.w3.org/2000/svg" wid'
    """
    check_theme(theme)
    sight, shades = view.look(), Shades(theme)
    parts = [_header(at)]
    if view.network is not None and sight.units is not None:
        parts.append(network_picture(view, view.network, sight.units, shades))
    draw = {"plane": plane, "curve": curve, "predictions": predictions}[view.kind]
    parts += [draw(view, sight, shades), _loss_curve(at, Chart(*(LARGE_LOSS if view.network is None else LOSS)))]
    alt = f"epoch {at.epoch:g}" + (f", loss {number(at.losses[-1][1])}" if at.losses else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'class="nn-film-{theme}" style="max-width:100%;height:auto" role="img" aria-label="{alt}">'
        f"<style>{stylesheet(theme, fonts, in_notebook)}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>{"".join(parts)}{_notes(view, sight)}</svg>'
    )


def _header(at: At) -> str:
    """The figures of the moment, on one line."""
    words = {"epoch": f"{at.epoch:.4g}" if at.epoch < 1e4 else f"{at.epoch:.0f}"}
    if at.lr is not None:
        words["learning rate"] = number(at.lr)
    for name, losses in (("mean loss in epoch", at.losses), ("validation loss", at.validation_losses)):
        if losses:
            words[name] = number(losses[-1][1])
    for name, words_of in (("accuracy", "accuracy in epoch"), ("validation_accuracy", "validation accuracy")):
        if name in at.figures:
            words[words_of] = f"{100.0 * at.figures[name]:.1f} %"
    found = []
    for k, (label, figure) in enumerate(words.items()):
        x = 24.0 + 142.0 * k
        found.append(text(x, 26.0, label, "faint") + text(x, 48.0, figure, "large"))
    return "".join(found)


def _notes(view: View, sight: Sight) -> str:
    """What is not shown, in sentences at the foot."""
    notes = list(view.missing)
    if not all(isfinite(x) for column in sight.outputs for x in column):
        notes.append("The model says nan or inf in places, which stay blank.")
    return "".join(text(24.0, 499.0 - 15.0 * k, note, "faint", 96) for k, note in enumerate(notes[:2][::-1]))


def _loss_curve(at: At, chart: Chart) -> str:
    """The losses by epoch, on a logarithmic scale where they fall far."""
    both = (at.losses, at.validation_losses)
    points = [point for series in both for point in series]
    losses = [loss for loss in (*(loss for _, loss in points), *at.others) if isfinite(loss)]
    left, right, top, bottom = chart.left, chart.left + chart.width, chart.top, chart.top + chart.height
    if not points:
        words = text((left + right) / 2.0, (top + bottom) / 2.0 + 4.0, "no epoch yet", "faint middle")
        return text(left, top - 8.0, "loss") + chart.frame() + words
    losses = losses or [0.0]
    low, high = min(losses), max(losses)
    is_far = low > 0.0 and high / low > FAR
    low = low if is_far else min(0.0, low)
    first, last = min((x for x, _ in points), default=0.0), max((at.last, *(x for x, _ in points)))
    ends = (log10(low), log10(high)) if is_far else (low, high)
    chart = replace(chart, low_x=min(first, last - 1e-9), high_x=last, low_y=ends[0], high_y=ends[1])
    found = [text(left, top - 8.0, "loss, logarithmic" if is_far else "loss"), chart.frame()]
    for series, dashes in zip(both, ("", ' stroke-dasharray="4 3"'), strict=True):
        drawn = [(x, log10(loss) if is_far and loss > 0.0 else loss) for x, loss in _thinned(series)]
        if drawn and all(map(isfinite, drawn[-1])):
            found.append(f'<circle cx="{chart.x(drawn[-1][0]):.4g}" cy="{chart.y(drawn[-1][1]):.4g}" r="2.6"/>')
        if drawn:
            found.append(f'<path class="ink" stroke-width="1.6"{dashes} d="{chart.line(drawn)}"/>')
    return "".join(
        [
            *found,
            text(left - 6.0, top + 10.0, number(high), "faint end"),
            text(left - 6.0, bottom, number(low), "faint end"),
            text(left, bottom + 16.0, f"epoch {first:.4g}", "faint"),
            text(right, bottom + 16.0, f"{last:.4g}", "faint end"),
            text(right, top - 8.0, "dashed: validation" * bool(at.validation_losses), "faint end"),
        ]
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many of the points, the last one among them."""
    step = -(-len(points) // MOST_LOSSES) or 1
    return [*points[:-1][::step], *points[-1:]]
