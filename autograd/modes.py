"""How can recording be switched off, and errors be switched on, for one block in one thread?

`no_grad()` and `strict()` hold in the thread or task that enters them (`contextvars`). Almost always no block is open
anywhere. So the engine asks one number of this module first, `active`, which takes 2 ns a node instead of 11.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast, overload

from autograd.rules import is_finite

F = TypeVar("F", bound=Callable[..., Any])
Node = TypeVar("Node")

active = 0
"""How many blocks are open, in all threads together."""

_lock = threading.Lock()

CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200  # as in `inspect`, which takes 5 ms to import


class _Entry:
    """One time that a block was entered. A new task inherits the entries of the task that made it. Closed ones are
    ignored by all."""

    __slots__ = ("block", "open")

    def __init__(self, block: "_Block") -> None:
        self.block = block
        self.open = True


_no_grad: ContextVar[tuple[_Entry, ...]] = ContextVar("no_grad", default=())
_strict: ContextVar[tuple[_Entry, ...]] = ContextVar("strict", default=())
_recording: ContextVar[tuple[_Entry, ...]] = ContextVar("recording", default=())
refusals: ContextVar["list[RecordingError] | None"] = ContextVar("refusals", default=None)
"""The errors of the recording in progress here. They are kept in case the recorded function catches them."""


def is_recording() -> bool:
    """Whether operations make nodes here: no `no_grad()` block is open."""
    return not any(entry.open for entry in _no_grad.get())


def node_type(default: type[Node]) -> type[Node]:
    """The class of the nodes that operations make here: that of the innermost `recording()` block, or the default."""
    blocks = [entry.block for entry in _recording.get() if entry.open]
    return cast(type[Node], blocks[-1].node_type) if blocks else default


def is_strict() -> bool:
    """Whether a `strict()` block is open here."""
    return any(entry.open for entry in _strict.get())


def is_traced() -> bool:
    """Whether a function is being recorded here for all numbers: a `recording()` block is open."""
    return bool(active and _recording.get()) and node_type(object) is not object


class RecordingError(TypeError):
    """A function that is being recorded for all numbers asked for a number, which holds for this one call only."""


def check_readable(what: str = ".data", remedy: str = "keep the Value") -> None:
    """Raises RecordingError while a function is being recorded here: the number would become part of the program."""
    if is_traced():
        raise unreadable(what, remedy)


def unreadable(what: str, remedy: str) -> RecordingError:
    """The error for something that needs the number of a Value while a function is being recorded."""
    frame = user_frame(sys._getframe(1))
    error = RecordingError(
        f"{what} at line {frame.f_lineno} of {frame.f_code.co_filename} would hold for this one call only, and the "
        f"function is being recorded for all numbers: {remedy}"
    )
    noted = refusals.get()
    if noted is not None:
        noted.append(error)
    return error


class DomainError(ArithmeticError):
    """Inside `strict()`, finite operands gave a value or a local derivative that is not finite.

    Attributes: `operation` (its name), `operands` (their numbers), `filename` and `lineno` of the call.
    """

    def __init__(self, what: str, operation: str, operands: Sequence[float]) -> None:
        frame = user_frame(sys._getframe(1))
        self.operation = operation
        self.operands = tuple(operands)
        self.filename = frame.f_code.co_filename
        self.lineno = frame.f_lineno
        super().__init__(
            f"{what} at line {self.lineno} of {self.filename}; keep the operands of {operation} inside its "
            f"domain, or leave strict() to let inf and nan through"
        )

    def __reduce__(self) -> Any:
        return _rebuild_error, (type(self), self.args, self.__dict__)


def _rebuild_error(cls: type[DomainError], args: Any, state: dict[str, Any]) -> DomainError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


_NOT_THE_USERS = ("autograd", "nn", "numpy", "scipy")


def user_frame(frame: FrameType) -> FrameType:
    """The innermost frame outside these packages, and those that they call, which is the user's own line.

    Arguments:
        frame: where the search begins; it goes outward from there.
    """
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USERS:
        frame = frame.f_back
    return frame


class _Block:
    """A `with` block, or a decorator. While it is open, the context variable holds an entry that says so."""

    def __init__(self, variable: ContextVar[tuple[_Entry, ...]], name: str, node_type: type = object) -> None:
        self._variable = variable
        self._name = name
        self.node_type = node_type
        self._entries: list[_Entry] = []

    def __enter__(self) -> None:
        global active
        entry = _Entry(self)
        self._entries.append(entry)
        self._variable.set((*(e for e in self._variable.get() if e.open), entry))
        with _lock:
            active += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global active
        mine = [entry for entry in self._variable.get() if entry.block is self and entry.open]
        entry = mine[-1] if mine else self._entries[-1]  # an abandoned generator may be closed in another context
        self._entries.remove(entry)
        entry.open = False
        self._variable.set(tuple(e for e in self._variable.get() if e.open))
        with _lock:
            active -= 1

    def __call__(self, function: F) -> F:
        """The function, with a new block around each call of it."""
        flags = function.__code__.co_flags if hasattr(function, "__code__") else 0
        if flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
            raise TypeError(
                f"{self._name} cannot decorate the generator function {function.__name__}: put "
                f"`with {self._name}():` inside it"
            )

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with _Block(self._variable, self._name):
                return function(*args, **kwargs)

        @wraps(function)
        async def inside_task(*args: Any, **kwargs: Any) -> Any:
            with _Block(self._variable, self._name):
                return await function(*args, **kwargs)

        return cast(F, inside_task if flags & CO_COROUTINE else inside)


@overload
def no_grad() -> _Block: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: F | None = None) -> _Block | F:
    """Computes without recording a graph: results are leaves, and no gradient flows through them.

    It is a context manager, `with no_grad():`, and a decorator, `@no_grad` or `@no_grad()`. It holds for the thread or
    task that enters it. Coroutine functions can be decorated too. In a generator function, write the block inside.

    >>> from autograd import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.parents
    ()
    """
    block = _Block(_no_grad, "no_grad")
    return block if function is None else block(function)


@overload
def strict() -> _Block: ...
@overload
def strict(function: F) -> F: ...
def strict(function: F | None = None) -> _Block | F:
    """Raises `DomainError` at the first inf or nan that comes from finite operands.

    It checks the value and the local derivatives of every operation. The error names the operation, its operands, and
    the file and line of the call. It is a context manager and a decorator, as `no_grad` is.

    >>> from autograd import Value, log, strict
    >>> with strict():
    ...     log(Value(-1.0))
    Traceback (most recent call last):
    autograd.modes.DomainError: log(-1.0) is nan at line ...; keep the operands of log inside its domain...
    """
    block = _Block(_strict, "strict")
    return block if function is None else block(function)


def recording(node_type: type) -> _Block:
    """A block in which operations make nodes of another class, for the thread or task that enters it.

    Arguments:
        node_type: a subclass of Value without slots of its own.
    """
    return _Block(_recording, "recording", node_type)


def check_finite(operation: str, data: float, operands: Sequence[float], derivatives: Sequence[float]) -> None:
    """Raises DomainError if finite operands gave a value or a local derivative that is not finite."""
    if not all(map(is_finite, operands)):
        return
    call = f"{operation}({', '.join(map(repr, operands))})"
    if not is_finite(data):
        raise DomainError(f"{call} is {data}", operation, operands)
    bad = [d for d in derivatives if not is_finite(d)]
    if bad:
        raise DomainError(f"the local derivative of {call} is {bad[0]}", operation, operands)
