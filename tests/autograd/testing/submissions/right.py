"""Ten ways to write a right engine, each as the text of a file with a class `Value`."""

# ruff: noqa: E501  (formulas are on one line each)

OFFERED = "arithmetic,plain,pow,tanh,exp,relu,backward"
"""What all of them have."""

COMMON = """
    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return other * self**-1
"""

MICROGRAD = (
    """
import math
class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def __pow__(self, other):
        assert isinstance(other, (int, float)), "only supporting int/float powers for now"
        out = Value(self.data**other, (self,), f'**{other}')
        def _backward():
            self.grad += (other * self.data**(other-1)) * out.grad
        out._backward = _backward
        return out
    def relu(self):
        out = Value(0 if self.data < 0 else self.data, (self,), 'ReLU')
        def _backward():
            self.grad += (out.data > 0) * out.grad
        out._backward = _backward
        return out
    def tanh(self):
        x = self.data
        t = (math.exp(2*x) - 1)/(math.exp(2*x) + 1)
        out = Value(t, (self,), 'tanh')
        def _backward():
            self.grad += (1 - t**2) * out.grad
        out._backward = _backward
        return out
    def exp(self):
        out = Value(math.exp(self.data), (self,), 'exp')
        def _backward():
            self.grad += out.data * out.grad
        out._backward = _backward
        return out
    def backward(self):
        topo = []
        visited = set()
        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()
"""
    + COMMON
)

CLOSURES = (
    """
import math
class Value:
    def __init__(self, data, parents=(), pull=None):
        self.data, self.grad, self.parents, self.pull = data, 0.0, parents, pull
    def __add__(self, other):
        other = wrap(other)
        return Value(self.data + other.data, (self, other), lambda g: (g, g))
    def __mul__(self, other):
        other = wrap(other)
        a, b = self.data, other.data
        return Value(a * b, (self, other), lambda g: (b * g, a * g))
    def __pow__(self, n):
        if isinstance(n, Value):
            x, y = self.data, n.data
            return Value(x**y, (self, n), lambda g: (y * x**(y - 1) * g, math.log(x) * x**y * g))
        x = self.data
        return Value(x**n, (self,), lambda g: (n * x**(n - 1) * g if n else 0.0,))
    def __rpow__(self, base):
        return wrap(base) ** self
    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), lambda g: ((1 - t * t) * g,))
    def exp(self):
        e = math.exp(self.data)
        return Value(e, (self,), lambda g: (e * g,))
    def log(self):
        x = self.data
        return Value(math.log(x), (self,), lambda g: (g / x,))
    def relu(self):
        x = self.data
        return Value(max(0.0, x), (self,), lambda g: (g if x > 0 else 0.0,))
    def backward(self):
        order, seen, stack = [], set(), [(self, iter(self.parents))]
        seen.add(self)
        while stack:
            node, parents = stack[-1]
            for parent in parents:
                if parent not in seen:
                    seen.add(parent)
                    stack.append((parent, iter(parent.parents)))
                    break
            else:
                order.append(node)
                stack.pop()
        gradient = {node: 0.0 for node in order}
        gradient[self] = 1.0
        for node in reversed(order):
            node.grad += gradient[node]
            if node.pull:
                for parent, g in zip(node.parents, node.pull(gradient[node])):
                    gradient[parent] += g
"""
    + COMMON
    + """
def wrap(x):
    return x if isinstance(x, Value) else Value(x)
"""
)

