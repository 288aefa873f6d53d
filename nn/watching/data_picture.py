"""How do the data look, with what a model says of them? On a plane, along a curve, or as a table of predictions."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from nn.plots import COLOURS
from nn.watching.ink import PALE, Chart, Shades, frame, image, marker, markers, number, style_of_class, text
from nn.watching.network_picture import MOST_UNITS
from nn.watching.pixels import contour
from nn.watching.view import SMALL, Axis, Sight, View

PLANE, LARGE_PLANE = (622.0, 86.0, 254.0, 254.0), (110.0, 86.0, 376.0, 376.0)
"""Where it stands: left, top, width, height; and where no network is drawn."""

IN_A_ROW = 5
"""So many names of classes stand beside each other."""

MOST_ROWS, MOST_CLASSES = 12, 12
"""Of the table of predictions."""


def place_of(view: View) -> tuple[float, float, float, float]:
    """Where the plane stands, or what is in its place."""
    return LARGE_PLANE if view.network is None else PLANE


def _chart_of(view: View, vertical: Axis) -> Chart:
    horizontal = view.axes[0]
    return Chart(*place_of(view), horizontal.low, horizontal.high, vertical.low, vertical.high)


def plane(view: View, sight: Sight, shades: Shades) -> str:
    """The data on what the model says of every point of the plane, with the boundary where it changes its mind."""
    n, chart = view.across, _chart_of(view, view.axes[1])
    left, top, size, _ = place_of(view)
    if view.task == "classes":
        probabilities = view.probabilities(sight.outputs)
        url = shades.of_classes(probabilities, n)
        lines = [_leads(probabilities, k) for k in range(len(view.classes))] if view.count <= MOST_CLASSES else []
    else:
        numbers = [view.certainty(x) for x in sight.outputs[0]]
        url, lines = shades.of_numbers(numbers, n, 1.0, PALE), [numbers] * view.has_boundary
    boundary = "".join(contour(line, n, left, top + size, size) for line in lines)
    drawn = f'<path class="ink" stroke-width="1.3" stroke-opacity=".8" d="{boundary}"/>' if boundary else ""
    points = _examples(view, lambda row, target: (chart.x(row[view.axes[0].place]), chart.y(row[view.axes[1].place])))
    ticks = chart.ticks(view.axes[0].name, view.axes[1].name)
    return f"{image(url, *place_of(view))}{drawn}{points}{chart.frame()}{ticks}{_legend(view, shades)}"


def _leads(probabilities: Sequence[Sequence[float]], k: int) -> list[float]:
    """By how much a class is ahead of the most probable other one."""
    return [row[k] - max(row[:k] + row[k + 1 :]) for row in map(list, probabilities)]


def _examples(view: View, place: Callable[[list[float], Any], tuple[float, float]]) -> str:
    """The examples as points: those of a class with its colour and its marker; in a regression with their number's."""
    found = []
    for points, style in ((view.held_out, "held"), (view.points, "point")):
        pairs = list(zip(points.rows, points.targets, strict=False))
        if view.task == "regression":
            found += _coloured(view, [(place(row, target), target) for row, target in pairs], style)
            continue
        for k in range(len(view.classes)):
            found.append(markers(view, k, [place(row, target) for row, target in pairs if target == k], 3.6, style))
    return "".join(found)


def _coloured(view: View, pairs: Sequence[tuple[tuple[float, float], float]], style: str) -> list[str]:
    """Circles whose colour says how large the target is, in five shades of each sign."""
    shades: dict[int, list[str]] = {}
    for (x, y), target in pairs:
        share = view.certainty(target)
        shade = max(-5, min(5, round(5.0 * share))) if isfinite(share) else 0
        shades.setdefault(shade, []).append(marker(0, x, y, 3.6))
    return [
        f'<path class="{"fill-minus" if shade < 0 else "fill-plus"} {"held" if style == "held" else "ring"}" '
        f'fill-opacity="{0.1 + 0.18 * abs(shade):.2g}" d="{"".join(marks)}"/>'
        for shade, marks in sorted(shades.items())
    ]


