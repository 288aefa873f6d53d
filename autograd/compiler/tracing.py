"""How is a function traced, so that its graph holds for all numbers, and not only for those of one call?

Its inputs are Tracers: Values that compute like any other, but do not tell their number. If a function decided
something in Python by the number, its graph could not decide it anew for other numbers. So asking for it is an error.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

from autograd import modes
from autograd.modes import RecordingError
from autograd.reals import real_or_none
from autograd.recorded_operations import RECORDED
from autograd.transforms.nesting import leaves_of, rebuilt
from autograd.transforms.recorded_call import ongoing_call
from autograd.value import Value, apply

__all__ = ["RecordingError", "Session", "Tracer", "is_traced", "session", "trace", "tracer", "tracing"]


def _refused(what: str, remedy: str) -> Callable[..., NoReturn]:
    def refuse(self: Any, *_: Any) -> NoReturn:
        raise modes.unreadable(what, remedy)

    return refuse


def _comparison(name: str) -> Callable[..., Any]:
    def compare(self: Any, other: Any) -> Any:
        if not isinstance(other, Value) and real_or_none(other) is None:
            return NotImplemented
        return apply(RECORDED[name], self, other)

    return compare


_WHERE = "use where(x > 0, a, b), maximum, minimum, clip or abs, and autograd.max(values) for the largest of several"
_TAKE = "use take(values, index)"


class _Unknown:
    """`==` of a number that is not told. (By identity, as for a Value, `t == 1` would be False in every run.)"""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Value):
            return bool(self is other)  # type: ignore[comparison-overlap]
        return _refused("== with a recorded number", _WHERE)(self)

    __hash__ = object.__hash__


class Tracer(_Unknown, Value):
    """A Value that keeps its number to itself."""

    __slots__ = ()

    __init__ = _refused("a number computed inside no_grad()", "leave no_grad() to the caller")
    detach = __copy__ = __deepcopy__ = __reduce_ex__ = _refused(
        "a copy of a recorded number, cut off from its graph,", "keep the Value"
    )
    __lt__, __le__ = _comparison("less"), _comparison("less_equal")
    __gt__, __ge__ = _comparison("greater"), _comparison("greater_equal")
    __bool__ = _refused("a branch on a recorded number", _WHERE)
    __index__ = _refused("an index taken from a recorded number", _TAKE)
    __float__ = _refused(
        "float() of a recorded number, which a function such as math.exp calls too,",
        "use the functions of autograd, keep the Value, or give an array that is to hold it dtype=object",
    )
    __int__ = _refused("int() of a recorded number", "use floor, round or ceil, or take(values, index)")
    item = _refused("item() of a recorded number", "keep the Value")
    backward = _refused("backward() from a recorded number", "differentiate the program, with value_and_grad")
    grad = property(_refused(".grad of a recorded number", "differentiate the program, with value_and_grad"))
    local_derivatives = property(_refused("a local derivative of a recorded number", "differentiate the program"))
    data = property(
        _refused(".data of a recorded number", f"keep the Value, or {_WHERE}, or {_TAKE[4:]}"),
        _refused("setting .data of a recorded number", "compute a new Value"),
    )

    def __repr__(self) -> str:
        return "Tracer()"

    def __format__(self, spec: str) -> str:
        return "Tracer()"


def tracer(number: float, kind: type[Tracer] = Tracer) -> Tracer:
    """A leaf that keeps its number to itself."""
    leaf: Tracer = object.__new__(kind)
    Value.__init__(leaf, number)
    return leaf


def is_traced(x: Any) -> bool:
    """Whether x is a number of a function that is being traced."""
    return isinstance(x, Tracer)


class Session:
    """What a traced computation uses beside its inputs: numbers that are drawn, read or written in every run.

    Layers find the session in which they are called with `session()`.

    Attributes:
        draws: the random choices, layer by layer: a function that draws one number, the probability that it is below,
            and the Tracers that are 0.0 where it is and 1.0 elsewhere.
        reads: for each place in a list or dict that is read, the leaf that gets the number in every run, and the list
            or dict.
        notices: functions that are called after every run, with the numbers that these Values have then.
    """

    def __init__(self) -> None:
        self.draws: list[tuple[Callable[[], float], float, list[Tracer]]] = []
        self.reads: dict[tuple[int, Any], tuple[Tracer, Any]] = {}
        self.notices: list[tuple[Callable[[list[float]], None], list[Any]]] = []

    def draw(self, draw: Callable[[], float], probability: float, count: int) -> list[Tracer]:
        """Random choices: each is 0.0 where the number drawn is below the probability, and 1.0 otherwise."""
        choices = [tracer(1.0) for _ in range(count)]
        self.draws.append((draw, probability, choices))
        return choices

    def read(self, holder: Any, place: Any) -> Tracer:
        """The number at a place of a list or dict, as it is in each run."""
        leaf, _ = self.reads.setdefault((id(holder), place), (tracer(holder[place]), holder))
        return leaf

    def notice(self, function: Callable[[list[float]], None], values: Sequence[Any]) -> None:
        """Calls the function after each run with the numbers of these values."""
        self.notices.append((function, list(values)))


_session: ContextVar[Session | None] = ContextVar("session", default=None)


def session() -> Session | None:
    """The session of the `tracing()` block that is open here, if one is."""
    return _session.get()


@contextmanager
def tracing() -> Iterator[Session]:
    """A block in which graphs are traced for other numbers, with a session of its own."""
    new = Session()
    token = _session.set(new)
    try:
        with _no_refusals(), modes.recording(Tracer):
            yield new
    finally:
        _session.reset(token)


@contextmanager
def _no_refusals() -> Iterator[None]:
    """A block that ends with its first RecordingError, even if somebody caught that inside."""
    noted: list[RecordingError] = []
    token = modes.refusals.set(noted)
    try:
        yield
    finally:
        modes.refusals.reset(token)
    if noted:
        raise noted[0]


class Traced(NamedTuple):
    """A function that was called on Tracers: these, what it returned, and the leaves that are the same in every run."""

    inputs: list[Tracer]
    result: Any
    constants: set[Value]


def trace(function: Callable[..., Any], arguments: Sequence[Any], kind: type[Tracer] = Tracer) -> Traced:
    """Calls the function on Tracers in the place of the numbers of its arguments, which may be nestings."""
    inputs = [tracer(number, kind) for number in leaves_of(arguments)]
    given = rebuilt(arguments, iter(inputs))
    with _no_refusals(), modes.recording(kind), ongoing_call() as ongoing:
        result = function(*given)
    return Traced(inputs, result, ongoing.constants)
