"""How does an explanation become pictures, one a step, and a film of them?

All frames have one layout and one size. A frame shows what is known after its step: of later steps it has no number, no
colour and no thickness. The step's title and lines stand below the picture. A film is a GIF, by Pillow, or an MP4, by
ffmpeg: the one on the PATH, or the one that the package imageio-ffmpeg brings along.
"""

import os
import shutil
import subprocess
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import graphviz

from autograd.drawing.appearance import CAPTION_TYPE, Appearance, Marks, Sheet
from autograd.drawing.dot import write_dot
from autograd.drawing.engine import DrawingError, checked_format, render
from autograd.drawing.numbers import root_mean_square
from autograd.drawing.recording import Recording
from autograd.drawing.svg import svg_with
from autograd.drawing.theme import theme_named
from autograd.files import write_atomically
from autograd.reals import as_float
from autograd.steps import parent_slots

BORDER = 8.0
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


def pictures(explanation: Recording, theme: str) -> Iterator[Appearance]:
    """The frames, before they are written down in a format."""
    layout, knowledge = explanation.layout, Knowledge(explanation)
    look = (theme_named(theme), explanation.precision)
    width = max(layout.width, LEAST_WIDTH)
    captions = [_caption(explanation, k, width) for k in range(len(explanation.steps))]
    longest = Appearance(explanation.scene, layout, knowledge.number, *look, caption=max(captions, key=len))
    sheet = Sheet(width, layout.height + longest.height_below + BORDER, left=(width - layout.width) / 2)
    for moment, caption in zip(explanation.steps, captions, strict=True):
        knowledge.step()
        marks = Marks(moment.box, moment.arrows, moment.receivers)
        yield Appearance(explanation.scene, layout, knowledge.number, *look, marks, caption, sheet)


def _caption(explanation: Recording, k: int, width: float) -> list[str]:
    """What stands below a frame, after an empty line: which step it is, and the step's lines."""
    moment = explanation.steps[k]
    phase = moment.phase if moment.phase == "update" else f"{moment.phase} pass"
    lines = [f"{k + 1} of {len(explanation.steps)}, {phase}: {moment.title}", *moment.lines]
    most = int(width / (0.62 * CAPTION_TYPE))
    parts = [part for line in lines for part in textwrap.wrap(line, most, subsequent_indent=" " * 6)]
    return [" ", *parts]


def contents(explanation: Recording, format: str, theme: str) -> list[bytes]:
    """The frames as files of that format."""
    frames = pictures(explanation, theme)
    if format == "svg":
        return [svg_with(frame, f"step {k}", adapts=False).encode("utf-8") for k, frame in enumerate(frames, 1)]
    return render([_source(frame) for frame in frames], format)


def _source(frame: Appearance) -> str:
    """The frame in the DOT language."""
    drawing = graphviz.Digraph()
    write_dot(drawing, frame)
    return str(drawing.source)


def frames(explanation: Recording, folder: str | os.PathLike[str], format: str, theme: str) -> list[Path]:
    """Writes one picture a step; see `Explanation.frames`."""
    folder, format = Path(folder), checked_format(format)
    found = contents(explanation, format, theme)
    if format == "png" and find_spec("PIL"):
        found = [_saved(image, "PNG") for image in _with_one_palette(found)]  # a quarter of the bytes
    folder.mkdir(parents=True, exist_ok=True)
    return [write_atomically(folder / f"step-{k:03d}.{format}", content) for k, content in enumerate(found, 1)]


# Films


def gif(explanation: Recording, path: str | os.PathLike[str], seconds: float, theme: str) -> Path:
    """Writes the frames as a GIF that begins again at its end; see `Explanation.gif`."""
    seconds = _checked(seconds)
    if find_spec("PIL") is None:
        raise DrawingError(
            "a GIF needs the package Pillow, and it is not here: run `pip install scalar-autograd[film]`"
        )
    first, *others = _with_one_palette(contents(explanation, "png", theme))
    film = _saved(first, "GIF", save_all=True, append_images=others, duration=round(1000 * seconds), loop=0)
    return write_atomically(path, film)


def _with_one_palette(pictures: Sequence[bytes]) -> list[Any]:
    """The pictures with the same 256 colours: then a film stores only what differs from frame to frame."""
    pillow = import_module("PIL.Image")
    images = [pillow.open(BytesIO(picture)).convert("RGB") for picture in pictures]
    counts: Counter[tuple[int, ...]] = Counter()
    for k in {quarter * (len(images) - 1) // 4 for quarter in range(5)}:  # a few tell enough, and counting is slow
        counts.update({colour: count for count, colour in images[k].getcolors(1 << 24)})
    # Of colours that look alike the most frequent one, so that those of the theme stay exactly as they are.
    distinct: dict[tuple[int, ...], tuple[int, ...]] = {}
    for colour, _ in counts.most_common():
        distinct.setdefault(tuple(part >> 3 for part in colour), colour)
    palette = pillow.new("P", (1, 1))
    palette.putpalette([part for colour in list(distinct.values())[:256] for part in colour])
    return [image.quantize(palette=palette, dither=0) for image in images]


def _saved(image: Any, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def mp4(explanation: Recording, path: str | os.PathLike[str], seconds: float, theme: str) -> Path:
    """Writes the frames as a film, H.264 in an MP4; see `Explanation.mp4`."""
    seconds, program = _checked(seconds), _ffmpeg()
    images = contents(explanation, "png", theme)
    # What every player knows: some pictures a second, even sides, half the resolution for colours, the index in front.
    look = f"fps={max(4.0, 1 / seconds):.6f},pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white,format=yuv420p"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        command = [program, "-v", "error", "-f", "image2pipe", "-framerate", f"{1 / seconds:.6f}", "-c:v", "png"]
        command += ["-i", "-", "-vf", look, "-c:v", "libx264", "-tune", "stillimage"]
        # A third of the time of the usual preset, and a smaller file where little moves.
        command += ["-preset", "veryfast", "-movflags", "+faststart", str(film)]
        result = subprocess.run(command, input=b"".join(images), capture_output=True, check=False)
        if result.returncode or not film.exists():
            last = (result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no output"])[-1]
            raise DrawingError(f"ffmpeg could not make the film; it says: {last}; try .gif(path)")
        return write_atomically(path, film.read_bytes())


def _checked(seconds: float) -> float:
    """The seconds that a step is seen, as a number."""
    seconds = as_float(seconds, "seconds")
    if not 0.02 <= seconds <= 60.0:
        raise ValueError(f"seconds takes how long each step is seen, from 0.02 to 60; got {seconds!r}")
    return seconds


def _ffmpeg() -> str:
    """The program ffmpeg: the one on the PATH, or that of imageio-ffmpeg."""
    if (program := shutil.which("ffmpeg")) is not None:
        return program
    if find_spec("imageio_ffmpeg") is None:
        raise DrawingError("an MP4 needs ffmpeg, and there is none here: run `pip install scalar-autograd[film]`")
    return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
