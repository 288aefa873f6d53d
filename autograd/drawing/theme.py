"""Which colours does a drawing have? Blue and orange for the sign of a gradient, which colour-blind people tell apart.

Strength is on a logarithmic scale, over six powers of ten below the largest, and shows as thickness. A picture writes
the colours of one theme as attributes; a page has them as a style sheet, so that its script can change what a box is.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from autograd.reals import shown

PRINT_FONT = "Helvetica,Arial,Liberation Sans,sans-serif"
"""The fonts of papers and slides, and of Graphviz's formats; on a page a picture has those of the browser."""


WIDTHS = {"least": 1.0, "growth": 2.2, "decades": 6.0, "alarm": 3.0}
"""The width of a line without a gradient, in pixels; how much it grows, over how many powers of ten; and that of a line
whose gradient is nan or infinite. `page/view.js` reads them too."""


@dataclass(frozen=True)
class Theme:
    """The colours of a picture, as #rrggbb, how thick its lines are, and its fonts."""

    background: str
    text: str
    faint: str
    frame: str
    neutral: str
    positive: str
    negative: str
    alarm: str
    alarm_fill: str
    leaf: str
    operation: str
    folded: str
    mark: str
    thickness: float = 1.0
    font: str = "system-ui,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif"

    def stroke(self, sign: str) -> str:
        """The colour of the lines of one of SIGNS."""
        return {"positive": self.positive, "negative": self.negative, "alarm": self.alarm}.get(sign, self.neutral)

    def fill(self, kind: str, sign: str) -> str:
        """The colour inside a box of that kind."""
        if sign == "alarm":
            return self.alarm_fill
        return {"leaf": self.leaf, "input": self.leaf, "folded": self.folded}.get(kind, self.operation)

    def width(self, number: float | None, largest: float) -> float:
        """The width of a line in pixels for a gradient, where the largest around has that magnitude."""
        if number is not None and not math.isfinite(number):
            return WIDTHS["alarm"] * self.thickness
        share = abs(number) / largest if number and largest else 0.0
        strength = min(1.0, max(0.0, 1.0 + math.log10(share) / WIDTHS["decades"])) if share else 0.0
        return (WIDTHS["least"] + WIDTHS["growth"] * strength) * self.thickness


def mix(one: str, other: str, share: float) -> str:
    """The colour between two others.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


SIGNS = ("positive", "negative", "alarm")


def sign_of(number: float | None) -> str:
    """Which class a number gives its line: one of SIGNS, or "none" for zero and for a number that is not known.

    >>> sign_of(-0.5), sign_of(float("inf")), sign_of(0.0), sign_of(None)
    ('negative', 'alarm', 'none', 'none')
    """
    if number is not None and not math.isfinite(number):
        return "alarm"
    return "positive" if number and number > 0.0 else "negative" if number else "none"


# Blue and vermilion after Okabe and Ito, "Color Universal Design" (2008).
_LIGHT = Theme(
    background="#ffffff",
    text="#1f2328",
    faint="#656d76",
    frame="#afb8c1",
    neutral="#8c959f",
    positive="#0072b2",
    negative="#d55e00",
    alarm="#c2007a",
    alarm_fill="#ffe9a8",
    leaf="#e8f0f5",
    operation="#ffffff",
    folded="#f3f4f6",
    mark="#ffd33d",
)
_DARK = Theme(
    background="#16191d",
    text="#e6edf3",
    faint="#9aa4ae",
    frame="#4a525b",
    neutral="#6b747d",
    positive="#56b4e9",
    negative="#ff8c42",
    alarm="#ff5cc0",
    alarm_fill="#5c4a00",
    leaf="#26323b",
    operation="#1c2127",
    folded="#2a3038",
    mark="#b38600",
)
THEMES = {"light": _LIGHT, "dark": _DARK}
NAMES = ("auto", *THEMES)
DARK = "@media (prefers-color-scheme:dark)"
FOR_BROWSERS = ":is(.autograd)"
"""Selects pictures in browsers only. LibreOffice follows rules for dark pages always, if it knows their selectors."""
ALL = ("leaf", "input", "folded", "constant", "note", "frame", "label", "current", *SIGNS)


def check_theme(name: str) -> None:
    """Raises ValueError if there is no theme of that name.

    >>> check_theme("blue")
    Traceback (most recent call last):
    ...
    ValueError: theme takes one of auto, light, dark; got 'blue'
    """
    if not isinstance(name, str) or name not in NAMES:
        raise ValueError(f"theme takes one of {', '.join(NAMES)}; got {shown(name)}")


def theme_named(name: str) -> Theme:
    """The theme of that name; of "auto" the light one."""
    check_theme(name)
    return THEMES.get(name, _LIGHT)


def on_paper(theme: Theme) -> Theme:
    """The theme for print: thinner lines, and black on white, with a blue and an orange that differ without colour."""
    light = theme.background == _LIGHT.background
    colours: Any = {"text": "#000000", "positive": "#005a8c", "negative": "#e8791a", "leaf": "#ededed"} if light else {}
    return replace(theme, thickness=0.6, font=PRINT_FONT, **colours)


def on_slide(theme: Theme) -> Theme:
    """The theme for a slide."""
    return replace(theme, font=PRINT_FONT)


def rules(theme: Theme, classes: Collection[str] = ALL, root: str = ".autograd") -> str:
    """The style rules of a theme for pictures in which these classes occur; `root` selects the pictures."""
    found = [f"{root}{{fill:{theme.text}}}"]

    def rule(name: str, parts: str, declarations: str) -> None:
        selectors = ",".join(f"{root} {part}" for part in parts.split(","))
        if name in classes or not name:
            found.append(f"{selectors}{{{declarations}}}")

    rule("", ".paper", f"fill:{theme.background}")
    rule("", ".box,.arrow", f"color:{theme.neutral}")
    for sign in SIGNS:
        rule(sign, f".{sign}", f"color:{theme.stroke(sign)}")
    rule("", ".box rect", f"fill:{theme.operation};stroke:currentColor")
    rule("", ".line", "stroke:currentColor")
    rule("", ".tip", "fill:currentColor")
    rule("leaf", ".leaf rect", f"fill:{theme.leaf}")
    rule("input", ".input rect", f"fill:{theme.leaf}")
    rule("folded", ".folded rect", f"fill:{theme.folded}")
    rule("alarm", ".alarm rect", f"fill:{theme.alarm_fill};stroke-dasharray:6 3")
    rule("alarm", ".alarm .line", "stroke-dasharray:6 3")
    rule("constant", ".constant text,.note text", f"fill:{theme.faint}")
    rule("frame", ".frame rect", f"stroke:{theme.frame}")
    rule("frame", ".frame text", f"fill:{theme.faint}")
    rule("label", ".label text", f"stroke:var(--paper,{theme.background})")
    rule("current", ".current", f"color:{theme.text}")
    rule("current", ".box .halo,.arrow .halo", f"fill:none;stroke:{theme.mark}")
    return "".join(found)


def stylesheet(name: str, classes: Collection[str] = ALL) -> str:
    """The style sheet of the theme of that name.

    That of "auto" has the light rules and then one more rule, `@media (prefers-color-scheme:dark)`, with the dark
    ones: a page whose theme is known changes the condition of that rule.
    """
    light = rules(theme_named(name), classes)
    return f"{light}{DARK}{{{rules(_DARK, classes)}}}" if name == "auto" else light
