"""How is a computation graph written down? As a list of instructions, each of which may use any earlier result.

An `Expression` is such a list together with a point. It can be called with numbers and Values, run on somebody else's
engine, and printed as Python. Hypothesis draws them (`strategies.py`); `expression_of` turns a recorded graph into one.
"""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, NamedTuple

import autograd
from autograd import functions
from autograd.graph import leaves, topological_order
from autograd.operations import Operation, operations as built_in
from autograd.reals import as_float
from autograd.rules import WITH_INDEX
from autograd.testing.offers import OPERATORS
from autograd.value import Value, apply

LONGEST_LINE = 72

Operand = str | float
"""A name, such as "x0" or "t2", or a constant."""


def kind_of(operands: Iterable[Operand]) -> str:
    """Where constants stand among the operands: "vc" for `x + 1`, "cv" for `1 + x`."""
    return "".join("v" if isinstance(x, str) else "c" for x in operands)


class Instruction(NamedTuple):
    """One operation of an expression and its operands, in the order of the rules."""

    operation: Operation
    operands: tuple[Operand, ...]


@dataclass(frozen=True, repr=False)
class Expression:
    """A computation graph as a function of its inputs, with the point at which it was drawn.

    `expressions()` draws them. Two are equal if their inputs and instructions are equal. `len()` is the number of
    operations.

    Attributes:
        inputs: the numbers x0, x1, ... at which every operation was found to be fine.
        instructions: the operations that the result depends on, each after its operands; the last is the result.
        smooth: whether it was drawn with `smooth=True`.

    >>> from autograd.operations import operations
    >>> f = Expression((1.0,), (Instruction(operations["tanh"], ("x0",)), Instruction(operations["mul"], ("t0", "x0"))))
    >>> f
    x0 = Value(1.0)
    t0 = tanh(x0)
    y = t0 * x0
    >>> f(0.5), f(Value(0.5))
    (0.23105857863000487, Value(data=0.23105857863000487, grad=0.0))
    >>> print(f.function_source)
    lambda x0: tanh(x0) * x0
    """

    inputs: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    smooth: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs: "x0", "x1", ..."""
        return tuple(f"x{i}" for i in range(len(self.inputs)))

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations, in the order of their computation."""
        return tuple(instruction.operation.name for instruction in self.instructions)

    def __len__(self) -> int:
        return len(self.instructions)

    def __call__(self, *xs: Any) -> Any:
        """The result at another point.

        Arguments:
            xs: one number or Value for each input.

        Returns:
            a float if all are numbers, otherwise the Value at the end of the graph.

        Raises:
            TypeError: there are more or fewer of them than inputs, or one is neither a number nor a Value.
        """
        xs = tuple(x if isinstance(x, Value) else as_float(x, "an Expression") for x in xs)
        return self._run(xs, _computed)

    def evaluate(self, xs: Iterable[Any], call: Callable[..., Any]) -> Any:
        """The result as another engine computes it.

        Arguments:
            xs: that engine's number for each input.
            call: called as `call(name, *operands)` for one operation after the other, it returns that engine's
                result. Operands come in the order of the rules: dot has weights, inputs and, if their number is
                odd, a bias; take, softmax and log_softmax have numbers and then an index (an int).
                Constants are floats.

        Raises:
            TypeError: there are more or fewer `xs` than inputs.

        >>> from autograd.operations import operations
        >>> f = Expression((1.0, 2.0), (Instruction(operations["mul"], ("x0", "x1")),))
        >>> f.evaluate(f.names, lambda name, *operands: f"{name}({', '.join(map(str, operands))})")
        'mul(x0, x1)'
        """
        return self._run(tuple(xs), lambda operation, *operands: call(operation.name, *operands))

    def _run(self, xs: Sequence[Any], call: Callable[..., Any]) -> Any:
        if len(xs) != len(self.inputs):
            raise TypeError(f"this expression takes {len(self.inputs)} inputs; got {len(xs)}")
        results = dict(zip(self.names, xs, strict=True))
        result: Any = None
        for place, (operation, operands) in enumerate(self.instructions):
            result = call(operation, *(results[x] if isinstance(x, str) else x for x in operands))
            results[f"t{place}"] = result
        return result

    # How it is written

    @property
    def source(self) -> str:
        """Lines of Python that compute the result `y`, with their imports.

        A user's own operation is imported from its module, if it can be; otherwise its name must be there already.
        """
        return "\n".join([*self._imports(), *self._lines()])

    @property
    def function_source(self) -> str:
        """The expression as a function: on one line if that is short, otherwise a `def` of several lines."""
        names = ", ".join(self.names)
        text = self._on_one_line()
        if text:
            return f"lambda {names}: {text}"
        *steps, last = self._lines()[len(self.inputs) :]
        return "\n".join([f"def f({names}):", *(f"    {step}" for step in steps), f"    return {last[4:]}"])

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis and IPython print it: on lines of its own, indented under the name of the argument."""
        with printer.group(4):
            for line in self._lines():
                printer.break_()
                printer.text(line)

    def _lines(self) -> list[str]:
        lines = [f"{name} = {self._leaf(number)}" for name, number in zip(self.names, self.inputs, strict=True)]
        for place, (operation, operands) in enumerate(self.instructions):
            name = f"t{place}" if place < len(self) - 1 else "y"
            lines.append(f"{name} = {self._operation(operation, list(map(_in_line, operands)))}")
        return lines

    def _leaf(self, number: float) -> str:
        """How an input is made."""
        return f"Value({number!r})"

    def _operation(self, operation: Operation, operands: Sequence[str]) -> str:
        """How an operation is written."""
        return _written(operation, operands)

    def _on_one_line(self) -> str:
        """The result in terms of the inputs alone, or "" if that is long."""
        texts: dict[str, str] = {}
        text = ""
        for place, (operation, operands) in enumerate(self.instructions):
            brackets = _is_operator(operation)
            parts = []
            for x in operands:
                part = texts.get(x, x) if isinstance(x, str) else _in_line(x)
                parts.append(f"({part})" if brackets and isinstance(x, str) and _needs_brackets(part) else part)
            text = _written(operation, parts)
            if len(text) > LONGEST_LINE:
                return ""
            texts[f"t{place}"] = text
        return text

    def _imports(self) -> list[str]:
        used = {operation.name: operation for operation, _ in self.instructions}
        texts = [_written(operation, ["x0"] * len(operands)) for operation, operands in self.instructions]
        lines = ["import autograd"] if any(text.startswith("autograd.") for text in texts) else []
        own = [operation for name, operation in used.items() if operation is not built_in.get(name)]
        called = {text.split("(")[0] for text in texts if text[0].isalpha() and not _is_operator_text(text)}
        public = sorted(name for name in called if name in autograd.__all__)
        lines.append(f"from autograd import {', '.join(['Value', *public])}")
        for operation in own:
            function = operation.function
            module = getattr(function, "__module__", "")
            if getattr(sys.modules.get(module), operation.name, None) is function:
                lines.append(f"from {module} import {operation.name}")
        return lines


def _in_line(operand: Operand) -> str:
    """The operand as it stands in Python; a negative number in brackets, since `-1.0 ** x` is something else."""
    if isinstance(operand, str):
        return operand
    return f"({operand!r})" if math.copysign(1.0, operand) < 0 else repr(operand)


def _needs_brackets(text: str) -> bool:
    """Whether the text is made by an operator: a name or a call has no blank outside of brackets."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in " -":
            return True
    return False


