"""How does a scene become an SVG picture? Small, themed, and inert whatever the texts in it are.

The colours are attributes, which every program knows: those of the theme that is asked for, of "auto" those of the
light one. Then a style sheet has the dark ones besides, for readers who prefer them. Type has 11 pixels, and less only
where the page is narrower than the picture.

Lines come first, then boxes, then the labels of the lines, so that no line crosses a label.
"""

import html
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from autograd.drawing.appearance import (
    BARE,
    BASELINE,
    DASHES,
    HALO,
    MARKED,
    PALE,
    TIP_LENGTH,
    TIP_WIDTH,
    Appearance,
    Look,
    Marks,
    Number,
    Sheet,
    label_lines,
    middles,
    tip_of,
)
from autograd.drawing.layered import Point
from autograd.drawing.layout import INSET, TYPE, Layout
from autograd.drawing.scene import Arrow, Box, Scene
from autograd.drawing.text import printable
from autograd.drawing.theme import DARK, FOR_BROWSERS, THEMES, Theme, rules, theme_named

MOST = 300
"""The longest text, in characters."""


def svg_of(
    scene: Scene,
    layout: Layout,
    number: Number,
    theme: str = "auto",
    precision: int = 4,
    *,
    name: str = "",
    marks: Marks = Marks(),  # noqa: B008 - it has no state
    caption: Sequence[str] = (),
    sheet: Sheet | None = None,
    tooltips: bool = True,
) -> str:
    """The picture of a scene; the arguments are those of `Appearance`.

    Arguments:
        theme: "light", "dark", or "auto" for what the reader's browser prefers.
        name: what a screen reader calls the picture.
        tooltips: whether parts say their numbers with all digits when one points at them; a page says it elsewhere.
    """
    picture = Appearance(scene, layout, number, theme_named(theme), precision, marks, caption, sheet, tooltips)
    return svg_with(picture, name, adapts=theme == "auto")


def svg_with(picture: Appearance, name: str = "", adapts: bool = True) -> str:
    """The picture as it appears; `adapts` says whether it has the dark colours too."""
    theme, sheet, arrows = picture.theme, picture.sheet, picture.layout.arrows
    parts = [
        _head(sheet, theme, name),
        f"<style>{_style(picture, adapts)}</style>",
        _rect("paper", (-sheet.left, -sheet.top, sheet.width, sheet.height), fill=theme.background),
        *(_frame(theme, *place) for _, *place in picture.layout.frames),
        '<g fill="none">',
        *(_arrow(picture, i, arrows[i][0]) for i in range(len(arrows))),
        "</g>",
        *(_box(picture, i) for i in range(len(picture.boxes))),
        *(_label(picture, i, arrows[i][1]) for i in range(len(arrows))),
        *(_title(theme, *frame) for frame in picture.layout.frames),
    ]
    for line, y, size in picture.below():
        spaces = "preserve" if line.startswith("  ") else ""  # without it an indent would be lost
        attributes = _attributes({"font-size": _n(size), "text-anchor": "start", "xml:space": spaces})
        parts.append(
            f'<text x="{_n(TYPE - sheet.left)}" y="{_n(y + BASELINE * size)}"{attributes}>{_text(line)}</text>'
        )
    return "".join([*parts, "</svg>\n"])


def _head(sheet: Sheet, theme: Theme, name: str) -> str:
    return (
        "<svg"
        + _attributes(
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "autograd",
                "width": _n(sheet.width * sheet.scale),
                "height": _n(sheet.height * sheet.scale),
                "viewBox": " ".join(map(_n, (-sheet.left, -sheet.top, sheet.width, sheet.height))),
                "role": "graphics-document document",
                "aria-label": printable(name, most=MOST),
                "fill": theme.text,
                "font-family": theme.font,
                "font-size": _n(TYPE),
                "text-anchor": "middle",
                "style": "max-width:100%;height:auto;white-space:pre",
            }
        )
        + ">"
    )


