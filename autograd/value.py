"""What is a Value? A number that remembers how it was computed.

Arithmetic on Values builds a graph. Each result is a node that keeps its operands and, beside each one, its *local
derivative*: how fast the result changes with that operand alone. `backward()` walks the graph from the result to the
leaves, and the chain rule is one line: `parent.grad += local derivative * node.grad`.

The order of the walk is in `graph.py`, the derivatives are in `rules.py`, and `exp`, `dot`, ... in `functions.py`.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from autograd import copying, graph, modes
from autograd.ieee754 import DOMAIN_ERRORS
from autograd.operations import Operation, operations
from autograd.reals import as_float, real_or_none


class Value:
    """A real number that remembers how it was computed, for reverse-mode differentiation.

    Arguments:
        data: an int, float, bool, or any other real number (NumPy's too); kept as a float.
        label: a name for drawings and printing.

    Raises:
        TypeError: data is not one real number.

    Arithmetic (`+ - * / // ** % abs`) between Values and plain numbers gives Values. It follows IEEE 754 and never
    raises: `Value(1) / 0` is inf, inf * 0 is nan. Ordering (`<`) and truth go by data; `==` and `hash` by identity.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    # `_x` and `_y` hold the operands, `_dx` and `_dy` their local derivatives, which the forward pass computes. A plain
    # number is an operand too, as a float, with the derivative None: no gradient flows to it, and it gets no node.
    # A node of more than two operands, or of a list (`dot`), holds tuples: `_x` its parents, `_dx` their derivatives,
    # `_y` all operands. (Tuples in every node would double the garbage collector's time.)
    # Numbers and not closures: a closure that refers to its node makes a cycle, which only the collector can free. And
    # numbers are fixed: a later change of `data` cannot spoil a gradient. They can be drawn, copied and pickled, too.
    __slots__ = ("__weakref__", "_data", "_dx", "_dy", "_grad", "_operation", "_x", "_y", "label")
    _data: float
    _grad: "float | Value"
    _operation: Operation | None
    _x: Any
    _dx: Any
    _y: Any
    _dy: Any
    label: str

    def __init__(self, data: Any, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"the label of a Value is a string; got {label!r} ({type(label).__name__})")
        self._data = data if type(data) is float else as_float(data, "Value(data)")
        self._grad = 0.0
        self.label = label
        self._operation = self._x = self._dx = self._y = self._dy = None

    def __init_subclass__(cls) -> None:
        if "__eq__" in cls.__dict__ or "__hash__" in cls.__dict__:
            why = "since graphs are walked by them: compare .data, or write a method of another name"
            raise TypeError(f"{cls.__name__} must keep == and hash by identity, {why}")

    # What a node knows

    @property
    def data(self) -> float:
        """The number itself. Assigning to it changes no recorded derivative: compute the results again to use it."""
        if modes.active:  # a block of `modes` is open in some thread
            modes.check_readable()
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data = data if type(data) is float else as_float(data, "Value.data")

    @property
    def grad(self) -> "float | Value":
        """The derivative of the last `backward()`'s root with respect to this Value; in a leaf, the sum of all so far.

        It is a float, or after `backward(create_graph=True)` a Value that knows its own history.
        """
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if type(grad) is not float:  # `v.grad = 0`, as people write, is twice as fast as through `as_float`
            grad = 0.0 if type(grad) is int and not grad else as_float(grad, "Value.grad")
        self._grad = grad

    @property
    def operation(self) -> str:
        """The name of the operation that made this Value, "" for a leaf."""
        return self._operation.name if self._operation else ""

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to, in order, plain floats included."""
        if type(self._dx) is tuple:
            return cast(tuple[Any, ...], self._y)
        return (self._x, self._y) if self._y is not None else () if self._x is None else (self._x,)

    @property
    def parents(self) -> "tuple[Value, ...]":
        """The Values among the operands, in order, repeats kept."""
        return tuple(graph.edges(self)[0])

    @property
    def local_derivatives(self) -> tuple[float, ...]:
        """The derivative of this Value with respect to each of its parents, the others held fixed."""
        return tuple(graph.edges(self)[1])

    def item(self) -> float:
        """The number itself, as a Python float."""
        return self.data

    # Back-propagation

    def backward(self, gradient: float = 1.0, create_graph: bool = False) -> None:
        """Adds to every leaf's `grad` the derivative of this Value with respect to it, times `gradient`.

        Leaves accumulate from call to call (see `zero_grad`). Interior nodes start from 0 in each call: if they kept
        the old gradient, they would pass it on again, and a second call would more than double the leaves' gradients.
        A contribution with a factor that is exactly 0 is 0, even if the other factor is inf or nan.

        Arguments:
            gradient: the derivative of the final result with respect to this Value.
            create_graph: whether every `grad` becomes a Value that knows its own history, to be differentiated again.

        Raises:
            TypeError: gradient is not one real number.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); y.backward()
        >>> x.grad
        12.0
        """
        if create_graph:
            self._backward_as_graph(gradient)
            return
        gradient = as_float(gradient, "backward(gradient)")
        order = graph.interior_at_zero(self)  # all nodes but the leaves, each after its parents
        self._grad += gradient
        pass_on(reversed(order))

    def _backward(self) -> None:
        """One step of the chain rule: from this node's gradient to its parents."""
        pass_on((self,))

    def zero_grad(self) -> None:
        """Sets `grad` to 0 in this Value and in everything it depends on."""
        for node in graph.topological_order(self):
            node._grad = 0.0

    def detach(self) -> "Value":
        """A leaf with the same number and label, cut off from the graph."""
        return Value(self.data, self.label)

    # Arithmetic. + - * repeat what `rules.py` says, since this is 5 times faster than `apply`. A test compares them.
    # `number` is a plain number as a float; where it is None, `other` is no number, and Python asks it (`__radd__`).

    def __add__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            return _record(_ADD, self._data + other._data, self, 1.0, other, 1.0)
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_ADD, self._data + number, self, 1.0, number, None)

    def __radd__(self, other: Any) -> "Value":
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_ADD, number + self._data, number, None, self, 1.0)

    def __sub__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            return _record(_SUB, self._data - other._data, self, 1.0, other, -1.0)
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_SUB, self._data - number, self, 1.0, number, None)

    def __rsub__(self, other: Any) -> "Value":
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_SUB, number - self._data, number, None, self, -1.0)

    def __mul__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            return _record(_MUL, self._data * other._data, self, other._data, other, self._data)
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_MUL, self._data * number, self, number, number, None)

    def __rmul__(self, other: Any) -> "Value":
        number = real_or_none(other)
        if number is None:
            return NotImplemented
        return _record(_MUL, number * self._data, number, None, self, number)

    def __neg__(self) -> "Value":
        return _record(_NEG, -self._data, self, -1.0)

    def __pos__(self) -> "Value":
        return self

    def __truediv__(self, other: Any) -> "Value":
        return apply_to_two(operations["div"], self, other)

    def __rtruediv__(self, other: Any) -> "Value":
        return apply_to_two(operations["div"], other, self)

    def __pow__(self, other: Any) -> "Value":
        return apply_to_two(operations["pow"], self, other)

    def __rpow__(self, other: Any) -> "Value":
        return apply_to_two(operations["pow"], other, self)

    def __floordiv__(self, other: Any) -> "Value":
        return apply_to_two(operations["floor_divide"], self, other)

    def __rfloordiv__(self, other: Any) -> "Value":
        return apply_to_two(operations["floor_divide"], other, self)

    def __mod__(self, other: Any) -> "Value":
        return apply_to_two(operations["remainder"], self, other)

    def __rmod__(self, other: Any) -> "Value":
        return apply_to_two(operations["remainder"], other, self)

    def __round__(self, ndigits: None = None) -> "Value":
        if ndigits is not None:
            use = f"use round(v.data, {ndigits!r}) or f'{{v:.2f}}'"
            raise TypeError(f"round(v, {ndigits!r}) would lose the graph: {use}")
        return cast(Value, apply(operations["round"], self))

    # Comparisons go by data

    def __lt__(self, other: Any) -> bool:
        number = real_or_none(data_of(other))
        return NotImplemented if number is None else self.data < number

    def __le__(self, other: Any) -> bool:
        number = real_or_none(data_of(other))
        return NotImplemented if number is None else self.data <= number

    def __gt__(self, other: Any) -> bool:
        number = real_or_none(data_of(other))
        return NotImplemented if number is None else self.data > number

    def __ge__(self, other: Any) -> bool:
        number = real_or_none(data_of(other))
        return NotImplemented if number is None else self.data >= number

    def __bool__(self) -> bool:
        return bool(self.data)

    # Text, and conversions

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __float__(self) -> float:
        raise TypeError(
            f"a Value does not turn into a float by itself, since its gradient would be lost: use autograd.exp, "
            f"autograd.sin, ... instead of math.exp, math.sin, ..., or v.data for the number {self._data}"
        )

    __int__ = __float__

    # Pickle and copy work at any depth: see copying.py

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copying.reduce(self, protocol)

    __setstate__ = copying.restore
    __deepcopy__ = copying.deepcopy
    __copy__ = copying.shallow_copy

    # The names of micrograd

    @property
    def _prev(self) -> "tuple[Value, ...]":
        return self.parents

    @property
    def _op(self) -> str:
        return (self._operation.symbol or self._operation.name) if self._operation else ""

    if TYPE_CHECKING:  # functions.py makes its functions methods too: v.tanh() is tanh(v)

        def tanh(self) -> "Value": ...
        def _backward_as_graph(self, gradient: Any) -> None: ...  # autograd/__init__.py sets it: it needs transforms

        exp = exp2 = expm1 = log = log2 = log10 = log1p = sqrt = cbrt = sin = cos = tan = asin = acos = tanh
        atan = sinh = cosh = asinh = acosh = atanh = sigmoid = softplus = relu = silu = erf = erfc = tanh
        sign = floor = ceil = round = abs = __abs__ = __floor__ = __ceil__ = tanh
        leaky_relu = elu = gelu = clip = maximum = minimum = atan2 = hypot = shifted_exp = pow = __pow__


