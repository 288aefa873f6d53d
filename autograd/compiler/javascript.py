"""How does a rule compute in a browser? As JavaScript, printed from its formula.

`rules_as_javascript` prints the rules that a page needs, with what people read beside them (`Formula.ways`). A rule of
a fixed number of operands is printed expression by expression. One that goes through rows (see `autograd/rows.py`) is
called with a namespace that writes each of these functions down, once for any number of operands. What JavaScript's
`Math` lacks is in `elementary.js`. Numbers follow IEEE 754, as in the eager engine.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograd.compiler import coefficients
from autograd.ieee754 import ELEMENTARY
from autograd.operations import Operation, operations
from autograd.rules import WITH_INDEX, Rule
from autograd.symbols import PRECEDENCE, SIGNS, TIGHTEST, Expression, Formula, Tracing, formula, written

OWN = {"exp2": "exp2", "erf": "erf", "erfc": "erfc", "pow": "pow", "round": "round", "sum": "sum", "norm": "norm"}
OWN |= {"hypot": "norm", "floor_divide": "floorDivide", "remainder": "remainder"}
"""The functions of rules that are in `elementary.js`, by their names there. The others are JavaScript's own."""


def rules_as_javascript(uses: Iterable[tuple[Operation | str, int]]) -> str:
    """One JavaScript expression; its value is an object with `rules` and `formulas`, for the operations of a page.

    - `rules["div 2"].value(x0, x1)` is the operation's value, and `.derivatives(o, x0, x1)` are its local derivatives,
      where o is the value.
    - `formulas["div 2"].texts` has for each operand the texts of its derivative (see `symbols.Text`), and
      `.ways(o, x0, x1)` says for each operand which of them holds.

    Arguments:
        uses: operations, or the names of built-in ones, each with the number of its operands.

    Raises:
        TypeError: an operation was given over floats only, so that it has no formula; or two have the same name.
        ValueError: the rule of an operation of one's own asks too many questions.

    >>> print(rules_as_javascript([("mul", 2)]))
    (() => {
    "use strict";
    return {rules: {"mul 2":{value:(x0,x1)=>x0*x1,derivatives:(o,x0,x1)=>[x1,x0]}},
    formulas: {"mul 2":{ways:(o,...x)=>x.map(()=>0),texts:[[["","x1",""]],[["","x0",""]]]}}};
    })()
    """
    found: dict[str, tuple[Operation, int]] = {}
    for use, count in uses:
        operation = operations[use] if isinstance(use, str) else use
        other = found.setdefault(f"{operation.name} {count}", (operation, count))[0]
        if other.rule is not operation.rule:
            raise TypeError(f"two different operations are called {operation.name}: give one of them another name")
    printer = Printer()
    rules = [f"{_string(key)}:{printer.rule(*found[key])}" for key in sorted(found)]
    texts = [f"{_string(key)}:{printer.formula(*found[key])}" for key in sorted(found)]
    return "\n".join(
        [
            '(() => {\n"use strict";',
            *printer.declarations(),
            f"return {{rules: {{{','.join(rules)}}},\nformulas: {{{','.join(texts)}}}}};\n}})()",
        ]
    )


def _string(x: Any) -> str:
    """Texts as JavaScript. No "<" remains, so that a page's script does not end there."""
    return json.dumps(x, separators=(",", ":")).replace("<", "\\u003c")


