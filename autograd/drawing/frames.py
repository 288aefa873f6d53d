"""How does an explanation become pictures, one a step, and a film of them?

All frames have one layout and one size. A frame shows what is known after its step: of later steps it has no number, no
colour and no thickness. The step's title and lines stand below the picture. `films.py` makes a film of the frames.
"""

import math
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from autograd.drawing.appearance import CAPTION_LINE, CAPTION_TYPE, Appearance, Marks, Sheet
from autograd.drawing.dot import dot_with
from autograd.drawing.engine import DrawingError, checked_format, render
from autograd.drawing.films import check_pillow, ffmpeg, gif_of, mp4_of, saved, with_one_palette
from autograd.drawing.layout import TYPE, Layout, places
from autograd.drawing.moments import Moment
from autograd.drawing.numbers import root_mean_square
from autograd.drawing.picture import DOTS, LARGEST_SLIDE_TYPE, RASTER, SLIDE, SLIDE_BORDER
from autograd.drawing.recording import Recording
from autograd.drawing.svg import svg_with
from autograd.drawing.theme import on_slide, theme_named
from autograd.files import checked_path, file_to_write, folder_to_write, write_atomically
from autograd.reals import as_float, shown
from autograd.steps import parent_slots

BORDER = 8.0
STYLES, WAYS = ("page", "slide"), ("node", "neuron", "layer")
SLIDE_CAPTIONS = (44.0, 38.0, 33.0, 28.0)
"""Sizes of type of a slide's caption, in pixels."""
LEAST_DOTS = 96
"""Dots per inch of an image with a dot for each pixel."""
MOST_PIXELS = 80e6
"""Of all images of a deck: the 76 of MLP(2, [4, 4, 1]) take 7 s and 4 MB so, and at 192 dots 14 s and 9 MB."""
MOST_ROWS, MOST_ROWS_OF_SLIDE = 12, 6
"""Rows of the caption of several steps, and of that of a slide."""
LETTER = 0.62
"""The width of a letter on average, in sizes of the type."""
LEAST_WIDTH = 640.0
"""Pixels; a narrower picture gets margins, so that the lines below it have room."""


class Knowledge:
    """What is known after the steps done: what was computed, and of each gradient the sum so far."""

    def __init__(self, explanation: Recording) -> None:
        self._explanation, self._scene, self._numbers = explanation, explanation.scene, explanation.numbers
        self._computed = {i for i, node in enumerate(self._scene.nodes) if not node.operation}
        self._passed: set[int] = set()
        self._moved: set[int] = set()
        self._sums: dict[int, float] = {}
        self._done = 0

    def step(self) -> None:
        """One more step is done."""
        moment = self._explanation.steps[self._done]
        self._done += 1
        if moment.phase == "update":
            self._moved.add(moment.node)
        elif moment.phase == "forward":
            self._computed.add(moment.node)
        else:
            self._passed.add(moment.node)
            self._sums.setdefault(moment.node, self._numbers.gradient(moment.node))  # that of the root is given
            for slot in parent_slots(node := self._scene.nodes[moment.node]):
                self._sums[self._scene.index_of(node.operands[slot])] = self._numbers(f"a{moment.node}.{slot}")

    def number(self, code: str) -> float | None:
        """The number of a code, or None where it is not known."""
        kind, index = code[0], int(code[1:].partition(".")[0] or 0)
        after = self._explanation.after
        if after is not None and self._done == len(self._explanation.steps):
            return self._numbers(code) if kind in "rnpd" else after(code)
        if kind == "v" and index in self._moved:
            return self._numbers(f"n{index}")
        if kind == "g":
            return self._sums.get(index)
        if kind == "q":
            sums = [self._sums.get(i) for i in self._scene.boxes[index].nodes]
            return None if None in sums else root_mean_square(x for x in sums if x is not None)
        known = {"v": self._computed, "l": self._computed, "m": self._computed, "n": self._moved}.get(
            kind, self._passed
        )
        return self._numbers(code) if kind == "r" or index in known else None


@dataclass(frozen=True)
class Deck:
    """How the frames are to look; `Explanation.frames` says what each means.

    Raises:
        TypeError, ValueError: there is no such theme, style or choice.
    """

    theme: str = "light"
    style: str = "page"
    by: str = "node"

    def __post_init__(self) -> None:
        theme_named(self.theme)
        for name, found, choices in (("style", self.style, STYLES), ("by", self.by, WAYS)):
            if found not in choices:
                raise ValueError(f"{name} takes one of {', '.join(choices)}; got {shown(found)}")


