"""How does a recorded function compute in a browser? As statements of JavaScript, one for each node of its graph.

The rules of the operations are those of `javascript.py`. The derivatives follow by the chain rule, node by node
backwards, as in the eager engine: a factor that is exactly 0 gives 0, whatever the other one is.
"""

from collections.abc import Mapping, Sequence

from autograd.compiler.javascript import Printer, javascript_number
from autograd.graph import interior, topological_order
from autograd.operations import Operation
from autograd.reals import shown
from autograd.value import Value

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
"""Operations that JavaScript writes as Python does."""

CONTRIBUTION = "const contribution=(x,y)=>x===0||y===0?0:x*y;"


class Functions:
    """Writes recorded functions, and collects the rules that they need.

    >>> from autograd import Value, tanh
    >>> x = Value(0.5)
    >>> functions = Functions()
    >>> functions.forward([tanh(x) * 2.0], {x: "x"})
    (['t0=f0(x)', 't1=t0*2'], ['t1'])
    """

    def __init__(self) -> None:
        self._printer = Printer()
        self._names: dict[str, str] = {}  # of the functions that are declared, by their text

    def declarations(self) -> list[str]:
        """The statements that have to stand before the functions."""
        return [
            *self._printer.declarations(),
            CONTRIBUTION,
            *(f"const {name}={text};" for text, name in self._names.items()),
        ]

    def forward(self, outputs: Sequence[Value], names: Mapping[Value, str]) -> tuple[list[str], list[str]]:
        """The statements that compute the outputs, and for each output what it is called then.

        Arguments:
            outputs: what the function returned.
            names: what its arguments are called.

        Raises:
            TypeError: an operation was given over floats only, or the function reads a Value beside its arguments.
        """
        return self._forward(outputs, dict(names))

    def _forward(self, outputs: Sequence[Value], known: dict[Value, str]) -> tuple[list[str], list[str]]:
        statements: list[str] = []
        for output in outputs:
            for node in topological_order(output):
                if node in known:
                    continue
                if node._operation is None:
                    raise TypeError(f"a function for a page reads only its arguments; it reads {shown(node)}, too")
                known[node] = f"t{len(statements)}"
                statements.append(f"{known[node]}={self._value(node, self._texts(node, known))}")
        return statements, [known[output] for output in outputs]

    def backward(
        self, output: Value, wanted: Sequence[Value], names: Mapping[Value, str]
    ) -> tuple[list[str], str, list[str]]:
        """The statements for the output and its derivatives, what the output is called, and what each derivative.

        Arguments:
            output: what the function returned.
            wanted: the arguments by which the derivatives are taken.
            names: what its arguments are called.
        """
        known = dict(names)
        statements, (result,) = self._forward([output], known)
        reached = self._reached(output, wanted)
        gradients = {output: "1"}
        for node in reversed(interior(output)):
            if node not in reached or node not in gradients:
                continue
            for parent, derivative in self._derivatives(node, known, reached, statements):
                term = _contribution(gradients[node], derivative)
                if parent not in gradients:
                    gradients[parent] = f"g{len(gradients)}"
                    statements.append(f"{gradients[parent]}={term}")
                else:
                    statements.append(f"{gradients[parent]}+={term}")
        return statements, result, [gradients.get(x, "0") for x in wanted]

    @staticmethod
    def _reached(output: Value, wanted: Sequence[Value]) -> set[Value]:
        """The nodes that depend on what is wanted."""
        reached = set(wanted)
        for node in topological_order(output):
            if any(parent in reached for parent in node.parents):
                reached.add(node)
        return reached

    def _texts(self, node: Value, known: Mapping[Value, str]) -> list[str]:
        return [known[x] if isinstance(x, Value) else javascript_number(float(x)) for x in node.operands]

    def _value(self, node: Value, operands: list[str]) -> str:
        """A node's number."""
        operation = _operation_of(node)
        if operation.name in SIGNS and len(operands) == 2:
            x, y = (f"({operand})" if operand.startswith("-") else operand for operand in operands)
            return f"{x}{SIGNS[operation.name]}{y}"
        return f"{self.value_of(operation, len(operands))}({','.join(operands)})"

    def value_of(self, operation: Operation, count: int) -> str:
        """The name of the function that computes an operation's value."""
        return self._declared("f", self._printer.value(operation, count))

    def derivative_of(self, operation: Operation, count: int, slot: int) -> str:
        """The name of the function of the value and the operands that computes one derivative; "" for a row's rule."""
        if operation.nary:
            return ""
        return self._declared("d", self._printer.derivative(operation, count, slot))

    def _derivatives(
        self, node: Value, known: Mapping[Value, str], reached: set[Value], statements: list[str]
    ) -> list[tuple[Value, str]]:
        """The parents that depend on what is wanted, each with its local derivative."""
        operation, operands = _operation_of(node), self._texts(node, known)
        wanted = [(slot, x) for slot, x in enumerate(node.operands) if isinstance(x, Value) and x in reached]
        arguments = ",".join([known[node], *operands])
        if not operation.nary:
            return [(x, f"{self.derivative_of(operation, len(operands), k)}({arguments})") for k, x in wanted]
        every, row = self._declared("d", self._printer.derivatives(operation, len(operands))), f"r{len(statements)}"
        statements.append(f"{row}={every}({arguments})")
        return [(x, f"{row}[{slot}]") for slot, x in wanted]

    def _declared(self, letter: str, text: str) -> str:
        """The name of a function with this text."""
        return self._names.setdefault(text, f"{letter}{len(self._names)}")


def _operation_of(node: Value) -> Operation:
    operation = node._operation
    assert operation is not None
    return operation


def _contribution(upstream: str, derivative: str) -> str:
    return derivative if upstream == "1" else f"contribution({upstream},{derivative})"
