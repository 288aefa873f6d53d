"""What may a teacher require of an engine, and does a report show that it is there and right?"""

import difflib
from collections.abc import Sequence

from autograd.command_line import CommandError
from autograd.reals import shown
from autograd.testing.engines.forms import METHODS
from autograd.testing.engines.report import Claim
from autograd.testing.offers import OPERATORS, OTHER_NAMES

TOPICS = {
    "construction": ("construction", "Value(2.0) has data 2.0 and grad 0"),
    "plain": ("plain numbers", "1 + x, x * 2, sum(): plain numbers beside Values"),
    "chain": ("chain rule", "an operation multiplies by the gradient that reaches it"),
    "accumulation": ("accumulation", "values that are used more than once"),
    "twice": ("backward", "a second backward() adds the same again"),
    "zero_grad": ("backward", "zero_grad() starts afresh"),
    "special": ("special points", "kinks, 0 ** 0, the edges of domains"),
    "size": ("size", "graphs of 10,000 operations, and of many paths"),
}
"""Each with where its claims stand in a report, and what they say."""
PASS = "pass"
"""What `backward()` does to a leaf, to data and to the grad that is there already: a part of "backward"."""
GROUPS = {
    "arithmetic": (("add", "sub", "mul", "div", "neg"), "x + y, x - y, x * y, x / y, -x"),
    "backward": ((PASS, "chain", "accumulation"), "right gradients of any graph"),
}
ALIASES = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "**": "pow",
    "power": "pow",
    "chain rule": "chain",
    "plain numbers": "plain",
    "special points": "special",
    **{other: name for name, others in OTHER_NAMES.items() for other in others},
}
OPERATIONS = (*OPERATORS, *METHODS)
NAMES = (*GROUPS, *TOPICS, *OPERATIONS)
ORDER = ("wrong", "left out", "missing", "right")
"""The worst first."""


def required(words: Sequence[str]) -> tuple[str, ...]:
    """The names in texts such as "arithmetic,tanh".

    Raises:
        CommandError: one is unknown.

    >>> required(["arithmetic,tanh", "+"])
    ('arithmetic', 'tanh', 'add')
    >>> required(["tahn"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd.command_line.CommandError: --require takes names such as arithmetic; got 'tahn': did you mean tan ...
    """
    names = [name.strip() for word in words for name in word.split(",") if name.strip()]
    return tuple(dict.fromkeys(_known(name) for name in names))


def _known(name: str) -> str:
    known = ALIASES.get(name, name).lower()
    if known in NAMES:
        return known
    close = difflib.get_close_matches(known, [*NAMES, *ALIASES], n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "--help lists them"
    raise CommandError(f"--require takes names such as arithmetic; got {shown(name)}: {hint}")


def standing(claims: Sequence[Claim], name: str) -> str:
    """Whether what is required is "right", "wrong", "missing", or was "left out"."""
    if name in GROUPS:
        return min((standing(claims, part) for part in GROUPS[name][0]), key=ORDER.index)
    own = [claim for claim in claims if _bears_on(claim, name)]
    verdicts = {claim.verdict for claim in own}
    if "wrong" in verdicts:
        return "wrong"
    needed = {TOPICS[name][0]} if name in TOPICS else {"backward"} if name == PASS else {"values", "derivatives"}
    if any(claim.verdict == "left out" and needed.intersection(claim.about) for claim in claims):
        return "left out"
    return "right" if "right" in verdicts else "missing"


def _bears_on(claim: Claim, name: str) -> bool:
    topic, _ = TOPICS.get(name, ("", ""))
    return name in claim.about or (claim.topic == topic and not claim.about)


def wrong_by_weight(claims: Sequence[Claim], names: Sequence[str]) -> list[Claim]:
    """The claims that are wrong among those that bear on what is required, the weightiest first.

    Without names all count. Last comes what backward() does a second time: nobody who builds a graph afresh meets it.
    """
    parts = [part for name in names for part in (GROUPS[name][0] if name in GROUPS else (name,))]
    wrong = [c for c in claims if c.verdict == "wrong" and (not names or any(_bears_on(c, part) for part in parts))]
    return sorted(wrong, key=lambda claim: "twice" in claim.about)
