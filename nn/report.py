"""How are results shown in a terminal? Confusions in words, images in characters, at most 80 columns wide."""

import sys
import textwrap
from collections import Counter
from collections.abc import Sequence

import autograd
from nn.datasets.dataset import counted

SHADES = " .:-=+*#%@"


def percent(right: int, total: int) -> str:
    """A share in words.

    >>> percent(350, 360)
    '97.2 % (350 of 360)'
    """
    return f"{100.0 * right / total:.1f} % ({right} of {total})"


def largest(numbers: Sequence[float]) -> int:
    """The place of the largest number: the class that a model chooses.

    >>> largest([0.1, 0.7, 0.2])
    1
    """
    return max(range(len(numbers)), key=lambda i: numbers[i])


def confusions(truth: Sequence[int], chosen: Sequence[int], names: Sequence[str], most: int = 5) -> str:
    """Which classes are taken for which, the most frequent first.

    >>> confusions([8, 8, 9, 3], [1, 1, 4, 3], [str(n) for n in range(10)])
    '8 read as 1 (2 times), 9 read as 4 (once)'
    """
    counts = Counter((t, c) for t, c in zip(truth, chosen, strict=True) if t != c)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [f"{names[t]} read as {names[c]} ({_times(n)})" for (t, c), n in ranked[:most]]
    if len(ranked) > most:
        words.append(f"and {counted(len(ranked) - most, 'other pair')}")
    return ", ".join(words) or "none"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def gallery(images: Sequence[Sequence[float]], captions: Sequence[Sequence[str]], width: int = 8) -> str:
    """Images side by side, each pixel two characters wide, with lines of text below each.

    Arguments:
        images: rows of numbers from 0 (blank) to 1.
        captions: the lines of text for each image.
        width: how many pixels make a line of an image.

    >>> print(gallery([[0.0, 1.0, 1.0, 0.0]], [["a cross"]], width=2))
      @@
    @@
    a cross
    """
    columns = []
    for image, lines in zip(images, captions, strict=True):
        pixels = [SHADES[min(9, max(0, round(9 * p)))] * 2 for p in image]
        columns.append(["".join(pixels[i : i + width]) for i in range(0, len(pixels), width)] + list(lines))
    height = max(map(len, columns), default=0)
    padded = [column + [""] * (height - len(column)) for column in columns]
    return "\n".join(
        "   ".join(f"{line:<{2 * width}}" for line in lines).rstrip() for lines in zip(*padded, strict=True)
    )


def probability_lines(outputs: Sequence[float], names: Sequence[str], most: int = 3) -> list[str]:
    """The most probable classes with their probabilities, a line each.

    >>> probability_lines([0.0, 1.0], ["no", "yes"])
    ['yes  73.1 %', 'no   26.9 %']
    """
    probabilities = autograd.softmax(outputs)
    ranked = sorted(range(len(names)), key=lambda k: -probabilities[k])[:most]
    width = max(len(names[k]) for k in ranked)
    return [f"{names[k]:<{width}} {100.0 * probabilities[k]:5.1f} %" for k in ranked]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table under a rule: the first `left` columns to the left, the others to the right.

    >>> print(table(["layer", "gradient"], [["layers.0", "0.5"], ["layers.1", "0.25"]]))
    layer     gradient
    ------------------
    layers.0       0.5
    layers.1      0.25
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            f"{cell:{'<' if i < left else '>'}{width}}" for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, *rows)
    ]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


def wrapped(text: str, indent: str = "") -> str:
    """The text on lines of at most 80 columns, all but the first indented.

    >>> print(wrapped("one two " * 12, indent="  "))
    one two one two one two one two one two one two one two one two one two one two
      one two one two
    """
    return textwrap.fill(text, 80, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def encodable(text: str) -> str:
    """The text without characters that the terminal cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
