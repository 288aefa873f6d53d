"""What do the forward pass, the backward pass and the update do, step by step? Lists that can be read and drawn.

`backward_steps` records what `backward` would add, without touching any `.grad`. The stepper's page
(`drawing/stepper.py`), its text form and the tests read these same records.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from autograd.graph import collector_paused, contribution, edges, interior
from autograd.reals import as_float
from autograd.value import Value, apply


class Edge(NamedTuple):
    """What one node passes to one of its parents: `contribution = upstream * local`.

    `slot` is the operand's place among the node's operands, so that `a * a` has two edges; `before` and `after` are
    the parent's running sum.
    """

    slot: int
    parent: Value
    local: float
    contribution: float
    before: float
    after: float


class Step(NamedTuple):
    """One node passes its gradient on: the step's number (from 1), the node, its whole gradient, an edge per parent."""

    number: int
    node: Value
    upstream: float
    edges: tuple[Edge, ...]

    def __str__(self) -> str:
        lines = [f"{self.number}. {describe(self.node)} has gradient {self.upstream:.6g}"]
        for edge in self.edges:
            product = f"{self.upstream:.6g} * {edge.local:.6g} = {edge.contribution:.6g}"
            lines.append(f"   {describe(edge.parent)}: {product}, so {edge.before:.6g} -> {edge.after:.6g}")
        return "\n".join(lines)


def describe(node: Value) -> str:
    """A short name for a node: its label, or its operation and number.

    >>> describe(Value(2.0, label="a")), describe(Value(2.0) * 3)
    ('a', 'mul 6')
    """
    return node.label or f"{node.operation or 'leaf'} {node.data:.6g}"


def backward_steps(root: Value, gradient: float = 1.0, order: Sequence[Value] | None = None) -> list[Step]:
    """The backward pass from `root`, one step for each node that was computed, in the order of `root.backward()`.

    No `.grad` is read or changed: all running sums start at 0.

    Arguments:
        root: the Value whose derivatives are wanted.
        gradient: the derivative of the final result with respect to root.
        order: the computed nodes, each after its parents, if the steps shall follow another order than `backward`.

    Returns:
        a list of `Step`s; none if root is a leaf.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> for step in backward_steps(a * b + a):
    ...     print(step)
    1. add -4 has gradient 1
       mul -6: 1 * 1 = 1, so 0 -> 1
       a: 1 * 1 = 1, so 0 -> 1
    2. mul -6 has gradient 1
       a: 1 * -3 = -3, so 1 -> -2
       b: 1 * 2 = 2, so 0 -> 2
    """
    sums = {root: as_float(gradient, "backward_steps(gradient)")}
    steps: list[Step] = []
    with collector_paused():
        for node in reversed(interior(root) if order is None else order):
            upstream, (parents, derivatives), passed_on = sums[node], edges(node), []
            for slot, parent, local in zip(parent_slots(node), parents, derivatives, strict=True):
                before, passed = sums.get(parent, 0.0), contribution(upstream, local)
                sums[parent] = after = before + passed
                passed_on.append(Edge(slot, parent, local, passed, before, after))
            steps.append(Step(len(steps) + 1, node, upstream, tuple(passed_on)))
    return steps


def gradients_of(root: Value, steps: Iterable[Step], gradient: float = 1.0) -> dict[Value, float]:
    """The gradient of each node at the end of a backward pass: that of the root, and the sums of what was passed on.

    >>> a = Value(3.0)
    >>> gradients_of(y := a * a, backward_steps(y))[a]
    6.0
    """
    return {root: gradient, **{edge.parent: edge.after for step in steps for edge in step.edges}}


def parent_slots(node: Value) -> Sequence[int]:
    """The places of the parents among the operands.

    >>> parent_slots(3 - Value(1.0))
    [1]
    """
    operands, parents = node.operands, edges(node)[0]
    if len(operands) == len(parents):
        return range(len(operands))
    return [slot for slot, operand in enumerate(operands) if isinstance(operand, Value)]


class ParameterUpdate(NamedTuple):
    """One parameter moves against its gradient: `after = before - lr * gradient`."""

    parameter: Value
    before: float
    gradient: float
    after: float


def names_of(order: Sequence[Value]) -> dict[Value, str]:
    """A name for each node, no two alike: its label, or its operation and a count.

    >>> a = Value(2.0, label="a")
    >>> list(names_of([a, a * a, a * 3]).values())
    ['a', 'mul1', 'mul2']
    """
    labels = Counter(node.label for node in order)
    taken = {label for label, count in labels.items() if label and count == 1}
    counts: Counter[str] = Counter()
    names: dict[Value, str] = {}
    for node in order:
        if node.label in taken:
            names[node] = node.label
            continue
        stem = node.label or node.operation or "v"
        while True:
            counts[stem] += 1
            name = f"{stem}{counts[stem]}"
            if name not in taken:
                break
        taken.add(name)
        names[node] = name
    return names


def recompute(order: Sequence[Value], changes: Mapping[Value, float]) -> dict[Value, float]:
    """The number of each node if some leaves had other numbers; the recorded operations are applied again.

    A branch that the user's code took, such as an `if`, stays as it was taken.

    >>> a, b = Value(2.0), Value(5.0)
    >>> c = a * b
    >>> recompute([a, b, c], {a: 3.0})[c]
    15.0
    """
    numbers: dict[Value, float] = {}
    for node in order:
        if node._operation is None:
            numbers[node] = changes.get(node, node.data)
        else:
            operands = [numbers[x] if isinstance(x, Value) else x for x in node.operands]
            numbers[node] = node._operation.evaluate(operands)
    return numbers


def replay(order: Sequence[Value], changes: Mapping[Value, float]) -> dict[Value, Value]:
    """A copy of each node, computed again by the recorded operations, where some leaves have other numbers.

    >>> a, b = Value(2.0), Value(5.0)
    >>> c = a * b
    >>> replay([a, b, c], {a: 3.0})[c].local_derivatives
    (5.0, 3.0)
    """
    copies: dict[Value, Value] = {}
    for node in order:
        if node._operation is None:
            copies[node] = Value(changes.get(node, node.data))
        else:
            copies[node] = apply(node._operation, *[copies[x] if isinstance(x, Value) else x for x in node.operands])
    return copies


def updates(gradients: Mapping[Value, float], lr: float, parameters: Iterable[Value]) -> list[ParameterUpdate]:
    """Gradient descent by one step: `w - lr * grad` for each parameter.

    >>> w = Value(2.0)
    >>> updates({w: 4.0}, 0.1, [w])[0].after
    1.6
    """
    return [ParameterUpdate(w, w.data, g, w.data - lr * g) for w in parameters for g in [gradients.get(w, 0.0)]]
