"""What does a rule compute, as a formula? The functions of `rules.py`, called with symbols instead of numbers.

A symbol is an `Expression`, which records what is done to it. `formula(operation)` gives an operation's value and its
local derivatives as expressions. Where a rule decides (`if x > 0`), the comparison is a *question*. The function is
called once for each way in which its questions can be answered, and the results become a `select(question, yes, no)`.

A `Formula` can be evaluated over any number system and printed for people: whole (`Formula.text`), or in short, with
places for the operands' names or numbers (`Formula.ways`). Whoever prints it as code walks it: `walk` lists its
expressions, each once and after its arguments.
"""

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from autograd import rows
from autograd.ieee754 import ELEMENTARY, Real, ieee
from autograd.operations import OPERATORS, Operation, operations
from autograd.reals import as_float, real_or_none, shown
from autograd.rules import WITH_INDEX, Rule

MOST = 2_000
"""The most questions that a function may ask on one way through it, and the most ways that it may have."""

MOST_WAYS = 300
"""The most ways through a derivative that get a text each."""

Text = tuple[str, ...]
"""Words and codes by turns, words first and last. A code stands for a name or a number: "x0", "x1", ... for an operand,
"o" for the operation's own value. "(x0" is the same, in parentheses if what is put there begins with "-"."""


class Expression:
    """A number that is not known yet: a function's name, and what it is applied to.

    `function` is one of

    - "constant" (`number` is its value), "operand" (`number` is its place), "out" (the operation's own value);
    - "add", "sub", "mul", "div", "floor_divide", "remainder", "neg", "abs", or an elementary function, such as "exp";
    - "sum" and "norm", of any number of arguments;
    - "less", "less_equal" and "not_equal", which are questions (nan is neither less nor equal);
    - "select", of a question, the expression for yes and the expression for no.

    Equal expressions of one formula are one object.
    """

    __slots__ = ("arguments", "function", "interval", "number", "tracing")

    def __init__(self, tracing: "Tracing", function: str, arguments: "tuple[Expression, ...]", number: float) -> None:
        self.tracing = tracing
        self.function = function
        self.arguments = arguments
        self.number = number
        self.interval: Any = _interval(self) if function in QUESTIONS else None

    def __repr__(self) -> str:
        return f"<{text(self)}>"

    def __bool__(self) -> bool:
        if self.function in QUESTIONS:
            return self.tracing.answer(self)
        return self.tracing.answer(self.tracing.made("not_equal", self, 0.0))  # nan is true, as in Python

    def __eq__(self, other: object) -> bool:
        raise TypeError("a rule compares with < and <=, since == means identity for Values: write 0.0 <= x <= 0.0")

    __hash__ = object.__hash__

    def __float__(self) -> float:
        raise TypeError("a rule takes its functions from the namespace m, such as m.exp(x) instead of math.exp(x)")

    __int__ = __index__ = __float__

    def __neg__(self) -> "Expression":
        return self.tracing.made("neg", self)

    def __abs__(self) -> "Expression":
        return self.tracing.made("abs", self)

    def __lt__(self, other: Any) -> "Expression":
        return self.tracing.made("less", self, other)

    def __le__(self, other: Any) -> "Expression":
        return self.tracing.made("less_equal", self, other)

    def __gt__(self, other: Any) -> "Expression":
        return self.tracing.made("less", other, self)

    def __ge__(self, other: Any) -> "Expression":
        return self.tracing.made("less_equal", other, self)


QUESTIONS = ("less", "less_equal", "not_equal")

for _method, _name in OPERATORS.items():
    setattr(Expression, f"__{_method}__", lambda x, y, _name=_name: x.tracing.made(_name, x, y))
    setattr(Expression, f"__r{_method}__", lambda x, y, _name=_name: x.tracing.made(_name, y, x))


# Tracing


