"""How is an explanation printed as an exercise? A sheet that asks for each gradient, and a key that works them out.

It is one HTML file without scripts. A browser prints it, on A4 and on letter paper, in black and white too. The numbers
of the forward pass and the local derivatives are given, and the gradients are blank. A network has a table for each
neuron: a row for each line into it, with the gradient of the weight and what is passed on along the line.
"""

import html
import re
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import NamedTuple

from autograd.drawing.layout import Layout
from autograd.drawing.moments import MOST_LINES
from autograd.drawing.numbers import without_gradients
from autograd.drawing.recording import Recording
from autograd.drawing.svg import svg_of
from autograd.drawing.text import filled, number as rounded
from autograd.reals import shown
from autograd.steps import parent_slots
from autograd.value import Value

PAPER = (680.0, 640.0)
"""What a picture may take of an A4 or letter page that has a heading too, in pixels of 1/96 inch."""
MANY_QUESTIONS = 8
"""More of them stand in two columns."""
_STYLE = """
@page { margin: 15mm }
body { font: 11pt/1.4 system-ui, sans-serif; color: #000; background: #fff; max-width: 180mm; margin: 8mm auto }
h1 { font-size: 16pt; margin: 0 0 3mm }
h2 { font-size: 11pt; margin: 3mm 0 1mm; break-after: avoid }
.name { display: flex; gap: 3mm; margin: 6mm 0 5mm }
.name i { flex: 1; border-bottom: 0.3mm solid }
figure { margin: 4mm 0; break-inside: avoid; text-align: center }
figure svg { max-height: 640px }
.two { columns: 2; column-gap: 8mm }
ol { margin: 0; padding-left: 9mm }
li { break-inside: avoid; margin-bottom: 3mm; overflow-wrap: anywhere }
li p { margin: 0; font-size: 9pt }
b { white-space: nowrap }
.blank { display: inline-block; width: 22mm; border-bottom: 0.3mm solid }
.space { height: 9mm; border-bottom: 0.2mm dotted }
.neuron { break-inside: avoid; margin-bottom: 3mm }
.neuron h2 { margin: 0 0 0.5mm }
.neuron p { margin: 0 0 0.5mm; font-size: 9pt }
.neuron .blank { width: 12mm }
.neuron .ask { line-height: 1.7 }
.neuron span { white-space: nowrap }
table { border-collapse: collapse; width: 100%; font-size: 8pt; table-layout: fixed }
th { font-weight: normal; text-align: left; white-space: nowrap }
td, th { border: 0.2mm solid #999; padding: 0.6mm 0.9mm; overflow-wrap: anywhere; line-height: 1.3; width: 31% }
th.free { width: 19% }
.key { break-before: page }
@media screen { body { padding: 0 4mm } .key { margin-top: 15mm } }
@media print { body { margin: 0; max-width: none } }
"""


class Question(NamedTuple):
    """The gradient of one node; `parts` are those that pass something on to it: a node, and the operand's slot."""

    node: int
    heading: str
    parts: list[tuple[int, int]]


def worksheet(explanation: Recording, by: str = "auto") -> str:
    """The sheet as a page of HTML; `Explanation.worksheet` says what `by` means."""
    by = _checked(explanation, by)
    root = html.escape(explanation.names[explanation.root])
    blank, known = _picture(explanation, True), _picture(explanation, False)
    sheet = _content(explanation, by, _question, False) or '<p class="space"></p>'
    key = _content(explanation, by, _answer, True) or f"<p>grad {root} = 1</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Worksheet: the gradients of {root}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1>Back-propagation of {root}</h1><p class="name">Name <i></i> Date <i></i></p>\n'
        f"<p>{_task(explanation, root)}</p>\n"
        f"<figure>{blank}</figure>\n{sheet}\n"
        f'<section class="key"><h1>Key: the gradients of {root}</h1>\n<figure>{known}</figure>\n'
        f"{key}</section>\n</body></html>\n"
    )


def _checked(explanation: Recording, by: str) -> str:
    """ "node" or "neuron"."""
    if by not in ("auto", "node", "neuron"):
        raise ValueError(f"by takes one of auto, node, neuron; got {shown(by)}")
    has_neurons = any(box.kind == "neuron" for box in explanation.scene.boxes)
    if by == "neuron" and not has_neurons:
        raise ValueError(
            "by takes 'neuron' for networks; this graph has no neurons: give explain(model=...), or 'node'"
        )
    return "neuron" if has_neurons and by == "auto" else "node" if by == "auto" else by