TAPE = (
    """
import math
TAPE = []
class Value:
    def __init__(self, data):
        self.data, self.grad, self.place = data, 0.0, -1
    def record(self, data, *edges):
        out = Value(data)
        out.place = len(TAPE)
        TAPE.append((out, edges))
        return out
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.record(self.data + other.data, (self, 1.0), (other, 1.0))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.record(self.data * other.data, (self, other.data), (other, self.data))
    def __pow__(self, n):
        if not isinstance(n, (int, float)):
            raise TypeError("only numbers may be exponents")
        return self.record(self.data ** n, (self, n * self.data ** (n - 1) if n else 0.0))
    def tanh(self):
        t = math.tanh(self.data)
        return self.record(t, (self, 1.0 - t ** 2))
    def exp(self):
        return self.record(math.exp(self.data), (self, math.exp(self.data)))
    def relu(self):
        return self.record(self.data if self.data > 0 else 0.0, (self, 1.0 if self.data > 0 else 0.0))
    def zero_grad(self):
        self.grad = 0.0
    def backward(self):
        if self.place < 0:
            self.grad += 1.0
        adjoint = {self: 1.0}
        for out, edges in reversed(TAPE[: self.place + 1]):
            g = adjoint.pop(out, None)
            if g is None:
                continue
            out.grad = g
            for x, d in edges:
                adjoint[x] = adjoint.get(x, 0.0) + d * g
        if self.place >= 0:
            for x, g in adjoint.items():
                x.grad += g
"""
    + COMMON
)

OPERATIONS = """
import math
class Function:
    def __init__(self, *inputs): self.inputs = inputs
    @classmethod
    def apply(cls, *inputs):
        inputs = [x if isinstance(x, Value) else Value(x) for x in inputs]
        function = cls(*inputs)
        out = Value(function.forward(*[x.data for x in inputs]))
        out.creator = function
        return out
class Add(Function):
    def forward(self, a, b): return a + b
    def backward(self, g): return g, g
class Sub(Function):
    def forward(self, a, b): return a - b
    def backward(self, g): return g, -g
class Mul(Function):
    def forward(self, a, b):
        self.saved = a, b
        return a * b
    def backward(self, g):
        a, b = self.saved
        return g * b, g * a
class Div(Function):
    def forward(self, a, b):
        self.saved = a, b
        return a / b
    def backward(self, g):
        a, b = self.saved
        return g / b, -g * a / b**2
class Neg(Function):
    def forward(self, a): return -a
    def backward(self, g): return (-g,)
class Pow(Function):
    def forward(self, a, n):
        self.saved = a, n
        return a**n
    def backward(self, g):
        a, n = self.saved
        return (g * n * a ** (n - 1) if n else 0.0), (g * a**n * math.log(a) if a > 0 else 0.0)
class Tanh(Function):
    def forward(self, a):
        self.t = math.tanh(a)
        return self.t
    def backward(self, g): return (g * (1 - self.t**2),)
class Exp(Function):
    def forward(self, a):
        self.e = math.exp(a)
        return self.e
    def backward(self, g): return (g * self.e,)
class Relu(Function):
    def forward(self, a):
        self.positive = a > 0
        return max(a, 0)
    def backward(self, g): return (g * self.positive,)
class Sigmoid(Function):
    def forward(self, a):
        self.s = 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))
        return self.s
    def backward(self, g): return (g * self.s * (1 - self.s),)
class Value:
    creator = None
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
    def __add__(self, other): return Add.apply(self, other)
    def __radd__(self, other): return Add.apply(other, self)
    def __sub__(self, other): return Sub.apply(self, other)
    def __rsub__(self, other): return Sub.apply(other, self)
    def __mul__(self, other): return Mul.apply(self, other)
    def __rmul__(self, other): return Mul.apply(other, self)
    def __truediv__(self, other): return Div.apply(self, other)
    def __rtruediv__(self, other): return Div.apply(other, self)
    def __pow__(self, other): return Pow.apply(self, other)
    def __neg__(self): return Neg.apply(self)
    def tanh(self): return Tanh.apply(self)
    def exp(self): return Exp.apply(self)
    def relu(self): return Relu.apply(self)
    def sigmoid(self): return Sigmoid.apply(self)
    def backward(self):
        order, stack, state = [], [self], {}
        while stack:
            node = stack[-1]
            if state.get(node) is None:
                state[node] = "open"
                if node.creator:
                    stack.extend(x for x in node.creator.inputs if x not in state)
            else:
                stack.pop()
                if state[node] == "open":
                    state[node] = "done"
                    order.append(node)
        for node in order:
            if node.creator:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            if node.creator:
                for x, g in zip(node.creator.inputs, node.creator.backward(node.grad)):
                    x.grad += g
"""