def parts_of(explanation: Recording, by: str) -> list[list[Moment]]:
    """The steps of each frame: one, or those of one phase and one box, or one layer, that follow each other."""
    if by == "node":
        return [[moment] for moment in explanation.steps]
    groups = groupby(explanation.steps, lambda m: (m.phase, m.box if by == "neuron" else m.group or f"box {m.box}"))
    return [list(moments) for _, moments in groups]


def pictures(explanation: Recording, deck: Deck) -> Iterator[Appearance]:
    """The frames, before they are written down in a format."""
    parts, knowledge = parts_of(explanation, deck.by), Knowledge(explanation)
    theme = theme_named(deck.theme)
    if deck.style == "slide":
        theme, (layout, captions, sheet) = on_slide(theme), _on_slide(explanation, parts)
    else:
        layout, captions, sheet = _on_page(explanation, parts)
    for part, caption in zip(parts, captions, strict=True):
        for _ in part:
            knowledge.step()
        boxes = {moment.box for moment in part}
        arrows = {arrow for moment in part for arrow in moment.arrows}
        receiving = {box for moment in part for box in moment.receivers}
        marks = Marks(boxes, arrows, receiving - boxes)
        number = knowledge.number
        yield Appearance(explanation.scene, layout, number, theme, explanation.precision, marks, caption, sheet)


Placed = tuple[Layout, list[list[str]], Sheet]
"""Where everything is, the caption of each frame, and what they stand on."""


def _on_page(explanation: Recording, parts: Sequence[Sequence[Moment]]) -> Placed:
    layout = explanation.layout
    width = max(layout.width, LEAST_WIDTH)
    letters = int(width / (LETTER * CAPTION_TYPE))
    rows = max((len(_rows(part[0].lines, letters)) for part in parts if len(part) == 1), default=0)
    captions = [[" ", *_caption(explanation, part, letters, max(rows, MOST_ROWS))] for part in parts]
    below = _height_below(explanation, layout, CAPTION_TYPE, captions)
    return layout, captions, Sheet(width, layout.height + below + BORDER, left=(width - layout.width) / 2)


def _on_slide(explanation: Recording, parts: Sequence[Sequence[Moment]]) -> Placed:
    """In the middle of a slide: the picture as large as fits, and its caption as large as it may be then."""
    number = explanation.numbers.shown(explanation.precision)
    layouts = places(explanation.scene, tuple(explanation.layouts), number, "slide", room=1).values()
    tried = [_with_caption(explanation, parts, layout, size) for size in SLIDE_CAPTIONS for layout in layouts]
    most = max(sheet.scale for *_, sheet in tried)
    return next(placed for placed in tried if placed[-1].scale > 0.99 * most)


def _with_caption(explanation: Recording, parts: Sequence[Sequence[Moment]], layout: Layout, pixels: float) -> Placed:
    """A layout on a slide, with captions in type of so many pixels."""
    letters = int((SLIDE[0] - 2 * SLIDE_BORDER) / (LETTER * pixels))
    captions = [[" ", *_caption(explanation, part, letters, MOST_ROWS_OF_SLIDE, joins=True)] for part in parts]
    height = SLIDE[1] - 2 * SLIDE_BORDER - pixels * CAPTION_LINE * max(map(len, captions))
    bare = layout.height + _height_below(explanation, layout, 0.0, captions)
    scale = min((SLIDE[0] - 2 * SLIDE_BORDER) / layout.width, height / bare, LARGEST_SLIDE_TYPE / TYPE)
    used = layout.height + _height_below(explanation, layout, pixels / scale, captions)
    width, height = SLIDE[0] / scale, SLIDE[1] / scale
    return (
        layout,
        captions,
        Sheet(width, height, (width - layout.width) / 2, (height - used) / 2, scale, pixels / scale),
    )


def _height_below(explanation: Recording, layout: Layout, type_size: float, captions: Sequence[Sequence[str]]) -> float:
    """The height of the note and the longest caption."""
    bare = Appearance(explanation.scene, layout, lambda code: None, theme_named("light"))
    return bare.note_height + CAPTION_LINE * type_size * max(map(len, captions))


