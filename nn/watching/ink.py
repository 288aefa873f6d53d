"""With what is a picture of a training drawn? Colours, texts, markers, images and charts, as pieces of SVG."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from autograd.drawing.text import printable
from autograd.drawing.theme import DARK, THEMES, Theme, mix, theme_named
from nn.plots import COLOURS
from nn.watching.pixels import levels_of, png
from nn.watching.plain_network import Column
from nn.watching.view import SMALL, View

STEPS, FEW_STEPS = 20, 12
"""Shades of each of the two colours, and in the small picture of a neuron, which then has 600 bytes, not 800."""

STRENGTH, PALE = 0.85, 0.6
"""How much the strongest colour covers; and in the plane, where points stand on it."""

DARK_HOSTS = ":is([data-jp-theme-light=false],.vscode-dark,.vscode-high-contrast,[theme=dark],[data-theme=dark])"
"""What JupyterLab, VS Code and Colab say of themselves when they are dark."""

UNKNOWN_HOST = "html:not([theme],[data-theme]) body:not([data-jp-theme-light],[data-vscode-theme-kind])"


def stylesheet(name: str, fonts: str, in_notebook: bool) -> str:
    """Like those of drawings: of "auto" the light rules, and the dark ones in one more rule at the end."""
    root = f".nn-film-{name}"
    light, dark = _rules(theme_named(name), fonts, root) + _classes(root), THEMES["dark"]
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
        " .ring": f"stroke:{theme.faint};stroke-width:.5",
        " .held": f"stroke:{theme.text};stroke-width:1.2",
    }
    return _written(root, rules)


def _classes(root: str) -> str:
    """The colours of classes, which are those of both themes."""
    fills = {f" .c{k}": f"fill:{colour}" for k, colour in enumerate(COLOURS)}
    return _written(root, fills | {f" .s{k}": f"fill:none;stroke:{colour}" for k, colour in enumerate(COLOURS)})


def _written(root: str, rules: Mapping[str, str]) -> str:
    return "".join(f"{root}{selector}{{{declarations}}}" for selector, declarations in rules.items())


class Shades:
    """The palettes of the small images. In a picture for both themes their colours lie between those of the two."""

    def __init__(self, theme: str) -> None:
        light, dark = THEMES["light"], THEMES["dark"]
        one = theme_named(theme)
        both = [mix(getattr(light, x), getattr(dark, x), 0.5) for x in ("negative", "positive")]
        self.signs = both if theme == "auto" else [one.negative, one.positive]

    def of_numbers(self, numbers: Column, across: int, scale: float, strength: float = STRENGTH) -> str:
        """Blue where numbers are positive and orange where they are negative, the paler the nearer they are to 0."""
        negative, positive = self.signs
        steps = FEW_STEPS if across <= SMALL else STEPS
        palette = [("#000000", 0.0)]
        palette += [(negative if k < 0 else positive, strength * abs(k) / steps) for k in range(-steps, steps + 1)]
        return png(levels_of(numbers, across, scale if isfinite(scale) and scale else 1.0, steps), palette)

    def of_classes(self, probabilities: Sequence[Sequence[float]], across: int) -> str:
        """The colour of the most probable class, the paler the less sure."""
        shades, count = 8, len(probabilities[0])
        palette = [("#000000", 0.0)]
        palette += [(colour, PALE * (0.25 + 0.75 * k / shades)) for colour in COLOURS for k in range(1, shades + 1)]
        places = []
        for row in probabilities:
            most = max(row)
            if isfinite(most):
                lead = max(0.0, (most - 1.0 / count) / (1.0 - 1.0 / count))
                colour = row.index(most) % len(COLOURS)
                places.append(1 + colour * shades + min(shades - 1, int(lead * shades)))
            else:
                places.append(0)
        return png([places[i : i + across] for i in range(len(places) - across, -1, -across)], palette)


def style_of_class(view: View, k: int) -> str:
    """The style of a class: of two the colours of the signs."""
    return ("fill-minus", "fill-plus")[k] if view.task == "binary" else f"c{k % len(COLOURS)}"


def text(x: float, y: float, words: str, style: str = "", most: int = 200) -> str:
    """A user's text or ours: inert, on one line, at most so many characters."""
    return f'<text x="{x:.4g}" y="{y:.4g}"{_styled(style)}>{html.escape(printable(words, most))}</text>'


