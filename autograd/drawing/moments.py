"""What does each step of back-propagation say? A title and a few lines, as texts whose numbers may change.

One step for each node of the forward pass, one for each node of the backward pass, and for the update one for each leaf
that moves. The page, the printed text, the table, the frames and the worksheet all show these same texts.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.drawing.formulas import Formulas
from autograd.drawing.scene import CONTAINERS, NOWHERE, Modules, Scene
from autograd.drawing.text import Text, filled, joined, number, printable, sentence
from autograd.steps import ParameterUpdate, Step, names_of, parent_slots
from autograd.value import Value

MOST_LINES = 12
"""A step with more operands tells of the first ones, and how many others there are."""

WORDS = {
    "compute": "compute {name}",
    "computed": "{name} = {call}",
    "result": "{name} = {call} = [v{i}]",
    "local": "d {name}/d {parent} = [f{i}.{slot}]{place}",
    "place": "  (operand {slot})",
    "more locals": "... and the local derivatives by {count} more operands",
    "pass": "{name} passes its gradient on",
    "one": "grad {name} = 1, since d {name}/d {name} = 1",
    "rule": "grad {parent} += grad {name} * d {name}/d {parent}",
    "sum": "   [g{i}] * [(l{i}.{slot}] = [c{i}.{slot}][z{i}.{slot}], so grad {parent}: [b{i}.{slot}] -> [a{i}.{slot}]",
    "more sums": "... and to {count} more operands in the same way",
    "lone": "{name} is where the graph begins and ends",
    "leaf": "{name} = [v{i}]: a leaf, computed from nothing",
    "move": "move {name}",
    "moved": "{name} = {name} - lr * grad {name} = [v{i}] - [(r0] * [(g{i}] = [n{i}]",
    "later": "(other numbers follow at the end)",
    "again": "compute everything again",
    "root": "{name} before: [v{i}], {name} after: [n{i}]",
    "promise": "the gradient promised a change of [p0], it was [d{i}]",
    "what": "promised: the sum of gradient * change of each moved leaf; it holds for small steps",
}
"""The sentences of all steps, as `text.sentence` takes them. A page that builds steps itself has them too."""


class Moment(NamedTuple):
    """One step.

    `phase` is "forward", "backward" or "update"; `title` says it in a phrase, `texts` in lines with codes for numbers,
    and `lines` are these as they are before anything is changed. `node` is what is computed or passes its gradient on,
    `box` the highlighted box, `arrows` the highlighted arrows, by name. `receivers` are the boxes that get something
    from it. Consecutive steps of one `group` belong to one layer.
    """

    phase: str
    title: str
    texts: list[Text]
    lines: list[str]
    node: int
    box: int
    arrows: list[str]
    receivers: list[int]
    group: str


def names_in(order: Sequence[Value], modules: Modules) -> dict[Value, str]:
    """A short name for each node, no two alike: its label; in a network such as "sum0.1", "tanh0.1", "w0.1.3"; or its
    operation and a count."""
    names = names_of(order)
    short = {node: name_in_module(node, modules) for node in order if node in modules and not node.label}
    counts = Counter(short.values())
    taken = {name for node, name in names.items() if node not in short}
    for node, name in short.items():
        if name and counts[name] == 1 and name not in taken:
            names[node] = name
    return {node: printable(name) for node, name in names.items()}


def name_in_module(node: Value, modules: Modules) -> str:
    """What a node is called in a network: its name in its module, or its operation, and the module's path: "w0.1.3"."""
    module, name = modules.get(node, NOWHERE)
    first, *rest = name.split(".") if name else [{"dot": "sum"}.get(node.operation, node.operation)]
    path = ".".join([*filter(None, [path_of(module)]), *rest])
    return f"{first}.{path}" if path and not path[0].isdigit() else f"{first}{path}"


def path_of(module: str) -> str:
    """The dotted name of a module, as it stands in the names of nodes.

    >>> path_of("layers.0.neurons.1")
    '0.1'
    """
    return ".".join(part for part in module.split(".") if part and part not in CONTAINERS)