class Tracing:
    """The expressions of one formula, and the questions that a function asks on the present way through it.

    `namespace` is what rules take. `operands` are `count` unknown numbers, and `out` is one more.
    """

    def __init__(self, count: int) -> None:
        self._known: dict[tuple[Any, ...], Expression] = {}
        self._parts: dict[tuple[Any, ...], Any] = {}
        self._asked: list[tuple[Expression, bool]] = []  # each question with the answer that is tried
        self._next = 0  # how many of them this call has asked so far
        self.out = self._kept("out")
        self.operands: list[Expression] = []
        for _ in range(count):
            self.unknown()
        self.namespace = SimpleNamespace(
            **{name: self._function(name) for name in (*ELEMENTARY, "floor", "ceil", "round")},
            sum=lambda numbers: self.made("sum", *numbers),
            norm=lambda numbers: self.made("norm", *numbers),
            select=self.select,
            number=self.expression,
            part=self._part,
            **rows.FUNCTIONS
            | {
                "at": self._at,
                "put": self._put,
                "branch": lambda question, yes, no: self.select(question, yes(), no()),
            },
        )

    def made(self, function: str, *arguments: Any) -> Expression:
        """The expression for a function of some expressions and numbers."""
        return self._kept(function, tuple([self.expression(x) for x in arguments]))

    def expression(self, x: Any) -> Expression:
        """x itself if it is an expression; a number as a constant."""
        if isinstance(x, Expression):
            return x
        number = real_or_none(x)
        if number is None:
            raise TypeError(
                f"a rule computes with numbers; got {shown(x)} ({type(x).__name__}): return a number, or what m gives"
            )
        return self._kept("constant", number=number)

    def _kept(self, function: str, arguments: tuple[Expression, ...] = (), number: float = 0.0) -> Expression:
        key = (function, *map(id, arguments)) if arguments else (function, repr(number))
        if key not in self._known:
            self._known[key] = Expression(self, function, arguments, number)
        return self._known[key]

    def unknown(self) -> Expression:
        """One more operand."""
        self.operands.append(self._kept("operand", number=float(len(self.operands))))
        return self.operands[-1]

    def _function(self, name: str) -> Callable[..., Expression]:
        return lambda *arguments: self.made(name, *arguments)

    def select(self, question: Any, yes: Any, no: Any) -> Any:
        """One of two results, by the answer to a question. The results may be sequences of numbers."""
        if not isinstance(question, Expression):
            return yes if question else no
        if isinstance(yes, list | tuple):
            if not isinstance(no, list | tuple) or len(no) != len(yes):
                raise TypeError(f"a rule returns as many numbers on either side of a question; got {yes} and {no}")
            return type(yes)([self.select(question, a, b) for a, b in zip(yes, no, strict=True)])
        a, b = self.expression(yes), self.expression(no)
        return a if a is b else self.made("select", question, a, b)

    def _at(self, row: Sequence[Any], index: Any) -> Any:
        """The number at a place, counted from the end if negative. Each place is a question."""
        place, found = self._place(row, index), row[-1]
        for k in range(len(row) - 1)[::-1]:
            found = self.select(place <= k, row[k], found)
        return found

    def _put(self, row: Sequence[Any], index: Any, number: Any) -> list[Any]:
        """The row with another number at a place, counted from the end if negative."""
        place = self._place(row, index)
        return [self.select(place < k, x, self.select(place > k, x, number)) for k, x in enumerate(row)]

    def _place(self, row: Sequence[Any], index: Any) -> Any:
        """The place that an index means, which may be negative."""
        return self.select(index < 0, index + len(row), index)

    def _part(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, traced apart: all calls of it with the same arguments share one result."""

        def part(*arguments: Any) -> Any:
            given = [tuple(map(self.expression, x)) if isinstance(x, tuple) else self.expression(x) for x in arguments]
            key = (function, *[tuple(map(id, x)) if isinstance(x, tuple) else id(x) for x in given])
            if key not in self._parts:
                self._parts[key] = self.every_path(function, *given)
            return self._parts[key]

        return part

    def every_path(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns, with a `select` for each question that it asks."""
        outer = self._asked, self._next
        self._asked = []
        paths = 0
        waiting: list[Any] = []  # results for yes, of questions whose result for no is still to come
        try:
            while True:
                self._next = 0
                paths += 1
                if paths > MOST:
                    raise ValueError(
                        f"the rule cannot be a formula: its questions have more than {MOST:,} answers together; let it "
                        f"branch less, or choose with m.select"
                    )
                result = function(*arguments)
                while self._asked and not self._asked[-1][1]:
                    result = self.select(self._asked.pop()[0], waiting.pop(), result)
                if not self._asked:
                    return result
                waiting.append(result)
                self._asked[-1] = self._asked[-1][0], False
        finally:
            self._asked, self._next = outer

    def answer(self, question: Expression) -> bool:
        """The answer that is tried now, or the only one that the earlier answers allow."""
        implied = _implied(question, self._asked[: self._next])
        if implied is not None:
            return implied
        if self._next > MOST:
            raise ValueError(
                f"the rule cannot be a formula: it asks more than {MOST:,} questions; let loops end after a fixed count"
            )
        if self._next == len(self._asked):
            self._asked.append((question, True))
        self._next += 1
        return self._asked[self._next - 1][1]


def _implied(question: Expression, asked: Sequence[tuple[Expression, bool]]) -> bool | None:
    """The answer that follows from earlier ones: after "yes" to x > 1, x < 0 is false. None if it is open."""
    x, low, high = question.interval
    least, most = -math.inf, math.inf  # what the earlier answers say of x
    may_be_nan = True
    for earlier, answer in asked:
        if earlier is question:
            return answer
        y, a, b = earlier.interval
        if y is x:
            may_be_nan &= not answer
            a, b = (a, b) if answer else _complement(a, b)
            least, most = max(least, a), min(most, b)
    if x.function == "constant":
        least = most = x.number
        may_be_nan = math.isnan(x.number)
    if max(least, low) > min(most, high):
        return False
    low, high = _complement(low, high)
    if not may_be_nan and max(least, low) > min(most, high):
        return True
    return None


def _interval(question: Expression) -> tuple[Expression, float, float]:
    """The expression that a question is about, and the smallest and the largest number for which the answer is yes.

    A question that compares two unknown numbers counts as an expression itself, which is 1 for yes.
    """
    x, y = question.arguments
    strict = question.function == "less"
    if question.function == "not_equal" or math.isnan(x.number + y.number):
        return question, 1.0, 1.0
    if strict and (x is y or x.number == math.inf or y.number == -math.inf):  # the answer is never yes
        return (y if x.function == "constant" else x), math.inf, -math.inf
    if y.function == "constant":
        return _unsigned(x, -math.inf, _below(y.number) if strict else y.number)
    if x.function == "constant":
        return _unsigned(y, -_below(-x.number) if strict else x.number, math.inf)
    return (x, -math.inf, math.inf) if x is y else (question, 1.0, 1.0)


def _unsigned(x: Expression, low: float, high: float) -> tuple[Expression, float, float]:
    """The interval as it is; an interval for -x becomes one for x."""
    return (x.arguments[0], -high, -low) if x.function == "neg" else (x, low, high)


def _below(x: float) -> float:
    """The next smaller float."""
    return math.nextafter(x, -math.inf)


def _complement(low: float, high: float) -> tuple[float, float]:
    """The numbers outside an interval that has no end on one side, or that is empty."""
    if low > high:
        return -math.inf, math.inf
    if low > -math.inf:
        return -math.inf, _below(low)
    return (-_below(-high), math.inf) if high < math.inf else (math.inf, -math.inf)


# What can be done with a formula


def walk(
    expressions: Iterable[Expression], arguments: Callable[[Expression], Iterable[Expression]] | None = None
) -> list[Expression]:
    """These expressions and all that they are made of, each once and after its arguments.

    Arguments:
        expressions: where the walk begins.
        arguments: which of an expression's arguments to follow; by default all.
    """
    order: list[Expression] = []
    done: set[int] = set()
    stack = list(expressions)[::-1]
    while stack:
        x = stack.pop()
        if id(x) in done:
            continue
        followed = x.arguments if arguments is None else arguments(x)
        waiting = [argument for argument in followed if id(argument) not in done]
        if waiting:
            stack += [x, *waiting[::-1]]
        else:
            done.add(id(x))
            order.append(x)
    return order


def written(
    roots: Sequence[Expression],
    arguments: Callable[[Expression], Sequence[Expression]],
    write: Callable[[Expression, Sequence[tuple[str, int]]], tuple[str, int]],
    name: Callable[[str], str | None],
) -> list[tuple[str, int]]:
    """Each expression as text, and how tightly its outermost sign binds.

    Arguments:
        roots: the expressions.
        arguments: what of an expression is written.
        write: writes an expression, from the texts of its arguments.
        name: asked for each part that is used more than once: its name, or None if the part itself is to stand there.
    """
    order = walk(roots, arguments)
    uses = Counter([*map(id, roots), *(id(y) for x in order for y in arguments(x))])
    found: dict[int, tuple[str, int]] = {}
    for x in order:
        phrase, binding = write(x, [found[id(y)] for y in arguments(x)])
        named = name(phrase) if uses[id(x)] > 1 else None
        found[id(x)] = (phrase, binding) if named is None else (named, TIGHTEST)
    return [found[id(x)] for x in roots]


ARITHMETIC: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, method) for method, name in OPERATORS.items() if name != "pow"},
    "neg": operator.neg,
    "abs": abs,
    "less": operator.lt,
    "less_equal": operator.le,
    "not_equal": operator.ne,
}
"""The functions that a namespace need not have, since they are Python's own operators."""


