"""How does a table become numbers for a network? By what was learned of its columns from the training rows.

`column_codes.py` has a code for each kind of column; this file chooses among them. `encoding_report.py` says what was
done with each column.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from itertools import chain
from math import fsum
from re import split as split_by
from statistics import fmean
from typing import Any, Literal, get_args

from autograd.reals import shown
from nn.datasets.column_codes import (
    PARTS,
    BooleanCode,
    CategoryCode,
    Code,
    DateCode,
    LeftOut,
    NumberCode,
    OrderedCode,
    brief,
    code_of,
    days,
    told_by,
)
from nn.datasets.columns import Column, written
from nn.datasets.dataset import counted
from nn.datasets.encoding_report import report_of
from nn.datasets.frames import as_name
from nn.datasets.table import Table
from nn.datasets.tables import as_array
from nn.datasets.target_column import Target, Task, check_choice, known_rows, meant

Gaps = Literal["mean", "most frequent", "error"]
Unseen = Literal["other", "error"]
TextCode = str | Sequence[str]
""" "one-hot", "ordered", or the values in their order."""

MOST_CATEGORIES = 30
"""Of a text column with more, the most frequent ones have an input each, and all others share one."""
FEW = 10
"""A text column with so few different texts is never taken for names."""


class TableEncoder:
    """How the columns of a table become the inputs of a network, and its target what the network learns.

    `TableEncoder.of` learns it from training rows, so that nothing of the validation and test rows leaks into it.

    Attributes:
        codes: the code of each column, in the order of the table.
        aim: the `Target`; None where the targets come from elsewhere.
        gap_words: the words that stood for gaps besides the usual ones.

    >>> table = Table({"sex": ["f", "m", "m", "f"], "age": [30, None, 50, 40], "alive": [True, False, False, True]})
    >>> encoder = TableEncoder.of(table, "alive")
    >>> encoder.feature_names
    ['sex=f', 'sex=m', 'age', 'age is missing']
    >>> [list(map(float, row)) for row in encoder.inputs(table)][1]
    [0.0, 1.0, 40.0, 1.0]
    >>> list(map(int, encoder.targets(table))), encoder.classes
    ([1, 0, 0, 1], [False, True])
    """

    def __init__(self, codes: Sequence[Code] = (), aim: Target | None = None, gap_words: Sequence[str] = ()) -> None:
        if not codes:
            raise TypeError("an encoder is learned from a table: write TableEncoder.of(table, target)")
        self.codes = list(codes)
        self.aim = aim
        self.gap_words = list(gap_words)

    @classmethod
    def of(
        cls,
        table: Any,
        target: str | None,
        *,
        task: Task | None = None,
        text: Literal["one-hot", "ordered"] | Mapping[str, TextCode] = "one-hot",
        gaps: Gaps | Mapping[str, Gaps] | None = None,
        unseen: Unseen = "other",
    ) -> "TableEncoder":
        """Learns from the training rows how to encode the columns.

        Numbers stay as they are; booleans become 0 and 1; a date becomes the days since the first one, with the season,
        the weekday and the time of day where they differ; a text becomes one input for each category. Gaps are filled,
        and one more input says that there was one. A column without information is left out: a constant, or texts
        that are nearly all different, such as names.

        Arguments:
            table: the training rows, a `Table` or whatever one is made of. Rows without a target are not learned from.
            target: the name of the column to predict, or None.
            task: by default classification, if the target holds text, booleans or up to 20 different whole numbers.
            text: "one-hot", or "ordered" (0, 1, ... in the sorted order of the texts), for all text columns; or a
                mapping from columns to one of these, or to a list of their values in order.
            gaps: "mean", "most frequent" or "error", for all columns, or a mapping. By default the mean of numbers and
                dates, and the most frequent text and boolean.
            unseen: what a text becomes later that did not occur here: "other", no category at all (in an ordered
                column: as a gap), or "error".

        Returns:
            the encoder.

        Raises:
            ValueError: a column does not exist, the target is no target, an argument is none of the above, or an
                ordered column holds a text that is not among the values given. The message says which one.
        """
        table = table if isinstance(table, Table) else Table(table)
        if target is not None:
            target = as_name(target)
            table = known_rows(table, target)
        settings = _Settings(table, target, text, gaps, unseen)
        codes = [_learned(table, name, settings) for name in table.names if name != target]
        if not any(code.names() for code in codes):
            raise ValueError(f"{table.source} has no column to learn from: {_why_none(codes, table)}")
        return cls(codes, None if target is None else Target.of(table, target, task), table.gap_words)

    @property
    def target(self) -> str | None:
        """The name of the column to predict; None where the targets come from elsewhere."""
        return None if self.aim is None else self.aim.name

    @property
    def task(self) -> Task | None:
        """ "classification" or "regression"; None without a target."""
        return None if self.aim is None else self.aim.task

    @property
    def classes(self) -> list[Any]:
        """The labels of class 0, 1, ...: texts, whole numbers or booleans; empty for a regression."""
        return [] if self.aim is None else list(self.aim.classes)

    @property
    def feature_names(self) -> list[str]:
        """The names of the inputs, such as "age", "age is missing", "sex=female"."""
        return list(chain.from_iterable(code.names() for code in self.codes))

    @property
    def columns_used(self) -> list[str]:
        """The columns that a table must have to be encoded."""
        return [code.name for code in self.codes if code.names()]

    def table(self, source: Any) -> Table:
        """The `Table` of a file, a frame or the like, in which the same words stand for gaps as in training."""
        return Table(source, gap_words=self.gap_words)

    def inputs(self, table: Any) -> Any:
        """The inputs of a network for each row of a table.

        Arguments:
            table: a `Table`, or whatever one is made of, with the columns used; others do not count.

        Returns:
            a float64 array, n rows by the number of `feature_names`; a list of lists where NumPy is not installed.

        Raises:
            ValueError: a column is missing, or a cell is of another kind than in training, or a text that was not seen
                in training where that is an error.
        """
        table = self.table(table)
        self._check_columns(table)
        blocks = [code.inputs(table) for code in self.codes if code.names()]
        if find_spec("numpy") is None:
            return [list(chain.from_iterable(parts)) for parts in zip(*blocks, strict=True)]
        import numpy as np

        return np.concatenate(blocks, axis=1)

    def targets(self, table: Any) -> Any:
        """The number of each row's class, or its quantity.

        Arguments:
            table: it has the target, in every row; see `known_rows`.

        Returns:
            an array, of int64 or float64; a list where NumPy is not installed.

        Raises:
            ValueError: the target is missing, in one row or in all, or is of another kind than in training, or a class
                that the training rows do not have.
        """
        if self.aim is None:
            raise ValueError("this encoder has no target: pass one to TableEncoder.of(table, target)")
        return as_array(self.aim.numbers(self.table(table)), "int64" if self.aim.classes else "float64")

    def report(self) -> str:
        """A table with a line for each column: what it is, and what was done with it."""
        return report_of(self.codes, self.aim)

    def state_dict(self) -> dict[str, Any]:
        """The encoder as plain data that JSON can hold, exactly."""
        return {
            "columns": [code.state() for code in self.codes],
            "target": None if self.aim is None else vars(self.aim),
            "gap_words": self.gap_words,
        }

    @classmethod
    def from_state(cls, state: Any) -> "TableEncoder":
        """The encoder that `state_dict` has described.

        Raises:
            ValueError: the description is damaged.
        """
        wanted = {"columns", "target", "gap_words"}
        if not isinstance(state, dict) or state.keys() != wanted or type(state["columns"]) is not list:
            raise ValueError(f"an encoder is described by columns, a target, and words for gaps; got {shown(state)}")
        words = state["gap_words"]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError(f"the words for gaps of an encoder are a list of texts; got {shown(words)}")
        codes = [code_of(column) for column in state["columns"]]
        aim = None if state["target"] is None else Target.from_state(state["target"])
        names = [code.name for code in codes] + ([] if aim is None else [aim.name])
        if len(set(names)) < len(names) or not any(code.names() for code in codes):
            raise ValueError("an encoder has columns of different names, one of them used, and a target besides")
        return cls(codes, aim, words)

    def _check_columns(self, table: Table) -> None:
        """Raises ValueError if a column that is used is not there."""
        there, wanted = set(table.names), self.columns_used
        lacking = [name for name in wanted if name not in there]
        if lacking:
            few = ", ".join(f"{name!r}{meant(name, table)}" for name in lacking[:10])
            raise ValueError(
                f"{table.source} lacks {len(lacking)} of the {counted(len(wanted), 'column')} that the model was "
                f"trained with, {few}{', ...' * (len(lacking) > 10)}: add what is lacking, with empty cells if it is "
                f"not known, or rename the columns that are meant"
            )


class _Settings:
    """What was asked for, column by column."""

    def __init__(self, table: Table, target: str | None, text: Any, gaps: Any, unseen: Any) -> None:
        check_choice("unseen", unseen, get_args(Unseen))
        self.unseen = unseen
        self.named = {as_name(name): how for name, how in text.items()} if isinstance(text, Mapping) else {}
        self.text = "one-hot" if isinstance(text, Mapping) else text
        self.gaps_named = {as_name(name): fill for name, fill in gaps.items()} if isinstance(gaps, Mapping) else {}
        self.gaps = None if isinstance(gaps, Mapping) else gaps
        for name in [*self.named, *self.gaps_named]:
            if name not in table:
                raise ValueError(f"{table.source} has no column {name!r}{meant(name, table)}")
            if name == target:
                raise ValueError(f"the column {name!r} is the target: it is not encoded as an input")
        if self.text not in ("one-hot", "ordered"):
            raise ValueError(
                f"text takes 'one-hot' or 'ordered' for all columns, or a mapping from columns to one of these or to "
                f"the values in their order, such as {{'size': ['low', 'high']}}; got {shown(self.text)}"
            )
        for how in self.named.values():
            _check_text(how)
        for fill in [self.gaps, *self.gaps_named.values()]:
            check_choice("gaps", fill, (None, *get_args(Gaps)))

    def fill_of(self, name: str, kind: str) -> str:
        """How to fill the gaps of a column."""
        usual = "mean" if kind in ("number", "date") else "most frequent"
        if name in self.gaps_named:
            if self.gaps_named[name] == "mean" and usual != "mean":
                raise ValueError(f"the column {name!r} holds no numbers, so that it has no mean: say 'most frequent'")
            return str(self.gaps_named[name])
        return usual if self.gaps in (None, "mean") else str(self.gaps)


def _check_text(how: Any) -> None:
    """Raises ValueError unless this says how to encode text."""
    if how in ("one-hot", "ordered"):
        return
    if isinstance(how, str) or not isinstance(how, Sequence) or not how or len(set(map(written, how))) < len(how):
        raise ValueError(
            f"text takes 'one-hot', 'ordered', or a list of different values in their order; got {shown(how)}"
        )


# What is learned of a column


def _learned(table: Table, name: str, settings: _Settings) -> Code:
    """The code of a column."""
    how = settings.named.get(name, settings.text)
    column = _read(table, name, how if name in settings.named else None)
    kind, cells = column.kind, column.values
    present = [cell for cell in cells if cell is not None]
    gaps = len(cells) - len(present)
    # Numbers are not counted unless they must be: half the time of a table of 100,000 rows.
    counted_cells = set(present) if kind == "number" else Counter(present)
    words = _described(kind, counted_cells)
    why = _why_left_out(kind, counted_cells, len(present), name in settings.named)
    if why and "look like dates" in column.remark:
        why = "texts that look like dates"
    if why:
        return LeftOut(name, words, gaps if present else 0, why)
    fill = settings.fill_of(name, kind)
    if fill == "error" and gaps:
        raise ValueError(
            f"{table.where(cells.index(None))} has an empty cell in column {name!r}: fill it in, leave the row out, "
            f"or choose how gaps are filled"
        )
    common = (name, words, gaps)
    if kind == "number":
        return NumberCode(
            *common, _number_fill(present, fill), column.style.decimal, _number_rows(cells, counted_cells)
        )
    counts = Counter(counted_cells)
    if kind == "boolean":
        return BooleanCode(*common, None if fill == "error" else _most_frequent(counts))
    if kind == "date":
        return DateCode(*common, *_learned_dates(counts, fill), column.style.day_first)
    return _learned_text(table, cells, counts, how, common, fill, settings.unseen)


def _read(table: Table, name: str, how: Any) -> Column:
    """The column; as text where somebody says how its text is encoded, but for numbers that are just ordered."""
    if how is not None and not (how == "ordered" and table[name].kind == "number"):
        return table.read(name, "text")
    return table[name]


def _number_fill(numbers: list[Any], fill: str) -> float | None:
    """What fills the gaps of a column of numbers."""
    if fill == "error":
        return None
    if fill == "most frequent":
        return float(_most_frequent(Counter(numbers)))
    try:
        return fmean(numbers)
    except OverflowError:  # of the sum
        return fsum(number / len(numbers) for number in numbers)


def _number_rows(cells: list[Any], different: Collection[Any]) -> bool:
    """Whether a column looks like the numbers of the rows, or of some of them: whole, all different, close together."""
    whole = len(different) == len(cells) > FEW and all(type(cell) is int for cell in cells)
    return whole and max(different) - min(different) < 2 * len(cells)


def _most_frequent(counts: Counter[Any]) -> Any:
    """The most frequent cell; among equals the smallest."""
    return min(counts, key=lambda cell: (-counts[cell], cell))


def _learned_dates(counts: Counter[Any], fill: str) -> tuple[str | None, str, list[str]]:
    """What fills gaps, the first date, and what differs among the dates besides the day."""
    first = min(counts, key=days)
    parts = [part for part in PARTS if any(told_by(when, part) != told_by(first, part) for when in counts)]
    if fill == "error":
        return None, first.isoformat(), parts
    if fill == "most frequent":
        return min(counts, key=lambda when: (-counts[when], days(when))).isoformat(), first.isoformat(), parts
    mean = fmean(days(when) - days(first) for when in counts.elements())
    return _middle(first, mean).isoformat(), first.isoformat(), parts


def _middle(first: date, mean: float) -> date:
    """The date so many days after the first one, to the second; a whole day where there is no time."""
    if isinstance(first, datetime):
        return first + timedelta(seconds=round(86_400 * mean))
    return first + timedelta(days=round(mean))


def _learned_text(
    table: Table, cells: list[Any], counts: Counter[Any], how: Any, common: tuple[str, str, int], fill: str, unseen: str
) -> Code:
    """The code of a column of text."""
    usual = None if fill == "error" else _most_frequent(counts)
    if how == "one-hot":
        texts = sorted(counts, key=lambda text: (-counts[text], text))
        frequent, rare = sorted(texts[:MOST_CATEGORIES], key=natural), texts[MOST_CATEGORIES:]
        return CategoryCode(*common, usual, frequent, bool(rare), unseen, rare if unseen == "error" else [])
    if how == "ordered":
        return OrderedCode(*common, usual, sorted(counts, key=natural), unseen)
    order = list(map(written, how))
    for text in counts:
        if text not in order:
            raise unknown_in_order(text, table.where(cells.index(text)), common[0], order)
    return OrderedCode(*common, usual, order, unseen)


def unknown_in_order(text: str, where: str, name: str, order: list[str]) -> ValueError:
    """The error for a text of the training rows that the order given does not have."""
    return ValueError(
        f"{where} has {shown(text)} in column {name!r}, which is not among the values given, {', '.join(order)}: "
        f"give all values in their order, or mend the cell"
    )


def natural(text: str) -> tuple[Any, ...]:
    """A sort key that has "9" before "10", and "0-9 years" before "10-19 years".

    >>> sorted(["10-19", "100", "2-9", "1.5", "low"], key=natural)
    ['1.5', '2-9', '10-19', '100', 'low']
    """
    pieces = split_by(r"(\d+(?:\.\d+)?)", text)
    return tuple((0, float(piece), "") if k % 2 else (1, 0.0, piece) for k, piece in enumerate(pieces) if piece), text


def _described(kind: str, cells: Collection[Any]) -> str:
    """The different cells of a column in a few words."""
    if not cells:
        return "nothing"
    if kind == "text":
        return f"text, {counted(len(cells), 'value')}"
    if kind == "boolean":
        return "true or false"
    least, most = (min(cells), max(cells)) if kind == "number" else (min(cells, key=days), max(cells, key=days))
    return f"{brief(least)} to {brief(most)}" if kind == "date" else f"number, {brief(least)} to {brief(most)}"


def _why_left_out(kind: str, cells: Collection[Any], rows: int, asked_for: bool) -> str:
    """Why a column tells nothing, from its different cells and the number of all; empty if it does."""
    if not cells:
        return "empty"
    if len(cells) == 1:
        only = next(iter(cells))
        return f"always {only if isinstance(only, str) else brief(only)}"
    if kind == "text" and not asked_for and len(cells) > max(FEW, rows / 2):
        return f"{len(cells):,} of {rows:,} differ" if len(cells) < rows else "all differ"
    return ""


def _why_none(codes: list[Code], table: Table) -> str:
    """Why no column is left, in words."""
    why = [(code, _read(table, code.name, None).remark) for code in codes[:5]]
    words = [f"{code.name} is {code.done()}" + (f" ({remark})" if remark else "") for code, remark in why]
    return "; ".join(words) or "add columns besides the target"
