"""How is back-propagation stepped through? As a page with the graph, a step at a time, forward and back.

`explain` records every step, with texts whose numbers may change (`moments.py`). The page shows them (`page.py` and the
JavaScript in `page/`), and computes the numbers anew when somebody moves one. In a notebook that is not trusted, and on
GitHub, there remain the picture and a table.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd.drawing.formulas import Formulas
from autograd.drawing.graph import scene_of
from autograd.drawing.layout import Layout, places
from autograd.drawing.moments import Moment, Narrator, names_in
from autograd.drawing.numbers import Numbers
from autograd.drawing.page import fragment, page
from autograd.drawing.scene import Scene, modules_of
from autograd.drawing.text import check_look
from autograd.drawing.theme import theme_named
from autograd.files import write_atomically
from autograd.graph import topological_order
from autograd.reals import as_float
from autograd.steps import backward_steps, replay, updates
from autograd.value import Value

MOST_NODES = 1000


class Explanation:
    """The steps of a forward pass, a backward pass and, with a learning rate, an update; see `explain`.

    `steps` are what the page shows. A notebook shows the page; `print` gives the text.
    """

    def __init__(
        self,
        root: Value,
        lr: float | None,
        parameters: Iterable[Value] | None,
        model: Any,
        precision: int,
        quiz: bool,
        theme: str,
        direction: str,
    ):
        order = topological_order(root)
        if len(order) > MOST_NODES:
            raise ValueError(
                f"explain steps through at most {MOST_NODES:,} nodes, and this graph has {len(order):,}: explain a "
                f"smaller example, or look at the whole with draw"
            )
        self.root, self.lr, self.precision = root, lr, precision
        self.quiz, self.theme, self.direction = quiz, theme, direction
        self.scene = scene_of(root, model)
        self.names = names_in(order, modules_of(order, model))
        for box in self.scene.boxes:
            if box.kind in ("leaf", "operation"):  # its title is its name in the steps
                box.lines[0] = (self.names[self.scene.nodes[box.nodes[-1]]],)
        for part in (*self.scene.boxes, *self.scene.arrows):
            part.tooltip = ("",)  # the steps say it, and numbers move
        self.moved = _moved(order, parameters, model)
        forward = _box_by_box([node for node in order if node.operation], self.scene)
        backward = backward_steps(root, order=forward)
        gradients = {root: 1.0, **{edge.parent: edge.after for step in backward for edge in step.edges}}
        update = [] if lr is None else updates(gradients, lr, self.moved)
        copies = replay(order, {leaf: new for leaf, _, _, new in update})
        data = {node: copies[node].data for node in order}
        self.numbers = Numbers(self.scene, gradients, backward, data, 0.0 if lr is None else lr)
        self.after = None if lr is None else _numbers_of_copies(self.scene, copies, root)
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
        return places(self.scene, directions, self.numbers.shown(self.precision), room=self.precision + 4)

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

    def __repr__(self) -> str:
        return f"<Explanation in {len(self.steps)} steps; print it, or .save('page.html')>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page as one HTML file that needs no kernel and no network; returns its path."""
        return write_atomically(path, page(self))

    def worksheet(self, path: str | os.PathLike[str]) -> Path:
        """Writes an exercise sheet for paper, with a key: each gradient is asked for, and worked out behind.

        Returns:
            the path. A browser prints the sheet.
        """
        from autograd.drawing.worksheet import worksheet

        return write_atomically(path, worksheet(self))

    def frames(self, folder: str | os.PathLike[str], format: str = "svg", theme: str = "light") -> list[Path]:
        """Writes one picture a step, `step-001.svg` and so on, for slides; returns the paths.

        Each shows only what is known at its step. All have one size and one layout.

        Arguments:
            folder: where to; it is made if there is none.
            format: "svg", "png", "pdf" or another that Graphviz gives.
            theme: "light" or "dark".

        Raises:
            ValueError: there is no such format, or no such theme.
        """
        from autograd.drawing.frames import frames

        return frames(self, folder, format, theme)

    def gif(self, path: str | os.PathLike[str], seconds: float = 1.5, theme: str = "light") -> Path:
        """Writes the frames as one moving picture, each for so many seconds; returns the path.

        Raises:
            DrawingError: Pillow is not installed.
        """
        from autograd.drawing.frames import gif

        return gif(self, path, seconds, theme)

    def mp4(self, path: str | os.PathLike[str], seconds: float = 1.5, theme: str = "light") -> Path:
        """Writes the frames as a film, each for so many seconds; returns the path.

        Raises:
            DrawingError: there is no ffmpeg.
        """
        from autograd.drawing.frames import mp4

        return mp4(self, path, seconds, theme)

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, str]:
        """What a notebook shows; never an error."""
        try:
            return {"text/html": fragment(self), "text/plain": str(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}


def _moved(order: Sequence[Value], parameters: Iterable[Value] | None, model: Any) -> list[Value]:
    """The leaves that an update moves: those given, or the model's parameters in the graph, or all leaves."""
    if parameters is None and model is None:
        return [node for node in order if not node.operation]
    known = {node for node in order if not node.operation}
    if parameters is None:
        return [x for _, x in model.named_parameters() if x in known]
    chosen = list(parameters)
    for parameter in chosen:
        if not isinstance(parameter, Value):
            raise TypeError(f"parameters takes Values; got {parameter!r} ({type(parameter).__name__})")
        if parameter not in known:
            raise ValueError(f"explain moves leaves of the graph; {parameter!r} is none")
    return chosen


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
    gradients = {copies[root]: 1.0, **{edge.parent: edge.after for step in backward for edge in step.edges}}
    return Numbers(moved, gradients, backward)


def explain(
    root: Value,
    lr: float | None = None,
    parameters: Iterable[Value] | None = None,
    model: Any = None,
    precision: int = 4,
    quiz: bool = False,
    theme: str = "auto",
    direction: str = "auto",
) -> Explanation:
    """Steps through the forward and the backward pass of a graph, and the update if a learning rate is given.

    A notebook shows the stepper. In it every leaf can be moved: click it, then drag it or type, and all numbers follow.
    `.save("page.html")` writes the page as one file that needs no network; `print` gives the text; `.frames(folder)`
    writes one picture a step, `.gif(path)` a moving one; `.worksheet("sheet.html")` an exercise sheet with a key. No
    `.grad` is changed.

    Arguments:
        root: the Value whose derivatives are explained, such as a loss.
        lr: a learning rate, to show the update `w - lr * grad` and the root before and after.
        parameters: the leaves that the update moves; by default the model's parameters, or all leaves without a model.
        model: an `nn.Module`; then the graph is drawn as a network, neuron by neuron.
        precision: significant digits of the numbers.
        quiz: ask for each gradient before it is shown. The page has a switch for it too.
        theme: "light", "dark", or "auto": that of the page in which the stepper stands.
        direction: "LR" (left to right), "TB" (top to bottom), "RL", "BT", or "auto": from left to right, or from top to
            bottom where the page is narrow.

    Returns:
        an `Explanation`; its `.steps` are what the page shows.

    Raises:
        TypeError: root is not a Value.
        ValueError: the graph has more than 1,000 nodes, or an option is none that there is.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> print(explain(a * b))
    1. forward: compute mul1
       mul1 = a * b
       mul1 = 2 * (-3) = -6
       d mul1/d a = b = -3
       d mul1/d b = a = 2
    2. backward: mul1 passes its gradient on
       grad mul1 = 1, since d mul1/d mul1 = 1
       grad a += grad mul1 * d mul1/d a
          1 * (-3) = -3, so grad a: 0 -> -3
       grad b += grad mul1 * d mul1/d b
          1 * 2 = 2, so grad b: 0 -> 2
    """
    if not isinstance(root, Value):
        raise TypeError(f"explain takes a Value; got {root!r} ({type(root).__name__})")
    check_look(direction, "svg", precision)
    theme_named(theme)
    lr = None if lr is None else as_float(lr, "explain(lr)")
    return Explanation(root, lr, parameters, model, precision, bool(quiz), theme, direction)