SLOTS = (
    """
from math import exp, tanh
class Value:
    __slots__ = ("data", "grad", "edges", "mark")
    def __init__(self, data, edges=()):
        self.data, self.grad, self.edges, self.mark = float(data), 0.0, edges, False
    def __add__(self, other):
        if isinstance(other, Value):
            return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))
        return Value(self.data + other, ((self, 1.0),))
    def __mul__(self, other):
        if isinstance(other, Value):
            return Value(self.data * other.data, ((self, other.data), (other, self.data)))
        return Value(self.data * other, ((self, other),))
    def __pow__(self, n):
        if isinstance(n, Value):
            return NotImplemented
        return Value(self.data ** n, ((self, n * self.data ** (n - 1) if n != 0 else 0.0),))
    def tanh(self):
        t = tanh(self.data)
        return Value(t, ((self, (1 - t) * (1 + t)),))
    def exp(self):
        e = exp(self.data)
        return Value(e, ((self, e),))
    def relu(self):
        return Value(self.data, ((self, 1.0),)) if self.data > 0 else Value(0.0, ((self, 0.0),))
    def _visit(self, order):
        # a list is searched for each node: slow, and right
        todo = [self]
        while todo:
            node = todo.pop()
            if node.mark is None:
                node.mark = True
                order.append(node)
            elif node.mark is False:
                node.mark = None
                todo.append(node)
                todo += [x for x, _ in node.edges if x.mark is False]
    def backward(self):
        order = []
        self._visit(order)
        for node in order:
            node.mark = False
            if node.edges:
                node.grad = 0.0
        self.grad += 1.0
        while order:
            node = order.pop()
            for x, d in node.edges:
                x.grad += d * node.grad
"""
    + COMMON
)

RECURSION = (
    """
import math
class Value:
    def __init__(self, data, *edges):
        self.data = data
        self.grad = 0.0
        self.edges = edges
        self.waiting = 0
    def __add__(self, other):
        other = Value(other) if not isinstance(other, Value) else other
        return Value(self.data + other.data, (self, 1), (other, 1))
    def __mul__(self, other):
        other = Value(other) if not isinstance(other, Value) else other
        return Value(self.data * other.data, (self, other.data), (other, self.data))
    def __pow__(self, n):
        assert not isinstance(n, Value)
        return Value(self.data**n, (self, n * self.data ** (n - 1) if n else 0))
    def tanh(self):
        t = 2 / (1 + math.exp(-2 * self.data)) - 1
        return Value(t, (self, 1 - t * t))
    def exp(self):
        return Value(math.exp(self.data), (self, math.exp(self.data)))
    def relu(self):
        return Value(self.data * (self.data > 0), (self, float(self.data > 0)))
    def count(self):
        self.waiting += 1
        if self.waiting == 1:
            self.incoming = 0.0
            for x, _ in self.edges:
                x.count()
    def push(self, g):
        self.incoming += g
        self.waiting -= 1
        if self.waiting == 0:
            self.grad += self.incoming
            for x, d in self.edges:
                x.push(d * self.incoming)
    def backward(self):
        self.count()
        self.push(1.0)
"""
    + COMMON
)

DATACLASS = (
    """
from __future__ import annotations
import math
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
@dataclass(eq=False)
class Value:
    data: float
    parents: tuple[Value, ...] = ()
    slopes: tuple[float, ...] = ()
    grad: float = field(default=0.0, init=False)
    def __add__(self, other):
        other = make(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))
    def __mul__(self, other):
        other = make(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __pow__(self, n):
        if isinstance(n, Value):
            raise NotImplementedError("Value ** Value")
        return Value(self.data**n, (self,), (n * self.data ** (n - 1) if n else 0.0,))
    def tanh(self):
        t = math.sinh(self.data) / math.cosh(self.data)
        return Value(t, (self,), (math.cosh(self.data) ** -2,))
    def exp(self):
        return Value(math.e**self.data, (self,), (math.e**self.data,))
    def relu(self):
        return Value(max(self.data, 0.0), (self,), (1.0 if self.data > 0.0 else 0.0,))
    def sin(self):
        return Value(math.sin(self.data), (self,), (math.cos(self.data),))
    def cos(self):
        return Value(math.cos(self.data), (self,), (-math.sin(self.data),))
    def backward(self):
        graph, todo = {}, [self]
        while todo:
            node = todo.pop()
            if node not in graph:
                graph[node] = node.parents
                todo.extend(node.parents)
        totals = dict.fromkeys(graph, 0.0)
        totals[self] = 1.0
        for node in reversed(list(TopologicalSorter(graph).static_order())):
            node.grad += totals[node]
            for parent, slope in zip(node.parents, node.slopes):
                totals[parent] += slope * totals[node]
"""
    + COMMON
    + """
def make(x):
    return x if isinstance(x, Value) else Value(x)
"""
)

