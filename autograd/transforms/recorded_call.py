"""What did a function compute, from which numbers, and does anything else hang on it?

Every transform begins by calling the function once, on inputs of its own (`record`). A plain number becomes a fresh
leaf. A Value becomes a node that is one times that Value: what the function does with its argument is then told apart
from what it does with the same Value by another way, and the result stays connected to it. That keeps nested
transforms from confusing their inputs: each differentiates with respect to nodes that it made itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from numbers import Integral
from threading import Lock
from typing import Any

from autograd import modes
from autograd.graph import edges, interior
from autograd.reals import real_or_none, shown
from autograd.transforms.nesting import Number, described, is_nested, leaves_of, numbers_in, path_to, rebuilt
from autograd.value import Value

Argnums = int | tuple[int, ...] | list[int]


@contextmanager
def recorded_again() -> Iterator[None]:
    """A block that records graphs even inside `no_grad()`: the graph of a derivative is needed, and not kept."""
    token = modes._no_grad.set(())
    try:
        yield
    finally:
        modes._no_grad.reset(token)


class _Call:
    """A call that goes on: which derivatives that were taken inside it depend on nothing.

    Attributes:
        constants: those that are Values, since an argument was one.
        plain: whether there were others, as floats, of functions that depend on Values.
    """

    __slots__ = ("constants", "plain")

    def __init__(self) -> None:
        self.constants: set[Value] = set()
        self.plain = False


_calls: ContextVar[tuple[_Call, ...]] = ContextVar("calls", default=())


class Recorded:
    """A function's call, recorded.

    Attributes:
        name: the function's.
        argument: what to differentiate by, as the caller gave it: a number, or a nesting of numbers.
        inputs: the Values that stood for its numbers.
        result: what the function returned; `outputs`, its numbers from left to right.
        constants: Values on which the result may depend, and which are known to depend on nothing themselves.
        given_values: whether some number of the argument was a Value.
        kept: whether the caller records graphs (and is not inside `no_grad()`).
    """

    def __init__(self, name: str, argument: Any) -> None:
        numbers = numbers_in(argument, f"the argument of {name}")
        self.name, self.argument, self.kept = name, argument, modes.is_recording()
        self.given_values = any(isinstance(x, Value) for x in numbers)
        self.inputs: list[Value] = []
        with recorded_again():
            self.inputs += [x * 1.0 if isinstance(x, Value) else Value(x) for x in numbers]
        for x, number in zip(self.inputs, numbers, strict=True):  # to the calls that go on around it, a number is one
            if not isinstance(number, Value):
                for call in _calls.get():
                    call.constants.add(x)
        self.result: Any = None
        self.outputs: list[Value] = []
        self.constants: set[Value] = set()
        self.lock = Lock()  # held while the nodes' own `grad` is used: a `vjp` may be pulled by several threads

    def returned(self, result: Any, call: _Call) -> None:
        """Takes what the function returned; a number that is no Value is refused, unless it may be a derivative."""
        self.result, self.constants = result, call.constants
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
            if not call.plain:
                kind = type(leaf).__name__
                raise TypeError(
                    f"{self.name}(...) returned {'an' if kind[0] in 'aeiou' else 'a'} {kind} that does not depend on "
                    f"its inputs; did it use .data or math.*? It is {shown(leaf)}{where}; a constant is returned as "
                    f"Value({shown(leaf)})"
                )
            self.outputs.append(self._constant(number))

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
            parents.update(edges(node)[0])
        others = parents.difference(self.inputs, self.constants, self.order)
        return any(x._operation is None for x in others)

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
            return [x if isinstance(x, Value) else self._constant(x) for x in numbers]
        values = {x for x in numbers if isinstance(x, Value)}
        order = order_between(self.inputs, values)
        connected = dependents_of_others(order, values, self.constants.union(self.inputs))
        if not connected.issuperset(numbers):
            for call in _calls.get():
                call.plain = True
        return [x._data if isinstance(x, Value) and x not in connected else x for x in numbers]

    def _constant(self, number: float) -> Value:
        """A Value that depends on nothing, as the calls that go on are told."""
        value = Value(number)
        for constants in (self.constants, *(call.constants for call in _calls.get())):
            constants.add(value)
        return value

    def rebuilt(self, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> Any:
        """Derivatives, delivered, in the structure of the argument."""
        return rebuilt(self.argument, iter(self.delivered(numbers, directions)))


def order_between(inputs: Iterable[Value], outputs: Iterable[Value]) -> list[Value]:
    """The nodes that were computed on the way to the outputs, without what leads to the inputs; parents first."""
    seen, order = set(inputs), list[Value]()
    for y in outputs:
        order += interior(y, seen)
    return order


def dependents_of_others(order: Iterable[Value], nodes: Iterable[Value], known: set[Value]) -> set[Value]:
    """The nodes that depend on a leaf that is not among those `known`, and such leaves among `nodes`."""

    def is_other(x: Value) -> bool:
        return x._operation is None and x not in known

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
    places = _places(f"{what}(f, argnums={argnums})", name_of(f), argnums, len(args))
    call = Recorded(name_of(f), args[places[0]] if isinstance(argnums, Integral) else tuple(args[k] for k in places))
    replaced = rebuilt(call.argument, iter(call.inputs))
    given = list(args)
    for place, argument in zip(places, [replaced] if isinstance(argnums, Integral) else replaced, strict=True):
        given[place] = argument
    going_on = _Call()
    token = _calls.set((*_calls.get(), going_on))
    try:
        with recorded_again():
            result = f(*given, **kwargs)
    finally:
        _calls.reset(token)
    call.returned(result, going_on)
    return call


def _places(what: str, name: str, argnums: Argnums, count: int) -> list[int]:
    """The places of the arguments to differentiate by, counted from 0, if they are among `count`, each once."""
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    for place in places:
        if not -count <= place < count:
            raise IndexError(
                f"{what} needs an argument at place {place}, counted from 0; {name}(...) was called with {count}"
            )
    if len({place % count for place in places}) < len(places):
        raise ValueError(f"{what} names an argument of {name}(...) twice; name each once")
    return places


def name_of(f: Callable[..., Any]) -> str:
    """What a function is called, for error messages."""
    return str(getattr(f, "__name__", type(f).__name__))


def check(what: str, f: Any, argnums: Any = 0) -> None:
    """Raises TypeError or ValueError if `f` is no function, or `argnums` no whole numbers, each once."""
    if not callable(f) or isinstance(f, Value):
        raise TypeError(f"{what} takes a function; got {shown(f)} ({type(f).__name__})")
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    if not all(isinstance(k, Integral) and not isinstance(k, bool) for k in places):
        raise TypeError(f"{what}(f, argnums) takes a whole number, or a tuple of them; got {shown(argnums)}")
    if len(set(places)) < len(places) or not places:
        raise ValueError(f"{what}(f, argnums) takes each place once, and at least one; got {shown(argnums)}")
