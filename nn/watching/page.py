"""How does a page of this package come about? A picture and a sentence, which a packed script turns into the page."""

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from autograd.drawing.page import UNPACK, for_json
from autograd.drawing.scripts import resource, stripped
from autograd.drawing.svg import data_url
from autograd.drawing.theme import stylesheet

CORE = ("nn/watching/random.js", "nn/watching/network.js", "nn/watching/training.js")
"""The files that compute; a page names those that show it after them."""

DRAWING = ("autograd/numbers.js", "autograd/theme.js")
"""The stepper's files that every page needs."""


def source(name: str) -> str:
    """The text of a file in one of the folders `page/`: "autograd/theme.js", "nn/watching/network.js".

    >>> "makeRandom" in source("nn/watching/random.js")
    True
    """
    if name.startswith("autograd/"):
        return resource(name.removeprefix("autograd/"))
    package, _, file = name.rpartition("/")
    return (files(package.replace("/", ".")) / "page" / file).read_text(encoding="utf-8")


def fragment(kind: str, picture: str, sentence: str, constants: Mapping[str, str], scripts: Sequence[str]) -> str:
    """A page as a piece of HTML for a notebook.

    Arguments:
        kind: "playground" or "film": the script looks for `data-nn-KIND`.
        picture: what is seen where no script runs, as SVG; "" for none.
        sentence: what it is, in words.
        constants: what the scripts know by name, as JavaScript. NAME is added: what the host is called.
        scripts: the files, in the order in which they stand in the page.
    """
    lines = [f"const {name} = {value};" for name, value in constants.items()]
    body = "\n".join(['(() => {\n"use strict";', 'const NAME = "PAGE_NAME";', *lines, *map(_script, scripts), "})();"])
    name = hashlib.sha256((picture + body).encode("utf-8")).hexdigest()[:12]
    packed = base64.b64encode(zlib.compress(body.replace("PAGE_NAME", name).encode("utf-8"), 9)).decode("ascii")
    alt = html.escape(sentence, quote=True)
    image = f'<img alt="{alt}" src="{html.escape(data_url(picture))}" style="max-width:100%">' if picture else ""
    return (
        f'<div class="nn-{kind}" data-nn-{kind}="{name}" data-lm-suppress-shortcuts="true">{image}'
        f'<p class="fallback">{html.escape(sentence)}</p></div><script>{UNPACK.replace("PACKED", packed)}</script>'
    )


def _script(name: str) -> str:
    return stripped(source(name))


def page(kind: str, title: str, theme: str, content: str) -> str:
    """One HTML file that needs no kernel and no network, around a fragment."""
    look = "light dark" if theme == "auto" else theme
    parts = {"PAGE_TITLE": html.escape(title), "PAGE_THEME": look, "PAGE_CONTENT": content}
    text = re.sub("|".join(parts), lambda found: parts[found[0]], resource("page.html"))
    return text.replace('data-page="stepper"', f'data-page="{kind}"')


def as_json(x: Any) -> str:
    """JSON as JavaScript: numbers that JSON does not have are texts, and no text can end the script."""
    return json.dumps(for_json(x), ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def style_constants(*names: str) -> dict[str, str]:
    """STYLE, the style sheets of these names one after the other, and THEMES, the colours of both themes."""
    return {
        "STYLE": json.dumps("\n".join(stripped(source(name)) for name in names)),
        "THEMES": json.dumps({theme: stylesheet(theme) for theme in ("light", "dark")}),
    }