def _styled(style: str) -> str:
    return f' class="{style}"' if style else ""


def number(x: float) -> str:
    """A number with three digits, as short as it can be.

    >>> number(0.12345), number(3.0), number(1234567.0)
    ('0.123', '3', '1.23e+06')
    """
    return f"{x:.3g}" if isfinite(x) else str(x)


def image(url: str, x: float, y: float, width: float, height: float) -> str:
    """A small image, as large as there is room."""
    return (
        f'<image x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}" preserveAspectRatio="none" '
        f'href="{url}"/>'
    )


def frame(x: float, y: float, width: float, height: float) -> str:
    """A rectangle around something."""
    return f'<rect class="frame" x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}"/>'


@dataclass(frozen=True)
class Chart:
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
        """Where a number stands, from the left."""
        return self.left + self.width * _share(number, self.low_x, self.high_x)

    def y(self, number: float) -> float:
        """Where a number stands, from the top."""
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
        """The rectangle around it."""
        return frame(self.left, self.top, self.width, self.height)

    def ticks(self, horizontal: str = "", vertical: str = "") -> str:
        """The numbers at the ends of the axes, and their names."""
        right, bottom = self.left + self.width, self.top + self.height
        found = [
            text(self.left, bottom + 16.0, number(self.low_x), "faint"),
            text(right, bottom + 16.0, number(self.high_x), "faint end"),
            text(self.left - 6.0, bottom, number(self.low_y), "faint end"),
            text(self.left - 6.0, self.top + 10.0, number(self.high_y), "faint end"),
        ]
        if horizontal:
            found.append(text(self.left + self.width / 2.0, bottom + 16.0, horizontal, "middle", 22))
        if vertical:
            x, y = self.left - 10.0, self.top + self.height / 2.0
            words = html.escape(printable(vertical, 22))
            found.append(f'<text class="middle" transform="translate({x:.4g},{y:.4g})rotate(-90)">{words}</text>')
        return "".join(found)


def _share(number: float, low: float, high: float) -> float:
    """Where a number lies between two others; a little outside at most."""
    reach = high / 2.0 - low / 2.0
    return max(-0.02, min(1.02, (number / 2.0 - low / 2.0) / reach)) if reach > 0.0 else 0.5


def markers(view: View, k: int, places: Sequence[tuple[float, float]], radius: float, style: str) -> str:
    """The marker of a class at many places, as one path."""
    marks = "".join(marker(k, x, y, radius) for x, y in places)
    return f'<path class="{style_of_class(view, k)} {style}" d="{marks}"/>' if marks else ""


MARKERS = (
    "",
    "m0,-{r}l{r},{d}h-{d}z",
    "m-{s},-{s}h{w}v{w}h-{w}z",
    "m0,-{r}l{r},{r}l-{r},{r}l-{r},-{r}z",
    "m0,{r}l{r},-{d}h-{d}z",
    "m-{t},-{r}h{u}v{u}h{u}v{u}h-{u}v{u}h-{u}v-{u}h-{u}v-{u}h{u}z",
)
"""A circle, then a triangle, a square, a diamond, a triangle upside down, a cross, as in the figures of `nn.plots`."""


def marker(k: int, x: float, y: float, radius: float) -> str:
    """The marker of class k as a part of a path."""
    begin = f"M{x:.4g},{y:.4g}"
    k %= len(MARKERS)
    if k == 0:
        r, d = f"{radius:g}", f"{2.0 * radius:g}"
        return f"{begin}m-{r},0a{r},{r} 0 1,0 {d},0a{r},{r} 0 1,0 -{d},0"
    parts = {"r": 1.0, "d": 2.0, "s": 0.75, "w": 1.5, "t": 1.0 / 3.0, "u": 2.0 / 3.0}
    return begin + MARKERS[k].format(**{name: f"{1.2 * radius * part:.3g}" for name, part in parts.items()})