class Printer:
    """Prints rules.

    `used` are the functions of `elementary.js` that they need, and `shared` the rules that stand for several numbers of
    operands.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.shared: dict[str, str] = {}

    def declarations(self) -> list[str]:
        """What has to stand before the rules that were printed."""
        return [*_elementary(self.used), *(f"const {name} = {code};" for name, code in self.shared.items())]

    def rule(self, operation: Operation, count: int) -> str:
        """An object with the value and the derivatives."""
        if shared := self._shared_rule(operation):
            return shared
        return _object(self.value(operation, count), self.derivatives(operation, count))

    def value(self, operation: Operation, count: int) -> str:
        """The value, as a function of the operands."""
        if shared := self._shared_rule(operation):
            return f"{shared}.value"
        return self._function(_operands(count), [_formula(operation, count).value], lambda x: x[0])

    def derivatives(self, operation: Operation, count: int) -> str:
        """The list of the derivatives, as a function of the value and the operands."""
        if shared := self._shared_rule(operation):
            return f"{shared}.derivatives"
        return self._function(["o", *_operands(count)], _formula(operation, count).derivatives)

    def derivative(self, operation: Operation, count: int, slot: int) -> str:
        """One of the derivatives of an operation with a fixed number of operands."""
        derivative = _formula(operation, count).derivatives[slot]
        return self._function(["o", *_operands(count)], [derivative], lambda x: x[0])

    def _shared_rule(self, operation: Operation) -> str:
        """The name of a rule that stands for any number of operands; "" for another."""
        rule = operation.rule
        if rule.name == "dot" and rule is operations["dot"].rule:
            return self._shared("dot", self._dot)
        return self._shared(rule.name, lambda: self._of_row(operation)) if rule.of_row else ""

    def formula(self, operation: Operation, count: int) -> str:
        """An object with the texts of the derivatives, and with a function that chooses among them."""
        every = [_formula(operation, count).ways(k) for k in range(count)]
        ways = "(o,...x)=>x.map(()=>0)"
        if any(len(ways.texts) > 1 for ways in every):
            ways = self._function(["o", *(f"x{k}" for k in range(count))], [ways.way for ways in every])
        return f"{{ways:{ways},texts:{_string([ways.texts for ways in every])}}}"

    def _shared(self, name: str, make: Callable[[], str]) -> str:
        """The name of a rule that is written once for all numbers of operands."""
        name = f"{name}Rule"
        if name not in self.shared:
            self.shared[name] = make()
        return name

    def _dot(self) -> str:
        value = "compensatedDot" if sys.version_info >= (3, 12) else "dot"
        self.used |= {value, "dotDerivatives"}
        return _object(f"(...x)=>{value}(x)", "(o,...x)=>dotDerivatives(x)")

    def _of_row(self, operation: Operation) -> str:
        value, derivatives = _Rows(self), _Rows(self)
        return _object(value.value_of(operation), derivatives.derivatives_of(operation))

    def _function(
        self,
        parameters: Sequence[str],
        results: Sequence[Expression],
        join: Callable[[Sequence[str]], str] = lambda phrases: f"[{','.join(phrases)}]",
    ) -> str:
        scope = _Scope(self)
        return f"({','.join(parameters)})=>{scope.body(join(scope.phrases(results)))}"

    def write(self, x: Expression, texts: Sequence[tuple[str, int]]) -> tuple[str, int]:
        """An expression, and how tightly it binds."""
        name, phrases = x.function, [phrase for phrase, _ in texts]
        binding = PRECEDENCE.get(name, TIGHTEST)

        def inside(k: int, least: int) -> str:
            phrase, tightness = texts[k]
            is_open = tightness >= least and not (k > 0 and name != "select" and phrase.startswith("-"))
            return phrase if is_open else f"({phrase})"

        match name:
            case "constant":
                return javascript_number(x.number), TIGHTEST if math.copysign(1.0, x.number) > 0.0 else PRECEDENCE[
                    "neg"
                ]
            case "operand":
                return f"x{x.number:.0f}", TIGHTEST
            case "out":
                return "o", TIGHTEST
            case "select":
                return f"{inside(0, binding + 1)}?{inside(1, binding)}:{inside(2, binding)}", binding
            case "neg":
                return f"-{inside(0, binding + 1)}", binding
            case "add" | "sub" | "mul" | "div" | "less" | "less_equal" | "not_equal":
                sign = "!==" if name == "not_equal" else SIGNS[name]
                return f"{inside(0, binding)}{sign}{inside(1, binding + 1)}", binding
        if name not in OWN:
            return f"Math.{name}({','.join(phrases)})", TIGHTEST
        self.used.add(OWN[name])
        arguments = ",".join(phrases)
        return f"{OWN[name]}({f'[{arguments}]' if OWN[name] in ('sum', 'norm') else arguments})", TIGHTEST


def _formula(operation: Operation, count: int) -> Formula:
    return formula(operation, count if operation.nary else None)


def _operands(count: int) -> list[str]:
    return [f"x{k}" for k in range(count)]


def _object(value: str, derivatives: str) -> str:
    return f"{{value:{value},derivatives:{derivatives}}}"


def javascript_number(x: float) -> str:
    """A number as JavaScript writes it."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0.0 else "-Infinity"
    return repr(x).removesuffix(".0")


