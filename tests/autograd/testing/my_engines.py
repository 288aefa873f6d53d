"""Engines as students write them: one that is right, and others with one fault each."""

import math
import warnings
from typing import Any


class Right:
    """Nothing is wrong with it, and not much is in it."""

    def __init__(self, data: Any, parents: Any = (), local_derivatives: Any = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.local_derivatives = local_derivatives

    @classmethod
    def made(cls, x: Any) -> Any:
        return x if isinstance(x, Right) else cls(x)

    def __add__(self, other: Any) -> Any:
        other = self.made(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Any:
        other = self.made(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self) -> Any:
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1.0 - t * t,))

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __neg__(self) -> Any:
        return self * -1.0

    def __sub__(self, other: Any) -> Any:
        return self + -self.made(other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def order(self) -> list[Any]:
        """Each node once, after its parents."""
        order: list[Any] = []
        seen: set[Any] = set()
        stack = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        return order

    def backward(self) -> None:
        order = self.order()
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            node.pass_on()

    def pass_on(self) -> None:
        for parent, derivative in zip(self.parents, self.local_derivatives, strict=True):
            parent.grad += derivative * self.grad


class Overwrites(Right):
    """`=` in place of `+=`."""

    def pass_on(self) -> None:
        for parent, derivative in zip(self.parents, self.local_derivatives, strict=True):
            parent.grad = derivative * self.grad


class NoOrder(Right):
    """Each node passes on its gradient when it is first reached, from the result downwards."""

    def order(self) -> list[Any]:
        order: list[Any] = [self]
        for node in order:
            order.extend(parent for parent in dict.fromkeys(node.parents) if parent not in order)
        return order[::-1]


class ForgetsUpstream(Right):
    """Tanh forgets to multiply by the gradient that reaches it."""

    def pass_on(self) -> None:
        if len(self.parents) == 1:
            self.parents[0].grad += self.local_derivatives[0]
        else:
            super().pass_on()


class HalfGradients(Right):
    """The chain rule with a factor too much."""

    def pass_on(self) -> None:
        for parent, derivative in zip(self.parents, self.local_derivatives, strict=True):
            parent.grad += 0.5 * derivative * self.grad


class WrongTanh(Right):
    """1 - t in place of 1 - t * t."""

    def tanh(self) -> Any:
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1.0 - t,))


class WrongConstants(Right):
    """Half the numbers of a product are forgotten, if they are plain."""

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Right):
            return super().__mul__(other)
        return type(self)(self.data * other, (self,), (1.0,))

    def __neg__(self) -> Any:
        return type(self)(-self.data, (self,), (-1.0,))


class NoReflectedAddition(Right):
    """`x + 1` works, `1 + x` does not."""

    def __radd__(self, other: Any) -> Any:
        return NotImplemented


class FloatProducts(Right):
    """The product is a float, and its history lost."""

    def __mul__(self, other: Any) -> Any:
        return self.data * self.made(other).data

    def __neg__(self) -> Any:
        return type(self)(-self.data, (self,), (-1.0,))


class EveryPath(Right):
    """Walks along every path in place of visiting every node once: right, and never done."""

    def backward(self) -> None:
        self.push(1.0)

    def push(self, gradient: float) -> None:
        self.grad += gradient
        for parent, derivative in zip(self.parents, self.local_derivatives, strict=True):
            parent.push(derivative * gradient)


class Endless(Right):
    """The loop never ends."""

    def backward(self) -> None:
        while True:
            self.grad += 1.0


class Swapped(Right):
    """a - b has the gradients of b - a."""

    def __sub__(self, other: Any) -> Any:
        other = self.made(other)
        return type(self)(self.data - other.data, (self, other), (-1.0, 1.0))


class ChangesItsInputs(Right):
    """The backward pass takes a step downhill by itself."""

    def pass_on(self) -> None:
        super().pass_on()
        for parent in self.parents:
            parent.data -= 0.1 * parent.grad


class Stale(Right):
    """The gradients of interior nodes are never cleared, as in micrograd."""

    def backward(self) -> None:
        self.grad = 1.0
        for node in reversed(self.order()):
            node.pass_on()


class EqualByData(Right):
    """Two numbers are the same node if they are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Right) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)


class OnlyForward:
    """No derivatives yet, and much to say."""

    def __init__(self, data: float) -> None:
        print("a new number")
        warnings.warn("it has no derivative", stacklevel=2)
        self.data = data

    def __add__(self, other: Any) -> Any:
        return OnlyForward(self.data + other.data)


class NeedsTwo:
    def __init__(self, data: float, requires_grad: bool) -> None:
        self.data = data


class NoData:
    def __init__(self, value: float) -> None:
        self.value = value


not_a_class = 3
