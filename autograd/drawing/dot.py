"""How does a scene become DOT text, so that Graphviz makes PNG, PDF or EPS of it that look like the SVG?

Everything has its place in the text already: the layout engine "nop2" keeps the places of nodes and edges. So any
Graphviz program shows the same picture. What DOT has no word for is a node too: each line of text in a box, since
Graphviz sets lines further apart; the labels of lines, so that they cover the lines below them; frames; and lines of
text below the picture.
"""

import graphviz

from autograd.drawing.appearance import (
    BARE,
    HALO,
    MARKED,
    PALE,
    TIP_LENGTH,
    Appearance,
    Sheet,
    label_lines,
    middles,
    tip_of,
)
from autograd.drawing.layered import Point
from autograd.drawing.layout import TYPE, width_of
from autograd.drawing.scene import Arrow, Box
from autograd.drawing.text import literal, printable
from autograd.drawing.theme import PRINT_FONT, mix

POINT = 0.75
"""A pixel of a page, in points."""
BORDERS = 4.0
"""How far outside a node Graphviz draws its second border, in points."""
TIP_SHARE = 0.8
"""Graphviz draws tips larger than their size says, by their border."""
LABEL_WIDTH, LABEL_HEIGHT = 0.9, 9.0
"""How much a label covers: a little less than its room, since Graphviz's font is narrower."""


