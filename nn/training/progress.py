"""How is the progress of a training run shown? By tqdm's bar, in a terminal or a notebook."""

from typing import Any

from autograd.terminal import is_watched, progress_bars
from nn.training.history import History


class ProgressBar:
    """A bar over all the batches of a run, with the loss of the last epoch beside it.

    Arguments:
        steps: how many steps there may be, one for each batch.
        steps_per_epoch: how many of them make an epoch.
        shown: False for no bar at all.
        done: how many steps a resumed run has made already.
    """

    def __init__(self, steps: int, steps_per_epoch: int, shown: bool = True, done: int = 0) -> None:
        self._steps, self._epochs, self._done = steps, -(-steps // steps_per_epoch), done
        self._epoch = min(done // steps_per_epoch + 1, self._epochs)
        self._shown = shown
        self._bar: Any = None

    def begin(self, preparation: float) -> None:
        """Shows the bar, below whatever was shown before; and what went before the first step, if over a second."""
        if self._shown and is_watched():
            self._bar = progress_bars()(
                total=self._steps, initial=self._done, unit="batch", leave=False, dynamic_ncols=True
            )
            self._bar.set_description(f"epoch {self._epoch}/{self._epochs}")
            if preparation > 1.0:
                self._bar.set_postfix({"prepared in": f"{preparation:.1f} s"}, refresh=False)

    def advance(self, batches: int = 1) -> None:
        """Moves the bar by so many batches."""
        if self._bar is not None:
            self._bar.update(batches)

    def finish_epoch(self, history: History) -> None:
        """Shows the loss of the epoch that has just ended, and what was asked for, of validation if there is some."""
        if self._bar is not None:
            self._bar.set_description(f"epoch {min(len(history) + 1, self._epochs)}/{self._epochs}")
            shown = {"loss": "loss", **{name: f"validation_{name}" for name in history.metrics}}
            figures = {name: history[-1].get(other, history[-1].get(name)) for name, other in shown.items()}
            words = {name: f"{figure:.4f}" for name, figure in figures.items() if figure is not None}
            self._bar.set_postfix(words, refresh=False)

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
