"""What does a page need to open the stepper for its own network, and to say why it does not learn? Words and graphs.

The network changes in the page, so the page builds the stepper's model itself (`page/steps.js`), out of the same
sentences as `autograd.drawing.moments`, and of graphs that are recorded here: what each activation makes of a sum, and
what the loss makes of the outputs. The diagnosis (`page/diagnosis.js`) has the thresholds and sentences of
`nn.diagnosis`.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from autograd import Value, topological_order
from autograd.compiler.javascript import rules_as_javascript
from autograd.drawing.formulas import STRONG_ZERO, exact_formulas
from autograd.drawing.moments import MOST_LINES, WORDS
from autograd.drawing.network import ENDS, MOST_IN_A_LAYER, MOST_LABELS, NOTES
from autograd.drawing.recording import MOST_NODES
from autograd.drawing.scene import ACTIVATIONS as ACTIVATION_OPERATIONS, MOST_CONSTANTS, NETWORK_DIGITS
from autograd.drawing.scripts import resource, stripped
from autograd.drawing.theme import WIDTHS
from autograd.operations import Operation
from nn.activations import ACTIVATIONS
from nn.diagnosis import problems
from nn.diagnosis.first_non_finite import FEW, WORDS as WORDS_OF_NON_FINITE
from nn.diagnosis.layer_statistics import ACTIVATIONS as KINDS, FLAT
from nn.losses import Loss
from nn.watching.page import as_json, source

STEPPER = ("engine", "formulas", "view", "controls", "live", "quiz", "main")
"""The stepper's own scripts that stand in the page. It has `numbers.js` and `theme.js` for itself."""

OWN = ("steps", "layout", "explain", "diagnosis")

STRAIGHT = (
    "a straight line",
    "the loss has not fallen for {epochs} epochs, and layers without an activation function are as one, which cannot "
    "bend",
    "tanh or ReLU as the activation of the hidden layers",
)
"""What only a page that trains can say: `nn.diagnose` sees one step."""

Template = list[Any]
"""The nodes of a graph: for each its operation and its operands.

An operand is the index of a node in the template; -1, -2, ... for what the graph begins with; `[x]` for a constant; or
`["t", k, a, b]` for a * (number k of the target) + b.
"""


def stepper(
    loss: Loss,
    outputs: int,
    task: str,
    activations: Mapping[str, Callable[[Any], Any]] | None = None,
    wide: bool = False,
) -> str:
    """One JavaScript expression: an object with the functions `openStepper` and `diagnose`.

    They are closed in a scope of their own, with the stepper's scripts. The page has KIT, THEMES, `numbers.js`,
    `theme.js` and `network.js` around it.

    Arguments:
        loss, outputs, task, activations, wide: as `kit` takes them.
    """
    uses: dict[tuple[Operation, int], None] = {}
    functions = [*ACTIVATIONS.items(), *(activations or {}).items()]
    units = {name: _unit(function, uses) for name, function in functions}
    losses = _losses(loss, outputs, task, wide, uses)
    constants = {
        "{ rules: RULES, formulas: FORMULAS }": rules_as_javascript([("dot", 3), *uses]),
        "EXACT": as_json(exact_formulas(list(uses))),
        "STRONG_ZERO": as_json(STRONG_ZERO),
        "WIDTHS": as_json(WIDTHS),
        "STYLE": as_json(stripped(resource("stepper.css"))),
        "KIT_STEPPER": as_json(_constants(units, losses, uses)),
    }
    lines = [f"const {name} = {value};" for name, value in constants.items()]
    names = [*(f"autograd/{name}.js" for name in STEPPER), *(f"nn/watching/{name}.js" for name in OWN)]
    scripts = [stripped(source(name)) for name in names]
    return "\n".join(["(() => {", *lines, *scripts, "return { openStepper, diagnose };\n})()"])


def _constants(
    units: Mapping[str, Template], losses: Mapping[str, Template | None], uses: Iterable[tuple[Operation, int]]
) -> dict[str, Any]:
    return {
        "words": WORDS,
        "notes": NOTES,
        "mostLines": MOST_LINES,
        "mostInALayer": MOST_IN_A_LAYER,
        "ends": ENDS,
        "mostLabels": MOST_LABELS,
        "mostConstants": MOST_CONSTANTS,
        "mostNodes": MOST_NODES,
        "precision": NETWORK_DIGITS,
        "activationNames": sorted(ACTIVATION_OPERATIONS),
        "symbols": {operation.name: operation.symbol for operation, _ in uses if operation.symbol},
        "activations": units,
        "losses": losses,
        "diagnosis": _diagnosis(),
    }