def evaluate(
    expressions: Sequence[Expression],
    operands: Sequence[Any],
    out: Any = math.nan,
    m: Any = ieee,
    number: Callable[[float], Any] = Real,
) -> list[Any]:
    """The numbers that expressions stand for.

    Arguments:
        expressions: of one formula.
        operands: the operation's operands.
        out: the operation's value; derivatives may need it.
        m: the namespace of a number system, as `rules.rules` takes it. Both sides of a `select` are computed.
        number: makes a number of that system from a float.

    >>> tanh = formula("tanh")
    >>> [float(x) for x in evaluate([tanh.value, *tanh.derivatives], [20.0])]
    [1.0, 1.6993417021166355e-17]
    """
    return list(_numbers(expressions, operands, out, m, number)[0])


def _numbers(
    expressions: Sequence[Expression], operands: Sequence[Any], out: Any, m: Any, number: Callable[[float], Any]
) -> tuple[list[Any], dict[int, Any]]:
    """The numbers that the expressions stand for; and, by identity, those of all expressions that they are made of."""
    found: dict[int, Any] = {}
    given = [number(x) if isinstance(x, float | int) else x for x in operands]
    for x in walk(expressions):
        arguments = [found[id(argument)] for argument in x.arguments]
        match x.function:
            case "constant":
                result = number(x.number)
            case "operand":
                result = given[int(x.number)]
            case "out":
                result = number(out) if isinstance(out, float | int) else out
            case "sum" | "norm":
                result = getattr(m, x.function)(arguments)
            case name:
                result = (getattr(m, name, None) or ARITHMETIC[name])(*arguments)
        found[id(x)] = result
    return [found[id(x)] for x in expressions], found


