"""How does a moment of a training run look? The picture of the playground, as SVG, written by Python alone.

On the left the network, with its weights on the lines and in each neuron what it responds to; on the right the data
with what the model says, and below it the loss. `view.py` says what there is to see, `pixels.py` makes small images.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isfinite, log10
from typing import Any

from autograd.drawing.text import printable
from autograd.drawing.theme import DARK, THEMES, Theme, check_theme, mix, theme_named
from nn.plots import COLOURS
from nn.watching.pixels import contour, levels_of, png
from nn.watching.plain_network import Column, PlainNetwork
from nn.watching.view import SMALL, Axis, Sight, View

WIDTH, HEIGHT = 900, 506
"""The size in pixels, 16 to 9."""
NETWORK = (24.0, 92.0, 536.0, 380.0)
PLANE = (622.0, 86.0, 254.0, 254.0)
LOSS = (622.0, 398.0, 254.0, 74.0)
LARGE_PLANE, LARGE_LOSS = (110.0, 86.0, 376.0, 376.0), (576.0, 86.0, 300.0, 376.0)
"""Where the parts stand: left, top, width, height; the large ones where no network is drawn."""
MOST_UNITS, MOST_COLUMNS = 10, 8
"""So many units of a layer are drawn, and so many layers with the inputs."""
STEPS = 20
"""Shades of each of the two colours."""
STRENGTH, PALE = 0.85, 0.6
"""How much the strongest colour covers; and in the plane, where points stand on it."""
WIDEST = 6.0
"""The width of the line of the largest weight."""
MOST_LOSSES, FAR = 160, 30.0
"""Points of a loss curve, and the factor from which on its scale is logarithmic."""
MOST_ROWS, MOST_CLASSES = 12, 12
"""Of the table of predictions."""


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
    sight, shades = view.look(), _Shades(theme)
    parts = [_header(at)]
    if view.network is not None and sight.units is not None:
        parts.append(_network(view, view.network, sight.units, shades))
    draw = {"plane": _plane, "curve": _curve, "predictions": _predictions}[view.kind]
    parts += [draw(view, sight, shades), _loss_curve(at, _Chart(*(LARGE_LOSS if view.network is None else LOSS)))]
    alt = f"epoch {at.epoch:g}" + (f", loss {_number(at.losses[-1][1])}" if at.losses else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'class="nn-film-{theme}" style="max-width:100%;height:auto" role="img" aria-label="{alt}">'
        f"<style>{_stylesheet(theme, fonts, in_notebook)}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>{"".join(parts)}{_notes(view, sight)}</svg>'
    )


# Colours

DARK_HOSTS = ":is([data-jp-theme-light=false],.vscode-dark,.vscode-high-contrast,[theme=dark],[data-theme=dark])"
"""What JupyterLab, VS Code and Colab say of themselves when they are dark."""
UNKNOWN_HOST = "html:not([theme],[data-theme]) body:not([data-jp-theme-light],[data-vscode-theme-kind])"


def _stylesheet(name: str, fonts: str, in_notebook: bool) -> str:
    """Like those of drawings: of "auto" the light rules, and the dark ones in one more rule at the end."""
    root = f".nn-film-{name}"
    light, dark = _rules(theme_named(name), fonts, root), THEMES["dark"]
    if name != "auto":
        return light
    if not in_notebook:
        return f"{light}{DARK}{{{_rules(dark, fonts, root)}}}"
    of_hosts = _rules(dark, fonts, f"{DARK_HOSTS} {root}")
    return f"{light}{of_hosts}{DARK}{{{_rules(dark, fonts, f'{UNKNOWN_HOST} {root}')}}}"


def _rules(theme: Theme, fonts: str, root: str) -> str:
    rules = {
        "": f"fill:{theme.text};font-family:{fonts or theme.font};font-size:12px",
        " .paper": f"fill:{theme.background}",
        " .faint": f"fill:{theme.faint}",
        " .large": "font-size:19px;font-weight:600",
        " .end": "text-anchor:end",
        " .middle": "text-anchor:middle",
        " .frame": f"fill:none;stroke:{theme.frame}",
        " .box": f"fill:{theme.operation};stroke:{theme.frame}",
        " .plus": f"fill:none;stroke:{theme.positive}",
        " .minus": f"fill:none;stroke:{theme.negative}",
        " .bad": f"fill:none;stroke:{theme.alarm};stroke-dasharray:6 3",
        " .fill-plus": f"fill:{theme.positive}",
        " .fill-minus": f"fill:{theme.negative}",
        " .ink": f"fill:none;stroke:{theme.text}",
        " .pale": f"fill:none;stroke:{theme.faint}",
        " .point": f"stroke:{theme.background};stroke-width:.8",
        " .held": f"stroke:{theme.text};stroke-width:1.2",
        **{f" .c{k}": f"fill:{colour}" for k, colour in enumerate(COLOURS)},
        **{f" .s{k}": f"fill:none;stroke:{colour}" for k, colour in enumerate(COLOURS)},
    }
    return "".join(f"{root}{selector}{{{declarations}}}" for selector, declarations in rules.items())


class _Shades:
    """The palettes of the small images. In a picture for both themes their colours lie between those of the two."""

    def __init__(self, theme: str) -> None:
        light, dark = THEMES["light"], THEMES["dark"]
        one = theme_named(theme)
        both = [mix(getattr(light, x), getattr(dark, x), 0.5) for x in ("negative", "positive")]
        self.signs = both if theme == "auto" else [one.negative, one.positive]

    def of_numbers(self, numbers: Column, across: int, scale: float, strength: float = STRENGTH) -> str:
        """Blue where numbers are positive and orange where they are negative, the paler the nearer they are to 0."""
        negative, positive = self.signs
        palette = [("#000000", 0.0)]
        palette += [(negative if k < 0 else positive, strength * abs(k) / STEPS) for k in range(-STEPS, STEPS + 1)]
        return png(levels_of(numbers, across, scale if isfinite(scale) and scale else 1.0, STEPS), palette)

    def of_classes(self, probabilities: Sequence[Sequence[float]], across: int) -> str:
        """The colour of the most probable class, the paler the less sure."""
        shades, count = 8, len(probabilities[0])
        palette = [("#000000", 0.0)]
        palette += [
            (COLOURS[k % 7], PALE * (0.25 + 0.75 * i / shades)) for k in range(count) for i in range(1, shades + 1)
        ]
        places = []
        for row in probabilities:
            most = max(row)
            lead = (most - 1.0 / count) / (1.0 - 1.0 / count)
            places.append(1 + row.index(most) * shades + min(shades - 1, int(lead * shades)) if most == most else 0)
        return png([places[i : i + across] for i in range(len(places) - across, -1, -across)], palette)


def _class(view: View, k: int) -> str:
    """The style of a class: of two the colours of the signs."""
    return ("fill-minus", "fill-plus")[k] if view.task == "binary" else f"c{k % len(COLOURS)}"


# Texts


def _text(x: float, y: float, words: str, style: str = "", most: int = 200) -> str:
    return f'<text x="{x:.4g}" y="{y:.4g}"{_styled(style)}>{html.escape(printable(words, most))}</text>'


def _styled(style: str) -> str:
    return f' class="{style}"' if style else ""


def _number(x: float) -> str:
    """A number with three digits, as short as it can be.

    >>> _number(0.12345), _number(3.0), _number(1234567.0)
    ('0.123', '3', '1.23e+06')
    """
    return f"{x:.3g}" if isfinite(x) else str(x)


def _header(at: At) -> str:
    """The figures of the moment, on one line."""
    words = {"epoch": f"{at.epoch:.4g}" if at.epoch < 1e4 else f"{at.epoch:.0f}"}
    if at.lr is not None:
        words["learning rate"] = _number(at.lr)
    for name, losses in (("training loss", at.losses), ("validation loss", at.validation_losses)):
        if losses:
            words[name] = _number(losses[-1][1])
    for name, words_of in (("accuracy", "accuracy"), ("validation_accuracy", "validation accuracy")):
        if name in at.figures:
            words[words_of] = f"{100.0 * at.figures[name]:.1f} %"
    found = []
    for k, (label, figure) in enumerate(words.items()):
        x = 24.0 + 142.0 * k
        found.append(_text(x, 26.0, label, "faint") + _text(x, 48.0, figure, "large"))
    return "".join(found)


def _notes(view: View, sight: Sight) -> str:
    """What is not shown, in sentences at the foot."""
    notes = list(view.missing)
    if not all(isfinite(x) for column in sight.outputs for x in column):
        notes.append("The model says nan or inf in places, which stay blank.")
    return "".join(_text(24.0, 499.0 - 15.0 * k, note, "faint", 96) for k, note in enumerate(notes[:2][::-1]))


# The network


@dataclass(frozen=True)
class _Column:
    """A column of the picture: the inputs (layer -1) or a layer, and its units that are drawn."""

    layer: int
    count: int
    x: float
    ys: list[float]
    size: float


def _network(view: View, network: PlainNetwork, units: Sequence[Sequence[Column]], shades: _Shades) -> str:
    columns = _columns(view, network)
    return "".join(
        [
            _weights(network, columns),
            *(_inputs(view, column, shades) for column in columns[:1]),
            *(_units(view, network, column, units[column.layer], shades) for column in columns[1:]),
        ]
    )


def _columns(view: View, network: PlainNetwork) -> list[_Column]:
    """Where the inputs and the layers stand; of many layers the first ones and the last."""
    counts = [network.inputs, *(len(layer.weights) for layer in network.layers)]
    shown = list(range(len(counts)))
    if len(shown) > MOST_COLUMNS:
        shown = [*shown[: MOST_COLUMNS - 1], shown[-1]]
    left, top, width, height = NETWORK
    begin, end = left + 84.0, left + width - (84.0 if view.task == "classes" else 36.0)
    pitch = (end - begin) / (len(shown) - 1)
    most = max(min(counts[k], MOST_UNITS) for k in shown)
    size = min(40.0, height / most - 6.0, 0.62 * pitch)
    found = []
    for place, k in enumerate(shown):
        drawn = counts[k] if counts[k] <= MOST_UNITS else MOST_UNITS - 1
        step = min(height / max(drawn, 1), 1.55 * size + 6.0)
        first = top + height / 2.0 - step * (drawn - 1) / 2.0
        ys = [first + step * i for i in range(drawn)]
        found.append(_Column(k - 1, counts[k], begin + pitch * place, ys, size))
    return found


def _weights(network: PlainNetwork, columns: Sequence[_Column]) -> str:
    """A line for each weight, as wide as it is large; lines of one width are one path: a third of the bytes."""
    numbers = {
        (column.layer, i, j): network.layers[column.layer].weights[i][j].data
        for before, column in pairwise(columns)
        if before.layer == column.layer - 1
        for i in range(len(column.ys))
        for j in range(len(before.ys))
    }
    largest = max((abs(w) for w in numbers.values() if isfinite(w)), default=0.0)
    largest = max(largest, 1.0)  # or the small weights of the beginning would look like large ones
    at = {column.layer: column for column in columns}
    paths: dict[tuple[str, int], list[str]] = {}
    for (layer, i, j), w in numbers.items():
        bucket = round(9 * abs(w) / largest) if isfinite(w) else 4
        style = "bad" if not isfinite(w) else "plus" if w > 0 else "minus"
        if w:
            paths.setdefault((style, bucket), []).append(_line(at[layer - 1], j, at[layer], i))
    return "".join(
        f'<path class="{style}" stroke-width="{0.5 + (WIDEST - 0.5) * bucket / 9:.3g}" '
        f'stroke-opacity="{0.45 + 0.055 * bucket:.2g}" d="{"".join(lines)}"/>'
        for (style, bucket), lines in sorted(paths.items(), key=lambda item: item[0][1])
    )


def _line(tail: _Column, j: int, head: _Column, i: int) -> str:
    x, y = tail.x + tail.size / 2.0, tail.ys[j]
    u, v = head.x - head.size / 2.0, head.ys[i]
    middle = (x + u) / 2.0
    return f"M{x:.4g},{y:.4g}C{middle:.4g},{y:.4g} {middle:.4g},{v:.4g} {u:.4g},{v:.4g}"


def _inputs(view: View, column: _Column, shades: _Shades) -> str:
    found = [_text(column.x, NETWORK[1] - 12.0, "input" if column.count == 1 else "inputs", "faint middle")]
    for i, y in enumerate(column.ys):
        found.append(_box(column, y) + _input_picture(view, i, column, y, shades))
        found.append(_text(column.x - column.size / 2.0 - 8.0, y + 4.0, view.names[i], "end", 10))
    return "".join(found) + _more(column)


def _input_picture(view: View, i: int, column: _Column, y: float, shades: _Shades) -> str:
    """The input itself, over the plane or the curve; nothing where it is constant there."""
    if view.kind == "curve":
        return _sparkline([k / 24.0 for k in range(25)], column, y)
    if view.kind == "predictions":
        return _bars(view, view.small([row[i] for row in view.points.rows]), column, y)
    places = [axis.place for axis in view.axes]
    if i not in places:
        return ""
    ramp = [(2 * k + 1 - SMALL) / SMALL for k in range(SMALL)]
    numbers = ramp * SMALL if i == places[0] else [x for x in ramp for _ in range(SMALL)]
    return _image(shades.of_numbers(numbers, SMALL, 1.0), *_inside(column, y))


def _units(view: View, network: PlainNetwork, column: _Column, units: Sequence[Column], shades: _Shades) -> str:
    layer, is_last = network.layers[column.layer], column.layer == len(network.layers) - 1
    title = f"{'output' if column.count == 1 else 'outputs'}" if is_last else layer.name
    found = [_text(column.x, NETWORK[1] - 12.0, title, "faint middle", 12)]
    for i, y in enumerate(column.ys):
        found.append(
            _box(column, y) + _unit_picture(view, units[i], column, y, shades) + _bias(layer.biases[i], column, y)
        )
        if is_last and view.task == "classes":
            x = column.x + column.size / 2.0 + 12.0
            found.append(_markers(view, i, [(x, y)], 4.5, "point") + _text(x + 9.0, y + 4.0, view.classes[i], "", 9))
    return "".join(found) + _more(column)


def _unit_picture(view: View, numbers: Column, column: _Column, y: float, shades: _Shades) -> str:
    """What a unit responds to."""
    if view.kind == "curve":
        return _sparkline(numbers, column, y)
    largest = max((abs(x) for x in numbers if isfinite(x)), default=0.0)
    if view.kind == "plane":
        return _image(shades.of_numbers(numbers, SMALL, max(largest, 1.0)), *_inside(column, y))
    return _bars(view, numbers, column, y)


def _box(column: _Column, y: float) -> str:
    x, size = column.x - column.size / 2.0, column.size
    return f'<rect class="box" x="{x:.4g}" y="{y - size / 2.0:.4g}" width="{size:.4g}" height="{size:.4g}" rx="3"/>'


def _inside(column: _Column, y: float) -> tuple[float, float, float, float]:
    size = column.size - 2.0
    return column.x - size / 2.0, y - size / 2.0, size, size


def _image(url: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<image x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}" preserveAspectRatio="none" '
        f'href="{url}"/>'
    )


def _bias(bias: Any, column: _Column, y: float) -> str:
    """A small square at the corner of the unit, as strong as its bias."""
    if bias is None or not bias.data or not isfinite(bias.data):
        return ""
    corner = column.size / 2.0
    style, strength = ("fill-plus" if bias.data > 0 else "fill-minus"), min(1.0, 0.25 + 0.75 * abs(bias.data))
    return (
        f'<rect class="{style}" x="{column.x - corner - 2.5:.4g}" y="{y + corner - 3.5:.4g}" width="6" height="6" '
        f'fill-opacity="{strength:.2g}"><title>bias {_number(bias.data)}</title></rect>'
    )


def _more(column: _Column) -> str:
    hidden = column.count - len(column.ys)
    y = column.ys[-1] + column.size / 2.0 + 18.0
    return _text(column.x, y, f"+ {hidden} more", "faint middle") if hidden else ""


def _sparkline(numbers: Column, column: _Column, y: float) -> str:
    """What a unit says along the curve; a line at 0 where there is one."""
    x, top, size, _ = _inside(column, y)
    finite = [n for n in numbers if isfinite(n)] or [0.0]
    low, high = min(0.0, *finite), max(0.0, *finite)
    low, high = (
        (low, high) if high / 2.0 - low / 2.0 > 0.5 else (high / 2.0 + low / 2.0 - 0.5, high / 2.0 + low / 2.0 + 0.5)
    )
    chart = _Chart(x + 2.0, top + 3.0, size - 4.0, size - 6.0, 0.0, max(1.0, len(numbers) - 1.0), low, high)
    zero = chart.y(0.0)
    return (
        f'<path class="pale" stroke-opacity=".5" d="M{x + 2.0:.4g},{zero:.4g}h{size - 4.0:.4g}"/>'
        f'<path class="ink" stroke-width="1.5" d="{chart.line(list(enumerate(numbers)))}"/>'
    )


def _bars(view: View, numbers: Column, column: _Column, y: float) -> str:
    """A unit's mean response to each class, or to the examples with the lowest targets, and so on."""
    x, top, size, _ = _inside(column, y)
    largest = max(1.0, *(abs(n) for n in numbers if isfinite(n)), 0.0)
    low = -largest if min(numbers) < 0.0 else 0.0
    chart = _Chart(x + 1.0, top + 2.0, size - 2.0, size - 4.0, 0.0, len(numbers), low, largest)
    found = []
    for k, n in enumerate(numbers):
        if isfinite(n) and n:
            style = ("fill-plus" if n > 0 else "fill-minus") if view.task == "regression" else _class(view, k)
            a, b = sorted((chart.y(n), chart.y(0.0)))
            found.append(
                f'<rect class="{style}" x="{chart.x(k + 0.1):.4g}" y="{a:.4g}" '
                f'width="{chart.x(0.8) - chart.x(0.0):.3g}" height="{max(b - a, 0.3):.3g}"/>'
            )
    return "".join(found)


