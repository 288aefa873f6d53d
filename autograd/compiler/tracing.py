"""How is a function recorded, so that nothing of the one call that was recorded is burned in?

Its inputs are Tracers: Values that compute like any other, but do not tell their number. What a function would decide
in Python by the number, the recorded graph could not decide anew for other numbers; so asking for it is an error.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from autograd import modes
from autograd.value import Value


class RecordingError(TypeError):
    """A function that is being recorded asked for the number of an input, or of something computed from one."""


def _refused(what: str, remedy: str) -> Callable[..., NoReturn]:
    def refuse(self: Any, *_: Any) -> NoReturn:
        frame = modes.user_frame(sys._getframe(1))
        raise RecordingError(
            f"{what} at line {frame.f_lineno} of {frame.f_code.co_filename} would hold for this one call only, and the "
            f"function is being recorded for all numbers: {remedy}"
        )

    return refuse


_WHERE = "use where(condition, x, y), maximum, minimum, clip or abs"
_TAKE = "use take(values, index)"


class Tracer(Value):
    """A Value that keeps its number to itself."""

    __slots__ = ()

    __init__ = _refused("a number computed inside no_grad()", "leave no_grad() to the caller")
    detach = __copy__ = __deepcopy__ = __reduce_ex__ = _refused(
        "a copy of a recorded number, cut off from its graph,", "keep the Value"
    )
    __lt__ = __le__ = __gt__ = __ge__ = _refused("a comparison", _WHERE)
    __bool__ = _refused("a branch on a recorded number", _WHERE)
    __index__ = _refused("an index taken from a recorded number", _TAKE)
    __float__ = _refused("float() of a recorded number", "use the functions of autograd, or keep the Value")
    __int__ = _refused("int() of a recorded number", "use floor, round or ceil, or take(values, index)")
    item = _refused("item() of a recorded number", "keep the Value")
    data = property(
        _refused(".data of a recorded number", f"keep the Value, or {_WHERE}, {_TAKE[4:]}"),
        _refused("setting .data of a recorded number", "compute a new Value"),
    )

    def __repr__(self) -> str:
        return "Tracer()"

    def __format__(self, spec: str) -> str:
        return "Tracer()"


def trace(function: Callable[..., Any], numbers: Sequence[float]) -> tuple[list[Value], Any]:
    """Calls the function on Tracers with these numbers; returns the Tracers, and what the function returned."""
    inputs: list[Value] = []
    for number in numbers:
        tracer = object.__new__(Tracer)
        Value.__init__(tracer, number)
        inputs.append(tracer)
    with modes.recording(Tracer):
        return inputs, function(*inputs)
