"""What happened in a training run? Its figures by epoch."""

from collections.abc import Iterable, Iterator, Mapping
from math import inf, isnan, nan
from typing import TYPE_CHECKING, Any, overload

from autograd.reals import shown
from autograd.spelling import did_you_mean
from nn.metrics import METRICS
from nn.plots import new_figure

if TYPE_CHECKING:
    from nn.training.recording import Recording

KNOWN = ("loss", *METRICS)
"""The figures that every history may have, each for validation too."""

CONFUSION_MATRIX = "confusion_matrix"
"""What is no number, and so has a place of its own."""

SHARES = ("accuracy", "precision", "recall", "f1")
WIDEST = 80
"""How many columns a terminal has at least."""

NARROWEST = 8
"""So many characters a column has at least, and a figure at most."""

LONGEST = 40
"""So many characters of the name of a figure are shown above its column."""


class _Figure:
    """A figure, epoch by epoch."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, history: None, owner: type) -> "_Figure": ...
    @overload
    def __get__(self, history: "History", owner: type) -> list[float]: ...
    def __get__(self, history: "History | None", owner: type) -> "_Figure | list[float]":
        return self if history is None else history.figure(self._name)


class History:
    """The figures of each epoch: `history.loss`, `.accuracy`, `.validation_loss`, `.validation_accuracy`.

    What else `fit` was asked for is there by its name, `history.r2`, `history.validation_r2`, or by
    `history.figure("name")`. A figure that was not computed is an empty list.

    Attributes:
        engine: which engine trained, "eager" or "compiled".
        why_eager: why it was not the compiled one, in words.
        python: the version of Python. With the same engine and version, the same seed gives the same bits.
        stopped: why the training ended, in words.
        seconds: how long the whole call of `fit` took; for a run that was resumed, all of its calls together.
        film: the `Recording` of `fit(..., film=True)`, which `nn.film(history)` shows; None of another run.
        preparation: how many of these seconds passed before the first step, with checks, recording and compiling.
        confusion_matrix: how often each class (a row) was taken for each (a column), if it was asked for: of the
            validation examples in the epoch whose weights are kept; without validation, of all in the last epoch.

    Arguments:
        metrics: the names of the figures that were asked for, beside the loss.

    `print(history)` shows a table; where there are too many figures for 80 columns, two or more below each other. It
    marks the best epoch where `fit` keeps its weights: where there is a validation loss.

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

    loss, accuracy, validation_loss, validation_accuracy = _Figure(), _Figure(), _Figure(), _Figure()
    precision, recall, f1 = _Figure(), _Figure(), _Figure()
    validation_precision, validation_recall, validation_f1 = _Figure(), _Figure(), _Figure()
    r2, mae, mse = _Figure(), _Figure(), _Figure()
    validation_r2, validation_mae, validation_mse = _Figure(), _Figure(), _Figure()

    def __init__(
        self, engine: str = "eager", python: str = "", why_eager: str = "", metrics: Iterable[str] = ()
    ) -> None:
        self.metrics = tuple(metrics)
        self.engine = engine
        self.why_eager = why_eager
        self.python = python
        self.stopped = ""
        self.seconds = 0.0
        self.preparation = 0.0
        self.film: Recording | None = None
        self._begin()

    def _begin(self) -> None:
        """Forgets all epochs."""
        self.epochs: list[dict[str, float]] = []
        self.confusion_matrix: list[list[float]] | None = None
        self._seen: dict[str, None] = {}  # the names of the figures so far
        self._best = {"loss": (inf, 0), "validation_loss": (inf, 0)}  # the lowest so far, and its epoch

    def append(self, figures: dict[str, float]) -> None:
        """Adds the figures of one more epoch."""
        self.epochs.append(dict(figures))
        self._seen |= dict.fromkeys(figures)
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

    def figure(self, name: str) -> list[float]:
        """The figure of that name in each epoch that has it.

        >>> History().figure("validation_loss")
        []
        """
        return [figures[name] for figures in self.epochs if name in figures]

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest validation loss (without validation: training loss)."""
        return self._best["validation_loss" if "validation_loss" in self._seen else "loss"][1]

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights `fit` keeps: with validation the best one; 0 without, where the last weights stay."""
        return self.best_epoch if "validation_loss" in self._seen else 0

    if not TYPE_CHECKING:  # or a type checker would take any name for a figure

        def __getattr__(self, name: str) -> list[float]:
            """A figure of one's own."""
            metrics = vars(self).get("metrics", ())
            if bare_name(name) not in metrics:
                meant = "" if name.startswith("_") else did_you_mean(name, dir(type(self)))
                raise AttributeError(f"'History' object has no attribute {name!r}{meant}")
            return self.figure(name)

    def __dir__(self) -> list[str]:
        own = [f"{part}{name}" for name in self.metrics for part in ("", "validation_")]
        return sorted({*super().__dir__(), *own} - {f"validation_{CONFUSION_MATRIX}"})

    def header(self) -> str:
        """The names above the table: on one line, or where that is too long for a terminal on two."""
        return _header(self._heads())

    def line(self, i: int) -> str:
        """The figures of the epoch at index i, as a line of the table."""
        return self._line(i, self._heads())

    def _line(self, i: int, heads: dict[str, list[str]]) -> str:
        figures = self.epochs[i]
        cells = "".join(f"  {_cell(name, figures.get(name)):>{_width(head)}}" for name, head in heads.items())
        return f"{(i if i >= 0 else i + len(self)) + 1:>5}{cells}"

    def _heads(self) -> dict[str, list[str]]:
        """The lines of words above the column of each figure."""
        one = {name: [_short(name)] for name in self._names()}
        if _room(one) <= WIDEST:
            return one
        return {name: ["validation" if is_of_validation(name) else "", _short(bare_name(name))] for name in one}

    def _names(self) -> list[str]:
        """The figures there are: those of training, then those of validation, each in the order of `KNOWN`."""
        order = [*KNOWN, *(name for name in self.metrics if name not in KNOWN)]
        return [f"{part}{name}" for part in ("", "validation_") for name in order if f"{part}{name}" in self._seen]

    def __str__(self) -> str:
        reason = [self.stopped] if self.stopped.startswith("the loss is") else []
        marks = ["  best" if i + 1 == self.kept_epoch else "" for i in range(len(self))]
        tables = [
            "\n".join([_header(heads), *(self._line(i, heads) + mark for i, mark in enumerate(marks))])
            for heads in _fitting(self._heads())
        ]
        return "\n".join(["\n\n".join(tables), *reason])

    def __repr__(self) -> str:
        return f"History({len(self)} epochs, best {self.best_epoch}, stopped: {self.stopped})"

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of its past: the figures, the time it took, and why it stopped."""
        return {
            "epochs": [dict(figures) for figures in self.epochs],
            "seconds": self.seconds,
            "preparation": self.preparation,
            "stopped": self.stopped,
            **({} if self.confusion_matrix is None else {CONFUSION_MATRIX: self.confusion_matrix}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over a `state_dict()`; changes nothing if it does not fit.

        Raises:
            ValueError: it is something else, or damaged.
        """
        parts = {"epochs", "seconds", "preparation", "stopped"}
        if not isinstance(state, dict) or state.keys() - {CONFUSION_MATRIX} != parts:
            raise ValueError(f"this is not the state_dict of a History; got {shown(state)}")
        _check_epochs(state["epochs"], [*KNOWN, *self.metrics])
        _check_matrix(state.get(CONFUSION_MATRIX))
        for name in ("seconds", "preparation"):
            if not _is_number(state[name]) or not 0.0 <= state[name] < inf:
                raise ValueError(f"a History takes a number of at least 0 for {name}; got {shown(state[name])}")
        if not isinstance(state["stopped"], str):
            raise ValueError(f"a History says in words why it stopped; got {shown(state['stopped'])}")
        self._begin()
        for figures in state["epochs"]:
            self.append(figures)
        self.confusion_matrix = state.get(CONFUSION_MATRIX)
        self.seconds = state["seconds"]
        self.preparation = state["preparation"]
        self.stopped = state["stopped"]

    def plot(self) -> Any:
        """Draws loss, accuracy and whatever else was computed by epoch, with matplotlib; returns the figure.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: no epoch was finished.
        """
        kinds = list(dict.fromkeys(map(bare_name, self._names())))
        columns = min(3, max(1, len(kinds)))
        rows = -(-len(kinds) // columns)
        figure = new_figure(5.0 * columns, 3.5 * max(1, rows), "History.plot")
        if not len(self):
            raise ValueError("there is nothing to plot yet: no epoch was finished")
        for place, kind in enumerate(kinds):
            ax = figure.add_subplot(rows, columns, place + 1)
            for name, style in ((kind, "-"), (f"validation_{kind}", "--")):
                points = [(epoch, figures[name]) for epoch, figures in enumerate(self.epochs, 1) if name in figures]
                if points:
                    ax.plot(*zip(*points, strict=True), style, label=name.replace("_", " "))
            if self.kept_epoch:
                ax.axvline(self.kept_epoch, color="gray", linewidth=0.8, label="best epoch")
            ax.set(xlabel="epoch", ylabel=kind.replace("_", " "))
            ax.xaxis.get_major_locator().set_params(integer=True)  # there is no epoch 2.5
            ax.legend()
        return figure


def is_of_validation(name: str) -> bool:
    """Whether a figure is one of the examples for validation."""
    return name.startswith("validation_")


def bare_name(name: str) -> str:
    """The name of a figure, without what says of which examples it is."""
    return name.removeprefix("validation_")


def _check_matrix(matrix: Any) -> None:
    """Raises ValueError unless these are counts of confusions, or there are none."""
    rows = [] if matrix is None else matrix
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != len(rows) for row in rows):
        raise ValueError(f"a confusion matrix has a row and a column for each class; got {shown(matrix)}")
    for count in (count for row in rows for count in row):
        if not _is_number(count) or not 0.0 <= count < inf:
            raise ValueError(f"a confusion matrix takes numbers of at least 0; got {shown(count)}")