class Paper:
    """Where things are on Graphviz's paper: in points, from the lower left corner."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._scale = sheet, sheet.scale * POINT

    def length(self, pixels: float) -> str:
        """A length in points."""
        return f"{pixels * self._scale:.2f}"

    def point(self, point: Point) -> str:
        """A place."""
        x, y = point[0] + self._sheet.left, self._sheet.height - point[1] - self._sheet.top
        return f"{self.length(x)},{self.length(y)}"

    def area(self, x: float, y: float, width: float, height: float, less: float = 0.0) -> dict[str, str]:
        """The attributes of a node with this middle and this size, less some points at each side."""
        inches = [f"{(size * self._scale - 2 * less) / 72:.4f}" for size in (width, height)]
        return {"pos": self.point((x, y)), "width": inches[0], "height": inches[1]}


def dot_with(picture: Appearance, dots: int = 0) -> str:
    """The picture as DOT text; `dots` is how many per inch an image has, 96 for the size of a page."""
    drawing = graphviz.Digraph()
    if dots:
        drawing.attr("graph", dpi=str(dots))
    write_dot(drawing, picture)
    return str(drawing.source)


def write_dot(drawing: graphviz.Digraph, picture: Appearance) -> None:
    """Writes the picture into an empty drawing."""
    theme, sheet, paper = picture.theme, picture.sheet, Paper(picture.sheet)
    drawing.attr("graph", layout="nop2", bgcolor=theme.background, pad="0", margin="0", outputorder="edgesfirst")
    look = {"fontname": PRINT_FONT, "fontcolor": theme.text, "fontsize": paper.length(TYPE)}
    drawing.attr("node", shape="box", style="rounded,filled", fixedsize="true", margin="0", **look)
    drawing.attr("edge", arrowsize=paper.length(TIP_SHARE * TIP_LENGTH / 10))
    middle = (sheet.width / 2 - sheet.left, sheet.height / 2 - sheet.top)
    drawing.node("sheet", "", style="invis", **paper.area(*middle, sheet.width, sheet.height))
    for i, (title, *where) in enumerate(picture.layout.frames):
        colours = {"style": "rounded", "color": theme.frame, "fontcolor": theme.faint, "labelloc": "t"}
        drawing.node(f"frame{i}", f"   {literal(printable(title))}\\l", **paper.area(*where), **colours)
    for i in range(len(picture.boxes)):
        _add_box(drawing, picture, i, paper)
    for i in range(len(picture.arrows)):
        _add_arrow(drawing, picture, i, paper)
    for i in range(len(picture.arrows)):
        _add_label(drawing, picture, i, paper)
    for i, (line, y, size) in enumerate(picture.below()):
        width = sheet.width - 2 * TYPE
        area = paper.area(TYPE + width / 2 - sheet.left, y, width, 1.4 * size)
        text = f"{literal(printable(line, most=300))}\\l"
        drawing.node(f"line{i}", text, shape="plaintext", style="", fontsize=paper.length(size), **area)


def _add_box(drawing: graphviz.Digraph, picture: Appearance, i: int, paper: Paper) -> None:
    box, look, theme, mark = picture.scene.boxes[i], picture.boxes[i], picture.theme, picture.marks.of_box(i)
    area, place = picture.layout.boxes[i], paper.area(*picture.layout.boxes[i])
    colour, width = (theme.text, MARKED) if mark == "current" else (theme.stroke(look.sign), look.width)
    attributes = {"id": f"n_{i}", "class": box.kind, "tooltip": _tooltip(picture, box)}
    pale = PALE if look.pending else 1.0
    if box.kind in BARE:
        attributes |= {"shape": "plaintext", "style": ""}
    else:
        attributes |= {
            "fillcolor": mix(theme.background, theme.fill(box.kind, look.sign), pale),
            "color": mix(theme.background, colour, pale),
            "penwidth": paper.length(width),
        }
    if look.sign == "alarm":
        attributes["style"] = "rounded,filled,dashed"
    if box.kind == "folded":
        attributes |= {"peripheries": "2", **paper.area(*area, less=BORDERS)}
    if mark:
        halo = {"style": "rounded", "color": theme.mark, "penwidth": paper.length(width + HALO)}
        drawing.node(f"halo{i}", "", **place, **halo)
    drawing.node(f"n{i}", "", **(place | attributes))
    colour = theme.faint if box.kind in BARE else theme.text
    for k, (text, middle) in enumerate(zip(look.texts, middles(len(look.texts), area[1]), strict=True)):
        line = paper.area(area[0], middle, width_of(text), LABEL_HEIGHT)
        # The line's end keeps `graphviz` from taking "<b>" for HTML.
        drawing.node(f"n{i}_{k}", f"{literal(text)}\\n", shape="plaintext", style="", fontcolor=colour, **line)


def _add_arrow(drawing: graphviz.Digraph, picture: Appearance, i: int, paper: Paper) -> None:
    arrow, look, theme = picture.scene.arrows[i], picture.arrows[i], picture.theme
    ends, marked = (f"n{arrow.tail}", f"n{arrow.head}"), arrow.name in picture.marks.arrows
    colour, width = (theme.text, MARKED) if marked else (theme.stroke(look.sign), look.width)
    curve, tip, _ = tip_of(picture.layout.arrows[i][0])
    place = " ".join(map(paper.point, curve))
    if marked:
        halo = {"arrowhead": "none", "color": theme.mark, "penwidth": paper.length(MARKED + HALO)}
        drawing.edge(*ends, pos=place, **halo)
    pale = PALE if picture.boxes[arrow.head].pending else 1.0
    drawing.edge(
        *ends,
        id=arrow.name,
        pos=f"e,{paper.point(tip)} {place}",
        color=mix(theme.background, colour, pale),
        penwidth=paper.length(width),
        style="dashed" if look.sign == "alarm" else "",
        tooltip=_tooltip(picture, arrow),
    )


def _add_label(drawing: graphviz.Digraph, picture: Appearance, i: int, paper: Paper) -> None:
    """The label of a line: a node without a border for each of its lines of text, which covers what lies below it."""
    arrow, look, theme = picture.scene.arrows[i], picture.arrows[i], picture.theme
    if not look.texts:
        return
    cover = {"style": "filled", "fillcolor": theme.background, "penwidth": "0"}
    x, y = picture.layout.arrows[i][1]
    lines = label_lines(len(look.texts), y, picture.layout.direction)
    for k, (text, middle) in enumerate(zip(look.texts, lines, strict=True)):
        place = paper.area(x, middle, LABEL_WIDTH * width_of(text), LABEL_HEIGHT)
        drawing.node(f"label{k}_{arrow.name}", literal(text), **place, **cover)


def _tooltip(picture: Appearance, part: Box | Arrow) -> str:
    return literal(printable(picture.tooltip(part), most=300)) or " "  # or Graphviz takes the label
