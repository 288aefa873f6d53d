"""How is an explanation printed as an exercise? A sheet that asks for each gradient, and a key that works them out.

It is one HTML file without scripts. A browser prints it, on A4 and on letter paper, in black and white too. The numbers
of the forward pass and the local derivatives are given, and the gradients are blank.
"""

import html
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from autograd.drawing.formulas import formula_of
from autograd.drawing.layout import Layout
from autograd.drawing.moments import MOST_LINES
from autograd.drawing.numbers import without_gradients
from autograd.drawing.recording import Recording
from autograd.drawing.svg import svg_of
from autograd.drawing.text import filled
from autograd.steps import parent_slots
from autograd.value import Value, data_of

PAPER = (680.0, 700.0)
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
figure svg { max-height: 700px }
.two { columns: 2; column-gap: 8mm }
ol { margin: 0; padding-left: 9mm }
li { break-inside: avoid; margin-bottom: 3mm; overflow-wrap: anywhere }
li p { margin: 0; font-size: 9pt }
b { white-space: nowrap }
.blank { display: inline-block; width: 22mm; border-bottom: 0.3mm solid }
.space { height: 9mm; border-bottom: 0.2mm dotted }
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
    """The sheet as a page of HTML."""
    root = html.escape(explanation.names[explanation.root])
    asked, blank, known = questions(explanation), _picture(explanation, True), _picture(explanation, False)
    columns = ' class="two"' if len(asked) > MANY_QUESTIONS else ""
    sheet = _listed(asked, lambda question: _question(explanation, question)) or '<p class="space"></p>'
    key = _listed(asked, lambda question: _answer(explanation, question)) or f"<p>grad {root} = 1</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Worksheet: the gradients of {root}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1>Back-propagation of {root}</h1><p class="name">Name <i></i> Date <i></i></p>\n'
        f"<p>{_task(explanation, root)}</p>\n"
        f"<figure>{blank}</figure>\n<div{columns}>{sheet}</div>\n"
        f'<section class="key"><h1>Key: the gradients of {root}</h1>\n<figure>{known}</figure>\n'
        f"<div{columns}>{key}</div></section>\n</body></html>\n"
    )


def _task(explanation: Recording, root: str) -> str:
    """What there is to do, for a root of that name."""
    if not explanation.root.operation:
        return (
            f"Nothing was computed from {root}. What is grad {root}, the derivative of {root} with respect to itself?"
        )
    network = (
        " In a neuron, the local derivative of the sum with respect to an input is the weight on its line, and with "
        "respect to a weight it is the input."
    )
    return (
        "The numbers of the forward pass are in the boxes, and the local derivatives stand at the arrows. "
        f"Begin with grad {root} = 1 and go back, from box to box. What a node passes on is its gradient times the "
        "local derivative. Where several arrows leave a box, add up what comes back along them (+=)."
        f"{network if explanation.scene.form == 'network' else ''}"
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


def _listed(asked: Sequence[Question], shown: Callable[[Question], str]) -> str:
    """Numbered items, under the names of their neurons."""
    found, number = [], 1
    for heading, group in groupby(asked, lambda question: question.heading):
        items = [shown(question) for question in group]
        found.append(f"<h2>{html.escape(heading)}</h2>" if heading else "")
        found.append(f'<ol start="{number}">{"".join(f"<li>{item}</li>" for item in items)}</ol>')
        number += len(items)
    return "\n".join(found)


def _question(explanation: Recording, question: Question) -> str:
    lines = []
    for user, slot in question.parts[:MOST_LINES]:
        derivative = _derivative(explanation, user, slot)
        lines.append(f"<p>{html.escape(f'{derivative} = {_letters(explanation, user, slot)}')}</p>")
    name = html.escape(_name(explanation, question.node))
    return f'<b>grad {name} = <span class="blank"></span></b>{"".join(lines)}<p class="space"></p>'


def _answer(explanation: Recording, question: Question) -> str:
    """The gradient as a sum of products, with names, then with numbers."""
    shown, parts = explanation.numbers.shown(explanation.precision), question.parts[:MOST_LINES]
    more = " + ..." if len(question.parts) > MOST_LINES else ""
    names = " + ".join(f"grad {_name(explanation, i)} * {_derivative(explanation, i, slot)}" for i, slot in parts)
    numbers = " + ".join(filled(("", f"(g{i}", " * ", f"(l{i}.{slot}", ""), shown) for i, slot in parts)
    name = html.escape(_name(explanation, question.node))
    lines = f"= {html.escape(names)}{more}<br>= {numbers}{more}"
    return f"<b>grad {name} = {shown(f'g{question.node}')}</b><p>{lines}</p>"


def _name(explanation: Recording, index: int) -> str:
    return explanation.names[explanation.scene.nodes[index]]


def _derivative(explanation: Recording, user: int, slot: int) -> str:
    operand: Value = explanation.scene.nodes[user].operands[slot]
    return f"d {_name(explanation, user)}/d {explanation.names[operand]}"


def _letters(explanation: Recording, user: int, slot: int) -> str:
    """The formula of a local derivative with the names of the operands; the number where there is no formula."""
    node = explanation.scene.nodes[user]
    found = formula_of(node._operation, len(node.operands)) if node._operation is not None else None
    if found is None:
        return explanation.numbers.shown(explanation.precision)(f"l{user}.{slot}")
    text = found.text_at(slot, [data_of(x) for x in node.operands], node.data)
    names = explanation.formulas.name_of
    return filled(text, lambda code: explanation.names[node] if code == "o" else names(node, int(code[1:])))


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
