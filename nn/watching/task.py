"""What does a model learn: two classes, several, numbers? It follows from its loss, outputs and targets."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any, Protocol

from autograd.reals import shown
from nn.losses import Loss, known_loss
from nn.metrics import score_threshold
from nn.module import Module
from nn.training.examples import Examples
from nn.training.outputs import outputs_of
from nn.training.sequences import Sequences


class Trained(Protocol):
    """What was trained on what, such as a `Recording`."""

    @property
    def model(self) -> Module: ...
    @property
    def examples(self) -> Examples: ...
    @property
    def loss(self) -> Loss: ...


@dataclass(frozen=True)
class Task:
    """What a model is asked.

    Attributes:
        kind: "binary" (one output, whose sign says the class), "classes" (the largest output) or "regression".
        inputs, width: how many inputs and outputs there are.
        threshold: where the border is between two classes.
        is_wide: whether a target is a row with a number for each output.
        classes: what the classes are called.
        is_of_sequences: whether an example is a list of tokens; then the rest says nothing.
    """

    kind: str
    inputs: int = 0
    width: int = 1
    threshold: float = 0.0
    is_wide: bool = False
    classes: tuple[str, ...] = ()
    is_of_sequences: bool = False


def task_of(trained: Trained, classes: list[str] | None) -> Task:
    """The task of a model, where its classes have these names; by default their numbers."""
    examples = trained.examples
    if isinstance(examples, Sequences):
        return Task("sequences", is_of_sequences=True)
    first = outputs_of(trained.model, examples.rows[:1])[0]
    width, targets = len(first) if isinstance(first, list) else 1, examples.targets
    border, name = score_threshold(trained.loss), known_loss(trained.loss)
    is_wide = isinstance(targets[0], list)
    kind = "regression"
    if width == 1 and border is not None:
        kind = "binary"
    elif width > 1 and not is_wide and (name in ("cross_entropy", "nll_loss") or (not name and _count(targets, width))):
        kind = "classes"
    names = _names(kind, classes, targets, width)
    return Task(kind, len(examples.rows[0]), width, (border or (0.0, 0))[0], is_wide, names)


def _count(targets: list[float], width: int) -> bool:
    """Whether these can be numbers of so many classes."""
    return all(float(t).is_integer() and 0 <= t < width for t in targets)


def _names(kind: str, classes: list[str] | None, targets: list[float], width: int) -> tuple[str, ...]:
    if kind == "regression":
        return ()
    count = 2 if kind == "binary" else width
    if classes is not None and len(classes) == count:
        return tuple(classes)
    return ("-1", "1") if kind == "binary" and -1 in targets else tuple(map(str, range(count)))


def names_for(names: Any, count: int, what: str, of: str) -> list[str] | None:
    """Names that were given, as a list of texts; None if none were.

    Arguments:
        names: what was given.
        count: how many there have to be.
        what: what the argument is called.
        of: what each of them names.

    Raises:
        TypeError: it is no list.
        ValueError: there are more or fewer.
    """
    found = texts_of(names, what, of)
    if found is not None and len(found) != count:
        raise ValueError(f"{what} takes a name for each {of}, {count}; got {len(found)}: {shown(found)}")
    return found


def texts_of(names: Any, what: str, of: str) -> list[str] | None:
    """The same for any number of names."""
    if names is None:
        return None
    if isinstance(names, str | Set) or not isinstance(names, Iterable):
        raise TypeError(f"{what} takes a list of names, one for each {of}; got {shown(names)}")
    return [str(name) for name in names]
