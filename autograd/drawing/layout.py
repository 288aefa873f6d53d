"""Where does everything on a drawing stand? Boxes, arrows, their labels, and frames, in pixels.

Boxes are as large as an estimate of their texts says, so that a picture needs no font to be measured. `layered.py`
places them. Graphviz (`engine.py`) is asked for large graphs, where there is one.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from autograd.drawing import engine
from autograd.drawing.layered import Spacing, Task, arrange
from autograd.drawing.scene import CONTAINERS, Box, Scene
from autograd.drawing.text import Text, filled

TYPE = 11.0
"""The size of type in boxes and labels, in pixels."""
LINE = 12.0
"""The distance between two lines of text."""
LABEL_LINES = {"LR": 13.0, "RL": 13.0, "TB": 11.0, "BT": 11.0}
"""The distance between two lines of a label, by the direction of arrows: a level arrow runs between them."""
LABEL_ABOVE = 8.0
"""How far above its line the middle of a label of one line stands where arrows are level: on it, the line would run
through the number as a minus or a decimal point does."""
INSET = 3.0
"""Between the two borders of a folded box."""
MARGIN = 6.0
"""The empty border of a picture."""
TITLE = 13.0
"""The height of a frame's title."""
FRAME = 6.0
"""The distance between a frame and what is in it."""
MOST_OWN = 40
"""Graphs of more boxes, without frames, are laid out by Graphviz where there is one: then a third fewer arrows cross in
graphs of 100 boxes. In smaller ones as many cross, in a process that takes 0.1 s; and with frames it draws arrows
through boxes, and modules as a staircase."""
MANY_ARROWS = 300
"""With more, edges are straight and the layout is less careful: 1,000 irregular edges take 1.3 s in place of 40."""

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
Shown = Callable[[str], str]


@dataclass
class Layout:
    """The places of what a scene has, by number. Rectangles are x and y of the middle, width, height.

    An arrow has the points of a cubic Bezier curve, from its tail's border to its tip, and the middle of its label.
    """

    direction: str
    width: float
    height: float
    boxes: list[Rectangle]
    arrows: list[tuple[list[Point], Point]]
    frames: list[tuple[str, float, float, float, float]]


def place(scene: Scene, direction: str, shown: Shown, style: str = "screen", room: int = 0) -> Layout:
    """Where everything stands in a drawing.

    Arguments:
        scene: what is drawn.
        direction: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".
        shown: the text of each number, by its code.
        style: "screen"; "slide" and "paper" are denser, and have the narrower fonts of documents.
        room: how many digits must fit where a number stands, since it may change.
    """
    return places(scene, [direction], shown, style, room)[direction]


def places(
    scene: Scene, directions: Sequence[str], shown: Shown, style: str = "screen", room: int = 0
) -> dict[str, Layout]:
    """The layouts for several directions; see `place`. Graphviz is asked once for all of them."""
    sizes = _sizes(scene, shown, style, room)
    flows = list(dict.fromkeys("LR" if direction in ("LR", "RL") else "TB" for direction in directions))
    for_graphviz = len(scene.boxes) > MOST_OWN and scene.form == "graph" and not any(b.module for b in scene.boxes)
    found = _by_graphviz(scene, sizes, flows) if for_graphviz else None
    layouts = found or {flow: _by_layers(scene, sizes, flow) for flow in flows}
    return {
        direction: _mirrored(layouts["LR" if direction in ("LR", "RL") else "TB"], direction)
        for direction in directions
    }


# Sizes of texts

_WIDTHS = {  # of DejaVu Sans, the widest of the fonts that a page is likely to have, in thousandths of its size
    280: "'ijl",
    320: "IJ ,.",
    340: "/:;\\|",
    400: "f-()[]t!",
    460: 'r"',
    500: "*_`",
    550: "szc?",
    600: "LFkvxyP",
    640: "TYoaeEhnuSbdgpq$0123456789{}·",
    700: "KAVXZBRC",
    780: "UNHDG&",
    840: "OQw#+<=>^~×",
    880: "M",
    1000: "%mW@…",
}
_WIDTH_OF = {letter: thousandths / 1000 for thousandths, letters in _WIDTHS.items() for letter in letters}
_DIGIT = _WIDTH_OF["0"]


@cache
def _width_of_letter(letter: str) -> float:
    if letter in _WIDTH_OF:
        return _WIDTH_OF[letter]
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if unicodedata.combining(letter):
        return 0.0
    return 0.7 if ord(letter) < 0x500 else 1.0


PRINTED = 0.88
"""How much narrower Helvetica and Arial are."""


