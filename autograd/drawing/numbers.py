"""Which number does a code in a text stand for?

A code is a letter and a node's index in its scene: `v3` is the data of node 3. A local derivative and what becomes of
it have the operand's slot too: `l3.0`.

- `v` data, `g` gradient, `n` data after the update, `d` the change by the update;
- `l` local derivative, `c` contribution (gradient times local derivative), `b` and `a` the receiver's running sum
  before and after it;
- `m` the product of the operand in a slot of a `dot` and its partner;
- `q` the root mean square of the gradients of a box's nodes (its number is the box's);
- `r` the learning rate, `p` the change that the gradient promises.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from autograd.drawing.scene import Scene
from autograd.drawing.text import number
from autograd.graph import contribution
from autograd.steps import Step, parent_slots
from autograd.value import Value, data_of


class Numbers:
    """The numbers of a scene, by code.

    Arguments:
        scene: whose nodes the codes mean.
        gradients: the gradient of each node; by default each node's own `grad`.
        steps: the backward pass, for the running sums.
        after: the data of the nodes after an update.
        lr: the learning rate of that update.
    """

    def __init__(
        self,
        scene: Scene,
        gradients: Mapping[Value, float] | None = None,
        steps: Iterable[Step] = (),
        after: Mapping[Value, float] | None = None,
        lr: float = math.nan,
    ) -> None:
        self._scene, self._gradients, self._steps, self._after, self._lr = scene, gradients, steps, after or {}, lr
        self._locals: dict[int, dict[int, float]] = {}

    def __call__(self, code: str) -> float:
        """The number of a code; nan where it has none."""
        kind, (first, _, slot) = code[0], code[1:].partition(".")
        index, place = int(first or 0), int(slot or 0)
        match kind:
            case "r":
                return self._lr
            case "p":
                return self.promise
            case "q":
                return root_mean_square(map(self.gradient, self._scene.boxes[index].nodes))
            case "v":
                return self._scene.nodes[index].data
            case "g":
                return self.gradient(index)
            case "n":
                node = self._scene.nodes[index]
                return self._after.get(node, node.data)
            case "d":
                return self(f"n{index}") - self(f"v{index}")
            case "l":
                return self.local(index, place)
            case "m":
                return self._product(index, place)
            case "c":
                return contribution(self.gradient(index), self.local(index, place))
        before, after = self._sums.get((index, place), (math.nan, math.nan))
        return before if kind == "b" else after

    def gradient(self, index: int) -> float:
        """The gradient of a node."""
        node = self._scene.nodes[index]
        return data_of(node.grad) if self._gradients is None else self._gradients.get(node, 0.0)

    def local(self, index: int, slot: int) -> float:
        """The local derivative of a node by the operand in a slot; nan if that is a plain number."""
        if index not in self._locals:
            node = self._scene.nodes[index]
            self._locals[index] = dict(zip(parent_slots(node), node.local_derivatives, strict=True))
        return self._locals[index].get(slot, math.nan)

    def _product(self, index: int, slot: int) -> float:
        """The product of the operand in a slot of a `dot` and the one that it is multiplied by."""
        operands = self._scene.nodes[index].operands
        x: float = data_of(operands[slot])
        y: float = data_of(operands[len(operands) // 2 + slot])
        return x * y

    @cached_property
    def _sums(self) -> dict[tuple[int, int], tuple[float, float]]:
        """The receiver's sum before and after each contribution, by the node that passes it on and the slot."""
        index = self._scene.index_of
        return {(index(s.node), edge.slot): (edge.before, edge.after) for s in self._steps for edge in s.edges}

    @property
    def nodes(self) -> list[Value]:
        """The nodes whose numbers these are, by index."""
        return self._scene.nodes

    @cached_property
    def promise(self) -> float:
        """What the root would change by if it were linear: the sum of gradient times change over the leaves."""
        gradients = self._gradients or {}
        moved = [(node, new) for node, new in self._after.items() if not node.operation and new != node.data]
        return math.fsum(contribution(gradients.get(node, 0.0), new - node.data) for node, new in moved)

    def shown(self, precision: int) -> Callable[[str], str]:
        """What fills a text with these numbers, with that many significant digits."""
        return lambda code: number(self(code), precision)


def without_gradients(numbers: Callable[[str], float], given: str = "") -> Callable[[str], float | None]:
    """The numbers with blanks for gradients and what is passed on, but for the gradient whose code is given.

    >>> blank = without_gradients({"v0": 2.0, "g0": 3.0, "g1": 1.0}.__getitem__, "g1")
    >>> blank("v0"), blank("g0"), blank("g1")
    (2.0, None, 1.0)
    """
    return lambda code: None if code[0] in "gcq" and code != given else numbers(code)


def root_mean_square(numbers: Iterable[float]) -> float:
    """The root mean square, without overflow; nan or inf if one of the numbers is.

    >>> root_mean_square([3.0, -3.0])
    3.0
    """
    numbers = list(numbers)
    largest = max(map(abs, numbers), default=0.0)
    if not 0.0 < largest < math.inf or any(map(math.isnan, numbers)):
        return next(filter(math.isnan, numbers), largest)
    return largest * math.sqrt(math.fsum((x / largest) ** 2 for x in numbers) / len(numbers))
