"""What is this project measured against, besides micrograd? The smallest closure-free design, as in microgpt.

A node has slots and keeps two tuples, its parents and its local derivatives, so the backward pass is one loop; the
topological order is found by recursion. Written here from that description, with only what the benchmarks need.
"""


class Value:
    """A number, its parents, and its derivative with respect to each of them."""

    __slots__ = ("data", "grad", "local_derivatives", "parents")

    def __init__(self, data, parents=(), local_derivatives=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.local_derivatives = local_derivatives

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, derivative in zip(node.parents, node.local_derivatives, strict=True):
                parent.grad += derivative * node.grad