@dataclass(frozen=True)
class Ways:
    """The short texts of a derivative, one for each way that its rule may take; and which of them holds.

    `way` is an expression of the operands and of `out`: the place of the text in `texts`.
    """

    way: Expression
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Formula:
    """An operation's value and local derivatives, as expressions of its operands (and of its value, `out`).

    `str(formula)` is their text for people.
    """

    operation: Operation
    operands: tuple[Expression, ...]
    value: Expression
    derivatives: tuple[Expression, ...]
    rule: Rule

    def __call__(self, *numbers: float) -> tuple[float, list[float]]:
        """The value and the local derivatives at these numbers, by IEEE 754."""
        floats = self._floats(numbers)
        (out,) = evaluate([self.value], floats)
        return float(out), list(map(float, evaluate(self.derivatives, floats, out)))

    def _floats(self, numbers: Sequence[float]) -> list[float]:
        """The numbers for the operands, one for each."""
        if len(numbers) != len(self.operands):
            raise TypeError(
                f"this formula of {self.operation.name} takes {len(self.operands)} numbers; got {numbers!r}"
            )
        return [as_float(x, f"the formula of {self.operation.name}") for x in numbers]

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of the operands (x, or x and y, or x0, x1, ...), and of `out` (the operation, applied to them)."""
        count = len(self.operands)
        names = ["x", "y", "z"][:count] if count <= 3 else [f"x{k}" for k in range(count)]
        symbol = self.operation.symbol
        out = f" {symbol} ".join(names) if symbol else f"{self.operation.name}({', '.join(names)})"
        return {f"operand {k}": name for k, name in enumerate(names)} | {"out": f"({out})" if symbol else out}

    def text(self, expression: Expression, at: Sequence[float] | None = None) -> str:
        """The value or a derivative as text for people. Given numbers for the operands, only what is computed there.

        >>> tanh = formula("tanh")
        >>> print(tanh.text(tanh.derivatives[0], at=[0.5]))
        1 / cosh(x)**2
        """
        return text(expression, self.names, None if at is None else self._chosen(expression, at))

    def ways(self, k: int) -> Ways:
        """The derivative for operand k in short, as a textbook has it (see `Rule.plain`).

        >>> formula("relu").ways(0).texts
        (('1',), ('0',), ('nan',))
        >>> formula("div").ways(1).texts
        (('-', '(x0', ' / ', '(x1', '**2'),)
        """
        found: Ways = self.operation.kept(("ways", len(self.operands), k), lambda: _ways(self._plain(k)))
        return found

    def text_at(self, k: int, numbers: Sequence[float], out: float | None = None) -> Text:
        """The one of `ways(k).texts` that holds at these numbers for the operands.

        Arguments:
            k: the operand.
            numbers: one for each operand.
            out: the operation's value, if it is known.

        >>> formula("max", 3).text_at(0, [7.0, 2.0, 7.0])
        ('1 / 2',)
        """
        ways = self.ways(k)
        if len(ways.texts) == 1:
            return ways.texts[0]
        floats = self._floats(numbers)
        (way,) = evaluate([ways.way], floats, self.operation.evaluate(floats) if out is None else out)
        return ways.texts[int(way)]

    def _plain(self, k: int) -> Expression:
        """The derivative for operand k in its short form."""
        plain, nary = self.rule.plain, self.rule.nary
        if not plain or (self.rule.name in WITH_INDEX and k == len(self.operands) - 1):
            return self.derivatives[k]
        tracing = self.operands[0].tracing
        if nary:
            return tracing.expression(tracing.every_path(plain[0], k, tracing.out, self.operands))
        return tracing.expression(tracing.every_path(plain[k], tracing.out, *self.operands))

    def _chosen(self, expression: Expression, at: Sequence[float]) -> dict[int, bool]:
        """The answer to each question at these numbers, by the question's identity."""
        floats = self._floats(at)
        out = evaluate([self.value], floats)[0]
        _, found = _numbers([expression], floats, out, ieee, Real)
        return {key: answer for key, answer in found.items() if isinstance(answer, bool)}

    def __str__(self) -> str:
        out = self.names["out"].strip("()") if self.operation.symbol else self.names["out"]
        lines = [f"{out} = {self.text(self.value)}"]
        for k, derivative in enumerate(self.derivatives):
            lines.append(f"d/d{self.names[f'operand {k}']} = {self.text(derivative)}")
        return "\n".join(lines)