def _caption(explanation: Recording, part: Sequence[Moment], letters: int, most: int, joins: bool = False) -> list[str]:
    """What stands below a frame: which steps it is, and as many of their lines as fit in `most` rows.

    `joins` writes what a line says and its numbers, a line that begins with spaces, in one."""
    last, phase = len(explanation.steps), part[0].phase if part[0].phase == "update" else f"{part[0].phase} pass"
    first = next(k for k, moment in enumerate(explanation.steps, 1) if moment is part[0])
    if len(part) == 1:
        title = f"{first} of {last}, {phase}: {part[0].title}"
    else:
        boxes = dict.fromkeys(moment.box for moment in part)
        names = ", ".join("".join(explanation.scene.boxes[box].lines[0][:1]) for box in boxes)
        title = f"{first} to {first + len(part) - 1} of {last}, {phase}: {names}"
    lines = [line for moment in part for line in moment.lines]
    if joins:
        lines = "\n".join(lines).replace("\n   ", ":  ").split("\n")
    rows, head = _rows(lines, letters), _rows([title], letters)
    if len(rows) > (room := most - len(head)):
        hidden = len(rows) - room + 1
        rows = [*rows[: room - 1], f"... and {hidden} more {'line' if hidden == 1 else 'lines'}"]
    return [*head, *rows]


def _rows(lines: Sequence[str], letters: int) -> list[str]:
    return [row for line in lines for row in textwrap.wrap(line, letters, subsequent_indent=" " * 6)]


def contents(explanation: Recording, format: str, deck: Deck = Deck(), sharp: bool = False) -> list[bytes]:
    """The frames as files of that format; `sharp` images of pages have up to two dots for a pixel."""
    frames = list(pictures(explanation, deck))
    if format == "svg":
        return [svg_with(frame, f"step {k}", adapts=False).encode("utf-8") for k, frame in enumerate(frames, 1)]
    dots = 0
    if format in RASTER:
        dots = _dots(frames) if sharp and deck.style == "page" else LEAST_DOTS
    return render([dot_with(frame, dots) for frame in frames], format)


def _dots(frames: Sequence[Appearance]) -> int:
    """Dots per inch: as many as an image has that is sharp when it is projected, and fewer of many large frames."""
    pixels = len(frames) * frames[0].sheet.width * frames[0].sheet.height
    return min(DOTS["page"], max(LEAST_DOTS, int(LEAST_DOTS * math.sqrt(MOST_PIXELS / pixels))))


def frames(explanation: Recording, folder: str | os.PathLike[str], format: str, deck: Deck) -> list[Path]:
    """Writes one picture a step; see `Explanation.frames`."""
    format = checked_format(format)
    checked_path(folder, "frames", "figures")
    found = contents(explanation, format, deck, sharp=True)
    if format == "png" and find_spec("PIL"):
        found = [saved(image, "PNG") for image in with_one_palette(found)]  # a quarter of the bytes
    folder = folder_to_write(folder, "frames")
    paths = [write_atomically(folder / f"step-{k:03d}.{format}", content) for k, content in enumerate(found, 1)]
    for path in folder.glob(f"step-*.{format}"):  # those of an older, longer deck
        if (number := path.stem.removeprefix("step-")).isdecimal() and int(number) > len(paths):
            path.unlink()
    return paths


# Films


def gif(explanation: Recording, path: str | os.PathLike[str], seconds: float, deck: Deck) -> Path:
    """Writes the frames as a GIF that begins again at its end; see `Explanation.gif`."""
    seconds, path = _checked(seconds), file_to_write(path, "gif", ".gif")
    _refuse_in_a_page("a GIF")
    check_pillow(".frames(folder)")
    return write_atomically(path, gif_of(contents(explanation, "png", deck), seconds))


def mp4(explanation: Recording, path: str | os.PathLike[str], seconds: float, deck: Deck) -> Path:
    """Writes the frames as a film, H.264 in an MP4; see `Explanation.mp4`."""
    seconds, path = _checked(seconds), file_to_write(path, "mp4", ".mp4")
    _refuse_in_a_page("an MP4")
    program = ffmpeg()
    return write_atomically(path, mp4_of(contents(explanation, "png", deck), seconds, program))


def _refuse_in_a_page(film: str) -> None:
    if sys.platform == "emscripten":
        raise DrawingError(
            f"{film} cannot be made in a web page, where there are neither processes nor PNGs of a graph: "
            'use .save("steps.html"), or .frames(folder, format="svg")'
        )


def _checked(seconds: float) -> float:
    """The seconds that a step is seen, as a number."""
    seconds = as_float(seconds, "seconds")
    if not 0.02 <= seconds <= 60.0:
        raise ValueError(f"seconds takes how long each step is seen, from 0.02 to 60; got {seconds!r}")
    return seconds