def width_of(text: str) -> float:
    """How wide a text is at most, in pixels, in type of `TYPE` pixels.

    >>> round(width_of("grad -0.5")), round(width_of("漢字"))
    (52, 22)
    """
    return TYPE * sum(map(_width_of_letter, text))


def _width(text: Text, shown: Shown, room: int) -> float:
    """How wide a text with numbers is, with room for others."""
    width = width_of(filled(text, shown))
    reserved = width_of("".join(text[::2])) + TYPE * _DIGIT * room * (len(text) // 2)
    return max(width, reserved)


@dataclass
class _Sizes:
    """Width and height of each box, of each label by direction, and how dense the drawing is."""

    boxes: list[Point]
    labels: dict[str, list[Point]]
    density: float


def _sizes(scene: Scene, shown: Shown, style: str, room: int) -> _Sizes:
    density, font = (1.0, 1.0) if style == "screen" else (0.7, PRINTED)
    boxes = [_size_of_box(box, shown, room, density, font) for box in scene.boxes]
    if scene.form == "network":  # the boxes of a column are equally wide
        widest: dict[int | None, float] = {}
        for box, (width, _) in zip(scene.boxes, boxes, strict=True):
            widest[box.column] = max(width, widest.get(box.column, 0.0))
        boxes = [
            (width if box.kind in ("constant", "note") else widest[box.column], height)
            for box, (width, height) in zip(scene.boxes, boxes, strict=True)
        ]
    widths = [font * max((_width(line, shown, room) for line in arrow.lines), default=0.0) for arrow in scene.arrows]
    labels = {
        flow: [
            (width, distance * (len(arrow.lines) - 1) + TYPE) if arrow.lines else (0.0, 0.0)
            for arrow, width in zip(scene.arrows, widths, strict=True)
        ]
        for flow, distance in LABEL_LINES.items()
    }
    return _Sizes(boxes, labels, density)


def _size_of_box(box: Box, shown: Shown, room: int, density: float, font: float) -> Point:
    width = font * max((_width(line, shown, room) for line in box.lines), default=0.0)
    aside, above = (3.0, 2.0) if box.kind in ("constant", "note") else (max(5.0 * density, 4.5), 3.0)
    if box.kind == "folded":
        aside, above = aside + INSET, above + INSET + 1.0  # the inner border may be thick
    return max(width + 2 * aside, 14.0), LINE * max(len(box.lines), 1) + 2 * above


# By layers


def _by_layers(scene: Scene, sizes: _Sizes, flow: str) -> Layout:
    """The layout of `layered.py`, from left to right or from top to bottom."""
    network, level = scene.form == "network", flow == "LR"
    levels = max((len(frames_of(box.module)) for box in scene.boxes), default=0)

    def turned(point: Point) -> Point:
        """From width and height, or x and y, to along and across; and back."""
        return point if level else (point[1], point[0])

    task = Task(
        boxes=[turned(size) for size in sizes.boxes],
        arrows=[(arrow.tail, arrow.head) for arrow in scene.arrows],
        labels=[turned(size) for size in sizes.labels[flow]],
        above=[LABEL_ABOVE if level and len(arrow.lines) == 1 else 0.0 for arrow in scene.arrows],
        columns=[box.column if network else None for box in scene.boxes],
        light=[box.kind in ("constant", "note") for box in scene.boxes],
        keep_order=network,
        spacing=_spacing(scene, sizes.density, level),
        labels_in_rows=not level,
        groups=["" if network else box.module for box in scene.boxes],
        before=[] if network else _before(scene),
        border=(FRAME * levels, TITLE + FRAME, FRAME) if level else (TITLE * levels, FRAME, FRAME),
    )
    found = arrange(task)
    middles = [turned(point) for point in found.boxes]
    boxes = [(x, y, width, height) for (x, y), (width, height) in zip(middles, sizes.boxes, strict=True)]
    arrows = [([turned(point) for point in points], turned(label)) for points, label in found.arrows]
    layers = found.layers if network else [0] * len(boxes)
    return _shifted(Layout(flow, 0.0, 0.0, boxes, arrows, _frames_around(scene, boxes, layers, level)), sizes)


def _spacing(scene: Scene, density: float, level: bool) -> Spacing:
    """Denser from top to bottom, for the width of a phone, and in graphs, which have fewer arrows than networks."""
    network = scene.form == "network"
    if level:
        fan, tip = ((12.0, 42.0), (10.0, 14.0)) if network else ((14.0, 60.0), (15.0, 40.0))
        labels = (4.0 if density == 1.0 else 0.5) if network else 3.0
        fan = (fan[0] * density, fan[1] * density)
        return Spacing(boxes=14.0 * density, labels=labels, tip=tip, fan=fan, slope=0.37 if network else 0.4)
    framed = network and any(box.module for box in scene.boxes)
    tip = (TITLE + 1.0,) * 2 if framed else (10.0, 20.0)
    labels = 4.0 if network else 8.0  # numbers side by side must not look like one
    return Spacing(boxes=8.0 * density, labels=labels, tip=tip, fan=(14.0, 14.0 if network else 40.0), slope=0.2)


def _before(scene: Scene) -> list[tuple[int, int]]:
    """Pairs of boxes that make columns of a model's modules: what leads into a module stands before all that is in it,
    before its weights too. Otherwise modules stand on a staircase."""
    outer = [(frames_of(box.module) or [""])[0] for box in scene.boxes]
    heads = {arrow.head for arrow in scene.arrows}
    before: dict[str, dict[int, None]] = {}
    for arrow in scene.arrows:
        name = outer[arrow.head]
        if name and outer[arrow.tail] != name and scene.boxes[arrow.tail].kind != "constant":
            before.setdefault(name, {})[arrow.tail] = None
    return [(tail, i) for i, name in enumerate(outer) if i not in heads for tail in before.get(name, ())]


def _frames_around(scene: Scene, boxes: Sequence[Rectangle], layers: Sequence[int], level: bool) -> list[Any]:
    """A frame around the boxes of each module in a layer, if no other box is inside it and no frame is cut.

    From top to bottom a narrow layer has room for its title beside the tips of its arrows."""
    leftmost = min((x - width / 2 for x, _, width, _ in boxes), default=0.0)
    members: dict[tuple[int, str], list[int]] = {}
    for i, box in enumerate(scene.boxes):
        for name in frames_of(box.module)[: 1 if scene.form == "network" else None]:
            members.setdefault((layers[i], name), []).append(i)
    frames: list[tuple[str, float, float, float, float]] = []
    for (_, name), inside in members.items():
        levels = 1
        if scene.form == "graph":
            levels += max(len(frames_of(scene.boxes[i].module)) for i in inside) - len(frames_of(name))
        left = min(boxes[i][0] - boxes[i][2] / 2 for i in inside) - FRAME * levels
        right = max(boxes[i][0] + boxes[i][2] / 2 for i in inside) + FRAME * levels
        top = min(boxes[i][1] - boxes[i][3] / 2 for i in inside) - TITLE * levels
        bottom = max(boxes[i][1] + boxes[i][3] / 2 for i in inside) + FRAME * levels
        beside = width_of(name) + FRAME
        if scene.form == "network" and not level and left - beside >= leftmost:
            left -= beside
        right = max(right, left + width_of(name) + 2 * FRAME)
        frame = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        others = set(range(len(boxes))).difference(inside)
        if not any(_overlap(frame, boxes[i]) for i in others):
            frames.append((name, *frame))
    return frames


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        abs(one[0] - other[0]) < (one[2] + other[2]) / 2 - 0.01
        and abs(one[1] - other[1]) < (one[3] + other[3]) / 2 - 0.01
    )


