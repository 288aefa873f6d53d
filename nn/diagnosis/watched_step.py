"""What happens inside a model in one training step? A copy of it takes the step, and its layers are watched.

The model itself is left as it is: its mode, numbers, gradients, running statistics and random generators.
"""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Any

from autograd import Value, leaves
from nn.arguments import check_error
from nn.dropout import Dropout
from nn.losses import Loss
from nn.module import Module, Row
from nn.neuron import Layer
from nn.optim import Optimizer


@dataclass(eq=False)
class WatchedLayer:
    """A layer of the copy, and all that came out of it in the step.

    Attributes:
        name: where it is in the model, such as "layers.0".
        module: the layer.
        parameters: its parameters, by their names in the model.
        outputs: what it gave for each example, in the order in which they were computed.
        first_use: its place in the order in which layers were first used; inf if it was not used.
        busy: whether it is computing, so that what it computes inside is not written down twice.
    """

    name: str
    module: Module
    parameters: dict[str, Value]
    outputs: list[Row] = field(default_factory=list)
    first_use: float = inf
    busy: bool = False

    def watch(self, uses: Iterator[int]) -> None:
        """From now on, what comes out of the layer is written down."""
        own: Any = self.module
        own.forward = self._watched(own.forward, lambda row: [row], uses)
        own.forward_batch = self._watched(own.forward_batch, list, uses)

    def _watched(
        self, compute: Callable[..., Any], as_rows: Callable[[Any], list[Any]], uses: Iterator[int]
    ) -> Callable[..., Any]:
        def watched(*given: Any, **more: Any) -> Any:
            if self.busy:  # forward_batch calls forward
                return compute(*given, **more)
            self.busy = True
            self.first_use = min(self.first_use, next(uses))
            try:
                result = compute(*given, **more)
            finally:
                self.busy = False
            for row in as_rows(result):
                numbers = list(row) if isinstance(row, list | tuple) else [row]
                self.outputs.append([x for x in numbers if isinstance(x, Value | float | int)])
            return result

        return watched


@dataclass
class WatchedStep:
    """One training step of a copy of a model: forward, loss and backward are done; `update()` does the rest.

    Attributes:
        model: the copy; its parameters have their gradients.
        optimizer: a copy of the optimiser, for the copy of the model; None if there is none.
        layers: its layers, in the order in which they were used.
        error: the loss, with its graph.
        before: the numbers of the parameters before the update, by name.
    """

    model: Module
    optimizer: Optimizer | None
    layers: list[WatchedLayer]
    error: Value
    before: dict[str, float]

    def update(self) -> None:
        """The optimiser's step, if there is an optimiser."""
        if self.optimizer is not None:
            self.optimizer.step()


def watched_step(
    model: Module, rows: list[Row], targets: list[Any], loss: Loss, optimizer: Optimizer | None = None
) -> WatchedStep:
    """Lets a copy of the model take one training step on all the examples together, up to the update.

    Raises:
        TypeError: the loss has no graph, or the model cannot be copied.
    """
    model, optimizer = _copies(model, optimizer)
    model.train()
    for module in model.modules():
        if isinstance(module, Dropout) and module.rng is None:
            module.rng = random.Random(0)  # Python's own generator must not move
    before = {name: parameter.data for name, parameter in model.named_parameters()}
    layers, uses = list(_layers(model)), count()
    for layer in layers:
        layer.watch(uses)
    generator = random.getstate()
    try:
        error = loss(model(rows), targets)
    finally:
        random.setstate(generator)
    check_error(error)
    model.zero_grad()
    own = set(model.parameters())
    others = {leaf: leaf.grad for leaf in leaves(error) if leaf not in own}  # a loss may have Values of its own
    error.backward()
    for leaf, gradient in others.items():
        leaf.grad = gradient
    return WatchedStep(model, optimizer, sorted(layers, key=lambda layer: layer.first_use), error, before)


def _copies(model: Module, optimizer: Optimizer | None) -> tuple[Module, Optimizer | None]:
    try:
        return copy.deepcopy((model, optimizer))
    except Exception as error:  # a lock, a generator, an open file
        raise TypeError(f"diagnose looks at a copy of the model, and this one cannot be copied: {error}") from None


def _layers(model: Module) -> Iterator[WatchedLayer]:
    """The modules that compute something of their own: those with parameters of their own, and those without parts.

    The neurons of a Layer are not watched one by one.
    """
    names = {parameter: name for name, parameter in model.named_parameters()}
    covered: set[Module] = set()
    for name, module in model.named_modules():
        if module in covered:
            continue
        children = [child for _, child in module.named_children()]
        below = set() if isinstance(module, Layer) else {p for child in children for p in child.parameters()}
        parameters = {names[p]: p for p in module.parameters() if p not in below}
        if parameters or not children:
            yield WatchedLayer(name or type(module).__name__, module, parameters)
        if isinstance(module, Layer):
            covered |= set(module.modules())
