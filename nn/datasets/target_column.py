"""What is to be predicted? A column's classes, which are numbered, or a quantity; and in which rows it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args

from autograd.reals import shown
from nn.datasets.column_codes import as_text, brief, cells_of, number
from nn.datasets.columns import Column
from nn.datasets.dataset import counted, first_ones
from nn.datasets.table import Table

Task = Literal["classification", "regression"]

MOST_CLASSES = 20
"""A target with more different whole numbers is a quantity, such as an age."""


@dataclass(frozen=True)
class Target:
    """The column to predict.

    Arguments:
        name: the column.
        task: whether it holds classes or a quantity.
        classes: the labels of class 0, 1, ..., sorted: texts, whole numbers or booleans; empty for a quantity.
        described: what it held in the training rows, in a few words.

    >>> birds = Table({"kind": ["tern", "gull", "tern"], "wing": [27.5, 42.0, 26.0]})
    >>> target = Target.of(birds, "kind")
    >>> target.classes, target.numbers(birds)
    (['gull', 'tern'], [1, 0, 1])
    >>> Target.of(birds, "wing").task
    'regression'
    """

    name: str
    task: Task
    classes: list[Any]
    described: str

    @classmethod
    def of(cls, table: Table, name: str, task: Task | None = None) -> "Target":
        """Learns what the target is.

        Arguments:
            table: the rows to learn from; the target is known in all of them, see `known_rows`.
            name: the column to predict.
            task: by default classification, if it holds text, booleans or up to 20 different whole numbers.

        Raises:
            ValueError: the column cannot be predicted, or not so.
        """
        check_choice("task", task, (None, *get_args(Task)))
        column = table[name]
        if column.kind == "date":
            raise ValueError(
                f"{table.source} has dates in the column {name!r}, which cannot be predicted: choose another target, "
                f"or make a column of numbers of it, such as the days since a first date"
            )
        labels = list(dict.fromkeys(labels_in(column)))
        if len(labels) < 2:
            raise ValueError(
                f"{table.source} has the same value in all rows of the column {name!r}: there is nothing to learn"
            )
        if task is None:
            few = len(labels) <= MOST_CLASSES and all(isinstance(label, int) for label in labels)
            task = "classification" if column.kind != "number" or few else "regression"
        if task == "regression":
            numbers = _quantities(table, name)
            return cls(name, task, [], f"number, {brief(min(numbers))} to {brief(max(numbers))}")
        return cls(name, task, _sorted(labels, table, name), counted(len(labels), "class", "classes"))

    @property
    def text(self) -> bool:
        """Whether the labels are texts, so that the column is to be read as text."""
        return bool(self.classes) and isinstance(self.classes[0], str)

    def numbers(self, table: Table) -> list[Any]:
        """The number of each row's class, or its quantity.

        Raises:
            ValueError: the column is not there; a cell is empty, of another kind than in training, or a class that the
                training rows did not have.
        """
        if self.name not in table:
            raise ValueError(
                f"{table.source} has no column {self.name!r}, which is the target{meant(self.name, table)}: add it, or "
                f"use predict, which does without"
            )
        cells = table[self.name].values
        if None in cells:
            raise ValueError(
                f"{table.where(cells.index(None))} has no target, an empty cell in column {self.name!r}: "
                f"fill it in, or leave the row out"
            )
        return self._class_numbers(table) if self.classes else _quantities(table, self.name)

    def _class_numbers(self, table: Table) -> list[int]:
        places = {label: k for k, label in enumerate(self.classes)}
        labels = _labels(table, self.name, type(self.classes[0]))
        numbers = [places.get(label, -1) for label in labels]
        if -1 in numbers:
            i = numbers.index(-1)
            raise ValueError(
                f"{table.where(i)} has the class {shown(labels[i])} in column {self.name!r}; the model knows "
                f"{first_ones(self.classes)}: "
                f"leave such rows out, or train with some of them"
            )
        return numbers

    @classmethod
    def from_state(cls, state: Any) -> "Target":
        """The target of which a checkpoint holds the fields.

        Raises:
            ValueError: they do not fit together.
        """
        wanted = {"name": str, "task": str, "classes": list, "described": str}
        if not isinstance(state, dict) or {name: type(part) for name, part in state.items()} != wanted:
            raise ValueError(f"a target is described by {', '.join(wanted)}; got {shown(state)}")
        classes, task = state["classes"], state["task"]
        check_choice("task", task, get_args(Task))
        kinds = {type(label) for label in classes}
        if (len(kinds) > 1 or not kinds <= {str, int, bool}) or len(set(classes)) < len(classes):
            raise ValueError(f"the classes of a target are different labels of one kind; got {shown(classes)}")
        if (len(classes) < 2) == (task == "classification"):
            raise ValueError(f"a {task} cannot have {counted(len(classes), 'class', 'classes')}")
        return cls(**state)


def known_rows(table: Table, target: str) -> Table:
    """The rows whose target is known.

    Raises:
        ValueError: the table has no such column, or no row with a target.
    """
    if target not in table:
        raise ValueError(
            f"{table.source} has no column {target!r}{meant(target, table)}: choose the target from "
            f"{first_ones(table.names)}"
        )
    cells = table[target].values
    if None not in cells:
        return table
    known = [i for i, cell in enumerate(cells) if cell is not None]
    if not known:
        raise ValueError(f"{table.source} has no value in the column {target!r}: choose another target")
    return table.rows(known)


def meant(name: str, table: Table) -> str:
    """A word on the column that was probably meant."""
    found = get_close_matches(name.lower(), [other.lower() for other in table.names], n=1)
    close = next((other for other in table.names if found and other.lower() == found[0]), None)
    return "" if close is None else f" (did you mean {close!r}?)"


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raises ValueError unless the value is one of the choices, which are texts, or None."""
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        raise ValueError(f"{name} takes {', '.join(repr(choice) for choice in choices)}; got {shown(value)}")


def _sorted(labels: list[Any], table: Table, name: str) -> list[Any]:
    """The classes in order."""
    broken = next((label for label in labels if isinstance(label, float)), None)
    if broken is not None:
        raise ValueError(
            f"{table.where(table[name].values.index(broken))} has {shown(broken)} in the target column {name!r}; "
            f"classes are text, whole numbers, or true and false: write those, or choose the task regression"
        )
    return sorted(labels)


def labels_in(column: Column) -> list[Any]:
    """The cells of a target; whole numbers as ints where all are, for gaps make floats of them in a data frame."""
    if column.kind != "number" or not all(float(cell).is_integer() for cell in column.values):
        return column.values
    return list(map(int, column.values))


def _labels(table: Table, name: str, kind: type) -> list[Any]:
    """The labels of all rows, of the kind that the classes are where they can be."""
    if kind is str:
        return as_text(table, name)
    cells = labels_in(table[name])
    return [kind(cell) if cell in (0, 1) else cell for cell in cells]


def _quantities(table: Table, name: str) -> list[float]:
    """The numbers in the target's column."""

    def wrong(cell: Any, where: str) -> ValueError:
        return ValueError(
            f"{where} has {shown(cell)} in the target column {name!r}; the model predicts a number: write one there, "
            f"or leave the row out"
        )

    if table[name].kind == "number":
        return list(map(float, table[name].values))
    found: list[float] = cells_of(table, name, number, wrong)
    if table[name].kind == "text":  # codes, such as 007
        raise wrong(table[name].values[0], table.where(0))
    return found