def frames_of(module: str) -> list[str]:
    """The modules around a module and itself, outermost first.

    >>> frames_of("layers.0.neurons.2")
    ['layers.0', 'layers.0.neurons.2']
    """
    frames, path = [], ""
    for part in module.split(".") if module else []:
        path = f"{path}.{part}" if path else part
        if part.isdigit() or part not in CONTAINERS:
            frames.append(path)
    return frames


# By Graphviz


def _by_graphviz(scene: Scene, sizes: _Sizes, flows: Sequence[str]) -> dict[str, Layout] | None:
    """Graphviz's layouts; None where there is no Graphviz, or where it fails: then the plain layout is used."""
    try:
        answers = engine.layout_by_graphviz([_dot(scene, sizes, flow) for flow in flows])
        return {flow: _read(scene, sizes, flow, answer) for flow, answer in zip(flows, answers, strict=True)}
    except (engine.DrawingError, OSError, KeyError, ValueError):
        return None


def _dot(scene: Scene, sizes: _Sizes, flow: str) -> str:
    """The scene as DOT, with sizes in place of texts: no text of a user's, and no font, reaches the layout."""
    gap = f"nodesep={0.25 * sizes.density:.3f} ranksep={0.45 * sizes.density:.3f}"
    lines = ["digraph {", f"graph [rankdir={flow} {gap}]", 'node [shape=box fixedsize=true label=""]']
    lines.append("edge [arrowhead=none]")
    if len(scene.arrows) > MANY_ARROWS:  # or a layout takes minutes
        lines.append("graph [nslimit=0.02 nslimit1=0.02 mclimit=0.02 splines=line]")
    for i, (width, height) in enumerate(sizes.boxes):
        lines.append(f"n{i} [width={width / 72:.4f} height={height / 72:.4f}]")
    for i, (arrow, size) in enumerate(zip(scene.arrows, sizes.labels[flow], strict=True)):
        label = f"label={_empty(*size)}" if size[0] else ""
        lines.append(f'n{arrow.tail} -> n{arrow.head} [id="e{i}" {label}]')
    return "\n".join([*lines, "}"])


