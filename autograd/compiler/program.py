"""What is a compiled graph? A program that computes its outputs and their gradients for many examples at once."""

import re
from collections import Counter
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograd.compiler.backend import Backend, Numbers, code
from autograd.compiler.flat_graph import FlatGraph, Instruction, Scan
from autograd.compiler.lending import Reader
from autograd.compiler.stepping import Optimizer, Steps
from autograd.reals import shown

_FLOAT = np.dtype(np.float64)


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
        self._backend: Backend = code().ProgramBackend(graph)
        self._reader = Reader(self.parameters)
        self._steps = Steps(graph)

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

    def jacobian(self, X: ArrayLike, *, allow_nan: bool = True) -> Numbers:
        """The derivatives of every output by every input, for each example.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the derivatives: shape (outputs, n) or (m, outputs, n). Row k holds those of output k.

        Raises:
            ValueError, TypeError, IndexError: as in a call.

        >>> from autograd import Value, compile
        >>> x, y = Value(1.0), Value(1.0)
        >>> compile([x * y, x + y], [x, y]).jacobian([2.0, 3.0]).tolist()
        [[3.0, 2.0], [1.0, 1.0]]
        """
        rows, single = self._rows(X, allow_nan)
        found = self._backend.jacobian(rows, self._leaves())
        return found[0] if single else found

    def value_and_grad(self, X: ArrayLike, *, output: int = 0, allow_nan: bool = True) -> tuple[Any, Numbers, Numbers]:
        """One output for each example, and its derivatives. (`jacobian` has those of all outputs.)

        Only what this output needs is computed. So a program may have an output for each length that a sequence can
        have, and is recorded once, for the longest.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            output: the number of the output. The first one is usually a loss, and further ones predictions.
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the values, shape (m,), or a float for a single example; the derivatives by the inputs, in the shape of X;
            and those by the `parameters`, in their order, summed over the examples.

        Raises:
            ValueError, TypeError: as in a call; or there is no such output.
            IndexError: an index that this output needs is out of range for an example.

        >>> from autograd import Value, compile
        >>> x, w = Value(1.0), Value(3.0)
        >>> program = compile([w * x, w * x * x], [x], parameters=[w])
        >>> program.value_and_grad([2.0], output=1)
        (12.0, array([12.]), array([4.]))
        """
        rows, single = self._rows(X, allow_nan)
        outputs, by_inputs = (self._output(output),), np.empty(rows.shape)
        values, by_parameters = self._backend.run(rows, self._leaves(), by_inputs=by_inputs, outputs=outputs)
        if single:
            return float(values[0, 0]), by_inputs[0], by_parameters
        return values[:, 0], by_inputs, by_parameters

    def backward(self, X: ArrayLike, *, output: int = 0, allow_nan: bool = True) -> Any:
        """Adds the derivatives of one output, summed over the examples, to the parameters' `grad`.

        Arguments:
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            output: the number of the output. Only what it needs is computed.
            allow_nan: False to refuse nan and infinities in X.

        Returns:
            the values of the output, as `value_and_grad` gives them.

        Raises:
            ValueError, TypeError, IndexError: as in `value_and_grad`; then no gradient has changed.
        """
        values, _, by_parameters = self.value_and_grad(X, output=output, allow_nan=allow_nan)
        for parameter, gradient in zip(self.parameters, by_parameters.tolist(), strict=True):
            parameter.grad += gradient
        return values

    def step(
        self,
        optimizer: Optimizer,
        X: ArrayLike,
        *,
        reduction: str = "mean",
        output: int = 0,
        allow_nan: bool = True,
    ) -> float:
        """One step of an optimiser: forward, backward and update in one call of native code. Returns the loss.

        It does what these lines do, where `loss` is an output, as the mean over the examples:

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        The optimiser's parameters and its memory stay in native code until somebody asks for them: `parameter.data`,
        `parameter.grad`, `optimizer.state` and `optimizer.steps` are always the newest, and what is assigned to them
        counts in the next step. So a loop that only steps is fast; each look at a parameter costs 0.2 us for every
        parameter. Several programs may share parameters, such as that of a generator and that of a discriminator; each
        moves those of the optimiser that it is given. The `grad` of other parameters stays as it is.

        An optimiser of one's own runs in native code if its `step` is that of `nn.Optimizer` and its `rule` can be
        recorded (see there), otherwise its own `step` is called.

        Arguments:
            optimizer: one of `nn`, or what `autograd.compiler.stepping.Optimizer` describes.
            X: an example of n inputs, or m of them: shape (n,) or (m, n).
            reduction: "mean" for the mean of the output over the examples, as of losses, or "sum".
            output: the number of the output. Only what it needs is computed. All outputs share the optimiser's memory.
            allow_nan: False to refuse nan and infinities in X.

        Raises:
            ValueError, TypeError, IndexError: as in `value_and_grad`; then nothing has been moved.
            ValueError: there is no example, or another reduction; or the optimiser moves none of `parameters`, or a
                Value that was computed.

        >>> from autograd import Value, compile
        >>> from nn import SGD
        >>> w, x, target = Value(0.0), Value(1.0), Value(2.0)
        >>> program, optimizer = compile((w * x - target) ** 2, [x, target]), SGD([w], lr=0.25)
        >>> [program.step(optimizer, [[1.0, 2.0], [1.0, 4.0]]) for _ in range(3)], w.data
        ([10.0, 3.25, 1.5625], 2.625)
        """
        rows, _ = self._rows(X, allow_nan)
        if reduction not in ("mean", "sum"):
            raise ValueError(f'step takes "mean" or "sum" as reduction; got {reduction!r}')
        if not len(rows):
            raise ValueError("a step learns from at least one example; got none")
        return self._steps.step(optimizer, rows, reduction == "mean", self._output(output))

    def _output(self, number: int) -> int:
        """The number of an output, if there is one with it."""
        count = len(self._graph.outputs)
        if type(number) is int and 0 <= number < count:  # 0.1 us of a step
            return number
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"output takes the number of an output; got {shown(number)} ({type(number).__name__})")
        if not 0 <= index(number) < count:
            raise ValueError(f"output takes a number from 0 to {count - 1}, as there are {count}; got {number}")
        return index(number)

    def _leaves(self) -> Numbers:
        """The numbers that the parameters have now."""
        return self._reader.numbers()

    def _rows(self, X: ArrayLike, allow_nan: bool) -> tuple[Numbers, bool]:
        """The examples as rows, and whether X was a single one."""
        given = np.asarray(X)
        if given.dtype is _FLOAT and allow_nan and given.flags.c_contiguous:  # the checks below take 2 us, a call 6
            if given.shape[1:] == (self.inputs,):
                return given, False
            if given.shape == (self.inputs,):
                return given[None], True
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
        lines += _lines(graph, names)
        lines.append(f"return {', '.join(names[slot] for slot in graph.outputs)}")
        return "\n".join([*lines, *(f"# {note}" for note in (*graph.notes, *self._backend.notes))])

    def __repr__(self) -> str:
        return (
            f"Program({_count(self.inputs, 'input')}, {_count(len(self.parameters), 'parameter')}, "
            f"{_count(len(self._backend.graph.codes), 'instruction')})"
        )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _lines(graph: FlatGraph, names: Sequence[str], mark: str = "") -> list[str]:
    """The instructions of a graph, and below each loop those of its body, whose names get a mark."""
    lines = []
    for x in graph.instructions:
        lines.append(_line(x, names, graph.labels.get(x.out, "")))
        if isinstance(x.operation, Scan):
            lines += _lines_of_body(x.operation, [names[slot] for slot in x.operands], mark)
    return lines


