"""What happened in a training run? Its figures by epoch."""

from collections.abc import Iterator
from math import inf, isnan, nan
from typing import Any

from autograd.reals import shown
from nn.plots import new_figure

FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


class History:
    """The figures of each epoch: `history.loss`, `.accuracy`, `.validation_loss`, `.validation_accuracy`.

    Attributes:
        engine: which engine trained, "eager" or "compiled".
        why_eager: why it was not the compiled one, in words.
        python: the version of Python. With the same engine and version, the same seed gives the same bits.
        stopped: why the training ended, in words.
        seconds: how long the whole call of `fit` took; for a run that was resumed, all of its calls together.
        preparation: how many of these seconds passed before the first step, with checks, recording and compiling.

    `print(history)` shows a table. It marks the best epoch where `fit` keeps its weights: where there is a validation
    loss.

    >>> history = History()
    >>> history.append({"loss": 1.0, "validation_loss": 2.0})
    >>> history.append({"loss": 0.5, "validation_loss": 2.5})
    >>> history.loss, history.best_epoch
    ([1.0, 0.5], 1)
    >>> print(history)
    epoch      loss  validation loss
        1    1.0000           2.0000  best
        2    0.5000           2.5000
    """

    def __init__(self, engine: str = "eager", python: str = "", why_eager: str = "") -> None:
        self.engine = engine
        self.why_eager = why_eager
        self.python = python
        self.stopped = ""
        self.seconds = 0.0
        self.preparation = 0.0
        self._begin()

    def _begin(self) -> None:
        """Forgets all epochs."""
        self.epochs: list[dict[str, float]] = []
        self._seen: set[str] = set()  # the names of the figures so far
        self._best = {"loss": (inf, 0), "validation_loss": (inf, 0)}  # the lowest so far, and its epoch

    def append(self, figures: dict[str, float]) -> None:
        """Adds the figures of one more epoch."""
        self.epochs.append(dict(figures))
        self._seen |= figures.keys()
        for name, (lowest, epoch) in self._best.items():
            figure = figures.get(name, nan)
            if figure < lowest or (not epoch and not isnan(figure)):
                self._best[name] = (figure, len(self))

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, i: int) -> dict[str, float]:
        return self.epochs[i]

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.epochs)

    def __getattr__(self, name: str) -> list[float]:
        if name not in FIGURES:
            raise AttributeError(f"a History has the figures {', '.join(FIGURES)}; got {name!r}")
        return [figures[name] for figures in self.epochs if name in figures]

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest validation loss (without validation: training loss)."""
        return self._best["validation_loss" if "validation_loss" in self._seen else "loss"][1]

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights `fit` keeps: with validation the best one; 0 without, where the last weights stay."""
        return self.best_epoch if "validation_loss" in self._seen else 0

    def header(self) -> str:
        """The first line of the table."""
        return "epoch" + "".join(f"  {name.replace('_', ' '):>{_width(name)}}" for name in self._names())

    def line(self, i: int) -> str:
        """The figures of the epoch at index i, as a line of the table."""
        figures = self.epochs[i]
        cells = "".join(f"  {_cell(name, figures.get(name)):>{_width(name)}}" for name in self._names())
        return f"{(i if i >= 0 else i + len(self)) + 1:>5}{cells}"

    def _names(self) -> list[str]:
        return [name for name in FIGURES if name in self._seen]

    def __str__(self) -> str:
        kept = self.kept_epoch
        lines = [self.line(i) + ("  best" if i + 1 == kept else "") for i in range(len(self))]
        reason = [self.stopped] if self.stopped.startswith("the loss is") else []
        return "\n".join([self.header(), *lines, *reason])

    def __repr__(self) -> str:
        return f"History({len(self)} epochs, best {self.best_epoch}, stopped: {self.stopped})"

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of its past: the figures, the time it took, and why it stopped."""
        return {
            "epochs": [dict(figures) for figures in self.epochs],
            "seconds": self.seconds,
            "preparation": self.preparation,
            "stopped": self.stopped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over a `state_dict()`; changes nothing if it does not fit.

        Raises:
            ValueError: it is something else, or damaged.
        """
        if not isinstance(state, dict) or state.keys() != self.state_dict().keys():
            raise ValueError(f"this is not the state_dict of a History; got {shown(state)}")
        _check_epochs(state["epochs"])
        for name in ("seconds", "preparation"):
            if not _is_number(state[name]) or not 0.0 <= state[name] < inf:
                raise ValueError(f"a History takes a number of at least 0 for {name}; got {shown(state[name])}")
        if not isinstance(state["stopped"], str):
            raise ValueError(f"a History says in words why it stopped; got {shown(state['stopped'])}")
        self._begin()
        for figures in state["epochs"]:
            self.append({name: figures[name] for name in FIGURES if name in figures})
        self.seconds = state["seconds"]
        self.preparation = state["preparation"]
        self.stopped = state["stopped"]

    def plot(self) -> Any:
        """Draws loss and accuracy by epoch, with matplotlib; returns the figure.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: no epoch was finished.
        """
        kinds = [kind for kind in ("loss", "accuracy") if any(name.endswith(kind) for name in self._names())]
        figure = new_figure(5.0 * max(1, len(kinds)), 3.5, "History.plot")
        if not len(self):
            raise ValueError("there is nothing to plot yet: no epoch was finished")
        axes = figure.subplots(1, len(kinds), squeeze=False)[0]
        for kind, ax in zip(kinds, axes, strict=True):
            for name, style in ((kind, "-"), (f"validation_{kind}", "--")):
                points = [(epoch, figures[name]) for epoch, figures in enumerate(self.epochs, 1) if name in figures]
                if points:
                    ax.plot(*zip(*points, strict=True), style, label=name.replace("_", " "))
            ax.axvline(self.best_epoch, color="gray", linewidth=0.8, label="best epoch")
            ax.set(xlabel="epoch", ylabel=kind)
            ax.legend()
        return figure


def _check_epochs(epochs: Any) -> None:
    """Raises ValueError unless these are the figures of epochs."""
    if not isinstance(epochs, list) or not all(isinstance(figures, dict) for figures in epochs):
        raise ValueError(f"a History takes a list of figures by name; got {shown(epochs)}")
    for figures in epochs:
        if not figures.keys() <= set(FIGURES):
            raise ValueError(f"a History has the figures {', '.join(FIGURES)}; got {shown(figures)}")
        for name, figure in figures.items():
            if not _is_number(figure) or (name.endswith("accuracy") and not 0.0 <= figure <= 1.0):
                raise ValueError(f"a History takes a number for {name}, a share for an accuracy; got {shown(figure)}")


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _width(name: str) -> int:
    return max(len(name), 8)


def _cell(name: str, figure: float | None) -> str:
    if figure is None:
        return ""
    if name.endswith("accuracy"):
        return f"{100.0 * figure:.1f} %"
    return f"{figure:.4f}" if figure == 0.0 or 1e-3 <= abs(figure) < 1e3 else f"{figure:.2e}"
