"""What is fitted? A model function, as a program that gives values and derivatives for all observations at once."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import compile, grad
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


def _of_numbers(f: Callable[..., Any], count: int, columns: int) -> Callable[[list[Any]], Any]:
    """f as a function of one list: the parameters, and then the numbers of x."""

    def of_numbers(numbers: list[Any]) -> Any:
        parameters, x = numbers[:count], numbers[count:]
        return f(x if columns else x[0], *parameters)

    of_numbers.__name__ = _named(f)
    return of_numbers


class Model:
    """y = f(x, *parameters), for many x at once.

    Attributes:
        x_name: what f calls its first argument.
        text: how it is called, such as "decay(t, rate, offset)".
        columns: how many numbers an x is: 0 for a number, otherwise the length of a row.

    Arguments:
        f: the function. It is called once, and recorded.
        names: the names of its parameters.
        start: numbers for them, at which it is recorded.
        x: the first x: a number, or a row of them.
    """

    def __init__(self, f: Callable[..., Any], names: Sequence[str], start: Numbers, x: Any) -> None:
        self.names = list(names)
        self.x_name = next(iter(inspect.signature(f).parameters))
        self.text = f"{_named(f)}({', '.join([self.x_name, *names])})"
        self.columns = np.size(x) if np.ndim(x) else 0
        recorded = compile(_of_numbers(f, len(names), self.columns))
        try:
            result = recorded([*start.tolist(), *np.ravel(x).tolist()])
        except (TypeError, IndexError) as error:
            row = f"a row of {self.columns} numbers" if self.columns else "one number"
            error.add_note(f"least_squares called {self.text} with {row} as x, and one number for each parameter")
            raise
        if not isinstance(result, float):
            raise TypeError(f"{self.text} returns one number for each x; got {shown(result)}: return one number")
        assert recorded.program is not None
        self._program = recorded.program
        self._second: Program | None = None

    def values(self, x: Numbers, parameters: Numbers) -> Numbers:
        """f at each row of x."""
        values: Numbers = self._program(self._rows(x, parameters))[:, 0]
        return values

    def jacobian(self, x: Numbers, parameters: Numbers) -> Numbers:
        """The derivatives of f by the parameters: a row for each row of x."""
        return self._program.jacobian(self._rows(x, parameters))[:, 0, : len(parameters)]

    def curvature(self, f: Callable[..., Any], x: Numbers, parameters: Numbers, weights: Numbers) -> Numbers:
        """The sum of the matrices of second derivatives by the parameters, one for each row of x, with weights.

        Arguments:
            f: the function again: second derivatives are recorded when they are first wanted, and that is seldom.
        """
        count = len(parameters)
        rows = self._rows(x, parameters)
        if self._second is None:
            slopes = grad(_of_numbers(f, count, self.columns))
            recorded = compile(lambda numbers: slopes(numbers)[:count])
            recorded(rows[0].tolist())
            self._second = recorded.program
        assert self._second is not None
        matrices = self._second.jacobian(rows)[:, :, :count]
        return np.tensordot(weights, matrices, 1)

    def rows(self, x: Any) -> tuple[Numbers, tuple[int, ...]]:
        """One x, or several, as rows; and the shape of what belongs to them.

        Raises:
            ValueError, TypeError: they are not numbers, or rows of as many as f was fitted with.
        """
        given = np.asarray(x, dtype=np.float64)
        if self.columns and given.shape[-1:] != (self.columns,):
            raise ValueError(f"{self.text} takes rows of {self.columns} numbers as x; got shape {given.shape}")
        return given.reshape(-1, self.columns or 1), given.shape[:-1] if self.columns else given.shape

    def _rows(self, x: Numbers, parameters: Numbers) -> Numbers:
        rows = np.empty((len(x), len(parameters) + x.shape[1]))
        rows[:, : len(parameters)] = parameters
        rows[:, len(parameters) :] = x
        return rows