def pass_on(nodes: Iterable[Value]) -> None:
    """The chain rule: each node in turn passes its gradient on to its parents."""
    for node in nodes:  # the loop is here and not around it, since a call for each node would take 20 % longer
        upstream: Any = node._grad
        if not upstream:  # 0 times any local derivative is 0, even 0 * inf
            continue
        if upstream - upstream:  # nan, which is true, for inf and nan: a local derivative of 0 must still pass on 0
            for parent, derivative in zip(*graph.edges(node), strict=True):
                parent._grad += graph.contribution(upstream, derivative)
        elif type(node._dx) is tuple:
            for parent, derivative in zip(node._x, node._dx):  # noqa: B905 (strict= costs 4 %)
                parent._grad += derivative * upstream
        else:
            if node._dx is not None:
                node._x._grad += node._dx * upstream
            if node._dy is not None:
                node._y._grad += node._dy * upstream


_ADD, _SUB, _MUL, _NEG = (operations[name] for name in ("add", "sub", "mul", "neg"))
_new: Callable[[type[Value]], Value] = object.__new__


def _record(operation: Operation, data: float, x: Any, dx: Any, y: Any = None, dy: Any = None) -> Value:
    """The result of an operation: a new node or, inside `no_grad()`, a new leaf. It skips the checks of `__init__`."""
    node = _new(Value)
    node._data = data
    node._grad = 0.0
    node.label = ""
    node._operation = operation
    node._x = x
    node._dx = dx
    node._y = y
    node._dy = dy
    return _under_modes(node) if modes.active else node


