"""How many examples were classified right?"""

import numpy as np

from autograd.compiler.backend import Numbers, Words


def count_right(outputs: Numbers, classes: Numbers, order: Words) -> int:
    """How many rows have their largest number in the place that their class tells, as Python's `max` finds it.

    Arguments: as for `native.count_right`.
    """
    largest = np.where(np.isnan(outputs), -np.inf, outputs).argmax(axis=1)
    largest[np.isnan(outputs[:, 0])] = 0  # nothing is greater than a nan
    return int((largest == classes.ravel()[order]).sum())


class RightCounter:
    """Counts again and again, of the same classes.

    Arguments: as for `native.RightCounter`.
    """

    def __init__(self, outputs: Numbers, classes: Numbers) -> None:
        self._outputs, self._classes = outputs, classes

    def count(self, outputs: Numbers | None, order: Words) -> int:
        """How many of the rows are right; None for those where they were at first."""
        return count_right(self._outputs if outputs is None else outputs, self._classes, order)