NUMPY = (
    """
import numpy as np
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = np.float64(data)
        self.grad = np.float64(0)
        self.parents, self.slopes = parents, slopes
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __pow__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        x, y = self.data, other.data
        first = y * x ** (y - 1) if y else np.float64(0)
        return Value(x**y, (self, other), (first, np.log(x) * x**y if x > 0 else np.float64(0)))
    def __rpow__(self, other):
        return Value(other) ** self
    def tanh(self):
        t = np.tanh(self.data)
        return Value(t, (self,), (1 - t**2,))
    def exp(self):
        return Value(np.exp(self.data), (self,), (np.exp(self.data),))
    def log(self):
        return Value(np.log(self.data), (self,), (1 / self.data,))
    def sqrt(self):
        return Value(np.sqrt(self.data), (self,), (0.5 / np.sqrt(self.data),))
    def relu(self):
        return Value(np.maximum(self.data, 0), (self,), (np.heaviside(self.data, 0),))
    def backward(self):
        order, seen = [], []
        stack = [(self, False)]
        known = set()
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in known:
                known.add(id(node))
                stack.append((node, True))
                stack += [(p, False) for p in node.parents]
        for node in order:
            if node.parents:
                node.grad = np.float64(0)
        self.grad = self.grad + 1
        for node in order[::-1]:
            for p, d in zip(node.parents, node.slopes):
                p.grad = p.grad + d * node.grad
"""
    + COMMON
)

FLOAT = """
import math
class Value(float):
    def __new__(cls, x, edges=()):
        self = super().__new__(cls, x)
        self.grad, self.edges = 0.0, edges
        return self
    __hash__ = object.__hash__
    def __eq__(self, other): return self is other
    @property
    def data(self): return float(self)
    def __add__(self, other):
        edges = ((self, 1.0), (other, 1.0)) if isinstance(other, Value) else ((self, 1.0),)
        return Value(float(self) + float(other), edges)
    __radd__ = __add__
    def __mul__(self, other):
        a, b = float(self), float(other)
        return Value(a * b, ((self, b), (other, a)) if isinstance(other, Value) else ((self, b),))
    __rmul__ = __mul__
    def __neg__(self): return self * -1.0
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other):
        a, b = float(self), float(other)
        return Value(a / b, ((self, 1 / b), (other, -a / (b * b))) if isinstance(other, Value) else ((self, 1 / b),))
    def __rtruediv__(self, other):
        a, b = float(other), float(self)
        return Value(a / b, ((self, -a / b / b),))
    def __pow__(self, n):
        if isinstance(n, Value): return NotImplemented
        x = float(self)
        return Value(x**n, ((self, n * x ** (n - 1) if n else 0.0),))
    def __rpow__(self, n): return NotImplemented
    def tanh(self):
        t = math.tanh(self)
        return Value(t, ((self, 1 - t * t),))
    def exp(self):
        e = math.exp(self)
        return Value(e, ((self, e),))
    def relu(self):
        return Value(max(0.0, float(self)), ((self, float(float(self) > 0)),))
    def backward(self):
        order, todo, seen = [], [(self, 0)], {self}
        while todo:
            node, k = todo.pop()
            if k < len(node.edges):
                todo.append((node, k + 1))
                x = node.edges[k][0]
                if x not in seen:
                    seen.add(x)
                    todo.append((x, 0))
            else:
                order.append(node)
        for node in order:
            if node.edges:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for x, d in node.edges:
                x.grad += d * node.grad
"""