def _empty(width: float, height: float) -> str:
    """A label of that size, in points, without a text."""
    table = f'border="0" fixedsize="true" width="{round(width)}" height="{round(height)}"'
    return f"<<table {table}><tr><td></td></tr></table>>"


def _read(scene: Scene, sizes: _Sizes, flow: str, answer: dict[str, Any]) -> Layout:
    """Graphviz's answer as a layout; its y goes up."""
    boxes: list[Any] = [None] * len(scene.boxes)
    arrows: list[Any] = [None] * len(scene.arrows)
    for found in answer.get("objects", ()):
        i = int(found["name"][1:])
        boxes[i] = (*_point(found["pos"]), *sizes.boxes[i])
    for edge in answer.get("edges", ()):
        i = int(edge["id"][1:])
        points = [_point(pair) for pair in edge["pos"].split(";")[0].split()]
        points[0] = _onto(points[0], boxes[scene.arrows[i].tail])
        points[-1] = _onto(points[-1], boxes[scene.arrows[i].head])
        arrows[i] = (points, _point(edge["lp"]) if "lp" in edge else points[len(points) // 2])
    if None in boxes or None in arrows:
        raise ValueError("Graphviz left out a box or an arrow")
    return _shifted(Layout(flow, 0.0, 0.0, boxes, arrows, []), sizes)


def _point(text: str) -> Point:
    x, y = text.split(",")[:2]
    return float(x), -float(y)


def _onto(point: Point, box: Rectangle) -> Point:
    """The point of the box's border next to one that is near the border: Graphviz ends half a line's width outside."""
    x, y, width, height = box
    inside = [min(max(point[0], x - width / 2), x + width / 2), min(max(point[1], y - height / 2), y + height / 2)]
    sides = [(abs(abs(point[k] - box[k]) - box[2 + k] / 2), k) for k in (0, 1)]
    k = min(sides)[1]
    inside[k] = box[k] + (box[2 + k] / 2 if point[k] > box[k] else -box[2 + k] / 2)
    return inside[0], inside[1]


# Whole layouts


def _shifted(layout: Layout, sizes: _Sizes) -> Layout:
    """The layout moved so that all of it is in the picture, with a margin; in hundredths of a pixel."""
    rectangles = [*layout.boxes, *(frame[1:] for frame in layout.frames)]
    rectangles += [
        (*label, *size) for (_, label), size in zip(layout.arrows, sizes.labels[layout.direction], strict=True)
    ]
    rectangles += [(*point, 4.0, 4.0) for points, _ in layout.arrows for point in points]
    left = min((x - width / 2 for x, _, width, _ in rectangles), default=0.0) - MARGIN
    top = min((y - height / 2 for _, y, _, height in rectangles), default=0.0) - MARGIN
    right = max((x + width / 2 for x, _, width, _ in rectangles), default=0.0) + MARGIN
    bottom = max((y + height / 2 for _, y, _, height in rectangles), default=0.0) + MARGIN

    def moved(x: float, y: float) -> Point:
        return round(x - left, 2), round(y - top, 2)

    return replace(
        layout,
        width=round(right - left, 2),
        height=round(bottom - top, 2),
        boxes=[(*moved(x, y), round(w, 2), round(h, 2)) for x, y, w, h in layout.boxes],
        arrows=[([moved(*point) for point in points], moved(*label)) for points, label in layout.arrows],
        frames=[(name, *moved(x, y), round(w, 2), round(h, 2)) for name, x, y, w, h in layout.frames],
    )


def _mirrored(layout: Layout, direction: str) -> Layout:
    """From right to left, or from bottom to top, if that is the direction."""
    if direction in ("LR", "TB"):
        return layout
    width, height, level = layout.width, layout.height, direction == "RL"

    def turned(x: float, y: float) -> Point:
        return (round(width - x, 2), y) if level else (x, round(height - y, 2))

    return Layout(
        direction,
        width,
        height,
        [(*turned(x, y), w, h) for x, y, w, h in layout.boxes],
        [([turned(*point) for point in points], turned(*label)) for points, label in layout.arrows],
        [(name, *turned(x, y), w, h) for name, x, y, w, h in layout.frames],
    )
