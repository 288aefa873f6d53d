"""How does each box and each line of a scene look, in SVG and in Graphviz's formats alike?

Here numbers become texts, signs and widths, and a picture gets its size. `svg.py` and `dot.py` write that down.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autograd.drawing.layered import Point
from autograd.drawing.layout import LABEL_LINES, LINE, TYPE, Layout, width_of
from autograd.drawing.scene import Arrow, Box, Scene
from autograd.drawing.text import filled, number as rounded
from autograd.drawing.theme import Theme, sign_of

CAPTION_TYPE, CAPTION_LINE = 13.0, 19 / 13
"""The size of the type below a picture, and the distance of its lines in sizes of the type."""
TIP_LENGTH, TIP_WIDTH = 9.0, 8.5
DASHES = "6 3"
MARKED, HALO = 4.0, 8.0  # the width of a line that is marked, and what its halo adds
PALE = 0.4  # the opacity of what is not computed yet
BASELINE = 0.36  # how far below the middle of a line its letters stand, in shares of the type's size
BARE = ("constant", "note")  # boxes without a border

Number = Callable[[str], float | None]
"""What a code stands for; None where that is not known yet."""


class Marks(NamedTuple):
    """What a step touches: its boxes, its arrows by name, and the boxes that receive something."""

    boxes: Collection[int] = ()
    arrows: Collection[str] = ()
    receiving: Collection[int] = ()

    def of_box(self, i: int) -> str:
        """The class of a box that is touched."""
        return "current" if i in self.boxes else "receiving" if i in self.receiving else ""


class Look(NamedTuple):
    """One box or one line: the class for its sign, its width, its texts, and whether it is computed already."""

    sign: str
    width: float
    texts: list[str]
    pending: bool


@dataclass(frozen=True)
class Sheet:
    """What a picture stands on: its size in the pixels of the layout, where the layout begins, its scale, and the type
    of its caption."""

    width: float
    height: float
    left: float = 0.0
    top: float = 0.0
    scale: float = 1.0
    caption_type: float = CAPTION_TYPE


class Appearance:
    """A scene with numbers in it, placed.

    Arguments:
        scene: what is on the picture.
        layout: where.
        number: what each code stands for, such as `Numbers(scene)`; None where that is not known yet.
        theme: the colours.
        precision: significant digits of the numbers.
        marks: what a step touches.
        caption: lines of text below.
        sheet: the size of the picture, if it is to be another than what is on it needs.
        tooltips: whether parts have any.
    """

    def __init__(
        self,
        scene: Scene,
        layout: Layout,
        number: Number,
        theme: Theme,
        precision: int = 4,
        marks: Marks = Marks(),  # noqa: B008 - it has no state
        caption: Sequence[str] = (),
        sheet: Sheet | None = None,
        tooltips: bool = True,
    ) -> None:
        self.scene, self.layout, self.theme, self.marks = scene, layout, theme, marks
        self._tooltips = tooltips
        self._number, self.precision = number, precision
        self.boxes = self._looks(scene.boxes)
        self.arrows = self._looks(scene.arrows)
        if scene.form == "network" and layout.direction in ("TB", "BT"):  # lines run close together there
            self.arrows = [
                look._replace(width=min(look.width, 1.0 + 0.45 * (look.width - 1.0))) for look in self.arrows
            ]
        self.caption = list(caption)
        self.note = wrapped(scene.note, layout.width - 2 * TYPE)
        self.sheet = sheet or self._natural_sheet()

    def _shown(self, code: str) -> str:
        x = self._number(code)
        return " " if x is None else rounded(x, self.precision)

    def tooltip(self, part: Box | Arrow) -> str:
        """What is said of a part when one points at it, with all digits."""
        return filled(part.tooltip, lambda code: repr(self._number(code))) if self._tooltips else ""

    def _looks(self, parts: Sequence[Box | Arrow]) -> list[Look]:
        colours = [self._number(part.colour) if part.colour else None for part in parts]
        largest = max((abs(x) for x in colours if x is not None and math.isfinite(x)), default=0.0)
        looks = []
        for part, colour in zip(parts, colours, strict=True):
            codes = [code for text in part.lines for code in text[1::2]]
            numbers = {code: self._number(code.removeprefix("(")) for code in codes}
            broken = any(x is not None and not math.isfinite(x) for x in numbers.values())
            sign = "alarm" if broken and isinstance(part, Box) else sign_of(colour)
            width = self.theme.width(math.nan if sign == "alarm" else colour, largest)
            pending = any(x is None and code.startswith("v") for code, x in numbers.items())
            looks.append(Look(sign, width, [filled(text, self._shown) for text in part.lines], pending))
        return looks

    def _natural_sheet(self) -> Sheet:
        widest = max((2 * TYPE + width_of(line) * CAPTION_TYPE / TYPE for line in self.caption), default=0.0)
        return Sheet(max(self.layout.width, widest), self.layout.height + self.height_below)

    @property
    def height_below(self) -> float:
        """The height of the note and of the caption."""
        return self.note_height + CAPTION_LINE * CAPTION_TYPE * len(self.caption)

    @property
    def note_height(self) -> float:
        """The height of the note alone."""
        return LINE * len(self.note) + 4.0 * bool(self.note)

    def below(self) -> Iterator[tuple[str, float, float]]:
        """The lines below the picture: the text, its middle, the size of the type."""
        y, size = self.layout.height, self.sheet.caption_type
        for line in self.note:
            yield line, y + LINE / 2, TYPE
            y += LINE
        for i, line in enumerate(self.caption, 1):
            yield line, y + (i - 0.5) * CAPTION_LINE * size, size


def label_lines(count: int, middle: float, direction: str) -> list[float]:
    """The middles of the lines of a label."""
    return middles(count, middle, LABEL_LINES[direction])


def middles(count: int, middle: float, distance: float = LINE) -> list[float]:
    """The middles of `count` lines of text around a middle."""
    return [middle + (i - (count - 1) / 2) * distance for i in range(count)]


def wrapped(text: str, width: float) -> list[str]:
    """The text in lines that are no wider than that, if its words are not.

    >>> wrapped("one two three", width_of("one two "))
    ['one two', 'three']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def tip_of(points: Sequence[Point]) -> tuple[list[Point], Point, Point]:
    """The curve of a line, shortened by its tip; the tip's point, and the unit vector in which it points."""
    *others, control, end = points
    from_x, from_y = next((p for p in reversed(points[:-1]) if math.dist(p, end) > 1e-3), (end[0] - 1.0, end[1]))
    length = math.dist((from_x, from_y), end)
    x, y = (end[0] - from_x) / length, (end[1] - from_y) / length
    by_x, by_y = TIP_LENGTH * x, TIP_LENGTH * y
    return [*others, (control[0] - by_x, control[1] - by_y), (end[0] - by_x, end[1] - by_y)], end, (x, y)
