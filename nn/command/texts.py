"""What does `python -m nn gpt` learn from? The names of cities, or the lines of a file; a part is held out."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

from autograd.reals import shown
from autograd.terminal import WIDTH, cut, say
from nn.datasets import load_city_names, load_lines
from nn.datasets.dataset import counted

MOST_HELD_OUT = 500
"""So many tell the validation loss to some 0.02; the eager engine takes 15 s for them, ten times in a run."""
EXAMPLES = 3
"""So many texts are shown."""
LONGEST_SHOWN = 20


@dataclass(frozen=True)
class Texts:
    """What there is to learn from.

    Arguments:
        learned, held_out: the texts.
        noun: what one of them is called, "city" or "text".
        about: lines that say what all of it is.
    """

    learned: list[str]
    held_out: list[str]
    noun: str
    about: list[str]

    @property
    def nouns(self) -> str:
        """What several are called."""
        return "cities" if self.noun == "city" else "texts"

    @property
    def all(self) -> list[str]:
        """Those that are learned from, and those that are held out."""
        return [*self.learned, *self.held_out]


def load_texts(options: argparse.Namespace) -> Texts:
    """The names of cities, or the lines of the file that the options name."""
    given = load_city_names() if options.data is None else load_lines(options.data)
    texts = list(dict.fromkeys(given))  # what is learned and held out would be known by heart
    if len(texts) < 2:
        raise ValueError(
            f"{options.data} has one text only, and two are the least, one to learn from and one to hold out: write "
            f"one on each line"
        )
    noun = "city" if options.data is None else "text"
    shuffled = Random(options.seed).sample(texts, len(texts))
    count = min(max(1, round(len(texts) / 10)), MOST_HELD_OUT)
    learned, held_out = shuffled[count:], shuffled[:count]
    characters = len(set("".join(texts)))
    source = "Names of cities, from the time zone database" if options.data is None else options.data
    about = [
        f"{source}: {len(texts):,} of {lengths(texts)}, such as {some_of(learned)}; {len(learned):,} to learn from, "
        f"{len(held_out):,} held out to validate. {counted(characters, 'character')} in all."
    ]
    again = len(given) - len(texts)
    if again:
        about.append(f"{counted(again, 'line')} that {'was' if again == 1 else 'were'} there already left out.")
    return Texts(learned, held_out, noun, [*about, *cut_remark(texts, options.block_size)])


def lengths(texts: Sequence[str]) -> str:
    """How long the texts are.

    >>> lengths(["Oslo", "Bergen"]), lengths(["Oslo", "Rome"])
    ('4 to 6 characters', '4 characters')
    """
    least, most = min(map(len, texts)), max(map(len, texts))
    return counted(most, "character") if least == most else f"{least:,} to {most:,} characters"


def some_of(texts: Sequence[str]) -> str:
    """The first texts, in words."""
    *first, last = [cut(text, LONGEST_SHOWN) for text in texts[:EXAMPLES]]
    return f"{', '.join(first)} and {last}" if first else last


def cut_remark(texts: Sequence[str], block_size: int) -> list[str]:
    """Which texts do not fit into the positions; the first one is for the token that begins a text."""
    longer = [text for text in texts if len(text) >= block_size]
    if not longer:
        return []
    room = counted(block_size, "position") + f" ({counted(block_size - 1, 'character')} and the end)"
    enough = f"--block-size {max(map(len, texts)) + 1} takes all of them whole"
    long = "1 text is" if len(longer) == 1 else f"{len(longer):,} texts are"
    return [f"{long} cut to {room}: {enough}."]


def show_generated(generated: Sequence[str], known: Collection[str]) -> None:
    """Prints texts in columns, with a star before those that are known.

    Arguments:
        generated: the texts.
        known: those that were learned from.
    """
    marked = [f"{'*' if text in known else ' '} {shown_text(text)}" for text in generated]
    width = max(map(len, marked)) + 2
    across = max(1, min(5, WIDTH // width))
    for start in range(0, len(marked), across):
        say("".join(f"{text:<{width}}" for text in marked[start : start + across]).rstrip())


def shown_text(text: str) -> str:
    """A text, so that it is seen even if there is none."""
    return text or shown(text)