def _is_operator(operation: Operation) -> bool:
    return operation is built_in.get(operation.name) and bool(operation.symbol or operation.name == "neg")


def _is_operator_text(text: str) -> bool:
    return "(" not in text


def _written(operation: Operation, operands: Sequence[str]) -> str:
    """The operation applied to operands that are text, as a user writes it."""
    name, listed = operation.name, ", ".join(operands)
    if operation is not built_in.get(name):
        return f"{name}({listed})"
    if operation.symbol:
        return f" {operation.symbol} ".join(operands)
    if name == "neg":
        return f"-{listed}"
    if name == "gelu_tanh":
        return f'gelu({listed}, approximate="tanh")'
    if name == "dot":
        weights, inputs, bias = _halves(operands)
        return f"dot({', '.join([_listed(weights), _listed(inputs), *bias])})"
    if name in WITH_INDEX:
        *numbers, index = operands
        before, after = {"take": (", ", ")"), "softmax": (", index=", ")"), "log_softmax": (", index=", ")")}[name]
        return f"{name}({_listed(numbers)}{before}{index}{after}"
    if operation.nary:
        return f"{'autograd.' if name in ('sum', 'max', 'min') else ''}{name}({_listed(operands)})"
    return f"{name}({listed})"


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(texts)}]"


