"""Which colours does a drawing have? Blue and orange for the sign of a gradient, which colour-blind people tell apart.

Strength is on a logarithmic scale, over six powers of ten below the largest, and shows as thickness too.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """The colours of a light or a dark drawing, as #rrggbb."""

    background: str
    text: str
    faint: str
    cluster: str
    neutral: str
    positive: str
    negative: str
    alarm: str
    alarm_fill: str
    leaf: str
    operation: str
    folded: str

    def shade(self, grad: float | None, largest: float) -> tuple[str, float]:
        """The colour and the width in points for a gradient, where the largest around has that magnitude."""
        if grad is not None and not math.isfinite(grad):
            return self.alarm, 4.0
        if not grad or not largest:
            return self.neutral, 1.0
        strength = min(1.0, max(0.0, 1.0 + math.log10(abs(grad) / largest) / 6.0 if abs(grad) / largest else 0.0))
        colour = mix(self.neutral, self.positive if grad > 0.0 else self.negative, 0.25 + 0.75 * strength)
        return colour, 1.0 + 2.5 * strength

    def fill(self, kind: str, data: float | None, grad: float | None) -> str:
        """The colour inside a box."""
        if not all(x is None or math.isfinite(x) for x in (data, grad)):
            return self.alarm_fill
        return {"leaf": self.leaf, "operation": self.operation}.get(kind, self.folded)


def mix(one: str, other: str, share: float) -> str:
    """The colour between two others.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


# Blue and vermilion after Okabe and Ito, "Color Universal Design" (2008).
THEMES = {
    "light": Theme(
        background="#ffffff",
        text="#1f2328",
        faint="#656d76",
        cluster="#afb8c1",
        neutral="#b0b7bf",
        positive="#0072b2",
        negative="#d55e00",
        alarm="#c2007a",
        alarm_fill="#ffe9a8",
        leaf="#eef6fb",
        operation="#ffffff",
        folded="#f3f4f6",
    ),
    "dark": Theme(
        background="#16191d",
        text="#e6edf3",
        faint="#9aa4ae",
        cluster="#4a525b",
        neutral="#6b747d",
        positive="#56b4e9",
        negative="#ff8c42",
        alarm="#ff5cc0",
        alarm_fill="#5c4a00",
        leaf="#1d2b36",
        operation="#22272e",
        folded="#2a3038",
    ),
}


def theme_named(name: str) -> Theme:
    """The theme of that name.

    Raises:
        ValueError: there is no such theme.
    """
    if not isinstance(name, str) or name not in THEMES:
        raise ValueError(f"theme takes one of {', '.join(THEMES)}; got {name!r}")
    return THEMES[name]
