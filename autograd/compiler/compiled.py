"""What does `autograd.compile` give? For a graph a program, and for a function one that behaves like it."""

from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from typing import Any, overload

import numpy as np

from autograd.compiler.backend import Numbers
from autograd.compiler.flat_graph import check_leaves, flatten
from autograd.compiler.program import Program
from autograd.compiler.tracing import RecordingError, trace
from autograd.reals import as_float, shown
from autograd.value import Value

Values = Value | Iterable[Value]


@overload
def compile(outputs: Callable[..., Any], *, parameters: Values | None = None) -> "CompiledFunction": ...
@overload
def compile(outputs: Values, inputs: Values, parameters: Values | None = None) -> Program: ...
def compile(outputs: Any, inputs: Any = None, parameters: Any = None) -> Any:
    """Turns a graph, or a function, into native code that runs for many examples at once.

    `compile(f)` records the function when it is first called. Comparisons such as `x > 0` are recorded too, for
    `where(x > 0, a, b)`. Where Python itself would decide by a Value (`if x > 0`, `values[i]`, `.data`), an error says
    whether `where` or `take` will do. Values that the function reads elsewhere are parameters, whose `data` are read
    afresh in each call. Plain numbers that it reads elsewhere, and random numbers that it draws, stay as they were in
    the first call. `compile(f).program` is then the `Program`. The function takes its numbers one by one (for a model,
    `lambda a, b: model([a, b])`), or arrays of them. For single numbers it is not faster than the function itself.

    `compile(outputs, inputs)` takes a graph as it is. Its branches were taken when it was made. In the graph of a
    derivative, that includes the branches inside the rules of relu, abs, where, pow and the like: for other numbers it
    may be the wrong derivative.

    `parameters` fixes the order of `program.parameters`, and so of the third result of `program.value_and_grad`.
    Without it they stand in the order in which the graph first uses them. The list must have all leaves that are not
    inputs; those that the graph does not use have gradient 0.

    (`from autograd import *` leaves Python's own `compile` in place, as it does `sum`, `max`, `min` and `abs`.)

    Arguments:
        outputs: a function of n numbers; or a Value, or a list of them.
        inputs: the leaves that get other numbers in each run.
        parameters: all other leaves, such as `model.parameters()`, in the order that is wanted.

    Returns:
        a `CompiledFunction`, or a `Program`.

    Raises:
        TypeError: an argument is something else, or an operation of one's own was given over plain floats.
        ValueError: an input or a parameter was computed, or a leaf is given twice, or is not in `parameters`. (What a
            function reads shows when it is first called.)
        ImportError: NumPy is not installed. (Without llvmlite, programs run in Python, and a warning says so once.)

    >>> from autograd import Value, compile, tanh
    >>> x, w = Value(0.5), Value(2.0)
    >>> program = compile(tanh(w * x), [x])
    >>> values, by_x, by_parameters = program.value_and_grad([[0.0], [0.5]])
    >>> values.round(6).tolist(), by_x.round(6).tolist(), by_parameters.round(6).tolist()
    ([0.0, 0.761594], [[2.0], [0.839949]], [0.209987])
    >>> square = compile(lambda x: x * x)
    >>> square(3.0), square.value_and_grad(3.0)
    (9.0, (9.0, (6.0,)))
    >>> b = Value(1.0)
    >>> compile(tanh(w * x) + b, [x], parameters=[b, w]).value_and_grad([0.0])[2].tolist()
    [1.0, 0.0]
    >>> import numpy as np
    >>> square(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 4.0, 9.0]
    """
    fixed = None if parameters is None else _values("parameters", parameters)
    if callable(outputs) and not isinstance(outputs, Value):
        if inputs is not None:
            raise TypeError(f"compile takes no inputs beside a function; got {shown(inputs)}: its arguments are inputs")
        return CompiledFunction(outputs, fixed)
    if inputs is None:
        raise TypeError(f"compile takes a function, or outputs and inputs; got {shown(outputs)} alone: give the inputs")
    results = _values("outputs", outputs)
    if not results:
        raise ValueError("compile needs at least one output; got none: give the Values that the program computes")
    return _program(results, _values("inputs", inputs), fixed)


