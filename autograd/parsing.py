"""How does text such as `tanh(a*b) + c` become a function of its names, without running any of it?

`parse` looks at the text twice. First at its characters: names, numbers and a few marks are let through, and anything
else is refused where it stands. Then Python's own `ast` says how they belong together, and every node of that tree
must be one of the few known here. What comes out is a flat list of steps over a stack, so that a sum of 100,000 terms
is evaluated without recursion. Nothing is ever passed to `eval`, `exec` or `compile`.

It is the command `python -m autograd` that reads its expressions so: `command/main.py`.
"""

import ast
import difflib
import inspect
import keyword
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import autograd
from autograd import functions
from autograd.reals import as_float, real_or_none, shown
from autograd.value import Value

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
"""Names that have a value by themselves, unless another is given."""

BINARY: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: functions.add,
    ast.Sub: functions.sub,
    ast.Mult: functions.mul,
    ast.Div: functions.div,
    ast.FloorDiv: functions.floor_divide,
    ast.Mod: functions.remainder,
    ast.Pow: functions.pow,
}
UNARY: dict[type[ast.unaryop], Callable[..., Any]] = {ast.USub: functions.neg, ast.UAdd: functions.pos}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: lambda x, y: bool(x < y),
    ast.LtE: lambda x, y: bool(x <= y),
    ast.Gt: lambda x, y: bool(x > y),
    ast.GtE: lambda x, y: bool(x >= y),
}

MOST_BRACKETS = 100  # inside one another; Python's own parser gives up at 200
MOST_OPERATORS_IN_A_PAGE = 1000  # between two brackets or commas; Pyodide 314 ends at some 1500
MOST_DIGITS = 640  # of one number; Python may refuse to read longer ones
TOO_DEEP = "what begins at column {} is nested too deeply for Python's parser; split it into smaller parts"
KIND_OF_ANNOTATION: dict[Any, str] = {
    Iterable[functions.Number]: "list",
    Iterable[Any]: "list",  # of `take`, which takes rows too
    bool | functions.Number: "condition",
    str: "word",
    functions.T: "number",
    functions.Number: "number",
    functions.Number | None: "number",
}
NUMERIC = ("number", "condition")
REFUSED = {  # what to do instead, where a character is often meant well
    "^": "use ** for powers",
    ".": "names have no attributes here, and a number needs a digit",
    "\u00d7": "use * to multiply",
    "·": "use * to multiply",
    "÷": "use / to divide",
    "\u2212": "use the plain - of the keyboard",
    "√": "use sqrt(x)",
    "²": "use **2",
    "³": "use **3",
    "|": "use abs(x) for an absolute value",
    "{": "use round brackets",
    "}": "use round brackets",
    '"': "text in quotes is not a number",
    "'": "text in quotes is not a number",
}
OTHER_NAMES = {"ln": "log", "arctan2": "atan2", "fabs": "abs", "logistic": "sigmoid", "swish": "silu"}