def _under_modes(node: Value) -> Value:
    """What becomes of a new node inside `strict()` (perhaps an error) and inside `no_grad()` (a leaf)."""
    node.__class__ = modes.node_type(Value)  # `compile` records nodes of a class of its own
    if modes.is_strict():
        modes.check_finite(node.operation, node._data, list(map(data_of, node.operands)), node.local_derivatives)
    return node if modes.is_recording() else type(node)(node._data)  # a leaf: the same number without operands


def apply(operation: Operation, *operands: Any) -> Any:
    """The operation on numbers and Values: a Value if any operand is one, otherwise a float.

    Raises:
        TypeError: an operand is neither a Value nor one real number.
    """
    numbers = [
        x._data if isinstance(x, Value) else x if type(x) is float else as_float(x, f"{operation.name}(...)")
        for x in operands
    ]
    out = operation.evaluate(numbers)
    wanted = [i for i, x in enumerate(operands) if isinstance(x, Value)]
    if not wanted:
        return out
    derivatives = operation.differentiate(out, numbers, wanted)
    if len(wanted) < len(operands):
        operands = tuple([x if isinstance(x, Value) else n for x, n in zip(operands, numbers, strict=True)])
    if len(operands) > 2 or operation.nary:
        return _record(operation, out, tuple([operands[i] for i in wanted]), tuple(derivatives), operands)
    slots = [slot for i, x in enumerate(operands) for slot in (x, derivatives.pop(0) if i in wanted else None)]
    return _record(operation, out, *slots)


def apply_to_two(operation: Operation, x: Any, y: Any) -> Value:
    """What `apply` gives for a built-in operation of two operands, 4 times faster; NotImplemented for no numbers."""
    of_x, of_y = isinstance(x, Value), isinstance(y, Value)
    a = x._data if of_x else real_or_none(x)
    b = y._data if of_y else real_or_none(y)
    if a is None or b is None:
        return cast(Value, NotImplemented)
    try:
        out = operation.value(a, b)
        dx = operation.derivatives[0](out, a, b) if of_x else None
        dy = operation.derivatives[1](out, a, b) if of_y else None
    except DOMAIN_ERRORS:  # Python raises where IEEE 754 answers: `apply` asks the careful rule
        return cast(Value, apply(operation, x, y))
    return _record(operation, out, x if of_x else a, dx, y if of_y else b, dy) if of_x or of_y else out


def data_of(x: Any) -> Any:
    """The number of a Value; a plain number stays itself."""
    return x._data if isinstance(x, Value) else x
