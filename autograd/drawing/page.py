"""How is an explanation written as a page? As a picture and a table, which a script turns into the stepper.

The script stands in the page, with all that it needs: the graph and its numbers (`model_of`), the texts of the steps,
the rules of the operations printed as JavaScript, and a second picture for narrow pages. Without scripts the picture
and the table remain.
"""

import base64
import hashlib
import html
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd.compiler.javascript import rules_as_javascript
from autograd.drawing.formulas import STRONG_ZERO, exact_formulas, formula_of
from autograd.drawing.moments import Moment
from autograd.drawing.numbers import without_gradients
from autograd.drawing.recording import Recording
from autograd.drawing.scene import Scene
from autograd.drawing.scripts import function_of, resource, stripped
from autograd.drawing.svg import data_url, svg_of
from autograd.drawing.text import printable
from autograd.drawing.theme import WIDTHS, stylesheet
from autograd.operations import Operation
from autograd.steps import parent_slots
from autograd.value import Value

SCRIPTS = ("numbers", "engine", "formulas", "theme", "view", "controls", "live", "quiz", "main", "begin")
"""The files in `page/` that make the script, in the order in which they stand in it."""


def model_of(explanation: Recording) -> dict[str, Any]:
    """All that the page knows, for JSON: `page/engine.js` and `page/view.js` read it."""
    scene, after = explanation.scene, explanation.after
    uses = uses_of(scene)
    model = {
        "nodes": [_node(explanation, node) for node in scene.nodes],
        "locals": [_locals(node) for node in scene.nodes],
        "root": scene.index_of(explanation.root),
        "precision": explanation.precision,
        "lr": explanation.lr,
        "moved": [scene.index_of(node) for node in explanation.moved],
        "boxes": [_fields(box, "kind", "lines", "nodes", "colour") for box in scene.boxes],
        "arrows": [_fields(arrow, "name", "tail", "head", "lines", "colour", "leaf") for arrow in scene.arrows],
        "steps": [_step(moment) for moment in explanation.steps],
        "quiz": explanation.quiz,
        "theme": explanation.theme,
        "live": why_numbers_do_not_move(uses) or True,
    }
    if after is not None and model["live"] is not True:  # the page computes them itself: 2 of 90 kB
        model["after"] = {"data": [x.data for x in after.nodes], "locals": [_locals(x) for x in after.nodes]}
    return model


def _node(explanation: Recording, node: Value) -> list[Any]:
    """Operation, name, number, and operands: a node's index, or a list of a constant and its name, if it has one."""
    operands: list[Any] = []
    for slot, x in enumerate(node.operands):
        if isinstance(x, Value):
            operands.append(explanation.scene.index_of(x))
        else:
            name = explanation.formulas.input_name(node, slot)
            operands.append([x, name] if name else [x])
    return [node.operation, explanation.names[node], node.data, operands]


def _locals(node: Value) -> list[float | None]:
    """The local derivative by each operand; None for a constant."""
    found = dict(zip(parent_slots(node), node.local_derivatives, strict=True))
    return [found.get(slot) for slot in range(len(node.operands))]


def _fields(part: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(part, name) for name in names}


def _step(moment: Moment) -> dict[str, Any]:
    """A step, with the texts that the page fills as its lines."""
    return {**_fields(moment, "phase", "title", "node", "box", "arrows", "receivers", "group"), "lines": moment.texts}


def uses_of(scene: Scene) -> list[tuple[Operation, int]]:
    """The operations of the graph, each with the number of its operands, in the order in which they occur."""
    operations = ((node._operation, len(node.operands)) for node in scene.nodes)
    return list(dict.fromkeys((operation, count) for operation, count in operations if operation is not None))


def why_numbers_do_not_move(uses: Sequence[tuple[Operation, int]]) -> str:
    """Why the page cannot compute the graph, as a sentence; "" if it can."""
    known = with_rules(uses)
    for operation, count in uses:
        if formula_of(operation, count) is None:
            return (
                f"Numbers cannot be moved here, since the page has no formula of {printable(operation.name)}: define "
                f"it over a namespace of functions (see autograd.operation)."
            )
    if len(known) < len(uses):
        return "Numbers cannot be moved here, since two operations have the same name: give one of them another."
    return ""


def with_rules(uses: Sequence[tuple[Operation, int]]) -> list[tuple[Operation, int]]:
    """Those that have a formula, and a name of their own: the page knows their rules."""
    names = Counter((operation.name, count) for operation, count in uses)
    return [(x, count) for x, count in uses if names[x.name, count] == 1 and formula_of(x, count) is not None]