class Narrator:
    """Writes the steps of one scene.

    Arguments:
        scene: the boxes that the steps speak of.
        names: a name for each node.
        formulas: the names of operands, and the formulas.
        shown: gives the present number of a code, as text.
        precision: significant digits of constants.
    """

    def __init__(
        self,
        scene: Scene,
        names: Mapping[Value, str],
        formulas: Formulas,
        shown: Callable[[str], str],
        precision: int,
    ) -> None:
        self._scene, self._names, self._formulas = scene, names, formulas
        self._shown, self._precision = shown, precision
        self._arrows: dict[int, list[tuple[str, str]]] = {}  # by the box at their head: the node they belong to, a name
        for arrow in scene.arrows:
            owner = arrow.name.split("_")[1] if arrow.name[0] in "ep" else ""
            self._arrows.setdefault(arrow.head, []).append((owner, arrow.name))

    def _moment(
        self, phase: str, title: str, texts: list[Text], node: Value, receivers: Sequence[Value] = ()
    ) -> Moment:
        index = self._scene.index_of(node)
        box = self._scene.box_of[index]
        arrows = [] if phase == "update" else [a for owner, a in self._arrows.get(box, []) if owner in ("", str(index))]
        boxes = dict.fromkeys(self._scene.box_of[self._scene.index_of(x)] for x in receivers)
        lines = [filled(text, self._shown) for text in texts]
        column = self._scene.boxes[box].column
        group = "" if column is None else f"{column}"
        return Moment(phase, title, texts, lines, index, box, arrows, [b for b in boxes if b != box], group)

    def forward(self, node: Value) -> Moment:
        """A node is computed, and with it its local derivatives."""
        index, name = self._scene.index_of(node), self._names[node]
        letters: list[Text] = [(self._formulas.name_of(node, slot),) for slot in range(len(node.operands))]
        numbers = [
            ("", f"(v{self._scene.index_of(x)}", "") if isinstance(x, Value) else (number(x, self._precision),)
            for x in node.operands
        ]
        texts = [
            sentence(WORDS["computed"], name=name, call=_call(node, letters)),
            sentence(WORDS["result"], name=name, call=_call(node, numbers), i=index),
        ]
        slots = parent_slots(node)
        again = Counter(node.parents)
        for slot, parent in list(zip(slots, node.parents, strict=True))[:MOST_LINES]:
            place = sentence(WORDS["place"], slot=slot + 1) if again[parent] > 1 else ""
            parts: dict[str, Any] = {"parent": self._names[parent], "i": index, "slot": slot, "place": place}
            texts.append(sentence(WORDS["local"], name=name, **parts))
        if len(slots) > MOST_LINES:
            texts.append(sentence(WORDS["more locals"], count=len(slots) - MOST_LINES))
        return self._moment("forward", _title("compute", name), texts, node, [node])

    def backward(self, step: Step) -> Moment:
        """A node passes its gradient on."""
        index, name = self._scene.index_of(step.node), self._names[step.node]
        texts = [sentence(WORDS["one"], name=name)] if step.number == 1 else []
        for edge in step.edges[:MOST_LINES]:
            parts: dict[str, Any] = {"name": name, "parent": self._names[edge.parent], "i": index, "slot": edge.slot}
            texts += [sentence(WORDS["rule"], **parts), sentence(WORDS["sum"], **parts)]
        if len(step.edges) > MOST_LINES:
            texts.append(sentence(WORDS["more sums"], count=len(step.edges) - MOST_LINES))
        receivers = [edge.parent for edge in step.edges]
        return self._moment("backward", _title("pass", name), texts, step.node, receivers)

    def lone(self, leaf: Value) -> Moment:
        """A single leaf: there is nothing to compute, and its gradient is 1."""
        name, index = self._names[leaf], self._scene.index_of(leaf)
        texts = [sentence(WORDS["leaf"], name=name, i=index), sentence(WORDS["one"], name=name)]
        return self._moment("backward", _title("lone", name), texts, leaf)

    def update(self, moved: Sequence[ParameterUpdate], root: Value) -> list[Moment]:
        """The leaves move against their gradients, and everything is computed again."""
        moments = []
        for parameter, *_ in moved:
            index, name = self._scene.index_of(parameter), self._names[parameter]
            texts = [sentence(WORDS["moved"], name=name, i=index), sentence(WORDS["later"])]
            moments.append(self._moment("update", _title("move", name), texts, parameter))
        index, name = self._scene.index_of(root), self._names[root]
        texts = [sentence(WORDS[line], name=name, i=index) for line in ("root", "promise", "what")]
        return [*moments, self._moment("update", WORDS["again"], texts, root)]


def _title(of: str, name: str) -> str:
    return "".join(sentence(WORDS[of], name=name))


def _call(node: Value, terms: Sequence[Text]) -> Text:
    """The operation applied to texts: "a * b", or "tanh(n)"."""
    symbol = node._op
    if len(terms) == 2 and symbol != node.operation:
        return joined(_operand(terms[0]), f" {symbol} ", _operand(terms[1]))
    if node.operation == "dot":
        n = len(terms) // 2
        products = [joined(_operand(w), "*", _operand(x)) for w, x in zip(terms[:n], terms[n : 2 * n], strict=True)]
        return _listed([*products, *map(_operand, terms[2 * n :])], " + ")
    return joined(f"{node.operation}(", _listed([_bare(term) for term in terms], ", "), ")")


def _listed(texts: Sequence[Text], separator: str) -> Text:
    """The texts with a separator between them; of many, the first and the last."""
    shown: list[Text] = list(texts)
    if len(texts) > MOST_LINES:
        shown = [*texts[: MOST_LINES - 2], ("...",), texts[-1]]
    parts: list[Text | str] = []
    for text in shown:
        parts += [separator, text] if parts else [text]
    return joined(*parts)


def _operand(term: Text) -> Text:
    """A term beside a sign: what begins with "-" stands in parentheses."""
    return (f"({term[0]})",) if len(term) == 1 and term[0].startswith("-") else term


def _bare(term: Text) -> Text:
    """A term between commas, where "-" needs no parentheses."""
    return tuple(part.removeprefix("(") if k % 2 else part for k, part in enumerate(term))
