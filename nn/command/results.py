"""How good is a model? Its accuracy or error in words, a line for each class, and images in characters."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from autograd.terminal import aligned, cut, say, wrapped
from nn.command.trained import Trained
from nn.datasets.dataset import counted
from nn.metrics import confusion_matrix, largest, mean_absolute_error, probabilities, r2_score

SHADES = " .:-=+*#%@"
WAYS_OUT = "try more rows, other columns, or another learning rate (--lr)"
MOST_CLASSES = 20
"""A table of more classes shows those that are read worst."""


def results(
    trained: Trained, X: Any, y: list[Any], part: str = "test", where: Callable[[int], str] | None = None
) -> None:
    """Prints how good the model is on examples that it has not learned from.

    Arguments:
        trained: the model.
        X, y: the examples, and their classes or quantities.
        part: what the examples are called.
        where: says where an example stands, if there is an error to tell of it.
    """
    outputs = trained.outputs(X, where)
    target = trained.target
    if target is None or not target.classes:
        for line in error_in_words(outputs, y, part):
            say(wrapped(line))
        return
    names = list(map(str, target.classes))
    chosen = [largest(row) for row in outputs]
    right = sum(c == t for c, t in zip(chosen, y, strict=True))
    say(f"{part} accuracy {percent(right, len(y))}".strip())
    often = max(range(len(names)), key=y.count)
    if right <= y.count(often):
        better = percent(y.count(often), len(y))
        say(wrapped(f"Always answering {names[often]!r} is as good, {better}: {WAYS_OUT}."))
    if trained.digits:
        say(wrapped(f"confusions: {confusions(y, chosen, names)}"))
        say("\nSome of the test images, misread ones first:\n")
        say(some_images(X, y, outputs))
        return
    say()
    say(class_table(chosen, y, names))


def error_in_words(outputs: list[float], y: list[float], part: str) -> list[str]:
    """How far the predicted quantities are from the true ones.

    >>> error_in_words([1.0, 2.0], [1.0, 3.0], "test")
    ['test error 0.5 on average; R squared 0.500 (2 rows)']
    """
    explained = r2_score(outputs, y)
    rows = counted(len(y), "row")
    mean = f"{mean_absolute_error(outputs, y):.4g}"
    share = f"{explained:.3f}" if explained > -1000.0 else f"{explained:.3g}"
    lines = [f"{part} error {mean} on average; R squared {share} ({rows})".strip()]
    if explained <= 0.0:
        lines.append(f"Always answering the mean is as good: {WAYS_OUT}.")
    return lines


def class_table(chosen: list[int], y: list[int], names: list[str]) -> str:
    """A line for each class that occurs: how often it is right when it is predicted, and when it is true.

    >>> print(class_table([0, 1, 1, 1], [0, 0, 1, 1], ["no", "yes"]))
    class  rows   recall  precision  read as
    -------------------------------------------
    no        2   50.0 %    100.0 %  yes (once)
    yes       2  100.0 %     66.7 %
    """
    counts = confusion_matrix(chosen, y, labels=list(range(len(names))))
    taken = [sum(row[k] for row in counts) for k in range(len(names))]
    order = [k for k in range(len(names)) if sum(counts[k])]
    if len(order) > MOST_CLASSES:
        order = sorted(order, key=lambda k: counts[k][k] / sum(counts[k]))[:MOST_CLASSES]
    rows = [
        [
            cut(names[k], 24),
            f"{sum(counts[k]):,}",
            share(counts[k][k], sum(counts[k])),
            share(counts[k][k], taken[k]),
            cut(misread(counts[k], k, names), 30),
        ]
        for k in order
    ]
    head, *lines = aligned([["class", "rows", "recall", "precision", "read as"], *rows], (0, 4))
    others = sum(map(any, counts)) - len(order)
    note = [f"and {others} more {'class' if others == 1 else 'classes'}, read no worse"] * (others > 0)
    return "\n".join([head, "-" * max(map(len, [head, *lines])), *lines, *note])


def share(part: float, whole: float) -> str:
    """A share in per cent; nothing where there is no whole."""
    return f"{100.0 * part / whole:.1f} %" if whole else "-"


def misread(counts: Sequence[float], true: int, names: Sequence[str], most: int = 2) -> str:
    """What the examples of a class are taken for, the most frequent first."""
    wrong = sorted((k for k in range(len(names)) if k != true and counts[k]), key=lambda k: -counts[k])
    return ", ".join(f"{names[k]} ({times(int(counts[k]))})" for k in wrong[:most]) + ", ..." * (len(wrong) > most)


def some_images(X: Any, y: list[int], outputs: list[list[float]]) -> str:
    """Up to two images that are read wrongly, and others that are read rightly, four in all."""
    names = [str(n) for n in range(10)]
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
    chances = probabilities(outputs)
    ranked = sorted(range(len(names)), key=lambda k: -chances[k])[:most]
    width = max(len(names[k]) for k in ranked)
    return [f"{names[k]:<{width}} {100.0 * chances[k]:5.1f} %" for k in ranked]
