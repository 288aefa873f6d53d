"""How many examples were classified right? Native code counts 1,797 of ten classes in 13 us, where NumPy takes 70."""

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.compiler.native.loading import classification
from autograd.compiler.native.run import address_of


def count_right(outputs: Numbers, classes: Numbers, order: Words) -> int:
    """How many rows have their largest number in the place that their class tells, as Python's `max` finds it.

    Arguments:
        outputs: a row for each place in the order. Rows may lie apart, the numbers of a row next to each other.
        classes: those of all examples.
        order: which examples they are.
    """
    return RightCounter(outputs, classes).count(outputs, order)


class RightCounter:
    """Counts again and again, of the same classes, in 1 us where `count_right` takes 3.

    Arguments:
        outputs: rows such as will be counted. Those that lie there need not be given again.
        classes: those of all examples.
    """

    def __init__(self, outputs: Numbers, classes: Numbers) -> None:
        self._right, self._alive = np.empty(1, np.int64), (outputs, classes)
        self._columns, self._width = outputs.strides[0] // outputs.itemsize, outputs.shape[1]
        self._outputs, self._classes, self._answer = map(address_of, (outputs, classes, self._right))
        self._function = classification().count_right

    def count(self, outputs: Numbers | None, order: Words) -> int:
        """How many of the rows are right.

        Arguments:
            outputs: the rows; None for those where they were at first.
            order: which examples they are.
        """
        first = self._outputs if outputs is None else address_of(outputs)
        self._function(first, self._columns, self._width, self._classes, address_of(order), len(order), self._answer)
        return int(self._right[0])
