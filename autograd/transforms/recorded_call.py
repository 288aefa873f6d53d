"""What did one call of a function compute, from which numbers, and what else does its result depend on?

Every transform begins by calling the function once, on inputs that it makes itself (`recorded_call`). A plain number
becomes a new leaf. A Value becomes a new node: one times that Value. So the result stays connected to the Value, and
yet what the function does with its argument is told apart from any other use of the same Value. Nested transforms
therefore never confuse their inputs: each differentiates by nodes that it made itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from numbers import Integral
from threading import Lock
from typing import Any

from autograd import modes
from autograd.graph import has_other_leaves, interior
from autograd.reals import real_or_none, shown
from autograd.transforms.nesting import Number, described, is_nested, leaves_of, numbers_in, opened, path_to, rebuilt
from autograd.value import Value, data_of

Argnums = int | tuple[int, ...] | list[int]


class despite_no_grad:
    """A block that records graphs even inside `no_grad()`: derivatives are computed from them."""

    __slots__ = ("token",)

    def __enter__(self) -> None:
        self.token = modes._no_grad.set(())

    def __exit__(self, *_: object) -> None:
        modes._no_grad.reset(self.token)


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


class ongoing_call:
    """A block in which a function is called. It records graphs, and is told which derivatives depend on nothing."""

    __slots__ = ("recording", "token")

    def __enter__(self) -> _OngoingCall:
        ongoing = _OngoingCall()
        self.token = _ongoing_calls.set((*_ongoing_calls.get(), ongoing))
        self.recording = modes._no_grad.set(()) if modes.active else None  # as in `despite_no_grad`
        return ongoing

    def __exit__(self, *_: object) -> None:
        _ongoing_calls.reset(self.token)
        if self.recording is not None:
            modes._no_grad.reset(self.recording)


def is_inside_a_derivative(traced: bool) -> bool:
    """Whether a derivative is being taken here; `traced` says if `compile` called the function around it."""
    return len(_ongoing_calls.get()) > traced


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

    __slots__ = (
        "_has_others", "_order", "argument", "constants", "given_values", "inputs", "kept", "lock", "name", "outputs",
        "result",
    )  # fmt: skip

    def __init__(self, name: str, argument: Any) -> None:
        argument = opened(argument)
        numbers = numbers_in(argument, f"the argument of {name}")
        self.name = name
        self.argument = argument
        self.kept = not modes.active or modes.is_recording()
        self.given_values = False
        self.inputs: list[Value] = []
        around = _ongoing_calls.get()
        for number in numbers:
            if isinstance(number, Value):
                self.given_values = True
                with despite_no_grad():
                    x = number * 1.0
            else:
                x = Value(number)
                for call in around:  # for the calls around this one, a plain number is a constant
                    call.constants.add(x)
            self.inputs.append(x)
        self.result: Any = None
        self.outputs: list[Value] = []
        self.constants: set[Value] = set()
        self._order: list[Value] | None = None
        self._has_others: bool | None = None
        self.lock = Lock()  # held while the nodes' own `grad` is in use: several threads may pull one `vjp`

    def set_result(self, result: Any, call: _OngoingCall) -> None:
        """Takes what the function returned. A number that is no Value is refused, unless it may be a derivative."""
        self.result = opened(result)
        self.constants = call.constants
        for leaf in leaves_of(self.result):
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

    @property
    def order(self) -> list[Value]:
        """The nodes that the outputs depend on, except those that lead to the inputs, in topological order."""
        if self._order is None:
            self._order = order_between(self.inputs, self.outputs)
        return self._order

    @property
    def has_others(self) -> bool:
        """Whether the outputs depend on Values other than the inputs: parameters, or inputs of an outer transform."""
        if self._has_others is None:
            known = self.constants.union(self.inputs)
            self._has_others = has_other_leaves(self.order, self.outputs, known)
        return self._has_others

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
        in_floats = self.in_floats and not (directions and any(isinstance(x, Value) for x in directions))
        if in_floats or not self.kept:
            numbers = [x if type(x) is float else data_of(x) for x in numbers]
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
    name, given = name_of(f), list(args)
    if isinstance(argnums, _SEVERAL):
        _check_places(argnums, what, name, argnums, len(args))
        call = RecordedCall(name, tuple([args[k] for k in argnums]))
        for place, argument in zip(argnums, rebuilt(call.argument, iter(call.inputs)), strict=True):
            given[place] = argument
    else:
        if not -len(args) <= argnums < len(args):
            _check_places([argnums], what, name, argnums, len(args))
        call = RecordedCall(name, args[argnums])
        given[argnums] = rebuilt(call.argument, iter(call.inputs))
    with ongoing_call() as ongoing:
        result = f(*given, **kwargs)
    call.set_result(result, ongoing)
    return call


_SEVERAL = (tuple, list)  # isinstance takes three times as long with a union of types


def _check_places(places: Sequence[int], transform: str, name: str, argnums: Argnums, count: int) -> None:
    """Raises an error if a place of an argument, counted from 0, is not one of `count`, or is named twice."""
    for place in places:
        if not -count <= place < count:
            raise IndexError(
                f"{transform}(f, argnums={argnums}) needs an argument at place {place}, counted from 0; {name}(...) "
                f"was called with {count}: pass more arguments, or give a smaller place"
            )
    if len({place % count for place in places}) < len(places):
        raise ValueError(f"{transform}(f, argnums={argnums}) names an argument of {name}(...) twice; name each once")


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
