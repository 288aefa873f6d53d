"""How do numbers on a grid become a picture? As a small PNG of few colours, and as the line where they change sign."""

import base64
import struct
import zlib
from collections.abc import Sequence

Colour = tuple[str, float]
"""#rrggbb, and how much it covers what is below: 0.0 is transparent."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(levels: Sequence[Sequence[int]], palette: Sequence[Colour]) -> str:
    """An image as a data URL.

    Arguments:
        levels: rows from top to bottom, of places in the palette.
        palette: at most 256 colours.

    >>> png([[0, 1]], [("#ff0000", 1.0), ("#0000ff", 0.5)])[:40]
    'data:image/png;base64,iVBORw0KGgoAAAANSU'
    """
    size = struct.pack(">IIBBBBB", len(levels[0]), len(levels), 8, 3, 0, 0, 0)  # 8 bits a pixel, with a palette
    colours = b"".join(bytes.fromhex(colour[1:]) for colour, _ in palette)
    opacities = bytes(round(255 * opacity) for _, opacity in palette)
    rows = zlib.compress(b"".join(b"\0" + bytes(row) for row in levels), 9)
    parts = [(b"IHDR", size), (b"PLTE", colours), (b"tRNS", opacities), (b"IDAT", rows), (b"IEND", b"")]
    data = SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def levels_of(numbers: Sequence[float], across: int, scale: float, steps: int) -> list[list[int]]:
    """Numbers from -scale to scale as places from 1 to 2 * steps + 1, and 0 for what is no number.

    Arguments:
        numbers: row by row, from bottom to top.
        across: how many make a row.

    Returns:
        the rows from top to bottom.

    >>> levels_of([-1.0, 0.0, 9.0, float("nan")], 2, 1.0, 3)
    [[7, 0], [1, 4]]
    """
    factor = steps / scale
    places = [int(max(-steps, min(steps, x * factor)) + steps + 1.5) if x == x else 0 for x in numbers]
    return [places[i : i + across] for i in range(len(places) - across, -1, -across)]


def contour(numbers: Sequence[float], across: int, left: float, bottom: float, size: float) -> str:
    """The line where numbers on a square grid change their sign, as the `d` of an SVG path; "" if they do not.

    Arguments:
        numbers: row by row, from bottom to top, at the middles of the cells of a square.
        across: how many make a row.
        left, bottom, size: where the square stands.

    >>> contour([-1.0, 1.0, -1.0, 1.0], 2, 0.0, 100.0, 100.0)
    'M50,75l0,-50'
    """
    step = size / across
    found = []
    for i in range(len(numbers) // across - 1):
        row = numbers[i * across : (i + 1) * across]
        above = numbers[(i + 1) * across : (i + 2) * across]
        signs = [x > 0.0 for x in row], [x > 0.0 for x in above]
        for j in range(across - 1):
            if signs[0][j] == signs[0][j + 1] == signs[1][j] == signs[1][j + 1]:
                continue  # most cells
            corners = row[j], row[j + 1], above[j + 1], above[j]
            ends = _crossings(corners)
            points = [(left + (j + 0.5 + x) * step, bottom - (i + 0.5 + y) * step) for x, y in ends]
            for (a, b), (c, d) in zip(points[::2], points[1::2], strict=False):
                found.append(f"M{a:.4g},{b:.4g}l{c - a:.2g},{d - b:.2g}")  # relative: a fifth shorter
    return "".join(found)


CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _crossings(corners: Sequence[float]) -> list[tuple[float, float]]:
    """Where the sides of a cell are crossed, from its lower left corner around: two or four points, or none."""
    found = []
    for k, start in enumerate(corners):
        end = corners[(k + 1) % 4]
        if not abs(end - start) < float("inf"):  # nan or inf: there is no line
            return []
        if (start > 0.0) != (end > 0.0):
            share = start / (start - end)
            (x, y), (u, v) = CORNERS[k], CORNERS[(k + 1) % 4]
            found.append((x + (u - x) * share, y + (v - y) * share))
    return found
