"""What does an experiment give? Its measurements: as a table, as a picture, and as claims found true or false.

Each experiment is a function of a seed that returns an `Experiment`. No claim is taken for granted: `holds` is computed
from what was measured.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from autograd.reals import as_count
from autograd.terminal import table, wrapped
from nn.losses import Loss, LossName
from nn.module import Module
from nn.optim import Optimizer
from nn.training.fit import fit
from nn.training.history import History


@dataclass(frozen=True)
class Claim:
    """A sentence about the measurements, what was seen, and whether it holds.

    Arguments:
        text: what is claimed, such as "ReLU learns the digits".
        seen: the figures it is judged by, such as "97.5 % right".
        holds: whether they support it.

    >>> print(Claim("ReLU learns the digits", "97.5 % right", True))
    yes: ReLU learns the digits (97.5 % right)
    """

    text: str
    seen: str
    holds: bool

    def __str__(self) -> str:
        return f"{'yes' if self.holds else 'NO'}: {self.text} ({self.seen})"


def learn(
    model: Module, X: Any, Y: Any, optimizer: Optimizer, loss: Loss | LossName = "cross_entropy", **settings: Any
) -> History:
    """`fit`, except that Ctrl-C ends the experiment: the figures of half a run would mislead.

    Arguments:
        model, X, Y: what learns, and from what.
        optimizer, loss, settings: those of `nn.fit`.
    """
    history = fit(model, X, Y, loss=loss, optimizer=optimizer, **settings)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return history


def checked(seed: Any, **counts: Any) -> int:
    """The seed as an int, if it is a whole number of at least 0 and the others are whole numbers of at least 1.

    Raises:
        TypeError, ValueError: one of them is something else.

    >>> checked(3, examples=0)
    Traceback (most recent call last):
    ...
    ValueError: examples takes a whole number of at least 1; got 0
    """
    for name, number in counts.items():
        for n in number if isinstance(number, tuple) else (number,):
            as_count(n, name)
    return as_count(seed, "seed", least=0)


class Experiment:
    """What was measured. A subclass is a frozen dataclass of the figures; this class shows them.

    Attributes:
        title: what was tried, in a few words.
    """

    title: ClassVar[str]

    def header(self) -> list[str]:
        """The names of the table's columns."""
        raise NotImplementedError

    def rows(self) -> list[list[str]]:
        """The lines of the table, a text for each column."""
        raise NotImplementedError

    def claims(self) -> list[Claim]:
        """What the measurements show."""
        raise NotImplementedError

    def plot(self) -> Any:
        """The figure, drawn with matplotlib."""
        raise NotImplementedError

    def __str__(self) -> str:
        claims = [wrapped(str(claim), indent="     " if claim.holds else "    ") for claim in self.claims()]
        return "\n".join([self.title, "", table(self.header(), self.rows()), "", *claims])
