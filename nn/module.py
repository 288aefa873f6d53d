"""What is a Module? A function with parameters: a tree of layers whose leaves are Values.

A subclass defines `forward(row)`, from the list of one example's numbers to a list. `Module` finds the
parameters among its attributes, and lets the model be called on one example or on a batch of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from autograd import Value
from autograd.reals import as_count, shown
from nn.arrays.views import need_numpy
from nn.summary import summary_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = Value | float
T = TypeVar("T")
Row = list[Any]
"""One example: a list of numbers or Values."""


class Module:
    """The base class of everything with parameters.

    Attributes that are Values, Modules, or lists, tuples and dicts of them, make up the tree, in the order in
    which they were first assigned. A Value that was computed (no leaf) is no parameter. Plain numbers that training
    changes, such as running means, are state too if `buffer_names` names their attributes.

    Calling a module on a flat sequence of numbers or Values computes one example; on a sequence of such sequences, a
    batch, and gives a list with one entry for each. A single output is given bare, not in a list.

    >>> from autograd import Value
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Value(2.0)
    ...     def forward(self, row):
    ...         return [self.factor * x for x in row]
    >>> scale = Scale()
    >>> scale([1.0, 2.0])
    [Value(data=2.0, grad=0.0), Value(data=4.0, grad=0.0)]
    >>> scale.state_dict()
    {'factor': 2.0}
    """

    training = True
    buffer_names: tuple[str, ...] = ()
    """The attributes that hold numbers, or lists of numbers, which are state but no parameters: running means, counts.

    A subclass names them here. `state_dict()` has them beside the parameters; what is an int, a count, stays one."""

    def forward(self, row: Row) -> Row:
        """The outputs for one example; every subclass defines it (or `__call__` itself)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, row) that returns a list")

    def forward_batch(self, rows: list[Row]) -> list[Row]:
        """The outputs for each example of a batch; a layer that mixes the examples defines it anew."""
        return [self.forward(row) for row in rows]

    def __call__(self, x: Any) -> Any:
        """The output for one example, or the list of outputs for a batch.

        Arguments:
            x: a flat sequence of n numbers or Values, or one bare number; or a sequence of such sequences.

        Raises:
            TypeError: x is something else, such as None or a set.
        """
        if _is_number(x):
            return _bare(self.forward([x]))
        x = x.to_numpy() if hasattr(x, "to_numpy") else x  # a data frame would list its columns
        if getattr(x, "shape", ())[:1] == (0,) and len(x.shape) > 1:  # a table without rows
            return []
        row = self._sequence(x)
        if not is_batch(row):
            return _bare(self.forward(row))
        return [_bare(outputs) for outputs in self.forward_batch([self._sequence(example) for example in row])]

    def _sequence(self, x: Any) -> list[Any]:
        """The items of an example or a batch, which have an order."""
        if not isinstance(x, Iterable) or isinstance(x, str | bytes | Mapping | Set) or _is_number(x):
            raise TypeError(
                f"{type(self).__name__} takes an example such as [1.0, 2.0], or a list of such examples; "
                f"got {shown(x)} ({type(x).__name__})"
            )
        return list(x)

    # The tree

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules directly below this one, with their names, in order."""
        yield from _items(self.__dict__.items(), Module)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """This module, named `prefix`, and all below it; each once."""
        seen: set[Module] = set()
        pending = [(prefix, self)]
        while pending:
            path, module = pending.pop()
            if module not in seen:
                seen.add(module)
                yield path, module
                children = [(f"{path}.{name}" if path else name, child) for name, child in module.named_children()]
                pending += reversed(children)

    def modules(self) -> Iterator["Module"]:
        """This module and all below it; each once."""
        for _, module in self.named_modules():
            yield module

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The parameters with their names, such as "layers.0.neurons.3.w.5"; a shared one once."""
        seen: set[Value] = set()
        names: set[str] = set()
        for path, module in self.named_modules():
            for name, item in _items(module.__dict__.items(), Value):
                if not item.operation and item not in seen:
                    full = f"{path}.{name}" if path else name
                    if full in names:
                        raise ValueError(f"two parameters have the name {full!r}: rename one of the attributes or keys")
                    seen.add(item)
                    names.add(full)
                    yield full, item

    def parameters(self) -> list[Value]:
        """The parameters in a fixed order: neuron by neuron, its weights, then its bias."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, float]]:
        """The numbers that are state but no parameters, with their names, such as "layers.1.running_mean.0"."""
        for name, holder, place in self._buffer_places():
            yield name, holder[place]

    def _buffer_places(self) -> Iterator[tuple[str, Any, Any]]:
        """For each buffer its name, and where it is: a list or the attributes of a module, and the place in there."""
        for path, module in self.named_modules():
            for name in module.buffer_names:
                full = f"{path}.{name}" if path else name
                held = getattr(module, name)
                if isinstance(held, list):
                    yield from ((f"{full}.{i}", held, i) for i in range(len(held)))
                else:
                    yield full, vars(module), name

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def train(self, mode: bool = True) -> Self:
        """Switches this module and all below it to training (dropout drops); returns the module.

        Arguments:
            mode: False for evaluation, as `eval()`.
        """
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Switches this module and all below it to evaluation (dropout does nothing); returns the module."""
        return self.train(False)

    # Saving

    @overload
    def state_dict(self, arrays: Literal[False] = False) -> dict[str, float]: ...
    @overload
    def state_dict(self, arrays: Literal[True]) -> "dict[str, NDArray[Any]]": ...
    def state_dict(self, arrays: bool = False) -> Any:
        """The numbers of all parameters and buffers by name: floats, or whole arrays as PyTorch has them.

        Arguments:
            arrays: whether they come as new arrays of NumPy's, with PyTorch's names and shapes for what PyTorch has
                too: a layer of neurons is a "weight" of shape (outputs, inputs) and a "bias". For a torch module
                that names its layers otherwise, `nn.to_torch(model, into=module)` sets them.

        Raises:
            ImportError: arrays are asked for, and NumPy is not installed.

        >>> from nn import MLP
        >>> {name: array.shape for name, array in MLP(2, [3, 1]).state_dict(arrays=True).items()}
        {'layers.0.weight': (3, 2), 'layers.0.bias': (3,), 'layers.1.weight': (1, 3), 'layers.1.bias': (1,)}
        """
        if arrays:
            need_numpy("state_dict(arrays=True)", "state_dict(), which has a float for each name")
            from nn.arrays.state import arrays_of

            return arrays_of(self)
        state = {name: parameter.data for name, parameter in self.named_parameters()}
        return state | {name: float(number) for name, number in self.named_buffers()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Sets the parameters and buffers to the numbers of a `state_dict()`; changes nothing if one does not fit.

        Arguments:
            state: a number for each parameter and each buffer, by name; or arrays, or tensors of PyTorch's, as
                `state_dict(arrays=True)` has them. PyTorch's own state_dict of the same network fits under other names
                too: its layers are matched in order, by what they consist of ("weight", "bias", ...) and its shapes.
                What has no numbers, such as the activations between the layers, is not in it, and not compared.

        Raises:
            KeyError: a name is missing, or there is one that the model does not have; or nothing tells which layer is
                which.
            TypeError: an entry is not a number, or no array of real numbers.
            ValueError: an entry for a count is not a whole number of at least 0, or an array has another shape.
        """
        if not isinstance(state, Mapping):
            hint = ": give its state_dict()" if hasattr(state, "state_dict") else ""
            got = f"{shown(state)} ({type(state).__name__}){hint}"
            raise TypeError(f"load_state_dict takes a dict of numbers by name; got {got}")
        for name, item in state.items():
            if isinstance(item, Mapping):
                raise TypeError(
                    f"load_state_dict takes a number or an array for each name; got a dict for {name!r}: give that "
                    f"dict, if it is the state_dict"
                )
        own = self.state_dict() | dict(self.named_buffers())
        if _has_arrays(state, own):
            need_numpy("load_state_dict with arrays", "numbers by the names of state_dict()")
            from nn.arrays.state import load_arrays

            load_arrays(self, state)
            return
        numbers = _checked_state(state, own)
        for name, parameter in self.named_parameters():
            parameter.data = numbers[name]
        for name, holder, place in self._buffer_places():
            holder[place] = type(holder[place])(numbers[name])

    def config(self) -> dict[str, Any]:
        """The arguments that build this architecture again, for `nn.save`."""
        raise TypeError(
            f"nn.save cannot rebuild a {type(self).__name__}: give it a method config() and register the class with "
            f"nn.register, or save its state_dict()"
        )

    # Text

    def input_width(self, following: int | None = None) -> int | None:
        """How many numbers an example has, for `summary`; None if that cannot be told.

        Arguments:
            following: how many the next module takes, if it is known.
        """
        return next((child.input_width() for _, child in self.named_children()), None)

    def summary(self, example: int | Sequence[Any] | None = None) -> str:
        """A table of the layers: name, what it is, the shape of its outputs for n examples, how many parameters.

        The shapes are seen by computing an example in evaluation mode. Without one they stay blank for a model of one's
        own whose number of inputs cannot be told from its first layer. No line is longer than 80 columns.

        Arguments:
            example: how many numbers an example has, or one such example; of a batch the first one is taken.

        >>> from nn import MLP
        >>> print(MLP(2, [16, 3], dropout=0.2).summary())
        layer       kind                    outputs  parameters
        -------------------------------------------------------
        layers.0    Layer(2 -> 16, relu)    (n, 16)          48
        dropouts.0  Dropout                 (n, 16)           0
        layers.1    Layer(16 -> 3, linear)  (n, 3)           51
        -------------------------------------------------------
        total       MLP                     (n, 3)           99
        """
        if example is None or not hasattr(example, "__len__"):
            return summary_of(self, None if example is None else [0.0] * as_count(example, "example"))
        row = self._sequence(example.to_numpy() if hasattr(example, "to_numpy") else example)
        return summary_of(self, self._sequence(row[0]) if is_batch(row) else row)


def check_module(what: str, model: Any, remedy: str = "give its network, {name}.model_") -> None:
    """Raises TypeError if the model is no Module.

    Arguments:
        what: the beginning of the sentence, such as "fit trains".
        model: what was given.
        remedy: what to do with an estimator.
    """
    if not isinstance(model, Module):
        is_estimator = hasattr(type(model), "partial_fit") and hasattr(type(model), "load")
        hint = f": {remedy.format(name=type(model).__name__.lower())}" if is_estimator else ""
        got = f"{shown(model)} ({type(model).__name__})"
        raise TypeError(f"{what} a Module, such as MLP(2, [16, 1]); got {got}{hint}")


def _has_arrays(state: Mapping[Any, Any], own: Mapping[str, float]) -> bool:
    """Whether a state_dict has arrays, tensors or lists under names that are not those of single numbers."""
    return any(name not in own and (getattr(x, "shape", ()) or isinstance(x, list)) for name, x in state.items())


def _checked_state(state: Mapping[str, Any], own: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a state_dict as floats, if they fit the model, whose own state is `own`."""
    missing, unknown = own.keys() - state.keys(), state.keys() - own.keys()
    for names, what in (
        (missing, f"lacks {len(missing)} of the model's {len(own)} parameters and buffers"),
        (unknown, f"has {len(unknown)} names that are no parameters of the model"),
    ):
        if names:
            example = sorted(map(str, names))[0]
            raise KeyError(f"the state_dict {what}, such as {example!r}: it belongs to another architecture")
    numbers = {}
    for name, number in state.items():
        try:
            numbers[name] = Value(number).data
        except TypeError:
            what = f"{number!r} ({type(number).__name__})"
            raise TypeError(f"the state_dict takes a number for each parameter; got {what} for {name!r}") from None
        if isinstance(own[name], int) and not (numbers[name] >= 0.0 and numbers[name].is_integer()):
            raise ValueError(f"the state_dict takes a whole number of at least 0 for {name!r}; got {number!r}")
    return numbers


def _items(attributes: Iterable[tuple[Any, Any]], kind: type[T]) -> Iterator[tuple[str, T]]:
    """The attributes of one kind with their names, those inside lists, tuples and dicts as "name.0" or "name.key"."""
    for name, item in attributes:
        if isinstance(item, kind):
            yield str(name), item
        elif isinstance(item, Value):  # most are: this saves half of the time
            continue
        elif isinstance(item, list | tuple):
            # rows of weights: 5 times faster, also where a subclass of Value holds those that native code has
            if kind is not Value and all(issubclass(cls, Value | float | int) for cls in set(map(type, item))):
                continue
            yield from ((f"{name}.{key}", found) for key, found in _items(enumerate(item), kind))
        elif isinstance(item, Mapping):
            yield from ((f"{name}.{key}", found) for key, found in _items(item.items(), kind))


@contextmanager
def modes_kept(modules: Iterable[Module]) -> Iterator[None]:
    """A block after which the modules train or evaluate as before."""
    before = modes(modules)
    try:
        yield
    finally:
        set_modes(before)


def modes(modules: Iterable[Module]) -> list[tuple[Module, bool]]:
    """Each module with whether it trains."""
    return [(module, module.training) for module in modules]


def set_modes(modes: list[tuple[Module, bool]]) -> None:
    """Puts back what `modes` gave."""
    for module, training in modes:
        module.training = training


def is_batch(row: Sequence[Any]) -> bool:
    """Whether a sequence holds sequences (examples), not numbers."""
    first = row[0] if len(row) else 0.0
    return (isinstance(first, Sequence) and not isinstance(first, str | bytes)) or getattr(first, "shape", ()) != ()


def as_row(outputs: Any) -> Row:
    """The outputs for one example as a list, where a `forward` of one's own gives a bare number."""
    return [outputs] if _is_number(outputs) else outputs


def _is_number(x: Any) -> bool:
    return isinstance(x, Value | float | int) or getattr(x, "shape", None) == ()  # () for NumPy's numbers


def _bare(outputs: Any) -> Any:
    """One output is given bare, as micrograd's networks give it; a `forward` of one's own may give it so already."""
    return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 and _is_number(outputs[0]) else outputs
