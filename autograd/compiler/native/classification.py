"""How does native code count the examples that are classified right? By the first of the largest outputs."""

from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, Code, Pointer
from autograd.compiler.native.translation import native, write_function
from autograd.compiler.native.vectors import Numbers, Words


@native
def count_right(
    outputs: Numbers, columns: int, width: int, classes: Numbers, order: Words, count: int, right: Words
) -> None:
    """How many rows have their largest number in the place that their class tells, as Python's `max` finds it.

    Arguments:
        outputs: the first row; the next one begins `columns` numbers further.
        width: how many numbers a row has.
        classes: those of all examples.
        order: which example each of the `count` rows belongs to.
        right: for the answer.
    """
    found = 0
    for i in range(count):
        row = outputs + i * columns
        largest, place = row[0], 0
        for k in range(1, width):  # both are chosen without a branch: nobody can guess where the largest will be
            is_larger = row[k] > largest
            place = k if is_larger else place
            largest = row[k] if is_larger else largest
        found += place == classes[order[i]]
    right[0] = found


def write_classification(code: Code) -> None:
    """Writes `count_right`."""

    def wrapped(outputs, columns, width, classes, order, count, right):  # type: ignore[no-untyped-def]
        places = [code.term(columns), code.term(width), Pointer(code, classes, FLOAT), Pointer(code, order, INT)]
        return [Pointer(code, outputs, FLOAT), *places, code.term(count), Pointer(code, right, INT)]

    write_function(code, "count_right", count_right, [ADDRESS, INT, INT, ADDRESS, ADDRESS, INT, ADDRESS], wrapped)
