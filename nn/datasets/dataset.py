"""What is a data set?  Rows of numbers, a target for each row, and the names of both.

`digits.py` and `csv_files.py` make them; `split.py` divides them.
"""

from collections.abc import Collection
from itertools import islice
from typing import Any, NamedTuple


class Dataset(NamedTuple):
    """Rows of numbers with their targets, the names of both, and a word on where they come from.

    It is a tuple: `X, y = dataset[:2]` works as well as `dataset.X` and `dataset.y`.

    Arguments:
        X: one list of floats for each sample.
        y: one target for each sample: ints for classes, floats for a quantity;
            empty where no target is known.
        feature_names: the name of each column of `X`.
        target_names: the name of class 0, 1, ...; empty where `y` holds numbers of its own.
        description: what the data are and where they come from.

    Example:
        >>> Dataset([[5.0], [8.0]], [0, 1], ["height"], ["short", "tall"], "two towers")
        <Dataset: 2 samples, 1 feature, 2 classes: two towers>
    """

    X: list[list[float]]
    y: list[Any]
    feature_names: list[str]
    target_names: list[str]
    description: str

    # The default would print every number: 115,008 of them for the digits.
    def __repr__(self) -> str:
        sizes = [counted(len(self.X), "sample"), counted(len(self.feature_names), "feature")]
        if self.target_names:
            sizes.append(counted(len(self.target_names), "class", "classes"))
        elif not self.y:
            sizes.append("no targets")
        title = self.description.partition("\n")[0]
        return f"<Dataset: {', '.join(sizes)}: {title}>"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun, as a sentence wants it.

    Arguments:
        count: how many.
        noun: the word for one.
        plural: the word for several; the noun with an s when left out.

    Returns:
        For instance "1 row" or "3 rows".

    Example:
        >>> counted(1, "row"), counted(3, "row"), counted(2, "class", "classes")
        ('1 row', '3 rows', '2 classes')
    """
    word = noun if count == 1 else plural or f"{noun}s"
    return f"{count} {word}"


def first_ones(words: Collection[Any], most: int = 20) -> str:
    """Words for a sentence: the first ones, and dots if there are more.

    Example:
        >>> first_ones(["a", "b", "c"], most=2)
        'a, b, ...'
    """
    return ", ".join(map(str, islice(words, most))) + ", ..." * (len(words) > most)
