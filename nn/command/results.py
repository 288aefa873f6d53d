"""How good is a model? Its accuracy or error in words, its confusions, and images in characters."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd import softmax
from autograd.terminal import say, wrapped
from nn.command.data import is_classification
from nn.datasets import Dataset
from nn.datasets.dataset import counted
from nn.metrics import largest
from nn.module import Module
from nn.training.predict import predict

SHADES = " .:-=+*#%@"


def results(model: Module, data: Dataset, X: list[list[float]], y: list[Any]) -> None:
    """Prints how good the model is on examples that it has not learned from."""
    outputs = predict(model, X)
    if not is_classification(data):
        say(wrapped(error_in_words(outputs, y)))
        return
    names = list(map(str, data.target_names))
    chosen = [largest(row) for row in outputs]
    right = sum(c == t for c, t in zip(chosen, y, strict=True))
    say(f"test accuracy {percent(right, len(y))}")
    if right <= max(map(y.count, range(len(names)))):
        say("That is no better than always answering the same: try another learning rate (--lr).")
    say(wrapped(f"confusions: {confusions(y, chosen, names)}"))
    if len(X[0]) == 64 and names == [str(n) for n in range(10)]:
        say("\nSome of the test images, misread ones first:\n")
        say(some_images(X, y, outputs, names))


def error_in_words(outputs: list[float], y: list[float]) -> str:
    """How far the predicted quantities are from the true ones."""
    errors = [abs(p - t) for p, t in zip(outputs, y, strict=True)]
    mean = sum(y) / len(y)
    spread = sum((t - mean) * (t - mean) for t in y)
    explained = 1.0 - sum(e * e for e in errors) / spread if spread else float("nan")
    return f"test error {sum(errors) / len(errors):.4g} on average; R squared {explained:.3f} ({len(y)} rows)"


def some_images(X: list[list[float]], y: list[int], outputs: list[list[float]], names: list[str]) -> str:
    """Up to two images that are read wrongly, and others that are read rightly, four in all."""
    chosen = [largest(row) for row in outputs]
    wrong = [i for i in range(len(X)) if chosen[i] != y[i]][:2]
    shown = wrong + [i for i in range(len(X)) if chosen[i] == y[i]][: 4 - len(wrong)]
    captions = [[f"{names[y[i]]}, read as {names[chosen[i]]}", *probability_lines(outputs[i], names)] for i in shown]
    return gallery([X[i] for i in shown], captions)


def percent(right: int, total: int) -> str:
    """A share in words.

    >>> percent(350, 360)
    '97.2 % (350 of 360)'
    """
    return f"{100.0 * right / total:.1f} % ({right} of {total})"


def confusions(truth: Sequence[int], chosen: Sequence[int], names: Sequence[str], most: int = 5) -> str:
    """Which classes are taken for which, the most frequent first.

    >>> confusions([8, 8, 9, 3], [1, 1, 4, 3], [str(n) for n in range(10)])
    '8 read as 1 (2 times), 9 read as 4 (once)'
    """
    counts = Counter((t, c) for t, c in zip(truth, chosen, strict=True) if t != c)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [f"{names[t]} read as {names[c]} ({times(n)})" for (t, c), n in ranked[:most]]
    if len(ranked) > most:
        words.append(f"and {counted(len(ranked) - most, 'other pair')}")
    return ", ".join(words) or "none"


def times(n: int) -> str:
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
    probabilities = softmax(outputs)
    ranked = sorted(range(len(names)), key=lambda k: -probabilities[k])[:most]
    width = max(len(names[k]) for k in ranked)
    return [f"{names[k]:<{width}} {100.0 * probabilities[k]:5.1f} %" for k in ranked]
