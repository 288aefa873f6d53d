"""How does a recorded training become a GIF or an MP4? As a picture for each of its moments, drawn by resvg.

The moments of a recording lie closer together in the beginning, and each is seen as long as any other: so a film begins
slowly, where most happens.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from autograd.drawing.engine import DrawingError
from autograd.drawing.films import LAST_STAYS, check_pillow, ffmpeg, gif_of, mp4_of
from autograd.drawing.theme import PRINT_FONT, check_theme
from autograd.files import file_to_write, write_atomically
from autograd.reals import as_float, shown
from autograd.terminal import is_watched, progress_bars
from nn.training.recording import Moment, Recording
from nn.watching.packing import thinned
from nn.watching.picture import WIDTH, At, picture_of
from nn.watching.view import View

FRAMES = 8.0
"""So many pictures a second, if there are moments enough."""
MP4_WIDTH = 1280
"""Pixels; a GIF has those of the picture."""
FAMILIES = ("Liberation Sans", "DejaVu Sans", "Noto Sans", "Helvetica", "Verdana", "Segoe UI", "Roboto", "Ubuntu")
"""Fonts that some system has, where it has none of those that a picture names."""


class Filmed(Protocol):
    """What a `Film` says of itself."""

    @property
    def recording(self) -> Recording: ...
    @property
    def names(self) -> Sequence[str] | None: ...
    @property
    def classes(self) -> Sequence[str] | None: ...


def gif(film: Filmed, path: str | os.PathLike[str], seconds: float, theme: str) -> Path:
    """Writes a film as a GIF; see `Film.gif`."""
    seconds, path = _checked(seconds, theme), file_to_write(path, "gif", ".gif")
    check_pillow(".mp4(path)")
    images = images_of(film, seconds, theme, WIDTH)
    return write_atomically(path, gif_of(images, seconds / len(images)))


def mp4(film: Filmed, path: str | os.PathLike[str], seconds: float, theme: str) -> Path:
    """Writes a film as an MP4; see `Film.mp4`."""
    seconds, path = _checked(seconds, theme), file_to_write(path, "mp4", ".mp4")
    program = ffmpeg()
    images = images_of(film, seconds, theme, MP4_WIDTH)
    each = seconds / len(images)
    last = [images[-1]] * round(LAST_STAYS / each)
    return write_atomically(path, mp4_of([*images, *last], each, program))


def _checked(seconds: float, theme: str) -> float:
    """The length of the film, as a number."""
    seconds = as_float(seconds, "seconds")
    if not 0.5 <= seconds <= 600.0:
        raise ValueError(f"seconds takes how long the film is, from 0.5 to 600; got {seconds!r}")
    check_theme(theme)
    if theme == "auto":
        raise ValueError(f'a film has one theme: theme takes "light" or "dark"; got {shown(theme)}')
    return seconds


def images_of(film: Filmed, seconds: float, theme: str, width: int) -> list[bytes]:
    """The pictures of a film as PNGs, of so many of its moments as there is time for."""
    rasterise, most = Rasteriser(width), round(FRAMES * seconds)
    pictures: Iterable[str] = pictures_of(film, most, theme, PRINT_FONT)
    if is_watched():  # each takes a third of a second
        count = len(thinned(len(film.recording.moments), max(2, most)))
        pictures = progress_bars()(pictures, total=count, unit="picture", leave=False)
    return [rasterise(svg) for svg in pictures]


def pictures_of(film: Filmed, most: int, theme: str, fonts: str = "") -> Iterator[str]:
    """The pictures of a film as SVG, of at most so many of its moments, the first and the last among them."""
    recording = film.recording
    view = View(recording.model, recording.examples, recording.held_out, recording.loss, film.names, film.classes)
    moments = recording.moments
    for place in thinned(len(moments), max(2, most)):
        yield picture_of(view.of(recording.model_at(moments[place])), _at(moments, place), theme, fonts)


def _at(moments: Sequence[Moment], place: int) -> At:
    """What is known at a moment, on the scales of the whole film."""
    series = {name: _series(moments, name) for name in ("loss", "validation_loss")}
    now = moments[place]
    past = {name: [(epoch, loss) for epoch, loss in points if epoch <= now.epoch] for name, points in series.items()}
    seen = [moment.figures for moment in moments[: place + 1] if moment.figures]
    return At(
        now.epoch,
        now.lr,
        past["loss"],
        past["validation_loss"],
        last=moments[-1].epoch,
        figures=seen[-1] if seen else {},
        others=[loss for points in series.values() for _, loss in points],
    )


def _series(moments: Sequence[Moment], name: str) -> list[tuple[float, float]]:
    """A loss by epoch; in a run of less than two epochs, that from moment to moment."""
    points = [(moment.epoch, moment.figures[name]) for moment in moments if name in moment.figures]
    if len(points) < 2 and name == "loss":
        return [(moment.epoch, moment.loss) for moment in moments if moment.loss is not None]
    return points


# From SVG to PNG


@dataclass(frozen=True)
class Rasteriser:
    """Makes PNGs so wide of SVGs.

    Raises:
        DrawingError: resvg-py is missing, or finds no font.
    """

    width: int

    def __post_init__(self) -> None:
        if find_spec("resvg_py") is None:
            raise DrawingError(
                "a film needs the package resvg-py, and it is not here: run `pip install 'scalar-autograd[film]'`, or "
                "use .save('film.html')"
            )
        fonts()

    def __call__(self, svg: str) -> bytes:
        return _png(svg, width=self.width, **fonts())


def _png(svg: str, **options: Any) -> bytes:
    return bytes(import_module("resvg_py").svg_to_bytes(svg_string=svg, **options))


@cache
def fonts() -> dict[str, Any]:
    """The options with which resvg draws texts on this machine.

    resvg leaves out a text whose fonts it does not find, and says nothing. So a letter is tried: with the fonts of the
    system, and with those that matplotlib brings along.

    Raises:
        DrawingError: no font is found.
    """
    candidates: list[dict[str, Any]] = [{}, *({"sans_serif_family": family} for family in FAMILIES)]
    spec = find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
        files = [str(folder / f"DejaVuSans{weight}.ttf") for weight in ("", "-Bold")]
        candidates.append({"font_files": files, "sans_serif_family": "DejaVu Sans"})
    letter = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    text = letter.format(f'<text x="2" y="16" font-size="16" font-family="{PRINT_FONT}">x</text>')
    for options in candidates:
        if _png(text, **options) != _png(letter.format(""), **options):
            return options
    raise DrawingError(
        "a film has words, and resvg finds no font on this machine: install one, such as the package fonts-dejavu of "
        "Debian, or run `pip install matplotlib`, which brings one along"
    )