def _style(picture: Appearance, adapts: bool) -> str:
    """What attributes cannot say: the halo of labels, and the colours of the dark theme."""
    width = 4 if picture.layout.direction in ("LR", "RL") else 5.5  # from top to bottom lines run through labels
    own = picture.theme.background
    paper = f"var(--paper,{own})" if adapts else own  # a fixed theme takes no colour from the page around it
    halo = f"stroke:{paper};stroke-width:{width}px;stroke-linejoin:round;paint-order:stroke"
    plain = f".autograd .label text{{{halo}}}"
    classes = {box.kind for box in picture.scene.boxes} | {look.sign for look in (*picture.boxes, *picture.arrows)}
    classes |= {"label", "frame" * bool(picture.layout.frames), "current" * (picture.marks != Marks())}
    return f"{plain}{DARK}{{{rules(THEMES['dark'], classes, FOR_BROWSERS)}}}" if adapts else plain


def _frame(theme: Theme, x: float, y: float, width: float, height: float) -> str:
    outline = _rect("", (x - width / 2, y - height / 2, width, height), rx=8, fill="none", stroke=theme.frame)
    return f'<g class="frame">{outline}</g>'


def _title(theme: Theme, title: str, x: float, y: float, width: float, height: float) -> str:
    """The title of a frame, in its upper left corner, over the lines that cross there."""
    place = {"x": _n(x - width / 2 + 6), "y": _n(y - height / 2 + 11), "fill": theme.faint, "text-anchor": "start"}
    return f'<g class="frame label"><text{_attributes(place)}>{_text(title)}</text></g>'


def _arrow(picture: Appearance, i: int, points: Sequence[Point]) -> str:
    arrow, look, theme = picture.scene.arrows[i], picture.arrows[i], picture.theme
    marked = arrow.name in picture.marks.arrows
    colour, width = (theme.text, MARKED) if marked else (theme.stroke(look.sign), look.width)
    curve, (x, y), (along, aside) = tip_of(points)
    path = f"M{_point(curve[0])}C{' '.join(map(_point, curve[1:]))}"
    left = (x - TIP_LENGTH * along - TIP_WIDTH / 2 * aside, y - TIP_LENGTH * aside + TIP_WIDTH / 2 * along)
    right = (x - TIP_LENGTH * along + TIP_WIDTH / 2 * aside, y - TIP_LENGTH * aside - TIP_WIDTH / 2 * along)
    tip = f"M{_point(left)}L{_point((x, y))} {_point(right)}Z"
    line = {"d": path, "stroke": colour, "stroke-width": _n(width), "stroke-dasharray": _dashes(look)}
    halo = {"d": path, "stroke": theme.mark, "stroke-width": MARKED + HALO}
    pending = picture.boxes[arrow.head].pending
    group, pale = _group(f"arrow {look.sign}", "arrow", arrow.name, "current" * marked, pending), _pale(pending)
    return (
        f"{group}{_tooltip(picture, arrow)}{_shape('path', 'halo', halo) if marked else ''}"
        f"{_shape('path', 'line', line | pale)}{_shape('path', 'tip', {'d': tip, 'fill': colour} | pale)}</g>"
    )


def _box(picture: Appearance, i: int) -> str:
    box, look, theme, mark = picture.scene.boxes[i], picture.boxes[i], picture.theme, picture.marks.of_box(i)
    x, y, width, height = picture.layout.boxes[i]
    parts = [_group(f"box {box.kind} {look.sign}", "box", i, mark, look.pending), _tooltip(picture, box)]
    if box.kind not in BARE:
        place = (x - width / 2, y - height / 2, width, height)
        colour, thick = (theme.text, MARKED) if mark == "current" else (theme.stroke(look.sign), look.width)
        if mark:
            parts.append(_rect("halo", place, rx=8, fill="none", stroke=theme.mark, stroke_width=_n(thick + HALO)))
        dashes = _dashes(look)
        fill = theme.fill(box.kind, look.sign)
        border: dict[str, object] = {"stroke": colour, "stroke_width": _n(thick), "stroke_dasharray": dashes}
        parts.append(_rect("", place, rx=8, fill=fill, **border, **_pale(look.pending)))
        if box.kind == "folded":
            inner = (place[0] + INSET, place[1] + INSET, width - 2 * INSET, height - 2 * INSET)
            parts.append(_rect("", inner, rx=6, fill="none", stroke=colour))
    faint = _attributes({"fill": theme.faint if box.kind in BARE else ""})
    for text, middle in zip(look.texts, middles(len(look.texts), y), strict=True):
        parts.append(f'<text x="{_n(x)}" y="{_n(middle + BASELINE * TYPE)}"{faint}>{_text(text)}</text>')
    return "".join([*parts, "</g>"])


