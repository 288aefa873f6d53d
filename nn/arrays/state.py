"""Which arrays does a model consist of? Those that PyTorch's model of the same layers has, by name.

A layer of neurons is a weight and a bias. Otherwise a list of parameters, or lists of the same length, are an array by
the name of their attribute, as are buffers such as running means. What stands in two places has two names, as in
PyTorch's `state_dict()`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autograd import Value
from nn.arrays.matching import matched
from nn.arrays.parameter_array import Places, as_numbers, places_in, read, write
from nn.arrays.views import views_of


class Tree(Protocol):
    """What is needed of a Module."""

    buffer_names: tuple[str, ...]

    def named_children(self) -> Iterator[tuple[str, Any]]: ...


class Buffer:
    """The place of a number that is state but no parameter.

    Arguments:
        holder, place: the list or the attributes that have it, and where it is in there.
    """

    def __init__(self, holder: Any, place: Any) -> None:
        self._holder, self._place = holder, place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buffer) and (self._holder is other._holder) and self._place == other._place

    def __hash__(self) -> int:
        return hash((id(self._holder), self._place))

    @property
    def data(self) -> Any:
        """The number; an int is a count."""
        return self._holder[self._place]

    @data.setter
    def data(self, number: float) -> None:
        self._holder[self._place] = type(self.data)(number)


def arrays_of(model: Tree) -> dict[str, NDArray[Any]]:
    """The numbers of a model as new arrays, by name: counts as int64, all others as float64."""
    return {name: read(places).astype(_type_of(places)) for name, places in places_of(model).items()}


def _type_of(places: Places) -> type:
    return np.int64 if _are_counts(places) else np.float64


def _are_counts(places: Places) -> bool:
    return all(isinstance(place, Buffer) and isinstance(place.data, int) for place in places.flat)


def places_of(model: Tree) -> dict[str, Places]:
    """Where the numbers of each array are, by name, in PyTorch's order: those of a module before those below it.

    Raises:
        ValueError: two arrays have the same name.
    """
    found: dict[str, Places] = {}
    for path, module, views, shown in _modules(model):
        for name, places in (*views.items(), *_attributes(module, shown)):
            full = f"{path}.{name}" if path else name
            if full in found:
                raise ValueError(f"two arrays have the name {full!r}: rename one of the attributes or keys")
            found[full] = places
    return found


def _modules(model: Tree) -> Iterator[tuple[str, Any, dict[str, Places], set[Any]]]:
    """A model and all below it, a shared module each time.

    With each come the arrays that it shows, and all parameters that it and those above it show.
    """
    above: set[Any] = set()
    pending: list[tuple[str | None, Any, set[Any]]] = [("", model, set())]
    while pending:
        path, module, shown = pending.pop()
        if path is None:  # all below it have been seen
            above.discard(module)
        elif module not in above:  # a module may know the one above it
            views = _views(module, shown)
            shown = shown.union(*(places.ravel().tolist() for places in views.values())) if views else shown
            yield path, module, views, shown
            above.add(module)
            pending.append((None, module, shown))
            below = [(f"{path}.{name}" if path else name, child, shown) for name, child in module.named_children()]
            pending += reversed(below)


def _views(module: Any, shown: set[Any]) -> dict[str, Places]:
    """The parameters that a module shows as arrays, by name, if those above it do not."""
    found = {}
    for name, view in views_of(type(module)):
        try:
            nested = view.gather(module)
        except AttributeError:  # its parts were replaced by others
            continue
        if nested is not None and not _all_in(shown, nested):
            places = places_in(nested)
            if places is not None and _are_parameters(places, shown):
                found[name] = places
    return found


def _all_in(shown: set[Any], items: Iterable[Any]) -> bool:
    """Whether a list, or lists in it, have nothing that is not shown; at its first new one it is known."""
    return all(
        item in shown if isinstance(item, Value) else isinstance(item, list | tuple) and _all_in(shown, item)
        for item in items
    )


def _attributes(module: Any, shown: set[Any]) -> Iterator[tuple[str, Places]]:
    """The arrays in the attributes of one module, without those below it, and without what is shown."""
    for name, item in vars(module).items():
        yield from _arrays_in(str(name), item, shown)
    for name in module.buffer_names:
        held = getattr(module, name)
        buffers = [Buffer(held, i) for i in range(len(held))] if isinstance(held, list) else Buffer(vars(module), name)
        places = places_in(buffers)
        if places is not None:
            yield name, places


def _arrays_in(name: str, item: Any, shown: set[Any]) -> Iterator[tuple[str, Places]]:
    """The arrays in an attribute: one, or those of its items, as "name.0" or "name.key", if they do not make one."""
    if isinstance(item, Value | list | tuple):
        if not isinstance(item, Value) and _all_in(shown, item):  # the weights of a neuron: 0.05 s, not 0.37, of 80,000
            return
        places = places_in(item)
        if places is not None and _are_parameters(places, shown):
            yield name, places
            return
    if isinstance(item, list | tuple | Mapping):
        items: Iterable[tuple[Any, Any]] = item.items() if isinstance(item, Mapping) else enumerate(item)
        for key, part in items:
            yield from _arrays_in(f"{name}.{key}", part, shown)


def _are_parameters(places: Places, shown: set[Any]) -> bool:
    """Whether all are parameters, and none is shown."""
    return all(isinstance(x, Value) and x not in shown and not x.operation for x in places.ravel().tolist())


# Loading


def load_arrays(model: Tree, state: Mapping[Any, Any]) -> None:
    """Sets the parameters and buffers of a model to the numbers of arrays or tensors; all of them, or none.

    Arguments:
        state: by our names or by PyTorch's (see `matched`).

    Raises:
        KeyError: the names do not fit.
        TypeError: an entry has something else than real numbers.
        ValueError: an entry has another shape, or is no count where there is to be one.
    """
    own = places_of(model)
    numbers = {name: as_numbers(array, f"the state_dict's {name!r}") for name, array in state.items()}
    names = matched({name: places.shape for name, places in own.items()}, {n: a.shape for n, a in numbers.items()},
                    is_in_order=hasattr(state, "_metadata"))  # fmt: skip
    for name, places in own.items():
        _check(name, places, repr(names[name]), numbers[names[name]])
    if own:  # NumPy concatenates no empty list
        everything = np.concatenate([places.ravel() for places in own.values()])
        write(everything, np.concatenate([numbers[names[name]].ravel() for name in own]), "the model")


def _check(name: str, places: Places, given: str, numbers: NDArray[np.float64]) -> None:
    """Raises ValueError if the numbers have another shape, or are no counts where there are to be counts."""
    if numbers.shape != places.shape:
        remedy = ": give its transpose" if numbers.T.shape == places.shape else ": it belongs to another architecture"
        raise ValueError(
            f"the state_dict's {given} has the shape {numbers.shape}, and the model's {name!r} has "
            f"{places.shape}{remedy}"
        )
    if _are_counts(places) and not all(x >= 0.0 and x.is_integer() for x in numbers.ravel().tolist()):
        raise ValueError(f"the state_dict takes whole numbers of at least 0 for {name!r}; got {numbers.tolist()!r}")