class _Scope:
    """The inside of a function that is being written.

    Arguments:
        printer: writes expressions.
        names: what to write for operands, by their places.
        first: the number of the first name that it gives, so that no name hides one around it.
    """

    def __init__(self, printer: Printer, names: Sequence[str] = (), first: int = 0) -> None:
        self._printer, self._names, self._next = printer, names, first
        self._statements: list[str] = []

    def phrases(self, expressions: Sequence[Expression]) -> list[str]:
        """The expressions; parts that occur more than once are computed before, and have a name."""
        return [phrase for phrase, _ in written(expressions, lambda x: x.arguments, self._write, self._named)]

    def _write(self, x: Expression, texts: Sequence[tuple[str, int]]) -> tuple[str, int]:
        if x.function == "operand" and self._names:
            return self._names[int(x.number)], TIGHTEST
        return self._printer.write(x, texts)

    def _named(self, phrase: str) -> str | None:
        if re.fullmatch(r"-?[\w.]{1,8}", phrase):
            return None
        return self.let(self.name(), phrase)

    def name(self) -> str:
        """A new name."""
        self._next += 1
        return f"t{self._next - 1}"

    def let(self, pattern: str, phrase: str) -> str:
        """Adds a statement that names a number, a row, or the numbers of a tuple."""
        self._statements.append(f"{pattern}={phrase}")
        return pattern

    def inner(self) -> "_Scope":
        """The inside of a function inside of this one."""
        return _Scope(self._printer, self._names, self._next + 100)

    def body(self, result: str) -> str:
        """What stands behind the arrow of a function."""
        if self._statements and self._statements[-1].startswith(f"{result}="):
            result = self._statements.pop().removeprefix(f"{result}=")
        if not self._statements:
            return f"({result})" if result.startswith("{") else result
        return f"{{const {','.join(self._statements)};return {result}}}"


class _Row:
    """A row: its text, the length of the tuples that it holds (0: it holds numbers), and what is at place j."""

    def __init__(self, rows: "_Rows", text: str, width: int = 0, element: Callable[[str], Any] | None = None) -> None:
        self.rows, self.text, self.width = rows, text, width
        self.element = element or (lambda j: self.rows.known(f"{text}[{j}]", width))

    def __getitem__(self, j: Any) -> Any:
        if isinstance(j, slice):  # [:-1]
            return self.rows.let(f"{self.text}.slice(0,{j.stop})", self.width)
        return self.rows.known(f"{self.text}.at({j})" if j < 0 else f"{self.text}[{j}]", self.width)