TOKEN = re.compile(
    r"""
    (?P<space> [ \t\r\n\f\v]+ )
    | (?P<number> 0[xX][0-9a-fA-F_]+ | 0[oObB][0-9_]+
        | (?: [0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]* ) (?: [eE][+-]?[0-9][0-9_]* )? )
    | (?P<name> (?: [A-Za-z_] | [^\x00-\x7f] ) (?: [A-Za-z0-9_] | [^\x00-\x7f] )* )
    | (?P<word> "[a-z]*" | '[a-z]*' )
    | (?P<mark> [-+*/%()\[\],<>=] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
BLANKS = str.maketrans(dict.fromkeys("\t\r\n\f\v", " "))


class ExpressionError(ValueError):
    """A text is not an expression of numbers, names, operators and the functions of autograd.

    Arguments:
        sentence: what is wrong, and at which column.
        column: where, in characters, counted from 1.

    >>> try:
    ...     parse("a ^ 2")
    ... except ExpressionError as error:
    ...     print(error, error.column)
    '^' at column 3 is not part of an expression: use ** for powers 3
    """

    def __init__(self, sentence: str, column: int) -> None:
        super().__init__(sentence, column)
        self.column = column

    def __str__(self) -> str:
        return str(self.args[0])


class Application(NamedTuple):
    """Takes so many `operands` from the stack and puts there what `function` makes of them."""

    function: Callable[..., Any]
    operands: int
    column: int


Item = Application | str | float | None
"""One step of a program: an application of a function, or what to put on the stack. That is the number of a name, a
number itself, or None for an argument left out."""


class Expression:
    """A function of named numbers, read from text by `parse`.

    Attributes:
        text: the text itself.
        names: the names that need a value, in the order of their first appearance.
        constants: the names among `pi`, `e`, `inf` and `nan` that it uses for what they are.

    Arguments of a call:
        values: a dict from each name to a number or a Value; it may give constants another value.

    Returns of a call:
        a Value if any value that takes part is one, otherwise a float, by IEEE 754 as everywhere in autograd.

    Raises:
        ExpressionError: a name has no value, or a function refuses its arguments.
        TypeError: a value is neither a Value nor one real number.

    >>> f = parse("tanh(a*b) + c")
    >>> f.names
    ('a', 'b', 'c')
    >>> f({"a": 0.0, "b": 1.0, "c": 10.0})
    10.0
    """

    __slots__ = ("_columns", "_program", "constants", "names", "text")

    def __init__(self, text: str, program: list[Item], columns: dict[str, int], constants: Iterable[str]) -> None:
        self.text = text
        self._program = program
        self._columns = columns
        found = sorted(columns, key=lambda name: columns[name])
        self.constants = tuple(name for name in found if name in set(constants))
        self.names = tuple(name for name in found if name not in self.constants)

    def __repr__(self) -> str:
        return f"parse({self.text!r})"

    def __call__(self, values: Mapping[str, Any]) -> Any:
        numbers: dict[str, Any] = {name: CONSTANTS[name] for name in self.constants}
        for name in self._columns:
            if name in values:
                x = values[name]
                numbers[name] = x if isinstance(x, Value) else as_float(x, f"the name {name}")
        missing = [name for name in self.names if name not in numbers]
        if missing:
            column = self._columns[missing[0]]
            raise ExpressionError(f"no value for {listed(missing)}, first needed at column {column}", column)
        return _run(self._program, numbers)


def parse(text: str, variables: Iterable[str] = ()) -> Expression:
    """Reads an expression. None of the text is executed, whatever it is.

    It may consist of numbers, names, `pi`, `e`, `inf`, `nan`, the operators `+ - * / // ** %`, round brackets and calls
    of autograd's functions, with their keyword arguments. Those of many numbers take a list, as in `sum([a, b])`; of a
    list that a function gives, one number is taken by a constant index, as in `softmax([a, b])[0]`. Comparisons
    with `< <= > >=` stand in the condition of `where`.

    Arguments:
        text: the expression; line breaks are blanks.
        variables: names that need a value even if a constant is called so.

    Returns:
        an `Expression`, to be called with a dict of numbers or Values.

    Raises:
        ExpressionError: the text is anything else; the error's `.column` says where, counted from 1.
        TypeError: text is not a string.

    >>> parse("where(x > 0, log(x), 0)")({"x": 1.0})
    0.0
    >>> parse("2*pi*r").names, parse("2*e", variables=["e"]).names
    (('r',), ('e',))
    >>> parse("a + tnah(b)")
    Traceback (most recent call last):
    autograd.parsing.ExpressionError: unknown function tnah at column 5; did you mean tanh?
    """
    if not isinstance(text, str):
        raise TypeError(f"parse takes an expression as a string; got {shown(text)} ({type(text).__name__})")
    columns: dict[str, int] = {}
    program: list[Item] = []
    for start, end, join in _terms(text):
        program += _Term(text, start, end, columns).program()
        if join is not None:
            program.append(Application(join, 2, start))
    return Expression(text, program, columns, CONSTANTS.keys() - set(variables))


def _run(program: list[Item], numbers: Mapping[str, Any]) -> Any:
    """What the program leaves on its stack."""
    stack: list[Any] = []
    for step in program:
        if isinstance(step, str):
            stack.append(numbers[step])
        elif isinstance(step, Application):
            cut = len(stack) - step.operands
            operands = stack[cut:]
            del stack[cut:]
            try:
                stack.append(step.function(*operands))
            except (TypeError, ValueError, IndexError) as error:
                raise ExpressionError(f"{error} (column {step.column})", step.column) from None
        else:
            stack.append(step)
    return stack.pop()


# Functions that may be called


def _callable_functions() -> dict[str, tuple[inspect.Signature, dict[str, str]]]:
    """The signature of every public function of numbers, and the kind of each of its parameters."""
    found = {}
    public: dict[str, Any] = vars(functions)
    for name, function in public.items():
        if inspect.isfunction(function) and function == getattr(autograd, name, None):
            signature = inspect.signature(function)
            kinds = {p.name: KIND_OF_ANNOTATION.get(p.annotation, "") for p in signature.parameters.values()}
            if all(kinds.values()):  # not `operation`, which takes functions
                found[name] = signature, kinds
    return found


FUNCTIONS = _callable_functions()
"""The functions that an expression may call, by name."""


# The characters: names, numbers and a few marks


def _terms(text: str) -> Iterator[tuple[int, int, Callable[..., Any] | None]]:
    """The terms of the outermost sum: where each begins and ends, and how it joins the sum before it.

    Cutting a sum into its terms is what lets it have any length: `ast` nests `a+b+c` as `(a+b)+c`, and gives up at
    some thousand terms.
    """
    opened: list[int] = []
    start, join, operand = 0, None, False
    for kind, token, at in _tokens(text):
        if token in "([":
            opened.append(at)
            if len(opened) > MOST_BRACKETS:
                raise ExpressionError(
                    f"more than {MOST_BRACKETS} brackets are open at column {at + 1}; nest the expression less", at + 1
                )
        elif token in ")]":
            _close(text, opened, at)
        elif token in "+-" and operand and not opened:
            yield start, at, join
            start, join = at + 1, functions.add if token == "+" else functions.sub
        operand = kind != "mark" or token in ")]"
    if opened:
        raise ExpressionError(f"the {text[opened[0]]} at column {opened[0] + 1} is never closed", opened[0] + 1)
    yield start, len(text), join


def _close(text: str, opened: list[int], at: int) -> None:
    """Takes the bracket that the one at `at` closes from those that are open."""
    if not opened:
        raise ExpressionError(f"the {text[at]} at column {at + 1} closes nothing", at + 1)
    if text[opened[-1]] + text[at] not in ("()", "[]"):
        column = opened[-1] + 1
        raise ExpressionError(
            f"the {text[at]} at column {at + 1} does not close the {text[column - 1]} at column {column}", at + 1
        )
    opened.pop()


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """The kind, the text and the place of each token, if all its characters may be in an expression."""
    number_ends = -1
    for match in TOKEN.finditer(text):
        kind, token, at = str(match.lastgroup), match.group(), match.start()
        if kind == "space":
            continue
        if kind == "other":
            _refuse(token, at)
        if kind == "number":
            number_ends = match.end()
            if len(token) > MOST_DIGITS:
                raise ExpressionError(
                    f"the number at column {at + 1} has {len(token)} characters; write it with an exponent, as 1e99",
                    at + 1,
                )
        if kind == "name":
            _check_name(token, at)
            if at == number_ends:
                raise ExpressionError(
                    f"an operator is missing before {shown(token)} at column {at + 1}; use * to multiply", at + 1
                )
        yield kind, token, at


def _check_name(token: str, at: int) -> None:
    """Refuses what cannot be a name, and the words of the Python language."""
    if not token.isidentifier():
        for place, character in enumerate(token):
            if not (character if place == 0 else f"a{character}").isidentifier():
                _refuse(character, at + place)
    if keyword.iskeyword(unicodedata.normalize("NFKC", token)):
        raise ExpressionError(
            f"{token} at column {at + 1} is a word of the Python language, not part of an expression", at + 1
        )


def _refuse(character: str, at: int) -> NoReturn:
    seen = repr(character) if character.isprintable() else f"the character U+{ord(character):04X}"
    instead = f": {REFUSED[character]}" if character in REFUSED else ""
    raise ExpressionError(f"{seen} at column {at + 1} is not part of an expression{instead}", at + 1)


# The tree: what belongs together


class _Term:
    """One term of the outermost sum: its tree, translated into steps without recursion."""

    def __init__(self, text: str, start: int, end: int, columns: dict[str, int]) -> None:
        self.source = text[start:end].translate(BLANKS)
        self.start = start + len(self.source) - len(self.source.lstrip())
        self.source = self.source.strip()
        self.columns = columns
        # ast counts bytes of UTF-8; this finds the character
        self.characters: Any = range(len(self.source) + 1)
        if not self.source.isascii():
            self.characters = [i for i, c in enumerate(self.source) for _ in c.encode()]

    def program(self) -> list[Item]:
        """The steps, operands before what is done with them."""
        program: list[Item] = []
        work: list[tuple[Any, str]] = [(self.tree(), "number")]
        while work:
            node, kind = work.pop()
            if not isinstance(node, ast.AST):
                program.append(node)
                continue
            step, operands = self.visit(node, kind)
            work.append((step, ""))
            work.extend(reversed(operands))
        return program

    def tree(self) -> ast.expr:
        """What Python's parser makes of the term."""
        if not self.source:
            self.fail_at(0, "a number, a name or a call is missing at column {}")
        if sys.platform == "emscripten":
            self.refuse_what_ends_pyodide()
        try:
            return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            place = (error.offset or 0) - 1
            if not 0 <= place < len(self.source):
                self.fail_at(len(self.source), "a number, a name or a call is missing at column {}")
            found = TOKEN.match(self.source, place)
            token = shown(found.group()) if found else ""
            missing = ": is an operator or a comma missing?" if error.text and "comma" in error.msg else ""
            return self.fail_at(place, f"the expression cannot be read from {token} at column {{}} on{missing}")
        except (RecursionError, MemoryError, OverflowError, ValueError):
            return self.fail_at(0, TOO_DEEP)

    def refuse_what_ends_pyodide(self) -> None:
        """In a web page the parser has JavaScript's stack; when that is full, Python ends, with no error to catch."""
        parts = re.split(r"[(),\[\]]", self.source)
        if max(len(re.findall(r"[-+*/]", part)) for part in parts) > MOST_OPERATORS_IN_A_PAGE:
            self.fail_at(0, TOO_DEEP)

    def fail_at(self, place: int, sentence: str) -> NoReturn:
        column = self.start + place + 1
        raise ExpressionError(sentence.replace("{}", str(column)), column)

    def fail(self, node: Any, sentence: str) -> NoReturn:
        """Raises the error; the column of the node replaces the {} in the sentence."""
        raise ExpressionError(sentence.replace("{}", str(self.column(node))), self.column(node))

    def column(self, node: Any) -> int:
        return self.start + int(self.characters[node.col_offset]) + 1

    def visit(self, node: ast.AST, kind: str) -> tuple[Item, list[tuple[Any, str]]]:
        """The step for a node of the tree, and its operands with the kind that each must be of."""
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number) if kind in NUMERIC:
                return real_or_none(number), []
            case ast.Constant(value=str() as word) if kind == "word":
                return Application(lambda: word, 0, self.column(node)), []
            case ast.Name(id=name) if kind in NUMERIC:
                return self.name(node, name), []
            case ast.UnaryOp(op=sign, operand=x) if type(sign) in UNARY and kind in NUMERIC:
                return Application(UNARY[type(sign)], 1, self.column(node)), [(x, "number")]
            case ast.BinOp(left=x, op=operator, right=y) if type(operator) in BINARY and kind in NUMERIC:
                return Application(BINARY[type(operator)], 2, self.column(node)), [(x, "number"), (y, "number")]
            case ast.Call() if kind != "word":
                return self.call(node, kind)
            case ast.List(elts=elements) if kind == "list":
                return Application(_list, len(elements), self.column(node)), [(x, "number") for x in elements]
            case ast.Compare() if kind == "condition":
                return self.comparison(node)
            case ast.Subscript(value=ast.Call() as values, slice=place) if kind in NUMERIC:
                return Application(_element(self.index(place)), 1, self.column(place)), [(values, "list")]
        return self.fail(node, _why_not(node, kind))

    def name(self, node: Any, name: str) -> str:
        if name in FUNCTIONS:
            self.fail(node, f"{name} at column {{}} is a function: call it, as in {_example(name)}")
        self.columns[name] = min(self.column(node), self.columns.get(name, self.column(node)))
        return name

    def index(self, node: Any) -> int:
        """The constant in the square brackets of `softmax([a, b])[0]`."""
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, node = -1, node.operand
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return sign * node.value
        return self.fail(node, "the index at column {} must be a whole number, as in softmax([a, b])[0]")

    def comparison(self, node: ast.Compare) -> tuple[Item, list[tuple[Any, str]]]:
        """`a < b`, or a chain `a < b < c`, which holds if all its parts do."""
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if type(operator) not in COMPARISONS:
                self.fail(right, "the comparison before column {} is not <, <=, > or >=; use one of these")
        tests = [COMPARISONS[type(operator)] for operator in node.ops]

        def holds(*numbers: Any) -> bool:
            return all(test(x, y) for test, x, y in zip(tests, numbers, numbers[1:], strict=False))

        operands = [node.left, *node.comparators]
        return Application(holds, len(operands), self.column(node)), [(x, "number") for x in operands]

    def call(self, node: ast.Call, kind: str) -> tuple[Item, list[tuple[Any, str]]]:
        """A call of one of autograd's functions, its arguments brought into the order of its parameters."""
        name = self.function_name(node)
        signature, kinds = FUNCTIONS[name]
        bound = self.bind(node, name, signature)
        gives_list = name in ("softmax", "log_softmax") and "index" not in bound
        if gives_list and kind != "list":
            self.fail(node, f"{name} at column {{}} gives a list; take one of its numbers, as in {_example(name)}[0]")
        if kind == "list" and not gives_list:
            self.fail(node, f"{name} at column {{}} gives one number, where a list is needed")
        arguments: list[tuple[Any, str]] = []
        for parameter in signature.parameters.values():
            argument = bound.get(parameter.name, parameter.default)
            if kinds[parameter.name] == "list" and not isinstance(argument, ast.List | ast.Call):
                self.fail(argument, f"{name} takes a list, as in {_example(name)}; column {{}} has none")
            arguments.append((_constant(argument), kinds[parameter.name]))
        return Application(getattr(functions, name), len(arguments), self.column(node)), arguments

    def function_name(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name):
            self.fail(node, "what begins at column {} is not a function and cannot be called; use * to multiply")
        name = node.func.id
        if name not in FUNCTIONS:
            close = [OTHER_NAMES[name]] if name in OTHER_NAMES else difflib.get_close_matches(name, FUNCTIONS, n=1)
            hint = f"did you mean {close[0]}?" if close else "use * to multiply, or one of autograd's functions"
            self.fail(node, f"unknown function {_short(name)} at column {{}}; {hint}")
        return name

    def bind(self, node: ast.Call, name: str, signature: inspect.Signature) -> dict[str, Any]:
        """Which argument is which parameter's."""
        takes = f"{name} at column {{}} takes {listed(_parameters(signature))}"
        named: dict[str, ast.expr] = {}
        for argument in node.keywords:
            if argument.arg is None:
                self.fail(argument.value, "** before column {} is not part of an expression: give arguments one by one")
            if argument.arg not in signature.parameters:
                self.fail(node, f"{takes}; it has no argument {_short(argument.arg)}")
            if argument.arg in named:
                self.fail(node, f"{takes}; {argument.arg} is given twice")
            named[argument.arg] = argument.value
        try:
            return dict(signature.bind(*node.args, **named).arguments)
        except TypeError:
            count = len(node.args) + len(named)
            of_list = f": write {_example(name)}" if next(iter(FUNCTIONS[name][1].values())) == "list" else ""
            return self.fail(node, f"{takes}; got {count or 'no'} argument{'s' * (count != 1)}{of_list}")