def formula(operation: Operation | str | Callable[..., Any], count: int | None = None) -> Formula:
    """The formula of an operation. Whatever prints a rule in another language reads it here.

    Arguments:
        operation: a name, an `Operation`, or a function that `autograd.operation` made.
        count: the number of operands, for an operation that takes any number of them.

    Raises:
        TypeError: the operation was given over floats only, or its rule does what no formula can express.
        ValueError: there is no such operation, or it does not take `count` operands; or its rule asks too many
            questions.

    >>> print(formula("log"))
    log(x) = log(x)
    d/dx = 1 / x if 0 <= x else nan
    """
    found = operations.get(operation) if isinstance(operation, str) else getattr(operation, "operation", operation)
    if not isinstance(found, Operation):
        raise ValueError(f"formula takes the name of an operation, or an operation itself; got {shown(operation)}")
    own = len(found.derivatives)
    least = 2 if found.name in WITH_INDEX else 1
    if not found.nary and count not in (None, own):
        raise ValueError(f"{found.name} takes {own} operands; got count={count!r}: leave count out")
    if found.nary and (not isinstance(count, int) or count < least):
        raise ValueError(f"{found.name} takes {least} operands or more: give count, such as count=3; got {count!r}")
    return _traced(found, count if found.nary and count else own)


def _traced(operation: Operation, count: int) -> Formula:
    found: Formula = operation.kept(("formula", count), lambda: _newly_traced(operation, count))
    return found