class _Rows:
    """Writes the rule of an operation that goes through rows: the functions of `autograd/rows.py` as JavaScript."""

    def __init__(self, printer: Printer) -> None:
        self._printer, self._tracing = printer, Tracing(0)
        self._names: list[str] = []  # of the operands of the tracing: each is something that has a name in JavaScript
        self._scope = _Scope(printer, self._names)
        own = ("map", "fold", "accumulate", "places", "count", "same", "at", "put", "branch", "sum", "norm")
        namespace = vars(self._tracing.namespace) | {name: getattr(self, name) for name in own}
        self._namespace = SimpleNamespace(**namespace)

    def value_of(self, operation: Operation) -> str:
        """The operation's value, as a function of its operands."""
        of_row = self._rule(operation).of_row
        assert of_row
        return f"(...x)=>{self._scope.body(self._text(of_row[0](_Row(self, 'x'))))}"

    def derivatives_of(self, operation: Operation) -> str:
        """Its derivatives, as a function of its value and its operands."""
        of_row = self._rule(operation).of_row
        assert of_row
        result = self._text(of_row[1](self._tracing.out, _Row(self, "x")))
        return f"(o,...x)=>{self._scope.body(f'[...{result},0]' if operation.name in WITH_INDEX else result)}"

    def _rule(self, operation: Operation) -> Rule:
        return operation.rule_over(self._namespace)

    def known(self, text: str, width: int = 0) -> Any:
        """What has this text in JavaScript, as an expression, or as a tuple of them."""
        if width:
            return tuple(self.known(f"{text}[{k}]") for k in range(width))
        self._names.append(text)
        return self._tracing.unknown()

    def _variable(self, width: int) -> tuple[str, Any]:
        """A new name, or a pattern of names for a tuple; and what it stands for."""
        if not width:
            name = self._scope.name()
            return name, self.known(name)
        names = [self._scope.name() for _ in range(width)]
        return f"[{','.join(names)}]", tuple(map(self.known, names))

    def _text(self, x: Any) -> str:
        """A number, a tuple of numbers or a row."""
        if isinstance(x, _Row):
            return x.text
        if isinstance(x, tuple):
            return f"[{','.join(self._scope.phrases(list(map(self._tracing.expression, x))))}]"
        return self._scope.phrases([self._tracing.expression(x)])[0]

    def _inside(self, function: Callable[[], Any]) -> tuple[str, Any]:
        """What stands behind the arrow of a function that returns function(); and that result."""
        outer, self._scope = self._scope, self._scope.inner()
        try:
            result = function()
            return self._scope.body(self._text(result)), result
        finally:
            self._scope = outer

    def let(self, text: str, width: int = 0) -> _Row:
        """A row with a name."""
        return _Row(self, self._scope.let(self._scope.name(), text), width)

    def _step(self, f: Callable[..., Any], start: Any, row: _Row, *others: _Row) -> str:
        """The function of a state and a number that gives the next state."""
        outer, self._scope = self._scope, self._scope.inner()
        try:
            state, states = self._variable(_width(start))
            x, number = self._variable(row.width)
            body, _ = self._inside(lambda: f(states, number, *(other.element("j") for other in others)))
            return f"({state},{x}{',j' if others else ''})=>{body}"
        finally:
            self._scope = outer

    # The functions of rows.py

    def map(self, f: Callable[..., Any], row: _Row, *others: _Row) -> _Row:
        """The row of f(x, y, ...)."""
        x, number = self._variable(row.width)
        body, result = self._inside(lambda: f(number, *(other.element("j") for other in others)))
        return self.let(f"{row.text}.map(({x}{',j' if others else ''})=>{body})", _width(result))

    def fold(self, f: Callable[..., Any], start: Any, row: _Row, *others: _Row) -> Any:
        """The last of the states that begin with `start`."""
        phrase = f"{row.text}.reduce({self._step(f, start, row, *others)},{self._text(start)})"
        pattern, result = self._variable(_width(start))
        self._scope.let(pattern, phrase)
        return result

    def accumulate(self, f: Callable[..., Any], start: Any, row: _Row, reverse: bool = False) -> _Row:
        """The states before each place."""
        self._printer.used.add("statesBefore")
        step, first = self._step(f, start, row), self._text(start)
        if reverse:
            return self.let(f"statesBefore({step},{first},[...{row.text}].reverse()).reverse()", _width(start))
        return self.let(f"statesBefore({step},{first},{row.text})", _width(start))

    def places(self, row: _Row) -> _Row:
        """The row 0, 1, 2, ..."""
        return _Row(self, f"[...{row.text}.keys()]", element=self.known)

    def count(self, row: _Row) -> Any:
        """How many numbers the row holds."""
        return self.known(f"{row.text}.length")

    def same(self, number: Any, row: _Row) -> _Row:
        """The row that holds this number at each place."""
        return _Row(self, f"{row.text}.map(()=>{self._text(number)})", element=lambda j: number)

    def at(self, row: _Row, index: Any) -> Any:
        """The number at an index."""
        return self.known(f"{row.text}.at({self._text(index)})")

    def put(self, row: _Row, index: Any, number: Any) -> _Row:
        """The row with another number at an index."""
        self._printer.used.add("put")
        return self.let(f"put({row.text},{self._text(index)},{self._text(number)})")

    def branch(self, condition: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
        """yes() or no(), by the answer to a question. Only one of them is computed."""
        if not isinstance(condition, Expression):
            return yes() if condition else no()
        question = self._text(condition)
        (a, result), (b, _) = self._inside(yes), self._inside(no)
        a, b = (f"(()=>{body})()" if body.startswith("{") else f"({body})" for body in (a, b))
        row = self.let(f"{question}?{a}:{b}")
        return row if isinstance(result, _Row) else self.known(row.text)

    def sum(self, numbers: Any) -> Any:
        """The sum, rounded once."""
        return self._of_numbers("sum", numbers)

    def norm(self, numbers: Any) -> Any:
        """The square root of the sum of squares."""
        return self._of_numbers("norm", numbers)

    def _of_numbers(self, name: str, row: _Row) -> Any:
        self._printer.used.add(name)
        return self.known(self.let(f"{name}({row.text})").text)


def _width(x: Any) -> int:
    """The length of a tuple; 0 for a number."""
    return len(x) if isinstance(x, tuple) else 0


# Functions that JavaScript lacks


@cache
def _blocks() -> dict[str, str]:
    """What is in `elementary.js`, by name, without its comments and indentation."""
    text = Path(__file__).with_name("elementary.js").read_text(encoding="utf-8")
    blocks = {}
    for block in text.split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if not line.strip().startswith("//")]
        if lines:
            blocks[lines[0].split()[1]] = "\n".join(lines)
    return blocks


def _elementary(used: Iterable[str]) -> list[str]:
    """The functions with these names, and what they need, each after what it needs."""
    order: list[str] = []
    waiting = sorted(used, reverse=True)
    while waiting:
        name = waiting[-1]
        needed = [x for x in dict.fromkeys(re.findall(r"\b\w+\b", _code_of(name))) if x not in order and x != name]
        missing = [x for x in needed if x in _blocks() or hasattr(coefficients, x)]
        if missing and name not in order:
            waiting += missing
        else:
            waiting.pop()
            order += [name] if name not in order else []
    return list(map(_code_of, order))


def _code_of(name: str) -> str:
    if name in _blocks():
        return _blocks()[name]
    numbers = getattr(coefficients, name)
    return f"const {name} = {json.dumps(numbers, separators=(',', ':'))};"


assert set(OWN) - {"round", "sum", "norm", "floor_divide", "remainder"} <= set(ELEMENTARY)
