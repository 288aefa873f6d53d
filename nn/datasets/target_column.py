"""What is to be predicted? A column's classes, which are numbered, or a quantity; and in which rows it is known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autograd.reals import shown
from autograd.spelling import did_you_mean
from nn.datasets.column_codes import brief, known_texts
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
        decimal: what stood before decimals in texts, if any had them.

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
    decimal: str | None = None

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
        labels = _different(labels_in(column))
        if len(labels) < 2:
            raise ValueError(
                f"{table.source} has the same value in all rows of the column {name!r}: there is nothing to learn"
            )
        if task is None:
            few = len(labels) <= MOST_CLASSES and all(isinstance(label, int) for label in labels)
            task = "classification" if column.kind != "number" or few else "regression"
        if task == "regression":
            if column.kind == "text" and _are_truths(labels):  # which would be 1 and 0
                raise ValueError(
                    f"{table.where(0)} has {shown(column.values[0])} in the target column {name!r}, where a number is "
                    f"wanted: write one there, or leave the row out"
                )
            column = table.read(name, "number")
            numbers = list(map(float, column.values))
            return cls(name, task, [], f"number, {brief(min(numbers))} to {brief(max(numbers))}", column.style.decimal)
        return cls(name, task, _sorted(labels, table, name), counted(len(labels), "class", "classes"))

    @property
    def text(self) -> bool:
        """Whether the labels are texts."""
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
        cells = self._labels(table) if self.classes else self._quantities(table)
        if None in cells:
            raise ValueError(
                f"{table.where(cells.index(None))} has no target, an empty cell in column {self.name!r}: "
                f"fill it in, or leave the row out"
            )
        return self._class_numbers(table, cells) if self.classes else cells

    def _quantities(self, table: Table) -> list[Any]:
        """The numbers in the target's column, None for a gap."""
        cells = table.read(self.name, "number", decimal=self.decimal).values
        return [None if cell is None else float(cell) for cell in cells]

    def _labels(self, table: Table) -> list[Any]:
        """The labels of all rows, of the kind that the classes are where they can be."""
        if isinstance(self.classes[0], str):
            if _are_truths(self.classes):
                return table.read(self.name, "text").values
            return known_texts(table, self.name, self.classes)
        try:
            return table.read(self.name, "boolean" if isinstance(self.classes[0], bool) else "number").values
        except ValueError:  # one of them is no class, which is said of it below
            return table.read(self.name, "text").values

    def _class_numbers(self, table: Table, labels: list[Any]) -> list[int]:
        places = {label: k for k, label in enumerate(self.classes)}
        if _are_truths(self.classes):
            labels = [_like(label, self.classes) for label in labels]
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
        wanted = {"name": str, "task": str, "classes": list, "described": str, "decimal": str}
        given = {name: type(part) for name, part in state.items()} if isinstance(state, dict) else {}
        if given != wanted and given != {**wanted, "decimal": type(None)}:
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
    try:
        cells = table[target].values
    except ValueError:  # what is unclear may be clear to those who know the target
        cells = table.read(target, "text").values
    if None not in cells:
        return table
    known = [i for i, cell in enumerate(cells) if cell is not None]
    if not known:
        raise ValueError(f"{table.source} has no value in the column {target!r}: choose another target")
    return table.rows(known)


def meant(name: str, table: Table) -> str:
    """A word on the column that was probably meant."""
    return did_you_mean(name, table.names)


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


def _different(labels: list[Any]) -> list[Any]:
    """The different labels; yes and no, true and false in the spelling that most of them have."""
    counts = Counter(labels)
    if not _are_truths(list(counts)):
        return list(counts)
    usual: dict[str, str] = {}
    for label, _ in counts.most_common():
        usual.setdefault(label.lower(), label)
    return list(usual.values())


def _are_truths(labels: list[Any]) -> bool:
    """Whether all labels are yes and no, or true and false, in capitals or not."""
    words = {label.lower() if isinstance(label, str) else "" for label in labels}
    return words <= {"yes", "no"} or words <= {"true", "false"}


def _like(label: Any, classes: list[Any]) -> Any:
    """The class that is this word, in capitals or not; the label itself if there is none."""
    return next((each for each in classes if str(label).lower() == each.lower()), label)