# What the model says


@dataclass(frozen=True)
class _Chart:
    """A frame with two axes."""

    left: float
    top: float
    width: float
    height: float
    low_x: float = 0.0
    high_x: float = 1.0
    low_y: float = 0.0
    high_y: float = 1.0

    def x(self, number: float) -> float:
        return self.left + self.width * _share(number, self.low_x, self.high_x)

    def y(self, number: float) -> float:
        return self.top + self.height * (1.0 - _share(number, self.low_y, self.high_y))

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        """The `d` of a path through the points, with gaps where they are no numbers."""
        found, pen = [], "M"
        for a, b in points:
            if isfinite(a) and isfinite(b):
                found.append(f"{pen}{self.x(a):.4g},{self.y(b):.4g}")
                pen = "L"
            else:
                pen = "M"
        return "".join(found)

    def frame(self) -> str:
        return _frame(self.left, self.top, self.width, self.height)

    def ticks(self, horizontal: str = "", vertical: str = "") -> str:
        """The numbers at the ends of the axes, and their names."""
        right, bottom = self.left + self.width, self.top + self.height
        found = [
            _text(self.left, bottom + 16.0, _number(self.low_x), "faint"),
            _text(right, bottom + 16.0, _number(self.high_x), "faint end"),
            _text(self.left - 6.0, bottom, _number(self.low_y), "faint end"),
            _text(self.left - 6.0, self.top + 10.0, _number(self.high_y), "faint end"),
        ]
        if horizontal:
            found.append(_text(self.left + self.width / 2.0, bottom + 16.0, horizontal, "middle", 22))
        if vertical:
            x, y = self.left - 10.0, self.top + self.height / 2.0
            words = html.escape(printable(vertical, 22))
            found.append(f'<text class="middle" transform="translate({x:.4g},{y:.4g})rotate(-90)">{words}</text>')
        return "".join(found)