def for_json(x: Any) -> Any:
    """The same with texts for the numbers that JSON does not have.

    >>> for_json([1.0, math.inf, [math.nan]])
    [1.0, 'inf', ['nan']]
    """
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    if isinstance(x, list | tuple):
        return [for_json(y) for y in x]
    return {key: for_json(y) for key, y in x.items()} if isinstance(x, dict) else x


def _json(x: Any) -> str:
    """JSON as JavaScript.

    It has only ASCII, and stands in a script by itself, so that no text in it can end the script."""
    return json.dumps(for_json(x), ensure_ascii=True, separators=(",", ":"))


def fragment(explanation: Recording) -> str:
    """The page as a piece of HTML: a picture and a table, which the script turns into the stepper."""
    numbers = without_gradients(explanation.numbers) if explanation.quiz else explanation.numbers
    look = numbers, explanation.theme, explanation.precision
    pictures = {
        d: svg_of(explanation.scene, layout, *look, tooltips=False) for d, layout in explanation.layouts.items()
    }
    (_, first), *others = pictures.items()
    script = _script(explanation, {**model_of(explanation), "pictures": dict(others)})
    name = hashlib.sha256((first + script).encode("utf-8")).hexdigest()[:12]
    packed = base64.b64encode(zlib.compress(script.replace("STEPPER_NAME", name).encode("utf-8"), 9)).decode("ascii")
    root = explanation.names[explanation.root]
    alt = html.escape(f"computation graph of {root}, {len(explanation.scene.nodes)} nodes", quote=True)
    source = html.escape(data_url(first), quote=False)
    return (
        f'<div class="autograd-stepper" data-autograd-stepper="{name}" data-lm-suppress-shortcuts="true">'
        f'<img alt="{alt}" src="{source}" style="max-width:100%">{_table(explanation)}</div>'
        f"<script>{UNPACK.replace('PACKED', packed)}</script>"
    )


UNPACK = """(async () => {
const bytes = Uint8Array.from(atob("PACKED"), (letter) => letter.charCodeAt(0));
const script = document.createElement("script");
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
script.textContent = await new Response(stream).text();
document.head.append(script);
script.remove();
})();"""
"""Starts the page's script, which is packed: it makes the page of the README's example half as large."""


def _table(explanation: Recording) -> str:
    """The steps for readers without scripts."""
    rows, phase = "", ""  # without the closing tags that HTML does not need: 2 of 92 kB
    for i, m in enumerate(explanation.steps, 1):
        if m.phase != phase:  # a row of its own, since a column of it takes 1 of 90 kB
            rows, phase = f"{rows}<tr><th colspan=3>{m.phase}", m.phase
        rows += f"<tr><td>{i}<td>{html.escape(m.title)}<td>{'<br>'.join(map(html.escape, m.lines))}"
    count = len(explanation.steps)
    what = f"The {count} steps as recorded" if count > 1 else "The step as recorded"
    return (
        f"<details><summary>{what}{' (with the answers)' if explanation.quiz else ''}</summary><table><thead><tr>"
        f"<th>step<th>what<th>numbers</thead><tbody>{rows}</tbody></table></details>"
    )


def _script(explanation: Recording, model: dict[str, Any]) -> str:
    """The script: the model, style sheets, rules and words that Python owns, and the files in `page/`."""
    uses = with_rules(uses_of(explanation.scene))
    constants = {
        "NAME": '"STEPPER_NAME"',
        "MODEL": _json(model),
        "STYLE": _json(stripped(resource("stepper.css"))),
        "THEMES": _json({theme: stylesheet(theme) for theme in ("light", "dark")}),
        "{ rules: RULES, formulas: FORMULAS }": rules_as_javascript(uses),
        "EXACT": _json(exact_formulas(uses)),
        "STRONG_ZERO": _json(STRONG_ZERO),
        "WIDTHS": _json(WIDTHS),
    }
    lines = [f"const {name} = {value};" for name, value in constants.items()]
    return function_of([f"{name}.js" for name in SCRIPTS], lines)


def page(explanation: Recording) -> str:
    """One HTML file that needs no kernel and no network."""
    title = html.escape(f"Back-propagation of {explanation.names[explanation.root]}")
    theme = "light dark" if explanation.theme == "auto" else explanation.theme
    parts = {"PAGE_TITLE": title, "PAGE_THEME": theme, "PAGE_CONTENT": fragment(explanation)}
    return re.sub("|".join(parts), lambda found: parts[found[0]], resource("page.html"))
