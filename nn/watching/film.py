"""How is a training looked at afterwards? As a film: `fit(..., film=True)` records it, and `film` shows it.

What is recorded is in `nn/training/recording.py`. `film_page.py` makes the page to scrub through.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd.drawing.theme import theme_named
from autograd.files import file_to_write, write_atomically
from autograd.reals import shown
from nn.training.history import History
from nn.training.recording import Recording
from nn.watching.film_page import description, fragment, page
from nn.watching.moving_pictures import gif, mp4, pictures_of
from nn.watching.task import names_for, task_of


class Film:
    """A recorded training, to be looked at; `nn.film(history)` gives it.

    A notebook shows its page. `.save(path)` writes the page to a file, `.gif(path)` and `.mp4(path)` moving pictures.

    Attributes:
        recording: the `Recording`, with all moments and their numbers.
        history: the figures by epoch.
        names: those of the inputs.
        classes: those of the classes.
        theme: "light", "dark" or "auto".
    """

    def __init__(
        self, history: History, recording: Recording, names: list[str] | None, classes: list[str] | None, theme: str
    ) -> None:
        self.history, self.recording = history, recording
        self.names, self.classes, self.theme = names, classes, theme

    def __repr__(self) -> str:
        return f"<Film of {description(self.recording)}; .save('film.html'), or show it in a notebook>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page as one HTML file that needs no kernel and no network; returns its path.

        It stays under 5 MB. So it has the numbers in single precision, right to seven digits, and of a model with many
        of them fewer moments. `recording` has all of them as they were.

        Arguments:
            path: where to; it ends in .html or .htm. Folders that are missing are made.
        """
        return write_atomically(file_to_write(path, "save", ".html", ".htm"), page(self._fragment, self.theme))

    def gif(self, path: str | os.PathLike[str], seconds: float = 10.0, theme: str = "light") -> Path:
        """Writes the training as a GIF that begins again at its end; returns its path.

        A second of it takes some 1.5 seconds to make.

        Arguments:
            path: where to; it ends in .gif. Folders that are missing are made.
            seconds: how long it takes; the last picture is seen for two more.
            theme: "light" or "dark".

        Raises:
            DrawingError: resvg-py or Pillow is missing; the sentence says what to install.
            ValueError, TypeError, OSError: an argument does not fit, or the file cannot be written.
        """
        return gif(self, path, seconds, theme)

    def mp4(self, path: str | os.PathLike[str], seconds: float = 10.0, theme: str = "light") -> Path:
        """Writes the training as a film in H.264, which every player knows; returns its path.

        A second of it takes some 2 seconds to make.

        Arguments:
            path: where to; it ends in .mp4. Folders that are missing are made.
            seconds: how long it takes; the last picture is seen for two more.
            theme: "light" or "dark".

        Raises:
            DrawingError: resvg-py or ffmpeg is missing; the sentence says what to install.
            ValueError, TypeError, OSError: an argument does not fit, or the file cannot be written.
        """
        return mp4(self, path, seconds, theme)

    @cached_property
    def _fragment(self) -> str:
        try:
            *_, picture = pictures_of(self, 2, self.theme)
        except Exception:  # a model of one's own may raise anything; the page says what is missing
            picture = ""
        return fragment(self.history, self.recording, self.names, self.classes, self.theme, picture)

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, str]:
        """What a notebook shows; never an error."""
        try:
            return {"text/html": self._fragment, "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}


def film(
    history: History,
    *,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    theme: str = "auto",
) -> Film:
    """The film of a training: a page to scrub through, with the network, its predictions and its figures.

    Arguments:
        history: what `fit(..., film=True)` returned.
        names: the names of the inputs; by default those of the data frame that was learned from.
        classes: the names of the classes, in the order of their numbers.
        theme: "light", "dark", or "auto": that of the page in which the film stands.

    Returns:
        a `Film`: a notebook shows it, and `.save("film.html")` writes it as one file that needs no network.
        `.gif("film.gif")` and `.mp4("film.mp4")` need `pip install 'scalar-autograd[film]'`.

    Raises:
        ValueError: the training was not recorded, the model was changed since, or there are too few names.
        TypeError: history is no History.

    >>> import nn
    >>> history = nn.fit(nn.MLP(2, [3, 1], "tanh", rng=0), *nn.datasets.xor(), loss="mse_loss", epochs=5, rng=0,
    ...                  film=True, progress=False)
    >>> nn.film(history)
    <Film of 5 epochs in 6 moments; .save('film.html'), or show it in a notebook>
    """
    if not isinstance(history, History):
        hint = ": give its history_" if hasattr(history, "history_") else ": give what nn.fit(..., film=True) returned"
        raise TypeError(f"nn.film takes a History; got {shown(history)} ({type(history).__name__}){hint}")
    recording = history.film
    if recording is None:
        raise ValueError("nn.film has nothing to show: this training was not recorded; call fit(..., film=True)")
    theme_named(theme)
    inputs = names_for(names, _width(recording), "names", "input")
    try:
        task = task_of(recording, None)
    except Exception as error:  # the model is asked as it is now
        raise ValueError(f"nn.film needs the model as it was recorded, and now it fails: {error}") from error
    labels = names_for(classes, len(task.classes), "classes", "class")
    return Film(history, recording, inputs or recording.feature_names, labels or recording.class_names, theme)


def _width(recording: Recording) -> int:
    rows = recording.examples.rows
    return len(rows[0]) if rows and isinstance(rows[0], list) else 1
