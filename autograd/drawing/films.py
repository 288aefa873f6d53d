"""How do pictures of one size become a film? A GIF, by Pillow, or an MP4, by ffmpeg.

ffmpeg is the one on the PATH, or the one that the package imageio-ffmpeg brings along. `frames.py` films the steps of
an explanation so, and `nn.film` a training run.
"""

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from autograd.drawing.engine import DrawingError

LAST_STAYS = 2.0
"""Seconds that the last picture of a GIF is seen longer, or it would begin again before the end is read."""


def check_pillow(instead: str) -> None:
    """Raises DrawingError if there is no Pillow; the sentence ends with what to use instead."""
    if find_spec("PIL") is None:
        raise DrawingError(
            f"a GIF needs the package Pillow, and it is not here: run `pip install pillow`, or use {instead}"
        )


def ffmpeg() -> str:
    """The program ffmpeg: the one on the PATH, or that of imageio-ffmpeg.

    Raises:
        DrawingError: there is none.
    """
    if (program := shutil.which("ffmpeg")) is not None:
        return program
    if find_spec("imageio_ffmpeg") is None:
        raise DrawingError(
            "an MP4 needs ffmpeg, and there is none here: run `pip install imageio-ffmpeg`, or use .gif(path)"
        )
    return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())


def gif_of(pictures: Sequence[bytes], seconds: float) -> bytes:
    """A GIF that begins again at its end.

    Arguments:
        pictures: PNGs of one size.
        seconds: how long each is seen; the last one LAST_STAYS longer.
    """
    first, *others = with_one_palette(pictures)
    times = [round(1000 * seconds)] * len(others)
    times.append(round(1000 * (seconds + LAST_STAYS)))
    return saved(first, "GIF", save_all=True, append_images=others, duration=times, loop=0)


def with_one_palette(pictures: Sequence[bytes]) -> list[Any]:
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


def saved(image: Any, format: str, **options: Any) -> bytes:
    """An image of Pillow's as a file."""
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def mp4_of(pictures: Sequence[bytes], seconds: float, program: str) -> bytes:
    """A film in H.264.

    Arguments:
        pictures: PNGs of one size.
        seconds: how long each is seen.
        program: ffmpeg.

    Raises:
        DrawingError: ffmpeg fails; the error has its last line.
    """
    # What every player knows: some pictures a second, even sides, half the resolution for colours, the index in front.
    look = f"fps={max(4.0, 1 / seconds):.6f},pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white,format=yuv420p"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        command = [program, "-v", "error", "-f", "image2pipe", "-framerate", f"{1 / seconds:.6f}", "-c:v", "png"]
        command += ["-i", "-", "-vf", look, "-c:v", "libx264", "-tune", "stillimage"]
        # A third of the time of the usual preset, and a smaller file where little moves.
        command += ["-preset", "veryfast", "-movflags", "+faststart", str(film)]
        result = subprocess.run(command, input=b"".join(pictures), capture_output=True, check=False)
        if result.returncode or not film.exists():
            last = (result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no output"])[-1]
            raise DrawingError(f"ffmpeg could not make the film; it says: {last}; try .gif(path)")
        return film.read_bytes()
