"""Which name was probably meant? One question for all who are given a name: options, columns, losses, optimisers."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any


def did_you_mean(word: Any, names: Iterable[str], show: Callable[[str], str] = repr) -> str:
    """A word on the name that was probably meant, to stand behind the wrong one; "" if none is near.

    Near is what differs in upper and lower case, in a few characters, or what only begins so.

    Arguments:
        word: what was given.
        names: those there are.
        show: how a name is written.

    >>> did_you_mean("Adam", ["sgd", "adam"]), did_you_mean("acc", ["loss", "accuracy"])
    (" (did you mean 'adam'?)", " (did you mean 'accuracy'?)")
    >>> did_you_mean("--optimiser", ["--optimizer", "--loss"], show=str), did_you_mean("x", ["adam"])
    (' (did you mean --optimizer?)', '')
    """
    if not isinstance(word, str) or not word:
        return ""
    by_lower = {name.lower(): name for name in reversed(list(names))}  # the first one of a spelling
    begin_so = [name for name in by_lower if len(word) > 1 and name.startswith(word.lower())]
    close = get_close_matches(word.lower(), by_lower, n=1) or begin_so[-1:]
    return f" (did you mean {show(by_lower[close[0]])}?)" if close else ""
