"""How is back-propagation stepped through? As a page with the graph, a step at a time, forward and back.

Python records every step as text (`Explanation.steps`); the page (`stepper.js`) only shows them, so that going back
needs no undoing. In a notebook that is not trusted, and on GitHub, there remain the picture and a table.
"""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from autograd.drawing.engine import Drawing, checked_format
from autograd.drawing.graph import dot_of, size
from autograd.drawing.scene import Scene, modules_of, whole
from autograd.drawing.text import check_look, number, printable
from autograd.drawing.theme import theme_named
from autograd.graph import leaves, topological_order
from autograd.reals import as_float
from autograd.steps import Step, backward_steps, names_of, parent_slots, recompute, updates
from autograd.value import Value

MOST_NODES = 1000
_TEXT_STYLE = "text{white-space:pre;text-anchor:middle;font-family:sans-serif;font-size:11px}"


class Moment(NamedTuple):
    """What one step shows.

    `phase` is "forward", "backward" or "update"; `title` says it in a phrase, `lines` in formulas with numbers; `box`
    is the highlighted box of the drawing and `arrows` its highlighted edges; `texts` are the numbers that change, by
    box: `{"data": {box: text}, "grad": {box: text}}`.
    """

    phase: str
    title: str
    lines: list[str]
    box: int
    arrows: list[str]
    texts: dict[str, dict[int, str]]