def _share(number: float, low: float, high: float) -> float:
    """Where a number lies between two others; a little outside at most."""
    reach = high / 2.0 - low / 2.0
    return max(-0.02, min(1.02, (number / 2.0 - low / 2.0) / reach)) if reach > 0.0 else 0.5


def _frame(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="frame" x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}"/>'


def _place(view: View) -> tuple[float, float, float, float]:
    """Where the plane stands, or what is in its place."""
    return LARGE_PLANE if view.network is None else PLANE


def _chart_of(view: View, vertical: Axis) -> _Chart:
    horizontal = view.axes[0]
    return _Chart(*_place(view), horizontal.low, horizontal.high, vertical.low, vertical.high)


def _plane(view: View, sight: Sight, shades: _Shades) -> str:
    """The data on what the model says of every point of the plane, with the boundary where it changes its mind."""
    n, chart = view.across, _chart_of(view, view.axes[1])
    left, top, size, _ = _place(view)
    if view.task == "classes":
        probabilities = view.probabilities(sight.outputs)
        image = shades.of_classes(probabilities, n)
        lines = [_leads(probabilities, k) for k in range(len(view.classes))]
    else:
        numbers = [view.certainty(x) for x in sight.outputs[0]]
        image, lines = shades.of_numbers(numbers, n, 1.0, PALE), [numbers] * view.has_boundary
    boundary = "".join(contour(line, n, left, top + size, size) for line in lines)
    drawn = f'<path class="ink" stroke-width="1.3" stroke-opacity=".8" d="{boundary}"/>' if boundary else ""
    points = _examples(view, lambda row, target: (chart.x(row[view.axes[0].place]), chart.y(row[view.axes[1].place])))
    ticks = chart.ticks(view.axes[0].name, view.axes[1].name)
    return f"{_image(image, *_place(view))}{drawn}{points}{chart.frame()}{ticks}{_legend(view, shades)}"


