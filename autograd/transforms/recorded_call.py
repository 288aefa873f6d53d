"""What did one call of a function compute, from which numbers, and what else does its result depend on?

Every transform begins by calling the function once, on inputs that it makes itself (`recorded_call`). A plain number
becomes a new leaf. A Value becomes a new node: one times that Value. So the result stays connected to the Value, and
yet what the function does with its argument is told apart from any other use of the same Value. Nested transforms
therefore never confuse their inputs: each differentiates by nodes that it made itself.
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
def despite_no_grad() -> Iterator[None]:
    """A block that records graphs even inside `no_grad()`: derivatives are computed from them."""
    token = modes._no_grad.set(())
    try:
        yield
    finally:
        modes._no_grad.reset(token)


class _OngoingCall:
    """A call that has not returned yet. It remembers which derivatives taken inside it depend on nothing.

    Attributes:
        constants: those of them that are Values.
        floats: whether some of them are floats although their function depends on Values.
    """

    __slots__ = ("constants", "floats")

    def __init__(self) -> None:
        self.constants: set[Value] = set()
        self.floats = False


_ongoing_calls: ContextVar[tuple[_OngoingCall, ...]] = ContextVar("ongoing_calls", default=())
"""The calls that have not returned yet in this thread or task, the outermost first."""


@contextmanager
def ongoing_call() -> Iterator[_OngoingCall]:
    """A block in which a function is called, and is told which of the derivatives taken in it depend on nothing."""
    ongoing = _OngoingCall()
    token = _ongoing_calls.set((*_ongoing_calls.get(), ongoing))
    try:
        yield ongoing
    finally:
        _ongoing_calls.reset(token)


class RecordedCall:
    """One call of a function, with the graph that it recorded.

    Attributes:
        name: the function's name.
        argument: what to differentiate by, as the caller gave it: a number, or a nesting of numbers.
        inputs: the Values that stood for its numbers.
        result: what the function returned.
        outputs: the numbers in the result, from left to right.
        constants: Values that are known to depend on nothing. The result may depend on them.
        given_values: whether the argument held a Value.
        kept: whether the caller records graphs, since it is not inside `no_grad()`.
    """

    def __init__(self, name: str, argument: Any) -> None:
        numbers = numbers_in(argument, f"the argument of {name}")
        self.name = name
        self.argument = argument
        self.kept = modes.is_recording()
        self.given_values = any(isinstance(x, Value) for x in numbers)
        self.inputs: list[Value] = []
        with despite_no_grad():
            self.inputs += [x * 1.0 if isinstance(x, Value) else Value(x) for x in numbers]
        for x, number in zip(self.inputs, numbers, strict=True):
            if not isinstance(number, Value):  # for the calls around this one, a plain number is a constant
                for call in _ongoing_calls.get():
                    call.constants.add(x)
        self.result: Any = None
        self.outputs: list[Value] = []
        self.constants: set[Value] = set()
        self.lock = Lock()  # held while the nodes' own `grad` is in use: several threads may pull one `vjp`

    def set_result(self, result: Any, call: _OngoingCall) -> None:
        """Takes what the function returned. A number that is no Value is refused, unless it may be a derivative."""
        self.result = result
        self.constants = call.constants
        for leaf in leaves_of(result):
            self.outputs.append(leaf if isinstance(leaf, Value) else self._constant(self._number(leaf, call)))

    def _number(self, leaf: Any, call: _OngoingCall) -> float:
        """A part of the result that is no Value, as a float, or an error that says what a function has to return."""
        number = real_or_none(leaf)
        kind, where = type(leaf).__name__, path_to(self.result, leaf)
        if number is None:
            raise TypeError(
                f"{self.name}(...) returned {shown(leaf)} ({kind}){where}; a function to be differentiated returns a "
                f"Value, or lists, tuples and dicts of Values"
            )
        if not call.floats:
            raise TypeError(
                f"{self.name}(...) returned {'an' if kind[0] in 'aeiou' else 'a'} {kind} that does not depend on its "
                f"inputs; did it use .data or math.*? It is {shown(leaf)}{where}; return a constant as "
                f"Value({shown(leaf)})"
            )
        return number

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
        """The nodes that the outputs depend on, except those that lead to the inputs, in topological order."""
        return order_between(self.inputs, self.outputs)

    @cached_property
    def has_others(self) -> bool:
        """Whether the outputs depend on Values other than the inputs: parameters, or inputs of an outer transform."""
        parents: set[Value] = set(self.outputs)
        for node in self.order:
            parents.update(edges(node)[0])
        others = parents.difference(self.inputs, self.constants, self.order)
        return any(x._operation is None for x in others)

    @property
    def in_floats(self) -> bool:
        """Whether derivatives can be computed in floats, since there is nothing to connect them to."""
        return not (self.given_values or self.has_others)

    def for_caller(self, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> list[Number]:
        """Derivatives as the caller gets them: Values if the argument held one or they depend on one, otherwise floats.

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
            for call in _ongoing_calls.get():
                call.floats = True
        return [x._data if isinstance(x, Value) and x not in connected else x for x in numbers]

    def _constant(self, number: float) -> Value:
        """A Value that depends on nothing. All ongoing calls are told so."""
        value = Value(number)
        for constants in (self.constants, *(call.constants for call in _ongoing_calls.get())):
            constants.add(value)
        return value

    def rebuilt(self, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> Any:
        """Derivatives for the caller, in the structure of the argument."""
        return rebuilt(self.argument, iter(self.for_caller(numbers, directions)))


def order_between(inputs: Iterable[Value], outputs: Iterable[Value]) -> list[Value]:
    """The nodes that the outputs depend on, except those that lead to the inputs, in topological order."""
    seen = set(inputs)
    order: list[Value] = []
    for y in outputs:
        order += interior(y, seen)
    return order


def dependents_of_others(order: Iterable[Value], nodes: Iterable[Value], known: set[Value]) -> set[Value]:
    """The nodes that depend on a leaf outside `known`, and the leaves outside `known` that are among `nodes`."""

    def is_other(x: Value) -> bool:
        return x._operation is None and x not in known

    found = {x for x in nodes if is_other(x)}
    for node in order:
        if any(x in found or is_other(x) for x in node.parents):
            found.add(node)
    return found


def recorded_call(
    what: str, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Argnums = 0
) -> RecordedCall:
    """Calls the function, with new inputs for the numbers of the arguments at the places `argnums`.

    Raises:
        IndexError: there is no such argument.
        TypeError: an argument is no nesting of numbers, or the function does not return Values.
    """
    places = _places(f"{what}(f, argnums={argnums})", name_of(f), argnums, len(args))
    call = RecordedCall(
        name_of(f), args[places[0]] if isinstance(argnums, Integral) else tuple(args[k] for k in places)
    )
    replaced = rebuilt(call.argument, iter(call.inputs))
    given = list(args)
    for place, argument in zip(places, [replaced] if isinstance(argnums, Integral) else replaced, strict=True):
        given[place] = argument
    with ongoing_call() as ongoing, despite_no_grad():
        result = f(*given, **kwargs)
    call.set_result(result, ongoing)
    return call


def _places(what: str, name: str, argnums: Argnums, count: int) -> list[int]:
    """The places of the arguments to differentiate by, counted from 0. Each must be one of `count`, and named once."""
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    for place in places:
        if not -count <= place < count:
            raise IndexError(
                f"{what} needs an argument at place {place}, counted from 0; {name}(...) was called with {count}: pass "
                f"more arguments, or give a smaller place"
            )
    if len({place % count for place in places}) < len(places):
        raise ValueError(f"{what} names an argument of {name}(...) twice; name each once")
    return places


def name_of(f: Callable[..., Any]) -> str:
    """The name of a function, for error messages."""
    return str(getattr(f, "__name__", type(f).__name__))


def check(what: str, f: Any, argnums: Any = 0) -> None:
    """Raises TypeError or ValueError if `f` is no function, or `argnums` are not whole numbers, each given once."""
    if not callable(f) or isinstance(f, Value):
        raise TypeError(f"{what} takes a function; got {shown(f)} ({type(f).__name__})")
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    if not all(isinstance(k, Integral) and not isinstance(k, bool) for k in places):
        raise TypeError(f"{what}(f, argnums) takes a whole number, or a tuple of them; got {shown(argnums)}")
    if len(set(places)) < len(places) or not places:
        raise ValueError(f"{what}(f, argnums) takes each place once, and at least one; got {shown(argnums)}")