def _legend(view: View, shades: Shades) -> str:
    """What the colours mean, above the plane."""
    left, top, width, _ = place_of(view)
    if view.task == "regression":
        low, high = number(view.middle - view.reach), number(view.middle + view.reach)
        ramp = [(2 * k + 1 - SMALL) / SMALL for k in range(SMALL)]
        strip = image(shades.of_numbers(ramp, SMALL, 1.0, PALE), left + 60.0, top - 19.0, 80.0, 10.0)
        return text(left + 54.0, top - 10.0, low, "faint end") + strip + text(left + 146.0, top - 10.0, high, "faint")
    shown = len(view.classes)
    if view.task == "classes" and view.network is not None and shown <= MOST_UNITS:
        return ""  # the names stand at the outputs
    columns = min(max(2, shown), IN_A_ROW)
    step, rows = width / columns, -(-shown // columns)
    if rows > 2:
        return text(left, top - 10.0, f"{shown} classes", "faint")
    found = []
    for k, name in enumerate(view.classes):
        x, y = left + k % columns * step, top - 10.0 - 15.0 * (rows - 1 - k // columns)
        found.append(markers(view, k, [(x + 6.0, y - 4.0)], 4.5, "point"))
        found.append(text(x + 15.0, y, name, "", int((step - 16.0) / 7.0)))
    return "".join(found)


def curve(view: View, sight: Sight, shades: Shades) -> str:
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


def predictions(view: View, sight: Sight, shades: Shades) -> str:
    """Where there is no plane: how probable each class is for some examples, or predictions beside their targets."""
    if view.task == "regression":
        return _beside_targets(view, sight)
    probabilities = view.probabilities(sight.outputs)
    targets = view.points.targets
    order = _some_of_each(view)
    if len(view.classes) > MOST_CLASSES:
        return _as_texts(view, order, probabilities)
    left, top, width, height = place_of(view)
    wide, high = width / len(view.classes), height / MOST_ROWS
    words = "how probable each class is; the right one is framed"
    found = [text(left + width / 2.0, top + high * len(order) + 16.0, words, "faint middle")]
    for k, name in enumerate(view.classes):
        found.append(text(left + (k + 0.5) * wide, top - 6.0, name, "middle", max(1, int(wide / 7.0))))
    for row, i in enumerate(order):
        y = top + row * high
        for k, share in enumerate(probabilities[i]):
            area = f'x="{left + k * wide + 1:.4g}" y="{y + 1:.4g}" width="{wide - 2:.3g}" height="{high - 2:.3g}"'
            if share > 0.005:
                found.append(f'<rect class="{style_of_class(view, k)}" fill-opacity="{share:.2g}" {area}/>')
            if targets[i] == k:
                found.append(f'<rect class="ink" stroke-width="1.5" {area}/>')
    return "".join(found) + frame(left, top, width, high * len(order))


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
    left, top, _, height = place_of(view)
    high = height / MOST_ROWS
    found = [text(left, top - 8.0, "target, its probability, and what the model says", "faint")]
    for row, i in enumerate(order):
        y, target = top + row * high, view.points.targets[i]
        share = probabilities[i][target]
        best = max(range(len(probabilities[i])), key=probabilities[i].__getitem__)
        found.append(text(left + 44.0, y + 15.0, view.classes[target], "end", 7))
        found.append(
            f'<rect class="fill-plus" x="{left + 50:.4g}" y="{y + 3:.4g}" width="{140 * share:.3g}" '
            f'height="{high - 6:.3g}"/>'
        )
        found.append(text(left + 196.0, y + 15.0, view.classes[best], "" if best == target else "faint", 8))
    return "".join(found)


def _beside_targets(view: View, sight: Sight) -> str:
    """Each prediction over its target: on the line where it is right."""
    targets, predictions = view.points.targets, sight.outputs[0]
    margin = 0.06 * (view.high / 2.0 - view.low / 2.0) * 2.0 or 0.5
    low, high = view.low - margin, view.high + margin
    chart = Chart(*place_of(view), low, high, low, high)
    pairs = [((chart.x(t), chart.y(p)), t) for t, p in zip(targets, predictions, strict=True) if isfinite(p)]
    left, top, width, height = place_of(view)
    line = f'<path class="pale" d="M{left:.4g},{top + height:.4g}L{left + width:.4g},{top:.4g}"/>'
    return f"{line}{''.join(_coloured(view, pairs, 'point'))}{chart.frame()}{chart.ticks('target', 'prediction')}"