def _label(picture: Appearance, i: int, middle: Point) -> str:
    arrow, look = picture.scene.arrows[i], picture.arrows[i]
    if not look.texts:
        return ""
    lines = zip(look.texts, label_lines(len(look.texts), middle[1], picture.layout.direction), strict=True)
    # A line that runs through a number must not look like a part of it. Wider halos would cut the lines of a stack.
    pierced = len(look.texts) == 1 and picture.layout.direction in ("TB", "BT")
    halo = _attributes({"style": "stroke-width:7px" * pierced})
    texts = (f'<text x="{_n(middle[0])}" y="{_n(y + BASELINE * TYPE)}"{halo}>{_text(text)}</text>' for text, y in lines)
    marked = "current" * (arrow.name in picture.marks.arrows)
    return f"{_group('label', 'arrow', arrow.name, marked, False)}{''.join(texts)}</g>"


# How SVG is written


def _group(classes: str, what: str, name: object, mark: str, pending: bool) -> str:
    """The beginning of a group that a page finds by `data-box` or `data-arrow`."""
    classes = " ".join(filter(None, (classes, mark, "pending" * pending)))
    return f"<g{_attributes({'class': classes, f'data-{what}': name})}>"


def _rect(name: str, area: Sequence[float], **attributes: object) -> str:
    place = dict(zip(("x", "y", "width", "height"), map(_n, area), strict=True))
    return _shape("rect", name, place | {key.replace("_", "-"): value for key, value in attributes.items()})


def _shape(tag: str, name: str, attributes: Mapping[str, object]) -> str:
    return f"<{tag}{_attributes({'class': name} | dict(attributes))}/>"


def _attributes(attributes: Mapping[str, object]) -> str:
    """Attributes as SVG has them; those that are empty are left out."""
    return "".join(f' {name}="{html.escape(str(value))}"' for name, value in attributes.items() if value != "")


def _tooltip(picture: Appearance, part: Box | Arrow) -> str:
    text = picture.tooltip(part)
    return f"<title>{_text(text)}</title>" if text else ""


def _pale(pending: bool) -> dict[str, object]:
    """What is not computed yet is pale, but not its texts: some of its numbers, such as a bias, are known."""
    return {"opacity": PALE} if pending else {}


def _dashes(look: Look) -> str:
    return DASHES if look.sign == "alarm" else ""


def data_url(svg: str) -> str:
    """The picture as the address of an <img>. Base64 would be a fifth longer.

    A quotation mark delimits an attribute, since those in texts are escaped, so all may become apostrophes."""
    return f"data:image/svg+xml,{quote(svg.strip().replace(chr(34), chr(39)), safe=UNCHANGED)}"


UNCHANGED = " !$&'()*+,/:;=?@[]^`{|}~"
"""The characters that an address in quotation marks may have, beside letters, digits and "-", "." and "_"."""


def _text(text: str) -> str:
    """A user's text: on one line, without control characters, and inert."""
    return html.escape(printable(text, most=MOST), quote=True)


def _point(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(x: float) -> str:
    """A coordinate, to a tenth of a pixel.

    >>> _n(2.0), _n(-0.04), _n(1.25)
    ('2', '0', '1.2')
    """
    return f"{round(x, 1) + 0.0:g}" if abs(x) < 1e5 else f"{x:.0f}"
