"""Thirty engines with one fault each: a right one, and for each fault the line that it changes.

`RIGHT` is the right one. A fault is named by the claim that must be wrong.
"""

# ruff: noqa: E501  (each line of the list is one engine)

from typing import NamedTuple

RIGHT = """
import math


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes

    def __add__(self, other):
        other = wrap(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __radd__(self, other):
        return self + other

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __sub__(self, other):
        other = wrap(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __rsub__(self, other):
        return wrap(other) - self

    def __mul__(self, other):
        other = wrap(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        other = wrap(other)
        return Value(self.data / other.data, (self, other), (1 / other.data, -self.data / other.data**2))

    def __rtruediv__(self, other):
        return wrap(other) / self

    def __pow__(self, n):
        if isinstance(n, Value):
            return NotImplemented
        return Value(self.data**n, (self,), (n * self.data ** (n - 1) if n else 0.0,))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, (self,), (e,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(0.0, self.data), (self,), (1.0 if self.data > 0 else 0.0,))

    def sin(self):
        return Value(math.sin(self.data), (self,), (math.cos(self.data),))

    def sigmoid(self):
        s = 0.5 * (1 + math.tanh(self.data / 2))
        return Value(s, (self,), (s * (1 - s),))

    def zero_grad(self):
        self.grad = 0.0

    def order(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        return order

    def backward(self):
        order = self.order()
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += slope * node.grad


def wrap(x):
    return x if isinstance(x, Value) else Value(x)
"""


class Fault(NamedTuple):
    """What is changed, into what, and a claim that must be wrong then."""

    name: str
    old: str
    new: str
    claim: str

    @property
    def text(self) -> str:
        """The engine with the fault."""
        assert RIGHT.count(self.old) == 1, self.name
        return RIGHT.replace(self.old, self.new)


FAULTS = [
    Fault("overwrites", "parent.grad += slope", "parent.grad = slope", "accumulation: x + x"),
    Fault("no_upstream", "+= slope * node.grad", "+= slope * (node.grad if len(node.slopes) > 1 else 1.0)", "chain rule"),
    Fault("half", "+= slope * node.grad", "+= 0.5 * slope * node.grad", "derivatives: x + y"),
    Fault("clipped", "+= slope * node.grad", "+= max(-1e3, min(1e3, slope * node.grad))", "derivatives: x * y"),
    Fault("too_early", "return order\n", "return sorted(order, key=lambda node: len(node.parents))\n", "accumulation"),
    Fault("set_of_parents", "zip(node.parents, node.slopes)", "dict(zip(node.parents, node.slopes)).items()", "accumulation"),
    Fault("starts_at_data", "self.grad += 1.0", "self.grad += self.data", "backward: backward() of a leaf"),
    Fault("stale", "if node.parents:\n", "if False:\n", "backward: a second backward()"),
    Fault("clears_leaves", "if node.parents:\n", "if True:\n", "backward: two graphs"),
    Fault("moves_data", "+= slope * node.grad", "+= slope * node.grad; parent.data -= 1e-3 * slope", "backward: backward() changes"),
    Fault("grad_of_1", "self.grad = 0.0\n        self.parents", "self.grad = 1.0\n        self.parents", "construction"),
    Fault("keeps_grad", "def zero_grad(self):\n        self.grad = 0.0", "def zero_grad(self):\n        pass", "backward: zero_grad()"),
    Fault("equal_by_data", "    def order(self):", "    def __eq__(self, other): return self.data == other.data\n    def __hash__(self): return hash(self.data)\n    def order(self):", "accumulation"),
    Fault("every_path", "elif node not in seen:", "else:", "size: 22 doublings"),
    Fault("endless", "order = self.order()\n", "order = self.order()\n        while self.parents: pass\n", "derivatives: x + y"),
    Fault("zero_operand", "(other.data, self.data))", "(other.data, self.data if other.data else 0.0))", "derivatives: x * y"),
    Fault("whole_numbers", "self.data * other.data, (self", "int(self.data * other.data) if isinstance(other.data, int) else self.data * other.data, (self", "values: x * 2"),
    Fault("loses_history", "return self + other", "return self.data + other", "values: 1 + x"),
    Fault("swapped", "self.data - other.data, (self, other), (1.0, -1.0)", "self.data - other.data, (self, other), (-1.0, 1.0)", "derivatives: x - y"),
    Fault("not_reflected", "wrap(other) - self", "self - other", "values: 1 - x"),
    Fault("quotient", "-self.data / other.data**2", "-self.data / other.data", "derivatives: x / y"),
    Fault("power", "n * self.data ** (n - 1) if", "n * self.data ** n if", "derivatives: x ** 2"),
    Fault("negative_base", "n * self.data ** (n - 1) if", "n * abs(self.data) ** (n - 1) if", "derivatives: x ** 2"),
    Fault("tanh", "1 - t * t", "1 - t", "derivatives: x.tanh()"),
    Fault("tanh_between", "1 - t * t", "1 - t * t if not 0.7 < self.data < 1.0 else 1 - t", "derivatives: x.tanh()"),
    Fault("exp_above_50", "return Value(e, (self,), (e,))", "return Value(e, (self,), (min(e, math.exp(50)),))", "derivatives: x.exp()"),
    Fault("log_below_1", "(1 / self.data,)", "(1 / max(self.data, 1e-4),)", "derivatives: x.log()"),
    Fault("leaks", "1.0 if self.data > 0 else 0.0", "1.0 if self.data > -1e-6 else 0.0", "derivatives: x.relu()"),
    Fault("sine_beyond", "math.cos(self.data)", "math.cos(self.data) * (1 if abs(self.data) < 7 else -1)", "derivatives: x.sin()"),
    Fault("sigmoid_rounded", "s = 0.5 * (1 + math.tanh(self.data / 2))", "s = round(0.5 * (1 + math.tanh(self.data / 2)), 6)", "values: x.sigmoid()"),
]  # fmt: skip