def _leads(probabilities: Sequence[Sequence[float]], k: int) -> list[float]:
    """By how much a class is ahead of the most probable other one."""
    return [row[k] - max(row[:k] + row[k + 1 :]) for row in map(list, probabilities)]


def _examples(view: View, place: Any) -> str:
    """The examples as points: those of a class with its colour and its marker; in a regression with their number's."""
    found = []
    for points, style in ((view.held_out, "held"), (view.points, "point")):
        pairs = list(zip(points.rows, points.targets, strict=False))
        if view.task == "regression":
            found += _coloured(view, [(place(row, target), target) for row, target in pairs], style)
            continue
        for k in range(len(view.classes)):
            found.append(_markers(view, k, [place(row, target) for row, target in pairs if target == k], 3.6, style))
    return "".join(found)


def _coloured(view: View, pairs: Sequence[tuple[tuple[float, float], float]], style: str) -> list[str]:
    """Circles whose colour says how large the target is, in five shades of each sign."""
    shades: dict[int, list[str]] = {}
    for (x, y), target in pairs:
        share = view.certainty(target)
        shade = max(-5, min(5, round(5.0 * share))) if isfinite(share) else 0
        shades.setdefault(shade, []).append(_marker(0, x, y, 3.6))
    return [
        f'<path class="{"fill-minus" if shade < 0 else "fill-plus"} {"held" if style == "held" else "ring"}" '
        f'fill-opacity="{0.1 + 0.18 * abs(shade):.2g}" d="{"".join(marks)}"/>'
        for shade, marks in sorted(shades.items())
    ]