def _content(explanation: Recording, by: str, item: Callable[[Recording, Question], str], is_key: bool) -> str:
    """All questions or all answers: neuron by neuron, or one by one."""
    asked = questions(explanation)
    if not asked:
        return ""
    columns = ' class="two"' if len(asked) > MANY_QUESTIONS else ""
    found: list[str] = []
    number = 1
    for heading, group in groupby(asked, lambda question: question.heading):
        of_one = list(group)
        title = f"<h2>{html.escape(heading)}</h2>" if heading else ""
        if heading and by == "neuron":
            found.append(f'<div class="neuron">{title}{_neuron(explanation, of_one, is_key)}</div>')
            continue
        items = "".join(f"<li>{item(explanation, question)}</li>" for question in of_one)
        found.append(f'{title}<ol start="{number}">{items}</ol>')
        number += len(of_one)
    return f"<div{columns}>{chr(10).join(found)}</div>"


def _neuron(explanation: Recording, asked: Sequence[Question], is_key: bool) -> str:
    """The questions of one neuron as a table for each of its sums, and a line for the others; or the answers."""
    scene, number = explanation.scene, explanation.numbers.shown(explanation.precision)
    sums = dict.fromkeys(i for question in asked for i, _ in question.parts if scene.nodes[i].operation == "dot")
    own = scene.box_of[asked[0].node]
    sums = {i: None for i in sums if scene.box_of[i] == own}
    in_rows = {q.node for q in asked if len(q.parts) == 1 and _is_weight(scene.nodes, q, sums)}
    given, blanks = [], []
    for question in asked:
        if question.node in in_rows:
            continue
        name, known = _escaped(explanation, question.node), number(f"g{question.node}") if is_key else _BLANK
        several = f" (a sum of {len(question.parts)})" if len(question.parts) > 1 else ""
        blanks.append(f"<span>grad {name} = {known}{several}</span>")
        given += [_given(explanation, *part) for part in question.parts if _is_hidden(explanation, *part)]
    tables = "".join(_table(explanation, i, in_rows, is_key) for i in sums)
    lines = f"<p>Given: {'; '.join(given)}</p>" if given else ""
    return f'{lines}<p class="ask">{" &ensp; ".join(blanks)}</p>{tables}'


_BLANK = '<span class="blank"></span>'


def _is_weight(nodes: Sequence[Value], question: Question, sums: Collection[int]) -> bool:
    """Whether the question is for a factor of one of these sums of products, the first of its product."""
    (user, slot), *_ = question.parts
    return user in sums and slot < len(nodes[user].operands) // 2


def _table(explanation: Recording, index: int, in_rows: Collection[int], is_key: bool) -> str:
    """A row for each product of a sum: the weight and its gradient, the input and what is passed on to it."""
    scene, number = explanation.scene, explanation.numbers.shown(explanation.precision)
    node = scene.nodes[index]
    half = len(node.operands) // 2
    head = '<th>weight<th class="free">gradient<th>input<th class="free">passed on'
    rows = [f"<tr>{head}</tr>"]
    for slot in range(half):
        cells = []
        for k in (slot, half + slot):
            x = node.operands[k]
            known = number(f"c{index}.{k}") if is_key else ""
            free = f"<td>{known}"
            if isinstance(x, Value):
                part = "" if k > slot or scene.index_of(x) in in_rows else " (a part)"
                cells.append(f"<td>{html.escape(explanation.names[x])} = {number(f'v{scene.index_of(x)}')}{part}{free}")
            else:
                name = explanation.formulas.input_name(node, k)
                text = f"{name} = " if name else ""
                cells.append(f"<td>{html.escape(text)}{rounded(x, explanation.precision)}<td>&ndash;")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _is_hidden(explanation: Recording, user: int, slot: int) -> bool:
    """Whether the picture does not have this local derivative: that of an activation, inside a neuron."""
    scene = explanation.scene
    node = scene.nodes[user]
    box, operand = scene.box_of[user], scene.index_of(node.operands[slot])
    return scene.boxes[box].kind == "neuron" and scene.box_of[operand] == box and node.operation != "dot"


def _given(explanation: Recording, user: int, slot: int) -> str:
    """A local derivative with its formula and its number."""
    number = explanation.numbers.shown(explanation.precision)(f"l{user}.{slot}")
    pieces = dict.fromkeys((_derivative(explanation, user, slot), _letters(explanation, user, slot), number))
    return html.escape(" = ".join(pieces))


def _task(explanation: Recording, root: str) -> str:
    """What there is to do, for a root of that name."""
    if not explanation.root.operation:
        return (
            f"Nothing was computed from {root}. What is grad {root}, the derivative of {root} with respect to itself?"
        )
    network = (
        " In a neuron, the local derivative of the sum with respect to an input is the weight on its line, and with "
        "respect to a weight it is the input."
        f"{_legend(explanation)}"
    )
    return (
        "The numbers of the forward pass are in the boxes, and the local derivatives stand at the arrows. "
        f"Begin with grad {root} = 1 and go back, from box to box. What a node passes on is its gradient times the "
        "local derivative. Where several arrows leave a box, add up what comes back along them (+=)."
        f"{network if explanation.scene.form == 'network' else ''}"
    )


