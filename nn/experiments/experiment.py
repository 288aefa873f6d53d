"""What does an experiment give? Its measurements, as a table, as a picture, and as claims that were found true or not.

Each experiment is a function of a seed that returns an `Experiment`. Nothing in a claim is assumed: `holds` is
computed from what was measured.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from nn.report import table, wrapped


@dataclass(frozen=True)
class Claim:
    """A sentence about the measurements, what was seen, and whether it holds.

    Arguments:
        text: what is claimed, such as "ReLU learns the digits".
        seen: the figures that it is judged by, such as "97.5 % right".
        holds: whether they bear it out.

    >>> print(Claim("ReLU learns the digits", "97.5 % right", True))
    yes: ReLU learns the digits (97.5 % right)
    """

    text: str
    seen: str
    holds: bool

    def __str__(self) -> str:
        return f"{'yes' if self.holds else 'NO'}: {self.text} ({self.seen})"


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