def _newly_traced(operation: Operation, count: int) -> Formula:
    if operation.over is None:
        raise TypeError(
            f"{operation.name} was given over floats only, so that it has no formula; define it over a namespace of "
            f"functions (see autograd.operation)"
        )
    tracing = Tracing(count)
    operands = tracing.operands
    rule = operation.over(tracing.namespace)
    value = tracing.expression(tracing.every_path(rule.value, *operands))
    if rule.nary:
        derivatives = tracing.every_path(rule.derivatives[0], tracing.out, *operands)
        if not isinstance(derivatives, list | tuple) or len(derivatives) != count:
            raise TypeError(
                f"{operation.name} needs a list with a derivative for each of {count} operands; got "
                f"{shown(derivatives)}"
            )
    else:
        derivatives = [tracing.every_path(derivative, tracing.out, *operands) for derivative in rule.derivatives]
    return Formula(operation, tuple(operands), value, tuple(map(tracing.expression, derivatives)), rule)


def traced_part(function: Callable[..., Any], shape: Sequence[int]) -> tuple[list[Expression], bool]:
    """A part of a rule (see `rules.part_of`) as expressions of its operands; and whether it returns a tuple of them.

    Arguments:
        function: the part.
        shape: for each of its arguments 0 for a number, or the length of the tuple of numbers that it takes.
    """
    tracing = Tracing(sum(max(length, 1) for length in shape))
    operands = iter(tracing.operands)
    given = [tuple(next(operands) for _ in range(length)) if length else next(operands) for length in shape]
    result = tracing.every_path(function, *given)
    several = isinstance(result, list | tuple)
    return [tracing.expression(x) for x in (result if several else [result])], several


def flattened(arguments: Sequence[Any]) -> tuple[list[Any], tuple[int, ...]]:
    """The numbers among the arguments of a part; and for each argument the length of the tuple that it is, or 0."""
    flat: list[Any] = []
    shape = []
    for x in arguments:
        flat += x if isinstance(x, tuple) else (x,)
        shape.append(len(x) if isinstance(x, tuple) else 0)
    return flat, tuple(shape)


def _ways(derivative: Expression) -> Ways:
    """Each way in which the questions of a derivative can be answered, and its text."""
    tracing = derivative.tracing
    places: dict[Text, int] = {}
    found: dict[int, Expression] = {}
    count = 0

    def place_of(x: Expression) -> int:
        nonlocal count
        count += 1
        chosen: dict[int, bool] = {}
        while count <= MOST_WAYS and (question := _open_question(x, chosen)) is not None:
            chosen[id(question)] = bool(question)  # the tracing tries one answer after the other
        return places.setdefault(_with_codes(x, chosen), len(places))

    # What is asked last stands outermost: these questions are taken as they are. Others may be inside of a term.
    for x in walk([derivative], lambda x: x.arguments[1:] if x.function == "select" else ()):
        if x.function == "select":
            question, yes, no = x.arguments
            found[id(x)] = tracing.expression(tracing.select(question, found[id(yes)], found[id(no)]))
        else:
            found[id(x)] = tracing.expression(tracing.every_path(place_of, x))
    if count > MOST_WAYS:
        return Ways(tracing.expression(0), (_with_codes(derivative, {}),))
    return Ways(found[id(derivative)], tuple(places))


def _open_question(root: Expression, chosen: Mapping[int, bool]) -> Expression | None:
    """A question that decides what root is and that is not answered yet, if there is one."""

    def arguments(x: Expression) -> list[Expression]:
        return [] if x.function == "select" else [_simplified(y, chosen) for y in x.arguments]

    shown = walk([_simplified(root, chosen)], arguments)
    return next((x.arguments[0] for x in shown if x.function == "select"), None)


def _with_codes(expression: Expression, chosen: Mapping[int, bool]) -> Text:
    """The expression as words and codes."""
    names = {f"operand {k}": f"{_CODE}x{k}{_CODE}" for k in range(len(expression.tracing.operands))}
    return tuple(text(expression, names | {"out": f"{_CODE}o{_CODE}"}, chosen).split(_CODE))


# Text for people

_CODE = "\0"
"""What stands before and after a code in a text that has codes."""

PRECEDENCE = {"select": 0, "less": 1, "less_equal": 1, "not_equal": 1, "add": 2, "sub": 2, "mul": 3, "div": 3}
PRECEDENCE |= {"floor_divide": 3, "remainder": 3, "neg": 4, "pow": 5}
"""How tightly a function binds that is written with a sign. All others bind tightest."""

TIGHTEST = 6

SIGNS = {"less": "<", "less_equal": "<=", "not_equal": "!=", "add": "+", "sub": "-", "mul": "*", "div": "/"}
SIGNS |= {"floor_divide": "//", "remainder": "%", "pow": "**"}