def _markers(view: View, k: int, places: Sequence[tuple[float, float]], radius: float, style: str) -> str:
    """The marker of a class at many places, as one path."""
    marks = "".join(_marker(k, x, y, radius) for x, y in places)
    return f'<path class="{_class(view, k)} {style}" d="{marks}"/>' if marks else ""


MARKERS = (
    "",
    "m0,-{r}l{r},{d}h-{d}z",
    "m-{s},-{s}h{w}v{w}h-{w}z",
    "m0,-{r}l{r},{r}l-{r},{r}l-{r},-{r}z",
    "m0,{r}l{r},-{d}h-{d}z",
    "m-{t},-{r}h{u}v{u}h{u}v{u}h-{u}v{u}h-{u}v-{u}h-{u}v-{u}h{u}z",
)
"""A circle, then a triangle, a square, a diamond, a triangle upside down, a cross, as in the figures of `nn.plots`."""


def _marker(k: int, x: float, y: float, radius: float) -> str:
    """The marker of class k as a part of a path."""
    begin = f"M{x:.4g},{y:.4g}"
    k %= len(MARKERS)
    if k == 0:
        r, d = f"{radius:g}", f"{2.0 * radius:g}"
        return f"{begin}m-{r},0a{r},{r} 0 1,0 {d},0a{r},{r} 0 1,0 -{d},0"
    parts = {"r": 1.0, "d": 2.0, "s": 0.75, "w": 1.5, "t": 1.0 / 3.0, "u": 2.0 / 3.0}
    return begin + MARKERS[k].format(**{name: f"{1.2 * radius * part:.3g}" for name, part in parts.items()})