def _check_epochs(epochs: Any, names: list[str]) -> None:
    """Raises ValueError unless these are figures of epochs, with these names."""
    if not isinstance(epochs, list) or not all(isinstance(figures, dict) for figures in epochs):
        raise ValueError(f"a History takes a list of figures by name; got {shown(epochs)}")
    for figures in epochs:
        if not all(isinstance(name, str) and bare_name(name) in names for name in figures):
            raise ValueError(f"a History has the figures {', '.join(names)}; got {shown(figures)}")
        for name, figure in figures.items():
            if not _is_number(figure) or (bare_name(name) in SHARES and not 0.0 <= figure <= 1.0):
                raise ValueError(f"a History takes a number for {name}, a share for an accuracy; got {shown(figure)}")


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _short(name: str) -> str:
    """The name of a figure as words, without its end if it is long."""
    words = name.replace("_", " ")
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _room(heads: Mapping[str, list[str]]) -> int:
    """How many columns a table of these figures has."""
    return len("epoch") + sum(2 + _width(head) for head in heads.values()) + len("  best")


def _fitting(heads: Mapping[str, list[str]]) -> list[dict[str, list[str]]]:
    """The figures in parts, each of which has room for its table: where they do not fit, those for validation apart."""
    if _room(heads) <= WIDEST:
        return [dict(heads)]
    parts: list[dict[str, list[str]]] = []
    for name, head in heads.items():
        begins = not parts or is_of_validation(name) != is_of_validation(next(iter(parts[-1])))
        if begins or _room({**parts[-1], name: head}) > WIDEST:
            parts.append({})
        parts[-1][name] = head
    return parts


def _header(heads: Mapping[str, list[str]]) -> str:
    """The lines of names above a table of these figures."""
    lines = []
    for k in range(max(map(len, heads.values()), default=1)):
        lines.append("".join(f"  {head[k]:>{_width(head)}}" for head in heads.values()))
    return "\n".join([*(f"     {line}" for line in lines[:-1] if line.strip()), f"epoch{lines[-1]}"])


def _width(head: list[str]) -> int:
    return max(NARROWEST, *map(len, head))


def _cell(name: str, figure: float | None) -> str:
    if figure is None:
        return ""
    if name.endswith("accuracy"):
        return f"{100.0 * figure:.1f} %"
    kind = "f" if figure == 0.0 or 1e-3 <= abs(figure) < 1e3 else "e"
    cells = (f"{figure:.{digits}{kind}}" for digits in ((4, 3) if kind == "f" else (2, 1, 0)))
    return next(cell for cell in cells if len(cell) <= NARROWEST)
