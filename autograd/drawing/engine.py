"""Which Graphviz is here, and how is it asked?

`dot` is used where it is on the PATH. Otherwise the package pygraphviz carries an engine of its own; it runs in a
process of its own, so that neither its warnings about fonts nor a crash reach the user. Where Python runs in a web page
(Pyodide) there are no processes; there Graphviz in WebAssembly (`@viz-js/viz`) is used, if the page has an instance of
it under the global name `viz`. `layout.py` places boxes without any of these.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import graphviz

from autograd.reals import shown

FORMATS = ("svg", "png", "pdf", "eps", "ps", "jpg", "jpeg", "gif", "svgz", "json", "plain", "dot", "xdot")
"""The formats that both engines give. A `dot` on the machine may have more."""

_PROGRAM = """
import base64, json, sys
from pygraphviz import AGraph
sources, format, engine = json.load(sys.stdin)
for source in sources:
    print(base64.b64encode(AGraph(string=source).draw(format=format, prog=engine)).decode("ascii"))
"""
IMAGES = ("png", "pdf", "jpg", "jpeg", "gif")
"""Those that Graphviz in WebAssembly does not give: it writes texts."""
PATIENCE = 60.0
"""Seconds that a layout may take; after that the plain layout is used."""


class DrawingError(RuntimeError):
    """A picture could not be made."""


def has_dot() -> bool:
    """Whether Graphviz's own `dot` is on the PATH."""
    return shutil.which(graphviz.backend.DOT_BINARY) is not None


def checked_format(format: Any, what: str = "format") -> str:
    """The format in lower case, if the engine gives it; `what` begins the sentence of the errors.

    Raises:
        TypeError: it is no text.
        ValueError: the engine does not give it.

    >>> checked_format("SVG")
    'svg'
    """
    if not isinstance(format, str):
        raise TypeError(f'{what} takes a name such as "svg" or "png"; got {format!r} ({type(format).__name__})')
    name = format.lower()
    if name not in FORMATS and not (has_dot() and name in _formats_of_dot()):
        raise ValueError(f"{what} takes one of {', '.join(FORMATS)}; got {shown(format)}")
    return name


@cache
def _formats_of_dot() -> frozenset[str]:
    """What `dot` says of an unknown format: 'Format: "?" not recognized. Use one of: bmp canon ...'."""
    answer = subprocess.run([graphviz.backend.DOT_BINARY, "-T?"], capture_output=True, text=True, check=False)
    return frozenset(answer.stderr.rpartition(":")[2].split())


def render(sources: Sequence[str], format: str, engine: str = "nop2", patience: float | None = None) -> list[bytes]:
    """The pictures of DOT sources, all by one process, since starting one takes 0.15 s.

    Arguments:
        sources: graphs in the DOT language.
        format: "svg", "png", "pdf" ...
        engine: Graphviz's layout program. "nop2" takes boxes and lines where the source says they are.
        patience: seconds after which to give up; None to wait.

    Raises:
        DrawingError: there is no Graphviz, or it refuses a source, crashes, or takes too long.
    """
    if not sources:
        return []
    if sys.platform == "emscripten" and format.lower() in IMAGES:
        raise DrawingError(
            f"a picture as {format.lower()} cannot be made in a web page, where Graphviz writes texts only: "
            'use format="svg", which every browser shows and prints'
        )
    if (viz := _viz()) is not None:
        return [_render_in_page(viz, source, format, engine) for source in sources]
    try:
        if has_dot():
            return _render_by_dot(sources, format, engine, patience)
        return _render_by_pygraphviz(sources, format, engine, patience)
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"Graphviz was stopped after {patience:g} s without a picture: draw fewer boxes (most_nodes=, focus=)"
        ) from None


def layout_by_graphviz(sources: Sequence[str]) -> list[dict[str, Any]]:
    """Where Graphviz's `dot` places the boxes, lines and frames of DOT sources, as its JSON format says it.

    Raises:
        DrawingError: as `render`.
    """
    answers = []
    for answer in render(sources, "json0", "dot", PATIENCE):
        try:
            answers.append(json.loads(answer))
        except ValueError:
            raise DrawingError(f"Graphviz's layout is no JSON; got {answer[:60]!r}: use another version") from None
    return answers


def _render_by_dot(sources: Sequence[str], format: str, engine: str, patience: float | None) -> list[bytes]:
    """By the program on the PATH, through a folder of files: it then names each picture after its source."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{i}.gv" for i in range(len(sources))]
        for name, source in zip(names, sources, strict=True):
            Path(folder, name).write_text(source, encoding="utf-8")
        command = [shutil.which(graphviz.backend.DOT_BINARY) or "", f"-K{engine}", f"-T{format.lower()}", "-O", *names]
        result = subprocess.run(command, cwd=folder, capture_output=True, timeout=patience, check=False)
        pictures = [Path(folder, f"{name}.{format.lower()}") for name in names]
        if result.returncode or not all(picture.exists() for picture in pictures):
            raise _refusal(format, result.stderr)
        return [picture.read_bytes() for picture in pictures]


def _render_by_pygraphviz(sources: Sequence[str], format: str, engine: str, patience: float | None) -> list[bytes]:
    """By pygraphviz, in a process of its own."""
    if sys.platform == "emscripten":
        raise DrawingError(
            f"a picture as {format} needs Graphviz, and this page has none: give it an instance of @viz-js/viz under "
            'the global name viz, or use format="svg", which needs none'
        )
    if find_spec("pygraphviz") is None:
        raise DrawingError(
            f"a picture as {format} needs Graphviz, and there is none here: run `pip install pygraphviz`, which brings "
            'it along, install your system\'s package graphviz, or use format="svg", which needs none'
        )
    task = json.dumps([list(sources), format.lower(), engine]).encode("ascii")
    command = [sys.executable, "-c", _PROGRAM]
    result = subprocess.run(command, input=task, capture_output=True, timeout=patience, check=False)
    pictures = [base64.b64decode(line) for line in result.stdout.split()]
    if result.returncode or len(pictures) != len(sources) or not all(pictures):
        raise _refusal(format, result.stderr)
    return pictures


def _refusal(format: str, messages: bytes) -> DrawingError:
    """What Graphviz said: its last error, or else the last line."""
    lines = messages.decode("utf-8", "replace").strip().splitlines() or ["no output"]
    word = next((line for line in reversed(lines) if line.startswith("Error")), lines[-1])
    return DrawingError(f"Graphviz could not draw the graph as {format}: {word}")


def _viz() -> Any:
    """The page's instance of `@viz-js/viz` where Python runs in a page; None elsewhere, or if the page has none."""
    if sys.platform != "emscripten":
        return None
    return getattr(import_module("js"), "viz", None)


def _render_in_page(viz: Any, source: str, format: str, engine: str) -> bytes:
    """By Graphviz in WebAssembly, which gives texts only: SVG, EPS, JSON."""
    options = import_module("js").JSON.parse(json.dumps({"format": format.lower(), "engine": engine}))
    try:
        answer = viz.render(source, options)
    except Exception as error:  # JavaScript's, of any kind
        raise _refusal(format, str(error).encode("utf-8")) from error
    if answer.status != "success":
        raise _refusal(format, "\n".join(str(error.message) for error in answer.errors).encode("utf-8"))
    return str(answer.output).encode("utf-8")
