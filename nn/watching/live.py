"""How does one watch a network learn in a notebook? `Live`, a callback of `fit`, shows a picture and updates it."""

import html
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from autograd.drawing.picture import fragment_of
from autograd.drawing.theme import check_theme
from autograd.reals import as_float
from nn.losses import Loss
from nn.module import Module
from nn.optim import Optimizer
from nn.training.examples import Examples
from nn.training.history import History
from nn.watching.picture import At, picture_of
from nn.watching.task import texts_of
from nn.watching.view import View

SHARE = 4.0
"""After a picture, so many times as long as it took goes to training alone."""


class Live:
    """A callback of `fit` that shows in a notebook what the network does while it learns.

    The network with its weights, what each neuron responds to, the data with what the model says, the loss: one picture
    that is drawn anew in its place, in JupyterLab, VS Code and Colab. Outside of a notebook it does nothing. It changes
    nothing of the training; what goes wrong with a picture is said in its place.

    Arguments:
        every: so many seconds are between two pictures, at least. The last one shows the model as `fit` leaves it.
        names: of the inputs; by default x0, x1, ... (A callback sees numbers alone, not the data frame.)
        classes: of the classes, in the order of their numbers.
        theme: "auto" for a picture that follows the notebook, "light" or "dark".

    Raises:
        ValueError: there is no such theme, or `every` is no number of seconds.
        TypeError: the names are no list.

    >>> from nn import MLP, fit
    >>> history = fit(MLP(1, [1], rng=0), [[0.0], [1.0]], [1.0, 3.0], loss="mse_loss", epochs=2, progress=False,
    ...               callbacks=[Live()])
    """

    def __init__(
        self,
        every: float = 0.5,
        *,
        names: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
        theme: str = "auto",
    ) -> None:
        check_theme(theme)
        self.every = as_float(every, "every")
        if not 0.0 <= self.every < float("inf"):
            raise ValueError(f"every takes seconds between two pictures, such as 0.5; got {every!r}")
        self.names, self.classes = texts_of(names, "names", "input"), texts_of(classes, "classes", "class")
        self.theme = theme
        self._begin()

    def _begin(self) -> None:
        self._view: View | None = None
        self._optimizer: Optimizer | None = None
        self._display: Any = None
        self._due = 0.0
        self._trouble = ""

    def begin(
        self, model: Module, examples: Examples, held_out: Examples | None, loss: Loss, optimizer: Any = None
    ) -> None:
        """Shows the model before it learns; `fit` calls it before the first epoch."""
        self._begin()
        display = _display()
        if display is None:
            return
        self._optimizer = optimizer
        try:
            self._view = View(model, examples, held_out, loss, self.names, self.classes)
        except Exception as error:
            self._trouble = _sentence(error)
        self._show(display, None)

    def __call__(self, model: Module, history: History) -> None:
        """Shows the model as it is now, if it is time to; `fit` calls it after each epoch."""
        if self._display is not None and time.monotonic() >= self._due:
            self._show(self._display.update, history)

    def end(self, model: Module, history: History) -> None:
        """Shows the model as `fit` leaves it; `fit` calls it at its end, also when it was interrupted."""
        if self._display is not None:
            with suppress(KeyboardInterrupt):  # the training is over, and its history is not to be lost
                self._show(self._display.update, history, is_last=True)

    def _show(self, show: Any, history: History | None, is_last: bool = False) -> None:
        """Draws the picture, and gives it to the notebook."""
        began = time.monotonic()
        try:
            content = self._content(history, is_last)
        except Exception as error:  # no picture is worth a training run
            content = f"<p>{html.escape(_sentence(error))}</p>"
        bundle = {"text/html": content, "text/plain": "<a picture of a network that learns>"}
        with suppress(Exception):  # the notebook may be gone
            if self._display is None:
                self._display = show(bundle, raw=True, display_id=True)
            else:
                show(bundle, raw=True)
        now = time.monotonic()
        self._due = now + max(self.every, SHARE * (now - began))

    def _content(self, history: History | None, is_last: bool) -> str:
        if self._view is None:
            return f"<p>{html.escape(self._trouble)}</p>"
        svg = picture_of(self._view, _moment(history, self._optimizer), self.theme, in_notebook=not is_last)
        # Whatever opens the file shows the last one, also where SVG in a page is not trusted. The others have no
        # script: each would go on to watch the theme of the page after its picture has gone.
        return fragment_of(svg, "a network that has learned") if is_last else svg


def _moment(history: History | None, optimizer: Any) -> At:
    lr = None if optimizer is None else float(optimizer.lr)
    if not history:
        return At(lr=lr)
    loss, validation = (
        [(float(k), figures[name]) for k, figures in enumerate(history, 1) if name in figures]
        for name in ("loss", "validation_loss")
    )
    return At(float(len(history)), lr, loss, validation, figures=history[-1])


def _display() -> Any:
    """What shows something in the notebook; None where there is no notebook."""
    ipython = sys.modules.get("IPython")  # whoever is in a notebook has loaded it
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "TerminalInteractiveShell" in (kind.__name__ for kind in type(shell).__mro__):
        return None
    from IPython.display import display

    return display


def _sentence(error: Exception) -> str:
    return f"nn.Live has no picture of this run: {type(error).__name__}: {error}. The training goes on."
