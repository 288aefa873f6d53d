"""How is back-propagation stepped through? As a page with the graph, a step at a time, forward and back.

`explain` records every step, with texts whose numbers may change (`recording.py`, `moments.py`). The page shows them
(`page.py` and the JavaScript in `page/`), and computes the numbers anew when somebody moves one. In a notebook that is
not trusted, and on GitHub, there remain the picture and a table.
"""

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograd.drawing.frames import Deck, frames, gif, mp4
from autograd.drawing.page import fragment, page
from autograd.drawing.recording import Recording
from autograd.drawing.text import check_look
from autograd.drawing.theme import theme_named
from autograd.drawing.worksheet import worksheet
from autograd.files import file_to_write, write_atomically
from autograd.reals import as_float, shown
from autograd.value import Value


class Explanation(Recording):
    """The steps of a forward pass, a backward pass and, with a learning rate, an update; see `explain`.

    `steps` are what the page shows. A notebook shows the page; `print` gives the text.
    """

    def __repr__(self) -> str:
        return f"<Explanation in {len(self.steps)} steps; print it, or .save('page.html')>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page as one HTML file that needs no kernel and no network; returns its path.

        Arguments:
            path: where to; it ends in .html or .htm. Folders that are missing are made.
        """
        return write_atomically(file_to_write(path, "save", ".html", ".htm"), page(self))

    def worksheet(self, path: str | os.PathLike[str], by: str = "auto") -> Path:
        """Writes an exercise sheet for paper, with a key: each gradient is asked for, and worked out behind.

        Arguments:
            path: where to; it ends in .html or .htm. Folders that are missing are made.
            by: "node", a question for each gradient; "neuron", a table for each neuron of a network; "auto", which is
                "neuron" for a network.

        Returns:
            the path. A browser prints the sheet.

        Raises:
            ValueError: there is no such choice, or there are no neurons.
        """
        return write_atomically(file_to_write(path, "worksheet", ".html", ".htm"), worksheet(self, by))

    def frames(
        self,
        folder: str | os.PathLike[str],
        format: str = "svg",
        theme: str = "light",
        style: str = "page",
        by: str = "node",
    ) -> list[Path]:
        """Writes one picture a step, `step-001.svg` and so on, for slides; returns the paths.

        Each shows only what is known at its step. All have one size and one layout.

        Arguments:
            folder: where to; it is made if there is none. Files in it with such names and higher numbers are of an
                older deck, and are removed.
            format: "svg", "png", "pdf" or another that Graphviz gives.
            theme: "light" or "dark".
            style: "page"; or "slide", 16:9 (1920 x 1080 pixels) in type as large as fits.
            by: "node", a picture for each step; "neuron" or "layer", one for all steps of a neuron (or of another
                box), or of a layer, that follow each other.

        Raises:
            ValueError: there is no such format, theme, style or choice.
        """
        return frames(self, folder, format, Deck(theme, style, by))

    def gif(
        self,
        path: str | os.PathLike[str],
        seconds: float = 1.5,
        theme: str = "light",
        style: str = "page",
        by: str = "node",
    ) -> Path:
        """Writes the frames as one moving picture, each for so many seconds, the last one longer; returns the path.

        The arguments are those of `frames`; the path ends in .gif.

        Raises:
            DrawingError: Pillow is not installed.
        """
        return gif(self, path, seconds, Deck(theme, style, by))

    def mp4(
        self,
        path: str | os.PathLike[str],
        seconds: float = 1.5,
        theme: str = "light",
        style: str = "page",
        by: str = "node",
    ) -> Path:
        """Writes the frames as a film, each for so many seconds; returns the path.

        The arguments are those of `frames`; the path ends in .mp4.

        Raises:
            DrawingError: there is no ffmpeg.
        """
        return mp4(self, path, seconds, Deck(theme, style, by))

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, str]:
        """What a notebook shows; never an error."""
        try:
            return {"text/html": fragment(self), "text/plain": str(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}


def explain(
    root: Value,
    lr: float | None = None,
    parameters: Iterable[Value] | None = None,
    model: Any = None,
    precision: int | None = None,
    quiz: bool = False,
    theme: str = "auto",
    direction: str = "auto",
    expand: Any = False,
    parts: Mapping[str, Any] | None = None,
) -> Explanation:
    """Steps through the forward and the backward pass of a graph, and the update if a learning rate is given.

    A notebook shows the stepper. In it every leaf can be moved: click it, then drag it or type, and all numbers follow.
    `.save("page.html")` writes the page as one file that needs no network; `print` gives the text; `.frames(folder)`
    writes one picture a step, `.gif(path)` a moving one; `.worksheet("sheet.html")` an exercise sheet with a key. No
    `.grad` is changed.

    Arguments:
        root: the Value whose derivatives are explained, such as a loss.
        lr: a learning rate, to show the update `w - lr * grad` and the root before and after.
        parameters: the leaves that the update moves; by default the model's parameters, or all leaves without a model.
        model: an `nn.Module`; then the graph is drawn as a network, neuron by neuron.
        precision: significant digits of the numbers; by default 4, and 3 in a network.
        quiz: ask for each gradient before it is shown. The page has a switch for it too.
        theme: "light", "dark", or "auto": that of the page in which the stepper stands.
        direction: "LR" (left to right), "TB" (top to bottom), "RL", "BT", or "auto": from left to right, or from top to
            bottom where the page is narrow.
        expand: True opens every neuron to its weights, products and sums; names of modules open these alone.
        parts: what is to be one box, as `draw` takes it; then `expand` takes names of parts.

    Returns:
        an `Explanation`; its `.steps` are what the page shows.

    Raises:
        TypeError: root is not a Value, or an argument is of a wrong kind.
        ValueError: the graph has more than 1,000 nodes, none of the model's parameters is in it, or an option is none
            that there is.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> print(explain(a * b))
    1. forward: compute mul1
       mul1 = a * b
       mul1 = 2 * (-3) = -6
       d mul1/d a = b = -3
       d mul1/d b = a = 2
    2. backward: mul1 passes its gradient on
       grad mul1 = 1, since d mul1/d mul1 = 1
       grad a += grad mul1 * d mul1/d a
          1 * (-3) = -3, so grad a: 0 -> -3
       grad b += grad mul1 * d mul1/d b
          1 * 2 = 2, so grad b: 0 -> 2
    """
    if not isinstance(root, Value):
        raise TypeError(f"explain takes a Value; got {shown(root)} ({type(root).__name__})")
    check_look(direction, "svg", precision)
    theme_named(theme)
    if not isinstance(quiz, bool):
        raise TypeError(f"quiz takes True or False; got {shown(quiz)} ({type(quiz).__name__})")
    lr = None if lr is None else _rate(lr)
    return Explanation(root, lr, parameters, model, precision, quiz, theme, direction, expand, parts)


def _rate(lr: Any) -> float:
    """The learning rate as a number."""
    rate = as_float(lr, "explain(lr)")
    if isinstance(lr, bool) or not 0.0 <= rate < math.inf:
        raise ValueError(f"lr takes a finite number, 0 or more, such as 0.1; got {shown(lr)}")
    return rate
