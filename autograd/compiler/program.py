"""What is a compiled graph? A program that computes its outputs and their gradients for many examples at once."""

import re
import warnings
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograd.compiler.backend import Backend, Numbers, why_no_native_code
from autograd.compiler.flat_graph import FlatGraph


class Program:
    """A graph that can be run with other numbers; `autograd.compile` makes it.

    Attributes:
        parameters: the leaves of the graph that are not inputs. Their `data` are read afresh at each call. They stand
            in the order of the list that `compile` was given; without a list, in the order in which the graph first
            uses them, which need not be that of `model.parameters()`.

    `print(program)` lists the instructions. Programs can be pickled, with their parameters.
    """

    def __init__(self, graph: FlatGraph) -> None:
        self.parameters = list(graph.parameters)
        self._graph = graph
        self._backend = _backend(graph)

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self._graph,)

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return self._graph.inputs

    def __call__(self, X: ArrayLike, *, allow_nan: bool = True) -> Numbers:
        """The outputs for each example.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the outputs: shape (outputs,) or (m, outputs).

        Raises:
            ValueError: X has another shape, or nan where that is refused.
            TypeError: X does not hold real numbers.
            IndexError: an index in the graph is out of range for an example.
        """
        rows, single = self._rows(X, allow_nan)
        values, _ = self._backend.run(rows, self._leaves(), gradient=False)
        return values[0] if single else values

    def value_and_grad(self, X: ArrayLike, *, allow_nan: bool = True) -> tuple[Any, Numbers, Numbers]:
        """The first output for each example, and its derivatives.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the values, shape (m,), or a float for a single example; the derivatives by the inputs, in the shape of X;
            and those by the `parameters`, in their order, summed over the examples.

        Raises:
            ValueError, TypeError, IndexError: as in a call.
        """
        rows, single = self._rows(X, allow_nan)
        by_inputs = np.empty(rows.shape)
        values, by_parameters = self._backend.run(rows, self._leaves(), by_inputs=by_inputs)
        if single:
            return float(values[0, 0]), by_inputs[0], by_parameters
        return values[:, 0], by_inputs, by_parameters

    def backward(self, X: ArrayLike, *, allow_nan: bool = True) -> Any:
        """Adds the derivatives of the first output, summed over the examples, to the parameters' `grad`.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the values of the first output, as `value_and_grad` gives them.

        Raises:
            ValueError, TypeError, IndexError: as in a call; then no gradient has changed.
        """
        values, _, by_parameters = self.value_and_grad(X, allow_nan=allow_nan)
        for parameter, gradient in zip(self.parameters, by_parameters.tolist(), strict=True):
            parameter.grad += gradient
        return values

    def _leaves(self) -> Numbers:
        """The numbers that the parameters have now."""
        return np.array([p._data for p in self.parameters], np.float64)

    def _rows(self, X: ArrayLike, allow_nan: bool) -> tuple[Numbers, bool]:
        """The examples as rows, and whether X was a single one."""
        given = np.asarray(X)
        if given.dtype.kind not in "biuf":
            raise TypeError(f"a program takes an array of real numbers; got one of {given.dtype}")
        rows = np.ascontiguousarray(np.atleast_2d(given), dtype=np.float64)
        if given.ndim not in (1, 2) or rows.shape[1] != self.inputs:
            hint = ": give X[:, None]" if self.inputs == given.ndim == 1 else ""
            raise ValueError(
                f"this program takes examples of {_count(self.inputs, 'input')}, in an array of shape ({self.inputs},) "
                f"or (m, {self.inputs}); got shape {given.shape}{hint}"
            )
        if not allow_nan and not np.isfinite(rows).all():
            example, place = np.argwhere(~np.isfinite(rows))[0]
            raise ValueError(f"X[{example}, {place}] is {rows[example, place]}; allow_nan=True would let it through")
        return rows, given.ndim == 1

    def __str__(self) -> str:
        graph = self._backend.graph
        names = _names(graph)
        lines = [f"program of {_count(graph.inputs, 'input')}, {_count(len(self.parameters), 'parameter')}"]
        for x in graph.instructions:
            operands = [names[slot] for slot in x.operands]
            if len(operands) > 6:
                operands = [*operands[:3], f"... {len(operands) - 4} more", operands[-1]]
            label = f"    # {graph.labels[x.out]}" if x.out in graph.labels else ""
            lines.append(f"{names[x.out]} = {x.operation.name}({', '.join(operands)}){label}")
        lines.append(f"return {', '.join(names[slot] for slot in graph.outputs)}")
        return "\n".join([*lines, *(f"# {note}" for note in (*graph.notes, *self._backend.notes))])

    def __repr__(self) -> str:
        return (
            f"Program({_count(self.inputs, 'input')}, {_count(len(self.parameters), 'parameter')}, "
            f"{_count(len(self._backend.graph.instructions), 'instruction')})"
        )


def _backend(graph: FlatGraph) -> Backend:
    """Native code, or the interpreter where there is none."""
    missing = why_no_native_code()
    if missing:
        from autograd.compiler.interpreter import Interpreter

        _say_that_it_is_slow(missing)
        return Interpreter(graph)
    from autograd.compiler.native import NativeBackend

    return NativeBackend(graph)


@cache
def _say_that_it_is_slow(why: str) -> None:
    warnings.warn(f"compiled programs run in Python, example by example: {why}", RuntimeWarning, stacklevel=5)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _names(graph: FlatGraph) -> list[str]:
    """A name for each slot: its label, or else x0 for an input, p0 for a parameter, t0 for a result; constants."""
    names = [f"x{i}" for i in range(graph.inputs)] + [f"p{i}" for i in range(len(graph.parameters))]
    uses = Counter(graph.labels.values())
    for slot in range(len(names)):
        label = graph.labels.get(slot, "")
        if label.isidentifier() and uses[label] == 1 and not re.fullmatch(r"[xpt]\d+", label):
            names[slot] = label
    return names + [f"{x!r}" for x in graph.constants] + [f"t{i}" for i in range(len(graph.instructions))]
