"""How does a drawing become a picture, with or without Graphviz's `dot` on the machine?

`dot` is used where it is on the PATH. Otherwise the package pygraphviz carries an engine of its own; it runs in a
process of its own, so that neither its warnings about fonts nor a crash reach the user.
"""

import base64
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import graphviz

from autograd.reals import shown

FORMATS = ("svg", "png", "pdf", "eps", "ps", "jpg", "jpeg", "gif", "svgz", "json", "plain", "dot", "xdot")
"""The formats that both engines give. A `dot` on the machine may have more."""

_PROGRAM = """
import sys
from pygraphviz import AGraph
graph = AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=sys.argv[2]))
"""


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


def render_without_dot(source: str, format: str, engine: str = "dot") -> bytes:
    """The picture of a DOT source, by pygraphviz's engine.

    Arguments:
        source: a graph in the DOT language.
        format: "svg", "png", "pdf" ...
        engine: the layout program, "dot" or another of Graphviz's.

    Raises:
        DrawingError: there is no engine, or it refuses the source.
    """
    if find_spec("pygraphviz") is None:
        raise DrawingError(
            "drawing needs Graphviz, and there is none here: run `pip install pygraphviz`, which brings it along, "
            "or install your system's package graphviz"
        )
    command = [sys.executable, "-c", _PROGRAM, format.lower(), engine]
    result = subprocess.run(command, input=source.encode("utf-8"), capture_output=True, check=False)
    if result.returncode or not result.stdout:
        lines = result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no output"]
        raise DrawingError(f"Graphviz could not draw the graph as {format}: {lines[-1]}")
    return result.stdout


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