def _legend(view: View, shades: _Shades) -> str:
    """What the colours mean, above the plane."""
    left, top, width, _ = _place(view)
    if view.task == "regression":
        low, high = _number(view.middle - view.reach), _number(view.middle + view.reach)
        ramp = [(2 * k + 1 - SMALL) / SMALL for k in range(SMALL)]
        strip = _image(shades.of_numbers(ramp, SMALL, 1.0, PALE), left + 60.0, top - 19.0, 80.0, 10.0)
        return _text(left + 54.0, top - 10.0, low, "faint end") + strip + _text(left + 146.0, top - 10.0, high, "faint")
    shown = len(view.classes)
    if view.task == "classes" and view.network is not None and shown <= MOST_UNITS:
        return ""  # the names stand at the outputs
    step = width / max(2, shown)
    most = int((step - 16.0) / 7.0)
    return "".join(
        _markers(view, k, [(left + 6.0 + k * step, top - 14.0)], 4.5, "point")
        + (_text(left + 15.0 + k * step, top - 10.0, name, "", most) if most > 0 else "")
        for k, name in enumerate(view.classes)
    )


def _curve(view: View, sight: Sight, shades: _Shades) -> str:
    """What the model says along its one input, with the data."""
    axis = view.axes[0]
    if view.task == "regression":
        lines = [sight.outputs[0]]
        margin = 0.12 * (view.high / 2.0 - view.low / 2.0) * 2.0 or 0.5
        vertical = Axis(0, "", view.low - margin, view.high + margin)
    else:
        lines = [list(line) for line in zip(*view.probabilities(sight.outputs), strict=True)]
        vertical = Axis(0, "", -0.08, 1.08)
        lines = lines[1:] if view.task == "binary" else lines
    chart = _chart_of(view, vertical)
    n = len(lines[0])
    xs = [axis.low + (axis.high / 2.0 - axis.low / 2.0) * 2.0 * (i + 0.5) / n for i in range(n)]

    def place(row: Sequence[float], target: Any) -> tuple[float, float]:
        height = target if view.task != "classes" else 1.0
        return chart.x(row[0]), chart.y(height)

    drawn = ""
    for k, line in enumerate(lines):
        style = "plus" if len(lines) == 1 else f"s{k % len(COLOURS)}"
        drawn += (
            f'<path class="{style}" fill="none" stroke-width="2.5" d="{chart.line(list(zip(xs, line, strict=True)))}"/>'
        )
    words = {"regression": "", "binary": f"probability of {view.classes[-1]}" if view.classes else ""}
    legend = "" if view.task == "regression" else _legend(view, shades)
    vertical_name = words.get(view.task, "probability")
    return f"{_examples(view, place)}{drawn}{chart.frame()}{chart.ticks(axis.name, vertical_name)}{legend}"


