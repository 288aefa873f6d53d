"""What is fitted? A model function, as a program that gives values and derivatives for all observations at once."""

import dis
import inspect
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from autograd import compile, functions, grad
from autograd.compiler.compiled import CompiledFunction
from autograd.compiler.program import Program
from autograd.reals import shown

Numbers = NDArray[np.float64]


def parameter_names(f: Callable[..., Any], start: Any) -> list[str]:
    """The names of the parameters that `start` has numbers for, as the signature of f(x, ...) has them.

    `f(x, *b)` has the parameters b1, b2, ... Parameters with defaults may be left out at the end.

    Raises:
        TypeError, ValueError: there are more or fewer of them than numbers.

    >>> parameter_names(lambda x, slope, offset=0.0: slope * x + offset, [1.0])
    ['slope']
    >>> parameter_names(lambda x, *b: b[0] * x + b[1], [1.0, 2.0])
    ['b1', 'b2']
    """
    try:
        signature = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        raise TypeError(f"f takes a function f(x, a, b, ...); got {shown(f)} ({type(f).__name__})") from None
    single = [p for p in signature if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = [p.name for p in signature if p.kind == p.KEYWORD_ONLY and p.default is p.empty]
    if keywords:
        raise TypeError(
            f"least_squares fits parameters that stand in order; {_named(f)} takes {', '.join(keywords)} by keyword "
            f"only: leave out the * before"
        )
    several = [p.name for p in signature if p.kind == p.VAR_POSITIONAL]
    names = [p.name for p in single[1:]]
    needed = sum(p.default is p.empty for p in single[1:])
    if several:
        names += [f"{several[0]}{k}" for k in range(1, 1 + len(start) - len(names))]
    if isinstance(start, Mapping):
        return _names_in(start, names, needed)
    if not needed <= len(start) <= len(names):
        raise ValueError(
            f"start takes a number for each parameter of {_named(f)}: {', '.join(names) or 'it has none beside x'}; "
            f"got {len(start)}: give {needed if len(start) < needed else len(names)}"
        )
    return names[: len(start)]


def _names_in(start: Mapping[str, Any], names: list[str], needed: int) -> list[str]:
    """The names in a mapping, in the order of the signature, of which the first ones have no default."""
    unknown = [name for name in start if name not in names]
    if unknown:
        raise ValueError(f"start names {shown(unknown[0])}; f has the parameters {', '.join(names)}: give these")
    given = [name for name in names if name in start]
    missing = [name for name in names[: max(needed, len(given))] if name not in start]
    if missing:
        raise ValueError(f"start takes a number for each parameter of f, and {missing[0]} is missing: give one for it")
    return given


def _named(f: Callable[..., Any]) -> str:
    name = getattr(f, "__name__", "f")
    return "f" if name == "<lambda>" else str(name)


def _of_numbers(f: Callable[..., Any], columns: int) -> Callable[[list[Any]], Any]:
    """f as a function of one list: the numbers of x, and then the parameters."""
    return lambda numbers: f(numbers[:columns], *numbers[columns:]) if columns else f(*numbers)


class Model:
    """y = f(x, *parameters), for many x at once.

    Attributes:
        x_name: what f calls its first argument.
        names: those of the parameters.
        name: that of f, or "f".
        columns: how many numbers an x is: 0 for a number, otherwise the length of a row.

    Arguments:
        f: the function. It is called once, and recorded, if it is not yet.
        names: the names of its parameters.
        start: numbers for them, at which it is recorded.
        x: the first x: a number, or a row of them.
    """

    def __init__(self, f: CompiledFunction, names: list[str], start: Numbers, x: Any) -> None:
        self.names = names
        self.x_name = next(iter(inspect.signature(f).parameters))
        self.name = _named(f)
        self.columns = columns_of(x)
        try:
            result = f(x.tolist(), *start.tolist())
        except (TypeError, IndexError) as error:
            error.add_note(f"least_squares called {self.text} with {_in_words(self.columns)}")
            if hint := _hint(f):
                error.add_note(hint)
            raise
        if not isinstance(result, float):
            raise TypeError(f"{self.text} returns one number for each x; got {shown(result)}: return one number")
        assert f.program is not None
        self._program = f.program
        self._second: Program | None = None

    @property
    def text(self) -> str:
        """How f is called, such as "decay(t, rate, offset)"."""
        return f"{self.name}({', '.join([self.x_name, *self.names])})"

    def inputs(self, x: Numbers, parameters: Numbers) -> Numbers:
        """What the program takes: for each row of x its numbers, and then the parameters."""
        inputs = np.empty((len(x), x.shape[1] + len(parameters)))
        inputs[:, : x.shape[1]] = x
        inputs[:, x.shape[1] :] = parameters
        return inputs

    def values(self, inputs: Numbers) -> Numbers:
        """f for each row of inputs."""
        values: Numbers = self._program(inputs)[:, 0]
        return values

    def jacobian(self, inputs: Numbers) -> Numbers:
        """The derivatives of f by the parameters: a row for each row of inputs."""
        return self._program.jacobian(inputs)[:, 0, -len(self.names) :]

    def curvature(self, f: Callable[..., Any], inputs: Numbers, weights: Numbers) -> Numbers:
        """The sum of the matrices of second derivatives by the parameters, one for each row of inputs, with weights.

        Arguments:
            f: the function again: second derivatives are recorded when they are first wanted, and that is seldom.
        """
        count = len(self.names)
        if self._second is None:
            slopes = grad(_of_numbers(f, self.columns))
            recorded = compile(lambda numbers: slopes(numbers)[-count:])
            recorded(inputs[0].tolist())
            self._second = recorded.program
        assert self._second is not None
        derivatives = self._second.jacobian(
            inputs
        )  # summed as they lie: to cut first copies them all, for half a second
        matrix: Numbers = (weights @ derivatives.reshape(len(inputs), -1)).reshape(derivatives.shape[1:])
        return matrix[:, -count:]

    def rows(self, x: Any) -> tuple[Numbers, tuple[int, ...]]:
        """One x, or several, as rows; and the shape of what belongs to them.

        Raises:
            ValueError, TypeError: they are not numbers, or rows of as many as f was fitted with.
        """
        given = np.asarray(x, dtype=np.float64)
        if self.columns and given.shape[-1:] != (self.columns,):
            raise ValueError(f"{self.text} takes rows of {self.columns} numbers as x; got shape {given.shape}")
        return given.reshape(-1, self.columns or 1), given.shape[:-1] if self.columns else given.shape


_models: WeakKeyDictionary[CompiledFunction, Model] = WeakKeyDictionary()
"""The models of functions that the user has compiled. They last as long as these."""


def model_of(f: Callable[..., Any], names: list[str], start: Numbers, x: Any) -> Model:
    """The model of a function: one for all fits of a compiled function, as it is recorded once."""
    if not isinstance(f, CompiledFunction):
        return Model(compile(f), names, start, x)
    kept = _models.get(f)
    if kept is None or (kept.names, kept.columns) != (names, columns_of(x)):
        kept = _models[f] = Model(f, names, start, x)
    return kept


def columns_of(x: Any) -> int:
    """How many numbers an x is: 0 for a number, otherwise the length of a row."""
    return np.size(x) if np.ndim(x) else 0


def _in_words(columns: int) -> str:
    """What f gets, for an error message."""
    if columns == 1:
        return (
            "a row of one number as x, and one number for each parameter; for x as a number give a column, such as "
            'frame["x"] or x[:, 0]'
        )
    return f"{f'a row of {columns} numbers' if columns else 'one number'} as x, and one number for each parameter"


def assignments(names: list[str], numbers: Numbers) -> str:
    """Parameters with their numbers, for error messages."""
    return ", ".join(f"{name} = {number:.6g}" for name, number in zip(names, numbers.tolist(), strict=True))


def _hint(f: Callable[..., Any]) -> str:
    """What to call in the place of functions of other packages, in words; empty if f calls none.

    >>> import math
    >>> _hint(lambda x, a: math.exp(a * x))
    'f calls exp of another package: call autograd.exp'
    """
    function = inspect.unwrap(f)
    code, known = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    read = [(x.opname, x.argval) for x in dis.get_instructions(code)] if code else []
    things = {name: known.get(name) for operation, name in read if operation in ("LOAD_GLOBAL", "LOAD_NAME")}
    modules = [x.__name__ for x in things.values() if inspect.ismodule(x) and not x.__name__.startswith("autograd")]
    names = [name for name, thing in things.items() if thing and thing is not getattr(functions, name, thing)]
    if modules:
        names += [name for operation, name in read if operation in ("LOAD_ATTR", "LOAD_METHOD")]
    names = [name for name in dict.fromkeys(names) if name in functions.PUBLIC]
    if names:
        return f"f calls {', '.join(names)} of another package: call autograd.{', autograd.'.join(names)}"
    if modules:
        return (
            f"f calls {', '.join(modules)}, and not all of that can be recorded: write it with arithmetic and the "
            f"functions of autograd"
        )
    return ""
