"""Does every link of a site lead somewhere, and does no page load anything from elsewhere?

`problems(folder)` reads all pages and style sheets: what `href`, `src` and their like name has to be there, with the
fragment if there is one. What a page *loads* (pictures, scripts, styles, frames) must not stand on another server; what
a reader may *press* may lead anywhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"src", "srcset", "poster", "data", "background"}
LINKS_THAT_LOAD = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "prefetch", "apple-touch-icon"}
IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+)["']?(?!data:|#)([^"')\s]+)""")


@dataclass
class Page(HTMLParser):
    """The references and the anchors of a page: `loads` and `leads`, each as written."""

    loads: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.inside = tag
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self.loads += IN_STYLES.findall(given.get("style", ""))
        for name, value in given.items():
            if name == "srcset":
                self.loads += [part.split()[0] for part in value.split(",") if part.strip()]
            elif name in LOADED and tag != "input":
                self.loads.append(value)
            elif name in {"href", "xlink:href"}:
                loading = tag in {"image", "use"} or LINKS_THAT_LOAD & set(given.get("rel", "").split())
                (self.loads if loading else self.leads).append(value)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.loads += IN_STYLES.findall(data)


@cache
def read(path: Path) -> Page:
    """The references of a page or a style sheet."""
    text = path.read_text(encoding="utf-8")
    page = Page()
    if path.suffix == ".css":
        page.loads = IN_STYLES.findall(text)
    else:
        page.feed(text)
    return page


def problems(folder: Path) -> list[str]:
    """A sentence for each link that leads nowhere, and for each thing that is loaded from elsewhere."""
    read.cache_clear()
    pages = sorted(path for ending in ("html", "css") for path in folder.rglob(f"*.{ending}"))
    return [problem for path in pages for problem in _problems_of(path, folder.resolve())]


def _problems_of(path: Path, folder: Path) -> Iterator[str]:
    page, here = read(path), path.resolve().relative_to(folder)
    for link in dict.fromkeys(page.loads):
        if urlsplit(link).scheme in {"http", "https"} or link.startswith("//"):
            yield f"{here} loads {link} from elsewhere: bring it along"
    for link in dict.fromkeys([*page.loads, *page.leads]):
        parts = urlsplit(link)
        if not link or parts.scheme or parts.netloc:
            continue
        if parts.path.startswith("/"):
            yield f"{here} refers to {link}, which works at the root of a server only: make it relative"
            continue
        target = (path.resolve().parent / unquote(parts.path)) if parts.path else path.resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"{here} refers to {link}, which is not there"
        elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
            yield f"{here} refers to {link}, and that page has no such place"
