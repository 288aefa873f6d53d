"""How do the scripts in `page/` come into a page? Without comments and indentation, in a function of their own."""

import re
from collections.abc import Iterable
from importlib.resources import files

COMMENT = re.compile(r"\s+// [^\"'`]*$")
"""A comment at the end of a line; without quotes, so that it is no part of a string."""


def resource(name: str) -> str:
    """The text of a file in `page/`."""
    return (files("autograd.drawing") / "page" / name).read_text(encoding="utf-8")


def stripped(text: str) -> str:
    """The lines without their indentation and their comments.

    >>> stripped("// why\\n  f(); // how\\n")
    'f();'
    """
    lines = (COMMENT.sub("", line.strip()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def function_of(files: Iterable[str], constants: Iterable[str] = ()) -> str:
    """A script that runs these files in a scope of its own, after declarations of constants."""
    body = [*constants, *(stripped(resource(file)) for file in files)]
    return "\n".join(['(() => {\n"use strict";', *body, "})();"])
