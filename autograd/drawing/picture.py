"""What does `draw` return? A `graphviz.Digraph` that also knows the picture it stands for.

Its DOT text says where everything is, so that Graphviz's formats look like our SVG, which needs no Graphviz. A notebook
shows the SVG, in the theme of the page and in the direction that fits the column.
"""

import base64
import gzip
import hashlib
import html
import os
import struct
import warnings
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import graphviz

from autograd.drawing import engine
from autograd.drawing.appearance import Appearance, Number, Sheet
from autograd.drawing.dot import POINT, write_dot
from autograd.drawing.engine import FORMATS, checked_format
from autograd.drawing.layout import TYPE, Layout, places
from autograd.drawing.scene import Arrow, Box, Scene, precision_in
from autograd.drawing.scripts import function_of
from autograd.drawing.svg import data_url, svg_with
from autograd.drawing.text import check_look, number as rounded
from autograd.drawing.theme import on_paper, on_slide, theme_named
from autograd.files import checked_path, file_to_write, write_atomically
from autograd.reals import shown

STYLES = ("page", "paper", "slide")
RASTER = ("png", "jpg", "jpeg", "gif")
DOTS = {"page": 192, "paper": 300, "slide": 96}
"""Dots per inch of images: twice those of a page, so that they are sharp when they are projected; those of print; and
so many that a slide's image has a slide's size."""
COLUMN = 8.0 / 2.54 * 72.0
"""The width of a column of a paper, in points; PAPER_TYPE is the size of type in it."""
PAPER_TYPE, PAPER_HEIGHT = 8.0, 23.0 / 2.54 * 72.0
SLIDE = (1920.0, 1080.0)
"""The size of a slide in pixels. SLIDE_TYPE is the least size of type on it, that a lecture hall can read."""
SLIDE_TYPE, LARGEST_SLIDE_TYPE = 24.0, 44.0
SLIDE_BORDER = 40.0
NARROW = 446.0
"""A picture wider than this has type of less than 9 pixels on a phone of 390 pixels."""


@dataclass(frozen=True)
class Look:
    """How a drawing is to look; `draw` says what each means.

    Raises:
        TypeError, ValueError: there is no such direction, format, theme or style, or so many digits.
    """

    direction: str = "auto"
    format: str = "svg"
    precision: int | None = None
    theme: str = "auto"
    style: str = "page"

    def __post_init__(self) -> None:
        check_look(self.direction, self.format, self.precision)
        theme_named(self.theme)
        if self.style not in STYLES:
            raise ValueError(f"style takes one of {', '.join(STYLES)}; got {shown(self.style)}")

    @property
    def directions(self) -> tuple[str, ...]:
        """Those that there is a choice of, the preferred one first."""
        return ("LR", "TB") if self.direction == "auto" else (self.direction,)