def _halves(operands: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """The weights, the inputs and, in a list of one or none, the bias of a dot product."""
    n = len(operands) // 2
    return operands[:n], operands[n : 2 * n], operands[2 * n :]


# How it is called: as a user does, with Python's operators and the public functions

CALLS: dict[str, Callable[..., Any]] = {
    **OPERATORS,
    "gelu_tanh": lambda x: functions.gelu(x, approximate="tanh"),
    "dot": lambda *operands: functions.dot(*_halves(operands)[:2], *_halves(operands)[2]),
    "take": lambda *operands: functions.take(operands[:-1], operands[-1]),
    "softmax": lambda *operands: functions.softmax(operands[:-1], index=operands[-1]),
    "log_softmax": lambda *operands: functions.log_softmax(operands[:-1], index=operands[-1]),
}


def _computed(operation: Operation, *operands: Any) -> Any:
    """The operation's result: a Value if any operand is one."""
    if operation is not built_in.get(operation.name) or not any(isinstance(x, Value) for x in operands):
        return apply(operation, *operands)
    if operation.name in CALLS:
        return CALLS[operation.name](*operands)
    function = getattr(functions, operation.name)
    return function(operands) if operation.nary else function(*operands)


# What is it in other words?


def live_part(expression: Expression, root: str = "", keep_inputs: bool = False) -> Expression:
    """The operations on which a result depends, named anew.

    Arguments:
        expression: any, of no operations too.
        root: the result, such as "t2"; the last one if "".
        keep_inputs: whether inputs that are not used stay.

    >>> from autograd.operations import operations
    >>> steps = [Instruction(operations["exp"], ("x0",)), Instruction(operations["tanh"], ("x1",))]
    >>> live_part(Expression((1.0, 2.0), tuple(steps)))
    x0 = Value(2.0)
    y = tanh(x0)
    """
    inputs, instructions = expression.inputs, expression.instructions
    needed = {root or f"t{len(expression) - 1}"}
    for place in reversed(range(len(instructions))):
        if f"t{place}" in needed:
            needed.update(x for x in instructions[place].operands if isinstance(x, str))
    kept = [i for i in range(len(inputs)) if keep_inputs or f"x{i}" in needed]
    live = [place for place in range(len(instructions)) if f"t{place}" in needed]
    new = {f"x{i}": f"x{k}" for k, i in enumerate(kept)} | {f"t{place}": f"t{k}" for k, place in enumerate(live)}
    renamed = (
        Instruction(operation, tuple(new[x] if isinstance(x, str) else x for x in operands))
        for operation, operands in (instructions[place] for place in live)
    )
    return replace(expression, inputs=tuple(inputs[i] for i in kept), instructions=tuple(renamed))


def spelled_out(expression: Expression) -> Expression:
    """The same with sums, means, products and dot products as steps of two operands, for engines without them.

    Arguments:
        expression: any; its other operations stay.

    >>> from autograd.operations import operations
    >>> spelled_out(Expression((2.0, 3.0), (Instruction(operations["dot"], ("x0", "x1", "x1", 4.0, 1.0)),)))
    x0 = Value(2.0)
    x1 = Value(3.0)
    t0 = x0 * x1
    t1 = x1 * 4.0
    t2 = t0 + t1
    y = t2 + 1.0
    """
    steps: list[Instruction] = []
    names: dict[str, Operand] = {}

    def written(name: str, x: Operand, y: Operand) -> Operand:
        if isinstance(x, str) or isinstance(y, str):
            steps.append(Instruction(built_in[name], (x, y)))
            return f"t{len(steps) - 1}"
        return built_in[name].evaluate((x, y))

    for place, (operation, operands) in enumerate(expression.instructions):
        named = [names.get(x, x) if isinstance(x, str) else x for x in operands]
        result = _spelled_out(operation, named, written)
        if result is None:
            steps.append(Instruction(operation, tuple(named)))
            result = f"t{len(steps) - 1}"
        names[f"t{place}"] = result
    return replace(expression, instructions=tuple(_ending(steps, names[f"t{len(expression) - 1}"])))


def _spelled_out(
    operation: Operation, operands: Sequence[Operand], written: Callable[[str, Operand, Operand], Operand]
) -> Operand | None:
    """What the operation gives, in steps of two operands; None where it has no such steps."""
    if operation is not built_in.get(operation.name) or operation.name not in ("dot", "sum", "mean", "prod"):
        return None
    terms = operands
    if operation.name == "dot":
        weights, inputs, bias = _halves(operands)
        terms = [*(written("mul", w, x) for w, x in zip(weights, inputs, strict=True)), *bias]
    total = reduce(partial(written, "mul" if operation.name == "prod" else "add"), terms)
    return written("div", total, float(len(operands))) if operation.name == "mean" else total


def _ending(steps: list[Instruction], result: Operand) -> list[Instruction]:
    """The steps with the result last: it may be an earlier one, or an input (the sum of one number)."""
    ends = [*steps, Instruction(built_in["mul"], (result, 1.0))]
    return steps if steps and result == f"t{len(steps) - 1}" else ends


def expression_of(root: Value, inputs: Sequence[Value] | None = None) -> Expression:
    """The graph that a Value has recorded, as an expression.

    Arguments:
        root: the result; of every branch it has the side that was taken.
        inputs: the leaves that become x0, x1, ...; all of them if None. The others become constants.

    >>> x = Value(2.0)
    >>> expression_of(x * x + 1.0)
    x0 = Value(2.0)
    t0 = x0 * x0
    y = t0 + 1.0
    """
    chosen = leaves(root) if inputs is None else list(inputs)
    names: dict[Value, str] = {leaf: f"x{i}" for i, leaf in enumerate(chosen)}
    instructions: list[Instruction] = []
    for node in topological_order(root):
        operation = node._operation
        if operation is not None:
            operands: list[Any] = [names.get(x, x.data) if isinstance(x, Value) else x for x in node.operands]
            if operation.name in WITH_INDEX:
                index = node.operands[-1]
                operands[-1] = int(index.data if isinstance(index, Value) else index)
            names[node] = f"t{len(instructions)}"
            instructions.append(Instruction(operation, tuple(operands)))
    return Expression(tuple(leaf.data for leaf in chosen), tuple(instructions))
