"""How does a network look? Its weights are lines, and in each neuron stands what it responds to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from autograd import Value
from nn.watching.ink import Chart, Shades, image, markers, number, style_of_class, text
from nn.watching.plain_network import Column, PlainNetwork
from nn.watching.view import SMALL, View

NETWORK = (24.0, 92.0, 536.0, 380.0)
"""Where it stands: left, top, width, height."""

MOST_UNITS, MOST_COLUMNS, MOST = 10, 8, 36
"""So many units of a layer are drawn, so many layers with the inputs, and about so many units of all hidden layers."""

WIDEST = 6.0
"""The width of the line of the largest weight."""


@dataclass(frozen=True)
class _Column:
    """A column of the picture: the inputs (layer -1) or a layer, and its units that are drawn."""

    layer: int
    count: int
    x: float
    ys: list[float]
    size: float


def network_picture(view: View, network: PlainNetwork, units: Sequence[Sequence[Column]], shades: Shades) -> str:
    columns = _columns(view, network)
    return "".join(
        [
            _weights(network, columns),
            _gap(columns),
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
    rows = [min(counts[k], MOST_UNITS if k == shown[-1] else MOST // (len(shown) - 1), MOST_UNITS) for k in shown]
    size = min(40.0, height / max(rows) - 6.0, 0.62 * pitch)
    found = []
    for place, k in enumerate(shown):
        drawn = rows[place] - (counts[k] > rows[place])  # the last place says how many there are more
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
        bucket = round(9 * (abs(w) / largest)) if isfinite(w) else 4
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


def _gap(columns: Sequence[_Column]) -> str:
    """How many layers are left out, below the place."""
    for before, column in pairwise(columns):
        if hidden := column.layer - before.layer - 1:
            words = f"+ {hidden} {'layer' if hidden == 1 else 'layers'}"
            below = max(before.ys[-1], column.ys[-1]) + 0.5 * column.size + 18.0
            return text((before.x + column.x) / 2.0, below, words, "faint middle")
    return ""


def _inputs(view: View, column: _Column, shades: Shades) -> str:
    found = [text(column.x, NETWORK[1] - 12.0, "input" if column.count == 1 else "inputs", "faint middle")]
    for i, y in enumerate(column.ys):
        found.append(_box(column, y) + _input_picture(view, i, column, y, shades))
        found.append(text(column.x - column.size / 2.0 - 8.0, y + 4.0, view.names[i], "end", 10))
    return "".join(found) + _more(column)


def _input_picture(view: View, i: int, column: _Column, y: float, shades: Shades) -> str:
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
    return image(shades.of_numbers(numbers, SMALL, 1.0), *_inside(column, y))


def _units(view: View, network: PlainNetwork, column: _Column, units: Sequence[Column], shades: Shades) -> str:
    layer, is_last = network.layers[column.layer], column.layer == len(network.layers) - 1
    title = f"{'output' if column.count == 1 else 'outputs'}" if is_last else layer.name
    found = [text(column.x, NETWORK[1] - 12.0, title, "faint middle", 12)]
    for i, y in enumerate(column.ys):
        found.append(
            _box(column, y) + _unit_picture(view, units[i], column, y, shades) + _bias(layer.biases[i], column, y)
        )
        if is_last and view.task == "classes":
            x = column.x + column.size / 2.0 + 12.0
            found.append(markers(view, i, [(x, y)], 4.5, "point") + text(x + 9.0, y + 4.0, view.classes[i], "", 9))
    return "".join(found) + _more(column)


def _unit_picture(view: View, numbers: Column, column: _Column, y: float, shades: Shades) -> str:
    """What a unit responds to."""
    if view.kind == "curve":
        return _sparkline(numbers, column, y)
    largest = max((abs(x) for x in numbers if isfinite(x)), default=0.0)
    if view.kind == "plane":
        return image(shades.of_numbers(numbers, SMALL, max(largest, 1.0)), *_inside(column, y))
    return _bars(view, numbers, column, y)


def _box(column: _Column, y: float) -> str:
    x, size = column.x - column.size / 2.0, column.size
    return f'<rect class="box" x="{x:.4g}" y="{y - size / 2.0:.4g}" width="{size:.4g}" height="{size:.4g}" rx="3"/>'


def _inside(column: _Column, y: float) -> tuple[float, float, float, float]:
    size = column.size - 2.0
    return column.x - size / 2.0, y - size / 2.0, size, size


def _bias(bias: Value, column: _Column, y: float) -> str:
    """A small square at the corner of the unit, as strong as its bias."""
    if not bias.data or not isfinite(bias.data):
        return ""
    corner = column.size / 2.0
    style, strength = ("fill-plus" if bias.data > 0 else "fill-minus"), min(1.0, 0.25 + 0.75 * abs(bias.data))
    return (
        f'<rect class="{style}" x="{column.x - corner - 2.5:.4g}" y="{y + corner - 3.5:.4g}" width="6" height="6" '
        f'fill-opacity="{strength:.2g}"><title>bias {number(bias.data)}</title></rect>'
    )


def _more(column: _Column) -> str:
    hidden = column.count - len(column.ys)
    y = column.ys[-1] + column.size / 2.0 + 18.0
    return text(column.x, y, f"+ {hidden} more", "faint middle") if hidden else ""


def _sparkline(numbers: Column, column: _Column, y: float) -> str:
    """What a unit says along the curve; a line at 0 where there is one."""
    x, top, size, _ = _inside(column, y)
    finite = [n for n in numbers if isfinite(n)] or [0.0]
    low, high = min(0.0, *finite), max(0.0, *finite)
    low, high = (
        (low, high) if high / 2.0 - low / 2.0 > 0.5 else (high / 2.0 + low / 2.0 - 0.5, high / 2.0 + low / 2.0 + 0.5)
    )
    chart = Chart(x + 2.0, top + 3.0, size - 4.0, size - 6.0, 0.0, max(1.0, len(numbers) - 1.0), low, high)
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
    chart = Chart(x + 1.0, top + 2.0, size - 2.0, size - 4.0, 0.0, len(numbers), low, largest)
    found = []
    for k, n in enumerate(numbers):
        if isfinite(n) and n:
            style = ("fill-plus" if n > 0 else "fill-minus") if view.task == "regression" else style_of_class(view, k)
            a, b = sorted((chart.y(n), chart.y(0.0)))
            found.append(
                f'<rect class="{style}" x="{chart.x(k + 0.1):.4g}" y="{a:.4g}" '
                f'width="{chart.x(0.8) - chart.x(0.0):.3g}" height="{max(b - a, 0.3):.3g}"/>'
            )
    return "".join(found)