class Picture:
    """A scene with its numbers of now, in every form that it may be shown in.

    Arguments:
        scene: what is on it.
        number: what each code stands for.
        look: how it is to look.
        name: what a screen reader calls it.
    """

    def __init__(self, scene: Scene, number: Number, look: Look, name: str = "") -> None:
        codes = {code.removeprefix("(") for text in _texts(scene) for code in text[1::2]}
        codes |= {part.colour for part in _parts(scene) if part.colour}
        self._numbers = {code: number(code) for code in codes}  # a graph may change before it is shown
        self._scene, self._look, self._name = scene, look, name

    def _layouts(self, directions: Sequence[str], precision: int) -> list[Layout]:
        style = "screen" if self._look.style == "page" else self._look.style
        found = places(self._scene, directions, lambda code: self._shown(code, precision), style)
        return list(found.values())

    def _shown(self, code: str, precision: int) -> str:
        x = self._numbers[code]
        return " " if x is None else rounded(x, precision)

    def _appearance(self, layout: Layout, precision: int, sheet: Sheet | None = None) -> Appearance:
        theme = theme_named(self._look.theme)
        if self._look.style != "page":
            theme = on_paper(theme) if self._look.style == "paper" else on_slide(theme)
        return Appearance(self._scene, layout, self._numbers.get, theme, precision, sheet=sheet)

    @cached_property
    def form(self) -> Appearance:
        """The picture as files have it."""
        if self._look.style == "paper":
            return self._on_paper()
        if self._look.style == "slide":
            return self._on_slide()
        return self._on_page(self._look.directions[0])

    @cached_property
    def narrow(self) -> Appearance | None:
        """The picture for narrow columns of a notebook, if another direction fits them better."""
        directions = self._look.directions[1:]
        if self._look.style != "page" or not directions or self.form.sheet.width <= NARROW:
            return None
        form = self._on_page(directions[0])
        return form if form.sheet.width < self.form.sheet.width else None

    def _on_page(self, direction: str) -> Appearance:
        precision = precision_in(self._scene, self._look.precision)
        (layout,) = self._layouts([direction], precision)
        return self._appearance(layout, precision)

    def _candidates(self) -> list[Appearance]:
        """In all directions that may be, with all digits first, then with fewer."""
        precision = precision_in(self._scene, self._look.precision)
        digits = dict.fromkeys([precision, min(precision, 3), min(precision, 2)])
        return [self._appearance(layout, p) for p in digits for layout in self._layouts(self._look.directions, p)]

    def _on_paper(self) -> Appearance:
        """As wide as a column, with type of 8 points. What does not fit is wider, not smaller."""
        scale = PAPER_TYPE / (TYPE * POINT)
        column = COLUMN / POINT / scale
        candidates = self._candidates()
        fitting = [c for c in candidates if c.sheet.width <= column]
        chosen = fitting[0] if fitting else min(candidates, key=lambda c: c.sheet.width)
        width = max(column, chosen.sheet.width)
        sheet = replace(chosen.sheet, width=width, left=(width - chosen.sheet.width) / 2, scale=scale)
        return self._appearance(chosen.layout, chosen.precision, sheet)

    def _on_slide(self) -> Appearance:
        """In the middle of a slide, in type as large as fits."""
        room = [size - 2 * SLIDE_BORDER for size in SLIDE]

        def scale(c: Appearance) -> float:
            return min(room[0] / c.sheet.width, room[1] / c.sheet.height, LARGEST_SLIDE_TYPE / TYPE)

        candidates = self._candidates()
        legible = [c for c in candidates if scale(c) >= SLIDE_TYPE / TYPE]
        chosen = legible[0] if legible else max(candidates, key=scale)
        factor = scale(chosen)
        width, height = SLIDE[0] / factor, SLIDE[1] / factor
        left, top = (width - chosen.sheet.width) / 2, (height - chosen.sheet.height) / 2
        return self._appearance(chosen.layout, chosen.precision, Sheet(width, height, left, top, factor))

    @property
    def fits(self) -> bool:
        """Whether a column of a paper is wide and long enough, or type on a slide is large enough; a page always is."""
        sheet = self.form.sheet
        if self._look.style == "paper":
            return self.centimetres <= 8.01 and sheet.height * sheet.scale * POINT <= PAPER_HEIGHT
        return self._look.style == "page" or sheet.scale >= SLIDE_TYPE / TYPE

    @property
    def centimetres(self) -> float:
        """How wide the picture is on paper."""
        return self.form.sheet.width * self.form.sheet.scale * POINT / 72.0 * 2.54

    def excess(self) -> float:
        """How many times too large the picture is."""
        return self.centimetres if self._look.style == "paper" else 1.0 / self.form.sheet.scale

    def complaint(self) -> str:
        """What a warning says if the picture does not fit."""
        as_network = ", or its network (model=)" if self._scene.form == "graph" else ""
        advice = f"draw fewer boxes (most_nodes=), or a part (focus=){as_network}"
        if self._look.style == "paper" and self.centimetres > 8.01:
            return f"the picture is {self.centimetres:.1f} cm wide, and a column 8 cm, in type of 8 points: {advice}"
        if self._look.style == "slide" and not self.fits:
            type_size = TYPE * self.form.sheet.scale
            return f"the picture's type has {type_size:.0f} pixels of the slide's 1080, and should have 24: {advice}"
        return ""

    @property
    def dots(self) -> int:
        """Dots per inch of an image."""
        return DOTS[self._look.style]

    def svg(self, form: Appearance | None = None) -> str:
        """The picture, or another form of it, as SVG."""
        return svg_with(form or self.form, self._name, self._look.theme == "auto" and self._look.style == "page")

    def fragment(self) -> str:
        """The picture as a piece of HTML: an image, which a script makes follow the page's theme and width."""
        return fragment_of(self.svg(), self._name, "" if self.narrow is None else self.svg(self.narrow))


