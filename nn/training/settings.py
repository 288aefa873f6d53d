"""What does a recording depend on, beside the numbers of the parameters? Its model, as it was when it was recorded.

A `Snapshot` remembers the modules, the parameters, the plain attributes and the functions of a model. Two that are
equal say that nothing of it has changed in between: a program that was recorded before still holds.
"""

import random
import sys
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import is_
from typing import Any

from autograd.modes import RecordingError
from nn.losses import Loss, known_loss
from nn.module import Module
from nn.optim import Optimizer
from nn.own import is_own
from nn.randomness import RandomSource

CONTAINERS = (list, tuple, dict, set, frozenset)


class Snapshot:
    """What a recording of the model depends on, as it is now.

    It keeps no module alive. Everything else is kept, so that no new object can be taken for an old one.
    """

    def __init__(self, model: Module) -> None:
        self._parts: list[Any] = []
        pending, seen = [model], {model}
        while pending:
            module = pending.pop()
            self._parts.append((type(module), Same(module)))
            for name, x in vars(module).items():
                if name in module.buffer_names:  # read anew in each run, from the list in which they are
                    self._parts.append((name, Same(x) if isinstance(x, list) else None))
                elif name != "training":
                    found: list[Module] = []
                    self._parts.append((name, _sketch(x, found)))
                    pending += [x for x in found if x not in seen]
                    seen |= set(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self._parts == other._parts

    __hash__ = object.__hash__


def _sketch(x: Any, modules: list[Module]) -> Any:
    """Something that is equal as long as x stays as it is. Modules that are found in x are added to the list."""
    if isinstance(x, Module):
        modules.append(x)
    if isinstance(x, int | float | str):
        return type(x), repr(x)
    if isinstance(x, dict):
        return dict, _sketch(list(x), modules), _sketch(list(x.values()), modules)
    if isinstance(x, set | frozenset):
        return type(x), frozenset(x)
    if not isinstance(x, list | tuple):
        return Same(x)
    kinds = set(map(type, x))
    if any(issubclass(kind, (Module, *CONTAINERS)) for kind in kinds):
        return type(x), [_sketch(item, modules) for item in x]
    return type(x), SameItems(x)


class Same:
    """Equal for one and the same object only, which it keeps alive unless it is a module."""

    def __init__(self, x: Any) -> None:
        self._it: Any = weakref.ref(x) if isinstance(x, Module) else x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._it is other._it

    __hash__ = object.__hash__


class SameItems:
    """Equal for a sequence of the very same objects. A row of 512 weights takes 5 microseconds."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = list(items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameItems) or len(self._items) != len(other._items):
            return False
        return all(map(is_, self._items, other._items))

    __hash__ = object.__hash__


def loss_settings(loss: Loss) -> Any:
    """What a recording depends on in its loss: the function and its options."""
    if not isinstance(loss, partial):
        return Same(loss)
    return Same(loss.func), _sketch(loss.args, []), _sketch(loss.keywords, [])


def optimizer_settings(optimizer: Optimizer) -> Any:
    """What a compiled step depends on in its optimiser: all but the learning rate and what it remembers."""
    return type(optimizer), _sketch(optimizer.settings(), []), SameItems(optimizer.params)


def foreign(model: Module, loss: Loss | None = None, optimizer: Optimizer | None = None) -> str:
    """What is not nn's own, in words, and so may read more than a recording shows; "" if all is nn's own."""
    if loss is not None and not known_loss(loss):
        return "the loss is a function of your own"
    modules = list(model.modules())
    names = [type(x).__name__ for x in modules if not is_own(x)]
    activations = [getattr(x, "activation", None) for x in modules]
    names += [getattr(x, "__name__", "an activation") for x in activations if callable(x)]
    if names:
        return f"{names[0]} is your own"
    if optimizer is not None and not is_own(optimizer):
        return f"{type(optimizer).__name__} is your own"
    return ""


def generators_of(modules: Iterable[Module]) -> list[random.Random]:
    """The random generators among the attributes of the layers."""
    return [x for module in modules for x in vars(module).values() if isinstance(x, random.Random)]


@contextmanager
def generators_kept(model: Module, refuse: bool = False) -> Iterator[None]:
    """A block after which the random generators of the layers, and Python's, are as before.

    Arguments:
        refuse: whether to raise RecordingError if anything was drawn from them, or from NumPy's.
    """
    generators: list[RandomSource] = [random, *generators_of(model.modules())]
    states = [(generator, generator.getstate()) for generator in generators]
    numpys = _numpys_state() if refuse else None
    try:
        yield
        if refuse and (any(x.getstate() != state for x, state in states) or _numpys_state() != numpys):
            raise RecordingError("it draws random numbers of its own: leave random choices to nn.Dropout")
    finally:
        for generator, state in states:
            generator.setstate(state)


def _numpys_state() -> str:
    """The state of the generator that all users of NumPy share."""
    numpy: Any = sys.modules.get("numpy.random")
    return "" if numpy is None else repr(numpy.get_state(legacy=False))