class Explanation:
    """The steps of a forward pass, a backward pass and, with a learning rate, an update; see `explain`."""

    def __init__(self, root: Value, lr: float | None, parameters: Iterable[Value] | None, model: Any, precision: int):
        order = topological_order(root)
        if (count := size(order, expand_dots=False)) > MOST_NODES:
            raise ValueError(
                f"explain steps through at most {MOST_NODES:,} nodes, and this graph has {count:,}: explain a "
                f"smaller example, or look at the whole with draw"
            )
        self._root, self._precision = root, precision
        modules = modules_of(order, model)
        paths = {
            node: ".".join(filter(None, place)) for node, place in modules.items() if place.name and not node.label
        }
        self._names = {node: printable(paths.get(node, name)) for node, name in names_of(order).items()}
        backward = backward_steps(root)
        sums = {root: 1.0, **{edge.parent: edge.after for step in backward for edge in step.edges}}
        self._scene = whole(order, modules, grads=sums)
        self._scene.tooltips = False  # the steps say it, and a page stays smaller
        for node, i in self._scene.places.items():
            box = self._scene.boxes[i]
            box.title, box.tooltip = self._names[node], ""  # the names of the steps' texts
        chosen = leaves(root) if parameters is None else list(parameters)
        self.steps: list[Moment] = [
            *(self._forward(node) for node in order if node.operation),
            *(self._backward(step) for step in backward),
            *([] if lr is None else self._update(order, backward, lr, chosen)),
        ]
        self._reserve_room()

    # The steps

    def _shown(self, x: float) -> str:
        return number(x, self._precision)

    def _call(self, node: Value, operands: list[str]) -> str:
        """The operation applied to texts: "a * b", or "tanh(n)"."""
        symbol = node._op
        terms = [f"({x})" if x.startswith("-") else x for x in operands]
        if len(terms) == 2 and symbol != node.operation:
            return f"{terms[0]} {symbol} {terms[1]}"
        if node.operation == "dot":
            n = len(terms) // 2
            products = [f"{w}*{x}" for w, x in zip(terms[:n], terms[n : 2 * n], strict=True)]
            return " + ".join([*products, *terms[2 * n :]])
        return f"{node.operation}({', '.join(operands)})"

    def _forward(self, node: Value) -> Moment:
        names = [self._names[x] if isinstance(x, Value) else self._shown(x) for x in node.operands]
        numbers = [self._shown(x.data if isinstance(x, Value) else x) for x in node.operands]
        box, name = self._scene.places[node], self._names[node]
        lines = [
            f"{name} = {self._call(node, names)}",
            f"{name} = {self._call(node, numbers)} = {self._shown(node.data)}",
        ]
        for slot, parent, local in zip(parent_slots(node), node.parents, node.local_derivatives, strict=True):
            lines.append(
                f"local derivative d {name} / d {self._names[parent]} = {self._shown(local)}  (operand {slot + 1})"
            )
        arrows = [f"e_{box}_{slot}" for slot in range(len(node.operands))]
        return Moment("forward", f"compute {name}", lines, box, arrows, {"data": {box: self._shown(node.data)}})

    def _backward(self, step: Step) -> Moment:
        box, name = self._scene.places[step.node], self._names[step.node]
        lines, after = [], {box: self._shown(step.upstream)}
        if step.number == 1:
            lines.append(f"grad {name} = 1, since d {name} / d {name} = 1")
        for edge in step.edges:
            parent = self._names[edge.parent]
            lines.append(f"grad {parent} += grad {name} * d {name} / d {parent}")
            product = f"{self._shown(step.upstream)} * {self._shown(edge.local)} = {self._shown(edge.contribution)}"
            lines.append(f"   {product}, so grad {parent}: {self._shown(edge.before)} -> {self._shown(edge.after)}")
            after[self._scene.places[edge.parent]] = self._shown(edge.after)
        arrows = [f"e_{box}_{edge.slot}" for edge in step.edges]
        return Moment("backward", f"{name} passes its gradient on", lines, box, arrows, {"grad": after})

    def _update(self, order: list[Value], backward: list[Step], lr: float, parameters: list[Value]) -> list[Moment]:
        moved = updates(backward, lr, parameters)
        moments = []
        for parameter, before, gradient, after in moved:
            if parameter not in self._scene.places or parameter.operation:
                raise ValueError(f"explain moves leaves of the graph; {parameter!r} is none")
            name, box = self._names[parameter], self._scene.places[parameter]
            lines = [
                f"{name} = {name} - lr * grad {name}",
                f"{name} = {self._shown(before)} - {self._shown(lr)} * {self._shown(gradient)} = {self._shown(after)}",
            ]
            moments.append(Moment("update", f"move {name}", lines, box, [], {"data": {box: self._shown(after)}}))
        numbers = recompute(order, {update.parameter: update.after for update in moved})
        texts = {self._scene.places[node]: self._shown(numbers[node]) for node in order}
        name, before, after = self._names[self._root], self._root.data, numbers[self._root]
        lines = [f"{name} before: {self._shown(before)}", f"{name} after: {self._shown(after)}"]
        box = self._scene.places[self._root]
        return [*moments, Moment("update", f"compute {name} again", lines, box, [], {"data": texts})]

    def _reserve_room(self) -> None:
        """Makes every box wide enough for the widest text it will show."""
        for moment in self.steps:
            for kind, texts in moment.texts.items():
                for box, text in texts.items():
                    widest = self._scene.boxes[box].room
                    self._scene.boxes[box].room = max(widest, len(kind) + 1 + len(text))

    # The forms

    def drawing(self, theme: str = "light") -> Drawing:
        """The graph, with the gradients at the end of the backward pass."""
        return dot_of(self._scene, theme_named(theme), "LR", "svg", self._precision)

    def __str__(self) -> str:
        lines = []
        for i, moment in enumerate(self.steps, 1):
            lines.append(f"{i}. {moment.phase}: {moment.title}")
            lines += [f"   {line}" for line in moment.lines]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation in {len(self.steps)} steps; print it, or .save('page.html')>"

    def _svg(self) -> str:
        """The drawing, smaller by a third: without comments and titles ("n0->n1"), which say nothing, with the style
        of its texts said once, and with coordinates to a tenth of a point."""
        svg = str(self.drawing().pipe(format="svg", encoding="utf-8"))
        svg = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", svg)
        svg = re.sub(r'<text [^>]*? x="', '<text x="', svg).replace(' font-family="sans-serif" font-size="11.00"', "")
        svg = re.sub(r'(?<= )(?:d|points|x|y)="[^"]*"', lambda m: re.sub(r"(\.\d)\d+", r"\1", m[0]), svg)
        return re.sub(r"(<svg[^>]*>)", rf"\1<style>{_TEXT_STYLE}</style>", svg, count=1)

    def fragment(self) -> str:
        """The page as a piece of HTML: a picture and a table, which the script turns into the stepper."""
        svg = self._svg()
        image = base64.b64encode(svg.encode("utf-8")).decode("ascii")
        steps = json.dumps([moment._asdict() for moment in self.steps], ensure_ascii=True)
        name = hashlib.sha256((svg + steps).encode("utf-8")).hexdigest()[:12]
        rows = "".join(
            f"<tr><td>{i}</td><td>{html.escape(m.phase)}</td><td>{html.escape(m.title)}</td>"
            f"<td>{'<br>'.join(map(html.escape, m.lines))}</td></tr>"
            for i, m in enumerate(self.steps, 1)
        )
        alt = html.escape(
            f"computation graph of {self._names[self._root]}, {len(self._scene.places)} nodes", quote=True
        )
        script = _resource("stepper.js").replace("STEPPER_NAME", name).replace("STEPPER_STYLE", _style())
        return (
            f'<div class="autograd-stepper" data-autograd-stepper="{name}" data-lm-suppress-shortcuts="true" '
            f"data-steps='{_in_single_quotes(steps)}'>"
            f'<img alt="{alt}" src="data:image/svg+xml;base64,{image}" style="max-width:100%">'
            f"<details><summary>The {len(self.steps)} steps as a table</summary><table><thead><tr><th>step</th>"
            f"<th>pass</th><th>what</th><th>numbers</th></tr></thead><tbody>{rows}</tbody></table></details></div>"
            f"<script>{script}</script>"
        )

    def page(self) -> str:
        """One HTML file that needs no kernel and no network."""
        title = html.escape(f"Back-propagation of {self._names[self._root]}")
        parts = {"PAGE_TITLE": title, "PAGE_CONTENT": self.fragment()}
        return re.sub("|".join(parts), lambda found: parts[found[0]], _resource("page.html"))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        path = Path(path)
        path.write_text(self.page(), encoding="utf-8")
        return path

    def frames(self, folder: str | os.PathLike[str], format: str = "svg", theme: str = "light") -> list[Path]:
        """Writes one picture a step, `step-001.svg` and so on, for slides; returns the paths.

        Arguments:
            folder: where to; it is made if there is none.
            format: "svg", "png", "pdf" or another that Graphviz gives.
            theme: "light" or "dark".

        Raises:
            ValueError: there is no such format, or no such theme.
        """
        folder, format = Path(folder), checked_format(format)
        folder.mkdir(parents=True, exist_ok=True)
        grads: dict[int, str] = {}
        data: dict[int, str] = {}
        paths, colours = [], theme_named(theme)
        height = 1 + max((len(moment.lines) for moment in self.steps), default=0)
        for i, moment in enumerate(self.steps, 1):
            grads |= moment.texts.get("grad", {})
            data |= moment.texts.get("data", {})
            frame = _frame(self._scene, moment, data, grads)
            lines = [f"{i}/{len(self.steps)}  {moment.phase}: {moment.title}", *moment.lines]
            lines += [" "] * (height - len(lines))
            marked = (moment.box, moment.arrows)
            drawing = dot_of(frame, colours, "LR", format, self._precision, marked, "\n".join(lines))
            path = folder / f"step-{i:03d}.{format}"
            picture = drawing.pipe(format=format)
            path.write_bytes(picture if isinstance(picture, bytes) else picture.encode("utf-8"))
            paths.append(path)
        return paths

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> dict[str, str]:
        """What a notebook shows; never an error."""
        try:
            return {"text/html": self.fragment(), "text/plain": str(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}


def _frame(scene: Scene, moment: Moment, data: dict[int, str], grads: dict[int, str]) -> Scene:
    """The scene as it is after a step: gradients that are not yet known are left blank."""
    boxes = []
    for i, box in enumerate(scene.boxes):
        if box.data is None:
            boxes.append(box)
            continue
        known = data.get(i, number(box.data) if box.kind == "leaf" else None)
        lines = [*box.lines, " " if known is None else f"data {known}", f"grad {grads[i]}" if i in grads else " "]
        strength = box.grad if i in grads else 0.0
        boxes.append(replace(box, lines=lines, data=None, grad=None, strength=strength))
    return Scene(boxes, scene.arrows, scene.places, scene.tooltips)


def _in_single_quotes(text: str) -> str:
    """The text for an attribute in single quotes: JSON has many double quotes, which stay one byte each."""
    return html.escape(text, quote=False).replace("'", "&#x27;")


def _resource(name: str) -> str:
    return (files("autograd.drawing") / name).read_text(encoding="utf-8")


def _style() -> str:
    """The style sheet as the inside of a JavaScript string."""
    return json.dumps(_resource("stepper.css"))[1:-1]


def explain(
    root: Value,
    lr: float | None = None,
    parameters: Iterable[Value] | None = None,
    model: Any = None,
    precision: int = 4,
) -> Explanation:
    """Steps through the forward and the backward pass of a graph, and the update if a learning rate is given.

    A notebook shows the stepper; `.save("page.html")` writes it as one file that needs no network; `print` gives the
    text; `.frames(folder)` writes one picture a step. No `.grad` is changed.

    Arguments:
        root: the Value whose derivatives are explained, such as a loss.
        lr: a learning rate, to show the update `w - lr * grad` and the root before and after.
        parameters: the leaves that the update moves; by default all.
        model: an `nn.Module`, to name nodes by its modules.
        precision: significant digits of the numbers.

    Returns:
        an `Explanation`; its `.steps` are what the page shows.

    Raises:
        TypeError: root is not a Value.
        ValueError: the graph has more than 1,000 nodes.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> print(explain(a * b))
    1. forward: compute mul1
       mul1 = a * b
       mul1 = 2 * (-3) = -6
       local derivative d mul1 / d a = -3  (operand 1)
       local derivative d mul1 / d b = 2  (operand 2)
    2. backward: mul1 passes its gradient on
       grad mul1 = 1, since d mul1 / d mul1 = 1
       grad a += grad mul1 * d mul1 / d a
          1 * -3 = -3, so grad a: 0 -> -3
       grad b += grad mul1 * d mul1 / d b
          1 * 2 = 2, so grad b: 0 -> 2
    """
    if not isinstance(root, Value):
        raise TypeError(f"explain takes a Value; got {root!r} ({type(root).__name__})")
    check_look("LR", "svg", precision)
    for parameter in parameters or ():
        if not isinstance(parameter, Value):
            raise TypeError(f"parameters takes Values; got {parameter!r} ({type(parameter).__name__})")
    return Explanation(root, None if lr is None else as_float(lr, "explain(lr)"), parameters, model, precision)
