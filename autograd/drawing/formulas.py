"""Which formula stands beside a local derivative? The rule's, with letters, then with numbers, and the number.

`1 / cosh(s)**2 = 1 / cosh(0.75)**2 = 0.5966`: the short form that `symbols.py` prints of the rule, for the way that the
rule takes at these numbers.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

from autograd.drawing.numbers import Numbers
from autograd.drawing.scene import Scene
from autograd.drawing.text import Text, filled, number
from autograd.operations import Operation
from autograd.symbols import Formula, formula
from autograd.value import Value, data_of

STRONG_ZERO = " (a factor of 0 gives 0)"
LONGEST_EXACT = 2_000
"""An exact formula with more characters is not shown: it would help nobody."""


def formula_of(operation: Operation, count: int) -> Formula | None:
    """The formula of an operation with that many operands; None if it was given over floats only, or cannot have one.

    >>> from autograd.operations import operations
    >>> formula_of(operations["tanh"], 1).ways(0).texts[0]
    ('1 / cosh(', 'x0', ')**2')
    """
    try:
        return formula(operation, count)
    except (TypeError, ValueError):
        return None


class Formulas:
    """The formulas of a scene's nodes, with the names that its texts use.

    Arguments:
        scene: whose nodes they are.
        names: a name for each node.
        precision: significant digits of numbers.
    """

    def __init__(self, scene: Scene, names: Mapping[Value, str], precision: int) -> None:
        self._scene, self._names, self._precision = scene, names, precision
        boxes = ((arrow.name, scene.boxes[arrow.tail]) for arrow in scene.arrows)
        self._inputs = {name: box.lines[0][0] for name, box in boxes if box.kind == "input"}

    def name_of(self, node: Value, slot: int) -> str:
        """How an operand is called: by its name, by its input's, or as the number that it is."""
        x = node.operands[slot]
        if isinstance(x, Value):
            return self._names[x]
        return self.input_name(node, slot) or number(x, self._precision)

    def input_name(self, node: Value, slot: int) -> str:
        """The name of a network's input that enters here as a plain number, or ""."""
        return self._inputs.get(f"e_{self._scene.index_of(node)}_{slot}", "")

    def shown(self, numbers: Numbers) -> Callable[[str], str]:
        """What fills a text with these numbers.

        `f3.0` is the formula of a local derivative, spelled out; `z3.0` says it where a factor of 0 decides about a
        contribution, against what the product of floats is."""
        plain = numbers.shown(self._precision)

        def shown(code: str) -> str:
            if code[0] not in "fz":
                return plain(code)
            index, slot = map(int, code[1:].split("."))
            if code[0] == "z":
                return STRONG_ZERO if has_strong_zero(numbers.gradient(index), numbers.local(index, slot)) else ""
            return self._spelled_out(index, slot, plain)

        return shown

    def _spelled_out(self, index: int, slot: int, plain: Callable[[str], str]) -> str:
        """Letters = numbers = the number, without what repeats the piece before it."""
        node, pieces = self._scene.nodes[index], []
        if (text := _text_of(node, slot)) is not None:
            numbers = [number(data_of(x), self._precision) for x in node.operands]
            pieces = [self.letters(node, slot), _spelled(text, numbers, plain(f"v{index}"))]
        pieces.append(plain(f"l{index}.{slot}"))
        return " = ".join(x for k, x in enumerate(pieces) if k == 0 or x != pieces[k - 1])

    def letters(self, node: Value, slot: int) -> str:
        """The formula of a local derivative with the names of the operands; "" if there is none."""
        text = _text_of(node, slot)
        if text is None:
            return ""
        return _spelled(text, [self.name_of(node, k) for k in range(len(node.operands))], self._names[node])


def _text_of(node: Value, slot: int) -> Text | None:
    """The formula of a local derivative, for the way that the rule took; None if there is none."""
    found = None if node._operation is None else formula_of(node._operation, len(node.operands))
    return None if found is None else found.text_at(slot, [data_of(x) for x in node.operands], node.data)


def has_strong_zero(upstream: float, local: float) -> bool:
    """Whether the product is 0 by the rule that a factor of 0 gives 0, where it does not look so.

    >>> has_strong_zero(0.0, math.inf), has_strong_zero(1.0, -0.0), has_strong_zero(0.0, -3.0)
    (True, True, False)
    """
    if upstream != 0.0 and local != 0.0:
        return False
    return any(not math.isfinite(x) or (x == 0.0 and math.copysign(1.0, x) < 0.0) for x in (upstream, local))


def _spelled(text: Text, operands: Sequence[str], own: str) -> str:
    """A formula with these texts for its operands and for the operation's own value."""
    phrase = filled(text, lambda code: own if code == "o" else operands[int(code[1:])])
    return re.sub(r"\*\*\((\d+) - 1\)", _power, phrase)


def _power(found: re.Match[str]) -> str:
    """The power of `x**(2 - 1)`, computed."""
    return "" if found[1] == "2" else f"**{int(found[1]) - 1}"


def exact_text(found: Formula, slot: int) -> str:
    """The exact formula of a derivative, where it says more than the short form; otherwise ""."""
    ways = found.ways(slot)
    names = {f"x{k}": name for k, name in enumerate(found.names.values())} | {"o": found.names["out"]}
    text = found.text(found.derivatives[slot])
    same = len(ways.texts) == 1 and filled(ways.texts[0], lambda code: names[code]) == text
    return "" if same or len(text) > LONGEST_EXACT else text


def exact_formulas(uses: Sequence[tuple[Operation, int]]) -> dict[str, list[str]]:
    """The exact formulas of the derivatives that the page shows in short."""
    exact: dict[str, list[str]] = {}
    for operation, count in uses:
        found = formula_of(operation, count)
        texts = [] if found is None else [exact_text(found, slot) for slot in range(count)]
        if any(texts):
            exact[f"{operation.name} {count}"] = texts
    return exact