def fragment_of(svg: str, name: str, narrow: str = "") -> str:
    """A picture as a piece of HTML: an image, which a script makes follow the page's theme and width.

    Arguments:
        svg: has a style sheet as those of `theme.py`, and a rectangle of the class "paper" behind everything.
        name: what a screen reader calls it.
        narrow: another form of it for narrow columns, if there is one.
    """
    first = html.escape(data_url(svg), quote=False)
    other = f' data-narrow="{html.escape(data_url(narrow), quote=False)}"' if narrow else ""
    key = hashlib.sha256((first + other).encode("ascii")).hexdigest()[:12]
    script = function_of(["theme.js", "picture.js"], [f'const NAME = "{key}";'])
    return (
        f'<div data-autograd-drawing="{key}"{other}><img alt="{html.escape(name)}" src="{first}" '
        f'style="max-width:100%"></div><script>{script}</script>'
    )


def _texts(scene: Scene) -> list[Sequence[str]]:
    parts = _parts(scene)
    return [*(line for part in parts for line in part.lines), *(part.tooltip for part in parts)]


def _parts(scene: Scene) -> list[Box | Arrow]:
    return [*scene.boxes, *scene.arrows]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def with_dots(png: bytes, dots: int) -> bytes:
    """The image, which says how many dots it has per inch: so a text program shows it in its right size."""
    if b"pHYs" in png[:100]:  # some builds of Graphviz say it
        return png
    per_metre = round(dots / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    resolution = struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk))
    header = 33  # of the signature and the first chunk, which no other may come before
    return png[:header] + resolution + png[header:]


def drawing_of(
    scene: Scene, number: Number, look: Look, name: str = "", fewer: Iterable[tuple[Scene, Number]] = ()
) -> "Drawing":
    """The drawing of a scene with its numbers of now, or else of the first one with `fewer` boxes that fits a paper or
    a slide, or of the one that comes nearest to it; the other arguments are those of `Picture`."""
    drawing = Drawing(format=look.format)
    picture = Picture(scene, number, look, name)
    if not picture.fits:
        others = [picture]
        for folded, its_number in fewer:
            others.append(Picture(folded, its_number, look, name))
            if others[-1].fits:
                break
        picture = others[-1] if others[-1].fits else min(others, key=Picture.excess)
        if complaint := picture.complaint():
            warnings.warn(complaint, stacklevel=3)
    write_dot(drawing, picture.form)
    drawing.picture, drawing.written = picture, drawing.source
    return drawing