LOCAL = (
    """
import math
class Value:
    __slots__ = ('data', 'grad', '_children', '_local_grads')
    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __pow__(self, other): return Value(self.data**other, (self,), (other * self.data**(other-1),))
    def log(self): return Value(math.log(self.data), (self,), (1/self.data,))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def tanh(self): return Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data)**2,))
    def relu(self): return Value(max(0, self.data), (self,), (float(self.data > 0),))
    def backward(self):
        topo = []
        visited = set()
        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad
"""
    + COMMON
)

RIGHT = {
    "micrograd": MICROGRAD,
    "closures": CLOSURES,
    "tape": TAPE,
    "operations": OPERATIONS,
    "slots": SLOTS,
    "recursion": RECURSION,
    "dataclass": DATACLASS,
    "numpy_scalars": NUMPY,
    "float_subclass": FLOAT,
    "local_gradients": LOCAL,
}

TEXTBOOK = CLOSURES + "".join(
    f"""
def _{name}(self):
    x = self.data
    y = {value}
    return Value(y, (self,), lambda g: (g * ({slope}),))
Value.{name} = _{name}
"""
    for name, value, slope in [
        ("sigmoid", "1 / (1 + math.exp(-x))", "y * (1 - y)"),
        ("tanh", "(math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x))", "1 - y**2"),
        ("softplus", "math.log(1 + math.exp(x))", "1 / (1 + math.exp(-x))"),
        ("silu", "x / (1 + math.exp(-x))", "(1 + math.exp(-x) * (1 + x)) / (1 + math.exp(-x)) ** 2"),
        ("sqrt", "x**0.5", "0.5 / y"),
        ("sin", "math.sin(x)", "math.cos(x)"),
        ("cos", "math.cos(x)", "-math.sin(x)"),
        ("tan", "math.sin(x) / math.cos(x)", "1 / math.cos(x) ** 2"),
        ("sinh", "(math.exp(x) - math.exp(-x)) / 2", "(math.exp(x) + math.exp(-x)) / 2"),
        ("cosh", "(math.exp(x) + math.exp(-x)) / 2", "(math.exp(x) - math.exp(-x)) / 2"),
        ("asin", "math.asin(x)", "1 / (1 - x**2) ** 0.5"),
        ("acos", "math.acos(x)", "-1 / (1 - x**2) ** 0.5"),
        ("atan", "math.atan(x)", "1 / (1 + x**2)"),
        ("asinh", "math.asinh(x)", "1 / (x**2 + 1) ** 0.5"),
        ("acosh", "math.log(x + (x**2 - 1) ** 0.5)", "1 / (x**2 - 1) ** 0.5"),
        ("atanh", "0.5 * math.log((1 + x) / (1 - x))", "1 / (1 - x**2)"),
        ("log2", "math.log(x) / math.log(2)", "1 / (x * math.log(2))"),
        ("log10", "math.log10(x)", "1 / (x * math.log(10))"),
        ("log1p", "math.log(1 + x)", "1 / (1 + x)"),
        ("expm1", "math.exp(x) - 1", "math.exp(x)"),
        ("exp2", "2**x", "y * math.log(2)"),
        ("erf", "math.erf(x)", "2 / math.pi**0.5 * math.exp(-(x**2))"),
        ("abs", "abs(x)", "1 if x > 0 else -1 if x < 0 else 0"),
        ("leaky_relu", "x if x > 0 else 0.01 * x", "1 if x > 0 else 0.01"),
        ("elu", "x if x > 0 else math.exp(x) - 1", "1 if x > 0 else math.exp(x)"),
        ("gelu", "0.5 * x * (1 + math.erf(x / 2**0.5))", "0.5 * (1 + math.erf(x / 2**0.5)) + x * math.exp(-x * x / 2) / (2 * math.pi) ** 0.5"),
        ("cbrt", "math.copysign(abs(x) ** (1 / 3), x)", "1 / (3 * y**2)"),
    ]
)  # fmt: skip
"""Every operation by the formula of a textbook, which loses digits here and there, and overflows far out."""