def _values(name: str, given: Any) -> list[Value]:
    """The Values that were given for an argument: one, or several."""
    values = [given] if isinstance(given, Value) or not isinstance(given, Iterable) else list(given)
    for x in values:
        if not isinstance(x, Value):
            raise TypeError(f"compile takes Values as {name}; got {shown(x)} ({type(x).__name__}): give a list of them")
    return values


def _program(outputs: list[Value], inputs: Sequence[Value], parameters: list[Value] | None) -> Program:
    """The program of a graph, whose leaves must all be given if the parameters are."""
    graph = flatten(outputs, inputs, parameters or ())
    if parameters is not None and len(graph.parameters) > len(parameters):
        raise ValueError(
            f"the graph has a leaf that is neither an input nor in parameters: {shown(graph.parameters[-1])}: "
            f"add it to parameters, or give no parameters"
        )
    return Program(graph)


def _are_arrays(numbers: Sequence[Any]) -> bool:
    """Whether one of the numbers is an array of several."""
    return any(getattr(x, "shape", ()) != () for x in numbers)


def _rows(arrays: Sequence[Any]) -> tuple[Numbers, tuple[int, ...]]:
    """Arrays broadcast against each other, as a row of numbers for each place; and their shape."""
    columns = np.broadcast_arrays(*arrays)
    return np.stack([np.ravel(column) for column in columns], axis=1), columns[0].shape


class CompiledFunction:
    """A function of numbers that is recorded at its first call, and then runs as native code.

    `autograd.compile` makes it.

    Attributes:
        program: the `Program`, for many examples at once; None before the first call.
    """

    def __init__(self, function: Callable[..., Any], parameters: list[Value] | None = None) -> None:
        update_wrapper(self, function)
        check_leaves("a parameter", "parameters", parameters or ())
        self.function = function
        self.program: Program | None = None
        self._parameters = parameters
        self._sequence: type | None = None  # of what the function returns, if that is a list or a tuple

    def __call__(self, *numbers: Any) -> Any:
        """What the function returns for these numbers, as floats. Called with Values, it is the function itself.

        NumPy arrays are broadcast against each other and against numbers, and give an array, or several.
        """
        if any(isinstance(x, Value) for x in numbers):
            return self.function(*numbers)
        if _are_arrays(numbers):
            rows, shape = _rows(numbers)
            outputs = [column.reshape(shape) for column in self._program_of([1.0] * rows.shape[1])(rows).T]
        else:
            floats = [as_float(x, f"{self._name}(...)") for x in numbers]
            outputs = self._program_of(floats)(floats).tolist()
        return outputs[0] if self._sequence is None else self._sequence(outputs)

    def value_and_grad(self, *numbers: Any) -> tuple[Any, tuple[Any, ...]]:
        """The (first) value for these numbers, and its derivative by each of them.

        Arguments:
            numbers: as in a call; for arrays both are arrays.
        """
        if _are_arrays(numbers):
            rows, shape = _rows(numbers)
            values, by_inputs, _ = self._program_of([1.0] * rows.shape[1]).value_and_grad(rows)
            return values.reshape(shape), tuple(column.reshape(shape) for column in by_inputs.T)
        floats = [as_float(x, f"{self._name}.value_and_grad(...)") for x in numbers]
        value, gradient, _ = self._program_of(floats).value_and_grad(floats)
        return value, tuple(gradient.tolist())

    def _program_of(self, floats: list[float]) -> Program:
        """The program for this many numbers. The first call records the function at them."""
        if self.program is None:
            self.program = self._recorded(floats)
        elif len(floats) != self.program.inputs:
            raise TypeError(f"{self._name} was recorded with {self.program.inputs} numbers; got {len(floats)}")
        return self.program

    def _recorded(self, floats: list[float]) -> Program:
        """Records the function."""
        inputs, result = trace(self.function, floats)
        self._sequence = type(result) if isinstance(result, list | tuple) else None
        outputs = [result] if self._sequence is None else list(result)
        for y in outputs:
            if not isinstance(y, Value):
                raise RecordingError(
                    f"{self._name} returned {shown(y)} ({type(y).__name__}), which does not depend on its inputs: "
                    f"did it use .data or math.*?"
                )
        return _program(outputs, inputs, self._parameters)

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def __repr__(self) -> str:
        return f"<compiled {self._name}: {'not recorded yet' if self.program is None else repr(self.program)}>"