def _diagnosis() -> dict[str, Any]:
    """The thresholds and the sentences of the diagnosis."""
    return {
        "found": problems.FOUND | {"straight": STRAIGHT},
        "grows": problems.GROWS,
        "vanishing": problems.VANISHING,
        "saturated": problems.SATURATED,
        "learned": problems.LEARNED,
        "growing": problems.GROWING,
        "tooFar": problems.TOO_FAR,
        "driven": problems.DRIVEN,
        "dead": problems.DEAD,
        "enough": problems.ENOUGH,
        "flat": FLAT,
        "slopes": {name: {"steepest": x.steepest, "squashing": x.squashing} for name, x in KINDS.items()},
        "first": WORDS_OF_NON_FINITE,
        "few": FEW,
    }


def _unit(function: Callable[[Any], Any], uses: dict[tuple[Operation, int], None]) -> Template:
    """What an activation makes of a sum; [] where it leaves it as it is."""
    total = Value(0.5)
    return _template([total], function(total), uses)


def _losses(
    loss: Loss, outputs: int, task: str, wide: bool, uses: dict[tuple[Operation, int], None]
) -> dict[str, Template | None]:
    """The graph of the loss of one example: for each class, or "" for every target.

    None where a number in it is no multiple of a target's, so that the page cannot know it for other targets."""
    rng = random.Random(20)
    start = [Value(rng.random()) for _ in range(outputs)]

    def recorded(target: Any) -> Template:
        predictions = start if outputs > 1 else start[0]
        return _template(start, loss([predictions], [target]), uses)

    if task != "regression" and not wide:
        found: dict[str, Template | None] = {}
        for target in range(outputs) if task == "classes" else (-1, 0, 1):
            with suppress(ValueError):  # 0 is no class of the hinge loss, and -1 none of the others
                found[str(target)] = recorded(target)
        return found
    targets = [[rng.random() for _ in range(outputs if wide else 1)] for _ in range(3)]
    return {"": _with_targets([recorded(t if wide else t[0]) for t in targets], targets)}


def _template(start: Sequence[Value], root: Value, uses: dict[tuple[Operation, int], None]) -> Template:
    """The graph of `root`, which begins with the nodes in `start`; other leaves are constants."""
    places = {node: -1 - k for k, node in enumerate(start)}
    template: Template = []
    for node in topological_order(root):
        if node in places or node._operation is None:
            continue
        operands = [places.get(x, [x.data]) if isinstance(x, Value) else [x] for x in node.operands]
        uses[node._operation, len(operands)] = None
        places[node] = len(template)
        template.append([node.operation, operands])
    return template


def _with_targets(templates: Sequence[Template], targets: Sequence[Sequence[float]]) -> Template | None:
    """One template for all targets, from those for three of them."""
    shapes = [[(name, [x if isinstance(x, int) else None for x in xs]) for name, xs in t] for t in templates]
    if any(shape != shapes[0] for shape in shapes):
        return None
    merged: Template = []
    for same in zip(*templates, strict=True):
        operands = [_operand(xs, targets) for xs in zip(*(operands for _, operands in same), strict=True)]
        if None in operands:
            return None
        merged.append([same[0][0], operands])
    return merged


def _operand(found: Sequence[Any], targets: Sequence[Sequence[float]]) -> Any:
    """An operand of three templates: the same in all, or a multiple of a target's number and a constant; or None."""
    if isinstance(found[0], int) or all(x == found[0] for x in found):
        return found[0]
    numbers = [x[0] for x in found]
    for k in range(len(targets[0])):
        t = [row[k] for row in targets]
        slope = _whole((numbers[1] - numbers[0]) / (t[1] - t[0]))
        start = _whole(numbers[0] - slope * t[0])
        if all(abs(slope * x + start - number) < 1e-12 for x, number in zip(t, numbers, strict=True)):
            return ["t", k, slope, start]
    return None


def _whole(x: float) -> float:
    """The whole number that x is but for rounding, or x."""
    return float(round(x)) if abs(x - round(x)) < 1e-9 else x
