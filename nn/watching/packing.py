"""How do the numbers of all moments fit into a page? In single precision, each as what it differs in from before.

Half of the 64 bits of a number are left out: what the page computes from the other half is right to seven digits. Of
two moments that follow each other the first bits of a number are mostly the same. So the bits are compared, and what
is left are many zeros, byte by byte, which the packing of the page makes small.
"""

import base64
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from nn.training.recording import Recording

MOST = 700_000
"""So many numbers a page has of all moments together, so that it stays under 5 MB."""

FEWEST = 2
LARGEST = 3.4e38
"""No number of single precision is larger."""


@dataclass(frozen=True)
class PackedMoments:
    """The numbers of the moments that a page shows.

    Attributes:
        places: which moments of the recording these are.
        count: how many numbers each has.
        numbers: all of them, as base64.
        note: what was left out, as a sentence; "" if nothing was.
    """

    places: list[int]
    count: int
    numbers: str
    note: str


def packed(recording: Recording, order: Sequence[int]) -> PackedMoments:
    """The numbers of the moments.

    Arguments:
        recording: has them.
        order: where in a moment the first number of the page is, the second, ...
    """
    moments, count = recording.moments, len(order)
    places = thinned(len(moments), max(FEWEST, MOST // max(1, count)))
    note = "" if len(places) == len(moments) else f"The page has {len(places)} of {len(moments)} moments."
    if count > MOST // FEWEST:
        return PackedMoments(places, 0, "", f"The model has {count:,} numbers, too many for a page. {note}".strip())
    parts, before = [], 0
    for place in places:
        numbers = moments[place].numbers
        now = int.from_bytes(_single(numbers[i] for i in order), "little")
        parts.append((now ^ before).to_bytes(4 * count, "little"))
        before = now
    whole = b"".join(parts)
    return PackedMoments(places, count, base64.b64encode(b"".join(whole[k::4] for k in range(4))).decode("ascii"), note)


def single(numbers: Sequence[float]) -> str:
    """Numbers in single precision, as base64: the first byte of each, then the second of each, ..."""
    whole = _single(numbers)
    return base64.b64encode(b"".join(whole[k::4] for k in range(4))).decode("ascii")


def _single(numbers: Iterable[float]) -> bytes:
    """Numbers in single precision, the lowest byte first. What is too large for it is infinite."""
    found = array("f", (x if abs(x) <= LARGEST else x * inf for x in numbers))
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def thinned(count: int, most: int) -> list[int]:
    """The places of at most so many of some moments, spread evenly, with the first and the last."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})
