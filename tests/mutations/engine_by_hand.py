"""What can be wrong with the engine? The mistakes that engines do have, micrograd's and those of its many copies first.

Each is an edit of one place of the source. Where the source changes so that the place is no longer there, the edit
says so: write it for the new source.
"""

import importlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.mutations.mutant import ENGINE, Mutant, transplant


class Edit(NamedTuple):
    """A mistake, and the text that it replaces."""

    what: str
    old: str
    new: str


class OutdatedEdit(Exception):
    """The source has changed, and the edit does not fit it any longer."""


TO_BOTH = """            if node._dx is not None:
                node._x._grad += node._dx * upstream
            if node._dy is not None:
                node._y._grad += node._dy * upstream
"""

FIRST_OPERAND = """        if node._dx is not None:
            parent = node._x
            if parent._operation is not None and parent not in seen:
                push(parent)
"""
SECOND_OPERAND = FIRST_OPERAND.replace("_dx", "_dy").replace("_x", "_y")

EDITS: dict[str, list[Edit]] = {
    "value": [
        Edit(
            "backward overwrites the first operand's gradient in place of adding",
            "node._x._grad += node._dx * upstream",
            "node._x._grad = node._dx * upstream",
        ),
        Edit(
            "backward overwrites the second operand's gradient",
            "node._y._grad += node._dy * upstream",
            "node._y._grad = node._dy * upstream",
        ),
        Edit(
            "backward overwrites the gradients of an n-ary node's parents",
            "4 %)\n                parent._grad += derivative * upstream",
            "4 %)\n                parent._grad = derivative * upstream",
        ),
        Edit(
            "backward overwrites gradients where the upstream one is infinite",
            "parent._grad += graph.contribution(upstream, derivative)",
            "parent._grad = graph.contribution(upstream, derivative)",
        ),
        Edit("of two operands only the first gets its gradient", TO_BOTH, TO_BOTH[: len(TO_BOTH) // 2]),
        Edit(
            "of two equal operands one is dropped",
            TO_BOTH,
            TO_BOTH.replace("if node._dy is not None:", "if node._dy is not None and node._y is not node._x:"),
        ),
        Edit(
            "of equal operands of an n-ary node only the last is kept",
            "zip(node._x, node._dx):  # noqa: B905 (strict= costs 4 %)",
            "dict(zip(node._x, node._dx)).items():",
        ),
        Edit(
            "the operands' local derivatives are exchanged",
            TO_BOTH,
            TO_BOTH.replace("_dx *", "_dz *").replace("_dy *", "_dx *").replace("_dz *", "_dy *"),
        ),
        Edit(
            "the upstream gradient is ignored", "upstream: Any = node._grad\n", "upstream: Any = node._grad and 1.0\n"
        ),
        Edit(
            "interior gradients are stale at the second backward",
            "graph.interior_at_zero(self)",
            "graph.interior(self)",
        ),
        Edit(
            "the second backward starts from the root's old gradient",
            "        order = graph.interior_at_zero(self)",
            "        gradient += self._grad if self._operation else 0.0\n        order = graph.interior_at_zero(self)",
        ),
        Edit(
            "backward clears the leaves first",
            "        order = graph.interior_at_zero(self)",
            "        self.zero_grad()\n        order = graph.interior_at_zero(self)",
        ),
        Edit("backward ignores its gradient argument", "self._grad += gradient", "self._grad += 1.0"),
        Edit(
            "backward overwrites the root's gradient, also a leaf's", "self._grad += gradient", "self._grad = gradient"
        ),
        Edit("backward walks from the leaves to the root", "pass_on(reversed(order))", "pass_on(order)"),
        Edit(
            "backward walks breadth first",
            "pass_on(reversed(order))",
            """waiting, order = [self], []
        while waiting:
            order.append(waiting.pop(0))
            waiting += [p for p in order[-1].parents if p._operation and p not in order and p not in waiting]
        pass_on(order)""",
        ),
        Edit(
            "a node passes on its gradient along every path to it",
            "pass_on(reversed(order))",
            """order = [self]
        for node in order[:500]:
            order += [p for p in node.parents if p._operation][: 500 - len(order)]
        pass_on(order)""",
        ),
        Edit(
            "backward stops before the nodes that are closest to the leaves",
            "pass_on(reversed(order))",
            "pass_on(reversed(order[1:]))",
        ),
        Edit(
            "strong zeros: a zero gradient times an infinite derivative is nan",
            "        if not upstream:  # 0 times any local derivative is 0, even 0 * inf\n            continue\n",
            "",
        ),
        Edit(
            "strong zeros: an infinite gradient times a zero derivative is nan",
            "parent._grad += graph.contribution(upstream, derivative)",
            "parent._grad += upstream * derivative",
        ),
        Edit(
            "strong zeros: a nan gradient is not one of them",
            "if upstream - upstream:",
            "if abs(upstream) == float('inf'):",
        ),
        Edit(
            "zero_grad clears the leaves only",
            "for node in graph.topological_order(self):",
            "for node in graph.leaves(self):",
        ),
        Edit(
            "zero_grad forgets the leaves",
            "for node in graph.topological_order(self):",
            "for node in graph.interior(self):",
        ),
        Edit(
            "zero_grad clears this Value only",
            "for node in graph.topological_order(self):",
            "for node in [self]:",
        ),
        Edit("detach loses the label", "return Value(self.data, self.label)", "return Value(self._data)"),
        Edit("detach gives the node itself", "return Value(self.data, self.label)", "return self"),
        Edit("a Value loses its label", "self.label = label", 'self.label = ""'),
        Edit(
            "a new node has a gradient of 1",
            "    node._grad = 0.0\n    node.label",
            "    node._grad = 1.0\n    node.label",
        ),
        Edit(
            "number + v turns its operands round",
            "_record(_ADD, number + self._data, number, None, self, 1.0)",
            "_record(_ADD, number + self._data, self, 1.0, number, None)",
        ),
        Edit("number - v is v - number", "_record(_SUB, number - self._data,", "_record(_SUB, self._data - number,"),
        Edit("number - v has the derivative of v - number", "number, None, self, -1.0)", "number, None, self, 1.0)"),
        Edit("v - w adds the derivative of w", "self, 1.0, other, -1.0)", "self, 1.0, other, 1.0)"),
        Edit(
            "v * w exchanges the derivatives",
            "self, other._data, other, self._data)",
            "self, self._data, other, other._data)",
        ),
        Edit(
            "v * number has derivative 1",
            "_record(_MUL, self._data * number, self, number,",
            "_record(_MUL, self._data * number, self, 1.0,",
        ),
        Edit(
            "number * v turns its operands round",
            "_record(_MUL, number * self._data, number, None, self, number)",
            "_record(_MUL, number * self._data, self, number, number, None)",
        ),
        Edit(
            "number / v is v / number",
            'apply_to_two(operations["div"], other, self)',
            'apply_to_two(operations["div"], self, other)',
        ),
        Edit(
            "number ** v is v ** number",
            'apply_to_two(operations["pow"], other, self)',
            'apply_to_two(operations["pow"], self, other)',
        ),
        Edit(
            "number // v is v // number",
            'apply_to_two(operations["floor_divide"], other, self)',
            'apply_to_two(operations["floor_divide"], self, other)',
        ),
        Edit(
            "number % v is v % number",
            'apply_to_two(operations["remainder"], other, self)',
            'apply_to_two(operations["remainder"], self, other)',
        ),
        Edit(
            "+v is a new node",
            'def __pos__(self) -> "Value":\n        return self\n',
            'def __pos__(self) -> "Value":\n        return self * 1.0\n',
        ),
        Edit(
            "-v keeps v's sign in its derivative",
            "_record(_NEG, -self._data, self, -1.0)",
            "_record(_NEG, -self._data, self, 1.0)",
        ),
        Edit("truth asks whether there is a Value", "return bool(self.data)", "return True"),
        Edit("v < w is v <= w", "else self.data < number", "else self.data <= number"),
        Edit("v >= w is v > w", "else self.data >= number", "else self.data > number"),
        Edit("no_grad still records", "return node if modes.is_recording() else type(node)(node._data)", "return node"),
        Edit("strict looks at nothing", "if modes.is_strict():", "if False:"),
        Edit(
            "strict does not look at derivatives",
            "list(map(data_of, node.operands)), node.local_derivatives)",
            "list(map(data_of, node.operands)), [])",
        ),
        Edit(
            "a Value turns into a float silently",
            '        raise TypeError(\n            f"a Value does not',
            '        return self._data\n        raise TypeError(\n            f"a Value does not',
        ),
        Edit(
            "changing data changes the recorded derivatives",
            'self._data = data if type(data) is float else as_float(data, "Value.data")',
            'self._data = self._dx = data if type(data) is float else as_float(data, "Value.data")',
        ),
        Edit(
            "an operation on plain numbers gives a Value",
            "    if not wanted:\n        return out\n",
            "    if not wanted:\n        return Value(out)\n",
        ),
        Edit(
            "of many operands the constants are forgotten",
            "tuple(derivatives), operands)\n    slots",
            "tuple(derivatives), tuple(operands[i] for i in wanted))\n    slots",
        ),
        Edit(
            "of two operands the constants are forgotten where Python raises",
            "if len(wanted) < len(operands):",
            "if len(operands) > 2 and len(wanted) < len(operands):",
        ),
        Edit(
            "of two operands the first is forgotten if it is a constant",
            "x if of_x else a, dx,",
            "x if of_x else None, dx,",
        ),
        Edit(
            "of two operands the second is forgotten if it is a constant",
            "y if of_y else b, dy)",
            "y if of_y else None, dy)",
        ),
        Edit(
            "the derivatives of two operands are exchanged",
            "x if of_x else a, dx, y if of_y else b, dy)",
            "x if of_x else a, dx if dy is None else dy, y if of_y else b, dy if dx is None else dx)",
        ),
        Edit(
            "two operands let Python's exceptions through",
            "    except DOMAIN_ERRORS:  # Python raises where",
            "    except RecursionError:  # Python raises where",
        ),
        Edit("an operation on two plain numbers gives a Value", "dy) if of_x or of_y else out", "dy)"),
        Edit("the local derivatives of two operands come in reverse", "derivatives.pop(0)", "derivatives.pop()"),
        Edit(
            "parents are listed without repeats",
            "return tuple(graph.edges(self)[0])",
            "return tuple(dict.fromkeys(graph.edges(self)[0]))",
        ),
    ],
    "graph": [
        Edit(
            "a node comes before its parents",
            'order.append(cast("N", pop()))',
            'order.insert(0, cast("N", pop()))',
        ),
        Edit(
            "preorder in place of postorder", "        push(node)\n        push(None)\n", "        order.append(node)\n"
        ),
        Edit(
            "backward: a node that waits for its second operand does not wait",
            "stack += (node, None, y)\n",
            "order.append(node)\n                stack.append(y)\n",
        ),
        Edit(
            "backward: a node that waits for its first operand does not wait",
            "stack += (node, None, x)\n",
            "order.append(node)\n            stack.append(x)\n",
        ),
        Edit(
            "backward: the second operands are walked before the first",
            "stack += (node, None, y, x)",
            "stack += (node, None, x, y)",
        ),
        Edit("nodes are not remembered as seen", "        seen.add(node)\n", ""),
        Edit(
            "the first operands are not walked",
            "        if node._dx is not None:\n            parent = node._x\n",
            "        if node._dx is not None and node._dy is None:\n            parent = node._x\n",
        ),
        Edit("the second operands are not walked", "if node._dy is not None:", "if False:"),
        Edit(
            "the second operands are walked before the first",
            SECOND_OPERAND + FIRST_OPERAND,
            FIRST_OPERAND + SECOND_OPERAND,
        ),
        Edit(
            "the parents of n-ary nodes are walked from the last to the first",
            "for parent in reversed(node._x):",
            "for parent in node._x:",
        ),
        Edit(
            "of n-ary nodes only the first parent is walked",
            "for parent in reversed(node._x):",
            "for parent in node._x[:1]:",
        ),
        Edit(
            "leaves come in reverse order",
            "        for parent in edges(node)[0]:\n",
            "        for parent in edges(node)[0][::-1]:\n",
        ),
        Edit("a leaf used twice is listed twice", "                leaves.add(parent)\n", ""),
        Edit("a leaf has no topological order", "return order or [root]", "return order"),
        Edit(
            "leaves are found by their number of parents, so that results of no_grad are none",
            "if node._operation is None]",
            "if node._operation is None and node.label]",
        ),
    ],
    "functions": [
        Edit(
            "the fast way of a function takes the derivative at its value",
            "operation.derivatives[0](out, number)",
            "operation.derivatives[0](out, out)",
        ),
        Edit(
            "the fast way lets Python's exceptions through",
            "        except DOMAIN_ERRORS:\n            pass",
            "        except RecursionError:\n            pass",
        ),
        Edit(
            "of three operands the second and the third are exchanged",
            "operation.derivatives[1](out, a, b, c)",
            "operation.derivatives[2](out, a, b, c)",
        ),
        Edit(
            "of three operands the constant is forgotten",
            "y if of_y else b, z if of_z else c)",
            "y if of_y else None, z if of_z else c)",
        ),
        Edit(
            "a neuron forgets its bias",
            "start, ones = (b[0]._data, (1.0,)) if b else (0.0, ())",
            "start, ones = (0.0, (1.0,)) if b else (0.0, ())",
        ),
        Edit(
            "a neuron's bias has derivative 0",
            "start, ones = (b[0]._data, (1.0,))",
            "start, ones = (b[0]._data, (0.0,))",
        ),
        Edit(
            "a neuron exchanges weights and inputs",
            "derivatives = (*x_data, *w_data, *ones)",
            "derivatives = (*w_data, *x_data, *ones)",
        ),
        Edit(
            "a neuron with plain inputs exchanges weights and inputs",
            "derivatives = (*x_data, *ones)",
            "derivatives = (*w_data, *ones)",
        ),
        Edit("a neuron's bias comes first", "parents = operands = w + x + b", "parents = operands = b + w + x"),
        Edit("dot takes lists of different length", "    if len(w) != len(x):\n", "    if False:\n"),
        Edit(
            "softmax leaves the last out", "(e, total) for e in exponentials]", "(e, total) for e in exponentials[:-1]]"
        ),
        Edit("softmax does not divide by the sum of all", "total = sum(exponentials)", "total = max(exponentials)"),
        Edit("softmax may overflow", "shifted_exp(x, largest) for x", "exp(x) for x"),
        Edit(
            "log_softmax leaves out the sum",
            "return [add(of_largest, sub(x, largest)) for",
            "return [sub(x, largest) for",
        ),
        Edit(
            "log_softmax passes on the gradient of its largest value in the wrong order",
            "add(of_largest, sub(x, largest))",
            "add(sub(x, largest), of_largest)",
        ),
        Edit("an index may be out of range", "if not -count <= place < count:", "if not -count <= place <= count:"),
        Edit(
            "an operation of one's own takes any number of operands", "        _check_count(made, len(operands))\n", ""
        ),
    ],
    "operations": [
        Edit(
            "where Python raises, the value is nan",
            "return float(self.careful.value(*map(Real, numbers)))",
            "return float('nan')",
        ),
        Edit(
            "where Python raises, the derivatives are 0",
            "return list(map(float, self.careful.derivatives_for(wanted, Real(out), list(map(Real, numbers)))))",
            "return [0.0 for _ in wanted]",
        ),
    ],
    "rules": [
        Edit(
            "an n-ary operation gives all derivatives, wanted or not",
            "return [every[i] for i in places]",
            "return [every[i] for i in range(len(places))]",
        ),
        Edit(
            "derivatives are those of the first operands, wanted or not",
            "return [self.derivatives[i](out, *operands) for i in places]",
            "return [self.derivatives[i](out, *operands) for i in range(len(places))]",
        ),
    ],
    "modes": [
        Edit(
            "no_grad ends with the innermost block",
            "return not any(entry.open for entry in _no_grad.get())",
            "return not (_no_grad.get() and _no_grad.get()[-1].open) or len(_no_grad.get()) > 1",
        ),
        Edit("a block that is left stays open", "        entry.open = False\n", "        entry.open = True\n"),
        Edit(
            "a task inherits the open block of its maker for ever",
            "return not any(entry.open for entry in _no_grad.get())",
            "return not _no_grad.get()",
        ),
        Edit(
            "strict raises although an operand was infinite",
            "    if not all(map(is_finite, operands)):\n        return\n",
            "",
        ),
        Edit("blocks are not counted", "            active += 1\n", "            pass\n"),
        Edit("blocks are counted and never discounted", "            active -= 1\n", "            pass\n"),
    ],
}


def engine_mutants() -> list[Mutant]:
    return list(_mutants())


def _mutants() -> Iterator[Mutant]:
    for name, edits in EDITS.items():
        module = f"autograd.{name}"
        path = Path(str(importlib.import_module(module).__file__))
        source = path.read_text(encoding="utf-8")
        for what, old, new in edits:
            if source.count(old) != 1:
                raise OutdatedEdit(
                    f"the edit {what!r} looks for text that {path.name} has {source.count(old)} times, not once"
                )
            apply = partial(transplant, module, source.replace(old, new))
            yield Mutant(name, what, apply, ENGINE, f"- {old}\n+ {new}")
