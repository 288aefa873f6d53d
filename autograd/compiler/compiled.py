"""What does `autograd.compile` give? A program of a recorded graph, or a function that behaves like the one given."""

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, overload

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import record
from autograd.compiler.program import Program
from autograd.compiler.tracing import RecordingError, trace
from autograd.reals import as_float, shown
from autograd.value import Value


@overload
def compile(outputs: Callable[..., Any]) -> "CompiledFunction": ...
@overload
def compile(outputs: Value | Sequence[Value], inputs: Sequence[Value]) -> Program: ...
def compile(outputs: Any, inputs: Any = None) -> Any:
    """Turns a recorded graph, or a function, into native code that runs for many examples at once.

    `compile(f)` records the function when it is first called. `x > 0` is recorded, for `where(x > 0, a, b)`; what
    Python itself would decide by a Value (`if x > 0`, `values[i]`, `.data`) is an error that names `where` or `take`.
    Values that the function reads elsewhere are parameters, whose `data` are read afresh; plain numbers that it reads,
    and random ones that it draws, are those of that first call. `compile(f).program` is then the `Program`. The
    function takes numbers one by one (`lambda a, b: model([a, b])` for a model), or arrays of them; for single numbers
    it is not faster than the function itself.

    `compile(outputs, inputs)` takes a graph as it is: branches were taken already when it was made, by the numbers of
    then; also those inside the rules, if the graph is a derivative: away from where it was recorded, a derivative of
    relu, abs, where, pow and the like may then be another one. (`from autograd import *` leaves Python's own `compile`
    in place, as it does `sum`, `max`, `min` and `abs`.)

    Arguments:
        outputs: a function of n numbers; or a Value, or a list of them.
        inputs: the leaves that will get other numbers.

    Returns:
        a `CompiledFunction`, or a `Program`.

    Raises:
        TypeError: an argument is something else, or an operation of one's own was given over plain floats.
        ValueError: an input was computed, or is given twice.
        ImportError: NumPy is not installed. (Without numba, programs run in Python, and a warning says so once.)

    >>> from autograd import Value, compile, tanh
    >>> x, w = Value(0.5), Value(2.0)
    >>> program = compile(tanh(w * x), [x])
    >>> values, by_x, by_parameters = program.value_and_grad([[0.0], [0.5]])
    >>> values.round(6).tolist(), by_x.round(6).tolist(), by_parameters.round(6).tolist()
    ([0.0, 0.761594], [[2.0], [0.839949]], [0.209987])
    >>> square = compile(lambda x: x * x)
    >>> square(3.0), square.value_and_grad(3.0)
    (9.0, (9.0, (6.0,)))
    >>> import numpy as np
    >>> square(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 4.0, 9.0]
    """
    if inputs is None:
        if not callable(outputs):
            raise TypeError(f"compile takes a function, or outputs and inputs; got {shown(outputs)} alone")
        return CompiledFunction(outputs)
    if callable(outputs) and not isinstance(outputs, Value):
        raise TypeError("compile takes a function alone, without inputs; or Values as outputs, and inputs")
    results = [outputs] if isinstance(outputs, Value) else list(outputs)
    leaves = [inputs] if isinstance(inputs, Value) else list(inputs)
    for name, values in (("outputs", results), ("inputs", leaves)):
        for x in values:
            if not isinstance(x, Value):
                raise TypeError(f"compile takes Values as {name}; got {shown(x)} ({type(x).__name__})")
    if not results:
        raise ValueError("compile needs at least one output; got none")
    return Program(record(results, leaves))


def _are_arrays(numbers: Sequence[Any]) -> bool:
    """Whether one of the numbers is an array of several."""
    return any(getattr(x, "shape", ()) != () for x in numbers)


def _rows(arrays: Sequence[Any]) -> tuple[Numbers, tuple[int, ...]]:
    """Arrays broadcast against each other, as a row of numbers for each place; and their shape."""
    columns = np.broadcast_arrays(*arrays)
    return np.stack([np.ravel(column) for column in columns], axis=1), columns[0].shape


class CompiledFunction:
    """A function of numbers, recorded at its first call, that then runs as native code; `autograd.compile` makes it.

    Attributes:
        program: the `Program`, for many examples at once; None before the first call.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        self.program: Program | None = None
        self._shape: type | None = None

    def __call__(self, *numbers: Any) -> Any:
        """What the function returns for these numbers, in floats; called with Values, it is the function itself.

        NumPy arrays are broadcast against each other and against numbers, and give an array, or several.
        """
        if any(isinstance(x, Value) for x in numbers):
            return self.function(*numbers)
        if _are_arrays(numbers):
            rows, shape = _rows(numbers)
            outputs = [column.reshape(shape) for column in self._recorded([1.0] * rows.shape[1])(rows).T]
            return outputs[0] if self._shape is None else self._shape(outputs)
        floats = [as_float(x, f"{self._name}(...)") for x in numbers]
        outputs = self._recorded(floats)(floats).tolist()
        return outputs[0] if self._shape is None else self._shape(outputs)

    def value_and_grad(self, *numbers: Any) -> tuple[Any, tuple[Any, ...]]:
        """The (first) value for these numbers, and its derivative by each of them.

        Arguments:
            numbers: as in a call; for arrays both are arrays.
        """
        if _are_arrays(numbers):
            rows, shape = _rows(numbers)
            values, by_inputs, _ = self._recorded([1.0] * rows.shape[1]).value_and_grad(rows)
            return values.reshape(shape), tuple(column.reshape(shape) for column in by_inputs.T)
        floats = [as_float(x, f"{self._name}.value_and_grad(...)") for x in numbers]
        value, gradient, _ = self._recorded(floats).value_and_grad(floats)
        return value, tuple(gradient.tolist())

    def _recorded(self, floats: list[float]) -> Program:
        """The program, after recording the function if this is the first call."""
        if self.program is None:
            inputs, result = trace(self.function, floats)
            self._shape = type(result) if isinstance(result, list | tuple) else None
            outputs = list(result) if isinstance(result, list | tuple) else [result]
            for y in outputs:
                if not isinstance(y, Value):
                    raise RecordingError(
                        f"{self._name} returned {shown(y)} ({type(y).__name__}), which does not depend on its inputs: "
                        f"did it use .data or math.*?"
                    )
            self.program = Program(record(outputs, inputs))
        elif len(floats) != self.program.inputs:
            raise TypeError(f"{self._name} was recorded with {self.program.inputs} numbers; got {len(floats)}")
        return self.program

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def __repr__(self) -> str:
        return f"<compiled {self._name}: {'not recorded yet' if self.program is None else repr(self.program)}>"