def _predictions(view: View, sight: Sight, shades: _Shades) -> str:
    """Where there is no plane: how probable each class is for some examples, or predictions beside their targets."""
    if view.task == "regression":
        return _beside_targets(view, sight)
    probabilities = view.probabilities(sight.outputs)
    targets = view.points.targets
    order = _some_of_each(view)
    if len(view.classes) > MOST_CLASSES:
        return _as_texts(view, order, probabilities)
    left, top, width, height = _place(view)
    wide, high = width / len(view.classes), height / MOST_ROWS
    words = "how probable each class is; the right one is framed"
    found = [_text(left + width / 2.0, top + high * len(order) + 16.0, words, "faint middle")]
    for k, name in enumerate(view.classes):
        found.append(_text(left + (k + 0.5) * wide, top - 6.0, name, "middle", max(1, int(wide / 7.0))))
    for row, i in enumerate(order):
        y = top + row * high
        for k, share in enumerate(probabilities[i]):
            area = f'x="{left + k * wide + 1:.4g}" y="{y + 1:.4g}" width="{wide - 2:.3g}" height="{high - 2:.3g}"'
            if share > 0.005:
                found.append(f'<rect class="{_class(view, k)}" fill-opacity="{share:.2g}" {area}/>')
            if targets[i] == k:
                found.append(f'<rect class="ink" stroke-width="1.5" {area}/>')
    return "".join(found) + _frame(left, top, width, high * len(order))


def _some_of_each(view: View) -> list[int]:
    """The first examples of each class, in turns, and then in the order of the classes."""
    groups = [group for group in view.groups if group]
    chosen = [group[k] for k in range(MOST_ROWS) for group in groups if k < len(group)][:MOST_ROWS]
    return (
        chosen
        if view.kind == "predictions" and not view.points.rows
        else sorted(chosen, key=view.points.targets.__getitem__)
    )


