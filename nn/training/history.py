"""What happened in a training run? Its figures by epoch."""

from collections.abc import Iterator
from math import inf, isnan, nan
from typing import Any

from nn.figures import new_figure

FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


class History:
    """The figures of each epoch: `history.loss`, `.accuracy`, `.validation_loss`, `.validation_accuracy`.

    Attributes:
        engine: which engine computed it, "eager" or "compiled".
        why_eager: why it was not the compiled one, in words.
        python: the version of Python. The same seed gives the same bits for one engine and one version.
        stopped: why it ended, in words.
        seconds: how long it took.

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

    def __init__(self, engine: str = "eager", python: str = "") -> None:
        self.epochs: list[dict[str, float]] = []
        self.engine, self.python = engine, python
        self.why_eager = ""
        self.stopped = ""
        self.seconds = 0.0
        self._seen: set[str] = set()  # the names of the figures so far
        self._best = {"loss": (inf, 0), "validation_loss": (inf, 0)}  # the lowest so far, and its epoch

    def append(self, record: dict[str, float]) -> None:
        """Adds the figures of one more epoch."""
        self.epochs.append(dict(record))
        self._seen |= record.keys()
        for name, (lowest, epoch) in self._best.items():
            figure = record.get(name, nan)
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
        return [record[name] for record in self.epochs if name in record]

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest validation loss (without validation: training loss)."""
        return self._best["validation_loss" if "validation_loss" in self._seen else "loss"][1]

    def header(self) -> str:
        """The first line of the table."""
        return "epoch" + "".join(f"  {name.replace('_', ' '):>{_width(name)}}" for name in self._names())

    def line(self, i: int) -> str:
        """The figures of the epoch at index i, as a line of the table."""
        record = self.epochs[i]
        figures = "".join(f"  {_cell(name, record.get(name)):>{_width(name)}}" for name in self._names())
        return f"{(i if i >= 0 else i + len(self)) + 1:>5}{figures}"

    def _names(self) -> list[str]:
        return [name for name in FIGURES if name in self._seen]

    def __str__(self) -> str:
        best = self.best_epoch
        lines = [self.line(i) + ("  best" if i + 1 == best else "") for i in range(len(self))]
        reason = [self.stopped] if self.stopped.startswith("the loss is") else []
        return "\n".join([self.header(), *lines, *reason])

    def __repr__(self) -> str:
        return f"History({len(self)} epochs, best {self.best_epoch}, stopped: {self.stopped})"

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
                points = [(epoch, record[name]) for epoch, record in enumerate(self.epochs, 1) if name in record]
                if points:
                    ax.plot(*zip(*points, strict=True), style, label=name.replace("_", " "))
            ax.axvline(self.best_epoch, color="gray", linewidth=0.8, label="best epoch")
            ax.set(xlabel="epoch", ylabel=kind)
            ax.legend()
        return figure


def _width(name: str) -> int:
    return max(len(name), 8)


def _cell(name: str, figure: float | None) -> str:
    if figure is None:
        return ""
    if name.endswith("accuracy"):
        return f"{100.0 * figure:.1f} %"
    return f"{figure:.4f}" if figure == 0.0 or 1e-3 <= abs(figure) < 1e3 else f"{figure:.2e}"