LONGEST = 60
"""A part that is used more than once and is longer than this many characters gets a name and a line of its own."""


def text(
    expression: Expression, names: Mapping[str, str] | None = None, chosen: Mapping[int, bool] | None = None
) -> str:
    """The expression as text for people, in Python's notation.

    Arguments:
        expression: what to print.
        names: what to write for "out", "operand 0", "operand 1", ...
        chosen: answers to questions, by the question's identity. Only the side that was chosen is printed.

    Returns:
        one line, and below it a line `  where t1 = ...` for each long part that is used more than once.
    """
    names, chosen = names or {}, chosen or {}
    lines: list[str] = []

    def named(phrase: str) -> str | None:
        if len(phrase) <= LONGEST:
            return None
        lines.append(f"  where t{len(lines) + 1} = {phrase}")
        return f"t{len(lines)}"

    ((phrase, _),) = written(
        [_simplified(expression, chosen)],
        lambda x: [_simplified(argument, chosen) for argument in _factors(x)],
        lambda x, texts: _written(x, texts, names),
        named,
    )
    return "\n".join([phrase, *lines])


_NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}


def _is_number(x: Expression, number: float) -> bool:
    return x.function == "constant" and x.number == number


def _simplified(x: Expression, chosen: Mapping[int, bool]) -> Expression:
    """x as it is shown: of a `select` the side that was chosen, and x for x + 0, x * 1 and --x."""
    while True:
        if x.function == "select" and id(x.arguments[0]) in chosen:
            x = x.arguments[1 if chosen[id(x.arguments[0])] else 2]
        elif x.function in _NEUTRAL and _is_number(x.arguments[1], _NEUTRAL[x.function]):
            x = x.arguments[0]
        elif x.function in ("add", "mul") and _is_number(x.arguments[0], _NEUTRAL[x.function]):
            x = x.arguments[1]
        elif x.function == "neg" and x.arguments[0].function == "neg":
            x = x.arguments[0].arguments[0]
        else:
            return x


def _factors(x: Expression) -> tuple[Expression, ...]:
    """The arguments as they are written: a / b / b is written a / b**2, where b stands once."""
    if x.function == "div" and x.arguments[0].function == "div" and x.arguments[0].arguments[1] is x.arguments[1]:
        return x.arguments[0].arguments
    return x.arguments


def _written(x: Expression, arguments: Sequence[tuple[str, int]], names: Mapping[str, str]) -> tuple[str, int]:
    """The text of an expression, from the texts of its arguments, and how tightly it binds."""
    binding = PRECEDENCE.get(x.function, TIGHTEST)

    def inside(k: int, least: int) -> str:
        phrase, tightness = arguments[k]
        return phrase if tightness >= least else f"({phrase})"

    def after_sign(k: int, least: int) -> str:
        """The same where a number below 0 needs parentheses of its own, so that its code begins with one."""
        phrase = inside(k, least)
        return f"{_CODE}({phrase[1:]}" if phrase[:1] == _CODE and phrase[1:2] != "(" else phrase

    if x.function == "constant":
        return "pi" if x.number == math.pi else f"{x.number:.6g}", TIGHTEST if x.number >= 0.0 else PRECEDENCE["neg"]
    if not x.arguments:
        name = f"operand {x.number:.0f}" if x.function == "operand" else "out"
        return names.get(name, name.replace("operand ", "x")), TIGHTEST
    if x.function == "neg":
        return f"-{after_sign(0, binding)}", binding
    if x.function == "select":
        return f"{inside(1, 1)} if {inside(0, 1)} else {inside(2, 0)}", binding
    if x.function == "mul" and x.arguments[0] is x.arguments[1]:
        return f"{after_sign(0, PRECEDENCE['pow'] + 1)}**2", PRECEDENCE["pow"]
    if _factors(x) is not x.arguments:
        return f"{inside(0, binding)} / {after_sign(1, PRECEDENCE['pow'] + 1)}**2", binding
    if x.function == "pow":
        return f"{after_sign(0, binding + 1)}**{after_sign(1, binding + 1)}", binding
    if x.function in SIGNS:
        return f"{inside(0, binding)} {SIGNS[x.function]} {after_sign(1, binding + 1)}", binding
    return f"{x.function}({', '.join(phrase for phrase, _ in arguments)})", TIGHTEST
