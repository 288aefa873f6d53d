"""Which Graphviz is here, and how is it asked?

`dot` is used where it is on the PATH. Otherwise the package pygraphviz carries an engine of its own; it runs in a
process of its own, so that neither its warnings about fonts nor a crash reach the user. Where Python runs in a web page
(Pyodide) there are no processes; there Graphviz in WebAssembly (`@viz-js/viz`) is used, if the page has an instance of
it under the global name `viz`. `layout.py` places boxes without any of these.
"""

import base64
import json
import os
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
    if sys.platform == "emscripten" or find_spec("pygraphviz") is None:
        raise DrawingError(
            "this picture needs Graphviz, and there is none here: run `pip install pygraphviz`, which brings it along, "
            "or install your system's package graphviz"
        )
    task = json.dumps([list(sources), format.lower(), engine]).encode("ascii")
    command = [sys.executable, "-c", _PROGRAM]
    result = subprocess.run(command, input=task, capture_output=True, timeout=patience, check=False)
    pictures = [base64.b64decode(line) for line in result.stdout.split()]
    if result.returncode or len(pictures) != len(sources) or not all(pictures):
        raise _refusal(format, result.stderr)
    return pictures


def _refusal(format: str, messages: bytes) -> DrawingError:
    """What Graphviz said last."""
    lines = messages.decode("utf-8", "replace").strip().splitlines() or ["no output"]
    return DrawingError(f"Graphviz could not draw the graph as {format}: {lines[-1]}")


def _viz() -> Any:
    """The page's instance of `@viz-js/viz` where Python runs in a page; None elsewhere, or if the page has none."""
    if sys.platform != "emscripten":
        return None
    return getattr(import_module("js"), "viz", None)


def _render_in_page(viz: Any, source: str, format: str, engine: str) -> bytes:
    """By Graphviz in WebAssembly, which gives texts only: SVG, EPS, JSON."""
    options = import_module("js").JSON.parse(json.dumps({"format": format.lower(), "engine": engine}))
    answer = viz.render(source, options)
    if answer.status != "success":
        raise _refusal(format, "\n".join(str(error.message) for error in answer.errors).encode("utf-8"))
    return str(answer.output).encode("utf-8")


def render_without_dot(source: str, format: str, engine: str = "dot") -> bytes:
    """The picture of one DOT source, where no `dot` is on the PATH."""
    return _render_by_pygraphviz([source], format, engine, None)[0]


class Drawing(graphviz.Digraph):
    """A `graphviz.Digraph` that also renders where no `dot` is installed.

    `.source`, `.render(...)`, `.pipe(...)`, `.save(...)` and the display in notebooks are those of graphviz.
    """

    def pipe(
        self, format: str | None = None, *args: Any, engine: str | None = None, encoding: str | None = None, **more: Any
    ) -> bytes | str:
        """The picture, as bytes, or as text if an encoding is given; arguments as in graphviz."""
        if has_dot():
            picture: bytes | str = super().pipe(format, *args, engine=engine, encoding=encoding, **more)
            return picture
        data = render_without_dot(self.source, format or self.format, engine or self.engine)
        return data if encoding is None else data.decode("utf-8")

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *args: Any,
        outfile: str | os.PathLike[str] | None = None,
        engine: str | None = None,
        **more: Any,
    ) -> str:
        """Writes the source and the picture, and returns the picture's path; arguments as in graphviz.

        `render("graph.svg")` writes just that picture, as people expect of a name with a format's ending.

        Raises:
            ValueError: the format, or the ending of the name, is none that the engine gives.
        """
        format = checked_format(format) if format else None
        ending = Path(outfile or filename or "").suffix
        if ending and ending != ".gv":  # graphviz's own ending for the source
            if (wanted := checked_format(ending[1:], "the ending of the file's name")) != (format or wanted):
                raise ValueError(f"render takes one format; got a name that ends in {ending} and format={format!r}")
            if outfile is None and filename is not None:
                outfile, filename, cleanup = Path(directory or "", filename), None, True
        if has_dot():
            path: str = super().render(
                filename, directory, view, cleanup, format, *args, outfile=outfile, engine=engine, **more
            )
            return path
        return self._render_without_dot(filename, directory, view, cleanup, format, outfile, engine)

    def _render_without_dot(
        self, filename: Any, directory: Any, view: bool, cleanup: bool, format: str | None, outfile: Any, engine: Any
    ) -> str:
        """What `graphviz` does in `render`, with pygraphviz's engine."""
        if outfile is not None:
            target = Path(outfile)
            source = target.with_suffix(".gv") if filename is None else Path(directory or "", filename)
            format = format or target.suffix[1:].lower() or self.format
        else:
            source = Path(directory or self.directory, filename or self.filename)
            format = format or self.format
            target = source.with_name(f"{source.name}.{format}")
        picture = render_without_dot(self.source, format, engine or self.engine)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not cleanup:
            source.write_text(self.source, encoding="utf-8")
        target.write_bytes(picture)
        if view:
            self._view(target, format=format, quiet=True)
        return str(target)

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, Any]:
        """What a notebook shows: the picture, or, where there is no engine, a sentence; never an error."""
        try:
            svg, png = self.pipe(format="svg", encoding="utf-8"), self.pipe(format="png")
            assert isinstance(png, bytes)
            picture = base64.b64encode(png).decode("ascii")  # shown by notebooks that are not trusted with SVG
            return {"image/svg+xml": svg, "image/png": picture, "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.body)} lines; .render('graph.svg') writes a picture>"
