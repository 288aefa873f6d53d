"""What did a function compute, from which numbers, and does anything else hang on it?

Every transform begins by calling the function once, on inputs of its own (`record`). A plain number becomes a fresh
leaf. A Value becomes a node that is one times that Value: what the function does with its argument is then told apart
from what it does with the same Value by another way, and the result stays connected to it. That keeps nested
transforms from confusing their inputs: each differentiates with respect to nodes that it made itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from autograd import modes
from autograd.graph import interior
from autograd.reals import real_or_none, shown
from autograd.transforms.structure import Number, described, is_nested, leaves_of, numbers_in, path_to, rebuilt
from autograd.value import Value

Argnums = int | tuple[int, ...] | list[int]


class Constant(Value):
    """A derivative that is a Value because an argument was one, and depends on nothing."""

    __slots__ = ()


class _Call:
    """A call that goes on. `constants`: some derivative inside it depended on Values, but did not change with them."""

    __slots__ = ("constants",)

    def __init__(self) -> None:
        self.constants = False


_calls: ContextVar[tuple[_Call, ...]] = ContextVar("calls", default=())


class Recorded:
    """A function's call, recorded.

    Attributes:
        name: the function's.
        argument: what to differentiate by, as the caller gave it: a number, or a nesting of numbers.
        inputs: the Values that stood for its numbers.
        result: what the function returned; `outputs`, its numbers from left to right.
        given_values: whether some number of the argument was a Value.
        kept: whether the caller records graphs (and is not inside `no_grad()`).
    """

    def __init__(self, name: str, argument: Any) -> None:
        numbers = numbers_in(argument, f"the argument of {name}")
        self.name, self.argument, self.kept = name, argument, modes.is_recording()
        self.given_values = any(isinstance(x, Value) for x in numbers)
        self.inputs: list[Value] = []
        with modes.recorded_again():
            self.inputs += [x * 1.0 if isinstance(x, Value) else Value(x) for x in numbers]
        self.result: Any = None
        self.outputs: list[Value] = []

    def returned(self, result: Any, constants: bool) -> None:
        """Takes what the function returned; a number that is no Value is refused, unless there are `constants`."""
        self.result = result
        for leaf in leaves_of(result):
            if isinstance(leaf, Value):
                self.outputs.append(leaf)
                continue
            number, where = real_or_none(leaf), path_to(result, leaf)
            if number is None:
                raise TypeError(
                    f"{self.name}(...) returned {shown(leaf)} ({type(leaf).__name__}){where}; a function to be "
                    f"differentiated returns a Value, or lists, tuples and dicts of Values"
                )
            if not constants:
                raise TypeError(
                    f"{self.name}(...) returned a {type(leaf).__name__} that does not depend on its inputs; did it use "
                    f".data or math.*? It is {shown(leaf)}{where}; a constant is returned as Value({shown(leaf)})"
                )
            self.outputs.append(Constant(number))

    def scalar(self, what: str, remedy: str = "use jacobian, or return one number") -> Value:
        """The one number that the function returned."""
        if is_nested(self.result):
            raise TypeError(
                f"{what} needs a function that returns one number; {self.name}(...) returned "
                f"{described(self.result)}: {remedy}"
            )
        return self.outputs[0]

    @cached_property
    def order(self) -> list[Value]:
        """What was computed between the inputs and the outputs, or beside them, in topological order."""
        return order_between(self.inputs, self.outputs)

    @cached_property
    def has_others(self) -> bool:
        """Whether the outputs depend on Values that are not inputs: parameters, inputs of an outer transform."""
        parents: set[Value] = set(self.outputs)
        for node in self.order:
            if type(node._dx) is tuple:
                parents.update(node._x)
            else:  # written out: with `node.parents` this takes four times as long
                if node._dx is not None:
                    parents.add(node._x)
                if node._dy is not None:
                    parents.add(node._y)
        others = parents.difference(self.inputs, self.order)
        return any(x._operation is None and type(x) is not Constant for x in others)

    @property
    def in_floats(self) -> bool:
        """Whether derivatives can be computed as plain numbers, since there is nothing to connect them to."""
        return not (self.given_values or self.has_others)

    def delivered(self, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> list[Number]:
        """Derivatives as the caller gets them: floats, or Values where an argument was one or they depend on one.

        Arguments:
            numbers: the derivatives.
            directions: the tangents or cotangents that went into them, which may be Values too.
        """
        in_floats = self.in_floats and not any(isinstance(x, Value) for x in directions)
        if in_floats or not self.kept:
            numbers = [x._data if isinstance(x, Value) else x for x in numbers]
        if in_floats:
            return list(numbers)
        if self.given_values:
            return [x if isinstance(x, Value) else Constant(x) for x in numbers]
        values = {x for x in numbers if isinstance(x, Value)}
        connected = dependents_of_others(order_between(self.inputs, values), values, self.inputs) if values else set()
        if not all(x in connected for x in numbers):
            for call in _calls.get():
                call.constants = True
        return [x._data if isinstance(x, Value) and x not in connected else x for x in numbers]

    def rebuilt(self, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> Any:
        """Derivatives, delivered, in the structure of the argument."""
        return rebuilt(self.argument, iter(self.delivered(numbers, directions)))


def order_between(inputs: Iterable[Value], outputs: Iterable[Value]) -> list[Value]:
    """The nodes that were computed on the way to the outputs, without what leads to the inputs; parents first."""
    seen, order = set(inputs), list[Value]()
    for y in outputs:
        order += interior(y, seen)
    return order


def dependents_of_others(order: Iterable[Value], nodes: Iterable[Value], inputs: Sequence[Value]) -> set[Value]:
    """The nodes that depend on a leaf that is neither an input nor a constant, and such leaves among `nodes`."""
    known = set(inputs)

    def is_other(x: Value) -> bool:
        return x._operation is None and x not in known and type(x) is not Constant

    found = {x for x in nodes if is_other(x)}
    for node in order:
        if any(x in found or is_other(x) for x in node.parents):
            found.add(node)
    return found


def record(
    what: str, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Argnums = 0
) -> Recorded:
    """Calls the function on inputs that stand for the numbers of the arguments at the places `argnums`.

    Raises:
        IndexError: there is no such argument.
        TypeError: an argument is no nesting of numbers, or the function does not return Values.
    """
    name = name_of(f)
    places = [argnums] if isinstance(argnums, int) else list(argnums)
    for place in places:
        if not -len(args) <= place < len(args):
            raise IndexError(
                f"{what}(f, argnums={argnums}) needs an argument at place {place}, counted from 0; "
                f"{name}(...) was called with {len(args)}"
            )
    call = Recorded(name, args[argnums] if isinstance(argnums, int) else tuple(args[k] for k in places))
    replaced = rebuilt(call.argument, iter(call.inputs))
    given = list(args)
    for place, argument in zip(places, [replaced] if isinstance(argnums, int) else replaced, strict=True):
        given[place] = argument
    going_on = _Call()
    token = _calls.set((*_calls.get(), going_on))
    try:
        with modes.recorded_again():
            result = f(*given, **kwargs)
    finally:
        _calls.reset(token)
    call.returned(result, going_on.constants)
    return call


def name_of(f: Callable[..., Any]) -> str:
    """What a function is called, for error messages."""
    return str(getattr(f, "__name__", type(f).__name__))


def check(what: str, f: Any, argnums: Any = 0) -> None:
    """Raises TypeError or ValueError if `f` is no function, or `argnums` no whole numbers, each once."""
    if not callable(f) or isinstance(f, Value):
        raise TypeError(f"{what} takes a function; got {shown(f)} ({type(f).__name__})")
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    if not all(isinstance(k, int) and not isinstance(k, bool) for k in places):
        raise TypeError(f"{what}(f, argnums) takes a whole number, or a tuple of them; got {shown(argnums)}")
    if len(set(places)) < len(places) or not places:
        raise ValueError(f"{what}(f, argnums) takes each place once, and at least one; got {shown(argnums)}")