def _legend(explanation: Recording) -> str:
    """How the name of a weight is found in the picture, by the example of one."""
    scene = explanation.scene
    arrow = next((arrow for arrow in reversed(scene.arrows) if arrow.leaf >= 0), None)
    if arrow is None:
        return ""
    name, tail, head = explanation.names[scene.nodes[arrow.leaf]], scene.boxes[arrow.tail], scene.boxes[arrow.head]
    numbers = re.fullmatch(r"w(\d+)\.(\d+)\.(\d+)", name)
    place = " (layer {}, neuron {}, input {}; all count from 0)".format(*numbers.groups()) if numbers else ""
    line = f"the line from {tail.lines[0][0]} to {head.lines[0][0]}"
    own = explanation.names[scene.nodes[head.nodes[-1]]]
    return html.escape(
        f" {name} is the weight on {line}{place}, and {own} is what {head.lines[0][0]} gives, the line above its grad."
    )


def questions(explanation: Recording) -> list[Question]:
    """A question for each gradient but the root's, in the order in which they become known, neuron by neuron."""
    scene = explanation.scene
    parts: dict[int, list[tuple[int, int]]] = {}
    known: dict[int, int] = {}
    first: dict[int, int] = {}  # the first step of each neuron: its questions belong together
    for k, moment in enumerate(explanation.steps):
        node = scene.nodes[moment.node]
        if moment.phase != "backward":
            continue
        if scene.boxes[moment.box].kind == "neuron":
            first.setdefault(moment.box, k)
        for slot in parent_slots(node):
            operand = scene.index_of(node.operands[slot])
            parts.setdefault(operand, []).append((moment.node, slot))
            known[operand] = k
    box_of = scene.box_of
    order = sorted(parts, key=lambda i: (first.get(box_of[i], known[i] + 0.5), box_of[i] in first, known[i]))
    titles = {box: scene.boxes[box].lines[0][0].capitalize() for box in first}
    return [Question(i, titles.get(box_of[i], ""), parts[i]) for i in order]


def _question(explanation: Recording, question: Question) -> str:
    lines = []
    for user, slot in question.parts[:MOST_LINES]:
        if _is_hidden(explanation, user, slot):
            lines.append(f"<p>{_given(explanation, user, slot)}</p>")
            continue
        derivative = _derivative(explanation, user, slot)
        lines.append(f"<p>{html.escape(f'{derivative} = {_letters(explanation, user, slot)}')}</p>")
    name = _escaped(explanation, question.node)
    return f'<b>grad {name} = {_BLANK}</b>{"".join(lines)}<p class="space"></p>'


def _answer(explanation: Recording, question: Question) -> str:
    """The gradient as a sum of products, with names, then with numbers."""
    number, parts = explanation.numbers.shown(explanation.precision), question.parts[:MOST_LINES]
    more = " + ..." if len(question.parts) > MOST_LINES else ""
    names = " + ".join(f"grad {_name(explanation, i)} * {_derivative(explanation, i, slot)}" for i, slot in parts)
    numbers = " + ".join(filled(("", f"(g{i}", " * ", f"(l{i}.{slot}", ""), number) for i, slot in parts)
    name = _escaped(explanation, question.node)
    lines = f"= {html.escape(names)}{more}<br>= {numbers}{more}"
    return f"<b>grad {name} = {number(f'g{question.node}')}</b><p>{lines}</p>"


def _name(explanation: Recording, index: int) -> str:
    return explanation.names[explanation.scene.nodes[index]]


def _escaped(explanation: Recording, index: int) -> str:
    return html.escape(_name(explanation, index))


def _derivative(explanation: Recording, user: int, slot: int) -> str:
    operand: Value = explanation.scene.nodes[user].operands[slot]
    return f"d {_name(explanation, user)}/d {explanation.names[operand]}"


def _letters(explanation: Recording, user: int, slot: int) -> str:
    """The formula of a local derivative with the names of the operands; the number where there is no formula."""
    found = explanation.formulas.letters(explanation.scene.nodes[user], slot)
    return found or explanation.numbers.shown(explanation.precision)(f"l{user}.{slot}")


def _picture(explanation: Recording, blank: bool) -> str:
    """The graph, from left to right or from top to bottom, whichever can be read better on paper."""

    def size(layout: Layout) -> float:
        return min(PAPER[0] / layout.width, PAPER[1] / layout.height)

    scene = explanation.scene
    layout = max(explanation.layouts.values(), key=size)
    # That of the root is where everybody begins; of a single leaf it is the question.
    root = f"g{scene.index_of(explanation.root)}" if explanation.root.operation else ""

    numbers = without_gradients(explanation.numbers, root) if blank else explanation.numbers
    name = "the graph, without its gradients" if blank else "the graph, with its gradients"
    return svg_of(scene, layout, numbers, "light", explanation.precision, name=name)