def _why_not(node: ast.AST, kind: str) -> str:
    """What is wrong with a node that is not the kind wanted; {} stands for its column."""
    match node:
        case ast.List() if kind != "list":
            return "the list at column {} stands alone: give it to a function, as in sum([a, b])"
        case ast.Tuple():
            return "the numbers from column {} on are not a list: put them into square brackets, as in sum([a, b])"
        case ast.Compare():
            return "the comparison at column {} stands outside a condition: use where(x > 0, a, b)"
        case ast.Subscript():
            return "only a list that a function gives has an index, as in softmax([a, b])[0]; column {} has none"
        case ast.BinOp() if type(node.op) not in BINARY:
            return "the expression that begins at column {} has an operator other than + - * / // ** %"
        case ast.JoinedStr():
            return "what stands at column {} is text, not a real number"
        case ast.Constant():
            return "what stands at column {} is not a real number"
        case ast.Starred():
            return "the * at column {} has nothing to multiply"
        case ast.Slice():
            return "the index at column {} must be one whole number"
    if kind == "word":
        return "the argument at column {} must be a word in quotes"
    return "what begins at column {} is not part of an expression"


def _constant(argument: Any) -> Any:
    """An argument left out, as a step: the default itself, or, for a word, a step that gives it."""
    return Application(lambda: argument, 0, 1) if isinstance(argument, str) else argument


def _list(*numbers: Any) -> list[Any]:
    return list(numbers)


def _element(index: int) -> Callable[[list[Any]], Any]:
    """A function that takes the number at the index."""

    def element(values: list[Any]) -> Any:
        if not -len(values) <= index < len(values):
            raise IndexError(f"index {shown(index)} is outside a list of {len(values)} numbers, counted from 0")
        return values[index]

    return element


def _parameters(signature: inspect.Signature) -> list[str]:
    return [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in signature.parameters.values()]


def _example(name: str) -> str:
    """A call of the function with what it needs.

    >>> _example("tanh"), _example("sum"), _example("where")
    ('tanh(x)', 'sum([a, b])', 'where(condition, x, y)')
    """
    signature, kinds = FUNCTIONS[name]
    lists = iter(("[a, b]", "[c, d]"))
    needed = [p.name for p in signature.parameters.values() if p.default is p.empty]
    return f"{name}({', '.join(next(lists) if kinds[p] == 'list' else p for p in needed)})"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:37]}..."


def listed(names: Iterable[str]) -> str:
    """The names in words.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = map(_short, names)
    return f"{', '.join(most)} and {last}" if most else last