class Drawing(graphviz.Digraph):
    """A `graphviz.Digraph` that renders where no `dot` is installed, and its SVG where no Graphviz is at all.

    `.source`, `.render(...)`, `.pipe(...)` and `.save(...)` are those of graphviz. What is added in the DOT language
    (`drawing.node("note")`) is drawn by Graphviz.
    """

    picture: Picture | None = None
    written: str = ""
    """The source that the picture stands for."""

    def pipe(
        self, format: str | None = None, *args: Any, engine: str | None = None, encoding: str | None = None, **more: Any
    ) -> bytes | str:
        """The picture, as bytes, or as text if an encoding is given; arguments as in graphviz.

        Raises:
            ValueError: there is no such format.
            DrawingError: the format needs Graphviz, and there is none.
        """
        data = self._rendered(checked_format(format or self.format), engine)
        return data if encoding is None else data.decode("utf-8")

    def _rendered(self, format: str, program: str | None = None) -> bytes:
        source = self.source
        if self.picture is not None and source == self.written and format in ("svg", "svgz"):
            svg = self.picture.svg().encode("utf-8")
            return gzip.compress(svg, mtime=0) if format == "svgz" else svg
        if self.picture is not None and format in RASTER:
            source = source.replace("{\n", f"{{\n\tgraph [dpi={self.picture.dots}]\n", 1)
        data = engine.render([source], format, program or self.engine)[0]
        return with_dots(data, self.picture.dots) if self.picture is not None and format == "png" else data

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *args: Any,
        outfile: str | os.PathLike[str] | None = None,
        engine: str | None = None,
        **more: Any,
    ) -> str:
        """Writes the picture, and the source as graphviz does, and returns the picture's path.

        `render("graph.svg")` writes just that picture, as people expect of a name with a format's ending;
        `render("graph")` writes the source as `graph` and the picture as `graph.svg`.

        Raises:
            ValueError: the format, or the ending of the name, is none that there is.
            DrawingError: the format needs Graphviz, and there is none.
        """
        format = checked_format(format) if format else None
        for path in (filename, outfile):
            if path is not None:
                checked_path(path, "render")
        ending = Path(outfile or filename or "").suffix
        if ending and ending != ".gv":  # graphviz's own ending for the source
            if (wanted := checked_format(ending[1:], "the ending of the file's name")) != (format or wanted):
                raise ValueError(f"render takes one format; got a name that ends in {ending} and format={format!r}")
            if outfile is None and filename is not None:
                outfile, filename, cleanup = Path(directory or "", filename), None, True
        if outfile is not None:
            target = Path(outfile)
            source = target.with_suffix(".gv") if filename is None else Path(directory or "", filename)
            format = format or target.suffix[1:].lower() or self.format
        else:
            source = Path(directory or self.directory, filename or self.filename)
            format = format or self.format
            target = source.with_name(f"{source.name}.{format}")
        for path in (target,) if cleanup else (target, source):
            file_to_write(path, "render")
        data = self._rendered(format, engine)
        if not cleanup:
            write_atomically(source, self.source)
        write_atomically(target, data)
        if view:
            self._view(target, format=format, quiet=True)
        return str(target)

    def save(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        **more: Any,
    ) -> str:
        """Writes the source in the DOT language, as graphviz does, and returns its path; `render` writes pictures.

        Raises:
            ValueError: the name ends as a picture's.
        """
        if filename is not None:
            file = checked_path(filename, "save", "graph.gv")
            if file.suffix[1:].lower() in {*FORMATS} - {"dot", "xdot"}:
                raise ValueError(
                    f"save writes the DOT source, and {file.name!r} is a picture's name: use .render({file.name!r})"
                )
        return str(super().save(filename, directory=directory, **more))

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, Any]:
        """What a notebook shows: the picture, and an image for programs that show no HTML; never an error."""
        bundle = {"text/plain": repr(self)}
        try:
            if self.picture is not None and self.source == self.written:
                bundle["text/html"] = self.picture.fragment()
            else:
                bundle["image/svg+xml"] = self._rendered("svg").decode("utf-8")
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}
        with suppress(Exception):  # there is no Graphviz
            bundle["image/png"] = _base64(self._rendered("png"))
        return bundle

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.body)} lines; .render('graph.svg') writes a picture>"
