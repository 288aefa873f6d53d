"""What is recorded of a forward pass, a backward pass and an update? All that the page, frames and worksheets show."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from autograd.drawing.formulas import Formulas
from autograd.drawing.graph import scene_of
from autograd.drawing.layout import Layout, places
from autograd.drawing.models import as_model
from autograd.drawing.moments import Moment, Narrator, names_in
from autograd.drawing.numbers import Numbers
from autograd.drawing.parts import parts_of
from autograd.drawing.scene import Scene, modules_of, precision_in
from autograd.graph import leaves, topological_order
from autograd.reals import shown
from autograd.steps import backward_steps, gradients_of, replay, updates
from autograd.value import Value

MOST_NODES = 1000


class Recording:
    """The steps, the scene that they speak of, and its numbers; the arguments are those of `explain`.

    `steps` are the moments that are shown one after the other. `numbers` are those of the graph as it is, and `after`
    those after the update, if there is one. `moved` are the leaves that an update moves.
    """

    def __init__(
        self,
        root: Value,
        lr: float | None,
        parameters: Iterable[Value] | None,
        model: Any,
        precision: int | None,
        quiz: bool,
        theme: str,
        direction: str,
        expand: Any = False,
        parts: Any = None,
    ) -> None:
        order = topological_order(root)
        if len(order) > MOST_NODES:
            raise ValueError(
                f"explain steps through at most {MOST_NODES:,} nodes, and this graph has {len(order):,}: explain a "
                f"smaller example, or look at the whole with draw"
            )
        self.root, self.lr = root, lr
        self.quiz, self.theme, self.direction = quiz, theme, direction
        self.scene = scene_of(root, model, expand, parts=parts)
        self.precision = precision = precision_in(self.scene, precision)
        modules = modules_of(order, as_model(model))
        self.names = names_in(order, modules) | parts_of(order, parts).names
        # What a model's parameters go down is its loss.
        is_loss = model is not None and lr is not None and not root.label and root not in modules
        if is_loss and "loss" not in self.names.values():
            self.names[root] = "loss"
        for box in self.scene.boxes:
            if box.kind in ("leaf", "operation"):  # its title is its name in the steps
                node = self.scene.nodes[box.nodes[-1]]
                box.lines[0] = (self.names[node],)
                if node is root and self.names[node] == "loss" and not root.label:
                    box.lines.insert(1, (root.operation,))
        self.moved = _moved(leaves(root), parameters, model)
        forward = _box_by_box([node for node in order if node.operation], self.scene)
        backward = backward_steps(root, order=forward)
        gradients = gradients_of(root, backward)
        update = [] if lr is None else updates(gradients, lr, self.moved)
        copies = {} if lr is None else replay(order, {leaf: new for leaf, _, _, new in update})
        data = {node: copy.data for node, copy in copies.items()}
        self.numbers = Numbers(self.scene, gradients, backward, data, 0.0 if lr is None else lr)
        self.after = _numbers_of_copies(self.scene, copies, root) if copies else None
        self.formulas = Formulas(self.scene, self.names, precision)
        self.shown = self.formulas.shown(self.numbers)
        narrator = Narrator(self.scene, self.names, self.formulas, self.shown, precision)
        self.steps: list[Moment] = [*map(narrator.forward, forward), *map(narrator.backward, backward)]
        if not self.steps:
            self.steps.append(narrator.lone(root))
        if lr is not None:
            self.steps += narrator.update(update, root)

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """Where everything is in the pictures: one from left to right and one from top to bottom, or the one that was
        asked for."""
        directions = ("LR", "TB") if self.direction == "auto" else (self.direction,)
        return places(self.scene, directions, self.numbers.shown(self.precision), room=self.precision + 3)

    @property
    def layout(self) -> Layout:
        """Where everything is on frames and on paper: from left to right, unless another direction was asked for."""
        return next(iter(self.layouts.values()))

    def __str__(self) -> str:
        lines = []
        for i, moment in enumerate(self.steps, 1):
            lines.append(f"{i}. {moment.phase}: {moment.title}")
            lines += [f"   {line}" for line in moment.lines]
        return "\n".join(lines)


def _moved(leaves: list[Value], parameters: Iterable[Value] | None, model: Any) -> list[Value]:
    """The leaves that an update moves: those given, or the model's parameters in the graph, or all leaves."""
    if parameters is None and model is None:
        return leaves
    known = set(leaves)
    if parameters is None:
        if not (found := [x for _, x in as_model(model).named_parameters() if x in known]):
            raise ValueError(
                f"explain takes the model that computed the graph, and no parameter of {shown(model)} is in it: give "
                f"that model, or none"
            )
        return list(dict.fromkeys(found))
    if isinstance(parameters, Value) or not isinstance(parameters, Iterable):
        raise TypeError(f"parameters takes a list of Values; got {shown(parameters)}: give [a], or model.parameters()")
    chosen = list(parameters)
    for parameter in chosen:
        if not isinstance(parameter, Value):
            raise TypeError(f"parameters takes Values; got {shown(parameter)} ({type(parameter).__name__})")
        if parameter not in known:
            raise ValueError(
                f"explain moves leaves of the graph; {shown(parameter)} is none: give leaves that the root depends on"
            )
    return list(dict.fromkeys(chosen))


def _box_by_box(nodes: Sequence[Value], scene: Scene) -> list[Value]:
    """The nodes, each after its parents, so that those of one box follow each other, where the boxes' order allows it.

    A neuron and a folded box are then one step of the page, if the reader wants."""
    boxes = {node: scene.box_of[scene.index_of(node)] for node in nodes}
    members: dict[int, list[Value]] = {}
    for node in nodes:
        members.setdefault(boxes[node], []).append(node)
    waits = {box: {boxes[p] for x in lot for p in x.parents if p in boxes} - {box} for box, lot in members.items()}
    order: list[Value] = []
    done: set[int] = set()
    stack = list(members)[::-1]
    entered: set[int] = set()
    while stack:
        box = stack[-1]
        waiting = sorted(waits[box] - done)
        if box in done or not waiting:
            stack.pop()
            if box not in done:
                done.add(box)
                order += members[box]
        elif entered.issuperset(waiting):
            return list(nodes)  # two boxes need each other
        else:
            entered.add(box)
            stack += [x for x in waiting[::-1] if x not in entered]
    return order


def _numbers_of_copies(scene: Scene, copies: dict[Value, Value], root: Value) -> Numbers:
    """The numbers of the scene at the point of the copies: what it shows after an update."""
    moved = replace(scene, nodes=[copies[node] for node in scene.nodes], _indices={})
    backward = backward_steps(copies[root])
    return Numbers(moved, gradients_of(copies[root], backward), backward)