def _as_texts(view: View, order: Sequence[int], probabilities: Sequence[Sequence[float]]) -> str:
    """Where there are many classes: how probable the right one is, as a bar, and which one the model would choose."""
    left, top, _, height = _place(view)
    high = height / MOST_ROWS
    found = [_text(left, top - 8.0, "target, its probability, and what the model says", "faint")]
    for row, i in enumerate(order):
        y, target = top + row * high, view.points.targets[i]
        share = probabilities[i][target]
        best = max(range(len(probabilities[i])), key=probabilities[i].__getitem__)
        found.append(_text(left + 44.0, y + 15.0, view.classes[target], "end", 7))
        found.append(
            f'<rect class="fill-plus" x="{left + 50:.4g}" y="{y + 3:.4g}" width="{140 * share:.3g}" '
            f'height="{high - 6:.3g}"/>'
        )
        found.append(_text(left + 196.0, y + 15.0, view.classes[best], "" if best == target else "faint", 8))
    return "".join(found)


def _beside_targets(view: View, sight: Sight) -> str:
    """Each prediction over its target: on the line where it is right."""
    targets, predictions = view.points.targets, sight.outputs[0]
    margin = 0.06 * (view.high / 2.0 - view.low / 2.0) * 2.0 or 0.5
    low, high = view.low - margin, view.high + margin
    chart = _Chart(*_place(view), low, high, low, high)
    pairs = [((chart.x(t), chart.y(p)), t) for t, p in zip(targets, predictions, strict=True) if isfinite(p)]
    left, top, width, height = _place(view)
    line = f'<path class="pale" d="M{left:.4g},{top + height:.4g}L{left + width:.4g},{top:.4g}"/>'
    return f"{line}{''.join(_coloured(view, pairs, 'point'))}{chart.frame()}{chart.ticks('target', 'prediction')}"


# The loss


def _loss_curve(at: At, chart: _Chart) -> str:
    """The losses by epoch, on a logarithmic scale where they fall far."""
    both = (at.losses, at.validation_losses)
    points = [point for series in both for point in series]
    losses = [loss for loss in (*(loss for _, loss in points), *at.others) if isfinite(loss)]
    left, right, top, bottom = chart.left, chart.left + chart.width, chart.top, chart.top + chart.height
    if not points:
        words = _text((left + right) / 2.0, (top + bottom) / 2.0 + 4.0, "no epoch yet", "faint middle")
        return _text(left, top - 8.0, "loss") + chart.frame() + words
    losses = losses or [0.0]
    low, high = min(losses), max(losses)
    is_far = low > 0.0 and high / low > FAR
    low = low if is_far else min(0.0, low)
    first, last = min((x for x, _ in points), default=0.0), max((at.last, *(x for x, _ in points)))
    ends = (log10(low), log10(high)) if is_far else (low, high)
    chart = replace(chart, low_x=min(first, last - 1e-9), high_x=last, low_y=ends[0], high_y=ends[1])
    found = [_text(left, top - 8.0, "loss, logarithmic" if is_far else "loss"), chart.frame()]
    for series, dashes in zip(both, ("", ' stroke-dasharray="4 3"'), strict=True):
        drawn = [(x, log10(loss) if is_far and loss > 0.0 else loss) for x, loss in _thinned(series)]
        if drawn and all(map(isfinite, drawn[-1])):
            found.append(f'<circle cx="{chart.x(drawn[-1][0]):.4g}" cy="{chart.y(drawn[-1][1]):.4g}" r="2.6"/>')
        if drawn:
            found.append(f'<path class="ink" stroke-width="1.6"{dashes} d="{chart.line(drawn)}"/>')
    return "".join(
        [
            *found,
            _text(left - 6.0, top + 10.0, _number(high), "faint end"),
            _text(left - 6.0, bottom, _number(low), "faint end"),
            _text(left, bottom + 16.0, f"epoch {first:.4g}", "faint"),
            _text(right, bottom + 16.0, f"{last:.4g}", "faint end"),
            _text(right, top - 8.0, "dashed: validation" * bool(at.validation_losses), "faint end"),
        ]
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many of the points, the last one among them."""
    step = -(-len(points) // MOST_LOSSES) or 1
    return [*points[:-1][::step], *points[-1:]]