def _line(x: Instruction, names: Sequence[str], label: str = "") -> str:
    """An instruction as a line of a program."""
    operands = [names[slot] for slot in x.operands]
    if len(operands) > 6:
        operands = [*operands[:3], f"... {len(operands) - 4} more", operands[-1]]
    return f"{names[x.out]} = {x.operation.name}({', '.join(operands)}){label and f'    # {label}'}"


def _lines_of_body(scan: Scan, operands: Sequence[str], mark: str) -> list[str]:
    """What a step of a loop does: s0, ... are its state, r0, ... is what it reads, and u0, ... are its results.

    In a loop in a loop they are s0', ..., and so on.
    """
    body, all_read = scan.body, operands[scan.state + scan.steps * scan.reads :]
    names = [f"s{i}{mark}" for i in range(scan.state)] + [f"r{i}{mark}" for i in range(scan.reads)]
    names += [*all_read, *(f"u{i}{mark}" for i in range(len(body.codes)))]
    state, gives = ([names[slot] for slot in x] for x in (body.outputs[: scan.state], body.outputs[scan.state :]))
    lines = [f"# {_count(scan.steps, 'step')}, with a state of {_count(scan.state, 'number')} s0{mark}, ...:"]
    lines += _lines(body, names, mark + "'")
    lines.append(f"return ({', '.join(state)}), ({', '.join(gives)})")
    return [f"    {line}" for line in lines]


def _names(graph: FlatGraph) -> list[str]:
    """A name for each slot: its label, or else x0 for an input, p0 for a parameter, t0 for a result; constants."""
    names = [f"x{i}" for i in range(graph.inputs)] + [f"p{i}" for i in range(len(graph.parameters))]
    uses = Counter(graph.labels.values())
    for slot in range(len(names)):
        label = graph.labels.get(slot, "")
        if label.isidentifier() and uses[label] == 1 and not re.fullmatch(r"[xpt]\d+", label):
            names[slot] = label
    return names + [f"{x!r}" for x in graph.constants] + [f"t{i}" for i in range(len(graph.codes))]
