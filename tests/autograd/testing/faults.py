"""Which bugs do engines have? Each is put into this one here for a while, so that tests can see whether they are found.

`FAULTS` names them; each is a context manager that changes the engine and changes it back. Most were found in engines
that people wrote; `one_of_two_equal_operands_dropped` and `stale_interior_gradients` are micrograd's.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from autograd import graph, value
from autograd.operations import operations
from autograd.transforms import reverse
from autograd.value import Value

Fault = Callable[[], AbstractContextManager[Any]]


def _method(name: str, replacement: Callable[..., Any]) -> Fault:
    return lambda: patch.object(Value, name, replacement)


def _order(replacement: Callable[[Value], list[Value]]) -> Fault:
    def at_zero(root: Value) -> list[Value]:
        order = replacement(root)
        for node in order:
            node._grad = 0.0
        return order

    return _all(
        lambda: patch.object(graph, "interior", replacement),
        lambda: patch.object(graph, "interior_at_zero", at_zero),
    )


def _step(replacement: Callable[[Value], None]) -> Fault:
    """One step of the chain rule, replaced."""

    def pass_on(nodes: Iterable[Value]) -> None:
        for node in nodes:
            replacement(node)

    return _all(
        lambda: patch.object(value, "pass_on", pass_on),
        lambda: patch.object(reverse, "pass_on", pass_on),
    )


def _derivatives(name: str, change: Callable[[list[float]], list[float]]) -> Fault:
    """The local derivatives of one operation, changed."""

    @contextmanager
    def faulty() -> Iterator[None]:
        operation = operations[name]
        original = operation.rule

        def derivative(place: int) -> Callable[..., float]:
            def wrong(out: float, *xs: float) -> float:
                return change([d(out, *xs) for d in original.derivatives])[place]

            return wrong

        if original.nary:
            wrong = (lambda out, *xs: change(original.derivatives[0](out, *xs)),)
        else:
            wrong = tuple(derivative(place) for place in range(len(original.derivatives)))
        operation.rule, operation.derivatives = original._replace(derivatives=wrong), wrong
        try:
            yield
        finally:
            operation.rule, operation.derivatives = original, original.derivatives

    return faulty


def _all(*faults: Fault) -> Fault:
    """Several faults that have one cause."""

    @contextmanager
    def faulty() -> Iterator[None]:
        with ExitStack() as stack:
            for fault in faults:
                stack.enter_context(fault())
            yield

    return faulty


def _recorded(name: str, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Fault:
    """What `_record` keeps of one operation: its value and operand, derivative, operand, derivative; changed."""

    def faulty() -> AbstractContextManager[Any]:
        original = value._record

        def record(operation: Any, *parts: Any) -> Value:
            return original(operation, *(change(parts) if operation.name == name else parts))

        return patch.object(value, "_record", record)

    return faulty


# The walk over the graph


def breadth_first(root: Value) -> list[Value]:
    found, place = [root], 0
    while place < len(found):
        for parent in found[place].parents:
            if parent._operation is not None and parent not in found:
                found.append(parent)
        place += 1
    return found[::-1]


def depth_first_before_its_parents(root: Value) -> list[Value]:
    found: list[Value] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node._operation is not None and node not in found:
            found.append(node)
            stack += reversed(node.parents)
    return found[::-1]


def without_shared_nodes(root: Value) -> list[Value]:
    order = original_interior(root)
    uses = [parent for node in order for parent in set(node.parents)]
    return [node for node in order if uses.count(node) < 2]


def with_one_visit_for_each_path(root: Value) -> list[Value]:
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        if node._operation is not None:
            order.append(node)
            stack += reversed(node.parents)
    return order[::-1]


original_interior = graph.interior

# One step of the chain rule


def _pairs(node: Value) -> Iterator[tuple[Value, float]]:
    return zip(node.parents, node.local_derivatives, strict=True)


def overwrite(self: Value) -> None:
    for parent, derivative in _pairs(self):
        if derivative and self._grad:
            parent._grad = derivative * self._grad


def once_for_each_parent(self: Value) -> None:
    for parent, derivative in dict(_pairs(self)).items():
        if derivative and self._grad:
            parent._grad += derivative * self._grad


def without_strong_zeros(self: Value) -> None:
    for parent, derivative in _pairs(self):
        parent._grad += derivative * self._grad


def of_positive_gradients_only(self: Value) -> None:
    if self._grad > 0:
        original_step(self)


def without_the_last_of_many(self: Value) -> None:
    if type(self._dx) is tuple and len(self._dx) > 1:
        for parent, derivative in list(_pairs(self))[:-1]:
            if derivative and self._grad:
                parent._grad += derivative * self._grad
    else:
        original_step(self)


def from_current_data(self: Value) -> None:
    if self.operation == "mul" and len(self.parents) == 2:
        x, y = self.parents
        x._grad, y._grad = x._grad + y._data * self._grad, y._grad + x._data * self._grad
    else:
        original_step(self)


original_pass_on = value.pass_on


def original_step(node: Value) -> None:
    original_pass_on((node,))


# The whole of backward


def backward_without_reset(self: Value, gradient: float = 1.0) -> None:
    order = graph.interior(self)
    self._grad = gradient
    for node in reversed(order):
        node._backward()


def backward_that_resets_leaves(self: Value, gradient: float = 1.0) -> None:
    self.zero_grad()
    original_backward(self, gradient)


def backward_to_one_leaf(self: Value, gradient: float = 1.0) -> None:
    leaves = graph.leaves(self)
    before = [leaf._grad for leaf in leaves]
    original_backward(self, gradient)
    for leaf, grad in list(zip(leaves, before, strict=True))[1:]:
        leaf._grad = grad


original_backward = Value.backward

FAULTS: dict[str, Fault] = {
    "breadth_first_order": _order(breadth_first),
    "depth_first_order": _order(depth_first_before_its_parents),
    "shared_nodes_skipped": _order(without_shared_nodes),
    "shared_nodes_visited_for_each_path": _order(with_one_visit_for_each_path),
    "overwrite_instead_of_accumulate": _step(overwrite),
    "one_of_two_equal_operands_dropped": _step(once_for_each_parent),
    "strong_zero_removed": _step(without_strong_zeros),
    "negative_gradients_dropped": _step(of_positive_gradients_only),
    "last_of_many_operands_dropped": _step(without_the_last_of_many),
    "derivative_from_current_data": _step(from_current_data),
    "stale_interior_gradients": _method("backward", backward_without_reset),
    "leaf_gradients_reset": _method("backward", backward_that_resets_leaves),
    "only_the_first_leaf": _method("backward", backward_to_one_leaf),
    "sign_in_add": _recorded("add", lambda p: (*p[:4], p[4] and -p[4])),
    "sign_in_sub": _recorded("sub", lambda p: (*p[:4], p[4] and -p[4])),
    "sign_in_mul": _recorded("mul", lambda p: (p[0], p[1], p[2] and -p[2], *p[3:])),
    "sign_in_neg": _recorded("neg", lambda p: (p[0], p[1], -p[2])),
    "operands_of_mul_exchanged": _recorded("mul", lambda p: (p[0], p[1], p[2] and p[4], p[3], p[4] and p[2])),
    "operands_of_reflected_sub_exchanged": _method("__rsub__", lambda x, number: x - number),
    "operands_of_div_exchanged": _method("__truediv__", lambda x, y: value.apply_to_two(operations["div"], y, x)),
    "operands_of_reflected_pow_exchanged": _method(
        "__rpow__", lambda x, y: value.apply_to_two(operations["pow"], x, y)
    ),
    "derivatives_of_div_exchanged": _derivatives("div", lambda d: d[::-1]),
    "factor_lost_in_tanh": _derivatives("tanh", lambda d: [d[0] ** 0.5]),
    "exp_off_by_a_millionth": _derivatives("exp", lambda d: [d[0] * (1.0 + 1e-6)]),
    "softmax_without_cross_terms": _derivatives("softmax", lambda d: [x if x > 0 else 0.0 for x in d]),
    "all_for_each_at_a_tie": _all(
        *(_derivatives(name, lambda d: [float(x > 0) for x in d]) for name in ("max", "min", "maximum", "minimum"))
    ),
}
"""Each fault by name: call it for a context manager during which the engine has it."""
