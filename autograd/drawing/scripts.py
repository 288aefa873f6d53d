"""How do the scripts in `page/` come into a page? Without comments and indentation, in a function of their own."""

from collections.abc import Iterable
from importlib.resources import files


def resource(name: str) -> str:
    """The text of a file in `page/`."""
    return (files("autograd.drawing") / "page" / name).read_text(encoding="utf-8")


def stripped(text: str) -> str:
    """The lines without their indentation, and without those that are only a comment.

    >>> stripped("// why\\n  f();\\n")
    'f();'
    """
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def function_of(files: Iterable[str], constants: Iterable[str] = ()) -> str:
    """A script that runs these files in a scope of its own, after declarations of constants."""
    body = [*constants, *(stripped(resource(file)) for file in files)]
    return "\n".join(['(() => {\n"use strict";', *body, "})();"])
