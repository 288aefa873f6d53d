"""How is a user's text shown so that nothing in it steers a terminal, a picture or a page?"""

JOINERS = "\u200d\ufe0f"  # they join emoji, and do nothing else


def visible(text: str, kept: str = "") -> str:
    """The text with control and direction characters, lone surrogates and the like written as escapes.

    Arguments:
        text: anything.
        kept: characters that stay as they are, such as a line break.

    >>> print(visible("\\x1b[31mred\\u202e"))
    \\x1b[31mred\\u202e
    """
    return "".join(c if c.isprintable() or c in kept or c in JOINERS else repr(c)[1:-1] for c in text)
